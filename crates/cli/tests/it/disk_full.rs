//! A disk that is full: pages stay readable and say so, nothing acknowledged is lost, and saving goes on by itself once there
//! is room.

use std::{
    fs::{self, File},
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
    process::Command,
};

use record::{Fact, Reader};
use store::SqliteReader;
use tempfile::TempDir;

use crate::served_kill::{Served, ask, held_visit, log_in};

/// Serves from a small file system of its own, which only the server and who looks through its eyes can see.
fn serve_on_a_small_disk(at: &Path) -> Served {
    let script = "mount -t tmpfs -o size=160m tmpfs \"$1\" && \
                  exec \"$2\" serve --demo --listen 127.0.0.1:0 --data \"$1/data\"";
    // util-linux has unshare.
    let mut program = Command::new("unshare");
    program
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"])
        .arg(at)
        .arg(env!("CARGO_BIN_EXE_equipoise"));
    Served::start(program)
}

/// The record as it is now, copied to where its reader can open it: SQLite follows no path through another process's eyes.
fn copied(record: &Path) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    for file in ["record.sqlite", "record.sqlite-wal"] {
        fs::copy(record.join(file), copy.path().join(file)).unwrap();
    }
    copy
}

/// Writes until nothing more fits.
fn fill(path: &Path) {
    let mut file = File::create(path).unwrap();
    for length in [1 << 20, 4096, 1] {
        let block = vec![1; length];
        let full = loop {
            if let Err(error) = file.write_all(&block) {
                break error;
            }
        };
        assert_eq!(full.kind(), ErrorKind::StorageFull, "{full}");
    }
}

#[test]
// Shows: P11-10e-1
fn on_a_full_disk_pages_are_read_nothing_is_lost_and_saving_goes_on_once_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let mut served = serve_on_a_small_disk(folder.path());
    let seen = PathBuf::from(format!("/proc/{}/root{}", served.child.id(), folder.path().display()));
    let record = seen.join("data/studies/imatinib-open/record");
    let (session, token) = log_in(&served);
    let (subject, visit) = held_visit(copied(&record).path());
    let course = format!("/studies/imatinib-open/participants/{subject}");
    let queries = format!("{course}/forms/vital_signs/{visit}/0/queries");
    let write = |text: &str| {
        let form = format!("form-token={token}&item=weight&of=coordinator&text={text}");
        ask(&served.address, "POST", &queries, &session, &form).unwrap()
    };
    let read = |path: &str| ask(&served.address, "GET", path, &session, "").unwrap();
    let mut acknowledged = Vec::new();
    assert_eq!(write("before").0, 303);
    acknowledged.push("before".to_owned());
    fill(&seen.join("filler"));
    // What the write-ahead file has room for still is saved; then nothing is.
    let refused = (0..500).find_map(|number| {
        let text = format!("while-full-{number}");
        match write(&text) {
            (303, _) => {
                acknowledged.push(text);
                None
            }
            (status, answer) => Some((status, answer)),
        }
    });
    let (status, answer) = refused.expect("a full disk refuses a save at last");
    assert!(status >= 500 && answer.contains("disk is full"), "{status}: {answer}");
    let (status, page) = read(&course);
    assert!(status == 200 && page.contains("Read-only at present."), "{status}: {page}");
    assert_eq!(read("/health").0, 503);
    fs::remove_file(seen.join("filler")).unwrap();
    let (status, answer) = write("after");
    assert_eq!(status, 303, "{answer}");
    acknowledged.push("after".to_owned());
    let (status, page) = read(&course);
    assert!(status == 200 && !page.contains("Read-only at present."));
    assert_eq!(read("/health").0, 200);
    let record = copied(&record);
    let events = SqliteReader::open(record.path()).unwrap().read(1).unwrap();
    let texts: Vec<&String> = events
        .iter()
        .filter_map(|event| match &event.fact {
            Fact::QueryOpened { text, .. } => text.get(),
            _ => None,
        })
        .collect();
    for text in &acknowledged {
        assert_eq!(texts.iter().filter(|known| **known == text).count(), 1, "{text}");
    }
    let tried = texts.iter().filter(|text| text.starts_with("while-full")).count();
    assert_eq!(tried, acknowledged.len() - 2, "what was refused is not there");
    assert_eq!(store::verify(record.path(), None).unwrap().first_fault, None);
    served.child.kill().unwrap();
    served.child.wait().unwrap();
}
