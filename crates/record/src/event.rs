//! The events of a trial.
//!
//! One study-wide sequence orders them all and is the chain of proof; each
//! stream has its own position for concurrency. An event holds references in
//! the clear (visit, form, rule ids) and everything a participant's record
//! *says* as [`Content`]. Treatment arms stand in no event before unblinding:
//! an allocation is a sealed envelope.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use terms::*;

use crate::Content;

/// Where an event belongs for concurrency.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stream {
    /// The study as a whole.
    Study,
    /// Kits and their sites.
    Supply,
    /// One participant.
    Subject(SubjectId),
}

impl std::fmt::Display for Stream {
    /// Writes `study`, `supply` or `subject/05-003`; stores keep streams under this name.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Stream::Study => f.write_str("study"),
            Stream::Supply => f.write_str("supply"),
            Stream::Subject(subject) => write!(f, "subject/{subject}"),
        }
    }
}

/// Who did something, and in which role.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Actor {
    /// The person's account, never a name. `equipoise` is the program itself (checks, derivations).
    pub person: PersonId,
    /// The role in which the person acted.
    pub role: RoleId,
}

/// What is common to all events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Place in the study-wide sequence, from 1.
    pub sequence: u64,
    /// The stream.
    pub stream: Stream,
    /// Place within the stream, from 1.
    pub position: u64,
    /// Who.
    pub by: Actor,
    /// The site at which it happened, if at one.
    pub site: Option<SiteId>,
    /// When it happened, perhaps partly known.
    pub happened: PartialDate,
    /// When it was recorded, in UTC and on the site's clock.
    pub recorded: SiteTime,
    /// From where: `rehearsal`, `web`, `import`, …
    pub origin: String,
    /// The content hash of the study files in force.
    pub study_version: String,
    /// Why, where a reason is due (a correction, a hold, a break of blind …).
    pub reason: Option<Content<String>>,
    /// What.
    pub fact: Fact,
}

/// An event before it has its place: what a command decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// The stream.
    pub stream: Stream,
    /// Who; the program itself for what follows by rule.
    pub by: Actor,
    /// The site at which it happened, if at one.
    pub site: Option<SiteId>,
    /// When it happened.
    pub happened: PartialDate,
    /// Why.
    pub reason: Option<Content<String>>,
    /// What.
    pub fact: Fact,
}

/// Where a form is filled in: participant (by the stream), visit, form and row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FormKey {
    /// The visit; none for forms that run through the trial (adverse events, dose log).
    pub visit: Option<VisitId>,
    /// The form.
    pub form: FormId,
    /// The row of a repeating form, from 1; 0 for a form that does not repeat.
    pub row: u32,
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A person entered it.
    Entered,
    /// The program derived it from entered values.
    Derived,
}

/// One item's new value and the one it replaces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemChange {
    /// The item.
    pub item: ItemId,
    /// The value before; none at first entry.
    pub old: Option<Content<Answer>>,
    /// The value now.
    pub new: Content<Answer>,
    /// Entered or derived.
    pub source: Source,
}

/// Whether participants are real.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Environment {
    /// Real participants.
    Live,
    /// Virtual participants.
    Rehearsal,
}

impl std::fmt::Display for Environment {
    /// Writes `live` or `rehearsal`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Environment::Live => "live",
            Environment::Rehearsal => "rehearsal",
        })
    }
}

/// Why a visit, a dose or a rule departs from the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviationClass {
    /// May touch the reliability of the results or the safety of the participant.
    Major,
    /// Does neither.
    Minor,
}

/// What a deviation is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviationKind {
    /// A visit was held outside its window.
    OutOfWindow,
    /// A planned visit was not held.
    MissedVisit,
    /// Treatment ended early.
    EarlyEnd,
    /// An activity of the schedule was not done at a held visit.
    MissedActivity,
    /// An eligibility rule was not met by a participant who was enrolled all the same.
    Eligibility,
    /// Fewer doses than the protocol's share, or a pause that was too long.
    Compliance,
    /// A prohibited treatment was taken.
    ProhibitedTreatment,
    /// The blind was broken.
    BlindBroken,
    /// A kit was given that was not the participant's.
    WrongKit,
    /// Another assessor scored.
    AssessorChanged,
    /// Anything else, as written.
    Other,
}

/// How a participant's treatment or participation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// As planned.
    Completed,
    /// An adverse event.
    AdverseEvent,
    /// Progression, or a new treatment.
    Progression,
    /// The participant withdrew consent.
    WithdrewConsent,
    /// The participant died.
    Death,
    /// The participant can't be reached.
    LostToFollowUp,
    /// A rule of the protocol stopped the drug for good.
    StoppingRule,
    /// The participant did not meet the eligibility rules (screen failure).
    NotEligible,
    /// Anything else.
    Other,
}

/// Which way a dose changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DoseStep {
    /// The first dose.
    Started,
    /// Held: a dosing record of 0 mg.
    Held,
    /// Down a level.
    Reduced,
    /// Taken up again after a hold.
    Resumed,
    /// Up a level.
    Escalated,
    /// Stopped for good, early or as planned.
    Stopped,
}

/// How the safety board lets a trial go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SafetyDecision {
    /// As it is.
    Continue,
    /// Nobody new enters until the board decides again.
    Pause,
    /// Nobody new enters, and nobody is given the drug.
    Stop,
}

impl std::fmt::Display for SafetyDecision {
    /// Writes `continue`, `pause` or `stop`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            SafetyDecision::Continue => "continue",
            SafetyDecision::Pause => "pause",
            SafetyDecision::Stop => "stop",
        })
    }
}

/// How many count for a watch of the safety board, and what that is held to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Participants who count.
    pub count: u32,
    /// Participants who began treatment.
    pub treated: u32,
    /// The least count that reaches the boundary with so many treated; none of planned looks.
    pub limit: Option<u32>,
}

/// One reading of a coded specimen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// The items of the reading form and their values.
    pub answers: BTreeMap<ItemId, Content<Answer>>,
}

/// Which part of the data is compared with the source. Whoever has the record can draw the sample again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerificationPlan {
    /// What the sample is drawn with.
    pub seed: u64,
    /// Of a hundred visits (and forms that run through the trial), how many are drawn.
    pub percent: u8,
    /// The participants of each site, from its first, of whom everything is verified.
    pub first_subjects: u32,
    /// Forms that are verified of everyone.
    pub always: Vec<FormId>,
}

/// A part of the data that is closed as one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// A form, or a row of one.
    Form(FormKey),
    /// The forms of a visit.
    Visit(VisitId),
    /// A participant.
    Subject,
    /// The participants of a site.
    Site(SiteId),
    /// All of them.
    Study,
}

/// How a part of the data is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Closure {
    /// Takes no entry; queries, verification, review and signatures go on.
    Frozen,
    /// Takes nothing at all.
    Locked,
}

/// What data are reviewed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Review {
    /// Completeness and plausibility.
    Data,
    /// The participant's safety and the medical sense.
    Medical,
}

/// The key under which one attached file is encrypted. It stands in the content of the event that attached the file, so that a
/// redaction of that content destroys it and with it whatever a disk still holds of the file. It prints nothing.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FileKey(String);

impl FileKey {
    /// Writes a key down.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// Returns the key, if it is one: 64 hexadecimal digits.
    pub fn bytes(&self) -> Option<[u8; 32]> {
        let mut bytes = [0; 32];
        if self.0.len() != 64 || !self.0.is_ascii() {
            return None;
        }
        for (place, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&self.0[2 * place..2 * place + 2], 16).ok()?;
        }
        Some(bytes)
    }
}

impl std::fmt::Debug for FileKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FileKey(..)")
    }
}

/// What is known of a file that was attached to a form. The file itself lies beside the record, encrypted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttachedFile {
    /// Its name.
    pub name: String,
    /// What kind it is: `application/pdf`, `image/png` …
    pub media_type: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// The SHA-256 of what it holds, 64 hexadecimal digits.
    pub sha256: String,
    /// The key that opens it; none where it was kept in the clear, as it was before files were encrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<FileKey>,
}

/// A part of a study's files that people approve before anybody is asked for consent under them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StudyPart {
    /// The eligibility rules.
    Eligibility,
    /// The visits, their windows and their forms.
    Schedule,
    /// The arms, the strata, and the list that is sealed.
    Allocation,
}

impl std::fmt::Display for StudyPart {
    /// Writes `eligibility`, `schedule` or `allocation`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            StudyPart::Eligibility => "eligibility",
            StudyPart::Schedule => "schedule",
            StudyPart::Allocation => "allocation",
        })
    }
}

/// What happened. One variant a kind of fact; names are in the past tense.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[allow(missing_docs, reason = "fields carry their type's name; the variants are documented")]
pub enum Fact {
    // ---- study ----
    /// The record began.
    StudyOpened { study: StudyId, environment: Environment, seed: Option<u64> },
    /// The study's files, as the event's version names them, were tried; `evidence` says how, and where it lies.
    StudyTested { evidence: Content<String> },
    /// A person approved parts of the study's files, as the event's version names them.
    StudyApproved { parts: Vec<StudyPart> },
    /// A site's ethics committee approved the study on a day; `reference` is the committee's.
    EthicsApprovalRecorded { site: SiteId, approved: Date, reference: Content<String> },
    /// A site may enrol.
    SiteActivated { site: SiteId },
    /// A person was given a role at a site (or at all sites).
    RoleDelegated { person: PersonId, role: RoleId, site: Option<SiteId> },
    /// A person's delegation of a role at a site (or at all sites) ends after a day.
    DelegationEnded { person: PersonId, role: RoleId, site: Option<SiteId>, until: Date },
    /// A person was trained for a role.
    TrainingRecorded { person: PersonId, role: RoleId },
    /// The licensed wording of an instrument was loaded, by language and version; the wording itself stands apart.
    ContentPackLoaded {
        instrument: String,
        language: String,
        version: String,
        licence: String,
        digest: String,
    },
    /// The allocation list was sealed; the digest fixes it.
    AllocationListSealed { digest: String, scheme_digest: String },
    /// The audit trail was looked through up to an event; `finding` says what was found.
    AuditTrailReviewed { up_to: u64, finding: Content<String> },
    /// It was planned which part of the data is compared with the source, from now on.
    SourceVerificationPlanned { plan: VerificationPlan },
    /// Deviations were classified and the analysis sets signed, blind.
    AnalysisSetsSigned { sets: BTreeMap<AnalysisSetId, Vec<SubjectId>>, digest: String },
    /// Every form is closed and no value may change any more.
    DatabaseLocked { manifest_digest: String },
    /// Somebody asked for the database to be unlocked; the event's reason says why.
    UnlockProposed,
    /// The database was unlocked, by a second person.
    DatabaseUnlocked,
    /// The list was opened after lock. Arms by participant.
    AllocationUnblinded { arms: BTreeMap<SubjectId, Content<ArmId>>, list_digest: String },

    // ---- supply ----
    /// Kits reached a site.
    KitsReceived { kits: Vec<KitNumber> },

    // ---- participant ----
    /// A person gave consent to a version of the information and got a number.
    ConsentSigned { consent_version: String },
    /// Consent was withdrawn.
    ConsentWithdrawn { keep_data: bool },
    /// Screening began.
    SubjectScreened,
    /// An investigator signed the eligibility decision.
    EligibilityDecided {
        at_visit: VisitId,
        eligible: bool,
        unmet: Vec<RuleId>,
        unknown: Vec<RuleId>,
        content_digest: String,
    },
    /// The participant entered the trial (study without allocation), or was ready for it.
    SubjectEnrolled,
    /// The next place of the stratum was taken. The envelope is sealed.
    SubjectRandomised { stratum: String, list_position: u32, envelope: String },
    /// A visit was held. `target` is the planned date, where the visit has one.
    VisitHeld { visit: VisitId, date: Date, target: Option<Date> },
    /// A planned visit was not held.
    VisitMissed { visit: VisitId },
    /// Items of a form were saved.
    FormSectionSaved { key: FormKey, changes: Vec<ItemChange> },
    /// Items that held values were changed; the event's reason says why.
    FormSectionCorrected { key: FormKey, changes: Vec<ItemChange> },
    /// A file was attached to a form, as the form's `number`th from 1.
    FileAttached { key: FormKey, number: u32, file: Content<AttachedFile> },
    /// A file that was attached by mistake counts no more; the event's reason says why. It stays where it is.
    FileWithdrawn { key: FormKey, number: u32 },
    /// A query was opened, by a check or by a person.
    QueryOpened {
        query: QueryId,
        key: FormKey,
        item: ItemId,
        check: Option<CheckId>,
        addressed_to: RoleId,
        text: Content<String>,
    },
    /// A query was answered.
    QueryAnswered { query: QueryId, text: Content<String> },
    /// A query was closed, by a person or because its check no longer fires.
    QueryClosed { query: QueryId, by_check: bool },
    /// A closed query was opened again; the text says what is still to be settled.
    QueryReopened { query: QueryId, text: Content<String> },
    /// Entered items of a form were compared with the source and agree with it. A later change undoes it.
    SourceVerified { key: FormKey, items: Vec<ItemId> },
    /// A verification was taken back; the event's reason says why.
    SourceVerificationWithdrawn { key: FormKey, items: Vec<ItemId> },
    /// Forms were looked through in a review. A later change of a form undoes it.
    FormsReviewed { review: Review, keys: Vec<FormKey> },
    /// A part of the data was closed (in the participant's stream, or the study's for a site and the study).
    DataClosed { part: Part, closure: Closure },
    /// A part that was closed takes entries again; the event's reason says why.
    DataReopened { part: Part },
    /// A visit's forms were signed. The digest binds the signature to what it signed.
    VisitSigned { visit: VisitId, meaning: String, content_digest: String },
    /// The participant's whole casebook was signed.
    CasebookSigned { meaning: String, content_digest: String },
    /// A signature lost its force because what it signed was changed.
    SignatureVoided { visit: Option<VisitId> },
    /// A kit was handed out.
    KitDispensed { kit: KitNumber, visit: VisitId, tablets: u32 },
    /// A kit came back.
    KitReturned { kit: KitNumber, visit: VisitId, tablets: u32 },
    /// The dose changed, from a day on.
    DoseChanged {
        step: DoseStep,
        from: Date,
        dose_mg: Content<Decimal>,
        rule: Option<RuleId>,
        adverse_event: Option<u32>,
    },
    /// An adverse event row was reported as serious, within its clock.
    SeriousEventReported { row: u32, aware: Date },
    /// A specimen was taken and got a blind code; only the custodian's key joins the two.
    SpecimenTaken { visit: VisitId, specimen: Content<String> },
    /// The coded slides were laid out for blind reading, in random order (study stream).
    /// Some slides are read twice, under a second code; `repeats` says of which specimen those are.
    ReadingOrderDrawn {
        codes: Vec<SpecimenCode>,
        #[serde(default)]
        repeats: BTreeMap<SpecimenCode, Content<SpecimenKey>>,
        /// Pairs of slides in the order in which they are compared, each under a code of its own.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pairs: Vec<SpecimenCode>,
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        pair_key: BTreeMap<SpecimenCode, Content<PairKey>>,
        /// Codes of pairs that are compared a second time.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pair_repeats: Vec<SpecimenCode>,
        digest: String,
    },
    /// A coded slide was read blind (study stream).
    SpecimenRead { code: SpecimenCode, reader: u32, reading: Reading },
    /// Readings were locked before the key was joined (study stream).
    ReadingsLocked { digest: String },
    /// The key was joined to the readings (study stream): code to participant and visit.
    ReadingKeyJoined { key: BTreeMap<SpecimenCode, Content<SpecimenKey>> },
    /// The blind of one participant was broken in an emergency. No arm stands here.
    BlindBroken { shown_to: PersonId },
    /// Treatment ended.
    TreatmentEnded { reason: EndReason, last_dose: Date, early: bool, adverse_event: Option<u32> },
    /// Participation ended.
    ParticipationEnded { reason: EndReason, date: Date },
    /// Something departed from the protocol.
    DeviationRecorded {
        deviation: DeviationId,
        what: DeviationKind,
        visit: Option<VisitId>,
        rule: Option<RuleId>,
        text: Content<String>,
    },
    /// A deviation was classified, blind.
    DeviationClassified { deviation: DeviationId, class: DeviationClass },

    // ---- safety board (study stream) ----
    /// A participant came to count for a watch of the safety board, or after a correction counts no more.
    WatchCounted { watch: WatchId, subject: SubjectId, counts: bool, tally: Tally },
    /// A watched count reached its boundary, or (`look`) a planned look; the board decides how the trial goes on.
    WatchReached { watch: WatchId, look: Option<u32>, tally: Tally, subjects: Vec<SubjectId> },
    /// The safety board decided on what its watch had reached; the event's reason says why. The digest binds the
    /// signature to what was decided on.
    SafetyDecided { watch: WatchId, decision: SafetyDecision, content_digest: String },

    // ---- any stream ----
    /// A wrongly entered content was emptied: cell `cell` (from 1) of event `sequence`. The event's reason says why.
    ContentRedacted { sequence: u64, cell: u32, approver: PersonId },
}

/// What the code of a pair of slides stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairKey {
    /// The participant.
    pub subject: SubjectId,
    /// The visit of the earlier slide.
    pub earlier: VisitId,
    /// The visit of the later slide.
    pub later: VisitId,
    /// Whether the later slide lies on the left.
    pub later_left: bool,
}

/// What a specimen code stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpecimenKey {
    /// The participant.
    pub subject: SubjectId,
    /// The visit at which it was taken.
    pub visit: VisitId,
}
