//! Registered terminals: the browsers from which a study takes changes, where it takes them from registered ones alone.
//!
//! A terminal is a browser on a machine that a site answers for. An administrator makes a link, which is opened in that browser once and
//! leaves a secret there; from then on every change from it names the terminal. Whether changes from elsewhere are refused is
//! a setting of each study, off at first. Reading is a matter of people's rights and of no terminal's.
//!
//! All of this is lines of the account log, folded when the server starts, so that who registered or withdrew what and when is
//! chained and can't be altered.

use std::collections::BTreeMap;

use store::accounts::{LogLine, Note};
use terms::{SiteId, StudyId, Timestamp};

use crate::{
    context::{Context, Failure},
    credentials::{digest, draw_token, hex},
    gate::cookie,
    routes::{Audit, Right},
};

/// What the log says of terminals.
const ADDED: &str = "terminal added";
const REGISTERED: &str = "terminal registered";
const WITHDRAWN: &str = "terminal withdrawn";
const REQUIRED: &str = "registered terminals required";
const NOT_REQUIRED: &str = "registered terminals no longer required";
/// Lines that are folded into [`Terminals`].
pub const LINES: &[&str] = &[ADDED, REGISTERED, WITHDRAWN, REQUIRED, NOT_REQUIRED];
/// What the log calls a change that came from elsewhere.
const REFUSED: &str = "change from an unregistered terminal refused";
/// The longest name of a terminal, in bytes.
const NAME_BYTES_MAX: usize = 80;
/// Browsers forget a cookie after 400 days at the latest.
const COOKIE_SECONDS: u32 = 400 * 24 * 3600;

/// A terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terminal {
    /// Its number in the installation, from 1.
    pub number: u32,
    /// The study whose changes it sends.
    pub study: StudyId,
    /// The site whose participants they are about; none: any.
    pub site: Option<SiteId>,
    /// What people call it.
    pub name: String,
    /// When the link was opened in it.
    pub registered: Option<Timestamp>,
    /// When it was withdrawn.
    pub withdrawn: Option<Timestamp>,
    /// The digest of its link until that is opened, then of the secret in its browser; in hexadecimal digits.
    secret: String,
}

/// The terminals of an installation, and which studies take changes from them alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terminals {
    all: BTreeMap<u32, Terminal>,
    required: BTreeMap<StudyId, bool>,
}

impl Terminals {
    /// Takes a line of the account log in; lines about anything else say nothing here.
    pub fn take(&mut self, line: &LogLine) {
        let number = || line.about.strip_prefix("terminal ").and_then(|number| number.parse().ok());
        match line.what.as_str() {
            ADDED => {
                let mut words = line.detail.splitn(4, ' ');
                let mut next = || words.next().unwrap_or_default();
                let (study, site, secret, name) = (next(), next(), next(), next());
                let Some(number) = number() else { return };
                let terminal = Terminal {
                    number,
                    study: StudyId::from(study),
                    site: (site != "-").then(|| SiteId::from(site)),
                    name: name.to_owned(),
                    registered: None,
                    withdrawn: None,
                    secret: secret.to_owned(),
                };
                self.all.insert(number, terminal);
            }
            REGISTERED => {
                if let Some(terminal) = number().and_then(|number| self.all.get_mut(&number)) {
                    terminal.registered = Some(line.at);
                    terminal.secret.clone_from(&line.detail);
                }
            }
            WITHDRAWN => {
                if let Some(terminal) = number().and_then(|number| self.all.get_mut(&number)) {
                    terminal.withdrawn = Some(line.at);
                }
            }
            REQUIRED | NOT_REQUIRED => {
                self.required.insert(StudyId::from(line.about.as_str()), line.what == REQUIRED);
            }
            _ => {}
        }
    }

    /// Returns a study's terminals, the first registered first.
    pub fn of<'t>(&'t self, study: &'t StudyId) -> impl Iterator<Item = &'t Terminal> {
        self.all.values().filter(move |terminal| terminal.study == *study)
    }

    /// Says whether a study takes changes from registered terminals alone.
    pub fn are_required(&self, study: &StudyId) -> bool {
        self.required.get(study).copied().unwrap_or(false)
    }

    /// Returns the terminal in whose browser a secret lies, withdrawn or not.
    fn holding(&self, secret: &str) -> Option<&Terminal> {
        let secret = hex(&digest(secret));
        self.all.values().find(|terminal| terminal.registered.is_some() && terminal.secret == secret)
    }

    /// Returns the terminal that waits for its link to be opened.
    fn awaiting(&self, token: &str) -> Option<&Terminal> {
        let link = hex(&digest(token));
        let waits = |terminal: &&Terminal| terminal.registered.is_none() && terminal.withdrawn.is_none();
        self.all.values().filter(waits).find(|terminal| terminal.secret == link)
    }
}

/// The cookie in which a browser keeps its secret for a study.
fn cookie_name(study: &StudyId) -> String {
    format!("equipoise-terminal-{study}")
}

/// Returns the terminal from which a request comes, if it is one of the study's that still counts.
fn sending(context: &Context<'_>, study: &StudyId) -> Result<Terminal, &'static str> {
    let secret = context.request.cookies.get(&cookie_name(study));
    let secret = secret.ok_or("This browser is not registered as a terminal of this study.")?;
    let terminals = context.house.terminals();
    let terminal = terminals.holding(secret).ok_or("This browser's registration is unknown here.")?;
    if terminal.study != *study {
        return Err("This browser is registered for another study.");
    }
    if terminal.withdrawn.is_some() {
        return Err("This browser's registration was withdrawn.");
    }
    Ok(terminal.clone())
}

/// Says from where a change comes, as its event keeps it: the web, and the terminal where it is a registered one.
pub fn origin(context: &Context<'_>) -> String {
    let study = context.running.map(|running| &running.study().id);
    match study.map(|study| sending(context, study)) {
        Some(Ok(terminal)) => format!("web, terminal {} ({})", terminal.number, terminal.name),
        _ => "web".to_owned(),
    }
}

/// Lets a change through that comes from a registered terminal, where the study asks for that. What does not is refused, and the
/// refusal is written down.
///
/// # Errors
/// It comes from elsewhere, from a terminal of another study or site, or from one that was withdrawn.
pub fn admit(context: &Context<'_>) -> Result<(), Failure> {
    if context.route.audit != Audit::Record || !matches!(context.route.right, Right::Seat(_)) {
        return Ok(());
    }
    let (running, _) = context.seated()?;
    let study = &running.study().id;
    if !context.house.terminals().are_required(study) {
        return Ok(());
    }
    let site = match context.request.param("subject") {
        "" => Some(context.request.form.get("site")).filter(|site| !site.is_empty()).map(SiteId::from),
        subject => running.state().casebook(subject).map(|casebook| casebook.site.clone()),
    };
    let why = match sending(context, study) {
        Ok(terminal) if terminal.site.is_none() || site.is_none() || terminal.site == site => return Ok(()),
        Ok(_) => "This browser is registered for another site.",
        Err(why) => why,
    };
    let origin = context.address();
    context.house.accounts().note(&context.note(study.as_str(), REFUSED, why, &origin))?;
    Err(Failure::Refused(format!(
        "{why} Nothing was saved: this study takes changes from registered terminals alone. Ask your administrator to register this one."
    )))
}

/// Adds a terminal and returns it with the token of its link, which is shown once.
///
/// # Errors
/// The name is empty or too long, the site is none of the study's, or the log can't be written.
pub fn add(context: &Context<'_>, study: &StudyId, site: &str, name: &str) -> Result<(u32, String), Failure> {
    let known = &context.house.studies.get(study).ok_or(Failure::NotFound)?;
    let name = name.trim();
    if name.is_empty() || name.len() > NAME_BYTES_MAX || name.chars().any(char::is_control) {
        return Err(Failure::Bad("Give the terminal a name of at most 80 letters.".to_owned()));
    }
    if !site.is_empty() && known.study().site(site).is_none() {
        return Err(Failure::Bad("Choose a site of the study, or none.".to_owned()));
    }
    let token = draw_token();
    let mut terminals = context.house.terminals();
    let number = terminals.all.keys().last().map_or(1, |last| last + 1);
    let site = if site.is_empty() { "-" } else { site };
    let detail = format!("{study} {site} {} {name}", hex(&digest(&token)));
    write(context, &mut terminals, (&format!("terminal {number}"), ADDED, &detail))?;
    Ok((number, token))
}

/// Returns the terminal for which a link was made that was not opened yet.
pub fn invited(context: &Context<'_>, token: &str) -> Option<Terminal> {
    context.house.terminals().awaiting(token).cloned()
}

/// Registers the browser that opened a link; returns the terminal and the cookie that the browser keeps.
///
/// # Errors
/// There is no such link any more, or the log can't be written.
pub fn register(context: &Context<'_>, token: &str) -> Result<(Terminal, String), Failure> {
    let mut terminals = context.house.terminals();
    let terminal = terminals.awaiting(token).cloned().ok_or(Failure::NotFound)?;
    let secret = draw_token();
    let about = format!("terminal {}", terminal.number);
    write(context, &mut terminals, (&about, REGISTERED, &hex(&digest(&secret))))?;
    let cookie = cookie(context.house, &cookie_name(&terminal.study), &secret);
    Ok((terminal, format!("{cookie}; Max-Age={COOKIE_SECONDS}")))
}

/// Withdraws a terminal; from the next request on nothing is taken from it.
///
/// # Errors
/// There is none of that number, or the log can't be written.
pub fn withdraw(context: &Context<'_>, number: u32, reason: &str) -> Result<(), Failure> {
    let mut terminals = context.house.terminals();
    if !terminals.all.contains_key(&number) {
        return Err(Failure::NotFound);
    }
    write(context, &mut terminals, (&format!("terminal {number}"), WITHDRAWN, reason))
}

/// Asks for registered terminals in a study, or does so no longer.
///
/// # Errors
/// The log can't be written.
pub fn require(context: &Context<'_>, study: &StudyId, required: bool, reason: &str) -> Result<(), Failure> {
    let what = if required { REQUIRED } else { NOT_REQUIRED };
    write(context, &mut context.house.terminals(), (study.as_str(), what, reason))
}

/// Writes a line and takes it in, while nobody else changes the terminals.
fn write(
    context: &Context<'_>,
    terminals: &mut Terminals,
    (about, what, detail): (&str, &'static str, &str),
) -> Result<(), Failure> {
    let origin = context.address();
    let note: Note<'_> = context.note(about, what, detail, &origin);
    context.house.accounts().note(&note)?;
    let line = LogLine {
        sequence: 0,
        at: note.at,
        by: note.by.to_owned(),
        about: about.to_owned(),
        what: what.to_owned(),
        detail: detail.to_owned(),
        origin: origin.clone(),
    };
    terminals.take(&line);
    Ok(())
}
