//! What lies behind the numbers of a report: analyses, data rows, events.

use std::collections::BTreeMap;

use crate::document::Table;

/// The part of a report that its numbers lead to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TraceAppendix {
    /// Number id to the anchor of its derivation.
    pub anchors: BTreeMap<String, String>,
    /// One for each set of rows that numbers were computed from.
    pub derivations: Vec<Derivation>,
    /// The data sets, rows with anchors, sources named in the last column.
    pub datasets: Vec<Table>,
    /// The events that rows name.
    pub events: Table,
}

/// How a group of numbers was computed, and from which rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Derivation {
    /// Its anchor.
    pub anchor: String,
    /// The analysis.
    pub title: String,
    /// Method and options, in words.
    pub method: String,
    /// Rows by data set.
    pub rows: Vec<RowLinks>,
}

/// Links to rows of one data set.
#[derive(Clone, Debug, PartialEq)]
pub struct RowLinks {
    /// The data set.
    pub dataset: String,
    /// The rows.
    pub links: Vec<RowLink>,
}

/// A link to one row.
#[derive(Clone, Debug, PartialEq)]
pub struct RowLink {
    /// The row's anchor.
    pub anchor: String,
    /// What the link says (participant, visit).
    pub label: String,
}
