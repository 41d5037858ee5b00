//! Events as earlier versions of the program wrote them.
//!
//! `fixtures/events.tsv` holds an event of each kind that was ever written, and the hash that it had. Lines are added and never changed: a record is kept
//! for decades, and what was written once is read for as long.

use record::{Environment, Event, Head, encoding::encode};

use crate::sample::Counting;

const WRITTEN: &str = include_str!("../fixtures/events.tsv");

#[test]
fn p11_10c_an_event_of_every_kind_that_was_ever_written_is_read_whole_and_has_the_hash_it_had() {
    let before = Head::of_empty(Environment::Live).hash;
    let (mut kinds, mut differing) = (std::collections::BTreeSet::new(), Vec::new());
    for line in WRITTEN.lines() {
        let (hash, text) = line.split_once('\t').unwrap();
        let written: serde_json::Value = serde_json::from_str(text).unwrap();
        let event: Event = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert_eq!(serde_json::to_value(&event).unwrap(), written, "something of it is lost");
        kinds.insert(written["fact"]["kind"].as_str().unwrap().to_owned());
        let now = String::from(encode(&event, &mut Counting::from_zero()).unwrap().hash(&before));
        if now != hash {
            differing.push(format!("{now}\t{text}"));
        }
    }
    assert!(differing.is_empty(), "other hashes than they had:\n{}", differing.join("\n"));
    assert!(kinds.len() >= 57, "{kinds:?}");
}
