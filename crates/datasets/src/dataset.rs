//! A small columnar data set that knows where every row comes from.
//!
//! It holds what analyses need and no more: named columns of equal length, and
//! for each row, and each cell that comes from a single event, the events of the
//! record behind it. It deliberately has no joins, no row deletion and no
//! expressions evaluated over columns: a derivation is a function of its own.

use serde::{Deserialize, Serialize};
use terms::{Answer, Decimal, PartialDate, Value};

/// What a column holds, one cell a row; a missing value is none, never zero.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Data {
    /// Free text and identifiers.
    Text(Vec<Option<String>>),
    /// Codes, labelled by the column's levels.
    Code(Vec<Option<String>>),
    /// Whole numbers.
    Integer(Vec<Option<i64>>),
    /// Numbers: the doubles nearest to the decimals that were entered, or one rounded operation on them.
    Number(Vec<Option<f64>>),
    /// Yes or no.
    Flag(Vec<Option<bool>>),
    /// Dates, perhaps partly known.
    Date(Vec<Option<PartialDate>>),
}

/// One cell, borrowed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'a> {
    /// Text.
    Text(&'a str),
    /// A code.
    Code(&'a str),
    /// A whole number.
    Integer(i64),
    /// A number.
    Number(f64),
    /// Yes or no.
    Flag(bool),
    /// A date, perhaps partly known.
    Date(PartialDate),
    /// Nothing.
    Missing,
}

/// A column with its description.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Column {
    /// Its name, lower case.
    pub name: String,
    /// What it is, in English.
    pub label: String,
    /// Its unit, if any.
    pub unit: Option<String>,
    /// Decimals to print.
    pub decimals: u32,
    /// Codes in order with their English labels.
    pub levels: Vec<(String, String)>,
    /// Its cells.
    pub data: Data,
    /// For each row the events of the record behind its cell; empty where the row's own sources say it all.
    pub sources: Vec<Vec<u64>>,
}

/// A data set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dataset {
    /// Its name, which is its file's name too.
    pub name: String,
    /// What it is, in English, with what a row is.
    pub label: String,
    /// Its columns in order.
    pub columns: Vec<Column>,
    /// For each row the sequence numbers of the events of the record behind it, increasing.
    pub sources: Vec<Vec<u64>>,
}

impl Data {
    /// Returns the number of cells.
    pub fn len(&self) -> usize {
        match self {
            Data::Text(cells) | Data::Code(cells) => cells.len(),
            Data::Integer(cells) => cells.len(),
            Data::Number(cells) => cells.len(),
            Data::Flag(cells) => cells.len(),
            Data::Date(cells) => cells.len(),
        }
    }

    /// Says whether there is no cell.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns a cell.
    pub fn cell(&self, row: usize) -> Cell<'_> {
        match self {
            Data::Text(cells) => cells[row].as_deref().map_or(Cell::Missing, Cell::Text),
            Data::Code(cells) => cells[row].as_deref().map_or(Cell::Missing, Cell::Code),
            Data::Integer(cells) => cells[row].map_or(Cell::Missing, Cell::Integer),
            Data::Number(cells) => cells[row].map_or(Cell::Missing, Cell::Number),
            Data::Flag(cells) => cells[row].map_or(Cell::Missing, Cell::Flag),
            Data::Date(cells) => cells[row].map_or(Cell::Missing, Cell::Date),
        }
    }

    /// Returns the kind's name, as the dictionary writes it.
    pub fn kind(&self) -> &'static str {
        match self {
            Data::Text(_) => "text",
            Data::Code(_) => "code",
            Data::Integer(_) => "integer",
            Data::Number(_) => "number",
            Data::Flag(_) => "flag",
            Data::Date(_) => "date",
        }
    }
}

impl<'a> Cell<'a> {
    /// Returns the text or code.
    pub fn text(self) -> Option<&'a str> {
        match self {
            Cell::Text(text) | Cell::Code(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the number, whole or not.
    pub fn number(self) -> Option<f64> {
        match self {
            Cell::Integer(whole) => Some(whole as f64),
            Cell::Number(number) => Some(number),
            _ => None,
        }
    }

    /// Returns the yes or no.
    pub fn flag(self) -> Option<bool> {
        match self {
            Cell::Flag(flag) => Some(flag),
            _ => None,
        }
    }

    /// Returns the level the cell counts as: a code, a text, `yes` or `no`, or a whole number's digits.
    pub fn level(self) -> Option<String> {
        match self {
            Cell::Text(text) | Cell::Code(text) => Some(text.to_owned()),
            Cell::Flag(flag) => Some(if flag { "yes" } else { "no" }.to_owned()),
            Cell::Integer(whole) => Some(whole.to_string()),
            Cell::Number(_) | Cell::Date(_) | Cell::Missing => None,
        }
    }

    /// Returns the cell as an expression sees it.
    pub fn answer(self) -> Option<Answer> {
        let value = match self {
            Cell::Text(text) => Value::Text(text.to_owned()),
            Cell::Code(code) => Value::Code(code.to_owned()),
            Cell::Integer(whole) => Value::Integer(whole),
            // The shortest text of a double is a decimal that leads back to it.
            Cell::Number(number) => Value::Decimal(number.to_string().parse::<Decimal>().ok()?),
            Cell::Flag(flag) => Value::Boolean(flag),
            Cell::Date(date) => Value::Date(date),
            Cell::Missing => return None,
        };
        Some(Answer::Given(value))
    }
}

impl Column {
    /// Makes a column without unit, decimals, levels and sources.
    pub fn new(name: &str, label: &str, data: Data) -> Self {
        Self {
            name: name.to_owned(),
            label: label.to_owned(),
            unit: None,
            decimals: 0,
            levels: Vec::new(),
            data,
            sources: Vec::new(),
        }
    }

    /// Gives the column its unit.
    #[must_use]
    pub fn with_unit(mut self, unit: Option<&str>) -> Self {
        self.unit = unit.map(str::to_owned);
        self
    }

    /// Says how many decimals to print.
    #[must_use]
    pub fn with_decimals(mut self, decimals: u32) -> Self {
        self.decimals = decimals;
        self
    }

    /// Gives the codes' labels.
    #[must_use]
    pub fn with_levels(mut self, levels: Vec<(String, String)>) -> Self {
        self.levels = levels;
        self
    }

    /// Gives the events behind each cell.
    #[must_use]
    pub fn with_sources(mut self, sources: Vec<Vec<u64>>) -> Self {
        self.sources = sources;
        self
    }

    /// Returns the English label of a level, or the level itself.
    pub fn level_label<'a>(&'a self, level: &'a str) -> &'a str {
        self.levels.iter().find(|(code, _)| code == level).map_or(level, |(_, label)| label)
    }
}

impl Dataset {
    /// Makes a data set without columns over rows with these sources.
    pub fn new(name: &str, label: &str, sources: Vec<Vec<u64>>) -> Self {
        Self { name: name.to_owned(), label: label.to_owned(), columns: Vec::new(), sources }
    }

    /// Returns the number of rows.
    pub fn rows(&self) -> usize {
        self.sources.len()
    }

    /// Adds a column at the end.
    ///
    /// # Panics
    /// The column has another length than the data set, or its name is taken.
    pub fn push(&mut self, column: Column) {
        assert_eq!(column.data.len(), self.rows(), "column `{}` has a cell for each row", column.name);
        assert!(column.sources.is_empty() || column.sources.len() == self.rows(), "sources for each row");
        assert!(self.column(&column.name).is_none(), "column `{}` is new", column.name);
        self.columns.push(column);
    }

    /// Returns a column by name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Returns a cell; one of a column that does not exist is missing.
    pub fn cell(&self, name: &str, row: usize) -> Cell<'_> {
        self.column(name).map_or(Cell::Missing, |column| column.data.cell(row))
    }

    /// Returns the events behind a row, those behind the named cells included; increasing, each once.
    pub fn sources_of(&self, row: usize, columns: &[String]) -> Vec<u64> {
        let mut all = self.sources[row].clone();
        for column in columns.iter().filter_map(|name| self.column(name)) {
            all.extend(column.sources.get(row).into_iter().flatten());
        }
        all.sort_unstable();
        all.dedup();
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two_rows() -> Dataset {
        let mut set = Dataset::new("subjects", "Participants", vec![vec![4, 9], vec![5]]);
        set.push(
            Column::new("age", "Age", Data::Integer(vec![Some(40), None]))
                .with_sources(vec![vec![2, 9], vec![]]),
        );
        set
    }

    #[test]
    fn a_cell_of_an_absent_column_is_missing() {
        let set = two_rows();
        assert_eq!(set.cell("age", 0), Cell::Integer(40));
        assert_eq!(set.cell("age", 1), Cell::Missing);
        assert_eq!(set.cell("arm", 0), Cell::Missing);
    }

    #[test]
    fn sources_of_a_cell_join_those_of_its_row_in_order() {
        assert_eq!(two_rows().sources_of(0, &["age".to_owned()]), [2, 4, 9]);
        assert_eq!(two_rows().sources_of(0, &[]), [4, 9]);
    }

    #[test]
    #[should_panic(expected = "has a cell for each row")]
    fn a_column_of_another_length_is_a_defect() {
        two_rows().push(Column::new("sex", "Sex", Data::Code(vec![None])));
    }

    #[test]
    fn a_number_reaches_an_expression_as_its_shortest_decimal() {
        let Some(Answer::Given(Value::Decimal(number))) = Cell::Number(0.1).answer() else { panic!() };
        assert_eq!(number.to_string(), "0.1");
    }
}
