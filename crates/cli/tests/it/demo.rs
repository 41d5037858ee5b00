//! Both trials whole, and the same bytes wherever and whenever they run.

use std::{collections::BTreeMap, fs, path::Path};

use crate::{demo, demo_with, equipoise, files};

/// Every file that a demo wrote but the record itself, whose file holds free pages and the like.
fn written(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    files(folder)
        .into_iter()
        .filter(|path| path.extension().is_none_or(|ending| ending != "sqlite"))
        .map(|path| {
            let name = path.strip_prefix(folder).unwrap().to_string_lossy().into_owned();
            let bytes = fs::read(&path).unwrap();
            (name, bytes)
        })
        .collect()
}

fn heads(document: &serde_json::Value) -> Vec<String> {
    document["studies"]
        .as_array()
        .unwrap()
        .iter()
        .map(|study| study["record"]["head"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn both_trials_run_whole_and_their_records_verify() {
    let (folder, document) = demo(1);
    let studies = document["studies"].as_array().unwrap();
    let ids: Vec<_> = studies.iter().map(|study| study["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["imatinib-controlled", "imatinib-open"]);
    for (study, enrolled) in studies.iter().zip([28, 30]) {
        assert_eq!(study["participants"], enrolled);
        assert!(study["completed"].as_u64().unwrap() > 15, "{study:#}");
        assert_eq!(study["record"]["verified"], true);
        assert!(study["commands_accepted"].as_u64().unwrap() > 3_000);
        let page = Path::new(study["reports"]["html"].as_str().unwrap()).to_owned();
        assert!(fs::metadata(page).unwrap().len() > 50_000);
    }
    let primary = |study: usize, id: &str| {
        let analyses = studies[study]["analyses"].as_array().unwrap();
        let analysis = analyses.iter().find(|analysis| analysis["id"] == id).unwrap();
        analysis["p_value"].as_f64().unwrap()
    };
    for p in [primary(0, "B-P1-main"), primary(1, "A-P1-main")] {
        assert!((0.0..=1.0).contains(&p));
    }
    assert!(folder.path().join("imatinib-controlled/before-unblinding/record").is_dir());
}

/// Beside the one trial stands what many come to, with Monte Carlo error and setting.
fn many_trials_are_told_with_their_error(document: &serde_json::Value) {
    for (study, main) in document["studies"].as_array().unwrap().iter().zip(["B-P1-main", "A-P1-main"]) {
        assert_eq!(study["setting"], "registry");
        let many = study["many_trials"].as_array().unwrap();
        let one = many.iter().find(|one| one["id"] == main).unwrap();
        assert_eq!(one["setting"], "registry");
        assert_eq!(one["trials"], 1_000);
        for error in ["mc_se", "rejection_mc_se"] {
            assert!(one[error].as_f64().unwrap() > 0.0, "{main} {error}");
        }
    }
}

#[test]
fn one_seed_gives_the_same_bytes_for_any_threads_folder_locale_zone_and_day() {
    let (first, document) = demo_with(3, &[]);
    many_trials_are_told_with_their_error(&document);
    let elsewhere = tempfile::tempdir().unwrap();
    let output = equipoise()
        .args(["demo", "--out", "there", "--seed", "3", "--threads", "1", "--json"])
        .current_dir(elsewhere.path())
        .env("LC_ALL", "fr_FR.UTF-8")
        .env("TZ", "Pacific/Auckland")
        .env("HOSTNAME", "another")
        .env("SOURCE_DATE_EPOCH", "0")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let again: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(heads(&document), heads(&again));
    let (ours, theirs) = (written(first.path()), written(&elsewhere.path().join("there")));
    assert_eq!(ours.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>());
    for (name, bytes) in &ours {
        assert!(theirs[name] == *bytes, "{name} differs");
    }
}

#[test]
fn another_seed_changes_participants_head_and_estimates() {
    let ((_one, first), (_two, second)) = (demo(1), demo(2));
    for (a, b) in heads(&first).iter().zip(heads(&second)) {
        assert_ne!(*a, b);
    }
    for study in 0..2 {
        assert_ne!(first["studies"][study]["analyses"], second["studies"][study]["analyses"]);
    }
}

#[test]
fn a_study_of_ones_own_runs_whole_to_its_report() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let example = crate::root().join("examples/time-to-event");
    let (example, out) = (example.to_str().unwrap(), out.to_str().unwrap());
    let output = crate::run(&["demo", example, "--out", out, "--no-pdf"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("verified, ends at this head"), "{said}");
    // Nothing was published of it: each analysis stands with its estimate and its p-value.
    assert!(said.lines().any(|line| line.contains("log_hazard_ratio")), "{said}");
    let report = fs::read_to_string(Path::new(out).join("time-to-event/report.html")).unwrap();
    for shown in ["Hazard ratio", "Participants at risk", "<svg"] {
        assert!(report.contains(shown), "the report shows no {shown}");
    }

    let twice = crate::run(&["demo", example, example, "--out", out, "--no-pdf"]);
    assert!(!twice.status.success());
    let said = String::from_utf8_lossy(&twice.stderr);
    assert!(said.contains("has the id time-to-event of another study"), "{said}");
    let inside = folder.path().join("out/time-to-event/study");
    let inside = crate::run(&["demo", inside.to_str().unwrap(), "--out", out]);
    assert!(!inside.status.success());
    assert!(String::from_utf8_lossy(&inside.stderr).contains("name another folder with --out"));
    let misspelt = crate::run(&["demo", "imatinib-opne", "--out", out]);
    assert!(!misspelt.status.success());
    assert!(String::from_utf8_lossy(&misspelt.stderr).contains("imatinib-opne"));
}
