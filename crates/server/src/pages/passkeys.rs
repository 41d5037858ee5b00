//! Passkeys: made and taken away on one's account, used to log in and to prove who one is.
//!
//! A script asks for what the authenticator has to sign (`do=ask`, answered as JSON) and puts the answer into the form, which is then sent as any other.

use askama::Template;
use serde_json::Value;

use crate::{
    context::{Context, Failure, Outcome},
    credentials::{draw_recovery_codes, unhex},
    http::Reply,
    page::Page,
    pages::{
        account::{RecoveryCodesPage, prove},
        arrive::{enter, log_in_page, wrong},
    },
    passkeys::{PasskeyError, Passkeys, Purpose, credential_of},
    sessions::Stage,
};

/// Passkeys of one person at most.
const PASSKEYS_MAX: usize = 20;
/// Letters of a passkey's name at most.
const NAME_LETTERS_MAX: usize = 60;

const NOT_READ: &str = "This passkey was not accepted. Try again, or use another way.";

#[derive(Template)]
#[template(path = "passkey.html")]
struct PasskeyPage {
    page: Page,
    options: String,
}

fn passkeys<'a>(context: &Context<'a>) -> Result<&'a Passkeys, Failure> {
    context.house.passkeys.as_ref().ok_or(Failure::NotFound)
}

/// The token that a question is bound to: the session's, or the browser's outside one.
fn asker<'c>(context: &'c Context<'_>) -> &'c str {
    context.session.as_ref().map_or(&context.visitor_token, |(token, _)| token)
}

fn json(question: &Value) -> Outcome {
    Ok(Reply::of(200, "application/json", question.to_string().into_bytes()))
}

fn not_asked(error: PasskeyError) -> Failure {
    match error {
        PasskeyError::Busy => Failure::Wait(60),
        other => Failure::Broken(other.to_string()),
    }
}

/// Logs in with a passkey alone: it shows possession and what opens it.
pub fn log_in(context: &Context<'_>) -> Outcome {
    let (house, passkeys) = (context.house, passkeys(context)?);
    if context.session.as_ref().is_some_and(|(_, session)| session.stage == Stage::In) {
        return Ok(Reply::see("/studies"));
    }
    if context.request.form.get("do") == "ask" {
        let asked = passkeys.ask_to_use(asker(context), Purpose::LogIn, &[], context.now);
        return json(&asked.map_err(not_asked)?);
    }
    // Whoever tries one passkey in vain slows down nobody else's.
    let known = credential_of(context.request.form.get("passkey"));
    let known = known.map(|credential| house.accounts().passkey(&credential)).transpose()?.flatten();
    let key =
        known.map_or_else(|| "unknown passkey".to_owned(), |known| format!("passkey of {}", known.person));
    if let Some(wait) = house.throttle.wait(&key, context.request.address, context.now) {
        return Err(Failure::Wait(wait));
    }
    match used(context, &Purpose::LogIn, &key)? {
        Some(person) => {
            let account = house.accounts().of(&person)?.filter(|account| account.active);
            let account = account.ok_or(Failure::LogIn)?;
            if account.temporary {
                enter(context, &account, Stage::NewPassword, "/log-in/new-password", "with a passkey")
            } else {
                enter(context, &account, Stage::In, "/", "with a passkey")
            }
        }
        None => log_in_page(context, Some(NOT_READ)),
    }
}

/// Asks for a passkey of who has given the password.
pub fn ask_second_step(context: &Context<'_>) -> Outcome {
    let person = &context.account()?.person;
    let known = context.house.accounts().passkeys_of(person)?;
    let asked = passkeys(context)?.ask_to_use(asker(context), Purpose::SecondStep, &known, context.now);
    json(&asked.map_err(not_asked)?)
}

/// Says whether the passkey that came with the form holds, after the password.
pub fn second_step(context: &Context<'_>, key: &str) -> Result<bool, Failure> {
    Ok(used(context, &Purpose::SecondStep, key)?.is_some())
}

/// Holds the passkey that came with a form that changes an account or signs.
pub fn prove_by_passkey(context: &Context<'_>) -> Result<(), Failure> {
    let key = format!("passkey of {}", context.account()?.person);
    if let Some(wait) = context.house.throttle.wait(&key, context.request.address, context.now) {
        return Err(Failure::Wait(wait));
    }
    match used(context, &Purpose::Proof(context.request.path.clone()), &key)? {
        Some(_) => Ok(()),
        None => Err(Failure::Bad(
            "The passkey was not accepted. Go back and try again; nothing was changed.".to_owned(),
        )),
    }
}

/// Holds the answer to its question; returns whose passkey it is. What is wrong is written down and slows down who tries.
fn used(context: &Context<'_>, purpose: &Purpose, key: &str) -> Result<Option<terms::PersonId>, Failure> {
    let house = context.house;
    let of = context.account.as_ref().map(|account| &account.person);
    let origin = context.address();
    let note = context.note("", "passkey used", context.route.does, &origin);
    let answer = context.request.form.get("passkey");
    let mut accounts = house.accounts();
    let held = passkeys(context)?.used(asker(context), purpose, answer, of, &mut accounts, &note);
    drop(accounts);
    match held {
        Ok(passkey) => {
            house.throttle.forget(key, context.request.address);
            Ok(Some(passkey.person))
        }
        Err(PasskeyError::Accounts(error)) => Err(error.into()),
        Err(error) => {
            wrong(context, key, &format!("passkey refused: {error}"))?;
            Ok(None)
        }
    }
}

/// Makes a passkey, keeps it, takes one away, or asks for one.
pub fn change(context: &Context<'_>) -> Outcome {
    let (house, passkeys) = (context.house, passkeys(context)?);
    let account = context.account()?;
    let form = &context.request.form;
    let origin = context.address();
    if form.has("remove") {
        prove(context)?;
        let credential = unhex(form.get("remove")).unwrap_or_default();
        let known = house.accounts().passkey(&credential)?.filter(|passkey| passkey.person == account.person);
        let name = known.ok_or(Failure::NotFound)?.name;
        let note = context.note(account.person.as_str(), "passkey removed", &name, &origin);
        house.accounts().remove_passkeys(&account.person, Some(&credential), &note)?;
        context.notice("The passkey was removed.");
        return Ok(Reply::see("/account"));
    }
    match form.get("do") {
        "ask" => {
            let known = house.accounts().passkeys_of(&account.person)?;
            let purpose = Purpose::Proof(form.get("for").to_owned());
            let asked = passkeys.ask_to_use(asker(context), purpose, &known, context.now);
            json(&asked.map_err(not_asked)?)
        }
        "begin" => {
            let name = form.get("name");
            if name.is_empty() || name.chars().count() > NAME_LETTERS_MAX {
                return Err(Failure::Bad("Give the new passkey a name of at most 60 letters.".to_owned()));
            }
            prove(context)?;
            let known = house.accounts().passkeys_of(&account.person)?;
            if known.len() >= PASSKEYS_MAX {
                return Err(Failure::Bad(
                    "You have as many passkeys as one can have. Remove one first.".to_owned(),
                ));
            }
            let asked = passkeys.ask_to_make(asker(context), account, &known, name, context.now);
            let options = asked.map_err(not_asked)?.to_string();
            let page = PasskeyPage { page: Page::new(context, "A new passkey"), options };
            Ok(Reply::page(page.render()?))
        }
        "keep" => {
            let made = passkeys.made(asker(context), form.get("passkey"), &account.person, context.now);
            let made = match made {
                Ok(made) => made,
                Err(error) => {
                    let what = format!("passkey refused: {error}");
                    house.accounts().note(&context.note(account.person.as_str(), &what, "", &origin))?;
                    return Err(Failure::Bad(
                        "This passkey could not be kept. Begin again from your account's page.".to_owned(),
                    ));
                }
            };
            // Whoever loses the only key comes in with a code.
            let mut accounts = house.accounts();
            let codes = (accounts.recovery_codes_left(&account.person)? == 0).then(draw_recovery_codes);
            let digests = codes.as_ref().map_or(&[][..], |(_, digests)| digests);
            let note = context.note(account.person.as_str(), "passkey added", &made.name, &origin);
            let new = accounts.add_passkey(&made, digests, &note)?;
            drop(accounts);
            if !new {
                return Err(Failure::Bad("This passkey is known already.".to_owned()));
            }
            match codes {
                Some((codes, _)) => RecoveryCodesPage::show(context, codes),
                None => {
                    context.notice("The passkey was added.");
                    Ok(Reply::see("/account"))
                }
            }
        }
        _ => Err(Failure::Bad("Choose what to do.".to_owned())),
    }
}
