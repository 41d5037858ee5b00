//! Files that were attached to forms, beside the record and under the digest that the record names them by.
//!
//! A file is durable before an event names it, and is never written over: what has another content has another digest. Reading one
//! recomputes its digest, so that an altered file is never given out. Backups take the folder with everything else.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use record::StoreError;
use sha2::{Digest as _, Sha256};

use crate::sqlite::StoreFile;

/// The folder of files in a record's folder.
const FOLDER: &str = "files";

/// The files beside a record.
#[derive(Clone, Debug)]
pub struct Files {
    folder: PathBuf,
}

/// What became of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Held {
    /// It is there and as it was.
    Whole(Vec<u8>),
    /// It is there and holds something else.
    Altered,
    /// It is not there.
    Missing,
}

impl Files {
    /// Names the files beside the record in a folder. Nothing is made or read by that.
    pub fn of(record: &Path) -> Self {
        Self { folder: record.join(FOLDER) }
    }

    /// Keeps a file, durably, and returns its digest.
    ///
    /// # Errors
    /// It can't be written.
    pub fn keep(&self, content: &[u8]) -> Result<String, StoreError> {
        let digest = digest(content);
        let path = self.folder.join(&digest);
        let error = |path: &Path| {
            let file = StoreFile { path: path.to_owned() };
            move |error: io::Error| file.io(error)
        };
        if self.read(&digest)? == Held::Whole(content.to_vec()) {
            return Ok(digest);
        }
        fs::create_dir_all(&self.folder).map_err(error(&self.folder))?;
        let part = self.folder.join(format!("{digest}.part"));
        let written = File::create(&part).and_then(|mut file| {
            file.write_all(content)?;
            file.sync_all()
        });
        written.and_then(|()| fs::rename(&part, &path)).map_err(error(&path))?;
        File::open(&self.folder).and_then(|folder| folder.sync_all()).map_err(error(&self.folder))?;
        Ok(digest)
    }

    /// Reads a file by its digest, and recomputes that.
    ///
    /// # Errors
    /// The system can't read it.
    pub fn read(&self, sha256: &str) -> Result<Held, StoreError> {
        let is_digest = sha256.len() == 64 && sha256.bytes().all(|digit| digit.is_ascii_hexdigit());
        if !is_digest {
            return Ok(Held::Missing);
        }
        let path = self.folder.join(sha256);
        match fs::read(&path) {
            Ok(content) if digest(&content) == sha256 => Ok(Held::Whole(content)),
            Ok(_) => Ok(Held::Altered),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Held::Missing),
            Err(error) => Err(StoreFile { path }.io(error)),
        }
    }
}

fn digest(content: &[u8]) -> String {
    Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_kept_once_and_an_altered_one_is_not_given_out() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::of(folder.path());
        let name = files.keep(b"%PDF-1.7 scan").unwrap();
        assert_eq!(files.keep(b"%PDF-1.7 scan").unwrap(), name);
        assert_eq!(files.read(&name).unwrap(), Held::Whole(b"%PDF-1.7 scan".to_vec()));
        assert_eq!(files.read("../record.sqlite").unwrap(), Held::Missing);
        assert_eq!(files.read(&"0".repeat(64)).unwrap(), Held::Missing);
        let path = folder.path().join(FOLDER).join(&name);
        fs::write(&path, b"%PDF-1.7 scam").unwrap();
        assert_eq!(files.read(&name).unwrap(), Held::Altered);
        // Whoever brings the same file again mends it.
        files.keep(b"%PDF-1.7 scan").unwrap();
        assert_eq!(files.read(&name).unwrap(), Held::Whole(b"%PDF-1.7 scan".to_vec()));
        assert_eq!(fs::read_dir(folder.path().join(FOLDER)).unwrap().count(), 1);
    }
}
