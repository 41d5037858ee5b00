//! The record of a trial: what happened, who said so, and the chain that proves it.
//!
//! An event is a fact in the past tense. Values and free text inside it are
//! [`Content`]: the chain covers a salted commitment of each, and the contents
//! lie beside the chain, so that one can be redacted without breaking it.
//!
//! This crate knows no study, no rule and no file: it defines events, their
//! canonical bytes, the chain over them, and what a store of them must do.

pub mod chain;
mod content;
pub mod encoding;
mod event;
mod hash;
mod write;

pub use chain::{Fault, Head, Stored, StoredCell};
pub use content::Content;
pub use encoding::EncodingError;
pub use event::*;
pub use hash::{Hash, HashError};
pub use write::{
    CellAddress, Permit, Reader, Recording, Redaction, Sealed, Store, StoreError, Submission, Writer,
};
