//! What one virtual trial's analyses come to over many trials: the numbers to look at before one trial is believed.

use anyhow::Result;
use protocol::Study;
use serde::Serialize;
use simulation::campaign::{Characteristics, Criteria};
use terms::AnalysisId;

use super::{Campaign, Way, choose_analyses, scenarios};

/// What an analysis came to over many trials.
#[derive(Clone, Debug, Serialize)]
pub struct Mean {
    /// The analysis.
    pub id: AnalysisId,
    /// The mean of its estimates.
    pub mean: f64,
    /// Its Monte Carlo standard error.
    pub mc_se: f64,
    /// Share of trials with p at or below 0.05.
    pub rejection_rate: f64,
    /// Its Monte Carlo standard error.
    pub rejection_mc_se: f64,
    /// The setting of the natural course.
    pub setting: String,
    /// Trials.
    pub trials: u64,
}

/// Returns what becomes of those analyses of a study that stand beside published numbers and can be run many times.
///
/// # Errors
/// A simulation fails that should not.
pub fn means(study: &Study, trials: u64, seed: u64, threads: usize) -> Result<Vec<Mean>> {
    let Ok(mut analyses) = choose_analyses(study, &[], Way::Fast) else { return Ok(Vec::new()) };
    let published =
        |id: &AnalysisId| study.plan.analyses.iter().any(|one| one.id == *id && !one.published.is_empty());
    analyses.retain(published);
    if analyses.is_empty() {
        return Ok(Vec::new());
    }
    let campaign = Campaign {
        study,
        analyses,
        scenarios: scenarios(study, &[], &[])?,
        trials,
        seed,
        criteria: Criteria { alpha: 0.05, exclude: None },
        shard: None,
        way: Way::Fast,
    };
    let counts = campaign.run_without_truth(threads)?.swap_remove(0);
    let mean = |(id, tally): (&AnalysisId, _)| {
        let one = Characteristics::of(id, tally, counts.trials, None);
        let (mean, mc_se) = one.mean_estimate.zip(one.mean_estimate_mc_se)?;
        let setting = study.virtual_cohort.setting.clone();
        Some(Mean {
            id: id.clone(),
            mean,
            mc_se,
            rejection_rate: one.rejection_rate,
            rejection_mc_se: one.mc_se,
            setting,
            trials: counts.trials,
        })
    };
    Ok(campaign.analyses.iter().zip(&counts.tallies).filter_map(mean).collect())
}
