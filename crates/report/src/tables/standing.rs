//! Tables of standing results: rows are levels, columns are numbers of each group.

use analysis::{AnalysisResult, Level};

use super::{named_among, not_estimable};
use crate::{
    context::{Context, anchor},
    document::{Align, Column, Inline, Row, Span, Table, text},
    wording,
};

/// A part of a cell: a number by its key, or words between numbers.
#[derive(Clone, Debug)]
pub(super) enum Piece {
    /// A number.
    Key(String),
    /// Words.
    Words(&'static str),
}

/// A column of each group.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    pub(super) head: String,
    pub(super) pieces: Vec<Piece>,
}

/// A row.
#[derive(Clone, Debug)]
pub(super) struct Line<'a> {
    pub(super) head: Vec<Inline>,
    pub(super) indent: u8,
    /// The level; none: a head over the rows that follow.
    pub(super) level: Option<&'a str>,
}

/// Makes a column of one number.
pub(super) fn one(head: impl Into<String>, key: impl Into<String>) -> Shape {
    Shape { head: head.into(), pieces: vec![Piece::Key(key.into())] }
}

/// Makes a column of a number with another in brackets.
pub(super) fn bracketed(head: impl Into<String>, key: &str, inside: &str) -> Shape {
    let pieces = vec![
        Piece::Key(key.to_owned()),
        Piece::Words(" ("),
        Piece::Key(inside.to_owned()),
        Piece::Words(")"),
    ];
    Shape { head: head.into(), pieces }
}

/// Makes a column of a number with two ends in brackets.
pub(super) fn with_ends(head: impl Into<String>, key: &str, lower: &str, upper: &str) -> Shape {
    let pieces = vec![
        Piece::Key(key.to_owned()),
        Piece::Words(" ("),
        Piece::Key(lower.to_owned()),
        Piece::Words(" to "),
        Piece::Key(upper.to_owned()),
        Piece::Words(")"),
    ];
    Shape { head: head.into(), pieces }
}

/// Makes a column from one end to another.
pub(super) fn from_to(head: impl Into<String>, lower: &str, upper: &str) -> Shape {
    let pieces = vec![Piece::Key(lower.to_owned()), Piece::Words(" to "), Piece::Key(upper.to_owned())];
    Shape { head: head.into(), pieces }
}

/// Writes a cell; empty where its first number is not there, cut short where nothing can be estimated.
pub(super) fn cell(
    result: &AnalysisResult,
    pieces: &[Piece],
    group: Option<&str>,
    level: Option<&str>,
) -> Vec<Inline> {
    let mut out = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Key(key) => match result.number(key, group, level) {
                Some(number) => {
                    out.push(wording::number(number));
                    if number.not_estimable.is_some() && out.len() == 1 {
                        break;
                    }
                }
                None => break,
            },
            Piece::Words(words) => out.push(Inline::Text((*words).to_owned())),
        }
    }
    // Words that lead nowhere go.
    while matches!(out.last(), Some(Inline::Text(words)) if words == " (" || words == " to ") {
        out.pop();
    }
    out
}

/// The groups of a result side by side, or all together where it has none.
pub(super) fn groups(result: &AnalysisResult) -> Vec<Option<&Level>> {
    match result.groups.as_slice() {
        [] => vec![None],
        groups => groups.iter().map(Some).collect(),
    }
}

/// Lays levels out in rows, and the same columns for each group.
pub(super) fn by_level(
    context: &Context<'_>,
    result: &AnalysisResult,
    caption: &str,
    first: &str,
    shapes: &[Shape],
    lines: &[Line<'_>],
) -> Table {
    let groups = groups(result);
    let mut columns = vec![Column { head: first.to_owned(), align: Align::Text }];
    let mut spans = vec![Span { head: String::new(), columns: 1 }];
    for group in &groups {
        let heads = shapes.iter().map(|shape| Column { head: shape.head.clone(), align: Align::Number });
        columns.extend(heads);
        let head = group.map_or(String::new(), |group| {
            named_among(&[result], &group.id, context.group_label(result, group))
        });
        spans.push(Span { head, columns: shapes.len() });
    }
    let row = |line: &Line<'_>| {
        let cells = match line.level {
            None => Vec::new(),
            Some(level) => groups
                .iter()
                .flat_map(|group| {
                    let group = group.map(|group| group.id.as_str());
                    shapes.iter().map(move |shape| cell(result, &shape.pieces, group, Some(level)))
                })
                .collect(),
        };
        Row { head: line.head.clone(), indent: line.indent, cells, id: None }
    };
    let mut table = Table {
        id: format!("table-{}", anchor(result.id.as_str())),
        caption: context.caption(caption),
        spans: if result.groups.is_empty() { Vec::new() } else { spans },
        columns,
        rows: lines.iter().map(row).collect(),
        notes: Vec::new(),
    };
    table.notes = notes(result, &table);
    table
}

/// Why numbers are not estimable, the method, the set.
pub(super) fn notes(result: &AnalysisResult, table: &Table) -> Vec<Vec<Inline>> {
    let mut notes: Vec<Vec<Inline>> = not_estimable(table).into_iter().collect();
    notes.push(text(format!("Method: {}.", result.method)));
    let mut set = text(format!("Analysis set: {}", result.set));
    // Groups have theirs over their columns.
    if let Some(number) = result.number("denominator", None, None).filter(|_| result.groups.is_empty()) {
        set.extend([Inline::Text(" (N\u{a0}=\u{a0}".to_owned()), wording::number(number)]);
        set.extend(text(")"));
    }
    set.extend(text("."));
    notes.push(set);
    notes
}

/// A line for each level of a result.
pub(super) fn level_lines(result: &AnalysisResult) -> Vec<Line<'_>> {
    let line = |level: &'_ Level| Line { head: text(&level.label), indent: 0, level: None };
    result.levels.iter().map(|level| Line { level: Some(level.id.as_str()), ..line(level) }).collect()
}
