//! What a campaign prints: a table for a person, a document for a program.

use serde_json::{Value, json};
use simulation::campaign::{Characteristics, Course, DECISIONS, DesignTally, Mean, Share};

use super::{Part, ScenarioPart};
use crate::terminal::say;

/// Prints a campaign's result.
pub fn print(part: &Part, as_json: bool) {
    if as_json {
        say!("{:#}", document(part));
    } else {
        table(part);
    }
}

fn characteristics(part: &Part, scenario: &ScenarioPart) -> Vec<Characteristics> {
    let analyses = part.campaign.analyses.iter().zip(&scenario.counts.tallies).zip(&scenario.truths);
    analyses
        .map(|((id, tally), truth)| Characteristics::of(id, tally, scenario.counts.trials, *truth))
        .collect()
}

/// The document: timings first, then what any number of threads and shards gives alike.
pub fn document(part: &Part) -> Value {
    let all = part.trials_run() as f64 * part.scenarios.len() as f64;
    let failed: u64 =
        part.scenarios.iter().flat_map(|scenario| &scenario.counts.tallies).map(|tally| tally.failed).sum();
    let scenarios: Vec<Value> = part
        .scenarios
        .iter()
        .map(|scenario| {
            let ends = scenario.counts.design.as_ref();
            let [screened, entered, recruitment_days] = people(scenario);
            json!({
                "name": scenario.name,
                "set": scenario.set,
                "effect": scenario.effect,
                "setting": scenario.setting,
                "screened": screened.mean,
                "screened_mc_se": screened.mc_se,
                "entered": entered.mean,
                "entered_mc_se": entered.mc_se,
                "recruitment_days": recruitment_days.mean,
                "recruitment_days_mc_se": recruitment_days.mc_se,
                "analyses": characteristics(part, scenario),
                "design": ends.map(|ends| ends_of_design(scenario, ends)),
                "course": scenario.course,
            })
        })
        .collect();
    json!({
        "trials": part.trials_run(),
        "threads": part.threads,
        "seconds": part.seconds,
        "trials_per_second": if part.seconds > 0.0 { all / part.seconds } else { 0.0 },
        "failed_fits": failed,
        "study": part.campaign.study,
        "study_version": part.campaign.study_version,
        "program": part.campaign.program,
        "seed": part.campaign.seed,
        "alpha": part.campaign.criteria.alpha,
        "exclude": part.campaign.criteria.exclude,
        "scenarios": scenarios,
    })
}

/// Means over trials of those screened, those entered, and days from opening to the last start.
fn people(scenario: &ScenarioPart) -> [Mean; 3] {
    let counts = &scenario.counts;
    [counts.screened, counts.entered, counts.recruitment_days].map(|one| one.mean(counts.trials))
}

/// A simulated number with its Monte Carlo standard error in brackets, to the second figure of the error.
pub fn with_error(value: f64, mc_se: f64) -> String {
    let places = if mc_se > 0.0 { (1.0 - mc_se.log10().floor()).clamp(0.0, 6.0) as usize } else { 2 };
    format!("{value:.places$} ({mc_se:.places$})")
}

/// A simulated share in percent with its Monte Carlo standard error in brackets.
pub fn percent_with_error(share: f64, mc_se: f64) -> String {
    format!("{:.2} % ({:.2})", 100.0 * share, 100.0 * mc_se)
}

/// What a design did: the chance of each decision, in all and by look, and the size and days it took.
fn ends_of_design(scenario: &ScenarioPart, ends: &DesignTally) -> Value {
    let trials = scenario.counts.trials;
    let chances = |counts: [u64; DECISIONS.len()]| -> Value {
        let named = DECISIONS
            .iter()
            .zip(counts)
            .map(|((_, name), count)| ((*name).to_owned(), json!(Share::of(count, trials))));
        Value::Object(named.collect())
    };
    json!({
        "name": scenario.design,
        "decisions": chances(decisions(ends)),
        "looks": ends.looks.iter().map(|look| chances(*look)).collect::<Vec<_>>(),
        "size": Mean::of(trials, ends.size, ends.size_squares),
        "days": Mean::of(trials, ends.days, ends.days_squares),
    })
}

/// Trials by decision, over all looks.
fn decisions(ends: &DesignTally) -> [u64; DECISIONS.len()] {
    std::array::from_fn(|decision| ends.looks.iter().map(|look| look[decision]).sum())
}

/// Days of a month, on average.
const DAYS_A_MONTH: f64 = 30.4375;

fn say_design(scenario: &ScenarioPart, ends: &DesignTally) {
    let trials = scenario.counts.trials;
    let chance = |count: u64| {
        let share = Share::of(count, trials);
        percent_with_error(share.share, share.mc_se)
    };
    let size = Mean::of(trials, ends.size, ends.size_squares);
    let days = Mean::of(trials, ends.days, ends.days_squares);
    say!(
        "  design {}: {} participants (SD {:.1}), decided {} months after opening (SD {:.1})",
        scenario.design.as_deref().unwrap_or("-"),
        with_error(size.mean, size.mc_se),
        size.sd,
        in_months(days),
        days.sd / DAYS_A_MONTH,
    );
    let words =
        ["rejects, drug better", "rejects, drug worse", "stops, futile", "stops, unsafe", "shows nothing"];
    let all = decisions(ends);
    for (decision, word) in words.iter().enumerate().filter(|(decision, _)| all[*decision] > 0) {
        let looks: Vec<String> = ends.looks.iter().map(|look| chance(look[decision])).collect();
        say!("    {word:22} {:>16}; by look {}", chance(all[decision]), looks.join(", "));
    }
}

fn say_course(course: &Course) {
    let mean = |one: Mean| with_error(one.mean, one.mc_se);
    say!(
        "  a trial sees {} early stops, {} serious events in {} participants, and lasts {} months",
        mean(course.stopped_early),
        mean(course.serious_events),
        mean(course.with_serious_event),
        in_months(course.days),
    );
}

fn say_analysis(one: &Characteristics, trials: u64, exclude: Option<f64>) {
    let number = |value: Option<f64>, mc_se: Option<f64>| match (value, mc_se) {
        (Some(value), Some(mc_se)) => with_error(value, mc_se),
        (Some(value), None) => format!("{value:.4}"),
        _ => "none".to_owned(),
    };
    say!(
        "  {:20} rejects {}, with an estimate below zero {}; analysed {}; failed {} of {trials}",
        one.id.as_str(),
        percent_with_error(one.rejection_rate, one.mc_se),
        percent_with_error(one.rejection_rate_below, one.rejection_rate_below_mc_se),
        with_error(one.analysed, one.analysed_mc_se),
        one.failed_fits,
    );
    let coverage = one.coverage.zip(one.coverage_mc_se);
    say!(
        "  {:20} mean estimate {}, true value {}, bias {}, SD {}, coverage {}",
        "",
        number(one.mean_estimate, one.mean_estimate_mc_se),
        number(one.true_value, one.true_value_mc_se),
        number(one.bias, one.bias_mc_se),
        number(one.sd_estimate, one.sd_estimate_mc_se),
        coverage.map_or_else(|| "none".to_owned(), |(share, mc_se)| percent_with_error(share, mc_se)),
    );
    if let Some(value) = exclude {
        let share = |count: u64, mc_se: f64| percent_with_error(count as f64 / trials.max(1) as f64, mc_se);
        say!(
            "  {:20} interval lies above {value} in {}, below in {}",
            "",
            share(one.excluded_above, one.excluded_mc_se[0]),
            share(one.excluded_below, one.excluded_mc_se[1]),
        );
    }
}

fn in_months(days: Mean) -> String {
    with_error(days.mean / DAYS_A_MONTH, days.mc_se / DAYS_A_MONTH)
}

fn table(part: &Part) {
    let campaign = &part.campaign;
    say!(
        "{}: {} trials a scenario, seed {}, alpha {}; in brackets the Monte Carlo standard error of the number before",
        campaign.study,
        part.trials_run(),
        campaign.seed,
        campaign.criteria.alpha
    );
    say!("study version {}", campaign.study_version);
    for scenario in &part.scenarios {
        say!("\n{}", scenario.name);
        if !scenario.name.contains("setting=") {
            say!("  effect={}, setting={}", scenario.effect, scenario.setting);
        }
        let [screened, entered, days] = people(scenario);
        say!(
            "  screened {}, entered {}, last start {} months after opening, on average",
            with_error(screened.mean, screened.mc_se),
            with_error(entered.mean, entered.mc_se),
            in_months(days),
        );
        if let Some(course) = &scenario.course {
            say_course(course);
        }
        if let Some(ends) = &scenario.counts.design {
            say_design(scenario, ends);
        }
        for one in characteristics(part, scenario) {
            say_analysis(&one, scenario.counts.trials, campaign.criteria.exclude);
        }
    }
    let all = part.trials_run() as f64 * part.scenarios.len() as f64;
    say!(
        "\n{:.1} s on {} threads: {:.0} trials a second",
        part.seconds,
        part.threads,
        all / part.seconds.max(1e-9)
    );
}

#[test]
fn a_number_is_told_to_the_second_figure_of_its_error() {
    assert_eq!(with_error(-3.598_71, 0.018_2), "-3.599 (0.018)");
    assert_eq!(with_error(27.36, 0.4), "27.36 (0.40)");
    assert_eq!(with_error(812.0, 31.0), "812 (31)");
    assert_eq!(with_error(28.0, 0.0), "28.00 (0.00)");
    assert_eq!(percent_with_error(0.841, 0.0058), "84.10 % (0.58)");
}
