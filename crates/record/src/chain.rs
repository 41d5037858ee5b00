//! The chain of proof over the events of one trial.
//!
//! Every event's hash covers the hash before it, its body and its commitments;
//! the first one's predecessor names the environment. [`verify`] recomputes all of it
//! from what a store holds, trusting nothing, and names the first thing that was altered.
//!
//! A chain proves that nothing *inside* it changed. Someone who may rewrite the
//! whole store can cut the tail off, or replace it and hash it anew; only a head
//! that was noted elsewhere shows that. [`verify`] takes one as `expect_head`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

use crate::encoding::{Cell, Encoded, Opening, commitment, event_hash};
use crate::hash::Layout;
use crate::{AttachedFile, Environment, Event, Fact, Hash, Stream};

/// Where a record ends: how many events it has and the hash of the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Head {
    /// The last event's sequence; 0 for an empty record.
    pub sequence: u64,
    /// Its hash; the environment's own hash for an empty record.
    pub hash: Hash,
}

impl Head {
    /// Returns the head of an empty record.
    pub fn of_empty(environment: Environment) -> Self {
        let name = environment.to_string();
        let hash = Layout::tagged("equipoise/record/genesis/1").bytes(name.as_bytes()).finish();
        Self { sequence: 0, hash }
    }

    /// Returns the head after one more event.
    #[must_use]
    pub fn after(&self, encoded: &Encoded) -> Self {
        Self { sequence: self.sequence + 1, hash: encoded.hash(&self.hash) }
    }
}

/// An event as a store holds it, before anything about it is believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The stream's name, kept beside the body for look-up.
    pub stream: String,
    /// The place in the stream, kept beside the body for concurrency.
    pub position: i64,
    /// The body.
    pub body: Vec<u8>,
    /// The hash.
    pub hash: Vec<u8>,
    /// The cells, by number.
    pub cells: Vec<StoredCell>,
}

/// A cell as a store holds it, before anything about it is believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCell {
    /// The number, from 1.
    pub number: i64,
    /// The commitment.
    pub commitment: Vec<u8>,
    /// The salt; none once redacted.
    pub salt: Option<Vec<u8>>,
    /// The content; none once redacted.
    pub content: Option<Vec<u8>>,
}

/// What [`verify`] reads: the stored events by their sequence.
pub trait Links {
    /// Why an event can't be read at all.
    type Error;

    /// Returns the sequences that are there, ascending.
    ///
    /// # Errors
    /// The store can't be read.
    fn sequences(&self) -> Result<Vec<i64>, Self::Error>;

    /// Returns the event with this sequence.
    ///
    /// # Errors
    /// The store can't be read.
    fn link(&self, sequence: i64) -> Result<Option<Stored>, Self::Error>;
}

/// What [`verify`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification {
    /// The events that are in order, up to the first fault.
    pub events: u64,
    /// The head after those events.
    pub head: Head,
    /// The files that those events attached, by the event; of redacted ones nothing is known any more.
    pub files: Vec<(u64, AttachedFile)>,
    /// The first thing that is not in order.
    pub first_fault: Option<Fault>,
}

/// The first altered thing of a record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "fields carry their names; the variants are documented")]
pub enum Fault {
    /// An event is not there.
    #[error("event {sequence} is missing")]
    Missing { sequence: i64 },
    /// There is an event before the first.
    #[error("event {sequence} was put in; a record begins with event 1")]
    Stray { sequence: i64 },
    /// An event stands twice.
    #[error("event {sequence} is a copy of event {of}")]
    Duplicate { sequence: i64, of: i64 },
    /// Another event stands in the place of this one.
    #[error("where event {sequence} belongs stands one that says it is event {found}")]
    Misplaced { sequence: i64, found: i64 },
    /// The body does not give the hash that the next event builds on.
    #[error("the body of event {sequence} was altered")]
    Body { sequence: i64 },
    /// A redacted cell's commitment can't be computed again, so it can't be told from the body.
    #[error("the body of event {sequence}, or the commitment of a redacted cell of it, was altered")]
    BodyOrRedacted { sequence: i64 },
    /// The body is right and the stored hash is not.
    #[error("the hash of event {sequence} was altered")]
    EventHash { sequence: i64 },
    /// Nothing follows that would tell body and hash apart.
    #[error("the body or the hash of event {sequence}, the last, was altered")]
    BodyOrHash { sequence: i64 },
    /// The content is right and its commitment is not.
    #[error("the commitment of cell {cell} of event {sequence} was altered")]
    Commitment { sequence: i64, cell: i64 },
    /// The commitment is right, and content and salt do not give it.
    #[error("the content or the salt of cell {cell} of event {sequence} was altered")]
    Content { sequence: i64, cell: i64 },
    /// A cell is not there.
    #[error("cell {cell} of event {sequence} is missing")]
    CellMissing { sequence: i64, cell: i64 },
    /// A cell is there that the event does not have.
    #[error("cell {cell} of event {sequence} was put in")]
    CellStray { sequence: i64, cell: i64 },
    /// What a store keeps beside the body says something else than the body.
    #[error("the {column} kept beside event {sequence} was altered")]
    Column { sequence: i64, column: &'static str },
    /// An event does not follow its stream's last.
    #[error("event {sequence} is number {found} of {stream}, which has {before} before it")]
    Position { sequence: i64, stream: Stream, before: u64, found: u64 },
    /// The bytes are as they were hashed, and are not an event.
    #[error("event {sequence} can't be read: {detail}")]
    Unreadable { sequence: i64, detail: String },
    /// A cell is empty and no redaction says so.
    #[error("cell {cell} of event {sequence} was emptied without a redaction on record")]
    Emptied { sequence: i64, cell: i64 },
    /// A redaction is on record and the cell is not empty, or not there.
    #[error("event {by} says that cell {cell} of event {sequence} was emptied, and it was not")]
    NotEmptied { sequence: i64, cell: i64, by: i64 },
    /// The record was begun in the other environment.
    #[error("the environment was altered: the record was begun as {begun}")]
    Environment { begun: Environment },
    /// The record is whole and ends elsewhere than expected.
    #[error("{}", head_message(.found, .expected, *.expected_at))]
    Head { found: Head, expected: Hash, expected_at: Option<u64> },
}

fn head_message(found: &Head, expected: &Hash, expected_at: Option<u64>) -> String {
    let Head { sequence, hash } = found;
    match expected_at {
        Some(at) => format!("{} events follow event {at}, which has the expected head", sequence - at),
        None => format!(
            "the record ends after {sequence} events with head {hash}, not with the expected head {expected}: \
             events are missing from its end or were rewritten"
        ),
    }
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.hash)
    }
}

/// Recomputes a record from what a store holds and names the first altered thing.
///
/// Without `expect_head` a cut tail, or one rewritten and hashed anew, passes: the
/// chain can't show it.
///
/// # Errors
/// The store can't be read.
pub fn verify<L: Links>(
    links: &L,
    environment: Environment,
    expect_head: Option<Hash>,
) -> Result<Verification, L::Error> {
    let mut walk = Walk::begin(environment, expect_head);
    walk.along(links, &links.sequences()?)?;
    Ok(walk.end())
}

/// A recomputation on its way.
///
/// Parts of a record can be walked at the same time: a walk may begin [in the middle](Self::from_middle), believing what the
/// store says of the events before, and be joined to the walk that ends there and has proved it.
pub struct Walk {
    environment: Environment,
    expect_head: Option<Hash>,
    expected_at: Option<u64>,
    head: Head,
    positions: BTreeMap<Stream, u64>,
    emptied: BTreeSet<(i64, i64)>,
    redactions: BTreeMap<(i64, i64), i64>,
    files: Vec<(u64, AttachedFile)>,
    first_fault: Option<Fault>,
}

impl Walk {
    /// Begins before the first event.
    pub fn begin(environment: Environment, expect_head: Option<Hash>) -> Self {
        let head = Head::of_empty(environment);
        Self {
            environment,
            expect_head,
            expected_at: (expect_head == Some(head.hash)).then_some(0),
            head,
            positions: BTreeMap::new(),
            emptied: BTreeSet::new(),
            redactions: BTreeMap::new(),
            files: Vec::new(),
            first_fault: None,
        }
    }

    /// Begins after an event, with the head after it and how many events each stream has by then, as the store says.
    pub fn from_middle(
        environment: Environment,
        expect_head: Option<Hash>,
        head: Head,
        positions: BTreeMap<Stream, u64>,
    ) -> Self {
        Self { head, positions, expected_at: None, ..Self::begin(environment, expect_head) }
    }

    /// Walks along events, up to the first fault.
    ///
    /// # Errors
    /// The store can't be read.
    pub fn along<L: Links>(&mut self, links: &L, sequences: &[i64]) -> Result<(), L::Error> {
        for sequence in sequences {
            if let Some(fault) = self.step(links, *sequence)? {
                self.first_fault = Some(fault);
                break;
            }
        }
        Ok(())
    }

    /// Joins the walk that began where this one ends. A fault in this one leaves the other's out of account, and so does a head
    /// or a place in a stream that the other began with and this one did not come to.
    #[must_use]
    pub fn join(mut self, began: &Head, positions: &BTreeMap<Stream, u64>, later: Self) -> Self {
        if self.first_fault.is_some() {
            return self;
        }
        if self.head != *began || self.positions != *positions {
            // Both were read from the store, and this walk has proved its own.
            let sequence = i64::try_from(self.head.sequence).unwrap_or(i64::MAX);
            self.first_fault = Some(Fault::Column { sequence, column: "stream" });
            return self;
        }
        self.emptied.extend(later.emptied);
        self.files.extend(later.files);
        for (cell, by) in later.redactions {
            self.redactions.entry(cell).or_insert(by);
        }
        Self {
            environment: self.environment,
            expect_head: self.expect_head,
            expected_at: later.expected_at.or(self.expected_at),
            head: later.head,
            positions: later.positions,
            emptied: self.emptied,
            redactions: self.redactions,
            files: self.files,
            first_fault: later.first_fault,
        }
    }

    /// Ends at the last event: says what was found.
    pub fn end(self) -> Verification {
        let first_fault =
            self.first_fault.clone().or_else(|| self.redactions_agree()).or_else(|| self.head_agrees());
        Verification { events: self.head.sequence, head: self.head, files: self.files, first_fault }
    }

    fn step<L: Links>(&mut self, links: &L, sequence: i64) -> Result<Option<Fault>, L::Error> {
        let due = i64::try_from(self.head.sequence).unwrap_or(i64::MAX).saturating_add(1);
        if sequence < due {
            return Ok(Some(Fault::Stray { sequence }));
        }
        if sequence > due {
            return Ok(Some(Fault::Missing { sequence: due }));
        }
        let Some(stored) = links.link(sequence)? else {
            return Ok(Some(Fault::Missing { sequence }));
        };
        let recomputed = recompute(&self.head.hash, &stored);
        if recomputed.is_none_or(|hash| hash.as_bytes()[..] != stored.hash[..]) {
            return self.diagnose(links, sequence, &stored, recomputed).map(Some);
        }
        let Some(hash) = recomputed else { return Ok(Some(Fault::EventHash { sequence })) };
        Ok(self.accept(sequence, &stored, hash).err())
    }

    /// Takes in an event whose hash is right, or says what else about it is not.
    fn accept(&mut self, sequence: i64, stored: &Stored, hash: Hash) -> Result<(), Fault> {
        if let Some(fault) = misnumbered(sequence, &stored.cells) {
            return Err(fault);
        }
        let cells = stored
            .cells
            .iter()
            .map(|cell| open(cell).ok_or(Fault::Content { sequence, cell: cell.number }))
            .collect::<Result<Vec<_>, _>>()?;
        let event = Encoded { body: stored.body.clone(), cells }
            .decode()
            .map_err(|error| Fault::Unreadable { sequence, detail: error.to_string() })?;
        self.agrees_with_columns(sequence, stored, &event)?;
        let emptied = stored.cells.iter().filter(|cell| cell.salt.is_none());
        self.emptied.extend(emptied.map(|cell| (sequence, cell.number)));
        if let Fact::ContentRedacted { sequence: of, cell, .. } = event.fact {
            let of = i64::try_from(of).unwrap_or(i64::MAX);
            self.redactions.entry((of, i64::from(cell))).or_insert(sequence);
        }
        if let Fact::FileAttached { file, .. } = &event.fact {
            self.files.extend(file.get().map(|file| (event.sequence, file.clone())));
        }
        self.head = Head { sequence: self.head.sequence + 1, hash };
        if self.expect_head == Some(hash) {
            self.expected_at = Some(self.head.sequence);
        }
        Ok(())
    }

    fn agrees_with_columns(&mut self, sequence: i64, stored: &Stored, event: &Event) -> Result<(), Fault> {
        if event.sequence != self.head.sequence + 1 {
            let found = i64::try_from(event.sequence).unwrap_or(i64::MAX);
            return Err(Fault::Misplaced { sequence, found });
        }
        let before = self.positions.entry(event.stream.clone()).or_insert(0);
        if event.position != *before + 1 {
            let (before, found) = (*before, event.position);
            return Err(Fault::Position { sequence, stream: event.stream.clone(), before, found });
        }
        *before += 1;
        let altered = if stored.stream != event.stream.to_string() {
            "stream"
        } else if u64::try_from(stored.position) != Ok(event.position) {
            "position"
        } else {
            return Ok(());
        };
        Err(Fault::Column { sequence, column: altered })
    }

    /// Finds out why an event's hash is not right.
    fn diagnose<L: Links>(
        &self,
        links: &L,
        sequence: i64,
        stored: &Stored,
        recomputed: Option<Hash>,
    ) -> Result<Fault, L::Error> {
        if let Some(fault) = self.blame_place(links, sequence, stored)? {
            return Ok(fault);
        }
        if let Some(fault) = self.blame_cells(sequence, stored).or_else(|| self.blame_environment(stored)) {
            return Ok(fault);
        }
        let body = match stored.cells.iter().any(|cell| cell.salt.is_none()) {
            true => Fault::BodyOrRedacted { sequence },
            false => Fault::Body { sequence },
        };
        let Some(recomputed) = recomputed else { return Ok(body) };
        let next = links.link(sequence.saturating_add(1))?;
        Ok(match next {
            Some(next) if gives_hash(&recomputed, &next) => Fault::EventHash { sequence },
            Some(_) => body,
            None if self.expect_head == Some(recomputed) => Fault::EventHash { sequence },
            None if self.expect_head.is_some_and(|head| head.as_bytes()[..] == stored.hash[..]) => body,
            None => Fault::BodyOrHash { sequence },
        })
    }

    /// Tells an event in another's place from one whose own number was altered.
    fn blame_place<L: Links>(
        &self,
        links: &L,
        sequence: i64,
        stored: &Stored,
    ) -> Result<Option<Fault>, L::Error> {
        let Some(found) = claimed_sequence(&stored.body).filter(|found| *found != sequence) else {
            return Ok(None);
        };
        let renumbered = Stored { body: renumber(&stored.body, found, sequence), ..stored.clone() };
        if gives_hash(&self.head.hash, &renumbered) {
            return Ok(Some(Fault::Body { sequence }));
        }
        let twin = links.link(found)?.is_some_and(|other| other.body == stored.body);
        Ok(Some(match twin {
            true => Fault::Duplicate { sequence, of: found },
            false => Fault::Misplaced { sequence, found },
        }))
    }

    /// Says which cell is to blame, where putting it right gives the hash again.
    fn blame_cells(&self, sequence: i64, stored: &Stored) -> Option<Fault> {
        if let Some(fault) = misnumbered(sequence, &stored.cells) {
            return Some(fault);
        }
        let named = serde_json::from_slice(&stored.body).map(|body| count_cells(&body)).unwrap_or(0);
        if stored.cells.len() < named {
            return Some(Fault::CellMissing { sequence, cell: stored.cells.len() as i64 + 1 });
        }
        let mut repaired = stored.clone();
        repaired.cells.truncate(named);
        if repaired.cells.len() < stored.cells.len() && gives_hash(&self.head.hash, &repaired) {
            return Some(Fault::CellStray { sequence, cell: named as i64 + 1 });
        }
        let mut repaired = stored.clone();
        let mut first = None;
        for cell in &mut repaired.cells {
            if let (Some(salt), Some(content)) = (&cell.salt, &cell.content) {
                let right = commitment(salt, content).as_bytes().to_vec();
                if right != cell.commitment {
                    first = first.or(Some(cell.number));
                    cell.commitment = right;
                }
            }
        }
        // A redacted cell's commitment can't be computed again; one of the wrong length is altered for certain.
        let misshapen = || stored.cells.iter().find(|cell| cell.commitment.len() != 32);
        let cell = first
            .filter(|_| gives_hash(&self.head.hash, &repaired))
            .or_else(|| misshapen().map(|cell| cell.number))?;
        Some(Fault::Commitment { sequence, cell })
    }

    fn blame_environment(&self, stored: &Stored) -> Option<Fault> {
        let begun = match self.environment {
            Environment::Live => Environment::Rehearsal,
            Environment::Rehearsal => Environment::Live,
        };
        let first = self.head.sequence == 0 && gives_hash(&Head::of_empty(begun).hash, stored);
        first.then_some(Fault::Environment { begun })
    }

    fn redactions_agree(&self) -> Option<Fault> {
        let emptied = self.emptied.iter().find(|cell| !self.redactions.contains_key(cell));
        let not_emptied = self.redactions.iter().find(|(cell, _)| !self.emptied.contains(cell));
        emptied.map(|(sequence, cell)| Fault::Emptied { sequence: *sequence, cell: *cell }).or_else(|| {
            not_emptied.map(|((sequence, cell), by)| Fault::NotEmptied {
                sequence: *sequence,
                cell: *cell,
                by: *by,
            })
        })
    }

    fn head_agrees(&self) -> Option<Fault> {
        let expected = self.expect_head.filter(|expected| *expected != self.head.hash)?;
        Some(Fault::Head { found: self.head, expected, expected_at: self.expected_at })
    }
}

fn recompute(previous: &Hash, stored: &Stored) -> Option<Hash> {
    let commitments = stored
        .cells
        .iter()
        .map(|cell| cell.commitment[..].try_into().ok().map(Hash::from_bytes))
        .collect::<Option<Vec<_>>>()?;
    Some(event_hash(previous, &stored.body, commitments.iter()))
}

fn gives_hash(previous: &Hash, stored: &Stored) -> bool {
    recompute(previous, stored).is_some_and(|hash| hash.as_bytes()[..] == stored.hash[..])
}

/// Opens a cell, unless its content and salt do not give its commitment.
fn open(cell: &StoredCell) -> Option<Cell> {
    let committed = Hash::from_bytes(cell.commitment[..].try_into().ok()?);
    let opening = match (&cell.salt, &cell.content) {
        (None, None) => None,
        (Some(salt), Some(content)) if commitment(salt, content) == committed => {
            Some(Opening { salt: salt[..].try_into().ok()?, content: content.clone() })
        }
        _ => return None,
    };
    Some(Cell { commitment: committed, opening })
}

fn misnumbered(sequence: i64, cells: &[StoredCell]) -> Option<Fault> {
    let (due, cell) = (1..).zip(cells).find(|(due, cell)| cell.number != *due)?;
    Some(match cell.number < due {
        true => Fault::CellStray { sequence, cell: cell.number },
        false => Fault::CellMissing { sequence, cell: due },
    })
}

fn claimed_sequence(body: &[u8]) -> Option<i64> {
    serde_json::from_slice::<serde_json::Value>(body).ok()?.get("sequence")?.as_i64()
}

/// Returns the body with another sequence in it; the event's own is the last member of that name.
fn renumber(body: &[u8], from: i64, to: i64) -> Vec<u8> {
    let text = String::from_utf8_lossy(body);
    let (from, to) = (format!("\"sequence\":{from},"), format!("\"sequence\":{to},"));
    match text.rfind(&from) {
        Some(at) => [&text[..at], &to, &text[at + from.len()..]].concat().into_bytes(),
        None => body.to_vec(),
    }
}

fn count_cells(value: &serde_json::Value) -> usize {
    match value {
        serde_json::Value::Object(object) if object.len() == 1 && object.contains_key("$cell") => 1,
        serde_json::Value::Object(object) => object.values().map(count_cells).sum(),
        serde_json::Value::Array(values) => values.iter().map(count_cells).sum(),
        _ => 0,
    }
}
