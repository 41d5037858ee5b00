//! What the safety board is told of by the record itself: stopping rules and planned looks.

use serde::Serialize;
use terms::*;

use super::{Label, SourceMark, StoppingBoundary};
use crate::expression::Expression;

/// A count of participants that the record keeps by itself, and what it is held to.
///
/// ```toml
/// [watches.related_severe]
/// label    = "Related events that are serious or of grade 3 or more"
/// boundary = "stopping"              # an analysis of the plan with a stopping boundary
/// mark     = "assumed"
///
/// [watches.month_3]
/// label = "Participants with data of month 3"
/// item  = "skin_score.total"         # a participant counts once it holds a value …
/// visit = "M3"                       # … at this visit
/// looks = [10, 20]
/// mark  = "assumed"
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Watch {
    /// Its id.
    pub id: WatchId,
    /// What is counted.
    pub label: Label,
    /// Who counts, and what the count is held to.
    pub counts: WatchedCount,
    /// How sure it is.
    pub mark: SourceMark,
}

/// Who counts, and what the count is held to.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WatchedCount {
    /// Participants with an adverse event that an analysis counts, among those who began treatment.
    Events {
        /// The analysis.
        analysis: AnalysisId,
        /// Which events count; all, if none.
        filter: Option<Expression>,
        /// The rule.
        boundary: StoppingBoundary,
        /// The least count that reaches the boundary with 1, 2, … participants treated.
        limits: Vec<u32>,
    },
    /// Participants of whom an item holds a value at a visit.
    Data {
        /// The form.
        form: FormId,
        /// The item.
        item: ItemId,
        /// The visit.
        visit: VisitId,
        /// The counts at which the board looks, ascending.
        looks: Vec<u32>,
    },
}

impl WatchedCount {
    /// Returns the least count that reaches the boundary with so many participants treated; none of planned looks, and
    /// beyond the participants that the boundary was made for that of the last.
    pub fn limit(&self, treated: u32) -> Option<u32> {
        match self {
            WatchedCount::Events { limits, .. } => {
                let place = usize::try_from(treated).unwrap_or(usize::MAX).checked_sub(1)?;
                limits.get(place).or(limits.last()).copied()
            }
            WatchedCount::Data { .. } => None,
        }
    }
}
