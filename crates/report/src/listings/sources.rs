//! Facts and rules with every source's wording, the one that was followed and why.

use protocol::model::{EligibilityRule, StatedFact, Statement};

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
        columns: text_columns(["Fact", "Value", "Mark", "Follows", "What the sources say", "Why this one"]),
        rows: context.study.facts.iter().map(|fact| fact_row(context, fact)).collect(),
        notes: vec![text(
            "Marks: published, read in a public source; from memory of the literature, to be checked before it is quoted; \
             derived, by arithmetic from published facts; assumed, a default where nothing public was found.",
        )],
        ..Table::default()
    };
    let rules = Table {
        id: "sources-rules".to_owned(),
        caption: "Eligibility rules, with their sources".to_owned(),
        columns: text_columns([
            "Rule",
            "What it says",
            "Mark",
            "Follows",
            "What the sources say",
            "Why this one",
        ]),
        rows: context.study.eligibility.iter().map(|rule| rule_row(context, rule)).collect(),
        ..Table::default()
    };
    [citations, facts, rules].into_iter().filter(|table| !table.rows.is_empty()).collect()
}

fn fact_row(context: &Context<'_>, fact: &StatedFact) -> Row {
    let value = match &fact.unit {
        Some(unit) => format!("{} {}", fact.text, wording::unit(unit)),
        None => fact.text.clone(),
    };
    let cells = [
        wording::minus(&value),
        wording::mark(fact.mark).to_owned(),
        source_name(&fact.follows),
        statements(&fact.statements),
        fact.because.clone().unwrap_or_default(),
    ];
    Row {
        id: Some(fact_anchor(fact.id.as_str())),
        ..Row::new(context.label(&fact.label), cells.map(text).into())
    }
}

fn rule_row(context: &Context<'_>, rule: &EligibilityRule) -> Row {
    let kind = if rule.inclusion { "Include" } else { "Exclude" };
    let cells = [
        format!("{kind}: {}", context.label(&rule.label)),
        wording::mark(rule.mark).to_owned(),
        rule.follows.as_deref().map(source_name).unwrap_or_default(),
        statements(&rule.statements),
        rule.because.clone().unwrap_or_default(),
    ];
    Row {
        id: Some(format!("rule-{}", anchor(rule.id.as_str()))),
        ..Row::new(rule.id.as_str(), cells.map(text).into())
    }
}

/// Every source's wording; a lone one is the value itself and is not repeated.
fn statements(statements: &[Statement]) -> String {
    if let [only] = statements {
        return only.note.clone().unwrap_or_default();
    }
    let one = |statement: &Statement| {
        let note = statement.note.as_ref().map(|note| format!("; {note}")).unwrap_or_default();
        let mark = wording::mark(statement.mark);
        format!("{}: {} ({mark}{note})", source_name(&statement.source), wording::minus(&statement.says))
    };
    statements.iter().map(one).collect::<Vec<_>>().join("; ")
}

/// `registry_criteria` reads `registry criteria`.
fn source_name(key: &str) -> String {
    key.replace('_', " ")
}
