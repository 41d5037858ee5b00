//! Single sign-on: people are sent to their institution's log-in and come back.
//!
//! A browser that comes from another site brings no cookie of a session, so it comes back under a cookie of its own, and goes on from a page of ours that leads further by itself.
//! Who is refused counts at the address as wrong passwords do; no account is slowed down by it, since nothing of an account is tried.

use askama::Template;
use store::accounts::{Account, AccountError, Note};
use terms::PersonId;

use crate::{
    context::{Context, Failure, Outcome},
    gate::{SESSION_COOKIE, cookie},
    http::{Method, Reply},
    page::Page,
    pages::arrive::{BY_SIGN_ON, STRANGER, begin_session, bind, has_second_step, log_in_page},
    routes::find,
    sessions::{SignOn, Stage},
    single_sign_on::{BACK_WITHIN, Errand, Sent, SignOnError, SingleSignOn, Statement},
};

/// The cookie of a browser that was sent away. It comes back with a link from another site, and only to the path that takes people back.
const AWAY_COOKIE: &str = "equipoise-away";

const NOT_CONFIRMED: &str = "This log-in was not confirmed. Try again; if that does not help, log in with your password or ask your administrator.";
const NOT_REACHED: &str =
    "Your institution's log-in can't be reached at present. Log in with your password, or try again later.";
const NOT_REACHED_ANEW: &str = "Your institution's log-in can't be reached at present, so nothing was changed. Show who you are in another way, or try again later.";
/// Why an account is not for whoever comes.
const BOUND_ELSEWHERE: &str = "the account is bound to another log-in there";
const NOT_ANEW: &str = "Your log-in was not confirmed, so nothing was changed. Open the page again and log in anew; if that does not help, ask your administrator.";

#[derive(Template)]
#[template(path = "on_the_way.html")]
struct OnTheWayPage<'a> {
    page: Page,
    to: &'a str,
}

/// Why somebody does not get on: the log-in does not hold, or this server can't.
enum Stop {
    Unconfirmed(SignOnError),
    Failed(Failure),
}

impl From<SignOnError> for Stop {
    fn from(error: SignOnError) -> Self {
        Stop::Unconfirmed(error)
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Stop::Failed(failure)
    }
}

impl From<AccountError> for Stop {
    fn from(error: AccountError) -> Self {
        Stop::Failed(error.into())
    }
}

fn provider<'a>(context: &Context<'a>) -> Result<&'a SingleSignOn, Failure> {
    context.house.single_sign_on.as_ref().ok_or(Failure::NotFound)
}

/// Sends somebody to log in.
pub fn begin(context: &Context<'_>) -> Outcome {
    let provider = provider(context)?;
    if context.session.as_ref().is_some_and(|(_, session)| session.stage == Stage::In) {
        return Ok(Reply::see("/studies"));
    }
    slowed(context, None)?;
    match provider.send(Errand::LogIn, context.now) {
        Ok(sent) => away(context, &sent),
        Err(error) => refused(context, &Errand::LogIn, &error),
    }
}

/// Sends somebody who is logged in to log in anew, before a change or a signature.
pub fn confirm(context: &Context<'_>) -> Outcome {
    let provider = provider(context)?;
    let account = context.account()?;
    let (session, _) = context.session.as_ref().ok_or(Failure::LogIn)?;
    let path = context.request.form.get("for");
    // Only to a page of ours, and only for who has come that way before.
    let bound = context.house.accounts().identity_of(provider.issuer(), &account.person)?.is_some();
    if !bound || !matches!(find(Method::Get, path), Some(Ok(_))) {
        return Err(Failure::Bad("Choose what to do.".to_owned()));
    }
    slowed(context, Some(&account.person))?;
    let errand =
        Errand::Confirm { session: session.clone(), person: account.person.clone(), path: path.to_owned() };
    match provider.send(errand.clone(), context.now) {
        Ok(sent) => away(context, &sent),
        Err(error) => refused(context, &errand, &error),
    }
}

/// Leads a browser away. Not by an answer to the form itself: the content policy lets forms lead to these pages alone.
fn away(context: &Context<'_>, sent: &Sent) -> Outcome {
    let secure = if context.house.secure { "; Secure" } else { "" };
    let cookie = format!(
        "{AWAY_COOKIE}={}; Path={}; Max-Age={}; HttpOnly; SameSite=Lax{secure}",
        sent.cookie,
        SingleSignOn::BACK,
        BACK_WITHIN.as_secs()
    );
    Ok(on_the_way(context, &sent.to)?.with("set-cookie", cookie))
}

fn on_the_way(context: &Context<'_>, to: &str) -> Outcome {
    Ok(Reply::page(OnTheWayPage { page: Page::new(context, "One moment"), to }.render()?))
}

/// Takes back who was sent.
pub fn back(context: &Context<'_>) -> Outcome {
    let provider = provider(context)?;
    // Any page elsewhere can make a browser ask for this address. Only who was sent from it is worth a line and a wait.
    let Some(cookie) = context.request.cookies.get(AWAY_COOKIE) else {
        return log_in_page(context, Some(NOT_CONFIRMED));
    };
    slowed(context, None)?;
    let query = &context.request.query;
    let came = provider.back(query.get("state"), query.get("code"), query.get("error"), cookie, context.now);
    let (errand, statement) = match came {
        Ok(came) => came,
        // What they were sent for is not known.
        Err(error) => return refused(context, &Errand::LogIn, &error),
    };
    let arrived = statement.map_err(Stop::from).and_then(|statement| match &errand {
        Errand::LogIn => log_in(context, provider, &statement),
        Errand::Confirm { session, person, path } => confirmed(context, &statement, session, person, path),
    });
    match arrived {
        Ok(reply) => Ok(reply),
        Err(Stop::Failed(failure)) => Err(failure),
        Err(Stop::Unconfirmed(error)) => refused(context, &errand, &error),
    }
}

/// Lets in whom the provider names: an account that was bound to that name, or, the first time, the one with that verified address.
fn log_in(context: &Context<'_>, provider: &SingleSignOn, statement: &Statement) -> Result<Reply, Stop> {
    let known = context.house.accounts().identity(&statement.issuer, &statement.subject)?;
    let new = known.is_none();
    let account = match known {
        Some(person) => context.house.accounts().of(&person)?,
        None => Some(meant(context, provider, statement)?),
    };
    let account = account
        .filter(|account| account.active)
        .ok_or(SignOnError::Stranger("the account that it is bound to was ended"))?;
    let arrival = SignOn { binds: new.then(|| (statement.issuer.clone(), statement.subject.clone())) };
    // The provider stands for the password; whoever has a second step here takes it here, before anything is bound.
    let (stage, to) = match has_second_step(context, &account)? {
        true => (Stage::SecondFactor, "/log-in/code"),
        false => (Stage::In, "/"),
    };
    if stage == Stage::In && !bind(context, &account, &arrival)? {
        return Err(SignOnError::Stranger(BOUND_ELSEWHERE).into());
    }
    let token = begin_session(context, &account, stage, BY_SIGN_ON, Some(arrival))?;
    Ok(on_the_way(context, to)?.with("set-cookie", cookie(context.house, SESSION_COOKIE, &token)))
}

/// Returns the one active account with the address that the provider has verified, which is to be bound to the provider's name for the person.
fn meant(context: &Context<'_>, provider: &SingleSignOn, statement: &Statement) -> Result<Account, Stop> {
    let address = provider
        .verified_email(statement, context.now)?
        .filter(|address| !address.is_empty())
        .ok_or(SignOnError::Stranger("the provider has not verified an address"))?;
    let accounts = context.house.accounts();
    let mut with_it: Vec<Account> = accounts.all()?;
    with_it.retain(|account| account.active && account.email.eq_ignore_ascii_case(&address));
    let account = match with_it.pop() {
        Some(account) if with_it.is_empty() => account,
        Some(_) => return Err(SignOnError::Stranger("several open accounts have the address").into()),
        None => return Err(SignOnError::Stranger("no open account has the address").into()),
    };
    // A person has one name with a provider; another with the same address does not take the account over.
    match accounts.identity_of(&statement.issuer, &account.person)? {
        None => Ok(account),
        Some(_) => Err(SignOnError::Stranger(BOUND_ELSEWHERE).into()),
    }
}

/// Lets a session go on with a change or a signature, once its own person has logged in anew.
fn confirmed(
    context: &Context<'_>,
    statement: &Statement,
    session: &str,
    person: &PersonId,
    path: &str,
) -> Result<Reply, Stop> {
    let house = context.house;
    if house.accounts().identity(&statement.issuer, &statement.subject)?.as_ref() != Some(person) {
        return Err(SignOnError::Refused("somebody else logged in".to_owned()).into());
    }
    let origin = context.address();
    let note = Note {
        by: person.as_str(),
        ..context.note(person.as_str(), "confirmed by single sign-on", "", &origin)
    };
    house.accounts().note(&note)?;
    house.throttle.forget(&key(person), context.request.address);
    house.sessions.confirm(session, person, path, context.now);
    Ok(on_the_way(context, path)?)
}

/// What refusals of a person's log-in anew are counted by.
fn key(person: &PersonId) -> String {
    format!("single sign-on of {person}")
}

/// Lets those wait who were refused too often: at an address, and with a log-in anew of one person.
fn slowed(context: &Context<'_>, person: Option<&PersonId>) -> Result<(), Failure> {
    let (throttle, address) = (&context.house.throttle, context.request.address);
    let wait = match person {
        Some(person) => throttle.wait(&key(person), address, context.now),
        None => throttle.wait_at(address, context.now),
    };
    wait.map_or(Ok(()), |wait| Err(Failure::Wait(wait)))
}

/// Writes down why nobody came in, counts it, and says what to do.
fn refused(context: &Context<'_>, errand: &Errand, error: &SignOnError) -> Outcome {
    let house = context.house;
    let about = match errand {
        Errand::LogIn => "",
        Errand::Confirm { person, .. } => person.as_str(),
    };
    let (origin, detail) = (context.address(), error.to_string());
    let note = Note { by: about, ..context.note(about, "single sign-on refused", &detail, &origin) };
    house.accounts().note(&note)?;
    let elsewhere = matches!(error, SignOnError::Unreachable(_) | SignOnError::Busy);
    match errand {
        _ if elsewhere => {}
        Errand::LogIn => house.throttle.count_at(context.request.address, context.now),
        Errand::Confirm { person, .. } => {
            house.throttle.count(&key(person), context.request.address, context.now);
        }
    }
    match (errand, error) {
        (Errand::LogIn, SignOnError::Stranger(_)) => log_in_page(context, Some(STRANGER)),
        (Errand::LogIn, _) if elsewhere => log_in_page(context, Some(NOT_REACHED)),
        (Errand::LogIn, _) => log_in_page(context, Some(NOT_CONFIRMED)),
        (Errand::Confirm { .. }, _) if elsewhere => Err(Failure::Bad(NOT_REACHED_ANEW.to_owned())),
        (Errand::Confirm { .. }, _) => Err(Failure::Bad(NOT_ANEW.to_owned())),
    }
}
