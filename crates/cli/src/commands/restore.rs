//! `equipoise restore`: takes an installation out of a backup, or only sees whether it could be.

use std::{path::PathBuf, time::Instant};

use anyhow::{Context, Result, bail};
use clap::Args;
use server::backups;
use store::backup::restore;

use super::backup::read_key;
use crate::{Outcome, terminal::say};

/// What `restore` takes.
#[derive(Args)]
pub struct Arguments {
    /// The backup
    #[arg(value_name = "FILE")]
    backup: PathBuf,
    /// The file of the key
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The folder of the new installation: empty, or not there yet
    #[arg(long, value_name = "DIR", required_unless_present = "verify")]
    to: Option<PathBuf>,
    /// Restore into a folder that is removed again, to see that the backup is good
    #[arg(long, conflicts_with = "to")]
    verify: bool,
}

/// Restores. Every file is held to the manifest and every record is recomputed in either case.
///
/// # Errors
/// The key is another one, the backup was altered, or the folder can't be written.
#[expect(clippy::disallowed_methods, reason = "the command line is an edge: it times the drill")]
pub fn run(arguments: &Arguments) -> Result<Outcome> {
    let key = read_key(&arguments.key)?;
    let begun = Instant::now();
    let manifest = match &arguments.to {
        Some(to) => restore(&arguments.backup, &key, to)?,
        None if arguments.verify => {
            // On the backup's own disk: a temporary folder in memory may be too small.
            let beside = arguments.backup.parent().filter(|parent| !parent.as_os_str().is_empty());
            let folder = tempfile::tempdir_in(beside.unwrap_or_else(|| ".".as_ref()))
                .context("there is no room beside the backup to try it")?;
            restore(&arguments.backup, &key, &folder.path().join("installation"))?
        }
        None => bail!("say where to restore with --to, or try it with --verify"),
    };
    say!("made      {} by version {}", manifest.made, manifest.program);
    say!("holds     {}", backups::told(&manifest));
    for record in &manifest.records {
        say!("verified  {}: {} events, head {}", record.path, record.events, record.head);
    }
    say!("took      {:.1} s", begun.elapsed().as_secs_f64());
    match &arguments.to {
        Some(to) => say!("Serve it with: equipoise serve --data {}", to.display()),
        None => say!("The backup is good: everything in it was restored, recomputed and removed again."),
    }
    Ok(Outcome::Success)
}
