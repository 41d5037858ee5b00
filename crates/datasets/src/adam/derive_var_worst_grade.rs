//! Worst grade of an adverse event, from all the grades it ever had.
//!
//! A grade that was lowered later is not forgotten: an event that was severe for a
//! week is a severe event. A fatal outcome is grade 5 (CTCAE).
//!
//! | grades in order | fatal | worst |
//! |---|---|---|
//! | 1 | no | 1 |
//! | 1, 2 | no | 2 |
//! | 2, 1 | no | 2 |
//! | 1, 3, 2 | no | 3 |
//! | 4, 1 | no | 4 |
//! | 2, 2 | no | 2 |
//! | 3, 3, 1 | no | 3 |
//! | 4 | yes | 5 |
//! | 5 | yes | 5 |
//! | 3, 4 | yes | 5 |
//! | none | yes | 5 |
//! | none | no | - |

/// Returns the worst of the grades; 5 for a fatal event; none if no grade was ever given.
pub fn derive_var_worst_grade(grades: impl IntoIterator<Item = i64>, fatal: bool) -> Option<i64> {
    conduct::worst_grade(grades, fatal)
}

#[test]
fn the_twelve_rows_of_the_example() {
    let table: [(&[i64], bool, Option<i64>); 12] = [
        (&[1], false, Some(1)),
        (&[1, 2], false, Some(2)),
        (&[2, 1], false, Some(2)),
        (&[1, 3, 2], false, Some(3)),
        (&[4, 1], false, Some(4)),
        (&[2, 2], false, Some(2)),
        (&[3, 3, 1], false, Some(3)),
        (&[4], true, Some(5)),
        (&[5], true, Some(5)),
        (&[3, 4], true, Some(5)),
        (&[], true, Some(5)),
        (&[], false, None),
    ];
    for (grades, fatal, worst) in table {
        assert_eq!(derive_var_worst_grade(grades.iter().copied(), fatal), worst, "{grades:?}");
    }
}
