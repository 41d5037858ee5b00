//! Integration tests of the statistical methods.

mod degenerate;
mod not_estimable;
mod reference;
