//! Philox 4x64-10: random numbers as a function of key and counter (J. K. Salmon, M. A. Moraes, R. O. Dror and
//! D. E. Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC11, 2011, section 4).
//!
//! A block is four 64-bit numbers. Ten rounds multiply and mix a 256-bit counter under a 128-bit key; any block
//! can be had without those before it, at the cost of twenty multiplications. It passes every test of
//! BigCrush. It is no cipher: nothing that must stay secret is drawn with it.

/// Numbers of a block.
pub(crate) const WORDS: usize = 4;

const MULTIPLIERS: [u64; 2] = [0xd2e7_470e_e14c_6c93, 0xca5a_8263_9512_1157];

/// What the key grows by from round to round: the golden ratio and the square root of three, less one.
const STEPS: [u64; 2] = [0x9e37_79b9_7f4a_7c15, 0xbb67_ae85_84ca_a73b];

const ROUNDS: usize = 10;

/// Returns the block of a key and a counter.
#[inline]
pub(crate) fn block(mut key: [u64; 2], counter: [u64; WORDS]) -> [u64; WORDS] {
    let [mut a, mut b, mut c, mut d] = counter;
    for _ in 0..ROUNDS {
        let first = u128::from(MULTIPLIERS[0]) * u128::from(a);
        let second = u128::from(MULTIPLIERS[1]) * u128::from(c);
        a = (second >> 64) as u64 ^ b ^ key[0];
        b = second as u64;
        c = (first >> 64) as u64 ^ d ^ key[1];
        d = first as u64;
        key = [key[0].wrapping_add(STEPS[0]), key[1].wrapping_add(STEPS[1])];
    }
    [a, b, c, d]
}

/// `crates/simulation/reference/philox.py` wrote the blocks.
#[test]
fn blocks_agree_with_an_independent_program() {
    let mut cases = 0;
    for line in include_str!("../reference/philox.csv").lines().skip(1) {
        let words: Vec<u64> = line.split(',').map(|word| u64::from_str_radix(word, 16).unwrap()).collect();
        let [k0, k1, c0, c1, c2, c3, ref expected @ ..] = words[..] else { panic!("{line}") };
        assert_eq!(block([k0, k1], [c0, c1, c2, c3]), expected[..], "{line}");
        cases += 1;
    }
    assert_eq!(cases, 16);
}
