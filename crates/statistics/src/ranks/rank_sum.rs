//! The rank sum test of Wilcoxon, and Mann and Whitney.
//!
//! Exact p-values are given the mid-ranks: every choice of the first arm's members is
//! equally likely. In unequal arms with ties the null distribution is not symmetric
//! and "two-sided" has two meanings, so it is an argument ([`TwoSided`]). Repeated
//! tests go through a [`RankSumWorkspace`], which allocates nothing once warm and
//! keeps the tie-free null distribution of the last pair of sizes.
//! Mathematics: `docs/methods/mann_whitney.md`.

use std::cmp::Ordering;

use super::midranks::doubled_midranks;
use super::rank_sum_null::{Halves, Table, tie_free_at_most};
use super::{Continuity, normal_p};
use crate::not_estimable::all_finite;
use crate::{NotEstimable, distribution};

/// The meaning of an exact two-sided p-value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TwoSided {
    /// P(|W - E W| ≥ |w - E W|): the permutation rule.
    AsFarFromMean,
    /// Twice the smaller one-sided p-value, at most one.
    TwiceSmallerTail,
}

/// The rank sum and its null moments.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RankSum {
    /// Sizes of the arms, `x` first.
    pub n: [usize; 2],
    /// Whether any two observations are equal.
    pub ties: bool,
    /// Sum of the mid-ranks of `x` among all observations.
    pub rank_sum_x: f64,
    /// Mann-Whitney statistic of `x`: the number of pairs with x > y, plus half the tied pairs.
    pub w: f64,
    /// `w / (m n)`, an estimate of P(X > Y) + P(X = Y) / 2.
    pub prob_x_greater: f64,
    /// Null mean of `w`, m n / 2.
    pub mean: f64,
    /// Null variance of `w` given the ties, m n / 12 (N + 1 - Σ(t³ - t) / (N (N - 1))).
    pub variance: f64,
    /// `(w - mean) / √variance`.
    pub z: f64,
    doubled_rank_sum_x: u64,
}

/// Exact p-values of the rank sum test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RankSumExact {
    /// Two-sided p-value under the rule that was asked for.
    pub p_two_sided: f64,
    /// P(W ≤ w).
    pub p_less: f64,
    /// P(W ≥ w).
    pub p_greater: f64,
}

/// Normal approximation to the rank sum test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RankSumNormal {
    /// Two-sided p-value.
    pub p_two_sided: f64,
    /// P-value against smaller values in `x`.
    pub p_less: f64,
    /// P-value against larger values in `x`.
    pub p_greater: f64,
}

/// Computes the rank sum of `x` among `x` and `y`.
///
/// # Errors
/// An empty arm, a value that is not finite, or all values tied.
pub fn rank_sum(x: &[f64], y: &[f64]) -> Result<RankSum, NotEstimable> {
    RankSumWorkspace::default().rank_sum(x, y)
}

/// The exact test. See [`RankSumWorkspace`] for many tests in a row.
///
/// # Errors
/// As [`rank_sum`], and [`NotEstimable::TooLargeForExact`] beyond 1,020 observations.
pub fn rank_sum_exact(x: &[f64], y: &[f64], two_sided: TwoSided) -> Result<RankSumExact, NotEstimable> {
    RankSumWorkspace::default().exact(x, y, two_sided)
}

/// The normal approximation, with the variance given the ties.
pub fn rank_sum_normal(ranked: &RankSum, continuity: Continuity) -> RankSumNormal {
    let (p_two_sided, p_less, p_greater) =
        normal_p(ranked.w - ranked.mean, ranked.variance.sqrt(), continuity);
    RankSumNormal { p_two_sided, p_less, p_greater }
}

/// Buffers and the cached tie-free null distribution for repeated rank sum tests.
#[derive(Debug, Default)]
pub struct RankSumWorkspace {
    pooled: Vec<(f64, bool)>,
    doubled_ranks: Vec<u32>,
    halves: Halves,
    table: Table,
    tie_free: TieFree,
}

/// P(W ≤ w) for w = 0 ..= m n without ties.
#[derive(Debug, Default)]
struct TieFree {
    n: [usize; 2],
    at_most: Vec<f64>,
}

impl RankSumWorkspace {
    /// Computes the rank sum of `x` among `x` and `y`; see [`rank_sum`].
    ///
    /// # Errors
    /// As [`rank_sum`].
    pub fn rank_sum(&mut self, x: &[f64], y: &[f64]) -> Result<RankSum, NotEstimable> {
        if x.is_empty() || y.is_empty() {
            return Err(NotEstimable::ArmEmpty);
        }
        all_finite(x)?;
        all_finite(y)?;
        self.pooled.clear();
        // Adding zero turns -0.0 into 0.0, so that the two are tied.
        self.pooled.extend(x.iter().map(|v| (v + 0.0, true)));
        self.pooled.extend(y.iter().map(|v| (v + 0.0, false)));
        self.pooled.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let (tie_term, groups) = doubled_midranks(&self.pooled, |p| p.0, &mut self.doubled_ranks);
        if groups == 1 {
            return Err(NotEstimable::AllTied);
        }
        let doubled_rank_sum_x = self
            .pooled
            .iter()
            .zip(&self.doubled_ranks)
            .map(|(p, &r)| if p.1 { u64::from(r) } else { 0 })
            .sum();
        let (m, n) = (x.len() as f64, y.len() as f64);
        let total = m + n;
        let rank_sum_x = doubled_rank_sum_x as f64 / 2.0;
        let w = rank_sum_x - m * (m + 1.0) / 2.0;
        let mean = m * n / 2.0;
        let variance = m * n / 12.0 * (total + 1.0 - tie_term / (total * (total - 1.0)));
        Ok(RankSum {
            n: [x.len(), y.len()],
            ties: groups < self.pooled.len(),
            rank_sum_x,
            w,
            prob_x_greater: w / (m * n),
            mean,
            variance,
            z: (w - mean) / variance.sqrt(),
            doubled_rank_sum_x,
        })
    }

    /// The exact test; see [`rank_sum_exact`].
    ///
    /// # Errors
    /// As [`rank_sum_exact`].
    pub fn exact(&mut self, x: &[f64], y: &[f64], two_sided: TwoSided) -> Result<RankSumExact, NotEstimable> {
        let ranked = self.rank_sum(x, y)?;
        if ranked.ties { self.exact_with_ties(&ranked, two_sided) } else { self.exact_without_ties(&ranked) }
    }

    /// Without ties the null distribution is symmetric and both two-sided rules agree.
    fn exact_without_ties(&mut self, ranked: &RankSum) -> Result<RankSumExact, NotEstimable> {
        let at_most = self.tie_free_at_most(ranked.n)?;
        let last = at_most.len() - 1;
        let w = ranked.w as usize;
        let (p_less, p_greater) = (at_most[w], at_most[last - w]);
        Ok(RankSumExact { p_two_sided: (2.0 * p_less.min(p_greater)).min(1.0), p_less, p_greater })
    }

    /// The cached P(W ≤ w), w = 0 ..= m n, for arms of these sizes without ties.
    pub(super) fn tie_free_at_most(&mut self, n: [usize; 2]) -> Result<&[f64], NotEstimable> {
        if self.tie_free.n != n {
            tie_free_at_most(&mut self.table, n, &mut self.tie_free.at_most)?;
            self.tie_free.n = n;
        }
        Ok(&self.tie_free.at_most)
    }

    fn exact_with_ties(&mut self, ranked: &RankSum, rule: TwoSided) -> Result<RankSumExact, NotEstimable> {
        let [m, n] = ranked.n;
        let total: u64 = self.doubled_ranks.iter().map(|&r| u64::from(r)).sum();
        // Count the smaller arm's sums; the other arm's sum is the total less that one's.
        let swapped = n < m;
        let k = m.min(n);
        let observed = if swapped { total - ranked.doubled_rank_sum_x } else { ranked.doubled_rank_sum_x };
        self.halves.count(&self.doubled_ranks, k)?;
        let (low, high) = (self.halves.at_most(observed), self.halves.at_least(observed));
        let (p_less, p_greater) = if swapped { (high, low) } else { (low, high) };
        let p_two_sided = match rule {
            TwoSided::AsFarFromMean => {
                // Sums as far from the mean k total / (m + n) on the other side: the mirror image of the
                // observed sum is a fraction over m + n.
                let (twice_mean, size) = (2 * k as u64 * total, (m + n) as u64);
                let mirror = twice_mean - size * observed;
                match (size * observed).cmp(&mirror) {
                    Ordering::Less => low + self.halves.at_least(mirror.div_ceil(size)),
                    Ordering::Equal => 1.0,
                    Ordering::Greater => high + self.halves.at_most(mirror / size),
                }
            }
            TwoSided::TwiceSmallerTail => 2.0 * low.min(high),
        };
        Ok(RankSumExact { p_two_sided: p_two_sided.min(1.0), p_less, p_greater })
    }
}

/// The Kruskal-Wallis test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KruskalWallis {
    /// The statistic, corrected for ties.
    pub chi_squared: f64,
    /// Degrees of freedom, the number of arms less one.
    pub df: f64,
    /// P-value from chi-squared.
    pub p: f64,
}

/// Compares two or more arms by ranks.
///
/// # Errors
/// Fewer than two arms, an empty arm, a value that is not finite, or all values tied.
pub fn kruskal_wallis(arms: &[&[f64]]) -> Result<KruskalWallis, NotEstimable> {
    if arms.len() < 2 {
        return Err(NotEstimable::TooFewObservations { needed: 2, found: arms.len() });
    }
    if arms.iter().any(|a| a.is_empty()) {
        return Err(NotEstimable::ArmEmpty);
    }
    let mut pooled = Vec::new();
    for (arm, values) in arms.iter().enumerate() {
        all_finite(values)?;
        pooled.extend(values.iter().map(|v| (v + 0.0, arm)));
    }
    pooled.sort_unstable_by(|a: &(f64, usize), b| a.0.total_cmp(&b.0));
    let mut ranks = Vec::new();
    let (tie_term, groups) = doubled_midranks(&pooled, |p| p.0, &mut ranks);
    if groups == 1 {
        return Err(NotEstimable::AllTied);
    }
    let n = pooled.len() as f64;
    let mut sums = vec![0.0; arms.len()];
    for (p, r) in pooled.iter().zip(&ranks) {
        // Deviations from the mean rank keep digits that sums of squares would lose.
        sums[p.1] += f64::from(*r) / 2.0 - (n + 1.0) / 2.0;
    }
    let between: f64 = sums.iter().zip(arms).map(|(s, a)| s * s / a.len() as f64).sum();
    let chi_squared = 12.0 * between / (n * (n + 1.0)) / (1.0 - tie_term / (n * n * n - n));
    let df = arms.len() as f64 - 1.0;
    Ok(KruskalWallis { chi_squared, df, p: distribution::chi_squared_upper(chi_squared, df) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_empty_arm_gives_no_test() {
        assert_eq!(rank_sum(&[], &[1.0]), Err(NotEstimable::ArmEmpty));
        assert_eq!(rank_sum_exact(&[1.0], &[], TwoSided::AsFarFromMean), Err(NotEstimable::ArmEmpty));
        assert_eq!(kruskal_wallis(&[&[1.0], &[]]), Err(NotEstimable::ArmEmpty));
    }

    #[test]
    fn tied_data_give_no_test() {
        assert_eq!(rank_sum(&[0.0, -0.0], &[0.0]), Err(NotEstimable::AllTied));
        assert_eq!(kruskal_wallis(&[&[1.0], &[1.0]]), Err(NotEstimable::AllTied));
    }

    #[test]
    fn one_observation_an_arm_has_a_p_value_of_one() {
        let p = rank_sum_exact(&[1.0], &[2.0], TwoSided::AsFarFromMean).unwrap();
        assert_eq!((p.p_two_sided, p.p_less, p.p_greater), (1.0, 0.5, 1.0));
    }

    #[test]
    fn the_two_sided_rules_differ_in_unequal_arms_with_ties() {
        let (x, y) =
            ([0.0, 0.0, 0.0, 1.0, 1.0, 2.0, 2.0, 3.0], [0.0, 1.0, 1.0, 2.0, 3.0, 3.0, 3.0, 3.0, 3.0]);
        let far = rank_sum_exact(&x, &y, TwoSided::AsFarFromMean).unwrap().p_two_sided;
        let twice = rank_sum_exact(&x, &y, TwoSided::TwiceSmallerTail).unwrap().p_two_sided;
        assert!((far - 0.091_320_444_261_620_74).abs() < 1e-14);
        assert!((twice - 0.099_136_157_959_687_38).abs() < 1e-14);
    }

    proptest! {
        #[test]
        fn dynamic_programming_equals_enumeration(
            x in prop::collection::vec(0u8..6, 1..6), y in prop::collection::vec(0u8..6, 1..6)
        ) {
            let (x, y): (Vec<f64>, Vec<f64>) =
                (x.into_iter().map(f64::from).collect(), y.into_iter().map(f64::from).collect());
            let mut space = RankSumWorkspace::default();
            let Ok(ranked) = space.rank_sum(&x, &y) else { return Ok(()) };
            let (ranks, k) = (space.doubled_ranks.clone(), x.len());
            let total: i64 = ranks.iter().map(|&r| i64::from(r)).sum();
            let far = |s: i64| (s * ranks.len() as i64 - total * k as i64).abs();
            let observed = ranked.doubled_rank_sum_x as i64;
            let (mut all, mut less, mut as_far) = (0.0, 0.0, 0.0);
            for chosen in 0..1u32 << ranks.len() {
                if chosen.count_ones() as usize == k {
                    let s: i64 = (0..ranks.len()).filter(|i| chosen >> i & 1 == 1).map(|i| i64::from(ranks[i])).sum();
                    all += 1.0;
                    less += f64::from(u8::from(s <= observed));
                    as_far += f64::from(u8::from(far(s) >= far(observed)));
                }
            }
            let exact = space.exact(&x, &y, TwoSided::AsFarFromMean).unwrap();
            prop_assert!((exact.p_less - less / all).abs() < 1e-14);
            prop_assert!((exact.p_two_sided - as_far / all).abs() < 1e-14);
        }

        #[test]
        fn swapping_the_arms_swaps_the_tails(
            x in prop::collection::vec(0u8..9, 1..9), y in prop::collection::vec(0u8..9, 1..9)
        ) {
            let (x, y): (Vec<f64>, Vec<f64>) =
                (x.into_iter().map(f64::from).collect(), y.into_iter().map(f64::from).collect());
            for rule in [TwoSided::AsFarFromMean, TwoSided::TwiceSmallerTail] {
                let (Ok(a), Ok(b)) = (rank_sum_exact(&x, &y, rule), rank_sum_exact(&y, &x, rule)) else { return Ok(()) };
                prop_assert!((a.p_two_sided - b.p_two_sided).abs() < 1e-14);
                prop_assert!((a.p_less - b.p_greater).abs() < 1e-14);
            }
        }
    }
}
