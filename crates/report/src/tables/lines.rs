//! A line for each analysis, or for each level of one, where all share a method.

use analysis::AnalysisResult;
use protocol::model::{Method, Subject};

use super::{
    Place, Scope, between_head,
    estimates::{Estimate, estimates, key_name, push_stated},
    marks, stated_head,
};
use crate::{
    BuildError,
    context::Context,
    document::{Align, Column, Inline, Row, Span, Table},
};

/// One line: an analysis and a level of it.
struct Line<'a> {
    result: &'a AnalysisResult,
    level: Option<&'a str>,
    head: String,
    indent: u8,
}

pub(super) fn table(context: &Context<'_>, results: &[&AnalysisResult]) -> Result<Table, BuildError> {
    let Some(plan) = results.first().and_then(|result| context.planned(result)) else {
        return Ok(Table::default());
    };
    let lines = lines(context, results, &plan.method);
    let all: Vec<&Estimate> = estimates(&plan.method, &plan.subject)
        .iter()
        .filter(|estimate| estimate.brief && estimate.shown(results))
        .collect();
    let cells: Vec<(Place<'_>, &Estimate)> = places(results, &all)
        .into_iter()
        .flat_map(|place| all.iter().map(move |estimate| (place, *estimate)))
        .filter(|(place, estimate)| place.takes(estimate.scope, !results[0].groups.is_empty()))
        .filter(|(place, estimate)| {
            lines.iter().any(|line| !estimate.cell(line.result, *place, line.level).is_empty())
        })
        .collect();
    let stated = stated_head(&marks(context, results)?);
    let mut table = Table { spans: spans(context, results, &cells), ..Table::default() };
    table.columns.push(Column { head: first_head(&plan.subject, results).to_owned(), align: Align::Text });
    table.columns.extend(
        cells.iter().map(|(_, estimate)| Column { head: estimate.head(&plan.method), align: Align::Number }),
    );
    table.columns.extend(stated.clone());
    if !table.spans.is_empty() && stated.is_some() {
        table.spans.push(Span { head: String::new(), columns: 1 });
    }
    for line in &lines {
        let mut row: Vec<Vec<Inline>> =
            cells.iter().map(|(place, estimate)| estimate.cell(line.result, *place, line.level)).collect();
        if row.iter().all(Vec::is_empty) {
            continue;
        }
        if stated.is_some() {
            row.push(stated_beside(context, line)?);
        }
        table.rows.push(Row::new(line.head.clone(), row).indented(line.indent));
    }
    Ok(table)
}

/// An analysis of events of one kind: all of them, then each term. Of several: one line each, terms only where each is tested.
fn lines<'a>(context: &Context<'_>, results: &[&'a AnalysisResult], method: &Method) -> Vec<Line<'a>> {
    let by_level = results.len() == 1 || matches!(method, Method::Fisher { .. });
    let mut lines = Vec::new();
    for &result in results {
        let has_total = result.numbers.iter().any(|number| number.level.is_none() && number.key != "n");
        if has_total || !by_level {
            let unit = context.planned(result).map_or("", |plan| context.unit(&plan.subject));
            let label =
                if results.len() == 1 { total_head(context, result) } else { context.analysis_label(result) };
            let head = if unit.is_empty() { label.to_owned() } else { format!("{label} ({unit})") };
            lines.push(Line { result, level: None, head, indent: 0 });
        }
        if by_level {
            lines.extend(result.levels.iter().map(|level| Line {
                result,
                level: Some(level.id.as_str()),
                head: context.level_label(result, level).to_owned(),
                indent: u8::from(has_total) + u8::from(level.id.contains(" > ")),
            }));
        }
    }
    lines
}

/// The line over all terms of a lone analysis, whose caption names it already.
fn total_head<'a>(context: &Context<'a>, result: &'a AnalysisResult) -> &'a str {
    match context.planned(result).map(|plan| &plan.subject) {
        Some(Subject::AdverseEvents { .. } | Subject::Records(_)) => "Any event",
        Some(Subject::Deviations) => "Any deviation",
        _ => context.analysis_label(result),
    }
}

fn places<'a>(results: &[&'a AnalysisResult], estimates: &[&Estimate]) -> Vec<Place<'a>> {
    let groups: Vec<Place<'a>> =
        results[0].groups.iter().map(|group| Place::Group(group.id.as_str())).collect();
    let compares = estimates.iter().any(|estimate| estimate.scope == Scope::Comparison);
    match (groups.is_empty(), compares) {
        (true, _) => vec![Place::All],
        (false, true) => groups.into_iter().chain([Place::Between]).collect(),
        (false, false) => groups.into_iter().chain([Place::All]).collect(),
    }
}

/// Groups' names over their columns; none where there are no groups.
fn spans(context: &Context<'_>, results: &[&AnalysisResult], cells: &[(Place<'_>, &Estimate)]) -> Vec<Span> {
    let result = results[0];
    if result.groups.is_empty() {
        return Vec::new();
    }
    let between = between_head(context, result);
    let mut spans = vec![Span { head: String::new(), columns: 1 }];
    let mut last = None;
    for (place, _) in cells {
        if last == Some(*place) {
            if let Some(span) = spans.last_mut() {
                span.columns += 1;
            }
            continue;
        }
        last = Some(*place);
        let group = result.groups.iter().find(|group| *place == Place::Group(group.id.as_str()));
        let head = match place {
            Place::Group(id) => {
                let name = group.map_or("", |group| context.group_label(result, group));
                super::named_among(results, id, name)
            }
            Place::All => "All".to_owned(),
            Place::Between => between.clone(),
        };
        spans.push(Span { head, columns: 1 });
    }
    spans
}

fn first_head(subject: &Subject, results: &[&AnalysisResult]) -> &'static str {
    match subject {
        Subject::AdverseEvents { .. } | Subject::Records(_) if results.len() == 1 => "Term",
        Subject::Deviations => "Kind",
        _ => "Analysis",
    }
}

/// All stated numbers of a line, each by name.
fn stated_beside(context: &Context<'_>, line: &Line<'_>) -> Result<Vec<Inline>, BuildError> {
    let mut cell = Vec::new();
    for published in &line.result.published {
        let number = line.result.numbers.iter().find(|number| number.id == published.number);
        if let Some(number) = number.filter(|number| number.level.as_deref() == line.level) {
            push_stated(context, line.result, published, Some(key_name(&number.key)), &mut cell)?;
        }
    }
    Ok(cell)
}
