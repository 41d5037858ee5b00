//! Integration tests of the instruments crate.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its cases fails")]

mod against_r;
mod catalogue;
mod vectors;
