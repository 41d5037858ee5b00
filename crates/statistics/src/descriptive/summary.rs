//! Count, mean, spread and shape of one series.
//!
//! Deliberately without quartiles: their definition is an option, see
//! [`quantile`](super::quantile()). Mathematics: `docs/methods/descriptive.md`.

use super::median;
use crate::not_estimable::all_finite;
use crate::{Confidence, Interval, NotEstimable, distribution};

/// The summary that every table shows. Spread is absent where one observation has none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// Number of observations.
    pub n: usize,
    /// Arithmetic mean.
    pub mean: f64,
    /// Standard deviation with divisor n - 1; `None` for one observation.
    pub sd: Option<f64>,
    /// Standard error of the mean, `sd / √n`; `None` for one observation.
    pub se: Option<f64>,
    /// Median.
    pub median: f64,
    /// Smallest observation.
    pub min: f64,
    /// Largest observation.
    pub max: f64,
}

/// Summarises a series.
///
/// # Errors
/// No observations, or one that is not finite.
pub fn summarise(x: &[f64]) -> Result<Summary, NotEstimable> {
    let mean = mean(x)?;
    let sd = variance(x).ok().map(f64::sqrt);
    Ok(Summary {
        n: x.len(),
        mean,
        sd,
        se: sd.map(|sd| sd / (x.len() as f64).sqrt()),
        median: median(x)?,
        min: x.iter().copied().fold(f64::INFINITY, f64::min),
        max: x.iter().copied().fold(f64::NEG_INFINITY, f64::max),
    })
}

/// The arithmetic mean, in two passes: the mean of the residuals corrects the first pass.
///
/// # Errors
/// No observations, or one that is not finite.
pub fn mean(x: &[f64]) -> Result<f64, NotEstimable> {
    if x.is_empty() {
        return Err(NotEstimable::NoObservations);
    }
    all_finite(x)?;
    Ok(mean_of(x.iter().copied()))
}

/// The mean of numbers already known to be finite and not none.
pub(crate) fn mean_of(x: impl ExactSizeIterator<Item = f64> + Clone) -> f64 {
    let n = x.len() as f64;
    let first = x.clone().sum::<f64>() / n;
    first + x.map(|v| v - first).sum::<f64>() / n
}

/// The variance with divisor n - 1.
///
/// # Errors
/// Fewer than two observations, or one that is not finite.
pub fn variance(x: &[f64]) -> Result<f64, NotEstimable> {
    let too_few = NotEstimable::TooFewObservations { needed: 2, found: x.len() };
    mean_and_variance(x.iter().copied())?.1.ok_or(too_few)
}

/// The mean, and the variance with divisor n - 1 where there are two observations.
///
/// # Errors
/// No observations, or one that is not finite.
pub(crate) fn mean_and_variance(
    x: impl ExactSizeIterator<Item = f64> + Clone,
) -> Result<(f64, Option<f64>), NotEstimable> {
    if x.len() == 0 {
        return Err(NotEstimable::NoObservations);
    }
    if !x.clone().all(f64::is_finite) {
        return Err(NotEstimable::NotFinite);
    }
    let (n, mean) = (x.len() as f64, mean_of(x.clone()));
    if n < 2.0 {
        return Ok((mean, None));
    }
    let (mut squares, mut sum) = (0.0, 0.0);
    for v in x {
        squares += (v - mean) * (v - mean);
        sum += v - mean;
    }
    Ok((mean, Some((squares - sum * sum / n) / (n - 1.0))))
}

/// The t interval of the mean.
///
/// # Errors
/// Fewer than two observations, or one that is not finite.
pub fn mean_interval_t(x: &[f64], confidence: Confidence) -> Result<Interval, NotEstimable> {
    let mean = mean(x)?;
    let n = x.len() as f64;
    let se = (variance(x)? / n).sqrt();
    Ok(Interval::around(mean, distribution::t_quantile_upper(confidence.tail(), n - 1.0) * se))
}

/// The coefficient of variation, `100 sd / mean`.
///
/// # Errors
/// As [`variance`], or a mean of zero.
pub fn coefficient_of_variation_percent(x: &[f64]) -> Result<f64, NotEstimable> {
    let (mean, variance) = (mean(x)?, variance(x)?);
    if mean == 0.0 { Err(NotEstimable::ZeroDenominator) } else { Ok(100.0 * variance.sqrt() / mean) }
}

/// Summary on the logarithmic scale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Geometric {
    /// Geometric mean, `exp(mean(ln x))`.
    pub mean: f64,
    /// Geometric coefficient of variation, `100 √(exp(var(ln x)) - 1)`; `None` for one observation.
    pub cv_percent: Option<f64>,
}

/// The geometric mean and coefficient of variation.
///
/// # Errors
/// No observations, one that is not finite, or one that is not positive.
pub fn geometric(x: &[f64]) -> Result<Geometric, NotEstimable> {
    mean(x)?;
    if x.iter().any(|&v| v <= 0.0) {
        return Err(NotEstimable::NotPositive);
    }
    let logs: Vec<f64> = x.iter().map(|v| v.ln()).collect();
    let cv_percent = variance(&logs).ok().map(|v| 100.0 * v.exp_m1().sqrt());
    Ok(Geometric { mean: mean_of(logs.iter().copied()).exp(), cv_percent })
}

/// The median absolute deviation from the median, times 1.4826 (the normal-consistency constant as R rounds it).
///
/// # Errors
/// No observations, or one that is not finite.
pub fn mad(x: &[f64]) -> Result<f64, NotEstimable> {
    let centre = median(x)?;
    let deviations: Vec<f64> = x.iter().map(|v| (v - centre).abs()).collect();
    Ok(1.4826 * median(&deviations)?)
}

/// Moment skewness g1 = m3 / m2^(3/2), with divisor n in both moments.
///
/// # Errors
/// No observations, one that is not finite, or no spread.
pub fn skewness_g1(x: &[f64]) -> Result<f64, NotEstimable> {
    let mean = mean(x)?;
    let n = x.len() as f64;
    let m2 = x.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
    let m3 = x.iter().map(|v| (v - mean).powi(3)).sum::<f64>() / n;
    if m2 == 0.0 { Err(NotEstimable::ZeroVariance) } else { Ok(m3 / m2.powf(1.5)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_has_no_summary() {
        assert_eq!(summarise(&[]), Err(NotEstimable::NoObservations));
        assert_eq!(summarise(&[f64::INFINITY]), Err(NotEstimable::NotFinite));
    }

    #[test]
    fn one_observation_has_a_mean_and_no_spread() {
        let one = summarise(&[3.0]).unwrap();
        assert_eq!((one.n, one.mean, one.sd, one.se), (1, 3.0, None, None));
        let too_few = NotEstimable::TooFewObservations { needed: 2, found: 1 };
        assert_eq!(variance(&[3.0]), Err(too_few));
        assert_eq!(mean_interval_t(&[3.0], Confidence::C95), Err(too_few));
        assert_eq!(coefficient_of_variation_percent(&[3.0]), Err(too_few));
        assert_eq!(geometric(&[3.0]).unwrap().cv_percent, None);
    }

    #[test]
    fn equal_observations_have_no_skewness() {
        assert_eq!(skewness_g1(&[2.0, 2.0, 2.0]), Err(NotEstimable::ZeroVariance));
        assert_eq!(variance(&[0.1, 0.1, 0.1]), Ok(0.0));
    }

    #[test]
    fn a_zero_has_no_logarithm() {
        assert_eq!(geometric(&[1.0, 0.0]), Err(NotEstimable::NotPositive));
    }

    #[test]
    fn a_mean_of_zero_gives_no_coefficient_of_variation() {
        assert_eq!(coefficient_of_variation_percent(&[-1.0, 1.0]), Err(NotEstimable::ZeroDenominator));
    }
}
