//! What lies behind the numbers of a report: analyses, data rows, events, lines of the study.
//!
//! A number leads to its derivation (analysis, method, analysis set), that to the lines of the study that
//! define it and to sets of data rows, a row to the events of the record that it was derived from. Sets
//! of rows are kept once however many numbers share them, and only rows and events
//! that something in the document leads to are kept at all.

use std::collections::{BTreeMap, BTreeSet};

use analysis::{AnalysisResult, Number, Results, RowSet};
use datasets::{Cell, DataSets, Dataset};
use protocol::StudyLine;

use crate::{
    context::anchor,
    document::{Align, Document, Inline, Row, Table, text_columns},
    study_lines::{DefinedAt, Definitions},
    wording,
};

/// One event of the record as the report lists it. Whoever holds the record fills it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventLine {
    /// Its place in the study-wide sequence.
    pub sequence: u64,
    /// The participant (`05-003`), or `study` or `supply`.
    pub stream: String,
    /// When it was recorded, on the site's clock with its offset.
    pub recorded: String,
    /// The person's account.
    pub person: String,
    /// The role in which the person acted.
    pub role: String,
    /// The kind of event, in words (`form section saved`).
    pub kind: String,
    /// What it was about (`skin_score at M6`); empty where the kind says it all.
    pub what: String,
    /// Items with their old and new values.
    pub changes: Vec<ChangeLine>,
    /// The reason given.
    pub reason: Option<String>,
}

/// One item's change within an event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangeLine {
    /// The item.
    pub item: String,
    /// The value that was replaced.
    pub old: Option<String>,
    /// The value from then on.
    pub new: String,
}

/// The part of a report that its numbers lead to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TraceAppendix {
    /// Number id to the anchor of its derivation.
    pub anchors: BTreeMap<String, String>,
    /// The analyses whose numbers stand in the document, in reading order.
    pub analyses: Vec<TracedAnalysis>,
    /// Sets of rows that several derivations share.
    pub row_sets: Vec<SharedRows>,
    /// The data sets, rows with anchors, their events linked.
    pub datasets: Vec<Table>,
    /// The events that rows name.
    pub events: Table,
    /// What stands in the study at the lines that analyses rest on, by file and line.
    pub study: Vec<StudyEntry>,
}

/// A part of the study's files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StudyEntry {
    /// Its anchor.
    pub anchor: String,
    /// Where it begins.
    pub line: StudyLine,
    /// What stands there.
    pub text: String,
}

/// An analysis and what its numbers were computed from.
#[derive(Clone, Debug, PartialEq)]
pub struct TracedAnalysis {
    /// Its id and label.
    pub title: String,
    /// Method and options, in words.
    pub method: String,
    /// The analysis set, in words.
    pub set: String,
    /// The lines of the study that it rests on, its own first.
    pub defined: Vec<DefinedAt>,
    /// One for each choice of rows.
    pub derivations: Vec<Derivation>,
}

/// Numbers that were computed from the same rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Derivation {
    /// Its anchor.
    pub anchor: String,
    /// The numbers: id and text.
    pub numbers: Vec<(String, String)>,
    /// Rows by data set.
    pub rows: Vec<Rows>,
}

/// Rows that numbers were computed from.
#[derive(Clone, Debug, PartialEq)]
pub enum Rows {
    /// Named here.
    Here(RowLinks),
    /// A set that several derivations share.
    Shared {
        /// The set's anchor.
        anchor: String,
        /// What the link says.
        label: String,
    },
}

/// A shared set of rows.
#[derive(Clone, Debug, PartialEq)]
pub struct SharedRows {
    /// Its anchor.
    pub anchor: String,
    /// The rows.
    pub rows: RowLinks,
}

/// Links to rows of one data set.
#[derive(Clone, Debug, PartialEq)]
pub struct RowLinks {
    /// The data set and how many rows.
    pub title: String,
    /// The columns that the numbers were computed from.
    pub columns: Vec<String>,
    /// The rows.
    pub links: Vec<RowLink>,
}

/// A link to one row.
#[derive(Clone, Debug, PartialEq)]
pub struct RowLink {
    /// The row's anchor.
    pub anchor: String,
    /// What the link says (participant, visit).
    pub label: String,
}

/// Returns the anchor of a data set's row (from 0); the anchor counts from 1, as a reader does.
pub(crate) fn row_anchor(dataset: &str, row: usize) -> String {
    format!("{dataset}-{}", row + 1)
}

/// Columns that say which row it is; they are printed whatever was computed.
const IDENTIFYING: [&str; 11] =
    ["subject", "site", "arm", "parameter", "visit", "row", "term", "kind", "date", "derived", "watch"];

/// Gathers what lies behind a document.
pub(crate) fn appendix(
    document: &Document,
    data: &DataSets,
    results: &Results,
    events: &[EventLine],
    definitions: &Definitions<'_>,
) -> TraceAppendix {
    let numbers = results.numbers();
    let groups = groups(document, results);
    let uses = uses(&groups);
    let mut wanted = Wanted::default();
    let mut appendix = TraceAppendix::default();
    for (place, group) in groups.iter().enumerate() {
        let anchor = format!("d{}", place + 1);
        for id in &group.ids {
            appendix.anchors.insert((*id).to_owned(), anchor.clone());
        }
        let sets = group.sets.iter().filter_map(|&set| Some((set, results.row_sets.get(set)?)));
        let rows = sets.map(|(set, rows)| match uses[&set] {
            1 => Rows::Here(links(rows, data)),
            _ => Rows::Shared { anchor: format!("rows-{set}"), label: title(rows, data) },
        });
        let derivation = Derivation {
            anchor,
            numbers: group.ids.iter().map(|id| ((*id).to_owned(), worded(numbers[id]))).collect(),
            rows: rows.collect(),
        };
        appendix.analysis(group.analysis, definitions).derivations.push(derivation);
    }
    for (&set, &count) in &uses {
        let Some(rows) = results.row_sets.get(set) else { continue };
        wanted.add_set(rows);
        if count > 1 {
            appendix.row_sets.push(SharedRows { anchor: format!("rows-{set}"), rows: links(rows, data) });
        }
    }
    wanted.add_linked(document, data);
    let mut named = BTreeSet::new();
    appendix.datasets = data.all().iter().filter_map(|set| wanted.table(set, &mut named)).collect();
    appendix.events = event_table(events.iter().filter(|event| named.contains(&event.sequence)));
    appendix.study = study_entries(&appendix.analyses, definitions);
    appendix
}

impl TraceAppendix {
    /// The entry of an analysis, new if it has none yet.
    fn analysis(&mut self, analysis: &AnalysisResult, definitions: &Definitions<'_>) -> &mut TracedAnalysis {
        let title = format!("{}: {}", analysis.id, analysis.label);
        let place = self.analyses.iter().position(|one| one.title == title).unwrap_or_else(|| {
            let (method, set) = (analysis.method.clone(), analysis.set.clone());
            let defined = definitions.of_analysis(analysis.id.as_str());
            self.analyses.push(TracedAnalysis { title, method, set, defined, derivations: Vec::new() });
            self.analyses.len() - 1
        });
        &mut self.analyses[place]
    }
}

/// What stands at the lines that analyses rest on, each once.
fn study_entries(analyses: &[TracedAnalysis], definitions: &Definitions<'_>) -> Vec<StudyEntry> {
    let lines: BTreeSet<&StudyLine> =
        analyses.iter().flat_map(|analysis| &analysis.defined).map(|one| &one.line).collect();
    let entry = |line: &StudyLine| StudyEntry {
        anchor: study_anchor(line),
        line: line.clone(),
        text: definitions.text(line),
    };
    lines.into_iter().map(entry).collect()
}

/// Returns the anchor of a line of the study.
pub fn study_anchor(line: &StudyLine) -> String {
    format!("study-{}-{}", anchor(&line.file), line.line)
}

/// Numbers of one analysis that were computed from the same rows.
struct Group<'a> {
    analysis: &'a AnalysisResult,
    sets: &'a [usize],
    ids: Vec<&'a str>,
}

/// The document's numbers in groups, in reading order.
fn groups<'a>(document: &Document, results: &'a Results) -> Vec<Group<'a>> {
    let mut known: BTreeMap<&str, (&AnalysisResult, &Number)> = BTreeMap::new();
    for analysis in &results.analyses {
        known.extend(analysis.numbers.iter().map(|number| (number.id.as_str(), (analysis, number))));
    }
    let mut groups: Vec<Group<'a>> = Vec::new();
    let mut places: BTreeMap<(&str, &[usize]), usize> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for id in document.number_ids() {
        let Some(&(analysis, number)) = known.get(id) else { continue };
        if !seen.insert(number.id.as_str()) {
            continue;
        }
        let place = *places.entry((analysis.id.as_str(), &number.rows)).or_insert_with(|| {
            groups.push(Group { analysis, sets: &number.rows, ids: Vec::new() });
            groups.len() - 1
        });
        groups[place].ids.push(&number.id);
    }
    groups
}

/// How many groups use each set of rows.
fn uses(groups: &[Group<'_>]) -> BTreeMap<usize, usize> {
    let mut uses = BTreeMap::new();
    for set in groups.iter().flat_map(|group| group.sets) {
        *uses.entry(*set).or_default() += 1;
    }
    uses
}

fn worded(number: &Number) -> String {
    match &number.not_estimable {
        Some(why) => format!("not estimable ({why})"),
        None => wording::minus(&number.text()),
    }
}

fn title(rows: &RowSet, data: &DataSets) -> String {
    let label = data.get(&rows.dataset).map_or(rows.dataset.as_str(), |set| set.label.as_str());
    let count = rows.rows.len();
    format!("{count} {} of {} ({label})", if count == 1 { "row" } else { "rows" }, rows.dataset)
}

fn links(rows: &RowSet, data: &DataSets) -> RowLinks {
    let links = data.get(&rows.dataset).into_iter().flat_map(|set| {
        rows.rows
            .iter()
            .map(|&row| RowLink { anchor: row_anchor(&set.name, row), label: row_label(set, row) })
    });
    RowLinks { title: title(rows, data), columns: rows.columns.clone(), links: links.collect() }
}

/// A row's short name: participant, then what tells its rows apart.
pub(crate) fn row_label(set: &Dataset, row: usize) -> String {
    let mut label = cell_text(set, "subject", row);
    for column in ["visit", "term"] {
        let text = cell_text(set, column, row);
        if !text.is_empty() {
            label.push(' ');
            label.push_str(&text);
        }
    }
    if label.is_empty() { (row + 1).to_string() } else { label }
}

/// A cell as the appendix prints it.
pub(crate) fn cell_text(set: &Dataset, column: &str, row: usize) -> String {
    match set.cell(column, row) {
        Cell::Text(text) | Cell::Code(text) => text.to_owned(),
        Cell::Integer(whole) => wording::minus(&whole.to_string()),
        Cell::Number(number) => wording::minus(&number.to_string()),
        Cell::Flag(flag) => if flag { "yes" } else { "no" }.to_owned(),
        Cell::Date(date) => date.to_string(),
        Cell::Missing => String::new(),
    }
}

/// Rows and columns that something leads to, by data set.
#[derive(Default)]
struct Wanted {
    rows: BTreeMap<String, BTreeSet<usize>>,
    columns: BTreeMap<String, BTreeSet<String>>,
}

impl Wanted {
    fn add_set(&mut self, set: &RowSet) {
        self.rows.entry(set.dataset.clone()).or_default().extend(&set.rows);
        self.columns.entry(set.dataset.clone()).or_default().extend(set.columns.iter().cloned());
    }

    /// Rows that listings link to.
    fn add_linked(&mut self, document: &Document, data: &DataSets) {
        for inline in document.runs().into_iter().flatten() {
            let Inline::Link { target, .. } = inline else { continue };
            let Some((name, place)) = target.rsplit_once('-') else { continue };
            if let (Some(set), Ok(row)) = (data.get(name), place.parse::<usize>())
                && (1..=set.rows()).contains(&row)
            {
                self.rows.entry(name.to_owned()).or_default().insert(row - 1);
            }
        }
    }

    /// The wanted part of a data set; adds the events behind it to `named`.
    fn table(&self, set: &Dataset, named: &mut BTreeSet<u64>) -> Option<Table> {
        let rows = self.rows.get(&set.name)?;
        let columns: Vec<_> = set.columns.iter().filter(|column| self.shows(set, &column.name)).collect();
        let mut table = Table {
            id: format!("data-{}", set.name),
            caption: format!("{}: {}", set.name, set.label),
            ..Table::default()
        };
        let heads = columns.iter().map(|column| column.name.clone());
        table.columns =
            text_columns(["no.".to_owned()].into_iter().chain(heads).chain(["events".to_owned()]));
        for &row in rows {
            let mut cells: Vec<Vec<Inline>> = Vec::new();
            for column in &columns {
                let mut cell = vec![Inline::Text(cell_text(set, &column.name, row))];
                let own = column.sources.get(row).map_or(&[][..], Vec::as_slice);
                if !own.is_empty() {
                    cell.push(Inline::Text(" ".to_owned()));
                    cell.extend(event_links(own, named));
                }
                cells.push(cell);
            }
            cells.push(event_links(&set.sources[row], named));
            table
                .rows
                .push(Row { id: Some(row_anchor(&set.name, row)), ..Row::new((row + 1).to_string(), cells) });
        }
        Some(table)
    }

    fn shows(&self, set: &Dataset, column: &str) -> bool {
        IDENTIFYING.contains(&column)
            || self.columns.get(&set.name).is_some_and(|columns| columns.contains(column))
    }
}

fn event_links(events: &[u64], named: &mut BTreeSet<u64>) -> Vec<Inline> {
    named.extend(events);
    let mut cell = Vec::new();
    for event in events {
        if !cell.is_empty() {
            cell.push(Inline::Text(" ".to_owned()));
        }
        cell.push(Inline::Link { target: format!("e{event}"), text: format!("#{event}") });
    }
    cell
}

fn event_table<'a>(events: impl Iterator<Item = &'a EventLine>) -> Table {
    let heads = ["event", "recorded", "who", "where", "what", "values", "reason"];
    let mut columns = text_columns(heads);
    columns[1].align = Align::Word;
    columns[3].align = Align::Word;
    let rows = events.map(|event| Row {
        id: Some(format!("e{}", event.sequence)),
        ..Row::new(
            format!("#{}", event.sequence),
            [
                event.recorded.clone(),
                format!("{} ({})", event.person, event.role),
                event.stream.clone(),
                [event.kind.as_str(), event.what.as_str()].join(" ").trim_end().to_owned(),
                changes(&event.changes),
                event.reason.clone().unwrap_or_default(),
            ]
            .map(crate::document::text)
            .into(),
        )
    });
    Table {
        id: "data-events".to_owned(),
        caption: "Events of the record behind the rows above".to_owned(),
        columns,
        rows: rows.collect(),
        ..Table::default()
    }
}

fn changes(changes: &[ChangeLine]) -> String {
    let one = |change: &ChangeLine| match &change.old {
        Some(old) => format!("{} {old} → {}", change.item, change.new),
        None => format!("{} {}", change.item, change.new),
    };
    changes.iter().map(one).collect::<Vec<_>>().join("; ")
}
