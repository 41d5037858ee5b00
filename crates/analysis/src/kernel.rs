//! The methods of a plan on plain columns of numbers, for a simulation's many trials.
//!
//! The numbers are those that [`run`](crate::run) writes down for the same outcomes: the same functions of the
//! statistics crate under the same options, without the sheet that remembers where each number came from.

use protocol::model::{Method, TwoSided, Zeros};
use statistics::{
    Confidence, NotEstimable,
    means::{Variances, one_sample_t, two_sample_t},
    ranks::{self, HodgesLehmannWorkspace, RankSumWorkspace, SignedRankWorkspace, hodges_lehmann_one_sample},
};

use crate::methods::confidence;

/// What a method found: its main estimate, that estimate's interval, and the two-sided p-value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// The estimate: a mean, a difference of means, a Hodges-Lehmann location or shift.
    pub estimate: f64,
    /// Its interval's lower limit.
    pub lower: f64,
    /// Its interval's upper limit.
    pub upper: f64,
    /// The two-sided p-value.
    pub p: f64,
}

/// A method with its options read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Task {
    kind: Kind,
    confidence: Confidence,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    OneSampleT,
    TwoSampleT(Variances),
    SignedRank(ranks::Zeros),
    RankSum(ranks::TwoSided),
}

impl Task {
    /// Reads a method of a plan.
    ///
    /// # Errors
    /// The name of a method that tests no column of numbers.
    pub fn of(method: &Method) -> Result<Self, &'static str> {
        let (kind, level) = match method {
            Method::PairedT { confidence } => (Kind::OneSampleT, confidence),
            Method::TwoSampleT { confidence, equal_variances } => {
                let variances = if *equal_variances { Variances::Equal } else { Variances::Unequal };
                (Kind::TwoSampleT(variances), confidence)
            }
            Method::SignedRank { zeros, confidence, .. } => {
                let zeros = match zeros {
                    Zeros::Dropped => ranks::Zeros::Drop,
                    Zeros::Pratt => ranks::Zeros::Pratt,
                };
                (Kind::SignedRank(zeros), confidence)
            }
            Method::RankSum { two_sided, confidence, .. } => {
                let two_sided = match two_sided {
                    TwoSided::AsFarFromMean => ranks::TwoSided::AsFarFromMean,
                    TwoSided::TwiceSmallerTail => ranks::TwoSided::TwiceSmallerTail,
                };
                (Kind::RankSum(two_sided), confidence)
            }
            other => return Err(other.word()),
        };
        Ok(Self { kind, confidence: confidence(*level).map_err(|_| "a method without a level")? })
    }

    /// Returns what the estimate comes to on so many outcomes that chance is gone: a mean, a difference of
    /// means, the median of all pairs' averages or differences (found by bisection to within a rounding).
    pub fn limit(&self, first: &[f64], second: &[f64]) -> Option<f64> {
        let mean =
            |values: &[f64]| (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64);
        match self.kind {
            Kind::OneSampleT => mean(first),
            Kind::TwoSampleT(_) => Some(mean(first)? - mean(second)?),
            Kind::SignedRank(_) => {
                let mirrored: Vec<f64> = first.iter().map(|value| -value).collect();
                median_difference(first, &mirrored).map(|twice| twice / 2.0)
            }
            Kind::RankSum(_) => median_difference(first, second),
        }
    }

    /// Whether it compares two groups.
    pub fn compares_groups(&self) -> bool {
        matches!(self.kind, Kind::TwoSampleT(_) | Kind::RankSum(_))
    }
}

/// Buffers for one test after another.
#[derive(Debug, Default)]
pub struct Kernel {
    rank_sum: RankSumWorkspace,
    signed_rank: SignedRankWorkspace,
    hodges_lehmann: HodgesLehmannWorkspace,
}

impl Kernel {
    /// Tests one group (`second` is not read) or compares two, the control second.
    ///
    /// # Errors
    /// There is nothing to estimate from.
    pub fn run(&mut self, task: &Task, first: &[f64], second: &[f64]) -> Result<Outcome, NotEstimable> {
        match task.kind {
            Kind::OneSampleT => {
                let test = one_sample_t(first, 0.0, task.confidence)?;
                Ok(Outcome {
                    estimate: test.estimate,
                    lower: test.interval.lower,
                    upper: test.interval.upper,
                    p: test.p_two_sided,
                })
            }
            Kind::TwoSampleT(variances) => {
                let test = two_sample_t(first, second, variances, task.confidence)?;
                Ok(Outcome {
                    estimate: test.difference,
                    lower: test.interval.lower,
                    upper: test.interval.upper,
                    p: test.p_two_sided,
                })
            }
            Kind::SignedRank(zeros) => {
                let exact = self.signed_rank.exact(first, zeros)?;
                let located = hodges_lehmann_one_sample(first, task.confidence)?;
                Ok(Outcome {
                    estimate: located.estimate,
                    lower: located.interval.interval.lower,
                    upper: located.interval.interval.upper,
                    p: exact.p_two_sided,
                })
            }
            Kind::RankSum(two_sided) => {
                let exact = self.rank_sum.exact(first, second, two_sided)?;
                let shift = self.hodges_lehmann.two_sample(first, second, task.confidence)?;
                Ok(Outcome {
                    estimate: shift.estimate,
                    lower: shift.interval.interval.lower,
                    upper: shift.interval.interval.upper,
                    p: exact.p_two_sided,
                })
            }
        }
    }
}

/// The median of all differences between two long columns, without writing them down: counts the pairs up
/// to a number in one pass over both sorted columns, and bisects.
fn median_difference(first: &[f64], second: &[f64]) -> Option<f64> {
    let sorted = |values: &[f64]| {
        let mut sorted = values.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        sorted
    };
    let (first, second) = (sorted(first), sorted(second));
    let (mut low, mut high) = (first.first()? - second.last()?, first.last()? - second.first()?);
    let half = (first.len() as u128 * second.len() as u128).div_ceil(2);
    let pairs_up_to = |limit: f64| {
        // For each of the first, those of the second that are at least `value - limit`.
        let mut from = 0;
        let mut pairs = 0u128;
        for value in &first {
            while from < second.len() && second[from] < value - limit {
                from += 1;
            }
            pairs += (second.len() - from) as u128;
        }
        pairs
    };
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if pairs_up_to(middle) >= half { high = middle } else { low = middle }
    }
    Some(high)
}

#[test]
fn the_median_difference_is_that_of_all_pairs() {
    let first = [3.0, -1.0, 4.0, 1.5, -5.0];
    let second = [2.0, 7.0, -1.8];
    let mut all: Vec<f64> = first.iter().flat_map(|a| second.iter().map(move |b| a - b)).collect();
    all.sort_by(f64::total_cmp);
    assert!((median_difference(&first, &second).unwrap() - all[7]).abs() < 1e-12);
    assert_eq!(median_difference(&[], &second), None);
}
