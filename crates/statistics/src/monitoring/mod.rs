//! Rules for stopping a trial while it runs.

mod beta_binomial;
mod stopping_boundary;

pub use beta_binomial::{BetaPrior, posterior_exceeds, predictive_probability};
pub use stopping_boundary::{
    StoppingBoundary, StoppingReached, beta_binomial_boundary, crossing_probability, pocock_boundary,
};
