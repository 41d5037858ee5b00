//! Designs and their operating characteristics, before a trial begins.

mod simon;

pub use simon::{SimonDesign, SimonDesigns, simon_two_stage};
