//! The compiled study. Every name in it has been resolved, so a look-up by one
//! of its ids succeeds; every expression has been typed.
//!
//! The parts follow the files of a study folder: `study.toml` ([`Study`],
//! facts, arms, sites), `roles.toml`, `schedule.toml`, `eligibility.toml`,
//! `forms/*.toml`, `codelists.toml`, `laboratory.toml`, `dosing.toml`,
//! `allocation.toml`, `deviations.toml`, `analysis.toml`, `virtual.toml`, `coverage.toml`.

mod built_in;
mod conduct;
mod coverage;
mod facts;
mod forms;
mod plan;
mod report;
mod schedule;
mod times;
mod virtual_cohort;
mod watch;

use std::collections::BTreeMap;

use serde::Serialize;
use terms::*;

pub use built_in::*;
pub use conduct::*;
pub use coverage::*;
pub use facts::*;
pub use forms::*;
pub use plan::*;
pub use report::*;
pub use schedule::*;
pub use times::*;
pub use virtual_cohort::*;
pub use watch::*;

/// Text in the study's languages, by language code. `label.en = "…"` in the file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Label(pub BTreeMap<String, String>);

impl Label {
    /// Returns the text in a language, else in English, else in any.
    pub fn get(&self, language: &str) -> &str {
        let text = self.0.get(language).or_else(|| self.0.get("en")).or_else(|| self.0.values().next());
        text.map_or("", String::as_str)
    }

    /// Returns the English text, else any.
    pub fn en(&self) -> &str {
        self.get("en")
    }
}

/// A compiled study.
#[derive(Clone, Debug, Serialize)]
pub struct Study {
    /// The content hash of the study's files (hex SHA-256): a version *is* its hash.
    pub version: String,
    /// The study's id.
    pub id: StudyId,
    /// Its title.
    pub title: Label,
    /// Registry name to number, such as `clinicaltrials_gov` to `NCT00479934`.
    pub registry: BTreeMap<String, String>,
    /// The phase, as the protocol writes it (`IIa`).
    pub phase: String,
    /// The sponsor.
    pub sponsor: String,
    /// Language codes; the first is the study's main one.
    pub languages: Vec<String>,
    /// Whether arms are hidden from participants and staff.
    pub blinded: bool,
    /// Planned number of participants: enrolled, or randomised where there is an allocation.
    pub target: u32,
    /// Where statements come from: name and citation.
    pub sources: Vec<(String, Label)>,
    /// Facts about the trial with their sources, published numbers included.
    pub facts: Vec<StatedFact>,
    /// Arms in order; a one-arm study has one.
    pub arms: Vec<Arm>,
    /// Epochs in order (`screening`, `treatment`, `off_treatment`).
    pub epochs: Vec<Epoch>,
    /// Sites.
    pub sites: Vec<Site>,
    /// Consent versions in order of validity.
    pub consents: Vec<ConsentVersion>,
    /// Roles.
    pub roles: Vec<Role>,
    /// Data classes.
    pub data_classes: Vec<DataClass>,
    /// Visits in order.
    pub visits: Vec<Visit>,
    /// Rows of the schedule of activities.
    pub activities: Vec<Activity>,
    /// Code lists.
    pub codelists: Vec<Codelist>,
    /// Forms.
    pub forms: Vec<Form>,
    /// Laboratories with their reference ranges.
    pub laboratories: Vec<Laboratory>,
    /// Eligibility rules.
    pub eligibility: Vec<EligibilityRule>,
    /// Dosing.
    pub dosing: Dosing,
    /// Allocation, in a randomised study.
    pub allocation: Option<AllocationPlan>,
    /// Blind reading of specimens.
    pub blind_reading: Option<BlindReading>,
    /// Which deviations are major.
    pub deviations: Vec<DeviationRule>,
    /// Stopping rules and planned looks that the safety board watches.
    pub watches: Vec<Watch>,
    /// The statistical analysis plan.
    pub plan: AnalysisPlan,
    /// The virtual participants.
    pub virtual_cohort: VirtualCohort,
    /// What the protocol says and what here answers to it.
    pub coverage: Coverage,
}

impl Study {
    /// Makes a study that says nothing, of a version.
    pub(crate) fn empty(version: String) -> Self {
        Self {
            version,
            id: "".into(),
            title: Label::default(),
            registry: BTreeMap::new(),
            phase: String::new(),
            sponsor: String::new(),
            languages: Vec::new(),
            blinded: false,
            target: 0,
            sources: Vec::new(),
            facts: Vec::new(),
            arms: Vec::new(),
            epochs: Vec::new(),
            sites: Vec::new(),
            consents: Vec::new(),
            roles: Vec::new(),
            data_classes: Vec::new(),
            visits: Vec::new(),
            activities: Vec::new(),
            codelists: Vec::new(),
            forms: Vec::new(),
            laboratories: Vec::new(),
            eligibility: Vec::new(),
            dosing: Dosing::default(),
            allocation: None,
            blind_reading: None,
            deviations: Vec::new(),
            watches: Vec::new(),
            plan: AnalysisPlan::default(),
            virtual_cohort: VirtualCohort::default(),
            coverage: Coverage::default(),
        }
    }

    /// Returns the visit of that id.
    pub fn visit(&self, id: &str) -> Option<&Visit> {
        self.visits.iter().find(|visit| visit.id == *id)
    }

    /// Returns what people call a visit, in a language; its id where the study has no such visit.
    pub fn visit_name<'a>(&'a self, visit: &'a VisitId, language: &str) -> &'a str {
        self.visit(visit.as_str()).map_or(visit.as_str(), |visit| visit.label.get(language))
    }

    /// Returns the form of that id.
    pub fn form(&self, id: &str) -> Option<&Form> {
        self.forms.iter().find(|form| form.id == *id)
    }

    /// Returns the form that serves a purpose.
    pub fn form_for(&self, purpose: Purpose) -> Option<&Form> {
        self.forms.iter().find(|form| form.purpose == Some(purpose))
    }

    /// Returns the site of that id.
    pub fn site(&self, id: &str) -> Option<&Site> {
        self.sites.iter().find(|site| site.id == *id)
    }

    /// Returns the role of that id.
    pub fn role(&self, id: &str) -> Option<&Role> {
        self.roles.iter().find(|role| role.id == *id)
    }

    /// Returns the stated fact of that id.
    pub fn fact(&self, id: &str) -> Option<&StatedFact> {
        self.facts.iter().find(|fact| fact.id == *id)
    }

    /// Returns the forms that the schedule asks for at a visit, in the order of the schedule's rows.
    pub fn forms_at<'a>(&'a self, visit: &'a VisitId) -> impl Iterator<Item = &'a Form> {
        self.activities
            .iter()
            .filter(|activity| activity.at(visit) == Mark::Do)
            .flat_map(|activity| &activity.forms)
            .filter_map(|id| self.form(id.as_str()))
    }
}
