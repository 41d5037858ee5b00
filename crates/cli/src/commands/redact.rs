//! `equipoise redact`: empties one content of a record that should never have been entered, and records who approved it and why.
//!
//! What was typed (or a file that was attached) is gone from the installation; the commitment to it stays in the chain, so that
//! the record still verifies and nothing else could ever be put in its place. Backups from before keep it.

use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use record::{Actor, CellAddress, Event, Fact, Reader, Recording, Redaction, Writer};
use serde_json::{Value, json};
use server::credentials::draw;
use store::{
    SqliteReader, SqliteStore,
    accounts::{Account, AccountStore},
    files::Files,
};
use terms::{SiteTime, Timestamp};

use crate::{Outcome, terminal::say};

/// What `redact` takes.
#[derive(Args)]
pub struct Arguments {
    /// The folder of the installation; its server must not run
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The study
    #[arg(long, value_name = "ID")]
    study: String,
    /// The number of the event, as the audit trail has it
    #[arg(long, value_name = "N")]
    event: u64,
    /// Which of the event's contents; without it they are listed and nothing is redacted
    #[arg(long, value_name = "N")]
    content: Option<u32>,
    /// The log-in name of the administrator who does it
    #[arg(long, value_name = "LOGIN")]
    by: Option<String>,
    /// The log-in name of another person, who approved it
    #[arg(long, value_name = "LOGIN")]
    approved_by: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Redacts, or lists what could be.
///
/// # Errors
/// There is no such content, somebody has no account that may, or the record is in use or can't be written.
#[expect(clippy::disallowed_methods, reason = "the command line is an edge: it reads the clock")]
pub fn run(arguments: &Arguments) -> Result<Outcome> {
    let folder = arguments.data.join("studies").join(&arguments.study);
    ensure!(folder.is_dir(), "the installation has no study {}", arguments.study);
    let record = folder.join("record");
    let reader = SqliteReader::open(&record)?;
    let environment = reader.environment();
    let event = reader.event(arguments.event)?;
    let event = event.with_context(|| format!("the record has no event {}", arguments.event))?;
    drop(reader);
    let contents = contents(&event);
    let Some(number) = arguments.content else {
        list(&contents, arguments);
        return Ok(Outcome::Findings);
    };
    let accounts = AccountStore::open(&arguments.data.join("accounts.sqlite"), environment)?;
    let by = account(&accounts, arguments.by.as_deref(), "--by")?;
    let approver = account(&accounts, arguments.approved_by.as_deref(), "--approved-by")?;
    ensure!(by.administrator, "{} is no administrator of this installation", by.login);
    ensure!(by.person != approver.person, "another person has to approve it");
    let reason = arguments.reason.clone().context("say why, with --reason")?;
    ensure!(!reason.trim().is_empty(), "say why, with --reason");
    let known = number.checked_sub(1).and_then(|place| contents.get(place as usize));
    match known {
        None => bail!("event {} has no content {number}; without --content they are listed", event.sequence),
        Some((_, Value::Null)) => bail!("content {number} of event {} is redacted already", event.sequence),
        Some(_) => {}
    }
    let study = server::installation::compile(&folder.join("study"))?;
    let mut writer = Writer::new(Box::new(SqliteStore::open(&record, environment)?))?;
    // The file goes first: if this ends half-way, it is run again, and nothing names a file that can't be found any more.
    let file = match &event.fact {
        Fact::FileAttached { file, .. } => file.get(),
        _ => None,
    };
    let removed = file.map(|file| Files::of(&record).remove(file)).transpose()?.unwrap_or_default();
    let zone = event.site.as_ref().and_then(|site| study.site(site.as_str())).or(study.sites.first());
    let recorded = SiteTime::at(Timestamp::now(), zone.map_or("UTC", |site| site.zone.as_str()))?;
    let redaction = Redaction {
        address: CellAddress { sequence: event.sequence, cell: number },
        by: Actor { person: by.person, role: "administrator".into() },
        approver: approver.person,
        reason,
        recording: Recording { recorded, origin: "terminal".to_owned(), study_version: study.version },
    };
    let redacted = writer.redact(redaction, &mut ChaCha20Rng::from_seed(draw()))?;
    let head = String::from(writer.head().hash);
    if arguments.json {
        let document = json!({
            "redacted_event": event.sequence, "content": number, "file_removed": removed,
            "recorded_as_event": redacted.sequence, "head": head,
        });
        say!("{document:#}");
        return Ok(Outcome::Success);
    }
    say!(
        "Content {number} of event {} is gone. Event {} says who approved it and why.",
        event.sequence,
        redacted.sequence
    );
    if removed {
        say!("The attached file was removed, and the key that opened it with it.");
    }
    say!("head     {head}");
    say!("Backups from before still hold it. The same words may stand in other events: redact each.");
    Ok(Outcome::Success)
}

/// The contents of an event, numbered from 1 as their cells are, each with where it stands; null once redacted.
fn contents(event: &Event) -> Vec<(String, Value)> {
    fn walk(value: &Value, place: &str, found: &mut Vec<(String, Value)>) {
        match value {
            Value::Object(map) => match map.get("$content") {
                Some(content) => found.push((place.to_owned(), content.clone())),
                None => {
                    // The cells' order is that of the canonical text, whose keys are sorted.
                    let mut keys: Vec<&String> = map.keys().collect();
                    keys.sort();
                    keys.into_iter().for_each(|key| walk(&map[key], &below(place, key), found));
                }
            },
            Value::Array(all) => {
                all.iter().enumerate().for_each(|(at, one)| walk(one, &below(place, &at.to_string()), found));
            }
            _ => {}
        }
    }
    fn below(place: &str, key: &str) -> String {
        if place.is_empty() { key.to_owned() } else { format!("{place}.{key}") }
    }
    let mut found = Vec::new();
    walk(&serde_json::to_value(event).unwrap_or_default(), "", &mut found);
    found
}

fn list(contents: &[(String, Value)], arguments: &Arguments) {
    // The key of a file is no words of anybody's.
    let shown = |content: &Value| match content {
        Value::Null => "[redacted]".to_owned(),
        Value::Object(map) => map.get("name").unwrap_or(content).to_string(),
        other => other.to_string(),
    };
    if arguments.json {
        let all: Vec<Value> = contents
            .iter()
            .zip(1..)
            .map(|((place, content), number)| json!({ "content": number, "place": place, "holds": shown(content) }))
            .collect();
        say!("{:#}", json!({ "event": arguments.event, "contents": all }));
        return;
    }
    say!("event {} holds {} contents; name one with --content", arguments.event, contents.len());
    for ((place, content), number) in contents.iter().zip(1..) {
        say!("{number:>4}  {place}  {}", shown(content));
    }
}

/// The active account of a log-in name.
fn account(accounts: &AccountStore, login: Option<&str>, option: &str) -> Result<Account> {
    let login = login.with_context(|| format!("name a person with {option}"))?;
    let account = accounts.by_login(login)?.filter(|account| account.active);
    account.with_context(|| format!("{option}: there is no active account {login}"))
}
