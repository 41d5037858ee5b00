//! Adverse events, serious ones, and the emergency break of the blind.

use record::{DeviationKind, Fact, FormKey};
use terms::{Answer, Date, PartialDate, Truth};

use super::trial::*;
use crate::{Action, Command, Refusal, adverse_events, casebook::days_after};

fn key(row_number: u32) -> FormKey {
    row("adverse_events", row_number)
}

fn saving_event(row_number: u32, answers: &[(&str, Answer)]) -> Action {
    Action::SaveFormSection { key: key(row_number), answers: given(answers) }
}

fn with<'a>(mut answers: Vec<(&'a str, Answer)>, item: &'a str, answer: Answer) -> Vec<(&'a str, Answer)> {
    answers.retain(|(known, _)| *known != item);
    answers.push((item, answer));
    answers
}

fn reporting(row: u32, aware: Date) -> Action {
    Action::ReportSeriousEvent { row, aware }
}

scripts! {
    a_row_does_not_contradict_itself(trial = Trial::open(study_b())) {
        trial.consents();
        let sound = || event("2009-03-02", "1", false);
        refused!(trial, saving_event(1, &with(sound(), "stop", date("2009-03-01"))), Refusal::StopsBeforeStart);
        refused!(trial, saving_event(1, &with(sound(), "start", date("2009-02"))), Refusal::StartsBeforeConsent);
        refused!(trial, saving_event(1, &with(sound(), "start", date("2009-04"))), Refusal::NotYetHappened { .. });
        refused!(trial, saving_event(1, &with(sound(), "grade", code("5"))), Refusal::FatalGradeMismatch);
        refused!(trial, saving_event(1, &with(sound(), "outcome", code("fatal"))), Refusal::FatalGradeMismatch);
        let mut serious = event("2009-03-02", "3", true);
        serious.retain(|(item, _)| *item != "criterion");
        refused!(trial, saving_event(1, &serious), Refusal::SeriousCriterionMissing);
        // Nausea has no grade 4; and what is no term of the dictionary is none under any spelling.
        let nausea = with(with(sound(), "term", text("Nausea")), "grade", code("4"));
        refused!(trial, saving_event(1, &nausea), Refusal::GradeNotOfTerm { .. });
        let swollen = trial.refuses(saving_event(1, &with(sound(), "term", text("Oedema limbs"))));
        assert!(swollen.to_string().contains("such as Edema limbs"), "{swollen}");
        // Dates known in part are kept so, and decide only what they can.
        trial.does(saving_event(1, &with(with(sound(), "start", date("2009-03")), "stop", date("2009-03-02"))));
        let events = adverse_events(&trial.study, trial.casebook());
        assert_eq!(events[0].start, Some(PartialDate::of_month(2009, 3).unwrap()));
    }

    grades_keep_their_history(trial = Trial::open(study_b())) {
        trial.starts();
        let start = trial.today.to_string();
        trial.does(saving_event(1, &event(&start, "1", false)));
        trial.later(3);
        let worse = Action::CorrectFormSection { key: key(1), answers: given(&[("grade", code("3"))]) };
        trial.does_because("worsened", worse);
        let events = adverse_events(&trial.study, trial.casebook());
        let grades: Vec<_> = events[0].grades.iter().map(|grading| (grading.grade, grading.from)).collect();
        let first = trial.casebook().first_dose().unwrap();
        assert_eq!(grades, [(1, first.into()), (3, days_after(first, 3).into())]);
        assert_eq!(events[0].treatment_emergent, Truth::True);
        assert_eq!(events[0].sources.len(), 2);
    }

    an_event_is_of_the_treatment_where_its_dates_decide_it(trial = Trial::open(study_b())) {
        trial.consents();
        trial.subject = None;
        trial.starts();
        for (row_number, start, expected) in [
            (1, "2009-03-15", Truth::False),
            (2, "2009-03-16", Truth::True),
            (3, "2009-03", Truth::Unknown),
            (4, "2009", Truth::Unknown),
        ] {
            trial.does(saving_event(row_number, &event(start, "1", false)));
            let events = adverse_events(&trial.study, trial.casebook());
            assert_eq!(events[row_number as usize - 1].treatment_emergent, expected, "{start}");
        }
    }

    a_serious_event_is_reported_within_a_day(trial = Trial::open(study_b())) {
        trial.starts();
        let start = trial.today.to_string();
        let today = trial.today;
        trial.does(saving_event(1, &event(&start, "2", false)));
        trial.does(saving_event(2, &event(&start, "3", true)));
        trial.does(saving_event(3, &event(&start, "3", true)));
        refused!(trial, reporting(9, today), Refusal::UnknownAdverseEvent { .. });
        refused!(trial, reporting(1, today), Refusal::NotSerious { .. });
        refused!(trial, reporting(2, days_after(today, 1)), Refusal::NotYetHappened { .. });
        refused!(trial, reporting(2, days_after(today, -100)), Refusal::BeforeConsent { .. });
        trial.later(1);
        assert_eq!(trial.does(reporting(2, today)), [Fact::SeriousEventReported { row: 2, aware: today }]);
        refused!(trial, reporting(2, today), Refusal::SeriousAlreadyReported { .. });
        trial.later(1);
        trial.does(reporting(3, today));
        assert_eq!(trial.deviations(), [DeviationKind::Other]);
    }

    a_broken_blind_is_recorded_with_its_reason_and_without_an_arm(trial = Trial::open(study_b())) {
        trial.starts();
        let breaking = || Action::BreakBlind { shown_to: "anaesthetist".into() };
        refused!(trial, breaking(), Refusal::ReasonMissing { .. });
        let facts = trial.does_because("emergency surgery", breaking());
        assert_eq!(facts[0], Fact::BlindBroken { shown_to: "anaesthetist".into() });
        assert_eq!(trial.deviations(), [DeviationKind::BlindBroken]);
        let command = trial.command(breaking());
        assert!(matches!(&command, Command { reason: None, .. }));
    }
}
