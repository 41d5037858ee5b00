//! The one way into the record.
//!
//! A store keeps sealed events and gives them back; the [`Writer`] gives events their
//! places, encodes and chains them, and hands them to the store. Whoever holds the
//! writer of a store is its only writer: it is made of the store itself, a store is
//! open for writing once at a time, and [`Store::commit`] needs a [`Permit`], which only a writer has.
//!
//! Nothing here decides whether something may happen, and nothing reads a clock:
//! times, versions and randomness are arguments.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use rand_core::CryptoRng;
use terms::{PartialDate, PersonId, SiteTime};

use crate::encoding::{Encoded, EncodingError, encode};
use crate::{Actor, Content, Draft, Environment, Event, Fact, Head, Stream};

/// Why a store did not do what was asked. Nothing was changed by the call that failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "fields carry their names; the variants are documented")]
pub enum StoreError {
    /// There is no room left.
    #[error("the disk is full; nothing of this was saved, and what was saved before is safe")]
    DiskFull,
    /// The folder or file holds no store.
    #[error("{} holds no record of a trial; name the folder that holds one", path.display())]
    NotAStore { path: PathBuf },
    /// There is a store where one was to be made.
    #[error("{} already holds a store", path.display())]
    AlreadyThere { path: PathBuf },
    /// A later version of the program wrote it.
    #[error("{} was written by a newer version of the program (layout {found}; this one knows {known})", path.display())]
    Newer { path: PathBuf, found: i64, known: i64 },
    /// Someone else writes to it.
    #[error("{} is in use by another process; only one may write to a store at a time", path.display())]
    Locked { path: PathBuf },
    /// Real and virtual participants are never mixed.
    #[error("{} is a {found} store and was opened as {asked}", path.display())]
    WrongEnvironment { path: PathBuf, found: Environment, asked: Environment },
    /// The stream has moved on since the decision was made.
    #[error("{stream} has {found} events where {expected} were expected; read again and decide again")]
    StalePosition { stream: Stream, expected: u64, found: u64 },
    /// The record has moved on since the events were given their places.
    #[error("the record has {found} events where {expected} were expected; read again and decide again")]
    StaleHead { expected: u64, found: u64 },
    /// An event belongs to a stream of which no position was expected.
    #[error("events for {stream} came without the position that was expected of it")]
    NoExpectedPosition { stream: Stream },
    /// There is no such cell to redact.
    #[error("event {sequence} has no cell {cell}")]
    NoSuchCell { sequence: u64, cell: u32 },
    /// The cell is empty already.
    #[error("cell {cell} of event {sequence} is redacted already")]
    AlreadyRedacted { sequence: u64, cell: u32 },
    /// A redaction needs a reason.
    #[error("a redaction needs a reason")]
    NoReason,
    /// The event has no canonical form.
    #[error(transparent)]
    Encoding(#[from] EncodingError),
    /// What the store holds can't be read as events.
    #[error("event {sequence} can't be read; run verify ({detail})")]
    Unreadable { sequence: u64, detail: String },
    /// The file is damaged or was altered.
    #[error("{} is damaged: {detail}", path.display())]
    Damaged { path: PathBuf, detail: String },
    /// The operating system refused.
    #[error("{}: {detail}", path.display())]
    System { path: PathBuf, detail: String },
}

/// The right to commit events, which only a [`Writer`] holds.
#[derive(Debug)]
pub struct Permit(());

/// An event in its place, with its bytes and the head after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The event.
    pub event: Event,
    /// Its bytes.
    pub encoded: Encoded,
    /// The head after it.
    pub head: Head,
}

/// One content of one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CellAddress {
    /// The event's sequence.
    pub sequence: u64,
    /// The cell's number, from 1.
    pub cell: u32,
}

/// Gives a record back.
pub trait Reader {
    /// Says whether participants are real.
    fn environment(&self) -> Environment;

    /// Returns where the record ends.
    ///
    /// # Errors
    /// The store can't be read.
    fn head(&self) -> Result<Head, StoreError>;

    /// Returns where the record ended when it had this many events; none if it never had.
    ///
    /// # Errors
    /// The store can't be read.
    fn head_at(&self, sequence: u64) -> Result<Option<Head>, StoreError>;

    /// Returns how many events a stream has.
    ///
    /// # Errors
    /// The store can't be read.
    fn position(&self, stream: &Stream) -> Result<u64, StoreError>;

    /// Hands over the events from a sequence on, in order, one at a time, so that a record of any length can be folded.
    ///
    /// # Errors
    /// The store can't be read.
    fn each(&self, from_sequence: u64, take: &mut dyn FnMut(Event)) -> Result<(), StoreError>;

    /// Returns the events from a sequence on, in order.
    ///
    /// # Errors
    /// The store can't be read.
    fn read(&self, from_sequence: u64) -> Result<Vec<Event>, StoreError> {
        let mut events = Vec::new();
        self.each(from_sequence, &mut |event| events.push(event))?;
        Ok(events)
    }

    /// Returns the events from one sequence up to and with another, in order.
    ///
    /// # Errors
    /// The store can't be read.
    fn between(&self, from_sequence: u64, to_sequence: u64) -> Result<Vec<Event>, StoreError>;

    /// Returns the events of one stream, in order.
    ///
    /// # Errors
    /// The store can't be read.
    fn read_stream(&self, stream: &Stream) -> Result<Vec<Event>, StoreError>;

    /// Returns one event.
    ///
    /// # Errors
    /// The store can't be read.
    fn event(&self, sequence: u64) -> Result<Option<Event>, StoreError>;

    /// Returns those of some events that are there, in order.
    ///
    /// # Errors
    /// The store can't be read.
    fn these(&self, sequences: &BTreeSet<u64>) -> Result<Vec<Event>, StoreError> {
        sequences.iter().filter_map(|sequence| self.event(*sequence).transpose()).collect()
    }

    /// Says whether a cell still holds its content; none where there is no such cell.
    ///
    /// # Errors
    /// The store can't be read.
    fn holds_content(&self, address: CellAddress) -> Result<Option<bool>, StoreError>;

    /// Writes a consistent copy as a store in a folder that holds none, durable when it returns.
    ///
    /// # Errors
    /// The folder holds a store, or can't be written.
    fn backup_to(&self, folder: &Path) -> Result<(), StoreError>;
}

/// Keeps a record, and is open for writing.
pub trait Store: Reader + Send {
    /// Appends events that follow `after`, and empties a cell if told to: all of it or nothing.
    /// What it took is durable when it returns.
    ///
    /// # Errors
    /// The record ends elsewhere than at `after`, or can't be written.
    fn commit(
        &mut self,
        permit: &Permit,
        after: Head,
        events: &[Sealed],
        emptied: Option<CellAddress>,
    ) -> Result<(), StoreError>;
}

/// What is the same for all events of one command, and no concern of what it decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recording {
    /// The time of recording.
    pub recorded: SiteTime,
    /// From where.
    pub origin: String,
    /// The content hash of the study files in force.
    pub study_version: String,
}

/// What one command decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    /// The events-to-be, in order.
    pub drafts: Vec<Draft>,
    /// How many events each stream had when it was decided, staged ones included.
    /// Every stream of a draft is here; streams that were only read may be.
    pub expected: Vec<(Stream, u64)>,
    /// When and from where it is recorded.
    pub recording: Recording,
}

/// Who has which content removed, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redaction {
    /// The content.
    pub address: CellAddress,
    /// Who does it.
    pub by: Actor,
    /// Who approved it.
    pub approver: PersonId,
    /// The logged justification.
    pub reason: String,
    /// When and from where it is recorded.
    pub recording: Recording,
}

/// The only writer of a store.
///
/// [`stage`](Self::stage) gives events their places, so that the next decision can build on
/// them; [`commit`](Self::commit) makes all that was staged durable at once. Nothing staged may be
/// acknowledged to anyone before it is committed.
pub struct Writer {
    store: Box<dyn Store>,
    permit: Permit,
    committed: Head,
    staged: Vec<Sealed>,
    positions: BTreeMap<Stream, u64>,
}

impl Writer {
    /// Takes a store that is open for writing.
    ///
    /// # Errors
    /// The store can't be read.
    pub fn new(store: Box<dyn Store>) -> Result<Self, StoreError> {
        let committed = store.head()?;
        Ok(Self { store, permit: Permit(()), committed, staged: Vec::new(), positions: BTreeMap::new() })
    }

    /// Returns the store for reading; staged events are not in it yet.
    pub fn store(&self) -> &dyn Reader {
        &*self.store
    }

    /// Returns the head, staged events included.
    pub fn head(&self) -> Head {
        self.staged.last().map_or(self.committed, |last| last.head)
    }

    /// Returns how many events a stream has, staged ones included.
    ///
    /// # Errors
    /// The store can't be read.
    pub fn position(&mut self, stream: &Stream) -> Result<u64, StoreError> {
        if let Some(position) = self.positions.get(stream) {
            return Ok(*position);
        }
        let position = self.store.position(stream)?;
        self.positions.insert(stream.clone(), position);
        Ok(position)
    }

    /// Gives what a command decided its place in the record, not yet durable.
    ///
    /// `salts` is the system's randomness in a live trial and a seeded stream in a rehearsal.
    ///
    /// # Errors
    /// A stream has moved on or was not expected; an event has no canonical form. Nothing is staged then.
    pub fn stage(
        &mut self,
        submission: Submission,
        salts: &mut dyn CryptoRng,
    ) -> Result<Vec<Event>, StoreError> {
        for (stream, expected) in &submission.expected {
            let found = self.position(stream)?;
            if found != *expected {
                return Err(StoreError::StalePosition { stream: stream.clone(), expected: *expected, found });
            }
        }
        for draft in &submission.drafts {
            if !submission.expected.iter().any(|(stream, _)| *stream == draft.stream) {
                return Err(StoreError::NoExpectedPosition { stream: draft.stream.clone() });
            }
        }
        let sealed = self.seal(submission.drafts, &submission.recording, salts)?;
        let events: Vec<_> = sealed.iter().map(|sealed| sealed.event.clone()).collect();
        for event in &events {
            self.positions.insert(event.stream.clone(), event.position);
        }
        self.staged.extend(sealed);
        Ok(events)
    }

    /// Makes all staged events durable, and returns the head.
    ///
    /// # Errors
    /// The store can't be written. All staged events are dropped then; whoever folded them reads again.
    pub fn commit(&mut self) -> Result<Head, StoreError> {
        let staged = std::mem::take(&mut self.staged);
        self.commit_sealed(&staged, None)
    }

    /// Stages what commands decided and makes all of it durable at once.
    ///
    /// # Errors
    /// As [`stage`](Self::stage) and [`commit`](Self::commit); nothing is kept then, nor what was staged before.
    pub fn append(
        &mut self,
        submissions: Vec<Submission>,
        salts: &mut dyn CryptoRng,
    ) -> Result<Vec<Event>, StoreError> {
        let mut events = Vec::new();
        for submission in submissions {
            match self.stage(submission, salts) {
                Ok(staged) => events.extend(staged),
                Err(error) => {
                    self.discard();
                    return Err(error);
                }
            }
        }
        self.commit()?;
        Ok(events)
    }

    /// Empties one content, and records who approved it and why, at once.
    ///
    /// The same words may stand in other cells (as a correction's old value, say): each is redacted
    /// by itself. Staged events are committed first. Copies made by `backup_to` keep the content.
    ///
    /// # Errors
    /// There is no reason, no such cell or no content in it; or the store can't be written.
    pub fn redact(&mut self, redaction: Redaction, salts: &mut dyn CryptoRng) -> Result<Event, StoreError> {
        if redaction.reason.trim().is_empty() {
            return Err(StoreError::NoReason);
        }
        self.commit()?;
        let CellAddress { sequence, cell } = redaction.address;
        match self.store.holds_content(redaction.address)? {
            None => return Err(StoreError::NoSuchCell { sequence, cell }),
            Some(false) => return Err(StoreError::AlreadyRedacted { sequence, cell }),
            Some(true) => {}
        }
        let redacted = self.store.event(sequence)?.ok_or(StoreError::NoSuchCell { sequence, cell })?;
        let draft = Draft {
            stream: redacted.stream,
            by: redaction.by,
            site: redacted.site,
            happened: PartialDate::from(redaction.recording.recorded.local_date),
            reason: Some(Content::new(redaction.reason)),
            fact: Fact::ContentRedacted { sequence, cell, approver: redaction.approver },
        };
        let sealed = self.seal(vec![draft], &redaction.recording, salts)?;
        self.commit_sealed(&sealed, Some(redaction.address))?;
        let event = sealed.into_iter().next().expect("one draft gives one event").event;
        self.positions.insert(event.stream.clone(), event.position);
        Ok(event)
    }

    /// Drops what was staged and not committed.
    pub fn discard(&mut self) {
        self.staged.clear();
        self.positions.clear();
    }

    fn seal(
        &mut self,
        drafts: Vec<Draft>,
        recording: &Recording,
        salts: &mut dyn CryptoRng,
    ) -> Result<Vec<Sealed>, StoreError> {
        let mut head = self.head();
        let mut taken: BTreeMap<Stream, u64> = BTreeMap::new();
        let mut sealed = Vec::with_capacity(drafts.len());
        for draft in drafts {
            let before = match taken.get(&draft.stream) {
                Some(position) => *position,
                None => self.position(&draft.stream)?,
            };
            taken.insert(draft.stream.clone(), before + 1);
            let event = place(draft, head.sequence + 1, before + 1, recording);
            let encoded = encode(&event, salts)?;
            head = head.after(&encoded);
            sealed.push(Sealed { event, encoded, head });
        }
        Ok(sealed)
    }

    fn commit_sealed(&mut self, sealed: &[Sealed], emptied: Option<CellAddress>) -> Result<Head, StoreError> {
        let Some(last) = sealed.last() else { return Ok(self.committed) };
        match self.store.commit(&self.permit, self.committed, sealed, emptied) {
            Ok(()) => {
                self.committed = last.head;
                Ok(last.head)
            }
            Err(error) => {
                self.discard();
                Err(error)
            }
        }
    }
}

fn place(draft: Draft, sequence: u64, position: u64, recording: &Recording) -> Event {
    let Draft { stream, by, site, happened, reason, fact } = draft;
    let Recording { recorded, origin, study_version } = recording.clone();
    Event { sequence, stream, position, by, site, happened, recorded, origin, study_version, reason, fact }
}
