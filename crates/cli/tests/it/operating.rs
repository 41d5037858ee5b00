//! Designs and small trials against independent programs and closed forms; both, with what they printed, in
//! `crates/simulation/reference`.

use serde_json::Value;

use crate::{
    root,
    simulate::{BARE, REACTIONS, copy_of, json},
};

fn lines(name: &str) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(root().join("crates/simulation/reference").join(name)).unwrap();
    text.lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

fn numbers(line: &[String]) -> Vec<f64> {
    line.iter().map(|field| field.parse().unwrap()).collect()
}

/// A campaign of 20,000 trials of one analysis of a study's copy; returns its one scenario.
fn scenario(folder: &std::path::Path, analysis: &str, sets: &[String]) -> Value {
    let mut arguments = vec!["simulate", folder.to_str().unwrap(), "--analyses", analysis];
    for set in sets {
        arguments.extend(["--set", set]);
    }
    arguments.extend(["--trials", "20000", "--json"]);
    json(&arguments)["scenarios"][0].clone()
}

const TRIALS: f64 = 20_000.0;

/// A share lies within four standard errors of another, which comes from so many trials.
fn near(found: f64, expected: f64, their_trials: f64, what: &str) {
    let room = 4.0 * (expected * (1.0 - expected) * (1.0 / TRIALS + 1.0 / their_trials)).sqrt() + 1e-4;
    assert!((found - expected).abs() < room, "{what}: {found} against {expected} (room {room:.5})");
}

fn bare(more: &[&str]) -> Vec<String> {
    let mut sets: Vec<String> = BARE.iter().map(|set| (*set).to_owned()).collect();
    sets.extend(REACTIONS.iter().map(|name| format!("reactions.{name}.share.placebo=0")));
    sets.extend(more.iter().map(|set| (*set).to_owned()));
    sets
}

/// `small_trial/power.py` has the chance that four and four lie apart, and noncentral t.
#[test]
fn campaigns_find_an_effect_as_often_as_closed_forms_say() {
    let folder = tempfile::tempdir().unwrap();
    copy_of("imatinib-controlled", folder.path(), |text| {
        let strata = "{ systemic = 0.89, cutaneous = 0.11 }";
        assert!(text.contains(strata));
        text.replace(strata, "{ systemic = 1, cutaneous = 0 }")
    });
    for line in lines("small_trial/result.csv") {
        let [analysis, participants, effect, power] = &line[..] else { panic!("{line:?}") };
        let sets =
            bare(&[&format!("sample_size={participants}"), &format!("effects.important.points={effect}")]);
        let found = scenario(folder.path(), analysis, &sets);
        let one = &found["analyses"][0];
        assert_eq!(one["analysed"].as_f64(), participants.parse().ok(), "nobody is missing");
        let power: f64 = power.parse().unwrap();
        near(one["rejection_rate"].as_f64().unwrap(), power, f64::INFINITY, &line.join(" "));
    }
}

/// `resized/simulate.py` simulates the same trials patient by patient.
#[test]
fn a_size_reckoned_anew_is_what_an_independent_program_says() {
    let folder = tempfile::tempdir().unwrap();
    copy_of("imatinib-controlled", folder.path(), |text| {
        text + r#"
        [designs."bare resized"]
        analysis   = "B-P1-change"
        review_at  = 0.5
        difference = 3.5
        power      = 0.8
        alpha      = 0.05
        most       = 80
        "#
    });
    for line in lines("resized/result.csv") {
        let [effect, better, worse, mean, sd, planned, most] = numbers(&line)[..] else { panic!("{line:?}") };
        let sets =
            bare(&["sample_size=40", &format!("effects.important.points={effect}"), "design=bare resized"]);
        let found = scenario(folder.path(), "B-P1-change", &sets);
        let decisions = &found["design"]["decisions"];
        let share = |name: &str| decisions[name]["share"].as_f64().unwrap();
        near(share("in_favour"), better, 400_000.0, "better");
        near(share("against"), worse, 400_000.0, "worse");
        let size = &found["design"]["size"];
        let (mean_found, sd_found) = (size["mean"].as_f64().unwrap(), size["sd"].as_f64().unwrap());
        assert!(
            (mean_found - mean).abs() < 4.0 * sd * (1.0_f64 / TRIALS + 1.0 / 400_000.0).sqrt(),
            "{mean_found} {mean}"
        );
        assert!((sd_found - sd).abs() < 0.03 * sd, "{sd_found} {sd}");
        assert!(planned + most < 1.0, "the size moves: {planned} {most}");
    }
}

/// `watched/simulate.py` simulates accrual, events and the boundary person by person.
#[test]
fn a_watched_trial_stops_as_often_and_as_early_as_an_independent_program_says() {
    let folder = tempfile::tempdir().unwrap();
    copy_of("imatinib-open", folder.path(), |text| {
        let (serious, related) = ("serious         = 0.17", "serious_related = 0.08");
        assert!(text.contains(serious) && text.contains(related));
        text.replace(serious, "serious = 0.5").replace(related, "serious_related = 0.15")
    });
    let sets = [
        "sample_size=30",
        "effect=inert",
        "dropout.all=0",
        "cohort.screened_per_month=0.6",
        "conduct.missed_visit=0",
        "conduct.visit_spread_days=0",
        "conduct.out_of_window=0",
        "design=watched",
    ]
    .map(str::to_owned);
    let found = scenario(folder.path(), "A-P1-main", &sets);
    let line = lines("watched/result.csv").swap_remove(0);
    let [enters, expected, mean, sd, _with_event] = numbers(&line)[..] else { panic!("{line:?}") };
    let entered = found["entered"].as_f64().unwrap() / found["screened"].as_f64().unwrap();
    assert!((entered - enters).abs() < 0.01, "of those who come {entered} enter, in the program {enters}");
    near(found["design"]["decisions"]["unsafe"]["share"].as_f64().unwrap(), expected, 40_000.0, "unsafe");
    let size = found["design"]["size"]["mean"].as_f64().unwrap();
    assert!((size - mean).abs() < 4.0 * sd * (1.0_f64 / TRIALS + 1.0 / 40_000.0).sqrt(), "{size} {mean}");
}

/// A cohort is brought near two summaries that agree with one another; of two that contradict each other a misfit is left.
#[test]
fn a_fit_reports_what_is_left_of_the_misfit_with_its_error() {
    let fit = |targets: [&str; 2]| {
        let free = "skin.course.intercept=-8..4";
        json(&[
            "fit",
            "imatinib-open",
            "--analysis",
            "A-P1-main",
            "--set",
            "effect=inert",
            "--set",
            "setting=trial",
            "--free",
            free,
            "--target",
            targets[0],
            "--target",
            targets[1],
            "--trials",
            "40",
            "--json",
        ])
    };
    let fitted = fit(["mean=-3", "share_at_most:-100=0"]);
    assert_eq!((fitted["setting"].as_str(), fitted["effect"].as_str()), (Some("trial"), Some("inert")));
    assert!(fitted["misfit"].as_f64().unwrap() < 0.02, "{fitted:#}");
    let found = &fitted["targets"][0];
    assert!((found["found"].as_f64().unwrap() + 3.0).abs() < 0.05, "{found}");
    // About 40 trials of 24 with a change that has an SD of 8 to 9.
    let error = found["mc_se"].as_f64().unwrap();
    assert!((0.2..0.4).contains(&error), "{error}");
    let torn = fit(["mean=-6", "median=1"]);
    assert!(torn["misfit"].as_f64().unwrap() > 0.3, "{torn:#}");
}

/// On the page of the two trials every simulated share and difference stands with its error, and every line with its setting.
#[test]
fn the_page_of_the_two_trials_says_how_sure_each_number_is() {
    let page = std::fs::read_to_string(root().join("docs/two-trials.md")).unwrap();
    let told =
        |line: &&str| line.starts_with("- Setting") || line.starts_with("| `") || line.contains("| `skin");
    let mut numbers = 0;
    for line in page.lines().filter(told) {
        assert!(
            line.contains("`registry`") || line.contains("`trial`") || line.contains("| `skin"),
            "{line}"
        );
        for (at, _) in line.match_indices(" %") {
            assert!(line[at..].starts_with(" % (MC SE "), "{line}");
            numbers += 1;
        }
        for (at, _) in line.match_indices(" points").filter(|_| line.starts_with("- ")) {
            let before = line[..at].chars().last().unwrap();
            // "5 points" is an input; what is found ends with its error.
            assert!(before == ')' || before == '5' || line[..at].ends_with("off by"), "{line}");
        }
    }
    assert!(numbers > 50, "{numbers}");
}
