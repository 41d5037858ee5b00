//! The server, asked without a network.

mod accounts;
mod hostile;
mod matrix;
mod pages;
mod world;
