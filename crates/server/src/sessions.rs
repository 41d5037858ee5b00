//! Who is logged in. Sessions live in memory: a restart logs everybody out and loses nothing else.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

use jiff::SignedDuration;
use terms::{PersonId, RoleId, StudyId, Timestamp};

use crate::credentials::{digest, draw_token};

/// A session ends after so long without a request.
pub const IDLE_MAX: SignedDuration = SignedDuration::from_mins(30);
/// And after so long in any case.
pub const LENGTH_MAX: SignedDuration = SignedDuration::from_hours(12);
/// Who logged in anew at the provider of single sign-on goes on within so long.
pub const CONFIRMED_FOR: SignedDuration = SignedDuration::from_mins(5);

/// How far a person has come in logging in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The password was right; the second factor is asked for.
    SecondFactor,
    /// A temporary password has to be replaced first.
    NewPassword,
    /// In.
    In,
}

/// An arrival by single sign-on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignOn {
    /// The provider and its name for the person, where the account is to be bound to them once the person is in.
    pub binds: Option<(String, String)>,
}

/// A session.
#[derive(Clone, Debug)]
pub struct Session {
    /// Who.
    pub person: PersonId,
    /// How far.
    pub stage: Stage,
    /// What every form of this session carries.
    pub form_token: String,
    /// When it began.
    pub began: Timestamp,
    /// The last request.
    pub last: Timestamp,
    /// Whether both parts of a signature were given in this session; later ones ask for the password alone.
    pub has_signed: bool,
    /// How it began by single sign-on; none where it began with the password.
    pub sign_on: Option<SignOn>,
    /// The page for which the person has just logged in anew by single sign-on, and when.
    pub confirmed: Option<(String, Timestamp)>,
    /// The role that the person acts in, by study.
    pub roles: BTreeMap<StudyId, RoleId>,
    /// What the next page says on top.
    pub notice: Option<String>,
}

/// All sessions, by the digest of their cookie.
#[derive(Default)]
pub struct Sessions(Mutex<HashMap<[u8; 32], Session>>);

impl Sessions {
    /// Begins a session and returns its cookie.
    pub fn begin(&self, person: &PersonId, stage: Stage, now: Timestamp) -> String {
        let token = draw_token();
        let session = Session {
            person: person.clone(),
            stage,
            form_token: draw_token(),
            began: now,
            last: now,
            has_signed: false,
            sign_on: None,
            confirmed: None,
            roles: BTreeMap::new(),
            notice: None,
        };
        let mut all = self.all();
        all.retain(|_, session| holds(session, now));
        all.insert(digest(&token), session);
        token
    }

    /// Returns the session of a cookie while it holds, and counts the request.
    pub fn touch(&self, token: &str, now: Timestamp) -> Option<Session> {
        let key = digest(token);
        let mut all = self.all();
        if !holds(all.get(&key)?, now) {
            all.remove(&key);
            return None;
        }
        let session = all.get_mut(&key)?;
        session.last = now;
        Some(session.clone())
    }

    /// Changes a session in place.
    pub fn change(&self, token: &str, change: impl FnOnce(&mut Session)) {
        if let Some(session) = self.all().get_mut(&digest(token)) {
            change(session);
        }
    }

    /// Notes that a session's person has logged in anew, for what a page leads to.
    pub fn confirm(&self, token: &str, person: &PersonId, page: &str, now: Timestamp) {
        let mut all = self.all();
        let session = all.get_mut(&digest(token)).filter(|session| session.person == *person);
        if let Some(session) = session {
            session.confirmed = Some((page.to_owned(), now));
        }
    }

    /// Takes what a session's person has confirmed, for good; says whether it was for this path.
    pub fn take_confirmation(&self, token: &str, path: &str, now: Timestamp) -> bool {
        let taken = self
            .all()
            .get_mut(&digest(token))
            .and_then(|session| session.confirmed.take_if(|(page, at)| covers(page, *at, path, now)));
        taken.is_some()
    }

    /// Takes the notice for the next page.
    pub fn take_notice(&self, token: &str) -> Option<String> {
        self.all().get_mut(&digest(token))?.notice.take()
    }

    /// Ends a session.
    pub fn end(&self, token: &str) {
        self.all().remove(&digest(token));
    }

    /// Ends all sessions of a person, but for one where it is named.
    pub fn end_all_of(&self, person: &PersonId, but: Option<&str>) {
        let kept = but.map(digest);
        self.all().retain(|key, session| session.person != *person || Some(*key) == kept);
    }

    fn all(&self) -> MutexGuard<'_, HashMap<[u8; 32], Session>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    /// Says whether the person has just logged in anew for what this page leads to.
    pub fn is_confirmed(&self, path: &str, now: Timestamp) -> bool {
        self.confirmed.as_ref().is_some_and(|(page, at)| covers(page, *at, path, now))
    }
}

/// A page's forms lead to itself or to what lies below it.
fn covers(page: &str, at: Timestamp, path: &str, now: Timestamp) -> bool {
    let below = path.strip_prefix(page).is_some_and(|rest| match rest.strip_prefix('/') {
        Some(step) => !step.contains('/'),
        None => rest.is_empty(),
    });
    below && now.duration_since(at) < CONFIRMED_FOR
}

fn holds(session: &Session, now: Timestamp) -> bool {
    now.duration_since(session.last) < IDLE_MAX && now.duration_since(session.began) < LENGTH_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + 60 * minutes).unwrap()
    }

    #[test]
    fn a_session_ends_when_idle_and_in_any_case_after_its_length() {
        let (sessions, person) = (Sessions::default(), PersonId::from("p1"));
        let idle = sessions.begin(&person, Stage::In, at(0));
        assert!(sessions.touch(&idle, at(29)).is_some());
        assert!(sessions.touch(&idle, at(58)).is_some());
        assert!(sessions.touch(&idle, at(88)).is_none());
        assert!(sessions.touch(&idle, at(58)).is_none());
        let long = sessions.begin(&person, Stage::In, at(0));
        for minute in (0..720).step_by(20) {
            assert!(sessions.touch(&long, at(minute)).is_some(), "{minute}");
        }
        assert!(sessions.touch(&long, at(720)).is_none());
    }

    #[test]
    fn p11_300c_all_sessions_of_a_person_end_at_once() {
        let (sessions, person) = (Sessions::default(), PersonId::from("p1"));
        let other = sessions.begin(&PersonId::from("p2"), Stage::In, at(0));
        let tokens = [(); 3].map(|()| sessions.begin(&person, Stage::In, at(0)));
        sessions.end_all_of(&person, Some(&tokens[1]));
        let left: Vec<bool> = tokens.iter().map(|token| sessions.touch(token, at(1)).is_some()).collect();
        assert_eq!(left, [false, true, false]);
        assert!(sessions.touch(&other, at(1)).is_some());
    }
}
