//! The record of a trial: what happened, who said so, and the chain that proves it.
//!
//! An event is a fact in the past tense. Values and free text inside it are
//! [`Content`]: the chain covers a salted commitment of each, and the contents
//! lie beside the chain, so that one can be redacted without breaking it.
//!
//! This crate knows no study, no rule and no store: it defines events, their
//! canonical bytes, and the chain over them.

mod content;
mod event;

pub use content::Content;
pub use event::*;
