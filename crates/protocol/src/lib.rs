//! The study language: what a study says, and the compiler that makes sure it can be run.
//!
//! [`compile`] takes the text of a study folder and gives the compiled [`Study`], or every fault at
//! once with its place. [`model`] is the compiled study, which every other crate reads.
//! This crate runs nothing and stores nothing; reading the folder is the caller's.

mod checks;
mod compile;
pub mod content_pack;
mod desk;
mod diagnostic;
pub mod expression;
pub mod model;
mod names;
mod reader;
mod schedule_table;
mod sections;
mod shape;
mod source;
mod study_lines;
pub mod templates;
mod tree;
mod units;
mod version;

pub use compile::{Compiled, compile, compile_plan};
pub use desk::Reference;
pub use diagnostic::{Diagnostic, Report, Severity};
pub use model::Study;
pub use schedule_table::{ScheduleTable, schedule_table};
pub use shape::Kind;
pub use study_lines::{StudyLine, StudyLines, study_lines};
pub use units::convert;
pub use version::content_hash;

/// Returns the JSON Schema of study files, made from the same description as the reader.
pub fn schema() -> serde_json::Value {
    shape::json_schema(sections::FILES)
}
