//! Confidence levels and intervals.
//!
//! A level is checked once, when it is made, so that methods need not check it again.

use crate::NotEstimable;

/// A confidence level strictly between 0 and 1.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Confidence(f64);

impl Confidence {
    /// 90 %.
    pub const C90: Self = Self(0.90);
    /// 95 %.
    pub const C95: Self = Self(0.95);
    /// 99 %.
    pub const C99: Self = Self(0.99);

    /// Makes a level from a proportion such as 0.95.
    ///
    /// # Errors
    /// [`NotEstimable::OutOfRange`] unless `0 < level < 1`.
    pub fn new(level: f64) -> Result<Self, NotEstimable> {
        if level > 0.0 && level < 1.0 {
            Ok(Self(level))
        } else {
            Err(NotEstimable::OutOfRange { name: "confidence level" })
        }
    }

    /// The level as a proportion.
    pub fn level(self) -> f64 {
        self.0
    }

    /// The probability left outside on each side, `(1 - level) / 2`.
    pub fn tail(self) -> f64 {
        (1.0 - self.0) / 2.0
    }

    /// The standard normal quantile that leaves [`Self::tail`] above it.
    pub fn z(self) -> f64 {
        crate::distribution::normal_quantile_upper(self.tail())
    }
}

/// A confidence interval; a limit may be infinite where the method says so.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Lower limit.
    pub lower: f64,
    /// Upper limit.
    pub upper: f64,
}

impl Interval {
    /// The interval `centre ± half_width`.
    pub(crate) fn around(centre: f64, half_width: f64) -> Self {
        Self { lower: centre - half_width, upper: centre + half_width }
    }

    /// Applies an increasing function to both limits.
    pub(crate) fn map(self, f: impl Fn(f64) -> f64) -> Self {
        Self { lower: f(self.lower), upper: f(self.upper) }
    }
}

#[test]
fn a_level_of_one_is_refused() {
    assert_eq!(Confidence::new(1.0), Err(NotEstimable::OutOfRange { name: "confidence level" }));
    assert_eq!(Confidence::new(f64::NAN), Err(NotEstimable::OutOfRange { name: "confidence level" }));
}
