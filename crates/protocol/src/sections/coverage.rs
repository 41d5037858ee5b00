//! `coverage.toml`: what the protocol says, statement by statement and cell by cell, and what of
//! the study answers to it.
//!
//! The grid stands here a second time on purpose: a mark that goes missing from
//! `schedule.toml`, or one that the protocol does not have, is an error.

use std::collections::BTreeSet;

use super::schedule::ScheduleParts;
use crate::{
    desk::{Desk, Section},
    model::{Coverage, ProtocolStatement},
    shape::{Field, Keys, Kind, Shape, may, must},
    source::Place,
    tree::Node,
};

/// The lists of a statement and what they name.
const REFERS: &[(&str, Kind)] = &[
    ("rules", Kind::Rule),
    ("doses", Kind::DoseRule),
    ("facts", Kind::Fact),
    ("estimands", Kind::Estimand),
    ("analyses", Kind::Analysis),
    ("sets", Kind::Set),
    ("parameters", Kind::Parameter),
    ("variables", Kind::Variable),
    ("deviations", Kind::Deviation),
    ("roles", Kind::Role),
    ("data_classes", Kind::DataClass),
    ("visits", Kind::Visit),
    ("activities", Kind::Activity),
    ("forms", Kind::Form),
    ("sites", Kind::Site),
    ("arms", Kind::Arm),
    ("laboratories", Kind::Laboratory),
    ("watches", Kind::Watch),
];

macro_rules! list_of {
    ($kind:ident) => {
        Shape::List(&Shape::Name(Kind::$kind))
    };
}

const STATEMENT: &[Field] = &[
    must("says", Shape::Label, "What the protocol says, in short."),
    may("rules", list_of!(Rule), "Eligibility rules that say it."),
    may("doses", list_of!(DoseRule), "Dose rules that say it."),
    may("facts", list_of!(Fact), "Facts that state it."),
    may("estimands", list_of!(Estimand), "Estimands and endpoints."),
    may("analyses", list_of!(Analysis), "Analyses that estimate it."),
    may("sets", list_of!(Set), "Analysis sets."),
    may("parameters", list_of!(Parameter), "Parameters."),
    may("variables", list_of!(Variable), "Variables of the plan."),
    may("deviations", list_of!(Deviation), "Rules of deviations."),
    may("roles", list_of!(Role), "Roles."),
    may("data_classes", list_of!(DataClass), "Data classes."),
    may("visits", list_of!(Visit), "Visits."),
    may("activities", list_of!(Activity), "Rows of the schedule."),
    may("forms", list_of!(Form), "Forms."),
    may("sites", list_of!(Site), "Sites."),
    may("arms", list_of!(Arm), "Arms."),
    may("laboratories", list_of!(Laboratory), "Laboratories."),
    may("watches", list_of!(Watch), "Stopping rules and looks that are watched."),
    may("lines", Shape::List(&Shape::Text), "Other lines of the study: `dosing.toml#levels_mg`."),
];

pub(crate) const FIELDS: &[Field] = &[
    may(
        "cells",
        Shape::Map(Keys::Name(Kind::Activity), &Shape::List(&Shape::Name(Kind::Visit))),
        "The protocol's grid: the visits, or series of visits, of each row.",
    ),
    may(
        "statements",
        Shape::Map(Keys::Free, &Shape::Table(STATEMENT)),
        "Statements of the protocol by id, and what of the study answers to them.",
    ),
];

/// Reads the file. `root_of` gives the tree of a file of the folder.
pub(crate) fn read<'t>(
    desk: &mut Desk<'_>,
    root: &Section<'_>,
    schedule: &ScheduleParts,
    root_of: impl Fn(&str) -> Option<&'t Node>,
) -> Coverage {
    let cells = read_cells(desk, root, schedule);
    let statements = root.named("statements").map(|entry| read_statement(desk, &entry, &root_of)).collect();
    Coverage { cells, statements }
}

fn read_cells(desk: &mut Desk<'_>, root: &Section<'_>, schedule: &ScheduleParts) -> Vec<(String, String)> {
    if root.get("cells").is_none() {
        return Vec::new();
    }
    let marked: BTreeSet<(String, String)> = schedule
        .cells
        .iter()
        .filter(|(_, place)| matches!(desk.sources[place.file].slice(place.start..place.end), "x" | "c"))
        .map(|(cell, _)| cell.clone())
        .collect();
    let mut wanted = Vec::new();
    for row in root.named("cells") {
        for node in row.node.elements() {
            let Some(visit) = node.text() else { continue };
            let cell = (row.name().to_owned(), visit.to_owned());
            if !marked.contains(&cell) && schedule.cells.contains_key(&cell) {
                let message =
                    format!("the protocol asks for `{}` at {visit}, and schedule.toml does not", cell.0);
                let help = "mark the cell, or take the visit out of the row here".to_owned();
                desk.error("coverage", &Place::new(row.file, node.text_span()), message, Some(help));
            }
            wanted.push(cell);
        }
    }
    for cell in marked.iter().filter(|cell| !wanted.contains(cell)) {
        let (activity, visit) = cell;
        let message = format!(
            "schedule.toml asks for `{activity}` at {visit}, and coverage.toml does not know the cell"
        );
        let help = format!("add \"{visit}\" to `cells.{activity}` of coverage.toml, or take the mark out");
        desk.error("coverage", &schedule.cells[cell], message, Some(help));
    }
    wanted
}

fn read_statement<'t>(
    desk: &mut Desk<'_>,
    entry: &Section<'_>,
    root_of: &impl Fn(&str) -> Option<&'t Node>,
) -> ProtocolStatement {
    let mut references = Vec::new();
    for (key, kind) in REFERS {
        references.extend(entry.texts(key).into_iter().map(|name| (*kind, name.to_owned())));
    }
    let mut lines = Vec::new();
    for node in entry.get("lines").map_or(&[][..], Node::elements) {
        let Some(line) = node.text() else { continue };
        let place = Place::new(entry.file, node.text_span());
        let found = line
            .split_once('#')
            .and_then(|(file, keys)| keys.split('.').try_fold(root_of(file)?, |node, key| node.get(key)));
        if found.is_none() && desk.left_out.is_empty() {
            let help =
                "write the file, `#`, and the keys that lead to the line: `dosing.toml#levels_mg`".to_owned();
            desk.error("unknown-name", &place, format!("the study has no line `{line}`"), Some(help));
        }
        lines.push(line.to_owned());
    }
    if references.is_empty() && lines.is_empty() {
        let message = format!("nothing of the study answers to `{}`", entry.name());
        let help = "name what does: `rules`, `facts`, `analyses`, `lines`, …".to_owned();
        desk.error("coverage", &entry.place(), message, Some(help));
    }
    ProtocolStatement { id: entry.name().to_owned(), says: desk.label(entry.get("says")), references, lines }
}
