//! Exposure of those who took at least one dose.

use statistics::{NotEstimable, descriptive::summarise};

use super::{Head, Standing};
use crate::{
    AnalysisResult, Format, Level,
    outcome::of_variable,
    sheet::{RowSets, Sheet, cell, percent},
};

const VARIABLES: [&str; 5] = ["treatment_days", "dose_mg", "dose_share", "dose_intensity", "longest_pause"];
const CHANGED: &str = "dose_changed";

pub(super) fn exposure(standing: &Standing<'_>, row_sets: &mut RowSets) -> AnalysisResult {
    let id = "exposure".into();
    let mut sheet = Sheet::new(&id, row_sets);
    let treated = standing.with_flag("treated");
    let subjects = &standing.data.subjects;
    for (place, arm) in treated.cuts() {
        for variable in VARIABLES {
            let outcomes = of_variable(standing.data, &treated, variable);
            let values = outcomes.values(place, 0.0);
            let decimals = subjects.column(variable).map_or(0, |column| column.decimals);
            let rows = [sheet.row_sets.place("subjects", outcomes.rows(place), &["treated", variable])];
            let (of, summary) = (cell(arm, variable), summarise(&values));
            let too_few = NotEstimable::TooFewObservations { needed: 2, found: values.len() };
            let sd = summary.and_then(|summary| summary.sd.ok_or(too_few));
            let (value, mean) = (Format::Decimals(decimals), Format::Decimals(decimals + 1));
            sheet.put("n", of, values.len(), Format::Integer, &rows);
            sheet.put("mean", of, summary.map(|summary| summary.mean), mean, &rows);
            sheet.put("sd", of, sd, mean, &rows);
            sheet.put("median", of, summary.map(|summary| summary.median), mean, &rows);
            sheet.put("min", of, summary.map(|summary| summary.min), value, &rows);
            sheet.put("max", of, summary.map(|summary| summary.max), value, &rows);
        }
        let changed = treated.of(place).filter(|member| standing.flag(CHANGED, member));
        let changed: Vec<usize> = changed.map(|member| member.row).collect();
        let (count, whole) = (changed.len(), treated.of(place).count());
        let all = sheet.row_sets.place("subjects", treated.rows(place), &["treated", CHANGED]);
        let counted = sheet.row_sets.place("subjects", changed, &["treated", CHANGED]);
        sheet.put("count", cell(arm, CHANGED), count, Format::Integer, &[counted]);
        sheet.put("percent", cell(arm, CHANGED), percent(count, whole), Format::Percent(1), &[counted, all]);
    }
    let level = |id: &str| Level {
        id: id.to_owned(),
        label: subjects.column(id).map_or_else(|| id.to_owned(), |column| column.label.clone()),
    };
    let head = Head {
        id: "exposure",
        label: "Exposure",
        method: "Descriptive statistics",
        set: "Took at least one dose",
        groups: &treated.groups,
        levels: VARIABLES.into_iter().chain([CHANGED]).map(level).collect(),
    };
    standing.result(head, sheet)
}
