//! `equipoise analyse`: a study's plan on its locked record, or a plan alone on data sets that were made elsewhere.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use analysis::Results;
use anyhow::{Context, Result, bail};
use clap::Args;
use datasets::Dataset;
use exchange::{DataError, Encoding};
use protocol::{Study, model::DeclaredData};
use record::{Environment, Reader};
use report::Provenance;
use serde_json::json;
use sha2::{Digest, Sha256};
use store::SqliteReader;
use terms::Date;

use crate::{
    Outcome,
    commands::verify::record_folder,
    demo::{self, REPORTED, Reported},
    folder,
    terminal::say,
};

/// What `analyse` takes.
#[derive(Args)]
pub struct Arguments {
    /// A study's folder, or one that holds analysis.toml alone
    #[arg(value_name = "PLAN")]
    plan: PathBuf,
    /// Of a study the folder of the trial or its record; of a plan alone that of the data sets: CSV, Dataset-JSON (.json, .ndjson, .dsjc), SAS transport (.xpt) or Parquet
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The folder to write to, made if it is not there
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The encoding of text in CSV and XPT files: utf-8, windows-1252 or latin-1
    #[arg(long, default_value = "utf-8")]
    encoding: String,
    /// Leave out the report on paper
    #[arg(long)]
    no_pdf: bool,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Runs a plan and writes its results.
///
/// # Errors
/// A folder can't be read or written, or the plan asks for what can't be done.
pub fn run(arguments: &Arguments) -> Result<Outcome> {
    if arguments.plan.join("study.toml").exists() { run_study(arguments) } else { run_plan(arguments) }
}

/// Runs a study's plan on its record, which must be whole, locked and of this version of the study.
fn run_study(arguments: &Arguments) -> Result<Outcome> {
    let files = folder::read(&arguments.plan)?;
    let study = match protocol::compile(&files) {
        Ok(compiled) => compiled.study,
        Err(errors) => {
            let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
            return Ok(refused(arguments, &texts, &json!({ "errors": errors })));
        }
    };
    let place = record_folder(&arguments.data);
    if let Some(fault) = store::verify(&place, None)?.first_fault {
        bail!("the record was altered, so nothing is analysed: {fault}");
    }
    let store = SqliteReader::open(&place)?;
    let (head, events) = (store.head()?, store.read(1)?);
    let state = conduct::State::replay(&events);
    if state.locked.is_none() {
        bail!("the database is not locked; a plan is run after the lock");
    }
    let written_under = events.last().map_or("", |event| event.study_version.as_str());
    if written_under != study.version {
        bail!(
            "the record was last written under version {written_under} of the study, and {} is version {}; name the folder of that version",
            arguments.plan.display(),
            study.version
        );
    }
    let data = datasets::build(&study, &state);
    let results = analysis::run(&study.plan, &study.arms, &study.facts, &data)?;
    let provenance = Provenance {
        study_version: study.version.clone(),
        record_head: String::from(head.hash),
        record_events: head.sequence,
        program: format!("equipoise {}", env!("CARGO_PKG_VERSION")),
        seed: None,
        virtual_cohort: store.environment() == Environment::Rehearsal,
    };
    let lines: Vec<_> = events.iter().map(crate::lines::line).collect();
    let behind = report::Behind { events: &lines, files: &files };
    let report = report::build(&study, &data, &results, &provenance, behind, "en")?;
    let mut written = demo::write_data(&arguments.out, &study, &data, &results)?;
    let page = demo::write_report(&arguments.out, &report, &mut written)?;
    if !arguments.no_pdf {
        written.extend(demo::write_paper(&page, &report, demo::last_day(&events))?);
    }
    let written: Vec<String> = written.iter().map(|path| path.display().to_string()).collect();
    said(arguments, &study, &results, &written);
    Ok(Outcome::Success)
}

/// Says what was written.
fn said(arguments: &Arguments, study: &Study, results: &Results, written: &[String]) {
    let numbers: usize = results.analyses.iter().map(|analysis| analysis.numbers.len()).sum();
    if arguments.json {
        let document = json!({
            "plan": study.id,
            "version": study.version,
            "analyses": results.analyses.len(),
            "numbers": numbers,
            "files": written,
        });
        say!("{document:#}");
        return;
    }
    say!("{} analyses, {numbers} numbers", results.analyses.len());
    for path in written {
        say!("{path}");
    }
}

/// Runs a plan on data sets that were made elsewhere.
fn run_plan(arguments: &Arguments) -> Result<Outcome> {
    let files = folder::read_plan(&arguments.plan)?;
    let Some(encoding) = Encoding::named(&arguments.encoding) else {
        bail!("no encoding `{}` is known; use utf-8, windows-1252 or latin-1", arguments.encoding);
    };
    let study = match protocol::compile_plan(&files) {
        Ok(compiled) => {
            for warning in &compiled.warnings {
                eprintln!("{warning}\n");
            }
            compiled.study
        }
        Err(errors) => {
            let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
            return Ok(refused(arguments, &texts, &json!({ "errors": errors })));
        }
    };
    let loaded = match load(&study, &arguments.data, encoding)? {
        Ok(loaded) => loaded,
        Err(faults) => {
            let texts: Vec<String> = faults.iter().map(ToString::to_string).collect();
            return Ok(refused(arguments, &texts, &json!({ "errors": texts })));
        }
    };
    let made = loaded.iter().map(|(_, source)| source.changed).max().unwrap_or(Date::MIN);
    let (sets, sources): (Vec<Dataset>, Vec<Source>) = loaded.into_iter().unzip();
    let data = datasets::from_elsewhere(&study.plan, sets);
    let results = analysis::run(&study.plan, &study.arms, &study.facts, &data)?;
    let mut lines = vec![
        ("Plan".to_owned(), study.id.to_string()),
        ("Plan version (SHA-256)".to_owned(), study.version.clone()),
    ];
    for source in &sources {
        let (rows, hash) = (source.rows, &source.hash);
        lines.push((format!("Data set {}", source.file), format!("{rows} rows, SHA-256 {hash}")));
    }
    lines.push(("Program".to_owned(), format!("equipoise {}", env!("CARGO_PKG_VERSION"))));
    let report = report::build_elsewhere(&study, &data, &results, lines, &files, "en")?;
    let out = &arguments.out;
    let mut written = Vec::new();
    let mut keep = |name: &str, text: &str| -> Result<()> {
        let path = out.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).with_context(|| format!("{} can't be made", parent.display()))?;
        }
        fs::write(&path, text).with_context(|| format!("{} can't be written", path.display()))?;
        written.push(path.display().to_string());
        Ok(())
    };
    keep("report.html", &report::html::render(&report)?)?;
    for (name, drawing) in report.drawings() {
        keep(&format!("figures/{name}"), &drawing)?;
    }
    let paper = match arguments.no_pdf {
        true => None,
        false => demo::write_paper(&out.join("report.html"), &report, made)?,
    };
    keep("results.csv", &results_csv(&results))?;
    let event = exchange::ars::reporting_event(&study, &results);
    keep("results.ars.json", &(serde_json::to_string_pretty(&event)? + "\n"))?;
    let reported = Reported { data, results };
    keep(REPORTED, &(serde_json::to_string(&reported)? + "\n"))?;
    written.extend(paper.map(|path| path.display().to_string()));
    said(arguments, &study, &reported.results, &written);
    Ok(Outcome::Success)
}

fn refused(arguments: &Arguments, texts: &[String], document: &serde_json::Value) -> Outcome {
    if arguments.json {
        say!("{document:#}");
    } else {
        for text in texts {
            eprintln!("{text}\n");
        }
        eprintln!("{} errors; nothing was written", texts.len());
    }
    Outcome::Findings
}

/// Where a data set came from.
struct Source {
    file: String,
    rows: usize,
    hash: String,
    /// The day on which the file was last changed, in UTC.
    changed: Date,
}

/// Reads every data set of a plan, or says all that keeps them from being read.
fn load(
    study: &Study,
    folder: &Path,
    encoding: Encoding,
) -> Result<Result<Vec<(Dataset, Source)>, Vec<DataError>>> {
    let mut names = BTreeMap::new();
    let entries = fs::read_dir(folder).with_context(|| format!("{} can't be read", folder.display()))?;
    for entry in entries {
        let name = entry?.file_name().to_string_lossy().into_owned();
        names.insert(name.to_lowercase(), name);
    }
    let (mut loaded, mut faults) = (Vec::new(), Vec::new());
    for declared in &study.plan.data {
        let file = file_of(declared, &names, folder)?;
        let path = folder.join(&file);
        let bytes = fs::read(&path).with_context(|| format!("{} can't be read", path.display()))?;
        let table = exchange::read(&file, &bytes, encoding);
        match table.map_err(|fault| vec![fault]).and_then(|table| exchange::conform(&table, declared)) {
            Ok(set) => {
                let hash = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
                let rows = set.rows();
                let moment = fs::metadata(&path).and_then(|about| about.modified()).ok();
                let moment = moment.and_then(|moment| jiff::Timestamp::try_from(moment).ok());
                let changed =
                    moment.map_or(Date::MIN, |moment| jiff::tz::TimeZone::UTC.to_datetime(moment).date());
                loaded.push((set, Source { file, rows, hash, changed }));
            }
            Err(found) => faults.extend(found),
        }
    }
    Ok(if faults.is_empty() { Ok(loaded) } else { Err(faults) })
}

/// The one file that holds a data set.
fn file_of(declared: &DeclaredData, names: &BTreeMap<String, String>, folder: &Path) -> Result<String> {
    let wanted = exchange::ENDINGS.iter().map(|ending| format!("{}.{ending}", declared.name.to_lowercase()));
    let found: Vec<&String> = wanted.filter_map(|name| names.get(&name)).collect();
    match found.as_slice() {
        [only] => Ok((*only).clone()),
        [] => bail!(
            "{} holds no data set `{}`; put it there as {}.dsjc, .ndjson, .json, .xpt, .parquet or .csv",
            folder.display(),
            declared.name,
            declared.name
        ),
        several => {
            let listed: Vec<&str> = several.iter().map(|name| name.as_str()).collect();
            bail!(
                "{} holds `{}` more than once ({}); leave one there",
                folder.display(),
                declared.name,
                listed.join(", ")
            )
        }
    }
}

/// Every number: its id, unrounded and as printed, and why it can't be estimated.
fn results_csv(results: &Results) -> String {
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let mut out = String::from("id,value,printed,not_estimable\r\n");
    for number in results.analyses.iter().flat_map(|analysis| &analysis.numbers) {
        let value = number.value.map(|value| value.to_string()).unwrap_or_default();
        let why = number.not_estimable.as_deref().map(quoted).unwrap_or_default();
        out.push_str(&format!("{},{value},{},{why}\r\n", quoted(&number.id), quoted(&number.text())));
    }
    out
}
