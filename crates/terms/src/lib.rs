//! The words every other crate speaks: identifiers, dates that may be partly
//! known, calendar arithmetic, entered values and why one is missing.
//!
//! This crate reads no clock, no file and no environment, and knows no study.

mod calendar;
mod id;
mod partial_date;
mod value;
mod words;

pub use calendar::{
    CalendarError, SiteTime, add_months, days_between, in_window, months_between, site_date, study_day,
};
pub use id::*;
pub use partial_date::{PartialDate, PartialDateError};
pub use rust_decimal::Decimal;
pub use value::{Answer, MissingReason, Truth, Value};
pub use words::Words;

/// A civil date without a time zone.
pub type Date = jiff::civil::Date;
/// An instant in UTC.
pub type Timestamp = jiff::Timestamp;
