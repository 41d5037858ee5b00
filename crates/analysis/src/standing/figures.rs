//! The numbers behind the figures that the plan's report shows.

use protocol::model::{Measure, Parameter};
use statistics::{
    Confidence,
    descriptive::{mean, mean_interval_t},
};
use terms::{AnalysisId, ParameterId, VisitId};

use super::{Head, Standing};
use crate::{
    AnalysisResult, Format, Level,
    outcome::{Outcome, Outcomes},
    population::{Population, levels_of},
    run::observed,
    sheet::{RowSets, Sheet, cell, group, percent},
};

fn parameter_of<'a>(standing: &'a Standing<'_>, id: &ParameterId) -> Option<&'a Parameter> {
    standing.plan.parameters.iter().find(|parameter| parameter.id == *id)
}

/// Each participant's values by visit, and the mean with its 95 % t interval, by arm or by a variable.
pub(super) fn trajectory(
    standing: &Standing<'_>,
    row_sets: &mut RowSets,
    id: &ParameterId,
    by: Option<&str>,
) -> Option<AnalysisResult> {
    let parameter = parameter_of(standing, id)?;
    let entered = standing.with_flag_by("enrolled", by);
    let name = match by {
        Some(by) => AnalysisId::from(format!("trajectory:{id}:{by}")),
        None => AnalysisId::from(format!("trajectory:{id}")),
    };
    let mut sheet = Sheet::new(&name, row_sets);
    let visits = planned_visits(standing, id);
    let mut levels = Vec::new();
    for visit in visits {
        let at = VisitId::from(visit.id.as_str());
        let outcomes = observed(standing.data, &entered, parameter, &at, Measure::Value);
        if outcomes.entries.is_empty() {
            continue;
        }
        put_means(&mut sheet, &entered, &outcomes, &visit.id, parameter.decimals);
        put_each(standing, &mut sheet, &outcomes, "value", Some(&visit.id), parameter.decimals);
        levels.push(visit);
    }
    let label = format!("{} over time", parameter.label.en());
    let head = Head {
        id: name.as_str(),
        label: &label,
        method: "Observed values; mean with 95 % t interval",
        set: "All who entered",
        groups: &entered.groups,
        levels,
    };
    Some(standing.result(head, sheet))
}

/// The planned visits at which the parameter was observed, in the schedule's order.
fn planned_visits(standing: &Standing<'_>, id: &ParameterId) -> Vec<Level> {
    let set = &standing.data.longitudinal;
    let is_planned = |visit: &Level| {
        (0..set.rows()).any(|row| {
            set.cell("visit", row).text() == Some(visit.id.as_str())
                && set.cell("parameter", row).text() == Some(id.as_str())
                && set.cell("planned", row).flag() == Some(true)
                && set.cell("derived", row).text().is_none()
        })
    };
    set.column("visit").map(levels_of).unwrap_or_default().into_iter().filter(is_planned).collect()
}

fn put_means(sheet: &mut Sheet<'_>, entered: &Population, outcomes: &Outcomes, visit: &str, decimals: u32) {
    for (place, arm) in entered.cuts() {
        let values = outcomes.values(place, 0.0);
        let rows = [sheet.row_sets.place("longitudinal", outcomes.rows(place), &["value"])];
        let (of, format) = (cell(arm, visit), Format::Decimals(decimals + 1));
        let interval = mean_interval_t(&values, Confidence::C95);
        sheet.put("n", of, values.len(), Format::Integer, &rows);
        sheet.put("mean", of, mean(&values), format, &rows);
        sheet.put("lower", of, interval.map(|interval| interval.lower), format, &rows);
        sheet.put("upper", of, interval.map(|interval| interval.upper), format, &rows);
    }
}

/// Each participant's number, with the participant in the place of the group.
fn put_each(
    standing: &Standing<'_>,
    sheet: &mut Sheet<'_>,
    outcomes: &Outcomes,
    key: &str,
    visit: Option<&str>,
    decimals: u32,
) {
    for entry in &outcomes.entries {
        let Outcome::Value(value) = entry.outcome else { continue };
        let subject = standing.data.longitudinal.cell("subject", entry.row).text();
        let rows = [sheet.row_sets.place("longitudinal", vec![entry.row], &[key])];
        let of = visit.map_or(group(subject), |visit| cell(subject, visit));
        sheet.put(key, of, value, Format::Decimals(decimals), &rows);
    }
}

/// Each participant's change from baseline at a visit, as observed.
pub(super) fn waterfall(
    standing: &Standing<'_>,
    row_sets: &mut RowSets,
    id: &ParameterId,
    visit: &VisitId,
) -> Option<AnalysisResult> {
    let parameter = parameter_of(standing, id)?;
    let entered = standing.with_flag("enrolled");
    let name = AnalysisId::from(format!("waterfall:{id}:{visit}"));
    let mut sheet = Sheet::new(&name, row_sets);
    let outcomes = observed(standing.data, &entered, parameter, visit, Measure::Change);
    put_each(standing, &mut sheet, &outcomes, "change", None, parameter.decimals);
    let label = format!("Change of {} at {visit}", parameter.label.en());
    let head = Head {
        id: name.as_str(),
        label: &label,
        method: "Observed changes from baseline",
        set: "All who entered",
        groups: &entered.groups,
        levels: Vec::new(),
    };
    let mut result = standing.result(head, sheet);
    result.excluded = outcomes.excluded;
    Some(result)
}

/// How many participants changed by no more than each observed change at a visit.
pub(super) fn cumulative(
    standing: &Standing<'_>,
    row_sets: &mut RowSets,
    id: &ParameterId,
    visit: &VisitId,
) -> Option<AnalysisResult> {
    let parameter = parameter_of(standing, id)?;
    let entered = standing.with_flag("enrolled");
    let name = AnalysisId::from(format!("cumulative:{id}:{visit}"));
    let mut sheet = Sheet::new(&name, row_sets);
    let outcomes = observed(standing.data, &entered, parameter, visit, Measure::Change);
    let mut changes = outcomes.values(None, 0.0);
    changes.sort_by(f64::total_cmp);
    changes.dedup();
    let levels: Vec<Level> = changes
        .iter()
        .map(|change| crate::rounded(*change, parameter.decimals))
        .map(|text| Level { label: text.clone(), id: text })
        .collect();
    for (place, arm) in entered.cuts() {
        let own: Vec<(usize, f64)> = outcomes
            .of(place)
            .filter_map(|entry| match entry.outcome {
                Outcome::Value(value) => Some((entry.row, value)),
                Outcome::WorstRank => None,
            })
            .collect();
        let all =
            sheet.row_sets.place("longitudinal", own.iter().map(|(row, _)| *row).collect(), &["change"]);
        sheet.put("n", group(arm), own.len(), Format::Integer, &[all]);
        let mut before = None;
        for (change, level) in changes.iter().zip(&levels) {
            // Changes that print alike share a line.
            if before == Some(&level.id) {
                continue;
            }
            before = Some(&level.id);
            let limit = changes
                .iter()
                .filter(|other| crate::rounded(**other, parameter.decimals) == level.id)
                .fold(*change, |most, other| most.max(*other));
            let rows: Vec<usize> =
                own.iter().filter(|(_, value)| *value <= limit).map(|(row, _)| *row).collect();
            let (count, of) = (rows.len(), cell(arm, &level.id));
            let counted = sheet.row_sets.place("longitudinal", rows, &["change"]);
            sheet.put("count", of, count, Format::Integer, &[counted]);
            sheet.put("percent", of, percent(count, own.len()), Format::Percent(1), &[counted, all]);
        }
    }
    let label = format!("Cumulative distribution of the change of {} at {visit}", parameter.label.en());
    let mut levels = levels;
    levels.dedup();
    let head = Head {
        id: name.as_str(),
        label: &label,
        method: "Observed changes from baseline",
        set: "All who entered",
        groups: &entered.groups,
        levels,
    };
    let mut result = standing.result(head, sheet);
    result.excluded = outcomes.excluded;
    Some(result)
}
