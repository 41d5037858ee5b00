//! A virtual person of whom only what is asked for is drawn.

use protocol::model::{MeasureProcess, Study};

use super::Processes;
pub(crate) use crate::person::site_of;
use crate::{
    course,
    person::{MeasureStreams, NaturalCourse, Traits, Trajectory},
    streams::{Draws, Streams},
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
    stratum: Option<Option<usize>>,
}

impl Someone {
    pub(crate) fn new(number: u64, screened: i32, traits: Traits, natural: NaturalCourse) -> Self {
        Self { number, screened, traits, natural, stratum: None }
    }

    /// Returns level and slope of a measure, from its streams of starts and of slopes.
    #[inline]
    pub(crate) fn trajectory(&self, process: &MeasureProcess, index: usize, level: [Draws; 2]) -> Trajectory {
        let of = MeasureStreams::of(index);
        Trajectory::of_traits(level.map(|draws| of.own(draws)), process, self.traits.ild, self.traits.female)
    }

    /// Somebody of whose disease nothing is asked.
    pub(crate) fn unknown(number: u64, screened: i32) -> Self {
        let natural = NaturalCourse { start: 0.0, change_12: 0.0 };
        Self::new(number, screened, Traits { onset_months: 0.0, ild: false, female: false }, natural)
    }

    /// Returns the stratum's place, where the cohort has strata.
    #[inline]
    pub(crate) fn stratum(&mut self, study: &Study, streams: &Streams, process: &Processes) -> Option<usize> {
        if let Some(known) = self.stratum {
            return known;
        }
        let strata = &study.virtual_cohort.cohort.strata;
        let drawn = (!strata.is_empty()).then(|| {
            let mut draws = course::of_stratum(streams.draws(self.number, process.arrival, 0));
            draws.weighted(strata.iter().map(|(_, share)| *share))
        });
        self.stratum = Some(drawn);
        drawn
    }
}
