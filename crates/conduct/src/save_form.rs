//! Saving, correcting and skipping forms, with everything that follows by rule: derived values, queries,
//! void signatures, deviations.

use std::collections::BTreeMap;

use instruments::ctcae5_terms;
use protocol::{
    content_pack,
    model::{Dictionary, Form, Item, ItemRole, ItemType, Purpose, Study},
};
use record::{Content, DeviationKind, Draft, Environment, Fact, FormKey, ItemChange, Source};
use terms::*;

use crate::{
    Refusal,
    adverse_events::{as_truth, need_sound_row},
    checks::run_checks,
    close_data::need_open_form,
    decide::{Case, found, need},
    decide_eligibility::eligibility,
    derive::derive,
    hold_visit::known_visit,
    schedule::is_scheduled,
    sign_consent::need_after_consent,
    view::{Pending, View, is_shown},
};

/// How values come into a form.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Entering {
    First,
    Correction,
    NotDone,
}

pub(crate) fn save_form_section(
    case: Case<'_>,
    key: &FormKey,
    answers: &[(ItemId, Answer)],
) -> Result<Vec<Draft>, Refusal> {
    let form = need_fillable(&case, key)?;
    enter(case, form, key, answers, Entering::First)
}

pub(crate) fn correct_form_section(
    case: Case<'_>,
    key: &FormKey,
    answers: &[(ItemId, Answer)],
) -> Result<Vec<Draft>, Refusal> {
    let form = need_fillable(&case, key)?;
    case.need_reason("a correction")?;
    enter(case, form, key, answers, Entering::Correction)
}

pub(crate) fn record_form_not_done(mut case: Case<'_>, key: &FormKey) -> Result<Vec<Draft>, Refusal> {
    let form = need_fillable(&case, key)?;
    let visit = key.visit.clone();
    need(visit.is_some(), || Refusal::WrongFormPlace { form: form.id.clone(), by_visit: true })?;
    let view = View::at_form(case.study, case.casebook, key, case.command.at.local_date);
    let empty =
        |item: &&Item| item.derived.is_none() && !view.holds(key, item.id.as_str()) && is_shown(&view, item);
    let answers: Vec<_> = form
        .items
        .iter()
        .filter(empty)
        .map(|item| (item.id.clone(), Answer::Missing(MissingReason::NotDone)))
        .collect();
    need(!answers.is_empty(), || Refusal::FormComplete { form: form.id.clone() })?;
    let text = format!("form {} was not done", form.title.en());
    case.deviate(DeviationKind::MissedActivity, visit.as_ref(), None, text);
    enter(case, form, key, &answers, Entering::NotDone)
}

/// The form may be filled there by this role: at a held visit whose schedule asks for it, after consent.
pub(crate) fn need_fillable<'a>(case: &Case<'a>, key: &FormKey) -> Result<&'a Form, Refusal> {
    let form = need_form(case, key)?;
    let role = &case.command.by.role;
    let enters = case.study.role(role.as_str()).is_some_and(|role| role.enters.contains(&form.data_class));
    need(enters && form.filled_by.contains(role), || Refusal::NotAFiller {
        form: form.id.clone(),
        role: role.clone(),
        filled_by: form.filled_by.clone(),
    })?;
    if let Some(visit) = &key.visit {
        let planned = known_visit(case.study, visit)?;
        case.need_held(visit)?;
        need(is_scheduled(case.study, planned, &form.id), || Refusal::FormNotScheduled {
            form: form.id.clone(),
            visit: visit.clone(),
        })?;
    }
    need_open_form(case, key)?;
    need_after_consent(case, case.command.happened.latest())?;
    case.need_consent_kept(case.command.happened.earliest())?;
    if let Some(withdrawal) = case.casebook.withdrawn {
        need(withdrawal.keep_data, || Refusal::DataNotKept {
            subject: case.subject(),
            date: withdrawal.withdrawn.date,
        })?;
    }
    Ok(form)
}

/// The key names a form of the study, at a visit or not as the form is, and an existing or the next row.
pub(crate) fn need_form<'a>(case: &Case<'a>, key: &FormKey) -> Result<&'a Form, Refusal> {
    let unknown = || Refusal::UnknownForm { form: key.form.clone() };
    let form = found(case.study.form(key.form.as_str()), unknown)?;
    let read_blind = form.purpose == Some(Purpose::SpecimenReading);
    need(!read_blind, || Refusal::ReadBlind { form: form.id.clone() })?;
    let (by_visit, repeating) = (form.by_visit, form.repeating);
    need(key.visit.is_some() == by_visit, || Refusal::WrongFormPlace { form: form.id.clone(), by_visit })?;
    need((key.row > 0) == repeating, || Refusal::WrongFormRow { form: form.id.clone(), repeating })?;
    if repeating {
        let rows =
            case.casebook.forms.keys().filter(|known| known.form == key.form && known.visit == key.visit);
        let next = rows.map(|known| known.row).max().unwrap_or(0) + 1;
        need(key.row <= next, || Refusal::RowSkipped { form: form.id.clone(), next })?;
    }
    Ok(form)
}

fn enter(
    mut case: Case<'_>,
    form: &Form,
    key: &FormKey,
    answers: &[(ItemId, Answer)],
    entering: Entering,
) -> Result<Vec<Draft>, Refusal> {
    need(!answers.is_empty(), || Refusal::NothingToSave)?;
    if entering == Entering::First {
        need_wording(&case, form)?;
    }
    let mut pending = Pending::new();
    let section = pending.entry(key.clone()).or_default();
    for (item, answer) in answers {
        let twice = section.insert(item.clone(), answer.clone()).is_some();
        need(!twice, || Refusal::ItemTwice { item: item.clone() })?;
    }
    let today = case.command.at.local_date;
    let view = View::at_form(case.study, case.casebook, key, today).with(&pending);
    for (item, answer) in answers {
        need_sound_answer(case.study, form, item, answer, entering == Entering::NotDone)?;
        need_due(&case, key, item, answer, entering)?;
        let asked = form.item(item.as_str()).is_none_or(|item| is_shown(&view, item));
        need(asked || answer.value().is_none(), || Refusal::ItemNotAsked { item: item.clone() })?;
    }
    if form.purpose == Some(Purpose::AdverseEvents) {
        need_sound_row(&case, form, key, &view)?;
    }
    deviations_of_entry(&mut case, form, key, &pending);
    say_changes(&mut case, key, &mut pending, entering)?;
    void_signatures(&mut case, &pending);
    run_checks(&mut case, &pending);
    if entering == Entering::Correction {
        judge_eligibility_again(&mut case, &pending);
    }
    Ok(case.drafts)
}

/// A form whose wording is licensed takes no answers of real people before its content pack is loaded.
fn need_wording(case: &Case<'_>, form: &Form) -> Result<(), Refusal> {
    let live = case.state.opened.as_ref().is_some_and(|opened| opened.environment == Environment::Live);
    let Some(needed) = content_pack::needed_by(case.study, form.id.as_str()).filter(|_| live) else {
        return Ok(());
    };
    let key = (needed.instrument.clone(), needed.language.clone());
    need(case.state.content_packs.contains_key(&key), || Refusal::ContentPackMissing {
        form: needed.form,
        instrument: needed.instrument,
        language: needed.language,
    })
}

/// First entries fill what is empty; corrections change what is not.
fn need_due(
    case: &Case<'_>,
    key: &FormKey,
    item: &ItemId,
    answer: &Answer,
    entering: Entering,
) -> Result<(), Refusal> {
    let cell = case.casebook.cell(key, item.as_str());
    if entering == Entering::Correction {
        let cell = found(cell, || Refusal::NothingToCorrect { item: item.clone() })?;
        need(cell.answer() != Some(answer), || Refusal::Unchanged { item: item.clone() })
    } else {
        need(cell.is_none(), || Refusal::AlreadyEntered { item: item.clone() })
    }
}

/// An answer is one that the item can hold.
pub(crate) fn need_sound_answer(
    study: &Study,
    form: &Form,
    item: &ItemId,
    answer: &Answer,
    any_reason: bool,
) -> Result<(), Refusal> {
    let unknown = || Refusal::UnknownItem { form: form.id.clone(), item: item.clone() };
    let known = found(form.item(item.as_str()), unknown)?;
    need(known.derived.is_none(), || Refusal::ItemDerived { item: item.clone() })?;
    match answer {
        Answer::Missing(reason) => {
            let allowed = known.missing_allowed.is_empty() || known.missing_allowed.contains(reason);
            need(any_reason || allowed, || Refusal::MissingReasonNotAllowed {
                item: item.clone(),
                reason: *reason,
            })
        }
        Answer::Given(value) => {
            let expected = misfit(study, value, &known.kind);
            need(expected.is_none(), || Refusal::WrongType {
                item: item.clone(),
                expected: expected.unwrap_or_default(),
            })
        }
    }
}

/// Returns what an item holds instead, in words, if a value does not fit it.
fn misfit(study: &Study, value: &Value, kind: &ItemType) -> Option<String> {
    let listed = |list: &CodelistId, code: &String| {
        let list = study.codelists.iter().find(|known| known.id == *list);
        list.is_some_and(|list| list.codes.iter().any(|(known, _)| known == code))
    };
    let fits = match (kind, value) {
        (ItemType::Integer, Value::Integer(_))
        | (ItemType::Boolean, Value::Boolean(_))
        | (ItemType::Text, Value::Text(_))
        | (ItemType::Decimal { .. }, Value::Integer(_)) => true,
        (ItemType::Code { codelist }, Value::Code(code)) => listed(codelist, code),
        (ItemType::Term { dictionary: Dictionary::Ctcae5 }, Value::Text(name)) => {
            ctcae5_terms::by_name(name).is_some()
        }
        (ItemType::Decimal { decimals }, Value::Decimal(number)) => number.normalize().scale() <= *decimals,
        (ItemType::Date { partial }, Value::Date(date)) => *partial || date.complete().is_some(),
        _ => false,
    };
    if fits {
        return None;
    }
    Some(match kind {
        ItemType::Integer => "a whole number".to_owned(),
        ItemType::Decimal { decimals } => format!("a number with at most {decimals} decimals"),
        ItemType::Boolean => "yes or no".to_owned(),
        ItemType::Code { codelist } => format!("a code of the list {codelist}"),
        ItemType::Date { partial: true } => "a date, perhaps partly known".to_owned(),
        ItemType::Date { partial: false } => "a whole date".to_owned(),
        ItemType::Text => "text".to_owned(),
        ItemType::Term { dictionary: Dictionary::Ctcae5 } => near_terms(value),
    })
}

/// Says that a term of CTCAE is wanted, and which come near what was written.
fn near_terms(value: &Value) -> String {
    const NEAR_MAX: usize = 3;
    let near = match value {
        Value::Text(name) => ctcae5_terms::near(name, NEAR_MAX),
        _ => Vec::new(),
    };
    let names: Vec<&str> = near.into_iter().map(|term| term.name).collect();
    match names.as_slice() {
        [] => "a term of CTCAE v5.0".to_owned(),
        names => format!("a term of CTCAE v5.0, such as {}", names.join(" or ")),
    }
}

/// Says the changes, derived ones included: those of the form itself in one event.
fn say_changes(
    case: &mut Case<'_>,
    key: &FormKey,
    pending: &mut Pending,
    entering: Entering,
) -> Result<(), Refusal> {
    let casebook = case.casebook;
    let change = |key: &FormKey, item: &ItemId, answer: &Answer, source| {
        let old = casebook.cell(key, item.as_str()).and_then(|cell| cell.answer().cloned());
        ItemChange {
            item: item.clone(),
            old: old.map(Content::new),
            new: Content::new(answer.clone()),
            source,
        }
    };
    let entered = pending.get(key).into_iter().flatten();
    let mut changes: BTreeMap<FormKey, Vec<ItemChange>> = BTreeMap::new();
    changes.insert(
        key.clone(),
        entered.map(|(item, answer)| change(key, item, answer, Source::Entered)).collect(),
    );
    let view = View::at_form(case.study, casebook, key, case.command.at.local_date);
    for derived in derive(&view, key, pending) {
        let change = change(&derived.key, &derived.item, &derived.answer, Source::Derived);
        changes.entry(derived.key).or_default().push(change);
    }
    let own = changes.remove(key).unwrap_or_default();
    let saved = |key: FormKey, changes| Fact::FormSectionSaved { key, changes };
    case.say(match entering {
        Entering::Correction => Fact::FormSectionCorrected { key: key.clone(), changes: own },
        _ => saved(key.clone(), own),
    });
    for (other, changes) in changes {
        need_open_form(case, &other)?;
        case.follow(saved(other, changes));
    }
    Ok(())
}

/// A signature is void once what it signed has changed.
pub(crate) fn void_signatures(case: &mut Case<'_>, pending: &Pending) {
    let mut visits: Vec<_> = pending.keys().filter_map(|key| key.visit.clone()).collect();
    visits.dedup();
    for visit in visits {
        if case.casebook.signatures.contains_key(&visit) {
            case.follow(Fact::SignatureVoided { visit: Some(visit) });
        }
    }
    if case.casebook.casebook_signature.is_some() {
        case.follow(Fact::SignatureVoided { visit: None });
    }
}

/// Another assessor, a prohibited treatment: deviations that an entry itself shows.
fn deviations_of_entry(case: &mut Case<'_>, form: &Form, key: &FormKey, pending: &Pending) {
    let first = !case.casebook.forms.contains_key(key);
    match form.purpose {
        Some(Purpose::BlindedAssessment) if first => {
            if let Some(before) = assessor_before(case, key)
                && before != case.command.by.person
            {
                let text = format!("form {} was scored by another assessor than before", form.title.en());
                case.deviate(DeviationKind::AssessorChanged, key.visit.as_ref(), None, text);
            }
        }
        Some(Purpose::ConcomitantTreatments) if takes_prohibited(case, form, key, pending) => {
            let text = format!("a prohibited treatment was taken, row {} of {}", key.row, form.title.en());
            case.deviate(DeviationKind::ProhibitedTreatment, None, None, text);
        }
        _ => {}
    }
}

fn assessor_before(case: &Case<'_>, key: &FormKey) -> Option<PersonId> {
    let date = case.casebook.visit_date(key.visit.as_ref()?)?;
    let earlier = case.casebook.visits_by_date().into_iter().rev().filter(|(_, other)| *other < date);
    earlier
        .filter_map(|(visit, _)| {
            case.casebook.forms.get(&FormKey { visit: Some(visit.clone()), ..key.clone() })
        })
        .map(|filled| filled.first_by.person.clone())
        .next()
}

/// The row says so now and did not before, and the treatment reaches into the trial.
fn takes_prohibited(case: &Case<'_>, form: &Form, key: &FormKey, pending: &Pending) -> bool {
    let (Some(entered), Some(item)) = (case.casebook.enrolled, form.item_for(ItemRole::TreatmentProhibited))
    else {
        return false;
    };
    let yes = |answer: &Answer| answer.value().and_then(as_truth) == Some(true);
    let before = case.casebook.cell(key, item.id.as_str()).and_then(|cell| cell.answer()).is_some_and(yes);
    let view = View::at_form(case.study, case.casebook, key, case.command.at.local_date).with(pending);
    let now = view.answer(key, item.id.as_str()).as_ref().is_some_and(yes);
    let stop = form.item_for(ItemRole::TreatmentStop).and_then(|item| view.answer(key, item.id.as_str()));
    let over = match stop.as_ref().and_then(Answer::value) {
        Some(Value::Date(stop)) => stop.latest() < entered.date,
        _ => false,
    };
    now && !before && !over
}

/// A correction that leaves a participant of the trial without a rule is a deviation.
fn judge_eligibility_again(case: &mut Case<'_>, pending: &Pending) {
    if case.casebook.enrolled.is_none() {
        return;
    }
    let casebook = case.casebook;
    for (visit, decision) in &casebook.eligibility {
        let view = View::at_visit(case.study, casebook, visit).with(pending);
        for rule in eligibility(&view, visit).unmet {
            let known = decision.unmet.contains(&rule)
                || casebook.deviations.iter().any(|deviation| {
                    deviation.what == DeviationKind::Eligibility && deviation.rule.as_ref() == Some(&rule)
                });
            if !known {
                let text = format!(
                    "after a correction rule {rule} was not met at visit {}",
                    case.study.visit_name(visit, "en")
                );
                case.deviate(DeviationKind::Eligibility, Some(visit), Some(&rule), text);
            }
        }
    }
}
