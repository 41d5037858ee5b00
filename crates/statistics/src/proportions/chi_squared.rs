//! Pearson's chi-squared test of a table.
//!
//! Mathematics: `docs/methods/chi_squared.md`.

use super::Table;
use crate::{NotEstimable, distribution};

/// Whether Yates' correction is applied (2 × 2 tables only).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Yates {
    /// No correction.
    None,
    /// Each |observed - expected| is reduced by one half, or by itself where it is smaller.
    Corrected,
}

/// Pearson's chi-squared test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChiSquaredTest {
    /// The statistic.
    pub chi_squared: f64,
    /// Degrees of freedom, (rows - 1)(columns - 1).
    pub df: f64,
    /// P-value.
    pub p: f64,
}

/// Tests independence of rows and columns.
///
/// # Errors
/// An empty table, or a margin of zero; Yates' correction for a table that is not 2 × 2.
pub fn chi_squared_test(table: &Table, yates: Yates) -> Result<ChiSquaredTest, NotEstimable> {
    let total = table.total();
    if total == 0 {
        return Err(NotEstimable::NoObservations);
    }
    let (rows, columns) = (table.row_totals(), table.column_totals());
    if rows.contains(&0) || columns.contains(&0) {
        return Err(NotEstimable::EmptyMargin);
    }
    if yates == Yates::Corrected && table.four_fold().is_none() {
        return Err(NotEstimable::OutOfRange { name: "size of the table" });
    }
    let mut chi_squared = 0.0;
    for (row, row_total) in table.rows().zip(&rows) {
        for (count, column_total) in row.iter().zip(&columns) {
            let expected = *row_total as f64 * *column_total as f64 / total as f64;
            let distance = (*count as f64 - expected).abs();
            let correction = match yates {
                Yates::None => 0.0,
                Yates::Corrected => distance.min(0.5),
            };
            chi_squared += (distance - correction).powi(2) / expected;
        }
    }
    let df = ((rows.len() - 1) * (columns.len() - 1)) as f64;
    Ok(ChiSquaredTest { chi_squared, df, p: distribution::chi_squared_upper(chi_squared, df) })
}

#[test]
fn an_empty_margin_gives_no_test() {
    let table = Table::from_rows(&[vec![1, 2], vec![0, 0]]).unwrap();
    assert_eq!(chi_squared_test(&table, Yates::None), Err(NotEstimable::EmptyMargin));
    let table = Table::from_rows(&[vec![0, 0], vec![0, 0]]).unwrap();
    assert_eq!(chi_squared_test(&table, Yates::None), Err(NotEstimable::NoObservations));
}
