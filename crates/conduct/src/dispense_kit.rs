//! Kits: the one that the vault chooses is handed out; what comes back is counted.

use protocol::model::AllocationPlan;
use record::{DeviationKind, Draft, Fact};
use terms::*;

use crate::{
    Means, Refusal,
    casebook::Allocated,
    decide::{Case, found, need},
    watch::need_not_stopped,
};

pub(crate) fn dispense_kit(
    mut case: Case<'_>,
    means: &Means<'_>,
    visit: &VisitId,
    kit: Option<&KitNumber>,
) -> Result<Vec<Draft>, Refusal> {
    let (plan, place) = need_dispensing(&case, visit)?;
    let chosen = chosen_kit(&case, means, place)?;
    if let Some(kit) = kit {
        need(*kit == chosen, || Refusal::NotTheChosenKit { kit: kit.clone(), chosen: chosen.clone() })?;
    }
    case.say(Fact::KitDispensed { kit: chosen, visit: visit.clone(), tablets: plan.kit_tablets });
    Ok(case.drafts)
}

/// A kit that was handed out by mistake. Whether it held the same is not looked up: that would
/// tell which participants are treated alike.
pub(crate) fn record_kit_given(
    mut case: Case<'_>,
    means: &Means<'_>,
    visit: &VisitId,
    kit: &KitNumber,
) -> Result<Vec<Draft>, Refusal> {
    case.need_reason("a kit given by mistake")?;
    let (plan, place) = need_dispensing(&case, visit)?;
    let site = case.casebook.site.clone();
    let in_stock = case.state.kits.get(kit).is_some_and(|known| known.site == site && known.holder.is_none());
    need(in_stock, || Refusal::KitNotInStock { kit: kit.clone(), site })?;
    let chosen = chosen_kit(&case, means, place)?;
    need(*kit != chosen, || Refusal::KitIsTheChosenOne { kit: kit.clone() })?;
    case.say(Fact::KitDispensed { kit: kit.clone(), visit: visit.clone(), tablets: plan.kit_tablets });
    let text = format!("kit {kit} was handed out in place of another");
    case.deviate(DeviationKind::WrongKit, Some(visit), None, text);
    Ok(case.drafts)
}

pub(crate) fn return_kit(
    mut case: Case<'_>,
    kit: &KitNumber,
    visit: &VisitId,
    tablets: u32,
) -> Result<Vec<Draft>, Refusal> {
    case.day()?;
    case.need_held(visit)?;
    let used = case
        .casebook
        .kits
        .get(kit)
        .ok_or_else(|| Refusal::NotTheParticipantsKit { kit: kit.clone(), subject: case.subject() })?;
    need(used.returned.is_none(), || Refusal::KitAlreadyReturned { kit: kit.clone() })?;
    let dispensed = used.dispensed_tablets;
    need(tablets <= dispensed, || Refusal::TooManyTablets { kit: kit.clone(), tablets, dispensed })?;
    case.say(Fact::KitReturned { kit: kit.clone(), visit: visit.clone(), tablets });
    Ok(case.drafts)
}

/// A kit visit that was held, of a participant in the trial and on treatment, with none handed out there yet.
fn need_dispensing<'a>(
    case: &Case<'a>,
    visit: &VisitId,
) -> Result<(&'a AllocationPlan, &'a Allocated), Refusal> {
    let date = case.day()?;
    let plan = found(case.study.allocation.as_ref(), || Refusal::NoAllocation)?;
    case.need_participation()?;
    need_not_stopped(case.state)?;
    let place = found(case.casebook.allocated.as_ref(), || Refusal::NotInTrial {
        subject: case.subject(),
        randomised: true,
    })?;
    case.need_current_consent(date)?;
    if let Some(end) = case.casebook.treatment_end {
        need(false, || Refusal::TreatmentAlreadyEnded { date: end.last_dose })?;
    }
    case.need_held(visit)?;
    need(plan.kit_visits.contains(visit), || Refusal::NotAKitVisit { visit: visit.clone() })?;
    let twice = case.casebook.kits.values().any(|used| used.visit == *visit);
    need(!twice, || Refusal::KitAlreadyDispensed { visit: visit.clone() })?;
    Ok((plan, place))
}

fn chosen_kit(case: &Case<'_>, means: &Means<'_>, place: &Allocated) -> Result<KitNumber, Refusal> {
    let vault = found(means.vault, || Refusal::VaultClosed)?;
    let stock = case.state.stock(&case.casebook.site);
    Ok(vault.choose_kit(&place.stratum, place.list_position, &stock)?)
}
