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
    /// The place of its term: reactions come first, then what is unrelated, then hazards.
    pub(crate) term: u16,
    pub(crate) grade: u8,
    pub(crate) serious: bool,
    pub(crate) related: bool,
}

/// A condition on events: its truth by term, relation, seriousness and grade, for events from the first dose on and
/// for those before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Which(Vec<[[[[bool; GRADES + 1]; 2]; 2]; 2]>);

/// The terms of all events that a site may write down, in order.
fn terms_of(study: &Study) -> impl Iterator<Item = &str> {
    let virtuals = &study.virtual_cohort;
    let reactions = virtuals.reactions.iter().map(|reaction| reaction.term.as_str());
    let background = virtuals.events.terms.iter().map(|(term, _)| term.as_str());
    reactions.chain(background).chain(virtuals.hazards.iter().map(|hazard| hazard.term.as_str()))
}

impl Which {
    /// Compiles a condition, if all that it reads is kept.
    pub(crate) fn compile(study: &Study, filter: Option<&Expression>) -> Result<Self, String> {
        let Some(filter) = filter else {
            return Ok(Self(terms_of(study).map(|_| [[[[true; GRADES + 1]; 2]; 2]; 2]).collect()));
        };
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
        let of_term = |term: &str| {
            let mut table = [[[[false; GRADES + 1]; 2]; 2]; 2];
            for (emergent, relation) in table.iter_mut().enumerate() {
                for (related, seriousness) in relation.iter_mut().enumerate() {
                    for (serious, grades) in seriousness.iter_mut().enumerate() {
                        for (grade, holds) in grades.iter_mut().enumerate() {
                            let event = Event { term, emergent, related, serious, grade };
                            *holds = filter.truth(&event) == Truth::True;
                        }
                    }
                }
            }
            table
        };
        Ok(Self(terms_of(study).map(of_term).collect()))
    }

    /// Says whether an event may be meant that is none of a hazard's.
    pub(crate) fn means_others(&self, study: &Study) -> bool {
        let others = self.0.len() - study.virtual_cohort.hazards.len();
        self.0[..others].iter().flatten().flatten().flatten().flatten().any(|holds| *holds)
    }

    /// Says whether an event is meant, given the day of the first dose.
    pub(crate) fn holds(&self, noted: &Noted, first_dose: i32) -> bool {
        let emergent = usize::from(noted.day >= first_dose);
        let grade = usize::from(noted.grade).min(GRADES);
        self.0[usize::from(noted.term)][emergent][usize::from(noted.related)][usize::from(noted.serious)]
            [grade]
    }
}

const KEPT: [&str; 5] = ["term", "treatment_emergent", "related", "serious", "grade"];

struct Event<'a> {
    term: &'a str,
    emergent: usize,
    related: usize,
    serious: usize,
    grade: usize,
}

impl Scope for Event<'_> {
    fn item(&self, _reference: &ItemRef) -> Option<Answer> {
        None
    }

    fn variable(&self, name: &str) -> Option<Answer> {
        let value = match name {
            "term" => Value::Text(self.term.to_owned()),
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
    /// By hazard: the grade as it is written down, and whether it is serious.
    of_hazards: Vec<(u8, bool)>,
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
            of_hazards: virtuals
                .hazards
                .iter()
                .map(|hazard| (grades(&hazard.term)[usize::from(hazard.grade).min(GRADES)], hazard.serious))
                .collect(),
        }
    }

    /// An episode of a reaction, as it is noted on its first day.
    pub(crate) fn of_reaction(&self, reaction: usize, day: i32, grade: u8) -> Noted {
        let noted = self.of_reactions[reaction][usize::from(grade).min(GRADES)];
        Noted { day, term: reaction as u16, grade: noted, serious: grade >= 4, related: true }
    }

    /// An event of a hazard.
    pub(crate) fn of_hazard(&self, hazard: usize, day: i32) -> Noted {
        let (grade, serious) = self.of_hazards[hazard];
        let term = (self.of_reactions.len() + self.of_background.len() + hazard) as u16;
        Noted { day, term, grade, serious, related: false }
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
    /// gone through is put there a day before, the day on which somebody leaves or dies with the first dose.
    pub(crate) fn note_background(&self, through: Option<i32>, left: bool, noted: &mut Vec<Noted>) {
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
            let comes_first = !left || before < self.start;
            if through.is_some_and(|through| day > through || (day == through && !comes_first)) {
                return;
            }
            let Unrelated { term, serious, related, grade } = Unrelated::draw(&mut event, events);
            let grade = self.plan.grades.of_background[term][usize::from(grade).min(GRADES)];
            let term = (self.plan.grades.of_reactions.len() + term) as u16;
            noted.push(Noted { day, term, grade, serious, related });
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
