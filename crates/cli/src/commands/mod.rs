//! One file a command.

pub mod check;
pub mod demo;
pub mod new;
pub mod schema;
pub mod trace;
pub mod verify;
