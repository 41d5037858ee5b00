//! Standardised differences of two groups.
//!
//! Mathematics: `docs/methods/standardised_difference.md`.

use nalgebra::{DMatrix, DVector};

use super::{mean, variance};
use crate::NotEstimable;

/// The standardised difference of two means, first less second:
/// `(x̄₁ - x̄₂) / √((s₁² + s₂²) / 2)`, with the sample variances.
///
/// # Errors
/// Fewer than two observations in a group, one that is not finite, or no spread in either group.
pub fn standardised_difference_of_means(first: &[f64], second: &[f64]) -> Result<f64, NotEstimable> {
    let spread = ((variance(first)? + variance(second)?) / 2.0).sqrt();
    if spread == 0.0 {
        return Err(NotEstimable::ZeroVariance);
    }
    Ok((mean(first)? - mean(second)?) / spread)
}

/// The standardised difference of two distributions over the same categories, given as counts.
///
/// Of two categories it has the sign of the first one's difference; of more it is the Mahalanobis
/// distance of Yang and Dalton (2012), which has none. Categories that nobody has are left out.
///
/// # Errors
/// An empty group, series of different length, or shares whose covariance is singular.
pub fn standardised_difference_of_shares(first: &[u64], second: &[u64]) -> Result<f64, NotEstimable> {
    if first.len() != second.len() {
        return Err(NotEstimable::UnequalLengths { left: first.len(), right: second.len() });
    }
    let (all1, all2) = (first.iter().sum::<u64>() as f64, second.iter().sum::<u64>() as f64);
    if all1 == 0.0 || all2 == 0.0 {
        return Err(NotEstimable::ArmEmpty);
    }
    let shares: Vec<(f64, f64)> = first
        .iter()
        .zip(second)
        .filter(|(one, other)| **one + **other > 0)
        .map(|(one, other)| (*one as f64 / all1, *other as f64 / all2))
        .collect();
    match shares.as_slice() {
        [] | [_] => Err(NotEstimable::ZeroVariance),
        [(p1, p2), _] => {
            let spread = ((p1 * (1.0 - p1) + p2 * (1.0 - p2)) / 2.0).sqrt();
            if spread == 0.0 { Err(NotEstimable::ZeroVariance) } else { Ok((p1 - p2) / spread) }
        }
        // One share follows from the others.
        [_, rest @ ..] => {
            let difference = DVector::from_iterator(rest.len(), rest.iter().map(|(p1, p2)| p1 - p2));
            let covariance = DMatrix::from_fn(rest.len(), rest.len(), |row, column| {
                let of = |p: fn(&(f64, f64)) -> f64| {
                    let (one, other) = (p(&rest[row]), p(&rest[column]));
                    if row == column { one * (1.0 - one) } else { -one * other }
                };
                (of(|shares| shares.0) + of(|shares| shares.1)) / 2.0
            });
            let solved = covariance.cholesky().ok_or(NotEstimable::ZeroVariance)?.solve(&difference);
            Ok(difference.dot(&solved).sqrt())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_categories_have_the_sign_of_the_first() {
        let forth = standardised_difference_of_shares(&[6, 4], &[3, 7]).unwrap();
        let back = standardised_difference_of_shares(&[3, 7], &[6, 4]).unwrap();
        assert!(forth > 0.0 && (forth + back).abs() < 1e-15);
    }

    #[test]
    fn a_category_that_nobody_has_changes_nothing() {
        let with = standardised_difference_of_shares(&[6, 0, 4], &[3, 0, 7]);
        assert_eq!(with, standardised_difference_of_shares(&[6, 4], &[3, 7]));
    }

    #[test]
    fn without_spread_or_people_there_is_none() {
        assert_eq!(standardised_difference_of_shares(&[3, 0], &[4, 0]), Err(NotEstimable::ZeroVariance));
        assert_eq!(standardised_difference_of_shares(&[0, 0], &[4, 1]), Err(NotEstimable::ArmEmpty));
        assert_eq!(
            standardised_difference_of_means(&[1.0, 1.0], &[2.0, 2.0]),
            Err(NotEstimable::ZeroVariance)
        );
    }
}
