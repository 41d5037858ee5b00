//! The test of the tests: every rule can be switched off, one at a time, and must be missed.
