//! The list of participants, kept up with the record.
//!
//! A projection is a cache: everything in it follows from the record, it lies in a file of
//! its own (`projections.sqlite`), and deleting that file loses nothing. It is
//! brought up to date by reading on from where it stands, and rebuilt where the record
//! is no longer the one it was made from.
//!
//! It is for lists and search. Rules are decided on the fold of a participant's events, never on this.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use record::{EndReason, Event, Fact, Hash, Head, Reader, StoreError, Stream};
use rusqlite::{Connection, OptionalExtension, Transaction};
use terms::{SiteId, SubjectId};

use crate::sqlite::StoreFile;

/// The layout; a file of another one is made anew.
const LAYOUT: i64 = 1;
const SCHEMA: &str = include_str!("../migrations/projections_0001.sql");

/// How far a participant has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SubjectStatus {
    /// Consent was given.
    Consented,
    /// Screening began.
    InScreening,
    /// The eligibility decision was no.
    NotEligible,
    /// In the trial, without allocation so far.
    Enrolled,
    /// Allocated.
    Randomised,
    /// Treatment began.
    OnTreatment,
    /// Treatment ended, and the participant is still followed.
    OffTreatment,
    /// Participation ended as planned.
    Completed,
    /// Participation ended otherwise.
    Ended,
}

/// One participant in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectRow {
    /// The participant.
    pub subject: SubjectId,
    /// The site of the participant's first event that has one.
    pub site: Option<SiteId>,
    /// How far the participant has come; none before consent.
    pub status: Option<SubjectStatus>,
    /// How many events the participant has.
    pub events: u64,
    /// The sequence of the last of them.
    pub last_sequence: u64,
}

/// The list of participants in its file.
pub struct SubjectList {
    connection: Connection,
    file: StoreFile,
}

impl SubjectStatus {
    const ALL: [(Self, &'static str); 9] = [
        (Self::Consented, "consented"),
        (Self::InScreening, "in screening"),
        (Self::NotEligible, "not eligible"),
        (Self::Enrolled, "enrolled"),
        (Self::Randomised, "randomised"),
        (Self::OnTreatment, "on treatment"),
        (Self::OffTreatment, "off treatment"),
        (Self::Completed, "completed"),
        (Self::Ended, "ended early"),
    ];

    /// Returns the status after a fact, which leaves most as they are.
    fn after(before: Option<Self>, fact: &Fact) -> Option<Self> {
        Some(match fact {
            Fact::ConsentSigned { .. } => before.unwrap_or(Self::Consented),
            Fact::SubjectScreened => Self::InScreening,
            Fact::EligibilityDecided { eligible: false, .. } => Self::NotEligible,
            Fact::SubjectEnrolled => Self::Enrolled,
            Fact::SubjectRandomised { .. } => Self::Randomised,
            Fact::DoseChanged { step: record::DoseStep::Started, .. } => Self::OnTreatment,
            Fact::TreatmentEnded { .. } => Self::OffTreatment,
            Fact::ParticipationEnded { reason: EndReason::Completed, .. } => Self::Completed,
            Fact::ParticipationEnded { reason: EndReason::NotEligible, .. } => Self::NotEligible,
            Fact::ParticipationEnded { .. } => Self::Ended,
            _ => return before,
        })
    }
}

impl fmt::Display for SubjectStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(Self::ALL.iter().find(|(status, _)| status == self).map_or("", |(_, text)| text))
    }
}

/// Folds events into the list, by participant. Rows of participants without events here stay as they are.
fn fold(rows: &mut BTreeMap<SubjectId, SubjectRow>, event: &Event) {
    let Stream::Subject(subject) = &event.stream else { return };
    let row = rows.entry(subject.clone()).or_insert_with(|| SubjectRow {
        subject: subject.clone(),
        site: None,
        status: None,
        events: 0,
        last_sequence: 0,
    });
    row.site = row.site.take().or_else(|| event.site.clone());
    row.status = SubjectStatus::after(row.status, &event.fact);
    row.events += 1;
    row.last_sequence = event.sequence;
}

impl SubjectList {
    /// Opens the list in a store folder, makes it if need be, and brings it up to date.
    ///
    /// # Errors
    /// The record can't be read, or the file can't be written.
    pub fn open(folder: &Path, record: &dyn Reader) -> Result<Self, StoreError> {
        let file = StoreFile { path: folder.join("projections.sqlite") };
        let mut connection = Connection::open(&file.path).map_err(|error| file.error(error))?;
        prepare(&mut connection).map_err(|error| file.error(error))?;
        let mut list = Self { connection, file };
        list.catch_up(record)?;
        Ok(list)
    }

    /// Reads on from where the list stands; rebuilds it if the record is not the one it was made from.
    ///
    /// # Errors
    /// The record can't be read, or the file can't be written.
    pub fn catch_up(&mut self, record: &dyn Reader) -> Result<(), StoreError> {
        let stands = self.stands_at().map_err(|error| self.file.error(error))?;
        match stands {
            Some(head) if record.head_at(head.sequence)? == Some(head) => self.read_on(record, head.sequence),
            _ => self.rebuild(record),
        }
    }

    /// Drops the list and makes it anew from the whole record.
    ///
    /// # Errors
    /// The record can't be read, or the file can't be written.
    pub fn rebuild(&mut self, record: &dyn Reader) -> Result<(), StoreError> {
        let dropped = self.connection.execute_batch("DELETE FROM subjects; DELETE FROM made_from;");
        dropped.map_err(|error| self.file.error(error))?;
        self.read_on(record, 0)
    }

    /// Returns the list, by number.
    ///
    /// # Errors
    /// The file can't be read.
    pub fn rows(&self) -> Result<Vec<SubjectRow>, StoreError> {
        let rows = read_rows(&self.connection).map_err(|error| self.file.error(error))?;
        Ok(rows.into_values().collect())
    }

    fn stands_at(&self) -> rusqlite::Result<Option<Head>> {
        self.connection
            .query_row("SELECT sequence, hash FROM made_from", [], |row| {
                let sequence: i64 = row.get(0)?;
                let hash = Hash::from_bytes(row.get(1)?);
                Ok(Head { sequence: u64::try_from(sequence).unwrap_or(0), hash })
            })
            .optional()
    }

    fn read_on(&mut self, record: &dyn Reader, from: u64) -> Result<(), StoreError> {
        let events = record.read(from + 1)?;
        let head = record.head_at(events.last().map_or(from, |event| event.sequence))?;
        let done = self.connection.transaction().and_then(|transaction| {
            let mut rows = read_rows(&transaction)?;
            events.iter().for_each(|event| fold(&mut rows, event));
            // Rewriting all rows is plain, and fast for the few hundred participants a trial has.
            transaction.execute_batch("DELETE FROM subjects; DELETE FROM made_from;")?;
            rows.values().try_for_each(|row| write_row(&transaction, row))?;
            if let Some(Head { sequence, hash }) = head {
                let row = (as_integer(sequence), hash.as_bytes());
                transaction.execute("INSERT INTO made_from (sequence, hash) VALUES (?1, ?2)", row)?;
            }
            transaction.commit()
        });
        done.map_err(|error| self.file.error(error))
    }
}

fn as_integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Makes the tables, in place of those of another layout.
fn prepare(connection: &mut Connection) -> rusqlite::Result<()> {
    // A cache needs no durability, only that it is whole.
    connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;")?;
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found == LAYOUT {
        return Ok(());
    }
    let transaction = connection.transaction()?;
    transaction.execute_batch("DROP TABLE IF EXISTS subjects; DROP TABLE IF EXISTS made_from;")?;
    transaction.execute_batch(SCHEMA)?;
    transaction.pragma_update(None, "user_version", LAYOUT)?;
    transaction.commit()
}

fn read_rows(connection: &Connection) -> rusqlite::Result<BTreeMap<SubjectId, SubjectRow>> {
    let mut statement =
        connection.prepare("SELECT subject, site, status, events, last_sequence FROM subjects")?;
    let rows = statement.query_map([], |row| {
        let subject = SubjectId::from(row.get::<_, String>(0)?);
        let status: Option<String> = row.get(2)?;
        let status = SubjectStatus::ALL.iter().find(|(_, text)| Some(*text) == status.as_deref());
        let read = SubjectRow {
            subject: subject.clone(),
            site: row.get::<_, Option<String>>(1)?.map(SiteId::from),
            status: status.map(|(status, _)| *status),
            events: row.get::<_, i64>(3)?.unsigned_abs(),
            last_sequence: row.get::<_, i64>(4)?.unsigned_abs(),
        };
        Ok((subject, read))
    })?;
    rows.collect()
}

fn write_row(transaction: &Transaction<'_>, row: &SubjectRow) -> rusqlite::Result<()> {
    let sql =
        "INSERT INTO subjects (subject, site, status, events, last_sequence) VALUES (?1, ?2, ?3, ?4, ?5)";
    let site = row.site.as_ref().map(SiteId::as_str);
    let status = row.status.map(|status| status.to_string());
    let (events, last) = (as_integer(row.events), as_integer(row.last_sequence));
    transaction.execute(sql, (row.subject.as_str(), site, status, events, last)).map(|_| ())
}
