//! `[times]` of `analysis.toml`: times to an event.

use std::collections::BTreeMap;

use super::analysis::PlanParts;
use crate::{
    desk::{Desk, Section},
    expression::{Codes, Reads, Type, Unit},
    model::*,
    shape::{Field, Keys, Kind, Shape, Variant, may, must},
    tree::Node,
};

words! { ORIGINS, origin -> TimeOrigin {
    "enrolment" => TimeOrigin::Enrolment,
    "first dose" => TimeOrigin::FirstDose,
} }

/// Why treatment or participation ends, as the record says it.
const END_REASONS: &[&str] = &[
    "completed",
    "adverse_event",
    "progression",
    "withdrew_consent",
    "death",
    "lost_to_follow_up",
    "stopping_rule",
    "other",
];

const REASONS: Shape = Shape::List(&Shape::Word(END_REASONS));

const HAPPENING: Shape = Shape::Choice {
    common: &[may("label", Shape::Label, "What people call it; its name by default.")],
    variants: &[
        Variant {
            key: "adverse_events",
            fields: &[must(
                "adverse_events",
                Shape::Expression,
                "\"all\", or the adverse events for which this holds; the first one's start is the day.",
            )],
        },
        Variant {
            key: "parameter",
            fields: &[
                must("parameter", Shape::Name(Kind::Parameter), "A parameter that is followed over visits."),
                must(
                    "holds",
                    Shape::Expression,
                    "Over `value`, `baseline`, `change`, `relative_change` and `percent_change`: the first visit after the start at which this holds is the day.",
                ),
            ],
        },
        Variant {
            key: "treatment_ends",
            fields: &[must(
                "treatment_ends",
                REASONS,
                "Treatment ends for one of these reasons; the last dose is the day.",
            )],
        },
        Variant {
            key: "participation_ends",
            fields: &[must(
                "participation_ends",
                REASONS,
                "Participation ends for one of these reasons, death among them.",
            )],
        },
    ],
};

pub(crate) const TIME: &[Field] = &[
    must("label", Shape::Label, "What people call it."),
    must("from", Shape::Word(ORIGINS), "The day that counts as day 1."),
    must("events", Shape::Map(Keys::Free, &HAPPENING), "What ends a time; the first of these counts."),
    may(
        "censored_by",
        Shape::Map(Keys::Free, &HAPPENING),
        "What takes a participant out of sight: the time is censored there, unless an event came first.",
    ),
    may(
        "cut_off_months",
        Shape::Integer { min: 1, max: 600 },
        "Months from the first participant's entry to the last day of the data; without it follow-up ends by the schedule alone.",
    ),
    must("longer_is_better", Shape::Flag, "Whether a longer time is better for the participant."),
];

/// Reads the times of a plan, in order.
pub(crate) fn read(desk: &mut Desk<'_>, root: &Section<'_>) -> Vec<TimeToEvent> {
    root.named("times").filter_map(|entry| read_time(desk, &entry)).collect()
}

fn read_time(desk: &mut Desk<'_>, entry: &Section<'_>) -> Option<TimeToEvent> {
    let events = happenings(desk, entry, "events");
    let censored_by = happenings(desk, entry, "censored_by");
    if entry.named("events").next().is_none() && entry.get("events").is_some() {
        let message = format!("nothing ends `{}`", entry.name());
        let help = "name what happens, such as `death = { participation_ends = [\"death\"] }`".to_owned();
        desk.error("unreachable", &entry.place_of("events"), message, Some(help));
    }
    for twice in entry.named("censored_by") {
        if entry.named("events").any(|event| event.name() == twice.name()) {
            let message = format!("`{}` both ends and censors `{}`", twice.name(), entry.name());
            let help = "leave it out of `events` or of `censored_by`".to_owned();
            desk.error("ambiguous", &twice.place(), message, Some(help));
        }
    }
    Some(TimeToEvent {
        id: entry.name().into(),
        label: desk.label(entry.get("label")),
        from: origin(entry.text("from")?)?,
        events,
        censored_by,
        cut_off_months: entry.whole("cut_off_months"),
        longer_is_better: entry.flag("longer_is_better")?,
    })
}

fn happenings(desk: &mut Desk<'_>, entry: &Section<'_>, key: &str) -> Vec<TimedHappening> {
    let mut read = Vec::new();
    for one in entry.named(key) {
        let Some(what) = happening(desk, &one) else { continue };
        let label = match one.get("label") {
            Some(node) => desk.label(Some(node)),
            None => {
                let mut label = desk.label(None);
                let language = desk.languages.first().cloned().unwrap_or_else(|| "en".to_owned());
                label.0.insert(language, one.name().to_owned());
                label
            }
        };
        read.push(TimedHappening { id: one.name().to_owned(), label, what });
    }
    read
}

fn happening(desk: &mut Desk<'_>, one: &Section<'_>) -> Option<Happening> {
    if let Some(node) = one.get("adverse_events") {
        if node.text()? == "all" {
            return Some(Happening::AdverseEvent { filter: None });
        }
        let placed = desk.condition(node, one.file, Reads::Events, None)?;
        return Some(Happening::AdverseEvent { filter: Some(placed.expression) });
    }
    if let Some(parameter) = one.text("parameter") {
        let columns = columns_of_findings(desk, parameter);
        let outer = std::mem::replace(&mut desk.event_variables, columns);
        let placed = one.get("holds").and_then(|node| desk.condition(node, one.file, Reads::Events, None));
        desk.event_variables = outer;
        return Some(Happening::Finding { parameter: parameter.into(), holds: placed?.expression });
    }
    let reasons = |key: &str| -> Vec<String> {
        let nodes = one.get(key).map_or(&[][..], Node::elements);
        nodes.iter().filter_map(Node::text).map(str::to_owned).collect()
    };
    for key in ["treatment_ends", "participation_ends"] {
        if one.get(key).is_none() {
            continue;
        }
        let reasons = reasons(key);
        if reasons.is_empty() {
            let message = format!("`{}` never happens: no reason is named", one.name());
            let help = format!("write `{key} = [\"death\"]`, or other reasons");
            desk.error("ambiguous", &one.place_of(key), message, Some(help));
            return None;
        }
        return Some(match key {
            "treatment_ends" => Happening::TreatmentEnd { reasons },
            _ => Happening::ParticipationEnd { reasons },
        });
    }
    None
}

/// The columns of the longitudinal data set that a finding may read.
fn columns_of_findings(desk: &Desk<'_>, parameter: &str) -> BTreeMap<String, Type> {
    let unit = desk.parameters.get(parameter).cloned().unwrap_or(Unit::Any);
    let visits = Codes {
        kind: Kind::Visit,
        list: "visit".to_owned(),
        among: Some(desk.names.of(Kind::Visit).to_vec().into()),
    };
    [
        ("value", Type::Number(unit.clone())),
        ("baseline", Type::Number(unit.clone())),
        ("change", Type::Number(unit)),
        ("relative_change", Type::Number(Unit::Any)),
        ("percent_change", Type::Number(Unit::Any)),
        ("visit", Type::Code(visits)),
    ]
    .into_iter()
    .map(|(name, kind)| (name.to_owned(), kind))
    .collect()
}

/// Reports an estimand whose strategy for an event is not what the analysed time does about it.
pub(crate) fn check_strategies(desk: &mut Desk<'_>, parts: &PlanParts, root: &Section<'_>) {
    let plan = &parts.plan;
    for entry in root.named("analyses") {
        let time = entry.text("time_to").and_then(|id| plan.times.iter().find(|time| time.id == *id));
        let estimand = entry.text("estimand").and_then(|id| plan.estimands.iter().find(|one| one.id == *id));
        let (Some(time), Some(estimand)) = (time, estimand) else { continue };
        for (event, strategy) in &estimand.events {
            let has = |of: &[TimedHappening]| of.iter().any(|one| one.id == *event);
            let (ends, censors) = (has(&time.events), has(&time.censored_by));
            let wrong = match strategy {
                Strategy::Composite if !ends => "is part of the outcome (composite)",
                Strategy::Hypothetical if !censors => "is as if it had not happened (hypothetical)",
                Strategy::WhileOnTreatment if !censors => "ends what is looked at (while on treatment)",
                Strategy::TreatmentPolicy if ends || censors => "changes nothing (treatment policy)",
                Strategy::WorstRank => "takes the worst rank, which no time has,",
                _ => continue,
            };
            let message = format!(
                "by estimand {} `{event}` {wrong}, and `{}` {}",
                estimand.id,
                time.id,
                match (ends, censors) {
                    (true, _) => "ends with it",
                    (_, true) => "is censored by it",
                    _ => "does not know it",
                }
            );
            let help = format!(
                "name `{event}` under `events` of {0} (composite), under `censored_by` (hypothetical, while on treatment), or under neither (treatment policy)",
                time.id
            );
            desk.error("estimand", &entry.place_of("estimand"), message, Some(help));
        }
    }
}
