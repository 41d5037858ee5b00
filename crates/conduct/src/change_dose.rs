//! Dosing: start, hold, resume, reduce, escalate, stop. A held dose is a record of 0 mg.

use protocol::model::{DoseAction, DoseRule, Timing};
use record::{Content, DoseStep, Draft, Fact};
use terms::*;

use crate::{
    Refusal,
    adverse_events::need_row,
    casebook::{DoseChange, day_before, days_after},
    decide::{Case, found, need},
    hold_visit::judge_way_in,
    view::View,
    watch::need_not_stopped,
};

/// A dose change as it is asked for.
#[derive(Clone, Copy)]
pub(crate) struct Change<'a> {
    pub step: DoseStep,
    pub from: Date,
    pub dose_mg: Decimal,
    pub rule: Option<&'a RuleId>,
    pub adverse_event: Option<u32>,
}

pub(crate) fn change_dose(mut case: Case<'_>, change: Change<'_>) -> Result<Vec<Draft>, Refusal> {
    case.need_participation()?;
    case.need_in_trial()?;
    if let Some(end) = case.casebook.treatment_end {
        need(false, || Refusal::TreatmentAlreadyEnded { date: end.last_dose })?;
    }
    let from = change.from;
    let soon = from <= days_after(case.command.at.local_date, 1);
    need(soon, || Refusal::DoseTooFarAhead { from })?;
    if let Some(row) = change.adverse_event {
        need_row(&case, row)?;
    }
    if matches!(change.step, DoseStep::Started | DoseStep::Resumed | DoseStep::Escalated) {
        need_not_stopped(case.state)?;
    }
    match change.step {
        DoseStep::Started => need_start(&case, &change)?,
        DoseStep::Held => need_hold(&case, &change)?,
        DoseStep::Resumed => need_resume(&case, &change)?,
        DoseStep::Reduced => need_reduction(&case, &change)?,
        DoseStep::Escalated => need_escalation(&case, &change)?,
        DoseStep::Stopped => {
            need_under_treatment(&case, &change)?;
            need_dose(&change, Decimal::ZERO)?;
            need_explained(&case, &change, &[DoseAction::Stop, DoseAction::Hold])?;
        }
    }
    case.say(Fact::DoseChanged {
        step: change.step,
        from,
        dose_mg: Content::new(change.dose_mg),
        rule: change.rule.cloned(),
        adverse_event: change.adverse_event,
    });
    if change.step == DoseStep::Started {
        judge_way_in(&mut case, protocol::model::Anchor::FirstDose, from);
    }
    Ok(case.drafts)
}

/// The first dose: under consent, with drug in hand, on or after the last visit on the way in, at the highest level
/// unless a rule limits it.
fn need_start(case: &Case<'_>, change: &Change<'_>) -> Result<(), Refusal> {
    need(case.casebook.doses.is_empty(), || Refusal::TreatmentAlreadyStarted)?;
    case.need_current_consent(change.from)?;
    for visit in case.study.visits.iter().filter(|visit| matches!(visit.timing, Timing::On { .. })) {
        let held = case.casebook.visit_date(&visit.id);
        let by_then = held.is_some_and(|held| held <= change.from);
        need(by_then, || Refusal::FirstDoseBeforeVisit { visit: visit.id.clone() })?;
    }
    if let Some(entered) = case.casebook.enrolled {
        need(entered.date <= change.from, || Refusal::DoseBackdated {
            from: change.from,
            last: entered.date,
        })?;
    }
    if case.study.allocation.is_some() {
        need(!case.casebook.kits.is_empty(), || Refusal::NoKitInHand)?;
    }
    need_level(case, change)?;
    let full = case.study.dosing.levels_mg.first().copied().unwrap_or(change.dose_mg);
    match change.rule {
        Some(_) => need_rule(case, change, &[DoseAction::Limit]),
        None => need_dose(change, full),
    }
}

fn need_hold(case: &Case<'_>, change: &Change<'_>) -> Result<(), Refusal> {
    need_on_drug(case, change)?;
    need_dose(change, Decimal::ZERO)?;
    need_explained(case, change, &[DoseAction::Hold])
}

/// Taking the drug up again: the hold's rule does not say otherwise, the pause was short enough, and the
/// level is at most the one that the rule leaves.
fn need_resume(case: &Case<'_>, change: &Change<'_>) -> Result<(), Refusal> {
    let hold = need_under_treatment(case, change)?;
    need(hold.step == DoseStep::Held, || Refusal::DrugNotHeld)?;
    need_no_stopping_rule(case, change.from)?;
    need_level(case, change)?;
    let dosing = &case.study.dosing;
    let pause = days_between(hold.from, change.from);
    let limit = dosing.pause_days_max;
    need(pause <= limit, || Refusal::PauseTooLong { days: pause, limit })?;
    let (total, limit) = (days_off_drug(case) + pause, dosing.pause_days_total_max);
    need(total <= limit, || Refusal::PauseTooLong { days: total, limit })?;
    let rule = hold.rule.as_ref().and_then(|id| find_rule(case, id));
    if let Some(rule) = rule {
        let view = View::on(case.study, case.casebook, change.from);
        let allowed = rule.resume_when.as_ref().map_or(Truth::True, |when| when.truth(&view));
        need(allowed != Truth::False, || Refusal::ResumeTooEarly { rule: rule.id.clone() })?;
    }
    let expected = level_after_hold(case, rule)?;
    need(change.dose_mg <= expected, || Refusal::WrongLevel { dose_mg: change.dose_mg, expected })
}

fn need_reduction(case: &Case<'_>, change: &Change<'_>) -> Result<(), Refusal> {
    need_on_drug(case, change)?;
    need_level(case, change)?;
    let present = case.casebook.present_dose();
    let lower = case.study.dosing.levels_mg.iter().find(|level| **level < present);
    let expected = found(lower.copied(), || Refusal::NoLevelLeft)?;
    need(change.dose_mg <= expected, || Refusal::WrongLevel { dose_mg: change.dose_mg, expected })?;
    need_explained(case, change, &[DoseAction::Hold, DoseAction::Limit, DoseAction::Examine])
}

fn need_escalation(case: &Case<'_>, change: &Change<'_>) -> Result<(), Refusal> {
    let last = need_on_drug(case, change)?;
    need_no_stopping_rule(case, change.from)?;
    let dosing = &case.study.dosing;
    let raised = case.casebook.doses.iter().filter(|change| change.step == DoseStep::Escalated).count();
    let limit = dosing.escalations_max;
    need(raised < limit as usize, || Refusal::TooManyEscalations { limit })?;
    let (days, needed) = (days_between(last.from, change.from), dosing.escalation_after_days);
    need(days >= needed, || Refusal::NotStableYet { days, needed })?;
    let present = case.casebook.present_dose();
    let higher = dosing.levels_mg.iter().rev().find(|level| **level > present);
    let levels = || Refusal::NotALevel { dose_mg: change.dose_mg, levels: dosing.levels_mg.clone() };
    need_dose(change, *found(higher, levels)?)
}

/// Treatment has begun and was not stopped, and the change is later than the last one, which is returned.
fn need_under_treatment<'a>(case: &Case<'a>, change: &Change<'_>) -> Result<&'a DoseChange, Refusal> {
    let last = found(case.casebook.doses.last(), || Refusal::TreatmentNotStarted)?;
    need(last.step != DoseStep::Stopped, || Refusal::TreatmentStopped)?;
    need(last.from < change.from, || Refusal::DoseBackdated { from: change.from, last: last.from })?;
    Ok(last)
}

fn need_on_drug<'a>(case: &Case<'a>, change: &Change<'_>) -> Result<&'a DoseChange, Refusal> {
    let last = need_under_treatment(case, change)?;
    need(last.step != DoseStep::Held, || Refusal::DrugHeld)?;
    Ok(last)
}

#[cfg_attr(test, track_caller)]
fn need_dose(change: &Change<'_>, expected: Decimal) -> Result<(), Refusal> {
    need(change.dose_mg == expected, || Refusal::WrongLevel { dose_mg: change.dose_mg, expected })
}

#[cfg_attr(test, track_caller)]
fn need_level(case: &Case<'_>, change: &Change<'_>) -> Result<(), Refusal> {
    let levels = &case.study.dosing.levels_mg;
    let refusal = || Refusal::NotALevel { dose_mg: change.dose_mg, levels: levels.clone() };
    need(levels.contains(&change.dose_mg), refusal)
}

/// A rule, an adverse event or a reason stands behind the change; a rule asks for it and is triggered.
fn need_explained(case: &Case<'_>, change: &Change<'_>, actions: &[DoseAction]) -> Result<(), Refusal> {
    let reason = case.command.reason.as_deref().is_some_and(|reason| !reason.trim().is_empty());
    let explained = change.rule.is_some() || change.adverse_event.is_some() || reason;
    need(explained, || Refusal::DoseChangeUnexplained)?;
    if change.rule.is_some() { need_rule(case, change, actions) } else { Ok(()) }
}

pub(crate) fn need_rule(case: &Case<'_>, change: &Change<'_>, actions: &[DoseAction]) -> Result<(), Refusal> {
    let Some(id) = change.rule else { return Ok(()) };
    let rule = found(find_rule(case, id), || Refusal::UnknownDoseRule { rule: id.clone() })?;
    need(actions.contains(&rule.action), || Refusal::RuleAsksOtherwise { rule: id.clone() })?;
    let view = View::on(case.study, case.casebook, change.from);
    let triggered = rule.when.as_ref().map_or(Truth::True, |when| when.truth(&view));
    need(triggered != Truth::False, || Refusal::RuleNotTriggered { rule: id.clone() })
}

/// No rule that stops the drug for good holds on the day.
fn need_no_stopping_rule(case: &Case<'_>, day: Date) -> Result<(), Refusal> {
    let view = View::on(case.study, case.casebook, day);
    for rule in case.study.dosing.rules.iter().filter(|rule| rule.action == DoseAction::Stop) {
        let holds = rule.when.as_ref().is_some_and(|when| when.truth(&view) == Truth::True);
        need(!holds, || Refusal::MustStop { rule: rule.id.clone() })?;
    }
    Ok(())
}

fn find_rule<'a>(case: &Case<'a>, id: &RuleId) -> Option<&'a DoseRule> {
    case.study.dosing.rules.iter().find(|rule| rule.id == *id)
}

/// The highest level at which a held treatment may go on: the one before the hold, less the rule's levels.
fn level_after_hold(case: &Case<'_>, rule: Option<&DoseRule>) -> Result<Decimal, Refusal> {
    let doses = &case.casebook.doses;
    let levels = &case.study.dosing.levels_mg;
    let before = doses.iter().rev().find(|change| change.step != DoseStep::Held);
    let before = before.and_then(|change| change.dose_mg).unwrap_or_default();
    let holds = doses.iter().filter(|change| {
        change.step == DoseStep::Held && rule.is_some_and(|rule| change.rule.as_ref() == Some(&rule.id))
    });
    let down = rule.map_or(0, |rule| if holds.count() > 1 { rule.levels_down.1 } else { rule.levels_down.0 });
    let place = levels.iter().position(|level| *level <= before).unwrap_or(0);
    found(levels.get(place + down as usize).copied(), || Refusal::NoLevelLeft)
}

/// Days of earlier holds.
fn days_off_drug(case: &Case<'_>) -> i32 {
    let held =
        case.casebook.dose_intervals().into_iter().filter(|interval| interval.dose_mg == Some(Decimal::ZERO));
    held.filter_map(|interval| Some(days_between(interval.from, interval.to?) + 1)).sum()
}

/// Returns the last day with a dose by the dosing record, if it is held or stopped.
pub(crate) fn last_day_on_drug(case: &Case<'_>) -> Option<Date> {
    let last = case.casebook.doses.last()?;
    let first_off = match last.step {
        DoseStep::Held => last.from,
        DoseStep::Stopped => {
            let before = case.casebook.doses.iter().rev().nth(1)?;
            if before.step == DoseStep::Held { before.from } else { last.from }
        }
        _ => return None,
    };
    Some(day_before(first_off))
}
