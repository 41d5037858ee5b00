//! What `verify` says of a record that was touched.

use rusqlite::Connection;

use crate::{demo, run};

#[test]
fn a_touched_record_is_found_and_the_first_altered_thing_named() {
    let (folder, document) = demo(1);
    let trial = folder.path().join("imatinib-open");
    let data = trial.to_str().unwrap();
    let head = document["studies"][1]["record"]["head"].as_str().unwrap();
    assert!(run(&["verify", "--data", data, "--expect-head", head]).status.success());

    let file = Connection::open(trial.join("record/record.sqlite")).unwrap();
    let events: i64 = file.query_row("select count(*) from events", [], |row| row.get(0)).unwrap();
    let triggers: Vec<String> = {
        let mut statement = file.prepare("select name from sqlite_master where type = 'trigger'").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    };
    for trigger in triggers {
        file.execute_batch(&format!("drop trigger \"{trigger}\"")).unwrap();
    }
    file.execute(
        "update events set body = cast(replace(cast(body as text), 'person', 'persoo') as blob) where sequence = 500",
        [],
    )
    .unwrap();
    drop(file);
    let output = run(&["verify", "--data", data, "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["verified"], false);
    assert!(report["first_fault"].as_str().unwrap().contains("500"), "{report:#} of {events}");
}

#[test]
fn a_folder_without_a_record_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(&["verify", "--data", folder.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("holds no record"));
}

#[test]
fn a_head_that_is_no_hash_is_refused() {
    let output = run(&["verify", "--data", ".", "--expect-head", "abc"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("64 hexadecimal digits"));
}
