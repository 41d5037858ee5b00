//! Wilcoxon's signed rank test.
//!
//! Zeros are either dropped before ranking (Wilcoxon) or ranked and then dropped
//! (Pratt); programs differ, so it is an argument. The exact null distribution takes
//! each sign as plus or minus with probability one half, given the mid-ranks, and is
//! built by dynamic programming. Repeated tests go through a [`SignedRankWorkspace`],
//! which allocates nothing once warm. Mathematics: `docs/methods/wilcoxon_signed_rank.md`.

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
#[derive(Debug, Clone, Copy, PartialEq)]
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
    SignedRankWorkspace::default().signed_rank(differences, zeros)
}

/// The exact test, given the mid-ranks. See [`SignedRankWorkspace`] for many tests in a row.
///
/// # Errors
/// As [`signed_rank`], and [`NotEstimable::TooLargeForExact`] beyond 1,000 non-zero differences.
pub fn signed_rank_exact(differences: &[f64], zeros: Zeros) -> Result<SignedRankExact, NotEstimable> {
    SignedRankWorkspace::default().exact(differences, zeros)
}

/// Buffers for repeated signed rank tests.
#[derive(Debug, Default)]
pub struct SignedRankWorkspace {
    sorted: Vec<f64>,
    doubled_ranks: Vec<u32>,
    sums: SubsetSums,
}

impl SignedRankWorkspace {
    /// Ranks the absolute differences; see [`signed_rank`].
    ///
    /// # Errors
    /// As [`signed_rank`].
    pub fn signed_rank(&mut self, differences: &[f64], zeros: Zeros) -> Result<SignedRank, NotEstimable> {
        if differences.is_empty() {
            return Err(NotEstimable::NoObservations);
        }
        all_finite(differences)?;
        let n_zero = differences.iter().filter(|d| **d == 0.0).count();
        if n_zero == differences.len() {
            return Err(NotEstimable::AllDifferencesZero);
        }
        self.sorted.clear();
        self.sorted.extend(differences.iter().filter(|d| zeros == Zeros::Pratt || **d != 0.0));
        self.sorted.sort_unstable_by(|a, b| a.abs().total_cmp(&b.abs()));
        doubled_midranks(&self.sorted, |d| d.abs(), &mut self.doubled_ranks);
        let leading_zeros = if zeros == Zeros::Pratt { n_zero } else { 0 };
        self.doubled_ranks.drain(..leading_zeros);
        let (used, ranks) = (&self.sorted[leading_zeros..], &self.doubled_ranks);
        let total: u64 = ranks.iter().map(|&r| u64::from(r)).sum();
        let doubled_v_plus: u64 =
            used.iter().zip(ranks).map(|(d, &r)| if *d > 0.0 { u64::from(r) } else { 0 }).sum();
        let mean = total as f64 / 4.0;
        let variance = ranks.iter().map(|&r| f64::from(r) * f64::from(r)).sum::<f64>() / 16.0;
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
            doubled_v_plus,
        })
    }

    /// The exact test; see [`signed_rank_exact`].
    ///
    /// # Errors
    /// As [`signed_rank_exact`].
    pub fn exact(&mut self, differences: &[f64], zeros: Zeros) -> Result<SignedRankExact, NotEstimable> {
        let ranked = self.signed_rank(differences, zeros)?;
        let ranks = &self.doubled_ranks;
        if ranks.len() > RANKS_MAX {
            return Err(NotEstimable::TooLargeForExact);
        }
        // All doubled ranks are even when there are no ties at half-integers; then halve them.
        let unit: u32 = if ranks.iter().all(|r| r % 2 == 0) { 2 } else { 1 };
        let total = ranks.iter().map(|r| (r / unit) as usize).sum::<usize>();
        let v = (ranked.doubled_v_plus / u64::from(unit)) as usize;
        // The distribution is symmetric, so that only the sums of the smaller tail are counted.
        let smaller = v.min(total - v);
        let counts = self.sums.count(ranks.iter().map(|r| (r / unit) as usize), smaller);
        let all = 2.0_f64.powi(ranks.len() as i32);
        let below: f64 = counts[..smaller].iter().sum();
        let (small, large) = ((below + counts[smaller]) / all, (all - below) / all);
        let (p_less, p_greater) = if v == smaller { (small, large) } else { (large, small) };
        Ok(SignedRankExact { p_two_sided: (2.0 * small).min(1.0), p_less, p_greater })
    }
}

/// 2^1,000 is a double, and so is every count of this many ranks.
const RANKS_MAX: usize = 1_000;

/// Counts of subsets by the sum of their ranks.
#[derive(Debug, Default)]
pub(super) struct SubsetSums {
    counts: Vec<f64>,
    before: Vec<f64>,
}

impl SubsetSums {
    /// The number of subsets of `ranks` with each sum from 0 to `most`, exact while below 2^53.
    pub(super) fn count(&mut self, ranks: impl Iterator<Item = usize>, most: usize) -> &[f64] {
        self.counts.clear();
        self.counts.resize(most + 1, 0.0);
        self.counts[0] = 1.0;
        let mut reached = 0;
        for r in ranks.filter(|r| *r <= most) {
            // What was counted before this rank moves up by it.
            let width = reached.min(most - r) + 1;
            self.before.clear();
            self.before.extend_from_slice(&self.counts[..width]);
            for (count, before) in self.counts[r..r + width].iter_mut().zip(&self.before) {
                *count += before;
            }
            reached = (reached + r).min(most);
        }
        &self.counts
    }
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
    let found = ranked.n - ranked.n_zero;
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
        assert_eq!(signed_rank_exact(&[3.0], Zeros::Drop).unwrap().p_two_sided, 1.0);
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
            (signed_rank_exact(&d, Zeros::Drop).unwrap(), signed_rank_normal(&ranked, Continuity::Half));
        assert!((exact.p_less - normal.p_less).abs() < 1e-6);
    }

    proptest! {
        #[test]
        fn dynamic_programming_equals_enumeration(d in prop::collection::vec(-4i8..=4, 1..11), pratt: bool) {
            let d: Vec<f64> = d.into_iter().map(f64::from).collect();
            let zeros = if pratt { Zeros::Pratt } else { Zeros::Drop };
            let mut space = SignedRankWorkspace::default();
            let Ok(ranked) = space.signed_rank(&d, zeros) else { return Ok(()) };
            let ranks = space.doubled_ranks.clone();
            let n = ranks.len();
            let (mut less, mut greater) = (0u32, 0u32);
            for signs in 0..1u32 << n {
                let v: u64 = (0..n).filter(|i| signs >> i & 1 == 1).map(|i| u64::from(ranks[i])).sum();
                less += u32::from(v <= ranked.doubled_v_plus);
                greater += u32::from(v >= ranked.doubled_v_plus);
            }
            let exact = space.exact(&d, zeros).unwrap();
            let all = f64::from(1u32 << n);
            prop_assert_eq!((exact.p_less, exact.p_greater), (f64::from(less) / all, f64::from(greater) / all));
        }
    }
}
