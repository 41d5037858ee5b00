//! Every key of every case of the reference files, under each file's own tolerance.
//!
//! A file is `{method, tool, tolerance, cases: [{id, call, input, output}]}`. A number
//! agrees when `|obtained - expected| <= max(abs, rel * |expected|)`, where `per_key`
//! overrides by the last part of the key. An unknown method or key is a failure.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use statistics::qualification::{METHODS, Tolerances, compute, differences};

/// How many values a case expects.
fn leaves(expected: &Value) -> usize {
    match expected {
        Value::Object(parts) => parts.values().map(leaves).sum(),
        Value::Array(parts) => parts.iter().map(leaves).sum(),
        _ => 1,
    }
}

/// Puts the columns of the data set that a case names in its place.
pub(crate) fn with_data_set(file: &Value, input: &Value) -> Value {
    let mut input = input.clone();
    if let Some(name) = input.as_object_mut().unwrap().remove("dataset") {
        input["data"] = file["datasets"][name.as_str().unwrap()]["data"].clone();
    }
    input
}

/// The files given (`ancova.json`) and those made by generators (`ancova/cases.json`).
pub(crate) fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("reference");
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("an entry").path();
        let made = path.join("cases.json");
        if path.extension().is_some_and(|e| e == "json") {
            files.push(path);
        } else if made.exists() {
            files.push(made);
        }
    }
    files.sort();
    files
}

#[test]
fn every_key_of_every_reference_case_is_reproduced() {
    let (mut faults, mut compared): (Vec<String>, usize) = (Vec::new(), 0);
    for path in files() {
        let file: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        let method = file["method"].as_str().unwrap();
        let tolerances = Tolerances::read(&file["tolerance"]).unwrap();
        for case in file["cases"].as_array().unwrap() {
            let name = format!("{method}/{}", case["id"].as_str().unwrap());
            match compute(method, &with_data_set(&file, &case["input"])) {
                Ok(obtained) => {
                    compared += leaves(&case["output"]);
                    let found = differences(&case["output"], &obtained, &tolerances);
                    faults.extend(found.iter().map(|one| format!("{name}: {one:?}")));
                }
                Err(unsupported) => faults.push(format!("{name}: {unsupported}")),
            }
        }
    }
    assert!(faults.is_empty(), "{} of {compared} values disagree:\n{}", faults.len(), faults.join("\n"));
    assert!(compared > 21_000, "only {compared} values were compared");
}

#[test]
fn every_method_has_reference_cases() {
    let with_cases: Vec<String> = files()
        .iter()
        .map(|p| {
            let file: Value = serde_json::from_str(&fs::read_to_string(p).unwrap()).unwrap();
            assert!(!file["cases"].as_array().unwrap().is_empty());
            file["method"].as_str().unwrap().to_owned()
        })
        .collect();
    for method in METHODS {
        assert!(with_cases.iter().any(|f| f == method), "no reference numbers for {method}");
    }
}

#[test]
fn results_are_the_same_from_run_to_run() {
    for path in files() {
        let file: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        for case in file["cases"].as_array().unwrap() {
            let method = file["method"].as_str().unwrap();
            let input = with_data_set(&file, &case["input"]);
            let run = || compute(method, &input).unwrap().to_string();
            assert_eq!(run(), run());
        }
    }
}

#[test]
fn every_build_carries_every_reference_file() {
    use statistics::qualification::CASE_FILES;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("reference");
    let carried: Vec<(PathBuf, &str)> = CASE_FILES.iter().map(|f| (folder.join(f.name), f.text)).collect();
    let there: Vec<(PathBuf, String)> =
        files().into_iter().map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect();
    assert_eq!(carried.len(), there.len());
    for (path, text) in there {
        assert!(carried.iter().any(|(name, own)| *name == path && *own == text), "{}", path.display());
    }
}
