//! Listings: rows of data sets, who was left out of which analysis, the protocol, facts and rules with their sources.

mod deviations;
mod exclusions;
mod protocol;
mod rows;
mod sources;

pub(crate) use deviations::deviations;
pub(crate) use exclusions::{LeftOut, exclusions, left_out};
pub(crate) use protocol::protocol;
pub(crate) use rows::{dose_changes, laboratory, serious_events, treatments, watches, withdrawals};
pub(crate) use sources::sources;
