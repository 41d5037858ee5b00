//! What the compiler says about a study: what is wrong, where, and what to write instead.
//!
//! A diagnostic renders itself as a short block of text ([`std::fmt::Display`]), through
//! `miette` with a snippet, and as JSON. It never refers to anything outside the study's files.

use std::{fmt, ops::Range, sync::Arc};

use serde::Serialize;

use crate::source::{Place, SourceFile};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The study can't be run.
    Error,
    /// The study can be run; a person should look.
    Warning,
}

/// One thing that the compiler has to say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// Which rule of the language it is about (`unknown-name`, `not-measured` …).
    pub code: &'static str,
    /// The file, as a path in the study's folder.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The bytes of the file that it is about.
    pub span: Range<usize>,
    /// The line's text.
    pub snippet: String,
    /// What is wrong.
    pub message: String,
    /// What to write instead, or how it came about.
    pub help: Option<String>,
    #[serde(skip)]
    text: Arc<str>,
}

impl Diagnostic {
    pub(crate) fn new(
        severity: Severity,
        code: &'static str,
        sources: &[SourceFile],
        place: &Place,
        message: String,
        help: Option<String>,
    ) -> Self {
        let source = &sources[place.file];
        let (line, column) = source.position(place.start);
        Self {
            severity,
            code,
            file: source.path.clone(),
            line,
            column,
            span: place.start..place.end,
            snippet: source.line(place.start).to_owned(),
            message,
            help,
            text: source.text.clone(),
        }
    }

    /// Returns this for `miette` to render.
    pub fn report(&self) -> Report<'_> {
        Report(self)
    }

    /// Returns the number of characters of the first line that the span covers, at least 1.
    fn width(&self) -> usize {
        let covered = self.text.get(self.span.clone()).unwrap_or_default();
        covered.lines().next().unwrap_or_default().chars().count().max(1)
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        writeln!(f, "{word}: {}  {}:{}:{}", self.message, self.file, self.line, self.column)?;
        let (snippet, column, width) = excerpt(&self.snippet, self.column, self.width());
        writeln!(f, "   {snippet}")?;
        write!(f, "   {:>column$}{}", "^", "^".repeat(width.saturating_sub(1)))?;
        for line in self.help.iter().flat_map(|help| help.lines()) {
            write!(f, "\n   {line}")?;
        }
        Ok(())
    }
}

/// Returns the part of a long line around a column, so that a block stays readable.
fn excerpt(line: &str, column: usize, width: usize) -> (String, usize, usize) {
    const CHARS_MAX: usize = 150;
    let indent = line.chars().take_while(|c| c.is_whitespace()).count().min(column.saturating_sub(1));
    let chars: Vec<char> = line.chars().skip(indent).collect();
    let before = column - 1 - indent;
    let first = if chars.len() <= CHARS_MAX {
        0
    } else {
        before.saturating_sub(CHARS_MAX / 3).min(chars.len() - CHARS_MAX)
    };
    let last = (first + CHARS_MAX).min(chars.len());
    let mut shown = String::from(if first > 0 { "… " } else { "" });
    let column = before - first + shown.chars().count() + 1;
    shown.extend(&chars[first..last]);
    if last < chars.len() {
        shown.push_str(" …");
    }
    let width = width.min((last - first).saturating_sub(before - first)).max(1);
    (shown, column, width)
}

/// A diagnostic as `miette` renders it, with the lines around.
#[derive(Debug)]
pub struct Report<'d>(&'d Diagnostic);

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Report<'_> {}

impl miette::Diagnostic for Report<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.0.code))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.0.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.0.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        Some(self)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = miette::LabeledSpan> + '_>> {
        let label = miette::LabeledSpan::underline(self.0.span.clone());
        Some(Box::new(std::iter::once(label)))
    }
}

impl miette::SourceCode for Report<'_> {
    fn read_span<'a>(
        &'a self,
        span: &miette::SourceSpan,
        lines_before: usize,
        lines_after: usize,
    ) -> Result<Box<dyn miette::SpanContents<'a> + 'a>, miette::MietteError> {
        let inner = (*self.0.text).read_span(span, lines_before, lines_after)?;
        Ok(Box::new(miette::MietteSpanContents::new_named(
            self.0.file.clone(),
            inner.data(),
            *inner.span(),
            inner.line(),
            inner.column(),
            inner.line_count(),
        )))
    }
}
