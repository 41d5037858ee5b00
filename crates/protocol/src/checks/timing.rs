//! Visits against each other: order, overlapping windows, what closes what.

use terms::{Date, add_months, days_between};

use super::Parts;
use crate::{
    desk::Desk,
    model::{Anchor, Timing, Visit},
    source::Place,
};

pub(crate) fn run(desk: &mut Desk<'_>, parts: &Parts<'_>) {
    before_anchor(desk, parts);
    overlapping(desk, parts);
    series(desk, parts);
    closing(desk, parts);
}

/// Days from the anchor that a visit's window can cover, over all anchor dates: earliest and latest.
fn window(visit: &Visit) -> Option<(Anchor, i32, i32)> {
    match visit.timing {
        Timing::Before { anchor, first_day, last_day } => Some((anchor, first_day, last_day)),
        Timing::On { anchor } => Some((anchor, 0, 0)),
        Timing::Months { anchor, months, within_days } => {
            Some((anchor, shortest(0, months) - within_days, longest(0, months) + within_days))
        }
        _ => None,
    }
}

fn month_lengths(from: i32, to: i32) -> impl Iterator<Item = i32> {
    // The longest stretch has a 29 February, the shortest a 28: two years have both.
    (0..24).map(move |start| {
        let anchor = add_months(Date::constant(2007, 1, 1), start);
        days_between(add_months(anchor, from), add_months(anchor, to))
    })
}

fn shortest(from: i32, to: i32) -> i32 {
    month_lengths(from, to).min().unwrap_or(0)
}

fn longest(from: i32, to: i32) -> i32 {
    month_lengths(from, to).max().unwrap_or(0)
}

/// Returns how many days lie between the end of one visit's window and the start of the next, at their fewest.
fn gap(before: &Visit, after: &Visit) -> Option<i32> {
    let ((anchor, _, last), (other, first, _)) = (window(before)?, window(after)?);
    // Randomisation and first dose are not the same day, so nothing can be said across anchors.
    if anchor != other {
        return None;
    }
    match (&before.timing, &after.timing) {
        (
            Timing::Months { months: from, within_days: a, .. },
            Timing::Months { months: to, within_days: b, .. },
        ) => Some(shortest(*from, *to) - a - b),
        _ => Some(first - last),
    }
}

/// A visit after its anchor can't be held before it.
fn before_anchor(desk: &mut Desk<'_>, parts: &Parts<'_>) {
    for visit in &parts.study.visits {
        let Timing::Months { months, within_days, .. } = visit.timing else { continue };
        let first = shortest(0, months);
        if within_days >= first
            && let Some(place) = place_of(parts, visit)
        {
            let message = format!("the window of {} reaches back to the day it is counted from", visit.id);
            let help = format!("{months} months have at least {first} days: `within_days` must be less");
            desk.error("windows-overlap", &place, message, Some(help));
        }
    }
}

/// Returns the days from a visit on its planned day to the last day of a later one's window, at their most.
pub(crate) fn days_to(from: &Visit, to: &Visit) -> Option<i32> {
    let start = match from.timing {
        Timing::On { .. } => 0,
        Timing::Months { anchor: Anchor::FirstDose, months, .. } => months,
        _ => return None,
    };
    match to.timing {
        Timing::Months { anchor: Anchor::FirstDose, months, within_days } => {
            Some(longest(start, months) + within_days)
        }
        _ => None,
    }
}

fn overlapping(desk: &mut Desk<'_>, parts: &Parts<'_>) {
    let planned: Vec<&Visit> = parts.study.visits.iter().filter(|visit| !visit.extra).collect();
    for (index, after) in planned.iter().enumerate() {
        for before in &planned[..index] {
            let Some(days) = gap(before, after) else { continue };
            if days > 0 {
                continue;
            }
            let Some(place) = place_of(parts, after) else { continue };
            let reversed = gap(after, before).is_some_and(|days| days > 0);
            if reversed {
                let message =
                    format!("visit {} comes before {}, and is listed after it", after.id, before.id);
                desk.error("order", &place, message, Some("list the visits in their order".into()));
            } else {
                let message = format!("the windows of {} and {} overlap", before.id, after.id);
                let help = format!("a date can lie in both: narrow `within_days` by {} in all", 1 - days);
                desk.error("windows-overlap", &place, message, Some(help));
            }
        }
    }
}

fn series(desk: &mut Desk<'_>, parts: &Parts<'_>) {
    let visits = &parts.study.visits;
    for (before, after) in visits.iter().zip(visits.iter().skip(1)) {
        let (days, within) = match (&before.timing, &after.timing) {
            (Timing::Days { offset_days: a, within_days, .. }, Timing::Days { offset_days: b, .. })
            | (
                Timing::AfterVisit { offset_days: a, within_days, .. },
                Timing::AfterVisit { offset_days: b, .. },
            ) => (b - a, within_days),
            _ => continue,
        };
        let name = before.id.as_str().trim_end_matches(|c: char| c.is_ascii_digit());
        if days > 0
            && days <= 2 * within
            && let Some(place) = parts.schedule.visit_places.get(name)
        {
            let message = format!("the windows within series {name} overlap");
            let help = format!("{days} days apart leave at most `within_days = {}`", (days - 1) / 2);
            desk.error("windows-overlap", place, message, Some(help));
        }
    }
}

fn place_of(parts: &Parts<'_>, visit: &Visit) -> Option<Place> {
    parts.schedule.visit_places.get(visit.id.as_str()).cloned()
}

fn closing(desk: &mut Desk<'_>, parts: &Parts<'_>) {
    let visits = &parts.study.visits;
    if visits.is_empty() {
        return;
    }
    let whole = parts.schedule.visit_places.values().next().cloned();
    for (what, closes) in [("treatment", closes_treatment as fn(&Visit) -> bool), ("study", closes_study)] {
        let closing: Vec<&Visit> = visits.iter().filter(|visit| closes(visit)).collect();
        match closing.as_slice() {
            [_] => {}
            [] => {
                if let Some(place) = visits
                    .iter()
                    .rev()
                    .filter(|visit| !visit.extra)
                    .find_map(|visit| place_of(parts, visit))
                    .or(whole.clone())
                {
                    let help = format!("add `closes = \"{what}\"` to the last visit of the {what}");
                    desk.error("closing", &place, format!("no visit closes the {what}"), Some(help));
                }
            }
            [first, .., last] => {
                if let Some(place) = place_of(parts, last) {
                    let message = format!("visits {} and {} both close the {what}", first.id, last.id);
                    desk.error("closing", &place, message, Some("keep it at the last one".into()));
                }
            }
        }
    }
    let Some(last) = visits.iter().find(|visit| visit.closes_treatment) else { return };
    let planned = parts.study.dosing.planned_months;
    if let (Timing::Months { anchor: Anchor::FirstDose, months, .. }, Some(place)) =
        (&last.timing, place_of(parts, last))
        && *months != planned
        && planned > 0
    {
        let message =
            format!("{} closes treatment at month {months}, and dosing.toml plans {planned} months", last.id);
        desk.error("closing", &place, message, Some("make the two agree".into()));
    }
}

fn closes_treatment(visit: &Visit) -> bool {
    visit.closes_treatment
}

fn closes_study(visit: &Visit) -> bool {
    visit.closes_study
}
