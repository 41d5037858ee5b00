//! Reference cases at the command line.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::{root, run};

/// Runs `qualify` on a folder; returns whether it succeeded, and its document.
fn qualify(folder: &Path) -> (bool, Value) {
    let output = run(&["qualify", "--cases", folder.to_str().unwrap(), "--json"]);
    (output.status.success(), serde_json::from_slice(&output.stdout).expect("one JSON document"))
}

/// Runs `qualify` on one case file with that content.
fn qualify_file(content: &str) -> (bool, Value) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("cases.json"), content).unwrap();
    qualify(folder.path())
}

#[test]
fn the_shipped_cases_of_both_forms_pass() {
    for (folder, least) in [("crates/instruments/vectors", 528), ("crates/statistics/reference", 100)] {
        let (success, document) = qualify(&root().join(folder));
        assert!(success, "{document:#}");
        assert_eq!(document["cases"], document["passed"]);
        assert!(document["cases"].as_u64().unwrap() >= least);
        let keys = document.as_object().unwrap().keys().map(String::as_str).collect::<Vec<_>>();
        assert_eq!(keys, ["cases", "failed", "passed", "unsupported"]);
    }
}

#[test]
fn a_case_with_one_digit_altered_fails_and_is_named() {
    let file = fs::read_to_string(root().join("crates/instruments/vectors/bsa.json")).unwrap();
    assert!(file.contains("1.88594"));
    let (success, document) = qualify_file(&file.replacen("1.88594", "1.88694", 1));
    assert!(!success);
    assert_eq!(document["passed"], 23);
    let failed = &document["failed"];
    assert_eq!(failed.as_array().unwrap().len(), 1);
    assert_eq!(failed[0]["file"], "cases.json");
    assert_eq!(failed[0]["case"], "bsa-p01");
    assert_eq!(failed[0]["field"], "mosteller");
    assert_eq!(failed[0]["expected"], 1.88694);
    assert!((failed[0]["obtained"].as_f64().unwrap() - 1.88594).abs() < 1e-6);

    let file = fs::read_to_string(root().join("crates/statistics/reference/t_paired.json")).unwrap();
    assert!(file.contains("-9.056771"));
    let (success, document) = qualify_file(&file.replacen("-9.056771", "-9.056781", 1));
    assert!(!success);
    assert_eq!(document["failed"][0]["field"], "t");
}

#[test]
fn what_is_not_known_is_unsupported_and_never_skipped() {
    let bsa = |input: Value, output: Value| json!({"instrument": "bsa", "vectors": [{"id": "one", "in": input, "out": output}]});
    let size = json!({"height_cm": 60, "weight_kg": 60});
    let area = json!({"mosteller": 1});
    let of = |method: &str, input: Value| json!({"method": method, "cases": [{"id": "one", "input": input, "output": {"x": 1}}]});
    let mut extra = bsa(size.clone(), area.clone());
    extra["vectors"][0]["tolerance"] = json!(100);
    for (file, reason) in [
        (
            json!({"instrument": "waist", "vectors": [{"id": "one", "in": {}, "out": area}]}),
            "no instrument is called `waist`",
        ),
        (
            bsa(json!({"height_cm": 60, "weight_kg": 60, "waist": 1}), area.clone()),
            "input `waist` is not known",
        ),
        (bsa(size.clone(), json!({"haycock": 1})), "output `haycock` is not computed"),
        (bsa(size, json!({})), "`out` expects nothing"),
        (extra, "case key `tolerance` is not known"),
        (of("guess", json!({})), "no method is called `guess`"),
        (of("descriptive", json!({"dataset": "elsewhere"})), "no data set is called \"elsewhere\""),
    ] {
        let (success, document) = qualify_file(&file.to_string());
        assert!(!success, "{reason}");
        assert_eq!(document["cases"], 1, "{reason}");
        assert_eq!(document["passed"], 0, "{reason}");
        assert_eq!(document["unsupported"], json!([{"file": "cases.json", "case": "one", "reason": reason}]));
    }
}

#[test]
fn a_malformed_file_is_named_and_the_others_are_run() {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(root().join("crates/instruments/vectors/bsa.json"), folder.path().join("bsa.json")).unwrap();
    for (content, reason) in [
        ("{\"instrument\": \"bsa\"", "is not JSON"),
        ("[]", "is not one JSON object"),
        ("{\"instrument\": \"bsa\"}", "has neither `vectors`"),
        ("{\"instrument\": \"bsa\", \"vectors\": []}", "`vectors` is empty"),
    ] {
        fs::write(folder.path().join("broken.json"), content).unwrap();
        let output = run(&["qualify", "--cases", folder.path().to_str().unwrap(), "--json"]);
        assert_eq!(output.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&output.stderr).contains("broken.json: "), "{reason}");
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(document["passed"], 24);
        assert_eq!(document["unsupported"][0]["file"], "broken.json");
        assert!(document["unsupported"][0]["reason"].as_str().unwrap().contains(reason), "{reason}");
    }
}

#[test]
fn a_folder_without_cases_or_none_at_all_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("nowhere");
    for (path, says) in [(folder.path(), "holds no case file"), (missing.as_path(), "can't be read")] {
        let output = run(&["qualify", "--cases", path.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&output.stderr).contains(says));
    }
}

#[test]
fn the_installed_program_qualifies_itself_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("qualification");
    let output = run(&["qualify", "--out", out.to_str().unwrap(), "--json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let short: Value = serde_json::from_slice(&output.stdout).expect("one JSON document");
    assert_eq!((&short["pass"], &short["unsupported"]), (&json!(true), &json!(0)));
    assert_eq!(short["cases"], short["passed"]);
    let whole: Value =
        serde_json::from_str(&fs::read_to_string(out.join("qualification.json")).unwrap()).unwrap();
    let cases = whole["cases"].as_array().unwrap();
    assert!(cases.len() > 900, "{} cases", cases.len());
    for case in cases {
        let values = case["values"].as_array().unwrap();
        assert!(!values.is_empty() && values.iter().all(|value| value["pass"] == json!(true)), "{case}");
    }
    let page = fs::read_to_string(out.join("qualification.html")).unwrap();
    for text in [short["binary_sha256"].as_str().unwrap(), "IQ-2", "OQ-ancova", "OQ-mrss", "Passed."] {
        assert!(page.contains(text), "{text}");
    }
    assert!(!page.contains("behind-the-numbers"));
}
