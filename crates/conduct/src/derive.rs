//! Derived items: instrument scores and expressions, recomputed in the decision that saves their inputs.
//!
//! A score without a value is `not scorable`, and only once every item that is asked has an answer;
//! a missing input never becomes zero.

use std::collections::BTreeSet;

use instruments::{Context, Sex};
use protocol::model::{Derivation, Form, Item, ItemRole, ItemType, Purpose, Study};
use record::FormKey;
use rust_decimal::RoundingStrategy;
use terms::*;

use crate::{
    casebook::Casebook,
    view::{Pending, View, is_shown},
};

/// A derived item's new answer.
pub(crate) struct Derived {
    pub key: FormKey,
    pub item: ItemId,
    pub answer: Answer,
}

/// Recomputes the derived items of the changed form, and of filled forms whose derivations read what changes.
///
/// What is found is added to `pending`, so that later derivations and checks see it.
pub(crate) fn derive(view: &View<'_>, changed: &FormKey, pending: &mut Pending) -> Vec<Derived> {
    let mut derived = Vec::new();
    // A derivation may feed a later one, of another form too; they form no circle.
    for _ in 0..DERIVATION_DEPTH_MAX {
        let before = derived.len();
        let reading: BTreeSet<&FormId> = view
            .study
            .forms
            .iter()
            .filter(|form| derives_from(view.study, form, pending))
            .map(|form| &form.id)
            .collect();
        let mut keys: Vec<FormKey> = vec![changed.clone()];
        let others = view.casebook.forms.keys().filter(|key| *key != changed && reading.contains(&key.form));
        keys.extend(others.cloned());
        for key in &keys {
            derive_form(view, key, pending, &mut derived);
        }
        if derived.len() == before {
            break;
        }
    }
    derived
}

/// How many derivations may build on one another.
const DERIVATION_DEPTH_MAX: usize = 4;

/// Says whether a form derives something from a form that changes. Scores of reference equations rest on
/// demography; values of other forms are read where an expression names their form, those of the own
/// form at other visits perhaps without a name.
fn derives_from(study: &Study, form: &Form, pending: &Pending) -> bool {
    let demography = study.form_for(Purpose::Demography).map(|form| &form.id);
    let reads = |changed: &FormKey, item: &Item| match &item.derived {
        Some(Derivation::Expression(expression)) => {
            changed.form == form.id || mentions(&expression.text, &changed.form)
        }
        Some(Derivation::Instrument { .. }) => demography == Some(&changed.form),
        None => false,
    };
    form.purpose != Some(Purpose::SpecimenReading)
        && pending.keys().any(|changed| form.items.iter().any(|item| reads(changed, item)))
}

fn derive_form(view: &View<'_>, key: &FormKey, pending: &mut Pending, derived: &mut Vec<Derived>) {
    let Some(form) = view.study.form(key.form.as_str()) else { return };
    let seen = View::at_form(view.study, view.casebook, key, view.today.unwrap_or_default());
    let scores = scores(&seen, form, key, pending);
    for item in form.items.iter().filter(|item| item.derived.is_some()) {
        let seen = seen.with(pending);
        let found = match item.derived.as_ref() {
            Some(Derivation::Expression(expression)) => {
                expression.value(&seen).map(|value| rounded(value, item))
            }
            Some(Derivation::Instrument { output }) => {
                scores.iter().find(|(name, _)| name == output).and_then(|(_, value)| value.clone())
            }
            None => continue,
        };
        let old = seen.answer(key, item.id.as_str());
        let answer = match found {
            Some(value) => Answer::Given(value),
            None if old.is_some() || is_filled(&seen, form, key) => {
                Answer::Missing(MissingReason::NotScorable)
            }
            None => continue,
        };
        if old.as_ref() != Some(&answer) {
            pending.entry(key.clone()).or_default().insert(item.id.clone(), answer.clone());
            derived.retain(|earlier| earlier.key != *key || earlier.item != item.id);
            derived.push(Derived { key: key.clone(), item: item.id.clone(), answer });
        }
    }
}

/// Says whether a text of the study language names a form: cheaper than walking the expression, and
/// never false where the expression does.
pub(crate) fn mentions(text: &str, form: &FormId) -> bool {
    text.contains(form.as_str())
}

fn is_filled(view: &View<'_>, form: &Form, key: &FormKey) -> bool {
    form.items
        .iter()
        .filter(|item| item.derived.is_none() && item.required && is_shown(view, item))
        .all(|item| view.answer(key, item.id.as_str()).is_some())
}

fn scores(view: &View<'_>, form: &Form, key: &FormKey, pending: &Pending) -> Vec<(String, Option<Value>)> {
    let Some(instrument) = form.instrument.as_deref().and_then(instruments::by_id) else { return Vec::new() };
    let seen = view.with(pending);
    let answers = |item: &str| seen.answer(key, item);
    let scored = instrument.score(&answers, &context(&seen));
    scored.into_iter().map(|score| (score.item.to_owned(), score.result.ok())).collect()
}

/// What instruments need to know of the participant: age on the day of the visit, from the age at screening.
fn context(view: &View<'_>) -> Context {
    let value = |role| view.demography(role).and_then(|answer| answer.value().cloned());
    let number = |role| value(role).and_then(|value| value.number());
    Context {
        sex: value(ItemRole::Sex).and_then(|sex| sex_of(&sex.to_string())),
        age_years: number(ItemRole::AgeYears)
            .map(|age| age_after(age, days_since_screening(view.casebook, view.today))),
        height_cm: number(ItemRole::HeightCm),
        ..Context::default()
    }
}

/// Code lists write sex in letters or words; the instruments know the letters.
fn sex_of(code: &str) -> Option<Sex> {
    match code {
        "female" => Some(Sex::Female),
        "male" => Some(Sex::Male),
        letter => Sex::from_code(letter),
    }
}

/// Returns the age that scores use: that of screening and the years since, to two decimals.
pub fn age_after(age_at_screening: Decimal, days_since_screening: i32) -> Decimal {
    age_at_screening + (Decimal::from(days_since_screening) / Decimal::new(36525, 2)).round_dp(2)
}

fn days_since_screening(casebook: &Casebook, today: Option<Date>) -> i32 {
    casebook.screened.zip(today).map_or(0, |(screened, today)| days_between(screened.date, today))
}

fn rounded(value: Value, item: &Item) -> Value {
    match (&item.kind, value.number()) {
        (ItemType::Decimal { decimals }, Some(number)) => {
            Value::Decimal(number.round_dp_with_strategy(*decimals, RoundingStrategy::MidpointAwayFromZero))
        }
        _ => value,
    }
}
