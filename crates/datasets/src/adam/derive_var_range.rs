//! Where a laboratory value lies in its reference range.
//!
//! A value below the lower limit is low, one above the upper limit is high, one on a limit is normal.
//! Of a range that has one limit only the other side is normal; without any limit nothing is said.
//!
//! | value | lower | upper | indicator |
//! |---|---|---|---|
//! | 3.4 | 3.5 | 5.1 | low |
//! | 3.5 | 3.5 | 5.1 | normal |
//! | 4.2 | 3.5 | 5.1 | normal |
//! | 5.1 | 3.5 | 5.1 | normal |
//! | 5.2 | 3.5 | 5.1 | high |
//! | 33 | - | 33 | normal |
//! | 34 | - | 33 | high |
//! | 0 | - | 33 | normal |
//! | 0.9 | 1.0 | - | low |
//! | 1.0 | 1.0 | - | normal |
//! | 9.9 | 1.0 | - | normal |
//! | 7.0 | - | - | - |

use terms::Decimal;

/// A side of a reference range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Indicator {
    /// Below the lower limit.
    Low,
    /// Within the limits, both included.
    Normal,
    /// Above the upper limit.
    High,
}

impl Indicator {
    /// Returns the code that the data set holds.
    pub fn code(self) -> &'static str {
        match self {
            Indicator::Low => "low",
            Indicator::Normal => "normal",
            Indicator::High => "high",
        }
    }
}

/// Says where a value lies; all three are in one unit.
pub fn derive_var_range(value: Decimal, lower: Option<Decimal>, upper: Option<Decimal>) -> Option<Indicator> {
    match (lower, upper) {
        (None, None) => None,
        (Some(lower), _) if value < lower => Some(Indicator::Low),
        (_, Some(upper)) if value > upper => Some(Indicator::High),
        _ => Some(Indicator::Normal),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_on_a_limit_is_normal() {
        let twelve = [
            ("3.4", "3.5", "5.1", "low"),
            ("3.5", "3.5", "5.1", "normal"),
            ("4.2", "3.5", "5.1", "normal"),
            ("5.1", "3.5", "5.1", "normal"),
            ("5.2", "3.5", "5.1", "high"),
            ("33", "", "33", "normal"),
            ("34", "", "33", "high"),
            ("0", "", "33", "normal"),
            ("0.9", "1.0", "", "low"),
            ("1.0", "1.0", "", "normal"),
            ("9.9", "1.0", "", "normal"),
            ("7.0", "", "", ""),
        ];
        for (value, lower, upper, indicator) in twelve {
            let limit = |text: &str| text.parse().ok();
            let found = derive_var_range(value.parse().unwrap(), limit(lower), limit(upper));
            assert_eq!(found.map_or("", Indicator::code), indicator, "{value} in {lower} to {upper}");
        }
    }
}
