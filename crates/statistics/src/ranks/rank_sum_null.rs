//! The exact null distribution of a rank sum, by dynamic programming.
//!
//! Counts the ways to choose `k` of the ranks so that they have each sum. Only cells
//! that can be reached, and from which `k` can still be reached, are visited; with
//! ranks sorted, the sums of `j` of the first `i` ranks lie between the sum of the
//! first `j` and the sum of the last `j`, which keeps the table in one flat buffer.
//! Counts are doubles: exact below 2^53, and beyond that correct to a few units in
//! the last place, since all terms are positive.

use crate::NotEstimable;

/// Buffers kept between calls, so that repeated tests allocate nothing.
#[derive(Debug, Default)]
pub(super) struct Table {
    counts: Vec<f64>,
    row_start: Vec<usize>,
    prefix: Vec<usize>,
    reduced: Vec<usize>,
}

/// The counts of the sums `low + unit * i` of `k` ranks.
#[derive(Debug, Clone, Copy)]
pub(super) struct SumCounts<'a> {
    pub(super) low: u64,
    pub(super) unit: u64,
    pub(super) counts: &'a [f64],
}

impl Table {
    /// Counts the sums of all subsets of size `k` of `ranks`, which are in increasing order.
    pub(super) fn count(&mut self, ranks: &[u32], k: usize) -> Result<SumCounts<'_>, NotEstimable> {
        let n = ranks.len();
        assert!(k >= 1 && k <= n, "a subset has at least one and at most all elements");
        // C(1020, 510) is the largest central coefficient that a double holds.
        if n > 1_020 {
            return Err(NotEstimable::TooLargeForExact);
        }
        let first = ranks[0];
        let unit = ranks.iter().fold(0, |g, &r| gcd(g, r - first)).max(1);
        // Every subset has k elements, so that subtracting the smallest rank shifts all sums alike.
        self.reduced.clear();
        self.reduced.extend(ranks.iter().map(|&r| ((r - first) / unit) as usize));
        self.prefix.clear();
        self.prefix.push(0);
        let mut sum = 0;
        for r in &self.reduced {
            sum += r;
            self.prefix.push(sum);
        }
        self.lay_out(n, k);
        self.fill(n, k);
        let start = self.row_start[k];
        Ok(SumCounts {
            low: u64::from(first) * k as u64 + u64::from(unit) * self.prefix[k] as u64,
            unit: u64::from(unit),
            counts: &self.counts[start..self.row_start[k + 1]],
        })
    }

    /// Row j holds the sums of j ranks, from the sum of the j smallest to that of the j largest.
    fn lay_out(&mut self, n: usize, k: usize) {
        self.row_start.clear();
        self.row_start.push(0);
        let mut length = 0;
        for j in 0..=k {
            length += self.prefix[n] - self.prefix[n - j] - self.prefix[j] + 1;
            self.row_start.push(length);
        }
        self.counts.clear();
        self.counts.resize(length, 0.0);
    }

    fn fill(&mut self, n: usize, k: usize) {
        self.counts[0] = 1.0;
        for i in 0..n {
            let r = self.reduced[i];
            // After this rank, i + 1 are seen and n - i - 1 remain to reach k.
            let fewest = (k + i + 1).saturating_sub(n).max(1);
            for j in (fewest..=k.min(i + 1)).rev() {
                // Sums of j - 1 of the first i ranks, as offsets into row j - 1.
                let width = self.prefix[i] - self.prefix[i - (j - 1)] - self.prefix[j - 1] + 1;
                let shift = r + self.prefix[j - 1] - self.prefix[j];
                let (before, row) = self.counts.split_at_mut(self.row_start[j]);
                let from = &before[self.row_start[j - 1]..][..width];
                let to = &mut row[shift..][..width];
                for (t, f) in to.iter_mut().zip(from) {
                    *t += f;
                }
            }
        }
    }
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[test]
fn three_of_five_ranks_have_known_sums() {
    let mut table = Table::default();
    let sums = table.count(&[2, 4, 6, 8, 10], 3).unwrap();
    assert_eq!((sums.low, sums.unit), (12, 2));
    assert_eq!(sums.counts, [1.0, 1.0, 2.0, 2.0, 2.0, 1.0, 1.0]);
}

#[test]
fn a_table_can_be_reused() {
    let mut table = Table::default();
    let once = table.count(&[2, 5, 5, 8], 2).unwrap().counts.to_vec();
    table.count(&[2, 4, 6, 8, 10, 12], 4).unwrap();
    assert_eq!(table.count(&[2, 5, 5, 8], 2).unwrap().counts, once);
}
