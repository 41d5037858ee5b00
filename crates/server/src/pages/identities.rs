//! A colleague confirms who somebody is, where whoever made the person's link may not.
//!
//! The use of another's signature has to need two people. Whoever made the link of an account could have taken it up, so
//! somebody else confirms the identity: another administrator or, in an installation that has no other, a colleague whom an administrator
//! asked. Who was asked, by whom, and what the colleague saw stand in the account log, which is all that this rests on.

use askama::Template;
use store::accounts::{Account, AccountError, AccountStore, LogLine};
use terms::PersonId;

use crate::{
    context::{Context, Failure, Outcome},
    http::Reply,
    page::Page,
    pages::account::{moment, prove},
};

/// What the log calls it that a colleague was asked.
pub const ASKED: &str = "confirmation of the identity asked";
/// What it calls the colleague's answer, as it does an administrator's.
const VERIFIED: &str = "identity verified";

struct Asked {
    person: String,
    name: String,
    login: String,
    by: String,
    at: String,
}

#[derive(Template)]
#[template(path = "identities.html")]
struct IdentitiesPage {
    page: Page,
    asked: Vec<Asked>,
}

/// Returns the colleagues whom an administrator may ask about a person: everybody whose own identity is verified but the person and
/// who made the person's way in; while there is nobody else, whoever has taken up an account.
pub fn colleagues(context: &Context<'_>, person: &PersonId) -> Result<Vec<Account>, Failure> {
    let accounts = context.house.accounts();
    let makers = accounts.makers_of_ways_in(person)?;
    let mut all = Vec::new();
    for one in accounts.all()? {
        let other = one.person != *person && !makers.contains(&one.person);
        if other && one.active && is_taken_up(&accounts, &one)? {
            all.push(one);
        }
    }
    drop(accounts);
    if all.iter().any(|one| one.identity_verified_by.is_some()) {
        all.retain(|one| one.identity_verified_by.is_some());
    }
    Ok(all)
}

/// Says whether somebody has come in: with a password or by single sign-on.
fn is_taken_up(accounts: &AccountStore, account: &Account) -> Result<bool, AccountError> {
    Ok(account.password.is_some() || accounts.is_bound(&account.person)?)
}

/// Asks a colleague, at an administrator's word.
///
/// # Errors
/// The person is verified already or the colleague may not be asked.
pub fn ask(context: &Context<'_>, person: &Account, colleague: &str) -> Result<(), Failure> {
    if person.identity_verified_by.is_some() {
        return Err(Failure::Bad("This person's identity is verified already.".to_owned()));
    }
    let known = colleagues(context, &person.person)?.into_iter().any(|one| one.person == *colleague);
    if !known {
        return Err(Failure::Bad(
            "Choose a colleague who did not make this person's link and whose own identity is verified."
                .to_owned(),
        ));
    }
    let origin = context.address();
    let note = context.note(person.person.as_str(), ASKED, colleague, &origin);
    context.house.accounts().note(&note)?;
    Ok(())
}

/// What is asked of a person now: the last word about each account, where that is still unverified.
fn asked_of(context: &Context<'_>, me: &PersonId) -> Result<Vec<(Account, LogLine)>, Failure> {
    let accounts = context.house.accounts();
    let mut last = std::collections::BTreeMap::new();
    for line in accounts.lines(&[ASKED])? {
        last.insert(line.about.clone(), line);
    }
    let mut found = Vec::new();
    for (about, line) in last {
        let person = PersonId::from(about.as_str());
        let Some(account) = accounts.of(&person)? else { continue };
        let unverified = account.identity_verified_by.is_none();
        let open = account.active && unverified && is_taken_up(&accounts, &account)?;
        // Whoever made a new way in since is not the one to confirm.
        let made = accounts.makers_of_ways_in(&person)?.contains(me);
        if line.detail == me.as_str() && open && !made {
            found.push((account, line));
        }
    }
    Ok(found)
}

/// Whom one is asked to confirm.
pub fn show(context: &Context<'_>) -> Outcome {
    let me = &context.account()?.person;
    let asked = asked_of(context, me)?;
    let accounts = context.house.accounts();
    let mut lines = Vec::new();
    for (account, line) in asked {
        let by = accounts.of(&PersonId::from(line.by.as_str()))?;
        lines.push(Asked {
            person: account.person.to_string(),
            name: account.printed_name,
            login: account.login,
            by: by.map_or(line.by, |by| by.printed_name),
            at: moment(context, line.at),
        });
    }
    drop(accounts);
    Ok(Reply::page(
        IdentitiesPage { page: Page::new(context, "Confirm a colleague's identity"), asked: lines }
            .render()?,
    ))
}

/// Confirms who a colleague is, with one's password and what one saw.
pub fn confirm(context: &Context<'_>) -> Outcome {
    let me = context.account()?.person.clone();
    let form = &context.request.form;
    let person = PersonId::from(form.get("person"));
    let asked = asked_of(context, &me)?.into_iter().any(|(account, _)| account.person == person);
    if !asked {
        return Err(Failure::Refused("Nobody asks you to confirm this person's identity.".to_owned()));
    }
    let how = form.get("how").trim();
    if how.is_empty() {
        return Err(Failure::Bad(
            "Say how you know who it is: a document that you saw, or for how long you have worked together."
                .to_owned(),
        ));
    }
    prove(context)?;
    let origin = context.address();
    let note = context.note(person.as_str(), VERIFIED, how, &origin);
    context.house.accounts().verify_identity(&person, &me, &note)?;
    context.notice("Done.");
    Ok(Reply::see("/account/identities"))
}
