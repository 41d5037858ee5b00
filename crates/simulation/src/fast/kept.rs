//! What the fast path knows of each participant, row by row, to be held against the data sets of the full path.

use terms::{ArmId, Date, ParameterId, VisitId};

use super::{FastPlan, Workspace, analysed::Reading, trial::Participant};
use crate::streams::Streams;

/// A participant as the fast path keeps one.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept {
    /// Site and number, in which participants stand.
    key: (u64, u64),
    /// The arm; that of a one-arm study is its only one.
    pub arm: ArmId,
    /// The day of screening.
    pub screened: Date,
    /// The day of the first dose.
    pub first_dose: Date,
    /// What was measured of the parameters that are asked for.
    pub values: Vec<KeptValue>,
    /// Adverse events, where they are followed.
    pub events: Option<Vec<KeptEvent>>,
    /// By analysis: none if it leaves the participant out, and else the outcome, which may be missing. A worst case is
    /// found among all participants and stands in none of them.
    pub outcomes: Vec<Option<Option<f64>>>,
}

/// A value of a parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptValue {
    /// The parameter.
    pub parameter: ParameterId,
    /// The visit.
    pub visit: VisitId,
    /// The day.
    pub day: Date,
    /// The value.
    pub value: f64,
    /// The baseline.
    pub baseline: Option<f64>,
    /// Whether it is the baseline.
    pub is_baseline: bool,
}

/// An adverse event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeptEvent {
    /// Its first day.
    pub day: Date,
    /// The grade.
    pub grade: u8,
    /// Whether it is serious.
    pub serious: bool,
    /// Whether it is related to the drug.
    pub related: bool,
}

impl FastPlan<'_> {
    /// Runs a trial and returns its participants in the order in which they are analysed.
    pub fn participants(&self, streams: &Streams, space: &mut Workspace) -> Vec<Kept> {
        space.columns.kept = Some(Vec::new());
        self.conduct(streams, space);
        let mut kept = space.columns.kept.take().unwrap_or_default();
        kept.sort_by_key(|one| one.key);
        kept
    }

    /// The parameters that it follows, and the visits after the first dose whose values it knows.
    pub fn followed(&self) -> (Vec<&ParameterId>, Vec<&VisitId>) {
        let parameters = self.measured.iter().map(|measured| &measured.id);
        let visits = self.path.iter().map(|visit| &self.study.visits[visit.occasion as usize].id);
        (parameters.collect(), visits.collect())
    }
}

impl Reading<'_, '_> {
    /// Reads all there is of the participant in hand.
    pub(super) fn keep(&mut self, key: (u64, u64), outcomes: Vec<Option<Option<f64>>>) -> Kept {
        let Participant { plan, someone, arm, start, .. } = *self.participant;
        let mut values = Vec::new();
        for (parameter, measured) in plan.measured.iter().enumerate() {
            let (id, baseline) = (&measured.id, self.baseline(parameter));
            if let Some(value) = baseline {
                let at_start = measured.filled_at[plan.gates[1].occasion() as usize];
                let (visit, day) =
                    if at_start { (&plan.start, start) } else { (&plan.screening, someone.screened) };
                let day = plan.calendar.date(day);
                let (parameter, visit) = (id.clone(), visit.clone());
                values.push(KeptValue { parameter, visit, day, value, baseline, is_baseline: true });
            }
            for place in 0..plan.path.len() {
                let Some((value, held)) = self.value(parameter, place).zip(self.held(place)) else {
                    continue;
                };
                let visit = plan.study.visits[plan.path[place].occasion as usize].id.clone();
                let (parameter, day) = (id.clone(), plan.calendar.date(held.day));
                values.push(KeptValue { parameter, visit, day, value, baseline, is_baseline: false });
            }
        }
        let events = plan.events_matter.then(|| {
            let event = |noted: &super::events::Noted| KeptEvent {
                day: plan.calendar.date(noted.day),
                grade: noted.grade,
                serious: noted.serious,
                related: noted.related,
            };
            self.path.noted.iter().map(event).collect()
        });
        Kept {
            key,
            arm: plan.study.arms[arm].id.clone(),
            screened: plan.calendar.date(someone.screened),
            first_dose: plan.calendar.date(start),
            values,
            events,
            outcomes,
        }
    }
}
