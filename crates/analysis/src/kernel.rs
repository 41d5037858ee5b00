//! The methods of a plan on plain columns of numbers, for a simulation's many trials.
//!
//! The numbers are those that [`run`](crate::run) writes down for the same outcomes: the same functions of the
//! statistics crate under the same options, without the sheet that remembers where each number came from.

mod hazards;
mod over_visits;

use std::collections::BTreeMap;

use protocol::model::{self, Method, TwoSided, Zeros};
use statistics::{
    Confidence, NotEstimable,
    distribution::TQuantiles,
    means::{Variances, one_sample_t_among, two_sample_t_among},
    models::LinearWorkspace,
    monitoring::StoppingBoundary,
    proportions::{BinomialInterval, binomial_interval, fisher_2x2},
    ranks::{self, HodgesLehmannWorkspace, RankSumWorkspace, SignedRankWorkspace, hodges_lehmann_one_sample},
};

use hazards::{HazardSpace, Hazards};
use over_visits::{Imputed, OverVisits, Space};

use crate::methods::{boundary, confidence, share_interval};

pub use over_visits::Courses;

/// What a method found: its main estimate, that estimate's interval, and the two-sided p-value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// The estimate: a mean, a difference of means, a Hodges-Lehmann location or shift, a percentage, an odds ratio, the
    /// logarithm of a hazard ratio.
    pub estimate: f64,
    /// Its interval's lower limit.
    pub lower: f64,
    /// Its interval's upper limit.
    pub upper: f64,
    /// The two-sided p-value; 1 of a method that tests nothing.
    pub p: f64,
}

/// Outcomes of one group, and beside each the baseline where a model reads it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Group {
    /// The outcomes; of a yes or no, 1 and 0; of a time to an event, its days.
    pub values: Vec<f64>,
    /// Of times: whether an event ended it.
    pub events: Vec<bool>,
    /// What explains the outcomes beside the groups, participant by participant: places of strata and of levels of
    /// factors, then covariates.
    pub beside: Vec<f64>,
    /// Baselines of the same participants, or nothing.
    pub baselines: Vec<f64>,
    /// Of a method over several visits, in the first group: the participants of all groups.
    pub courses: Courses,
}

impl Group {
    /// Empties it.
    pub fn clear(&mut self) {
        self.values.clear();
        self.events.clear();
        self.beside.clear();
        self.baselines.clear();
        self.courses.clear();
    }

    /// Adds other participants.
    pub fn extend(&mut self, others: &Self) {
        self.values.extend_from_slice(&others.values);
        self.events.extend_from_slice(&others.events);
        self.beside.extend_from_slice(&others.beside);
        self.baselines.extend_from_slice(&others.baselines);
        self.courses.extend(&others.courses);
    }

    /// Participants with a yes, and all.
    fn counts(&self) -> (u64, u64) {
        (self.values.iter().filter(|value| **value == 1.0).count() as u64, self.values.len() as u64)
    }
}

/// A method with its options read.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    kind: Kind,
    confidence: Confidence,
}

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    OneSampleT,
    TwoSampleT(Variances),
    SignedRank(ranks::Zeros),
    RankSum(ranks::TwoSided),
    /// Covariance with the baseline as the one covariate.
    Ancova,
    /// Covariance with factors and covariates, as many as these.
    Adjusted {
        factors: usize,
        covariates: usize,
    },
    Hazards(Hazards),
    Binomial(BinomialInterval),
    Fisher,
    OverVisits(OverVisits),
    Imputed(Box<Imputed>),
}

impl Task {
    /// Reads a method over several visits: the visit that is analysed, how many groups there are, and which two of them
    /// are compared (the first minus the second).
    ///
    /// # Errors
    /// What it reads that no [`Courses`] hold, or its name if it is of one visit.
    pub fn over_visits(
        method: &Method,
        at: &str,
        groups: usize,
        pair: Option<(usize, usize)>,
    ) -> Result<Self, String> {
        let (kind, level) = match method {
            Method::Mmrm(options) => {
                (Kind::OverVisits(OverVisits::of(options, at, groups, pair)?), options.confidence)
            }
            Method::MultipleImputation(options) => {
                (Kind::Imputed(Box::new(Imputed::of(options, at, groups, pair)?)), options.confidence)
            }
            other => return Err(format!("its method is {}", other.word())),
        };
        Ok(Self { kind, confidence: confidence(level).map_err(|fault| fault.to_string())? })
    }

    /// Whether a participant without any outcome is left out.
    pub fn needs_an_outcome(&self) -> bool {
        !matches!(self.kind, Kind::Imputed(_))
    }

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
            Method::Ancova(options) if options.factors.is_empty() && options.covariates == ["baseline"] => {
                (Kind::Ancova, &options.confidence)
            }
            Method::Ancova(options) => {
                let (factors, covariates) = (options.factors.len(), options.covariates.len());
                (Kind::Adjusted { factors, covariates }, &options.confidence)
            }
            Method::LogRank(options) => (Kind::Hazards(Hazards::log_rank(options)), &options.confidence),
            Method::Cox(options) => (Kind::Hazards(Hazards::cox(options)), &options.confidence),
            Method::Binomial { interval, confidence } => {
                (Kind::Binomial(share_interval(*interval)), confidence)
            }
            Method::Fisher { confidence } => (Kind::Fisher, confidence),
            other => return Err(other.word()),
        };
        Ok(Self { kind, confidence: confidence(*level).map_err(|_| "a method without a level")? })
    }

    /// Returns what the estimate comes to on so many outcomes that chance is gone: a mean, a difference of
    /// means (adjusted or not), a percentage, an odds ratio, the median of all pairs' averages or differences
    /// (found by bisection to within a rounding).
    pub fn limit(&self, first: &Group, second: &Group) -> Option<f64> {
        let mean =
            |values: &[f64]| (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64);
        match &self.kind {
            Kind::OneSampleT => mean(&first.values),
            Kind::TwoSampleT(_) => Some(mean(&first.values)? - mean(&second.values)?),
            Kind::SignedRank(_) => {
                let mirrored: Vec<f64> = first.values.iter().map(|value| -value).collect();
                median_difference(&first.values, &mirrored).map(|twice| twice / 2.0)
            }
            Kind::RankSum(_) => median_difference(&first.values, &second.values),
            Kind::Binomial(_) => mean(&first.values).map(|share| 100.0 * share),
            Kind::Fisher => {
                let odds = |group: &Group| mean(&group.values).map(|share| share / (1.0 - share));
                Some(odds(first)? / odds(second)?).filter(|ratio| ratio.is_finite())
            }
            Kind::Ancova => {
                Kernel::default().ancova(first, second, self.confidence).ok().map(|one| one.estimate)
            }
            Kind::Adjusted { .. } | Kind::Hazards(_) => {
                Kernel::default().run(self, first, second).ok().map(|one| one.estimate)
            }
            // Nothing says what imputed values would come to.
            Kind::Imputed(_) => None,
            Kind::OverVisits(_) => Kernel::default().run(self, first, second).ok().map(|one| one.estimate),
        }
    }

    /// Whether it models a yes or no.
    pub fn is_of_yes_or_no(&self) -> bool {
        matches!(self.kind, Kind::Binomial(_) | Kind::Fisher)
    }

    /// Whether it reads baselines.
    pub fn reads_baselines(&self) -> bool {
        match &self.kind {
            Kind::Ancova => true,
            Kind::OverVisits(model) => model.reads_baselines(),
            Kind::Imputed(model) => model.reads_baselines(),
            _ => false,
        }
    }

    /// Whether the order of its outcomes shows in its last digits.
    pub fn sums_in_order(&self) -> bool {
        let of_counts = match &self.kind {
            Kind::RankSum(_) | Kind::SignedRank(_) => true,
            Kind::Hazards(hazards) => hazards.is_of_groups_alone(),
            _ => false,
        };
        !(self.is_of_yes_or_no() || of_counts)
    }

    /// Whether it compares two groups.
    pub fn compares_groups(&self) -> bool {
        matches!(
            self.kind,
            Kind::TwoSampleT(_)
                | Kind::RankSum(_)
                | Kind::Ancova
                | Kind::Adjusted { .. }
                | Kind::Hazards(_)
                | Kind::Fisher
        )
    }
}

/// Returns the boundary of a plan's stopping rule.
///
/// # Errors
/// The rule's numbers make none.
pub fn stopping_limits(options: &model::StoppingBoundary) -> Result<StoppingBoundary, NotEstimable> {
    boundary(options)
}

/// Buffers for one test after another.
#[derive(Debug, Default)]
pub struct Kernel {
    t: TQuantiles,
    rank_sum: RankSumWorkspace,
    signed_rank: SignedRankWorkspace,
    hodges_lehmann: HodgesLehmannWorkspace,
    linear: LinearWorkspace,
    adjusted: Adjusted,
    over_visits: Space,
    hazards: HazardSpace,
    fisher: KnownTables,
}

/// The response and the columns of an analysis of covariance.
#[derive(Debug, Default)]
struct Adjusted {
    y: Vec<f64>,
    arm: Vec<f64>,
    baseline: Vec<f64>,
    /// Columns of levels and covariates, reused.
    columns: Vec<Vec<f64>>,
}

/// Fourfold tables that were tested before: small trials have few.
#[derive(Debug, Default)]
struct KnownTables(BTreeMap<([u64; 4], u64), Outcome>);

/// Tables that are kept.
const TABLES_MAX: usize = 20_000;

impl Kernel {
    /// Tests one group (`second` is not read) or compares two, the control second.
    ///
    /// # Errors
    /// There is nothing to estimate from.
    pub fn run(&mut self, task: &Task, one: &Group, other: &Group) -> Result<Outcome, NotEstimable> {
        let (first, second) = (&one.values[..], &other.values[..]);
        match &task.kind {
            Kind::OneSampleT => {
                let test = one_sample_t_among(first, 0.0, task.confidence, &mut self.t)?;
                Ok(Outcome {
                    estimate: test.estimate,
                    lower: test.interval.lower,
                    upper: test.interval.upper,
                    p: test.p_two_sided,
                })
            }
            Kind::TwoSampleT(variances) => {
                let test = two_sample_t_among(first, second, *variances, task.confidence, &mut self.t)?;
                Ok(Outcome {
                    estimate: test.difference,
                    lower: test.interval.lower,
                    upper: test.interval.upper,
                    p: test.p_two_sided,
                })
            }
            Kind::SignedRank(zeros) => {
                let exact = self.signed_rank.exact(first, *zeros)?;
                let located = hodges_lehmann_one_sample(first, task.confidence)?;
                Ok(Outcome {
                    estimate: located.estimate,
                    lower: located.interval.interval.lower,
                    upper: located.interval.interval.upper,
                    p: exact.p_two_sided,
                })
            }
            Kind::RankSum(two_sided) => {
                let exact = self.rank_sum.exact(first, second, *two_sided)?;
                let shift = self.hodges_lehmann.two_sample(first, second, task.confidence)?;
                Ok(Outcome {
                    estimate: shift.estimate,
                    lower: shift.interval.interval.lower,
                    upper: shift.interval.interval.upper,
                    p: exact.p_two_sided,
                })
            }
            Kind::Ancova => self.ancova(one, other, task.confidence),
            Kind::Adjusted { factors, covariates } => {
                self.adjusted(one, other, (*factors, *covariates), task.confidence)
            }
            Kind::Hazards(hazards) => hazards.run(one, other, task.confidence, &mut self.hazards),
            Kind::OverVisits(model) => model.run(&one.courses, task.confidence, &mut self.over_visits),
            Kind::Imputed(imputed) => imputed.run(&one.courses),
            Kind::Binomial(kind) => {
                let (events, n) = one.counts();
                let interval = binomial_interval(events, n, *kind, task.confidence)?;
                Ok(Outcome {
                    estimate: 100.0 * events as f64 / n as f64,
                    lower: 100.0 * interval.lower,
                    upper: 100.0 * interval.upper,
                    p: 1.0,
                })
            }
            Kind::Fisher => self.fisher.test(one.counts(), other.counts(), task.confidence),
        }
    }

    fn ancova(&mut self, one: &Group, other: &Group, level: Confidence) -> Result<Outcome, NotEstimable> {
        let Adjusted { y, arm, baseline, .. } = &mut self.adjusted;
        y.clear();
        arm.clear();
        baseline.clear();
        for (group, is_first) in [(one, 1.0), (other, 0.0)] {
            y.extend_from_slice(&group.values);
            baseline.extend_from_slice(&group.baselines);
            arm.resize(y.len(), is_first);
        }
        self.linear.fit(y, &[arm, baseline])?;
        let difference = self.linear.coefficient(1, level)?;
        Ok(Outcome {
            estimate: difference.estimate,
            lower: difference.interval.lower,
            upper: difference.interval.upper,
            p: difference.p,
        })
    }
}

impl Kernel {
    /// The group's coefficient beside factors, each coded against its first level that occurs, and covariates.
    fn adjusted(
        &mut self,
        one: &Group,
        other: &Group,
        (factors, covariates): (usize, usize),
        level: Confidence,
    ) -> Result<Outcome, NotEstimable> {
        let Adjusted { y, arm, columns, .. } = &mut self.adjusted;
        y.clear();
        arm.clear();
        for (group, is_first) in [(one, 1.0), (other, 0.0)] {
            y.extend_from_slice(&group.values);
            arm.resize(y.len(), is_first);
        }
        let wide = factors + covariates;
        let of = |place: usize| {
            let all = one.beside.chunks_exact(wide).chain(other.beside.chunks_exact(wide));
            all.map(move |own| own[place])
        };
        let mut used = 0;
        let mut next = |columns: &mut Vec<Vec<f64>>, values: &mut dyn Iterator<Item = f64>| {
            if columns.len() == used {
                columns.push(Vec::new());
            }
            columns[used].clear();
            columns[used].extend(values);
            used += 1;
        };
        for factor in 0..factors {
            // Levels are few, so that their places fit a word's bits.
            let occur = of(factor).fold(0u64, |seen, level| seen | 1 << (level as u64).min(63));
            if occur.count_ones() < 2 {
                return Err(NotEstimable::SingularDesign);
            }
            let first = occur.trailing_zeros();
            for level in (first + 1..64).filter(|level| occur >> level & 1 == 1) {
                next(columns, &mut of(factor).map(|own| f64::from(u8::from(own == f64::from(level)))));
            }
        }
        for covariate in factors..wide {
            next(columns, &mut of(covariate));
        }
        let explain: Vec<&[f64]> =
            std::iter::once(arm.as_slice()).chain(columns[..used].iter().map(Vec::as_slice)).collect();
        self.linear.fit(y, &explain)?;
        let difference = self.linear.coefficient(1, level)?;
        Ok(Outcome {
            estimate: difference.estimate,
            lower: difference.interval.lower,
            upper: difference.interval.upper,
            p: difference.p,
        })
    }
}

impl KnownTables {
    fn test(
        &mut self,
        (a, n): (u64, u64),
        (c, m): (u64, u64),
        level: Confidence,
    ) -> Result<Outcome, NotEstimable> {
        let table = [a, n - a, c, m - c];
        let key = (table, level.level().to_bits());
        if let Some(known) = self.0.get(&key) {
            return Ok(*known);
        }
        let test = fisher_2x2(table, level)?;
        let outcome = Outcome {
            estimate: test.conditional_odds_ratio,
            lower: test.odds_ratio_interval.lower,
            upper: test.odds_ratio_interval.upper,
            p: test.p_two_sided,
        };
        if self.0.len() < TABLES_MAX {
            self.0.insert(key, outcome);
        }
        Ok(outcome)
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
