//! Tests of virtual trials on the shipped studies.

mod allocations;
mod language;

use std::{collections::BTreeMap, fs, path::Path};

use protocol::Study;

/// Compiles a shipped study.
fn study(name: &str) -> Study {
    let of = |folder: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(folder).join(name);
    let root = if of("studies").is_dir() { of("studies") } else { of("examples") };
    let mut files = BTreeMap::new();
    for folder in [root.clone(), root.join("forms")] {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "toml") {
                let within = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
                files.insert(within, fs::read_to_string(&path).unwrap());
            }
        }
    }
    protocol::compile(&files).map_err(|faults| faults.len()).unwrap().study
}
