//! Coded slides: a reader sees codes and nothing else, in the order drawn; the custodian lays out, locks and joins.

use askama::Template;
use conduct::Action;
use instruments::skin_biopsy_pair;
use protocol::model::{Form, Item, ItemType, Power};
use terms::{Answer, ItemId, SpecimenCode, Value};

use crate::{
    context::{Context, Failure, Outcome},
    http::{Reply, segment},
    page::Page,
};

struct Asked {
    id: String,
    label: String,
    unit: String,
    range: String,
    choices: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "slides.html")]
struct SlidesPage {
    page: Page,
    path: String,
    reads: bool,
    keeps: bool,
    drawn: usize,
    taken: usize,
    locked: bool,
    joined: bool,
    next: Option<String>,
    read: Vec<(String, Vec<(String, String)>)>,
    left: usize,
    /// Whether what is read next are two slides side by side.
    pair: bool,
    items: Vec<Asked>,
    waiting: usize,
}

/// Returns the number of the reader that a person is: the one in whose name they read, else the next free one.
fn reader(state: &conduct::State, person: &terms::PersonId, readers: u32) -> Option<u32> {
    let readings = &state.reading.readings;
    let own = readings.iter().find(|(_, taken)| taken.by.person == *person).map(|((_, reader), _)| *reader);
    own.or_else(|| (1..=readers).find(|number| !readings.keys().any(|(_, reader)| reader == number)))
}

/// Slides to read, or to lay out.
pub fn show(context: &Context<'_>) -> Outcome {
    let (running, seat) = context.seated()?;
    let study = running.study();
    let plan = study.blind_reading.as_ref().ok_or(Failure::NotFound)?;
    let page = Page::new(context, "Coded slides");
    let state = running.state();
    let number = reader(&state, &seat.person, plan.people());
    let reads = seat.may(Power::ReadSpecimens);
    // Whoever decides reads what lies in dispute, and nothing else.
    let due = number.map_or_else(Vec::new, |number| conduct::left_to_read(study, &state, number));
    let next = due.first().filter(|_| reads);
    let pair = next.is_some_and(|code| state.reading.pairs.contains(code));
    let form = next.and_then(|code| conduct::reading_form(study, &state, code));
    let label = |form: &Form, item: &ItemId| {
        form.item(item.as_str())
            .map_or_else(|| item.to_string(), |item| item.label.get(&page.language).to_owned())
    };
    let read = state
        .reading
        .order
        .iter()
        .chain(&state.reading.pairs)
        .filter_map(|code| {
            let taken = state.reading.readings.get(&(code.clone(), number?))?;
            let form = conduct::reading_form(study, &state, code)?;
            let answers = taken.answers.iter();
            let answers = answers.map(|(item, answer)| (label(form, item), answer.to_string())).collect();
            Some((code.to_string(), answers))
        })
        .collect::<Vec<_>>();
    let specimens = state.specimens_taken();
    let slides = SlidesPage {
        path: format!("/studies/{}/slides", segment(study.id.as_str())),
        reads,
        keeps: seat.may(Power::KeepSpecimenKey),
        drawn: state.reading.order.len(),
        taken: specimens,
        locked: state.reading.locked.is_some(),
        joined: state.reading.key.is_some(),
        next: next.map(SpecimenCode::to_string),
        left: due.len(),
        read: if reads { read } else { Vec::new() },
        pair,
        items: form
            .iter()
            .flat_map(|form| &form.items)
            .filter(|item| item.derived.is_none() && item.id != *skin_biopsy_pair::LATER_SIDE)
            .map(|item| asked(study, item, &page.language))
            .collect(),
        waiting: ((state.reading.order.len() + state.reading.pairs.len()) * plan.readers as usize)
            .saturating_sub(state.reading.readings.len()),
        page,
    };
    drop(state);
    Ok(Reply::page(slides.render()?))
}

fn asked(study: &protocol::Study, item: &Item, language: &str) -> Asked {
    let choices = match &item.kind {
        ItemType::Code { codelist } => study
            .codelists
            .iter()
            .filter(|list| list.id == *codelist)
            .flat_map(|list| &list.codes)
            .map(|(code, label)| (code.clone(), label.get(language).to_owned()))
            .collect(),
        ItemType::Boolean => vec![
            ("yes".to_owned(), crate::languages::translate(language, "yes").to_owned()),
            ("no".to_owned(), crate::languages::translate(language, "no").to_owned()),
        ],
        _ => Vec::new(),
    };
    Asked {
        id: item.id.to_string(),
        label: item.label.get(language).to_owned(),
        unit: item.unit.clone().unwrap_or_default(),
        range: item.minimum.zip(item.maximum).map_or_else(String::new, |(least, most)| {
            format!("{} – {}", least.normalize(), most.normalize())
        }),
        choices,
    }
}

/// Reads a slide, or lays out, locks and joins.
pub fn take(context: &Context<'_>) -> Outcome {
    let (running, seat) = context.seated()?;
    let study = running.study();
    let plan = study.blind_reading.as_ref().ok_or(Failure::NotFound)?;
    let typed = &context.request.form;
    let action = match context.request.param("step") {
        "read" => {
            let code = SpecimenCode::from(typed.get("code"));
            let form = conduct::reading_form(study, &running.state(), &code).ok_or(Failure::NotFound)?;
            let mut answers = Vec::new();
            for item in form.items.iter().filter(|item| item.derived.is_none()) {
                let text = typed.get(&format!("i.{}", item.id)).replace(',', ".");
                if !text.is_empty() {
                    let value = value(item, &text).ok_or_else(|| {
                        Failure::Bad(format!(
                            "`{text}` does not fit {}. Go back; nothing was saved.",
                            item.label.en()
                        ))
                    })?;
                    answers.push((item.id.clone(), Answer::Given(value)));
                }
            }
            let number = reader(&running.state(), &seat.person, plan.people());
            let reader =
                number.ok_or_else(|| Failure::Refused("Others read these slides already.".to_owned()))?;
            Action::ReadSpecimen { code, reader, answers }
        }
        "lay-out" => Action::DrawReadingOrder,
        "lock" => Action::LockReadings,
        "join" => Action::JoinReadingKey,
        _ => return Err(Failure::NotFound),
    };
    if !seat.may_take(action.step()) {
        return Err(Failure::NotFound);
    }
    let command = context.command(None, None, None, action)?;
    context.give(vec![command], None)?;
    context.notice("Saved.");
    Ok(Reply::see(&format!("/studies/{}/slides", segment(study.id.as_str()))))
}

fn value(item: &Item, text: &str) -> Option<Value> {
    Some(match &item.kind {
        ItemType::Integer => Value::Integer(text.parse().ok()?),
        ItemType::Decimal { .. } => Value::Decimal(text.parse().ok()?),
        ItemType::Boolean => Value::Boolean(match text {
            "yes" => true,
            "no" => false,
            _ => return None,
        }),
        ItemType::Code { .. } => Value::Code(text.to_owned()),
        ItemType::Date { .. } => Value::Date(text.parse().ok()?),
        ItemType::Text | ItemType::Term { .. } => Value::Text(text.to_owned()),
    })
}
