//! Numbers and lists on their way to JSON.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::Computed;
use crate::{Interval, NotEstimable};

/// The outputs of one case, in the order in which they were put, and why some are none.
#[derive(Debug, Default)]
pub(super) struct Outputs {
    values: Map<String, Value>,
    reasons: BTreeMap<String, NotEstimable>,
}

impl Outputs {
    pub(super) fn put(&mut self, key: impl Into<String>, value: impl ToJson) -> &mut Self {
        let key = key.into();
        value.reasons(&key, &mut self.reasons);
        self.values.insert(key, value.to_json());
        self
    }

    pub(super) fn done(self) -> Computed {
        Computed { output: Value::Object(self.values), not_estimable: self.reasons }
    }
}

/// What can stand in an output.
pub(super) trait ToJson {
    fn to_json(&self) -> Value;

    /// Adds the reasons why this, found at `path`, is no number.
    fn reasons(&self, _path: &str, _into: &mut BTreeMap<String, NotEstimable>) {}
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

    fn reasons(&self, path: &str, into: &mut BTreeMap<String, NotEstimable>) {
        (**self).reasons(path, into);
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

    fn reasons(&self, path: &str, into: &mut BTreeMap<String, NotEstimable>) {
        for (i, value) in self.iter().enumerate() {
            value.reasons(&format!("{path}[{i}]"), into);
        }
    }
}

impl<T: ToJson> ToJson for Vec<T> {
    fn to_json(&self) -> Value {
        Value::Array(self.iter().map(ToJson::to_json).collect())
    }

    fn reasons(&self, path: &str, into: &mut BTreeMap<String, NotEstimable>) {
        for (i, value) in self.iter().enumerate() {
            value.reasons(&format!("{path}[{i}]"), into);
        }
    }
}

impl<T: ToJson> ToJson for Option<T> {
    fn to_json(&self) -> Value {
        self.as_ref().map_or(Value::Null, ToJson::to_json)
    }

    fn reasons(&self, path: &str, into: &mut BTreeMap<String, NotEstimable>) {
        if let Some(value) = self {
            value.reasons(path, into);
        }
    }
}

impl<T: ToJson> ToJson for Result<T, NotEstimable> {
    fn to_json(&self) -> Value {
        self.as_ref().map_or(Value::Null, ToJson::to_json)
    }

    fn reasons(&self, path: &str, into: &mut BTreeMap<String, NotEstimable>) {
        match self {
            Ok(value) => value.reasons(path, into),
            Err(reason) => {
                into.insert(path.to_owned(), *reason);
            }
        }
    }
}

impl ToJson for Outputs {
    fn to_json(&self) -> Value {
        Value::Object(self.values.clone())
    }

    fn reasons(&self, path: &str, into: &mut BTreeMap<String, NotEstimable>) {
        for (key, reason) in &self.reasons {
            into.insert(format!("{path}.{key}"), *reason);
        }
    }
}

/// A list of names, or the name alone where there is one.
pub(super) fn one_or_many(mut names: Vec<String>) -> Value {
    match names.len() {
        1 => Value::from(names.remove(0)),
        _ => Value::from(names),
    }
}
