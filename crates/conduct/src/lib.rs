//! The conduct of a trial: commands, their rules, and the state they are decided on.
//!
//! [`decide`] takes the compiled study, the folded [`State`] and a [`Command`], and gives
//! drafts of events or a [`Refusal`] that says what is missing. Each family of steps has a file of its
//! own, named after its first command. [`Engine`] joins the decision to a record.
//!
//! There is no input or output here, no clock and no ambient randomness: times and
//! random streams are arguments. Data sets, lists and pages are made elsewhere.

mod adverse_events;
mod attach_file;
mod break_blind;
mod casebook;
mod cells;
mod change_dose;
mod checks;
mod classify_deviation;
mod close_data;
mod command;
mod compliance;
mod decide;
mod decide_eligibility;
mod derive;
mod digest;
mod dispense_kit;
mod end_treatment;
mod engine;
mod enrol_subject;
mod go_live;
mod hold_visit;
mod lock_database;
mod open_study;
mod packed;
mod queries;
mod read_specimens;
mod refusal;
#[cfg(test)]
mod rules;
mod save_form;
mod schedule;
mod screen_subject;
mod shared_map;
mod sign_consent;
mod sign_visit;
mod state;
mod steps;
#[cfg(test)]
mod tests;
mod verify_source;
mod view;
mod watch;

pub use adverse_events::{
    AdverseEvent, Grading, Imputed, adverse_events, impute_start, is_related, is_treatment_emergent,
    worst_grade,
};
pub use attach_file::{FILE_BYTES_MAX, FILE_TYPES, FormFile};
pub use casebook::{
    Allocated, BlindBreak, Casebook, Cell, Consent, Dated, Deviation, DoseChange, DoseInterval,
    EligibilityDecision, Entry, FilledForm, HeldVisit, KitUse, Pages, ParticipationEnd, Query, Reviewed,
    SeriousReport, Signature, Specimen, TreatmentEnd, Verification, Withdrawal,
};
pub use cells::Cells;
pub use classify_deviation::proposed_class;
pub use close_data::{Closed, closed, is_locked};
pub use command::{Action, Command};
pub use compliance::{Compliance, compliance};
pub use decide::{Means, current_consent, decide, program};
pub use decide_eligibility::{Verdict, decision_visits, eligibility};
pub use derive::age_after;
pub use digest::casebook_digest;
pub use engine::{Counts, Engine, EngineError, Receipt};
pub use go_live::{APPROVERS_MIN, Approval, EthicsApproval, Preparation, forms_without_wording, study_parts};
pub use read_specimens::{
    disputed_slides, left_to_read, next_slide, reading_form, rests_a_score_on, with_key,
};
pub use refusal::{ClosureName, PartName, Refusal};
pub use schedule::{Window, anchor_date, is_scheduled, planned_last_dose, scheduled_visit, window};
pub use shared_map::SharedMap;
pub use state::{
    Arms, BlindReadingState, Folding, Opened, SealedList, SignedSets, State, StockedKit, TakenReading,
    Walked, WatchState, WatchStep, WatchStepKind,
};
pub use verify_source::{is_drawn, unverified, verified_by};
pub use view::{View, is_shown, reference_range, unfilled};
