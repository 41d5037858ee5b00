//! Stratified tables: Cochran, Mantel and Haenszel, and homogeneity of odds ratios.
//!
//! Mathematics: `docs/methods/cmh.md`.

use nalgebra::{DMatrix, DVector};

use super::Table;
use super::noncentral_hypergeometric::Conditional;
use crate::{Confidence, Interval, NotEstimable, distribution};

/// A chi-squared statistic with its p-value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StratifiedTest {
    /// The statistic.
    pub chi_squared: f64,
    /// Degrees of freedom.
    pub df: f64,
    /// P-value.
    pub p: f64,
}

impl StratifiedTest {
    fn new(chi_squared: f64, df: f64) -> Self {
        Self { chi_squared, df, p: distribution::chi_squared_upper(chi_squared, df) }
    }
}

/// The Mantel-Haenszel analysis of stratified 2 × 2 tables.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MantelHaenszel {
    /// The test without continuity correction.
    pub test: StratifiedTest,
    /// The test with a correction of one half, where the sum of deviations is at least that.
    pub test_corrected: StratifiedTest,
    /// The Mantel-Haenszel odds ratio; may be zero or infinite.
    pub odds_ratio: f64,
    /// Its interval with the variance of Robins, Breslow and Greenland; absent where the ratio is zero or infinite.
    pub odds_ratio_interval: Option<Interval>,
}

/// The exact conditional analysis of stratified 2 × 2 tables.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StratifiedExact {
    /// The sum of the first cells.
    pub s: u64,
    /// Sum of the probabilities that do not exceed that of `s`.
    pub p_two_sided: f64,
    /// P(S ≤ s).
    pub p_less: f64,
    /// P(S ≥ s).
    pub p_greater: f64,
    /// The common odds ratio of the largest conditional likelihood; may be zero or infinite.
    pub conditional_odds_ratio: f64,
    /// Its exact interval.
    pub odds_ratio_interval: Interval,
}

/// Breslow and Day's test that all strata have the same odds ratio, without and with Tarone's correction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BreslowDay {
    /// Without correction.
    pub test: StratifiedTest,
    /// With Tarone's correction.
    pub tarone: StratifiedTest,
}

/// Which alternative the test of general tables has in mind.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Association<'a> {
    /// Any association; rows and columns are nominal.
    General,
    /// Mean scores differ between rows; columns have the scores given.
    RowMeanScores {
        /// One score a column.
        columns: &'a [f64],
    },
    /// Scores of rows and columns are correlated.
    Correlation {
        /// One score a row.
        rows: &'a [f64],
        /// One score a column.
        columns: &'a [f64],
    },
}

/// Tables `[a, b; c, d]` that hold at least two observations; the others carry no information.
fn informative(strata: &[[u64; 4]]) -> Result<Vec<[f64; 4]>, NotEstimable> {
    if strata.iter().flatten().all(|n| *n == 0) {
        return Err(NotEstimable::NoObservations);
    }
    let kept = strata.iter().filter(|s| s.iter().sum::<u64>() > 1);
    Ok(kept.map(|s| s.map(|n| n as f64)).collect())
}

/// Expected value and null variance of the first cell.
fn moments([a, b, c, d]: [f64; 4]) -> (f64, f64) {
    let n = a + b + c + d;
    let (row, column) = (a + b, a + c);
    (row * column / n, row * (c + d) * column * (b + d) / (n * n * (n - 1.0)))
}

/// The Mantel-Haenszel test and odds ratio.
///
/// # Errors
/// No observations, or margins that leave no stratum any choice.
pub fn mantel_haenszel(strata: &[[u64; 4]], confidence: Confidence) -> Result<MantelHaenszel, NotEstimable> {
    let strata = informative(strata)?;
    let (mut deviation, mut variance) = (0.0, 0.0);
    for s in &strata {
        let (mean, v) = moments(*s);
        deviation += s[0] - mean;
        variance += v;
    }
    if variance <= 0.0 {
        return Err(NotEstimable::EmptyMargin);
    }
    let correction = if deviation.abs() >= 0.5 { 0.5 } else { 0.0 };
    let (odds_ratio, log_variance) = odds_ratio_robins_breslow_greenland(&strata);
    let interval =
        log_variance.map(|v| Interval::around(odds_ratio.ln(), confidence.z() * v.sqrt()).map(f64::exp));
    Ok(MantelHaenszel {
        test: StratifiedTest::new(deviation * deviation / variance, 1.0),
        test_corrected: StratifiedTest::new((deviation.abs() - correction).powi(2) / variance, 1.0),
        odds_ratio,
        odds_ratio_interval: interval,
    })
}

/// The odds ratio, and the variance of its logarithm unless it is zero or infinite.
fn odds_ratio_robins_breslow_greenland(strata: &[[f64; 4]]) -> (f64, Option<f64>) {
    let (mut r, mut s, mut pr, mut mixed, mut qs) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for [a, b, c, d] in strata {
        let n = a + b + c + d;
        let (rk, sk) = (a * d / n, b * c / n);
        let (pk, qk) = ((a + d) / n, (b + c) / n);
        r += rk;
        s += sk;
        pr += pk * rk;
        mixed += pk * sk + qk * rk;
        qs += qk * sk;
    }
    let variance = pr / (2.0 * r * r) + mixed / (2.0 * r * s) + qs / (2.0 * s * s);
    (r / s, if r > 0.0 && s > 0.0 { Some(variance) } else { None })
}

/// The exact conditional test and common odds ratio.
///
/// # Errors
/// No observations, or margins that leave no stratum any choice.
pub fn stratified_exact(
    strata: &[[u64; 4]],
    confidence: Confidence,
) -> Result<StratifiedExact, NotEstimable> {
    informative(strata)?;
    let mut tables = strata.iter().map(|s| Conditional::of_table(*s));
    let first = tables.next().ok_or(NotEstimable::NoObservations)?;
    let sum = tables.fold(first, |sum, next| sum.plus(&next));
    if sum.is_degenerate() {
        return Err(NotEstimable::EmptyMargin);
    }
    let s = strata.iter().map(|s| s[0]).sum();
    let (p_less, p_greater, _) = sum.tails(s);
    Ok(StratifiedExact {
        s,
        p_two_sided: sum.two_sided_by_probability(s),
        p_less: p_less.min(1.0),
        p_greater: p_greater.min(1.0),
        conditional_odds_ratio: sum.odds_ratio(s)?,
        odds_ratio_interval: sum.odds_ratio_interval(s, confidence),
    })
}

/// The test that all strata have the odds ratio of Mantel and Haenszel.
///
/// # Errors
/// No observations, fewer than two strata with choice, or an odds ratio of zero or infinity.
pub fn breslow_day(strata: &[[u64; 4]]) -> Result<BreslowDay, NotEstimable> {
    let strata = informative(strata)?;
    let (odds_ratio, variance) = odds_ratio_robins_breslow_greenland(&strata);
    if variance.is_none() {
        return Err(NotEstimable::ZeroDenominator);
    }
    let (mut sum, mut deviation, mut total, mut used) = (0.0, 0.0, 0.0, 0);
    for [a, b, c, d] in &strata {
        let (row, other, column) = (a + b, c + d, a + c);
        if row == 0.0 || other == 0.0 || column == 0.0 || b + d == 0.0 {
            continue;
        }
        let mean = expected_first_cell(row, other, column, odds_ratio);
        let v =
            1.0 / (1.0 / mean + 1.0 / (row - mean) + 1.0 / (column - mean) + 1.0 / (other - column + mean));
        sum += (a - mean).powi(2) / v;
        deviation += a - mean;
        total += v;
        used += 1;
    }
    if used < 2 {
        return Err(NotEstimable::TooFewObservations { needed: 2, found: used });
    }
    let df = f64::from(u32::try_from(used).expect("strata are few")) - 1.0;
    Ok(BreslowDay {
        test: StratifiedTest::new(sum, df),
        tarone: StratifiedTest::new(sum - deviation * deviation / total, df),
    })
}

/// The first cell of a table with these margins and this odds ratio: a root of a quadratic.
fn expected_first_cell(row: f64, other: f64, column: f64, odds_ratio: f64) -> f64 {
    if odds_ratio == 1.0 {
        return row * column / (row + other);
    }
    let a = 1.0 - odds_ratio;
    let b = other - column + odds_ratio * (row + column);
    let c = -odds_ratio * row * column;
    // The root between the bounds of the cell, in the form that does not cancel.
    let q = -0.5 * (b + (b * b - 4.0 * a * c).sqrt());
    c / q
}

/// The generalised test of stratified tables with the same rows and columns.
///
/// # Errors
/// No observations, tables or scores of different shape, or margins that leave no choice.
pub fn generalised_cmh(
    strata: &[Table],
    association: Association<'_>,
) -> Result<StratifiedTest, NotEstimable> {
    let first = strata.first().ok_or(NotEstimable::NoObservations)?;
    let (rows, columns) = (first.rows().count(), first.column_totals().len());
    if strata.iter().all(|t| t.total() == 0) {
        return Err(NotEstimable::NoObservations);
    }
    // Linear functions of the cells: `left` acts on rows, `right` on columns.
    let (left, right) = match association {
        Association::General => (drop_last(rows), drop_last(columns)),
        Association::RowMeanScores { columns: scores } => (drop_last(rows), score_row(scores, columns)?),
        Association::Correlation { rows: row_scores, columns: scores } => {
            (score_row(row_scores, rows)?, score_row(scores, columns)?)
        }
    };
    let size = left.nrows() * right.nrows();
    let (mut sum, mut covariance) = (DVector::zeros(size), DMatrix::zeros(size, size));
    for table in strata {
        if table.rows().count() != rows || table.column_totals().len() != columns {
            return Err(NotEstimable::OutOfRange { name: "size of the table" });
        }
        let n = table.total() as f64;
        if n < 2.0 {
            continue;
        }
        let r = DVector::from_iterator(rows, table.row_totals().into_iter().map(|v| v as f64));
        let c = DVector::from_iterator(columns, table.column_totals().into_iter().map(|v| v as f64));
        let cells = DMatrix::from_row_iterator(rows, columns, table.rows().flatten().map(|v| *v as f64));
        let deviation = &left * (cells - &r * c.transpose() / n) * right.transpose();
        sum += DVector::from_column_slice(deviation.as_slice());
        let spread = |v: &DVector<f64>| DMatrix::from_diagonal(v) - v * v.transpose() / n;
        let (by_row, by_column) =
            (&left * spread(&r) * left.transpose(), &right * spread(&c) * right.transpose());
        covariance += by_column.kronecker(&by_row) / (n - 1.0);
    }
    let solved = covariance.cholesky().ok_or(NotEstimable::EmptyMargin)?.solve(&sum);
    Ok(StratifiedTest::new(sum.dot(&solved), size as f64))
}

/// The identity without its last row.
fn drop_last(n: usize) -> DMatrix<f64> {
    DMatrix::identity(n - 1, n)
}

fn score_row(scores: &[f64], wanted: usize) -> Result<DMatrix<f64>, NotEstimable> {
    if scores.len() == wanted {
        Ok(DMatrix::from_row_slice(1, wanted, scores))
    } else {
        Err(NotEstimable::UnequalLengths { left: scores.len(), right: wanted })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_table_gives_no_test() {
        assert_eq!(mantel_haenszel(&[[0; 4]], Confidence::C95), Err(NotEstimable::NoObservations));
        assert_eq!(stratified_exact(&[], Confidence::C95), Err(NotEstimable::NoObservations));
        assert_eq!(breslow_day(&[[0; 4]]), Err(NotEstimable::NoObservations));
        assert_eq!(generalised_cmh(&[], Association::General), Err(NotEstimable::NoObservations));
    }

    #[test]
    fn strata_without_choice_give_no_test() {
        let one_arm = [[3, 2, 0, 0], [1, 4, 0, 0]];
        assert_eq!(mantel_haenszel(&one_arm, Confidence::C95), Err(NotEstimable::EmptyMargin));
        assert_eq!(stratified_exact(&one_arm, Confidence::C95), Err(NotEstimable::EmptyMargin));
        assert_eq!(breslow_day(&one_arm), Err(NotEstimable::ZeroDenominator));
        let table = Table::from_rows(&[vec![3, 2], vec![0, 0]]).unwrap();
        assert_eq!(generalised_cmh(&[table], Association::General), Err(NotEstimable::EmptyMargin));
    }

    #[test]
    fn one_stratum_cannot_be_heterogeneous() {
        let too_few = NotEstimable::TooFewObservations { needed: 2, found: 1 };
        assert_eq!(breslow_day(&[[3, 2, 1, 4]]), Err(too_few));
    }

    #[test]
    fn the_generalised_test_of_four_fold_tables_is_mantel_haenszel() {
        let strata = [[5, 4, 2, 8], [4, 6, 3, 9], [2, 5, 1, 3]];
        let tables: Vec<Table> = strata
            .iter()
            .map(|[a, b, c, d]| Table::from_rows(&[vec![*a, *b], vec![*c, *d]]).unwrap())
            .collect();
        let expected = mantel_haenszel(&strata, Confidence::C95).unwrap().test.chi_squared;
        let scores = [0.0, 1.0];
        for association in [
            Association::General,
            Association::RowMeanScores { columns: &scores },
            Association::Correlation { rows: &scores, columns: &scores },
        ] {
            let obtained = generalised_cmh(&tables, association).unwrap().chi_squared;
            assert!((obtained - expected).abs() < 1e-12);
        }
    }
}
