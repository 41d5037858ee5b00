//! Two binomial proportions: intervals of their difference and ratios.
//!
//! Mathematics: `docs/methods/two_proportions.md`.

use super::binomial::{wilson, wilson_continuity, wilson_continuity_as_r};
use crate::{Confidence, Interval, NotEstimable, root};

/// Which interval for a difference of proportions is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DifferenceInterval {
    /// Newcombe's hybrid of two Wilson intervals (his method 10).
    Newcombe,
    /// Newcombe's hybrid of two continuity-corrected Wilson intervals (his method 11).
    NewcombeContinuity,
    /// The same on the limits of R's `prop.test`, which does not correct an arm with events in exactly half.
    NewcombeContinuityAsR,
    /// Wald's normal interval.
    Wald,
    /// Wald's formula with one event and one non-event added to each arm.
    AgrestiCaffo,
    /// The score interval of Miettinen and Nurminen.
    MiettinenNurminen,
}

/// Events and size of one arm.
type Arm = (u64, u64);

fn proportion((x, n): Arm) -> Result<f64, NotEstimable> {
    if n == 0 {
        Err(NotEstimable::ArmEmpty)
    } else if x > n {
        Err(NotEstimable::OutOfRange { name: "number of events" })
    } else {
        Ok(x as f64 / n as f64)
    }
}

/// The interval of the kind asked for of `p1 - p2`; each arm is (events, size).
///
/// # Errors
/// An empty arm, or more events than participants.
pub fn difference_interval(
    arm1: Arm,
    arm2: Arm,
    kind: DifferenceInterval,
    confidence: Confidence,
) -> Result<Interval, NotEstimable> {
    match kind {
        DifferenceInterval::Newcombe => newcombe(arm1, arm2, confidence),
        DifferenceInterval::NewcombeContinuity => newcombe_continuity(arm1, arm2, confidence),
        DifferenceInterval::NewcombeContinuityAsR => newcombe_continuity_as_r(arm1, arm2, confidence),
        DifferenceInterval::Wald => wald_difference(arm1, arm2, confidence),
        DifferenceInterval::AgrestiCaffo => agresti_caffo(arm1, arm2, confidence),
        DifferenceInterval::MiettinenNurminen => miettinen_nurminen(arm1, arm2, confidence),
    }
}

fn hybrid(p1: f64, p2: f64, w1: Interval, w2: Interval) -> Interval {
    let d = p1 - p2;
    Interval {
        lower: d - (p1 - w1.lower).hypot(w2.upper - p2),
        upper: d + (w1.upper - p1).hypot(p2 - w2.lower),
    }
}

/// Newcombe's hybrid score interval of `p1 - p2`.
///
/// # Errors
/// An empty arm, or more events than participants.
pub fn newcombe(arm1: Arm, arm2: Arm, confidence: Confidence) -> Result<Interval, NotEstimable> {
    let (p1, p2) = (proportion(arm1)?, proportion(arm2)?);
    Ok(hybrid(p1, p2, wilson(arm1.0, arm1.1, confidence)?, wilson(arm2.0, arm2.1, confidence)?))
}

/// Newcombe's hybrid score interval of `p1 - p2` with continuity correction.
///
/// # Errors
/// An empty arm, or more events than participants.
pub fn newcombe_continuity(arm1: Arm, arm2: Arm, confidence: Confidence) -> Result<Interval, NotEstimable> {
    let (p1, p2) = (proportion(arm1)?, proportion(arm2)?);
    let w1 = wilson_continuity(arm1.0, arm1.1, confidence)?;
    Ok(hybrid(p1, p2, w1, wilson_continuity(arm2.0, arm2.1, confidence)?))
}

/// Newcombe's hybrid score interval on the continuity-corrected limits of R's `prop.test`.
///
/// # Errors
/// An empty arm, or more events than participants.
pub fn newcombe_continuity_as_r(
    arm1: Arm,
    arm2: Arm,
    confidence: Confidence,
) -> Result<Interval, NotEstimable> {
    let (p1, p2) = (proportion(arm1)?, proportion(arm2)?);
    let w1 = wilson_continuity_as_r(arm1.0, arm1.1, confidence)?;
    Ok(hybrid(p1, p2, w1, wilson_continuity_as_r(arm2.0, arm2.1, confidence)?))
}

/// Wald's interval of `p1 - p2`, not clipped.
///
/// # Errors
/// An empty arm, or more events than participants.
pub fn wald_difference(arm1: Arm, arm2: Arm, confidence: Confidence) -> Result<Interval, NotEstimable> {
    let (p1, p2) = (proportion(arm1)?, proportion(arm2)?);
    let variance = p1 * (1.0 - p1) / arm1.1 as f64 + p2 * (1.0 - p2) / arm2.1 as f64;
    Ok(Interval::around(p1 - p2, confidence.z() * variance.sqrt()))
}

/// The interval of Agresti and Caffo of `p1 - p2`, not clipped.
///
/// # Errors
/// An empty arm, or more events than participants.
pub fn agresti_caffo(arm1: Arm, arm2: Arm, confidence: Confidence) -> Result<Interval, NotEstimable> {
    proportion(arm1)?;
    proportion(arm2)?;
    wald_difference((arm1.0 + 1, arm1.1 + 2), (arm2.0 + 1, arm2.1 + 2), confidence)
}

/// The interval of Miettinen and Nurminen of `p1 - p2`, with their factor N / (N - 1).
///
/// # Errors
/// An empty arm, or more events than participants.
pub fn miettinen_nurminen(arm1: Arm, arm2: Arm, confidence: Confidence) -> Result<Interval, NotEstimable> {
    let d = proportion(arm1)? - proportion(arm2)?;
    let z = confidence.z();
    // The score falls as the hypothetical difference rises.
    let score = |delta: f64| miettinen_nurminen_score(arm1, arm2, delta);
    let lower = if d <= -1.0 { -1.0 } else { root::of_decreasing(-1.0, d, |delta| score(delta) - z) };
    let upper = if d >= 1.0 { 1.0 } else { root::of_decreasing(d, 1.0, |delta| score(delta) + z) };
    Ok(Interval { lower, upper })
}

/// (p1 - p2 - δ) over its standard error at the proportions most likely under p1 - p2 = δ.
fn miettinen_nurminen_score((x1, n1): Arm, (x2, n2): Arm, delta: f64) -> f64 {
    let (x1, n1, x2, n2) = (x1 as f64, n1 as f64, x2 as f64, n2 as f64);
    let n = n1 + n2;
    let difference = x1 / n1 - x2 / n2 - delta;
    let p2 = restricted_p2(x1, n1, x2, n2, delta);
    let p1 = (p2 + delta).clamp(0.0, 1.0);
    let variance = (p1 * (1.0 - p1) / n1 + p2 * (1.0 - p2) / n2) * n / (n - 1.0);
    if difference == 0.0 { 0.0 } else { difference / variance.max(0.0).sqrt() }
}

/// The maximum likelihood estimate of p2 under p1 - p2 = δ: the trigonometric root of the
/// cubic in Miettinen and Nurminen (1985), appendix I.
fn restricted_p2(x1: f64, n1: f64, x2: f64, n2: f64, delta: f64) -> f64 {
    let n = n1 + n2;
    let l3 = n;
    let l2 = (n1 + 2.0 * n2) * delta - n - (x1 + x2);
    let l1 = (n2 * delta - n - 2.0 * x2) * delta + x1 + x2;
    let l0 = x2 * delta * (1.0 - delta);
    let third = l2 / (3.0 * l3);
    let q = third.powi(3) - l1 * l2 / (6.0 * l3 * l3) + l0 / (2.0 * l3);
    let p = (third * third - l1 / (3.0 * l3)).max(0.0).sqrt() * if q < 0.0 { -1.0 } else { 1.0 };
    if p == 0.0 {
        return (-third).clamp(0.0, 1.0);
    }
    let angle = (std::f64::consts::PI + (q / p.powi(3)).clamp(-1.0, 1.0).acos()) / 3.0;
    (2.0 * p * angle.cos() - third).clamp(0.0_f64.max(-delta), 1.0_f64.min(1.0 - delta))
}

/// A ratio with its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RatioInterval {
    /// The ratio.
    pub estimate: f64,
    /// Its interval.
    pub interval: Interval,
}

/// The risk ratio p1 / p2 with the log interval of Katz.
///
/// # Errors
/// An empty arm, more events than participants, or an arm without events (the logarithm does not exist).
pub fn risk_ratio_katz(arm1: Arm, arm2: Arm, confidence: Confidence) -> Result<RatioInterval, NotEstimable> {
    let (p1, p2) = (proportion(arm1)?, proportion(arm2)?);
    if arm1.0 == 0 || arm2.0 == 0 {
        return Err(NotEstimable::NoEvents);
    }
    let variance = (1.0 - p1) / arm1.0 as f64 + (1.0 - p2) / arm2.0 as f64;
    Ok(log_interval(p1 / p2, variance, confidence))
}

/// The odds ratio with the log interval of Woolf.
///
/// # Errors
/// An empty arm, more events than participants, or a zero in the four-fold table.
pub fn odds_ratio_woolf(arm1: Arm, arm2: Arm, confidence: Confidence) -> Result<RatioInterval, NotEstimable> {
    proportion(arm1)?;
    proportion(arm2)?;
    let cells = [arm1.0, arm1.1 - arm1.0, arm2.0, arm2.1 - arm2.0].map(|n| n as f64);
    if cells.contains(&0.0) {
        return Err(NotEstimable::ZeroDenominator);
    }
    let variance = cells.iter().map(|n| 1.0 / n).sum();
    Ok(log_interval(cells[0] * cells[3] / (cells[1] * cells[2]), variance, confidence))
}

fn log_interval(estimate: f64, variance: f64, confidence: Confidence) -> RatioInterval {
    let interval = Interval::around(estimate.ln(), confidence.z() * variance.sqrt()).map(f64::exp);
    RatioInterval { estimate, interval }
}

#[cfg(test)]
mod tests {
    use super::*;
    use DifferenceInterval::{
        AgrestiCaffo, MiettinenNurminen, Newcombe, NewcombeContinuity, NewcombeContinuityAsR, Wald,
    };

    #[test]
    fn an_empty_arm_gives_no_comparison() {
        for kind in
            [Newcombe, NewcombeContinuity, NewcombeContinuityAsR, Wald, AgrestiCaffo, MiettinenNurminen]
        {
            let refused = difference_interval((0, 0), (1, 2), kind, Confidence::C95);
            assert_eq!(refused, Err(NotEstimable::ArmEmpty), "{kind:?}");
        }
        assert_eq!(risk_ratio_katz((1, 2), (0, 0), Confidence::C95), Err(NotEstimable::ArmEmpty));
    }

    #[test]
    fn ratios_need_events() {
        assert_eq!(risk_ratio_katz((0, 5), (2, 5), Confidence::C95), Err(NotEstimable::NoEvents));
        assert_eq!(odds_ratio_woolf((5, 5), (2, 5), Confidence::C95), Err(NotEstimable::ZeroDenominator));
    }

    #[test]
    fn score_limits_stay_inside_minus_one_and_one() {
        for arms in [((0, 5), (5, 5)), ((5, 5), (0, 5)), ((0, 5), (0, 5)), ((5, 5), (5, 5)), ((0, 9), (3, 4))]
        {
            let limits = miettinen_nurminen(arms.0, arms.1, Confidence::C95).unwrap();
            assert!(
                (-1.0..=1.0).contains(&limits.lower) && (-1.0..=1.0).contains(&limits.upper),
                "{arms:?} {limits:?}"
            );
            assert!(limits.lower < limits.upper, "{arms:?} {limits:?}");
        }
    }
}
