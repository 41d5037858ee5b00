//! Runs any instrument by name, from and to JSON, for qualification against reference cases.
//!
//! A reference file names an instrument and gives `in` and `out` by key; [`compute`] is
//! given `in` alone, so that expected values cannot be reached by the code that computes.
//! What it does not know (an instrument, a key, a code of a data set) it refuses with
//! [`Unsupported`] and never skips. Not scorable comes out as `null`.
//!
//! [`differences`] compares key by key. A key that was expected and not computed is a
//! difference without an obtained value, which a caller reports as unsupported.

mod body;
mod composites;
mod input;
mod lung;
mod output;
mod questionnaires;
mod safety;
mod shipped;

pub use shipped::{CASE_FILES, CaseFile};

use input::Fields;
use serde_json::Value;

/// Why a reference case cannot be computed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsupported {
    /// No instrument of this name exists.
    #[error("no instrument is called `{instrument}`")]
    Instrument {
        /// The name given.
        instrument: String,
    },
    /// An input that the instrument does not know.
    #[error("input `{key}` is not known")]
    UnknownKey {
        /// The key, with the keys above it.
        key: String,
    },
    /// An input that the instrument needs is absent.
    #[error("input `{key}` is missing")]
    MissingKey {
        /// The key, with the keys above it.
        key: String,
    },
    /// An input has a form that the instrument does not take.
    #[error("input `{key}` is not {wanted}")]
    Form {
        /// The key, with the keys above it.
        key: String,
        /// What it should be.
        wanted: &'static str,
    },
    /// A test, quantity, group, norm or rule that the instrument does not have.
    #[error("`{key}` has no `{code}`")]
    Code {
        /// The key, with the keys above it.
        key: String,
        /// The code given.
        code: String,
    },
}

type Compute = fn(&Fields<'_>) -> Result<Value, Unsupported>;

/// The instruments that [`compute`] knows, in alphabetical order.
const COMPUTED: &[(&str, Compute)] = &[
    ("acr_criss", composites::acr_criss),
    ("acr_eular_2013", composites::acr_eular_2013),
    ("activity_index", composites::activity_index),
    ("binomial_safety", safety::binomial_safety),
    ("bsa", body::bsa),
    ("ckd_epi_2021", body::ckd_epi_2021),
    ("crapo", lung::crapo),
    ("ctcae5_labs", safety::ctcae5_labs),
    ("dili_hys_law", safety::dili_hys_law),
    ("dlqi", questionnaires::dlqi),
    ("gli2012", lung::gli2012),
    ("gli2017_dlco", lung::gli2017_dlco),
    ("gli2021_volumes", lung::gli2021_volumes),
    ("gli2022", lung::gli2022),
    ("haq_di", questionnaires::haq_di),
    ("mrss", questionnaires::mrss),
    ("nhanes3", lung::nhanes3),
    ("rand36", questionnaires::rand36),
    ("revised_criss", composites::revised_criss),
    ("sf36_summary", questionnaires::sf36_summary),
    ("shaq_vas", questionnaires::shaq_vas),
    ("ssc_haq", questionnaires::ssc_haq),
    ("stopping_rule", safety::stopping_rule),
];

/// Returns the names of all instruments that [`compute`] knows, in alphabetical order.
pub fn instruments() -> impl Iterator<Item = &'static str> {
    COMPUTED.iter().map(|(name, _)| *name)
}

/// Computes all outputs of an instrument for the `in` of one reference case.
///
/// # Errors
/// [`Unsupported`] for an unknown instrument, key or code, and for inputs of another form.
pub fn compute(instrument: &str, input: &Value) -> Result<Value, Unsupported> {
    let (_, compute) = COMPUTED
        .iter()
        .find(|(name, _)| *name == instrument)
        .ok_or_else(|| Unsupported::Instrument { instrument: instrument.to_owned() })?;
    let fields = Fields::of(input)?;
    let output = compute(&fields)?;
    fields.all_known()?;
    Ok(output)
}

/// One output that is not as expected.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// The output's key, with the keys above it: `subscales.leisure`.
    pub field: String,
    /// The expected value.
    pub expected: Value,
    /// The obtained value; `None` if the instrument computes no such output.
    pub obtained: Option<Value>,
}

/// Compares every expected output with the obtained one, numbers within an absolute tolerance.
pub fn differences(expected: &Value, obtained: &Value, tolerance: f64) -> Vec<Difference> {
    let mut found = Vec::new();
    compare("", expected, Some(obtained), tolerance, &mut found);
    found
}

fn compare(
    field: &str,
    expected: &Value,
    obtained: Option<&Value>,
    tolerance: f64,
    found: &mut Vec<Difference>,
) {
    let same = match (expected, obtained) {
        (Value::Object(keys), Some(Value::Object(values))) => {
            for (key, expected) in keys {
                let field = if field.is_empty() { key.clone() } else { format!("{field}.{key}") };
                compare(&field, expected, values.get(key), tolerance, found);
            }
            return;
        }
        (Value::Array(all), Some(Value::Array(values))) if all.len() == values.len() => {
            for (index, (expected, obtained)) in all.iter().zip(values).enumerate() {
                compare(&format!("{field}[{index}]"), expected, Some(obtained), tolerance, found);
            }
            return;
        }
        (Value::Number(a), Some(Value::Number(b))) => match (a.as_f64(), b.as_f64()) {
            // A number of the tolerance's own size would be free in every digit; a tenth of it is left to it.
            (Some(a), Some(b)) if a != 0.0 && a.abs() <= 10.0 * tolerance => {
                (a - b).abs() <= tolerance / 10.0
            }
            (Some(a), Some(b)) => (a - b).abs() <= tolerance,
            _ => false,
        },
        (expected, Some(obtained)) => {
            expected == obtained || holds_nothing(expected) && holds_nothing(obtained)
        }
        (_, None) => false,
    };
    if !same {
        found.push(Difference {
            field: field.to_owned(),
            expected: expected.clone(),
            obtained: obtained.cloned(),
        });
    }
}

/// Says whether a value is nothing, or nothing but nothing: `null` and `[null, null]` say the same of a score that is none.
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
    fn nothing_is_nothing_however_it_is_written_and_small_numbers_keep_their_digits() {
        let found = |expected: Value, obtained: Value| differences(&expected, &obtained, 1e-6).len();
        assert_eq!(found(json!({"a": [null, null]}), json!({"a": null})), 0);
        assert_eq!(found(json!({"a": null}), json!({"a": {"b": null}})), 0);
        assert_eq!(found(json!({"a": [null, 1]}), json!({"a": null})), 1);
        assert_eq!(found(json!({"a": []}), json!({"a": null})), 1);
        assert_eq!(found(json!({"a": 0.000_007_39}), json!({"a": 0.000_007_392_6})), 0);
        assert_eq!(found(json!({"a": 0.000_008_39}), json!({"a": 0.000_007_392_6})), 1);
        assert_eq!(found(json!({"a": 0}), json!({"a": 0.000_000_9})), 0);
    }

    #[test]
    fn an_unknown_instrument_key_or_code_is_refused() {
        let refused = |instrument, input: Value| compute(instrument, &input).unwrap_err().to_string();
        assert_eq!(refused("guess", json!({})), "no instrument is called `guess`");
        let input = json!({"height_cm": 170, "weight_kg": 70, "waist_cm": 80});
        assert_eq!(refused("bsa", input), "input `waist_cm` is not known");
        let input = json!({"sites": {"face": 0, "neck": 1}});
        assert_eq!(refused("mrss", input), "input `sites.neck` is not known");
        let input = json!({"test": "TSH", "value": 1, "lln": 1, "uln": 4, "baseline": 2});
        assert_eq!(refused("ctcae5_labs", input), "`test` has no `TSH`");
        assert_eq!(refused("mrss", json!({"sites": {"face": "two"}})), "input `sites.face` is not a number");
        assert_eq!(refused("mrss", json!([])), "input `in` is not an object");
    }

    #[test]
    fn the_list_of_instruments_is_in_order() {
        assert!(COMPUTED.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn an_expected_key_that_is_not_computed_has_no_obtained_value() {
        let found = differences(&json!({"a": {"b": 1}}), &json!({"a": {"c": 1}}), 1e-6);
        let expected = Difference { field: "a.b".to_owned(), expected: json!(1), obtained: None };
        assert_eq!(found, [expected]);
    }

    #[test]
    fn null_is_not_0() {
        let found = differences(&json!({"total": null}), &json!({"total": 0}), 1e-6);
        assert_eq!(found.len(), 1);
        assert!(differences(&json!({"total": 2.0}), &json!({"total": 2}), 1e-6).is_empty());
    }
}
