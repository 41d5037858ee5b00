//! Intraclass correlation of single ratings.
//!
//! Mathematics: `docs/methods/agreement.md`.

use crate::not_estimable::all_finite;
use crate::{Confidence, Interval, NotEstimable, distribution};

/// Which intraclass correlation is meant, in Shrout and Fleiss' numbering.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IccModel {
    /// ICC(1,1): each subject has raters of its own.
    OneWay,
    /// ICC(2,1): the same raters for all, drawn from many; absolute agreement.
    TwoWayAgreement,
    /// ICC(3,1): the same raters for all, and only they matter; consistency.
    TwoWayConsistency,
}

/// An intraclass correlation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Icc {
    /// The estimate; it can be negative.
    pub estimate: f64,
    /// Its interval from the F distribution (for absolute agreement, that of McGraw and Wong).
    pub interval: Interval,
    /// The statistic of no correlation, subjects over error.
    pub f: f64,
    /// Its degrees of freedom.
    pub df: [f64; 2],
    /// Its p-value.
    pub p: f64,
}

/// Mean squares of a subjects × raters table.
struct MeanSquares {
    subjects: f64,
    raters: f64,
    error: f64,
    within: f64,
    n: f64,
    k: f64,
}

/// Estimates the correlation; `ratings` holds one row a subject with the ratings of all raters in the same order.
///
/// # Errors
/// Fewer than two subjects or raters, rows of different length, a rating that is not finite, or no
/// error at all between ratings (then F has no denominator).
pub fn icc(ratings: &[Vec<f64>], model: IccModel, confidence: Confidence) -> Result<Icc, NotEstimable> {
    let ms = mean_squares(ratings)?;
    let (n, k) = (ms.n, ms.k);
    let (error, df2) = match model {
        IccModel::OneWay => (ms.within, n * (k - 1.0)),
        _ => (ms.error, (n - 1.0) * (k - 1.0)),
    };
    // Error mean squares that are rounding noise beside the subjects' are zero.
    if error <= 1e-14 * (ms.subjects + ms.raters) || error == 0.0 {
        return Err(NotEstimable::ZeroVariance);
    }
    let df = [n - 1.0, df2];
    let f = ms.subjects / error;
    let (estimate, interval) = match model {
        IccModel::TwoWayAgreement => agreement(&ms, confidence.tail()),
        _ => consistency(f, df, k, confidence.tail()),
    };
    Ok(Icc { estimate, interval, f, df, p: distribution::f_upper(f, df[0], df[1]) })
}

fn mean_squares(ratings: &[Vec<f64>]) -> Result<MeanSquares, NotEstimable> {
    let k = ratings.first().ok_or(NotEstimable::NoObservations)?.len();
    for row in ratings {
        if row.len() != k {
            return Err(NotEstimable::UnequalLengths { left: k, right: row.len() });
        }
        all_finite(row)?;
    }
    for found in [ratings.len(), k] {
        if found < 2 {
            return Err(NotEstimable::TooFewObservations { needed: 2, found });
        }
    }
    let (nf, kf) = (ratings.len() as f64, k as f64);
    let grand = ratings.iter().flatten().sum::<f64>() / (nf * kf);
    let subject_means: Vec<f64> = ratings.iter().map(|r| r.iter().sum::<f64>() / kf).collect();
    let rater_means: Vec<f64> = (0..k).map(|j| ratings.iter().map(|r| r[j]).sum::<f64>() / nf).collect();
    let between = |means: &[f64], times: f64| times * means.iter().map(|m| (m - grand).powi(2)).sum::<f64>();
    let (subjects, raters) = (between(&subject_means, kf), between(&rater_means, nf));
    let (mut within, mut error) = (0.0, 0.0);
    for (row, subject) in ratings.iter().zip(&subject_means) {
        for (value, rater) in row.iter().zip(&rater_means) {
            within += (value - subject).powi(2);
            error += (value - subject - rater + grand).powi(2);
        }
    }
    Ok(MeanSquares {
        subjects: subjects / (nf - 1.0),
        raters: raters / (kf - 1.0),
        error: error / ((nf - 1.0) * (kf - 1.0)),
        within: within / (nf * (kf - 1.0)),
        n: nf,
        k: kf,
    })
}

/// (F - 1) / (F + k - 1), at F and at F over its quantiles.
fn consistency(f: f64, df: [f64; 2], k: f64, tail: f64) -> (f64, Interval) {
    let of = |f: f64| (f - 1.0) / (f + k - 1.0);
    let lower = f / distribution::f_quantile_upper(tail, df[0], df[1]);
    let upper = f * distribution::f_quantile_upper(tail, df[1], df[0]);
    (of(f), Interval { lower: of(lower), upper: of(upper) })
}

/// Absolute agreement, with McGraw and Wong's interval (1996, table 7).
fn agreement(ms: &MeanSquares, tail: f64) -> (f64, Interval) {
    let MeanSquares { subjects, raters, error, n, k, .. } = *ms;
    let estimate = (subjects - error) / (subjects + (k - 1.0) * error + k * (raters - error) / n);
    let a = k * estimate / (n * (1.0 - estimate));
    let b = 1.0 + k * estimate * (n - 1.0) / (n * (1.0 - estimate));
    let v = (a * raters + b * error).powi(2)
        / ((a * raters).powi(2) / (k - 1.0) + (b * error).powi(2) / ((n - 1.0) * (k - 1.0)));
    let f_low = distribution::f_quantile_upper(tail, n - 1.0, v);
    let f_high = distribution::f_quantile_upper(tail, v, n - 1.0);
    let rest = k * raters + (k * n - k - n) * error;
    let interval = Interval {
        lower: n * (subjects - f_low * error) / (f_low * rest + n * subjects),
        upper: n * (f_high * subjects - error) / (rest + n * f_high * subjects),
    };
    (estimate, interval)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODELS: [IccModel; 3] = [IccModel::OneWay, IccModel::TwoWayAgreement, IccModel::TwoWayConsistency];

    #[test]
    fn identical_ratings_have_no_error_to_compare_with() {
        for model in MODELS {
            let same = [vec![1.0, 1.0], vec![2.0, 2.0], vec![4.0, 4.0]];
            assert_eq!(icc(&same, model, Confidence::C95), Err(NotEstimable::ZeroVariance));
            let constant = [vec![1.0, 1.0], vec![1.0, 1.0]];
            assert_eq!(icc(&constant, model, Confidence::C95), Err(NotEstimable::ZeroVariance));
        }
    }

    #[test]
    fn one_subject_or_rater_is_too_few() {
        let too_few = Err(NotEstimable::TooFewObservations { needed: 2, found: 1 });
        for model in MODELS {
            assert_eq!(icc(&[vec![1.0, 2.0]], model, Confidence::C95), too_few);
            assert_eq!(icc(&[vec![1.0], vec![2.0]], model, Confidence::C95), too_few);
            assert_eq!(icc(&[], model, Confidence::C95), Err(NotEstimable::NoObservations));
        }
    }
}
