//! Items that are never shown, checks that never fire, rules that never decide.

use std::collections::{BTreeMap, BTreeSet};

use super::Parts;
use crate::{
    desk::{Desk, Placed},
    expression::{Domain, Expression, Input, Type, When, possible},
    model::Derivation,
};

pub(crate) fn run(desk: &mut Desk<'_>, parts: &Parts<'_>) {
    circles(desk, parts);
    hides_itself(desk, parts);
    for shown in &parts.forms.shown {
        if !can(desk, &shown.placed).0 {
            let message = format!("item `{}` of {} is never shown: this can't hold", shown.of, shown.form);
            desk.error("unreachable", &shown.placed.place, message, Some(why(desk, &shown.placed)));
        }
    }
    for check in &parts.forms.checks {
        if !can(desk, &check.placed).0 {
            let message = format!("check `{}` of {} can never fire", check.of, check.form);
            desk.error("unreachable", &check.placed.place, message, Some(why(desk, &check.placed)));
        }
    }
    for rule in parts.rules {
        let (can_hold, can_fail) = can(desk, &rule.placed);
        if !can_hold || !can_fail {
            let always = if can_hold { "always holds" } else { "never holds" };
            desk.error(
                "unreachable",
                &rule.placed.place,
                format!("rule {} {always}", rule.rule.id),
                Some(why(desk, &rule.placed)),
            );
        }
        if let Some(applies) = &rule.applies_to
            && !can(desk, applies).0
        {
            let message = format!("rule {} applies to no one", rule.rule.id);
            desk.error("unreachable", &applies.place, message, Some(why(desk, applies)));
        }
    }
    for dose in parts.doses {
        if !can(desk, &dose.placed).0 {
            let message = format!("dose rule {} is never triggered", dose.name);
            desk.error("unreachable", &dose.placed.place, message, Some(why(desk, &dose.placed)));
        }
    }
}

/// Returns whether a condition can hold and whether it can fail.
fn can(desk: &Desk<'_>, placed: &Placed) -> (bool, bool) {
    let domain = |input: &Input| match input {
        Input::Item(reference) => {
            let facts = desk.items.get(&format!("{}.{}", reference.form, reference.item));
            facts.map_or(Domain::Anything, Domain::of)
        }
        _ => Domain::Anything,
    };
    let possible = possible(placed.expression.root(), &domain);
    (possible.true_, possible.false_)
}

/// Says what the items of a condition can hold.
fn why(desk: &Desk<'_>, placed: &Placed) -> String {
    let mut said: Vec<String> = Vec::new();
    for input in placed.expression.inputs() {
        let Input::Item(reference) = &input else { continue };
        let name = format!("{}.{}", reference.form, reference.item);
        let Some(facts) = desk.items.get(&name) else { continue };
        let holds = match &facts.kind {
            Type::Number(_) => {
                let bound =
                    |value: Option<terms::Decimal>| value.map_or("…".to_owned(), |value| value.to_string());
                format!("goes from {} to {}", bound(facts.minimum), bound(facts.maximum))
            }
            Type::Code(codes) => {
                let among = codes.among.as_ref().map(|codes| codes.join(", ")).unwrap_or_default();
                format!("is one of {among}")
            }
            other => format!("is {}", other.noun()),
        };
        let line = format!("`{name}` {holds}");
        if !said.contains(&line) {
            said.push(line);
        }
    }
    said.join("\n")
}

/// Items at the visit in hand that a derivation reads.
fn reads_here(expression: &Expression) -> impl Iterator<Item = String> {
    expression.inputs().into_iter().filter_map(|input| match input {
        Input::Item(reference) if reference.when == When::Here => Some(reference.to_string()),
        _ => None,
    })
}

/// Reports items that are derived from themselves, at once or through others.
fn circles(desk: &mut Desk<'_>, parts: &Parts<'_>) {
    let mut derived: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for form in &parts.study.forms {
        for item in &form.items {
            if let Some(Derivation::Expression(expression)) = &item.derived {
                derived.insert(format!("{}.{}", form.id, item.id), reads_here(expression).collect());
            }
        }
    }
    for (form, root) in parts.form_files {
        for entry in root.named("items") {
            let name = format!("{form}.{}", entry.name());
            let mut seen: BTreeSet<&String> = BTreeSet::new();
            let mut open: Vec<&String> = derived.get(&name).into_iter().flatten().collect();
            while let Some(next) = open.pop() {
                if seen.insert(next) {
                    open.extend(derived.get(next).into_iter().flatten());
                }
            }
            if seen.contains(&name) {
                let help = "derive it from entered items, or from an earlier value: `previous(…)`".to_owned();
                desk.error(
                    "circle",
                    &entry.place_of("derived"),
                    format!("`{name}` is derived from itself"),
                    Some(help),
                );
            }
        }
    }
}

/// An item that is shown only once it has a value is never shown.
fn hides_itself(desk: &mut Desk<'_>, parts: &Parts<'_>) {
    for shown in &parts.forms.shown {
        let name = format!("{}.{}", shown.form, shown.of);
        if reads_here(&shown.placed.expression).any(|read| read == name) {
            let help = "let another item decide".to_owned();
            desk.error(
                "circle",
                &shown.placed.place,
                format!("whether `{name}` is shown depends on itself"),
                Some(help),
            );
        }
    }
}
