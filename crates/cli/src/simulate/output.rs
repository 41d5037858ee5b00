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
            let n = scenario.counts.trials.max(1) as f64;
            let ends = scenario.counts.design.as_ref();
            json!({
                "name": scenario.name,
                "set": scenario.set,
                "effect": scenario.effect,
                "setting": scenario.setting,
                "screened": scenario.counts.screened as f64 / n,
                "entered": scenario.counts.entered as f64 / n,
                "recruitment_days": scenario.counts.recruitment_days as f64 / n,
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
        format!("{:.2} % ({:.2})", 100.0 * share.share, 100.0 * share.mc_se)
    };
    let size = Mean::of(trials, ends.size, ends.size_squares);
    let days = Mean::of(trials, ends.days, ends.days_squares);
    say!(
        "  design {}: {:.1} participants (SD {:.1}, MC SE {:.2}), decided {:.1} months after opening (SD {:.1}, MC SE {:.2})",
        scenario.design.as_deref().unwrap_or("-"),
        size.mean,
        size.sd,
        size.mc_se,
        days.mean / DAYS_A_MONTH,
        days.sd / DAYS_A_MONTH,
        days.mc_se / DAYS_A_MONTH,
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
    let mean = |one: Mean| format!("{:.2} (MC SE {:.2})", one.mean, one.mc_se);
    say!(
        "  a trial sees {} early stops, {} serious events in {} participants, and lasts {:.1} months (MC SE {:.2})",
        mean(course.stopped_early),
        mean(course.serious_events),
        mean(course.with_serious_event),
        course.days.mean / DAYS_A_MONTH,
        course.days.mc_se / DAYS_A_MONTH,
    );
}

fn table(part: &Part) {
    let campaign = &part.campaign;
    say!(
        "{}: {} trials a scenario, seed {}, alpha {}",
        campaign.study,
        part.trials_run(),
        campaign.seed,
        campaign.criteria.alpha
    );
    say!("study version {}", campaign.study_version);
    for scenario in &part.scenarios {
        let n = scenario.counts.trials.max(1) as f64;
        say!("\n{}", scenario.name);
        say!(
            "  screened {:.1}, entered {:.1}, last start {:.1} months after opening, on average",
            scenario.counts.screened as f64 / n,
            scenario.counts.entered as f64 / n,
            scenario.counts.recruitment_days as f64 / n / DAYS_A_MONTH,
        );
        if let Some(course) = &scenario.course {
            say_course(course);
        }
        if let Some(ends) = &scenario.counts.design {
            say_design(scenario, ends);
        }
        say!(
            "  {:22} {:>18} {:>12} {:>12} {:>9} {:>9} {:>8} {:>7}",
            "analysis",
            "rejects (MC SE)",
            "estimate",
            "true value",
            "SD",
            "coverage",
            "analysed",
            "failed"
        );
        for one in characteristics(part, scenario) {
            let number =
                |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.4}"));
            let coverage =
                one.coverage.map_or_else(|| "-".to_owned(), |value| format!("{:.2} %", 100.0 * value));
            say!(
                "  {:22} {:>9.3} % ({:.3}) {:>12} {:>12} {:>9} {:>9} {:>8.1} {:>7}",
                one.id.as_str(),
                100.0 * one.rejection_rate,
                100.0 * one.mc_se,
                number(one.mean_estimate),
                number(one.true_value),
                number(one.sd_estimate),
                coverage,
                one.analysed,
                one.failed_fits,
            );
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
