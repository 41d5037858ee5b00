//! The ends: of treatment, early or as planned, and of participation.
//!
//! Who stops the drug stays in follow-up; only the end of participation closes the visits.

use protocol::model::{DoseAction, Visit};
use record::{Content, DeviationKind, DoseStep, Draft, EndReason, Fact};
use terms::*;

use crate::{
    Refusal,
    adverse_events::need_row,
    casebook::days_after,
    change_dose::{Change, last_day_on_drug, need_rule},
    compliance::compliance,
    decide::{Case, found, need},
    hold_visit::miss_what_is_owed,
};

pub(crate) fn end_treatment(
    mut case: Case<'_>,
    reason: EndReason,
    last_dose: Date,
    (adverse_event, rule): (Option<u32>, Option<&RuleId>),
) -> Result<Vec<Draft>, Refusal> {
    case.need_participation()?;
    if let Some(end) = case.casebook.treatment_end {
        need(false, || Refusal::TreatmentAlreadyEnded { date: end.last_dose })?;
    }
    let last = found(case.casebook.doses.last(), || Refusal::TreatmentNotStarted)?;
    let recorded = case.command.at.local_date;
    need(last_dose <= recorded, || Refusal::NotYetHappened { happened: last_dose.into(), recorded })?;
    match last_day_on_drug(&case) {
        Some(expected) => need(last_dose == expected, || Refusal::LastDoseDiffers { last_dose, expected })?,
        None => {
            need(last.from <= last_dose, || Refusal::LastDoseBeforeChange { last_dose, last: last.from })?
        }
    }
    need_event(&case, reason, adverse_event)?;
    need(reason != EndReason::StoppingRule || rule.is_some(), || Refusal::RuleNotNamed)?;
    let (step, from, dose_mg) = (DoseStep::Stopped, days_after(last_dose, 1), Decimal::ZERO);
    need_rule(
        &case,
        &Change { step, from, dose_mg, rule, adverse_event },
        &[DoseAction::Stop, DoseAction::Hold],
    )?;
    if reason == EndReason::Completed
        && let Some(closing) = case.study.visits.iter().find(|visit| visit.closes_treatment)
    {
        need(is_settled(&case, closing), || Refusal::TreatmentIncomplete { visit: closing.id.clone() })?;
    }
    if last.step != DoseStep::Stopped {
        case.say(Fact::DoseChanged {
            step,
            from,
            dose_mg: Content::new(dose_mg),
            rule: rule.cloned(),
            adverse_event,
        });
    }
    let early = reason != EndReason::Completed;
    case.say(Fact::TreatmentEnded { reason, last_dose, early, adverse_event });
    if early {
        let text = format!("treatment ended early, with the last dose on {last_dose}");
        case.deviate(DeviationKind::EarlyEnd, None, None, text);
    }
    Ok(case.drafts)
}

/// Ends participation. What was owed until then and not held is recorded as missed, and the treatment taken is
/// held against the treatment planned.
pub(crate) fn end_participation(mut case: Case<'_>, reason: EndReason) -> Result<Vec<Draft>, Refusal> {
    let date = case.day()?;
    case.need_participation()?;
    let entered = case.casebook.enrolled.is_some();
    let subject = || case.casebook.subject.clone();
    need(!entered || reason != EndReason::NotEligible, || Refusal::EndReasonAfterEntry {
        subject: subject(),
    })?;
    let before_entry =
        !matches!(reason, EndReason::Completed | EndReason::StoppingRule | EndReason::Progression);
    need(entered || before_entry, || Refusal::EndReasonBeforeEntry { subject: subject(), reason })?;
    let treated = !case.casebook.doses.is_empty();
    let ended = case.casebook.treatment_end.is_some();
    need(!treated || ended, || Refusal::TreatmentNotEnded { subject: subject() })?;
    if let Some((visit, visit_date)) = case.casebook.visits_by_date().last() {
        need(*visit_date <= date, || Refusal::EndBeforeVisit {
            date,
            visit: (*visit).clone(),
            visit_date: *visit_date,
        })?;
    }
    if reason == EndReason::Completed
        && let Some(closing) = case.study.visits.iter().find(|visit| visit.closes_study)
    {
        need(is_settled(&case, closing), || Refusal::ParticipationIncomplete { visit: closing.id.clone() })?;
    }
    if entered {
        miss_what_is_owed(&mut case, date);
        judge_compliance(&mut case);
    }
    case.say(Fact::ParticipationEnded { reason, date });
    Ok(case.drafts)
}

fn need_event(case: &Case<'_>, reason: EndReason, adverse_event: Option<u32>) -> Result<(), Refusal> {
    need(reason != EndReason::AdverseEvent || adverse_event.is_some(), || Refusal::AdverseEventNotNamed)?;
    adverse_event.map_or(Ok(()), |row| need_row(case, row).map(|_| ()))
}

fn is_settled(case: &Case<'_>, visit: &Visit) -> bool {
    case.casebook.visits.contains_key(&visit.id) || case.casebook.missed.contains_key(&visit.id)
}

fn judge_compliance(case: &mut Case<'_>) {
    let Some(compliance) = compliance(case.study, case.casebook) else { return };
    let limits: Vec<_> = case.study.deviations.iter().filter_map(|rule| rule.dose_share_below).collect();
    if let Some(limit) = limits.into_iter().max().filter(|limit| compliance.dose_share < *limit) {
        let text = format!(
            "fewer than {} % of planned doses were taken",
            (limit * Decimal::ONE_HUNDRED).normalize()
        );
        case.deviate(DeviationKind::Compliance, None, None, text);
    }
    let limit = case.study.dosing.pause_days_max;
    if compliance.longest_pause_days > limit {
        let days = compliance.longest_pause_days;
        let text = format!("{days} days off drug in a row before the planned end, more than {limit}");
        case.deviate(DeviationKind::Compliance, None, None, text);
    }
}
