//! The end of a trial: deviations classified, sets signed, lock, unblinding.

use record::{DeviationClass, DeviationKind, EndReason, Fact};
use terms::AnalysisSetId;

use super::trial::*;
use crate::{Action, Command, Refusal};

fn classifying(deviation: &str, class: DeviationClass) -> Action {
    Action::ClassifyDeviation { deviation: deviation.into(), class }
}

fn deviating(text: &str, visit: Option<&str>) -> Action {
    let visit = visit.map(terms::VisitId::from);
    Action::RecordDeviation { what: DeviationKind::Other, visit, rule: None, text: text.to_owned() }
}

/// A participant whose participation ended on the day of the first dose.
fn short() -> Trial {
    let mut trial = Trial::open(study_b());
    trial.starts();
    let last_dose = trial.today;
    trial.does(Action::EndTreatment {
        reason: EndReason::WithdrewConsent,
        last_dose,
        adverse_event: None,
        rule: None,
    });
    trial.does(Action::EndParticipation { reason: EndReason::WithdrewConsent });
    trial
}

scripts! {
    deviations_are_recorded_and_classified(trial = short()) {
        refused!(trial, deviating("a dog ate the diary", Some("M99")), Refusal::UnknownVisit { .. });
        refused!(trial, deviating(" ", None), Refusal::ReasonMissing { .. });
        let long_ago = Command { happened: day("2008-01-01").into(), ..trial.command(deviating("a", None)) };
        let statistician = long_ago.by.clone();
        trial.state.delegations.add(access::Grant {
            person: statistician.person, role: statistician.role, site: None, from: day("2007-01-01"), until: None,
        });
        assert!(matches!(trial.refuses_command(&long_ago), Refusal::BeforeConsent { .. }));
        trial.state = crate::State::replay(&trial.events);
        let before = trial.deviations().len();
        trial.does(deviating("a dog ate the diary", Some("M0")));
        assert_eq!(trial.deviations().len(), before + 1);
        refused!(trial, classifying("01-001-D99", DeviationClass::Minor), Refusal::UnknownDeviation { .. });
        trial.does(classifying("01-001-D1", DeviationClass::Minor));
        refused!(trial, classifying("01-001-D1", DeviationClass::Major), Refusal::ReasonMissing { .. });
        trial.does_because("agreed at the review", classifying("01-001-D1", DeviationClass::Major));
    }

    the_studys_rules_propose_a_class(trial = Trial::open(study_b())) {
        trial.starts();
        let class = |trial: &Trial, index: usize| {
            crate::proposed_class(&trial.study, trial.casebook(), &trial.casebook().deviations[index])
        };
        trial.does_because("emergency", Action::BreakBlind { shown_to: "anaesthetist".into() });
        assert_eq!(class(&trial, 0), DeviationClass::Major);
        for month in ["M1", "M2", "M3", "M4", "M5"] {
            trial.visits(month);
        }
        let target = crate::window(trial.casebook(), trial.study.visit("M6").unwrap()).unwrap().target.unwrap();
        for (days, expected) in [(21, DeviationClass::Minor), (22, DeviationClass::Major)] {
            let mut late = Trial::open(study_b());
            late.state = trial.state.clone();
            late.events = trial.events.clone();
            late.subject = trial.subject.clone();
            late.today = crate::casebook::days_after(target, days);
            late.holds("M6");
            assert_eq!(class(&late, 1), expected, "{days} days late");
            trial.absorb(late);
        }
        // Early: too few doses and too long a pause, both major by their own rules; the early end itself minor.
        let last_dose = trial.today;
        trial.does(Action::EndTreatment { reason: EndReason::Progression, last_dose, adverse_event: None, rule: None });
        assert_eq!(class(&trial, 1), DeviationClass::Minor);
    }

    sets_are_signed_when_all_is_classified_and_over(trial = short()) {
        refused!(trial, Action::SignAnalysisSets { sets: trial.everyone() }, Refusal::DeviationNotClassified { .. });
        trial.classifies();
        let mut sets = trial.everyone();
        let first: AnalysisSetId = sets.keys().next().unwrap().clone();
        sets.remove(&first);
        refused!(trial, Action::SignAnalysisSets { sets }, Refusal::WrongSets { .. });
        let mut sets = trial.everyone();
        sets.get_mut(&first).unwrap().push("01-077".into());
        refused!(trial, Action::SignAnalysisSets { sets }, Refusal::SetHoldsOutsider { .. });
        let in_hand = trial.subject.clone();
        trial.subject = None;
        trial.consents();
        refused!(trial, Action::SignAnalysisSets { sets: trial.everyone() }, Refusal::ParticipationNotOver { .. });
        trial.does(Action::EndParticipation { reason: EndReason::Other });
        trial.subject = in_hand;
        trial.does(Action::SignCasebook { meaning: "all".into() });
        refused!(trial, Action::LockDatabase, Refusal::SetsNotSigned);
        trial.signs_sets();
        // What changes the data makes the signed sets outdated, and the signatures void.
        let facts = trial.corrects("Scr", "vital_signs", &[("systolic", whole(121))]);
        assert!(facts.contains(&Fact::SignatureVoided { visit: None }));
        refused!(trial, Action::SignCasebook { meaning: "all".into() }, Refusal::VisitNotSigned { .. });
        trial.signs("Scr");
        trial.does(Action::SignCasebook { meaning: "all".into() });
        refused!(trial, Action::LockDatabase, Refusal::SetsOutdated);
        trial.signs_sets();
        trial.does(Action::LockDatabase);
    }

    the_lock_waits_for_serious_events_hard_queries_and_readings(trial = Trial::open(study_b())) {
        trial.starts();
        trial.does(Action::TakeSpecimen { visit: "M0".into() });
        let start = trial.today.to_string();
        trial.does(Action::SaveFormSection { key: row("adverse_events", 1), answers: given(&event(&start, "3", true)) });
        let last_dose = trial.today;
        trial.does(Action::EndTreatment { reason: EndReason::WithdrewConsent, last_dose, adverse_event: None, rule: None });
        trial.does(Action::EndParticipation { reason: EndReason::WithdrewConsent });
        trial.classifies();
        trial.does(Action::SignCasebook { meaning: "all".into() });
        trial.signs_sets();
        refused!(trial, Action::LockDatabase, Refusal::SeriousNotReported { .. });
        trial.does(Action::ReportSeriousEvent { row: 1, aware: last_dose });
        refused!(trial, Action::LockDatabase, Refusal::KeyNotJoined);
        // A row that is not complete, or a hard query on it, keeps the casebook from being signed.
        let key = row("adverse_events", 2);
        trial.does(Action::SaveFormSection { key, answers: given(&event(&start, "2", false)[..2]) });
        refused!(trial, Action::SignCasebook { meaning: "all".into() }, Refusal::FormIncomplete { .. });
        refused!(trial, Action::SignCasebook { meaning: "".into() }, Refusal::ReasonMissing { .. });
        let key = row("adverse_events", 2);
        let fatal = [("grade", code("5")), ("serious", flag(false)), ("relation", code("possible")),
            ("action", code("none")), ("outcome", code("fatal"))];
        trial.does(Action::SaveFormSection { key, answers: given(&fatal) });
        assert_eq!(trial.open_queries(), ["death_is_serious"]);
        refused!(trial, Action::SignCasebook { meaning: "all".into() }, Refusal::HardQueriesOpen { .. });
        refused!(trial, Action::LockDatabase, Refusal::HardQueriesOpen { .. });
    }

    a_casebook_is_signed_once(trial = short()) {
        trial.does(Action::SignCasebook { meaning: "all".into() });
        refused!(trial, Action::SignCasebook { meaning: "all".into() }, Refusal::CasebookAlreadySigned { .. });
        refused!(trial, Action::LockDatabase, Refusal::DeviationNotClassified { .. });
    }

    an_opened_list_must_confirm_every_allocation(trial = short()) {
        trial.classifies();
        trial.does(Action::SignCasebook { meaning: "all".into() });
        trial.signs_sets();
        refused!(trial, Action::UnblindAllocation, Refusal::NotLocked);
        trial.does(Action::LockDatabase);
        refused!(trial, Action::UnblindAllocation, Refusal::ListNotOpen { .. });
        trial.open_list();
        let subject = trial.state.casebooks.keys().next().unwrap().clone();
        let place = std::sync::Arc::make_mut(trial.state.casebooks.get_mut(&subject).unwrap()).allocated.as_mut().unwrap();
        place.list_position += 1;
        refused!(trial, Action::UnblindAllocation, Refusal::ListDoesNotConfirm { .. });
        std::sync::Arc::make_mut(trial.state.casebooks.get_mut(&subject).unwrap()).allocated.as_mut().unwrap().list_position -= 1;
        let facts = trial.does(Action::UnblindAllocation);
        let Fact::AllocationUnblinded { arms, .. } = &facts[0] else { panic!() };
        let expected = trial.list.as_ref().unwrap().arm("systemic", 1).unwrap();
        assert_eq!(arms.values().next().unwrap().get(), Some(expected.reveal()));
    }
}
