//! An emergency: one participant's envelope is opened, with a reason, a password and a key from the safe.
//!
//! The key is read, used and forgotten. A key that does not open the envelope breaks nothing and is written down. Once it
//! opens, the break is recorded before the arm is shown, once. If the disk is full the arm is shown all the same, because the
//! participant comes first, and the page says that the break is to be written down on paper.

use std::fs;

use allocation::{BreakEnvelope, Placement, PrivateKey, SealedVault};
use askama::Template;
use conduct::{Action, Casebook};
use protocol::model::Study;
use record::Environment;
use terms::PersonId;

use crate::{
    context::{Context, Failure, Outcome},
    course::subject_path,
    credentials::unhex,
    http::Reply,
    page::Page,
    pages::{
        account::prove,
        arrive::wrong,
        form::{names, site_moment},
    },
    running::CommandError,
    training,
};

/// A break that was recorded.
struct Break {
    name: String,
    at: String,
    why: String,
}

/// What was in the envelope.
struct Opened {
    arm: String,
    recorded: bool,
}

#[derive(Template)]
#[template(path = "break_blind.html")]
struct BreakPage {
    page: Page,
    path: String,
    subject: String,
    subject_path: String,
    holders: Vec<(String, String)>,
    training_key: Option<String>,
    breaks: Vec<Break>,
    opened: Option<Opened>,
}

/// Asks for the reason, the password and the key.
pub fn show(context: &Context<'_>) -> Outcome {
    page(context, None)
}

fn page(context: &Context<'_>, opened: Option<Opened>) -> Outcome {
    let (running, _) = context.seated()?;
    let study = running.study();
    let page = Page::new(context, "Emergency unblinding");
    let names = names(context)?;
    let state = running.state();
    let casebook = allocated(study, state.casebook(context.request.param("subject")))?;
    let breaks = casebook
        .blind_breaks
        .iter()
        .filter_map(|broken| {
            let event = running.event(broken.broken.sequence)?;
            let person = broken.by.person.as_str();
            Some(Break {
                name: names.get(person).cloned().unwrap_or_else(|| person.to_owned()),
                at: site_moment(&event.recorded),
                why: event.reason.and_then(|why| why.get().cloned()).unwrap_or_default(),
            })
        })
        .collect();
    let view = BreakPage {
        path: context.request.path.clone(),
        subject: casebook.subject.to_string(),
        subject_path: subject_path(study, casebook),
        holders: holders(context, study, &page),
        training_key: training_key(context, study),
        breaks,
        opened,
        page,
    };
    drop(state);
    Ok(Reply::page(view.render()?))
}

/// The participant, if the study is blind and it was allocated.
fn allocated<'s>(study: &Study, casebook: Option<&'s Casebook>) -> Result<&'s Casebook, Failure> {
    casebook.filter(|casebook| study.blinded && casebook.allocated.is_some()).ok_or(Failure::NotFound)
}

fn sealed(context: &Context<'_>, study: &Study) -> Option<SealedVault> {
    serde_json::from_str(&fs::read_to_string(context.house.sealed_list(&study.id)).ok()?).ok()
}

/// Those whose key opens an envelope: the safe first.
fn holders(context: &Context<'_>, study: &Study, page: &Page) -> Vec<(String, String)> {
    let sealed = sealed(context, study);
    let holders = sealed.iter().flat_map(SealedVault::holders).filter(|holder| holder.rights.break_blind);
    let mut holders: Vec<(String, String)> = holders
        .map(|holder| {
            let role = study.role(holder.role.as_str());
            let label = role.map_or(page.t("Emergency safe"), |role| role.label.get(&page.language));
            (holder.person.to_string(), label.to_owned())
        })
        .collect();
    holders.sort_by_key(|(person, _)| person != training::EMERGENCY_SAFE);
    holders
}

/// In a training copy the safe's key lies beside the list, so that the emergency can be practised.
fn training_key(context: &Context<'_>, study: &Study) -> Option<String> {
    let folder = context.house.sealed_list(&study.id);
    let rehearsal = context.house.environment == Environment::Rehearsal;
    rehearsal.then(|| training::key_of(folder.parent()?, training::EMERGENCY_SAFE)).flatten()
}

/// Opens the envelope, records the break, shows the arm.
pub fn open(context: &Context<'_>) -> Outcome {
    let (running, seat) = context.seated()?;
    let study = running.study();
    let form = &context.request.form;
    if form.get("reason").is_empty() {
        return Err(Failure::Bad(
            "Say why the treatment has to be known now. Nothing was opened.".to_owned(),
        ));
    }
    prove(context)?;
    let subject = context.subject();
    let (placement, envelope) = {
        let state = running.state();
        let place = allocated(study, state.casebook(subject.as_str()))?.allocated.clone();
        let place = place.ok_or(Failure::NotFound)?;
        let placement = Placement {
            study: study.id.clone(),
            subject: subject.clone(),
            stratum: place.stratum,
            position: place.list_position,
        };
        (placement, place.envelope)
    };
    let broken = |what: &str| Failure::Broken(what.to_owned());
    let envelope: BreakEnvelope =
        serde_json::from_str(&envelope).map_err(|_| broken("the envelope in the record can't be read"))?;
    let sealed = sealed(context, study).ok_or_else(|| broken("the sealed list's file is not there"))?;
    let digits: String = form.get("key").chars().filter(|letter| !letter.is_whitespace()).collect();
    let key = unhex(&digits).and_then(|bytes| bytes.try_into().ok());
    let key = key.ok_or_else(|| Failure::Bad("A holder's key has 64 hexadecimal digits.".to_owned()))?;
    let holder = PersonId::from(form.get("holder"));
    let opened = envelope.open(&placement, sealed.vault_key(), &holder, &PrivateKey::from_bytes(key));
    let Ok(arm) = opened else {
        let name = format!("envelope of {subject}");
        wrong(context, &name, "a key did not open an emergency envelope")?;
        return Err(Failure::Bad("This key does not open the envelope. Nothing was opened.".to_owned()));
    };
    let action = Action::BreakBlind { shown_to: seat.person.clone() };
    let command = context.command(Some(&subject), None, None, action)?;
    let recorded = match context.give(vec![command], None) {
        Ok(_) => true,
        Err(CommandError::Refused(refusal)) => return Err(Failure::Refused(refusal.to_string())),
        Err(CommandError::Store(_) | CommandError::Closed | CommandError::Changed(_)) => false,
    };
    let label = study.arms.iter().find(|known| known.id == *arm.reveal());
    let language = &context.account()?.language;
    let arm = label.map_or_else(|| arm.reveal().to_string(), |arm| arm.label.get(language).to_owned());
    page(context, Some(Opened { arm, recorded }))
}
