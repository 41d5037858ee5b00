//! Each statement of both protocols, followed to the study, the record and the report.

use serde_json::Value;

use crate::{demo, root, run};

#[test]
fn every_statement_and_cell_of_both_protocols_leads_to_line_events_and_report() {
    let (folder, _) = demo(1);
    for study in ["imatinib-open", "imatinib-controlled"] {
        let path = root().join("studies").join(study);
        let output = run(&[
            "check",
            path.to_str().unwrap(),
            "--coverage",
            "--demo",
            folder.path().to_str().unwrap(),
            "--json",
        ]);
        let document: Value = serde_json::from_slice(&output.stdout).expect("one JSON document");
        let rows = document["rows"].as_array().unwrap();
        let open: Vec<&Value> = rows
            .iter()
            .filter(|row| {
                let none = |key: &str| row[key].as_array().unwrap().is_empty();
                none("study") || none("report") || row["event_count"] == 0
            })
            .collect();
        assert!(open.is_empty(), "{study}: {open:#?}");
        assert!(output.status.success());
        assert_eq!(document["complete"], true);
        let cells = rows.iter().filter(|row| row["kind"] == "cell").count();
        assert!(cells > 100 && rows.len() - cells > 90, "{study}");
    }
}

#[test]
fn a_study_without_the_protocols_statements_has_nothing_to_follow() {
    let folder = tempfile::tempdir().unwrap();
    let study = folder.path().join("study");
    let path = study.to_str().unwrap();
    assert!(run(&["new", path, "--template", "two-arm"]).status.success());
    let output = run(&["check", path, "--coverage"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no coverage.toml"));
}
