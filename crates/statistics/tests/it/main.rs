//! Integration tests of the statistical methods.

mod degenerate;
mod imputation;
mod mixed;
mod not_estimable;
mod reference;
mod stream;
