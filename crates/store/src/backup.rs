//! Backups: an installation's folder, as it is at a moment, in one encrypted file.
//!
//! Databases are copied while they are in use, each as of one moment; other files are taken as they are. The file is a
//! sequence of blocks under XChaCha20-Poly1305 in the STREAM construction: a block that was altered, left out, moved or cut
//! off at the end does not open, nor does any with another key. The last thing in it is a manifest with the length and
//! SHA-256 of every file and the head of every record.
//!
//! A backup that was never restored is a hope. [`restore`] therefore checks everything it wrote against the manifest and
//! recomputes every record; there is no restore without that.

use std::{
    fs::{self, File},
    io::{self, BufReader, BufWriter, Read, Write},
    path::{Component, Path, PathBuf},
    time::Duration,
};

use aead_stream::{DecryptorBE32, EncryptorBE32};
use chacha20poly1305::{XChaCha20Poly1305, aead::Payload};
use record::{Hash, StoreError};
use rusqlite::{Connection, OpenFlags, backup::Backup};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use terms::Timestamp;
use zeroize::Zeroizing;

use crate::{
    Fault, Reader, SqliteReader,
    sqlite::{RECORD_FILE, StoreFile},
    verify,
};

/// The first bytes of a backup; they are bound into every block.
const MAGIC: &[u8] = b"EQUIPOISE BACKUP 1\n";
/// The length of a backup's nonce in bytes; the construction adds a counter and a mark of the last block.
pub const NONCE_BYTES: usize = 19;
const BLOCK_BYTES: usize = 1 << 20;
const TAG_BYTES: usize = 16;
/// The longest manifest that is read.
const MANIFEST_BYTES_MAX: u64 = 64 << 20;
/// Folders and ends of names that are of one process, or are backups themselves.
const LEFT_OUT: &[&str] = &["-wal", "-shm", "-journal", ".lock", ".new", ".part"];
const BACKUPS: &str = "backups";
/// The end of the name of a database that is being copied.
const SNAPSHOT: &str = ".snapshot.part";
/// The key's usual file below an installation, which no backup holds.
pub const KEY_FILE: &str = "backup.key";

/// Why there is no backup, or none was restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// A database says no.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The operating system says no.
    #[error("{}: {error}", path.display())]
    System {
        /// What it is about.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The file is something else.
    #[error("{} is no backup", path.display())]
    NotABackup {
        /// The file.
        path: PathBuf,
    },
    /// A block does not open.
    #[error("{} does not open: the key is another one, or the backup was altered or cut off", path.display())]
    KeyOrAltered {
        /// The file.
        path: PathBuf,
    },
    /// What came out is not what the manifest says.
    #[error("the backup is not whole: {what}")]
    NotWhole {
        /// What differs.
        what: String,
    },
    /// A record in it was altered before it was backed up.
    #[error("the record in {path} was altered: {fault}")]
    Altered {
        /// The record's file.
        path: String,
        /// The first altered thing.
        fault: Fault,
    },
    /// A restore needs an empty folder.
    #[error("{} is not empty; restore into a folder that is empty or does not exist", path.display())]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// The text is no key.
    #[error("this is no backup key; a key is 64 hexadecimal digits")]
    NoKey,
}

/// The key of an installation's backups. It prints nothing and is wiped when dropped.
#[derive(Clone)]
pub struct BackupKey(Zeroizing<[u8; 32]>);

impl BackupKey {
    /// Wraps a key.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Reads a key as it was written down; blanks don't count.
    ///
    /// # Errors
    /// It has not 64 hexadecimal digits.
    pub fn from_text(text: &str) -> Result<Self, BackupError> {
        let digits: Zeroizing<Vec<u8>> =
            Zeroizing::new(text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect());
        let mut bytes = Zeroizing::new([0; 32]);
        if digits.len() != 64 {
            return Err(BackupError::NoKey);
        }
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| BackupError::NoKey)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| BackupError::NoKey)?;
        }
        Ok(Self(bytes))
    }

    /// Writes the key down, in groups that can be read aloud.
    pub fn to_text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(80));
        for (place, byte) in self.0.iter().enumerate() {
            if place > 0 && place % 4 == 0 {
                text.push(' ');
            }
            text.push_str(&format!("{byte:02x}"));
        }
        text
    }
}

impl std::fmt::Debug for BackupKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BackupKey(..)")
    }
}

/// What a backup holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// When it was made.
    pub made: Timestamp,
    /// The version of the program that made it.
    pub program: String,
    /// Its files.
    pub files: Vec<HeldFile>,
    /// Its records.
    pub records: Vec<HeldRecord>,
}

/// A file in a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldFile {
    /// Its path below the installation, with `/`.
    pub path: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// Its SHA-256, in hexadecimal digits.
    pub sha256: String,
}

/// A record in a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldRecord {
    /// Its file.
    pub path: String,
    /// How many events it has.
    pub events: u64,
    /// Its head, in hexadecimal digits.
    pub head: String,
}

/// Backs an installation's folder up into a new file, which is durable when this returns. The folder may be in use.
///
/// The nonce must never be used twice with one key: draw it.
///
/// # Errors
/// A file can't be read or copied, or the backup can't be written; then there is none.
pub fn make(
    folder: &Path,
    to: &Path,
    key: &BackupKey,
    nonce: [u8; NONCE_BYTES],
    made: Timestamp,
    program: &str,
) -> Result<Manifest, BackupError> {
    let part = beside(to, ".part");
    let written = write(folder, &part, key, nonce, made, program).and_then(|manifest| {
        fs::rename(&part, to).map_err(system(to))?;
        if let Some(parent) = to.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            File::open(parent).and_then(|parent| parent.sync_all()).map_err(system(parent))?;
        }
        Ok(manifest)
    });
    if written.is_err() {
        // Half a backup is none; that it can't be removed either changes nothing.
        let _ = fs::remove_file(&part);
        let _ = fs::remove_file(beside(&part, SNAPSHOT));
    }
    written
}

fn write(
    folder: &Path,
    part: &Path,
    key: &BackupKey,
    nonce: [u8; NONCE_BYTES],
    made: Timestamp,
    program: &str,
) -> Result<Manifest, BackupError> {
    let file = File::create(part).map_err(system(part))?;
    let mut sealing = Sealing::begin(BufWriter::new(file), key, nonce).map_err(system(part))?;
    let mut manifest = Manifest { made, program: program.to_owned(), files: Vec::new(), records: Vec::new() };
    let is_database = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "sqlite");
    let databases: Vec<PathBuf> = files_below(folder)?.into_iter().filter(is_database).collect();
    for path in databases {
        add_file(folder, part, &path, &mut sealing, &mut manifest)?;
    }
    // Other files are listed once the databases are copied: what those name (attached files, wordings) was there before.
    for path in files_below(folder)?.into_iter().filter(|path| !is_database(path)) {
        add_file(folder, part, &path, &mut sealing, &mut manifest)?;
    }
    let text = serde_json::to_vec(&manifest).expect("a manifest is plain data");
    let file = sealing.entry(b'M', "", text.len() as u64).and_then(|()| sealing.write_all(&text));
    file.and_then(|()| sealing.finish()).and_then(|file| file.sync_all()).map_err(system(part))?;
    Ok(manifest)
}

/// Takes one file of the installation in: a database as of one moment, any other as it is.
fn add_file(
    folder: &Path,
    part: &Path,
    path: &Path,
    sealing: &mut Sealing<BufWriter<File>>,
    manifest: &mut Manifest,
) -> Result<(), BackupError> {
    let source = folder.join(path);
    let name = path.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/");
    let snapshot = beside(part, SNAPSHOT);
    let database = source.extension().is_some_and(|extension| extension == "sqlite");
    if database {
        copy_database(&source, &snapshot)?;
    }
    let taken = if database { &snapshot } else { &source };
    let added = add(sealing, &name, taken);
    if added.is_ok() && name.ends_with(RECORD_FILE) {
        manifest.records.push(held_record(&name, &source, &snapshot)?);
    }
    if database {
        fs::remove_file(&snapshot).map_err(system(&snapshot))?;
    }
    manifest.files.push(added.map_err(system(taken))?);
    Ok(())
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(end);
    path.with_file_name(name)
}

fn system(path: &Path) -> impl FnOnce(io::Error) -> BackupError + use<> {
    let path = path.to_owned();
    move |error| match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::DiskFull.into(),
        _ => BackupError::System { path, error },
    }
}

/// Returns the files of an installation by their paths below its folder, in order.
fn files_below(folder: &Path) -> Result<Vec<PathBuf>, BackupError> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(within) = folders.pop() {
        let path = folder.join(&within);
        for entry in fs::read_dir(&path).map_err(system(&path))? {
            let entry = entry.map_err(system(&path))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = within.join(entry.file_name());
            if entry.file_type().map_err(system(&path))?.is_dir() {
                if within.as_os_str().is_empty() && name == BACKUPS {
                    continue;
                }
                folders.push(path);
            } else if !LEFT_OUT.iter().any(|end| name.ends_with(end)) && name != KEY_FILE {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Copies a database as of one moment.
fn copy_database(from: &Path, to: &Path) -> Result<(), BackupError> {
    let file = StoreFile { path: from.to_owned() };
    if to.exists() {
        fs::remove_file(to).map_err(system(to))?;
    }
    let copied = (|| {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let source = Connection::open_with_flags(from, flags)?;
        source.busy_timeout(Duration::from_secs(10))?;
        let mut target = Connection::open(to)?;
        Backup::new(&source, &mut target)?.run_to_completion(i32::MAX, Duration::ZERO, None)?;
        // One file is all there is.
        target.pragma_update(None, "journal_mode", "DELETE")?;
        target.close().map_err(|(_, error)| error)
    })();
    copied.map_err(|error| file.error(error).into())
}

/// Reads a copied record's head. The copy lies under another name, so it is opened as the file it is.
fn held_record(name: &str, source: &Path, snapshot: &Path) -> Result<HeldRecord, BackupError> {
    let file = StoreFile { path: source.to_owned() };
    let connection = Connection::open_with_flags(snapshot, OpenFlags::SQLITE_OPEN_READ_ONLY)
        .map_err(|error| file.error(error))?;
    let head = SqliteReader::of(connection, file)?.head()?;
    Ok(HeldRecord { path: name.to_owned(), events: head.sequence, head: head.hash.to_string() })
}

fn add(sealing: &mut Sealing<BufWriter<File>>, name: &str, path: &Path) -> io::Result<HeldFile> {
    let mut file = File::open(path)?;
    let bytes = file.metadata()?.len();
    sealing.entry(b'F', name, bytes)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 64 << 10];
    let mut left = bytes;
    while left > 0 {
        let most = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let read = file.read(&mut buffer[..most])?;
        if read == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file became shorter meanwhile"));
        }
        hasher.update(&buffer[..read]);
        sealing.write_all(&buffer[..read])?;
        left -= read as u64;
    }
    Ok(HeldFile { path: name.to_owned(), bytes, sha256: hex(&hasher.finalize()) })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Restores a backup into a folder that is empty or does not exist, checks every file against the manifest and recomputes
/// every record.
///
/// # Errors
/// The key does not open it, it was altered, it is not whole, or the folder can't be written; then nothing is left of it.
pub fn restore(from: &Path, key: &BackupKey, to: &Path) -> Result<Manifest, BackupError> {
    if to.exists() && fs::read_dir(to).map_err(system(to))?.next().is_some() {
        return Err(BackupError::NotEmpty { path: to.to_owned() });
    }
    let part = beside(to, ".part");
    let restored = unpack(from, key, &part).and_then(|manifest| {
        for record in &manifest.records {
            check(&part, record)?;
        }
        if to.exists() {
            fs::remove_dir(to).map_err(system(to))?;
        }
        fs::rename(&part, to).map_err(system(to))?;
        Ok(manifest)
    });
    if restored.is_err() {
        let _ = fs::remove_dir_all(&part);
    }
    restored
}

fn check(folder: &Path, record: &HeldRecord) -> Result<(), BackupError> {
    let not_whole = |what: &str| BackupError::NotWhole { what: format!("{}: {what}", record.path) };
    let head: Hash = record.head.clone().try_into().map_err(|_| not_whole("its head is none"))?;
    let path = folder.join(&record.path);
    let report = verify(path.parent().unwrap_or(folder), Some(head))?;
    match report.first_fault {
        Some(fault) => Err(BackupError::Altered { path: record.path.clone(), fault }),
        None if report.events != record.events => Err(not_whole("it has another number of events")),
        None => Ok(()),
    }
}

fn unpack(from: &Path, key: &BackupKey, to: &Path) -> Result<Manifest, BackupError> {
    let mut opening = Opening::begin(from, key)?;
    fs::create_dir_all(to).map_err(system(to))?;
    let mut found = Vec::new();
    loop {
        let (kind, name, bytes) = opening.entry()?;
        match kind {
            b'F' => found.push(take(&mut opening, to, name, bytes)?),
            b'M' if bytes <= MANIFEST_BYTES_MAX => {
                let mut text = vec![0; usize::try_from(bytes).unwrap_or(0)];
                opening.read(&mut text)?;
                opening.end()?;
                let manifest: Manifest = serde_json::from_slice(&text)
                    .map_err(|error| BackupError::NotWhole { what: format!("its manifest: {error}") })?;
                if manifest.files != found {
                    let what = "its files are not those of its manifest".to_owned();
                    return Err(BackupError::NotWhole { what });
                }
                return Ok(manifest);
            }
            _ => return Err(BackupError::NotWhole { what: "it holds something unknown".to_owned() }),
        }
    }
}

fn take(opening: &mut Opening, to: &Path, name: String, bytes: u64) -> Result<HeldFile, BackupError> {
    let within = Path::new(&name);
    if !within.components().all(|part| matches!(part, Component::Normal(_))) {
        return Err(BackupError::NotWhole { what: format!("`{name}` is no path below a folder") });
    }
    let path = to.join(within);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(system(parent))?;
    }
    let mut file = File::create_new(&path).map_err(system(&path))?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 64 << 10];
    let mut left = bytes;
    while left > 0 {
        let most = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        opening.read(&mut buffer[..most])?;
        hasher.update(&buffer[..most]);
        file.write_all(&buffer[..most]).map_err(system(&path))?;
        left -= most as u64;
    }
    file.sync_all().map_err(system(&path))?;
    Ok(HeldFile { path: name, bytes, sha256: hex(&hasher.finalize()) })
}

/// Writes sealed blocks.
struct Sealing<W> {
    out: W,
    encryptor: EncryptorBE32<XChaCha20Poly1305>,
    block: Vec<u8>,
}

impl<W: Write> Sealing<W> {
    fn begin(mut out: W, key: &BackupKey, nonce: [u8; NONCE_BYTES]) -> io::Result<Self> {
        out.write_all(MAGIC)?;
        out.write_all(&nonce)?;
        let encryptor = EncryptorBE32::new(&(*key.0).into(), &nonce.into());
        Ok(Self { out, encryptor, block: Vec::with_capacity(BLOCK_BYTES) })
    }

    fn entry(&mut self, kind: u8, name: &str, bytes: u64) -> io::Result<()> {
        self.write_all(&[kind])?;
        self.write_all(&(name.len() as u32).to_be_bytes())?;
        self.write_all(name.as_bytes())?;
        self.write_all(&bytes.to_be_bytes())
    }

    fn write_all(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            // A full block is sealed only when more follows, so that the last one is never empty.
            if self.block.len() == BLOCK_BYTES {
                let payload = Payload { msg: &self.block, aad: MAGIC };
                let sealed = self.encryptor.encrypt_next(payload).map_err(io::Error::other)?;
                self.out.write_all(&sealed)?;
                self.block.clear();
            }
            let room = (BLOCK_BYTES - self.block.len()).min(bytes.len());
            let (now, later) = bytes.split_at(room);
            self.block.extend_from_slice(now);
            bytes = later;
        }
        Ok(())
    }
}

impl Sealing<BufWriter<File>> {
    fn finish(mut self) -> io::Result<File> {
        let payload = Payload { msg: &self.block, aad: MAGIC };
        let sealed = self.encryptor.encrypt_last(payload).map_err(io::Error::other)?;
        self.out.write_all(&sealed)?;
        self.out.into_inner().map_err(io::IntoInnerError::into_error)
    }
}

/// Reads sealed blocks.
struct Opening {
    path: PathBuf,
    file: BufReader<File>,
    decryptor: Option<DecryptorBE32<XChaCha20Poly1305>>,
    block: Vec<u8>,
    at: usize,
    /// The sealed block after the present one; a shorter one than others is the last.
    ahead: Vec<u8>,
}

impl Opening {
    fn begin(path: &Path, key: &BackupKey) -> Result<Self, BackupError> {
        let mut file = BufReader::new(File::open(path).map_err(system(path))?);
        let mut begin = [0; MAGIC.len() + NONCE_BYTES];
        let read = file.read_exact(&mut begin);
        if read.is_err() || !begin.starts_with(MAGIC) {
            return Err(BackupError::NotABackup { path: path.to_owned() });
        }
        let mut nonce = [0; NONCE_BYTES];
        nonce.copy_from_slice(&begin[MAGIC.len()..]);
        let decryptor = DecryptorBE32::new(&(*key.0).into(), &nonce.into());
        let ahead = next_block(&mut file).map_err(system(path))?;
        Ok(Self { path: path.to_owned(), file, decryptor: Some(decryptor), block: Vec::new(), at: 0, ahead })
    }

    fn altered(&self) -> BackupError {
        BackupError::KeyOrAltered { path: self.path.clone() }
    }

    fn fill(&mut self) -> Result<(), BackupError> {
        let after = next_block(&mut self.file).map_err(system(&self.path))?;
        let sealed = std::mem::replace(&mut self.ahead, after);
        let payload = Payload { msg: &sealed, aad: MAGIC };
        let opened = if self.ahead.is_empty() {
            self.decryptor.take().and_then(|decryptor| decryptor.decrypt_last(payload).ok())
        } else {
            self.decryptor.as_mut().and_then(|decryptor| decryptor.decrypt_next(payload).ok())
        };
        self.block = opened.ok_or_else(|| self.altered())?;
        self.at = 0;
        Ok(())
    }

    fn read(&mut self, mut into: &mut [u8]) -> Result<(), BackupError> {
        while !into.is_empty() {
            if self.at == self.block.len() {
                self.fill()?;
            }
            let most = into.len().min(self.block.len() - self.at);
            let (now, later) = into.split_at_mut(most);
            now.copy_from_slice(&self.block[self.at..self.at + most]);
            self.at += most;
            into = later;
        }
        Ok(())
    }

    fn entry(&mut self) -> Result<(u8, String, u64), BackupError> {
        let (mut kind, mut length, mut bytes) = ([0], [0; 4], [0; 8]);
        self.read(&mut kind)?;
        self.read(&mut length)?;
        let length = u32::from_be_bytes(length) as usize;
        if length > BLOCK_BYTES {
            return Err(BackupError::NotWhole { what: "a name in it is too long".to_owned() });
        }
        let mut name = vec![0; length];
        self.read(&mut name)?;
        self.read(&mut bytes)?;
        let name = String::from_utf8(name)
            .map_err(|_| BackupError::NotWhole { what: "a name in it is no text".to_owned() })?;
        Ok((kind[0], name, u64::from_be_bytes(bytes)))
    }

    fn end(&self) -> Result<(), BackupError> {
        let over = self.decryptor.is_none() && self.at == self.block.len();
        if over { Ok(()) } else { Err(self.altered()) }
    }
}

fn next_block(file: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut block = Vec::new();
    file.take((BLOCK_BYTES + TAG_BYTES) as u64).read_to_end(&mut block)?;
    Ok(block)
}
