//! Times to an event, some of them censored.

mod cox;
mod cox_derivatives;
mod kaplan_meier;
mod log_rank;
mod proportional_hazards;
mod two_arms;

pub use cox::{CoxCoefficient, CoxFit, Stopping, Ties, concordance, cox_regression};
pub use kaplan_meier::{
    BeyondLast, KaplanMeier, KaplanMeierStep, RestrictedMean, SurvivalInterval, kaplan_meier,
};
pub use log_rank::{LogRank, LogRankTest, LogRankWeights, LogRankWorkspace, log_rank};
pub use proportional_hazards::{ProportionalHazardsTest, proportional_hazards_test};
pub use two_arms::{ArmHazard, TwoArmWorkspace};

use crate::NotEstimable;
use crate::not_estimable::all_finite;

/// Times and whether an event ended them, one entry a participant.
#[derive(Debug, Clone, Copy)]
pub struct Times<'a> {
    time: &'a [f64],
    event: &'a [bool],
}

impl<'a> Times<'a> {
    /// Pairs times (any unit) with whether an event ended them; `false` is a censored time.
    ///
    /// # Errors
    /// No participants, series of different length, or a time that is negative or not finite.
    pub fn new(time: &'a [f64], event: &'a [bool]) -> Result<Self, NotEstimable> {
        if time.len() != event.len() {
            return Err(NotEstimable::UnequalLengths { left: time.len(), right: event.len() });
        }
        if time.is_empty() {
            return Err(NotEstimable::NoObservations);
        }
        all_finite(time)?;
        if time.iter().any(|t| *t < 0.0) {
            return Err(NotEstimable::OutOfRange { name: "time" });
        }
        Ok(Self { time, event })
    }

    fn len(&self) -> usize {
        self.time.len()
    }

    /// Participants in the order of their times.
    fn ascending(&self) -> Vec<u32> {
        let mut order = Vec::new();
        self.ascending_into(&mut order);
        order
    }

    /// Writes participants in the order of their times.
    fn ascending_into(&self, order: &mut Vec<u32>) {
        order.clear();
        order.extend(0..u32::try_from(self.len()).expect("fewer than 2^32 participants"));
        order.sort_unstable_by(|a, b| {
            self.time[*a as usize].total_cmp(&self.time[*b as usize]).then(a.cmp(b))
        });
    }
}

#[test]
fn nobody_has_no_times() {
    assert_eq!(Times::new(&[], &[]).unwrap_err(), NotEstimable::NoObservations);
    assert_eq!(Times::new(&[1.0], &[]).unwrap_err(), NotEstimable::UnequalLengths { left: 1, right: 0 });
    assert_eq!(Times::new(&[-1.0], &[true]).unwrap_err(), NotEstimable::OutOfRange { name: "time" });
}
