//! Comparisons of means.

mod one_sample_t;
mod paired_t;
mod two_sample_t;
mod variance_ratio;

pub use one_sample_t::{TTest, one_sample_t, one_sample_t_among};
pub use paired_t::{PairedT, paired_t};
pub use two_sample_t::{TwoSampleT, Variances, two_sample_t, two_sample_t_among};
pub use variance_ratio::{VarianceRatio, variance_ratio};
