//! A training copy: studies with virtual participants, half-way through, on which every role can practise.
//!
//! The virtual trial runs through the same commands as a live one and is dated so that today is its middle.

use std::{collections::BTreeMap, fs, path::Path};

use jiff::Span;
use record::{Environment, StoreError};
use simulation::{ConductedTrial, Custody, CustodyError, Nobody, Rehearsal, streams::Streams};
use store::SqliteStore;
use terms::Date;

use crate::OpenError;

/// Why a training copy can't be made.
#[derive(Debug, thiserror::Error)]
pub enum TrainingError {
    /// A study does not compile, or a file can't be written.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A record can't be written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A list can't be sealed.
    #[error(transparent)]
    Custody(#[from] CustodyError),
}

/// Makes a study's training copy below `studies`: its files, and a record of virtual participants from `opened` to
/// `today`. Returns the custody of its sealed list, where it has one.
///
/// # Errors
/// The study does not compile, or the folder can't be written.
pub fn make(
    studies: &Path,
    files: &BTreeMap<String, String>,
    seed: u64,
    opened: Date,
    today: Date,
) -> Result<Option<Custody>, TrainingError> {
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
    let custody = study.allocation.as_ref().map(|plan| Custody::seal(&study, plan, &streams)).transpose()?;
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
    Ok(custody)
}

/// Returns the day on which a training copy's trial opened, so that today lies in its middle.
pub fn opened_before(today: Date, months: i32) -> Date {
    today.saturating_sub(Span::new().months(months))
}
