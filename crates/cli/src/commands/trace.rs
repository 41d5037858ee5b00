//! `equipoise trace`: from a number of a report to the rows and events behind it, and from a rule of the study to
//! its line, the events that applied it and its place in the report.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use anyhow::{Result, bail};
use clap::Args;
use record::Reader;
use serde_json::{Map, Value, json};
use store::SqliteReader;

use crate::terminal::say;
use crate::{
    Outcome,
    commands::verify::record_folder,
    demo::{Reported, reported},
    lines::{as_value, line},
};

/// What `trace` takes.
#[derive(Args)]
pub struct Arguments {
    /// The report's page, or its folder
    #[arg(value_name = "REPORT")]
    report: PathBuf,
    /// The number's id, as its link in the page carries it (`data-number`), or the id of a rule, check, derivation
    /// (`form.item`) or endpoint of the study; `list` prints all numbers, `all` traces them all
    #[arg(value_name = "ID")]
    id: String,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Traces a number.
///
/// # Errors
/// The report or its record can't be read, or there is no such number.
pub fn run(arguments: &Arguments) -> Result<Outcome> {
    let folder = if arguments.report.is_dir() {
        arguments.report.clone()
    } else {
        arguments.report.parent().map_or_else(PathBuf::new, Path::to_owned)
    };
    let reported = reported(&folder)?;
    let Reported { data, results } = &reported;
    if arguments.id == "list" {
        for (id, number) in results.numbers() {
            say!("{id}\t{}", number.text());
        }
        return Ok(Outcome::Success);
    }
    if arguments.id == "all" {
        let all: Map<String, Value> = results
            .numbers()
            .into_keys()
            .filter_map(|id| analysis::trace(results, data, id))
            .map(|trace| (trace.number.clone(), json!({ "text": trace.text, "rows": rows(data, &trace) })))
            .collect();
        say!("{}", Value::from(all));
        return Ok(Outcome::Success);
    }
    let Some(trace) = analysis::trace(results, data, &arguments.id) else {
        if crate::rule_trace::follow(&folder, &arguments.id, &reported, arguments.json)? {
            return Ok(Outcome::Success);
        }
        let near: Vec<&str> = results
            .numbers()
            .into_keys()
            .filter(|id| id.split('/').next() == arguments.id.split('/').next())
            .take(12)
            .collect();
        bail!(
            "the report has no number `{}`, and the study no rule, check, derivation or endpoint of that name{}",
            arguments.id,
            if near.is_empty() {
                "; `list` in its place prints all".to_owned()
            } else {
                format!("; of this analysis there are {}", near.join(", "))
            }
        );
    };
    let study_lines = study_lines(&folder, trace.analysis.as_str())?;
    let store = SqliteReader::open(&record_folder(&folder))?;
    let wanted: BTreeSet<u64> = trace
        .rows
        .iter()
        .flat_map(|rows| &rows.rows)
        .flat_map(|(_, sources)| sources.iter().copied())
        .collect();
    let events: BTreeMap<u64, _> = store
        .read(1)?
        .into_iter()
        .filter(|event| wanted.contains(&event.sequence))
        .map(|event| (event.sequence, line(&event)))
        .collect();
    if arguments.json {
        let events: Vec<Value> = events.values().map(as_value).collect();
        let document = json!({
            "number": trace.number, "text": trace.text, "analysis": trace.analysis, "label": trace.label,
            "method": trace.method, "set": trace.set,
            "study": study_lines.iter().map(|one| json!({ "what": one.what, "line": one.line.to_string() })).collect::<Vec<_>>(),
            "rows": rows(data, &trace), "events": events,
        });
        say!("{document:#}");
        return Ok(Outcome::Success);
    }
    say!("{} = {}", trace.number, trace.text);
    say!("{} ({})", trace.label, trace.analysis);
    say!("{}\n{}", trace.method, trace.set);
    for one in &study_lines {
        say!("study/{}  {}", one.line, one.what);
    }
    for rows in &trace.rows {
        say!("\n{} rows of {}", rows.rows.len(), rows.dataset);
        for (row, sources) in &rows.rows {
            let cells: Vec<String> = cells(data, &rows.dataset, *row, &rows.columns)
                .into_iter()
                .map(|(name, value)| format!("{name} {value}"))
                .collect();
            let sources: Vec<String> = sources.iter().map(ToString::to_string).collect();
            say!("  row {:<5} {}  <- events {}", row + 1, cells.join(", "), sources.join(" "));
        }
    }
    say!("\n{} events", events.len());
    for event in events.values() {
        say!(
            "  {:>6}  {}  {}  {} ({})  {} {}",
            event.sequence,
            event.recorded,
            event.stream,
            event.person,
            event.role,
            event.kind,
            event.what
        );
        for change in &event.changes {
            match &change.old {
                Some(old) => say!("          {}: {old} -> {}", change.item, change.new),
                None => say!("          {}: {}", change.item, change.new),
            }
        }
        if let Some(reason) = &event.reason {
            say!("          because {reason}");
        }
    }
    Ok(Outcome::Success)
}

/// Where the trial's own study says what the analysis is and what it rests on.
fn study_lines(folder: &Path, analysis: &str) -> Result<Vec<report::DefinedAt>> {
    let files = crate::folder::read(&folder.join("study"))?;
    let compiled = protocol::compile(&files)
        .map_err(|errors| anyhow::anyhow!("the trial's study does not compile: {}", errors[0]))?;
    Ok(report::StudyDefinitions::new(&compiled.study, &files).of_analysis(analysis))
}

/// The rows behind a number, each with its values and the events behind them.
fn rows(data: &datasets::DataSets, trace: &analysis::Trace) -> Vec<Value> {
    let mut all = Vec::new();
    for traced in &trace.rows {
        for (row, sources) in &traced.rows {
            let values: Map<String, Value> = cells(data, &traced.dataset, *row, &traced.columns)
                .into_iter()
                .map(|(name, value)| (name, json!(value)))
                .collect();
            all.push(
                json!({ "dataset": traced.dataset, "row": row + 1, "values": values, "events": sources }),
            );
        }
    }
    all
}

/// The participant and the named columns of a row.
fn cells(data: &datasets::DataSets, dataset: &str, row: usize, columns: &[String]) -> Vec<(String, String)> {
    let Some(set) = data.get(dataset) else { return Vec::new() };
    let mut names: Vec<&str> = vec!["subject"];
    names.extend(columns.iter().map(String::as_str).filter(|name| *name != "subject"));
    names
        .into_iter()
        .filter(|name| set.column(name).is_some())
        .map(|name| {
            (
                name.to_owned(),
                set.cell(name, row).answer().map_or_else(String::new, |answer| answer.to_string()),
            )
        })
        .collect()
}
