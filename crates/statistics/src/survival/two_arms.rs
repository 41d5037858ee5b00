//! Two arms compared again and again: the log-rank test and the hazard ratio from one table of event times.
//!
//! Once times are sorted, all that either needs of a time is how many events fall on it and how many are at risk, in
//! all and in the first arm. So the table is made once, the test is one pass over it, and each Newton step of the
//! proportional-hazards model of the arm alone is another. A workspace that is warm allocates nothing, and since the
//! table holds whole numbers the order of participants shows in no digit.
//!
//! Mathematics: `docs/methods/survival.md`.

use super::{LogRankTest, Ties, Times};
use crate::{Confidence, Interval, NotEstimable, distribution};

/// The log hazard ratio of the first arm against the second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ArmHazard {
    /// The log hazard ratio.
    pub log_ratio: f64,
    /// Its standard error, from the inverse information.
    pub se: f64,
    /// Its Wald interval.
    pub interval: Interval,
}

/// A day with events within a stratum.
#[derive(Debug, Clone, Copy)]
struct EventTime {
    /// Events of both arms, and of the first.
    events: u32,
    events_first: u32,
    /// At risk just before, in both arms and in the first.
    at_risk: u32,
    at_risk_first: u32,
}

/// A participant on the way into the table: stratum, time, and flags for the event and the first arm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    stratum: u32,
    /// The bits of a time that is not negative are in the order of times.
    time: u64,
    event: bool,
    first: bool,
}

/// Buffers for one comparison after another.
#[derive(Debug, Default)]
pub struct TwoArmWorkspace {
    entries: Vec<Entry>,
    table: Vec<EventTime>,
}

const STEPS_MAX: u32 = 50;
/// A log hazard ratio this far from 0 means that the likelihood rises without end.
const LOG_RATIO_MAX: f64 = 20.0;
/// Newton's method doubles the digits: after a step this short the next one is below rounding.
const LAST_STEP: f64 = 1e-8;

impl TwoArmWorkspace {
    /// Makes the table of two arms' times; `first` says who is in the first arm. Within each stratum (all one
    /// stratum if `None`) arms are compared, and the differences summed.
    ///
    /// # Errors
    /// Series of different length, an empty arm, or no events.
    pub fn prepare(
        &mut self,
        times: Times<'_>,
        first: impl Iterator<Item = bool>,
        strata: Option<&[u32]>,
    ) -> Result<(), NotEstimable> {
        self.entries.clear();
        self.table.clear();
        let n = times.len();
        if let Some(strata) = strata.filter(|strata| strata.len() != n) {
            return Err(NotEstimable::UnequalLengths { left: n, right: strata.len() });
        }
        let stratum = |place: usize| strata.map_or(0, |strata| strata[place]);
        self.entries.extend(times.time.iter().zip(times.event).zip(first).enumerate().map(
            |(place, ((time, event), first))| Entry {
                stratum: stratum(place),
                // Adding 0 makes -0 the same time as 0.
                time: (time + 0.0).to_bits(),
                event: *event,
                first,
            },
        ));
        if self.entries.len() != n {
            return Err(NotEstimable::UnequalLengths { left: n, right: self.entries.len() });
        }
        let in_first = self.entries.iter().filter(|entry| entry.first).count();
        if in_first == 0 || in_first == n {
            return Err(NotEstimable::ArmEmpty);
        }
        self.entries.sort_unstable();
        for stratum in self.entries.chunk_by(|a, b| a.stratum == b.stratum) {
            let mut at_risk = stratum.len() as u32;
            let mut at_risk_first = stratum.iter().filter(|entry| entry.first).count() as u32;
            for tied in stratum.chunk_by(|a, b| a.time == b.time) {
                let events = tied.iter().filter(|entry| entry.event).count() as u32;
                if events > 0 {
                    let events_first = tied.iter().filter(|entry| entry.event && entry.first).count() as u32;
                    self.table.push(EventTime { events, events_first, at_risk, at_risk_first });
                }
                at_risk -= tied.len() as u32;
                at_risk_first -= tied.iter().filter(|entry| entry.first).count() as u32;
            }
        }
        if self.table.is_empty() { Err(NotEstimable::NoEvents) } else { Ok(()) }
    }

    /// Tests the equality of the two hazards (Mantel's log-rank test) on the table that was made last.
    ///
    /// # Errors
    /// There is no event while both arms are at risk.
    pub fn log_rank(&self) -> Result<LogRankTest, NotEstimable> {
        let (mut difference, mut variance) = (0.0, 0.0);
        for time in &self.table {
            let (d, n) = (f64::from(time.events), f64::from(time.at_risk));
            let share = f64::from(time.at_risk_first) / n;
            difference += f64::from(time.events_first) - d * share;
            if time.at_risk > 1 {
                variance += d * (n - d) / (n - 1.0) * share * (1.0 - share);
            }
        }
        if variance <= 0.0 {
            return Err(NotEstimable::ZeroVariance);
        }
        let chi_squared = difference * difference / variance;
        Ok(LogRankTest { chi_squared, df: 1.0, p: distribution::chi_squared_upper(chi_squared, 1.0) })
    }

    /// Estimates the hazard of the first arm over that of the second on the table that was made last.
    ///
    /// # Errors
    /// A likelihood without maximum (all events in the arm that alone was at risk), or tied events by the exact
    /// likelihood, which the table does not serve.
    pub fn hazard_ratio(&self, ties: Ties, confidence: Confidence) -> Result<ArmHazard, NotEstimable> {
        if ties == Ties::Exact {
            return Err(NotEstimable::OutOfRange { name: "ties" });
        }
        let mut beta = 0.0;
        for _ in 0..STEPS_MAX {
            let (score, information) = self.derivatives(beta, ties);
            if information <= 0.0 {
                return Err(NotEstimable::Separation);
            }
            // The log likelihood is concave; a long step from far away is cut.
            let step = (score / information).clamp(-2.0, 2.0);
            beta += step;
            if beta.abs() > LOG_RATIO_MAX {
                return Err(NotEstimable::Separation);
            }
            if step.abs() <= LAST_STEP {
                let (_, information) = self.derivatives(beta, ties);
                let se = 1.0 / information.sqrt();
                let half = confidence.z() * se;
                let interval = Interval { lower: beta - half, upper: beta + half };
                return Ok(ArmHazard { log_ratio: beta, se, interval });
            }
        }
        Err(NotEstimable::NoConvergence { iterations: STEPS_MAX })
    }

    /// The first derivative of the log partial likelihood and the negative of the second.
    fn derivatives(&self, beta: f64, ties: Ties) -> (f64, f64) {
        let ratio = libm::exp(beta);
        let (mut score, mut information) = (0.0, 0.0);
        for time in &self.table {
            let first = f64::from(time.at_risk_first) * ratio;
            let second = f64::from(time.at_risk - time.at_risk_first);
            if time.events == 1 || ties == Ties::Breslow {
                let d = f64::from(time.events);
                let share = first / (first + second);
                score += f64::from(time.events_first) - d * share;
                information += d * share * (1.0 - share);
                continue;
            }
            // Efron: of d tied events the share l/d of the events' own hazard has left before the next.
            let d = f64::from(time.events);
            let gone_first = f64::from(time.events_first) * ratio;
            let gone_second = f64::from(time.events - time.events_first);
            score += f64::from(time.events_first);
            for left in 0..time.events {
                let gone = f64::from(left) / d;
                let (first, second) = (first - gone * gone_first, second - gone * gone_second);
                let share = first / (first + second);
                score -= share;
                information += share * (1.0 - share);
            }
        }
        (score, information)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        models::{Design, Term, Variable},
        survival::{LogRankWeights, Stopping, cox_regression, log_rank},
    };

    proptest! {
        #[test]
        fn the_table_gives_what_the_general_methods_give(
            people in prop::collection::vec((1u32..40, prop::bool::weighted(0.7), any::<bool>(), 0u32..3), 12..120),
            stratified in any::<bool>(),
            breslow in any::<bool>(),
        ) {
            let time: Vec<f64> = people.iter().map(|one| f64::from(one.0)).collect();
            let event: Vec<bool> = people.iter().map(|one| one.1).collect();
            let first: Vec<bool> = people.iter().map(|one| one.2).collect();
            let strata: Vec<u32> = people.iter().map(|one| one.3).collect();
            let times = Times::new(&time, &event).unwrap();
            let mut space = TwoArmWorkspace::default();
            let made = space.prepare(times, first.iter().copied(), stratified.then_some(&strata[..]));
            let arm: Vec<usize> = first.iter().map(|first| usize::from(!first)).collect();
            let wide: Vec<usize> = strata.iter().map(|one| *one as usize).collect();
            let of_strata = stratified.then_some(&wide[..]);
            let general = log_rank(times, &arm, 2, of_strata, LogRankWeights::Equal);
            match (made.and_then(|()| space.log_rank()), general) {
                (Ok(one), Ok(other)) => {
                    prop_assert!((one.chi_squared - other.chi_squared).abs() <= 1e-9 * (1.0 + other.chi_squared));
                    prop_assert!((one.p - other.p).abs() <= 1e-9);
                }
                (one, other) => {
                    prop_assert!(one.is_err() && other.is_err(), "{one:?} {other:?}");
                    return Ok(());
                }
            }
            let ties = if breslow { Ties::Breslow } else { Ties::Efron };
            let codes: Vec<f64> = first.iter().map(|first| f64::from(u8::from(*first))).collect();
            let variables = [Variable::Covariate(&codes)];
            let design = Design::without_intercept(&variables, &[Term::main(0)]).unwrap();
            let fit = cox_regression(times, &design, of_strata, ties, Stopping::AtRounding, Confidence::C95);
            match (space.hazard_ratio(ties, Confidence::C95), fit) {
                (Ok(one), Ok(other)) => {
                    let other = other.coefficients[0];
                    prop_assert!((one.log_ratio - other.estimate).abs() < 1e-8 * (1.0 + other.estimate.abs()));
                    prop_assert!((one.se - other.se).abs() < 1e-7 * other.se);
                }
                // An estimate without bound is refused by both, if not at the same point of its way.
                (one, other) => prop_assert!(one.is_err() && other.is_err(), "{one:?} {other:?}"),
            }
        }
    }

    #[test]
    fn an_arm_without_events_has_no_hazard_ratio_and_a_test_all_the_same() {
        let (time, event) = ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [true, false, true, false, true, false]);
        let first = [true, false, true, false, true, false];
        let mut space = TwoArmWorkspace::default();
        space.prepare(Times::new(&time, &event).unwrap(), first.into_iter(), None).unwrap();
        assert!(space.log_rank().is_ok());
        assert_eq!(space.hazard_ratio(Ties::Efron, Confidence::C95), Err(NotEstimable::Separation));
    }

    #[test]
    fn the_order_of_participants_shows_in_no_digit() {
        let time = [5.0, 3.0, 8.0, 3.0, 9.0, 1.0, 5.0, 7.0];
        let event = [true, true, false, true, true, false, true, true];
        let first = [true, false, false, true, true, false, false, true];
        let run = |order: &[usize]| {
            let time: Vec<f64> = order.iter().map(|place| time[*place]).collect();
            let event: Vec<bool> = order.iter().map(|place| event[*place]).collect();
            let mut space = TwoArmWorkspace::default();
            let arms = order.iter().map(|place| first[*place]);
            space.prepare(Times::new(&time, &event).unwrap(), arms, None).unwrap();
            (space.log_rank().unwrap(), space.hazard_ratio(Ties::Efron, Confidence::C95).unwrap())
        };
        assert_eq!(run(&[0, 1, 2, 3, 4, 5, 6, 7]), run(&[7, 3, 5, 1, 0, 2, 6, 4]));
    }
}
