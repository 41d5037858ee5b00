//! Many trials of one study under one scenario: what is counted, and how counts are joined.
//!
//! Everything that is kept adds up exactly (whole numbers and fixed-point sums), so that the answer is the
//! same bytes for any number of threads and any cut into shards, and memory does not grow with the trials.

use std::collections::BTreeMap;

use analysis::kernel::Group;
use protocol::Study;
use serde::{Deserialize, Serialize};
use terms::AnalysisId;

use crate::{
    fast::{Decision, Ended, FastPlan, NotFast, People, Tested, Workspace},
    streams::{Streams, TRIALS_MAX},
};

/// A sum of numbers in steps of 2⁻⁶⁴, exact in any order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FixedSum(i128);

const FIXED_UNIT: f64 = 18_446_744_073_709_551_616.0;

impl FixedSum {
    fn add(&mut self, value: f64) {
        self.0 = self.0.saturating_add((value * FIXED_UNIT) as i128);
    }

    fn join(&mut self, other: Self) {
        self.0 = self.0.saturating_add(other.0);
    }

    /// Returns the sum.
    pub fn value(self) -> f64 {
        self.0 as f64 / FIXED_UNIT
    }
}

impl Serialize for FixedSum {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for FixedSum {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(serde::de::Error::custom)
    }
}

/// Counts of values by size: each bin holds the numbers that share sign, exponent and the first six bits, so
/// that a quantile read from it is off by less than one part in sixty-four.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Histogram(BTreeMap<i64, u64>);

/// Bits of a double that a bin leaves open.
const OPEN_BITS: u32 = 46;

impl Histogram {
    fn add(&mut self, value: f64) {
        *self.0.entry(Self::bin(value)).or_default() += 1;
    }

    fn bin(value: f64) -> i64 {
        let bits = (value.abs().to_bits() >> OPEN_BITS) as i64;
        if value < 0.0 { -bits - 1 } else { bits }
    }

    fn middle(bin: i64) -> f64 {
        let of = |bits: i64| f64::from_bits((bits as u64) << OPEN_BITS | 1 << (OPEN_BITS - 1));
        match bin {
            0 | -1 => 0.0,
            bin if bin < 0 => -of(-bin - 1),
            bin => of(bin),
        }
    }

    fn join(&mut self, other: &Self) {
        for (bin, count) in &other.0 {
            *self.0.entry(*bin).or_default() += count;
        }
    }

    /// Returns the value below which about a share of the numbers lie; none of no numbers.
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let all: u64 = self.0.values().sum();
        let wanted = (share * all as f64).ceil().max(1.0) as u64;
        let mut seen = 0;
        for (bin, count) in &self.0 {
            seen += count;
            if seen >= wanted {
                return Some(Self::middle(*bin));
            }
        }
        None
    }
}

/// What is kept of one analysis over many trials.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    /// Trials in which the method had nothing to work on.
    pub failed: u64,
    /// Trials with a p-value at or below alpha.
    pub rejected: u64,
    /// Of those, with an estimate below zero.
    pub rejected_below: u64,
    /// Trials whose interval held the true value.
    pub covered: u64,
    /// Trials whose interval lies above the value to be excluded.
    pub excluded_above: u64,
    /// Trials whose interval lies below it.
    pub excluded_below: u64,
    /// Participants analysed, over all trials.
    pub analysed: u64,
    /// Sum of their squares.
    pub analysed_squares: u64,
    /// Trials whose estimate has no bound: an odds ratio beside an empty cell.
    pub unbounded: u64,
    /// Sum of the estimates that have one.
    pub estimates: FixedSum,
    /// Sum of their squares.
    pub squares: FixedSum,
    /// Their distribution.
    pub histogram: Histogram,
}

/// What is kept of a design over many trials.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DesignTally {
    /// By look: trials that ended there with each decision, in the order of [`DECISIONS`].
    pub looks: Vec<[u64; DECISIONS.len()]>,
    /// Participants, over all trials.
    pub size: u64,
    /// Sum of their squares.
    pub size_squares: u64,
    /// Days from opening to the decision, over all trials.
    pub days: u64,
    /// Sum of their squares.
    pub days_squares: u64,
}

/// Decisions in the order in which they are counted, and what they are called.
pub const DECISIONS: [(Decision, &str); 5] = [
    (Decision::InFavour, "in_favour"),
    (Decision::Against, "against"),
    (Decision::Futile, "futile"),
    (Decision::Unsafe, "unsafe"),
    (Decision::Open, "open"),
];

impl DesignTally {
    fn add(&mut self, ended: Ended) {
        if self.looks.len() <= ended.look {
            self.looks.resize(ended.look + 1, [0; DECISIONS.len()]);
        }
        let decision = DECISIONS.iter().position(|(decision, _)| *decision == ended.decision);
        self.looks[ended.look][decision.unwrap_or(DECISIONS.len() - 1)] += 1;
        let (size, days) = (u64::from(ended.size), u64::from(ended.days));
        self.size += size;
        self.size_squares += size * size;
        self.days += days;
        self.days_squares += days * days;
    }

    fn join(&mut self, other: &Self) {
        if self.looks.len() < other.looks.len() {
            self.looks.resize(other.looks.len(), [0; DECISIONS.len()]);
        }
        for (look, other) in self.looks.iter_mut().zip(&other.looks) {
            look.iter_mut().zip(other).for_each(|(count, other)| *count += other);
        }
        self.size += other.size;
        self.size_squares += other.size_squares;
        self.days += other.days;
        self.days_squares += other.days_squares;
    }
}

/// A mean over trials with its spread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Mean {
    /// The mean.
    pub mean: f64,
    /// Standard deviation over trials.
    pub sd: f64,
    /// Monte Carlo standard error of the mean.
    pub mc_se: f64,
}

impl Mean {
    /// Returns the mean of `n` whole numbers from their sum and the sum of their squares.
    pub fn of(n: u64, sum: u64, squares: u64) -> Self {
        let n = n.max(1) as f64;
        let mean = sum as f64 / n;
        let sd = ((squares as f64 - n * mean * mean).max(0.0) / (n - 1.0).max(1.0)).sqrt();
        Self { mean, sd, mc_se: sd / n.sqrt() }
    }
}

/// What trials are judged by.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Criteria {
    /// Reject at p-values up to this.
    pub alpha: f64,
    /// A value that an interval may leave out.
    pub exclude: Option<f64>,
}

/// A whole number of each trial, summed over trials.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WholeSum {
    /// Its sum.
    pub sum: u64,
    /// The sum of its squares.
    pub squares: u64,
}

impl WholeSum {
    fn add(&mut self, value: u64) {
        self.sum += value;
        self.squares += value * value;
    }

    fn join(&mut self, other: Self) {
        self.sum += other.sum;
        self.squares += other.squares;
    }

    /// Returns its mean over so many trials.
    pub fn mean(self, trials: u64) -> Mean {
        Mean::of(trials, self.sum, self.squares)
    }
}

/// What is kept of a scenario over many trials.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Counts {
    /// Trials.
    pub trials: u64,
    /// People screened.
    pub screened: WholeSum,
    /// Participants entered.
    pub entered: WholeSum,
    /// Days from opening to the last start.
    pub recruitment_days: WholeSum,
    /// By analysis, in the order of the plan.
    pub tallies: Vec<Tally>,
    /// Of the design in force, if there is one.
    pub design: Option<DesignTally>,
}

impl Counts {
    /// Returns counts of no trials.
    pub fn none(analyses: usize) -> Self {
        Self { tallies: vec![Tally::default(); analyses], ..Self::default() }
    }

    /// Adds a trial's results. Where a design decides by one of them, `decided` holds its place and the end.
    pub fn add(
        &mut self,
        tested: &[Tested],
        truths: &[Option<f64>],
        criteria: Criteria,
        people: People,
        decided: Option<(usize, Ended)>,
    ) {
        self.trials += 1;
        if let Some((_, ended)) = decided {
            self.design.get_or_insert_default().add(ended);
        }
        self.screened.add(people.screened);
        self.entered.add(people.entered);
        self.recruitment_days.add(people.recruitment_days);
        for (place, ((tally, tested), truth)) in self.tallies.iter_mut().zip(tested).zip(truths).enumerate() {
            let analysed = u64::from(tested.analysed);
            tally.analysed += analysed;
            tally.analysed_squares += analysed * analysed;
            let Some(outcome) = tested.outcome else {
                tally.failed += 1;
                continue;
            };
            let rejects = match decided.filter(|(decides, _)| *decides == place) {
                Some((_, ended)) => matches!(ended.decision, Decision::InFavour | Decision::Against),
                None => outcome.p <= criteria.alpha,
            };
            if rejects {
                tally.rejected += 1;
                tally.rejected_below += u64::from(outcome.estimate < 0.0);
            }
            let holds = |truth: f64| (outcome.lower..=outcome.upper).contains(&truth);
            tally.covered += u64::from(truth.is_some_and(holds));
            if let Some(value) = criteria.exclude {
                tally.excluded_above += u64::from(outcome.lower > value);
                tally.excluded_below += u64::from(outcome.upper < value);
            }
            if !outcome.estimate.is_finite() {
                tally.unbounded += 1;
                continue;
            }
            tally.estimates.add(outcome.estimate);
            tally.squares.add(outcome.estimate * outcome.estimate);
            tally.histogram.add(outcome.estimate);
        }
    }

    /// Adds other trials of the same scenario.
    pub fn join(&mut self, other: &Self) {
        self.trials += other.trials;
        self.screened.join(other.screened);
        self.entered.join(other.entered);
        self.recruitment_days.join(other.recruitment_days);
        for (tally, other) in self.tallies.iter_mut().zip(&other.tallies) {
            tally.failed += other.failed;
            tally.rejected += other.rejected;
            tally.rejected_below += other.rejected_below;
            tally.covered += other.covered;
            tally.excluded_above += other.excluded_above;
            tally.excluded_below += other.excluded_below;
            tally.analysed += other.analysed;
            tally.analysed_squares += other.analysed_squares;
            tally.unbounded += other.unbounded;
            tally.estimates.join(other.estimates);
            tally.squares.join(other.squares);
            tally.histogram.join(&other.histogram);
        }
        if let Some(other) = &other.design {
            self.design.get_or_insert_default().join(other);
        }
    }
}

/// A share with its Monte Carlo standard error.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Share {
    /// The share.
    pub share: f64,
    /// Its standard error.
    pub mc_se: f64,
}

impl Share {
    /// Returns the share of `count` in `all`.
    pub fn of(count: u64, all: u64) -> Self {
        let n = all.max(1) as f64;
        let share = count as f64 / n;
        Self { share, mc_se: (share * (1.0 - share) / n).sqrt() }
    }
}

/// Operating characteristics of one analysis under one scenario.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Characteristics {
    /// The analysis.
    pub id: AnalysisId,
    /// Share of trials with p at or below alpha: power, or the type I error where nothing is to be found.
    pub rejection_rate: f64,
    /// Its Monte Carlo standard error.
    pub mc_se: f64,
    /// Mean of the estimates; none if every trial failed, or one has no bound.
    pub mean_estimate: Option<f64>,
    /// Share of intervals that hold the true value.
    pub coverage: Option<f64>,
    /// Monte Carlo standard error of the coverage.
    pub coverage_mc_se: Option<f64>,
    /// The true value: what the estimate comes to in one trial of very many participants.
    pub true_value: Option<f64>,
    /// Its Monte Carlo standard error: that of an estimate from the participants of [`TRUTH_TRIALS`] trials.
    pub true_value_mc_se: Option<f64>,
    /// The mean of the estimates less the true value.
    pub bias: Option<f64>,
    /// Its Monte Carlo standard error, which both have a part in.
    pub bias_mc_se: Option<f64>,
    /// Standard deviation of the estimates.
    pub sd_estimate: Option<f64>,
    /// Its Monte Carlo standard error, as of normal estimates.
    pub sd_estimate_mc_se: Option<f64>,
    /// Monte Carlo standard error of the mean estimate.
    pub mean_estimate_mc_se: Option<f64>,
    /// Estimates at 2.5, 25, 50, 75 and 97.5 %.
    pub quantiles: Vec<f64>,
    /// Their Monte Carlo standard errors: half of what lies between the quantiles at the share less and plus its own.
    pub quantiles_mc_se: Vec<f64>,
    /// Share of trials that reject with an estimate below zero.
    pub rejection_rate_below: f64,
    /// Its Monte Carlo standard error.
    pub rejection_rate_below_mc_se: f64,
    /// Trials whose interval lies above the value to be excluded.
    pub excluded_above: u64,
    /// Trials whose interval lies below it.
    pub excluded_below: u64,
    /// Monte Carlo standard errors of the shares that these two are of all trials.
    pub excluded_mc_se: [f64; 2],
    /// Trials in which the method had nothing to work on.
    pub failed_fits: u64,
    /// Mean number of participants analysed.
    pub analysed: f64,
    /// Its Monte Carlo standard error.
    pub analysed_mc_se: f64,
}

/// Shares at which quantiles are told.
const QUANTILES: [f64; 5] = [0.025, 0.25, 0.5, 0.75, 0.975];

impl Characteristics {
    /// Reads an analysis' tally.
    pub fn of(id: &AnalysisId, tally: &Tally, trials: u64, truth: Option<f64>) -> Self {
        let rejection = Share::of(tally.rejected, trials);
        let fitted = trials - tally.failed;
        let n = fitted as f64;
        let mean = (fitted > 0 && tally.unbounded == 0).then(|| tally.estimates.value() / n);
        let sd = mean
            .filter(|_| fitted > 1)
            .map(|mean| ((tally.squares.value() - n * mean * mean).max(0.0) / (n - 1.0)).sqrt());
        let mean_mc_se = sd.map(|sd| sd / n.sqrt());
        let truth_mc_se = truth.and(sd).map(|sd| sd / (TRUTH_TRIALS as f64).sqrt());
        let coverage = truth.filter(|_| fitted > 0).map(|_| Share::of(tally.covered, fitted));
        let below = Share::of(tally.rejected_below, trials);
        let analysed = Mean::of(trials, tally.analysed, tally.analysed_squares);
        let bounded = (fitted - tally.unbounded) as f64;
        let quantile_mc_se = |share: f64| {
            let error = (share * (1.0 - share) / bounded.max(1.0)).sqrt();
            let at = |share: f64| tally.histogram.quantile(share.clamp(0.0, 1.0));
            Some((at(share + error)? - at(share - error)?) / 2.0)
        };
        Self {
            id: id.clone(),
            rejection_rate: rejection.share,
            mc_se: rejection.mc_se,
            mean_estimate: mean,
            coverage: coverage.map(|coverage| coverage.share),
            coverage_mc_se: coverage.map(|coverage| coverage.mc_se),
            true_value: truth,
            true_value_mc_se: truth_mc_se,
            bias: mean.zip(truth).map(|(mean, truth)| mean - truth),
            bias_mc_se: mean_mc_se.zip(truth_mc_se).map(|(mean, truth)| (mean * mean + truth * truth).sqrt()),
            sd_estimate: sd,
            sd_estimate_mc_se: sd.map(|sd| sd / (2.0 * (n - 1.0)).sqrt()),
            mean_estimate_mc_se: mean_mc_se,
            quantiles: QUANTILES.iter().filter_map(|share| tally.histogram.quantile(*share)).collect(),
            quantiles_mc_se: QUANTILES.iter().filter_map(|share| quantile_mc_se(*share)).collect(),
            rejection_rate_below: below.share,
            rejection_rate_below_mc_se: below.mc_se,
            excluded_above: tally.excluded_above,
            excluded_below: tally.excluded_below,
            excluded_mc_se: [tally.excluded_above, tally.excluded_below]
                .map(|count| Share::of(count, trials).mc_se),
            failed_fits: tally.failed,
            analysed: analysed.mean,
            analysed_mc_se: analysed.mc_se,
        }
    }
}

/// Trials in a block, which one thread runs in a row.
pub const BLOCK: u64 = 256;

/// The number of the first trial that serves to find the true values; no campaign counts so far.
const TRUTH_TRIALS_FROM: u64 = TRIALS_MAX - TRUTH_TRIALS;

/// Trials whose participants are pooled to find the true values.
pub const TRUTH_TRIALS: u64 = 2_000;

/// Runs trials `from..to` of a seed.
pub fn run_block(
    plan: &FastPlan<'_>,
    seed: u64,
    (from, to): (u64, u64),
    truths: &[Option<f64>],
    criteria: Criteria,
    space: &mut Workspace,
) -> Counts {
    let mut counts = Counts::none(plan.analyses().count());
    let streams = Streams::new(seed);
    for trial in from..to {
        plan.run(&streams.numbered(trial), space);
        let decided = plan.decides().zip(space.ended());
        counts.add(space.results(), truths, criteria, space.people(), decided);
    }
    counts
}

/// Returns the true value of each analysis' estimate: what it comes to where the participants of very many
/// trials are taken as one. It is the same for every shard of a campaign, since its trials are its own.
pub fn true_values(plan: &FastPlan<'_>, seed: u64, space: &mut Workspace) -> Vec<Option<f64>> {
    let pooled = pooled(plan, seed, TRUTH_TRIALS, space);
    pooled.iter().enumerate().map(|(place, groups)| plan.limit(place, groups)).collect()
}

/// What becomes of the participants of a trial, on average.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Course {
    /// Trials that the means are over.
    pub trials: u64,
    /// Participants who stop the drug before its time.
    pub stopped_early: Mean,
    /// Serious adverse events from the first dose on.
    pub serious_events: Mean,
    /// Participants with at least one.
    pub with_serious_event: Mean,
    /// Days from the study's opening until the last participant is through.
    pub days: Mean,
}

/// Returns what becomes of the participants, from trials of its own: the same for every shard of a campaign.
///
/// # Errors
/// The study's way in or its visits can't be simulated on the fast path.
pub fn course(study: &Study, seed: u64) -> Result<Course, NotFast> {
    let plan = FastPlan::compile_course(study)?;
    let mut space = Workspace::default();
    let mut sums = [[0; 2]; 4];
    for trial in 0..TRUTH_TRIALS {
        plan.conduct(&Streams::of_trial_number(seed, TRUTH_TRIALS_FROM + trial), &mut space);
        let seen = space.seen();
        let counts = [seen.stopped_early, seen.serious_events, seen.with_serious_event, seen.days];
        for ([sum, squares], count) in sums.iter_mut().zip(counts.map(u64::from)) {
            *sum += count;
            *squares += count * count;
        }
    }
    let [stopped_early, serious_events, with_serious_event, days] =
        sums.map(|[sum, squares]| Mean::of(TRUTH_TRIALS, sum, squares));
    Ok(Course { trials: TRUTH_TRIALS, stopped_early, serious_events, with_serious_event, days })
}

/// Returns the outcomes of the participants of many trials taken as one: for each analysis those of its
/// first (or only) and its second group.
pub fn pooled(plan: &FastPlan<'_>, seed: u64, trials: u64, space: &mut Workspace) -> Vec<[Group; 2]> {
    let analyses = plan.analyses().count();
    let mut pooled: Vec<[Group; 2]> = vec![<[Group; 2]>::default(); analyses];
    for trial in 0..trials {
        plan.conduct(&Streams::of_trial_number(seed, TRUTH_TRIALS_FROM + trial), space);
        for ((place, analysis), groups) in plan.analyses.iter().enumerate().zip(&mut pooled) {
            space.pool(place, analysis, groups);
        }
    }
    pooled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_the_same_in_any_order() {
        let numbers: Vec<f64> = (0..1000).map(|i| (f64::from(i) * 0.7).sin() / 3.0).collect();
        let (mut up, mut down) = (FixedSum::default(), FixedSum::default());
        numbers.iter().for_each(|x| up.add(*x));
        numbers.iter().rev().for_each(|x| down.add(*x));
        assert_eq!(up, down);
        assert!((up.value() - numbers.iter().sum::<f64>()).abs() < 1e-12);
    }

    #[test]
    fn quantiles_of_a_histogram_are_near() {
        let mut histogram = Histogram::default();
        for i in -5000..5000 {
            histogram.add((f64::from(i) + 0.5) / 1000.0);
        }
        for (share, expected) in [(0.1, -4.0), (0.25, -2.5), (0.75, 2.5), (0.9, 4.0)] {
            let found = histogram.quantile(share).unwrap();
            assert!((found - expected).abs() < expected.abs() / 60.0, "{share}: {found}");
        }
    }

    #[test]
    fn a_tally_survives_its_writing() {
        let mut tally = Tally::default();
        tally.estimates.add(-0.123_456_789);
        tally.histogram.add(-0.123_456_789);
        let text = serde_json::to_string(&tally).unwrap();
        assert_eq!(serde_json::from_str::<Tally>(&text).unwrap(), tally);
    }
}
