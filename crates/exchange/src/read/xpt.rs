//! SAS transport files, versions 5 and 8.
//!
//! Everything stands in records of 80 bytes. Headers say the version and the number of
//! columns; a descriptor of 140 bytes says each column's type, width, name, label and
//! format; then rows follow back to back, filled up with spaces to a full record.
//! Numbers are IBM hexadecimal floating point, of which up to seven low bytes may be left
//! off. Layout: SAS Institute, "The Record Layout of a Data Set in SAS Transport (XPORT)
//! Format", versions 5/6 (TS-140) and 8/9.

use crate::{DataError, Encoding, RawCell, RawColumn, RawTable};

const FORMAT: &str = "SAS transport file";
const RECORD: usize = 80;
const DESCRIPTOR: usize = 140;
/// Descriptors of a machine that SAS no longer runs on.
const SHORT_DESCRIPTOR: usize = 136;
/// Days from 1960-01-01, where SAS counts from, to 1970-01-01.
const EPOCH_DAYS: i64 = 3653;
const SECONDS_A_DAY: f64 = 86_400.0;

pub(super) fn read(file: &str, bytes: &[u8], encoding: Encoding) -> Result<RawTable, DataError> {
    Reader { file, bytes, at: 0, encoding }.table()
}

struct Reader<'a> {
    file: &'a str,
    bytes: &'a [u8],
    at: usize,
    encoding: Encoding,
}

/// The version that a file's first header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    Five,
    Eight,
}

/// What a column's descriptor says.
struct Variable {
    name: String,
    label: String,
    numeric: bool,
    width: usize,
    position: usize,
    format: String,
}

/// What a number of a column means.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Meaning {
    Number,
    Date,
    DateTime,
}

impl<'a> Reader<'a> {
    fn table(mut self) -> Result<RawTable, DataError> {
        let version = self.library()?;
        let (descriptor, label) = self.member(version)?;
        let (count, variables) = self.variables(version, descriptor)?;
        let variables = self.labels(version, variables, count)?;
        let rows_said = self.observations(version)?;
        self.rows(variables, rows_said, label)
    }

    fn refused(&self, why: impl Into<String>) -> DataError {
        DataError::NotOfFormat { file: self.file.to_owned(), format: FORMAT, why: why.into() }
    }

    fn take(&mut self, length: usize, what: &str) -> Result<&'a [u8], DataError> {
        let end = self.at.checked_add(length).filter(|end| *end <= self.bytes.len());
        let Some(end) = end else {
            return Err(DataError::Truncated {
                file: self.file.to_owned(),
                what: format!("it ends within {what}"),
            });
        };
        let part = &self.bytes[self.at..end];
        self.at = end;
        Ok(part)
    }

    /// Reads a header record of a name and returns its numbers' text.
    fn header(&mut self, names: &[&str]) -> Result<(usize, &'a [u8]), DataError> {
        let what = format!("the {} header", names[0]);
        let record = self.take(RECORD, &what)?;
        let found = names.iter().position(|name| {
            record.starts_with(format!("HEADER RECORD*******{name:<8}HEADER RECORD!!!!!!!").as_bytes())
        });
        match found {
            Some(place) => Ok((place, &record[48..])),
            None => Err(self.refused(format!("{what} is missing at byte {}", self.at - RECORD))),
        }
    }

    fn library(&mut self) -> Result<Version, DataError> {
        let (place, _) = self.header(&["LIBRARY", "LIBV8"])?;
        self.take(2 * RECORD, "the library's description")?;
        Ok(if place == 0 { Version::Five } else { Version::Eight })
    }

    /// Returns the length of descriptors and the table's label.
    fn member(&mut self, version: Version) -> Result<(usize, String), DataError> {
        let (_, numbers) = self.header(&[if version == Version::Five { "MEMBER" } else { "MEMBV8" }])?;
        let length = number(&numbers[26..30]);
        self.header(&[if version == Version::Five { "DSCRPTR" } else { "DSCPTV8" }])?;
        self.take(RECORD, "the data set's description")?;
        let second = self.take(RECORD, "the data set's description")?;
        match length {
            Some(length @ (DESCRIPTOR | SHORT_DESCRIPTOR)) => Ok((length, self.text(&second[32..72])?)),
            _ => Err(self.refused("the length of its descriptors is neither 140 nor 136")),
        }
    }

    fn variables(
        &mut self,
        version: Version,
        descriptor: usize,
    ) -> Result<(usize, Vec<Variable>), DataError> {
        let (_, numbers) = self.header(&[if version == Version::Five { "NAMESTR" } else { "NAMSTV8" }])?;
        // Four digits after six zeros; version 8 as SAS documents it has six, and as others write it four.
        let mut said = vec![&numbers[6..10]];
        if version == Version::Eight {
            said.push(&numbers[6..12]);
        }
        let said: Vec<usize> = said.into_iter().filter_map(number).filter(|count| *count > 0).collect();
        let fits = |count: &&usize| {
            let end = count.checked_mul(descriptor).map(|length| self.at + length.div_ceil(RECORD) * RECORD);
            end.and_then(|end| self.bytes.get(end..)).is_some_and(|rest| rest.starts_with(b"HEADER RECORD"))
        };
        let count = said.iter().find(fits).or(said.first()).copied();
        let count = count.ok_or_else(|| self.refused("it does not say how many columns it has"))?;
        let start = self.at;
        let mut variables = Vec::new();
        for place in 0..count {
            let bytes = self.take(descriptor, &format!("the description of column {}", place + 1))?;
            variables.push(self.variable(version, bytes, place)?);
        }
        self.skip_to_record(start)?;
        Ok((count, variables))
    }

    fn variable(&self, version: Version, bytes: &[u8], place: usize) -> Result<Variable, DataError> {
        let short = |at: usize| usize::from(u16::from_be_bytes([bytes[at], bytes[at + 1]]));
        let numeric = match short(0) {
            1 => true,
            2 => false,
            other => return Err(self.refused(format!("column {} has the type {other}", place + 1))),
        };
        let long_name = if version == Version::Eight { self.text(&bytes[88..120])? } else { String::new() };
        let short_name = self.text(&bytes[8..16])?;
        let name = if long_name.is_empty() { short_name } else { long_name };
        let width = short(4);
        if name.is_empty() || width == 0 || (numeric && !(2..=8).contains(&width)) {
            return Err(self.refused(format!("column {} has no name or a width of {width}", place + 1)));
        }
        let position = u32::from_be_bytes([bytes[84], bytes[85], bytes[86], bytes[87]]) as usize;
        let (label, format) = (self.text(&bytes[16..56])?, self.text(&bytes[56..64])?);
        Ok(Variable { name, label, numeric, width, position, format: format.to_uppercase() })
    }

    /// Version 8 keeps labels of more than 40 bytes, and formats of more than 8, apart.
    fn labels(
        &mut self,
        version: Version,
        mut variables: Vec<Variable>,
        count: usize,
    ) -> Result<Vec<Variable>, DataError> {
        let start = format!("HEADER RECORD*******{:<8}HEADER RECORD!!!!!!!", "LABELV8");
        let ninth = format!("HEADER RECORD*******{:<8}HEADER RECORD!!!!!!!", "LABELV9");
        let rest = &self.bytes[self.at..];
        let with_formats = rest.starts_with(ninth.as_bytes());
        if version == Version::Five || !(with_formats || rest.starts_with(start.as_bytes())) {
            return Ok(variables);
        }
        let (_, numbers) = self.header(&["LABELV8", "LABELV9"])?;
        let entries = number(numbers[..12].trim_ascii()).unwrap_or(0);
        let start = self.at;
        for _ in 0..entries {
            let parts = if with_formats { 5 } else { 3 };
            let head = self.take(2 * parts, "a column's label")?;
            let short = |at: usize| usize::from(u16::from_be_bytes([head[2 * at], head[2 * at + 1]]));
            let place = short(0);
            if place == 0 || place > count {
                return Err(self.refused(format!("there is a label of column {place} of {count}")));
            }
            let name = self.take(short(1), "a column's name")?;
            let label = self.take(short(2), "a column's label")?;
            let (name, label) = (self.text(name)?, self.text(label)?);
            let variable = &mut variables[place - 1];
            variable.label = label;
            if !name.is_empty() {
                variable.name = name;
            }
            if with_formats {
                let format = self.take(short(3), "a column's format")?;
                variable.format = self.text(format)?.to_uppercase();
                self.take(short(4), "a column's informat")?;
            }
        }
        self.skip_to_record(start)?;
        Ok(variables)
    }

    /// Returns the number of rows, which version 8 may say; some writers leave a zero there.
    fn observations(&mut self, version: Version) -> Result<Option<usize>, DataError> {
        let (_, numbers) = self.header(&[if version == Version::Five { "OBS" } else { "OBSV8" }])?;
        let said = number(numbers[..15].trim_ascii());
        Ok(said.filter(|rows| version == Version::Eight && *rows > 0))
    }

    fn rows(
        &self,
        variables: Vec<Variable>,
        said: Option<usize>,
        label: String,
    ) -> Result<RawTable, DataError> {
        let length = variables.iter().map(|variable| variable.position + variable.width).max().unwrap_or(0);
        let total: usize = variables.iter().map(|variable| variable.width).sum();
        if length == 0 || length != total {
            return Err(self.refused("its columns overlap or leave gaps"));
        }
        let rest = &self.bytes[self.at..];
        let end = rest
            .chunks(RECORD)
            .position(|record| record.starts_with(b"HEADER RECORD*******MEM"))
            .map_or(rest.len(), |record| record * RECORD);
        if end < rest.len() {
            return Err(self.refused("it holds several data sets; export them one a file"));
        }
        let count = self.row_count(rest, length, said)?;
        let mut table = RawTable {
            file: self.file.to_owned(),
            label,
            columns: Vec::with_capacity(variables.len()),
            rows: count,
            typed: true,
        };
        for variable in variables {
            let mut cells = Vec::with_capacity(count);
            for row in 0..count {
                let from = row * length + variable.position;
                let bytes = &rest[from..from + variable.width];
                cells.push(self.cell(&variable, bytes, row)?);
            }
            let (name, label) = (variable.name, variable.label);
            table.columns.push(RawColumn { name, label, cells });
        }
        Ok(table)
    }

    /// Version 5 does not say how many rows there are: the file does, up to the spaces that fill its last record.
    fn row_count(&self, rest: &[u8], length: usize, said: Option<usize>) -> Result<usize, DataError> {
        if let Some(said) = said {
            if said.checked_mul(length).is_none_or(|bytes| bytes > rest.len()) {
                let what = format!("there are fewer than the {said} rows that it says it has");
                return Err(DataError::Truncated { file: self.file.to_owned(), what });
            }
            return Ok(said);
        }
        if rest.len() % RECORD != 0 {
            let what = "its last record has fewer than 80 bytes".to_owned();
            return Err(DataError::Truncated { file: self.file.to_owned(), what });
        }
        let mut count = rest.len() / length;
        let left = rest.len() - count * length;
        if left >= RECORD || rest[count * length..].iter().any(|byte| *byte != b' ') {
            let what = "its last row does not end".to_owned();
            return Err(DataError::Truncated { file: self.file.to_owned(), what });
        }
        // A row of spaces that lies in the last record is what fills it up.
        let start_of_last = rest.len().saturating_sub(RECORD);
        while count > 0
            && (count - 1) * length > start_of_last
            && rest[(count - 1) * length..].iter().all(|byte| *byte == b' ')
        {
            count -= 1;
        }
        Ok(count)
    }

    fn cell(&self, variable: &Variable, bytes: &[u8], row: usize) -> Result<RawCell, DataError> {
        if !variable.numeric {
            let text = self.encoding.decode(bytes).ok_or_else(|| DataError::Encoding {
                file: self.file.to_owned(),
                row: row + 1,
                column: variable.name.clone(),
                encoding: self.encoding.name(),
            })?;
            return Ok(RawCell::of_text(text.trim_end_matches([' ', '\0'])));
        }
        let Some(number) = ibm_number(bytes) else { return Ok(RawCell::Missing) };
        let day = match meaning(&variable.format) {
            Meaning::Number => return Ok(RawCell::Number(number)),
            Meaning::Date => number.floor(),
            Meaning::DateTime => (number / SECONDS_A_DAY).floor(),
        };
        let text = iso_date(day).ok_or_else(|| DataError::WrongType {
            file: self.file.to_owned(),
            row: row + 1,
            column: variable.name.clone(),
            found: format!("{number}"),
            wanted: "a day from the year 1582 to the year 9999",
        })?;
        Ok(RawCell::Text(text))
    }

    fn text(&self, bytes: &[u8]) -> Result<String, DataError> {
        let text = self.encoding.decode(bytes).ok_or_else(|| DataError::Encoding {
            file: self.file.to_owned(),
            row: 0,
            column: "(names and labels)".to_owned(),
            encoding: self.encoding.name(),
        })?;
        Ok(text.trim_matches([' ', '\0']).to_owned())
    }

    /// Descriptors and labels are filled up to a full record.
    fn skip_to_record(&mut self, start: usize) -> Result<(), DataError> {
        let odd = (self.at - start) % RECORD;
        if odd > 0 {
            self.take(RECORD - odd, "the descriptions of columns")?;
        }
        Ok(())
    }
}

fn number(digits: &[u8]) -> Option<usize> {
    std::str::from_utf8(digits).ok()?.trim().parse().ok()
}

/// What SAS formats make of a number.
fn meaning(format: &str) -> Meaning {
    const DATES: [&str; 9] =
        ["DATE", "YYMMDD", "MMDDYY", "DDMMYY", "E8601DA", "B8601DA", "IS8601DA", "WEEKDATE", "WORDDATE"];
    const DATE_TIMES: [&str; 4] = ["DATETIME", "E8601DT", "B8601DT", "IS8601DT"];
    if DATE_TIMES.iter().any(|name| format.starts_with(name)) {
        Meaning::DateTime
    } else if DATES.iter().any(|name| format.starts_with(name)) {
        Meaning::Date
    } else {
        Meaning::Number
    }
}

/// A number in IBM hexadecimal floating point; none for one of the 28 missing values.
///
/// A sign, seven bits of a power of 16 with an excess of 64, and a fraction of up to 56 bits.
/// The fraction is rounded once to a double, which can hold every magnitude there is.
fn ibm_number(bytes: &[u8]) -> Option<f64> {
    let mut whole = [0; 8];
    whole[..bytes.len()].copy_from_slice(bytes);
    let [first, rest @ ..] = whole;
    if rest.iter().all(|byte| *byte == 0) {
        let missing = matches!(first, b'.' | b'_' | b'A'..=b'Z');
        return if missing { None } else { Some(0.0) };
    }
    let fraction = u64::from_be_bytes(whole) & 0x00ff_ffff_ffff_ffff;
    let exponent = i32::from(first & 0x7f) - 64;
    let magnitude = fraction as f64 * 2f64.powi(4 * exponent - 56);
    Some(if first & 0x80 == 0 { magnitude } else { -magnitude })
}

/// The date of a day counted from 1960, as ISO 8601 writes it (days to a civil date, in the proleptic Gregorian calendar).
fn iso_date(day: f64) -> Option<String> {
    // 1582-01-01 and 9999-12-31, between which SAS keeps dates.
    if !(-138_061.0..=2_936_547.0).contains(&day) {
        return None;
    }
    let days = day as i64 - EPOCH_DAYS;
    let date = jiff::civil::date(1970, 1, 1).checked_add(jiff::Span::new().days(days)).ok()?;
    Some(date.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ibm_numbers_are_read() {
        for (bytes, number) in [
            ([0x41, 0x10, 0, 0, 0, 0, 0, 0], Some(1.0)),
            ([0xc2, 0x76, 0xa0, 0, 0, 0, 0, 0], Some(-118.625)),
            ([0x40, 0x19, 0x99, 0x99, 0x99, 0x99, 0x99, 0x9a], Some(0.1)),
            ([0; 8], Some(0.0)),
            ([b'.', 0, 0, 0, 0, 0, 0, 0], None),
            ([b'Z', 0, 0, 0, 0, 0, 0, 0], None),
        ] {
            assert_eq!(ibm_number(&bytes), number);
        }
        assert_eq!(ibm_number(&[0x41, 0x10, 0]), Some(1.0));
    }

    #[test]
    fn days_are_counted_from_1960() {
        assert_eq!(iso_date(0.0).as_deref(), Some("1960-01-01"));
        assert_eq!(iso_date(-1.0).as_deref(), Some("1959-12-31"));
        assert_eq!(iso_date(19_402.0).as_deref(), Some("2013-02-13"));
        assert_eq!(iso_date(1e9), None);
        assert_eq!(iso_date(f64::NAN), None);
    }
}
