//! The studies that ship with the program.

use std::{collections::BTreeMap, path::Path};

use anyhow::Result;

use crate::folder;

/// Each study's id and files, by path within its folder.
const STUDIES: &[(&str, &[(&str, &str)])] = include!(concat!(env!("OUT_DIR"), "/studies.rs"));

/// Returns the shipped studies: id and files.
pub fn studies() -> impl Iterator<Item = (&'static str, BTreeMap<String, String>)> {
    STUDIES.iter().map(|(id, files)| {
        let files = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
        (*id, files.collect())
    })
}

/// Returns the files of a study: those in a folder, or of the shipped one of that id where there is no such folder.
///
/// # Errors
/// They can't be read.
pub fn or_in(path: &Path) -> Result<BTreeMap<String, String>> {
    let named = path.to_str().and_then(|id| studies().find(|(known, _)| *known == id));
    match named.filter(|_| !path.is_dir()) {
        Some((_, files)) => Ok(files),
        None => folder::read(path),
    }
}
