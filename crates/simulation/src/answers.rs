//! What a form would say about a virtual person on a day.
//!
//! Each item's draw is keyed by person, item and occasion, so an item more or a
//! visit more changes no other answer.

use std::collections::BTreeMap;

use protocol::{
    expression::{ItemRef, Scope, When},
    model::{AnswerDraw, Dictionary, Form, Item, ItemType, Spread, Study},
};
use rust_decimal::RoundingStrategy;
use terms::{Answer, Date, Decimal, ItemId, MissingReason, PartialDate, Truth, Value};

use crate::{
    lung_function,
    person::{Assessment, MeasureStreams, Person, Trajectory, observe_skin, spread, spread_over_sites},
    questionnaires,
    streams::Streams,
};

/// How a person is on the day of a form.
pub struct Condition<'a> {
    /// The day.
    pub day: Date,
    /// The occasion: distinct for each visit of the person.
    pub occasion: u64,
    /// Days since screening.
    pub days_since_screening: i32,
    /// The same in months.
    pub months: f64,
    /// True skin score without oedema, on that day.
    pub skin: f64,
    /// Names of the reactions present.
    pub reactions: Vec<&'a str>,
    /// Whether someone else than usual scores the skin.
    pub new_assessor: bool,
}

/// Fills the entered items of a form, in order, as branching lets them show.
///
/// `casebook` answers what other forms say.
pub fn fill(
    study: &Study,
    streams: &Streams,
    person: &Person,
    form: &Form,
    condition: &Condition<'_>,
    casebook: &dyn Scope,
) -> BTreeMap<ItemId, Answer> {
    let mut given = BTreeMap::new();
    if study.virtual_cohort.skin.as_ref().is_some_and(|skin| skin.form == form.id) {
        score_skin(study, streams, person, form, condition, &mut given);
    }
    let score = |item: &str| {
        let derived = form.item(item).filter(|item| item.derived.is_some())?;
        let (value, step) = observed(study, streams, person, form, derived, condition)?;
        let (whole, decimals) = entered(&derived.kind, value, step);
        Some(whole as f64 / POWERS_OF_TEN[decimals as usize])
    };
    let mut draws = streams.of(person.number, &format!("{} items", form.id), condition.occasion);
    let drawn = |item: &Item| answer(study, streams, person, form, item, condition);
    let said = |item: &str| drawn(form.item(item)?)?.value().cloned();
    let filled = questionnaires::fill(form, &score, &said, &mut draws);
    let before = given.clone();
    let is_asked = |item: &ItemId| {
        let shown = form.item(item.as_str()).and_then(|item| item.shown_if.as_ref());
        let page = Page { form, given: &before, casebook };
        shown.is_none_or(|shown| shown.truth(&page) == Truth::True)
    };
    let filled = filled.into_iter().filter(|(item, _)| is_asked(item));
    given.extend(filled.map(|(item, value)| (item, Answer::Given(value))));
    lung_function::fill(study, person, form, condition, &score, &drawn, &mut given);
    for item in form.items.iter().filter(|item| item.derived.is_none()) {
        if given.contains_key(&item.id) {
            continue;
        }
        let page = Page { form, given: &given, casebook };
        if item.shown_if.as_ref().is_some_and(|shown| shown.truth(&page) != Truth::True) {
            continue;
        }
        if let Some(answer) = answer(study, streams, person, form, item, condition) {
            given.insert(item.id.clone(), answer);
        }
    }
    given
}

/// A form being filled in: its own answers first, then the casebook's.
struct Page<'a> {
    form: &'a Form,
    given: &'a BTreeMap<ItemId, Answer>,
    casebook: &'a dyn Scope,
}

impl Scope for Page<'_> {
    fn item(&self, reference: &ItemRef) -> Option<Answer> {
        if reference.form == self.form.id && reference.when == When::Here {
            return self.given.get(&reference.item).cloned();
        }
        self.casebook.item(reference)
    }

    fn variable(&self, name: &str) -> Option<Answer> {
        self.casebook.variable(name)
    }

    fn limit(&self, reference: &ItemRef, upper: bool) -> Option<Answer> {
        self.casebook.limit(reference, upper)
    }

    fn today(&self) -> Option<Date> {
        self.casebook.today()
    }
}

fn score_skin(
    study: &Study,
    streams: &Streams,
    person: &Person,
    form: &Form,
    condition: &Condition<'_>,
    given: &mut BTreeMap<ItemId, Answer>,
) {
    let Some(skin) = &study.virtual_cohort.skin else { return };
    let assessment = Assessment::draw(&mut streams.of(person.number, "assessment", condition.occasion));
    let swollen = skin.oedema.as_deref().is_some_and(|oedema| condition.reactions.contains(&oedema));
    let sites: Vec<&Item> = form.items.iter().filter(|item| is_site(item)).collect();
    let weight = |item: &Item| skin.site_weights.iter().find(|(id, _)| *id == item.id).map_or(1.0, |w| w.1);
    let weights: Vec<f64> = sites.iter().map(|item| weight(item)).collect();
    let total = observe_skin(&assessment, skin, condition.skin, swollen, condition.new_assessor, sites.len());
    // The same person's sites keep their order of involvement from visit to visit.
    let mut where_involved = streams.of(person.number, "skin sites", 0);
    for (site, score) in sites.iter().zip(spread_over_sites(total, &weights, &mut where_involved)) {
        given.insert(site.id.clone(), Answer::Given(Value::Integer(score)));
    }
}

/// Says whether an item is one of the sites of the skin score.
pub(crate) fn is_site(item: &Item) -> bool {
    item.derived.is_none() && item.kind == ItemType::Integer && item.maximum == Some(3.into())
}

/// The value of an item that is followed over time, within its limits, and its step; none for other items.
fn observed(
    study: &Study,
    streams: &Streams,
    person: &Person,
    form: &Form,
    item: &Item,
    condition: &Condition<'_>,
) -> Option<(f64, Option<f64>)> {
    let measures = &study.virtual_cohort.measures;
    let index = measures.iter().position(|m| m.form == form.id && m.item == item.id)?;
    let process = &measures[index];
    let trajectory = Trajectory::draw(streams, person, process, index);
    let of = MeasureStreams::of(index);
    let mut draws = of.own(streams.draws(person.number, of.noise, condition.occasion));
    let skin_change = condition.skin - person.skin_start;
    let value = trajectory.observe(process, condition.months, skin_change, &condition.reactions, &mut draws);
    Some((within(item, value), process.step))
}

pub(crate) fn answer(
    study: &Study,
    streams: &Streams,
    person: &Person,
    form: &Form,
    item: &Item,
    condition: &Condition<'_>,
) -> Option<Answer> {
    let virtuals = &study.virtual_cohort;
    if let Some((value, step)) = observed(study, streams, person, form, item, condition) {
        return Some(Answer::Given(number(item, value, step)));
    }
    let process = virtuals.answers.iter().find(|a| a.form == form.id && a.item == item.id);
    let key = format!("{}.{}", form.id, item.id);
    match process.map(|process| &process.draw) {
        Some(AnswerDraw::Shares(shares)) => {
            let drawn = streams.of(person.number, &key, 0).weighted(shares.iter().map(|(_, share)| *share));
            Some(Answer::Given(coded(item, &shares[drawn].0)))
        }
        Some(AnswerDraw::Same(other, same)) => {
            let other = study.form(other.as_str())?;
            let same = other.item(same.as_str())?;
            let (value, step) = observed(study, streams, person, other, same, condition)?;
            Some(Answer::Given(Value::Decimal(same_as(item, same, value, step))))
        }
        Some(AnswerDraw::From(property)) => {
            let recalls_day =
                streams.of(person.number, "recall of onset", 0).chance(virtuals.cohort.onset_day_known);
            property_of(person, property, item, condition.day, recalls_day)
        }
        Some(AnswerDraw::Text(text)) => Some(Answer::Given(Value::Text(text.clone()))),
        Some(AnswerDraw::Normal(around)) => {
            let value = spread(&mut streams.of(person.number, &key, condition.occasion), around);
            Some(Answer::Given(number(item, within(item, value), None)))
        }
        Some(AnswerDraw::Missing(reason)) => Some(Answer::Missing(*reason)),
        None => unmodelled(study, streams, person, &key, item, condition),
    }
}

/// An item that `virtual.toml` does not name: `no`, the first code, about the middle of the range;
/// nothing where it may be left empty.
fn unmodelled(
    study: &Study,
    streams: &Streams,
    person: &Person,
    key: &str,
    item: &Item,
    condition: &Condition<'_>,
) -> Option<Answer> {
    if !item.required {
        return None;
    }
    let value = match &item.kind {
        ItemType::Boolean => Value::Boolean(false),
        ItemType::Code { codelist } => {
            let list = study.codelists.iter().find(|list| list.id == *codelist)?;
            Value::Code(list.codes.first()?.0.clone())
        }
        ItemType::Date { .. } => Value::Date(condition.day.into()),
        ItemType::Text => Value::Text("virtual".to_owned()),
        ItemType::Term { dictionary: Dictionary::Ctcae5 } => {
            Value::Text(instruments::ctcae5_terms::all().next()?.name.to_owned())
        }
        ItemType::Integer | ItemType::Decimal { .. } => {
            let (Some(least), Some(most)) = (item.minimum, item.maximum) else {
                return Some(Answer::Missing(MissingReason::NotDone));
            };
            let (least, most) = (as_f64(least), as_f64(most));
            let around = Spread {
                mean: (least + most) / 2.0,
                sd: (most - least) / 20.0,
                min: Some(least),
                max: Some(most),
            };
            number(item, spread(&mut streams.of(person.number, key, condition.occasion), &around), None)
        }
    };
    Some(Answer::Given(value))
}

fn property_of(person: &Person, property: &str, item: &Item, day: Date, recalls_day: bool) -> Option<Answer> {
    let value = match property {
        "sex" => coded(item, if person.female { "female" } else { "male" }),
        "age" | "age_years" => Value::Integer(person.age_on(day)),
        "birth_year" => Value::Integer(i64::from(person.born.year())),
        "height_cm" => number(item, person.height_cm, None),
        "ild" => coded(item, if person.ild { "true" } else { "false" }),
        "stratum" => coded(item, person.stratum.as_deref()?),
        "onset_date" if recalls_day => Value::Date(person.onset.into()),
        "onset_date" => Value::Date(PartialDate::of_month(person.onset.year(), person.onset.month()).ok()?),
        "visit_date" => Value::Date(day.into()),
        "child_bearing" => {
            coded(item, if person.female && person.age_on(day) < 50 { "true" } else { "false" })
        }
        _ => return None,
    };
    Some(Answer::Given(value))
}

/// A code as the item holds it; `true`/`false` become a boolean, or `yes`/`no` of a code list.
pub(crate) fn coded(item: &Item, code: &str) -> Value {
    match (&item.kind, code) {
        (ItemType::Boolean, code) => Value::Boolean(code == "true" || code == "yes"),
        (ItemType::Code { .. }, "true") => Value::Code("yes".to_owned()),
        (ItemType::Code { .. }, "false") => Value::Code("no".to_owned()),
        (ItemType::Integer, code) => {
            code.parse().map_or_else(|_| Value::Text(code.to_owned()), Value::Integer)
        }
        (ItemType::Decimal { .. }, code) => {
            code.parse().map_or_else(|_| Value::Text(code.to_owned()), Value::Decimal)
        }
        (ItemType::Text | ItemType::Term { .. }, code) => Value::Text(code.to_owned()),
        (_, code) => Value::Code(code.to_owned()),
    }
}

pub(crate) fn within(item: &Item, value: f64) -> f64 {
    let least = item.minimum.map_or(f64::NEG_INFINITY, as_f64);
    let most = item.maximum.map_or(f64::INFINITY, as_f64);
    value.max(least).min(most)
}

pub(crate) fn as_f64(decimal: Decimal) -> f64 {
    Value::Decimal(decimal).as_f64().unwrap_or(f64::NAN)
}

/// Writes a number with the digits an item is entered with, in multiples of `step` if there is one.
pub(crate) fn number(item: &Item, value: f64, step: Option<f64>) -> Value {
    let (whole, decimals) = entered(&item.kind, value, step);
    match item.kind {
        ItemType::Decimal { .. } => Value::Decimal(Decimal::new(whole, decimals)),
        _ => Value::Integer(whole),
    }
}

/// What an item takes over of what is observed of another one, in its own unit and digits.
pub(crate) fn same_as(item: &Item, other: &Item, value: f64, step: Option<f64>) -> Decimal {
    let (whole, decimals) = entered(&other.kind, within(other, value), step);
    let entered = Decimal::new(whole, decimals);
    let units = other.unit.as_deref().zip(item.unit.as_deref());
    let own = units.and_then(|(from, to)| protocol::convert(entered, from, to)).unwrap_or(entered);
    let decimals = if let ItemType::Decimal { decimals } = item.kind { decimals } else { 0 };
    let mut own = own.round_dp_with_strategy(decimals, RoundingStrategy::MidpointAwayFromZero);
    own.rescale(decimals);
    own.max(item.minimum.unwrap_or(Decimal::MIN)).min(item.maximum.unwrap_or(Decimal::MAX))
}

/// Rounds a number to the digits an item is entered with: a whole number of units of the last decimal, and
/// the decimals. Halves go away from zero.
#[inline]
pub(crate) fn entered(kind: &ItemType, value: f64, step: Option<f64>) -> (i64, u32) {
    let value = step.map_or(value, |step| libm::round(value / step) * step);
    let decimals = match kind {
        ItemType::Decimal { decimals } => *decimals,
        _ => 0,
    };
    (libm::round(value * POWERS_OF_TEN[decimals as usize]) as i64, decimals)
}

/// 1, 10, 100 …: as many decimals as an item can have.
pub(crate) const POWERS_OF_TEN: [f64; 16] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];
