//! `equipoise upgrade`: tries this version of the program on a copy of an installation before it touches the installation.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use clap::Args;
use conduct::State;
use record::{Environment, Reader};
use server::{Installation, backups, credentials::draw};
use store::{SqliteReader, accounts::AccountStore, backup};
use terms::Timestamp;

use super::backup::key_of;
use crate::{Outcome, terminal::say};

/// What `upgrade` takes.
#[derive(Args)]
pub struct Arguments {
    /// The folder of the installation
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The folder for the backup from before; it also holds the copy while it is tried
    #[arg(long, value_name = "DIR")]
    backups: PathBuf,
    /// The file of the backups' key; without it DIR/backup.key
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Only try it on a copy; the server may be running
    #[arg(long)]
    rehearse: bool,
}

/// A record as it stands: what must be the same before and after.
struct Stand {
    study: String,
    events: u64,
    head: String,
    state: State,
}

fn stands(folder: &Path) -> Result<Vec<Stand>> {
    let root = folder.join("studies");
    let mut names: Vec<String> = fs::read_dir(&root)
        .with_context(|| format!("{} is no installation", folder.display()))?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| root.join(name).join("record").is_dir())
        .collect();
    names.sort();
    names
        .into_iter()
        .map(|study| {
            let reader = SqliteReader::open(&root.join(&study).join("record"))?;
            let head = reader.head()?;
            let state = State::of_record(&reader)?;
            Ok(Stand { study, events: head.sequence, head: head.hash.to_string(), state })
        })
        .collect()
}

/// Opens an installation with this program, which brings its files up to date, and holds the records to what they were.
#[expect(clippy::disallowed_methods, reason = "the command line is an edge: it reads the clock")]
fn bring_up(folder: &Path, environment: Environment, before: &[Stand]) -> Result<()> {
    {
        let (house, _) = Installation::open(folder, environment, Box::new(Timestamp::now))?;
        house.accounts().verify_log().context("the account log")?;
    }
    let after = stands(folder)?;
    ensure!(after.len() == before.len(), "{} studies became {}", before.len(), after.len());
    for (before, after) in before.iter().zip(&after) {
        let study = &before.study;
        ensure!(after.events >= before.events, "{study}: {} events became {}", before.events, after.events);
        let reader = SqliteReader::open(&folder.join("studies").join(study).join("record"))?;
        let then = reader.head_at(before.events)?.map(|head| head.hash.to_string());
        ensure!(
            then.as_deref() == Some(&before.head),
            "{study}: the head at event {} changed",
            before.events
        );
        ensure!(after.state == before.state, "{study}: the record reads otherwise");
        let report = store::verify(&folder.join("studies").join(study).join("record"), None)?;
        if let Some(fault) = report.first_fault {
            anyhow::bail!("{study}: {fault}");
        }
        say!("  {study}: {} events, head {}, every hash recomputed", after.events, after.head);
    }
    Ok(())
}

/// Upgrades, once the copy went well. The backup from before is kept.
///
/// # Errors
/// The copy did not go well: the installation is as it was. Or the server is running.
#[expect(clippy::disallowed_methods, reason = "the command line is an edge: it reads the clock")]
pub fn run(arguments: &Arguments) -> Result<Outcome> {
    let (key, _, _) = key_of(&arguments.data, arguments.key.as_deref())?;
    fs::create_dir_all(&arguments.backups)?;
    let now = Timestamp::now();
    let path = arguments.backups.join(backups::file_name(now));
    backup::make(&arguments.data, &path, &key, draw(), now, env!("CARGO_PKG_VERSION"))?;
    say!("Backed up to {}", path.display());
    let copy = tempfile::tempdir_in(&arguments.backups)?;
    let folder = copy.path().join("installation");
    backup::restore(&path, &key, &folder)?;
    let environment = AccountStore::environment_of(&folder.join("accounts.sqlite"))?;
    say!("Trying version {} on a copy:", env!("CARGO_PKG_VERSION"));
    let before = stands(&folder)?;
    bring_up(&folder, environment, &before).context("the copy did not go well; nothing was changed")?;
    if arguments.rehearse {
        say!("The copy went well. Without --rehearse the installation follows.");
        return Ok(Outcome::Success);
    }
    say!("The copy went well. Now the installation:");
    let before = stands(&arguments.data)?;
    let again = format!("restore {} to go back", path.display());
    bring_up(&arguments.data, environment, &before).context(again)?;
    say!("Done. Start the server.");
    Ok(Outcome::Success)
}
