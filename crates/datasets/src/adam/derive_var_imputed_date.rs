//! Days for partly known dates, in the analysis only; the record keeps what is known.
//!
//! A start is the earliest day it can mean, but not before the first dose if it can lie after
//! it, so that an event that may have begun under treatment counts as such. A
//! stop is the latest day it can mean, but not after the participant's last known day.
//!
//! First dose 2008-03-15, last known day 2009-03-20:
//!
//! | start | imputed | | stop | imputed |
//! |---|---|---|---|---|
//! | 2008-03-10 | 2008-03-10 (known) | | 2008-04-02 | 2008-04-02 (known) |
//! | 2008-03    | 2008-03-15 | | 2008-04 | 2008-04-30 |
//! | 2008-02    | 2008-02-01 | | 2009-03 | 2009-03-20 |
//! | 2008-04    | 2008-04-01 | | 2008    | 2008-12-31 |
//! | 2008       | 2008-03-15 | | 2009    | 2009-03-20 |
//! | 2007       | 2007-01-01 | | 2010    | 2009-03-20 |

use terms::{Date, PartialDate};

/// A day, and whether any part of it was imputed.
pub type Imputed = (Date, bool);

/// Returns the day on which an event counts as begun.
pub fn impute_start(start: PartialDate, first_dose: Option<Date>) -> Imputed {
    conduct::impute_start(start, first_dose)
}

/// Returns the day on which an event counts as ended.
pub fn impute_stop(stop: PartialDate, last_known: Option<Date>) -> Imputed {
    match stop.complete() {
        Some(known) => (known, false),
        None => (last_known.map_or(stop.latest(), |last| stop.latest().min(last)), true),
    }
}

#[test]
fn the_twelve_rows_of_the_example() {
    use super::example::date;
    let (first_dose, last_known) = (Some(date("2008-03-15")), Some(date("2009-03-20")));
    for (start, imputed) in [
        ("2008-03-10", "2008-03-10"),
        ("2008-03", "2008-03-15"),
        ("2008-02", "2008-02-01"),
        ("2008-04", "2008-04-01"),
        ("2008", "2008-03-15"),
        ("2007", "2007-01-01"),
    ] {
        let found = impute_start(start.parse().unwrap(), first_dose);
        assert_eq!(found, (date(imputed), start.len() < 10), "{start}");
    }
    for (stop, imputed) in [
        ("2008-04-02", "2008-04-02"),
        ("2008-04", "2008-04-30"),
        ("2009-03", "2009-03-20"),
        ("2008", "2008-12-31"),
        ("2009", "2009-03-20"),
        ("2010", "2009-03-20"),
    ] {
        let found = impute_stop(stop.parse().unwrap(), last_known);
        assert_eq!(found, (date(imputed), stop.len() < 10), "{stop}");
    }
    assert_eq!(impute_start("2008-03".parse().unwrap(), None), (date("2008-03-01"), true));
}
