//! Tests of the formats of others.

mod ars;
mod conforming;
mod damaged;
mod files;
mod pilot;
