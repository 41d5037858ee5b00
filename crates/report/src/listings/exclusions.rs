//! Participants of an analysis set who were left out of an analysis, and why.

use analysis::AnalysisResult;

use crate::{
    context::Context,
    document::{Inline, Row, Table, text, text_columns},
    tables::participant,
};

/// Reasons, each with the participants it holds for.
pub(crate) type LeftOut<'a> = Vec<(&'a str, Vec<&'a str>)>;

/// Returns who was left out of an analysis by reason, reasons and participants in the results' order.
pub(crate) fn left_out(result: &AnalysisResult) -> LeftOut<'_> {
    let mut reasons: LeftOut<'_> = Vec::new();
    for (subject, reason) in &result.excluded {
        match reasons.iter_mut().find(|(known, _)| known == reason) {
            Some((_, subjects)) => subjects.push(subject.as_str()),
            None => reasons.push((reason, vec![subject.as_str()])),
        }
    }
    reasons
}

/// Lists participant, reason and the analyses concerned; equal reasons of one participant share a row.
pub(crate) fn exclusions(context: &Context<'_>, results: &[&AnalysisResult], id: &str) -> Table {
    let mut rows: Vec<(&str, &str, Vec<&str>)> = Vec::new();
    for result in results {
        for (subject, reason) in &result.excluded {
            match rows.iter_mut().find(|row| row.0 == subject.as_str() && row.1 == reason) {
                Some((_, _, analyses)) => analyses.push(result.id.as_str()),
                None => rows.push((subject.as_str(), reason, vec![result.id.as_str()])),
            }
        }
    }
    rows.sort_by(|a, b| a.0.cmp(b.0).then_with(|| a.1.cmp(b.1)));
    let rows: Vec<Row> = rows
        .into_iter()
        .map(|(subject, reason, analyses)| Row {
            head: vec![participant(context, subject)],
            ..Row::new("", vec![text(context.read_aloud(reason)), text(analyses.join(", "))])
        })
        .collect();
    let nobody = rows.is_empty().then(|| vec![Inline::Text("Nobody was left out.".to_owned())]);
    Table {
        id: id.to_owned(),
        caption: context.caption("Participants of the analysis sets who were left out of analyses"),
        columns: text_columns(["Participant", "Why", "Analyses"]),
        rows,
        notes: nobody.into_iter().collect(),
        ..Table::default()
    }
}
