//! `equipoise backup`: an installation as it is now, in one encrypted file. The server may be running.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use clap::Args;
use server::{backups, credentials::draw};
use store::backup::{BackupKey, KEY_FILE, make};
use terms::Timestamp;

use crate::{Outcome, terminal::say};

/// What `backup` takes.
#[derive(Args)]
pub struct Arguments {
    /// The folder of the installation
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The folder for the backup, best on another disk
    #[arg(long, value_name = "DIR", required_unless_present = "show_key")]
    to: Option<PathBuf>,
    /// The file of the key; without it DIR/backup.key, which is drawn at the first backup
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Print the key, to be written down and kept elsewhere: without it no backup opens
    #[arg(long)]
    show_key: bool,
}

/// Reads the key of an installation's backups, or draws it where there is none yet. Says whether it is new.
///
/// # Errors
/// The file can't be read or written, or holds no key.
pub fn key_of(data: &Path, file: Option<&Path>) -> Result<(BackupKey, PathBuf, bool)> {
    let path = file.map_or_else(|| data.join(KEY_FILE), Path::to_owned);
    if path.exists() {
        return Ok((read_key(&path)?, path, false));
    }
    let key = BackupKey::from_bytes(draw());
    let mut options = fs::File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&path).and_then(|mut file| {
        writeln!(file, "{}", *key.to_text())?;
        file.sync_all()
    });
    written.with_context(|| format!("the key can't be kept in {}", path.display()))?;
    Ok((key, path, true))
}

/// Reads a key.
///
/// # Errors
/// The file can't be read, or holds no key.
pub fn read_key(path: &Path) -> Result<BackupKey> {
    let text = fs::read_to_string(path).with_context(|| format!("the key {}", path.display()))?;
    BackupKey::from_text(&text).with_context(|| format!("{}", path.display()))
}

/// Backs up.
///
/// # Errors
/// The installation can't be read, or the backup can't be written.
#[expect(clippy::disallowed_methods, reason = "the command line is an edge: it reads the clock")]
pub fn run(arguments: &Arguments) -> Result<Outcome> {
    anyhow::ensure!(
        arguments.data.join("studies").is_dir(),
        "{} is no installation; name the folder that `serve --data` has",
        arguments.data.display()
    );
    let (key, path, new) = key_of(&arguments.data, arguments.key.as_deref())?;
    if new {
        say!("Drew a key and keep it in {}.", path.display());
        say!(
            "Write it down and keep it elsewhere: equipoise backup --data {} --show-key",
            arguments.data.display()
        );
    }
    if arguments.show_key {
        say!("{}", *key.to_text());
    }
    let Some(folder) = &arguments.to else { return Ok(Outcome::Success) };
    fs::create_dir_all(folder).with_context(|| format!("{} can't be made", folder.display()))?;
    let now = Timestamp::now();
    let to = folder.join(backups::file_name(now));
    let manifest = make(&arguments.data, &to, &key, draw(), now, env!("CARGO_PKG_VERSION"))?;
    say!("{}", to.display());
    say!("{}", backups::told(&manifest));
    Ok(Outcome::Success)
}
