//! The outbox: mails that are to be sent, in a file of their own.
//!
//! What was noted in a record and what is to be mailed about it can't be committed together, because they lie in two files.
//! So the outbox remembers up to which event it has looked, and takes that step and the mails of it in one
//! transaction: after a crash it looks again, and the mails' own names keep any from being put in twice.
//!
//! A mail may still arrive twice, if the machine stops between the relay's answer and the note of it; it is never lost.

use std::path::{Path, PathBuf};

use record::StoreError;
use rusqlite::{Connection, OptionalExtension, params};
use terms::Timestamp;

use crate::sqlite::StoreFile;

/// Marks a file as ours in its header: the letters `EQOB`.
const APPLICATION_ID: i64 = 0x4551_4F42;
const SCHEMA: &str = include_str!("../migrations/outbox_0001.sql");

/// A mail to be put in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewMail {
    /// What it is about and for whom; of two mails with one name the second is not put in.
    pub once: String,
    /// The address.
    pub address: String,
    /// What kind it is.
    pub kind: String,
    /// Where it leads.
    pub link: String,
}

/// A mail that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingMail {
    /// Its number.
    pub id: i64,
    /// The address.
    pub address: String,
    /// What kind it is.
    pub kind: String,
    /// Where it leads.
    pub link: String,
    /// How often it was tried in vain.
    pub tries: u32,
}

/// How the outbox stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutboxStanding {
    /// Mails that were sent.
    pub sent: u64,
    /// Mails that wait.
    pub waiting: u64,
    /// Why the last one that waits could not be sent; empty if none was tried.
    pub trouble: String,
}

/// The outbox.
pub struct Outbox {
    connection: Connection,
    file: StoreFile,
}

impl Outbox {
    /// Opens the outbox, or begins one.
    ///
    /// # Errors
    /// The file is something else, or can't be written.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let file = StoreFile { path: PathBuf::from(path) };
        let opened = || -> rusqlite::Result<(Connection, i64)> {
            let connection = Connection::open(path)?;
            connection.execute_batch(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA trusted_schema = OFF;",
            )?;
            let found: i64 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
            if found == 0 {
                let transaction = connection.unchecked_transaction()?;
                transaction.execute_batch(SCHEMA)?;
                transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
                transaction.commit()?;
            }
            Ok((connection, found))
        };
        let (connection, found) = opened().map_err(|error| file.error(error))?;
        if found != 0 && found != APPLICATION_ID {
            return Err(StoreError::NotAStore { path: path.to_owned() });
        }
        Ok(Self { connection, file })
    }

    /// Returns up to which event a study's record was looked through; none if it never was.
    ///
    /// # Errors
    /// The file can't be read.
    pub fn looked_through(&self, study: &str) -> Result<Option<u64>, StoreError> {
        let sql = "SELECT sequence FROM looked_through WHERE study = ?1";
        let found = self.connection.query_row(sql, [study], |row| row.get::<_, i64>(0)).optional();
        Ok(found.map_err(|error| self.file.error(error))?.map(i64::unsigned_abs))
    }

    /// Puts mails in, and notes up to which event a study was looked through where that led to them.
    ///
    /// # Errors
    /// The file can't be written; nothing is put in then.
    pub fn put(
        &mut self,
        mails: &[NewMail],
        looked: Option<(&str, u64)>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let done = self.connection.transaction().and_then(|transaction| {
            for mail in mails {
                let sql = "INSERT OR IGNORE INTO mails (once, made, address, kind, link, next) VALUES (?1, ?2, ?3, ?4, ?5, ?2)";
                let NewMail { once, address, kind, link } = mail;
                transaction.execute(sql, params![once, now.as_millisecond(), address, kind, link])?;
            }
            if let Some((study, sequence)) = looked {
                let sql = "INSERT OR REPLACE INTO looked_through (study, sequence) VALUES (?1, ?2)";
                transaction.execute(sql, params![study, i64::try_from(sequence).unwrap_or(i64::MAX)])?;
            }
            transaction.commit()
        });
        done.map_err(|error| self.file.error(error))
    }

    /// Returns mails that are due to be sent, oldest first.
    ///
    /// # Errors
    /// The file can't be read.
    pub fn due(&self, now: Timestamp, most: u32) -> Result<Vec<WaitingMail>, StoreError> {
        let read = || -> rusqlite::Result<Vec<WaitingMail>> {
            let sql = "SELECT id, address, kind, link, tries FROM mails \
                       WHERE sent IS NULL AND next <= ?1 ORDER BY id LIMIT ?2";
            self.connection
                .prepare(sql)?
                .query_map((now.as_millisecond(), most), |row| {
                    Ok(WaitingMail {
                        id: row.get(0)?,
                        address: row.get(1)?,
                        kind: row.get(2)?,
                        link: row.get(3)?,
                        tries: row.get(4)?,
                    })
                })?
                .collect()
        };
        read().map_err(|error| self.file.error(error))
    }

    /// Notes that a mail was sent, and forgets where it led.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn sent(&mut self, id: i64, now: Timestamp) -> Result<(), StoreError> {
        let sql = "UPDATE mails SET sent = ?2, link = '', trouble = '' WHERE id = ?1";
        let done = self.connection.execute(sql, (id, now.as_millisecond()));
        done.map(|_| ()).map_err(|error| self.file.error(error))
    }

    /// Notes that a mail could not be sent, and when to try again.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn failed(&mut self, id: i64, next: Timestamp, trouble: &str) -> Result<(), StoreError> {
        let sql = "UPDATE mails SET tries = tries + 1, next = ?2, trouble = ?3 WHERE id = ?1";
        let done = self.connection.execute(sql, (id, next.as_millisecond(), trouble));
        done.map(|_| ()).map_err(|error| self.file.error(error))
    }

    /// Says how the outbox stands.
    ///
    /// # Errors
    /// The file can't be read.
    pub fn standing(&self) -> Result<OutboxStanding, StoreError> {
        let sql = "SELECT count(sent), count(*) - count(sent), \
                   ifnull((SELECT trouble FROM mails WHERE sent IS NULL AND tries > 0 ORDER BY id DESC LIMIT 1), '') FROM mails";
        let read = self.connection.query_row(sql, [], |row| {
            Ok(OutboxStanding {
                sent: row.get::<_, i64>(0)?.unsigned_abs(),
                waiting: row.get::<_, i64>(1)?.unsigned_abs(),
                trouble: row.get(2)?,
            })
        });
        read.map_err(|error| self.file.error(error))
    }
}
