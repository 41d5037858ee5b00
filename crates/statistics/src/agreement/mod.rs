//! Agreement between readers or methods.

mod bland_altman;
mod icc;
mod kappa;

pub use bland_altman::{BlandAltman, bland_altman};
pub use icc::{Icc, IccModel, icc};
pub use kappa::{Kappa, KappaWeights, kappa};
