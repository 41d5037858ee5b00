//! The full path: a whole trial in memory through commands, record and derivations, and the plan run on its
//! data sets. It is what the fast path is held against, and serves where that has no model of something.

use analysis::{Results, kernel::Outcome as Estimated};
use anyhow::Result;
use conduct::State;
use protocol::{
    Study,
    model::{Analysis, Method},
};
use record::Environment;
use simulation::{
    ConductedTrial, Custody, Nobody, Rehearsal,
    fast::{People, Tested},
    streams::Streams,
};
use store::MemoryStore;
use terms::{AnalysisId, days_between};

use crate::demo::close_out;

/// A trial run whole.
pub struct Whole {
    /// The plan's results.
    pub results: Results,
    /// Who came and who entered.
    pub people: People,
}

/// Runs a trial whole: everybody through, readings, classification, lock, unblinding, analysis.
///
/// # Errors
/// The trial can't be closed.
pub fn run(study: &Study, streams: &Streams) -> Result<Whole> {
    let custody = study.allocation.as_ref().map(|plan| Custody::seal(study, plan, streams)).transpose()?;
    let vault = custody.as_ref().map(Custody::unlock).transpose()?;
    let list = custody.as_ref().map(Custody::open_list).transpose()?;
    let store = Box::new(MemoryStore::new(Environment::Rehearsal));
    let mut trial = ConductedTrial::begin(study, streams, store, vault.as_ref(), list.as_ref(), &Nobody)?;
    let mut rehearsal = Rehearsal::new(study, *streams, &mut trial);
    rehearsal.open(streams.seed())?;
    let opens = rehearsal.opening_day();
    if let Some(custody) = &custody {
        rehearsal.seal_and_supply(custody)?;
    }
    let rehearsed = rehearsal.run()?;
    let locked = close_out::up_to_lock(&mut rehearsal, study, rehearsed.last_day)?;
    if study.allocation.is_some() {
        close_out::unblind(&mut rehearsal, locked, list.as_ref())?;
    }
    let state: &State = trial.engine().state();
    let data = datasets::build(study, state);
    let results = analysis::run(&study.plan, &study.arms, &study.facts, &data)?;
    let starts = state.casebooks.values().filter_map(|casebook| casebook.first_dose());
    let recruitment_days = starts.map(|day| days_between(opens, day)).max().unwrap_or(0);
    let people = People {
        screened: rehearsed.screened,
        entered: rehearsed.enrolled,
        recruitment_days: u64::try_from(recruitment_days).unwrap_or(0),
    };
    Ok(Whole { results, people })
}

impl Whole {
    /// Returns what an analysis came to, as the fast path says it.
    pub fn tested(&self, study: &Study, id: &AnalysisId) -> Option<Tested> {
        let planned = study.plan.analyses.iter().find(|analysis| analysis.id == *id)?;
        let estimate = estimate_of(planned)?;
        let result = self.results.analyses.iter().find(|result| result.id == *id)?;
        let number = |key: &str| {
            let wanted = format!("{id}/{key}");
            result.numbers.iter().find(|number| number.id == wanted).and_then(|number| number.value)
        };
        // Of a model that compares pairs of groups, the one pair.
        let of_pair = |key: &str| {
            let prefix = format!("{id}/{key}[");
            let found = result.numbers.iter().find(|number| number.id.starts_with(&prefix));
            found.and_then(|number| number.value)
        };
        let outcome = || {
            Some(match planned.method {
                Method::Ancova(_) => Estimated {
                    estimate: of_pair(estimate)?,
                    lower: of_pair("lower")?,
                    upper: of_pair("upper")?,
                    p: of_pair("p")?,
                },
                Method::Binomial { .. } => Estimated {
                    estimate: number(estimate)?,
                    lower: number("lower")?,
                    upper: number("upper")?,
                    p: 1.0,
                },
                _ => Estimated {
                    estimate: number(estimate)?,
                    lower: number("lower")?,
                    upper: number("upper")?,
                    p: number("p")?,
                },
            })
        };
        // Counts of events stand there by term, too.
        let by_group = result.numbers.iter().filter(|number| {
            number.id.strip_prefix(&format!("{id}/n[")).is_some_and(|of| !of.contains("]["))
        });
        let analysed = match number("n") {
            Some(all) => all,
            None => by_group.filter_map(|number| number.value).sum(),
        };
        Some(Tested { outcome: outcome(), analysed: analysed as u32 })
    }
}

/// Says whether the full path reads an estimate, an interval and a p-value of an analysis.
pub fn serves(study: &Study, id: &AnalysisId) -> bool {
    study
        .plan
        .analyses
        .iter()
        .find(|analysis| analysis.id == *id)
        .is_some_and(|one| estimate_of(one).is_some())
}

/// The key under which a method's main estimate is written down.
pub fn estimate_of(analysis: &Analysis) -> Option<&'static str> {
    match analysis.method {
        Method::PairedT { .. } => Some("mean"),
        Method::TwoSampleT { .. } => Some("difference"),
        Method::SignedRank { .. } => Some("pseudomedian"),
        Method::RankSum { .. } => Some("shift"),
        Method::Ancova(_) => Some("difference"),
        Method::Binomial { .. } => Some("percent"),
        Method::Fisher { .. } => Some("odds_ratio"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use simulation::{
        fast::{FastPlan, Workspace},
        scenario,
    };

    use super::*;
    use crate::shipped;

    /// Trials of each study and scenario; a full campaign runs more.
    #[expect(clippy::disallowed_methods, reason = "a test may be told to run longer")]
    fn trials() -> u64 {
        if std::env::var("EQUIPOISE_CAMPAIGN").as_deref() == Ok("full") { 60 } else { 2 }
    }

    /// Scenarios that bring out what a way through a trial can hold.
    const SCENARIOS: [&[&str]; 5] = [
        &[],
        &["effect=important", "setting=trial"],
        &[
            "dropout.all=0.6",
            "conduct.missed_visit=0.2",
            "conduct.form_not_done=0.1",
            "conduct.correction=0.3",
        ],
        &["sample_size=40", "effect=inert", "conduct.out_of_window=0.4", "conduct.assessor_change=0.5"],
        &[
            "effect=important",
            "effect=as published",
            "pharmacology=on",
            "dropout.all=0.4",
            "withdrawal.all.per_skin_point=0.2",
            "cohort.sites.01=5",
        ],
    ];

    #[test]
    fn both_paths_give_the_same_results_for_every_study() {
        for (name, files) in shipped::studies() {
            let written = protocol::compile(&files).unwrap().study;
            for (place, sets) in SCENARIOS.iter().enumerate() {
                let mut study = written.clone();
                for set in *sets {
                    // A study without that effect keeps its own.
                    if scenario::set_from_text(&mut study, set).is_err() {
                        assert!(set.starts_with("effect="), "{name}: {set}");
                    }
                }
                for trial in 0..trials() {
                    let streams = Streams::of_trial_number(40 + place as u64, trial);
                    hold_against_each_other(name, &study, &streams, &format!("{sets:?} trial {trial}"));
                }
            }
        }
    }

    fn is_near(one: Option<Estimated>, other: Option<Estimated>) -> bool {
        let numbers = |one: Estimated| [one.estimate, one.lower, one.upper, one.p];
        match (one.map(numbers), other.map(numbers)) {
            (Some(one), Some(other)) => {
                one.iter().zip(other).all(|(a, b)| (a - b).abs() <= 1e-9 * (1.0 + b.abs()))
            }
            (one, other) => one.is_none() && other.is_none(),
        }
    }

    fn hold_against_each_other(name: &str, study: &Study, streams: &Streams, which: &str) {
        let all: Vec<AnalysisId> = study.plan.analyses.iter().map(|analysis| analysis.id.clone()).collect();
        let (fast, _) = FastPlan::sort_out(study, &all);
        assert!(fast.len() >= 5, "{name}: the fast path serves {fast:?} only");
        let plan = FastPlan::compile(study, &fast).unwrap();
        let mut space = Workspace::default();
        let quick = plan.run(streams, &mut space).to_vec();
        let whole = run(study, streams).unwrap();
        assert_eq!(space.people(), whole.people, "{name} {which}: people");
        for (id, quick) in fast.iter().zip(quick) {
            let slow = whole.tested(study, id).unwrap();
            assert_eq!(quick.analysed, slow.analysed, "{name} {which}: participants of {id}");
            let method = &study.plan.analyses.iter().find(|one| one.id == *id).unwrap().method;
            if matches!(method, Method::Ancova(_)) {
                // Its rows stand in another order, which shows in the last digits of a least-squares fit.
                assert!(is_near(quick.outcome, slow.outcome), "{name} {which}: {id}: {quick:?} {slow:?}");
            } else {
                assert_eq!(quick.outcome, slow.outcome, "{name} {which}: {id}");
            }
        }
    }
}
