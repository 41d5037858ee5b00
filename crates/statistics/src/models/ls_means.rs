//! Least-squares means of a factor's levels.
//!
//! Covariates stand at their mean over all participants in the model. Other factors
//! are averaged over, with equal weights or with their frequencies in the data;
//! programs differ, so it is an argument. Mathematics: `docs/methods/ancova.md`.

use super::{Coefficient, Design, LinearFit, Variable};
use crate::descriptive::mean;
use crate::{Confidence, NotEstimable};

/// How the levels of other factors are averaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LsWeights {
    /// All combinations of levels weigh the same.
    Equal,
    /// Combinations weigh as often as they occur in the data.
    Proportional,
}

/// The mean of one level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LsMean {
    /// The level.
    pub level: usize,
    /// Estimate, error and interval; its test is against zero.
    pub mean: Coefficient,
}

/// The difference of one level from the reference level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LsContrast {
    /// The level that is compared with level 0.
    pub level: usize,
    /// Estimate, error, test and interval.
    pub difference: Coefficient,
}

/// All means and differences of one factor.
#[derive(Debug, Clone, PartialEq)]
pub struct LsMeans {
    /// One mean a level.
    pub means: Vec<LsMean>,
    /// One difference for every level but the first.
    pub contrasts: Vec<LsContrast>,
}

/// Least-squares means of the factor that is variable `factor` of the design.
///
/// # Errors
/// [`NotEstimable::OutOfRange`] if that variable is not a factor.
pub fn ls_means(
    fit: &LinearFit<'_, '_>,
    factor: usize,
    weights: LsWeights,
    confidence: Confidence,
) -> Result<LsMeans, NotEstimable> {
    let design = fit.design();
    let Some(Variable::Factor { levels, .. }) = design.variables().get(factor) else {
        return Err(NotEstimable::OutOfRange { name: "factor" });
    };
    let grid = Grid::new(design, &[factor], weights)?;
    let rows: Vec<Vec<f64>> =
        (0..*levels).map(|level| grid.average_row(design, &[(factor, level)])).collect();
    let mut answer = LsMeans { means: Vec::new(), contrasts: Vec::new() };
    for (level, row) in rows.iter().enumerate() {
        answer.means.push(LsMean { level, mean: fit.linear_function(row, confidence)? });
        if level > 0 {
            let difference: Vec<f64> = row.iter().zip(&rows[0]).map(|(a, b)| a - b).collect();
            answer
                .contrasts
                .push(LsContrast { level, difference: fit.linear_function(&difference, confidence)? });
        }
    }
    Ok(answer)
}

/// The weights of the design's columns that give the mean where some factors have the levels given.
///
/// Covariates stand at their mean over the rows of the design, other factors are averaged over.
///
/// # Errors
/// [`NotEstimable::OutOfRange`] if a variable given is not a factor with that level.
pub fn mean_weights(
    design: &Design<'_>,
    at: &[(usize, usize)],
    weights: LsWeights,
) -> Result<Vec<f64>, NotEstimable> {
    for (factor, level) in at {
        match design.variables().get(*factor) {
            Some(Variable::Factor { levels, .. }) if level < levels => {}
            _ => return Err(NotEstimable::OutOfRange { name: "factor" }),
        }
    }
    let fixed: Vec<usize> = at.iter().map(|(factor, _)| *factor).collect();
    Ok(Grid::new(design, &fixed, weights)?.average_row(design, at))
}

/// Covariates at their means, and weighted combinations of the other factors' levels.
struct Grid {
    covariate_means: Vec<f64>,
    /// The level of each variable (zero for covariates and for the factors in question), and its weight.
    combinations: Vec<(Vec<usize>, f64)>,
}

impl Grid {
    fn new(design: &Design<'_>, fixed: &[usize], weights: LsWeights) -> Result<Self, NotEstimable> {
        let variables = design.variables();
        let mut covariate_means = vec![0.0; variables.len()];
        for (slot, variable) in covariate_means.iter_mut().zip(variables) {
            if let Variable::Covariate(values) = variable {
                *slot = mean(values)?;
            }
        }
        let code = |v: usize, i: usize| match variables[v] {
            Variable::Factor { codes, .. } if !fixed.contains(&v) => codes[i],
            _ => 0,
        };
        let combinations = match weights {
            LsWeights::Equal => all_combinations(variables, fixed),
            LsWeights::Proportional => {
                let mut seen: Vec<Vec<usize>> =
                    (0..design.rows()).map(|i| (0..variables.len()).map(|v| code(v, i)).collect()).collect();
                seen.sort_unstable();
                let mut counted: Vec<(Vec<usize>, f64)> = Vec::new();
                for combination in seen {
                    match counted.last_mut() {
                        Some((last, count)) if *last == combination => *count += 1.0,
                        _ => counted.push((combination, 1.0)),
                    }
                }
                counted
            }
        };
        let total: f64 = combinations.iter().map(|c| c.1).sum();
        let combinations = combinations.into_iter().map(|(c, w)| (c, w / total)).collect();
        Ok(Self { covariate_means, combinations })
    }

    fn average_row(&self, design: &Design<'_>, at: &[(usize, usize)]) -> Vec<f64> {
        let width = design.columns().len();
        let (mut average, mut row) = (vec![0.0; width], vec![0.0; width]);
        for (combination, weight) in &self.combinations {
            let value = |v: usize, asked: Option<usize>| match asked {
                None => self.covariate_means[v],
                Some(asked) => {
                    let own = at.iter().find(|(f, _)| *f == v).map_or(combination[v], |(_, level)| *level);
                    f64::from(u8::from(own == asked))
                }
            };
            design.row(value, &mut row);
            for (a, r) in average.iter_mut().zip(&row) {
                *a += weight * r;
            }
        }
        average
    }
}

fn all_combinations(variables: &[Variable<'_>], fixed: &[usize]) -> Vec<(Vec<usize>, f64)> {
    let mut combinations = vec![vec![0; variables.len()]];
    for (v, variable) in variables.iter().enumerate() {
        let Variable::Factor { levels, .. } = variable else { continue };
        if fixed.contains(&v) {
            continue;
        }
        combinations = combinations
            .into_iter()
            .flat_map(|c| {
                (0..*levels).map(move |level| {
                    let mut next = c.clone();
                    next[v] = level;
                    next
                })
            })
            .collect();
    }
    combinations.into_iter().map(|c| (c, 1.0)).collect()
}

#[test]
fn a_covariate_has_no_least_squares_means() {
    let x = [1.0, 2.0, 4.0];
    let design = Design::new(&[Variable::Covariate(&x)], &[super::Term::main(0)]).unwrap();
    let fit = super::linear_model(&design, &[1.0, 0.0, 2.0]).unwrap();
    let refused = ls_means(&fit, 0, LsWeights::Equal, Confidence::C95);
    assert_eq!(refused, Err(NotEstimable::OutOfRange { name: "factor" }));
}
