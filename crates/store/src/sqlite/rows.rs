//! Reading and writing the rows of events and contents.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use record::chain::Links;
use record::encoding::{Cell, Encoded, Opening};
use record::{CellAddress, Event, Hash, Head, Sealed, StoreError, Stored, StoredCell, Stream};
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, Statement, params_from_iter};

use super::errors::StoreFile;

/// Which events to read.
pub(super) enum Which<'a> {
    /// From a sequence on.
    From(u64),
    /// One.
    One(u64),
    /// Some, at once.
    These(&'a BTreeSet<u64>),
    /// From one sequence up to another.
    Between(u64, u64),
    /// Those of a stream.
    Stream(&'a Stream),
}

fn as_integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Returns the last event at or before a sequence; none if there is none.
pub(super) fn head_at(
    connection: &Connection,
    file: &StoreFile,
    sequence: u64,
) -> Result<Option<Head>, StoreError> {
    let sql = "SELECT sequence, hash FROM events WHERE sequence <= ?1 ORDER BY sequence DESC LIMIT 1";
    let last = connection
        .query_row(sql, [as_integer(sequence)], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?)))
        .optional()
        .map_err(|error| file.error(error))?;
    let Some((sequence, hash)) = last else { return Ok(None) };
    let sequence = u64::try_from(sequence).unwrap_or(0);
    let hash = hash[..]
        .try_into()
        .map_err(|_| StoreError::Unreadable { sequence, detail: "its hash has not 32 bytes".to_owned() })?;
    Ok(Some(Head { sequence, hash: Hash::from_bytes(hash) }))
}

/// Returns how many events a stream has.
pub(super) fn position(connection: &Connection, stream: &Stream) -> rusqlite::Result<u64> {
    let sql = "SELECT ifnull(max(position), 0) FROM events WHERE stream = ?1";
    let position: i64 = connection.query_row(sql, [stream.to_string()], |row| row.get(0))?;
    Ok(u64::try_from(position).unwrap_or(0))
}

/// Says whether a cell holds its content.
pub(super) fn holds_content(connection: &Connection, address: CellAddress) -> rusqlite::Result<Option<bool>> {
    let sql = "SELECT content IS NOT NULL FROM contents WHERE sequence = ?1 AND cell = ?2";
    connection.query_row(sql, (as_integer(address.sequence), address.cell), |row| row.get(0)).optional()
}

/// Returns events in order, decoded.
pub(super) fn events(
    connection: &Connection,
    file: &StoreFile,
    which: &Which<'_>,
) -> Result<Vec<Event>, StoreError> {
    let mut events = Vec::new();
    each(connection, file, which, &mut |event| events.push(event))?;
    Ok(events)
}

/// Hands over events in order, decoded, one at a time.
pub(super) fn each(
    connection: &Connection,
    file: &StoreFile,
    which: &Which<'_>,
    take: &mut dyn FnMut(Event),
) -> Result<(), StoreError> {
    let mut unreadable = None;
    each_encoded(connection, which, &mut |sequence, encoded| {
        let sequence = u64::try_from(sequence).unwrap_or(0);
        match encoded.decode() {
            Ok(event) => take(event),
            Err(error) => {
                unreadable = Some(StoreError::Unreadable { sequence, detail: error.to_string() });
            }
        }
        unreadable.is_none()
    })
    .map_err(|error| file.error(error))?;
    unreadable.map_or(Ok(()), Err)
}

/// Reads bodies and cells in one pass over both tables, which are in the same order, for as long as `take` says yes.
fn each_encoded(
    connection: &Connection,
    which: &Which<'_>,
    take: &mut dyn FnMut(i64, &Encoded) -> bool,
) -> rusqlite::Result<()> {
    let (filter, parameters): (Cow<'_, str>, Vec<Value>) = match which {
        Which::From(sequence) => ("sequence >= ?1".into(), vec![as_integer(*sequence).into()]),
        Which::One(sequence) => ("sequence = ?1".into(), vec![as_integer(*sequence).into()]),
        Which::These(sequences) => {
            let numbers: Vec<String> =
                sequences.iter().map(|sequence| as_integer(*sequence).to_string()).collect();
            (format!("sequence IN ({})", numbers.join(", ")).into(), Vec::new())
        }
        Which::Between(from, to) => {
            ("sequence BETWEEN ?1 AND ?2".into(), vec![as_integer(*from).into(), as_integer(*to).into()])
        }
        Which::Stream(stream) => ("stream = ?1".into(), vec![stream.to_string().into()]),
    };
    let sql = format!(
        "SELECT events.sequence, body, cell, commitment, salt, content
         FROM events LEFT JOIN contents ON contents.sequence = events.sequence
         WHERE events.{filter} ORDER BY events.sequence, cell"
    );
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query(params_from_iter(parameters))?;
    let mut before: Option<(i64, Encoded)> = None;
    while let Some(row) = rows.next()? {
        let sequence = row.get(0)?;
        let (_, encoded) = match &mut before {
            Some(same) if same.0 == sequence => same,
            before => {
                let begun = (sequence, Encoded { body: row.get(1)?, cells: Vec::new() });
                if let Some((last, encoded)) = before.replace(begun)
                    && !take(last, &encoded)
                {
                    return Ok(());
                }
                let Some(begun) = before else { continue };
                begun
            }
        };
        if row.get::<_, Option<i64>>(2)?.is_some() {
            encoded.cells.push(cell(row)?);
        }
    }
    if let Some((last, encoded)) = before {
        take(last, &encoded);
    }
    Ok(())
}

fn cell(row: &Row<'_>) -> rusqlite::Result<Cell> {
    let salt: Option<[u8; 32]> = row.get(4)?;
    let content: Option<Vec<u8>> = row.get(5)?;
    let opening = salt.zip(content).map(|(salt, content)| Opening { salt, content });
    Ok(Cell { commitment: Hash::from_bytes(row.get(3)?), opening })
}

/// Inserts events and their contents.
pub(super) fn insert(connection: &Connection, events: &[Sealed]) -> rusqlite::Result<()> {
    let mut event_row = connection
        .prepare("INSERT INTO events (sequence, stream, position, body, hash) VALUES (?1, ?2, ?3, ?4, ?5)")?;
    let mut content_row = connection.prepare(
        "INSERT INTO contents (sequence, cell, commitment, salt, content) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for Sealed { event, encoded, head } in events {
        let sequence = as_integer(event.sequence);
        let stream = event.stream.to_string();
        event_row.execute((
            sequence,
            stream,
            as_integer(event.position),
            &encoded.body,
            head.hash.as_bytes(),
        ))?;
        for (number, cell) in (1_i64..).zip(&encoded.cells) {
            let salt = cell.opening.as_ref().map(|opening| &opening.salt);
            let content = cell.opening.as_ref().map(|opening| &opening.content);
            content_row.execute((sequence, number, cell.commitment.as_bytes(), salt, content))?;
        }
    }
    Ok(())
}

/// Empties a cell; says whether it was there.
pub(super) fn empty(connection: &Connection, address: CellAddress) -> rusqlite::Result<bool> {
    let sql = "UPDATE contents SET salt = NULL, content = NULL WHERE sequence = ?1 AND cell = ?2";
    Ok(connection.execute(sql, (as_integer(address.sequence), address.cell))? == 1)
}

/// Events that `verify` reads at a time.
const BATCH: i64 = 256;

/// The stored rows as `verify` reads them.
pub(crate) struct SqliteLinks<'c> {
    connection: &'c Connection,
    events: RefCell<Statement<'c>>,
    cells: RefCell<Statement<'c>>,
    /// What was read last, by sequence.
    read: RefCell<BTreeMap<i64, Stored>>,
}

impl<'c> SqliteLinks<'c> {
    /// Prepares reading.
    pub(crate) fn new(connection: &'c Connection) -> rusqlite::Result<Self> {
        let events = connection.prepare(
            "SELECT sequence, stream, position, body, hash FROM events WHERE sequence BETWEEN ?1 AND ?2 ORDER BY sequence",
        )?;
        let cells = connection.prepare(
            "SELECT sequence, cell, commitment, salt, content FROM contents
             WHERE sequence BETWEEN ?1 AND ?2 ORDER BY sequence, cell",
        )?;
        let (events, cells) = (RefCell::new(events), RefCell::new(cells));
        Ok(Self { connection, events, cells, read: RefCell::default() })
    }

    /// Reads some events from a sequence on, with their cells.
    fn batch(&self, from: i64) -> rusqlite::Result<BTreeMap<i64, Stored>> {
        let mut read = BTreeMap::new();
        let range = [from, from.saturating_add(BATCH - 1)];
        let mut events = self.events.borrow_mut();
        let mut rows = events.query(range)?;
        while let Some(row) = rows.next()? {
            let stream = String::from_utf8_lossy(&bytes(row, 1)?.unwrap_or_default()).into_owned();
            let body = bytes(row, 3)?.unwrap_or_default();
            let hash = bytes(row, 4)?.unwrap_or_default();
            read.insert(row.get(0)?, Stored { stream, position: row.get(2)?, body, hash, cells: Vec::new() });
        }
        let mut cells = self.cells.borrow_mut();
        let mut rows = cells.query(range)?;
        while let Some(row) = rows.next()? {
            let Some(event) = read.get_mut(&row.get(0)?) else { continue };
            event.cells.push(StoredCell {
                number: row.get(1)?,
                commitment: bytes(row, 2)?.unwrap_or_default(),
                salt: bytes(row, 3)?,
                content: bytes(row, 4)?,
            });
        }
        Ok(read)
    }

    /// Returns how many events each stream has up to a sequence, by what is kept beside the events; none where a name is no stream's.
    pub(crate) fn positions(&self, sequence: i64) -> rusqlite::Result<Option<BTreeMap<Stream, u64>>> {
        let mut statement = self
            .connection
            .prepare("SELECT stream, max(position) FROM events WHERE sequence <= ?1 GROUP BY stream")?;
        let mut rows = statement.query([sequence])?;
        let mut found = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let name = String::from_utf8_lossy(&bytes(row, 0)?.unwrap_or_default()).into_owned();
            let stream = match name.as_str() {
                "study" => Stream::Study,
                "supply" => Stream::Supply,
                other => match other.strip_prefix("subject/") {
                    Some(subject) => Stream::Subject(subject.into()),
                    None => return Ok(None),
                },
            };
            found.insert(stream, u64::try_from(row.get::<_, i64>(1)?).unwrap_or(0));
        }
        Ok(Some(found))
    }
}

impl Links for SqliteLinks<'_> {
    type Error = rusqlite::Error;

    fn sequences(&self) -> rusqlite::Result<Vec<i64>> {
        let mut statement = self.connection.prepare("SELECT sequence FROM events ORDER BY sequence")?;
        statement.query_map([], |row| row.get(0))?.collect()
    }

    fn link(&self, sequence: i64) -> rusqlite::Result<Option<Stored>> {
        if let Some(read) = self.read.borrow_mut().remove(&sequence) {
            return Ok(Some(read));
        }
        let mut batch = self.batch(sequence)?;
        let found = batch.remove(&sequence);
        *self.read.borrow_mut() = batch;
        Ok(found)
    }
}

/// Reads a column's bytes, whether it was stored as text or not; none for null.
fn bytes(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Vec<u8>>> {
    Ok(match row.get_ref(column)? {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Some(bytes.to_vec()),
        _ => None,
    })
}
