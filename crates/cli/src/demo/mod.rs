//! A trial whole, on virtual participants.

pub mod close_out;
mod progress;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use analysis::Results;
use anyhow::{Context, Result, bail};
use datasets::DataSets;
use protocol::Study;
use record::{Environment, Event, Head};
use report::{Provenance, Report};
use serde::{Deserialize, Serialize};
use simulation::{Audience, ConductedTrial, Custody, Rehearsal, streams::Streams};
use store::SqliteStore;
use store::identity::{Identity, IdentityKey, IdentityStore};
use terms::Date;

pub use progress::Progress;
use progress::StudyProgress;

/// What one rehearsed study came to.
pub struct Outcome {
    /// The study.
    pub study: Study,
    /// People screened.
    pub screened: u64,
    /// People who entered the trial.
    pub participants: u64,
    /// Of these, who completed treatment.
    pub completed: u64,
    /// Commands accepted.
    pub commands_accepted: u64,
    /// Commands refused, by what the refusals said.
    pub refused: BTreeMap<String, u64>,
    /// Where the record ends.
    pub head: Head,
    /// Whether the record verified against that head.
    pub verified: bool,
    /// The results.
    pub results: Results,
    /// The folder that holds all of it.
    pub folder: PathBuf,
    /// The report's page.
    pub page: PathBuf,
    /// The report itself, until [`write_pdf`] has made the PDF of it.
    #[cfg_attr(not(feature = "pdf"), expect(dead_code, reason = "only the PDF is made of it"))]
    pub report: Option<Report>,
    /// The report as PDF, once [`write_pdf`] has made it.
    pub pdf: Option<PathBuf>,
    /// The day of the record's last event.
    #[cfg_attr(not(feature = "pdf"), expect(dead_code, reason = "only the PDF is made of it"))]
    pub last_day: Date,
    /// Files written, by path below the output folder.
    pub files: Vec<PathBuf>,
    /// Wall-clock seconds by step.
    pub seconds: Vec<(&'static str, f64)>,
}

/// What `trace` needs beside the record: data sets and results as they were reported.
#[derive(Serialize, Deserialize)]
pub struct Reported {
    /// The data sets.
    pub data: DataSets,
    /// The results.
    pub results: Results,
}

/// Virtual trials behind each sentence of what a trial can and can't show.
const VERDICT_TRIALS: u64 = 2_000;

/// The file that holds [`Reported`].
pub const REPORTED: &str = "results.json";

/// Reads what was reported of a trial in its folder.
///
/// # Errors
/// The folder holds no report's results.
pub fn reported(folder: &Path) -> Result<Reported> {
    let path = folder.join(REPORTED);
    let text = fs::read_to_string(&path)
        .with_context(|| format!("{} can't be read; name the report's page or its folder", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is not a report's results", path.display()))
}

/// Told of each head once what led to it is durable.
pub type Acknowledge<'a> = &'a (dyn Fn(Head) + Sync);

/// A person at the bar, and whoever counts what is durable.
struct Followed<'a> {
    progress: &'a StudyProgress,
    acknowledge: Acknowledge<'a>,
}

impl Audience for Followed<'_> {
    fn durable(&self, head: Head) {
        (self.acknowledge)(head);
    }

    fn participants(&self, through: u64, all: u64) {
        self.progress.participants(through, all);
    }

    fn step(&self, what: &str) {
        self.progress.step(what);
    }
}

/// Rehearses one study below `out` and writes everything it led to.
///
/// # Errors
/// The study does not compile, the folder can't be written, or the trial can't be closed.
pub fn rehearse(
    files: &BTreeMap<String, String>,
    seed: u64,
    out: &Path,
    progress: &StudyProgress,
    acknowledge: Acknowledge<'_>,
) -> Result<Outcome> {
    let mut clock = Stopwatch::start();
    let study = crate::simulate::compiled(files)?;
    clock.lap("compile");
    let folder = out.join(study.id.as_str());
    fresh_folder(&folder)?;
    crate::folder::write_new(&folder.join("study"), files)?;

    let streams = Streams::new(seed);
    let custody = study.allocation.as_ref().map(|plan| Custody::seal(&study, plan, &streams)).transpose()?;
    let vault = custody.as_ref().map(Custody::unlock).transpose()?;
    let list = custody.as_ref().map(Custody::open_list).transpose()?;
    if let (Some(custody), Some(plan)) = (&custody, &study.allocation) {
        write(&folder.join(&plan.sealed_file), &(serde_json::to_string_pretty(&custody.sealed)? + "\n"))?;
    }
    clock.lap("seal");

    let followed = Followed { progress, acknowledge };
    let store = SqliteStore::create(&folder.join("record"), Environment::Rehearsal)?;
    let mut trial =
        ConductedTrial::begin(&study, &streams, Box::new(store), vault.as_ref(), list.as_ref(), &followed)?;
    let mut rehearsal = Rehearsal::new(&study, streams, &mut trial);
    rehearsal.open(seed)?;
    if let Some(custody) = &custody {
        rehearsal.seal_and_supply(custody)?;
    }
    let rehearsed = rehearsal.run()?;
    keep_identities(&folder, &rehearsal, &streams)?;
    clock.lap("conduct");
    let locked = close_out::up_to_lock(&mut rehearsal, &study, rehearsed.last_day)?;
    if study.allocation.is_some() {
        let copy = folder.join("before-unblinding");
        rehearsal.trial().engine().store().backup_to(&copy.join("record"))?;
        close_out::unblind(&mut rehearsal, locked, list.as_ref())?;
    }
    clock.lap("close");
    let head = trial.commit()?;

    progress.step("analysis and report");
    let state = trial.engine().state();
    let data = datasets::build(&study, state);
    let results = analysis::run(&study.plan, &study.arms, &study.facts, &data)?;
    clock.lap("analyse");
    let completed = state
        .casebooks
        .values()
        .filter(|casebook| casebook.treatment_end.is_some_and(|end| !end.early))
        .count() as u64;
    let mut written = write_data(&folder, &study, &data, &results)?;
    let events = trial.engine().store().read(1)?;
    let provenance = Provenance {
        study_version: study.version.clone(),
        record_head: String::from(head.hash),
        record_events: head.sequence,
        program: format!("equipoise {}", env!("CARGO_PKG_VERSION")),
        seed: Some(seed),
        virtual_cohort: true,
    };
    let lines: Vec<_> = events.iter().map(crate::lines::line).collect();
    let mut report =
        report::build(&study, &data, &results, &provenance, report::Behind { events: &lines, files }, "en")?;
    if let Some(section) = crate::simulate::verdict::section(&study, VERDICT_TRIALS, seed)? {
        let place = report.document.sections.len().min(1);
        report.document.sections.insert(place, section);
    }
    let page = write_report(&folder, &report, &mut written)?;
    clock.lap("report");
    let counts = trial.engine().counts();
    let refused = std::mem::take(&mut trial.refused);
    drop(trial);
    let verified = store::verify(&folder.join("record"), Some(head.hash))?.first_fault.is_none();
    clock.lap("verify");
    progress.done();
    Ok(Outcome {
        screened: rehearsed.screened,
        participants: rehearsed.enrolled,
        completed,
        commands_accepted: counts.accepted,
        refused,
        head,
        verified,
        results,
        folder,
        page,
        report: Some(report),
        pdf: None,
        last_day: last_day(&events),
        files: written,
        seconds: clock.laps,
        study,
    })
}

/// Keeps who the participants are apart from the record, sealed under a key of their own.
///
/// In a live trial each site holds that key; a rehearsal's is never written.
fn keep_identities(
    folder: &Path,
    rehearsal: &Rehearsal<'_, ConductedTrial<'_>>,
    streams: &Streams,
) -> Result<()> {
    let mut secrets = streams.for_secrets("identities");
    let mut key = [0; 32];
    rand_core::Rng::fill_bytes(&mut secrets, &mut key);
    let path = folder.join("identities.sqlite");
    let mut identities = IdentityStore::create(&path, &IdentityKey::from_bytes(key), &mut secrets)?;
    for (subject, born) in rehearsal.births() {
        let identity = Identity {
            name: format!("Virtual participant {subject}"),
            birth_date: Some(born.into()),
            contact: String::new(),
        };
        identities.put(subject, &identity, &mut secrets)?;
    }
    Ok(())
}

/// Makes the study's folder anew; what an earlier rehearsal left there goes.
fn fresh_folder(folder: &Path) -> Result<()> {
    if folder.exists() {
        if !folder.join("record").exists() {
            bail!(
                "{} is there already and holds no rehearsal; name another folder with --out",
                folder.display()
            );
        }
        fs::remove_dir_all(folder).with_context(|| format!("{} can't be cleared", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("{} can't be made", folder.display()))
}

fn write(path: &Path, text: &str) -> Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).with_context(|| format!("{} can't be made", parent.display()))?;
    }
    fs::write(path, text).with_context(|| format!("{} can't be written", path.display()))
}

/// Data sets as CSV with their dictionary, and the script by which a stranger recomputes every p-value.
///
/// # Errors
/// The folder can't be written.
pub fn write_data(folder: &Path, study: &Study, data: &DataSets, results: &Results) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut keep = |name: String, text: &str| -> Result<()> {
        let path = folder.join(name);
        write(&path, text)?;
        files.push(path);
        Ok(())
    };
    for set in data.all() {
        keep(format!("data/{}.csv", set.name), &datasets::csv::write(set))?;
    }
    keep("data/dictionary.csv".to_owned(), &datasets::csv::write_dictionary(data.all()))?;
    keep("data/recompute.R".to_owned(), &analysis::r_script(&study.plan, &study.arms, data))?;
    keep("data/expected.csv".to_owned(), &analysis::expected_csv(&study.plan, results))?;
    let event = exchange::ars::reporting_event(study, results);
    keep("results.ars.json".to_owned(), &(serde_json::to_string_pretty(&event)? + "\n"))?;
    let reported = Reported { data: data.clone(), results: results.clone() };
    keep(REPORTED.to_owned(), &(serde_json::to_string(&reported)? + "\n"))?;
    Ok(files)
}

/// The report as a page, and each of its drawings as a file of its own.
///
/// # Errors
/// The folder can't be written.
pub fn write_report(folder: &Path, report: &Report, written: &mut Vec<PathBuf>) -> Result<PathBuf> {
    let page = folder.join("report.html");
    write(&page, &report::html::render(report)?)?;
    for (name, drawing) in report.drawings() {
        let path = folder.join("figures").join(name);
        write(&path, &drawing)?;
        written.push(path);
    }
    written.push(page.clone());
    Ok(page)
}

/// The day on which the last of these events was recorded, in UTC; the first of all days for none.
pub fn last_day(events: &[Event]) -> Date {
    events.last().map_or(Date::MIN, |last| jiff::tz::TimeZone::UTC.to_datetime(last.recorded.utc).date())
}

/// Writes a report as PDF beside its page; `made` is the day that its properties state.
///
/// # Errors
/// The report breaks the rules of an accessible PDF, or the file can't be written.
#[cfg(feature = "pdf")]
pub fn write_paper(page: &Path, report: &Report, made: Date) -> Result<Option<PathBuf>> {
    let path = page.with_extension("pdf");
    let bytes = report_pdf::render(&report.document, Some(&report.trace), made)?;
    fs::write(&path, bytes).with_context(|| format!("{} can't be written", path.display()))?;
    Ok(Some(path))
}

/// Writes nothing: the program was built without the typesetter.
///
/// # Errors
/// None.
#[cfg(not(feature = "pdf"))]
pub fn write_paper(_: &Path, _: &Report, _: Date) -> Result<Option<PathBuf>> {
    Ok(None)
}

/// Writes the report as PDF beside its page.
///
/// # Errors
/// As [`write_paper`].
#[cfg(feature = "pdf")]
pub fn write_pdf(outcome: &mut Outcome) -> Result<()> {
    let mut clock = Stopwatch::start();
    // What is not needed any more makes room for the other report.
    let Some(report) = outcome.report.take() else { return Ok(()) };
    outcome.pdf = write_paper(&outcome.page, &report, outcome.last_day)?;
    drop(report);
    outcome.files.extend(outcome.pdf.clone());
    clock.lap("pdf");
    outcome.seconds.append(&mut clock.laps);
    Ok(())
}

/// Does nothing: the program was built without the typesetter.
///
/// # Errors
/// None.
#[cfg(not(feature = "pdf"))]
pub fn write_pdf(_: &mut Outcome) -> Result<()> {
    Ok(())
}

/// Wall-clock seconds of the steps of a rehearsal, for people; no result depends on them.
struct Stopwatch {
    last: Instant,
    laps: Vec<(&'static str, f64)>,
}

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "the command line tells people how long it took")]
    fn start() -> Self {
        Self { last: Instant::now(), laps: Vec::new() }
    }

    #[expect(clippy::disallowed_methods, reason = "the command line tells people how long it took")]
    fn lap(&mut self, name: &'static str) {
        let now = Instant::now();
        self.laps.push((name, (now - self.last).as_secs_f64()));
        self.last = now;
    }
}
