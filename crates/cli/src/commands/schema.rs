//! `equipoise schema`: the JSON Schema of study files.

use anyhow::Result;

use crate::Outcome;
use crate::terminal::say;

/// Prints the schema.
///
/// # Errors
/// Never; the signature is that of all commands.
pub fn run() -> Result<Outcome> {
    say!("{:#}", protocol::schema());
    Ok(Outcome::Success)
}
