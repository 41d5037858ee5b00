//! A table as a file holds it, before anything is asked of it.
//!
//! Every reader gives this one form. Dates are texts in it, as ISO 8601 writes them;
//! text that says nothing is missing. What a column must hold is decided by
//! [`conform`](crate::conform()), not here.

/// One cell.
#[derive(Clone, Debug, PartialEq)]
pub enum RawCell {
    /// Nothing.
    Missing,
    /// Text, or a date as ISO 8601 writes it.
    Text(String),
    /// A number.
    Number(f64),
    /// Yes or no.
    Flag(bool),
}

/// One column.
#[derive(Clone, Debug, PartialEq)]
pub struct RawColumn {
    /// Its name, as the file writes it.
    pub name: String,
    /// Its label, where the format has labels.
    pub label: String,
    /// Its cells, one a row.
    pub cells: Vec<RawCell>,
}

/// A table of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct RawTable {
    /// The file's name, for messages.
    pub file: String,
    /// The table's label, where the format has one.
    pub label: String,
    /// Its columns in order.
    pub columns: Vec<RawColumn>,
    /// Its number of rows.
    pub rows: usize,
    /// Whether the format tells numbers from text. CSV doesn't.
    pub typed: bool,
}

impl RawTable {
    /// Returns a column by name.
    pub fn column(&self, name: &str) -> Option<&RawColumn> {
        self.columns.iter().find(|column| column.name == name)
    }
}

impl RawCell {
    /// Makes a cell of text; text of spaces alone is missing.
    pub(crate) fn of_text(text: &str) -> Self {
        if text.trim().is_empty() { RawCell::Missing } else { RawCell::Text(text.to_owned()) }
    }
}
