//! Signatures: of a visit once its forms are complete, of a casebook once its visits are signed.

use protocol::model::{Form, Purpose};
use record::{Draft, Fact, FormKey};
use terms::*;

use crate::{
    Refusal,
    checks::{open_hard_queries, run_checks_after_signing},
    decide::{Case, need},
    digest::Digest,
    view::{View, unfilled},
};

pub(crate) fn sign_visit(mut case: Case<'_>, visit: &VisitId, meaning: &str) -> Result<Vec<Draft>, Refusal> {
    case.need_held(visit)?;
    need_meaning(meaning)?;
    let signed = case.casebook.signatures.contains_key(visit);
    need(!signed, || Refusal::AlreadySigned { visit: visit.clone() })?;
    for (form, key) in due_forms(&case, visit) {
        need_complete(&case, form, &key)?;
    }
    need_no_hard_queries(&case, Some(visit))?;
    let content_digest = Digest::of("visit").visit(case.casebook, visit).hex();
    case.say(Fact::VisitSigned { visit: visit.clone(), meaning: meaning.to_owned(), content_digest });
    run_checks_after_signing(&mut case, visit);
    Ok(case.drafts)
}

pub(crate) fn sign_casebook(mut case: Case<'_>, meaning: &str) -> Result<Vec<Draft>, Refusal> {
    need_meaning(meaning)?;
    let over = case.casebook.participation_end.is_some();
    need(over, || Refusal::ParticipationNotOver { subject: case.subject() })?;
    let signed = case.casebook.casebook_signature.is_some();
    need(!signed, || Refusal::CasebookAlreadySigned { subject: case.subject() })?;
    for visit in case.casebook.visits.keys() {
        let signed = case.casebook.signatures.contains_key(visit);
        need(signed, || Refusal::VisitNotSigned { visit: visit.clone() })?;
    }
    for key in case.casebook.forms.keys().filter(|key| key.visit.is_none()) {
        if let Some(form) = case.study.form(key.form.as_str()) {
            need_complete(&case, form, key)?;
        }
    }
    need_no_hard_queries(&case, None)?;
    let content_digest = Digest::of("casebook").casebook(case.casebook).hex();
    case.say(Fact::CasebookSigned { meaning: meaning.to_owned(), content_digest });
    Ok(case.drafts)
}

/// The forms that a visit's signature covers: those the schedule asks for, and others that were begun there.
fn due_forms<'a>(case: &Case<'a>, visit: &'a VisitId) -> Vec<(&'a Form, FormKey)> {
    let at = |form: &Form, row| FormKey { visit: Some(visit.clone()), form: form.id.clone(), row };
    let mut due: Vec<(&Form, FormKey)> = case
        .study
        .forms_at(visit)
        .filter(|form| form.by_visit && !form.repeating && form.purpose != Some(Purpose::SpecimenReading))
        .map(|form| (form, at(form, 0)))
        .collect();
    for key in case.casebook.forms.keys().filter(|key| key.visit.as_ref() == Some(visit)) {
        if let Some(form) = case.study.form(key.form.as_str())
            && form.purpose != Some(Purpose::SpecimenReading)
        {
            due.push((form, key.clone()));
        }
    }
    due.sort_by(|(_, one), (_, other)| one.cmp(other));
    due.dedup_by(|(_, one), (_, other)| one == other);
    due
}

#[cfg_attr(test, track_caller)]
fn need_complete(case: &Case<'_>, form: &Form, key: &FormKey) -> Result<(), Refusal> {
    let view = View::at_form(case.study, case.casebook, key, case.command.at.local_date);
    let items: Vec<ItemId> = unfilled(&view, form, key).into_iter().cloned().collect();
    need(items.is_empty(), || Refusal::FormIncomplete { form: form.id.clone(), items })
}

#[cfg_attr(test, track_caller)]
fn need_no_hard_queries(case: &Case<'_>, visit: Option<&VisitId>) -> Result<(), Refusal> {
    let queries = open_hard_queries(case, visit);
    need(queries.is_empty(), || Refusal::HardQueriesOpen { queries })
}

#[cfg_attr(test, track_caller)]
fn need_meaning(meaning: &str) -> Result<(), Refusal> {
    need(!meaning.trim().is_empty(), || Refusal::ReasonMissing { what: "a signature, as its meaning" })
}
