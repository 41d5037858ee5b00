//! Times to an event, one record a participant and parameter.
//!
//! The first event ends a time, unless something that censors came on an earlier day; of what falls on one day the
//! event counts. What happened before the start, or after the last day of the data, does not count. Without an
//! event the time is censored at the earliest of: the first thing that censors, the last day of the data, the last
//! day on which something is known. The start is day 1. Who started after the last day of the data has no record.
//!
//! Start 2020-01-10 for all, last day of the data 2020-03-31:
//!
//! | participant | events | censored by | last known | date | days | censored |
//! |---|---|---|---|---|---|---|
//! | 1  | 02-01        | -     | 03-20 | 02-01 | 23 | 0 |
//! | 2  | -            | -     | 03-20 | 03-20 | 71 | 1 last known day |
//! | 3  | -            | -     | 05-01 | 03-31 | 82 | 2 last day of the data |
//! | 4  | 04-02        | -     | 05-01 | 03-31 | 82 | 2 |
//! | 5  | 02-01        | 01-20 | 03-20 | 01-20 | 11 | 3 censored by |
//! | 6  | 02-01        | 02-01 | 03-20 | 02-01 | 23 | 0 |
//! | 7  | 02-10, 02-01 | -     | 03-20 | 02-01 | 23 | 0 |
//! | 8  | 01-09        | -     | 03-20 | 03-20 | 71 | 1 |
//! | 9  | 01-10        | -     | 03-20 | 01-10 | 1  | 0 |
//! | 10 | 03-31        | -     | 05-01 | 03-31 | 82 | 0 |
//! | 11 | -            | 01-05 | 01-10 | 01-10 | 1  | 1 |
//! | 12 | 03-01        | -     | 02-20 | 03-01 | 52 | 0 |

use terms::{Date, days_between};

/// Something on a day, with the events of the record that tell of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dated {
    /// Which of the study's happenings it is, by its place.
    pub place: usize,
    /// The day.
    pub date: Date,
    /// The events of the record.
    pub sources: Vec<u64>,
}

/// Why a time ends without an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Censoring {
    /// Nothing is known after that day (code 1).
    LastKnown,
    /// The data end there (code 2).
    CutOff,
    /// The happening at this place censors (code 3).
    By(usize),
}

impl Censoring {
    /// Returns the code that the data set holds.
    pub fn code(self) -> i64 {
        match self {
            Censoring::LastKnown => 1,
            Censoring::CutOff => 2,
            Censoring::By(_) => 3,
        }
    }
}

/// A time to an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeRecord {
    /// The day on which it ends.
    pub date: Date,
    /// Days from the start to that day, both counted.
    pub days: i32,
    /// The place of the event that ended it, or why none did.
    pub end: Result<usize, Censoring>,
    /// The events of the record behind it.
    pub sources: Vec<u64>,
}

/// Returns a participant's time; none for who started after `cut_off`, the last day of the data.
///
/// `last_known` is the last day on which something is known of the participant.
pub fn derive_param_tte(
    (start, start_source): (Date, u64),
    events: &[Dated],
    censored_by: &[Dated],
    last_known: Date,
    cut_off: Option<Date>,
) -> Option<TimeRecord> {
    if cut_off.is_some_and(|cut_off| start > cut_off) {
        return None;
    }
    let first = |of: &[Dated]| {
        of.iter().filter(|one| one.date >= start).min_by_key(|one| (one.date, one.place)).cloned()
    };
    let censoring = first(censored_by).filter(|one| cut_off.is_none_or(|cut_off| one.date <= cut_off));
    let limit = censoring.as_ref().map(|one| one.date).into_iter().chain(cut_off).min();
    let event = first(events).filter(|event| limit.is_none_or(|limit| event.date <= limit));
    let last_known = last_known.max(start);
    let (date, end, own) = match (event, censoring) {
        (Some(event), _) => (event.date, Ok(event.place), event.sources),
        (None, Some(by)) if by.date <= last_known => (by.date, Err(Censoring::By(by.place)), by.sources),
        _ => match cut_off.filter(|cut_off| *cut_off < last_known) {
            Some(cut_off) => (cut_off, Err(Censoring::CutOff), Vec::new()),
            None => (last_known, Err(Censoring::LastKnown), Vec::new()),
        },
    };
    let mut sources: Vec<u64> = std::iter::once(start_source).chain(own).collect();
    sources.sort_unstable();
    sources.dedup();
    Some(TimeRecord { date, days: days_between(start, date) + 1, end, sources })
}

#[cfg(test)]
mod tests {
    use super::super::example::date;
    use super::*;

    fn dated(days: &[&str]) -> Vec<Dated> {
        let one = |(place, day): (usize, &&str)| Dated {
            place,
            date: date(&format!("2020-{day}")),
            sources: vec![10 + place as u64],
        };
        days.iter().enumerate().map(one).collect()
    }

    #[test]
    fn the_twelve_rows_of_the_example() {
        let start = (date("2020-01-10"), 4);
        let rows: [(&[&str], &[&str], &str, &str, i32, i64); 12] = [
            (&["02-01"], &[], "03-20", "02-01", 23, 0),
            (&[], &[], "03-20", "03-20", 71, 1),
            (&[], &[], "05-01", "03-31", 82, 2),
            (&["04-02"], &[], "05-01", "03-31", 82, 2),
            (&["02-01"], &["01-20"], "03-20", "01-20", 11, 3),
            (&["02-01"], &["02-01"], "03-20", "02-01", 23, 0),
            (&["02-10", "02-01"], &[], "03-20", "02-01", 23, 0),
            (&["01-09"], &[], "03-20", "03-20", 71, 1),
            (&["01-10"], &[], "03-20", "01-10", 1, 0),
            (&["03-31"], &[], "05-01", "03-31", 82, 0),
            (&[], &["01-05"], "01-10", "01-10", 1, 1),
            (&["03-01"], &[], "02-20", "03-01", 52, 0),
        ];
        for (place, (events, censored_by, known, ends, days, code)) in rows.into_iter().enumerate() {
            let known = date(&format!("2020-{known}"));
            let cut_off = Some(date("2020-03-31"));
            let found = derive_param_tte(start, &dated(events), &dated(censored_by), known, cut_off).unwrap();
            let censored = found.end.err().map_or(0, Censoring::code);
            let row = place + 1;
            assert_eq!(
                (found.date, found.days, censored),
                (date(&format!("2020-{ends}")), days, code),
                "{row}"
            );
            assert!(found.sources.contains(&4), "{row}: the start's own event");
        }
    }

    #[test]
    fn who_starts_after_the_last_day_of_the_data_has_no_time() {
        let (start, known) = ((date("2020-01-10"), 4), date("2020-02-01"));
        assert_eq!(derive_param_tte(start, &[], &[], known, Some(date("2020-01-09"))), None);
        assert!(derive_param_tte(start, &[], &[], known, Some(date("2020-01-10"))).is_some());
    }

    #[test]
    fn a_time_leads_to_what_ended_it() {
        let events = dated(&["02-10", "02-01"]);
        let found =
            derive_param_tte((date("2020-01-10"), 4), &events, &[], date("2020-03-20"), None).unwrap();
        assert_eq!((found.end, found.sources), (Ok(1), vec![4, 11]));
    }
}
