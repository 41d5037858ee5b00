//! CSV as RFC 4180 has it, with a header. An empty cell is missing; what else may be depends on the column's kind.

use ::csv::{ByteRecord, ReaderBuilder};

use crate::{DataError, Encoding, RawCell, RawColumn, RawTable};

pub(super) fn read(file: &str, bytes: &[u8], encoding: Encoding) -> Result<RawTable, DataError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if let Some(line) = open_quote(bytes) {
        let what = format!("the quoted text that begins on line {line} does not end");
        return Err(DataError::Truncated { file: file.to_owned(), what });
    }
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
    let mut record = ByteRecord::new();
    let mut next = |record: &mut ByteRecord| {
        reader.read_byte_record(record).map_err(|error| DataError::NotOfFormat {
            file: file.to_owned(),
            format: "CSV file",
            why: error.to_string(),
        })
    };
    if !next(&mut record)? {
        let why = "it has no header".to_owned();
        return Err(DataError::NotOfFormat { file: file.to_owned(), format: "CSV file", why });
    }
    let bad_text = |row: usize, column: &str| DataError::Encoding {
        file: file.to_owned(),
        row,
        column: column.to_owned(),
        encoding: encoding.name(),
    };
    let mut columns = Vec::new();
    for (place, name) in record.iter().enumerate() {
        let name = encoding.decode(name).ok_or_else(|| bad_text(0, &(place + 1).to_string()))?;
        let name = name.trim().to_owned();
        columns.push(RawColumn { name, label: String::new(), cells: Vec::new() });
    }
    let mut rows = 0;
    while next(&mut record)? {
        rows += 1;
        if record.len() != columns.len() {
            let (found, expected) = (record.len(), columns.len());
            return Err(DataError::RowWidth { file: file.to_owned(), row: rows, found, expected });
        }
        for (column, cell) in columns.iter_mut().zip(&record) {
            let text = encoding.decode(cell).ok_or_else(|| bad_text(rows, &column.name))?;
            column.cells.push(RawCell::of_text(&text));
        }
    }
    Ok(RawTable { file: file.to_owned(), label: String::new(), columns, rows, typed: false })
}

/// The line on which a quoted field begins that does not end; a reader would take the rest of the file for it.
fn open_quote(bytes: &[u8]) -> Option<usize> {
    let (mut open, mut line, mut began) = (false, 1, 1);
    for byte in bytes {
        match byte {
            b'"' => {
                open = !open;
                began = line;
            }
            b'\n' => line += 1,
            _ => {}
        }
    }
    open.then_some(began)
}
