//! One level a participant, of a variable or of a row from elsewhere.

use datasets::DataSets;
use statistics::{NotEstimable, proportions::Table};

use crate::{
    Format, Level,
    outcome::level_of,
    population::{Population, levels_of},
    sheet::{Sheet, cell, group, percent},
};

/// A participant's level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Category {
    pub(crate) group: Option<usize>,
    /// The row of the data set that holds the level.
    pub(crate) row: usize,
    /// The participant's row of the subject-level data set.
    pub(crate) subject_row: usize,
    pub(crate) level: Option<String>,
}

/// The levels of a population.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Categories {
    pub(crate) dataset: String,
    pub(crate) columns: Vec<String>,
    pub(crate) entries: Vec<Category>,
    /// All levels in order.
    pub(crate) levels: Vec<Level>,
}

impl Categories {
    /// Returns the levels of a variable of the subject-level data set.
    pub(crate) fn of_variable(data: &DataSets, population: &Population, variable: &str) -> Self {
        let entry = |member: &crate::population::Member| Category {
            group: member.group,
            row: member.row,
            subject_row: member.row,
            level: level_of(data, member, variable),
        };
        let mut columns = population.columns.clone();
        columns.push(variable.to_owned());
        Self {
            dataset: "subjects".to_owned(),
            columns,
            entries: population.members.iter().map(entry).collect(),
            levels: data.subjects.column(variable).map(levels_of).unwrap_or_default(),
        }
    }

    /// Returns the place of some rows among the sets of rows.
    fn place(&self, sheet: &mut Sheet<'_>, rows: Vec<usize>) -> usize {
        let columns: Vec<&str> = self.columns.iter().map(String::as_str).collect();
        sheet.row_sets.place(&self.dataset, rows, &columns)
    }

    /// Returns the place of all rows with a level, or all rows.
    pub(crate) fn all(&self, sheet: &mut Sheet<'_>) -> usize {
        self.place(sheet, self.entries.iter().map(|entry| entry.row).collect())
    }

    fn of(&self, group: Option<usize>) -> impl Iterator<Item = &Category> {
        self.entries.iter().filter(move |entry| group.is_none() || entry.group == group)
    }

    /// Counts levels in all and by group.
    ///
    /// Keys: `denominator` and `missing` (no level), and by level `count` and `percent`: of all in the group
    /// where `of_all`, of those with a level otherwise.
    pub(crate) fn count(&self, sheet: &mut Sheet<'_>, population: &Population, of_all: bool) {
        for (place, id) in population.cuts() {
            let rows = |keep: &dyn Fn(&Category) -> bool| -> Vec<usize> {
                self.of(place).filter(|entry| keep(entry)).map(|entry| entry.row).collect()
            };
            let known = rows(&|entry| of_all || entry.level.is_some());
            let missing = rows(&|entry| entry.level.is_none());
            let (whole, absent) = (known.len(), missing.len());
            let (known_rows, missing_rows) = (self.place(sheet, known), self.place(sheet, missing));
            sheet.put("denominator", group(id), whole, Format::Integer, &[known_rows]);
            sheet.put("missing", group(id), absent, Format::Integer, &[missing_rows]);
            for level in &self.levels {
                let own = rows(&|entry| entry.level.as_deref() == Some(level.id.as_str()));
                let count = own.len();
                let own_rows = self.place(sheet, own);
                let of = cell(id, &level.id);
                sheet.put("count", of, count, Format::Integer, &[own_rows]);
                sheet.put("percent", of, percent(count, whole), Format::Percent(1), &[own_rows, known_rows]);
            }
        }
    }

    /// Returns the table of groups (rows) by levels (columns) of the entries that `keep` lets through;
    /// levels that nobody has are left out.
    pub(crate) fn table(
        &self,
        population: &Population,
        levels: &[&Level],
        keep: impl Fn(&Category) -> bool,
    ) -> Result<Table, NotEstimable> {
        let mut rows = vec![vec![0; levels.len()]; population.groups.len()];
        for entry in self.entries.iter().filter(|entry| keep(entry)) {
            let level = levels.iter().position(|level| Some(&level.id) == entry.level.as_ref());
            if let (Some(group), Some(level)) = (entry.group, level) {
                rows[group][level] += 1;
            }
        }
        Table::from_rows(&rows)
    }

    /// Returns the levels that somebody has.
    pub(crate) fn occurring(&self) -> Vec<&Level> {
        let has = |level: &&Level| self.entries.iter().any(|entry| entry.level.as_ref() == Some(&level.id));
        self.levels.iter().filter(has).collect()
    }
}
