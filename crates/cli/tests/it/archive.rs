//! What an archive holds: the whole record, in files that others read.

use std::{collections::BTreeMap, fs, path::Path};

use record::{Event, Fact, Reader};
use store::SqliteReader;

use crate::{demo, files, run};

fn table(path: &Path) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    reader.deserialize().map(Result::unwrap).collect()
}

#[test]
// Every value, time, actor and reason is compared with the store's.
// Shows: E6-4.2.5
fn p11_10b_an_archive_holds_every_event_value_and_signature_and_says_so_in_pages_and_tables() {
    let (folder, document) = demo(1);
    let trial = folder.path().join("imatinib-controlled");
    let out = folder.path().join("archive");
    let (data, to) = (trial.to_str().unwrap(), out.to_str().unwrap());
    let output = run(&["archive", "--data", data, "--out", to, "--json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(said["head"], document["studies"][0]["record"]["head"]);
    let events = SqliteReader::open(&trial.join("record")).unwrap().read(1).unwrap();
    // Read back, each event is the one in the store.
    let lines = fs::read_to_string(out.join("events.jsonl")).unwrap();
    let read: Vec<Event> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(read.len(), events.len());
    for (read, event) in read.iter().zip(&events) {
        assert_eq!(read, event);
    }
    // The tables say the same.
    let rows = table(&out.join("events.csv"));
    assert_eq!(rows.len(), events.len());
    for (row, event) in rows.iter().zip(&events) {
        assert_eq!(row["sequence"], event.sequence.to_string());
        assert_eq!(row["person"], event.by.person.as_str());
        assert_eq!(row["recorded_utc"], event.recorded.utc.to_string());
        let reason = event.reason.as_ref().and_then(|reason| reason.get().cloned()).unwrap_or_default();
        assert_eq!(row["reason"], reason);
    }
    let values = table(&out.join("values.csv"));
    let mut entries = values.iter();
    let mut corrections = 0;
    for event in &events {
        let (Fact::FormSectionSaved { key, changes } | Fact::FormSectionCorrected { key, changes }) =
            &event.fact
        else {
            continue;
        };
        for change in changes {
            let row = entries.next().expect("a row for every value");
            assert_eq!(
                (row["form"].as_str(), row["item"].as_str()),
                (key.form.as_str(), change.item.as_str())
            );
            assert_eq!(row["new"], change.new.get().unwrap().to_string());
            let old = change.old.as_ref().map(|old| old.get().unwrap().to_string()).unwrap_or_default();
            assert_eq!(row["old"], old);
            corrections += usize::from(row["corrected"] == "true");
        }
    }
    assert_eq!(entries.count(), 0);
    assert_eq!(said["values"], values.len());
    assert!(corrections > 10, "{corrections}");
    let signed =
        |event: &&Event| matches!(event.fact, Fact::VisitSigned { .. } | Fact::CasebookSigned { .. });
    let signatures = table(&out.join("signatures.csv"));
    let of_visits =
        signatures.iter().filter(|row| row["signed"].starts_with("visit ") || row["signed"] == "casebook");
    assert_eq!(of_visits.count(), events.iter().filter(signed).count());
    assert!(table(&out.join("codelists.csv")).len() > 10 && table(&out.join("items.csv")).len() > 100);
    // A corrected value is marked in the page, with what it was, why, and by whom.
    let corrected =
        events.iter().find(|event| matches!(event.fact, Fact::FormSectionCorrected { .. })).unwrap();
    let Fact::FormSectionCorrected { changes, .. } = &corrected.fact else { unreachable!() };
    let record::Stream::Subject(subject) = &corrected.stream else { panic!() };
    let page = fs::read_to_string(out.join(format!("participants/{subject}.html"))).unwrap();
    let at =
        page.find(&format!("#event-{}\"", corrected.sequence)).expect("the correction stands in the page");
    let line = &page[page[..at].rfind("<tr>").unwrap()..at + 200];
    assert!(line.contains("changed since first entry"), "{line}");
    assert!(line.contains(&changes[0].old.as_ref().unwrap().get().unwrap().to_string()), "{line}");
    assert!(
        line.contains(corrected.reason.as_ref().unwrap().get().unwrap())
            && line.contains(corrected.by.person.as_str())
    );
    let signature = events
        .iter()
        .find(|event| event.stream == corrected.stream && matches!(event.fact, Fact::VisitSigned { .. }));
    let Fact::VisitSigned { meaning, content_digest, .. } = &signature.unwrap().fact else { unreachable!() };
    assert!(page.contains(meaning.as_str()) && page.contains(content_digest.as_str()));
    // No arm stands in it that is not in the record's opening, and the same record gives the same bytes.
    let again = folder.path().join("again");
    assert!(run(&["archive", "--data", data, "--out", again.to_str().unwrap()]).status.success());
    for path in files(&out) {
        let same = again.join(path.strip_prefix(&out).unwrap());
        assert_eq!(fs::read(&path).unwrap(), fs::read(same).unwrap(), "{}", path.display());
    }
    assert_eq!(run(&["archive", "--data", data, "--out", to]).status.code(), Some(1), "never over another");
    // Hashes: what was altered, lost or put in is named.
    assert!(run(&["archive", "--check", to]).status.success());
    let checked = |what: &str| {
        let output = run(&["archive", "--check", to]);
        assert_eq!(output.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&output.stdout).contains(what), "{what}");
    };
    let csv = out.join("values.csv");
    let whole = fs::read(&csv).unwrap();
    fs::write(&csv, String::from_utf8_lossy(&whole).replacen("entered", "derived", 1)).unwrap();
    checked("values.csv was altered");
    fs::remove_file(&csv).unwrap();
    checked("values.csv is missing");
    fs::write(&csv, whole).unwrap();
    fs::write(out.join("participants/99-001.html"), "<p>forged</p>").unwrap();
    checked("participants/99-001.html was put in");
}

#[test]
fn a_record_that_was_altered_is_not_archived() {
    let (folder, _) = demo(2);
    let trial = folder.path().join("imatinib-open");
    let file = rusqlite::Connection::open(trial.join("record/record.sqlite")).unwrap();
    file.execute_batch("drop trigger if exists events_are_never_updated").unwrap();
    let triggers: Vec<String> = {
        let mut statement = file.prepare("select name from sqlite_master where type = 'trigger'").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    };
    for trigger in triggers {
        file.execute_batch(&format!("drop trigger \"{trigger}\"")).unwrap();
    }
    drop(file);
    let out = folder.path().join("archive");
    let output = run(&["archive", "--data", trial.to_str().unwrap(), "--out", out.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("no archive is made of it") && said.contains("trigger"), "{said}");
    assert!(!out.exists());
}
