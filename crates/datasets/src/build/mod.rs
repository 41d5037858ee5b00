//! From casebooks to data sets: collects what the derivations in [`adam`](crate::adam) need, calls
//! them, and lays the columns out.
//!
//! Arms come from the opened list alone. Before it is opened the data sets have no column `arm`
//! (in a study of one arm everyone who entered has it).

mod adverse_events;
mod body_sites;
mod codes;
mod columns;
mod concomitant_treatments;
mod deviations;
mod disposition;
mod dose_changes;
mod exposure;
mod laboratory;
mod longitudinal;
mod profile;
mod readings;
mod subjects;
mod times_to_event;
mod watches;

use std::{collections::BTreeMap, sync::Arc};

use conduct::{Casebook, State};
use protocol::model::Study;
use terms::{AnalysisSetId, SubjectId};

use crate::DataSets;

pub use times_to_event::finding;

/// Builds the data sets of a trial from its state.
///
/// Analysis sets are those that were signed, or (before that) those that the plan's
/// conditions give now.
pub fn build(study: &Study, state: &State) -> DataSets {
    let trial = profile::Trial::of(study, state, state.casebooks.values().map(Arc::as_ref));
    let observations = longitudinal::observations(&trial);
    let exposure = exposure::stretches(&trial);
    let adverse_events = adverse_events::adverse_events(&trial);
    DataSets {
        subjects: subjects::subjects(&trial, &observations, &exposure),
        longitudinal: longitudinal::longitudinal(&trial, &observations),
        times_to_event: times_to_event::times_to_event(&trial, &observations, &adverse_events),
        adverse_events,
        concomitant_treatments: concomitant_treatments::concomitant_treatments(&trial),
        exposure: exposure::exposure(&trial, &exposure),
        deviations: deviations::deviations(&trial),
        disposition: disposition::disposition(&trial),
        dose_changes: dose_changes::dose_changes(&trial),
        laboratory: laboratory::laboratory(&trial),
        readings: readings::readings(&trial),
        body_sites: body_sites::body_sites(&trial),
        watches: watches::watches(&trial),
        others: Vec::new(),
    }
}

/// Participants whose casebooks are open at a time while sets are evaluated. A packed one takes some hundred times its memory while
/// it is open.
const OPEN_MAX: usize = 64;

/// Says who belongs to which analysis set by the plan's conditions, for signing. No condition looks at another participant, so that
/// some are looked at at a time.
pub fn analysis_sets(study: &Study, state: &State) -> BTreeMap<AnalysisSetId, Vec<SubjectId>> {
    let mut sets: BTreeMap<AnalysisSetId, Vec<SubjectId>> =
        study.plan.sets.iter().map(|set| (set.id.clone(), Vec::new())).collect();
    let all: Vec<&Arc<Casebook>> = state.casebooks.values().collect();
    for some in all.chunks(OPEN_MAX) {
        let copies: Vec<Casebook> = some.iter().map(|casebook| Casebook::clone(casebook)).collect();
        let trial = profile::Trial::of(study, state, copies.iter());
        let observations = longitudinal::observations(&trial);
        let exposure = exposure::stretches(&trial);
        let subjects = subjects::described(&trial, &observations, &exposure);
        for (set, members) in subjects::evaluated_sets(&trial, &observations, &subjects) {
            sets.entry(set).or_default().extend(members);
        }
    }
    sets
}
