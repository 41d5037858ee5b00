//! The exact null distribution of a rank sum, by dynamic programming.
//!
//! Counts the ways to choose `k` of the ranks so that they have each sum. With ranks
//! sorted, the sums of `j` ranks lie between the sum of the first `j` and the sum of
//! the last `j`, which keeps a table in one flat buffer; only cells that can be
//! reached, and from which what is asked for can still be reached, are visited.
//!
//! Tails at a few sums need no table of all ranks ([`Halves`]): the ranks are split in
//! two, each half is counted, and a tail is a sum over one half of the other's running
//! sums. That is an eighth of the additions for each half.
//!
//! Counts are doubles: exact below 2^53, and beyond that correct to a few units in
//! the last place, since all terms are positive.

use crate::NotEstimable;

/// C(1020, 510) is the largest central coefficient that a double holds.
const RANKS_MAX: usize = 1_020;

/// Counts of the sums of subsets, one row for each size of subset.
///
/// Buffers are kept between calls, so that repeated tests allocate nothing.
#[derive(Debug, Default)]
pub(super) struct Table {
    counts: Vec<f64>,
    /// Counts that fit sixteen bits, while they are made.
    small: Vec<i16>,
    row_start: Vec<usize>,
    /// Sums of the first ranks.
    prefix: Vec<usize>,
}

impl Table {
    /// Counts the sums of all subsets of at least `fewest` and at most `most` of `ranks`, which are in increasing order.
    fn count(&mut self, ranks: &[usize], fewest: usize, most: usize) {
        self.prefix.clear();
        self.prefix.push(0);
        let mut sum = 0;
        for r in ranks {
            sum += r;
            self.prefix.push(sum);
        }
        let length = self.lay_out(ranks.len(), most);
        let Self { counts, small, row_start, prefix } = self;
        counts.clear();
        if ranks.len() <= SMALL_RANKS {
            small.clear();
            small.resize(length, 0);
            fill(small, 1, ranks, (fewest, most), row_start, prefix);
            counts.extend(small.iter().map(|count| f64::from(*count)));
        } else {
            counts.resize(length, 0.0);
            fill(counts, 1.0, ranks, (fewest, most), row_start, prefix);
        }
    }

    /// Row j holds the sums of j ranks, from the sum of the j smallest to that of the j largest.
    fn lay_out(&mut self, n: usize, most: usize) -> usize {
        self.row_start.clear();
        self.row_start.push(0);
        let mut length = 0;
        for j in 0..=most {
            length += self.prefix[n] - self.prefix[n - j] - self.prefix[j] + 1;
            self.row_start.push(length);
        }
        length
    }

    /// The counts of the sums of `j` ranks; the first is that of the `j` smallest.
    fn row(&self, j: usize) -> &[f64] {
        &self.counts[self.row_range(j)]
    }

    fn row_range(&self, j: usize) -> std::ops::Range<usize> {
        self.row_start[j]..self.row_start[j + 1]
    }
}

/// As many ranks have no more subsets of a size than sixteen bits hold: C(17, 8) is 24,310.
const SMALL_RANKS: usize = 17;

/// Counts the subsets, rank by rank, in a table of zeros. Processors add eight counts of sixteen bits at a time.
fn fill<T: Copy + std::ops::AddAssign>(
    counts: &mut [T],
    one: T,
    ranks: &[usize],
    (fewest, most): (usize, usize),
    row_start: &[usize],
    prefix: &[usize],
) {
    let n = ranks.len();
    counts[0] = one;
    for (i, r) in ranks.iter().enumerate() {
        // After this rank, i + 1 are seen and n - i - 1 remain to reach `fewest`.
        let least = (fewest + i + 1).saturating_sub(n).max(1);
        for j in (least..=most.min(i + 1)).rev() {
            // Sums of j - 1 of the first i ranks, as offsets into row j - 1.
            let width = prefix[i] - prefix[i - (j - 1)] - prefix[j - 1] + 1;
            let shift = r + prefix[j - 1] - prefix[j];
            let (before, row) = counts.split_at_mut(row_start[j]);
            let from = &before[row_start[j - 1]..][..width];
            let to = &mut row[shift..][..width];
            for (t, f) in to.iter_mut().zip(from) {
                *t += *f;
            }
        }
    }
}

/// Writes P(W ≤ w) of the Mann-Whitney statistic for w = 0 ..= m n without ties.
pub(super) fn tie_free_at_most(
    table: &mut Table,
    [m, n]: [usize; 2],
    at_most: &mut Vec<f64>,
) -> Result<(), NotEstimable> {
    if m + n > RANKS_MAX {
        return Err(NotEstimable::TooLargeForExact);
    }
    let ranks: Vec<usize> = (0..m + n).collect();
    let k = m.min(n);
    table.count(&ranks, k, k);
    let counts = table.row(k);
    let all: f64 = counts.iter().sum();
    at_most.clear();
    at_most.extend(counts.iter().scan(0.0, |sum, c| {
        *sum += c;
        Some(*sum / all)
    }));
    Ok(())
}

/// Tails of the sum of `k` ranks, from tables of the smaller and the larger half of the ranks.
#[derive(Debug, Default)]
pub(super) struct Halves {
    reduced: Vec<usize>,
    low: Table,
    high: Table,
    /// The running sums of the higher half's rows, from below and from above.
    up_to: Vec<f64>,
    from: Vec<f64>,
    /// How many ranks the lower half has.
    split: usize,
    k: usize,
    first: u64,
    unit: u64,
    /// The number of all subsets.
    all: f64,
}

impl Halves {
    /// Counts both halves of `ranks`, which are in increasing order.
    pub(super) fn count(&mut self, ranks: &[u32], k: usize) -> Result<(), NotEstimable> {
        let n = ranks.len();
        assert!(k >= 1 && k < n, "each arm has at least one member");
        if n > RANKS_MAX {
            return Err(NotEstimable::TooLargeForExact);
        }
        let first = ranks[0];
        let unit = ranks.iter().fold(0, |g, &r| gcd(g, r - first)).max(1);
        // Every subset has k elements, so that subtracting the smallest rank shifts all sums alike.
        self.reduced.clear();
        self.reduced.extend(ranks.iter().map(|&r| ((r - first) / unit) as usize));
        (self.split, self.k, self.first, self.unit) = (n / 2, k, u64::from(first), u64::from(unit));
        let (low, high) = self.reduced.split_at(self.split);
        self.low.count(low, k.saturating_sub(high.len()), k.min(low.len()));
        self.high.count(high, k.saturating_sub(low.len()), k.min(high.len()));
        self.up_to.clone_from(&self.high.counts);
        self.from.clone_from(&self.high.counts);
        for row in self.high.row_start.windows(2) {
            let row = row[0]..row[1];
            accumulate(self.up_to[row.clone()].iter_mut());
            accumulate(self.from[row].iter_mut().rev());
        }
        let both = |j| self.low.row(j).iter().sum::<f64>() * self.from[self.high.row_start[self.k - j]];
        self.all = self.splits().map(both).sum();
        Ok(())
    }

    /// How many of the k ranks may lie in the lower half.
    fn splits(&self) -> std::ops::RangeInclusive<usize> {
        let above = self.reduced.len() - self.split;
        self.k.saturating_sub(above)..=self.k.min(self.split)
    }

    /// P(S ≤ s) for the sum S of k ranks chosen at random.
    pub(super) fn at_most(&self, s: u64) -> f64 {
        let Some(s) = s.checked_sub(self.first * self.k as u64) else { return 0.0 };
        let s = (s / self.unit) as usize;
        let mut tail = 0.0;
        for j in self.splits() {
            let counts = self.low.row(j);
            let running = &self.up_to[self.high.row_range(self.k - j)];
            let Some(room) = s.checked_sub(self.low.prefix[j] + self.high.prefix[self.k - j]) else {
                continue;
            };
            // Offset i of the lower half goes with offsets up to room - i of the higher.
            let last = running.len() - 1;
            let end = counts.len().min(room + 1);
            let whole = end.min((room + 1).saturating_sub(last));
            tail += counts[..whole].iter().sum::<f64>() * running[last];
            if whole < end {
                tail += dot_reversed(&counts[whole..end], &running[room + 1 - end..room + 1 - whole]);
            }
        }
        tail / self.all
    }

    /// P(S ≥ s).
    pub(super) fn at_least(&self, s: u64) -> f64 {
        let s = s.saturating_sub(self.first * self.k as u64).div_ceil(self.unit) as usize;
        let mut tail = 0.0;
        for j in self.splits() {
            let counts = self.low.row(j);
            let running = &self.from[self.high.row_range(self.k - j)];
            // Offset i of the lower half goes with offsets from needed - i of the higher.
            let needed = s.saturating_sub(self.low.prefix[j] + self.high.prefix[self.k - j]);
            let start = counts.len().min((needed + 1).saturating_sub(running.len()));
            let whole = counts.len().min(needed);
            tail += counts[whole..].iter().sum::<f64>() * running[0];
            if start < whole {
                tail += dot_reversed(&counts[start..whole], &running[needed + 1 - whole..needed + 1 - start]);
            }
        }
        tail / self.all
    }
}

fn accumulate<'a>(values: impl Iterator<Item = &'a mut f64>) {
    let mut sum = 0.0;
    for value in values {
        sum += *value;
        *value = sum;
    }
}

/// Σ a_i b_{n-1-i}, in four sums that a processor can keep going at once.
fn dot_reversed(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 4];
    let (whole, rest) = a.as_chunks::<4>();
    let (rest_b, whole_b) = b.as_rchunks::<4>();
    for (x, y) in whole.iter().zip(whole_b.iter().rev()) {
        for i in 0..4 {
            sums[i] += x[i] * y[3 - i];
        }
    }
    let rest: f64 = rest.iter().zip(rest_b.iter().rev()).map(|(x, y)| x * y).sum();
    (sums[0] + sums[1]) + (sums[2] + sums[3]) + rest
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_of_five_ranks_have_known_sums() {
        let mut table = Table::default();
        table.count(&[1, 2, 3, 4, 5], 3, 3);
        assert_eq!(table.row(3), [1.0, 1.0, 2.0, 2.0, 2.0, 1.0, 1.0]);
        let mut halves = Halves::default();
        halves.count(&[2, 4, 6, 8, 10], 3).unwrap();
        let tails: Vec<(f64, f64)> =
            [11, 12, 13, 18, 24, 25].into_iter().map(|s| (halves.at_most(s), halves.at_least(s))).collect();
        assert_eq!(tails, [(0.0, 1.0), (0.1, 1.0), (0.1, 0.9), (0.6, 0.6), (1.0, 0.1), (1.0, 0.0)]);
    }

    #[test]
    fn buffers_can_be_reused() {
        let mut halves = Halves::default();
        halves.count(&[2, 5, 5, 8], 2).unwrap();
        let once = (halves.at_most(10), halves.at_least(11));
        halves.count(&[2, 4, 6, 8, 10, 12], 4).unwrap();
        halves.count(&[2, 5, 5, 8], 2).unwrap();
        assert_eq!((halves.at_most(10), halves.at_least(11)), once);
    }

    #[test]
    fn too_many_ranks_are_refused() {
        let ranks: Vec<u32> = (1..=1_021).collect();
        assert_eq!(Halves::default().count(&ranks, 500), Err(NotEstimable::TooLargeForExact));
        let refused = tie_free_at_most(&mut Table::default(), [500, 521], &mut Vec::new());
        assert_eq!(refused, Err(NotEstimable::TooLargeForExact));
    }
}
