//! The server, asked without a network.

mod accounts;
mod attachments;
mod cleaning;
mod compliance;
mod going_live;
mod hostile;
mod lists;
mod manual;
mod matrix;
mod operation;
mod pages;
mod trends;
mod world;
