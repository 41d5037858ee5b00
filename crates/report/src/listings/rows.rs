//! Rows of a data set, listed: serious events, withdrawals, dose changes, laboratory values.

use datasets::{Cell, Column, Data, Dataset};

use crate::{
    context::Context,
    document::{self, Align, Inline, Row, Table, text},
    trace::{cell_text, row_anchor},
    wording,
};

/// What a listing takes from a data set.
struct Listing<'a> {
    set: &'a Dataset,
    rows: Vec<usize>,
    /// Columns by name, in order, each with another head than its label where that is too long.
    columns: &'a [(&'a str, Option<&'a str>)],
    caption: &'a str,
    nothing: &'a str,
}

/// Serious adverse events, by participant and day.
pub(crate) fn serious_events(context: &Context<'_>, id: &str) -> Table {
    let set = &context.data.adverse_events;
    let rows = (0..set.rows()).filter(|row| set.cell("serious", *row).flag() == Some(true)).collect();
    let columns = [
        ("arm", None),
        ("term", None),
        ("start_day", Some("From study day")),
        ("stop_day", Some("To study day")),
        ("grade", None),
        ("relation", Some("Relation to the drug")),
        ("action", None),
        ("outcome", None),
    ];
    let caption = "Serious adverse events";
    let nothing = "No event was serious.";
    listed(context, id, &Listing { set, rows, columns: &columns, caption, nothing })
}

/// Who ended treatment or participation before its planned end, and why.
pub(crate) fn withdrawals(context: &Context<'_>, id: &str) -> Table {
    let set = &context.data.disposition;
    let early = |row: &usize| {
        let step = set.cell("step", *row).text();
        let entered = set.cell("subject", *row).text().is_some_and(|subject| entered(context, subject));
        matches!(step, Some("treatment_ended" | "ended"))
            && set.cell("reason", *row).text() != Some("completed")
            && entered
    };
    let rows = (0..set.rows()).filter(early).collect();
    let columns = [
        ("arm", None),
        ("step", Some("What ended")),
        ("reason", None),
        ("rule", None),
        ("date", None),
        ("day", None),
    ];
    let caption = "Treatment and participation that ended early";
    let nothing = "Everybody completed treatment and participation.";
    listed(context, id, &Listing { set, rows, columns: &columns, caption, nothing })
}

fn entered(context: &Context<'_>, subject: &str) -> bool {
    let set = &context.data.subjects;
    (0..set.rows()).any(|row| {
        set.cell("subject", row).text() == Some(subject) && set.cell("enrolled", row).flag() == Some(true)
    })
}

/// Steps of dosing but the first dose and a planned end.
pub(crate) fn dose_changes(context: &Context<'_>, id: &str) -> Table {
    let set = &context.data.dose_changes;
    let planned_end = |row: usize| {
        let subjects = &context.data.subjects;
        let subject = set.cell("subject", row).text();
        (0..subjects.rows()).any(|own| {
            subjects.cell("subject", own).text() == subject
                && subjects.cell("treatment_completed", own).flag() == Some(true)
        })
    };
    let is_change = |row: &usize| match set.cell("step", *row).text() {
        Some("started") | None => false,
        Some("stopped") => !planned_end(*row),
        Some(_) => true,
    };
    let rows = (0..set.rows()).filter(is_change).collect();
    let columns = [
        ("arm", None),
        ("step", None),
        ("day", Some("Study day")),
        ("before_mg", Some("Before")),
        ("dose_mg", Some("From then")),
        ("rule", None),
        ("term", None),
    ];
    let nothing = "No dose was changed.";
    listed(context, id, &Listing { set, rows, columns: &columns, caption: "Dose changes", nothing })
}

/// Treatments taken beside the study drug.
pub(crate) fn treatments(context: &Context<'_>, id: &str) -> Table {
    let set = &context.data.concomitant_treatments;
    let taken = |row: &usize| set.cell("taken_in_trial", *row).flag() == Some(true);
    let rows = (0..set.rows()).filter(taken).collect();
    let columns = [
        ("arm", None),
        ("treatment", None),
        ("class", Some("Class")),
        ("reason", None),
        ("start_day", Some("From study day")),
        ("stop_day", Some("To study day")),
        ("prohibited", Some("Prohibited")),
    ];
    let caption = "Treatments taken beside the study drug on or after the day of its first dose";
    let nothing = "No treatment was recorded.";
    listed(context, id, &Listing { set, rows, columns: &columns, caption, nothing })
}

/// Of each participant and test the lowest and the highest value after baseline, where it lies outside its range.
pub(crate) fn laboratory(context: &Context<'_>, id: &str) -> Table {
    let set = &context.data.laboratory;
    let flagged = |column: &str, row: usize| set.cell(column, row).flag() == Some(true);
    let outside = |row: &usize| match set.cell("indicator", *row).text() {
        Some("low") => flagged("lowest", *row),
        Some("high") => flagged("highest", *row),
        _ => false,
    };
    let rows = (0..set.rows()).filter(outside).collect();
    let columns = [
        ("arm", None),
        ("test", None),
        ("visit", None),
        ("day", Some("Study day")),
        ("value", None),
        ("unit", Some("Unit")),
        ("lower", Some("Lower limit")),
        ("upper", Some("Upper limit")),
        ("indicator", Some("Low or high")),
        ("grade_low", Some("Grade, low")),
        ("grade_high", Some("Grade, high")),
    ];
    let caption = "Laboratory values outside their range: each participant's lowest and highest of each test after baseline";
    let nothing = "No value after baseline lay outside its range.";
    listed(context, id, &Listing { set, rows, columns: &columns, caption, nothing })
}

/// What the safety board watched, in order: who came to count, what was reached, what the board decided and why.
pub(crate) fn watches(context: &Context<'_>, id: &str) -> Table {
    let set = &context.data.watches;
    let label = |row: usize| {
        let watch = set.cell("watch", row).text().unwrap_or_default();
        let known = context.study.watches.iter().find(|one| one.id == *watch);
        known.map_or_else(|| watch.to_owned(), |known| context.label(&known.label).to_owned())
    };
    let whole = |column: &str, row: usize| cell_text(set, column, row);
    let rows = (0..set.rows()).map(|row| {
        let level = |column: &str| match (set.column(column), set.cell(column, row).text()) {
            (Some(column), Some(code)) => column.level_label(code).to_owned(),
            _ => String::new(),
        };
        let look = whole("look", row);
        let step = if look.is_empty() { level("step") } else { format!("{}: {look}", level("step")) };
        let of = match (whole("count", row), whole("treated", row)) {
            (count, _) if count.is_empty() => String::new(),
            (count, treated) => format!("{count} of {treated}"),
        };
        let about = [whole("subject", row), whole("subjects", row), level("decision")];
        let about = about.into_iter().find(|words| !words.is_empty()).unwrap_or_default();
        let head = vec![Inline::Link { target: row_anchor(&set.name, row), text: whole("date", row) }];
        let cells = [step, of, whole("limit", row), about, whole("why", row), label(row)];
        Row { head, ..Row::new("", cells.into_iter().map(text).collect()) }
    });
    let column = |head: &str, align| document::Column { head: head.to_owned(), align };
    let mut table = Table {
        id: id.to_owned(),
        caption: context.caption("What the safety board watched and decided"),
        columns: vec![
            column("Date", Align::Word),
            column("What happened", Align::Text),
            column("Count of treated", Align::Word),
            column("Boundary", Align::Number),
            column("Participant, or decision", Align::Text),
            column("Reason", Align::Text),
            column("Watch", Align::Text),
        ],
        rows: rows.collect(),
        notes: vec![text("No count reached a boundary or a look, and nobody counted.")],
        ..Table::default()
    };
    if !table.rows.is_empty() {
        table.notes.clear();
    }
    table
}

/// Lists rows by participant, whose number leads to the data row and its events. The only arm is left out, and
/// so is a column in which nothing stands.
fn listed(context: &Context<'_>, id: &str, listing: &Listing<'_>) -> Table {
    let set = listing.set;
    let found = listing.columns.iter().filter_map(|(name, head)| Some((set.column(name)?, *head)));
    let says = |(column, _): &(&Column, Option<&str>)| {
        let stands = listing.rows.iter().any(|row| column.data.cell(*row) != Cell::Missing);
        stands && (column.name != "arm" || context.study.arms.len() > 1)
    };
    let columns: Vec<(&Column, Option<&str>)> = found.filter(says).collect();
    let head = |(column, head): &(&Column, Option<&str>)| {
        let align = match column.data {
            Data::Date(_) => Align::Word,
            Data::Number(_) | Data::Integer(_) => Align::Number,
            _ if listing.rows.iter().all(|row| is_short(&worded(context, column, set, *row))) => Align::Word,
            _ => Align::Text,
        };
        let name = head.unwrap_or(&column.label);
        let name = match column.unit.as_deref() {
            Some(unit) if unit != "d" => format!("{name} ({})", wording::unit(unit)),
            _ => name.to_owned(),
        };
        document::Column { head: name, align }
    };
    let first = document::Column { head: "Participant".to_owned(), align: Align::Word };
    let row = |row: usize| {
        let subject = set.cell("subject", row).text().unwrap_or_default().to_owned();
        let head = Inline::Link { target: row_anchor(&set.name, row), text: subject };
        let cells = columns.iter().map(|(column, _)| text(worded(context, column, set, row)));
        Row { head: vec![head], ..Row::new("", cells.collect()) }
    };
    Table {
        id: id.to_owned(),
        caption: context.caption(listing.caption),
        columns: std::iter::once(first).chain(columns.iter().map(head)).collect(),
        rows: listing.rows.iter().map(|one| row(*one)).collect(),
        notes: if listing.rows.is_empty() { vec![text(listing.nothing)] } else { Vec::new() },
        ..Table::default()
    }
}

/// Whether words are so few that a column of them need not break.
pub(super) fn is_short(words: &str) -> bool {
    words.chars().count() <= 12
}

/// A cell as people read it: labels for codes, the arm by its name, units as they are written.
fn worded(context: &Context<'_>, column: &Column, set: &Dataset, row: usize) -> String {
    let text = cell_text(set, &column.name, row);
    match column.name.as_str() {
        "arm" => context.arm_label(&text).unwrap_or(&text).to_owned(),
        "unit" => wording::unit(&text).to_owned(),
        "visit" => context.visit_label(&text).to_owned(),
        _ => column.level_label(&text).to_owned(),
    }
}
