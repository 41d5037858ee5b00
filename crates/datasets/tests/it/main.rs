//! Data sets built from the events of a small trial under the shipped controlled study.

#![expect(clippy::unwrap_used, reason = "what these tests set up either holds or fails them")]

mod built;
mod told;
