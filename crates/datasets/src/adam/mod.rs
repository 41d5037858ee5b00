//! Derivations: one file each, in the manner of ADaM.
//!
//! `derive_var_*` adds a variable to rows, `derive_param_*` adds rows. Each file
//! opens with its rule and a worked example of twelve rows, which is its test.
//! They are functions of plain values: none knows a study, a record or a casebook.

pub mod derive_param_death;
pub mod derive_param_dose_stretch;
pub mod derive_param_locf;
pub mod derive_param_tte;
pub mod derive_param_worst_case;
pub mod derive_var_base;
pub mod derive_var_chg;
pub mod derive_var_day;
pub mod derive_var_dose_intensity;
pub mod derive_var_extreme;
pub mod derive_var_imputed_date;
pub mod derive_var_range;
pub mod derive_var_related;
pub mod derive_var_treatment_emergent;
pub mod derive_var_worst_grade;
#[cfg(test)]
mod example;
mod observation;

pub use observation::{Observation, Rule};
