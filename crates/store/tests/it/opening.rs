//! A store opens, or says in one clear message why it does not.

use std::fs;

use record::Environment::{Live, Rehearsal};
use record::StoreError;
use store::conformance::forms;
use store::{Reader, SqliteReader, SqliteStore, Writer, verify};

use crate::sample::{Sample, salts};

fn refusal<T>(opened: Result<T, StoreError>) -> StoreError {
    opened.err().expect("it was to be refused")
}

#[test]
fn a_second_writer_is_refused_and_readers_are_not() {
    let sample = Sample::new();
    let first = SqliteStore::open(sample.path(), Rehearsal).unwrap();
    let refused = refusal(SqliteStore::open(sample.path(), Rehearsal));
    assert_eq!(refused, StoreError::Locked { path: sample.path().to_owned() });
    assert!(
        refused
            .to_string()
            .ends_with("is in use by another process; only one may write to a store at a time")
    );
    assert_eq!(SqliteReader::open(sample.path()).unwrap().head(), Ok(sample.head));
    assert_eq!(verify(sample.path(), None).unwrap().first_fault, None);
    drop(first);
    SqliteStore::open(sample.path(), Rehearsal).unwrap();
}

#[test]
fn a_reader_sees_what_was_committed_meanwhile() {
    let sample = Sample::new();
    let reader = SqliteReader::open(sample.path()).unwrap();
    let mut writer = Writer::new(Box::new(SqliteStore::open(sample.path(), Rehearsal).unwrap())).unwrap();
    writer.stage(forms(3, 0, 1), &mut salts()).unwrap();
    assert_eq!(reader.head(), Ok(sample.head));
    let head = writer.commit().unwrap();
    assert_eq!(reader.head(), Ok(head));
}

#[test]
fn environments_are_never_mixed() {
    let sample = Sample::new();
    let refused = refusal(SqliteStore::open(sample.path(), Live));
    assert_eq!(refused, StoreError::WrongEnvironment { path: sample.file(), found: Rehearsal, asked: Live });
    assert!(refused.to_string().ends_with("is a rehearsal store and was opened as live"));
    assert_eq!(SqliteReader::open(sample.path()).unwrap().environment(), Rehearsal);
}

#[test]
fn a_newer_store_is_left_alone() {
    let sample = Sample::new();
    sample.guarded().execute_batch("PRAGMA user_version = 99").unwrap();
    let newer = StoreError::Newer { path: sample.file(), found: 99, known: 1 };
    assert_eq!(refusal(SqliteStore::open(sample.path(), Rehearsal)), newer);
    assert_eq!(refusal(SqliteReader::open(sample.path())), newer);
    assert_eq!(refusal(verify(sample.path(), None)), newer);
}

#[test]
fn what_is_not_a_store_is_not_taken_for_one() {
    let folder = tempfile::tempdir().unwrap();
    let not = |path: &std::path::Path| StoreError::NotAStore { path: path.to_owned() };
    assert_eq!(refusal(SqliteStore::open(folder.path(), Live)), not(folder.path()));
    assert_eq!(refusal(verify(folder.path(), None)), not(folder.path()));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "looking leaves nothing behind");
    let file = folder.path().join("record.sqlite");
    for content in [
        "",
        "a text that is long enough to be looked at as if it were a database of some kind, which it is not, and \
                          which is longer than the header of one",
    ] {
        fs::write(&file, content).unwrap();
        assert_eq!(refusal(SqliteStore::open(folder.path(), Live)), not(&file));
        assert_eq!(refusal(SqliteReader::open(folder.path())), not(&file));
        assert_eq!(
            refusal(SqliteStore::create(folder.path(), Live)),
            StoreError::AlreadyThere { path: folder.path().to_owned() }
        );
        assert_eq!(fs::read_to_string(&file).unwrap(), content);
    }
}

#[test]
fn a_store_is_never_made_over_another() {
    let sample = Sample::new();
    let refused = refusal(SqliteStore::create(sample.path(), Rehearsal));
    assert_eq!(refused, StoreError::AlreadyThere { path: sample.path().to_owned() });
    assert_eq!(verify(sample.path(), Some(sample.head.hash)).unwrap().first_fault, None);
}

#[test]
fn a_store_half_made_by_a_killed_process_is_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("record.sqlite.new"), "half").unwrap();
    SqliteStore::create(folder.path(), Live).unwrap();
    assert_eq!(verify(folder.path(), None).unwrap().first_fault, None);
}

#[test]
fn a_record_that_moved_on_under_the_writer_is_not_overwritten() {
    let sample = Sample::new();
    let mut writer = Writer::new(Box::new(SqliteStore::open(sample.path(), Rehearsal).unwrap())).unwrap();
    writer.stage(forms(3, 0, 1), &mut salts()).unwrap();
    sample
        .unguarded()
        .execute_batch("DELETE FROM contents WHERE sequence = 6; DELETE FROM events WHERE sequence = 6")
        .unwrap();
    assert_eq!(writer.commit(), Err(StoreError::StaleHead { expected: 6, found: 5 }));
}
