//! Treatments other than the trial's: what participants bring along, and what their reactions are treated with.

use conduct::Action;
use jiff::Span;
use protocol::model::{Form, ItemRole, OtherTreatment, Purpose, TreatmentTaken};
use record::FormKey;
use terms::{Answer, Date, ItemId, PartialDate, Value};

use crate::{
    participant::Participant,
    rehearsal::{Rehearsal, Trial},
    streams::Streams,
};

/// The median months for which somebody has taken what they bring along.
const TAKEN_MONTHS_MEDIAN: f64 = 18.0;

/// What the site writes down of a treatment.
pub(crate) struct Treatment<'a> {
    pub(crate) name: &'a str,
    pub(crate) class: Option<&'a str>,
    pub(crate) reason: Option<&'a str>,
    pub(crate) start: PartialDate,
    pub(crate) prohibited: bool,
}

impl<'a> Treatment<'a> {
    fn of(other: &'a OtherTreatment, start: PartialDate) -> Self {
        Self {
            name: &other.name,
            class: other.class.as_deref(),
            reason: other.reason.as_deref(),
            start,
            prohibited: false,
        }
    }
}

/// Says whether a person is one of those who take a treatment.
fn takes(streams: &Streams, participant: &Participant, place: usize, treatment: &OtherTreatment) -> bool {
    streams.of(participant.person.number, "other treatment", place as u64).chance(treatment.share)
}

impl<T: Trial> Rehearsal<'_, T> {
    /// Writes down at screening what the person takes already.
    pub(crate) fn note_treatments(&mut self, day: Date, who: usize) -> Result<(), T::Error> {
        let study = self.study;
        for (place, treatment) in study.virtual_cohort.treatments.iter().enumerate() {
            let applies = match &treatment.taken {
                TreatmentTaken::Always => true,
                TreatmentTaken::Answered(form, item) => self.is_answered(who, form.as_str(), item),
                TreatmentTaken::With(_) => false,
            };
            if !applies || !takes(&self.streams, &self.people[who], place, treatment) {
                continue;
            }
            let number = self.people[who].person.number;
            let mut draws = self.streams.of(number, "other treatment since", place as u64);
            let months = draws.exponential_of_median(TAKEN_MONTHS_MEDIAN).min(240.0) as i64 + 1;
            let since = day - Span::new().months(months);
            let Ok(start) = PartialDate::of_month(since.year(), since.month()) else { continue };
            self.note_treatment(day, who, &Treatment::of(treatment, start))?;
        }
        Ok(())
    }

    /// Says whether the person has answered an item with more than 0 or yes, at whatever visit.
    fn is_answered(&self, who: usize, form: &str, item: &ItemId) -> bool {
        let Some(casebook) = self.casebook(who) else { return false };
        casebook.forms.iter().filter(|(key, _)| key.form == *form).any(|(_, filled)| {
            match filled.answer(item.as_str()).and_then(Answer::value) {
                Some(Value::Boolean(yes)) => *yes,
                Some(value) => value.as_f64().is_some_and(|number| number > 0.0),
                None => false,
            }
        })
    }

    /// Writes down what an episode of a reaction is treated with.
    pub(crate) fn treat_reaction(&mut self, day: Date, who: usize, episode: usize) -> Result<(), T::Error> {
        let study = self.study;
        let reaction = self.people[who].episodes[episode].reaction;
        let name = &study.virtual_cohort.reactions[reaction].name;
        for (place, treatment) in study.virtual_cohort.treatments.iter().enumerate() {
            let with = matches!(&treatment.taken, TreatmentTaken::With(reaction) if reaction == name);
            if with
                && takes(&self.streams, &self.people[who], place, treatment)
                && let Some(row) = self.note_treatment(day, who, &Treatment::of(treatment, day.into()))?
            {
                self.people[who].treatment_rows.push((episode, row));
            }
        }
        Ok(())
    }

    /// Writes down that what an episode was treated with is no longer taken.
    pub(crate) fn end_treatments_of(
        &mut self,
        day: Date,
        who: usize,
        episode: usize,
    ) -> Result<(), T::Error> {
        let study = self.study;
        let Some(form) = study.form_for(Purpose::ConcomitantTreatments) else { return Ok(()) };
        let Some(stop) = form.item_for(ItemRole::TreatmentStop) else { return Ok(()) };
        if self.casebook(who).is_none_or(|casebook| casebook.withdrawn.is_some()) {
            return Ok(());
        }
        let ended: Vec<u32> = self.people[who]
            .treatment_rows
            .iter()
            .filter(|(of, _)| *of == episode)
            .map(|(_, row)| *row)
            .collect();
        for row in ended {
            let key = FormKey { visit: None, form: form.id.clone(), row };
            let answers = vec![(stop.id.clone(), Answer::Given(Value::Date(day.into())))];
            let filler = self.staff.filler(form, &self.people[who].site, false);
            self.step(day, who, filler, Action::SaveFormSection { key, answers })?;
        }
        Ok(())
    }

    /// Writes a treatment down; returns its row.
    pub(crate) fn note_treatment(
        &mut self,
        day: Date,
        who: usize,
        taken: &Treatment<'_>,
    ) -> Result<Option<u32>, T::Error> {
        let study = self.study;
        let Some(form) = study.form_for(Purpose::ConcomitantTreatments) else { return Ok(None) };
        let rows = self.casebook(who).map_or(0, |casebook| casebook.rows(&form.id).count() as u32);
        let key = FormKey { visit: None, form: form.id.clone(), row: rows + 1 };
        let filler = self.staff.filler(form, &self.people[who].site, false);
        let answers = answers_of(form, taken);
        let saved = self.step(day, who, filler, Action::SaveFormSection { key, answers })?;
        Ok(saved.then_some(rows + 1))
    }
}

fn answers_of(form: &Form, taken: &Treatment<'_>) -> Vec<(ItemId, Answer)> {
    let text = |text: &str| Value::Text(text.to_owned());
    let given = [
        (ItemRole::TreatmentName, Some(text(taken.name))),
        (ItemRole::TreatmentClass, taken.class.map(|class| Value::Code(class.to_owned()))),
        (ItemRole::TreatmentReason, taken.reason.map(text)),
        (ItemRole::TreatmentStart, Some(Value::Date(taken.start))),
        (ItemRole::TreatmentProhibited, Some(Value::Boolean(taken.prohibited))),
    ];
    given
        .into_iter()
        .filter_map(|(role, value)| Some((form.item_for(role)?.id.clone(), Answer::Given(value?))))
        .collect()
}
