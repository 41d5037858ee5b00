//! Whole trials, step by step: what is refused, what follows, and that every rule is missed when it is gone.

mod adverse_events;
mod closing;
mod dosing;
mod engine;
mod every_rule;
mod forms;
mod lock;
mod out_of_order;
mod random_walk;
mod safety_board;
mod specimens;
mod trial;
mod verification;
mod views;
mod visits;
mod way_in;
