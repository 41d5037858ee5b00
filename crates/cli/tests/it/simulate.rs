//! Campaigns as their users run them: threads, shards, refusals, and numbers against an independent program.

use std::path::Path;

use serde_json::Value;
use statistics::distribution::normal_cdf;

use crate::{root, run};

/// Runs the program and reads its one document.
pub fn json(arguments: &[&str]) -> Value {
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

/// `crates/simulation/reference/survival/simulate.R` knows the inputs of the example, and nothing of the program. The events
/// that Schoenfeld's formula asks for are as many as the power that is found needs.
#[test]
fn a_log_rank_test_rejects_as_often_as_an_independent_program_says() {
    let text =
        std::fs::read_to_string(root().join("crates/simulation/reference/survival/result.csv")).unwrap();
    let example = root().join("examples/time-to-event");
    let sets =
        |ratio: &str| ["relapse", "death"].map(|hazard| format!("hazards.{hazard}.ratio.active={ratio}"));
    for line in text.lines().skip(1) {
        let number: Vec<f64> = line.split(',').map(|field| field.parse().unwrap()).collect();
        let [ratio, trials, rejects, mean, sd, events, covers] = number[..] else { panic!("{line}") };
        let [relapse, death] = sets(&ratio.to_string());
        let mut asked = vec!["simulate", example.to_str().unwrap(), "--analyses", "P1-main"];
        asked.extend(["--set", &relapse, "--set", &death, "--trials", "6000", "--json"]);
        let document = json(&asked);
        let analysis = &document["scenarios"][0]["analyses"][0];
        let found = |name: &str| analysis[name].as_f64().unwrap();
        // Four standard errors of the difference of two shares or means.
        let share_se = |share: f64| (share * (1.0 - share) * (1.0 / trials + 1.0 / 6000.0)).sqrt();
        let rate = found("rejection_rate");
        assert!((rate - rejects).abs() < 4.0 * share_se(rejects), "{ratio}: {rate} against {rejects}");
        let coverage = found("coverage");
        assert!((coverage - covers).abs() < 4.0 * share_se(covers), "{ratio}: {coverage} against {covers}");
        let mean_se = sd * (1.0 / trials + 1.0 / 6000.0).sqrt();
        let estimate = found("mean_estimate");
        assert!((estimate - mean).abs() < 4.0 * mean_se, "{ratio}: {estimate} against {mean}");
        // The true value is that of very many participants.
        assert!((found("true_value") - ratio.ln()).abs() < 0.01, "{ratio}: {}", found("true_value"));
        // Schoenfeld: the test's statistic is about normal with mean ln(ratio) times the root of events over 4, and
        // its power that of a normal test; the hazards are proportional and the arms as large as each other.
        let shift = ratio.ln().abs() * (events / 4.0).sqrt();
        let power = normal_cdf(shift - 1.959_964) + normal_cdf(-shift - 1.959_964);
        assert!((rate - power).abs() < 0.02, "{ratio}: {rate} against {power} by Schoenfeld");
    }
}

/// Everything of the randomised study switched off but the error of measurement and the drug's effect.
pub const BARE: [&str; 17] = [
    "sample_size=60",
    "effect=important",
    "effects.important.month=3",
    "effects.important.toxic=false",
    "skin.start.mean=36",
    "skin.start.sd=0",
    "skin.error_same_observer=3.5",
    "skin.error_new_observer=3.5",
    "skin.course.intercept=0",
    "skin.course.per_point=0",
    "skin.course.per_month=0",
    "skin.settings.registry=0",
    "dropout.all=0",
    "conduct.missed_visit=0",
    "conduct.form_not_done=0",
    "conduct.correction=0",
    "conduct.visit_spread_days=0",
];

/// Reactions of the randomised study.
pub const REACTIONS: [&str; 9] =
    ["oedema", "nausea", "fatigue", "cpk_rise", "cramps", "diarrhoea", "rash", "cytopenia", "alt_rise"];

/// Copies a shipped study into a folder, its virtual cohort edited.
pub fn copy_of(study: &str, folder: &Path, edit: impl Fn(String) -> String) {
    let from = root().join("studies").join(study);
    std::fs::create_dir_all(folder.join("forms")).unwrap();
    for part in ["", "forms"] {
        for entry in std::fs::read_dir(from.join(part)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                std::fs::copy(&path, folder.join(part).join(path.file_name().unwrap())).unwrap();
            }
        }
    }
    let path = folder.join("virtual.toml");
    let text = edit(std::fs::read_to_string(&path).unwrap());
    std::fs::write(path, text).unwrap();
}

/// `crates/simulation/reference/sequential/simulate.py` simulates the same trials patient by patient.
#[test]
fn looks_decide_as_often_as_an_independent_program_says() {
    let folder = tempfile::tempdir().unwrap();
    copy_of("imatinib-controlled", folder.path(), |text| {
        text + r#"
        [designs."bare fixed"]
        analysis = "B-P1-change"
        looks = [1]

        [designs."bare three looks"]
        analysis = "B-P1-change"
        looks = [0.5, 0.75, 1]
        futility = [0.5, 0.3]
        "#
    });
    let text =
        std::fs::read_to_string(root().join("crates/simulation/reference/sequential/result.csv")).unwrap();
    let rows: Vec<Vec<&str>> = text.lines().skip(1).map(|line| line.split(',').collect()).collect();
    for (design, points) in
        [("fixed", "0.0"), ("fixed", "-3.0"), ("three looks", "0.0"), ("three looks", "-3.0")]
    {
        let mut arguments = vec!["simulate", folder.path().to_str().unwrap(), "--analyses", "B-P1-change"];
        let mut sets: Vec<String> = BARE.iter().map(|set| (*set).to_owned()).collect();
        sets.extend(REACTIONS.iter().map(|name| format!("reactions.{name}.share.placebo=0")));
        sets.push(format!("effects.important.points={points}"));
        sets.push(format!("design=bare {design}"));
        for set in &sets {
            arguments.extend(["--set", set]);
        }
        arguments.extend(["--trials", "20000", "--json"]);
        let document = json(&arguments);
        let looks = document["scenarios"][0]["design"]["looks"].as_array().unwrap();
        for row in rows.iter().filter(|row| row[0] == design && row[1] == points) {
            let look = &looks[row[2].parse::<usize>().unwrap() - 1];
            for (decision, place) in [("in_favour", 3), ("against", 4), ("futile", 5), ("open", 6)] {
                let (found, expected) =
                    (look[decision]["share"].as_f64().unwrap(), row[place].parse::<f64>().unwrap());
                // Four standard errors of 20,000 trials and of the program's 400,000.
                let se = (expected * (1.0 - expected) * (1.0 / 20_000.0 + 1.0 / 400_000.0)).sqrt();
                let room = 4.0 * se + 1e-4;
                assert!((found - expected).abs() < room, "{design} {points} {row:?} {decision}: {found}");
            }
        }
    }
}

fn binomial(k: u32, n: u32, p: f64) -> f64 {
    let ways: f64 = (0..k).map(|i| f64::from(n - i) / f64::from(k - i)).product();
    ways * p.powi(k as i32) * (1.0 - p).powi((n - k) as i32)
}

#[test]
fn two_stages_decide_as_often_as_counting_all_outcomes_says() {
    let sets = ["effect=inert", "dropout.all=0", "conduct.missed_visit=0", "conduct.form_not_done=0"];
    let mut arguments = vec!["simulate", "imatinib-open", "--analyses", "A-E5-points", "--json"];
    for set in sets.iter().chain(&["design=two stages"]) {
        arguments.extend(["--set", set]);
    }
    arguments.extend(["--trials", "20000"]);
    let document = json(&arguments);
    let scenario = &document["scenarios"][0];
    // The share of responders among the pooled participants of other trials.
    let p = scenario["analyses"][0]["true_value"].as_f64().unwrap() / 100.0;
    let stops: f64 = (0..=1).map(|k| binomial(k, 10, p)).sum();
    let follows: f64 = (2..=10_u32)
        .map(|first| {
            let enough = (0..=20_u32).filter(|second| first + second > 5);
            binomial(first, 10, p) * enough.map(|second| binomial(second, 20, p)).sum::<f64>()
        })
        .sum();
    let found = |decision: &str| scenario["design"]["decisions"][decision]["share"].as_f64().unwrap();
    // The standard error of p among 60,000 is 0.002, and moves either chance by less than thrice that.
    assert!((found("futile") - stops).abs() < 0.02, "{} {stops}", found("futile"));
    assert!((found("in_favour") - follows).abs() < 0.02, "{} {follows}", found("in_favour"));
    let size = scenario["design"]["size"]["mean"].as_f64().unwrap();
    assert!(size <= 30.0 && size >= 10.0 * stops + 30.0 * (1.0 - stops), "{size}");
}

#[test]
fn designs_share_the_same_virtual_trials_and_merge() {
    let campaign = [
        "simulate",
        "imatinib-controlled",
        "--analyses",
        "B-P1-main",
        "--scenario",
        "as recruited,twice as many and three looks",
        "--trials",
        // More than a block, which is what threads share out; a part is less than one.
        "300",
        "--json",
    ];
    let whole = without_timings(json(&[&campaign[..], &["--threads", "2"]].concat()));
    assert_eq!(whole["scenarios"].as_array().unwrap().len(), 2);
    let looked_at = &whole["scenarios"][1];
    let decisions = looked_at["design"]["decisions"].as_object().unwrap();
    let all: f64 = decisions.values().map(|one| one["share"].as_f64().unwrap()).sum();
    assert!((all - 1.0).abs() < 1e-12);
    let main = looked_at["analyses"].as_array().unwrap().iter().find(|one| one["id"] == "B-P1-main").unwrap();
    let rejects =
        decisions["in_favour"]["share"].as_f64().unwrap() + decisions["against"]["share"].as_f64().unwrap();
    assert!((main["rejection_rate"].as_f64().unwrap() - rejects).abs() < 1e-12);
    assert!(looked_at["design"]["size"]["mean"].as_f64().unwrap() <= 68.0);
    let folder = tempfile::tempdir().unwrap();
    let mut merge = vec!["simulate".to_owned(), "merge".to_owned(), "--json".to_owned()];
    for index in 1..=2 {
        let path = folder.path().join(format!("{index}.json")).to_str().unwrap().to_owned();
        json(&[&campaign[..], &["--shard", &format!("{index}/2"), "--out", &path]].concat());
        merge.push(path);
    }
    let merge: Vec<&str> = merge.iter().map(String::as_str).collect();
    assert_eq!(whole, without_timings(json(&merge)));
}

#[test]
fn a_watched_trial_stops_when_the_drug_is_toxic() {
    let unsafe_share = |set: &str| {
        let sets = ["--set", "design=watched", "--set", set, "--trials", "2000", "--json"];
        let document = json(&[&["simulate", "imatinib-open", "--analyses", "A-P1-main"], &sets[..]].concat());
        let course = &document["scenarios"][0]["course"];
        assert!(course["serious_events"]["mc_se"].as_f64().unwrap() > 0.0);
        document["scenarios"][0]["design"]["decisions"]["unsafe"]["share"].as_f64().unwrap()
    };
    let (inert, toxic) = (unsafe_share("effect=inert"), unsafe_share("effect=none"));
    assert!(inert < toxic, "{inert} {toxic}");
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
