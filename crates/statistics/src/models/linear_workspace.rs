//! The linear model fitted many times over, where one coefficient is asked for.
//!
//! The response stands beside the columns as one more: in the triangular factor R of
//! both together its part above the diagonal is Q'y, and its diagonal entry is the
//! square root of the residual sum of squares. The factor is formed by reflections in
//! storage that is kept, so that after the first fit of a size nothing is allocated;
//! a test compares it with the library's. Mathematics: `docs/methods/ancova.md`.

use super::Coefficient;
use crate::kernel::dot;
use crate::not_estimable::all_finite;
use crate::{Confidence, Interval, NotEstimable, distribution};

/// Storage for repeated fits.
#[derive(Debug, Clone, Default)]
pub struct LinearWorkspace {
    /// The constant, the columns and the response, one after the other; what a fit leaves of them is not looked at.
    columns: Vec<f64>,
    /// R of the columns and the response, the latter last, column by column.
    r: Vec<f64>,
    /// Columns of R.
    width: usize,
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
        self.columns.clear();
        self.columns.resize(n, 1.0);
        for column in columns.iter().copied().chain([y]) {
            self.columns.extend_from_slice(column);
        }
        self.width = p + 1;
        self.reflect(n);
        for j in 0..p {
            let norm = self.norm(j);
            if self.at(j, j).abs() <= 1e-7 * norm || norm == 0.0 {
                return Err(NotEstimable::SingularDesign);
            }
        }
        let rest = self.at(p, p).abs();
        if rest <= 10.0 * f64::EPSILON * self.norm(p) {
            return Err(NotEstimable::ZeroVariance);
        }
        self.df_residual = (n - p) as f64;
        self.sigma = rest / self.df_residual.sqrt();
        Ok(())
    }

    /// R of the columns by Householder's reflections: column by column, what stands below the diagonal is turned
    /// onto it, and the columns after it are turned along.
    fn reflect(&mut self, n: usize) {
        let width = self.width;
        self.r.clear();
        self.r.resize(width * width, 0.0);
        for j in 0..width {
            let (done, after) = self.columns.split_at_mut((j + 1) * n);
            let column = &mut done[j * n..];
            self.r[j * width..j * width + j].copy_from_slice(&column[..j]);
            let axis = &mut column[j..];
            let square = dot(axis, axis);
            // Away from the first entry, so that nothing cancels.
            let turned = -square.sqrt().copysign(axis[0]);
            self.r[j * width + j] = turned;
            // |axis|² of the axis x - turned e₁ is 2 turned (turned - x₁).
            let half_square = turned * (turned - axis[0]);
            axis[0] -= turned;
            if half_square == 0.0 {
                continue;
            }
            for other in after.chunks_exact_mut(n) {
                let share = -dot(axis, &other[j..]) / half_square;
                for (x, a) in other[j..].iter_mut().zip(&*axis) {
                    *x += share * a;
                }
            }
        }
    }

    fn at(&self, row: usize, column: usize) -> f64 {
        self.r[column * self.width + row]
    }

    fn norm(&self, column: usize) -> f64 {
        let own = &self.r[column * self.width..(column + 1) * self.width];
        dot(own, own).sqrt()
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
        let p = self.width.saturating_sub(1);
        if j >= p || self.df_residual <= 0.0 {
            return Err(NotEstimable::OutOfRange { name: "coefficient" });
        }
        self.solved.clear();
        self.solved.resize(p, 0.0);
        for i in (j..p).rev() {
            let known: f64 = (i + 1..p).map(|k| self.at(i, k) * self.solved[k]).sum();
            self.solved[i] = (self.at(i, p) - known) / self.at(i, i);
        }
        let estimate = self.solved[j];
        // R' is lower triangular: v is zero before j.
        let mut square = 0.0;
        for i in j..p {
            let known: f64 = (j..i).map(|k| self.at(k, i) * self.solved[k]).sum();
            let right = if i == j { 1.0 } else { 0.0 };
            self.solved[i] = (right - known) / self.at(i, i);
            square += self.solved[i] * self.solved[i];
        }
        Ok((estimate, self.sigma * square.sqrt()))
    }
}

#[cfg(test)]
mod tests {
    use nalgebra::DMatrix;

    use super::super::{Design, Term, Variable, linear_model};
    use super::*;

    #[test]
    fn the_factor_is_that_of_the_library() {
        let wave = |i: usize, k: usize| ((i * 7 + k * 3) as f64 * 0.61).sin() + 0.1 * (i % (k + 2)) as f64;
        let columns: Vec<Vec<f64>> = (0..6).map(|k| (0..23).map(|i| wave(i, k)).collect()).collect();
        let views: Vec<&[f64]> = columns[1..].iter().map(Vec::as_slice).collect();
        let mut space = LinearWorkspace::default();
        space.fit(&columns[0], &views).unwrap();
        let whole = DMatrix::from_fn(23, 7, |i, j| match j {
            0 => 1.0,
            6 => columns[0][i],
            _ => columns[j][i],
        });
        let theirs = whole.qr().r();
        for j in 0..7 {
            for i in 0..=j {
                // Rows are unique up to their sign.
                let (ours, theirs) = (space.at(i, j).abs(), theirs[(i, j)].abs());
                assert!((ours - theirs).abs() < 1e-12, "{i} {j}: {ours} {theirs}");
            }
        }
    }

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
