//! The command as its users run it.

mod analyse;
mod archive;
mod blinding;
mod coverage;
mod demo;
#[cfg(all(feature = "serve", target_os = "linux"))]
mod disk_full;
mod doc_tests;
#[cfg(feature = "serve")]
mod journeys;
mod kill;
mod manual;
#[cfg(feature = "serve")]
mod operate;
mod operating;
#[cfg(feature = "pdf")]
mod paper;
mod proof;
mod qualify;
#[cfg(feature = "serve")]
mod redact;
#[cfg(feature = "serve")]
mod served_kill;
mod simulate;
mod studies;
mod trace;
mod verify;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// The program under test.
pub fn equipoise() -> Command {
    Command::new(env!("CARGO_BIN_EXE_equipoise"))
}

/// Runs the program and returns what it said.
pub fn run(arguments: &[&str]) -> Output {
    equipoise().args(arguments).output().expect("the program was built for this test")
}

/// Runs the demo into a new folder, without PDFs and story, and returns the folder and its JSON document.
pub fn demo(seed: u64) -> (tempfile::TempDir, serde_json::Value) {
    demo_with(seed, &["--no-pdf", "--no-story"])
}

/// Runs the demo with further arguments.
pub fn demo_with(seed: u64, further: &[&str]) -> (tempfile::TempDir, serde_json::Value) {
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let out = folder.path().to_str().expect("a path in UTF-8").to_owned();
    let seed = seed.to_string();
    let mut arguments = vec!["demo", "--out", &out, "--seed", &seed, "--json"];
    arguments.extend(further);
    let output = run(&arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let document = serde_json::from_slice(&output.stdout).expect("one JSON document");
    (folder, document)
}

/// All files below a folder, by path within it.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next).expect("a folder that the program wrote") {
            let path = entry.expect("an entry of it").path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// A shipped study's files, as `compile` takes them.
pub fn study_files(id: &str) -> BTreeMap<String, String> {
    let folder = root().join("studies").join(id);
    let texts = files(&folder).into_iter().filter(|path| path.extension().is_some_and(|end| end == "toml"));
    texts
        .map(|path| {
            let name = path.strip_prefix(&folder).expect("a file below it").to_string_lossy().into_owned();
            (name, fs::read_to_string(&path).expect("a text"))
        })
        .collect()
}

/// The repository's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the repository")
}
