//! Who may do and see what.
//!
//! [`policy`] is one table: which power each step of a trial needs. [`authorise`]
//! holds an actor to it, and to the delegations of the site; [`may_see`] says how much of
//! a data class a role sees. Rights come from the study file and from the
//! record's delegations.
//!
//! This crate knows no casebook: whether a step is possible now is for `conduct`
//! to say. It keeps no accounts and opens no envelope.

mod delegation;
mod policy;
mod sight;

pub use delegation::{Delegations, Grant, conflict};
pub use policy::{Denied, Needs, Reach, Step, authorise, needs, reach};
pub use sight::{Viewing, may_read, may_see};
