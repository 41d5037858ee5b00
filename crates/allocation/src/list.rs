//! The two secret lists as bytes, before sealing and after opening.
//!
//! The *working list* is what a running trial needs: for each position an opaque
//! class, an entry digest and the arm already sealed to each break holder; for
//! each kit its class. It does not say which class is which arm. The *full list*
//! says that, with the seed and block sizes. Both layouts have a length that
//! public facts alone determine (the number of positions, kits and holders), so
//! a ciphertext's size tells nothing. `docs/allocation-and-vault.md` draws them.

use terms::ArmId;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::{
    permuted_blocks::{ARM_BYTES_MAX, ARMS_MAX, BLOCK_SIZES_MAX, ListSeed, PermutedBlocks},
    sealing::{SEALED_PAYLOAD_BYTES, SealedBytes},
};

const WORKING_MAGIC: &[u8; 8] = b"EQWORK1\0";
const FULL_MAGIC: &[u8; 8] = b"EQLIST1\0";
/// A length byte and the identifier, padded with zeros.
pub(crate) const ARM_FIELD_BYTES: usize = 1 + ARM_BYTES_MAX;

/// What the public part of a vault says of the secret lists: it fixes their layout.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    /// The positions of all strata together.
    pub(crate) positions: usize,
    /// The kits of all consignments together.
    pub(crate) kits: usize,
    /// The holders that may break a blind.
    pub(crate) break_holders: usize,
}

/// One position of the working list.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(crate) struct WorkingEntry {
    pub(crate) class: u8,
    #[zeroize(skip)]
    pub(crate) digest: [u8; 32],
    /// The arm, sealed to each break holder in the order of the holders.
    #[zeroize(skip)]
    pub(crate) sealed_arms: Vec<SealedBytes>,
}

/// What a running trial needs, without the names of the arms.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(crate) struct WorkingList {
    pub(crate) choice_key: [u8; 32],
    pub(crate) entries: Vec<WorkingEntry>,
    /// Each kit's class, ascending by kit number.
    pub(crate) kit_classes: Vec<u8>,
}

/// Everything: opened after lock, by several holders together.
pub(crate) struct FullList {
    pub(crate) seed: ListSeed,
    pub(crate) scheme: PermutedBlocks,
    /// Each position's index of arm, in the order of strata.
    pub(crate) arms: Zeroizing<Vec<u8>>,
    /// Each kit's index of arm, ascending by kit number.
    pub(crate) kit_arms: Zeroizing<Vec<u8>>,
}

impl WorkingList {
    pub(crate) fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(WORKING_MAGIC.to_vec());
        bytes.extend_from_slice(&self.choice_key);
        for entry in &self.entries {
            bytes.push(entry.class);
            bytes.extend_from_slice(&entry.digest);
            entry.sealed_arms.iter().for_each(|sealed| bytes.extend_from_slice(&sealed.0));
        }
        bytes.extend_from_slice(&self.kit_classes);
        bytes
    }

    /// Reads the layout of a shape; nothing if the bytes have another.
    pub(crate) fn from_bytes(bytes: &[u8], shape: Shape) -> Option<Self> {
        let mut rest = Fields(bytes);
        rest.magic(WORKING_MAGIC)?;
        let choice_key = rest.array()?;
        let entry = |rest: &mut Fields<'_>| {
            let (class, digest) = (rest.byte()?, rest.array()?);
            let sealed_arms = (0..shape.break_holders)
                .map(|_| Some(SealedBytes(rest.take(SEALED_PAYLOAD_BYTES)?.to_vec())))
                .collect::<Option<_>>()?;
            Some(WorkingEntry { class, digest, sealed_arms })
        };
        let entries = (0..shape.positions).map(|_| entry(&mut rest)).collect::<Option<_>>()?;
        let kit_classes = rest.take(shape.kits)?.to_vec();
        rest.0.is_empty().then_some(Self { choice_key, entries, kit_classes })
    }
}

impl FullList {
    pub(crate) fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(FULL_MAGIC.to_vec());
        bytes.extend_from_slice(self.seed.expose());
        let (sizes, arms) = (self.scheme.block_sizes(), self.scheme.arms());
        bytes.push(sizes.len() as u8);
        for slot in 0..BLOCK_SIZES_MAX {
            bytes.extend_from_slice(&sizes.get(slot).copied().unwrap_or(0).to_le_bytes());
        }
        bytes.push(arms.len() as u8);
        for slot in 0..ARMS_MAX {
            let (name, ratio) = arms.get(slot).map_or(("", 0), |(arm, ratio)| (arm.as_str(), *ratio));
            bytes.extend_from_slice(&ratio.to_le_bytes());
            bytes.extend_from_slice(&arm_field(name)[..]);
        }
        bytes.extend_from_slice(&self.arms);
        bytes.extend_from_slice(&self.kit_arms);
        bytes
    }

    /// Reads the layout of a shape; nothing if the bytes have another.
    pub(crate) fn from_bytes(bytes: &[u8], shape: Shape) -> Option<Self> {
        let mut rest = Fields(bytes);
        rest.magic(FULL_MAGIC)?;
        let seed = ListSeed::from_bytes(rest.array()?);
        let size_count = rest.byte()?;
        let sizes: Vec<u32> = (0..BLOCK_SIZES_MAX).map(|_| rest.number()).collect::<Option<_>>()?;
        let arm_count = rest.byte()?;
        let slot = |rest: &mut Fields<'_>| {
            let ratio = rest.number()?;
            Some((read_arm(rest.take(ARM_FIELD_BYTES)?)?, ratio))
        };
        let slots: Vec<(ArmId, u32)> = (0..ARMS_MAX).map(|_| slot(&mut rest)).collect::<Option<_>>()?;
        let scheme =
            PermutedBlocks::new(slots.get(..usize::from(arm_count))?, sizes.get(..usize::from(size_count))?);
        let arms = Zeroizing::new(rest.take(shape.positions)?.to_vec());
        let kit_arms = Zeroizing::new(rest.take(shape.kits)?.to_vec());
        let known = |indices: &[u8]| indices.iter().all(|&index| index < arm_count);
        (rest.0.is_empty() && known(&arms) && known(&kit_arms)).then_some(())?;
        Some(Self { seed, scheme: scheme.ok()?, arms, kit_arms })
    }
}

/// Writes an arm's identifier into its fixed field.
pub(crate) fn arm_field(name: &str) -> Zeroizing<[u8; ARM_FIELD_BYTES]> {
    assert!(name.len() <= ARM_BYTES_MAX, "a scheme's arms fit their field");
    let mut field = Zeroizing::new([0; ARM_FIELD_BYTES]);
    field[0] = name.len() as u8;
    field[1..=name.len()].copy_from_slice(name.as_bytes());
    field
}

/// Reads an arm's identifier from its fixed field.
pub(crate) fn read_arm(field: &[u8]) -> Option<ArmId> {
    let (&length, text) = field.split_first()?;
    std::str::from_utf8(text.get(..usize::from(length))?).ok().map(ArmId::from)
}

/// The bytes of a layout that are still to be read.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (field, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(field)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn byte(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn number(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn magic(&mut self, expected: &[u8; 8]) -> Option<()> {
        (self.take(8)? == expected).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Shape = Shape { positions: 3, kits: 2, break_holders: 1 };

    fn working() -> WorkingList {
        let entry = |class| WorkingEntry {
            class,
            digest: [class + 10; 32],
            sealed_arms: vec![SealedBytes(vec![class + 20; SEALED_PAYLOAD_BYTES])],
        };
        WorkingList { choice_key: [7; 32], entries: [0, 1, 0].map(entry).into(), kit_classes: vec![1, 0] }
    }

    fn full() -> FullList {
        let name = "n".repeat(ARM_BYTES_MAX);
        FullList {
            seed: ListSeed::from_bytes([3; 32]),
            scheme: PermutedBlocks::new(&[(name.into(), 2), ("b".into(), 1)], &[3, 9]).unwrap(),
            arms: Zeroizing::new(vec![0, 1, 0]),
            kit_arms: Zeroizing::new(vec![1, 0]),
        }
    }

    #[test]
    fn a_list_is_read_back_as_it_was_written_in_the_documented_length() {
        let bytes = working().to_bytes();
        assert_eq!(bytes.len(), 8 + 32 + 3 * (1 + 32 + 112) + 2);
        assert_eq!(WorkingList::from_bytes(&bytes, SHAPE).unwrap().to_bytes(), bytes);
        let bytes = full().to_bytes();
        assert_eq!(bytes.len(), 8 + 32 + 1 + 8 * 4 + 1 + 16 * (4 + 32) + 3 + 2);
        let read = FullList::from_bytes(&bytes, SHAPE).unwrap();
        assert_eq!(read.scheme, full().scheme);
        assert_eq!(read.to_bytes(), bytes);
    }

    #[test]
    fn bytes_of_another_shape_are_refused() {
        let (working, full) = (working().to_bytes(), full().to_bytes());
        for shape in [
            Shape { positions: 2, ..SHAPE },
            Shape { kits: 3, ..SHAPE },
            Shape { kits: 1, ..SHAPE },
            Shape { break_holders: 2, ..SHAPE },
        ] {
            assert!(WorkingList::from_bytes(&working, shape).is_none());
        }
        assert!(FullList::from_bytes(&full, Shape { kits: 3, ..SHAPE }).is_none());
        assert!(FullList::from_bytes(&full, Shape { positions: 2, ..SHAPE }).is_none());
        assert!(FullList::from_bytes(&working, SHAPE).is_none());
        for from_end in [1, 2, 3, 5] {
            let mut unknown_arm = full.to_vec();
            let at = unknown_arm.len() - from_end;
            unknown_arm[at] = 2;
            assert!(FullList::from_bytes(&unknown_arm, SHAPE).is_none(), "{from_end} from the end");
        }
    }
}
