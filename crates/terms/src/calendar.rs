//! Calendar arithmetic as protocols mean it.
//!
//! A month is the same day of a later calendar month, clipped to its end. Day 1
//! is the day of the anchor, the day before it is day -1, and there is no day 0.
//! A window is closed on both ends. The site's time zone decides the date.

use jiff::{Span, tz::TimeZone};
use serde::{Deserialize, Serialize};

use crate::{Date, Timestamp};

/// Why a date could not be reckoned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// The time zone database has no zone of that name.
    #[error("the time zone database has no zone `{zone}`")]
    UnknownZone {
        /// The name that was asked for.
        zone: String,
    },
}

/// When something happened or was recorded, in UTC and as the site's clock showed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteTime {
    /// The instant.
    pub utc: Timestamp,
    /// The site's civil date at that instant.
    pub local_date: Date,
    /// The site's offset from UTC at that instant, in seconds.
    pub offset_seconds: i32,
}

impl SiteTime {
    /// Reads the instant on the clock of the named IANA zone.
    ///
    /// # Errors
    /// The zone is unknown.
    pub fn at(utc: Timestamp, zone: &str) -> Result<Self, CalendarError> {
        let zone = TimeZone::get(zone).map_err(|_| CalendarError::UnknownZone { zone: zone.to_owned() })?;
        let local = jiff::ZonedDateTime::new(utc, zone);
        Ok(Self { utc, local_date: local.date(), offset_seconds: local.offset().seconds() })
    }
}

/// Returns the civil date at a site at an instant.
///
/// # Errors
/// The zone is unknown.
pub fn site_date(utc: Timestamp, zone: &str) -> Result<Date, CalendarError> {
    SiteTime::at(utc, zone).map(|time| time.local_date)
}

/// Adds calendar months; a day that the later month lacks is clipped to that month's end.
pub fn add_months(date: Date, months: i32) -> Date {
    date.saturating_add(Span::new().months(months))
}

/// Returns the days from `from` to `to`; 0 for the same day, negative if `to` is earlier.
pub fn days_between(from: Date, to: Date) -> i32 {
    (to - from).get_days()
}

/// Returns the whole calendar months from `from` to `to`, by the clipping rule of [`add_months`].
pub fn months_between(from: Date, to: Date) -> i32 {
    let guess = (i32::from(to.year()) - i32::from(from.year())) * 12 + i32::from(to.month())
        - i32::from(from.month());
    if to >= from {
        if add_months(from, guess) > to { guess - 1 } else { guess }
    } else if add_months(from, guess) < to {
        guess + 1
    } else {
        guess
    }
}

/// Returns the study day of `date`: 1 on the anchor's own day, -1 on the day before, never 0.
pub fn study_day(anchor: Date, date: Date) -> i32 {
    let days = days_between(anchor, date);
    if days >= 0 { days + 1 } else { days }
}

/// Says whether `date` lies at most `within_days` from `target`, both ends included.
pub fn in_window(target: Date, within_days: i32, date: Date) -> bool {
    days_between(target, date).abs() <= within_days
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_month_is_clipped_to_its_end() {
        assert_eq!(add_months(date(2008, 1, 31), 1), date(2008, 2, 29));
        assert_eq!(add_months(date(2007, 8, 31), 6), date(2008, 2, 29));
        assert_eq!(add_months(date(2008, 3, 31), -1), date(2008, 2, 29));
    }

    #[test]
    fn there_is_no_day_zero() {
        let anchor = date(2008, 3, 1);
        assert_eq!(study_day(anchor, anchor), 1);
        assert_eq!(study_day(anchor, date(2008, 2, 29)), -1);
        assert_eq!(study_day(anchor, date(2008, 3, 8)), 8);
    }

    #[test]
    fn a_window_is_closed_on_both_ends() {
        let target = date(2008, 3, 10);
        assert!(in_window(target, 7, date(2008, 3, 3)));
        assert!(in_window(target, 7, date(2008, 3, 17)));
        assert!(!in_window(target, 7, date(2008, 3, 18)));
    }

    #[test]
    // Shows: E6-4.2.2d
    fn the_site_decides_the_date() {
        let instant: Timestamp = "2008-03-10T23:30:00Z".parse().unwrap();
        assert_eq!(site_date(instant, "Europe/Paris").unwrap(), date(2008, 3, 11));
        assert_eq!(site_date(instant, "America/New_York").unwrap(), date(2008, 3, 10));
        let refused = site_date(instant, "Europe/Bordo").unwrap_err();
        assert_eq!(refused.to_string(), "the time zone database has no zone `Europe/Bordo`");
    }

    fn any_date() -> impl Strategy<Value = Date> {
        (0i32..40_000).prop_map(|n| date(1950, 1, 1).saturating_add(Span::new().days(n)))
    }

    proptest! {
        #[test]
        fn a_later_month_keeps_the_day_or_ends_the_month(start in any_date(), months in -240i32..240) {
            let end = add_months(start, months);
            prop_assert!(end.day() == start.day() || (end.day() < start.day() && end == end.last_of_month()));
            let index = |d: Date| i32::from(d.year()) * 12 + i32::from(d.month());
            prop_assert_eq!(index(end) - index(start), months);
        }

        #[test]
        fn whole_months_bracket_the_date(start in any_date(), later in 0i32..4_000) {
            let end = start.saturating_add(Span::new().days(later));
            let months = months_between(start, end);
            prop_assert!(add_months(start, months) <= end);
            prop_assert!(add_months(start, months + 1) > end);
        }

        #[test]
        fn study_days_count_up_without_zero(anchor in any_date(), offset in -400i32..400) {
            let day = study_day(anchor, anchor.saturating_add(Span::new().days(offset)));
            prop_assert_ne!(day, 0);
            prop_assert_eq!(if day > 0 { day - 1 } else { day }, offset);
        }
    }
}
