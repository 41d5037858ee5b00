//! Blind reading of the specimens, after the last participant is through.

use std::collections::BTreeMap;

use conduct::Action;
use instruments::skin_biopsy_pair;
use jiff::Span;
use protocol::model::{Form, Item, ItemType, MeasureProcess, Power, Study};
use terms::{
    Answer, CodelistId, Date, Decimal, ItemId, SpecimenCode, SubjectId, Value, VisitId, days_between,
};

use crate::{
    answers::{self, as_f64},
    course::months,
    person::Trajectory,
    questionnaires,
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
        let pairs = self.trial.state().reading.pairs.clone();
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
            for code in &pairs {
                let answers = self.comparison(code, reader);
                let action = Action::ReadSpecimen { code: code.clone(), reader, answers };
                self.study_step(day + Span::new().days(i64::from(reader)), &by, action)?;
            }
        }
        let decider = plan.people();
        for code in conduct::disputed_slides(study, self.trial.state()) {
            let answers = match behind.get(&code) {
                Some((subject, visit)) => {
                    let again = self.trial.state().reading.repeats.contains_key(&code);
                    self.reading(form, subject, visit, reading_occasion(study, visit, again, decider))
                }
                None => self.comparison(&code, decider),
            };
            let by = self.staff.reader(Power::ReadSpecimens, decider);
            let action = Action::ReadSpecimen { code, reader: decider, answers };
            self.study_step(day + Span::new().days(i64::from(decider)), &by, action)?;
        }
        let later = day + Span::new().days(i64::from(plan.people()) + 1);
        self.study_step(later, &custodian, Action::LockReadings)?;
        self.study_step(later, &custodian, Action::JoinReadingKey)?;
        Ok(())
    }

    /// Which of two slides looks better to a reader.
    fn comparison(&self, code: &SpecimenCode, reader: u32) -> Vec<(ItemId, Answer)> {
        let study = self.study;
        let Some(pair) = self.trial.state().reading.pair_key.get(code) else { return Vec::new() };
        let virtuals = &study.virtual_cohort;
        let Some(seen) = &virtuals.pairs else { return Vec::new() };
        let measured = |one: &&MeasureProcess| one.form == seen.form && one.item == seen.item;
        let Some(process) = virtuals.measures.iter().find(measured) else { return Vec::new() };
        let side_by_side = match self.trial.state().reading.pair_repeats.contains(code) {
            true => OF_PAIRS_AGAIN,
            false => OF_PAIRS,
        };
        let of = |visit: &VisitId| {
            let occasion = reading_occasion(study, visit, true, side_by_side + reader);
            self.seen_on_slide(process, &pair.subject, visit, occasion)
        };
        let (Some(earlier), Some(later)) = (of(&pair.earlier), of(&pair.later)) else { return Vec::new() };
        // More of what is followed is more disease.
        let worse_by = later - earlier;
        let side = match (worse_by, pair.later_left) {
            _ if worse_by.abs() < seen.same_within => "same",
            (by, true) if by < 0.0 => "left",
            (by, false) if by > 0.0 => "left",
            _ => "right",
        };
        vec![(skin_biopsy_pair::CLEARER_SIDE.into(), Answer::Given(Value::Code(side.to_owned())))]
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

    /// What a reader sees of a measure on a slide.
    fn seen_on_slide(
        &self,
        process: &MeasureProcess,
        subject: &SubjectId,
        visit: &VisitId,
        occasion: u64,
    ) -> Option<f64> {
        let virtuals = &self.study.virtual_cohort;
        let index =
            virtuals.measures.iter().position(|m| m.form == process.form && m.item == process.item)?;
        let participant = self.people.iter().find(|person| person.subject == *subject)?;
        let taken =
            self.trial.state().casebook(subject.as_str()).and_then(|casebook| casebook.visit_date(visit));
        let months = taken.map_or(0.0, |day| months(days_between(participant.screened, day)));
        let person = &participant.person;
        let trajectory = Trajectory::draw(&self.streams, person, process, index);
        let mut draws = self.streams.of(person.number, &format!("reading {index}"), occasion);
        let skin = virtuals.skin.as_ref();
        let change = skin.map_or(0.0, |skin| person.skin_at(skin, months, 0.0) - person.skin_start);
        Some(trajectory.observe(process, months, change, &[], &mut draws))
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
        let number = participant.person.number;
        let seen = |item: &Item| {
            let measures = &study.virtual_cohort.measures;
            let process = measures.iter().find(|m| m.form == form.id && m.item == item.id)?;
            Some((self.seen_on_slide(process, subject, visit, occasion)?, process.step))
        };
        let mut answers = Vec::new();
        let score = |item: &str| {
            let item = form.item(item).filter(|item| item.derived.is_some())?;
            let (value, step) = seen(item)?;
            let (whole, decimals) = answers::entered(&item.kind, value, step);
            Some(Decimal::new(whole, decimals))
        };
        let mut draws = self.streams.of(number, "reading lines", occasion);
        answers.extend(questionnaires::reading(form, &score, &mut draws));
        for item in form.items.iter().filter(|item| item.derived.is_none()) {
            if answers.iter().any(|(known, _)| *known == item.id) {
                continue;
            }
            let value = match (seen(item), &item.kind) {
                (Some((value, _)), ItemType::Code { codelist }) => {
                    let Some(grade) = graded(study, codelist, value) else { continue };
                    grade
                }
                (Some((value, step)), _) => answers::number(item, value, step),
                (None, ItemType::Code { codelist }) => {
                    let Some(list) = study.codelists.iter().find(|list| list.id == *codelist) else {
                        continue;
                    };
                    let drawn = self.streams.of(number, item.id.as_str(), 0).below(list.codes.len() as u32);
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

/// The grade nearest to what a reader sees: grades stand at 0, 1, 2 … in the order of their list.
fn graded(study: &Study, codelist: &CodelistId, value: f64) -> Option<Value> {
    let list = study.codelists.iter().find(|list| list.id == *codelist)?;
    let place = libm::round(value.clamp(0.0, list.codes.len().checked_sub(1)? as f64)) as usize;
    Some(Value::Code(list.codes[place].0.clone()))
}

/// Added to a reader's number where two slides lie side by side.
pub(crate) const OF_PAIRS: u32 = 1 << 8;
/// And where they do so a second time.
const OF_PAIRS_AGAIN: u32 = 2 << 8;

/// The occasion of a reading: the same wherever the slide lies in the order, since that order is drawn anew
/// in each trial from secrets that nature does not know.
pub(crate) fn reading_occasion(study: &Study, visit: &VisitId, again: bool, reader: u32) -> u64 {
    let place = study.visits.iter().position(|known| known.id == *visit).unwrap_or_default() as u64;
    reading_occasion_of(place, again, reader)
}

/// The same of a visit by its place in the schedule.
pub(crate) fn reading_occasion_of(place: u64, again: bool, reader: u32) -> u64 {
    (place * 2 + u64::from(again)) << 10 | u64::from(reader)
}
