//! Backups: what comes back is what was there, or nothing does.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rand_chacha::rand_core::{Rng, SeedableRng};
use record::{Environment, Fact, Reader, Stream};
use store::{
    SqliteReader, SqliteStore, Writer,
    backup::{BackupError, BackupKey, make, restore},
    conformance::{forms, one},
};
use tempfile::TempDir;
use terms::Timestamp;

use crate::sample::salts;

const NONCE: [u8; store::backup::NONCE_BYTES] = [3; store::backup::NONCE_BYTES];

/// An installation with a record in use, a study's file, and something that fills several blocks.
struct House {
    folder: TempDir,
    writer: Writer,
}

impl House {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let study = folder.path().join("studies/one/study/forms");
        fs::create_dir_all(&study).unwrap();
        fs::write(study.join("vital_signs.toml"), "title = \"Vital signs\"\n").unwrap();
        fs::write(folder.path().join("studies/one/empty.json"), "").unwrap();
        let mut long = vec![0; 2_500_000];
        rand_chacha::ChaCha8Rng::seed_from_u64(1).fill_bytes(&mut long);
        fs::write(folder.path().join("long.bin"), long).unwrap();
        fs::create_dir_all(folder.path().join("backups")).unwrap();
        fs::write(folder.path().join("backups/older.backup"), "not again").unwrap();
        fs::write(folder.path().join("backup.key"), "never beside the backup").unwrap();
        let store =
            SqliteStore::create(&folder.path().join("studies/one/record"), Environment::Rehearsal).unwrap();
        let mut writer = Writer::new(Box::new(store)).unwrap();
        let activated = one(Stream::Study, 0, Fact::SiteActivated { site: "05".into() });
        writer.append(vec![activated, forms(1, 0, 2), forms(2, 0, 2)], &mut salts()).unwrap();
        Self { folder, writer }
    }

    fn back_up(&self) -> PathBuf {
        let to = self.folder.path().join("backups/one.backup");
        let _ = fs::remove_file(&to);
        let made = make(self.folder.path(), &to, &key(), NONCE, Timestamp::UNIX_EPOCH, "1.0").unwrap();
        assert_eq!(made.records.len(), 1);
        to
    }
}

fn key() -> BackupKey {
    BackupKey::from_bytes([7; 32])
}

fn names(folder: &Path) -> Vec<String> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
// Shows: P11-10e-4
fn a11_7_2_a_backup_made_while_the_record_is_written_restores_to_the_head_it_had() {
    let mut house = House::new();
    let before = house.writer.head();
    let backup = house.back_up();
    house.writer.append(vec![forms(1, 2, 3)], &mut salts()).unwrap();
    let target = tempfile::tempdir().unwrap();
    let to = target.path().join("restored");
    let manifest = restore(&backup, &key(), &to).unwrap();
    assert_eq!((manifest.records[0].events, &manifest.records[0].head), (5, &before.hash.to_string()));
    let reader = SqliteReader::open(&to.join("studies/one/record")).unwrap();
    assert_eq!(reader.head().unwrap(), before);
    for same in ["studies/one/study/forms/vital_signs.toml", "studies/one/empty.json", "long.bin"] {
        assert_eq!(
            fs::read(to.join(same)).unwrap(),
            fs::read(house.folder.path().join(same)).unwrap(),
            "{same}"
        );
    }
    assert!(!to.join("backups").exists() && !to.join("backup.key").exists());
    // The restored record can be gone on with.
    drop(reader);
    let store = SqliteStore::open(&to.join("studies/one/record"), Environment::Rehearsal).unwrap();
    Writer::new(Box::new(store)).unwrap().append(vec![forms(1, 2, 3)], &mut salts()).unwrap();
    // Nothing half-made is left, and a folder in use is never restored over.
    assert_eq!(names(&house.folder.path().join("backups")).len(), 2);
    assert_eq!(names(target.path()), ["restored"]);
    assert!(matches!(restore(&backup, &key(), &to), Err(BackupError::NotEmpty { .. })));
}

#[test]
fn a11d_16_a_backup_under_another_key_or_altered_anywhere_is_refused_and_leaves_nothing() {
    let house = House::new();
    let backup = house.back_up();
    let target = tempfile::tempdir().unwrap();
    let to = target.path().join("restored");
    let other = BackupKey::from_bytes([8; 32]);
    assert!(matches!(restore(&backup, &other, &to), Err(BackupError::KeyOrAltered { .. })));
    let whole = fs::read(&backup).unwrap();
    let block = (1 << 20) + 16;
    // The mark of the format and the nonce come before the first block.
    let begin = 19 + store::backup::NONCE_BYTES;
    let mut broken: Vec<(String, Vec<u8>)> = Vec::new();
    for at in [20, 40, begin + 5, begin + block + 5, whole.len() - 3] {
        let mut altered = whole.clone();
        altered[at] ^= 1;
        broken.push((format!("byte {at}"), altered));
    }
    broken.push(("cut by a block".to_owned(), whole[..begin + block].to_vec()));
    broken.push(("cut by a byte".to_owned(), whole[..whole.len() - 1].to_vec()));
    broken.push(("one byte more".to_owned(), [&whole[..], b"x"].concat()));
    let (head, first, second) =
        (&whole[..begin], &whole[begin..begin + block], &whole[begin + block..begin + 2 * block]);
    broken
        .push(("two blocks swapped".to_owned(), [head, second, first, &whole[begin + 2 * block..]].concat()));
    broken.push(("a block left out".to_owned(), [head, second, &whole[begin + 2 * block..]].concat()));
    for (what, bytes) in broken {
        let path = target.path().join("broken.backup");
        fs::write(&path, bytes).unwrap();
        assert!(matches!(restore(&path, &key(), &to), Err(BackupError::KeyOrAltered { .. })), "{what}");
        assert_eq!(names(target.path()), ["broken.backup"], "{what}");
    }
    fs::write(target.path().join("broken.backup"), "something else").unwrap();
    let refused = restore(&target.path().join("broken.backup"), &key(), &to);
    assert!(matches!(refused, Err(BackupError::NotABackup { .. })));
}

#[test]
fn a_record_that_was_altered_before_its_backup_is_named_at_the_restore() {
    let House { folder, writer } = House::new();
    drop(writer);
    let file = folder.path().join("studies/one/record/record.sqlite");
    let connection = rusqlite::Connection::open(&file).unwrap();
    connection.execute_batch("DROP TRIGGER contents_are_only_redacted").unwrap();
    connection.execute("UPDATE contents SET content = x'31' WHERE sequence = 3 AND cell = 1", []).unwrap();
    drop(connection);
    let to = folder.path().join("one.backup");
    make(folder.path(), &to, &key(), NONCE, Timestamp::UNIX_EPOCH, "1.0").unwrap();
    let target = tempfile::tempdir().unwrap();
    let refused = restore(&to, &key(), &target.path().join("restored"));
    assert!(matches!(refused, Err(BackupError::Altered { .. })), "{refused:?}");
    assert!(names(target.path()).is_empty());
}

#[test]
fn a_key_is_read_as_it_was_written_down() {
    let text = key().to_text();
    assert_eq!(*BackupKey::from_text(&text).unwrap().to_text(), *text);
    assert!(matches!(BackupKey::from_text("12 34"), Err(BackupError::NoKey)));
    assert!(BackupKey::from_text(&"zz ".repeat(32)).is_err());
    assert_eq!(format!("{:?}", key()), "BackupKey(..)");
}
