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
    // The smallest w with P(W ≤ w) ≥ tail, with R's slack for rounding of the tail.
    let tail = confidence.tail() - 10.0 * f64::EPSILON;
    let k = at_most.iter().position(|p| *p >= tail).unwrap_or(1).max(1);
    HodgesLehmann {
        estimate: quantile_of_sorted(sorted, 0.5, QuantileType::Type2),
        interval: HodgesLehmannInterval {
            k,
            interval: Interval { lower: sorted[k - 1], upper: sorted[sorted.len() - k] },
            achieved_level: 1.0 - 2.0 * at_most[k - 1],
        },
    }
}

fn running_sum(counts: &[f64]) -> impl Iterator<Item = f64> + '_ {
    counts.iter().scan(0.0, |sum, c| {
        *sum += c;
        Some(*sum)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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
