//! What a handler works with: the request, who asks, and the seat that the gate found.

use std::{cell::RefCell, ops::Deref, sync::Arc};

use conduct::{Action, Casebook, Command, Receipt, State};
use record::{Actor, FormKey, Stream};
use store::accounts::{Account, Note};
use terms::{Date, FormId, PartialDate, SiteId, SiteTime, SubjectId, Timestamp, VisitId};

use crate::{
    http::{Reply, Request},
    installation::Installation,
    lists::Lines,
    routes::Route,
    running::{CommandError, RunningStudy, Seen},
    seat::{Seat, seats},
    sessions::Session,
    terminals,
};

/// How a handler ends.
pub type Outcome = Result<Reply, Failure>;

/// Why there is no ordinary answer.
#[derive(Debug)]
pub enum Failure {
    /// There is no such thing, or none that one may know of.
    NotFound,
    /// One has to log in first.
    LogIn,
    /// What was sent can't be used; what to do about it.
    Bad(String),
    /// A rule refuses it; what is missing.
    Refused(String),
    /// Too many; seconds to wait.
    Wait(u64),
    /// The server itself can't: disk full, damaged file.
    Broken(String),
}

impl From<askama::Error> for Failure {
    fn from(error: askama::Error) -> Self {
        Failure::Broken(error.to_string())
    }
}

impl From<store::accounts::AccountError> for Failure {
    fn from(error: store::accounts::AccountError) -> Self {
        match error {
            store::accounts::AccountError::NameTaken { .. } => Failure::Bad(error.to_string()),
            _ => Failure::Broken(error.to_string()),
        }
    }
}

impl From<record::StoreError> for Failure {
    fn from(error: record::StoreError) -> Self {
        Failure::Broken(error.to_string())
    }
}

impl From<CommandError> for Failure {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::Refused(refusal) => Failure::Refused(refusal.to_string()),
            CommandError::Changed(_) => Failure::Refused(error.to_string()),
            CommandError::Store(error) => Failure::Broken(error.to_string()),
            CommandError::Closed => Failure::Broken(error.to_string()),
        }
    }
}

/// The durable state as one request sees it. The participant in hand is opened for this request alone: what a page opens in the state
/// that all share stays open until the writer packs it again.
pub struct Snapshot {
    state: Arc<State>,
    in_hand: Option<Casebook>,
}

impl Snapshot {
    fn of(state: Arc<State>, subject: &str) -> Self {
        let in_hand = state.casebook(subject).cloned();
        Self { state, in_hand }
    }

    /// Returns a participant's casebook.
    pub fn casebook(&self, subject: &str) -> Option<&Casebook> {
        let in_hand = self.in_hand.as_ref().filter(|casebook| casebook.subject == *subject);
        in_hand.or_else(|| self.state.casebook(subject))
    }
}

impl Deref for Snapshot {
    type Target = State;

    fn deref(&self) -> &State {
        &self.state
    }
}

/// The state that a page shows: as it is, or as the record had it at the end of a day.
pub enum Sighted {
    /// As it is.
    Now(Arc<Snapshot>),
    /// As it was, with the day.
    Past(Box<State>, Date),
}

impl Deref for Sighted {
    type Target = State;

    fn deref(&self) -> &State {
        match self {
            Sighted::Now(state) => state,
            Sighted::Past(state, _) => state,
        }
    }
}

impl Sighted {
    /// Returns a participant's casebook.
    pub fn casebook(&self, subject: &str) -> Option<&Casebook> {
        match self {
            Sighted::Now(state) => state.casebook(subject),
            Sighted::Past(state, _) => state.casebook(subject),
        }
    }

    /// Returns the day, if it lies in the past.
    pub fn day(&self) -> Option<Date> {
        match self {
            Sighted::Now(_) => None,
            Sighted::Past(_, day) => Some(*day),
        }
    }
}

/// A request with who asks and from which seat.
pub struct Context<'a> {
    /// The installation.
    pub house: &'a Installation,
    /// The request.
    pub request: &'a Request,
    /// The route that was asked for.
    pub route: &'static Route,
    /// When it was asked.
    pub now: Timestamp,
    /// The session's cookie and content, if logged in, perhaps half.
    pub session: Option<(String, Session)>,
    /// Whose session it is.
    pub account: Option<Account>,
    /// The study that the path names and in which the person has a seat.
    pub running: Option<&'a RunningStudy>,
    /// The seat.
    pub seat: Option<Seat<'a>>,
    /// The state, once it was asked for.
    pub snapshot: RefCell<Option<Arc<Snapshot>>>,
    /// What forms outside a session carry.
    pub visitor_token: String,
    /// Whether that token's cookie is new and must be set.
    pub new_visitor: bool,
}

impl<'a> Context<'a> {
    /// Returns the account of who is logged in.
    ///
    /// # Errors
    /// Nobody is.
    pub fn account(&self) -> Result<&Account, Failure> {
        self.account.as_ref().ok_or(Failure::LogIn)
    }

    /// Returns the study and the seat in it.
    ///
    /// # Errors
    /// The path names none; the gate sees to it that it does where the route asks for a seat.
    pub fn seated(&self) -> Result<(&'a RunningStudy, &Seat<'a>), Failure> {
        Ok((self.running.ok_or(Failure::NotFound)?, self.seat.as_ref().ok_or(Failure::NotFound)?))
    }

    /// Returns the durable state, the same for the whole request but for what the request itself changes.
    ///
    /// # Errors
    /// The path names no study.
    pub fn state(&self) -> Result<Arc<Snapshot>, Failure> {
        let running = self.running.ok_or(Failure::NotFound)?;
        let mut known = self.snapshot.borrow_mut();
        let made = || Arc::new(Snapshot::of(running.state(), self.request.param("subject")));
        Ok(Arc::clone(known.get_or_insert_with(made)))
    }

    /// Returns the state that the page shows: with `as-of` in the query, what had been recorded about the study and the
    /// participant in hand by the end of that day.
    ///
    /// # Errors
    /// The day is none, or the record can't be read.
    pub fn sighted(&self) -> Result<Sighted, Failure> {
        let (running, seat) = self.seated()?;
        let text = self.request.query.get("as-of");
        if text.is_empty() {
            return Ok(Sighted::Now(self.state()?));
        }
        // Who sees the visit in hand alone would see earlier ones in the past's hand.
        if !seat.follows_course() {
            return Err(Failure::NotFound);
        }
        let day: Date = text
            .parse()
            .map_err(|_| Failure::Bad("Give the day as year-month-day, such as 2009-03-14.".to_owned()))?;
        let streams = [Stream::Study, Stream::Supply, Stream::Subject(self.subject())];
        let mut events = Vec::new();
        for stream in &streams {
            events.extend(running.record(|reader| reader.read_stream(stream))?);
        }
        events.retain(|event| event.recorded.local_date <= day);
        events.sort_by_key(|event| event.sequence);
        let mut state = State::replay(&events);
        state.pack(&self.subject());
        Ok(Sighted::Past(Box::new(state), day))
    }

    /// Looks at the lines that the seat sees of the participants, and at the state that they were made from.
    ///
    /// # Errors
    /// There is no seat.
    pub fn look<T>(&self, look: impl FnOnce(&Arc<State>, &Lines<'_>) -> T) -> Result<T, Failure> {
        let (running, seat) = self.seated()?;
        let today = |site: &SiteId| self.today(Some(site));
        Ok(running.lists().look(seat, || running.state(), today, look))
    }

    /// Returns all seats of the person in the study in hand.
    pub fn seats(&self) -> Vec<Seat<'a>> {
        match (self.running, &self.account) {
            (Some(running), Some(account)) => self.state().map_or_else(
                |_| Vec::new(),
                |state| seats(running.study(), &state, &account.person, self.today(None)),
            ),
            _ => Vec::new(),
        }
    }

    /// Returns the participant that the path names.
    pub fn subject(&self) -> SubjectId {
        SubjectId::from(self.request.param("subject"))
    }

    /// Returns the form's place that the path names: `-` stands for no visit.
    ///
    /// # Errors
    /// The row is no number.
    pub fn form_key(&self) -> Result<FormKey, Failure> {
        form_key(self.request).ok_or(Failure::NotFound)
    }

    /// Returns the date at a site, or of the first site where none is named.
    pub fn today(&self, site: Option<&SiteId>) -> Date {
        self.site_time(site).local_date
    }

    /// Returns the time on a site's clock, or of the first site where none is named.
    pub fn site_time(&self, site: Option<&SiteId>) -> SiteTime {
        let study = self.running.map(RunningStudy::study);
        let zone = study.and_then(|study| {
            site.and_then(|site| study.site(site.as_str()))
                .or(study.sites.first())
                .map(|site| site.zone.as_str())
        });
        SiteTime::at(self.now, zone.unwrap_or("UTC")).unwrap_or_else(|_| SiteTime {
            utc: self.now,
            local_date: self.now.to_zoned_datetime(jiff::tz::TimeZone::UTC).date(),
            offset_seconds: 0,
        })
    }

    /// Makes a command of the seat, about a participant where one is named.
    ///
    /// # Errors
    /// There is no seat.
    pub fn command(
        &self,
        subject: Option<&SubjectId>,
        site: Option<&SiteId>,
        happened: Option<PartialDate>,
        action: Action,
    ) -> Result<Command, Failure> {
        let (running, seat) = self.seated()?;
        let site = subject
            .and_then(|subject| {
                running.state().casebook(subject.as_str()).map(|casebook| casebook.site.clone())
            })
            .or_else(|| site.cloned());
        let at = self.site_time(site.as_ref());
        let reason = self.request.form.get("reason");
        Ok(Command {
            by: Actor { person: seat.person.clone(), role: seat.role.id.clone() },
            happened: happened.unwrap_or(at.local_date.into()),
            at,
            origin: terminals::origin(self),
            reason: (!reason.is_empty()).then(|| reason.to_owned()),
            subject: subject.cloned(),
            expected_position: None,
            action,
        })
    }

    /// Gives commands to the study.
    ///
    /// # Errors
    /// A rule refuses one, or the record can't be written.
    pub fn give(&self, commands: Vec<Command>, seen: Option<Seen>) -> Result<Vec<Receipt>, CommandError> {
        let given = self.running.ok_or(CommandError::Closed)?.give(commands, seen);
        // What the request sees from here on holds what it did, and what kept it from it.
        self.snapshot.replace(None);
        given
    }

    /// Says something on top of the next page.
    pub fn notice(&self, text: impl Into<String>) {
        if let Some((token, _)) = &self.session {
            let text = text.into();
            self.house.sessions.change(token, |session| session.notice = Some(text));
        }
    }

    /// Makes a line of the account log about this request.
    pub fn note<'n>(&'n self, about: &'n str, what: &'n str, detail: &'n str, origin: &'n str) -> Note<'n> {
        let by = self.account.as_ref().map_or("", |account| account.person.as_str());
        Note { at: self.now, by, about, what, detail, origin }
    }

    /// Returns the peer's address as text.
    pub fn address(&self) -> String {
        self.request.address.to_string()
    }
}

/// Returns the form's place that a path names.
pub fn form_key(request: &Request) -> Option<FormKey> {
    let visit = request.param("visit");
    Some(FormKey {
        visit: (visit != "-").then(|| VisitId::from(visit)),
        form: FormId::from(request.param("form")),
        row: request.param("row").parse().ok()?,
    })
}
