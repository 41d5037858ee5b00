//! Runs any method by name, from and to JSON, for qualification against reference numbers.
//!
//! A reference file names a method and gives inputs and outputs by key; [`compute`]
//! answers with every key it knows for that method. It is given the inputs alone, so
//! that expected values cannot be reached by the code that computes. What it does not
//! know it refuses ([`Unsupported`]) and never skips. [`differences`] compares with what
//! is expected, key by key.
//!
//! Numbers that are not estimable come out as `null`, infinite ones as `"Inf"` or
//! `"-Inf"`. In an input series `null` is a missing value and is dropped, with its
//! partner where the series is paired. A list of one name is written as the name
//! alone, as R's JSON writers do.

mod agreement;
mod descriptive;
mod differences;
mod formula;
mod imputation;
mod inputs;
mod means;
mod mixed;
mod models;
mod monitoring;
mod multiplicity;
mod outputs;
mod planning;
mod proportions;
mod ranks;
mod rates;
mod rounding;
mod shipped;
mod survival;

pub use shipped::{CASE_FILES, CaseFile};

use std::collections::BTreeMap;

pub use differences::{Difference, Tolerance, Tolerances, differences};
use inputs::Inputs;
use serde_json::Value;

use crate::NotEstimable;

/// Why a reference case cannot be computed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsupported {
    /// No method of this name exists.
    #[error("no method is called `{method}`")]
    Method {
        /// The name given.
        method: String,
    },
    /// An input that the method needs is absent.
    #[error("input `{name}` is missing")]
    MissingInput {
        /// The input's name.
        name: String,
    },
    /// An input has a form or a value that the method does not take.
    #[error("input `{name}` is not {wanted}")]
    Input {
        /// The input's name.
        name: String,
        /// What it should be.
        wanted: &'static str,
    },
}

/// What a method answers for one case.
#[derive(Debug, Clone, PartialEq)]
pub struct Computed {
    /// Every output by key.
    pub output: Value,
    /// Why an output is `null`, by its path (`cox_efron.coef`, `ci95`).
    pub not_estimable: BTreeMap<String, NotEstimable>,
}

/// The names of all methods that [`compute`] knows, in alphabetical order.
pub const METHODS: &[&str] = &[
    "ancova",
    "binomial_one_sample",
    "binomial_safety",
    "bland_altman",
    "blinding_index",
    "cmh",
    "conditional_mean_imputation",
    "descriptive",
    "fisher_exact",
    "group_sequential",
    "hodges_lehmann",
    "icc",
    "logistic",
    "mann_whitney",
    "mcnemar",
    "mmrm",
    "multiplicity",
    "poisson_rate",
    "power",
    "predictive_probability",
    "rounding",
    "rubin_pooling",
    "simon_two_stage",
    "standardised_difference",
    "stopping_rule",
    "survival",
    "t_one_sample",
    "t_paired",
    "t_two_sample",
    "two_proportions",
    "weighted_kappa",
    "wilcoxon_signed_rank",
];

/// Computes all outputs of `method` for the inputs of one reference case.
///
/// # Errors
/// [`Unsupported`] for an unknown method and for inputs it does not take.
pub fn compute(method: &str, input: &Value) -> Result<Value, Unsupported> {
    compute_with_reasons(method, input).map(|computed| computed.output)
}

/// Computes as [`compute`] does, and says why an output is not estimable.
///
/// # Errors
/// As [`compute`].
pub fn compute_with_reasons(method: &str, input: &Value) -> Result<Computed, Unsupported> {
    let input = Inputs::new(input)?;
    match method {
        "ancova" => models::ancova(input),
        "binomial_one_sample" => proportions::binomial_one_sample(input),
        "binomial_safety" => monitoring::binomial_safety(input),
        "bland_altman" => agreement::bland_altman(input),
        "blinding_index" => agreement::blinding_index(input),
        "cmh" => proportions::cmh(input),
        "conditional_mean_imputation" => imputation::conditional_mean_imputation(input),
        "descriptive" => descriptive::descriptive(input),
        "fisher_exact" => proportions::fisher_exact(input),
        "group_sequential" => planning::group_sequential(input),
        "hodges_lehmann" => ranks::hodges_lehmann(input),
        "icc" => agreement::icc(input),
        "logistic" => models::logistic(input),
        "mann_whitney" => ranks::mann_whitney(input),
        "mcnemar" => proportions::mcnemar(input),
        "mmrm" => mixed::mmrm(input),
        "multiplicity" => multiplicity::multiplicity(input),
        "poisson_rate" => rates::poisson_rate(input),
        "power" => planning::power(input),
        "predictive_probability" => monitoring::predictive_probability(input),
        "rounding" => rounding::rounding(input),
        "rubin_pooling" => imputation::rubin_pooling(input),
        "simon_two_stage" => planning::simon_two_stage(input),
        "standardised_difference" => descriptive::standardised_difference(input),
        "stopping_rule" => monitoring::stopping_rule(input),
        "survival" => survival::survival(input),
        "t_one_sample" => means::t_one_sample(input),
        "t_paired" => means::t_paired(input),
        "t_two_sample" => means::t_two_sample(input),
        "two_proportions" => proportions::two_proportions(input),
        "weighted_kappa" => agreement::kappa(input),
        "wilcoxon_signed_rank" => ranks::wilcoxon_signed_rank(input),
        _ => Err(Unsupported::Method { method: method.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_unknown_method_is_refused() {
        assert_eq!(compute("guess", &json!({})).unwrap_err().to_string(), "no method is called `guess`");
    }

    #[test]
    fn every_listed_method_is_known() {
        for method in METHODS {
            assert!(!matches!(compute(method, &json!({})), Err(Unsupported::Method { .. })), "{method}");
        }
    }

    #[test]
    fn a_missing_input_is_refused() {
        let refused = compute("descriptive", &json!({})).unwrap_err();
        assert_eq!(refused, Unsupported::MissingInput { name: "x".to_owned() });
    }
}
