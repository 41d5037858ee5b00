//! Adverse events by worst grade, relation and onset; dose changes and other treatments.

use analysis::AnalysisResult;

use super::standing::{
    Line, Shape, bracketed, by_level, cell, from_to, groups, level_lines, notes, one, with_ends,
};
use crate::{
    BuildError,
    context::{Context, anchor},
    document::{Align, Column, Row, Span, Table, text},
};

/// What stands for all terms together.
const ANY: &str = "any";

/// Lines with all terms together first, the terms set in.
fn term_lines(result: &AnalysisResult) -> Vec<Line<'_>> {
    let mut lines = level_lines(result);
    for line in lines.iter_mut().filter(|line| line.level != Some(ANY)) {
        line.indent = 1;
    }
    lines
}

/// Participants by term and worst grade.
pub(crate) fn adverse_event_grades(context: &Context<'_>) -> Result<Table, BuildError> {
    let result = context.result("adverse-event-grades")?;
    let mut shapes =
        vec![bracketed("Participants (percent)", "participants", "percent"), one("Events", "events")];
    // A grade that nobody had needs no column.
    let had = |key: &str| result.numbers.iter().any(|number| number.key == key && number.value != Some(0.0));
    for grade in 1..=5 {
        let key = format!("participants_grade_{grade}");
        if had(&key) {
            shapes.push(one(format!("Grade {grade}"), key));
        }
    }
    let caption = "Adverse events from the first dose on, by term and worst grade (CTCAE)";
    let mut table = by_level(context, result, caption, "Term", &shapes, &term_lines(result));
    table
        .notes
        .push(text("Grades count participants, each once in a line with the worst grade of the term."));
    Ok(table)
}

/// Events and participants by relation to the drug, in all and by term, with those that were serious.
pub(crate) fn adverse_event_relations(context: &Context<'_>) -> Result<Vec<Table>, BuildError> {
    let result = context.result("adverse-event-relations")?;
    let shapes = [
        bracketed("Related: participants (events)", "participants_related", "events_related"),
        bracketed("Serious: participants (events)", "participants_serious", "events_serious"),
        bracketed("Serious and related", "participants_serious_related", "events_serious_related"),
    ];
    let shown = |line: &Line<'_>| {
        line.level.is_some_and(|level| {
            ["participants_related", "participants_serious"].iter().any(|key| {
                result.number(key, None, Some(level)).is_some_and(|number| number.value != Some(0.0))
            })
        })
    };
    let mut lines = term_lines(result);
    lines.retain(|line| line.level == Some(ANY) || shown(line));
    let caption = "Adverse events by term, related and serious: participants (events)";
    let mut by_term = by_level(context, result, caption, "Term", &shapes, &lines);
    by_term.notes.push(text("Terms without a related or serious event are left out."));
    Ok(vec![relation_table(context, result), by_term])
}

/// Events by relation as the investigator recorded it, all terms together.
fn relation_table(context: &Context<'_>, result: &AnalysisResult) -> Table {
    let column = context.data.adverse_events.column("relation");
    let levels = column.map(|column| column.levels.as_slice()).unwrap_or_default();
    let groups = groups(result);
    let mut columns = vec![Column { head: "Relation as recorded".to_owned(), align: Align::Text }];
    let mut spans = vec![Span { head: String::new(), columns: 1 }];
    for group in &groups {
        columns.extend(
            ["Events", "Participants"].map(|head| Column { head: head.to_owned(), align: Align::Number }),
        );
        let head = group.map_or(String::new(), |group| context.group_label(result, group).to_owned());
        spans.push(Span { head, columns: 2 });
    }
    let row = |(code, label): &(String, String)| {
        let keys = [format!("events_relation_{code}"), format!("participants_relation_{code}")];
        let cells = groups.iter().flat_map(|group| {
            let group = group.map(|group| group.id.as_str());
            keys.iter().map(move |key| cell(result, &one("", key.as_str()).pieces, group, Some(ANY)))
        });
        Row::new(label.as_str(), cells.collect())
    };
    let mut table = Table {
        id: format!("table-{}-recorded", anchor(result.id.as_str())),
        caption: context.caption("Adverse events by relation to the drug as the investigator recorded it"),
        spans: if result.groups.is_empty() { Vec::new() } else { spans },
        columns,
        rows: levels.iter().map(row).collect(),
        notes: Vec::new(),
    };
    table.notes = notes(result, &table);
    table
}

/// Study day of the first event of each term.
pub(crate) fn adverse_event_onset(context: &Context<'_>) -> Result<Table, BuildError> {
    let result = context.result("adverse-event-onset")?;
    let shapes = [
        one("Participants", "n"),
        with_ends("Median (Q1 to Q3)", "median", "q1", "q3"),
        from_to("Range", "min", "max"),
    ];
    let caption = "Study day of the first event of each term, of those who had one";
    Ok(by_level(context, result, caption, "Term", &shapes, &term_lines(result)))
}

/// Steps of dosing by kind, and what asked for them.
pub(crate) fn dose_changes(context: &Context<'_>) -> Result<Table, BuildError> {
    let result = context.result("dose-changes")?;
    let shapes: [Shape; 2] =
        [bracketed("Participants (percent)", "participants", "percent"), one("Steps", "events")];
    let mut lines: Vec<Line<'_>> = Vec::new();
    let heads = [("rule:", "By the rule that asked for it"), ("term:", "By the adverse event behind it")];
    let mut open = None;
    for mut line in level_lines(result) {
        let stem = heads.iter().find(|(stem, _)| line.level.is_some_and(|level| level.starts_with(stem)));
        if let Some((stem, head)) = stem {
            if open != Some(*stem) {
                lines.push(Line { head: text(*head), indent: 0, level: None });
                open = Some(*stem);
            }
            line.indent = 1;
            if let Some(label) = line.level.and_then(|level| rule_label(context, level)) {
                line.head = text(label);
            }
        } else if line.level != Some(ANY) {
            line.indent = 1;
        }
        lines.push(line);
    }
    let caption = "Dose changes by kind, and what asked for them";
    Ok(by_level(context, result, caption, "Step", &shapes, &lines))
}

/// Treatments beside the study drug: any and prohibited ones, by each code asked, by name.
pub(crate) fn treatments(context: &Context<'_>) -> Result<Table, BuildError> {
    let result = context.result("concomitant-treatments")?;
    let shapes: [Shape; 2] =
        [bracketed("Participants (percent)", "participants", "percent"), one("Treatments", "events")];
    let mut lines: Vec<Line<'_>> = Vec::new();
    let mut open = None;
    for mut line in level_lines(result) {
        let column = line.level.and_then(|level| level.split_once(':')).map(|(column, _)| column);
        if let Some(name) = column {
            if open != column {
                let label = match name {
                    "treatment" => "By name",
                    coded => context
                        .data
                        .concomitant_treatments
                        .column(coded)
                        .map_or(coded, |own| own.label.as_str()),
                };
                lines.push(Line { head: text(label), indent: 0, level: None });
                open = column;
            }
            line.indent = 1;
        } else if line.level != Some(ANY) {
            line.indent = 1;
        }
        lines.push(line);
    }
    let caption = "Treatments taken beside the study drug on or after the day of its first dose";
    Ok(by_level(context, result, caption, "Treatment", &shapes, &lines))
}

/// What a dose rule says, in the report's language.
fn rule_label<'a>(context: &Context<'a>, level: &str) -> Option<&'a str> {
    let id = level.strip_prefix("rule:")?;
    let rule = context.study.dosing.rules.iter().find(|rule| rule.id == *id)?;
    Some(context.label(&rule.label))
}
