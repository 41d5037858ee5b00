//! Drawn lists and the sealed vault against independent programs in Python;
//! `reference/README.md` says how their output was made.

use allocation::{KitPlan, KitRange, ListSeed, PermutedBlocks, StratumLength};
use serde_json::Value;
use terms::ArmId;

use crate::rehearsal::{SEED, key_of, placement, plan, random, sealed};

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn list_cases() -> (Value, Value) {
    (
        json(include_str!("../../reference/list_input.json")),
        json(include_str!("../../reference/list_output.json")),
    )
}

fn seed_of(case: &Value) -> ListSeed {
    let text = case["seed"].as_str().unwrap();
    let byte = |index: usize| u8::from_str_radix(&text[2 * index..2 * index + 2], 16).unwrap();
    ListSeed::from_bytes(std::array::from_fn(byte))
}

fn number(value: &Value) -> u32 {
    u32::try_from(value.as_u64().unwrap()).unwrap()
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

fn scheme_of(case: &Value) -> PermutedBlocks {
    let arms: Vec<(ArmId, u32)> = (case["arms"].as_array().unwrap().iter())
        .map(|arm| (arm[0].as_str().unwrap().into(), number(&arm[1])))
        .collect();
    let sizes: Vec<u32> = case["block_sizes"].as_array().unwrap().iter().map(number).collect();
    PermutedBlocks::new(&arms, &sizes).unwrap()
}

#[test]
// Shows: RND-2
fn drawn_lists_equal_an_independent_replay() {
    let (input, output) = list_cases();
    let (cases, expected) = (input["lists"].as_array().unwrap(), output["lists"].as_array().unwrap());
    assert_eq!(cases.len(), expected.len());
    for (case, expected) in cases.iter().zip(expected) {
        let stratum = case["stratum"].as_str().unwrap();
        let drawn = scheme_of(case).draw_list(&seed_of(case), stratum, number(&case["length"]));
        let arms: Vec<&str> = drawn.arms().iter().map(|arm| arm.reveal().as_str()).collect();
        assert_eq!(arms, texts(&expected["arms"]), "stratum `{stratum}`");
        let sizes: Vec<u32> = expected["block_sizes"].as_array().unwrap().iter().map(number).collect();
        assert_eq!(*drawn.block_sizes().reveal(), sizes, "stratum `{stratum}`");
    }
}

#[test]
// Shows: RND-2
fn kits_equal_an_independent_replay() {
    let (input, output) = list_cases();
    let (cases, expected) = (input["kits"].as_array().unwrap(), output["kits"].as_array().unwrap());
    assert_eq!(cases.len(), expected.len());
    for (case, expected) in cases.iter().zip(expected) {
        let mut plan = plan();
        let arms: Vec<(ArmId, u32)> = texts(&case["arms"]).into_iter().map(|arm| (arm.into(), 1)).collect();
        plan.blocks = PermutedBlocks::new(&arms, &[6]).unwrap();
        let sites = case["kits_per_arm"].as_array().unwrap();
        plan.kits = KitPlan {
            range: KitRange { first: number(&case["first"]), last: number(&case["last"]) },
            kits_per_arm: sites.iter().map(|s| (s[0].as_str().unwrap().into(), number(&s[1]))).collect(),
        };
        let vault = plan.seal(&seed_of(case), &mut random(1)).unwrap();
        let share = |person: &str| vault.open_share(&person.into(), &key_of(person)).unwrap();
        let opened = vault.open_list(&[share("p-safety"), share("p-chair")]).unwrap();
        let mut found = Vec::new();
        for consignment in vault.consignments() {
            for kit in &consignment.kits {
                let arm = opened.kit_arm(kit).unwrap();
                found.push([kit.to_string(), consignment.site.to_string(), arm.reveal().to_string()]);
            }
        }
        found.sort();
        assert_eq!(serde_json::to_value(found).unwrap(), *expected);
    }
}

#[test]
fn the_same_seed_gives_the_sealed_bytes_of_the_reference() {
    let reference = json(include_str!("../../reference/sealed.json"));
    let vault = sealed();
    assert_eq!(serde_json::to_value(&vault).unwrap(), reference["vault"]);
    let open = vault.unlock(&"p-statistician".into(), &key_of("p-statistician")).unwrap();
    let mut stream = random(2);
    for (index, (subject, stratum, position)) in
        [("01-001", "systemic", 1), ("02-001", "cutaneous", 5)].into_iter().enumerate()
    {
        let allocated = open.allocate(&placement(subject, stratum, position), &mut stream).unwrap();
        assert_eq!(serde_json::to_value(&allocated.envelope).unwrap(), reference["envelopes"][index]);
    }
}

#[test]
fn the_opened_reference_equals_what_an_independent_program_opens() {
    let (vault, expected) = (sealed(), json(include_str!("../../reference/opened.json")));
    let share = |person: &str| vault.open_share(&person.into(), &key_of(person)).unwrap();
    let opened = vault.open_list(&[share("p-statistician"), share("p-chair")]).unwrap();
    assert_eq!(*opened.seed().expose(), SEED);
    assert_eq!(serde_json::to_value(opened.block_sizes().reveal()).unwrap(), expected["block_sizes"]);
    for list in expected["lists"].as_array().unwrap() {
        let stratum = list[0].as_str().unwrap();
        for (position, arm) in (1..).zip(texts(&list[1])) {
            assert_eq!(*opened.arm(stratum, position).unwrap().reveal(), arm, "{stratum} {position}");
        }
    }
    for kit in expected["kits"].as_array().unwrap() {
        let arm = opened.kit_arm(&kit[0].as_str().unwrap().into()).unwrap();
        assert_eq!(*arm.reveal(), kit[1].as_str().unwrap());
    }
    assert_eq!(vault.list_digest().to_string(), expected["list_digest"].as_str().unwrap());
    let reference = json(include_str!("../../reference/sealed.json"));
    for broken in expected["envelopes"].as_array().unwrap() {
        let [subject, person, arm] = [0, 1, 2].map(|field| broken[field].as_str().unwrap());
        let envelopes = reference["envelopes"].as_array().unwrap().iter();
        let envelope =
            envelopes.clone().find(|envelope| envelope["placement"]["subject"] == subject).unwrap();
        let envelope: allocation::BreakEnvelope = serde_json::from_value(envelope.clone()).unwrap();
        let at = envelope.placement().clone();
        let found = envelope.open(&at, vault.vault_key(), &person.into(), &key_of(person)).unwrap();
        assert_eq!(*found.reveal(), arm);
    }
}

#[test]
fn an_opened_list_replays_from_its_own_seed() {
    let mut plan = plan();
    plan.blocks = PermutedBlocks::new(&[("a".into(), 2), ("b".into(), 1)], &[3, 6]).unwrap();
    plan.strata.push(StratumLength { stratum: "overlap".into(), length: 40 });
    let vault = plan.seal(&ListSeed::draw(&mut random(9)), &mut random(1)).unwrap();
    let share = |person: &str| vault.open_share(&person.into(), &key_of(person)).unwrap();
    let opened = vault.open_list(&[share("p-safety"), share("p-chair")]).unwrap();
    assert_eq!(opened.replay(), Ok(()));
    assert_eq!(opened.positions().count(), 6 + 5 + 40);
}
