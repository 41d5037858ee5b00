//! Trends: the course of a participant's measures over the visits, as small curves with the numbers beside them, one form at a time.
//!
//! A measure is a number with a unit, or one that is derived, of a form that is filled at visits. It is shown to who reads single values of its
//! data class at any visit: a role that sees the visit in hand alone, or from which earlier assessments are kept apart, gets none, and
//! no hint that there are any.

use askama::Template;
use conduct::Casebook;
use protocol::model::{Form, Item, ItemType};
use record::FormKey;
use terms::{Answer, Date, Value, VisitId};

use crate::{
    context::{Context, Failure, Outcome},
    course::subject_path,
    http::{Reply, segment},
    page::Page,
    pages::form::unit_text,
    seat::{Seat, Shown},
};

/// The size of a curve, in the units of its drawing.
const WIDTH: f64 = 180.0;
const HEIGHT: f64 = 36.0;

/// The measures of a form.
struct FormTrends {
    /// The form's title.
    title: String,
    /// The visits at which one of them was taken, with the day.
    visits: Vec<(String, String)>,
    /// The measures.
    rows: Vec<Trend>,
}

/// A measure.
struct Trend {
    /// What it is, with its unit.
    label: String,
    /// The points of the curve, as SVG writes them.
    line: String,
    /// The same as dots: lines without length, whose round ends are seen.
    dots: String,
    /// What a reader is told who does not see the curve.
    says: String,
    /// The value at each visit; empty where there is none.
    cells: Vec<String>,
}

#[derive(Template)]
#[template(path = "trends.html")]
struct TrendsPage {
    page: Page,
    subject: String,
    subject_path: String,
    /// The forms to choose from: where each leads, its title, whether it is the one shown.
    forms: Vec<(String, String, bool)>,
    shown: Option<FormTrends>,
    as_of: Option<String>,
}

/// The measures of one form.
pub fn show(context: &Context<'_>) -> Outcome {
    let (running, seat) = context.seated()?;
    if !seat.follows_course() {
        return Err(Failure::NotFound);
    }
    let page = Page::new(context, "Trends");
    let (study, state) = (running.study(), context.sighted()?);
    let casebook = state.casebook(context.request.param("subject")).ok_or(Failure::NotFound)?;
    let filled: Vec<&Form> = forms(seat).filter(|form| taken(seat, casebook, form).len() >= 2).collect();
    let wanted = context.request.query.get("form");
    let form = filled.iter().find(|form| form.id == *wanted).or(filled.first()).copied();
    let as_of = state.day().map(|day| day.to_string());
    let day = as_of.as_ref().map_or_else(String::new, |day| format!("&as-of={day}"));
    let way = |known: &Form| format!("{}?form={}{day}", context.request.path, segment(known.id.as_str()));
    let view = TrendsPage {
        subject: casebook.subject.to_string(),
        subject_path: subject_path(study, casebook),
        forms: filled
            .iter()
            .copied()
            .map(|known| {
                let here = form.is_some_and(|form| form.id == known.id);
                (way(known), known.title.get(&page.language).to_owned(), here)
            })
            .collect(),
        shown: form.and_then(|form| of_form(seat, casebook, form, &page.language)),
        as_of,
        page,
    };
    drop(state);
    Ok(Reply::page(view.render()?))
}

/// Says whether a seat may follow measures at all, so that its pages lead to them.
pub fn has_any(seat: &Seat<'_>) -> bool {
    seat.follows_course() && forms(seat).next().is_some()
}

/// The forms whose measures a seat may follow.
fn forms<'a>(seat: &Seat<'a>) -> impl Iterator<Item = &'a Form> {
    let measured = |form: &&Form| form.by_visit && !form.repeating && form.items.iter().any(is_measure);
    seat.study.forms.iter().filter(measured).filter(move |form| follows(seat, form))
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

/// Returns the visits at which a form was filled, with the day, in the order of their days.
fn taken<'c>(seat: &Seat<'_>, casebook: &'c Casebook, form: &Form) -> Vec<(&'c VisitId, Date, FormKey)> {
    let key = |visit: &VisitId| FormKey { visit: Some(visit.clone()), form: form.id.clone(), row: 0 };
    let held = casebook.visits_by_date().into_iter().map(|(visit, date)| (visit, date, key(visit)));
    held.filter(|(_, _, key)| casebook.forms.contains_key(key) && seat.form(casebook, key) == Shown::Yes)
        .collect()
}

/// Returns the measures of a form that have two values at least.
fn of_form(seat: &Seat<'_>, casebook: &Casebook, form: &Form, language: &str) -> Option<FormTrends> {
    let taken = taken(seat, casebook, form);
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
        dots: dots.iter().map(|(x, y)| format!("M{x} {y}h0")).collect(),
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
