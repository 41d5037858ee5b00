//! Review, freezing and locking of parts; the database locked, and unlocked by two people.

use record::{Closure, EndReason, Fact, FormKey, Part, Review};

use super::trial::*;
use crate::{Action, Command, Refusal};

fn reviewing(review: Review, keys: &[FormKey]) -> Action {
    Action::ReviewForms { review, keys: keys.to_vec() }
}

fn closing(part: &Part, closure: Closure) -> Action {
    Action::CloseData { part: part.clone(), closure }
}

fn reopening(part: &Part) -> Action {
    Action::ReopenData { part: part.clone() }
}

fn asking(key: &FormKey) -> Action {
    Action::OpenQuery {
        key: key.clone(),
        item: "weight".into(),
        addressed_to: "coordinator".into(),
        text: "with shoes?".into(),
    }
}

fn screened() -> Trial {
    let mut trial = Trial::open(study_b());
    trial.consents();
    trial.does(Action::ScreenSubject);
    trial.holds("Scr");
    trial.saves("Scr", "vital_signs", &[("weight", number("66.0")), ("systolic", whole(120))]);
    trial
}

/// A participant whose participation ended on the day of the first dose, with everything classified.
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
    trial.classifies();
    trial
}

scripts! {
    a_review_is_of_the_form_as_it_is(trial = screened()) {
        let key = at("Scr", "vital_signs");
        refused!(trial, reviewing(Review::Data, &[]), Refusal::NoForms);
        refused!(trial, reviewing(Review::Data, &[at("Scr", "nothing")]), Refusal::UnknownForm { .. });
        refused!(trial, reviewing(Review::Medical, &[at("Scr", "dlqi")]), Refusal::ValuesNotSeen { .. });
        refused!(trial, reviewing(Review::Data, &[at("Scr", "blood_count")]), Refusal::NothingToReview { .. });
        trial.does(reviewing(Review::Medical, std::slice::from_ref(&key)));
        trial.does(reviewing(Review::Data, std::slice::from_ref(&key)));
        refused!(trial, reviewing(Review::Data, std::slice::from_ref(&key)), Refusal::AlreadyReviewed { .. });
        trial.corrects("Scr", "vital_signs", &[("weight", number("67.0"))]);
        let form = &trial.casebook().forms[&key];
        assert!(form.review(Review::Data).is_none() && form.review(Review::Medical).is_none());
        trial.does(reviewing(Review::Data, std::slice::from_ref(&key)));
        assert!(trial.casebook().forms[&key].review(Review::Data).is_some());
    }

    what_is_frozen_takes_no_entry_until_it_is_opened(trial = screened()) {
        let key = at("Scr", "vital_signs");
        let form = Part::Form(key.clone());
        let visit = Part::Visit("Scr".into());
        refused!(trial, closing(&Part::Form(at("Scr", "blood_count")), Closure::Frozen), Refusal::FormNotBegun { .. });
        refused!(trial, closing(&Part::Visit("M0".into()), Closure::Frozen), Refusal::VisitNotHeld { .. });
        refused!(trial, because "x", reopening(&form), Refusal::NotClosed { .. });
        trial.does(closing(&form, Closure::Frozen));
        refused!(trial, closing(&form, Closure::Frozen), Refusal::AlreadyClosed { .. });
        refused!(trial, saving("Scr", "vital_signs", &[("heart_rate", whole(70))]), Refusal::DataClosed { .. });
        // Another form of the visit, and a question about this one, go on.
        trial.saves("Scr", "demography", &[("height", number("165.0"))]);
        trial.does(asking(&key));
        refused!(trial, reopening(&form), Refusal::ReasonMissing { .. });
        trial.does_because("the site found the source", reopening(&form));
        trial.saves("Scr", "vital_signs", &[("heart_rate", whole(70))]);
        trial.does(closing(&visit, Closure::Frozen));
        refused!(trial, because "typing error", correcting("Scr", "demography", &[("height", number("166.0"))]), Refusal::DataClosed { .. });
        trial.does_because("continued", reopening(&visit));
        trial.does(closing(&Part::Subject, Closure::Frozen));
        refused!(trial, Action::HoldVisit { visit: "U1".into() }, Refusal::DataClosed { .. });
        trial.does_because("continued", reopening(&Part::Subject));
        trial.holds("U1");
    }

    a_visit_is_locked_once_it_is_signed_and_no_query_is_open(trial = screened()) {
        let visit = Part::Visit("Scr".into());
        let key = at("Scr", "vital_signs");
        trial.fills("Scr");
        refused!(trial, closing(&visit, Closure::Locked), Refusal::VisitNotSigned { .. });
        trial.saves("Scr", "vital_signs", &[("diastolic", whole(80)), ("heart_rate", whole(70))]);
        trial.signs("Scr");
        trial.does(asking(&key));
        let query = trial.casebook().queries.last().unwrap().id.clone();
        refused!(trial, closing(&visit, Closure::Locked), Refusal::QueriesOpen { .. });
        trial.does(Action::AnswerQuery { query: query.clone(), text: "without".into() });
        trial.does(Action::CloseQuery { query });
        trial.does(closing(&visit, Closure::Frozen));
        trial.does(closing(&visit, Closure::Locked));
        refused!(trial, asking(&key), Refusal::DataClosed { .. });
        trial.does_because("the laboratory sent a correction", reopening(&visit));
        trial.does(asking(&key));
    }

    participants_and_sites_are_locked_when_they_are_finished(trial = short()) {
        let site = Part::Site(SITE.into());
        refused!(trial, closing(&Part::Subject, Closure::Locked), Refusal::CasebookNotSigned { .. });
        trial.does(Action::SignCasebook { meaning: "all".into() });
        trial.does(Action::PlanVerification { percent: 100, first_subjects: 0, always: Vec::new() });
        refused!(trial, closing(&Part::Subject, Closure::Locked), Refusal::SourceNotVerified { .. });
        trial.does(Action::PlanVerification { percent: 0, first_subjects: 0, always: Vec::new() });
        trial.does(closing(&Part::Subject, Closure::Locked));
        let classifying = Action::RecordDeviation {
            what: record::DeviationKind::Other, visit: None, rule: None, text: "late".into(),
        };
        refused!(trial, classifying, Refusal::DataClosed { .. });
        refused!(trial, closing(&Part::Site("77".into()), Closure::Frozen), Refusal::UnknownSite { .. });
        refused!(trial, closing(&Part::Study, Closure::Locked), Refusal::LockIsOfTheDatabase);
        trial.does(closing(&site, Closure::Locked));
        refused!(trial, closing(&site, Closure::Locked), Refusal::AlreadyClosed { .. });
        refused!(trial, because "x", reopening(&Part::Study), Refusal::NotClosed { .. });
        let consent_version = crate::current_consent(&trial.study, trial.today).unwrap().to_owned();
        let in_hand = trial.subject.take();
        refused!(trial, Action::SignConsent { site: SITE.into(), consent_version }, Refusal::DataClosed { .. });
        trial.subject = in_hand;
        refused!(trial, reopening(&site), Refusal::ReasonMissing { .. });
        trial.does_because("a participant was found", reopening(&site));
        trial.signs_sets();
        trial.does(Action::LockDatabase);
    }

    two_people_unlock_the_database(trial = short()) {
        trial.does(Action::SignCasebook { meaning: "all".into() });
        trial.signs_sets();
        refused!(trial, because "a late report", Action::ProposeUnlock, Refusal::NotLocked);
        trial.does(Action::LockDatabase);
        refused!(trial, Action::ApproveUnlock, Refusal::UnlockNotProposed);
        refused!(trial, Action::ProposeUnlock, Refusal::ReasonMissing { .. });
        trial.does_because("a late report", Action::ProposeUnlock);
        refused!(trial, because "again", Action::ProposeUnlock, Refusal::UnlockAlreadyProposed);
        let approving = trial.command(Action::ApproveUnlock);
        let proposer = record::Actor { person: "data_manager".into(), role: approving.by.role.clone() };
        trial.state.delegations.add(access::Grant {
            person: proposer.person.clone(), role: proposer.role.clone(), site: None, from: day("2007-01-01"), until: None,
        });
        let by_the_same = Command { by: proposer, ..approving };
        assert!(matches!(trial.refuses_command(&by_the_same), Refusal::SamePersonApproves));
        trial.state = crate::State::replay(&trial.events);
        let facts = trial.does(Action::ApproveUnlock);
        assert_eq!(facts, [Fact::DatabaseUnlocked]);
        trial.corrects("Scr", "vital_signs", &[("systolic", whole(121))]);
        refused!(trial, Action::LockDatabase, Refusal::CasebookNotSigned { .. });
        trial.signs("Scr");
        trial.does(Action::SignCasebook { meaning: "all".into() });
        trial.signs_sets();
        trial.does(Action::LockDatabase);
        // What was unblinded stays as it was.
        trial.does_because("another", Action::ProposeUnlock);
        trial.open_list();
        trial.does(Action::UnblindAllocation);
        refused!(trial, Action::ApproveUnlock, Refusal::AllocationOpen);
        refused!(trial, because "another", Action::ProposeUnlock, Refusal::AllocationOpen);
    }
}
