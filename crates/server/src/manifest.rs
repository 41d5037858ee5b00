//! The signed manifest of a lock: which data were locked, by hashes, under the installation's own key.
//!
//! Beside the record, `locks/` holds for each lock a JSON document and its Ed25519 signature (RFC 8032, 64 raw bytes), and the
//! public key as PEM, so that any cryptographic tool can check the one against the other. What the hashes say is recomputed
//! from the record by [`check`]. The private key never leaves the installation's folder.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use conduct::State;
use ed25519_dalek::{Signature, Signer, SigningKey, Verifier, VerifyingKey};
use record::{Event, Fact, Hash};
use serde::{Deserialize, Serialize};
use terms::{StudyId, SubjectId};

use crate::{
    context::{Context, Failure},
    credentials::{draw, hex, unhex},
    running::RunningStudy,
};

/// The format's name.
const FORMAT: &str = "equipoise/lock-manifest/1";
/// The file of the public key.
const PUBLIC_KEY: &str = "signing-key.pem";
/// The first bytes of an Ed25519 public key's `SubjectPublicKeyInfo` (RFC 8410, section 4).
const SPKI_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// What a lock fixed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// `equipoise/lock-manifest/1`.
    pub format: String,
    /// The program's version.
    pub program: String,
    /// The study.
    pub study: StudyId,
    /// The hash of its files.
    pub study_version: String,
    /// Real or virtual participants.
    pub environment: String,
    /// The lock's event.
    pub sequence: u64,
    /// When it was recorded, in UTC.
    pub locked: String,
    /// Who locked, by account.
    pub locked_by: String,
    /// The head of the record with the lock as its last event.
    pub head: String,
    /// The digest that the lock's event holds.
    pub digest: String,
    /// Each participant's casebook.
    pub casebooks: Vec<LockedCasebook>,
    /// The public key that signs, in hexadecimal digits.
    pub signing_key: String,
}

/// A participant's casebook at the lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockedCasebook {
    /// The participant.
    pub subject: SubjectId,
    /// Forms that hold something.
    pub forms: usize,
    /// Items that hold something.
    pub items: usize,
    /// Over the events that set the present values.
    pub digest: String,
}

/// Why a manifest does not hold.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The document is no manifest.
    #[error("this is no manifest of a lock: {0}")]
    Document(String),
    /// The signature is not of this document under its key.
    #[error("the signature does not fit the document: one of them was altered")]
    Signature,
    /// The record says otherwise.
    #[error("the record and the manifest differ in {what}")]
    Differs {
        /// In what.
        what: String,
    },
}

/// Describes the last lock that a record's events tell of, in the words of the record alone.
fn describe(events: &[Event], head: &Hash, signing_key: String) -> Option<Manifest> {
    let lock = events.last()?;
    let Fact::DatabaseLocked { manifest_digest } = &lock.fact else { return None };
    let state = State::replay(events);
    let opened = state.opened.as_ref()?;
    Some(Manifest {
        format: FORMAT.to_owned(),
        program: env!("CARGO_PKG_VERSION").to_owned(),
        study: opened.study.clone(),
        study_version: lock.study_version.clone(),
        environment: opened.environment.to_string(),
        sequence: lock.sequence,
        locked: lock.recorded.utc.to_string(),
        locked_by: lock.by.person.to_string(),
        head: String::from(*head),
        digest: manifest_digest.clone(),
        casebooks: state
            .walk()
            .map(|casebook| LockedCasebook {
                subject: casebook.subject.clone(),
                forms: casebook.forms.len(),
                items: casebook.forms.values().map(|form| form.cells.len()).sum(),
                digest: conduct::casebook_digest(&casebook),
            })
            .collect(),
        signing_key,
    })
}

/// Signs the manifest of the present lock and writes both beside the record.
///
/// # Errors
/// The database is not locked, or a file can't be written.
pub fn write(context: &Context<'_>, running: &RunningStudy) -> Result<(), Failure> {
    let broken = |error: io::Error| Failure::Broken(format!("the manifest can't be written: {error}"));
    let locked = running.state().locked;
    let lock = locked.ok_or_else(|| Failure::Refused("The database is not locked.".to_owned()))?;
    let events: Vec<Event> = running
        .record(|reader| reader.read(1))?
        .into_iter()
        .filter(|event| event.sequence <= lock.sequence)
        .collect();
    let head = running.record(|reader| reader.head_at(lock.sequence))?;
    let head = head.ok_or_else(|| Failure::Broken("the record ends before the lock".to_owned()))?;
    let key = signing_key(context)?;
    let public = key.verifying_key();
    let manifest = describe(&events, &head.hash, hex(public.as_bytes()));
    let manifest = manifest.ok_or_else(|| Failure::Broken("the lock's event is none".to_owned()))?;
    let text = serde_json::to_string_pretty(&manifest).map_err(|error| Failure::Broken(error.to_string()))?;
    let folder = context.house.manifests(&running.study().id);
    fs::create_dir_all(&folder).map_err(broken)?;
    let name = format!("lock-{}", lock.sequence);
    fs::write(folder.join(format!("{name}.sig")), key.sign(text.as_bytes()).to_bytes()).map_err(broken)?;
    fs::write(folder.join(PUBLIC_KEY), pem(&public)).map_err(broken)?;
    fs::write(folder.join(format!("{name}.json")), text).map_err(broken)
}

/// Returns the event of the lock that a manifest is about.
///
/// # Errors
/// The document is no manifest.
pub fn sequence(text: &[u8]) -> Result<u64, ManifestError> {
    let manifest: Result<Manifest, _> = serde_json::from_slice(text);
    manifest.map(|manifest| manifest.sequence).map_err(|error| ManifestError::Document(error.to_string()))
}

/// Holds a manifest to its signature and to the record's events.
///
/// # Errors
/// What does not hold.
pub fn check(
    text: &[u8],
    signature: &[u8],
    events: &[Event],
    head: &Hash,
) -> Result<Manifest, ManifestError> {
    let document = |error: &dyn std::fmt::Display| ManifestError::Document(error.to_string());
    let manifest: Manifest = serde_json::from_slice(text).map_err(|error| document(&error))?;
    let key = unhex(&manifest.signing_key).and_then(|key| <[u8; 32]>::try_from(key).ok());
    let key = key.ok_or_else(|| ManifestError::Document("its signing key has not 64 digits".to_owned()))?;
    let key = VerifyingKey::from_bytes(&key).map_err(|error| document(&error))?;
    let signature = Signature::from_slice(signature).map_err(|_| ManifestError::Signature)?;
    key.verify(text, &signature).map_err(|_| ManifestError::Signature)?;
    let differs = |what: &str| Err(ManifestError::Differs { what: what.to_owned() });
    let Some(told) = describe(events, head, manifest.signing_key.clone()) else {
        return differs("the lock's event");
    };
    if told.head != manifest.head {
        return differs("the head of the record");
    }
    if told.digest != manifest.digest {
        return differs("the digest of the lock");
    }
    for (told, locked) in told.casebooks.iter().zip(&manifest.casebooks) {
        if told != locked {
            return differs(&format!("the casebook of {}", locked.subject));
        }
    }
    // The program that checks may be a later one.
    if (Manifest { program: manifest.program.clone(), ..told }) != manifest {
        return differs("what it says of the lock");
    }
    Ok(manifest)
}

/// Returns the names of the files that a page offers, newest lock last, the public key at the end.
pub fn files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    names
}

/// Reads a file that [`files`] named.
pub fn read(folder: &Path, name: &str) -> Option<Vec<u8>> {
    let known = files(folder).into_iter().find(|known| known == name)?;
    fs::read(folder.join(known)).ok()
}

/// Returns the installation's signing key; made, and noted in the account log, when it is first needed.
fn signing_key(context: &Context<'_>) -> Result<SigningKey, Failure> {
    let path = context.house.signing_key();
    let broken = |error: io::Error| Failure::Broken(format!("the signing key: {error}"));
    if path.exists() {
        let text = fs::read_to_string(&path).map_err(broken)?;
        let bytes = unhex(text.trim()).and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        let bytes = bytes.ok_or_else(|| Failure::Broken("the signing key's file is damaged".to_owned()))?;
        return Ok(SigningKey::from_bytes(&bytes));
    }
    let secret: [u8; 32] = draw();
    let key = SigningKey::from_bytes(&secret);
    write_secret(&path, &hex(&secret)).map_err(broken)?;
    let public = hex(key.verifying_key().as_bytes());
    let origin = context.address();
    context.house.accounts().note(&context.note("installation", "signing key made", &public, &origin))?;
    Ok(key)
}

/// Writes a file that its owner alone can read.
fn write_secret(path: &PathBuf, text: &str) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Writes a public key as PEM.
fn pem(key: &VerifyingKey) -> String {
    let bytes: Vec<u8> = SPKI_PREFIX.iter().chain(key.as_bytes()).copied().collect();
    format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", base64(&bytes))
}

/// Base64 of a length that three divides but for two bytes at most (RFC 4648, section 4).
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits =
            chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * place) & 63) as usize];
            text.push(if place <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of RFC 4648, section 10.
    #[test]
    fn base64_is_that_of_the_standard() {
        for (plain, text) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(plain.as_bytes()), text);
        }
    }

    /// The key of RFC 8410, section 10.1.
    #[test]
    fn a_public_key_is_written_as_the_standard_has_it() {
        let bytes = unhex("19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1").unwrap();
        let key = VerifyingKey::from_bytes(&bytes.try_into().unwrap()).unwrap();
        assert!(pem(&key).contains("MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE="));
    }
}
