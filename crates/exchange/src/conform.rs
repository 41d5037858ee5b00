//! From a file's table to the data set that a plan describes, or to all that keeps it from being one.

use std::collections::BTreeMap;

use datasets::{Column, Data, Dataset};
use protocol::model::{ColumnKind, DeclaredColumn, DeclaredData};
use terms::PartialDate;

use crate::{DataError, RawCell, RawColumn, RawTable, error::FINDINGS_MAX};

/// What programs write into CSV where there is no number or date: SAS a point, R `NA`.
const NOTHING: [&str; 2] = [".", "NA"];

/// Makes the data set that a plan describes.
///
/// Columns that the plan does not name are left out. A column `subject` is added beside the plan's own: the
/// participant's identifier, under the one name by which analyses know it.
///
/// # Errors
/// Columns that are missing; cells of another kind; keys without a value or that stand twice: the first of
/// each, so that a file can be mended in one go.
pub fn conform(table: &RawTable, declared: &DeclaredData) -> Result<Dataset, Vec<DataError>> {
    missing_columns(table, declared)?;
    let (mut columns, mut faults) = (Vec::new(), Vec::new());
    for wanted in &declared.columns {
        let Some(column) = table.column(&wanted.name) else { continue };
        match typed(table, column, wanted) {
            Ok(column) => columns.push(column),
            Err(found) => faults.extend(found),
        }
    }
    faults.extend(key_faults(table, declared));
    if !faults.is_empty() {
        return Err(faults);
    }
    let label = if declared.label.0.is_empty() { table.label.as_str() } else { declared.label.en() };
    let mut set = Dataset::new(&declared.name, label, vec![Vec::new(); table.rows]);
    if let Some(subject) = columns.iter().find(|column| column.name == declared.subject) {
        let texts = (0..table.rows).map(|row| subject.data.cell(row).level()).collect();
        if declared.subject != SUBJECT {
            set.push(Column::new(SUBJECT, "Participant", Data::Text(texts)));
        }
    }
    for column in columns {
        set.push(column);
    }
    Ok(set)
}

/// The name under which every data set keeps the participant's identifier.
const SUBJECT: &str = "subject";

fn missing_columns(table: &RawTable, declared: &DeclaredData) -> Result<(), Vec<DataError>> {
    let lacking = declared.columns.iter().filter(|wanted| table.column(&wanted.name).is_none());
    let columns: Vec<String> = lacking.map(|wanted| wanted.name.clone()).collect();
    let Some(first) = columns.first() else { return Ok(()) };
    let other_case = table.columns.iter().find(|column| column.name.eq_ignore_ascii_case(first));
    let help = match other_case {
        Some(column) => format!("it has `{}`; names are compared letter by letter", column.name),
        None => {
            let has: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
            format!("it has {}", has.join(", "))
        }
    };
    Err(vec![DataError::MissingColumns { file: table.file.clone(), columns, help }])
}

fn typed(table: &RawTable, column: &RawColumn, wanted: &DeclaredColumn) -> Result<Column, Vec<DataError>> {
    let cells = Cells { table, column, wanted };
    let data = match wanted.kind {
        ColumnKind::Text => Data::Code(cells.each("text", |cell, typed| match cell {
            RawCell::Text(text) => Ok(text.clone()),
            RawCell::Number(number) if !typed => Ok(number.to_string()),
            _ => Err(()),
        })?),
        ColumnKind::Integer => Data::Integer(cells.each("a whole number", |cell, typed| {
            let number = number(cell, typed)?;
            let whole = number as i64;
            if whole as f64 == number { Ok(whole) } else { Err(()) }
        })?),
        ColumnKind::Number => Data::Number(cells.each("a number", number)?),
        ColumnKind::Flag => Data::Flag(cells.each("true or false", |cell, typed| match cell {
            RawCell::Flag(flag) => Ok(*flag),
            RawCell::Text(text) if !typed => text.trim().to_ascii_lowercase().parse().map_err(drop),
            _ => Err(()),
        })?),
        ColumnKind::Date => Data::Date(cells.each("a date such as 2008-03-10", |cell, _| match cell {
            RawCell::Text(text) => {
                let day = text.trim().split('T').next().unwrap_or_default();
                day.parse::<PartialDate>().map_err(drop)
            }
            _ => Err(()),
        })?),
    };
    let label = if wanted.label.0.is_empty() { column.label.as_str() } else { wanted.label.en() };
    let label = if label.is_empty() { wanted.name.as_str() } else { label };
    let levels = wanted.levels.iter().map(|(code, label)| (code.clone(), label.en().to_owned()));
    Ok(Column::new(&wanted.name, label, data)
        .with_unit(wanted.unit.as_deref())
        .with_decimals(wanted.decimals)
        .with_levels(levels.collect()))
}

fn number(cell: &RawCell, typed: bool) -> Result<f64, ()> {
    match cell {
        RawCell::Number(number) if number.is_finite() => Ok(*number),
        RawCell::Text(text) if !typed => text
            .trim()
            .parse()
            .map_err(drop)
            .and_then(|number: f64| if number.is_finite() { Ok(number) } else { Err(()) }),
        _ => Err(()),
    }
}

struct Cells<'a> {
    table: &'a RawTable,
    column: &'a RawColumn,
    wanted: &'a DeclaredColumn,
}

impl Cells<'_> {
    fn each<T>(
        &self,
        noun: &'static str,
        read: impl Fn(&RawCell, bool) -> Result<T, ()>,
    ) -> Result<Vec<Option<T>>, Vec<DataError>> {
        let (mut cells, mut faults) = (Vec::with_capacity(self.table.rows), Vec::new());
        for (row, cell) in self.column.cells.iter().enumerate() {
            let nothing = match cell {
                RawCell::Missing => true,
                RawCell::Text(text) => {
                    !self.table.typed
                        && self.wanted.kind != ColumnKind::Text
                        && NOTHING.contains(&text.trim())
                }
                _ => false,
            };
            match read(cell, self.table.typed) {
                _ if nothing => cells.push(None),
                Ok(value) if self.allowed(cell) => cells.push(Some(value)),
                outcome => {
                    let found = match cell {
                        RawCell::Text(text) => format!("`{}`", text.chars().take(60).collect::<String>()),
                        RawCell::Number(number) => format!("`{number}`"),
                        RawCell::Flag(flag) => format!("`{flag}`"),
                        RawCell::Missing => "nothing".to_owned(),
                    };
                    faults.push(DataError::WrongType {
                        file: self.table.file.clone(),
                        row: row + 1,
                        column: self.column.name.clone(),
                        found,
                        wanted: if outcome.is_ok() { "one of the levels that the plan lists" } else { noun },
                    });
                    if faults.len() == FINDINGS_MAX {
                        break;
                    }
                }
            }
        }
        if faults.is_empty() { Ok(cells) } else { Err(faults) }
    }

    /// Whether a cell is one of the column's levels, where the plan lists them.
    fn allowed(&self, cell: &RawCell) -> bool {
        let listed = |level: &str| self.wanted.levels.iter().any(|(code, _)| code == level);
        self.wanted.levels.is_empty()
            || match cell {
                RawCell::Text(text) => listed(text) || listed(text.trim()),
                RawCell::Number(number) => listed(&number.to_string()),
                RawCell::Flag(_) | RawCell::Missing => true,
            }
    }
}

fn key_faults(table: &RawTable, declared: &DeclaredData) -> Vec<DataError> {
    let columns: Vec<&RawColumn> = declared.keys.iter().filter_map(|key| table.column(key)).collect();
    let (mut seen, mut faults) = (BTreeMap::new(), Vec::new());
    for row in 0..table.rows {
        if faults.len() == FINDINGS_MAX {
            break;
        }
        if let Some(column) = columns.iter().find(|column| column.cells[row] == RawCell::Missing) {
            let (file, column) = (table.file.clone(), column.name.clone());
            faults.push(DataError::MissingKey { file, row: row + 1, column });
            continue;
        }
        let text = |column: &&RawColumn| match &column.cells[row] {
            RawCell::Text(text) => text.clone(),
            RawCell::Number(number) => number.to_string(),
            RawCell::Flag(flag) => flag.to_string(),
            RawCell::Missing => String::new(),
        };
        let key: Vec<String> = columns.iter().map(text).collect();
        if let Some(first) = seen.get(&key) {
            let parts: Vec<String> =
                declared.keys.iter().zip(&key).map(|(name, value)| format!("{name} {value}")).collect();
            let (file, first) = (table.file.clone(), *first + 1);
            faults.push(DataError::DuplicateKey { file, first, second: row + 1, key: parts.join(", ") });
        } else if !key.is_empty() {
            seen.insert(key, row);
        }
    }
    faults
}
