//! Integration tests of the statistical methods.

mod reference;
