//! Counts of participants by level, and of events and participants by term.

use datasets::DataSets;

use crate::{
    Format, Level,
    events::{Occurrence, Occurrences, participants, rows},
    outcome::level_of,
    population::Population,
    sheet::{Of, Sheet, cell, group, percent},
};

/// Counts participants by the levels of a variable. Keys: `denominator` and `missing`, and by level
/// `count` and `percent` (of all in the group, those without a value included).
pub(crate) fn count_levels(
    sheet: &mut Sheet<'_>,
    population: &Population,
    data: &DataSets,
    variable: &str,
    levels: &[Level],
) {
    for (place, id) in population.cuts() {
        let members: Vec<_> =
            population.of(place).map(|member| (member.row, level_of(data, member, variable))).collect();
        let mut columns: Vec<&str> = population.columns.iter().map(String::as_str).collect();
        columns.push(variable);
        let mut place_of = |level: Option<&Option<String>>| {
            let of_level = members.iter().filter(|(_, own)| level.is_none_or(|level| own == level));
            let chosen: Vec<usize> = of_level.map(|(row, _)| *row).collect();
            (chosen.len(), sheet.row_sets.place("subjects", chosen, &columns))
        };
        let (all, all_rows) = place_of(None);
        let (missing, missing_rows) = place_of(Some(&None));
        let counted: Vec<_> =
            levels.iter().map(|level| (level, place_of(Some(&Some(level.id.clone()))))).collect();
        sheet.put("denominator", group(id), all, Format::Integer, &[all_rows]);
        sheet.put("missing", group(id), missing, Format::Integer, &[missing_rows]);
        for (level, (count, level_rows)) in counted {
            let of = cell(id, &level.id);
            sheet.put("count", of, count, Format::Integer, &[level_rows]);
            sheet.put("percent", of, percent(count, all), Format::Percent(1), &[level_rows, all_rows]);
        }
    }
}

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
            let of_term = events.of(place, |one| one.term == term.id);
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
