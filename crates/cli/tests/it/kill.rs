//! A demo killed at any moment leaves a record that verifies and holds all that was acknowledged.

use std::{fs, io::Read, process::Stdio, thread, time::Instant};

use store::SqliteReader;

use crate::equipoise;

/// Moments at which the demo is killed.
const KILLS: u32 = 50;

#[test]
#[expect(clippy::disallowed_methods, reason = "the moments are spread over the time that a whole run takes")]
fn a_killed_demo_loses_nothing_that_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let began = Instant::now();
    let whole = folder.path().join("whole");
    let status = equipoise()
        .args(["demo", "--no-pdf", "--no-story", "--json", "--out"])
        .arg(&whole)
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    let lasts = began.elapsed();
    let mut found_events = 0;
    for kill in 0..KILLS {
        let out = folder.path().join(format!("kill-{kill}"));
        let told = folder.path().join(format!("told-{kill}"));
        let mut child = equipoise()
            .args(["demo", "--no-pdf", "--no-story", "--json", "--seed", &kill.to_string(), "--out"])
            .arg(&out)
            .arg("--acknowledgements")
            .arg(&told)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Spread over the whole run by the golden ratio, so that no two fall together.
        let share = (f64::from(kill) * 0.618_033_988_75).fract();
        thread::sleep(lasts.mul_f64(share));
        let _ = child.kill();
        child.wait().unwrap();
        let mut acknowledged = String::new();
        if let Ok(mut file) = fs::File::open(&told) {
            file.read_to_string(&mut acknowledged).unwrap();
        }
        // A line that the kill cut short was not acknowledged to anyone.
        let whole_lines = acknowledged.rfind('\n').map_or("", |end| &acknowledged[..end]);
        for id in ["imatinib-open", "imatinib-controlled"] {
            let record = out.join(id).join("record");
            let last = whole_lines.lines().rfind(|line| line.starts_with(&format!("{id} ")));
            if !record.join("record.sqlite").exists() {
                assert_eq!(last, None, "{id}: acknowledged events are gone");
                continue;
            }
            let report = store::verify(&record, None).unwrap();
            assert_eq!(report.first_fault, None, "{id} killed after {share} of the run");
            found_events += report.events;
            if let Some(line) = last {
                let mut parts = line.split(' ').skip(1);
                let sequence: u64 = parts.next().unwrap().parse().unwrap();
                let reader = SqliteReader::open(&record).unwrap();
                let head = record::Reader::head_at(&reader, sequence).unwrap().expect("the event is there");
                assert_eq!(String::from(head.hash), parts.next().unwrap());
            }
        }
    }
    assert!(found_events > 0, "no kill came late enough to leave events");
}
