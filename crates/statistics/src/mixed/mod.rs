//! Mixed models for repeated measures.
//!
//! Responses at visits, correlated within a participant by one of nine covariance structures,
//! fitted by restricted or full likelihood ([`mixed_model`]). Missing visits are left out: the
//! likelihood is that of what was observed. A fit is at the maximum or it is an error with its
//! reason; there is no other state.
//!
//! What is deliberately absent: random effects, spatial structures, weights, and any handling
//! of missing covariates. Mathematics: `docs/methods/mmrm*.md`.

mod covariance;
mod fit;
mod likelihood;
mod optimise;
mod panel;
mod workspace;

pub use covariance::Covariance;
pub use fit::{
    DegreesOfFreedom, Fit, JointTest, Likelihood, MixedEstimate, MixedModel, Sandwich, mixed_model,
};
pub use panel::{DesignPanel, Panel, Rows, VISITS_MAX};
pub use workspace::Workspace;
