//! The CDISC pilot, analysed again: against R, and against its study report of 2006 to the printed digits.

use std::{collections::BTreeMap, fs, path::PathBuf, sync::LazyLock};

use analysis::{Results, rounded};
use exchange::{Encoding, conform, read};
use protocol::{Study, model::DeclaredData};
use serde_json::Value as Json;

/// The plan with its results, computed once.
pub static RUN: LazyLock<(Study, Results)> = LazyLock::new(run);

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples/cdisc-pilot")
}

fn run() -> (Study, Results) {
    let plan = fs::read_to_string(folder().join("analysis.toml")).unwrap();
    let files = BTreeMap::from([("analysis.toml".to_owned(), plan)]);
    let study = protocol::compile_plan(&files).unwrap_or_else(|errors| panic!("{errors:?}")).study;
    let set = |declared: &DeclaredData| {
        let file = format!("{}.dsjc", declared.name);
        let bytes = fs::read(folder().join("data").join(&file)).unwrap();
        conform(&read(&file, &bytes, Encoding::Utf8).unwrap(), declared).unwrap()
    };
    let data = datasets::from_elsewhere(&study.plan, study.plan.data.iter().map(set).collect());
    let results = analysis::run(&study.plan, &study.arms, &study.facts, &data).unwrap();
    (study, results)
}

fn number(id: &str) -> f64 {
    let results = &RUN.1;
    let number = results.number(id).unwrap_or_else(|| panic!("there is no number {id}"));
    number.value.unwrap_or_else(|| panic!("{id}: {:?}", number.not_estimable))
}

#[test]
fn r_finds_every_number_of_the_tables() {
    // Closed forms; R's Fisher test of larger tables sums in another order.
    const TOLERANCE: f64 = 1e-9;
    let expected = fs::read_to_string(folder().join("check/expected.csv")).unwrap();
    let mut compared = 0;
    // The other scale's limits were computed to see which scale the report has.
    for line in expected.lines().skip(1).filter(|line| !line.starts_with("\"figure-14-1-log-log/")) {
        let (id, value) = line.rsplit_once(',').unwrap();
        let id = id.trim_matches('"');
        if value == "NE" {
            let number = RUN.1.number(id).unwrap_or_else(|| panic!("there is no number {id}"));
            assert_eq!(number.value, None, "{id}");
            continue;
        }
        let (value, ours): (f64, f64) = (value.parse().unwrap(), number(id));
        assert!((ours - value).abs() <= TOLERANCE * value.abs().max(1e-6), "{id}: R {value}, ours {ours}");
        compared += 1;
    }
    assert!(compared > 3000, "{compared} numbers were compared");
}

const ARMS: [&str; 3] = ["Placebo", "Xanomeline Low Dose", "Xanomeline High Dose"];

/// Compares a number with one that the report prints, to the digits that it prints.
fn printed(target: &Json, id: &str) {
    let text = target.to_string();
    let decimals = text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let ours = rounded(number(id), u32::try_from(decimals).unwrap());
    let same = ours == text || ours.parse::<f64>().ok() == target.as_f64();
    assert!(same, "{id}: the report prints {text}, ours is {ours} ({})", number(id));
}

fn by_arm(targets: &Json, id: impl Fn(&str) -> String) {
    for (target, arm) in targets.as_array().unwrap().iter().zip(ARMS) {
        printed(target, &id(arm));
    }
}

#[test]
fn the_study_report_is_reproduced_to_the_printed_digits() {
    let text = fs::read_to_string(folder().join("check/csr_targets.json")).unwrap();
    let document: Json = serde_json::from_str(&text).unwrap();
    for target in document["targets"].as_array().unwrap() {
        let values = &target["values"];
        match target["id"].as_str().unwrap() {
            "T1" => {
                by_arm(&values["EFF"], |arm| format!("14-1.01-efffl/count[{arm}][Y]"));
                by_arm(&values["COMP24"], |arm| format!("14-1.01-comp24fl/count[{arm}][Y]"));
            }
            "T2" => {
                assert_eq!(values["p_completion"], "<.0001");
                assert!(number("14-1.02-completed/p") < 0.0001);
                by_arm(&values["ae_term"], |arm| format!("14-1.02-adverse-event/events[{arm}]"));
                printed(&values["p_lack_eff"], "14-1.02-lack-of-efficacy/p");
            }
            "T3" => {
                by_arm(&values["mean"], |arm| format!("14-2.01-age/mean[{arm}]"));
                by_arm(&values["sd"], |arm| format!("14-2.01-age/sd[{arm}]"));
                printed(&values["p_age"], "14-2.01-age/p");
                by_arm(&values["F"], |arm| format!("14-2.01-sex/count[{arm}][F]"));
                printed(&values["p_sex"], "14-2.01-sex/p");
            }
            "T5" => {
                by_arm(&values["n"], |arm| format!("14-3.01/n[{arm}]"));
                by_arm(&values["chg_mean"], |arm| format!("14-3.01-change/mean[{arm}]"));
                by_arm(&values["chg_sd"], |arm| format!("14-3.01-change/sd[{arm}]"));
                printed(&values["p_dose"], "14-3.01-dose/slope_p[TRTPN]");
                for (key, one, other) in [("low_pbo", 1, 0), ("high_pbo", 2, 0), ("high_low", 2, 1)] {
                    let id = |what: &str| format!("14-3.01/{what}[{}][{}]", ARMS[one], ARMS[other]);
                    printed(&values[key]["diff"], &id("difference"));
                    printed(&values[key]["se"], &id("se"));
                    printed(&values[key]["ci"][0], &id("lower"));
                    printed(&values[key]["ci"][1], &id("upper"));
                    printed(&values[key]["p"], &id("p"));
                }
            }
            // The report's table says week 24 and prints the effect averaged over the visits. Its p-values come
            // from other degrees of freedom or an earlier state of the data.
            "T7" => {
                by_arm(&values["lsm"], |arm| format!("14-3.11/average_mean[{arm}]"));
                for (key, one) in [("low_pbo", 1), ("high_pbo", 2)] {
                    let id = |what: &str| format!("14-3.11/{what}[{}][{}]", ARMS[one], ARMS[0]);
                    printed(&values[key]["diff"], &id("average_difference"));
                    printed(&values[key]["se"], &id("average_se"));
                }
            }
            "T9" => {
                by_arm(&values["avgdd"], |arm| format!("14-4.01-daily/mean[{arm}]"));
                by_arm(&values["cum"], |arm| format!("14-4.01-cumulative/mean[{arm}]"));
            }
            "T10" => {
                by_arm(&values["n"], |arm| format!("14-5.01/participants[{arm}]"));
                by_arm(&values["events"], |arm| format!("14-5.01/events[{arm}]"));
                for (target, arm) in values["p"].as_array().unwrap().iter().zip(&ARMS[1..]) {
                    printed(target, &format!("14-5.01-fisher/p[{arm}]"));
                }
            }
            other => panic!("target {other} is held to nothing"),
        }
    }
}

/// `check/mixed_model.R` fits the model with nlme's `gls`; errors and degrees of freedom of Kenward and Roger are not nlme's.
#[test]
fn the_mixed_model_has_the_contrasts_of_week_24_that_nlme_finds() {
    assert_eq!(number("14-3.11/n"), 234.0);
    let text = fs::read_to_string(folder().join("check/mixed_model.csv")).unwrap();
    let mut compared = 0;
    for line in
        text.lines().filter(|line| !line.contains("/se[") && !line.contains("_se[") && !line.contains('#'))
    {
        let (id, nlme) = line.rsplit_once(',').unwrap();
        let (nlme, ours): (f64, f64) = (nlme.parse().unwrap(), number(id.trim_matches('"')));
        // nlme stops its search before ours: at the fifth digit, where -2 log-likelihood has its tenth.
        assert!((ours - nlme).abs() < 2e-5 * nlme.abs().max(1.0), "{id}: nlme {nlme}, ours {ours}");
        compared += 1;
    }
    assert_eq!(compared, 8);
}

#[test]
fn halves_are_printed_away_from_zero_as_the_report_does() {
    for (id, text) in [
        ("14-2.01-duration/mean[Placebo]", "42.7"),
        ("14-2.01-duration/median[Xanomeline Low Dose]", "40.3"),
        ("14-2.01-duration/median[Xanomeline High Dose]", "36.0"),
    ] {
        assert_eq!(rounded(number(id), 1), text, "{id}");
    }
}
