//! Integration tests of the statistical methods.

mod degenerate;
mod reference;
