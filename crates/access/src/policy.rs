//! The one table of what each step of a trial needs.

use std::fmt;

use protocol::model::{Power, Study};
use terms::{Date, PersonId, RoleId, SiteId};

use crate::Delegations;

/// A step of a trial, without its particulars.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "each is the command of the same name")]
pub enum Step {
    OpenStudy,
    RecordTest,
    ApproveStudy,
    RecordEthicsApproval,
    ActivateSite,
    LoadContentPack,
    DelegateRole,
    EndDelegation,
    RecordTraining,
    SealAllocation,
    ReceiveKits,
    SignConsent,
    WithdrawConsent,
    ScreenSubject,
    SaveFormSection,
    CorrectFormSection,
    RecordFormNotDone,
    AttachFile,
    WithdrawFile,
    DecideEligibility,
    EnrolSubject,
    RandomiseSubject,
    DispenseKit,
    RecordKitGiven,
    ReturnKit,
    HoldVisit,
    MissVisit,
    OpenQuery,
    AnswerQuery,
    CloseQuery,
    ReopenQuery,
    ReviewAuditTrail,
    PlanVerification,
    VerifySource,
    WithdrawVerification,
    ReviewData,
    ReviewMedically,
    CloseData,
    ReopenData,
    SignVisit,
    SignCasebook,
    ChangeDose,
    ReportSeriousEvent,
    TakeSpecimen,
    DrawReadingOrder,
    ReadSpecimen,
    LockReadings,
    JoinReadingKey,
    BreakBlind,
    EndTreatment,
    EndParticipation,
    RecordDeviation,
    ClassifyDeviation,
    DecideOnSafety,
    SignAnalysisSets,
    LockDatabase,
    ProposeUnlock,
    ApproveUnlock,
    UnblindAllocation,
}

/// What a step needs of the role in which it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// A power by name.
    Power(Power),
    /// One of these powers.
    AnyOf(&'static [Power]),
    /// To be among the roles that fill the form and enter its data class; the form decides.
    Entry,
    /// To be the one who is asked, or to hold the power.
    AskedOr(Power),
}

/// How far a step reaches, and so for where its role must have been delegated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The participant's or the supply's site.
    Site,
    /// The whole study: a delegation for all sites.
    Study,
}

impl Step {
    /// All steps.
    pub const ALL: &[Step] = &[
        Step::OpenStudy,
        Step::RecordTest,
        Step::ApproveStudy,
        Step::RecordEthicsApproval,
        Step::ActivateSite,
        Step::LoadContentPack,
        Step::DelegateRole,
        Step::EndDelegation,
        Step::RecordTraining,
        Step::SealAllocation,
        Step::ReceiveKits,
        Step::SignConsent,
        Step::WithdrawConsent,
        Step::ScreenSubject,
        Step::SaveFormSection,
        Step::CorrectFormSection,
        Step::RecordFormNotDone,
        Step::AttachFile,
        Step::WithdrawFile,
        Step::DecideEligibility,
        Step::EnrolSubject,
        Step::RandomiseSubject,
        Step::DispenseKit,
        Step::RecordKitGiven,
        Step::ReturnKit,
        Step::HoldVisit,
        Step::MissVisit,
        Step::OpenQuery,
        Step::AnswerQuery,
        Step::CloseQuery,
        Step::ReopenQuery,
        Step::ReviewAuditTrail,
        Step::PlanVerification,
        Step::VerifySource,
        Step::WithdrawVerification,
        Step::ReviewData,
        Step::ReviewMedically,
        Step::CloseData,
        Step::ReopenData,
        Step::SignVisit,
        Step::SignCasebook,
        Step::ChangeDose,
        Step::ReportSeriousEvent,
        Step::TakeSpecimen,
        Step::DrawReadingOrder,
        Step::ReadSpecimen,
        Step::LockReadings,
        Step::JoinReadingKey,
        Step::BreakBlind,
        Step::EndTreatment,
        Step::EndParticipation,
        Step::RecordDeviation,
        Step::ClassifyDeviation,
        Step::DecideOnSafety,
        Step::SignAnalysisSets,
        Step::LockDatabase,
        Step::ProposeUnlock,
        Step::ApproveUnlock,
        Step::UnblindAllocation,
    ];
}

/// Who may approve a study for going live: who answers for its data, its analysis, its medicine or its participants.
const APPROVERS: &[Power] =
    &[Power::Lock, Power::SignAnalysisSets, Power::ReviewMedically, Power::DecideEligibility];

/// Returns what a step needs. This is the table.
pub const fn needs(step: Step) -> Needs {
    match step {
        Step::OpenStudy
        | Step::RecordEthicsApproval
        | Step::ActivateSite
        | Step::LoadContentPack
        | Step::DelegateRole
        | Step::EndDelegation
        | Step::RecordTraining => Needs::Power(Power::Administer),
        Step::RecordTest => Needs::Power(Power::Lock),
        Step::ApproveStudy => Needs::AnyOf(APPROVERS),
        Step::SealAllocation => Needs::Power(Power::SealAllocation),
        Step::ReceiveKits => Needs::Power(Power::ReceiveKits),
        Step::SignConsent | Step::WithdrawConsent => Needs::Power(Power::TakeConsent),
        Step::ScreenSubject | Step::HoldVisit | Step::MissVisit => Needs::Power(Power::RunVisits),
        Step::SaveFormSection
        | Step::CorrectFormSection
        | Step::RecordFormNotDone
        | Step::AttachFile
        | Step::WithdrawFile => Needs::Entry,
        Step::DecideEligibility => Needs::Power(Power::DecideEligibility),
        Step::EnrolSubject | Step::RandomiseSubject => Needs::Power(Power::Enrol),
        Step::DispenseKit | Step::RecordKitGiven | Step::ReturnKit => Needs::Power(Power::Dispense),
        Step::OpenQuery | Step::CloseQuery | Step::ReopenQuery => Needs::Power(Power::ManageQueries),
        Step::PlanVerification | Step::VerifySource | Step::WithdrawVerification => {
            Needs::Power(Power::VerifySource)
        }
        Step::AnswerQuery => Needs::AskedOr(Power::AnswerQueries),
        Step::SignVisit | Step::SignCasebook => Needs::Power(Power::Sign),
        Step::ChangeDose => Needs::Power(Power::ChangeDose),
        Step::ReportSeriousEvent => Needs::Power(Power::ReportEvents),
        Step::TakeSpecimen | Step::DrawReadingOrder | Step::LockReadings | Step::JoinReadingKey => {
            Needs::Power(Power::KeepSpecimenKey)
        }
        Step::ReadSpecimen => Needs::Power(Power::ReadSpecimens),
        Step::BreakBlind => Needs::Power(Power::BreakBlind),
        Step::EndTreatment | Step::EndParticipation => Needs::Power(Power::EndParticipation),
        Step::RecordDeviation | Step::ClassifyDeviation => Needs::Power(Power::ClassifyDeviations),
        Step::DecideOnSafety => Needs::Power(Power::OverseeSafety),
        Step::ReviewData | Step::ReviewAuditTrail => Needs::Power(Power::ReviewData),
        Step::ReviewMedically => Needs::Power(Power::ReviewMedically),
        // Who signs the sets approves what would make them outdated.
        Step::SignAnalysisSets | Step::ApproveUnlock => Needs::Power(Power::SignAnalysisSets),
        Step::LockDatabase | Step::ProposeUnlock | Step::CloseData | Step::ReopenData => {
            Needs::Power(Power::Lock)
        }
        Step::UnblindAllocation => Needs::Power(Power::UnblindStudy),
    }
}

/// Returns how far a step reaches.
pub const fn reach(step: Step) -> Reach {
    match step {
        Step::OpenStudy
        | Step::RecordTest
        | Step::ApproveStudy
        | Step::RecordEthicsApproval
        | Step::ActivateSite
        | Step::LoadContentPack
        | Step::DelegateRole
        | Step::EndDelegation
        | Step::RecordTraining
        | Step::SealAllocation
        | Step::ReviewAuditTrail
        | Step::PlanVerification
        | Step::DrawReadingOrder
        | Step::ReadSpecimen
        | Step::LockReadings
        | Step::JoinReadingKey
        | Step::DecideOnSafety
        | Step::SignAnalysisSets
        | Step::LockDatabase
        | Step::ProposeUnlock
        | Step::ApproveUnlock
        | Step::UnblindAllocation => Reach::Study,
        _ => Reach::Site,
    }
}

/// Says whether a step touches the allocation itself, which no blinded role does.
const fn touches_allocation(step: Step) -> bool {
    matches!(step, Step::SealAllocation | Step::UnblindAllocation)
}

/// Says whether a step must be done blind, which nobody who knows the allocation does.
const fn is_done_blind(step: Step) -> bool {
    matches!(step, Step::ClassifyDeviation | Step::SignAnalysisSets)
}

/// Why somebody may not do something.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "fields carry their names; the variants are documented")]
pub enum Denied {
    /// The study file has no such role.
    #[error("the study has no role `{role}`")]
    UnknownRole { role: RoleId },
    /// The role lacks the power.
    #[error("the role `{role}` may not {power}; ask a person in a role that may")]
    NoPower { role: RoleId, power: PowerName },
    /// The role lacks each of the powers.
    #[error("the role `{role}` may none of: {powers}; ask a person in a role that may one of them")]
    NoneOf { role: RoleId, powers: PowerNames },
    /// The person was not given the role there and then.
    #[error("`{person}` was not delegated the role `{role}` {} on {date}; record the delegation first", at(site.as_ref()))]
    NotDelegated { person: PersonId, role: RoleId, site: Option<SiteId>, date: Date },
    /// The person has no record of training for the role.
    #[error(
        "`{person}` has no record of training for the role `{role}` on {date}; record the training first"
    )]
    NotTrained { person: PersonId, role: RoleId, date: Date },
    /// A blinded role reached for the allocation.
    #[error("the role `{role}` is blinded and never acts on the allocation")]
    Blinded { role: RoleId },
    /// An unblinded role reached for what is done blind.
    #[error("the role `{role}` is not blinded, and this is done blind")]
    NotBlinded { role: RoleId },
}

fn at(site: Option<&SiteId>) -> String {
    site.map_or_else(|| "for all sites".to_owned(), |site| format!("at site {site}"))
}

/// A power in words, as the study file writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PowerName(pub Power);

/// Powers in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PowerNames(pub &'static [Power]);

impl fmt::Display for PowerNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, power) in self.0.iter().enumerate() {
            write!(f, "{}{}", if index > 0 { ", " } else { "" }, PowerName(*power))?;
        }
        Ok(())
    }
}

impl fmt::Display for PowerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Power::TakeConsent => "take consent",
            Power::RunVisits => "run visits",
            Power::DecideEligibility => "decide eligibility",
            Power::Enrol => "enrol",
            Power::Dispense => "dispense",
            Power::ChangeDose => "change the dose",
            Power::ReportEvents => "report events",
            Power::EndParticipation => "end participation",
            Power::ManageQueries => "manage queries",
            Power::AnswerQueries => "answer queries",
            Power::VerifySource => "verify source data",
            Power::Sign => "sign",
            Power::ReviewData => "review data",
            Power::ReviewMedically => "review data medically",
            Power::BreakBlind => "break the blind",
            Power::KeepSpecimenKey => "keep the specimen key",
            Power::ReadSpecimens => "read specimens",
            Power::ClassifyDeviations => "classify deviations",
            Power::SignAnalysisSets => "sign the analysis sets",
            Power::Lock => "lock the database",
            Power::UnblindStudy => "unblind the study",
            Power::SealAllocation => "seal the allocation",
            Power::Administer => "administer the study",
            Power::ReceiveKits => "receive kits",
            Power::OverseeSafety => "oversee safety",
        })
    }
}

/// Holds a person in a role to the table and to the delegations.
///
/// `site` is where the step happens; `date` when it is done. [`Needs::Entry`] and
/// [`Needs::AskedOr`] are only held to the delegation here: the form or the query decides.
/// The first step of all, opening the study, needs the power and no delegation.
///
/// # Errors
/// What the person lacks.
pub fn authorise(
    study: &Study,
    delegations: &Delegations,
    (person, role): (&PersonId, &RoleId),
    step: Step,
    site: Option<&SiteId>,
    date: Date,
) -> Result<(), Denied> {
    let known = study.role(role.as_str()).ok_or_else(|| Denied::UnknownRole { role: role.clone() })?;
    match needs(step) {
        Needs::Power(power) if !known.may.contains(&power) => {
            return Err(Denied::NoPower { role: role.clone(), power: PowerName(power) });
        }
        Needs::AnyOf(powers) if !powers.iter().any(|power| known.may.contains(power)) => {
            return Err(Denied::NoneOf { role: role.clone(), powers: PowerNames(powers) });
        }
        _ => {}
    }
    if touches_allocation(step) && known.blinded {
        return Err(Denied::Blinded { role: role.clone() });
    }
    if is_done_blind(step) && study.blinded && !known.blinded {
        return Err(Denied::NotBlinded { role: role.clone() });
    }
    let site = match reach(step) {
        Reach::Site => site,
        Reach::Study => None,
    };
    if step != Step::OpenStudy && !delegations.holds(person, role, site, date) {
        let (person, role) = (person.clone(), role.clone());
        return Err(Denied::NotDelegated { person, role, site: site.cloned(), date });
    }
    if step != Step::OpenStudy && !delegations.is_trained(person, known, date) {
        return Err(Denied::NotTrained { person: person.clone(), role: role.clone(), date });
    }
    Ok(())
}
