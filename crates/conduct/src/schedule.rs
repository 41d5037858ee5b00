//! When a participant's visits are planned: anchors, targets and windows.
//!
//! Months are calendar months, windows are closed on both ends, and no window is reckoned from
//! an anchor that has not happened.

use protocol::model::{Anchor, Mark, Study, Timing, Visit};
use terms::*;

use crate::casebook::{Casebook, days_after};

/// The days on which a visit is as planned, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The planned day, where the visit has one.
    pub target: Option<Date>,
    /// The first day.
    pub first: Date,
    /// The last day.
    pub last: Date,
}

impl Window {
    fn around(target: Date, within_days: i32) -> Self {
        Self {
            target: Some(target),
            first: days_after(target, -within_days),
            last: days_after(target, within_days),
        }
    }

    /// Says whether a day lies in the window.
    pub fn holds(&self, date: Date) -> bool {
        (self.first..=self.last).contains(&date)
    }
}

/// Returns the visit of the schedule that an id means. Unscheduled visits carry a number of their
/// own after the schedule's id (`U` and `U1`, `U2` …).
pub fn scheduled_visit<'a>(study: &'a Study, visit: &VisitId) -> Option<&'a Visit> {
    study.visit(visit.as_str()).or_else(|| {
        let stem = visit.as_str().trim_end_matches(|digit: char| digit.is_ascii_digit());
        study.visits.iter().find(|known| {
            known.timing == Timing::Unscheduled
                && (known.id == *stem
                    || known.id.as_str().trim_end_matches(|digit: char| digit.is_ascii_digit()) == stem)
        })
    })
}

/// Returns the day of an anchor, once it has happened.
pub fn anchor_date(casebook: &Casebook, anchor: Anchor) -> Option<Date> {
    match anchor {
        Anchor::FirstDose => casebook.first_dose(),
        Anchor::Randomisation => casebook.allocated.as_ref().map(|place| place.randomised.date),
        Anchor::LastDose => casebook.last_dose(),
        Anchor::Screening => casebook.screened.map(|screened| screened.date),
    }
}

/// Returns a visit's window for a participant; none while its anchor has not happened, and for unscheduled visits.
pub fn window(casebook: &Casebook, visit: &Visit) -> Option<Window> {
    match &visit.timing {
        Timing::Before { anchor, first_day, last_day } => {
            let anchor = anchor_date(casebook, *anchor)?;
            // Day -1 is the day before: there is no day 0, so a negative day is an offset.
            Some(Window {
                target: None,
                first: days_after(anchor, *first_day),
                last: days_after(anchor, *last_day),
            })
        }
        Timing::On { anchor } => anchor_date(casebook, *anchor).map(|date| Window::around(date, 0)),
        Timing::Months { anchor, months, within_days } => {
            anchor_date(casebook, *anchor).map(|date| Window::around(add_months(date, *months), *within_days))
        }
        Timing::Days { anchor, offset_days, within_days } => anchor_date(casebook, *anchor)
            .map(|date| Window::around(days_after(date, *offset_days), *within_days)),
        Timing::AfterVisit { visit, offset_days, within_days } => casebook
            .visit_date(visit)
            .map(|date| Window::around(days_after(date, *offset_days), *within_days)),
        Timing::EarlyEnd { within_days } => casebook.last_dose().map(|last| Window {
            target: None,
            first: last,
            last: days_after(last, *within_days),
        }),
        Timing::Unscheduled => None,
    }
}

/// Returns the day that a visit is reckoned from, once it has happened.
pub(crate) fn anchor_of(casebook: &Casebook, visit: &Visit) -> Option<Date> {
    match &visit.timing {
        Timing::Before { anchor, .. }
        | Timing::On { anchor }
        | Timing::Months { anchor, .. }
        | Timing::Days { anchor, .. } => anchor_date(casebook, *anchor),
        Timing::AfterVisit { visit, .. } => casebook.visit_date(visit),
        Timing::EarlyEnd { .. } => casebook.last_dose(),
        Timing::Unscheduled => None,
    }
}

/// Returns what a visit waits for, in words, while its window can't be reckoned.
pub(crate) fn awaited(visit: &Visit) -> String {
    let anchor = |anchor: &Anchor| {
        match anchor {
            Anchor::FirstDose => "the first dose",
            Anchor::Randomisation => "randomisation",
            Anchor::LastDose => "the end of treatment",
            Anchor::Screening => "screening",
        }
        .to_owned()
    };
    match &visit.timing {
        Timing::Before { anchor: named, .. }
        | Timing::On { anchor: named }
        | Timing::Months { anchor: named, .. }
        | Timing::Days { anchor: named, .. } => anchor(named),
        Timing::AfterVisit { visit, .. } => format!("visit {visit}"),
        Timing::EarlyEnd { .. } => "the end of treatment".to_owned(),
        Timing::Unscheduled => "nothing".to_owned(),
    }
}

/// Says whether a visit belongs to the way in: before the anchor, or on it.
pub(crate) fn is_before_treatment(visit: &Visit) -> bool {
    matches!(visit.timing, Timing::Before { .. } | Timing::On { .. })
}

/// Returns the planned visits that must have been held or missed before this one: those of the main
/// columns on the way in, and earlier ones that count from the same anchor.
pub(crate) fn predecessors<'a>(study: &'a Study, visit: &'a Visit) -> impl Iterator<Item = &'a Visit> {
    let line = line_of(visit);
    study.visits.iter().take_while(move |earlier| earlier.id != visit.id).filter(move |earlier| {
        !earlier.extra && (is_before_treatment(earlier) || (line.is_some() && line_of(earlier) == line))
    })
}

/// The line of visits that a visit stands in: those that count from one anchor. Extra visits, early
/// ends and unscheduled visits stand in none.
fn line_of(visit: &Visit) -> Option<Anchor> {
    match visit.timing {
        Timing::Months { anchor, .. } | Timing::Days { anchor, .. } if !visit.extra => Some(anchor),
        _ => None,
    }
}

/// Says whether the schedule asks for a form at a visit, to do or to confirm.
pub fn is_scheduled(study: &Study, visit: &Visit, form: &FormId) -> bool {
    visit.timing == Timing::Unscheduled
        || study
            .activities
            .iter()
            .any(|activity| activity.forms.contains(form) && activity.at(&visit.id) != Mark::Nothing)
}

/// Returns the last planned day of treatment, from the day of the first dose.
///
/// It is the day before the date that lies the planned months after the first dose.
pub fn planned_last_dose(study: &Study, first_dose: Date) -> Date {
    crate::casebook::day_before(add_months(first_dose, study.dosing.planned_months))
}
