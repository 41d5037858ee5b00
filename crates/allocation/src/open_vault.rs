//! An unlocked vault: what a running trial may do with the list.
//!
//! It allocates the next position, picks a kit that matches, and says whether a
//! kit matched. It can't name an arm: it knows positions and kits by an opaque
//! class, and each participant's arm only as sealed to the break holders. Its
//! secrets are wiped when it is dropped. It counts nothing and remembers no
//! allocation: which position is next is for the record to say.

use std::fmt;

use rand_core::CryptoRng;
use terms::{ArmId, KitNumber, PersonId, StudyId};
use zeroize::Zeroizing;

use crate::{
    binding::Binding,
    envelope::{BreakEnvelope, BreakError, Placement, SealedCopy},
    list::{WorkingEntry, WorkingList},
    sealing::{self, Digest, PrivateKey, PublicKey},
    stream::Stream,
    unblinded::Unblinded,
    vault::{Holder, SealedVault, StratumLength},
};

const CHOICE_PURPOSE: &str = "equipoise/kit-choice/1";

/// Why a position could not be allocated or a kit not be chosen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AllocationError {
    /// The placement names another study.
    #[error("the vault is of study `{vault}`, not of `{asked}`")]
    OtherStudy {
        /// The study the vault was sealed for.
        vault: StudyId,
        /// The study that was asked for.
        asked: StudyId,
    },
    /// The list has no such stratum.
    #[error("the list has no stratum `{stratum}`")]
    UnknownStratum {
        /// The stratum.
        stratum: String,
    },
    /// The stratum's list ends before the position, or the position is 0.
    #[error("the list of stratum `{stratum}` has no position {position}")]
    NoSuchPosition {
        /// The stratum.
        stratum: String,
        /// The position.
        position: u32,
    },
    /// A number that is on no label.
    #[error("no kit has the number {kit}")]
    UnknownKit {
        /// The number.
        kit: KitNumber,
    },
    /// None of the kits in stock may be given to this participant.
    #[error("no kit in this stock can be dispensed to this participant")]
    NoMatchingKit,
    /// A stock from which no balanced consignment of that size can be made.
    #[error("the stock has too few kits for this consignment")]
    StockTooSmall,
}

/// What the record keeps of an allocation. The arm is sealed in the envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allocation {
    /// The participant's sealed arm.
    pub envelope: BreakEnvelope,
    /// The commitment to the list's entry, which the opened list confirms.
    pub entry_digest: Digest,
}

/// The unlocked vault. It prints nothing and can't be serialised or copied.
pub struct OpenVault {
    study: StudyId,
    list_digest: Digest,
    vault_key: PrivateKey,
    strata: Vec<StratumLength>,
    break_holders: Vec<Holder>,
    kits: Vec<KitNumber>,
    working: WorkingList,
}

impl OpenVault {
    pub(crate) fn new(vault: &SealedVault, vault_key: PrivateKey, working: WorkingList) -> Self {
        Self {
            study: vault.study().clone(),
            list_digest: vault.list_digest(),
            vault_key,
            strata: vault.strata().to_vec(),
            break_holders: vault
                .holders()
                .iter()
                .filter(|holder| holder.rights.break_blind)
                .cloned()
                .collect(),
            kits: vault.kit_numbers(),
            working,
        }
    }

    /// Gives the placement's position of the list to its participant.
    ///
    /// The caller sees to it that each position is given once and in order. The
    /// envelope's length does not depend on the arm.
    ///
    /// # Errors
    /// Another study, an unknown stratum or a position past the list's end.
    pub fn allocate(
        &self,
        placement: &Placement,
        random: &mut impl CryptoRng,
    ) -> Result<Allocation, AllocationError> {
        if placement.study != self.study {
            return Err(AllocationError::OtherStudy {
                vault: self.study.clone(),
                asked: placement.study.clone(),
            });
        }
        let entry = self.entry(&placement.stratum, placement.position)?;
        let entry_digest = Digest::from_bytes(entry.digest);
        let mut envelope = BreakEnvelope {
            placement: placement.clone(),
            list_digest: self.list_digest,
            entry_digest,
            copies: Vec::new(),
        };
        for (holder, sealed_arm) in self.break_holders.iter().zip(&entry.sealed_arms) {
            let context = envelope.context(&holder.person);
            let sealed = sealing::seal(&self.vault_key, holder.key, &context, &sealed_arm.0, random)
                .expect("the arm was sealed to this key when the list was made");
            envelope.copies.push(SealedCopy { person: holder.person.clone(), sealed });
        }
        Ok(Allocation { envelope, entry_digest })
    }

    /// Chooses, among the available kits, one for the participant at a position.
    ///
    /// Each matching kit is equally likely, and the choice depends on the
    /// position and the stock alone: a repeated call gives the same kit, the
    /// order of the stock does not matter, and a kit that was passed over tells
    /// nothing. Every kit is looked at whatever the arm.
    ///
    /// # Errors
    /// No such position, a number on no label, or no kit that matches.
    pub fn choose_kit(
        &self,
        stratum: &str,
        position: u32,
        stock: &[KitNumber],
    ) -> Result<KitNumber, AllocationError> {
        let class = self.entry(stratum, position)?.class;
        let mut stock: Vec<&KitNumber> = stock.iter().collect();
        stock.sort_unstable();
        stock.dedup();
        let mut matching = Vec::new();
        for kit in &stock {
            if self.kit_class(kit)? == class {
                matching.push(*kit);
            }
        }
        let count = u32::try_from(matching.len()).expect("there are fewer than 2^32 kits");
        if count == 0 {
            return Err(AllocationError::NoMatchingKit);
        }
        let name =
            Binding::of("place").text(stratum).number(position).each(&stock, |name, kit| name.text(*kit));
        let mut stream = Stream::new(CHOICE_PURPOSE, &self.working.choice_key, &name.into_bytes());
        Ok(matching[stream.below(count) as usize].clone())
    }

    /// Says whether a kit may be given to the participant at a position.
    ///
    /// For finding that a wrong kit was handed out. Whoever may ask at will
    /// learns which participants are treated alike, so only that check asks.
    ///
    /// # Errors
    /// No such position, or a number on no label.
    pub fn kit_matches(
        &self,
        stratum: &str,
        position: u32,
        kit: &KitNumber,
    ) -> Result<bool, AllocationError> {
        Ok(self.kit_class(kit)? == self.entry(stratum, position)?.class)
    }

    /// Chooses kits to send on from a stock, equally many of every arm, ascending by number.
    ///
    /// # Errors
    /// A number on no label, or too few kits of some arm.
    pub fn choose_consignment(
        &self,
        stock: &[KitNumber],
        kits_per_arm: usize,
    ) -> Result<Vec<KitNumber>, AllocationError> {
        let mut stock: Vec<&KitNumber> = stock.iter().collect();
        stock.sort_unstable();
        stock.dedup();
        let name = Binding::of("consignment").each(&stock, |name, kit| name.text(*kit));
        let mut stream = Stream::new(CHOICE_PURPOSE, &self.working.choice_key, &name.into_bytes());
        stream.shuffle(&mut stock);
        let classes = 1 + self.working.kit_classes.iter().max().unwrap_or(&0);
        let mut taken = Zeroizing::new(vec![0; usize::from(classes)]);
        let mut chosen = Vec::new();
        for kit in stock {
            let class = usize::from(self.kit_class(kit)?);
            if class < taken.len() && taken[class] < kits_per_arm {
                taken[class] += 1;
                chosen.push(kit.clone());
            }
        }
        if taken.iter().any(|&count| count < kits_per_arm) {
            return Err(AllocationError::StockTooSmall);
        }
        chosen.sort_unstable();
        Ok(chosen)
    }

    /// Opens an envelope with a break holder's key; see [`BreakEnvelope::open`].
    ///
    /// # Errors
    /// As there.
    pub fn break_envelope(
        &self,
        envelope: &BreakEnvelope,
        expected: &Placement,
        person: &PersonId,
        key: &PrivateKey,
    ) -> Result<Unblinded<ArmId>, BreakError> {
        envelope.open(expected, self.vault_key(), person, key)
    }

    /// Returns the digest of the list, to be recorded with each allocation.
    pub fn list_digest(&self) -> Digest {
        self.list_digest
    }

    /// Returns the vault's public key.
    pub fn vault_key(&self) -> PublicKey {
        self.vault_key.public()
    }

    fn entry(&self, stratum: &str, position: u32) -> Result<&WorkingEntry, AllocationError> {
        let mut first = 0;
        for list in &self.strata {
            if list.stratum == stratum {
                return match position {
                    1.. if position <= list.length => {
                        Ok(&self.working.entries[first + position as usize - 1])
                    }
                    _ => Err(AllocationError::NoSuchPosition { stratum: stratum.to_owned(), position }),
                };
            }
            first += list.length as usize;
        }
        Err(AllocationError::UnknownStratum { stratum: stratum.to_owned() })
    }

    fn kit_class(&self, kit: &KitNumber) -> Result<u8, AllocationError> {
        let found = self.kits.binary_search(kit);
        let index = found.map_err(|_| AllocationError::UnknownKit { kit: kit.clone() })?;
        Ok(self.working.kit_classes[index])
    }
}

impl fmt::Debug for OpenVault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OpenVault({}, ..)", self.study)
    }
}
