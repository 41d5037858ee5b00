//! The capture server: people, rights and pages around the studies that run.
//!
//! [`routes`] is the one table of what can be asked; [`gate`] holds every request to it; [`seat`] says what
//! a person in a role may see; `pages` make the answers; [`running`] gives commands to the record. Below
//! [`shell`] nothing knows the network, so that every page can be asked for in a test.
//!
//! No rule of a trial lives here: whether a step is possible is decided by `conduct`, and who may by `access`.

pub mod backups;
pub mod context;
pub mod course;
pub mod credentials;
pub mod gate;
pub mod http;
pub mod installation;
pub mod languages;
pub mod lists;
pub mod manifest;
mod page;
mod pages;
#[cfg(feature = "passkeys")]
pub mod passkeys;
pub mod post;
pub mod readiness;
pub mod routes;
pub mod running;
pub mod seat;
pub mod sessions;
pub mod shell;
#[cfg(feature = "single-sign-on")]
pub mod single_sign_on;
pub mod smtp;
pub mod terminals;
pub mod throttle;
pub mod training;

pub use installation::{Installation, OpenError};
