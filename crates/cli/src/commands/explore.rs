//! `equipoise explore`: move sample size, effect and dropout, and see the chance of rejecting follow.

use std::{fs, net::TcpListener, path::PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use terms::AnalysisId;

use crate::{
    Outcome,
    simulate::{
        self, Way,
        explore::{Axes, Explorer, Filling},
    },
    terminal::say,
};

/// Trials that a served page runs where its controls stand.
const LIVE_TRIALS: u64 = 10_000;

/// What `explore` takes.
#[derive(Args)]
pub struct Arguments {
    /// The study's folder, or the id of a shipped study
    #[arg(value_name = "STUDY")]
    study: PathBuf,
    /// The analysis of the plan; by default the first main one
    #[arg(long, value_name = "ID")]
    analysis: Option<String>,
    /// Write the page to this file and end, instead of serving it
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The port on this machine
    #[arg(long, value_name = "PORT", default_value_t = 8_017)]
    port: u16,
    /// Trials of each point of the grid; by default 2,000 in a file, and 500 on a served page, which runs more where it stands
    #[arg(long, value_name = "N")]
    trials: Option<u64>,
    /// Participants to cross
    #[arg(long, value_name = "N,N", value_delimiter = ',', default_value = "16,20,28,40,60,80,120,160")]
    sizes: Vec<u32>,
    /// Points of effect to cross
    #[arg(
        long,
        value_name = "P,P",
        value_delimiter = ',',
        allow_negative_numbers = true,
        default_value = "-10,-7.5,-5,-2.5,0"
    )]
    points: Vec<f64>,
    /// Shares of participants who stop early to cross
    #[arg(long, value_name = "S,S", value_delimiter = ',', default_value = "0,0.2,0.4")]
    dropout: Vec<f64>,
    /// The seed of every random stream
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// How many threads to use, by default one a processor
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
}

/// Makes the page, and serves it or writes it.
///
/// # Errors
/// The study can't be simulated, the file can't be written or the port can't be had.
pub fn run(arguments: &Arguments) -> Result<Outcome> {
    let study = simulate::study(&arguments.study)?;
    let main = study.plan.analyses.iter().find(|analysis| analysis.role == "main");
    let main = main.map(|analysis| analysis.id.clone());
    let asked = arguments.analysis.clone().map(AnalysisId::from).or(main);
    let asked = asked.context("the plan has no main analysis; name one with --analysis")?;
    let analyses = simulate::choose_analyses(&study, &[asked.to_string()], Way::Fast)?;
    let threads = arguments.threads.unwrap_or_else(simulate::processors).max(1);
    let trials = arguments.trials.unwrap_or(if arguments.out.is_some() { 2_000 } else { 500 });
    let filling = Filling { trials: trials.max(1), seed: arguments.seed, threads };
    let explorer = Explorer::new(&study, analyses[0].clone(), filling)?;
    let axes = Axes {
        sizes: arguments.sizes.clone(),
        points: arguments.points.clone(),
        dropout: arguments.dropout.clone(),
    };
    let mut told = |done: usize, all: usize| eprintln!("grid: {done} of {all} parts");
    let live = arguments.out.is_none().then_some(LIVE_TRIALS);
    let page = explorer.page(&axes, live, &mut told)?;
    if let Some(path) = &arguments.out {
        fs::write(path, page).with_context(|| format!("{} can't be written", path.display()))?;
        say!("{}", path.display());
        return Ok(Outcome::Success);
    }
    let listener = TcpListener::bind(("127.0.0.1", arguments.port))
        .with_context(|| format!("port {} can't be had; name another with --port", arguments.port))?;
    say!("http://{} (stop with Ctrl-C)", listener.local_addr()?);
    let live = Filling { trials: LIVE_TRIALS, ..filling };
    Explorer::new(&study, analyses[0].clone(), live)?.serve(&page, &listener)?;
    Ok(Outcome::Success)
}
