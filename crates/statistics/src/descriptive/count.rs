//! Counts and percentages.

use crate::NotEstimable;

/// A count among a total.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Count {
    /// How many.
    pub count: u64,
    /// Among how many.
    pub total: u64,
    /// `100 count / total`.
    pub percent: f64,
}

/// The share of `count` in `total`.
///
/// # Errors
/// A total of zero, or a count above the total.
pub fn count_of(count: u64, total: u64) -> Result<Count, NotEstimable> {
    if total == 0 {
        Err(NotEstimable::NoObservations)
    } else if count > total {
        Err(NotEstimable::OutOfRange { name: "count" })
    } else {
        Ok(Count { count, total, percent: 100.0 * count as f64 / total as f64 })
    }
}

#[test]
fn nobody_has_no_percentage() {
    assert_eq!(count_of(0, 0), Err(NotEstimable::NoObservations));
    assert_eq!(count_of(3, 2), Err(NotEstimable::OutOfRange { name: "count" }));
    assert_eq!(count_of(1, 8).map(|c| c.percent), Ok(12.5));
}
