//! `eligibility.toml`: one table a rule, under its id in the protocol.

use super::{
    cases::{Cases, DECIDES, read_cases},
    sources::{MARK, SOURCES, read_mark, read_sources},
};
use crate::{
    desk::{Desk, Placed, Section},
    expression::Reads,
    model::EligibilityRule,
    shape::{Keys, Kind, Shape, Variant, may, must},
    source::Place,
};

const RULE: Shape = Shape::Choice {
    common: &[
        may("applies_to", Shape::Expression, "To whom it applies; without this, to all."),
        must("rule", Shape::Expression, "An inclusion rule must be true, an exclusion rule false."),
        must("at", Shape::List(&Shape::Name(Kind::Visit)), "The visits at which it is decided."),
        may("same_as", Shape::Name(Kind::Rule), "A rule that says the same from the other side."),
        must("mark", MARK, "How sure the chosen wording is."),
        may("source", Shape::Name(Kind::Source), "The only source."),
        may("follows", Shape::Name(Kind::Source), "The chosen one of several sources."),
        may("because", Shape::Text, "Why that one was chosen."),
        may("sources", SOURCES, "All sources' wordings."),
        must("cases", DECIDES, "Cases that pass and cases that fail."),
    ],
    variants: &[
        Variant { key: "include", fields: &[must("include", Shape::Label, "What the inclusion rule says.")] },
        Variant { key: "exclude", fields: &[must("exclude", Shape::Label, "What the exclusion rule says.")] },
    ],
};

pub(crate) const SHAPE: Shape = Shape::Map(Keys::Define(Kind::Rule), &RULE);

/// A rule with its cases.
pub(crate) struct RuleParts {
    pub(crate) rule: EligibilityRule,
    pub(crate) placed: Placed,
    pub(crate) applies_to: Option<Placed>,
    pub(crate) cases: Cases,
    /// Whether a part could not be read, so that the cases were not.
    pub(crate) broken: bool,
    pub(crate) place: Place,
    /// The places of the visits in `at`.
    pub(crate) at: Vec<Place>,
}

/// Reads the file.
pub(crate) fn read(desk: &mut Desk<'_>, root: &Section<'_>) -> Vec<RuleParts> {
    root.all().filter_map(|entry| read_rule(desk, &entry)).collect()
}

fn read_rule(desk: &mut Desk<'_>, entry: &Section<'_>) -> Option<RuleParts> {
    let inclusion = entry.get("include").is_some();
    let label = desk.label(entry.get("include").or(entry.get("exclude")));
    let applies_to =
        entry.get("applies_to").and_then(|node| desk.condition(node, entry.file, Reads::Casebook, None));
    let rule = entry.get("rule").and_then(|node| desk.condition(node, entry.file, Reads::Casebook, None));
    let sourced = read_sources(desk, entry, label.en());
    if entry.text("same_as") == Some(entry.name()) {
        desk.error(
            "ambiguous",
            &entry.place_of("same_as"),
            "a rule is not the other side of itself",
            Some("name the other rule".into()),
        );
    }
    if entry.get("at").is_some_and(|at| at.elements().is_empty()) {
        desk.error(
            "unreachable",
            &entry.place_of("at"),
            format!("rule `{}` is never decided", entry.name()),
            Some("name a visit in `at`".into()),
        );
    }
    let placed = rule?;
    let rules: Vec<&Placed> = std::iter::once(&placed).chain(&applies_to).collect();
    // A condition that can't be read has been reported; what its cases give would only be reported again.
    let broken = entry.get("applies_to").is_some() && applies_to.is_none();
    let cases = if broken { Cases::default() } else { read_cases(desk, entry, "meets", &rules, None) };
    let at = entry.get("at").map_or(&[][..], |at| at.elements());
    Some(RuleParts {
        rule: EligibilityRule {
            id: entry.name().into(),
            label,
            inclusion,
            applies_to: applies_to.as_ref().map(|placed| placed.expression.clone()),
            rule: placed.expression.clone(),
            at: entry.texts("at").into_iter().map(Into::into).collect(),
            same_as: entry.text("same_as").map(Into::into),
            mark: read_mark(entry),
            follows: sourced.follows,
            because: sourced.because,
            statements: sourced.statements,
        },
        placed,
        applies_to,
        cases,
        broken,
        place: entry.place(),
        at: at.iter().map(|node| Place::new(entry.file, node.text_span())).collect(),
    })
}
