//! One binomial proportion: the exact test and the intervals in use.
//!
//! Intervals are not clipped to [0, 1] where their formula is not (Wald and
//! Agresti-Coull), so that a reader sees what the formula gives.
//! Mathematics: `docs/methods/binomial_one_sample.md`.

use crate::{Confidence, Interval, NotEstimable, distribution, root};

/// The exact binomial test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BinomialTest {
    /// x / n.
    pub estimate: f64,
    /// Sum of the probabilities that do not exceed that of `x`.
    pub p_two_sided: f64,
    /// P(X ≤ x).
    pub p_less: f64,
    /// P(X ≥ x).
    pub p_greater: f64,
}

/// Which interval for a proportion is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BinomialInterval {
    /// Exact, from both binomial tails.
    ClopperPearson,
    /// Wilson's score interval.
    Wilson,
    /// Wilson's score interval with continuity correction.
    WilsonContinuity,
    /// The same as R's `prop.test` gives it: exactly half of `n` is not corrected.
    WilsonContinuityAsR,
    /// Wald's formula at the shrunken proportion of Agresti and Coull.
    AgrestiCoull,
    /// Equal-tailed posterior interval under the prior Beta(1/2, 1/2), closed at 0 or n events.
    Jeffreys,
    /// Wald's normal interval.
    Wald,
    /// From both binomial tails with half the probability of `x` in each.
    MidP,
}

fn checked(x: u64, n: u64) -> Result<(f64, f64), NotEstimable> {
    if n == 0 {
        Err(NotEstimable::NoObservations)
    } else if x > n {
        Err(NotEstimable::OutOfRange { name: "number of events" })
    } else {
        Ok((x as f64, n as f64))
    }
}

/// The interval of the kind asked for, for `x` events among `n`.
///
/// # Errors
/// `n` is zero, or `x` exceeds it.
pub fn binomial_interval(
    x: u64,
    n: u64,
    kind: BinomialInterval,
    confidence: Confidence,
) -> Result<Interval, NotEstimable> {
    match kind {
        BinomialInterval::ClopperPearson => clopper_pearson(x, n, confidence),
        BinomialInterval::Wilson => wilson(x, n, confidence),
        BinomialInterval::WilsonContinuity => wilson_continuity(x, n, confidence),
        BinomialInterval::WilsonContinuityAsR => wilson_continuity_as_r(x, n, confidence),
        BinomialInterval::AgrestiCoull => agresti_coull(x, n, confidence),
        BinomialInterval::Jeffreys => jeffreys(x, n, confidence),
        BinomialInterval::Wald => wald(x, n, confidence),
        BinomialInterval::MidP => mid_p(x, n, confidence),
    }
}

/// Tests whether the proportion is `p0`.
///
/// # Errors
/// `n` is zero, `x` exceeds it, or `p0` lies outside [0, 1].
pub fn binomial_test(x: u64, n: u64, p0: f64) -> Result<BinomialTest, NotEstimable> {
    let (xf, nf) = checked(x, n)?;
    if !(0.0..=1.0).contains(&p0) {
        return Err(NotEstimable::OutOfRange { name: "null proportion" });
    }
    Ok(BinomialTest {
        estimate: xf / nf,
        p_two_sided: two_sided_by_probability(x, n, p0),
        p_less: distribution::binomial_lower(x, n, p0),
        p_greater: distribution::binomial_at_least(x, n, p0),
    })
}

/// Probabilities that differ by less than this factor count as equal, as in R.
pub(super) const EQUAL_PROBABILITY: f64 = 1.0 + 1e-7;

fn two_sided_by_probability(x: u64, n: u64, p0: f64) -> f64 {
    let limit = distribution::binomial_pmf(x, n, p0) * EQUAL_PROBABILITY;
    let mean = n as f64 * p0;
    // The probabilities rise to the mode and fall after it, so that the set is two tails.
    if x as f64 == mean {
        1.0
    } else if (x as f64) < mean {
        let from = (mean.ceil() as u64..=n).find(|&k| distribution::binomial_pmf(k, n, p0) <= limit);
        let other = from.map_or(0.0, |k| distribution::binomial_at_least(k, n, p0));
        (distribution::binomial_lower(x, n, p0) + other).min(1.0)
    } else {
        let to = (0..=mean.floor() as u64).rev().find(|&k| distribution::binomial_pmf(k, n, p0) <= limit);
        let other = to.map_or(0.0, |k| distribution::binomial_lower(k, n, p0));
        (distribution::binomial_at_least(x, n, p0) + other).min(1.0)
    }
}

/// The Clopper-Pearson interval.
///
/// # Errors
/// `n` is zero, or `x` exceeds it.
pub fn clopper_pearson(x: u64, n: u64, confidence: Confidence) -> Result<Interval, NotEstimable> {
    let (xf, nf) = checked(x, n)?;
    let tail = confidence.tail();
    Ok(Interval {
        lower: if x == 0 { 0.0 } else { distribution::beta_quantile(tail, xf, nf - xf + 1.0) },
        upper: if x == n { 1.0 } else { distribution::beta_quantile_upper(tail, xf + 1.0, nf - xf) },
    })
}

/// Wilson's score interval.
///
/// # Errors
/// `n` is zero, or `x` exceeds it.
pub fn wilson(x: u64, n: u64, confidence: Confidence) -> Result<Interval, NotEstimable> {
    let (xf, nf) = checked(x, n)?;
    let z = confidence.z();
    let p = xf / nf;
    let centre = p + z * z / (2.0 * nf);
    let half = z * (p * (1.0 - p) / nf + z * z / (4.0 * nf * nf)).sqrt();
    let scale = 1.0 + z * z / nf;
    Ok(Interval { lower: ((centre - half) / scale).max(0.0), upper: ((centre + half) / scale).min(1.0) })
}

/// Wilson's score interval with a continuity correction of one half.
///
/// # Errors
/// `n` is zero, or `x` exceeds it.
pub fn wilson_continuity(x: u64, n: u64, confidence: Confidence) -> Result<Interval, NotEstimable> {
    let (xf, nf) = checked(x, n)?;
    let z = confidence.z();
    // One side: the score limit at a proportion moved outwards by 1/(2n).
    let side = |p: f64, sign: f64| {
        let z2 = z * z / (2.0 * nf);
        (p + z2 + sign * z * (p * (1.0 - p) / nf + z2 / (2.0 * nf)).sqrt()) / (1.0 + 2.0 * z2)
    };
    let (low, high) = ((xf - 0.5) / nf, (xf + 0.5) / nf);
    Ok(Interval {
        lower: if low <= 0.0 { 0.0 } else { side(low, -1.0) },
        upper: if high >= 1.0 { 1.0 } else { side(high, 1.0) },
    })
}

/// Wilson's score interval with the continuity correction of R's `prop.test`.
///
/// R limits the correction to |x - n p| at its default p = 1/2, so that x = n/2 has none.
///
/// # Errors
/// `n` is zero, or `x` exceeds it.
pub fn wilson_continuity_as_r(x: u64, n: u64, confidence: Confidence) -> Result<Interval, NotEstimable> {
    if 2 * x == n { wilson(x, n, confidence) } else { wilson_continuity(x, n, confidence) }
}

/// The Agresti-Coull interval, not clipped.
///
/// # Errors
/// `n` is zero, or `x` exceeds it.
pub fn agresti_coull(x: u64, n: u64, confidence: Confidence) -> Result<Interval, NotEstimable> {
    let (xf, nf) = checked(x, n)?;
    let z = confidence.z();
    let total = nf + z * z;
    let p = (xf + z * z / 2.0) / total;
    Ok(Interval::around(p, z * (p * (1.0 - p) / total).sqrt()))
}

/// The Jeffreys interval: 0 is the lower limit without events, 1 the upper one with nothing else.
///
/// # Errors
/// `n` is zero, or `x` exceeds it.
pub fn jeffreys(x: u64, n: u64, confidence: Confidence) -> Result<Interval, NotEstimable> {
    let (xf, nf) = checked(x, n)?;
    let (a, b, tail) = (xf + 0.5, nf - xf + 0.5, confidence.tail());
    Ok(Interval {
        lower: if x == 0 { 0.0 } else { distribution::beta_quantile(tail, a, b) },
        upper: if x == n { 1.0 } else { distribution::beta_quantile_upper(tail, a, b) },
    })
}

/// Wald's interval, not clipped.
///
/// # Errors
/// `n` is zero, or `x` exceeds it.
pub fn wald(x: u64, n: u64, confidence: Confidence) -> Result<Interval, NotEstimable> {
    let (xf, nf) = checked(x, n)?;
    let p = xf / nf;
    Ok(Interval::around(p, confidence.z() * (p * (1.0 - p) / nf).sqrt()))
}

/// The mid-p interval: each limit leaves `tail` when half of P(X = x) is counted.
///
/// # Errors
/// `n` is zero, or `x` exceeds it.
pub fn mid_p(x: u64, n: u64, confidence: Confidence) -> Result<Interval, NotEstimable> {
    checked(x, n)?;
    let tail = confidence.tail();
    let half = |p: f64| 0.5 * distribution::binomial_pmf(x, n, p);
    Ok(Interval {
        lower: if x == 0 {
            0.0
        } else {
            root::of_increasing(0.0, 1.0, |p| distribution::binomial_at_least(x, n, p) - half(p) - tail)
        },
        upper: if x == n {
            1.0
        } else {
            root::of_decreasing(0.0, 1.0, |p| distribution::binomial_lower(x, n, p) - half(p) - tail)
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use BinomialInterval::{
        AgrestiCoull, ClopperPearson, Jeffreys, MidP, Wald, Wilson, WilsonContinuity, WilsonContinuityAsR,
    };

    #[test]
    fn nobody_has_no_proportion() {
        for kind in [
            ClopperPearson,
            Wilson,
            WilsonContinuity,
            WilsonContinuityAsR,
            AgrestiCoull,
            Jeffreys,
            Wald,
            MidP,
        ] {
            assert_eq!(binomial_interval(0, 0, kind, Confidence::C95), Err(NotEstimable::NoObservations));
            let too_many = NotEstimable::OutOfRange { name: "number of events" };
            assert_eq!(binomial_interval(2, 1, kind, Confidence::C95), Err(too_many));
        }
        assert_eq!(binomial_test(0, 0, 0.5), Err(NotEstimable::NoObservations));
    }

    #[test]
    fn the_mid_p_interval_lies_inside_the_exact_one() {
        for x in 0..=12 {
            let (exact, mid) =
                (clopper_pearson(x, 12, Confidence::C95).unwrap(), mid_p(x, 12, Confidence::C95).unwrap());
            assert!(exact.lower <= mid.lower && mid.upper <= exact.upper, "{x}: {mid:?} in {exact:?}");
        }
    }

    #[test]
    fn r_does_not_correct_exactly_one_half() {
        // R 4.2.2: prop.test(7, 14, correct = TRUE)$conf.int
        let as_r = wilson_continuity_as_r(7, 14, Confidence::C95).unwrap();
        assert!(
            (as_r.lower - 0.2679920245241363).abs() < 1e-14
                && (as_r.upper - 0.7320079754758636).abs() < 1e-14
        );
        assert!(wilson_continuity(7, 14, Confidence::C95).unwrap().lower < as_r.lower);
        assert_eq!(wilson_continuity_as_r(6, 14, Confidence::C95), wilson_continuity(6, 14, Confidence::C95));
    }

    #[test]
    fn a_mid_p_limit_leaves_its_tail() {
        let limits = mid_p(3, 12, Confidence::C95).unwrap();
        let half = 0.5 * distribution::binomial_pmf(3, 12, limits.lower);
        assert!((distribution::binomial_at_least(3, 12, limits.lower) - half - 0.025).abs() < 1e-14);
    }

    #[test]
    fn an_impossible_null_is_rejected_outright() {
        assert_eq!(binomial_test(1, 5, 0.0).unwrap().p_two_sided, 0.0);
        assert_eq!(binomial_test(0, 5, 0.0).unwrap().p_two_sided, 1.0);
    }
}
