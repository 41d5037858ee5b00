//! Random streams keyed by participant and process.
//!
//! Every draw of a rehearsal comes from a stream named by who it is for, which
//! process asks and on which occasion. So one participant more, or one process
//! more, changes no draw anywhere else, and a process that is skipped shifts nothing.
//!
//! Numbers are those of Philox 4x64-10. Its 128-bit key is the trial's (of seed and number of the trial); its
//! counter is participant, process (a digest of its name), occasion, and the block of that stream. So
//! getting to a stream costs one block of four numbers, and no draw has to be made to reach another.

use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use sha2::{Digest, Sha256};

use crate::{
    normal,
    philox::{self, RoundKeys, WORDS},
};

/// The root of a trial's random streams.
#[derive(Clone, Copy, Debug)]
pub struct Streams {
    seed: u64,
    trial: u64,
    keys: RoundKeys,
}

/// A process that draws, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
}

fn word(digest: &[u8], place: usize) -> u64 {
    digest[8 * place..].iter().take(8).rev().fold(0, |word, byte| word << 8 | u64::from(*byte))
}

/// The participant that means the trial as a whole.
const WHOLE_TRIAL: u64 = u64::MAX;

impl Streams {
    /// Returns the streams of a seed: those of its trial number 0.
    pub fn new(seed: u64) -> Self {
        Self::of_trial_number(seed, 0)
    }

    /// Returns the streams of one of a seed's many trials.
    pub fn of_trial_number(seed: u64, trial: u64) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"equipoise trial 3\0");
        hash.update(seed.to_le_bytes());
        hash.update(trial.to_le_bytes());
        let digest = hash.finalize();
        Self { seed, trial, keys: RoundKeys::of([word(&digest, 0), word(&digest, 1)]) }
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
        #[cfg(test)]
        tally::add([1, 0]);
        let [words] = philox::first_blocks(&self.keys, participant, [[occasion, process.0]]);
        Draws { key: self.keys.key(), counter: [0, occasion, process.0, participant], words, used: 0 }
    }

    /// Returns several streams of a participant at once: a processor works on them side by side.
    #[inline]
    pub fn draws_of<const N: usize>(&self, participant: u64, wanted: [(Process, u64); N]) -> [Draws; N] {
        #[cfg(test)]
        tally::add([N as u64, 0]);
        let counters = wanted.map(|(process, occasion)| [occasion, process.0]);
        let blocks = philox::first_blocks(&self.keys, participant, counters);
        std::array::from_fn(|place| {
            let [occasion, process] = counters[place];
            let counter = [0, occasion, process, participant];
            Draws { key: self.keys.key(), counter, words: blocks[place], used: 0 }
        })
    }

    /// Returns the first two uniform numbers of several streams of a participant.
    #[inline]
    pub(crate) fn uniforms_of<const N: usize>(
        &self,
        participant: u64,
        wanted: [(Process, u64); N],
    ) -> [[f64; 2]; N] {
        #[cfg(test)]
        tally::add([N as u64, 0]);
        let counters = wanted.map(|(process, occasion)| [occasion, process.0]);
        philox::first_halves(&self.keys, participant, counters).map(|bits| bits.map(uniform_of))
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

#[inline]
fn uniform_of(bits: u64) -> f64 {
    ((bits >> 12) as f64 + 0.5) / (1u64 << 52) as f64
}

/// Draws from one stream. The same on every platform: whole numbers, arithmetic and `libm` alone.
#[derive(Clone)]
pub struct Draws {
    key: [u64; 2],
    counter: [u64; WORDS],
    words: [u64; WORDS],
    used: usize,
}

impl Draws {
    #[inline]
    fn bits(&mut self) -> u64 {
        if self.used == WORDS {
            self.next_block();
        }
        let bits = self.words[self.used];
        self.used += 1;
        bits
    }

    #[cold]
    fn next_block(&mut self) {
        #[cfg(test)]
        tally::add([1, 0]);
        let [block, rest @ ..] = self.counter;
        let [occasion, process, participant] = rest;
        self.counter = [block + 1, occasion, process, participant];
        self.words = philox::block(&RoundKeys::of(self.key), self.counter);
        self.used = 0;
    }

    /// Draws a uniform number in `(0, 1)`: 52 bits, centred in their cell so that neither end occurs.
    #[inline]
    pub fn uniform(&mut self) -> f64 {
        uniform_of(self.bits())
    }

    /// Says yes with probability `share`.
    pub fn chance(&mut self, share: f64) -> bool {
        self.uniform() < share
    }

    /// Draws a standard normal number: the normal quantile of a uniform one.
    #[inline]
    pub fn normal(&mut self) -> f64 {
        #[cfg(test)]
        tally::add([0, 1]);
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

    /// Draws an index with probability proportional to its weight.
    ///
    /// # Panics
    /// There is no positive weight.
    pub fn weighted(&mut self, weights: impl IntoIterator<Item = f64> + Clone) -> usize {
        let total: f64 = weights.clone().into_iter().sum();
        assert!(total > 0.0, "a draw among no choices");
        let mut rest = self.uniform() * total;
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

    /// Draws a whole number below `bound` without bias.
    pub fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "a draw among no choices");
        let limit = u64::MAX - u64::MAX % bound;
        loop {
            let draw = self.bits();
            if draw < limit {
                return draw % bound;
            }
        }
    }
}

/// Counts what is drawn, for a test.
#[cfg(test)]
pub(crate) mod tally {
    use std::cell::Cell;

    thread_local! {
        static DRAWN: Cell<[u64; 2]> = const { Cell::new([0; 2]) };
    }

    /// Adds blocks and normal numbers.
    pub(crate) fn add([blocks, normals]: [u64; 2]) {
        DRAWN.with(|drawn| drawn.set([drawn.get()[0] + blocks, drawn.get()[1] + normals]));
    }

    /// Returns blocks and normal numbers since the last time.
    pub(crate) fn take() -> [u64; 2] {
        DRAWN.with(|drawn| drawn.take())
    }
}

#[cfg(test)]
mod tests {
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
            let [two] = streams.uniforms_of(9, [(process, occasion)]);
            let mut again = alone.clone();
            assert_eq!(two, [again.uniform(), again.uniform()]);
            assert!((0..40).all(|_| draws.uniform() == alone.uniform()));
        }
    }

    #[test]
    fn trials_of_a_seed_differ_and_the_first_is_the_seeds_own() {
        let draw = |streams: Streams| streams.of(1, "skin", 0).uniform();
        assert_eq!(draw(Streams::new(7)), draw(Streams::of_trial_number(7, 0)));
        assert_ne!(draw(Streams::new(7)), draw(Streams::of_trial_number(7, 1)));
        assert_ne!(draw(Streams::of_trial_number(8, 1)), draw(Streams::of_trial_number(7, 1)));
    }

    fn assert_prints(drawn: &[f64], expected: &str) {
        let printed: String = drawn.iter().map(|x| format!("{x:?}\n")).collect();
        assert_eq!(printed, expected);
    }

    #[test]
    fn normal_draws_have_the_moments_of_the_normal_distribution() {
        let mut stream = Streams::new(1).of_trial("moments");
        let n = 200_000;
        let (mut sum, mut squares, mut beyond) = (0.0, 0.0, 0);
        for _ in 0..n {
            let x = stream.normal();
            sum += x;
            squares += x * x;
            beyond += u32::from(x.abs() > 1.959_963_984_540_054);
        }
        let n = f64::from(n);
        // Five standard errors of each.
        assert!((sum / n).abs() < 5.0 / n.sqrt());
        assert!((squares / n - 1.0).abs() < 5.0 * (2.0 / n).sqrt());
        assert!((f64::from(beyond) / n - 0.05).abs() < 5.0 * (0.05 * 0.95 / n).sqrt());
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
