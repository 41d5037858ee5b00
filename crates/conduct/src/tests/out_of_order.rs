//! Forty steps out of order for each study, refused one by one along a whole trial.

use record::{Actor, DoseStep, EndReason, Environment, StudyPart};

use super::trial::*;
use crate::{Action, Command, Refusal};

fn held(visit: &str) -> Action {
    Action::HoldVisit { visit: visit.into() }
}

fn consenting(version: &str) -> Action {
    Action::SignConsent { site: SITE.into(), consent_version: version.to_owned() }
}

fn ending(reason: EndReason) -> Action {
    Action::EndParticipation { reason }
}

fn ending_treatment(trial: &Trial, reason: EndReason) -> Action {
    Action::EndTreatment { reason, last_dose: trial.today, adverse_event: None, rule: None }
}

fn vital_signs() -> Vec<(&'static str, terms::Answer)> {
    vec![("weight", number("66.0")), ("systolic", whole(120)), ("diastolic", whole(75))]
}

scripts! {
    forty_steps_of_study_b_are_refused_out_of_order(trial = Trial::of(study_b())) {
        let current = |trial: &Trial| crate::current_consent(&trial.study, trial.today).unwrap().to_owned();
        // Before the study is open.
        let version = current(&trial);
        refused!(trial, Action::ActivateSite { site: SITE.into() }, Refusal::StudyNotOpen);
        trial.does(Action::OpenStudy { environment: Environment::Rehearsal, seed: None });
        refused!(trial, Action::OpenStudy { environment: Environment::Rehearsal, seed: None }, Refusal::StudyAlreadyOpen);
        trial.delegate_all();
        refused!(trial, consenting(&version), Refusal::SiteNotActive { .. });
        // Before it goes live.
        let live = |trial: &mut Trial, pattern: &str| {
            let refusal = trial.refuses(Action::ActivateSite { site: SITE.into() }).to_string();
            assert!(refusal.contains(pattern), "{refusal}");
        };
        live(&mut trial, "were not tested yet");
        refused!(trial, Action::ReceiveKits { site: SITE.into(), kits: Trial::kits_for(SITE) }, Refusal::AllocationNotSealed);
        trial.does(Action::RecordTest { evidence: "every form filled on the training copy".into() });
        let approving = |parts: &[StudyPart]| Action::ApproveStudy { parts: parts.to_vec() };
        refused!(trial, approving(&[StudyPart::Allocation]), Refusal::AllocationNotSealed);
        trial.does(approving(&[StudyPart::Eligibility, StudyPart::Schedule]));
        live(&mut trial, "of the two people who have to approve the eligibility");
        trial.seal();
        trial.does(approving(&[StudyPart::Allocation]));
        refused!(trial, approving(&[StudyPart::Schedule]), Refusal::ApprovedAlready { .. });
        let second = Actor { person: "trial_statistician".into(), role: "trial_statistician".into() };
        let all = approving(&[StudyPart::Schedule, StudyPart::Eligibility, StudyPart::Allocation]);
        let command = Command { by: second, ..trial.command(all) };
        trial.accepts(&command);
        live(&mut trial, "site 01 has no ethics approval yet on 2009-03-02; record it first");
        trial.goes_live(SITE);
        refused!(trial, Action::UnblindAllocation, Refusal::NotLocked);
        // Before consent.
        trial.subject = Some("01-001".into());
        refused!(trial, Action::ScreenSubject, Refusal::UnknownSubject { .. });
        trial.subject = None;
        refused!(trial, consenting("1.0"), Refusal::ConsentNotCurrent { .. });
        trial.consents();
        // Before screening.
        refused!(trial, held("Scr"), Refusal::NotScreened { .. });
        refused!(trial, deciding("Scr", true), Refusal::NotScreened { .. });
        refused!(trial, Action::RandomiseSubject, Refusal::NotScreened { .. });
        trial.does(Action::ScreenSubject);
        // Before the screening visit.
        refused!(trial, saving("Scr", "vital_signs", &vital_signs()), Refusal::VisitNotHeld { .. });
        refused!(trial, held("M0"), Refusal::VisitOutOfOrder { .. });
        refused!(trial, deciding("Scr", true), Refusal::VisitNotHeld { .. });
        trial.holds("Scr");
        refused!(trial, signing("Scr"), Refusal::FormIncomplete { .. });
        refused!(trial, deciding("Scr", true), Refusal::NotEligible { .. });
        trial.fills("Scr");
        trial.signs("Scr");
        // Before the decision.
        refused!(trial, held("M0"), Refusal::EligibilityNotSigned { .. });
        refused!(trial, Action::RandomiseSubject, Refusal::EligibilityNotSigned { .. });
        trial.decides("Scr");
        refused!(trial, held("M1"), Refusal::VisitOutOfOrder { .. });
        trial.later(10);
        trial.holds("M0");
        trial.fills("M0");
        refused!(trial, Action::RandomiseSubject, Refusal::EligibilityNotSigned { .. });
        trial.decides("M0");
        // No site is live without the sealed list; the rule holds all the same.
        let sealed = trial.state.allocation.take();
        refused!(trial, Action::RandomiseSubject, Refusal::AllocationNotSealed);
        trial.state.allocation = sealed;
        refused!(trial, Action::RandomiseSubject, Refusal::VaultClosed);
        trial.unlock();
        // Before randomisation.
        refused!(trial, Action::DispenseKit { visit: "M0".into(), kit: None }, Refusal::NotInTrial { .. });
        refused!(trial, dosing(DoseStep::Started, trial.today, 400), Refusal::NotInTrial { .. });
        refused!(trial, held("M1"), Refusal::NotInTrial { .. });
        refused!(trial, because "emergency", Action::BreakBlind { shown_to: "anaesthetist".into() }, Refusal::NotInTrial { .. });
        trial.does(Action::RandomiseSubject);
        refused!(trial, Action::RandomiseSubject, Refusal::AlreadyRandomised { .. });
        refused!(trial, deciding("M0", true), Refusal::DecidedAfterEntry { .. });
        // Before the first dose.
        trial.receive_kits(SITE);
        refused!(trial, dosing(DoseStep::Started, trial.today, 400), Refusal::NoKitInHand);
        trial.does(Action::DispenseKit { visit: "M0".into(), kit: None });
        refused!(trial, held("M1"), Refusal::AnchorMissing { .. });
        refused!(trial, ending_treatment(&trial, EndReason::Completed), Refusal::TreatmentNotStarted);
        trial.does(dosing(DoseStep::Started, trial.today, 400));
        trial.signs("M0");
        // On treatment.
        refused!(trial, held("M9"), Refusal::AnchorMissing { .. });
        refused!(trial, held("End"), Refusal::NotStoppedEarly { .. });
        refused!(trial, ending(EndReason::Completed), Refusal::TreatmentNotEnded { .. });
        refused!(trial, ending_treatment(&trial, EndReason::Completed), Refusal::TreatmentIncomplete { .. });
        refused!(trial, Action::SignCasebook { meaning: "all".into() }, Refusal::ParticipationNotOver { .. });
        refused!(trial, Action::DrawReadingOrder, Refusal::SpecimenStillPossible { .. });
        trial.goes_through_treatment();
        trial.does(ending_treatment(&trial, EndReason::Completed));
        // Off treatment.
        refused!(trial, Action::DispenseKit { visit: "M5".into(), kit: None }, Refusal::TreatmentAlreadyEnded { .. });
        refused!(trial, held("M12"), Refusal::VisitOutOfOrder { .. });
        refused!(trial, ending(EndReason::Completed), Refusal::ParticipationIncomplete { .. });
        refused!(trial, Action::LockDatabase, Refusal::ParticipationNotOver { .. });
        trial.visits("M9");
        trial.visits("M12");
        trial.does(ending(EndReason::Completed));
        // Closing.
        refused!(trial, held("U1"), Refusal::ParticipationOver { .. });
        refused!(trial, Action::LockDatabase, Refusal::DeviationNotClassified { .. });
        trial.classifies();
        refused!(trial, Action::LockDatabase, Refusal::CasebookNotSigned { .. });
        trial.does(Action::SignCasebook { meaning: "all".into() });
        refused!(trial, Action::LockDatabase, Refusal::SetsNotSigned);
        trial.signs_sets();
        trial.does(Action::LockDatabase);
        refused!(trial, because "late", correcting("M12", "vital_signs", &vital_signs()), Refusal::Locked { .. });
        refused!(trial, Action::UnblindAllocation, Refusal::ListNotOpen { threshold: 2 });
        trial.open_list();
        trial.does(Action::UnblindAllocation);
        refused!(trial, Action::UnblindAllocation, Refusal::AlreadyUnblinded);
        assert!(trial.refusals >= 40, "{} steps", trial.refusals);
    }

    forty_steps_of_study_a_are_refused_out_of_order(trial = Trial::of(study_a())) {
        let version = crate::current_consent(&trial.study, trial.today).unwrap().to_owned();
        refused!(trial, Action::ActivateSite { site: SITE.into() }, Refusal::StudyNotOpen);
        refused!(trial, consenting(&version), Refusal::StudyNotOpen);
        trial.does(Action::OpenStudy { environment: Environment::Rehearsal, seed: None });
        refused!(trial, Action::OpenStudy { environment: Environment::Rehearsal, seed: None }, Refusal::StudyAlreadyOpen);
        trial.delegate_all();
        refused!(trial, consenting(&version), Refusal::SiteNotActive { .. });
        trial.goes_live(SITE);
        refused!(trial, Action::ActivateSite { site: SITE.into() }, Refusal::SiteAlreadyActive { .. });
        trial.subject = Some("01-001".into());
        refused!(trial, Action::ScreenSubject, Refusal::UnknownSubject { .. });
        refused!(trial, held("Scr"), Refusal::UnknownSubject { .. });
        trial.consents();
        refused!(trial, consenting(&version), Refusal::ConsentAlreadySigned { .. });
        refused!(trial, held("Scr"), Refusal::NotScreened { .. });
        refused!(trial, deciding("Scr", true), Refusal::NotScreened { .. });
        refused!(trial, Action::EnrolSubject, Refusal::NotScreened { .. });
        trial.does(Action::ScreenSubject);
        refused!(trial, Action::ScreenSubject, Refusal::AlreadyScreened { .. });
        refused!(trial, saving("Scr", "vital_signs", &vital_signs()), Refusal::VisitNotHeld { .. });
        refused!(trial, held("M0"), Refusal::VisitOutOfOrder { .. });
        refused!(trial, signing("Scr"), Refusal::VisitNotHeld { .. });
        trial.holds("Scr");
        refused!(trial, held("Scr"), Refusal::VisitAlreadyHeld { .. });
        refused!(trial, deciding("Scr", true), Refusal::NotEligible { .. });
        refused!(trial, signing("Scr"), Refusal::FormIncomplete { .. });
        refused!(trial, because "typing error", correcting("Scr", "vital_signs", &vital_signs()), Refusal::NothingToCorrect { .. });
        trial.fills("Scr");
        refused!(trial, saving("Scr", "vital_signs", &vital_signs()), Refusal::AlreadyEntered { .. });
        trial.signs("Scr");
        refused!(trial, signing("Scr"), Refusal::AlreadySigned { .. });
        refused!(trial, Action::EnrolSubject, Refusal::EligibilityNotSigned { .. });
        refused!(trial, held("M0"), Refusal::EligibilityNotSigned { .. });
        trial.decides("Scr");
        trial.later(10);
        trial.holds("M0");
        trial.fills("M0");
        refused!(trial, Action::EnrolSubject, Refusal::EligibilityNotSigned { .. });
        refused!(trial, dosing(DoseStep::Started, trial.today, 400), Refusal::NotInTrial { .. });
        trial.decides("M0");
        refused!(trial, Action::RandomiseSubject, Refusal::NoAllocation);
        trial.does(Action::EnrolSubject);
        refused!(trial, Action::EnrolSubject, Refusal::AlreadyEnrolled { .. });
        refused!(trial, deciding("M0", true), Refusal::DecidedAfterEntry { .. });
        refused!(trial, dosing(DoseStep::Held, trial.today, 0), Refusal::TreatmentNotStarted);
        refused!(trial, held("M1"), Refusal::AnchorMissing { .. });
        refused!(trial, ending_treatment(&trial, EndReason::Completed), Refusal::TreatmentNotStarted);
        trial.does(dosing(DoseStep::Started, trial.today, 400));
        refused!(trial, dosing(DoseStep::Started, trial.today, 400), Refusal::TreatmentAlreadyStarted);
        trial.signs("M0");
        refused!(trial, dosing(DoseStep::Resumed, trial.today, 400), Refusal::DoseBackdated { .. });
        refused!(trial, held("M2"), Refusal::VisitOutOfOrder { .. });
        refused!(trial, held("M15"), Refusal::AnchorMissing { .. });
        refused!(trial, held("End"), Refusal::NotStoppedEarly { .. });
        refused!(trial, Action::ReportSeriousEvent { row: 1, aware: trial.today }, Refusal::UnknownAdverseEvent { .. });
        refused!(trial, ending(EndReason::Completed), Refusal::TreatmentNotEnded { .. });
        refused!(trial, Action::SignCasebook { meaning: "all".into() }, Refusal::ParticipationNotOver { .. });
        trial.goes_through_treatment();
        refused!(trial, Action::LockReadings, Refusal::OrderNotDrawn);
        refused!(trial, Action::DrawReadingOrder, Refusal::SpecimenStillPossible { .. });
        trial.does(ending_treatment(&trial, EndReason::Completed));
        refused!(trial, ending_treatment(&trial, EndReason::Completed), Refusal::TreatmentAlreadyEnded { .. });
        refused!(trial, dosing(DoseStep::Resumed, trial.today, 400), Refusal::TreatmentAlreadyEnded { .. });
        trial.visits("M15");
        trial.does(ending(EndReason::Completed));
        refused!(trial, ending(EndReason::Completed), Refusal::ParticipationOver { .. });
        refused!(trial, Action::LockDatabase, Refusal::DeviationNotClassified { .. });
        trial.classifies();
        refused!(trial, Action::LockDatabase, Refusal::CasebookNotSigned { .. });
        trial.does(Action::SignCasebook { meaning: "all".into() });
        refused!(trial, Action::LockDatabase, Refusal::SetsNotSigned);
        trial.signs_sets();
        trial.does(Action::LockDatabase);
        refused!(trial, because "late", correcting("M15", "vital_signs", &vital_signs()), Refusal::Locked { .. });
        assert!(trial.refusals >= 40, "{} steps", trial.refusals);
    }
}
