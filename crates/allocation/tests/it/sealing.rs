//! What the sealed file gives away, and what it opens for whom.

use allocation::{ListSeed, PermutedBlocks, SealedVault, VaultError};
use terms::PersonId;

use crate::rehearsal::{SEED, key_of, placement, plan, random, sealed};

const PEOPLE: [&str; 5] = ["p-pharmacist", "p-statistician", "p-safety", "safe-emergency", "p-chair"];

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn no_arm_is_in_anything_written_or_printed() {
    let vault = sealed();
    let open = vault.unlock(&"p-pharmacist".into(), &key_of("p-pharmacist")).unwrap();
    let at = placement("01-001", "systemic", 1);
    let allocated = open.allocate(&at, &mut random(2)).unwrap();
    let share = |person: &str| vault.open_share(&person.into(), &key_of(person)).unwrap();
    let shares = [share("p-safety"), share("p-chair")];
    let opened = vault.open_list(&shares).unwrap();
    let broken = allocated.envelope.open(&at, vault.vault_key(), &"p-safety".into(), &key_of("p-safety"));
    let places: Vec<_> = opened.positions().collect();
    let written = [
        serde_json::to_string(&vault).unwrap(),
        serde_json::to_string(&allocated.envelope).unwrap(),
        format!("{vault:?} {open:?} {allocated:?} {opened:?} {shares:?} {broken:?} {places:?}"),
        format!("{:?} {} {:?}", plan(), places[0].arm, opened.seed()),
    ];
    for text in written {
        for arm in ["imatinib", "placebo"] {
            for spelled in [arm.to_owned(), hex(arm)] {
                assert!(!text.to_lowercase().contains(&spelled), "`{spelled}` in {text}");
            }
        }
        // Neither the seed, nor which class a position or kit has.
        assert!(!text.contains(&hex("^^^^^^^^")) && !text.contains("class"), "{text}");
    }
    assert_eq!(SEED, [b'^'; 32]);
}

#[test]
fn two_lists_of_one_shape_are_sealed_in_the_same_lengths() {
    let mut other = plan();
    other.blocks = PermutedBlocks::new(
        &[("a much longer name of an arm".into(), 2), ("b".into(), 1), ("c".into(), 1)],
        &[4, 8, 12],
    )
    .unwrap();
    // Twelve kits each: three of two arms at two sites, and two of three arms.
    other.kits.kits_per_arm = vec![("01".into(), 2), ("02".into(), 2)];
    let mut ours = plan();
    ours.kits.kits_per_arm = vec![("01".into(), 3), ("02".into(), 3)];
    let lengths = |vault: &SealedVault| {
        let open = vault.unlock(&"p-pharmacist".into(), &key_of("p-pharmacist")).unwrap();
        let mut lengths = vec![serde_json::to_string(vault).unwrap().len()];
        for position in 1..=6 {
            let at = placement("01-001", "systemic", position);
            let envelope = open.allocate(&at, &mut random(2)).unwrap().envelope;
            lengths.push(serde_json::to_string(&envelope).unwrap().len());
        }
        lengths
    };
    let one = lengths(&ours.seal(&ListSeed::from_bytes([1; 32]), &mut random(1)).unwrap());
    let two = lengths(&other.seal(&ListSeed::from_bytes([2; 32]), &mut random(3)).unwrap());
    assert_eq!(one, two);
    assert!(one[1..].windows(2).all(|pair| pair[0] == pair[1]), "{one:?}");
}

#[test]
fn swapping_the_arms_changes_nothing_that_is_public_of_the_kits() {
    let mut swapped = plan();
    swapped.blocks = PermutedBlocks::new(&[("placebo".into(), 1), ("imatinib".into(), 1)], &[4]).unwrap();
    let swapped = swapped.seal(&ListSeed::from_bytes(SEED), &mut random(1)).unwrap();
    assert_eq!(swapped.consignments(), sealed().consignments());
}

#[test]
fn a_key_does_what_its_holder_may_and_nothing_else() {
    let vault = sealed();
    for holder in vault.holders() {
        let key = key_of(holder.person.as_str());
        let unlocked = vault.unlock(&holder.person, &key).map(|_| ());
        let shared = vault.open_share(&holder.person, &key).map(|_| ());
        let refused = |right| Err(VaultError::NotAHolder { person: holder.person.clone(), right });
        let expected = if holder.rights.unlock { Ok(()) } else { refused("unlock the vault") };
        assert_eq!(unlocked, expected, "{}", holder.person);
        let expected = if holder.rights.open_list { Ok(()) } else { refused("open the list") };
        assert_eq!(shared, expected, "{}", holder.person);
    }
}

#[test]
fn another_holders_key_opens_nothing() {
    let vault = sealed();
    for person in PEOPLE.map(PersonId::from) {
        for other in PEOPLE.into_iter().filter(|other| person != **other).chain(["p-stranger"]) {
            assert!(vault.unlock(&person, &key_of(other)).is_err(), "{other} as {person}");
            assert!(vault.open_share(&person, &key_of(other)).is_err(), "{other} as {person}");
        }
    }
    let refused = vault.unlock(&"p-pharmacist".into(), &key_of("p-safety")).unwrap_err();
    assert_eq!(refused, VaultError::DoesNotOpen { person: "p-pharmacist".into() });
}

#[test]
fn fewer_holders_than_the_quorum_open_no_list() {
    let vault = sealed();
    let share = |person: &str| vault.open_share(&person.into(), &key_of(person)).unwrap();
    let too_few = VaultError::NotEnoughShares { given: 1, needed: 2 };
    assert_eq!(vault.open_list(&[share("p-chair")]).unwrap_err(), too_few);
    assert_eq!(vault.open_list(&[share("p-chair"), share("p-chair")]).unwrap_err(), too_few);
    assert!(matches!(vault.open_list(&[]), Err(VaultError::NotEnoughShares { given: 0, .. })));
    for pair in [["p-chair", "p-safety"], ["p-safety", "p-statistician"], ["p-statistician", "p-chair"]] {
        assert!(vault.open_list(&pair.map(share)).is_ok(), "{pair:?}");
    }
    let all = ["p-chair", "p-safety", "p-chair", "p-statistician"].map(share);
    assert!(vault.open_list(&all).is_ok());
}

#[test]
fn a_quorum_lowered_in_the_file_opens_no_share() {
    let mut plan = plan();
    plan.list_threshold = 3;
    let vault = plan.seal(&ListSeed::from_bytes(SEED), &mut random(1)).unwrap();
    let mut forged = serde_json::to_value(&vault).unwrap();
    forged["list_threshold"] = 2.into();
    let forged: SealedVault = serde_json::from_value(forged).unwrap();
    let Err(VaultError::DigestDiffers { found, .. }) = forged.verify(vault.list_digest()) else {
        panic!("the threshold is covered by the digest");
    };
    let mut forged = serde_json::to_value(&forged).unwrap();
    forged["list_digest"] = serde_json::to_value(found).unwrap();
    let forged: SealedVault = serde_json::from_value(forged).unwrap();
    assert!(forged.verify(found).is_ok(), "the forger made the file agree with itself");
    assert!(matches!(
        forged.open_share(&"p-chair".into(), &key_of("p-chair")),
        Err(VaultError::DoesNotOpen { .. })
    ));
}

#[test]
fn a_share_of_another_list_is_refused() {
    let vault = sealed();
    let other = plan().seal(&ListSeed::from_bytes([9; 32]), &mut random(7)).unwrap();
    let ours = vault.open_share(&"p-chair".into(), &key_of("p-chair")).unwrap();
    let theirs = other.open_share(&"p-safety".into(), &key_of("p-safety")).unwrap();
    let refused = vault.open_list(&[ours, theirs]).unwrap_err();
    assert_eq!(refused, VaultError::OtherList { person: "p-safety".into() });
}

/// Says whether everything that the vault was sealed for still works.
fn is_intact(vault: &SealedVault, original: &SealedVault) -> bool {
    let mut shares = Vec::new();
    vault.verify(original.list_digest()).is_ok()
        && original.holders().iter().all(|holder| {
            let key = key_of(holder.person.as_str());
            let unlocks = !holder.rights.unlock || vault.unlock(&holder.person, &key).is_ok();
            unlocks
                && (!holder.rights.open_list
                    || vault.open_share(&holder.person, &key).map(|share| shares.push(share)).is_ok())
        })
        && vault.open_list(&shares).is_ok()
}

#[test]
// Shows: RND-3
fn every_altered_byte_of_the_file_is_noticed() {
    let mut small = plan();
    small.strata.truncate(1);
    small.strata[0].length = 1;
    small.kits.kits_per_arm = vec![("01".into(), 1)];
    let vault = small.seal(&ListSeed::from_bytes(SEED), &mut random(1)).unwrap();
    assert!(is_intact(&vault, &vault));
    let text = serde_json::to_string(&vault).unwrap().into_bytes();
    for index in 0..text.len() {
        let mut altered = text.clone();
        // Another digit stays a digit, so most alterations still parse.
        altered[index] = match text[index] {
            b'9' => b'8',
            b'f' => b'e',
            other => other + 1,
        };
        if let Ok(altered) = serde_json::from_slice::<SealedVault>(&altered) {
            let place = String::from_utf8_lossy(&text[index.saturating_sub(30)..=index]);
            assert!(!is_intact(&altered, &vault), "altered byte {index} after {place}");
        }
    }
}

#[test]
fn every_truncated_file_is_refused() {
    let text = serde_json::to_string(&sealed()).unwrap();
    assert!(serde_json::from_str::<SealedVault>(&text).is_ok());
    for end in (0..text.len()).filter(|end| *end < 200 || *end > text.len() - 200 || end % 97 == 0) {
        assert!(serde_json::from_str::<SealedVault>(&text[..end]).is_err(), "cut at {end}");
    }
    let mut cut = serde_json::to_value(sealed()).unwrap();
    cut["working_list"] = "".into();
    let cut: SealedVault = serde_json::from_value(cut).unwrap();
    assert!(matches!(
        cut.unlock(&"p-pharmacist".into(), &key_of("p-pharmacist")),
        Err(VaultError::DigestDiffers { .. })
    ));
}

#[test]
fn a_file_of_another_format_is_refused() {
    let mut newer = serde_json::to_value(sealed()).unwrap();
    newer["format"] = 2.into();
    let newer: SealedVault = serde_json::from_value(newer).unwrap();
    let refused = newer.unlock(&"p-pharmacist".into(), &key_of("p-pharmacist")).unwrap_err();
    assert_eq!(refused.to_string(), "the vault has format 2; this program reads format 1");
}

#[test]
// Shows: RND-3
fn an_alteration_by_someone_who_recomputes_the_digest_fails_against_the_study() {
    let vault = sealed();
    let mut forged = serde_json::to_value(&vault).unwrap();
    let kits = forged["consignments"][0]["kits"].as_array_mut().unwrap();
    kits.swap(0, 1);
    let forged: SealedVault = serde_json::from_value(forged).unwrap();
    let Err(VaultError::DigestDiffers { expected, found }) = forged.verify(vault.list_digest()) else {
        panic!("a reordered list fails its digest");
    };
    assert_eq!(expected, vault.list_digest());
    assert_ne!(expected, found);
    let mut agreeing = serde_json::to_value(&forged).unwrap();
    agreeing["list_digest"] = serde_json::to_value(found).unwrap();
    let agreeing: SealedVault = serde_json::from_value(agreeing).unwrap();
    assert!(agreeing.verify(vault.list_digest()).is_err());
    let mut renamed = serde_json::to_value(&vault).unwrap();
    renamed["list_digest"] = serde_json::to_value(found).unwrap();
    let renamed: SealedVault = serde_json::from_value(renamed).unwrap();
    assert!(renamed.verify(vault.list_digest()).is_err() && renamed.verify(found).is_err());
    assert!(agreeing.unlock(&"p-pharmacist".into(), &key_of("p-pharmacist")).is_err());
}

#[test]
fn a_plan_that_contradicts_itself_is_refused() {
    let refused = |change: fn(&mut allocation::VaultPlan)| {
        let mut plan = plan();
        change(&mut plan);
        plan.seal(&ListSeed::from_bytes(SEED), &mut random(1)).unwrap_err().to_string()
    };
    assert_eq!(
        refused(|p| p.strata[1].stratum = "systemic".into()),
        "stratum `systemic` is in the plan twice"
    );
    assert_eq!(refused(|p| p.strata.clear()), "a list has 1 to 100000 positions, and this plan asks for 0");
    assert_eq!(
        refused(|p| p.strata[0].length = u32::MAX),
        "a list has 1 to 100000 positions, and this plan asks for 4294967300"
    );
    assert_eq!(
        refused(|p| p.holders[1].person = "p-pharmacist".into()),
        "`p-pharmacist` is among the holders twice"
    );
    assert_eq!(
        refused(|p| p.holders.iter_mut().for_each(|h| h.rights.unlock = false)),
        "no holder may unlock the vault"
    );
    assert_eq!(
        refused(|p| p.holders.iter_mut().for_each(|h| h.rights.break_blind = false)),
        "no holder may break a blind"
    );
    for threshold in [0, 1, 4] {
        let mut plan = plan();
        plan.list_threshold = threshold;
        let refused = plan.seal(&ListSeed::from_bytes(SEED), &mut random(1)).unwrap_err();
        assert_eq!(
            refused.to_string(),
            format!("a quorum of {threshold} is not between 2 and the 3 holders of the list")
        );
    }
    assert_eq!(
        refused(|p| p.holders[3].key = allocation::PublicKey::from_bytes([0; 32])),
        "the public key of `safe-emergency` is not usable"
    );
    assert_eq!(
        refused(|p| p.kits.range.last = 1_010),
        "10 kits need a range of at least 40 numbers, and this one has 11"
    );
}

#[test]
fn the_scheme_digest_follows_what_two_people_check_and_not_the_block_sizes() {
    let digest = |change: fn(&mut allocation::VaultPlan)| {
        let mut plan = plan();
        change(&mut plan);
        plan.scheme_digest()
    };
    let blocks = |first: &str, second: &str, ratio, size| {
        PermutedBlocks::new(&[(first.into(), ratio), (second.into(), 1)], &[size]).unwrap()
    };
    let same = digest(|_| ());
    assert_eq!(sealed().scheme_digest(), same);
    let mut larger = plan();
    larger.blocks = blocks("imatinib", "placebo", 1, 6);
    assert_eq!(larger.scheme_digest(), same);
    let mut swapped = plan();
    swapped.blocks = blocks("placebo", "imatinib", 1, 4);
    assert_ne!(swapped.scheme_digest(), same);
    let mut uneven = plan();
    uneven.blocks = blocks("imatinib", "placebo", 2, 6);
    assert_ne!(uneven.scheme_digest(), same);
    assert_ne!(digest(|p| p.strata.reverse()), same);
    assert_ne!(digest(|p| p.strata[0].length += 1), same);
    assert_ne!(digest(|p| p.kits.kits_per_arm[0].1 += 1), same);
    assert_ne!(digest(|p| p.study = "NCT00000000".into()), same);
}
