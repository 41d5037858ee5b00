//! Permuted-block allocation.
//!
//! Each stratum has its own sequence of blocks. A block holds the arms in the
//! protocol's ratio, in an order drawn from the stratum's random stream, so the
//! arms are back in that ratio at the end of every block. Where the scheme has
//! several block sizes, the stream also draws each block's size.
//!
//! **Invariant:** this module sees the stratum and nothing else of a subject,
//! and keeps no earlier allocation in memory. Concealment rests on that.

use std::fmt;

use rand_core::CryptoRng;
use terms::ArmId;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::{stream::Stream, unblinded::Unblinded};

/// The longest arm identifier, in bytes; every sealed arm is padded to it.
pub const ARM_BYTES_MAX: usize = 31;
/// The largest block.
pub const BLOCK_SIZE_MAX: u32 = 1_000;
/// The most block sizes that one scheme draws from.
pub const BLOCK_SIZES_MAX: usize = 8;
/// The most arms of a scheme.
pub const ARMS_MAX: usize = 16;

const PURPOSE: &str = "equipoise/permuted-blocks/1";

/// Why a block scheme cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchemeError {
    /// Randomisation needs something to choose from.
    #[error("a scheme needs 2 to {ARMS_MAX} arms, and this one has {arms}")]
    ArmCount {
        /// How many arms were given.
        arms: usize,
    },
    /// Two entries name one arm.
    #[error("arm number {position} of the scheme is already in it")]
    RepeatedArm {
        /// The second entry, counted from 1.
        position: usize,
    },
    /// An arm's identifier is empty or does not fit its sealed field.
    #[error(
        "arm number {position} of the scheme has an identifier of {bytes} bytes; write 1 to {ARM_BYTES_MAX}"
    )]
    ArmLength {
        /// The entry, counted from 1.
        position: usize,
        /// The identifier's length.
        bytes: usize,
    },
    /// An arm would never be given.
    #[error("arm number {position} of the scheme has the ratio 0")]
    ZeroRatio {
        /// The entry, counted from 1.
        position: usize,
    },
    /// No block size, or more than the sealed list has room for.
    #[error("a scheme draws from 1 to {BLOCK_SIZES_MAX} block sizes, and this one has {sizes}")]
    BlockSizeCount {
        /// How many sizes were given.
        sizes: usize,
    },
    /// A block could not hold the arms in their ratio.
    #[error("block size {block_size} is not a multiple of the ratio total {ratio_total}")]
    BlockSizeNotMultiple {
        /// The block size.
        block_size: u32,
        /// The sum of the ratio.
        ratio_total: u32,
    },
    /// A block is empty or absurdly large.
    #[error("block size {block_size} is not between 1 and {BLOCK_SIZE_MAX}")]
    BlockSizeRange {
        /// The block size.
        block_size: u32,
    },
}

/// The secret that a list is drawn from. It lives in the sealed list alone.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct ListSeed([u8; 32]);

impl ListSeed {
    /// Draws a seed.
    pub fn draw(random: &mut impl CryptoRng) -> Self {
        let mut seed = Self([0; 32]);
        random.fill_bytes(&mut seed.0);
        seed
    }

    /// Wraps a seed that was drawn elsewhere, as in a replay.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the seed's bytes, for an independent replay.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for ListSeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ListSeed(..)")
    }
}

/// Arms, their ratio and the block sizes to draw from. Prints nothing of them.
#[derive(Clone, PartialEq, Eq)]
pub struct PermutedBlocks {
    arms: Vec<(ArmId, u32)>,
    block_sizes: Vec<u32>,
}

impl PermutedBlocks {
    /// Checks a scheme. The order of arms and sizes is part of it, since a replay depends on it.
    ///
    /// A size that is given twice is drawn twice as often.
    ///
    /// # Errors
    /// Arms or sizes that no block can be made of.
    pub fn new(arms: &[(ArmId, u32)], block_sizes: &[u32]) -> Result<Self, SchemeError> {
        if !(2..=ARMS_MAX).contains(&arms.len()) {
            return Err(SchemeError::ArmCount { arms: arms.len() });
        }
        for (index, (arm, ratio)) in arms.iter().enumerate() {
            let (position, bytes) = (index + 1, arm.as_str().len());
            if !(1..=ARM_BYTES_MAX).contains(&bytes) {
                return Err(SchemeError::ArmLength { position, bytes });
            }
            if arms[..index].iter().any(|(earlier, _)| earlier == arm) {
                return Err(SchemeError::RepeatedArm { position });
            }
            if *ratio == 0 {
                return Err(SchemeError::ZeroRatio { position });
            }
        }
        if !(1..=BLOCK_SIZES_MAX).contains(&block_sizes.len()) {
            return Err(SchemeError::BlockSizeCount { sizes: block_sizes.len() });
        }
        let ratio_total = arms.iter().fold(0u32, |total, (_, ratio)| total.saturating_add(*ratio));
        for &block_size in block_sizes {
            if !(1..=BLOCK_SIZE_MAX).contains(&block_size) {
                return Err(SchemeError::BlockSizeRange { block_size });
            }
            if !block_size.is_multiple_of(ratio_total) {
                return Err(SchemeError::BlockSizeNotMultiple { block_size, ratio_total });
            }
        }
        Ok(Self { arms: arms.to_vec(), block_sizes: block_sizes.to_vec() })
    }

    /// Returns the arms of a stratum's first `length` positions.
    ///
    /// The answer is a function of the arguments alone, so an independent program
    /// with the opened seed can replay it. Only the list's owner calls this. A
    /// longer list begins with the shorter one; its last block may be cut.
    pub fn draw_list(&self, seed: &ListSeed, stratum: &str, length: u32) -> StratumList {
        let mut list = StratumList { arms: Vec::new(), block_sizes: Vec::new() };
        for block in self.draw_blocks(seed, stratum, length) {
            list.block_sizes.push(u32::try_from(block.len()).expect("a block has at most 1000 positions"));
            list.arms.extend(block.into_iter().map(|arm| Unblinded::new(self.arms[arm].0.clone())));
        }
        list.arms.truncate(length as usize);
        list
    }

    /// Writes the places of the arms of a stratum's first `length` positions, for a simulation's many lists.
    ///
    /// They are those of [`draw_list`](Self::draw_list), by place in the scheme.
    pub fn draw_places(
        &self,
        seed: &ListSeed,
        stratum: &str,
        length: u32,
        places: &mut Vec<Unblinded<usize>>,
    ) {
        places.clear();
        let mut stream = Stream::new(PURPOSE, &seed.0, stratum.as_bytes());
        while places.len() < length as usize {
            self.draw_block(&mut stream, places, Unblinded::new);
        }
        places.truncate(length as usize);
    }

    /// Draws whole blocks, as indices of arms, until they hold `length` positions.
    fn draw_blocks(&self, seed: &ListSeed, stratum: &str, length: u32) -> Vec<Vec<usize>> {
        let mut stream = Stream::new(PURPOSE, &seed.0, stratum.as_bytes());
        let (mut blocks, mut drawn) = (Vec::new(), 0);
        while drawn < length as usize {
            let mut block = Vec::new();
            self.draw_block(&mut stream, &mut block, |arm| arm);
            drawn += block.len();
            blocks.push(block);
        }
        blocks
    }

    /// Adds a block's arms, as indices that `made` turns into what is kept.
    fn draw_block<T>(&self, stream: &mut Stream, list: &mut Vec<T>, made: impl Fn(usize) -> T) {
        let ratio_total: u32 = self.arms.iter().map(|(_, ratio)| ratio).sum();
        let size = match &self.block_sizes[..] {
            [only] => *only,
            several => several[stream.below(several.len() as u32) as usize],
        };
        let repeats = size / ratio_total;
        let from = list.len();
        list.extend(
            (self.arms.iter().enumerate())
                .flat_map(|(arm, (_, ratio))| std::iter::repeat_n(arm, (ratio * repeats) as usize))
                .map(made),
        );
        stream.shuffle(&mut list[from..]);
    }

    /// Returns the arms and their ratio, in the scheme's order.
    pub(crate) fn arms(&self) -> &[(ArmId, u32)] {
        &self.arms
    }

    /// Returns the block sizes, in the scheme's order.
    pub(crate) fn block_sizes(&self) -> &[u32] {
        &self.block_sizes
    }
}

impl fmt::Debug for PermutedBlocks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PermutedBlocks(..)")
    }
}

/// One stratum's drawn list: an arm for each position, and the blocks it came from.
#[derive(Clone, PartialEq, Eq)]
pub struct StratumList {
    arms: Vec<Unblinded<ArmId>>,
    block_sizes: Vec<u32>,
}

impl StratumList {
    /// Returns the arms in order; the first is position 1.
    pub fn arms(&self) -> &[Unblinded<ArmId>] {
        &self.arms
    }

    /// Returns the sizes of the blocks drawn, the last one whole even where the list cuts it.
    pub fn block_sizes(&self) -> Unblinded<Vec<u32>> {
        Unblinded::new(self.block_sizes.clone())
    }
}

impl fmt::Debug for StratumList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StratumList(..)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scheme(ratio: &[u32], sizes: &[u32]) -> Result<PermutedBlocks, SchemeError> {
        let arms: Vec<_> =
            ratio.iter().enumerate().map(|(n, &r)| (ArmId::from(format!("arm-{n}")), r)).collect();
        PermutedBlocks::new(&arms, sizes)
    }

    #[test]
    fn a_block_size_that_breaks_the_ratio_is_refused() {
        let refused = scheme(&[2, 1], &[4]).unwrap_err();
        assert_eq!(refused.to_string(), "block size 4 is not a multiple of the ratio total 3");
    }

    #[test]
    fn every_unusable_scheme_is_refused_for_its_own_reason() {
        use SchemeError::*;
        let named = |names: &[&str]| {
            let arms: Vec<_> = names.iter().map(|name| (ArmId::from(*name), 1)).collect();
            PermutedBlocks::new(&arms, &[4])
        };
        assert_eq!(scheme(&[1], &[4]), Err(ArmCount { arms: 1 }));
        assert_eq!(scheme(&[1; 17], &[17]), Err(ArmCount { arms: 17 }));
        assert_eq!(scheme(&[1, 0], &[4]), Err(ZeroRatio { position: 2 }));
        assert_eq!(scheme(&[1, 1], &[]), Err(BlockSizeCount { sizes: 0 }));
        assert_eq!(scheme(&[1, 1], &[4; 9]), Err(BlockSizeCount { sizes: 9 }));
        assert_eq!(scheme(&[1, 1], &[4, 0]), Err(BlockSizeRange { block_size: 0 }));
        assert_eq!(scheme(&[1, 1], &[1_002]), Err(BlockSizeRange { block_size: 1_002 }));
        assert_eq!(
            scheme(&[u32::MAX, 2], &[4]),
            Err(BlockSizeNotMultiple { block_size: 4, ratio_total: u32::MAX })
        );
        assert_eq!(named(&["a", "a"]), Err(RepeatedArm { position: 2 }));
        assert_eq!(named(&["a", ""]), Err(ArmLength { position: 2, bytes: 0 }));
        assert_eq!(named(&["a", &"b".repeat(32)]), Err(ArmLength { position: 2, bytes: 32 }));
    }

    #[test]
    fn nothing_of_the_scheme_is_printed() {
        let scheme = PermutedBlocks::new(&[("imatinib".into(), 1), ("placebo".into(), 1)], &[4]).unwrap();
        let list = scheme.draw_list(&ListSeed::from_bytes([1; 32]), "systemic", 3);
        let printed = format!("{scheme:?} {list:?} {:?} {}", list.arms(), list.arms()[0]);
        for secret in ["imatinib", "placebo", "4"] {
            assert!(!printed.contains(secret), "{printed}");
        }
    }

    proptest! {
        #[test]
        fn every_block_holds_the_arms_in_the_protocol_ratio(
            ratio in proptest::collection::vec(1u32..4, 2..5),
            multiples in proptest::collection::vec(1u32..5, 1..4),
            seed: [u8; 32],
            length in 0u32..80,
        ) {
            let total: u32 = ratio.iter().sum();
            let sizes: Vec<u32> = multiples.iter().map(|multiple| multiple * total).collect();
            let scheme = scheme(&ratio, &sizes).unwrap();
            let blocks = scheme.draw_blocks(&ListSeed(seed), "systemic", length);
            for block in &blocks {
                prop_assert!(sizes.contains(&(block.len() as u32)));
                for (arm, share) in ratio.iter().enumerate() {
                    let held = block.iter().filter(|&&index| index == arm).count() as u32;
                    prop_assert_eq!(held * total, share * block.len() as u32);
                }
            }
            let whole: usize = blocks.iter().map(Vec::len).sum();
            prop_assert!(whole >= length as usize);
            prop_assert!(blocks.last().is_none_or(|last| whole - last.len() < length as usize));
        }

        #[test]
        fn a_longer_list_begins_with_the_shorter_one(seed: [u8; 32], short in 0u32..40, more in 0u32..40) {
            let scheme = scheme(&[1, 1], &[4, 6]).unwrap();
            let list = |length| scheme.draw_list(&ListSeed(seed), "systemic", length);
            let (shorter, longer) = (list(short), list(short + more));
            prop_assert_eq!(shorter.arms(), &longer.arms()[..short as usize]);
        }
    }
}
