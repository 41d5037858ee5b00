//! Data sets and results in the formats of others.
//!
//! [`read()`] takes a file's bytes apart (CSV, CDISC Dataset-JSON plain and compressed,
//! SAS transport 5 and 8, Parquet), [`conform()`] makes the data set that a plan describes
//! of it, and [`ars`] writes results as a CDISC Analysis Results Standard reporting
//! event. This crate opens no file and computes no number.

pub mod ars;
mod conform;
mod encoding;
mod error;
mod read;
mod table;

pub use conform::conform;
pub use encoding::Encoding;
pub use error::DataError;
pub use read::{ENDINGS, read};
pub use table::{RawCell, RawColumn, RawTable};
