//! The course of a participant as pure functions: when they come, when they stop, what is done about the dose.
//!
//! A rehearsal through commands and the fast path both call these, so that there is one model.

use protocol::model::Habits;

use crate::{person::Episode, streams::Draws};

/// Days of a month, on average.
pub(crate) const DAYS_A_MONTH: f64 = 30.4375;

/// Days after which a held drug is taken up again at the latest, well within any protocol's limit.
pub(crate) const HOLD_DAYS_MAX: i32 = 21;

/// Days beyond `escalation_after_days` before a reduced dose may go up again.
const STABLE_DAYS: i32 = 14;

/// Months from one day to another, for the disease's own clock.
#[inline]
pub(crate) fn months(days: i32) -> f64 {
    f64::from(days) / DAYS_A_MONTH
}

/// How far from its planned day a visit is held.
#[derive(Clone, Copy, Debug)]
pub(crate) struct VisitShift {
    days: f64,
    outside: bool,
    late_days: i32,
}

impl VisitShift {
    /// Draws it.
    #[inline]
    pub(crate) fn draw(draws: &mut Draws, habits: &Habits) -> Self {
        let days = draws.normal() * habits.visit_spread_days;
        let outside = draws.chance(habits.out_of_window);
        Self { days, outside, late_days: draws.below(10) as i32 }
    }

    /// Returns the days from the planned one, for a window of `within_days` to both sides.
    #[inline]
    pub(crate) fn from_target(self, within_days: i32) -> i32 {
        if self.outside {
            return within_days + 1 + self.late_days;
        }
        (libm::round(self.days) as i32).clamp(-within_days, within_days)
    }

    /// Returns the days from the last dose to a visit for an early end.
    pub(crate) fn from_last_dose(self, within_days: i32) -> i32 {
        2 + self.late_days % (within_days - 3)
    }
}

/// Days from screening to the start.
pub(crate) fn wait_for_start(draws: &mut Draws) -> i32 {
    7 + draws.below(15) as i32
}

/// Days from one person's coming to the next one's.
#[inline]
pub(crate) fn wait_for_next(draws: &mut Draws, screened_per_month: f64) -> i32 {
    let median = std::f64::consts::LN_2 * DAYS_A_MONTH / screened_per_month;
    libm::ceil(draws.exponential_of_median(median)) as i32
}

/// A person's own chance of stopping early, of a process with this share and slope: its odds change with what the person's skin
/// does without drug, in points by month 12 above the course's intercept.
#[inline]
pub(crate) fn chance_of_stopping(share: f64, per_skin_point: f64, change_12: f64, intercept: f64) -> f64 {
    if per_skin_point == 0.0 || share <= 0.0 || share >= 1.0 {
        return share;
    }
    let odds = share / (1.0 - share) * libm::exp(per_skin_point * (change_12 - intercept));
    odds / (1.0 + odds)
}

/// The day after the first dose on which a person stops the drug early, if they do.
///
/// Not in the first fortnight and not in the last: those are other stories.
#[inline]
pub(crate) fn early_stop(draws: &mut Draws, share: f64, days_of_treatment: i32) -> Option<i32> {
    let stops = draws.chance(share);
    let after = 14 + draws.below(i64::from(days_of_treatment - 28).max(1) as u64) as i32;
    stops.then_some(after)
}

/// What is done about the dose for an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DoseAnswer {
    /// Held.
    Hold,
    /// Down by a level.
    Reduce,
}

/// Answers an event: the drug is held for grade 3 and more, or where there is no lower level, and reduced
/// otherwise; nothing is done while it is held, or where the investigator sees no need.
pub(crate) fn answer_event<D: PartialOrd + Copy + Default>(
    episode: &Episode,
    present: D,
    lowest: D,
) -> Option<DoseAnswer> {
    if !episode.changes_dose || present == D::default() {
        return None;
    }
    Some(if episode.grade >= 3 || present <= lowest { DoseAnswer::Hold } else { DoseAnswer::Reduce })
}

/// Days from a hold to the taking up again, for an episode.
pub(crate) fn days_of_hold(episode: &Episode) -> i32 {
    days_of(episode).min(HOLD_DAYS_MAX)
}

/// Days of an episode, at least one.
pub(crate) fn days_of(episode: &Episode) -> i32 {
    (episode.to_day - episode.from_day).max(1)
}

/// Days from a reduction to the day on which the dose may go up again.
pub(crate) fn days_to_escalation(escalation_after_days: i32) -> i32 {
    escalation_after_days + STABLE_DAYS
}

/// Says whether an episode is felt on a day, both counted from the first dose; one that had not begun when
/// the drug was stopped never does.
#[inline]
pub(crate) fn is_present(episode: &Episode, day: i32, stopped: Option<i32>) -> bool {
    (episode.from_day..=episode.to_day).contains(&day)
        && stopped.is_none_or(|stopped| episode.from_day <= stopped)
}

/// Share of the full dose taken up to a day: each stretch's days (both ends counted) times its share, over
/// the days since the first dose, at most 1. Stretches are `(first day, last day or none, share)`.
pub(crate) fn dose_share(
    stretches: impl Iterator<Item = (i32, Option<i32>, f64)>,
    first_dose: i32,
    day: i32,
) -> f64 {
    let days = (day - first_dose).max(1);
    let taken: f64 = stretches
        .filter(|(from, ..)| *from <= day)
        .map(|(from, to, share)| share * f64::from((to.unwrap_or(day).min(day) - from + 1).max(0)))
        .sum();
    (taken / f64::from(days)).min(1.0)
}
