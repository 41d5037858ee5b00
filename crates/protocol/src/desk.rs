//! What the parts of the compiler share: the files, the names, the findings so far.
//!
//! Every part reports here and goes on, so that all faults come at once.

use std::{collections::BTreeMap, ops::Range};

use serde::Serialize;
use terms::Decimal;

use crate::{
    diagnostic::{Diagnostic, Severity},
    expression::{Environment, Expression, ItemFacts, Reads, Type, Unit, check},
    model::Label,
    names::{Names, suggest},
    shape::Kind,
    source::{Place, SourceFile},
    tree::{Key, Node, NodeKind},
};

/// A name that a study uses, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reference {
    /// The file, as a path in the study's folder.
    pub file: String,
    /// The bytes of the name itself, quotes left out.
    pub span: Range<usize>,
    /// What it names.
    pub kind: Kind,
    /// The name.
    pub name: String,
}

/// The compiler's desk.
pub(crate) struct Desk<'a> {
    pub(crate) sources: &'a [SourceFile],
    pub(crate) diagnostics: Vec<Diagnostic>,
    pub(crate) references: Vec<Reference>,
    pub(crate) names: Names,
    /// The text of lines that could not be read: what they define is not reported as unknown.
    pub(crate) left_out: String,
    pub(crate) languages: Vec<String>,
    /// All items, as `form.item`.
    pub(crate) items: BTreeMap<String, ItemFacts>,
    pub(crate) casebook_variables: BTreeMap<String, Type>,
    pub(crate) subject_variables: BTreeMap<String, Type>,
    pub(crate) event_variables: BTreeMap<String, Type>,
    pub(crate) parameters: BTreeMap<String, Unit>,
    /// The columns of data sets from elsewhere, the participant's among them.
    pub(crate) rows: BTreeMap<String, BTreeMap<String, Type>>,
}

/// An expression with where it stands, for checks that look at it again.
#[derive(Clone, Debug)]
pub(crate) struct Placed {
    pub(crate) expression: Expression,
    pub(crate) kind: Type,
    pub(crate) place: Place,
}

impl<'a> Desk<'a> {
    pub(crate) fn new(sources: &'a [SourceFile]) -> Self {
        Self {
            sources,
            diagnostics: Vec::new(),
            references: Vec::new(),
            names: Names::default(),
            left_out: String::new(),
            languages: Vec::new(),
            items: BTreeMap::new(),
            casebook_variables: BTreeMap::new(),
            subject_variables: BTreeMap::new(),
            event_variables: BTreeMap::new(),
            parameters: BTreeMap::new(),
            rows: BTreeMap::new(),
        }
    }

    pub(crate) fn error(
        &mut self,
        code: &'static str,
        place: &Place,
        message: impl Into<String>,
        help: Option<String>,
    ) {
        let diagnostic = Diagnostic::new(Severity::Error, code, self.sources, place, message.into(), help);
        self.diagnostics.push(diagnostic);
    }

    pub(crate) fn warn(
        &mut self,
        code: &'static str,
        place: &Place,
        message: impl Into<String>,
        help: Option<String>,
    ) {
        let diagnostic = Diagnostic::new(Severity::Warning, code, self.sources, place, message.into(), help);
        self.diagnostics.push(diagnostic);
    }

    /// Says whether something of this kind has been reported at a place.
    pub(crate) fn reported(&self, code: &str, place: &Place) -> bool {
        let file = &self.sources[place.file].path;
        self.diagnostics
            .iter()
            .any(|one| one.code == code && one.file == *file && one.span.start == place.start)
    }

    /// Says whether a name stands in text that could not be read.
    pub(crate) fn was_left_out(&self, name: &str) -> bool {
        !self.left_out.is_empty()
            && self.left_out.match_indices(name).any(|(at, _)| {
                let word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
                !word(self.left_out[..at].chars().next_back())
                    && !word(self.left_out[at + name.len()..].chars().next())
            })
    }

    /// Records a name and resolves it among all of its kind.
    pub(crate) fn refer(&mut self, kind: Kind, name: &str, place: &Place) -> bool {
        if self.names.has(kind, name) {
            self.record(kind, name, place);
            return true;
        }
        let known = self.names.of(kind).to_vec();
        self.refer_among(kind, name, place, &known)
    }

    /// Records a name and resolves it among these.
    pub(crate) fn refer_among(&mut self, kind: Kind, name: &str, place: &Place, known: &[String]) -> bool {
        if known.iter().any(|other| other == name) {
            self.record(kind, name, place);
            return true;
        }
        if self.was_left_out(name) {
            return false;
        }
        let help = suggest(name, known.iter().map(String::as_str));
        let message = match kind {
            Kind::Item => format!("`{name}` is not collected by any form"),
            _ => format!("there is no {} `{name}`", kind.noun()),
        };
        let help = help.or_else(|| Some(format!("the study defines no {} at all", kind.noun())));
        self.error("unknown-name", place, message, help);
        false
    }

    pub(crate) fn record(&mut self, kind: Kind, name: &str, place: &Place) {
        let file = self.sources[place.file].path.clone();
        self.references.push(Reference { file, span: place.start..place.end, kind, name: name.to_owned() });
    }

    pub(crate) fn label(&self, node: Option<&Node>) -> Label {
        let mut label = Label::default();
        match node.map(|node| &node.kind) {
            Some(NodeKind::Text { text, .. }) => {
                let language = self.languages.first().cloned().unwrap_or_else(|| "en".to_owned());
                label.0.insert(language, text.clone());
            }
            Some(NodeKind::Table(entries)) => {
                for (language, text) in entries {
                    label.0.insert(language.text.clone(), text.text().unwrap_or_default().to_owned());
                }
            }
            _ => {}
        }
        label
    }

    /// Checks an expression that stands as text in a file.
    pub(crate) fn expression(
        &mut self,
        node: &Node,
        file: usize,
        reads: Reads,
        own_form: Option<&str>,
    ) -> Option<Placed> {
        let text = node.text()?;
        let checked = check(text, &self.environment(reads, own_form));
        let whole = Place::new(file, node.text_span());
        let plain = matches!(&node.kind, NodeKind::Text { plain_at: Some(_), .. });
        let place = |at: (usize, usize)| if plain { whole.part(at.0, at.1) } else { whole.clone() };
        for (at, kind, name) in checked.references {
            if plain {
                self.record(kind, &name, &place(at));
            }
        }
        for problem in checked.problems {
            let at = place(problem.at);
            let name = self.sources[at.file].slice(at.start..at.end).to_owned();
            if problem.code != "unknown-name" || !self.left_out_parts(&name) {
                self.error(problem.code, &at, problem.message, problem.help);
            }
        }
        let (term, kind) = checked.term?;
        Some(Placed { expression: Expression::new(text.to_owned(), term), kind, place: whole })
    }

    /// Returns what names mean to an expression.
    pub(crate) fn environment<'e>(&'e self, reads: Reads, own_form: Option<&'e str>) -> Environment<'e> {
        Environment {
            items: &self.items,
            own_form,
            forms: self.names.of(Kind::Form),
            visits: self.names.of(Kind::Visit),
            parameters: &self.parameters,
            variables: match reads {
                Reads::Casebook => &self.casebook_variables,
                Reads::Plan | Reads::Subjects => &self.subject_variables,
                Reads::Events => &self.event_variables,
            },
            reads,
        }
    }

    fn left_out_parts(&self, name: &str) -> bool {
        self.was_left_out(name) || name.rsplit('.').next().is_some_and(|item| self.was_left_out(item))
    }

    /// Checks an expression that must be a condition.
    pub(crate) fn condition(
        &mut self,
        node: &Node,
        file: usize,
        reads: Reads,
        own_form: Option<&str>,
    ) -> Option<Placed> {
        let placed = self.expression(node, file, reads, own_form)?;
        self.must_be_condition(placed)
    }

    pub(crate) fn must_be_condition(&mut self, placed: Placed) -> Option<Placed> {
        if placed.kind == Type::Flag {
            return Some(placed);
        }
        let message = format!("a condition is needed here, and this is {}", placed.kind.noun());
        self.error("type", &placed.place, message, Some("compare it with something".into()));
        None
    }
}

/// A table of a file being compiled: its node, its file and, where it has a name, its key.
#[derive(Clone, Copy)]
pub(crate) struct Section<'t> {
    pub(crate) node: &'t Node,
    pub(crate) file: usize,
    pub(crate) key: Option<&'t Key>,
}

impl<'t> Section<'t> {
    pub(crate) fn new(node: &'t Node, file: usize) -> Self {
        Self { node, file, key: None }
    }

    /// Returns where the table's name stands, or else the table.
    pub(crate) fn place(&self) -> Place {
        let span = self.key.map_or_else(|| self.node.span.clone(), |key| key.span.clone());
        Place::new(self.file, span)
    }

    pub(crate) fn name(&self) -> &'t str {
        self.key.map_or("", |key| key.text.as_str())
    }

    pub(crate) fn get(&self, key: &str) -> Option<&'t Node> {
        self.node.get(key)
    }

    /// Returns where a key's value stands, or else the table.
    pub(crate) fn place_of(&self, key: &str) -> Place {
        self.get(key).map_or_else(|| self.place(), |node| Place::new(self.file, node.text_span()))
    }

    /// Returns the sub-table of a key.
    pub(crate) fn section(&self, key: &str) -> Option<Section<'t>> {
        let (key, node) = self.node.entry(key)?;
        Some(Section { node, file: self.file, key: Some(key) })
    }

    /// Returns the entries of the sub-table of a key, each with its name.
    pub(crate) fn named(&self, key: &str) -> impl Iterator<Item = Section<'t>> + use<'t> {
        let file = self.file;
        let entries = self.get(key).map_or(&[][..], Node::entries);
        entries.iter().map(move |(key, node)| Section { node, file, key: Some(key) })
    }

    /// Returns all entries of this table, each with its name.
    pub(crate) fn all(&self) -> impl Iterator<Item = Section<'t>> + use<'t> {
        let file = self.file;
        self.node.entries().iter().map(move |(key, node)| Section { node, file, key: Some(key) })
    }

    pub(crate) fn text(&self, key: &str) -> Option<&'t str> {
        self.get(key)?.text()
    }

    pub(crate) fn owned(&self, key: &str) -> String {
        self.text(key).unwrap_or_default().to_owned()
    }

    pub(crate) fn flag(&self, key: &str) -> Option<bool> {
        self.get(key)?.flag()
    }

    pub(crate) fn whole<T: TryFrom<i64>>(&self, key: &str) -> Option<T> {
        self.get(key)?.integer().and_then(|whole| T::try_from(whole).ok())
    }

    pub(crate) fn decimal(&self, key: &str) -> Option<Decimal> {
        self.get(key)?.decimal()
    }

    /// Returns the nearest binary number.
    pub(crate) fn float(&self, key: &str) -> Option<f64> {
        self.decimal(key)?.to_string().parse().ok()
    }

    /// Returns the texts of a list.
    pub(crate) fn texts(&self, key: &str) -> Vec<&'t str> {
        self.get(key).map_or(&[][..], Node::elements).iter().filter_map(Node::text).collect()
    }
}
