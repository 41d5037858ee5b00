//! What every store must do, as cases that a store's tests run on it.
//!
//! Each case gets an empty store of its own, a folder to write to and a source of salts, and
//! panics where the store falls short. It is public so that a store outside this crate
//! can be held to the same.

use std::path::Path;

use rand_core::CryptoRng;
use record::{
    Actor, CellAddress, Content, Draft, Environment, Event, Fact, FormKey, Head, ItemChange, Recording,
    Redaction, Source, Store, StoreError, Stream, Submission, Writer,
};
use terms::{Answer, SiteId, SiteTime, SubjectId, Value};

/// One case: its name as a sentence, and what it does to an empty rehearsal store.
pub type Case = (&'static str, fn(Box<dyn Store>, &Path, &mut dyn CryptoRng));

/// All cases.
pub const CASES: &[Case] = &[
    ("an empty record ends at its environment's own hash", empty_record),
    ("events come back as they were given, in order", events_come_back),
    ("each stream counts its own positions", streams_count),
    ("a stale position refuses all and changes nothing", stale_position),
    ("a stream without an expected position is refused", no_expected_position),
    ("one refused submission refuses the whole batch", one_refused_refuses_all),
    ("staged events have their places and are not in the store", staging),
    ("discarded events leave no trace", discarding),
    ("the same submissions and salts give the same head", same_head),
    ("past heads are kept", past_heads),
    ("a redaction empties the content and is on record", redaction),
    ("a redaction without reason, cell or content is refused", refused_redactions),
    ("a content that was redacted can be corrected", correction_of_redacted),
    ("a backup is a store with the same record", backup),
];

type Salts<'a> = &'a mut dyn CryptoRng;

/// Returns a participant's stream.
pub fn subject(number: u32) -> Stream {
    Stream::Subject(SubjectId::from(format!("05-{number:03}")))
}

/// Returns a submission of `count` saved forms with two contents each for one participant.
pub fn forms(number: u32, before: u64, count: u64) -> Submission {
    let drafts = (0..count).map(|row| {
        let key = FormKey { visit: Some("M6".into()), form: "skin".into(), row: row as u32 };
        let score = i64::from(number) * 100 + row as i64;
        let changes = vec![
            change("score", None, Answer::Given(Value::Integer(score))),
            change("note", None, Answer::Given(Value::Text(format!("note {number}/{row}")))),
        ];
        draft(subject(number), Fact::FormSectionSaved { key, changes })
    });
    Submission { drafts: drafts.collect(), expected: vec![(subject(number), before)], recording: recording() }
}

/// Returns a submission of one fact on one stream.
pub fn one(stream: Stream, before: u64, fact: Fact) -> Submission {
    let drafts = vec![draft(stream.clone(), fact)];
    Submission { drafts, expected: vec![(stream, before)], recording: recording() }
}

/// Returns a redaction of a cell.
pub fn redaction_of(sequence: u64, cell: u32) -> Redaction {
    Redaction {
        address: CellAddress { sequence, cell },
        by: actor(),
        approver: "dm".into(),
        reason: "a name was in the note".to_owned(),
        recording: recording(),
    }
}

fn actor() -> Actor {
    Actor { person: "inv-05".into(), role: "investigator".into() }
}

fn recording() -> Recording {
    let utc = "2008-03-10T23:30:00Z".parse().expect("the instant is well formed");
    let recorded = SiteTime::at(utc, "Europe/Paris").expect("the zone is known");
    Recording { recorded, origin: "rehearsal".to_owned(), study_version: "3b1f".to_owned() }
}

fn draft(stream: Stream, fact: Fact) -> Draft {
    let happened = "2008-03".parse().expect("the date is well formed");
    Draft { stream, by: actor(), site: Some(SiteId::from("05")), happened, reason: None, fact }
}

fn change(item: &str, old: Option<Content<Answer>>, new: Answer) -> ItemChange {
    ItemChange { item: item.into(), old, new: Content::new(new), source: Source::Entered }
}

fn writer(store: Box<dyn Store>) -> Writer {
    Writer::new(store).expect("a new store can be read")
}

fn all(writer: &Writer) -> Vec<Event> {
    writer.store().read(1).expect("the store can be read")
}

fn append(writer: &mut Writer, submission: Submission, salts: Salts<'_>) -> Vec<Event> {
    writer.append(vec![submission], salts).expect("the submission fits")
}

fn empty_record(store: Box<dyn Store>, _: &Path, _: Salts<'_>) {
    let writer = writer(store);
    assert_eq!(writer.store().environment(), Environment::Rehearsal);
    assert_eq!(writer.store().head(), Ok(Head::of_empty(Environment::Rehearsal)));
    assert_eq!(writer.store().read(1), Ok(vec![]));
    assert_eq!(writer.store().event(1), Ok(None));
    assert_eq!(writer.store().position(&Stream::Study), Ok(0));
}

fn events_come_back(store: Box<dyn Store>, _: &Path, salts: Salts<'_>) {
    let mut writer = writer(store);
    let mut given = append(&mut writer, forms(1, 0, 3), salts);
    given.extend(append(&mut writer, forms(2, 0, 2), salts));
    assert_eq!(given.iter().map(|event| event.sequence).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    assert_eq!(all(&writer), given);
    assert_eq!(writer.store().read(4), Ok(given[3..].to_vec()));
    assert_eq!(writer.store().read(6), Ok(vec![]));
    assert_eq!(writer.store().event(2), Ok(Some(given[1].clone())));
    assert_eq!(writer.store().head(), Ok(writer.head()));
}

fn streams_count(store: Box<dyn Store>, _: &Path, salts: Salts<'_>) {
    let mut writer = writer(store);
    append(&mut writer, forms(1, 0, 2), salts);
    append(&mut writer, one(Stream::Study, 0, Fact::SiteActivated { site: "05".into() }), salts);
    append(&mut writer, forms(1, 2, 1), salts);
    let positions = |stream: &Stream| {
        let events = writer.store().read_stream(stream).expect("the store can be read");
        events.iter().map(|event| (event.sequence, event.position)).collect::<Vec<_>>()
    };
    assert_eq!(positions(&subject(1)), [(1, 1), (2, 2), (4, 3)]);
    assert_eq!(positions(&Stream::Study), [(3, 1)]);
    assert_eq!(positions(&Stream::Supply), []);
    assert_eq!(writer.store().position(&subject(1)), Ok(3));
}

fn stale_position(store: Box<dyn Store>, _: &Path, salts: Salts<'_>) {
    let mut writer = writer(store);
    append(&mut writer, forms(1, 0, 2), salts);
    let head = writer.head();
    for expected in [0, 1, 3] {
        let refused = writer.append(vec![forms(1, expected, 1)], salts);
        assert_eq!(refused, Err(StoreError::StalePosition { stream: subject(1), expected, found: 2 }));
    }
    // A stream that was only read counts as well.
    let mut submission = one(Stream::Study, 0, Fact::SiteActivated { site: "05".into() });
    submission.expected.push((subject(1), 1));
    assert!(matches!(writer.append(vec![submission], salts), Err(StoreError::StalePosition { .. })));
    assert_eq!((writer.head(), writer.store().head()), (head, Ok(head)));
    append(&mut writer, forms(1, 2, 1), salts);
}

fn no_expected_position(store: Box<dyn Store>, _: &Path, salts: Salts<'_>) {
    let mut writer = writer(store);
    let mut submission = forms(1, 0, 1);
    submission.expected = vec![(Stream::Study, 0)];
    let refused = writer.append(vec![submission], salts);
    assert_eq!(refused, Err(StoreError::NoExpectedPosition { stream: subject(1) }));
}

fn one_refused_refuses_all(store: Box<dyn Store>, _: &Path, salts: Salts<'_>) {
    let mut writer = writer(store);
    let refused = writer.append(vec![forms(1, 0, 2), forms(2, 0, 1), forms(1, 0, 1)], salts);
    assert_eq!(refused, Err(StoreError::StalePosition { stream: subject(1), expected: 0, found: 2 }));
    assert_eq!(all(&writer), vec![]);
    let taken = writer.append(vec![forms(1, 0, 2), forms(2, 0, 1), forms(1, 2, 1)], salts);
    assert_eq!(taken.map(|events| events.len()), Ok(4));
}

fn staging(store: Box<dyn Store>, _: &Path, salts: Salts<'_>) {
    let mut writer = writer(store);
    let first = writer.stage(forms(1, 0, 2), salts).expect("the submission fits");
    let second = writer.stage(forms(1, 2, 1), salts).expect("staged events count");
    assert_eq!((first[1].position, second[0].position, second[0].sequence), (2, 3, 3));
    assert_eq!((writer.position(&subject(1)), writer.head().sequence), (Ok(3), 3));
    assert_eq!(all(&writer), vec![]);
    let head = writer.commit().expect("the store can be written");
    assert_eq!((head, writer.store().head()), (writer.head(), Ok(head)));
    assert_eq!(all(&writer), [first, second].concat());
    assert_eq!(writer.commit(), Ok(head));
}

fn discarding(store: Box<dyn Store>, _: &Path, salts: Salts<'_>) {
    let mut writer = writer(store);
    append(&mut writer, forms(1, 0, 1), salts);
    let head = writer.head();
    writer.stage(forms(1, 1, 2), salts).expect("the submission fits");
    writer.discard();
    assert_eq!((writer.head(), writer.position(&subject(1))), (head, Ok(1)));
    append(&mut writer, forms(1, 1, 1), salts);
    assert_eq!(all(&writer).len(), 2);
}

fn same_head(store: Box<dyn Store>, _: &Path, salts: Salts<'_>) {
    let other = Box::new(crate::MemoryStore::new(Environment::Rehearsal));
    let (mut one, mut other) = (writer(store), writer(other));
    // The suite can't rewind its salts, so both writers take theirs from two equal lists.
    let mut bytes = vec![0; 64 * 32];
    salts.fill_bytes(&mut bytes);
    one.append(vec![forms(1, 0, 3)], &mut Listed(bytes.clone())).expect("the submission fits");
    let mut listed = Listed(bytes);
    for before in 0..3 {
        let mut submission = forms(1, 0, 3);
        submission.drafts = vec![submission.drafts.swap_remove(before)];
        submission.expected = vec![(subject(1), before as u64)];
        other.append(vec![submission], &mut listed).expect("the submission fits");
    }
    assert_eq!(one.head(), other.head());
}

/// Randomness that was drawn before.
struct Listed(Vec<u8>);

impl rand_core::TryRng for Listed {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes).map(|()| u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes).map(|()| u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        bytes.copy_from_slice(&self.0.split_off(self.0.len() - bytes.len()));
        Ok(())
    }
}

impl rand_core::TryCryptoRng for Listed {}

fn past_heads(store: Box<dyn Store>, _: &Path, salts: Salts<'_>) {
    let mut writer = writer(store);
    let mut heads = vec![writer.head()];
    for before in 0..3 {
        append(&mut writer, forms(1, before, 1), salts);
        heads.push(writer.head());
    }
    for head in heads {
        assert_eq!(writer.store().head_at(head.sequence), Ok(Some(head)));
    }
    assert_eq!(writer.store().head_at(4), Ok(None));
}

fn redaction(store: Box<dyn Store>, _: &Path, salts: Salts<'_>) {
    let mut writer = writer(store);
    append(&mut writer, forms(1, 0, 2), salts);
    let before = writer.head();
    let address = CellAddress { sequence: 1, cell: 2 };
    assert_eq!(writer.store().holds_content(address), Ok(Some(true)));

    let event = writer.redact(redaction_of(1, 2), salts).expect("the cell is there");
    assert_eq!(event.fact, Fact::ContentRedacted { sequence: 1, cell: 2, approver: "dm".into() });
    assert_eq!(
        event.reason.as_ref().and_then(Content::get).map(String::as_str),
        Some("a name was in the note")
    );
    assert_eq!((event.sequence, event.position, &event.stream), (3, 3, &subject(1)));

    assert_eq!(writer.store().holds_content(address), Ok(Some(false)));
    assert_eq!(writer.store().head_at(2), Ok(Some(before)));
    let events = all(&writer);
    assert_eq!(events[2], event);
    let contents = |event: &Event| match &event.fact {
        Fact::FormSectionSaved { changes, .. } => {
            changes.iter().map(|change| change.new.get().is_some()).collect::<Vec<_>>()
        }
        _ => vec![],
    };
    assert_eq!((contents(&events[0]), contents(&events[1])), (vec![true, false], vec![true, true]));
    append(&mut writer, forms(1, 3, 1), salts);
}

fn refused_redactions(store: Box<dyn Store>, _: &Path, salts: Salts<'_>) {
    let mut writer = writer(store);
    append(&mut writer, forms(1, 0, 1), salts);
    for (sequence, cell) in [(1, 0), (1, 3), (0, 1), (2, 1)] {
        let refused = writer.redact(redaction_of(sequence, cell), salts);
        assert_eq!(refused, Err(StoreError::NoSuchCell { sequence, cell }));
    }
    let unreasoned = Redaction { reason: " ".to_owned(), ..redaction_of(1, 1) };
    assert_eq!(writer.redact(unreasoned, salts), Err(StoreError::NoReason));
    assert_eq!(writer.store().head().map(|head| head.sequence), Ok(1));
    writer.redact(redaction_of(1, 1), salts).expect("the cell is there");
    let again = writer.redact(redaction_of(1, 1), salts);
    assert_eq!(again, Err(StoreError::AlreadyRedacted { sequence: 1, cell: 1 }));
    assert_eq!(writer.store().head().map(|head| head.sequence), Ok(2));
}

fn correction_of_redacted(store: Box<dyn Store>, _: &Path, salts: Salts<'_>) {
    let mut writer = writer(store);
    append(&mut writer, forms(1, 0, 1), salts);
    writer.redact(redaction_of(1, 2), salts).expect("the cell is there");
    let Fact::FormSectionSaved { key, changes } = all(&writer).swap_remove(0).fact else {
        panic!("the first event is a saved form")
    };
    let old = Some(changes[1].new.clone());
    let changes = vec![change("note", old, Answer::Given(Value::Text("well".to_owned())))];
    let given = append(&mut writer, one(subject(1), 2, Fact::FormSectionCorrected { key, changes }), salts);
    assert_eq!(writer.store().read(3), Ok(given));
}

fn backup(store: Box<dyn Store>, folder: &Path, salts: Salts<'_>) {
    let mut writer = writer(store);
    append(&mut writer, forms(1, 0, 3), salts);
    writer.redact(redaction_of(2, 1), salts).expect("the cell is there");
    let copy = folder.join("copy");
    writer.store().backup_to(&copy).expect("the folder can be written");
    let refused = writer.store().backup_to(&copy);
    assert_eq!(refused, Err(StoreError::AlreadyThere { path: copy.clone() }));

    let report = crate::verify(&copy, Some(writer.head().hash)).expect("the copy can be read");
    assert_eq!((report.events, report.first_fault), (4, None));
    let copied = crate::SqliteStore::open(&copy, Environment::Rehearsal).expect("the copy is a store");
    let mut copied = Writer::new(Box::new(copied)).expect("the copy can be read");
    assert_eq!(all(&copied), all(&writer));
    append(&mut copied, forms(1, 4, 1), salts);
    assert_eq!(all(&writer).len(), 4);
}
