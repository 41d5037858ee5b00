//! A participant's lowest and highest value of a laboratory test after baseline.
//!
//! The lowest is the one with the worst grade of a low value and, among those, the smallest part of
//! its lower limit (of a test without one: the smallest value); the highest likewise. Of equal ones the
//! first counts. Limits differ by laboratory and day, so values are compared by their limits.
//!
//! | day | after baseline | value | upper | grade high | lowest | highest |
//! |---|---|---|---|---|---|---|
//! | 1 | no | 400 | 40 | 3 | | |
//! | 8 | yes | 30 | 40 | 0 | | |
//! | 15 | yes | 30 | 40 | 0 | | |
//! | 22 | yes | 90 | 40 | 1 | | |
//! | 29 | yes | 160 | 40 | 2 | | |
//! | 36 | yes | 160 | 50 | 2 | | |
//! | 43 | yes | 160 | 40 | 2 | | |
//! | 50 | yes | 130 | 25 | 3 | | yes |
//! | 57 | yes | 130 | 25 | 3 | | |
//! | 64 | yes | 20 | 40 | 0 | yes | |
//! | 71 | yes | 20 | 40 | 0 | | |
//! | 78 | yes | - | 40 | - | | |

/// One value as it is compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Compared {
    /// Whether it is after baseline.
    pub after_baseline: bool,
    /// The value, or its part of the limit on that side.
    pub measure: Option<f64>,
    /// The grade on that side; none where the test has none.
    pub grade: Option<u8>,
}

/// Returns the place of the highest value after baseline.
pub fn derive_var_highest(values: &[Compared]) -> Option<usize> {
    extreme(values, |one, best| one > best)
}

/// Returns the place of the lowest value after baseline.
pub fn derive_var_lowest(values: &[Compared]) -> Option<usize> {
    extreme(values, |one, best| one < best)
}

fn extreme(values: &[Compared], beyond: impl Fn(f64, f64) -> bool) -> Option<usize> {
    let mut best: Option<(usize, u8, f64)> = None;
    for (place, one) in values.iter().enumerate().filter(|(_, one)| one.after_baseline) {
        let Some(measure) = one.measure else { continue };
        let grade = one.grade.unwrap_or(0);
        let worse = match best {
            None => true,
            Some((_, known, value)) => grade > known || grade == known && beyond(measure, value),
        };
        if worse {
            best = Some((place, grade, measure));
        }
    }
    best.map(|(place, ..)| place)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of this file's head: value over upper limit.
    fn twelve() -> Vec<Compared> {
        let rows: [(bool, Option<f64>, f64, Option<u8>); 12] = [
            (false, Some(400.0), 40.0, Some(3)),
            (true, Some(30.0), 40.0, Some(0)),
            (true, Some(30.0), 40.0, Some(0)),
            (true, Some(90.0), 40.0, Some(1)),
            (true, Some(160.0), 40.0, Some(2)),
            (true, Some(160.0), 50.0, Some(2)),
            (true, Some(160.0), 40.0, Some(2)),
            (true, Some(130.0), 25.0, Some(3)),
            (true, Some(130.0), 25.0, Some(3)),
            (true, Some(20.0), 40.0, Some(0)),
            (true, Some(20.0), 40.0, Some(0)),
            (true, None, 40.0, None),
        ];
        let compared = |(after_baseline, value, upper, grade): (bool, Option<f64>, f64, Option<u8>)| {
            Compared { after_baseline, measure: value.map(|value| value / upper), grade }
        };
        rows.map(compared).to_vec()
    }

    #[test]
    fn the_highest_has_the_worst_grade_then_the_greatest_part_of_its_limit() {
        assert_eq!(derive_var_highest(&twelve()), Some(7));
        assert_eq!(derive_var_highest(&twelve()[..7]), Some(4), "of equal ones the first");
        assert_eq!(derive_var_highest(&twelve()[..1]), None, "none after baseline");
    }

    #[test]
    fn the_lowest_of_a_test_without_grades_is_the_smallest() {
        let ungraded: Vec<Compared> =
            twelve().into_iter().map(|one| Compared { grade: None, ..one }).collect();
        assert_eq!(derive_var_lowest(&ungraded), Some(9));
    }
}
