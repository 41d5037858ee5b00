//! The report of a trial: one document model, its figures, and its rendering as HTML.
//!
//! [`build`] makes the document from a study, its data sets and its results; a
//! report shows results and computes none. No published number stands in this
//! crate: they come from the study's facts. [`html::render`] makes one
//! self-contained page of it; other formats render the same document.

mod build;
mod consort;
mod context;
pub mod document;
pub mod figures;
mod flow;
pub mod html;
mod listings;
mod study_lines;
mod tables;
pub mod trace;
mod wording;

pub use build::{Behind, BuildError, Provenance, Report, build, build_elsewhere};
pub use study_lines::{DefinedAt, Definitions as StudyDefinitions};
pub use trace::{ChangeLine, EventLine};
pub use wording::mark;
