//! A virtual person of whom only what is asked for is drawn.

use protocol::model::Study;

use super::Processes;
use crate::{
    person::{Disease, NaturalCourse},
    streams::Streams,
};

/// The most measures whose starts the rules of entry look at.
pub(crate) const MEASURES_MAX: usize = 16;

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
    starts: [f64; MEASURES_MAX],
    starts_drawn: bool,
}

impl Someone {
    pub(crate) fn new(number: u64, screened: i32, disease: Disease, natural: NaturalCourse) -> Self {
        Self {
            number,
            screened,
            disease,
            natural,
            stratum: None,
            female: None,
            starts: [0.0; MEASURES_MAX],
            starts_drawn: false,
        }
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

    /// Returns the uniform draw behind the start of a measure that rules look at.
    #[inline]
    pub(crate) fn start_of_measure(
        &mut self,
        streams: &Streams,
        process: &Processes,
        measured: &[usize],
        place: usize,
    ) -> f64 {
        if !self.starts_drawn {
            for (lane, indices) in measured.chunks(4).enumerate() {
                let wanted = std::array::from_fn::<_, 4, _>(|at| {
                    (process.measure, indices[at.min(indices.len() - 1)] as u64)
                });
                for (at, mut draws) in streams.draws_of(self.number, wanted).into_iter().enumerate() {
                    self.starts[4 * lane + at] = draws.uniform();
                }
            }
            self.starts_drawn = true;
        }
        self.starts[place]
    }
}

/// Returns the place of a person's site.
pub(crate) fn site_of(study: &Study, streams: &Streams, number: u64) -> usize {
    if study.sites.len() == 1 {
        return 0;
    }
    streams.of(number, "site", 0).below(study.sites.len() as u64) as usize
}
