//! What should never have been entered is taken out of an installation, with who approved it and why.

use std::{fs, path::Path};

use conduct::{Action, Command};
use record::{Actor, AttachedFile, Environment, Fact, FileKey, FormKey, Reader};
use server::{Installation, training};
use store::{SqliteReader, files::Files};
use terms::{Date, SiteTime, VisitId};

use crate::{files, run, study_files};

const STUDY: &str = "imatinib-open";
const SCAN: &[u8] = b"%PDF-1.7 a letter with a name in it";

fn said(arguments: &[&str]) -> (bool, String) {
    let output = run(arguments);
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}

/// A training copy with a file on a form; returns the event that attached it.
fn installation(folder: &Path) -> (u64, AttachedFile) {
    let today = Date::constant(2031, 5, 20);
    let opened = training::opened_before(today, 3);
    training::make(&folder.join("studies"), &study_files(STUDY), 7, opened, today).unwrap();
    let noon = today.at(12, 0, 0, 0).in_tz("UTC").unwrap().timestamp();
    let (mut house, _) = Installation::open(folder, Environment::Rehearsal, Box::new(move || noon)).unwrap();
    house.make_ready_accounts("several words make a good one").unwrap();
    let running = &house.studies[STUDY];
    let form = FormKey { visit: Some(VisitId::from("Scr")), form: "vital_signs".into(), row: 0 };
    let (subject, site) = {
        let state = running.state();
        let begun = state.casebooks.values().find(|casebook| casebook.forms.contains_key(&form)).unwrap();
        (begun.subject.clone(), begun.site.clone())
    };
    let key = FileKey::from_bytes([5; 32]);
    let sha256 = running.files().keep(SCAN, &key).unwrap();
    let file = AttachedFile {
        name: "letter <script>alert(7)</script>.pdf".to_owned(),
        media_type: "application/pdf".to_owned(),
        bytes: SCAN.len() as u64,
        sha256,
        key: Some(key),
    };
    let command = Command {
        by: Actor { person: format!("coordinator.{site}").as_str().into(), role: "coordinator".into() },
        happened: today.into(),
        at: SiteTime::at(noon, "UTC").unwrap(),
        origin: "web".to_owned(),
        reason: None,
        subject: Some(subject),
        expected_position: None,
        action: Action::AttachFile { key: form, file: file.clone() },
    };
    let receipts = running.give(vec![command], None).unwrap();
    let mut events = receipts.iter().flat_map(|receipt| &receipt.events);
    let attached = events.find(|event| matches!(event.fact, Fact::FileAttached { .. })).unwrap();
    (attached.sequence, file)
}

fn stands_anywhere(folder: &Path, words: &[u8]) -> bool {
    files(folder)
        .iter()
        .any(|path| fs::read(path).unwrap().windows(words.len()).any(|window| window == words))
}

#[test]
// Shows: E6-4.2.2b
fn an_attached_file_is_redacted_with_its_key_and_its_commitment_stays() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let (sequence, file) = installation(folder.path());
    let record = folder.path().join("studies").join(STUDY).join("record");
    let number = sequence.to_string();
    let head = store::verify(&record, None).unwrap().head;
    assert!(!stands_anywhere(folder.path(), SCAN), "what is in the file stands nowhere in the clear");
    assert!(stands_anywhere(folder.path(), file.name.as_bytes()));
    let held = Files::of(&record).read(&file).unwrap();
    assert_eq!(held, store::files::Held::Whole(SCAN.to_vec()));
    // The archive holds the file as it is, and its name as text.
    let study = folder.path().join("studies").join(STUDY);
    let before = tempfile::tempdir().unwrap();
    let archive = |to: &Path| {
        let archived = ["archive", "--data", study.to_str().unwrap(), "--out", to.to_str().unwrap()];
        let (done, text) = said(&archived);
        assert!(done, "{text}");
    };
    archive(before.path());
    assert_eq!(fs::read(before.path().join("files").join(&file.sha256)).unwrap(), SCAN);
    let pages =
        files(before.path()).into_iter().filter(|path| path.extension().is_some_and(|end| end == "html"));
    let pages: String = pages.map(|path| fs::read_to_string(path).unwrap()).collect();
    assert!(pages.contains("letter &lt;script&gt;") && !pages.contains("<script>alert(7)"));
    let redact = ["redact", "--data", data, "--study", STUDY, "--event", &number];
    let (done, text) = said(&redact);
    assert!(!done && text.contains("letter <script>") && text.contains("   1  fact.file"), "{text}");
    let of = |by: &'static str, approver: &'static str, reason: &'static str| {
        [&redact[..], &["--content", "1", "--by", by, "--approved-by", approver, "--reason", reason]].concat()
    };
    for (arguments, why) in [
        (of("monitor", "administrator", "a name"), "is no administrator"),
        (of("administrator", "administrator", "a name"), "another person"),
        (of("administrator", "nobody", "a name"), "no active account nobody"),
        (of("administrator", "data_manager", " "), "say why"),
    ] {
        let (done, text) = said(&arguments);
        assert!(!done && text.contains(why), "{text}");
    }
    assert_eq!(store::verify(&record, None).unwrap().head, head, "what was refused wrote nothing");
    let (done, text) = said(&of("administrator", "data_manager", "the letter names the participant"));
    assert!(done && text.contains("The attached file was removed"), "{text}");
    assert_eq!(fs::read_dir(record.join("files")).unwrap().count(), 0);
    let key = serde_json::to_value(file.key.as_ref().unwrap()).unwrap();
    for gone in [file.name.as_bytes(), file.sha256.as_bytes(), key.as_str().unwrap().as_bytes()] {
        assert!(!stands_anywhere(folder.path(), gone), "{}", String::from_utf8_lossy(gone));
    }
    // The record is whole, says who, and is archived and backed up as before.
    assert_eq!(store::verify(&record, None).unwrap().first_fault, None);
    let last = SqliteReader::open(&record).unwrap().event(head.sequence + 1).unwrap().unwrap();
    assert!(matches!(&last.fact, Fact::ContentRedacted { sequence: of, cell: 1, approver }
        if *of == sequence && *approver == *"data_manager"));
    assert_eq!(last.reason.unwrap().get().unwrap(), "the letter names the participant");
    let (done, text) = said(&of("administrator", "data_manager", "again"));
    assert!(!done && text.contains("redacted already"), "{text}");
    let after = tempfile::tempdir().unwrap();
    archive(after.path());
    assert!(!stands_anywhere(after.path(), SCAN) && !stands_anywhere(after.path(), file.name.as_bytes()));
    let backups = tempfile::tempdir().unwrap();
    let (done, text) = said(&["backup", "--data", data, "--to", backups.path().to_str().unwrap()]);
    assert!(done, "{text}");
    let backup = files(backups.path()).pop().unwrap();
    let key = folder.path().join("backup.key");
    let restore = ["restore", backup.to_str().unwrap(), "--key", key.to_str().unwrap(), "--verify"];
    let (done, text) = said(&restore);
    assert!(done && text.contains("The backup is good"), "{text}");
}
