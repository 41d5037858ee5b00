//! The document as one self-contained, accessible HTML page.

use askama::Template;

use crate::{
    document::{Block, Document, FlowBox, Inline},
    trace::TraceAppendix,
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

    /// Where a number's link leads.
    fn target(&self, id: &str) -> String {
        self.trace
            .anchors
            .get(id)
            .map_or_else(|| "#behind-the-numbers".to_owned(), |anchor| format!("#{anchor}"))
    }

    /// The flow's boxes, level by level: boxes of neighbouring columns stand side by side.
    fn flow<'b>(&self, boxes: &'b [FlowBox]) -> Vec<Vec<&'b FlowBox>> {
        let mut levels: Vec<Vec<&FlowBox>> = Vec::new();
        for one in boxes {
            let beside = levels.last().and_then(|level| level.last()).is_some_and(|last| {
                matches!((last.column, one.column), (Some(left), Some(right)) if right > left)
                    || (one.leaves && one.column.is_none() && !last.leaves)
            });
            match levels.last_mut() {
                Some(level) if beside => level.push(one),
                _ => levels.push(vec![one]),
            }
        }
        levels
    }
}

/// Renders the document with its trace appendix.
///
/// # Errors
/// The template fails, which only a defect of the program can cause.
pub fn render(document: &Document, trace: &TraceAppendix) -> Result<String, RenderError> {
    Ok(Page { document, trace }.render()?)
}
