//! From the document to the typesetter's source.
//!
//! Every word of a document enters the source as a quoted string, so that nothing
//! it says can be taken for a command. How things look is decided by the template;
//! what goes where, by this module: which tables need a turned page, which place
//! a link leads to, and where the tables behind the figures stand.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use report::{
    document::{
        Align, Block, Definitions, Document, Figure, Flow, FlowBox, FlowPhase, Inline, Row, Section, Table,
        plain,
    },
    trace::{Rows, TraceAppendix, TracedAnalysis},
};
use terms::Date;

use crate::widths::{Measures, UPRIGHT, measure};

const TEMPLATE: &str = include_str!("../templates/report.typ");
/// The most that a drawing may take of a page's height, in points.
const DRAWING_HEIGHT: f64 = 590.0;
/// Points that a drawing's pixel takes: 13 pixels of type become 7.8 points, and two drawings stand on a page.
const PIXEL: f64 = 0.6;
/// A table of so many rows or fewer is kept on one page.
const WHOLE_ROWS: usize = 22;
/// The anchor of the tables behind the figures.
const FIGURE_NUMBERS: &str = "numbers-in-the-figures";
/// The head of a column that names participants.
const PARTICIPANT: &str = "Participant";
/// The anchor of what stands behind the numbers.
const BEHIND: &str = "behind-the-numbers";

/// What the typesetter is given.
pub struct Sheets {
    /// The source.
    pub source: String,
    /// Drawings by file name.
    pub drawings: Vec<(String, String)>,
}

/// Writes the source of a document.
pub fn write(document: &Document, behind: Option<&TraceAppendix>, made: Date) -> Sheets {
    let mut writer = Writer {
        document,
        analyses: behind.map(analyses).unwrap_or_default(),
        places: places(document),
        drawings: Vec::new(),
    };
    let mut source = TEMPLATE.to_owned();
    writer.opening(&mut source, made);
    let mut parts = Vec::new();
    for section in &document.sections {
        writer.section(&mut parts, section);
    }
    writer.figure_numbers(&mut parts);
    if let Some(behind) = behind {
        writer.behind(&mut parts, behind);
    }
    lay_out(&mut source, parts);
    Sheets { source, drawings: writer.drawings }
}

/// A piece of the source and how it wants its page.
struct Part {
    code: String,
    turned: Option<bool>,
    /// Roughly how much of an upright page it takes.
    share: f64,
}

impl Part {
    /// A heading or the like: it goes where the next part goes.
    fn leading(code: String) -> Self {
        Self { code, turned: None, share: 0.05 }
    }
}

/// Puts parts on pages: turned ones side by side share a turned page; headings go with
/// what follows them; little that stands between two turned parts is turned with them.
fn lay_out(source: &mut String, mut parts: Vec<Part>) {
    let mut next = Some(false);
    for part in parts.iter_mut().rev() {
        match part.turned {
            Some(turned) => next = Some(turned),
            None => part.turned = next,
        }
    }
    let mut place = 0;
    while place < parts.len() {
        let upright = parts[place..].iter().take_while(|part| part.turned != Some(true)).count();
        let between = place > 0 && upright > 0 && place + upright < parts.len();
        let little = parts[place..place + upright].iter().map(|part| part.share).sum::<f64>() < 0.3;
        if between && little {
            parts[place..place + upright].iter_mut().for_each(|part| part.turned = Some(true));
        }
        let rest = &parts[place + upright..];
        place += upright + rest.iter().take_while(|part| part.turned == Some(true)).count();
    }
    let mut turned = false;
    for part in &parts {
        let turn = part.turned == Some(true);
        match (turned, turn) {
            (false, true) => source.push_str("#page(flipped: true)[\n"),
            (true, false) => source.push_str("]\n"),
            _ => {}
        }
        turned = turn;
        source.push_str(&part.code);
        source.push('\n');
    }
    if turned {
        source.push_str("]\n");
    }
}

struct Writer<'a> {
    document: &'a Document,
    /// The place of each number's analysis among those behind the numbers.
    analyses: BTreeMap<&'a str, usize>,
    places: BTreeSet<&'a str>,
    drawings: Vec<(String, String)>,
}

/// The anchors that stand in the document on paper.
fn places(document: &Document) -> BTreeSet<&str> {
    fn of_table(table: &Table) -> impl Iterator<Item = &str> {
        let rows = table.rows.iter().filter_map(|row| row.id.as_deref());
        std::iter::once(table.id.as_str()).chain(rows)
    }
    let mut places = BTreeSet::new();
    for section in &document.sections {
        places.insert(section.id.as_str());
        for block in &section.blocks {
            match block {
                Block::Heading(_) | Block::Paragraph(_) => {}
                Block::Definitions(definitions) => {
                    places.insert(definitions.id.as_str());
                }
                Block::Table(table) => places.extend(of_table(table)),
                Block::Figure(figure) => {
                    places.insert(figure.id.as_str());
                    places.extend(figure.tables.iter().flat_map(of_table));
                }
                Block::Flow(flow) => {
                    places.insert(flow.id.as_str());
                }
            }
        }
    }
    places.remove("");
    places
}

/// The place of each number's analysis.
fn analyses(behind: &TraceAppendix) -> BTreeMap<&str, usize> {
    let all = behind.analyses.iter().enumerate();
    all.flat_map(|(place, analysis)| {
        let numbers = analysis.derivations.iter().flat_map(|derivation| &derivation.numbers);
        numbers.map(move |(id, _)| (id.as_str(), place))
    })
    .collect()
}

fn analysis_anchor(place: usize) -> String {
    format!("analysis-{}", place + 1)
}

impl Writer<'_> {
    fn opening(&self, source: &mut String, made: Date) {
        let document = self.document;
        let banner = document.banner.as_deref().map_or("none".to_owned(), quoted);
        let foot = document.provenance.iter().find(|(name, _)| name == "Program");
        let _ = writeln!(
            source,
            "#show: report.with(title: {}, language: {}, labels: {}, made: datetime(year: {}, month: {}, day: {}), \
             banner: {banner}, foot: {})",
            quoted(&document.title),
            quoted(&document.language),
            quoted(&document.label_language),
            made.year(),
            made.month(),
            made.day(),
            quoted(foot.map_or("", |(_, program)| program)),
        );
        if let Some(banner) = &document.banner {
            let _ = writeln!(
                source,
                "#block(width: 100%, fill: rgb(\"#fff3c4\"), stroke: 1pt + rgb(\"#8a6100\"), inset: 7pt, strong({}))",
                quoted(banner)
            );
        }
        source.push_str("#[#set text(size: 9pt)\n#terms(tight: true, hanging-indent: 40mm, separator: [: ]");
        for (name, value) in &document.provenance {
            let _ = write!(source, ", terms.item({}, {})", quoted(name), quoted(&breakable(value)));
        }
        // Its height is known before any page number is, so that finding the numbers moves nothing.
        let entries = document.sections.len() + 2;
        let _ = writeln!(source, ")]\n#contents({entries})");
    }

    fn section(&mut self, parts: &mut Vec<Part>, section: &Section) {
        parts.push(Part::leading(self.heading(1, &section.title, &section.id, section.titled_by_study)));
        for block in &section.blocks {
            match block {
                Block::Heading(title) => parts.push(Part::leading(self.heading(2, title, "", false))),
                Block::Paragraph(inlines) => parts.push(Part {
                    code: format!("#par({})", self.runs(inlines)),
                    turned: None,
                    share: 0.02 + plain(inlines).len() as f64 / 5000.0,
                }),
                Block::Definitions(definitions) => parts.push(self.definitions(definitions)),
                Block::Table(table) => parts.push(self.table(table)),
                Block::Figure(figure) => parts.push(self.figure(figure)),
                Block::Flow(flow) => parts.push(self.flow(flow)),
            }
        }
    }

    fn heading(&self, level: u8, title: &str, id: &str, titled_by_study: bool) -> String {
        let title = if titled_by_study && self.document.label_language != self.document.language {
            format!("text(lang: {}, {})", quoted(&self.document.label_language), quoted(title))
        } else {
            quoted(title)
        };
        let anchor = if id.is_empty() { String::new() } else { format!("#label({})", quoted(id)) };
        format!("#[#heading(level: {level}, {title}){anchor}]")
    }

    /// Runs as one expression.
    fn runs(&self, inlines: &[Inline]) -> String {
        match inlines {
            [] => "[]".to_owned(),
            [one] => self.run(one),
            several => {
                let all: Vec<String> = several.iter().map(|inline| self.run(inline)).collect();
                format!("({})", all.join("+"))
            }
        }
    }

    /// A cell: numbers that lead to one analysis are one link with the words between them, because a reader on paper
    /// follows them to the same place, and a reader who listens hears one number with its interval.
    fn cell(&self, inlines: &[Inline]) -> String {
        let mut places = BTreeSet::new();
        for inline in inlines {
            match inline {
                Inline::Number { id, .. } => places.insert(self.analyses.get(id.as_str()).copied()),
                Inline::Text(_) => false,
                Inline::Stated { .. } | Inline::Link { .. } => return self.runs(inlines),
            };
        }
        match (inlines, places.first()) {
            ([_, _, ..], Some(Some(place))) if places.len() == 1 => {
                format!("n({},{})", quoted(&analysis_anchor(*place)), quoted(&plain(inlines)))
            }
            _ => self.runs(inlines),
        }
    }

    fn run(&self, inline: &Inline) -> String {
        match inline {
            // An empty block in front makes content of it, so that runs can be added.
            Inline::Text(text) => format!("[#{}]", quoted(text)),
            Inline::Number { id, text, why_not: _ } => match self.analyses.get(id.as_str()) {
                Some(place) => format!("n({},{})", quoted(&analysis_anchor(*place)), quoted(text)),
                None => format!("[#{}]", quoted(text)),
            },
            Inline::Stated { text, target, mark } => {
                let target =
                    if self.places.contains(target.as_str()) { quoted(target) } else { "none".into() };
                format!("stated({target},{},{})", quoted(text), quoted(report::mark(*mark)))
            }
            Inline::Link { target, text } if self.places.contains(target.as_str()) => {
                format!("to({},{})", quoted(target), quoted(text))
            }
            Inline::Link { text, .. } => format!("[#{}]", quoted(text)),
        }
    }

    fn definitions(&self, definitions: &Definitions) -> Part {
        let items = definitions
            .items
            .iter()
            .map(|(term, meaning)| format!(", terms.item({}, {})", quoted(term), self.runs(meaning)));
        let items: String = items.collect();
        Part {
            code: format!(
                "{}#defined({}{items})",
                anchor(&definitions.id),
                quoted(&format!("Estimand {}", definitions.title))
            ),
            turned: None,
            share: 0.03 * (definitions.items.len() + 1) as f64,
        }
    }

    fn table(&self, table: &Table) -> Part {
        let Measures { turned, size, columns } = measure(table);
        let mut code = anchor(&table.id);
        let whole = table.rows.len() <= WHOLE_ROWS;
        let widths: Vec<String> = columns.iter().map(|width| format!("{width:.2}pt")).collect();
        let aligns: Vec<&str> = table
            .columns
            .iter()
            .enumerate()
            .map(|(place, column)| match column.align {
                Align::Number if place > 0 => "right",
                Align::Text | Align::Word | Align::Number => "left",
            })
            .collect();
        let _ = write!(
            code,
            "#tabulated({}, {size}pt, {whole}, ({},), ({},), ({},), {}, (",
            quoted(&table.caption),
            widths.join(","),
            aligns.join(","),
            self.head(table),
            if table.spans.is_empty() { 1 } else { 2 },
        );
        for note in &table.notes {
            let _ = write!(code, "{},", self.runs(note));
        }
        code.push(')');
        for row in &table.rows {
            let head = self.cell(&row.head);
            let head = match &row.id {
                Some(id) if !id.is_empty() => format!("at({})+{head}", quoted(id)),
                _ => head,
            };
            if row.cells.is_empty() {
                let _ = write!(code, ",\ngroup({},{head})", table.columns.len());
                continue;
            }
            let _ = write!(code, ",\nrh({},{head})", row.indent);
            for cell in &row.cells {
                let _ = write!(code, ",{}", self.cell(cell));
            }
        }
        code.push(')');
        Part { code, turned: Some(turned), share: 0.08 + 0.02 * table.rows.len() as f64 }
    }

    /// The head rows of a table.
    fn head(&self, table: &Table) -> String {
        let head = |words: &str| if words.is_empty() { "blank".to_owned() } else { quoted(words) };
        let mut cells: Vec<String> = table
            .spans
            .iter()
            .flat_map(|span| match span.head.as_str() {
                "" => vec!["blank".to_owned(); span.columns],
                words => vec![format!("over({},{})", span.columns, quoted(words))],
            })
            .collect();
        cells.extend(table.columns.iter().map(|column| head(&column.head)));
        cells.join(",")
    }

    fn figure(&mut self, figure: &Figure) -> Part {
        let file = format!("{}.svg", figure.id);
        let (width, height) = size(&figure.svg).unwrap_or((760.0, 460.0));
        let scale = PIXEL.min(UPRIGHT / width).min(DRAWING_HEIGHT / height);
        self.drawings.push((file.clone(), figure.svg.clone()));
        let numbers = match figure.tables.as_slice() {
            [] => String::new(),
            _ => format!("+\" \"+to({},\"The numbers in it\")", quoted(&numbers_anchor(figure))),
        };
        let code = format!(
            "{}#drawn({}, {:.2}pt, {}, strong({})+{}{numbers})",
            anchor(&figure.id),
            quoted(&file),
            width * scale,
            quoted(&format!("{}. {}", figure.caption, plain(&figure.description))),
            quoted(&format!("{}. ", figure.caption)),
            self.runs(&figure.description),
        );
        Part { code, turned: Some(false), share: 0.5 }
    }

    /// The tables behind the figures, apart from them.
    fn figure_numbers(&self, parts: &mut Vec<Part>) {
        let blocks = self.document.sections.iter().flat_map(|section| &section.blocks);
        let mut figures = blocks
            .filter_map(|block| match block {
                Block::Figure(figure) if !figure.tables.is_empty() => Some(figure),
                Block::Figure(_)
                | Block::Heading(_)
                | Block::Paragraph(_)
                | Block::Definitions(_)
                | Block::Table(_)
                | Block::Flow(_) => None,
            })
            .peekable();
        if figures.peek().is_none() {
            return;
        }
        parts.push(Part::leading(self.heading(1, "The numbers in the figures", FIGURE_NUMBERS, false)));
        for figure in figures {
            parts.push(Part::leading(self.heading(2, &figure.caption, &numbers_anchor(figure), false)));
            parts.extend(self.analyses_of(figure));
            let (each, summed): (Vec<&Table>, Vec<&Table>) =
                figure.tables.iter().partition(|table| names_participants(table));
            parts.extend(summed.iter().map(|table| self.table(&unlinked(table))));
            if !each.is_empty() {
                let words = "Each participant’s numbers stand beside the figure in the report’s page, and in its data sets.";
                parts.push(Part::leading(format!("#par({})", quoted(words))));
            }
        }
    }

    /// The analyses that a figure's numbers come from, named once for all of them.
    fn analyses_of(&self, figure: &Figure) -> Option<Part> {
        let numbers = figure.tables.iter().flat_map(Table::runs).flatten();
        let places: BTreeSet<usize> = numbers
            .filter_map(|inline| match inline {
                Inline::Number { id, .. } => self.analyses.get(id.as_str()).copied(),
                Inline::Text(_) | Inline::Stated { .. } | Inline::Link { .. } => None,
            })
            .collect();
        let links = places.iter().map(|place| {
            format!("n({},{})", quoted(&analysis_anchor(*place)), quoted(&format!("analysis {}", place + 1)))
        });
        let links: Vec<String> = links.collect();
        // It goes with the table that follows.
        let code = format!("#block(sticky: true, par([From ]+{}+[.]))", links.join("+[, ]+"));
        (!links.is_empty()).then(|| Part::leading(code))
    }

    fn flow(&self, flow: &Flow) -> Part {
        let mut code = format!("{}#flow({},{}", anchor(&flow.id), quoted(&flow.caption), fits_a_page(flow));
        for (place, phase) in flow.phases.iter().enumerate() {
            let boxes: String =
                phase.boxes.iter().map(|one| format!("{},", self.flow_box("box-of", one))).collect();
            let leaves =
                phase.leaves.as_ref().map_or("none".to_owned(), |one| self.flow_box("aside-of", one));
            let last = place + 1 == flow.phases.len();
            let _ = write!(code, ",\nphase({},({boxes}),{leaves},{last})", quoted(&phase.title));
        }
        code.push(')');
        Part { code, turned: Some(false), share: 0.8 }
    }

    fn flow_box(&self, kind: &str, one: &FlowBox) -> String {
        let lines = one.lines.iter().map(|(indent, line)| format!("set-in({indent},{})", self.runs(line)));
        format!("{kind}({})", lines.collect::<Vec<_>>().join(","))
    }

    /// The analyses behind the numbers: method, set, and how the ids of their numbers are made.
    fn behind(&self, parts: &mut Vec<Part>, behind: &TraceAppendix) {
        let mut code =
            format!("#page(columns: 2)[\n{}", self.heading(1, "Behind the numbers", BEHIND, false));
        code.push_str(
            "\nEach number above is a link to the analysis here that it comes from. Its id in the results is the \
             analysis, what it is, and in brackets which group and which level it is of, such as \
             #id[A/mean\\[arm\\]\\[visit\\]]; each analysis lists what it uses of them. Then follow the sections that show it, the lines of the \
             study’s files that define the analysis, the rows of the data sets that all its numbers were computed \
             from (in the file of that name below #id[data], the first below the heads being row 1), and the events \
             of the record behind these rows. With a number’s id, #id[equipoise trace] prints those of that number \
             alone, with who entered what and when; in the report’s page (#id[report.html]) the number is a link to \
             them.\n\nThe data sets:\n",
        );
        let sets = behind.datasets.iter().map(|set| format!("[#{}]", quoted(&set.caption)));
        let _ = writeln!(code, "#list({})", sets.collect::<Vec<_>>().join(","));
        for (place, analysis) in behind.analyses.iter().enumerate() {
            code.push_str(&self.analysis(place, analysis, behind));
            code.push('\n');
        }
        code.push(']');
        parts.push(Part { code, turned: Some(false), share: 1.0 });
    }

    /// The titles of the sections in which numbers of an analysis stand.
    fn sections_of(&self, place: usize) -> Vec<&str> {
        let is_of = |inline: &Inline| match inline {
            Inline::Number { id, .. } => self.analyses.get(id.as_str()) == Some(&place),
            Inline::Text(_) | Inline::Stated { .. } | Inline::Link { .. } => false,
        };
        let sections = self.document.sections.iter();
        let shown = sections.filter(|section| section.runs().into_iter().flatten().any(is_of));
        shown.map(|section| section.title.as_str()).collect()
    }

    fn analysis(&self, place: usize, analysis: &TracedAnalysis, behind: &TraceAppendix) -> String {
        let mut code = format!(
            "#[#analysis({}, {})#label({})]",
            place + 1,
            quoted(&analysis.title),
            quoted(&analysis_anchor(place))
        );
        let _ = write!(code, "\n#traced({}", quoted(&format!("{}. Set: {}.", analysis.method, analysis.set)));
        for (name, values) in id_parts(analysis) {
            let _ = write!(code, ", ({}, {})", quoted(name), quoted(&breakable(&values)));
        }
        let _ = write!(code, ", (\"shown in\", {})", quoted(&self.sections_of(place).join("; ")));
        if !analysis.defined.is_empty() {
            let lines: Vec<String> =
                analysis.defined.iter().map(|one| format!("{} ({})", one.line, one.what)).collect();
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            let _ = write!(code, ", (\"study lines\", {})", quoted(&breakable(&some_of(&lines))));
        }
        let (rows, events) = rows_and_events(analysis, behind);
        let _ = write!(code, ", (\"rows\", {})", quoted(&breakable(&rows)));
        if !events.is_empty() {
            let _ = write!(code, ", (\"events\", {})", quoted(&breakable(&events)));
        }
        code.push(')');
        code
    }
}

/// What the ids of an analysis's numbers are made of: keys, groups, levels.
fn id_parts(analysis: &TracedAnalysis) -> Vec<(&'static str, String)> {
    let mut parts: [Vec<&str>; 3] = Default::default();
    let numbers = analysis.derivations.iter().flat_map(|derivation| &derivation.numbers);
    for (id, _) in numbers {
        let rest = id.split_once('/').map_or(id.as_str(), |(_, rest)| rest);
        for (part, words) in parts.iter_mut().zip(rest.split('[')) {
            let words = words.trim_end_matches(']');
            if !words.is_empty() && !part.contains(&words) {
                part.push(words);
            }
        }
    }
    let names = ["numbers", "groups", "levels"];
    let said = names.into_iter().zip(parts).filter(|(_, part)| !part.is_empty());
    said.map(|(name, part)| (name, some_of(&part))).collect()
}

/// The first few of many.
fn some_of(words: &[&str]) -> String {
    /// A reader who sees so many sees how the rest go on.
    const MOST: usize = 8;
    match words.len().checked_sub(MOST) {
        Some(more) if more > 1 => format!("{} and {more} more", words[..MOST].join(", ")),
        _ => words.join(", "),
    }
}

/// The rows that an analysis's numbers were computed from, by data set, and the events behind these rows.
fn rows_and_events(analysis: &TracedAnalysis, behind: &TraceAppendix) -> (String, String) {
    let mut rows: BTreeMap<&str, BTreeSet<u64>> = BTreeMap::new();
    for of in analysis.derivations.iter().flat_map(|derivation| &derivation.rows) {
        let of = match of {
            Rows::Here(rows) => rows,
            Rows::Shared { anchor, .. } => match behind.row_sets.iter().find(|set| set.anchor == *anchor) {
                Some(set) => &set.rows,
                None => continue,
            },
        };
        // A row's anchor is its data set and its place.
        let places = of.links.iter().filter_map(|row| row.anchor.rsplit_once('-'));
        for (set, place) in places.filter_map(|(set, place)| Some((set, place.parse().ok()?))) {
            rows.entry(set).or_default().insert(place);
        }
    }
    let mut events = BTreeSet::new();
    for (set, places) in &rows {
        let anchor = format!("data-{set}");
        let Some(table) = behind.datasets.iter().find(|table| table.id == anchor) else { continue };
        let named = |row: &&Row| {
            let place = row.id.as_deref().and_then(|id| id.rsplit_once('-')?.1.parse().ok());
            place.is_some_and(|place: u64| places.contains(&place))
        };
        let links = table.rows.iter().filter(named).flat_map(|row| row.cells.iter().flatten());
        events.extend(links.filter_map(|inline| match inline {
            Inline::Link { target, .. } => target.strip_prefix('e')?.parse::<u64>().ok(),
            _ => None,
        }));
    }
    let rows = rows.iter().map(|(set, places)| format!("{set} {}", spans(places)));
    (rows.collect::<Vec<_>>().join("; "), spans(&events))
}

/// Numbers as spans: `3-9, 14`, the first of many.
fn spans(numbers: &BTreeSet<u64>) -> String {
    /// Of more spans a reader takes the file.
    const MOST: usize = 10;
    let mut spans: Vec<(u64, u64)> = Vec::new();
    for &number in numbers {
        match spans.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => spans.push((number, number)),
        }
    }
    let word = |(first, last): &(u64, u64)| {
        if first == last { first.to_string() } else { format!("{first}-{last}") }
    };
    let words: Vec<String> = spans.iter().take(MOST).map(word).collect();
    match spans.len().checked_sub(MOST) {
        Some(more @ 1..) => {
            let rest: u64 = spans[MOST..].iter().map(|(first, last)| last - first + 1).sum();
            format!("{} and {rest} more in {more} spans, {} in all", words.join(", "), numbers.len())
        }
        _ => words.join(", "),
    }
}

/// Whether a table behind a figure has a row for each participant: pages of these would say on paper what no reader
/// of paper looks up, and stand in files where they can be used.
fn names_participants(table: &Table) -> bool {
    table.columns.first().is_some_and(|column| column.head == PARTICIPANT)
}

/// A table whose numbers are plain words: thousands of links to one analysis would say no more than one does.
fn unlinked(table: &Table) -> Table {
    let plain = |cell: &Vec<Inline>| {
        let words = |inline: &Inline| match inline {
            Inline::Number { text, .. } => Inline::Text(text.clone()),
            Inline::Text(_) | Inline::Stated { .. } | Inline::Link { .. } => inline.clone(),
        };
        cell.iter().map(words).collect()
    };
    let mut table = table.clone();
    for row in &mut table.rows {
        row.head = plain(&row.head);
        row.cells = row.cells.iter().map(plain).collect();
    }
    table
}

/// Whether a flow's boxes stand on one page, by their lines and the room around them.
fn fits_a_page(flow: &Flow) -> bool {
    /// Lines of its type on a page, less the caption.
    const LINES: usize = 54;
    /// Title, frame and arrow of a phase in lines.
    const FRAME: usize = 4;
    /// Characters on a line of a box.
    const CHARACTERS: usize = 48;
    let lines = |one: &FlowBox| -> usize {
        one.lines.iter().map(|(_, line)| 1 + plain(line).chars().count() / CHARACTERS).sum()
    };
    let phase = |phase: &FlowPhase| {
        FRAME + phase.boxes.iter().map(lines).max().unwrap_or(0) + phase.leaves.as_ref().map_or(0, lines)
    };
    flow.phases.iter().map(phase).sum::<usize>() <= LINES
}

fn numbers_anchor(figure: &Figure) -> String {
    format!("{}-numbers", figure.id)
}

/// A place that links lead to, if it has a name.
fn anchor(id: &str) -> String {
    if id.is_empty() { String::new() } else { format!("#at({})", quoted(id)) }
}

/// The width and height that a drawing states.
fn size(svg: &str) -> Option<(f64, f64)> {
    let number = |name: &str| {
        let start = svg.find(&format!(" {name}=\""))? + name.len() + 3;
        svg[start..].split('"').next()?.parse::<f64>().ok()
    };
    Some((number("width")?, number("height")?)).filter(|(width, height)| *width > 0.0 && *height > 0.0)
}

/// Lets a long id or hash go on to the next line.
fn breakable(id: &str) -> String {
    let mut out = String::with_capacity(id.len() + 8);
    for (place, char) in id.chars().enumerate() {
        if place > 0 && char == '[' {
            out.push('\u{200b}');
        }
        out.push(char);
        if matches!(char, '/' | ':' | ',' | '_') {
            out.push('\u{200b}');
        }
    }
    out
}

/// A string of the source's language.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for char in text.chars() {
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::spans;

    #[test]
    fn neighbours_are_joined_and_of_many_the_first_are_named() {
        let set = |numbers: &[u64]| numbers.iter().copied().collect::<BTreeSet<_>>();
        assert_eq!(spans(&set(&[3, 4, 5, 9, 11, 12])), "3-5, 9, 11-12");
        assert_eq!(spans(&set(&[])), "");
        let many = spans(&(0..40).map(|place| 2 * place).collect());
        assert!(
            many.starts_with("0, 2, 4,") && many.ends_with("18 and 30 more in 30 spans, 40 in all"),
            "{many}"
        );
    }
}
