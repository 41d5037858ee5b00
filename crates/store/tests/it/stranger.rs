//! A program that was written from the format's page alone comes to the same head.

use std::path::Path;
use std::process::{Command, Output};

use crate::sample::Sample;

fn verify_record(arguments: &[&str]) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../record/reference/verify_record.py");
    Command::new("python3").arg(script).args(arguments).output().expect("python3 is installed")
}

#[test]
fn the_python_verifier_comes_to_the_same_head() {
    let sample = Sample::new();
    let folder = sample.path().to_str().unwrap();
    let head = sample.head.to_string();
    let found = verify_record(&[folder, &head]);
    assert_eq!(String::from_utf8_lossy(&found.stdout), format!("6 events, head {head}\n"));
    assert!(found.status.success());
    assert!(!verify_record(&[folder, &head.replace(&head[..4], "0000")]).status.success());
}

#[test]
fn the_python_verifier_finds_an_alteration() {
    let sample = Sample::new();
    sample
        .unguarded()
        .execute_batch("UPDATE contents SET content = x'31' WHERE sequence = 3 AND cell = 1")
        .unwrap();
    let found = verify_record(&[sample.path().to_str().unwrap()]);
    assert_eq!(String::from_utf8_lossy(&found.stderr).trim(), "event 3: the commitment of cell 1 differs");
    assert_eq!(found.status.code(), Some(1));
}
