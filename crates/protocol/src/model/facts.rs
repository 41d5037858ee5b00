//! Identity, facts with their sources, arms, epochs, sites, roles.

use std::collections::BTreeSet;

use serde::Serialize;
use terms::*;

use super::Label;

/// How sure a statement is. A report never presents a default as published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceMark {
    /// Read in a public source (`published`).
    Published,
    /// From the literature as remembered (`remembered`).
    Remembered,
    /// Derived arithmetically from published facts (`derived`).
    Derived,
    /// A default where nothing public was found (`assumed`).
    Assumed,
}

/// One source's wording of a fact or rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Statement {
    /// Which source: a key such as `abstract` or `registry_criteria`.
    pub source: String,
    /// What it says, in our words or as a short number.
    pub says: String,
    /// How sure.
    pub mark: SourceMark,
    /// Something to know about it.
    pub note: Option<String>,
}

/// A fact of the protocol or its publications.
///
/// ```toml
/// [facts.mrss_change_m12]
/// label.en = "Change of mRSS, month 12"
/// value = -6.6                       # a number, or text
/// unit = "points"
/// mark = "published"
/// source = "abstract"                # or sources.<name> = { says, mark, note }, follows = "<name>", because = "…"
/// decimals = 1
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StatedFact {
    /// Its id.
    pub id: FactId,
    /// What it is about.
    pub label: Label,
    /// The number, as printed in the source, if it is one (digits kept).
    pub number: Option<Decimal>,
    /// The value as text: the number's digits, or words; comparators (`<0.001`) included.
    pub text: String,
    /// The unit.
    pub unit: Option<String>,
    /// How sure the chosen value is.
    pub mark: SourceMark,
    /// The chosen source.
    pub follows: String,
    /// Why that one was chosen, where sources differ.
    pub because: Option<String>,
    /// All sources' wordings.
    pub statements: Vec<Statement>,
}

/// A treatment arm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Arm {
    /// Its id.
    pub id: ArmId,
    /// What people call it.
    pub label: Label,
    /// The treatment given.
    pub treatment: String,
    /// Whether it is the control.
    pub control: bool,
}

/// An epoch (CDISC): a stretch of the trial.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Epoch {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub label: Label,
}

/// A site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Site {
    /// Its id; participant numbers start with it (`05-003`).
    pub id: SiteId,
    /// Its name.
    pub label: String,
    /// IANA time zone.
    pub zone: String,
    /// The id of its laboratory.
    pub laboratory: String,
}

/// A version of the consent documents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConsentVersion {
    /// The version's name.
    pub id: String,
    /// The first day on which it is the current one; open for the first version.
    pub from: Option<Date>,
}

/// A class of data that rights are given by. Every form and list belongs to exactly one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DataClass {
    /// Its id (`skin`, `adverse_events`, `allocation` …).
    pub id: DataClassId,
    /// What it covers.
    pub label: Label,
    /// Whether it can reveal the arm (`allocation`, `kits`) or hint at it (oedema, weight, phosphate).
    pub blind_risk: bool,
}

/// How much of a data class a role may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Sight {
    /// Not even that it exists.
    None,
    /// Only what the same person entered at the visit in hand.
    OwnVisit,
    /// Masked: counts without arms, doses without amounts.
    Masked,
    /// Pooled over arms only.
    Pooled,
    /// Participants of the own site.
    Site,
    /// All.
    All,
}

/// What a role may see and do.
///
/// ```toml
/// [roles.skin_assessor]
/// label.en = "Blinded skin assessor"
/// blinded = true
/// sees = { skin = "own visit" }      # what is not named is not seen
/// enters = ["skin"]                  # data classes
/// may = ["start visit"]              # powers by name
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Role {
    /// Its id.
    pub id: RoleId,
    /// What people call it.
    pub label: Label,
    /// Whether the role must not learn any allocation.
    pub blinded: bool,
    /// How much it sees, by data class; a class that is not listed is not seen.
    pub sees: Vec<(DataClassId, Sight)>,
    /// The data classes it enters.
    pub enters: BTreeSet<DataClassId>,
    /// What it may do besides.
    pub may: BTreeSet<Power>,
}

/// A named power.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Power {
    /// Takes consent.
    TakeConsent,
    /// Starts screening, holds and misses visits.
    RunVisits,
    /// Signs the eligibility decision.
    DecideEligibility,
    /// Enrols and randomises.
    Enrol,
    /// Hands out and counts kits or drug.
    Dispense,
    /// Changes the dose.
    ChangeDose,
    /// Reports adverse events and serious ones.
    ReportEvents,
    /// Ends treatment or participation.
    EndParticipation,
    /// Opens and closes queries.
    ManageQueries,
    /// Answers queries.
    AnswerQueries,
    /// Compares entered values with the source, and plans which.
    VerifySource,
    /// Signs visits and casebooks.
    Sign,
    /// Reviews data for completeness and plausibility.
    ReviewData,
    /// Reviews data medically.
    ReviewMedically,
    /// Breaks the blind of one participant in an emergency.
    BreakBlind,
    /// Takes and codes specimens, holds the key.
    KeepSpecimenKey,
    /// Reads coded specimens.
    ReadSpecimens,
    /// Records and classifies deviations.
    ClassifyDeviations,
    /// Signs the analysis sets.
    SignAnalysisSets,
    /// Freezes and locks parts of the data, and the database.
    Lock,
    /// Opens the allocation list after lock.
    UnblindStudy,
    /// Seals the allocation list.
    SealAllocation,
    /// Opens the study, activates sites, delegates roles.
    Administer,
    /// Receives kits at a site.
    ReceiveKits,
    /// Sits on the safety board: is told of stopping rules and looks, and decides how the trial goes on.
    OverseeSafety,
}
