//! Study folders to start from (`equipoise new DIR --template single-arm`).
//!
//! Each compiles without errors; what is specific to a trial is in words to be replaced.

use std::collections::BTreeMap;

/// Names of the templates.
pub const NAMES: &[&str] = &[];

/// Returns the files of a template, by path in the folder.
pub fn files(_name: &str) -> Option<BTreeMap<String, String>> {
    None
}
