//! Whether participants or assessors could tell the treatment.
//!
//! Both indices take guesses of the form "the first treatment", "the second" and
//! "don't know". Mathematics: `docs/methods/blinding_index.md`.

use crate::{Confidence, Interval, NotEstimable, distribution};

/// The guesses made in one arm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guesses {
    /// Guesses of the treatment that was given.
    pub right: u64,
    /// Guesses of the other treatment.
    pub wrong: u64,
    /// Answers of "don't know".
    pub unknown: u64,
}

impl Guesses {
    fn total(self) -> f64 {
        (self.right + self.wrong + self.unknown) as f64
    }
}

/// A blinding index.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BlindingIndex {
    /// The estimate.
    pub estimate: f64,
    /// Its standard error.
    pub se: f64,
    /// Normal interval, not clipped.
    pub interval: Interval,
    /// Two-sided p-value against the value named by the function; `None` where the error is zero.
    pub p_two_sided: Option<f64>,
}

impl BlindingIndex {
    fn new(estimate: f64, variance: f64, null: f64, confidence: Confidence) -> Self {
        // A variance that is rounding noise is zero.
        let se = if variance > 1e-15 { variance.sqrt() } else { 0.0 };
        Self {
            estimate,
            se,
            interval: Interval::around(estimate, confidence.z() * se),
            p_two_sided: if se > 0.0 {
                Some(distribution::normal_two_sided((estimate - null) / se))
            } else {
                None
            },
        }
    }
}

/// Bang's index of one arm: the share of right guesses less that of wrong ones.
///
/// 0 is what guessing gives, 1 complete unblinding, -1 guesses that are all wrong. The p-value is
/// against 0. (Bang, Ni and Davis 2004, the form without ancillary answers.)
///
/// # Errors
/// [`NotEstimable::ArmEmpty`] where nobody answered.
pub fn bang_index(arm: Guesses, confidence: Confidence) -> Result<BlindingIndex, NotEstimable> {
    let n = arm.total();
    if n == 0.0 {
        return Err(NotEstimable::ArmEmpty);
    }
    let (right, wrong) = (arm.right as f64 / n, arm.wrong as f64 / n);
    let variance = (right * (1.0 - right) + wrong * (1.0 - wrong) + 2.0 * right * wrong) / n;
    Ok(BlindingIndex::new(right - wrong, variance, 0.0, confidence))
}

/// James' index of two arms: 1 is complete blinding, 0 complete unblinding, 1/2 what random guesses give.
///
/// Right guesses weigh 0, wrong ones 1/2, "don't know" 1. The p-value is against 1/2. The variance
/// is the delta method's for multinomial counts. (James and others 1996.)
///
/// # Errors
/// An arm in which nobody answered, or guesses that leave no disagreement possible by chance
/// (all answers "don't know", or one arm's all right and the other's all unknown).
pub fn james_index(arms: [Guesses; 2], confidence: Confidence) -> Result<BlindingIndex, NotEstimable> {
    if arms.iter().any(|a| a.total() == 0.0) {
        return Err(NotEstimable::ArmEmpty);
    }
    let n = arms[0].total() + arms[1].total();
    // p[guess][arm] among those who guessed, and the share who did not
    let p = [
        [arms[0].right as f64 / n, arms[1].wrong as f64 / n],
        [arms[0].wrong as f64 / n, arms[1].right as f64 / n],
    ];
    let unknown = (arms[0].unknown + arms[1].unknown) as f64 / n;
    let guess = [p[0][0] + p[0][1], p[1][0] + p[1][1]];
    let arm = [p[0][0] + p[1][0], p[0][1] + p[1][1]];
    let observed = 0.5 * (p[0][1] + p[1][0]);
    let expected = 0.5 * (guess[0] * arm[1] + guess[1] * arm[0]);
    if expected == 0.0 {
        return Err(NotEstimable::ZeroDenominator);
    }
    // (1 + d + (1 - d) K) / 2 with K = observed (1 - d) / expected - 1
    let known = 1.0 - unknown;
    let estimate = unknown + observed * known * known / (2.0 * expected);
    let mut slopes = vec![(unknown, 1.0 - observed * known / expected)];
    for g in 0..2 {
        for a in 0..2 {
            let by_observed = if g == a { 0.0 } else { 0.5 };
            let by_expected = 0.5 * (arm[1 - g] + guess[1 - a]);
            let slope = known * known / (2.0 * expected) * (by_observed - observed / expected * by_expected);
            slopes.push((p[g][a], slope));
        }
    }
    let mean: f64 = slopes.iter().map(|(p, s)| p * s).sum();
    let variance = slopes.iter().map(|(p, s)| p * (s - mean).powi(2)).sum::<f64>() / n;
    Ok(BlindingIndex::new(estimate, variance, 0.5, confidence))
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn guesses(right: u64, wrong: u64, unknown: u64) -> Guesses {
        Guesses { right, wrong, unknown }
    }

    #[test]
    fn an_arm_without_answers_has_no_index() {
        assert_eq!(bang_index(guesses(0, 0, 0), Confidence::C95), Err(NotEstimable::ArmEmpty));
        let refused = james_index([guesses(1, 2, 3), guesses(0, 0, 0)], Confidence::C95);
        assert_eq!(refused, Err(NotEstimable::ArmEmpty));
    }

    #[test]
    fn answers_of_dont_know_alone_leave_nothing_to_compare() {
        let refused = james_index([guesses(0, 0, 5), guesses(0, 0, 5)], Confidence::C95);
        assert_eq!(refused, Err(NotEstimable::ZeroDenominator));
        let bang = bang_index(guesses(0, 0, 5), Confidence::C95).unwrap();
        assert_eq!((bang.estimate, bang.p_two_sided), (0.0, None));
    }

    #[test]
    fn right_guesses_alone_are_complete_unblinding() {
        let arms = [guesses(8, 0, 0), guesses(6, 0, 0)];
        assert_eq!(james_index(arms, Confidence::C95).unwrap().estimate, 0.0);
        assert_eq!(bang_index(arms[0], Confidence::C95).unwrap().estimate, 1.0);
    }

    #[test]
    fn guesses_unrelated_to_treatment_give_one_half() {
        let index = james_index([guesses(5, 5, 0), guesses(5, 5, 0)], Confidence::C95).unwrap();
        assert!((index.estimate - 0.5).abs() < 1e-15);
    }
}
