//! A rehearsal on a record: engine, vault, and what nature knows.

use std::collections::BTreeMap;

use allocation::{OpenVault, OpenedList};
use conduct::{Command, Engine, EngineError, State};
use protocol::Study;
use rand_chacha::ChaCha20Rng;
use record::{Head, Store, StoreError, Writer};
use terms::{ArmId, SubjectId};

use crate::{Stuck, Trial, streams::Streams};

/// Why a rehearsal can't go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RehearsalError {
    /// The record can't be written or read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A hard check of the study can't be satisfied.
    #[error(transparent)]
    Stuck(#[from] Stuck),
}

/// Commands that are given before what they decided is made durable at once.
const COMMANDS_A_COMMIT: u32 = 32;

/// Who follows a rehearsal from outside. By default nobody does.
pub trait Audience {
    /// What led to this head is durable.
    fn durable(&self, _head: Head) {}
    /// So many participants are through, of all.
    fn participants(&self, _through: u64, _all: u64) {}
    /// This is being done.
    fn step(&self, _what: &str) {}
}

/// Nobody follows.
pub struct Nobody;

impl Audience for Nobody {}

/// A trial in hand.
pub struct ConductedTrial<'a> {
    engine: Engine<'a>,
    /// What each participant takes: nature knows, the record does not.
    nature: Option<&'a OpenedList>,
    sole_arm: Option<ArmId>,
    salts: ChaCha20Rng,
    secrets: ChaCha20Rng,
    staged: u32,
    audience: &'a dyn Audience,
    /// Commands that were refused, by what the refusal said.
    pub refused: BTreeMap<String, u64>,
    /// The last of them.
    pub last_refusal: String,
}

impl<'a> ConductedTrial<'a> {
    /// Begins a record in an empty store, with the vault unlocked in a randomised study.
    ///
    /// # Errors
    /// The store can't be read.
    pub fn begin(
        study: &'a Study,
        streams: &Streams,
        store: Box<dyn Store>,
        vault: Option<&'a OpenVault>,
        nature: Option<&'a OpenedList>,
        audience: &'a dyn Audience,
    ) -> Result<Self, StoreError> {
        let mut engine = Engine::open(study, Writer::new(store)?)?;
        if let Some(vault) = vault {
            engine.unlock(vault);
        }
        let sole_arm = study.arms.first().filter(|_| study.allocation.is_none()).map(|arm| arm.id.clone());
        Ok(Self {
            engine,
            nature,
            sole_arm,
            salts: streams.for_secrets("salts"),
            secrets: streams.for_secrets("conduct"),
            staged: 0,
            audience,
            refused: BTreeMap::new(),
            last_refusal: String::new(),
        })
    }

    /// Gives the engine the list that its holders opened together, after lock.
    pub fn open_list(&mut self, list: &'a OpenedList) {
        self.engine.open_list(list);
    }

    /// Makes what was staged durable, and tells.
    ///
    /// # Errors
    /// The store can't be written.
    pub fn commit(&mut self) -> Result<Head, StoreError> {
        let head = self.engine.commit()?;
        self.staged = 0;
        self.audience.durable(head);
        Ok(head)
    }

    /// Returns the engine, for reading.
    pub fn engine(&self) -> &Engine<'a> {
        &self.engine
    }

    /// Says what is being done.
    pub fn step(&self, what: &str) {
        self.audience.step(what);
    }
}

impl Trial for ConductedTrial<'_> {
    type Error = RehearsalError;

    fn state(&self) -> &State {
        self.engine.state()
    }

    fn give(&mut self, command: Command) -> Result<bool, RehearsalError> {
        match self.engine.stage(&command, &mut self.secrets, &mut self.salts) {
            Ok(_) => {}
            Err(EngineError::Refused(refusal)) => {
                self.last_refusal = refusal.to_string();
                *self.refused.entry(self.last_refusal.clone()).or_default() += 1;
                return Ok(false);
            }
            Err(EngineError::Store(error)) => return Err(error.into()),
        }
        self.staged += 1;
        if self.staged >= COMMANDS_A_COMMIT {
            self.commit()?;
        }
        Ok(true)
    }

    fn drug_of(&self, subject: &SubjectId) -> Option<ArmId> {
        let Some(list) = self.nature else { return self.sole_arm.clone() };
        let allocated = self.engine.state().casebook(subject.as_str())?.allocated.as_ref()?;
        list.arm(&allocated.stratum, allocated.list_position).map(|arm| arm.reveal().clone())
    }

    fn progress(&mut self, through: u64, all: u64) {
        self.audience.participants(through, all);
    }
}
