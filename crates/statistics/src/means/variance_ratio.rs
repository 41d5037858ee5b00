//! The F-test of the ratio of two variances.
//!
//! Mathematics: `docs/methods/t_two_sample.md`.

use crate::descriptive::variance;
use crate::{Confidence, Interval, NotEstimable, distribution};

/// The ratio of two variances.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VarianceRatio {
    /// var(x) / var(y).
    pub f: f64,
    /// Numerator and denominator degrees of freedom.
    pub df: [f64; 2],
    /// Two-sided p-value, twice the smaller tail.
    pub p_two_sided: f64,
    /// Interval of the ratio.
    pub interval: Interval,
}

/// Tests whether two variances are equal.
///
/// # Errors
/// An empty arm, fewer than two observations in one, a value that is not finite, or an arm without spread.
pub fn variance_ratio(x: &[f64], y: &[f64], confidence: Confidence) -> Result<VarianceRatio, NotEstimable> {
    if x.is_empty() || y.is_empty() {
        return Err(NotEstimable::ArmEmpty);
    }
    let (vx, vy) = (variance(x)?, variance(y)?);
    if vx == 0.0 || vy == 0.0 {
        return Err(NotEstimable::ZeroVariance);
    }
    let f = vx / vy;
    let df = [x.len() as f64 - 1.0, y.len() as f64 - 1.0];
    let smaller = distribution::f_upper(f, df[0], df[1]).min(distribution::f_lower(f, df[0], df[1]));
    let tail = confidence.tail();
    Ok(VarianceRatio {
        f,
        df,
        p_two_sided: (2.0 * smaller).min(1.0),
        interval: Interval {
            lower: f / distribution::f_quantile_upper(tail, df[0], df[1]),
            upper: f * distribution::f_quantile_upper(tail, df[1], df[0]),
        },
    })
}

#[test]
fn a_constant_arm_has_no_variance_ratio() {
    assert_eq!(variance_ratio(&[1.0, 1.0], &[1.0, 2.0], Confidence::C95), Err(NotEstimable::ZeroVariance));
    assert_eq!(variance_ratio(&[], &[1.0, 2.0], Confidence::C95), Err(NotEstimable::ArmEmpty));
    let too_few = NotEstimable::TooFewObservations { needed: 2, found: 1 };
    assert_eq!(variance_ratio(&[1.0], &[1.0, 2.0], Confidence::C95), Err(too_few));
}
