//! Where the things of a study are defined: file and line of every name and every key.
//!
//! Made from the same description of the files as the reader, so that nothing that can be
//! defined lacks a line. It checks nothing; files that are broken give what can be read.

use std::{collections::BTreeMap, fmt};

use serde::Serialize;

use crate::{
    sections::FILES,
    shape::{Keys, Kind, Shape},
    source::SourceFile,
    tree::{self, Node},
    version::normalised,
};

/// A line of a study folder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct StudyLine {
    /// The file, as a path in the folder.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
}

impl fmt::Display for StudyLine {
    /// Writes `analysis.toml:31`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// The lines of a study folder by what they define.
#[derive(Clone, Debug, Default)]
pub struct StudyLines {
    names: BTreeMap<(Kind, String), StudyLine>,
    keys: BTreeMap<String, StudyLine>,
}

impl StudyLines {
    /// Returns where a name is defined. Items are named `form.item`.
    pub fn of(&self, kind: Kind, name: &str) -> Option<&StudyLine> {
        self.names.get(&(kind, name.to_owned()))
    }

    /// Returns where a key stands: `dosing.toml#levels_mg`, `schedule.toml#schedule.skin_score`.
    pub fn key(&self, path: &str) -> Option<&StudyLine> {
        self.keys.get(path)
    }
}

/// Returns the lines of the files of a study folder, by path in the folder.
pub fn study_lines(files: &BTreeMap<String, String>) -> StudyLines {
    let mut lines = StudyLines::default();
    for (path, text) in files {
        let source = SourceFile { path: path.replace('\\', "/"), text: normalised(text).into() };
        let Some(shape) = FILES.iter().find(|shape| shape.covers(&source.path)) else { continue };
        let form = source.path.strip_prefix("forms/").and_then(|name| name.strip_suffix(".toml"));
        if let Some(form) = form {
            let first = StudyLine { file: source.path.clone(), line: 1 };
            lines.names.insert((Kind::Form, form.to_owned()), first);
        }
        let tree = tree::parse(&source.text);
        let mut walk = Walk { source: &source, form, lines: &mut lines };
        walk.keys(&tree.root, "");
        walk.names(&tree.root, &shape.shape);
    }
    lines
}

struct Walk<'a> {
    source: &'a SourceFile,
    form: Option<&'a str>,
    lines: &'a mut StudyLines,
}

impl Walk<'_> {
    fn line(&self, byte: usize) -> StudyLine {
        StudyLine { file: self.source.path.clone(), line: self.source.position(byte).0 }
    }

    fn keys(&mut self, node: &Node, above: &str) {
        for (key, value) in node.entries() {
            let path = if above.is_empty() { key.text.clone() } else { format!("{above}.{}", key.text) };
            let line = self.line(key.span.start);
            self.lines.keys.entry(format!("{}#{path}", self.source.path)).or_insert(line);
            self.keys(value, &path);
        }
    }

    fn names(&mut self, node: &Node, shape: &Shape) {
        match shape {
            Shape::Map(keys, of) => {
                for (key, value) in node.entries() {
                    if let Keys::Define(kind) = keys {
                        let name = match self.form {
                            Some(form) => format!("{form}.{}", key.text),
                            None => key.text.clone(),
                        };
                        let line = self.line(key.span.start);
                        self.lines.names.entry((*kind, name)).or_insert(line);
                    }
                    self.names(value, of);
                }
            }
            Shape::List(of) => node.elements().iter().for_each(|element| self.names(element, of)),
            Shape::Table(fields) => {
                for (key, value) in node.entries() {
                    if let Some(field) = fields.iter().find(|field| field.key == key.text) {
                        self.names(value, &field.shape);
                    }
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_items_and_keys_know_their_lines() {
        let files = BTreeMap::from([
            (
                "analysis.toml".to_owned(),
                "# plan\n[sets.all]\nlabel = \"All\"\n\n[analyses.main]\nset = \"all\"\n".to_owned(),
            ),
            (
                "forms/skin.toml".to_owned(),
                "title = \"Skin\"\n[items]\ntotal = { type = \"integer\" }\n".to_owned(),
            ),
        ]);
        let lines = study_lines(&files);
        let at = |kind, name: &str| lines.of(kind, name).map(ToString::to_string);
        assert_eq!(at(Kind::Set, "all").as_deref(), Some("analysis.toml:2"));
        assert_eq!(at(Kind::Analysis, "main").as_deref(), Some("analysis.toml:5"));
        assert_eq!(at(Kind::Form, "skin").as_deref(), Some("forms/skin.toml:1"));
        assert_eq!(at(Kind::Item, "skin.total").as_deref(), Some("forms/skin.toml:3"));
        assert_eq!(lines.key("analysis.toml#analyses.main.set").unwrap().line, 6);
        assert_eq!(lines.key("analysis.toml#analyses.other"), None);
    }
}
