//! Logistic regression by maximum likelihood.
//!
//! Newton's method with the analytic Hessian and step halving, run until the score
//! vanishes to rounding. Separated data have no maximum and are recognised.
//! Mathematics: `docs/methods/logistic.md`.

use nalgebra::{DMatrix, DVector};

use super::Design;
use crate::{Confidence, Interval, NotEstimable, distribution};

/// One coefficient, on the log odds scale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LogisticCoefficient {
    /// The estimate.
    pub estimate: f64,
    /// Its standard error, from the inverse information.
    pub se: f64,
    /// `estimate / se`.
    pub z: f64,
    /// Two-sided normal p-value.
    pub p: f64,
    /// Wald interval.
    pub interval: Interval,
}

/// A fitted logistic regression.
#[derive(Debug, Clone, PartialEq)]
pub struct LogisticFit {
    /// The coefficients, in the order of the design's columns.
    pub coefficients: Vec<LogisticCoefficient>,
    /// Log-likelihood.
    pub log_likelihood: f64,
    /// Log-likelihood with an intercept alone.
    pub null_log_likelihood: f64,
    /// P-value of the likelihood ratio against an intercept alone; `None` where the model is that.
    pub p_likelihood_ratio: Option<f64>,
    /// Number of Newton steps.
    pub iterations: u32,
}

impl LogisticFit {
    /// -2 log-likelihood.
    pub fn deviance(&self) -> f64 {
        -2.0 * self.log_likelihood
    }

    /// Deviance with an intercept alone.
    pub fn null_deviance(&self) -> f64 {
        -2.0 * self.null_log_likelihood
    }

    /// Akaike's criterion.
    pub fn aic(&self) -> f64 {
        self.deviance() + 2.0 * self.coefficients.len() as f64
    }
}

const ITERATIONS_MAX: u32 = 100;
/// Beyond this log odds a fitted probability is 0 or 1 to nine digits.
const LOG_ODDS_SEPARATED: f64 = 20.0;

/// Fits the probability that `y` is true.
///
/// # Errors
/// A series of another length than the design, all responses equal, fewer participants than columns,
/// linearly dependent columns, separation, or no convergence.
pub fn logistic_regression(
    design: &Design<'_>,
    y: &[bool],
    confidence: Confidence,
) -> Result<LogisticFit, NotEstimable> {
    let x = design.matrix();
    let (n, p) = x.shape();
    if y.len() != n {
        return Err(NotEstimable::UnequalLengths { left: n, right: y.len() });
    }
    let events = y.iter().filter(|v| **v).count();
    if events == 0 || events == n {
        return Err(NotEstimable::Separation);
    }
    if n < p {
        return Err(NotEstimable::TooFewObservations { needed: p, found: n });
    }
    let mut beta = DVector::zeros(p);
    let mut current = Evaluation::at(x, y, &beta);
    for iterations in 1..=ITERATIONS_MAX {
        // Far out the weights vanish, and with them the information.
        let Some(cholesky) = current.information.clone().cholesky() else {
            return Err(if current.largest > LOG_ODDS_SEPARATED / 2.0 {
                NotEstimable::Separation
            } else {
                NotEstimable::SingularDesign
            });
        };
        if iterations == 1 && is_singular(&current.information) {
            return Err(NotEstimable::SingularDesign);
        }
        let step = cholesky.solve(&current.score);
        let (next, evaluation) = halve_until_better(x, y, &beta, &step, &current);
        let moved = (&next - &beta).amax();
        beta = next;
        current = evaluation;
        if current.largest > LOG_ODDS_SEPARATED && fits_perfectly_somewhere(x, y, &beta) {
            return Err(NotEstimable::Separation);
        }
        if moved <= 1e-13 * (1.0 + beta.amax()) {
            return finish(&beta, &current, n, events, confidence, iterations, design.has_intercept());
        }
    }
    Err(NotEstimable::NoConvergence { iterations: ITERATIONS_MAX })
}

/// The log-likelihood and its derivatives.
struct Evaluation {
    log_likelihood: f64,
    score: DVector<f64>,
    information: DMatrix<f64>,
    /// The largest absolute log odds.
    largest: f64,
}

impl Evaluation {
    fn at(x: &DMatrix<f64>, y: &[bool], beta: &DVector<f64>) -> Self {
        let (n, p) = x.shape();
        let eta = x * beta;
        let (mut log_likelihood, mut score, mut information) = (0.0, DVector::zeros(p), DMatrix::zeros(p, p));
        for i in 0..n {
            let signed = if y[i] { eta[i] } else { -eta[i] };
            // ln of the probability of what was seen, and that of its opposite
            log_likelihood -=
                if signed > 0.0 { (-signed).exp().ln_1p() } else { (signed).exp().ln_1p() - signed };
            let missed = 1.0 / (1.0 + signed.exp());
            let residual = if y[i] { missed } else { -missed };
            let weight = missed * (1.0 - missed);
            for a in 0..p {
                score[a] += residual * x[(i, a)];
                for b in 0..=a {
                    information[(a, b)] += weight * x[(i, a)] * x[(i, b)];
                }
            }
        }
        information.fill_upper_triangle_with_lower_triangle();
        Self { log_likelihood, score, information, largest: eta.amax() }
    }
}

fn halve_until_better(
    x: &DMatrix<f64>,
    y: &[bool],
    beta: &DVector<f64>,
    step: &DVector<f64>,
    current: &Evaluation,
) -> (DVector<f64>, Evaluation) {
    let mut fraction = 1.0;
    loop {
        let next = beta + step * fraction;
        let evaluation = Evaluation::at(x, y, &next);
        // At the maximum the likelihood can only change by rounding.
        let slack = 1e-12 * current.log_likelihood.abs();
        if evaluation.log_likelihood >= current.log_likelihood - slack || fraction < 1e-6 {
            return (next, evaluation);
        }
        fraction *= 0.5;
    }
}

/// Whether columns depend on each other, judged on the correlation scale.
fn is_singular(information: &DMatrix<f64>) -> bool {
    let p = information.nrows();
    let scaled = DMatrix::from_fn(p, p, |a, b| {
        information[(a, b)] / (information[(a, a)] * information[(b, b)]).sqrt()
    });
    // Cholesky pivots are 1 - R² of a column on those before it.
    scaled.cholesky().is_none_or(|c| c.l_dirty().diagonal().iter().any(|d| d * d < 1e-12))
}

/// Whether someone's fitted probability is that of what was seen, to nine digits.
fn fits_perfectly_somewhere(x: &DMatrix<f64>, y: &[bool], beta: &DVector<f64>) -> bool {
    let eta = x * beta;
    eta.iter().zip(y).any(|(e, y)| (*e > 0.0) == *y && e.abs() > LOG_ODDS_SEPARATED)
}

fn finish(
    beta: &DVector<f64>,
    at: &Evaluation,
    n: usize,
    events: usize,
    confidence: Confidence,
    iterations: u32,
    has_intercept: bool,
) -> Result<LogisticFit, NotEstimable> {
    let covariance = at.information.clone().cholesky().ok_or(NotEstimable::Separation)?.inverse();
    let z_quantile = confidence.z();
    let coefficients = beta.iter().enumerate().map(|(j, estimate)| {
        let se = covariance[(j, j)].sqrt();
        let z = estimate / se;
        let interval = Interval::around(*estimate, z_quantile * se);
        LogisticCoefficient { estimate: *estimate, se, z, p: distribution::normal_two_sided(z), interval }
    });
    let share = events as f64 / n as f64;
    let null_log_likelihood = n as f64 * (share * share.ln() + (1.0 - share) * (1.0 - share).ln());
    let df = beta.len() as f64 - f64::from(u8::from(has_intercept));
    let ratio = 2.0 * (at.log_likelihood - null_log_likelihood);
    Ok(LogisticFit {
        coefficients: coefficients.collect(),
        log_likelihood: at.log_likelihood,
        null_log_likelihood,
        p_likelihood_ratio: if df > 0.0 { Some(distribution::chi_squared_upper(ratio, df)) } else { None },
        iterations,
    })
}

#[cfg(test)]
mod tests {
    use super::super::{Term, Variable};
    use super::*;

    fn fit(x: &[f64], y: &[bool]) -> Result<LogisticFit, NotEstimable> {
        let design = Design::new(&[Variable::Covariate(x)], &[Term::main(0)]).unwrap();
        logistic_regression(&design, y, Confidence::C95)
    }

    #[test]
    fn complete_separation_has_no_maximum() {
        let refused = fit(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[false, false, false, true, true, true]);
        assert_eq!(refused, Err(NotEstimable::Separation));
    }

    #[test]
    fn quasi_complete_separation_has_no_maximum() {
        let refused = fit(&[0.0, 0.0, 0.0, 1.0, 1.0, 1.0], &[false, true, false, true, true, true]);
        assert_eq!(refused, Err(NotEstimable::Separation));
    }

    #[test]
    fn responses_all_alike_have_no_maximum() {
        assert_eq!(fit(&[1.0, 2.0, 3.0], &[true, true, true]), Err(NotEstimable::Separation));
    }

    #[test]
    fn a_constant_covariate_is_singular() {
        assert_eq!(fit(&[2.0, 2.0, 2.0], &[true, false, true]), Err(NotEstimable::SingularDesign));
    }

    #[test]
    fn a_two_by_two_table_gives_its_odds_ratio() {
        let x = [0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0];
        let y = [true, true, false, false, false, true, true, true, false];
        let slope = fit(&x, &y).unwrap().coefficients[1];
        assert!((slope.estimate - (3.0_f64 * 3.0 / 2.0).ln()).abs() < 1e-13);
        assert!((slope.se - (1.0 / 2.0 + 1.0 / 3.0 + 1.0 / 3.0 + 1.0_f64).sqrt()).abs() < 1e-13);
    }
}
