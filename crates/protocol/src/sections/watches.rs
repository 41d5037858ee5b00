//! `[watches]` of `study.toml`: stopping rules and planned looks that the safety board watches.
//!
//! A boundary is that of an analysis of the plan, so that what stops the trial is what the report says of it. It counts
//! without arms, because the record knows none while the trial runs.

use instruments::{binomial_safety::BetaPrior, stopping_rule};
use terms::{Decimal, Value};

use super::sources::{MARK, read_mark};
use crate::{
    desk::{Desk, Section},
    expression::Input,
    model::{AnalysisPlan, Form, Method, StoppingBoundary, StoppingRule, Subject, Watch, WatchedCount},
    shape::{Field, Kind, Shape, may, must},
    source::Place,
    tree::Node,
};

pub(crate) const WATCH: &[Field] = &[
    must("label", Shape::Label, "What is counted."),
    may(
        "boundary",
        Shape::Name(Kind::Analysis),
        "The analysis whose stopping boundary the count is held to.",
    ),
    may("item", Shape::Text, "A participant counts once this item holds a value, `form.item`."),
    may("visit", Shape::Name(Kind::Visit), "The visit at which it must."),
    may(
        "looks",
        Shape::List(&Shape::Integer { min: 1, max: 100_000 }),
        "The counts at which the board looks.",
    ),
    must("mark", MARK, "How sure the rule is."),
];

/// What of an adverse event a count that goes on while the trial runs can read.
pub(crate) const WATCHABLE: &[&str] = &[
    "subject",
    "site",
    "row",
    "term",
    "treatment_emergent",
    "first_grade",
    "grade",
    "serious",
    "relation",
    "related",
    "action",
    "outcome",
];

/// Reads the watches, after the plan that they rest on.
pub(crate) fn read(
    desk: &mut Desk<'_>,
    root: &Section<'_>,
    plan: &AnalysisPlan,
    forms: &[Form],
) -> Vec<Watch> {
    let entries: Vec<Section<'_>> = root.named("watches").collect();
    entries
        .into_iter()
        .filter_map(|entry| {
            Some(Watch {
                id: entry.name().into(),
                label: desk.label(entry.get("label")),
                counts: read_count(desk, &entry, plan, forms)?,
                mark: read_mark(&entry),
            })
        })
        .collect()
}

fn read_count(
    desk: &mut Desk<'_>,
    entry: &Section<'_>,
    plan: &AnalysisPlan,
    forms: &[Form],
) -> Option<WatchedCount> {
    let of_data = ["item", "visit", "looks"];
    let given = of_data.iter().filter(|key| entry.get(key).is_some()).count();
    match (entry.text("boundary"), given) {
        (Some(analysis), 0) => read_boundary(desk, entry, analysis, plan),
        (None, 3) => read_looks(desk, entry, forms),
        _ => {
            let message = format!("watch `{}` does not say what it counts", entry.name());
            let help = "write `boundary = \"…\"` (an analysis with a stopping boundary), or `item`, `visit` and `looks`";
            desk.error("ambiguous", &entry.place(), message, Some(help.into()));
            None
        }
    }
}

fn read_boundary(
    desk: &mut Desk<'_>,
    entry: &Section<'_>,
    id: &str,
    plan: &AnalysisPlan,
) -> Option<WatchedCount> {
    // A name that is none has been reported.
    let analysis = plan.analyses.iter().find(|analysis| analysis.id == *id)?;
    let place = entry.place_of("boundary");
    let (Method::StoppingBoundary(boundary), Subject::AdverseEvents { filter }) =
        (&analysis.method, &analysis.subject)
    else {
        let message = format!("analysis {id} has no stopping boundary over adverse events");
        let help = "name one with `method = \"stopping boundary\"` and `adverse_events`";
        desk.error("type", &place, message, Some(help.into()));
        return None;
    };
    if analysis.by.is_some() || analysis.only.is_some() {
        let message = format!(
            "analysis {id} is of some participants or by group, and a watch is of all who are treated"
        );
        desk.error("type", &place, message, Some("name an analysis without `by` and `only`".into()));
        return None;
    }
    for input in filter.iter().flat_map(crate::expression::Expression::inputs) {
        if let Input::Variable(name) = &input
            && WATCHABLE.contains(&name.as_str())
        {
            continue;
        }
        let message =
            format!("analysis {id} reads `{input}`, which is not known of an event while the trial runs");
        let help = format!("a watched analysis reads {}", WATCHABLE.join(", "));
        desk.error("unreachable", &place, message, Some(help));
        return None;
    }
    let Some(limits) = limits(boundary) else {
        desk.error("out-of-range", &place, format!("the boundary of {id} can't be reckoned"), None);
        return None;
    };
    let (analysis, filter) = (analysis.id.clone(), filter.clone());
    Some(WatchedCount::Events { analysis, filter, boundary: *boundary, limits })
}

/// The least count that stops, for 1, 2, … participants.
fn limits(boundary: &StoppingBoundary) -> Option<Vec<u32>> {
    let number = |decimal: Decimal| Value::Decimal(decimal).as_f64();
    let p0 = number(boundary.p0)?;
    let rule = match boundary.rule {
        StoppingRule::BetaBinomial { prior: [a, b], threshold } => {
            stopping_rule::StoppingRule::BetaBinomial {
                p0,
                prior: BetaPrior { a: number(a)?, b: number(b)? },
                threshold: number(threshold)?,
            }
        }
        StoppingRule::Pocock { alpha } => stopping_rule::StoppingRule::Pocock { p0, alpha: number(alpha)? },
    };
    rule.limits(boundary.participants).ok()
}

fn read_looks(desk: &mut Desk<'_>, entry: &Section<'_>, forms: &[Form]) -> Option<WatchedCount> {
    let name = entry.text("item")?;
    let place = entry.place_of("item");
    let items: Vec<String> = forms
        .iter()
        .filter(|form| form.by_visit && !form.repeating)
        .flat_map(|form| form.items.iter().map(move |item| format!("{}.{}", form.id, item.id)))
        .collect();
    if !desk.refer_among(Kind::Item, name, &place, &items) {
        return None;
    }
    let (form, item) = name.split_once('.')?;
    let mut looks: Vec<u32> = Vec::new();
    for node in entry.get("looks").map_or(&[][..], Node::elements) {
        let Some(look) = node.integer().and_then(|look| u32::try_from(look).ok()) else { continue };
        if looks.last().is_some_and(|last| look <= *last) {
            let at = Place::new(entry.file, node.text_span());
            desk.error(
                "order",
                &at,
                "the looks of a watch rise",
                Some("list each once, the first look first".into()),
            );
            return None;
        }
        looks.push(look);
    }
    if looks.is_empty() {
        desk.error("missing-key", &entry.place_of("looks"), "a watch without looks tells nobody", None);
        return None;
    }
    Some(WatchedCount::Data {
        form: form.into(),
        item: item.into(),
        visit: entry.text("visit")?.into(),
        looks,
    })
}
