//! The distributions that the methods refer to, by tail.
//!
//! The functions themselves come from `statrs` and, for the normal tail, where the
//! former loses digits beyond z = 10, from `libm`. This module fixes which tail is
//! meant, asks for the tail directly instead of subtracting from one (a p-value of
//! 1e-20 keeps its digits), and solves for quantiles on the
//! library's distribution functions: its own quantile of the beta distribution, on
//! which t and F rest, does not return for some large parameters, and that of the
//! gamma distribution stops at about 1e-10.

use statrs::distribution::{
    Beta, ChiSquared, Continuous, ContinuousCDF, FisherSnedecor, Gamma, Normal, StudentsT,
};
use statrs::function::gamma::ln_gamma;

const VALID: &str = "parameters are positive and finite";

/// Standard normal distribution function Φ(z).
pub fn normal_cdf(z: f64) -> f64 {
    normal_upper(-z)
}

/// Upper tail of the standard normal distribution, 1 - Φ(z).
pub fn normal_upper(z: f64) -> f64 {
    0.5 * libm::erfc(z * std::f64::consts::FRAC_1_SQRT_2)
}

/// Standard normal density φ(z).
pub fn normal_pdf(z: f64) -> f64 {
    (-0.5 * z * z).exp() * 0.398_942_280_401_432_7
}

/// Two-sided normal p-value, 2 (1 - Φ(|z|)).
pub fn normal_two_sided(z: f64) -> f64 {
    2.0 * normal_upper(z.abs())
}

/// The z with Φ(z) = p, for 0 < p < 1.
pub fn normal_quantile(p: f64) -> f64 {
    if p > 0.5 { normal_quantile_upper(1.0 - p) } else { -normal_quantile_upper(p) }
}

/// The z that leaves probability `p` above it, for 0 < p < 1.
pub fn normal_quantile_upper(p: f64) -> f64 {
    let z = -Normal::standard().inverse_cdf(p);
    polish(z, f64::NEG_INFINITY, f64::INFINITY, |z| (normal_upper(z) - p) / -normal_pdf(z))
}

fn student(df: f64) -> StudentsT {
    StudentsT::new(0.0, 1.0, df).expect(VALID)
}

/// Beyond these degrees of freedom the incomplete beta function loses digits to ln Γ, and
/// Student's t is normal but for terms in 1/ν (Abramowitz and Stegun 26.7.8, error O(ν⁻²)).
const DF_NORMAL: f64 = 1e6;

fn normal_equivalent(t: f64, df: f64) -> f64 {
    t * (1.0 - 0.25 / df) / (1.0 + 0.5 * t * t / df).sqrt()
}

/// Upper tail of Student's t, P(T > t).
pub fn t_upper(t: f64, df: f64) -> f64 {
    if df > DF_NORMAL {
        return normal_upper(normal_equivalent(t, df));
    }
    // P(|T| > |t|) = I_{ν/(ν + t²)}(ν/2, 1/2); the complement keeps digits where t² is small beside ν.
    let square = t * t;
    if square.is_infinite() {
        return if t > 0.0 { 0.0 } else { 1.0 };
    }
    let outside = 0.5 * beta_lower_complement(df / (df + square), square / (df + square), 0.5 * df, 0.5);
    if t > 0.0 { outside } else { 1.0 - outside }
}

/// Tails of Student's t at one statistic.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct TTails {
    /// 2 P(T > |t|).
    pub(crate) two_sided: f64,
    /// P(T ≤ t).
    pub(crate) lower: f64,
    /// P(T > t).
    pub(crate) upper: f64,
}

/// The tails of Student's t, which are one integral: what [`t_two_sided`], [`t_lower`] and [`t_upper`] give.
pub(crate) fn t_tails(t: f64, df: f64) -> TTails {
    let beyond = t_upper(t.abs(), df);
    let within = t_within(t, df, beyond);
    let (lower, upper) = if t > 0.0 { (within, beyond) } else { (beyond, within) };
    TTails { two_sided: 2.0 * beyond, lower, upper }
}

/// The tail on the other side of `t` than `beyond`.
fn t_within(t: f64, df: f64, beyond: f64) -> f64 {
    if df > DF_NORMAL || t == 0.0 { t_upper(-t.abs(), df) } else { 1.0 - beyond }
}

/// Quantiles of Student's t that were asked for before: whole degrees of freedom come again and again in repeated tests.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TQuantiles(Vec<(f64, f64, f64)>);

/// Quantiles that are kept.
const QUANTILES_MAX: usize = 64;

impl TQuantiles {
    /// [`t_quantile_upper`], from `memory` if there is one and it holds the quantile.
    pub(crate) fn upper(memory: Option<&mut Self>, p: f64, df: f64) -> f64 {
        memory.map_or_else(|| t_quantile_upper(p, df), |quantiles| quantiles.recall(p, df))
    }

    /// [`t_quantile_upper`], remembered.
    fn recall(&mut self, p: f64, df: f64) -> f64 {
        if let Some((.., known)) = self.0.iter().find(|(tail, freedom, _)| *tail == p && *freedom == df) {
            return *known;
        }
        let quantile = t_quantile_upper(p, df);
        if df.fract() == 0.0 && self.0.len() < QUANTILES_MAX {
            self.0.push((p, df, quantile));
        }
        quantile
    }
}

/// Lower tail of Student's t, P(T ≤ t).
pub fn t_lower(t: f64, df: f64) -> f64 {
    t_upper(-t, df)
}

/// Two-sided p-value of Student's t, 2 P(T > |t|).
pub fn t_two_sided(t: f64, df: f64) -> f64 {
    2.0 * t_upper(t.abs(), df)
}

/// The t that leaves probability `p` above it, for 0 < p < 1.
pub fn t_quantile_upper(p: f64, df: f64) -> f64 {
    if p > 0.5 {
        return -t_quantile_upper(1.0 - p, df);
    }
    if p == 0.5 {
        return 0.0;
    }
    // The Cornish-Fisher expansion about the normal quantile is a good start unless tails are heavy.
    let z = normal_quantile_upper(p);
    let start =
        z + z * (z * z + 1.0) / (4.0 * df) + z * ((5.0 * z * z + 16.0) * z * z + 3.0) / (96.0 * df * df);
    let d = student(df.min(DF_NORMAL));
    Tail::Upper.solve(p, start, f64::INFINITY, |t| t_upper(t, df), |t| d.pdf(t))
}

/// Upper tail of chi-squared, P(X > x).
pub fn chi_squared_upper(x: f64, df: f64) -> f64 {
    if x <= 0.0 { 1.0 } else { ChiSquared::new(df).expect(VALID).sf(x) }
}

/// Upper tail of F with `df1` and `df2` degrees of freedom, P(F > f).
pub fn f_upper(f: f64, df1: f64, df2: f64) -> f64 {
    // P(F > f) = I_{d2/(d2 + d1 f)}(d2/2, d1/2)
    if f <= 0.0 {
        1.0
    } else {
        beta_lower_complement(df2 / (df2 + df1 * f), df1 * f / (df2 + df1 * f), df2 / 2.0, df1 / 2.0)
    }
}

/// Lower tail of F, P(F ≤ f).
pub fn f_lower(f: f64, df1: f64, df2: f64) -> f64 {
    f_upper(1.0 / f, df2, df1)
}

/// The f that leaves probability `p` above it, for 0 < p < 1.
pub fn f_quantile_upper(p: f64, df1: f64, df2: f64) -> f64 {
    let d = FisherSnedecor::new(df1, df2).expect(VALID);
    Tail::Upper.solve(p, 1.0, f64::INFINITY, |f| f_upper(f, df1, df2), |f| d.pdf(f))
}

/// Lower tail of Beta(a, b) at `x`.
pub fn beta_lower(x: f64, a: f64, b: f64) -> f64 {
    beta_lower_complement(x, 1.0 - x, a, b)
}

/// Upper tail of Beta(a, b) at `x`.
pub fn beta_upper(x: f64, a: f64, b: f64) -> f64 {
    beta_lower_complement(1.0 - x, x, b, a)
}

/// I_x(a, b) where `y = 1 - x` is known more exactly than the subtraction gives it.
fn beta_lower_complement(x: f64, y: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if y <= 0.0 {
        return 1.0;
    }
    // The library subtracts from one beyond the mean; both tails stay accurate when the
    // smaller one is the one computed.
    if x < (a + 1.0) / (a + b + 2.0) {
        statrs::function::beta::beta_reg(a, b, x)
    } else {
        1.0 - statrs::function::beta::beta_reg(b, a, y)
    }
}

/// The x with P(X ≤ x) = p for X ~ Beta(a, b), 0 < p < 1.
pub fn beta_quantile(p: f64, a: f64, b: f64) -> f64 {
    let d = Beta::new(a, b).expect(VALID);
    Tail::Lower.solve(p, a / (a + b), 1.0, |x| beta_lower(x, a, b), |x| d.pdf(x))
}

/// The x that leaves probability `p` above it for X ~ Beta(a, b), 0 < p < 1.
pub fn beta_quantile_upper(p: f64, a: f64, b: f64) -> f64 {
    1.0 - beta_quantile(p, b, a)
}

/// The x with P(X ≤ x) = p for X ~ Gamma(shape, rate 1), 0 < p < 1.
pub fn gamma_quantile(p: f64, shape: f64) -> f64 {
    let d = Gamma::new(shape, 1.0).expect(VALID);
    Tail::Lower.solve(p, shape, f64::INFINITY, |x| d.cdf(x), |x| d.pdf(x))
}

/// The x that leaves probability `p` above it for X ~ Gamma(shape, rate 1), 0 < p < 1.
pub fn gamma_quantile_upper(p: f64, shape: f64) -> f64 {
    let d = Gamma::new(shape, 1.0).expect(VALID);
    Tail::Upper.solve(p, shape, f64::INFINITY, |x| d.sf(x), |x| d.pdf(x))
}

/// ln of the binomial coefficient "n choose k".
pub fn ln_choose(n: f64, k: f64) -> f64 {
    if k == 0.0 || k == n { 0.0 } else { ln_gamma(n + 1.0) - ln_gamma(k + 1.0) - ln_gamma(n - k + 1.0) }
}

/// ln Γ(x) for x > 0.
pub fn ln_gamma_function(x: f64) -> f64 {
    ln_gamma(x)
}

/// P(X = k) for X ~ Binomial(n, p).
pub fn binomial_pmf(k: u64, n: u64, p: f64) -> f64 {
    match (p <= 0.0, p >= 1.0) {
        (true, _) => f64::from(k == 0),
        (_, true) => f64::from(k == n),
        _ => {
            let (kf, nf) = (k as f64, n as f64);
            (ln_choose(nf, kf) + kf * p.ln() + (nf - kf) * (-p).ln_1p()).exp()
        }
    }
}

/// P(X ≤ k) for X ~ Binomial(n, p).
pub fn binomial_lower(k: u64, n: u64, p: f64) -> f64 {
    if k >= n { 1.0 } else { beta_upper(p, k as f64 + 1.0, (n - k) as f64) }
}

/// P(X ≥ k) for X ~ Binomial(n, p).
pub fn binomial_at_least(k: u64, n: u64, p: f64) -> f64 {
    if k == 0 {
        1.0
    } else if k > n {
        0.0
    } else {
        beta_lower(p, k as f64, (n - k) as f64 + 1.0)
    }
}

/// Which tail a quantile is solved on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tail {
    Lower,
    Upper,
}

impl Tail {
    /// Solves tail(x) = p for a variable between 0 and `high`.
    ///
    /// Newton's method for ln tail in ln x, where power-law tails are straight lines, inside a
    /// bracket that is halved whenever a step would leave it: it ends whatever the start is.
    fn solve(
        self,
        p: f64,
        start: f64,
        high: f64,
        tail: impl Fn(f64) -> f64,
        pdf: impl Fn(f64) -> f64,
    ) -> f64 {
        let (mut low, mut high) = (f64::MIN_POSITIVE.ln(), high.min(f64::MAX).ln());
        let mut u = start.ln();
        for _ in 0..200 {
            let x = u.exp();
            let f = tail(x);
            let above = if self == Tail::Lower { f > p } else { f < p };
            if above {
                high = u;
            } else {
                low = u;
            }
            let slope = if self == Tail::Lower { pdf(x) } else { -pdf(x) };
            let step = (f.ln() - p.ln()) * f / (x * slope);
            let newton = u - step;
            let next = if newton > low && newton < high { newton } else { 0.5 * (low + high) };
            if step.abs() <= 2.0 * f64::EPSILON || next == u {
                break;
            }
            u = next;
        }
        u.exp()
    }
}

/// Up to four Newton steps from a library quantile, kept inside the support.
///
/// `step(x)` is the amount to subtract. Steps are taken only while they shrink, so a
/// value that is already exact to rounding is not shaken.
fn polish(mut x: f64, low: f64, high: f64, step: impl Fn(f64) -> f64) -> f64 {
    let mut last = f64::INFINITY;
    for _ in 0..4 {
        let d = step(x);
        let next = x - d;
        if !d.is_finite() || d.abs() >= last || next <= low || next >= high || next == x {
            break;
        }
        last = d.abs();
        x = next;
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn close(obtained: f64, expected: f64, rel: f64) {
        assert!((obtained - expected).abs() <= rel * expected.abs(), "{obtained} is not {expected}");
    }

    #[test]
    fn quantiles_return_for_extreme_parameters() {
        for df in [0.5, 1.0, 50.0, 1e4, 999_999.0, 1e7, 1e12] {
            for p in [1e-10, 0.025, 0.499] {
                close(t_upper(t_quantile_upper(p, df), df), p, 1e-9);
            }
        }
        for n in [1e2, 1e4, 1e6] {
            close(beta_lower(beta_quantile(0.025, 1.0, n), 1.0, n), 0.025, 1e-9);
            close(beta_lower(beta_quantile(0.025, n / 2.0, n / 2.0), n / 2.0, n / 2.0), 0.025, 1e-9);
            assert!(gamma_quantile(0.025, n) < n && gamma_quantile_upper(0.025, n) > n);
        }
        close(t_quantile_upper(0.025, 1e7), 1.959_964_221_767_204_9, 1e-12); // qt(0.975, 1e7)
    }

    // R 4.2.2, printed with 17 digits.
    #[test]
    fn tails_and_quantiles_agree_with_r() {
        close(t_lower(-9.0, 7.3), 1.649_681_090_789_267e-5, 1e-12); // pt(-9, 7.3)
        close(t_lower(0.1, 3.0), 0.536_673_825_599_597_1, 1e-14); // pt(0.1, 3)
        close(t_quantile_upper(1e-10, 4.0), 416.175_140_329_604_2, 1e-12); // qt(1e-10, 4, lower=FALSE)
        close(t_quantile_upper(0.55, 3.7), -0.134_502_863_231_897_95, 1e-12); // qt(0.45, 3.7)
        close(f_upper(200.0, 3.0, 9.0), 1.490_908_975_594_283_5e-08, 1e-12); // pf(200, 3, 9, lower=FALSE)
        close(f_lower(0.01, 4.0, 7.0), 0.000_251_829_296_728_410_2, 1e-12); // pf(0.01, 4, 7)
        close(chi_squared_upper(50.0, 3.0), 7.989_179_244_951_47e-11, 1e-12); // pchisq(50, 3, lower=FALSE)
        close(beta_quantile(1e-6, 0.5, 20.0), 3.976_381_106_974_141e-14, 1e-12); // qbeta(1e-6, 0.5, 20)
        close(beta_upper(0.999, 12.0, 0.5), 0.121_880_024_437_518_04, 1e-12); // pbeta(0.999, 12, 0.5, lower=FALSE)
        close(gamma_quantile(1e-8, 0.5), 7.853_981_633_974_446e-17, 1e-12); // qgamma(1e-8, 0.5)
        close(gamma_quantile_upper(1e-8, 3.0), 24.181_313_767_666_38, 1e-12); // qgamma(1e-8, 3, lower=FALSE)
        close(binomial_lower(3, 20, 0.3), 0.107_086_804_503_730_97, 1e-12); // pbinom(3, 20, 0.3)
        close(normal_upper(20.0), 2.753_624_118_606_233_7e-89, 1e-12); // pnorm(-20)
        close(normal_quantile_upper(0.025), 1.959_963_984_540_054, 1e-15);
        close(normal_quantile(1e-20), -9.262_340_089_798_405, 1e-14); // qnorm(1e-20)
    }

    #[test]
    fn the_quantile_inverts_the_tail() {
        for p in [1e-12, 1e-6, 0.005, 0.025, 0.2, 0.45] {
            close(t_upper(t_quantile_upper(p, 3.7), 3.7), p, 1e-12);
            close(f_upper(f_quantile_upper(p, 4.0, 7.0), 4.0, 7.0), p, 1e-12);
            close(beta_lower(beta_quantile(p, 2.5, 9.0), 2.5, 9.0), p, 1e-12);
            close(beta_upper(beta_quantile_upper(p, 12.0, 3.0), 12.0, 3.0), p, 1e-9);
            close(normal_upper(normal_quantile_upper(p)), p, 1e-12);
        }
    }

    #[test]
    fn binomial_tails_meet() {
        for k in 0..20 {
            close(binomial_lower(k, 20, 0.3) + binomial_at_least(k + 1, 20, 0.3), 1.0, 1e-14);
        }
    }
}
