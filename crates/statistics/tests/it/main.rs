//! Integration tests of the statistical methods.

mod allocations;
mod degenerate;
mod imputation;
mod mixed;
mod not_estimable;
mod operating;
mod reference;
mod stream;
