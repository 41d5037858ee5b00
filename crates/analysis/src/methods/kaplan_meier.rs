//! Kaplan-Meier curves: medians, numbers at risk, and the comparison of curves.

use std::collections::BTreeMap;

use datasets::{DataSets, Dataset};
use protocol::model::{KaplanMeier, SurvivalLimits, SurvivalTest};
use statistics::{
    NotEstimable,
    survival::{LogRankWeights, SurvivalInterval, Times, kaplan_meier as estimate, log_rank},
};
use terms::Value;

use super::confidence;
use crate::{
    Format, Level,
    population::Population,
    records::{TimeEntry, cell},
    sheet::{ALL, Of, Sheet, cell as of_cell, group},
};

/// Says what the method does, with every option that changes a number.
pub(crate) fn words(options: &KaplanMeier) -> String {
    let limits = match options.limits {
        SurvivalLimits::Log => "log",
        SurvivalLimits::LogLog => "log-log",
    };
    let test = match options.test {
        SurvivalTest::LogRank => "; log-rank test",
        SurvivalTest::Peto => "; Peto and Peto's test",
        SurvivalTest::None => "",
    };
    let strata = match options.strata.as_slice() {
        [] => String::new(),
        strata => format!(" stratified by {}", strata.join(" and ")),
    };
    format!(
        "Kaplan-Meier estimate, limits on the {limits} scale, confidence {}{test}{strata}",
        options.confidence
    )
}

/// Estimates a curve for all together and for each group, and compares the groups.
///
/// Keys: in all `chi_squared df p` of the test; in all and by group `n events censored median lower upper`
/// (the median's limits); by planned time (a level) `at_risk` (just before it) and `survival`; and `curve` by each
/// time of an event: the survival probability from there on. Returns the planned times as levels, and who has
/// a time and no stratum, by row of the subject-level data set.
pub(crate) fn kaplan_meier(
    sheet: &mut Sheet<'_>,
    population: &Population,
    (data, set): (&DataSets, &Dataset),
    entries: &[TimeEntry],
    columns: &[&str],
    options: &KaplanMeier,
) -> (Vec<Level>, Vec<(usize, String)>) {
    let times: Vec<(Level, f64)> = options
        .at
        .iter()
        .map(|time| {
            let id = time.normalize().to_string();
            let number = Value::Decimal(*time).as_f64().unwrap_or(f64::NAN);
            (Level { label: id.clone(), id }, number)
        })
        .collect();
    for (place, id) in population.cuts() {
        let own: Vec<&TimeEntry> =
            entries.iter().filter(|entry| place.is_none() || entry.group == place).collect();
        let rows = own.iter().map(|entry| entry.row).collect();
        let rows = [sheet.row_sets.place(&set.name, rows, columns)];
        put_curve(sheet, id, &own, &times, &rows, options);
    }
    let without = match options.test {
        SurvivalTest::None => Vec::new(),
        test => put_test(sheet, population, (data, set), entries, columns, (options, test)),
    };
    (times.into_iter().map(|(level, _)| level).collect(), without)
}

fn put_curve(
    sheet: &mut Sheet<'_>,
    id: Option<&str>,
    own: &[&TimeEntry],
    times: &[(Level, f64)],
    rows: &[usize],
    options: &KaplanMeier,
) {
    let (time, event): (Vec<f64>, Vec<bool>) = own.iter().map(|entry| (entry.time, entry.event)).unzip();
    let events = event.iter().filter(|event| **event).count();
    let of = group(id);
    sheet.put("n", of, own.len(), Format::Integer, rows);
    sheet.put("events", of, events, Format::Integer, rows);
    sheet.put("censored", of, own.len() - events, Format::Integer, rows);
    let curve = Times::new(&time, &event).map(estimate);
    let curve = curve.as_ref().map_err(|reason| *reason);
    let kind = match options.limits {
        SurvivalLimits::Log => SurvivalInterval::Log,
        SurvivalLimits::LogLog => SurvivalInterval::LogLog,
    };
    let limits =
        curve.and_then(|curve| Ok(curve.quantile_limits(0.5, kind, confidence(options.confidence)?)));
    let reached = |limit: Option<f64>| limit.ok_or(NotEstimable::NotReached);
    sheet.put("median", of, curve.and_then(|curve| curve.quantile(0.5)), Format::Decimals(0), rows);
    sheet.put("lower", of, limits.and_then(|(lower, _)| reached(lower)), Format::Decimals(0), rows);
    sheet.put("upper", of, limits.and_then(|(_, upper)| reached(upper)), Format::Decimals(0), rows);
    for (level, at) in times {
        let at_risk = own.iter().filter(|entry| entry.time >= *at).count();
        sheet.put("at_risk", of_cell(id, &level.id), at_risk, Format::Integer, rows);
        let survival = curve.map(|curve| curve.survival_at(*at));
        sheet.put("survival", of_cell(id, &level.id), survival, Format::Decimals(3), rows);
    }
    for step in curve.map(|curve| curve.steps.as_slice()).unwrap_or_default() {
        let level = step.time.to_string();
        let of = Of { group: id, level: Some(&level) };
        sheet.put("curve", of, step.survival, Format::Decimals(3), rows);
    }
}

fn put_test(
    sheet: &mut Sheet<'_>,
    population: &Population,
    (data, set): (&DataSets, &Dataset),
    entries: &[TimeEntry],
    columns: &[&str],
    (options, test): (&KaplanMeier, SurvivalTest),
) -> Vec<(usize, String)> {
    let (mut time, mut event, mut arm, mut stratum) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut codes, mut without, mut rows) = (BTreeMap::new(), Vec::new(), Vec::new());
    for entry in entries {
        let level = |name: &String| cell(data, set, entry.row, entry.subject_row, name).level();
        let own: Option<Vec<String>> = options.strata.iter().map(level).collect();
        let (Some(own), Some(group)) = (own, entry.group) else {
            without.push((entry.subject_row, format!("no value of {}", options.strata.join(" or "))));
            continue;
        };
        let next = codes.len();
        stratum.push(*codes.entry(own).or_insert(next));
        time.push(entry.time);
        event.push(entry.event);
        arm.push(group);
        rows.push(entry.row);
    }
    let weights = match test {
        SurvivalTest::Peto => LogRankWeights::Survival,
        SurvivalTest::LogRank | SurvivalTest::None => LogRankWeights::Equal,
    };
    let strata = (!options.strata.is_empty()).then_some(stratum.as_slice());
    let result = Times::new(&time, &event)
        .and_then(|times| log_rank(times, &arm, population.groups.len(), strata, weights));
    let result = result.as_ref().map_err(|reason| *reason);
    let rows = [sheet.row_sets.place(&set.name, rows, columns)];
    sheet.put("chi_squared", ALL, result.map(|test| test.chi_squared), Format::Decimals(2), &rows);
    sheet.put("df", ALL, result.map(|test| test.df), Format::Decimals(0), &rows);
    sheet.put("p", ALL, result.map(|test| test.p), Format::PValue, &rows);
    without
}
