//! The studies that ship with the program.

use std::collections::BTreeMap;

/// Each study's id and files, by path within its folder.
const STUDIES: &[(&str, &[(&str, &str)])] = include!(concat!(env!("OUT_DIR"), "/studies.rs"));

/// Returns the shipped studies: id and files.
pub fn studies() -> impl Iterator<Item = (&'static str, BTreeMap<String, String>)> {
    STUDIES.iter().map(|(id, files)| {
        let files = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
        (*id, files.collect())
    })
}
