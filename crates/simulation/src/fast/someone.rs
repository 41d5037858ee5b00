//! A virtual person of whom only what is asked for is drawn.

use protocol::model::MeasureProcess;

use super::screening::Candidate;
pub(crate) use crate::person::site_of;
use crate::{
    person::{MeasureStreams, NaturalCourse, Traits, Trajectory},
    streams::Draws,
};

/// Somebody who came.
#[derive(Clone, Debug)]
pub(crate) struct Someone {
    /// Order of arrival, from 1.
    pub(crate) number: u64,
    /// Day of screening.
    pub(crate) screened: i32,
    pub(crate) traits: Traits,
    pub(crate) natural: NaturalCourse,
    /// The stratum's place, where the cohort has strata.
    pub(crate) stratum: Option<usize>,
}

impl Someone {
    pub(crate) fn of(candidate: &Candidate, number: u64, screened: i32) -> Self {
        let Candidate { traits, natural, stratum, .. } = *candidate;
        Self { number, screened, traits, natural, stratum }
    }

    /// Returns level and slope of a measure, from its streams of starts and of slopes.
    #[inline]
    pub(crate) fn trajectory(&self, process: &MeasureProcess, index: usize, level: [Draws; 2]) -> Trajectory {
        let of = MeasureStreams::of(index);
        Trajectory::of_traits(level.map(|draws| of.own(draws)), process, self.traits.ild, self.traits.female)
    }
}
