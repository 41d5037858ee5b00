//! Numbers of many people side by side.
//!
//! What is drawn of everybody who comes is drawn of many people at a time, in loops without branches over plain columns:
//! one instruction of a processor works on the numbers of two people or more. The functions are those of
//! [`normal`](crate::normal) and of `libm`, step by step, and give the same numbers to the last bit; a test holds them
//! to it.

use crate::{
    normal,
    philox::WORDS,
    streams::{coarse_of, uniform_of},
    wide::compiled_twice,
};

/// The most people.
pub(crate) const LANES: usize = 64;

/// A number of each.
pub(crate) type Numbers = [f64; LANES];

/// Words of the same stream of each, by place in the block: the lower halves, whatever stands in the upper ones.
pub(crate) type Words = [[u64; LANES]; WORDS];

/// The uniform numbers of two words that begin at a place, of so many people.
#[inline(always)]
pub(crate) fn uniform(words: &Words, from: usize, people: usize) -> Numbers {
    let mut numbers = [0.0; LANES];
    let (low, high) = (&words[from][..people], &words[from + 1][..people]);
    for ((number, low), high) in numbers.iter_mut().zip(low).zip(high) {
        *number = uniform_of(*low as u32, *high as u32);
    }
    numbers
}

/// The uniform numbers of the word at a place, of so many people.
#[inline(always)]
pub(crate) fn coarse(words: &Words, at: usize, people: usize) -> Numbers {
    let mut numbers = [0.0; LANES];
    for (number, word) in numbers.iter_mut().zip(&words[at][..people]) {
        *number = coarse_of(*word as u32);
    }
    numbers
}

/// The natural logarithm of a number from 2⁻¹⁰²² on: that of `libm`, which is FreeBSD's `e_log.c`, without its branches.
#[inline(always)]
pub(crate) fn ln(number: f64) -> f64 {
    const LN2: (f64, f64) = (6.931_471_803_691_238_164_9e-1, 1.908_214_929_270_587_700_02e-10);
    // The upper word of the root of a half, and what takes numbers from there up to the root of two to exponent 0.
    const ROOT: u64 = 0x3fe6_a09e;
    const UP: u64 = 0x3ff0_0000 - ROOT;
    // 2^52, in whose last place a whole number stands as it is, and the exponents' bias.
    const WHOLE: u64 = 0x4330_0000_0000_0000;
    const WHOLE_AND_BIAS: f64 = 4_503_599_627_370_496.0 + 1_023.0;
    let bits = number.to_bits();
    let upper = (bits >> 32) + UP;
    let exponent = f64::from_bits(WHOLE | upper >> 20) - WHOLE_AND_BIAS;
    let reduced = ((upper & 0x000f_ffff) + ROOT) << 32 | (bits & 0xffff_ffff);
    let f = f64::from_bits(reduced) - 1.0;
    let half_square = 0.5 * f * f;
    let s = f / (2.0 + f);
    let z = s * s;
    let w = z * z;
    let even = w
        * (3.999_999_999_940_941_908e-1
            + w * (2.222_219_843_214_978_396e-1 + w * 1.531_383_769_920_937_332e-1));
    let odd = z
        * (6.666_666_666_666_735_13e-1
            + w * (2.857_142_874_366_239_149e-1
                + w * (1.818_357_216_161_805_012e-1 + w * 1.479_819_860_511_658_591e-1)));
    let r = odd + even;
    s * (half_square + r) + exponent * LN2.1 - half_square + f + exponent * LN2.0
}

compiled_twice! {
    /// The normal quantiles of probabilities.
    pub(crate) fn quantiles(p: &[f64], quantiles: &mut [f64]) from quantiles_of;
}

#[inline(always)]
fn quantiles_of(p: &[f64], quantiles: &mut [f64]) {
    #[cfg(test)]
    crate::streams::tally::add([0, 0, 0, p.len() as u64]);
    // A whole number: the greatest of floating-point ones would have to be found one after the other.
    let mut far = 0_u64;
    for (z, p) in quantiles.iter_mut().zip(p) {
        let q = p - 0.5;
        let beyond = if q < 0.0 { *p } else { 1.0 - p };
        let r = (-ln(beyond)).sqrt();
        let tail = normal::near(r);
        let tail = if q < 0.0 { -tail } else { tail };
        let central = q * normal::central(0.180_625 - q * q);
        *z = if q.abs() <= normal::CENTRAL { central } else { tail };
        far |= u64::from(r > normal::NEAR_MAX);
    }
    // One number in 10^11 lies farther out.
    if far != 0 {
        for (z, p) in quantiles.iter_mut().zip(p) {
            *z = normal::quantile(*p);
        }
    }
}

/// Rounds a number from 0 up to 2⁵¹ to the nearest whole one, halves up: `libm::round` of it.
#[inline(always)]
pub(crate) fn round(number: f64) -> f64 {
    // In the last place of so great a number there are wholes alone.
    let near = (number + WHOLE) - WHOLE;
    let below = if near > number { near - 1.0 } else { near };
    if number - below >= 0.5 { below + 1.0 } else { below }
}

/// Rounds a number up, from 0 up to 2⁵¹: `libm::ceil` of it.
#[inline(always)]
pub(crate) fn ceil(number: f64) -> f64 {
    let near = (number + WHOLE) - WHOLE;
    if near < number { near + 1.0 } else { near }
}

/// 2⁵².
const WHOLE: f64 = 4_503_599_627_370_496.0;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::streams::{Process, Streams};

    /// Uniform numbers of everyday size, and powers of two down to the least draw with their neighbours.
    fn probabilities() -> Vec<f64> {
        let streams = Streams::new(3);
        let mut all: Vec<f64> = (0..40_000).map(|number| streams.of(number, "lanes", 0).uniform()).collect();
        for power in 1..=53 {
            let number = f64::exp2(-f64::from(power));
            all.extend([number, number * 1.37, number * 1.99, number * (1.0 + f64::EPSILON)]);
            all.extend([1.0 - number, 0.075, 0.925, 0.075 - number, 0.925 + number]);
        }
        all.retain(|p| *p > 0.0 && *p < 1.0);
        all
    }

    fn agree(found: impl IntoIterator<Item = f64>, alone: impl Fn(f64) -> f64, numbers: &[f64]) {
        for (number, found) in numbers.iter().zip(found) {
            assert_eq!(found.to_bits(), alone(*number).to_bits(), "{number:e}");
        }
    }

    #[test]
    fn numbers_side_by_side_are_the_same_as_alone() {
        let p = probabilities();
        agree(p.iter().map(|p| ln(*p)), libm::log, &p);
        for people in [1, 3, LANES] {
            for p in p.chunks(people) {
                let mut z = [0.0; LANES];
                quantiles(p, &mut z[..p.len()]);
                agree(z, normal::quantile, p);
                // Compiled for any processor, whatever this one is.
                quantiles_of(p, &mut z[..p.len()]);
                agree(z, normal::quantile, p);
            }
        }
        let halves: Vec<f64> = (0..400).map(|number| f64::from(number) * 0.25).collect();
        let near: Vec<f64> = halves.iter().flat_map(|x| [x.next_down().max(0.0), x.next_up()]).collect();
        for numbers in [&p, &halves, &near] {
            agree(numbers.iter().map(|x| round(*x)), libm::round, numbers);
            agree(numbers.iter().map(|x| ceil(*x)), libm::ceil, numbers);
        }
    }

    #[test]
    fn words_of_many_people_are_those_of_each() {
        let streams = Streams::of_trial_number(4, (1 << 33) + 2);
        let people: Vec<u32> = (5..5 + LANES as u32 - 3).collect();
        let mut words = [[0; LANES]; WORDS];
        streams.words_of_people(&people, Process::named("lanes"), 7, &mut words);
        let fine = uniform(&words, 0, people.len());
        let coarse = coarse(&words, 2, people.len());
        for (lane, person) in people.iter().enumerate() {
            let mut alone = streams.of(u64::from(*person), "lanes", 7);
            assert_eq!((alone.uniform(), alone.coarse()), (fine[lane], coarse[lane]));
        }
    }
}
