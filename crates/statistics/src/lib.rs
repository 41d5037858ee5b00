//! Statistical methods for trials of the size that Equipoise runs.
//!
//! Each method is a plain function over slices of finite numbers, with an argument
//! for every option that changes a number, and a result struct or a reason why
//! nothing can be estimated ([`NotEstimable`]). Its mathematics stand in
//! `docs/methods/`, its reference numbers in this crate's `reference/` directory.
//!
//! What is deliberately absent: data sets and missing values (the caller drops
//! them), choice of method, formatting, randomness but from a seed that is an argument,
//! threads, and any default for
//! an option on which programs disagree.

pub mod agreement;
pub mod blinding;
pub mod descriptive;
pub mod distribution;
pub mod imputation;
mod interval;
mod kernel;
pub mod means;
pub mod mixed;
pub mod models;
pub mod monitoring;
pub mod multiplicity;
mod noncentral;
mod not_estimable;
pub mod planning;
pub mod proportions;
mod quadrature;
pub mod qualification;
pub mod ranks;
pub mod rates;
mod root;
pub mod rounding;
pub mod survival;

pub use interval::{Confidence, Interval};
pub use not_estimable::NotEstimable;
