//! `equipoise check`: compiles a study and says everything that is wrong with it.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use analysis::Results;
use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use datasets::DataSets;
use protocol::{
    Study,
    content_pack::{self, Unworded},
};
use record::Reader;
use report::{Provenance, document::Document};
use serde_json::json;
use store::SqliteReader;

use crate::terminal::say;
use crate::{
    Outcome,
    commands::{pack::read, verify::record_folder},
    coverage::Followed,
    demo::{Progress, Reported, rehearse, reported},
    folder,
};

/// What `check` takes.
#[derive(Args)]
pub struct Arguments {
    /// The study's folder
    #[arg(value_name = "STUDY")]
    study: PathBuf,
    /// Follow each statement of the protocol (coverage.toml) to its study line, its events and its place in the report
    #[arg(long)]
    coverage: bool,
    /// The folder of a demo whose record and report to follow them in; without it, the study is rehearsed for it
    #[arg(long, value_name = "DIR", requires = "coverage")]
    demo: Option<PathBuf>,
    /// Content packs at hand: also says which forms can't go live without one that is not among them
    #[arg(long, value_name = "FILE", num_args = 0.., conflicts_with = "coverage")]
    packs: Option<Vec<PathBuf>>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Checks a study folder.
///
/// # Errors
/// The folder can't be read.
pub fn run(arguments: &Arguments) -> Result<Outcome> {
    // A folder with a plan alone is compiled as one.
    let plan_alone =
        !arguments.study.join("study.toml").exists() && arguments.study.join("analysis.toml").exists();
    let files = match plan_alone {
        true => folder::read_plan(&arguments.study)?,
        false => folder::read(&arguments.study)?,
    };
    let compiled = if plan_alone { protocol::compile_plan(&files) } else { protocol::compile(&files) };
    match compiled {
        Ok(compiled) if arguments.coverage => follow(arguments, &files, &compiled.study),
        Ok(compiled) => {
            let study = &compiled.study;
            let unworded = arguments.packs.as_deref().map(|packs| unworded(study, packs)).transpose()?;
            let live = unworded.as_ref().is_none_or(Vec::is_empty);
            let outcome = if live { Outcome::Success } else { Outcome::Findings };
            if arguments.json {
                let document = json!({
                    "id": study.id,
                    "version": study.version,
                    "errors": [],
                    "warnings": compiled.warnings,
                    "schedule": protocol::schedule_table(study),
                    "forms_without_wording": unworded,
                });
                say!("{document:#}");
                return Ok(outcome);
            }
            for warning in &compiled.warnings {
                eprintln!("{warning}\n");
            }
            say!("{} ({})", study.title.en(), study.id);
            say!("version {}\n", study.version);
            if plan_alone {
                let data: Vec<&str> = study.plan.data.iter().map(|set| set.name.as_str()).collect();
                say!("a plan over the data sets {}", data.join(", "));
                say!("{} analyses; {} warnings", study.plan.analyses.len(), compiled.warnings.len());
                return Ok(Outcome::Success);
            }
            say!("{}", protocol::schedule_table(study));
            say!(
                "\n{} forms, {} eligibility rules, {} analyses; {} warnings",
                study.forms.len(),
                study.eligibility.len(),
                study.plan.analyses.len(),
                compiled.warnings.len()
            );
            for one in unworded.iter().flatten() {
                eprintln!(
                    "form {} can't go live: load a content pack of {} in language `{}`",
                    one.form, one.instrument, one.language
                );
            }
            Ok(outcome)
        }
        Err(errors) => {
            if arguments.json {
                say!("{:#}", json!({ "errors": errors }));
            } else {
                for error in &errors {
                    eprintln!("{error}\n");
                }
                eprintln!("{} errors", errors.len());
            }
            Ok(Outcome::Findings)
        }
    }
}

/// The forms that can't go live with these packs.
fn unworded(study: &Study, packs: &[PathBuf]) -> Result<Vec<Unworded>> {
    let mut loaded = BTreeSet::new();
    for path in packs {
        let pack = read(path)?.map_err(|faults| anyhow!("{}: {}", path.display(), faults.join("; ")))?;
        loaded.insert((pack.instrument, pack.language));
    }
    let has =
        |instrument: &str, language: &str| loaded.contains(&(instrument.to_owned(), language.to_owned()));
    Ok(content_pack::unworded(study, has))
}

/// The seed of the rehearsal in which statements are followed, the demo's own.
const SEED: u64 = 1;

/// Follows every statement of the protocol through a trial that was run.
fn follow(arguments: &Arguments, files: &BTreeMap<String, String>, study: &Study) -> Result<Outcome> {
    if study.coverage.statements.is_empty() {
        bail!("the study has no coverage.toml with the protocol's statements, so there is nothing to follow");
    }
    let temporary;
    let folder = match &arguments.demo {
        Some(folder) if folder.join(study.id.as_str()).is_dir() => folder.join(study.id.as_str()),
        Some(folder) => folder.clone(),
        None => {
            temporary = tempfile::tempdir().context("a folder for the rehearsal can't be made")?;
            rehearse(files, SEED, temporary.path(), &Progress::new(false).study(""), &|_| {})?.folder
        }
    };
    let followed = folder.join("study");
    let version = protocol::content_hash(&folder::read(&followed)?);
    if version != study.version {
        bail!(
            "{} holds a trial of another version of the study ({version}); run the demo again, or leave --demo out",
            folder.display()
        );
    }
    let Reported { data, results } = reported(&folder)?;
    let events = SqliteReader::open(&record_folder(&folder))?.read(1)?;
    let document = document(study, &data, &results)?;
    let lines = protocol::study_lines(files);
    let table = Followed {
        study,
        lines: &lines,
        events: &events,
        data: &data,
        results: &results,
        document: &document,
    }
    .table();
    let open = table.iter().filter(|row| !row.is_complete()).count();
    if arguments.json {
        let document = json!({ "id": study.id, "version": version, "complete": open == 0, "rows": table });
        say!("{document:#}");
    } else {
        for row in &table {
            let mark = if row.is_complete() { " " } else { "!" };
            let events: Vec<String> = row.events.iter().map(ToString::to_string).collect();
            let more = if row.event_count > row.events.len() { " …" } else { "" };
            say!("{mark} {}: {}", row.id, row.says);
            say!("    study   {}", or_none(&row.study.join(", ")));
            say!("    events  {} ({}{more})", row.event_count, events.join(" "));
            say!("    report  {}", or_none(&row.report.join("; ")));
        }
        let cells = table.iter().filter(|row| row.kind == "cell").count();
        say!("\n{} statements and {cells} cells of the schedule; {open} lead nowhere", table.len() - cells);
    }
    Ok(if open == 0 { Outcome::Success } else { Outcome::Findings })
}

fn or_none(text: &str) -> &str {
    if text.is_empty() { "NONE" } else { text }
}

/// The report of a trial, to look for places in it; its head names no record.
pub(crate) fn document(study: &Study, data: &DataSets, results: &Results) -> Result<Document> {
    let provenance = Provenance {
        study_version: study.version.clone(),
        record_head: String::new(),
        record_events: 0,
        program: String::new(),
        seed: None,
        virtual_cohort: true,
    };
    // Its places are looked for, not what lies behind its numbers.
    let behind = report::Behind { events: &[], files: &std::collections::BTreeMap::new() };
    Ok(report::build(study, data, results, &provenance, behind, "en")?.document)
}
