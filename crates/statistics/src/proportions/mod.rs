//! Proportions and tables of counts.

mod binomial;
mod chi_squared;
mod cmh;
mod fisher;
mod mcnemar;
mod noncentral_hypergeometric;
mod table;
mod two_proportions;

pub use binomial::{
    BinomialInterval, BinomialTest, agresti_coull, binomial_interval, binomial_test, clopper_pearson,
    jeffreys, mid_p, wald, wilson, wilson_continuity, wilson_continuity_as_r,
};
pub use chi_squared::{ChiSquaredTest, Yates, chi_squared_test};
pub use cmh::{
    Association, BreslowDay, MantelHaenszel, StratifiedExact, StratifiedTest, breslow_day, generalised_cmh,
    mantel_haenszel, stratified_exact,
};
pub use fisher::{Fisher2x2, FisherPValues, FisherWorkspace, fisher_2x2, fisher_exact};
pub use mcnemar::{McNemar, mcnemar};
pub use table::Table;
pub use two_proportions::{
    DifferenceInterval, RatioInterval, agresti_caffo, difference_interval, miettinen_nurminen, newcombe,
    newcombe_continuity, newcombe_continuity_as_r, odds_ratio_woolf, risk_ratio_katz, wald_difference,
};
