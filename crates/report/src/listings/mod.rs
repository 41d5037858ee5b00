//! Listings: deviations, who was left out of which analysis, the protocol, facts and rules with their sources.

mod deviations;
mod exclusions;
mod protocol;
mod sources;

pub(crate) use deviations::deviations;
pub(crate) use exclusions::{LeftOut, exclusions, left_out};
pub(crate) use protocol::protocol;
pub(crate) use sources::sources;
