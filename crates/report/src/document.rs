//! The document model: what a report says, before any format.
//!
//! A number in a document is never plain text: it is an [`Inline::Number`] with
//! the id under which the results keep it, so that each rendering can lead
//! from the number to what lies behind it.

/// A whole report.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Its title.
    pub title: String,
    /// Language code of its text.
    pub language: String,
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
    /// A table.
    Table(Table),
    /// A figure, with a table of what it shows.
    Figure(Figure),
    /// The participants' flow: boxes in order, some beside the others.
    Flow(Vec<FlowBox>),
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
    },
    /// A published number, from the study's facts; it leads to no data of this trial.
    Published {
        /// As printed in its source, with the mark of how sure it is.
        text: String,
        /// The fact's id.
        fact: String,
    },
}

/// A table with a header row and a header cell in each row.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Table {
    /// Its anchor, if something points at it.
    pub id: String,
    /// Its caption.
    pub caption: String,
    /// Column heads; the first stands over the row heads.
    pub columns: Vec<String>,
    /// Rows.
    pub rows: Vec<Row>,
    /// Notes under the table.
    pub notes: Vec<String>,
}

/// A row of a table.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Row {
    /// The row's anchor, if something points at it.
    pub id: Option<String>,
    /// The row's head.
    pub head: String,
    /// How far the head is set in.
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
    pub description: String,
    /// The drawing.
    pub svg: String,
    /// The numbers drawn.
    pub table: Table,
}

/// A box of the participants' flow.
#[derive(Clone, Debug, PartialEq)]
pub struct FlowBox {
    /// What the box says, line by line.
    pub lines: Vec<Vec<Inline>>,
    /// Whether participants leave the trial's main line here.
    pub leaves: bool,
    /// The column (arm) it stands in; none: across all.
    pub column: Option<usize>,
}

/// Wraps text as an inline run.
pub fn text(text: impl Into<String>) -> Vec<Inline> {
    vec![Inline::Text(text.into())]
}

impl Document {
    /// Returns the ids of all numbers, in reading order.
    pub fn number_ids(&self) -> Vec<&str> {
        let mut ids = Vec::new();
        for block in self.sections.iter().flat_map(|section| &section.blocks) {
            match block {
                Block::Heading(_) => {}
                Block::Paragraph(inlines) => collect(inlines, &mut ids),
                Block::Table(table) => table.collect(&mut ids),
                Block::Figure(figure) => figure.table.collect(&mut ids),
                Block::Flow(boxes) => {
                    boxes.iter().flat_map(|one| &one.lines).for_each(|line| collect(line, &mut ids));
                }
            }
        }
        ids
    }
}

impl Table {
    fn collect<'a>(&'a self, ids: &mut Vec<&'a str>) {
        self.rows.iter().flat_map(|row| &row.cells).for_each(|cell| collect(cell, ids));
    }
}

fn collect<'a>(inlines: &'a [Inline], ids: &mut Vec<&'a str>) {
    ids.extend(inlines.iter().filter_map(|inline| match inline {
        Inline::Number { id, .. } => Some(id.as_str()),
        _ => None,
    }));
}
