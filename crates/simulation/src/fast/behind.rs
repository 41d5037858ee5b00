//! What is entered for a followed percent of predicted, and what is derived from it.

use instruments::PercentPredicted;
use protocol::model::{AnswerDraw, Form, Item, ItemRole, ItemType, Purpose, Study, Timing};
use terms::Decimal;

use super::{Processes, calendar::Calendar, measured::first_answered, someone::Someone};
use crate::{
    answers::{POWERS_OF_TEN, entered, same_as, within},
    course::Care,
    lung_function::{self, context},
    person::{Body, born},
    streams::{Process, Streams},
};

/// An item that takes over what is observed of a measure.
#[derive(Clone, Debug)]
pub(crate) struct TakenOver {
    /// The measure.
    pub(crate) index: usize,
    item: Item,
    followed: Item,
}

impl TakenOver {
    pub(crate) fn entered(&self, value: f64, step: Option<f64>) -> Decimal {
        same_as(&self.item, &self.followed, value, step)
    }
}

/// When a measurement was taken, and how it is looked at.
pub(crate) struct Look {
    /// Days from screening to the measurement.
    pub(crate) days: i32,
    /// Days from screening to the look; none: once every correction is made.
    pub(crate) known: Option<i32>,
    /// Whether the measurement itself was corrected.
    pub(crate) corrected: bool,
}

/// The way from a followed percent of predicted to the one that is derived.
#[derive(Clone)]
pub(crate) struct Behind {
    percent: PercentPredicted,
    kind: ItemType,
    bounds: (f64, f64),
    /// Whether a later correction of the form changes the measurement.
    pub(crate) corrected: bool,
    pub(crate) haemoglobin: Option<TakenOver>,
}

impl std::fmt::Debug for Behind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Behind").field(&self.percent.entered().id).finish()
    }
}

impl Behind {
    /// Returns the way of an item; none if it is no percent predicted, its haemoglobin is not followed, or what is
    /// entered hangs on another volume.
    pub(crate) fn of(study: &Study, form: &Form, item: &Item) -> Option<Self> {
        let percent = lung_function::behind(form, item)?;
        if percent.entered().id == lung_function::FIRST_SECOND.0 {
            return None;
        }
        let measured = form.item(percent.entered().id)?;
        let haemoglobin = match percent.haemoglobin() {
            Some(item) => Some(haemoglobin_of(study, form, form.item(item.id)?)?),
            None => None,
        };
        Some(Self {
            percent,
            kind: measured.kind.clone(),
            bounds: (within(measured, f64::NEG_INFINITY), within(measured, f64::INFINITY)),
            corrected: first_answered(study, form) == Some(measured),
            haemoglobin,
        })
    }

    /// Returns what is derived from what is entered for a followed percent.
    pub(crate) fn percent(
        &self,
        study: &Study,
        body: &BodyEntered,
        look: &Look,
        (whole, decimals): (i64, u32),
        haemoglobin: Option<Decimal>,
    ) -> Option<Decimal> {
        let followed = whole as f64 / POWERS_OF_TEN[decimals as usize];
        let of_age = |age| context(study, body.female, body.height_cm, age, look.days);
        let shown = self.percent.measured(followed, haemoglobin, &of_age(body.age)).ok()?;
        let (mut whole, decimals) = entered(&self.kind, shown.max(self.bounds.0).min(self.bounds.1), None);
        if look.corrected {
            let most = libm::round(self.bounds.1 * POWERS_OF_TEN[decimals as usize]);
            whole += if ((whole + 1) as f64) <= most { 1 } else { -1 };
        }
        let age = body.age_known(look.known);
        self.percent.percent(Decimal::new(whole, decimals), haemoglobin, &of_age(age)).ok()
    }
}

fn haemoglobin_of(study: &Study, form: &Form, item: &Item) -> Option<TakenOver> {
    let virtuals = &study.virtual_cohort;
    let process = virtuals.answers.iter().find(|one| one.form == form.id && one.item == item.id)?;
    let AnswerDraw::Same(other, same) = &process.draw else { return None };
    let index = virtuals.measures.iter().position(|one| one.form == *other && one.item == *same)?;
    let plain =
        virtuals.measures[index].per_skin_point == 0.0 && virtuals.measures[index].reactions.is_empty();
    let followed = study.form(other.as_str())?.item(same.as_str())?.clone();
    plain.then(|| TakenOver { index, item: item.clone(), followed })
}

/// What the demography form says of a body, and how it is corrected.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BodyEntered {
    pub(crate) female: bool,
    height_cm: f64,
    age: i64,
    /// The corrected age and the day after screening on which it was corrected.
    corrected: Option<(i64, i32)>,
}

impl BodyEntered {
    pub(crate) fn of(
        study: &Study,
        streams: &Streams,
        process: &Processes,
        someone: &Someone,
        calendar: &Calendar,
    ) -> Self {
        let (number, female) = (someone.number, someone.traits.female);
        let mut draws = streams.draws(number, process.body, 0);
        let body = Body::draw(&mut draws, &study.virtual_cohort.cohort, female);
        let screened = calendar.date(someone.screened);
        let age = i64::from(terms::months_between(born(screened, body.age_years), screened) / 12);
        let form = study.form_for(Purpose::Demography);
        let aged = form.and_then(|form| Some((form, form.item_for(ItemRole::AgeYears)?)));
        let corrected = aged.filter(|(form, item)| first_answered(study, form) == Some(*item));
        let corrected = corrected.and_then(|(form, item)| {
            let filled = |visit: &protocol::model::Visit| matches!(visit.timing, Timing::Before { .. });
            let occasion = study.visits.iter().position(filled)? as u64;
            let habits = &study.virtual_cohort.conduct;
            let care = Process::named("care ").followed_by(form.id.as_str());
            let care = Care::draw(&mut streams.draws(number, care, occasion), habits);
            let most = item.maximum.unwrap_or(Decimal::MAX);
            let step = if Decimal::from(age) < most { 1 } else { -1 };
            care.wrong.then_some((age + step, care.days))
        });
        Self { female, height_cm: body.height_cm, age, corrected }
    }

    pub(super) fn age_known(&self, known: Option<i32>) -> i64 {
        match self.corrected {
            Some((age, on)) if known.is_none_or(|days| on <= days) => age,
            _ => self.age,
        }
    }
}
