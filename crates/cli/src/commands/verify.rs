//! `equipoise verify`: recomputes a record and names the first altered thing.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use serde_json::json;

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
    if arguments.json {
        let document = json!({
            "verified": report.first_fault.is_none(),
            "events": report.events,
            "head": report.head.hash,
            "head_expected": expected,
            "first_fault": report.first_fault.as_ref().map(ToString::to_string),
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
    }
    Ok(if report.first_fault.is_none() { Outcome::Success } else { Outcome::Findings })
}
