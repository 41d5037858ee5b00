//! The way into the trial: enrolment and, where there is an allocation, the next place of the sealed list.

use allocation::Placement;
use protocol::model::{AllocationPlan, Anchor, Timing};
use record::{DeviationKind, Draft, Fact};
use terms::*;

use crate::{
    Means, Refusal,
    decide::{Case, found, need},
    decide_eligibility::{Verdict, decision_visits, eligibility},
    hold_visit::judge_way_in,
    view::View,
    watch::need_entry_open,
};

pub(crate) fn enrol_subject(mut case: Case<'_>) -> Result<Vec<Draft>, Refusal> {
    let date = case.day()?;
    need(case.casebook.enrolled.is_none(), || Refusal::AlreadyEnrolled { subject: case.subject() })?;
    need_way_in(&case, date)?;
    say_enrolled(&mut case);
    Ok(case.drafts)
}

/// Takes the next place of the stratum's list, once. The arm is sealed in the envelope and reaches neither
/// the event nor the caller.
pub(crate) fn randomise_subject(mut case: Case<'_>, means: &mut Means<'_>) -> Result<Vec<Draft>, Refusal> {
    let date = case.day()?;
    let plan = found(case.study.allocation.as_ref(), || Refusal::NoAllocation)?;
    if let Some(place) = &case.casebook.allocated {
        let (subject, date) = (case.subject(), place.randomised.date);
        need(false, || Refusal::AlreadyRandomised { subject, date })?;
    }
    need_way_in(&case, date)?;
    let stratum = stratum(&case, plan)?;
    let sealed = found(case.state.allocation.as_ref(), || Refusal::AllocationNotSealed)?;
    let vault = found(means.vault, || Refusal::VaultClosed)?;
    let digest = vault.list_digest().to_string();
    need(digest == sealed.digest, || Refusal::OtherVault { vault: digest, sealed: sealed.digest.clone() })?;
    let position = case.state.list_positions.get(&stratum).copied().unwrap_or(0) + 1;
    let (study, subject) = (case.study.id.clone(), case.subject());
    let placement = Placement { study, subject, stratum: stratum.clone(), position };
    let allocated = vault.allocate(&placement, &mut means.random)?;
    let envelope = serde_json::to_string(&allocated.envelope).expect("an envelope is plain data");
    if case.casebook.enrolled.is_none() {
        say_enrolled(&mut case);
    }
    case.say(Fact::SubjectRandomised { stratum, list_position: position, envelope });
    judge_way_in(&mut case, Anchor::Randomisation, date);
    Ok(case.drafts)
}

/// Current consent, every visit on the way in held, every decision signed as met and still true.
fn need_way_in(case: &Case<'_>, date: Date) -> Result<(), Refusal> {
    case.need_participation()?;
    need_entry_open(case.state)?;
    case.need_screened()?;
    case.need_current_consent(date)?;
    for visit in decision_visits(case.study) {
        let decision = case.casebook.eligibility.get(visit);
        let signed = decision.filter(|decision| decision.eligible);
        need(signed.is_some(), || Refusal::EligibilityNotSigned {
            subject: case.subject(),
            visit: visit.clone(),
        })?;
        let now = eligibility(&View::at_visit(case.study, case.casebook, visit), visit);
        let then = decision
            .map(|decision| Verdict { unmet: decision.unmet.clone(), unknown: decision.unknown.clone() });
        need(then.as_ref() == Some(&now), || Refusal::EligibilityOutdated {
            subject: case.subject(),
            visit: visit.clone(),
        })?;
    }
    for visit in &case.study.visits {
        if matches!(visit.timing, Timing::Before { .. } | Timing::On { anchor: Anchor::Randomisation }) {
            let held = case.need_held(&visit.id)?;
            need(held <= date, || Refusal::EndBeforeVisit {
                date,
                visit: visit.id.clone(),
                visit_date: held,
            })?;
        }
    }
    Ok(())
}

/// Enters the participant; each waived rule becomes a deviation.
fn say_enrolled(case: &mut Case<'_>) {
    case.say(Fact::SubjectEnrolled);
    let casebook = case.casebook;
    for (visit, decision) in &casebook.eligibility {
        for rule in decision.unmet.iter().chain(&decision.unknown) {
            let text = format!(
                "entered the trial with rule {rule} not met at visit {}",
                case.study.visit_name(visit, "en")
            );
            case.deviate(DeviationKind::Eligibility, Some(visit), Some(rule), text);
        }
    }
}

fn stratum(case: &Case<'_>, plan: &AllocationPlan) -> Result<String, Refusal> {
    let casebook = case.casebook;
    let at_visits = casebook.visits_by_date().into_iter().rev();
    let answers = at_visits
        .filter_map(|(visit, _)| casebook.at_visit(visit, &plan.stratum_form, plan.stratum_item.as_str()))
        .chain(casebook.through_trial(&plan.stratum_form, 0, plan.stratum_item.as_str()));
    let code = answers.filter_map(|entry| entry.answer.as_ref()?.value()).next().map(Value::to_string);
    found(code.filter(|code| plan.strata.contains(code)), || Refusal::StratumUnknown {
        form: plan.stratum_form.clone(),
        item: plan.stratum_item.clone(),
    })
}
