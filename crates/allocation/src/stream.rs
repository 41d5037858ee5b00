//! Keyed random streams with unbiased whole-number draws.
//!
//! A stream is ChaCha20 under a key that is the SHA-256 of a purpose, a secret
//! seed and a name, with nonce and counter 0. It is read as little-endian
//! 32-bit words. Streams of different purposes or names share nothing, so that
//! a longer list in one stratum changes no other.

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

use crate::binding::Binding;

/// A random stream that only its arguments determine.
pub(crate) struct Stream(ChaCha20Rng);

impl Stream {
    /// Starts the stream of `name` for `purpose` under a secret seed.
    pub(crate) fn new(purpose: &str, seed: &[u8; 32], name: &[u8]) -> Self {
        Self(ChaCha20Rng::from_seed(Binding::of(purpose).bytes(seed).bytes(name).digest()))
    }

    /// Draws a whole number below `bound`, each equally likely.
    ///
    /// Words at or above the largest multiple of `bound` that a word can hold
    /// are thrown away, so no number is favoured.
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        assert!(bound > 0, "a draw has at least one outcome");
        let accepted = (1u64 << 32) / u64::from(bound) * u64::from(bound);
        loop {
            let word = self.0.next_u32();
            if u64::from(word) < accepted {
                return word % bound;
            }
        }
    }

    /// Puts the items in random order (Fisher and Yates, from the last item down).
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let bound = u32::try_from(last + 1).expect("a shuffled list has fewer than 2^32 items");
            items.swap(last, self.below(bound) as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draw_is_below_its_bound_and_reaches_every_number() {
        let mut stream = Stream::new("test", &[7; 32], b"");
        let mut seen = [0u32; 6];
        for _ in 0..6_000 {
            seen[stream.below(6) as usize] += 1;
        }
        // Six binomial counts of mean 1000 and deviation 29; the stream is fixed.
        assert!(seen.iter().all(|&count| (850..1_150).contains(&count)), "{seen:?}");
    }

    #[test]
    fn a_bound_that_does_not_divide_the_words_favours_no_number() {
        // Of words modulo 3 * 2^30, half are below 2^30; of unbiased draws, a third.
        let mut stream = Stream::new("test", &[7; 32], b"");
        let low = (0..6_000).filter(|_| stream.below(3 << 30) < 1 << 30).count();
        assert!((1_850..2_150).contains(&low), "{low}");
    }

    #[test]
    fn streams_of_two_names_differ() {
        let draw = |name: &[u8]| {
            let mut stream = Stream::new("test", &[7; 32], name);
            (0..8).map(|_| stream.below(1 << 30)).collect::<Vec<_>>()
        };
        assert_eq!(draw(b"systemic"), draw(b"systemic"));
        assert_ne!(draw(b"systemic"), draw(b"cutaneous"));
    }
}
