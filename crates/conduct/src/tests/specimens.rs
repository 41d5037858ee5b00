//! Coded specimens: taken once, read blind in a drawn order, locked, joined.

use record::{EndReason, Fact};
use terms::{Answer, MissingReason, SpecimenCode};

use super::trial::*;
use crate::{Action, Command, Refusal};

fn taking(visit: &str) -> Action {
    Action::TakeSpecimen { visit: visit.into() }
}

const LINES: [&str; 5] = ["line_1_mm", "line_2_mm", "line_3_mm", "line_4_mm", "line_5_mm"];

/// A reading with five lines of the same length.
fn thickness(millimetres: &str) -> Vec<(&'static str, Answer)> {
    let mut answers = vec![
        ("border_in_section", flag(true)),
        ("hyalinised_collagen_pct", whole(40)),
        ("myofibroblasts", code("3")),
    ];
    answers.extend(LINES.map(|line| (line, number(millimetres))));
    answers
}

/// A reading of a slide without the border of the subcutis.
fn without_border() -> Vec<(&'static str, Answer)> {
    let mut answers = thickness("2.00");
    answers[0].1 = flag(false);
    for answer in &mut answers[3..] {
        answer.1 = Answer::Missing(MissingReason::NotMeasurable);
    }
    answers
}

fn reading(code: &SpecimenCode, reader: u32, answers: &[(&str, Answer)]) -> Action {
    Action::ReadSpecimen { code: code.clone(), reader, answers: given(answers) }
}

/// The command of one of three pathologists.
fn as_reader(trial: &Trial, reader: u32, action: Action) -> Command {
    let person = ["pathologist", "second pathologist", "third pathologist"][reader as usize - 1];
    let by = record::Actor { person: person.into(), role: "pathologist".into() };
    Command { by, ..trial.command(action) }
}

/// Three participants with a specimen each at month 0, treatment over.
fn three_slides() -> Trial {
    let mut trial = Trial::open(study_b());
    for person in ["second pathologist", "third pathologist"] {
        trial.does(Action::DelegateRole { person: person.into(), role: "pathologist".into(), site: None });
    }
    for _ in 0..3 {
        trial.subject = None;
        trial.starts();
        trial.does(taking("M0"));
        let last_dose = trial.today;
        trial.does(Action::EndTreatment {
            reason: EndReason::Progression,
            last_dose,
            adverse_event: None,
            rule: None,
        });
    }
    trial
}

/// Two participants of the open study with a specimen at month 0 and at the early end each.
fn two_pairs() -> Trial {
    let mut trial = Trial::open(study_a());
    for person in ["second pathologist", "third pathologist"] {
        trial.does(Action::DelegateRole { person: person.into(), role: "pathologist".into(), site: None });
    }
    for _ in 0..2 {
        trial.subject = None;
        trial.starts();
        trial.does(taking("M0"));
        let last_dose = trial.today;
        trial.does(Action::EndTreatment {
            reason: EndReason::Progression,
            last_dose,
            adverse_event: None,
            rule: None,
        });
        trial.later(1);
        trial.holds("End");
        trial.does(taking("End"));
    }
    trial
}

scripts! {
    a_specimen_is_taken_once_where_the_schedule_asks(trial = Trial::open(study_b())) {
        trial.screens();
        refused!(trial, taking("M0"), Refusal::VisitNotHeld { .. });
        refused!(trial, taking("Scr"), Refusal::FormNotScheduled { .. });
        trial.subject = None;
        trial.starts();
        let facts = trial.does(taking("M0"));
        let Fact::SpecimenTaken { specimen, .. } = &facts[0] else { panic!() };
        let code = specimen.get().unwrap();
        assert!(code.len() == 6 && !code.contains("01"), "the code says nothing: {code}");
        refused!(trial, taking("M0"), Refusal::SpecimenAlreadyTaken { .. });
    }

    without_a_plan_nothing_is_read_blind(trial = Trial::open(study_b())) {
        trial.starts();
        trial.study.blind_reading = None;
        refused!(trial, taking("M0"), Refusal::NoBlindReading);
        refused!(trial, Action::DrawReadingOrder, Refusal::NoBlindReading);
        refused!(trial, reading(&"X".into(), 1, &[]), Refusal::NoBlindReading);
        refused!(trial, Action::LockReadings, Refusal::NoBlindReading);
        refused!(trial, Action::JoinReadingKey, Refusal::NoBlindReading);
    }

    the_order_is_drawn_when_no_specimen_can_join_it(trial = Trial::open(study_b())) {
        refused!(trial, Action::DrawReadingOrder, Refusal::NoSpecimens);
        trial.starts();
        trial.does(taking("M0"));
        refused!(trial, Action::DrawReadingOrder, Refusal::SpecimenStillPossible { .. });
        refused!(trial, reading(&"X".into(), 1, &[]), Refusal::OrderNotDrawn);
        refused!(trial, Action::LockReadings, Refusal::OrderNotDrawn);
        let last_dose = trial.today;
        trial.does(Action::EndTreatment { reason: EndReason::Progression, last_dose, adverse_event: None, rule: None });
        trial.study.blind_reading.as_mut().unwrap().repeat_percent = 200;
        // Two slides of the one participant can't be kept apart.
        refused!(trial, Action::DrawReadingOrder, Refusal::SlidesNotSeparable);
        trial.study.blind_reading.as_mut().unwrap().repeat_percent = 0;
        trial.does(Action::DrawReadingOrder);
        refused!(trial, Action::DrawReadingOrder, Refusal::OrderAlreadyDrawn);
        trial.holds("End");
        refused!(trial, taking("End"), Refusal::OrderAlreadyDrawn);
    }

    slides_are_read_in_their_order_locked_and_joined(trial = three_slides()) {
        let facts = trial.does(Action::DrawReadingOrder);
        let Fact::ReadingOrderDrawn { codes, repeats, .. } = &facts[0] else { panic!() };
        // A tenth of three slides, rounded up, is read again under a new code.
        assert_eq!((codes.len(), repeats.len()), (4, 1));
        let mut known = codes.clone();
        known.sort();
        known.dedup();
        assert_eq!(known.len(), 4);
        let codes = codes.clone();
        refused!(trial, reading(&"NONE".into(), 1, &thickness("2.00")), Refusal::UnknownSlide { .. });
        refused!(trial, reading(&codes[0], 4, &thickness("2.00")), Refusal::UnknownReader { .. });
        let early = as_reader(&trial, 3, reading(&codes[0], 3, &thickness("2.00")));
        assert_eq!(trial.refuses_command(&early), Refusal::ReadersNotThrough { missing: 8 });
        refused!(trial, reading(&codes[1], 1, &thickness("2.00")), Refusal::NotTheNextSlide { .. });
        refused!(trial, reading(&codes[0], 1, &thickness("2.00")[1..]), Refusal::FormIncomplete { .. });
        let twice = [thickness("2.00"), thickness("2.10")].concat();
        refused!(trial, reading(&codes[0], 1, &twice), Refusal::ItemTwice { .. });
        let mut contradiction = thickness("2.00");
        contradiction[0] = ("border_in_section", flag(false));
        refused!(trial, reading(&codes[0], 1, &contradiction), Refusal::ReadingContradicts { .. });
        refused!(trial, Action::LockReadings, Refusal::ReadingsIncomplete { missing: 8 });
        for (place, code) in codes.iter().enumerate() {
            for reader in [1, 2] {
                // The second reader sees 0.1 mm more, 0.4 mm on the third slide, and none at all on the last.
                let mut answers = thickness(if reader == 1 { "2.00" } else { "2.10" });
                if place == 2 && reader == 2 {
                    answers = thickness("2.40");
                }
                if place == 3 && reader == 2 {
                    answers = without_border();
                }
                let command = as_reader(&trial, reader, reading(code, reader, &answers));
                trial.accepts(&command);
            }
            if place == 0 {
                let wrong = as_reader(&trial, 1, reading(&codes[1], 2, &thickness("2.00")));
                assert!(matches!(trial.refuses_command(&wrong), Refusal::OtherReader { .. }));
            }
        }
        refused!(trial, reading(&codes[0], 1, &thickness("2.00")), Refusal::AllSlidesRead { .. });
        refused!(trial, Action::JoinReadingKey, Refusal::ReadingsNotLocked);
        // Two slides are in dispute: one reader more decides them, and no other.
        refused!(trial, Action::LockReadings, Refusal::ReadingsIncomplete { missing: 2 });
        assert_eq!(crate::disputed_slides(&trial.study, &trial.state), codes[2..]);
        let settled = as_reader(&trial, 3, reading(&codes[0], 3, &thickness("2.00")));
        assert!(matches!(trial.refuses_command(&settled), Refusal::NotTheNextSlide { .. }));
        for (code, millimetres) in codes[2..].iter().zip(["2.30", "1.90"]) {
            let command = as_reader(&trial, 3, reading(code, 3, &thickness(millimetres)));
            trial.accepts(&command);
        }
        trial.does(Action::LockReadings);
        refused!(trial, Action::LockReadings, Refusal::ReadingsLocked);
        refused!(trial, reading(&codes[0], 1, &thickness("2.00")), Refusal::ReadingsLocked);
        let (third, last) = (codes[2].clone(), codes[3].clone());
        let facts = trial.does(Action::JoinReadingKey);
        assert_eq!(facts.len(), 4, "the key, and a derived form for each participant");
        refused!(trial, Action::JoinReadingKey, Refusal::KeyAlreadyJoined);
        let (key, _) = trial.state.reading.key.clone().unwrap();
        let many = code("3");
        for (code, at_visit) in key.iter().filter(|(code, _)| !trial.state.reading.repeats.contains_key(*code)) {
            let casebook = trial.state.casebook(at_visit.subject.as_str()).unwrap();
            let entry = casebook.at_visit(&"M0".into(), &"biopsy_reading".into(), "dermal_thickness_mm").unwrap();
            // The median of 2.00, 2.30 and 2.40; the mean of 1.90 and 2.00 where one reader could not measure.
            let expected = match code {
                _ if *code == third => number("2.3"),
                _ if *code == last => number("1.95"),
                _ => number("2.05"),
            };
            assert_eq!(entry.answer, Some(expected));
            let agreed = casebook.at_visit(&"M0".into(), &"biopsy_reading".into(), "myofibroblasts").unwrap();
            assert_eq!(agreed.answer, Some(many.clone()));
            // A line says something of one reading alone.
            assert!(casebook.at_visit(&"M0".into(), &"biopsy_reading".into(), LINES[0]).is_none());
        }
    }

    pairs_are_compared_after_the_slides_and_joined_with_their_sides(trial = two_pairs()) {
        let facts = trial.does(Action::DrawReadingOrder);
        let Fact::ReadingOrderDrawn { codes, pairs, pair_repeats, .. } = &facts[0] else { panic!() };
        let (slides, pairs, again) = (codes.clone(), pairs.clone(), pair_repeats.clone());
        assert_eq!((slides.len(), pairs.len(), again.len()), (5, 3, 1), "a slide is read again, and so is a pair");
        let whose = |trial: &Trial, place: usize| trial.state.reading.pair_key[&pairs[place]].subject.clone();
        assert_eq!(whose(&trial, 0), whose(&trial, 2), "a pair and its repeat are no neighbours");
        assert_ne!(whose(&trial, 0), whose(&trial, 1));
        let says = |side: &str| [("clearer_side", code(side))];
        refused!(trial, reading(&pairs[0], 1, &says("left")), Refusal::NotTheNextSlide { .. });
        for reader in [1, 2] {
            for slide in &slides {
                let command = as_reader(&trial, reader, reading(slide, reader, &thickness("2.00")));
                trial.accepts(&command);
            }
        }
        let told = [says("left"), [("later_side", code("left"))]].concat();
        refused!(trial, reading(&pairs[0], 1, &told), Refusal::ItemDerived { .. });
        let later = |trial: &Trial, place: usize| trial.state.reading.pair_key[&pairs[place]].later_left;
        let side = |left: bool| if left { "left" } else { "right" };
        // Of the first pair both see the later slide better, and no difference when it comes back; of the second one sees
        // no difference, one the earlier.
        for reader in [1, 2] {
            let earlier = side(!later(&trial, 1));
            let second = if reader == 1 { "same" } else { earlier };
            let first = |place: usize| if again.contains(&pairs[place]) { "same" } else { side(later(&trial, place)) };
            let seen = [first(0), second, first(2)];
            for (pair, seen) in pairs.iter().zip(seen) {
                let command = as_reader(&trial, reader, reading(pair, reader, &says(seen)));
                trial.accepts(&command);
            }
        }
        refused!(trial, Action::LockReadings, Refusal::ReadingsIncomplete { missing: 1 });
        assert_eq!(crate::disputed_slides(&trial.study, &trial.state), pairs[1..2]);
        let third = as_reader(&trial, 3, reading(&pairs[1], 3, &says(side(!later(&trial, 1)))));
        trial.accepts(&third);
        trial.does(Action::LockReadings);
        trial.does(Action::JoinReadingKey);
        // What counts is the first comparison.
        for (pair, change) in pairs.iter().zip(["better", "worse", "better"]) {
            let of = trial.state.reading.pair_key[pair].clone();
            let casebook = trial.state.casebook(of.subject.as_str()).unwrap();
            let at_end = casebook.at_visit(&"End".into(), &"biopsy_pair".into(), "morphology").unwrap();
            assert_eq!(at_end.answer, Some(code(change)));
            assert!(casebook.at_visit(&"End".into(), &"biopsy_pair".into(), "clearer_side").is_none());
        }
    }
}
