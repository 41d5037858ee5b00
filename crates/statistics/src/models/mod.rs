//! Regression models over covariates and factors.

mod design;
mod linear;
mod linear_workspace;
mod logistic;
mod ls_means;

pub use design::{Column, Design, Term, Variable};
pub use linear::{Coefficient, LinearFit, RobustError, TermTest, linear_model};
pub use linear_workspace::{CoefficientTest, LinearWorkspace};
pub use logistic::{LogisticCoefficient, LogisticFit, logistic_regression};
pub use ls_means::{LsContrast, LsMean, LsMeans, LsWeights, ls_means, mean_weights};
