//! What the longitudinal derivations work on: one observation of one parameter.
//!
//! Derivations are functions over these rows; none of them reads a casebook.

use terms::{Date, ParameterId, SubjectId, VisitId};

/// Which rule made a record that nobody observed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// The last observation after baseline was carried forward.
    LastObservation,
    /// The worst observed change was put in its place.
    WorstCase,
    /// The participant had died; there is no value.
    Death,
}

impl Rule {
    /// Returns the code that the data set holds.
    pub fn code(self) -> &'static str {
        match self {
            Rule::LastObservation => "locf",
            Rule::WorstCase => "worst_case",
            Rule::Death => "death",
        }
    }
}

/// One row: a participant's value of a parameter at a visit, or a derived record.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// Whose.
    pub subject: SubjectId,
    /// Of what.
    pub parameter: ParameterId,
    /// At which visit; for a derived record the visit that lacked a value.
    pub visit: VisitId,
    /// Whether the visit is one of the schedule's, rather than unscheduled or an early end.
    pub planned: bool,
    /// The day on which it was observed; for a derived record that of its source.
    pub date: Option<Date>,
    /// The value.
    pub value: Option<f64>,
    /// Whether the visit was held in its window, where it has one.
    pub in_window: Option<bool>,
    /// Study day: 1 on the day of the first dose.
    pub day: Option<i32>,
    /// Whether this is the participant's baseline.
    pub is_baseline: bool,
    /// The participant's baseline value.
    pub baseline: Option<f64>,
    /// `value - baseline`.
    pub change: Option<f64>,
    /// `(value - baseline) / baseline`.
    pub relative_change: Option<f64>,
    /// Which rule made it; none: it was observed.
    pub derived: Option<Rule>,
    /// The events behind it.
    pub sources: Vec<u64>,
}

impl Observation {
    /// Makes an observed row without any derived variable.
    pub fn observed(
        subject: SubjectId,
        parameter: ParameterId,
        visit: VisitId,
        date: Option<Date>,
        value: Option<f64>,
        sources: Vec<u64>,
    ) -> Self {
        Self {
            subject,
            parameter,
            visit,
            planned: true,
            date,
            value,
            in_window: None,
            day: None,
            is_baseline: false,
            baseline: None,
            change: None,
            relative_change: None,
            derived: None,
            sources,
        }
    }

    /// Says whether the row is about this participant and parameter.
    pub fn is_of(&self, subject: &SubjectId, parameter: &ParameterId) -> bool {
        self.subject == *subject && self.parameter == *parameter
    }
}
