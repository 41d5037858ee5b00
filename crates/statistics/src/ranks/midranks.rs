//! Doubled mid-ranks.
//!
//! Tied observations share the mean of the ranks they occupy. Twice a mid-rank is an
//! integer, and so is every sum of them.

/// Writes the doubled mid-rank of each element of an increasing series, and returns Σ(t³ - t) over groups of ties.
///
/// `key` gives the value that is ranked. The second number returned is the number of
/// distinct values.
pub(super) fn doubled_midranks<T>(
    sorted: &[T],
    key: impl Fn(&T) -> f64,
    ranks: &mut Vec<u32>,
) -> (f64, usize) {
    ranks.clear();
    let (mut start, mut tie_term, mut groups) = (0, 0.0, 0);
    while start < sorted.len() {
        let value = key(&sorted[start]);
        let mut end = start + 1;
        while end < sorted.len() && key(&sorted[end]) == value {
            end += 1;
        }
        // Ranks start+1 ..= end; twice their mean is their first plus their last.
        let doubled = u32::try_from(start + 1 + end).expect("a series has fewer than 2^31 elements");
        ranks.resize(end, doubled);
        let t = (end - start) as f64;
        tie_term += t * t * t - t;
        groups += 1;
        start = end;
    }
    (tie_term, groups)
}

#[test]
fn ties_share_the_mean_of_their_ranks() {
    let mut ranks = Vec::new();
    let (ties, groups) = doubled_midranks(&[1.0, 2.0, 2.0, 5.0], |v| *v, &mut ranks);
    assert_eq!((ranks, ties, groups), (vec![2, 5, 5, 8], 6.0, 3));
}
