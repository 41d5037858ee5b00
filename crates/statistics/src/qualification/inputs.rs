//! Typed access to the inputs of a reference case.

use serde_json::{Map, Value};

use super::Unsupported;

/// The inputs of one case.
#[derive(Debug, Clone, Copy)]
pub(super) struct Inputs<'a>(&'a Map<String, Value>);

impl<'a> Inputs<'a> {
    pub(super) fn new(input: &'a Value) -> Result<Self, Unsupported> {
        input.as_object().map(Self).ok_or_else(|| wrong("input", "an object"))
    }

    pub(super) fn has(self, name: &str) -> bool {
        self.0.get(name).is_some_and(|v| !v.is_null())
    }

    pub(super) fn value(self, name: &str) -> Result<&'a Value, Unsupported> {
        self.0.get(name).ok_or_else(|| Unsupported::MissingInput { name: name.to_owned() })
    }

    pub(super) fn object(self, name: &str) -> Result<Inputs<'a>, Unsupported> {
        self.value(name)?.as_object().map(Inputs).ok_or_else(|| wrong(name, "an object"))
    }

    pub(super) fn number(self, name: &str) -> Result<f64, Unsupported> {
        number(self.value(name)?).flatten_missing(name)
    }

    pub(super) fn number_or(self, name: &str, absent: f64) -> Result<f64, Unsupported> {
        if self.has(name) { self.number(name) } else { Ok(absent) }
    }

    pub(super) fn count(self, name: &str) -> Result<u64, Unsupported> {
        count(self.value(name)?).ok_or_else(|| wrong(name, "a count"))
    }

    pub(super) fn text(self, name: &str) -> Result<&'a str, Unsupported> {
        self.value(name)?.as_str().ok_or_else(|| wrong(name, "a text"))
    }

    pub(super) fn flag_or(self, name: &str, absent: bool) -> Result<bool, Unsupported> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(absent),
            Some(v) => v.as_bool().ok_or_else(|| wrong(name, "true or false")),
        }
    }

    /// A series with its missing values.
    pub(super) fn series(self, name: &str) -> Result<Vec<Option<f64>>, Unsupported> {
        let list = match self.value(name)? {
            Value::Array(list) => list.as_slice(),
            single => std::slice::from_ref(single),
        };
        list.iter().map(|v| number(v).ok_or_else(|| wrong(name, "a list of numbers"))).collect()
    }

    /// A series without its missing values.
    pub(super) fn present(self, name: &str) -> Result<Vec<f64>, Unsupported> {
        Ok(self.series(name)?.into_iter().flatten().collect())
    }

    /// A series of counts.
    pub(super) fn counts(self, name: &str) -> Result<Vec<u64>, Unsupported> {
        counts(self.value(name)?).ok_or_else(|| wrong(name, "a list of counts"))
    }

    /// A table of numbers, row by row; rows with a missing number are dropped.
    pub(super) fn numbers_by_row(self, name: &str) -> Result<Vec<Vec<f64>>, Unsupported> {
        let rows = self.value(name)?.as_array().ok_or_else(|| wrong(name, "a list of rows"))?;
        let mut complete = Vec::new();
        for row in rows {
            let list = row.as_array().ok_or_else(|| wrong(name, "a list of rows of numbers"))?;
            let numbers: Option<Vec<Option<f64>>> = list.iter().map(number).collect();
            let numbers = numbers.ok_or_else(|| wrong(name, "a list of rows of numbers"))?;
            complete.extend(numbers.into_iter().collect::<Option<Vec<f64>>>());
        }
        Ok(complete)
    }

    /// A table of counts, row by row.
    pub(super) fn rows(self, name: &str) -> Result<Vec<Vec<u64>>, Unsupported> {
        let rows = self.value(name)?.as_array().ok_or_else(|| wrong(name, "a list of rows"))?;
        rows.iter().map(|r| counts(r).ok_or_else(|| wrong(name, "a list of rows of counts"))).collect()
    }
}

trait FlattenMissing {
    fn flatten_missing(self, name: &str) -> Result<f64, Unsupported>;
}

impl FlattenMissing for Option<Option<f64>> {
    fn flatten_missing(self, name: &str) -> Result<f64, Unsupported> {
        self.flatten().ok_or_else(|| wrong(name, "a number"))
    }
}

/// `Some(None)` is a missing value, `None` something that is not a number.
pub(super) fn number(value: &Value) -> Option<Option<f64>> {
    match value {
        Value::Null => Some(None),
        Value::Number(n) => n.as_f64().map(Some),
        Value::String(s) if s == "Inf" => Some(Some(f64::INFINITY)),
        Value::String(s) if s == "-Inf" => Some(Some(f64::NEG_INFINITY)),
        _ => None,
    }
}

/// A count may be written as 3 or as 3.0.
fn count(value: &Value) -> Option<u64> {
    let n = value.as_f64()?;
    if n >= 0.0 && n.fract() == 0.0 && n < 9e15 { Some(n as u64) } else { None }
}

fn counts(value: &Value) -> Option<Vec<u64>> {
    value.as_array()?.iter().map(count).collect()
}

pub(super) fn wrong(name: &str, wanted: &'static str) -> Unsupported {
    Unsupported::Input { name: name.to_owned(), wanted }
}
