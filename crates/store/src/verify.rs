//! Recomputing a whole store.
//!
//! Everything that the record claims is computed again from the file, which is
//! only read: the chain, the commitment of each content, the places in the streams,
//! what is kept beside the bodies, the tables and triggers and the file's own structure.
//! It works on a store that is in use, and on one left by a killed process.
//!
//! Cutting the tail off, or replacing it by one hashed anew, leaves a record that is
//! whole in itself. Only a head noted elsewhere shows that: give it as `expect_head`.

use std::collections::BTreeMap;
use std::path::Path;

use record::chain::{Links, Verification, Walk};
use record::{AttachedFile, Environment, Hash, Head, StoreError, Stream};
use rusqlite::{Connection, ErrorCode, OptionalExtension};

use crate::files::{Files, Held};
use crate::sqlite::{
    SqliteLinks, StoreFile, expected_schema, layout_of, migrations, open_for_verify, schema,
};

/// Events from which on two halves are walked at the same time.
const HALVED_FROM: usize = 512;

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyReport {
    /// The events that are in order, up to the first fault.
    pub events: u64,
    /// The head after those events.
    pub head: Head,
    /// The first altered thing; none where everything is in order.
    pub first_fault: Option<Fault>,
}

/// The first altered thing of a store.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "fields carry their names; the variants are documented")]
pub enum Fault {
    /// Something in the record.
    #[error(transparent)]
    Record(#[from] record::Fault),
    /// A content that belongs to no event.
    #[error("cell {cell} was put in for event {sequence}, which is not there")]
    StrayCell { sequence: i64, cell: i64 },
    /// The store does not say whether participants are real.
    #[error("the environment was removed or altered")]
    Environment,
    /// A table, index or trigger.
    #[error("the {kind} `{name}` was {done}")]
    Schema { kind: String, name: String, done: &'static str },
    /// A migration is not the one this program has under its number.
    #[error("migration {number} is not the one that this program knows")]
    Migration { number: i64 },
    /// A file that was attached to a form is not there.
    #[error("the file {sha256}, attached by event {sequence}, is missing")]
    FileMissing { sequence: u64, sha256: String },
    /// A file that was attached to a form holds something else.
    #[error("the file {sha256}, attached by event {sequence}, was altered")]
    FileAltered { sequence: u64, sha256: String },
    /// The file's structure.
    #[error("the file is damaged: {detail}")]
    Damaged { detail: String },
}

/// Recomputes the store in a folder and names the first altered thing.
///
/// # Errors
/// There is no store, it was written by a newer version, or the system can't read it.
pub fn verify(folder: &Path, expect_head: Option<Hash>) -> Result<VerifyReport, StoreError> {
    let (connection, file) = open_for_verify(folder)?;
    // One read transaction, so that a writer at work does not move the record under the walk.
    match connection.execute_batch("BEGIN").and_then(|()| inspect(folder, &connection, expect_head)) {
        Ok((mut report, files)) => {
            if report.first_fault.is_none() {
                report.first_fault = altered_file(folder, &files)?;
            }
            Ok(report)
        }
        Err(error) => {
            let fault = fault_of(&connection, &file, error)?;
            let head = Head::of_empty(Environment::Live);
            Ok(VerifyReport { events: 0, head, first_fault: Some(fault) })
        }
    }
}

/// Files that events attached, by the event.
type Attached = Vec<(u64, AttachedFile)>;

fn inspect(
    folder: &Path,
    connection: &Connection,
    expect_head: Option<Hash>,
) -> rusqlite::Result<(VerifyReport, Attached)> {
    let named = named_environment(connection)?;
    let walk = walk(folder, connection, named.unwrap_or(Environment::Live), expect_head)?;
    let mut first_fault = match named {
        None => Some(Fault::Environment),
        Some(_) => walk.first_fault.map(Fault::from),
    };
    for check in [stray_cell, altered_schema, altered_migration, damage] {
        if first_fault.is_none() {
            first_fault = check(connection)?;
        }
    }
    Ok((VerifyReport { events: walk.events, head: walk.head, first_fault }, walk.files))
}

/// Every file that the record names lies beside it, as it was.
fn altered_file(folder: &Path, attached: &Attached) -> Result<Option<Fault>, StoreError> {
    let files = Files::of(folder);
    for (sequence, file) in attached {
        let (sequence, sha256) = (*sequence, file.sha256.clone());
        match files.read(file)? {
            Held::Whole(_) => {}
            Held::Altered => return Ok(Some(Fault::FileAltered { sequence, sha256 })),
            Held::Missing => return Ok(Some(Fault::FileMissing { sequence, sha256 })),
        }
    }
    Ok(None)
}

/// Walks along the chain: a long one in two halves at the same time, on two processors.
fn walk(
    folder: &Path,
    connection: &Connection,
    environment: Environment,
    expect_head: Option<Hash>,
) -> rusqlite::Result<Verification> {
    let links = SqliteLinks::new(connection)?;
    let sequences = links.sequences()?;
    let mut first = Walk::begin(environment, expect_head);
    let (early, late) = sequences.split_at(sequences.len() / 2);
    if let Some((middle, other)) = second_half(folder, connection, &links, &sequences)? {
        let positions = middle.1.clone();
        let later = Walk::from_middle(environment, expect_head, middle.0, positions);
        let (walked, later) = std::thread::scope(|scope| {
            let beside = scope.spawn(move || {
                let mut later = later;
                SqliteLinks::new(&other).and_then(|links| later.along(&links, late)).map(|()| later)
            });
            let walked = first.along(&links, early);
            (walked, beside.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        });
        walked?;
        return Ok(first.join(&middle.0, &middle.1, later?).end());
    }
    first.along(&links, &sequences)?;
    Ok(first.end())
}

/// What the store says of its middle, and another connection that sees the same record; none where one walk is as good.
#[allow(clippy::type_complexity, reason = "said once, above")]
fn second_half(
    folder: &Path,
    connection: &Connection,
    links: &SqliteLinks<'_>,
    sequences: &[i64],
) -> rusqlite::Result<Option<((Head, BTreeMap<Stream, u64>), Connection)>> {
    if sequences.len() < HALVED_FROM {
        return Ok(None);
    }
    // Sequences that are not in order, or a column that can't be read, are for the walk from the first on.
    let Some(middle) =
        sequences.get(sequences.len() / 2 - 1).filter(|middle| **middle == sequences.len() as i64 / 2)
    else {
        return Ok(None);
    };
    let hash: Option<[u8; 32]> =
        connection.query_row("SELECT hash FROM events WHERE sequence = ?1", [middle], |row| row.get(0)).ok();
    let (Some(hash), Some(positions)) = (hash, links.positions(*middle)?) else { return Ok(None) };
    let Ok((other, _)) = open_for_verify(folder) else { return Ok(None) };
    other.execute_batch("BEGIN")?;
    // Every change comes with an event: where the last is the same, all is.
    let last = |connection: &Connection| {
        connection.query_row("SELECT max(sequence) FROM events", [], |row| row.get::<_, Option<i64>>(0))
    };
    if last(&other)? != last(connection)? {
        return Ok(None);
    }
    let head = Head { sequence: middle.unsigned_abs(), hash: Hash::from_bytes(hash) };
    Ok(Some(((head, positions), other)))
}

/// A table that can't even be read was altered, or the file is damaged; anything else is the system's.
fn fault_of(connection: &Connection, file: &StoreFile, error: rusqlite::Error) -> Result<Fault, StoreError> {
    if let Ok(Some(fault)) = altered_schema(connection) {
        return Ok(fault);
    }
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::Unknown) | None => {
            Ok(Fault::Damaged { detail: error.to_string() })
        }
        Some(_) => Err(file.error(error)),
    }
}

fn named_environment(connection: &Connection) -> rusqlite::Result<Option<Environment>> {
    let named: Option<String> = connection
        .query_row("SELECT environment FROM store WHERE one = 1", [], |row| row.get(0))
        .optional()?;
    Ok(match named.as_deref() {
        Some("live") => Some(Environment::Live),
        Some("rehearsal") => Some(Environment::Rehearsal),
        _ => None,
    })
}

fn stray_cell(connection: &Connection) -> rusqlite::Result<Option<Fault>> {
    let sql = "SELECT sequence, cell FROM contents
        WHERE sequence NOT IN (SELECT sequence FROM events) ORDER BY sequence, cell LIMIT 1";
    connection
        .query_row(sql, [], |row| Ok(Fault::StrayCell { sequence: row.get(0)?, cell: row.get(1)? }))
        .optional()
}

fn altered_schema(connection: &Connection) -> rusqlite::Result<Option<Fault>> {
    let (found, expected) = (schema(connection)?, expected_schema(layout_of(connection)?)?);
    let named = |list: &[(String, String, String)], (kind, name, _): &(String, String, String)| {
        list.iter().any(|(other_kind, other_name, _)| other_kind == kind && other_name == name)
    };
    let fault = |(kind, name, _): &(String, String, String), done| Fault::Schema {
        kind: kind.clone(),
        name: name.clone(),
        done,
    };
    let lost = expected.iter().find(|thing| !found.contains(thing));
    Ok(match lost {
        Some(thing) if named(&found, thing) => Some(fault(thing, "altered")),
        Some(thing) => Some(fault(thing, "removed")),
        None => found.iter().find(|thing| !expected.contains(thing)).map(|thing| fault(thing, "put in")),
    })
}

fn altered_migration(connection: &Connection) -> rusqlite::Result<Option<Fault>> {
    let mut statement = connection.prepare("SELECT number, name, sha256 FROM migrations ORDER BY number")?;
    let found: Vec<(i64, String, Vec<u8>)> = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let layout = layout_of(connection)?;
    let expected: Vec<_> = migrations()
        .take_while(|(number, _)| *number <= layout)
        .map(|(number, migration)| (number, migration.name.to_owned(), migration.sha256().to_vec()))
        .collect();
    let differs = (0..found.len().max(expected.len())).find(|at| found.get(*at) != expected.get(*at));
    Ok(differs.map(|at| Fault::Migration { number: at as i64 + 1 }))
}

fn damage(connection: &Connection) -> rusqlite::Result<Option<Fault>> {
    let detail: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    Ok((detail != "ok").then_some(Fault::Damaged { detail }))
}
