//! Philox 4x32-10: random numbers as a function of key and counter (J. K. Salmon, M. A. Moraes, R. O. Dror and
//! D. E. Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC11, 2011, section 4).
//!
//! A block is four 32-bit words. Ten rounds multiply and mix a 128-bit counter under a 64-bit key; any block
//! can be had without those before it, at the cost of twenty multiplications. It passes every test of
//! BigCrush. It is no cipher: nothing that must stay secret is drawn with it.
//!
//! Blocks are made side by side: a multiplication of two 32-bit numbers is one that processors do to several pairs at
//! once, so the words of many blocks lie beside each other, first words by first words.

use crate::{lanes::Words, wide::compiled_twice};

/// Words of a block.
pub(crate) const WORDS: usize = 4;

const MULTIPLIERS: [u64; 2] = [0xd251_1f53, 0xcd9e_8d57];

/// What the key grows by from round to round: the golden ratio and the square root of three, less one.
const STEPS: [u32; 2] = [0x9e37_79b9, 0xbb67_ae85];

const ROUNDS: usize = 10;

/// The lower half of a number.
const LOW: u64 = 0xffff_ffff;

/// Returns the blocks of several counters, each under the same first word of the key and its own second one; words
/// stand by place in the block.
#[inline(always)]
pub(crate) fn blocks<const N: usize>(
    first_key: u32,
    second_keys: [u32; N],
    counters: [[u32; N]; WORDS],
) -> [[u32; N]; WORDS] {
    // Each word in the lower half of a number twice as wide. What is left in the upper half is not looked at.
    let mut state = counters.map(|words| words.map(u64::from));
    let (mut first, mut second) = (first_key, second_keys);
    for _ in 0..ROUNDS {
        let mut next = [[0; N]; WORDS];
        for lane in 0..N {
            let even = MULTIPLIERS[0] * (state[0][lane] & LOW);
            let odd = MULTIPLIERS[1] * (state[2][lane] & LOW);
            next[0][lane] = (odd >> 32) ^ state[1][lane] ^ u64::from(first);
            next[1][lane] = odd;
            next[2][lane] = (even >> 32) ^ state[3][lane] ^ u64::from(second[lane]);
            next[3][lane] = even;
        }
        state = next;
        first = first.wrapping_add(STEPS[0]);
        second = second.map(|key| key.wrapping_add(STEPS[1]));
    }
    state.map(|words| words.map(|word| (word & LOW) as u32))
}

/// Writes down the blocks of counters that differ in their third word alone, in the lower halves of numbers by place in the
/// block.
#[inline(always)]
pub(crate) fn blocks_of<const N: usize>(
    mut key: [u32; 2],
    [first, second, fourth]: [u32; 3],
    thirds: &[u32],
    blocks: &mut [[u64; N]; WORDS],
) {
    let mut keys = [[0; 2]; ROUNDS];
    for own in &mut keys {
        *own = key.map(u64::from);
        key = [key[0].wrapping_add(STEPS[0]), key[1].wrapping_add(STEPS[1])];
    }
    let [words_0, words_1, words_2, words_3] = blocks;
    let columns = words_0.iter_mut().zip(words_1).zip(words_2).zip(words_3);
    for ((((word_0, word_1), word_2), word_3), third) in columns.zip(thirds) {
        let mut state = [first, second, *third, fourth].map(u64::from);
        for key in &keys {
            let even = MULTIPLIERS[0] * (state[0] & LOW);
            let odd = MULTIPLIERS[1] * (state[2] & LOW);
            state = [(odd >> 32) ^ state[1] ^ key[0], odd, (even >> 32) ^ state[3] ^ key[1], even];
        }
        [*word_0, *word_1, *word_2, *word_3] = state;
    }
}

compiled_twice! {
    /// Writes down the blocks of as many people as there are third words of counters: [`blocks_of`], in the widest registers
    /// that there are.
    pub(crate) fn blocks_of_people(
        key: [u32; 2],
        others: [u32; 3],
        thirds: &[u32],
        blocks: &mut Words,
    ) from blocks_of;
}

/// Returns the block of a key and a counter.
#[inline]
pub(crate) fn block([first, second]: [u32; 2], counter: [u32; WORDS]) -> [u32; WORDS] {
    blocks(first, [second], counter.map(|word| [word])).map(|[word]| word)
}

#[cfg(test)]
use crate::lanes::LANES;

#[cfg(test)]
fn words(line: &str) -> Vec<u32> {
    line.split(',').map(|word| u32::from_str_radix(word, 16).unwrap()).collect()
}

/// The authors' own test vectors and further blocks; `crates/simulation/reference/philox.py` wrote both.
#[test]
fn blocks_agree_with_an_independent_program() {
    let mut cases = 0;
    for line in include_str!("../reference/philox.csv").lines().skip(1) {
        let [k0, k1, c0, c1, c2, c3, ref expected @ ..] = words(line)[..] else { panic!("{line}") };
        let counter = [c0, c1, c2, c3];
        assert_eq!(block([k0, k1], counter), expected[..], "{line}");
        // The same beside blocks of other keys and counters.
        let counters = counter.map(|word| [7, 9, word, 8, 1]);
        let beside = blocks(k0, [3, k0, k1, 5, k1], counters);
        assert_eq!(beside.map(|words| words[2]), expected[..], "{line}");
        let mut many = [[0; 3]; WORDS];
        blocks_of([k0, k1], [c0, c1, c3], &[8, c2, 7], &mut many);
        assert_eq!(many.map(|words| words[1] as u32), expected[..], "{line}");
        // Of people, in the registers of this processor.
        let thirds: Vec<u32> =
            (0..LANES as u32 - 1).map(|lane| if lane % 5 == 3 { c2 } else { lane }).collect();
        let mut people = [[0; LANES]; WORDS];
        blocks_of_people([k0, k1], [c0, c1, c3], &thirds, &mut people);
        for lane in (3..thirds.len()).step_by(5) {
            assert_eq!(people.map(|words| words[lane] as u32), expected[..], "{line}");
        }
        cases += 1;
    }
    assert_eq!(cases, 19);
}
