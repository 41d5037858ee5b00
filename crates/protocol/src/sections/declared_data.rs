//! `[data.…]` of a plan over data sets from elsewhere: their keys, columns, kinds and levels.
//!
//! What is declared here is what files are held against when the plan is run, and what
//! names in the plan are resolved against before that.

use std::collections::BTreeMap;

use crate::{
    desk::{Desk, Section},
    expression::{Codes, Type, Unit},
    model::*,
    shape::{Field, Keys, Kind, Shape, may, must},
    source::Place,
    tree::Node,
};

words! { COLUMN_KINDS, column_kind -> ColumnKind {
    "text" => ColumnKind::Text,
    "integer" => ColumnKind::Integer,
    "number" => ColumnKind::Number,
    "flag" => ColumnKind::Flag,
    "date" => ColumnKind::Date,
} }

const COLUMN: &[Field] = &[
    must("kind", Shape::Word(COLUMN_KINDS), "What its cells hold."),
    may("label", Shape::Label, "What people call it; without one, what the file says."),
    may("unit", Shape::Text, "Its unit, if any."),
    may("decimals", Shape::Integer { min: 0, max: 12 }, "Decimals of its values, as they are printed."),
    may(
        "levels",
        Shape::Map(Keys::Free, &Shape::Label),
        "Its levels in order with their labels; a file with any other is refused.",
    ),
    may("control", Shape::Text, "The level that others are compared with."),
];

pub(crate) const DATA: &[Field] = &[
    may("label", Shape::Label, "What a row is; without one, what the file says."),
    may("participants", Shape::Flag, "true: one row a participant, from which populations are chosen."),
    must("subject", Shape::Text, "The column that identifies participants in all data sets."),
    must("keys", Shape::List(&Shape::Text), "The columns that together tell rows apart."),
    must("columns", Shape::Map(Keys::Free, &Shape::Table(COLUMN)), "The columns that the plan uses."),
];

/// Reads the declared data sets and makes the names of their columns known to the desk.
pub(crate) fn read(desk: &mut Desk<'_>, root: &Section<'_>) -> Vec<DeclaredData> {
    let mut sets = Vec::new();
    for entry in root.named("data") {
        let set = read_set(desk, &entry);
        let types: BTreeMap<String, Type> =
            set.columns.iter().map(|column| (column.name.clone(), type_of(column))).collect();
        if set.participants {
            desk.subject_variables.extend(types.clone());
        }
        desk.rows.insert(set.name.clone(), types);
        sets.push(set);
    }
    let participants: Vec<&DeclaredData> = sets.iter().filter(|set| set.participants).collect();
    if participants.len() != 1 && !sets.is_empty() {
        let place = root.section("data").map_or_else(|| root.place(), |data| data.place());
        let message = match participants.as_slice() {
            [] => "no data set has one row a participant".to_owned(),
            several => {
                let names: Vec<&str> = several.iter().map(|set| set.name.as_str()).collect();
                format!("{} all say that they have one row a participant", names.join(" and "))
            }
        };
        let help = "write `participants = true` in one, from which populations are chosen".to_owned();
        desk.error("missing-key", &place, message, Some(help));
    }
    // A row of another data set is seen together with its participant's.
    let of_participants = desk.subject_variables.clone();
    for types in desk.rows.values_mut() {
        for (name, kind) in &of_participants {
            types.entry(name.clone()).or_insert_with(|| kind.clone());
        }
    }
    sets
}

fn read_set(desk: &mut Desk<'_>, entry: &Section<'_>) -> DeclaredData {
    let columns: Vec<DeclaredColumn> =
        entry.named("columns").map(|column| read_column(desk, &column)).collect();
    let known: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
    let subject = entry.owned("subject");
    if !subject.is_empty() {
        desk.refer_among(Kind::Variable, &subject, &entry.place_of("subject"), &known);
    }
    for node in entry.get("keys").map_or(&[][..], Node::elements) {
        if let Some(key) = node.text() {
            desk.refer_among(Kind::Variable, key, &Place::new(entry.file, node.text_span()), &known);
        }
    }
    if subject != SUBJECT && known.iter().any(|name| name == SUBJECT) {
        let help = "leave it out, or name it as the column that identifies participants".to_owned();
        let message = format!("`{SUBJECT}` is what the column that identifies participants is called here");
        desk.error("duplicate", &entry.place(), message, Some(help));
    }
    let participants = entry.flag("participants").unwrap_or(false);
    let keys: Vec<String> = entry.texts("keys").into_iter().map(str::to_owned).collect();
    if participants && keys.iter().any(|key| *key != subject) {
        let help = format!("write `keys = [\"{subject}\"]`");
        let message = "one row a participant is told apart by the participant alone";
        desk.error("type", &entry.place_of("keys"), message, Some(help));
    }
    DeclaredData {
        name: entry.name().to_owned(),
        label: desk.label(entry.get("label")),
        participants,
        subject,
        keys,
        columns,
    }
}

/// The name under which every data set keeps the participant's identifier.
const SUBJECT: &str = "subject";

fn read_column(desk: &mut Desk<'_>, entry: &Section<'_>) -> DeclaredColumn {
    let name = entry.name();
    let fits = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !fits {
        let help = "rename it in the file: letters, digits and `_`, not beginning with a digit".to_owned();
        desk.error(
            "bad-name",
            &entry.place(),
            format!("expressions can't name a column `{name}`"),
            Some(help),
        );
    }
    let kind = entry.text("kind").and_then(column_kind).unwrap_or(ColumnKind::Text);
    let levels: Vec<(String, Label)> =
        entry.named("levels").map(|level| (level.name().to_owned(), desk.label(Some(level.node)))).collect();
    if !levels.is_empty() && !matches!(kind, ColumnKind::Text | ColumnKind::Integer) {
        let help = "levels are of texts and whole numbers".to_owned();
        desk.error("type", &entry.place_of("levels"), format!("`{name}` can't have levels"), Some(help));
    }
    if kind == ColumnKind::Integer {
        for level in entry.named("levels").filter(|level| level.name().parse::<i64>().is_err()) {
            let message = format!("`{name}` holds whole numbers, and `{}` is none", level.name());
            desk.error("type", &level.place(), message, None);
        }
    }
    if let Some(control) = entry.text("control") {
        let known: Vec<String> = levels.iter().map(|(code, _)| code.clone()).collect();
        desk.refer_among(Kind::Code, control, &entry.place_of("control"), &known);
    }
    DeclaredColumn {
        name: name.to_owned(),
        label: desk.label(entry.get("label")),
        kind,
        unit: entry.text("unit").map(str::to_owned),
        decimals: entry.whole("decimals").unwrap_or(0),
        levels,
        control: entry.text("control").map(str::to_owned),
    }
}

fn type_of(column: &DeclaredColumn) -> Type {
    let codes = || Codes {
        kind: Kind::Code,
        list: column.name.clone(),
        among: (!column.levels.is_empty())
            .then(|| column.levels.iter().map(|(code, _)| code.clone()).collect::<Vec<_>>().into()),
    };
    match column.kind {
        ColumnKind::Text => Type::Code(codes()),
        ColumnKind::Integer | ColumnKind::Number => Type::Number(Unit::Any),
        ColumnKind::Flag => Type::Flag,
        ColumnKind::Date => Type::Date,
    }
}
