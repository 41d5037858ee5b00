//! McNemar's test of paired proportions.
//!
//! Mathematics: `docs/methods/mcnemar.md`.

use super::binomial::clopper_pearson;
use crate::{Confidence, Interval, NotEstimable, distribution};

/// McNemar's test in its variants.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct McNemar {
    /// (b - c)² / (b + c).
    pub chi_squared: f64,
    /// P-value of `chi_squared`.
    pub p: f64,
    /// (|b - c| - 1)² / (b + c), or zero where b = c.
    pub chi_squared_corrected: f64,
    /// P-value of `chi_squared_corrected`.
    pub p_corrected: f64,
    /// Twice the smaller tail of Binomial(b + c, 1/2) at b.
    pub p_exact: f64,
    /// `p_exact` with half the probability of the observed b in each tail.
    pub p_mid: f64,
    /// The conditional odds ratio b / c; may be infinite.
    pub odds_ratio: f64,
    /// Its exact interval, from the Clopper-Pearson interval of b / (b + c); a limit may be zero or infinite.
    pub odds_ratio_interval: Interval,
}

/// Tests whether the discordant counts `b` (first row, second column) and `c` are equally likely.
///
/// # Errors
/// [`NotEstimable::NoDiscordantPairs`] where both are zero.
pub fn mcnemar(b: u64, c: u64, confidence: Confidence) -> Result<McNemar, NotEstimable> {
    let n = b + c;
    if n == 0 {
        return Err(NotEstimable::NoDiscordantPairs);
    }
    let (difference, total) = (b.abs_diff(c) as f64, n as f64);
    let chi_squared = difference * difference / total;
    let chi_squared_corrected = (difference - 1.0).max(0.0).powi(2) / total;
    let smaller = b.min(c);
    let tail = distribution::binomial_lower(smaller, n, 0.5);
    let observed = distribution::binomial_pmf(smaller, n, 0.5);
    let odds = |p: f64| if p >= 1.0 { f64::INFINITY } else { p / (1.0 - p) };
    Ok(McNemar {
        chi_squared,
        p: distribution::chi_squared_upper(chi_squared, 1.0),
        chi_squared_corrected,
        p_corrected: distribution::chi_squared_upper(chi_squared_corrected, 1.0),
        p_exact: (2.0 * tail).min(1.0),
        p_mid: (2.0 * (tail - 0.5 * observed)).min(1.0),
        odds_ratio: b as f64 / c as f64,
        odds_ratio_interval: clopper_pearson(b, n, confidence)?.map(odds),
    })
}

#[test]
fn no_discordant_pairs_give_no_test() {
    assert_eq!(mcnemar(0, 0, Confidence::C95), Err(NotEstimable::NoDiscordantPairs));
}

#[test]
fn equal_discordant_counts_have_a_p_value_of_one() {
    let even = mcnemar(3, 3, Confidence::C95).unwrap();
    assert_eq!((even.p, even.p_corrected, even.p_exact), (1.0, 1.0, 1.0));
    assert!((even.p_mid - 1.0).abs() < 1e-14);
    assert_eq!(mcnemar(4, 0, Confidence::C95).unwrap().odds_ratio_interval.upper, f64::INFINITY);
}
