//! Consent, to the version that is current on the day, and its withdrawal.

use protocol::model::Study;
use record::{Content, Draft, Fact, Stream};
use terms::*;

use crate::{
    Command, Refusal, State,
    casebook::Casebook,
    decide::{Case, current_consent, need, whole_date},
    go_live::need_approved,
    open_study::need_active_site,
    watch::need_entry_open,
};

/// A first consent gives the participant a number; a later one is to a new version.
pub(crate) fn sign_consent(
    study: &Study,
    state: &State,
    command: &Command,
    site: &SiteId,
    version: &str,
) -> Result<Vec<Draft>, Refusal> {
    let date = whole_date(command)?;
    need(study.site(site.as_str()).is_some(), || Refusal::UnknownSite { site: site.clone() })?;
    need_active_site(state, site, date)?;
    let current = current_consent(study, date).unwrap_or_default();
    need(version == current, || Refusal::ConsentNotCurrent {
        version: version.to_owned(),
        current: current.to_owned(),
        date,
    })?;
    let known = command.subject.as_ref().and_then(|subject| state.casebook(subject.as_str()));
    let subject = match known {
        Some(casebook) => consent_again(study, state, command, casebook, (site, version, date))?,
        None => {
            need_approved(study, state)?;
            need_entry_open(state)?;
            first_number(state, command, site)?
        }
    };
    let fact = Fact::ConsentSigned { consent_version: version.to_owned() };
    Ok(vec![Draft {
        stream: Stream::Subject(subject),
        by: command.by.clone(),
        site: Some(site.clone()),
        happened: command.happened,
        reason: command.reason.clone().map(Content::new),
        fact,
    }])
}

fn first_number(state: &State, command: &Command, site: &SiteId) -> Result<SubjectId, Refusal> {
    let next = state.next_subject(site);
    if let Some(subject) = &command.subject {
        let refusal = || Refusal::NotTheNextNumber { subject: subject.clone(), next: next.clone() };
        need(*subject == next, refusal)?;
    }
    Ok(next)
}

fn consent_again(
    study: &Study,
    state: &State,
    command: &Command,
    casebook: &Casebook,
    (site, version, date): (&SiteId, &str, Date),
) -> Result<SubjectId, Refusal> {
    let subject = casebook.subject.clone();
    let case = Case::new(study, state, command, casebook);
    let home = casebook.site.clone();
    need(home == *site, || Refusal::OtherSite { subject: subject.clone(), site: home })?;
    case.need_participation()?;
    case.need_consent_kept(date)?;
    let signed = casebook.consents.iter().any(|consent| consent.version == version);
    let refusal = || Refusal::ConsentAlreadySigned { subject: subject.clone(), version: version.to_owned() };
    need(!signed, refusal)?;
    Ok(subject)
}

pub(crate) fn withdraw_consent(mut case: Case<'_>, keep_data: bool) -> Result<Vec<Draft>, Refusal> {
    let date = case.day()?;
    case.need_participation()?;
    if let Some(withdrawal) = case.casebook.withdrawn {
        let (subject, date) = (case.subject(), withdrawal.withdrawn.date);
        need(false, || Refusal::ConsentWithdrawn { subject, date })?;
    }
    need_after_consent(&case, date)?;
    case.say(Fact::ConsentWithdrawn { keep_data });
    Ok(case.drafts)
}

/// Nothing about a participant happens before the first consent.
#[cfg_attr(test, track_caller)]
pub(crate) fn need_after_consent(case: &Case<'_>, date: Date) -> Result<(), Refusal> {
    let consent = case.casebook.consents.first().map(|consent| consent.signed.date);
    match consent {
        Some(consent) => {
            need(consent <= date, || Refusal::BeforeConsent { subject: case.subject(), date, consent })
        }
        None => Ok(()),
    }
}
