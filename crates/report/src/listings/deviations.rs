//! Deviations from the protocol, listed as the data set has them.

use datasets::{Cell, Column, Data, Dataset};

use super::rows::is_short;
use crate::{
    context::Context,
    document::{self, Align, Inline, Row, Table, text, text_columns},
    tables::participant,
    trace::{cell_text, row_anchor},
};

/// Lists every deviation by its id, which leads to the data row and its events. Columns in which nothing
/// stands are left out, and so are the only arm, and the site, which a participant's number begins with.
pub(crate) fn deviations(context: &Context<'_>, id: &str) -> Table {
    let set = &context.data.deviations;
    let known: &[&str] = match context.study.arms.len() {
        1 => &["subject", "site", "deviation", "arm"],
        _ => &["subject", "site", "deviation"],
    };
    let says = |column: &&Column| {
        !known.contains(&column.name.as_str())
            && (0..set.rows()).any(|row| column.data.cell(row) != Cell::Missing)
    };
    let columns: Vec<&Column> = set.columns.iter().filter(says).collect();
    let heads = columns.iter().map(|column| {
        let short = || (0..set.rows()).all(|row| is_short(&labelled(context, column, set, row)));
        let align = if matches!(column.data, Data::Date(_)) || short() { Align::Word } else { Align::Text };
        document::Column { head: column.label.clone(), align }
    });
    let rows = (0..set.rows()).map(|row| {
        let subject = set.cell("subject", row).text().map(|subject| vec![participant(context, subject)]);
        let name = set.cell("deviation", row).text().map_or_else(|| (row + 1).to_string(), str::to_owned);
        let head = Inline::Link { target: row_anchor(&set.name, row), text: name };
        let cells = columns.iter().map(|column| text(labelled(context, column, set, row)));
        Row {
            head: vec![head],
            ..Row::new("", std::iter::once(subject.unwrap_or_default()).chain(cells).collect())
        }
    });
    let nothing = (set.rows() == 0).then(|| text("No deviation was recorded."));
    Table {
        id: id.to_owned(),
        caption: context.caption("Deviations from the protocol"),
        columns: text_columns(["Deviation", "Participant"]).into_iter().chain(heads).collect(),
        rows: rows.collect(),
        notes: nothing.into_iter().collect(),
        ..Table::default()
    }
}

/// A cell as people read it: labels for codes, and in running words for visits and forms too.
fn labelled(context: &Context<'_>, column: &Column, set: &Dataset, row: usize) -> String {
    let text = cell_text(set, &column.name, row);
    if column.name != "text" {
        return column.level_label(&text).to_owned();
    }
    let form = |word: &str| context.study.form(word).map(|form| context.label(&form.title).to_lowercase());
    let visit =
        |word: &str| context.study.visit(word).map(|visit| context.label(&visit.label).to_lowercase());
    let mut words: Vec<String> = Vec::new();
    for word in text.split(' ') {
        let named = words.last().is_some_and(|before| ["form", "visit", "of"].contains(&before.as_str()));
        let known = if named { form(word).or_else(|| visit(word)) } else { None };
        // Its label says what it is.
        if known.is_some() && words.last().is_some_and(|before| before != "of") {
            words.pop();
        }
        words.push(known.unwrap_or_else(|| word.to_owned()));
    }
    words.join(" ")
}
