//! The mean score of each skin site by planned visit.

use std::collections::BTreeMap;

use statistics::descriptive::mean;

use super::{Head, Standing};
use crate::{
    AnalysisResult, Format, Level,
    population::levels_of,
    sheet::{RowSets, Sheet, cell},
};

/// Columns of the data set that are no sites.
const OTHERS: [&str; 7] = ["subject", "site", "arm", "visit", "planned", "date", "day"];

/// Levels are visits; the key of a number is its site: `body-map/face[M6]`, with `n` beside it.
pub(super) fn body_map(standing: &Standing<'_>, row_sets: &mut RowSets) -> AnalysisResult {
    let id = "body-map".into();
    let mut sheet = Sheet::new(&id, row_sets);
    let entered = standing.with_flag("enrolled");
    let set = &standing.data.body_sites;
    let mut rows: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for row in (0..set.rows()).filter(|row| set.cell("planned", *row).flag() == Some(true)) {
        if let (Some(visit), Some(subject)) = (set.cell("visit", row).text(), set.cell("subject", row).text())
        {
            rows.insert((visit, subject), row);
        }
    }
    let sites: Vec<&str> =
        set.columns.iter().map(|column| column.name.as_str()).filter(|name| !OTHERS.contains(name)).collect();
    let mut levels = Vec::new();
    for visit in set.column("visit").map(levels_of).unwrap_or_default() {
        let scored = |place: Option<usize>| -> Vec<usize> {
            let row = |subject: &str| rows.get(&(visit.id.as_str(), subject)).copied();
            entered.of(place).filter_map(|member| row(member.subject.as_str())).collect()
        };
        if scored(None).is_empty() {
            continue;
        }
        for (place, arm) in entered.cuts() {
            let (own, of) = (scored(place), cell(arm, &visit.id));
            let all = [sheet.row_sets.place("body_sites", own.clone(), &[])];
            sheet.put("n", of, own.len(), Format::Integer, &all);
            for site in &sites {
                let known: Vec<usize> =
                    own.iter().copied().filter(|row| set.cell(site, *row).number().is_some()).collect();
                if known.is_empty() {
                    continue;
                }
                let scores: Vec<f64> = known.iter().filter_map(|row| set.cell(site, *row).number()).collect();
                let rows = [sheet.row_sets.place("body_sites", known, &[site])];
                sheet.put(site, of, mean(&scores), Format::Decimals(1), &rows);
            }
        }
        levels.push(Level { id: visit.id, label: visit.label });
    }
    let head = Head {
        id: "body-map",
        label: "Mean score of each skin site by visit",
        method: "Means of the observed scores of each site, 0 to 3",
        set: "All who entered",
        groups: &entered.groups,
        levels,
    };
    standing.result(head, sheet)
}
