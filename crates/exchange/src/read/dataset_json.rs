//! CDISC Dataset-JSON 1.1: one JSON document, or a line of metadata and a line a row; plain or compressed.
//!
//! The specification has the compressed form (`.dsjc`) as a bare zlib stream of the
//! second form, and the published examples are gzip; both are read.

use std::io::Read;

use flate2::read::{GzDecoder, ZlibDecoder};
use serde::Deserialize;
use serde_json::Value;

use crate::{DataError, RawCell, RawColumn, RawTable};

const FORMAT: &str = "Dataset-JSON file";

/// No data set of a trial is larger; what unpacks to more is an attack or a mistake.
const UNPACKED_MAX: u64 = 2 << 30;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    #[serde(rename = "datasetJSONVersion")]
    version: String,
    records: u64,
    #[serde(default)]
    label: String,
    columns: Vec<ColumnMetadata>,
    rows: Option<Vec<Vec<Value>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ColumnMetadata {
    name: String,
    #[serde(default)]
    label: String,
    data_type: String,
}

/// What a column's cells must be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Number,
    Flag,
}

pub(super) fn read_compressed(file: &str, bytes: &[u8]) -> Result<RawTable, DataError> {
    let mut unpacked = Vec::new();
    let outcome = match bytes {
        [0x1f, 0x8b, ..] => GzDecoder::new(bytes).take(UNPACKED_MAX + 1).read_to_end(&mut unpacked),
        _ => ZlibDecoder::new(bytes).take(UNPACKED_MAX + 1).read_to_end(&mut unpacked),
    };
    match outcome {
        Ok(_) if unpacked.len() as u64 > UNPACKED_MAX => {
            let why = "it unpacks to more than 2 GiB".to_owned();
            Err(DataError::NotOfFormat { file: file.to_owned(), format: FORMAT, why })
        }
        Ok(_) => read(file, &unpacked),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Err(DataError::Truncated {
            file: file.to_owned(),
            what: "the compressed stream does not end".into(),
        }),
        Err(error) => {
            let why = format!("it is neither zlib nor gzip ({error})");
            Err(DataError::NotOfFormat { file: file.to_owned(), format: FORMAT, why })
        }
    }
}

pub(super) fn read(file: &str, bytes: &[u8]) -> Result<RawTable, DataError> {
    let refused = |why: String| DataError::NotOfFormat { file: file.to_owned(), format: FORMAT, why };
    let text = std::str::from_utf8(bytes).map_err(|_| refused("it is not UTF-8".into()))?;
    let text = text.trim_start_matches('\u{feff}');
    // The first JSON value is the whole document, or the metadata before the rows.
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Metadata>();
    let metadata = match values.next() {
        Some(Ok(metadata)) => metadata,
        Some(Err(error)) if error.is_eof() => {
            return Err(DataError::Truncated { file: file.to_owned(), what: "the JSON does not end".into() });
        }
        Some(Err(error)) => return Err(refused(error.to_string())),
        None => {
            return Err(DataError::Truncated {
                file: file.to_owned(),
                what: "there is nothing in it".into(),
            });
        }
    };
    if !metadata.version.starts_with("1.1") {
        return Err(refused(format!("its version is {}, and 1.1 is read", metadata.version)));
    }
    let rest = &text[values.byte_offset()..];
    let mut sink = Sink::new(file, &metadata)?;
    match metadata.rows {
        Some(rows) => {
            if !rest.trim().is_empty() {
                return Err(refused("something follows the document".into()));
            }
            for row in rows {
                sink.push(row)?;
            }
        }
        None => {
            for row in serde_json::Deserializer::from_str(rest).into_iter::<Vec<Value>>() {
                match row {
                    Ok(row) => sink.push(row)?,
                    Err(error) if error.is_eof() => {
                        let what = format!("row {} does not end", sink.rows + 1);
                        return Err(DataError::Truncated { file: file.to_owned(), what });
                    }
                    Err(error) => return Err(refused(format!("row {}: {error}", sink.rows + 1))),
                }
            }
        }
    }
    sink.finish(metadata.records, metadata.label)
}

struct Sink<'a> {
    file: &'a str,
    kinds: Vec<Kind>,
    columns: Vec<RawColumn>,
    rows: usize,
}

impl<'a> Sink<'a> {
    fn new(file: &'a str, metadata: &Metadata) -> Result<Self, DataError> {
        let (mut kinds, mut columns) = (Vec::new(), Vec::new());
        for column in &metadata.columns {
            kinds.push(match column.data_type.as_str() {
                "string" | "datetime" | "date" | "time" | "URI" => Kind::Text,
                "integer" | "decimal" | "float" | "double" => Kind::Number,
                "boolean" => Kind::Flag,
                other => {
                    let why =
                        format!("column {} has the data type `{other}`, which 1.1 has not", column.name);
                    return Err(DataError::NotOfFormat { file: file.to_owned(), format: FORMAT, why });
                }
            });
            let (name, label) = (column.name.clone(), column.label.clone());
            columns.push(RawColumn { name, label, cells: Vec::new() });
        }
        Ok(Self { file, kinds, columns, rows: 0 })
    }

    fn push(&mut self, row: Vec<Value>) -> Result<(), DataError> {
        self.rows += 1;
        if row.len() != self.columns.len() {
            let (found, expected) = (row.len(), self.columns.len());
            return Err(DataError::RowWidth { file: self.file.to_owned(), row: self.rows, found, expected });
        }
        for ((column, kind), value) in self.columns.iter_mut().zip(&self.kinds).zip(row) {
            let cell = match (kind, &value) {
                (_, Value::Null) => RawCell::Missing,
                (Kind::Text, Value::String(text)) => RawCell::of_text(text),
                (Kind::Number, Value::Number(number)) => {
                    number.as_f64().map_or(RawCell::Missing, RawCell::Number)
                }
                // Decimals are written as text, so that no digit is lost on the way.
                (Kind::Number, Value::String(text)) if text.trim().is_empty() => RawCell::Missing,
                (Kind::Number, Value::String(text)) => match text.trim().parse::<f64>() {
                    Ok(number) if number.is_finite() => RawCell::Number(number),
                    _ => return Err(wrong(self.file, self.rows, &column.name, &value, "a number")),
                },
                (Kind::Flag, Value::Bool(flag)) => RawCell::Flag(*flag),
                (Kind::Text, _) => return Err(wrong(self.file, self.rows, &column.name, &value, "text")),
                (Kind::Number, _) => {
                    return Err(wrong(self.file, self.rows, &column.name, &value, "a number"));
                }
                (Kind::Flag, _) => {
                    return Err(wrong(self.file, self.rows, &column.name, &value, "true or false"));
                }
            };
            column.cells.push(cell);
        }
        Ok(())
    }

    fn finish(self, said: u64, label: String) -> Result<RawTable, DataError> {
        if said != self.rows as u64 {
            return Err(DataError::RowCount { file: self.file.to_owned(), said, found: self.rows });
        }
        Ok(RawTable {
            file: self.file.to_owned(),
            label,
            columns: self.columns,
            rows: self.rows,
            typed: true,
        })
    }
}

fn wrong(file: &str, row: usize, column: &str, value: &Value, wanted: &'static str) -> DataError {
    let found: String = value.to_string().chars().take(60).collect();
    DataError::WrongType {
        file: file.to_owned(),
        row,
        column: column.to_owned(),
        found: format!("`{found}`"),
        wanted,
    }
}
