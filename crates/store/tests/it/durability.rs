//! What was acknowledged outlasts a kill.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use proptest::prelude::*;
use record::Environment;
use store::conformance::forms;
use store::{SqliteStore, Writer, verify};

use crate::sample::salts;

const FOLDER: &str = "EQUIPOISE_TEST_STORE";

/// Appends without end and says after each commit how many events there are; another test kills it.
#[test]
#[ignore = "runs only as the process that is killed"]
#[expect(clippy::disallowed_methods, reason = "the parent process names the folder")]
fn a_writer_that_is_killed() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let store = SqliteStore::create(Path::new(&folder), Environment::Rehearsal).unwrap();
    let mut writer = Writer::new(Box::new(store)).unwrap();
    let mut salts = salts();
    for before in 0.. {
        writer.append(vec![forms(1, before * 3, 2), forms(1, before * 3 + 2, 1)], &mut salts).unwrap();
        println!("\nacknowledged {} {}", writer.head().sequence, writer.head());
    }
}

/// A kill while SQLite still kept a rollback journal leaves one that only a writer may roll back.
#[test]
fn a_change_that_was_cut_short_is_rolled_back_before_a_record_is_read() {
    let (made, cut) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = SqliteStore::create(made.path(), Environment::Rehearsal).unwrap();
    let mut writer = Writer::new(Box::new(store)).unwrap();
    writer.append(vec![forms(1, 0, 2)], &mut salts()).unwrap();
    let (events, head) = (writer.head().sequence, writer.head().to_string());
    drop(writer);
    let connection = rusqlite::Connection::open(made.path().join("record.sqlite")).unwrap();
    let cut_short =
        "PRAGMA journal_mode = DELETE; PRAGMA cache_size = 1; PRAGMA cache_spill = 1; BEGIN IMMEDIATE;
        CREATE TABLE half (made BLOB);
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200)
        INSERT INTO half SELECT zeroblob(4000) FROM n;";
    connection.execute_batch(cut_short).unwrap();
    for name in ["record.sqlite", "record.sqlite-journal"] {
        std::fs::copy(made.path().join(name), cut.path().join(name)).unwrap();
    }
    let report = verify(cut.path(), None).unwrap();
    assert_eq!(report.first_fault, None);
    assert_eq!((report.events, report.head.to_string()), (events, head));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    // Shows: P11-10e-1
    fn a_killed_writer_leaves_a_whole_record_with_all_that_was_acknowledged(commits in 1usize..60) {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "durability::a_writer_that_is_killed", "--ignored", "--nocapture"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let acknowledged = lines
            .map(Result::unwrap)
            .filter_map(|line| Some(line.strip_prefix("acknowledged ")?.to_owned()))
            .take(commits)
            .last()
            .unwrap();
        child.kill().unwrap();
        child.wait().unwrap();

        let (sequence, head) = acknowledged.split_once(' ').unwrap();
        let report = verify(folder.path(), None).unwrap();
        prop_assert_eq!(&report.first_fault, &None);
        prop_assert!(report.events >= sequence.parse().unwrap());
        prop_assert_eq!(report.events % 3, 0, "a commit is there whole or not at all");
        let store = SqliteStore::open(folder.path(), Environment::Rehearsal).unwrap();
        let mut writer = Writer::new(Box::new(store)).unwrap();
        let then = writer.store().head_at(sequence.parse().unwrap()).unwrap().unwrap();
        prop_assert_eq!(then.to_string(), head);
        writer.append(vec![forms(1, report.events, 1)], &mut salts()).unwrap();
        prop_assert_eq!(verify(folder.path(), Some(writer.head().hash)).unwrap().first_fault, None);
    }
}
