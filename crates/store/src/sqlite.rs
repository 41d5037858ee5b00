//! A store in one SQLite file.
//!
//! A store is a folder: `record.sqlite` holds the record, `writer.lock` is held by
//! the process that writes. The file is in write-ahead mode and every commit is
//! synchronised to the disk before it returns, so that what was acknowledged
//! survives a kill or a power cut, and readers never wait.
//!
//! What the tables look like is in `layout`; this file reads and writes them.

mod errors;
mod layout;
mod rows;

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};

use record::{CellAddress, Environment, Event, Head, Permit, Reader, Sealed, Store, StoreError, Stream};
use rusqlite::{Connection, TransactionBehavior};

pub(crate) use errors::StoreFile;
pub(crate) use layout::{
    RECORD_FILE, expected_schema, layout as layout_of, migrations, open_for_verify, schema,
};
pub(crate) use rows::SqliteLinks;

/// A store that is open for writing; one at a time in all processes.
pub struct SqliteStore {
    reader: SqliteReader,
    _lock: File,
}

/// A store that is open for reading. It may be read while another process writes.
pub struct SqliteReader {
    connection: Connection,
    file: StoreFile,
    environment: Environment,
}

impl SqliteStore {
    /// Makes an empty store in a folder, which is made if need be.
    ///
    /// # Errors
    /// The folder holds a store, is in use, or can't be written.
    pub fn create(folder: &Path, environment: Environment) -> Result<Self, StoreError> {
        let lock = layout::lock(folder)?;
        layout::create(folder, environment, &[])?;
        Self::open_locked(folder, environment, lock)
    }

    /// Opens the store in a folder for writing, and brings an older layout up to date.
    ///
    /// # Errors
    /// There is no store, it is of the other environment, newer, in use or can't be written.
    pub fn open(folder: &Path, environment: Environment) -> Result<Self, StoreError> {
        layout::store_file(folder)?;
        let lock = layout::lock(folder)?;
        Self::open_locked(folder, environment, lock)
    }

    fn open_locked(folder: &Path, asked: Environment, lock: File) -> Result<Self, StoreError> {
        let (connection, file, environment) = layout::open_for_writing(folder)?;
        if environment != asked {
            return Err(StoreError::WrongEnvironment { path: file.path, found: environment, asked });
        }
        Ok(Self { reader: SqliteReader { connection, file, environment }, _lock: lock })
    }

    /// Returns the store's file.
    pub fn path(&self) -> &Path {
        &self.reader.file.path
    }
}

impl SqliteReader {
    /// Opens the store in a folder for reading.
    ///
    /// # Errors
    /// There is no store, or it is newer.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let (connection, file, environment) = layout::open_for_reading(folder)?;
        Ok(Self { connection, file, environment })
    }

    /// Reads a record that lies under another name.
    pub(crate) fn of(connection: Connection, file: StoreFile) -> Result<Self, StoreError> {
        let environment = layout::environment(&connection, &file)?;
        Ok(Self { connection, file, environment })
    }
}

impl Reader for SqliteReader {
    fn environment(&self) -> Environment {
        self.environment
    }

    fn head(&self) -> Result<Head, StoreError> {
        let last = rows::head_at(&self.connection, &self.file, u64::MAX)?;
        Ok(last.unwrap_or(Head::of_empty(self.environment)))
    }

    fn head_at(&self, sequence: u64) -> Result<Option<Head>, StoreError> {
        if sequence == 0 {
            return Ok(Some(Head::of_empty(self.environment)));
        }
        let last = rows::head_at(&self.connection, &self.file, sequence)?;
        Ok(last.filter(|head| head.sequence == sequence))
    }

    fn position(&self, stream: &Stream) -> Result<u64, StoreError> {
        rows::position(&self.connection, stream).map_err(|error| self.file.error(error))
    }

    fn each(&self, from_sequence: u64, take: &mut dyn FnMut(Event)) -> Result<(), StoreError> {
        rows::each(&self.connection, &self.file, &rows::Which::From(from_sequence), take)
    }

    fn between(&self, from_sequence: u64, to_sequence: u64) -> Result<Vec<Event>, StoreError> {
        rows::events(&self.connection, &self.file, &rows::Which::Between(from_sequence, to_sequence))
    }

    fn read_stream(&self, stream: &Stream) -> Result<Vec<Event>, StoreError> {
        rows::events(&self.connection, &self.file, &rows::Which::Stream(stream))
    }

    fn event(&self, sequence: u64) -> Result<Option<Event>, StoreError> {
        let found = rows::events(&self.connection, &self.file, &rows::Which::One(sequence))?;
        Ok(found.into_iter().next())
    }

    fn these(&self, sequences: &BTreeSet<u64>) -> Result<Vec<Event>, StoreError> {
        rows::events(&self.connection, &self.file, &rows::Which::These(sequences))
    }

    fn holds_content(&self, address: CellAddress) -> Result<Option<bool>, StoreError> {
        rows::holds_content(&self.connection, address).map_err(|error| self.file.error(error))
    }

    fn backup_to(&self, folder: &Path) -> Result<(), StoreError> {
        layout::copy(&self.connection, &self.file, folder)
    }
}

impl Reader for SqliteStore {
    fn environment(&self) -> Environment {
        self.reader.environment()
    }

    fn head(&self) -> Result<Head, StoreError> {
        self.reader.head()
    }

    fn head_at(&self, sequence: u64) -> Result<Option<Head>, StoreError> {
        self.reader.head_at(sequence)
    }

    fn position(&self, stream: &Stream) -> Result<u64, StoreError> {
        self.reader.position(stream)
    }

    fn each(&self, from_sequence: u64, take: &mut dyn FnMut(Event)) -> Result<(), StoreError> {
        self.reader.each(from_sequence, take)
    }

    fn between(&self, from_sequence: u64, to_sequence: u64) -> Result<Vec<Event>, StoreError> {
        self.reader.between(from_sequence, to_sequence)
    }

    fn read_stream(&self, stream: &Stream) -> Result<Vec<Event>, StoreError> {
        self.reader.read_stream(stream)
    }

    fn event(&self, sequence: u64) -> Result<Option<Event>, StoreError> {
        self.reader.event(sequence)
    }

    fn these(&self, sequences: &BTreeSet<u64>) -> Result<Vec<Event>, StoreError> {
        self.reader.these(sequences)
    }

    fn holds_content(&self, address: CellAddress) -> Result<Option<bool>, StoreError> {
        self.reader.holds_content(address)
    }

    fn backup_to(&self, folder: &Path) -> Result<(), StoreError> {
        self.reader.backup_to(folder)
    }
}

impl Store for SqliteStore {
    fn commit(
        &mut self,
        _permit: &Permit,
        after: Head,
        events: &[Sealed],
        emptied: Option<CellAddress>,
    ) -> Result<(), StoreError> {
        let SqliteReader { connection, file, environment } = &mut self.reader;
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(|error| file.error(error))?;
        let last = rows::head_at(&transaction, file, u64::MAX)?;
        let head = last.unwrap_or(Head::of_empty(*environment));
        if head != after {
            return Err(StoreError::StaleHead { expected: after.sequence, found: head.sequence });
        }
        rows::insert(&transaction, events).map_err(|error| file.error(error))?;
        if let Some(address) = emptied {
            let emptied = rows::empty(&transaction, address).map_err(|error| file.error(error))?;
            if !emptied {
                let CellAddress { sequence, cell } = address;
                return Err(StoreError::NoSuchCell { sequence, cell });
            }
        }
        transaction.commit().map_err(|error| file.error(error))?;
        if emptied.is_some() {
            layout::forget_old_pages(connection);
        }
        Ok(())
    }
}

/// Writes a whole record as a new store.
pub(crate) fn write_store(
    folder: &Path,
    environment: Environment,
    events: &[Sealed],
) -> Result<(), StoreError> {
    let _lock = layout::lock(folder)?;
    layout::create(folder, environment, events)
}

/// Returns the record's file in a store folder.
pub(crate) fn record_file(folder: &Path) -> PathBuf {
    folder.join(RECORD_FILE)
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::SeedableRng;
    use record::Writer;

    use super::*;
    use crate::conformance::forms;
    use crate::verify;

    #[test]
    fn a_full_disk_is_named_and_loses_nothing() {
        // A small file system would need rights that a test lacks, so the file may not grow instead.
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::create(folder.path(), Environment::Rehearsal).unwrap();
        store.reader.connection.pragma_update(None, "max_page_count", 40).unwrap();
        let mut writer = Writer::new(Box::new(store)).unwrap();
        let mut salts = ChaCha20Rng::seed_from_u64(7);
        let mut before = 0;
        let refused = loop {
            match writer.append(vec![forms(1, before, 20)], &mut salts) {
                Ok(_) => before += 20,
                Err(error) => break error,
            }
        };
        assert_eq!(refused, StoreError::DiskFull);
        assert!(before > 0);
        assert_eq!((writer.head().sequence, writer.store().head()), (before, Ok(writer.head())));
        let report = verify(folder.path(), Some(writer.head().hash)).unwrap();
        assert_eq!(report.first_fault, None);
    }

    #[test]
    fn every_commit_is_synchronised_and_what_is_deleted_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::create(folder.path(), Environment::Rehearsal).unwrap();
        let setting = |name: &str| {
            let connection = &store.reader.connection;
            connection.pragma_query_value(None, name, |row| row.get::<_, rusqlite::types::Value>(0)).unwrap()
        };
        assert_eq!(setting("journal_mode"), "wal".to_owned().into());
        assert_eq!(setting("synchronous"), 2.into());
        assert_eq!(setting("foreign_keys"), 1.into());
        assert_eq!(setting("secure_delete"), 1.into());
    }
}
