//! Which file decides which step.

use protocol::model::Study;
use record::Draft;

use crate::{
    Action, Command, Means, Refusal, State, attach_file, break_blind, change_dose, classify_deviation,
    close_data, decide::Case, decide_eligibility, dispense_kit, end_treatment, enrol_subject, go_live,
    hold_visit, lock_database, open_study, queries, read_specimens, save_form, screen_subject, sign_consent,
    sign_visit, verify_source, watch,
};

/// Steps about one participant.
pub(crate) fn decide_for_subject(case: Case<'_>, means: &mut Means<'_>) -> Result<Vec<Draft>, Refusal> {
    match &case.command.action {
        Action::WithdrawConsent { keep_data } => sign_consent::withdraw_consent(case, *keep_data),
        Action::ScreenSubject => screen_subject::screen_subject(case),
        Action::DecideEligibility { at_visit, eligible, waived } => {
            decide_eligibility::decide_eligibility(case, at_visit, *eligible, waived)
        }
        Action::EnrolSubject => enrol_subject::enrol_subject(case),
        Action::RandomiseSubject => enrol_subject::randomise_subject(case, means),
        Action::HoldVisit { visit } => hold_visit::hold_visit(case, visit),
        Action::MissVisit { visit } => hold_visit::miss_visit(case, visit),
        Action::SaveFormSection { key, answers } => save_form::save_form_section(case, key, answers),
        Action::CorrectFormSection { key, answers } => save_form::correct_form_section(case, key, answers),
        Action::RecordFormNotDone { key } => save_form::record_form_not_done(case, key),
        Action::AttachFile { key, file } => attach_file::attach_file(case, key, file),
        Action::WithdrawFile { key, number } => attach_file::withdraw_file(case, key, *number),
        Action::OpenQuery { key, item, addressed_to, text } => {
            queries::open_query(case, key, item, addressed_to, text)
        }
        Action::AnswerQuery { query, text } => queries::answer_query(case, query, text),
        Action::CloseQuery { query } => queries::close_query(case, query),
        Action::ReopenQuery { query, text } => queries::reopen_query(case, query, text),
        Action::VerifySource { key, items } => verify_source::verify_source(case, key, items),
        Action::WithdrawVerification { key, items } => verify_source::withdraw_verification(case, key, items),
        Action::ReviewForms { review, keys } => close_data::review_forms(case, *review, keys),
        Action::CloseData { part, closure } => close_data::close_part(case, part, *closure),
        Action::ReopenData { part } => close_data::reopen_part(case, part),
        Action::SignVisit { visit, meaning } => sign_visit::sign_visit(case, visit, meaning),
        Action::SignCasebook { meaning } => sign_visit::sign_casebook(case, meaning),
        Action::DispenseKit { visit, kit } => dispense_kit::dispense_kit(case, means, visit, kit.as_ref()),
        Action::RecordKitGiven { visit, kit } => dispense_kit::record_kit_given(case, means, visit, kit),
        Action::ReturnKit { kit, visit, tablets } => dispense_kit::return_kit(case, kit, visit, *tablets),
        Action::ChangeDose { step, from, dose_mg, rule, adverse_event } => {
            let (step, from, dose_mg, adverse_event) = (*step, *from, *dose_mg, *adverse_event);
            let rule = rule.as_ref();
            change_dose::change_dose(case, change_dose::Change { step, from, dose_mg, rule, adverse_event })
        }
        Action::ReportSeriousEvent { row, aware } => break_blind::report_serious_event(case, *row, *aware),
        Action::BreakBlind { shown_to } => break_blind::break_blind(case, shown_to),
        Action::EndTreatment { reason, last_dose, adverse_event, rule } => {
            end_treatment::end_treatment(case, *reason, *last_dose, (*adverse_event, rule.as_ref()))
        }
        Action::EndParticipation { reason } => end_treatment::end_participation(case, *reason),
        Action::TakeSpecimen { visit } => read_specimens::take_specimen(case, means, visit),
        Action::RecordDeviation { what, visit, rule, text } => {
            classify_deviation::record_deviation(case, *what, visit.as_ref(), rule.as_ref(), text)
        }
        Action::ClassifyDeviation { deviation, class } => {
            classify_deviation::classify_deviation(case, deviation, *class)
        }
        other => unreachable!("{:?} is not about a participant", other.step()),
    }
}

/// Steps about the study, its supply, or a participant who is none yet.
pub(crate) fn decide_for_study(
    study: &Study,
    state: &State,
    command: &Command,
    means: &mut Means<'_>,
) -> Result<Vec<Draft>, Refusal> {
    match &command.action {
        Action::RecordTest { evidence } => go_live::record_test(study, state, command, evidence),
        Action::ApproveStudy { parts } => go_live::approve_study(study, state, command, parts),
        Action::RecordEthicsApproval { site, approved, reference } => {
            go_live::record_ethics_approval(study, command, (site, *approved), reference)
        }
        Action::ReviewAuditTrail { up_to, finding } => {
            verify_source::review_audit_trail(state, command, *up_to, finding)
        }
        Action::ActivateSite { site } => go_live::activate_site(study, state, command, site),
        Action::LoadContentPack { pack } => open_study::load_content_pack(study, state, command, pack),
        Action::DelegateRole { person, role, site } => {
            open_study::delegate_role(study, state, command, (person, role, site.as_ref()))
        }
        Action::PlanVerification { percent, first_subjects, always } => {
            verify_source::plan_verification(study, command, means, (*percent, *first_subjects, always))
        }
        Action::EndDelegation { person, role, site, until } => {
            open_study::end_delegation(study, state, command, (person, role, site.as_ref()), *until)
        }
        Action::RecordTraining { person, role } => {
            open_study::record_training(study, state, command, person, role)
        }
        Action::SealAllocation { digest, scheme_digest } => {
            open_study::seal_allocation(study, state, command, digest, scheme_digest)
        }
        Action::ReceiveKits { site, kits } => open_study::receive_kits(study, state, command, site, kits),
        Action::SignConsent { site, consent_version } => {
            sign_consent::sign_consent(study, state, command, site, consent_version)
        }
        Action::DrawReadingOrder => read_specimens::draw_reading_order(study, state, command, means),
        Action::ReadSpecimen { code, reader, answers } => {
            read_specimens::read_specimen(study, state, command, (code, *reader, answers))
        }
        Action::LockReadings => read_specimens::lock_readings(study, state, command),
        Action::JoinReadingKey => read_specimens::join_reading_key(study, state, command),
        Action::DecideOnSafety { watch, decision } => {
            watch::decide_on_safety(study, state, command, watch, *decision)
        }
        Action::SignAnalysisSets { sets } => lock_database::sign_analysis_sets(study, state, command, sets),
        Action::CloseData { part, closure } => close_data::close(study, state, command, part, *closure),
        Action::ReopenData { part } => close_data::reopen(state, command, part),
        Action::ProposeUnlock => lock_database::propose_unlock(state, command),
        Action::ApproveUnlock => lock_database::approve_unlock(state, command),
        Action::LockDatabase => lock_database::lock_database(study, state, command),
        Action::UnblindAllocation => lock_database::unblind_allocation(study, state, command, means),
        other => unreachable!("{:?} is about a participant or opens the study", other.step()),
    }
}
