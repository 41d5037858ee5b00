//! What was redacted is gone from every file of the store.

use record::Environment;
use store::conformance::{forms, redaction_of};
use store::{SqliteStore, Writer, verify};

use crate::sample::salts;

fn stands_in_a_file(folder: &std::path::Path, words: &str) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        bytes.windows(words.len()).any(|window| window == words.as_bytes())
    })
}

#[test]
// Shows: E6-4.2.2b
fn redacted_words_stand_in_no_file_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::create(folder.path(), Environment::Rehearsal).unwrap();
    let mut writer = Writer::new(Box::new(store)).unwrap();
    writer.append(vec![forms(1, 0, 3)], &mut salts()).unwrap();
    assert!(stands_in_a_file(folder.path(), "note 1/1"));
    writer.redact(redaction_of(2, 2), &mut salts()).unwrap();
    assert!(!stands_in_a_file(folder.path(), "note 1/1"));
    assert!(stands_in_a_file(folder.path(), "note 1/2"));
    assert_eq!(verify(folder.path(), Some(writer.head().hash)).unwrap().first_fault, None);
}
