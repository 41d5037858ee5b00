//! Source verification: planned, done item by item, undone by a change, awaited by the lock.

use record::EndReason;
use terms::ItemId;

use super::trial::*;
use crate::{Action, Refusal, is_drawn, unverified};

fn verifying(visit: &str, form: &str, items: &[&str]) -> Action {
    let items = items.iter().map(|item| ItemId::from(*item)).collect();
    Action::VerifySource { key: at(visit, form), items }
}

fn taking_back(visit: &str, form: &str, items: &[&str]) -> Action {
    let items = items.iter().map(|item| ItemId::from(*item)).collect();
    Action::WithdrawVerification { key: at(visit, form), items }
}

fn planning(percent: u8, first_subjects: u32, always: &[&str]) -> Action {
    let always = always.iter().map(|form| terms::FormId::from(*form)).collect();
    Action::PlanVerification { percent, first_subjects, always }
}

fn verified(trial: &Trial, item: &str) -> bool {
    trial.casebook().cell(&at("Scr", "vital_signs"), item).unwrap().verification().is_some()
}

scripts! {
    a_monitor_verifies_entered_items_and_a_change_undoes_it(trial = Trial::open(study_b())) {
        trial.consents();
        trial.does(Action::ScreenSubject);
        trial.holds("Scr");
        trial.saves("Scr", "vital_signs", &[("weight", number("66.0")), ("systolic", whole(120))]);
        refused!(trial, verifying("Scr", "nothing", &["weight"]), Refusal::UnknownForm { .. });
        refused!(trial, verifying("Scr", "guess_assessor", &["guess"]), Refusal::ValuesNotSeen { .. });
        refused!(trial, verifying("Scr", "vital_signs", &[]), Refusal::NoItems);
        refused!(trial, verifying("Scr", "vital_signs", &["diastolic"]), Refusal::NothingToVerify { .. });
        trial.does(verifying("Scr", "vital_signs", &["weight", "systolic"]));
        refused!(trial, verifying("Scr", "vital_signs", &["weight"]), Refusal::AlreadyVerified { .. });
        trial.corrects("Scr", "vital_signs", &[("weight", number("67.0"))]);
        assert!(!verified(&trial, "weight") && verified(&trial, "systolic"));
        assert!(trial.casebook().cell(&at("Scr", "vital_signs"), "weight").unwrap().has_lost_verification());
        trial.does(verifying("Scr", "vital_signs", &["weight"]));
        assert!(verified(&trial, "weight"));
        refused!(trial, taking_back("Scr", "vital_signs", &["weight"]), Refusal::ReasonMissing { .. });
        refused!(trial, because "wrong folder", taking_back("Scr", "vital_signs", &[]), Refusal::NoItems);
        trial.does_because("wrong folder", taking_back("Scr", "vital_signs", &["weight"]));
        refused!(trial, because "wrong folder", taking_back("Scr", "vital_signs", &["weight"]), Refusal::NotVerified { .. });
        assert!(!verified(&trial, "weight"));
    }

    the_lock_waits_for_what_the_plan_asks_to_verify(trial = Trial::open(study_b())) {
        trial.starts();
        let last_dose = trial.today;
        trial.does(Action::EndTreatment { reason: EndReason::WithdrewConsent, last_dose, adverse_event: None, rule: None });
        trial.does(Action::EndParticipation { reason: EndReason::WithdrewConsent });
        trial.classifies();
        trial.does(Action::SignCasebook { meaning: "all".into() });
        trial.signs_sets();
        refused!(trial, planning(101, 0, &[]), Refusal::ShareTooLarge { .. });
        refused!(trial, planning(20, 0, &["nothing"]), Refusal::UnknownForm { .. });
        let drawn = |trial: &Trial| {
            let casebook = trial.casebook();
            let keys = casebook.forms.keys().filter(|key| is_drawn(&trial.study, &trial.state, casebook, key));
            keys.cloned().collect::<Vec<_>>()
        };
        assert!(drawn(&trial).is_empty(), "nothing is drawn without a plan");
        trial.does(planning(0, 0, &["vital_signs"]));
        assert_eq!(drawn(&trial), [at("M0", "vital_signs"), at("Scr", "vital_signs")]);
        trial.does(planning(0, 1, &[]));
        let all = drawn(&trial);
        assert!(all.len() > 10 && all.iter().all(|key| key.form != *"guess_assessor"));
        refused!(trial, Action::LockDatabase, Refusal::SourceNotVerified { .. });
        for key in all {
            let items: Vec<ItemId> = unverified(trial.casebook(), &key).cloned().collect();
            if !items.is_empty() {
                trial.does(Action::VerifySource { key, items });
            }
        }
        trial.does(Action::LockDatabase);
    }
}
