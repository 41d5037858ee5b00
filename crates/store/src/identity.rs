//! Who a participant is, apart from everything else.
//!
//! Names, birth dates and contacts never enter the record. They lie in a file of
//! their own, each sealed with XChaCha20-Poly1305 under a key that is passed in, so that neither
//! that file nor the record says who is who without it. A row is bound to its participant's
//! number, and all rows have lengths in steps of 256 bytes.
//!
//! This file keeps no history: a changed address replaces the old one, and whoever must be
//! forgotten is removed. Where the key is kept is not decided here.

use std::fmt;
use std::path::{Path, PathBuf};

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use rand_core::CryptoRng;
use record::StoreError;
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use serde::{Deserialize, Serialize};
use terms::{PartialDate, SubjectId};
use zeroize::Zeroizing;

use crate::sqlite::StoreFile;

/// Marks a file as ours in its header: the letters `EQID`.
const APPLICATION_ID: i64 = 0x4551_4944;
const LAYOUT: i64 = 1;
const SCHEMA: &str = include_str!("../migrations/identities_0001.sql");
const STEP_BYTES: usize = 256;
const NONCE_BYTES: usize = 24;
/// What the row that proves the key belongs to; no participant has an empty number.
const KEY_CHECK: &str = "";

/// Why an identity can't be kept or given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// The file says no.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file was sealed under another key.
    #[error("the key does not open this identity store")]
    WrongKey,
    /// What is kept of a participant was altered.
    #[error("the identity of {subject} was altered")]
    Altered {
        /// The participant.
        subject: SubjectId,
    },
}

/// The key of an identity store. It prints nothing and is wiped when dropped.
#[derive(Clone)]
pub struct IdentityKey(Zeroizing<[u8; 32]>);

/// Who a participant is. It prints nothing, so that no log can hold it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The name.
    pub name: String,
    /// The birth date, as far as it is known.
    pub birth_date: Option<PartialDate>,
    /// Address, telephone or mail, as written.
    pub contact: String,
}

/// The identities of a trial's participants.
pub struct IdentityStore {
    connection: Connection,
    file: StoreFile,
    cipher: XChaCha20Poly1305,
}

impl IdentityKey {
    /// Wraps a key that was kept elsewhere.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }
}

impl fmt::Debug for IdentityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdentityKey(..)")
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity(..)")
    }
}

impl IdentityStore {
    /// Makes an empty store in a new file.
    ///
    /// # Errors
    /// The file is there already, or can't be written.
    pub fn create(path: &Path, key: &IdentityKey, random: &mut dyn CryptoRng) -> Result<Self, IdentityError> {
        if path.exists() {
            return Err(StoreError::AlreadyThere { path: path.to_owned() }.into());
        }
        let mut store = Self::connect(path, key, OpenFlags::SQLITE_OPEN_CREATE)?;
        let (nonce, sealed) = store.seal(KEY_CHECK, b"", random);
        store.write(|transaction| {
            transaction.execute_batch(SCHEMA)?;
            transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
            transaction.pragma_update(None, "user_version", LAYOUT)?;
            insert(transaction, KEY_CHECK, &nonce, &sealed)
        })?;
        Ok(store)
    }

    /// Opens a store.
    ///
    /// # Errors
    /// There is none, it is newer, or it was sealed under another key.
    pub fn open(path: &Path, key: &IdentityKey) -> Result<Self, IdentityError> {
        if !path.is_file() {
            return Err(StoreError::NotAStore { path: path.to_owned() }.into());
        }
        let store = Self::connect(path, key, OpenFlags::empty())?;
        if store.pragma("application_id")? != APPLICATION_ID {
            return Err(StoreError::NotAStore { path: path.to_owned() }.into());
        }
        let found = store.pragma("user_version")?;
        if found > LAYOUT {
            return Err(StoreError::Newer { path: path.to_owned(), found, known: LAYOUT }.into());
        }
        match store.row(KEY_CHECK)?.map(|row| store.unseal(KEY_CHECK, &row)) {
            Some(Some(_)) => Ok(store),
            _ => Err(IdentityError::WrongKey),
        }
    }

    /// Keeps a participant's identity in place of any earlier one. It is durable when this returns.
    ///
    /// # Errors
    /// The file can't be written.
    ///
    /// # Panics
    /// The participant's number is empty.
    pub fn put(
        &mut self,
        subject: &SubjectId,
        identity: &Identity,
        random: &mut dyn CryptoRng,
    ) -> Result<(), IdentityError> {
        assert_ne!(subject.as_str(), KEY_CHECK, "a participant has a number");
        let plain = Zeroizing::new(serde_json::to_vec(identity).expect("an identity is plain data"));
        let (nonce, sealed) = self.seal(subject.as_str(), &plain, random);
        self.write(|transaction| insert(transaction, subject.as_str(), &nonce, &sealed))
    }

    /// Returns a participant's identity, if one is kept.
    ///
    /// # Errors
    /// The file can't be read, or what it keeps of the participant was altered.
    pub fn get(&self, subject: &SubjectId) -> Result<Option<Identity>, IdentityError> {
        let Some(row) = self.row(subject.as_str())? else { return Ok(None) };
        let plain = self.unseal(subject.as_str(), &row);
        let identity = plain.and_then(|plain| serde_json::from_slice(&plain).ok());
        identity.map(Some).ok_or_else(|| IdentityError::Altered { subject: subject.clone() })
    }

    /// Forgets a participant's identity; says whether one was kept.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn remove(&mut self, subject: &SubjectId) -> Result<bool, IdentityError> {
        assert_ne!(subject.as_str(), KEY_CHECK, "a participant has a number");
        let sql = "DELETE FROM identities WHERE subject = ?1";
        self.write(|transaction| Ok(transaction.execute(sql, [subject.as_str()])? == 1))
    }

    /// Returns the participants of whom an identity is kept, by number.
    ///
    /// # Errors
    /// The file can't be read.
    pub fn subjects(&self) -> Result<Vec<SubjectId>, IdentityError> {
        let read = || -> rusqlite::Result<Vec<SubjectId>> {
            self.connection
                .prepare("SELECT subject FROM identities WHERE subject <> '' ORDER BY subject")?
                .query_map([], |row| row.get::<_, String>(0).map(SubjectId::from))?
                .collect()
        };
        read().map_err(|error| self.file.error(error).into())
    }

    fn connect(path: &Path, key: &IdentityKey, create: OpenFlags) -> Result<Self, StoreError> {
        let file = StoreFile { path: PathBuf::from(path) };
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | create;
        let settings = "PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA trusted_schema = OFF;";
        let connection = Connection::open_with_flags(path, flags)
            .and_then(|connection| connection.execute_batch(settings).map(|()| connection))
            .map_err(|error| file.error(error))?;
        let cipher = XChaCha20Poly1305::new(&(*key.0).into());
        Ok(Self { connection, file, cipher })
    }

    fn pragma(&self, name: &str) -> Result<i64, StoreError> {
        let value = self.connection.pragma_query_value(None, name, |row| row.get(0));
        value.map_err(|error| self.file.error(error))
    }

    fn row(&self, subject: &str) -> Result<Option<Row>, StoreError> {
        let sql = "SELECT nonce, sealed FROM identities WHERE subject = ?1";
        self.connection
            .query_row(sql, [subject], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()
            .map_err(|error| self.file.error(error))
    }

    fn write<T>(
        &mut self,
        change: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, IdentityError> {
        let file = self.file.clone();
        let done = self.connection.transaction().and_then(|transaction| {
            let done = change(&transaction)?;
            transaction.commit().map(|()| done)
        });
        done.map_err(|error| file.error(error).into())
    }

    /// Seals a length, the plaintext and zeros up to the next step, bound to the participant.
    fn seal(&self, subject: &str, plain: &[u8], random: &mut dyn CryptoRng) -> Row {
        let mut padded = Zeroizing::new((plain.len() as u64).to_be_bytes().to_vec());
        padded.reserve_exact((8 + plain.len()).next_multiple_of(STEP_BYTES) - 8);
        padded.extend_from_slice(plain);
        let steps = padded.len().next_multiple_of(STEP_BYTES);
        padded.resize(steps, 0);
        let mut nonce = [0; NONCE_BYTES];
        random.fill_bytes(&mut nonce);
        let payload = Payload { msg: &padded, aad: &bound_to(subject) };
        let sealed = self.cipher.encrypt(&XNonce::from(nonce), payload);
        (nonce, sealed.expect("an identity is shorter than the cipher's limit of 256 GiB"))
    }

    fn unseal(&self, subject: &str, (nonce, sealed): &Row) -> Option<Zeroizing<Vec<u8>>> {
        let payload = Payload { msg: sealed, aad: &bound_to(subject) };
        let mut padded = Zeroizing::new(self.cipher.decrypt(&XNonce::from(*nonce), payload).ok()?);
        let length = u64::from_be_bytes(padded.get(..8)?.try_into().ok()?);
        let end = usize::try_from(length).ok()?.checked_add(8)?;
        if end > padded.len() {
            return None;
        }
        padded.truncate(end);
        padded.drain(..8);
        Some(padded)
    }
}

type Row = ([u8; NONCE_BYTES], Vec<u8>);

fn bound_to(subject: &str) -> Vec<u8> {
    [b"equipoise/identity/1/", subject.as_bytes()].concat()
}

fn insert(
    connection: &Connection,
    subject: &str,
    nonce: &[u8; NONCE_BYTES],
    sealed: &[u8],
) -> rusqlite::Result<()> {
    let sql = "INSERT OR REPLACE INTO identities (subject, nonce, sealed) VALUES (?1, ?2, ?3)";
    connection.execute(sql, (subject, nonce, sealed)).map(|_| ())
}
