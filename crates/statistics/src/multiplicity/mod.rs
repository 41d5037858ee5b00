//! P-values adjusted for multiplicity.
//!
//! Mathematics: `docs/methods/multiplicity.md`.

use crate::NotEstimable;

/// Which adjustment is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adjustment {
    /// Bonferroni: n p.
    Bonferroni,
    /// Holm's step-down.
    Holm,
    /// Hochberg's step-up.
    Hochberg,
    /// Hommel's closed test of Simes.
    Hommel,
    /// Benjamini and Hochberg: false discovery rate.
    BenjaminiHochberg,
    /// Benjamini and Yekutieli: false discovery rate under any dependence.
    BenjaminiYekutieli,
}

/// Adjusts p-values; the answer is in their order.
///
/// # Errors
/// No p-values, or one outside [0, 1].
pub fn adjust(p: &[f64], adjustment: Adjustment) -> Result<Vec<f64>, NotEstimable> {
    if p.is_empty() {
        return Err(NotEstimable::NoObservations);
    }
    if p.iter().any(|v| !(0.0..=1.0).contains(v)) {
        return Err(NotEstimable::OutOfRange { name: "p-value" });
    }
    let n = p.len() as f64;
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|a, b| p[*a].total_cmp(&p[*b]));
    let sorted: Vec<f64> = order.iter().map(|i| p[*i]).collect();
    let harmonic: f64 = (1..=p.len()).map(|i| 1.0 / i as f64).sum();
    // rank counts from 1 in increasing order
    let adjusted = match adjustment {
        Adjustment::Bonferroni => sorted.iter().map(|p| (n * p).min(1.0)).collect(),
        Adjustment::Holm => step_down(&sorted, |rank| n - rank + 1.0),
        Adjustment::Hochberg => step_up(&sorted, |rank| n - rank + 1.0),
        Adjustment::Hommel => hommel(&sorted),
        Adjustment::BenjaminiHochberg => step_up(&sorted, |rank| n / rank),
        Adjustment::BenjaminiYekutieli => step_up(&sorted, |rank| harmonic * n / rank),
    };
    let mut answer = vec![0.0; p.len()];
    for (i, value) in order.into_iter().zip(adjusted) {
        answer[i] = value;
    }
    Ok(answer)
}

/// Running maximum from the smallest p-value.
fn step_down(sorted: &[f64], factor: impl Fn(f64) -> f64) -> Vec<f64> {
    let mut largest = 0.0_f64;
    let step = |(i, p): (usize, &f64)| {
        largest = largest.max(factor(i as f64 + 1.0) * p);
        largest.min(1.0)
    };
    sorted.iter().enumerate().map(step).collect()
}

/// Running minimum from the largest p-value.
fn step_up(sorted: &[f64], factor: impl Fn(f64) -> f64) -> Vec<f64> {
    let mut adjusted = sorted.to_vec();
    let mut smallest = 1.0_f64;
    for (i, p) in adjusted.iter_mut().enumerate().rev() {
        smallest = smallest.min(factor(i as f64 + 1.0) * *p);
        *p = smallest;
    }
    adjusted
}

/// Wright's algorithm (1992) for the closed test that rejects each intersection by Simes.
///
/// Of all sets of m hypotheses that hold hypothesis i, the one with the largest p-values
/// otherwise gives the largest Simes p-value: i itself and the m - 1 largest, or, if i is
/// among those, the m largest.
fn hommel(sorted: &[f64]) -> Vec<f64> {
    let n = sorted.len();
    let mut adjusted = sorted.to_vec();
    for m in 1..=n {
        let size = m as f64;
        // Simes' terms of the m - 1 largest, which have ranks 2 to m in the set.
        let tail = &sorted[n + 1 - m..];
        let of_tail =
            tail.iter().zip(2..).map(|(p, rank)| size * p / f64::from(rank)).fold(f64::INFINITY, f64::min);
        let last = n - m;
        for (i, value) in adjusted.iter_mut().enumerate() {
            *value = value.max((size * sorted[i.min(last)]).min(of_tail));
        }
    }
    adjusted.into_iter().map(|p| p.min(1.0)).collect()
}

#[test]
fn a_p_value_above_one_is_refused() {
    assert_eq!(adjust(&[1.1], Adjustment::Holm), Err(NotEstimable::OutOfRange { name: "p-value" }));
    assert_eq!(adjust(&[f64::NAN], Adjustment::Holm), Err(NotEstimable::OutOfRange { name: "p-value" }));
    assert_eq!(adjust(&[], Adjustment::Hommel), Err(NotEstimable::NoObservations));
}

#[test]
fn one_p_value_needs_no_adjustment() {
    use Adjustment::{BenjaminiHochberg, BenjaminiYekutieli, Bonferroni, Hochberg, Holm, Hommel};
    for kind in [Bonferroni, Holm, Hochberg, Hommel, BenjaminiHochberg, BenjaminiYekutieli] {
        assert_eq!(adjust(&[0.03], kind), Ok(vec![0.03]));
    }
}

#[cfg(test)]
proptest::proptest! {
    #[test]
    fn hommel_is_the_closed_test_of_simes(p in proptest::collection::vec(0.0..1.0_f64, 1..7)) {
        let adjusted = adjust(&p, Adjustment::Hommel).unwrap();
        for (i, obtained) in adjusted.iter().enumerate() {
            let mut largest = 0.0_f64;
            for set in (0..1u32 << p.len()).filter(|set| set >> i & 1 == 1) {
                let mut members: Vec<f64> = (0..p.len()).filter(|j| set >> j & 1 == 1).map(|j| p[j]).collect();
                members.sort_by(f64::total_cmp);
                let size = members.len() as f64;
                let simes = members.iter().zip(1..).map(|(p, r)| size * p / f64::from(r)).fold(f64::INFINITY, f64::min);
                largest = largest.max(simes);
            }
            proptest::prop_assert!((obtained - largest.min(1.0)).abs() < 1e-14);
        }
    }
}
