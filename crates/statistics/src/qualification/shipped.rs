//! The reference cases that every build carries, so that an installed program can be qualified where it stands.

/// One file of reference cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CaseFile {
    /// Its name in the crate's `reference` folder (`ancova.json`, `ancova/cases.json`).
    pub name: &'static str,
    /// Its text.
    pub text: &'static str,
}

macro_rules! case_files {
    ($($name:literal,)*) => {
        &[$(CaseFile { name: $name, text: include_str!(concat!("../../reference/", $name)) }),*]
    };
}

/// All files, in order of their names.
pub const CASE_FILES: &[CaseFile] = case_files![
    "ancova/cases.json",
    "ancova.json",
    "binomial_one_sample/cases.json",
    "binomial_one_sample.json",
    "binomial_safety.json",
    "bland_altman/cases.json",
    "bland_altman.json",
    "blinding_index.json",
    "cmh/cases.json",
    "cmh.json",
    "cmh_scores.json",
    "conditional_mean_imputation/cases.json",
    "conditional_mean_imputation.json",
    "descriptive/cases.json",
    "descriptive.json",
    "fisher_exact/cases.json",
    "fisher_exact.json",
    "group_sequential/cases.json",
    "group_sequential.json",
    "hodges_lehmann/cases.json",
    "hodges_lehmann.json",
    "icc/cases.json",
    "icc.json",
    "logistic/cases.json",
    "logistic.json",
    "mann_whitney/cases.json",
    "mann_whitney.json",
    "mcnemar/cases.json",
    "mcnemar.json",
    "mmrm/cases.json",
    "mmrm.json",
    "mmrm_sandwich.json",
    "multiplicity/cases.json",
    "multiplicity.json",
    "poisson_rate/cases.json",
    "poisson_rate.json",
    "power/cases.json",
    "power.json",
    "predictive_probability.json",
    "rounding.json",
    "rubin_pooling/cases.json",
    "rubin_pooling.json",
    "simon_two_stage/cases.json",
    "simon_two_stage.json",
    "standardised_difference.json",
    "stopping_rule.json",
    "survival/cases.json",
    "survival.json",
    "t_one_sample/cases.json",
    "t_one_sample.json",
    "t_paired/cases.json",
    "t_paired.json",
    "t_two_sample/cases.json",
    "t_two_sample.json",
    "two_proportions/cases.json",
    "two_proportions.json",
    "weighted_kappa/cases.json",
    "weighted_kappa.json",
    "wilcoxon_signed_rank/cases.json",
    "wilcoxon_signed_rank.json",
];
