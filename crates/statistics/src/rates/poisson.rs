//! Poisson rates: one rate with its exact interval, and the exact conditional comparison of two.
//!
//! Mathematics: `docs/methods/poisson_rate.md`.

use crate::proportions::{binomial_test, clopper_pearson};
use crate::{Confidence, Interval, NotEstimable, distribution};

/// An event rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PoissonRate {
    /// Events per unit of time.
    pub rate: f64,
    /// Its exact interval.
    pub interval: Interval,
}

/// A ratio of two event rates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateRatio {
    /// The first rate over the second; may be zero or infinite.
    pub ratio: f64,
    /// Its exact conditional interval; a limit may be zero or infinite.
    pub interval: Interval,
    /// Exact conditional p-value of equal rates, by probability.
    pub p_two_sided: f64,
}

fn checked_time(time: f64) -> Result<f64, NotEstimable> {
    if time == 0.0 {
        Err(NotEstimable::ZeroDenominator)
    } else if time > 0.0 && time.is_finite() {
        Ok(time)
    } else {
        Err(NotEstimable::OutOfRange { name: "time at risk" })
    }
}

/// The rate of `events` in `time` (any unit) at risk.
///
/// # Errors
/// No time at risk, or a time that is negative or not finite.
pub fn poisson_rate(events: u64, time: f64, confidence: Confidence) -> Result<PoissonRate, NotEstimable> {
    let time = checked_time(time)?;
    let (e, tail) = (events as f64, confidence.tail());
    let lower = if events == 0 { 0.0 } else { distribution::gamma_quantile(tail, e) };
    let upper = distribution::gamma_quantile_upper(tail, e + 1.0);
    Ok(PoissonRate { rate: e / time, interval: Interval { lower: lower / time, upper: upper / time } })
}

/// Compares two rates, each (events, time at risk), given the total number of events.
///
/// # Errors
/// No events in either arm, no time at risk, or a time that is negative or not finite.
pub fn rate_ratio(
    (events1, time1): (u64, f64),
    (events2, time2): (u64, f64),
    confidence: Confidence,
) -> Result<RateRatio, NotEstimable> {
    let (time1, time2) = (checked_time(time1)?, checked_time(time2)?);
    let total = events1 + events2;
    if total == 0 {
        return Err(NotEstimable::NoEvents);
    }
    let odds = |p: f64| if p >= 1.0 { f64::INFINITY } else { p / (1.0 - p) * time2 / time1 };
    Ok(RateRatio {
        ratio: (events1 as f64 / time1) / (events2 as f64 / time2),
        interval: clopper_pearson(events1, total, confidence)?.map(odds),
        p_two_sided: binomial_test(events1, total, time1 / (time1 + time2))?.p_two_sided,
    })
}

#[test]
fn no_time_at_risk_has_no_rate() {
    assert_eq!(poisson_rate(1, 0.0, Confidence::C95), Err(NotEstimable::ZeroDenominator));
    assert!(poisson_rate(1, f64::NAN, Confidence::C95).is_err());
    assert_eq!(rate_ratio((1, 0.0), (1, 1.0), Confidence::C95), Err(NotEstimable::ZeroDenominator));
}

#[test]
fn no_events_have_no_ratio() {
    assert_eq!(rate_ratio((0, 3.0), (0, 1.0), Confidence::C95), Err(NotEstimable::NoEvents));
}
