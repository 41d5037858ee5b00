//! Reads entered answers by item, and rounds computed numbers for a form.
//!
//! A value outside what an item allows is refused here rather than clipped.

use rust_decimal::{Decimal, RoundingStrategy, prelude::FromPrimitive};
use terms::{Answer, Value};

use crate::instrument::{Derived, NotScorable};

/// The greatest magnitude that is taken for a measurement.
const MAGNITUDE_MAX: i64 = 1_000_000_000;

/// The most digits behind the point that are taken for a measurement.
const SCALE_MAX: u32 = 20;

/// Says whether a number is of the size of a measurement, so that no formula overflows on it.
pub(crate) fn is_measurement(number: Decimal) -> bool {
    number.abs() <= Decimal::from(MAGNITUDE_MAX) && number.normalize().scale() <= SCALE_MAX
}

/// The entered answers of one form.
pub(crate) struct Answers<'a>(pub(crate) &'a dyn Fn(&str) -> Option<Answer>);

impl Answers<'_> {
    fn value(&self, item: &str) -> Option<Value> {
        (self.0)(item).and_then(|answer| answer.value().cloned())
    }

    /// Returns a number, `None` if it is missing.
    pub(crate) fn number(&self, item: &'static str) -> Result<Option<Decimal>, NotScorable> {
        match self.value(item) {
            None => Ok(None),
            Some(value) => {
                let number = value.number().filter(|number| is_measurement(*number));
                number.map(Some).ok_or(NotScorable::NotAllowed { item })
            }
        }
    }

    /// Returns a yes or no, `None` if it is missing.
    pub(crate) fn truth(&self, item: &'static str) -> Result<Option<bool>, NotScorable> {
        match self.value(item) {
            None => Ok(None),
            Some(Value::Boolean(holds)) => Ok(Some(holds)),
            Some(_) => Err(NotScorable::NotAllowed { item }),
        }
    }

    /// Returns a code's text, `None` if it is missing.
    pub(crate) fn code(&self, item: &'static str) -> Result<Option<String>, NotScorable> {
        match self.value(item) {
            None => Ok(None),
            Some(Value::Code(code)) => Ok(Some(code)),
            Some(_) => Err(NotScorable::NotAllowed { item }),
        }
    }

    /// Returns a number that must be there.
    pub(crate) fn needed_number(&self, item: &'static str) -> Result<Decimal, NotScorable> {
        self.number(item)?.ok_or(NotScorable::Missing { item })
    }
}

/// Returns a score's value as a derived decimal, rounded half away from zero.
pub(crate) fn derived(item: &'static str, decimals: u32, result: Result<Decimal, NotScorable>) -> Derived {
    Derived { item, result: result.map(|number| Value::Decimal(rounded(number, decimals))) }
}

/// Rounds half away from zero.
pub(crate) fn rounded(number: Decimal, decimals: u32) -> Decimal {
    number.round_dp_with_strategy(decimals, RoundingStrategy::MidpointAwayFromZero)
}

/// Returns the decimal nearest to a computed number.
pub(crate) fn computed(number: f64) -> Result<Decimal, NotScorable> {
    Decimal::from_f64(number).ok_or(NotScorable::Undefined { why: "the formula has no value here" })
}

/// Returns the binary number nearest to a decimal.
pub(crate) fn binary(number: Decimal) -> f64 {
    Value::Decimal(number).as_f64().expect("a decimal reads as a number")
}
