//! What is entered for a followed percent of predicted, and what is derived from it.

use instruments::{Context, PercentPredicted, Sex};
use protocol::model::{AnswerDraw, Form, Item, ItemRole, ItemType, Purpose, Study, Timing};
use terms::{Date, Decimal};

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
    /// What it takes over, by the number that the followed item is entered with in units of its last decimal, less the first.
    taken: (i64, Vec<Decimal>),
}

/// As many numbers as an item is entered with are tabled.
const TAKEN_MAX: i64 = 20_000;

impl TakenOver {
    fn of(index: usize, item: Item, followed: Item) -> Self {
        let least = entered(&followed.kind, within(&followed, f64::NEG_INFINITY), None).0;
        let most = entered(&followed.kind, within(&followed, f64::INFINITY), None).0;
        let mut own = Self { index, item, followed, taken: (least, Vec::new()) };
        if (0..TAKEN_MAX).contains(&(most.saturating_sub(least))) {
            let unit = own.unit();
            own.taken.1 = (least..=most).map(|whole| own.reckoned(whole as f64 / unit, None)).collect();
        }
        own
    }

    /// Units of the followed item's last decimal in one.
    fn unit(&self) -> f64 {
        POWERS_OF_TEN[entered(&self.followed.kind, 0.0, None).1 as usize]
    }

    fn reckoned(&self, value: f64, step: Option<f64>) -> Decimal {
        same_as(&self.item, &self.followed, value, step)
    }

    pub(crate) fn entered(&self, value: f64, step: Option<f64>) -> Decimal {
        let (whole, _) = entered(&self.followed.kind, within(&self.followed, value), step);
        let (first, taken) = &self.taken;
        let known = whole.checked_sub(*first).and_then(|place| taken.get(usize::try_from(place).ok()?));
        known.copied().unwrap_or_else(|| self.reckoned(value, step))
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

    /// What is derived in hundredths of a percent, reckoned in doubles; none where a rounding is in doubt, or there is no such number.
    ///
    /// Quotients of decimal numbers are quotients of whole ones, which doubles hold: they are rounded once, and no quotient of
    /// numbers so small lies as near to the middle between two doubles as a decimal of 28 digits differs from it.
    pub(crate) fn hundredths(
        &self,
        body: &BodyEntered,
        look: &Look,
        (whole, decimals): (i64, u32),
        haemoglobin: Option<Decimal>,
    ) -> Option<i64> {
        let followed = whole as f64 / POWERS_OF_TEN[decimals as usize];
        let corrected = match self.percent.haemoglobin() {
            Some(_) => Some(Corrected::of(body.female, haemoglobin?)?),
            None => None,
        };
        let predicted = self.predicted(body, body.age, look.days)?;
        let quantity = followed / 100.0 * predicted;
        let shown = corrected.as_ref().map_or(quantity, |by| quantity / (by.above / by.below));
        let (mut whole, decimals) = entered(&self.kind, shown.max(self.bounds.0).min(self.bounds.1), None);
        if look.corrected {
            let most = libm::round(self.bounds.1 * POWERS_OF_TEN[decimals as usize]);
            whole += if ((whole + 1) as f64) <= most { 1 } else { -1 };
        }
        let age = body.age_known(look.known);
        let predicted = if age == body.age { predicted } else { self.predicted(body, age, look.days)? };
        let unit = POWERS_OF_TEN[decimals as usize];
        let quantity = match &corrected {
            Some(by) => exactly(whole as f64 * by.above)? / exactly(by.below * unit)?,
            None => exactly(whole as f64)? / unit,
        };
        let hundredths = 100.0 * quantity / predicted * 100.0;
        let nearest = libm::round(hundredths);
        // Halves stay in doubt, and numbers of which a decimal keeps too few digits.
        let sure = (hundredths - libm::floor(hundredths) - 0.5).abs() > 1e-6;
        (sure && (1.0..1e7).contains(&hundredths)).then_some(nearest as i64)
    }

    /// What the reference set predicts at an age at screening, so many days later.
    fn predicted(&self, body: &BodyEntered, age: i64, days: i32) -> Option<f64> {
        let context = Context {
            sex: Some(if body.female { Sex::Female } else { Sex::Male }),
            age_years: Some(Decimal::new(100 * age + hundredths_of_years(days), 2)),
            height_cm: body.height,
            ..Context::default()
        };
        // At the standard haemoglobin nothing is corrected.
        self.percent.measured(100.0, Some(standard_haemoglobin(body.female)), &context).ok()
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
        if let Some(hundredths) = self.hundredths(body, look, (whole, decimals), haemoglobin) {
            return Some(Decimal::new(hundredths, PERCENT_DECIMALS));
        }
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

/// The decimals of percent predicted.
const PERCENT_DECIMALS: u32 = 2;

/// A whole number that a double holds.
fn exactly(number: f64) -> Option<f64> {
    (number.abs() < 9e15).then_some(number)
}

/// Years after so many days in hundredths, by the rule of [`conduct::age_after`]: a year has 365.25 days.
fn hundredths_of_years(days: i32) -> i64 {
    // 100 / 365.25 is 400 / 1461, of which no multiple is a half.
    (800 * i64::from(days) + 1_461).div_euclid(2 * 1_461)
}

/// The haemoglobin in g/dL to which a diffusing capacity is corrected.
fn standard_haemoglobin(female: bool) -> Decimal {
    Decimal::new(if female { 134 } else { 146 }, 1)
}

/// What a diffusing capacity is multiplied by for a haemoglobin h: (c + h) / 1.7 h, above and below as whole numbers.
struct Corrected {
    above: f64,
    below: f64,
}

impl Corrected {
    fn of(female: bool, haemoglobin: Decimal) -> Option<Self> {
        let constant = if female { 938.0 } else { 1_022.0 };
        let unit = POWERS_OF_TEN.get(haemoglobin.scale() as usize)?;
        let whole = haemoglobin.mantissa();
        let whole = (1..1_000_000).contains(&whole).then_some(whole as f64)?;
        (*unit < 1e6).then_some(Self { above: constant * unit + 100.0 * whole, below: 170.0 * whole })
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
    plain.then(|| TakenOver::of(index, item.clone(), followed))
}

/// What the demography form says of a body, and how it is corrected.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BodyEntered {
    pub(crate) female: bool,
    height_cm: f64,
    /// The height as it is written down.
    height: Option<Decimal>,
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
        let age = completed_years(screened, body.age_years);
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
        let height = form.and_then(|form| form.item_for(ItemRole::HeightCm)).map(|item| {
            let (whole, decimals) = entered(&item.kind, body.height_cm, None);
            Decimal::new(whole, decimals)
        });
        Self { female, height_cm: body.height_cm, height, age, corrected }
    }

    pub(super) fn age_known(&self, known: Option<i32>) -> i64 {
        match self.corrected {
            Some((age, on)) if known.is_none_or(|days| on <= days) => age,
            _ => self.age,
        }
    }
}

/// The age in completed years of somebody who is screened at that age.
fn completed_years(screened: Date, age_years: f64) -> i64 {
    // So many days as the calendar's years may be off by.
    const DAYS_OFF: f64 = 4.0;
    let days = libm::trunc(age_years * 365.25);
    let years = libm::floor(days / 365.25);
    let beyond = days - 365.25 * years;
    if days >= 0.0 && (DAYS_OFF..365.25 - DAYS_OFF).contains(&beyond) {
        return years as i64;
    }
    i64::from(terms::months_between(born(screened, age_years), screened) / 12)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_without_a_calendar_are_those_of_the_calendar() {
        for opens in [Date::constant(1999, 2, 28), Date::constant(2008, 2, 29), Date::constant(2024, 12, 31)]
        {
            for step in 0..12_000 {
                let age = f64::from(step) * 0.0083;
                let whole = i64::from(terms::months_between(born(opens, age), opens) / 12);
                assert_eq!(completed_years(opens, age), whole, "{opens} {age}");
            }
        }
        for days in 0..8_000 {
            let exact = conduct::age_after(Decimal::from(50), days);
            assert_eq!(Decimal::new(5_000 + hundredths_of_years(days), 2), exact, "{days}");
        }
    }

    #[test]
    fn percents_reckoned_in_doubles_are_those_of_decimals() {
        let sets = [("gli2022", "fvc_pct_pred", 2), ("gli2017_dlco", "dlco_hb_pct_pred", 1)];
        let (mut sure, mut all) = (0, 0);
        for (set, item, decimals) in sets {
            let percent = instruments::percent_predicted(set, item).unwrap();
            let kind = ItemType::Decimal { decimals };
            let behind = Behind {
                percent,
                kind: kind.clone(),
                bounds: (0.0, 60.0),
                corrected: true,
                haemoglobin: None,
            };
            for step in 0..6_000_i64 {
                let (days, female) = (step as i32 % 700, step % 3 == 0);
                let haemoglobin = (set == "gli2017_dlco").then(|| Decimal::new(61 + step % 120, 1));
                let height = Some(Decimal::new(1_450 + step * 37 % 500, 1));
                let body = BodyEntered {
                    female,
                    height_cm: 0.0,
                    height,
                    age: 18 + step % 60,
                    corrected: (step % 7 == 0).then_some((19 + step % 60, 3)),
                };
                let look = Look { days, known: None, corrected: step % 5 == 0 };
                let followed = (4_000 + step * 7 % 9_000, 2);
                let context = |age: i64| Context {
                    sex: Some(if female { Sex::Female } else { Sex::Male }),
                    age_years: Some(conduct::age_after(age.into(), days)),
                    height_cm: height,
                    ..Context::default()
                };
                let shown =
                    percent.measured(followed.0 as f64 / 100.0, haemoglobin, &context(body.age)).unwrap();
                let (mut whole, decimals) = entered(&kind, shown.min(60.0), None);
                whole += i64::from(look.corrected);
                let exact = percent.percent(
                    Decimal::new(whole, decimals),
                    haemoglobin,
                    &context(body.age_known(None)),
                );
                let found = behind.hundredths(&body, &look, followed, haemoglobin);
                if let Some(found) = found {
                    assert_eq!(Ok(Decimal::new(found, 2)), exact, "{set} {step}");
                    sure += 1;
                }
                all += 1;
            }
        }
        assert!(sure * 100 > all * 99, "{sure} of {all}");
    }
}
