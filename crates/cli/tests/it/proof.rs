//! A stranger recomputes every p-value from the written data sets with R alone.

use std::{collections::BTreeMap, fs, process::Command};

use crate::demo;

/// Analyses that base R has no functions for. Mixed models and imputations are held to `nlme` and to R scripts of their own
/// in `crates/statistics/reference`.
const BEYOND_BASE_R: [&str; 5] = ["A-P1-mmrm", "A-P1-imputed", "B-P1-mmrm", "B-P1-imputed", "B-P1-jump"];

/// Relative tolerance of a closed form.
const TOLERANCE: f64 = 1e-9;

#[test]
fn r_recomputes_the_numbers_of_both_reports() {
    let (folder, document) = demo(1);
    for study in document["studies"].as_array().unwrap() {
        let data = folder.path().join(study["id"].as_str().unwrap()).join("data");
        let output = Command::new("Rscript").arg("recompute.R").current_dir(&data).output().expect("Rscript");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let theirs = table(&String::from_utf8(output.stdout).unwrap());
        let ours = table(&fs::read_to_string(data.join("expected.csv")).unwrap());
        let p_values = ours.keys().filter(|key| key.ends_with(",p")).count();
        let wanted = study["analyses"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|analysis| analysis["p_value"].is_number())
            .filter(|analysis| !BEYOND_BASE_R.iter().any(|id| analysis["id"] == *id))
            .count();
        assert!(p_values >= wanted, "{p_values} of {wanted} p-values are in the proof");
        assert!(wanted >= 5);
        for (key, expected) in &ours {
            let obtained = theirs.get(key).unwrap_or_else(|| panic!("R gives no {key}"));
            let close = (obtained - expected).abs() <= TOLERANCE * expected.abs().max(1e-300)
                || obtained == expected
                || (obtained.is_infinite() && expected.is_infinite());
            assert!(close, "{key}: R {obtained}, ours {expected}");
        }
    }
}

/// Reads `id,key,value` lines; what is quoted is taken without its quotes.
fn table(text: &str) -> BTreeMap<String, f64> {
    text.lines()
        .skip(1)
        .filter_map(|line| {
            let line = line.replace('"', "");
            let (key, value) = line.rsplit_once(',')?;
            let value = match value {
                "Inf" | "inf" => f64::INFINITY,
                "-Inf" | "-inf" => f64::NEG_INFINITY,
                number => number.parse().ok()?,
            };
            Some((key.to_owned(), value))
        })
        .collect()
}
