//! Electronic signatures: of a visit, of the casebook.
//!
//! The first signature of a session asks for both parts (log-in name and password), later ones for the password; a passkey, or a log-in anew by single
//! sign-on, is both parts each time. It shows the printed name, the time and what it means, and is void, visibly, once what was signed changes.

use askama::Template;
use conduct::{Action, Casebook};
use terms::VisitId;

use crate::{
    context::{Context, Failure, Outcome},
    course::{FormLine, subject_path, visits},
    http::Reply,
    page::Page,
    pages::{
        account::{brings_confirmation, brings_passkey, prove},
        form::{names, site_moment},
    },
};

/// What a signature may mean. The record keeps the words.
const MEANINGS: &[&str] = &[
    "I have reviewed these data and confirm that they are complete and correct.",
    "I take responsibility for these data.",
];

struct Signed {
    name: String,
    at: String,
    meaning: String,
}

#[derive(Template)]
#[template(path = "signature.html")]
struct SignaturePage {
    page: Page,
    path: String,
    subject: String,
    subject_path: String,
    what: String,
    forms: Vec<FormLine>,
    ready: bool,
    signed: Option<Signed>,
    former: Vec<Signed>,
    meanings: &'static [&'static str],
    asks_name: bool,
    name: String,
    barred: Option<&'static str>,
}

/// The visit that the path names; none for the casebook.
fn visit_of(context: &Context<'_>, casebook: &Casebook) -> Result<Option<VisitId>, Failure> {
    match context.request.param("what") {
        "casebook" => Ok(None),
        visit => {
            let visit = VisitId::from(visit);
            if casebook.visits.contains_key(&visit) { Ok(Some(visit)) } else { Err(Failure::NotFound) }
        }
    }
}

/// Why this person can't sign at all, if so.
pub fn barred(context: &Context<'_>) -> Result<Option<&'static str>, Failure> {
    let account = context.account()?;
    Ok(if account.identity_verified_by.is_none() {
        Some("Your identity has to be verified before you sign; your administrator records that.")
    } else if account.signature_accepted.is_none() {
        Some("Accept your electronic signature as binding first, on the page of your account.")
    } else {
        None
    })
}

/// What is signed, and the signature.
pub fn form(context: &Context<'_>) -> Outcome {
    let (running, seat) = context.seated()?;
    let page = Page::new(context, "Signature");
    let names = names(context)?;
    let study = running.study();
    let state = context.state()?;
    let casebook = state.casebook(context.request.param("subject")).ok_or(Failure::NotFound)?;
    let visit = visit_of(context, casebook)?;
    let today = context.today(Some(&casebook.site));
    let lines = visits(seat, casebook, today, &page.language);
    let (what, forms): (String, Vec<FormLine>) = match &visit {
        Some(visit) => {
            let line = lines.into_iter().find(|line| line.id == *visit).ok_or(Failure::NotFound)?;
            (
                format!(
                    "{} ({visit}), {}",
                    line.label,
                    line.held.map(|date| date.to_string()).unwrap_or_default()
                ),
                line.forms,
            )
        }
        None => (page.t("Casebook").to_owned(), lines.into_iter().flat_map(|line| line.forms).collect()),
    };
    let present = match &visit {
        Some(visit) => casebook.signatures.get(visit),
        None => casebook.casebook_signature.as_ref(),
    };
    let signature = |sequence: u64, meaning: &str| {
        let event = running.event(sequence)?;
        let name = names.get(event.by.person.as_str()).cloned();
        Some(Signed {
            name: name.unwrap_or_else(|| event.by.person.to_string()),
            at: site_moment(&event.recorded),
            meaning: meaning.to_owned(),
        })
    };
    let signed = present.and_then(|present| signature(present.signed.sequence, &present.meaning));
    let stands = present.map(|present| present.signed.sequence);
    let stream = record::Stream::Subject(casebook.subject.clone());
    let former = running
        .record(|reader| reader.read_stream(&stream))?
        .into_iter()
        .filter(|event| Some(event.sequence) != stands)
        .filter_map(|event| match &event.fact {
            record::Fact::VisitSigned { visit: of, meaning, .. } if Some(of) == visit.as_ref() => {
                signature(event.sequence, meaning)
            }
            record::Fact::CasebookSigned { meaning, .. } if visit.is_none() => {
                signature(event.sequence, meaning)
            }
            _ => None,
        })
        .collect();
    let account = context.account()?;
    let view = SignaturePage {
        path: context.request.path.clone(),
        subject: casebook.subject.to_string(),
        subject_path: subject_path(study, casebook),
        what,
        ready: forms.iter().all(|form| form.filled.is_done()),
        forms,
        signed,
        former,
        meanings: MEANINGS,
        asks_name: context.session.as_ref().is_none_or(|(_, session)| !session.has_signed),
        name: account.printed_name.clone(),
        barred: barred(context)?,
        page,
    };
    drop(state);
    Ok(Reply::page(view.render()?))
}

/// Signs.
pub fn sign(context: &Context<'_>) -> Outcome {
    let (running, _) = context.seated()?;
    if let Some(why) = barred(context)? {
        return Err(Failure::Refused(why.to_owned()));
    }
    let subject = context.subject();
    let (visit, back) = {
        let state = running.state();
        let casebook = state.casebook(subject.as_str()).ok_or(Failure::NotFound)?;
        (visit_of(context, casebook)?, subject_path(running.study(), casebook))
    };
    let form = &context.request.form;
    let meaning = MEANINGS.iter().find(|meaning| **meaning == form.get("meaning"));
    let meaning =
        (*meaning.ok_or_else(|| Failure::Bad("Choose what your signature means.".to_owned()))?).to_owned();
    let account = context.account()?;
    let asks_name = context.session.as_ref().is_none_or(|(_, session)| !session.has_signed);
    let names_self =
        store::accounts::skeleton(form.get("login")) == store::accounts::skeleton(&account.login);
    // A passkey is both parts at once: the key that one person holds, and what opens it. So is a log-in anew by single sign-on.
    let both = brings_passkey(context) || brings_confirmation(context);
    if asks_name && account.password.is_some() && !names_self && !both {
        return Err(Failure::Bad("The first signature of a session asks for your log-in name and your password. Nothing was signed.".to_owned()));
    }
    prove(context)?;
    let action = match visit {
        Some(visit) => Action::SignVisit { visit, meaning },
        None => Action::SignCasebook { meaning },
    };
    let command = context.command(Some(&subject), None, None, action)?;
    context.give(vec![command], None)?;
    if let Some((token, _)) = &context.session {
        context.house.sessions.change(token, |session| session.has_signed = true);
    }
    context.notice("Signed.");
    Ok(Reply::see(&back))
}
