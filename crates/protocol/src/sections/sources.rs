//! How sure a statement is and where it comes from: `mark`, `source`, or `follows` with `sources`.

use super::super::{
    desk::{Desk, Section},
    model::{SourceMark, Statement},
    shape::{Field, Keys, Kind, Shape, may, must},
    source::Place,
};
use crate::{expression::Reads, tree::Node};

words! { MARKS, mark -> SourceMark {
    "published" => SourceMark::Published,
    "remembered" => SourceMark::Remembered,
    "derived" => SourceMark::Derived,
    "assumed" => SourceMark::Assumed,
} }

pub(crate) const MARK: Shape = Shape::Word(MARKS);

const STATEMENT: &[Field] = &[
    must("says", Shape::Text, "What this source says."),
    must("mark", MARK, "How sure it is."),
    may("note", Shape::Text, "Something to know about it."),
    may("rule", Shape::Expression, "The rule in this source's wording."),
];

pub(crate) const SOURCES: Shape = Shape::Map(Keys::Name(Kind::Source), &Shape::Table(STATEMENT));

/// Reads a mark; one that is no mark has been reported.
pub(crate) fn read_mark(section: &Section<'_>) -> SourceMark {
    section.text("mark").and_then(mark).unwrap_or(SourceMark::Assumed)
}

/// What a statement follows and why, and all wordings.
pub(crate) struct Sourced {
    pub(crate) follows: Option<String>,
    pub(crate) because: Option<String>,
    pub(crate) statements: Vec<Statement>,
}

/// Reads `source`, or `follows` and `sources`. `says` is the wording where there is one source only.
pub(crate) fn read_sources(desk: &mut Desk<'_>, section: &Section<'_>, says: &str) -> Sourced {
    let mut statements = Vec::new();
    for entry in section.named("sources") {
        if let Some(rule) = entry.get("rule") {
            desk.condition(rule, entry.file, Reads::Casebook, None);
        }
        statements.push(Statement {
            source: entry.name().to_owned(),
            says: entry.owned("says"),
            mark: read_mark(&entry),
            note: entry.text("note").map(str::to_owned),
        });
    }
    let because = section.text("because").map(str::to_owned);
    if let (Some(_), Some(_)) = (section.get("source"), section.get("follows")) {
        let help = "keep `source` for one source, `follows` and `sources` for several";
        desk.error(
            "ambiguous",
            &section.place_of("source"),
            "both `source` and `follows` are given",
            Some(help.into()),
        );
    }
    if let Some(source) = section.text("source") {
        if statements.is_empty() {
            let mark = read_mark(section);
            statements.push(Statement { source: source.to_owned(), says: says.to_owned(), mark, note: None });
        }
        return Sourced { follows: Some(source.to_owned()), because, statements };
    }
    let follows = section.get("follows").and_then(|node| follow(desk, section, node, &statements));
    if follows.is_none() && statements.len() > 1 && section.get("follows").is_none() {
        let names: Vec<String> = statements.iter().map(|s| format!("`{}`", s.source)).collect();
        let help = format!("add `follows` with one of {} and `because`", names.join(", "));
        desk.error(
            "ambiguous",
            &section.place(),
            format!("`{}` has several sources and follows none", section.name()),
            Some(help),
        );
    }
    Sourced { follows, because, statements }
}

fn follow(
    desk: &mut Desk<'_>,
    section: &Section<'_>,
    node: &Node,
    statements: &[Statement],
) -> Option<String> {
    let name = node.text()?;
    if !statements.iter().any(|statement| statement.source == name) && desk.names.has(Kind::Source, name) {
        let names: Vec<String> = statements.iter().map(|s| format!("`{}`", s.source)).collect();
        let help = format!("add `sources.{name}`, or follow one of {}", names.join(", "));
        let place = Place::new(section.file, node.text_span());
        desk.error(
            "unknown-name",
            &place,
            format!("`{}` does not say what source `{name}` says", section.name()),
            Some(help),
        );
    }
    Some(name.to_owned())
}
