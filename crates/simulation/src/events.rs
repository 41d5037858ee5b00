//! Reactions, unrelated events, and what is done about the dose.

use conduct::Action;
use jiff::Span;
use protocol::model::{Dictionary, Form, ItemRole, ItemType, Power, Purpose};
use record::{DoseStep, FormKey};
use terms::{Answer, Date, Decimal, ItemId, RuleId, Value};

use crate::{
    course::{self, DoseAnswer, Unrelated},
    participant::Phase,
    person::Episode,
    rehearsal::{Rehearsal, Task, Trial},
};

/// What the site writes down of an adverse event.
struct Noted<'a> {
    term: &'a str,
    grade: u8,
    serious: bool,
    related: bool,
    action: &'a str,
    outcome: &'a str,
}

/// What stands behind a change of dose.
#[derive(Clone, Copy, Default)]
pub(crate) struct Because<'a> {
    pub(crate) rule: Option<&'a RuleId>,
    pub(crate) adverse_event: Option<u32>,
}

/// Months after screening by which every trial of this kind is over for a person.
pub(crate) const BACKGROUND_MONTHS_MAX: i32 = 36;

/// Days after which an event of a hazard is over, as its row says.
const HAZARD_EVENT_DAYS: i64 = 30;

impl<T: Trial> Rehearsal<'_, T> {
    /// An episode of a reaction begins: it is written down, and the dose changed if need be.
    pub(crate) fn onset(&mut self, day: Date, who: usize, index: usize) -> Result<(), T::Error> {
        if self.people[who].phase != Phase::Treated {
            return Ok(());
        }
        let study = self.study;
        let episode = self.people[who].episodes[index].clone();
        let reaction = &study.virtual_cohort.reactions[episode.reaction];
        let answer = self.dose_answer(who, &episode);
        let action = match answer {
            Some(DoseAnswer::Hold) => "held",
            Some(DoseAnswer::Reduce) => "reduced",
            None => "none",
        };
        let noted = Noted {
            term: &reaction.term,
            grade: episode.grade,
            serious: episode.grade >= 4,
            related: true,
            action,
            outcome: "ongoing",
        };
        let Some(row) = self.note(day, who, &noted)? else { return Ok(()) };
        self.people[who].episode_rows[index] = Some(row);
        self.treat_reaction(day, who, index)?;
        let after = |days: i32| day + Span::new().days(i64::from(days));
        self.diary.enter(after(course::days_of(&episode)), Task::Resolve(who, index, row));
        match answer {
            Some(DoseAnswer::Hold) => {
                let because = Because { rule: reaction.hold_rule.as_ref(), adverse_event: Some(row) };
                self.change_dose(day, who, DoseStep::Held, day, Decimal::ZERO, because)?;
                self.diary.enter(after(course::days_of_hold(&episode)), Task::Resume(who));
            }
            Some(DoseAnswer::Reduce) => {
                let lower = self.level_below(who);
                let because = Because { rule: reaction.reduce_rule.as_ref(), adverse_event: Some(row) };
                self.change_dose(day, who, DoseStep::Reduced, day, lower, because)?;
                let wait = course::days_to_escalation(study.dosing.escalation_after_days);
                self.diary.enter(after(wait), Task::Escalate(who));
            }
            None => {}
        }
        Ok(())
    }

    fn dose_answer(&self, who: usize, episode: &Episode) -> Option<DoseAnswer> {
        let lowest = self.study.dosing.levels_mg.last().copied().unwrap_or_default();
        course::answer_event(episode, self.present_dose(who), lowest)
    }

    fn present_dose(&self, who: usize) -> Decimal {
        let subject = self.people[who].subject.as_str();
        self.trial.state().casebook(subject).map(|casebook| casebook.present_dose()).unwrap_or_default()
    }

    fn level_below(&self, who: usize) -> Decimal {
        let present = self.present_dose(who);
        let levels = &self.study.dosing.levels_mg;
        levels.iter().copied().find(|level| *level < present).or(levels.last().copied()).unwrap_or_default()
    }

    /// The drug is taken up again, one level down after a hold.
    pub(crate) fn resume(&mut self, day: Date, who: usize) -> Result<(), T::Error> {
        let subject = self.people[who].subject.as_str();
        let Some(casebook) = self.trial.state().casebook(subject) else { return Ok(()) };
        if !casebook.present_dose().is_zero() || self.people[who].phase != Phase::Treated {
            return Ok(());
        }
        let before =
            casebook.doses.iter().rev().filter_map(|change| change.dose_mg).find(|dose| !dose.is_zero());
        let before = before.unwrap_or_default();
        let levels = &self.study.dosing.levels_mg;
        let hold = casebook.doses.last();
        let (rule, adverse_event) =
            (hold.and_then(|hold| hold.rule.clone()), hold.and_then(|hold| hold.adverse_event));
        // A rule that asks for a level less leaves none below the lowest.
        let lower = levels.iter().copied().find(|level| *level < before);
        let Some(lower) = lower.or_else(|| rule.is_none().then_some(before)) else { return Ok(()) };
        let because = Because { rule: rule.as_ref(), adverse_event };
        self.change_dose(day, who, DoseStep::Resumed, day, lower, because)?;
        Ok(())
    }

    /// The dose goes up again, once, after stable weeks.
    pub(crate) fn escalate(&mut self, day: Date, who: usize) -> Result<(), T::Error> {
        let present = self.present_dose(who);
        let wanted = self
            .streams
            .of(self.people[who].person.number, "escalation", 0)
            .chance(self.study.virtual_cohort.conduct.escalation);
        let higher = self.study.dosing.levels_mg.iter().rev().copied().find(|level| *level > present);
        let (Some(higher), Phase::Treated, false, true) =
            (higher, self.people[who].phase, self.people[who].escalated, wanted)
        else {
            return Ok(());
        };
        if !present.is_zero()
            && self.change_dose(day, who, DoseStep::Escalated, day, higher, Because::default())?
        {
            self.people[who].escalated = true;
        }
        Ok(())
    }

    pub(crate) fn change_dose(
        &mut self,
        day: Date,
        who: usize,
        step: DoseStep,
        from: Date,
        dose_mg: Decimal,
        because: Because<'_>,
    ) -> Result<bool, T::Error> {
        let investigator = self.with_power(who, Power::ChangeDose);
        let (rule, adverse_event) = (because.rule.cloned(), because.adverse_event);
        let action = Action::ChangeDose { step, from, dose_mg, rule, adverse_event };
        let reason = match step {
            DoseStep::Held | DoseStep::Reduced => Some("adverse event"),
            DoseStep::Resumed => Some("adverse event has subsided"),
            DoseStep::Escalated => Some("stable at the lower dose"),
            _ => None,
        };
        self.step_because(day, who, investigator, action, reason)
    }

    /// An episode ends.
    pub(crate) fn resolve(
        &mut self,
        day: Date,
        who: usize,
        episode: usize,
        row: u32,
    ) -> Result<(), T::Error> {
        self.end_treatments_of(day, who, episode)?;
        self.note_end(day, who, row)
    }

    /// Puts the next unrelated event into the diary.
    pub(crate) fn next_background(&mut self, day: Date, who: usize, count: u64) {
        let events = &self.study.virtual_cohort.events;
        let over = terms::add_months(self.people[who].screened, BACKGROUND_MONTHS_MAX);
        if events.per_month <= 0.0 || day > over {
            return;
        }
        let mut draws = self.streams.of(self.people[who].person.number, "unrelated", count);
        let days = course::wait_for_unrelated(&mut draws, events.per_month);
        self.diary.enter(day + Span::new().days(i64::from(days)), Task::Background(who, count));
    }

    /// An event that has nothing to do with the drug.
    pub(crate) fn background(&mut self, day: Date, who: usize, count: u64) -> Result<(), T::Error> {
        if self.people[who].phase == Phase::Over {
            return Ok(());
        }
        let events = &self.study.virtual_cohort.events;
        let mut draws = self.streams.of(self.people[who].person.number, "unrelated", count);
        // The wait for it was drawn first.
        course::wait_for_unrelated(&mut draws, events.per_month);
        let Unrelated { term, serious, related, grade } = Unrelated::draw(&mut draws, events);
        let length = draws.exponential_of_median(events.duration_median_days).ceil() as i64 + 1;
        let noted = Noted {
            term: &events.terms[term].0,
            grade,
            serious,
            related,
            action: "none",
            outcome: "ongoing",
        };
        if let Some(row) = self.note(day, who, &noted)? {
            self.diary.enter(day + Span::new().days(length), Task::BackgroundOver(who, row));
        }
        self.next_background(day, who, count + 1);
        Ok(())
    }

    /// An event of a hazard: it is written down, and ends the participation of who dies of it.
    pub(crate) fn strike(&mut self, day: Date, who: usize, hazard: usize) -> Result<(), T::Error> {
        if self.people[who].phase == Phase::Over {
            return Ok(());
        }
        let hazard = &self.study.virtual_cohort.hazards[hazard];
        let noted = Noted {
            term: &hazard.term,
            grade: hazard.grade,
            serious: hazard.serious,
            related: false,
            action: "none",
            outcome: if hazard.fatal { "fatal" } else { "ongoing" },
        };
        let row = self.note(day, who, &noted)?;
        if hazard.fatal {
            return self.die(day, who, row);
        }
        if let Some(row) = row {
            self.diary.enter(day + Span::new().days(HAZARD_EVENT_DAYS), Task::BackgroundOver(who, row));
        }
        Ok(())
    }

    pub(crate) fn background_over(&mut self, day: Date, who: usize, row: u32) -> Result<(), T::Error> {
        self.note_end(day, who, row)
    }

    /// The event for which a person stops the drug, written down now, and the rule that held the drug for it.
    pub(crate) fn event_behind_stop(
        &mut self,
        day: Date,
        who: usize,
    ) -> Result<(u32, Option<RuleId>), T::Error> {
        let study = self.study;
        let reactions = &study.virtual_cohort.reactions;
        let drawn = self
            .streams
            .of(self.people[who].person.number, "event behind stop", 0)
            .weighted(reactions.iter().map(|reaction| reaction.share.first().map_or(0.0, |share| share.1)));
        let noted = Noted {
            term: &reactions[drawn].term,
            grade: 3,
            serious: false,
            related: true,
            action: "withdrawn",
            outcome: "ongoing",
        };
        let row = self.note(day, who, &noted)?;
        if let Some(row) = row {
            self.diary.enter(day + Span::new().days(14), Task::BackgroundOver(who, row));
        }
        Ok((row.unwrap_or(1), reactions[drawn].hold_rule.clone()))
    }

    /// Writes an adverse event down and reports it if serious; returns its row.
    fn note(&mut self, day: Date, who: usize, noted: &Noted<'_>) -> Result<Option<u32>, T::Error> {
        let study = self.study;
        let Some(form) = study.form_for(Purpose::AdverseEvents) else { return Ok(None) };
        let row = self.people[who].event_rows + 1;
        let grade = grade_of_term(form, noted.term, noted.grade);
        let wordings = if noted.related {
            &study.virtual_cohort.events.related
        } else {
            &study.virtual_cohort.events.unrelated
        };
        let drawn = self
            .streams
            .of(self.people[who].person.number, "relation", u64::from(row))
            .weighted(wordings.iter().map(|(_, weight)| *weight));
        let relation = wordings[drawn].0.as_str();
        let mut answers = self.event_answers(
            form,
            &[
                (ItemRole::AeTerm, Value::Text(noted.term.to_owned())),
                (ItemRole::AeStart, Value::Date(day.into())),
                (ItemRole::AeGrade, self.grade_value(form, grade)),
                (ItemRole::AeSerious, Value::Boolean(noted.serious)),
                (ItemRole::AeRelation, Value::Code(relation.to_owned())),
                (ItemRole::AeAction, Value::Code(noted.action.to_owned())),
                (ItemRole::AeOutcome, Value::Code(noted.outcome.to_owned())),
            ],
        );
        if noted.serious {
            let criterion = match grade {
                5 => "death",
                4 => "life_threatening",
                _ => "admission",
            };
            answers.extend(
                self.event_answers(
                    form,
                    &[(ItemRole::AeSeriousCriterion, Value::Code(criterion.to_owned()))],
                ),
            );
        }
        let key = FormKey { visit: None, form: form.id.clone(), row };
        let filler = self.staff.filler(form, &self.people[who].site, false);
        if !self.step(day, who, filler, Action::SaveFormSection { key, answers })? {
            return Ok(None);
        }
        self.people[who].event_rows = row;
        if grade >= 3 {
            self.diary.enter(day + Span::new().days(1), Task::Unscheduled(who));
        }
        if noted.serious {
            let reporter = self.with_power(who, Power::ReportEvents);
            self.step(day, who, reporter, Action::ReportSeriousEvent { row, aware: day })?;
        }
        self.answer_open_queries(day, who);
        Ok(Some(row))
    }

    /// Writes down that an event is over.
    fn note_end(&mut self, day: Date, who: usize, row: u32) -> Result<(), T::Error> {
        let study = self.study;
        let Some(form) = study.form_for(Purpose::AdverseEvents) else { return Ok(()) };
        let subject = self.people[who].subject.as_str();
        if self.trial.state().casebook(subject).is_none_or(|casebook| casebook.withdrawn.is_some()) {
            return Ok(());
        }
        let key = FormKey { visit: None, form: form.id.clone(), row };
        let filler = self.staff.filler(form, &self.people[who].site, false);
        let stop = self.event_answers(form, &[(ItemRole::AeStop, Value::Date(day.into()))]);
        let outcome = self.event_answers(form, &[(ItemRole::AeOutcome, Value::Code("recovered".to_owned()))]);
        let action = Action::CorrectFormSection { key: key.clone(), answers: outcome };
        if self.step_because(day, who, filler.clone(), action, Some("follow-up of the event"))? {
            self.step(day, who, filler, Action::SaveFormSection { key, answers: stop })?;
        }
        Ok(())
    }

    fn event_answers(&self, form: &Form, given: &[(ItemRole, Value)]) -> Vec<(ItemId, Answer)> {
        given
            .iter()
            .filter_map(|(role, value)| {
                Some((form.item_for(*role)?.id.clone(), Answer::Given(value.clone())))
            })
            .collect()
    }

    /// A grade as the form holds it: a code or a number.
    fn grade_value(&self, form: &Form, grade: u8) -> Value {
        match form.item_for(ItemRole::AeGrade).map(|item| &item.kind) {
            Some(ItemType::Integer) => Value::Integer(i64::from(grade)),
            _ => Value::Code(grade.to_string()),
        }
    }
}

/// The grade that is written down: the term's own nearest, where a dictionary says which it has.
pub(crate) fn grade_of_term(form: &Form, term: &str, grade: u8) -> u8 {
    let kind = form.item_for(ItemRole::AeTerm).map(|item| &item.kind);
    match kind {
        Some(ItemType::Term { dictionary: Dictionary::Ctcae5 }) => instruments::ctcae5_terms::by_name(term)
            .and_then(|term| term.nearest_grade(grade))
            .unwrap_or(grade),
        _ => grade,
    }
}
