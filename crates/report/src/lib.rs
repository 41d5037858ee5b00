//! The report of a trial: one document model, its figures, and its rendering as HTML.
//!
//! A report shows results; it computes none. No published number stands in this
//! crate: they come from the study's facts.

pub mod document;
pub mod figures;
pub mod html;
pub mod trace;
