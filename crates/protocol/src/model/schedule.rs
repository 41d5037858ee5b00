//! The schedule of activities: visits with anchors and windows, and the grid.

use serde::Serialize;
use terms::*;

use super::Label;

/// What a visit is reckoned from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Anchor {
    /// The day of the first dose.
    FirstDose,
    /// The day of randomisation.
    Randomisation,
    /// The day of the last dose.
    LastDose,
    /// The day screening began.
    Screening,
}

/// When a visit is planned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "each variant's line says what its fields are")]
pub enum Timing {
    /// Between two study days before the anchor: `{ before = "randomisation", days = [-28, -1] }`.
    Before { anchor: Anchor, first_day: i32, last_day: i32 },
    /// On the anchor's own day: `{ on = "randomisation" }`.
    On { anchor: Anchor },
    /// Calendar months after the anchor: `{ after = "first_dose", months = 3, within_days = 7 }`.
    Months { anchor: Anchor, months: i32, within_days: i32 },
    /// Days after the anchor, repeated: `{ every_days = 7, after = "first_dose", from_day = 8, until = "M1", within_days = 2 }`;
    /// the visit is one of the series, `number` counts from 1. Expanded by the compiler to one [`Visit`] each.
    Days { anchor: Anchor, offset_days: i32, within_days: i32 },
    /// Days after another visit's date: the weekly and fortnightly counts that start from a visit.
    AfterVisit { visit: VisitId, offset_days: i32, within_days: i32 },
    /// After the last dose of who stops early: `{ after = "last_dose", within_days = 14, when = "stopped early" }`.
    EarlyEnd { within_days: i32 },
    /// Whenever needed (`{ unscheduled = true }`).
    Unscheduled,
}

/// A visit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Visit {
    /// Its id (`M6`).
    pub id: VisitId,
    /// What people call it.
    pub label: Label,
    /// The epoch it belongs to.
    pub epoch: String,
    /// When it is planned.
    pub timing: Timing,
    /// Whether it belongs to an extra series (weekly blood counts) rather than the main columns.
    pub extra: bool,
    /// Whether it is the last planned visit on treatment (`closes = "treatment"`).
    pub closes_treatment: bool,
    /// Whether it is the last visit of the trial (`closes = "study"`).
    pub closes_study: bool,
    /// A study visit whose values it may never be analysed as (`never = "M6"` at an early end).
    pub never_analysed_as: Option<VisitId>,
}

/// What the schedule asks for at a visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// `x`: do it.
    Do,
    /// `c`: confirm what was done before.
    Confirm,
    /// `.`: nothing.
    Nothing,
}

/// A row of the schedule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Activity {
    /// The row's id (`skin_score`).
    pub id: String,
    /// What people call it.
    pub label: Label,
    /// The forms that record it. By default the form of the row's own id.
    pub forms: Vec<FormId>,
    /// Visit and mark, visits without a mark left out; extra visits included.
    pub marks: Vec<(VisitId, Mark)>,
    /// How sure the row is.
    pub mark: super::SourceMark,
    /// How many days before the visit the procedure may be done (baseline procedures: 28).
    pub may_precede_days: i32,
}

impl Activity {
    /// Returns the row's mark at a visit.
    pub fn at(&self, visit: &VisitId) -> Mark {
        self.marks.iter().find(|(id, _)| id == visit).map_or(Mark::Nothing, |(_, mark)| *mark)
    }
}
