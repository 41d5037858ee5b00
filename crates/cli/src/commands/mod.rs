//! One file a command.

pub mod analyse;
pub mod check;
pub mod demo;
pub mod explore;
pub mod fit;
pub mod new;
pub mod pack;
pub mod qualify;
pub mod schema;
#[cfg(feature = "serve")]
pub mod serve;
pub mod simulate;
pub mod trace;
pub mod verify;
