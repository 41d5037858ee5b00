//! Fisher's exact test, for 2 × 2 and larger tables.
//!
//! The two-sided p-value sums the probabilities of tables no more probable than the
//! one observed. The conditional odds ratio and its limits are solved to full
//! precision. Repeated tests that need p-values alone go through a
//! [`FisherWorkspace`], which allocates nothing once warm.
//! Mathematics: `docs/methods/fisher_exact.md`.

use std::collections::BTreeMap;

use super::Table;
use super::binomial::EQUAL_PROBABILITY;
use super::noncentral_hypergeometric::Conditional;
use crate::distribution::ln_gamma_function;
use crate::{Confidence, Interval, NotEstimable};

/// Fisher's exact test of a 2 × 2 table with its odds ratios.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fisher2x2 {
    /// Sum of the probabilities that do not exceed that of the table.
    pub p_two_sided: f64,
    /// P-value against an odds ratio below one.
    pub p_less: f64,
    /// P-value against an odds ratio above one.
    pub p_greater: f64,
    /// `p_two_sided` less half the probability of the table.
    pub mid_p_two_sided: f64,
    /// a d / (b c); infinite where the denominator is zero. (Were both zero, a margin would be.)
    pub sample_odds_ratio: f64,
    /// The odds ratio of the largest conditional likelihood; may be zero or infinite.
    pub conditional_odds_ratio: f64,
    /// The exact interval of the odds ratio; a limit may be zero or infinite.
    pub odds_ratio_interval: Interval,
}

/// Tests the table `[a, b; c, d]`.
///
/// # Errors
/// An empty table, or a margin of zero.
pub fn fisher_2x2([a, b, c, d]: [u64; 4], confidence: Confidence) -> Result<Fisher2x2, NotEstimable> {
    if a + b + c + d == 0 {
        return Err(NotEstimable::NoObservations);
    }
    let conditional = Conditional::of_table([a, b, c, d]);
    if conditional.is_degenerate() {
        return Err(NotEstimable::EmptyMargin);
    }
    let (p_less, p_greater, p_table) = conditional.tails(a);
    let p_two_sided = conditional.two_sided_by_probability(a);
    let (ad, bc) = (a as f64 * d as f64, b as f64 * c as f64);
    Ok(Fisher2x2 {
        p_two_sided,
        p_less: p_less.min(1.0),
        p_greater: p_greater.min(1.0),
        mid_p_two_sided: p_two_sided - 0.5 * p_table,
        sample_odds_ratio: ad / bc,
        conditional_odds_ratio: conditional.odds_ratio(a)?,
        odds_ratio_interval: conditional.odds_ratio_interval(a, confidence),
    })
}

/// P-values of Fisher's exact test of a 2 × 2 table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FisherPValues {
    /// Sum of the probabilities that do not exceed that of the table.
    pub p_two_sided: f64,
    /// P-value against an odds ratio below one.
    pub p_less: f64,
    /// P-value against an odds ratio above one.
    pub p_greater: f64,
    /// `p_two_sided` less half the probability of the table.
    pub mid_p_two_sided: f64,
}

/// Buffers for repeated tests of 2 × 2 tables, without odds ratios.
#[derive(Debug, Default)]
pub struct FisherWorkspace {
    factorials: LogFactorials,
    probabilities: Vec<f64>,
}

impl FisherWorkspace {
    /// Tests the table `[a, b; c, d]`; see [`fisher_2x2`].
    ///
    /// # Errors
    /// As [`fisher_2x2`].
    pub fn p_values(&mut self, [a, b, c, d]: [u64; 4]) -> Result<FisherPValues, NotEstimable> {
        let total = a + b + c + d;
        if total == 0 {
            return Err(NotEstimable::NoObservations);
        }
        let (m, n, k) = (a + b, c + d, a + c);
        let (low, high) = (k.saturating_sub(n), k.min(m));
        if low == high {
            return Err(NotEstimable::EmptyMargin);
        }
        self.factorials.extend_to(total);
        let ln = |n: u64| self.factorials.0[n as usize];
        let margins = ln(m) + ln(n) + ln(k) + ln(total - k) - ln(total);
        let probability = |x: u64| (margins - ln(x) - ln(m - x) - ln(k - x) - ln(n + x - k)).exp();
        self.probabilities.clear();
        self.probabilities.extend((low..=high).map(probability));
        let (p, i) = (&self.probabilities, (a - low) as usize);
        let limit = p[i] * EQUAL_PROBABILITY;
        let p_two_sided = p.iter().filter(|p| **p <= limit).sum::<f64>().min(1.0);
        Ok(FisherPValues {
            p_two_sided,
            p_less: p[..=i].iter().sum::<f64>().min(1.0),
            p_greater: p[i..].iter().sum::<f64>().min(1.0),
            mid_p_two_sided: p_two_sided - 0.5 * p[i],
        })
    }
}

/// Two-sided p-value of Fisher's exact test for a table of any size.
///
/// Tables with the same margins are not enumerated: the columns are split in two
/// halves, and for each vector of row totals that the first half can have, the
/// probabilities of both halves are listed and combined by a sorted look-up.
///
/// # Errors
/// An empty table, a margin of zero, or halves with more than some ten million tables.
pub fn fisher_exact(table: &Table) -> Result<f64, NotEstimable> {
    if table.total() == 0 {
        return Err(NotEstimable::NoObservations);
    }
    let (mut rows, mut columns) = (table.row_totals(), table.column_totals());
    if rows.contains(&0) || columns.contains(&0) {
        return Err(NotEstimable::EmptyMargin);
    }
    let mut factorials = LogFactorials::default();
    factorials.extend_to(table.total());
    let ln = |n: u64| factorials.0[n as usize];
    // Every table with these margins has probability exp(constant - Σ ln n_ij!).
    let constant: f64 = rows.iter().chain(&columns).map(|n| ln(*n)).sum::<f64>() - ln(table.total());
    let observed = constant - table.rows().flatten().map(|n| ln(*n)).sum::<f64>();
    if rows.len() > columns.len() {
        std::mem::swap(&mut rows, &mut columns);
    }
    // `rows` is now the shorter margin, so that row vectors are short.
    columns.sort_unstable();
    let half = columns.len() / 2;
    let first = halves(&columns[..half], &rows, &factorials)?;
    let second = halves(&columns[half..], &rows, &factorials)?;
    let limit = observed + EQUAL_PROBABILITY.ln();
    let mut p = 0.0;
    for (taken, past) in &first {
        let left: Vec<u64> = rows.iter().zip(taken).map(|(r, t)| r - t).collect();
        let Some(future) = second.get(&left) else { continue };
        p += combine(past, future, constant, limit);
    }
    Ok(p.min(1.0))
}

/// Sums exp(constant + past + future) over the pairs with a logarithm of at most `limit`.
fn combine(past: &[(f64, f64)], future: &[(f64, f64)], constant: f64, limit: f64) -> f64 {
    let mut sums = Vec::with_capacity(future.len() + 1);
    sums.push(0.0);
    let mut sum = 0.0;
    for (ln_p, count) in future {
        sum += count * (constant + ln_p).exp();
        sums.push(sum);
    }
    let below = |ln_past: f64| sums[future.partition_point(|(f, _)| constant + ln_past + f <= limit)];
    past.iter().map(|(ln_past, count)| count * ln_past.exp() * below(*ln_past)).sum()
}

/// For each vector of row totals that these columns can have: the values of -Σ ln n_ij! in increasing order, with counts.
type Halves = BTreeMap<Vec<u64>, Vec<(f64, f64)>>;

fn halves(columns: &[u64], rows: &[u64], factorials: &LogFactorials) -> Result<Halves, NotEstimable> {
    const MOST: usize = 10_000_000;
    let mut reached: Halves = BTreeMap::from([(vec![0; rows.len()], vec![(0.0, 1.0)])]);
    for column in columns {
        let mut next: Halves = BTreeMap::new();
        let mut held = 0;
        for (taken, past) in &reached {
            let room: Vec<u64> = rows.iter().zip(taken).map(|(r, t)| r - t).collect();
            let mut cells = Vec::with_capacity(rows.len());
            each_column(*column, &room, &mut cells, &mut |cells| {
                let ln_p: f64 = cells.iter().map(|n| -factorials.0[*n as usize]).sum();
                let key: Vec<u64> = taken.iter().zip(cells).map(|(t, n)| t + n).collect();
                held += past.len();
                next.entry(key).or_default().extend(past.iter().map(|(l, c)| (l + ln_p, *c)));
            });
            if held > MOST {
                return Err(NotEstimable::TooLargeForExact);
            }
        }
        for list in next.values_mut() {
            merge_equal(list);
        }
        reached = next;
    }
    Ok(reached)
}

/// Calls `f` with every way to split `total` over cells of the given room.
fn each_column(total: u64, room: &[u64], cells: &mut Vec<u64>, f: &mut impl FnMut(&[u64])) {
    let i = cells.len();
    let later: u64 = room[i + 1..].iter().sum();
    if i + 1 == room.len() {
        if total <= room[i] {
            cells.push(total);
            f(cells);
            cells.pop();
        }
        return;
    }
    for n in total.saturating_sub(later)..=total.min(room[i]) {
        cells.push(n);
        each_column(total - n, room, cells, f);
        cells.pop();
    }
}

/// Sorts and merges values that differ by rounding only.
fn merge_equal(list: &mut Vec<(f64, f64)>) {
    list.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    list.dedup_by(|later, kept| {
        let same = later.0 - kept.0 <= 1e-12 * kept.0.abs().max(1.0);
        if same {
            kept.1 += later.1;
        }
        same
    });
}

/// ln n! for n = 0, 1, 2, …
#[derive(Debug, Default)]
struct LogFactorials(Vec<f64>);

impl LogFactorials {
    fn extend_to(&mut self, n: u64) {
        self.0.extend((self.0.len() as u64..=n).map(|n| ln_gamma_function(n as f64 + 1.0)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_margin_gives_no_test() {
        assert_eq!(fisher_2x2([0, 0, 1, 2], Confidence::C95), Err(NotEstimable::EmptyMargin));
        assert_eq!(fisher_2x2([0, 3, 0, 2], Confidence::C95), Err(NotEstimable::EmptyMargin));
        assert_eq!(fisher_2x2([0; 4], Confidence::C95), Err(NotEstimable::NoObservations));
        let table = Table::from_rows(&[vec![1, 0, 2], vec![3, 0, 1]]).unwrap();
        assert_eq!(fisher_exact(&table), Err(NotEstimable::EmptyMargin));
    }

    #[test]
    fn a_workspace_gives_the_same_p_values() {
        let mut space = FisherWorkspace::default();
        for cells in [[3, 1, 1, 3], [90, 52, 41, 100], [7, 5, 0, 8], [0, 5, 7, 0], [1, 6, 13, 8]] {
            let (p, full) = (space.p_values(cells).unwrap(), fisher_2x2(cells, Confidence::C95).unwrap());
            for (a, b) in [
                (p.p_two_sided, full.p_two_sided),
                (p.p_less, full.p_less),
                (p.p_greater, full.p_greater),
                (p.mid_p_two_sided, full.mid_p_two_sided),
            ] {
                assert!((a - b).abs() <= 1e-12 * b, "{cells:?}: {a} is not {b}");
            }
        }
        assert_eq!(space.p_values([0, 0, 1, 2]), Err(NotEstimable::EmptyMargin));
        assert_eq!(space.p_values([0; 4]), Err(NotEstimable::NoObservations));
    }

    #[test]
    fn both_routes_agree_on_a_four_fold_table() {
        for cells in [[3, 1, 1, 3], [9, 5, 4, 10], [7, 5, 0, 8], [1, 6, 13, 8], [30, 12, 25, 40]] {
            let table = Table::from_rows(&[cells[..2].to_vec(), cells[2..].to_vec()]).unwrap();
            let (general, direct) =
                (fisher_exact(&table).unwrap(), fisher_2x2(cells, Confidence::C95).unwrap());
            assert!((general - direct.p_two_sided).abs() < 1e-12, "{cells:?}");
        }
    }

    #[test]
    fn a_zero_in_a_diagonal_gives_an_infinite_or_zero_odds_ratio() {
        assert_eq!(fisher_2x2([0, 5, 7, 0], Confidence::C95).unwrap().sample_odds_ratio, 0.0);
        assert_eq!(fisher_2x2([5, 0, 0, 7], Confidence::C95).unwrap().sample_odds_ratio, f64::INFINITY);
    }
}
