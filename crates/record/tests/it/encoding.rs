//! What is written is what is read back, and what may not be written is refused.

use proptest::prelude::*;
use record::encoding::{EncodingError, commitment, encode};
use record::*;
use terms::*;

use crate::sample::{Counting, change, content, encoded, event, events, skin_score, subject};

fn round_trip(event: &Event) -> Event {
    encode(event, &mut Counting::from_zero()).unwrap().decode().unwrap()
}

#[test]
fn every_event_reads_back_as_it_was() {
    for event in events() {
        assert_eq!(round_trip(&event), event);
    }
}

#[test]
fn no_content_stands_in_the_body() {
    for encoded in encoded(&events()) {
        let body = String::from_utf8(encoded.body).unwrap();
        for said in ["70.50", "fest", "misread", "2007", "not_done", "$content"] {
            assert!(!body.contains(said), "{said} in {body}");
        }
    }
}

#[test]
fn cells_are_numbered_as_they_stand_in_the_body() {
    for encoded in encoded(&events()) {
        let body = String::from_utf8(encoded.body).unwrap();
        let numbers: Vec<_> =
            body.split("{\"$cell\":").skip(1).map(|rest| rest.split('}').next().unwrap()).collect();
        let due: Vec<_> = (1..=encoded.cells.len()).map(|number| number.to_string()).collect();
        assert_eq!(numbers, due);
    }
}

#[test]
fn names_in_a_body_are_sorted_and_nothing_is_padded() {
    let body = encoded(&events()).swap_remove(4).body;
    assert_eq!(
        String::from_utf8(body).unwrap(),
        r#"{"by":{"person":"inv-05","role":"investigator"},"fact":{"kind":"subject_screened"},"happened":"2008-03","origin":"rehearsal","position":3,"reason":null,"recorded":{"local_date":"2008-03-11","offset_seconds":3600,"utc":"2008-03-10T23:30:00Z"},"sequence":5,"site":"05","stream":{"subject":"05-003"},"study_version":"3b1f"}"#
    );
}

#[test]
fn a_redacted_cell_reads_back_as_an_empty_content_and_leaves_the_hash() {
    let mut encoded = encoded(&events()).swap_remove(2);
    let before = encoded.hash(&Head::of_empty(Environment::Live).hash);
    encoded.cells[0].opening = None;
    assert_eq!(encoded.hash(&Head::of_empty(Environment::Live).hash), before);
    let Fact::FormSectionSaved { changes, .. } = encoded.decode().unwrap().fact else {
        panic!("another fact")
    };
    assert_eq!(changes[0].new.get(), None);
    assert_eq!(changes[0].old.as_ref().unwrap().get(), Some(&Answer::Given(Value::Integer(2))));
}

#[test]
fn an_event_that_repeats_a_redacted_content_can_be_written() {
    let mut first = encoded(&events()).swap_remove(2);
    first.cells.iter_mut().for_each(|cell| cell.opening = None);
    let read = first.decode().unwrap();
    let again = encode(&read, &mut Counting::from_zero()).unwrap();
    assert!(again.cells.is_empty());
    assert_eq!(again.decode().unwrap(), read);
}

#[test]
fn equal_contents_have_unequal_commitments() {
    let fact = skin_score(vec![
        change("a", None, Answer::Given(Value::Boolean(true))),
        change("b", None, Answer::Given(Value::Boolean(true))),
    ]);
    let encoded = encode(&event(1, subject(), 1, None, fact), &mut Counting::from_zero()).unwrap();
    assert_ne!(encoded.cells[0].commitment, encoded.cells[1].commitment);
}

#[test]
fn salt_and_content_do_not_run_together() {
    assert_ne!(commitment(b"ab", b"c"), commitment(b"a", b"bc"));
}

#[test]
fn the_encodings_own_names_are_refused() {
    for name in ["$cell", "$content"] {
        let mut readings = std::collections::BTreeMap::new();
        readings.insert(ItemId::from(name), content(Answer::Given(Value::Integer(1))));
        readings.insert(ItemId::from("other"), content(Answer::Given(Value::Integer(1))));
        let fact =
            Fact::SpecimenRead { code: "K7".into(), reader: 1, reading: Reading { answers: readings } };
        let refused = encode(&event(1, Stream::Study, 1, None, fact), &mut Counting::from_zero());
        assert_eq!(refused.unwrap_err(), EncodingError::ReservedKey { key: name.to_owned() });
    }
}

#[test]
fn a_body_that_is_no_event_is_refused_without_repeating_it() {
    let mut encoded = encoded(&events()).swap_remove(1);
    encoded.cells.pop();
    assert_eq!(encoded.decode().unwrap_err(), EncodingError::NoSuchCell { cell: 5 });
    encoded.body = br#"{"by":"Jane Doe"}"#.to_vec();
    assert!(!encoded.decode().unwrap_err().to_string().contains("Jane"));
}

proptest! {
    #[test]
    fn any_text_and_number_reads_back(text in any::<String>(), number in any::<i64>(), item in "[a-z_]{1,12}") {
        let changes = vec![
            change(&item, None, Answer::Given(Value::Text(text.clone()))),
            change("n", Some(Answer::Given(Value::Code(text.clone()))), Answer::Given(Value::Integer(number))),
        ];
        let event = event(7, subject(), 2, Some(&text), skin_score(changes));
        prop_assert_eq!(round_trip(&event), event);
    }
}
