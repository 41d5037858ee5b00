//! `equipoise schema`: the JSON Schema of study files.

use anyhow::Result;

use crate::Outcome;

/// Prints the schema.
///
/// # Errors
/// Never; the signature is that of all commands.
pub fn run() -> Result<Outcome> {
    println!("{:#}", protocol::schema());
    Ok(Outcome::Success)
}
