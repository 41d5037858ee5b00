//! Break envelopes: one participant's arm, to be opened alone.
//!
//! An envelope is complete in itself. With a break holder's key and the vault's
//! public key it opens without the vault, the record or the network, and it
//! opens for the one participant and position that it was made for. The arm
//! was sealed to the holder when the list was made and is sealed again, to the
//! participant, at allocation; neither the vault's file nor its unlocked keys
//! read it. Recording who opened it, when and why is for the caller.

use serde::{Deserialize, Serialize};
use terms::{ArmId, PersonId, StudyId, SubjectId};

use crate::{
    binding::Binding,
    list::{ARM_FIELD_BYTES, read_arm},
    sealing::{self, Digest, PrivateKey, PublicKey, SealedBytes},
    unblinded::Unblinded,
};

/// Why an envelope was not opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BreakError {
    /// The envelope belongs to somebody else.
    #[error("the envelope is of subject `{found}`, not of subject `{expected}` at the position asked for")]
    OtherPlacement {
        /// The subject asked for.
        expected: SubjectId,
        /// The subject the envelope names.
        found: SubjectId,
    },
    /// The person held no break key when the list was sealed.
    #[error("`{person}` holds no key to break envelopes")]
    NotABreakHolder {
        /// The person.
        person: PersonId,
    },
    /// The key is another's, or a byte of the envelope was altered.
    #[error("the envelope does not open: the key is not that of `{person}`, or the envelope was altered")]
    DoesNotOpen {
        /// The person.
        person: PersonId,
    },
}

/// The place in the list that one participant takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Placement {
    /// The study.
    pub study: StudyId,
    /// The participant.
    pub subject: SubjectId,
    /// The stratum, such as `systemic`.
    pub stratum: String,
    /// The position in the stratum's list, counted from 1.
    pub position: u32,
}

/// One participant's sealed arm, one sealed copy for each break holder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BreakEnvelope {
    pub(crate) placement: Placement,
    pub(crate) list_digest: Digest,
    pub(crate) entry_digest: Digest,
    pub(crate) copies: Vec<SealedCopy>,
}

/// Something sealed to one person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SealedCopy {
    pub(crate) person: PersonId,
    pub(crate) sealed: SealedBytes,
}

impl BreakEnvelope {
    /// Opens the envelope with the key of one break holder.
    ///
    /// `expected` comes from the record and `vault_key` from the holder's own
    /// card or the study, never from the envelope: that is what catches an
    /// envelope that was swapped or forged.
    ///
    /// # Errors
    /// The envelope is another participant's, the person is no break holder, or it does not open.
    pub fn open(
        &self,
        expected: &Placement,
        vault_key: PublicKey,
        person: &PersonId,
        key: &PrivateKey,
    ) -> Result<Unblinded<ArmId>, BreakError> {
        if self.placement != *expected {
            let (expected, found) = (expected.subject.clone(), self.placement.subject.clone());
            return Err(BreakError::OtherPlacement { expected, found });
        }
        let copy = (self.copies.iter())
            .find(|copy| copy.person == *person)
            .ok_or_else(|| BreakError::NotABreakHolder { person: person.clone() })?;
        self.open_copy(copy, vault_key, key).ok_or_else(|| BreakError::DoesNotOpen { person: person.clone() })
    }

    fn open_copy(
        &self,
        copy: &SealedCopy,
        vault_key: PublicKey,
        key: &PrivateKey,
    ) -> Option<Unblinded<ArmId>> {
        let Placement { study, stratum, position, .. } = &self.placement;
        let outer = self.context(&copy.person);
        let inner = entry_context(study, stratum, *position, &copy.person);
        let sealed_arm = SealedBytes(sealing::open(vault_key, key, &outer, &copy.sealed)?.to_vec());
        let opened = sealing::open(vault_key, key, &inner, &sealed_arm)?;
        let (field, salt) = opened.split_at_checked(ARM_FIELD_BYTES)?;
        let arm = read_arm(field)?;
        // The record holds this digest since the day of allocation.
        (entry_digest(study, stratum, *position, salt, &arm) == self.entry_digest).then_some(())?;
        Some(Unblinded::new(arm))
    }

    /// Returns whom and what the envelope says it is of.
    pub fn placement(&self) -> &Placement {
        &self.placement
    }

    /// Returns the digest of the list that the arm came from.
    pub fn list_digest(&self) -> Digest {
        self.list_digest
    }

    /// Returns the commitment to the list's entry.
    pub fn entry_digest(&self) -> Digest {
        self.entry_digest
    }

    /// Returns the SHA-256 of the whole envelope, to be kept in the record.
    pub fn digest(&self) -> Digest {
        let bound = self
            .bound("equipoise/envelope-digest/1")
            .each(&self.copies, |bound, copy| bound.text(&copy.person).bytes(&copy.sealed.0));
        Digest::from_bytes(bound.digest())
    }

    /// Returns what a copy of the envelope is bound to.
    pub(crate) fn context(&self, person: &PersonId) -> Vec<u8> {
        self.bound("equipoise/envelope/1").text(person).into_bytes()
    }

    fn bound(&self, purpose: &str) -> Binding {
        Binding::of(purpose)
            .text(&self.placement.study)
            .text(&self.placement.subject)
            .text(&self.placement.stratum)
            .number(self.placement.position)
            .bytes(self.list_digest.as_bytes())
            .bytes(self.entry_digest.as_bytes())
    }
}

/// Returns what an arm, sealed in the list, is bound to: its place and its reader.
pub(crate) fn entry_context(study: &StudyId, stratum: &str, position: u32, person: &PersonId) -> Vec<u8> {
    Binding::of("equipoise/entry-arm/1").text(study).text(stratum).number(position).text(person).into_bytes()
}

/// Returns the commitment to an entry; the secret salt hides which of the few arms it is.
pub(crate) fn entry_digest(
    study: &StudyId,
    stratum: &str,
    position: u32,
    salt: &[u8],
    arm: &ArmId,
) -> Digest {
    let bound = Binding::of("equipoise/entry/1").text(study).text(stratum).number(position);
    Digest::from_bytes(bound.bytes(salt).text(arm).digest())
}

/// Returns an entry's secret salt, which the list's seed determines.
pub(crate) fn entry_salt(seed: &[u8; 32], stratum: &str, position: u32) -> [u8; 32] {
    Binding::of("equipoise/entry-salt/1").bytes(seed).text(stratum).number(position).digest()
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    use super::*;
    use crate::list::arm_field;

    #[test]
    fn an_arm_that_the_recorded_entry_does_not_commit_to_is_refused() {
        // Even whoever has the vault's key can't put another arm under an entry's digest.
        let random = &mut ChaCha20Rng::from_seed([1; 32]);
        let (vault, holder, person) = (PrivateKey::draw(random), PrivateKey::draw(random), "p-safety".into());
        let (study, salt, at) = (StudyId::from("S"), [4; 32], 3);
        let mut sealed = |committed: &str, inside: &str| {
            let plain = [&arm_field(inside)[..], &salt].concat();
            let context = entry_context(&study, "all", at, &person);
            let sealed_arm = sealing::seal(&vault, holder.public(), &context, &plain, random).unwrap();
            let placement = Placement {
                study: study.clone(),
                subject: "01-001".into(),
                stratum: "all".into(),
                position: at,
            };
            let mut envelope = BreakEnvelope {
                placement,
                list_digest: Digest::from_bytes([0; 32]),
                entry_digest: entry_digest(&study, "all", at, &salt, &committed.into()),
                copies: Vec::new(),
            };
            let context = envelope.context(&person);
            let sealed = sealing::seal(&vault, holder.public(), &context, &sealed_arm.0, random).unwrap();
            envelope.copies.push(SealedCopy { person: person.clone(), sealed });
            envelope.open(&envelope.placement.clone(), vault.public(), &person, &holder)
        };
        assert_eq!(*sealed("imatinib", "imatinib").unwrap().reveal(), "imatinib");
        let refused = sealed("imatinib", "placebo");
        assert_eq!(refused, Err(BreakError::DoesNotOpen { person: "p-safety".into() }));
    }
}
