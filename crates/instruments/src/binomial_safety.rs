//! Safety of a single arm: is the event rate too high?
//!
//! With a Beta(a, b) prior and x events in n, `Pr(p > p0 | x, n)` is the upper tail of
//! Beta(a + x, b + n - x). The Clopper-Pearson interval of the observed proportion stands
//! beside it: quantiles of Beta(x, n - x + 1) and Beta(x + 1, n - x).
//!
//! Sources: Gelman et al., Bayesian Data Analysis, 3rd ed., 2.4; Clopper and Pearson,
//! Biometrika 1934;26:404.

use crate::instrument::NotScorable;

/// A beta prior of the event rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BetaPrior {
    /// Prior events; above 0.
    pub a: f64,
    /// Prior non-events; above 0.
    pub b: f64,
}

/// Returns the posterior probability that the event rate exceeds `p0`.
///
/// # Errors
/// More events than participants, or parameters out of their range.
pub fn probability_exceeds(
    events: u32,
    participants: u32,
    p0: f64,
    prior: BetaPrior,
) -> Result<f64, NotScorable> {
    check(events, participants)?;
    let in_range = prior.a > 0.0 && prior.b > 0.0 && p0 > 0.0 && p0 < 1.0;
    if !in_range {
        return Err(NotScorable::Undefined { why: "prior and reference rate must be inside their range" });
    }
    let (x, rest) = (f64::from(events), f64::from(participants - events));
    // The upper tail at p0 is the lower tail of the mirrored distribution.
    Ok(statrs::function::beta::beta_reg(prior.b + rest, prior.a + x, 1.0 - p0))
}

/// Returns the Clopper-Pearson interval of the proportion, for a two-sided confidence such as 0.95.
///
/// # Errors
/// More events than participants, no participants, or a confidence outside 0 to 1.
pub fn clopper_pearson(events: u32, participants: u32, confidence: f64) -> Result<(f64, f64), NotScorable> {
    check(events, participants)?;
    if participants == 0 || !(confidence > 0.0 && confidence < 1.0) {
        return Err(NotScorable::Undefined { why: "an interval needs participants and a confidence" });
    }
    let tail = (1.0 - confidence) / 2.0;
    let (x, rest) = (f64::from(events), f64::from(participants - events));
    let low = if events == 0 { 0.0 } else { beta_quantile(x, rest + 1.0, tail) };
    let high = if events == participants { 1.0 } else { beta_quantile(x + 1.0, rest, 1.0 - tail) };
    Ok((low, high))
}

fn check(events: u32, participants: u32) -> Result<(), NotScorable> {
    if events > participants {
        return Err(NotScorable::Undefined { why: "there are more events than participants" });
    }
    Ok(())
}

/// Bisects until the interval can't shrink: the result is the nearest number below or at the quantile.
fn beta_quantile(a: f64, b: f64, probability: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    loop {
        let middle = (low + high) / 2.0;
        if middle <= low || middle >= high {
            return middle;
        }
        if statrs::function::beta::beta_reg(a, b, middle) < probability {
            low = middle;
        } else {
            high = middle;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const UNIFORM: BetaPrior = BetaPrior { a: 1.0, b: 1.0 };

    #[test]
    fn a_uniform_prior_without_data_exceeds_p0_with_the_probability_left() {
        assert!((probability_exceeds(0, 0, 0.2, UNIFORM).unwrap() - 0.8).abs() < 1e-12);
    }

    #[test]
    fn no_event_gives_the_closed_form_upper_limit() {
        let (low, high) = clopper_pearson(0, 10, 0.95).unwrap();
        assert_eq!(low, 0.0);
        assert!((high - (1.0 - 0.025f64.powf(0.1))).abs() < 1e-12);
    }

    #[test]
    fn impossible_counts_are_refused() {
        assert!(probability_exceeds(3, 2, 0.2, UNIFORM).is_err());
        assert!(clopper_pearson(0, 0, 0.95).is_err());
    }

    proptest! {
        #[test]
        fn an_event_more_raises_the_probability(participants in 1u32..80, events in 0u32..79, p0 in 0.01f64..0.99) {
            prop_assume!(events < participants);
            let at = |events| probability_exceeds(events, participants, p0, UNIFORM).unwrap();
            prop_assert!(at(events + 1) >= at(events));
        }

        #[test]
        fn the_interval_is_mirrored_when_events_and_others_change_place(
            participants in 1u32..80, events in 0u32..80,
        ) {
            prop_assume!(events <= participants);
            let (low, high) = clopper_pearson(events, participants, 0.95).unwrap();
            let (other_low, other_high) = clopper_pearson(participants - events, participants, 0.95).unwrap();
            prop_assert!((low - (1.0 - other_high)).abs() < 1e-9 && (high - (1.0 - other_low)).abs() < 1e-9);
        }
    }
}
