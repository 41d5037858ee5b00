//! The plan against itself: every analysis is shown, every estimand analysed, every published number a number.

use super::Parts;
use crate::{
    desk::{Desk, Section},
    model::Shown,
    sections::{analysis::PlanParts, times},
    tree::Node,
};

pub(crate) fn run(desk: &mut Desk<'_>, parts: &Parts<'_>) {
    alone(desk, parts.plan, &parts.analysis_root);
    published(desk, parts);
    sources_of_figures(desk, parts);
}

/// A body map needs a skin score, an agreement of readers coded specimens.
fn sources_of_figures(desk: &mut Desk<'_>, parts: &Parts<'_>) {
    let scored = parts.study.forms.iter().any(|form| form.instrument.as_deref() == Some("mrss"));
    let read = parts.study.blind_reading.is_some();
    let sections = parts.analysis_root.get("report").map_or(&[][..], Node::elements);
    for node in sections.iter().filter_map(|section| section.get("show")).flat_map(Node::elements) {
        let (message, help) = match node.text() {
            Some("figure:body map") if !scored => {
                ("no form holds the skin score of 17 sites", "add a form with `instrument = \"mrss\"`")
            }
            Some("readers") if !read => {
                ("no specimens are read blind", "add `[blind_reading]` to study.toml")
            }
            _ => continue,
        };
        let place = crate::source::Place::new(parts.analysis_root.file, node.text_span());
        desk.error("not-measured", &place, message, Some(help.into()));
    }
}

/// What can be said of a plan without its study.
pub(crate) fn alone(desk: &mut Desk<'_>, parts: &PlanParts, root: &Section<'_>) {
    shown(desk, parts);
    estimands(desk, parts, root);
    times::check_strategies(desk, parts, root);
}

fn shown(desk: &mut Desk<'_>, parts: &PlanParts) {
    let plan = &parts.plan;
    let all: Vec<&Shown> = plan.sections.iter().flat_map(|section| &section.show).collect();
    for analysis in plan.analyses.iter().filter(|_| !plan.sections.is_empty()) {
        let is_shown = all.iter().any(|shown| match shown {
            Shown::Table(ids) | Shown::Baseline(ids) => ids.contains(&analysis.id),
            Shown::Survival(id) => *id == analysis.id,
            _ => false,
        });
        if let Some((place, _)) = parts.places.get(analysis.id.as_str()).filter(|_| !is_shown) {
            let message = format!("analysis {} is shown nowhere in the report", analysis.id);
            desk.warn("not-shown", place, message, Some("name it in `show` of a section".into()));
        }
    }
}

fn estimands(desk: &mut Desk<'_>, parts: &PlanParts, root: &Section<'_>) {
    let plan = &parts.plan;
    for entry in root.named("estimands") {
        let name = entry.name();
        let mut of_it =
            plan.analyses.iter().filter(|analysis| analysis.estimand.as_ref().is_some_and(|id| *id == *name));
        let confirmatory = matches!(entry.text("level"), Some("primary" | "secondary"));
        let main = of_it.clone().filter(|analysis| analysis.role == "main").count();
        if of_it.next().is_none() || confirmatory && main == 0 {
            let help = format!("add an analysis with `estimand = \"{name}\"` and `role = \"main\"`");
            desk.warn(
                "not-analysed",
                &entry.place(),
                format!("no main analysis serves estimand {name}"),
                Some(help),
            );
        }
        if entry.text("level") == Some("primary") && main > 1 {
            let help = "keep one, and call the others \"sensitivity\"".to_owned();
            desk.error(
                "ambiguous",
                &entry.place(),
                format!("estimand {name} has {main} main analyses"),
                Some(help),
            );
        }
    }
}

/// A published number stands beside an estimate, so it is a number, perhaps with a comparator.
fn published(desk: &mut Desk<'_>, parts: &Parts<'_>) {
    for entry in parts.analysis_root.named("analyses") {
        for number in entry.named("published") {
            let Some(fact) = number.node.text().and_then(|id| parts.study.fact(id)) else { continue };
            let digits = fact.text.trim_start_matches(['<', '>', '=', '≤', '≥', ' ']);
            if fact.number.is_none() && digits.parse::<terms::Decimal>().is_err() {
                let message = format!("fact `{}` is no number, and stands beside an estimate", fact.id);
                desk.error("type", &place(&number), message, Some(format!("it says: {}", fact.text)));
            }
        }
    }
}

fn place(section: &Section<'_>) -> crate::source::Place {
    crate::source::Place::new(section.file, Node::text_span(section.node))
}
