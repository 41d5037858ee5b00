//! Rows of a data set from elsewhere: which of them are a participant's, and what each participant contributes.

use std::collections::BTreeMap;

use datasets::{DataSets, Dataset};
use protocol::{
    expression::Expression,
    model::{AnalysisPlan, Records},
};
use terms::{AnalysisId, ParameterId, Truth};

use crate::{
    PlanError,
    categories::{Categories, Category},
    events::{Occurrence, Occurrences},
    outcome::{Entry, Outcome, Outcomes, ungrouped},
    population::{Member, Population, levels_of},
    scope::Row,
};

/// The rows that an analysis looks at.
pub(crate) struct Chosen<'a> {
    pub(crate) set: &'a Dataset,
    /// Rows by participant's place in the population.
    rows: BTreeMap<usize, Vec<usize>>,
}

/// A participant with the time and whether an event ended it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct TimeEntry {
    pub(crate) group: Option<usize>,
    pub(crate) row: usize,
    pub(crate) subject_row: usize,
    pub(crate) time: f64,
    pub(crate) event: bool,
}

impl<'a> Chosen<'a> {
    /// Takes the rows of participants of the population for which the filter holds.
    pub(crate) fn rows(
        data: &'a DataSets,
        plan: &AnalysisPlan,
        population: &Population,
        records: &Records,
        analysis: &AnalysisId,
    ) -> Result<Self, PlanError> {
        let participants = plan.data.iter().any(|set| set.participants && set.name == records.data);
        let set = match participants {
            true => Some(&data.subjects),
            false => data.others.iter().find(|set| set.name == records.data),
        };
        let set = set
            .ok_or_else(|| PlanError::NoDataSet { analysis: analysis.clone(), data: records.data.clone() })?;
        let places: BTreeMap<&str, (usize, usize)> = population
            .members
            .iter()
            .enumerate()
            .map(|(place, member)| (member.subject.as_str(), (place, member.row)))
            .collect();
        let mut rows: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for row in 0..set.rows() {
            let own = set.cell("subject", row).text().and_then(|subject| places.get(subject));
            let Some((place, subject_row)) = own else { continue };
            let scope = Row { data, set, row, subject_row: Some(*subject_row) };
            if records.filter.as_ref().is_none_or(|filter| filter.truth(&scope) == Truth::True) {
                rows.entry(*place).or_default().push(row);
            }
        }
        Ok(Self { set, rows })
    }

    /// Returns all rows of the participant at a place of the population.
    pub(crate) fn of(&self, place: usize) -> &[usize] {
        self.rows.get(&place).map_or(&[][..], Vec::as_slice)
    }

    /// Returns each participant's one row; none where the participant has none.
    fn one_each<'p>(
        &self,
        population: &'p Population,
        analysis: &AnalysisId,
    ) -> Result<Vec<(&'p Member, Option<usize>)>, PlanError> {
        let mut found = Vec::new();
        for (place, member) in population.members.iter().enumerate() {
            match self.rows.get(&place).map_or(&[][..], Vec::as_slice) {
                [] => found.push((member, None)),
                [row] => found.push((member, Some(*row))),
                [first, second, ..] => {
                    return Err(PlanError::SeveralRows {
                        analysis: analysis.clone(),
                        data: self.set.name.clone(),
                        subject: member.subject.to_string(),
                        first: first + 1,
                        second: second + 1,
                    });
                }
            }
        }
        Ok(found)
    }

    /// Returns the value of a column of numbers, of one row a participant.
    pub(crate) fn outcomes(
        &self,
        data: &DataSets,
        population: &Population,
        column: &str,
        analysis: &AnalysisId,
    ) -> Result<Outcomes, PlanError> {
        let mut outcomes = Outcomes { entries: Vec::new(), excluded: ungrouped(population) };
        for (member, row) in self.one_each(population, analysis)? {
            let value = row.and_then(|row| cell(data, self.set, row, member.row, column).number());
            match (row, value) {
                (Some(row), Some(value)) => outcomes.entries.push(Entry {
                    group: member.group,
                    row,
                    subject_row: member.row,
                    outcome: Outcome::Value(value),
                }),
                (Some(_), None) => {
                    outcomes.excluded.push((member.subject.clone(), format!("no value of {column}")));
                }
                (None, _) => outcomes.excluded.push((member.subject.clone(), NO_ROW.to_owned())),
            }
        }
        Ok(outcomes)
    }

    /// Returns the level of a column, of one row a participant.
    pub(crate) fn categories(
        &self,
        data: &DataSets,
        population: &Population,
        column: &str,
        analysis: &AnalysisId,
    ) -> Result<Categories, PlanError> {
        let mut entries = Vec::new();
        for (member, row) in self.one_each(population, analysis)? {
            let Some(row) = row else { continue };
            let level = cell(data, self.set, row, member.row, column).level();
            entries.push(Category { group: member.group, row, subject_row: member.row, level });
        }
        let described = self.set.column(column).or_else(|| data.subjects.column(column));
        let levels = described.map(levels_of).unwrap_or_default();
        Ok(Categories { dataset: self.set.name.clone(), columns: vec![column.to_owned()], entries, levels })
    }

    /// Returns times to an event, of one row a participant, and who has none.
    pub(crate) fn times(
        &self,
        data: &DataSets,
        population: &Population,
        (time, event): (&str, &Expression),
        analysis: &AnalysisId,
    ) -> Result<(Vec<TimeEntry>, Vec<(terms::SubjectId, String)>), PlanError> {
        let (mut entries, mut excluded) = (Vec::new(), ungrouped(population));
        for (member, row) in self.one_each(population, analysis)? {
            let Some(row) = row else {
                excluded.push((member.subject.clone(), NO_ROW.to_owned()));
                continue;
            };
            let value = cell(data, self.set, row, member.row, time).number();
            let scope = Row { data, set: self.set, row, subject_row: Some(member.row) };
            match (value, event.truth(&scope)) {
                (Some(time), truth @ (Truth::True | Truth::False)) => entries.push(TimeEntry {
                    group: member.group,
                    row,
                    subject_row: member.row,
                    time,
                    event: truth == Truth::True,
                }),
                (None, _) => excluded.push((member.subject.clone(), format!("no value of {time}"))),
                _ => excluded.push((member.subject.clone(), format!("not known whether {}", event.text))),
            }
        }
        Ok((entries, excluded))
    }

    /// Returns what happened, by one column, or by two with the wider first.
    pub(crate) fn occurrences(&self, population: &Population, columns: &[String]) -> Occurrences {
        let mut found = Vec::new();
        for (member, rows) in &self.rows {
            for row in rows {
                let word = |column: &String| self.set.cell(column, *row).text().unwrap_or("").to_owned();
                let words: Vec<String> = columns.iter().map(word).collect();
                let (term, narrow) = match words.as_slice() {
                    [wide, narrow] => (wide.clone(), Some(format!("{wide}{WITHIN}{narrow}"))),
                    _ => (words.concat(), None),
                };
                let group = population.members[*member].group;
                found.push(Occurrence { row: *row, member: *member, group, term, narrow });
            }
        }
        found.sort_by(|a, b| (a.member, &a.term, a.row).cmp(&(b.member, &b.term, b.row)));
        Occurrences(found)
    }
}

/// Returns each participant's time to an event of the study's own record, and who has none.
pub(crate) fn times_of(
    data: &DataSets,
    population: &Population,
    time: &ParameterId,
) -> (Vec<TimeEntry>, Vec<(terms::SubjectId, String)>) {
    let set = &data.times_to_event;
    let own = (0..set.rows()).filter(|row| set.cell("parameter", *row).text() == Some(time.as_str()));
    let rows: BTreeMap<&str, usize> =
        own.filter_map(|row| Some((set.cell("subject", row).text()?, row))).collect();
    let (mut entries, mut excluded) = (Vec::new(), ungrouped(population));
    for member in &population.members {
        let read = rows.get(member.subject.as_str()).and_then(|row| {
            let time = set.cell("value", *row).number()?;
            let event = set.cell("censored", *row).number()? == 0.0;
            Some(TimeEntry { group: member.group, row: *row, subject_row: member.row, time, event })
        });
        match read {
            Some(entry) => entries.push(entry),
            None => excluded
                .push((member.subject.clone(), "no time: entered after the last day of the data".to_owned())),
        }
    }
    (entries, excluded)
}

const NO_ROW: &str = "no row";

/// Between the ids of a level and of the level within which it lies.
pub(crate) const WITHIN: &str = " > ";

/// A cell of a row, or else of the participant.
pub(crate) fn cell<'a>(
    data: &'a DataSets,
    set: &'a Dataset,
    row: usize,
    subject_row: usize,
    column: &str,
) -> datasets::Cell<'a> {
    match set.column(column) {
        Some(column) => column.data.cell(row),
        None => data.subjects.cell(column, subject_row),
    }
}
