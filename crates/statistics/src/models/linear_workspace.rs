//! The linear model fitted many times over, where one coefficient is asked for.
//!
//! The response stands beside the columns as one more: in the triangular factor R of
//! both together its part above the diagonal is Q'y, and its diagonal entry is the
//! square root of the residual sum of squares. Storage is kept between fits; what a
//! fit allocates does not grow with the number of participants.
//! Mathematics: `docs/methods/ancova.md`.

use nalgebra::{DMatrix, QR};

use super::Coefficient;
use crate::not_estimable::all_finite;
use crate::{Confidence, Interval, NotEstimable, distribution};

/// Storage for repeated fits.
#[derive(Debug)]
pub struct LinearWorkspace {
    /// R of the columns and the response, the latter last; before a fit, room for them.
    r: DMatrix<f64>,
    solved: Vec<f64>,
    df_residual: f64,
    sigma: f64,
}

/// The test of one coefficient against zero.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CoefficientTest {
    /// The estimate.
    pub estimate: f64,
    /// Its standard error.
    pub se: f64,
    /// `estimate / se`.
    pub t: f64,
    /// Residual degrees of freedom.
    pub df: f64,
    /// Two-sided p-value.
    pub p_two_sided: f64,
    /// P-value against a negative coefficient.
    pub p_less: f64,
    /// P-value against a positive coefficient.
    pub p_greater: f64,
}

impl Default for LinearWorkspace {
    fn default() -> Self {
        Self { r: DMatrix::zeros(0, 0), solved: Vec::new(), df_residual: 0.0, sigma: 0.0 }
    }
}

impl LinearWorkspace {
    /// Fits `y` on an intercept and `columns`; coefficient 0 is the intercept, coefficient j belongs to column j - 1.
    ///
    /// An analysis of covariance of two arms has the arm as a column of zeros and ones.
    ///
    /// # Errors
    /// As [`linear_model`](super::linear_model).
    pub fn fit(&mut self, y: &[f64], columns: &[&[f64]]) -> Result<(), NotEstimable> {
        // A fit that fails leaves none behind.
        self.df_residual = 0.0;
        let (n, p) = (y.len(), columns.len() + 1);
        for column in columns {
            if column.len() != n {
                return Err(NotEstimable::UnequalLengths { left: n, right: column.len() });
            }
            all_finite(column)?;
        }
        if n == 0 {
            return Err(NotEstimable::NoObservations);
        }
        all_finite(y)?;
        if n <= p {
            return Err(NotEstimable::TooFewObservations { needed: p + 1, found: n });
        }
        let mut room: Vec<f64> = std::mem::replace(&mut self.r, DMatrix::zeros(0, 0)).data.into();
        room.clear();
        room.reserve(n * (p + 1));
        room.resize(n, 1.0);
        for column in columns.iter().copied().chain([y]) {
            room.extend_from_slice(column);
        }
        self.r = QR::new(DMatrix::from_vec(n, p + 1, room)).unpack_r();
        for j in 0..p {
            let norm = self.r.column(j).norm();
            if self.r[(j, j)].abs() <= 1e-7 * norm || norm == 0.0 {
                return Err(NotEstimable::SingularDesign);
            }
        }
        let rest = self.r[(p, p)].abs();
        let scale = self.r.column(p).norm();
        if rest <= 10.0 * f64::EPSILON * scale {
            return Err(NotEstimable::ZeroVariance);
        }
        self.df_residual = (n - p) as f64;
        self.sigma = rest / self.df_residual.sqrt();
        Ok(())
    }

    /// Tests coefficient `j` of the last fit.
    ///
    /// # Errors
    /// [`NotEstimable::OutOfRange`] where there is no such coefficient, or no fit.
    pub fn test(&mut self, j: usize) -> Result<CoefficientTest, NotEstimable> {
        let (estimate, se) = self.estimate(j)?;
        let (t, df) = (estimate / se, self.df_residual);
        let (p_less, p_greater) = (distribution::t_lower(t, df), distribution::t_upper(t, df));
        let p_two_sided = 2.0 * p_less.min(p_greater);
        Ok(CoefficientTest { estimate, se, t, df, p_two_sided, p_less, p_greater })
    }

    /// Coefficient `j` of the last fit with its interval.
    ///
    /// # Errors
    /// As [`Self::test`].
    pub fn coefficient(&mut self, j: usize, confidence: Confidence) -> Result<Coefficient, NotEstimable> {
        let (estimate, se) = self.estimate(j)?;
        let (t, df) = (estimate / se, self.df_residual);
        let half = distribution::t_quantile_upper(confidence.tail(), df) * se;
        let p = distribution::t_two_sided(t, df);
        Ok(Coefficient { estimate, se, t, p, interval: Interval::around(estimate, half) })
    }

    /// The estimate and its standard error: with R u = Q'y and R'v = e_j these are u_j and σ ‖v‖.
    fn estimate(&mut self, j: usize) -> Result<(f64, f64), NotEstimable> {
        let p = self.r.ncols().saturating_sub(1);
        if j >= p || self.df_residual <= 0.0 {
            return Err(NotEstimable::OutOfRange { name: "coefficient" });
        }
        self.solved.clear();
        self.solved.resize(p, 0.0);
        for i in (j..p).rev() {
            let known: f64 = (i + 1..p).map(|k| self.r[(i, k)] * self.solved[k]).sum();
            self.solved[i] = (self.r[(i, p)] - known) / self.r[(i, i)];
        }
        let estimate = self.solved[j];
        // R' is lower triangular: v is zero before j.
        let mut square = 0.0;
        for i in j..p {
            let known: f64 = (j..i).map(|k| self.r[(k, i)] * self.solved[k]).sum();
            let right = if i == j { 1.0 } else { 0.0 };
            self.solved[i] = (right - known) / self.r[(i, i)];
            square += self.solved[i] * self.solved[i];
        }
        Ok((estimate, self.sigma * square.sqrt()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Design, Term, Variable, linear_model};
    use super::*;

    #[test]
    fn a_workspace_gives_the_same_fit() {
        let base = [28.0, 31.0, 22.0, 35.0, 26.0, 30.0, 24.0, 29.0];
        let arm = [0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.0];
        let y = [-1.0, -6.5, 2.0, -9.0, -2.5, 0.5, -4.0, 1.0];
        let variables = [Variable::Covariate(&base), Variable::Covariate(&arm)];
        let design = Design::new(&variables, &[Term::main(0), Term::main(1)]).unwrap();
        let full = linear_model(&design, &y).unwrap().coefficients(Confidence::C95);
        let mut space = LinearWorkspace::default();
        for _ in 0..2 {
            space.fit(&y, &[&base, &arm]).unwrap();
            for (j, expected) in full.iter().enumerate() {
                let one = space.coefficient(j, Confidence::C95).unwrap();
                let test = space.test(j).unwrap();
                for (a, b) in [
                    (one.estimate, expected.estimate),
                    (one.se, expected.se),
                    (one.p, expected.p),
                    (one.interval.lower, expected.interval.lower),
                    (test.p_two_sided, expected.p),
                    (test.p_less + test.p_greater, 1.0),
                ] {
                    assert!((a - b).abs() <= 1e-12 * b.abs(), "{a} is not {b}");
                }
            }
            assert!(space.fit(&y[..3], &[&base[..3], &arm[..3]]).is_err());
        }
    }

    #[test]
    fn what_cannot_be_fitted_is_refused() {
        let mut space = LinearWorkspace::default();
        assert!(space.test(0).is_err());
        let y = [1.0, 3.0, 2.0, 5.0];
        assert_eq!(space.fit(&y, &[&[1.0; 4]]), Err(NotEstimable::SingularDesign));
        assert_eq!(space.fit(&y, &[&[1.0; 3]]), Err(NotEstimable::UnequalLengths { left: 4, right: 3 }));
        assert_eq!(space.fit(&[2.0; 4], &[]), Err(NotEstimable::ZeroVariance));
        assert_eq!(space.fit(&[], &[]), Err(NotEstimable::NoObservations));
        let too_few = NotEstimable::TooFewObservations { needed: 3, found: 2 };
        assert_eq!(space.fit(&[1.0, 2.0], &[&[0.0, 1.0]]), Err(too_few));
        assert_eq!(space.fit(&[f64::NAN; 4], &[]), Err(NotEstimable::NotFinite));
        assert!(space.test(0).is_err());
    }
}
