//! Visits and kits: order, windows, what is missed, what is handed out and counted back.

use record::{DeviationKind, DoseStep, EndReason, Fact};
use terms::{Date, VisitId};

use super::trial::*;
use crate::{Action, Command, Refusal, casebook::days_after, window};

fn held(visit: &str) -> Action {
    Action::HoldVisit { visit: visit.into() }
}

fn missed(visit: &str) -> Action {
    Action::MissVisit { visit: visit.into() }
}

fn dispensed(visit: &str, kit: Option<terms::KitNumber>) -> Action {
    Action::DispenseKit { visit: visit.into(), kit }
}

fn target(trial: &Trial, visit: &str) -> Date {
    window(trial.casebook(), trial.study.visit(visit).unwrap()).unwrap().target.unwrap()
}

scripts! {
    visits_keep_their_order(trial = Trial::open(study_b())) {
        refused!(trial, held("Scr"), Refusal::SubjectMissing);
        trial.consents();
        trial.later(2);
        trial.does(Action::ScreenSubject);
        refused!(trial, held("M99"), Refusal::UnknownVisit { .. });
        refused!(trial, missed("M99"), Refusal::UnknownVisit { .. });
        let day = trial.today;
        let command = Command { happened: days_after(day, -1).into(), ..trial.command(held("Scr")) };
        assert!(matches!(trial.refuses_command(&command), Refusal::VisitBeforeScreening { .. }));
        trial.holds("Scr");
        refused!(trial, missed("Scr"), Refusal::VisitAlreadyHeld { .. });
        refused!(trial, missed("M0"), Refusal::VisitNotMissable { .. });
        trial.fills("Scr");
        trial.decides("Scr");
        refused!(trial, missed("M1"), Refusal::AnchorMissing { .. });
        refused!(trial, missed("End"), Refusal::NotStoppedEarly { .. });
        trial.later(10);
        trial.holds("M0");
        trial.fills("M0");
        trial.decides("M0");
        trial.does(Action::RandomiseSubject);
        trial.does(dispensed("M0", None));
        trial.later(3);
        trial.does(dosing(DoseStep::Started, trial.today, 400));
        let before = days_after(trial.today, -1);
        let command = Command { happened: before.into(), ..trial.command(held("M1")) };
        assert!(matches!(trial.refuses_command(&command), Refusal::VisitBeforeAnchor { .. }));
        refused!(trial, missed("M1"), Refusal::VisitNotYetDue { .. });
        trial.today = target(&trial, "M1");
        trial.holds("M1");
        let before = days_after(trial.today, -1);
        let command = Command { happened: before.into(), ..trial.command(held("M2")) };
        assert!(matches!(trial.refuses_command(&command), Refusal::VisitBeforePrevious { .. }));
        trial.today = target(&trial, "M2");
        trial.does_because("on holiday", missed("M2"));
        refused!(trial, held("M2"), Refusal::VisitAlreadyMissed { .. });
        trial.holds("U1");
        trial.holds("U2");
        assert_eq!(trial.deviations(), [DeviationKind::MissedVisit]);
    }

    a_window_is_closed_on_both_ends(trial = Trial::open(study_b())) {
        trial.starts();
        let planned = target(&trial, "M1");
        for (offset, expected) in [(-8, true), (-7, false), (0, false), (7, false), (8, true)] {
            let mut copy = Trial::open(study_b());
            copy.starts();
            copy.today = days_after(planned, offset);
            let facts = copy.holds("M1");
            assert!(matches!(&facts[0], Fact::VisitHeld { target, .. } if *target == Some(planned)));
            let deviated = copy.deviations().contains(&DeviationKind::OutOfWindow);
            assert_eq!(deviated, expected, "{offset} days off");
            trial.absorb(copy);
        }
    }

    the_way_in_is_judged_once_its_anchor_is_known(trial = Trial::open(study_b())) {
        trial.screens();
        trial.later(29);
        trial.holds("M0");
        trial.fills("M0");
        trial.decides("M0");
        trial.does(Action::RandomiseSubject);
        assert_eq!(trial.deviations(), [DeviationKind::OutOfWindow]);
        assert_eq!(trial.casebook().deviations[0].visit, Some(VisitId::from("Scr")));
        // In study A the first dose is the anchor, and month 0 belongs on its day.
        let mut open = Trial::open(study_a());
        open.enters();
        open.later(1);
        open.does(dosing(DoseStep::Started, open.today, 400));
        assert_eq!(open.deviations(), [DeviationKind::OutOfWindow]);
        assert_eq!(open.casebook().deviations[0].visit, Some(VisitId::from("M0")));
        trial.absorb(open);
    }

    the_early_end_is_for_those_who_stop_early_within_its_days(trial = Trial::open(study_b())) {
        trial.starts();
        trial.later(40);
        trial.visits("M1");
        let last_dose = trial.today;
        trial.does(Action::EndTreatment { reason: EndReason::Progression, last_dose, adverse_event: None, rule: None });
        assert_eq!(trial.deviations(), [DeviationKind::OutOfWindow, DeviationKind::EarlyEnd]);
        let mut late = Trial::open(study_b());
        late.starts();
        late.does_because("progression", Action::EndTreatment { reason: EndReason::Progression, last_dose: late.today, adverse_event: None, rule: None });
        late.later(14);
        late.holds("End");
        assert_eq!(late.deviations(), [DeviationKind::EarlyEnd]);
        // Who stops the drug is still followed.
        late.today = target(&late, "M1");
        late.holds("M1");
        trial.absorb(late);
        trial.later(15);
        trial.holds("End");
        assert_eq!(trial.deviations().last(), Some(&DeviationKind::OutOfWindow));
    }

    visits_that_were_owed_are_missed_at_the_end(trial = Trial::open(study_b())) {
        trial.starts();
        trial.later(50);
        trial.does(Action::EndTreatment { reason: EndReason::LostToFollowUp, last_dose: days_after(trial.today, -20), adverse_event: None, rule: None });
        trial.does(Action::EndParticipation { reason: EndReason::LostToFollowUp });
        let missed: Vec<&str> = trial.casebook().missed.keys().map(VisitId::as_str).collect();
        assert!(missed.contains(&"M1") && missed.contains(&"End") && !missed.contains(&"M2"), "{missed:?}");
        let of_visits = trial.deviations().iter().filter(|what| **what == DeviationKind::MissedVisit).count();
        assert_eq!(of_visits, missed.len());
    }

    the_chosen_kit_is_handed_out_and_counted_back(trial = Trial::open(study_b())) {
        trial.enters();
        let stock = trial.state.stock(&SITE.into());
        let vault = trial.vault.as_ref().unwrap();
        let chosen = vault.choose_kit("systemic", 1, &stock).unwrap();
        let other = stock.iter().find(|kit| **kit != chosen).unwrap().clone();
        refused!(trial, dispensed("M0", Some(other.clone())), Refusal::NotTheChosenKit { .. });
        refused!(trial, dispensed("M1", None), Refusal::VisitNotHeld { .. });
        let given = |kit: &terms::KitNumber| Action::RecordKitGiven { visit: "M0".into(), kit: kit.clone() };
        refused!(trial, given(&other), Refusal::ReasonMissing { .. });
        refused!(trial, because "mix-up", given(&chosen), Refusal::KitIsTheChosenOne { .. });
        refused!(trial, because "mix-up", given(&"0000".into()), Refusal::KitNotInStock { .. });
        let vault = trial.vault.take();
        refused!(trial, dispensed("M0", None), Refusal::VaultClosed);
        trial.vault = vault;
        let facts = trial.does(dispensed("M0", Some(chosen.clone())));
        assert_eq!(facts, [Fact::KitDispensed { kit: chosen.clone(), visit: "M0".into(), tablets: 160 }]);
        refused!(trial, dispensed("M0", None), Refusal::KitAlreadyDispensed { .. });
        trial.does(dosing(DoseStep::Started, trial.today, 400));
        trial.visits("M1");
        let returned = |kit: &terms::KitNumber, visit: &str, tablets| {
            Action::ReturnKit { kit: kit.clone(), visit: visit.into(), tablets }
        };
        refused!(trial, returned(&other, "M1", 10), Refusal::NotTheParticipantsKit { .. });
        refused!(trial, returned(&chosen, "M2", 10), Refusal::VisitNotHeld { .. });
        refused!(trial, returned(&chosen, "M1", 161), Refusal::TooManyTablets { .. });
        trial.does(returned(&chosen, "M1", 40));
        refused!(trial, returned(&chosen, "M1", 40), Refusal::KitAlreadyReturned { .. });
        assert!(!trial.state.stock(&SITE.into()).contains(&chosen));
        trial.holds("U1");
        refused!(trial, dispensed("U1", None), Refusal::NotAKitVisit { .. });
    }

    a_kit_given_by_mistake_is_a_deviation(trial = Trial::open(study_b())) {
        trial.enters();
        let stock = trial.state.stock(&SITE.into());
        let chosen = trial.vault.as_ref().unwrap().choose_kit("systemic", 1, &stock).unwrap();
        let other = stock.iter().find(|kit| **kit != chosen).unwrap().clone();
        trial.does_because("mix-up at the counter", Action::RecordKitGiven { visit: "M0".into(), kit: other });
        assert_eq!(trial.deviations(), [DeviationKind::WrongKit]);
    }
}
