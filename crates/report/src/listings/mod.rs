//! Listings: deviations, who was left out of which analysis, facts and rules with their sources.

mod deviations;
mod exclusions;
mod sources;

pub(crate) use deviations::deviations;
pub(crate) use exclusions::{LeftOut, exclusions, left_out};
pub(crate) use sources::sources;
