//! Whole trials, step by step: what is refused, what follows, and that every rule is missed when it is gone.

mod every_rule;
mod out_of_order;
mod trial;
