//! Why a command is refused. Each message says what is missing and what to do.
//!
//! A refusal changes nothing and is no event of the record; the edges count and show it. It
//! names ids, dates and codes, and never an item's value or an arm.

use access::Denied;
use allocation::AllocationError;
use record::{Closure, EndReason, Part, SafetyDecision, StudyPart};
use terms::*;

/// Why a command is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "fields carry their names; the variants are documented by their messages")]
pub enum Refusal {
    // ---- the study, the actor, the time ----
    #[error("the study is not open; open it first")]
    StudyNotOpen,
    #[error("the study is open already")]
    StudyAlreadyOpen,
    #[error("the record is of study `{record}`, and these are the files of `{files}`")]
    OtherStudy { record: StudyId, files: StudyId },
    #[error("the database is locked since {since}; nothing can be written any more")]
    Locked { since: Date },
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error("{happened} lies after the day it is recorded, {recorded}; record it when it has happened")]
    NotYetHappened { happened: PartialDate, recorded: Date },
    #[error("this step needs the whole date, and {happened} is known in part only")]
    DateIncomplete { happened: PartialDate },
    #[error("a reason is due for {what}; give one")]
    ReasonMissing { what: &'static str },
    #[error("{stream} has {found} events and {expected} were seen; look at what changed and decide again")]
    StaleView { stream: String, expected: u64, found: u64 },
    #[error("this step is about a participant; name one")]
    SubjectMissing,
    #[error("there is no participant {subject}")]
    UnknownSubject { subject: SubjectId },

    // ---- sites, roles, supply ----
    #[error("the study has no site {site}")]
    UnknownSite { site: SiteId },
    #[error("site {site} is active already")]
    SiteAlreadyActive { site: SiteId },
    #[error("{what} is missing; say it in words")]
    WordsMissing { what: &'static str },
    #[error("the study's files of version {version} were tested on {date} already")]
    TestedAlready { version: String, date: Date },
    #[error("the study's files of version {version} were not tested yet; record the test first")]
    StudyNotTested { version: String },
    #[error("no part of the study is named; name what you approve")]
    NoParts,
    #[error("`{person}` approved the {part} already; another person has to")]
    ApprovedAlready { person: PersonId, part: StudyPart },
    #[error(
        "of the two people who have to approve the {part} of version {version}, {have} did; have it approved first"
    )]
    PartNotApproved { part: StudyPart, version: String, have: usize },
    #[error("site {site} has no ethics approval yet on {date}; record it first")]
    NoEthicsApproval { site: SiteId, date: Date },
    #[error("the record has {found} events, and the review names event {up_to}")]
    NotInTheTrail { up_to: u64, found: u64 },
    #[error("the audit trail was reviewed up to event {reviewed} already")]
    ReviewedFurther { reviewed: u64 },
    #[error("site {site} is not active on {date}; activate it first")]
    SiteNotActive { site: SiteId, date: Date },
    #[error("`{person}` has the role `{held}`, so cannot have `{role}`: {why}")]
    RolesConflict { person: PersonId, held: RoleId, role: RoleId, why: &'static str },
    #[error("`{person}` has the role `{role}` there already")]
    RoleAlreadyDelegated { person: PersonId, role: RoleId },
    #[error("`{person}` has no standing delegation of the role `{role}` there")]
    NoDelegation { person: PersonId, role: RoleId },
    #[error("the delegation began on {from}; it cannot end before, on {until}")]
    EndsBeforeBegin { from: Date, until: Date },
    #[error("nobody else administers the study; delegate that role to another person first")]
    LastAdministrator,
    #[error("`{person}` was trained for the role `{role}` on {date}")]
    TrainedAlready { person: PersonId, role: RoleId, date: Date },
    #[error("the study has no allocation")]
    NoAllocation,
    #[error("the allocation list is sealed already, with digest {digest}")]
    AllocationAlreadySealed { digest: String },
    #[error("the allocation list is not sealed; seal it first")]
    AllocationNotSealed,
    #[error("kit {kit} was received already")]
    KitAlreadyReceived { kit: KitNumber },
    #[error("no kits are named")]
    NoKits,

    // ---- consent and the way in ----
    #[error("the next participant of the site is {next}, not {subject}")]
    NotTheNextNumber { subject: SubjectId, next: SubjectId },
    #[error("participant {subject} belongs to site {site}")]
    OtherSite { subject: SubjectId, site: SiteId },
    #[error("on {date} the current consent version is {current}, not {version}; use the current one")]
    ConsentNotCurrent { version: String, current: String, date: Date },
    #[error("participant {subject} signed version {version} already")]
    ConsentAlreadySigned { subject: SubjectId, version: String },
    #[error(
        "participant {subject} has not signed version {current} of the consent, current on {date}; take it first"
    )]
    ConsentMissing { subject: SubjectId, current: String, date: Date },
    #[error("participant {subject} withdrew consent on {date}; nothing from later days may be recorded")]
    ConsentWithdrawn { subject: SubjectId, date: Date },
    #[error("participant {subject} withdrew consent on {date} without leave to complete the data")]
    DataNotKept { subject: SubjectId, date: Date },
    #[error("{date} lies before the consent of participant {subject} on {consent}")]
    BeforeConsent { subject: SubjectId, date: Date, consent: Date },
    #[error("participant {subject} is being screened already")]
    AlreadyScreened { subject: SubjectId },
    #[error("screening of participant {subject} has not begun; begin it first")]
    NotScreened { subject: SubjectId },
    #[error("participation of {subject} ended on {date}")]
    ParticipationOver { subject: SubjectId, date: Date },
    #[error("no eligibility rule is decided at visit {visit}")]
    NoRulesAtVisit { visit: VisitId },
    #[error(
        "participant {subject} cannot be signed as eligible: not met {}, open {}; complete the data, or waive each with a reason",
        list(unmet),
        list(unknown)
    )]
    NotEligible { subject: SubjectId, unmet: Vec<RuleId>, unknown: Vec<RuleId> },
    #[error("rule {rule} is met at {visit}; there is nothing to waive")]
    NothingToWaive { rule: RuleId, visit: VisitId },
    #[error("eligibility of participant {subject} at visit {visit} is not signed as met; decide it first")]
    EligibilityNotSigned { subject: SubjectId, visit: VisitId },
    #[error(
        "the data behind the eligibility decision of participant {subject} at visit {visit} have changed; decide it again"
    )]
    EligibilityOutdated { subject: SubjectId, visit: VisitId },
    #[error("participant {subject} is in the trial already; eligibility is not decided again")]
    DecidedAfterEntry { subject: SubjectId },
    #[error("participant {subject} is enrolled already")]
    AlreadyEnrolled { subject: SubjectId },
    #[error("participant {subject} is not in the trial yet; {} first", if *randomised { "randomise" } else { "enrol" })]
    NotInTrial { subject: SubjectId, randomised: bool },

    // ---- allocation and kits ----
    #[error("participant {subject} was randomised on {date}; nothing was allocated again")]
    AlreadyRandomised { subject: SubjectId, date: Date },
    #[error("the vault is closed; a holder has to unlock it")]
    VaultClosed,
    #[error("the unlocked vault holds the list {vault}, and the study sealed {sealed}")]
    OtherVault { vault: String, sealed: String },
    #[error("the stratum is not known; save `{form}.{item}` first")]
    StratumUnknown { form: FormId, item: ItemId },
    #[error(transparent)]
    Allocation(#[from] AllocationError),
    #[error("no kit is handed out at visit {visit}")]
    NotAKitVisit { visit: VisitId },
    #[error("a kit was handed out at visit {visit} already")]
    KitAlreadyDispensed { visit: VisitId },
    #[error("kit {kit} is not in the stock of site {site}")]
    KitNotInStock { kit: KitNumber, site: SiteId },
    #[error("the kit to hand out is {chosen}, not {kit}")]
    NotTheChosenKit { kit: KitNumber, chosen: KitNumber },
    #[error("kit {kit} is the one to hand out; dispense it")]
    KitIsTheChosenOne { kit: KitNumber },
    #[error("kit {kit} was not handed out to participant {subject}")]
    NotTheParticipantsKit { kit: KitNumber, subject: SubjectId },
    #[error("kit {kit} was counted back already")]
    KitAlreadyReturned { kit: KitNumber },
    #[error("{tablets} tablets came back in kit {kit}, and {dispensed} were handed out; count again")]
    TooManyTablets { kit: KitNumber, tablets: u32, dispensed: u32 },

    // ---- files ----
    #[error("the file has no name, or one of more than {most} bytes; give it a short one")]
    FileUnnamed { most: usize },
    #[error("a form takes files of these kinds: {}; save the file as one of them", list(kinds))]
    FileKind { kinds: Vec<String> },
    #[error("the file has {bytes} bytes; a form takes files of 1 to {most} bytes")]
    FileSize { bytes: u64, most: u64 },
    #[error("file {number} of the form is the same")]
    FileAttachedAlready { number: u32 },
    #[error("the form has no file {number}")]
    UnknownFile { number: u32 },
    #[error("file {number} of the form was withdrawn already")]
    FileWithdrawnAlready { number: u32 },

    // ---- visits ----
    #[error("the schedule has no visit {visit}")]
    UnknownVisit { visit: VisitId },
    #[error("visit {visit} was held already")]
    VisitAlreadyHeld { visit: VisitId },
    #[error("visit {visit} was recorded as missed")]
    VisitAlreadyMissed { visit: VisitId },
    #[error("visit {visit} was not held; hold it first")]
    VisitNotHeld { visit: VisitId },
    #[error("visit {visit} is reckoned from {awaited}, which has not been recorded; record that first")]
    AnchorMissing { visit: VisitId, awaited: String },
    #[error("visit {previous} comes before {visit}; hold it, or record it as missed")]
    VisitOutOfOrder { visit: VisitId, previous: VisitId },
    #[error("visit {visit} on {date} would lie before {previous} on {previous_date}")]
    VisitBeforePrevious { visit: VisitId, date: Date, previous: VisitId, previous_date: Date },
    #[error("visit {visit} on {date} would lie before {awaited} on {anchor}, which it is reckoned from")]
    VisitBeforeAnchor { visit: VisitId, date: Date, awaited: String, anchor: Date },
    #[error(
        "visit {visit} is for participants who stop treatment early, and {subject} has not; end treatment first"
    )]
    NotStoppedEarly { visit: VisitId, subject: SubjectId },
    #[error("visit {visit} on {date} would lie before screening began, on {screened}")]
    VisitBeforeScreening { visit: VisitId, date: Date, screened: Date },
    #[error(
        "visit {visit} cannot be missed: the way into the trial goes through it; end participation instead"
    )]
    VisitNotMissable { visit: VisitId },
    #[error("visit {visit} is due from {first} on; it cannot be missed before")]
    VisitNotYetDue { visit: VisitId, first: Date },

    // ---- forms ----
    #[error("the study has no form {form}")]
    UnknownForm { form: FormId },
    #[error("form {form} {}", if *by_visit { "is filled at a visit; name the visit" } else { "runs through the trial; name no visit" })]
    WrongFormPlace { form: FormId, by_visit: bool },
    #[error("form {form} {}", if *repeating { "has rows counted from 1" } else { "has no rows; use row 0" })]
    WrongFormRow { form: FormId, repeating: bool },
    #[error("the next row of form {form} is {next}")]
    RowSkipped { form: FormId, next: u32 },
    #[error("the schedule does not ask for form {form} at visit {visit}")]
    FormNotScheduled { form: FormId, visit: VisitId },
    #[error("form {form} is filled by {}, not in the role `{role}`", list(filled_by))]
    NotAFiller { form: FormId, role: RoleId, filled_by: Vec<RoleId> },
    #[error("form {form} is read blind from coded slides, not filled in for a participant")]
    ReadBlind { form: FormId },
    #[error("no item is given")]
    NothingToSave,
    #[error("form {form} has no item {item}")]
    UnknownItem { form: FormId, item: ItemId },
    #[error("item {item} is given twice")]
    ItemTwice { item: ItemId },
    #[error("item {item} is derived; it follows from others")]
    ItemDerived { item: ItemId },
    #[error("item {item} holds {expected}")]
    WrongType { item: ItemId, expected: String },
    #[error("`{reason}` is no reason that item {item} allows for a missing value")]
    MissingReasonNotAllowed { item: ItemId, reason: MissingReason },
    #[error("item {item} is not asked here, after the answers to the items it depends on")]
    ItemNotAsked { item: ItemId },
    #[error("item {item} holds something already; correct it with a reason")]
    AlreadyEntered { item: ItemId },
    #[error("item {item} holds nothing yet; save it")]
    NothingToCorrect { item: ItemId },
    #[error("item {item} holds that already")]
    Unchanged { item: ItemId },
    #[error("nothing of form {form} is left to record as not done")]
    FormComplete { form: FormId },

    // ---- adverse events ----
    #[error("the event cannot stop before it starts")]
    StopsBeforeStart,
    #[error("the event started before consent; that is medical history")]
    StartsBeforeConsent,
    #[error("grade 5 means a fatal outcome, and a fatal outcome grade 5; correct one of them")]
    FatalGradeMismatch,
    #[error("the term does not have this grade; it has {}", list(grades))]
    GradeNotOfTerm { grades: Vec<u8> },
    #[error(
        "form {form} can't go live: the wording of {instrument} is licensed, and no content pack in language \
         `{language}` is loaded"
    )]
    ContentPackMissing { form: FormId, instrument: String, language: String },
    #[error("no form of the study uses {instrument}")]
    ContentPackNotUsed { instrument: String },
    #[error("this content pack of {instrument} is loaded already")]
    ContentPackAlreadyLoaded { instrument: String },
    #[error("a serious event needs a criterion of seriousness")]
    SeriousCriterionMissing,
    #[error("there is no adverse event {row}; save it on its form first")]
    UnknownAdverseEvent { row: u32 },
    #[error("adverse event {row} is not recorded as serious")]
    NotSerious { row: u32 },
    #[error("adverse event {row} was reported already")]
    SeriousAlreadyReported { row: u32 },

    // ---- queries and signatures ----
    #[error("there is no query {query}")]
    UnknownQuery { query: QueryId },
    #[error("query {query} is closed")]
    QueryClosed { query: QueryId },
    #[error("query {query} is addressed to the role `{asked}`")]
    NotAsked { query: QueryId, asked: RoleId },
    #[error("query {query} is open already")]
    QueryOpen { query: QueryId },
    #[error("check {check} has another query open there")]
    CheckAsksAlready { check: CheckId },
    #[error("query {query} has no answer yet; it is answered before it is closed")]
    QueryUnanswered { query: QueryId },
    #[error("`{person}` answered query {query}; another person has to close it")]
    OwnAnswer { query: QueryId, person: PersonId },
    #[error("query {query} closes by itself once {check} is satisfied; correct the data")]
    HardCheckFires { query: QueryId, check: CheckId },
    #[error("the study has no role `{role}` to ask")]
    UnknownAddressee { role: RoleId },
    #[error("visit {visit} is signed already")]
    AlreadySigned { visit: VisitId },
    #[error("form {form} is not complete: {} missing; fill it, or give the reason for each", list(items))]
    FormIncomplete { form: FormId, items: Vec<ItemId> },
    #[error("hard queries are open: {}; correct the data", list(queries))]
    HardQueriesOpen { queries: Vec<QueryId> },
    #[error("visit {visit} is not signed; sign it first")]
    VisitNotSigned { visit: VisitId },
    #[error("participation of {subject} has not ended; end it first")]
    ParticipationNotOver { subject: SubjectId },
    #[error("the casebook of {subject} is signed already")]
    CasebookAlreadySigned { subject: SubjectId },
    #[error("the casebook of {subject} is not signed; sign it first")]
    CasebookNotSigned { subject: SubjectId },

    // ---- source verification ----
    #[error("the share of visits is at most 100 in 100, not {percent}")]
    ShareTooLarge { percent: u8 },
    #[error("form {form} shows no values to the role `{role}`, so they cannot be compared with the source")]
    ValuesNotSeen { form: FormId, role: RoleId },
    #[error("item {item} holds nothing that was entered")]
    NothingToVerify { item: ItemId },
    #[error("item {item} is verified already")]
    AlreadyVerified { item: ItemId },
    #[error("item {item} is not verified")]
    NotVerified { item: ItemId },
    #[error("no item is named")]
    NoItems,
    #[error(
        "of participant {subject} {} of form {form} {} not compared with the source, as the plan asks",
        list(items),
        if items.len() == 1 { "is" } else { "are" }
    )]
    SourceNotVerified { subject: SubjectId, form: FormId, items: Vec<ItemId> },

    // ---- review, freezing, locking ----
    #[error("no form is named")]
    NoForms,
    #[error("form {form} holds nothing to review")]
    NothingToReview { form: FormId },
    #[error("form {form} is reviewed as it is")]
    AlreadyReviewed { form: FormId },
    #[error("{part} {closure} since {since}; the data manager can open it, with a reason")]
    DataClosed { part: PartName, closure: ClosureName, since: Date },
    #[error("{part} is not closed")]
    NotClosed { part: PartName },
    #[error("{part} {closure} already")]
    AlreadyClosed { part: PartName, closure: ClosureName },
    #[error("the study is locked with the whole database; use the lock before the end")]
    LockIsOfTheDatabase,
    #[error("nothing was entered on form {form} there")]
    FormNotBegun { form: FormId },
    #[error("queries are open: {}; close them first", list(queries))]
    QueriesOpen { queries: Vec<QueryId> },
    #[error("the allocation is open since the analysis; the data behind it cannot change any more")]
    AllocationOpen,
    #[error("nobody asked for the database to be unlocked; ask first, with a reason")]
    UnlockNotProposed,
    #[error("another person than the one who asked approves that the database is unlocked")]
    SamePersonApproves,
    #[error("it was asked already that the database is unlocked")]
    UnlockAlreadyProposed,

    // ---- dosing and ends ----
    #[error("visit {visit} comes before the first dose; hold it first")]
    FirstDoseBeforeVisit { visit: VisitId },
    #[error("treatment has started already")]
    TreatmentAlreadyStarted,
    #[error("treatment has not started; record the first dose")]
    TreatmentNotStarted,
    #[error("treatment was stopped for good")]
    TreatmentStopped,
    #[error("no kit was handed out; dispense one before the first dose")]
    NoKitInHand,
    #[error("{from} lies before the last change of the dose, or the event it follows, on {last}")]
    DoseBackdated { from: Date, last: Date },
    #[error("a dose change takes effect at most a day after it is recorded; {from} is later")]
    DoseTooFarAhead { from: Date },
    #[error("{dose_mg} mg is none of the levels {}", list(levels))]
    NotALevel { dose_mg: Decimal, levels: Vec<Decimal> },
    #[error("this step asks for {expected} mg, not {dose_mg} mg")]
    WrongLevel { dose_mg: Decimal, expected: Decimal },
    #[error("the drug is being held; resume or stop it")]
    DrugHeld,
    #[error("the drug is not being held")]
    DrugNotHeld,
    #[error("the study has no dose rule {rule}")]
    UnknownDoseRule { rule: RuleId },
    #[error("dose rule {rule} does not ask for this step")]
    RuleAsksOtherwise { rule: RuleId },
    #[error("dose rule {rule} is not triggered by the data")]
    RuleNotTriggered { rule: RuleId },
    #[error("a dose change names its rule, its adverse event or a reason; give one")]
    DoseChangeUnexplained,
    #[error("dose rule {rule} does not let treatment resume yet")]
    ResumeTooEarly { rule: RuleId },
    #[error("after {days} days without drug, more than {limit}, it is stopped for good; end treatment")]
    PauseTooLong { days: i32, limit: i32 },
    #[error("dose rule {rule} stops the drug for good; end treatment")]
    MustStop { rule: RuleId },
    #[error("the rules leave no level to go down to; end treatment")]
    NoLevelLeft,
    #[error("the dose may be raised {limit} times at most")]
    TooManyEscalations { limit: u32 },
    #[error("the dose may be raised after {needed} stable days, and there were {days}")]
    NotStableYet { days: i32, needed: i32 },
    #[error("treatment ended on {date} already")]
    TreatmentAlreadyEnded { date: Date },
    #[error("treatment of {subject} has not ended; end it first")]
    TreatmentNotEnded { subject: SubjectId },
    #[error("by the dosing record the last dose was on {expected}, not on {last_dose}")]
    LastDoseDiffers { last_dose: Date, expected: Date },
    #[error("{last_dose} lies before the last dose change, on {last}")]
    LastDoseBeforeChange { last_dose: Date, last: Date },
    #[error("treatment is not complete: visit {visit} was neither held nor missed")]
    TreatmentIncomplete { visit: VisitId },
    #[error("the reason `adverse event` names the adverse event; give its row")]
    AdverseEventNotNamed,
    #[error("a rule of the protocol stopped the drug; name it")]
    RuleNotNamed,
    #[error("participation is not complete: visit {visit} was neither held nor missed")]
    ParticipationIncomplete { visit: VisitId },
    #[error("{date} lies before visit {visit} on {visit_date}")]
    EndBeforeVisit { date: Date, visit: VisitId, visit_date: Date },
    #[error("participant {subject} is in the trial; `not eligible` ends no participation in it")]
    EndReasonAfterEntry { subject: SubjectId },
    #[error("participant {subject} never entered the trial; `{reason:?}` is no reason here")]
    EndReasonBeforeEntry { subject: SubjectId, reason: EndReason },

    // ---- specimens ----
    #[error("the study reads no specimens blind")]
    NoBlindReading,
    #[error("a specimen was taken at visit {visit} already")]
    SpecimenAlreadyTaken { visit: VisitId },
    #[error("the reading order is drawn; no specimen can join it")]
    OrderAlreadyDrawn,
    #[error("the reading order is not drawn; draw it first")]
    OrderNotDrawn,
    #[error("there are no specimens to read")]
    NoSpecimens,
    #[error(
        "participant {subject} may still give a specimen; the order is drawn once treatment has ended for all"
    )]
    SpecimenStillPossible { subject: SubjectId },
    #[error("one participant has more slides than can be kept apart")]
    SlidesNotSeparable,
    #[error("there is no slide {code}")]
    UnknownSlide { code: SpecimenCode },
    #[error("there are readers 1 to {readers}; reader {reader} is none")]
    UnknownReader { reader: u32, readers: u32 },
    #[error("reader {reader} is another person")]
    OtherReader { reader: u32 },
    #[error("the next slide of reader {reader} is {next}")]
    NotTheNextSlide { reader: u32, next: SpecimenCode },
    #[error("reader {reader} has read every slide")]
    AllSlidesRead { reader: u32 },
    #[error("{missing} readings are missing; which slides are in dispute is known when all are read")]
    ReadersNotThrough { missing: usize },
    #[error(
        "{missing} readings are missing; lock when all slides are read, those in dispute by one reader more"
    )]
    ReadingsIncomplete { missing: usize },
    #[error("the reading contradicts itself, by check {check}; look again")]
    ReadingContradicts { check: CheckId },
    #[error("the readings are locked")]
    ReadingsLocked,
    #[error("the readings are not locked; lock them before the key is joined")]
    ReadingsNotLocked,
    #[error("the key is joined already")]
    KeyAlreadyJoined,
    #[error("the key is not joined to the readings; join it first")]
    KeyNotJoined,

    // ---- deviations, blind, lock ----
    #[error("arms are open in this study; there is no blind to break")]
    NotBlinded,
    #[error("there is no deviation {deviation}")]
    UnknownDeviation { deviation: DeviationId },
    #[error("deviation {deviation} is not classified; classify it first")]
    DeviationNotClassified { deviation: DeviationId },
    #[error("the plan has the analysis sets {}; sign each of them and no other", list(sets))]
    WrongSets { sets: Vec<AnalysisSetId> },
    #[error("participant {subject} of set {set} never entered the trial")]
    SetHoldsOutsider { set: AnalysisSetId, subject: SubjectId },
    #[error("the analysis sets are not signed; sign them first")]
    SetsNotSigned,
    #[error("data or deviations changed after the analysis sets were signed; sign them again")]
    SetsOutdated,
    #[error("serious adverse event {row} of {subject} was not reported; report it first")]
    SeriousNotReported { subject: SubjectId, row: u32 },
    #[error("the database is not locked; lock it before the list is opened")]
    NotLocked,
    #[error("the list was opened already")]
    AlreadyUnblinded,
    #[error("the list is not open; {threshold} of its holders have to bring their shares")]
    ListNotOpen { threshold: u32 },
    #[error("the opened list does not confirm the allocation of participant {subject}")]
    ListDoesNotConfirm { subject: SubjectId },

    // ---- safety board ----
    #[error("the study has no watch `{watch}`")]
    UnknownWatch { watch: WatchId },
    #[error("watch `{watch}` has reached neither a boundary nor a look; there is nothing to decide on")]
    NothingReached { watch: WatchId },
    #[error(
        "since {since} nobody new enters the trial, as the safety board decided ({decision}); it can decide otherwise"
    )]
    EntryHalted { decision: SafetyDecision, since: Date },
    #[error(
        "since {since} nobody is given the drug: the safety board stopped the trial; hold or end treatment instead"
    )]
    TrialStopped { since: Date },
}

/// A part of the data in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartName(pub Part);

impl std::fmt::Display for PartName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Part::Form(key) => match &key.visit {
                Some(visit) => write!(f, "form {} at visit {visit}", key.form),
                None => write!(f, "form {}", key.form),
            },
            Part::Visit(visit) => write!(f, "visit {visit}"),
            Part::Subject => f.write_str("the participant"),
            Part::Site(site) => write!(f, "site {site}"),
            Part::Study => f.write_str("the study"),
        }
    }
}

/// A closure in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClosureName(pub Closure);

impl std::fmt::Display for ClosureName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.0 {
            Closure::Frozen => "is frozen",
            Closure::Locked => "is locked",
        })
    }
}

fn list<T: ToString>(items: &[T]) -> String {
    if items.is_empty() {
        return "none".to_owned();
    }
    items.iter().map(T::to_string).collect::<Vec<_>>().join(", ")
}
