//! Tables of analyses side by side.
//!
//! Two shapes: a line for each analysis (or each of its levels) where all share a
//! method and so have the same columns, and otherwise a block for each analysis, its
//! estimates one under the other and its groups side by side. What a method's
//! estimates are called and how they are set together stands in `estimates`.

mod blocks;
mod comparisons;
mod estimates;
mod laboratory;
mod lines;
mod safety;
mod standing;

pub(crate) use laboratory::{laboratory_grades, laboratory_ranges, reader_agreement};
pub(crate) use safety::{
    adverse_event_grades, adverse_event_onset, adverse_event_relations, dose_changes, treatments,
};

use analysis::{AnalysisResult, Number};
use protocol::model::{Method, RecordsOf, SourceMark, Subject};

use crate::{
    BuildError,
    context::{Context, anchor},
    document::{Align, Column, Inline, Table},
    listings::{LeftOut, left_out},
    trace::row_anchor,
    wording,
};

/// Builds the table of these analyses under a caption.
pub(crate) fn table(
    context: &Context<'_>,
    results: &[&AnalysisResult],
    caption: &str,
) -> Result<Table, BuildError> {
    let table = if by_lines(context, results) {
        lines::table(context, results)?
    } else {
        blocks::table(context, results, None)?
    };
    Ok(finished(context, results, caption, table))
}

/// Builds the table of these analyses at baseline, the standardised difference of the arms beside each.
pub(crate) fn baseline(
    context: &Context<'_>,
    results: &[&AnalysisResult],
    caption: &str,
) -> Result<Table, BuildError> {
    let balance = context.results.analysis("baseline-balance");
    let table = blocks::table(context, results, balance)?;
    let mut table = finished(context, results, caption, table);
    if let Some(balance) = balance {
        table.notes.push(crate::document::text(format!("Standardised difference: {}.", balance.method)));
    }
    Ok(table)
}

/// Gives a table its anchor, caption and notes.
fn finished(context: &Context<'_>, results: &[&AnalysisResult], caption: &str, mut table: Table) -> Table {
    let ids: Vec<String> = results.iter().map(|result| anchor(result.id.as_str())).collect();
    table.id = format!("table-{}", ids.first().map_or("", String::as_str));
    let unit = match results {
        [only] => context.planned(only).map_or("", |plan| context.unit(&plan.subject)),
        _ => "",
    };
    let caption = if unit.is_empty() { caption.to_owned() } else { format!("{caption} ({unit})") };
    table.caption = context.caption(&caption);
    table.notes = notes(context, results, &table);
    table
}

/// Whether all have one method and groups, and are more than one or have many levels.
fn by_lines(context: &Context<'_>, results: &[&AnalysisResult]) -> bool {
    let plans: Vec<_> = results.iter().filter_map(|result| context.planned(result)).collect();
    let Some(first) = plans.first().filter(|_| plans.len() == results.len()) else { return false };
    let alike = plans.iter().all(|plan| {
        std::mem::discriminant(&plan.method) == std::mem::discriminant(&first.method)
            && std::mem::discriminant(&plan.subject) == std::mem::discriminant(&first.subject)
            && wording::confidence(&plan.method) == wording::confidence(&first.method)
    });
    let same_groups = results.iter().all(|result| result.groups == results[0].groups);
    let terms =
        matches!(&first.subject, Subject::Records(records) if matches!(records.of, RecordsOf::Terms { .. }));
    let events = terms || matches!(first.subject, Subject::AdverseEvents { .. } | Subject::Deviations);
    let describes = matches!(first.method, Method::Describe { .. } | Method::Count);
    // Describing groups takes too many columns for a line.
    let narrow = matches!(first.subject, Subject::Parameter { .. }) && results[0].groups.is_empty();
    alike && same_groups && (events || (results.len() > 1 && (!describes || narrow)))
}

/// What a column of numbers shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place<'a> {
    /// One group.
    Group(&'a str),
    /// All groups together, or the only group.
    All,
    /// What the method says between groups.
    Between,
}

/// Where an estimate stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    /// One for each group, and perhaps one for all.
    EachGroup,
    /// One for the comparison.
    Comparison,
}

impl Place<'_> {
    /// Whether an estimate of that scope stands here; in a table without groups all stand in the one column.
    fn takes(self, scope: Scope, grouped: bool) -> bool {
        match scope {
            Scope::EachGroup => self != Place::Between,
            Scope::Comparison => self == Place::Between || (!grouped && self == Place::All),
        }
    }

    fn group(self) -> Option<String> {
        match self {
            Place::Group(id) => Some(id.to_owned()),
            Place::All | Place::Between => None,
        }
    }
}

/// The head over comparisons: the group that is compared, and the one it is compared with.
fn between_head(context: &Context<'_>, result: &AnalysisResult) -> String {
    let control = |id: &str| context.study.arms.iter().any(|arm| arm.id == *id && arm.control);
    match result.groups.as_slice() {
        [first, second] => {
            let (one, other) = if control(&first.id) { (second, first) } else { (first, second) };
            format!("{} against {}", context.group_label(result, one), context.group_label(result, other))
        }
        _ => "Between groups".to_owned(),
    }
}

/// How many of a group are counted among, where all these results say so and agree.
fn among<'a>(results: &[&'a AnalysisResult], group: Option<&str>) -> Option<&'a Number> {
    let mut all = results.iter().filter_map(|result| result.number("denominator", group, None));
    let first = all.next()?;
    all.all(|other| other.value == first.value).then_some(first)
}

/// A group's name over its column, with how many are counted among: `Placebo (N = 15)`.
fn named_among(results: &[&AnalysisResult], group: &str, name: &str) -> String {
    match among(results, Some(group)) {
        Some(number) => format!("{name} (N\u{a0}=\u{a0}{})", number.text()),
        None => name.to_owned(),
    }
}

/// Finds an estimate's number; a count that is the same for all levels stands without one.
fn find<'a>(
    result: &'a AnalysisResult,
    key: &str,
    place: Place<'_>,
    level: Option<&str>,
) -> Option<&'a Number> {
    let group = place.group();
    let found = result.number(key, group.as_deref(), level);
    let found = found.or_else(|| if key == "n" { result.number(key, group.as_deref(), None) } else { None });
    found.or_else(|| if place == Place::Between && level.is_none() { only_pair(result, key) } else { None })
}

/// A number of the comparison of two groups, where there are no more than two.
pub(crate) fn only_pair<'a>(result: &'a AnalysisResult, key: &str) -> Option<&'a Number> {
    let [first, second] = result.groups.as_slice() else { return None };
    let pairs = [(first, second), (second, first)];
    pairs.into_iter().find_map(|(one, other)| result.number(key, Some(&one.id), Some(&other.id)))
}

/// The head over stated numbers: they are published only if all are.
fn stated_head(marks: &[SourceMark]) -> Option<Column> {
    let head = match marks {
        [] => return None,
        all if all.iter().all(|mark| *mark == SourceMark::Published) => "Published",
        _ => "Stated elsewhere",
    };
    Some(Column { head: head.to_owned(), align: Align::Text })
}

/// The marks of all stated numbers beside these analyses.
fn marks(context: &Context<'_>, results: &[&AnalysisResult]) -> Result<Vec<SourceMark>, BuildError> {
    let all = results.iter().flat_map(|result| &result.published);
    all.map(|published| match context.stated(published)? {
        Inline::Stated { mark, .. } => Ok(mark),
        _ => unreachable!("a stated number is made as one"),
    })
    .collect()
}

/// Why numbers are not estimable, method (what all share of it), set, and who was left out.
fn notes(context: &Context<'_>, results: &[&AnalysisResult], table: &Table) -> Vec<Vec<Inline>> {
    let mut notes = Vec::new();
    notes.extend(not_estimable(table));
    let counts = |result: &&AnalysisResult| {
        let plan = context.planned(result);
        plan.is_some_and(|plan| {
            plan.method == Method::Count && matches!(plan.subject, Subject::Variable { .. })
        })
    };
    if results.iter().any(counts) {
        notes.push(crate::document::text("Counts are of participants, with the percentage of their column."));
    }
    notes.extend(method_notes(context, results));
    let sets = distinct(results.iter().map(|result| result.set.as_str()));
    if let [set] = sets.as_slice() {
        notes.push(crate::document::text(format!("Analysis set: {set}.")));
    }
    notes.extend(left_out_notes(context, results));
    notes
}

/// The most analyses of different methods whose names are said beside each method.
const NAMED_METHODS: usize = 6;

/// How a table's numbers were computed: what all its analyses share where the method itself is shared;
/// else each method in full with the analyses it belongs to, while those are few enough to name.
fn method_notes(context: &Context<'_>, results: &[&AnalysisResult]) -> Vec<Vec<Inline>> {
    let heads = distinct(results.iter().map(|result| result.method.split("; ").next().unwrap_or_default()));
    if heads.len() > 1 && results.len() <= NAMED_METHODS {
        let note = |method: &&str| {
            let of = results.iter().filter(|result| result.method == **method);
            let names = of.map(|result| format!("“{}”", context.analysis_label(result)));
            let said = format!("Method of {}: {}.", listed(names.collect()), context.read_aloud(method));
            crate::document::text(said)
        };
        return distinct(results.iter().map(|result| result.method.as_str())).iter().map(note).collect();
    }
    let shared = shared_parts(results.iter().map(|result| result.method.as_str()));
    if shared.is_empty() {
        return Vec::new();
    }
    vec![crate::document::text(format!("Method: {}.", context.read_aloud(&shared)))]
}

/// Who was left out of which analyses, those with the same people and reasons together.
fn left_out_notes(context: &Context<'_>, results: &[&AnalysisResult]) -> Vec<Vec<Inline>> {
    let mut groups: Vec<(Vec<&AnalysisResult>, LeftOut<'_>)> = Vec::new();
    for &result in results {
        let own = left_out(result);
        match groups.iter_mut().find(|(_, known)| *known == own) {
            Some((analyses, _)) => analyses.push(result),
            None => groups.push((vec![result], own)),
        }
    }
    groups.retain(|(_, left_out)| !left_out.is_empty());
    let note = |(analyses, reasons): (Vec<&AnalysisResult>, LeftOut<'_>)| {
        let names = analyses.iter().map(|result| format!("“{}”", context.analysis_label(result)));
        let names =
            if results.len() == 1 { String::new() } else { format!(" of {}", listed(names.collect())) };
        let mut note = vec![Inline::Text(format!("Left out{names}: "))];
        for (place, (reason, subjects)) in reasons.iter().enumerate() {
            let stop = if place == 0 { "" } else { "; " };
            note.push(Inline::Text(format!("{stop}{} (", context.read_aloud(reason))));
            for (place, subject) in subjects.iter().enumerate() {
                if place > 0 {
                    note.push(Inline::Text(", ".to_owned()));
                }
                note.push(participant(context, subject));
            }
            note.push(Inline::Text(")".to_owned()));
        }
        note.push(Inline::Text(".".to_owned()));
        note
    };
    groups.into_iter().map(note).collect()
}

/// Lists names: `a, b and c`.
pub(crate) fn listed(mut names: Vec<String>) -> String {
    match (names.pop(), names.as_slice()) {
        (Some(last), [_, ..]) => format!("{} and {last}", names.join(", ")),
        (Some(only), []) => only,
        (None, _) => String::new(),
    }
}

/// A participant's number, leading to the row of the subject-level data set.
pub(crate) fn participant(context: &Context<'_>, subject: &str) -> Inline {
    let set = &context.data.subjects;
    let row = (0..set.rows()).find(|&row| set.cell("subject", row).text() == Some(subject));
    match row {
        Some(row) => Inline::Link { target: row_anchor(&set.name, row), text: subject.to_owned() },
        None => Inline::Text(subject.to_owned()),
    }
}

/// Says why numbers of a table are not estimable, each reason once; none if all are.
pub(crate) fn not_estimable(table: &Table) -> Option<Vec<Inline>> {
    let why = distinct(table.runs().flatten().filter_map(|inline| match inline {
        Inline::Number { why_not, .. } => why_not.as_deref(),
        _ => None,
    }));
    (!why.is_empty()).then(|| crate::document::text(format!("NE: not estimable ({}).", why.join("; "))))
}

/// The parts of a text, up to semicolons, that all have.
fn shared_parts<'a>(mut texts: impl Iterator<Item = &'a str>) -> String {
    let mut shared: Vec<&str> = texts.next().map(|first| first.split("; ").collect()).unwrap_or_default();
    for text in texts {
        let parts: Vec<&str> = text.split("; ").collect();
        shared.retain(|part| parts.contains(part));
    }
    // What is left of a text that shares only its grouping says nothing.
    if shared.iter().all(|part| part.starts_with("by ")) { String::new() } else { shared.join("; ") }
}

fn distinct<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut out: Vec<&str> = Vec::new();
    for text in texts {
        if !text.is_empty() && !out.contains(&text) {
            out.push(text);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_all_methods_share_is_said_of_a_table() {
        let texts = ["Rank sum test; observed; by arm", "Rank sum test; worst case; by arm"];
        assert_eq!(shared_parts(texts.into_iter()), "Rank sum test; by arm");
        assert_eq!(shared_parts(["Counts; by arm", "Descriptive; by arm"].into_iter()), "");
        assert_eq!(shared_parts(std::iter::empty()), "");
    }
}
