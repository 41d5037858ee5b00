//! One rehearsal of a study: engine, vault, and what nature knows.

use std::{collections::BTreeMap, path::Path};

use allocation::{OpenVault, OpenedList};
use anyhow::Result;
use conduct::{Command, Engine, EngineError, State};
use protocol::Study;
use rand_chacha::ChaCha20Rng;
use record::{Environment, Head, Writer};
use simulation::{Trial, streams::Streams};
use store::SqliteStore;
use terms::{ArmId, SubjectId};

use super::progress::StudyProgress;

/// Commands that are given before what they decided is made durable at once.
const COMMANDS_A_COMMIT: u32 = 32;

/// Told of each head once what led to it is durable.
pub type Acknowledge<'a> = &'a (dyn Fn(Head) + Sync);

/// A trial in hand.
pub struct RehearsedTrial<'a> {
    engine: Engine<'a>,
    /// What each participant takes: nature knows, the record does not.
    nature: Option<&'a OpenedList>,
    sole_arm: Option<ArmId>,
    salts: ChaCha20Rng,
    secrets: ChaCha20Rng,
    staged: u32,
    progress: &'a StudyProgress,
    acknowledge: Acknowledge<'a>,
    /// Commands that were refused, by what the refusal said.
    pub refused: BTreeMap<String, u64>,
    /// The last of them.
    pub last_refusal: String,
}

impl<'a> RehearsedTrial<'a> {
    /// Begins a record below `folder`, with the vault unlocked in a randomised study.
    ///
    /// # Errors
    /// The folder holds a record, or can't be written.
    pub fn begin(
        study: &'a Study,
        streams: &Streams,
        folder: &Path,
        vault: Option<&'a OpenVault>,
        nature: Option<&'a OpenedList>,
        progress: &'a StudyProgress,
        acknowledge: Acknowledge<'a>,
    ) -> Result<Self> {
        let store = SqliteStore::create(&folder.join("record"), Environment::Rehearsal)?;
        let mut engine = Engine::open(study, Writer::new(Box::new(store))?)?;
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
            progress,
            acknowledge,
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
    pub fn commit(&mut self) -> Result<Head> {
        let head = self.engine.commit()?;
        self.staged = 0;
        (self.acknowledge)(head);
        Ok(head)
    }

    /// Returns the engine, for reading.
    pub fn engine(&self) -> &Engine<'a> {
        &self.engine
    }

    /// Says what is being done.
    pub fn step(&self, what: &str) {
        self.progress.step(what);
    }
}

impl Trial for RehearsedTrial<'_> {
    type Error = anyhow::Error;

    fn state(&self) -> &State {
        self.engine.state()
    }

    fn give(&mut self, command: Command) -> Result<bool> {
        match self.engine.stage(&command, &mut self.secrets, &mut self.salts) {
            Ok(_) => {}
            Err(EngineError::Refused(refusal)) => {
                self.last_refusal = refusal.to_string();
                *self.refused.entry(self.last_refusal.clone()).or_default() += 1;
                return Ok(false);
            }
            Err(error) => return Err(error.into()),
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
        self.progress.participants(through, all);
    }
}
