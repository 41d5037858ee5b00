//! A visit's sheet: everything that was entered at it, form by form, for who verifies, reviews, freezes or locks it.
//!
//! What is verified or reviewed is what the sheet showed: if somebody changed a value meanwhile, nothing of that form is
//! done and the sheet is shown again.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use conduct::{Action, Casebook, Cell, State, closed, is_drawn};
use protocol::model::Power;
use record::{Closure, FormKey, Part, Review, Source};
use terms::{ItemId, VisitId};

use crate::{
    context::{Context, Failure, Outcome},
    course::{form_path, subject_path},
    http::{Fields, Reply, segment},
    page::Page,
    pages::{
        form::{answer_text, names},
        verification::{THROUGH, places, rows},
    },
    running::{CommandError, Seen},
    seat::Seat,
};

/// A value on the sheet.
struct ItemLine {
    name: String,
    label: String,
    unit: String,
    value: String,
    was: u64,
    edits: usize,
    verified: Option<String>,
    lost: bool,
    entered: bool,
}

/// A form on the sheet.
struct FormSheet {
    name: String,
    title: String,
    path: String,
    drawn: bool,
    open: usize,
    items: Vec<ItemLine>,
    /// Label, by whom and when, if it was done.
    reviews: Vec<(&'static str, Option<String>)>,
    to_review: bool,
    closed: Option<(&'static str, bool)>,
}

#[derive(Template)]
#[template(path = "sheet.html")]
struct SheetPage {
    page: Page,
    path: String,
    overview: Option<String>,
    subject: String,
    subject_path: String,
    place: String,
    held: String,
    sheets: Vec<FormSheet>,
    open: usize,
    verified: usize,
    verifies: bool,
    reviews: bool,
    closes: bool,
    visit_closed: Option<(&'static str, bool)>,
    at_visit: bool,
    message: Option<String>,
    next: Option<(String, String)>,
}

/// What closes a part, in a word, and whether it is that very part that can be opened again.
fn closing(
    state: &State,
    casebook: &Casebook,
    key: Option<&FormKey>,
    part: &Part,
) -> Option<(&'static str, bool)> {
    let closed = closed(state, casebook, key)?;
    let word = match closed.closure {
        Closure::Frozen => "frozen",
        Closure::Locked => "locked",
    };
    Some((word, casebook.closed.contains_key(part)))
}

/// The kinds of review that the seat does.
fn reviews(seat: &Seat<'_>) -> Option<Review> {
    if seat.may(Power::ReviewData) {
        Some(Review::Data)
    } else {
        seat.may(Power::ReviewMedically).then_some(Review::Medical)
    }
}

/// A visit's sheet.
pub fn show(context: &Context<'_>) -> Outcome {
    sheet(context, None)
}

fn visit_of(context: &Context<'_>) -> Option<VisitId> {
    let visit = context.request.param("visit");
    (visit != THROUGH).then(|| VisitId::from(visit))
}

fn sheet(context: &Context<'_>, message: Option<String>) -> Outcome {
    let (running, seat) = context.seated()?;
    let study = running.study();
    let page = Page::new(context, "Visit sheet");
    let names = names(context)?;
    let state = context.state()?;
    let casebook = state.casebook(context.request.param("subject")).ok_or(Failure::NotFound)?;
    let visit = visit_of(context);
    let keys = places(seat, casebook).remove(&visit).ok_or(Failure::NotFound)?;
    let mut sheets: Vec<FormSheet> =
        keys.iter().filter_map(|key| form_sheet(seat, &state, casebook, key, &names, &page)).collect();
    sheets.sort_by_key(|sheet| !sheet.drawn);
    let label = visit
        .as_ref()
        .and_then(|visit| conduct::scheduled_visit(study, visit))
        .map_or(page.t("Through the trial"), |known| known.label.get(&page.language));
    let verifies = seat.may(Power::VerifySource);
    let next = rows(seat, &state, casebook)
        .into_iter()
        .filter(|_| verifies)
        .find(|row| row.open > 0 && row.visit != context.request.param("visit"))
        .map(|row| (row.path, row.visit));
    let status = if message.is_some() { 409 } else { 200 };
    let writes = state.locked.is_none();
    let visit_closed = visit.as_ref().and_then(|visit| {
        let part = Part::Visit(visit.clone());
        let (closure, _) = casebook.closed.get(&part)?;
        Some((if *closure == Closure::Locked { "locked" } else { "frozen" }, true))
    });
    let view = SheetPage {
        path: context.request.path.clone(),
        overview: verifies.then(|| format!("/studies/{}/verification", segment(study.id.as_str()))),
        subject: casebook.subject.to_string(),
        subject_path: subject_path(study, casebook),
        place: visit.as_ref().map_or_else(|| label.to_owned(), |visit| format!("{label} ({visit})")),
        held: visit
            .as_ref()
            .and_then(|visit| casebook.visit_date(visit))
            .map_or_else(String::new, |date| date.to_string()),
        open: sheets.iter().map(|sheet| sheet.open).sum(),
        verified: sheets.iter().flat_map(|sheet| &sheet.items).filter(|item| item.verified.is_some()).count(),
        verifies: writes && verifies,
        reviews: writes && sheets.iter().any(|sheet| sheet.to_review),
        closes: writes && seat.may(Power::Lock),
        visit_closed,
        at_visit: visit.is_some(),
        sheets,
        message,
        next,
        page,
    };
    drop(state);
    Ok(Reply::page(view.render()?).status(status))
}

/// The name of a form on the sheet, and of its fields.
fn form_name(key: &FormKey) -> String {
    format!("{}.{}", key.form, key.row)
}

fn form_sheet(
    seat: &Seat<'_>,
    state: &State,
    casebook: &Casebook,
    key: &FormKey,
    names: &BTreeMap<String, String>,
    page: &Page,
) -> Option<FormSheet> {
    let study = seat.study;
    let form = study.form(key.form.as_str())?;
    let filled = casebook.forms.get(key)?;
    let name = form_name(key);
    let who = |person: &str, date: terms::Date| {
        format!("{}, {date}", names.get(person).map_or(person, String::as_str))
    };
    let items: Vec<ItemLine> = form
        .items
        .iter()
        .filter_map(|item| Some((item, filled.cells.get(item.id.as_str())?)))
        .map(|(item, cell)| ItemLine {
            name: format!("{name}.{}", item.id),
            label: item.label.get(&page.language).to_owned(),
            unit: item.unit.clone().unwrap_or_default(),
            value: cell.answer().map_or_else(
                || page.t("redacted").to_owned(),
                |answer| answer_text(study, item, answer, page),
            ),
            was: cell.current().sequence,
            edits: cell.history().len() - 1,
            verified: cell.verification().map(|done| who(done.by.person.as_str(), done.verified.date)),
            lost: cell.has_lost_verification(),
            entered: cell.current().source == Source::Entered,
        })
        .collect();
    let reviewed =
        |review| filled.review(review).map(|done| who(done.by.person.as_str(), done.reviewed.date));
    let row = if key.row > 0 { format!(" {}", key.row) } else { String::new() };
    Some(FormSheet {
        title: format!("{}{row}", form.title.get(&page.language)),
        path: form_path(study, casebook, key),
        drawn: is_drawn(study, state, casebook, key),
        open: items.iter().filter(|item| item.entered && item.verified.is_none()).count(),
        reviews: vec![("data review", reviewed(Review::Data)), ("medical review", reviewed(Review::Medical))],
        to_review: reviews(seat).is_some_and(|review| filled.review(review).is_none()),
        closed: closing(state, casebook, Some(key), &Part::Form(key.clone())),
        name,
        items,
    })
}

/// What is asked of one form of the sheet.
struct Chosen {
    key: FormKey,
    items: Vec<ItemId>,
    seen: BTreeMap<ItemId, u64>,
}

/// The forms of the sheet that `whole` names (`all`: each), or the ticked items of any, that `can` leaves.
fn chosen(
    context: &Context<'_>,
    whole: &str,
    can: impl Fn(&Casebook, &FormKey, &Cell) -> bool,
) -> Result<Vec<Chosen>, Failure> {
    let (running, seat) = context.seated()?;
    let sent = &context.request.form;
    let state = running.state();
    let casebook = state.casebook(context.request.param("subject")).ok_or(Failure::NotFound)?;
    let keys = places(seat, casebook).remove(&visit_of(context)).ok_or(Failure::NotFound)?;
    let ticked: BTreeSet<&str> = sent.all("item").collect();
    let mut chosen = Vec::new();
    for key in keys {
        let name = form_name(&key);
        let Some(filled) = casebook.forms.get(&key) else { continue };
        let (mut items, mut seen) = (Vec::new(), BTreeMap::new());
        for (item, cell) in &filled.cells {
            let field = format!("{name}.{item}");
            let wanted =
                whole == "all" || whole == name || (whole.is_empty() && ticked.contains(field.as_str()));
            if wanted && can(casebook, &key, cell) {
                seen.insert(item.clone(), sent.get(&format!("was.{field}")).parse().unwrap_or(0));
                items.push(item.clone());
            }
        }
        if !items.is_empty() {
            chosen.push(Chosen { key, items, seen });
        }
    }
    Ok(chosen)
}

/// Verifies, takes back, reviews, freezes, locks or opens: items, a form or the whole visit.
pub fn act(context: &Context<'_>) -> Outcome {
    let (_, seat) = context.seated()?;
    let sent = &context.request.form;
    let needs = |power| if seat.may(power) { Ok(()) } else { Err(Failure::NotFound) };
    if !sent.get("close").is_empty() {
        needs(Power::Lock)?;
        return close(context, sent);
    }
    if !sent.get("review").is_empty() {
        let review = reviews(seat).ok_or(Failure::NotFound)?;
        let forms = chosen(context, sent.get("review"), |casebook, key, _| {
            casebook.forms.get(key).is_some_and(|form| form.review(review).is_none())
        })?;
        let action = |key: &FormKey, _| Action::ReviewForms { review, keys: vec![key.clone()] };
        return give(context, forms, action, "Reviewed: {} form(s).", |_| 1);
    }
    if sent.get("do").is_empty() && sent.get("form").is_empty() {
        return Err(Failure::Bad("Choose what to do on the sheet. Nothing was changed.".to_owned()));
    }
    needs(Power::VerifySource)?;
    let back = sent.get("do") == "back";
    let whole = if sent.get("do") == "all" { "all" } else { sent.get("form") };
    let forms = chosen(context, if back { "" } else { whole }, |_, _, cell| {
        cell.current().source == Source::Entered && cell.verification().is_some() == back
    })?;
    let action = |key: &FormKey, items: Vec<ItemId>| {
        if back {
            Action::WithdrawVerification { key: key.clone(), items }
        } else {
            Action::VerifySource { key: key.clone(), items }
        }
    };
    give(
        context,
        forms,
        action,
        if back { "Taken back: {} item(s)." } else { "Verified: {} item(s)." },
        <[_]>::len,
    )
}

/// Gives one command a form, each held to what the sheet showed.
fn give(
    context: &Context<'_>,
    forms: Vec<Chosen>,
    action: impl Fn(&FormKey, Vec<ItemId>) -> Action,
    said: &str,
    counts: impl Fn(&[ItemId]) -> usize,
) -> Outcome {
    if forms.is_empty() {
        return Err(Failure::Bad(
            "Nothing was chosen that is still to be done. Nothing was changed.".to_owned(),
        ));
    }
    let subject = context.subject();
    let (mut changed, mut count) = (Vec::new(), 0);
    for Chosen { key, items, seen } in forms {
        let (title, number) = (key.form.to_string(), counts(&items));
        let command = context.command(Some(&subject), None, None, action(&key, items))?;
        match context.give(vec![command], Some(Seen { subject: subject.clone(), key, items: seen })) {
            Ok(_) => count += number,
            Err(CommandError::Changed(_)) => changed.push(title),
            Err(error) => return Err(error.into()),
        }
    }
    if !changed.is_empty() {
        let changed = changed.join(", ");
        return sheet(
            context,
            Some(format!(
                "Values of {changed} were changed while you had the sheet open. Nothing of that was done; look again."
            )),
        );
    }
    context.notice(said.replace("{}", &count.to_string()));
    Ok(Reply::see(&context.request.path))
}

/// Freezes, locks or opens: `frozen form.row`, `locked visit`, `open form.row`.
fn close(context: &Context<'_>, sent: &Fields) -> Outcome {
    let wrong = || Failure::Bad("Choose what to close or to open.".to_owned());
    let (how, what) = sent.get("close").split_once(' ').ok_or_else(wrong)?;
    let part = match (what, visit_of(context)) {
        ("visit", Some(visit)) => Part::Visit(visit),
        (name, visit) => {
            let (form, row) = name.rsplit_once('.').ok_or_else(wrong)?;
            let row = row.parse().map_err(|_| wrong())?;
            Part::Form(FormKey { visit, form: form.into(), row })
        }
    };
    let action = closing_action(part, how).ok_or_else(wrong)?;
    let command = context.command(Some(&context.subject()), None, None, action)?;
    context.give(vec![command], None)?;
    context.notice("Done.");
    Ok(Reply::see(&context.request.path))
}

/// Returns what `frozen`, `locked` and `open` ask of a part.
pub fn closing_action(part: Part, how: &str) -> Option<Action> {
    Some(match how {
        "frozen" => Action::CloseData { part, closure: Closure::Frozen },
        "locked" => Action::CloseData { part, closure: Closure::Locked },
        "open" => Action::ReopenData { part },
        _ => return None,
    })
}
