//! Blind reading of the specimens, after the last participant is through.

use std::collections::BTreeMap;

use conduct::Action;
use jiff::Span;
use protocol::model::{Form, ItemType, Power, Study};
use terms::{Answer, Date, Decimal, ItemId, SpecimenCode, SubjectId, Value, VisitId, days_between};

use crate::{
    answers::{self, as_f64},
    course::months,
    person::Trajectory,
    rehearsal::{Rehearsal, Trial},
};

impl<T: Trial> Rehearsal<'_, T> {
    /// Lays out the coded slides, has them read, locks the readings and joins the key.
    ///
    /// # Errors
    /// The trial fails.
    pub fn read_specimens(&mut self, day: Date) -> Result<(), T::Error> {
        let study = self.study;
        let Some(plan) = &study.blind_reading else { return Ok(()) };
        let Some(form) = study.form(plan.read_on.as_str()) else { return Ok(()) };
        let custodian = self.staff.central(Power::KeepSpecimenKey);
        self.study_step(day, &custodian, Action::DrawReadingOrder)?;
        let behind = self.behind_the_codes();
        let order = self.trial.state().reading.order.clone();
        for reader in 1..=plan.readers {
            let by = self.staff.reader(Power::ReadSpecimens, reader);
            for code in &order {
                let Some((subject, visit)) = behind.get(code) else { continue };
                let again = self.trial.state().reading.repeats.contains_key(code);
                let occasion = reading_occasion(study, visit, again, reader);
                let answers = self.reading(form, subject, visit, occasion);
                let action = Action::ReadSpecimen { code: code.clone(), reader, answers };
                self.study_step(day + Span::new().days(i64::from(reader)), &by, action)?;
            }
        }
        let decider = plan.people();
        for code in conduct::disputed_slides(study, self.trial.state()) {
            let Some((subject, visit)) = behind.get(&code) else { continue };
            let again = self.trial.state().reading.repeats.contains_key(&code);
            let answers = self.reading(form, subject, visit, reading_occasion(study, visit, again, decider));
            let by = self.staff.reader(Power::ReadSpecimens, decider);
            let action = Action::ReadSpecimen { code, reader: decider, answers };
            self.study_step(day + Span::new().days(i64::from(decider)), &by, action)?;
        }
        let later = day + Span::new().days(i64::from(plan.people()) + 1);
        self.study_step(later, &custodian, Action::LockReadings)?;
        self.study_step(later, &custodian, Action::JoinReadingKey)?;
        Ok(())
    }

    /// What the codes stand for: nature knows, the readers do not.
    fn behind_the_codes(&self) -> BTreeMap<SpecimenCode, (SubjectId, VisitId)> {
        let state = self.trial.state();
        let mut behind = BTreeMap::new();
        for (subject, casebook) in &state.casebooks {
            for (visit, specimen) in &casebook.specimens {
                if let Some(code) = &specimen.code {
                    behind.insert(code.clone(), (subject.clone(), visit.clone()));
                }
            }
        }
        for (code, key) in &state.reading.repeats {
            behind.insert(code.clone(), (key.subject.clone(), key.visit.clone()));
        }
        behind
    }

    /// What a reader sees on a slide.
    fn reading(
        &self,
        form: &Form,
        subject: &SubjectId,
        visit: &VisitId,
        occasion: u64,
    ) -> Vec<(ItemId, Answer)> {
        let study = self.study;
        let Some(participant) = self.people.iter().find(|person| person.subject == *subject) else {
            return Vec::new();
        };
        let taken =
            self.trial.state().casebook(subject.as_str()).and_then(|casebook| casebook.visit_date(visit));
        let months = taken.map_or(0.0, |day| months(days_between(participant.screened, day)));
        let number = participant.person.number;
        let mut answers = Vec::new();
        for item in form.items.iter().filter(|item| item.derived.is_none()) {
            let measure =
                study.virtual_cohort.measures.iter().position(|m| m.form == form.id && m.item == item.id);
            let value = match (measure, &item.kind) {
                (Some(index), _) => {
                    let process = &study.virtual_cohort.measures[index];
                    let trajectory = Trajectory::draw(&self.streams, &participant.person, process, index);
                    let mut draws = self.streams.of(number, &format!("reading {index}"), occasion);
                    let skin = study.virtual_cohort.skin.as_ref();
                    let change = skin.map_or(0.0, |skin| {
                        participant.person.skin_at(skin, months, 0.0) - participant.person.skin_start
                    });
                    let seen = trajectory.observe(process, months, change, &[], &mut draws);
                    answers::number(item, seen, process.step)
                }
                (None, ItemType::Code { codelist }) => {
                    let Some(list) = study.codelists.iter().find(|list| list.id == *codelist) else {
                        continue;
                    };
                    let drawn = self.streams.of(number, item.id.as_str(), 0).below(list.codes.len() as u64);
                    Value::Code(list.codes[drawn as usize].0.clone())
                }
                (None, ItemType::Boolean) => Value::Boolean(false),
                (None, ItemType::Integer | ItemType::Decimal { .. }) => {
                    let middle =
                        (item.minimum.unwrap_or_default() + item.maximum.unwrap_or_default()) / Decimal::TWO;
                    answers::number(item, as_f64(middle), None)
                }
                _ => continue,
            };
            answers.push((item.id.clone(), Answer::Given(value)));
        }
        answers
    }
}

/// The occasion of a reading: the same wherever the slide lies in the order, since that order is drawn anew
/// in each trial from secrets that nature does not know.
pub(crate) fn reading_occasion(study: &Study, visit: &VisitId, again: bool, reader: u32) -> u64 {
    let place = study.visits.iter().position(|known| known.id == *visit).unwrap_or_default() as u64;
    (place * 2 + u64::from(again)) << 16 | u64::from(reader)
}
