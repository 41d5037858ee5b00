//! The smallest number of participants whose trial meets a goal.

use anyhow::{Context, Result, bail};
use serde::Serialize;
use simulation::campaign::Share;

use super::{Campaign, Way, output::percent_with_error, scenarios};
use protocol::Study;
use simulation::campaign::Criteria;
use terms::AnalysisId;

/// What is looked for.
#[derive(Clone, Debug)]
pub struct Goal<'a> {
    /// The study.
    pub study: &'a Study,
    /// The analysis that is to reject.
    pub analysis: AnalysisId,
    /// In at least this share of trials.
    pub power: f64,
    /// Between these numbers of participants.
    pub between: (u32, u32),
    /// Inputs that hold throughout.
    pub set: Vec<String>,
    /// Trials of each number.
    pub trials: u64,
    /// The seed.
    pub seed: u64,
    /// What trials are judged by.
    pub criteria: Criteria,
}

/// A number of participants that was tried.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Tried {
    /// Participants.
    pub sample_size: u32,
    /// Share of trials that reject.
    pub rejection_rate: f64,
    /// Its Monte Carlo standard error.
    pub mc_se: f64,
}

impl Goal<'_> {
    /// Finds the smallest number by bisection, and returns it with all that were tried. The same random
    /// streams serve every number, so that the chance rises with the participants but for a little noise.
    ///
    /// # Errors
    /// Even the greatest number does not meet the goal, or a trial can't be simulated.
    pub fn smallest(&self, threads: usize) -> Result<(u32, Vec<Tried>)> {
        let mut tried = Vec::new();
        let (mut low, mut high) = self.between;
        if low == 0 || low > high {
            bail!("--between {low},{high} is no range of participants");
        }
        let most = self.try_size(high, threads, &mut tried)?;
        if most.share < self.power {
            bail!(
                "even {high} participants reject in {} of trials only (Monte Carlo standard error in brackets); the goal \
                 is {:.1} %",
                percent_with_error(most.share, most.mc_se),
                100.0 * self.power
            );
        }
        while low < high {
            let middle = low + (high - low) / 2;
            if self.try_size(middle, threads, &mut tried)?.share >= self.power {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        Ok((high, tried))
    }

    fn try_size(&self, size: u32, threads: usize, tried: &mut Vec<Tried>) -> Result<Share> {
        let mut set = self.set.clone();
        set.push(format!("sample_size={size}"));
        let campaign = Campaign {
            study: self.study,
            analyses: vec![self.analysis.clone()],
            scenarios: scenarios(self.study, &set, &[])?,
            trials: self.trials,
            seed: self.seed,
            criteria: self.criteria,
            shard: None,
            way: Way::Fast,
        };
        let counts = campaign.run_without_truth(threads)?;
        let counts = counts.first().context("a campaign has a scenario")?;
        let share = Share::of(counts.tallies[0].rejected, counts.trials);
        tried.push(Tried { sample_size: size, rejection_rate: share.share, mc_se: share.mc_se });
        Ok(share)
    }
}
