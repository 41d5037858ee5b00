//! Compares obtained outputs with expected ones.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// How far a number may lie from the expected one: `max(abs, rel * |expected|)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tolerance {
    /// Relative to the expected number.
    pub rel: f64,
    /// In the number's own unit.
    pub abs: f64,
}

/// The tolerance of a file, with those of single keys.
#[derive(Debug, Clone, PartialEq)]
pub struct Tolerances {
    overall: Tolerance,
    /// By the last part of a key.
    per_key: BTreeMap<String, Tolerance>,
}

impl Tolerances {
    /// Reads `{rel, abs, per_key}`; what is absent is relative 1e-9, absolute 0.
    ///
    /// # Errors
    /// The name of the first member that is not a number, or not known.
    pub fn read(value: &Value) -> Result<Self, String> {
        let none = Map::new();
        let members = match value {
            Value::Null => &none,
            Value::Object(members) => members,
            _ => return Err("tolerance".to_owned()),
        };
        if let Some(key) = members.keys().find(|key| !["rel", "abs", "per_key"].contains(&key.as_str())) {
            return Err(format!("tolerance.{key}"));
        }
        let overall = tolerance(members, Tolerance { rel: 1e-9, abs: 0.0 })?;
        let mut per_key = BTreeMap::new();
        if let Some(keys) = members.get("per_key") {
            for (key, value) in keys.as_object().ok_or("tolerance.per_key")? {
                let members = value.as_object().ok_or_else(|| format!("tolerance.per_key.{key}"))?;
                per_key.insert(key.clone(), tolerance(members, overall)?);
            }
        }
        Ok(Self { overall, per_key })
    }

    fn of(&self, key: &str) -> Tolerance {
        self.per_key.get(key).copied().unwrap_or(self.overall)
    }
}

fn tolerance(members: &Map<String, Value>, otherwise: Tolerance) -> Result<Tolerance, String> {
    let get = |name: &str, otherwise| match members.get(name) {
        None => Ok(otherwise),
        Some(value) => value.as_f64().ok_or_else(|| format!("tolerance.{name}")),
    };
    Ok(Tolerance { rel: get("rel", otherwise.rel)?, abs: get("abs", otherwise.abs)? })
}

/// One output that is not as expected.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// The output's key, with the keys above it: `ICC2.ci95[0]`.
    pub field: String,
    /// The expected value.
    pub expected: Value,
    /// The obtained value; `None` if the method computes no such output.
    pub obtained: Option<Value>,
}

/// Compares every expected output with the obtained one.
///
/// An interval that cannot be had is `null` in one program and `[null, null]` in another. What holds nothing but `null` is the
/// same as `null`; a key that is not computed at all is not.
pub fn differences(expected: &Value, obtained: &Value, tolerances: &Tolerances) -> Vec<Difference> {
    let mut found = Vec::new();
    compare(("", ""), expected, Some(obtained), tolerances, &mut found);
    found
}

/// `key` is the last name on the way here, `field` the whole way.
fn compare(
    (field, key): (&str, &str),
    expected: &Value,
    obtained: Option<&Value>,
    tolerances: &Tolerances,
    found: &mut Vec<Difference>,
) {
    let same = match (expected, obtained) {
        (Value::Object(keys), Some(Value::Object(values))) => {
            for (key, expected) in keys {
                let field = if field.is_empty() { key.clone() } else { format!("{field}.{key}") };
                compare((&field, key), expected, values.get(key), tolerances, found);
            }
            return;
        }
        (Value::Array(all), Some(Value::Array(values))) if all.len() == values.len() => {
            for (index, (expected, obtained)) in all.iter().zip(values).enumerate() {
                let field = format!("{field}[{index}]");
                compare((&field, key), expected, Some(obtained), tolerances, found);
            }
            return;
        }
        (Value::Number(e), Some(Value::Number(o))) => match (e.as_f64(), o.as_f64()) {
            (Some(e), Some(o)) => {
                let tolerance = tolerances.of(key);
                // A p-value below what is tolerated would be free in every digit. It is no rounding error of zero, as
                // another number of that size can be, so its first digits are held to.
                let free = is_probability(key) && e != 0.0 && e.abs() <= tolerance.abs;
                let bound = if free { P_VALUE_REL * e.abs() } else { tolerance.abs };
                (o - e).abs() <= bound.max(tolerance.rel * e.abs())
            }
            _ => false,
        },
        (expected, Some(obtained)) => {
            expected == obtained || holds_nothing(expected) && holds_nothing(obtained)
        }
        (_, None) => false,
    };
    if !same {
        let obtained = obtained.cloned();
        found.push(Difference { field: field.to_owned(), expected: expected.clone(), obtained });
    }
}

/// How far apart p-values may lie that are smaller than the tolerance of their file, relative to the expected one.
const P_VALUE_REL: f64 = 0.05;

fn is_probability(key: &str) -> bool {
    key == "p" || key.starts_with("p_") || key.ends_with("_p")
}

fn holds_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(values) => !values.is_empty() && values.iter().all(holds_nothing),
        Value::Object(values) => !values.is_empty() && values.values().all(holds_nothing),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_tiny_p_value_is_held_to_its_first_digits() {
        let tolerances = Tolerances::read(&json!({"abs": 1e-9, "rel": 1e-9})).unwrap();
        let found = |expected, obtained| differences(&expected, &obtained, &tolerances).len();
        assert_eq!(found(json!({"p": 1.58e-19}), json!({"p": 1.581_2e-19})), 0);
        assert_eq!(found(json!({"p": 2.58e-19}), json!({"p": 1.581_2e-19})), 1);
        assert_eq!(found(json!({"p": 0}), json!({"p": 1e-19})), 0);
        // Zero up to rounding, in one program and in the other.
        assert_eq!(found(json!({"bias": 1.1e-16}), json!({"bias": 0.0})), 0);
    }

    #[test]
    fn a_key_of_its_own_tolerance_is_compared_by_it() {
        let tolerances = Tolerances::read(&json!({"rel": 1e-6, "per_key": {"df": {"rel": 0.1}}})).unwrap();
        let differences = |expected, obtained| differences(&expected, &obtained, &tolerances);
        assert!(differences(json!({"a": {"df": [10]}}), json!({"a": {"df": [10.9]}})).is_empty());
        let found = differences(json!({"p": [0.5, 0.25]}), json!({"p": [0.5, 0.250001]}));
        assert_eq!(found.iter().map(|one| one.field.as_str()).collect::<Vec<_>>(), ["p[1]"]);
    }

    #[test]
    fn what_is_not_computed_has_no_obtained_value_and_null_is_not_0() {
        let tolerances = Tolerances::read(&Value::Null).unwrap();
        let found = differences(&json!({"a": 1, "b": null}), &json!({"b": 0}), &tolerances);
        assert_eq!(found.iter().map(|one| one.obtained.clone()).collect::<Vec<_>>(), [None, Some(json!(0))]);
    }

    #[test]
    fn an_interval_that_cannot_be_had_may_be_one_null_or_two() {
        let tolerances = Tolerances::read(&Value::Null).unwrap();
        let same = |expected, obtained| differences(&expected, &obtained, &tolerances).is_empty();
        assert!(same(json!({"ci": [null, null]}), json!({"ci": null})));
        assert!(same(json!({"ci": null}), json!({"ci": [null, null]})));
        assert!(same(json!({"part": {"est": null, "ci": [null, null]}}), json!({"part": null})));
        assert!(!same(json!({"ci": [null, 1]}), json!({"ci": null})));
        assert!(!same(json!({"ci": [null, null]}), json!({"ci": [null, 0]})));
        assert!(!same(json!({"ci": []}), json!({"ci": null})));
        assert!(!same(json!({"ci": [null, null]}), json!({})));
    }

    #[test]
    fn a_tolerance_that_is_no_number_or_not_known_is_named() {
        assert_eq!(Tolerances::read(&json!({"rel": "small"})).unwrap_err(), "tolerance.rel");
        assert_eq!(Tolerances::read(&json!({"relative": 1})).unwrap_err(), "tolerance.relative");
    }
}
