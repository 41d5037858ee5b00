//! Steps of dosing by kind, and what asked for them.

use super::{Head, Standing};
use crate::{
    AnalysisResult, Format, Level,
    events::{Occurrence, Occurrences},
    methods::{population_place, put_events},
    population::levels_of,
    sheet::{RowSets, Sheet, cell, group},
};

/// What a line of the table takes: steps, by the row in their data set.
struct Line<'a> {
    level: Level,
    takes: Box<dyn Fn(&Occurrence) -> bool + 'a>,
}

pub(super) fn dose_changes(standing: &Standing<'_>, row_sets: &mut RowSets) -> AnalysisResult {
    let id = "dose-changes".into();
    let mut sheet = Sheet::new(&id, row_sets);
    let treated = standing.with_flag("treated");
    let set = &standing.data.dose_changes;
    let mut steps = Occurrences::choose(standing.data, set, "step", &treated, None);
    // The first dose is no change, and neither is a planned end.
    steps.0.retain(|one| {
        let planned_end = || standing.flag("treatment_completed", &treated.members[one.member]);
        one.term != "started" && (one.term != "stopped" || !planned_end())
    });
    let text =
        |column: &'static str| move |one: &Occurrence| set.cell(column, one.row).text().map(str::to_owned);
    let mut lines = vec![Line {
        level: Level { id: "any".to_owned(), label: "Any change".to_owned() },
        takes: Box::new(|_| true),
    }];
    let label = |level: Level| match level.id.as_str() {
        "stopped" => Level { label: "Stopped early".to_owned(), ..level },
        _ => level,
    };
    let kinds = set.column("step").map(levels_of).unwrap_or_default();
    for kind in kinds.into_iter().filter(|kind| steps.0.iter().any(|one| one.term == kind.id)).map(label) {
        let step = kind.id.clone();
        lines.push(Line { level: kind, takes: Box::new(move |one| one.term == step) });
    }
    for (column, stem) in [("rule", "rule"), ("term", "term")] {
        let levels = set.column(column).map(levels_of).unwrap_or_default();
        let occurs = |level: &Level| steps.0.iter().any(|one| text(column)(one).as_ref() == Some(&level.id));
        for level in levels.into_iter().filter(occurs) {
            let code = level.id.clone();
            let level = Level { id: format!("{stem}:{}", level.id), label: level.label };
            lines.push(Line { level, takes: Box::new(move |one| text(column)(one).as_ref() == Some(&code)) });
        }
    }
    for (place, arm) in treated.cuts() {
        let whole = treated.of(place).count();
        let denominator = population_place(&mut sheet, &treated, place);
        sheet.put("denominator", group(arm), whole, Format::Integer, &[denominator]);
        for line in &lines {
            let own = steps.of(place, |one| (line.takes)(one));
            put_events(&mut sheet, cell(arm, &line.level.id), &set.name, &own, (whole, denominator));
        }
    }
    let head = Head {
        id: "dose-changes",
        label: "Dose changes",
        method: "Counts of steps and of participants with at least one; the first dose and a planned end are none",
        set: "Took at least one dose",
        groups: &treated.groups,
        levels: lines.into_iter().map(|line| line.level).collect(),
    };
    standing.result(head, sheet)
}
