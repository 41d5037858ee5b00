//! Tests of the whole report on a small trial.

mod page;
mod sample;
mod shape;
