//! From a number to the rows and events behind it.

use datasets::DataSets;
use serde::{Deserialize, Serialize};
use terms::AnalysisId;

use crate::Results;

/// What lies behind a number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
    /// The number's id.
    pub number: String,
    /// As printed.
    pub text: String,
    /// The analysis.
    pub analysis: AnalysisId,
    /// What people call it.
    pub label: String,
    /// The method in words.
    pub method: String,
    /// The analysis set in words.
    pub set: String,
    /// The rows, by data set.
    pub rows: Vec<TracedRows>,
}

/// Rows of one data set behind a number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TracedRows {
    /// The data set.
    pub dataset: String,
    /// The columns that the number was computed from.
    pub columns: Vec<String>,
    /// The rows, from 0, each with the sequence numbers of the events behind it.
    pub rows: Vec<(usize, Vec<u64>)>,
}

/// Leads from a number to its analysis, its rows and their events; none if no result has that id.
pub fn trace(results: &Results, data: &DataSets, number: &str) -> Option<Trace> {
    let (analysis, found) = results.analyses.iter().find_map(|analysis| {
        analysis.numbers.iter().find(|one| one.id == number).map(|one| (analysis, one))
    })?;
    let rows = found.rows.iter().map(|&place| {
        let rows = results.row_sets.get(place)?;
        let set = data.get(&rows.dataset)?;
        Some(TracedRows {
            dataset: rows.dataset.clone(),
            columns: rows.columns.clone(),
            rows: rows.rows.iter().map(|&row| (row, set.sources_of(row, &rows.columns))).collect(),
        })
    });
    Some(Trace {
        number: found.id.clone(),
        text: found.text(),
        analysis: analysis.id.clone(),
        label: analysis.label.clone(),
        method: analysis.method.clone(),
        set: analysis.set.clone(),
        rows: rows.collect::<Option<_>>()?,
    })
}
