//! Entered values, the reasons for a missing one, and three-valued truth.

use std::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::PartialDate;

/// One entered or derived value. Decimals stay decimal, as entered.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// A whole number.
    Integer(i64),
    /// A decimal number with the digits that were entered.
    Decimal(Decimal),
    /// Yes or no.
    Boolean(bool),
    /// A code of a code list.
    Code(String),
    /// A date, perhaps partly known.
    Date(PartialDate),
    /// Free text.
    Text(String),
}

/// Why an item has no value. Missing is never zero.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MissingReason {
    /// The assessment was not done.
    NotDone,
    /// It was asked and nobody knows.
    Unknown,
    /// It does not apply to this participant.
    NotApplicable,
    /// The participant declined.
    Refused,
    /// The measurement was tried and gave no result.
    NotMeasurable,
    /// A derived score whose inputs do not allow it.
    NotScorable,
}

/// What an item holds: a value, or the reason for none.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// A value.
    Given(Value),
    /// No value, and why.
    Missing(MissingReason),
}

/// Kleene's three truth values.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Truth {
    /// It holds.
    True,
    /// It does not hold.
    False,
    /// A missing input leaves it open.
    Unknown,
}

impl Value {
    /// Returns the number, if this is one.
    pub fn number(&self) -> Option<Decimal> {
        match self {
            Value::Integer(whole) => Some(Decimal::from(*whole)),
            Value::Decimal(decimal) => Some(*decimal),
            _ => None,
        }
    }

    /// Returns the nearest binary number, if this is a number.
    pub fn as_f64(&self) -> Option<f64> {
        self.number().map(nearest)
    }
}

/// The powers of ten that a double holds exactly.
const POWERS_OF_TEN: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
];

/// Whole numbers below this are doubles exactly.
const WHOLE_MAX: u128 = 1 << 53;

/// The double nearest to a decimal number.
fn nearest(number: Decimal) -> f64 {
    let (whole, decimals) = (number.mantissa(), number.scale());
    let magnitude = whole.unsigned_abs();
    if magnitude == 0 {
        return if number.is_sign_negative() { -0.0 } else { 0.0 };
    }
    if magnitude < WHOLE_MAX
        && let Some(power) = POWERS_OF_TEN.get(decimals as usize)
    {
        // Both are exact, so the quotient is rounded once.
        return whole as f64 / power;
    }
    // Over the power of five, with as many bits as there is room for: the quotient has 61 or more, so that the last of them,
    // in which any rest is noted, is far below those that a double keeps, and it too is rounded once.
    let shift = magnitude.leading_zeros();
    let (widened, power) = (magnitude << shift, 5_u128.pow(decimals));
    let quotient = widened / power | u128::from(widened % power != 0);
    let two_to = f64::from_bits(u64::from(1_023 - shift - decimals) << 52);
    let nearest = quotient as f64 * two_to;
    if whole < 0 { -nearest } else { nearest }
}

impl Answer {
    /// Returns the value, if there is one.
    pub fn value(&self) -> Option<&Value> {
        match self {
            Answer::Given(value) => Some(value),
            Answer::Missing(_) => None,
        }
    }
}

impl From<Value> for Answer {
    fn from(value: Value) -> Self {
        Answer::Given(value)
    }
}

impl Truth {
    /// Kleene conjunction.
    #[must_use]
    pub fn and(self, other: Truth) -> Truth {
        match (self, other) {
            (Truth::False, _) | (_, Truth::False) => Truth::False,
            (Truth::True, Truth::True) => Truth::True,
            _ => Truth::Unknown,
        }
    }

    /// Kleene disjunction.
    #[must_use]
    pub fn or(self, other: Truth) -> Truth {
        match (self, other) {
            (Truth::True, _) | (_, Truth::True) => Truth::True,
            (Truth::False, Truth::False) => Truth::False,
            _ => Truth::Unknown,
        }
    }

    /// Kleene negation.
    #[must_use]
    pub fn negate(self) -> Truth {
        match self {
            Truth::True => Truth::False,
            Truth::False => Truth::True,
            Truth::Unknown => Truth::Unknown,
        }
    }
}

impl From<bool> for Truth {
    fn from(holds: bool) -> Self {
        if holds { Truth::True } else { Truth::False }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Integer(whole) => write!(f, "{whole}"),
            Value::Decimal(decimal) => write!(f, "{decimal}"),
            Value::Boolean(true) => f.write_str("yes"),
            Value::Boolean(false) => f.write_str("no"),
            Value::Code(code) => f.write_str(code),
            Value::Date(date) => write!(f, "{date}"),
            Value::Text(text) => f.write_str(text),
        }
    }
}

impl fmt::Display for MissingReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            MissingReason::NotDone => "not done",
            MissingReason::Unknown => "unknown",
            MissingReason::NotApplicable => "not applicable",
            MissingReason::Refused => "refused",
            MissingReason::NotMeasurable => "not measurable",
            MissingReason::NotScorable => "not scorable",
        })
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Answer::Given(value) => write!(f, "{value}"),
            Answer::Missing(reason) => write!(f, "[{reason}]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entered_decimal_keeps_its_digits() {
        let value: Value = serde_json::from_str(r#"{"decimal":"2.50"}"#).unwrap();
        assert_eq!(value.to_string(), "2.50");
        assert_eq!(serde_json::to_string(&value).unwrap(), r#"{"decimal":"2.50"}"#);
        assert_eq!(Value::Decimal("0.1".parse().unwrap()).as_f64(), Some(0.1));
    }

    fn by_text(number: Decimal) -> f64 {
        number.to_string().parse().unwrap()
    }

    #[test]
    fn the_nearest_double_is_the_one_that_the_text_reads_as() {
        // Mantissas of all lengths, from a multiplicative walk.
        let mut state: u128 = 1;
        let mut compared = 0;
        for step in 0..40_000 {
            state = state.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835) | 1;
            let whole = (state >> (32 + step % 96)) as i128;
            let whole = if step % 2 == 0 { whole } else { -whole };
            for decimals in [0, 1, 2, 3, 7, 15, 22, 23, 28] {
                let Ok(number) = Decimal::try_from_i128_with_scale(whole, decimals) else { continue };
                assert_eq!(nearest(number).to_bits(), by_text(number).to_bits(), "{number}");
                compared += usize::from(whole.unsigned_abs() < WHOLE_MAX);
            }
        }
        assert!(compared > 100_000);
        for number in ["0", "-0", "-0.00", "9007199254740991", "9007199254740993", "0.1", "-2.675"] {
            let number: Decimal = number.parse().unwrap();
            assert_eq!(nearest(number).to_bits(), by_text(number).to_bits(), "{number}");
        }
    }

    #[test]
    fn unknown_is_decided_only_where_the_other_side_decides() {
        use Truth::{False, True, Unknown};
        assert_eq!(Unknown.and(False), False);
        assert_eq!(Unknown.and(True), Unknown);
        assert_eq!(Unknown.or(True), True);
        assert_eq!(Unknown.or(False), Unknown);
        assert_eq!(Unknown.negate(), Unknown);
    }
}
