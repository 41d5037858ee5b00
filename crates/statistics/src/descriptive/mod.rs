//! Summaries of one series of numbers.

mod count;
mod quantile;
mod summary;

pub use count::{Count, count_of};
pub use quantile::{QuantileType, median, quantile, quantile_of_sorted};
pub(crate) use summary::mean_and_variance;
pub use summary::{
    Geometric, Summary, coefficient_of_variation_percent, geometric, mad, mean, mean_interval_t, skewness_g1,
    summarise, variance,
};
