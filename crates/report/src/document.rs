//! The document model: what a report says, before any format.
//!
//! A number in a document is never plain text: it is an [`Inline::Number`] with
//! the id under which the results keep it, so that each rendering can lead
//! from the number to what lies behind it. Nothing here knows of HTML or PDF.

use protocol::model::SourceMark;

/// A whole report.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Its title.
    pub title: String,
    /// Language code of its running text.
    pub language: String,
    /// Language code of what the study file names: title, sections, labels.
    pub label_language: String,
    /// What every page must say, such as that the cohort is virtual.
    pub banner: Option<String>,
    /// Where it comes from: hashes, seed, program.
    pub provenance: Vec<(String, String)>,
    /// Sections in order.
    pub sections: Vec<Section>,
}

/// A section with a heading.
#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    /// Its anchor.
    pub id: String,
    /// Its heading.
    pub title: String,
    /// Whether the heading is the study file's, in its language.
    pub titled_by_study: bool,
    /// What it says.
    pub blocks: Vec<Block>,
}

/// A block of a section.
#[derive(Clone, Debug, PartialEq)]
pub enum Block {
    /// A sub-heading.
    Heading(String),
    /// A paragraph.
    Paragraph(Vec<Inline>),
    /// Terms and what they mean, under a title.
    Definitions(Definitions),
    /// A table.
    Table(Table),
    /// A figure, with tables of what it shows.
    Figure(Figure),
    /// The participants' flow.
    Flow(Flow),
}

/// A run of text or one number.
#[derive(Clone, Debug, PartialEq)]
pub enum Inline {
    /// Text.
    Text(String),
    /// A number that leads to what lies behind it.
    Number {
        /// The id under which the results keep it.
        id: String,
        /// As printed.
        text: String,
        /// Why it can't be estimated, where it can't.
        why_not: Option<String>,
    },
    /// A number stated elsewhere, from the study's facts; it leads to no data of this trial but to its sources.
    Stated {
        /// As printed in its source.
        text: String,
        /// The anchor of the fact.
        target: String,
        /// How sure it is; printed beside it.
        mark: SourceMark,
    },
    /// Text that leads to another place of the document.
    Link {
        /// The anchor.
        target: String,
        /// What it says.
        text: String,
    },
}

/// Terms and what they mean.
#[derive(Clone, Debug, PartialEq)]
pub struct Definitions {
    /// Its anchor.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Term and meaning.
    pub items: Vec<(String, Vec<Inline>)>,
}

/// How a column is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Text, from the left.
    Text,
    /// Short text that stays on one line, such as a date.
    Word,
    /// Numbers, to the right.
    Number,
}

/// A column's head.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// What it says.
    pub head: String,
    /// How its cells are set.
    pub align: Align,
}

/// A head over several columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// What it says; empty over columns that need no common head.
    pub head: String,
    /// How many columns it covers.
    pub columns: usize,
}

/// A table with a header row and a header cell in each row.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Table {
    /// Its anchor; empty if nothing points at it.
    pub id: String,
    /// Its caption.
    pub caption: String,
    /// Heads over several columns each, left to right; none, or together as many columns as there are.
    pub spans: Vec<Span>,
    /// Column heads; the first stands over the row heads.
    pub columns: Vec<Column>,
    /// Rows.
    pub rows: Vec<Row>,
    /// Notes under the table.
    pub notes: Vec<Vec<Inline>>,
}

/// A row of a table. One without cells is the head of the rows below it.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Row {
    /// The row's anchor, if something points at it.
    pub id: Option<String>,
    /// The row's head.
    pub head: Vec<Inline>,
    /// How far the head is set in, 0 to 2.
    pub indent: u8,
    /// Cells, one a column after the first.
    pub cells: Vec<Vec<Inline>>,
}

/// A figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// Its anchor and file name.
    pub id: String,
    /// Its caption.
    pub caption: String,
    /// What it shows, for those who do not see it.
    pub description: Vec<Inline>,
    /// The drawing.
    pub svg: String,
    /// The numbers drawn.
    pub tables: Vec<Table>,
}

/// The participants' flow (CONSORT 2025), phase by phase.
#[derive(Clone, Debug, PartialEq)]
pub struct Flow {
    /// Its anchor and file name.
    pub id: String,
    /// Its caption.
    pub caption: String,
    /// Phases in order.
    pub phases: Vec<FlowPhase>,
    /// The same as a drawing of its own.
    pub svg: String,
}

/// A phase of the flow.
#[derive(Clone, Debug, PartialEq)]
pub struct FlowPhase {
    /// Its name (`Allocation`).
    pub title: String,
    /// Boxes side by side: one for all, or one an arm.
    pub boxes: Vec<FlowBox>,
    /// Who leaves the trial's main line after this phase.
    pub leaves: Option<FlowBox>,
}

/// A box of the flow: a heading line, and lines set in under it.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct FlowBox {
    /// What the box says, line by line, with how far each is set in.
    pub lines: Vec<(u8, Vec<Inline>)>,
}

/// Wraps text as an inline run.
pub fn text(text: impl Into<String>) -> Vec<Inline> {
    vec![Inline::Text(text.into())]
}

/// Makes columns: the first over the row heads, then columns of numbers.
pub fn number_columns<S: Into<String>>(
    first: impl Into<String>,
    others: impl IntoIterator<Item = S>,
) -> Vec<Column> {
    let first = Column { head: first.into(), align: Align::Text };
    let others = others.into_iter().map(|head| Column { head: head.into(), align: Align::Number });
    std::iter::once(first).chain(others).collect()
}

/// Makes columns of text.
pub fn text_columns<S: Into<String>>(heads: impl IntoIterator<Item = S>) -> Vec<Column> {
    heads.into_iter().map(|head| Column { head: head.into(), align: Align::Text }).collect()
}

impl Inline {
    /// Returns what a reader reads, links apart.
    pub fn plain(&self) -> &str {
        match self {
            Inline::Text(text)
            | Inline::Number { text, .. }
            | Inline::Stated { text, .. }
            | Inline::Link { text, .. } => text,
        }
    }
}

/// Returns what a reader reads of a run, links apart.
pub fn plain(inlines: &[Inline]) -> String {
    inlines.iter().map(Inline::plain).collect()
}

impl Row {
    /// Makes a row.
    pub fn new(head: impl Into<String>, cells: Vec<Vec<Inline>>) -> Self {
        Self { id: None, head: text(head), indent: 0, cells }
    }

    /// Makes a head over the rows that follow.
    pub fn head(head: impl Into<String>) -> Self {
        Self::new(head, Vec::new())
    }

    /// Sets the head in.
    #[must_use]
    pub fn indented(mut self, indent: u8) -> Self {
        self.indent = indent;
        self
    }
}

impl Document {
    /// Returns all runs of text and numbers, in reading order.
    pub fn runs(&self) -> Vec<&[Inline]> {
        self.sections.iter().flat_map(Section::runs).collect()
    }

    /// Returns the ids of all numbers, in reading order.
    pub fn number_ids(&self) -> Vec<&str> {
        let all = self.runs().into_iter().flatten();
        all.filter_map(|inline| match inline {
            Inline::Number { id, .. } => Some(id.as_str()),
            _ => None,
        })
        .collect()
    }

    /// Returns every drawing: its anchor, its caption, and the SVG.
    pub fn drawings(&self) -> Vec<(&str, &str, &str)> {
        let blocks = self.sections.iter().flat_map(|section| &section.blocks);
        blocks
            .filter_map(|block| match block {
                Block::Figure(Figure { id, caption, svg, .. })
                | Block::Flow(Flow { id, caption, svg, .. }) => {
                    Some((id.as_str(), caption.as_str(), svg.as_str()))
                }
                _ => None,
            })
            .collect()
    }
}

impl Section {
    /// Returns all its runs of text and numbers, in reading order.
    pub fn runs(&self) -> Vec<&[Inline]> {
        let mut runs: Vec<&[Inline]> = Vec::new();
        for block in &self.blocks {
            match block {
                Block::Heading(_) => {}
                Block::Paragraph(inlines) => runs.push(inlines),
                Block::Definitions(definitions) => {
                    runs.extend(definitions.items.iter().map(|(_, meaning)| meaning.as_slice()));
                }
                Block::Table(table) => runs.extend(table.runs()),
                Block::Figure(figure) => {
                    runs.push(&figure.description);
                    runs.extend(figure.tables.iter().flat_map(Table::runs));
                }
                Block::Flow(flow) => runs.extend(flow.runs()),
            }
        }
        runs
    }
}

impl Table {
    /// Returns all runs, row by row, then the notes.
    pub fn runs(&self) -> impl Iterator<Item = &[Inline]> {
        let rows =
            self.rows.iter().flat_map(|row| std::iter::once(&row.head).chain(&row.cells).map(Vec::as_slice));
        rows.chain(self.notes.iter().map(Vec::as_slice))
    }
}

impl Flow {
    /// Returns all lines of all boxes, phase by phase.
    pub fn runs(&self) -> impl Iterator<Item = &[Inline]> {
        let boxes = self.phases.iter().flat_map(|phase| phase.boxes.iter().chain(&phase.leaves));
        boxes.flat_map(|one| one.lines.iter().map(|(_, line)| line.as_slice()))
    }
}
