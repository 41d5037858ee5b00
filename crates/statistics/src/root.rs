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

/// Returns the root of a smooth increasing function whose every evaluation is dear.
///
/// False position with the Illinois rule, which keeps the bracket and gains digits faster than
/// bisection; it stops when the estimate stands still.
pub(crate) fn of_smooth_increasing(low: f64, high: f64, f: impl Fn(f64) -> f64) -> f64 {
    let (mut a, mut at_a, mut b, mut at_b) = (low, f(low), high, f(high));
    if at_a >= 0.0 {
        return a;
    }
    if at_b <= 0.0 {
        return b;
    }
    let mut last = f64::NAN;
    for _ in 0..200 {
        let chord = (a * at_b - b * at_a) / (at_b - at_a);
        let x = if chord > a && chord < b { chord } else { 0.5 * (a + b) };
        let at_x = f(x);
        if at_x == 0.0 || (x - last).abs() <= f64::EPSILON * x.abs() || x <= a || x >= b {
            return x;
        }
        // The end that stays twice has its value halved, so that it moves next time.
        if at_x < 0.0 {
            (a, at_a, at_b) = (x, at_x, if last < x { 0.5 * at_b } else { at_b });
        } else {
            (b, at_b, at_a) = (x, at_x, if last > x { 0.5 * at_a } else { at_a });
        }
        last = x;
    }
    last
}

#[test]
fn false_position_finds_a_steep_root() {
    let found = of_smooth_increasing(0.0, 20.0, |x| x.exp() - 3.0);
    assert!((found - 3.0_f64.ln()).abs() <= 1e-15);
    assert_eq!(of_smooth_increasing(1.0, 2.0, |x| x), 1.0);
    assert_eq!(of_smooth_increasing(-2.0, -1.0, |x| x), -1.0);
}

#[test]
fn a_square_root_is_found_to_the_last_digit() {
    assert!((of_increasing(0.0, 2.0, |x| x * x - 2.0) - 2.0_f64.sqrt()).abs() <= 2.3e-16);
    assert!((of_decreasing(0.0, 2.0, |x| 2.0 - x * x) - 2.0_f64.sqrt()).abs() <= 2.3e-16);
}
