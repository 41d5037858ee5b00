//! The end of a trial: analysis sets signed blind, the database locked, the list opened.

use std::collections::BTreeMap;

use allocation::{BreakEnvelope, OpenedList};
use protocol::model::Study;
use record::{Content, Draft, Fact, Stream};
use terms::*;

use crate::{
    Command, Means, Refusal, State,
    adverse_events::adverse_events,
    casebook::Casebook,
    checks::open_hard_queries,
    decide::{Case, found, need, need_reason, study_draft},
    digest::Digest,
    verify_source::{is_drawn, unverified},
};

pub(crate) fn sign_analysis_sets(
    study: &Study,
    state: &State,
    command: &Command,
    sets: &BTreeMap<AnalysisSetId, Vec<SubjectId>>,
) -> Result<Vec<Draft>, Refusal> {
    let planned: Vec<AnalysisSetId> = study.plan.sets.iter().map(|set| set.id.clone()).collect();
    let all = planned.len() == sets.len() && planned.iter().all(|set| sets.contains_key(set));
    need(all, || Refusal::WrongSets { sets: planned })?;
    for (set, subjects) in sets {
        for subject in subjects {
            let entered =
                state.casebook(subject.as_str()).is_some_and(|casebook| casebook.enrolled.is_some());
            need(entered, || Refusal::SetHoldsOutsider { set: set.clone(), subject: subject.clone() })?;
        }
    }
    for casebook in state.walk() {
        need_over(&casebook)?;
        need_classified(&casebook)?;
    }
    let digest = sets.iter().fold(Digest::of("analysis sets"), |digest, (set, subjects)| {
        let named = digest.text(set.as_str()).number(subjects.len() as u64);
        subjects.iter().fold(named, |digest, subject| digest.text(subject.as_str()))
    });
    let fact = Fact::AnalysisSetsSigned { sets: sets.clone(), digest: digest.hex() };
    Ok(vec![study_draft(command, Stream::Study, None, fact)])
}

pub(crate) fn lock_database(study: &Study, state: &State, command: &Command) -> Result<Vec<Draft>, Refusal> {
    for casebook in state.walk() {
        need_over(&casebook)?;
        need_classified(&casebook)?;
        need_closed(study, state, command, &casebook)?;
    }
    if !state.specimen_key().is_empty() {
        need(state.reading.key.is_some(), || Refusal::KeyNotJoined)?;
    }
    let sets = found(state.sets.as_ref(), || Refusal::SetsNotSigned)?;
    need(!sets.stale, || Refusal::SetsOutdated)?;
    let manifest = state.walk().fold(Digest::of("manifest"), |digest, casebook| digest.casebook(&casebook));
    let fact = Fact::DatabaseLocked { manifest_digest: manifest.number(state.sequence).hex() };
    Ok(vec![study_draft(command, Stream::Study, None, fact)])
}

/// Asks for the lock to be undone. While the allocation is open nobody may: what was unblinded would no longer be what was locked.
pub(crate) fn propose_unlock(state: &State, command: &Command) -> Result<Vec<Draft>, Refusal> {
    need(state.locked.is_some(), || Refusal::NotLocked)?;
    need(state.arms.is_none(), || Refusal::AllocationOpen)?;
    need(state.unlock_proposed.is_none(), || Refusal::UnlockAlreadyProposed)?;
    need_reason(command, "unlocking the database")?;
    Ok(vec![study_draft(command, Stream::Study, None, Fact::UnlockProposed)])
}

pub(crate) fn approve_unlock(state: &State, command: &Command) -> Result<Vec<Draft>, Refusal> {
    let (by, _) = found(state.unlock_proposed.as_ref(), || Refusal::UnlockNotProposed)?;
    need(by.person != command.by.person, || Refusal::SamePersonApproves)?;
    need(state.arms.is_none(), || Refusal::AllocationOpen)?;
    Ok(vec![study_draft(command, Stream::Study, None, Fact::DatabaseUnlocked)])
}

/// Names every participant's arm, from the list that its holders opened together after the lock.
pub(crate) fn unblind_allocation(
    study: &Study,
    state: &State,
    command: &Command,
    means: &Means<'_>,
) -> Result<Vec<Draft>, Refusal> {
    let plan = found(study.allocation.as_ref(), || Refusal::NoAllocation)?;
    need(state.locked.is_some(), || Refusal::NotLocked)?;
    need(state.arms.is_none(), || Refusal::AlreadyUnblinded)?;
    let threshold = plan.threshold;
    let list = found(means.opened_list, || Refusal::ListNotOpen { threshold })?;
    let mut arms = BTreeMap::new();
    for casebook in state.walk() {
        let Some(place) = &casebook.allocated else { continue };
        let arm = confirmed_arm(list, &place.stratum, place.list_position, &place.envelope);
        let subject = casebook.subject.clone();
        let arm = found(arm, || Refusal::ListDoesNotConfirm { subject: subject.clone() })?;
        arms.insert(subject, Content::new(arm));
    }
    let sealed = state.allocation.as_ref().ok_or(Refusal::AllocationNotSealed)?;
    let fact = Fact::AllocationUnblinded { arms, list_digest: sealed.digest.clone() };
    Ok(vec![study_draft(command, Stream::Study, None, fact)])
}

/// The arm of a place, if the envelope that the record holds since the day of allocation commits to it.
fn confirmed_arm(list: &OpenedList, stratum: &str, position: u32, envelope: &str) -> Option<ArmId> {
    let envelope: BreakEnvelope = serde_json::from_str(envelope).ok()?;
    let arm = list.arm(stratum, position)?;
    list.confirms(stratum, position, envelope.entry_digest()).then(|| arm.reveal().clone())
}

#[cfg_attr(test, track_caller)]
fn need_over(casebook: &Casebook) -> Result<(), Refusal> {
    let over = casebook.participation_end.is_some();
    need(over, || Refusal::ParticipationNotOver { subject: casebook.subject.clone() })
}

#[cfg_attr(test, track_caller)]
fn need_classified(casebook: &Casebook) -> Result<(), Refusal> {
    for deviation in &casebook.deviations {
        let classified = deviation.class.is_some();
        need(classified, || Refusal::DeviationNotClassified { deviation: deviation.id.clone() })?;
    }
    Ok(())
}

/// The casebook of everyone in the trial is signed; nobody has a hard query or an unreported serious event.
fn need_closed(study: &Study, state: &State, command: &Command, casebook: &Casebook) -> Result<(), Refusal> {
    let subject = || casebook.subject.clone();
    for event in adverse_events(study, casebook) {
        let settled = event.serious != Some(true) || event.reported.is_some();
        need(settled, || Refusal::SeriousNotReported { subject: subject(), row: event.row })?;
    }
    for key in casebook.forms.keys().filter(|key| is_drawn(study, state, casebook, key)) {
        let items: Vec<ItemId> = unverified(casebook, key).cloned().collect();
        need(items.is_empty(), || Refusal::SourceNotVerified {
            subject: subject(),
            form: key.form.clone(),
            items,
        })?;
    }
    let queries = open_hard_queries(&Case::new(study, state, command, casebook), None);
    need(queries.is_empty(), || Refusal::HardQueriesOpen { queries })?;
    let signed = casebook.enrolled.is_none() || casebook.casebook_signature.is_some();
    need(signed, || Refusal::CasebookNotSigned { subject: subject() })
}
