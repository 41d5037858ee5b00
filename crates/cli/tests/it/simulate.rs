//! Campaigns as their users run them: threads, shards, refusals, and numbers against an independent program.

use std::path::Path;

use serde_json::Value;

use crate::{root, run};

fn json(arguments: &[&str]) -> Value {
    let output = run(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("one JSON document")
}

/// A campaign's document without what depends on the machine.
fn without_timings(mut document: Value) -> Value {
    let fields = document.as_object_mut().unwrap();
    for timing in ["threads", "seconds", "trials_per_second"] {
        assert!(fields.remove(timing).is_some(), "{timing}");
    }
    document
}

const CAMPAIGN: [&str; 9] = [
    "simulate",
    "imatinib-controlled",
    "--analyses",
    "B-P1-main,B-P1-change",
    "--trials",
    "1000",
    "--seed",
    "1",
    "--json",
];

#[test]
fn threads_and_shards_change_nothing_but_the_timings() {
    let with = |more: &[&str]| json(&[&CAMPAIGN[..], more].concat());
    let one = without_timings(with(&["--threads", "1"]));
    assert_eq!(one, without_timings(with(&["--threads", "2"])));

    let folder = tempfile::tempdir().unwrap();
    let paths: Vec<String> = (1..=10)
        .map(|index| folder.path().join(format!("{index}.json")).to_str().unwrap().to_owned())
        .collect();
    for (index, path) in paths.iter().enumerate() {
        with(&["--shard", &format!("{}/10", index + 1), "--out", path]);
    }
    let mut merge = vec!["simulate", "merge", "--json"];
    merge.extend(paths.iter().rev().map(String::as_str));
    assert_eq!(one, without_timings(json(&merge)));
    refuses_what_does_not_tile(&paths);
}

fn refuses_what_does_not_tile(paths: &[String]) {
    let told = |parts: &[&str]| {
        let output = run(&[&["simulate", "merge"], parts].concat());
        assert_eq!(output.status.code(), Some(1), "{parts:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let all: Vec<&str> = paths.iter().map(String::as_str).collect();
    assert!(told(&all[1..]).contains("shard 1/10 is missing"));
    assert!(told(&all[..9]).contains("shard 10/10 is missing"));
    assert!(told(&[&all[..], &all[3..4]].concat()).contains("shard 4/10 is there twice"));
    let altered = Path::new(all[0]).with_file_name("altered.json");
    let mut part: Value = serde_json::from_str(&std::fs::read_to_string(all[0]).unwrap()).unwrap();
    part["campaign"]["seed"] = 2.into();
    std::fs::write(&altered, part.to_string()).unwrap();
    let with_altered = [&[altered.to_str().unwrap()], &all[1..]].concat();
    assert!(told(&with_altered).contains("seeds"));
}

#[test]
fn the_document_holds_what_programs_read() {
    let document = json(&CAMPAIGN);
    assert_eq!(document["trials"], 1000);
    assert_eq!(document["failed_fits"], 0);
    let analysis = &document["scenarios"][0]["analyses"][0];
    assert_eq!(analysis["id"], "B-P1-main");
    let rate = analysis["rejection_rate"].as_f64().unwrap();
    let se = analysis["mc_se"].as_f64().unwrap();
    assert!((se - (rate * (1.0 - rate) / 1000.0).sqrt()).abs() < 1e-12);
    let coverage = analysis["coverage"].as_f64().unwrap();
    // An exact interval of 95 % with ties is conservative; five standard errors below it.
    assert!(coverage > 0.95 - 5.0 * (0.95_f64 * 0.05 / 1000.0).sqrt(), "{coverage}");
    assert!(analysis["mean_estimate"].is_number());
}

#[test]
fn an_exact_test_keeps_its_level_where_the_arms_are_alike() {
    let mut campaign = CAMPAIGN.to_vec();
    campaign[5] = "4000";
    campaign.extend(["--set", "effect=inert", "--set", "dropout.all=0.2"]);
    let document = json(&campaign);
    let analysis = &document["scenarios"][0]["analyses"][0];
    let (rate, se) = (analysis["rejection_rate"].as_f64().unwrap(), analysis["mc_se"].as_f64().unwrap());
    assert!(rate <= 0.05 + 4.0 * se, "{rate} ({se})");
    let (mean, truth) = (&analysis["mean_estimate"], &analysis["true_value"]);
    assert!((mean.as_f64().unwrap() - truth.as_f64().unwrap()).abs() < 0.01, "{mean} {truth}");
}

/// `crates/simulation/reference/one_arm_inert/simulate.R` knows the inputs, and nothing of the program.
#[test]
fn an_inert_drug_improves_a_one_arm_trial_as_often_as_an_independent_program_says() {
    let path = root().join("crates/simulation/reference/one_arm_inert/result.csv");
    let text = std::fs::read_to_string(path).unwrap();
    for line in text.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let number = |place: usize| fields[place].parse::<f64>().unwrap();
        let (expected, expected_se, mean, completers) = (number(1), number(2), number(3), number(5));
        let setting = format!("setting={}", fields[0]);
        let sets = ["--set", "effect=inert", "--set", &setting, "--trials", "20000", "--json"];
        let document = json(&[&["simulate", "imatinib-open", "--analyses", "A-P1-main"], &sets[..]].concat());
        let analysis = &document["scenarios"][0]["analyses"][0];
        let found = |name: &str| analysis[name].as_f64().unwrap();
        let se = (found("mc_se").powi(2) + expected_se.powi(2)).sqrt();
        let rate = found("rejection_rate_below");
        // Four standard errors, and a tenth of a point of percent for what the independent model leaves out.
        assert!((rate - expected).abs() < 4.0 * se + 0.001, "{setting}: {rate} against {expected}");
        assert!((found("mean_estimate") - mean).abs() < 0.05, "{setting}: mean change");
        assert!((found("analysed") - completers).abs() < 0.1, "{setting}: completers");
    }
}

#[test]
fn what_can_t_be_simulated_is_named() {
    let told = |arguments: &[&str]| {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let of = |more: &[&'static str]| [&["simulate", "imatinib-controlled"], more].concat();
    assert!(told(&of(&["--analyses", "B-P9"])).contains("the plan has no analysis `B-P9`"));
    assert!(told(&of(&["--analyses", "base-age"])).contains("can't be simulated on the fast path"));
    assert!(told(&of(&["--set", "sample_size=none"])).contains("write a whole number"));
    assert!(told(&of(&["--set", "skin.colour=2"])).contains("no input `skin.colour`"));
    assert!(told(&of(&["--set", "setting=clinic"])).contains("registry or trial"));
}

#[test]
fn a_search_finds_the_fewest_participants() {
    let document = json(&[
        "simulate",
        "imatinib-controlled",
        "--analyses",
        "B-P1-main",
        "--goal",
        "0.8",
        "--between",
        "20,120",
        "--set",
        "effect=important",
        "--trials",
        "500",
        "--json",
    ]);
    let size = document["sample_size"].as_u64().unwrap();
    let tried = document["tried"].as_array().unwrap();
    let rate = |size: u64| {
        tried.iter().find(|one| one["sample_size"] == size).map(|one| one["rejection_rate"].as_f64().unwrap())
    };
    assert!(rate(size).unwrap() >= 0.8);
    assert!(rate(size - 1).is_none_or(|rate| rate < 0.8));
}

#[test]
fn the_explorer_is_one_file_with_its_grid() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("explore.html");
    let output = run(&[
        "explore",
        "imatinib-controlled",
        "--out",
        page.to_str().unwrap(),
        "--trials",
        "20",
        "--sizes",
        "20,40",
        "--points=-5,0",
        "--dropout",
        "0.2",
    ]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = std::fs::read_to_string(page).unwrap();
    assert!(text.contains("\"sizes\":[20,40]") && !text.contains("/*GRID*/"));
    assert!(
        !text.contains("http://")
            || text.matches("http://").count() == text.matches("http://www.w3.org").count()
    );
}

/// Minutes on two processors, so only in the full campaign.
#[test]
#[expect(clippy::disallowed_methods, reason = "a test may be told to run longer")]
fn the_page_of_the_two_trials_is_what_the_program_writes() {
    if std::env::var("EQUIPOISE_CAMPAIGN").as_deref() != Ok("full") {
        return;
    }
    let page = std::fs::read_to_string(root().join("docs/two-trials.md")).unwrap();
    let output = run(&["simulate", "story", "--trials", "4000", "--seed", "1"]);
    assert!(output.status.success());
    assert_eq!(page, String::from_utf8(output.stdout).unwrap());
}
