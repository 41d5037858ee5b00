//! `dosing.toml`: dose levels, pauses, rules of modification.

use terms::Decimal;

use super::{
    cases::{Cases, TRIGGERS, read_cases},
    sources::{MARK, read_mark},
};
use crate::{
    desk::{Desk, Placed, Section},
    expression::Reads,
    model::{DoseAction, DoseRule, Dosing},
    shape::{Field, Keys, Kind, Shape, may, must},
    source::Place,
    tree::Node,
};

words! { ACTIONS, action -> DoseAction {
    "hold" => DoseAction::Hold,
    "stop" => DoseAction::Stop,
    "examine" => DoseAction::Examine,
    "limit" => DoseAction::Limit,
} }

const DAYS: Shape = Shape::Integer { min: 0, max: 3660 };
const MG: Shape = Shape::Number { min: Some(0), max: Some(1_000_000) };

const RULE: &[Field] = &[
    must("label", Shape::Label, "What it says."),
    may("when", Shape::Expression, "When it is triggered; without this, the investigator judges."),
    must("action", Shape::Word(ACTIONS), "What to do."),
    may("resume_when", Shape::Expression, "When treatment may go on."),
    must(
        "levels_down",
        Shape::Several(2, &Shape::Integer { min: 0, max: 20 }),
        "Levels to go down on resuming: the first time, later times.",
    ),
    must("mark", MARK, "How sure it is."),
    may("cases", TRIGGERS, "Cases that trigger it and cases that don't."),
];

pub(crate) const FIELDS: &[Field] = &[
    must("levels_mg", Shape::List(&MG), "Dose levels in mg a day, highest first."),
    must("planned_months", Shape::Integer { min: 1, max: 600 }, "Planned months of treatment."),
    must("tablet_mg", MG, "mg in a tablet or capsule."),
    must("escalations_max", Shape::Integer { min: 0, max: 100 }, "How often a dose may be raised again."),
    must("escalation_after_days", DAYS, "Stable days before raising."),
    must("pause_days_max", DAYS, "A longer pause in a row stops the drug for good."),
    must("pause_days_total_max", DAYS, "More days off drug in all stop it for good."),
    may("rules", Shape::Map(Keys::Define(Kind::DoseRule), &Shape::Table(RULE)), "Rules of modification."),
];

/// A dose rule's condition with its cases.
pub(crate) struct DoseCondition {
    pub(crate) name: String,
    pub(crate) placed: Placed,
    pub(crate) cases: Cases,
    pub(crate) place: Place,
}

/// Reads the file.
pub(crate) fn read(desk: &mut Desk<'_>, root: &Section<'_>) -> (Dosing, Vec<DoseCondition>) {
    let levels_mg: Vec<Decimal> =
        root.get("levels_mg").map_or(&[][..], Node::elements).iter().filter_map(Node::decimal).collect();
    let tablet_mg = root.decimal("tablet_mg").unwrap_or(Decimal::ONE);
    check_levels(desk, root, &levels_mg, tablet_mg);
    let mut conditions = Vec::new();
    let mut rules = Vec::new();
    for entry in root.named("rules") {
        rules.push(read_rule(desk, &entry, levels_mg.len(), &mut conditions));
    }
    let dosing = Dosing {
        levels_mg,
        planned_months: root.whole("planned_months").unwrap_or(0),
        tablet_mg,
        escalations_max: root.whole("escalations_max").unwrap_or(0),
        escalation_after_days: root.whole("escalation_after_days").unwrap_or(0),
        pause_days_max: root.whole("pause_days_max").unwrap_or(0),
        pause_days_total_max: root.whole("pause_days_total_max").unwrap_or(0),
        rules,
    };
    if dosing.pause_days_total_max < dosing.pause_days_max && root.get("pause_days_total_max").is_some() {
        let message = format!(
            "{} days off drug in all are fewer than {} in a row",
            dosing.pause_days_total_max, dosing.pause_days_max
        );
        desk.error(
            "order",
            &root.place_of("pause_days_total_max"),
            message,
            Some("the total is at least the longest pause".into()),
        );
    }
    (dosing, conditions)
}

fn check_levels(desk: &mut Desk<'_>, root: &Section<'_>, levels: &[Decimal], tablet_mg: Decimal) {
    let Some(node) = root.get("levels_mg") else { return };
    if levels.is_empty() && node.elements().is_empty() {
        desk.error(
            "dosing",
            &Place::new(root.file, node.span.clone()),
            "there is no dose level",
            Some("write `levels_mg = [400, 300]`".into()),
        );
    }
    for (index, element) in node.elements().iter().enumerate() {
        let (Some(level), place) = (element.decimal(), Place::new(root.file, element.span.clone())) else {
            continue;
        };
        if index > 0 && node.elements()[index - 1].decimal().is_some_and(|higher| higher <= level) {
            desk.error(
                "dosing",
                &place,
                format!("dose level {level} mg is not below the one before it"),
                Some("list the levels from the highest down".into()),
            );
        }
        if tablet_mg <= Decimal::ZERO || !(level % tablet_mg).is_zero() {
            let help = "a dose is a whole number of tablets: correct the level or `tablet_mg`".to_owned();
            desk.error(
                "dosing",
                &place,
                format!("{level} mg can't be made of tablets of {tablet_mg} mg"),
                Some(help),
            );
        }
    }
}

fn read_rule(
    desk: &mut Desk<'_>,
    entry: &Section<'_>,
    levels: usize,
    conditions: &mut Vec<DoseCondition>,
) -> DoseRule {
    let when = entry.get("when").and_then(|node| desk.condition(node, entry.file, Reads::Casebook, None));
    let resume_when =
        entry.get("resume_when").and_then(|node| desk.condition(node, entry.file, Reads::Casebook, None));
    let action = entry.text("action").and_then(action).unwrap_or(DoseAction::Examine);
    let down = entry.get("levels_down").map_or(&[][..], Node::elements);
    let steps: Vec<u32> =
        down.iter().filter_map(|node| node.integer().and_then(|steps| u32::try_from(steps).ok())).collect();
    for (node, steps) in down.iter().zip(&steps) {
        if *steps as usize >= levels.max(1) && *steps > 0 {
            let place = Place::new(entry.file, node.span.clone());
            let message = format!("there is no level {steps} below the highest: the study has {levels}");
            desk.error("dosing", &place, message, Some("name fewer levels, or `action = \"stop\"`".into()));
        }
    }
    if action == DoseAction::Stop && entry.get("resume_when").is_some() {
        desk.error(
            "ambiguous",
            &entry.place_of("resume_when"),
            "treatment that is stopped for good does not go on",
            Some("leave `resume_when` out, or hold".into()),
        );
    }
    if let Some(placed) = &when {
        let cases = read_cases(desk, entry, "triggers", &[placed], None);
        conditions.push(DoseCondition {
            name: entry.name().to_owned(),
            placed: placed.clone(),
            cases,
            place: entry.place(),
        });
    } else if entry.get("cases").is_some() && entry.get("when").is_none() {
        desk.error(
            "cases",
            &entry.place_of("cases"),
            "a rule that the investigator judges has no cases",
            Some("add `when` or leave `cases` out".into()),
        );
    }
    DoseRule {
        id: entry.name().into(),
        label: desk.label(entry.get("label")),
        when: when.map(|placed| placed.expression),
        action,
        resume_when: resume_when.map(|placed| placed.expression),
        levels_down: (steps.first().copied().unwrap_or(0), steps.get(1).copied().unwrap_or(0)),
        mark: read_mark(entry),
    }
}
