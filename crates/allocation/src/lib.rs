//! Who gets what, decided beforehand and sealed.
//!
//! The list's owner draws permuted blocks and kits ([`PermutedBlocks`],
//! [`KitPlan`]) and seals them into a [`SealedVault`] ([`VaultPlan::seal`]). A
//! holder unlocks it ([`OpenVault`]) so that a running trial can allocate, dispense
//! and detect a wrong kit without learning an arm; a break holder opens one
//! participant's [`BreakEnvelope`]; several holders together open the whole list
//! after lock ([`OpenedList`]). An arm leaves this crate as an [`Unblinded`] only.
//!
//! There is no clock, no file and no ambient randomness here: random streams are
//! arguments, and the same arguments give the same bytes. Which position is
//! next, who asked and why stand in the record, not here.

mod binding;
mod envelope;
mod hex;
mod kits;
mod list;
mod open_vault;
mod opened_list;
mod permuted_blocks;
mod sealing;
mod stream;
mod unblinded;
mod vault;

pub use envelope::{BreakEnvelope, BreakError, Placement};
pub use kits::{Consignment, KIT_RANGE_MAX, KitPlan, KitPlanError, KitRange, NUMBERS_PER_KIT_MIN};
pub use open_vault::{Allocation, AllocationError, OpenVault};
pub use opened_list::{OpenedList, OpenedPosition, ReplayError};
pub use permuted_blocks::{
    ARM_BYTES_MAX, ARMS_MAX, BLOCK_SIZE_MAX, BLOCK_SIZES_MAX, ListSeed, PermutedBlocks, SchemeError,
    StratumList,
};
pub use sealing::{Digest, PrivateKey, PublicKey};
pub use unblinded::Unblinded;
pub use vault::{
    Holder, HolderRights, ListShare, POSITIONS_MAX, SealedVault, StratumLength, VaultError, VaultPlan,
};
