//! Stopping for too many events, looking after every evaluable participant.
//!
//! Beta-binomial: stop at the least x with `Pr(p > p0 | x, n) >= c`. Pocock-type: one
//! pointwise level t for every n, stop at the least x with `Pr(X >= x | n, p0) <= t`, where t
//! is the greatest attainable tail probability whose overall crossing probability at p0 is
//! at most alpha. The crossing probability is exact, by recursion over the number of events.
//!
//! Sources: Geller et al., in Advances in Clinical Trial Biostatistics, 2003 (beta-binomial);
//! Ivanova et al., Biometrics 2005;61:540 (Pocock-type).

use crate::{
    binomial_safety::{BetaPrior, probability_exceeds},
    instrument::NotScorable,
};

/// Two tail probabilities closer than this are the same number computed twice.
const SAME: f64 = 1e-12;

/// How the limits are set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum StoppingRule {
    /// Stop when the posterior probability of a rate above `p0` reaches `threshold`.
    BetaBinomial {
        /// The tolerated event rate.
        p0: f64,
        /// The prior of the event rate.
        prior: BetaPrior,
        /// The posterior probability at which to stop.
        threshold: f64,
    },
    /// Stop at a constant pointwise binomial tail.
    Pocock {
        /// The tolerated event rate.
        p0: f64,
        /// The overall probability of stopping at `p0`, at most.
        alpha: f64,
    },
}

impl StoppingRule {
    /// Returns the least number of events that stops, for 1, 2, .. `n` evaluable participants.
    ///
    /// An entry above its number of participants means that stopping is impossible there.
    ///
    /// # Errors
    /// A rate, prior, threshold or alpha out of its range.
    pub fn limits(&self, n: u32) -> Result<Vec<u32>, NotScorable> {
        let inside = |p: f64| p > 0.0 && p < 1.0;
        let refused =
            NotScorable::Undefined { why: "a rate or probability of the rule is not inside 0 to 1" };
        match *self {
            StoppingRule::BetaBinomial { p0, prior, threshold } => {
                if !inside(p0) || !(inside(threshold) || threshold == 1.0) {
                    return Err(refused);
                }
                (1..=n).map(|seen| beta_binomial_limit(seen, p0, prior, threshold)).collect()
            }
            StoppingRule::Pocock { p0, alpha } => {
                if !inside(p0) || !inside(alpha) {
                    return Err(refused);
                }
                Ok(pocock_limits(n, p0, alpha))
            }
        }
    }

    /// Says whether `events` among `seen` evaluable participants stop the trial.
    ///
    /// # Errors
    /// As [`StoppingRule::limits`]; `seen` above `n` or of 0 never stops.
    pub fn stops(&self, n: u32, seen: u32, events: u32) -> Result<bool, NotScorable> {
        let limits = self.limits(n)?;
        let limit = seen.checked_sub(1).and_then(|index| limits.get(index as usize));
        Ok(limit.is_some_and(|limit| events >= *limit))
    }
}

fn beta_binomial_limit(seen: u32, p0: f64, prior: BetaPrior, threshold: f64) -> Result<u32, NotScorable> {
    for events in 0..=seen {
        if probability_exceeds(events, seen, p0, prior)? >= threshold - SAME {
            return Ok(events);
        }
    }
    Ok(seen + 1)
}

/// `tails[n - 1][x]` is `Pr(X >= x | n, p0)`, x from 0 to n.
fn binomial_tails(n: u32, p0: f64) -> Vec<Vec<f64>> {
    let mut masses = vec![1.0];
    let mut all = Vec::with_capacity(n as usize);
    for _ in 1..=n {
        let mut next = vec![0.0; masses.len() + 1];
        for (events, mass) in masses.iter().enumerate() {
            next[events] += mass * (1.0 - p0);
            next[events + 1] += mass * p0;
        }
        masses = next;
        // Summed from the far end, so that small tails keep their digits.
        let mut tail = masses.clone();
        for events in (0..tail.len() - 1).rev() {
            tail[events] += tail[events + 1];
        }
        all.push(tail);
    }
    all
}

fn limits_at(tails: &[Vec<f64>], level: f64) -> Vec<u32> {
    let allowed = level * (1.0 + SAME);
    tails
        .iter()
        .map(|tail| tail.iter().position(|tail| *tail <= allowed).unwrap_or(tail.len()) as u32)
        .collect()
}

fn pocock_limits(n: u32, p0: f64, alpha: f64) -> Vec<u32> {
    let tails = binomial_tails(n, p0);
    let mut levels = tails.iter().flat_map(|tail| tail[1..].iter().copied()).collect::<Vec<_>>();
    levels.sort_by(f64::total_cmp);
    // The crossing probability rises with the level: find the last level that is not too high.
    let allowed =
        levels.partition_point(|level| crossing_probability(&limits_at(&tails, *level), p0) <= alpha + SAME);
    let level = allowed.checked_sub(1).map_or(0.0, |last| levels[last]);
    limits_at(&tails, level)
}

/// Returns the exact probability that the events ever reach their limit, at an event rate `p`.
///
/// `limits[k - 1]` is the limit for k participants, as [`StoppingRule::limits`] returns them.
pub fn crossing_probability(limits: &[u32], p: f64) -> f64 {
    // Probability of each number of events among those who have not stopped.
    let mut going = vec![1.0];
    let mut crossed = 0.0;
    for limit in limits {
        let mut next = vec![0.0; going.len() + 1];
        for (events, mass) in going.iter().enumerate() {
            next[events] += mass * (1.0 - p);
            next[events + 1] += mass * p;
        }
        for stopped in next.iter_mut().skip(*limit as usize) {
            crossed += *stopped;
            *stopped = 0.0;
        }
        going = next;
    }
    crossed
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PRIOR: BetaPrior = BetaPrior { a: 0.6, b: 2.4 };

    /// Limits as published: the least number of events from a number of participants on.
    fn published(steps: &[(u32, u32)], n: u32) -> Vec<Option<u32>> {
        (1..=n)
            .map(|seen| steps.iter().rev().find(|(from, _)| *from <= seen).map(|(_, limit)| *limit))
            .collect()
    }

    fn agree(limits: &[u32], steps: &[(u32, u32)]) {
        for (limit, expected) in limits.iter().zip(published(steps, limits.len() as u32)) {
            assert!(expected.is_none_or(|expected| expected == *limit), "{limits:?}");
        }
    }

    #[test]
    fn the_beta_binomial_rule_of_30_participants_is_the_published_one() {
        let rule = StoppingRule::BetaBinomial { p0: 0.2, prior: PRIOR, threshold: 0.96319 };
        let limits = rule.limits(30).unwrap();
        let steps = [(3, 3), (5, 4), (7, 5), (11, 6), (14, 7), (18, 8), (21, 9), (25, 10), (29, 11)];
        agree(&limits, &steps);
        for (p, expected) in [(0.2, 0.09957), (0.3, 0.43615), (0.4, 0.81491)] {
            assert!((crossing_probability(&limits, p) - expected).abs() < 5e-6, "at {p}");
        }
    }

    #[test]
    fn the_pocock_rule_of_30_participants_is_the_derived_one() {
        let limits = StoppingRule::Pocock { p0: 0.2, alpha: 0.05 }.limits(30).unwrap();
        let steps = [(3, 3), (4, 4), (7, 5), (9, 6), (12, 7), (15, 8), (19, 9), (22, 10), (25, 11), (29, 12)];
        agree(&limits, &steps);
        assert!((crossing_probability(&limits, 0.2) - 0.0495).abs() < 5e-5);
    }

    #[test]
    fn stopping_can_be_impossible_with_few_participants() {
        let rule = StoppingRule::Pocock { p0: 0.2, alpha: 0.05 };
        assert_eq!(rule.limits(30).unwrap()[..2], [2, 3]);
        assert_eq!(rule.stops(30, 1, 1), Ok(false));
        assert_eq!(rule.stops(30, 3, 3), Ok(true));
        assert_eq!(rule.stops(30, 0, 0), Ok(false));
    }

    #[test]
    fn a_rule_outside_its_range_is_refused() {
        assert!(StoppingRule::Pocock { p0: 0.0, alpha: 0.05 }.limits(5).is_err());
        assert!(StoppingRule::BetaBinomial { p0: 0.2, prior: PRIOR, threshold: 1.5 }.limits(5).is_err());
    }

    proptest! {
        #[test]
        fn pocock_limits_keep_to_alpha(n in 2u32..25, p0 in 0.05f64..0.5, alpha in 0.02f64..0.3) {
            let limits = StoppingRule::Pocock { p0, alpha }.limits(n).unwrap();
            prop_assert!(crossing_probability(&limits, p0) <= alpha + 1e-9);
            prop_assert!(limits.windows(2).all(|pair| pair[0] <= pair[1]));
        }

        #[test]
        fn a_higher_rate_is_stopped_more_often(p in 0.05f64..0.8) {
            let limits = StoppingRule::Pocock { p0: 0.2, alpha: 0.1 }.limits(20).unwrap();
            prop_assert!(crossing_probability(&limits, p + 0.05) > crossing_probability(&limits, p));
        }
    }
}
