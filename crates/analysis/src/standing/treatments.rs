//! Treatments taken beside the study drug: participants by name, and by each code that the form asks.

use super::{Head, Standing};
use crate::{
    AnalysisResult, Format, Level,
    events::{Occurrence, Occurrences},
    methods::{population_place, put_events},
    population::levels_of,
    sheet::{RowSets, Sheet, cell, group},
};

/// Columns of the data set that have levels but are no code of a treatment.
const IDENTITY: [&str; 2] = ["site", "arm"];

/// What a line of the table takes.
struct Line<'a> {
    level: Level,
    takes: Box<dyn Fn(&Occurrence) -> bool + 'a>,
}

/// Counts those treated who took each treatment on or after the day of their first dose.
///
/// Levels are `any`, `prohibited`, then `<column>:<code>` of each coded column, then `treatment:<name>`,
/// those with most participants first.
pub(super) fn treatments(standing: &Standing<'_>, row_sets: &mut RowSets) -> AnalysisResult {
    let id = "concomitant-treatments".into();
    let mut sheet = Sheet::new(&id, row_sets);
    let treated = standing.with_flag("treated");
    let set = &standing.data.concomitant_treatments;
    let mut taken = Occurrences::choose(standing.data, set, "treatment", &treated, None);
    taken.0.retain(|one| set.cell("taken_in_trial", one.row).flag() == Some(true));
    let mut lines = vec![
        Line {
            level: Level { id: "any".to_owned(), label: "Any treatment".to_owned() },
            takes: Box::new(|_| true),
        },
        Line {
            level: Level { id: "prohibited".to_owned(), label: "Prohibited by the protocol".to_owned() },
            takes: Box::new(|one| set.cell("prohibited", one.row).flag() == Some(true)),
        },
    ];
    for column in set.columns.iter().filter(|column| !IDENTITY.contains(&column.name.as_str())) {
        let is = |one: &Occurrence, code: &str| column.data.cell(one.row).text() == Some(code);
        let codes = if column.levels.is_empty() { Vec::new() } else { levels_of(column) };
        for level in codes.into_iter().filter(|level| taken.0.iter().any(|one| is(one, &level.id))) {
            let code = level.id.clone();
            let level = Level { id: format!("{}:{code}", column.name), label: level.label };
            lines.push(Line { level, takes: Box::new(move |one| is(one, &code)) });
        }
    }
    for name in taken.terms().into_iter().filter(|name| !name.is_empty()) {
        let level = Level { id: format!("treatment:{name}"), label: name.clone() };
        lines.push(Line { level, takes: Box::new(move |one| one.term == name) });
    }
    for (place, arm) in treated.cuts() {
        let whole = treated.of(place).count();
        let denominator = population_place(&mut sheet, &treated, place);
        sheet.put("denominator", group(arm), whole, Format::Integer, &[denominator]);
        for line in &lines {
            let own = taken.of(place, |one| (line.takes)(one));
            put_events(&mut sheet, cell(arm, &line.level.id), &set.name, &own, (whole, denominator));
        }
    }
    let head = Head {
        id: "concomitant-treatments",
        label: "Treatments beside the study drug",
        method: "Counts of treatments, and of participants with at least one, taken on or after the day of the first dose",
        set: "Took at least one dose",
        groups: &treated.groups,
        levels: lines.into_iter().map(|line| line.level).collect(),
    };
    standing.result(head, sheet)
}
