//! Noncentral t and F, which the library lacks.
//!
//! Mathematics: `docs/methods/power.md`.

use crate::distribution::{beta_upper, ln_gamma_function, normal_cdf, normal_upper};
use crate::quadrature::GaussLegendre;

/// P(T > t) for T = (Z + δ) / √(χ²_ν / ν), ν ≥ 1: the normal tail averaged over s = √(χ²_ν / ν).
pub(crate) fn t_upper(t: f64, df: f64, delta: f64) -> f64 {
    average_over_scale(df, |s| normal_upper(t * s - delta))
}

/// P(T ≤ t) for noncentral T, ν ≥ 1.
pub(crate) fn t_lower(t: f64, df: f64, delta: f64) -> f64 {
    average_over_scale(df, |s| normal_cdf(t * s - delta))
}

fn average_over_scale(df: f64, f: impl Fn(f64) -> f64) -> f64 {
    // s has density 2 (ν/2)^(ν/2) / Γ(ν/2) s^(ν-1) exp(-ν s²/2), near 1 with spread 1/√(2ν).
    let log_constant = std::f64::consts::LN_2 + 0.5 * df * (0.5 * df).ln() - ln_gamma_function(0.5 * df);
    let density = |s: f64| (log_constant + (df - 1.0) * s.ln() - 0.5 * df * s * s).exp();
    let spread = 1.0 / (2.0 * df).sqrt();
    let (low, high) = ((1.0 - 10.0 * spread).max(0.0), 1.0 + 10.0 * spread);
    GaussLegendre::new().integrate(low, high, 0.25 * spread, |s| density(s) * f(s))
}

/// P(F > f) for noncentral F: a Poisson mixture of beta tails.
pub(crate) fn f_upper(f: f64, df1: f64, df2: f64, lambda: f64) -> f64 {
    let x = df1 * f / (df1 * f + df2);
    let half = 0.5 * lambda;
    let (mut sum, mut weight_left, mut j) = (0.0, 1.0, 0.0);
    while weight_left > 1e-16 && j < 100_000.0 {
        let log_weight = if half > 0.0 { j * half.ln() - half - ln_gamma_function(j + 1.0) } else { 0.0 };
        let weight = log_weight.exp();
        sum += weight * beta_upper(x, 0.5 * df1 + j, 0.5 * df2);
        weight_left -= weight;
        // Past the mode the weights only fall; rounding may keep the rest above the limit.
        if j > half && weight < 1e-18 {
            break;
        }
        j += 1.0;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn close(obtained: f64, expected: f64) {
        assert!((obtained - expected).abs() <= 1e-10 * expected.abs(), "{obtained} is not {expected}");
    }

    // R 4.2.2, printed with 17 digits.
    #[test]
    fn noncentral_tails_agree_with_r() {
        close(t_upper(2.0, 5.0, 1.5), 0.368_550_752_744_378_9);
        close(t_upper(2.5, 1.0, 1.0), 0.315_510_633_402_632_97);
        close(t_lower(-1.0, 26.0, 0.8), 0.038_051_808_349_313_43);
        close(t_upper(1.98, 98.0, 2.5), 0.698_436_144_580_408_6);
        // R's series for the noncentral beta distribution stops at about 1e-9.
        assert!((f_upper(3.3, 2.0, 33.0, 6.0) / 0.540_694_375_727_052_9 - 1.0).abs() < 1e-9);
        close(f_upper(3.3, 2.0, 33.0, 0.0), 0.049_375_265_078_328_67);
    }
}
