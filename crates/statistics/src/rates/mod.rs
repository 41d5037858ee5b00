//! Event rates per person-time.

mod poisson;

pub use poisson::{PoissonRate, RateRatio, poisson_rate, rate_ratio};
