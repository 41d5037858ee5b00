//! Power and sample size of fixed designs.
//!
//! Mathematics: `docs/methods/power.md`.

use crate::distribution::{
    binomial_at_least, binomial_pmf, f_quantile_upper, normal_cdf, normal_pdf, normal_quantile_upper,
    normal_upper, t_quantile_upper,
};
use crate::proportions::FisherWorkspace;
use crate::quadrature::GaussLegendre;
use crate::ranks::rank_sum_null_at_most;
use crate::{NotEstimable, noncentral, root};

/// Which t-test is planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TTestKind {
    /// Two arms of `n` each, pooled variance.
    TwoSample,
    /// One sample of `n`, or `n` pairs with the standard deviation of differences.
    OneSample,
}

/// On which side, and whether rejections on the wrong side count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alternative {
    /// One-sided at level alpha.
    OneSided,
    /// Two-sided; only rejections in the direction of the difference count.
    TwoSided,
    /// Two-sided; rejections in both directions count.
    TwoSidedStrict,
}

fn checked(alpha: f64, difference: f64, sd: f64) -> Result<(), NotEstimable> {
    if !(alpha > 0.0 && alpha < 1.0) {
        Err(NotEstimable::OutOfRange { name: "error rate" })
    } else if sd.is_nan() || sd <= 0.0 || !sd.is_finite() || !difference.is_finite() {
        Err(NotEstimable::OutOfRange { name: "difference or standard deviation" })
    } else {
        Ok(())
    }
}

/// Power of a t-test with `n` participants (an arm, or pairs); `n` need not be whole.
///
/// # Errors
/// `n` below 2, an error rate outside (0, 1), or a standard deviation that is not positive.
pub fn t_test_power(
    n: f64,
    difference: f64,
    sd: f64,
    alpha: f64,
    kind: TTestKind,
    alternative: Alternative,
) -> Result<f64, NotEstimable> {
    checked(alpha, difference, sd)?;
    if n.is_nan() || n < 2.0 {
        return Err(NotEstimable::OutOfRange { name: "sample size" });
    }
    let (df, ncp) = match kind {
        TTestKind::TwoSample => (2.0 * (n - 1.0), (n / 2.0).sqrt() * difference / sd),
        TTestKind::OneSample => (n - 1.0, n.sqrt() * difference / sd),
    };
    Ok(noncentral_power(df, ncp, alpha, alternative))
}

fn noncentral_power(df: f64, ncp: f64, alpha: f64, alternative: Alternative) -> f64 {
    let tail = if alternative == Alternative::OneSided { alpha } else { alpha / 2.0 };
    let critical = t_quantile_upper(tail, df);
    let upper = noncentral::t_upper(critical, df, ncp);
    if alternative == Alternative::TwoSidedStrict {
        upper + noncentral::t_lower(-critical, df, ncp)
    } else {
        upper
    }
}

/// Power of the pooled two-sample t-test with arms of `n1` and `n2`, two-sided, both directions counted.
///
/// # Errors
/// Fewer than two in an arm, an error rate outside (0, 1), or a standard deviation that is not positive.
pub fn t_test_power_unequal(
    n1: f64,
    n2: f64,
    difference: f64,
    sd: f64,
    alpha: f64,
) -> Result<f64, NotEstimable> {
    checked(alpha, difference, sd)?;
    if n1.is_nan() || n2.is_nan() || n1 < 2.0 || n2 < 2.0 {
        return Err(NotEstimable::OutOfRange { name: "sample size" });
    }
    let ncp = difference / sd / (1.0 / n1 + 1.0 / n2).sqrt();
    Ok(noncentral_power(n1 + n2 - 2.0, ncp, alpha, Alternative::TwoSidedStrict))
}

/// The number (an arm, or pairs) that gives a t-test this power, not rounded up.
///
/// # Errors
/// As [`t_test_power`], a power outside (alpha, 1), a difference of zero, or a number below 2 or above ten million.
pub fn t_test_size(
    power: f64,
    difference: f64,
    sd: f64,
    alpha: f64,
    kind: TTestKind,
    alternative: Alternative,
) -> Result<f64, NotEstimable> {
    checked(alpha, difference, sd)?;
    let difference = difference.abs();
    let at = |n: f64| t_test_power(n, difference, sd, alpha, kind, alternative);
    size_for(power, alpha, |n| at(n).unwrap_or(0.0))
}

/// Solves `power_at(n) = power` for n between 2 and ten million.
fn size_for(power: f64, alpha: f64, power_at: impl Fn(f64) -> f64) -> Result<f64, NotEstimable> {
    const MOST: f64 = 1e7;
    if !(power > alpha && power < 1.0) {
        return Err(NotEstimable::OutOfRange { name: "power" });
    }
    let mut high = 4.0;
    while power_at(high) < power {
        high *= 2.0;
        if high > MOST {
            return Err(NotEstimable::NoDesign);
        }
    }
    if power_at(2.0) > power {
        return Err(NotEstimable::NoDesign);
    }
    Ok(root::of_increasing(2.0, high, |n| power_at(n) - power))
}

fn checked_proportions(p1: f64, p2: f64) -> Result<(), NotEstimable> {
    if [p1, p2].iter().all(|p| *p > 0.0 && *p < 1.0) && p1 != p2 {
        Ok(())
    } else {
        Err(NotEstimable::OutOfRange { name: "proportion" })
    }
}

fn proportion_terms(p1: f64, p2: f64) -> (f64, f64, f64) {
    let sum = p1 + p2;
    ((p1 - p2).abs(), (sum * (1.0 - sum / 2.0)).sqrt(), (p1 * (1.0 - p1) + p2 * (1.0 - p2)).sqrt())
}

/// Power of the normal test of two proportions with `n` an arm, two-sided, by the usual approximation.
///
/// # Errors
/// Proportions outside (0, 1) or equal, an error rate outside (0, 1), or a size that is not positive.
pub fn proportions_power(n: f64, p1: f64, p2: f64, alpha: f64) -> Result<f64, NotEstimable> {
    checked_proportions(p1, p2)?;
    checked(alpha, 1.0, n)?;
    let (difference, null, alternative) = proportion_terms(p1, p2);
    Ok(normal_cdf((n.sqrt() * difference - normal_quantile_upper(alpha / 2.0) * null) / alternative))
}

/// The number an arm that gives the normal test of two proportions this power, not rounded up.
///
/// # Errors
/// Proportions outside (0, 1) or equal, or rates outside (0, 1).
pub fn proportions_size(power: f64, p1: f64, p2: f64, alpha: f64) -> Result<f64, NotEstimable> {
    checked_proportions(p1, p2)?;
    checked(alpha, 1.0, 1.0)?;
    checked(power, 1.0, 1.0)?;
    let (difference, null, alternative) = proportion_terms(p1, p2);
    let sum = normal_quantile_upper(alpha / 2.0) * null + normal_quantile_upper(1.0 - power) * alternative;
    Ok((sum / difference).powi(2))
}

/// Exact power of Fisher's two-sided test, by all tables.
///
/// # Errors
/// An empty arm, proportions outside (0, 1), or an error rate outside (0, 1).
pub fn fisher_power(n1: u64, n2: u64, p1: f64, p2: f64, alpha: f64) -> Result<f64, NotEstimable> {
    if n1 == 0 || n2 == 0 {
        return Err(NotEstimable::ArmEmpty);
    }
    checked(alpha, 1.0, 1.0)?;
    if ![p1, p2].iter().all(|p| *p > 0.0 && *p < 1.0) {
        return Err(NotEstimable::OutOfRange { name: "proportion" });
    }
    let (mut power, mut space) = (0.0, FisherWorkspace::default());
    for x1 in 0..=n1 {
        for x2 in 0..=n2 {
            let test = space.p_values([x1, n1 - x1, x2, n2 - x2]);
            if test.is_ok_and(|t| t.p_two_sided <= alpha) {
                power += binomial_pmf(x1, n1, p1) * binomial_pmf(x2, n2, p2);
            }
        }
    }
    Ok(power)
}

/// The exact one-sided one-sample binomial test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BinomialPower {
    /// The smallest number of events that rejects; `n + 1` if none does.
    pub critical_count: u64,
    /// Its probability under the null.
    pub alpha_actual: f64,
    /// Its probability at the alternative.
    pub power: f64,
}

/// Exact power of the one-sided binomial test of `p0` against a larger `p1`.
///
/// # Errors
/// No participants, proportions outside (0, 1) or equal, or an error rate outside (0, 1).
pub fn binomial_power(n: u64, p0: f64, p1: f64, alpha: f64) -> Result<BinomialPower, NotEstimable> {
    if n == 0 {
        return Err(NotEstimable::NoObservations);
    }
    checked_proportions(p0, p1)?;
    checked(alpha, 1.0, 1.0)?;
    let critical_count = (0..=n).find(|x| binomial_at_least(*x, n, p0) <= alpha).unwrap_or(n + 1);
    Ok(BinomialPower {
        critical_count,
        alpha_actual: binomial_at_least(critical_count, n, p0),
        power: binomial_at_least(critical_count, n, p1),
    })
}

/// Noether's total size for the two-sided rank sum test at P(X > Y) = `p_greater`, with a share `fraction` in one arm.
///
/// # Errors
/// Rates or shares outside (0, 1), or `p_greater` of one half.
pub fn noether_size(p_greater: f64, fraction: f64, alpha: f64, power: f64) -> Result<f64, NotEstimable> {
    checked_proportions(p_greater, 0.5)?;
    for rate in [fraction, alpha, power] {
        checked(rate, 1.0, 1.0)?;
    }
    let z = normal_quantile_upper(alpha / 2.0) + normal_quantile_upper(1.0 - power);
    Ok(z * z / (12.0 * fraction * (1.0 - fraction) * (p_greater - 0.5).powi(2)))
}

/// Schoenfeld's number of events for the two-sided log-rank test.
///
/// # Errors
/// Rates or shares outside (0, 1), or a hazard ratio that is not positive or is one.
pub fn schoenfeld_events(
    hazard_ratio: f64,
    fraction: f64,
    alpha: f64,
    power: f64,
) -> Result<f64, NotEstimable> {
    if !(hazard_ratio > 0.0 && hazard_ratio.is_finite()) || hazard_ratio == 1.0 {
        return Err(NotEstimable::OutOfRange { name: "hazard ratio" });
    }
    for rate in [fraction, alpha, power] {
        checked(rate, 1.0, 1.0)?;
    }
    let z = normal_quantile_upper(alpha / 2.0) + normal_quantile_upper(1.0 - power);
    Ok(z * z / (fraction * (1.0 - fraction) * hazard_ratio.ln().powi(2)))
}

/// Power of the F-test of `groups` means with `n` a group.
///
/// # Errors
/// Fewer than two groups or two a group, variances that are not positive, or an error rate outside (0, 1).
pub fn anova_power(groups: f64, n: f64, between: f64, within: f64, alpha: f64) -> Result<f64, NotEstimable> {
    checked(alpha, between, within)?;
    if groups.is_nan() || n.is_nan() || groups < 2.0 || n < 2.0 || between < 0.0 {
        return Err(NotEstimable::OutOfRange { name: "sample size" });
    }
    let (df1, df2) = (groups - 1.0, groups * (n - 1.0));
    let critical = f_quantile_upper(alpha, df1, df2);
    Ok(noncentral::f_upper(critical, df1, df2, df1 * n * between / within))
}

/// The number a group that gives the F-test this power, not rounded up.
///
/// # Errors
/// As [`anova_power`], or a power that no size between 2 and ten million gives.
pub fn anova_size(
    power: f64,
    groups: f64,
    between: f64,
    within: f64,
    alpha: f64,
) -> Result<f64, NotEstimable> {
    anova_power(groups, 2.0, between, within, alpha)?;
    size_for(power, alpha, |n| anova_power(groups, n, between, within, alpha).unwrap_or(0.0))
}

/// Normal approximation to the power of the exact two-sided rank sum test under a normal shift.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RankSumShiftPower {
    /// P(X > Y).
    pub p1: f64,
    /// P(X > Y and X > Y'), with two independent members of the other arm.
    pub p2: f64,
    /// Variance of W under the shift (Lehmann 1975).
    pub variance: f64,
    /// The largest W, from below, that the exact test rejects; `None` if it rejects none.
    pub reject_at_most: Option<u64>,
    /// The exact size of that test.
    pub size: f64,
    /// Its approximate power, with a correction of one half.
    pub power: f64,
}

/// Power of the exact two-sided rank sum test for N(δ, 1) against N(0, 1).
///
/// # Errors
/// An empty arm, more than 1,020 participants, or an error rate outside (0, 1).
pub fn rank_sum_shift_power(
    n1: usize,
    n2: usize,
    delta: f64,
    alpha: f64,
) -> Result<RankSumShiftPower, NotEstimable> {
    if n1 == 0 || n2 == 0 {
        return Err(NotEstimable::ArmEmpty);
    }
    checked(alpha, delta, 1.0)?;
    let (m, n) = (n1 as f64, n2 as f64);
    let p1 = normal_cdf(delta * std::f64::consts::FRAC_1_SQRT_2);
    let p2 =
        GaussLegendre::new().integrate(-10.0, 10.0, 0.5, |x| normal_cdf(x + delta).powi(2) * normal_pdf(x));
    // The shift family is symmetric, so that both ways to share a member have the same probability.
    let variance = m * n * p1 * (1.0 - p1) + m * n * (m + n - 2.0) * (p2 - p1 * p1);
    let at_most = rank_sum_null_at_most([n1, n2])?;
    let rejected = at_most.iter().take_while(|p| 2.0 * **p <= alpha).count();
    let Some(last) = rejected.checked_sub(1) else {
        return Ok(RankSumShiftPower { p1, p2, variance, reject_at_most: None, size: 0.0, power: 0.0 });
    };
    let (w, mean, sd) = (last as f64, m * n * p1, variance.sqrt());
    let power = normal_upper((m * n - w - 0.5 - mean) / sd) + normal_cdf((w + 0.5 - mean) / sd);
    Ok(RankSumShiftPower {
        p1,
        p2,
        variance,
        reject_at_most: Some(last as u64),
        size: 2.0 * at_most[last],
        power,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_difference_is_never_found() {
        let found = t_test_size(0.8, 0.0, 1.0, 0.05, TTestKind::TwoSample, Alternative::TwoSided);
        assert_eq!(found, Err(NotEstimable::NoDesign));
        assert!(proportions_size(0.8, 0.3, 0.3, 0.05).is_err());
        assert!(schoenfeld_events(1.0, 0.5, 0.05, 0.8).is_err());
        assert!(noether_size(0.5, 0.5, 0.05, 0.8).is_err());
    }

    #[test]
    fn arguments_out_of_range_are_refused() {
        let one = t_test_power(1.0, 1.0, 1.0, 0.05, TTestKind::OneSample, Alternative::OneSided);
        assert_eq!(one, Err(NotEstimable::OutOfRange { name: "sample size" }));
        assert!(t_test_power_unequal(5.0, 5.0, 1.0, 0.0, 0.05).is_err());
        assert!(anova_power(1.0, 5.0, 1.0, 1.0, 0.05).is_err());
        assert_eq!(fisher_power(0, 3, 0.2, 0.4, 0.05), Err(NotEstimable::ArmEmpty));
        assert_eq!(binomial_power(0, 0.2, 0.4, 0.05), Err(NotEstimable::NoObservations));
        assert_eq!(rank_sum_shift_power(0, 3, 1.0, 0.05), Err(NotEstimable::ArmEmpty));
    }

    #[test]
    fn without_a_difference_strict_power_is_the_error() {
        let power =
            t_test_power(9.0, 0.0, 1.0, 0.05, TTestKind::TwoSample, Alternative::TwoSidedStrict).unwrap();
        assert!((power - 0.05).abs() < 1e-12);
    }

    #[test]
    fn three_an_arm_cannot_reject_at_five_percent() {
        assert_eq!(rank_sum_shift_power(3, 3, 1.0, 0.05).unwrap().reject_at_most, None);
    }
}
