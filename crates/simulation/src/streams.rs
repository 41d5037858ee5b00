//! Random streams keyed by participant and process.
//!
//! Every draw of a rehearsal comes from a stream named by who it is for, which
//! process asks and on which occasion. So one participant more, or one process
//! more, changes no draw anywhere else, and a process that is skipped shifts nothing.

use rand_chacha::{
    ChaCha8Rng, ChaCha20Rng,
    rand_core::{Rng, SeedableRng},
};
use sha2::{Digest, Sha256};

/// The root of a rehearsal's random streams.
#[derive(Clone, Copy, Debug)]
pub struct Streams {
    seed: u64,
}

impl Streams {
    /// Returns the streams of a seed.
    pub fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// Returns the stream of a participant (by order of arrival), a process and an occasion of it.
    pub fn of(&self, participant: u64, process: &str, occasion: u64) -> Draws {
        Draws { generator: ChaCha8Rng::from_seed(self.key("participant", participant, process, occasion)) }
    }

    /// Returns the stream of a process of the trial as a whole.
    pub fn of_trial(&self, process: &str) -> Draws {
        Draws { generator: ChaCha8Rng::from_seed(self.key("trial", 0, process, 0)) }
    }

    /// Returns a generator for salts, codes and sealing, which in a live trial is the system's.
    pub fn for_secrets(&self, process: &str) -> ChaCha20Rng {
        ChaCha20Rng::from_seed(self.key("secrets", 0, process, 0))
    }

    fn key(&self, kind: &str, participant: u64, process: &str, occasion: u64) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(b"equipoise stream 1\0");
        hash.update(self.seed.to_le_bytes());
        hash.update(kind.as_bytes());
        hash.update([0]);
        hash.update(participant.to_le_bytes());
        hash.update(occasion.to_le_bytes());
        hash.update(process.as_bytes());
        hash.finalize().into()
    }
}

/// Draws from one stream. The same on every platform: ChaCha8 and `libm` alone.
pub struct Draws {
    generator: ChaCha8Rng,
}

impl Draws {
    /// Draws a uniform number in `(0, 1)`: 53 bits, centred in their cell so that neither end occurs.
    pub fn uniform(&mut self) -> f64 {
        ((self.generator.next_u64() >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }

    /// Says yes with probability `share`.
    pub fn chance(&mut self, share: f64) -> bool {
        self.uniform() < share
    }

    /// Draws a standard normal number (Box and Muller, Ann Math Stat 1958;29:610; the cosine half).
    pub fn normal(&mut self) -> f64 {
        let radius = libm::sqrt(-2.0 * libm::log(self.uniform()));
        radius * libm::cos(2.0 * std::f64::consts::PI * self.uniform())
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
            let draw = self.generator.next_u64();
            if draw < limit {
                return draw % bound;
            }
        }
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
