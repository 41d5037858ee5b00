//! From outcomes to numbers, one method a file. The mathematics is the statistics crate's; these
//! files choose what goes in and write down what comes out, under keys that reports and plans use.

mod agreement;
mod ancova;
mod anova;
mod binomial;
mod blinding_index;
mod chi_squared;
mod cmh;
mod count;
mod describe;
mod fisher;
mod hazards;
mod kaplan_meier;
mod mmrm;
mod multiple_imputation;
mod predictive_imputation;
mod rank_sum;
mod repeated;
mod signed_rank;
mod stopping_boundary;
mod t_tests;

pub(crate) use agreement::{
    agreement, kappa_words, pairs, weighted_kappa, words as agreement_words, words_between,
};
pub(crate) use ancova::{ancova, words as ancova_words};
pub(crate) use anova::anova;
pub(crate) use binomial::{Interval, binomial, share_interval, words as binomial_words};
pub(crate) use blinding_index::{blinding_index, words as blinding_index_words};
pub(crate) use chi_squared::{chi_squared, words as chi_squared_words};
pub(crate) use cmh::{cmh, words as cmh_words};
pub(crate) use count::{count_events, population_place, put_events};
pub(crate) use describe::describe;
pub(crate) use fisher::{fisher_events, fisher_variable};
pub(crate) use hazards::{Compared, compare_log_rank, cox, cox_words, log_rank_words, ties_of};
pub(crate) use kaplan_meier::{kaplan_meier, words as kaplan_meier_words};
pub(crate) use mmrm::{mmrm, model as mixed_model_of, words as mmrm_words};
pub(crate) use multiple_imputation::{
    imputed_estimate, multiple_imputation, words as multiple_imputation_words,
};
pub(crate) use predictive_imputation::{predictive_imputation, words as predictive_imputation_words};
pub(crate) use rank_sum::rank_sum;
pub(crate) use repeated::{Person, Repeated, Source};
pub(crate) use signed_rank::signed_rank;
pub(crate) use stopping_boundary::{boundary, stopping_boundary, words as stopping_boundary_words};
pub(crate) use t_tests::{Paired, paired_t, two_sample_t};

use protocol::model::Quartiles;
use statistics::{Confidence, NotEstimable, descriptive::QuantileType};
use terms::{Decimal, Value};

use crate::{Format, outcome::Outcomes, sheet::RowSets};

/// The outcomes that a method works on, where they stand, and how they are printed.
pub(crate) struct Series<'a> {
    pub(crate) outcomes: &'a Outcomes,
    pub(crate) dataset: &'a str,
    pub(crate) columns: Vec<&'a str>,
    pub(crate) precision: Precision,
    /// Whether a higher outcome is the worse one, for worst ranks.
    pub(crate) higher_is_worse: bool,
}

/// Decimals of single values and of what is computed from them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Precision {
    pub(crate) value: u32,
    pub(crate) summary: u32,
    /// Of standard deviations.
    pub(crate) spread: u32,
}

impl Precision {
    pub(crate) fn value(self) -> Format {
        Format::Decimals(self.value)
    }

    pub(crate) fn spread(self) -> Format {
        Format::Decimals(self.spread)
    }

    pub(crate) fn summary(self) -> Format {
        Format::Decimals(self.summary)
    }
}

impl Series<'_> {
    /// Returns the place of a group's rows (or all) among the sets of rows.
    pub(crate) fn place(&self, sets: &mut RowSets, group: Option<usize>) -> usize {
        sets.place(self.dataset, self.outcomes.rows(group), &self.columns)
    }

    /// A number beyond every outcome, on the worse side, that stands for the worst rank. It is so far
    /// out that whatever it enters into can be told from a value.
    pub(crate) fn worst(&self) -> f64 {
        let most = self.outcomes.values(None, 0.0).into_iter().map(f64::abs).fold(1.0, f64::max);
        if self.higher_is_worse { most * 1e9 } else { most * -1e9 }
    }

    /// Returns an estimate, or the reason why it is none: it lies among the worst ranks.
    pub(crate) fn within(&self, estimate: f64) -> Result<f64, String> {
        if estimate.abs() > 0.01 * self.worst().abs() {
            Err("lies among the worst ranks, beyond every observed value".to_owned())
        } else {
            Ok(estimate)
        }
    }
}

/// Reads a plan's confidence level.
pub(crate) fn confidence(level: Decimal) -> Result<Confidence, NotEstimable> {
    Confidence::new(Value::Decimal(level).as_f64().unwrap_or(f64::NAN))
}

/// Reads a plan's definition of quartiles.
pub(crate) fn quantile_type(quartiles: Quartiles) -> QuantileType {
    match quartiles {
        Quartiles::Type2 => QuantileType::Type2,
        Quartiles::Type7 => QuantileType::Type7,
    }
}
