//! Student's t-test of one mean.
//!
//! Mathematics: `docs/methods/t_one_sample.md`.

use crate::descriptive::mean_and_variance;
use crate::distribution::{TQuantiles, t_tails};
use crate::{Confidence, Interval, NotEstimable};

/// A t-test and the interval that goes with it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TTest {
    /// Number of observations.
    pub n: usize,
    /// The mean.
    pub estimate: f64,
    /// Standard deviation of the observations.
    pub sd: f64,
    /// Standard error of the mean.
    pub se: f64,
    /// Interval of the mean.
    pub interval: Interval,
    /// The statistic `(estimate - null) / se`.
    pub t: f64,
    /// Degrees of freedom.
    pub df: f64,
    /// Two-sided p-value.
    pub p_two_sided: f64,
    /// P-value against a smaller mean.
    pub p_less: f64,
    /// P-value against a larger mean.
    pub p_greater: f64,
}

/// Tests whether the mean of `x` is `null`.
///
/// # Errors
/// Fewer than two observations, one that is not finite, or no spread beyond rounding.
pub fn one_sample_t(x: &[f64], null: f64, confidence: Confidence) -> Result<TTest, NotEstimable> {
    t_of(x.iter().copied(), null, confidence, None)
}

/// The same test as one of many: `quantiles` remembers what the tests before it needed.
///
/// # Errors
/// As [`one_sample_t`].
pub fn one_sample_t_among(
    x: &[f64],
    null: f64,
    confidence: Confidence,
    quantiles: &mut TQuantiles,
) -> Result<TTest, NotEstimable> {
    t_of(x.iter().copied(), null, confidence, Some(quantiles))
}

/// The test of numbers that need not lie in a slice.
pub(super) fn t_of(
    x: impl ExactSizeIterator<Item = f64> + Clone,
    null: f64,
    confidence: Confidence,
    quantiles: Option<&mut TQuantiles>,
) -> Result<TTest, NotEstimable> {
    let found = x.len();
    let (estimate, variance) = mean_and_variance(x)?;
    let sd = variance.ok_or(NotEstimable::TooFewObservations { needed: 2, found })?.sqrt();
    let n = found as f64;
    let se = sd / n.sqrt();
    if is_constant(se, estimate) {
        return Err(NotEstimable::ZeroVariance);
    }
    let df = n - 1.0;
    let t = (estimate - null) / se;
    let tails = t_tails(t, df);
    Ok(TTest {
        n: found,
        estimate,
        sd,
        se,
        interval: Interval::around(estimate, TQuantiles::upper(quantiles, confidence.tail(), df) * se),
        t,
        df,
        p_two_sided: tails.two_sided,
        p_less: tails.lower,
        p_greater: tails.upper,
    })
}

/// Whether a standard error is rounding noise beside values of this size.
pub(super) fn is_constant(se: f64, magnitude: f64) -> bool {
    se <= 10.0 * f64::EPSILON * magnitude.abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_observations_give_no_test() {
        let refused = one_sample_t(&[0.1, 0.1, 0.1], 0.0, Confidence::C95);
        assert_eq!(refused, Err(NotEstimable::ZeroVariance));
        assert_eq!(one_sample_t(&[0.0, 0.0], 0.0, Confidence::C95), Err(NotEstimable::ZeroVariance));
    }

    #[test]
    fn too_few_observations_give_no_test() {
        assert_eq!(one_sample_t(&[], 0.0, Confidence::C95), Err(NotEstimable::NoObservations));
        let too_few = NotEstimable::TooFewObservations { needed: 2, found: 1 };
        assert_eq!(one_sample_t(&[1.0], 0.0, Confidence::C95), Err(too_few));
    }
}
