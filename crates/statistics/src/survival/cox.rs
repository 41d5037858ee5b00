//! Cox's proportional hazards regression.
//!
//! Newton's method on the partial likelihood with analytic derivatives and step
//! halving, run until it stops moving. Tied events follow Breslow, Efron or the exact
//! (discrete) likelihood; programs differ, so it is an argument.
//! Mathematics: `docs/methods/survival.md`.

use nalgebra::{DMatrix, DVector};

use super::Times;
use super::cox_derivatives::{SortedData, visit_times};
use crate::models::Design;
use crate::{Confidence, Interval, NotEstimable, distribution};

/// How events at the same time enter the likelihood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ties {
    /// Breslow's approximation; the default of SAS.
    Breslow,
    /// Efron's approximation; the default of R.
    Efron,
    /// The exact conditional likelihood of Cox for discrete time.
    Exact,
}

/// When Newton's method stops.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Stopping {
    /// When the estimates stop moving.
    AtRounding,
    /// When the log-likelihood changes by less than this share of itself; R's default is 1e-9.
    ///
    /// Estimates are then right to about half as many digits again as the likelihood.
    LikelihoodChange(f64),
}

/// One coefficient, a log hazard ratio.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CoxCoefficient {
    /// The estimate.
    pub estimate: f64,
    /// Its standard error, from the inverse information.
    pub se: f64,
    /// `estimate / se`.
    pub z: f64,
    /// Two-sided normal p-value.
    pub p: f64,
    /// exp(estimate).
    pub hazard_ratio: f64,
    /// Wald interval of the hazard ratio.
    pub hazard_ratio_interval: Interval,
}

/// A fitted Cox regression.
#[derive(Debug, Clone, PartialEq)]
pub struct CoxFit {
    /// The coefficients, in the order of the design's columns.
    pub coefficients: Vec<CoxCoefficient>,
    /// Log partial likelihood with all coefficients zero.
    pub null_log_likelihood: f64,
    /// Log partial likelihood at the estimates.
    pub log_likelihood: f64,
    /// Likelihood ratio statistic.
    pub likelihood_ratio: f64,
    /// Wald statistic.
    pub wald: f64,
    /// Score statistic.
    pub score: f64,
    /// Degrees of freedom of the three statistics.
    pub df: f64,
    /// Number of Newton steps.
    pub iterations: u32,
}

impl CoxFit {
    /// The estimates.
    pub fn estimates(&self) -> Vec<f64> {
        self.coefficients.iter().map(|c| c.estimate).collect()
    }
}

const ITERATIONS_MAX: u32 = 60;
/// Log hazards this far apart mean that the likelihood rises without end.
const LOG_HAZARD_DIVERGED: f64 = 40.0;

/// Fits the hazard ratios of the design's columns; the design has no intercept.
///
/// # Errors
/// Series of different length, no events, columns that are dependent within strata, a likelihood
/// without maximum, an exact likelihood too large for doubles, or no convergence.
pub fn cox_regression(
    times: Times<'_>,
    design: &Design<'_>,
    strata: Option<&[usize]>,
    ties: Ties,
    stopping: Stopping,
    confidence: Confidence,
) -> Result<CoxFit, NotEstimable> {
    let data = sort(times, design, strata)?;
    let p = data.covariates.nrows();
    let mut beta = DVector::zeros(p);
    let null = Evaluation::at(&data, &beta, ties)?;
    if is_singular(&null.information) {
        return Err(NotEstimable::SingularDesign);
    }
    let score = null.statistic()?;
    let mut current = null.clone();
    for iterations in 1..=ITERATIONS_MAX {
        let Some(cholesky) = current.information.clone().cholesky() else {
            return Err(NotEstimable::Separation);
        };
        let step = cholesky.solve(&current.score);
        let (next, evaluation) = halve_until_better(&data, &beta, &step, &current, ties)?;
        let moved = (&next - &beta).amax();
        let changed = (1.0 - current.log_likelihood / evaluation.log_likelihood).abs();
        beta = next;
        current = evaluation;
        if spread(&data, &beta) > LOG_HAZARD_DIVERGED {
            return Err(NotEstimable::Separation);
        }
        let stop = match stopping {
            Stopping::AtRounding => false,
            Stopping::LikelihoodChange(share) => changed <= share,
        };
        if stop || moved <= 1e-13 * (1.0 + beta.amax()) {
            return finish(&beta, &null, &current, score, confidence, iterations);
        }
    }
    Err(NotEstimable::NoConvergence { iterations: ITERATIONS_MAX })
}

/// Sorts participants by stratum and falling time, and centres covariates, which changes no hazard ratio.
pub(super) fn sort(
    times: Times<'_>,
    design: &Design<'_>,
    strata: Option<&[usize]>,
) -> Result<SortedData, NotEstimable> {
    let n = times.len();
    let x = design.matrix();
    for length in [x.nrows(), strata.map_or(n, <[usize]>::len)] {
        if length != n {
            return Err(NotEstimable::UnequalLengths { left: n, right: length });
        }
    }
    if design.has_intercept() || x.ncols() == 0 {
        return Err(NotEstimable::SingularDesign);
    }
    if !times.event.contains(&true) {
        return Err(NotEstimable::NoEvents);
    }
    let stratum_of = |i: usize| strata.map_or(0, |s| s[i]);
    let mut order: Vec<usize> = times.ascending().into_iter().rev().map(|i| i as usize).collect();
    order.sort_by_key(|i| stratum_of(*i));
    let means = x.row_mean();
    Ok(SortedData {
        time: order.iter().map(|i| times.time[*i]).collect(),
        event: order.iter().map(|i| times.event[*i]).collect(),
        stratum: order.iter().map(|i| stratum_of(*i)).collect(),
        covariates: DMatrix::from_fn(x.ncols(), n, |a, i| x[(order[i], a)] - means[a]),
    })
}

#[derive(Clone)]
struct Evaluation {
    log_likelihood: f64,
    score: DVector<f64>,
    information: DMatrix<f64>,
}

impl Evaluation {
    fn at(data: &SortedData, beta: &DVector<f64>, ties: Ties) -> Result<Self, NotEstimable> {
        let p = beta.len();
        let mut sum =
            Self { log_likelihood: 0.0, score: DVector::zeros(p), information: DMatrix::zeros(p, p) };
        visit_times(data, beta, ties, |terms| {
            sum.log_likelihood += terms.log_likelihood;
            sum.score += terms.score;
            sum.information += terms.information;
        });
        if sum.log_likelihood.is_finite() {
            Ok(sum)
        } else if ties == Ties::Exact {
            Err(NotEstimable::TooLargeForExact)
        } else {
            Err(NotEstimable::Separation)
        }
    }

    /// Score' information⁻¹ score.
    fn statistic(&self) -> Result<f64, NotEstimable> {
        let solved =
            self.information.clone().cholesky().ok_or(NotEstimable::SingularDesign)?.solve(&self.score);
        Ok(self.score.dot(&solved))
    }
}

fn halve_until_better(
    data: &SortedData,
    beta: &DVector<f64>,
    step: &DVector<f64>,
    current: &Evaluation,
    ties: Ties,
) -> Result<(DVector<f64>, Evaluation), NotEstimable> {
    let mut fraction = 1.0;
    loop {
        let next = beta + step * fraction;
        let evaluation = Evaluation::at(data, &next, ties)?;
        // At the maximum the likelihood can only change by rounding.
        let slack = 1e-12 * current.log_likelihood.abs().max(1.0);
        if evaluation.log_likelihood >= current.log_likelihood - slack || fraction < 1e-6 {
            return Ok((next, evaluation));
        }
        fraction *= 0.5;
    }
}

fn spread(data: &SortedData, beta: &DVector<f64>) -> f64 {
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for x in data.covariates.column_iter() {
        let eta = x.dot(beta);
        (low, high) = (low.min(eta), high.max(eta));
    }
    high - low
}

/// Whether a column varies too little, given the others, within the risk sets.
fn is_singular(information: &DMatrix<f64>) -> bool {
    let diagonal = information.diagonal();
    if diagonal.iter().any(|d| *d <= 0.0) {
        return true;
    }
    let p = information.nrows();
    let scaled = DMatrix::from_fn(p, p, |a, b| information[(a, b)] / (diagonal[a] * diagonal[b]).sqrt());
    scaled.cholesky().is_none_or(|c| c.l_dirty().diagonal().iter().any(|d| d * d < 1e-12))
}

fn finish(
    beta: &DVector<f64>,
    null: &Evaluation,
    at: &Evaluation,
    score: f64,
    confidence: Confidence,
    iterations: u32,
) -> Result<CoxFit, NotEstimable> {
    let covariance = at.information.clone().cholesky().ok_or(NotEstimable::Separation)?.inverse();
    let quantile = confidence.z();
    let coefficients = beta.iter().enumerate().map(|(j, estimate)| {
        let se = covariance[(j, j)].sqrt();
        let z = estimate / se;
        CoxCoefficient {
            estimate: *estimate,
            se,
            z,
            p: distribution::normal_two_sided(z),
            hazard_ratio: estimate.exp(),
            hazard_ratio_interval: Interval::around(*estimate, quantile * se).map(f64::exp),
        }
    });
    Ok(CoxFit {
        coefficients: coefficients.collect(),
        null_log_likelihood: null.log_likelihood,
        log_likelihood: at.log_likelihood,
        likelihood_ratio: 2.0 * (at.log_likelihood - null.log_likelihood),
        wald: beta.dot(&(&at.information * beta)),
        score,
        df: beta.len() as f64,
        iterations,
    })
}

/// Harrell's concordance of the log hazards `Σ x β` with the times.
///
/// Of all pairs of a stratum in which it is known who had the event first, the share in which
/// that participant has the larger hazard; equal hazards count one half. A time censored at the
/// time of an event counts as later. This looks at all pairs.
///
/// # Errors
/// As [`cox_regression`], or no pair that can be ordered.
pub fn concordance(
    times: Times<'_>,
    design: &Design<'_>,
    strata: Option<&[usize]>,
    estimates: &[f64],
) -> Result<f64, NotEstimable> {
    let data = sort(times, design, strata)?;
    if estimates.len() != data.covariates.nrows() {
        return Err(NotEstimable::UnequalLengths { left: data.covariates.nrows(), right: estimates.len() });
    }
    let eta = data.covariates.tr_mul(&DVector::from_column_slice(estimates));
    let (mut pairs, mut agree) = (0.0, 0.0);
    for i in (0..data.time.len()).filter(|i| data.event[*i]) {
        for j in (0..data.time.len()).filter(|j| data.stratum[*j] == data.stratum[i]) {
            let later = data.time[j] > data.time[i] || (data.time[j] == data.time[i] && !data.event[j]);
            if later {
                pairs += 1.0;
                // Equal covariates give log hazards that differ by rounding at most.
                let difference = eta[i] - eta[j];
                let same = difference.abs() <= 1e-12 * (1.0 + eta[i].abs());
                agree += if same { 0.5 } else { f64::from(u8::from(difference > 0.0)) };
            }
        }
    }
    if pairs == 0.0 { Err(NotEstimable::ZeroDenominator) } else { Ok(agree / pairs) }
}

#[cfg(test)]
mod tests {
    use super::super::super::models::{Term, Variable};
    use super::*;

    fn fit(time: &[f64], event: &[bool], x: &[f64], ties: Ties) -> Result<CoxFit, NotEstimable> {
        let design = Design::without_intercept(&[Variable::Covariate(x)], &[Term::main(0)]).unwrap();
        cox_regression(
            Times::new(time, event).unwrap(),
            &design,
            None,
            ties,
            Stopping::AtRounding,
            Confidence::C95,
        )
    }

    #[test]
    fn no_events_give_no_fit() {
        let refused = fit(&[1.0, 2.0], &[false, false], &[0.0, 1.0], Ties::Efron);
        assert_eq!(refused, Err(NotEstimable::NoEvents));
    }

    #[test]
    fn a_constant_covariate_is_singular() {
        let refused = fit(&[1.0, 2.0, 3.0], &[true, true, true], &[4.0, 4.0, 4.0], Ties::Efron);
        assert_eq!(refused, Err(NotEstimable::SingularDesign));
    }

    #[test]
    fn a_perfectly_ordered_covariate_has_no_maximum() {
        for ties in [Ties::Breslow, Ties::Efron, Ties::Exact] {
            let refused = fit(&[1.0, 2.0, 3.0, 4.0], &[true; 4], &[4.0, 3.0, 2.0, 1.0], ties);
            assert_eq!(refused, Err(NotEstimable::Separation), "{ties:?}");
        }
    }

    #[test]
    fn without_ties_all_methods_agree() {
        let (time, event) = ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [true, true, false, true, true, true]);
        let x = [0.3, 1.0, -0.2, 0.9, 0.1, 0.4];
        let breslow = fit(&time, &event, &x, Ties::Breslow).unwrap();
        for ties in [Ties::Efron, Ties::Exact] {
            let other = fit(&time, &event, &x, ties).unwrap();
            assert!((other.coefficients[0].estimate - breslow.coefficients[0].estimate).abs() < 1e-12);
        }
    }
}
