//! A table of counts.

use crate::NotEstimable;

/// A rectangular table of counts, at least 2 × 2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    columns: usize,
    counts: Vec<u64>,
}

impl Table {
    /// Makes a table from its rows.
    ///
    /// # Errors
    /// Fewer than two rows or columns, or rows of different length.
    pub fn from_rows(rows: &[Vec<u64>]) -> Result<Self, NotEstimable> {
        let columns = rows.first().map_or(0, Vec::len);
        if rows.len() < 2 || columns < 2 {
            return Err(NotEstimable::OutOfRange { name: "size of the table" });
        }
        if let Some(odd) = rows.iter().find(|r| r.len() != columns) {
            return Err(NotEstimable::UnequalLengths { left: columns, right: odd.len() });
        }
        Ok(Self { columns, counts: rows.concat() })
    }

    /// The rows of the table.
    pub fn rows(&self) -> impl Iterator<Item = &[u64]> {
        self.counts.chunks(self.columns)
    }

    /// The four counts of a 2 × 2 table, row by row.
    pub fn four_fold(&self) -> Option<[u64; 4]> {
        if self.columns == 2 { self.counts.as_slice().try_into().ok() } else { None }
    }

    /// Row totals.
    pub fn row_totals(&self) -> Vec<u64> {
        self.rows().map(|r| r.iter().sum()).collect()
    }

    /// Column totals.
    pub fn column_totals(&self) -> Vec<u64> {
        (0..self.columns).map(|j| self.rows().map(|r| r[j]).sum()).collect()
    }

    /// The total count.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }
}

#[test]
fn a_ragged_table_is_refused() {
    let refused = Table::from_rows(&[vec![1, 2], vec![3]]);
    assert_eq!(refused, Err(NotEstimable::UnequalLengths { left: 2, right: 1 }));
    assert!(Table::from_rows(&[vec![1, 2]]).is_err());
}
