//! The archive of a trial: everything that its record says, in files that are read without this program.
//!
//! Pages for people (one casebook a participant, with every earlier value, who set it, when and why, queries, signatures, files), tables for
//! programs (values, events, signatures, code lists, the dictionary of items), every event whole as a line of JSON, the study's files, the
//! attached files, and the SHA-256 of all of them in the form that `sha256sum -c` reads. The same record gives the same bytes.
//!
//! What stands in no event is in no archive: arms before unblinding, identities, secrets.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use conduct::{Casebook, State};
use protocol::{
    Study,
    model::{Form, Item, ItemType},
};
use record::{Actor, Event, Fact, FormKey, Head, Reader, Source, Stream};
use sha2::{Digest as _, Sha256};
use store::{SqliteReader, files::Files, files::Held};
use terms::{Answer, Value, VisitId};

/// The list of hashes.
pub const SUMS: &str = "SHA256SUMS";
const STYLE: &str = "body{font:16px/1.45 sans-serif;max-width:70rem;margin:1.5rem auto;padding:0 1rem;color:#1c2733}\
table{border-collapse:collapse;width:100%;margin:.4rem 0 1.2rem}th,td{border:1px solid #c9d1d9;padding:.25rem .5rem;text-align:left;\
vertical-align:top}thead th{background:#eef2f5}.changed{font-weight:bold}.old{color:#6a4a00}ul{margin:.2rem 0;padding-left:1.2rem}\
code{overflow-wrap:anywhere}.void{text-decoration:line-through}";

/// What an archive is made of.
pub struct Trial<'a> {
    /// The study.
    pub study: &'a Study,
    /// Its files.
    pub study_files: &'a BTreeMap<String, String>,
    /// The record.
    pub record: &'a SqliteReader,
    /// The files beside it.
    pub files: Files,
    /// Printed names by account, where they are known.
    pub names: BTreeMap<String, String>,
    /// The program's version.
    pub program: &'a str,
}

/// What was archived.
pub struct Archived {
    /// Events.
    pub events: u64,
    /// Entries of values, derived and corrected ones included.
    pub values: u64,
    /// Participants.
    pub participants: usize,
    /// Attached files.
    pub attached: usize,
    /// Files of the archive.
    pub files: usize,
    /// Where the record ends.
    pub head: Head,
}

/// Files as they come, with their hashes.
struct Folder {
    root: PathBuf,
    sums: BTreeMap<String, String>,
}

impl Folder {
    fn put(&mut self, name: &str, content: &[u8]) -> Result<()> {
        let path = self.root.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).with_context(|| parent.display().to_string())?;
        }
        fs::write(&path, content).with_context(|| path.display().to_string())?;
        self.sums.insert(name.to_owned(), sha256(content));
        Ok(())
    }
}

fn sha256(content: &[u8]) -> String {
    Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A table of comma-separated values (RFC 4180).
struct Table(String);

impl Table {
    fn new(columns: &[&str]) -> Self {
        let mut table = Self(String::new());
        table.row(&columns.iter().map(|column| (*column).to_owned()).collect::<Vec<_>>());
        table
    }

    fn row(&mut self, cells: &[String]) {
        for (index, cell) in cells.iter().enumerate() {
            if index > 0 {
                self.0.push(',');
            }
            if cell.contains(['"', ',', '\n', '\r']) {
                let _ = write!(self.0, "\"{}\"", cell.replace('"', "\"\""));
            } else {
                self.0.push_str(cell);
            }
        }
        self.0.push_str("\r\n");
    }
}

/// Writes the archive into a folder that is empty or does not exist.
///
/// # Errors
/// The folder holds something, the record can't be read, an attached file is missing or altered, or something can't be written.
pub fn write(to: &Path, trial: &Trial<'_>) -> Result<Archived> {
    if to.exists() && fs::read_dir(to)?.next().is_some() {
        bail!("{} is not empty; name a folder that is empty or does not exist", to.display());
    }
    fs::create_dir_all(to).with_context(|| to.display().to_string())?;
    let mut folder = Folder { root: to.to_owned(), sums: BTreeMap::new() };
    let state = State::of_record(trial.record)?;
    let head = trial.record.head()?;
    for (name, text) in trial.study_files {
        folder.put(&format!("study/{name}"), text.as_bytes())?;
    }
    let mut tables = Tables::new();
    let mut lines = String::new();
    trial.record.each(1, &mut |event| {
        tables.take(trial, &event);
        // An event is plain data: nothing in it can't be written as JSON.
        lines.push_str(&serde_json::to_string(&event).unwrap_or_default());
        lines.push('\n');
    })?;
    folder.put("events.jsonl", lines.as_bytes())?;
    drop(lines);
    folder.put("events.csv", tables.events.0.as_bytes())?;
    folder.put("values.csv", tables.values.0.as_bytes())?;
    folder.put("signatures.csv", tables.signatures.0.as_bytes())?;
    folder.put("codelists.csv", codelists(trial.study).0.as_bytes())?;
    folder.put("items.csv", items(trial.study).0.as_bytes())?;
    let mut attached = BTreeSet::new();
    for casebook in state.casebooks.values() {
        let events = trial.record.read_stream(&Stream::Subject(casebook.subject.clone()))?;
        let page = casebook_page(trial, casebook, &events);
        folder.put(&format!("participants/{}.html", casebook.subject), page.as_bytes())?;
        for file in casebook.files.values().flatten().filter_map(|file| file.file.as_ref()) {
            match trial.files.read(file)? {
                Held::Whole(content) => folder.put(&format!("files/{}", file.sha256), &content)?,
                Held::Altered => {
                    bail!("the attached file {} was altered; see `equipoise verify`", file.sha256)
                }
                Held::Missing => {
                    bail!("the attached file {} is missing; see `equipoise verify`", file.sha256)
                }
            }
            attached.insert(file.sha256.clone());
        }
    }
    folder.put("index.html", index(trial, &state, &head).as_bytes())?;
    folder.put("style.css", STYLE.as_bytes())?;
    let sums = folder.sums.iter().fold(String::new(), |mut sums, (name, sum)| {
        let _ = writeln!(sums, "{sum}  {name}");
        sums
    });
    fs::write(to.join(SUMS), sums).with_context(|| to.join(SUMS).display().to_string())?;
    Ok(Archived {
        events: head.sequence,
        values: tables.entries,
        participants: state.casebooks.len(),
        attached: attached.len(),
        files: folder.sums.len() + 1,
        head,
    })
}

/// Recomputes an archive's hashes and names the first file that is not as they say; how many files there are, if all are.
///
/// # Errors
/// There is no list of hashes, or a file can't be read.
pub fn check(archive: &Path) -> Result<std::result::Result<usize, String>> {
    let list = archive.join(SUMS);
    let list = fs::read_to_string(&list)
        .with_context(|| format!("{} can't be read; is this an archive?", list.display()))?;
    let mut listed = BTreeSet::new();
    for line in list.lines() {
        let (sum, name) = line.split_once("  ").with_context(|| format!("`{line}` is no line of hashes"))?;
        listed.insert(name.to_owned());
        match fs::read(archive.join(name)) {
            Ok(content) if sha256(&content) == sum => {}
            Ok(_) => return Ok(Err(format!("{name} was altered"))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Err(format!("{name} is missing")));
            }
            Err(error) => return Err(error).with_context(|| name.to_owned()),
        }
    }
    let mut folders = vec![PathBuf::new()];
    while let Some(within) = folders.pop() {
        for entry in fs::read_dir(archive.join(&within))? {
            let entry = entry?;
            let path = within.join(entry.file_name());
            let name = path.to_string_lossy().replace('\\', "/");
            if entry.file_type()?.is_dir() {
                folders.push(path);
            } else if name != SUMS && !listed.contains(&name) {
                return Ok(Err(format!("{name} was put in")));
            }
        }
    }
    Ok(Ok(listed.len()))
}

// ---- tables ----

struct Tables {
    events: Table,
    values: Table,
    signatures: Table,
    entries: u64,
}

/// What is said of an event beside each of its values.
const STAMP: [&str; 11] = [
    "happened",
    "recorded_utc",
    "site_date",
    "offset_seconds",
    "person",
    "printed_name",
    "role",
    "site",
    "reason",
    "origin",
    "study_version",
];

impl Tables {
    fn new() -> Self {
        let with_stamp = |columns: &[&str]| Table::new(&[columns, &STAMP].concat());
        Self {
            events: with_stamp(&["sequence", "stream", "position", "kind", "says"]),
            values: with_stamp(&[
                "sequence",
                "subject",
                "visit",
                "form",
                "row",
                "item",
                "old",
                "new",
                "source",
                "corrected",
            ]),
            signatures: with_stamp(&["sequence", "subject", "signed", "meaning", "content_digest"]),
            entries: 0,
        }
    }

    fn take(&mut self, trial: &Trial<'_>, event: &Event) {
        let stamp = stamp(trial, event);
        let fact = serde_json::to_value(&event.fact).unwrap_or_default();
        let kind = fact.get("kind").and_then(|kind| kind.as_str()).unwrap_or_default().to_owned();
        let sequence = event.sequence.to_string();
        let own =
            [sequence.clone(), event.stream.to_string(), event.position.to_string(), kind, fact.to_string()];
        self.events.row(&[&own[..], &stamp].concat());
        let subject = match &event.stream {
            Stream::Subject(subject) => subject.to_string(),
            Stream::Study | Stream::Supply => String::new(),
        };
        if let Fact::FormSectionSaved { key, changes } | Fact::FormSectionCorrected { key, changes } =
            &event.fact
        {
            let corrected = matches!(event.fact, Fact::FormSectionCorrected { .. });
            for change in changes {
                self.entries += 1;
                let text = |answer: &record::Content<Answer>| {
                    answer.get().map_or_else(|| "[redacted]".to_owned(), ToString::to_string)
                };
                let own = [
                    sequence.clone(),
                    subject.clone(),
                    key.visit.as_ref().map_or_else(String::new, ToString::to_string),
                    key.form.to_string(),
                    key.row.to_string(),
                    change.item.to_string(),
                    change.old.as_ref().map_or_else(String::new, text),
                    text(&change.new),
                    if change.source == Source::Entered { "entered" } else { "derived" }.to_owned(),
                    corrected.to_string(),
                ];
                self.values.row(&[&own[..], &stamp].concat());
            }
        }
        if let Some((signed, meaning, digest)) = signature(&event.fact) {
            self.signatures.row(&[&[sequence, subject, signed, meaning, digest][..], &stamp].concat());
        }
    }
}

/// What an event signs, with what meaning, and the digest that binds the signature to it.
fn signature(fact: &Fact) -> Option<(String, String, String)> {
    Some(match fact {
        Fact::VisitSigned { visit, meaning, content_digest } => {
            (format!("visit {visit}"), meaning.clone(), content_digest.clone())
        }
        Fact::CasebookSigned { meaning, content_digest } => {
            ("casebook".to_owned(), meaning.clone(), content_digest.clone())
        }
        Fact::EligibilityDecided { at_visit, eligible, content_digest, .. } => {
            let verdict = if *eligible { "eligible" } else { "not eligible" };
            (format!("eligibility at {at_visit}"), verdict.to_owned(), content_digest.clone())
        }
        Fact::StudyApproved { parts } => {
            let parts: Vec<String> = parts.iter().map(ToString::to_string).collect();
            ("study files".to_owned(), format!("approved: {}", parts.join(", ")), String::new())
        }
        Fact::AnalysisSetsSigned { digest, .. } => {
            ("analysis sets".to_owned(), "signed".to_owned(), digest.clone())
        }
        Fact::DatabaseLocked { manifest_digest } => {
            ("database".to_owned(), "locked".to_owned(), manifest_digest.clone())
        }
        _ => return None,
    })
}

fn stamp(trial: &Trial<'_>, event: &Event) -> [String; 11] {
    [
        event.happened.to_string(),
        event.recorded.utc.to_string(),
        event.recorded.local_date.to_string(),
        event.recorded.offset_seconds.to_string(),
        event.by.person.to_string(),
        trial.names.get(event.by.person.as_str()).cloned().unwrap_or_default(),
        event.by.role.to_string(),
        event.site.as_ref().map_or_else(String::new, ToString::to_string),
        event.reason.as_ref().map_or_else(String::new, |reason| reason.get().cloned().unwrap_or_default()),
        event.origin.clone(),
        event.study_version.clone(),
    ]
}

fn codelists(study: &Study) -> Table {
    let mut table = Table::new(&["list", "code", "language", "label"]);
    for list in &study.codelists {
        for (code, label) in &list.codes {
            for language in &study.languages {
                let label = label.get(language).to_owned();
                table.row(&[list.id.to_string(), code.clone(), language.clone(), label]);
            }
        }
    }
    table
}

fn items(study: &Study) -> Table {
    let mut table =
        Table::new(&["form", "item", "label", "type", "codelist", "unit", "derived", "data_class"]);
    let language = language(study);
    for form in &study.forms {
        for item in &form.items {
            let (kind, list) = match &item.kind {
                ItemType::Integer => ("integer", String::new()),
                ItemType::Decimal { .. } => ("decimal", String::new()),
                ItemType::Boolean => ("boolean", String::new()),
                ItemType::Code { codelist } => ("code", codelist.to_string()),
                ItemType::Date { partial: true } => ("partial date", String::new()),
                ItemType::Date { partial: false } => ("date", String::new()),
                ItemType::Text => ("text", String::new()),
                ItemType::Term { .. } => ("term of CTCAE v5.0", String::new()),
            };
            table.row(&[
                form.id.to_string(),
                item.id.to_string(),
                item.label.get(language).to_owned(),
                kind.to_owned(),
                list,
                item.unit.clone().unwrap_or_default(),
                item.derived.is_some().to_string(),
                form.data_class.to_string(),
            ]);
        }
    }
    table
}

fn language(study: &Study) -> &str {
    study.languages.first().map_or("en", String::as_str)
}

// ---- pages ----

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn page(trial: &Trial<'_>, title: &str, up: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"{}\"><head><meta charset=\"utf-8\"><title>{title}</title><link rel=\"stylesheet\" \
         href=\"{up}style.css\"></head><body>\n<h1>{title}</h1>\n{body}</body></html>\n",
        escaped(language(trial.study)),
        title = escaped(title),
    )
}

/// A moment on the site's clock with its offset, and in UTC.
fn moment(event: &Event) -> String {
    let offset =
        jiff::tz::Offset::from_seconds(event.recorded.offset_seconds).unwrap_or(jiff::tz::Offset::UTC);
    let local = event.recorded.utc.to_zoned_datetime(offset.to_time_zone());
    format!("{} ({})", local.strftime("%Y-%m-%d %H:%M:%S %:z"), event.recorded.utc)
}

fn who(trial: &Trial<'_>, by: &Actor) -> String {
    match trial.names.get(by.person.as_str()) {
        Some(name) => {
            format!("{} [{}], {}", escaped(name), escaped(by.person.as_str()), escaped(by.role.as_str()))
        }
        None => format!("{}, {}", escaped(by.person.as_str()), escaped(by.role.as_str())),
    }
}

fn shown(study: &Study, item: Option<&Item>, answer: Option<&Answer>) -> String {
    let Some(answer) = answer else { return "[redacted]".to_owned() };
    if let (Answer::Given(Value::Code(code)), Some(ItemType::Code { codelist })) =
        (answer, item.map(|item| &item.kind))
    {
        let list = study.codelists.iter().find(|list| list.id == *codelist);
        let label = list.and_then(|list| list.codes.iter().find(|(known, _)| known == code));
        if let Some((_, label)) = label {
            return escaped(&format!("{} [{code}]", label.get(language(study))));
        }
    }
    escaped(&answer.to_string())
}

fn index(trial: &Trial<'_>, state: &State, head: &Head) -> String {
    let study = trial.study;
    let environment = state.opened.as_ref().map_or_else(String::new, |opened| opened.environment.to_string());
    let mut body = format!(
        "<table><tbody><tr><th>Study</th><td>{}: {}</td></tr><tr><th>Environment</th><td>{environment}</td></tr><tr><th>Version of the \
         study's files</th><td><code>{}</code></td></tr><tr><th>Events</th><td>{}</td></tr><tr><th>Head of the record</th>\
         <td><code>{}</code></td></tr><tr><th>Written by</th><td>equipoise {}</td></tr></tbody></table>\n",
        escaped(study.id.as_str()),
        escaped(study.title.get(language(study))),
        escaped(&study.version),
        head.sequence,
        String::from(head.hash),
        escaped(trial.program),
    );
    body.push_str(
        "<p>This archive is read without the program that wrote it. <code>sha256sum -c SHA256SUMS</code> recomputes every file.</p>\n<ul>\
         <li><a href=\"events.jsonl\">events.jsonl</a>: every event of the record, whole, a line of JSON each</li>\
         <li><a href=\"events.csv\">events.csv</a>: the audit trail as a table</li>\
         <li><a href=\"values.csv\">values.csv</a>: every value that was ever entered or derived, with the one it replaced</li>\
         <li><a href=\"signatures.csv\">signatures.csv</a>: who signed what, when, with what meaning</li>\
         <li><a href=\"items.csv\">items.csv</a> and <a href=\"codelists.csv\">codelists.csv</a>: what items and codes mean</li>\
         <li>study/: the study's files; files/: attached files by their SHA-256</li></ul>\n<h2>Participants</h2>\n\
         <table><thead><tr><th>Participant</th><th>Site</th><th>Visits</th><th>Queries</th><th>Signature of the casebook</th></tr></thead><tbody>\n",
    );
    for casebook in state.casebooks.values() {
        let _ = writeln!(
            body,
            "<tr><th><a href=\"participants/{0}.html\">{0}</a></th><td>{1}</td><td>{2}</td><td>{3}</td><td>{4}</td></tr>",
            escaped(casebook.subject.as_str()),
            escaped(casebook.site.as_str()),
            casebook.visits.len(),
            casebook.queries.len(),
            casebook.casebook_signature.as_ref().map_or("none", |_| "valid"),
        );
    }
    body.push_str("</tbody></table>\n");
    page(trial, &format!("Archive of {}", study.id), "", &body)
}

/// A participant's casebook: forms by visit, queries, signatures, files, and the whole stream.
fn casebook_page(trial: &Trial<'_>, casebook: &Casebook, events: &[Event]) -> String {
    let study = trial.study;
    let by_sequence: BTreeMap<u64, &Event> = events.iter().map(|event| (event.sequence, event)).collect();
    let mut body = format!(
        "<p>Site {}. <a href=\"../index.html\">All participants</a></p>\n",
        escaped(casebook.site.as_str())
    );
    let mut places: Vec<(Option<&VisitId>, String)> = vec![(None, "Through the trial".to_owned())];
    for (visit, date) in casebook.visits_by_date() {
        places.push((Some(visit), format!("Visit {visit}, held on {date}")));
    }
    for (visit, title) in places {
        let keys: Vec<&FormKey> = casebook.forms.keys().filter(|key| key.visit.as_ref() == visit).collect();
        if visit.is_none() && keys.is_empty() {
            continue;
        }
        let _ = writeln!(body, "<h2>{}</h2>", escaped(&title));
        for key in keys {
            form_part(trial, casebook, key, &by_sequence, &mut body);
        }
    }
    queries_part(trial, casebook, &by_sequence, &mut body);
    signatures_part(trial, events, &mut body);
    body.push_str("<h2>Everything that happened, in order</h2>\n<table><thead><tr><th>Event</th><th>Recorded</th><th>Happened</th><th>By</th><th>What</th><th>Why</th></tr></thead><tbody>\n");
    for event in events {
        let fact = serde_json::to_value(&event.fact).unwrap_or_default();
        let kind = fact.get("kind").and_then(|kind| kind.as_str()).unwrap_or_default().replace('_', " ");
        let why = event.reason.as_ref().and_then(|reason| reason.get().cloned()).unwrap_or_default();
        let _ = writeln!(
            body,
            "<tr id=\"event-{0}\"><td>{0}</td><td>{1}</td><td>{2}</td><td>{3}</td><td>{kind}</td><td>{4}</td></tr>",
            event.sequence,
            moment(event),
            event.happened,
            who(trial, &event.by),
            escaped(&why),
        );
    }
    body.push_str("</tbody></table>\n");
    page(trial, &format!("{}: participant {}", study.id, casebook.subject), "../", &body)
}

fn form_part(
    trial: &Trial<'_>,
    casebook: &Casebook,
    key: &FormKey,
    events: &BTreeMap<u64, &Event>,
    body: &mut String,
) {
    let study = trial.study;
    let Some(filled) = casebook.forms.get(key) else { return };
    let form: Option<&Form> = study.form(key.form.as_str());
    let title = form.map_or_else(|| key.form.to_string(), |form| form.title.get(language(study)).to_owned());
    let row = if key.row > 0 { format!(", row {}", key.row) } else { String::new() };
    let _ = writeln!(
        body,
        "<h3>{}{row} <small>{}</small></h3>\n<table><thead><tr><th>Item</th><th>Value</th><th>Entered, changed</th></tr></thead><tbody>",
        escaped(&title),
        escaped(key.form.as_str())
    );
    for (id, cell) in filled.cells.iter() {
        let item = form.and_then(|form| form.item(id.as_str()));
        let label = item.map_or_else(|| id.to_string(), |item| item.label.get(language(study)).to_owned());
        let unit =
            item.and_then(|item| item.unit.as_deref()).map_or_else(String::new, |unit| format!(" {unit}"));
        let entries: String = cell
            .history()
            .iter()
            .map(|entry| {
                let event = events.get(&entry.sequence);
                let at = event.map_or_else(|| entry.recorded.to_string(), |event| moment(event));
                let why = event.and_then(|event| event.reason.as_ref()?.get().cloned());
                let why = why.map_or_else(String::new, |why| format!(": {}", escaped(&why)));
                let how = if entry.source == Source::Derived { " (derived)" } else { "" };
                let value = shown(study, item, entry.answer.as_ref());
                let (by, event) = (who(trial, &entry.by), entry.sequence);
                format!(
                    "<li><span class=\"old\">{value}</span>{how}, {by}, {at}, <a href=\"#event-{event}\">event {event}</a>{why}</li>"
                )
            })
            .collect();
        let changed = if cell.history().len() > 1 { " class=\"changed\"" } else { "" };
        let mark = if changed.is_empty() { "" } else { " (changed since first entry)" };
        let _ = writeln!(
            body,
            "<tr><th>{} <small>{}</small></th><td{changed}>{}{}{mark}</td><td><ul>{entries}</ul></td></tr>",
            escaped(&label),
            escaped(id.as_str()),
            shown(study, item, cell.answer()),
            escaped(&unit),
        );
    }
    body.push_str("</tbody></table>\n");
    for file in casebook.files.get(key).into_iter().flatten() {
        let Some(known) = &file.file else { continue };
        let withdrawn = file.withdrawn.map_or_else(String::new, |day| format!(", withdrawn on {}", day.date));
        let _ = writeln!(
            body,
            "<p>File {}: <a href=\"../files/{}\">{}</a> ({}, {} bytes), {}{withdrawn}</p>",
            file.number,
            known.sha256,
            escaped(&known.name),
            escaped(&known.media_type),
            known.bytes,
            who(trial, &file.by),
        );
    }
}

fn queries_part(trial: &Trial<'_>, casebook: &Casebook, events: &BTreeMap<u64, &Event>, body: &mut String) {
    if casebook.queries.is_empty() {
        return;
    }
    body.push_str("<h2>Queries</h2>\n<table><thead><tr><th>Query</th><th>About</th><th>Exchange</th></tr></thead><tbody>\n");
    for query in &casebook.queries {
        let exchange: String = query
            .said
            .iter()
            .filter_map(|sequence| events.get(sequence))
            .map(|event| {
                let (what, text) = match &event.fact {
                    Fact::QueryOpened { text, .. } => ("asked", text.get().cloned()),
                    Fact::QueryAnswered { text, .. } => ("answered", text.get().cloned()),
                    Fact::QueryReopened { text, .. } => ("opened again", text.get().cloned()),
                    Fact::QueryClosed { by_check: true, .. } => ("closed by its check", None),
                    _ => ("closed", None),
                };
                let text = text.map_or_else(String::new, |text| format!(": {}", escaped(&text)));
                format!("<li>{what}{text} ({}, {})</li>", who(trial, &event.by), moment(event))
            })
            .collect();
        let visit = query.key.visit.as_ref().map_or_else(String::new, |visit| format!(" at {visit}"));
        let _ = writeln!(
            body,
            "<tr><th>{}</th><td>{} of {}{}</td><td><ul>{exchange}</ul></td></tr>",
            escaped(query.id.as_str()),
            escaped(query.item.as_str()),
            escaped(query.key.form.as_str()),
            escaped(&visit),
        );
    }
    body.push_str("</tbody></table>\n");
}

fn signatures_part(trial: &Trial<'_>, events: &[Event], body: &mut String) {
    body.push_str("<h2>Signatures</h2>\n<table><thead><tr><th>Signed</th><th>By</th><th>When</th><th>Meaning</th><th>Bound to</th></tr></thead><tbody>\n");
    for event in events {
        if let Some((signed, meaning, digest)) = signature(&event.fact) {
            let _ = writeln!(
                body,
                "<tr><th>{}</th><td>{}</td><td>{}</td><td>{}</td><td><code>{}</code></td></tr>",
                escaped(&signed),
                who(trial, &event.by),
                moment(event),
                escaped(&meaning),
                escaped(&digest),
            );
        }
        if let Fact::SignatureVoided { visit } = &event.fact {
            let what = visit.as_ref().map_or_else(|| "casebook".to_owned(), |visit| format!("visit {visit}"));
            let _ = writeln!(
                body,
                "<tr><th class=\"void\">{}</th><td colspan=\"4\">void since {}: what it signed was changed</td></tr>",
                escaped(&what),
                moment(event)
            );
        }
    }
    body.push_str("</tbody></table>\n");
}
