//! What the protocol says, and what of the study answers to it.

use serde::Serialize;

use super::Label;
use crate::shape::Kind;

/// The protocol's statements and the cells of its schedule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Coverage {
    /// Rows and columns of the grid at which something is asked; a column is a visit or a series of visits.
    pub cells: Vec<(String, String)>,
    /// Statements in order.
    pub statements: Vec<ProtocolStatement>,
}

/// One statement of the protocol.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProtocolStatement {
    /// Its id (`B-I3`, `published: age`).
    pub id: String,
    /// What it says, in short.
    pub says: Label,
    /// What of the study answers to it.
    pub references: Vec<(Kind, String)>,
    /// Other lines of the study that do: `dosing.toml#levels_mg`.
    pub lines: Vec<String>,
}
