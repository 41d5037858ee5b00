//! Every key of every case of the reference files, under each file's own tolerance.
//!
//! A file is `{method, tool, tolerance, cases: [{id, call, input, output}]}`. A number
//! agrees when `|obtained - expected| <= max(abs, rel * |expected|)`, where `per_key`
//! overrides by the last part of the key. An unknown method or key is a failure.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use statistics::qualification::{METHODS, compute};

#[derive(Clone, Copy)]
struct Tolerance {
    rel: f64,
    abs: f64,
}

struct Check<'a> {
    overall: Tolerance,
    per_key: Option<&'a serde_json::Map<String, Value>>,
    compared: usize,
    faults: Vec<String>,
}

fn tolerance_of(value: &Value, otherwise: Tolerance) -> Tolerance {
    let get = |name: &str, otherwise| value.get(name).and_then(Value::as_f64).unwrap_or(otherwise);
    Tolerance { rel: get("rel", otherwise.rel), abs: get("abs", otherwise.abs) }
}

impl Check<'_> {
    /// `key` is the last name on the way here, `path` the whole way.
    fn compare(&mut self, path: &str, key: &str, expected: &Value, obtained: &Value) {
        match (expected, obtained) {
            (Value::Object(expected), Value::Object(obtained)) => {
                for (name, value) in expected {
                    let path = format!("{path}.{name}");
                    match obtained.get(name) {
                        Some(found) => self.compare(&path, name, value, found),
                        None => self.faults.push(format!("{path}: unsupported key")),
                    }
                }
            }
            (Value::Array(expected), Value::Array(obtained)) => {
                if expected.len() != obtained.len() {
                    let lengths = format!("{} expected, {} obtained", expected.len(), obtained.len());
                    self.faults.push(format!("{path}: {lengths}"));
                    return;
                }
                for (i, (e, o)) in expected.iter().zip(obtained).enumerate() {
                    self.compare(&format!("{path}[{i}]"), key, e, o);
                }
            }
            (Value::Number(e), Value::Number(o)) => {
                let (e, o) = (e.as_f64().expect("a number"), o.as_f64().expect("a number"));
                let tolerance = self
                    .per_key
                    .and_then(|p| p.get(key))
                    .map_or(self.overall, |v| tolerance_of(v, self.overall));
                self.compared += 1;
                if (o - e).abs() > tolerance.abs.max(tolerance.rel * e.abs()) {
                    self.faults.push(format!("{path}: expected {e:?}, obtained {o:?}"));
                }
            }
            (e, o) => {
                self.compared += 1;
                if e != o {
                    self.faults.push(format!("{path}: expected {e}, obtained {o}"));
                }
            }
        }
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
    let (mut faults, mut compared) = (Vec::new(), 0);
    for path in files() {
        let file: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        let method = file["method"].as_str().unwrap();
        let mut check = Check {
            overall: tolerance_of(&file["tolerance"], Tolerance { rel: 1e-9, abs: 0.0 }),
            per_key: file["tolerance"]["per_key"].as_object(),
            compared: 0,
            faults: Vec::new(),
        };
        for case in file["cases"].as_array().unwrap() {
            let name = format!("{method}/{}", case["id"].as_str().unwrap());
            match compute(method, &with_data_set(&file, &case["input"])) {
                Ok(obtained) => check.compare(&name, "", &case["output"], &obtained),
                Err(unsupported) => check.faults.push(format!("{name}: {unsupported}")),
            }
        }
        compared += check.compared;
        faults.append(&mut check.faults);
    }
    assert!(faults.is_empty(), "{} of {compared} values disagree:\n{}", faults.len(), faults.join("\n"));
    assert!(compared > 19_000, "only {compared} values were compared");
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
