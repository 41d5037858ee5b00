//! An installation: one folder with the accounts and the studies that run.
//!
//! ```text
//! DIR/accounts.sqlite           people; says whether participants are real
//! DIR/reads.sqlite              who has looked at which participant
//! DIR/outbox.sqlite             mails to be sent
//! DIR/studies/ID/study/*.toml   the study's files
//! DIR/studies/ID/record/        the record
//! DIR/studies/ID/allocation.sealed.json
//! DIR/studies/ID/locks/         signed manifests of locks
//! DIR/studies/ID/wordings/      licensed wordings of questionnaires, by their digests
//! DIR/signing.key               what signs them
//! DIR/backup.key                the key of the backups, which no backup holds
//! ```
//! The environment (live or training) is part of every file and can't be mixed.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use conduct::{Casebook, State};
use protocol::{Study, content_pack::ContentPack};
use record::{Environment, StoreError};
use store::accounts::{Account, AccountError, AccountStore, Note};
use store::reads::{ReadLog, Reading};
use terms::{Date, PersonId, RoleId, SiteId, SiteTime, StudyId, Timestamp};

use crate::{
    backups::Timetable,
    credentials::{digest, draw_readable, hash_password},
    post::Post,
    running::RunningStudy,
    seat::{Seat, Sites},
    sessions::Sessions,
    terminals::{self, Terminals},
    throttle::{Rates, Throttle},
    training,
};

/// The file of accounts.
const ACCOUNTS: &str = "accounts.sqlite";
/// The lists of studies with fewer participants are made in a moment when they are first asked for.
const SOON_MADE: usize = 500;
/// The file of the log of readings.
const READS: &str = "reads.sqlite";

/// Why an installation can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The accounts say no.
    #[error(transparent)]
    Accounts(#[from] AccountError),
    /// A record says no.
    #[error("study {study}: {error}")]
    Record {
        /// The study.
        study: String,
        /// Why.
        error: StoreError,
    },
    /// A study's files do not compile.
    #[error("study {study} does not compile:\n{faults}")]
    Study {
        /// The study's folder.
        study: String,
        /// The faults.
        faults: String,
    },
    /// The operating system says no.
    #[error("{}: {error}", path.display())]
    System {
        /// What it is about.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// An installation that runs.
pub struct Installation {
    /// Whether participants are real.
    pub environment: Environment,
    /// Who is logged in.
    pub sessions: Sessions,
    /// Wrong secrets.
    pub throttle: Throttle,
    /// How often who may ask.
    pub rates: Rates,
    /// Studies by id.
    pub studies: BTreeMap<StudyId, RunningStudy>,
    /// Whether the browser reaches this server by TLS, so that cookies may travel by TLS alone.
    pub secure: bool,
    /// The names of ready accounts that the log-in page of a demonstration shows.
    pub ready_accounts: Vec<(String, String)>,
    /// The user guide of this program: each page's name and text, in Markdown.
    pub manual: &'static [(&'static str, &'static str)],
    /// The digest that names it.
    pub manual_digest: &'static str,
    /// When the server backs up by itself, if it does.
    pub timetable: Option<Timetable>,
    /// Who mails, if anybody does.
    pub post: Option<Post>,
    /// Passkeys, where the server knows the address of its pages.
    #[cfg(feature = "passkeys")]
    pub passkeys: Option<crate::passkeys::Passkeys>,
    /// The institution whose log-in people use, if there is one.
    #[cfg(feature = "single-sign-on")]
    pub single_sign_on: Option<crate::single_sign_on::SingleSignOn>,
    folder: PathBuf,
    accounts: Mutex<AccountStore>,
    terminals: Mutex<Terminals>,
    reads: Mutex<ReadLog>,
    /// Readings since the last flush, apart from the log so that nobody waits for the disk to note one.
    readings: Mutex<Vec<Reading>>,
    set_up: Mutex<Option<[u8; 32]>>,
    /// Wordings that were read, by their digests.
    worded: Mutex<BTreeMap<String, Arc<ContentPack>>>,
    clock: Box<dyn Fn() -> Timestamp + Send + Sync>,
}

impl Installation {
    /// Opens an installation, or begins one in an empty folder. Returns it with the one-time token of the
    /// first administrator's set-up, while there is no administrator.
    ///
    /// # Errors
    /// A file can't be read or written, is of the other environment, or a study does not compile.
    pub fn open(
        folder: &Path,
        environment: Environment,
        clock: Box<dyn Fn() -> Timestamp + Send + Sync>,
    ) -> Result<(Self, Option<String>), OpenError> {
        let system = |path: &Path| {
            let path = path.to_owned();
            move |error| OpenError::System { path, error }
        };
        fs::create_dir_all(folder).map_err(system(folder))?;
        let path = folder.join(ACCOUNTS);
        let accounts = if path.exists() {
            AccountStore::open(&path, environment)?
        } else {
            AccountStore::create(&path, environment, clock())?
        };
        let reads = ReadLog::open(&folder.join(READS), environment)
            .map_err(|error| OpenError::Record { study: READS.to_owned(), error })?;
        let mut studies = BTreeMap::new();
        let root = folder.join("studies");
        fs::create_dir_all(&root).map_err(system(&root))?;
        let mut folders: Vec<PathBuf> = fs::read_dir(&root)
            .map_err(system(&root))?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.join("study").is_dir())
            .collect();
        folders.sort();
        for folder in folders {
            let study = compile(&folder.join("study"))?;
            let id = study.id.clone();
            let running = RunningStudy::start(study, &folder.join("record"), environment)
                .map_err(|error| OpenError::Record { study: id.to_string(), error })?;
            if environment == Environment::Rehearsal
                && let Some(vault) = training::custody(&folder).and_then(|custody| custody.unlock().ok())
            {
                // Only the keys of virtual participants' lists lie beside their vault.
                let _ = running.unlock(vault);
            }
            studies.insert(id, running);
        }
        let nobody = !accounts.all()?.iter().any(|account| account.administrator && account.active);
        let token = nobody.then(|| draw_readable(4));
        let mut known = Terminals::default();
        accounts.lines(terminals::LINES)?.iter().for_each(|line| known.take(line));
        let installation = Self {
            environment,
            sessions: Sessions::default(),
            throttle: Throttle::default(),
            rates: Rates::default(),
            studies,
            secure: false,
            ready_accounts: Vec::new(),
            manual: &[],
            manual_digest: "",
            timetable: None,
            post: None,
            #[cfg(feature = "passkeys")]
            passkeys: None,
            #[cfg(feature = "single-sign-on")]
            single_sign_on: None,
            folder: folder.to_owned(),
            accounts: Mutex::new(accounts),
            terminals: Mutex::new(known),
            reads: Mutex::new(reads),
            readings: Mutex::default(),
            worded: Mutex::default(),
            set_up: Mutex::new(token.as_deref().map(digest)),
            clock,
        };
        Ok((installation, token))
    }

    /// Returns the installation's folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns the file of a study's sealed allocation list.
    pub fn sealed_list(&self, study: &StudyId) -> PathBuf {
        self.folder.join("studies").join(study.as_str()).join(training::SEALED_LIST)
    }

    /// Returns the folder of a study's signed manifests of locks.
    pub fn manifests(&self, study: &StudyId) -> PathBuf {
        self.folder.join("studies").join(study.as_str()).join("locks")
    }

    /// Returns the folder of the licensed wordings that were loaded into a study, by their digests.
    pub fn wordings(&self, study: &StudyId) -> PathBuf {
        self.folder.join("studies").join(study.as_str()).join("wordings")
    }

    /// Returns a licensed wording that was loaded into a study, if it lies there as the record names it.
    pub fn wording(&self, study: &StudyId, digest: &str) -> Option<Arc<ContentPack>> {
        let mut worded = self.worded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = worded.get(digest) {
            return Some(Arc::clone(known));
        }
        let text = fs::read_to_string(self.wordings(study).join(format!("{digest}.toml"))).ok()?;
        let pack = protocol::content_pack::read(&text).ok().filter(|pack| pack.digest == digest)?;
        let pack = Arc::new(pack);
        worded.insert(digest.to_owned(), Arc::clone(&pack));
        Some(pack)
    }

    /// Returns the file of the key that signs manifests.
    pub fn signing_key(&self) -> PathBuf {
        self.folder.join("signing.key")
    }

    /// Returns the time.
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Returns the accounts. Hold them for a step, never while another lock is awaited.
    pub fn accounts(&self) -> MutexGuard<'_, AccountStore> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the registered terminals. Accounts may be asked for while they are held, not the reverse.
    pub fn terminals(&self) -> MutexGuard<'_, Terminals> {
        self.terminals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the log of readings.
    pub fn reads(&self) -> MutexGuard<'_, ReadLog> {
        self.reads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that somebody looked at a participant; durable within a second ([`flush_reads`](Self::flush_reads)).
    pub fn note_reading(&self, reading: Reading) {
        self.readings.lock().unwrap_or_else(PoisonError::into_inner).push(reading);
    }

    /// Makes what was noted of readings durable.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn flush_reads(&self) -> Result<(), StoreError> {
        let mut reads = self.reads();
        let readings = std::mem::take(&mut *self.readings.lock().unwrap_or_else(PoisonError::into_inner));
        readings.into_iter().for_each(|reading| reads.note(reading));
        reads.flush()
    }

    /// Makes what lists need of the participants of large studies, before somebody asks for a list and waits for it. Ends early
    /// when told to.
    pub fn make_lists(&self, go_on: impl Fn() -> bool) {
        for running in self.studies.values() {
            let state = running.state();
            if state.casebooks.len() < SOON_MADE {
                continue;
            }
            let study = running.study();
            let held: BTreeSet<&RoleId> =
                state.delegations.grants().iter().map(|grant| &grant.role).collect();
            let seats: Vec<Seat<'_>> = study
                .roles
                .iter()
                .filter(|role| held.contains(&role.id))
                .map(|role| Seat::new(study, PersonId::from(""), role, Sites::All))
                .collect();
            let today = |site: &SiteId| {
                let zone = study.site(site.as_str()).map_or("UTC", |site| site.zone.as_str());
                SiteTime::at(self.now(), zone).map_or(Date::MIN, |time| time.local_date)
            };
            let readiness = |state: &State, casebook: &Casebook| {
                running.readiness().note(study, state, casebook);
            };
            running.lists().make_all(&seats, || running.state(), today, &go_on, readiness);
        }
    }

    /// Says whether the first administrator is still awaited.
    pub fn awaits_set_up(&self) -> bool {
        self.set_up.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Makes the first administrator, once, for who brings the token. Returns whether it was the right one.
    ///
    /// # Errors
    /// The name is taken, or the file can't be written.
    pub fn set_up(&self, token: &str, account: &Account, note: &Note<'_>) -> Result<bool, AccountError> {
        let mut awaited = self.set_up.lock().unwrap_or_else(PoisonError::into_inner);
        if *awaited != Some(digest(token)) {
            return Ok(false);
        }
        self.accounts().add(account, note)?;
        *awaited = None;
        Ok(true)
    }

    /// Gives every person whom the studies' records know a ready account with one password: training copies only.
    ///
    /// # Errors
    /// The file can't be written.
    ///
    /// # Panics
    /// The participants are real.
    pub fn make_ready_accounts(&mut self, password: &str) -> Result<(), AccountError> {
        assert_eq!(self.environment, Environment::Rehearsal, "ready accounts belong to training copies");
        let now = self.now();
        let hash = hash_password(password);
        let mut ready: BTreeMap<String, (String, String)> = BTreeMap::new();
        for running in self.studies.values() {
            let study = running.study();
            for grant in running.state().delegations.grants() {
                let Some(role) = study.role(grant.role.as_str()) else { continue };
                if role.id == *"participant" {
                    continue;
                }
                let place = grant.site.as_ref().map_or_else(String::new, |site| format!(" at site {site}"));
                ready.entry(grant.person.to_string()).or_insert_with(|| (role.label.en().to_owned(), place));
            }
        }
        let accounts: Vec<Account> = ready
            .iter()
            .map(|(person, (role, place))| Account {
                person: PersonId::from(person.as_str()),
                login: person.clone(),
                printed_name: format!("{role}{place} (training)"),
                email: String::new(),
                administrator: person == "administrator",
                active: true,
                password: Some(hash.clone()),
                temporary: false,
                second_factor: None,
                last_step: 0,
                language: "en".to_owned(),
                identity_verified_by: Some(PersonId::from("equipoise")),
                signature_accepted: Some(now),
            })
            .collect();
        let detail = format!("{} accounts", accounts.len());
        let note = Note {
            at: now,
            by: "equipoise",
            about: "training copy",
            what: "ready accounts",
            detail: &detail,
            origin: "terminal",
        };
        self.accounts().make_ready(&accounts, &note)?;
        *self.set_up.lock().unwrap_or_else(PoisonError::into_inner) = None;
        // One of each role is enough for the log-in page: the first site's.
        let mut shown: BTreeMap<&String, &String> = BTreeMap::new();
        for (person, (role, _)) in &ready {
            shown.entry(role).or_insert(person);
        }
        self.ready_accounts =
            shown.into_iter().map(|(role, person)| (role.clone(), person.clone())).collect();
        Ok(())
    }
}

/// Reads and compiles a study's folder.
///
/// # Errors
/// It can't be read or does not compile.
pub fn compile(folder: &Path) -> Result<Study, OpenError> {
    let mut files = BTreeMap::new();
    read_files(folder, folder, &mut files)
        .map_err(|error| OpenError::System { path: folder.to_owned(), error })?;
    protocol::compile(&files).map(|compiled| compiled.study).map_err(|faults| {
        let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
        OpenError::Study { study: folder.display().to_string(), faults: faults.join("\n") }
    })
}

fn read_files(root: &Path, folder: &Path, files: &mut BTreeMap<String, String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            read_files(root, &path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            files.insert(name, fs::read_to_string(&path)?);
        }
    }
    Ok(())
}
