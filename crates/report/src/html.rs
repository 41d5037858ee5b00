//! The document as one self-contained, accessible HTML page.
//!
//! The page is XHTML-compatible, works without scripts, names no address outside
//! itself, and holds the trace appendix: each number is a link into it.

use askama::Template;

use crate::{
    Report,
    document::{Align, Block, Column, Document, Figure, Inline, Row, Table},
    trace::{Rows, TraceAppendix},
    wording,
};

/// The page could not be written.
#[derive(Debug, thiserror::Error)]
#[error("the page can't be rendered: {0}")]
pub struct RenderError(#[from] askama::Error);

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    document: &'a Document,
    trace: &'a TraceAppendix,
}

impl Page<'_> {
    fn style(&self) -> &'static str {
        include_str!("../templates/report.css")
    }

    fn script(&self) -> &'static str {
        include_str!("../templates/report.js")
    }

    /// Whether anything stands behind the numbers; a document without numbers of a trial has none.
    fn has_trace(&self) -> bool {
        *self.trace != TraceAppendix::default()
    }

    /// Where a line of the study stands.
    fn study_anchor(&self, line: &protocol::StudyLine) -> String {
        crate::trace::study_anchor(line)
    }

    /// Where a number's link leads.
    fn target(&self, id: &str) -> &str {
        self.trace.anchors.get(id).map_or("behind-the-numbers", String::as_str)
    }

    /// A drawing fit to stand within a page: no name space of its own, ids of its own.
    fn drawing(&self, figure: &Figure) -> String {
        let svg = figure.svg.replace(" xmlns=\"http://www.w3.org/2000/svg\"", "");
        svg.replace("clip-", &format!("{}-clip-", figure.id)).replacen(
            "<svg ",
            "<svg aria-hidden=\"true\" focusable=\"false\" ",
            1,
        )
    }

    /// What a figure shows, read aloud.
    fn plain(&self, inlines: &[Inline]) -> String {
        crate::document::plain(inlines)
    }

    /// A table's rows in groups: a head without cells opens one.
    fn groups<'b>(&self, table: &'b Table) -> Vec<&'b [Row]> {
        let mut groups = Vec::new();
        let mut start = 0;
        for place in 1..table.rows.len() {
            if table.rows[place].cells.is_empty() {
                groups.push(&table.rows[start..place]);
                start = place;
            }
        }
        if start < table.rows.len() {
            groups.push(&table.rows[start..]);
        }
        groups
    }

    fn mark(&self, mark: &protocol::model::SourceMark) -> &'static str {
        wording::mark(*mark)
    }

    /// The class of a column's head, as the style sheet knows it.
    fn class(&self, column: &Column) -> &'static str {
        match column.align {
            Align::Text => "t",
            Align::Word => "w",
            Align::Number => "",
        }
    }

    /// Whether no column holds numbers, which is then said once.
    fn all_text(&self, table: &Table) -> bool {
        table.columns.iter().all(|column| column.align != Align::Number)
    }

    /// The classes of the cells after the first, as far as the table's own does not say it.
    fn classes(&self, table: &Table) -> Vec<&'static str> {
        let all = self.all_text(table);
        let class = |column: &Column| match self.class(column) {
            "t" if all => "",
            class => class,
        };
        table.columns.iter().skip(1).map(class).collect()
    }
}

/// Renders a report.
///
/// # Errors
/// The template fails, which only a defect of the program can cause.
pub fn render(report: &Report) -> Result<String, RenderError> {
    Ok(Page { document: &report.document, trace: &report.trace }.render()?)
}
