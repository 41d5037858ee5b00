//! From a command to drafts of events, or a refusal.
//!
//! [`decide`] is pure: the same study, state, command and means give the same answer. It holds every
//! command to the rules that all share (the study is open, not locked; the actor may; it has
//! happened; nobody else was quicker) and hands it to its own file. It writes nothing.

use access::Reach;
use allocation::{OpenVault, OpenedList};
use protocol::model::Study;
use rand_core::CryptoRng;
use record::{Actor, Content, DeviationKind, Draft, Fact, Part, Stream};
use terms::*;

use crate::{
    Action, Command, Refusal, State,
    casebook::{Casebook, Dated},
};

/// What a decision may use besides the study and the state.
pub struct Means<'a> {
    /// Randomness for blind codes, reading orders and envelopes.
    pub random: &'a mut dyn CryptoRng,
    /// The vault, if a holder has unlocked it.
    pub vault: Option<&'a OpenVault>,
    /// The whole list, if its holders have opened it together.
    pub opened_list: Option<&'a OpenedList>,
}

impl<'a> Means<'a> {
    /// Randomness alone.
    pub fn with_random(random: &'a mut dyn CryptoRng) -> Self {
        Self { random, vault: None, opened_list: None }
    }
}

/// The program itself, which does what follows by rule.
pub fn program() -> Actor {
    Actor { person: PersonId::from("equipoise"), role: RoleId::from("equipoise") }
}

/// Refuses unless a rule holds.
#[cfg_attr(test, track_caller)]
pub(crate) fn need(holds: bool, refusal: impl FnOnce() -> Refusal) -> Result<(), Refusal> {
    #[cfg(test)]
    let holds = crate::rules::judge(holds);
    if holds { Ok(()) } else { Err(refusal()) }
}

/// Returns what a rule asks for, or refuses.
#[cfg_attr(test, track_caller)]
pub(crate) fn found<T>(thing: Option<T>, refusal: impl FnOnce() -> Refusal) -> Result<T, Refusal> {
    #[cfg(test)]
    crate::rules::note(thing.is_some());
    thing.ok_or_else(refusal)
}

/// Decides what follows from a command.
///
/// # Errors
/// What is missing, and what to do.
pub fn decide(
    study: &Study,
    state: &State,
    command: &Command,
    means: &mut Means<'_>,
) -> Result<Vec<Draft>, Refusal> {
    let happened = command.happened;
    need(happened.earliest() <= command.at.local_date, || Refusal::NotYetHappened {
        happened,
        recorded: command.at.local_date,
    })?;
    if let Action::OpenStudy { environment, seed } = command.action {
        return crate::open_study::open_study(study, state, command, environment, seed);
    }
    let opened = found(state.opened.as_ref(), || Refusal::StudyNotOpen)?;
    need(opened.study == study.id, || Refusal::OtherStudy {
        record: opened.study.clone(),
        files: study.id.clone(),
    })?;
    let undone =
        matches!(command.action, Action::UnblindAllocation | Action::ProposeUnlock | Action::ApproveUnlock);
    if let Some(locked) = state.locked.filter(|_| !undone) {
        need(false, || Refusal::Locked { since: locked.date })?;
    }
    let stream = stream_of(command);
    if let Some(expected) = command.expected_position {
        let found = state.position(&stream);
        let stale = || Refusal::StaleView { stream: stream.to_string(), expected, found };
        need(expected == found, stale)?;
    }
    if command.action.is_about_subject() {
        let subject = found(command.subject.as_ref(), || Refusal::SubjectMissing)?;
        let casebook = state.casebook(subject.as_str());
        let casebook = found(casebook, || Refusal::UnknownSubject { subject: subject.clone() })?;
        authorise(study, state, command, Some(&casebook.site))?;
        crate::close_data::need_open(state, casebook, command.action.step())?;
        let mut drafts = crate::steps::decide_for_subject(Case::new(study, state, command, casebook), means)?;
        crate::watch::watch(study, state, command, casebook, &mut drafts);
        Ok(drafts)
    } else {
        authorise(study, state, command, site_of(&command.action))?;
        if let Action::SignConsent { site, .. } = &command.action {
            crate::close_data::need_open_site(state, site)?;
        }
        crate::steps::decide_for_study(study, state, command, means)
    }
}

fn stream_of(command: &Command) -> Stream {
    match (&command.action, &command.subject) {
        (Action::ReceiveKits { .. }, _) => Stream::Supply,
        (_, Some(subject)) => Stream::Subject(subject.clone()),
        (_, None) => Stream::Study,
    }
}

fn site_of(action: &Action) -> Option<&SiteId> {
    match action {
        Action::ReceiveKits { site, .. }
        | Action::SignConsent { site, .. }
        | Action::CloseData { part: Part::Site(site), .. }
        | Action::ReopenData { part: Part::Site(site) } => Some(site),
        _ => None,
    }
}

/// Holds the actor to the access table and the delegations: entry on the day it is recorded, an act on
/// the day it was done.
fn authorise(study: &Study, state: &State, command: &Command, site: Option<&SiteId>) -> Result<(), Refusal> {
    let step = command.action.step();
    let done_at_entry = matches!(access::needs(step), access::Needs::Entry | access::Needs::AskedOr(_));
    let date = if done_at_entry { command.at.local_date } else { command.happened.latest() };
    let who = (&command.by.person, &command.by.role);
    access::authorise(study, &state.delegations, who, step, site, date.min(command.at.local_date))?;
    debug_assert!(access::reach(step) == Reach::Study || site.is_some(), "a step at a site names its site");
    Ok(())
}

/// A command about one participant, and the drafts it has led to so far.
pub(crate) struct Case<'a> {
    pub study: &'a Study,
    pub state: &'a State,
    pub command: &'a Command,
    pub casebook: &'a Casebook,
    pub drafts: Vec<Draft>,
    deviations: usize,
    queries: usize,
}

impl<'a> Case<'a> {
    pub fn new(study: &'a Study, state: &'a State, command: &'a Command, casebook: &'a Casebook) -> Self {
        let (deviations, queries) = (casebook.deviations.len(), casebook.queries.len());
        Self { study, state, command, casebook, drafts: Vec::new(), deviations, queries }
    }

    pub fn subject(&self) -> SubjectId {
        self.casebook.subject.clone()
    }

    /// The day on which it happened, for steps that need a whole date.
    #[cfg_attr(test, track_caller)]
    pub fn day(&self) -> Result<Date, Refusal> {
        whole_date(self.command)
    }

    /// Records the step itself, by the one who asked for it.
    pub fn say(&mut self, fact: Fact) {
        let draft = Draft {
            stream: Stream::Subject(self.casebook.subject.clone()),
            by: self.command.by.clone(),
            site: Some(self.casebook.site.clone()),
            happened: self.command.happened,
            reason: self.command.reason.clone().map(Content::new),
            fact,
        };
        self.drafts.push(draft);
    }

    /// Records what follows by rule, by the program.
    #[cfg_attr(test, track_caller)]
    pub fn follow(&mut self, fact: Fact) {
        #[cfg(test)]
        if crate::rules::is_switched_off() {
            return;
        }
        self.say(fact);
        if let Some(draft) = self.drafts.last_mut() {
            draft.by = program();
            draft.reason = None;
        }
    }

    /// Records a deviation that a rule sees.
    #[cfg_attr(test, track_caller)]
    pub fn deviate(
        &mut self,
        what: DeviationKind,
        visit: Option<&VisitId>,
        rule: Option<&RuleId>,
        text: String,
    ) {
        let fact = self.deviation(what, visit.cloned(), rule.cloned(), text);
        self.follow(fact);
    }

    /// Makes a deviation with the participant's next number.
    pub fn deviation(
        &mut self,
        what: DeviationKind,
        visit: Option<VisitId>,
        rule: Option<RuleId>,
        text: String,
    ) -> Fact {
        self.deviations += 1;
        let deviation = DeviationId::from(format!("{}-D{}", self.casebook.subject, self.deviations));
        Fact::DeviationRecorded { deviation, what, visit, rule, text: Content::new(text) }
    }

    /// Returns the participant's next query number.
    pub fn next_query(&mut self) -> QueryId {
        self.queries += 1;
        QueryId::from(format!("{}-Q{}", self.casebook.subject, self.queries))
    }

    // ---- rules that several steps share ----

    /// The consent that is current on a day was signed by then, and not withdrawn.
    #[cfg_attr(test, track_caller)]
    pub fn need_current_consent(&self, date: Date) -> Result<(), Refusal> {
        let current = current_consent(self.study, date);
        let signed = |consent: &crate::casebook::Consent| {
            consent.signed.date <= date && current.is_none_or(|current| consent.version == current)
        };
        need(self.casebook.consents.iter().any(signed), || Refusal::ConsentMissing {
            subject: self.subject(),
            current: current.unwrap_or_default().to_owned(),
            date,
        })?;
        self.need_consent_kept(date)
    }

    /// Consent was not withdrawn before a day.
    #[cfg_attr(test, track_caller)]
    pub fn need_consent_kept(&self, date: Date) -> Result<(), Refusal> {
        match self.casebook.withdrawn {
            Some(withdrawal) => need(date <= withdrawal.withdrawn.date, || Refusal::ConsentWithdrawn {
                subject: self.subject(),
                date: withdrawal.withdrawn.date,
            }),
            None => Ok(()),
        }
    }

    #[cfg_attr(test, track_caller)]
    pub fn need_participation(&self) -> Result<(), Refusal> {
        match self.casebook.participation_end {
            Some(end) => {
                need(false, || Refusal::ParticipationOver { subject: self.subject(), date: end.ended.date })
            }
            None => Ok(()),
        }
    }

    #[cfg_attr(test, track_caller)]
    pub fn need_screened(&self) -> Result<Dated, Refusal> {
        found(self.casebook.screened, || Refusal::NotScreened { subject: self.subject() })
    }

    /// The participant is in the trial: enrolled, and randomised where there is an allocation.
    #[cfg_attr(test, track_caller)]
    pub fn need_in_trial(&self) -> Result<(), Refusal> {
        let randomised = self.study.allocation.is_some();
        let inside =
            if randomised { self.casebook.allocated.is_some() } else { self.casebook.enrolled.is_some() };
        need(inside, || Refusal::NotInTrial { subject: self.subject(), randomised })
    }

    #[cfg_attr(test, track_caller)]
    pub fn need_held(&self, visit: &VisitId) -> Result<Date, Refusal> {
        found(self.casebook.visit_date(visit), || Refusal::VisitNotHeld { visit: visit.clone() })
    }

    #[cfg_attr(test, track_caller)]
    pub fn need_reason(&self, what: &'static str) -> Result<(), Refusal> {
        need_reason(self.command, what)
    }
}

#[cfg_attr(test, track_caller)]
pub(crate) fn need_reason(command: &Command, what: &'static str) -> Result<(), Refusal> {
    need(command.reason.as_deref().is_some_and(|reason| !reason.trim().is_empty()), || {
        Refusal::ReasonMissing { what }
    })
}

#[cfg_attr(test, track_caller)]
pub(crate) fn whole_date(command: &Command) -> Result<Date, Refusal> {
    found(command.happened.complete(), || Refusal::DateIncomplete { happened: command.happened })
}

/// Returns the consent version that is current on a day.
pub fn current_consent(study: &Study, date: Date) -> Option<&str> {
    let in_force = |from: Option<Date>| from.is_none_or(|from| from <= date);
    study.consents.iter().rev().find(|version| in_force(version.from)).map(|version| version.id.as_str())
}

/// A draft of the study's or the supply's stream.
pub(crate) fn study_draft(command: &Command, stream: Stream, site: Option<SiteId>, fact: Fact) -> Draft {
    Draft {
        stream,
        by: command.by.clone(),
        site,
        happened: command.happened,
        reason: command.reason.clone().map(Content::new),
        fact,
    }
}
