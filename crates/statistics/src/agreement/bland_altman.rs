//! Bland and Altman's limits of agreement.
//!
//! Mathematics: `docs/methods/agreement.md`.

use crate::means::one_sample_t;
use crate::{Confidence, Interval, NotEstimable, distribution};

/// Limits of agreement of two methods.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BlandAltman {
    /// Number of pairs.
    pub n: usize,
    /// Mean difference, first less second.
    pub bias: f64,
    /// t interval of the bias.
    pub bias_interval: Interval,
    /// Standard deviation of the differences.
    pub sd: f64,
    /// `bias ± z sd`, with the normal quantile z of the level asked for.
    pub limits: Interval,
    /// Interval of the lower limit.
    pub lower_limit_interval: Interval,
    /// Interval of the upper limit.
    pub upper_limit_interval: Interval,
}

/// Compares pairs of measurements in the same order; one level serves the limits and the intervals.
///
/// The standard error of a limit is `sd √(1/n + z² / (2 (n - 1)))` (Bland and Altman 1999, section 2.1).
///
/// # Errors
/// Series of different length, fewer than two pairs, a value that is not finite, or equal differences.
pub fn bland_altman(
    first: &[f64],
    second: &[f64],
    confidence: Confidence,
) -> Result<BlandAltman, NotEstimable> {
    if first.len() != second.len() {
        return Err(NotEstimable::UnequalLengths { left: first.len(), right: second.len() });
    }
    let differences: Vec<f64> = first.iter().zip(second).map(|(a, b)| a - b).collect();
    let test = one_sample_t(&differences, 0.0, confidence)?;
    let (n, z) = (test.n as f64, confidence.z());
    let se = test.sd * (1.0 / n + z * z / (2.0 * (n - 1.0))).sqrt();
    let half = distribution::t_quantile_upper(confidence.tail(), test.df) * se;
    let limits = Interval::around(test.estimate, z * test.sd);
    Ok(BlandAltman {
        n: test.n,
        bias: test.estimate,
        bias_interval: test.interval,
        sd: test.sd,
        limits,
        lower_limit_interval: Interval::around(limits.lower, half),
        upper_limit_interval: Interval::around(limits.upper, half),
    })
}

#[test]
fn equal_differences_have_no_limits() {
    let refused = bland_altman(&[1.0, 2.0], &[0.0, 1.0], Confidence::C95);
    assert_eq!(refused, Err(NotEstimable::ZeroVariance));
    assert_eq!(bland_altman(&[], &[], Confidence::C95), Err(NotEstimable::NoObservations));
    let unpaired = NotEstimable::UnequalLengths { left: 1, right: 0 };
    assert_eq!(bland_altman(&[1.0], &[], Confidence::C95), Err(unpaired));
}
