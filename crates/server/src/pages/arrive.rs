//! Arriving: the first administrator's set-up, log-in, second factor, invitations, log-out.
//!
//! A wrong name and a wrong password answer alike and take as long. The session's cookie changes with every
//! step that raises what it may do.

use askama::Template;
use store::accounts::{Account, BOUND, skeleton};
use terms::PersonId;

use crate::{
    context::{Context, Failure, Outcome},
    credentials::{check_code, digest, draw_readable, hash_password, verify_password, weakness},
    gate::{SESSION_COOKIE, cookie},
    http::Reply,
    page::Page,
    sessions::{SignOn, Stage},
};

/// How the account log says that somebody came in by single sign-on.
pub const BY_SIGN_ON: &str = "by single sign-on";
/// What is said to whom the provider knows and no account belongs to.
pub const STRANGER: &str = "Your institution knows you, but no open account here belongs to your log-in there. Ask the trial's administrator for an account, with the e-mail address that your institution has verified.";

#[derive(Template)]
#[template(path = "set_up.html")]
struct SetUpPage<'a> {
    page: Page,
    fault: Option<String>,
    token: &'a str,
    login: &'a str,
    printed_name: &'a str,
    email: &'a str,
}

#[derive(Template)]
#[template(path = "log_in.html")]
struct LogInPage<'a> {
    page: Page,
    fault: Option<&'a str>,
    login: &'a str,
    ready: &'a [(String, String)],
}

#[derive(Template)]
#[template(path = "code.html")]
struct CodePage<'a> {
    page: Page,
    fault: Option<&'a str>,
    has_codes: bool,
}

#[derive(Template)]
#[template(path = "password.html")]
struct PasswordPage<'a> {
    page: Page,
    fault: Option<String>,
    action: &'a str,
    login: &'a str,
    explanation: &'a str,
}

/// The start: set-up, log-in, or the studies.
pub fn begin(context: &Context<'_>) -> Outcome {
    if context.house.awaits_set_up() {
        return Ok(Reply::see("/set-up"));
    }
    match context.session.as_ref().map(|(_, session)| session.stage) {
        Some(Stage::In) => Ok(Reply::see("/studies")),
        _ => Err(Failure::LogIn),
    }
}

/// The form of the first administrator.
pub fn set_up_form(context: &Context<'_>) -> Outcome {
    if !context.house.awaits_set_up() {
        return Err(Failure::NotFound);
    }
    set_up_page(context, None)
}

fn set_up_page(context: &Context<'_>, fault: Option<String>) -> Outcome {
    let form = &context.request.form;
    let status = if fault.is_some() { 400 } else { 200 };
    let page = SetUpPage {
        page: Page::new(context, "Set up this installation"),
        fault,
        token: form.get("set-up-token"),
        login: form.get("login"),
        printed_name: form.get("printed-name"),
        email: form.get("email"),
    };
    Ok(Reply::page(page.render()?).status(status))
}

/// Makes the first administrator.
pub fn set_up(context: &Context<'_>) -> Outcome {
    let house = context.house;
    if !house.awaits_set_up() {
        return Err(Failure::NotFound);
    }
    let address = context.request.address;
    if let Some(wait) = house.throttle.wait("set-up", address, context.now) {
        return Err(Failure::Wait(wait));
    }
    let form = &context.request.form;
    let (login, printed_name) = (form.get("login"), form.get("printed-name"));
    if let Err(fault) = sound_name(login, printed_name) {
        return set_up_page(context, Some(fault));
    }
    if let Some(fault) = weak(form.get("password"), form.get("password-again"), login, printed_name) {
        return set_up_page(context, Some(fault));
    }
    let mut account = new_account(login, printed_name, form.get("email"), &Page::new(context, "").language);
    account.administrator = true;
    account.password = Some(hash_password(form.get("password")));
    let origin = context.address();
    let note = store::accounts::Note {
        by: account.person.as_str(),
        ..context.note(account.person.as_str(), "first administrator set up", "", &origin)
    };
    if !house.set_up(form.get("set-up-token"), &account, &note)? {
        house.throttle.count("set-up", address, context.now);
        return set_up_page(
            context,
            Some("The set-up token is not the one that the terminal shows.".to_owned()),
        );
    }
    enter(context, &account, Stage::In, "/", "at the set-up")
}

/// The log-in page.
pub fn log_in_form(context: &Context<'_>) -> Outcome {
    if context.house.awaits_set_up() {
        return Ok(Reply::see("/set-up"));
    }
    if context.session.as_ref().is_some_and(|(_, session)| session.stage == Stage::In) {
        return Ok(Reply::see("/studies"));
    }
    log_in_page(context, None)
}

/// Shows the log-in page, perhaps with what was wrong.
pub fn log_in_page(context: &Context<'_>, fault: Option<&str>) -> Outcome {
    let status = if fault.is_some() { 403 } else { 200 };
    let page = LogInPage {
        page: Page::new(context, "Log in"),
        fault,
        login: context.request.form.get("login"),
        ready: &context.house.ready_accounts,
    };
    Ok(Reply::page(page.render()?).status(status))
}

/// Checks name and password.
pub fn log_in(context: &Context<'_>) -> Outcome {
    let house = context.house;
    let (login, password) = (context.request.form.get("login"), context.request.form.get("password"));
    let key: String = skeleton(login).chars().take(100).collect();
    if let Some(wait) = house.throttle.wait(&key, context.request.address, context.now) {
        return Err(Failure::Wait(wait));
    }
    let account = house.accounts().by_login(login)?;
    let hash =
        account.as_ref().filter(|account| account.active).and_then(|account| account.password.as_deref());
    let right = verify_password(password, hash);
    let Some(account) = account.filter(|_| right) else {
        return wrong(context, &key, "wrong name or password")
            .and_then(|()| log_in_page(context, Some("Name and password do not belong together.")));
    };
    house.throttle.forget(&key, context.request.address);
    let (stage, to) = next_stage(context, &account)?;
    enter(context, &account, stage, to, "with the password")
}

/// Returns what comes after the password: whoever has an authenticator program or a passkey shows it.
fn next_stage(context: &Context<'_>, account: &Account) -> Result<(Stage, &'static str), Failure> {
    Ok(if has_second_step(context, account)? {
        (Stage::SecondFactor, "/log-in/code")
    } else if account.temporary {
        (Stage::NewPassword, "/log-in/new-password")
    } else {
        (Stage::In, "/")
    })
}

/// Says whether a person has an authenticator program or a passkey.
pub fn has_second_step(context: &Context<'_>, account: &Account) -> Result<bool, Failure> {
    let has_passkey = !context.house.accounts().passkeys_of(&account.person)?.is_empty();
    Ok(account.second_factor.is_some() || has_passkey)
}

/// Counts a wrong secret and writes it down; the one that begins the waits is marked for whoever reviews the log.
pub fn wrong(context: &Context<'_>, key: &str, what: &str) -> Result<(), Failure> {
    let first = context.house.throttle.count(key, context.request.address, context.now);
    let origin = context.address();
    let detail = if first { "repeated: further tries from this address are slowed" } else { "" };
    let shown: String = key.chars().take(60).collect();
    let note = store::accounts::Note { by: &shown, ..context.note(&shown, what, detail, &origin) };
    Ok(context.house.accounts().note(&note)?)
}

/// Begins a session under a new cookie and goes on. `how` the person came in stands in the account log.
pub fn enter(context: &Context<'_>, account: &Account, stage: Stage, to: &str, how: &str) -> Outcome {
    let token = begin_session(context, account, stage, how, None)?;
    Ok(Reply::see(to).with("set-cookie", cookie(context.house, SESSION_COOKIE, &token)))
}

/// Begins a session under a new cookie, which is returned, and ends the one that the request was made in, if any.
pub fn begin_session(
    context: &Context<'_>,
    account: &Account,
    stage: Stage,
    how: &str,
    sign_on: Option<SignOn>,
) -> Result<String, Failure> {
    let house = context.house;
    if let Some((former, _)) = &context.session {
        house.sessions.end(former);
    }
    let token = house.sessions.begin(&account.person, stage, context.now);
    let by_sign_on = sign_on.is_some();
    house.sessions.change(&token, |session| session.sign_on = sign_on);
    let origin = context.address();
    let what = match stage {
        Stage::In => "logged in",
        Stage::SecondFactor if by_sign_on => "single sign-on right, second factor asked",
        Stage::SecondFactor => "password right, second factor asked",
        Stage::NewPassword => "temporary password right, own password asked",
    };
    let note = store::accounts::Note {
        by: account.person.as_str(),
        ..context.note(account.person.as_str(), what, how, &origin)
    };
    house.accounts().note(&note)?;
    Ok(token)
}

/// Asks for the second factor.
pub fn code_form(context: &Context<'_>) -> Outcome {
    code_page(context, None)
}

fn code_page(context: &Context<'_>, fault: Option<&str>) -> Outcome {
    let status = if fault.is_some() { 403 } else { 200 };
    let has_codes = context.account()?.second_factor.is_some();
    let page = CodePage { page: Page::new(context, "Second step"), fault, has_codes };
    Ok(Reply::page(page.render()?).status(status))
}

/// Checks the second factor: a passkey, a code of the moment, or a recovery code.
pub fn code(context: &Context<'_>) -> Outcome {
    let house = context.house;
    let account = context.account()?;
    let key = format!("code of {}", account.person);
    if let Some(wait) = house.throttle.wait(&key, context.request.address, context.now) {
        return Err(Failure::Wait(wait));
    }
    #[cfg(feature = "passkeys")]
    if context.request.form.get("do") == "ask" {
        return super::passkeys::ask_second_step(context);
    }
    #[cfg(feature = "passkeys")]
    if super::account::brings_passkey(context) {
        if !super::passkeys::second_step(context, &key)? {
            return code_page(context, Some("This passkey was not accepted. Try again, or use another way."));
        }
        return past_second_step(context, account, "a passkey");
    }
    let given = context.request.form.get("code");
    let secret = account.second_factor.as_deref();
    let (right, how) = match secret.and_then(|secret| check_code(secret, given, context.now)) {
        Some(step) => (house.accounts().spend_step(&account.person, step)?, "a code"),
        None => {
            let digest = digest(&given.to_lowercase());
            let spent = house.accounts().spend_recovery_code(&account.person, &digest)?;
            (spent, "a recovery code")
        }
    };
    if !right {
        wrong(context, &key, "wrong code of the second factor")?;
        return code_page(context, Some("This code is not right, or was used already."));
    }
    house.throttle.forget(&key, context.request.address);
    past_second_step(context, account, how)
}

fn past_second_step(context: &Context<'_>, account: &Account, step: &str) -> Outcome {
    let sign_on = context.session.as_ref().and_then(|(_, session)| session.sign_on.clone());
    if let Some(arrival) = &sign_on
        && !bind(context, account, arrival)?
    {
        return log_in_page(context, Some(STRANGER));
    }
    let first = if sign_on.is_some() { BY_SIGN_ON } else { "with the password" };
    let (stage, to) = match account.temporary && sign_on.is_none() {
        true => (Stage::NewPassword, "/log-in/new-password"),
        false => (Stage::In, "/"),
    };
    let token = begin_session(context, account, stage, &format!("{first} and {step}"), sign_on)?;
    Ok(Reply::see(to).with("set-cookie", cookie(context.house, SESSION_COOKIE, &token)))
}

/// Binds an account to the name by which the provider knows the person, where that is still to be done; says whether it is bound to that name and no other.
pub fn bind(context: &Context<'_>, account: &Account, arrival: &SignOn) -> Result<bool, Failure> {
    let Some((issuer, subject)) = &arrival.binds else { return Ok(true) };
    let (person, origin) = (account.person.as_str(), context.address());
    let note = store::accounts::Note { by: person, ..context.note(person, BOUND, issuer, &origin) };
    Ok(context.house.accounts().bind(issuer, subject, &account.person, &note)?)
}

/// Asks for a password of one's own.
pub fn new_password_form(context: &Context<'_>) -> Outcome {
    new_password_page(context, None)
}

fn new_password_page(context: &Context<'_>, fault: Option<String>) -> Outcome {
    let status = if fault.is_some() { 400 } else { 200 };
    let page = PasswordPage {
        page: Page::new(context, "A password of your own"),
        fault,
        action: "/log-in/new-password",
        login: &context.account()?.login,
        explanation: "Your password was set by somebody else. Choose one that only you know.",
    };
    Ok(Reply::page(page.render()?).status(status))
}

/// Sets a password of one's own.
pub fn new_password(context: &Context<'_>) -> Outcome {
    let account = context.account()?;
    // Whoever still owes the second factor does not get to set a password.
    if context.session.as_ref().is_none_or(|(_, session)| session.stage != Stage::NewPassword) {
        return Err(Failure::NotFound);
    }
    let form = &context.request.form;
    let (password, again) = (form.get("password"), form.get("password-again"));
    if let Some(fault) = weak(password, again, &account.login, &account.printed_name) {
        return new_password_page(context, Some(fault));
    }
    if verify_password(password, account.password.as_deref()) {
        return new_password_page(
            context,
            Some("This is the temporary password. Choose another.".to_owned()),
        );
    }
    let origin = context.address();
    let note = context.note(account.person.as_str(), "own password set", "", &origin);
    context.house.accounts().set_password(&account.person, &hash_password(password), false, &note)?;
    context.house.sessions.end_all_of(&account.person, None);
    enter(context, account, Stage::In, "/", "with an own password")
}

/// An invitation.
pub fn invitation_form(context: &Context<'_>) -> Outcome {
    invitation_page(context, None)
}

fn invitation_page(context: &Context<'_>, fault: Option<String>) -> Outcome {
    let token = context.request.param("token");
    let invited = context.house.accounts().invited(&digest(token), context.now)?;
    let account = invited.ok_or(Failure::NotFound)?;
    let status = if fault.is_some() { 400 } else { 200 };
    let mut page = Page::new(context, "Welcome");
    page.title = format!("{}, {}", page.title, account.printed_name);
    let page = PasswordPage {
        page,
        fault,
        action: &format!("/invitation/{token}"),
        login: &account.login,
        explanation: "Choose a password that only you know. With it you log in and sign.",
    };
    Ok(Reply::page(page.render()?).status(status))
}

/// Takes up an invitation.
pub fn invitation(context: &Context<'_>) -> Outcome {
    let house = context.house;
    let key = digest(context.request.param("token"));
    let account = house.accounts().invited(&key, context.now)?.ok_or(Failure::NotFound)?;
    let form = &context.request.form;
    let password = form.get("password");
    if let Some(fault) = weak(password, form.get("password-again"), &account.login, &account.printed_name) {
        return invitation_page(context, Some(fault));
    }
    let origin = context.address();
    let note = store::accounts::Note {
        by: account.person.as_str(),
        ..context.note(account.person.as_str(), "invitation taken up", "", &origin)
    };
    if !house.accounts().take_up(&key, &account.person, &hash_password(password), &note)? {
        return Err(Failure::NotFound);
    }
    house.sessions.end_all_of(&account.person, None);
    let (stage, to) = next_stage(context, &Account { temporary: false, ..account.clone() })?;
    enter(context, &account, stage, to, "by an invitation")
}

/// Logs out.
pub fn log_out(context: &Context<'_>) -> Outcome {
    if let Some((token, session)) = &context.session {
        context.house.sessions.end(token);
        let origin = context.address();
        let note = context.note(session.person.as_str(), "logged out", "", &origin);
        context.house.accounts().note(&note)?;
    }
    Ok(Reply::see("/log-in")
        .with("set-cookie", cookie(context.house, SESSION_COOKIE, ""))
        .with("clear-site-data", "\"cache\"".to_owned()))
}

/// Returns what is wrong with a new password, typed twice.
pub fn weak(password: &str, again: &str, login: &str, printed_name: &str) -> Option<String> {
    if password != again {
        return Some("The two passwords differ. Type the same one twice.".to_owned());
    }
    weakness(password, login, printed_name)
}

/// Says what is wrong with a log-in name or a printed name.
pub fn sound_name(login: &str, printed_name: &str) -> Result<(), String> {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_' | '@');
    if !(3..=60).contains(&login.len()) || !login.chars().all(plain) {
        return Err("A log-in name has 3 to 60 letters, digits, dots, hyphens, underscores or @.".to_owned());
    }
    if !(2..=100).contains(&printed_name.chars().count()) {
        return Err("Give the full name, as signatures will print it.".to_owned());
    }
    Ok(())
}

/// An account that nobody has logged in to.
pub fn new_account(login: &str, printed_name: &str, email: &str, language: &str) -> Account {
    Account {
        person: PersonId::from(format!("p-{}", draw_readable(1))),
        login: login.to_owned(),
        printed_name: printed_name.to_owned(),
        email: email.to_owned(),
        administrator: false,
        active: true,
        password: None,
        temporary: false,
        second_factor: None,
        last_step: 0,
        language: language.to_owned(),
        identity_verified_by: None,
        signature_accepted: None,
    }
}
