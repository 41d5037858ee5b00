//! Every reference case of every instrument, key by key.

use std::{fs, path::Path};

use instruments::qualification::{self, Difference, compute, differences};
use serde_json::{Value, json};

/// The reference files, by name.
fn files() -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors");
    let mut paths = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect::<Vec<_>>();
    paths.sort();
    let read = |path: &Path| serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    paths.iter().map(|path| (path.file_stem().unwrap().to_string_lossy().into_owned(), read(path))).collect()
}

/// Each case of a file: id, inputs, expected outputs.
fn cases(file: &Value) -> impl Iterator<Item = (&str, &Value, &Value)> {
    let cases = file["vectors"].as_array().unwrap();
    cases.iter().map(|case| (case["id"].as_str().unwrap(), &case["in"], &case["out"]))
}

fn found(file: &Value, input: &Value, expected: &Value) -> Vec<Difference> {
    let obtained = compute(file["instrument"].as_str().unwrap(), input).unwrap();
    differences(expected, &obtained, file["tolerance_abs"].as_f64().unwrap())
}

#[test]
fn every_reference_case_is_met_in_every_key() {
    let files = files();
    assert_eq!(files.len(), 22);
    for (name, file) in &files {
        assert_eq!(file["instrument"], json!(name));
        assert!(qualification::instruments().any(|known| known == name), "{name}");
        assert_eq!(cases(file).count(), 24, "{name}");
        for (id, input, expected) in cases(file) {
            assert_eq!(found(file, input, expected), [], "{id}");
        }
    }
}

/// Moves every number of a value, one at a time, by more than the tolerance; and every other leaf.
fn altered(value: &Value) -> Vec<(String, Value)> {
    match value {
        Value::Object(map) => map
            .iter()
            .flat_map(|(key, inner)| altered(inner).into_iter().map(move |(path, inner)| (key, path, inner)))
            .map(|(key, path, inner)| {
                let mut copy = map.clone();
                copy.insert(key.clone(), inner);
                let separator = if path.is_empty() || path.starts_with('[') { "" } else { "." };
                (format!("{key}{separator}{path}"), Value::Object(copy))
            })
            .collect(),
        Value::Array(list) => (0..list.len())
            .flat_map(|index| {
                altered(&list[index]).into_iter().map(move |(path, inner)| (index, path, inner))
            })
            .map(|(index, path, inner)| {
                let mut copy = list.clone();
                copy[index] = inner;
                (format!("[{index}]{path}"), Value::Array(copy))
            })
            .collect(),
        Value::Number(number) => vec![(String::new(), json!(number.as_f64().unwrap() + 1e-5))],
        Value::Bool(holds) => vec![(String::new(), json!(!holds))],
        Value::Null => vec![(String::new(), json!(0))],
        Value::String(text) => vec![(String::new(), json!(format!("not {text}")))],
    }
}

#[test]
fn a_case_altered_in_one_place_fails_and_is_named() {
    for (name, file) in &files() {
        let mut changes = 0;
        for (id, input, expected) in cases(file) {
            for (field, altered) in altered(expected) {
                let found = found(file, input, &altered);
                assert_eq!(found.iter().map(|one| one.field.as_str()).collect::<Vec<_>>(), [field], "{id}");
                changes += 1;
            }
        }
        assert!(changes >= 24, "{name}");
    }
}

#[test]
fn an_input_key_that_is_not_known_is_unsupported_in_every_instrument() {
    for (name, file) in &files() {
        let (id, input, _) = cases(file).next().unwrap();
        let mut input = input.clone();
        input["something_else"] = json!(1);
        assert!(compute(name, &input).is_err(), "{id}");
    }
}

#[test]
fn an_expected_key_that_is_not_known_has_no_obtained_value() {
    for (_, file) in &files() {
        let (id, input, expected) = cases(file).next().unwrap();
        let mut expected = expected.clone();
        expected["something_else"] = Value::Null;
        let found = found(file, input, &expected);
        assert_eq!(found.len(), 1, "{id}");
        assert_eq!(found[0].obtained, None, "{id}");
    }
}

#[test]
fn ages_outside_a_reference_set_have_no_value_at_all() {
    let person = |age: f64, extra: Value| {
        let mut input = json!({"sex": "F", "age_y": age, "height_cm": 160, "value": 3.0});
        input.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        input
    };
    let sets = [
        ("gli2012", json!({"param": "FVC", "ethnicity": "white"}), 3.0, 95.0),
        ("gli2022", json!({"param": "FVC"}), 3.0, 95.0),
        ("gli2017_dlco", json!({"param": "DLCO"}), 5.0, 90.0),
        ("gli2021_volumes", json!({"param": "TLC"}), 5.0, 80.0),
        ("nhanes3", json!({"param": "FVC", "ethnicity": "white"}), 8.0, 80.0),
        ("crapo", json!({"param": "FVC"}), 17.0, 84.0),
    ];
    for (set, extra, from, to) in sets {
        for age in [from, to] {
            let out = compute(set, &person(age, extra.clone())).unwrap();
            assert!(out["pct_pred"].is_number(), "{set} at {age}");
        }
        for age in [from - 0.01, to + 0.01] {
            let out = compute(set, &person(age, extra.clone())).unwrap();
            assert!(out.as_object().unwrap().values().all(Value::is_null), "{set} at {age}: {out}");
        }
    }
}

#[test]
fn every_build_carries_every_case_file() {
    use instruments::qualification::CASE_FILES;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors");
    let mut there: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".json"))
        .collect();
    there.sort();
    assert_eq!(CASE_FILES.iter().map(|file| file.name).collect::<Vec<_>>(), there);
    for file in CASE_FILES {
        assert_eq!(file.text, std::fs::read_to_string(folder.join(file.name)).unwrap(), "{}", file.name);
    }
}

/// Cases by an independent program, with values on every cut and answers missing at the limit of every rule.
#[test]
fn an_independent_computation_in_python_agrees_at_the_edges() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("reference/against_python/cases.json");
    let files: Vec<Value> = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let mut compared = 0;
    for file in &files {
        for (id, input, expected) in cases(file) {
            assert_eq!(found(file, input, expected), [], "{id}");
            compared += 1;
        }
    }
    assert!(files.len() >= 20 && compared > 600, "{compared} cases of {} instruments", files.len());
}
