//! A short record with something of everything: contents of all types, nesting, umlauts and controls.

use std::collections::BTreeMap;
use std::convert::Infallible;

use rand_core::{TryCryptoRng, TryRng};
use record::encoding::{Encoded, encode};
use record::*;
use terms::*;

/// Gives the bytes 0, 1, 2 … in turn, so that a reader can follow the written example.
pub struct Counting(u8);

impl Counting {
    pub fn from_zero() -> Self {
        Self(0)
    }
}

impl TryRng for Counting {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes).map(|()| u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes).map(|()| u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for byte in bytes {
            *byte = self.0;
            self.0 = self.0.wrapping_add(1);
        }
        Ok(())
    }
}

impl TryCryptoRng for Counting {}

pub fn content<T>(value: T) -> Content<T> {
    Content::new(value)
}

pub fn subject() -> Stream {
    Stream::Subject("05-003".into())
}

pub fn event(sequence: u64, stream: Stream, position: u64, reason: Option<&str>, fact: Fact) -> Event {
    Event {
        sequence,
        stream,
        position,
        by: Actor { person: "inv-05".into(), role: "investigator".into() },
        site: Some("05".into()),
        happened: "2008-03".parse().unwrap(),
        recorded: SiteTime::at("2008-03-10T23:30:00Z".parse().unwrap(), "Europe/Paris").unwrap(),
        origin: "rehearsal".to_owned(),
        study_version: "3b1f".to_owned(),
        reason: reason.map(|reason| content(reason.to_owned())),
        fact,
    }
}

pub fn skin_score(changes: Vec<ItemChange>) -> Fact {
    let key = FormKey { visit: Some("M6".into()), form: "skin".into(), row: 0 };
    Fact::FormSectionSaved { key, changes }
}

pub fn change(item: &str, old: Option<Answer>, new: Answer) -> ItemChange {
    ItemChange { item: item.into(), old: old.map(content), new: content(new), source: Source::Entered }
}

pub fn events() -> Vec<Event> {
    let key = SpecimenKey { subject: "05-003".into(), visit: "M6".into() };
    let opened =
        Fact::StudyOpened { study: "B".into(), environment: Environment::Rehearsal, seed: Some(u64::MAX) };
    let saved = skin_score(vec![
        change("hand_left", None, Answer::Given(Value::Integer(2))),
        change("weight", None, Answer::Given(Value::Decimal("70.50".parse().unwrap()))),
        change("note", None, Answer::Given(Value::Text("„fest“\n\u{1}\"quoted\" \\ 𝄞".to_owned()))),
        change("onset", None, Answer::Given(Value::Date("2007".parse().unwrap()))),
        change("finger", None, Answer::Missing(MissingReason::NotDone)),
    ]);
    let corrected = skin_score(vec![change(
        "hand_left",
        Some(Answer::Given(Value::Integer(2))),
        Answer::Given(Value::Integer(3)),
    )]);
    let joined = Fact::ReadingKeyJoined { key: BTreeMap::from([("K7".into(), content(key))]) };
    vec![
        event(1, Stream::Study, 1, None, opened),
        event(2, subject(), 1, None, saved),
        event(3, subject(), 2, Some("misread"), corrected),
        event(4, Stream::Study, 2, None, joined),
        event(5, subject(), 3, None, Fact::SubjectScreened),
    ]
}

pub fn encoded(events: &[Event]) -> Vec<Encoded> {
    let mut salts = Counting::from_zero();
    events.iter().map(|event| encode(event, &mut salts).unwrap()).collect()
}
