//! A small store on disk, closed, with a redaction in it.

use std::path::{Path, PathBuf};

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use record::{Environment, Fact, Head, Stream};
use rusqlite::Connection;
use store::conformance::{forms, one, redaction_of};
use store::{SqliteStore, Writer};
use tempfile::TempDir;

/// How many events the sample has.
pub const EVENTS: i64 = 6;

pub fn salts() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(7)
}

pub struct Sample {
    folder: TempDir,
    pub head: Head,
}

impl Sample {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::create(folder.path(), Environment::Rehearsal).unwrap();
        let mut writer = Writer::new(Box::new(store)).unwrap();
        let activated = one(Stream::Study, 0, Fact::SiteActivated { site: "05".into() });
        writer.append(vec![activated, forms(1, 0, 2), forms(2, 0, 2)], &mut salts()).unwrap();
        writer.redact(redaction_of(2, 2), &mut salts()).unwrap();
        Self { folder, head: writer.head() }
    }

    /// A store with more events, so that its halves are verified at the same time: participant 1 has those up to the 301st, and a cell
    /// of the first half is redacted at the end.
    pub fn long() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::create(folder.path(), Environment::Rehearsal).unwrap();
        let mut writer = Writer::new(Box::new(store)).unwrap();
        let activated = one(Stream::Study, 0, Fact::SiteActivated { site: "05".into() });
        writer.append(vec![activated, forms(1, 0, 300), forms(2, 0, 298)], &mut salts()).unwrap();
        writer.redact(redaction_of(2, 2), &mut salts()).unwrap();
        Self { folder, head: writer.head() }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn file(&self) -> PathBuf {
        self.path().join("record.sqlite")
    }

    /// Opens the file as someone who owns it can: no triggers, no rules.
    pub fn unguarded(&self) -> Connection {
        let connection = self.guarded();
        for trigger in triggers(&connection) {
            connection.execute_batch(&format!("DROP TRIGGER {}", trigger.0)).unwrap();
        }
        connection
            .execute_batch(
                "PRAGMA ignore_check_constraints = ON; PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF",
            )
            .unwrap();
        connection
    }

    /// Opens the file with a plain tool, triggers in force.
    pub fn guarded(&self) -> Connection {
        Connection::open(self.file()).unwrap()
    }
}

/// Returns names and texts of the triggers.
pub fn triggers(connection: &Connection) -> Vec<(String, String)> {
    let mut statement =
        connection.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}
