//! A virtual person of whom only what is asked for is drawn.

use protocol::model::Study;

use super::Processes;
pub(crate) use crate::person::site_of;
use crate::{
    person::{Disease, NaturalCourse},
    streams::Streams,
};

/// Somebody who came.
#[derive(Clone, Debug)]
pub(crate) struct Someone {
    /// Order of arrival, from 1.
    pub(crate) number: u64,
    /// Day of screening.
    pub(crate) screened: i32,
    pub(crate) disease: Disease,
    pub(crate) natural: NaturalCourse,
    stratum: Option<Option<usize>>,
    female: Option<bool>,
}

impl Someone {
    pub(crate) fn new(number: u64, screened: i32, disease: Disease, natural: NaturalCourse) -> Self {
        Self { number, screened, disease, natural, stratum: None, female: None }
    }

    /// Returns the stratum's place, where the cohort has strata.
    #[inline]
    pub(crate) fn stratum(&mut self, study: &Study, streams: &Streams, process: &Processes) -> Option<usize> {
        if let Some(known) = self.stratum {
            return known;
        }
        let strata = &study.virtual_cohort.cohort.strata;
        let drawn = (!strata.is_empty()).then(|| {
            streams.draws(self.number, process.stratum, 0).weighted(strata.iter().map(|(_, share)| *share))
        });
        self.stratum = Some(drawn);
        drawn
    }

    pub(crate) fn is_female(&mut self, study: &Study, streams: &Streams, process: &Processes) -> bool {
        let female = self.female.unwrap_or_else(|| {
            crate::person::Body::draw(
                &mut streams.draws(self.number, process.body, 0),
                &study.virtual_cohort.cohort,
            )
            .female
        });
        self.female = Some(female);
        female
    }
}
