//! Identities are kept apart and sealed.

use rand_core::Rng;
use record::StoreError;
use rusqlite::Connection;
use store::identity::{Identity, IdentityError, IdentityKey, IdentityStore};
use terms::SubjectId;

use crate::sample::salts;

fn key() -> IdentityKey {
    IdentityKey::from_bytes([7; 32])
}

fn identity(name: &str) -> Identity {
    Identity {
        name: name.to_owned(),
        birth_date: Some("1961-07".parse().unwrap()),
        contact: "1 Example Street".to_owned(),
    }
}

fn subject(number: &str) -> SubjectId {
    number.into()
}

#[test]
fn an_identity_comes_back_under_its_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("identities.sqlite");
    let mut store = IdentityStore::create(&path, &key(), &mut salts()).unwrap();
    store.put(&subject("05-003"), &identity("Example Person"), &mut salts()).unwrap();
    store.put(&subject("05-003"), &identity("Changed Name"), &mut salts()).unwrap();
    store.put(&subject("05-001"), &identity("Another Person"), &mut salts()).unwrap();
    drop(store);

    let mut store = IdentityStore::open(&path, &key()).unwrap();
    assert!(store.get(&subject("05-003")) == Ok(Some(identity("Changed Name"))));
    assert!(store.get(&subject("05-002")) == Ok(None));
    assert_eq!(store.subjects().unwrap(), [subject("05-001"), subject("05-003")]);
    assert_eq!(store.remove(&subject("05-003")), Ok(true));
    assert_eq!(store.remove(&subject("05-003")), Ok(false));
    assert!(store.get(&subject("05-003")) == Ok(None));
}

#[test]
fn another_key_opens_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("identities.sqlite");
    IdentityStore::create(&path, &key(), &mut salts()).unwrap();
    let refused = IdentityStore::open(&path, &IdentityKey::from_bytes([8; 32])).err().unwrap();
    assert_eq!(refused, IdentityError::WrongKey);
    let refused = IdentityStore::create(&path, &key(), &mut salts()).err().unwrap();
    assert_eq!(refused, IdentityError::Store(StoreError::AlreadyThere { path }));
}

#[test]
// Shows: PRV-1
fn the_file_says_nothing_and_all_rows_have_one_length() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("identities.sqlite");
    let mut store = IdentityStore::create(&path, &key(), &mut salts()).unwrap();
    store.put(&subject("05-003"), &identity("X"), &mut salts()).unwrap();
    store.put(&subject("05-004"), &identity("A Rather Much Longer Example Name"), &mut salts()).unwrap();
    drop(store);
    let bytes = std::fs::read(&path).unwrap();
    for words in ["Longer", "Example", "1961"] {
        assert!(!bytes.windows(words.len()).any(|window| window == words.as_bytes()), "{words}");
    }
    let connection = Connection::open(&path).unwrap();
    let sql = "SELECT count(DISTINCT length(sealed)) FROM identities";
    assert_eq!(connection.query_row(sql, [], |row| row.get(0)), Ok(1));
}

#[test]
fn an_altered_or_exchanged_identity_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("identities.sqlite");
    let mut random = salts();
    random.next_u32();
    let mut store = IdentityStore::create(&path, &key(), &mut random).unwrap();
    store.put(&subject("05-003"), &identity("One"), &mut random).unwrap();
    store.put(&subject("05-004"), &identity("Two"), &mut random).unwrap();
    let connection = Connection::open(&path).unwrap();
    let exchange = "UPDATE identities SET (nonce, sealed) =
        (SELECT nonce, sealed FROM identities WHERE subject = '05-004') WHERE subject = '05-003'";
    connection.execute(exchange, []).unwrap();
    let altered = IdentityError::Altered { subject: subject("05-003") };
    assert!(store.get(&subject("05-003")) == Err(altered));
    assert!(store.get(&subject("05-004")) == Ok(Some(identity("Two"))));
}

#[test]
fn nothing_prints_an_identity() {
    assert_eq!(format!("{:?} {:?}", identity("One"), key()), "Identity(..) IdentityKey(..)");
}
