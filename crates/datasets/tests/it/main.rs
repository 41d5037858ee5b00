//! Data sets built from the events of a small trial under the shipped controlled study.

mod built;
mod told;
