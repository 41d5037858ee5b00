//! `equipoise new`: a study folder that passes `check`.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;

use crate::terminal::say;
use crate::{Outcome, folder};

/// What `new` takes.
#[derive(Args)]
pub struct Arguments {
    /// The folder to make
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// What to start from
    #[arg(long, value_name = "NAME", default_value = "single-arm")]
    template: String,
}

/// Writes a template's files.
///
/// # Errors
/// There is no such template, or the folder is not empty or can't be written.
pub fn run(arguments: &Arguments) -> Result<Outcome> {
    let Some(files) = protocol::templates::files(&arguments.template) else {
        bail!(
            "there is no template `{}`; there are {}",
            arguments.template,
            protocol::templates::NAMES.join(", ")
        );
    };
    folder::write_new(&arguments.folder, &files)?;
    say!("{} holds a new study; `equipoise check {0}` checks it", arguments.folder.display());
    Ok(Outcome::Success)
}
