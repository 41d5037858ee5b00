//! The exact sign test.
//!
//! Mathematics: `docs/methods/wilcoxon_signed_rank.md`.

use crate::not_estimable::all_finite;
use crate::{NotEstimable, distribution};

/// The exact sign test; zeros are dropped.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SignTest {
    /// Number of positive differences.
    pub n_positive: usize,
    /// Number of non-zero differences.
    pub n: usize,
    /// Two-sided p-value, twice the smaller binomial tail.
    pub p_two_sided: f64,
}

/// Tests whether positive and negative differences are equally likely.
///
/// # Errors
/// No differences, one that is not finite, or only zeros.
pub fn sign_test(differences: &[f64]) -> Result<SignTest, NotEstimable> {
    if differences.is_empty() {
        return Err(NotEstimable::NoObservations);
    }
    all_finite(differences)?;
    let n_positive = differences.iter().filter(|d| **d > 0.0).count();
    let n = differences.iter().filter(|d| **d != 0.0).count();
    if n == 0 {
        return Err(NotEstimable::AllDifferencesZero);
    }
    let smaller = n_positive.min(n - n_positive) as u64;
    let p_two_sided = (2.0 * distribution::binomial_lower(smaller, n as u64, 0.5)).min(1.0);
    Ok(SignTest { n_positive, n, p_two_sided })
}

#[test]
fn only_zeros_have_no_sign() {
    assert_eq!(sign_test(&[0.0]), Err(NotEstimable::AllDifferencesZero));
    assert_eq!(sign_test(&[]), Err(NotEstimable::NoObservations));
    assert_eq!(sign_test(&[1.0]).map(|t| t.p_two_sided), Ok(1.0));
}
