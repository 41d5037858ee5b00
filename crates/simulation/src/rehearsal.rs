//! A whole trial with virtual people and virtual staff.
//!
//! The staff see what measurements show, and act through the commands of the
//! real trial. What only nature knows (who takes which drug) comes in through
//! [`Trial::drug_of`], and shows itself in bodies alone.

use std::collections::BTreeMap;

use conduct::{Action, Command, State};
use jiff::Span;
use protocol::model::{Power, Study};
use record::{Actor, Environment, FormKey, SafetyDecision};
use terms::{ArmId, CheckId, Date, FormId, ItemId, QueryId, SiteId, SubjectId, VisitId, WatchId};

use crate::{
    calendar::Diary,
    course,
    participant::{Participant, Phase},
    person::Person,
    staff::{Clock, Staff},
    streams::Streams,
};

/// A hard check that the virtual staff can't satisfy: whatever they correct, it asks again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "check `{check}` of form `{form}`{} of virtual participant {subject} can't be put right: it reads {values}, and it \
     still asks after {rounds} rounds of corrections to `{item}`; change the check, or what virtual.toml draws",
    visit.as_ref().map(|visit| format!(" at {visit}")).unwrap_or_default()
)]
pub struct Stuck {
    /// The check.
    pub check: CheckId,
    /// Its form.
    pub form: FormId,
    /// The visit, of a form that belongs to one.
    pub visit: Option<VisitId>,
    /// Whose form it is.
    pub subject: SubjectId,
    /// What was corrected: the item that the check asks about.
    pub item: ItemId,
    /// What the check reads, and the values of it as they stand.
    pub values: String,
    /// How often it was tried.
    pub rounds: u32,
}

/// The trial that a rehearsal runs: the commands' way in, and what nature knows.
pub trait Trial {
    /// Why the trial can't go on (a full disk, a broken store, a check that nobody can satisfy).
    type Error: From<Stuck>;

    /// Returns the trial's state.
    fn state(&self) -> &State;

    /// Gives a command and says whether it was accepted. A refusal is part of a rehearsal.
    ///
    /// # Errors
    /// The trial itself fails.
    fn give(&mut self, command: Command) -> Result<bool, Self::Error>;

    /// Returns the drug that a participant takes, which nature knows and staff do not.
    fn drug_of(&self, subject: &SubjectId) -> Option<ArmId>;

    /// Told now and then how far the rehearsal is: participants through, of all.
    fn progress(&mut self, through: u64, all: u64);
}

/// What is due on a day.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Task {
    /// The next person comes to be screened.
    Arrive,
    /// A visit is due.
    Visit(usize, VisitId),
    /// A severe event brings a person in between the planned visits.
    Unscheduled(usize),
    /// An episode of a reaction begins.
    Onset(usize, usize),
    /// It ends.
    Resolve(usize, usize, u32),
    /// The drug is taken up again after a hold.
    Resume(usize),
    /// The dose goes up again.
    Escalate(usize),
    /// An event that has nothing to do with the drug begins.
    Background(usize, u64),
    /// It ends.
    BackgroundOver(usize, u32),
    /// An event of a hazard comes.
    Strike(usize, usize),
    /// Treatment ends early.
    Withdraw(usize),
    /// An entry is found wrong.
    Correct(usize, FormKey, ItemId),
    /// A query is answered.
    Answer(usize, QueryId),
    /// An answered query is closed.
    Close(usize, QueryId),
    /// The blind is broken in an emergency.
    BreakBlind(usize),
    /// A prohibited treatment is taken.
    Prohibited(usize),
    /// A visit's forms are signed.
    Sign(usize, VisitId),
    /// Participation is over.
    Finish(usize),
    /// The safety board decides on what its watch has reached.
    Decide(WatchId),
}

/// Days from what the safety board is told to its decision.
const BOARD_DAYS: i64 = 7;

/// The day on which a study opens that does not say.
pub(crate) const OPENS: Date = Date::constant(2008, 1, 7);

/// A rehearsal in hand.
pub struct Rehearsal<'a, T: Trial> {
    pub(crate) study: &'a Study,
    pub(crate) streams: Streams,
    pub(crate) trial: &'a mut T,
    pub(crate) staff: Staff<'a>,
    pub(crate) clock: Clock,
    pub(crate) diary: Diary<Task>,
    pub(crate) people: Vec<Participant>,
    /// Rounds of corrections that a query of a hard check has been through.
    pub(crate) rounds: BTreeMap<QueryId, u32>,
    arrivals: u64,
    enrolled: u64,
    through: u64,
}

/// What a rehearsal saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rehearsed {
    /// People screened.
    pub screened: u64,
    /// People who entered the trial.
    pub enrolled: u64,
    /// The last day on which something happened.
    pub last_day: Date,
}

impl<'a, T: Trial> Rehearsal<'a, T> {
    /// Prepares a rehearsal of a study on a trial that has nothing in its record yet.
    pub fn new(study: &'a Study, streams: Streams, trial: &'a mut T) -> Self {
        Self {
            study,
            streams,
            trial,
            staff: Staff::new(study),
            clock: Clock::default(),
            diary: Diary::default(),
            people: Vec::new(),
            rounds: BTreeMap::new(),
            arrivals: 0,
            enrolled: 0,
            through: 0,
        }
    }

    /// Opens the study: record, people and their roles; and the sites, where there is no list to be sealed first.
    ///
    /// # Errors
    /// The trial fails.
    pub fn open(&mut self, seed: u64) -> Result<(), T::Error> {
        let day = self.opening_day();
        let administrator = self.staff.central(Power::Administer);
        let study = self.study;
        self.study_step(
            day,
            &administrator,
            Action::OpenStudy { environment: Environment::Rehearsal, seed: Some(seed) },
        )?;
        for (person, role, site) in self.staff.everyone() {
            if role == administrator.role {
                continue;
            }
            self.study_step(day, &administrator, Action::DelegateRole { person, role, site })?;
        }
        if study.allocation.is_none() {
            self.go_live(day)?;
        }
        Ok(())
    }

    /// Has the study's files tested, approved by two people, and each site activated at its ethics approval. Where there is an
    /// allocation, its list is sealed before.
    ///
    /// # Errors
    /// The trial fails.
    pub(crate) fn go_live(&mut self, day: Date) -> Result<(), T::Error> {
        let study = self.study;
        let manager = self.staff.central(Power::Lock);
        let evidence = "Rehearsed on virtual participants.".to_owned();
        self.study_step(day, &manager, Action::RecordTest { evidence })?;
        for approver in [manager, self.staff.central(Power::SignAnalysisSets)] {
            let parts = conduct::study_parts(study);
            self.study_step(day, &approver, Action::ApproveStudy { parts })?;
        }
        let administrator = self.staff.central(Power::Administer);
        for site in &study.sites {
            let approval = Action::RecordEthicsApproval {
                site: site.id.clone(),
                approved: day,
                reference: format!("rehearsal, site {}", site.id),
            };
            self.study_step(day, &administrator, approval)?;
            self.study_step(day, &administrator, Action::ActivateSite { site: site.id.clone() })?;
        }
        Ok(())
    }

    /// Runs the trial from the first person screened to the last one through.
    ///
    /// # Errors
    /// The trial fails, or a hard check can't be satisfied.
    pub fn run(&mut self) -> Result<Rehearsed, T::Error> {
        let mut last_day = self.opening_day();
        self.diary.enter(last_day + Span::new().days(7), Task::Arrive);
        while let Some((day, task)) = self.diary.next() {
            last_day = last_day.max(day);
            self.perform(day, task)?;
            self.call_board(day);
        }
        // Whoever missed the last visit of the trial is through with it all the same.
        for who in 0..self.people.len() {
            if self.people[who].phase != Phase::Over {
                self.finish(last_day, who)?;
            }
        }
        while let Some((day, task)) = self.diary.next() {
            last_day = last_day.max(day);
            self.perform(day, task)?;
            self.call_board(day);
        }
        if let Some(stuck) = (0..self.people.len()).find_map(|who| self.stuck(who)) {
            return Err(stuck.into());
        }
        Ok(Rehearsed { screened: self.arrivals, enrolled: self.enrolled, last_day })
    }

    /// Runs the trial from the first person screened up to and with a day, and leaves it as it stands then.
    ///
    /// # Errors
    /// The trial fails.
    pub fn run_up_to(&mut self, last: Date) -> Result<(), T::Error> {
        self.diary.enter(self.opening_day() + Span::new().days(7), Task::Arrive);
        while let Some((day, task)) = self.diary.next() {
            if day > last {
                break;
            }
            self.perform(day, task)?;
            self.call_board(day);
        }
        Ok(())
    }

    /// Returns the trial.
    pub fn trial(&self) -> &T {
        self.trial
    }

    /// Returns the trial, to act on it.
    pub fn trial_mut(&mut self) -> &mut T {
        self.trial
    }

    /// Returns who exercises a power for the whole study.
    pub fn central(&self, power: Power) -> Actor {
        self.staff.central(power)
    }

    /// Returns each participant's number and day of birth, which the record never holds.
    pub fn births(&self) -> impl Iterator<Item = (&SubjectId, Date)> {
        self.people.iter().map(|participant| (&participant.subject, participant.person.born))
    }

    /// Gives a command of the study as a whole, and says whether it was accepted.
    ///
    /// # Errors
    /// The trial fails.
    pub fn study_command(&mut self, day: Date, by: &Actor, action: Action) -> Result<bool, T::Error> {
        self.study_step(day, by, action)
    }

    /// Gives a command about a participant, and says whether it was accepted.
    ///
    /// # Errors
    /// The trial fails.
    pub fn subject_command(
        &mut self,
        day: Date,
        by: &Actor,
        subject: &SubjectId,
        action: Action,
    ) -> Result<bool, T::Error> {
        match self.people.iter().position(|person| person.subject == *subject) {
            Some(who) => self.step(day, who, by.clone(), action),
            None => Ok(false),
        }
    }

    /// Has every visit that waits for it, and then every casebook, signed by its investigator.
    ///
    /// # Errors
    /// The trial fails.
    pub fn sign_casebooks(&mut self, day: Date) -> Result<(), T::Error> {
        for who in 0..self.people.len() {
            self.sign_casebook(day, who)?;
        }
        Ok(())
    }

    /// Returns who exercises a power at a site.
    pub fn at_site(&self, power: Power, site: &SiteId) -> Actor {
        self.staff.at(power, site)
    }

    /// Returns the day on which the study opens.
    pub fn opening_day(&self) -> Date {
        self.study.virtual_cohort.cohort.opens.unwrap_or(OPENS)
    }

    fn target(&self) -> u64 {
        u64::from(self.study.virtual_cohort.cohort.enrol.unwrap_or(self.study.target))
    }

    fn perform(&mut self, day: Date, task: Task) -> Result<(), T::Error> {
        match task {
            Task::Arrive => self.arrive(day),
            Task::Visit(who, visit) => self.visit(day, who, &visit),
            Task::Unscheduled(who) => self.come_unscheduled(day, who),
            Task::Onset(who, episode) => self.onset(day, who, episode),
            Task::Resolve(who, episode, row) => self.resolve(day, who, episode, row),
            Task::Resume(who) => self.resume(day, who),
            Task::Escalate(who) => self.escalate(day, who),
            Task::Background(who, count) => self.background(day, who, count),
            Task::BackgroundOver(who, row) => self.background_over(day, who, row),
            Task::Strike(who, hazard) => self.strike(day, who, hazard),
            Task::Withdraw(who) => self.withdraw(day, who),
            Task::Correct(who, key, item) => self.correct(day, who, key, item),
            Task::Answer(who, query) => self.answer_query(day, who, query),
            Task::Close(who, query) => self.close_query(day, who, query),
            Task::BreakBlind(who) => self.break_blind(day, who),
            Task::Prohibited(who) => self.take_prohibited(day, who),
            Task::Sign(who, visit) => self.sign(day, who, &visit),
            Task::Finish(who) => self.finish(day, who),
            Task::Decide(watch) => self.decide_on_safety(day, watch),
        }
    }

    /// Puts into the diary what the safety board has to decide on.
    fn call_board(&mut self, day: Date) {
        for (watch, state) in self.trial.state().watches.iter() {
            let task = Task::Decide(watch.clone());
            if state.undecided().next().is_some() && !self.diary.holds(&task) {
                self.diary.enter(day + Span::new().days(BOARD_DAYS), task);
            }
        }
    }

    /// The board lets the trial go on: what it came to had it been stopped is a question for the study's designs.
    fn decide_on_safety(&mut self, day: Date, watch: WatchId) -> Result<(), T::Error> {
        let board = self.staff.central(Power::OverseeSafety);
        let looked = self.trial.state().watches.get(&watch).and_then(|state| state.undecided().last());
        let reason = match looked.map(|step| &step.kind) {
            None => return Ok(()),
            Some(conduct::WatchStepKind::Reached { look: Some(_), .. }) => {
                "the data of the participants so far were looked at, and nothing in them speaks against going on"
            }
            Some(_) => "the events were gone through one by one, and none is of a kind that was not expected",
        };
        let action = Action::DecideOnSafety { watch, decision: SafetyDecision::Continue };
        self.study_step_because(day, &board, action, Some(reason))?;
        Ok(())
    }

    /// Somebody comes; so will the next, until the trial is full.
    fn arrive(&mut self, day: Date) -> Result<(), T::Error> {
        let cohort = &self.study.virtual_cohort.cohort;
        let awaited = self.people.iter().filter(|person| person.may_still_enter()).count() as u64;
        let full = self.enrolled + awaited >= self.target();
        if self.arrivals >= u64::from(cohort.screened_max) || (full && awaited == 0) {
            return Ok(());
        }
        if !full {
            self.arrivals += 1;
            let number = self.arrivals;
            let person = Person::draw(self.study, &self.streams, number, day);
            let site = crate::person::site_of(self.study, &self.streams, number);
            self.screen(day, person, site)?;
        }
        let mut draws = self.streams.of(self.arrivals, "arrival", 0);
        let wait = course::wait_for_next(&mut draws, cohort.screened_per_month);
        self.diary.enter(day + Span::new().days(i64::from(wait)), Task::Arrive);
        Ok(())
    }

    /// Counts a person as entered.
    pub(crate) fn count_enrolled(&mut self) {
        self.enrolled += 1;
    }

    /// Counts a person as through and tells how far the rehearsal is.
    pub(crate) fn count_through(&mut self) {
        self.through += 1;
        self.trial.progress(self.through, self.target().max(self.through));
    }
}
