//! Tests of the stores.

#![expect(clippy::unwrap_used, reason = "a test may fail by panicking, in its helpers too")]

mod alteration;
mod backup;
mod conformance;
mod durability;
mod identity;
mod opening;
mod projection;
mod redaction;
mod sample;
mod stranger;
