//! How a study goes live: its files are tested, two people approve each part of them, and each site begins at its own
//! ethics approval.
//!
//! Tests and approvals are of one version of the study's files. Once the files change, they are a draft again: no new participant
//! is asked for consent under files that nobody has approved. Whoever is in the trial already goes on; what concerns
//! their safety waits for no approval. A rehearsal goes the same way, so that its record shows it; only the licensed wording of
//! questionnaires is asked for in a live trial alone.

use std::collections::BTreeSet;

use protocol::{content_pack, model::Study};
use record::{Actor, Content, Draft, Environment, Fact, Stream, StudyPart};
use terms::*;

use crate::{
    Command, Refusal, State,
    casebook::Dated,
    decide::{found, need, study_draft, whole_date},
};

/// People who approve each part.
pub const APPROVERS_MIN: usize = 2;

/// An approval of parts of a study's files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// Who.
    pub by: Actor,
    /// Of what.
    pub parts: Vec<StudyPart>,
    /// When and by which event.
    pub approved: Dated,
}

/// How far a version of a study's files has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preparation {
    /// The version that was tested last.
    pub version: String,
    /// Who tested it, and when.
    pub tested: Option<(Actor, Dated)>,
    /// Who approved what of it.
    pub approvals: Vec<Approval>,
}

/// The approval of a site's ethics committee.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EthicsApproval {
    /// The day on which it was given.
    pub approved: Date,
    /// When it was recorded, and by which event.
    pub recorded: Dated,
}

impl Preparation {
    /// Returns the test of a study's files as they are.
    pub fn test_of(&self, study: &Study) -> Option<&(Actor, Dated)> {
        self.tested.as_ref().filter(|_| self.version == study.version)
    }

    /// Returns the approvals of a part of a study's files as they are, one a person.
    pub fn approvals_of(&self, study: &Study, part: StudyPart) -> Vec<&Approval> {
        let mut people = BTreeSet::new();
        self.approvals
            .iter()
            .filter(|approval| self.version == study.version && approval.parts.contains(&part))
            .filter(|approval| people.insert(&approval.by.person))
            .collect()
    }

    /// Says whether the study's files as they are were tested and approved in every part.
    pub fn is_complete(&self, study: &Study) -> bool {
        let approved = |part: &StudyPart| self.approvals_of(study, *part).len() >= APPROVERS_MIN;
        self.test_of(study).is_some() && study_parts(study).iter().all(approved)
    }
}

/// Returns the parts of a study that are approved before it goes live.
pub fn study_parts(study: &Study) -> Vec<StudyPart> {
    let mut parts = vec![StudyPart::Eligibility, StudyPart::Schedule];
    if study.allocation.is_some() {
        parts.push(StudyPart::Allocation);
    }
    parts
}

/// Returns the forms that keep a live trial from beginning, because their licensed wording is not loaded.
pub fn forms_without_wording(study: &Study, state: &State) -> Vec<content_pack::Unworded> {
    let live = state.opened.as_ref().is_some_and(|opened| opened.environment == Environment::Live);
    if !live {
        return Vec::new();
    }
    content_pack::unworded(study, |instrument, language| {
        state.content_packs.contains_key(&(instrument.to_owned(), language.to_owned()))
    })
}

fn short(version: &str) -> String {
    version.chars().take(16).collect()
}

pub(crate) fn record_test(
    study: &Study,
    state: &State,
    command: &Command,
    evidence: &str,
) -> Result<Vec<Draft>, Refusal> {
    whole_date(command)?;
    need(!evidence.trim().is_empty(), || Refusal::WordsMissing { what: "how the study was tested" })?;
    if let Some((_, tested)) = state.preparation.test_of(study) {
        need(false, || Refusal::TestedAlready { version: short(&study.version), date: tested.date })?;
    }
    let fact = Fact::StudyTested { evidence: Content::new(evidence.to_owned()) };
    Ok(vec![study_draft(command, Stream::Study, None, fact)])
}

/// Approves parts of the files as they are: what was tested, and an allocation whose list is sealed.
pub(crate) fn approve_study(
    study: &Study,
    state: &State,
    command: &Command,
    parts: &[StudyPart],
) -> Result<Vec<Draft>, Refusal> {
    whole_date(command)?;
    need(!parts.is_empty(), || Refusal::NoParts)?;
    need(state.preparation.test_of(study).is_some(), || Refusal::StudyNotTested {
        version: short(&study.version),
    })?;
    for part in parts {
        if *part == StudyPart::Allocation {
            need(study.allocation.is_some(), || Refusal::NoAllocation)?;
            need(study.allocation.is_none() || state.allocation.is_some(), || Refusal::AllocationNotSealed)?;
        }
        let mut approvals = state.preparation.approvals_of(study, *part).into_iter();
        let own = approvals.any(|approval| approval.by.person == command.by.person);
        let person = || command.by.person.clone();
        need(!own, || Refusal::ApprovedAlready { person: person(), part: *part })?;
    }
    let parts = parts.iter().copied().collect::<BTreeSet<StudyPart>>().into_iter().collect();
    Ok(vec![study_draft(command, Stream::Study, None, Fact::StudyApproved { parts })])
}

/// Records a site's ethics approval. A later one replaces it.
pub(crate) fn record_ethics_approval(
    study: &Study,
    command: &Command,
    (site, approved): (&SiteId, Date),
    reference: &str,
) -> Result<Vec<Draft>, Refusal> {
    whole_date(command)?;
    need(study.site(site.as_str()).is_some(), || Refusal::UnknownSite { site: site.clone() })?;
    need(!reference.trim().is_empty(), || Refusal::WordsMissing { what: "the committee's reference" })?;
    let recorded = command.at.local_date;
    need(approved <= recorded, || Refusal::NotYetHappened { happened: approved.into(), recorded })?;
    let reference = Content::new(reference.to_owned());
    let fact = Fact::EthicsApprovalRecorded { site: site.clone(), approved, reference };
    Ok(vec![study_draft(command, Stream::Study, Some(site.clone()), fact)])
}

/// Lets a site enrol, once the study is approved, its wordings are loaded and the site has its ethics approval.
pub(crate) fn activate_site(
    study: &Study,
    state: &State,
    command: &Command,
    site: &SiteId,
) -> Result<Vec<Draft>, Refusal> {
    need(study.site(site.as_str()).is_some(), || Refusal::UnknownSite { site: site.clone() })?;
    need(!state.sites.contains_key(site), || Refusal::SiteAlreadyActive { site: site.clone() })?;
    let date = whole_date(command)?;
    need_approved(study, state)?;
    for lacking in forms_without_wording(study, state) {
        need(false, || Refusal::ContentPackMissing {
            form: lacking.form.clone(),
            instrument: lacking.instrument.clone(),
            language: lacking.language.clone(),
        })?;
    }
    let none = || Refusal::NoEthicsApproval { site: site.clone(), date };
    let approved = found(state.ethics.get(site), none)?;
    need(approved.approved <= date, none)?;
    let fact = Fact::SiteActivated { site: site.clone() };
    Ok(vec![study_draft(command, Stream::Study, Some(site.clone()), fact)])
}

/// The study's files as they are were tested, and two people approved each part of them.
#[cfg_attr(test, track_caller)]
pub(crate) fn need_approved(study: &Study, state: &State) -> Result<(), Refusal> {
    let version = || short(&study.version);
    need(state.preparation.test_of(study).is_some(), || Refusal::StudyNotTested { version: version() })?;
    for part in study_parts(study) {
        let have = state.preparation.approvals_of(study, part).len();
        need(have >= APPROVERS_MIN, || Refusal::PartNotApproved { part, version: version(), have })?;
    }
    Ok(())
}
