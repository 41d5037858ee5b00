//! Edit checks: they open queries and close them by themselves.
//!
//! A hard check blocks signing, never saving. A check that looks at what the filler must not see is
//! asked after the visit is signed, of whom the study names. An answer that branching has hidden is kept
//! and queried.

use std::collections::BTreeMap;

use protocol::model::{EditCheck, Form, Purpose, Severity};
use record::{Content, Fact, FormKey};
use terms::*;

use crate::{
    casebook::{Casebook, Query},
    decide::Case,
    derive::mentions,
    view::{Pending, View, is_shown},
};

/// Re-evaluates what the changes that are about to be saved may have changed.
pub(crate) fn run_checks(case: &mut Case<'_>, pending: &Pending) {
    let touched: BTreeMap<&FormId, Touched<'_>> =
        case.study.forms.iter().map(|form| (&form.id, Touched::of(form, pending))).collect();
    let mut keys: Vec<FormKey> = case.casebook.forms.keys().cloned().collect();
    keys.extend(pending.keys().filter(|key| !case.casebook.forms.contains_key(*key)).cloned());
    keys.sort();
    for key in &keys {
        let Some(form) = case.study.form(key.form.as_str()) else { continue };
        let Some(touched) = touched.get(&form.id) else { continue };
        let directly = pending.contains_key(key);
        let late = has_standing_signature(case, key, pending);
        let checks: Vec<&EditCheck> =
            if directly { form.checks.iter().collect() } else { touched.checks.clone() };
        for check in checks.into_iter().filter(|check| !check.after_signing || late) {
            judge(case, form, key, check, pending);
        }
        if directly || touched.branching {
            judge_hidden(case, form, key, pending);
        }
    }
}

/// What of a form the changes of other forms, or of the same form elsewhere, can touch.
struct Touched<'a> {
    checks: Vec<&'a EditCheck>,
    branching: bool,
}

impl<'a> Touched<'a> {
    fn of(form: &'a Form, pending: &Pending) -> Self {
        let reads = |text: &str| {
            pending.keys().any(|key| {
                if key.form == form.id { looks_elsewhere(text) } else { mentions(text, &key.form) }
            })
        };
        let branching = form.items.iter().filter_map(|item| item.shown_if.as_ref());
        Self {
            checks: form.checks.iter().filter(|check| reads(&check.when.text)).collect(),
            branching: branching.into_iter().any(|when| reads(&when.text)),
        }
    }
}

/// A visit is signed and stays so: nothing of it is about to change. Checks that wait for the signature
/// wait for the next one otherwise.
fn has_standing_signature(case: &Case<'_>, key: &FormKey, pending: &Pending) -> bool {
    let changes = |visit: &VisitId| pending.keys().any(|changed| changed.visit.as_ref() == Some(visit));
    key.visit.as_ref().is_some_and(|visit| case.casebook.signatures.contains_key(visit) && !changes(visit))
}

/// Evaluates the checks of a visit that wait for its signature.
pub(crate) fn run_checks_after_signing(case: &mut Case<'_>, visit: &VisitId) {
    let keys: Vec<FormKey> =
        case.casebook.forms.keys().filter(|key| key.visit.as_ref() == Some(visit)).cloned().collect();
    let pending = Pending::new();
    for key in &keys {
        let Some(form) = case.study.form(key.form.as_str()) else { continue };
        for check in form.checks.iter().filter(|check| check.after_signing) {
            judge(case, form, key, check, &pending);
        }
    }
}

/// Says whether an expression looks at another visit of its own form.
fn looks_elsewhere(text: &str) -> bool {
    ["previous", "baseline", "latest", "at(", "change"].iter().any(|word| text.contains(word))
}

fn judge(case: &mut Case<'_>, form: &Form, key: &FormKey, check: &EditCheck, pending: &Pending) {
    let today = case.command.happened.latest().min(case.command.at.local_date);
    let view = View::at_form(case.study, case.casebook, key, today).with(pending);
    let verdict = check.when.truth(&view);
    let language = case.study.languages.first().map_or("en", String::as_str);
    let asked = Asked {
        check: &check.id,
        item: &check.item,
        addressed_to: &check.asks,
        text: check.text.get(language).to_owned(),
    };
    settle(case, form, key, verdict, asked, pending);
}

/// An answer to an item that is no longer asked.
fn judge_hidden(case: &mut Case<'_>, form: &Form, key: &FormKey, pending: &Pending) {
    let today = case.command.happened.latest().min(case.command.at.local_date);
    let Some(asks) = form.filled_by.first() else { return };
    for item in form.items.iter().filter(|item| item.shown_if.is_some()) {
        let view = View::at_form(case.study, case.casebook, key, today).with(pending);
        let given = view.answer(key, item.id.as_str()).is_some_and(|answer| answer.value().is_some());
        let check = CheckId::from(format!("hidden_{}", item.id));
        let text = "This item is no longer asked after the other answers, and holds one. Confirm or correct.";
        let asked = Asked { check: &check, item: &item.id, addressed_to: asks, text: text.to_owned() };
        settle(case, form, key, Truth::from(given && !is_shown(&view, item)), asked, pending);
    }
}

struct Asked<'a> {
    check: &'a CheckId,
    item: &'a ItemId,
    addressed_to: &'a RoleId,
    text: String,
}

/// Opens the query of a check that fires, closes that of one that no longer does. An open verdict changes nothing.
fn settle(
    case: &mut Case<'_>,
    form: &Form,
    key: &FormKey,
    verdict: Truth,
    asked: Asked<'_>,
    pending: &Pending,
) {
    debug_assert!(form.purpose != Some(Purpose::SpecimenReading), "readings have no queries");
    let open = case.casebook.open_query(key, asked.check);
    match (verdict, open) {
        (Truth::True, None) if !is_settled(case.casebook, key, &asked, pending) => {
            let query = case.next_query();
            case.follow(Fact::QueryOpened {
                query,
                key: key.clone(),
                item: asked.item.clone(),
                check: Some(asked.check.clone()),
                addressed_to: asked.addressed_to.clone(),
                text: Content::new(asked.text),
            });
        }
        (Truth::False, Some(open)) => {
            let query = open.id.clone();
            case.follow(Fact::QueryClosed { query, by_check: true });
        }
        _ => {}
    }
}

/// A person has closed this query, and the item has not changed since.
fn is_settled(casebook: &Casebook, key: &FormKey, asked: &Asked<'_>, pending: &Pending) -> bool {
    let changes_now = pending.get(key).is_some_and(|items| items.contains_key(asked.item));
    let of_check = |query: &&Query| query.key == *key && query.check.as_ref() == Some(asked.check);
    let last = casebook.queries.iter().rev().find(of_check);
    let set = casebook.cell(key, asked.item.as_str()).map_or(0, |cell| cell.current().sequence);
    last.is_some_and(|query| {
        !changes_now && !query.closed_by_check && query.closed.is_some_and(|closed| closed > set)
    })
}

/// Returns the open queries of hard checks, at a visit or (none) anywhere in the casebook.
pub(crate) fn open_hard_queries(case: &Case<'_>, visit: Option<&VisitId>) -> Vec<QueryId> {
    case.casebook
        .queries
        .iter()
        .filter(|query| query.closed.is_none() && is_hard(case, query))
        .filter(|query| visit.is_none_or(|visit| query.key.visit.as_ref() == Some(visit)))
        .map(|query| query.id.clone())
        .collect()
}

/// Says whether a query was opened by a hard check.
pub(crate) fn is_hard(case: &Case<'_>, query: &Query) -> bool {
    let form = case.study.form(query.key.form.as_str());
    let check =
        form.and_then(|form| form.checks.iter().find(|check| Some(&check.id) == query.check.as_ref()));
    check.is_some_and(|check| check.severity == Severity::Hard)
}
