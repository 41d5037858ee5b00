//! Mails: somebody is told to log in. A mail says what kind of thing waits and where the pages are, and nothing of a
//! participant, a site, a value or an arm, because mail is read by anybody on its way.
//!
//! Mails about a study come out of its record, not out of the requests that changed it, so that none is forgotten when the
//! server stops in between.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

use jiff::SignedDuration;
use protocol::model::Power;
use record::{Event, Fact, StoreError, Stream};
use store::outbox::{NewMail, Outbox, OutboxStanding, WaitingMail};
use terms::{Date, PersonId, RoleId, SiteId, StudyId, Timestamp, days_between};

use crate::{
    installation::Installation,
    running::RunningStudy,
    seat::seats,
    smtp::{Letter, SmtpError, send},
};

/// The outbox's file below an installation.
const OUTBOX: &str = "outbox.sqlite";
/// A query that waits longer for its answer is overdue.
const OVERDUE_DAYS: i32 = 14;
/// Mails that are sent in one go.
const AT_ONCE: u32 = 50;
/// The longest wait before a mail that was refused is tried again.
const AGAIN_AFTER_MAX: SignedDuration = SignedDuration::from_hours(4);
/// Events of a record that are looked through at a time.
const EVENTS_AT_ONCE: u64 = 200;

/// What a mail is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A serious adverse event was reported.
    Serious,
    /// The blind of a participant was broken in an emergency.
    BlindBroken,
    /// A watch of the safety board reached its boundary or a planned look.
    SafetyBoard,
    /// A query has waited too long for an answer.
    OverdueQuery,
    /// Somebody is invited to make an account.
    Invitation,
}

impl Kind {
    const ALL: [(Self, &'static str, &'static str); 5] = [
        (
            Self::Serious,
            "serious",
            "A serious adverse event was reported in a study in which you have a role.",
        ),
        (
            Self::BlindBroken,
            "blind",
            "The blind was broken in an emergency in a study in which you have a role.",
        ),
        (
            Self::SafetyBoard,
            "board",
            "The safety board of a study in which you have a role has something to decide.",
        ),
        (
            Self::OverdueQuery,
            "overdue",
            "A query in a study has waited for your answer for more than two weeks.",
        ),
        (
            Self::Invitation,
            "invitation",
            "You are invited to make an account. The link works once, for seven days.",
        ),
    ];

    fn name(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _, _)| *kind == self).map_or("", |(_, name, _)| name)
    }

    fn sentence(name: &str) -> &'static str {
        let known = Self::ALL.iter().find(|(_, known, _)| *known == name);
        known.map_or("Something waits for you.", |(_, _, sentence)| sentence)
    }
}

/// Who carries mails, and what they say of where they come from.
#[derive(Clone, Debug)]
pub struct Postman {
    /// The relay, `host:port`.
    pub relay: String,
    /// The sender's address.
    pub from: String,
    /// The address of the pages as people reach them, without a `/` at the end.
    pub pages: String,
}

/// The post of an installation.
pub struct Post {
    postman: Postman,
    outbox: Mutex<Outbox>,
    /// The day on which each study was last looked through for overdue queries: none becomes overdue in the course of a day.
    overdue_on: Mutex<BTreeMap<StudyId, Date>>,
}

impl Post {
    /// Opens the post of an installation's folder.
    ///
    /// # Errors
    /// The outbox can't be opened.
    pub fn open(folder: &Path, postman: Postman) -> Result<Self, StoreError> {
        let outbox = Mutex::new(Outbox::open(&folder.join(OUTBOX))?);
        Ok(Self { postman, outbox, overdue_on: Mutex::default() })
    }

    fn outbox(&self) -> MutexGuard<'_, Outbox> {
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says how the outbox stands.
    ///
    /// # Errors
    /// The outbox can't be read.
    pub fn standing(&self) -> Result<OutboxStanding, StoreError> {
        self.outbox().standing()
    }

    /// Puts in an invitation's mail; `path` leads to it.
    ///
    /// # Errors
    /// The outbox can't be written.
    pub fn invite(
        &self,
        person: &PersonId,
        address: &str,
        path: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mail = NewMail {
            once: format!("invitation/{person}/{}", now.as_millisecond()),
            address: address.to_owned(),
            kind: Kind::Invitation.name().to_owned(),
            link: format!("{}{path}", self.postman.pages),
        };
        self.outbox().put(&[mail], None, now)
    }

    /// Looks through what was recorded since the last time, and through what is overdue, and puts in the mails about it.
    ///
    /// # Errors
    /// A record or the outbox can't be read or written.
    pub fn gather(&self, house: &Installation) -> Result<(), StoreError> {
        for running in house.studies.values() {
            let study = running.study().id.to_string();
            let head = running.record(|reader| reader.head())?.sequence;
            // A record from before there was a post is not mailed about.
            let from = self.outbox().looked_through(&study)?.unwrap_or(head);
            let mut events = Vec::new();
            let mut done = from;
            while done < head {
                // A few at a time: pages read from the record meanwhile.
                let to = head.min(done + EVENTS_AT_ONCE);
                let some = running.record(|reader| reader.between(done + 1, to))?;
                events.extend(some.into_iter().filter(|event| kind_of(event).is_some()));
                done = to;
            }
            let mut mails = Vec::new();
            for event in &events {
                self.about(house, running, event, &mut mails);
            }
            let today = house.now().to_zoned_datetime(jiff::tz::TimeZone::UTC).date();
            let id = &running.study().id;
            let looked = self.overdue_on.lock().unwrap_or_else(PoisonError::into_inner).get(id).copied();
            if looked != Some(today) {
                self.overdue(house, running, today, &mut mails);
            }
            self.outbox().put(&mails, Some((&study, head)), house.now())?;
            self.overdue_on.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), today);
        }
        Ok(())
    }

    fn about(&self, house: &Installation, running: &RunningStudy, event: &Event, mails: &mut Vec<NewMail>) {
        let Some(kind) = kind_of(event) else { return };
        let study = running.study();
        if kind == Kind::SafetyBoard {
            let of = format!("{}/{}/{}", kind.name(), study.id, event.sequence);
            let board = |seat: &crate::seat::Seat<'_>| seat.may(Power::OverseeSafety);
            return self.put_in(&of, kind, &reached(house, running, None, board), mails);
        }
        if !matches!(event.stream, Stream::Subject(_)) {
            return;
        }
        // Whoever may read of it is told of it.
        let class = if kind == Kind::Serious { "adverse_events" } else { "audit" };
        let of = format!("{}/{}/{}", kind.name(), study.id, event.sequence);
        let people = reached(house, running, event.site.as_ref(), |seat| {
            seat.reads(class) && seat.person != event.by.person
        });
        self.put_in(&of, kind, &people, mails);
    }

    fn overdue(&self, house: &Installation, running: &RunningStudy, today: Date, mails: &mut Vec<NewMail>) {
        let state = running.state();
        // Whom a query asks hangs on its site and role alone; a large trial has thousands of queries and some dozens of these.
        let mut asked: BTreeMap<(SiteId, RoleId), Vec<(PersonId, String)>> = BTreeMap::new();
        for casebook in state.walk() {
            for query in
                casebook.queries.iter().filter(|query| query.closed.is_none() && query.answered.is_none())
            {
                if days_between(query.opened_on, today) <= OVERDUE_DAYS {
                    continue;
                }
                let of = format!("{}/{}/{}", Kind::OverdueQuery.name(), running.study().id, query.opened);
                let whom = (casebook.site.clone(), query.addressed_to.clone());
                let people = asked.entry(whom).or_insert_with(|| {
                    let role = |seat: &crate::seat::Seat<'_>| seat.role.id == query.addressed_to;
                    reached(house, running, Some(&casebook.site), role)
                });
                self.put_in(&of, Kind::OverdueQuery, people, mails);
            }
        }
    }

    /// One mail for each of some people, with their addresses.
    fn put_in(&self, of: &str, kind: Kind, people: &[(PersonId, String)], mails: &mut Vec<NewMail>) {
        mails.extend(people.iter().map(|(person, address)| NewMail {
            once: format!("{of}/{person}"),
            address: address.clone(),
            kind: kind.name().to_owned(),
            link: self.postman.pages.clone(),
        }));
    }

    /// Sends what is due. A mail that can't be sent is tried again later, each time later.
    ///
    /// # Errors
    /// The outbox can't be read or written.
    pub fn deliver(&self, now: Timestamp) -> Result<(), StoreError> {
        let due = self.outbox().due(now, AT_ONCE)?;
        for mail in due {
            match self.hand_over(&mail, now) {
                Ok(()) => self.outbox().sent(mail.id, now)?,
                Err(error) => {
                    let wait = SignedDuration::from_mins(1_i64 << mail.tries.min(10)).min(AGAIN_AFTER_MAX);
                    self.outbox().failed(mail.id, now + wait, &error.to_string())?;
                }
            }
        }
        Ok(())
    }

    fn hand_over(&self, mail: &WaitingMail, now: Timestamp) -> Result<(), SmtpError> {
        let domain = self.postman.from.split('@').nth(1).unwrap_or_default();
        let text = format!(
            "{}\n\nLog in to see it:\n{}\n\nThis mail holds no data of the trial on purpose. It was sent by a program; \
             answers are not read.\n",
            Kind::sentence(&mail.kind),
            mail.link
        );
        let letter = Letter {
            from: &self.postman.from,
            to: &mail.address,
            subject: "Equipoise: something waits for you",
            date: &now.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string(),
            id: &format!("{}.{}@{domain}", mail.id, now.as_millisecond()),
            text: &text,
        };
        send(&self.postman.relay, &letter)
    }
}

/// Returns everybody with an address who has a fitting seat that reaches a site (none: the study), and the address.
fn reached(
    house: &Installation,
    running: &RunningStudy,
    site: Option<&SiteId>,
    fits: impl Fn(&crate::seat::Seat<'_>) -> bool,
) -> Vec<(PersonId, String)> {
    let (study, state) = (running.study(), running.state());
    let today = house.now().to_zoned_datetime(jiff::tz::TimeZone::UTC).date();
    let mut people: Vec<&PersonId> = state.delegations.grants().iter().map(|grant| &grant.person).collect();
    people.sort();
    people.dedup();
    let reached = |person: &PersonId| {
        seats(study, &state, person, today)
            .iter()
            .any(|seat| fits(seat) && site.is_none_or(|site| seat.sites.hold(site)))
    };
    people
        .into_iter()
        .filter(|person| reached(person))
        .filter_map(|person| house.accounts().of(person).ok().flatten())
        .filter(|account| account.active && !account.email.is_empty())
        .map(|account| (account.person, account.email))
        .collect()
}

fn kind_of(event: &Event) -> Option<Kind> {
    match event.fact {
        Fact::SeriousEventReported { .. } => Some(Kind::Serious),
        Fact::BlindBroken { .. } => Some(Kind::BlindBroken),
        Fact::WatchReached { .. } => Some(Kind::SafetyBoard),
        _ => None,
    }
}
