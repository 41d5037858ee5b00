//! The blinding analysis: what a blinded role could learn.
//!
//! A role learns what it sees, and what a message to it depends on: a question that an edit
//! check asks, or an item that appears. A message may rest on what the role sees; where it
//! sees only its own entries of the visit in hand, not on earlier ones.

use std::collections::{BTreeMap, BTreeSet};

use terms::{FormId, ItemId, RoleId};

use super::Parts;
use crate::{
    desk::Desk,
    expression::{Expression, Input, ItemRef, When},
    model::{DataClass, Derivation, Power, Purpose, Role, Sight, Study},
    source::Place,
    tree::Node,
};

/// Data classes that tell the arm outright. They have these names in every study.
const TELLING: &[&str] = &["allocation", "results_by_arm"];

pub(crate) fn run(desk: &mut Desk<'_>, parts: &Parts<'_>) {
    telling_classes(desk, parts);
    key_holders(desk, parts);
    hidden_from_fillers(desk, parts);
    messages(desk, parts);
}

fn telling_classes(desk: &mut Desk<'_>, parts: &Parts<'_>) {
    if !parts.study.blinded {
        return;
    }
    for role in parts.roles_root.named("roles") {
        let Some(found) = parts.study.role(role.name()).filter(|role| role.blinded) else { continue };
        for entry in role.named("sees").filter(|entry| TELLING.contains(&entry.name())) {
            if entry.node.text() != Some("none") {
                let message =
                    format!("{} is blinded and would see `{}`", called(parts.study, found), entry.name());
                desk.error(
                    "blinding",
                    &entry.place(),
                    message,
                    Some("leave it out, or write `blinded = false`".into()),
                );
            }
        }
        for (key, what) in [("enters", "enter"), ("may", "")] {
            for node in role.get(key).map_or(&[][..], Node::elements) {
                let word = node.text().unwrap_or_default();
                let tells = if key == "enters" {
                    TELLING.contains(&word)
                } else {
                    ["unblind study", "seal allocation"].contains(&word)
                };
                if tells {
                    let message = format!(
                        "{} is blinded and would {what}{}`{word}`",
                        called(parts.study, found),
                        if what.is_empty() { "" } else { " " }
                    );
                    let place = Place::new(role.file, node.text_span());
                    desk.error("blinding", &place, message, Some("give it to an unblinded role".into()));
                }
            }
        }
    }
}

fn key_holders(desk: &mut Desk<'_>, parts: &Parts<'_>) {
    let Some(secret) = parts.allocation_root.and_then(|root| root.section("secret")) else { return };
    for node in secret.get("opened_by").map_or(&[][..], Node::elements) {
        let Some(role) = node.text().and_then(|name| parts.study.role(name)) else { continue };
        if role.blinded {
            let message =
                format!("{} is blinded and would hold a key to the allocation", called(parts.study, role));
            let place = Place::new(secret.file, node.text_span());
            desk.error("blinding", &place, message, Some("name an unblinded role".into()));
        }
    }
}

fn called(study: &Study, role: &Role) -> String {
    let label = role
        .label
        .0
        .get("en")
        .map_or_else(|| role.label.get(study.languages.first().map_or("en", String::as_str)), String::as_str);
    let mut chars = label.chars();
    let lower: String = chars
        .next()
        .map(|first| first.to_lowercase().collect::<String>() + chars.as_str())
        .unwrap_or_default();
    if lower.is_empty() { role.id.to_string() } else { format!("the {lower}") }
}

fn sight(role: &Role, class: &str) -> Sight {
    role.sees.iter().find(|(id, _)| *id == *class).map_or(Sight::None, |(_, sight)| *sight)
}

/// What a form hides from its filler, no filler who must be blinded may see.
fn hidden_from_fillers(desk: &mut Desk<'_>, parts: &Parts<'_>) {
    for (name, root) in parts.form_files {
        let Some(form) = parts.study.form(name) else { continue };
        for node in root.get("hidden_from_filler").map_or(&[][..], Node::elements) {
            let Some(class) = node.text() else { continue };
            for role in form
                .filled_by
                .iter()
                .filter_map(|role| parts.study.role(role.as_str()))
                .filter(|role| role.blinded)
            {
                if sight(role, class) != Sight::None {
                    let message = format!(
                        "{} fills {name} and sees `{class}`, which is hidden from its filler",
                        called(parts.study, role)
                    );
                    let help = format!(
                        "take `{class}` out of `sees` of {} (roles.toml), or let another role fill the form",
                        role.id
                    );
                    desk.error("blinding", &Place::new(root.file, node.text_span()), message, Some(help));
                }
            }
        }
        if form.purpose == Some(Purpose::BlindedAssessment) && !form.filled_by.is_empty() {
            let blinded = form
                .filled_by
                .iter()
                .any(|role| parts.study.role(role.as_str()).is_some_and(|role| role.blinded));
            if !blinded && form.hidden_from_filler.is_empty() && parts.study.blinded {
                let message = format!("{name} is a blinded assessment, and no blinded role fills it");
                desk.error(
                    "blinding",
                    &root.place_of("filled_by"),
                    message,
                    Some("name a role with `blinded = true`".into()),
                );
            }
        }
    }
}

/// What every derived item rests on.
type Derivations = BTreeMap<(FormId, ItemId), Vec<ItemRef>>;

fn derivations(study: &Study) -> Derivations {
    let mut found = Derivations::new();
    for form in &study.forms {
        for item in &form.items {
            if let Some(Derivation::Expression(expression)) = &item.derived {
                found.insert((form.id.clone(), item.id.clone()), references(expression));
            }
        }
    }
    found
}

fn references(expression: &Expression) -> Vec<ItemRef> {
    let inputs = expression.inputs();
    inputs
        .into_iter()
        .filter_map(|input| match input {
            Input::Item(reference) | Input::Limit(reference, _) => Some(reference),
            _ => None,
        })
        .collect()
}

/// Returns all that an expression rests on, derived items followed back.
fn rests_on(expression: &Expression, derivations: &Derivations) -> BTreeSet<ItemRef> {
    let mut found = BTreeSet::new();
    let mut open = references(expression);
    while let Some(reference) = open.pop() {
        let deeper = derivations.get(&(reference.form.clone(), reference.item.clone()));
        for inner in deeper.into_iter().flatten() {
            let when = if reference.when == When::Here { inner.when.clone() } else { reference.when.clone() };
            let inner = ItemRef { when, ..inner.clone() };
            if !found.contains(&inner) {
                open.push(inner);
            }
        }
        found.insert(reference);
    }
    found
}

/// Whether a role would learn something from a message that rests on this.
fn leaks(parts: &Parts<'_>, role: &Role, reference: &ItemRef) -> bool {
    let Some(form) = parts.study.form(reference.form.as_str()) else { return false };
    let class = parts.study.data_classes.iter().find(|class| class.id == form.data_class);
    match sight(role, form.data_class.as_str()) {
        Sight::OwnVisit => reference.when != When::Here,
        Sight::None | Sight::Masked | Sight::Pooled => {
            class.is_some_and(|class: &DataClass| class.blind_risk)
                || hidden(parts, role, form.data_class.as_str())
        }
        Sight::Site | Sight::All => false,
    }
}

/// Whether some form that the role fills hides a class from its filler.
fn hidden(parts: &Parts<'_>, role: &Role, class: &str) -> bool {
    parts.study.forms.iter().any(|form| {
        form.filled_by.contains(&role.id) && form.hidden_from_filler.iter().any(|id| *id == *class)
    })
}

fn messages(desk: &mut Desk<'_>, parts: &Parts<'_>) {
    let derivations = derivations(parts.study);
    for form in &parts.study.forms {
        for check in &form.checks {
            let Some(place) = parts.forms.places.get(&format!("{}#{}", form.id, check.id)) else { continue };
            // Who sees nothing of it at all has been told apart already.
            let role = parts.study.role(check.asks.as_str()).filter(|role| role.blinded);
            let Some(role) = role.filter(|_| !desk.reported("not-allowed", place)) else { continue };
            let leak = rests_on(&check.when, &derivations)
                .into_iter()
                .find(|reference| leaks(parts, role, reference));
            if let Some(reference) = leak {
                let message = format!("{} would learn {}", called(parts.study, role), learned(&reference));
                let other = someone_else(parts, &check.when, &derivations, &role.id);
                let ask = other
                    .map(|other| format!("\nask {}: `of = \"{}\"`", called(parts.study, other), other.id))
                    .unwrap_or_default();
                let help = format!("path: {} → {} → message to {}{ask}", at(&reference), check.id, role.id);
                desk.error("blinding", place, message, Some(help));
            }
        }
    }
    for shown in &parts.forms.shown {
        let Some(form) = parts.study.form(&shown.form) else { continue };
        for role in form
            .filled_by
            .iter()
            .filter_map(|role| parts.study.role(role.as_str()))
            .filter(|role| role.blinded)
        {
            let leak = rests_on(&shown.placed.expression, &derivations)
                .into_iter()
                .find(|reference| leaks(parts, role, reference));
            if let Some(reference) = leak {
                let message = format!("{} would learn {}", called(parts.study, role), learned(&reference));
                let help = format!(
                    "path: {} → `{}` appears → {}\nshow the item always, or let another role fill the form",
                    at(&reference),
                    shown.of,
                    role.id
                );
                desk.error("blinding", &shown.placed.place, message, Some(help));
            }
        }
    }
}

/// Says what an item would tell.
fn learned(reference: &ItemRef) -> String {
    let name = format!("`{}.{}`", reference.form, reference.item);
    match &reference.when {
        When::Here => format!("something of {name}, which it may not see"),
        When::Previous => format!("that {name} has changed since the last visit"),
        When::Baseline => format!("that {name} has changed since the first dose"),
        When::At(visit) => format!("something of {name} at {visit}"),
        When::Latest => format!("something of earlier values of {name}"),
    }
}

fn at(reference: &ItemRef) -> String {
    let name = format!("{}.{}", reference.form, reference.item);
    match &reference.when {
        When::Here => name,
        When::Previous => format!("{name} at an earlier visit"),
        When::Baseline => format!("{name} before the first dose"),
        When::At(visit) => format!("{name} at {visit}"),
        When::Latest => format!("the latest {name}"),
    }
}

/// Returns a role that manages queries and may see all that the message rests on.
fn someone_else<'p>(
    parts: &Parts<'p>,
    when: &Expression,
    derivations: &Derivations,
    role: &RoleId,
) -> Option<&'p Role> {
    let rests = rests_on(when, derivations);
    let sees_all = |other: &&Role| {
        rests.iter().all(|reference| {
            let class = parts.study.form(reference.form.as_str()).map(|form| form.data_class.clone());
            class.is_some_and(|class| matches!(sight(other, class.as_str()), Sight::Site | Sight::All))
        })
    };
    let may = |other: &&Role| other.id != *role && other.may.contains(&Power::ManageQueries);
    let holder =
        |name: &str| parts.study.roles.iter().find(|other| other.id == *name).filter(may).filter(sees_all);
    holder("data_manager").or_else(|| parts.study.roles.iter().filter(may).find(sees_all))
}
