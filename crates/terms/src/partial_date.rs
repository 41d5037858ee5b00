//! Dates of which the day, or the day and the month, may be unknown.
//!
//! A missing part is never invented here: comparison answers `Unknown` where
//! the known parts do not decide it. Imputation belongs to the analysis.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{Date, Truth};

/// A date known to the year, the month or the day, as CDISC writes it (`2009`, `2009-03`, `2009-03-14`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PartialDate {
    year: i16,
    month: Option<i8>,
    day: Option<i8>,
}

/// Why a text is not a date, or a partial one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PartialDateError {
    /// The text has another form.
    #[error("`{text}` is not a date; write 2009-03-14, or 2009-03 or 2009 if the rest is unknown")]
    Form {
        /// What was written.
        text: String,
    },
    /// The calendar has no such day.
    #[error("the calendar has no day `{text}`")]
    NoSuchDay {
        /// What was written.
        text: String,
    },
}

impl PartialDate {
    /// Returns a date known to its year alone.
    pub fn of_year(year: i16) -> Self {
        Self { year, month: None, day: None }
    }

    /// Returns a date known to its month.
    ///
    /// # Errors
    /// The month is not 1 to 12.
    pub fn of_month(year: i16, month: i8) -> Result<Self, PartialDateError> {
        Date::new(year, month, 1)
            .map(|_| Self { year, month: Some(month), day: None })
            .map_err(|_| PartialDateError::NoSuchDay { text: format!("{year:04}-{month:02}") })
    }

    /// Returns the whole date, if every part is known.
    pub fn complete(self) -> Option<Date> {
        Date::new(self.year, self.month?, self.day?).ok()
    }

    /// Returns the first day the date can mean.
    pub fn earliest(self) -> Date {
        let first = Date::constant(self.year, self.month.unwrap_or(1), 1);
        self.complete().unwrap_or(first)
    }

    /// Returns the last day the date can mean.
    pub fn latest(self) -> Date {
        let last = Date::constant(self.year, self.month.unwrap_or(12), 1).last_of_month();
        self.complete().unwrap_or(last)
    }

    /// Says whether this date lies before `other`, as far as the known parts decide it.
    pub fn before(self, other: PartialDate) -> Truth {
        if self.latest() < other.earliest() {
            Truth::True
        } else if self.earliest() >= other.latest() {
            Truth::False
        } else {
            Truth::Unknown
        }
    }
}

impl From<Date> for PartialDate {
    fn from(date: Date) -> Self {
        Self { year: date.year(), month: Some(date.month()), day: Some(date.day()) }
    }
}

impl FromStr for PartialDate {
    type Err = PartialDateError;

    fn from_str(text: &str) -> Result<Self, PartialDateError> {
        let form = || PartialDateError::Form { text: text.to_owned() };
        let number = |part: &str, digits: usize| {
            (part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit()))
                .then(|| part.parse::<i16>().ok())
                .flatten()
                .ok_or_else(form)
        };
        let mut parts = text.split('-');
        let year = number(parts.next().unwrap_or_default(), 4)?;
        let month = parts.next().map(|part| number(part, 2)).transpose()?;
        let day = parts.next().map(|part| number(part, 2)).transpose()?;
        if parts.next().is_some() {
            return Err(form());
        }
        let (month, day) = (month.map(|m| m as i8), day.map(|d| d as i8));
        Date::new(year, month.unwrap_or(1), day.unwrap_or(1))
            .map(|_| Self { year, month, day })
            .map_err(|_| PartialDateError::NoSuchDay { text: text.to_owned() })
    }
}

impl TryFrom<String> for PartialDate {
    type Error = PartialDateError;

    fn try_from(text: String) -> Result<Self, PartialDateError> {
        text.parse()
    }
}

impl From<PartialDate> for String {
    fn from(date: PartialDate) -> String {
        date.to_string()
    }
}

impl fmt::Display for PartialDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}", self.year)?;
        if let Some(month) = self.month {
            write!(f, "-{month:02}")?;
        }
        if let Some(day) = self.day {
            write!(f, "-{day:02}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn date(text: &str) -> PartialDate {
        text.parse().unwrap()
    }

    #[test]
    // Shows: INT-3
    fn an_unknown_day_is_kept_unknown() {
        assert_eq!(date("2009-03").to_string(), "2009-03");
        assert_eq!(date("2009-03").complete(), None);
        assert_eq!(date("2009-02").latest().to_string(), "2009-02-28");
    }

    #[test]
    fn a_comparison_that_the_known_parts_do_not_decide_is_unknown() {
        assert_eq!(date("2009").before(date("2009-03")), Truth::Unknown);
        assert_eq!(date("2008").before(date("2009-03")), Truth::True);
        assert_eq!(date("2009-03-14").before(date("2009-03-14")), Truth::False);
        assert_eq!(date("2009-04").before(date("2009-03-31")), Truth::False);
    }

    #[test]
    fn a_day_that_the_calendar_lacks_is_refused() {
        assert!(matches!("2009-02-29".parse::<PartialDate>(), Err(PartialDateError::NoSuchDay { .. })));
        for text in ["", "09", "2009-3", "2009-03-14-1", "2009-xx", "+009"] {
            assert!(matches!(text.parse::<PartialDate>(), Err(PartialDateError::Form { .. })), "{text}");
        }
    }

    proptest! {
        #[test]
        // Shows: INT-3
        fn text_and_date_are_inverse(year in 1900i16..2100, month in proptest::option::of(1i8..=12), day in 1i8..=28) {
            let text = match month {
                None => format!("{year:04}"),
                Some(month) => format!("{year:04}-{month:02}-{day:02}"),
            };
            prop_assert_eq!(date(&text).to_string(), text);
        }

        #[test]
        fn before_is_decided_for_whole_dates(a in 0i32..40_000, b in 0i32..40_000) {
            let day = |n: i32| PartialDate::from(Date::constant(1950, 1, 1).checked_add(jiff::Span::new().days(n)).unwrap());
            prop_assert_eq!(day(a).before(day(b)), Truth::from(a < b));
        }

        #[test]
        fn before_never_contradicts_what_a_completion_would_say(
            year in 2000i16..2004, month in proptest::option::of(1i8..=12), other in 0i32..1_500,
        ) {
            let partial = match month { None => PartialDate::of_year(year), Some(m) => PartialDate::of_month(year, m).unwrap() };
            let whole = Date::constant(2000, 1, 1).checked_add(jiff::Span::new().days(other)).unwrap();
            match partial.before(whole.into()) {
                Truth::True => prop_assert!(partial.latest() < whole),
                Truth::False => prop_assert!(partial.earliest() >= whole),
                Truth::Unknown => prop_assert!(partial.earliest() < whole && partial.latest() >= whole),
            }
        }
    }
}
