//! Tests of the formats of others.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod ars;
mod conforming;
mod damaged;
mod files;
mod pilot;
