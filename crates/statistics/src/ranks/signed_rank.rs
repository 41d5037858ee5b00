//! Wilcoxon's signed rank test.
//!
//! Zeros are either dropped before ranking (Wilcoxon) or ranked and then dropped
//! (Pratt); programs differ, so it is an argument. The exact null distribution takes
//! each sign as plus or minus with probability one half, given the mid-ranks, and is
//! built by dynamic programming. Mathematics: `docs/methods/wilcoxon_signed_rank.md`.

use super::midranks::doubled_midranks;
use super::{Continuity, normal_p};
use crate::not_estimable::all_finite;
use crate::{NotEstimable, distribution};

/// What becomes of differences of zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zeros {
    /// They are dropped before ranking.
    Drop,
    /// They are ranked with the others, and their ranks are then dropped.
    Pratt,
}

/// The signed rank statistic and its null moments.
#[derive(Debug, Clone, PartialEq)]
pub struct SignedRank {
    /// Number of differences, zeros included.
    pub n: usize,
    /// Number of zero differences.
    pub n_zero: usize,
    /// Whether two non-zero differences have the same absolute value.
    pub ties: bool,
    /// Sum of the ranks of positive differences (V, or W+).
    pub v_plus: f64,
    /// Sum of the ranks of negative differences (W-).
    pub v_minus: f64,
    /// Null mean of `v_plus`, Σr / 2.
    pub mean: f64,
    /// Null variance of `v_plus`, Σr² / 4.
    pub variance: f64,
    /// `(v_plus - mean) / √variance`.
    pub z: f64,
    doubled_ranks: Vec<u32>,
    doubled_v_plus: u64,
}

/// Exact p-values of the signed rank test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SignedRankExact {
    /// P(|V - mean| ≥ |v - mean|), which is twice the smaller tail since the null distribution is symmetric.
    pub p_two_sided: f64,
    /// P(V ≤ v).
    pub p_less: f64,
    /// P(V ≥ v).
    pub p_greater: f64,
}

/// Normal approximation to the signed rank test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SignedRankNormal {
    /// Two-sided p-value.
    pub p_two_sided: f64,
    /// P-value against smaller differences.
    pub p_less: f64,
    /// P-value against larger differences.
    pub p_greater: f64,
}

/// Student's t approximation to the signed rank test, as SAS PROC UNIVARIATE gives it for more than 20 differences.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SignedRankT {
    /// The centred statistic `S = v_plus - n (n + 1) / 4`.
    pub s: f64,
    /// `n (n + 1)(2n + 1) / 24 - Σ(t³ - t) / 48`.
    pub variance: f64,
    /// `S √(n - 1) / √(n variance - S²)`.
    pub t: f64,
    /// Degrees of freedom, n - 1.
    pub df: f64,
    /// Two-sided p-value.
    pub p_two_sided: f64,
}

/// Ranks the absolute differences and sums the ranks of the positive ones.
///
/// # Errors
/// No differences, one that is not finite, or only zeros.
pub fn signed_rank(differences: &[f64], zeros: Zeros) -> Result<SignedRank, NotEstimable> {
    if differences.is_empty() {
        return Err(NotEstimable::NoObservations);
    }
    all_finite(differences)?;
    let n_zero = differences.iter().filter(|d| **d == 0.0).count();
    if n_zero == differences.len() {
        return Err(NotEstimable::AllDifferencesZero);
    }
    let mut sorted: Vec<f64> =
        differences.iter().copied().filter(|d| zeros == Zeros::Pratt || *d != 0.0).collect();
    sorted.sort_unstable_by(|a, b| a.abs().total_cmp(&b.abs()));
    let mut doubled_ranks = Vec::with_capacity(sorted.len());
    doubled_midranks(&sorted, |d| d.abs(), &mut doubled_ranks);
    let leading_zeros = if zeros == Zeros::Pratt { n_zero } else { 0 };
    doubled_ranks.drain(..leading_zeros);
    let used = &sorted[leading_zeros..];
    let total: u64 = doubled_ranks.iter().map(|&r| u64::from(r)).sum();
    let doubled_v_plus: u64 =
        used.iter().zip(&doubled_ranks).map(|(d, &r)| if *d > 0.0 { u64::from(r) } else { 0 }).sum();
    let mean = total as f64 / 4.0;
    let variance = doubled_ranks.iter().map(|&r| f64::from(r) * f64::from(r)).sum::<f64>() / 16.0;
    let v_plus = doubled_v_plus as f64 / 2.0;
    Ok(SignedRank {
        n: differences.len(),
        n_zero,
        ties: used.windows(2).any(|w| w[0].abs() == w[1].abs()),
        v_plus,
        v_minus: (total - doubled_v_plus) as f64 / 2.0,
        mean,
        variance,
        z: (v_plus - mean) / variance.sqrt(),
        doubled_ranks,
        doubled_v_plus,
    })
}

/// The exact test, given the mid-ranks.
///
/// # Errors
/// [`NotEstimable::TooLargeForExact`] beyond 1,000 non-zero differences.
pub fn signed_rank_exact(ranked: &SignedRank) -> Result<SignedRankExact, NotEstimable> {
    let n = ranked.doubled_ranks.len();
    if n > 1_000 {
        return Err(NotEstimable::TooLargeForExact);
    }
    // All doubled ranks are even when there are no ties at half-integers; then halve them.
    let unit: u32 = if ranked.doubled_ranks.iter().all(|r| r % 2 == 0) { 2 } else { 1 };
    let counts = subset_sum_counts(ranked.doubled_ranks.iter().map(|&r| (r / unit) as usize));
    let v = (ranked.doubled_v_plus / u64::from(unit)) as usize;
    // The counts are symmetric, so that the upper tail at v is the lower tail at total - v.
    let total = counts.len() - 1;
    let all = 2.0_f64.powi(n as i32);
    let at_most = |v: usize| counts[..=v].iter().sum::<f64>() / all;
    let (p_less, p_greater) = (at_most(v), at_most(total - v));
    Ok(SignedRankExact { p_two_sided: (2.0 * p_less.min(p_greater)).min(1.0), p_less, p_greater })
}

/// The number of subsets of `ranks` with each sum from 0 to the total, exact while below 2^53.
pub(super) fn subset_sum_counts(ranks: impl Iterator<Item = usize> + Clone) -> Vec<f64> {
    let total: usize = ranks.clone().sum();
    let mut counts = vec![0.0; total + 1];
    counts[0] = 1.0;
    let mut reached = 0;
    for r in ranks {
        for s in (0..=reached).rev() {
            counts[s + r] += counts[s];
        }
        reached += r;
    }
    counts
}

/// The normal approximation, with the variance given the mid-ranks.
pub fn signed_rank_normal(ranked: &SignedRank, continuity: Continuity) -> SignedRankNormal {
    let (p_two_sided, p_less, p_greater) =
        normal_p(ranked.v_plus - ranked.mean, ranked.variance.sqrt(), continuity);
    SignedRankNormal { p_two_sided, p_less, p_greater }
}

/// Student's t approximation; meant for zeros dropped.
///
/// # Errors
/// Fewer than two non-zero differences, or all of one sign and size so that the denominator is zero.
pub fn signed_rank_t(ranked: &SignedRank) -> Result<SignedRankT, NotEstimable> {
    let found = ranked.doubled_ranks.len();
    if found < 2 {
        return Err(NotEstimable::TooFewObservations { needed: 2, found });
    }
    let n = found as f64;
    let s = ranked.v_plus - ranked.mean;
    let rest = n * ranked.variance - s * s;
    if rest <= 0.0 {
        return Err(NotEstimable::ZeroDenominator);
    }
    let t = s * (n - 1.0).sqrt() / rest.sqrt();
    Ok(SignedRankT {
        s,
        variance: ranked.variance,
        t,
        df: n - 1.0,
        p_two_sided: distribution::t_two_sided(t, n - 1.0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_zeros_give_no_test() {
        for zeros in [Zeros::Drop, Zeros::Pratt] {
            assert_eq!(signed_rank(&[0.0, -0.0], zeros), Err(NotEstimable::AllDifferencesZero));
            assert_eq!(signed_rank(&[], zeros), Err(NotEstimable::NoObservations));
            assert_eq!(signed_rank(&[f64::NAN], zeros), Err(NotEstimable::NotFinite));
        }
    }

    #[test]
    fn one_difference_has_a_p_value_of_one() {
        let ranked = signed_rank(&[3.0], Zeros::Drop).unwrap();
        assert_eq!(signed_rank_exact(&ranked).unwrap().p_two_sided, 1.0);
        let too_few = NotEstimable::TooFewObservations { needed: 2, found: 1 };
        assert_eq!(signed_rank_t(&ranked), Err(too_few));
    }

    #[test]
    fn equal_differences_of_one_sign_have_no_t_approximation() {
        let ranked = signed_rank(&[2.0, 2.0, 2.0], Zeros::Drop).unwrap();
        assert_eq!(signed_rank_t(&ranked), Err(NotEstimable::ZeroDenominator));
    }

    #[test]
    fn a_thousand_differences_are_still_exact() {
        let d: Vec<f64> =
            (1..=1_000).map(|i| if i % 3 == 0 { -f64::from(i) } else { f64::from(i) }).collect();
        let ranked = signed_rank(&d, Zeros::Drop).unwrap();
        let (exact, normal) =
            (signed_rank_exact(&ranked).unwrap(), signed_rank_normal(&ranked, Continuity::Half));
        assert!((exact.p_less - normal.p_less).abs() < 1e-6);
    }

    proptest! {
        #[test]
        fn dynamic_programming_equals_enumeration(d in prop::collection::vec(-4i8..=4, 1..11), pratt: bool) {
            let d: Vec<f64> = d.into_iter().map(f64::from).collect();
            let zeros = if pratt { Zeros::Pratt } else { Zeros::Drop };
            let Ok(ranked) = signed_rank(&d, zeros) else { return Ok(()) };
            let n = ranked.doubled_ranks.len();
            let (mut less, mut greater) = (0u32, 0u32);
            for signs in 0..1u32 << n {
                let v: u64 = (0..n).filter(|i| signs >> i & 1 == 1).map(|i| u64::from(ranked.doubled_ranks[i])).sum();
                less += u32::from(v <= ranked.doubled_v_plus);
                greater += u32::from(v >= ranked.doubled_v_plus);
            }
            let exact = signed_rank_exact(&ranked).unwrap();
            let all = f64::from(1u32 << n);
            prop_assert_eq!((exact.p_less, exact.p_greater), (f64::from(less) / all, f64::from(greater) / all));
        }
    }
}
