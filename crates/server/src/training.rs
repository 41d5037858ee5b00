//! A training copy: studies with virtual participants, half-way through, on which every role can practise.
//!
//! The virtual trial runs through the same commands as a live one and is dated so that today is its middle.

use std::{collections::BTreeMap, fs, path::Path};

use allocation::{PrivateKey, SealedVault};
use jiff::Span;
use record::{Environment, StoreError};
use simulation::{ConductedTrial, Custody, CustodyError, Nobody, Rehearsal, streams::Streams};
use store::SqliteStore;
use terms::{Date, PersonId};

use crate::{
    OpenError,
    credentials::{hex, unhex},
};

/// The file of a study's sealed allocation list.
pub const SEALED_LIST: &str = "allocation.sealed.json";
/// The file in which a training copy, and no other, keeps the holders' keys.
const TRAINING_KEYS: &str = "training-keys.json";

/// Why a training copy can't be made.
#[derive(Debug, thiserror::Error)]
pub enum TrainingError {
    /// A study does not compile, or a file can't be written.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A record can't be written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The rehearsal can't go on.
    #[error(transparent)]
    Rehearsal(#[from] simulation::RehearsalError),
    /// A list can't be sealed.
    #[error(transparent)]
    Custody(#[from] CustodyError),
}

/// Makes a study's training copy below `studies`: its files, and a record of virtual participants from `opened` to
/// `today`. The holders' keys of its sealed list lie beside it, so that it opens by itself.
///
/// # Errors
/// The study does not compile, or the folder can't be written.
pub fn make(
    studies: &Path,
    files: &BTreeMap<String, String>,
    seed: u64,
    opened: Date,
    today: Date,
) -> Result<(), TrainingError> {
    let compiled = protocol::compile(files).map_err(|faults| OpenError::Study {
        study: "training copy".to_owned(),
        faults: faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
    })?;
    let mut study = compiled.study;
    study.virtual_cohort.cohort.opens = Some(opened);
    let folder = studies.join(study.id.as_str());
    for (name, text) in files {
        let path = folder.join("study").join(name);
        let written = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&path, text));
        written.map_err(|error| OpenError::System { path, error })?;
    }
    let streams = Streams::new(seed);
    let keep = |name: &str, text: String| {
        let path = folder.join(name);
        fs::write(&path, text).map_err(|error| OpenError::System { path, error })
    };
    let custody = study.allocation.as_ref().map(|plan| Custody::seal(&study, plan, &streams)).transpose()?;
    if let Some(custody) = &custody {
        let keys: BTreeMap<&str, String> =
            custody.keys().map(|(person, key)| (person.as_str(), hex(key.expose()))).collect();
        keep(SEALED_LIST, serde_json::to_string_pretty(&custody.sealed).unwrap_or_default())?;
        keep(TRAINING_KEYS, serde_json::to_string_pretty(&keys).unwrap_or_default())?;
    }
    let vault = custody.as_ref().map(Custody::unlock).transpose()?;
    let nature = custody.as_ref().map(Custody::open_list).transpose()?;
    let store = SqliteStore::create(&folder.join("record"), Environment::Rehearsal)?;
    let mut trial =
        ConductedTrial::begin(&study, &streams, Box::new(store), vault.as_ref(), nature.as_ref(), &Nobody)?;
    let mut rehearsal = Rehearsal::new(&study, streams, &mut trial);
    rehearsal.open(seed)?;
    if let Some(custody) = &custody {
        rehearsal.seal_and_supply(custody)?;
    }
    rehearsal.run_up_to(today)?;
    trial.commit()?;
    Ok(())
}

/// Takes up the custody of a training copy's list again; none where there is no list, or no keys beside it.
pub fn custody(folder: &Path) -> Option<Custody> {
    let read = |name: &str| fs::read_to_string(folder.join(name)).ok();
    let sealed: SealedVault = serde_json::from_str(&read(SEALED_LIST)?).ok()?;
    let keys: BTreeMap<String, String> = serde_json::from_str(&read(TRAINING_KEYS)?).ok()?;
    let holders = keys.iter().filter_map(|(person, key)| {
        Some((PersonId::from(person.as_str()), PrivateKey::from_bytes(unhex(key)?.try_into().ok()?)))
    });
    Some(Custody::of(sealed, holders.collect()))
}

/// The holder of the key in the emergency safe.
pub const EMERGENCY_SAFE: &str = simulation::EMERGENCY_SAFE;

/// Returns a holder's key that lies beside a training copy's list.
pub fn key_of(folder: &Path, holder: &str) -> Option<String> {
    let keys = fs::read_to_string(folder.join(TRAINING_KEYS)).ok()?;
    let keys: BTreeMap<String, String> = serde_json::from_str(&keys).ok()?;
    keys.get(holder).cloned()
}

/// Returns the day on which a training copy's trial opened, so that today lies in its middle.
pub fn opened_before(today: Date, months: i32) -> Date {
    today.saturating_sub(Span::new().months(months))
}
