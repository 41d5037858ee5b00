//! The full path: a whole trial in memory through commands, record and derivations, and the plan run on its
//! data sets. It is what the fast path is held against, and serves where that has no model of something.

use analysis::{Results, kernel::Outcome as Estimated};
use anyhow::Result;
use conduct::State;
#[cfg(test)]
use datasets::DataSets;
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
    /// The data sets, for a test that looks at their rows.
    #[cfg(test)]
    pub data: DataSets,
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
    Ok(Whole {
        results,
        people,
        #[cfg(test)]
        data,
    })
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
                Method::Mmrm(_) | Method::MultipleImputation(_) if planned.by.is_none() => Estimated {
                    estimate: number("ls_mean")?,
                    lower: number("ls_mean_lower")?,
                    upper: number("ls_mean_upper")?,
                    p: number("p")?,
                },
                Method::Ancova(_) | Method::Mmrm(_) | Method::MultipleImputation(_) => Estimated {
                    estimate: of_pair(estimate)?,
                    lower: of_pair("lower")?,
                    upper: of_pair("upper")?,
                    p: of_pair("p")?,
                },
                Method::LogRank(_) | Method::Cox(_) => Estimated {
                    estimate: number(estimate)?,
                    lower: number("log_lower")?,
                    upper: number("log_upper")?,
                    p: number("p")?,
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
        Method::Ancova(_) | Method::Mmrm(_) | Method::MultipleImputation(_) => Some("difference"),
        Method::Binomial { .. } => Some("percent"),
        Method::LogRank(_) | Method::Cox(_) => Some("log_hazard_ratio"),
        Method::Fisher { .. } => Some("odds_ratio"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use datasets::{Cell, Dataset};
    use protocol::model::{Cox, Subject};
    use simulation::{
        fast::{FastPlan, Kept, KeptEvent, Workspace},
        scenario,
    };
    use terms::{Date, ParameterId, VisitId};

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

    /// The same where the endpoint is a time: people who leave and die, arms alike, and accrual that goes on beyond the
    /// last day of the data.
    const SCENARIOS_OF_TIMES: [&[&str]; 3] = [
        &["sample_size=80"],
        &[
            "sample_size=60",
            "dropout.all=0.6",
            "conduct.missed_visit=0.2",
            "conduct.correction=0.3",
            "hazards.death.monthly=0.03",
        ],
        &[
            "sample_size=40",
            "hazards.relapse.ratio.active=1",
            "conduct.out_of_window=0.4",
            "cohort.screened_per_month=1.1",
        ],
    ];

    #[test]
    fn both_paths_give_the_same_results_for_every_study() {
        for (name, files) in shipped::studies() {
            hold_under(name, &files, &SCENARIOS);
        }
    }

    #[test]
    fn both_paths_give_the_same_times_to_an_event() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/time-to-event");
        hold_under("time-to-event", &crate::folder::read(&root).unwrap(), &SCENARIOS_OF_TIMES);
    }

    fn hold_under(name: &str, files: &BTreeMap<String, String>, scenarios: &[&[&str]]) {
        let written = protocol::compile(files).unwrap().study;
        for (place, sets) in scenarios.iter().enumerate() {
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

    /// Each habit of the sites leaves its own kind of deviation, as often as is said: 30 people come to about 14 visits each.
    #[test]
    fn deviations_are_as_many_as_the_habits_of_the_sites_make() {
        let (_, files) = shipped::studies().find(|(name, _)| *name == "imatinib-open").unwrap();
        let written = protocol::compile(&files).unwrap().study;
        let deviations = |kind: &str, set: String| {
            let mut study = written.clone();
            scenario::set_from_text(&mut study, &set).unwrap();
            let results = run(&study, &Streams::new(4)).unwrap().results;
            let counted = results.analyses.iter().find(|one| one.id == *"deviations").unwrap();
            let wanted = format!("deviations/events[{kind}]");
            let found = counted.numbers.iter().find(|number| number.id == wanted);
            found.and_then(|number| number.value).unwrap_or(0.0)
        };
        for (kind, habit) in [
            ("out_of_window", "out_of_window"),
            ("missed_visit", "missed_visit"),
            ("missed_activity", "form_not_done"),
            ("assessor_changed", "assessor_change"),
        ] {
            let never = deviations(kind, format!("conduct.{habit}=0"));
            let often = deviations(kind, format!("conduct.{habit}=0.2"));
            assert!(never <= 5.0 && often >= 40.0 && often <= 800.0, "{kind}: {never} and {often}");
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
        let kept = plan.participants(streams, &mut space);
        let rows =
            Rows { study, data: &whole.data, plan: &plan, kept: &kept, which: format!("{name} {which}") };
        rows.are_those_of_the_data_sets();
        for (id, quick) in fast.iter().zip(quick) {
            let slow = whole.tested(study, id).unwrap();
            assert_eq!(quick.analysed, slow.analysed, "{name} {which}: participants of {id}");
            let method = &study.plan.analyses.iter().find(|one| one.id == *id).unwrap().method;
            let sums = |cox: &Cox| !(cox.factors.is_empty() && cox.covariates.is_empty());
            if matches!(method, Method::Ancova(_)) || matches!(method, Method::Cox(cox) if sums(cox)) {
                // Its rows stand in another order, which shows in the last digits of a least-squares fit.
                assert!(is_near(quick.outcome, slow.outcome), "{name} {which}: {id}: {quick:?} {slow:?}");
            } else {
                assert_eq!(quick.outcome, slow.outcome, "{name} {which}: {id}");
            }
            // Asked for alone, an analysis may have less drawn for it, and comes to the same.
            let plan = FastPlan::compile(study, std::slice::from_ref(id)).unwrap();
            let alone = plan.run(streams, &mut Workspace::default())[0];
            if matches!(method, Method::Ancova(_) | Method::Cox(_)) {
                assert!(is_near(alone.outcome, quick.outcome), "{name} {which}: {id} alone");
            } else {
                assert_eq!(alone, quick, "{name} {which}: {id} alone");
            }
        }
    }

    /// A row of a parameter: its day, its value, its baseline, its change and relative change.
    type Measured = (Date, f64, Option<f64>, Option<f64>, Option<f64>);

    /// The participants of a trial on the fast path, and the data sets of the same trial run whole.
    struct Rows<'a> {
        study: &'a Study,
        data: &'a DataSets,
        plan: &'a FastPlan<'a>,
        kept: &'a [Kept],
        which: String,
    }

    impl Rows<'_> {
        fn are_those_of_the_data_sets(&self) {
            let subjects = &self.data.subjects;
            let entered = |row: &usize| subjects.cell("enrolled", *row).flag() == Some(true);
            let mut ids: Vec<(&str, usize)> = (0..subjects.rows())
                .filter(entered)
                .map(|row| (subjects.cell("subject", row).text().unwrap(), row))
                .collect();
            ids.sort_unstable();
            assert_eq!(self.kept.len(), ids.len(), "{}: participants", self.which);
            for (kept, (id, row)) in self.kept.iter().zip(&ids) {
                self.holds_a_participant(kept, id, *row);
            }
            self.hold_the_events(&ids);
            let of: BTreeMap<&str, usize> =
                ids.iter().enumerate().map(|(place, (id, _))| (*id, place)).collect();
            let (slow, quick) = (self.measured(&of), self.measured_fast());
            let followed = self.plan.followed().0.len();
            assert!(quick.len() > (2 * followed).min(10) * ids.len(), "{}: {} rows", self.which, quick.len());
            for (key, rows) in &slow {
                let who = format!("{}: {} at {} of participant {}", self.which, key.1, key.2, ids[key.0].0);
                assert_eq!(quick.get(key), Some(rows), "{who}");
            }
            let more: Vec<_> = quick.keys().filter(|key| !slow.contains_key(*key)).collect();
            assert!(more.is_empty(), "{}: rows that no data set has: {more:?}", self.which);
        }

        fn holds_a_participant(&self, kept: &Kept, id: &str, row: usize) {
            let (which, subjects) = (&self.which, &self.data.subjects);
            let date = |name: &str| day_of(subjects, name, row);
            assert_eq!(date("screening_date"), Some(kept.screened), "{which}: screening of {id}");
            assert_eq!(date("first_dose_date"), Some(kept.first_dose), "{which}: first dose of {id}");
            if self.study.allocation.is_some() {
                assert_eq!(subjects.cell("arm", row).text(), Some(kept.arm.as_str()), "{which}: arm of {id}");
            }
            for (analysis, outcome) in self.plan.analyses().zip(&kept.outcomes) {
                let planned = self.study.plan.analyses.iter().find(|one| one.id == *analysis).unwrap();
                let flag = format!("set_{}", planned.set.as_str().to_lowercase());
                let in_set = subjects.cell(&flag, row).flag() == Some(true);
                // An analysis may leave out some of its set, never take others.
                let narrowed = planned.only.is_some() || planned.by.as_deref().is_some_and(|by| by != "arm");
                let fits = if narrowed { in_set || outcome.is_none() } else { in_set == outcome.is_some() };
                assert!(fits, "{which}: {id} in the set of {analysis}: {in_set} against {outcome:?}");
                if let (Subject::TimeToEvent { time }, Some(days)) = (&planned.subject, outcome) {
                    assert_eq!(*days, self.days_of(id, time.as_str()), "{which}: {time} of {id}");
                }
            }
        }

        /// A participant's days to an event or to censoring by the data set.
        fn days_of(&self, id: &str, time: &str) -> Option<f64> {
            let set = &self.data.times_to_event;
            let is_own = |row: &usize| {
                let text = |name: &str| set.cell(name, *row).text();
                text("subject") == Some(id) && text("parameter") == Some(time)
            };
            (0..set.rows()).find(is_own).and_then(|row| set.cell("value", row).number())
        }

        fn hold_the_events(&self, ids: &[(&str, usize)]) {
            let set = &self.data.adverse_events;
            for (kept, (id, _)) in self.kept.iter().zip(ids) {
                let Some(events) = &kept.events else { return };
                let own = (0..set.rows()).filter(|row| set.cell("subject", *row).text() == Some(id));
                let event = |row: usize| KeptEvent {
                    day: day_of(set, "start", row).unwrap(),
                    grade: set.cell("grade", row).number().unwrap() as u8,
                    serious: set.cell("serious", row).flag().unwrap(),
                    related: set.cell("related", row).flag().unwrap(),
                };
                let (mut slow, mut quick): (Vec<KeptEvent>, _) = (own.map(event).collect(), events.clone());
                slow.sort_unstable();
                quick.sort_unstable();
                assert_eq!(quick, slow, "{}: events of {id}", self.which);
            }
        }

        /// The rows of the longitudinal data set that the fast path follows, by place of the participant, parameter
        /// and visit.
        fn measured(
            &self,
            of: &BTreeMap<&str, usize>,
        ) -> BTreeMap<(usize, ParameterId, VisitId), Vec<Measured>> {
            let set = &self.data.longitudinal;
            let (parameters, visits) = self.plan.followed();
            let mut rows = BTreeMap::new();
            for row in 0..set.rows() {
                let text = |name: &str| set.cell(name, row).text().unwrap();
                let (parameter, visit) = (ParameterId::from(text("parameter")), VisitId::from(text("visit")));
                let is_baseline = set.cell("is_baseline", row).flag() == Some(true);
                let number = |name: &str| set.cell(name, row).number();
                let (Some(place), Some(value)) = (of.get(text("subject")), number("value")) else { continue };
                let asked = parameters.contains(&&parameter) && (is_baseline || visits.contains(&&visit));
                if !asked || set.cell("derived", row).text().is_some() {
                    continue;
                }
                let day = day_of(set, "date", row).unwrap();
                let measured = (day, value, number("baseline"), number("change"), number("relative_change"));
                rows.entry((*place, parameter, visit)).or_insert_with(Vec::new).push(measured);
            }
            rows
        }

        fn measured_fast(&self) -> BTreeMap<(usize, ParameterId, VisitId), Vec<Measured>> {
            let mut rows = BTreeMap::new();
            for (place, kept) in self.kept.iter().enumerate() {
                for one in &kept.values {
                    let baseline = one.baseline.filter(|_| !one.is_baseline);
                    let change = baseline.map(|baseline| one.value - baseline);
                    let relative = baseline.and_then(|baseline| {
                        datasets::adam::derive_var_chg::relative_change(one.value, baseline)
                    });
                    let measured = (one.day, one.value, one.baseline, change, relative);
                    let key = (place, one.parameter.clone(), one.visit.clone());
                    rows.entry(key).or_insert_with(Vec::new).push(measured);
                }
            }
            rows
        }
    }

    fn day_of(set: &Dataset, name: &str, row: usize) -> Option<Date> {
        match set.cell(name, row) {
            Cell::Date(date) => date.complete(),
            _ => None,
        }
    }
}
