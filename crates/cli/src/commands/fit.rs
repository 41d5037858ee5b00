//! `equipoise fit`: calibrates inputs of a virtual cohort to published summaries.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;
use simulation::fit::{Fit, Free, Target};

use crate::{
    Outcome,
    simulate::{self, Way, output::with_error},
    terminal::say,
};

/// What `fit` takes.
#[derive(Args)]
pub struct Arguments {
    /// The study's folder, or the id of a shipped study
    #[arg(value_name = "STUDY")]
    study: PathBuf,
    /// The analysis whose outcomes are summarised
    #[arg(long, value_name = "ID")]
    analysis: String,
    /// An input that may change between two bounds; may be given several times
    #[arg(long, value_name = "KEY=LOW..HIGH", required = true)]
    free: Vec<String>,
    /// A published summary: mean=, sd=, median=, `share_at_most:X=`; may be given several times
    #[arg(long, value_name = "SUMMARY=VALUE", required = true)]
    target: Vec<String>,
    /// Set another input of virtual.toml
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Trials of each try
    #[arg(long, value_name = "N", default_value_t = 200)]
    trials: u64,
    /// The seed of every random stream
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Fits, and says what is left of the misfit.
///
/// # Errors
/// The study can't be read or simulated, or an input can't be set.
pub fn run(arguments: &Arguments) -> Result<Outcome> {
    let mut study = simulate::study(&arguments.study)?;
    for one in &arguments.set {
        simulation::scenario::set_from_text(&mut study, one)?;
    }
    let analyses = simulate::choose_analyses(&study, std::slice::from_ref(&arguments.analysis), Way::Fast)?;
    let Some(analysis) = analyses.first() else { bail!("there is no analysis to summarise") };
    let fit = Fit {
        study: &study,
        analysis: analysis.clone(),
        free: arguments.free.iter().map(|one| one.parse::<Free>()).collect::<Result<_, _>>()?,
        targets: arguments.target.iter().map(|one| one.parse::<Target>()).collect::<Result<_, _>>()?,
        trials: arguments.trials.max(1),
        seed: arguments.seed,
    };
    let fitted = fit.run()?;
    if arguments.json {
        say!("{:#}", serde_json::to_value(&fitted)?);
        return Ok(Outcome::Success);
    }
    for one in &fitted.set {
        say!("--set {one}");
    }
    say!("\nfound under effect={}, setting={} (Monte Carlo standard error)", fitted.effect, fitted.setting);
    say!("{:32} {:>12} {:>20}", "target", "wanted", "found");
    for one in &fitted.targets {
        say!("{:32} {:>12.4} {:>20}", one.target, one.wanted, with_error(one.found, one.mc_se));
    }
    let rest = if fitted.converged { "" } else { "; the search did not come to rest" };
    say!(
        "\nrelative misfit {:.4} after {} tries of {} participants{rest}",
        fitted.misfit,
        fitted.tries,
        fitted.participants
    );
    Ok(Outcome::Success)
}
