//! Litres of people whose percent of predicted is followed.
//!
//! A virtual cohort follows percent predicted, as publications print it; a form takes what the apparatus
//! shows, and derives percent predicted from it by the reference equations of its instrument. Here the
//! equations are run backwards: what is entered gives the followed percent back, as near as the digits of
//! an entry allow.

use std::collections::BTreeMap;

use instruments::{Context, PercentPredicted, Sex, percent_predicted};
use protocol::model::{Derivation, Form, Item, ItemRole, Purpose, Study};
use terms::{Answer, Decimal, ItemId, MissingReason, Value};

use crate::{
    answers::{Condition, entered, number, within},
    person::Person,
};

/// Returns what stands behind an item, if its instrument derives it as percent predicted.
pub(crate) fn behind(form: &Form, item: &Item) -> Option<PercentPredicted> {
    match &item.derived {
        Some(Derivation::Instrument { output }) => percent_predicted(form.instrument.as_deref()?, output),
        _ => None,
    }
}

/// What reference equations know of a person on a day, by the demography form.
pub(crate) fn context(
    study: &Study,
    female: bool,
    height_cm: f64,
    age_at_screening: i64,
    days_since_screening: i32,
) -> Context {
    let height = study.form_for(Purpose::Demography).and_then(|form| form.item_for(ItemRole::HeightCm));
    let height = height.map(|item| entered(&item.kind, height_cm, None));
    Context {
        sex: Some(if female { Sex::Female } else { Sex::Male }),
        age_years: Some(conduct::age_after(age_at_screening.into(), days_since_screening)),
        height_cm: height.map(|(whole, decimals)| Decimal::new(whole, decimals)),
        ..Context::default()
    }
}

/// The most of a vital capacity that is breathed out in the first second.
const FIRST_SECOND_MAX: f64 = 0.95;

/// The volume of the first second, and the capacity that it is a part of.
pub(crate) const FIRST_SECOND: (&str, &str) = ("fev1", "fvc");

/// Fills the measurements of a form whose percent predicted is followed. `percent` gives the drawn value
/// of a derived item.
pub(crate) fn fill(
    study: &Study,
    person: &Person,
    form: &Form,
    condition: &Condition<'_>,
    percent: &dyn Fn(&str) -> Option<f64>,
    drawn: &dyn Fn(&Item) -> Option<Answer>,
    given: &mut BTreeMap<ItemId, Answer>,
) {
    let screened = condition.day.saturating_sub(jiff::Span::new().days(condition.days_since_screening));
    let days = condition.days_since_screening;
    let at = context(study, person.female, person.height_cm, person.age_on(screened), days);
    for item in &form.items {
        let Some(behind) = behind(form, item) else { continue };
        let (Some(percent), Some(measured)) = (percent(item.id.as_str()), form.item(behind.entered().id))
        else {
            continue;
        };
        let haemoglobin = behind.haemoglobin().and_then(|item| form.item(item.id));
        let haemoglobin = haemoglobin.and_then(|item| Some((item.id.clone(), drawn(item)?)));
        let grams = haemoglobin.as_ref().and_then(|(_, answer)| answer.value()?.number());
        let shown = match behind.measured(percent, grams, &at) {
            Ok(value) => Answer::Given(number(measured, within(measured, value), None)),
            Err(_) => Answer::Missing(MissingReason::NotMeasurable),
        };
        given.insert(measured.id.clone(), shown);
        given.extend(haemoglobin);
    }
    // Volumes that are drawn apart belong to one breath.
    let litres = |item: &str| given.get(item).and_then(Answer::value).and_then(Value::as_f64);
    let (part, whole) = FIRST_SECOND;
    if let (Some(first), Some(capacity), Some(item)) = (litres(part), litres(whole), form.item(part)) {
        let most = FIRST_SECOND_MAX * capacity;
        if first > most {
            given.insert(item.id.clone(), Answer::Given(number(item, most, None)));
        }
    }
}
