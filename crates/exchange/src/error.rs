//! Why a file can't be used. Each error names the file, where in it, and what to do.

/// Why a file can't be read as the data set that a plan describes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DataError {
    /// The name's ending is of no known format.
    #[error("{file}: no format goes by this ending; name it .csv, .json, .ndjson, .dsjc, .xpt or .parquet")]
    UnknownFormat {
        /// The file.
        file: String,
    },
    /// A format that this program was built without.
    #[error(
        "{file}: this program was built without {format}; write the data set as Dataset-JSON, XPT or CSV"
    )]
    NotBuiltIn {
        /// The file.
        file: String,
        /// The format.
        format: &'static str,
    },
    /// The bytes are not of the format that the ending says.
    #[error("{file}: this is no {format}: {why}")]
    NotOfFormat {
        /// The file.
        file: String,
        /// The format.
        format: &'static str,
        /// What is wrong.
        why: String,
    },
    /// The file ends too early.
    #[error("{file}: the file is cut short: {what}; get it again from where it came from")]
    Truncated {
        /// The file.
        file: String,
        /// What is missing.
        what: String,
    },
    /// Text that is not in the encoding that was said.
    #[error(
        "{file}, row {row}, column {column}: the text is not {encoding}; name another with --encoding (utf-8, windows-1252, latin-1)"
    )]
    Encoding {
        /// The file.
        file: String,
        /// The row, from 1; 0 is the header.
        row: usize,
        /// The column.
        column: String,
        /// The encoding.
        encoding: &'static str,
    },
    /// A row with more or fewer cells than there are columns.
    #[error("{file}, row {row}: {found} cells where there are {expected} columns; mend the row")]
    RowWidth {
        /// The file.
        file: String,
        /// The row, from 1.
        row: usize,
        /// Cells found.
        found: usize,
        /// Columns.
        expected: usize,
    },
    /// Another number of rows than the file says it has.
    #[error(
        "{file}: the file says that it has {said} rows and has {found}; get it again from where it came from"
    )]
    RowCount {
        /// The file.
        file: String,
        /// What it says.
        said: u64,
        /// What it has.
        found: usize,
    },
    /// Two columns of one name.
    #[error("{file}: two columns are called `{column}`; rename one")]
    DuplicateColumn {
        /// The file.
        file: String,
        /// The name.
        column: String,
    },
    /// Columns that the plan needs.
    #[error("{file}: there is no column {}; {help}", listed(.columns))]
    MissingColumns {
        /// The file.
        file: String,
        /// Their names.
        columns: Vec<String>,
        /// What to do.
        help: String,
    },
    /// A cell of another kind than the plan says.
    #[error(
        "{file}, row {row}, column {column}: {found} is not {wanted}; mend the value, or the column's kind in the plan"
    )]
    WrongType {
        /// The file.
        file: String,
        /// The row, from 1.
        row: usize,
        /// The column.
        column: String,
        /// What stands there.
        found: String,
        /// What the plan wants.
        wanted: &'static str,
    },
    /// A key column without a value.
    #[error("{file}, row {row}, column {column}: a key must have a value")]
    MissingKey {
        /// The file.
        file: String,
        /// The row, from 1.
        row: usize,
        /// The column.
        column: String,
    },
    /// Two rows with the same key.
    #[error(
        "{file}: rows {first} and {second} have the same key ({key}); leave one out, or add a column to `keys`"
    )]
    DuplicateKey {
        /// The file.
        file: String,
        /// The row that came first, from 1.
        first: usize,
        /// The other.
        second: usize,
        /// The key: columns and values.
        key: String,
    },
}

fn listed(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// A number of findings of one kind, and how many more there are.
pub(crate) const FINDINGS_MAX: usize = 10;
