//! Times to an event, of a participant whose whole way was gone.

use datasets::finding;
use protocol::{
    expression::{Expression, Input, ItemRef, Scope, Term},
    model::{Happening, Study, TimeToEvent, TimedHappening},
};
use record::EndReason;
use terms::{Answer, Date, ParameterId, Truth};

use super::{
    analysed::{Reading, measured_between},
    events::Which,
    trial::Participant,
};
use crate::course;

/// A time to an event, compiled.
#[derive(Clone, Debug)]
pub(super) struct Timed {
    events: Vec<Source>,
    censored_by: Vec<Source>,
    /// Months from the first entry to the last day of the data.
    pub(super) cut_off_months: Option<i32>,
    pub(super) longer_is_better: bool,
}

/// Where the days of a happening are found.
#[derive(Clone, Debug)]
enum Source {
    Event(Which),
    /// A parameter, and what holds of a row of it.
    Finding(usize, Expression),
    TreatmentEnd(Vec<EndReason>),
    ParticipationEnd(Vec<EndReason>),
}

/// A time: days with the first counted as 1, and whether an event ended it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Lasted {
    pub(super) days: i32,
    pub(super) event: bool,
}

impl Timed {
    pub(super) fn compile(
        study: &Study,
        time: &TimeToEvent,
        place: &mut dyn FnMut(&ParameterId) -> Result<usize, String>,
    ) -> Result<Self, String> {
        let mut all = |of: &[TimedHappening]| -> Result<Vec<Source>, String> {
            of.iter().map(|one| Source::compile(study, &one.what, place)).collect()
        };
        Ok(Self {
            events: all(&time.events)?,
            censored_by: all(&time.censored_by)?,
            cut_off_months: time.cut_off_months.map(|months| months as i32),
            longer_is_better: time.longer_is_better,
        })
    }

    fn sources(&self) -> impl Iterator<Item = &Source> {
        self.events.iter().chain(&self.censored_by)
    }

    /// Whether adverse events that are none of a hazard's are read.
    pub(super) fn reads_other_events(&self, study: &Study) -> bool {
        self.sources().any(|source| matches!(source, Source::Event(which) if which.means_others(study)))
    }

    /// Whether values at visits or the dosing record are read.
    pub(super) fn reads_the_way(&self) -> bool {
        self.sources().any(|source| matches!(source, Source::Finding(..) | Source::TreatmentEnd(_)))
    }
}

impl Source {
    fn compile(
        study: &Study,
        what: &Happening,
        place: &mut dyn FnMut(&ParameterId) -> Result<usize, String>,
    ) -> Result<Self, String> {
        let reasons = |names: &[String]| names.iter().map(|name| course::end_reason(name)).collect();
        Ok(match what {
            Happening::AdverseEvent { filter } => Source::Event(Which::compile(study, filter.as_ref())?),
            Happening::Finding { parameter, holds } => {
                if measured_between(study, parameter) {
                    return Err(format!("{parameter} is measured at unscheduled visits"));
                }
                let mut unknown = None;
                holds.root().visit(&mut |part| {
                    if let Term::Input(Input::Item(_) | Input::Limit(..) | Input::Today) = part {
                        unknown = Some(format!("its finding reads {part:?}, which is not kept"));
                    }
                });
                if let Some(unknown) = unknown {
                    return Err(unknown);
                }
                Source::Finding(place(parameter)?, holds.clone())
            }
            Happening::TreatmentEnd { reasons: names } => Source::TreatmentEnd(reasons(names)),
            Happening::ParticipationEnd { reasons: names } => Source::ParticipationEnd(reasons(names)),
        })
    }

    /// The first day from the start on which it happened.
    fn first(&self, reading: &mut Reading<'_, '_>) -> Option<i32> {
        let start = reading.participant.start;
        match self {
            Source::Event(which) => {
                let noted = reading.path.noted.iter().filter(|noted| which.holds(noted, start));
                noted.map(|noted| noted.day).filter(|day| *day >= start).min()
            }
            Source::Finding(parameter, holds) => {
                let plan = reading.participant.plan;
                let mut first: Option<i32> = None;
                for visit in 0..plan.path.len() {
                    let value = reading.value(*parameter, visit);
                    let (Some(value), Some(held)) = (value, reading.held(visit)) else { continue };
                    let baseline = reading.baseline(*parameter);
                    let visit = plan.study.visits[plan.path[visit].occasion as usize].id.as_str();
                    let holds = holds.truth(&Found { value, baseline, visit }) == Truth::True;
                    if holds && held.day > start && first.is_none_or(|day| held.day < day) {
                        first = Some(held.day);
                    }
                }
                first
            }
            Source::TreatmentEnd(reasons) => {
                let ended = reading.path.treatment_end.is_some_and(|reason| reasons.contains(&reason));
                reading.path.last_dose.filter(|day| ended && *day >= start)
            }
            Source::ParticipationEnd(reasons) => {
                let ended = reading.path.participation_end.is_some_and(|reason| reasons.contains(&reason));
                reading.path.over.filter(|_| ended)
            }
        }
    }
}

impl Reading<'_, '_> {
    /// The time of the participant in hand; `cut_off` is the last day of the data. None for who started after it.
    ///
    /// By the rule of `datasets::adam::derive_param_tte`, on days that are numbers.
    pub(super) fn lasted(&mut self, timed: &Timed, cut_off: Option<i32>) -> Option<Lasted> {
        let Participant { start, .. } = *self.participant;
        if cut_off.is_some_and(|cut_off| start > cut_off) {
            return None;
        }
        let mut first = |of: &[Source]| of.iter().filter_map(|source| source.first(self)).min();
        let censoring = first(&timed.censored_by).filter(|day| cut_off.is_none_or(|cut_off| *day <= cut_off));
        let event = first(&timed.events);
        let limit = [censoring, cut_off].into_iter().flatten().min();
        let event = event.filter(|day| limit.is_none_or(|limit| *day <= limit));
        let last_known = self.path.over?.max(start);
        let day = match (event, censoring) {
            (Some(day), _) => day,
            (None, Some(day)) if day <= last_known => day,
            _ => cut_off.map_or(last_known, |cut_off| cut_off.min(last_known)),
        };
        Some(Lasted { days: day - start + 1, event: event.is_some() })
    }
}

/// A value at a visit as a condition sees it.
struct Found<'a> {
    value: f64,
    baseline: Option<f64>,
    visit: &'a str,
}

impl Scope for Found<'_> {
    fn item(&self, _reference: &ItemRef) -> Option<Answer> {
        None
    }

    fn variable(&self, name: &str) -> Option<Answer> {
        finding(name, Some(self.value), self.baseline, self.visit)
    }

    fn limit(&self, _reference: &ItemRef, _upper: bool) -> Option<Answer> {
        None
    }

    fn today(&self) -> Option<Date> {
        None
    }
}
