//! Sample quantiles in the definitions of Hyndman and Fan (1996).
//!
//! Programs disagree about quartiles, so there is no default: a plan names the type.
//! Mathematics: `docs/methods/descriptive.md`.

use crate::NotEstimable;
use crate::not_estimable::all_finite;

/// Which definition of a sample quantile is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuantileType {
    /// Type 2: inverse of the empirical distribution with averages at its steps; SAS `PCTLDEF=5`.
    Type2,
    /// Type 6: `h = (n + 1) p`; SPSS and SAS `PCTLDEF=4`.
    Type6,
    /// Type 7: `h = (n - 1) p + 1`; the default of R and of spreadsheets.
    Type7,
}

/// The quantile at `p` (between 0 and 1) of a series in any order.
///
/// # Errors
/// No observations, an observation that is not finite, or `p` outside [0, 1].
pub fn quantile(x: &[f64], p: f64, kind: QuantileType) -> Result<f64, NotEstimable> {
    if x.is_empty() {
        return Err(NotEstimable::NoObservations);
    }
    all_finite(x)?;
    if !(0.0..=1.0).contains(&p) {
        return Err(NotEstimable::OutOfRange { name: "probability" });
    }
    let mut sorted = x.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    Ok(quantile_of_sorted(&sorted, p, kind))
}

/// The quantile at `p` of a series in increasing order, which must hold at least one number.
pub fn quantile_of_sorted(sorted: &[f64], p: f64, kind: QuantileType) -> f64 {
    let n = sorted.len() as f64;
    // A product such as 0.15 * 20 may miss an integer by rounding; the same slack as R's.
    let fuzz = 4.0 * f64::EPSILON;
    // x_(j) with j clipped to 1..=n
    let at = |j: f64| sorted[(j.max(1.0) as usize).min(sorted.len()) - 1];
    match kind {
        QuantileType::Type2 => {
            let h = n * p;
            let j = (h + fuzz).floor();
            if (h - j).abs() <= fuzz * h.max(1.0) { midpoint(at(j), at(j + 1.0)) } else { at(j + 1.0) }
        }
        QuantileType::Type6 => interpolate((n + 1.0) * p, fuzz, at),
        QuantileType::Type7 => interpolate((n - 1.0) * p + 1.0, fuzz, at),
    }
}

fn interpolate(h: f64, fuzz: f64, at: impl Fn(f64) -> f64) -> f64 {
    let j = (h + fuzz).floor();
    let weight = h - j;
    let (low, high) = (at(j), at(j + 1.0));
    if weight.abs() < fuzz * h.max(1.0) || low == high { low } else { low + weight * (high - low) }
}

fn midpoint(a: f64, b: f64) -> f64 {
    a + 0.5 * (b - a)
}

/// The median, which all types of quantile agree on.
///
/// # Errors
/// As [`quantile`].
pub fn median(x: &[f64]) -> Result<f64, NotEstimable> {
    quantile(x, 0.5, QuantileType::Type2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_types_disagree_on_four_numbers() {
        let x = [1.0, 2.0, 4.0, 8.0];
        assert_eq!(quantile(&x, 0.25, QuantileType::Type2), Ok(1.5));
        assert_eq!(quantile(&x, 0.25, QuantileType::Type6), Ok(1.25));
        assert_eq!(quantile(&x, 0.25, QuantileType::Type7), Ok(1.75));
    }

    #[test]
    fn one_number_is_all_its_quantiles() {
        for kind in [QuantileType::Type2, QuantileType::Type6, QuantileType::Type7] {
            for p in [0.0, 0.3, 1.0] {
                assert_eq!(quantile(&[5.0], p, kind), Ok(5.0));
            }
        }
    }

    #[test]
    fn no_numbers_have_no_quantile() {
        assert_eq!(median(&[]), Err(NotEstimable::NoObservations));
        assert_eq!(median(&[1.0, f64::NAN]), Err(NotEstimable::NotFinite));
    }
}
