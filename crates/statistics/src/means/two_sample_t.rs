//! Comparison of two independent means by Welch's or Student's pooled t-test.
//!
//! Mathematics: `docs/methods/t_two_sample.md`.

use super::one_sample_t::is_constant;
use crate::descriptive::mean_and_variance;
use crate::distribution::{TQuantiles, t_tails};
use crate::{Confidence, Interval, NotEstimable};

/// What is assumed of the two variances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variances {
    /// They may differ: Welch's test with Satterthwaite's degrees of freedom.
    Unequal,
    /// They are equal: Student's test with the pooled variance.
    Equal,
}

/// A comparison of two means.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TwoSampleT {
    /// The two means, `x` first.
    pub means: [f64; 2],
    /// The difference `mean(x) - mean(y)`.
    pub difference: f64,
    /// Standard error of the difference.
    pub se: f64,
    /// Interval of the difference.
    pub interval: Interval,
    /// The statistic `difference / se`.
    pub t: f64,
    /// Degrees of freedom.
    pub df: f64,
    /// Two-sided p-value.
    pub p_two_sided: f64,
    /// P-value against a negative difference.
    pub p_less: f64,
    /// P-value against a positive difference.
    pub p_greater: f64,
}

/// Compares the means of `x` and `y`.
///
/// # Errors
/// An empty arm, an arm too small for a variance (one observation, unless pooled with more
/// in the other), a value that is not finite, or no spread beyond rounding.
pub fn two_sample_t(
    x: &[f64],
    y: &[f64],
    variances: Variances,
    confidence: Confidence,
) -> Result<TwoSampleT, NotEstimable> {
    compare(x, y, variances, confidence, None)
}

/// The same comparison as one of many: `quantiles` remembers what those before it needed.
///
/// # Errors
/// As [`two_sample_t`].
pub fn two_sample_t_among(
    x: &[f64],
    y: &[f64],
    variances: Variances,
    confidence: Confidence,
    quantiles: &mut TQuantiles,
) -> Result<TwoSampleT, NotEstimable> {
    compare(x, y, variances, confidence, Some(quantiles))
}

fn compare(
    x: &[f64],
    y: &[f64],
    variances: Variances,
    confidence: Confidence,
    quantiles: Option<&mut TQuantiles>,
) -> Result<TwoSampleT, NotEstimable> {
    if x.is_empty() || y.is_empty() {
        return Err(NotEstimable::ArmEmpty);
    }
    let ((mean_x, variance_x), (mean_y, variance_y)) =
        (mean_and_variance(x.iter().copied())?, mean_and_variance(y.iter().copied())?);
    let means = [mean_x, mean_y];
    let (m, n) = (x.len() as f64, y.len() as f64);
    let (se, df) = match variances {
        Variances::Unequal => {
            let too_few = NotEstimable::TooFewObservations { needed: 2, found: 1 };
            let (vx, vy) = (variance_x.ok_or(too_few)? / m, variance_y.ok_or(too_few)? / n);
            let se = (vx + vy).sqrt();
            (se, (vx + vy).powi(2) / (vx * vx / (m - 1.0) + vy * vy / (n - 1.0)))
        }
        Variances::Equal => {
            let df = m + n - 2.0;
            if df < 1.0 {
                return Err(NotEstimable::TooFewObservations { needed: 3, found: 2 });
            }
            let squares = variance_x.unwrap_or(0.0) * (m - 1.0) + variance_y.unwrap_or(0.0) * (n - 1.0);
            ((squares / df * (1.0 / m + 1.0 / n)).sqrt(), df)
        }
    };
    if is_constant(se, means[0].abs().max(means[1].abs())) {
        return Err(NotEstimable::ZeroVariance);
    }
    let difference = means[0] - means[1];
    let t = difference / se;
    let tails = t_tails(t, df);
    Ok(TwoSampleT {
        means,
        difference,
        se,
        interval: Interval::around(difference, TQuantiles::upper(quantiles, confidence.tail(), df) * se),
        t,
        df,
        p_two_sided: tails.two_sided,
        p_less: tails.lower,
        p_greater: tails.upper,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_arm_gives_no_comparison() {
        for variances in [Variances::Equal, Variances::Unequal] {
            assert_eq!(
                two_sample_t(&[], &[1.0, 2.0], variances, Confidence::C95),
                Err(NotEstimable::ArmEmpty)
            );
        }
    }

    #[test]
    fn constant_arms_give_no_comparison() {
        for variances in [Variances::Equal, Variances::Unequal] {
            let refused = two_sample_t(&[1.0, 1.0], &[2.0, 2.0], variances, Confidence::C95);
            assert_eq!(refused, Err(NotEstimable::ZeroVariance));
        }
    }

    #[test]
    fn one_observation_can_only_be_pooled() {
        let (x, y) = ([1.0], [2.0, 3.0]);
        let too_few = NotEstimable::TooFewObservations { needed: 2, found: 1 };
        assert_eq!(two_sample_t(&x, &y, Variances::Unequal, Confidence::C95), Err(too_few));
        assert_eq!(two_sample_t(&x, &y, Variances::Equal, Confidence::C95).unwrap().df, 1.0);
        let too_few = NotEstimable::TooFewObservations { needed: 3, found: 2 };
        assert_eq!(two_sample_t(&x, &x, Variances::Equal, Confidence::C95), Err(too_few));
    }
}
