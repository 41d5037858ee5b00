//! Hazards of two groups, trial after trial.

use protocol::model;
use statistics::{
    Confidence, NotEstimable,
    survival::{Ties, TwoArmWorkspace},
};

use super::{Group, Outcome};
use crate::methods::{Compared, ties_of};

/// A comparison of hazards with its options read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Hazards {
    ties: Ties,
    /// Whether the p-value is that of the log-rank test, rather than Wald's.
    by_log_rank: bool,
    strata: usize,
    factors: usize,
    covariates: usize,
}

impl Hazards {
    pub(super) fn log_rank(options: &model::LogRank) -> Self {
        let (ties, strata) = (ties_of(options.ties), options.strata.len());
        Self { ties, by_log_rank: true, strata, factors: 0, covariates: 0 }
    }

    pub(super) fn cox(options: &model::Cox) -> Self {
        Self {
            ties: ties_of(options.ties),
            by_log_rank: false,
            strata: options.strata.len(),
            factors: options.factors.len(),
            covariates: options.covariates.len(),
        }
    }

    /// Whether nothing but groups and strata explains the times, so that all is counted.
    pub(super) fn is_of_groups_alone(&self) -> bool {
        self.factors == 0 && self.covariates == 0
    }

    pub(super) fn run(
        &self,
        one: &Group,
        other: &Group,
        level: Confidence,
        space: &mut HazardSpace,
    ) -> Result<Outcome, NotEstimable> {
        space.fill(self, one, other);
        let HazardSpace { time, event, first, strata, factors, covariates, table, .. } = space;
        let compared = Compared {
            time,
            event,
            first,
            strata: (self.strata > 0).then_some(strata),
            factors,
            covariates: &covariates[..self.covariates],
        };
        let (hazard, p) = if self.by_log_rank {
            let (test, hazard) = compared.log_rank(self.ties, level, table)?;
            (hazard?, test.p)
        } else {
            let hazard = compared.hazard(self.ties, level, table)?;
            (hazard, hazard.p)
        };
        Ok(Outcome { estimate: hazard.log_ratio, lower: hazard.lower, upper: hazard.upper, p })
    }
}

/// Buffers for one comparison after another.
#[derive(Debug, Default)]
pub(super) struct HazardSpace {
    time: Vec<f64>,
    event: Vec<bool>,
    first: Vec<bool>,
    strata: Vec<u32>,
    factors: Vec<(usize, Vec<usize>)>,
    covariates: Vec<Vec<f64>>,
    table: TwoArmWorkspace,
}

/// As many levels as a stratum's variable may have.
const LEVELS_MAX: u32 = 64;

impl HazardSpace {
    fn fill(&mut self, of: &Hazards, one: &Group, other: &Group) {
        self.time.clear();
        self.event.clear();
        self.first.clear();
        self.strata.clear();
        for group in [one, other] {
            self.time.extend_from_slice(&group.values);
            self.event.extend_from_slice(&group.events);
            self.first.resize(self.time.len(), std::ptr::eq(group, one));
        }
        let wide = of.strata + of.factors + of.covariates;
        if wide == 0 {
            return;
        }
        let all = || one.beside.chunks_exact(wide).chain(other.beside.chunks_exact(wide));
        // Combinations in the order of their parts.
        let combined =
            |own: &[f64]| own[..of.strata].iter().fold(0, |code, level| code * LEVELS_MAX + *level as u32);
        self.strata.extend(all().map(combined));
        self.factors.clear();
        for place in of.strata..of.strata + of.factors {
            let mut levels: Vec<u32> = all().map(|own| own[place] as u32).collect();
            let codes = levels.clone();
            levels.sort_unstable();
            levels.dedup();
            let code = |level: &u32| levels.binary_search(level).unwrap_or_default();
            self.factors.push((levels.len(), codes.iter().map(code).collect()));
        }
        self.covariates.resize(of.covariates, Vec::new());
        for (place, column) in self.covariates.iter_mut().enumerate() {
            column.clear();
            column.extend(all().map(|own| own[of.strata + of.factors + place]));
        }
    }
}
