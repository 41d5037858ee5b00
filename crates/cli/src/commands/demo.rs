//! `equipoise demo`: both shipped trials whole, or trials of one's own, on virtual participants.

use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    path::{Path, PathBuf, absolute},
    sync::Mutex,
    time::Instant,
};

use anyhow::{Context, Result, bail};
use clap::Args;
use protocol::Study;
use record::Head;
use serde_json::{Map, Value, json};
use terms::AnalysisId;

use crate::terminal::say;
use crate::{
    Outcome,
    demo::{self, Progress, rehearse},
    shipped,
    simulate::{
        self, full,
        output::{percent_with_error, with_error},
        repeated,
        story::{self, Telling},
    },
};

/// Virtual trials behind each number of the story of the two trials, and behind the means beside those of the one trial.
const STORY_TRIALS: u64 = 1_000;

/// What `demo` takes.
#[derive(Args)]
pub struct Arguments {
    /// Studies to run in place of both shipped ones: folders, or ids of shipped studies
    #[arg(value_name = "STUDY")]
    studies: Vec<PathBuf>,
    /// Where to write records, data and reports
    #[arg(long, value_name = "DIR", default_value = "demo")]
    out: PathBuf,
    /// The seed of every random stream
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// How many threads to use; the results do not depend on it
    #[arg(long, value_name = "N", default_value_t = 2)]
    threads: usize,
    /// Write no PDF of the reports, which takes longer than all the rest
    #[arg(long)]
    no_pdf: bool,
    /// Leave out what is simulated over many trials: the story of the two, and the means beside published numbers
    #[arg(long)]
    no_story: bool,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
    /// Append a line (study, events, head) to this file each time a commit is durable
    #[arg(long, value_name = "FILE")]
    acknowledgements: Option<PathBuf>,
}

/// Runs the demo.
///
/// # Errors
/// A folder can't be written, or a trial can't go on.
#[expect(clippy::disallowed_methods, reason = "the command line tells people how long it took")]
pub fn run(arguments: &Arguments) -> Result<Outcome> {
    let began = Instant::now();
    let studies = studies(&arguments.studies, &arguments.out)?;
    fs::create_dir_all(&arguments.out)
        .with_context(|| format!("{} can't be made", arguments.out.display()))?;
    let told = arguments
        .acknowledgements
        .as_ref()
        .map(|path| fs::OpenOptions::new().create(true).append(true).open(path))
        .transpose()
        .context("the file of acknowledgements can't be written")?
        .map(Mutex::new);
    let progress = Progress::new(!arguments.json);
    let run_one = |(id, files): &(String, Files)| {
        let acknowledge = |head: Head| {
            if let Some(file) = &told {
                let mut file = file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                // A reader that can't be told does not stop a trial whose record is safe.
                let _ = writeln!(file, "{id} {} {}", head.sequence, String::from(head.hash));
            }
        };
        rehearse(files, arguments.seed, &arguments.out, &progress.study(id), &acknowledge)
            .with_context(|| format!("study {id}"))
    };
    let mut outcomes: Vec<demo::Outcome> = Vec::new();
    for together in studies.chunks(arguments.threads.max(1)) {
        let run: Vec<demo::Outcome> = std::thread::scope(|scope| {
            let (last, others) =
                together.split_last().map_or((None, &[][..]), |(last, others)| (Some(last), others));
            let running: Vec<_> = others.iter().map(|study| scope.spawn(|| run_one(study))).collect();
            // The last one here: what its rehearsal gives back, the reports are set in.
            let last = last.map(run_one);
            let joined = running
                .into_iter()
                .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            joined.chain(last).collect::<Result<_>>()
        })?;
        outcomes.extend(run);
    }
    if !arguments.no_pdf {
        // One after the other and in one thread: the second is set in the memory that the first gave back.
        for outcome in &mut outcomes {
            demo::write_pdf(outcome).with_context(|| format!("study {}", outcome.study.id))?;
        }
    }
    if !arguments.no_story && arguments.studies.is_empty() {
        let telling =
            Telling { trials: STORY_TRIALS, seed: arguments.seed, threads: arguments.threads.max(1) };
        let story = arguments.out.join("story.md");
        fs::write(&story, story::tell(telling)?)
            .with_context(|| format!("{} can't be written", story.display()))?;
    }
    let mut means = Vec::new();
    for outcome in outcomes.iter().filter(|_| !arguments.no_story) {
        let threads = arguments.threads.max(1);
        means.push(repeated::means(&outcome.study, STORY_TRIALS, arguments.seed, threads)?);
    }
    let seconds = began.elapsed().as_secs_f64();
    if arguments.json {
        say!("{:#}", document(&outcomes, &means, seconds));
    } else {
        print(&outcomes, &means, arguments.seed, seconds);
    }
    Ok(if outcomes.iter().all(|outcome| outcome.verified) { Outcome::Success } else { Outcome::Findings })
}

/// A study's files, by path within its folder.
type Files = BTreeMap<String, String>;

/// The studies that are to be run, by id.
fn studies(asked: &[PathBuf], out: &Path) -> Result<Vec<(String, Files)>> {
    if asked.is_empty() {
        return Ok(shipped::studies().map(|(id, files)| (id.to_owned(), files)).collect());
    }
    let mut studies: Vec<(String, Files)> = Vec::new();
    let out = absolute(out)?;
    for path in asked {
        let folder = absolute(path)?;
        if path.is_dir() && (out.starts_with(&folder) || folder.starts_with(&out)) {
            bail!(
                "{} would be written into the study's own folder, or holds it; name another folder with --out",
                out.display()
            );
        }
        let files = shipped::or_in(path)?;
        let id = simulate::compiled(&files).with_context(|| path.display().to_string())?.id.to_string();
        if studies.iter().any(|(known, _)| *known == id) {
            bail!(
                "{} has the id {id} of another study that was named; each is written to a folder of its id",
                path.display()
            );
        }
        studies.push((id, files));
    }
    Ok(studies)
}

fn document(outcomes: &[demo::Outcome], means: &[Vec<repeated::Mean>], seconds: f64) -> Value {
    let studies: Vec<Value> = outcomes
        .iter()
        .enumerate()
        .map(|(place, outcome)| {
            let analyses: Vec<Value> = outcome
                .results
                .analyses
                .iter()
                .map(|analysis| {
                    let estimates: Map<String, Value> = analysis
                        .numbers
                        .iter()
                        .map(|number| {
                            let name = number.id.split_once('/').map_or(number.id.as_str(), |(_, key)| key);
                            (name.to_owned(), json!(number.value))
                        })
                        .collect();
                    let published: Map<String, Value> = analysis
                        .published
                        .iter()
                        .map(|published| (published.estimate.clone(), json!(published.text)))
                        .collect();
                    json!({
                        "id": analysis.id,
                        "label": analysis.label,
                        "estimates": estimates,
                        "p_value": analysis.p_value().and_then(|p| p.value),
                        "published": published,
                    })
                })
                .collect();
            json!({
                "id": outcome.study.id,
                "effect": outcome.study.virtual_cohort.effect,
                "setting": outcome.study.virtual_cohort.setting,
                "screened": outcome.screened,
                "participants": outcome.participants,
                "completed": outcome.completed,
                "commands_accepted": outcome.commands_accepted,
                "commands_refused": outcome.refused.values().sum::<u64>(),
                "refusals": outcome.refused,
                "record": {
                    "events": outcome.head.sequence,
                    "head": String::from(outcome.head.hash),
                    "verified": outcome.verified,
                },
                "reports": reports(outcome),
                "analyses": analyses,
                "many_trials": means.get(place),
                "seconds": outcome.seconds.iter().map(|(step, s)| ((*step).to_owned(), json!(s))).collect::<Map<_, _>>(),
            })
        })
        .collect();
    json!({ "seconds": seconds, "studies": studies })
}

/// The reports by format.
fn reports(outcome: &demo::Outcome) -> Value {
    match &outcome.pdf {
        Some(pdf) => json!({ "html": outcome.page, "pdf": pdf }),
        None => json!({ "html": outcome.page }),
    }
}

fn print(outcomes: &[demo::Outcome], means: &[Vec<repeated::Mean>], seed: u64, seconds: f64) {
    for (place, outcome) in outcomes.iter().enumerate() {
        let study = &outcome.study;
        let means = means.get(place);
        let is_main =
            |id: &AnalysisId| study.plan.analyses.iter().any(|one| one.id == *id && one.role == "main");
        // Beside published numbers stand the analyses that they are of; a study without shows all of its main ones.
        let nothing_published = outcome
            .results
            .analyses
            .iter()
            .all(|analysis| analysis.published.is_empty() || !is_main(&analysis.id));
        say!("\n{} ({})", study.title.en(), study.id);
        say!(
            "virtual cohort of seed {seed}{}: {} screened, {} entered, {} completed treatment; {} \
             commands accepted, {} refused",
            described(study),
            outcome.screened,
            outcome.participants,
            outcome.completed,
            outcome.commands_accepted,
            outcome.refused.values().sum::<u64>()
        );
        say!(
            "\n  {:<44} {:<26} {:>10} {:>15} {:>24}",
            "analysis",
            "estimate",
            "stated",
            "virtual cohort",
            if means.is_some_and(|means| !means.is_empty()) { "many trials (MC SE)" } else { "" },
        );
        for analysis in &outcome.results.analyses {
            let planned = study.plan.analyses.iter().find(|planned| planned.id == analysis.id);
            let main = planned.and_then(full::estimate_of);
            if nothing_published && is_main(&analysis.id) {
                for name in main.into_iter().chain(["p"]) {
                    if let Some(ours) = analysis.number(name, None, None) {
                        let label = shortened(&analysis.label, 44);
                        say!("  {label:<44} {name:<26} {:>10} {:>15}", "-", ours.text());
                    }
                }
            }
            for published in &analysis.published {
                let ours = analysis.numbers.iter().find(|number| number.id == published.number);
                let mean = means.and_then(|means| means.iter().find(|mean| mean.id == analysis.id));
                let many = match (mean, published.estimate.as_str()) {
                    (Some(mean), "p") => {
                        let share = percent_with_error(mean.rejection_rate, mean.rejection_mc_se);
                        format!("≤ 0.05: {share}")
                    }
                    (Some(mean), estimate) if main == Some(estimate) => with_error(mean.mean, mean.mc_se),
                    _ => String::new(),
                };
                say!(
                    "  {:<44} {:<26} {:>10} {:>15} {:>24}",
                    shortened(&analysis.label, 44),
                    shortened(&published.estimate, 26),
                    published.text,
                    ours.map_or_else(|| "-".to_owned(), |number| number.text()),
                    many,
                );
            }
        }
        say!("\n  The virtual cohort is one trial: with another seed chance moves each of its numbers.");
        if means.is_some_and(|means| !means.is_empty()) {
            say!(
                "  Many trials: the mean of the estimate, or how often p is at most 0.05, over {STORY_TRIALS} trials of the \
                 same cohort{}, with the Monte Carlo standard error.",
                described(study)
            );
        }
        say!("\n  record    {} events, head {}", outcome.head.sequence, String::from(outcome.head.hash));
        let verdict = if outcome.verified { "verified, ends at this head" } else { "ALTERED" };
        say!("  verify    {verdict}");
        say!("  report    {}", outcome.page.display());
        if let Some(pdf) = &outcome.pdf {
            say!("  on paper  {}", pdf.display());
        }
        for (folder, count) in folders(&outcome.files) {
            say!("  files     {:>3} in {}", count, folder.display());
        }
        if let Some(folder) = outcome.page.parent() {
            say!("  proof     cd {} && Rscript recompute.R", folder.join("data").display());
        }
    }
    say!(
        "\nAll of it in {seconds:.1} s. Every participant is virtual; nothing here is evidence about a treatment."
    );
}

/// What a cohort's study says of its drug effect and its setting, in brackets; nothing where it says neither.
fn described(study: &Study) -> String {
    let cohort = &study.virtual_cohort;
    let said = [("drug effect", &cohort.effect), ("setting", &cohort.setting)];
    let said: Vec<String> = said
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name} {value}"))
        .collect();
    if said.is_empty() { String::new() } else { format!(" ({})", said.join(", ")) }
}

/// How many files lie in each folder, in the order of the folders' names.
fn folders(files: &[PathBuf]) -> BTreeMap<&Path, usize> {
    let mut folders = BTreeMap::new();
    for folder in files.iter().filter_map(|file| file.parent()) {
        *folders.entry(folder).or_insert(0) += 1;
    }
    folders
}

fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(most - 1).collect();
    short.push('…');
    short
}
