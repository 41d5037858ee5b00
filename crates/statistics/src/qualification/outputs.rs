//! Numbers and lists on their way to JSON.

use serde_json::{Map, Value};

use crate::{Interval, NotEstimable};

/// The outputs of one case, in the order in which they were put.
#[derive(Debug, Default)]
pub(super) struct Outputs(Map<String, Value>);

impl Outputs {
    pub(super) fn put(&mut self, key: impl Into<String>, value: impl ToJson) -> &mut Self {
        self.0.insert(key.into(), value.to_json());
        self
    }

    pub(super) fn done(self) -> Value {
        Value::Object(self.0)
    }
}

/// What can stand in an output.
pub(super) trait ToJson {
    fn to_json(&self) -> Value;
}

impl ToJson for f64 {
    fn to_json(&self) -> Value {
        debug_assert!(!self.is_nan(), "a method gives a reason instead of a NaN");
        if self.is_infinite() {
            Value::from(if *self > 0.0 { "Inf" } else { "-Inf" })
        } else {
            serde_json::Number::from_f64(*self).map_or(Value::Null, Value::Number)
        }
    }
}

macro_rules! plain {
    ($($t:ty),*) => { $(impl ToJson for $t { fn to_json(&self) -> Value { Value::from(*self) } })* };
}
plain!(usize, u64, bool);

impl ToJson for str {
    fn to_json(&self) -> Value {
        Value::from(self)
    }
}

impl ToJson for String {
    fn to_json(&self) -> Value {
        Value::from(self.as_str())
    }
}

impl<T: ToJson + ?Sized> ToJson for &T {
    fn to_json(&self) -> Value {
        (**self).to_json()
    }
}

impl ToJson for Value {
    fn to_json(&self) -> Value {
        self.clone()
    }
}

impl ToJson for Interval {
    fn to_json(&self) -> Value {
        [self.lower, self.upper].to_json()
    }
}

impl<T: ToJson, const N: usize> ToJson for [T; N] {
    fn to_json(&self) -> Value {
        Value::Array(self.iter().map(ToJson::to_json).collect())
    }
}

impl<T: ToJson> ToJson for Vec<T> {
    fn to_json(&self) -> Value {
        Value::Array(self.iter().map(ToJson::to_json).collect())
    }
}

impl<T: ToJson> ToJson for Option<T> {
    fn to_json(&self) -> Value {
        self.as_ref().map_or(Value::Null, ToJson::to_json)
    }
}

impl<T: ToJson> ToJson for Result<T, NotEstimable> {
    fn to_json(&self) -> Value {
        self.as_ref().map_or(Value::Null, ToJson::to_json)
    }
}

impl ToJson for Outputs {
    fn to_json(&self) -> Value {
        Value::Object(self.0.clone())
    }
}

/// A list of names, or the name alone where there is one.
pub(super) fn one_or_many(mut names: Vec<String>) -> Value {
    match names.len() {
        1 => Value::from(names.remove(0)),
        _ => Value::from(names),
    }
}
