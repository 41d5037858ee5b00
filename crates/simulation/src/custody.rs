//! The list owner's part of a rehearsal: draws, seals, and keeps the holders' keys.
//!
//! In a live trial these people sit apart, each with a key of their own. In a
//! rehearsal their keys live in memory while it runs and are never written.

use allocation::{
    Holder, HolderRights, KitPlan, KitRange, ListSeed, ListShare, OpenVault, OpenedList, PermutedBlocks,
    PrivateKey, SchemeError, SealedVault, StratumLength, VaultError, VaultPlan,
};
use conduct::Action;
use protocol::model::{AllocationPlan, Power, Study};
use rand_chacha::ChaCha20Rng;
use terms::{PersonId, RoleId};

use crate::{Rehearsal, Trial, allocation_list, streams::Streams};

/// The holder of the key in the safe that an investigator can reach at any hour: it opens envelopes and nothing else.
pub const EMERGENCY_SAFE: &str = "key-of-emergency_safe";

/// Digits of a kit's number: four.
const KIT_NUMBERS: KitRange = KitRange { first: 1000, last: 9999 };

/// Why a list could not be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum CustodyError {
    /// The scheme contradicts itself.
    #[error(transparent)]
    Scheme(#[from] SchemeError),
    /// The vault says no.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The study names nobody who holds the list, or more than can be.
    #[error("the study's list has {holders} holders and needs {threshold} of them")]
    Holders {
        /// How many it names.
        holders: usize,
        /// How many it needs.
        threshold: u32,
    },
}

/// A sealed list and those who can open it.
pub struct Custody {
    /// The vault as it lies in a file.
    pub sealed: SealedVault,
    holders: Vec<(PersonId, PrivateKey)>,
}

impl Custody {
    /// Draws and seals the list of a study, for a rehearsal.
    ///
    /// # Errors
    /// The study's plan contradicts itself.
    pub fn seal(study: &Study, plan: &AllocationPlan, streams: &Streams) -> Result<Self, CustodyError> {
        let mut secrets = streams.for_secrets("allocation");
        let (blocks, seed) = (allocation_list::scheme(plan)?, allocation_list::seed(streams));
        Self::seal_list(study, plan, blocks, &seed, &mut secrets)
    }

    /// Draws and seals the list of a study in blocks of these sizes, mixed at random.
    ///
    /// # Errors
    /// The study's plan contradicts itself, or a block can't hold the arms in their ratio.
    pub fn seal_in_blocks(
        study: &Study,
        plan: &AllocationPlan,
        sizes: &[u32],
        secrets: &mut ChaCha20Rng,
    ) -> Result<Self, CustodyError> {
        let blocks = PermutedBlocks::new(&plan.ratio, sizes)?;
        let seed = ListSeed::draw(secrets);
        Self::seal_list(study, plan, blocks, &seed, secrets)
    }

    fn seal_list(
        study: &Study,
        plan: &AllocationPlan,
        blocks: PermutedBlocks,
        seed: &ListSeed,
        secrets: &mut ChaCha20Rng,
    ) -> Result<Self, CustodyError> {
        let mut holders = Vec::new();
        let mut keys = Vec::new();
        for role in &plan.holders {
            let key = PrivateKey::draw(secrets);
            let person = PersonId::new(format!("key-of-{role}"));
            let rights = HolderRights { unlock: true, break_blind: true, open_list: true };
            holders.push(Holder { person: person.clone(), role: role.clone(), key: key.public(), rights });
            keys.push((person, key));
        }
        let safe = PrivateKey::draw(secrets);
        holders.push(Holder {
            person: PersonId::new(EMERGENCY_SAFE),
            role: RoleId::new("emergency_safe"),
            key: safe.public(),
            rights: HolderRights { unlock: false, break_blind: true, open_list: false },
        });
        keys.push((PersonId::new(EMERGENCY_SAFE), safe));
        let length = allocation_list::length(study);
        // Whole target at any one site, a kit each visit: no site runs out whoever comes.
        let sites = u32::try_from(study.sites.len()).unwrap_or(u32::MAX).max(1);
        let kit_visits = u32::try_from(plan.kit_visits.len()).unwrap_or(u32::MAX);
        let kits_per_arm = (allocation_list::participants(study).div_ceil(sites) * 2 * kit_visits)
            .min((KIT_NUMBERS.last - KIT_NUMBERS.first + 1) / (8 * sites));
        let vault = VaultPlan {
            study: study.id.clone(),
            blocks,
            strata: plan
                .strata
                .iter()
                .map(|stratum| StratumLength { stratum: stratum.clone(), length })
                .collect(),
            kits: KitPlan {
                range: KIT_NUMBERS,
                kits_per_arm: study.sites.iter().map(|site| (site.id.clone(), kits_per_arm)).collect(),
            },
            holders,
            list_threshold: u8::try_from(plan.threshold).map_err(|_| CustodyError::Holders {
                holders: plan.holders.len(),
                threshold: plan.threshold,
            })?,
        };
        let sealed = vault.seal(seed, secrets)?;
        Ok(Self { sealed, holders: keys })
    }

    /// Takes up custody again with the keys that its holders kept.
    pub fn of(sealed: SealedVault, holders: Vec<(PersonId, PrivateKey)>) -> Self {
        Self { sealed, holders }
    }

    /// Returns the holders' keys, to be handed to each and kept nowhere.
    pub fn keys(&self) -> impl Iterator<Item = (&PersonId, &PrivateKey)> {
        self.holders.iter().map(|(person, key)| (person, key))
    }

    /// Those who unlock and open the list: everybody but the safe.
    fn people(&self) -> impl Iterator<Item = &(PersonId, PrivateKey)> {
        self.holders.iter().filter(|(person, _)| person != EMERGENCY_SAFE)
    }

    /// Unlocks the vault with the first holder's key, as after each start of a server.
    ///
    /// # Errors
    /// The vault was altered.
    pub fn unlock(&self) -> Result<OpenVault, CustodyError> {
        let (person, key) = self.people().next().ok_or(CustodyError::Holders { holders: 0, threshold: 1 })?;
        Ok(self.sealed.unlock(person, key)?)
    }

    /// Opens the whole list with as many holders as it needs.
    ///
    /// # Errors
    /// The vault was altered, or there are too few holders.
    pub fn open_list(&self) -> Result<OpenedList, CustodyError> {
        let needed = usize::from(self.sealed.list_threshold());
        let shares: Vec<ListShare> = self
            .people()
            .take(needed)
            .map(|(person, key)| self.sealed.open_share(person, key))
            .collect::<Result<_, VaultError>>()?;
        Ok(self.sealed.open_list(&shares)?)
    }
}

impl<T: Trial> Rehearsal<'_, T> {
    /// Fixes the sealed list in the record, lets the sites begin, and takes each site's kits into stock.
    ///
    /// # Errors
    /// The trial fails.
    pub fn seal_and_supply(&mut self, custody: &Custody) -> Result<(), T::Error> {
        let day = self.opening_day();
        let owner = self.central(Power::SealAllocation);
        let action = Action::SealAllocation {
            digest: custody.sealed.list_digest().to_string(),
            scheme_digest: custody.sealed.scheme_digest().to_string(),
        };
        self.study_command(day, &owner, action)?;
        self.go_live(day)?;
        for consignment in custody.sealed.consignments() {
            if self.study.site(consignment.site.as_str()).is_none() {
                continue;
            }
            let receiver = self.at_site(Power::ReceiveKits, &consignment.site);
            let action =
                Action::ReceiveKits { site: consignment.site.clone(), kits: consignment.kits.clone() };
            self.study_command(day, &receiver, action)?;
        }
        Ok(())
    }
}
