//! Study folders at the command line.

use std::fs;

use crate::{root, run};

#[test]
fn both_shipped_studies_pass_the_check_and_show_their_schedule() {
    for (id, cell) in [("imatinib-open", "M15"), ("imatinib-controlled", "End")] {
        let folder = root().join("studies").join(id);
        let output = run(&["check", folder.to_str().unwrap()]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains(id) && text.contains(cell), "{text}");
    }
}

#[test]
fn each_template_passes_the_check() {
    for template in ["single-arm", "two-arm"] {
        let folder = tempfile::tempdir().unwrap();
        let study = folder.path().join("study");
        let made = run(&["new", study.to_str().unwrap(), "--template", template]);
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let checked = run(&["check", study.to_str().unwrap()]);
        assert!(checked.status.success(), "{template}: {}", String::from_utf8_lossy(&checked.stderr));
    }
}

#[test]
fn an_unknown_template_names_those_there_are() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(&["new", folder.path().join("x").to_str().unwrap(), "--template", "crossover"]);
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(message.contains("single-arm") && message.contains("two-arm"), "{message}");
}

#[test]
fn a_misspelt_form_is_shown_where_it_stands_with_what_to_write() {
    let folder = tempfile::tempdir().unwrap();
    let study = folder.path().join("study");
    copy(&root().join("studies/imatinib-open"), &study);
    let plan = study.join("analysis.toml");
    let text = fs::read_to_string(&plan).unwrap();
    let broken = text.replacen("\"skin_score.total\"", "\"skin_score.totl\"", 1);
    assert_ne!(text, broken);
    fs::write(&plan, broken).unwrap();
    let output = run(&["check", study.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(message.contains("skin_score.total") && message.contains("analysis.toml:"), "{message}");
}

#[test]
fn a_rehearsal_ends_and_names_a_hard_check_that_nobody_can_satisfy() {
    let folder = tempfile::tempdir().unwrap();
    let study = folder.path().join("study");
    copy(&root().join("studies/imatinib-open"), &study);
    let form = study.join("forms/vital_signs.toml");
    let impossible = r#"
[checks.pulse_of_the_living]
when     = "vital_signs.systolic >= 60"
severity = "hard"
item     = "heart_rate"
ask      = { of = "coordinator", en = "No answer to this one helps." }
cases    = [
  { vital_signs.systolic = 60, asks = true },
  { vital_signs.systolic = 61, asks = true },
  { vital_signs.systolic = 59, asks = false },
  { vital_signs.systolic = "missing", asks = "unknown" },
]
"#;
    fs::write(&form, fs::read_to_string(&form).unwrap() + impossible).unwrap();
    let output = run(&["check", study.to_str().unwrap(), "--coverage"]);
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{message}");
    for part in ["pulse_of_the_living", "vital_signs", " at Scr", "vital_signs.systolic = ", "heart_rate"] {
        assert!(message.contains(part), "{part}: {message}");
    }
}

#[test]
fn a_folder_without_a_study_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(&["check", folder.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("equipoise new"));
}

#[test]
fn wrong_usage_ends_with_status_two() {
    assert_eq!(run(&["demmo"]).status.code(), Some(2));
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
