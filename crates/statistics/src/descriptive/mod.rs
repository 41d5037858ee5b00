//! Summaries of one series of numbers.

mod count;
mod quantile;
mod standardised_difference;
mod summary;

pub use count::{Count, count_of};
pub use quantile::{QuantileType, median, quantile, quantile_of_sorted};
pub use standardised_difference::{standardised_difference_of_means, standardised_difference_of_shares};
pub(crate) use summary::mean_and_variance;
pub use summary::{
    Geometric, Summary, coefficient_of_variation_percent, geometric, mad, mean, mean_interval_t, skewness_g1,
    summarise, variance,
};
