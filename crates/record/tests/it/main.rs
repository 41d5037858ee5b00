//! Tests of the record's bytes, its chain and its writer.

#![expect(clippy::unwrap_used, reason = "a test may fail by panicking, in its helpers too")]

mod chain;
mod earlier;
mod encoding;
mod sample;
mod writer;
mod written_format;
