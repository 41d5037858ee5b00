//! Facts and rules with every source's wording, the one that was followed and why.

use protocol::model::{EligibilityRule, SourceMark, StatedFact, Statement};

use crate::{
    context::{Context, anchor, fact_anchor},
    document::{Row, Table, text, text_columns},
    wording,
};

/// Lists the sources with their citations, the study's facts, and its rules.
pub(crate) fn sources(context: &Context<'_>) -> Vec<Table> {
    let cited = context.study.sources.iter();
    let citations = Table {
        id: "sources-citations".to_owned(),
        caption: "Sources".to_owned(),
        columns: text_columns(["Source", "Citation"]),
        rows: cited
            .map(|(name, citation)| Row::new(source_name(name), vec![text(context.label(citation))]))
            .collect(),
        ..Table::default()
    };
    let facts = Table {
        id: "sources-facts".to_owned(),
        caption: "Facts of the protocol and its publications, with their sources".to_owned(),
        columns: text_columns(["Fact", "Value", "Source and mark"]),
        rows: context.study.facts.iter().map(|fact| fact_row(context, fact)).collect(),
        notes: vec![text(MARKS)],
        ..Table::default()
    };
    let rules = Table {
        id: "sources-rules".to_owned(),
        caption: "Eligibility rules, with their sources".to_owned(),
        columns: text_columns(["Rule", "What it says", "Source and mark"]),
        rows: context.study.eligibility.iter().map(|rule| rule_row(context, rule)).collect(),
        notes: vec![text(MARKS)],
        ..Table::default()
    };
    [citations, facts, rules, differing(context)].into_iter().filter(|table| !table.rows.is_empty()).collect()
}

const MARKS: &str = "Marks: published, read in a public source; from memory of the literature, to be checked before it is quoted; \
                     derived, by arithmetic from published facts; assumed, a default where nothing public was found.";

fn fact_row(context: &Context<'_>, fact: &StatedFact) -> Row {
    let value = match &fact.unit {
        Some(unit) => format!("{} {}", fact.text, wording::unit(unit)),
        None => fact.text.clone(),
    };
    let cells = [wording::minus(&value), followed(Some(&fact.follows), fact.mark, &fact.statements)];
    Row {
        id: Some(fact_anchor(fact.id.as_str())),
        ..Row::new(context.label(&fact.label), cells.map(text).into())
    }
}

fn rule_row(context: &Context<'_>, rule: &EligibilityRule) -> Row {
    let kind = if rule.inclusion { "Include" } else { "Exclude" };
    let cells = [
        format!("{kind}: {}", context.label(&rule.label)),
        followed(rule.follows.as_deref(), rule.mark, &rule.statements),
    ];
    Row {
        id: Some(format!("rule-{}", anchor(rule.id.as_str()))),
        ..Row::new(rule.id.as_str(), cells.map(text).into())
    }
}

/// The source that was followed with its mark, and what a lone source adds.
fn followed(source: Option<&str>, mark: SourceMark, statements: &[Statement]) -> String {
    let mut words = match source {
        Some(source) => format!("{}, {}", source_name(source), wording::mark(mark)),
        None => wording::mark(mark).to_owned(),
    };
    if let [Statement { note: Some(note), .. }] = statements {
        words.push_str(&format!("; {note}"));
    }
    words
}

/// Where sources say different things: what each says, and why one was followed.
fn differing(context: &Context<'_>) -> Table {
    let row = |name: String, statements: &[Statement], because: Option<&String>| {
        let says = statements.iter().map(|statement| {
            let note = statement.note.as_ref().map(|note| format!("; {note}")).unwrap_or_default();
            let mark = wording::mark(statement.mark);
            format!("{}: {} ({mark}{note})", source_name(&statement.source), wording::minus(&statement.says))
        });
        let cells = [says.collect::<Vec<_>>().join("; "), because.cloned().unwrap_or_default()];
        (statements.len() > 1 || because.is_some()).then(|| Row::new(name, cells.map(text).into()))
    };
    let facts = context.study.facts.iter().filter_map(|fact| {
        row(context.label(&fact.label).to_owned(), &fact.statements, fact.because.as_ref())
    });
    let rules = context
        .study
        .eligibility
        .iter()
        .filter_map(|rule| row(rule.id.to_string(), &rule.statements, rule.because.as_ref()));
    Table {
        id: "sources-differences".to_owned(),
        caption: "Where sources differ, and which was followed".to_owned(),
        columns: text_columns(["Fact or rule", "What the sources say", "Why this one"]),
        rows: facts.chain(rules).collect(),
        ..Table::default()
    }
}

/// `registry_criteria` reads `registry criteria`.
fn source_name(key: &str) -> String {
    key.replace('_', " ")
}
