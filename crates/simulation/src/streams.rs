//! Random streams keyed by participant and process.
//!
//! Every draw of a rehearsal comes from a stream named by who it is for, which
//! process asks and on which occasion. So one participant more, or one process
//! more, changes no draw anywhere else, and a process that is skipped shifts nothing.
//!
//! Numbers are those of Philox 4x32-10, a block of four words of 32 bits. Its key is of the seed (64 bits of SHA-256), the second word
//! combined with the upper half of the digest of the process' name; its counter is the lower half of that digest, occasion (20
//! bits), block of the stream (12), participant (24) and number of the trial (40). So getting to a
//! stream costs one block, and no draw has to be made to reach another. What is always wanted together shares a
//! stream: its numbers stand at known words.

use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use sha2::{Digest, Sha256};

use crate::{
    lanes::{self, LANES, Words},
    normal,
    philox::{self, WORDS},
};

/// The root of a trial's random streams.
#[derive(Clone, Copy, Debug)]
pub struct Streams {
    seed: u64,
    trial: u64,
    key: [u32; 2],
}

/// A process that draws, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Process(u64);

impl Process {
    /// Returns the process of a name.
    ///
    /// Its number is the name's FNV-1a digest of 64 bits: it only has to tell some hundred names apart, and a name
    /// that is known to the compiler costs nothing.
    #[inline]
    pub const fn named(name: &str) -> Self {
        Self(0xcbf2_9ce4_8422_2325).followed_by(name)
    }

    /// The digest of its name.
    #[inline(always)]
    pub(crate) const fn digest(self) -> u64 {
        self.0
    }

    /// Returns the process whose name goes on like this.
    #[inline]
    pub(crate) const fn followed_by(self, name: &str) -> Self {
        let bytes = name.as_bytes();
        let (mut digest, mut place) = (self.0, 0);
        while place < bytes.len() {
            digest = (digest ^ bytes[place] as u64).wrapping_mul(0x0100_0000_01b3);
            place += 1;
        }
        Self(digest)
    }

    /// Returns the process of that name and number.
    pub(crate) const fn numbered(self, number: u64) -> Self {
        let (mut digest, mut place) = (self.0, 0);
        while place < 8 {
            digest = (digest ^ (number >> (8 * place) & 0xff)).wrapping_mul(0x0100_0000_01b3);
            place += 1;
        }
        Self(digest)
    }
}

fn word(digest: &[u8], place: usize) -> u32 {
    digest[4 * place..].iter().take(4).rev().fold(0, |word, byte| word << 8 | u32::from(*byte))
}

const BLOCK_BITS: u32 = 12;
const OCCASION_BITS: u32 = 20;
const PARTICIPANT_BITS: u32 = 24;

/// How many trials a seed has: 2⁴⁰, a little more than 10¹².
pub const TRIALS_MAX: u64 = 1 << 40;

/// The participant that means the trial as a whole.
const WHOLE_TRIAL: u64 = (1 << PARTICIPANT_BITS) - 1;

impl Streams {
    /// Returns the streams of a seed: those of its trial number 0.
    pub fn new(seed: u64) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"equipoise trials 4\0");
        hash.update(seed.to_le_bytes());
        let digest = hash.finalize();
        Self { seed, trial: 0, key: [word(&digest, 0), word(&digest, 1)] }
    }

    /// Returns the streams of one of a seed's many trials.
    pub fn of_trial_number(seed: u64, trial: u64) -> Self {
        Self::new(seed).numbered(trial)
    }

    /// Returns the streams of another trial of the same seed, numbered below [`TRIALS_MAX`].
    #[inline]
    #[must_use]
    pub fn numbered(self, trial: u64) -> Self {
        assert!(trial < TRIALS_MAX, "a seed has 2^40 trials");
        Self { trial, ..self }
    }

    /// Returns the seed.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Returns the stream of a participant (by order of arrival), a process and an occasion of it.
    pub fn of(&self, participant: u64, process: &str, occasion: u64) -> Draws {
        self.draws(participant, Process::named(process), occasion)
    }

    /// Returns the stream of a participant, a process and an occasion of it.
    #[inline]
    pub fn draws(&self, participant: u64, process: Process, occasion: u64) -> Draws {
        let [draws] = self.draws_of(participant, [(process, occasion)]);
        draws
    }

    /// Returns several streams of a participant at once: a processor works on them side by side.
    #[inline]
    pub fn draws_of<const N: usize>(&self, participant: u64, wanted: [(Process, u64); N]) -> [Draws; N] {
        #[cfg(test)]
        tally::add([N as u64, 0, 0, 0]);
        let counters = [
            wanted.map(|(process, _)| process.0 as u32),
            wanted.map(|(_, occasion)| above_blocks(occasion)),
            [self.who(participant); N],
            [self.trial as u32; N],
        ];
        let second_keys = wanted.map(|(process, _)| self.second_key(process));
        let words = philox::blocks(self.key[0], second_keys, counters);
        std::array::from_fn(|lane| Draws {
            key: [self.key[0], second_keys[lane]],
            counter: counters.map(|word| word[lane]),
            words: words.map(|word| word[lane]),
            used: 0,
        })
    }

    /// Returns a stream whose first block is known.
    #[inline]
    pub(crate) fn draws_with(
        &self,
        participant: u64,
        process: Process,
        occasion: u64,
        words: [u32; WORDS],
    ) -> Draws {
        Draws {
            key: [self.key[0], self.second_key(process)],
            counter: [process.0 as u32, above_blocks(occasion), self.who(participant), self.trial as u32],
            words,
            used: 0,
        }
    }

    /// Writes down the words of the first blocks of many people's streams of a process and an occasion.
    pub(crate) fn words_of_people(&self, people: &[u32], process: Process, occasion: u64, words: &mut Words) {
        #[cfg(test)]
        tally::add([0, 0, people.len() as u64, 0]);
        let mut counters = [0; LANES];
        for (counter, participant) in counters.iter_mut().zip(people) {
            *counter = self.who((*participant).into());
        }
        let others = [process.0 as u32, above_blocks(occasion), self.trial as u32];
        let key = [self.key[0], self.second_key(process)];
        philox::blocks_of_people(key, others, &counters[..people.len()], words);
    }

    /// Writes down the first uniform numbers of up to 64 people's streams of a process and an occasion, and if wanted
    /// makes them normal. Each is the one that the person's own stream begins with.
    ///
    /// # Panics
    /// There are more people, or fewer numbers than people.
    pub fn first_of_people(
        &self,
        people: &[u32],
        process: Process,
        occasion: u64,
        normal: bool,
        numbers: &mut [f64],
    ) {
        let mut words = [[0; LANES]; WORDS];
        self.words_of_people(people, process, occasion, &mut words);
        let uniform = lanes::uniform(&words, 0, people.len());
        if normal {
            lanes::quantiles(&uniform[..people.len()], &mut numbers[..people.len()]);
        } else {
            numbers[..people.len()].copy_from_slice(&uniform[..people.len()]);
        }
    }

    /// The word of the counter that holds a participant and the upper bits of the trial's number.
    #[inline(always)]
    fn who(&self, participant: u64) -> u32 {
        assert!(participant < 1 << PARTICIPANT_BITS, "a trial has less than 2^24 people");
        (participant << (32 - PARTICIPANT_BITS) | self.trial >> 32) as u32
    }

    /// The second word of the key under which a process draws.
    #[inline(always)]
    fn second_key(&self, process: Process) -> u32 {
        self.key[1] ^ (process.0 >> 32) as u32
    }

    /// Returns the stream of a process of the trial as a whole.
    pub fn of_trial(&self, process: &str) -> Draws {
        self.draws(WHOLE_TRIAL, Process::named(process), 0)
    }

    /// Returns a generator for salts, codes and sealing, which in a live trial is the system's.
    pub fn for_secrets(&self, process: &str) -> ChaCha20Rng {
        let mut hash = Sha256::new();
        hash.update(b"equipoise secrets 2\0");
        hash.update(self.seed.to_le_bytes());
        hash.update(self.trial.to_le_bytes());
        hash.update(process.as_bytes());
        ChaCha20Rng::from_seed(hash.finalize().into())
    }
}

/// The word of the counter that holds an occasion and, below it, the block of the stream.
#[inline(always)]
fn above_blocks(occasion: u64) -> u32 {
    assert!(occasion < 1 << OCCASION_BITS, "a process has less than 2^20 occasions");
    (occasion << BLOCK_BITS) as u32
}

/// A uniform number in `(0, 1)` of two words: 52 bits, centred in their cell so that neither end occurs.
#[inline(always)]
pub(crate) fn uniform_of(low: u32, high: u32) -> f64 {
    centred(u64::from(high) << 20 | u64::from(low) >> 12, 53)
}

/// One of a single word: 32 bits, centred alike.
#[inline(always)]
pub(crate) fn coarse_of(word: u32) -> f64 {
    centred(u64::from(word) << 20, 33)
}

/// The number that the first 52 bits behind the point make, and a half of their last place: one in 2^`halves`. Set
/// behind the point of a number from 1 to 2, they need no conversion; each step is exact.
#[inline(always)]
fn centred(bits: u64, halves: i64) -> f64 {
    let half = f64::from_bits(((1023 - halves) as u64) << 52);
    (f64::from_bits(1023 << 52 | bits) - 1.0) + half
}

/// The index with probability proportional to its weight that a uniform number leads to.
pub(crate) fn weighted_of(uniform: f64, weights: impl IntoIterator<Item = f64> + Clone) -> usize {
    let total: f64 = weights.clone().into_iter().sum();
    assert!(total > 0.0, "a draw among no choices");
    let mut rest = uniform * total;
    let mut last = 0;
    for (index, weight) in weights.into_iter().enumerate() {
        if weight > 0.0 {
            last = index;
            rest -= weight;
            if rest < 0.0 {
                break;
            }
        }
    }
    last
}

/// The whole number below `bound` that a word leads to.
#[inline(always)]
pub(crate) fn below_of(word: u32, bound: u32) -> u32 {
    (u64::from(word) * u64::from(bound) >> 32) as u32
}

/// Draws from one stream. The same on every platform: whole numbers, arithmetic and `libm` alone.
#[derive(Clone)]
pub struct Draws {
    key: [u32; 2],
    counter: [u32; WORDS],
    words: [u32; WORDS],
    used: usize,
}

impl Draws {
    /// Returns the stream from a word of its first block on.
    #[inline]
    #[must_use]
    pub(crate) fn from_word(self, word: usize) -> Self {
        Self { used: word, ..self }
    }

    /// Leaves out so many words.
    pub(crate) fn skip(&mut self, words: usize) {
        self.used += words;
        if self.used > WORDS {
            // Of the blocks between, none is made.
            let blocks = (self.used - 1) / WORDS;
            self.used -= blocks * WORDS;
            self.counter[1] += blocks as u32 - 1;
            let used = std::mem::replace(&mut self.used, WORDS);
            self.next_block();
            self.used = used;
        }
    }

    #[inline]
    fn word(&mut self) -> u32 {
        if self.used == WORDS {
            self.next_block();
        }
        let word = self.words[self.used];
        self.used += 1;
        word
    }

    #[cold]
    fn next_block(&mut self) {
        #[cfg(test)]
        tally::add([1, 0, 0, 0]);
        // The blocks of a stream are told apart below the occasion.
        self.counter[1] += 1;
        assert!(self.counter[1] & ((1 << BLOCK_BITS) - 1) != 0, "a stream has 2^12 blocks");
        self.words = philox::block(self.key, self.counter);
        self.used = 0;
    }

    /// Draws a uniform number in `(0, 1)` of two words: 52 bits, centred in their cell so that neither end occurs.
    #[inline]
    pub fn uniform(&mut self) -> f64 {
        let low = self.word();
        uniform_of(low, self.word())
    }

    /// Draws a uniform number in `(0, 1)` of one word: 32 bits, for shares of people and the like.
    #[inline]
    pub fn coarse(&mut self) -> f64 {
        coarse_of(self.word())
    }

    /// Says yes with probability `share`; takes one word.
    #[inline]
    pub fn chance(&mut self, share: f64) -> bool {
        self.coarse() < share
    }

    /// Draws a standard normal number: the normal quantile of a uniform one.
    #[inline]
    pub fn normal(&mut self) -> f64 {
        #[cfg(test)]
        tally::add([0, 1, 0, 0]);
        normal::quantile(self.uniform())
    }

    /// Draws an exponential number with that median.
    pub fn exponential_of_median(&mut self, median: f64) -> f64 {
        -libm::log(self.uniform()) * median / std::f64::consts::LN_2
    }

    /// Draws a lognormal number with that median and standard deviation of the logarithm.
    pub fn lognormal(&mut self, median: f64, sigma: f64) -> f64 {
        median * libm::exp(sigma * self.normal())
    }

    /// Draws an index with probability proportional to its weight; takes one word.
    ///
    /// # Panics
    /// There is no positive weight.
    pub fn weighted(&mut self, weights: impl IntoIterator<Item = f64> + Clone) -> usize {
        weighted_of(self.coarse(), weights)
    }

    /// Draws a whole number below `bound`; takes one word. Each has its share to within 2⁻³².
    #[inline]
    pub fn below(&mut self, bound: u32) -> u32 {
        assert!(bound > 0, "a draw among no choices");
        below_of(self.word(), bound)
    }
}

/// Counts what is drawn, for a test.
#[cfg(test)]
pub(crate) mod tally {
    use std::cell::Cell;

    thread_local! {
        static DRAWN: Cell<[u64; 4]> = const { Cell::new([0; 4]) };
    }

    /// Adds blocks and normal numbers made alone, and those made of many people side by side.
    pub(crate) fn add(more: [u64; 4]) {
        DRAWN.with(|drawn| {
            let known = drawn.get();
            drawn.set(std::array::from_fn(|place| known[place] + more[place]));
        });
    }

    /// Returns what was added since the last time.
    pub(crate) fn take() -> [u64; 4] {
        DRAWN.with(|drawn| drawn.take())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_stream_is_a_function_of_its_key_alone() {
        let draw =
            |participant, process, occasion| Streams::new(7).of(participant, process, occasion).uniform();
        assert_eq!(draw(3, "skin", 1), draw(3, "skin", 1));
        let others = [draw(4, "skin", 1), draw(3, "lung", 1), draw(3, "skin", 2)];
        assert!(others.iter().all(|other| *other != draw(3, "skin", 1)));
        assert_ne!(Streams::new(8).of(3, "skin", 1).uniform(), draw(3, "skin", 1));
    }

    #[test]
    fn uniform_numbers_are_centred_in_their_cells() {
        for (low, high) in [(0, 0), (u32::MAX, u32::MAX), (0xfff, 0), (0x1000, 0), (0x89ab_cdef, 0x0123_4567)]
        {
            let bits = u64::from(high) << 32 | u64::from(low);
            assert_eq!(uniform_of(low, high), ((bits >> 12) as f64 + 0.5) / (1u64 << 52) as f64);
            assert_eq!(coarse_of(low), (f64::from(low) + 0.5) / (1u64 << 32) as f64);
        }
        assert!(uniform_of(0, 0) > 0.0 && uniform_of(u32::MAX, u32::MAX) < 1.0);
    }

    /// `crates/simulation/reference/streams.py` wrote the words.
    #[test]
    fn streams_agree_with_an_independent_program() {
        let mut cases = 0;
        for line in include_str!("../reference/streams.csv").lines().skip(1) {
            let [seed, trial, participant, process, occasion, block, ref expected @ ..] =
                line.split(',').collect::<Vec<_>>()[..]
            else {
                panic!("{line}")
            };
            let number = |field: &str| field.parse::<u64>().unwrap();
            let streams = Streams::of_trial_number(number(seed), number(trial));
            let mut draws = streams.of(number(participant), process, number(occasion));
            for _ in 0..number(block) * WORDS as u64 {
                draws.word();
            }
            let found = [(); WORDS].map(|()| format!("{:08x}", draws.word()));
            assert_eq!(found, expected, "{line}");
            cases += 1;
        }
        assert_eq!(cases, 6);
    }

    /// Golden numbers: a change here changes every rehearsal and is a release note.
    #[test]
    fn the_draws_are_the_same_on_every_platform() {
        let mut stream = Streams::new(1).of(1, "golden", 0);
        let drawn = [stream.uniform(), stream.normal(), stream.exponential_of_median(14.0)];
        assert_prints(&drawn, include_str!("../reference/golden_draws.txt"));
    }

    #[test]
    fn streams_side_by_side_are_the_same_as_alone() {
        let streams = Streams::of_trial_number(5, 77);
        let wanted = ["skin", "lung", "arrival", "site"].map(|name| (Process::named(name), 3));
        let together = streams.draws_of(9, wanted);
        for ((process, occasion), mut draws) in wanted.into_iter().zip(together) {
            let mut alone = streams.draws(9, process, occasion);
            let mut again = alone.clone();
            again.uniform();
            assert_eq!(again.coarse(), alone.clone().from_word(2).coarse());
            for words in 0..14 {
                for before in 0..5 {
                    let (mut skipped, mut drawn) = (alone.clone(), alone.clone());
                    (0..before).for_each(|_| {
                        [&mut skipped, &mut drawn].into_iter().for_each(|one| {
                            one.word();
                        })
                    });
                    skipped.skip(words);
                    (0..words).for_each(|_| {
                        drawn.word();
                    });
                    assert!((0..6).all(|_| skipped.word() == drawn.word()));
                }
            }
            assert!((0..40).all(|_| draws.uniform() == alone.uniform()));
        }
    }

    #[test]
    fn first_numbers_of_people_are_those_of_each() {
        let (streams, people) = (Streams::new(5), Vec::from_iter(2..50));
        let mut numbers = [0.0; 48];
        for normal in [false, true] {
            streams.first_of_people(&people, Process::named("first"), 3, normal, &mut numbers);
            for (number, person) in numbers.iter().zip(&people) {
                let mut own = streams.of(u64::from(*person), "first", 3);
                assert_eq!(*number, if normal { own.normal() } else { own.uniform() });
            }
        }
    }

    #[test]
    fn trials_of_a_seed_differ_and_the_first_is_the_seeds_own() {
        let draw = |streams: Streams| streams.of(1, "skin", 0).uniform();
        assert_eq!(draw(Streams::new(7)), draw(Streams::of_trial_number(7, 0)));
        assert_ne!(draw(Streams::new(7)), draw(Streams::of_trial_number(7, 1)));
        assert_ne!(draw(Streams::of_trial_number(8, 1)), draw(Streams::of_trial_number(7, 1)));
        // The number's upper bits count as well as its lower ones.
        let far = [1 << 31, 1 << 32, TRIALS_MAX - 1].map(|trial| draw(Streams::of_trial_number(7, trial)));
        let all: BTreeSet<u64> = far.iter().map(|drawn| drawn.to_bits()).collect();
        assert!(all.len() == 3 && !far.contains(&draw(Streams::new(7))));
    }

    fn assert_prints(drawn: &[f64], expected: &str) {
        let printed: String = drawn.iter().map(|x| format!("{x:?}\n")).collect();
        assert_eq!(printed, expected);
    }

    #[test]
    fn normal_draws_have_the_moments_of_the_normal_distribution() {
        let streams = Streams::new(1);
        let of_trial = |number| Streams::of_trial_number(1, number).of(1, "moments", 0);
        let along: [&dyn Fn(u64) -> Draws; 3] = [
            &|number| streams.of(number, "moments", 0),
            &|number| streams.of(1, "moments", number),
            &of_trial,
        ];
        for of in along {
            let n = 200_000;
            let (mut sum, mut squares, mut beyond, mut last, mut beside) = (0.0, 0.0, 0, 0.0, 0.0);
            for number in 0..n {
                let x = of(number).normal();
                sum += x;
                squares += x * x;
                beyond += u32::from(x.abs() > 1.959_963_984_540_054);
                beside += x * last;
                last = x;
            }
            let n = n as f64;
            // Five standard errors of each; neighbours have nothing in common.
            assert!((sum / n).abs() < 5.0 / n.sqrt());
            assert!((squares / n - 1.0).abs() < 5.0 * (2.0 / n).sqrt());
            assert!((f64::from(beyond) / n - 0.05).abs() < 5.0 * (0.05 * 0.95 / n).sqrt());
            assert!((beside / n).abs() < 5.0 / n.sqrt());
        }
    }

    #[test]
    fn a_weighted_draw_never_takes_a_choice_without_weight() {
        let mut stream = Streams::new(1).of_trial("weights");
        let mut counts = [0; 3];
        for _ in 0..10_000 {
            counts[stream.weighted([0.25, 0.0, 0.75])] += 1;
        }
        assert_eq!(counts[1], 0);
        assert!((f64::from(counts[0]) / 10_000.0 - 0.25).abs() < 5.0 * (0.25f64 * 0.75 / 10_000.0).sqrt());
    }
}
