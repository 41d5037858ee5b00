//! Adverse events: rows of the form that serves them, and what a row must not say.
//!
//! A grade that changes is corrected on the row with a reason; its history is the cell's.

use instruments::ctcae5_terms;
use protocol::model::{Dictionary, Form, ItemRole, ItemType, Purpose, Study};
use record::FormKey;
use terms::*;

use crate::{
    Refusal,
    casebook::{Casebook, Cell, FilledForm, SeriousReport},
    decide::{Case, found, need},
    view::View,
};

/// A grade and since when it is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grading {
    /// The grade, 1 to 5.
    pub grade: u8,
    /// When it happened, as recorded with it.
    pub from: PartialDate,
    /// The event.
    pub sequence: u64,
}

/// A row of the adverse events form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdverseEvent {
    /// The row, from 1.
    pub row: u32,
    /// The term.
    pub term: Option<String>,
    /// When it started.
    pub start: Option<PartialDate>,
    /// When it stopped; none: it goes on.
    pub stop: Option<PartialDate>,
    /// Grades in order.
    pub grades: Vec<Grading>,
    /// Whether it is serious.
    pub serious: Option<bool>,
    /// Relation to the drug, as coded.
    pub relation: Option<String>,
    /// Action with the drug, as coded.
    pub action: Option<String>,
    /// Outcome, as coded.
    pub outcome: Option<String>,
    /// Whether it began on or after the first dose; open where partly known dates do not decide it, false
    /// without a first dose.
    pub treatment_emergent: Truth,
    /// Its report, if it is serious.
    pub reported: Option<SeriousReport>,
    /// The events that set its present values, ascending.
    pub sources: Vec<u64>,
}

/// Returns a participant's adverse events by row.
pub fn adverse_events(study: &Study, casebook: &Casebook) -> Vec<AdverseEvent> {
    let Some(form) = study.form_for(Purpose::AdverseEvents) else { return Vec::new() };
    casebook.rows(&form.id).map(|(row, filled)| read_row(form, casebook, row, filled)).collect()
}

fn read_row(form: &Form, casebook: &Casebook, row: u32, filled: &FilledForm) -> AdverseEvent {
    let cell = |role| form.item_for(role).and_then(|item| filled.cells.get(item.id.as_str()));
    let value = |role| cell(role).and_then(Cell::answer).and_then(Answer::value);
    let text = |role| value(role).map(Value::to_string);
    let start = value(ItemRole::AeStart).and_then(as_date);
    let emergent = |start: PartialDate| match casebook.first_dose() {
        Some(first) => start.before(first.into()).negate(),
        None => Truth::False,
    };
    let mut sources: Vec<u64> = filled.cells.values().map(|cell| cell.current().sequence).collect();
    sources.sort_unstable();
    sources.dedup();
    AdverseEvent {
        row,
        term: text(ItemRole::AeTerm),
        start,
        stop: value(ItemRole::AeStop).and_then(as_date),
        grades: cell(ItemRole::AeGrade).map(gradings).unwrap_or_default(),
        serious: value(ItemRole::AeSerious).and_then(as_truth),
        relation: text(ItemRole::AeRelation),
        action: text(ItemRole::AeAction),
        outcome: text(ItemRole::AeOutcome),
        treatment_emergent: start.map_or(Truth::Unknown, emergent),
        reported: casebook.serious_reports.get(&row).copied(),
        sources,
    }
}

fn gradings(cell: &Cell) -> Vec<Grading> {
    cell.history()
        .iter()
        .filter_map(|entry| {
            let grade = as_grade(entry.answer.as_ref()?.value()?)?;
            Some(Grading { grade, from: entry.happened, sequence: entry.sequence })
        })
        .collect()
}

/// A day, and whether it was imputed.
pub type Imputed = (Date, bool);

/// Imputes a start that is partly known: the earliest day it can mean, but the day of the first dose where it can be that.
pub fn impute_start(start: PartialDate, first_dose: Option<Date>) -> Imputed {
    if let Some(known) = start.complete() {
        return (known, false);
    }
    match first_dose {
        Some(dose) if (start.earliest()..=start.latest()).contains(&dose) => (dose, true),
        _ => (start.earliest(), true),
    }
}

/// Says whether an event began on or after the first dose, or worsened after it.
pub fn is_treatment_emergent(
    start: Option<Date>,
    stop: Option<Date>,
    grades: &[(Date, i64)],
    first_dose: Option<Date>,
) -> bool {
    let Some(first_dose) = first_dose else { return false };
    match start {
        None => stop.is_none_or(|stop| stop >= first_dose),
        Some(start) => start >= first_dose || worsened(grades, first_dose),
    }
}

fn worsened(grades: &[(Date, i64)], first_dose: Date) -> bool {
    let Some(((_, first), later)) = grades.split_first() else { return false };
    let before = later.iter().filter(|(date, _)| *date < first_dose).map(|(_, grade)| *grade);
    let worst_before = before.fold(*first, i64::max);
    later.iter().any(|(date, grade)| *date >= first_dose && *grade > worst_before)
}

/// Returns the worst of the grades; 5 for a fatal event; none if no grade was ever given.
pub fn worst_grade(grades: impl IntoIterator<Item = i64>, fatal: bool) -> Option<i64> {
    if fatal { Some(5) } else { grades.into_iter().max() }
}

/// Says whether a relation's code counts as related; none for a code that says neither.
pub fn is_related(relation: Option<&str>) -> Option<bool> {
    match relation? {
        "definite" | "certain" | "probable" | "possible" | "related" => Some(true),
        "unlikely" | "unrelated" | "not_related" | "none" => Some(false),
        _ => None,
    }
}

/// Holds a row, as it will be, to what rows must not say.
pub(crate) fn need_sound_row(
    case: &Case<'_>,
    form: &Form,
    key: &FormKey,
    view: &View<'_>,
) -> Result<(), Refusal> {
    let value = |role| {
        let item = form.item_for(role)?;
        view.answer(key, item.id.as_str())?.value().cloned()
    };
    let start = value(ItemRole::AeStart).as_ref().and_then(as_date);
    let stop = value(ItemRole::AeStop).as_ref().and_then(as_date);
    let recorded = case.command.at.local_date;
    for date in [start, stop].into_iter().flatten() {
        need(date.earliest() <= recorded, || Refusal::NotYetHappened { happened: date, recorded })?;
    }
    if let (Some(start), Some(stop)) = (start, stop) {
        need(stop.before(start) != Truth::True, || Refusal::StopsBeforeStart)?;
    }
    if let (Some(start), Some(consent)) = (start, case.casebook.consents.first()) {
        need(start.latest() >= consent.signed.date, || Refusal::StartsBeforeConsent)?;
    }
    let grade = value(ItemRole::AeGrade).as_ref().and_then(as_grade);
    if let (Some(Value::Text(name)), Some(grade)) = (value(ItemRole::AeTerm), grade)
        && let Some(ItemType::Term { dictionary: Dictionary::Ctcae5 }) =
            form.item_for(ItemRole::AeTerm).map(|item| &item.kind)
        && let Some(term) = ctcae5_terms::by_name(&name)
    {
        need(term.has_grade(grade), || Refusal::GradeNotOfTerm { grades: term.grades() })?;
    }
    let outcome = value(ItemRole::AeOutcome).map(|outcome| outcome.to_string().eq_ignore_ascii_case("fatal"));
    if let (Some(grade), Some(fatal)) = (grade, outcome) {
        need((grade == 5) == fatal, || Refusal::FatalGradeMismatch)?;
    }
    let serious = value(ItemRole::AeSerious).as_ref().and_then(as_truth) == Some(true);
    let criterion = |item: &protocol::model::Item| {
        let answer = view.answer(key, item.id.as_str());
        let value = answer.as_ref().and_then(Answer::value);
        value.is_some_and(|value| as_truth(value).unwrap_or(true))
    };
    let criteria: Vec<_> =
        form.items.iter().filter(|item| item.role == Some(ItemRole::AeSeriousCriterion)).collect();
    let named = criteria.is_empty() || criteria.into_iter().any(criterion);
    need(!serious || named, || Refusal::SeriousCriterionMissing)
}

/// The row exists.
#[cfg_attr(test, track_caller)]
pub(crate) fn need_row(case: &Case<'_>, row: u32) -> Result<AdverseEvent, Refusal> {
    let events = adverse_events(case.study, case.casebook);
    found(events.into_iter().find(|event| event.row == row), || Refusal::UnknownAdverseEvent { row })
}

fn as_date(value: &Value) -> Option<PartialDate> {
    match value {
        Value::Date(date) => Some(*date),
        _ => None,
    }
}

fn as_grade(value: &Value) -> Option<u8> {
    let digits = value.to_string();
    digits.trim_start_matches(|letter: char| !letter.is_ascii_digit()).parse().ok()
}

/// Reads yes and no, as a truth value or as the usual codes for it.
pub(crate) fn as_truth(value: &Value) -> Option<bool> {
    match value {
        Value::Boolean(holds) => Some(*holds),
        Value::Code(code) if matches!(code.to_ascii_lowercase().as_str(), "y" | "yes" | "true") => Some(true),
        Value::Code(code) if matches!(code.to_ascii_lowercase().as_str(), "n" | "no" | "false" | "none") => {
            Some(false)
        }
        _ => None,
    }
}
