//! Counts of events and participants by term.

use datasets::DataSets;

use crate::{
    Format, Level,
    events::{Occurrence, Occurrences, participants, rows},
    population::Population,
    sheet::{Of, Sheet, cell, group, percent},
};

/// Counts events, and the participants they are of, in all and by term.
///
/// Keys: `denominator events participants percent`, of adverse events also `low_grade_events` and
/// `low_grade_percent` (worst grade 1 or 2, of the events); the first four but `denominator` also by term.
pub(crate) fn count_events(
    sheet: &mut Sheet<'_>,
    population: &Population,
    data: &DataSets,
    dataset: &str,
    events: &Occurrences,
    terms: &[Level],
) {
    for (place, id) in population.cuts() {
        let of_all = events.of(place, |_| true);
        let denominator = population_place(sheet, population, place);
        let whole = population.of(place).count();
        sheet.put("denominator", group(id), whole, Format::Integer, &[denominator]);
        put_events(sheet, group(id), dataset, &of_all, (whole, denominator));
        if dataset == data.adverse_events.name {
            put_low_grade(sheet, group(id), data, &of_all);
        }
        for term in terms {
            let of_term = events.of(place, |one| one.is_of(&term.id));
            put_events(sheet, cell(id, &term.id), dataset, &of_term, (whole, denominator));
        }
    }
}

/// Returns the place of a group's rows of the subject-level data set.
pub(crate) fn population_place(
    sheet: &mut Sheet<'_>,
    population: &Population,
    group: Option<usize>,
) -> usize {
    let columns: Vec<&str> = population.columns.iter().map(String::as_str).collect();
    sheet.row_sets.place("subjects", population.rows(group), &columns)
}

/// Writes down `events participants percent` of some events.
pub(crate) fn put_events(
    sheet: &mut Sheet<'_>,
    of: Of<'_>,
    dataset: &str,
    events: &[&Occurrence],
    (whole, denominator): (usize, usize),
) {
    let place = sheet.row_sets.place(dataset, rows(events), &[]);
    let affected = participants(events);
    sheet.put("events", of, events.len(), Format::Integer, &[place]);
    sheet.put("participants", of, affected, Format::Integer, &[place]);
    sheet.put("percent", of, percent(affected, whole), Format::Percent(1), &[place, denominator]);
}

fn put_low_grade(sheet: &mut Sheet<'_>, of: Of<'_>, data: &DataSets, events: &[&Occurrence]) {
    let is_low = |one: &&&Occurrence| {
        data.adverse_events.cell("grade", one.row).number().is_some_and(|grade| (1.0..=2.0).contains(&grade))
    };
    let low: Vec<&Occurrence> = events.iter().filter(is_low).copied().collect();
    let all = sheet.row_sets.place("adverse_events", rows(events), &[]);
    let place = sheet.row_sets.place("adverse_events", rows(&low), &["grade"]);
    sheet.put("low_grade_events", of, low.len(), Format::Integer, &[place]);
    sheet.put("low_grade_percent", of, percent(low.len(), events.len()), Format::Percent(2), &[place, all]);
}
