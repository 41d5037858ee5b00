//! Tests of the record's bytes, its chain and its writer.

mod chain;
mod encoding;
mod sample;
mod writer;
mod written_format;
