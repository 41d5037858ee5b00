//! Random numbers of imputations, keyed by imputation and participant.
//!
//! Each draw comes from a stream named by the seed, the imputation, what is drawn and for whom,
//! so one participant or one imputation more changes no other draw, and no order of work does.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::distribution;

/// What a stream is for; part of its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// Which participants a bootstrap sample has, on the attempt given.
    Sample(u32),
    /// The parameters, on the attempt given.
    Parameters(u32),
    /// The missing responses of one participant.
    Responses(usize),
}

/// A stream of draws.
pub(super) struct Draws(ChaCha8Rng);

impl Draws {
    /// The stream of a seed, an imputation and a use.
    pub(super) fn of(seed: u64, imputation: usize, what: Use) -> Self {
        let (kind, of) = match what {
            Use::Sample(attempt) => (0u64, u64::from(attempt)),
            Use::Responses(participant) => (1, participant as u64),
            Use::Parameters(attempt) => (2, u64::from(attempt)),
        };
        let mut key = [0u8; 32];
        for (slot, word) in key.chunks_mut(8).zip([seed, imputation as u64, kind, of]) {
            slot.copy_from_slice(&word.to_le_bytes());
        }
        Self(ChaCha8Rng::from_seed(key))
    }

    /// A number in (0, 1), of 53 bits.
    pub(super) fn uniform(&mut self) -> f64 {
        ((self.0.next_u64() >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }

    /// A standard normal number, by the inverse of its distribution function.
    pub(super) fn normal(&mut self) -> f64 {
        distribution::normal_quantile(self.uniform())
    }

    /// A whole number below `bound`.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        (self.uniform() * bound as f64) as usize
    }
}

/// As many participants of each stratum as it has, drawn with replacement.
pub(super) fn sample_within(strata: &[usize], stream: &mut Draws) -> Vec<usize> {
    let mut members: Vec<Vec<usize>> = Vec::new();
    for (i, stratum) in strata.iter().enumerate() {
        if members.len() <= *stratum {
            members.resize(stratum + 1, Vec::new());
        }
        members[*stratum].push(i);
    }
    let of_each = members.iter().flat_map(|of_stratum| of_stratum.iter().map(move |_| of_stratum));
    of_each.map(|of_stratum| of_stratum[stream.below(of_stratum.len())]).collect()
}

#[test]
fn a_stream_depends_on_all_of_its_key_and_on_nothing_else() {
    let first = |seed, imputation, what| Draws::of(seed, imputation, what).normal();
    let one = first(7, 0, Use::Responses(3));
    assert_eq!(one.to_bits(), first(7, 0, Use::Responses(3)).to_bits());
    for other in [
        first(8, 0, Use::Responses(3)),
        first(7, 1, Use::Responses(3)),
        first(7, 0, Use::Responses(4)),
        first(7, 0, Use::Sample(3)),
        first(7, 0, Use::Parameters(3)),
    ] {
        assert!((one - other).abs() > 1e-9);
    }
}
