//! The root of a monotone function, by bisection.
//!
//! Used where a confidence limit solves an equation. Bisection is slow but cannot
//! fail: it stops when the bracket cannot be halved any more in double precision, so
//! the answer is limited by the function and not by a tolerance.

/// Returns the x in `[low, high]` where the increasing function `f` crosses zero.
///
/// The crossing is assumed to lie inside; if it does not, the nearer end is returned.
pub(crate) fn of_increasing(mut low: f64, mut high: f64, f: impl Fn(f64) -> f64) -> f64 {
    loop {
        let middle = low + 0.5 * (high - low);
        if middle <= low || middle >= high {
            return middle;
        }
        if f(middle) < 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
}

/// Returns the x in `[low, high]` where the decreasing function `f` crosses zero.
pub(crate) fn of_decreasing(low: f64, high: f64, f: impl Fn(f64) -> f64) -> f64 {
    of_increasing(low, high, |x| -f(x))
}

#[test]
fn a_square_root_is_found_to_the_last_digit() {
    assert!((of_increasing(0.0, 2.0, |x| x * x - 2.0) - 2.0_f64.sqrt()).abs() <= 2.3e-16);
    assert!((of_decreasing(0.0, 2.0, |x| 2.0 - x * x) - 2.0_f64.sqrt()).abs() <= 2.3e-16);
}
