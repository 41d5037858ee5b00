//! From a name of the study (a rule, check, derivation, endpoint …) to its lines, the events that applied it,
//! and its place in the report.

use std::{collections::BTreeMap, path::Path};

use anyhow::{Result, anyhow};
use protocol::{
    Kind,
    model::{Derivation, Study},
};
use record::{Event, Reader};
use serde_json::{Value, json};
use store::SqliteReader;

use crate::{
    commands::{check::document, verify::record_folder},
    coverage::Followed,
    demo::Reported,
    folder,
    lines::{self, line},
    terminal::say,
};

/// Events that are printed for a person; `--json` has all.
const EVENTS_PRINTED: usize = 20;

/// What a name of the study leads to.
struct Traced {
    what: &'static str,
    says: String,
    study: Vec<String>,
    events: Vec<u64>,
    report: Vec<String>,
}

/// Follows a name through a trial that was run and prints where it leads; says whether the study has it.
///
/// # Errors
/// The trial's study does not compile, or its record can't be read.
pub fn follow(folder: &Path, id: &str, reported: &Reported, as_json: bool) -> Result<bool> {
    let files = folder::read(&folder.join("study"))?;
    let compiled = protocol::compile(&files)
        .map_err(|errors| anyhow!("the trial's study does not compile: {}", errors[0]))?;
    let study = &compiled.study;
    let names = names(study, id);
    if names.is_empty() {
        return Ok(false);
    }
    let lines = protocol::study_lines(&files);
    let events = SqliteReader::open(&record_folder(folder))?.read(1)?;
    let document = document(study, &reported.data, &reported.results)?;
    let followed = Followed {
        study,
        lines: &lines,
        events: &events,
        data: &reported.data,
        results: &reported.results,
        document: &document,
    };
    let traced: Vec<Traced> = names
        .into_iter()
        .map(|(kind, what, name, says)| {
            let (study, events, report) = followed.leads(kind, &name);
            Traced { what, says, study, events, report }
        })
        .collect();
    let by_sequence: BTreeMap<u64, &Event> = events.iter().map(|event| (event.sequence, event)).collect();
    if as_json {
        let all: Vec<Value> = traced.iter().map(|one| as_value(one, &by_sequence)).collect();
        say!("{:#}", json!({ "id": id, "found": all }));
    } else {
        traced.iter().for_each(|one| print(id, one, &by_sequence));
    }
    Ok(true)
}

/// What a name names: kind, in words, full name, what the study says of it.
fn names(study: &Study, id: &str) -> Vec<(Kind, &'static str, String, String)> {
    let language = study.languages.first().map_or("en", String::as_str);
    let mut found = Vec::new();
    let mut add = |kind, what, name: &str, says: &str| {
        found.push((kind, what, name.to_owned(), says.to_owned()));
    };
    for rule in study.eligibility.iter().filter(|rule| rule.id == *id) {
        let says = format!("{} [{}]", rule.label.get(language), rule.rule.text);
        add(Kind::Rule, "eligibility rule", id, &says);
    }
    for rule in study.dosing.rules.iter().filter(|rule| rule.id == *id) {
        let when = rule.when.as_ref().map_or("judged by the investigator", |when| when.text.as_str());
        add(Kind::DoseRule, "dose rule", id, &format!("{} [{when}]", rule.label.get(language)));
    }
    for rule in study.deviations.iter().filter(|rule| rule.id == *id) {
        add(Kind::Deviation, "deviation rule", id, rule.label.get(language));
    }
    for estimand in study.plan.estimands.iter().filter(|one| one.id == *id) {
        add(Kind::Estimand, "endpoint", id, estimand.question.get(language));
    }
    for analysis in study.plan.analyses.iter().filter(|one| one.id == *id) {
        let what = match analysis.method {
            protocol::model::Method::StoppingBoundary(_) => "stopping rule",
            _ => "analysis",
        };
        add(Kind::Analysis, what, id, analysis.label.get(language));
    }
    for set in study.plan.sets.iter().filter(|one| one.id == *id) {
        add(Kind::Set, "analysis set", id, set.label.get(language));
    }
    for variable in study.plan.variables.iter().filter(|one| one.id == id) {
        add(Kind::Variable, "variable of the plan", id, variable.label.get(language));
    }
    for form in &study.forms {
        let own = |name: &str| {
            let rest = id.strip_prefix(form.id.as_str()).and_then(|rest| rest.strip_prefix('.'));
            id == name || rest == Some(name)
        };
        for check in form.checks.iter().filter(|check| own(check.id.as_str())) {
            let says = format!("{} [{}]", check.text.get(language), check.when.text);
            add(Kind::Check, "edit check", &format!("{}.{}", form.id, check.id), &says);
        }
        let full = |item: &protocol::model::Item| id == format!("{}.{}", form.id, item.id);
        for item in form.items.iter().filter(|item| full(item)) {
            let (what, how) = match &item.derived {
                Some(Derivation::Expression(expression)) => ("derivation", expression.text.clone()),
                Some(Derivation::Instrument { output }) => {
                    let instrument = form.instrument.as_deref().unwrap_or_default();
                    ("derivation", format!("{output} of the instrument {instrument}"))
                }
                None => ("item", "entered".to_owned()),
            };
            add(Kind::Item, what, id, &format!("{} [{how}]", item.label.get(language)));
        }
    }
    found
}

fn as_value(traced: &Traced, events: &BTreeMap<u64, &Event>) -> Value {
    let events = traced.events.iter().filter_map(|sequence| events.get(sequence));
    let lines = events.map(|event| lines::as_value(&line(event)));
    json!({
        "what": traced.what, "says": traced.says, "study": traced.study,
        "events": lines.collect::<Vec<_>>(), "report": traced.report,
    })
}

fn print(id: &str, traced: &Traced, events: &BTreeMap<u64, &Event>) {
    say!("{} {id}: {}", traced.what, traced.says);
    for line in &traced.study {
        say!("  study/{line}");
    }
    for place in &traced.report {
        say!("  report: {place}");
    }
    say!("  {} events", traced.events.len());
    for event in traced.events.iter().take(EVENTS_PRINTED).filter_map(|sequence| events.get(sequence)) {
        let line = line(event);
        say!(
            "  {:>6}  {}  {}  {} ({})  {} {}",
            line.sequence,
            line.recorded,
            line.stream,
            line.person,
            line.role,
            line.kind,
            line.what
        );
    }
    if traced.events.len() > EVENTS_PRINTED {
        say!("          and {} more; --json prints all", traced.events.len() - EVENTS_PRINTED);
    }
}
