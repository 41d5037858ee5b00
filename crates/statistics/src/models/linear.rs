//! The linear model, and with it the analysis of covariance.
//!
//! Fitted by Householder QR of the design matrix, so that the normal equations are
//! never formed. Mathematics: `docs/methods/ancova.md`.

use nalgebra::{DMatrix, DVector, QR};

use super::Design;
use crate::descriptive::mean;
use crate::{Confidence, Interval, NotEstimable, distribution};

/// One coefficient.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Coefficient {
    /// The estimate.
    pub estimate: f64,
    /// Its standard error.
    pub se: f64,
    /// `estimate / se`.
    pub t: f64,
    /// Two-sided p-value.
    pub p: f64,
    /// Its interval.
    pub interval: Interval,
}

/// The F-test of one term.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TermTest {
    /// The index of the term.
    pub term: usize,
    /// Numerator degrees of freedom.
    pub df: f64,
    /// The statistic.
    pub f: f64,
    /// P-value.
    pub p: f64,
}

/// Which heteroscedasticity-consistent errors are meant (MacKinnon and White 1985).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RobustError {
    /// White's: squared residuals.
    Hc0,
    /// HC0 times n / (n - p).
    Hc1,
    /// Squared residuals over 1 - leverage.
    Hc2,
    /// Squared residuals over (1 - leverage)².
    Hc3,
}

/// A fitted linear model.
#[derive(Debug, Clone)]
pub struct LinearFit<'d, 'a> {
    design: &'d Design<'a>,
    coefficients: DVector<f64>,
    /// (X'X)⁻¹.
    unscaled: DMatrix<f64>,
    residuals: DVector<f64>,
    /// Residual standard deviation.
    pub sigma: f64,
    /// Residual degrees of freedom.
    pub df_residual: f64,
    /// Share of the variance about the mean that the model explains (about zero without intercept).
    pub r_squared: f64,
    /// `r_squared` adjusted for the number of columns.
    pub adjusted_r_squared: f64,
    /// F-statistic of all columns but the intercept; `None` where there are none.
    pub f: Option<f64>,
    /// Log-likelihood at the maximum likelihood variance.
    pub log_likelihood: f64,
}

/// Fits the model to `y`.
///
/// # Errors
/// A series of another length than the design, a value that is not finite, no residual degree of
/// freedom, linearly dependent columns (relative tolerance 1e-7, as in R), or a perfect fit.
pub fn linear_model<'d, 'a>(design: &'d Design<'a>, y: &[f64]) -> Result<LinearFit<'d, 'a>, NotEstimable> {
    let (n, p) = design.matrix().shape();
    if y.len() != n {
        return Err(NotEstimable::UnequalLengths { left: n, right: y.len() });
    }
    let mean = mean(y)?;
    if n <= p {
        return Err(NotEstimable::TooFewObservations { needed: p + 1, found: n });
    }
    let qr = QR::new(design.matrix().clone());
    let r = qr.r();
    for j in 0..p {
        let norm = r.column(j).norm();
        if r[(j, j)].abs() <= 1e-7 * norm || norm == 0.0 {
            return Err(NotEstimable::SingularDesign);
        }
    }
    let observed = DVector::from_column_slice(y);
    let mut rotated = observed.clone();
    qr.q_tr_mul(&mut rotated);
    let head = rotated.rows(0, p).into_owned();
    let coefficients = r.solve_upper_triangular(&head).ok_or(NotEstimable::SingularDesign)?;
    let inverse = r.solve_upper_triangular(&DMatrix::identity(p, p)).ok_or(NotEstimable::SingularDesign)?;
    let fitted = design.matrix() * &coefficients;
    let residuals = observed - &fitted;
    let rss = residuals.norm_squared();
    let scale: f64 = y.iter().map(|v| v * v).sum();
    if rss <= (10.0 * f64::EPSILON).powi(2) * scale {
        return Err(NotEstimable::ZeroVariance);
    }
    let (nf, pf) = (n as f64, p as f64);
    let df_residual = nf - pf;
    let free = if design.has_intercept() { pf - 1.0 } else { pf };
    let centre = if design.has_intercept() { mean } else { 0.0 };
    let explained: f64 = fitted.iter().map(|v| (v - centre).powi(2)).sum();
    let r_squared = explained / (explained + rss);
    Ok(LinearFit {
        design,
        coefficients,
        unscaled: &inverse * inverse.transpose(),
        residuals,
        sigma: (rss / df_residual).sqrt(),
        df_residual,
        r_squared,
        adjusted_r_squared: 1.0
            - (1.0 - r_squared) * (nf - if design.has_intercept() { 1.0 } else { 0.0 }) / df_residual,
        f: if free > 0.0 { Some(explained / free / (rss / df_residual)) } else { None },
        log_likelihood: -0.5 * nf * ((2.0 * std::f64::consts::PI * rss / nf).ln() + 1.0),
    })
}

impl LinearFit<'_, '_> {
    /// The design that was fitted.
    pub fn design(&self) -> &Design<'_> {
        self.design
    }

    /// The coefficients, in the order of the design's columns.
    pub fn coefficients(&self, confidence: Confidence) -> Vec<Coefficient> {
        let quantile = distribution::t_quantile_upper(confidence.tail(), self.df_residual);
        let one = |(j, estimate): (usize, &f64)| {
            let se = self.sigma * self.unscaled[(j, j)].sqrt();
            self.with_error(*estimate, se, quantile)
        };
        self.coefficients.iter().enumerate().map(one).collect()
    }

    fn with_error(&self, estimate: f64, se: f64, quantile: f64) -> Coefficient {
        let t = estimate / se;
        Coefficient {
            estimate,
            se,
            t,
            p: distribution::t_two_sided(t, self.df_residual),
            interval: Interval::around(estimate, quantile * se),
        }
    }

    /// The linear function Σ weights_j β_j of the coefficients.
    ///
    /// # Errors
    /// A number of weights other than that of columns.
    pub fn linear_function(
        &self,
        weights: &[f64],
        confidence: Confidence,
    ) -> Result<Coefficient, NotEstimable> {
        if weights.len() != self.coefficients.len() {
            return Err(NotEstimable::UnequalLengths { left: self.coefficients.len(), right: weights.len() });
        }
        let weights = DVector::from_column_slice(weights);
        let se = self.sigma * weights.dot(&(&self.unscaled * &weights)).sqrt();
        let quantile = distribution::t_quantile_upper(confidence.tail(), self.df_residual);
        Ok(self.with_error(weights.dot(&self.coefficients), se, quantile))
    }

    /// The F-test of each term that can be dropped with marginality kept.
    ///
    /// The increase of the residual sum of squares is β_T' V_T⁻¹ β_T with the term's block of (X'X)⁻¹.
    ///
    /// # Errors
    /// [`NotEstimable::SingularDesign`] if a block has no inverse.
    pub fn term_tests(&self) -> Result<Vec<TermTest>, NotEstimable> {
        self.design.droppable_terms().map(|term| self.term_test(term)).collect()
    }

    fn term_test(&self, term: usize) -> Result<TermTest, NotEstimable> {
        let columns: Vec<usize> = self.design.columns_of(term).collect();
        let beta = DVector::from_iterator(columns.len(), columns.iter().map(|j| self.coefficients[*j]));
        let block = self.unscaled.select_rows(&columns).select_columns(&columns);
        let solved = block.cholesky().ok_or(NotEstimable::SingularDesign)?.solve(&beta);
        let df = columns.len() as f64;
        let f = beta.dot(&solved) / df / (self.sigma * self.sigma);
        Ok(TermTest { term, df, f, p: distribution::f_upper(f, df, self.df_residual) })
    }

    /// Heteroscedasticity-consistent standard errors of the coefficients.
    ///
    /// # Errors
    /// [`NotEstimable::ZeroDenominator`] for HC2 and HC3 where a participant alone determines a coefficient (leverage one).
    pub fn robust_errors(&self, kind: RobustError) -> Result<Vec<f64>, NotEstimable> {
        let x = self.design.matrix();
        let (n, p) = x.shape();
        let mut meat = DMatrix::zeros(p, p);
        for i in 0..n {
            let row = x.row(i).transpose();
            let leverage = row.dot(&(&self.unscaled * &row));
            let kept = 1.0 - leverage;
            let weight = match kind {
                RobustError::Hc0 => 1.0,
                RobustError::Hc1 => n as f64 / self.df_residual,
                RobustError::Hc2 => 1.0 / kept,
                RobustError::Hc3 => 1.0 / (kept * kept),
            };
            if matches!(kind, RobustError::Hc2 | RobustError::Hc3) && kept <= 1e-10 {
                return Err(NotEstimable::ZeroDenominator);
            }
            meat.ger(weight * self.residuals[i] * self.residuals[i], &row, &row, 1.0);
        }
        let covariance = &self.unscaled * meat * &self.unscaled;
        Ok(covariance.diagonal().iter().map(|v| v.sqrt()).collect())
    }

    /// Akaike's criterion; the variance counts as a parameter.
    pub fn aic(&self) -> f64 {
        -2.0 * self.log_likelihood + 2.0 * (self.coefficients.len() as f64 + 1.0)
    }

    /// Schwarz's criterion; the variance counts as a parameter.
    pub fn bic(&self) -> f64 {
        let n = self.residuals.len() as f64;
        -2.0 * self.log_likelihood + n.ln() * (self.coefficients.len() as f64 + 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Term, Variable};
    use super::*;

    fn refused(variables: &[Variable<'_>], y: &[f64]) -> NotEstimable {
        let terms: Vec<Term> = (0..variables.len()).map(Term::main).collect();
        let design = Design::new(variables, &terms).unwrap();
        linear_model(&design, y).unwrap_err()
    }

    #[test]
    fn dependent_columns_are_singular() {
        let (x, twice) = ([1.0, 2.0, 3.0, 5.0], [2.0, 4.0, 6.0, 10.0]);
        let both = [Variable::Covariate(&x), Variable::Covariate(&twice)];
        assert_eq!(refused(&both, &[1.0, 3.0, 2.0, 5.0]), NotEstimable::SingularDesign);
        let constant = [Variable::Covariate(&[4.0; 4])];
        assert_eq!(refused(&constant, &[1.0, 3.0, 2.0, 5.0]), NotEstimable::SingularDesign);
    }

    #[test]
    fn an_empty_arm_is_singular() {
        let arm = [Variable::Factor { levels: 3, codes: &[0, 0, 1, 1] }];
        assert_eq!(refused(&arm, &[1.0, 3.0, 2.0, 5.0]), NotEstimable::SingularDesign);
    }

    #[test]
    fn no_residual_degree_of_freedom_gives_no_fit() {
        let x = [Variable::Covariate(&[1.0, 2.0])];
        assert_eq!(refused(&x, &[1.0, 3.0]), NotEstimable::TooFewObservations { needed: 3, found: 2 });
    }

    #[test]
    fn a_perfect_fit_has_no_error() {
        let x = [Variable::Covariate(&[1.0, 2.0, 3.0])];
        assert_eq!(refused(&x, &[2.0, 4.0, 6.0]), NotEstimable::ZeroVariance);
        assert_eq!(refused(&x, &[1.0, 1.0, 1.0]), NotEstimable::ZeroVariance);
        assert_eq!(refused(&x, &[f64::NAN, 1.0, 1.0]), NotEstimable::NotFinite);
    }

    #[test]
    fn a_leverage_of_one_has_no_hc3_error() {
        let arm = [Variable::Factor { levels: 2, codes: &[0, 0, 0, 1] }];
        let design = Design::new(&arm, &[Term::main(0)]).unwrap();
        let fit = linear_model(&design, &[1.0, 2.0, 4.0, 3.0]).unwrap();
        assert_eq!(fit.robust_errors(RobustError::Hc3), Err(NotEstimable::ZeroDenominator));
        assert!(fit.robust_errors(RobustError::Hc0).is_ok());
    }
}
