//! A store in memory.
//!
//! It serves tests and rehearsals that leave nothing behind. Nothing in it is
//! durable; `backup_to` writes it out as a store on disk.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::path::Path;

use record::chain::Links;
use record::{
    CellAddress, Environment, Event, Head, Permit, Reader, Sealed, Store, StoreError, Stored, StoredCell,
    Stream,
};

use crate::sqlite;

/// A record in memory.
#[derive(Clone, Debug)]
pub struct MemoryStore {
    environment: Environment,
    events: Vec<Sealed>,
    streams: BTreeMap<Stream, Vec<usize>>,
}

impl MemoryStore {
    /// Returns an empty record.
    pub fn new(environment: Environment) -> Self {
        Self { environment, events: Vec::new(), streams: BTreeMap::new() }
    }

    fn at(&self, sequence: u64) -> Option<usize> {
        let index = usize::try_from(sequence.checked_sub(1)?).ok()?;
        (index < self.events.len()).then_some(index)
    }

    fn empty(&mut self, address: CellAddress) -> Result<(), StoreError> {
        let CellAddress { sequence, cell } = address;
        let missing = StoreError::NoSuchCell { sequence, cell };
        let index = self.at(sequence).ok_or(missing.clone())?;
        let mut encoded = self.events[index].encoded.clone();
        let number = (cell as usize).checked_sub(1).ok_or(missing.clone())?;
        encoded.cells.get_mut(number).ok_or(missing)?.opening = None;
        let event = encoded.decode()?;
        self.events[index] = Sealed { event, encoded, head: self.events[index].head };
        Ok(())
    }
}

impl Reader for MemoryStore {
    fn environment(&self) -> Environment {
        self.environment
    }

    fn head(&self) -> Result<Head, StoreError> {
        Ok(self.events.last().map_or(Head::of_empty(self.environment), |last| last.head))
    }

    fn head_at(&self, sequence: u64) -> Result<Option<Head>, StoreError> {
        let empty = (sequence == 0).then(|| Head::of_empty(self.environment));
        Ok(empty.or_else(|| self.at(sequence).map(|index| self.events[index].head)))
    }

    fn position(&self, stream: &Stream) -> Result<u64, StoreError> {
        Ok(self.streams.get(stream).map_or(0, |events| events.len() as u64))
    }

    fn each(&self, from_sequence: u64, take: &mut dyn FnMut(Event)) -> Result<(), StoreError> {
        let from = usize::try_from(from_sequence.saturating_sub(1)).unwrap_or(usize::MAX);
        self.events.iter().skip(from).for_each(|sealed| take(sealed.event.clone()));
        Ok(())
    }

    fn between(&self, from_sequence: u64, to_sequence: u64) -> Result<Vec<Event>, StoreError> {
        let within = |sealed: &&Sealed| (from_sequence..=to_sequence).contains(&sealed.event.sequence);
        Ok(self.events.iter().filter(within).map(|sealed| sealed.event.clone()).collect())
    }

    fn read_stream(&self, stream: &Stream) -> Result<Vec<Event>, StoreError> {
        let events = self.streams.get(stream).map(Vec::as_slice).unwrap_or_default();
        Ok(events.iter().map(|index| self.events[*index].event.clone()).collect())
    }

    fn event(&self, sequence: u64) -> Result<Option<Event>, StoreError> {
        Ok(self.at(sequence).map(|index| self.events[index].event.clone()))
    }

    fn holds_content(&self, address: CellAddress) -> Result<Option<bool>, StoreError> {
        let number = (address.cell as usize).checked_sub(1);
        let cells = self.at(address.sequence).map(|index| &self.events[index].encoded.cells);
        let cell = cells.zip(number).and_then(|(cells, number)| cells.get(number));
        Ok(cell.map(|cell| cell.opening.is_some()))
    }

    fn backup_to(&self, folder: &Path) -> Result<(), StoreError> {
        sqlite::write_store(folder, self.environment, &self.events)
    }
}

impl Store for MemoryStore {
    fn commit(
        &mut self,
        _permit: &Permit,
        after: Head,
        events: &[Sealed],
        emptied: Option<CellAddress>,
    ) -> Result<(), StoreError> {
        let head = self.head()?;
        if head != after {
            return Err(StoreError::StaleHead { expected: after.sequence, found: head.sequence });
        }
        if let Some(address) = emptied {
            self.empty(address)?;
        }
        for sealed in events {
            let stream = self.streams.entry(sealed.event.stream.clone()).or_default();
            stream.push(self.events.len());
            self.events.push(sealed.clone());
        }
        Ok(())
    }
}

impl Links for MemoryStore {
    type Error = Infallible;

    fn sequences(&self) -> Result<Vec<i64>, Infallible> {
        Ok((1..).take(self.events.len()).collect())
    }

    fn link(&self, sequence: i64) -> Result<Option<Stored>, Infallible> {
        Ok(u64::try_from(sequence).ok().and_then(|sequence| self.at(sequence)).map(|index| {
            let Sealed { event, encoded, head } = &self.events[index];
            Stored {
                stream: event.stream.to_string(),
                position: i64::try_from(event.position).unwrap_or(i64::MAX),
                body: encoded.body.clone(),
                hash: head.hash.as_bytes().to_vec(),
                cells: (1..)
                    .zip(&encoded.cells)
                    .map(|(number, cell)| StoredCell {
                        number,
                        commitment: cell.commitment.as_bytes().to_vec(),
                        salt: cell.opening.as_ref().map(|opening| opening.salt.to_vec()),
                        content: cell.opening.as_ref().map(|opening| opening.content.clone()),
                    })
                    .collect(),
            }
        }))
    }
}
