//! Whatever is done to a stored record with outside tools is refused, or found and named.

use proptest::prelude::*;
use record::Fault as InRecord;
use record::encoding::{Encoded, encode};
use record::{Event, Head};
use rusqlite::{Connection, params};
use store::{Fault, verify};

use crate::sample::{EVENTS, Sample, salts, triggers};

fn fault(sample: &Sample) -> Option<Fault> {
    verify(sample.path(), None).unwrap().first_fault
}

fn in_record(fault: InRecord) -> Option<Fault> {
    Some(Fault::Record(fault))
}

#[test]
fn an_untouched_store_has_no_fault() {
    let sample = Sample::new();
    let report = verify(sample.path(), Some(sample.head.hash)).unwrap();
    assert_eq!((report.events, report.head, report.first_fault), (6, sample.head, None));
}

#[test]
fn plain_tools_are_refused() {
    let sample = Sample::new();
    let connection = sample.guarded();
    for sql in [
        "UPDATE events SET body = x'00' WHERE sequence = 2",
        "UPDATE events SET position = 9 WHERE sequence = 2",
        "DELETE FROM events WHERE sequence = 6",
        "DELETE FROM events",
        "INSERT OR REPLACE INTO events SELECT * FROM events WHERE sequence = 2",
        "INSERT INTO events SELECT 9, stream, 9, body, hash FROM events WHERE sequence = 2",
        "INSERT OR REPLACE INTO events SELECT 7, stream, 1, body, hash FROM events WHERE sequence = 2",
        "UPDATE contents SET content = x'31' WHERE sequence = 3",
        "UPDATE contents SET salt = NULL, content = NULL WHERE sequence = 3",
        "UPDATE contents SET salt = NULL, content = NULL, cell = 3 WHERE sequence = 2 AND cell = 2",
        "DELETE FROM contents",
        "INSERT OR REPLACE INTO contents SELECT * FROM contents WHERE sequence = 3",
        "UPDATE store SET environment = 'live'",
        "DELETE FROM store",
        "INSERT OR REPLACE INTO store VALUES (1, 'live')",
        "UPDATE migrations SET name = 'x'",
        "DELETE FROM migrations",
    ] {
        assert!(connection.execute(sql, []).is_err(), "{sql}");
    }
    assert_eq!(fault(&sample), None);
}

/// Flips each byte of a column in each row that has one, and asks for the faults that are due.
fn flip(table: &str, column: &str, due: impl Fn(i64, i64, usize) -> Vec<InRecord>) {
    let sample = Sample::new();
    let connection = sample.unguarded();
    let cell = if table == "contents" { "cell" } else { "0" };
    let select = format!("SELECT sequence, {cell}, {column} FROM {table} WHERE {column} IS NOT NULL");
    let rows: Vec<(i64, i64, Vec<u8>)> = connection
        .prepare(&select)
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert!(rows.len() >= 5);
    let sql = format!("UPDATE {table} SET {column} = ?1 WHERE sequence = ?2 AND {cell} = ?3");
    let mut update = connection.prepare(&sql).unwrap();
    for (sequence, cell, bytes) in rows {
        for at in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[at] ^= 1 << (at % 8);
            update.execute(params![altered, sequence, cell]).unwrap();
            let found = fault(&sample);
            let named = due(sequence, cell, at).into_iter().any(|due| found == Some(Fault::Record(due)));
            assert!(named, "byte {at} of {column} of event {sequence}, cell {cell}: {found:?}");
        }
        update.execute(params![bytes, sequence, cell]).unwrap();
    }
}

#[test]
fn each_byte_of_a_body_counts() {
    flip("events", "body", |sequence, _, _| match sequence {
        EVENTS => vec![InRecord::BodyOrHash { sequence }],
        2 => vec![InRecord::BodyOrRedacted { sequence }, InRecord::Body { sequence }],
        _ => vec![InRecord::Body { sequence }],
    });
}

#[test]
fn each_byte_of_a_hash_counts() {
    flip("events", "hash", |sequence, _, _| match sequence {
        EVENTS => vec![InRecord::BodyOrHash { sequence }],
        _ => vec![InRecord::EventHash { sequence }],
    });
}

#[test]
// Shows: P11-10a-2
fn each_byte_of_a_content_counts() {
    flip("contents", "content", |sequence, cell, _| vec![InRecord::Content { sequence, cell }]);
}

#[test]
fn each_byte_of_a_salt_counts() {
    flip("contents", "salt", |sequence, cell, _| vec![InRecord::Content { sequence, cell }]);
}

#[test]
fn each_byte_of_a_commitment_counts() {
    flip("contents", "commitment", |sequence, cell, _| match (sequence, cell) {
        (2, 2) => vec![InRecord::BodyOrRedacted { sequence }],
        _ => vec![InRecord::Commitment { sequence, cell }],
    });
}

#[test]
// Shows: P11-10a-2, P11-10e-3
fn each_other_alteration_is_named() {
    let cases: &[(&str, Option<Fault>)] = &[
        (
            "UPDATE events SET stream = 'supply' WHERE sequence = 3",
            in_record(InRecord::Column { sequence: 3, column: "stream" }),
        ),
        (
            "UPDATE events SET position = 7 WHERE sequence = 3",
            in_record(InRecord::Column { sequence: 3, column: "position" }),
        ),
        (
            "UPDATE contents SET cell = 3 WHERE sequence = 3 AND cell = 2",
            in_record(InRecord::CellMissing { sequence: 3, cell: 2 }),
        ),
        (
            "DELETE FROM contents WHERE sequence = 3 AND cell = 1",
            in_record(InRecord::CellMissing { sequence: 3, cell: 1 }),
        ),
        (
            "INSERT INTO contents SELECT 3, 3, commitment, salt, content FROM contents WHERE sequence = 3 AND cell = 1",
            in_record(InRecord::CellStray { sequence: 3, cell: 3 }),
        ),
        (
            "INSERT INTO contents SELECT 9, 1, commitment, salt, content FROM contents WHERE sequence = 3 AND cell = 1",
            Some(Fault::StrayCell { sequence: 9, cell: 1 }),
        ),
        (
            "UPDATE contents SET salt = NULL, content = NULL WHERE sequence = 3 AND cell = 2",
            in_record(InRecord::Emptied { sequence: 3, cell: 2 }),
        ),
        (
            "UPDATE contents SET salt = NULL WHERE sequence = 3 AND cell = 2",
            in_record(InRecord::Content { sequence: 3, cell: 2 }),
        ),
        (
            "UPDATE store SET environment = 'live'",
            in_record(InRecord::Environment { begun: record::Environment::Rehearsal }),
        ),
        ("DELETE FROM store", Some(Fault::Environment)),
        (
            "DROP TABLE contents",
            Some(Fault::Schema { kind: "table".into(), name: "contents".into(), done: "removed" }),
        ),
        (
            "UPDATE migrations SET sha256 = zeroblob(32); CREATE TABLE notes (note TEXT)",
            Some(Fault::Schema { kind: "table".into(), name: "notes".into(), done: "put in" }),
        ),
        ("UPDATE migrations SET sha256 = zeroblob(32)", Some(Fault::Migration { number: 1 })),
    ];
    for (sql, due) in cases {
        let sample = Sample::new();
        let triggers = triggers(&sample.guarded());
        let connection = sample.unguarded();
        connection.execute_batch(sql).unwrap();
        if !sql.starts_with("DROP TABLE") {
            triggers.iter().for_each(|(_, text)| connection.execute_batch(text).unwrap());
        }
        assert_eq!(fault(&sample), *due, "{sql}");
    }
}

#[test]
// Shows: P11-10e-3
fn a_lost_trigger_is_named() {
    let sample = Sample::new();
    let names: Vec<_> = triggers(&sample.guarded());
    assert!(names.len() >= 9);
    for (name, text) in names {
        let connection = sample.guarded();
        connection.execute_batch(&format!("DROP TRIGGER {name}")).unwrap();
        let removed = Fault::Schema { kind: "trigger".into(), name: name.clone(), done: "removed" };
        assert_eq!(fault(&sample), Some(removed));
        connection
            .execute_batch(
                &text.replace("raise(ABORT", "raise(IGNORE").replace("raise(IGNORE, ", "nullif(1, "),
            )
            .unwrap();
        let altered = Fault::Schema { kind: "trigger".into(), name: name.clone(), done: "altered" };
        assert_eq!(fault(&sample), Some(altered));
        connection.execute_batch(&format!("DROP TRIGGER {name}; {text}")).unwrap();
        assert_eq!(fault(&sample), None);
    }
}

/// Moves events and their contents to other sequences; -1 leaves one out, doubles are copies.
fn rearrange(connection: &Connection, order: &[i64]) {
    connection
        .execute_batch(
            "CREATE TEMP TABLE e AS SELECT * FROM events; CREATE TEMP TABLE c AS SELECT * FROM contents;
             DELETE FROM contents; DELETE FROM events; ",
        )
        .unwrap();
    for (to, from) in (1_i64..).zip(order) {
        // A copy takes a stream of its own, as the file allows no two events in one place.
        let sql = "INSERT INTO events SELECT ?1, stream ||
            CASE WHEN EXISTS (SELECT 1 FROM events WHERE events.stream = e.stream AND events.position = e.position)
            THEN '/' || ?1 ELSE '' END, position, body, hash FROM e WHERE sequence = ?2";
        connection.execute(sql, [to, *from]).unwrap();
        let sql =
            "INSERT INTO contents SELECT ?1, cell, commitment, salt, content FROM c WHERE sequence = ?2";
        connection.execute(sql, [to, *from]).unwrap();
    }
}

/// Replaces the events from `from` on by altered ones with right hashes, as a forger would who knows the format.
fn forge(connection: &Connection, from: i64) {
    let reader = "SELECT body, hash FROM events WHERE sequence = ?1";
    let row = |sequence: i64| -> (Vec<u8>, [u8; 32]) {
        connection.query_row(reader, [sequence], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
    };
    let mut head = match from {
        1 => Head::of_empty(record::Environment::Rehearsal),
        _ => Head { sequence: from as u64 - 1, hash: record::Hash::from_bytes(row(from - 1).1) },
    };
    for sequence in from..=EVENTS {
        let text = String::from_utf8(row(sequence).0).unwrap().replace("rehearsal", "web");
        let cells = connection
            .prepare("SELECT commitment, salt, content FROM contents WHERE sequence = ?1 ORDER BY cell")
            .unwrap()
            .query_map([sequence], |row| {
                let salt: Option<[u8; 32]> = row.get(1)?;
                let opening = salt.zip(row.get::<_, Option<Vec<u8>>>(2)?);
                let opening = opening.map(|(salt, content)| record::encoding::Opening { salt, content });
                Ok(record::encoding::Cell { commitment: record::Hash::from_bytes(row.get(0)?), opening })
            })
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        let encoded = Encoded { body: text.into_bytes(), cells };
        head = head.after(&encoded);
        let sql = "UPDATE events SET body = ?1, hash = ?2 WHERE sequence = ?3";
        connection.execute(sql, params![encoded.body, head.hash.as_bytes(), sequence]).unwrap();
    }
}

/// Puts back the triggers, as a forger would.
fn cover_up(sample: &Sample, connection: &Connection) {
    for (_, text) in triggers(&Sample::new().guarded()) {
        connection.execute_batch(&text).unwrap();
    }
    assert_eq!(triggers(connection).len(), triggers(&sample.guarded()).len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_deleted_event_is_named(at in 1..EVENTS) {
        let sample = Sample::new();
        sample.unguarded().execute_batch(&format!(
            "DELETE FROM contents WHERE sequence = {at}; DELETE FROM events WHERE sequence = {at}"
        )).unwrap();
        prop_assert_eq!(fault(&sample), in_record(InRecord::Missing { sequence: at }));
    }

    #[test]
    fn a_deleted_event_whose_gap_was_closed_is_named(at in 1..EVENTS) {
        let sample = Sample::new();
        let order: Vec<_> = (1..=EVENTS).filter(|sequence| *sequence != at).collect();
        rearrange(&sample.unguarded(), &order);
        prop_assert_eq!(fault(&sample), in_record(InRecord::Misplaced { sequence: at, found: at + 1 }));
    }

    #[test]
    fn a_duplicated_event_is_named(of in 1..=EVENTS, after in 0..EVENTS) {
        let sample = Sample::new();
        let to = (of + after).min(EVENTS);
        let mut order: Vec<_> = (1..=EVENTS).collect();
        order.insert(to as usize, of);
        rearrange(&sample.unguarded(), &order);
        prop_assert_eq!(fault(&sample), in_record(InRecord::Duplicate { sequence: to + 1, of }));
    }

    #[test]
    fn swapped_events_are_named(one in 1..=EVENTS, other in 1..=EVENTS) {
        prop_assume!(one != other);
        let sample = Sample::new();
        let mut order: Vec<_> = (1..=EVENTS).collect();
        order.swap(one as usize - 1, other as usize - 1);
        rearrange(&sample.unguarded(), &order);
        let (first, second) = (one.min(other), one.max(other));
        prop_assert_eq!(fault(&sample), in_record(InRecord::Misplaced { sequence: first, found: second }));
    }

    #[test]
    fn a_changed_event_is_named(at in 1..EVENTS, origin in "[a-z]{1,8}") {
        prop_assume!(origin != "rehearsal");
        let sample = Sample::new();
        let connection = sample.unguarded();
        let body: Vec<u8> = connection.query_row("SELECT body FROM events WHERE sequence = ?1", [at], |row| row.get(0)).unwrap();
        let body = String::from_utf8(body).unwrap().replace("\"rehearsal\"", &format!("\"{origin}\""));
        connection.execute("UPDATE events SET body = ?1 WHERE sequence = ?2", params![body.into_bytes(), at]).unwrap();
        let due = if at == 2 { InRecord::BodyOrRedacted { sequence: at } } else { InRecord::Body { sequence: at } };
        prop_assert_eq!(fault(&sample), in_record(due));
    }

    #[test]
    fn a_cut_tail_is_found_by_the_expected_head_alone(kept in 0..EVENTS) {
        let sample = Sample::new();
        let connection = sample.unguarded();
        // The redaction is cut off as well, so the forger redacts nothing that shows.
        let order: Vec<_> = (1..=kept).collect();
        rearrange(&connection, &order);
        connection.execute_batch("DROP TABLE temp.e; DROP TABLE temp.c;").unwrap();
        cover_up(&sample, &connection);
        let alone = fault(&sample);
        let due = (kept >= 2).then_some(Fault::Record(InRecord::Emptied { sequence: 2, cell: 2 }));
        prop_assert_eq!(alone, due);
        if kept < 2 {
            let found = verify(sample.path(), Some(sample.head.hash)).unwrap().first_fault;
            let cut = matches!(found, Some(Fault::Record(InRecord::Head { expected_at: None, .. })));
            prop_assert!(cut, "{:?}", found);
        }
    }

    #[test]
    fn a_forged_suffix_is_found_by_the_expected_head_alone(from in 1..=EVENTS) {
        let sample = Sample::new();
        let connection = sample.unguarded();
        forge(&connection, from);
        cover_up(&sample, &connection);
        prop_assert_eq!(fault(&sample), None);
        let found = verify(sample.path(), Some(sample.head.hash)).unwrap().first_fault;
        let forged = matches!(found, Some(Fault::Record(InRecord::Head { expected_at: None, .. })));
        prop_assert!(forged, "{:?}", found);
    }

    #[test]
    fn a_flipped_byte_of_the_file_is_noticed_or_changes_nothing(place in 0.0..1.0f64, bit in 0..8u8) {
        let sample = Sample::new();
        let before = read_all(&sample).unwrap();
        let mut bytes = std::fs::read(sample.file()).unwrap();
        let at = (place * bytes.len() as f64) as usize;
        bytes[at] ^= 1 << bit;
        std::fs::write(sample.file(), bytes).unwrap();
        let passes = verify(sample.path(), None).is_ok_and(|report| report.first_fault.is_none());
        prop_assert!(!passes || read_all(&sample) == Some(before), "byte {}", at);
    }
}

fn read_all(sample: &Sample) -> Option<Vec<Event>> {
    use store::{Reader, SqliteReader};
    SqliteReader::open(sample.path()).ok()?.read(1).ok()
}

#[test]
fn an_event_that_a_forger_adds_is_found_by_the_expected_head_alone() {
    let sample = Sample::new();
    let connection = sample.guarded();
    let mut added = read_all(&sample).unwrap().pop().unwrap();
    added.sequence += 1;
    added.position += 1;
    added.fact = record::Fact::SubjectScreened;
    let encoded = encode(&added, &mut salts()).unwrap();
    let head = sample.head.after(&encoded);
    let sql = "INSERT INTO events VALUES (?1, ?2, ?3, ?4, ?5)";
    let (stream, position) = (added.stream.to_string(), added.position as i64);
    connection
        .execute(sql, params![EVENTS + 1, stream, position, encoded.body, head.hash.as_bytes()])
        .unwrap();
    for (number, cell) in (1_i64..).zip(&encoded.cells) {
        let opening = cell.opening.as_ref().unwrap();
        let sql = "INSERT INTO contents VALUES (?1, ?2, ?3, ?4, ?5)";
        let row = params![EVENTS + 1, number, cell.commitment.as_bytes(), opening.salt, opening.content];
        connection.execute(sql, row).unwrap();
    }
    assert_eq!(fault(&sample), None);
    let found = verify(sample.path(), Some(sample.head.hash)).unwrap().first_fault.unwrap();
    assert_eq!(found.to_string(), "1 events follow event 6, which has the expected head");
}

#[test]
fn in_a_long_record_whose_halves_are_verified_at_once_each_alteration_is_named_all_the_same() {
    const LAST: i64 = 600;
    let sample = Sample::long();
    let whole = verify(sample.path(), Some(sample.head.hash)).unwrap();
    assert_eq!((whole.events, whole.head, whole.first_fault), (600, sample.head, None));
    let connection = sample.unguarded();
    let blob = |sql: &str, sequence: i64| -> Vec<u8> {
        connection.query_row(sql, [sequence], |row| row.get(0)).unwrap()
    };
    // Around the middle, and deep in each half.
    for sequence in [1, 2, 100, 299, 300, 301, 302, 450, LAST - 1, LAST] {
        for column in ["body", "hash"] {
            let before = blob(&format!("SELECT {column} FROM events WHERE sequence = ?1"), sequence);
            let mut altered = before.clone();
            altered[7] ^= 1;
            let update = format!("UPDATE events SET {column} = ?1 WHERE sequence = ?2");
            connection.execute(&update, params![altered, sequence]).unwrap();
            let report = verify(sample.path(), None).unwrap();
            let due = match (column, sequence) {
                (_, LAST) => InRecord::BodyOrHash { sequence },
                ("hash", _) => InRecord::EventHash { sequence },
                (_, 2) => InRecord::BodyOrRedacted { sequence },
                _ => InRecord::Body { sequence },
            };
            assert_eq!(report.first_fault, in_record(due), "{column} of {sequence}");
            assert_eq!(report.events + 1, sequence.unsigned_abs());
            connection.execute(&update, params![before, sequence]).unwrap();
        }
        let position: i64 = connection
            .query_row("SELECT position FROM events WHERE sequence = ?1", [sequence], |row| row.get(0))
            .unwrap();
        let update = "UPDATE events SET position = ?1 WHERE sequence = ?2";
        connection.execute(update, [position + 1000, sequence]).unwrap();
        let due = InRecord::Column { sequence, column: "position" };
        assert_eq!(fault(&sample), in_record(due), "position of {sequence}");
        connection.execute(update, [position, sequence]).unwrap();
    }
    // Two alterations: the first is named, in whichever half it lies.
    connection.execute("UPDATE events SET stream = 'supply' WHERE sequence IN (250, 400)", []).unwrap();
    assert_eq!(fault(&sample), in_record(InRecord::Column { sequence: 250, column: "stream" }));
    connection.execute("UPDATE events SET stream = 'subject/05-001' WHERE sequence = 250", []).unwrap();
    assert_eq!(fault(&sample), in_record(InRecord::Column { sequence: 400, column: "stream" }));
    connection.execute("UPDATE events SET stream = 'subject/05-002' WHERE sequence = 400", []).unwrap();
    // All that is left are the triggers, which had to go for this.
    assert!(matches!(fault(&sample), Some(Fault::Schema { .. })));
    // A cell of the first half that no redaction emptied, and the redaction at the end whose cell is whole.
    connection
        .execute("UPDATE contents SET salt = NULL, content = NULL WHERE sequence = 3 AND cell = 2", [])
        .unwrap();
    assert_eq!(fault(&sample), in_record(InRecord::Emptied { sequence: 3, cell: 2 }));
    // A head that was noted on the way, in either half.
    let sample = Sample::long();
    let connection = sample.unguarded();
    for noted in [100_i64, 300, 301, 500] {
        let sql = "SELECT hash FROM events WHERE sequence = ?1";
        let hash = connection.query_row(sql, [noted], |row| row.get::<_, [u8; 32]>(0)).unwrap();
        let expected = record::Hash::from_bytes(hash);
        let found = verify(sample.path(), Some(expected)).unwrap().first_fault;
        let due = InRecord::Head { found: sample.head, expected, expected_at: Some(noted.unsigned_abs()) };
        assert_eq!(found, in_record(due));
    }
}
