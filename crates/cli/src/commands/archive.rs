//! `equipoise archive`: everything that a trial's record says, in files that are read without this program.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use clap::Args;
use conduct::State;
use serde_json::json;
use store::{SqliteReader, accounts::AccountStore, files::Files};

use crate::{
    Outcome,
    archive::{self, Trial},
    commands::verify::record_folder,
    terminal::say,
};

/// What `archive` takes.
#[derive(Args)]
pub struct Arguments {
    /// The folder of a trial: DIR/studies/ID of an installation, or one that `demo` wrote
    #[arg(long, value_name = "DIR", required_unless_present = "check")]
    data: Option<PathBuf>,
    /// Where the archive goes: a folder that is empty or does not exist
    #[arg(long, value_name = "DIR", required_unless_present = "check")]
    out: Option<PathBuf>,
    /// Recompute the hashes of an archive instead, and name the first file that is not as they say
    #[arg(long, value_name = "DIR", conflicts_with_all = ["data", "out"])]
    check: Option<PathBuf>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Writes an archive, or checks one.
///
/// # Errors
/// There is no trial, its study does not compile, or something can't be read or written.
pub fn run(arguments: &Arguments) -> Result<Outcome> {
    if let Some(folder) = &arguments.check {
        return check(folder, arguments.json);
    }
    let (Some(data), Some(out)) = (&arguments.data, &arguments.out) else {
        bail!("name the trial with --data and the archive with --out");
    };
    let study_files = crate::folder::read(&data.join("study"))?;
    let compiled = protocol::compile(&study_files)
        .map_err(|faults| anyhow::anyhow!("the study does not compile: {}", faults[0]))?;
    let record_folder = record_folder(data);
    let report = store::verify(&record_folder, None)?;
    if let Some(fault) = report.first_fault {
        bail!("the record is not whole, so no archive is made of it: {fault}");
    }
    let record = SqliteReader::open(&record_folder)?;
    let trial = Trial {
        study: &compiled.study,
        study_files: &study_files,
        record: &record,
        files: Files::of(&record_folder),
        names: names(data, &record)?,
        program: env!("CARGO_PKG_VERSION"),
    };
    let archived = archive::write(out, &trial)?;
    if arguments.json {
        let document = json!({
            "events": archived.events, "head": archived.head.hash, "values": archived.values,
            "participants": archived.participants, "attached_files": archived.attached, "files": archived.files,
        });
        say!("{document:#}");
    } else {
        say!("events        {}", archived.events);
        say!("head          {}", String::from(archived.head.hash));
        say!("values        {}", archived.values);
        say!("participants  {}", archived.participants);
        say!("files         {} with their hashes in {}", archived.files, archive::SUMS);
        say!("Begin with {}", out.join("index.html").display());
    }
    Ok(Outcome::Success)
}

/// The printed names of an installation's accounts; none beside a trial that was rehearsed.
fn names(data: &Path, record: &SqliteReader) -> Result<BTreeMap<String, String>> {
    let installation = data.canonicalize()?;
    let accounts = installation.parent().and_then(Path::parent).map(|folder| folder.join("accounts.sqlite"));
    let Some(accounts) = accounts.filter(|path| path.is_file()) else { return Ok(BTreeMap::new()) };
    let opened = State::of_record(record)?
        .opened
        .context("the record was not opened yet; there is nothing to archive")?;
    let accounts = AccountStore::open(&accounts, opened.environment)?.all()?;
    Ok(accounts.into_iter().map(|account| (account.person.to_string(), account.printed_name)).collect())
}

fn check(folder: &Path, as_json: bool) -> Result<Outcome> {
    let verdict = archive::check(folder)?;
    if as_json {
        let document = json!({
            "whole": verdict.is_ok(), "files": verdict.as_ref().ok(), "first_fault": verdict.as_ref().err(),
        });
        say!("{document:#}");
    } else {
        match &verdict {
            Ok(files) => say!("whole: {files} files are as {} says", archive::SUMS),
            Err(fault) => say!("ALTERED  {fault}"),
        }
    }
    Ok(if verdict.is_ok() { Outcome::Success } else { Outcome::Findings })
}
