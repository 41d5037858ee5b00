//! Apache Parquet, flat tables, through the reader of the Arrow project.

use std::panic::{AssertUnwindSafe, catch_unwind};

use ::bytes::Bytes;
use ::parquet::{
    basic::{LogicalType, TimeUnit},
    errors::ParquetError,
    file::reader::{FileReader, SerializedFileReader},
    record::Field,
};

use crate::{DataError, RawCell, RawColumn, RawTable};

const FORMAT: &str = "Parquet file";
const MAGIC: &[u8] = b"PAR1";

pub(super) fn read(file: &str, bytes: &[u8]) -> Result<RawTable, DataError> {
    if !bytes.starts_with(MAGIC) {
        let why = "it does not begin with PAR1".to_owned();
        return Err(DataError::NotOfFormat { file: file.to_owned(), format: FORMAT, why });
    }
    if bytes.len() < 12 || !bytes.ends_with(MAGIC) {
        let what = "it does not end with PAR1".to_owned();
        return Err(DataError::Truncated { file: file.to_owned(), what });
    }
    // The library checks less than it should of what a damaged file says of itself.
    catch_unwind(AssertUnwindSafe(|| read_whole(file, bytes))).unwrap_or_else(|_| {
        let why = "it contradicts itself".to_owned();
        Err(DataError::NotOfFormat { file: file.to_owned(), format: FORMAT, why })
    })
}

fn read_whole(file: &str, bytes: &[u8]) -> Result<RawTable, DataError> {
    let refused = |error: ParquetError| DataError::NotOfFormat {
        file: file.to_owned(),
        format: FORMAT,
        why: error.to_string(),
    };
    let reader = SerializedFileReader::new(Bytes::copy_from_slice(bytes)).map_err(refused)?;
    let schema = reader.metadata().file_metadata().schema_descr_ptr();
    let (mut columns, mut nanoseconds) = (Vec::new(), Vec::new());
    for field in schema.root_schema().get_fields() {
        if field.is_group() {
            let why = format!("column {} holds tables of its own; write flat columns", field.name());
            return Err(DataError::NotOfFormat { file: file.to_owned(), format: FORMAT, why });
        }
        // The library hands nanoseconds on as whole numbers.
        nanoseconds.push(match field.get_basic_info().logical_type_ref() {
            Some(LogicalType::Timestamp(of)) if of.unit == TimeUnit::NANOS => true,
            Some(LogicalType::Time(of)) if of.unit == TimeUnit::NANOS => {
                let why = format!("column {} holds times of day; write them as text", field.name());
                return Err(DataError::NotOfFormat { file: file.to_owned(), format: FORMAT, why });
            }
            _ => false,
        });
        columns.push(RawColumn { name: field.name().to_owned(), label: String::new(), cells: Vec::new() });
    }
    let mut rows = 0;
    for row in reader.get_row_iter(None).map_err(refused)? {
        let row = row.map_err(refused)?;
        rows += 1;
        if row.len() != columns.len() {
            let (found, expected) = (row.len(), columns.len());
            return Err(DataError::RowWidth { file: file.to_owned(), row: rows, found, expected });
        }
        let fields = row.get_column_iter().map(|(_, field)| field);
        for ((column, nanoseconds), field) in columns.iter_mut().zip(&nanoseconds).zip(fields) {
            let moment = match field {
                Field::Long(count) if *nanoseconds => Some(Field::TimestampMicros(count.div_euclid(1_000))),
                _ => None,
            };
            let cell = cell(moment.as_ref().unwrap_or(field)).ok_or_else(|| DataError::WrongType {
                file: file.to_owned(),
                row: rows,
                column: column.name.clone(),
                found: format!("`{field}`"),
                wanted: "text, a number, a date, or true or false",
            })?;
            column.cells.push(cell);
        }
    }
    let said = reader.metadata().file_metadata().num_rows();
    if i64::try_from(rows) != Ok(said) {
        return Err(DataError::RowCount { file: file.to_owned(), said: said.unsigned_abs(), found: rows });
    }
    Ok(RawTable { file: file.to_owned(), label: String::new(), columns, rows, typed: true })
}

fn cell(field: &Field) -> Option<RawCell> {
    let day = |days: i64| {
        let date = jiff::civil::date(1970, 1, 1).checked_add(jiff::Span::new().try_days(days).ok()?).ok()?;
        Some(RawCell::Text(date.to_string()))
    };
    Some(match field {
        Field::Null => RawCell::Missing,
        Field::Bool(flag) => RawCell::Flag(*flag),
        Field::Byte(number) => RawCell::Number(f64::from(*number)),
        Field::Short(number) => RawCell::Number(f64::from(*number)),
        Field::Int(number) => RawCell::Number(f64::from(*number)),
        Field::Long(number) => RawCell::Number(*number as f64),
        Field::UByte(number) => RawCell::Number(f64::from(*number)),
        Field::UShort(number) => RawCell::Number(f64::from(*number)),
        Field::UInt(number) => RawCell::Number(f64::from(*number)),
        Field::ULong(number) => RawCell::Number(*number as f64),
        Field::Float(number) => finite(f64::from(*number)),
        Field::Double(number) => finite(*number),
        // A decimal's digits, so that the nearest double is found once.
        Field::Decimal(_) => RawCell::Number(field.to_string().parse().ok()?),
        Field::Str(text) => RawCell::of_text(text),
        Field::Date(days) => day(i64::from(*days))?,
        Field::TimestampMillis(milliseconds) => day(milliseconds.div_euclid(86_400_000))?,
        Field::TimestampMicros(microseconds) => day(microseconds.div_euclid(86_400_000_000))?,
        _ => return None,
    })
}

/// Programs that have no missing number write NaN.
fn finite(number: f64) -> RawCell {
    if number.is_nan() { RawCell::Missing } else { RawCell::Number(number) }
}
