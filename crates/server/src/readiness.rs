//! How far each participant is from the lock, kept from one request to the next.
//!
//! The page of closing counts over all participants, and each count needs whole casebooks, cells included. So a few numbers a
//! participant are kept here, and made again once the participant's record has grown or another part of the data
//! is to be verified.
//!
//! A cache, as [`lists`](crate::lists) is one: all of it follows from the state.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use conduct::{Casebook, State, Walked, adverse_events, is_drawn};
use protocol::model::{Severity, Study};
use record::{Review, VerificationPlan};
use terms::{AnalysisSetId, SubjectId};

use crate::lists::small;

/// What must be true of every participant before the lock, in the order in which it is brought about.
pub const CHECKS: [&str; 6] = [
    "Participation has ended",
    "Serious events are reported",
    "No query of a hard check is open",
    "Source is verified as planned",
    "Visits and casebooks are signed",
    "Deviations are classified",
];

/// How far a participant is from the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Readiness {
    /// How long the participant's record was.
    position: u64,
    /// Which of the [`CHECKS`] are still open.
    pub open: [bool; CHECKS.len()],
    /// Deviations without a class.
    pub unclassified: u16,
    /// Whether the casebook is signed.
    pub signed: bool,
    /// Forms that were begun.
    pub forms: u16,
    /// Those that were reviewed as they are now, by the data manager.
    pub data_reviews: u16,
    /// And medically.
    pub medical_reviews: u16,
}

/// The numbers of a study's participants.
#[derive(Default)]
pub struct Readinesses(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    plan: Option<VerificationPlan>,
    by_subject: BTreeMap<SubjectId, Readiness>,
    /// How many belong to each analysis set, and at which event of the record that was.
    sets: Option<(u64, Vec<(AnalysisSetId, usize)>)>,
}

impl Readinesses {
    /// Looks at all participants, in the order of the state.
    pub fn look<T>(
        &self,
        study: &Study,
        state: &State,
        look: impl FnOnce(&BTreeMap<SubjectId, Readiness>) -> T,
    ) -> T {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.hold_to(&state.verification_plan);
        for (subject, casebook) in &state.casebooks {
            let known = kept.by_subject.get(subject);
            if known.is_none_or(|known| known.position != casebook.position()) {
                let made = Readiness::of(study, state, &Walked::of(casebook));
                kept.by_subject.insert(subject.clone(), made);
            }
        }
        look(&kept.by_subject)
    }

    /// Takes a participant in, ahead of who asks.
    pub fn note(&self, study: &Study, state: &State, casebook: &Casebook) {
        let made = Readiness::of(study, state, casebook);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.hold_to(&state.verification_plan);
        kept.by_subject.insert(casebook.subject.clone(), made);
    }

    /// Returns how many participants belong to each analysis set by the plan's conditions.
    pub fn sets(&self, study: &Study, state: &State) -> Vec<(AnalysisSetId, usize)> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, sets)) = &kept.sets
            && *at == state.sequence
        {
            return sets.clone();
        }
        let sets: Vec<_> = datasets::analysis_sets(study, state)
            .into_iter()
            .map(|(set, subjects)| (set, subjects.len()))
            .collect();
        kept.sets = Some((state.sequence, sets.clone()));
        sets
    }
}

impl Kept {
    /// Forgets what was made for another plan of verification.
    fn hold_to(&mut self, plan: &Option<VerificationPlan>) {
        if self.plan != *plan {
            self.plan.clone_from(plan);
            self.by_subject.clear();
        }
    }
}

impl Readiness {
    fn of(study: &Study, state: &State, casebook: &Casebook) -> Self {
        let hard = casebook.queries.iter().filter(|query| query.closed.is_none()).any(|query| {
            let form = study.form(query.key.form.as_str());
            form.is_some_and(|form| {
                form.checks
                    .iter()
                    .any(|check| Some(&check.id) == query.check.as_ref() && check.severity == Severity::Hard)
            })
        });
        let unreported = adverse_events(study, casebook)
            .iter()
            .any(|event| event.serious == Some(true) && event.reported.is_none());
        let mut drawn = casebook.forms.keys().filter(|key| is_drawn(study, state, casebook, key));
        let unverified = drawn.any(|key| conduct::unverified(casebook, key).next().is_some());
        let unclassified = casebook.deviations.iter().filter(|deviation| deviation.class.is_none()).count();
        let reviewed =
            |review| small(casebook.forms.values().filter(|form| form.review(review).is_some()).count());
        Self {
            position: casebook.position(),
            open: [
                casebook.participation_end.is_none(),
                unreported,
                hard,
                unverified,
                casebook.enrolled.is_some() && casebook.casebook_signature.is_none(),
                unclassified > 0,
            ],
            unclassified: small(unclassified),
            signed: casebook.casebook_signature.is_some(),
            forms: small(casebook.forms.len()),
            data_reviews: reviewed(Review::Data),
            medical_reviews: reviewed(Review::Medical),
        }
    }
}
