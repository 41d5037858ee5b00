//! Stores of the record.
//!
//! What a store promises, and the one writer it has, are defined in `record`;
//! here are its implementations: one SQLite file in a folder, and memory. Both pass
//! [`conformance`]. Beside the record, and never in it, lie the [`identity`] store and the [`files`] that were attached to forms;
//! a [`projection`] is a cache that can be dropped at any time.
//!
//! No clock, no randomness and no rule of a trial lives here.

pub mod accounts;
pub mod backup;
pub mod conformance;
pub mod files;
pub mod identity;
mod memory;
pub mod outbox;
pub mod projection;
pub mod reads;
mod sqlite;
mod verify;

pub use identity::{Identity, IdentityError, IdentityKey, IdentityStore};
pub use memory::MemoryStore;
pub use record::{
    CellAddress, Permit, Reader, Recording, Redaction, Sealed, Store, StoreError, Submission, Writer,
};
pub use sqlite::{SqliteReader, SqliteStore};
pub use verify::{Fault, VerifyReport, verify};
