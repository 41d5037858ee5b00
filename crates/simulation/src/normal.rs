//! The normal quantile, by which uniform draws become normal ones.
//!
//! Wichura, Algorithm AS 241 (PPND16), Applied Statistics 1988;37:477-484: rational approximations with a
//! relative error of about 1e-16. One uniform number gives one normal number, and the map rises: a limit on
//! the normal number is a limit on the uniform one. Arithmetic and `libm` alone, so the same everywhere.

/// How far a probability may lie from a half to be of the central part.
pub(crate) const CENTRAL: f64 = 0.425;

/// The standard normal quantile of `p`, 0 < p < 1.
#[inline]
pub(crate) fn quantile(p: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= CENTRAL {
        let r = 0.180_625 - q * q;
        return q * central(r);
    }
    tail(if q < 0.0 { p } else { 1.0 - p }, q < 0.0)
}

/// The quantile over q = p - 1/2 in the central part, r being 0.425² - q².
#[inline(always)]
pub(crate) fn central(r: f64) -> f64 {
    let above = ((((((2_509.080_928_730_122_6 * r + 33_430.575_583_588_13) * r + 67_265.770_927_008_7)
        * r
        + 45_921.953_931_549_87)
        * r
        + 13_731.693_765_509_46)
        * r
        + 1_971.590_950_306_551_4)
        * r
        + 133.141_667_891_784_38)
        * r
        + 3.387_132_872_796_366_6;
    let below = ((((((5_226.495_278_852_854 * r + 28_729.085_735_721_943) * r + 39_307.895_800_092_71)
        * r
        + 21_213.794_301_586_596)
        * r
        + 5_394.196_021_424_751)
        * r
        + 687.187_007_492_057_9)
        * r
        + 42.313_330_701_600_91)
        * r
        + 1.0;
    above / below
}

/// `p` is the probability beyond.
#[cold]
fn far(r: f64) -> f64 {
    let r = r - 5.0;
    let above = ((((((2.010_334_399_292_288_1e-7 * r + 2.711_555_568_743_487_6e-5) * r
        + 1.242_660_947_388_078_4e-3)
        * r
        + 2.653_218_952_657_612_4e-2)
        * r
        + 0.296_560_571_828_504_87)
        * r
        + 1.784_826_539_917_291_3)
        * r
        + 5.463_784_911_164_114)
        * r
        + 6.657_904_643_501_103;
    let below = ((((((2.044_263_103_389_939_8e-15 * r + 1.421_511_758_316_445_9e-7) * r
        + 1.846_318_317_510_054_8e-5)
        * r
        + 7.868_691_311_456_133e-4)
        * r
        + 1.487_536_129_085_061_5e-2)
        * r
        + 0.136_929_880_922_735_8)
        * r
        + 0.599_832_206_555_888)
        * r
        + 1.0;
    above / below
}

/// The root of minus the logarithm of the probability beyond, up to which [`near`] serves.
pub(crate) const NEAR_MAX: f64 = 5.0;

/// The quantile's size in the tails, but for the farthest.
#[inline(always)]
pub(crate) fn near(r: f64) -> f64 {
    let r = r - 1.6;
    let above = ((((((7.745_450_142_783_414e-4 * r + 2.272_384_498_926_918_4e-2) * r
        + 0.241_780_725_177_450_6)
        * r
        + 1.270_458_252_452_368_4)
        * r
        + 3.647_848_324_763_204_5)
        * r
        + 5.769_497_221_460_691)
        * r
        + 4.630_337_846_156_546)
        * r
        + 1.423_437_110_749_683_5;
    let below = ((((((1.050_750_071_644_416_9e-9 * r + 5.475_938_084_995_345e-4) * r
        + 1.519_866_656_361_645_7e-2)
        * r
        + 0.148_103_976_427_480_08)
        * r
        + 0.689_767_334_985_1)
        * r
        + 1.676_384_830_183_803_8)
        * r
        + 2.053_191_626_637_759)
        * r
        + 1.0;
    above / below
}

fn tail(beyond: f64, lower: bool) -> f64 {
    let r = libm::sqrt(-libm::log(beyond));
    let z = if r <= NEAR_MAX { near(r) } else { far(r) };
    if lower { -z } else { z }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `crates/simulation/reference/normal_quantile.R` wrote the numbers.
    #[test]
    fn quantiles_agree_with_an_independent_program() {
        for line in include_str!("../reference/normal_quantile.csv").lines().skip(1) {
            let (p, z) = line.split_once(',').unwrap();
            let (p, z): (f64, f64) = (p.parse().unwrap(), z.parse().unwrap());
            let found = quantile(p);
            assert!((found - z).abs() <= 1e-13 * z.abs().max(1e-3), "{p}: {found} against {z}");
        }
    }

    #[test]
    fn the_quantile_rises() {
        let mut last = f64::NEG_INFINITY;
        for step in 1..200_000 {
            let z = quantile(f64::from(step) / 200_000.0);
            assert!(z > last, "at step {step}");
            last = z;
        }
    }

    #[test]
    fn the_least_and_the_greatest_draw_are_finite() {
        let least = 0.5 / (1u64 << 52) as f64;
        assert!((-8.3..-8.1).contains(&quantile(least)));
        assert_eq!(quantile(1.0 - least), -quantile(least));
    }
}
