//! Rights in the two shipped studies: every role against every step, and against every data class.

mod matrix;
mod sight;

use std::{collections::BTreeMap, fs, path::Path, sync::OnceLock};

use protocol::model::Study;

fn folder(path: &Path, prefix: &str, files: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(path).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type().unwrap().is_dir() {
            folder(&entry.path(), &format!("{name}/"), files);
        } else if name.ends_with(".toml") {
            files.insert(name, fs::read_to_string(entry.path()).unwrap());
        }
    }
}

fn compile(id: &str) -> Study {
    let mut files = BTreeMap::new();
    folder(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../studies").join(id), "", &mut files);
    match protocol::compile(&files) {
        Ok(compiled) => compiled.study,
        Err(errors) => panic!("{id} does not compile: {}", errors[0]),
    }
}

/// The open study of one arm.
pub fn open() -> &'static Study {
    static STUDY: OnceLock<Study> = OnceLock::new();
    STUDY.get_or_init(|| compile("imatinib-open"))
}

/// The blind study of two arms.
pub fn controlled() -> &'static Study {
    static STUDY: OnceLock<Study> = OnceLock::new();
    STUDY.get_or_init(|| compile("imatinib-controlled"))
}
