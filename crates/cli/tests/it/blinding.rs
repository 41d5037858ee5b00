//! Before unblinding, nothing that was written says who takes what.

use std::fs;

use crate::{demo, files};

/// How near an arm's name may not come to a participant's or a kit's number, in bytes.
const NEAR_BYTES: usize = 400;

#[test]
// Shows: BLD-2
fn no_arm_stands_beside_a_participant_or_kit_before_unblinding() {
    let (folder, document) = demo(1);
    assert_eq!(document["studies"][0]["id"], "imatinib-controlled");
    let trial = folder.path().join("imatinib-controlled");
    // The study's own files name the arms and no participant; all else up to the lock names no arm at all.
    let mut searched = files(&trial.join("before-unblinding"));
    searched.push(trial.join("allocation.sealed"));
    assert!(searched.iter().any(|path| path.ends_with("record.sqlite")));
    let subjects: Vec<Vec<u8>> = numbers(&trial);
    assert!(subjects.len() >= 28);
    for path in &searched {
        let bytes = fs::read(path).unwrap().to_ascii_lowercase();
        let mut named = 0;
        for arm in ["imatinib", "placebo"] {
            for at in places(&bytes, arm.as_bytes()) {
                // The study's id holds the drug's name; it stands at no participant in particular.
                if bytes[at..].starts_with(b"imatinib-controlled") {
                    continue;
                }
                named += 1;
                let around = &bytes[at.saturating_sub(NEAR_BYTES)..(at + NEAR_BYTES).min(bytes.len())];
                for subject in &subjects {
                    assert!(
                        places(around, subject).next().is_none(),
                        "{} names {arm} beside {}",
                        path.display(),
                        String::from_utf8_lossy(subject)
                    );
                }
            }
        }
        if path.ends_with("record.sqlite") {
            assert_eq!(named, 0, "the record names an arm before unblinding");
        }
    }
}

#[test]
fn the_search_finds_an_arm_once_it_is_unblinded() {
    let (folder, _) = demo(1);
    let trial = folder.path().join("imatinib-controlled");
    let record = files(&trial.join("record"));
    let found = record.iter().any(|path| {
        let bytes = fs::read(path).unwrap();
        places(&bytes, b"\"placebo\"").next().is_some()
    });
    assert!(found, "the opened list is in the record after unblinding");
}

#[test]
fn identities_lie_sealed_and_apart_from_everything_else() {
    let (folder, _) = demo(1);
    let mut sealed = 0;
    for path in files(folder.path()) {
        let bytes = fs::read(&path).unwrap();
        assert!(places(&bytes, b"Virtual participant 01-001").next().is_none(), "{}", path.display());
        sealed += usize::from(path.ends_with("identities.sqlite"));
    }
    assert_eq!(sealed, 2);
}

/// Participants' numbers, from the data written after unblinding.
fn numbers(trial: &std::path::Path) -> Vec<Vec<u8>> {
    let subjects = fs::read_to_string(trial.join("data/subjects.csv")).unwrap();
    let mut lines = subjects.lines();
    let column = lines.next().unwrap().split(',').position(|name| name == "subject").unwrap();
    lines.map(|line| line.split(',').nth(column).unwrap().as_bytes().to_vec()).collect()
}

fn places<'a>(text: &'a [u8], wanted: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    (0..text.len().saturating_sub(wanted.len() - 1)).filter(move |at| text[*at..].starts_with(wanted))
}
