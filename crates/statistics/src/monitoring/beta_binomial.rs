//! Posterior and predictive probabilities of a binomial proportion under a beta prior.
//!
//! Mathematics: `docs/methods/stopping_rule.md`.

use crate::distribution::{beta_upper, ln_choose, ln_gamma_function};
use crate::{Confidence, NotEstimable};

/// The prior Beta(a, b) of a proportion.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BetaPrior {
    a: f64,
    b: f64,
}

impl BetaPrior {
    /// Makes a prior.
    ///
    /// # Errors
    /// [`NotEstimable::OutOfRange`] unless both parameters are positive and finite.
    pub fn new(a: f64, b: f64) -> Result<Self, NotEstimable> {
        if a > 0.0 && b > 0.0 && a.is_finite() && b.is_finite() {
            Ok(Self { a, b })
        } else {
            Err(NotEstimable::OutOfRange { name: "prior" })
        }
    }

    fn after(self, x: u64, n: u64) -> Self {
        Self { a: self.a + x as f64, b: self.b + (n - x) as f64 }
    }
}

pub(super) fn checked_proportion(p0: f64) -> Result<f64, NotEstimable> {
    if p0 > 0.0 && p0 < 1.0 { Ok(p0) } else { Err(NotEstimable::OutOfRange { name: "reference proportion" }) }
}

/// Pr(p > p0) after `x` events among `n`.
///
/// # Errors
/// More events than participants, or `p0` outside (0, 1). No participants are no error: the prior answers.
pub fn posterior_exceeds(x: u64, n: u64, p0: f64, prior: BetaPrior) -> Result<f64, NotEstimable> {
    if x > n {
        return Err(NotEstimable::OutOfRange { name: "number of events" });
    }
    let posterior = prior.after(x, n);
    Ok(beta_upper(checked_proportion(p0)?, posterior.a, posterior.b))
}

/// The probability, after `x` events among `n`, that Pr(p > p0) will be at least `threshold` at `n_final`.
///
/// The events yet to come are beta-binomial under the posterior.
///
/// # Errors
/// More events than participants, a final size below `n`, or `p0` outside (0, 1).
pub fn predictive_probability(
    x: u64,
    n: u64,
    n_final: u64,
    p0: f64,
    threshold: Confidence,
    prior: BetaPrior,
) -> Result<f64, NotEstimable> {
    if x > n {
        return Err(NotEstimable::OutOfRange { name: "number of events" });
    }
    let left = n_final.checked_sub(n).ok_or(NotEstimable::OutOfRange { name: "final size" })?;
    let posterior = prior.after(x, n);
    let mut sum = 0.0;
    for y in 0..=left {
        if posterior_exceeds(x + y, n_final, p0, prior)? >= threshold.level() {
            sum += beta_binomial_pmf(y, left, posterior);
        }
    }
    Ok(sum.min(1.0))
}

fn beta_binomial_pmf(y: u64, m: u64, BetaPrior { a, b }: BetaPrior) -> f64 {
    let ln_beta = |a: f64, b: f64| ln_gamma_function(a) + ln_gamma_function(b) - ln_gamma_function(a + b);
    let (y, m) = (y as f64, m as f64);
    (ln_choose(m, y) + ln_beta(a + y, b + m - y) - ln_beta(a, b)).exp()
}

#[test]
fn a_prior_without_mass_is_refused() {
    assert_eq!(BetaPrior::new(0.0, 1.0), Err(NotEstimable::OutOfRange { name: "prior" }));
}

#[test]
fn at_the_final_size_the_prediction_is_certain() {
    let prior = BetaPrior::new(0.6, 2.4).unwrap();
    let threshold = Confidence::C95;
    assert_eq!(predictive_probability(12, 20, 20, 0.2, threshold, prior), Ok(1.0));
    assert_eq!(predictive_probability(1, 20, 20, 0.2, threshold, prior), Ok(0.0));
    assert!(predictive_probability(1, 20, 10, 0.2, threshold, prior).is_err());
    assert!(posterior_exceeds(3, 2, 0.2, prior).is_err());
}
