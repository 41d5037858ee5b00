//! The schedule of activities as a table that can be printed.
//!
//! Only the protocol's grid: what happens at a visit is conduct's business.

use std::fmt;

use serde::Serialize;

use crate::model::{Mark, Study, Timing, Visit};

/// The schedule of activities: a column a visit, a row an activity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ScheduleTable {
    /// Each visit's id, in order.
    pub visits: Vec<String>,
    /// When each visit is planned, in short (`+3 mo ±7 d`).
    pub timings: Vec<String>,
    /// Each activity's label and its marks, `x`, `c` or empty, one a visit.
    pub rows: Vec<(String, Vec<&'static str>)>,
}

/// Returns the schedule of activities, labels in the study's main language.
pub fn schedule_table(study: &Study) -> ScheduleTable {
    let language = study.languages.first().map_or("en", String::as_str);
    ScheduleTable {
        visits: study.visits.iter().map(|visit| visit.id.to_string()).collect(),
        timings: study.visits.iter().map(timing).collect(),
        rows: study
            .activities
            .iter()
            .map(|activity| {
                let marks = study.visits.iter().map(|visit| match activity.at(&visit.id) {
                    Mark::Do => "x",
                    Mark::Confirm => "c",
                    Mark::Nothing => "",
                });
                let label = activity.label.get(language);
                (if label.is_empty() { activity.id.clone() } else { label.to_owned() }, marks.collect())
            })
            .collect(),
    }
}

fn timing(visit: &Visit) -> String {
    match &visit.timing {
        Timing::Before { first_day, last_day, .. } => format!("{first_day}..{last_day} d"),
        Timing::On { .. } => "day 1".to_owned(),
        Timing::Months { months, within_days, .. } => format!("+{months} mo ±{within_days} d"),
        Timing::Days { offset_days, within_days, .. } => format!("day {} ±{within_days} d", offset_days + 1),
        Timing::AfterVisit { visit, offset_days, within_days } => {
            format!("{visit}+{offset_days} d ±{within_days} d")
        }
        Timing::EarlyEnd { within_days } => format!("stop +{within_days} d"),
        Timing::Unscheduled => "any".to_owned(),
    }
}

impl fmt::Display for ScheduleTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = self.rows.iter().map(|(label, _)| label.chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = self.visits.iter().map(|visit| visit.chars().count().max(1)).collect();
        write!(f, "{:first$}", "")?;
        for (visit, width) in self.visits.iter().zip(&widths) {
            write!(f, "  {visit:width$}")?;
        }
        for (label, marks) in &self.rows {
            write!(f, "\n{label:first$}")?;
            for (mark, width) in marks.iter().zip(&widths) {
                write!(f, "  {:width$}", if mark.is_empty() { "." } else { mark })?;
            }
        }
        Ok(())
    }
}
