//! Designs and their operating characteristics, before a trial begins.

mod group_sequential;
mod power;
mod simon;

pub use group_sequential::{
    BoundaryShape, GroupSequentialDesign, OperatingCharacteristics, Sides, group_sequential_design,
};
pub use power::{
    Alternative, BinomialPower, RankSumShiftPower, TTestKind, anova_power, anova_size, binomial_power,
    fisher_power, noether_size, proportions_power, proportions_size, rank_sum_shift_power, schoenfeld_events,
    t_test_power, t_test_power_unequal, t_test_size,
};
pub use simon::{SimonDesign, SimonDesigns, simon_two_stage};
