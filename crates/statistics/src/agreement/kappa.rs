//! Cohen's kappa of two raters, plain or weighted.
//!
//! Mathematics: `docs/methods/agreement.md`.

use crate::proportions::Table;
use crate::{Confidence, Interval, NotEstimable, distribution};

/// How partial agreement counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KappaWeights {
    /// Not at all.
    Unweighted,
    /// 1 - |i - j| / (c - 1), after Cicchetti and Allison.
    Linear,
    /// 1 - (i - j)² / (c - 1)², after Fleiss and Cohen.
    Quadratic,
}

/// An agreement beyond chance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Kappa {
    /// The estimate.
    pub estimate: f64,
    /// Its large-sample standard error (Fleiss, Cohen and Everitt 1969).
    pub se: f64,
    /// Normal interval, not clipped.
    pub interval: Interval,
    /// Standard error if the raters were independent.
    pub se_null: f64,
    /// `estimate / se_null`; `None` where that error is zero.
    pub z: Option<f64>,
    /// Two-sided p-value of `z`.
    pub p: Option<f64>,
    /// Weighted share of agreement.
    pub observed: f64,
    /// Weighted share of agreement expected by chance.
    pub expected: f64,
}

/// Agreement of two raters; rows are the first rater's categories, columns the second's, in the same order.
///
/// # Errors
/// A table that is not square or is empty, or agreement that is certain by chance (both raters use one category only).
pub fn kappa(table: &Table, weights: KappaWeights, confidence: Confidence) -> Result<Kappa, NotEstimable> {
    let (rows, columns) = (table.row_totals(), table.column_totals());
    if rows.len() != columns.len() {
        return Err(NotEstimable::OutOfRange { name: "size of the table" });
    }
    let total = table.total() as f64;
    if total == 0.0 {
        return Err(NotEstimable::NoObservations);
    }
    let last = (rows.len() - 1) as f64;
    let weight = |i: usize, j: usize| {
        let distance = i.abs_diff(j) as f64 / last;
        match weights {
            KappaWeights::Unweighted => f64::from(u8::from(i == j)),
            KappaWeights::Linear => 1.0 - distance,
            KappaWeights::Quadratic => 1.0 - distance * distance,
        }
    };
    let row: Vec<f64> = rows.iter().map(|n| *n as f64 / total).collect();
    let column: Vec<f64> = columns.iter().map(|n| *n as f64 / total).collect();
    let c = row.len();
    // Mean weight of each category against the other rater's marginal distribution.
    let row_mean: Vec<f64> = (0..c).map(|i| (0..c).map(|j| weight(i, j) * column[j]).sum()).collect();
    let column_mean: Vec<f64> = (0..c).map(|j| (0..c).map(|i| weight(i, j) * row[i]).sum()).collect();
    let expected: f64 = (0..c).map(|i| row[i] * row_mean[i]).sum();
    if 1.0 - expected <= 1e-14 {
        return Err(NotEstimable::ZeroDenominator);
    }
    let cells = || {
        table
            .rows()
            .enumerate()
            .flat_map(|(i, r)| r.iter().enumerate().map(move |(j, n)| (i, j, *n as f64 / total)))
    };
    let observed: f64 = cells().map(|(i, j, p)| weight(i, j) * p).sum();
    let estimate = (observed - expected) / (1.0 - expected);
    let (mut variance, mut null) = (0.0, 0.0);
    for (i, j, p) in cells() {
        let margin = row_mean[i] + column_mean[j];
        variance += p * (weight(i, j) - margin * (1.0 - estimate)).powi(2);
        null += row[i] * column[j] * (weight(i, j) - margin).powi(2);
    }
    let scale = total * (1.0 - expected).powi(2);
    variance -= (estimate - expected * (1.0 - estimate)).powi(2);
    null -= expected * expected;
    let (se, se_null) = ((variance.max(0.0) / scale).sqrt(), (null.max(0.0) / scale).sqrt());
    let z = if se_null > 0.0 { Some(estimate / se_null) } else { None };
    Ok(Kappa {
        estimate,
        se,
        interval: Interval::around(estimate, confidence.z() * se),
        se_null,
        z,
        p: z.map(distribution::normal_two_sided),
        observed,
        expected,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(rows: &[[u64; 2]; 2], weights: KappaWeights) -> Result<Kappa, NotEstimable> {
        let table = Table::from_rows(&rows.map(|r| r.to_vec())).unwrap();
        kappa(&table, weights, Confidence::C95)
    }

    #[test]
    fn one_category_alone_cannot_show_agreement() {
        for weights in [KappaWeights::Unweighted, KappaWeights::Linear, KappaWeights::Quadratic] {
            assert_eq!(of(&[[7, 0], [0, 0]], weights), Err(NotEstimable::ZeroDenominator));
            assert_eq!(of(&[[0, 0], [0, 0]], weights), Err(NotEstimable::NoObservations));
        }
    }

    #[test]
    fn perfect_agreement_has_a_kappa_of_one() {
        let perfect = of(&[[4, 0], [0, 5]], KappaWeights::Linear).unwrap();
        assert_eq!((perfect.estimate, perfect.se), (1.0, 0.0));
    }

    #[test]
    fn raters_of_different_categories_are_refused() {
        let table = Table::from_rows(&[vec![1, 2, 3], vec![4, 5, 6]]).unwrap();
        let refused = kappa(&table, KappaWeights::Linear, Confidence::C95);
        assert_eq!(refused, Err(NotEstimable::OutOfRange { name: "size of the table" }));
    }
}
