//! The server, asked without a network.

mod accounts;
mod attachments;
#[cfg(feature = "passkeys")]
mod base64url;
mod cleaning;
mod compliance;
mod going_live;
mod hostile;
mod lists;
mod manual;
mod matrix;
mod operation;
mod pages;
#[cfg(feature = "passkeys")]
mod passkeys;
mod trends;
mod world;
