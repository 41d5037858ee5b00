//! The allocation list of a rehearsal: what the list's owner chooses and draws, alike for a sealed vault and
//! for the fast path.

use allocation::{ListSeed, PermutedBlocks, SchemeError};
use protocol::model::{AllocationPlan, Study};

use crate::streams::Streams;

/// Positions of a stratum's list beyond the trial's target, so that no list runs out.
pub(crate) const SPARE_POSITIONS: u32 = 20;

/// Returns the scheme of an allocation: blocks of twice the ratio, the list owner's own choice, which no open
/// file holds.
///
/// # Errors
/// The plan contradicts itself.
pub fn scheme(plan: &AllocationPlan) -> Result<PermutedBlocks, SchemeError> {
    let share_total: u32 = plan.ratio.iter().map(|(_, share)| share).sum();
    PermutedBlocks::new(&plan.ratio, &[2 * share_total])
}

/// Returns the length of each stratum's list.
pub fn length(study: &Study) -> u32 {
    participants(study) + SPARE_POSITIONS
}

/// Returns how many participants there may be.
pub(crate) fn participants(study: &Study) -> u32 {
    study.target.max(study.virtual_cohort.cohort.enrol.unwrap_or(0))
}

/// Draws the secret that the list is drawn from.
pub fn seed(streams: &Streams) -> ListSeed {
    ListSeed::draw(&mut streams.for_secrets("allocation list"))
}
