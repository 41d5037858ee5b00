//! Rubin's rules.
//!
//! Mathematics: `docs/methods/rubin_pooling.md`.

use crate::models::Coefficient;
use crate::not_estimable::all_finite;
use crate::{Confidence, Interval, NotEstimable, distribution};

/// How the degrees of freedom of a pooled estimate come about.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PooledDegrees {
    /// Rubin 1987, for complete data with so many degrees of freedom that they are infinite.
    Rubin,
    /// Barnard and Rubin 1999, for complete data with this many degrees of freedom.
    BarnardRubin {
        /// Degrees of freedom that the analysis would have without missing data.
        complete: f64,
    },
}

/// An estimate pooled over imputed data sets.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pooled {
    /// Number of imputations.
    pub imputations: usize,
    /// Mean of the estimates, with its total error, and test and interval from t.
    pub coefficient: Coefficient,
    /// Degrees of freedom; infinite where the estimates don't differ and the complete data's are.
    pub df: f64,
    /// Ū, the mean of the squared errors.
    pub within: f64,
    /// B, the variance of the estimates.
    pub between: f64,
    /// T = Ū + (1 + 1/m) B.
    pub total: f64,
    /// r, the relative increase of the variance by missing data.
    pub relative_increase: f64,
    /// λ, the share of the variance that is due to missing data.
    pub share: f64,
    /// γ, the fraction of missing information.
    pub missing_information: f64,
}

/// Pools the estimates of one quantity and their standard errors over imputed data sets.
///
/// # Errors
/// Fewer than two imputations, series of unequal length, values that are not finite, an error that is
/// not positive, or complete-data degrees of freedom that are not positive.
pub fn pool(
    estimates: &[f64],
    errors: &[f64],
    degrees: PooledDegrees,
    confidence: Confidence,
) -> Result<Pooled, NotEstimable> {
    let count = estimates.len();
    if errors.len() != count {
        return Err(NotEstimable::UnequalLengths { left: count, right: errors.len() });
    }
    if count < 2 {
        return Err(NotEstimable::TooFewObservations { needed: 2, found: count });
    }
    all_finite(estimates)?;
    all_finite(errors)?;
    if errors.iter().any(|e| *e <= 0.0) {
        return Err(NotEstimable::NotPositive);
    }
    let m = count as f64;
    let estimate = estimates.iter().sum::<f64>() / m;
    let within = errors.iter().map(|e| e * e).sum::<f64>() / m;
    let between = estimates.iter().map(|e| (e - estimate).powi(2)).sum::<f64>() / (m - 1.0);
    let added = (1.0 + 1.0 / m) * between;
    let total = within + added;
    let (relative_increase, share) = (added / within, added / total);
    // (m - 1)/λ², infinite without variation between imputations.
    let rubin = (m - 1.0) / (share * share);
    let df = match degrees {
        PooledDegrees::Rubin => rubin,
        PooledDegrees::BarnardRubin { complete } => {
            if complete.is_nan() || complete <= 0.0 {
                return Err(NotEstimable::OutOfRange { name: "degrees of freedom of complete data" });
            }
            let observed = if complete.is_infinite() {
                f64::INFINITY
            } else {
                (complete + 1.0) / (complete + 3.0) * complete * (1.0 - share)
            };
            1.0 / (1.0 / rubin + 1.0 / observed)
        }
    };
    let missing_information = (relative_increase + 2.0 / (df + 3.0)) / (1.0 + relative_increase);
    let se = total.sqrt();
    let t = estimate / se;
    let (p, quantile) = if df.is_infinite() {
        (distribution::normal_two_sided(t), confidence.z())
    } else {
        (distribution::t_two_sided(t, df), distribution::t_quantile_upper(confidence.tail(), df))
    };
    Ok(Pooled {
        imputations: count,
        coefficient: Coefficient { estimate, se, t, p, interval: Interval::around(estimate, quantile * se) },
        df,
        within,
        between,
        total,
        relative_increase,
        share,
        missing_information,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_estimates_pool_to_the_complete_data_analysis() {
        let degrees = PooledDegrees::BarnardRubin { complete: f64::INFINITY };
        let pooled = pool(&[2.0; 4], &[0.5; 4], degrees, Confidence::C95).unwrap();
        assert_eq!((pooled.coefficient.se, pooled.df, pooled.share), (0.5, f64::INFINITY, 0.0));
        assert_eq!(pooled.missing_information, 0.0);
        assert!((pooled.coefficient.interval.upper - 2.0 - 0.5 * Confidence::C95.z()).abs() < 1e-12);
    }

    #[test]
    fn one_imputation_has_no_variance_between() {
        let refused = pool(&[1.0], &[1.0], PooledDegrees::Rubin, Confidence::C95);
        assert_eq!(refused, Err(NotEstimable::TooFewObservations { needed: 2, found: 1 }));
        let refused = pool(&[1.0, 2.0], &[1.0, 0.0], PooledDegrees::Rubin, Confidence::C95);
        assert_eq!(refused, Err(NotEstimable::NotPositive));
        let degrees = PooledDegrees::BarnardRubin { complete: 0.0 };
        assert!(pool(&[1.0, 2.0], &[1.0, 1.0], degrees, Confidence::C95).is_err());
    }
}
