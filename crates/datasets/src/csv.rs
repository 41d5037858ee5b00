//! Data sets as CSV files (RFC 4180) with a dictionary, written and read back.
//!
//! The same data set gives the same bytes: lines end in CR LF, numbers are the
//! shortest decimals that lead back to the same double, flags are `true` and
//! `false`, a missing cell is empty. Reading is for our own files: it knows a
//! column's kind from the dictionary, never by guessing.

use std::fmt::Write;

use crate::{Cell, Column, Data, Dataset};

/// Why a text is not a data set of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CsvError {
    /// A quoted field does not end.
    #[error("line {line}: a quoted field does not end")]
    OpenQuote {
        /// The line on which it begins, from 1.
        line: usize,
    },
    /// A record has another number of fields than the header.
    #[error("record {record} has {found} fields where the header has {expected}")]
    Fields {
        /// Its number, from 1 after the header.
        record: usize,
        /// Fields found.
        found: usize,
        /// Fields of the header.
        expected: usize,
    },
    /// The file has no header, or the dictionary no line for a column.
    #[error("the dictionary has no line for column `{column}` of `{dataset}`")]
    Undescribed {
        /// The data set.
        dataset: String,
        /// The column.
        column: String,
    },
    /// A cell is not of its column's kind.
    #[error("record {record}, column `{column}`: `{text}` is not {kind}")]
    Cell {
        /// Its number, from 1 after the header.
        record: usize,
        /// The column.
        column: String,
        /// What stands there.
        text: String,
        /// The kind, with its article.
        kind: &'static str,
    },
}

/// Name of the column that holds a row's events.
const SOURCES: &str = "source_events";

/// Writes a data set; the last column lists the events of the record behind each row.
pub fn write(set: &Dataset) -> String {
    let mut out = String::new();
    let head = set.columns.iter().map(|column| column.name.as_str()).chain([SOURCES]);
    record(&mut out, head);
    for row in 0..set.rows() {
        let cells = set.columns.iter().map(|column| text(column.data.cell(row)));
        let cells: Vec<String> = cells.chain([numbers(&set.sources_of(row, &names(set)))]).collect();
        record(&mut out, cells.iter().map(String::as_str));
    }
    out
}

/// Writes the dictionary of data sets: one record a column, its levels one a line as `code=label`.
pub fn write_dictionary<'a>(sets: impl IntoIterator<Item = &'a Dataset>) -> String {
    let mut out = String::new();
    record(
        &mut out,
        ["dataset", "dataset_label", "column", "label", "kind", "unit", "decimals", "levels"].into_iter(),
    );
    for set in sets {
        for column in &set.columns {
            let levels: Vec<String> = column
                .levels
                .iter()
                .map(|(code, label)| format!("{code}={}", label.replace(['\r', '\n'], " ")))
                .collect();
            let fields = [
                set.name.clone(),
                set.label.clone(),
                column.name.clone(),
                column.label.clone(),
                column.data.kind().to_owned(),
                column.unit.clone().unwrap_or_default(),
                column.decimals.to_string(),
                levels.join("\n"),
            ];
            record(&mut out, fields.iter().map(String::as_str));
        }
        let sources =
            [&set.name, &set.label, SOURCES, "Events of the record behind the row", "text", "", "0", ""];
        record(&mut out, sources.into_iter());
    }
    out
}

fn names(set: &Dataset) -> Vec<String> {
    set.columns.iter().map(|column| column.name.clone()).collect()
}

fn text(cell: Cell<'_>) -> String {
    match cell {
        Cell::Text(text) | Cell::Code(text) => text.to_owned(),
        Cell::Integer(whole) => whole.to_string(),
        Cell::Number(number) => number.to_string(),
        Cell::Flag(flag) => flag.to_string(),
        Cell::Date(date) => date.to_string(),
        Cell::Missing => String::new(),
    }
}

fn numbers(sequence: &[u64]) -> String {
    sequence.iter().map(u64::to_string).collect::<Vec<_>>().join(" ")
}

fn record<'a>(out: &mut String, fields: impl Iterator<Item = &'a str>) {
    for (place, field) in fields.enumerate() {
        if place > 0 {
            out.push(',');
        }
        if field.contains(['"', ',', '\r', '\n']) || field.starts_with(' ') || field.ends_with(' ') {
            write!(out, "\"{}\"", field.replace('"', "\"\"")).expect("writing to a string does not fail");
        } else {
            out.push_str(field);
        }
    }
    out.push_str("\r\n");
}

/// Reads a data set that [`write`] wrote, with its line of the dictionary.
///
/// Sources come back by row; sources of single cells are joined to their row's.
///
/// # Errors
/// The text is not CSV, or does not fit the dictionary.
pub fn read(name: &str, text: &str, dictionary: &str) -> Result<Dataset, CsvError> {
    let described: Vec<Vec<String>> = parse(dictionary)?
        .into_iter()
        .skip(1)
        .filter(|line| line.first().is_some_and(|set| set == name))
        .collect();
    let mut records = parse(text)?.into_iter();
    let undescribed =
        |column: &str| CsvError::Undescribed { dataset: name.to_owned(), column: column.to_owned() };
    let head = records.next().ok_or_else(|| undescribed(""))?;
    let records: Vec<Vec<String>> = records.collect();
    if let Some((place, bad)) = records.iter().enumerate().find(|(_, fields)| fields.len() != head.len()) {
        return Err(CsvError::Fields { record: place + 1, found: bad.len(), expected: head.len() });
    }
    let label = described.first().map_or_else(String::new, |line| line[1].clone());
    let mut set = Dataset::new(name, &label, vec![Vec::new(); records.len()]);
    for (place, column) in head.iter().enumerate() {
        let line = described.iter().find(|line| line[2] == *column).ok_or_else(|| undescribed(column))?;
        let cells: Vec<&str> = records.iter().map(|fields| fields[place].as_str()).collect();
        if column == SOURCES {
            for (row, cell) in cells.iter().enumerate() {
                set.sources[row] = cell.split(' ').filter_map(|number| number.parse().ok()).collect();
            }
        } else {
            set.push(read_column(line, &cells)?);
        }
    }
    Ok(set)
}

fn read_column(line: &[String], cells: &[&str]) -> Result<Column, CsvError> {
    let column = &line[2];
    let owned = |cell: &str| Ok(cell.to_owned());
    let data = match line[4].as_str() {
        "code" => Data::Code(each(column, cells, "a code", owned)?),
        "integer" => Data::Integer(each(column, cells, "a whole number", |cell| cell.parse().map_err(drop))?),
        "number" => Data::Number(each(column, cells, "a number", |cell| cell.parse().map_err(drop))?),
        "flag" => Data::Flag(each(column, cells, "true or false", |cell| cell.parse().map_err(drop))?),
        "date" => Data::Date(each(column, cells, "a date", |cell| cell.parse().map_err(drop))?),
        _ => Data::Text(each(column, cells, "text", owned)?),
    };
    let levels = line[7].split('\n').filter_map(|level| level.split_once('='));
    Ok(Column::new(column, &line[3], data)
        .with_unit(Some(line[5].as_str()).filter(|unit| !unit.is_empty()))
        .with_decimals(line[6].parse().unwrap_or(0))
        .with_levels(levels.map(|(code, label)| (code.to_owned(), label.to_owned())).collect()))
}

/// Reads each cell; an empty one is missing.
fn each<T>(
    column: &str,
    cells: &[&str],
    kind: &'static str,
    read: impl Fn(&str) -> Result<T, ()>,
) -> Result<Vec<Option<T>>, CsvError> {
    let cell = |(place, text): (usize, &&str)| match *text {
        "" => Ok(None),
        text => read(text).map(Some).map_err(|()| CsvError::Cell {
            record: place + 1,
            column: column.to_owned(),
            text: text.to_owned(),
            kind,
        }),
    };
    cells.iter().enumerate().map(cell).collect()
}

/// Splits a CSV text into records of fields.
fn parse(text: &str) -> Result<Vec<Vec<String>>, CsvError> {
    let (mut records, mut fields, mut field) = (Vec::new(), Vec::new(), String::new());
    let (mut quoted, mut line, mut opened) = (false, 1, 1);
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        line += usize::from(character == '\n');
        match (character, quoted) {
            ('"', true) if characters.peek() == Some(&'"') => {
                characters.next();
                field.push('"');
            }
            ('"', _) => {
                quoted = !quoted;
                opened = line;
            }
            (',', false) => fields.push(std::mem::take(&mut field)),
            ('\r', false) => {}
            ('\n', false) => {
                fields.push(std::mem::take(&mut field));
                records.push(std::mem::take(&mut fields));
            }
            (other, _) => field.push(other),
        }
    }
    if quoted {
        return Err(CsvError::OpenQuote { line: opened });
    }
    if !field.is_empty() || !fields.is_empty() {
        fields.push(field);
        records.push(fields);
    }
    Ok(records)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn awkward() -> Dataset {
        let mut set = Dataset::new("awkward", "One row a \"thing\", really", vec![vec![1, 2], vec![3]]);
        set.push(Column::new("name", "Name", Data::Text(vec![Some("a,\"b\"\r\nc".to_owned()), None])));
        set.push(
            Column::new("kind", "Kind", Data::Code(vec![Some("x".to_owned()), Some("y".to_owned())]))
                .with_levels(vec![
                    ("x".to_owned(), "An x; not a = y, b".to_owned()),
                    ("y".to_owned(), "A y".to_owned()),
                ]),
        );
        let third = Column::new("third", "A third", Data::Number(vec![Some(1.0 / 3.0), Some(-0.16)]));
        set.push(third.with_unit(Some("mm")).with_decimals(2));
        set.push(Column::new("count", "Count", Data::Integer(vec![None, Some(-3)])));
        set.push(Column::new("flag", "Flag", Data::Flag(vec![Some(true), Some(false)])));
        set.push(Column::new("day", "Day", Data::Date(vec![Some("2008-03".parse().unwrap()), None])));
        set
    }

    #[test]
    fn what_was_written_is_read_back_to_the_last_bit() {
        let set = awkward();
        let (text, dictionary) = (write(&set), write_dictionary([&set]));
        assert_eq!(read("awkward", &text, &dictionary).unwrap(), set);
    }

    #[test]
    fn a_field_with_commas_quotes_or_line_ends_is_quoted() {
        let text = write(&awkward());
        assert_eq!(
            text,
            "name,kind,third,count,flag,day,source_events\r\n\"a,\"\"b\"\"\r\nc\",x,0.3333333333333333,,true,2008-03,1 2\r\n\
             ,y,-0.16,-3,false,,3\r\n"
        );
    }

    #[test]
    fn faults_say_where_they_are() {
        let (set, dictionary) = (awkward(), write_dictionary([&awkward()]));
        let broken = write(&set).replace("-3", "three");
        let refused = read("awkward", &broken, &dictionary).unwrap_err();
        assert_eq!(refused.to_string(), "record 2, column `count`: `three` is not a whole number");
        assert_eq!(read("awkward", "name\r\n\"a", &dictionary), Err(CsvError::OpenQuote { line: 2 }));
        let short = CsvError::Fields { record: 1, found: 1, expected: 2 };
        assert_eq!(read("awkward", "name,kind\r\na\r\n", &dictionary), Err(short));
        let refused = read("awkward", "age\r\n1\r\n", &dictionary).unwrap_err();
        assert_eq!(refused.to_string(), "the dictionary has no line for column `age` of `awkward`");
    }
}
