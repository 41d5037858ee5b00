//! What people ask of a trial. Commands are verbs; the facts they lead to are the record's.
//!
//! A command holds no decision and no default: what follows from it by rule
//! (derived values, queries, deviations) is decided by [`crate::decide`].

use std::collections::BTreeMap;

use access::Step;
use protocol::content_pack::ContentPack;
use record::{
    Actor, AttachedFile, Closure, DeviationClass, DeviationKind, DoseStep, EndReason, Environment, FormKey,
    Part, Review, SafetyDecision, StudyPart,
};
use terms::*;

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Who asks, and in which role.
    pub by: Actor,
    /// When it is asked, on the site's clock.
    pub at: SiteTime,
    /// From where: `rehearsal`, `web`, `import`, …
    pub origin: String,
    /// When it happened. Steps that windows are reckoned from need a whole date.
    pub happened: PartialDate,
    /// Why, where a reason is due.
    pub reason: Option<String>,
    /// The participant, for steps about one. Consent to take part gives the number, see [`Action::SignConsent`].
    pub subject: Option<SubjectId>,
    /// The events of the participant's stream (else the study's) that the asker had seen; none: no such check.
    pub expected_position: Option<u64>,
    /// What is asked.
    pub action: Action,
}

/// What is asked. One variant a step.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields carry their type's name; the variants are documented")]
pub enum Action {
    // ---- study ----
    /// Begins the record. The asker's own role is delegated for all sites with it.
    OpenStudy { environment: Environment, seed: Option<u64> },
    /// Records that the study's files, as they are, were tried: how, and where what came out of it lies.
    RecordTest { evidence: String },
    /// Approves parts of the study's files, as they are.
    ApproveStudy { parts: Vec<StudyPart> },
    /// Records the approval of a site's ethics committee: the day on which it was given, and the committee's reference.
    RecordEthicsApproval { site: SiteId, approved: Date, reference: String },
    /// Lets a site enrol: it is live.
    ActivateSite { site: SiteId },
    /// Loads the licensed wording of an instrument: the record keeps which pack, by its digest.
    LoadContentPack { pack: ContentPack },
    /// Gives a person a role at a site, or (none) for the whole study.
    DelegateRole { person: PersonId, role: RoleId, site: Option<SiteId> },
    /// Ends a person's delegation after a day, today's or another.
    EndDelegation { person: PersonId, role: RoleId, site: Option<SiteId>, until: Date },
    /// Records that a person was trained for a role, on the day it happened.
    RecordTraining { person: PersonId, role: RoleId },
    /// Fixes the allocation list by its digest.
    SealAllocation { digest: String, scheme_digest: String },
    /// Records that the audit trail was looked through up to an event, and what was found.
    ReviewAuditTrail { up_to: u64, finding: String },
    /// Plans which part of the data is compared with the source; the sample's seed is drawn with it.
    PlanVerification { percent: u8, first_subjects: u32, always: Vec<FormId> },
    /// Signs who belongs to which analysis set, blind. Every set of the plan is named.
    SignAnalysisSets { sets: BTreeMap<AnalysisSetId, Vec<SubjectId>> },
    /// Locks the database.
    LockDatabase,
    /// Asks for the database to be unlocked. Needs a reason.
    ProposeUnlock,
    /// Unlocks the database, after another person has asked for it.
    ApproveUnlock,
    /// Opens the allocation list after lock; the opened list is among the means.
    UnblindAllocation,

    // ---- supply ----
    /// Takes kits into a site's stock.
    ReceiveKits { site: SiteId, kits: Vec<KitNumber> },

    // ---- participant: way in ----
    /// Consents to the current version. The first time `subject` is none, or the site's next number
    /// ([`crate::State::next_subject`]); later (a new version) the participant's own.
    SignConsent { site: SiteId, consent_version: String },
    /// Withdraws consent.
    WithdrawConsent { keep_data: bool },
    /// Begins screening.
    ScreenSubject,
    /// Signs the eligibility decision at a visit. Rules that are unmet or unknown must be `waived`, with a
    /// reason, for `eligible` to be signed; each becomes a deviation when the participant enters the trial.
    DecideEligibility { at_visit: VisitId, eligible: bool, waived: Vec<RuleId> },
    /// Enters the participant.
    EnrolSubject,
    /// Takes the next place of the stratum's list; enters the participant if that was not done.
    RandomiseSubject,

    // ---- participant: visits and forms ----
    /// Holds a visit on the day it happened.
    HoldVisit { visit: VisitId },
    /// Records that a planned visit was not held.
    MissVisit { visit: VisitId },
    /// Saves items of a form that hold nothing yet.
    SaveFormSection { key: FormKey, answers: Vec<(ItemId, Answer)> },
    /// Changes items of a form that hold something. Needs a reason.
    CorrectFormSection { key: FormKey, answers: Vec<(ItemId, Answer)> },
    /// Records that a form of the visit was not done: its empty items become `not done`, with a deviation.
    RecordFormNotDone { key: FormKey },
    /// Attaches a file to a form that was begun. The file itself is kept by who asks, before.
    AttachFile { key: FormKey, file: AttachedFile },
    /// Lets an attached file count no more. Needs a reason.
    WithdrawFile { key: FormKey, number: u32 },
    /// Opens a query.
    OpenQuery { key: FormKey, item: ItemId, addressed_to: RoleId, text: String },
    /// Answers a query.
    AnswerQuery { query: QueryId, text: String },
    /// Closes a query.
    CloseQuery { query: QueryId },
    /// Opens a closed query again, saying what is still to be settled.
    ReopenQuery { query: QueryId, text: String },
    /// Compares entered items of a form with the source: they agree.
    VerifySource { key: FormKey, items: Vec<ItemId> },
    /// Takes a verification back. Needs a reason.
    WithdrawVerification { key: FormKey, items: Vec<ItemId> },
    /// Looks forms through.
    ReviewForms { review: Review, keys: Vec<FormKey> },
    /// Freezes or locks a part of the data. Of a site and of the study it is about no participant.
    CloseData { part: Part, closure: Closure },
    /// Lets a closed part take entries again. Needs a reason.
    ReopenData { part: Part },
    /// Signs a visit's forms.
    SignVisit { visit: VisitId, meaning: String },
    /// Signs the whole casebook.
    SignCasebook { meaning: String },

    // ---- participant: treatment ----
    /// Hands out a kit: the one that the vault chooses. None: whichever that is.
    DispenseKit { visit: VisitId, kit: Option<KitNumber> },
    /// Records a kit that was handed out by mistake in place of the chosen one. Needs a reason; is a deviation.
    RecordKitGiven { visit: VisitId, kit: KitNumber },
    /// Counts a kit back.
    ReturnKit { kit: KitNumber, visit: VisitId, tablets: u32 },
    /// Changes the dose from a day on; a hold and a stop are 0 mg.
    ChangeDose {
        step: DoseStep,
        from: Date,
        dose_mg: Decimal,
        rule: Option<RuleId>,
        adverse_event: Option<u32>,
    },
    /// Reports a serious adverse event; `aware` is the day the site learnt of it.
    ReportSeriousEvent { row: u32, aware: Date },
    /// Breaks the blind of the participant in an emergency. Needs a reason; is a deviation.
    BreakBlind { shown_to: PersonId },
    /// Ends treatment. `last_dose` is the last day on which the drug was taken; `rule` the rule of dosing that stops it.
    EndTreatment { reason: EndReason, last_dose: Date, adverse_event: Option<u32>, rule: Option<RuleId> },
    /// Ends participation on the day it happened.
    EndParticipation { reason: EndReason },

    // ---- specimens ----
    /// Takes a specimen and gives it a blind code.
    TakeSpecimen { visit: VisitId },
    /// Lays the slides out in random order, some of them twice under new codes.
    DrawReadingOrder,
    /// Reads a coded slide, in the order drawn. `reader` counts from 1.
    ReadSpecimen { code: SpecimenCode, reader: u32, answers: Vec<(ItemId, Answer)> },
    /// Locks the readings.
    LockReadings,
    /// Joins the key to the locked readings.
    JoinReadingKey,

    // ---- deviations ----
    /// Records a deviation that no rule sees.
    RecordDeviation { what: DeviationKind, visit: Option<VisitId>, rule: Option<RuleId>, text: String },
    /// Classifies a deviation, blind.
    ClassifyDeviation { deviation: DeviationId, class: DeviationClass },

    // ---- safety board ----
    /// Decides how the trial goes on after a watch reached its boundary or a look. Needs a reason.
    DecideOnSafety { watch: WatchId, decision: SafetyDecision },
}

impl Action {
    /// Returns which step of the access table this is.
    pub fn step(&self) -> Step {
        match self {
            Action::OpenStudy { .. } => Step::OpenStudy,
            Action::RecordTest { .. } => Step::RecordTest,
            Action::ApproveStudy { .. } => Step::ApproveStudy,
            Action::RecordEthicsApproval { .. } => Step::RecordEthicsApproval,
            Action::ReviewAuditTrail { .. } => Step::ReviewAuditTrail,
            Action::ActivateSite { .. } => Step::ActivateSite,
            Action::LoadContentPack { .. } => Step::LoadContentPack,
            Action::DelegateRole { .. } => Step::DelegateRole,
            Action::EndDelegation { .. } => Step::EndDelegation,
            Action::RecordTraining { .. } => Step::RecordTraining,
            Action::SealAllocation { .. } => Step::SealAllocation,
            Action::SignAnalysisSets { .. } => Step::SignAnalysisSets,
            Action::LockDatabase => Step::LockDatabase,
            Action::ProposeUnlock => Step::ProposeUnlock,
            Action::ApproveUnlock => Step::ApproveUnlock,
            Action::ReviewForms { review: Review::Data, .. } => Step::ReviewData,
            Action::ReviewForms { review: Review::Medical, .. } => Step::ReviewMedically,
            Action::CloseData { .. } => Step::CloseData,
            Action::ReopenData { .. } => Step::ReopenData,
            Action::UnblindAllocation => Step::UnblindAllocation,
            Action::ReceiveKits { .. } => Step::ReceiveKits,
            Action::SignConsent { .. } => Step::SignConsent,
            Action::WithdrawConsent { .. } => Step::WithdrawConsent,
            Action::ScreenSubject => Step::ScreenSubject,
            Action::DecideEligibility { .. } => Step::DecideEligibility,
            Action::EnrolSubject => Step::EnrolSubject,
            Action::RandomiseSubject => Step::RandomiseSubject,
            Action::HoldVisit { .. } => Step::HoldVisit,
            Action::MissVisit { .. } => Step::MissVisit,
            Action::SaveFormSection { .. } => Step::SaveFormSection,
            Action::CorrectFormSection { .. } => Step::CorrectFormSection,
            Action::RecordFormNotDone { .. } => Step::RecordFormNotDone,
            Action::AttachFile { .. } => Step::AttachFile,
            Action::WithdrawFile { .. } => Step::WithdrawFile,
            Action::OpenQuery { .. } => Step::OpenQuery,
            Action::AnswerQuery { .. } => Step::AnswerQuery,
            Action::CloseQuery { .. } => Step::CloseQuery,
            Action::ReopenQuery { .. } => Step::ReopenQuery,
            Action::PlanVerification { .. } => Step::PlanVerification,
            Action::VerifySource { .. } => Step::VerifySource,
            Action::WithdrawVerification { .. } => Step::WithdrawVerification,
            Action::SignVisit { .. } => Step::SignVisit,
            Action::SignCasebook { .. } => Step::SignCasebook,
            Action::DispenseKit { .. } => Step::DispenseKit,
            Action::RecordKitGiven { .. } => Step::RecordKitGiven,
            Action::ReturnKit { .. } => Step::ReturnKit,
            Action::ChangeDose { .. } => Step::ChangeDose,
            Action::ReportSeriousEvent { .. } => Step::ReportSeriousEvent,
            Action::BreakBlind { .. } => Step::BreakBlind,
            Action::EndTreatment { .. } => Step::EndTreatment,
            Action::EndParticipation { .. } => Step::EndParticipation,
            Action::TakeSpecimen { .. } => Step::TakeSpecimen,
            Action::DrawReadingOrder => Step::DrawReadingOrder,
            Action::ReadSpecimen { .. } => Step::ReadSpecimen,
            Action::LockReadings => Step::LockReadings,
            Action::JoinReadingKey => Step::JoinReadingKey,
            Action::RecordDeviation { .. } => Step::RecordDeviation,
            Action::ClassifyDeviation { .. } => Step::ClassifyDeviation,
            Action::DecideOnSafety { .. } => Step::DecideOnSafety,
        }
    }

    /// Says whether the step is about one participant. A first consent is not yet.
    pub fn is_about_subject(&self) -> bool {
        !matches!(
            self,
            Action::OpenStudy { .. }
                | Action::RecordTest { .. }
                | Action::ApproveStudy { .. }
                | Action::RecordEthicsApproval { .. }
                | Action::ReviewAuditTrail { .. }
                | Action::ActivateSite { .. }
                | Action::LoadContentPack { .. }
                | Action::DelegateRole { .. }
                | Action::EndDelegation { .. }
                | Action::RecordTraining { .. }
                | Action::SealAllocation { .. }
                | Action::PlanVerification { .. }
                | Action::SignAnalysisSets { .. }
                | Action::LockDatabase
                | Action::ProposeUnlock
                | Action::ApproveUnlock
                | Action::CloseData { part: Part::Site(_) | Part::Study, .. }
                | Action::ReopenData { part: Part::Site(_) | Part::Study }
                | Action::UnblindAllocation
                | Action::ReceiveKits { .. }
                | Action::SignConsent { .. }
                | Action::DrawReadingOrder
                | Action::ReadSpecimen { .. }
                | Action::LockReadings
                | Action::JoinReadingKey
                | Action::DecideOnSafety { .. }
        )
    }
}
