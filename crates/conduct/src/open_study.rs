//! Opening the study, loading wordings, delegating roles, sealing the list, receiving kits. How a site goes live is in [`crate::go_live`].

use std::collections::BTreeSet;

use access::Delegations;
use protocol::{
    content_pack::ContentPack,
    model::{Power, Study},
};
use record::{Draft, Environment, Fact, Stream};
use terms::*;

use crate::{
    Command, Refusal, State,
    decide::{found, need, study_draft, whole_date},
};

/// Opens the record. The opener's role, which must be able to administer, is delegated with it.
pub(crate) fn open_study(
    study: &Study,
    state: &State,
    command: &Command,
    environment: Environment,
    seed: Option<u64>,
) -> Result<Vec<Draft>, Refusal> {
    need(state.opened.is_none(), || Refusal::StudyAlreadyOpen)?;
    let who = (&command.by.person, &command.by.role);
    access::authorise(
        study,
        &Delegations::default(),
        who,
        command.action.step(),
        None,
        whole_date(command)?,
    )?;
    let (person, role) = (command.by.person.clone(), command.by.role.clone());
    let facts = [
        Fact::StudyOpened { study: study.id.clone(), environment, seed },
        Fact::RoleDelegated { person, role, site: None },
    ];
    Ok(facts.map(|fact| study_draft(command, Stream::Study, None, fact)).to_vec())
}

/// Takes the wording of an instrument into use. A later version of it, in the same language, replaces the earlier one.
pub(crate) fn load_content_pack(
    study: &Study,
    state: &State,
    command: &Command,
    pack: &ContentPack,
) -> Result<Vec<Draft>, Refusal> {
    whole_date(command)?;
    let used = study.forms.iter().any(|form| form.instrument.as_deref() == Some(pack.instrument.as_str()));
    need(used, || Refusal::ContentPackNotUsed { instrument: pack.instrument.clone() })?;
    let loaded = state.content_packs.get(&(pack.instrument.clone(), pack.language.clone()));
    let same = loaded.is_some_and(|loaded| loaded.digest == pack.digest);
    need(!same, || Refusal::ContentPackAlreadyLoaded { instrument: pack.instrument.clone() })?;
    let ContentPack { instrument, language, version, licence, digest, .. } = pack.clone();
    let fact = Fact::ContentPackLoaded { instrument, language, version, licence, digest };
    Ok(vec![study_draft(command, Stream::Study, None, fact)])
}

pub(crate) fn delegate_role(
    study: &Study,
    state: &State,
    command: &Command,
    (person, role, site): (&PersonId, &RoleId, Option<&SiteId>),
) -> Result<Vec<Draft>, Refusal> {
    let date = whole_date(command)?;
    if let Some(site) = site {
        need(study.site(site.as_str()).is_some(), || Refusal::UnknownSite { site: site.clone() })?;
    }
    need(study.role(role.as_str()).is_some(), || {
        Refusal::Denied(access::Denied::UnknownRole { role: role.clone() })
    })?;
    need(!state.delegations.holds(person, role, site, date), || Refusal::RoleAlreadyDelegated {
        person: person.clone(),
        role: role.clone(),
    })?;
    for held in state.delegations.roles_of(person) {
        let conflict = access::conflict(study, held, role);
        need(conflict.is_none(), || Refusal::RolesConflict {
            person: person.clone(),
            held: held.clone(),
            role: role.clone(),
            why: conflict.unwrap_or_default(),
        })?;
    }
    let fact = Fact::RoleDelegated { person: person.clone(), role: role.clone(), site: site.cloned() };
    Ok(vec![study_draft(command, Stream::Study, site.cloned(), fact)])
}

/// Ends a delegation. What was done under it stays as it is. Somebody must be left who administers the study.
pub(crate) fn end_delegation(
    study: &Study,
    state: &State,
    command: &Command,
    (person, role, site): (&PersonId, &RoleId, Option<&SiteId>),
    until: Date,
) -> Result<Vec<Draft>, Refusal> {
    let today = whole_date(command)?;
    let standing = |grant: &&access::Grant| {
        grant.person == *person && grant.role == *role && grant.site.as_ref() == site && grant.until.is_none()
    };
    let missing = || Refusal::NoDelegation { person: person.clone(), role: role.clone() };
    let grant = found(state.delegations.grants().iter().find(standing), missing)?;
    need(until >= grant.from, || Refusal::EndsBeforeBegin { from: grant.from, until })?;
    let administers =
        |role: &RoleId| study.role(role.as_str()).is_some_and(|role| role.may.contains(&Power::Administer));
    if administers(role) {
        let mut others = state.delegations.grants().iter();
        let stays = others.any(|other| {
            administers(&other.role)
                && other.person != *person
                && other.until.is_none()
                && other.from <= today
        });
        need(stays, || Refusal::LastAdministrator)?;
    }
    let (person, role) = (person.clone(), role.clone());
    let fact = Fact::DelegationEnded { person, role, site: site.cloned(), until };
    Ok(vec![study_draft(command, Stream::Study, site.cloned(), fact)])
}

pub(crate) fn record_training(
    study: &Study,
    state: &State,
    command: &Command,
    person: &PersonId,
    role: &RoleId,
) -> Result<Vec<Draft>, Refusal> {
    whole_date(command)?;
    need(study.role(role.as_str()).is_some(), || {
        Refusal::Denied(access::Denied::UnknownRole { role: role.clone() })
    })?;
    if let Some(date) = state.delegations.trained_on(person, role) {
        let (person, role) = (person.clone(), role.clone());
        need(false, || Refusal::TrainedAlready { person, role, date })?;
    }
    let fact = Fact::TrainingRecorded { person: person.clone(), role: role.clone() };
    Ok(vec![study_draft(command, Stream::Study, None, fact)])
}

pub(crate) fn seal_allocation(
    study: &Study,
    state: &State,
    command: &Command,
    digest: &str,
    scheme_digest: &str,
) -> Result<Vec<Draft>, Refusal> {
    need(study.allocation.is_some(), || Refusal::NoAllocation)?;
    if let Some(sealed) = &state.allocation {
        need(false, || Refusal::AllocationAlreadySealed { digest: sealed.digest.clone() })?;
    }
    let fact =
        Fact::AllocationListSealed { digest: digest.to_owned(), scheme_digest: scheme_digest.to_owned() };
    Ok(vec![study_draft(command, Stream::Study, None, fact)])
}

pub(crate) fn receive_kits(
    study: &Study,
    state: &State,
    command: &Command,
    site: &SiteId,
    kits: &[KitNumber],
) -> Result<Vec<Draft>, Refusal> {
    let date = whole_date(command)?;
    need(study.allocation.is_some(), || Refusal::NoAllocation)?;
    need(state.allocation.is_some(), || Refusal::AllocationNotSealed)?;
    need_active_site(state, site, date)?;
    need(!kits.is_empty(), || Refusal::NoKits)?;
    let mut arriving = BTreeSet::new();
    for kit in kits {
        let new = !state.kits.contains_key(kit) && arriving.insert(kit);
        need(new, || Refusal::KitAlreadyReceived { kit: kit.clone() })?;
    }
    let fact = Fact::KitsReceived { kits: kits.to_vec() };
    Ok(vec![study_draft(command, Stream::Supply, Some(site.clone()), fact)])
}

#[cfg_attr(test, track_caller)]
pub(crate) fn need_active_site(state: &State, site: &SiteId, date: Date) -> Result<(), Refusal> {
    let active = state.sites.get(site).is_some_and(|active| active.date <= date);
    need(active, || Refusal::SiteNotActive { site: site.clone(), date })
}
