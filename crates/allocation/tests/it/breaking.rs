//! Break envelopes: opened alone, for one participant, by a break holder only.

use allocation::{BreakEnvelope, BreakError, ListSeed, OpenVault, Placement, PublicKey};
use terms::PersonId;

use crate::rehearsal::{SEED, key_of, placement, plan, random, sealed};

fn unlocked() -> OpenVault {
    sealed().unlock(&"p-pharmacist".into(), &key_of("p-pharmacist")).unwrap()
}

fn envelope(at: &Placement) -> BreakEnvelope {
    unlocked().allocate(at, &mut random(2)).unwrap().envelope
}

fn open_with(
    envelope: &BreakEnvelope,
    at: &Placement,
    vault_key: PublicKey,
    person: &str,
) -> Result<String, BreakError> {
    let opened = envelope.open(at, vault_key, &person.into(), &key_of(person));
    opened.map(|arm| arm.reveal().to_string())
}

#[test]
fn an_envelope_opens_alone_to_the_arm_of_the_list() {
    let vault = sealed();
    let blocks = plan().blocks;
    for list in vault.strata() {
        let drawn = blocks.draw_list(&ListSeed::from_bytes(SEED), &list.stratum, list.length);
        for (position, arm) in (1..).zip(drawn.arms()) {
            let at = placement("01-007", &list.stratum, position);
            // As it would come from a backup or a printed code, with the vault far away.
            let text = serde_json::to_string(&envelope(&at)).unwrap();
            let envelope: BreakEnvelope = serde_json::from_str(&text).unwrap();
            for person in ["p-safety", "safe-emergency"] {
                let opened = open_with(&envelope, &at, vault.vault_key(), person);
                assert_eq!(opened.as_deref(), Ok(arm.reveal().as_str()));
            }
        }
    }
}

#[test]
fn only_a_break_holder_with_the_own_key_opens_it() {
    let (vault_key, at) = (sealed().vault_key(), placement("01-001", "systemic", 1));
    let envelope = envelope(&at);
    for person in ["p-pharmacist", "p-statistician", "p-chair", "p-stranger"] {
        let refused = Err(BreakError::NotABreakHolder { person: person.into() });
        assert_eq!(open_with(&envelope, &at, vault_key, person), refused);
        let holder = PersonId::from("p-safety");
        let refused = envelope.open(&at, vault_key, &holder, &key_of(person));
        assert_eq!(refused, Err(BreakError::DoesNotOpen { person: holder }));
    }
}

#[test]
fn the_unlocked_vault_names_no_arm_without_a_break_holders_key() {
    let (open, at) = (unlocked(), placement("01-001", "systemic", 1));
    let envelope = open.allocate(&at, &mut random(2)).unwrap().envelope;
    let attempt = |person: &str| open.break_envelope(&envelope, &at, &person.into(), &key_of(person));
    assert!(attempt("p-pharmacist").is_err());
    assert_eq!(*attempt("p-safety").unwrap().reveal(), "imatinib");
}

#[test]
fn an_envelope_put_in_the_place_of_another_is_refused() {
    let vault_key = sealed().vault_key();
    let (ours, theirs) = (placement("01-001", "systemic", 1), placement("01-002", "systemic", 2));
    let (our_envelope, their_envelope) = (envelope(&ours), envelope(&theirs));
    let refused = open_with(&their_envelope, &ours, vault_key, "p-safety").unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the envelope is of subject `01-002`, not of subject `01-001` at the position asked for"
    );
    let does_not_open = Err(BreakError::DoesNotOpen { person: "p-safety".into() });
    let (ours_json, theirs_json) =
        (serde_json::to_value(&our_envelope).unwrap(), serde_json::to_value(&their_envelope).unwrap());
    for field in ["placement", "copies", "entry_digest", "list_digest"] {
        let mut swapped = theirs_json.clone();
        swapped[field] = ours_json[field].clone();
        if swapped == theirs_json {
            assert_eq!(field, "list_digest");
            continue;
        }
        let swapped: BreakEnvelope = serde_json::from_value(swapped).unwrap();
        let at = swapped.placement().clone();
        assert_eq!(open_with(&swapped, &at, vault_key, "p-safety"), does_not_open, "swapped {field}");
    }
    for (field, other) in [
        ("study", serde_json::json!("NCT00555581")),
        ("subject", serde_json::json!("01-003")),
        ("stratum", serde_json::json!("cutaneous")),
        ("position", serde_json::json!(2)),
    ] {
        let mut moved = ours_json.clone();
        moved["placement"][field] = other;
        let moved: BreakEnvelope = serde_json::from_value(moved).unwrap();
        let at = moved.placement().clone();
        assert_eq!(open_with(&moved, &at, vault_key, "p-safety"), does_not_open, "other {field}");
    }
}

#[test]
fn every_altered_byte_of_an_envelope_is_noticed() {
    let (vault_key, at) = (sealed().vault_key(), placement("01-001", "systemic", 1));
    let original = envelope(&at);
    let text = serde_json::to_string(&original).unwrap().into_bytes();
    for index in 0..text.len() {
        let mut altered = text.clone();
        altered[index] = match text[index] {
            b'9' => b'8',
            b'f' => b'e',
            other => other + 1,
        };
        let Ok(altered) = serde_json::from_slice::<BreakEnvelope>(&altered) else { continue };
        assert_ne!(altered.digest(), original.digest(), "byte {index}");
        let opens = |person| open_with(&altered, &at, vault_key, person).is_ok();
        assert!(!(opens("p-safety") && opens("safe-emergency")), "byte {index}");
    }
}

#[test]
fn an_envelope_forged_without_the_vaults_key_is_refused() {
    // Whoever knows the holders' public keys can seal a list of their own.
    let forger = plan().seal(&ListSeed::from_bytes([8; 32]), &mut random(66)).unwrap();
    let at = placement("01-001", "systemic", 1);
    let open = forger.unlock(&"p-pharmacist".into(), &key_of("p-pharmacist")).unwrap();
    let forged = open.allocate(&at, &mut random(2)).unwrap().envelope;
    assert!(open_with(&forged, &at, forger.vault_key(), "p-safety").is_ok());
    let refused = open_with(&forged, &at, sealed().vault_key(), "p-safety");
    assert_eq!(refused, Err(BreakError::DoesNotOpen { person: "p-safety".into() }));
}
