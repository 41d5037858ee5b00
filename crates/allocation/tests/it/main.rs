//! Tests of the crate from outside, on one small rehearsal.

#![expect(clippy::unwrap_used, reason = "a test panics where it fails")]

mod breaking;
mod conduct;
mod rehearsal;
mod replay;
mod sealing;
