//! Fisher's exact test of a yes or no between groups: of a variable, or of events by term.
//!
//! More than two groups are compared all at once, and each with the control.

use datasets::DataSets;
use statistics::{
    Confidence, NotEstimable,
    proportions::{Table, fisher_2x2, fisher_exact, miettinen_nurminen},
};

use super::count::population_place;
use crate::{
    Format, Level,
    events::{Occurrence, Occurrences, participants, rows},
    outcome::level_of,
    population::{Population, first_level},
    sheet::{Of, Sheet, cell, group, percent},
};

/// Compares the share of a variable's first level (`yes` of a flag) between two groups.
///
/// Keys: `p odds_ratio lower upper` and `difference difference_lower difference_upper`, and `events n percent`
/// by group. The odds ratio is the conditional maximum likelihood estimate; the difference of the shares, in
/// percentage points, has the score interval of Miettinen and Nurminen.
pub(crate) fn fisher_variable(
    sheet: &mut Sheet<'_>,
    population: &Population,
    data: &DataSets,
    variable: &str,
    level: Result<Confidence, NotEstimable>,
) {
    let Some(yes) = data.subjects.column(variable).map(first_level) else { return };
    let mut columns: Vec<&str> = population.columns.iter().map(String::as_str).collect();
    columns.push(variable);
    let known = |place: Option<usize>| {
        let with =
            population.of(place).filter_map(|member| Some((member.row, level_of(data, member, variable)?)));
        with.collect::<Vec<_>>()
    };
    let mut counts = Vec::new();
    for (place, id) in population.cuts().into_iter().filter(|(place, _)| place.is_some()) {
        let members = known(place);
        let events: Vec<usize> =
            members.iter().filter(|(_, own)| *own == yes.id).map(|(row, _)| *row).collect();
        let n_rows =
            sheet.row_sets.place("subjects", members.iter().map(|(row, _)| *row).collect(), &columns);
        counts.push((events.len(), members.len()));
        let event_rows = sheet.row_sets.place("subjects", events, &columns);
        put_share(sheet, group(id), *counts.last().unwrap_or(&(0, 0)), event_rows, n_rows);
    }
    let all = sheet.row_sets.place("subjects", known(None).iter().map(|(row, _)| *row).collect(), &columns);
    put_test(sheet, group(None), population, &counts, level, &[all]);
}

/// Compares the share of participants with at least one event between two groups, in all and by term.
pub(crate) fn fisher_events(
    sheet: &mut Sheet<'_>,
    population: &Population,
    dataset: &str,
    events: &Occurrences,
    terms: &[Level],
    level: Result<Confidence, NotEstimable>,
) {
    let denominator = population_place(sheet, population, None);
    for term in [None].into_iter().chain(terms.iter().map(|term| Some(term.id.as_str()))) {
        let is_meant = |one: &Occurrence| term.is_none_or(|term| one.is_of(term));
        let mut counts = Vec::new();
        for (place, id) in population.cuts().into_iter().filter(|(place, _)| place.is_some()) {
            let own = events.of(place, is_meant);
            let n_rows = population_place(sheet, population, place);
            let event_rows = sheet.row_sets.place(dataset, rows(&own), &[]);
            counts.push((participants(&own), population.of(place).count()));
            let of = Of { group: id, level: term };
            put_share(sheet, of, *counts.last().unwrap_or(&(0, 0)), event_rows, n_rows);
        }
        let all = sheet.row_sets.place(dataset, rows(&events.of(None, is_meant)), &[]);
        let of = term.map_or(group(None), |term| cell(None, term));
        put_test(sheet, of, population, &counts, level, &[all, denominator]);
    }
}

fn put_share(
    sheet: &mut Sheet<'_>,
    of: Of<'_>,
    (events, n): (usize, usize),
    event_rows: usize,
    n_rows: usize,
) {
    sheet.put("events", of, events, Format::Integer, &[event_rows]);
    sheet.put("n", of, n, Format::Integer, &[n_rows]);
    sheet.put("percent", of, percent(events, n), Format::Percent(1), &[event_rows, n_rows]);
}

fn put_test(
    sheet: &mut Sheet<'_>,
    of: Of<'_>,
    population: &Population,
    counts: &[(usize, usize)],
    level: Result<Confidence, NotEstimable>,
    rows: &[usize],
) {
    if population.groups.len() < 3 {
        return put_pair(sheet, of, population.pair(), counts, level, rows);
    }
    let table: Vec<Vec<u64>> =
        counts.iter().map(|(events, n)| vec![*events as u64, (n - events) as u64]).collect();
    let p = Table::from_rows(&table).and_then(|table| fisher_exact(&table));
    sheet.put("p", of, p, Format::PValue, rows);
    for (one, control) in population.against_control() {
        let of = Of { group: Some(&population.groups[one].id), level: of.level };
        put_pair(sheet, of, Ok((one, control)), counts, level, rows);
    }
}

/// Writes down the comparison of the first group with the second.
fn put_pair(
    sheet: &mut Sheet<'_>,
    of: Of<'_>,
    pair: Result<(usize, usize), String>,
    counts: &[(usize, usize)],
    level: Result<Confidence, NotEstimable>,
    rows: &[usize],
) {
    let difference = pair.clone().and_then(|(x, y)| risk_difference(counts[x], counts[y], level));
    let part = |of: fn(&[f64; 3]) -> f64| difference.as_ref().map(of).map_err(Clone::clone);
    sheet.put("difference", of, part(|all| all[0]), Format::Decimals(1), rows);
    sheet.put("difference_lower", of, part(|all| all[1]), Format::Decimals(1), rows);
    sheet.put("difference_upper", of, part(|all| all[2]), Format::Decimals(1), rows);
    let test = pair.and_then(|(x, y)| {
        let [a, n] = [counts[x].0 as u64, counts[x].1 as u64];
        let [c, m] = [counts[y].0 as u64, counts[y].1 as u64];
        let test = level.and_then(|level| fisher_2x2([a, n - a, c, m - c], level));
        test.map_err(|reason| reason.to_string())
    });
    let odds_ratio = test.clone().map(|test| test.conditional_odds_ratio);
    let interval = test.clone().map(|test| test.odds_ratio_interval);
    sheet.put("p", of, test.map(|test| test.p_two_sided), Format::PValue, rows);
    sheet.put("odds_ratio", of, odds_ratio, Format::Decimals(2), rows);
    sheet.put("lower", of, interval.clone().map(|limits| limits.lower), Format::Decimals(2), rows);
    sheet.put("upper", of, interval.map(|limits| limits.upper), Format::Decimals(2), rows);
}

/// The difference of two shares in percentage points with its limits.
fn risk_difference(
    one: (usize, usize),
    other: (usize, usize),
    level: Result<Confidence, NotEstimable>,
) -> Result<[f64; 3], String> {
    let share = |(events, n): (usize, usize)| {
        if n == 0 { Err(NotEstimable::ArmEmpty) } else { Ok(events as f64 / n as f64) }
    };
    let counted = |(events, n): (usize, usize)| (events as u64, n as u64);
    let found = || {
        let difference = share(one)? - share(other)?;
        let limits = miettinen_nurminen(counted(one), counted(other), level?)?;
        Ok([difference, limits.lower, limits.upper].map(|points| 100.0 * points))
    };
    found().map_err(|reason: NotEstimable| reason.to_string())
}
