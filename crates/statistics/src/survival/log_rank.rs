//! The log-rank test, its weighted form and its stratified form.
//!
//! Repeated tests go through a [`LogRankWorkspace`], which for two arms allocates
//! nothing once warm, and otherwise nothing per participant.
//!
//! Mathematics: `docs/methods/survival.md`.

use nalgebra::{DMatrix, DVector};

use super::Times;
use crate::{NotEstimable, distribution};

/// How the times of events are weighted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogRankWeights {
    /// All alike: Mantel's log-rank test.
    Equal,
    /// By the Kaplan-Meier estimate just before: Peto and Peto's form of the Wilcoxon test (rho = 1 of Harrington and Fleming).
    Survival,
}

/// A log-rank test.
#[derive(Debug, Clone, PartialEq)]
pub struct LogRank {
    /// Weighted number of events of each arm.
    pub observed: Vec<f64>,
    /// Weighted number expected if all arms had one hazard.
    pub expected: Vec<f64>,
    /// The statistic.
    pub chi_squared: f64,
    /// Degrees of freedom, the number of arms with expected events less one.
    pub df: f64,
    /// P-value.
    pub p: f64,
}

/// The statistic of a log-rank test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LogRankTest {
    /// The statistic.
    pub chi_squared: f64,
    /// Degrees of freedom, the number of arms with expected events less one.
    pub df: f64,
    /// P-value.
    pub p: f64,
}

/// Compares arms 0 to `arms - 1`. Within each stratum (all one stratum if `None`) arms are compared, and the differences summed.
///
/// # Errors
/// Series of different length, an arm code beyond `arms`, an empty arm, no events, or no time at which two arms are at risk.
pub fn log_rank(
    times: Times<'_>,
    arm: &[usize],
    arms: usize,
    strata: Option<&[usize]>,
    weights: LogRankWeights,
) -> Result<LogRank, NotEstimable> {
    let mut space = LogRankWorkspace::default();
    let LogRankTest { chi_squared, df, p } = space.compare(times, arm, arms, strata, weights)?;
    Ok(LogRank { observed: space.observed, expected: space.expected, chi_squared, df, p })
}

/// Buffers for repeated log-rank tests.
#[derive(Debug, Default)]
pub struct LogRankWorkspace {
    order: Vec<u32>,
    observed: Vec<f64>,
    expected: Vec<f64>,
    /// Row by row.
    covariance: Vec<f64>,
    at_risk: Vec<f64>,
    events: Vec<f64>,
}

impl LogRankWorkspace {
    /// Compares arms 0 to `arms - 1`; see [`log_rank`].
    ///
    /// # Errors
    /// As [`log_rank`].
    pub fn compare(
        &mut self,
        times: Times<'_>,
        arm: &[usize],
        arms: usize,
        strata: Option<&[usize]>,
        weights: LogRankWeights,
    ) -> Result<LogRankTest, NotEstimable> {
        check(times, arm, arms, strata)?;
        for buffer in [&mut self.observed, &mut self.expected, &mut self.at_risk, &mut self.events] {
            buffer.clear();
            buffer.resize(arms, 0.0);
        }
        self.covariance.clear();
        self.covariance.resize(arms * arms, 0.0);
        let mut order = std::mem::take(&mut self.order);
        times.ascending_into(&mut order);
        match strata {
            None => self.add_stratum(times, arm, &order, weights),
            Some(strata) => {
                // Equal times keep the order of participants.
                order.sort_unstable_by(|a, b| {
                    let (a, b) = (*a as usize, *b as usize);
                    let by_time = times.time[a].total_cmp(&times.time[b]);
                    strata[a].cmp(&strata[b]).then(by_time).then(a.cmp(&b))
                });
                for stratum in order.chunk_by(|a, b| strata[*a as usize] == strata[*b as usize]) {
                    self.add_stratum(times, arm, stratum, weights);
                }
            }
        }
        self.order = order;
        self.finish()
    }

    /// Weighted number of events of each arm, of the last test.
    pub fn observed(&self) -> &[f64] {
        &self.observed
    }

    /// Weighted number expected of each arm if all had one hazard, of the last test.
    pub fn expected(&self) -> &[f64] {
        &self.expected
    }

    /// Adds the times of one stratum, in increasing order.
    fn add_stratum(&mut self, times: Times<'_>, arm: &[usize], order: &[u32], weights: LogRankWeights) {
        self.at_risk.fill(0.0);
        for i in order {
            self.at_risk[arm[*i as usize]] += 1.0;
        }
        let (mut survival, mut i) = (1.0, 0);
        while i < order.len() {
            let time = times.time[order[i] as usize];
            self.events.fill(0.0);
            let end = i + order[i..].iter().take_while(|j| times.time[**j as usize] == time).count();
            for j in &order[i..end] {
                self.events[arm[*j as usize]] += f64::from(u8::from(times.event[*j as usize]));
            }
            let (d, n): (f64, f64) = (self.events.iter().sum(), (order.len() - i) as f64);
            if d > 0.0 {
                let weight = match weights {
                    LogRankWeights::Equal => 1.0,
                    LogRankWeights::Survival => survival,
                };
                self.add_time(d, n, weight);
                survival *= (n - d) / n;
            }
            for j in &order[i..end] {
                self.at_risk[arm[*j as usize]] -= 1.0;
            }
            i = end;
        }
    }

    fn add_time(&mut self, d: f64, n: f64, weight: f64) {
        let arms = self.at_risk.len();
        let spread = if n > 1.0 { weight * weight * d * (n - d) / (n - 1.0) } else { 0.0 };
        for a in 0..arms {
            let share = self.at_risk[a] / n;
            self.observed[a] += weight * self.events[a];
            self.expected[a] += weight * d * share;
            for b in 0..arms {
                let own = f64::from(u8::from(a == b));
                self.covariance[a * arms + b] += spread * share * (own - self.at_risk[b] / n);
            }
        }
    }

    fn finish(&self) -> Result<LogRankTest, NotEstimable> {
        // An arm that is never at risk with an event has nothing to say; one arm is fixed by the others.
        let arms = self.expected.len();
        let mut used = (0..arms).filter(|a| self.expected[*a] > 0.0);
        used.next();
        let difference = |a: usize| self.observed[a] - self.expected[a];
        let (chi_squared, df) = match (used.next(), used.next()) {
            (None, _) => return Err(NotEstimable::ArmEmpty),
            (Some(a), None) => {
                let variance = self.covariance[a * arms + a];
                if variance <= 0.0 {
                    return Err(NotEstimable::ZeroVariance);
                }
                (difference(a) * difference(a) / variance, 1.0)
            }
            (Some(a), Some(b)) => {
                let free: Vec<usize> = [a, b].into_iter().chain(used).collect();
                let entry = |i, j| self.covariance[free[i] * arms + free[j]];
                let block = DMatrix::from_fn(free.len(), free.len(), entry);
                let differences = DVector::from_fn(free.len(), |i, _| difference(free[i]));
                let solved = block.cholesky().ok_or(NotEstimable::ZeroVariance)?.solve(&differences);
                (differences.dot(&solved), free.len() as f64)
            }
        };
        Ok(LogRankTest { chi_squared, df, p: distribution::chi_squared_upper(chi_squared, df) })
    }
}

fn check(times: Times<'_>, arm: &[usize], arms: usize, strata: Option<&[usize]>) -> Result<(), NotEstimable> {
    for other in [Some(arm), strata].into_iter().flatten() {
        if other.len() != times.len() {
            return Err(NotEstimable::UnequalLengths { left: times.len(), right: other.len() });
        }
    }
    if arm.iter().any(|a| *a >= arms) {
        return Err(NotEstimable::OutOfRange { name: "arm" });
    }
    if (0..arms).any(|a| !arm.contains(&a)) || arms < 2 {
        return Err(NotEstimable::ArmEmpty);
    }
    if times.event.contains(&true) { Ok(()) } else { Err(NotEstimable::NoEvents) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compare(time: &[f64], event: &[bool], arm: &[usize]) -> Result<LogRank, NotEstimable> {
        log_rank(Times::new(time, event).unwrap(), arm, 2, None, LogRankWeights::Equal)
    }

    #[test]
    fn an_empty_arm_gives_no_test() {
        assert_eq!(compare(&[1.0, 2.0], &[true, true], &[0, 0]), Err(NotEstimable::ArmEmpty));
    }

    #[test]
    fn no_events_give_no_test() {
        assert_eq!(compare(&[1.0, 2.0], &[false, false], &[0, 1]), Err(NotEstimable::NoEvents));
    }

    #[test]
    fn everyone_at_one_time_gives_no_test() {
        assert_eq!(compare(&[1.0, 1.0], &[true, true], &[0, 1]), Err(NotEstimable::ZeroVariance));
    }

    #[test]
    fn arms_that_are_never_at_risk_together_give_no_test() {
        // The second arm is censored before the first arm's events.
        assert_eq!(compare(&[5.0, 6.0, 1.0], &[true, true, false], &[0, 0, 1]), Err(NotEstimable::ArmEmpty));
    }

    #[test]
    fn one_stratum_is_no_stratification() {
        let (time, event) = ([1.0, 2.0, 3.0, 4.0, 5.0], [true, true, false, true, true]);
        let arm = [0, 1, 0, 1, 0];
        let times = Times::new(&time, &event).unwrap();
        let plain = log_rank(times, &arm, 2, None, LogRankWeights::Survival).unwrap();
        let stratified = log_rank(times, &arm, 2, Some(&[7; 5]), LogRankWeights::Survival).unwrap();
        assert_eq!(plain, stratified);
    }
}
