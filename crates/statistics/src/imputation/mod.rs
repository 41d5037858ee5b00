//! Multiple imputation of missing responses.
//!
//! Continuous responses at visits are imputed from a mixed model, under missing at random or a
//! reference-based strategy, by seeded draws or by their conditional mean; binary and ordinal
//! responses from a logistic or proportional-odds model. Analyses of the completed data are
//! pooled by Rubin's rules. What analysis is made of the completed data is the caller's.
//!
//! What is deliberately absent: chained equations, imputation of covariates, and Markov chains.
//! Mathematics: `docs/methods/imputation.md`, `docs/methods/rubin_pooling.md`.

mod categorical;
mod continuous;
mod pooling;
mod streams;

pub use categorical::{CategoricalData, draw_binary, draw_ordinal};
pub use continuous::{
    Completed, Event, ImputationModel, Incomplete, IncompleteData, Jackknife, ParameterDraw, Strategy,
    adjust_by_delta, conditional_mean, draw_imputation, jackknife, tipping_point,
};
pub use pooling::{Pooled, PooledDegrees, pool};
