//! Virtual participants: people, disease, drug and measurement, and the staff who
//! enter what they see through the commands of the real trial.
//!
//! Nothing here writes to the record: a rehearsal goes through [`conduct`] like a live trial.

pub mod allocation_list;
pub mod answers;
mod calendar;
pub mod campaign;
mod conducted;
mod course;
mod custody;
mod events;
pub mod fast;
pub mod fit;
mod lanes;
mod lung_function;
mod normal;
mod participant;
pub mod person;
pub mod pharmacology;
mod philox;
mod questionnaires;
mod reading;
mod rehearsal;
pub mod scenario;
mod staff;
pub mod streams;
mod treatments;
mod wide;

pub use conducted::{Audience, ConductedTrial, Nobody, RehearsalError};
pub use custody::{Custody, CustodyError, EMERGENCY_SAFE};
pub use rehearsal::{Rehearsal, Rehearsed, Stuck, Trial};
