//! The sealed vault: a study's allocation list as plain data that unblinds nobody.
//!
//! [`VaultPlan::seal`] draws the list and seals it in two parts. The working list
//! is sealed to a vault key, which is sealed once to each holder who may unlock;
//! the full list is sealed under a key that is split among the list's holders.
//! The public part says how many positions and kits there are, for whom it was
//! sealed, and the digest that the study quotes. This module writes no file and
//! gives no rights: who *should* hold a key is the study's and `access`'s matter.

use std::collections::BTreeSet;

use chacha20poly1305::{
    ChaCha20Poly1305, KeyInit,
    aead::{Aead, Payload},
};
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use terms::{ArmId, KitNumber, PersonId, RoleId, StudyId};
use vsss_rs::Gf256;
use zeroize::Zeroizing;

use crate::{
    binding::Binding,
    envelope::{SealedCopy, entry_context, entry_digest, entry_salt},
    kits::{Consignment, KitPlan, KitPlanError, KitRange},
    list::{FullList, Shape, WorkingEntry, WorkingList, arm_field},
    open_vault::OpenVault,
    opened_list::OpenedList,
    permuted_blocks::{ListSeed, PermutedBlocks},
    sealing::{self, Digest, PrivateKey, PublicKey, SealedBytes},
    stream::Stream,
};

const FORMAT: u32 = 1;
/// The most positions of all strata together.
pub const POSITIONS_MAX: u32 = 100_000;
const CLASS_PURPOSE: &str = "equipoise/classes/1";
/// An identifier byte and the share of a 32-byte key.
const SHARE_BYTES: usize = 33;
const UNLOCK: &str = "unlock the vault";
const OPEN_LIST: &str = "open the list";

/// Why a vault could not be sealed, unlocked or opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// The kit plan can't be met.
    #[error(transparent)]
    Kits(#[from] KitPlanError),
    /// A stratum is named twice.
    #[error("stratum `{stratum}` is in the plan twice")]
    RepeatedStratum {
        /// The stratum.
        stratum: String,
    },
    /// No positions, or more than can be sealed.
    #[error("a list has 1 to {POSITIONS_MAX} positions, and this plan asks for {positions}")]
    PositionCount {
        /// The positions of all strata together.
        positions: u64,
    },
    /// A holder is named twice.
    #[error("`{person}` is among the holders twice")]
    RepeatedHolder {
        /// The person.
        person: PersonId,
    },
    /// A right that nobody holds.
    #[error("no holder may {right}")]
    NoHolder {
        /// The right, as a verb.
        right: &'static str,
    },
    /// A quorum of one person, or of more than there are.
    #[error("a quorum of {threshold} is not between 2 and the {holders} holders of the list")]
    Quorum {
        /// The shares asked for.
        threshold: u8,
        /// The holders of the list.
        holders: usize,
    },
    /// A public key that nothing can be sealed to.
    #[error("the public key of `{person}` is not usable")]
    HolderKey {
        /// The person.
        person: PersonId,
    },
    /// The file was written by another version.
    #[error("the vault has format {found}; this program reads format {FORMAT}")]
    Format {
        /// The format found.
        found: u32,
    },
    /// Something in the vault was changed since it was sealed.
    #[error("the vault's contents have the digest {found}, but it should be {expected}")]
    DigestDiffers {
        /// The digest that the study or the vault quotes.
        expected: Digest,
        /// The digest of what is there.
        found: Digest,
    },
    /// The person was given no such key.
    #[error("`{person}` holds no key to {right}")]
    NotAHolder {
        /// The person.
        person: PersonId,
        /// The right, as a verb.
        right: &'static str,
    },
    /// The key is another's, or the sealed bytes were altered.
    #[error("the vault does not open: the key is not that of `{person}`, or the vault was altered")]
    DoesNotOpen {
        /// The person.
        person: PersonId,
    },
    /// Too few different holders came together.
    #[error("the list opens with {needed} holders' shares, and {given} were given")]
    NotEnoughShares {
        /// The different holders whose shares were given.
        given: usize,
        /// The quorum.
        needed: u8,
    },
    /// A share of another list.
    #[error("the share of `{person}` belongs to another list")]
    OtherList {
        /// The person.
        person: PersonId,
    },
    /// The shares together do not open the list, or it is not what the public part says.
    #[error("the shares do not open the list, or the list was altered")]
    ListDoesNotOpen,
}

/// What a holder's key may do. Rights are independent of one another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HolderRights {
    /// Unlock the vault, so that the server can allocate and dispense.
    pub unlock: bool,
    /// Open one participant's break envelope.
    pub break_blind: bool,
    /// Open the whole list together with others.
    pub open_list: bool,
}

/// A person or a role's safe that holds a private key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Holder {
    /// Who holds the key.
    pub person: PersonId,
    /// In which role.
    pub role: RoleId,
    /// The public key; the private one stays with the holder.
    pub key: PublicKey,
    /// What the key may do.
    pub rights: HolderRights,
}

/// A stratum and the positions of its list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StratumLength {
    /// The stratum, such as `systemic`.
    pub stratum: String,
    /// How many positions its list has.
    pub length: u32,
}

/// What a list's owner decides before sealing. The block sizes in it are secret.
#[derive(Clone, Debug)]
pub struct VaultPlan {
    /// The study.
    pub study: StudyId,
    /// Arms, ratio and block sizes.
    pub blocks: PermutedBlocks,
    /// The strata, in an order that a replay keeps.
    pub strata: Vec<StratumLength>,
    /// The kits.
    pub kits: KitPlan,
    /// Whom to seal for.
    pub holders: Vec<Holder>,
    /// How many of the list's holders open it together.
    pub list_threshold: u8,
}

/// The vault as it lies in a file. Every secret in it is sealed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealedVault {
    format: u32,
    study: StudyId,
    scheme_digest: Digest,
    vault_key: PublicKey,
    strata: Vec<StratumLength>,
    kit_range: KitRange,
    consignments: Vec<Consignment>,
    holders: Vec<Holder>,
    list_threshold: u8,
    working_list: SealedBytes,
    full_list: SealedBytes,
    list_digest: Digest,
    unlock_keys: Vec<SealedCopy>,
    list_shares: Vec<SealedCopy>,
}

/// One holder's opened share of the full list's key. It is wiped when dropped.
#[derive(Clone)]
pub struct ListShare {
    person: PersonId,
    list_digest: Digest,
    share: Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for ListShare {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ListShare({}, ..)", self.person)
    }
}

impl VaultPlan {
    /// Draws the list from the seed and seals it.
    ///
    /// The same plan, seed and random stream give the same bytes. The seed
    /// decides the list; `random` gives keys and sealing alone.
    ///
    /// # Errors
    /// The plan contradicts itself or a public key is unusable.
    pub fn seal(&self, seed: &ListSeed, random: &mut impl CryptoRng) -> Result<SealedVault, VaultError> {
        self.check()?;
        let vault_key = PrivateKey::draw(random);
        let arm_count = self.blocks.arms().len();
        let drawn_kits = self.kits.draw(seed, arm_count)?;
        let classes = draw_classes(seed, arm_count);
        let full = self.draw_full_list(seed, drawn_kits.iter().map(|kit| kit.arm as u8).collect());
        let working = self.working_list(&full, &classes, &vault_key, random)?;

        let mut list_key = Zeroizing::new([0; 32]);
        random.fill_bytes(&mut *list_key);
        let mut vault = SealedVault {
            format: FORMAT,
            study: self.study.clone(),
            scheme_digest: self.scheme_digest(),
            vault_key: vault_key.public(),
            strata: self.strata.clone(),
            kit_range: self.kits.range,
            consignments: self.kits.consignments(&drawn_kits),
            holders: self.holders.clone(),
            list_threshold: self.list_threshold,
            working_list: seal_working_list(&self.study, &vault_key, &working, random),
            full_list: seal_full_list(&self.study, &list_key, &full),
            list_digest: Digest::from_bytes([0; 32]),
            unlock_keys: Vec::new(),
            list_shares: Vec::new(),
        };
        vault.list_digest = vault.computed_digest();
        vault.seal_keys(&vault_key, &list_key, random)?;
        Ok(vault)
    }

    /// Returns the digest of what two people check before activation: the study,
    /// the arms in their order and ratio, the strata and lists' lengths, and the kits
    /// for each site. Block sizes are few enough to guess, and stay out.
    pub fn scheme_digest(&self) -> Digest {
        let bound = Binding::of("equipoise/scheme/1")
            .text(&self.study)
            .each(self.blocks.arms(), |bound, (arm, ratio)| bound.text(arm).number(*ratio))
            .each(&self.strata, |bound, stratum| bound.text(&stratum.stratum).number(stratum.length))
            .number(self.kits.range.first)
            .number(self.kits.range.last)
            .each(&self.kits.kits_per_arm, |bound, (site, kits)| bound.text(site).number(*kits));
        Digest::from_bytes(bound.digest())
    }

    fn check(&self) -> Result<(), VaultError> {
        let mut strata = BTreeSet::new();
        if let Some(twice) = self.strata.iter().find(|stratum| !strata.insert(&stratum.stratum)) {
            return Err(VaultError::RepeatedStratum { stratum: twice.stratum.clone() });
        }
        let positions: u64 = self.strata.iter().map(|stratum| u64::from(stratum.length)).sum();
        if !(1..=u64::from(POSITIONS_MAX)).contains(&positions) {
            return Err(VaultError::PositionCount { positions });
        }
        let mut people = BTreeSet::new();
        if let Some(twice) = self.holders.iter().find(|holder| !people.insert(&holder.person)) {
            return Err(VaultError::RepeatedHolder { person: twice.person.clone() });
        }
        if !self.holders.iter().any(|holder| holder.rights.unlock) {
            return Err(VaultError::NoHolder { right: UNLOCK });
        }
        if !self.holders.iter().any(|holder| holder.rights.break_blind) {
            return Err(VaultError::NoHolder { right: "break a blind" });
        }
        let (threshold, holders) =
            (self.list_threshold, self.holders.iter().filter(|holder| holder.rights.open_list).count());
        if !(2..=holders.min(usize::from(u8::MAX))).contains(&usize::from(threshold)) {
            return Err(VaultError::Quorum { threshold, holders });
        }
        Ok(())
    }

    fn draw_full_list(&self, seed: &ListSeed, kit_arms: Vec<u8>) -> FullList {
        let arms = self.blocks.arms();
        let index = |arm: &ArmId| {
            arms.iter().position(|(known, _)| known == arm).expect("a drawn arm is of the scheme") as u8
        };
        let drawn = (self.strata.iter())
            .map(|stratum| self.blocks.draw_list(seed, &stratum.stratum, stratum.length))
            .flat_map(|list| list.arms().iter().map(|arm| index(arm.reveal())).collect::<Vec<_>>());
        FullList {
            seed: seed.clone(),
            scheme: self.blocks.clone(),
            arms: Zeroizing::new(drawn.collect()),
            kit_arms: Zeroizing::new(kit_arms),
        }
    }

    fn working_list(
        &self,
        full: &FullList,
        classes: &[u8],
        vault_key: &PrivateKey,
        random: &mut impl CryptoRng,
    ) -> Result<WorkingList, VaultError> {
        let mut choice_key = [0; 32];
        random.fill_bytes(&mut choice_key);
        let places =
            self.strata.iter().flat_map(|list| (1..=list.length).map(|position| (&*list.stratum, position)));
        let entries = places
            .zip(full.arms.iter())
            .map(|((stratum, position), &index)| {
                let arm = &self.blocks.arms()[usize::from(index)].0;
                let salt = entry_salt(full.seed.expose(), stratum, position);
                let digest = *entry_digest(&self.study, stratum, position, &salt, arm).as_bytes();
                let plain = Zeroizing::new([&arm_field(arm.as_str())[..], &salt].concat());
                let sealed_arms = (self.holders.iter().filter(|holder| holder.rights.break_blind))
                    .map(|holder| {
                        let context = entry_context(&self.study, stratum, position, &holder.person);
                        sealing::seal(vault_key, holder.key, &context, &sealing::padded(&plain)[..], random)
                            .ok_or_else(|| VaultError::HolderKey { person: holder.person.clone() })
                    })
                    .collect::<Result<_, _>>()?;
                Ok(WorkingEntry { class: classes[usize::from(index)], digest, sealed_arms })
            })
            .collect::<Result<_, VaultError>>()?;
        let kit_classes = full.kit_arms.iter().map(|&index| classes[usize::from(index)]).collect();
        Ok(WorkingList { choice_key, entries, kit_classes })
    }
}

/// Draws which class stands for which arm, so that class 0 is no particular one.
fn draw_classes(seed: &ListSeed, arms: usize) -> Zeroizing<Vec<u8>> {
    let mut classes = Zeroizing::new((0..arms as u8).collect::<Vec<u8>>());
    Stream::new(CLASS_PURPOSE, seed.expose(), b"").shuffle(&mut classes);
    classes
}

fn working_context(study: &StudyId) -> Vec<u8> {
    Binding::of("equipoise/working-list/1").text(study).into_bytes()
}

fn full_context(study: &StudyId) -> Vec<u8> {
    Binding::of("equipoise/full-list/1").text(study).into_bytes()
}

fn seal_working_list(
    study: &StudyId,
    vault_key: &PrivateKey,
    working: &WorkingList,
    random: &mut impl CryptoRng,
) -> SealedBytes {
    let context = working_context(study);
    sealing::seal(vault_key, vault_key.public(), &context, &working.to_bytes(), random)
        .expect("a freshly drawn key can be sealed to")
}

fn seal_full_list(study: &StudyId, list_key: &[u8; 32], full: &FullList) -> SealedBytes {
    let cipher = ChaCha20Poly1305::new(&(*list_key).into());
    let payload = Payload { msg: &full.to_bytes(), aad: &full_context(study) };
    // The key seals this one message, so the nonce may be constant.
    let sealed = cipher.encrypt(&[0; 12].into(), payload);
    SealedBytes(sealed.expect("a list is far shorter than the cipher's limit"))
}

impl SealedVault {
    /// Reads the study's id.
    pub fn study(&self) -> &StudyId {
        &self.study
    }

    /// Returns the digest that the study and the record quote. It covers all but the sealed keys.
    pub fn list_digest(&self) -> Digest {
        self.list_digest
    }

    /// Returns the digest of the plan's public part; see [`VaultPlan::scheme_digest`].
    pub fn scheme_digest(&self) -> Digest {
        self.scheme_digest
    }

    /// Returns the vault's public key, which break holders keep beside their own.
    pub fn vault_key(&self) -> PublicKey {
        self.vault_key
    }

    /// Returns the strata and their lists' lengths.
    pub fn strata(&self) -> &[StratumLength] {
        &self.strata
    }

    /// Returns which kit numbers go where; it says nothing of their content.
    pub fn consignments(&self) -> &[Consignment] {
        &self.consignments
    }

    /// Returns whom the vault was sealed for.
    pub fn holders(&self) -> &[Holder] {
        &self.holders
    }

    /// Returns how many holders open the full list together.
    pub fn list_threshold(&self) -> u8 {
        self.list_threshold
    }

    /// Checks the vault against the digest that the study quotes.
    ///
    /// # Errors
    /// Anything but the sealed keys differs; those are checked when they are opened.
    pub fn verify(&self, expected: Digest) -> Result<(), VaultError> {
        if self.format != FORMAT {
            return Err(VaultError::Format { found: self.format });
        }
        match self.computed_digest() {
            found if found != expected || self.list_digest != expected => {
                Err(VaultError::DigestDiffers { expected, found })
            }
            _ => Ok(()),
        }
    }

    /// Unlocks the vault with one holder's key, for allocation and dispensing.
    ///
    /// # Errors
    /// The vault was altered, the person may not unlock, or the key is another's.
    pub fn unlock(&self, person: &PersonId, key: &PrivateKey) -> Result<OpenVault, VaultError> {
        self.verify(self.list_digest)?;
        let refused = || VaultError::DoesNotOpen { person: person.clone() };
        let payload = self.open_copy(&self.unlock_keys, UNLOCK, person, key)?;
        let bytes = payload.get(..32).and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        let vault_key = PrivateKey::from_bytes(bytes.ok_or_else(refused)?);
        let context = working_context(&self.study);
        let plain = sealing::open(self.vault_key, &vault_key, &context, &self.working_list);
        let working = WorkingList::from_bytes(&plain.ok_or_else(refused)?, self.shape());
        Ok(OpenVault::new(self, vault_key, working.ok_or_else(refused)?))
    }

    /// Opens one holder's share of the full list's key.
    ///
    /// # Errors
    /// The vault was altered, the person holds no share, or the key is another's.
    pub fn open_share(&self, person: &PersonId, key: &PrivateKey) -> Result<ListShare, VaultError> {
        self.verify(self.list_digest)?;
        let payload = self.open_copy(&self.list_shares, OPEN_LIST, person, key)?;
        let share = payload.get(..SHARE_BYTES).map(|share| Zeroizing::new(share.to_vec()));
        let share = share.ok_or_else(|| VaultError::DoesNotOpen { person: person.clone() })?;
        Ok(ListShare { person: person.clone(), list_digest: self.list_digest, share })
    }

    /// Opens the full list with the shares of as many different holders as the quorum asks for.
    ///
    /// # Errors
    /// Too few different holders, shares of another list, or an altered vault.
    pub fn open_list(&self, shares: &[ListShare]) -> Result<OpenedList, VaultError> {
        self.verify(self.list_digest)?;
        let (mut people, mut different) = (BTreeSet::new(), Vec::new());
        for share in shares {
            if share.list_digest != self.list_digest {
                return Err(VaultError::OtherList { person: share.person.clone() });
            }
            if people.insert(&share.person) {
                different.push(share.share.to_vec());
            }
        }
        let (different, given) = (Zeroizing::new(different), people.len());
        if given < usize::from(self.list_threshold) {
            return Err(VaultError::NotEnoughShares { given, needed: self.list_threshold });
        }
        let list_key = Gf256::combine_bytes(&*different).map_err(|_| VaultError::ListDoesNotOpen)?;
        self.open_full_list(&Zeroizing::new(list_key)).ok_or(VaultError::ListDoesNotOpen)
    }

    fn open_full_list(&self, list_key: &[u8]) -> Option<OpenedList> {
        let cipher = ChaCha20Poly1305::new_from_slice(list_key).ok()?;
        let payload = Payload { msg: &self.full_list.0, aad: &full_context(&self.study) };
        let plain = Zeroizing::new(cipher.decrypt(&[0; 12].into(), payload).ok()?);
        let full = FullList::from_bytes(&plain, self.shape())?;
        Some(OpenedList::new(self, full))
    }

    fn open_copy(
        &self,
        copies: &[SealedCopy],
        right: &'static str,
        person: &PersonId,
        key: &PrivateKey,
    ) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let copy = (copies.iter().find(|copy| copy.person == *person))
            .ok_or_else(|| VaultError::NotAHolder { person: person.clone(), right })?;
        sealing::open(self.vault_key, key, &self.key_context(right, person), &copy.sealed)
            .ok_or_else(|| VaultError::DoesNotOpen { person: person.clone() })
    }

    fn seal_keys(
        &mut self,
        vault_key: &PrivateKey,
        list_key: &[u8; 32],
        random: &mut impl CryptoRng,
    ) -> Result<(), VaultError> {
        let list_holders = self.holders.iter().filter(|holder| holder.rights.open_list).count();
        let shares =
            Gf256::split_bytes(usize::from(self.list_threshold), list_holders, list_key, &mut *random);
        let shares = Zeroizing::new(shares.expect("the quorum was checked"));
        let mut shares = shares.iter();
        let (mut unlock_keys, mut list_shares) = (Vec::new(), Vec::new());
        for holder in &self.holders {
            let mut copy = |right, secret: &[u8]| {
                let context = self.key_context(right, &holder.person);
                sealing::seal(vault_key, holder.key, &context, &sealing::padded(secret)[..], random)
                    .map(|sealed| SealedCopy { person: holder.person.clone(), sealed })
                    .ok_or_else(|| VaultError::HolderKey { person: holder.person.clone() })
            };
            if holder.rights.unlock {
                unlock_keys.push(copy(UNLOCK, vault_key.expose())?);
            }
            if holder.rights.open_list {
                let share = shares.next().expect("there is a share for each holder of the list");
                list_shares.push(copy(OPEN_LIST, share)?);
            }
        }
        (self.unlock_keys, self.list_shares) = (unlock_keys, list_shares);
        Ok(())
    }

    fn key_context(&self, right: &str, person: &PersonId) -> Vec<u8> {
        Binding::of("equipoise/holder-key/1")
            .text(right)
            .text(&self.study)
            .text(person)
            .bytes(self.list_digest.as_bytes())
            .into_bytes()
    }

    fn computed_digest(&self) -> Digest {
        let flags = |rights: HolderRights| {
            u32::from(rights.unlock) | u32::from(rights.break_blind) << 1 | u32::from(rights.open_list) << 2
        };
        let bound = Binding::of("equipoise/vault/1")
            .number(self.format)
            .text(&self.study)
            .bytes(self.scheme_digest.as_bytes())
            .bytes(self.vault_key.as_bytes())
            .each(&self.strata, |bound, stratum| bound.text(&stratum.stratum).number(stratum.length))
            .number(self.kit_range.first)
            .number(self.kit_range.last)
            .each(&self.consignments, |bound, consignment| {
                bound.text(&consignment.site).each(&consignment.kits, |bound, kit| bound.text(kit))
            })
            .each(&self.holders, |bound, holder| {
                let bound = bound.text(&holder.person).text(&holder.role);
                bound.bytes(holder.key.as_bytes()).number(flags(holder.rights))
            })
            .number(u32::from(self.list_threshold))
            .bytes(&self.working_list.0)
            .bytes(&self.full_list.0);
        Digest::from_bytes(bound.digest())
    }

    pub(crate) fn shape(&self) -> Shape {
        Shape {
            positions: self.strata.iter().map(|stratum| stratum.length as usize).sum(),
            kits: self.consignments.iter().map(|consignment| consignment.kits.len()).sum(),
            break_holders: self.holders.iter().filter(|holder| holder.rights.break_blind).count(),
        }
    }

    pub(crate) fn kit_range(&self) -> KitRange {
        self.kit_range
    }

    /// Returns all kit numbers ascending: the order of the secret lists.
    pub(crate) fn kit_numbers(&self) -> Vec<KitNumber> {
        let mut kits: Vec<KitNumber> =
            self.consignments.iter().flat_map(|consignment| consignment.kits.iter().cloned()).collect();
        // Equal width makes the order of texts that of numbers.
        kits.sort_unstable();
        kits
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;
    use terms::SiteId;

    use super::*;

    fn plan(holders: u8, list_threshold: u8) -> VaultPlan {
        let rights = HolderRights { unlock: true, break_blind: true, open_list: true };
        let holder = |n: u8| Holder {
            person: PersonId::from(format!("p-{n}")),
            role: "holder".into(),
            key: PrivateKey::from_bytes([n; 32]).public(),
            rights,
        };
        VaultPlan {
            study: "S".into(),
            blocks: PermutedBlocks::new(&[("a".into(), 1), ("b".into(), 1)], &[4]).unwrap(),
            strata: vec![StratumLength { stratum: "all".into(), length: 2 }],
            kits: KitPlan {
                range: KitRange { first: 1, last: 99 },
                kits_per_arm: vec![(SiteId::from("01"), 1)],
            },
            holders: (1..=holders).map(holder).collect(),
            list_threshold,
        }
    }

    fn sealed(holders: u8, list_threshold: u8) -> SealedVault {
        let random = &mut ChaCha20Rng::from_seed([1; 32]);
        plan(holders, list_threshold).seal(&ListSeed::from_bytes([2; 32]), random).unwrap()
    }

    #[test]
    fn one_share_too_few_gives_another_key_and_not_only_a_refusal() {
        for (holders, threshold) in [(2, 2), (5, 3), (6, 6)] {
            let vault = sealed(holders, threshold);
            let share = |n: u8| {
                let person = PersonId::from(format!("p-{n}"));
                vault.open_share(&person, &PrivateKey::from_bytes([n; 32])).unwrap().share.to_vec()
            };
            let shares: Vec<_> = (1..=threshold).map(share).collect();
            let key = Gf256::combine_bytes(&shares).unwrap();
            assert!(vault.open_full_list(&key).is_some());
            let few = &shares[1..];
            // A single share is as long as the key and could be mistaken for it.
            let key = if few.len() > 1 { Gf256::combine_bytes(few).unwrap() } else { few[0][1..].to_vec() };
            assert!(vault.open_full_list(&key).is_none(), "{threshold} of {holders}");
        }
    }

    #[test]
    fn everything_sealed_to_a_holder_has_one_length() {
        let vault = sealed(4, 2);
        let copies = vault.unlock_keys.iter().chain(&vault.list_shares);
        let lengths: BTreeSet<usize> = copies.map(|copy| copy.sealed.0.len()).collect();
        assert_eq!(lengths, BTreeSet::from([sealing::SEALED_PAYLOAD_BYTES]));
        let person = PersonId::from("p-1");
        let open = vault.unlock(&person, &PrivateKey::from_bytes([1; 32])).unwrap();
        let at = crate::Placement {
            study: "S".into(),
            subject: "01-001".into(),
            stratum: "all".into(),
            position: 2,
        };
        let allocated = open.allocate(&at, &mut ChaCha20Rng::from_seed([3; 32])).unwrap();
        let lengths: BTreeSet<usize> =
            allocated.envelope.copies.iter().map(|copy| copy.sealed.0.len()).collect();
        let twice_sealed = sealing::SEALED_PAYLOAD_BYTES + sealing::SEALING_OVERHEAD;
        assert_eq!(lengths, BTreeSet::from([twice_sealed]));
    }

    #[test]
    fn a_replay_finds_an_arm_or_a_kit_that_the_seed_does_not_give() {
        use crate::ReplayError;
        let (vault, plan) = (sealed(2, 2), plan(2, 2));
        let seed = ListSeed::from_bytes([2; 32]);
        let kits = plan.kits.draw(&seed, 2).unwrap();
        let full = || plan.draw_full_list(&seed, kits.iter().map(|kit| kit.arm as u8).collect());
        assert_eq!(OpenedList::new(&vault, full()).replay(), Ok(()));
        let mut corrected = full();
        corrected.arms[1] ^= 1;
        let refused = OpenedList::new(&vault, corrected).replay().unwrap_err();
        assert_eq!(refused, ReplayError::Position { stratum: "all".into(), position: 2 });
        let mut relabelled = full();
        relabelled.kit_arms.iter_mut().for_each(|arm| *arm ^= 1);
        assert_eq!(OpenedList::new(&vault, relabelled).replay(), Err(ReplayError::Kits));
    }
}
