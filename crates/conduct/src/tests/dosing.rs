//! Dosing: levels, holds, resuming, re-escalation, stopping, and what was taken of what was planned.

use record::{DeviationKind, DoseStep, EndReason, Fact};
use terms::{Date, Decimal, RuleId};

use super::trial::*;
use crate::{Action, Refusal, casebook::days_after, compliance};

fn by_rule(step: DoseStep, from: Date, dose_mg: i64, rule: &str) -> Action {
    let rule = Some(RuleId::from(rule));
    Action::ChangeDose { step, from, dose_mg: Decimal::from(dose_mg), rule, adverse_event: None }
}

fn for_event(step: DoseStep, from: Date, dose_mg: i64, row: u32) -> Action {
    Action::ChangeDose { step, from, dose_mg: Decimal::from(dose_mg), rule: None, adverse_event: Some(row) }
}

fn ending(reason: EndReason, last_dose: Date) -> Action {
    Action::EndTreatment { reason, last_dose, adverse_event: None, rule: None }
}

/// A month-1 visit whose chemistry triggers the liver rule, or shows recovery.
fn liver(trial: &mut Trial, visit: &str, alt: i64) {
    let form = trial.study.form("chemistry").unwrap().clone();
    let answers = sound_answers(&trial.study, trial.casebook(), &form, &at(visit, "chemistry"));
    let answers = answers
        .into_iter()
        .map(|(item, answer)| if item == "alt" { (item, whole(alt)) } else { (item, answer) });
    trial.does(Action::SaveFormSection { key: at(visit, "chemistry"), answers: answers.collect() });
}

scripts! {
    the_first_dose_is_the_full_one_after_entry(trial = Trial::open(study_a())) {
        trial.comes_to_entry();
        trial.later(2);
        trial.does(Action::EnrolSubject);
        let today = trial.today;
        refused!(trial, dosing(DoseStep::Started, days_after(today, 2), 400), Refusal::DoseTooFarAhead { .. });
        refused!(trial, dosing(DoseStep::Started, days_after(today, -3), 400), Refusal::FirstDoseBeforeVisit { .. });
        refused!(trial, dosing(DoseStep::Started, days_after(today, -1), 400), Refusal::DoseBackdated { .. });
        refused!(trial, dosing(DoseStep::Started, today, 350), Refusal::NotALevel { .. });
        refused!(trial, dosing(DoseStep::Started, today, 300), Refusal::WrongLevel { .. });
        refused!(trial, for_event(DoseStep::Started, today, 400, 1), Refusal::UnknownAdverseEvent { .. });
        refused!(trial, by_rule(DoseStep::Started, today, 200, "nothing"), Refusal::UnknownDoseRule { .. });
        refused!(trial, by_rule(DoseStep::Started, today, 200, "liver"), Refusal::RuleAsksOtherwise { .. });
        refused!(trial, by_rule(DoseStep::Started, today, 200, "clearance_20_39"), Refusal::RuleNotTriggered { .. });
        trial.corrects("M0", "chemistry", &[("creatinine", number("3.10"))]);
        trial.does(by_rule(DoseStep::Started, today, 200, "clearance_20_39"));
        assert_eq!(trial.casebook().present_dose(), Decimal::from(200));
    }

    a_held_dose_is_a_record_of_nothing_taken(trial = Trial::open(study_a())) {
        trial.starts();
        trial.later(10);
        let today = trial.today;
        refused!(trial, dosing(DoseStep::Resumed, today, 300), Refusal::DrugNotHeld);
        refused!(trial, dosing(DoseStep::Held, today, 0), Refusal::DoseChangeUnexplained);
        refused!(trial, because "nausea", dosing(DoseStep::Held, today, 100), Refusal::WrongLevel { .. });
        refused!(trial, because "nausea", by_rule(DoseStep::Held, today, 0, "grade_4"), Refusal::RuleAsksOtherwise { .. });
        trial.does(by_rule(DoseStep::Held, today, 0, "grade_3"));
        refused!(trial, because "nausea", dosing(DoseStep::Held, days_after(today, 1), 0), Refusal::DrugHeld);
        trial.later(5);
        let today = trial.today;
        // One level down after this rule.
        refused!(trial, dosing(DoseStep::Resumed, today, 400), Refusal::WrongLevel { .. });
        refused!(trial, dosing(DoseStep::Resumed, today, 250), Refusal::NotALevel { .. });
        trial.does(dosing(DoseStep::Resumed, today, 300));
        let doses: Vec<_> = trial.casebook().dose_intervals().iter().map(|interval| {
            (interval.from, interval.to, interval.dose_mg.unwrap())
        }).collect();
        let start = trial.casebook().first_dose().unwrap();
        assert_eq!(doses, [
            (start, Some(days_after(start, 9)), Decimal::from(400)),
            (days_after(start, 10), Some(days_after(start, 14)), Decimal::ZERO),
            (days_after(start, 15), None, Decimal::from(300)),
        ]);
    }

    a_rule_says_when_treatment_may_go_on_and_at_which_level(trial = Trial::open(study_a())) {
        trial.starts();
        trial.later(28);
        trial.holds("M1");
        liver(&mut trial, "M1", 2_000);
        let today = trial.today;
        refused!(trial, by_rule(DoseStep::Held, today, 0, "cpk"), Refusal::RuleNotTriggered { .. });
        trial.does(by_rule(DoseStep::Held, today, 0, "liver"));
        refused!(trial, dosing(DoseStep::Resumed, days_after(today, 1), 300), Refusal::ResumeTooEarly { .. });
        trial.corrects("M1", "chemistry", &[("alt", whole(30))]);
        trial.does(dosing(DoseStep::Resumed, days_after(today, 1), 300));
        // Down to the lowest level, the same rule leaves none.
        trial.later(10);
        trial.does_because("nausea", dosing(DoseStep::Reduced, trial.today, 200));
        trial.later(1);
        trial.does(by_rule(DoseStep::Held, trial.today, 0, "grade_3"));
        trial.later(2);
        refused!(trial, dosing(DoseStep::Resumed, trial.today, 200), Refusal::NoLevelLeft);
    }

    a_second_time_the_same_rule_goes_further_down(trial = Trial::open(study_a())) {
        trial.starts();
        // The blood rule: same dose the first time, one level down after.
        for (expected, above) in [(400, None), (300, Some(400))] {
            trial.later(7);
            trial.does(Action::HoldVisit { visit: format!("U{expected}").as_str().into() });
            trial.does(by_rule(DoseStep::Held, trial.today, 0, "blood"));
            trial.later(3);
            if let Some(above) = above {
                refused!(trial, dosing(DoseStep::Resumed, trial.today, above), Refusal::WrongLevel { .. });
            }
            trial.does(dosing(DoseStep::Resumed, trial.today, expected));
        }
    }

    long_pauses_stop_the_drug_for_good(trial = Trial::open(study_a())) {
        trial.starts();
        for days in [28, 28] {
            trial.later(5);
            trial.does_because("nausea", dosing(DoseStep::Held, trial.today, 0));
            trial.later(days);
            trial.does(dosing(DoseStep::Resumed, trial.today, 400));
        }
        trial.later(5);
        trial.does_because("nausea", dosing(DoseStep::Held, trial.today, 0));
        trial.later(1);
        // 57 days in all.
        refused!(trial, dosing(DoseStep::Resumed, trial.today, 400), Refusal::PauseTooLong { days: 57, limit: 56 });
        let mut other = Trial::open(study_a());
        other.starts();
        other.later(5);
        other.does_because("nausea", dosing(DoseStep::Held, other.today, 0));
        other.later(29);
        refused!(other, dosing(DoseStep::Resumed, other.today, 400), Refusal::PauseTooLong { days: 29, limit: 28 });
        trial.absorb(other);
    }

    the_dose_goes_down_by_levels_and_up_once_after_stable_weeks(trial = Trial::open(study_a())) {
        trial.starts();
        trial.later(10);
        let today = trial.today;
        refused!(trial, because "stable", dosing(DoseStep::Escalated, days_after(today, 1), 500), Refusal::NotStableYet { .. });
        refused!(trial, dosing(DoseStep::Reduced, today, 300), Refusal::DoseChangeUnexplained);
        refused!(trial, because "nausea", dosing(DoseStep::Reduced, today, 400), Refusal::WrongLevel { .. });
        refused!(trial, because "nausea", dosing(DoseStep::Reduced, today, 350), Refusal::NotALevel { .. });
        trial.does_because("nausea", dosing(DoseStep::Reduced, today, 200));
        trial.later(10);
        refused!(trial, because "nausea", dosing(DoseStep::Reduced, trial.today, 200), Refusal::NoLevelLeft);
        refused!(trial, dosing(DoseStep::Escalated, trial.today, 300), Refusal::NotStableYet { days: 10, needed: 28 });
        trial.later(18);
        refused!(trial, dosing(DoseStep::Escalated, trial.today, 400), Refusal::WrongLevel { .. });
        trial.does(dosing(DoseStep::Escalated, trial.today, 300));
        trial.later(30);
        refused!(trial, dosing(DoseStep::Escalated, trial.today, 400), Refusal::TooManyEscalations { limit: 1 });
        let mut full = Trial::open(study_a());
        full.starts();
        full.later(40);
        refused!(full, dosing(DoseStep::Escalated, full.today, 400), Refusal::NotALevel { .. });
        trial.absorb(full);
    }

    what_stops_the_drug_for_good_lets_it_neither_resume_nor_rise(trial = Trial::open(study_a())) {
        trial.starts();
        trial.later(2);
        trial.does_because("nausea", dosing(DoseStep::Reduced, trial.today, 300));
        trial.later(30);
        trial.holds("M1");
        trial.saves("M1", "pregnancy_test", &[("result", code("positive"))]);
        refused!(trial, dosing(DoseStep::Escalated, trial.today, 400), Refusal::MustStop { .. });
        trial.does(by_rule(DoseStep::Held, trial.today, 0, "grade_3"));
        trial.later(1);
        refused!(trial, dosing(DoseStep::Resumed, trial.today, 200), Refusal::MustStop { .. });
        refused!(trial, dosing(DoseStep::Stopped, trial.today, 100), Refusal::WrongLevel { .. });
        refused!(trial, dosing(DoseStep::Stopped, trial.today, 0), Refusal::DoseChangeUnexplained);
        trial.does(by_rule(DoseStep::Stopped, trial.today, 0, "pregnancy"));
        refused!(trial, dosing(DoseStep::Resumed, days_after(trial.today, 1), 200), Refusal::TreatmentStopped);
    }

    treatment_ends_where_the_dosing_record_says(trial = Trial::open(study_a())) {
        trial.starts();
        trial.later(10);
        trial.does_because("nausea", dosing(DoseStep::Reduced, trial.today, 300));
        let reduced = trial.today;
        refused!(trial, ending(EndReason::Progression, days_after(reduced, 1)), Refusal::NotYetHappened { .. });
        refused!(trial, ending(EndReason::Progression, days_after(reduced, -1)), Refusal::LastDoseBeforeChange { .. });
        refused!(trial, ending(EndReason::AdverseEvent, reduced), Refusal::AdverseEventNotNamed);
        refused!(trial, ending(EndReason::StoppingRule, reduced), Refusal::RuleNotNamed);
        let stopped_by = |rule: &str| Action::EndTreatment {
            reason: EndReason::StoppingRule, last_dose: reduced, adverse_event: None, rule: Some(rule.into()),
        };
        refused!(trial, stopped_by("no_such_rule"), Refusal::UnknownDoseRule { .. });
        refused!(trial, stopped_by("not_tolerated"), Refusal::RuleAsksOtherwise { .. });
        let for_nothing = Action::EndTreatment { reason: EndReason::AdverseEvent, last_dose: reduced, adverse_event: Some(3), rule: None };
        refused!(trial, for_nothing, Refusal::UnknownAdverseEvent { row: 3 });
        trial.later(5);
        trial.does_because("nausea", dosing(DoseStep::Held, trial.today, 0));
        let held = trial.today;
        assert_eq!(trial.casebook().last_day_on_drug(days_after(held, 3)), Some(days_after(held, -1)));
        trial.later(5);
        refused!(trial, ending(EndReason::Progression, held), Refusal::LastDoseDiffers { .. });
        let facts = trial.does(ending(EndReason::Progression, days_after(held, -1)));
        assert!(matches!(&facts[0], Fact::DoseChanged { step: DoseStep::Stopped, from, .. } if *from == held));
        assert!(matches!(&facts[1], Fact::TreatmentEnded { early: true, .. }));
        assert_eq!(trial.deviations(), [DeviationKind::EarlyEnd]);
        assert_eq!(trial.casebook().dose_intervals().last().unwrap().to, Some(days_after(held, -1)));
    }

    a_rule_that_stops_the_drug_stands_in_the_dosing_record(trial = Trial::open(study_a())) {
        trial.starts();
        trial.later(10);
        let last_dose = trial.today;
        let rule = Some(terms::RuleId::from("grade_4"));
        let facts = trial.does(Action::EndTreatment {
            reason: EndReason::StoppingRule, last_dose, adverse_event: None, rule: rule.clone(),
        });
        assert!(matches!(&facts[0], Fact::DoseChanged { step: DoseStep::Stopped, rule: named, .. } if *named == rule));
    }

    participation_ends_for_a_reason_that_fits(trial = Trial::open(study_a())) {
        trial.consents();
        refused!(trial, Action::EndParticipation { reason: EndReason::Completed }, Refusal::EndReasonBeforeEntry { .. });
        trial.subject = None;
        trial.enters();
        refused!(trial, Action::EndParticipation { reason: EndReason::NotEligible }, Refusal::EndReasonAfterEntry { .. });
        let command = trial.command(Action::EndParticipation { reason: EndReason::Other });
        let command = crate::Command { happened: days_after(trial.today, -1).into(), ..command };
        assert!(matches!(trial.refuses_command(&command), Refusal::EndBeforeVisit { .. }));
        trial.does(Action::EndParticipation { reason: EndReason::WithdrewConsent });
        assert_eq!(trial.deviations(), []);
    }

    too_few_doses_and_too_long_a_pause_are_deviations(trial = Trial::open(study_b())) {
        trial.starts();
        trial.visits("M1");
        let first = trial.casebook().first_dose().unwrap();
        trial.does(ending(EndReason::Progression, trial.today));
        trial.later(1);
        trial.does(Action::EndParticipation { reason: EndReason::Progression });
        let taken = compliance(&trial.study, trial.casebook()).unwrap();
        // First dose on 16 March; six months later it is 16 September: 184 days were planned, 32 taken.
        assert_eq!(first.to_string(), "2009-03-16");
        assert_eq!((taken.planned_days, taken.dose_days, taken.longest_pause_days), (184, 32, 152));
        assert_eq!(taken.dose_share, Decimal::from(32) / Decimal::from(184));
        let of_compliance = trial.deviations().into_iter().filter(|what| *what == DeviationKind::Compliance);
        assert_eq!(of_compliance.count(), 2);
    }

    counted_tablets_lower_the_share_of_doses(trial = Trial::open(study_b())) {
        trial.starts();
        let kit = trial.casebook().kits.keys().next().unwrap().clone();
        trial.later(29);
        trial.holds("M1");
        trial.does(ending(EndReason::Progression, trial.today));
        assert_eq!(compliance(&trial.study, trial.casebook()).unwrap().adherence, None);
        // 30 days of 4 tablets were due; 160 - 70 = 90 were taken.
        trial.does(Action::ReturnKit { kit, visit: "M1".into(), tablets: 70 });
        let taken = compliance(&trial.study, trial.casebook()).unwrap();
        assert_eq!(taken.adherence, Some("0.75".parse().unwrap()));
        assert_eq!(taken.dose_share, Decimal::from(30) / Decimal::from(184) * Decimal::new(75, 2));
    }
}
