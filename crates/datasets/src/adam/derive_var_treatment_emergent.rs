//! Treatment emergence: an event that began on or after the first dose, or worsened after it.
//!
//! An event that began before and whose grade rises above what it was before the
//! first dose is treatment-emergent. One without any start is, unless it is known to have ended
//! before the first dose. Nothing is emergent without a dose.
//!
//! First dose 2008-03-15:
//!
//! | start (imputed) | stop | grades (day, grade) | emergent |
//! |---|---|---|---|
//! | 03-15 | -     | 03-20: 1 | yes |
//! | 03-16 | -     | 03-20: 1 | yes |
//! | 03-14 | -     | 03-14: 1 | no |
//! | 03-01 | -     | 03-01: 1, 04-10: 2 | yes |
//! | 03-01 | -     | 03-01: 2, 04-10: 1 | no |
//! | 03-01 | -     | 03-01: 2, 04-10: 2 | no |
//! | 03-01 | -     | 03-01: 1, 03-10: 2 | no |
//! | 03-01 | -     | 03-01: 1, 03-10: 3, 04-10: 2 | no |
//! | 03-01 | -     | 04-10: 2 (first told then) | no |
//! | -     | -     | 04-10: 2 | yes |
//! | -     | 03-14 | 03-14: 1 | no |
//! | 04-01, no dose | - | 04-01: 1 | no |

use terms::Date;

/// Says whether an event is treatment-emergent. `grades` are in order of time.
pub fn derive_var_treatment_emergent(
    start: Option<Date>,
    stop: Option<Date>,
    grades: &[(Date, i64)],
    first_dose: Option<Date>,
) -> bool {
    conduct::is_treatment_emergent(start, stop, grades, first_dose)
}

#[test]
fn the_twelve_rows_of_the_example() {
    use super::example::date;
    type Row<'a> = (Option<&'a str>, Option<&'a str>, &'a [(&'a str, i64)], bool);
    let table: [Row<'_>; 11] = [
        (Some("2008-03-15"), None, &[("2008-03-20", 1)], true),
        (Some("2008-03-16"), None, &[("2008-03-20", 1)], true),
        (Some("2008-03-14"), None, &[("2008-03-14", 1)], false),
        (Some("2008-03-01"), None, &[("2008-03-01", 1), ("2008-04-10", 2)], true),
        (Some("2008-03-01"), None, &[("2008-03-01", 2), ("2008-04-10", 1)], false),
        (Some("2008-03-01"), None, &[("2008-03-01", 2), ("2008-04-10", 2)], false),
        (Some("2008-03-01"), None, &[("2008-03-01", 1), ("2008-03-10", 2)], false),
        (Some("2008-03-01"), None, &[("2008-03-01", 1), ("2008-03-10", 3), ("2008-04-10", 2)], false),
        (Some("2008-03-01"), None, &[("2008-04-10", 2)], false),
        (None, None, &[("2008-04-10", 2)], true),
        (None, Some("2008-03-14"), &[("2008-03-14", 1)], false),
    ];
    let first_dose = Some(date("2008-03-15"));
    for (place, (start, stop, grades, emergent)) in table.into_iter().enumerate() {
        let grades: Vec<(Date, i64)> = grades.iter().map(|(on, grade)| (date(on), *grade)).collect();
        let found = derive_var_treatment_emergent(start.map(date), stop.map(date), &grades, first_dose);
        assert_eq!(found, emergent, "row {}", place + 1);
    }
    assert!(!derive_var_treatment_emergent(Some(date("2008-04-01")), None, &[], None));
}
