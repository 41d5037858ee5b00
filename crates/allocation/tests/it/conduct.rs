//! What a running trial asks of the unlocked vault.

use std::collections::BTreeSet;

use allocation::{AllocationError, ListSeed, OpenVault, OpenedList, SealedVault};
use proptest::prelude::*;
use terms::KitNumber;

use crate::rehearsal::{key_of, placement, plan, random, sealed};

fn unlock(vault: &SealedVault) -> OpenVault {
    vault.unlock(&"p-pharmacist".into(), &key_of("p-pharmacist")).unwrap()
}

fn open(vault: &SealedVault) -> OpenedList {
    let share = |person: &str| vault.open_share(&person.into(), &key_of(person)).unwrap();
    vault.open_list(&[share("p-safety"), share("p-chair")]).unwrap()
}

fn stock(vault: &SealedVault, site: usize) -> Vec<KitNumber> {
    vault.consignments()[site].kits.clone()
}

#[test]
fn every_allocation_is_confirmed_by_the_opened_list_and_by_no_other_entry() {
    let vault = sealed();
    let (running, opened) = (unlock(&vault), open(&vault));
    let digest = |stratum: &str, position| {
        running.allocate(&placement("01-001", stratum, position), &mut random(2)).unwrap().entry_digest
    };
    let mut digests = BTreeSet::new();
    for at in opened.positions() {
        let recorded = digest(at.stratum, at.position);
        assert!(opened.confirms(at.stratum, at.position, recorded));
        assert!(digests.insert(recorded), "an entry digest hides the arm, so no two are equal");
    }
    assert!(!opened.confirms("systemic", 2, digest("systemic", 1)));
    assert!(!opened.confirms("cutaneous", 1, digest("systemic", 1)));
    assert!(!opened.confirms("systemic", 99, digest("systemic", 1)));
}

#[test]
// Shows: RND-1
fn a_repeated_allocation_is_of_the_same_entry() {
    let (running, at) = (unlock(&sealed()), placement("01-001", "systemic", 1));
    let [first, second] = [2, 3].map(|seed| running.allocate(&at, &mut random(seed)).unwrap());
    assert_eq!(first.entry_digest, second.entry_digest);
    assert_eq!(first.envelope.entry_digest(), first.entry_digest);
    assert_eq!(first, running.allocate(&at, &mut random(2)).unwrap());
    assert_ne!(first.envelope.digest(), second.envelope.digest());
    assert_eq!(first.envelope.list_digest(), sealed().list_digest());
}

#[test]
fn a_place_that_the_list_does_not_have_is_refused() {
    let running = unlock(&sealed());
    let refused = |stratum: &str, position| {
        let at = placement("01-001", stratum, position);
        running.allocate(&at, &mut random(2)).unwrap_err().to_string()
    };
    assert_eq!(refused("overlap", 1), "the list has no stratum `overlap`");
    assert_eq!(refused("systemic", 0), "the list of stratum `systemic` has no position 0");
    assert_eq!(refused("systemic", 7), "the list of stratum `systemic` has no position 7");
    assert_eq!(refused("cutaneous", 6), "the list of stratum `cutaneous` has no position 6");
    let mut elsewhere = placement("01-001", "systemic", 1);
    elsewhere.study = "NCT00555581".into();
    let refused = running.allocate(&elsewhere, &mut random(2)).unwrap_err();
    assert_eq!(refused.to_string(), "the vault is of study `NCT00479934`, not of `NCT00555581`");
}

#[test]
fn a_kit_matches_exactly_the_participants_of_its_arm() {
    let vault = sealed();
    let (running, opened) = (unlock(&vault), open(&vault));
    for at in opened.positions() {
        for kit in vault.consignments().iter().flat_map(|consignment| &consignment.kits) {
            let same = opened.kit_arm(kit).unwrap() == at.arm;
            assert_eq!(running.kit_matches(at.stratum, at.position, kit), Ok(same));
        }
    }
    let unknown = KitNumber::from("0000");
    let refused = running.kit_matches("systemic", 1, &unknown).unwrap_err();
    assert_eq!(refused.to_string(), "no kit has the number 0000");
    assert!(running.kit_matches("systemic", 9, &stock(&vault, 0)[0]).is_err());
}

#[test]
fn a_stock_without_a_match_is_refused_without_saying_why() {
    let vault = sealed();
    let (running, opened) = (unlock(&vault), open(&vault));
    let arm = opened.arm("systemic", 1).unwrap();
    let others: Vec<KitNumber> =
        stock(&vault, 0).into_iter().filter(|kit| opened.kit_arm(kit).unwrap() != arm).collect();
    assert_eq!(others.len(), 3);
    for stock in [&others[..], &[]] {
        let refused = running.choose_kit("systemic", 1, stock).unwrap_err();
        assert_eq!(refused.to_string(), "no kit in this stock can be dispensed to this participant");
    }
    let mut unknown = others.clone();
    unknown.push("0000".into());
    let refused = running.choose_kit("systemic", 1, &unknown).unwrap_err();
    assert_eq!(refused, AllocationError::UnknownKit { kit: "0000".into() });
}

#[test]
fn a_kit_that_was_passed_over_tells_nothing() {
    // With one kit of each arm in stock the smaller number is chosen about half the
    // time; with several that match, so is each of them, over 200 fixed lists.
    let (mut smallest_chosen, mut smallest_match_chosen, lists) = (0, 0, 200u8);
    for seed in 0..lists {
        let vault = plan().seal(&ListSeed::from_bytes([seed; 32]), &mut random(seed)).unwrap();
        let (running, opened) = (unlock(&vault), open(&vault));
        let stock = stock(&vault, 1);
        let chosen = running.choose_kit("systemic", 1, &stock).unwrap();
        let arm = opened.arm("systemic", 1).unwrap();
        let smallest_match = stock.iter().find(|kit| opened.kit_arm(kit).unwrap() == arm).unwrap();
        smallest_match_chosen += u32::from(chosen == *smallest_match);
        smallest_chosen += u32::from(chosen == stock[0]);
    }
    // Binomial means 100 and 50 with deviations 7 and 6.
    assert!((72..=128).contains(&smallest_match_chosen), "{smallest_match_chosen}");
    assert!((26..=74).contains(&smallest_chosen), "{smallest_chosen}");
}

#[test]
fn a_consignment_from_a_depot_holds_every_arm_equally() {
    let mut plan = plan();
    plan.kits.kits_per_arm = vec![("depot".into(), 20)];
    let vault = plan.seal(&ListSeed::from_bytes([4; 32]), &mut random(1)).unwrap();
    let (running, opened) = (unlock(&vault), open(&vault));
    let mut left = stock(&vault, 0);
    for _ in 0..4 {
        let sent = running.choose_consignment(&left, 5).unwrap();
        assert!(sent.is_sorted() && sent.len() == 10);
        for arm in ["imatinib", "placebo"] {
            let held = sent.iter().filter(|kit| *opened.kit_arm(kit).unwrap().reveal() == arm).count();
            assert_eq!(held, 5);
        }
        left.retain(|kit| !sent.contains(kit));
    }
    assert!(left.is_empty());
    assert_eq!(running.choose_consignment(&left, 1), Err(AllocationError::StockTooSmall));
    assert_eq!(running.choose_consignment(&left, 0), Ok(vec![]));
}

proptest! {
    #[test]
    fn a_chosen_kit_is_in_stock_and_matches_whatever_the_order(
        position in 1u32..=6,
        (available, shuffled) in Just(sealed()).prop_flat_map(|vault| {
            proptest::sample::subsequence(stock(&vault, 0), 1..=6)
                .prop_flat_map(|stock| (Just(stock.clone()), Just(stock).prop_shuffle()))
        }),
    ) {
        let running = unlock(&sealed());
        let chosen = running.choose_kit("systemic", position, &available);
        prop_assert_eq!(&chosen, &running.choose_kit("systemic", position, &shuffled));
        match chosen {
            Ok(kit) => {
                prop_assert!(available.contains(&kit));
                prop_assert!(running.kit_matches("systemic", position, &kit).unwrap());
            }
            Err(refused) => {
                prop_assert_eq!(refused, AllocationError::NoMatchingKit);
                for kit in &available {
                    prop_assert!(!running.kit_matches("systemic", position, kit).unwrap());
                }
            }
        }
    }
}
