//! Hodges-Lehmann estimates of location and shift, with exact intervals.
//!
//! The estimate is the median of all Walsh averages, or of all differences between
//! the arms. Interval limits are their order statistics at the quantile of the
//! tie-free null distribution; with ties the interval is conservative. Nothing is
//! solved iteratively. Mathematics: `docs/methods/hodges_lehmann.md`.

use super::rank_sum::RankSumWorkspace;
use super::signed_rank::SubsetSums;
use crate::descriptive::{QuantileType, quantile_of_sorted};
use crate::not_estimable::all_finite;
use crate::{Confidence, Interval, NotEstimable};

/// A Hodges-Lehmann estimate with its exact interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HodgesLehmann {
    /// The median of the Walsh averages, or of the differences.
    pub estimate: f64,
    /// The exact interval.
    pub interval: HodgesLehmannInterval,
}

/// An interval between two order statistics.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HodgesLehmannInterval {
    /// The limits are the k-th smallest and k-th largest.
    pub k: usize,
    /// The limits.
    pub interval: Interval,
    /// The level that this interval attains without ties; below the level asked for only
    /// where even the whole range attains less.
    pub achieved_level: f64,
}

/// The pseudomedian of `x`: the median of its Walsh averages (x_i + x_j) / 2, i ≤ j.
///
/// # Errors
/// No observations, one that is not finite, or more than 1,000 of them.
pub fn hodges_lehmann_one_sample(x: &[f64], confidence: Confidence) -> Result<HodgesLehmann, NotEstimable> {
    if x.is_empty() {
        return Err(NotEstimable::NoObservations);
    }
    all_finite(x)?;
    let n = x.len();
    if n > 1_000 {
        return Err(NotEstimable::TooLargeForExact);
    }
    let mut walsh = Vec::with_capacity(n * (n + 1) / 2);
    for (i, a) in x.iter().enumerate() {
        walsh.extend(x[i..].iter().map(|b| (a + b) / 2.0));
    }
    walsh.sort_unstable_by(f64::total_cmp);
    let mut sums = SubsetSums::default();
    let counts = sums.count(1..=n, n * (n + 1) / 2);
    let all = 2.0_f64.powi(n as i32);
    let at_most: Vec<f64> = running_sum(counts).map(|s| s / all).collect();
    Ok(from_order_statistics(&walsh, &at_most, confidence))
}

/// The shift from `y` to `x`: the median of all differences x_i - y_j.
///
/// # Errors
/// An empty arm, a value that is not finite, or more than 1,020 observations.
pub fn hodges_lehmann_two_sample(
    x: &[f64],
    y: &[f64],
    confidence: Confidence,
) -> Result<HodgesLehmann, NotEstimable> {
    let differences = sorted_differences(x, y)?;
    let mut space = RankSumWorkspace::default();
    let at_most = space.tie_free_at_most([x.len(), y.len()])?;
    Ok(from_order_statistics(&differences, at_most, confidence))
}

/// Buffers for repeated estimates of a shift, and the order statistics that arms of known sizes need.
#[derive(Debug, Default)]
pub struct HodgesLehmannWorkspace {
    differences: Vec<f64>,
    null: RankSumWorkspace,
    known: Vec<([usize; 2], Confidence, usize, f64)>,
}

impl HodgesLehmannWorkspace {
    /// The same as [`hodges_lehmann_two_sample`], without sorting all differences.
    ///
    /// # Errors
    /// As [`hodges_lehmann_two_sample`].
    pub fn two_sample(
        &mut self,
        x: &[f64],
        y: &[f64],
        confidence: Confidence,
    ) -> Result<HodgesLehmann, NotEstimable> {
        if x.is_empty() || y.is_empty() {
            return Err(NotEstimable::ArmEmpty);
        }
        all_finite(x)?;
        all_finite(y)?;
        let (k, achieved_level) = self.order_statistic([x.len(), y.len()], confidence)?;
        self.differences.clear();
        self.differences.extend(x.iter().flat_map(|a| y.iter().map(move |b| a - b)));
        let all = self.differences.len();
        let (below, upper, _) = self.differences.select_nth_unstable_by(all / 2, f64::total_cmp);
        let upper = *upper;
        let estimate = if all % 2 == 1 {
            upper
        } else {
            let lower = below.iter().copied().max_by(f64::total_cmp).unwrap_or(upper);
            quantile_of_sorted(&[lower, upper], 0.5, QuantileType::Type2)
        };
        // The halves on either side of the median hold the limits.
        let lower = *self.differences[..all.div_ceil(2)].select_nth_unstable_by(k - 1, f64::total_cmp).1;
        let upper = *self.differences[all / 2..].select_nth_unstable_by(all - k - all / 2, f64::total_cmp).1;
        Ok(HodgesLehmann {
            estimate,
            interval: HodgesLehmannInterval { k, interval: Interval { lower, upper }, achieved_level },
        })
    }

    fn order_statistic(
        &mut self,
        n: [usize; 2],
        confidence: Confidence,
    ) -> Result<(usize, f64), NotEstimable> {
        if let Some((_, _, k, level)) = self.known.iter().find(|one| one.0 == n && one.1 == confidence) {
            return Ok((*k, *level));
        }
        let at_most = self.null.tie_free_at_most(n)?;
        let (k, level) = order_statistic(at_most, confidence);
        self.known.push((n, confidence, k, level));
        Ok((k, level))
    }
}

/// Moses' interval of the shift with the normal quantile: `k = ⌊m n / 2 - z √(m n (m + n + 1) / 12)⌋`, at least one.
///
/// # Errors
/// As [`hodges_lehmann_two_sample`]. The achieved level is not computed.
pub fn moses_normal_interval(
    x: &[f64],
    y: &[f64],
    confidence: Confidence,
) -> Result<(usize, Interval), NotEstimable> {
    let differences = sorted_differences(x, y)?;
    let (m, n) = (x.len() as f64, y.len() as f64);
    let k = (m * n / 2.0 - confidence.z() * (m * n * (m + n + 1.0) / 12.0).sqrt()).floor().max(1.0) as usize;
    let last = differences.len() - 1;
    Ok((k, Interval { lower: differences[k - 1], upper: differences[last + 1 - k] }))
}

fn sorted_differences(x: &[f64], y: &[f64]) -> Result<Vec<f64>, NotEstimable> {
    if x.is_empty() || y.is_empty() {
        return Err(NotEstimable::ArmEmpty);
    }
    all_finite(x)?;
    all_finite(y)?;
    let mut differences: Vec<f64> = x.iter().flat_map(|a| y.iter().map(move |b| a - b)).collect();
    differences.sort_unstable_by(f64::total_cmp);
    Ok(differences)
}

/// `at_most[w]` is P(W ≤ w) of the tie-free statistic whose inversion gives the order statistics.
fn from_order_statistics(sorted: &[f64], at_most: &[f64], confidence: Confidence) -> HodgesLehmann {
    let (k, achieved_level) = order_statistic(at_most, confidence);
    HodgesLehmann {
        estimate: quantile_of_sorted(sorted, 0.5, QuantileType::Type2),
        interval: HodgesLehmannInterval {
            k,
            interval: Interval { lower: sorted[k - 1], upper: sorted[sorted.len() - k] },
            achieved_level,
        },
    }
}

/// The order statistic that limits the interval, and the level that it attains without ties.
fn order_statistic(at_most: &[f64], confidence: Confidence) -> (usize, f64) {
    // The smallest w with P(W ≤ w) ≥ tail, with R's slack for rounding of the tail.
    let tail = confidence.tail() - 10.0 * f64::EPSILON;
    let k = at_most.iter().position(|p| *p >= tail).unwrap_or(1).max(1);
    (k, 1.0 - 2.0 * at_most[k - 1])
}

fn running_sum(counts: &[f64]) -> impl Iterator<Item = f64> + '_ {
    counts.iter().scan(0.0, |sum, c| {
        *sum += c;
        Some(*sum)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn selecting_gives_what_sorting_gives(
            x in prop::collection::vec(-9i8..9, 1..12), y in prop::collection::vec(-9i8..9, 1..12)
        ) {
            let (x, y): (Vec<f64>, Vec<f64>) =
                (x.into_iter().map(|v| f64::from(v) / 7.0).collect(), y.into_iter().map(|v| f64::from(v) / 7.0).collect());
            let mut space = HodgesLehmannWorkspace::default();
            let sorted = hodges_lehmann_two_sample(&x, &y, Confidence::C95);
            prop_assert_eq!(space.two_sample(&x, &y, Confidence::C95), sorted);
        }
    }

    #[test]
    fn nothing_has_no_location() {
        assert_eq!(hodges_lehmann_one_sample(&[], Confidence::C95), Err(NotEstimable::NoObservations));
        assert_eq!(hodges_lehmann_two_sample(&[], &[1.0], Confidence::C95), Err(NotEstimable::ArmEmpty));
        assert_eq!(
            hodges_lehmann_two_sample(&[f64::NAN], &[1.0], Confidence::C95),
            Err(NotEstimable::NotFinite)
        );
    }

    #[test]
    fn one_observation_is_its_own_interval_at_level_zero() {
        let one = hodges_lehmann_one_sample(&[3.0], Confidence::C95).unwrap();
        assert_eq!((one.estimate, one.interval.k, one.interval.achieved_level), (3.0, 1, 0.0));
        let two = hodges_lehmann_two_sample(&[3.0], &[1.0], Confidence::C95).unwrap();
        assert_eq!((two.estimate, two.interval.achieved_level), (2.0, 0.0));
    }

    #[test]
    fn equal_observations_have_an_interval_of_no_width() {
        let tied = hodges_lehmann_two_sample(&[2.0; 9], &[1.0; 9], Confidence::C95).unwrap();
        assert_eq!(tied.interval.interval, Interval { lower: 1.0, upper: 1.0 });
    }
}
