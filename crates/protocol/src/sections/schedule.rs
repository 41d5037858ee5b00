//! `schedule.toml`: visits with anchors and windows, the grid, the rows' names.
//!
//! A series (`every_days`) is expanded here to one visit each.

use std::collections::BTreeMap;

use super::sources::{MARK, read_mark};
use crate::{
    desk::{Desk, Section},
    model::{Activity, Anchor, Mark, Timing, Visit},
    shape::{Field, Keys, Kind, Shape, Variant, may, must},
    source::Place,
    tree::Node,
};

words! { ANCHORS, anchor -> Anchor {
    "first_dose" => Anchor::FirstDose,
    "randomisation" => Anchor::Randomisation,
    "last_dose" => Anchor::LastDose,
    "screening" => Anchor::Screening,
} }

const ANCHOR: Shape = Shape::Word(ANCHORS);
const WITHIN: Field =
    must("within_days", Shape::Integer { min: 0, max: 365 }, "Half the window, both ends included.");

const VISIT: Shape = Shape::Choice {
    common: &[
        must("label", Shape::Label, "What people call it."),
        must("epoch", Shape::Name(Kind::Epoch), "The epoch it belongs to."),
        may("closes", Shape::Word(&["treatment", "study"]), "What ends with it."),
        may("never", Shape::Name(Kind::Visit), "A visit that its values are never analysed as."),
    ],
    variants: &[
        Variant {
            key: "unscheduled",
            fields: &[must("unscheduled", Shape::Flag, "true: held whenever needed.")],
        },
        Variant {
            key: "every_days",
            fields: &[
                must(
                    "every_days",
                    Shape::Integer { min: 1, max: 366 },
                    "Days between two visits of the series.",
                ),
                must("after", Shape::Text, "The anchor, or a visit from whose date the series counts."),
                may(
                    "from_day",
                    Shape::Integer { min: 2, max: 1000 },
                    "Study day of the first visit, after an anchor.",
                ),
                must("until", Shape::Name(Kind::Visit), "The visit before which the series ends."),
                WITHIN,
            ],
        },
        Variant {
            key: "before",
            fields: &[
                must("before", ANCHOR, "The anchor."),
                must(
                    "days",
                    Shape::Several(2, &Shape::Integer { min: -1000, max: -1 }),
                    "First and last study day before the anchor.",
                ),
            ],
        },
        Variant { key: "on", fields: &[must("on", ANCHOR, "The anchor on whose day it is held.")] },
        Variant {
            key: "when",
            fields: &[
                must("when", Shape::Word(&["stopped early"]), "Only for who stops treatment early."),
                must("after", Shape::Word(&["last_dose"]), "The last dose."),
                WITHIN,
            ],
        },
        Variant {
            key: "after",
            fields: &[
                must("after", ANCHOR, "The anchor."),
                must("months", Shape::Integer { min: 0, max: 600 }, "Calendar months after the anchor."),
                WITHIN,
            ],
        },
    ],
};

const ACTIVITY: &[Field] = &[
    must("label", Shape::Label, "What people call it."),
    must("mark", MARK, "How sure the row is."),
    may(
        "forms",
        Shape::List(&Shape::Name(Kind::Form)),
        "The forms that record it; without this, the row's own form.",
    ),
    may(
        "may_precede_days",
        Shape::Integer { min: 0, max: 366 },
        "How many days before the visit it may be done.",
    ),
];

const GRID: &[Field] = &[
    must("visits", Shape::Text, "The grid's columns."),
    may("*", Shape::Text, "A row: x do, c confirm, . nothing."),
];

pub(crate) const FIELDS: &[Field] = &[
    must("month", Shape::Word(&["calendar"]), "How months are counted."),
    must("visits", Shape::Map(Keys::Define(Kind::Visit), &VISIT), "Visits in order."),
    must("schedule", Shape::Table(GRID), "The protocol's grid."),
    may(
        "activities",
        Shape::Map(Keys::Define(Kind::Activity), &Shape::Table(ACTIVITY)),
        "What the rows are called and which forms record them.",
    ),
];

/// Where things of the schedule stand, for checks that look at it again.
#[derive(Default)]
pub(crate) struct ScheduleParts {
    pub(crate) visits: Vec<Visit>,
    pub(crate) activities: Vec<Activity>,
    /// Visit, or series, to its place.
    pub(crate) visit_places: BTreeMap<String, Place>,
    /// Activity and column to the cell's place.
    pub(crate) cells: BTreeMap<(String, String), Place>,
    pub(crate) activity_places: BTreeMap<String, Place>,
}

/// Reads the file.
pub(crate) fn read(desk: &mut Desk<'_>, root: Section<'_>, randomised: bool) -> ScheduleParts {
    let mut parts = ScheduleParts::default();
    let mut series: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for entry in root.named("visits") {
        parts.visit_places.insert(entry.name().to_owned(), entry.place());
        let visits = read_visit(desk, &root, &entry, randomised);
        series.insert(entry.name().to_owned(), visits.iter().map(|visit| visit.id.to_string()).collect());
        parts.visits.extend(visits);
    }
    read_grid(desk, &root, &series, &mut parts);
    parts
}

fn read_visit(desk: &mut Desk<'_>, root: &Section<'_>, entry: &Section<'_>, randomised: bool) -> Vec<Visit> {
    let name = entry.name();
    for key in ["before", "on", "after"] {
        if entry.text(key) == Some("randomisation") && !randomised {
            let help = "the study has no `target.randomised`; count from `first_dose`".to_owned();
            desk.error(
                "anchor",
                &entry.place_of(key),
                format!("visit `{name}` counts from a randomisation that does not exist"),
                Some(help),
            );
        }
    }
    let within_days = entry.whole("within_days").unwrap_or(0);
    let anchored = |key: &str| entry.text(key).and_then(anchor).unwrap_or(Anchor::FirstDose);
    let one = |desk: &Desk<'_>, id: &str, timing: Timing, extra: bool| Visit {
        id: id.into(),
        label: desk.label(entry.get("label")),
        epoch: entry.owned("epoch"),
        timing,
        extra,
        closes_treatment: entry.text("closes") == Some("treatment"),
        closes_study: entry.text("closes") == Some("study"),
        never_analysed_as: entry.text("never").map(Into::into),
    };
    if entry.flag("unscheduled") == Some(true) {
        return vec![one(desk, name, Timing::Unscheduled, true)];
    }
    if entry.get("every_days").is_some() {
        let timings = read_series(desk, root, entry, within_days);
        return timings
            .into_iter()
            .enumerate()
            .map(|(index, timing)| {
                let mut visit = one(desk, &format!("{name}{}", index + 1), timing, true);
                for text in visit.label.0.values_mut() {
                    text.push_str(&format!(" {}", index + 1));
                }
                visit
            })
            .collect();
    }
    let timing = if entry.get("before").is_some() {
        let days: Vec<i32> = entry
            .get("days")
            .map_or(&[][..], Node::elements)
            .iter()
            .filter_map(|day| day.integer().and_then(|day| i32::try_from(day).ok()))
            .collect();
        let (first_day, last_day) = (days.first().copied().unwrap_or(-1), days.get(1).copied().unwrap_or(-1));
        if first_day > last_day {
            let help = format!("write `days = [{last_day}, {first_day}]`");
            desk.error(
                "order",
                &entry.place_of("days"),
                format!("visit `{name}` ends before it begins"),
                Some(help),
            );
        }
        Timing::Before { anchor: anchored("before"), first_day, last_day }
    } else if entry.get("on").is_some() {
        Timing::On { anchor: anchored("on") }
    } else if entry.get("when").is_some() {
        Timing::EarlyEnd { within_days }
    } else {
        Timing::Months { anchor: anchored("after"), months: entry.whole("months").unwrap_or(0), within_days }
    };
    vec![one(desk, name, timing, false)]
}

/// Returns when each visit of a series is planned: while its day lies before the planned day of the visit that ends it,
/// months counted at their shortest, so that no visit of the series can fall on that visit or after.
fn read_series(
    desk: &mut Desk<'_>,
    root: &Section<'_>,
    entry: &Section<'_>,
    within_days: i32,
) -> Vec<Timing> {
    const VISITS_MAX: usize = 200;
    let every: i32 = entry.whole("every_days").unwrap_or(7).max(1);
    let months_of = |visit: &str| -> Option<i64> {
        let visit = root.get("visits")?.get(visit)?;
        visit
            .get("months")?
            .integer()
            .filter(|_| visit.get("after").and_then(Node::text) == Some("first_dose"))
    };
    let Some(until) = entry.text("until") else { return Vec::new() };
    let Some(until_months) = months_of(until) else {
        if desk.names.has(Kind::Visit, until) {
            let help = "end the series at a visit with `after = \"first_dose\"` and `months`".to_owned();
            desk.error(
                "anchor",
                &entry.place_of("until"),
                format!("`{until}` has no planned month after the first dose"),
                Some(help),
            );
        }
        return Vec::new();
    };
    let Some(after) = entry.text("after") else { return Vec::new() };
    if let Some(anchor) = anchor(after) {
        let first = entry.whole("from_day").unwrap_or(every + 1) - 1;
        let last = shortest_days(until_months);
        let offsets = (0..).map(|n| first + n * every).take_while(|day| *day < last).take(VISITS_MAX);
        return offsets.map(|offset_days| Timing::Days { anchor, offset_days, within_days }).collect();
    }
    let place = entry.place_of("after");
    let known: Vec<String> =
        desk.names.of(Kind::Visit).iter().cloned().chain(ANCHORS.iter().map(|a| (*a).to_owned())).collect();
    if !desk.refer_among(Kind::Visit, after, &place, &known) {
        return Vec::new();
    }
    if entry.get("from_day").is_some() {
        let help = "a series after a visit begins `every_days` after that visit's date".to_owned();
        desk.error(
            "ambiguous",
            &entry.place_of("from_day"),
            "`from_day` goes with an anchor, not with a visit",
            Some(help),
        );
    }
    let Some(from_months) = months_of(after) else {
        desk.error("anchor", &place, format!("`{after}` has no planned month after the first dose"), None);
        return Vec::new();
    };
    let length = shortest_days(until_months - from_months);
    let offsets = (1..).map(|n| n * every).take_while(|day| *day < length).take(VISITS_MAX);
    offsets.map(|offset_days| Timing::AfterVisit { visit: after.into(), offset_days, within_days }).collect()
}

/// Returns the fewest days that so many calendar months have: 28, 59, 89 …
fn shortest_days(months: i64) -> i32 {
    let months = i32::try_from(months.clamp(0, 600)).unwrap_or(0);
    (1..=12)
        .map(|month| {
            let first = terms::Date::constant(2009, month, 1);
            terms::days_between(first, terms::add_months(first, months))
        })
        .min()
        .unwrap_or(0)
}

fn read_grid(
    desk: &mut Desk<'_>,
    root: &Section<'_>,
    series: &BTreeMap<String, Vec<String>>,
    parts: &mut ScheduleParts,
) {
    let Some(grid) = root.section("schedule") else { return };
    let columns = read_columns(desk, root, &grid);
    let rows: Vec<Section<'_>> = grid.all().filter(|row| row.name() != "visits").collect();
    for activity in root.named("activities") {
        if grid.get(activity.name()).is_none() && !desk.was_left_out(activity.name()) {
            let help = crate::names::suggest(activity.name(), rows.iter().map(Section::name));
            desk.error(
                "unknown-name",
                &activity.place(),
                format!("`{}` has no row in the schedule", activity.name()),
                help,
            );
        }
    }
    for row in &rows {
        read_row(desk, root, row, &columns, series, parts);
    }
}

fn read_columns(desk: &mut Desk<'_>, root: &Section<'_>, grid: &Section<'_>) -> Vec<String> {
    let mut columns: Vec<String> = Vec::new();
    let Some(node) = grid.get("visits") else { return columns };
    let whole = Place::new(grid.file, node.text_span());
    for (start, word) in cells(node.text().unwrap_or_default()) {
        let place = whole.part(start, start + word.len());
        if columns.iter().any(|column| column == word) {
            desk.error(
                "duplicate",
                &place,
                format!("column `{word}` comes twice"),
                Some("leave one out".into()),
            );
        } else {
            desk.refer(Kind::Visit, word, &place);
        }
        columns.push(word.to_owned());
    }
    for visit in root.named("visits") {
        if !columns.iter().any(|column| column == visit.name())
            && columns.iter().all(|c| desk.names.has(Kind::Visit, c))
        {
            let help = "add it to `schedule.visits`".to_owned();
            desk.error(
                "unreachable",
                &visit.place(),
                format!("visit `{}` has no column in the schedule", visit.name()),
                Some(help),
            );
        }
    }
    columns
}

/// Returns the words of a line of the grid and where each starts.
fn cells(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(skip) = rest.find(|c: char| !c.is_whitespace()) {
        let start = text.len() - rest.len() + skip;
        let word = text[start..].split_whitespace().next().unwrap_or_default();
        found.push((start, word));
        rest = &text[start + word.len()..];
    }
    found
}

fn read_row(
    desk: &mut Desk<'_>,
    root: &Section<'_>,
    row: &Section<'_>,
    columns: &[String],
    series: &BTreeMap<String, Vec<String>>,
    parts: &mut ScheduleParts,
) {
    let name = row.name().to_owned();
    let entry = root.section("activities").and_then(|activities| activities.section(&name));
    parts.activity_places.insert(name.clone(), row.place());
    let forms = match entry.filter(|entry| entry.get("forms").is_some()) {
        Some(entry) => entry.texts("forms").into_iter().map(Into::into).collect(),
        None if desk.names.has(Kind::Form, &name) => vec![name.as_str().into()],
        None => Vec::new(),
    };
    if forms.is_empty() && entry.is_none_or(|entry| entry.get("forms").is_none()) {
        no_form(desk, row, entry.is_some());
    } else {
        desk.record(if entry.is_some() { Kind::Activity } else { Kind::Form }, &name, &row.place());
    }
    let marks = read_marks(desk, row, columns, series, parts);
    parts.activities.push(Activity {
        label: desk.label(entry.and_then(|entry| entry.get("label"))),
        forms,
        marks,
        mark: entry.map_or(crate::model::SourceMark::Assumed, |entry| read_mark(&entry)),
        may_precede_days: entry.and_then(|entry| entry.whole("may_precede_days")).unwrap_or(0),
        id: name,
    });
}

fn no_form(desk: &mut Desk<'_>, row: &Section<'_>, named: bool) {
    let name = row.name();
    if desk.was_left_out(name) {
        return;
    }
    if named {
        let help =
            format!("add forms/{name}.toml, or `forms = [\"…\"]`, or `forms = []` if no form records it");
        let suggestion = crate::names::suggest(name, desk.names.of(Kind::Form).iter().map(String::as_str));
        let help = suggestion
            .filter(|s| s.starts_with("did you mean"))
            .map_or(help.clone(), |s| format!("{s}\n{help}"));
        desk.error("no-form", &row.place(), format!("activity `{name}` has no form"), Some(help));
    } else {
        let known: Vec<String> =
            desk.names.of(Kind::Activity).iter().chain(desk.names.of(Kind::Form)).cloned().collect();
        let help = crate::names::suggest(name, known.iter().map(String::as_str));
        desk.error(
            "unknown-name",
            &row.place(),
            format!("row `{name}` is neither an activity nor a form"),
            help,
        );
    }
}

fn read_marks(
    desk: &mut Desk<'_>,
    row: &Section<'_>,
    columns: &[String],
    series: &BTreeMap<String, Vec<String>>,
    parts: &mut ScheduleParts,
) -> Vec<(terms::VisitId, Mark)> {
    let whole = Place::new(row.file, row.node.text_span());
    let cells = cells(row.node.text().unwrap_or_default());
    if row.node.text().is_some() && !columns.is_empty() && cells.len() != columns.len() {
        let message = format!(
            "row `{}` has {} cells, and the schedule has {} columns",
            row.name(),
            cells.len(),
            columns.len()
        );
        desk.error("grid", &whole, message, Some(format!("one mark for each of: {}", columns.join(" "))));
    }
    let mut marks = Vec::new();
    for ((start, word), column) in cells.into_iter().zip(columns) {
        let place = whole.part(start, start + word.len());
        let mark = match word {
            "x" => Mark::Do,
            "c" => Mark::Confirm,
            "." => Mark::Nothing,
            other => {
                let message = format!("`{other}` is no mark of the schedule");
                desk.error(
                    "grid",
                    &place,
                    message,
                    Some("write `x` to do, `c` to confirm, `.` for nothing".into()),
                );
                Mark::Nothing
            }
        };
        parts.cells.insert((row.name().to_owned(), column.clone()), place);
        if mark != Mark::Nothing {
            let visits = series.get(column).cloned().unwrap_or_default();
            marks.extend(visits.into_iter().map(|visit| (visit.as_str().into(), mark)));
        }
    }
    marks
}
