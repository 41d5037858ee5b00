//! Rows for the worked examples of the derivations.

use terms::Date;

use super::Observation;

pub(crate) fn date(text: &str) -> Date {
    text.parse().unwrap()
}

/// An observation of parameter `P`.
pub(crate) fn row(subject: &str, visit: &str, on: &str, value: Option<f64>) -> Observation {
    Observation::observed(subject.into(), "P".into(), visit.into(), Some(date(on)), value, Vec::new())
}
