//! A decision joined to a record: decide, stage, fold; commit one command or many at once.
//!
//! The engine is the write path. What it has staged is folded at once, so that the next decision
//! builds on it, and is acknowledged to nobody before it is committed. It keeps no projection and
//! reads no clock.

use allocation::{OpenVault, OpenedList};
use protocol::model::Study;
use rand_core::CryptoRng;
use record::{Event, Fact, Head, Recording, StoreError, Stream, Submission, Writer};
use terms::SubjectId;

use crate::{Command, Means, Refusal, State, decide};

/// Why a command was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// A rule refuses it. Nothing was changed.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The record could not be written or read. What was staged is lost.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a command led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Its events, in order.
    pub events: Vec<Event>,
    /// The head after them. It is durable only once it is committed.
    pub head: Head,
}

impl Receipt {
    /// Returns the participant that the events are about: the number given to a new one.
    pub fn subject(&self) -> Option<&SubjectId> {
        self.events.iter().find_map(|event| match &event.stream {
            Stream::Subject(subject) => Some(subject),
            _ => None,
        })
    }

    /// Returns the facts.
    pub fn facts(&self) -> impl Iterator<Item = &Fact> {
        self.events.iter().map(|event| &event.fact)
    }
}

/// How many commands were accepted and refused since the engine was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Accepted.
    pub accepted: u64,
    /// Refused.
    pub refused: u64,
}

/// A study being conducted on a record.
pub struct Engine<'a> {
    study: &'a Study,
    state: State,
    writer: Writer,
    vault: Option<&'a OpenVault>,
    opened_list: Option<&'a OpenedList>,
    counts: Counts,
}

impl<'a> Engine<'a> {
    /// Replays the record that a writer holds.
    ///
    /// # Errors
    /// The record can't be read.
    pub fn open(study: &'a Study, writer: Writer) -> Result<Self, StoreError> {
        let state = State::of_record(writer.store())?;
        Ok(Self::at(study, writer, state))
    }

    /// Takes up a record at the state that it folds to.
    pub fn at(study: &'a Study, writer: Writer, state: State) -> Self {
        Self { study, state, writer, vault: None, opened_list: None, counts: Counts::default() }
    }

    /// Gives the engine the vault that a holder unlocked.
    pub fn unlock(&mut self, vault: &'a OpenVault) {
        self.vault = Some(vault);
    }

    /// Gives the engine the list that its holders opened.
    pub fn open_list(&mut self, list: &'a OpenedList) {
        self.opened_list = Some(list);
    }

    /// Returns the study.
    pub fn study(&self) -> &'a Study {
        self.study
    }

    /// Returns the state, staged events included.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Returns how many commands were accepted and refused.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Returns the writer's store for reading; staged events are not in it yet.
    pub fn store(&self) -> &dyn record::Reader {
        self.writer.store()
    }

    /// Decides a command and stages its events, not yet durable.
    ///
    /// `decisions` gives codes and envelopes their randomness, `salts` the commitments.
    ///
    /// # Errors
    /// A rule refuses it, or the record can't be read.
    pub fn stage(
        &mut self,
        command: &Command,
        decisions: &mut dyn CryptoRng,
        salts: &mut dyn CryptoRng,
    ) -> Result<Receipt, EngineError> {
        let mut means = Means { random: decisions, vault: self.vault, opened_list: self.opened_list };
        let drafts = match decide(self.study, &self.state, command, &mut means) {
            Ok(drafts) => drafts,
            Err(refusal) => {
                self.counts.refused += 1;
                return Err(refusal.into());
            }
        };
        let mut streams: Vec<Stream> = drafts.iter().map(|draft| draft.stream.clone()).collect();
        streams.sort();
        streams.dedup();
        let position = |stream: Stream| {
            let expected = self.state.position(&stream);
            (stream, expected)
        };
        let submission = Submission {
            expected: streams.into_iter().map(position).collect(),
            drafts,
            recording: Recording {
                recorded: command.at.clone(),
                origin: command.origin.clone(),
                study_version: self.study.version.clone(),
            },
        };
        let events = self.writer.stage(submission, salts)?;
        for event in &events {
            self.state.apply(event);
        }
        self.counts.accepted += 1;
        Ok(Receipt { events, head: self.writer.head() })
    }

    /// Makes all that was staged durable at once.
    ///
    /// # Errors
    /// The record can't be written; the state is then read again from what is durable.
    pub fn commit(&mut self) -> Result<Head, StoreError> {
        self.writer.commit().or_else(|error| {
            self.state = State::of_record(self.writer.store())?;
            Err(error)
        })
    }

    /// Makes all that was staged durable at once, for who keeps the durable state beside the engine's.
    ///
    /// # Errors
    /// The record can't be written; the state is then the durable one.
    pub fn commit_or(&mut self, durable: impl FnOnce() -> State) -> Result<Head, StoreError> {
        self.writer.commit().inspect_err(|_| self.state = durable())
    }

    /// Packs the casebooks of participants as small as they get, before they are shared.
    pub fn pack<'s>(&mut self, subjects: impl IntoIterator<Item = &'s SubjectId>) {
        for subject in subjects {
            self.state.pack(subject);
            self.state.squeeze(subject);
        }
    }

    /// Decides a command and makes its events durable.
    ///
    /// # Errors
    /// As [`stage`](Self::stage) and [`commit`](Self::commit).
    pub fn execute(
        &mut self,
        command: &Command,
        decisions: &mut dyn CryptoRng,
        salts: &mut dyn CryptoRng,
    ) -> Result<Receipt, EngineError> {
        let receipt = self.stage(command, decisions, salts)?;
        self.commit()?;
        Ok(receipt)
    }

    /// Gives back the writer, for redaction or backup. What was staged and not committed is dropped with the engine.
    pub fn into_writer(mut self) -> Writer {
        self.writer.discard();
        self.writer
    }
}
