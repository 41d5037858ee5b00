//! From the opening of the study into the trial: sites, roles, consent, screening, eligibility, entry.

use access::Denied;
use protocol::model::{Power, Study};
use record::{Actor, DeviationKind, DoseStep, EndReason, Environment, Fact, StudyPart};
use terms::PartialDate;

use super::trial::*;
use crate::{Action, Command, Refusal};

/// Study A, but its administrator may do everything.
fn study_a_with_a_mighty_administrator() -> Study {
    let mut study = study_a().clone();
    let administrator = study.roles.iter_mut().find(|role| role.may.contains(&Power::Administer)).unwrap();
    administrator.may.extend([
        Power::SealAllocation,
        Power::ReceiveKits,
        Power::UnblindStudy,
        Power::BreakBlind,
    ]);
    study.roles.rotate_right(1);
    study
}

fn kit(trial: &Trial) -> terms::KitNumber {
    trial.state.stock(&SITE.into())[0].clone()
}

fn consenting(trial: &Trial, site: &str) -> Action {
    let consent_version = crate::current_consent(&trial.study, trial.today).unwrap().to_owned();
    Action::SignConsent { site: site.into(), consent_version }
}

fn waiving(visit: &str, rules: &[&str]) -> Action {
    let waived = rules.iter().map(|rule| terms::RuleId::from(*rule)).collect();
    Action::DecideEligibility { at_visit: visit.into(), eligible: true, waived }
}

fn wording(instrument: &str, language: &str) -> Action {
    let text = protocol::content_pack::skeleton(instrument, language).unwrap().replace("\"\"", "\"texte\"");
    Action::LoadContentPack { pack: protocol::content_pack::read(&text).unwrap() }
}

/// Gives the examination's form to another instrument.
fn form_in_hand(trial: &mut Trial, instrument: &str) {
    let form = trial.study.forms.iter_mut().find(|form| form.id == "examination").unwrap();
    form.instrument = Some(instrument.to_owned());
}

scripts! {
    a_study_goes_live_once_it_is_tested_and_approved_by_two_and_each_site_at_its_ethics_approval(trial = Trial::of(study_a())) {
        let tested = |how: &str| Action::RecordTest { evidence: how.into() };
        let approving = |parts: &[StudyPart]| Action::ApproveStudy { parts: parts.to_vec() };
        let ethics = |site: &str, approved: terms::Date, reference: &str| Action::RecordEthicsApproval {
            site: site.into(), approved, reference: reference.into(),
        };
        let today = trial.today;
        let live = || Action::ActivateSite { site: SITE.into() };
        trial.does(Action::OpenStudy { environment: Environment::Rehearsal, seed: None });
        trial.delegate_all();
        refused!(trial, live(), Refusal::StudyNotTested { .. });
        refused!(trial, approving(&[StudyPart::Schedule]), Refusal::StudyNotTested { .. });
        refused!(trial, tested("  "), Refusal::WordsMissing { .. });
        trial.does(tested("every form filled twice on the training copy"));
        refused!(trial, tested("again"), Refusal::TestedAlready { .. });
        refused!(trial, approving(&[]), Refusal::NoParts);
        refused!(trial, approving(&[StudyPart::Allocation]), Refusal::NoAllocation);
        trial.does(approving(&[StudyPart::Schedule, StudyPart::Eligibility]));
        refused!(trial, live(), Refusal::PartNotApproved { part: StudyPart::Eligibility, have: 1, .. });
        // Not by whom it does not concern, and not twice by the same person.
        let by = |person: &str| Actor { person: person.into(), role: person.into() };
        let command = Command { by: by("coordinator"), ..trial.command(approving(&[StudyPart::Schedule])) };
        assert_eq!(
            trial.refuses_command(&command).to_string(),
            "the role `coordinator` may none of: lock the database, sign the analysis sets, review data medically, decide \
             eligibility; ask a person in a role that may one of them"
        );
        refused!(trial, approving(&[StudyPart::Schedule]), Refusal::ApprovedAlready { .. });
        let command = Command { by: by("sponsor_physician"), ..trial.command(approving(&[StudyPart::Eligibility])) };
        trial.accepts(&command);
        refused!(trial, live(), Refusal::PartNotApproved { part: StudyPart::Schedule, have: 1, .. });
        let command = Command { by: by("trial_statistician"), ..trial.command(approving(&[StudyPart::Schedule])) };
        trial.accepts(&command);
        assert!(trial.state.preparation.is_complete(&trial.study));
        refused!(trial, live(), Refusal::NoEthicsApproval { .. });
        refused!(trial, ethics("99", today, "2009-A-017"), Refusal::UnknownSite { .. });
        refused!(trial, ethics(SITE, today, " "), Refusal::WordsMissing { .. });
        let yesterday = trial.today.yesterday().unwrap();
        refused!(trial, ethics(SITE, today.tomorrow().unwrap(), "2009-A-017"), Refusal::NotYetHappened { .. });
        trial.does(ethics(SITE, today, "2009-A-017"));
        // Not from a day before the committee's.
        let by = trial.command(live()).by;
        trial.state.delegations.add(access::Grant { person: by.person, role: by.role, site: None, from: yesterday, until: None });
        let early = Command { happened: yesterday.into(), ..trial.command(live()) };
        assert!(matches!(trial.refuses_command(&early), Refusal::NoEthicsApproval { .. }));
        trial.state = crate::State::replay(&trial.events);
        trial.does(live());
        trial.consents();
        // Other files are a draft again: nobody new is asked for consent under them, and who is in the trial goes on.
        let own = std::mem::replace(&mut trial.study.version, "0123456789abcdef and more".into());
        let first = trial.subject.take();
        let refusal = trial.refuses(consenting(&trial, SITE));
        assert_eq!(
            refusal.to_string(),
            "the study's files of version 0123456789abcdef were not tested yet; record the test first"
        );
        trial.subject = first;
        trial.does(Action::ScreenSubject);
        trial.subject = None;
        trial.does(tested("what was changed"));
        refused!(trial, consenting(&trial, SITE), Refusal::PartNotApproved { have: 0, .. });
        trial.prepares();
        trial.consents();
        trial.study.version = own;
    }

    the_audit_trail_is_reviewed_further_each_time(trial = Trial::open(study_a())) {
        let last = trial.state.sequence;
        let reviewing = |up_to: u64, finding: &str| Action::ReviewAuditTrail { up_to, finding: finding.into() };
        refused!(trial, reviewing(last + 1, "nothing"), Refusal::NotInTheTrail { .. });
        refused!(trial, reviewing(last, " "), Refusal::WordsMissing { .. });
        trial.does(reviewing(last - 1, "nothing that needs an explanation"));
        assert_eq!(trial.state.trail_reviewed.as_ref().unwrap().0, last - 1);
        refused!(trial, reviewing(last - 1, "the same"), Refusal::ReviewedFurther { .. });
        trial.does(reviewing(last, "delegations of one day, explained"));
    }

    windows_are_reckoned_from_whole_dates_only(trial = Trial::open(study_b())) {
        trial.consents();
        let kit = kit(&trial);
        let day = trial.today;
        for action in [
            consenting(&trial, SITE),
            Action::WithdrawConsent { keep_data: true },
            Action::ScreenSubject,
            deciding("Scr", true),
            Action::EnrolSubject,
            Action::RandomiseSubject,
            Action::HoldVisit { visit: "Scr".into() },
            Action::DispenseKit { visit: "M0".into(), kit: None },
            Action::ReturnKit { kit: kit.clone(), visit: "M0".into(), tablets: 1 },
            Action::EndParticipation { reason: EndReason::Other },
            Action::TakeSpecimen { visit: "M0".into() },
            Action::RecordTest { evidence: "tried".into() },
            Action::ApproveStudy { parts: Vec::new() },
            Action::RecordEthicsApproval { site: "05".into(), approved: day, reference: "2009-A-018".into() },
            Action::ActivateSite { site: "05".into() },
            Action::DelegateRole { person: "somebody".into(), role: "coordinator".into(), site: None },
            Action::RecordTraining { person: "somebody".into(), role: "coordinator".into() },
            Action::EndDelegation { person: "coordinator".into(), role: "coordinator".into(), site: None, until: day },
            Action::ReceiveKits { site: SITE.into(), kits: vec![kit] },
        ] {
            let month = PartialDate::of_month(day.year(), day.month()).unwrap();
            let command = Command { happened: month, ..trial.command(action) };
            let refusal = trial.refuses_command(&command);
            assert!(matches!(refusal, Refusal::DateIncomplete { .. }), "{refusal}");
        }
        let mut unopened = Trial::of(study_b());
        let opening = Action::OpenStudy { environment: Environment::Live, seed: None };
        let command = Command { happened: PartialDate::of_year(2009), ..unopened.command(opening) };
        assert!(matches!(unopened.refuses_command(&command), Refusal::DateIncomplete { .. }));
        trial.absorb(unopened);
    }

    what_has_not_happened_is_not_recorded(trial = Trial::open(study_b())) {
        let tomorrow = trial.today.tomorrow().unwrap();
        let action = consenting(&trial, SITE);
        let command = Command { happened: tomorrow.into(), ..trial.command(action) };
        assert!(matches!(trial.refuses_command(&command), Refusal::NotYetHappened { .. }));
    }

    a_decision_on_an_old_view_is_refused(trial = Trial::open(study_b())) {
        trial.consents();
        let stale = Command { expected_position: Some(0), ..trial.command(Action::ScreenSubject) };
        assert!(matches!(trial.refuses_command(&stale), Refusal::StaleView { expected: 0, found: 1, .. }));
        let fresh = Command { expected_position: Some(1), ..stale };
        trial.accepts(&fresh);
    }

    the_record_of_another_study_is_left_alone(trial = Trial::open(study_b())) {
        let own = std::mem::replace(&mut trial.study.id, "another".into());
        refused!(trial, Action::ActivateSite { site: "05".into() }, Refusal::OtherStudy { .. });
        trial.study.id = own;
    }

    sites_and_roles_are_those_of_the_study(trial = Trial::open(study_b())) {
        let delegating = |person: &str, role: &str, site: Option<&str>| Action::DelegateRole {
            person: person.into(),
            role: role.into(),
            site: site.map(terms::SiteId::from),
        };
        refused!(trial, Action::ActivateSite { site: "99".into() }, Refusal::UnknownSite { .. });
        refused!(trial, Action::ActivateSite { site: SITE.into() }, Refusal::SiteAlreadyActive { .. });
        refused!(trial, delegating("somebody", "coordinator", Some("99")), Refusal::UnknownSite { .. });
        refused!(trial, delegating("somebody", "surgeon", None), Refusal::Denied(Denied::UnknownRole { .. }));
        refused!(trial, delegating("coordinator", "coordinator", None), Refusal::RoleAlreadyDelegated { .. });
        refused!(trial, delegating("pharmacist", "principal_investigator", None), Refusal::RolesConflict { .. });
        refused!(trial, delegating("pathologist", "specimen_custodian", None), Refusal::RolesConflict { .. });
        trial.does(delegating("somebody", "coordinator", Some(SITE)));
        refused!(trial, Action::SignConsent { site: "99".into(), consent_version: "1.1".into() }, Refusal::UnknownSite { .. });
        refused!(trial, consenting(&trial, "05"), Refusal::SiteNotActive { .. });
    }

    a_person_acts_only_in_a_role_that_may_and_was_delegated(trial = Trial::open(study_b())) {
        trial.consents();
        let as_role = |trial: &Trial, person: &str, role: &str, action: Action| Command {
            by: Actor { person: person.into(), role: role.into() },
            ..trial.command(action)
        };
        let command = as_role(&trial, "coordinator", "coordinator", consenting(&trial, SITE));
        assert!(matches!(trial.refuses_command(&command), Refusal::Denied(Denied::NoPower { .. })));
        let command = as_role(&trial, "surgeon", "surgeon", Action::ScreenSubject);
        assert!(matches!(trial.refuses_command(&command), Refusal::Denied(Denied::UnknownRole { .. })));
        let command = as_role(&trial, "stranger", "coordinator", Action::ScreenSubject);
        assert!(matches!(trial.refuses_command(&command), Refusal::Denied(Denied::NotDelegated { .. })));
        // A delegation at another site is none here, one of today none yesterday.
        trial.does(Action::DelegateRole { person: "stranger".into(), role: "coordinator".into(), site: Some("05".into()) });
        assert!(matches!(trial.refuses_command(&command), Refusal::Denied(Denied::NotDelegated { .. })));
        trial.later(1);
        trial.does(Action::DelegateRole { person: "stranger".into(), role: "coordinator".into(), site: Some(SITE.into()) });
        let yesterday = trial.today.yesterday().unwrap();
        let command = Command { happened: yesterday.into(), ..as_role(&trial, "stranger", "coordinator", Action::ScreenSubject) };
        assert!(matches!(trial.refuses_command(&command), Refusal::Denied(Denied::NotDelegated { .. })));
        let command = Command { happened: trial.today.into(), ..command };
        trial.accepts(&command);
    }

    blinded_roles_leave_the_allocation_alone(trial = Trial::open(study_b())) {
        let role = |trial: &mut Trial, id: &str, power| {
            trial.study.roles.iter_mut().find(|role| role.id == *id).unwrap().may.insert(power);
        };
        role(&mut trial, "data_manager", Power::UnblindStudy);
        let command = Command {
            by: Actor { person: "data_manager".into(), role: "data_manager".into() },
            ..trial.command(Action::UnblindAllocation)
        };
        assert!(matches!(trial.refuses_command(&command), Refusal::Denied(Denied::Blinded { .. })));
        role(&mut trial, "unblinded_statistician", Power::SignAnalysisSets);
        let command = Command {
            by: Actor { person: "unblinded_statistician".into(), role: "unblinded_statistician".into() },
            ..trial.command(Action::SignAnalysisSets { sets: trial.everyone() })
        };
        assert!(matches!(trial.refuses_command(&command), Refusal::Denied(Denied::NotBlinded { .. })));
    }

    a_study_without_allocation_has_no_list_and_no_kits(trial = Trial::open(&study_a_with_a_mighty_administrator())) {
        let sealing = Action::SealAllocation { digest: "d".into(), scheme_digest: "s".into() };
        refused!(trial, sealing, Refusal::NoAllocation);
        refused!(trial, Action::ReceiveKits { site: SITE.into(), kits: vec!["1".into()] }, Refusal::NoAllocation);
        refused!(trial, Action::UnblindAllocation, Refusal::NoAllocation);
        trial.starts();
        refused!(trial, Action::RandomiseSubject, Refusal::NoAllocation);
        refused!(trial, Action::DispenseKit { visit: "M0".into(), kit: None }, Refusal::NoAllocation);
        refused!(trial, because "emergency", Action::BreakBlind { shown_to: "anaesthetist".into() }, Refusal::NotBlinded);
    }

    the_list_is_sealed_once_and_kits_arrive_once(trial = Trial::open(study_b())) {
        let sealing = Action::SealAllocation { digest: "d".into(), scheme_digest: "s".into() };
        refused!(trial, sealing, Refusal::AllocationAlreadySealed { .. });
        let receiving = |site: &str, kits: Vec<terms::KitNumber>| Action::ReceiveKits { site: site.into(), kits };
        let there = kit(&trial);
        refused!(trial, receiving(SITE, vec![there]), Refusal::KitAlreadyReceived { .. });
        refused!(trial, receiving(SITE, Vec::new()), Refusal::NoKits);
        refused!(trial, receiving("05", Trial::kits_for("05")), Refusal::SiteNotActive { .. });
        refused!(trial, receiving(SITE, vec!["77".into(), "77".into()]), Refusal::KitAlreadyReceived { .. });
    }

    participants_are_numbered_by_site_in_order(trial = Trial::open(study_b())) {
        trial.subject = Some("01-002".into());
        refused!(trial, consenting(&trial, SITE), Refusal::NotTheNextNumber { .. });
        trial.subject = None;
        trial.consents();
        assert_eq!(trial.subject.clone().unwrap(), "01-001");
        trial.goes_live("05");
        refused!(trial, consenting(&trial, "05"), Refusal::OtherSite { .. });
        trial.subject = None;
        trial.consents();
        assert_eq!(trial.subject.clone().unwrap(), "01-002");
        let unnamed = Command { subject: None, ..trial.command(Action::ScreenSubject) };
        assert_eq!(trial.refuses_command(&unnamed), Refusal::SubjectMissing);
    }

    rights_need_training_in_a_live_trial_and_end_with_the_delegation(trial = Trial::of(study_a())) {
        let investigator = "principal_investigator";
        let training = |role: &str| Action::RecordTraining { person: investigator.into(), role: role.into() };
        let ending = |role: &str, until: &str| Action::EndDelegation {
            person: role.into(), role: role.into(), site: None, until: day(until),
        };
        trial.does(Action::OpenStudy { environment: Environment::Live, seed: None });
        for person in ["data_manager", "trial_statistician"] {
            trial.does(Action::DelegateRole { person: person.into(), role: person.into(), site: None });
            trial.does(Action::RecordTraining { person: person.into(), role: person.into() });
        }
        trial.does(Action::DelegateRole { person: investigator.into(), role: investigator.into(), site: None });
        for instrument in ["haq_di", "shaq_vas", "sf36"] {
            trial.does(wording(instrument, "en"));
        }
        trial.goes_live(SITE);
        refused!(trial, consenting(&trial, SITE), Refusal::Denied(Denied::NotTrained { .. }));
        refused!(trial, training("surgeon"), Refusal::Denied(Denied::UnknownRole { .. }));
        trial.does(training(investigator));
        refused!(trial, training(investigator), Refusal::TrainedAlready { .. });
        trial.consents();
        let subject = trial.subject.take();
        refused!(trial, ending("coordinator", "2009-03-02"), Refusal::NoDelegation { .. });
        refused!(trial, ending(investigator, "2009-03-01"), Refusal::EndsBeforeBegin { .. });
        refused!(trial, ending("administrator", "2009-03-02"), Refusal::LastAdministrator);
        trial.does(ending(investigator, "2009-03-02"));
        trial.subject = subject;
        trial.does(Action::ScreenSubject);
        trial.later(1);
        refused!(trial, Action::WithdrawConsent { keep_data: true }, Refusal::Denied(Denied::NotDelegated { .. }));
    }

    a_form_of_licensed_wording_waits_for_its_content_pack(trial = Trial::of(study_b())) {
        let pack = |instrument: &str| wording(instrument, "fr");
        form_in_hand(&mut trial, "dlqi");
        trial.does(Action::OpenStudy { environment: Environment::Live, seed: None });
        trial.delegate_all();
        trial.prepares();
        let approved = trial.today;
        trial.does(Action::RecordEthicsApproval { site: SITE.into(), approved, reference: "2009-A-017".into() });
        // A site does not go live while any form lacks its wording; a form that is added later waits for its own.
        refused!(trial, Action::ActivateSite { site: SITE.into() }, Refusal::ContentPackMissing { .. });
        refused!(trial, pack("rand36"), Refusal::ContentPackNotUsed { .. });
        trial.does(pack("dlqi"));
        trial.does(pack("ssc_haq"));
        trial.does(Action::ActivateSite { site: SITE.into() });
        form_in_hand(&mut trial, "haq_di");
        trial.consents();
        trial.does(Action::ScreenSubject);
        trial.holds("Scr");
        let examined = saving("Scr", "examination", &[("oedema_grade", whole(0))]);
        let refusal = trial.refuses(examined.clone());
        assert!(refusal.to_string().contains("no content pack in language `fr` is loaded"), "{refusal}");
        let subject = trial.subject.take();
        let month = PartialDate::of_month(2009, 3).unwrap();
        let command = Command { happened: month, ..trial.command(pack("haq_di")) };
        assert!(matches!(trial.refuses_command(&command), Refusal::DateIncomplete { .. }));
        trial.does(pack("haq_di"));
        refused!(trial, pack("haq_di"), Refusal::ContentPackAlreadyLoaded { .. });
        trial.subject = subject;
        trial.does(examined);
    }

    each_step_needs_the_consent_that_is_current_on_its_day(trial = Trial::of(study_b())) {
        trial.today = day("2009-01-05");
        trial = {
            let today = trial.today;
            let mut opened = Trial::of(study_b());
            opened.today = today;
            opened.does(Action::OpenStudy { environment: Environment::Rehearsal, seed: None });
            opened.delegate_all();
            opened.goes_live(SITE);
            opened.unlock();
            opened.receive_kits(SITE);
            opened
        };
        trial.on("2009-01-28");
        trial.consents();
        let waiting = trial.subject.clone();
        trial.subject = None;
        trial.screens();
        let screened = trial.subject.clone();
        trial.subject = None;
        trial.on("2009-01-15").enters();
        let randomised = trial.subject.clone();
        // Version 1.1 is current from 1 February on.
        trial.on("2009-02-02");
        trial.subject = waiting;
        refused!(trial, Action::ScreenSubject, Refusal::ConsentMissing { .. });
        trial.subject = screened;
        refused!(trial, Action::HoldVisit { visit: "M0".into() }, Refusal::ConsentMissing { .. });
        refused!(trial, deciding("Scr", true), Refusal::ConsentMissing { .. });
        refused!(trial, Action::RandomiseSubject, Refusal::ConsentMissing { .. });
        refused!(trial, Action::TakeSpecimen { visit: "Scr".into() }, Refusal::ConsentMissing { .. });
        trial.subject = randomised;
        refused!(trial, Action::DispenseKit { visit: "M0".into(), kit: None }, Refusal::ConsentMissing { .. });
        refused!(trial, dosing(DoseStep::Started, trial.today, 400), Refusal::ConsentMissing { .. });
        trial.consents();
        trial.does(Action::DispenseKit { visit: "M0".into(), kit: None });
        trial.does(dosing(DoseStep::Started, trial.today, 400));
    }

    a_withdrawn_consent_ends_new_data(trial = Trial::open(study_b())) {
        trial.consents();
        trial.does(Action::ScreenSubject);
        trial.holds("Scr");
        let before = trial.today.yesterday().unwrap();
        let command = trial.command(Action::WithdrawConsent { keep_data: true });
        let early = Command { happened: before.into(), ..command };
        // The investigator is delegated since today; another one was before.
        trial.state.delegations.add(access::Grant {
            person: early.by.person.clone(), role: early.by.role.clone(), site: None, from: before, until: None,
        });
        let delegations = trial.state.delegations.clone();
        assert!(matches!(trial.refuses_command(&early), Refusal::BeforeConsent { .. }));
        trial.state = crate::State::replay(&trial.events);
        assert_ne!(trial.state.delegations, delegations);
        trial.does(Action::WithdrawConsent { keep_data: true });
        refused!(trial, Action::WithdrawConsent { keep_data: true }, Refusal::ConsentWithdrawn { .. });
        trial.later(1);
        refused!(trial, Action::HoldVisit { visit: "U1".into() }, Refusal::ConsentWithdrawn { .. });
        refused!(trial, consenting(&trial, SITE), Refusal::ConsentWithdrawn { .. });
        let weight = [("weight", number("66.0"))];
        refused!(trial, saving("Scr", "vital_signs", &weight), Refusal::ConsentWithdrawn { .. });
        // What was seen before may be written down later, unless the participant said otherwise.
        let yesterday = trial.today.yesterday().unwrap();
        let command = trial.command(saving("Scr", "vital_signs", &weight));
        trial.accepts(&Command { happened: yesterday.into(), ..command });
        trial.subject = None;
        trial.consents();
        trial.does(Action::ScreenSubject);
        trial.holds("Scr");
        trial.does(Action::WithdrawConsent { keep_data: false });
        refused!(trial, saving("Scr", "vital_signs", &weight), Refusal::DataNotKept { .. });
    }

    nothing_happens_once_participation_is_over(trial = Trial::open(study_b())) {
        trial.consents();
        trial.does(Action::ScreenSubject);
        trial.does(Action::EndParticipation { reason: EndReason::Other });
        for action in [
            consenting(&trial, SITE),
            Action::WithdrawConsent { keep_data: true },
            Action::ScreenSubject,
            deciding("Scr", true),
            Action::EnrolSubject,
            Action::HoldVisit { visit: "Scr".into() },
            Action::MissVisit { visit: "M1".into() },
            Action::DispenseKit { visit: "M0".into(), kit: None },
            dosing(DoseStep::Started, trial.today, 400),
            Action::EndTreatment { reason: EndReason::Other, last_dose: trial.today, adverse_event: None, rule: None },
            Action::EndParticipation { reason: EndReason::Other },
            Action::TakeSpecimen { visit: "Scr".into() },
        ] {
            refused!(trial, action, Refusal::ParticipationOver { .. });
        }
    }

    unmet_and_open_rules_are_listed_and_waived_with_a_reason_only(trial = Trial::open(study_b())) {
        trial.consents();
        trial.does(Action::ScreenSubject);
        trial.holds("Scr");
        trial.saves("Scr", "echocardiography", &[
            ("lvef_pct", whole(45)), ("lvef_method", code("simpson")), ("jet_seen", flag(false)), ("symptoms", flag(false)),
        ]);
        trial.saves("Scr", "demography", &[("age_years", whole(17))]);
        trial.fills("Scr");
        let form = trial.study.form("demography").unwrap().clone();
        let rest: Vec<_> = sound_answers(&trial.study, trial.casebook(), &form, &at("Scr", "demography"))
            .into_iter().filter(|(item, _)| *item != "age_years").collect();
        trial.does(Action::SaveFormSection { key: at("Scr", "demography"), answers: rest });
        let refusal = trial.refuses(deciding("Scr", true));
        // LVEF of 45 breaks two rules that say the same: one is shown.
        let Refusal::NotEligible { unmet, unknown, .. } = refusal else { panic!("{refusal}") };
        assert_eq!(unmet, ["B-I1", "B-I5"].map(terms::RuleId::from));
        assert!(unknown.is_empty(), "{unknown:?}");
        refused!(trial, waiving("Scr", &["B-I1"]), Refusal::NotEligible { .. });
        refused!(trial, waiving("Scr", &["B-I1", "B-I5"]), Refusal::ReasonMissing { .. });
        refused!(trial, because "agreed", waiving("Scr", &["B-I1", "B-I5", "B-I4"]), Refusal::NothingToWaive { .. });
        refused!(trial, deciding("M3", true), Refusal::NoRulesAtVisit { .. });
        trial.signs("Scr");
        trial.does_because("agreed with the sponsor", waiving("Scr", &["B-I1", "B-I5"]));
        trial.later(10);
        trial.holds("M0");
        trial.fills("M0");
        trial.decides("M0");
        assert_eq!(trial.deviations(), []);
        trial.does(Action::RandomiseSubject);
        assert_eq!(trial.deviations(), [DeviationKind::Eligibility, DeviationKind::Eligibility]);
    }

    an_open_rule_is_no_met_rule(trial = Trial::open(study_b())) {
        trial.consents();
        trial.does(Action::ScreenSubject);
        trial.holds("Scr");
        trial.saves("Scr", "echocardiography", &[
            ("lvef_pct", terms::Answer::Missing(terms::MissingReason::NotDone)), ("symptoms", flag(false)),
        ]);
        trial.fills("Scr");
        let refusal = trial.refuses(deciding("Scr", true));
        let Refusal::NotEligible { unmet, unknown, .. } = refusal else { panic!("{refusal}") };
        assert!(unmet.is_empty());
        assert_eq!(unknown, [terms::RuleId::from("B-I5")]);
        // Signed as not eligible, the way in ends here.
        trial.does(deciding("Scr", false));
        refused!(trial, Action::RandomiseSubject, Refusal::EligibilityNotSigned { .. });
        trial.does(Action::EndParticipation { reason: EndReason::NotEligible });
    }

    a_decision_holds_for_the_data_that_it_was_made_on(trial = Trial::open(study_b())) {
        trial.comes_to_entry();
        trial.corrects("Scr", "echocardiography", &[("lvef_pct", whole(45))]);
        refused!(trial, Action::RandomiseSubject, Refusal::EligibilityOutdated { .. });
        refused!(trial, deciding("Scr", true), Refusal::NotEligible { .. });
        trial.corrects("Scr", "echocardiography", &[("lvef_pct", whole(61))]);
        trial.does(Action::RandomiseSubject);
    }

    the_way_in_goes_through_its_visits(trial = Trial::open(study_b())) {
        for rule in &mut trial.study.eligibility {
            rule.at.retain(|visit| *visit == "Scr");
        }
        trial.screens();
        trial.later(7);
        refused!(trial, Action::RandomiseSubject, Refusal::VisitNotHeld { .. });
        trial.holds("M0");
        let yesterday = trial.today.yesterday().unwrap();
        let command = Command { happened: yesterday.into(), ..trial.command(Action::RandomiseSubject) };
        assert!(matches!(trial.refuses_command(&command), Refusal::EndBeforeVisit { .. }));
        let stratum = trial.study.allocation.clone();
        trial.study.allocation.as_mut().unwrap().stratum_item = "nothing".into();
        refused!(trial, Action::RandomiseSubject, Refusal::StratumUnknown { .. });
        trial.study.allocation = stratum;
        trial.does(Action::RandomiseSubject);
    }

    a_vault_of_another_list_allocates_nothing(trial = Trial::of(study_b())) {
        trial.does(Action::OpenStudy { environment: Environment::Rehearsal, seed: None });
        trial.delegate_all();
        trial.does(Action::SealAllocation { digest: "another".into(), scheme_digest: "another".into() });
        trial.goes_live(SITE);
        trial.unlock();
        trial.comes_to_entry();
        refused!(trial, Action::RandomiseSubject, Refusal::OtherVault { .. });
    }

    each_participant_takes_the_next_place_of_the_stratum(trial = Trial::open(study_b())) {
        let mut places = Vec::new();
        for _ in 0..3 {
            trial.subject = None;
            trial.comes_to_entry();
            let facts = trial.does(Action::RandomiseSubject);
            assert_eq!(facts[0], Fact::SubjectEnrolled);
            let Fact::SubjectRandomised { stratum, list_position, envelope } = &facts[1] else { panic!() };
            // The envelope names no arm.
            assert!(!envelope.contains("imatinib\"") && !envelope.contains("placebo"));
            places.push((stratum.clone(), *list_position));
        }
        let expected = [1, 2, 3].map(|place| ("systemic".to_owned(), place));
        assert_eq!(places, expected);
        refused!(trial, Action::EnrolSubject, Refusal::AlreadyEnrolled { .. });
    }
}
