//! Reads the inputs of one case by key and remembers which keys were read.

use std::{cell::RefCell, collections::BTreeSet};

use rust_decimal::Decimal;
use serde_json::{Map, Value};

use super::Unsupported;
use crate::answers::is_measurement;

/// The fields of one JSON object, under the path that leads to it.
pub(crate) struct Fields<'a> {
    map: &'a Map<String, Value>,
    path: String,
    read: RefCell<BTreeSet<String>>,
}

impl<'a> Fields<'a> {
    /// Reads the whole `in` of a case.
    pub(crate) fn of(input: &'a Value) -> Result<Self, Unsupported> {
        Self::under(input, "")
    }

    fn under(value: &'a Value, path: &str) -> Result<Self, Unsupported> {
        let key = if path.is_empty() { "in" } else { path };
        let map = value.as_object().ok_or_else(|| form(key, "an object"))?;
        Ok(Self { map, path: path.to_owned(), read: RefCell::default() })
    }

    /// Refuses keys that nothing has read.
    pub(crate) fn all_known(&self) -> Result<(), Unsupported> {
        let read = self.read.borrow();
        match self.map.keys().find(|key| !read.contains(*key)) {
            None => Ok(()),
            Some(key) => Err(Unsupported::UnknownKey { key: self.path_of(key) }),
        }
    }

    /// Returns the path of a key, for messages.
    pub(crate) fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// Returns a value; `null` and an absent key are both missing.
    pub(crate) fn value(&self, key: &str) -> Option<&'a Value> {
        self.read.borrow_mut().insert(key.to_owned());
        self.map.get(key).filter(|value| !value.is_null())
    }

    fn needed<T>(&self, key: &str, value: Option<T>) -> Result<T, Unsupported> {
        value.ok_or_else(|| Unsupported::MissingKey { key: self.path_of(key) })
    }

    /// Reads an object of its own and refuses the keys that `read` leaves unread.
    pub(crate) fn object<T>(
        &self,
        key: &str,
        read: impl FnOnce(&Fields<'a>) -> Result<T, Unsupported>,
    ) -> Result<T, Unsupported> {
        let value = self.needed(key, self.value(key))?;
        let fields = Fields::under(value, &self.path_of(key))?;
        let result = read(&fields)?;
        fields.all_known()?;
        Ok(result)
    }

    /// Returns a number, `None` where missing.
    pub(crate) fn number(&self, key: &str) -> Result<Option<Decimal>, Unsupported> {
        self.value(key).map(|value| decimal(&self.path_of(key), value)).transpose()
    }

    /// Returns a number that must be there.
    pub(crate) fn needed_number(&self, key: &str) -> Result<Decimal, Unsupported> {
        self.needed(key, self.number(key)?)
    }

    /// Returns a count that must be there.
    pub(crate) fn needed_count(&self, key: &str) -> Result<u32, Unsupported> {
        let value = self.needed(key, self.value(key))?;
        let count = value.as_u64().and_then(|count| u32::try_from(count).ok());
        count.ok_or_else(|| form(&self.path_of(key), "a count"))
    }

    /// Returns yes or no, `None` where missing.
    pub(crate) fn truth(&self, key: &str) -> Result<Option<bool>, Unsupported> {
        let read = |value: &Value| value.as_bool().ok_or_else(|| form(&self.path_of(key), "true or false"));
        self.value(key).map(read).transpose()
    }

    /// Returns a text, `None` where missing.
    pub(crate) fn text(&self, key: &str) -> Result<Option<&'a str>, Unsupported> {
        self.value(key).map(|value| self.as_text(key, value)).transpose()
    }

    /// Returns a text that must be there.
    pub(crate) fn needed_text(&self, key: &str) -> Result<&'a str, Unsupported> {
        self.needed(key, self.text(key)?)
    }

    /// Reads a value as a text.
    pub(crate) fn as_text(&self, key: &str, value: &'a Value) -> Result<&'a str, Unsupported> {
        value.as_str().ok_or_else(|| form(&self.path_of(key), "a text"))
    }

    /// Returns the elements of a list that must be there.
    pub(crate) fn list(&self, key: &str) -> Result<&'a [Value], Unsupported> {
        let value = self.needed(key, self.value(key))?;
        value.as_array().map(Vec::as_slice).ok_or_else(|| form(&self.path_of(key), "a list"))
    }

    /// Returns what a text that must be there stands for.
    pub(crate) fn coded<T>(&self, key: &str, from: impl Fn(&str) -> Option<T>) -> Result<T, Unsupported> {
        let code = self.needed_text(key)?;
        from(code).ok_or_else(|| self.no_code(key, code))
    }

    /// Returns the refusal of a code.
    pub(crate) fn no_code(&self, key: &str, code: &str) -> Unsupported {
        Unsupported::Code { key: self.path_of(key), code: code.to_owned() }
    }
}

/// Digits behind the point beyond which a JSON number shows only how binary arithmetic rounds.
const DECIMALS_MAX: u32 = 12;

/// Reads a JSON number as the decimal it is written as, to 12 places.
pub(crate) fn decimal(key: &str, value: &Value) -> Result<Decimal, Unsupported> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        _ => return Err(form(key, "a number")),
    };
    let read = text.parse().or_else(|_| Decimal::from_scientific(&text)).ok();
    let read = read.map(|number: Decimal| number.round_dp(DECIMALS_MAX));
    read.filter(|number| is_measurement(*number)).ok_or_else(|| form(key, "a number of ordinary size"))
}

/// Returns the refusal of a form.
pub(crate) fn form(key: &str, wanted: &'static str) -> Unsupported {
    Unsupported::Form { key: key.to_owned(), wanted }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_number_keeps_its_decimal_digits() {
        let read = |value: Value| decimal("x", &value).unwrap().to_string();
        let numbers = [json!(0.1), json!(181.2), json!(1e-7), json!(3.0 * 1.1)].map(read);
        assert_eq!(numbers, ["0.1", "181.2", "0.0000001", "3.300000000000"]);
        assert!(decimal("x", &json!(1e300)).is_err());
    }

    #[test]
    fn a_key_that_nothing_read_is_refused() {
        let input = json!({"a": 1, "b": null});
        let fields = Fields::of(&input).unwrap();
        assert_eq!(fields.number("a"), Ok(Some(Decimal::ONE)));
        assert_eq!(fields.all_known(), Err(Unsupported::UnknownKey { key: "b".to_owned() }));
        assert_eq!(fields.number("b"), Ok(None));
        assert_eq!(fields.all_known(), Ok(()));
    }
}
