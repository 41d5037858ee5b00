//! Study day: 1 on the day of the first dose, -1 on the day before, never 0.
//!
//! | participant | first dose | date | day |
//! |---|---|---|---|
//! | 1 | 2008-03-01 | 2008-02-01 | -29 |
//! | 1 | 2008-03-01 | 2008-02-29 | -1 |
//! | 1 | 2008-03-01 | 2008-03-01 | 1 |
//! | 1 | 2008-03-01 | 2008-03-02 | 2 |
//! | 1 | 2008-03-01 | 2008-03-08 | 8 |
//! | 1 | 2008-03-01 | 2008-04-01 | 32 |
//! | 1 | 2008-03-01 | 2009-03-01 | 366 |
//! | 2 | 2007-12-31 | 2007-12-30 | -1 |
//! | 2 | 2007-12-31 | 2008-01-01 | 2 |
//! | 2 | 2007-12-31 | 2008-12-31 | 367 |
//! | 3 | -          | 2008-01-01 | - |
//! | 3 | -          | -          | - |

use std::collections::BTreeMap;

use terms::{Date, SubjectId, study_day};

use super::Observation;

/// Gives each row its study day; none without a first dose or a date.
pub fn derive_var_day(rows: &mut [Observation], first_dose: &BTreeMap<SubjectId, Date>) {
    for row in rows {
        row.day = day_of(row.date, first_dose.get(&row.subject).copied());
    }
}

/// Returns the study day of a date.
pub fn day_of(date: Option<Date>, first_dose: Option<Date>) -> Option<i32> {
    Some(study_day(first_dose?, date?))
}

#[test]
fn the_twelve_rows_of_the_example() {
    use super::example::date;
    for (first_dose, on, day) in [
        ("2008-03-01", "2008-02-01", -29),
        ("2008-03-01", "2008-02-29", -1),
        ("2008-03-01", "2008-03-01", 1),
        ("2008-03-01", "2008-03-02", 2),
        ("2008-03-01", "2008-03-08", 8),
        ("2008-03-01", "2008-04-01", 32),
        ("2008-03-01", "2009-03-01", 366),
        ("2007-12-31", "2007-12-30", -1),
        ("2007-12-31", "2008-01-01", 2),
        ("2007-12-31", "2008-12-31", 367),
    ] {
        assert_eq!(day_of(Some(date(on)), Some(date(first_dose))), Some(day), "{on}");
    }
    assert_eq!(day_of(Some(date("2008-01-01")), None), None);
    assert_eq!(day_of(None, None), None);
}
