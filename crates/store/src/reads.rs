//! The log of readings: who has looked at which participant, and when.
//!
//! Readings are many and are no part of the record. They are gathered in memory, written in
//! batches by [`ReadLog::flush`], and each batch is chained to the one before it. What was not
//! flushed is lost in a crash: whoever keeps the log flushes it every second.

use std::path::{Path, PathBuf};

use record::{Environment, StoreError};
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};
use sha2::{Digest as _, Sha256};
use terms::Timestamp;

use crate::sqlite::StoreFile;

/// Marks a file as ours in its header: the letters `EQRD`, and `EQRT` where participants are virtual.
const APPLICATION_ID_LIVE: i64 = 0x4551_5244;
const APPLICATION_ID_REHEARSAL: i64 = 0x4551_5254;
const SCHEMA: &str = include_str!("../migrations/reads_0001.sql");

/// Somebody looked at a participant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub person: String,
    /// In which role.
    pub role: String,
    /// Of which study.
    pub study: String,
    /// Which participant.
    pub subject: String,
    /// What was shown: the route's name and the form, never a value.
    pub what: String,
}

/// The log.
pub struct ReadLog {
    connection: Connection,
    file: StoreFile,
    waiting: Vec<Reading>,
}

impl ReadLog {
    /// Opens the log, or begins one.
    ///
    /// # Errors
    /// The file is something else or of the other environment, or can't be written.
    pub fn open(path: &Path, asked: Environment) -> Result<Self, StoreError> {
        let file = StoreFile { path: PathBuf::from(path) };
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_CREATE;
        let settings = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF;";
        let connection = Connection::open_with_flags(path, flags)
            .and_then(|connection| connection.execute_batch(settings).map(|()| connection))
            .map_err(|error| file.error(error))?;
        let wanted = match asked {
            Environment::Live => APPLICATION_ID_LIVE,
            Environment::Rehearsal => APPLICATION_ID_REHEARSAL,
        };
        let found: i64 = connection
            .pragma_query_value(None, "application_id", |row| row.get(0))
            .map_err(|error| file.error(error))?;
        match found {
            0 => (|| {
                let transaction = connection.unchecked_transaction()?;
                transaction.execute_batch(SCHEMA)?;
                transaction.pragma_update(None, "application_id", wanted)?;
                transaction.commit()
            })()
            .map_err(|error| file.error(error))?,
            found if found == wanted => {}
            APPLICATION_ID_LIVE | APPLICATION_ID_REHEARSAL => {
                let found = match asked {
                    Environment::Live => Environment::Rehearsal,
                    Environment::Rehearsal => Environment::Live,
                };
                return Err(StoreError::WrongEnvironment { path: path.to_owned(), found, asked });
            }
            _ => return Err(StoreError::NotAStore { path: path.to_owned() }),
        }
        Ok(Self { connection, file, waiting: Vec::new() })
    }

    /// Gathers a reading.
    pub fn note(&mut self, reading: Reading) {
        self.waiting.push(reading);
    }

    /// Writes what was gathered as one batch.
    ///
    /// # Errors
    /// The file can't be written; what was gathered is kept for the next try.
    pub fn flush(&mut self) -> Result<(), StoreError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let (file, waiting) = (self.file.clone(), &self.waiting);
        let written = self.connection.transaction().and_then(|transaction| {
            let (mut sequence, before) = last_batch(&transaction)?;
            let mut hasher = begun(&before);
            let sql = "INSERT INTO readings (sequence, at, person, role, study, subject, what) \
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
            let mut statement = transaction.prepare(sql)?;
            for reading in waiting {
                sequence += 1;
                take(&mut hasher, sequence, reading);
                let Reading { at, person, role, study, subject, what } = reading;
                statement.execute(params![
                    sequence,
                    at.as_millisecond(),
                    person,
                    role,
                    study,
                    subject,
                    what
                ])?;
            }
            drop(statement);
            let hash: [u8; 32] = hasher.finalize().into();
            let sql = "INSERT INTO batches (last_sequence, hash) VALUES (?1, ?2)";
            transaction.execute(sql, (sequence, hash.as_slice()))?;
            transaction.commit()
        });
        written.map_err(|error| file.error(error))?;
        self.waiting.clear();
        Ok(())
    }

    /// Returns who looked at a participant, newest first.
    ///
    /// # Errors
    /// The file can't be read.
    pub fn of(&self, study: &str, subject: &str, most: u32) -> Result<Vec<Reading>, StoreError> {
        let read = || -> rusqlite::Result<Vec<Reading>> {
            let sql = "SELECT at, person, role, study, subject, what FROM readings \
                       WHERE study = ?1 AND subject = ?2 ORDER BY sequence DESC LIMIT ?3";
            self.connection.prepare(sql)?.query_map((study, subject, most), reading)?.collect()
        };
        read().map_err(|error| self.file.error(error))
    }

    /// Recomputes the chain; returns how many readings it holds, or the first reading of the batch that was altered.
    ///
    /// # Errors
    /// The file can't be read.
    pub fn verify(&self) -> Result<Result<u64, u64>, StoreError> {
        let read = || -> rusqlite::Result<Result<u64, u64>> {
            let mut batches =
                self.connection.prepare("SELECT last_sequence, hash FROM batches ORDER BY last_sequence")?;
            let mut batches = batches.query([])?;
            let (mut before, mut last) = ([0; 32], 0i64);
            while let Some(batch) = batches.next()? {
                let (end, hash): (i64, [u8; 32]) = (batch.get(0)?, batch.get(1)?);
                let mut hasher = begun(&before);
                let mut count = 0;
                let sql = "SELECT at, person, role, study, subject, what, sequence FROM readings \
                           WHERE sequence > ?1 AND sequence <= ?2 ORDER BY sequence";
                let mut statement = self.connection.prepare(sql)?;
                let mut rows = statement.query((last, end))?;
                while let Some(row) = rows.next()? {
                    take(&mut hasher, row.get(6)?, &reading(row)?);
                    count += 1;
                }
                let computed: [u8; 32] = hasher.finalize().into();
                if computed != hash || count != end - last {
                    return Ok(Err(last.unsigned_abs() + 1));
                }
                (before, last) = (hash, end);
            }
            let all: i64 =
                self.connection.query_row("SELECT count(*) FROM readings", [], |row| row.get(0))?;
            Ok(if all == last { Ok(last.unsigned_abs()) } else { Err(last.unsigned_abs() + 1) })
        };
        read().map_err(|error| self.file.error(error))
    }
}

fn last_batch(connection: &Connection) -> rusqlite::Result<(i64, [u8; 32])> {
    let sql = "SELECT last_sequence, hash FROM batches ORDER BY last_sequence DESC LIMIT 1";
    let last = connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    Ok(last.unwrap_or((0, [0; 32])))
}

fn begun(before: &[u8; 32]) -> Sha256 {
    let mut hasher = Sha256::new();
    hasher.update(b"equipoise/readings/1");
    hasher.update(before);
    hasher
}

/// Takes in a reading: place, time, and each text behind its length.
fn take(hasher: &mut Sha256, sequence: i64, reading: &Reading) {
    hasher.update(sequence.to_be_bytes());
    hasher.update(reading.at.as_millisecond().to_be_bytes());
    for text in [&reading.person, &reading.role, &reading.study, &reading.subject, &reading.what] {
        hasher.update((text.len() as u64).to_be_bytes());
        hasher.update(text.as_bytes());
    }
}

fn reading(row: &rusqlite::Row<'_>) -> rusqlite::Result<Reading> {
    Ok(Reading {
        at: Timestamp::from_millisecond(row.get(0)?).unwrap_or(Timestamp::UNIX_EPOCH),
        person: row.get(1)?,
        role: row.get(2)?,
        study: row.get(3)?,
        subject: row.get(4)?,
        what: row.get(5)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looked(second: i64, subject: &str) -> Reading {
        Reading {
            at: Timestamp::from_second(1_800_000_000 + second).unwrap(),
            person: "p1".to_owned(),
            role: "monitor".to_owned(),
            study: "s".to_owned(),
            subject: subject.to_owned(),
            what: "participant".to_owned(),
        }
    }

    #[test]
    fn prv_6_readings_are_kept_in_batches_and_an_altered_one_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("reads.sqlite");
        let mut log = ReadLog::open(&path, Environment::Live).unwrap();
        for second in 0..3 {
            log.note(looked(second, "01-001"));
            log.note(looked(second, "01-002"));
            log.flush().unwrap();
        }
        log.flush().unwrap();
        drop(log);
        let log = ReadLog::open(&path, Environment::Live).unwrap();
        assert_eq!(log.of("s", "01-001", 2).unwrap(), [looked(2, "01-001"), looked(1, "01-001")]);
        assert_eq!(log.verify(), Ok(Ok(6)));
        let outside = Connection::open(&path).unwrap();
        outside.execute("UPDATE readings SET person = 'p2' WHERE sequence = 4", []).unwrap();
        assert_eq!(log.verify(), Ok(Err(3)));
        outside.execute("UPDATE readings SET person = 'p1' WHERE sequence = 4", []).unwrap();
        outside.execute("DELETE FROM batches WHERE last_sequence = 6", []).unwrap();
        assert_eq!(log.verify(), Ok(Err(5)));
    }

    #[test]
    fn a_log_of_the_other_environment_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("reads.sqlite");
        drop(ReadLog::open(&path, Environment::Rehearsal).unwrap());
        let refused = ReadLog::open(&path, Environment::Live).err();
        assert!(matches!(refused, Some(StoreError::WrongEnvironment { .. })));
    }
}
