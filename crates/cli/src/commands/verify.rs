//! `equipoise verify`: recomputes a record and names the first altered thing.

#[cfg(feature = "serve")]
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
#[cfg(feature = "serve")]
use record::Reader;
use serde_json::json;
#[cfg(feature = "serve")]
use server::manifest;
#[cfg(feature = "serve")]
use store::SqliteReader;

use crate::Outcome;
use crate::terminal::say;

/// What `verify` takes.
#[derive(Args)]
pub struct Arguments {
    /// The folder of a trial, or of its record
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The head noted elsewhere (64 hexadecimal digits): nothing else shows that the end was cut off or forged
    #[arg(long, value_name = "HASH")]
    expect_head: Option<String>,
    #[cfg(feature = "serve")]
    /// The signed manifest of a lock, `lock-N.json`, with its signature `lock-N.sig` beside it: holds both to the record
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// The folder of the record in a trial's folder.
pub fn record_folder(data: &Path) -> PathBuf {
    let inner = data.join("record");
    if inner.is_dir() { inner } else { data.to_owned() }
}

/// Verifies a record.
///
/// # Errors
/// There is no record, or it can't be read.
pub fn run(arguments: &Arguments) -> Result<Outcome> {
    let expected = arguments.expect_head.as_deref().map(str::parse).transpose().context("--expect-head")?;
    let report = store::verify(&record_folder(&arguments.data), expected)?;
    let manifest = check_manifest(arguments)?;
    let sound = report.first_fault.is_none() && manifest.as_ref().is_none_or(|verdict| verdict.holds);
    if arguments.json {
        let document = json!({
            "verified": report.first_fault.is_none(),
            "events": report.events,
            "head": report.head.hash,
            "head_expected": expected,
            "first_fault": report.first_fault.as_ref().map(ToString::to_string),
            "manifest_holds": manifest.as_ref().map(|verdict| verdict.holds),
        });
        say!("{document:#}");
    } else {
        say!("events   {}", report.events);
        say!("head     {}", String::from(report.head.hash));
        match &report.first_fault {
            None if expected.is_some() => say!("verified, and it ends at the expected head"),
            None => {
                say!("verified: nothing inside it was altered");
                say!(
                    "An end that was cut off or forged shows only against a head noted elsewhere: --expect-head"
                );
            }
            Some(fault) => say!("ALTERED  {fault}"),
        }
        if let Some(verdict) = &manifest {
            say!("{}", verdict.words);
        }
    }
    Ok(if sound { Outcome::Success } else { Outcome::Findings })
}

/// What a manifest says, and whether it holds.
struct Verdict {
    holds: bool,
    words: String,
}

/// Holds a lock's manifest to its signature and to the record as it was at the lock.
#[cfg(feature = "serve")]
fn check_manifest(arguments: &Arguments) -> Result<Option<Verdict>> {
    let Some(file) = &arguments.manifest else { return Ok(None) };
    let text = fs::read(file).with_context(|| file.display().to_string())?;
    let signature = file.with_extension("sig");
    let signature = fs::read(&signature).with_context(|| signature.display().to_string())?;
    let reader = SqliteReader::open(&record_folder(&arguments.data))?;
    let lock = manifest::sequence(&text).context("this is no manifest of a lock")?;
    let mut events = reader.read(1)?;
    events.retain(|event| event.sequence <= lock);
    let head = reader.head_at(lock)?.context("the record ends before the lock")?;
    Ok(Some(match manifest::check(&text, &signature, &events, &head.hash) {
        Ok(manifest) => Verdict {
            holds: true,
            words: format!(
                "manifest of the lock at event {lock} holds; signed by the key {}: compare it with the one noted elsewhere",
                manifest.signing_key
            ),
        },
        Err(error) => Verdict { holds: false, words: format!("MANIFEST {error}") },
    }))
}

/// Without the capture server there are no manifests.
#[cfg(not(feature = "serve"))]
fn check_manifest(_: &Arguments) -> Result<Option<Verdict>> {
    Ok(None)
}
