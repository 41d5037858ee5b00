//! Tests of the whole report on a small trial.

#![expect(clippy::unwrap_used, reason = "what these tests set up either holds or fails them")]

mod measured;
mod page;
mod sample;
mod shape;
