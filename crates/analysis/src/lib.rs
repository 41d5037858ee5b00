//! Runs an analysis plan on data sets.
//!
//! This crate receives data sets and a plan, never a store, a record or a
//! casebook, and cannot tell a simulated trial from a real one. Its results do
//! not depend on the order of rows, on threads or on anything but its arguments.

mod categories;
mod events;
pub mod kernel;
mod methods;
mod outcome;
mod population;
mod r_script;
mod records;
mod results;
mod run;
mod scope;
mod sheet;
mod standing;
mod trace;

pub use r_script::{expected_csv, is_recomputed, r_script, recomputed_numbers};
pub use results::{AnalysisResult, Format, Level, Number, PublishedNumber, Results, RowSet, rounded};
pub use run::{PlanError, run};
pub use trace::{Trace, TracedRows, trace};
