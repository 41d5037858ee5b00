//! `[[report]]` of `analysis.toml`: the report's sections, and what each shows.

use crate::{
    desk::{Desk, Section},
    expression::Type,
    model::{self, AnalysisPlan, Measure, Method, Shown, Subject},
    shape::{Field, Kind, Shape, must},
    source::Place,
    tree::Node,
};

words! { FIXED, fixed -> Shown {
    "flow" => Shown::Flow,
    "protocol" => Shown::Protocol,
    "sources" => Shown::Sources,
    "dosing:changes" => Shown::DoseChanges,
    "treatments" => Shown::ConcomitantTreatments,
    "adverse events:grades" => Shown::AdverseEventGrades,
    "adverse events:relations" => Shown::AdverseEventRelations,
    "adverse events:onset" => Shown::AdverseEventOnset,
    "laboratory:grades" => Shown::LaboratoryGrades,
    "laboratory:ranges" => Shown::LaboratoryRanges,
    "readers" => Shown::ReaderAgreement,
    "listing:deviations" => Shown::DeviationListing,
    "listing:exclusions" => Shown::ExclusionListing,
    "listing:serious events" => Shown::SeriousEventListing,
    "listing:withdrawals" => Shown::WithdrawalListing,
    "listing:dose changes" => Shown::DoseChangeListing,
    "listing:treatments" => Shown::TreatmentListing,
    "listing:laboratory" => Shown::LaboratoryListing,
    "listing:watches" => Shown::WatchListing,
    "figure:adverse events" => Shown::AdverseEventsOverTime,
    "figure:adverse event differences" => Shown::AdverseEventDifferences,
    "figure:swim lanes" => Shown::SwimLanes,
    "figure:body map" => Shown::BodyMap,
    "figure:hy's law" => Shown::HysLaw,
} }

/// What a section may show with something named after it.
const PREFIXES: &[&str] = &[
    "table:",
    "baseline:",
    "figure:trajectory:",
    "figure:waterfall:",
    "figure:cumulative:",
    "figure:forest:",
    "figure:survival:",
    "figure:laboratory:",
];

pub(crate) const FIELDS: &[Field] = &[
    must("title", Shape::Label, "Its title."),
    must("show", Shape::List(&Shape::Text), "What it shows, in order."),
];

/// Reads a section; what it shows is looked up in the plan as read so far.
pub(crate) fn read(desk: &mut Desk<'_>, section: &Section<'_>, plan: &AnalysisPlan) -> model::Section {
    let shown = section.get("show").map_or(&[][..], Node::elements);
    let show = shown.iter().filter_map(|node| read_shown(desk, node, section.file, plan)).collect();
    model::Section { title: desk.label(section.get("title")), show }
}

fn read_shown(desk: &mut Desk<'_>, node: &Node, file: usize, plan: &AnalysisPlan) -> Option<Shown> {
    let text = node.text()?;
    let whole = Place::new(file, node.text_span());
    if let Some(shown) = fixed(text) {
        check_fixed(desk, &shown, &whole, plan);
        return Some(shown);
    }
    let after = |prefix: &str| text.strip_prefix(prefix).map(|rest| (rest, prefix.len()));
    if let Some((rest, start)) = after("table:") {
        return Some(Shown::Table(named(desk, Kind::Analysis, rest, &whole, start)));
    }
    if let Some((rest, start)) = after("baseline:") {
        let ids = named(desk, Kind::Analysis, rest, &whole, start);
        check_baseline(desk, plan, &ids, &whole);
        return Some(Shown::Baseline(ids));
    }
    if let Some((rest, start)) = after("figure:forest:") {
        let ids = named(desk, Kind::Analysis, rest, &whole, start);
        check_forest(desk, plan, &ids, &whole);
        return Some(Shown::Forest(ids));
    }
    if let Some((name, start)) = after("figure:survival:") {
        desk.refer(Kind::Analysis, name, &whole.part(start, text.len()));
        return Some(Shown::Survival(name.into()));
    }
    if let Some((rest, start)) = after("figure:laboratory:") {
        return Some(Shown::LaboratoryTrends(named(desk, Kind::Test, rest, &whole, start)));
    }
    if let Some((rest, start)) = after("figure:trajectory:") {
        let (parameter, by) = rest.split_once(':').map_or((rest, None), |(name, by)| (name, Some(by)));
        let end = start + parameter.len();
        desk.refer(Kind::Parameter, parameter, &whole.part(start, end));
        if let Some(by) = by {
            check_grouping(desk, by, &whole.part(end + 1, text.len()));
        }
        return Some(Shown::Trajectories(parameter.into(), by.map(str::to_owned)));
    }
    if let Some((rest, start)) = after("figure:waterfall:") {
        let (parameter, visit) = at_visit(desk, rest, &whole, start, "figure:waterfall:MRSS:M6")?;
        return Some(Shown::Waterfall(parameter.into(), visit.into()));
    }
    if let Some((rest, start)) = after("figure:cumulative:") {
        let (parameter, visit) = at_visit(desk, rest, &whole, start, "figure:cumulative:MRSS:M6")?;
        return Some(Shown::CumulativeDistribution(parameter.into(), visit.into()));
    }
    if desk.names.has(Kind::Analysis, text) {
        desk.record(Kind::Analysis, text, &whole);
        return Some(Shown::Table(vec![text.into()]));
    }
    if desk.was_left_out(text) {
        return None;
    }
    let help = suggestion(desk, text);
    desk.error("unknown-name", &whole, format!("the report can't show `{text}`"), help);
    None
}

/// What was probably meant.
fn suggestion(desk: &Desk<'_>, text: &str) -> Option<String> {
    const STEMS: [&str; 7] =
        ["table", "figure", "listing", "baseline", "dosing", "adverse events", "laboratory"];
    let stem_slip = text.split(':').next().filter(|stem| text.contains(':') && !STEMS.contains(stem));
    let prefix = text.rfind(':').map(|at| &text[..=at]).filter(|prefix| !PREFIXES.contains(prefix));
    match stem_slip {
        Some(stem) => crate::names::suggest(stem, STEMS.into_iter()),
        None => {
            let known = desk.names.of(Kind::Analysis).iter().map(String::as_str);
            let known = known.chain(FIXED.iter().copied()).chain(PREFIXES.iter().copied());
            let known: Vec<&str> = known.collect();
            crate::names::suggest(text, known.iter().copied())
                .or_else(|| crate::names::suggest(prefix?, known.into_iter()))
        }
    }
}

/// Reads names with commas between them, each of which must be known.
fn named<T: for<'a> From<&'a str>>(
    desk: &mut Desk<'_>,
    kind: Kind,
    rest: &str,
    whole: &Place,
    start: usize,
) -> Vec<T> {
    let mut names = Vec::new();
    let mut at = start;
    for part in rest.split(',') {
        let lead = part.len() - part.trim_start().len();
        let name = part.trim();
        desk.refer(kind, name, &whole.part(at + lead, at + lead + name.len()));
        names.push(name.into());
        at += part.len() + 1;
    }
    names
}

/// Reads a parameter and a visit.
fn at_visit<'t>(
    desk: &mut Desk<'_>,
    rest: &'t str,
    whole: &Place,
    start: usize,
    example: &str,
) -> Option<(&'t str, &'t str)> {
    let Some((parameter, visit)) = rest.split_once(':') else {
        let message = "a figure of changes needs a parameter and a visit";
        desk.error("syntax", whole, message, Some(format!("write `{example}`")));
        return None;
    };
    let end = start + parameter.len();
    desk.refer(Kind::Parameter, parameter, &whole.part(start, end));
    desk.refer(Kind::Visit, visit, &whole.part(end + 1, end + 1 + visit.len()));
    Some((parameter, visit))
}

fn check_grouping(desk: &mut Desk<'_>, by: &str, place: &Place) {
    let known: Vec<String> = desk.subject_variables.keys().cloned().collect();
    if desk.refer_among(Kind::Variable, by, place, &known)
        && !matches!(desk.subject_variables.get(by), Some(Type::Code(_) | Type::Flag))
    {
        let message = format!("`{by}` can't group: it holds {}", desk.subject_variables[by].noun());
        desk.error("type", place, message, Some("group by a code or by yes and no".into()));
    }
}

/// A standardised difference is one of a number or of shares.
fn check_baseline(desk: &mut Desk<'_>, plan: &AnalysisPlan, ids: &[terms::AnalysisId], place: &Place) {
    for analysis in ids.iter().filter_map(|id| plan.analyses.iter().find(|one| one.id == *id)) {
        let fits = matches!(analysis.subject, Subject::Variable { .. })
            && matches!(analysis.method, Method::Describe { .. } | Method::Count);
        if !fits {
            let message = format!("analysis {} has no standardised difference", analysis.id);
            let help = "show \"describe\" and \"count\" of subject variables here, the others in `table:`";
            desk.error("type", place, message, Some(help.into()));
        }
    }
}

/// What stands under one another on one axis is of one parameter and measure, and has an interval.
fn check_forest(desk: &mut Desk<'_>, plan: &AnalysisPlan, ids: &[terms::AnalysisId], place: &Place) {
    let mut scale: Option<(&terms::ParameterId, Measure)> = None;
    for analysis in ids.iter().filter_map(|id| plan.analyses.iter().find(|one| one.id == *id)) {
        let Subject::Parameter { parameter, measure, .. } = &analysis.subject else {
            let message =
                format!("analysis {} is of no parameter, so it has no place on the axis", analysis.id);
            desk.error("type", place, message, Some("name analyses of one parameter".into()));
            return;
        };
        if matches!(analysis.method, Method::Describe { .. } | Method::Count) {
            let message = format!("analysis {} gives no interval", analysis.id);
            desk.error(
                "type",
                place,
                message,
                Some("name analyses that estimate a change or a difference".into()),
            );
            return;
        }
        if scale.is_some_and(|known| known != (parameter, *measure)) {
            let message = format!("analysis {} is on another scale than those before it", analysis.id);
            desk.error("type", place, message, Some("one figure for each parameter and measure".into()));
            return;
        }
        scale = Some((parameter, *measure));
    }
}

/// What the laboratory parts of the report need the plan's tests for.
fn check_fixed(desk: &mut Desk<'_>, shown: &Shown, place: &Place, plan: &AnalysisPlan) {
    let graded = |code: &str| plan.tests.iter().any(|test| test.high.as_deref() == Some(code));
    let (missing, help) = match shown {
        Shown::LaboratoryGrades | Shown::LaboratoryRanges | Shown::LaboratoryListing
            if plan.tests.is_empty() =>
        {
            ("the plan names no laboratory test", "add `[tests]` with one line for each")
        }
        Shown::HysLaw if !(graded("ALT") || graded("AST")) => {
            ("Hy's law needs ALT or AST", "add `ALT = { item = \"…\", high = \"ALT\" }` to `[tests]`")
        }
        Shown::HysLaw if !graded("BILI") => {
            ("Hy's law needs bilirubin", "add `BILI = { item = \"…\", high = \"BILI\" }` to `[tests]`")
        }
        _ => return,
    };
    desk.error("not-measured", place, missing, Some(help.into()));
}
