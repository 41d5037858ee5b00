//! Broken studies: one folder for each thing that the compiler says, each the two-arm template with one file changed.
//!
//! What is said is kept as a snapshot beside this file. A folder whose name begins with
//! `warning-` compiles, and says it as a warning.

use std::{collections::BTreeMap, fs, path::Path};

use protocol::{compile, templates};

use crate::folder;

fn broken(name: &str) -> BTreeMap<String, String> {
    let mut files = templates::files("two-arm").unwrap();
    files.extend(folder(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/study_files").join(name)));
    files
}

fn names() -> Vec<String> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/study_files");
    let mut names: Vec<String> = fs::read_dir(corpus)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Returns what is said about a broken folder.
fn said(name: &str) -> String {
    let diagnostics = match compile(&broken(name)) {
        Err(errors) => {
            assert!(!name.starts_with("warning-"), "{name} does not compile: {}", errors[0]);
            errors
        }
        Ok(compiled) => {
            assert!(name.starts_with("warning-"), "{name} compiles");
            compiled.warnings
        }
    };
    assert!(!diagnostics.is_empty(), "{name}: nothing is said");
    diagnostics.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n\n")
}

#[test]
fn every_broken_folder_is_told_what_is_wrong_where_and_what_to_write() {
    assert!(names().len() > 80);
    for name in names() {
        insta::assert_snapshot!(name.clone(), said(&name));
    }
}

#[test]
fn one_fault_gives_one_error() {
    // A changed name is missed wherever it is used, a lacking limit by every rule that speaks of it.
    let several = [
        "bad-name",
        "derived-in-a-circle",
        "laboratory-without-a-limit",
        "level-without-a-label",
        "no-baseline",
        "ten-faults",
        "randomised-without-allocation",
        "toml-table-left-open",
        "unknown-visit-column",
        "form-on-no-row",
        "warning-text-lacks-a-language",
        "rule-not-collected-at-its-visit",
        "visit-without-timing",
        "visits-out-of-order",
        "toml-duplicate-table",
    ];
    for name in names().iter().filter(|name| !several.contains(&name.as_str())) {
        let count = match compile(&broken(name)) {
            Err(errors) => errors.len(),
            Ok(compiled) => compiled.warnings.len(),
        };
        assert_eq!(count, 1, "{name}:\n{}", said(name));
    }
}

#[test]
fn a_folder_with_ten_different_faults_reports_all_ten_in_one_run() {
    let errors = compile(&broken("ten-faults")).unwrap_err();
    let at = |file: &str, code: &str| errors.iter().any(|error| error.file == file && error.code == code);
    for (file, code) in [
        ("study.toml", "toml"),
        ("roles.toml", "unknown-word"),
        ("schedule.toml", "not-measured"),
        ("forms/adverse_events.toml", "unknown-name"),
        ("forms/assessment.toml", "blinding"),
        ("forms/chemistry.toml", "unknown-key"),
        ("eligibility.toml", "unknown-name"),
        ("dosing.toml", "dosing"),
        ("allocation.toml", "allocation"),
        ("analysis.toml", "ambiguous"),
    ] {
        assert!(at(file, code), "{file}: {code} is not among\n{}", said("ten-faults"));
    }
}

#[test]
fn a_diagnostic_renders_through_miette_and_as_json() {
    let errors = compile(&broken("unknown-item")).unwrap_err();
    let mut text = String::new();
    let theme = miette::GraphicalTheme::unicode_nocolor();
    miette::GraphicalReportHandler::new_themed(theme)
        .with_width(110)
        .render_report(&mut text, &errors[0].report())
        .unwrap();
    insta::assert_snapshot!("rendered_by_miette", text);
    let json = serde_json::to_value(&errors[0]).unwrap();
    assert_eq!(json["file"], "eligibility.toml");
    assert_eq!(json["severity"], "error");
    assert!(json["line"].is_number() && json["column"].is_number() && json["span"]["start"].is_number());
}
