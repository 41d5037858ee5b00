//! Virtual participants: the numbers a rehearsal draws from. Inputs, never constants in code.

use serde::Serialize;

/// A study's virtual cohort, as `virtual.toml` says it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct VirtualCohort {}
