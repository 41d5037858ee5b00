//! Trends: the course of a participant's measures over the visits, as small curves with the numbers beside them.
//!
//! A measure is a number with a unit, or one that is derived, of a form that is filled at visits. It is shown to who reads single values of its
//! data class at any visit: a role that sees the visit in hand alone, or from which earlier assessments are kept apart, gets none, and
//! no hint that there are any.

use conduct::Casebook;
use protocol::model::{Form, Item, ItemType};
use record::FormKey;
use terms::{Answer, Date, Value, VisitId};

use crate::{
    pages::form::unit_text,
    seat::{Seat, Shown},
};

/// The size of a curve, in the units of its drawing.
const WIDTH: f64 = 180.0;
const HEIGHT: f64 = 36.0;

/// The measures of a form.
pub struct FormTrends {
    /// The form's title.
    pub title: String,
    /// The visits at which one of them was taken, with the day.
    pub visits: Vec<(String, String)>,
    /// The measures.
    pub rows: Vec<Trend>,
}

/// A measure.
pub struct Trend {
    /// What it is, with its unit.
    pub label: String,
    /// The points of the curve, as SVG writes them.
    pub line: String,
    /// The same, one by one.
    pub dots: Vec<(String, String)>,
    /// What a reader is told who does not see the curve.
    pub says: String,
    /// The value at each visit; empty where there is none.
    pub cells: Vec<String>,
}

/// Says whether a seat reads values of a form at any visit, earlier ones included.
fn follows(seat: &Seat<'_>, form: &Form) -> bool {
    let history = format!("{}_history", form.data_class);
    let kept_apart = seat.study.data_classes.iter().any(|class| class.id == *history);
    seat.reads(form.data_class.as_str()) && (!kept_apart || seat.reads(&history))
}

fn is_measure(item: &Item) -> bool {
    matches!(item.kind, ItemType::Integer | ItemType::Decimal { .. })
        && (item.unit.is_some() || item.derived.is_some())
}

fn number(answer: &Answer) -> Option<f64> {
    match answer.value()? {
        Value::Integer(whole) => whole.to_string().parse().ok(),
        Value::Decimal(decimal) => decimal.to_string().parse().ok(),
        _ => None,
    }
}

/// Returns the measures that the seat may follow, by form, each with two values at least.
pub fn trends(seat: &Seat<'_>, casebook: &Casebook, language: &str) -> Vec<FormTrends> {
    let dates = casebook.visits_by_date();
    let forms =
        seat.study.forms.iter().filter(|form| form.by_visit && !form.repeating && follows(seat, form));
    forms.filter_map(|form| of_form(seat, casebook, form, &dates, language)).collect()
}

fn of_form(
    seat: &Seat<'_>,
    casebook: &Casebook,
    form: &Form,
    dates: &[(&VisitId, Date)],
    language: &str,
) -> Option<FormTrends> {
    let key = |visit: &VisitId| FormKey { visit: Some(visit.clone()), form: form.id.clone(), row: 0 };
    let taken: Vec<(&VisitId, Date, FormKey)> = dates
        .iter()
        .map(|(visit, date)| (*visit, *date, key(visit)))
        .filter(|(_, _, key)| casebook.forms.contains_key(key) && seat.form(casebook, key) == Shown::Yes)
        .collect();
    let rows: Vec<Trend> = form
        .items
        .iter()
        .filter(|item| is_measure(item))
        .filter_map(|item| {
            let answers: Vec<Option<&Answer>> = taken
                .iter()
                .map(|(_, _, key)| casebook.cell(key, item.id.as_str()).and_then(|cell| cell.answer()))
                .collect();
            let points: Vec<(Date, f64, String)> = taken
                .iter()
                .zip(&answers)
                .filter_map(|((_, date, _), answer)| {
                    let answer = (*answer)?;
                    Some((*date, number(answer)?, answer.value()?.to_string()))
                })
                .collect();
            (points.len() >= 2).then(|| curve(item, &points, &answers, language))
        })
        .collect();
    let visits = taken.iter().map(|(visit, date, _)| (visit.to_string(), date.to_string())).collect();
    let title = form.title.get(language).to_owned();
    (!rows.is_empty()).then_some(FormTrends { title, visits, rows })
}

fn curve(item: &Item, points: &[(Date, f64, String)], answers: &[Option<&Answer>], language: &str) -> Trend {
    let days = |date: Date| f64::from((date - points[0].0).get_days());
    let span = points.last().map_or(0.0, |(date, ..)| days(*date)).max(1.0);
    let low = points.iter().map(|(_, value, _)| *value).fold(f64::INFINITY, f64::min);
    let high = points.iter().map(|(_, value, _)| *value).fold(f64::NEG_INFINITY, f64::max);
    let reach = if high > low { high - low } else { 1.0 };
    let dots: Vec<(String, String)> = points
        .iter()
        .map(|(date, value, _)| {
            let x = 3.0 + days(*date) / span * (WIDTH - 6.0);
            let y = 3.0 + (high - value) / reach * (HEIGHT - 6.0);
            (format!("{x:.1}"), format!("{y:.1}"))
        })
        .collect();
    let unit = item.unit.as_deref().map(unit_text).filter(|unit| !unit.is_empty());
    let unit = unit.map_or_else(String::new, |unit| format!(" ({unit})"));
    let label = format!("{}{unit}", item.label.get(language));
    let (first, last) = (&points[0].2, &points[points.len() - 1].2);
    Trend {
        line: dots.iter().map(|(x, y)| format!("{x},{y}")).collect::<Vec<_>>().join(" "),
        dots,
        says: format!("{label}: {first} → {last}"),
        label,
        cells: answers
            .iter()
            .map(|answer| match answer {
                Some(Answer::Given(value)) => value.to_string(),
                Some(Answer::Missing(_)) => "–".to_owned(),
                None => String::new(),
            })
            .collect(),
    }
}
