//! Forms, roles and purposes: who fills what, and what conduct needs of a form; arms and allocation.

use std::collections::BTreeSet;

use super::{Parts, timing};
use crate::{
    desk::Desk,
    expression::{Input, Type},
    model::{Form, ItemRole, ItemType, Power, Purpose, Sight, Visit},
    source::Place,
    tree::Node,
};

pub(crate) fn run(desk: &mut Desk<'_>, parts: &Parts<'_>) {
    fillers(desk, parts);
    askers(desk, parts);
    purposes(desk, parts);
    treatment_classes(desk, parts);
    followed_grades(desk, parts);
    powers(desk, parts);
    reading(desk, parts);
    allocation(desk, parts);
    laboratories(desk, parts);
    strata(desk, parts);
}

fn fillers(desk: &mut Desk<'_>, parts: &Parts<'_>) {
    for (name, root) in parts.form_files {
        let Some(form) = parts.study.form(name) else { continue };
        for node in root.get("filled_by").map_or(&[][..], Node::elements) {
            let Some(role) = node.text().and_then(|role| parts.study.role(role)) else { continue };
            if !role.enters.contains(&form.data_class)
                && desk.names.has(crate::Kind::DataClass, form.data_class.as_str())
            {
                let message =
                    format!("role `{}` fills {name} and may not enter `{}`", role.id, form.data_class);
                let help = format!(
                    "add \"{}\" to `enters` of {} (roles.toml), or name another role",
                    form.data_class, role.id
                );
                desk.error("not-allowed", &Place::new(root.file, node.text_span()), message, Some(help));
            }
        }
        if root.get("filled_by").is_some_and(|list| {
            matches!(list.kind, crate::tree::NodeKind::Array(_)) && list.elements().is_empty()
        }) {
            desk.error(
                "unreachable",
                &root.place_of("filled_by"),
                format!("no one fills {name}"),
                Some("name a role".into()),
            );
        }
    }
}

/// Whoever is asked must see what the question is about.
fn askers(desk: &mut Desk<'_>, parts: &Parts<'_>) {
    for form in &parts.study.forms {
        for check in &form.checks {
            let Some(place) = parts.forms.places.get(&format!("{}#{}", form.id, check.id)) else { continue };
            let Some(role) = parts.study.role(check.asks.as_str()) else { continue };
            let sees =
                role.sees.iter().any(|(class, sight)| *class == form.data_class && *sight != Sight::None);
            if !sees && desk.names.has(crate::Kind::DataClass, form.data_class.as_str()) {
                let message = format!(
                    "role `{}` is asked about {} and does not see `{}`",
                    role.id, form.id, form.data_class
                );
                let able = parts.study.roles.iter().filter(|other| {
                    other
                        .sees
                        .iter()
                        .any(|(class, sight)| *class == form.data_class && *sight > Sight::Masked)
                });
                let able: Vec<String> = able.map(|role| format!("`{}`", role.id)).collect();
                desk.error(
                    "not-allowed",
                    place,
                    message,
                    Some(format!("ask one who does: {}", able.join(", "))),
                );
            }
        }
    }
}

/// What conduct and the data sets look for on a form of a purpose.
fn needed(purpose: Purpose) -> &'static [(&'static str, ItemRole)] {
    match purpose {
        Purpose::Demography => &[("sex", ItemRole::Sex), ("age_years", ItemRole::AgeYears)],
        Purpose::AdverseEvents => &[
            ("ae_term", ItemRole::AeTerm),
            ("ae_start", ItemRole::AeStart),
            ("ae_stop", ItemRole::AeStop),
            ("ae_grade", ItemRole::AeGrade),
            ("ae_serious", ItemRole::AeSerious),
            ("ae_relation", ItemRole::AeRelation),
            ("ae_action", ItemRole::AeAction),
            ("ae_outcome", ItemRole::AeOutcome),
        ],
        Purpose::ConcomitantTreatments => &[
            ("treatment_name", ItemRole::TreatmentName),
            ("treatment_prohibited", ItemRole::TreatmentProhibited),
        ],
        Purpose::BlindedAssessment | Purpose::Laboratory | Purpose::SpecimenReading => &[],
    }
}

fn fits(role: ItemRole, kind: &ItemType) -> bool {
    match role {
        ItemRole::Sex
        | ItemRole::AeRelation
        | ItemRole::AeAction
        | ItemRole::AeOutcome
        | ItemRole::AeSeriousCriterion
        | ItemRole::TreatmentClass => {
            matches!(kind, ItemType::Code { .. })
        }
        ItemRole::AgeYears | ItemRole::HeightCm => {
            matches!(kind, ItemType::Integer | ItemType::Decimal { .. })
        }
        ItemRole::AeGrade => matches!(kind, ItemType::Code { .. } | ItemType::Integer),
        ItemRole::AeTerm => matches!(kind, ItemType::Text | ItemType::Code { .. } | ItemType::Term { .. }),
        ItemRole::TreatmentName | ItemRole::TreatmentReason => {
            matches!(kind, ItemType::Text | ItemType::Code { .. })
        }
        ItemRole::AeSerious | ItemRole::TreatmentProhibited => matches!(kind, ItemType::Boolean),
        ItemRole::AeStart | ItemRole::AeStop | ItemRole::TreatmentStart | ItemRole::TreatmentStop => {
            matches!(kind, ItemType::Date { .. })
        }
    }
}

fn purposes(desk: &mut Desk<'_>, parts: &Parts<'_>) {
    for (name, root) in parts.form_files {
        let Some(form) = parts.study.form(name) else { continue };
        for entry in root.named("items") {
            let Some(item) = form.item(entry.name()) else { continue };
            if let Some(role) = item.role.filter(|role| !fits(*role, &item.kind)) {
                let word = entry.text("role").unwrap_or_default();
                let message = format!(
                    "an item of type `{}` can't have the role `{word}`",
                    entry.text("type").unwrap_or_default()
                );
                desk.error("type", &entry.place_of("role"), message, Some(wanted(role).to_owned()));
            }
        }
        let Some(purpose) = form.purpose else { continue };
        for (word, role) in needed(purpose) {
            if form.item_for(*role).is_none() && !desk.was_left_out(word) {
                let message = format!(
                    "{name} serves as {} and has no item with the role `{word}`",
                    root.text("purpose").unwrap_or_default()
                );
                desk.error(
                    "purpose",
                    &root.place_of("purpose"),
                    message,
                    Some(format!("add `role = \"{word}\"` to the item")),
                );
            }
        }
        rows(desk, parts, form, root.place_of("purpose"));
    }
    for (purpose, word) in [(Purpose::Demography, "demography"), (Purpose::AdverseEvents, "adverse events")] {
        let damaged = !desk.left_out.is_empty();
        if parts.study.form_for(purpose).is_none() && !damaged && !parts.form_files.is_empty() {
            let help = format!("add `purpose = \"{word}\"` to the form");
            let place = Place::new(parts.study_root.file, 0..0);
            desk.error("purpose", &place, format!("no form serves as {word}"), Some(help));
        }
    }
}

/// What virtual people are followed by is a number; a grade is one for readers of slides alone, who see more or less of it.
fn followed_grades(desk: &mut Desk<'_>, parts: &Parts<'_>) {
    let Some(root) = &parts.virtual_root else { return };
    for entry in root.named("measures") {
        let Some((form, item)) = entry.name().split_once('.') else { continue };
        let Some(form) = parts.study.form(form) else { continue };
        let coded = form.item(item).is_some_and(|item| matches!(item.kind, ItemType::Code { .. }));
        if coded && form.purpose != Some(Purpose::SpecimenReading) {
            let message = format!("`{}` holds a code, which is not measured", entry.name());
            desk.error("type", &entry.place(), message, Some("draw it in `[answers]`".into()));
        }
    }
}

/// The classes of virtual treatments are codes of the item that holds a treatment's class.
fn treatment_classes(desk: &mut Desk<'_>, parts: &Parts<'_>) {
    let Some(root) = &parts.virtual_root else { return };
    let item = parts.study.form_for(Purpose::ConcomitantTreatments);
    let item = item.and_then(|form| form.item_for(ItemRole::TreatmentClass));
    let Some(ItemType::Code { codelist }) = item.map(|item| &item.kind) else { return };
    let list = parts.study.codelists.iter().find(|list| list.id == *codelist);
    let known: Vec<String> =
        list.into_iter().flat_map(|list| list.codes.iter().map(|(code, _)| code.clone())).collect();
    let treatments = root.named("treatments").map(|entry| (entry, "class"));
    let conduct = root.section("conduct").map(|section| (section, "prohibited_class"));
    for (section, key) in treatments.chain(conduct) {
        if let Some(class) = section.text(key) {
            desk.refer_among(crate::Kind::Code, class, &section.place_of(key), &known);
        }
    }
}

fn wanted(role: ItemRole) -> &'static str {
    match role {
        ItemRole::AeSerious | ItemRole::TreatmentProhibited => "it needs type `boolean`",
        ItemRole::AgeYears | ItemRole::HeightCm => "it needs type `integer` or `decimal`",
        ItemRole::AeStart | ItemRole::AeStop | ItemRole::TreatmentStart | ItemRole::TreatmentStop => {
            "it needs type `date`"
        }
        ItemRole::AeTerm | ItemRole::TreatmentName => "it needs type `text`",
        _ => "it needs type `code`",
    }
}

fn rows(desk: &mut Desk<'_>, _parts: &Parts<'_>, form: &Form, place: Place) {
    let has_rows = matches!(form.purpose, Some(Purpose::AdverseEvents | Purpose::ConcomitantTreatments));
    if has_rows && !form.repeating {
        let message = format!("{} lists what happens through the trial, and has no rows", form.id);
        desk.error("purpose", &place, message, Some("add `repeating = true` and `by_visit = false`".into()));
    }
}

/// Powers without which a trial stands still.
const ESSENTIAL: &[(Power, &str)] = &[
    (Power::TakeConsent, "take consent"),
    (Power::RunVisits, "run visits"),
    (Power::DecideEligibility, "decide eligibility"),
    (Power::Enrol, "enrol"),
    (Power::ReportEvents, "report events"),
    (Power::EndParticipation, "end participation"),
    (Power::Sign, "sign"),
    (Power::ClassifyDeviations, "classify deviations"),
    (Power::SignAnalysisSets, "sign analysis sets"),
    (Power::Lock, "lock"),
];

fn powers(desk: &mut Desk<'_>, parts: &Parts<'_>) {
    let blind: &[(Power, &str)] = &[
        (Power::SealAllocation, "seal allocation"),
        (Power::UnblindStudy, "unblind study"),
        (Power::BreakBlind, "break blind"),
        (Power::Dispense, "dispense"),
    ];
    let watched: &[(Power, &str)] = &[(Power::OverseeSafety, "oversee safety")];
    let needed = ESSENTIAL
        .iter()
        .chain(blind.iter().filter(|_| parts.randomised && parts.study.blinded))
        .chain(watched.iter().filter(|_| !parts.study.watches.is_empty()));
    for (power, word) in needed {
        if !parts.study.roles.is_empty() && !parts.study.roles.iter().any(|role| role.may.contains(power)) {
            let place =
                parts.roles_root.section("roles").map_or(parts.roles_root.place(), |roles| roles.place());
            desk.warn(
                "powers",
                &place,
                format!("no role may \"{word}\""),
                Some("add it to `may` of a role".into()),
            );
        }
    }
}

fn reading(desk: &mut Desk<'_>, parts: &Parts<'_>) {
    let (Some(reading), Some(section)) =
        (&parts.study.blind_reading, parts.study_root.section("blind_reading"))
    else {
        return;
    };
    if let Some(form) = parts.study.form(reading.read_on.as_str())
        && (form.purpose != Some(Purpose::SpecimenReading) || form.by_visit)
    {
        let message = format!("{} is filled for coded slides, and does not say so", form.id);
        let help =
            format!("add `purpose = \"specimen reading\"` and `by_visit = false` to forms/{}.toml", form.id);
        desk.error("purpose", &section.place_of("read_on"), message, Some(help));
    }
    if let Some(pairs) = &reading.pairs
        && let Some(form) = parts.study.form(pairs.read_on.as_str())
        && (form.purpose != Some(Purpose::SpecimenReading)
            || form.by_visit
            || form.instrument.as_deref() != Some(instruments::skin_biopsy_pair::ID))
    {
        let message = format!("{} is filled for coded pairs of slides, and does not say so", form.id);
        let help = format!(
            "add `instrument = \"{}\"`, `purpose = \"specimen reading\"` and `by_visit = false` to forms/{}.toml",
            instruments::skin_biopsy_pair::ID,
            form.id
        );
        let place = section.section("pairs").map_or(section.place(), |pairs| pairs.place_of("read_on"));
        desk.error("purpose", &place, message, Some(help));
    }
    if let Some(third) = &reading.third_reader
        && let Some(form) = parts.study.form(reading.read_on.as_str())
    {
        let place = section.section("third_reader").map_or(section.place(), |third| third.place_of("item"));
        let numbers = form
            .items
            .iter()
            .filter(|item| matches!(item.kind, ItemType::Integer | ItemType::Decimal { .. }));
        let numbers: Vec<String> = numbers.map(|item| item.id.to_string()).collect();
        desk.refer_among(crate::Kind::Item, third.item.as_str(), &place, &numbers);
    }
}

fn allocation(desk: &mut Desk<'_>, parts: &Parts<'_>) {
    let target = parts.study_root.section("target");
    let place = target.map_or(parts.study_root.place(), |target| target.place());
    match (parts.randomised, parts.allocation_root) {
        (true, None) => {
            let help = "add allocation.toml, or plan `target = { enrolled = … }`".to_owned();
            desk.error(
                "allocation",
                &place,
                "participants are to be randomised, and there is no allocation",
                Some(help),
            );
        }
        (false, Some(root)) => {
            let help = "plan `target = { randomised = … }` (study.toml), or remove the file".to_owned();
            desk.error(
                "allocation",
                &Place::new(root.file, 0..0),
                "there is an allocation, and no one is to be randomised",
                Some(help),
            );
        }
        _ => {}
    }
    if !parts.randomised && parts.study.arms.len() > 1 && target.is_some() {
        let help = "plan `target = { randomised = … }` and add allocation.toml, or keep one arm".to_owned();
        desk.error(
            "allocation",
            &parts.study_root.place_of("arms"),
            "there are several arms, and no one is to be randomised",
            Some(help),
        );
    }
    if parts.randomised && parts.study.arms.len() == 1 {
        desk.error(
            "allocation",
            &place,
            "participants are to be randomised to a single arm",
            Some("add an arm, or plan `enrolled`".into()),
        );
    }
    kit_visits(desk, parts);
    kits_run_out(desk, parts);
}

/// A kit lasts from one hand-out to the last day of the next one's window, at the highest dose.
fn kits_run_out(desk: &mut Desk<'_>, parts: &Parts<'_>) {
    let (Some(plan), Some(root)) = (&parts.study.allocation, parts.allocation_root) else { return };
    let Some(kits) = root.section("kits") else { return };
    let Some(highest) = parts.study.dosing.levels_mg.first() else { return };
    let a_day = (highest / parts.study.dosing.tablet_mg.max(terms::Decimal::ONE)).ceil();
    let mut hands_out: Vec<&Visit> =
        parts.study.visits.iter().filter(|visit| plan.kit_visits.contains(&visit.id)).collect();
    hands_out.extend(parts.study.visits.iter().find(|visit| visit.closes_treatment));
    for (from, to) in hands_out.iter().zip(hands_out.iter().skip(1)) {
        let Some(days) = timing::days_to(from, to) else { continue };
        let needed = a_day * terms::Decimal::from(days);
        if needed > terms::Decimal::from(plan.kit_tablets) {
            let message = format!(
                "a kit of {} tablets can run out between {} and {}",
                plan.kit_tablets, from.id, to.id
            );
            let help = format!("{a_day} tablets a day for up to {days} days are {needed}");
            desk.warn("kits", &kits.place_of("tablets"), message, Some(help));
            return;
        }
    }
}

fn kit_visits(desk: &mut Desk<'_>, parts: &Parts<'_>) {
    let Some(kits) = parts.allocation_root.and_then(|root| root.section("kits")) else { return };
    let last = parts.study.visits.iter().position(|visit| visit.closes_treatment);
    for node in kits.get("visits").map_or(&[][..], Node::elements) {
        let Some(index) =
            node.text().and_then(|id| parts.study.visits.iter().position(|visit| visit.id == *id))
        else {
            continue;
        };
        if last.is_some_and(|last| index >= last) {
            let message =
                format!("a kit is handed out at {}, when treatment is over", parts.study.visits[index].id);
            desk.error(
                "allocation",
                &Place::new(kits.file, node.text_span()),
                message,
                Some("name visits before treatment closes".into()),
            );
        }
    }
}

/// Where a rule speaks of a limit of normal, each laboratory must have one.
fn laboratories(desk: &mut Desk<'_>, parts: &Parts<'_>) {
    let checks = parts.forms.checks.iter().chain(&parts.forms.shown).map(|condition| &condition.placed);
    let rules =
        parts.rules.iter().map(|rule| &rule.placed).chain(parts.doses.iter().map(|dose| &dose.placed));
    let inputs: BTreeSet<Input> = checks.chain(rules).flat_map(|placed| placed.expression.inputs()).collect();
    for input in inputs {
        let Input::Limit(reference, upper) = input else { continue };
        for entry in parts.laboratory_root.named("laboratories") {
            let Some(laboratory) = parts.study.laboratories.iter().find(|one| one.id == entry.name()) else {
                continue;
            };
            let mut ranges = laboratory.ranges.iter().filter(|range| range.item == reference.item);
            if ranges.any(|range| if upper { range.upper.is_some() } else { range.lower.is_some() }) {
                continue;
            }
            let limit = if upper { "upper" } else { "lower" };
            let item = format!("{}.{}", reference.form, reference.item);
            let message = format!(
                "laboratory `{}` has no {limit} limit for `{item}`, which a rule reads",
                laboratory.id
            );
            desk.error("laboratory", &entry.place(), message, Some(format!("add a range with `{limit}`")));
        }
    }
}

/// The strata of the virtual cohort are codes of the item that allocation goes by.
fn strata(desk: &mut Desk<'_>, parts: &Parts<'_>) {
    let (Some(plan), Some(root)) = (&parts.study.allocation, parts.virtual_root) else { return };
    let Some(cohort) = root.section("cohort") else { return };
    let facts = desk.items.get(&format!("{}.{}", plan.stratum_form, plan.stratum_item));
    let Some(Type::Code(codes)) = facts.map(|facts| facts.kind.clone()) else { return };
    for stratum in cohort.named("strata") {
        desk.refer_among(
            crate::Kind::Code,
            stratum.name(),
            &stratum.place(),
            &codes.among.clone().unwrap_or_default(),
        );
    }
}
