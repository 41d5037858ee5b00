//! A study file as a tree in which every key and value knows its place.
//!
//! `toml_edit` parses losslessly; this is the view of its document that the reader
//! walks. A file with broken lines is still read: each broken line is reported, blanked
//! and the rest parsed, so that one slip hides no other. Meaning is not this module's business.

use std::{ops::Range, str::FromStr};

use terms::{Date, Decimal};
use toml_edit::{Document, Item, TableLike, Value};

/// A value with its place.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) span: Range<usize>,
    pub(crate) kind: NodeKind,
}

/// What a node holds.
#[derive(Clone, Debug)]
pub(crate) enum NodeKind {
    Table(Vec<(Key, Node)>),
    Array(Vec<Node>),
    /// Text, and where it starts within the file if it stands there without escapes.
    Text {
        text: String,
        plain_at: Option<usize>,
    },
    Integer(i64),
    /// A number with a point, as written.
    Float(String),
    Flag(bool),
    /// A date or time, as written.
    Date(String),
}

/// A key with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) text: String,
    /// The place of the key's text, quotes left out.
    pub(crate) span: Range<usize>,
}

/// A line that TOML refuses.
#[derive(Clone, Debug)]
pub(crate) struct Broken {
    pub(crate) span: Range<usize>,
    pub(crate) message: String,
}

/// A parsed file.
#[derive(Debug)]
pub(crate) struct Tree {
    pub(crate) root: Node,
    pub(crate) broken: Vec<Broken>,
    /// The text that was left out because it is broken.
    pub(crate) left_out: String,
}

impl Node {
    /// Returns the entries, if this is a table.
    pub(crate) fn entries(&self) -> &[(Key, Node)] {
        match &self.kind {
            NodeKind::Table(entries) => entries,
            _ => &[],
        }
    }

    /// Returns the elements, if this is an array.
    pub(crate) fn elements(&self) -> &[Node] {
        match &self.kind {
            NodeKind::Array(elements) => elements,
            _ => &[],
        }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|(_, node)| node)
    }

    pub(crate) fn entry(&self, key: &str) -> Option<&(Key, Node)> {
        self.entries().iter().find(|(name, _)| name.text == key)
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match &self.kind {
            NodeKind::Text { text, .. } => Some(text),
            _ => None,
        }
    }

    pub(crate) fn flag(&self) -> Option<bool> {
        match self.kind {
            NodeKind::Flag(flag) => Some(flag),
            _ => None,
        }
    }

    pub(crate) fn integer(&self) -> Option<i64> {
        match self.kind {
            NodeKind::Integer(whole) => Some(whole),
            _ => None,
        }
    }

    /// Returns the number with the digits that were written.
    pub(crate) fn decimal(&self) -> Option<Decimal> {
        match &self.kind {
            NodeKind::Integer(whole) => Some(Decimal::from(*whole)),
            NodeKind::Float(text) => decimal(text),
            _ => None,
        }
    }

    pub(crate) fn date(&self) -> Option<Date> {
        match &self.kind {
            NodeKind::Date(text) | NodeKind::Text { text, .. } => {
                Date::from_str(text).ok().filter(|_| text.len() == 10)
            }
            _ => None,
        }
    }

    /// Returns what this is, in words.
    pub(crate) fn what(&self) -> &'static str {
        match &self.kind {
            NodeKind::Table(_) => "a table",
            NodeKind::Array(_) => "a list",
            NodeKind::Text { .. } => "text",
            NodeKind::Integer(_) => "a whole number",
            NodeKind::Float(_) => "a number",
            NodeKind::Flag(_) => "true or false",
            NodeKind::Date(_) => "a date",
        }
    }

    /// Returns where the text itself stands, quotes left out.
    pub(crate) fn text_span(&self) -> Range<usize> {
        match &self.kind {
            NodeKind::Text { text, plain_at: Some(start) } => *start..start + text.len(),
            _ => self.span.clone(),
        }
    }
}

fn decimal(text: &str) -> Option<Decimal> {
    let text = text.replace('_', "");
    let text = text.strip_prefix('+').unwrap_or(&text);
    if text.contains(['e', 'E']) {
        Decimal::from_scientific(text).ok()
    } else {
        Decimal::from_str_exact(text).ok()
    }
}

/// Parses a file; broken lines are set apart.
pub(crate) fn parse(text: &str) -> Tree {
    const BROKEN_MAX: usize = 40;
    let mut remaining = text.to_owned();
    let mut tree = Tree { root: empty(), broken: Vec::new(), left_out: String::new() };
    for (bracket, statement) in left_open(text) {
        let message = format!("`{}` is never closed", &text[bracket..=bracket]);
        let statement = with_its_keys(text, statement);
        tree.broken.push(Broken { span: bracket..bracket + 1, message });
        tree.left_out.push_str(&remaining[statement.clone()]);
        tree.left_out.push('\n');
        blank(&mut remaining, statement);
    }
    let mut last_line: Option<Range<usize>> = None;
    for _ in 0..BROKEN_MAX {
        match Document::parse(remaining.as_str()) {
            Ok(document) => {
                tree.root =
                    Node { span: 0..text.len(), kind: NodeKind::Table(entries(document.as_table(), text)) };
                return tree;
            }
            Err(error) => {
                let at = error.span().unwrap_or(0..0);
                let lines = broken_lines(&remaining, at.start);
                let follows = last_line.as_ref().is_some_and(|last| touches(&remaining, last, &lines));
                if !follows {
                    let message = error.message().lines().collect::<Vec<_>>().join(", ");
                    tree.broken.push(Broken { span: clip(text, at), message });
                }
                tree.left_out.push_str(&remaining[lines.clone()]);
                tree.left_out.push('\n');
                blank(&mut remaining, lines.clone());
                last_line = Some(lines);
            }
        }
    }
    tree.left_out = text.to_owned();
    tree
}

/// Returns the brackets that are still open where a new statement begins, each with the statement it leaves open.
///
/// A parser would read on and complain much later. A new statement is a header, or a key with its
/// equal sign, at the very start of a line.
fn left_open(text: &str) -> Vec<(usize, Range<usize>)> {
    let mut found = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    let mut statement = 0;
    let mut quote: Option<&str> = None;
    let mut line_start = 0;
    for line in text.split_inclusive('\n') {
        if quote.is_none() && begins_statement(line) {
            if let Some(bracket) = open.first() {
                found.push((*bracket, statement..line_start.max(statement)));
            }
            open.clear();
            statement = line_start;
        }
        scan(line, line_start, &mut open, &mut quote);
        line_start += line.len();
    }
    if let Some(bracket) = open.first() {
        found.push((*bracket, statement..text.len()));
    }
    found
}

fn begins_statement(line: &str) -> bool {
    let line = line.trim_end();
    let name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '"' | '\'');
    if let Some(header) = line.strip_prefix('[') {
        let inner = header.trim_start_matches('[').split(']').next().unwrap_or_default();
        let after = header.trim_start_matches('[').trim_start_matches(|c| c != ']').trim_start_matches(']');
        let alone = after.trim().is_empty() || after.trim_start().starts_with('#');
        return alone
            && !inner.is_empty()
            && inner.chars().all(|c| name(c) || c == ' ')
            && !inner.starts_with(|c: char| c == '"' && inner.contains(", "));
    }
    line.split_once('=').is_some_and(|(key, _)| {
        let key = key.trim_end();
        !key.is_empty()
            && key.chars().all(name)
            && line.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '"' | '\''))
    })
}

/// Follows brackets and quotes through a line.
fn scan(line: &str, line_start: usize, open: &mut Vec<usize>, quote: &mut Option<&str>) {
    let mut at = 0;
    while at < line.len() {
        let rest = &line[at..];
        let Some(c) = rest.chars().next() else { break };
        if let Some(mark) = *quote {
            if rest.starts_with(mark) {
                *quote = None;
                at += mark.len();
            } else {
                let escape = c == '\\' && mark.starts_with('"');
                at += c.len_utf8();
                at += if escape { line[at..].chars().next().map_or(0, char::len_utf8) } else { 0 };
            }
            continue;
        }
        match c {
            '#' => break,
            '"' | '\'' => {
                let mark = ["\"\"\"", "'''", "\"", "'"]
                    .into_iter()
                    .find(|mark| rest.starts_with(mark))
                    .unwrap_or("\"");
                *quote = Some(mark);
                at += mark.len();
                continue;
            }
            '[' | '{' => open.push(line_start + at),
            ']' | '}' => {
                open.pop();
            }
            _ => {}
        }
        at += c.len_utf8();
    }
    // Only a long string goes on in the next line.
    if quote.is_some_and(|mark| mark.len() == 1) {
        *quote = None;
    }
}

fn empty() -> Node {
    Node { span: 0..0, kind: NodeKind::Table(Vec::new()) }
}

fn clip(text: &str, span: Range<usize>) -> Range<usize> {
    let boundary =
        |byte: usize| (0..=byte.min(text.len())).rev().find(|b| text.is_char_boundary(*b)).unwrap_or(0);
    boundary(span.start)..boundary(span.end)
}

/// Returns the lines to leave out: the one at `byte`, or the last one with text before it; a table's
/// header takes its keys along.
fn broken_lines(text: &str, byte: usize) -> Range<usize> {
    let mut byte = clip(text, byte..byte).start;
    let line_at = |byte: usize| {
        let start = text[..byte].rfind('\n').map_or(0, |newline| newline + 1);
        let end = text[byte..].find('\n').map_or(text.len(), |newline| byte + newline);
        start..end
    };
    while text[line_at(byte)].trim().is_empty() && line_at(byte).start > 0 {
        byte = line_at(byte).start - 1;
    }
    with_its_keys(text, line_at(byte))
}

/// Extends a broken header by the keys below it, which belong to no other table.
fn with_its_keys(text: &str, statement: Range<usize>) -> Range<usize> {
    if !text[statement.clone()].starts_with('[') {
        return statement;
    }
    let from = statement.end.saturating_sub(1).max(statement.start);
    let from = clip(text, from..from).start;
    let end = text[from..].find("\n[").map_or(text.len(), |offset| from + offset + 1);
    statement.start..end.max(statement.end)
}

/// Says whether only blank text lies between two stretches, so that the second error follows from the first.
fn touches(text: &str, last: &Range<usize>, next: &Range<usize>) -> bool {
    let (from, to) = if last.end <= next.start { (last.end, next.start) } else { (next.end, last.start) };
    from >= to || text[from..to].trim().is_empty()
}

fn blank(text: &mut String, span: Range<usize>) {
    let blanked: String = text[span.clone()]
        .chars()
        .flat_map(|c| {
            std::iter::repeat_n(if c == '\n' { '\n' } else { ' ' }, if c == '\n' { 1 } else { c.len_utf8() })
        })
        .collect();
    text.replace_range(span, &blanked);
}

fn entries(table: &dyn TableLike, text: &str) -> Vec<(Key, Node)> {
    table
        .iter()
        .filter_map(|(name, item)| {
            let span = table.key(name).and_then(toml_edit::Key::span).unwrap_or(0..0);
            Some((Key { text: name.to_owned(), span: unquoted(text, span, name) }, node(item, text)?))
        })
        .collect()
}

fn node(item: &Item, text: &str) -> Option<Node> {
    match item {
        Item::None => None,
        Item::Value(value) => Some(value_node(value, text)),
        Item::Table(table) => {
            let kind = NodeKind::Table(entries(table, text));
            Some(Node { span: table.span().unwrap_or_else(|| around(&kind)), kind })
        }
        Item::ArrayOfTables(tables) => {
            let elements: Vec<Node> = tables
                .iter()
                .map(|table| Node {
                    span: table.span().unwrap_or(0..0),
                    kind: NodeKind::Table(entries(table, text)),
                })
                .collect();
            let start = elements.first().map_or(0, |first| first.span.start);
            Some(Node { span: start..start, kind: NodeKind::Array(elements) })
        }
    }
}

fn value_node(value: &Value, text: &str) -> Node {
    let span = value.span().unwrap_or(0..0);
    let raw = || text.get(span.clone()).unwrap_or_default().to_owned();
    let kind = match value {
        Value::String(string) => {
            let plain = unquoted(text, span.clone(), string.value());
            let plain_at = (text.get(plain.clone()) == Some(string.value())).then_some(plain.start);
            NodeKind::Text { text: string.value().clone(), plain_at }
        }
        Value::Integer(whole) => NodeKind::Integer(*whole.value()),
        Value::Float(_) => NodeKind::Float(raw()),
        Value::Boolean(flag) => NodeKind::Flag(*flag.value()),
        Value::Datetime(_) => NodeKind::Date(raw()),
        Value::Array(array) => NodeKind::Array(array.iter().map(|value| value_node(value, text)).collect()),
        Value::InlineTable(table) => NodeKind::Table(entries(table, text)),
    };
    let span = if span.is_empty() { around(&kind) } else { span };
    Node { span, kind }
}

/// Returns the place of a quoted text without its quotes, where it stands there without escapes.
fn unquoted(text: &str, span: Range<usize>, content: &str) -> Range<usize> {
    let raw = text.get(span.clone()).unwrap_or_default();
    if raw == content
        || raw.get(1..raw.len().saturating_sub(1)) == Some(content) && raw.starts_with(['"', '\''])
    {
        let quote = usize::from(raw != content);
        return span.start + quote..span.end - quote;
    }
    match raw.find(content) {
        Some(offset) if raw.starts_with(['"', '\'']) && !content.is_empty() => {
            span.start + offset..span.start + offset + content.len()
        }
        _ if raw.len() >= 2 && raw.starts_with(['"', '\'']) => span.start + 1..span.end - 1,
        _ => span,
    }
}

/// Returns the place of a table that has none of its own (written with dotted keys): its first key.
fn around(kind: &NodeKind) -> Range<usize> {
    match kind {
        NodeKind::Table(entries) => entries.first().map_or(0..0, |(key, _)| key.span.clone()),
        _ => 0..0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_and_value_knows_its_place() {
        let text = "a = \"été\"\n[b.c]\n'd e' = { f = 1.50, g.h = [2008-03-10] }\n";
        let tree = parse(text);
        assert!(tree.broken.is_empty());
        let a = tree.root.get("a").unwrap();
        assert_eq!(&text[a.text_span()], "été");
        let (key, d) = tree.root.get("b").and_then(|b| b.get("c")).and_then(|c| c.entry("d e")).unwrap();
        assert_eq!(&text[key.span.clone()], "d e");
        assert_eq!(d.get("f").unwrap().decimal().unwrap().to_string(), "1.50");
        assert_eq!(&text[d.get("f").unwrap().span.clone()], "1.50");
        assert!(d.get("g").unwrap().get("h").unwrap().elements()[0].date().is_some());
    }

    #[test]
    fn a_broken_line_hides_nothing_else() {
        let tree = parse("a = 1\nb = = 2\nc = 3\nd = \"open\ne = 5\na = 6\n");
        assert_eq!(tree.broken.len(), 3, "{:?}", tree.broken);
        assert!(["a", "c", "e"].iter().all(|key| tree.root.get(key).is_some()));
    }

    #[test]
    fn a_list_left_open_is_one_error() {
        let tree = parse("a = 1\nb = [\n  1,\n  2\n\nc = 3\nd = 4\n");
        assert_eq!(tree.broken.len(), 1, "{:?}", tree.broken);
    }

    #[test]
    fn an_inline_table_left_open_is_one_error_and_hides_one_statement() {
        let tree = parse("[a]\nx = { y = 1,\nz = [1, 2]\n\n[b]\nw = { v = \"}\" }\nu = [\n  { t = 1 },\n]\n");
        assert_eq!(tree.broken.len(), 1, "{:?}", tree.broken);
        assert!(tree.broken[0].message.contains('{'));
        assert!(tree.root.get("a").unwrap().get("z").is_some());
        assert!(tree.root.get("b").unwrap().get("u").is_some());
    }

    #[test]
    fn a_broken_header_takes_its_keys_along() {
        let tree = parse("[a]\nx = 1\n[b\ny = 2\n[c]\nz = 3\n");
        assert_eq!(tree.broken.len(), 1);
        assert!(tree.root.get("a").unwrap().get("y").is_none());
        assert!(tree.root.get("c").is_some());
        assert!(tree.left_out.contains("y = 2"));
    }
}
