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

/// The keys of all rounds, which every block of a trial shares.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RoundKeys([[u64; 2]; ROUNDS]);

impl RoundKeys {
    pub(crate) fn of(mut key: [u64; 2]) -> Self {
        Self(std::array::from_fn(|_| {
            let own = key;
            key = [key[0].wrapping_add(STEPS[0]), key[1].wrapping_add(STEPS[1])];
            own
        }))
    }

    /// The key itself.
    pub(crate) fn key(&self) -> [u64; 2] {
        self.0[0]
    }
}

#[inline]
fn round([a, b, c, d]: [u64; WORDS], key: [u64; 2]) -> [u64; WORDS] {
    let first = u128::from(MULTIPLIERS[0]) * u128::from(a);
    let second = u128::from(MULTIPLIERS[1]) * u128::from(c);
    [(second >> 64) as u64 ^ b ^ key[0], second as u64, (first >> 64) as u64 ^ d ^ key[1], first as u64]
}

/// Returns the block of a key and a counter.
#[inline]
pub(crate) fn block(keys: &RoundKeys, counter: [u64; WORDS]) -> [u64; WORDS] {
    keys.0.iter().fold(counter, |state, key| round(state, *key))
}

/// The rounds but the last of several first blocks, whose counters are 0 and for each an occasion and a process, and
/// then the one participant of all. They go through the rounds together: a multiplication takes a processor several
/// cycles, in which it can begin those of the other blocks. What a counter's 0 and the common participant come to in the
/// first two rounds is reckoned once.
#[inline(always)]
fn but_last<const N: usize>(keys: &RoundKeys, participant: u64, wanted: [[u64; 2]; N]) -> [[u64; WORDS]; N] {
    let [first, second, middle @ .., _] = &keys.0;
    let common = u128::from(MULTIPLIERS[1]) * u128::from(participant ^ first[1]);
    let mut states = wanted.map(|[occasion, process]| {
        let own = u128::from(MULTIPLIERS[1]) * u128::from(process);
        let next = u128::from(MULTIPLIERS[0]) * u128::from((own >> 64) as u64 ^ occasion ^ first[0]);
        [
            (common >> 64) as u64 ^ own as u64 ^ second[0],
            common as u64,
            (next >> 64) as u64 ^ second[1],
            next as u64,
        ]
    });
    for key in middle {
        for state in &mut states {
            *state = round(*state, *key);
        }
    }
    states
}

/// Returns the first blocks of several streams of a participant, each of an occasion and a process.
#[inline]
pub(crate) fn first_blocks<const N: usize>(
    keys: &RoundKeys,
    participant: u64,
    wanted: [[u64; 2]; N],
) -> [[u64; WORDS]; N] {
    but_last(keys, participant, wanted).map(|state| round(state, keys.0[ROUNDS - 1]))
}

/// Returns the first two numbers of these blocks, for which half of the last round is enough.
#[inline]
pub(crate) fn first_halves<const N: usize>(
    keys: &RoundKeys,
    participant: u64,
    wanted: [[u64; 2]; N],
) -> [[u64; 2]; N] {
    but_last(keys, participant, wanted).map(|state| {
        let [a, b, ..] = round(state, keys.0[ROUNDS - 1]);
        [a, b]
    })
}

/// `crates/simulation/reference/philox.py` wrote the blocks.
#[test]
fn blocks_agree_with_an_independent_program() {
    let mut cases = 0;
    for line in include_str!("../reference/philox.csv").lines().skip(1) {
        let words: Vec<u64> = line.split(',').map(|word| u64::from_str_radix(word, 16).unwrap()).collect();
        let [k0, k1, c0, c1, c2, c3, ref expected @ ..] = words[..] else { panic!("{line}") };
        let (keys, counter) = (RoundKeys::of([k0, k1]), [c0, c1, c2, c3]);
        assert_eq!(block(&keys, counter), expected[..], "{line}");
        // The same of a first block, for whatever the counter is.
        let (first, wanted) = (block(&keys, [0, c1, c2, c3]), [[7, 9], [c1, c2], [8, 8]]);
        assert_eq!(first_blocks(&keys, c3, wanted)[1], first, "{line}");
        assert_eq!(first_halves(&keys, c3, wanted)[1], first[..2], "{line}");
        cases += 1;
    }
    assert_eq!(cases, 16);
}
