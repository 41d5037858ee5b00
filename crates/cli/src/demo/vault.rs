//! The list owner's part of a rehearsal: draws, seals, and keeps the holders' keys.
//!
//! In a live trial these people sit apart, each with a key of their own. In a
//! rehearsal their keys live in memory while it runs and are never written.

use allocation::{
    Holder, HolderRights, KitPlan, KitRange, ListSeed, ListShare, OpenVault, OpenedList, PermutedBlocks,
    PrivateKey, SealedVault, StratumLength, VaultPlan,
};
use anyhow::{Context, Result};
use protocol::model::{AllocationPlan, Study};
use simulation::streams::Streams;
use terms::PersonId;

/// Positions of a stratum's list beyond the trial's target, so that no list runs out.
const SPARE_POSITIONS: u32 = 20;
/// Digits of a kit's number: four.
const KIT_NUMBERS: KitRange = KitRange { first: 1000, last: 9999 };

/// A sealed list and those who can open it.
pub struct Custody {
    /// The vault as it lies in a file.
    pub sealed: SealedVault,
    holders: Vec<(PersonId, PrivateKey)>,
}

impl Custody {
    /// Draws and seals the list of a study.
    ///
    /// # Errors
    /// The study's plan contradicts itself.
    pub fn seal(study: &Study, plan: &AllocationPlan, streams: &Streams) -> Result<Self> {
        let mut secrets = streams.for_secrets("allocation");
        let share_total: u32 = plan.ratio.iter().map(|(_, share)| share).sum();
        // The list owner's own choice, which no open file holds: blocks of twice the ratio.
        let blocks = PermutedBlocks::new(&plan.ratio, &[2 * share_total])?;
        let mut holders = Vec::new();
        let mut keys = Vec::new();
        for role in &plan.holders {
            let key = PrivateKey::draw(&mut secrets);
            let person = PersonId::new(format!("key-of-{role}"));
            let rights = HolderRights { unlock: true, break_blind: true, open_list: true };
            holders.push(Holder { person: person.clone(), role: role.clone(), key: key.public(), rights });
            keys.push((person, key));
        }
        let length = study.target + SPARE_POSITIONS;
        // Whole target at any one site, a kit each visit: no site runs out whoever comes.
        let kits_a_site = study.target.div_ceil(u32::try_from(study.sites.len())?) * 2;
        let kits_per_arm = (kits_a_site * u32::try_from(plan.kit_visits.len())?)
            .min(KIT_NUMBERS.last / (8 * u32::try_from(study.sites.len())?));
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
            list_threshold: u8::try_from(plan.threshold).context("threshold of list holders")?,
        };
        let sealed = vault.seal(&ListSeed::draw(&mut secrets), &mut secrets)?;
        Ok(Self { sealed, holders: keys })
    }

    /// Unlocks the vault with the first holder's key, as after each start of a server.
    ///
    /// # Errors
    /// The vault was altered.
    pub fn unlock(&self) -> Result<OpenVault> {
        let (person, key) = self.holders.first().context("the list has no holder")?;
        Ok(self.sealed.unlock(person, key)?)
    }

    /// Opens the whole list with as many holders as it needs.
    ///
    /// # Errors
    /// The vault was altered, or there are too few holders.
    pub fn open_list(&self) -> Result<OpenedList> {
        let needed = usize::from(self.sealed.list_threshold());
        let shares: Vec<ListShare> = self
            .holders
            .iter()
            .take(needed)
            .map(|(person, key)| self.sealed.open_share(person, key))
            .collect::<Result<_, _>>()?;
        Ok(self.sealed.open_list(&shares)?)
    }
}
