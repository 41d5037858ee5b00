//! One question to many: a listing of an item over all participants, tick the places, try, open.
//!
//! Trying decides each query by the very rules that opening takes, and writes nothing.

use std::collections::BTreeSet;

use askama::Template;
use conduct::{Action, Casebook, Cell, Command, Means, State, View, Walked, is_shown};
use protocol::model::{Form, Item};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use record::FormKey;
use terms::{ItemId, RoleId, SubjectId, VisitId};

use crate::{
    context::{Context, Failure, Outcome},
    course::form_path,
    credentials::draw,
    http::{Fields, Reply, segment},
    page::Page,
    pages::form::{addressees, answer_text},
    seat::{Seat, Shown},
};

/// Places that the listing shows at most; narrow it for the rest.
const PLACES_MAX: usize = 200;

/// Which places of an item are listed.
const WHICH: [(&str, &str); 4] = [
    ("empty", "asked for and empty"),
    ("missing", "a reason instead of a value"),
    ("value", "with a value"),
    ("changed", "changed since first entry"),
];

struct Place {
    pick: String,
    path: String,
    subject: String,
    visit: String,
    value: String,
    asked_already: bool,
    ticked: bool,
    verdict: Option<Result<(), String>>,
}

#[derive(Template)]
#[template(path = "bulk_queries.html")]
struct BulkPage {
    page: Page,
    path: String,
    queries: String,
    forms: Vec<(String, String, bool)>,
    items: Vec<(String, String, bool)>,
    which: Vec<(&'static str, &'static str, bool)>,
    visits: Vec<(String, String, bool)>,
    form: String,
    item: String,
    kind: String,
    visit: String,
    places: Vec<Place>,
    all: usize,
    /// Whether there are more than are shown.
    more: bool,
    addressees: Vec<(String, String, bool)>,
    text: String,
    tried: Option<(usize, usize)>,
}

/// A place that a query can be about.
struct Found {
    subject: SubjectId,
    key: FormKey,
    path: String,
    value: String,
    asked_already: bool,
}

/// What is listed: the form, the item, which of its places, at which visit.
struct Listing<'a> {
    form: &'a Form,
    item: &'a Item,
    kind: &'static str,
    visit: Option<VisitId>,
}

fn listing<'a>(seat: &Seat<'a>, fields: &Fields) -> Option<Listing<'a>> {
    let form = forms(seat).find(|form| form.id == *fields.get("form"))?;
    let item = form.item(fields.get("item")).or(form.items.first())?;
    let kind = WHICH.iter().find(|(kind, _)| *kind == fields.get("which")).map_or("empty", |(kind, _)| kind);
    let visit = Some(fields.get("visit")).filter(|visit| !visit.is_empty()).map(VisitId::from);
    Some(Listing { form, item, kind, visit })
}

/// The forms whose values the seat reads.
fn forms<'a>(seat: &Seat<'a>) -> impl Iterator<Item = &'a Form> {
    let readable: BTreeSet<String> = seat
        .study
        .forms
        .iter()
        .filter(|form| seat.reads(form.data_class.as_str()))
        .filter(|form| form.purpose != Some(protocol::model::Purpose::SpecimenReading))
        .map(|form| form.id.to_string())
        .collect();
    seat.study.forms.iter().filter(move |form| readable.contains(form.id.as_str()))
}

fn keys(seat: &Seat<'_>, casebook: &Casebook, listing: &Listing<'_>) -> Vec<FormKey> {
    let begun = casebook.forms.keys().filter(|key| key.form == listing.form.id).cloned();
    let mut keys: BTreeSet<FormKey> = begun.collect();
    if listing.form.by_visit && !listing.form.repeating {
        for visit in casebook.visits.keys() {
            let key = FormKey { visit: Some(visit.clone()), form: listing.form.id.clone(), row: 0 };
            keys.extend(seat.forms_at(casebook, visit).map(|(_, key, _)| key).filter(|known| *known == key));
        }
    }
    keys.into_iter()
        .filter(|key| listing.visit.is_none() || key.visit == listing.visit)
        .filter(|key| seat.form(casebook, key) == Shown::Yes)
        .collect()
}

/// Finds the places of a listing: of the participants that `of` names, and of others no casebook is opened; or of all, until there
/// are more than a page shows.
fn find(
    context: &Context<'_>,
    seat: &Seat<'_>,
    state: &State,
    listing: &Listing<'_>,
    of: Option<&BTreeSet<&str>>,
    page: &Page,
) -> Vec<Found> {
    let study = seat.study;
    let mut found = Vec::new();
    let all = state.casebooks.values().map(|casebook| &**casebook);
    let named = all.filter(|casebook| of.is_none_or(|of| of.contains(casebook.subject.as_str())));
    for casebook in named.filter(|casebook| seat.sees_subject(casebook)).map(Walked::of) {
        if of.is_none() && found.len() > PLACES_MAX {
            break;
        }
        let today = context.today(Some(&casebook.site));
        for key in keys(seat, &casebook, listing) {
            let cell = casebook.cell(&key, listing.item.id.as_str());
            let answer = cell.and_then(Cell::answer);
            let fits = match listing.kind {
                "empty" => {
                    cell.is_none()
                        && listing.item.derived.is_none()
                        && is_shown(&View::at_form(study, &casebook, &key, today), listing.item)
                }
                "missing" => answer.is_some_and(|answer| answer.value().is_none()),
                "changed" => cell.is_some_and(|cell| cell.history().len() > 1),
                _ => answer.is_some_and(|answer| answer.value().is_some()),
            };
            if fits {
                let open = casebook.queries.iter().filter(|query| query.closed.is_none());
                found.push(Found {
                    subject: casebook.subject.clone(),
                    path: form_path(study, &casebook, &key),
                    value: answer
                        .map_or_else(String::new, |answer| answer_text(study, listing.item, answer, page)),
                    asked_already: open
                        .filter(|query| query.item == listing.item.id)
                        .any(|query| query.key == key),
                    key,
                });
            }
        }
    }
    found
}

fn pick(found: &Found) -> String {
    let visit = found.key.visit.as_ref().map_or("-", VisitId::as_str);
    format!("{}/{visit}/{}", found.subject, found.key.row)
}

/// The listing, before anything is ticked.
pub fn show(context: &Context<'_>) -> Outcome {
    bulk_page(context, &context.request.query, &[], None)
}

/// Tries what was ticked, or opens it.
pub fn take(context: &Context<'_>) -> Outcome {
    let (running, seat) = context.seated()?;
    let study = running.study();
    let sent = &context.request.form;
    let page = Page::new(context, "");
    let picked: BTreeSet<&str> = sent.all("pick").collect();
    let listing = listing(seat, sent).ok_or_else(|| Failure::Bad("Choose a form and an item.".to_owned()))?;
    let subjects: BTreeSet<&str> = picked.iter().filter_map(|pick| pick.split('/').next()).collect();
    let found = find(context, seat, &running.state(), &listing, Some(&subjects), &page);
    let chosen: Vec<&Found> = found.iter().filter(|place| picked.contains(pick(place).as_str())).collect();
    if chosen.is_empty() {
        return Err(Failure::Bad("Tick one place at least.".to_owned()));
    }
    let mut commands: Vec<(String, Command)> = Vec::new();
    for place in chosen {
        let action = Action::OpenQuery {
            key: place.key.clone(),
            item: ItemId::from(listing.item.id.as_str()),
            addressed_to: RoleId::from(sent.get("of")),
            text: sent.get("text").to_owned(),
        };
        commands.push((pick(place), context.command(Some(&place.subject), None, None, action)?));
    }
    let mut random = ChaCha20Rng::from_seed(draw());
    let verdicts: Vec<(String, Result<(), String>)> = {
        let state = running.state();
        commands
            .iter()
            .map(|(pick, command)| {
                let mut means = Means::with_random(&mut random);
                let verdict = conduct::decide(study, &state, command, &mut means);
                (pick.clone(), verdict.map(|_| ()).map_err(|refusal| refusal.to_string()))
            })
            .collect()
    };
    if sent.get("do") != "open" {
        return bulk_page(context, sent, &verdicts, Some(sent));
    }
    let possible: Vec<Command> = commands
        .into_iter()
        .zip(&verdicts)
        .filter(|(_, (_, verdict))| verdict.is_ok())
        .map(|((_, command), _)| command)
        .collect();
    let (opened, left) = (possible.len(), verdicts.len() - possible.len());
    if opened == 0 {
        return bulk_page(context, sent, &verdicts, Some(sent));
    }
    context.give(possible, None)?;
    context.notice(if left == 0 {
        format!("Queries opened: {opened}.")
    } else {
        format!("Queries opened: {opened}. Not opened: {left}.")
    });
    Ok(Reply::see(&format!("/studies/{}/queries", segment(study.id.as_str()))))
}

fn bulk_page(
    context: &Context<'_>,
    fields: &Fields,
    verdicts: &[(String, Result<(), String>)],
    sent: Option<&Fields>,
) -> Outcome {
    let (running, seat) = context.seated()?;
    let study = running.study();
    let page = Page::new(context, "One question to many");
    let language = page.language.clone();
    let listing = listing(seat, fields);
    let state = running.state();
    let found =
        listing.as_ref().map_or_else(Vec::new, |listing| find(context, seat, &state, listing, None, &page));
    drop(state);
    let (all, more) = (found.len().min(PLACES_MAX), found.len() > PLACES_MAX);
    let places = found
        .into_iter()
        .take(PLACES_MAX)
        .map(|place| {
            let pick = pick(&place);
            let verdict =
                verdicts.iter().find(|(known, _)| *known == pick).map(|(_, verdict)| verdict.clone());
            Place {
                path: place.path,
                subject: place.subject.to_string(),
                visit: place.key.visit.as_ref().map_or_else(
                    || if place.key.row > 0 { place.key.row.to_string() } else { String::new() },
                    |visit| study.visit_name(visit, &language).to_owned(),
                ),
                value: place.value,
                ticked: match sent {
                    Some(_) => verdict.is_some(),
                    None => !place.asked_already,
                },
                asked_already: place.asked_already,
                verdict,
                pick,
            }
        })
        .collect();
    let chosen = |id: &str, now: Option<&str>| now == Some(id);
    let form = listing.as_ref().map(|listing| listing.form);
    let tried = sent.map(|_| {
        let possible = verdicts.iter().filter(|(_, verdict)| verdict.is_ok()).count();
        (possible, verdicts.len() - possible)
    });
    let view = BulkPage {
        path: context.request.path.clone(),
        queries: format!("/studies/{}/queries", segment(study.id.as_str())),
        forms: forms(seat)
            .map(|known| {
                let here = chosen(known.id.as_str(), form.map(|form| form.id.as_str()));
                (known.id.to_string(), known.title.get(&language).to_owned(), here)
            })
            .collect(),
        items: form
            .iter()
            .flat_map(|form| &form.items)
            .map(|item| {
                let here = chosen(item.id.as_str(), listing.as_ref().map(|listing| listing.item.id.as_str()));
                (item.id.to_string(), item.label.get(&language).to_owned(), here)
            })
            .collect(),
        which: WHICH
            .iter()
            .map(|(kind, label)| (*kind, *label, chosen(kind, listing.as_ref().map(|listing| listing.kind))))
            .collect(),
        visits: study
            .visits
            .iter()
            .filter(|visit| {
                form.is_some_and(|form| form.by_visit && study.forms_at(&visit.id).any(|at| at.id == form.id))
            })
            .map(|visit| {
                let here = chosen(visit.id.as_str(), Some(fields.get("visit")));
                (visit.id.to_string(), visit.label.get(&language).to_owned(), here)
            })
            .collect(),
        form: form.map_or_else(String::new, |form| form.id.to_string()),
        item: listing.as_ref().map_or_else(String::new, |listing| listing.item.id.to_string()),
        kind: listing.as_ref().map_or_else(String::new, |listing| listing.kind.to_owned()),
        visit: fields.get("visit").to_owned(),
        places,
        all,
        more,
        addressees: form.map_or_else(Vec::new, |form| {
            let of = sent.map_or("", |sent| sent.get("of"));
            let all = addressees(study, form, &language).into_iter();
            all.map(|(id, label)| (id.clone(), label, id == of)).collect()
        }),
        text: sent.map_or_else(String::new, |sent| sent.get("text").to_owned()),
        tried,
        page,
    };
    Ok(Reply::page(view.render()?))
}
