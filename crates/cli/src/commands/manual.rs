//! `equipoise manual`: the user guide of this version of the program.

use anyhow::{Result, bail};
use clap::Args;

use crate::{Outcome, manual, terminal::say};

/// What `manual` takes.
#[derive(Args)]
pub struct Arguments {
    /// The page; without it the pages are listed
    #[arg(value_name = "PAGE")]
    page: Option<String>,
}

/// Prints a page, or the list of pages.
///
/// # Errors
/// There is no such page.
pub fn run(arguments: &Arguments) -> Result<Outcome> {
    let Some(wanted) = &arguments.page else {
        say!("User guide of equipoise {}, SHA-256 {}\n", env!("CARGO_PKG_VERSION"), manual::digest());
        for (name, text) in manual::PAGES {
            let title = text.lines().next().unwrap_or_default().trim_start_matches("# ");
            say!("  {name:<32} {title}");
        }
        return Ok(Outcome::Success);
    };
    let name = wanted.trim_end_matches(".md");
    match manual::PAGES.iter().find(|(known, _)| *known == name) {
        Some((_, text)) => {
            say!("{}", text.trim_end());
            Ok(Outcome::Success)
        }
        None => bail!("the user guide has no page `{wanted}`; `equipoise manual` lists them"),
    }
}
