//! The Kaplan-Meier estimate, its intervals, its quantiles and its restricted mean.
//!
//! Mathematics: `docs/methods/survival.md`.

use super::Times;
use crate::{Confidence, Interval, NotEstimable};

/// The scale on which the interval of the survival probability is symmetric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SurvivalInterval {
    /// ln S; the default of R.
    Log,
    /// ln(-ln S); the default of SAS.
    LogLog,
}

/// What the restricted mean does after the last time when that is censored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BeyondLast {
    /// It refuses.
    Refuse,
    /// It takes the curve as constant from there on, as R does.
    Extend,
}

/// The curve at one time of an event.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KaplanMeierStep {
    /// The time.
    pub time: f64,
    /// Participants at risk just before.
    pub at_risk: usize,
    /// Events at this time.
    pub events: usize,
    /// The survival probability from here on.
    pub survival: f64,
    /// Σ d / (n (n - d)) up to here; infinite once the curve is at zero.
    pub hazard_variance: f64,
}

impl KaplanMeierStep {
    /// Greenwood's standard error; `None` once the curve is at zero.
    pub fn se(&self) -> Option<f64> {
        if self.survival > 0.0 { Some(self.survival * self.hazard_variance.sqrt()) } else { None }
    }

    /// The pointwise interval; `None` once the curve is at zero.
    pub fn interval(&self, kind: SurvivalInterval, confidence: Confidence) -> Option<Interval> {
        if self.survival <= 0.0 {
            return None;
        }
        let log = self.survival.ln();
        let half = confidence.z() * self.hazard_variance.sqrt();
        Some(match kind {
            SurvivalInterval::Log => {
                Interval { lower: (log - half).exp(), upper: (log + half).exp().min(1.0) }
            }
            SurvivalInterval::LogLog => {
                let factor = (half / log).exp();
                // ln S < 0, so that the factor is below one and its inverse gives the lower limit.
                Interval { lower: (log / factor).exp(), upper: (log * factor).exp() }
            }
        })
    }
}

/// A Kaplan-Meier curve.
#[derive(Debug, Clone, PartialEq)]
pub struct KaplanMeier {
    /// One step for each distinct time of an event, in increasing order.
    pub steps: Vec<KaplanMeierStep>,
    /// Number of participants.
    pub n: usize,
    /// The last time of all, censored or not.
    pub last_time: f64,
}

/// A restricted mean survival time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RestrictedMean {
    /// The area under the curve up to the horizon.
    pub mean: f64,
    /// Its standard error.
    pub se: f64,
}

/// Estimates the curve. Without events it is one throughout, and has no steps.
pub fn kaplan_meier(times: Times<'_>) -> KaplanMeier {
    let order = times.ascending();
    let (mut steps, mut survival, mut hazard_variance) = (Vec::new(), 1.0, 0.0);
    let mut i = 0;
    while i < order.len() {
        let time = times.time[order[i] as usize];
        let at_risk = order.len() - i;
        let mut events = 0;
        while i < order.len() && times.time[order[i] as usize] == time {
            events += usize::from(times.event[order[i] as usize]);
            i += 1;
        }
        if events > 0 {
            let (n, d) = (at_risk as f64, events as f64);
            survival *= (n - d) / n;
            hazard_variance += d / (n * (n - d));
            steps.push(KaplanMeierStep { time, at_risk, events, survival, hazard_variance });
        }
    }
    let last_time = order.last().map_or(0.0, |i| times.time[*i as usize]);
    KaplanMeier { steps, n: order.len(), last_time }
}

/// Survival probabilities this close count as equal, as in R.
const SAME: f64 = 1.490_116_119_384_765_6e-8;

impl KaplanMeier {
    /// S(t).
    pub fn survival_at(&self, time: f64) -> f64 {
        let passed = self.steps.partition_point(|s| s.time <= time);
        if passed == 0 { 1.0 } else { self.steps[passed - 1].survival }
    }

    /// The time by which a share `p` has had the event.
    ///
    /// It is the first time at which S ≤ 1 - p; where the curve runs level at exactly that height, the middle of that stretch.
    ///
    /// # Errors
    /// [`NotEstimable::NotReached`] where the curve stays above.
    pub fn quantile(&self, p: f64) -> Result<f64, NotEstimable> {
        self.first_below(1.0 - p, |step| Some(step.survival)).ok_or(NotEstimable::NotReached)
    }

    /// The limits of a quantile: where the limits of the curve fall to that height. `None` where one does not.
    pub fn quantile_limits(
        &self,
        p: f64,
        kind: SurvivalInterval,
        confidence: Confidence,
    ) -> (Option<f64>, Option<f64>) {
        let lower = self.first_below(1.0 - p, |s| s.interval(kind, confidence).map(|i| i.lower));
        let upper = self.first_below(1.0 - p, |s| s.interval(kind, confidence).map(|i| i.upper));
        (lower, upper)
    }

    fn first_below(&self, height: f64, of: impl Fn(&KaplanMeierStep) -> Option<f64>) -> Option<f64> {
        let mut heights = self.steps.iter().filter_map(|s| of(s).map(|h| (s.time, h)));
        let (time, first) = heights.find(|(_, h)| *h < height + SAME)?;
        if (first - height).abs() >= SAME {
            return Some(time);
        }
        Some(heights.find(|(_, h)| *h < first).map_or(time, |(next, _)| (time + next) / 2.0))
    }

    /// The restricted mean up to `horizon`, with the variance Σ A(t)² d / (n (n - d)), where A(t) is the area from t on.
    ///
    /// # Errors
    /// A horizon that is not positive, or one beyond the last time of a curve that is not at zero, unless extended.
    pub fn restricted_mean(&self, horizon: f64, beyond: BeyondLast) -> Result<RestrictedMean, NotEstimable> {
        if horizon.is_nan() || horizon <= 0.0 || horizon.is_infinite() {
            return Err(NotEstimable::OutOfRange { name: "horizon" });
        }
        let ends_at_zero = self.steps.last().is_some_and(|s| s.survival == 0.0);
        if horizon > self.last_time && !ends_at_zero && beyond == BeyondLast::Refuse {
            return Err(NotEstimable::BeyondFollowUp);
        }
        // From the horizon backwards, so that the area to the right is at hand.
        let (mut area, mut variance, mut right) = (0.0, 0.0, horizon);
        for step in self.steps.iter().rev().filter(|s| s.time < horizon) {
            area += step.survival * (right - step.time);
            right = step.time;
            let (n, d) = (step.at_risk as f64, step.events as f64);
            if n > d {
                variance += area * area * d / (n * (n - d));
            }
        }
        Ok(RestrictedMean { mean: area + right, se: variance.sqrt() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(time: &[f64], event: &[bool]) -> KaplanMeier {
        kaplan_meier(Times::new(time, event).unwrap())
    }

    #[test]
    fn without_events_the_median_is_not_reached() {
        let flat = curve(&[1.0, 2.0], &[false, false]);
        assert_eq!(flat.quantile(0.5), Err(NotEstimable::NotReached));
        assert_eq!(flat.survival_at(5.0), 1.0);
        assert_eq!(
            flat.restricted_mean(2.0, BeyondLast::Refuse).unwrap(),
            RestrictedMean { mean: 2.0, se: 0.0 }
        );
    }

    #[test]
    fn a_curve_at_zero_has_no_interval() {
        let last = curve(&[1.0], &[true]).steps[0];
        assert_eq!((last.survival, last.se()), (0.0, None));
        assert_eq!(last.interval(SurvivalInterval::Log, Confidence::C95), None);
    }

    #[test]
    fn a_level_stretch_at_one_half_gives_its_middle() {
        let even = curve(&[1.0, 2.0, 3.0, 4.0], &[true; 4]);
        assert_eq!(even.quantile(0.5), Ok(2.5));
    }

    #[test]
    fn a_horizon_beyond_follow_up_is_refused_unless_extended() {
        let short = curve(&[1.0, 2.0], &[true, false]);
        assert_eq!(short.restricted_mean(4.0, BeyondLast::Refuse), Err(NotEstimable::BeyondFollowUp));
        assert_eq!(short.restricted_mean(4.0, BeyondLast::Extend).unwrap().mean, 2.5);
        assert!(short.restricted_mean(0.0, BeyondLast::Extend).is_err());
    }
}
