//! The study language from outside: both shipped studies, broken ones, the schema.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod broken;
mod coverage;
mod misspelling;
mod panics;
mod plan_alone;
mod schema;
mod studies;

use std::{collections::BTreeMap, fs, path::Path};

/// Returns the files of a folder, by path in it.
fn folder(path: &Path) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let mut open = vec![path.to_path_buf()];
    while let Some(current) = open.pop() {
        for entry in fs::read_dir(&current).unwrap() {
            let entry = entry.unwrap().path();
            if entry.is_dir() {
                open.push(entry);
            } else {
                let name = entry.strip_prefix(path).unwrap().to_str().unwrap().replace('\\', "/");
                files.insert(name, fs::read_to_string(&entry).unwrap());
            }
        }
    }
    files
}

/// Returns a shipped study's files.
fn study(name: &str) -> BTreeMap<String, String> {
    folder(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../studies").join(name))
}

const STUDIES: [&str; 2] = ["imatinib-open", "imatinib-controlled"];
