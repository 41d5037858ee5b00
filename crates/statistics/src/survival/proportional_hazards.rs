//! Test that hazard ratios do not change with time.
//!
//! The score test of an added term x g(t) with g(t) = 1 - S(t-), where S is the
//! Kaplan-Meier estimate of all participants together (Grambsch and Therneau, in the
//! exact form of R's `survival` from version 3 on). Mathematics: `docs/methods/survival.md`.

use nalgebra::{DMatrix, DVector};

use super::Times;
use super::cox::{CoxFit, Ties, sort};
use super::cox_derivatives::visit_times;
use super::kaplan_meier::kaplan_meier;
use crate::models::Design;
use crate::{NotEstimable, distribution};

/// The test of one term, or of all together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ProportionalHazardsTest {
    /// The index of the term; `None` for all together.
    pub term: Option<usize>,
    /// The statistic.
    pub chi_squared: f64,
    /// Degrees of freedom.
    pub df: f64,
    /// P-value.
    pub p: f64,
}

/// Tests each term of a fit, and then all together.
///
/// # Errors
/// As [`cox_regression`](super::cox_regression), or events at one time only.
pub fn proportional_hazards_test(
    times: Times<'_>,
    design: &Design<'_>,
    strata: Option<&[usize]>,
    ties: Ties,
    fit: &CoxFit,
) -> Result<Vec<ProportionalHazardsTest>, NotEstimable> {
    let data = sort(times, design, strata)?;
    let beta = DVector::from_vec(fit.estimates());
    let p = beta.len();
    if p != data.covariates.nrows() {
        return Err(NotEstimable::UnequalLengths { left: data.covariates.nrows(), right: p });
    }
    let curve = kaplan_meier(times);
    // The curve just before a time.
    let before = |time: f64| {
        let passed = curve.steps.partition_point(|s| s.time < time);
        if passed == 0 { 1.0 } else { curve.steps[passed - 1].survival }
    };
    // g is centred at its mean over events. Where the fit has fully converged this changes nothing.
    let deaths: f64 = curve.steps.iter().map(|s| s.events as f64).sum();
    let centre = curve.steps.iter().map(|s| s.events as f64 * before(s.time)).sum::<f64>() / deaths;
    let mut score = DVector::zeros(p);
    let [mut plain, mut once, mut twice] = [0; 3].map(|_| DMatrix::<f64>::zeros(p, p));
    visit_times(&data, &beta, ties, |terms| {
        let g = centre - before(terms.time);
        score += terms.score * g;
        plain += terms.information;
        once += terms.information * g;
        twice += terms.information * (g * g);
    });
    // The information on the added terms that the fitted ones leave.
    let fitted = plain.cholesky().ok_or(NotEstimable::SingularDesign)?;
    let left = twice - &once * fitted.solve(&once);
    let mut tests = Vec::new();
    for term in 0..design.terms().len() {
        let columns: Vec<usize> = design.columns_of(term).collect();
        tests.push(test(Some(term), &columns, &score, &left)?);
    }
    tests.push(test(None, &(0..p).collect::<Vec<_>>(), &score, &left)?);
    Ok(tests)
}

fn test(
    term: Option<usize>,
    columns: &[usize],
    score: &DVector<f64>,
    left: &DMatrix<f64>,
) -> Result<ProportionalHazardsTest, NotEstimable> {
    let part = score.select_rows(columns);
    let block = left.select_rows(columns).select_columns(columns);
    if block.diagonal().iter().any(|v| *v <= 1e-14) {
        return Err(NotEstimable::ZeroVariance);
    }
    let chi_squared = part.dot(&block.cholesky().ok_or(NotEstimable::ZeroVariance)?.solve(&part));
    let df = columns.len() as f64;
    Ok(ProportionalHazardsTest { term, chi_squared, df, p: distribution::chi_squared_upper(chi_squared, df) })
}

#[test]
fn events_at_one_time_say_nothing_of_change() {
    use super::{Stopping, Ties, cox_regression};
    use crate::Confidence;
    use crate::models::{Term, Variable};
    let (time, event, x) = ([1.0, 1.0, 2.0, 2.0], [true, true, false, false], [1.0, 0.0, 1.0, 0.5]);
    let design = Design::without_intercept(&[Variable::Covariate(&x)], &[Term::main(0)]).unwrap();
    let times = Times::new(&time, &event).unwrap();
    let fit =
        cox_regression(times, &design, None, Ties::Efron, Stopping::AtRounding, Confidence::C95).unwrap();
    let refused = proportional_hazards_test(times, &design, None, Ties::Efron, &fit);
    assert_eq!(refused, Err(NotEstimable::ZeroVariance));
}
