//! Imputation of binary and ordinal endpoints by prediction.
//!
//! P(Y ≤ j) = 1/(1 + exp(-(α_j - x'β))): proportional odds, with two categories logistic regression.
//! Mathematics: `docs/methods/imputation.md`.

use nalgebra::{DMatrix, DVector};

use super::streams::{Draws, Use};
use crate::NotEstimable;

/// An endpoint with categories from 0 up, missing for some, and what predicts it.
#[derive(Debug, Clone, PartialEq)]
pub struct CategoricalData {
    categories: usize,
    covariates: usize,
    /// Without a constant: the thresholds are that.
    rows: Vec<f64>,
    outcomes: Vec<Option<usize>>,
    strata: Vec<usize>,
}

impl CategoricalData {
    /// Nobody yet.
    ///
    /// # Errors
    /// Fewer than two categories.
    pub fn new(categories: usize, covariates: usize) -> Result<Self, NotEstimable> {
        if categories < 2 {
            return Err(NotEstimable::OutOfRange { name: "number of categories" });
        }
        Ok(Self { categories, covariates, rows: Vec::new(), outcomes: Vec::new(), strata: Vec::new() })
    }

    /// Adds a participant; `stratum` is that within which bootstrap samples are drawn, usually the arm.
    ///
    /// # Errors
    /// A wrong number of covariates, one that is not finite, or a category beyond the last.
    pub fn push(
        &mut self,
        covariates: &[f64],
        outcome: Option<usize>,
        stratum: usize,
    ) -> Result<(), NotEstimable> {
        if covariates.len() != self.covariates {
            return Err(NotEstimable::UnequalLengths { left: self.covariates, right: covariates.len() });
        }
        if covariates.iter().any(|c| !c.is_finite()) {
            return Err(NotEstimable::NotFinite);
        }
        if outcome.is_some_and(|category| category >= self.categories) {
            return Err(NotEstimable::OutOfRange { name: "category" });
        }
        self.rows.extend_from_slice(covariates);
        self.outcomes.push(outcome);
        self.strata.push(stratum);
        Ok(())
    }

    fn row(&self, i: usize) -> &[f64] {
        &self.rows[i * self.covariates..(i + 1) * self.covariates]
    }
}

/// A fitted proportional-odds model.
#[derive(Debug, Clone, PartialEq)]
struct ProportionalOdds {
    thresholds: Vec<f64>,
    slopes: Vec<f64>,
    log_likelihood: f64,
}

fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

const STEPS_MAX: u32 = 100;
/// Beyond this log odds the outcomes are separated.
const LOG_ODDS_SEPARATED: f64 = 25.0;

/// Newton's method on the concave log-likelihood of the participants given.
fn proportional_odds(data: &CategoricalData, who: &[usize]) -> Result<ProportionalOdds, NotEstimable> {
    let (cuts, k) = (data.categories - 1, data.covariates);
    let mut counts = vec![0usize; data.categories];
    for i in who {
        if let Some(category) = data.outcomes[*i] {
            counts[category] += 1;
        }
    }
    let n: usize = counts.iter().sum();
    if n <= cuts + k {
        return Err(NotEstimable::TooFewObservations { needed: cuts + k + 1, found: n });
    }
    // A category that nobody has leaves its thresholds without a maximum.
    if counts.contains(&0) {
        return Err(NotEstimable::Separation);
    }
    let mut below = 0.0;
    let mut at = DVector::zeros(cuts + k);
    for (j, count) in counts[..cuts].iter().enumerate() {
        below += *count as f64;
        let share = below / n as f64;
        at[j] = (share / (1.0 - share)).ln();
    }
    let mut value = log_likelihood(data, who, &at).ok_or(NotEstimable::Separation)?;
    for step_number in 0..STEPS_MAX {
        let (score, information) = derivatives(data, who, &at);
        let factor = information.cholesky().ok_or(NotEstimable::SingularDesign)?;
        let step = factor.solve(&score);
        if step.dot(&score) < 1e-16 {
            return Ok(ProportionalOdds {
                thresholds: at.rows(0, cuts).iter().copied().collect(),
                slopes: at.rows(cuts, k).iter().copied().collect(),
                log_likelihood: value,
            });
        }
        let mut length = 1.0;
        loop {
            let next = &at + length * &step;
            if let Some(reached) =
                log_likelihood(data, who, &next).filter(|v| *v >= value - 1e-12 * value.abs())
            {
                (at, value) = (next, reached);
                break;
            }
            length *= 0.5;
            if length < 1e-10 {
                return Err(NotEstimable::NoConvergence { iterations: step_number + 1 });
            }
        }
        let farthest = who.iter().map(|i| linear(data, &at, *i).abs()).fold(0.0, f64::max);
        if farthest > LOG_ODDS_SEPARATED {
            return Err(NotEstimable::Separation);
        }
    }
    Err(NotEstimable::NoConvergence { iterations: STEPS_MAX })
}

fn linear(data: &CategoricalData, at: &DVector<f64>, i: usize) -> f64 {
    let cuts = data.categories - 1;
    data.row(i).iter().enumerate().map(|(j, x)| x * at[cuts + j]).sum()
}

/// The arguments of the two distribution functions whose difference is a category's probability.
fn bounds(cuts: usize, at: &DVector<f64>, category: usize, eta: f64) -> (Option<f64>, Option<f64>) {
    let upper = (category < cuts).then(|| at[category] - eta);
    let lower = (category > 0).then(|| at[category - 1] - eta);
    (upper, lower)
}

/// `None` where the thresholds are out of order or a probability vanishes.
fn log_likelihood(data: &CategoricalData, who: &[usize], at: &DVector<f64>) -> Option<f64> {
    let cuts = data.categories - 1;
    if (1..cuts).any(|j| at[j] <= at[j - 1]) {
        return None;
    }
    let mut sum = 0.0;
    for i in who {
        let Some(category) = data.outcomes[*i] else { continue };
        let (upper, lower) = bounds(cuts, at, category, linear(data, at, *i));
        let p = upper.map_or(1.0, logistic) - lower.map_or(0.0, logistic);
        sum += p.ln();
    }
    sum.is_finite().then_some(sum)
}

fn derivatives(data: &CategoricalData, who: &[usize], at: &DVector<f64>) -> (DVector<f64>, DMatrix<f64>) {
    let (cuts, k) = (data.categories - 1, data.covariates);
    let size = cuts + k;
    let (mut score, mut information) = (DVector::zeros(size), DMatrix::zeros(size, size));
    for i in who {
        let Some(category) = data.outcomes[*i] else { continue };
        let (upper, lower) = bounds(cuts, at, category, linear(data, at, *i));
        let (high, low) = (upper.map_or(1.0, logistic), lower.map_or(0.0, logistic));
        let p = high - low;
        let (f_high, f_low) = (high * (1.0 - high), low * (1.0 - low));
        let direction = |threshold: Option<usize>| {
            let mut z = DVector::zeros(size);
            if let Some(j) = threshold {
                z[j] = 1.0;
                for (c, x) in data.row(*i).iter().enumerate() {
                    z[cuts + c] = -x;
                }
            }
            z
        };
        let (z_high, z_low) =
            (direction((category < cuts).then_some(category)), direction(category.checked_sub(1)));
        score += (f_high / p) * &z_high - (f_low / p) * &z_low;
        let (s_high, s_low) = (f_high * (1.0 - 2.0 * high), f_low * (1.0 - 2.0 * low));
        information.ger((f_high / p).powi(2) - s_high / p, &z_high, &z_high, 1.0);
        information.ger((f_low / p).powi(2) + s_low / p, &z_low, &z_low, 1.0);
        let cross = -f_high * f_low / (p * p);
        information.ger(cross, &z_high, &z_low, 1.0);
        information.ger(cross, &z_low, &z_high, 1.0);
    }
    (score, information)
}

/// Attempts at a bootstrap sample that can be fitted, per imputation.
const SAMPLES_MAX: u32 = 20;

/// Draws one imputation of an ordinal endpoint: everybody's category, observed ones unchanged.
///
/// The model is fitted to a bootstrap sample of participants within strata; a missing category is drawn from the
/// probabilities that it predicts. A sample that cannot be fitted is followed by another, up to 20.
///
/// # Errors
/// The reason why the last sample could not be fitted.
pub fn draw_ordinal(
    data: &CategoricalData,
    seed: u64,
    imputation: usize,
) -> Result<Vec<usize>, NotEstimable> {
    let mut last = NotEstimable::NoObservations;
    for attempt in 0..SAMPLES_MAX {
        let mut stream = Draws::of(seed, imputation, Use::Sample(attempt));
        let sample = super::streams::sample_within(&data.strata, &mut stream);
        let fit = match proportional_odds(data, &sample) {
            Ok(fit) => fit,
            Err(reason) => {
                last = reason;
                continue;
            }
        };
        let each = data.outcomes.iter().enumerate().map(|(i, outcome)| {
            outcome.unwrap_or_else(|| {
                let eta: f64 = data.row(i).iter().zip(&fit.slopes).map(|(x, b)| x * b).sum();
                let u = Draws::of(seed, imputation, Use::Responses(i)).uniform();
                fit.thresholds.iter().filter(|alpha| logistic(**alpha - eta) < u).count()
            })
        });
        return Ok(each.collect());
    }
    Err(last)
}

/// Draws one imputation of a binary endpoint, categories 0 (no) and 1 (yes).
///
/// # Errors
/// As [`draw_ordinal`], and [`NotEstimable::OutOfRange`] if there are more than two categories.
pub fn draw_binary(data: &CategoricalData, seed: u64, imputation: usize) -> Result<Vec<bool>, NotEstimable> {
    if data.categories != 2 {
        return Err(NotEstimable::OutOfRange { name: "number of categories" });
    }
    Ok(draw_ordinal(data, seed, imputation)?.into_iter().map(|category| category == 1).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Confidence;
    use crate::models::{Design, Term, Variable, logistic_regression};

    fn data(categories: usize) -> CategoricalData {
        let mut data = CategoricalData::new(categories, 2).unwrap();
        for i in 0..60 {
            let x = ((i * 7) as f64 * 0.37).sin();
            let arm = f64::from(i % 2);
            let noise = ((i * 13) as f64 * 0.71).sin();
            let latent = 0.8 * x + 0.6 * arm + 1.4 * noise + 1.6;
            let category = (latent * categories as f64 / 4.0).clamp(0.0, categories as f64 - 0.5) as usize;
            data.push(&[x, arm], (i % 5 != 0).then_some(category), (i % 2) as usize).unwrap();
        }
        data
    }

    #[test]
    fn two_categories_are_logistic_regression() {
        let data = data(2);
        let who: Vec<usize> = (0..60).collect();
        let fit = proportional_odds(&data, &who).unwrap();
        let seen: Vec<usize> = who.into_iter().filter(|i| data.outcomes[*i].is_some()).collect();
        let column = |c: usize| seen.iter().map(|i| data.row(*i)[c]).collect::<Vec<f64>>();
        let (x, arm) = (column(0), column(1));
        let y: Vec<bool> = seen.iter().map(|i| data.outcomes[*i] == Some(1)).collect();
        let variables = [Variable::Covariate(&x), Variable::Covariate(&arm)];
        let design = Design::new(&variables, &[Term::main(0), Term::main(1)]).unwrap();
        let theirs = logistic_regression(&design, &y, Confidence::C95).unwrap();
        assert!((fit.thresholds[0] + theirs.coefficients[0].estimate).abs() < 1e-9);
        assert!((fit.slopes[0] - theirs.coefficients[1].estimate).abs() < 1e-9);
        assert!((fit.slopes[1] - theirs.coefficients[2].estimate).abs() < 1e-9);
        assert!((fit.log_likelihood - theirs.log_likelihood).abs() < 1e-10);
    }

    #[test]
    fn derivatives_are_those_of_the_log_likelihood() {
        let data = data(4);
        let who: Vec<usize> = (0..60).collect();
        let at = DVector::from_vec(vec![-1.0, 0.3, 1.4, 0.5, -0.2]);
        let (score, information) = derivatives(&data, &who, &at);
        for a in 0..5 {
            let moved = |by: f64| {
                let mut to = at.clone();
                to[a] += by;
                to
            };
            let (up, down) = (moved(1e-5), moved(-1e-5));
            let slope = (log_likelihood(&data, &who, &up).unwrap()
                - log_likelihood(&data, &who, &down).unwrap())
                / 2e-5;
            assert!((slope - score[a]).abs() < 1e-6);
            let change = (derivatives(&data, &who, &up).0 - derivatives(&data, &who, &down).0) / 2e-5;
            for b in 0..5 {
                assert!((change[b] + information[(a, b)]).abs() < 1e-5);
            }
        }
    }

    #[test]
    fn observed_categories_stay_and_missing_ones_vary_with_the_prediction() {
        let data = data(4);
        let mut totals = vec![0usize; 60];
        for imputation in 0..200 {
            let drawn = draw_ordinal(&data, 5, imputation).unwrap();
            assert_eq!(drawn, draw_ordinal(&data, 5, imputation).unwrap());
            for (i, category) in drawn.iter().enumerate() {
                assert!(*category < 4);
                if let Some(observed) = data.outcomes[i] {
                    assert_eq!(*category, observed);
                }
                totals[i] += category;
            }
        }
        // Of two participants in the same arm the one with the higher covariate has the higher mean.
        let missing: Vec<usize> = (0..60).filter(|i| i % 10 == 0).collect();
        let key = |i: &&usize| (data.row(**i)[0] * 1e6) as i64;
        let (low, high) = (missing.iter().min_by_key(key).unwrap(), missing.iter().max_by_key(key).unwrap());
        assert!(totals[*low] < totals[*high]);
    }

    #[test]
    fn what_cannot_be_predicted_is_refused() {
        let mut data = CategoricalData::new(3, 1).unwrap();
        for i in 0..10 {
            data.push(&[f64::from(i)], Some(usize::from(i > 4)), 0).unwrap();
        }
        assert_eq!(draw_ordinal(&data, 1, 0), Err(NotEstimable::Separation));
        assert!(draw_binary(&data, 1, 0).is_err());
        assert!(CategoricalData::new(1, 0).is_err());
        assert!(data.push(&[1.0], Some(3), 0).is_err());
        assert!(data.push(&[f64::NAN], None, 0).is_err());
    }
}
