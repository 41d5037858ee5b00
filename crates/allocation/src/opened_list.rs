//! The full list, opened by a quorum after lock.
//!
//! It names the arm of every position and kit, shows the seed and block sizes to
//! whoever replays them, and replays them itself. It decides nothing about when
//! it may be opened: that a study is locked is for `conduct` to have checked.

use std::fmt;

use terms::{ArmId, KitNumber, StudyId};

use crate::{
    envelope::{entry_digest, entry_salt},
    kits::{KitPlan, KitRange},
    list::FullList,
    permuted_blocks::ListSeed,
    sealing::Digest,
    unblinded::Unblinded,
    vault::{SealedVault, StratumLength},
};

/// Where the opened list is not what its own seed and scheme give.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// A position holds another arm than the replay.
    #[error("position {position} of stratum `{stratum}` is not what the seed gives")]
    Position {
        /// The stratum.
        stratum: String,
        /// The first position that differs.
        position: u32,
    },
    /// The kit list differs.
    #[error("the kits are not what the seed gives")]
    Kits,
}

/// A position of the opened list and its arm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenedPosition<'a> {
    /// The stratum.
    pub stratum: &'a str,
    /// The position, counted from 1.
    pub position: u32,
    /// The arm.
    pub arm: Unblinded<ArmId>,
}

/// The opened list. It prints nothing and can't be serialised.
pub struct OpenedList {
    study: StudyId,
    strata: Vec<StratumLength>,
    kit_plan: KitPlan,
    kit_sites: Vec<(KitNumber, usize)>,
    full: FullList,
}

impl OpenedList {
    pub(crate) fn new(vault: &SealedVault, full: FullList) -> Self {
        let arm_count = full.scheme.arms().len().max(1) as u32;
        let consignments = vault.consignments();
        let kits_per_arm = consignments.iter().map(|c| (c.site.clone(), c.kits.len() as u32 / arm_count));
        let mut kit_sites: Vec<(KitNumber, usize)> = (consignments.iter().enumerate())
            .flat_map(|(site, consignment)| consignment.kits.iter().map(move |kit| (kit.clone(), site)))
            .collect();
        kit_sites.sort_unstable();
        Self {
            study: vault.study().clone(),
            strata: vault.strata().to_vec(),
            kit_plan: KitPlan { range: vault.kit_range(), kits_per_arm: kits_per_arm.collect() },
            kit_sites,
            full,
        }
    }

    /// Returns the arm of a position, if the list has it.
    pub fn arm(&self, stratum: &str, position: u32) -> Option<Unblinded<ArmId>> {
        self.positions().find(|at| at.stratum == stratum && at.position == position).map(|at| at.arm)
    }

    /// Returns every position with its arm, stratum by stratum.
    pub fn positions(&self) -> impl Iterator<Item = OpenedPosition<'_>> {
        (self.strata.iter())
            .flat_map(|list| (1..=list.length).map(|position| (&*list.stratum, position)))
            .zip(self.full.arms.iter())
            .map(|((stratum, position), &arm)| OpenedPosition { stratum, position, arm: self.named(arm) })
    }

    /// Returns the arm that a kit holds, if there is such a kit.
    pub fn kit_arm(&self, kit: &KitNumber) -> Option<Unblinded<ArmId>> {
        let index = self.kit_sites.binary_search_by(|(number, _)| number.cmp(kit)).ok()?;
        Some(self.named(self.full.kit_arms[index]))
    }

    /// Says whether a digest from the record commits to this list's entry at a position.
    pub fn confirms(&self, stratum: &str, position: u32, recorded: Digest) -> bool {
        self.arm(stratum, position).is_some_and(|arm| {
            let salt = entry_salt(self.full.seed.expose(), stratum, position);
            entry_digest(&self.study, stratum, position, &salt, arm.reveal()) == recorded
        })
    }

    /// Returns the seed, for an independent replay.
    pub fn seed(&self) -> &ListSeed {
        &self.full.seed
    }

    /// Returns the block sizes that the list was drawn with.
    pub fn block_sizes(&self) -> Unblinded<Vec<u32>> {
        Unblinded::new(self.full.scheme.block_sizes().to_vec())
    }

    /// Returns the arms and their ratio, in the scheme's order.
    pub fn arms(&self) -> &[(ArmId, u32)] {
        self.full.scheme.arms()
    }

    /// Returns the range that kit numbers were drawn from.
    pub fn kit_range(&self) -> KitRange {
        self.kit_plan.range
    }

    /// Draws the list again from its seed and compares every position and kit.
    ///
    /// # Errors
    /// The first difference.
    pub fn replay(&self) -> Result<(), ReplayError> {
        let mut sealed = self.positions();
        for list in &self.strata {
            let drawn = self.full.scheme.draw_list(&self.full.seed, &list.stratum, list.length);
            for (position, arm) in (1..).zip(drawn.arms()) {
                if sealed.next().is_none_or(|at| at.arm != *arm) {
                    return Err(ReplayError::Position { stratum: list.stratum.clone(), position });
                }
            }
        }
        let drawn = self.kit_plan.draw(&self.full.seed, self.arms().len());
        let drawn = drawn.map_err(|_| ReplayError::Kits)?;
        let expected = drawn.iter().map(|kit| (self.kit_plan.range.printed(kit.number), kit.site, kit.arm));
        let found = (self.kit_sites.iter().zip(self.full.kit_arms.iter()))
            .map(|((number, site), &arm)| (number.clone(), *site, usize::from(arm)));
        if expected.eq(found) { Ok(()) } else { Err(ReplayError::Kits) }
    }

    fn named(&self, index: u8) -> Unblinded<ArmId> {
        Unblinded::new(self.full.scheme.arms()[usize::from(index)].0.clone())
    }
}

impl fmt::Debug for OpenedList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OpenedList({}, ..)", self.study)
    }
}
