//! Student's t-test of paired observations: a one-sample test of `after - before`.
//!
//! Mathematics: `docs/methods/t_paired.md`.

use super::one_sample_t::{TTest, t_of};
use crate::descriptive::mean;
use crate::{Confidence, NotEstimable};

/// A paired t-test with its standardised effect and the correlation of the two series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairedT {
    /// The test of the differences.
    pub test: TTest,
    /// Cohen's d_z, the mean difference over the standard deviation of the differences.
    pub cohen_dz: f64,
    /// Pearson's correlation; `None` where one series is constant.
    pub pearson_r: Option<f64>,
}

/// Tests whether the mean of `after - before` is zero. The series hold complete pairs in the same order.
///
/// # Errors
/// Series of different length, fewer than two pairs, a value that is not finite, or equal differences.
pub fn paired_t(before: &[f64], after: &[f64], confidence: Confidence) -> Result<PairedT, NotEstimable> {
    if before.len() != after.len() {
        return Err(NotEstimable::UnequalLengths { left: before.len(), right: after.len() });
    }
    let differences = before.iter().zip(after).map(|(b, a)| a - b);
    let test = t_of(differences, 0.0, confidence, None)?;
    Ok(PairedT { cohen_dz: test.estimate / test.sd, pearson_r: pearson_r(before, after).ok(), test })
}

/// Pearson's product-moment correlation of two series of the same length.
fn pearson_r(x: &[f64], y: &[f64]) -> Result<f64, NotEstimable> {
    let (mean_x, mean_y) = (mean(x)?, mean(y)?);
    let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
    for (a, b) in x.iter().zip(y) {
        xx += (a - mean_x) * (a - mean_x);
        yy += (b - mean_y) * (b - mean_y);
        xy += (a - mean_x) * (b - mean_y);
    }
    if xx == 0.0 || yy == 0.0 {
        return Err(NotEstimable::ZeroVariance);
    }
    Ok((xy / xx.sqrt() / yy.sqrt()).clamp(-1.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_changes_give_no_test() {
        let refused = paired_t(&[1.0, 2.0, 3.0], &[2.0, 3.0, 4.0], Confidence::C95);
        assert_eq!(refused, Err(NotEstimable::ZeroVariance));
    }

    #[test]
    fn series_of_different_length_are_not_paired() {
        let refused = paired_t(&[1.0], &[], Confidence::C95);
        assert_eq!(refused, Err(NotEstimable::UnequalLengths { left: 1, right: 0 }));
        assert_eq!(paired_t(&[], &[], Confidence::C95), Err(NotEstimable::NoObservations));
    }

    #[test]
    fn a_constant_baseline_has_no_correlation() {
        assert_eq!(paired_t(&[1.0, 1.0], &[2.0, 4.0], Confidence::C95).unwrap().pearson_r, None);
    }
}
