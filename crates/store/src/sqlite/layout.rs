//! The folder, the file, its migrations and its settings.
//!
//! A new store is built under another name and renamed when it is whole, so that
//! a kill leaves a store or none.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use record::{Environment, Sealed, StoreError};
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, backup::Backup};
use sha2::{Digest, Sha256};

use super::errors::StoreFile;
use super::{record_file, rows};

/// The record's file in a store folder.
pub(crate) const RECORD_FILE: &str = "record.sqlite";
const LOCK_FILE: &str = "writer.lock";
const NEW_FILE: &str = "record.sqlite.new";

/// Marks a file as ours in its header: the letters `EQPR`.
const APPLICATION_ID: i64 = 0x4551_5052;

/// How long a reader waits for another process that is opening or recovering the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// The table of applied migrations, which stands before the first.
const MIGRATIONS_TABLE: &str = "
CREATE TABLE migrations (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    sha256 BLOB NOT NULL CHECK (length(sha256) = 32)
) STRICT;
CREATE TRIGGER migrations_are_never_updated BEFORE UPDATE ON migrations
BEGIN
    SELECT raise(ABORT, 'migrations are never changed');
END;
CREATE TRIGGER migrations_are_never_deleted BEFORE DELETE ON migrations
BEGIN
    SELECT raise(ABORT, 'migrations are never deleted');
END;
";

/// One step of the layout; never edited once released.
pub(crate) struct Migration {
    pub(crate) name: &'static str,
    sql: &'static str,
}

/// The steps in order; the layout's number is how many were applied.
const MIGRATIONS: &[Migration] =
    &[Migration { name: "0001_record", sql: include_str!("../../migrations/0001_record.sql") }];

/// The layout that this program writes.
const LAYOUT: i64 = MIGRATIONS.len() as i64;

impl Migration {
    pub(crate) fn sha256(&self) -> [u8; 32] {
        Sha256::digest(self.sql).into()
    }
}

/// Returns every migration with its number.
pub(crate) fn migrations() -> impl Iterator<Item = (i64, &'static Migration)> {
    (1..).zip(MIGRATIONS)
}

/// Returns the record's file, if the folder has one.
pub(super) fn store_file(folder: &Path) -> Result<PathBuf, StoreError> {
    let path = record_file(folder);
    if path.is_file() { Ok(path) } else { Err(StoreError::NotAStore { path: folder.to_owned() }) }
}

/// Takes the folder's writer lock, which the system lets go of when the process ends in whatever way.
pub(super) fn lock(folder: &Path) -> Result<File, StoreError> {
    let file = StoreFile { path: folder.to_owned() };
    fs::create_dir_all(folder).map_err(|error| file.io(error))?;
    let lock = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(folder.join(LOCK_FILE))
        .map_err(|error| file.io(error))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(StoreError::Locked { path: folder.to_owned() }),
        Err(TryLockError::Error(error)) => Err(file.io(error)),
    }
}

/// Makes a store with these events in it; the folder's lock is held.
pub(super) fn create(folder: &Path, environment: Environment, events: &[Sealed]) -> Result<(), StoreError> {
    build(folder, |connection| {
        migrate(connection, LAYOUT)?;
        let transaction = connection.transaction()?;
        transaction
            .execute("INSERT INTO store (one, environment) VALUES (1, ?1)", [environment.to_string()])?;
        rows::insert(&transaction, events)?;
        transaction.commit()
    })
}

/// Copies a store, as it is at this moment, into another folder.
pub(super) fn copy(source: &Connection, file: &StoreFile, folder: &Path) -> Result<(), StoreError> {
    let _lock = lock(folder)?;
    build(folder, |target| {
        Backup::new(source, target)?.run_to_completion(i32::MAX, Duration::ZERO, None)?;
        // The copy takes over the write-ahead mode; a file that is to be renamed must be all there is.
        target.pragma_update(None, "journal_mode", "DELETE")
    })
    .map_err(|error| match error {
        StoreError::Locked { .. } => StoreError::Locked { path: file.path.clone() },
        error => error,
    })
}

fn build(
    folder: &Path,
    fill: impl FnOnce(&mut Connection) -> rusqlite::Result<()>,
) -> Result<(), StoreError> {
    let path = record_file(folder);
    if path.exists() {
        return Err(StoreError::AlreadyThere { path: folder.to_owned() });
    }
    let new = StoreFile { path: folder.join(NEW_FILE) };
    if new.path.exists() {
        fs::remove_file(&new.path).map_err(|error| new.io(error))?;
    }
    let mut connection = Connection::open(&new.path).map_err(|error| new.error(error))?;
    connection.pragma_update(None, "synchronous", "FULL").map_err(|error| new.error(error))?;
    fill(&mut connection).map_err(|error| new.error(error))?;
    connection.close().map_err(|(_, error)| new.error(error))?;
    let synced = File::open(&new.path).and_then(|file| file.sync_all());
    synced.and_then(|()| fs::rename(&new.path, &path)).map_err(|error| new.io(error))?;
    sync_folder(folder)
}

/// Makes the names in a folder durable.
fn sync_folder(folder: &Path) -> Result<(), StoreError> {
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|error| StoreFile { path: folder.to_owned() }.io(error))
}

/// Opens the record for writing; the folder's lock is held.
pub(super) fn open_for_writing(folder: &Path) -> Result<(Connection, StoreFile, Environment), StoreError> {
    let file = StoreFile { path: store_file(folder)? };
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(&file.path, flags).map_err(|error| file.error(error))?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(|error| file.error(error))?;
    check_layout(&connection, &file)?;
    let settings = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
        PRAGMA secure_delete = ON; PRAGMA trusted_schema = OFF;";
    connection.execute_batch(settings).map_err(|error| file.error(error))?;
    migrate(&mut connection, LAYOUT).map_err(|error| file.error(error))?;
    let environment = environment(&connection, &file)?;
    // The write-ahead file exists by now; its name must outlast a power cut as its content does.
    sync_folder(folder)?;
    Ok((connection, file, environment))
}

/// Opens the record for reading.
pub(super) fn open_for_reading(folder: &Path) -> Result<(Connection, StoreFile, Environment), StoreError> {
    let (connection, file) = open_for_verify(folder)?;
    let environment = environment(&connection, &file)?;
    Ok((connection, file, environment))
}

/// Opens the record for reading, and trusts no more of it than that it is one.
pub(crate) fn open_for_verify(folder: &Path) -> Result<(Connection, StoreFile), StoreError> {
    let file = StoreFile { path: store_file(folder)? };
    let open = |access| {
        let connection = Connection::open_with_flags(&file.path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        let readable = layout(&connection);
        readable.map(|_| connection)
    };
    let connection = open(OpenFlags::SQLITE_OPEN_READ_ONLY).or_else(|error| {
        if error.sqlite_error_code() != Some(ErrorCode::ReadOnly) {
            return Err(error);
        }
        // Whoever was killed in the middle of a change left its journal; only a writer may roll that back.
        open(OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        open(OpenFlags::SQLITE_OPEN_READ_ONLY)
    });
    let connection = connection.map_err(|error| file.error(error))?;
    check_layout(&connection, &file)?;
    Ok((connection, file))
}

fn check_layout(connection: &Connection, file: &StoreFile) -> Result<(), StoreError> {
    let pragma = |name| {
        connection
            .pragma_query_value(None, name, |row| row.get::<_, i64>(0))
            .map_err(|error| file.error(error))
    };
    if pragma("application_id")? != APPLICATION_ID {
        return Err(StoreError::NotAStore { path: file.path.clone() });
    }
    let (found, known) = (pragma("user_version")?, LAYOUT);
    if found > known {
        return Err(StoreError::Newer { path: file.path.clone(), found, known });
    }
    Ok(())
}

pub(super) fn environment(connection: &Connection, file: &StoreFile) -> Result<Environment, StoreError> {
    let named: Option<String> = connection
        .query_row("SELECT environment FROM store WHERE one = 1", [], |row| row.get(0))
        .optional()
        .map_err(|error| file.error(error))?;
    match named.as_deref() {
        Some("live") => Ok(Environment::Live),
        Some("rehearsal") => Ok(Environment::Rehearsal),
        _ => {
            Err(StoreError::Damaged { path: file.path.clone(), detail: "it names no environment".to_owned() })
        }
    }
}

/// Returns the layout that a store has.
pub(crate) fn layout(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Applies the migrations that are due up to a layout, each in a transaction of its own.
fn migrate(connection: &mut Connection, to: i64) -> rusqlite::Result<()> {
    let applied = layout(connection)?;
    for (number, migration) in migrations().filter(|(number, _)| *number > applied && *number <= to) {
        let transaction = connection.transaction()?;
        if number == 1 {
            transaction.execute_batch(MIGRATIONS_TABLE)?;
            transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        }
        transaction.execute_batch(migration.sql)?;
        transaction.execute(
            "INSERT INTO migrations (number, name, sha256) VALUES (?1, ?2, ?3)",
            (number, migration.name, migration.sha256()),
        )?;
        transaction.pragma_update(None, "user_version", number)?;
        transaction.commit()?;
    }
    Ok(())
}

/// Brings what a redaction left in the write-ahead file into the main file, where it is overwritten.
///
/// A reader in the middle of a read holds this up until a later checkpoint; that is no failure.
pub(super) fn forget_old_pages(connection: &Connection) {
    let _busy = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
}

/// Returns the names and texts of all tables, indexes and triggers of a store.
pub(crate) fn schema(connection: &Connection) -> rusqlite::Result<Vec<(String, String, String)>> {
    let sql = "SELECT type, name, ifnull(sql, '') FROM sqlite_schema ORDER BY type, name";
    connection.prepare(sql)?.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect()
}

/// Returns the schema that a store of some layout has.
pub(crate) fn expected_schema(layout: i64) -> rusqlite::Result<Vec<(String, String, String)>> {
    let mut connection = Connection::open_in_memory()?;
    migrate(&mut connection, layout)?;
    schema(&connection)
}
