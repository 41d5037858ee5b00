//! Deviations from the protocol, listed as the data set has them.

use crate::{
    context::Context,
    document::{Inline, Row, Table, text, text_columns},
    tables::participant,
    trace::{cell_text, row_anchor},
};

/// Lists every deviation; its number leads to the data row and its events.
pub(crate) fn deviations(context: &Context<'_>, id: &str) -> Table {
    let set = &context.data.deviations;
    let columns: Vec<_> = set.columns.iter().filter(|column| column.name != "subject").collect();
    let heads = columns.iter().map(|column| column.label.clone());
    let rows = (0..set.rows()).map(|row| {
        let subject = set.cell("subject", row).text().map(|subject| vec![participant(context, subject)]);
        let number =
            Inline::Link { target: row_anchor(&set.name, row), text: format!("Deviation {}", row + 1) };
        let cells = columns.iter().map(|column| text(labelled(column, set, row)));
        Row {
            head: vec![number],
            ..Row::new("", std::iter::once(subject.unwrap_or_default()).chain(cells).collect())
        }
    });
    let nothing = (set.rows() == 0).then(|| text("No deviation was recorded."));
    Table {
        id: id.to_owned(),
        caption: context.caption("Deviations from the protocol"),
        columns: text_columns(["Deviation".to_owned(), "Participant".to_owned()].into_iter().chain(heads)),
        rows: rows.collect(),
        notes: nothing.into_iter().collect(),
        ..Table::default()
    }
}

fn labelled(column: &datasets::Column, set: &datasets::Dataset, row: usize) -> String {
    let text = cell_text(set, &column.name, row);
    column.level_label(&text).to_owned()
}
