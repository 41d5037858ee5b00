//! A stranger recomputes every p-value from the written data sets with R alone.

use std::{collections::BTreeMap, fs, path::Path, process::Command};

use crate::{demo, files, root};

/// The analyses of a shipped study whose method the stranger's script knows. Mixed models and imputations are held to `nlme` and
/// to R scripts of their own in `crates/statistics/reference`.
fn recomputed(study: &str) -> Vec<String> {
    let folder = root().join("studies").join(study);
    let read = |path: &std::path::PathBuf| {
        let name = path.strip_prefix(&folder).unwrap().to_str().unwrap().to_owned();
        Some((name, fs::read_to_string(path).ok()?))
    };
    let study = protocol::compile(&files(&folder).iter().filter_map(read).collect()).unwrap().study;
    let known = study.plan.analyses.into_iter().filter(|one| analysis::is_recomputed(&one.method));
    known.map(|one| one.id.to_string()).collect()
}

/// Relative tolerance of a closed form.
const TOLERANCE: f64 = 1e-9;

#[test]
fn r_recomputes_the_numbers_of_both_reports() {
    let (folder, document) = demo(1);
    for study in document["studies"].as_array().unwrap() {
        let recomputed = recomputed(study["id"].as_str().unwrap());
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
            .filter(|analysis| recomputed.iter().any(|id| analysis["id"] == *id))
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

/// The published schema holds for both studies' results, and every id in them leads somewhere.
#[test]
fn results_of_both_studies_are_reporting_events_of_the_standard() {
    let (folder, document) = demo(1);
    let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("../exchange/tests/files");
    let events: Vec<_> = document["studies"]
        .as_array()
        .unwrap()
        .iter()
        .map(|study| folder.path().join(study["id"].as_str().unwrap()).join("results.ars.json"))
        .collect();
    assert_eq!(events.len(), 2);
    let output = Command::new("python3")
        .arg(files.join("check_ars.py"))
        .arg(files.join("ars_ldm.schema.json"))
        .args(&events)
        .output()
        .expect("python3");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
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
