//! The study language: what a study says, and the compiler that makes sure it can be run.
//!
//! [`model`] is the compiled study, which every other crate reads. This crate
//! runs nothing and stores nothing.

pub mod expression;
pub mod model;

pub use model::Study;
