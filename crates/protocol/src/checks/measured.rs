//! What is needed at a visit is collected there: endpoints, rules, checks; and every form has its place in the schedule.

use std::collections::BTreeSet;

use terms::{FormId, VisitId};

use super::Parts;
use crate::{
    desk::{Desk, Placed},
    expression::{Input, ItemRef, When},
    model::{Mark, Measure, Shown, Subject, Timing},
    source::Place,
};

pub(crate) fn run(desk: &mut Desk<'_>, parts: &Parts<'_>) {
    endpoints(desk, parts);
    figures(desk, parts);
    rules(desk, parts);
    conditions(desk, parts);
    forms(desk, parts);
}

/// Returns the visits at which a form is filled: those of its activities, or for coded slides those of the biopsy.
fn visits_of(parts: &Parts<'_>, form: &FormId) -> BTreeSet<VisitId> {
    let source = scheduled_form(parts, form);
    parts
        .study
        .activities
        .iter()
        .filter(|activity| activity.forms.contains(&source))
        .flat_map(|activity| &activity.marks)
        .filter(|(_, mark)| *mark == Mark::Do)
        .map(|(visit, _)| visit.clone())
        .collect()
}

fn scheduled_form(parts: &Parts<'_>, form: &FormId) -> FormId {
    match &parts.study.blind_reading {
        Some(reading)
            if reading.read_on == *form
                || reading.pairs.as_ref().is_some_and(|pairs| pairs.read_on == *form) =>
        {
            reading.taken_on.clone()
        }
        _ => form.clone(),
    }
}

/// Returns the grid's cell for a form at a visit.
fn cell(parts: &Parts<'_>, form: &FormId, visit: &VisitId) -> Option<Place> {
    let source = scheduled_form(parts, form);
    let activity = parts.study.activities.iter().find(|activity| activity.forms.contains(&source))?;
    parts.schedule.cells.get(&(activity.id.clone(), visit.to_string())).cloned()
}

fn position(desk: &Desk<'_>, place: &Place) -> String {
    let source = &desk.sources[place.file];
    format!("{}:{}", source.path, source.position(place.start).0)
}

fn endpoints(desk: &mut Desk<'_>, parts: &Parts<'_>) {
    for analysis in &parts.plan.plan.analyses {
        let Subject::Parameter { parameter, visit, measure, .. } = &analysis.subject else { continue };
        let Some(parameter) = parts.plan.plan.parameters.iter().find(|p| p.id == *parameter) else {
            continue;
        };
        let Some((_, at)) = parts.plan.places.get(analysis.id.as_str()) else { continue };
        let needs = match &analysis.estimand {
            Some(estimand) => format!("endpoint {estimand}"),
            None => format!("analysis {}", analysis.id),
        };
        let what = format!("{}.{}", parameter.form, parameter.item);
        let measured = visits_of(parts, &parameter.form);
        if !measured.contains(visit) && parts.study.visit(visit.as_str()).is_some() {
            let place = cell(parts, &parameter.form, visit).unwrap_or_else(|| at.clone());
            let others =
                parts.study.visits.iter().filter(|visit| !visit.extra && measured.contains(&visit.id));
            let visits = others.map(|visit| visit.id.to_string()).collect::<Vec<_>>().join(", ");
            let help = format!(
                "put `x` here, or end {} ({}) at a visit that has it: {visits}",
                analysis.id,
                position(desk, at)
            );
            desk.error(
                "not-measured",
                &place,
                format!("{needs} needs `{what}` at {visit}, and no one measures it there"),
                Some(help),
            );
        }
        if *measure != Measure::Value
            && !measured.is_empty()
            && !measured.iter().any(|visit| before_first_dose(parts, visit))
        {
            let help = "put `x` at a visit up to the first dose".to_owned();
            let start = parts.study.visits.iter().find(|visit| matches!(visit.timing, Timing::On { .. }));
            let place = start.and_then(|visit| cell(parts, &parameter.form, &visit.id));
            desk.error(
                "not-measured",
                &place.unwrap_or_else(|| at.clone()),
                format!("{needs} needs a baseline of `{what}`, and no visit up to the first dose has one"),
                Some(help),
            );
        }
    }
}

fn before_first_dose(parts: &Parts<'_>, visit: &VisitId) -> bool {
    parts
        .study
        .visit(visit.as_str())
        .is_some_and(|visit| matches!(visit.timing, Timing::Before { .. } | Timing::On { .. }))
}

fn figures(desk: &mut Desk<'_>, parts: &Parts<'_>) {
    let plan = &parts.plan.plan;
    for section in &plan.sections {
        for shown in &section.show {
            let (what, parameter, visit) = match shown {
                Shown::Waterfall(parameter, visit) => ("waterfall", parameter, visit),
                Shown::CumulativeDistribution(parameter, visit) => {
                    ("cumulative distribution", parameter, visit)
                }
                _ => continue,
            };
            let Some(found) = plan.parameters.iter().find(|p| p.id == *parameter) else { continue };
            if !visits_of(parts, &found.form).contains(visit)
                && parts.study.visit(visit.as_str()).is_some()
                && let Some(place) = cell(parts, &found.form, visit)
                && !desk.reported("not-measured", &place)
            {
                let message = format!(
                    "the {what} of {parameter} needs `{}.{}` at {visit}, and no one measures it there",
                    found.form, found.item
                );
                desk.error(
                    "not-measured",
                    &place,
                    message,
                    Some("put `x` here, or show another visit".into()),
                );
            }
        }
    }
}

/// Returns the items that an expression reads at the visit in hand, and those it reads at a named one.
fn items(placed: &Placed) -> Vec<ItemRef> {
    let inputs = placed.expression.inputs();
    inputs
        .into_iter()
        .filter_map(|input| match input {
            Input::Item(reference) | Input::Limit(reference, _) => Some(reference),
            _ => None,
        })
        .collect()
}

fn rules(desk: &mut Desk<'_>, parts: &Parts<'_>) {
    for rule in parts.rules {
        for (visit, place) in rule.rule.at.iter().zip(&rule.at) {
            if parts.study.visit(visit.as_str()).is_some() && !before_first_dose(parts, visit) {
                let message = format!("rule {} is decided at {visit}, after entry", rule.rule.id);
                desk.error("order", place, message, Some("name visits up to the first dose".into()));
            }
        }
        for placed in std::iter::once(&rule.placed).chain(&rule.applies_to) {
            for (visit, place) in rule.rule.at.iter().zip(&rule.at) {
                for reference in items(placed).into_iter().filter(|reference| reference.when == When::Here) {
                    let known = parts.study.form(reference.form.as_str()).is_some_and(|form| form.by_visit);
                    if known
                        && parts.study.visit(visit.as_str()).is_some()
                        && !visits_of(parts, &reference.form).contains(visit)
                    {
                        let name = format!("{}.{}", reference.form, reference.item);
                        let message = format!(
                            "rule {} is decided at {visit} and reads `{name}`, which is not collected there",
                            rule.rule.id
                        );
                        let help =
                            format!("write `latest({name})`, or put `x` for {} at {visit}", reference.form);
                        desk.error("not-measured", place, message, Some(help));
                    }
                }
            }
            named_visits(desk, parts, placed);
        }
    }
}

fn conditions(desk: &mut Desk<'_>, parts: &Parts<'_>) {
    for condition in parts.forms.checks.iter().chain(&parts.forms.shown) {
        let own: FormId = condition.form.as_str().into();
        let visits = visits_of(parts, &own);
        let by_visit = |form: &FormId| parts.study.form(form.as_str()).is_some_and(|form| form.by_visit);
        for reference in items(&condition.placed) {
            let name = format!("{}.{}", reference.form, reference.item);
            let theirs = visits_of(parts, &reference.form);
            let never_together = reference.when == When::Here
                && reference.form != own
                && by_visit(&own)
                && by_visit(&reference.form)
                && visits.is_disjoint(&theirs);
            if never_together {
                let message = format!("{own} and {} are never filled at the same visit", reference.form);
                desk.error(
                    "not-measured",
                    &condition.placed.place,
                    message,
                    Some(format!("write `latest({name})`")),
                );
            }
            if reference.when == When::Previous && by_visit(&reference.form) && theirs.len() < 2 {
                let message =
                    format!("nothing is ever previous: `{name}` is collected at {} visit(s)", theirs.len());
                desk.error("not-measured", &condition.placed.place, message, None);
            }
        }
        named_visits(desk, parts, &condition.placed);
    }
    for dose in parts.doses {
        named_visits(desk, parts, &dose.placed);
    }
}

fn named_visits(desk: &mut Desk<'_>, parts: &Parts<'_>, placed: &Placed) {
    for reference in items(placed) {
        let When::At(visit) = &reference.when else { continue };
        if !visits_of(parts, &reference.form).contains(visit)
            && parts.study.form(reference.form.as_str()).is_some()
        {
            let message = format!("`{}.{}` is not collected at {visit}", reference.form, reference.item);
            desk.error(
                "not-measured",
                &placed.place,
                message,
                Some(format!("put `x` for {} at {visit}, or name another visit", reference.form)),
            );
        }
    }
}

fn forms(desk: &mut Desk<'_>, parts: &Parts<'_>) {
    for activity in &parts.study.activities {
        if activity.marks.is_empty()
            && let Some(place) = parts.schedule.activity_places.get(&activity.id)
        {
            let help = "put `x` at a visit, or leave the row out".to_owned();
            desk.error(
                "unreachable",
                place,
                format!("activity `{}` is done at no visit", activity.id),
                Some(help),
            );
        }
    }
    for form in parts.study.forms.iter().filter(|form| form.by_visit) {
        if parts.study.activities.iter().any(|activity| activity.forms.contains(&form.id)) {
            continue;
        }
        if let Some(place) = parts.forms.places.get(form.id.as_str()) {
            let help =
                "name it in `forms` of an activity, or write `by_visit = false` if it runs through the trial"
                    .to_owned();
            desk.error(
                "unreachable",
                place,
                format!("form `{}` is on no row of the schedule", form.id),
                Some(help),
            );
        }
    }
}
