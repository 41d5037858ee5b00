//! What the sections mean together: checks beyond names and types.

mod blinding;
mod measured;
mod people;
mod plan;
mod reach;
mod timing;

use crate::{
    desk::{Desk, Section},
    model::Study,
    sections::{
        analysis::PlanParts,
        cases::{self, Rule},
        dosing::DoseCondition,
        eligibility::RuleParts,
        forms::{FormFile, FormParts},
        schedule::ScheduleParts,
    },
};

/// The compiled parts with their places.
pub(crate) struct Parts<'a> {
    pub(crate) study: &'a Study,
    pub(crate) schedule: &'a ScheduleParts,
    pub(crate) forms: &'a FormParts,
    pub(crate) form_files: &'a [FormFile<'a>],
    pub(crate) rules: &'a [RuleParts],
    pub(crate) doses: &'a [DoseCondition],
    pub(crate) plan: &'a PlanParts,
    pub(crate) study_root: Section<'a>,
    pub(crate) roles_root: Section<'a>,
    pub(crate) allocation_root: Option<Section<'a>>,
    pub(crate) analysis_root: Section<'a>,
    pub(crate) laboratory_root: Section<'a>,
    pub(crate) virtual_root: Option<Section<'a>>,
    pub(crate) randomised: bool,
}

/// Runs the checks of a plan without a study.
pub(crate) fn plan_alone(desk: &mut Desk<'_>, parts: &PlanParts, root: &Section<'_>) {
    plan::alone(desk, parts, root);
}

/// Runs all checks.
pub(crate) fn run(desk: &mut Desk<'_>, parts: &Parts<'_>) {
    timing::run(desk, parts);
    measured::run(desk, parts);
    reach::run(desk, parts);
    people::run(desk, parts);
    plan::run(desk, parts);
    blinding::run(desk, parts);
    run_cases(desk, parts);
}

fn run_cases(desk: &mut Desk<'_>, parts: &Parts<'_>) {
    for rule in parts.rules.iter().filter(|rule| !rule.broken) {
        let name = format!("rule {}", rule.rule.id);
        let applies_to = rule.applies_to.as_ref();
        cases::run(
            desk,
            &Rule {
                name,
                place: rule.place.clone(),
                rule: &rule.placed,
                applies_to,
                cases: &rule.cases,
                needs_both: true,
            },
        );
    }
    for check in &parts.forms.checks {
        let name = format!("check `{}` of {}", check.of, check.form);
        let place = check.placed.place.clone();
        cases::run(
            desk,
            &Rule {
                name,
                place,
                rule: &check.placed,
                applies_to: None,
                cases: &check.cases,
                needs_both: true,
            },
        );
    }
    for dose in parts.doses {
        let name = format!("dose rule {}", dose.name);
        let (rule, cases) = (&dose.placed, &dose.cases);
        cases::run(
            desk,
            &Rule { name, place: dose.place.clone(), rule, applies_to: None, cases, needs_both: false },
        );
    }
}
