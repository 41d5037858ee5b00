//! One file a command.

pub mod analyse;
pub mod archive;
#[cfg(feature = "serve")]
pub mod backup;
pub mod check;
pub mod demo;
pub mod explore;
pub mod fit;
pub mod manual;
pub mod new;
pub mod pack;
pub mod qualify;
#[cfg(feature = "serve")]
pub mod redact;
#[cfg(feature = "serve")]
pub mod restore;
pub mod schema;
#[cfg(feature = "serve")]
pub mod serve;
pub mod simulate;
pub mod trace;
#[cfg(feature = "serve")]
pub mod upgrade;
pub mod verify;
