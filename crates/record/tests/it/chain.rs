//! Every alteration of a stored record is found and named.

use std::convert::Infallible;

use proptest::prelude::*;
use record::chain::{Links, Verification, verify};
use record::encoding::encode;
use record::*;

use crate::sample::{Counting, encoded, event, events, subject};

/// Stored rows that a test may do anything to.
#[derive(Clone)]
struct Rows(Vec<(i64, Stored)>);

impl Links for Rows {
    type Error = Infallible;

    fn sequences(&self) -> Result<Vec<i64>, Infallible> {
        Ok(self.0.iter().map(|(sequence, _)| *sequence).collect())
    }

    fn link(&self, sequence: i64) -> Result<Option<Stored>, Infallible> {
        Ok(self.0.iter().find(|(at, _)| *at == sequence).map(|(_, stored)| stored.clone()))
    }
}

impl Rows {
    /// Puts the sequences right again after rows were moved.
    fn renumber(&mut self) {
        (1..).zip(&mut self.0).for_each(|(sequence, row)| row.0 = sequence);
    }

    fn fault(&self) -> Option<Fault> {
        self.verify(None).first_fault
    }

    fn verify(&self, expect_head: Option<Hash>) -> Verification {
        let Ok(found) = verify(self, Environment::Rehearsal, expect_head);
        found
    }
}

/// Chains events from the beginning, as a writer does, whatever places they claim.
fn chained(events: &[Event]) -> Rows {
    let mut head = Head::of_empty(Environment::Rehearsal);
    let rows = events.iter().zip(encoded(events)).map(|(event, encoded)| {
        head = head.after(&encoded);
        let cells = (1..).zip(&encoded.cells).map(|(number, cell)| StoredCell {
            number,
            commitment: cell.commitment.as_bytes().to_vec(),
            salt: cell.opening.as_ref().map(|opening| opening.salt.to_vec()),
            content: cell.opening.as_ref().map(|opening| opening.content.clone()),
        });
        let stored = Stored {
            stream: event.stream.to_string(),
            position: event.position as i64,
            cells: cells.collect(),
            hash: head.hash.as_bytes().to_vec(),
            body: encoded.body,
        };
        (head.sequence as i64, stored)
    });
    Rows(rows.collect())
}

/// The sample with cell 1 of event 3 redacted by a sixth event.
fn redacted() -> Rows {
    let mut events = events();
    let fact = Fact::ContentRedacted { sequence: 3, cell: 1, approver: "dm".into() };
    events.push(event(6, subject(), 4, Some("a name was in it"), fact));
    let mut rows = chained(&events);
    rows.0[2].1.cells[0].salt = None;
    rows.0[2].1.cells[0].content = None;
    rows
}

#[test]
fn an_untouched_record_has_no_fault() {
    let rows = redacted();
    let head: Hash = rows.verify(None).head.hash;
    let found = rows.verify(Some(head));
    assert_eq!((found.events, found.first_fault), (6, None));
    let empty = Rows(Vec::new()).verify(None);
    assert_eq!((empty.head, empty.first_fault), (Head::of_empty(Environment::Rehearsal), None));
}

#[test]
fn every_flipped_bit_is_found_and_named() {
    let whole = redacted();
    for (row, (sequence, stored)) in (0..).zip(&whole.0) {
        let sequence = *sequence;
        let last = sequence == 6;
        flip(stored.body.len(), |at, bit| {
            let mut rows = whole.clone();
            rows.0[row].1.body[at] ^= bit;
            let fault = rows.fault();
            let named = match fault {
                // A digit of a cell's number, or of the letters around it, is still the body's.
                Some(Fault::Body { sequence: at } | Fault::BodyOrRedacted { sequence: at }) => at == sequence,
                Some(Fault::BodyOrHash { sequence: at }) => last && at == sequence,
                _ => false,
            };
            assert!(named, "byte {at} of body {sequence}: {fault:?}");
        });
        flip(32, |at, bit| {
            let mut rows = whole.clone();
            rows.0[row].1.hash[at] ^= bit;
            let due = if last { Fault::BodyOrHash { sequence } } else { Fault::EventHash { sequence } };
            assert_eq!(rows.fault(), Some(due), "byte {at} of hash {sequence}");
        });
        for (index, cell) in stored.cells.iter().enumerate() {
            let number = cell.number;
            flip(32, |at, bit| {
                let mut rows = whole.clone();
                rows.0[row].1.cells[index].commitment[at] ^= bit;
                let due = match cell.salt {
                    Some(_) => Fault::Commitment { sequence, cell: number },
                    None => Fault::BodyOrRedacted { sequence },
                };
                assert_eq!(rows.fault(), Some(due), "byte {at} of commitment {number}");
            });
            for part in [0, 1] {
                let column = |cell: &mut StoredCell| match part {
                    0 => cell.salt.take(),
                    _ => cell.content.take(),
                };
                let Some(bytes) = column(&mut cell.clone()) else { continue };
                flip(bytes.len(), |at, bit| {
                    let mut rows = whole.clone();
                    let cell = &mut rows.0[row].1.cells[index];
                    let column = if part == 0 { &mut cell.salt } else { &mut cell.content };
                    column.as_mut().unwrap()[at] ^= bit;
                    assert_eq!(rows.fault(), Some(Fault::Content { sequence, cell: number }));
                });
            }
        }
    }
}

fn flip(length: usize, mut check: impl FnMut(usize, u8)) {
    for at in 0..length {
        for bit in 0..8 {
            check(at, 1 << bit);
        }
    }
}

#[test]
fn altered_look_up_columns_are_named() {
    let mut rows = redacted();
    rows.0[3].1.stream = "supply".to_owned();
    assert_eq!(rows.fault(), Some(Fault::Column { sequence: 4, column: "stream" }));
    let mut rows = redacted();
    rows.0[1].1.position = -1;
    assert_eq!(rows.fault(), Some(Fault::Column { sequence: 2, column: "position" }));
}

#[test]
fn lost_and_added_cells_are_named() {
    let mut rows = redacted();
    rows.0[1].1.cells.remove(0);
    assert_eq!(rows.fault(), Some(Fault::CellMissing { sequence: 2, cell: 1 }));
    let mut rows = redacted();
    rows.0[1].1.cells.pop();
    assert_eq!(rows.fault(), Some(Fault::CellMissing { sequence: 2, cell: 5 }));
    let mut rows = redacted();
    let copy = StoredCell { number: 6, ..rows.0[1].1.cells[0].clone() };
    rows.0[1].1.cells.push(copy);
    assert_eq!(rows.fault(), Some(Fault::CellStray { sequence: 2, cell: 6 }));
}

#[test]
fn a_cell_emptied_without_a_redaction_is_named() {
    let mut rows = redacted();
    rows.0[1].1.cells[3].salt = None;
    rows.0[1].1.cells[3].content = None;
    assert_eq!(rows.fault(), Some(Fault::Emptied { sequence: 2, cell: 4 }));
}

#[test]
fn a_redacted_cell_that_holds_its_content_again_is_named() {
    let mut rows = redacted();
    let whole = chained(&events());
    rows.0[2] = whole.0[2].clone();
    assert_eq!(rows.fault(), Some(Fault::NotEmptied { sequence: 3, cell: 1, by: 6 }));
}

#[test]
fn another_environment_is_named() {
    let Ok(found) = verify(&redacted(), Environment::Live, None);
    assert_eq!(found.first_fault, Some(Fault::Environment { begun: Environment::Rehearsal }));
}

#[test]
fn a_chain_that_was_forged_with_wrong_places_is_named() {
    let mut forged = events();
    forged[4].position = 9;
    let fault = chained(&forged).fault();
    assert_eq!(fault, Some(Fault::Position { sequence: 5, stream: subject(), before: 2, found: 9 }));
    let mut forged = events();
    forged[4].sequence = 9;
    assert_eq!(chained(&forged).fault(), Some(Fault::Misplaced { sequence: 5, found: 9 }));
}

#[test]
fn only_the_expected_head_shows_a_cut_or_forged_tail() {
    let whole = redacted();
    let head = whole.verify(None).head.hash;

    let mut cut = whole.clone();
    cut.0.truncate(5);
    cut.0[2] = chained(&events()).0[2].clone();
    assert_eq!(cut.fault(), None);
    assert!(matches!(cut.verify(Some(head)).first_fault, Some(Fault::Head { expected_at: None, .. })));

    let mut other = events();
    other[4].origin = "web".to_owned();
    let forged = chained(&other);
    let before = chained(&events()).verify(None).head.hash;
    assert_eq!(forged.fault(), None);
    assert!(matches!(forged.verify(Some(before)).first_fault, Some(Fault::Head { expected_at: None, .. })));

    let fault = whole.verify(Some(before)).first_fault.unwrap();
    assert_eq!(fault.to_string(), "1 events follow event 5, which has the expected head");
}

#[test]
fn the_last_events_body_and_hash_are_told_apart_by_the_expected_head() {
    let whole = chained(&events());
    let head = whole.verify(None).head.hash;
    let mut rows = whole.clone();
    rows.0[4].1.hash[0] ^= 1;
    assert_eq!(rows.verify(Some(head)).first_fault, Some(Fault::EventHash { sequence: 5 }));
    let mut rows = whole.clone();
    rows.0[4].1.body[30] ^= 1;
    assert_eq!(rows.verify(Some(head)).first_fault, Some(Fault::Body { sequence: 5 }));
}

proptest! {
    #[test]
    fn a_deleted_event_is_named(at in 0usize..5) {
        let mut rows = redacted();
        rows.0.remove(at);
        let sequence = at as i64 + 1;
        prop_assert_eq!(rows.fault(), Some(Fault::Missing { sequence }));
        rows.renumber();
        prop_assert_eq!(rows.fault(), Some(Fault::Misplaced { sequence, found: sequence + 1 }));
    }

    #[test]
    fn a_swapped_pair_is_named(one in 0usize..6, other in 0usize..6) {
        prop_assume!(one != other);
        let mut rows = redacted();
        rows.0.swap(one, other);
        rows.renumber();
        let (first, second) = (one.min(other) as i64 + 1, one.max(other) as i64 + 1);
        prop_assert_eq!(rows.fault(), Some(Fault::Misplaced { sequence: first, found: second }));
    }

    #[test]
    fn a_duplicated_event_is_named(of in 0usize..6, to in 1usize..7) {
        prop_assume!(to > of);
        let mut rows = redacted();
        let copy = rows.0[of].clone();
        rows.0.insert(to, copy);
        rows.renumber();
        let fault = Fault::Duplicate { sequence: to as i64 + 1, of: of as i64 + 1 };
        prop_assert_eq!(rows.fault(), Some(fault));
    }

    #[test]
    fn an_event_replaced_by_another_is_named(at in 0usize..5) {
        let mut rows = redacted();
        let mut other = events();
        other[at].origin = "web".to_owned();
        rows.0[at].1.body = encode(&other[at], &mut Counting::from_zero()).unwrap().body;
        let fault = rows.fault();
        let sequence = at as i64 + 1;
        let body = Fault::Body { sequence };
        let named = fault == Some(body) || fault == Some(Fault::BodyOrRedacted { sequence });
        prop_assert!(named, "{:?}", fault);
    }
}

#[test]
fn a_row_before_the_first_is_named() {
    let mut rows = redacted();
    let copy = rows.0[0].1.clone();
    rows.0.insert(0, (0, copy));
    assert_eq!(rows.fault(), Some(Fault::Stray { sequence: 0 }));
}
