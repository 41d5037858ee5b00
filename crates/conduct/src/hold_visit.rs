//! Visits: held on a day in their order, or missed. What lies outside its window is a deviation by itself.

use protocol::model::{Study, Timing, Visit};
use record::{DeviationKind, Draft, Fact};
use terms::*;

use crate::{
    Refusal,
    casebook::Casebook,
    decide::{Case, found, need},
    decide_eligibility::decision_visits,
    schedule::{anchor_of, awaited, is_before_treatment, predecessors, scheduled_visit, window},
};

pub(crate) fn hold_visit(mut case: Case<'_>, visit: &VisitId) -> Result<Vec<Draft>, Refusal> {
    let date = case.day()?;
    let planned = known_visit(case.study, visit)?;
    need_not_done(case.casebook, visit)?;
    case.need_participation()?;
    case.need_current_consent(date)?;
    let screened = case.need_screened()?.date;
    need(screened <= date, || Refusal::VisitBeforeScreening { visit: visit.clone(), date, screened })?;
    need_predecessors(&case, planned, visit, date)?;
    need_place(&case, planned, visit, date)?;
    let window = window(case.casebook, planned);
    let target = window.and_then(|window| window.target);
    case.say(Fact::VisitHeld { visit: visit.clone(), date, target });
    if let Some(window) = window
        && !window.holds(date)
    {
        out_of_window(&mut case, visit, date);
    }
    Ok(case.drafts)
}

pub(crate) fn miss_visit(mut case: Case<'_>, visit: &VisitId) -> Result<Vec<Draft>, Refusal> {
    let planned = known_visit(case.study, visit)?;
    need_not_done(case.casebook, visit)?;
    case.need_participation()?;
    let missable = !is_before_treatment(planned) && planned.timing != Timing::Unscheduled;
    need(missable, || Refusal::VisitNotMissable { visit: visit.clone() })?;
    need_early_stop(&case, planned, visit)?;
    let window = found(window(case.casebook, planned), || no_anchor(planned, visit))?;
    need(window.first <= case.command.at.local_date, || Refusal::VisitNotYetDue {
        visit: visit.clone(),
        first: window.first,
    })?;
    case.say(Fact::VisitMissed { visit: visit.clone() });
    missed(&mut case, visit);
    Ok(case.drafts)
}

/// Records every visit as missed that was owed by `date` and neither held nor missed.
pub(crate) fn miss_what_is_owed(case: &mut Case<'_>, date: Date) {
    let (study, casebook) = (case.study, case.casebook);
    for visit in &study.visits {
        let settled = casebook.visits.contains_key(&visit.id) || casebook.missed.contains_key(&visit.id);
        let early = casebook.treatment_end.is_some_and(|end| end.early);
        let applies = !is_before_treatment(visit)
            && visit.timing != Timing::Unscheduled
            && (early || !matches!(visit.timing, Timing::EarlyEnd { .. }));
        if !settled && applies && window(casebook, visit).is_some_and(|window| window.last < date) {
            case.follow(Fact::VisitMissed { visit: visit.id.clone() });
            missed(case, &visit.id);
        }
    }
}

/// Looks back at the visits on the way in once their anchor is known.
pub(crate) fn judge_way_in(case: &mut Case<'_>, anchor: protocol::model::Anchor, day: Date) {
    let study = case.study;
    for visit in &study.visits {
        let (first, last) = match visit.timing {
            Timing::Before { anchor: named, first_day, last_day } if named == anchor => (first_day, last_day),
            Timing::On { anchor: named } if named == anchor => (0, 0),
            _ => continue,
        };
        if let Some(held) = case.casebook.visit_date(&visit.id) {
            let offset = days_between(day, held);
            if !(first..=last).contains(&offset) {
                out_of_window(case, &visit.id, held);
            }
        }
    }
}

fn out_of_window(case: &mut Case<'_>, visit: &VisitId, date: Date) {
    let text = format!("visit {} was held on {date}, outside its window", case.study.visit_name(visit, "en"));
    case.deviate(DeviationKind::OutOfWindow, Some(visit), None, text);
}

fn missed(case: &mut Case<'_>, visit: &VisitId) {
    let text = format!("visit {} was not held", case.study.visit_name(visit, "en"));
    case.deviate(DeviationKind::MissedVisit, Some(visit), None, text);
}

#[cfg_attr(test, track_caller)]
pub(crate) fn known_visit<'a>(study: &'a Study, visit: &VisitId) -> Result<&'a Visit, Refusal> {
    found(scheduled_visit(study, visit), || Refusal::UnknownVisit { visit: visit.clone() })
}

fn need_not_done(casebook: &Casebook, visit: &VisitId) -> Result<(), Refusal> {
    let held = casebook.visits.contains_key(visit);
    need(!held, || Refusal::VisitAlreadyHeld { visit: visit.clone() })?;
    let missed = casebook.missed.contains_key(visit);
    need(!missed, || Refusal::VisitAlreadyMissed { visit: visit.clone() })
}

fn need_predecessors(case: &Case<'_>, planned: &Visit, visit: &VisitId, date: Date) -> Result<(), Refusal> {
    if planned.timing == Timing::Unscheduled {
        return Ok(());
    }
    for earlier in predecessors(case.study, planned) {
        let settled = case.casebook.missed.contains_key(&earlier.id);
        match case.casebook.visit_date(&earlier.id) {
            Some(previous_date) => need(previous_date <= date, || Refusal::VisitBeforePrevious {
                visit: visit.clone(),
                date,
                previous: earlier.id.clone(),
                previous_date,
            })?,
            None => need(settled, || Refusal::VisitOutOfOrder {
                visit: visit.clone(),
                previous: earlier.id.clone(),
            })?,
        }
    }
    Ok(())
}

/// What a visit needs by its place: a signed decision for the day of entry, the trial and its anchor for
/// all later ones.
fn need_place(case: &Case<'_>, planned: &Visit, visit: &VisitId, date: Date) -> Result<(), Refusal> {
    match planned.timing {
        Timing::Before { .. } | Timing::Unscheduled => Ok(()),
        Timing::On { .. } => need_decided_before(case, planned),
        _ => {
            case.need_in_trial()?;
            need_early_stop(case, planned, visit)?;
            let anchor = found(anchor_of(case.casebook, planned), || no_anchor(planned, visit))?;
            need(anchor <= date, || Refusal::VisitBeforeAnchor {
                visit: visit.clone(),
                date,
                awaited: awaited(planned),
                anchor,
            })
        }
    }
}

/// Eligibility was signed at every visit before this one at which a rule is decided.
fn need_decided_before(case: &Case<'_>, planned: &Visit) -> Result<(), Refusal> {
    let earlier = case.study.visits.iter().take_while(|visit| visit.id != planned.id);
    let earlier: Vec<_> = earlier.map(|visit| &visit.id).collect();
    for visit in decision_visits(case.study).into_iter().filter(|visit| earlier.contains(visit)) {
        let signed = case.casebook.eligibility.get(visit).is_some_and(|decision| decision.eligible);
        need(signed, || Refusal::EligibilityNotSigned { subject: case.subject(), visit: visit.clone() })?;
    }
    Ok(())
}

fn need_early_stop(case: &Case<'_>, planned: &Visit, visit: &VisitId) -> Result<(), Refusal> {
    let for_early = matches!(planned.timing, Timing::EarlyEnd { .. });
    let early = case.casebook.treatment_end.is_some_and(|end| end.early);
    need(!for_early || early, || Refusal::NotStoppedEarly { visit: visit.clone(), subject: case.subject() })
}

fn no_anchor(planned: &Visit, visit: &VisitId) -> Refusal {
    Refusal::AnchorMissing { visit: visit.clone(), awaited: awaited(planned) }
}
