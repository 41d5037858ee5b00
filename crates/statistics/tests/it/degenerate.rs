//! Inputs with nothing in them, or nothing left to estimate, reach every method.
//!
//! Each input of each reference case is replaced in turn by something degenerate.
//! The method may give numbers, reasons (`null` here) or refuse the input, but it may
//! not panic, and it may not answer with anything that is not a number.

use std::fs;
use std::panic::catch_unwind;
use std::path::Path;

use serde_json::{Value, json};
use statistics::qualification::{METHODS, compute};

use super::reference::with_data_set;

/// Degenerate stand-ins for one input.
fn variants(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(list) => {
            let first = list.first().cloned().unwrap_or(Value::Null);
            let zero = match &first {
                Value::Array(row) => json!(vec![0; row.len()]),
                Value::String(_) => json!(""),
                _ => json!(0),
            };
            vec![
                json!([]),
                json!([first]),
                Value::from(vec![first.clone(); list.len()]),
                Value::from(vec![zero; list.len()]),
                Value::from(vec![Value::Null; list.len()]),
                Value::from(list[..list.len().min(2)].to_vec()),
            ]
        }
        Value::Number(_) => {
            [0.0, 1.0, -1.0, 0.5, 2.0, 1e-300].iter().map(|v| json!(v)).chain([Value::Null]).collect()
        }
        Value::Object(fields) => {
            // All series of a data set shortened alike, or one of them replaced.
            let mut all = Vec::new();
            for length in [0, 1, 2, 3] {
                let mut short = fields.clone();
                for series in short.values_mut() {
                    if let Value::Array(list) = series {
                        list.truncate(length);
                    }
                }
                all.push(Value::Object(short));
            }
            for (name, series) in fields {
                for variant in variants(series) {
                    let mut changed = fields.clone();
                    changed.insert(name.clone(), variant);
                    all.push(Value::Object(changed));
                }
            }
            all
        }
        _ => vec![Value::Null, json!("")],
    }
}

#[test]
fn no_degenerate_input_makes_a_method_panic() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("reference");
    let (mut panicked, mut runs, mut methods) = (Vec::new(), 0, Vec::new());
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|e| e != "json") {
            continue;
        }
        let text = fs::read_to_string(&path).expect("a readable file");
        let file: Value = serde_json::from_str(&text).expect("a JSON file");
        let method = file["method"].as_str().expect("a method").to_owned();
        for case in file["cases"].as_array().expect("cases") {
            let input = with_data_set(&file, &case["input"]);
            let input = input.as_object().expect("inputs");
            // Large data sets degenerate no differently from small ones.
            let long = |column: &str| {
                let data = input.get("data").and_then(|data| data.get(column));
                data.and_then(Value::as_array).is_some_and(|column| column.len() > 100)
            };
            if text.len() > 30_000 && (long("time") || long("visit")) {
                continue;
            }
            for (name, value) in input {
                for variant in variants(value) {
                    let mut changed = input.clone();
                    changed.insert(name.clone(), variant.clone());
                    let changed = Value::Object(changed);
                    runs += 1;
                    if catch_unwind(|| compute(&method, &changed)).is_err() {
                        panicked.push(format!("{method}/{}: {name} = {variant}", case["id"]));
                    }
                }
            }
        }
        methods.push(method);
    }
    assert!(panicked.is_empty(), "{} of {runs} runs panicked:\n{}", panicked.len(), panicked.join("\n"));
    for method in METHODS {
        assert!(methods.iter().any(|m| m == method), "{method} was not tried");
    }
    assert!(runs > 1_000, "only {runs} runs");
}
