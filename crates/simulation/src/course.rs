//! The course of a participant as pure functions: when they come, when they stop, what is done about the dose.
//!
//! A rehearsal through commands and the fast path both call these, so that there is one model.

use protocol::model::{BackgroundEvents, Habits, HazardProcess};
use record::EndReason;
use terms::ArmId;

use crate::{
    person::Episode,
    streams::{Draws, below_of},
};

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

/// Whether a visit is held, and how far from its planned day.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Coming {
    days: f64,
    pub(crate) missed: bool,
    /// Where the visit lies outside its window, the days beyond it.
    outside: Option<i32>,
    /// A uniform number for where there is no planned day.
    place: f64,
}

/// Days beyond its window within which a visit is held, if it is not held within it.
const DAYS_OUTSIDE: f64 = 10.0;

impl Coming {
    /// Draws it: one block.
    #[inline]
    pub(crate) fn draw(draws: &mut Draws, habits: &Habits) -> Self {
        let days = draws.normal() * habits.visit_spread_days;
        let missed = draws.chance(habits.missed_visit);
        let place = draws.coarse();
        // Among those outside, their number over the share of those is uniform again.
        let outside =
            (place < habits.out_of_window).then(|| (DAYS_OUTSIDE * (place / habits.out_of_window)) as i32);
        Self { days, missed, outside, place }
    }

    /// Returns the days from the planned one, for a window of `within_days` to both sides.
    #[inline]
    pub(crate) fn from_target(self, within_days: i32) -> i32 {
        match self.outside {
            Some(days) => within_days + 1 + days,
            None => (libm::round(self.days) as i32).clamp(-within_days, within_days),
        }
    }

    /// Returns the days from the last dose to a visit for an early end.
    pub(crate) fn from_last_dose(self, within_days: i32) -> i32 {
        2 + (self.place * f64::from((within_days - 3).clamp(1, 10))) as i32
    }
}

/// What becomes of a form at a visit, apart from its answers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Care {
    /// It could not be filled.
    pub(crate) not_done: bool,
    /// An answer is found wrong later.
    pub(crate) wrong: bool,
    /// The data manager asks about an answer.
    pub(crate) asked: bool,
    /// Days until a wrong answer is corrected.
    pub(crate) days: i32,
}

impl Care {
    /// Draws it: one block.
    #[inline]
    pub(crate) fn draw(draws: &mut Draws, habits: &Habits) -> Self {
        Self {
            not_done: draws.chance(habits.form_not_done),
            wrong: draws.chance(habits.correction),
            asked: draws.chance(habits.query),
            days: 3 + draws.below(25) as i32,
        }
    }
}

/// Days from screening to the start, from the stream of somebody's arrival.
#[inline]
pub(crate) fn wait_for_start(arrival: Draws) -> i32 {
    7 + arrival.from_word(2).below(DAYS_TO_START) as i32
}

/// The same, of the word of that stream that they hang on.
#[inline(always)]
pub(crate) fn days_to_start(word: u32) -> i32 {
    7 + below_of(word, DAYS_TO_START) as i32
}

/// How many days there are to choose the start from, from a week after screening on.
const DAYS_TO_START: u32 = 15;

/// The part of the stream of somebody's arrival that decides their stratum.
#[inline]
pub(crate) fn of_stratum(arrival: Draws) -> Draws {
    arrival.from_word(3)
}

/// Days from one person's coming to the next one's, from the stream of that person's arrival.
#[inline]
pub(crate) fn wait_for_next(draws: &mut Draws, screened_per_month: f64) -> i32 {
    libm::ceil(draws.exponential_of_median(median_wait(screened_per_month))) as i32
}

/// Median of the days from one person's coming to the next one's.
#[inline]
pub(crate) fn median_wait(screened_per_month: f64) -> f64 {
    std::f64::consts::LN_2 * DAYS_A_MONTH / screened_per_month
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
    let after = 14 + draws.below((days_of_treatment - 28).max(1).unsigned_abs()) as i32;
    stops.then_some(after)
}

/// The place of the reason for which a person stops, from the stream of [`early_stop`].
pub(crate) fn reason_for_stop(withdrawal: Draws, weights: impl IntoIterator<Item = f64> + Clone) -> usize {
    withdrawal.from_word(2).weighted(weights)
}

/// The hazard of an arm over that which the process states.
pub(crate) fn hazard_ratio(process: &HazardProcess, arm: &ArmId) -> f64 {
    process.ratio.iter().find(|one| one.0 == *arm).map_or(1.0, |one| one.1)
}

/// The day after the first dose on which an event of a hazard comes, if it ever does.
///
/// The cumulated hazard at the event is an exponential number of mean 1; it grows by each stretch's monthly rate times
/// the arm's ratio.
#[inline]
pub(crate) fn days_to_event(draws: &mut Draws, process: &HazardProcess, ratio: f64) -> Option<i32> {
    let mut left = draws.exponential_of_median(std::f64::consts::LN_2);
    for (place, monthly) in process.monthly.iter().enumerate() {
        let rate = monthly * ratio;
        let from = process.from_months.get(place).copied().unwrap_or(0.0);
        match process.from_months.get(place + 1) {
            Some(until) if left > rate * (until - from) => left -= rate * (until - from),
            _ => {
                let days = libm::ceil((from + left / rate) * DAYS_A_MONTH);
                return (days < f64::from(HAZARD_DAYS_MAX)).then_some((days as i32).max(1));
            }
        }
    }
    None
}

/// Days from the first dose after which nobody is followed.
const HAZARD_DAYS_MAX: i32 = 36_525;

/// Why a person stops early, by the reason's name in the cohort.
pub(crate) fn end_reason(name: &str) -> EndReason {
    match name {
        "adverse_event" => EndReason::AdverseEvent,
        "progression" => EndReason::Progression,
        "withdrew_consent" => EndReason::WithdrewConsent,
        "lost_to_follow_up" => EndReason::LostToFollowUp,
        "death" => EndReason::Death,
        _ => EndReason::Other,
    }
}

/// Says whether nothing more is seen of a person who stops for a reason.
pub(crate) fn leaves_the_trial(reason: EndReason) -> bool {
    matches!(reason, EndReason::WithdrewConsent | EndReason::LostToFollowUp | EndReason::Death)
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

/// Days from one event that has nothing to do with the drug to the next: the first number of that event's stream.
pub(crate) fn wait_for_unrelated(draws: &mut Draws, per_month: f64) -> i32 {
    let median = std::f64::consts::LN_2 * DAYS_A_MONTH / per_month;
    (libm::ceil(draws.exponential_of_median(median)) as i32).max(1)
}

/// An event that has nothing to do with the drug.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unrelated {
    /// The place of its term.
    pub(crate) term: usize,
    pub(crate) serious: bool,
    pub(crate) related: bool,
    /// As it was drawn; a term may not have that grade.
    pub(crate) grade: u8,
}

impl Unrelated {
    /// Draws it, after [`wait_for_unrelated`].
    pub(crate) fn draw(draws: &mut Draws, events: &BackgroundEvents) -> Self {
        let term = draws.weighted(events.terms.iter().map(|(_, weight)| *weight));
        let serious = draws.chance(events.serious);
        let related = draws.chance(events.serious_related) && serious;
        let grade = draws.weighted(events.grades) as u8 + 1;
        // What brings a person to hospital is at least severe.
        Self { term, serious, related, grade: if serious { grade.max(3) } else { grade } }
    }
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
