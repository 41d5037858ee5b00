//! The results of a plan: every number that a report may print, and what lies behind it.
//!
//! A number is found by its id: the analysis, its key, and in brackets the group
//! and the level it belongs to (`B-P1-main/median[imatinib]`,
//! `baseline-sex/percent[placebo][female]`). Numbers point at sets of rows, which
//! are kept once. This file computes nothing but how a number is printed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use terms::{AnalysisId, Decimal, EstimandId, FactId, SubjectId};

/// All results of a study.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// The plan's analyses in order, then the standing ones.
    pub analyses: Vec<AnalysisResult>,
    /// The sets of rows that numbers point at.
    pub row_sets: Vec<RowSet>,
}

/// The result of one analysis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AnalysisResult {
    /// Its id.
    pub id: AnalysisId,
    /// What people call it, in English.
    pub label: String,
    /// The estimand or endpoint it serves.
    pub estimand: Option<EstimandId>,
    /// `main`, `sensitivity` or `descriptive`, as planned; `standing` where no plan asks for it.
    pub role: String,
    /// The method in words, with every option that changes a number.
    pub method: String,
    /// The analysis set and restriction in words.
    pub set: String,
    /// Groups in order; empty where all are taken together.
    pub groups: Vec<Level>,
    /// Levels in order, where numbers are told apart by level.
    pub levels: Vec<Level>,
    /// Its numbers, in printing order.
    pub numbers: Vec<Number>,
    /// Participants of the set who were left out, and why.
    pub excluded: Vec<(SubjectId, String)>,
    /// Published numbers to put beside its own.
    pub published: Vec<PublishedNumber>,
}

/// A group or level with its English label.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Level {
    /// Its code, as it stands in a number's id.
    pub id: String,
    /// What people call it.
    pub label: String,
}

/// One number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Number {
    /// Its id, unique in the results.
    pub id: String,
    /// What it is: `n`, `mean`, `p`, `shift` …
    pub key: String,
    /// The group, if it is one group's.
    pub group: Option<String>,
    /// The level, if it is one level's.
    pub level: Option<String>,
    /// The number, unrounded; none where it can't be estimated.
    #[serde(with = "maybe_infinite")]
    pub value: Option<f64>,
    /// Why it can't be estimated.
    pub not_estimable: Option<String>,
    /// How it is printed.
    pub format: Format,
    /// The rows behind it: places in [`Results::row_sets`], one a data set (events, and those who might have had one).
    pub rows: Vec<usize>,
}

/// How a number is printed. Rounding is half away from zero on the decimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// A count.
    Integer,
    /// With a number of decimals.
    Decimals(u32),
    /// A percentage (the value is on the scale of 0 to 100) with a number of decimals and its sign.
    Percent(u32),
    /// A p-value: three decimals, four below 0.01, `<0.001` below that, `>0.999` above.
    PValue,
}

/// Rows of one data set, and the columns that a number was computed from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RowSet {
    /// The data set's name.
    pub dataset: String,
    /// Its rows, from 0, increasing.
    pub rows: Vec<usize>,
    /// Its columns.
    pub columns: Vec<String>,
}

/// A published number beside one of ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishedNumber {
    /// The id of our number.
    pub number: String,
    /// Its key with group and level, as the plan writes it.
    pub estimate: String,
    /// The fact that states the published one.
    pub fact: FactId,
    /// The published number as its source prints it.
    pub text: String,
}

impl Results {
    /// Returns an analysis by id.
    pub fn analysis(&self, id: &str) -> Option<&AnalysisResult> {
        self.analyses.iter().find(|analysis| analysis.id == *id)
    }

    /// Returns a number by its full id.
    pub fn number(&self, id: &str) -> Option<&Number> {
        self.analyses.iter().flat_map(|analysis| &analysis.numbers).find(|number| number.id == id)
    }

    /// Returns all numbers by id.
    pub fn numbers(&self) -> BTreeMap<&str, &Number> {
        let all = self.analyses.iter().flat_map(|analysis| &analysis.numbers);
        all.map(|number| (number.id.as_str(), number)).collect()
    }
}

impl AnalysisResult {
    /// Returns a number by key, group and level.
    pub fn number(&self, key: &str, group: Option<&str>, level: Option<&str>) -> Option<&Number> {
        self.numbers
            .iter()
            .find(|one| one.key == key && one.group.as_deref() == group && one.level.as_deref() == level)
    }

    /// Returns the p-value, if the method gives one for all groups and levels together.
    pub fn p_value(&self) -> Option<&Number> {
        self.number("p", None, None)
    }

    /// Returns the published number beside one of ours.
    pub fn published_beside(&self, number: &Number) -> Option<&PublishedNumber> {
        self.published.iter().find(|published| published.number == number.id)
    }
}

impl Number {
    /// Returns the number as printed; `NE` where it can't be estimated.
    pub fn text(&self) -> String {
        let Some(value) = self.value else { return "NE".to_owned() };
        match self.format {
            Format::Integer => rounded(value, 0),
            Format::Decimals(decimals) => rounded(value, decimals),
            // Written apart as in "95 % CI", and never broken across lines.
            Format::Percent(decimals) => format!("{}\u{a0}%", rounded(value, decimals)),
            Format::PValue if value < 0.001 => "<0.001".to_owned(),
            // A sum of probabilities that is one but for rounding is one.
            Format::PValue if value > 0.999 && value < 1.0 - 1e-9 => ">0.999".to_owned(),
            Format::PValue if value < 0.01 => rounded(value, 4),
            Format::PValue => rounded(value, 3),
        }
    }
}

/// Writes a number with a number of decimals, half away from zero on its decimal text.
///
/// The decimal text has 15 significant digits, all that a double holds for sure,
/// so that a mean of 2.5 that came out as 2.4999999999999996 is 2.5.
pub fn rounded(value: f64, decimals: u32) -> String {
    if value.is_infinite() {
        return if value > 0.0 { "∞" } else { "-∞" }.to_owned();
    }
    let certain: f64 = format!("{value:.14e}").parse().unwrap_or(value);
    let Ok(decimal) = certain.to_string().parse::<Decimal>() else {
        return format!("{certain:.0$}", decimals as usize);
    };
    let rounded =
        decimal.round_dp_with_strategy(decimals, rust_decimal::RoundingStrategy::MidpointAwayFromZero);
    let sign = if rounded.is_sign_negative() && !rounded.is_zero() { "-" } else { "" };
    format!("{sign}{:.1$}", rounded.abs(), decimals as usize)
}

/// Numbers as JSON has them, infinite ones as the text `inf` or `-inf`.
mod maybe_infinite {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    enum Written {
        Finite(f64),
        Infinite(String),
    }

    pub(super) fn serialize<S: Serializer>(value: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
        let written = value.map(|number| match number {
            finite if finite.is_finite() => Written::Finite(finite),
            infinite => Written::Infinite(infinite.to_string()),
        });
        written.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
        match Option::<Written>::deserialize(deserializer)? {
            None => Ok(None),
            Some(Written::Finite(number)) => Ok(Some(number)),
            Some(Written::Infinite(text)) => text.parse().map(Some).map_err(serde::de::Error::custom),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(value: Option<f64>, format: Format) -> Number {
        Number {
            id: "x/p".to_owned(),
            key: "p".to_owned(),
            group: None,
            level: None,
            value,
            not_estimable: None,
            format,
            rows: vec![0],
        }
    }

    #[test]
    fn halves_are_rounded_away_from_zero_on_the_decimal() {
        for (value, decimals, text) in [
            (2.675, 2, "2.68"),
            (-2.5, 0, "-3"),
            (0.5, 0, "1"),
            (-0.04, 1, "0.0"),
            (1.005, 2, "1.01"),
            (2.499_999_999_999_999_6, 0, "3"),
            (97.66, 1, "97.7"),
            (7.0, 1, "7.0"),
            (f64::NEG_INFINITY, 1, "-∞"),
            (1e40, 0, "10000000000000000303786028427003666890752"),
        ] {
            assert_eq!(rounded(value, decimals), text, "{value}");
        }
    }

    #[test]
    fn a_small_p_value_has_four_decimals_and_the_smallest_are_below_a_thousandth() {
        for (p, text) in [
            (0.000_999, "<0.001"),
            (0.001, "0.0010"),
            (0.008_25, "0.0083"),
            (0.01, "0.010"),
            (0.0978, "0.098"),
            (0.9996, ">0.999"),
            (1.0, "1.000"),
        ] {
            assert_eq!(number(Some(p), Format::PValue).text(), text);
        }
        assert_eq!(number(None, Format::PValue).text(), "NE");
        assert_eq!(number(Some(12.345), Format::Percent(1)).text(), "12.3\u{a0}%");
    }

    #[test]
    fn an_infinite_limit_survives_json() {
        for value in [Some(f64::INFINITY), Some(f64::NEG_INFINITY), Some(0.1), None] {
            let one = number(value, Format::Decimals(2));
            let text = serde_json::to_string(&one).unwrap();
            assert_eq!(serde_json::from_str::<Number>(&text).unwrap(), one, "{text}");
        }
    }
}
