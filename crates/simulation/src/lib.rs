//! Virtual participants: people, disease, drug and measurement, and the staff who
//! enter what they see through the commands of the real trial.
//!
//! Nothing here writes to the record: a rehearsal goes through [`conduct`] like a live trial.

pub mod answers;
pub mod person;
pub mod streams;
