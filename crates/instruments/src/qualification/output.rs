//! Writes results as JSON; not scorable and undecided are `null`.

use rust_decimal::Decimal;
use serde_json::Value;
use terms::Truth;

use crate::{answers::binary, instrument::NotScorable};

/// Writes a decimal, or `null` for no score.
pub(crate) fn decimal(result: Result<Decimal, NotScorable>) -> Value {
    number(result.ok().map(binary))
}

/// Writes a number, or `null` for none and for what is not finite.
pub(crate) fn number(value: Option<f64>) -> Value {
    value.and_then(serde_json::Number::from_f64).map_or(Value::Null, Value::Number)
}

/// Writes anything else, or `null` for no score.
pub(crate) fn plain<T: Into<Value>>(result: Result<T, NotScorable>) -> Value {
    result.map_or(Value::Null, Into::into)
}

/// Writes a truth, `null` for unknown.
pub(crate) fn truth(truth: Truth) -> Value {
    match truth {
        Truth::True => Value::Bool(true),
        Truth::False => Value::Bool(false),
        Truth::Unknown => Value::Null,
    }
}
