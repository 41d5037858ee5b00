//! One's own account: password, second factor, language, the electronic signature.

use askama::Template;

use crate::{
    context::{Context, Failure, Outcome},
    credentials::{
        check_code, draw_recovery_codes, draw_second_factor, hash_password, hex, spelled_out, unhex,
        verify_password,
    },
    http::Reply,
    languages::LANGUAGES,
    page::Page,
    pages::arrive::{weak, wrong},
};

#[derive(Template)]
#[template(path = "account.html")]
struct AccountPage<'a> {
    page: Page,
    login: String,
    email: String,
    languages: &'static [(&'static str, &'static str)],
    has_second_factor: bool,
    recovery_codes_left: u64,
    passkeys_at: Option<&'a str>,
    passkeys: Vec<PasskeyLine>,
    accepted: Option<String>,
    identity_verified: bool,
    log: Vec<(String, String, String)>,
}

#[derive(Template)]
#[template(path = "second_factor.html")]
struct SecondFactorPage {
    page: Page,
    secret: String,
    secret_hex: String,
    fault: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "recovery_codes.html")]
/// Recovery codes, shown once.
pub struct RecoveryCodesPage {
    page: Page,
    codes: Vec<String>,
}

impl RecoveryCodesPage {
    /// Shows recovery codes, once.
    pub fn show(context: &Context<'_>, codes: Vec<String>) -> Outcome {
        Ok(Reply::page(Self { page: Page::new(context, "Recovery codes"), codes }.render()?))
    }
}

/// A passkey as the account's page lists it.
struct PasskeyLine {
    id: String,
    name: String,
    added: String,
    used: Option<String>,
}

/// The account.
pub fn show(context: &Context<'_>) -> Outcome {
    let account = context.account()?;
    let accounts = context.house.accounts();
    let log = accounts.log(Some(account.person.as_str()), 15)?;
    let recovery_codes_left = accounts.recovery_codes_left(&account.person)?;
    let passkeys = accounts.passkeys_of(&account.person)?;
    drop(accounts);
    let page = AccountPage {
        page: Page::new(context, "My account"),
        login: account.login.clone(),
        email: account.email.clone(),
        languages: LANGUAGES,
        has_second_factor: account.second_factor.is_some(),
        recovery_codes_left,
        passkeys_at: passkeys_at(context),
        passkeys: passkeys
            .into_iter()
            .map(|passkey| PasskeyLine {
                id: hex(&passkey.credential),
                name: passkey.name,
                added: moment(context, passkey.added),
                used: passkey.used.map(|used| moment(context, used)),
            })
            .collect(),
        accepted: account.signature_accepted.map(|at| moment(context, at)),
        identity_verified: account.identity_verified_by.is_some(),
        log: log.into_iter().map(|line| (moment(context, line.at), line.what, line.origin)).collect(),
    };
    Ok(Reply::page(page.render()?))
}

/// Writes a moment in UTC, to the minute.
pub fn moment(_: &Context<'_>, at: terms::Timestamp) -> String {
    at.to_zoned_datetime(jiff::tz::TimeZone::UTC).strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// Returns the address at which passkeys work, if they do.
#[cfg(feature = "passkeys")]
fn passkeys_at<'a>(context: &Context<'a>) -> Option<&'a str> {
    context.house.passkeys.as_ref().map(crate::passkeys::Passkeys::origin)
}

#[cfg(not(feature = "passkeys"))]
fn passkeys_at<'a>(_: &Context<'a>) -> Option<&'a str> {
    None
}

/// Says whether a passkey's answer came with the form.
pub fn brings_passkey(context: &Context<'_>) -> bool {
    cfg!(feature = "passkeys") && !context.request.form.get("passkey").is_empty()
}

/// Says whether the form rests on a log-in anew by single sign-on.
pub fn brings_confirmation(context: &Context<'_>) -> bool {
    cfg!(feature = "single-sign-on") && context.request.form.has("confirmed")
}

/// Asks for the present password, a passkey, or a log-in anew by single sign-on, as every change of a secret and every signature does.
pub fn prove(context: &Context<'_>) -> Result<(), Failure> {
    if brings_confirmation(context) {
        let path = &context.request.path;
        let (token, _) = context.session.as_ref().ok_or(Failure::LogIn)?;
        return match context.house.sessions.take_confirmation(token, path, context.now) {
            true => Ok(()),
            false => Err(Failure::Bad(
                "Your log-in was not confirmed, or too long ago. Go back and confirm it again; nothing was changed."
                    .to_owned(),
            )),
        };
    }
    #[cfg(feature = "passkeys")]
    if brings_passkey(context) {
        return super::passkeys::prove_by_passkey(context);
    }
    let account = context.account()?;
    if account.password.is_none() {
        return Err(Failure::Bad(
            "You have no password here. Go back and show who you are in another way first; nothing was changed."
                .to_owned(),
        ));
    }
    let key = format!("password of {}", account.person);
    if let Some(wait) = context.house.throttle.wait(&key, context.request.address, context.now) {
        return Err(Failure::Wait(wait));
    }
    if verify_password(context.request.form.get("password"), account.password.as_deref()) {
        context.house.throttle.forget(&key, context.request.address);
        return Ok(());
    }
    wrong(context, &key, "wrong password at a change or signature")?;
    Err(Failure::Bad("The password is not right. Go back and type it again; nothing was changed.".to_owned()))
}

/// Changes the password.
pub fn password(context: &Context<'_>) -> Outcome {
    prove(context)?;
    let account = context.account()?;
    let form = &context.request.form;
    let new = form.get("new-password");
    if let Some(fault) = weak(new, form.get("new-password-again"), &account.login, &account.printed_name) {
        return Err(Failure::Bad(fault));
    }
    if verify_password(new, account.password.as_deref()) {
        return Err(Failure::Bad("This is your present password. Choose another.".to_owned()));
    }
    let origin = context.address();
    let note = context.note(account.person.as_str(), "password changed", "", &origin);
    context.house.accounts().set_password(&account.person, &hash_password(new), false, &note)?;
    let own = context.session.as_ref().map(|(token, _)| token.as_str());
    context.house.sessions.end_all_of(&account.person, own);
    context.notice("Your password was changed. You were logged out everywhere else.");
    Ok(Reply::see("/account"))
}

/// Begins the second factor, confirms it, or ends it.
pub fn second_factor(context: &Context<'_>) -> Outcome {
    let account = context.account()?;
    let form = &context.request.form;
    let origin = context.address();
    let page = |secret: &[u8], fault| -> Outcome {
        let page = SecondFactorPage {
            page: Page::new(context, "Second step at log-in"),
            secret: spelled_out(secret),
            secret_hex: hex(secret),
            fault,
        };
        Ok(Reply::page(page.render()?))
    };
    match form.get("do") {
        "begin" => {
            prove(context)?;
            page(&draw_second_factor(), None)
        }
        "confirm" => {
            // The secret is the person's own choice to keep until a code proves that the authenticator has it.
            let secret = unhex(form.get("secret")).filter(|secret| secret.len() == 20);
            let secret =
                secret.ok_or_else(|| Failure::Bad("Begin again from your account's page.".to_owned()))?;
            if check_code(&secret, form.get("code"), context.now).is_none() {
                return page(&secret, Some("This code is not right. Look at your authenticator again."));
            }
            let (codes, digests) = draw_recovery_codes();
            let note = context.note(account.person.as_str(), "second factor set", "", &origin);
            context.house.accounts().set_second_factor(&account.person, Some(&secret), &digests, &note)?;
            RecoveryCodesPage::show(context, codes)
        }
        "end" => {
            prove(context)?;
            let note = context.note(account.person.as_str(), "second factor ended", "", &origin);
            context.house.accounts().set_second_factor(&account.person, None, &[], &note)?;
            context.notice("The second step was ended.");
            Ok(Reply::see("/account"))
        }
        _ => Err(Failure::Bad("Choose what to do.".to_owned())),
    }
}

/// Changes the language of the pages.
pub fn language(context: &Context<'_>) -> Outcome {
    let account = context.account()?;
    let chosen = context.request.form.get("language");
    if !LANGUAGES.iter().any(|(code, _)| *code == chosen) {
        return Err(Failure::Bad("Choose one of the languages.".to_owned()));
    }
    context.house.accounts().set_language(&account.person, chosen)?;
    Ok(Reply::see("/account"))
}

/// Accepts the electronic signature as binding.
pub fn signature(context: &Context<'_>) -> Outcome {
    prove(context)?;
    let account = context.account()?;
    let origin = context.address();
    let note = context.note(account.person.as_str(), "electronic signature accepted as binding", "", &origin);
    context.house.accounts().accept_signature(&account.person, &note)?;
    context.notice("You have accepted your electronic signature as binding.");
    Ok(Reply::see("/account"))
}
