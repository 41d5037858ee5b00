//! The server, asked without a network.

mod accounts;
mod cleaning;
mod hostile;
mod matrix;
mod pages;
mod world;
