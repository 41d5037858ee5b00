//! Adverse events as a site would write them down, kept to what a condition on events can read of them.

use protocol::{
    expression::{Expression, Input, ItemRef, Scope, Term},
    model::{Purpose, Study},
};
use terms::{Answer, Date, Truth, Value};

use super::path::Walk;
use crate::{
    course::{self, Unrelated},
    events::{BACKGROUND_MONTHS_MAX, grade_of_term},
    streams::Process,
};

/// The highest grade.
const GRADES: usize = 5;

/// What a site notes of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Noted {
    pub(crate) day: i32,
    pub(crate) grade: u8,
    pub(crate) serious: bool,
    pub(crate) related: bool,
}

/// A condition on events: its truth by relation, seriousness and grade, for events from the first dose on and
/// for those before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Which([[[[bool; GRADES + 1]; 2]; 2]; 2]);

impl Which {
    /// Compiles a condition, if all that it reads is kept.
    pub(crate) fn compile(filter: Option<&Expression>) -> Result<Self, String> {
        let Some(filter) = filter else { return Ok(Self([[[[true; GRADES + 1]; 2]; 2]; 2])) };
        let mut unknown = None;
        filter.root().visit(&mut |part| {
            let kept = match part {
                Term::Input(Input::Variable(name)) => KEPT.contains(&name.as_str()),
                Term::Input(_) => false,
                _ => true,
            };
            if !kept {
                unknown = Some(format!("its events are chosen by {part:?}, which is not kept"));
            }
        });
        if let Some(unknown) = unknown {
            return Err(unknown);
        }
        let mut table = [[[[false; GRADES + 1]; 2]; 2]; 2];
        for (emergent, relation) in table.iter_mut().enumerate() {
            for (related, seriousness) in relation.iter_mut().enumerate() {
                for (serious, grades) in seriousness.iter_mut().enumerate() {
                    for (grade, holds) in grades.iter_mut().enumerate() {
                        let event = Event { emergent, related, serious, grade };
                        *holds = filter.truth(&event) == Truth::True;
                    }
                }
            }
        }
        Ok(Self(table))
    }

    /// Says whether an event is meant, given the day of the first dose.
    pub(crate) fn holds(&self, noted: &Noted, first_dose: i32) -> bool {
        let emergent = usize::from(noted.day >= first_dose);
        let grade = usize::from(noted.grade).min(GRADES);
        self.0[emergent][usize::from(noted.related)][usize::from(noted.serious)][grade]
    }
}

const KEPT: [&str; 4] = ["treatment_emergent", "related", "serious", "grade"];

struct Event {
    emergent: usize,
    related: usize,
    serious: usize,
    grade: usize,
}

impl Scope for Event {
    fn item(&self, _reference: &ItemRef) -> Option<Answer> {
        None
    }

    fn variable(&self, name: &str) -> Option<Answer> {
        let value = match name {
            "treatment_emergent" => Value::Boolean(self.emergent == 1),
            "related" => Value::Boolean(self.related == 1),
            "serious" => Value::Boolean(self.serious == 1),
            "grade" => Value::Integer(self.grade as i64),
            _ => return None,
        };
        Some(Answer::Given(value))
    }

    fn limit(&self, _reference: &ItemRef, _upper: bool) -> Option<Answer> {
        None
    }

    fn today(&self) -> Option<Date> {
        None
    }
}

/// Grades as they are written down, by term and by the grade that was drawn.
#[derive(Clone, Debug, Default)]
pub(crate) struct Grades {
    of_reactions: Vec<[u8; GRADES + 1]>,
    of_background: Vec<[u8; GRADES + 1]>,
}

impl Grades {
    pub(crate) fn of(study: &Study) -> Self {
        let form = study.form_for(Purpose::AdverseEvents);
        let grades = |term: &str| {
            let noted = |grade: u8| form.map_or(grade, |form| grade_of_term(form, term, grade));
            std::array::from_fn(|grade| noted(grade as u8))
        };
        let virtuals = &study.virtual_cohort;
        Self {
            of_reactions: virtuals.reactions.iter().map(|reaction| grades(&reaction.term)).collect(),
            of_background: virtuals.events.terms.iter().map(|(term, _)| grades(term)).collect(),
        }
    }

    /// An episode of a reaction, as it is noted on its first day.
    pub(crate) fn of_reaction(&self, reaction: usize, day: i32, grade: u8) -> Noted {
        let noted = self.of_reactions[reaction][usize::from(grade).min(GRADES)];
        Noted { day, grade: noted, serious: grade >= 4, related: true }
    }
}

/// Streams of the events that have nothing to do with the drug, and of the one behind an early stop.
#[derive(Clone, Debug)]
pub(crate) struct EventProcesses {
    background: Process,
    pub(crate) behind_stop: Process,
}

impl EventProcesses {
    pub(crate) fn named() -> Self {
        let named = Process::named;
        Self { background: named("unrelated"), behind_stop: named("event behind stop") }
    }
}

impl Walk<'_> {
    /// Adds the events that have nothing to do with the drug, up to the day on which the participant is through.
    ///
    /// Of what falls on that very day, first comes what was put into the diary first: the end of a trial that was
    /// gone through is put there a day before, the day on which consent is withdrawn with the first dose.
    pub(crate) fn note_background(
        &self,
        through: Option<i32>,
        consent_withdrawn: bool,
        noted: &mut Vec<Noted>,
    ) {
        let events = &self.plan.study.virtual_cohort.events;
        if events.per_month <= 0.0 {
            return;
        }
        let screened = self.someone.screened;
        let over = self.plan.calendar.add_months(screened, BACKGROUND_MONTHS_MAX);
        let (mut day, mut count) = (screened, 0);
        while day <= over {
            let mut event = self.streams.draws(self.someone.number, self.plan.events.background, count);
            let before = day;
            day += course::wait_for_unrelated(&mut event, events.per_month);
            let comes_first = !consent_withdrawn || before < self.start;
            if through.is_some_and(|through| day > through || (day == through && !comes_first)) {
                return;
            }
            let Unrelated { term, serious, related, grade } = Unrelated::draw(&mut event, events);
            let grade = self.plan.grades.of_background[term][usize::from(grade).min(GRADES)];
            noted.push(Noted { day, grade, serious, related });
            count += 1;
        }
    }

    /// Adds the event for which somebody stops the drug.
    pub(crate) fn note_event_behind_stop(&self, day: i32, noted: &mut Vec<Noted>) {
        let reactions = &self.plan.study.virtual_cohort.reactions;
        let weights = reactions.iter().map(|reaction| reaction.share.first().map_or(0.0, |share| share.1));
        let drawn =
            self.streams.draws(self.someone.number, self.plan.events.behind_stop, 0).weighted(weights);
        noted.push(self.plan.grades.of_reaction(drawn, day, 3));
    }
}
