//! The list of participants is what the record says, however it came up to date.

use proptest::prelude::*;
use record::{Content, DoseStep, EndReason, Environment, Fact, Stream};
use store::conformance::{one, redaction_of, subject};
use store::projection::{SubjectList, SubjectRow, SubjectStatus};
use store::{MemoryStore, Writer};

use crate::sample::salts;

fn writer() -> Writer {
    Writer::new(Box::new(MemoryStore::new(Environment::Rehearsal))).unwrap()
}

fn append(writer: &mut Writer, stream: Stream, fact: Fact) {
    let before = writer.position(&stream).unwrap();
    writer.append(vec![one(stream, before, fact)], &mut salts()).unwrap();
}

fn life() -> Vec<(Fact, SubjectStatus)> {
    use SubjectStatus::*;
    let date = "2008-03-10".parse().unwrap();
    let dose = |step| Fact::DoseChanged {
        step,
        from: date,
        dose_mg: Content::new("400".parse().unwrap()),
        rule: None,
        adverse_event: None,
    };
    let decided = |eligible| Fact::EligibilityDecided {
        at_visit: "SCR".into(),
        eligible,
        unmet: vec![],
        unknown: vec![],
        content_digest: String::new(),
    };
    let consented = Fact::ConsentSigned { consent_version: "1".to_owned() };
    let ended = |reason| Fact::ParticipationEnded { reason, date };
    let treated = Fact::TreatmentEnded {
        reason: EndReason::Completed,
        last_dose: date,
        early: false,
        adverse_event: None,
    };
    let randomised =
        Fact::SubjectRandomised { stratum: "all".to_owned(), list_position: 1, envelope: "e".to_owned() };
    vec![
        (consented.clone(), Consented),
        (Fact::SubjectScreened, InScreening),
        (decided(false), NotEligible),
        (decided(true), NotEligible),
        (Fact::SubjectEnrolled, Enrolled),
        (randomised, Randomised),
        (dose(DoseStep::Started), OnTreatment),
        (dose(DoseStep::Held), OnTreatment),
        (consented, OnTreatment),
        (treated, OffTreatment),
        (ended(EndReason::Completed), Completed),
        (ended(EndReason::Death), Ended),
        (ended(EndReason::NotEligible), NotEligible),
    ]
}

#[test]
fn each_fact_moves_the_status_as_far_as_it_goes() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = writer();
    let mut list = SubjectList::open(folder.path(), writer.store()).unwrap();
    assert_eq!(list.rows(), Ok(vec![]));
    for (sequence, (fact, status)) in (1..).zip(life()) {
        append(&mut writer, subject(1), fact);
        list.catch_up(writer.store()).unwrap();
        let row = SubjectRow {
            subject: "05-001".into(),
            site: Some("05".into()),
            status: Some(status),
            events: sequence,
            last_sequence: sequence,
        };
        assert_eq!(list.rows(), Ok(vec![row]));
    }
}

#[test]
fn a_list_made_from_another_record_is_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let (mut one, mut other) = (writer(), writer());
    append(&mut one, subject(1), Fact::SubjectScreened);
    append(&mut one, subject(2), Fact::SubjectScreened);
    append(&mut other, subject(3), Fact::SubjectEnrolled);
    SubjectList::open(folder.path(), one.store()).unwrap();
    let list = SubjectList::open(folder.path(), other.store()).unwrap();
    assert_eq!(list.rows().unwrap().len(), 1);
    drop(list);
    append(&mut other, subject(4), Fact::SubjectEnrolled);
    append(&mut other, subject(5), Fact::SubjectEnrolled);
    let list = SubjectList::open(folder.path(), one.store()).unwrap();
    assert_eq!(list.rows().unwrap().len(), 2);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn keeping_up_gives_what_rebuilding_gives(steps in prop::collection::vec((0u32..4, 0usize..13, any::<bool>()), 1..30)) {
        let (kept, rebuilt) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut writer = writer();
        let mut list = SubjectList::open(kept.path(), writer.store()).unwrap();
        for (number, fact, catch_up) in steps {
            let stream = if number == 0 { Stream::Study } else { subject(number) };
            append(&mut writer, stream, life().swap_remove(fact).0);
            let sequence = writer.head().sequence;
            if fact == 6 {
                writer.redact(redaction_of(sequence, 1), &mut salts()).unwrap();
            }
            if catch_up {
                list.catch_up(writer.store()).unwrap();
            }
        }
        list.catch_up(writer.store()).unwrap();
        let fresh = SubjectList::open(rebuilt.path(), writer.store()).unwrap();
        prop_assert_eq!(list.rows(), fresh.rows());
        let before = list.rows();
        list.rebuild(writer.store()).unwrap();
        prop_assert_eq!(list.rows(), before);
    }
}
