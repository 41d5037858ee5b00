//! `equipoise pack`: content packs, the licensed wording that a site loads.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use protocol::content_pack::{self, ContentPack};
use serde_json::json;

use crate::Outcome;
use crate::terminal::say;

/// What `pack` takes.
#[derive(Args)]
pub struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Print an empty pack to fill in: item codes, no wording
    New {
        /// The instrument (`dlqi`)
        instrument: String,
        /// Language code of the wording (`fr`)
        #[arg(long)]
        language: String,
    },
    /// Check pack files, each of one instrument, language and version
    Check {
        /// Pack files
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
}

/// Makes or checks content packs.
///
/// # Errors
/// No such instrument needs a pack, or a file can't be read.
pub fn run(arguments: &Arguments) -> Result<Outcome> {
    match &arguments.what {
        What::New { instrument, language } => match content_pack::skeleton(instrument, language) {
            Some(text) => {
                say!("{}", text.trim_end());
                Ok(Outcome::Success)
            }
            None => {
                let all = instruments::all().iter().filter(|one| one.needs_content_pack());
                let names: Vec<&str> = all.map(|one| one.id()).collect();
                bail!("`{instrument}` needs no content pack; these do: {}", names.join(", "))
            }
        },
        What::Check { files, json } => check(files, *json),
    }
}

fn check(files: &[PathBuf], as_json: bool) -> Result<Outcome> {
    let mut sound = true;
    let mut rows = Vec::new();
    for path in files {
        let name = path.display().to_string();
        match read(path)? {
            Ok(pack) => {
                if !as_json {
                    let ContentPack { instrument, language, version, digest, .. } = &pack;
                    say!("{name}: {instrument}, {language}, {version}; sha256 {digest}");
                }
                rows.push(json!({
                    "file": name, "instrument": pack.instrument, "language": pack.language,
                    "version": pack.version, "licence": pack.licence, "digest": pack.digest, "faults": [],
                }));
            }
            Err(faults) => {
                sound = false;
                if !as_json {
                    for fault in &faults {
                        eprintln!("{name}: {fault}");
                    }
                }
                rows.push(json!({ "file": name, "faults": faults }));
            }
        }
    }
    if as_json {
        say!("{:#}", json!({ "packs": rows }));
    }
    Ok(if sound { Outcome::Success } else { Outcome::Findings })
}

/// Reads a pack file: the pack, or what is wrong with it in words.
pub fn read(path: &PathBuf) -> Result<Result<ContentPack, Vec<String>>> {
    let text = fs::read_to_string(path).with_context(|| format!("{} can't be read", path.display()))?;
    Ok(content_pack::read(&text).map_err(|faults| faults.iter().map(ToString::to_string).collect()))
}
