//! Deviations by kind and class, and breaks of the blind.

use datasets::Dataset;

use super::{Head, Standing, put_count};
use crate::{
    AnalysisResult, Format, Level,
    events::{Occurrence, Occurrences, participants, rows},
    sheet::{Of, RowSets, Sheet, cell, group},
};

pub(super) fn deviations(standing: &Standing<'_>, row_sets: &mut RowSets) -> AnalysisResult {
    let id = "deviations-by-kind".into();
    let mut sheet = Sheet::new(&id, row_sets);
    let entered = standing.with_flag("enrolled");
    let set = &standing.data.deviations;
    let found = Occurrences::choose(standing.data, set, "kind", &entered, None);
    let kinds = found.terms();
    for (place, arm) in entered.cuts() {
        put_kind(&mut sheet, group(arm), set, &found.of(place, |_| true));
        for kind in &kinds {
            put_kind(&mut sheet, cell(arm, kind), set, &found.of(place, |one| one.term == *kind));
        }
    }
    let column = set.column("kind");
    let label = |id: &str| column.map_or(id, |column| column.level_label(id)).to_owned();
    let head = Head {
        id: "deviations-by-kind",
        label: "Deviations by kind",
        method: "Counts of deviations and of participants with at least one",
        set: "All who entered",
        groups: &entered.groups,
        levels: kinds.iter().map(|id| Level { id: id.clone(), label: label(id) }).collect(),
    };
    standing.result(head, sheet)
}

fn put_kind(sheet: &mut Sheet<'_>, of: Of<'_>, set: &Dataset, own: &[&Occurrence]) {
    let all = sheet.row_sets.place("deviations", rows(own), &["kind"]);
    sheet.put("deviations", of, own.len(), Format::Integer, &[all]);
    sheet.put("participants", of, participants(own), Format::Integer, &[all]);
    for class in ["major", "minor"] {
        let of_class = |one: &&&Occurrence| set.cell("class", one.row).text() == Some(class);
        let chosen: Vec<&Occurrence> = own.iter().filter(of_class).copied().collect();
        let place = sheet.row_sets.place("deviations", rows(&chosen), &["kind", "class"]);
        sheet.put(class, of, chosen.len(), Format::Integer, &[place]);
    }
}

pub(super) fn blinding(standing: &Standing<'_>, row_sets: &mut RowSets) -> AnalysisResult {
    let id = "blinding".into();
    let mut sheet = Sheet::new(&id, row_sets);
    let entered = standing.with_flag("enrolled");
    for (place, arm) in entered.cuts() {
        let all = sheet.row_sets.place("subjects", entered.rows(place), &["enrolled"]);
        sheet.put("denominator", group(arm), entered.of(place).count(), Format::Integer, &[all]);
        let broken = entered.of(place).filter(|member| standing.flag("blind_broken", member));
        put_count(&mut sheet, "broken", group(arm), &["blind_broken"], broken.map(|member| member.row));
    }
    let head = Head {
        id: "blinding",
        label: "Blinding",
        method: "Participants whose blind was broken before the list was opened",
        set: "All who entered",
        groups: &entered.groups,
        levels: Vec::new(),
    };
    standing.result(head, sheet)
}
