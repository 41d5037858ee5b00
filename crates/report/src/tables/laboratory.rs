//! Laboratory shift tables, and the agreement of readers.

use analysis::AnalysisResult;
use protocol::model::Item;

use super::standing::{Line, Shape, by_level, cell, from_to, groups, notes, one, with_ends};
use crate::{
    BuildError,
    context::{Context, anchor},
    document::{Align, Column, Inline, Row, Span, Table, text},
    wording,
};

/// A place before or after, as it stands in a key, and its name.
type Place = (&'static str, &'static str);

const GRADES: [Place; 6] = [
    ("0", "Grade 0"),
    ("1", "Grade 1"),
    ("2", "Grade 2"),
    ("3", "Grade 3"),
    ("4", "Grade 4"),
    ("none", "No value"),
];
const RANGES: [Place; 4] = [("low", "Low"), ("normal", "Normal"), ("high", "High"), ("none", "No value")];
const AFTER: [Place; 5] = [
    ("low", "Low"),
    ("normal", "Normal throughout"),
    ("high", "High"),
    ("both", "Low and high"),
    ("none", "No value"),
];

/// The worst grade after baseline against that at baseline.
pub(crate) fn laboratory_grades(context: &Context<'_>) -> Result<Table, BuildError> {
    let result = context.result("laboratory-grades")?;
    let caption = "Laboratory: grade (CTCAE v5) at baseline, and the worst after it; participants";
    Ok(shift_table(context, result, caption, &GRADES, &GRADES))
}

/// Low, normal or high at baseline against the lowest and highest value after it.
pub(crate) fn laboratory_ranges(context: &Context<'_>) -> Result<Table, BuildError> {
    let result = context.result("laboratory-ranges")?;
    let caption = "Laboratory: low, normal or high at baseline, and after it; participants";
    Ok(shift_table(context, result, caption, &RANGES, &AFTER))
}

/// For each test a row for each group and place at baseline; columns are places after it.
fn shift_table(
    context: &Context<'_>,
    result: &AnalysisResult,
    caption: &str,
    before: &[Place],
    after: &[Place],
) -> Table {
    let key = |from: &str, to: &str| format!("from_{from}_to_{to}");
    let occurs = |to: &str| {
        let wanted = format!("_to_{to}");
        result.numbers.iter().any(|number| number.key.ends_with(&wanted) && number.value != Some(0.0))
    };
    let after: Vec<&Place> = after.iter().filter(|(to, _)| occurs(to)).collect();
    let mut columns = vec![Column { head: "At baseline".to_owned(), align: Align::Text }];
    columns.extend(after.iter().map(|(_, name)| Column { head: (*name).to_owned(), align: Align::Number }));
    let mut rows = Vec::new();
    for level in &result.levels {
        rows.push(Row::head(test_label(context, &level.id, &level.label)));
        for group in groups(result) {
            let id = group.map(|group| group.id.as_str());
            for (from, name) in before {
                let cells: Vec<Vec<Inline>> = after
                    .iter()
                    .map(|(to, _)| cell(result, &one("", key(from, to)).pieces, id, Some(&level.id)))
                    .collect();
                let nobody = cells.iter().flatten().all(|inline| inline.plain() == "0");
                if nobody {
                    continue;
                }
                let head = match group {
                    Some(group) => format!("{}: {}", context.group_label(result, group), name.to_lowercase()),
                    None => (*name).to_owned(),
                };
                rows.push(Row::new(head, cells).indented(1));
            }
        }
    }
    let mut table = Table {
        id: format!("table-{}", anchor(result.id.as_str())),
        caption: context.caption(caption),
        spans: vec![
            Span { head: String::new(), columns: 1 },
            Span { head: "Worst after baseline".to_owned(), columns: columns.len() - 1 },
        ],
        columns,
        rows,
        notes: Vec::new(),
    };
    table.notes = notes(result, &table);
    table.notes.push(text("Places at baseline where nobody was are left out."));
    table
}

/// What people call a test, and the direction of its grade (`ALT high`).
fn test_label(context: &Context<'_>, level: &str, label: &str) -> String {
    let (id, side) = level.split_once(' ').map_or((level, ""), |(id, side)| (id, side));
    let test = context.study.plan.tests.iter().find(|test| test.id == id);
    let item = test.and_then(|test| context.study.form(test.form.as_str())?.item(test.item.as_str()));
    match (item, test) {
        (Some(item), Some(test)) => {
            let code = match side {
                "low" => test.low.as_deref(),
                "high" => test.high.as_deref(),
                _ => None,
            };
            let term = code.and_then(instruments::ctcae5_labs::LabTest::by_code).map(|term| term.term());
            match term {
                Some(term) => format!("{}: {term}", context.label(&item.label)),
                None => context.label(&item.label).to_owned(),
            }
        }
        _ => label.to_owned(),
    }
}

/// An item's label with its unit.
fn labelled(context: &Context<'_>, item: &Item) -> String {
    let label = context.label(&item.label);
    match item.unit.as_deref() {
        Some(unit) => format!("{label} ({})", wording::unit(unit)),
        None => label.to_owned(),
    }
}

/// How far readings agree.
pub(crate) fn reader_agreement(context: &Context<'_>) -> Result<Table, BuildError> {
    let result = context.result("reader-agreement")?;
    let ci = "95\u{a0}%\u{a0}CI";
    let shapes: Vec<Shape> = vec![
        one("Slides", "n"),
        with_ends(format!("ICC(2,1) ({ci})"), "icc", "lower", "upper"),
        with_ends(format!("Weighted kappa ({ci})"), "kappa", "lower", "upper"),
        one("Mean difference", "bias"),
        from_to("Limits of agreement", "limit_lower", "limit_upper"),
    ];
    let plan = context.study.blind_reading.as_ref();
    let forms = plan.into_iter().flat_map(|plan| {
        std::iter::once(&plan.read_on).chain(plan.pairs.as_ref().map(|pairs| &pairs.read_on))
    });
    let forms: Vec<_> = forms.filter_map(|form| context.study.form(form.as_str())).collect();
    let mut lines: Vec<Line<'_>> = Vec::new();
    let mut open = "";
    for level in &result.levels {
        let (item, _) = level.id.split_once(':').unwrap_or((level.id.as_str(), ""));
        if item != open {
            let found = forms.iter().find_map(|form| form.item(item));
            let label = found.map_or_else(|| item.to_owned(), |item| labelled(context, item));
            lines.push(Line { head: text(label), indent: 0, level: None });
            open = item;
        }
        let label = level.label.rsplit_once(": ").map_or(level.label.as_str(), |(_, after)| after);
        lines.push(Line { head: text(label), indent: 1, level: Some(level.id.as_str()) });
    }
    let caption = "Readings of coded specimens: agreement of readers, and of a reader with a second reading of the same slide";
    Ok(by_level(context, result, caption, "Readings", &shapes, &lines))
}
