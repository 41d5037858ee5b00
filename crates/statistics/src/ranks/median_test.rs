//! The two-sample median test of Brown and Mood.
//!
//! An observation scores one if it lies above the pooled median and zero otherwise,
//! so that the null distribution of the first arm's score is hypergeometric.
//! Mathematics: `docs/methods/mann_whitney.md`.

use crate::descriptive::median;
use crate::{NotEstimable, distribution};

/// The median test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MedianTest {
    /// Number of observations of `x` above the pooled median.
    pub above_x: usize,
    /// Standardised score of `x`, with the permutation variance.
    pub z: f64,
    /// Two-sided normal p-value of `z`.
    pub p_asymptotic: f64,
    /// Probability of a score at least as far from its mean.
    pub p_exact: f64,
}

/// Compares the numbers above the pooled median.
///
/// # Errors
/// An empty arm, a value that is not finite, or no observation above the pooled median.
pub fn median_test(x: &[f64], y: &[f64]) -> Result<MedianTest, NotEstimable> {
    if x.is_empty() || y.is_empty() {
        return Err(NotEstimable::ArmEmpty);
    }
    let pooled: Vec<f64> = x.iter().chain(y).copied().collect();
    let centre = median(&pooled)?;
    let above_x = x.iter().filter(|v| **v > centre).count();
    let above = above_x + y.iter().filter(|v| **v > centre).count();
    if above == 0 {
        return Err(NotEstimable::AllTied);
    }
    let (m, n, total) = (x.len(), y.len(), pooled.len());
    let (mf, nf, tf, af) = (m as f64, n as f64, total as f64, above as f64);
    let variance = mf * nf * af * (tf - af) / (tf * tf * (tf - 1.0));
    let z = (above_x as f64 - mf * af / tf) / variance.sqrt();
    // |N k - m a| in integers, so that equal distances are equal.
    let distance = |k: usize| (total * k).abs_diff(m * above);
    let far = distance(above_x);
    let p_exact: f64 = (above.saturating_sub(n)..=m.min(above))
        .filter(|&k| distance(k) >= far)
        .map(|k| {
            let k = k as f64;
            (distribution::ln_choose(mf, k) + distribution::ln_choose(nf, af - k)
                - distribution::ln_choose(tf, af))
            .exp()
        })
        .sum();
    Ok(MedianTest { above_x, z, p_asymptotic: distribution::normal_two_sided(z), p_exact: p_exact.min(1.0) })
}

#[test]
fn tied_data_have_nothing_above_their_median() {
    assert_eq!(median_test(&[1.0, 1.0], &[1.0]), Err(NotEstimable::AllTied));
    assert_eq!(median_test(&[], &[1.0]), Err(NotEstimable::ArmEmpty));
}
