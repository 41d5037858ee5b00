//! The server, asked without a network.

mod accounts;
mod cleaning;
mod compliance;
mod going_live;
mod hostile;
mod matrix;
mod operation;
mod pages;
mod world;
