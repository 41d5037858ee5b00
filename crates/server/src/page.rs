//! What every page carries: who is here, in which study and role, the way to other pages.

use protocol::model::Power;
use record::Environment;

use crate::{
    context::{Context, Failure},
    gate::TOKEN_FIELD,
    http::Method,
    languages::{preferred, translate},
    pages::files,
    seat::Sites,
};

/// The frame of a page.
#[derive(Clone, Debug)]
pub struct Page {
    /// The title, already in the page's language.
    pub title: String,
    /// The nonce of scripts.
    pub nonce: String,
    /// What forms carry.
    pub form_token: String,
    /// The language.
    pub language: String,
    /// Whether participants are virtual.
    pub training: bool,
    /// The printed name of who is logged in.
    pub person: Option<String>,
    /// Whether that person looks after accounts.
    pub administrator: bool,
    /// Whether passkeys work where this page was asked for.
    pub passkeys: bool,
    /// Whether the person can prove with a password who they are.
    pub proves_by_password: bool,
    /// Whether the person can prove with a passkey who they are.
    pub proves_by_passkey: bool,
    /// The institution where people log in by single sign-on, if there is one.
    pub sign_on: Option<String>,
    /// Whether the person can prove there who they are.
    pub proves_by_sign_on: bool,
    /// Whether the person has just done so for what this page leads to.
    pub confirmed: bool,
    /// The path of the page.
    pub path: String,
    /// The study and the seat in it.
    pub study: Option<StudyFrame>,
    /// What happened just now.
    pub notice: Option<String>,
    /// Why nothing can be saved at present.
    pub trouble: Option<String>,
}

/// The study of a page and the seat in it.
#[derive(Clone, Debug)]
pub struct StudyFrame {
    /// The path below which its pages lie.
    pub path: String,
    /// Its title.
    pub title: String,
    /// The role.
    pub role: String,
    /// Where the role was delegated.
    pub place: String,
    /// Other roles of the person: id and label.
    pub others: Vec<(String, String)>,
    /// The ways to its pages: path, label, whether it is the page in hand.
    pub ways: Vec<(String, &'static str, bool)>,
    /// Whether the database is locked.
    pub locked: bool,
}

impl Page {
    /// Frames a page for a request. The title is translated.
    pub fn new(context: &Context<'_>, title: &str) -> Self {
        let language = context.account.as_ref().map_or_else(
            || preferred(&context.request.languages).to_owned(),
            |account| account.language.clone(),
        );
        let form_token = match &context.session {
            Some((_, session)) => session.form_token.clone(),
            None => context.visitor_token.clone(),
        };
        // Parts that a script fetches, and answers to forms, leave the notice to the page that follows.
        let whole = context.request.method == Method::Get && !context.request.partial;
        let session = context.session.as_ref().filter(|_| whole);
        let (passkeys, proves_by_passkey) = passkeys(context);
        let (sign_on, proves_by_sign_on) = sign_on(context);
        let path = context.request.path.clone();
        let confirmed =
            context.session.as_ref().is_some_and(|(_, session)| session.is_confirmed(&path, context.now));
        let notice = session.and_then(|(token, _)| context.house.sessions.take_notice(token));
        Self {
            title: translate(&language, title).to_owned(),
            nonce: context.request.nonce.clone(),
            form_token,
            training: context.house.environment == Environment::Rehearsal,
            person: context.account.as_ref().map(|account| account.printed_name.clone()),
            administrator: context.account.as_ref().is_some_and(|account| account.administrator),
            passkeys,
            proves_by_password: context.account.as_ref().is_some_and(|account| account.password.is_some()),
            proves_by_passkey,
            sign_on,
            proves_by_sign_on,
            confirmed,
            path,
            study: study_frame(context, &language).ok(),
            notice,
            trouble: context.running.and_then(crate::running::RunningStudy::trouble),
            language,
        }
    }

    /// Returns a text of the interface in the page's language.
    pub fn t<'a>(&self, english: &'a str) -> &'a str {
        translate(&self.language, english)
    }

    /// Returns a sentence in the page's language, where names, numbers and dates stand in it.
    pub fn say<'a>(&self, english: &'a str) -> std::borrow::Cow<'a, str> {
        crate::languages::say(&self.language, english)
    }

    /// Returns the hidden field that every form carries.
    pub fn token(&self) -> String {
        format!("<input type=\"hidden\" name=\"{TOKEN_FIELD}\" value=\"{}\">", self.form_token)
    }

    /// Returns the address of a file of the pages, which changes with its content.
    pub fn file(&self, name: &str) -> String {
        files::address(name)
    }
}

/// Says whether passkeys work where a page was asked for, and whether the person has one.
#[cfg(feature = "passkeys")]
fn passkeys(context: &Context<'_>) -> (bool, bool) {
    let host = context.request.host.as_deref();
    let here = context.house.passkeys.as_ref().is_some_and(|passkeys| passkeys.work_at(host));
    let account = context.account.as_ref().filter(|_| here);
    let has = account.is_some_and(|account| {
        context.house.accounts().passkeys_of(&account.person).is_ok_and(|all| !all.is_empty())
    });
    (here, has)
}

#[cfg(not(feature = "passkeys"))]
fn passkeys(_: &Context<'_>) -> (bool, bool) {
    (false, false)
}

/// Says where people log in by single sign-on, and whether the person has come that way.
#[cfg(feature = "single-sign-on")]
fn sign_on(context: &Context<'_>) -> (Option<String>, bool) {
    let Some(provider) = &context.house.single_sign_on else { return (None, false) };
    let has = context.account.as_ref().is_some_and(|account| {
        let known = context.house.accounts().identity_of(provider.issuer(), &account.person);
        known.is_ok_and(|known| known.is_some())
    });
    (Some(provider.name().to_owned()), has)
}

#[cfg(not(feature = "single-sign-on"))]
fn sign_on(_: &Context<'_>) -> (Option<String>, bool) {
    (None, false)
}

fn study_frame(context: &Context<'_>, language: &str) -> Result<StudyFrame, Failure> {
    let (running, seat) = context.seated()?;
    let study = running.study();
    let path = format!("/studies/{}", crate::http::segment(study.id.as_str()));
    let mut ways = vec![(path.clone(), "Today")];
    if seat.sees_participants() {
        ways.push((format!("{path}/participants"), "Participants"));
        ways.push((format!("{path}/queries"), "Queries"));
    }
    if seat.follows_course() {
        ways.push((format!("{path}/dashboard"), "How it goes"));
    }
    if study.blind_reading.is_some() && (seat.may(Power::ReadSpecimens) || seat.may(Power::KeepSpecimenKey)) {
        ways.push((format!("{path}/slides"), "Slides"));
    }
    let keeps = [Power::SealAllocation, Power::UnblindStudy, Power::Dispense, Power::ReceiveKits];
    if study.allocation.is_some() && keeps.iter().any(|power| seat.may(*power)) {
        ways.push((format!("{path}/allocation"), "List and kits"));
    }
    if seat.may(Power::VerifySource) {
        ways.push((format!("{path}/verification"), "Verification"));
    }
    if [Power::ClassifyDeviations, Power::SignAnalysisSets, Power::Lock].iter().any(|power| seat.may(*power))
    {
        ways.push((format!("{path}/closing"), "Closing"));
    }
    if seat.may(Power::OverseeSafety) && !study.watches.is_empty() {
        ways.push((format!("{path}/safety"), "Safety board"));
    }
    if seat.may(Power::Administer) || seat.may_take(access::Step::ApproveStudy) {
        ways.push((format!("{path}/go-live"), "Going live"));
    }
    if seat.reads("audit") {
        ways.push((format!("{path}/audit"), "Audit trail"));
    }
    ways.push((format!("{path}/schedule"), "Schedule"));
    ways.push((format!("{path}/forms"), "Forms"));
    let here = &context.request.path;
    let best = ways.iter().map(|(way, _)| way).filter(|way| here.starts_with(*way)).map(String::len).max();
    let place = match &seat.sites {
        Sites::All => translate(language, "all sites").to_owned(),
        Sites::These(_) => seat.own_sites().map(|site| site.label.clone()).collect::<Vec<_>>().join(", "),
    };
    Ok(StudyFrame {
        title: study.title.get(language).to_owned(),
        role: seat.role.label.get(language).to_owned(),
        place,
        others: context
            .seats()
            .into_iter()
            .filter(|other| other.role.id != seat.role.id)
            .map(|other| (other.role.id.to_string(), other.role.label.get(language).to_owned()))
            .collect(),
        ways: ways
            .into_iter()
            .map(|(way, label)| {
                let current = Some(way.len()) == best && here.starts_with(&way);
                (way, label, current)
            })
            .collect(),
        locked: context.state()?.locked.is_some(),
        path,
    })
}
