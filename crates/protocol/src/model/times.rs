//! Times to an event that a study follows: from when, what ends them, and what takes a participant out of sight.

use serde::Serialize;
use terms::*;

use super::Label;
use crate::expression::Expression;

/// A parameter of the data set of times to an event. `[times.RELAPSE]`
///
/// The first of its events ends a time. A time is censored on the first day that one of `censored_by` happens, on the
/// last day of the data, and otherwise on the last day on which something is known of the participant. What falls
/// on one day counts as the event.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TimeToEvent {
    /// Its id (`RELAPSE`), the code of the parameter.
    pub id: ParameterId,
    /// What people call it.
    pub label: Label,
    /// The day that counts as day 1.
    pub from: TimeOrigin,
    /// What ends a time.
    pub events: Vec<TimedHappening>,
    /// What takes a participant out of sight.
    pub censored_by: Vec<TimedHappening>,
    /// Months from the first participant's entry to the last day of the data (administrative censoring); none: follow-up
    /// ends by the schedule alone.
    pub cut_off_months: Option<u32>,
    /// Whether a longer time is better for the participant.
    pub longer_is_better: bool,
}

/// The day from which a time counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeOrigin {
    /// Enrolment, or randomisation where there is an allocation (`enrolment`).
    Enrolment,
    /// The first dose (`first dose`).
    FirstDose,
}

/// Something that ends a time, under the name by which an estimand may speak of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TimedHappening {
    /// Its name (`relapse`).
    pub id: String,
    /// What people call it.
    pub label: Label,
    /// What happens.
    pub what: Happening,
}

/// What can happen to a participant on a day.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "each variant's line says what its fields are")]
pub enum Happening {
    /// An adverse event begins for which `filter` holds over its columns; any, if none.
    AdverseEvent { filter: Option<Expression> },
    /// A value of a parameter, after the day from which times count, for which `holds` over the columns of its row.
    Finding { parameter: ParameterId, holds: Expression },
    /// Treatment ends for one of these reasons; the day is that of the last dose.
    TreatmentEnd { reasons: Vec<String> },
    /// Participation ends for one of these reasons.
    ParticipationEnd { reasons: Vec<String> },
}
