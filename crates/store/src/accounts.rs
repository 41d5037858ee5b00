//! People's accounts, and the log of what happened to them.
//!
//! They lie in a file of their own (`accounts.sqlite`) beside the records of the studies: an account is about a
//! person, a record about participants, and neither needs the other to be read. Every change of an account
//! and its line in the log are one transaction; each line carries the hash of the one before it.
//!
//! Nothing here hashes a password, draws a secret or reads a clock: digests and times are arguments.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use record::{Environment, StoreError};
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, Transaction};
use sha2::{Digest as _, Sha256};
use terms::{PersonId, Timestamp};

use crate::sqlite::StoreFile;

/// Marks a file as ours in its header: the letters `EQAC`.
const APPLICATION_ID: i64 = 0x4551_4143;
/// The steps of the layout in order, never edited once released; the layout's number is how many were applied.
const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/accounts_0001.sql"),
    include_str!("../migrations/accounts_0002.sql"),
    include_str!("../migrations/accounts_0003.sql"),
];
/// What the log calls it that a provider's name for a person is kept.
pub const BOUND: &str = "single sign-on bound";
/// What it calls the end of that.
pub const UNBOUND: &str = "single sign-on unbound";
/// The layout that this program writes.
const LAYOUT: i64 = MIGRATIONS.len() as i64;

/// Why an account can't be kept or given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccountError {
    /// The file says no.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Somebody has, or had, that name or one that looks like it.
    #[error("the name `{login}` is taken, or looks like one that is or was; choose another")]
    NameTaken {
        /// The name.
        login: String,
    },
    /// The log was altered.
    #[error("line {sequence} of the account log was altered")]
    LogAltered {
        /// The first line that does not fit.
        sequence: u64,
    },
}

/// A person's account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// What records name the person by.
    pub person: PersonId,
    /// The name at log-in.
    pub login: String,
    /// The name that signatures print.
    pub printed_name: String,
    /// Where notices go; they carry no content.
    pub email: String,
    /// Whether the person looks after accounts and sites. An administrator sees no data by that.
    pub administrator: bool,
    /// Whether the person may log in.
    pub active: bool,
    /// The password's hash in PHC form; none until the invitation is taken up.
    pub password: Option<String>,
    /// Whether the password was set by another and must be replaced first.
    pub temporary: bool,
    /// The secret of the second factor.
    pub second_factor: Option<Vec<u8>>,
    /// The last time step whose code was used; codes of it and earlier ones are spent.
    pub last_step: u64,
    /// The language of the pages.
    pub language: String,
    /// Who verified the person's identity, before a signature counts.
    pub identity_verified_by: Option<PersonId>,
    /// When the person accepted that the electronic signature binds like one by hand.
    pub signature_accepted: Option<Timestamp>,
}

/// A passkey that a person registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passkey {
    /// The authenticator's own name for the key.
    pub credential: Vec<u8>,
    /// Whose it is.
    pub person: PersonId,
    /// What the person calls it.
    pub name: String,
    /// The public key and the counter, as the protocol's library writes them.
    pub key: String,
    /// When it was registered.
    pub added: Timestamp,
    /// When it was last used, if it was.
    pub used: Option<Timestamp>,
}

/// A line of the log to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note<'a> {
    /// When.
    pub at: Timestamp,
    /// Who did it; the name that was tried where nobody is logged in.
    pub by: &'a str,
    /// To whom.
    pub about: &'a str,
    /// What, in a word or two.
    pub what: &'a str,
    /// Particulars, never a secret or an item's value.
    pub detail: &'a str,
    /// The network address.
    pub origin: &'a str,
}

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "as in `Note`")]
pub struct LogLine {
    pub sequence: u64,
    pub at: Timestamp,
    pub by: String,
    pub about: String,
    pub what: String,
    pub detail: String,
    pub origin: String,
}

/// The accounts of an installation.
pub struct AccountStore {
    connection: Connection,
    file: StoreFile,
    environment: Environment,
}

impl AccountStore {
    /// Makes an empty store in a new file.
    ///
    /// # Errors
    /// The file is there already, or can't be written.
    pub fn create(path: &Path, environment: Environment, now: Timestamp) -> Result<Self, AccountError> {
        if path.exists() {
            return Err(StoreError::AlreadyThere { path: path.to_owned() }.into());
        }
        let (connection, file) = connect(path, OpenFlags::SQLITE_OPEN_CREATE)?;
        let made = (|| {
            let transaction = connection.unchecked_transaction()?;
            migrate(&transaction, 0)?;
            transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
            let sql = "INSERT INTO installation (environment, created) VALUES (?1, ?2)";
            transaction.execute(sql, (environment.to_string(), now.as_millisecond()))?;
            transaction.commit()
        })();
        made.map_err(|error| file.error(error))?;
        Ok(Self { connection, file, environment })
    }

    /// Opens a store, and brings one of an earlier layout up to date. Accounts of a training copy never open live data, nor the reverse.
    ///
    /// # Errors
    /// There is none, it is newer, or of the other environment.
    pub fn open(path: &Path, asked: Environment) -> Result<Self, AccountError> {
        let (connection, file, layout, found) = look_into(path)?;
        if found != asked {
            return Err(StoreError::WrongEnvironment { path: path.to_owned(), found, asked }.into());
        }
        let brought_up = connection
            .unchecked_transaction()
            .and_then(|transaction| migrate(&transaction, layout).and_then(|()| transaction.commit()));
        brought_up.map_err(|error| file.error(error))?;
        Ok(Self { connection, file, environment: found })
    }

    /// Says whether the participants of an installation are real, and leaves its file as it is.
    ///
    /// # Errors
    /// There is none, or it is newer.
    pub fn environment_of(path: &Path) -> Result<Environment, AccountError> {
        look_into(path).map(|(_, _, _, environment)| environment)
    }

    /// Says whether participants are real.
    pub fn environment(&self) -> Environment {
        self.environment
    }

    /// Returns the account of a log-in name, active or not. Case does not matter.
    ///
    /// # Errors
    /// The file can't be read.
    pub fn by_login(&self, login: &str) -> Result<Option<Account>, AccountError> {
        self.one("WHERE skeleton = ?1", &skeleton(login))
    }

    /// Returns a person's account.
    ///
    /// # Errors
    /// The file can't be read.
    pub fn of(&self, person: &PersonId) -> Result<Option<Account>, AccountError> {
        self.one("WHERE person = ?1", person.as_str())
    }

    /// Returns all accounts by log-in name.
    ///
    /// # Errors
    /// The file can't be read.
    pub fn all(&self) -> Result<Vec<Account>, AccountError> {
        let read = || -> rusqlite::Result<Vec<Account>> {
            self.connection.prepare(&format!("{ACCOUNTS} ORDER BY login"))?.query_map([], account)?.collect()
        };
        Ok(read().map_err(|error| self.file.error(error))?)
    }

    /// Returns the printed names of all people who have an account.
    ///
    /// # Errors
    /// The file can't be read.
    pub fn printed_names(&self) -> Result<BTreeMap<String, String>, AccountError> {
        let read = || -> rusqlite::Result<BTreeMap<String, String>> {
            self.connection
                .prepare("SELECT person, printed_name FROM accounts")?
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect()
        };
        Ok(read().map_err(|error| self.file.error(error))?)
    }

    /// Returns a person's printed name, if the person has an account.
    ///
    /// # Errors
    /// The file can't be read.
    pub fn printed_name(&self, person: &PersonId) -> Result<Option<String>, AccountError> {
        let sql = "SELECT printed_name FROM accounts WHERE person = ?1";
        let found = self.connection.query_row(sql, [person.as_str()], |row| row.get(0)).optional();
        Ok(found.map_err(|error| self.file.error(error))?)
    }

    /// Adds an account.
    ///
    /// # Errors
    /// The name is or was taken, or the file can't be written.
    pub fn add(&mut self, new: &Account, note: &Note<'_>) -> Result<(), AccountError> {
        let shape = skeleton(&new.login);
        let taken = "SELECT 1 FROM accounts WHERE skeleton = ?1 OR person = ?2";
        let taken: Option<i64> = self
            .connection
            .query_row(taken, (&shape, new.person.as_str()), |row| row.get(0))
            .optional()
            .map_err(|error| self.file.error(error))?;
        if taken.is_some() {
            return Err(AccountError::NameTaken { login: new.login.clone() });
        }
        self.change(note, |transaction| insert(transaction, new, note.at))
    }

    /// Adds the ready accounts of a training copy, or gives those that are there their passwords anew, all at once.
    ///
    /// # Errors
    /// A name was taken by another person, or the file can't be written.
    ///
    /// # Panics
    /// The participants are real.
    pub fn make_ready(&mut self, accounts: &[Account], note: &Note<'_>) -> Result<(), AccountError> {
        assert_eq!(self.environment, Environment::Rehearsal, "ready accounts belong to training copies");
        self.change(note, |transaction| {
            accounts.iter().try_for_each(|account| {
                let sql = "UPDATE accounts SET password = ?2, temporary = 0 WHERE person = ?1";
                match transaction.execute(sql, (account.person.as_str(), &account.password))? {
                    0 => insert(transaction, account, note.at),
                    _ => Ok(()),
                }
            })
        })
    }

    /// Keeps a password's hash in place of the former. `temporary`: it must be replaced at the next log-in.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn set_password(
        &mut self,
        person: &PersonId,
        hash: &str,
        temporary: bool,
        note: &Note<'_>,
    ) -> Result<(), AccountError> {
        let sql = "UPDATE accounts SET password = ?2, temporary = ?3 WHERE person = ?1";
        self.change(note, |to| to.execute(sql, (person.as_str(), hash, temporary)).map(|_| ()))
    }

    /// Keeps the secret of a second factor with its recovery codes' digests, or (none) takes both away; while there are passkeys, the
    /// codes that are left stay.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn set_second_factor(
        &mut self,
        person: &PersonId,
        secret: Option<&[u8]>,
        recovery: &[[u8; 32]],
        note: &Note<'_>,
    ) -> Result<(), AccountError> {
        self.change(note, |to| {
            let sql = "UPDATE accounts SET second_factor = ?2, last_step = 0 WHERE person = ?1";
            to.execute(sql, (person.as_str(), secret))?;
            match secret {
                Some(_) => replace_recovery_codes(to, person, recovery),
                None => end_recovery_codes(to, person),
            }
        })
    }

    /// Returns a person's passkeys in the order in which they were registered.
    ///
    /// # Errors
    /// The file can't be read.
    pub fn passkeys_of(&self, person: &PersonId) -> Result<Vec<Passkey>, AccountError> {
        let read = || -> rusqlite::Result<Vec<Passkey>> {
            let sql = "SELECT * FROM passkeys WHERE person = ?1 ORDER BY added, credential";
            self.connection.prepare(sql)?.query_map([person.as_str()], passkey)?.collect()
        };
        Ok(read().map_err(|error| self.file.error(error))?)
    }

    /// Returns the passkey of a name that an authenticator gave.
    ///
    /// # Errors
    /// The file can't be read.
    pub fn passkey(&self, credential: &[u8]) -> Result<Option<Passkey>, AccountError> {
        let sql = "SELECT * FROM passkeys WHERE credential = ?1";
        let read = self.connection.query_row(sql, [credential], passkey).optional();
        Ok(read.map_err(|error| self.file.error(error))?)
    }

    /// Keeps a passkey, and recovery codes' digests in place of earlier ones where some are given. Says whether the passkey was new.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn add_passkey(
        &mut self,
        new: &Passkey,
        recovery: &[[u8; 32]],
        note: &Note<'_>,
    ) -> Result<bool, AccountError> {
        if self.passkey(&new.credential)?.is_some() {
            return Ok(false);
        }
        self.change(note, |to| {
            let sql =
                "INSERT INTO passkeys (credential, person, name, key, added) VALUES (?1, ?2, ?3, ?4, ?5)";
            let added = new.added.as_millisecond();
            to.execute(sql, (&new.credential, new.person.as_str(), &new.name, &new.key, added))?;
            if !recovery.is_empty() {
                replace_recovery_codes(to, &new.person, recovery)?;
            }
            Ok(())
        })?;
        Ok(true)
    }

    /// Keeps what a passkey's use changed in it (its counter), and when that was.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn use_passkey(&mut self, credential: &[u8], key: &str, note: &Note<'_>) -> Result<(), AccountError> {
        let sql = "UPDATE passkeys SET key = ?2, used = ?3 WHERE credential = ?1";
        let at = note.at.as_millisecond();
        self.change(note, |to| to.execute(sql, (credential, key, at)).map(|_| ()))
    }

    /// Takes a person's passkeys away: one, or (none named) all. With the last one go the recovery codes, unless there is another second
    /// factor. Returns how many were there.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn remove_passkeys(
        &mut self,
        person: &PersonId,
        credential: Option<&[u8]>,
        note: &Note<'_>,
    ) -> Result<usize, AccountError> {
        let mut removed = 0;
        self.change(note, |to| {
            let sql = "DELETE FROM passkeys WHERE person = ?1 AND (?2 IS NULL OR credential = ?2)";
            removed = to.execute(sql, (person.as_str(), credential))?;
            end_recovery_codes(to, person)
        })?;
        Ok(removed)
    }

    /// Spends a time step of the second factor; says whether it was still unspent.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn spend_step(&mut self, person: &PersonId, step: u64) -> Result<bool, AccountError> {
        let sql = "UPDATE accounts SET last_step = ?2 WHERE person = ?1 AND last_step < ?2";
        let step = i64::try_from(step).unwrap_or(i64::MAX);
        let spent = self.connection.execute(sql, (person.as_str(), step));
        Ok(spent.map_err(|error| self.file.error(error))? == 1)
    }

    /// Spends a recovery code; says whether it was one.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn spend_recovery_code(
        &mut self,
        person: &PersonId,
        digest: &[u8; 32],
    ) -> Result<bool, AccountError> {
        let sql = "DELETE FROM recovery_codes WHERE person = ?1 AND digest = ?2";
        let spent = self.connection.execute(sql, (person.as_str(), digest));
        Ok(spent.map_err(|error| self.file.error(error))? == 1)
    }

    /// Returns how many recovery codes are left.
    ///
    /// # Errors
    /// The file can't be read.
    pub fn recovery_codes_left(&self, person: &PersonId) -> Result<u64, AccountError> {
        let sql = "SELECT count(*) FROM recovery_codes WHERE person = ?1";
        let left: i64 = self
            .connection
            .query_row(sql, [person.as_str()], |row| row.get(0))
            .map_err(|error| self.file.error(error))?;
        Ok(left.unsigned_abs())
    }

    /// Returns whom a provider of single sign-on means by its name for somebody.
    ///
    /// # Errors
    /// The file can't be read.
    pub fn identity(&self, issuer: &str, subject: &str) -> Result<Option<PersonId>, AccountError> {
        let sql = "SELECT person FROM identities WHERE issuer = ?1 AND subject = ?2";
        let read =
            self.connection.query_row(sql, (issuer, subject), |row| row.get::<_, String>(0)).optional();
        Ok(read.map_err(|error| self.file.error(error))?.map(PersonId::from))
    }

    /// Returns a provider's name for a person, once it has one.
    ///
    /// # Errors
    /// The file can't be read.
    pub fn identity_of(&self, issuer: &str, person: &PersonId) -> Result<Option<String>, AccountError> {
        let sql = "SELECT subject FROM identities WHERE issuer = ?1 AND person = ?2";
        let read = self.connection.query_row(sql, (issuer, person.as_str()), |row| row.get(0)).optional();
        Ok(read.map_err(|error| self.file.error(error))?)
    }

    /// Says whether any provider has a name for a person.
    ///
    /// # Errors
    /// The file can't be read.
    pub fn is_bound(&self, person: &PersonId) -> Result<bool, AccountError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM identities WHERE person = ?1)";
        let read = self.connection.query_row(sql, [person.as_str()], |row| row.get(0));
        Ok(read.map_err(|error| self.file.error(error))?)
    }

    /// Keeps a provider's name for a person, for good. Says whether neither had another already. The person's identity has then to be verified
    /// before a signature counts, perhaps again, and the signature to be accepted: somebody came in by a new way.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn bind(
        &mut self,
        issuer: &str,
        subject: &str,
        person: &PersonId,
        note: &Note<'_>,
    ) -> Result<bool, AccountError> {
        if self.identity(issuer, subject)?.is_some() || self.identity_of(issuer, person)?.is_some() {
            return Ok(false);
        }
        self.change(note, |to| {
            let sql = "INSERT INTO identities (issuer, subject, person, bound) VALUES (?1, ?2, ?3, ?4)";
            to.execute(sql, (issuer, subject, person.as_str(), note.at.as_millisecond()))?;
            let sql = "UPDATE accounts SET identity_verified_by = NULL, signature_accepted = NULL WHERE person = ?1";
            to.execute(sql, [person.as_str()]).map(|_| ())
        })?;
        Ok(true)
    }

    /// Ends what binds a person to providers of single sign-on; the next log-in there binds anew. Returns how many bindings there were.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn unbind(&mut self, person: &PersonId, note: &Note<'_>) -> Result<usize, AccountError> {
        let mut ended = 0;
        self.change(note, |to| {
            ended = to.execute("DELETE FROM identities WHERE person = ?1", [person.as_str()])?;
            Ok(())
        })?;
        Ok(ended)
    }

    /// Lets a person look after accounts and sites, or no longer.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn set_administrator(
        &mut self,
        person: &PersonId,
        administrator: bool,
        note: &Note<'_>,
    ) -> Result<(), AccountError> {
        let sql = "UPDATE accounts SET administrator = ?2 WHERE person = ?1";
        self.change(note, |to| to.execute(sql, (person.as_str(), administrator)).map(|_| ()))
    }

    /// Returns who could have come in as this person, or left a password or a passkey there: whoever made the link that was taken up last or one that waits to be,
    /// and, since then, whoever gave an address by which a log-in elsewhere was bound. To end such a binding takes nothing back of what was set up by it; a
    /// link that is taken up does.
    ///
    /// # Errors
    /// The file can't be read.
    pub fn makers_of_ways_in(&self, person: &PersonId) -> Result<BTreeSet<PersonId>, AccountError> {
        let read = || -> rusqlite::Result<Vec<(String, String)>> {
            let sql = "SELECT what, by FROM account_log WHERE about = ?1 AND what IN \
                       ('account added', 'address changed', 'invited', 'invitation taken up', ?2) ORDER BY sequence";
            let told = (person.as_str(), BOUND);
            self.connection.prepare(sql)?.query_map(told, |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        };
        let (mut gave_address, mut invited_by) = (None, None);
        let mut makers = BTreeSet::new();
        for (what, by) in read().map_err(|error| self.file.error(error))? {
            match what.as_str() {
                "invited" => invited_by = Some(by),
                "invitation taken up" => makers = invited_by.take().into_iter().collect(),
                BOUND => makers.extend(gave_address.clone()),
                _ => gave_address = Some(by),
            }
        }
        makers.extend(invited_by);
        Ok(makers.into_iter().map(PersonId::from).collect())
    }

    /// Lets a person log in, or no longer.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn set_active(
        &mut self,
        person: &PersonId,
        active: bool,
        note: &Note<'_>,
    ) -> Result<(), AccountError> {
        let sql = "UPDATE accounts SET active = ?2 WHERE person = ?1";
        self.change(note, |to| to.execute(sql, (person.as_str(), active)).map(|_| ()))
    }

    /// Keeps a person's address for mails; empty for none.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn set_email(&mut self, person: &PersonId, email: &str, note: &Note<'_>) -> Result<(), AccountError> {
        let sql = "UPDATE accounts SET email = ?2 WHERE person = ?1";
        self.change(note, |to| to.execute(sql, (person.as_str(), email)).map(|_| ()))
    }

    /// Keeps the language of a person's pages.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn set_language(&mut self, person: &PersonId, language: &str) -> Result<(), AccountError> {
        let sql = "UPDATE accounts SET language = ?2 WHERE person = ?1";
        let set = self.connection.execute(sql, (person.as_str(), language));
        Ok(set.map(|_| ()).map_err(|error| self.file.error(error))?)
    }

    /// Records that `by` has verified a person's identity.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn verify_identity(
        &mut self,
        person: &PersonId,
        by: &PersonId,
        note: &Note<'_>,
    ) -> Result<(), AccountError> {
        let sql = "UPDATE accounts SET identity_verified_by = ?2 WHERE person = ?1";
        self.change(note, |to| to.execute(sql, (person.as_str(), by.as_str())).map(|_| ()))
    }

    /// Records that a person accepts the electronic signature as binding.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn accept_signature(&mut self, person: &PersonId, note: &Note<'_>) -> Result<(), AccountError> {
        let sql = "UPDATE accounts SET signature_accepted = ?2 WHERE person = ?1";
        let at = note.at.as_millisecond();
        self.change(note, |to| to.execute(sql, (person.as_str(), at)).map(|_| ()))
    }

    /// Keeps an invitation by the digest of its token, in place of earlier ones of the person.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn invite(
        &mut self,
        person: &PersonId,
        digest: &[u8; 32],
        expires: Timestamp,
        note: &Note<'_>,
    ) -> Result<(), AccountError> {
        self.change(note, |to| {
            to.execute("DELETE FROM invitations WHERE person = ?1", [person.as_str()])?;
            let sql = "INSERT INTO invitations (digest, person, expires) VALUES (?1, ?2, ?3)";
            to.execute(sql, (digest, person.as_str(), expires.as_millisecond())).map(|_| ())
        })
    }

    /// Returns who an invitation is for, while it holds.
    ///
    /// # Errors
    /// The file can't be read.
    pub fn invited(&self, digest: &[u8; 32], now: Timestamp) -> Result<Option<Account>, AccountError> {
        let sql = "SELECT person FROM invitations WHERE digest = ?1 AND expires > ?2";
        let person: Option<String> = self
            .connection
            .query_row(sql, (digest, now.as_millisecond()), |row| row.get(0))
            .optional()
            .map_err(|error| self.file.error(error))?;
        person.map_or(Ok(None), |person| self.of(&PersonId::from(person)))
    }

    /// Takes up an invitation with a password of the person's own; says whether it still held. The person's identity has then to be
    /// verified before a signature counts, perhaps again, and the signature to be accepted.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn take_up(
        &mut self,
        digest: &[u8; 32],
        person: &PersonId,
        hash: &str,
        note: &Note<'_>,
    ) -> Result<bool, AccountError> {
        let mut held = false;
        self.change(note, |to| {
            let sql = "DELETE FROM invitations WHERE digest = ?1 AND person = ?2 AND expires > ?3";
            held = to.execute(sql, (digest, person.as_str(), note.at.as_millisecond()))? == 1;
            if held {
                // Who holds a new secret is verified anew, and accepts the signature anew.
                let sql = "UPDATE accounts SET password = ?2, temporary = 0, identity_verified_by = NULL, \
                           signature_accepted = NULL WHERE person = ?1";
                to.execute(sql, (person.as_str(), hash))?;
                // Whoever took up an earlier link may have left a passkey or a log-in elsewhere of their own.
                to.execute("DELETE FROM passkeys WHERE person = ?1", [person.as_str()])?;
                to.execute("DELETE FROM identities WHERE person = ?1", [person.as_str()])?;
                end_recovery_codes(to, person)?;
            }
            Ok(())
        })?;
        Ok(held)
    }

    /// Keeps what a person has typed at a place and not saved; an empty text forgets it.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn keep_draft(
        &mut self,
        person: &PersonId,
        place: &str,
        answers: &str,
        now: Timestamp,
    ) -> Result<(), AccountError> {
        let done = if answers.is_empty() {
            let sql = "DELETE FROM drafts WHERE person = ?1 AND place = ?2";
            self.connection.execute(sql, (person.as_str(), place))
        } else {
            let sql = "INSERT OR REPLACE INTO drafts (person, place, answers, kept) VALUES (?1, ?2, ?3, ?4)";
            self.connection.execute(sql, (person.as_str(), place, answers, now.as_millisecond()))
        };
        Ok(done.map(|_| ()).map_err(|error| self.file.error(error))?)
    }

    /// Returns what a person had typed at a place, and when.
    ///
    /// # Errors
    /// The file can't be read.
    pub fn draft(&self, person: &PersonId, place: &str) -> Result<Option<(String, Timestamp)>, AccountError> {
        let sql = "SELECT answers, kept FROM drafts WHERE person = ?1 AND place = ?2";
        let found = self
            .connection
            .query_row(sql, (person.as_str(), place), |row| Ok((row.get(0)?, time(row.get(1)?))))
            .optional();
        Ok(found.map_err(|error| self.file.error(error))?)
    }

    /// Writes a line in the log where nothing else changes: a log-in, a refusal.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn note(&mut self, note: &Note<'_>) -> Result<(), AccountError> {
        self.change(note, |_| Ok(()))
    }

    /// Returns the last lines of the log, newest first; those about or by one person where one is named.
    ///
    /// # Errors
    /// The file can't be read.
    pub fn log(&self, of: Option<&str>, most: u32) -> Result<Vec<LogLine>, AccountError> {
        let read = || -> rusqlite::Result<Vec<LogLine>> {
            let sql = "SELECT sequence, at, by, about, what, detail, origin FROM account_log \
                       WHERE ?1 IS NULL OR by = ?1 OR about = ?1 ORDER BY sequence DESC LIMIT ?2";
            self.connection.prepare(sql)?.query_map((of, most), log_line)?.collect()
        };
        Ok(read().map_err(|error| self.file.error(error))?)
    }

    /// Returns all lines of the log that say one of these things, oldest first.
    ///
    /// # Errors
    /// The file can't be read.
    pub fn lines(&self, whats: &[&str]) -> Result<Vec<LogLine>, AccountError> {
        let read = || -> rusqlite::Result<Vec<LogLine>> {
            let places = vec!["?"; whats.len()].join(", ");
            let sql = format!(
                "SELECT sequence, at, by, about, what, detail, origin FROM account_log \
                 WHERE what IN ({places}) ORDER BY sequence"
            );
            self.connection.prepare(&sql)?.query_map(rusqlite::params_from_iter(whats), log_line)?.collect()
        };
        Ok(read().map_err(|error| self.file.error(error))?)
    }

    /// Returns the last line of the log that says something.
    ///
    /// # Errors
    /// The file can't be read.
    pub fn last(&self, what: &str) -> Result<Option<LogLine>, AccountError> {
        let sql = "SELECT sequence, at, by, about, what, detail, origin FROM account_log \
                   WHERE what = ?1 ORDER BY sequence DESC LIMIT 1";
        let read = self.connection.query_row(sql, [what], log_line).optional();
        Ok(read.map_err(|error| self.file.error(error))?)
    }

    /// Recomputes the log's chain.
    ///
    /// # Errors
    /// The first line that was altered.
    pub fn verify_log(&self) -> Result<u64, AccountError> {
        let read = || -> rusqlite::Result<Result<u64, u64>> {
            let sql = "SELECT sequence, at, by, about, what, detail, origin, hash FROM account_log ORDER BY sequence";
            let mut statement = self.connection.prepare(sql)?;
            let mut rows = statement.query([])?;
            let (mut before, mut last) = ([0; 32], 0);
            while let Some(row) = rows.next()? {
                let sequence = row.get::<_, i64>(0)?.unsigned_abs();
                let texts: [String; 5] = [row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?];
                let hash = chained(&before, sequence, row.get(1)?, texts.each_ref().map(String::as_str));
                if sequence != last + 1 || row.get::<_, [u8; 32]>(7)? != hash {
                    return Ok(Err(last + 1));
                }
                (before, last) = (hash, sequence);
            }
            Ok(Ok(last))
        };
        let found = read().map_err(|error| self.file.error(error))?;
        found.map_err(|sequence| AccountError::LogAltered { sequence })
    }

    fn one(&self, which: &str, key: &str) -> Result<Option<Account>, AccountError> {
        let sql = format!("{ACCOUNTS} {which}");
        let read = || self.connection.prepare(&sql)?.query_row([key], account).optional();
        Ok(read().map_err(|error| self.file.error(error))?)
    }

    /// Changes accounts and writes the line that says so, or neither.
    fn change(
        &mut self,
        note: &Note<'_>,
        change: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<()>,
    ) -> Result<(), AccountError> {
        let file = self.file.clone();
        let done = self.connection.transaction().and_then(|transaction| {
            change(&transaction)?;
            write_note(&transaction, note)?;
            transaction.commit()
        });
        Ok(done.map_err(|error| file.error(error))?)
    }
}

fn log_line(row: &rusqlite::Row<'_>) -> rusqlite::Result<LogLine> {
    Ok(LogLine {
        sequence: row.get::<_, i64>(0)?.unsigned_abs(),
        at: time(row.get(1)?),
        by: row.get(2)?,
        about: row.get(3)?,
        what: row.get(4)?,
        detail: row.get(5)?,
        origin: row.get(6)?,
    })
}

/// Returns a log-in name without what people confuse: case, accents' compositions, letters that look alike.
pub fn skeleton(login: &str) -> String {
    login
        .chars()
        .flat_map(char::to_lowercase)
        .map(|letter| match letter {
            // Cyrillic and Greek letters that print like Latin ones, digits that print like letters.
            'а' | 'α' => 'a',
            'е' | 'ε' => 'e',
            'о' | 'ο' | '0' => 'o',
            'р' | 'ρ' => 'p',
            'с' => 'c',
            'у' | 'υ' => 'y',
            'х' | 'χ' => 'x',
            'і' | 'ι' | '1' | 'l' | '|' => 'i',
            'ѕ' => 's',
            'к' | 'κ' => 'k',
            'м' => 'm',
            'т' | 'τ' => 't',
            'н' => 'h',
            'в' => 'b',
            other => other,
        })
        .filter(|letter| !letter.is_whitespace() && !('\u{200b}'..='\u{200f}').contains(letter))
        .collect()
}

/// Opens a file and says which layout and environment it has, without changing it.
fn look_into(path: &Path) -> Result<(Connection, StoreFile, i64, Environment), AccountError> {
    if !path.is_file() {
        return Err(StoreError::NotAStore { path: path.to_owned() }.into());
    }
    let (connection, file) = connect(path, OpenFlags::empty())?;
    let pragma = |name: &str| {
        let value = connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        value.map_err(|error| file.error(error))
    };
    if pragma("application_id")? != APPLICATION_ID {
        return Err(StoreError::NotAStore { path: path.to_owned() }.into());
    }
    let layout = pragma("user_version")?;
    if layout > LAYOUT {
        return Err(StoreError::Newer { path: path.to_owned(), found: layout, known: LAYOUT }.into());
    }
    let environment: String = connection
        .query_row("SELECT environment FROM installation", [], |row| row.get(0))
        .map_err(|error| file.error(error))?;
    let environment = if environment == "live" { Environment::Live } else { Environment::Rehearsal };
    Ok((connection, file, layout, environment))
}

/// Applies the steps of the layout that a file does not have yet.
fn migrate(transaction: &Transaction<'_>, from: i64) -> rusqlite::Result<()> {
    let applied = usize::try_from(from).unwrap_or(MIGRATIONS.len());
    for step in MIGRATIONS.iter().skip(applied) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", LAYOUT)
}

fn connect(path: &Path, create: OpenFlags) -> Result<(Connection, StoreFile), StoreError> {
    let file = StoreFile { path: PathBuf::from(path) };
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | create;
    let settings = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
                    PRAGMA secure_delete = ON; PRAGMA trusted_schema = OFF;";
    let connection = Connection::open_with_flags(path, flags)
        .and_then(|connection| connection.execute_batch(settings).map(|()| connection))
        .map_err(|error| file.error(error))?;
    Ok((connection, file))
}

fn insert(transaction: &Transaction<'_>, new: &Account, at: Timestamp) -> rusqlite::Result<()> {
    let sql = "INSERT INTO accounts (person, login, skeleton, printed_name, email, administrator, active, password, \
               temporary, language, identity_verified_by, signature_accepted, created) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
    let values = rusqlite::params![
        new.person.as_str(),
        new.login,
        skeleton(&new.login),
        new.printed_name,
        new.email,
        new.administrator,
        new.active,
        new.password,
        new.temporary,
        new.language,
        new.identity_verified_by.as_ref().map(PersonId::as_str),
        new.signature_accepted.map(Timestamp::as_millisecond),
        at.as_millisecond(),
    ];
    transaction.execute(sql, values).map(|_| ())
}

fn replace_recovery_codes(
    transaction: &Transaction<'_>,
    person: &PersonId,
    digests: &[[u8; 32]],
) -> rusqlite::Result<()> {
    transaction.execute("DELETE FROM recovery_codes WHERE person = ?1", [person.as_str()])?;
    digests.iter().try_for_each(|digest| {
        let sql = "INSERT INTO recovery_codes (person, digest) VALUES (?1, ?2)";
        transaction.execute(sql, (person.as_str(), digest)).map(|_| ())
    })
}

/// Takes recovery codes away once there is no second step that they could stand in for.
fn end_recovery_codes(transaction: &Transaction<'_>, person: &PersonId) -> rusqlite::Result<()> {
    let sql = "DELETE FROM recovery_codes WHERE person = ?1 \
               AND NOT EXISTS (SELECT 1 FROM passkeys WHERE person = ?1) \
               AND NOT EXISTS (SELECT 1 FROM accounts WHERE person = ?1 AND second_factor IS NOT NULL)";
    transaction.execute(sql, [person.as_str()]).map(|_| ())
}

fn write_note(transaction: &Transaction<'_>, note: &Note<'_>) -> rusqlite::Result<()> {
    let last = "SELECT sequence, hash FROM account_log ORDER BY sequence DESC LIMIT 1";
    let (last, before): (i64, [u8; 32]) = transaction
        .query_row(last, [], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?
        .unwrap_or((0, [0; 32]));
    let sequence = last + 1;
    let texts = [note.by, note.about, note.what, note.detail, note.origin];
    let hash = chained(&before, sequence.unsigned_abs(), note.at.as_millisecond(), texts);
    let sql = "INSERT INTO account_log (sequence, at, by, about, what, detail, origin, hash) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let [by, about, what, detail, origin] = texts;
    transaction.execute(
        sql,
        (sequence, note.at.as_millisecond(), by, about, what, detail, origin, hash.as_slice()),
    )?;
    Ok(())
}

/// SHA-256 over the hash before, the place, the time and each text behind its length.
fn chained(before: &[u8; 32], sequence: u64, at: i64, texts: [&str; 5]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(b"equipoise/account-log/1");
    hasher.update(before);
    hasher.update(sequence.to_be_bytes());
    hasher.update(at.to_be_bytes());
    for text in texts {
        hasher.update((text.len() as u64).to_be_bytes());
        hasher.update(text.as_bytes());
    }
    hasher.finalize().into()
}

fn time(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn passkey(row: &Row<'_>) -> rusqlite::Result<Passkey> {
    Ok(Passkey {
        credential: row.get("credential")?,
        person: PersonId::from(row.get::<_, String>("person")?),
        name: row.get("name")?,
        key: row.get("key")?,
        added: time(row.get("added")?),
        used: row.get::<_, Option<i64>>("used")?.map(time),
    })
}

/// What is read of an account, in the order in which [`account`] takes it: every request does so.
const ACCOUNTS: &str = "SELECT person, login, printed_name, email, administrator, active, password, temporary, second_factor, \
                        last_step, language, identity_verified_by, signature_accepted FROM accounts";

fn account(row: &Row<'_>) -> rusqlite::Result<Account> {
    Ok(Account {
        person: PersonId::from(row.get::<_, String>(0)?),
        login: row.get(1)?,
        printed_name: row.get(2)?,
        email: row.get(3)?,
        administrator: row.get(4)?,
        active: row.get(5)?,
        password: row.get(6)?,
        temporary: row.get(7)?,
        second_factor: row.get(8)?,
        last_step: row.get::<_, i64>(9)?.unsigned_abs(),
        language: row.get(10)?,
        identity_verified_by: row.get::<_, Option<String>>(11)?.map(PersonId::from),
        signature_accepted: row.get::<_, Option<i64>>(12)?.map(time),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn note(what: &'static str) -> Note<'static> {
        Note { at: at(0), by: "p1", about: "p2", what, detail: "", origin: "127.0.0.1" }
    }

    fn someone(person: &str, login: &str) -> Account {
        Account {
            person: PersonId::from(person),
            login: login.to_owned(),
            printed_name: "A. Person".to_owned(),
            email: String::new(),
            administrator: false,
            active: true,
            password: None,
            temporary: false,
            second_factor: None,
            last_step: 0,
            language: "en".to_owned(),
            identity_verified_by: None,
            signature_accepted: None,
        }
    }

    fn store() -> (tempfile::TempDir, AccountStore) {
        let folder = tempfile::tempdir().unwrap();
        let store = AccountStore::create(&folder.path().join("a"), Environment::Live, at(0)).unwrap();
        (folder, store)
    }

    #[test]
    fn p11_300a_a_name_that_looks_like_another_is_refused() {
        let (_folder, mut store) = store();
        store.add(&someone("p1", "paulo"), &note("added")).unwrap();
        for alike in ["Paulo", "PAULO", "раulо", "pau1o", "paul0", " paulo\u{200b}"] {
            let refused = store.add(&someone("p2", alike), &note("added"));
            assert!(matches!(refused, Err(AccountError::NameTaken { .. })), "{alike}");
        }
        store.add(&someone("p2", "paula"), &note("added")).unwrap();
    }

    #[test]
    fn p11_100a_a_retired_name_or_identifier_is_never_given_again() {
        let (_folder, mut store) = store();
        store.add(&someone("p1", "anna"), &note("added")).unwrap();
        store.set_active(&PersonId::from("p1"), false, &note("ended")).unwrap();
        assert!(store.add(&someone("p2", "anna"), &note("added")).is_err());
        assert!(store.add(&someone("p1", "berta"), &note("added")).is_err());
    }

    #[test]
    fn an_altered_line_of_the_log_is_named() {
        let (folder, mut store) = store();
        for what in ["one", "two", "three"] {
            store.note(&note(what)).unwrap();
        }
        assert_eq!(store.verify_log(), Ok(3));
        let outside = Connection::open(folder.path().join("a")).unwrap();
        assert!(outside.execute("UPDATE account_log SET what = 'four' WHERE sequence = 2", []).is_err());
        outside.execute_batch("DROP TRIGGER account_log_is_not_changed").unwrap();
        outside.execute("UPDATE account_log SET what = 'four' WHERE sequence = 2", []).unwrap();
        assert_eq!(store.verify_log(), Err(AccountError::LogAltered { sequence: 2 }));
    }

    #[test]
    fn accounts_of_a_training_copy_do_not_open_live_data() {
        let (folder, _store) = store();
        let refused = AccountStore::open(&folder.path().join("a"), Environment::Rehearsal).err();
        assert!(matches!(refused, Some(AccountError::Store(StoreError::WrongEnvironment { .. }))));
    }

    #[test]
    fn an_invitation_is_taken_up_once_and_in_time() {
        let (_folder, mut store) = store();
        let person = PersonId::from("p2");
        store.add(&someone("p2", "anna"), &note("added")).unwrap();
        store.invite(&person, &[7; 32], at(60), &note("invited")).unwrap();
        assert!(store.invited(&[7; 32], at(61)).unwrap().is_none());
        assert!(store.invited(&[8; 32], at(0)).unwrap().is_none());
        assert_eq!(store.invited(&[7; 32], at(1)).unwrap().map(|account| account.login), Some("anna".into()));
        assert!(store.take_up(&[7; 32], &person, "hash", &note("taken up")).unwrap());
        assert!(!store.take_up(&[7; 32], &person, "other", &note("taken up")).unwrap());
        assert_eq!(store.of(&person).unwrap().unwrap().password.as_deref(), Some("hash"));
    }

    #[test]
    fn a_code_is_spent_once() {
        let (_folder, mut store) = store();
        let person = PersonId::from("p1");
        store.add(&someone("p1", "anna"), &note("added")).unwrap();
        store
            .set_second_factor(&person, Some(b"secret"), &[[1; 32], [2; 32]], &note("second factor"))
            .unwrap();
        assert!(store.spend_step(&person, 10).unwrap());
        assert!(!store.spend_step(&person, 10).unwrap());
        assert!(!store.spend_step(&person, 9).unwrap());
        assert!(store.spend_recovery_code(&person, &[1; 32]).unwrap());
        assert!(!store.spend_recovery_code(&person, &[1; 32]).unwrap());
        assert_eq!(store.recovery_codes_left(&person), Ok(1));
    }

    fn key_of(person: &str, credential: u8) -> Passkey {
        Passkey {
            credential: vec![credential; 16],
            person: PersonId::from(person),
            name: "laptop".to_owned(),
            key: "{}".to_owned(),
            added: at(0),
            used: None,
        }
    }

    #[test]
    fn a_passkey_is_of_one_person_and_recovery_codes_stay_as_long_as_a_second_step() {
        let (_folder, mut store) = store();
        let (one, other) = (PersonId::from("p1"), PersonId::from("p2"));
        store.add(&someone("p1", "anna"), &note("added")).unwrap();
        store.add(&someone("p2", "berta"), &note("added")).unwrap();
        assert!(store.add_passkey(&key_of("p1", 1), &[[1; 32], [2; 32]], &note("passkey added")).unwrap());
        assert!(!store.add_passkey(&key_of("p2", 1), &[], &note("passkey added")).unwrap(), "known already");
        assert!(store.add_passkey(&key_of("p1", 2), &[], &note("passkey added")).unwrap());
        assert_eq!(store.passkey(&[1; 16]).unwrap().unwrap().person, one);
        store.use_passkey(&[1; 16], "{\"counter\":2}", &note("passkey used")).unwrap();
        let used = store.passkey(&[1; 16]).unwrap().unwrap();
        assert_eq!((used.key.as_str(), used.used), ("{\"counter\":2}", Some(at(0))));
        // Another's passkey is not taken away.
        assert_eq!(store.remove_passkeys(&other, Some(&[1; 16]), &note("removed")).unwrap(), 0);
        // An authenticator program comes and goes; the codes stay for the passkeys.
        store.set_second_factor(&one, Some(b"secret"), &[[3; 32]], &note("second factor")).unwrap();
        store.set_second_factor(&one, None, &[], &note("ended")).unwrap();
        assert_eq!(store.recovery_codes_left(&one), Ok(1));
        assert_eq!(store.remove_passkeys(&one, Some(&[1; 16]), &note("removed")).unwrap(), 1);
        assert_eq!(store.recovery_codes_left(&one), Ok(1));
        assert_eq!(store.remove_passkeys(&one, None, &note("removed")).unwrap(), 1);
        assert_eq!(store.recovery_codes_left(&one), Ok(0));
        assert!(store.passkeys_of(&one).unwrap().is_empty());
    }

    #[test]
    fn a_provider_names_a_person_once() {
        let (_folder, mut store) = store();
        let (one, other) = (PersonId::from("p1"), PersonId::from("p2"));
        store.add(&someone("p1", "anna"), &note("added")).unwrap();
        store.add(&someone("p2", "berta"), &note("added")).unwrap();
        store.verify_identity(&one, &other, &note("verified")).unwrap();
        assert!(store.bind("https://a", "7", &one, &note("bound")).unwrap());
        assert_eq!(store.of(&one).unwrap().unwrap().identity_verified_by, None, "came in by a new way");
        assert!(!store.bind("https://a", "7", &other, &note("bound")).unwrap(), "the name is another's");
        assert!(!store.bind("https://a", "8", &one, &note("bound")).unwrap(), "the person has a name");
        assert!(store.bind("https://b", "7", &other, &note("bound")).unwrap());
        assert_eq!(store.identity("https://a", "7"), Ok(Some(one.clone())));
        assert_eq!(store.identity("https://b", "7"), Ok(Some(other.clone())));
        assert_eq!(store.identity_of("https://a", &other), Ok(None));
        assert_eq!((store.is_bound(&one), store.is_bound(&PersonId::from("p3"))), (Ok(true), Ok(false)));
        assert_eq!(store.unbind(&one, &note("unbound")), Ok(1));
        assert_eq!(store.identity("https://a", "7"), Ok(None));
        store.invite(&other, &[7; 32], at(60), &note("invited")).unwrap();
        assert!(store.take_up(&[7; 32], &other, "hash", &note("taken up")).unwrap());
        assert_eq!(store.identity("https://b", "7"), Ok(None), "a new link ends what was before");
    }

    #[test]
    fn p11_200a3_who_gave_the_address_of_a_log_in_elsewhere_made_a_way_in() {
        let (_folder, mut store) = store();
        let person = PersonId::from("p2");
        let say = |store: &mut AccountStore, by: &str, what: &str| {
            store.note(&Note { by, what, ..note("") }).unwrap();
            let makers = store.makers_of_ways_in(&person).unwrap();
            makers.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(say(&mut store, "a", "account added"), "");
        assert_eq!(say(&mut store, "b", "invited"), "b");
        assert_eq!(say(&mut store, "c", "address changed"), "b");
        assert_eq!(say(&mut store, "p2", BOUND), "b c");
        assert_eq!(say(&mut store, "d", "address changed"), "b c", "the later address bound nobody");
        assert_eq!(say(&mut store, "e", "invited"), "c e", "the former link is worth nothing");
        assert_eq!(say(&mut store, "p2", "invitation taken up"), "e");
        assert_eq!(say(&mut store, "p2", BOUND), "d e");
        assert_eq!(say(&mut store, "f", UNBOUND), "d e", "who came by it may have left a password");
        assert_eq!(say(&mut store, "f", "address changed"), "d e");
        assert_eq!(say(&mut store, "p2", BOUND), "d e f", "nor does another binding end it");
        assert_eq!(say(&mut store, "g", "invited"), "d e f g", "nor a link that nobody took up");
        assert_eq!(say(&mut store, "p2", "invitation taken up"), "g");
    }

    #[test]
    fn p11_200a3_who_takes_up_a_new_link_holds_none_of_the_former_passkeys() {
        let (_folder, mut store) = store();
        let person = PersonId::from("p2");
        store.add(&someone("p2", "anna"), &note("added")).unwrap();
        store.add_passkey(&key_of("p2", 1), &[[1; 32]], &note("passkey added")).unwrap();
        store.invite(&person, &[7; 32], at(60), &note("invited")).unwrap();
        assert!(!store.take_up(&[8; 32], &person, "hash", &note("taken up")).unwrap());
        assert_eq!(store.passkeys_of(&person).unwrap().len(), 1);
        assert!(store.take_up(&[7; 32], &person, "hash", &note("taken up")).unwrap());
        assert!(store.passkeys_of(&person).unwrap().is_empty());
        assert_eq!(store.recovery_codes_left(&person), Ok(0));
    }

    #[test]
    fn a_file_of_an_earlier_layout_is_brought_up_to_date_when_it_is_opened_and_not_when_it_is_looked_at() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let earlier = Connection::open(&path).unwrap();
        earlier.execute_batch(MIGRATIONS[0]).unwrap();
        earlier.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
        earlier.pragma_update(None, "user_version", 1).unwrap();
        earlier.execute("INSERT INTO installation (environment, created) VALUES ('live', 0)", []).unwrap();
        let layout = || earlier.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(AccountStore::environment_of(&path), Ok(Environment::Live));
        assert_eq!(layout(), 1);
        let mut store = AccountStore::open(&path, Environment::Live).unwrap();
        assert_eq!(layout(), LAYOUT);
        store.add(&someone("p1", "anna"), &note("added")).unwrap();
        assert!(store.add_passkey(&key_of("p1", 1), &[], &note("passkey added")).unwrap());
        drop(store);
        let again = AccountStore::open(&path, Environment::Live).unwrap();
        assert_eq!(again.passkeys_of(&PersonId::from("p1")).unwrap().len(), 1);
    }
}
