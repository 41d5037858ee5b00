//! Integration tests of the statistical methods.

#![expect(clippy::unwrap_used, reason = "what these tests set up either holds or fails them")]

mod allocations;
mod degenerate;
mod imputation;
mod mixed;
mod not_estimable;
mod reference;
mod stream;
