//! Change from baseline, absolute and relative.
//!
//! The relative change is one correctly rounded division `(b - a) / a`, so that
//! equal fractions stay tied (9/30 and 6/20 are the same double). A baseline of
//! zero gives none, and none is invented.
//!
//! | participant | visit | value | baseline | after baseline? | change | relative change |
//! |---|---|---|---|---|---|---|
//! | 1 | Scr | 31 | 30 | no  | - | - |
//! | 1 | M0  | 30 | 30 | no  | - | - |
//! | 1 | M6  | 39 | 30 | yes | 9 | 0.3 |
//! | 2 | M0  | 20 | 20 | no  | - | - |
//! | 2 | M6  | 26 | 20 | yes | 6 | 0.3 |
//! | 2 | M12 | -  | 20 | yes | - | - |
//! | 3 | M0  | 0  | 0  | no  | - | - |
//! | 3 | M6  | 4  | 0  | yes | 4 | - |
//! | 4 | M6  | 12 | -  | yes | - | - |
//! | 5 | M0  | 24 | 24 | no  | - | - |
//! | 5 | M6  | 24 | 24 | yes | 0 | 0 |
//! | 5 | M12 | 18 | 24 | yes | -6 | -0.25 |

use std::collections::BTreeMap;

use terms::{Date, SubjectId};

use super::Observation;

/// Returns `(value - baseline) / baseline`; none where the baseline is zero.
pub fn relative_change(value: f64, baseline: f64) -> Option<f64> {
    (baseline != 0.0).then(|| (value - baseline) / baseline)
}

/// Gives rows after the baseline their change.
pub fn derive_var_chg(rows: &mut [Observation], reference: &BTreeMap<SubjectId, Date>) {
    for row in rows {
        if !is_after_baseline(row, reference) {
            continue;
        }
        let (Some(value), Some(baseline)) = (row.value, row.baseline) else { continue };
        row.change = Some(value - baseline);
        row.relative_change = relative_change(value, baseline);
    }
}

/// Says whether a row lies after the first dose (or enrolment), so that it can hold a change.
pub fn is_after_baseline(row: &Observation, reference: &BTreeMap<SubjectId, Date>) -> bool {
    match (row.date, reference.get(&row.subject)) {
        (Some(date), Some(first_dose)) => !row.is_baseline && date > *first_dose,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::example::{date, row};
    use super::*;

    #[test]
    fn the_twelve_rows_of_the_example() {
        let days = [("Scr", "2008-03-01"), ("M0", "2008-03-15"), ("M6", "2008-09-15"), ("M12", "2009-03-15")];
        let table = [
            ("1", "Scr", Some(31.0), Some(30.0), None, None),
            ("1", "M0", Some(30.0), Some(30.0), None, None),
            ("1", "M6", Some(39.0), Some(30.0), Some(9.0), Some(0.3)),
            ("2", "M0", Some(20.0), Some(20.0), None, None),
            ("2", "M6", Some(26.0), Some(20.0), Some(6.0), Some(0.3)),
            ("2", "M12", None, Some(20.0), None, None),
            ("3", "M0", Some(0.0), Some(0.0), None, None),
            ("3", "M6", Some(4.0), Some(0.0), Some(4.0), None),
            ("4", "M6", Some(12.0), None, None, None),
            ("5", "M0", Some(24.0), Some(24.0), None, None),
            ("5", "M6", Some(24.0), Some(24.0), Some(0.0), Some(0.0)),
            ("5", "M12", Some(18.0), Some(24.0), Some(-6.0), Some(-0.25)),
        ];
        let reference: BTreeMap<SubjectId, Date> =
            ["1", "2", "3", "4", "5"].map(|id| (id.into(), date("2008-03-15"))).into();
        for (subject, visit, value, baseline, change, relative) in table {
            let on = days.iter().find(|(id, _)| *id == visit).unwrap().1;
            let mut one = [row(subject, visit, on, value)];
            one[0].baseline = baseline;
            derive_var_chg(&mut one, &reference);
            assert_eq!((one[0].change, one[0].relative_change), (change, relative), "{subject} {visit}");
        }
    }

    #[test]
    fn equal_fractions_stay_tied() {
        for (a, b) in [(30.0, 20.0), (24.0, 18.0), (49.0, 21.0), (33.0, 27.0)] {
            for numerator in 0..20 {
                let fraction = f64::from(numerator) / 20.0;
                // Whole scores with the same relative change.
                let (one, other) = (a + a * fraction, b + b * fraction);
                if one.fract() == 0.0 && other.fract() == 0.0 {
                    assert_eq!(relative_change(one, a), relative_change(other, b), "{a} {b} {numerator}");
                }
            }
        }
        assert_eq!(relative_change(39.0, 30.0), relative_change(26.0, 20.0));
        assert_eq!(relative_change(22.0, 33.0), relative_change(18.0, 27.0));
    }

    #[test]
    fn a_zero_baseline_gives_no_ratio() {
        assert_eq!(relative_change(4.0, 0.0), None);
    }
}
