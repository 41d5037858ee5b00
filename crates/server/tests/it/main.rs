//! The server, asked without a network.

mod accounts;
mod attachments;
#[cfg(any(feature = "passkeys", feature = "single-sign-on"))]
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
#[cfg(feature = "single-sign-on")]
mod single_sign_on;
mod trends;
mod world;
