//! `equipoise simulate`: operating characteristics of a study's own analysis plan.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};

use protocol::Study;
use simulation::campaign::Criteria;
use terms::AnalysisId;

use crate::terminal::say;
use crate::{
    Outcome,
    simulate::{
        self, Campaign, Shard, Way, merge, output,
        search::Goal,
        story::{self, Telling},
    },
};

/// What `simulate` takes.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<Sub>,
    #[command(flatten)]
    campaign: Option<CampaignArguments>,
}

#[derive(Subcommand)]
enum Sub {
    /// Join the parts that shards wrote into the campaign's result
    Merge(MergeArguments),
    /// Tell the story of the two shipped trials in simulated numbers, as a page of Markdown
    Story(StoryArguments),
}

/// The most trials of a campaign: as many have streams of their own.
const TRIALS_AT_MOST: u64 = 1_000_000_000_000;

/// What `simulate story` takes.
#[derive(Args)]
struct StoryArguments {
    /// Trials of each campaign
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    trials: u64,
    /// The seed of every random stream
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// How many threads to use, by default one a processor; the numbers do not depend on it
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
}

/// What `simulate merge` takes.
#[derive(Args)]
struct MergeArguments {
    /// The parts, in any order
    #[arg(value_name = "PART", required = true)]
    parts: Vec<PathBuf>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct CampaignArguments {
    /// The study's folder, or the id of a shipped study
    #[arg(value_name = "STUDY")]
    study: PathBuf,
    /// Analyses of the plan, by id with commas between; by default those with a main or sensitivity role
    #[arg(long, value_name = "ID,ID", value_delimiter = ',')]
    analyses: Vec<String>,
    /// How many trials
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(..=TRIALS_AT_MOST))]
    trials: u64,
    /// The seed of every random stream
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// How many threads to use, by default one a processor; the results do not depend on it
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Set an input of virtual.toml, or sample_size, dropout.ARM; may be given several times
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Cross an input with several values: each combination is a scenario of its own
    #[arg(long, value_name = "KEY=V,V")]
    grid: Vec<String>,
    /// Take scenarios from a table (CSV): a first row `name,KEY,KEY…`, then one row a scenario
    #[arg(long, value_name = "FILE", conflicts_with = "grid")]
    scenarios: Option<PathBuf>,
    /// Take scenarios that virtual.toml declares, by name with commas between; `all` takes all
    #[arg(long, value_name = "NAME,NAME", value_delimiter = ',', conflicts_with_all = ["grid", "scenarios"])]
    scenario: Vec<String>,
    /// Reject at p-values up to this
    #[arg(long, value_name = "P", default_value_t = 0.05)]
    alpha: f64,
    /// Count the trials whose interval leaves out this value of the estimate
    #[arg(long, value_name = "VALUE", allow_negative_numbers = true)]
    exclude: Option<f64>,
    /// Fast: in reused memory. Full: through commands, record and derivations, for hundreds of trials
    #[arg(long, value_enum, default_value_t = Way::Fast)]
    path: Way,
    /// Find the smallest number of participants whose trial rejects in this share of runs
    #[arg(long, value_name = "SHARE", conflicts_with_all = ["shard", "grid"])]
    goal: Option<f64>,
    /// Numbers of participants among which the goal is looked for
    #[arg(long, value_name = "LEAST,MOST", value_delimiter = ',', num_args = 1, default_value = "10,400")]
    between: Vec<u32>,
    /// Run the I-th of N shards only, and write what was counted to --out
    #[arg(long, value_name = "I/N", requires = "out")]
    shard: Option<Shard>,
    /// Where a shard's part goes
    #[arg(long, value_name = "FILE", requires = "shard")]
    out: Option<PathBuf>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Simulates, or joins parts.
///
/// # Errors
/// The study can't be read or compiled, an input can't be set, an analysis can't be simulated.
pub fn run(arguments: &Arguments) -> Result<Outcome> {
    match &arguments.command {
        Some(Sub::Merge(merging)) => {
            let result = merge::merge(&merging.parts)?;
            output::print(&result, merging.json);
            return Ok(Outcome::Success);
        }
        Some(Sub::Story(telling)) => {
            let threads = telling.threads.unwrap_or_else(simulate::processors).max(1);
            let telling = Telling { trials: telling.trials.max(1), seed: telling.seed, threads };
            say!("{}", story::tell(telling)?);
            return Ok(Outcome::Success);
        }
        None => {}
    }
    let Some(asked) = &arguments.campaign else { bail!("name a study: equipoise simulate STUDY") };
    if asked.trials == 0 {
        bail!("--trials 0 simulates nothing");
    }
    if !(asked.alpha > 0.0 && asked.alpha < 1.0) {
        bail!("--alpha {} is no level; write a number between 0 and 1", asked.alpha);
    }
    let study = simulate::study(&asked.study)?;
    let analyses = simulate::choose_analyses(&study, &asked.analyses, asked.path)?;
    let threads = asked.threads.unwrap_or_else(simulate::processors).max(1);
    if let Some(power) = asked.goal {
        return search(&study, &analyses, asked, power, threads);
    }
    let scenarios = match &asked.scenarios {
        None if !asked.scenario.is_empty() => {
            simulate::declared_scenarios(&study, &asked.scenario, &asked.set)?
        }
        None => simulate::scenarios(&study, &asked.set, &asked.grid)?,
        Some(path) => {
            let text =
                std::fs::read_to_string(path).with_context(|| format!("{} can't be read", path.display()))?;
            simulate::scenario_table(&study, &text, &asked.set)?
        }
    };
    let campaign = Campaign {
        study: &study,
        analyses: simulate::with_deciding(&study, analyses, &scenarios, asked.path)?,
        scenarios,
        trials: asked.trials,
        seed: asked.seed,
        criteria: Criteria { alpha: asked.alpha, exclude: asked.exclude },
        shard: asked.shard,
        way: asked.path,
    };
    let part = campaign.run(threads)?;
    match &asked.out {
        Some(path) => {
            let text = serde_json::to_string(&part)? + "\n";
            std::fs::write(path, text).with_context(|| format!("{} can't be written", path.display()))?;
            if asked.json {
                say!("{}", serde_json::json!({ "part": path, "trials": part.trials_run() }));
            } else {
                say!("{} trials counted in {}", part.trials_run(), path.display());
            }
        }
        None => output::print(&part, asked.json),
    }
    Ok(Outcome::Success)
}

fn search(
    study: &Study,
    analyses: &[AnalysisId],
    asked: &CampaignArguments,
    power: f64,
    threads: usize,
) -> Result<Outcome> {
    let ([analysis], [least, most]) = (analyses, &asked.between[..]) else {
        bail!("a search takes one analysis (--analyses ID) and a range (--between LEAST,MOST)");
    };
    let goal = Goal {
        study,
        analysis: analysis.clone(),
        power,
        between: (*least, *most),
        set: asked.set.clone(),
        trials: asked.trials,
        seed: asked.seed,
        criteria: Criteria { alpha: asked.alpha, exclude: None },
    };
    let (smallest, tried) = goal.smallest(threads)?;
    let scenario = simulate::scenarios(study, &asked.set, &[])?.swap_remove(0);
    if asked.json {
        let virtuals = &scenario.study.virtual_cohort;
        say!(
            "{:#}",
            serde_json::json!({
                "sample_size": smallest, "goal": power, "analysis": analysis, "effect": virtuals.effect,
                "setting": virtuals.setting, "set": asked.set, "trials": asked.trials, "seed": asked.seed, "tried": tried,
            })
        );
    } else {
        say!("{}: {} trials each, Monte Carlo standard error in brackets", scenario.name, asked.trials);
        for one in &tried {
            let rejects = output::percent_with_error(one.rejection_rate, one.mc_se);
            say!("{:>6} participants: {analysis} rejects in {rejects}", one.sample_size);
        }
        let found = tried.iter().find(|one| one.sample_size == smallest);
        let found = found.map_or_else(String::new, |one| {
            format!(", here in {}", output::percent_with_error(one.rejection_rate, one.mc_se))
        });
        say!(
            "\n{smallest} participants are the fewest with which {analysis} rejects in {:.1} % of runs{found}",
            100.0 * power
        );
    }
    Ok(Outcome::Success)
}
