//! From the bytes of a file to a table, one format a file.
//!
//! Readers trust nothing: every length is checked before it is used, so that a
//! truncated or altered file gives an error and never a panic or a wrong row.

mod csv;
mod dataset_json;
#[cfg(feature = "parquet")]
mod parquet;
mod xpt;

use crate::{DataError, Encoding, RawTable};

/// The endings that [`read`] knows, in the order in which a data set's file is looked for.
pub const ENDINGS: [&str; 6] = ["dsjc", "ndjson", "json", "xpt", "parquet", "csv"];

/// Reads a file by its name's ending.
///
/// `encoding` is that of CSV and XPT files; the others say theirs.
///
/// # Errors
/// The file is not what its ending says, is cut short, or contradicts itself.
pub fn read(file: &str, bytes: &[u8], encoding: Encoding) -> Result<RawTable, DataError> {
    let ending = file.rsplit_once('.').map_or("", |(_, ending)| ending).to_ascii_lowercase();
    let table = match ending.as_str() {
        "csv" => csv::read(file, bytes, encoding),
        "json" | "ndjson" => dataset_json::read(file, bytes),
        "dsjc" => dataset_json::read_compressed(file, bytes),
        "xpt" => xpt::read(file, bytes, encoding),
        #[cfg(feature = "parquet")]
        "parquet" => parquet::read(file, bytes),
        #[cfg(not(feature = "parquet"))]
        "parquet" => Err(DataError::NotBuiltIn { file: file.to_owned(), format: "Parquet" }),
        _ => Err(DataError::UnknownFormat { file: file.to_owned() }),
    }?;
    let mut names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
    names.sort_unstable();
    if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(DataError::DuplicateColumn { file: file.to_owned(), column: twice[0].to_owned() });
    }
    debug_assert!(table.columns.iter().all(|column| column.cells.len() == table.rows));
    Ok(table)
}
