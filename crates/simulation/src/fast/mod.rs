//! The fast path: a whole trial in reused memory, without commands and events.
//!
//! It draws from the same streams as a rehearsal, by the same functions, and hands the same outcomes to the
//! same analyses; a test runs both on every study and demands equal data and equal results. What the
//! requested analyses cannot read is not drawn at all: since every draw is keyed by participant, process and
//! occasion, leaving one out changes no other. What it has no model of (a set that rests on deviations of a kind that
//! it does not know, a score of its own derivation) it refuses to simulate, by name; the full path serves those.
//!
//! A trial is: people come and are screened ([`entry`]), enter and are allocated ([`trial`]), come to visits
//! and stop the drug ([`path`]), are measured ([`measured`]), and are analysed ([`analysed`]).

mod adherence;
mod analysed;
mod at_hand;
mod behind;
mod calendar;
mod compile;
mod design;
#[cfg(test)]
mod drawn;
mod entry;
mod events;
mod kept;
mod measured;
mod pairs;
mod path;
mod possible;
mod screening;
mod someone;
mod times;
mod trial;

use protocol::model::{Derivation, Form, Item};
use terms::AnalysisId;

use crate::streams::Process;

pub use compile::FastPlan;
pub use design::{Decision, Ended, LOOKS_MAX};
pub use kept::{Kept, KeptEvent, KeptValue};
pub use trial::{People, Tested, Workspace};

/// Why an analysis can't be simulated on the fast path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "analysis `{analysis}` can't be simulated on the fast path: {reason}; use the full path (--path full)"
)]
pub struct NotFast {
    /// The analysis.
    pub analysis: AnalysisId,
    /// What stands in the way.
    pub reason: String,
}

/// Streams by process, with the names' digests taken once.
#[derive(Clone, Debug)]
pub(crate) struct Processes {
    pub(crate) body: Process,
    pub(crate) traits: Process,
    pub(crate) skin: Process,
    pub(crate) arrival: Process,
    pub(crate) withdrawal: Process,
    pub(crate) reaction: Process,
    pub(crate) hazard: Process,
    pub(crate) emergency: Process,
    pub(crate) prohibited: Process,
    pub(crate) escalation: Process,
    pub(crate) visit: Process,
    pub(crate) assessment: Process,
    pub(crate) skin_sites: Process,
}

impl Processes {
    fn named() -> Self {
        let named = Process::named;
        Self {
            body: named("body"),
            traits: named("traits"),
            skin: named("skin"),
            arrival: named("arrival"),
            withdrawal: named("withdrawal"),
            reaction: named("reaction"),
            hazard: named("hazard"),
            emergency: named("emergency"),
            prohibited: named("prohibited"),
            escalation: named("escalation"),
            visit: named("visit"),
            assessment: named("assessment"),
            skin_sites: named("skin sites"),
        }
    }
}

/// Says whether an item is the total of the form's skin score.
pub(crate) fn is_skin_total(form: &Form, item: &Item) -> bool {
    form.instrument.as_deref() == Some("mrss")
        && matches!(&item.derived, Some(Derivation::Instrument { output }) if output == "total")
}
