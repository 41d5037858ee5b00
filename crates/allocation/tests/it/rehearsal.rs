//! A small rehearsal of study B's allocation: its plan, its holders and their keys.

use allocation::{
    Holder, HolderRights, KitPlan, KitRange, ListSeed, PermutedBlocks, Placement, PrivateKey, SealedVault,
    StratumLength, VaultPlan,
};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use terms::PersonId;

pub const SEED: [u8; 32] = [0x5e; 32];

/// Returns the random stream of a rehearsal.
pub fn random(seed: u8) -> ChaCha20Rng {
    ChaCha20Rng::from_seed([seed; 32])
}

/// Returns a holder's private key, which is the same in every rehearsal.
pub fn key_of(person: &str) -> PrivateKey {
    let mut bytes = [0xA5; 32];
    bytes[..person.len()].copy_from_slice(person.as_bytes());
    PrivateKey::from_bytes(bytes)
}

fn holder(person: &str, role: &str, [unlock, break_blind, open_list]: [bool; 3]) -> Holder {
    let rights = HolderRights { unlock, break_blind, open_list };
    Holder { person: PersonId::from(person), role: role.into(), key: key_of(person).public(), rights }
}

/// Returns a plan with two strata, two sites and five holders.
pub fn plan() -> VaultPlan {
    let strata = [("systemic", 6), ("cutaneous", 5)];
    VaultPlan {
        study: "NCT00479934".into(),
        blocks: PermutedBlocks::new(&[("imatinib".into(), 1), ("placebo".into(), 1)], &[4]).expect("usable"),
        strata: strata.map(|(stratum, length)| StratumLength { stratum: stratum.into(), length }).into(),
        kits: KitPlan {
            range: KitRange { first: 1_000, last: 9_999 },
            kits_per_arm: vec![("01".into(), 3), ("02".into(), 2)],
        },
        holders: vec![
            holder("p-pharmacist", "unblinded pharmacist", [true, false, false]),
            holder("p-statistician", "unblinded statistician", [true, false, true]),
            holder("p-safety", "unblinded safety reporter", [false, true, true]),
            holder("safe-emergency", "emergency safe", [false, true, false]),
            holder("p-chair", "safety board", [false, false, true]),
        ],
        list_threshold: 2,
    }
}

/// Seals the plan as the reference was sealed.
pub fn sealed() -> SealedVault {
    plan().seal(&ListSeed::from_bytes(SEED), &mut random(1)).expect("the plan can be sealed")
}

/// Returns a participant's place in the list.
pub fn placement(subject: &str, stratum: &str, position: u32) -> Placement {
    Placement { study: "NCT00479934".into(), subject: subject.into(), stratum: stratum.into(), position }
}
