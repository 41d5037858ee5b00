//! Files that were attached to forms, encrypted beside the record.
//!
//! Each file lies under XChaCha20-Poly1305 with a key of its own, which stands with the file's name and digest in the content of
//! the event that attached it and nowhere else: what lies in the folder opens with the record alone. So a redaction of that
//! content ends the file, also where a disk, a journal or a copy of the folder still holds its bytes; the commitment that
//! stays in the record says for ever which file it was. The name on disk is drawn from the key and says nothing.
//!
//! A file is durable before an event names it, and is never written over. Reading one recomputes its digest, so that an altered
//! file is never given out. Backups take the folder with everything else.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use record::{AttachedFile, FileKey, StoreError};
use sha2::{Digest as _, Sha256};

use crate::sqlite::StoreFile;

/// The folder of files in a record's folder.
const FOLDER: &str = "files";
/// Bound into every file, so that it opens as nothing else.
const BOUND_TO: &[u8] = b"equipoise/attached file/1";
/// Before the key, where the name on disk is drawn from it.
const NAMED_BY: &[u8] = b"equipoise/attached file/1/name";
/// A key encrypts one file once, so that its nonce need not differ.
const NONCE: [u8; 24] = [0; 24];

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

    /// Keeps a file under a key that was drawn for it, durably, and returns its digest.
    ///
    /// # Errors
    /// It can't be written.
    ///
    /// # Panics
    /// The key is none.
    pub fn keep(&self, content: &[u8], key: &FileKey) -> Result<String, StoreError> {
        let bytes = key.bytes().expect("a key that was drawn is one");
        let sealed = XChaCha20Poly1305::new(&bytes.into())
            .encrypt(&XNonce::from(NONCE), Payload { msg: content, aad: BOUND_TO })
            .expect("a file is shorter than the cipher's limit of 256 GiB");
        let name = name_of(&bytes);
        let path = self.folder.join(&name);
        let error = |path: &Path| {
            let file = StoreFile { path: path.to_owned() };
            move |error: io::Error| file.io(error)
        };
        fs::create_dir_all(&self.folder).map_err(error(&self.folder))?;
        let part = self.folder.join(format!("{name}.part"));
        let written = File::create(&part).and_then(|mut file| {
            file.write_all(&sealed)?;
            file.sync_all()
        });
        written.and_then(|()| fs::rename(&part, &path)).map_err(error(&path))?;
        self.sync().map_err(error(&self.folder))?;
        Ok(digest(content))
    }

    /// Reads a file that the record names, and recomputes its digest.
    ///
    /// # Errors
    /// The system can't read it.
    pub fn read(&self, file: &AttachedFile) -> Result<Held, StoreError> {
        let Some(path) = self.path(file) else { return Ok(Held::Missing) };
        let held = match fs::read(&path) {
            Ok(held) => held,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Held::Missing),
            Err(error) => return Err(StoreFile { path }.io(error)),
        };
        let content = match file.key.as_ref().and_then(FileKey::bytes) {
            Some(key) => XChaCha20Poly1305::new(&key.into())
                .decrypt(&XNonce::from(NONCE), Payload { msg: &held, aad: BOUND_TO })
                .ok(),
            None => Some(held),
        };
        let whole = content.filter(|content| digest(content) == file.sha256);
        Ok(whole.map_or(Held::Altered, Held::Whole))
    }

    /// Removes a file: what it is attached to was refused, or is about to be redacted. Says whether it was there.
    ///
    /// # Errors
    /// The system can't remove it.
    pub fn remove(&self, file: &AttachedFile) -> Result<bool, StoreError> {
        let Some(path) = self.path(file) else { return Ok(false) };
        match fs::remove_file(&path).and_then(|()| self.sync()) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(StoreFile { path }.io(error)),
        }
    }

    /// Where a file lies: under a name drawn from its key; without one, under its digest, as files did before they were encrypted.
    fn path(&self, file: &AttachedFile) -> Option<PathBuf> {
        let name = match &file.key {
            Some(key) => name_of(&key.bytes()?),
            None => file.sha256.clone(),
        };
        let sound = name.len() == 64 && name.bytes().all(|digit| digit.is_ascii_hexdigit());
        sound.then(|| self.folder.join(name))
    }

    fn sync(&self) -> io::Result<()> {
        File::open(&self.folder)?.sync_all()
    }
}

fn name_of(key: &[u8; 32]) -> String {
    hexadecimal(&Sha256::new().chain_update(NAMED_BY).chain_update(key).finalize())
}

fn digest(content: &[u8]) -> String {
    hexadecimal(&Sha256::digest(content))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(sha256: &str, key: Option<&FileKey>) -> AttachedFile {
        AttachedFile {
            name: "scan.pdf".to_owned(),
            media_type: "application/pdf".to_owned(),
            bytes: 13,
            sha256: sha256.to_owned(),
            key: key.cloned(),
        }
    }

    fn on_disk(folder: &Path) -> Vec<PathBuf> {
        fs::read_dir(folder.join(FOLDER)).unwrap().map(|entry| entry.unwrap().path()).collect()
    }

    #[test]
    fn a_file_opens_with_its_own_key_alone_and_an_altered_or_cut_one_with_none() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::of(folder.path());
        let (key, other) = (FileKey::from_bytes([1; 32]), FileKey::from_bytes([2; 32]));
        let sha256 = files.keep(b"%PDF-1.7 scan", &key).unwrap();
        let [path] = &on_disk(folder.path())[..] else { panic!() };
        let held = fs::read(path).unwrap();
        assert!(!held.windows(4).any(|window| window == b"%PDF"), "what lies on the disk can't be read");
        assert!(!path.to_string_lossy().contains(&sha256), "nor does the name say which file it is");
        assert_eq!(files.read(&file(&sha256, Some(&key))).unwrap(), Held::Whole(b"%PDF-1.7 scan".to_vec()));
        assert_eq!(files.read(&file(&"0".repeat(64), Some(&key))).unwrap(), Held::Altered);
        assert_eq!(files.read(&file(&sha256, Some(&other))).unwrap(), Held::Missing);
        // The same content under another key is another file, also when it lies in the first one's place.
        files.keep(b"%PDF-1.7 scan", &other).unwrap();
        let second = on_disk(folder.path()).into_iter().find(|one| one != path).unwrap();
        assert_ne!(fs::read(&second).unwrap(), held);
        fs::copy(&second, path).unwrap();
        assert_eq!(files.read(&file(&sha256, Some(&key))).unwrap(), Held::Altered);
        for at in 0..held.len() {
            let mut altered = held.clone();
            altered[at] ^= 1;
            fs::write(path, altered).unwrap();
            assert_eq!(files.read(&file(&sha256, Some(&key))).unwrap(), Held::Altered, "byte {at}");
            fs::write(path, &held[..at]).unwrap();
            assert_eq!(files.read(&file(&sha256, Some(&key))).unwrap(), Held::Altered, "cut at {at}");
        }
        assert!(files.remove(&file(&sha256, Some(&key))).unwrap());
        assert!(!files.remove(&file(&sha256, Some(&key))).unwrap());
        assert_eq!(files.read(&file(&sha256, Some(&key))).unwrap(), Held::Missing);
    }

    #[test]
    fn a_file_of_before_files_were_encrypted_is_read_under_its_digest_and_nothing_else_is() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::of(folder.path());
        let sha256 = digest(b"%PDF-1.7 scan");
        fs::create_dir_all(folder.path().join(FOLDER)).unwrap();
        fs::write(folder.path().join(FOLDER).join(&sha256), b"%PDF-1.7 scan").unwrap();
        assert_eq!(files.read(&file(&sha256, None)).unwrap(), Held::Whole(b"%PDF-1.7 scan".to_vec()));
        assert_eq!(files.read(&file("../record.sqlite", None)).unwrap(), Held::Missing);
    }
}
