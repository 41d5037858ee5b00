//! Campaigns of simulated trials: scenarios, threads, shards, and what is printed.

pub mod explore;
pub mod full;
pub mod merge;
pub mod output;
pub mod repeated;
pub mod search;
pub mod story;
pub mod verdict;

use std::{
    collections::BTreeMap,
    path::Path,
    str::FromStr,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use anyhow::{Context, Result, bail};
use protocol::{Study, model::Method};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use simulation::{
    campaign::{BLOCK, Counts, Course, Criteria, course, run_block, true_values},
    fast::{FastPlan, Tested, Workspace},
    scenario,
    streams::Streams,
};
use terms::AnalysisId;

use crate::shipped;

/// One of several equal parts of a campaign, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    /// Which.
    pub index: u64,
    /// Of how many.
    pub of: u64,
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts =
            text.split_once('/').and_then(|(index, of)| Some((index.parse().ok()?, of.parse().ok()?)));
        match parts {
            Some((index, of)) if (1..=of).contains(&index) => Ok(Self { index, of }),
            _ => Err(format!("`{text}` is no shard; write 17/400 for the 17th of 400")),
        }
    }
}

impl Shard {
    /// Returns the trials of the shard, from the first to before the last.
    fn range(self, trials: u64) -> (u64, u64) {
        let up_to = |index: u64| (u128::from(trials) * u128::from(index) / u128::from(self.of)) as u64;
        (up_to(self.index - 1), up_to(self.index))
    }
}

/// A scenario: what it is called, and the study with its inputs set.
pub struct Scenario {
    /// Its name: what distinguishes it.
    pub name: String,
    /// Inputs that were set.
    pub set: Vec<String>,
    /// The study with them.
    pub study: Study,
}

/// How trials are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Way {
    /// In reused memory, without commands and events: for many trials.
    Fast,
    /// Through commands, record and derivations: for hundreds or thousands.
    Full,
}

/// A campaign in hand.
pub struct Campaign<'a> {
    /// The study as it is written.
    pub study: &'a Study,
    /// Analyses of its plan.
    pub analyses: Vec<AnalysisId>,
    /// Scenarios in order.
    pub scenarios: Vec<Scenario>,
    /// Trials of the whole campaign.
    pub trials: u64,
    /// The seed.
    pub seed: u64,
    /// What trials are judged by.
    pub criteria: Criteria,
    /// The part of it that is run here.
    pub shard: Option<Shard>,
    /// How trials are run.
    pub way: Way,
}

/// What a campaign, or a shard of one, has counted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// Says what the file is.
    pub format: String,
    /// What every part of a campaign shares.
    pub campaign: Shared,
    /// Which part it is.
    pub shard: Shard,
    /// By scenario.
    pub scenarios: Vec<ScenarioPart>,
    /// Threads that ran it.
    pub threads: usize,
    /// Wall-clock seconds.
    pub seconds: f64,
}

/// What every part of a campaign shares.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shared {
    /// The study's id.
    pub study: String,
    /// Its version: the hash of its files.
    pub study_version: String,
    /// The hash of the program that ran it.
    pub program: String,
    /// The seed.
    pub seed: u64,
    /// Trials of the whole campaign.
    pub trials: u64,
    /// What trials are judged by.
    pub criteria: Criteria,
    /// Analyses in order.
    pub analyses: Vec<AnalysisId>,
}

/// What a part has counted under one scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScenarioPart {
    /// Its name.
    pub name: String,
    /// Inputs that were set.
    pub set: Vec<String>,
    /// The drug effect in force.
    pub effect: String,
    /// The setting in force.
    pub setting: String,
    /// The design in force, if one is.
    pub design: Option<String>,
    /// The true values, by analysis.
    pub truths: Vec<Option<f64>>,
    /// What becomes of participants, where it can be told.
    pub course: Option<Course>,
    /// The counts.
    pub counts: Counts,
}

/// The format of a part.
pub const FORMAT: &str = "equipoise simulate part 3";

impl Part {
    /// Trials that were run under each scenario.
    pub fn trials_run(&self) -> u64 {
        self.scenarios.first().map_or(0, |scenario| scenario.counts.trials)
    }
}

/// Reads and compiles a study: a folder, or the id of a shipped one.
///
/// # Errors
/// It can't be read, or does not compile.
pub fn study(path: &Path) -> Result<Study> {
    compiled(&shipped::or_in(path)?)
}

/// Compiles a study.
///
/// # Errors
/// It does not compile.
pub fn compiled(files: &BTreeMap<String, String>) -> Result<Study> {
    match protocol::compile(files) {
        Ok(compiled) => Ok(compiled.study),
        Err(errors) => {
            let all: Vec<String> = errors.iter().map(ToString::to_string).collect();
            bail!("the study does not compile; `equipoise check` says more:\n{}", all.join("\n\n"))
        }
    }
}

/// Returns the analyses that are asked for; by default every main and sensitivity analysis that the fast path can run.
///
/// # Errors
/// The plan has no such analysis, or it can't be simulated.
pub fn choose_analyses(study: &Study, asked: &[String], way: Way) -> Result<Vec<AnalysisId>> {
    let plan = &study.plan.analyses;
    for id in asked {
        if plan.iter().all(|analysis| analysis.id != **id) {
            let known: Vec<&str> =
                plan.iter().filter(|one| one.role != "descriptive").map(|one| one.id.as_str()).collect();
            bail!("the plan has no analysis `{id}`; it has {}", known.join(", "));
        }
    }
    let wanted = plan.iter().filter(|analysis| {
        if asked.is_empty() {
            // Imputing takes longer than all the rest of a plan together: it is for those who ask for it.
            analysis.role != "descriptive" && !matches!(analysis.method, Method::MultipleImputation(_))
        } else {
            asked.iter().any(|id| analysis.id == **id)
        }
    });
    let wanted: Vec<AnalysisId> = wanted.map(|analysis| analysis.id.clone()).collect();
    if way == Way::Full {
        let (served, not_served): (Vec<_>, Vec<_>) =
            wanted.into_iter().partition(|id| full::serves(study, id));
        if let Some(id) = not_served.first().filter(|_| !asked.is_empty() || served.is_empty()) {
            bail!("analysis `{id}` has no one estimate with a p-value to simulate");
        }
        return Ok(served);
    }
    let (fast, not_fast) = FastPlan::sort_out(study, &wanted);
    if let Some(fault) = not_fast.first().filter(|_| !asked.is_empty() || fast.is_empty()) {
        return Err(fault.clone().into());
    }
    Ok(fast)
}

/// Makes the scenarios: `set` holds in all of them, each `grid` crosses one input with several values.
///
/// # Errors
/// An input can't be set so.
pub fn scenarios(study: &Study, set: &[String], grid: &[String]) -> Result<Vec<Scenario>> {
    let mut sets: Vec<Vec<String>> = vec![set.to_vec()];
    for axis in grid {
        let (key, values) = axis.split_once('=').context("--grid takes key=value,value")?;
        sets = sets
            .iter()
            .flat_map(|so_far| {
                values.split(',').map(move |value| {
                    let mut next = so_far.clone();
                    next.push(format!("{key}={value}"));
                    next
                })
            })
            .collect();
    }
    sets.into_iter()
        .map(|set| {
            let mut study = study.clone();
            for one in &set {
                scenario::set_from_text(&mut study, one)?;
            }
            let virtuals = &study.virtual_cohort;
            // A study that scores no skin has neither.
            let in_force = [("effect", &virtuals.effect), ("setting", &virtuals.setting)];
            let in_force = in_force.into_iter().filter(|(_, name)| !name.is_empty());
            let mut parts: Vec<String> = in_force.map(|(key, name)| format!("{key}={name}")).collect();
            let others = set.iter().filter(|one| !one.starts_with("effect=") && !one.starts_with("setting="));
            parts.extend(others.cloned());
            let name = if parts.is_empty() { "as written".to_owned() } else { parts.join(", ") };
            Ok(Scenario { name, set, study })
        })
        .collect()
}

/// Reads a table of scenarios: the first row names inputs (the first column `name`), each other row is a
/// scenario; an empty cell leaves the input as it is. Cells have no commas.
///
/// # Errors
/// The table has no such shape, or an input can't be set so.
pub fn scenario_table(study: &Study, text: &str, set: &[String]) -> Result<Vec<Scenario>> {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let head: Vec<&str> =
        lines.next().context("the table of scenarios is empty")?.split(',').map(str::trim).collect();
    if head.first() != Some(&"name") || head.len() < 2 {
        bail!("a table of scenarios begins with a row `name,KEY,KEY…`, such as name,effect,sample_size");
    }
    let mut found = Vec::new();
    for line in lines {
        let cells: Vec<&str> = line.split(',').map(str::trim).collect();
        if cells.len() != head.len() {
            bail!("the row `{line}` has {} cells where the first row has {}", cells.len(), head.len());
        }
        let own = head.iter().zip(&cells).skip(1).filter(|(_, cell)| !cell.is_empty());
        let mut sets = set.to_vec();
        sets.extend(own.map(|(key, cell)| format!("{key}={cell}")));
        let mut scenario = scenarios(study, &sets, &[])?.swap_remove(0);
        cells[0].clone_into(&mut scenario.name);
        found.push(scenario);
    }
    if found.is_empty() {
        bail!("the table of scenarios has no scenario below its first row");
    }
    Ok(found)
}

/// Returns scenarios that the study declares in `virtual.toml`, by name; `set` holds in all of them.
///
/// # Errors
/// It declares no such scenario, or an input can't be set so.
pub fn declared_scenarios(study: &Study, names: &[String], set: &[String]) -> Result<Vec<Scenario>> {
    let declared = &study.virtual_cohort.scenarios;
    let all = names == ["all"];
    for name in names.iter().filter(|_| !all) {
        if declared.iter().all(|one| one.name != *name) {
            let known: Vec<&str> = declared.iter().map(|one| one.name.as_str()).collect();
            bail!("virtual.toml declares no scenario `{name}`; it has {}", known.join(", "));
        }
    }
    let wanted = declared.iter().filter(|one| all || names.contains(&one.name));
    wanted
        .map(|one| {
            let sets = [set, &one.set].concat();
            let mut scenario = scenarios(study, &sets, &[])?.swap_remove(0);
            scenario.name.clone_from(&one.name);
            Ok(scenario)
        })
        .collect()
}

/// Returns the analyses with those that the scenarios' designs decide by.
///
/// # Errors
/// The full path was asked for, which knows no designs.
pub fn with_deciding(
    study: &Study,
    analyses: Vec<AnalysisId>,
    scenarios: &[Scenario],
    way: Way,
) -> Result<Vec<AnalysisId>> {
    let in_force = |scenario: &Scenario| {
        let virtuals = &scenario.study.virtual_cohort;
        let name = virtuals.design.as_ref()?;
        virtuals.designs.iter().find(|design| design.name == *name).map(|design| design.analysis.clone())
    };
    let deciding: Vec<AnalysisId> = scenarios.iter().filter_map(in_force).collect();
    if way == Way::Full && !deciding.is_empty() {
        bail!("designs are simulated on the fast path; leave out --path full, or set design=none");
    }
    let wanted = |id: &AnalysisId| analyses.contains(id) || deciding.contains(id);
    Ok(study.plan.analyses.iter().map(|one| one.id.clone()).filter(wanted).collect())
}

/// How many processors there are.
pub fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

impl Campaign<'_> {
    /// Runs the campaign, or its shard.
    ///
    /// # Errors
    /// An analysis can't be simulated under a scenario.
    #[expect(clippy::disallowed_methods, reason = "the command line tells people how long it took")]
    pub fn run(&self, threads: usize) -> Result<Part> {
        let began = Instant::now();
        let shard = self.shard.unwrap_or(Shard { index: 1, of: 1 });
        let range = shard.range(self.trials);
        let mut scenarios = Vec::new();
        for scenario in &self.scenarios {
            let (truths, counts) = self
                .count(&scenario.study, range, threads)
                .with_context(|| format!("scenario {}", scenario.name))?;
            scenarios.push(ScenarioPart {
                name: scenario.name.clone(),
                set: scenario.set.clone(),
                effect: scenario.study.virtual_cohort.effect.clone(),
                setting: scenario.study.virtual_cohort.setting.clone(),
                design: scenario.study.virtual_cohort.design.clone(),
                truths,
                course: course(&scenario.study, self.seed).ok(),
                counts,
            });
        }
        Ok(Part {
            format: FORMAT.to_owned(),
            campaign: Shared {
                study: self.study.id.to_string(),
                study_version: self.study.version.clone(),
                program: program_hash()?,
                seed: self.seed,
                trials: self.trials,
                criteria: self.criteria,
                analyses: self.analyses.clone(),
            },
            shard,
            scenarios,
            threads,
            seconds: began.elapsed().as_secs_f64(),
        })
    }

    /// Runs every scenario on the fast path without looking for true values, where only rejections are asked for.
    ///
    /// # Errors
    /// An analysis can't be simulated under a scenario.
    pub fn run_without_truth(&self, threads: usize) -> Result<Vec<Counts>> {
        let range = (0, self.trials);
        let truths = vec![None; self.analyses.len()];
        let run = |scenario: &Scenario| {
            let plan = FastPlan::compile(&scenario.study, &self.analyses)?;
            let block = |space: &mut Workspace, trials| {
                Ok(run_block(&plan, self.seed, trials, &truths, self.criteria, space))
            };
            self.in_blocks(range, BLOCK, threads, &block)
        };
        self.scenarios.iter().map(run).collect()
    }

    fn count(&self, study: &Study, range: (u64, u64), threads: usize) -> Result<(Vec<Option<f64>>, Counts)> {
        match self.way {
            Way::Fast => {
                let plan = FastPlan::compile(study, &self.analyses)?;
                let truths = true_values(&plan, self.seed, &mut Workspace::default());
                let block = |space: &mut Workspace, trials| {
                    Ok(run_block(&plan, self.seed, trials, &truths, self.criteria, space))
                };
                let counts = self.in_blocks(range, BLOCK, threads, &block)?;
                Ok((truths, counts))
            }
            Way::Full => {
                // What is true is known where the fast path serves the analysis too.
                let truth = |id: &AnalysisId| {
                    let plan = FastPlan::compile_at_the_end(study, std::slice::from_ref(id)).ok()?;
                    true_values(&plan, self.seed, &mut Workspace::default())[0]
                };
                let truths: Vec<Option<f64>> = self.analyses.iter().map(truth).collect();
                let block = |_: &mut (), (from, to)| self.run_whole(study, (from, to), &truths);
                let counts = self.in_blocks(range, 1, threads, &block)?;
                Ok((truths, counts))
            }
        }
    }

    fn run_whole(&self, study: &Study, (from, to): (u64, u64), truths: &[Option<f64>]) -> Result<Counts> {
        let mut counts = Counts::none(self.analyses.len());
        for trial in from..to {
            let whole = full::run(study, &Streams::of_trial_number(self.seed, trial))?;
            let none = Tested { outcome: None, analysed: 0 };
            let tested: Vec<Tested> =
                self.analyses.iter().map(|id| whole.tested(study, id).unwrap_or(none)).collect();
            counts.add(&tested, truths, self.criteria, whole.people, None);
        }
        Ok(counts)
    }

    /// Runs trials in blocks that the threads take one after another.
    fn in_blocks<S: Default>(
        &self,
        (from, to): (u64, u64),
        block: u64,
        threads: usize,
        run: &(dyn Fn(&mut S, (u64, u64)) -> Result<Counts> + Sync),
    ) -> Result<Counts> {
        let next = AtomicU64::new(from);
        let total = Mutex::new(Ok(Counts::none(self.analyses.len())));
        let work = || {
            let mut space = S::default();
            let mut own = Counts::none(self.analyses.len());
            let outcome = loop {
                let first = next.fetch_add(block, Ordering::Relaxed);
                if first >= to {
                    break Ok(());
                }
                match run(&mut space, (first, (first + block).min(to))) {
                    Ok(counts) => own.join(&counts),
                    Err(error) => break Err(error),
                }
            };
            // Exact sums: whoever comes first, the total is the same.
            let mut total = total.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            match (&mut *total, outcome) {
                (Ok(counts), Ok(())) => counts.join(&own),
                (Ok(_), Err(error)) => *total = Err(error),
                (Err(_), _) => {}
            }
        };
        if threads == 1 {
            work();
        } else {
            std::thread::scope(|scope| {
                for _ in 0..threads {
                    scope.spawn(work);
                }
            });
        }
        total.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// The hash of the program that runs.
fn program_hash() -> Result<String> {
    let path = std::env::current_exe().context("the program can't be found")?;
    let bytes = std::fs::read(&path).with_context(|| format!("{} can't be read", path.display()))?;
    Ok(Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect())
}

#[test]
fn shards_tile_the_trials() {
    for (trials, of) in [(10, 3), (1_000_000, 400), (7, 10), (1, 1)] {
        let mut next = 0;
        for index in 1..=of {
            let (from, to) = Shard { index, of }.range(trials);
            assert_eq!(from, next);
            next = to;
        }
        assert_eq!(next, trials);
    }
}

#[test]
fn a_shard_is_one_of_several() {
    assert_eq!("17/400".parse(), Ok(Shard { index: 17, of: 400 }));
    for wrong in ["0/4", "5/4", "4", "a/b", "1/0"] {
        assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
    }
}
