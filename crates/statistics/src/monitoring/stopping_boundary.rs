//! Stopping boundaries for a binomial safety event, looked at after every participant.
//!
//! A boundary says, for each number of evaluable participants, from how many events
//! on the trial stops. Its crossing probability is exact, by a recursion over the
//! number of events while the trial has not stopped.
//! Mathematics: `docs/methods/stopping_rule.md`.

use super::beta_binomial::{BetaPrior, checked_proportion, posterior_exceeds};
use crate::distribution::binomial_at_least;
use crate::{Confidence, NotEstimable};

/// A stopping boundary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoppingBoundary {
    /// Entry k - 1 is for k evaluable participants: stop with at least this many events.
    ///
    /// k + 1 means that no number of events stops the trial there.
    pub stop_if_events_at_least: Vec<u64>,
}

/// What a boundary says of the events seen so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoppingReached {
    /// The boundary is reached.
    Stop,
    /// It is not.
    Continue,
}

impl StoppingBoundary {
    /// Compares `events` among `evaluable` participants with the boundary.
    ///
    /// # Errors
    /// [`NotEstimable::OutOfRange`] for no participants, more than the boundary is made for, or more events than participants.
    pub fn judge(&self, events: u64, evaluable: u64) -> Result<StoppingReached, NotEstimable> {
        let index = evaluable.checked_sub(1).and_then(|i| usize::try_from(i).ok());
        let limit = index
            .and_then(|i| self.stop_if_events_at_least.get(i))
            .ok_or(NotEstimable::OutOfRange { name: "number evaluable" })?;
        if events > evaluable {
            return Err(NotEstimable::OutOfRange { name: "number of events" });
        }
        Ok(if events >= *limit { StoppingReached::Stop } else { StoppingReached::Continue })
    }
}

/// The Bayesian boundary: stop as soon as Pr(p > p0) reaches `threshold` under the prior.
///
/// # Errors
/// No participants, or `p0` outside (0, 1).
pub fn beta_binomial_boundary(
    n: u64,
    p0: f64,
    prior: BetaPrior,
    threshold: Confidence,
) -> Result<StoppingBoundary, NotEstimable> {
    if n == 0 {
        return Err(NotEstimable::NoObservations);
    }
    checked_proportion(p0)?;
    let smallest = |k: u64| -> Result<u64, NotEstimable> {
        for x in 0..=k {
            if posterior_exceeds(x, k, p0, prior)? >= threshold.level() {
                return Ok(x);
            }
        }
        Ok(k + 1)
    };
    Ok(StoppingBoundary { stop_if_events_at_least: (1..=n).map(smallest).collect::<Result<_, _>>()? })
}

/// The Pocock-type boundary: the same pointwise binomial tail at every number of participants.
///
/// The tail is the largest attainable one whose crossing probability at `p0` does not exceed `alpha`.
///
/// # Errors
/// No participants, `p0` or `alpha` outside (0, 1), or no tail that keeps `alpha`.
pub fn pocock_boundary(n: u64, p0: f64, alpha: f64) -> Result<StoppingBoundary, NotEstimable> {
    if n == 0 {
        return Err(NotEstimable::NoObservations);
    }
    checked_proportion(p0)?;
    if !(alpha > 0.0 && alpha < 1.0) {
        return Err(NotEstimable::OutOfRange { name: "error rate" });
    }
    let tails: Vec<Vec<f64>> =
        (1..=n).map(|k| (0..=k).map(|x| binomial_at_least(x, k, p0)).collect()).collect();
    let mut levels: Vec<f64> = tails.iter().flatten().copied().collect();
    levels.sort_unstable_by(f64::total_cmp);
    let at_level = |level: f64| {
        // Tails that are equal in exact arithmetic may differ in the last digits.
        let smallest =
            |tail: &Vec<f64>| tail.iter().position(|t| *t <= level * (1.0 + 1e-12)).unwrap_or(tail.len());
        StoppingBoundary { stop_if_events_at_least: tails.iter().map(|t| smallest(t) as u64).collect() }
    };
    // The crossing probability rises with the level.
    let keeps = |level: &f64| crossing_probability(&at_level(*level), p0).is_ok_and(|p| p <= alpha);
    let kept = levels.partition_point(keeps);
    if kept == 0 { Err(NotEstimable::NoDesign) } else { Ok(at_level(levels[kept - 1])) }
}

/// The exact probability that the boundary is ever reached when the event has probability `p`.
///
/// # Errors
/// `p` outside [0, 1].
pub fn crossing_probability(boundary: &StoppingBoundary, p: f64) -> Result<f64, NotEstimable> {
    if !(0.0..=1.0).contains(&p) {
        return Err(NotEstimable::OutOfRange { name: "event probability" });
    }
    // running[x] is the probability of x events so far and of not having stopped.
    let mut running = vec![0.0; boundary.stop_if_events_at_least.len() + 1];
    running[0] = 1.0;
    let mut stopped = 0.0;
    for (k, limit) in boundary.stop_if_events_at_least.iter().enumerate() {
        for x in (0..=k + 1).rev() {
            let with_event = if x > 0 { running[x - 1] * p } else { 0.0 };
            running[x] = running[x] * (1.0 - p) + with_event;
        }
        for state in running.iter_mut().take(k + 2).skip(*limit as usize) {
            stopped += *state;
            *state = 0.0;
        }
    }
    Ok(stopped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_boundary_for_nobody_is_refused() {
        let prior = BetaPrior::new(1.0, 1.0).unwrap();
        assert_eq!(beta_binomial_boundary(0, 0.2, prior, Confidence::C95), Err(NotEstimable::NoObservations));
        assert_eq!(pocock_boundary(0, 0.2, 0.05), Err(NotEstimable::NoObservations));
        assert!(pocock_boundary(5, 1.0, 0.05).is_err());
    }

    #[test]
    fn too_few_participants_may_leave_no_boundary() {
        assert_eq!(pocock_boundary(1, 0.2, 0.05), Err(NotEstimable::NoDesign));
    }

    #[test]
    fn the_published_boundary_of_thirty_patients_is_found() {
        // R package stoppingrule: 30 patients, p0 0.20, Beta(0.6, 2.4), overall level 0.10.
        let prior = BetaPrior::new(0.6, 2.4).unwrap();
        let boundary = beta_binomial_boundary(30, 0.2, prior, Confidence::new(0.9631).unwrap()).unwrap();
        let limits = &boundary.stop_if_events_at_least;
        assert_eq!(
            limits[2..],
            [3, 3, 4, 4, 5, 5, 5, 5, 6, 6, 6, 7, 7, 7, 7, 8, 8, 8, 9, 9, 9, 9, 10, 10, 10, 10, 11, 11]
        );
        for (p, published) in [(0.20, 0.09957), (0.30, 0.43615), (0.40, 0.81491)] {
            assert!((crossing_probability(&boundary, p).unwrap() - published).abs() < 5e-6);
        }
        assert_eq!(boundary.judge(3, 4), Ok(StoppingReached::Stop));
        assert_eq!(boundary.judge(2, 4), Ok(StoppingReached::Continue));
        assert!(boundary.judge(0, 31).is_err());
        assert!(boundary.judge(0, 0).is_err());
    }

    #[test]
    fn the_pocock_boundary_of_thirty_patients_is_found() {
        let boundary = pocock_boundary(30, 0.2, 0.05).unwrap();
        let limits = &boundary.stop_if_events_at_least;
        assert_eq!(
            limits[2..],
            [3, 4, 4, 4, 5, 5, 6, 6, 6, 7, 7, 7, 8, 8, 8, 8, 9, 9, 9, 10, 10, 10, 11, 11, 11, 11, 12, 12]
        );
        assert!((crossing_probability(&boundary, 0.2).unwrap() - 0.0495).abs() < 5e-5);
    }

    #[test]
    fn an_event_that_never_happens_never_stops_a_trial() {
        let boundary = pocock_boundary(30, 0.2, 0.05).unwrap();
        assert_eq!(crossing_probability(&boundary, 0.0), Ok(0.0));
        assert_eq!(crossing_probability(&boundary, 1.0), Ok(1.0));
    }
}
