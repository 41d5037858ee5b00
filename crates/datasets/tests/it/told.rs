//! A small trial, told as events. The state is their fold: nothing here asks whether they were allowed.

use std::{collections::BTreeMap, fs, path::Path};

use conduct::State;
use protocol::Study;
use record::*;
use terms::*;

/// The shipped controlled study.
pub fn study() -> Study {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../studies/imatinib-controlled");
    let mut files = BTreeMap::new();
    for (folder, stem) in [(folder.clone(), ""), (folder.join("forms"), "forms/")] {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_file())
        {
            let name = entry.file_name().into_string().unwrap();
            files.insert(format!("{stem}{name}"), fs::read_to_string(entry.path()).unwrap());
        }
    }
    protocol::compile(&files).unwrap().study
}

pub fn date(text: &str) -> Date {
    text.parse().unwrap()
}

/// Events in the making.
#[derive(Default)]
pub struct Tale {
    pub events: Vec<Event>,
}

impl Tale {
    /// Adds an event and returns its sequence.
    pub fn tell(&mut self, stream: Stream, on: &str, fact: Fact) -> u64 {
        let sequence = self.events.len() as u64 + 1;
        let utc: Timestamp = format!("{on}T10:00:00Z").parse().unwrap();
        self.events.push(Event {
            sequence,
            stream,
            position: sequence,
            by: Actor { person: "p1".into(), role: "coordinator".into() },
            site: Some("01".into()),
            happened: on.parse().unwrap(),
            recorded: SiteTime::at(utc, "Europe/Paris").unwrap(),
            origin: "rehearsal".to_owned(),
            study_version: String::new(),
            reason: None,
            fact,
        });
        sequence
    }

    pub fn of(&mut self, subject: &str, on: &str, fact: Fact) -> u64 {
        self.tell(Stream::Subject(subject.into()), on, fact)
    }

    /// Holds a visit and saves forms at it.
    pub fn visit(&mut self, subject: &str, visit: &str, on: &str, items: &[(&str, &str, Value)]) {
        self.of(subject, on, Fact::VisitHeld { visit: visit.into(), date: date(on), target: None });
        for (form, item, value) in items {
            self.save(subject, (Some(visit), form, 0), item, value.clone(), on);
        }
    }

    pub fn save(
        &mut self,
        subject: &str,
        key: (Option<&str>, &str, u32),
        item: &str,
        value: Value,
        on: &str,
    ) -> u64 {
        let key = FormKey { visit: key.0.map(VisitId::from), form: key.1.into(), row: key.2 };
        let source = if item == "total" { Source::Derived } else { Source::Entered };
        let new = Content::new(Answer::Given(value));
        let changes = vec![ItemChange { item: item.into(), old: None, new, source }];
        self.of(subject, on, Fact::FormSectionSaved { key, changes })
    }

    /// Consent, screening, demography, randomisation at M0 and the first dose.
    pub fn enter(&mut self, subject: &str, sex: &str, age: i64, score: i64) {
        self.of(subject, "2008-02-20", Fact::ConsentSigned { consent_version: "1.0".to_owned() });
        self.of(subject, "2008-02-20", Fact::SubjectScreened);
        let demography = [
            ("demography", "sex", Value::Code(sex.to_owned())),
            ("demography", "age_years", Value::Integer(age)),
            ("skin_score", "total", Value::Integer(score + 1)),
        ];
        self.visit(subject, "Scr", "2008-02-20", &demography);
        self.visit(subject, "M0", "2008-03-01", &[("skin_score", "total", Value::Integer(score))]);
        self.of(subject, "2008-03-01", Fact::SubjectEnrolled);
        let envelope = String::new();
        self.of(
            subject,
            "2008-03-01",
            Fact::SubjectRandomised { stratum: "systemic".to_owned(), list_position: 1, envelope },
        );
        self.dose(subject, DoseStep::Started, "2008-03-01", 400);
    }

    pub fn dose(&mut self, subject: &str, step: DoseStep, from: &str, mg: i64) -> u64 {
        let dose_mg = Content::new(Decimal::from(mg));
        self.of(
            subject,
            from,
            Fact::DoseChanged { step, from: date(from), dose_mg, rule: None, adverse_event: None },
        )
    }

    /// Ends treatment with its last dose, and participation.
    pub fn end(&mut self, subject: &str, reason: EndReason, last_dose: &str, ended: &str) {
        let early = reason != EndReason::Completed;
        let last = date(last_dose);
        self.of(
            subject,
            last_dose,
            Fact::TreatmentEnded { reason, last_dose: last, early, adverse_event: None },
        );
        self.of(subject, ended, Fact::ParticipationEnded { reason, date: date(ended) });
    }

    pub fn state(&self) -> State {
        State::replay(&self.events)
    }
}

/// Five participants: 001 completes, 002 ends early with a score at the early end, 003 dies, 004 has nothing
/// after baseline, 005 is not eligible.
pub fn tale() -> Tale {
    let mut tale = Tale::default();
    let score = |total: i64| [("skin_score", "total", Value::Integer(total))];
    tale.enter("01-001", "female", 45, 30);
    tale.visit("01-001", "M1", "2008-04-01", &score(28));
    tale.visit("01-001", "M3", "2008-06-12", &score(27));
    tale.visit("01-001", "M6", "2008-09-01", &score(24));
    tale.end("01-001", EndReason::Completed, "2008-08-31", "2009-03-01");

    tale.enter("01-002", "male", 52, 20);
    tale.dose("01-002", DoseStep::Held, "2008-03-21", 0);
    tale.dose("01-002", DoseStep::Resumed, "2008-03-31", 300);
    tale.visit("01-002", "End", "2008-05-05", &score(26));
    tale.end("01-002", EndReason::AdverseEvent, "2008-04-30", "2008-09-10");

    tale.enter("01-003", "female", 60, 25);
    tale.visit("01-003", "M1", "2008-04-01", &score(29));
    tale.end("01-003", EndReason::Death, "2008-04-20", "2008-04-21");

    tale.enter("01-004", "female", 38, 33);
    tale.end("01-004", EndReason::WithdrewConsent, "2008-03-10", "2008-03-12");

    tale.of("01-005", "2008-02-20", Fact::ConsentSigned { consent_version: "1.0".to_owned() });
    tale.of("01-005", "2008-02-20", Fact::SubjectScreened);
    let (at_visit, unmet) = ("Scr".into(), vec!["B-I3".into(), "B-X5".into()]);
    let decided = Fact::EligibilityDecided {
        at_visit,
        eligible: false,
        unmet,
        unknown: Vec::new(),
        content_digest: String::new(),
    };
    tale.of("01-005", "2008-02-28", decided);
    let ended = Fact::ParticipationEnded { reason: EndReason::NotEligible, date: date("2008-02-28") };
    tale.of("01-005", "2008-02-28", ended);
    tale
}

/// Opens the list: odd participants on imatinib, even ones on placebo.
pub fn unblind(tale: &mut Tale) -> u64 {
    let arm = |number: u32| if number % 2 == 1 { "imatinib" } else { "placebo" };
    let arms = (1..=4)
        .map(|number| (SubjectId::from(format!("01-00{number}")), Content::new(ArmId::from(arm(number)))));
    let fact = Fact::AllocationUnblinded { arms: arms.collect(), list_digest: String::new() };
    tale.tell(Stream::Study, "2009-06-01", fact)
}
