//! Queries: the list, and what is done with one.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use conduct::{Action, Casebook, Query, State, Walked};
use protocol::model::{Power, Study};
use record::{Event, Fact, FormKey};
use terms::{ItemId, QueryId, RoleId, SubjectId};

use crate::{
    context::{Context, Failure, Outcome},
    course::{form_path, subject_path},
    http::{Reply, segment},
    lists::{Asked, Queries, QueryState, query_state, small},
    page::Page,
    pages::{form::site_moment, participants::csv_field, verification::on_page},
    running::RunningStudy,
    seat::Seat,
};

/// Queries on a page of the list.
const ON_A_PAGE: usize = 50;

/// What was said in a query, in order.
pub struct Said {
    /// `asked`, `answered`, `opened again` or `closed`.
    pub what: &'static str,
    /// The role that said it; none: a check.
    pub by: String,
    /// When, on the site's clock.
    pub at: String,
    /// The words, where there are some.
    pub text: String,
}

/// A query on a page.
pub struct QueryView {
    /// Its id.
    pub id: String,
    /// The question.
    pub text: String,
    /// The last answer.
    pub answer: String,
    /// `open`, `reopened`, `answered` or `closed`.
    pub state: &'static str,
    /// Who is asked.
    pub asked: String,
    /// Everything said in it.
    pub said: Vec<Said>,
    /// The path below which it is answered and closed.
    pub path: String,
    /// Whether the seat may answer.
    pub may_answer: bool,
    /// Whether the seat may close it.
    pub may_close: bool,
    /// Whether the seat may open it again.
    pub may_reopen: bool,
}

struct Row {
    view: QueryView,
    subject: String,
    to: String,
    place: String,
    days: i64,
    pick: String,
}

#[derive(Template)]
#[template(path = "queries.html")]
struct QueriesPage {
    page: Page,
    path: String,
    wanted: &'static str,
    search: String,
    site: String,
    sites: Vec<(String, String)>,
    form: String,
    forms: Vec<(String, String)>,
    oldest: bool,
    rows: Vec<Row>,
    all: usize,
    from: usize,
    to: usize,
    before: Option<String>,
    after: Option<String>,
    export: String,
    manages: bool,
    closes: bool,
}

/// The states by which the list is filtered.
const STATES: [&str; 5] = ["open", "mine", "answered", "closed", "all"];

fn state_of(query: &Query) -> &'static str {
    match query_state(query) {
        QueryState::Closed => "closed",
        QueryState::Answered => "answered",
        QueryState::Open if query.reopened.is_some() => "reopened",
        QueryState::Open => "open",
    }
}

/// Returns what was said in queries, by event.
pub fn exchanges<'q>(
    running: &RunningStudy,
    queries: impl IntoIterator<Item = &'q Query>,
) -> BTreeMap<u64, Event> {
    let said: BTreeSet<u64> = queries.into_iter().flat_map(|query| query.said.iter().copied()).collect();
    if said.is_empty() { BTreeMap::new() } else { running.events(&said) }
}

fn said(study: &Study, language: &str, event: &Event) -> Option<Said> {
    let (what, text) = match &event.fact {
        Fact::QueryOpened { text, .. } => ("asked", Some(text)),
        Fact::QueryAnswered { text, .. } => ("answered", Some(text)),
        Fact::QueryReopened { text, .. } => ("opened again", Some(text)),
        Fact::QueryClosed { .. } => ("closed", None),
        _ => return None,
    };
    let role = study.role(event.by.role.as_str());
    Some(Said {
        what,
        by: role.map_or_else(String::new, |role| role.label.get(language).to_owned()),
        at: site_moment(&event.recorded),
        text: text.and_then(|text| text.get().cloned()).unwrap_or_default(),
    })
}

fn view(
    exchanges: &BTreeMap<u64, Event>,
    seat: &Seat<'_>,
    casebook: &Casebook,
    query: &Query,
    language: &str,
) -> QueryView {
    let study = seat.study;
    let open = query.closed.is_none();
    let asked = study.role(query.addressed_to.as_str());
    let events = query.said.iter().filter_map(|sequence| exchanges.get(sequence));
    let said: Vec<Said> = events.filter_map(|event| said(study, language, event)).collect();
    let last = |what: &[&str]| {
        let found = said.iter().rev().find(|one| what.contains(&one.what));
        found.map_or_else(String::new, |one| one.text.clone())
    };
    let manages = seat.may(Power::ManageQueries);
    QueryView {
        id: query.id.to_string(),
        text: last(&["asked", "opened again"]),
        answer: if query.answered.is_some() { last(&["answered"]) } else { String::new() },
        state: state_of(query),
        asked: asked.map_or_else(String::new, |role| role.label.get(language).to_owned()),
        path: format!("{}/queries/{}", subject_path(study, casebook), segment(query.id.as_str())),
        may_answer: open && (query.addressed_to == seat.role.id || seat.may(Power::AnswerQueries)),
        may_close: open
            && query.answered.is_some()
            && manages
            && query.answered_by.as_ref() != Some(&seat.person),
        may_reopen: !open && manages,
        said,
    }
}

/// Returns the queries on an item that the seat sees: open ones first, then those that are closed. What was said in them stands in
/// `exchanges`.
pub fn of_item(
    exchanges: &BTreeMap<u64, Event>,
    seat: &Seat<'_>,
    casebook: &Casebook,
    key: &FormKey,
    item: &ItemId,
    language: &str,
) -> Vec<QueryView> {
    let mut found: Vec<&Query> = casebook
        .queries
        .iter()
        .filter(|query| query.key == *key && query.item == *item)
        .filter(|query| seat.sees_query(casebook, query))
        .collect();
    found.sort_by_key(|query| query.closed.is_some());
    found.into_iter().map(|query| view(exchanges, seat, casebook, query, language)).collect()
}

/// A query of a participant that the filters leave.
struct Found {
    subject: SubjectId,
    query: QueryId,
    opened: u64,
}

/// Says whether queries that stand alike are left by a choice of states.
fn fits(asked: &Asked, wanted: &str) -> bool {
    match wanted {
        "mine" => asked.mine && asked.state != QueryState::Closed,
        "answered" => asked.state == QueryState::Answered,
        "closed" => asked.state == QueryState::Closed,
        "all" => true,
        _ => asked.state == QueryState::Open,
    }
}

fn is_of_state(seat: &Seat<'_>, query: &Query, wanted: &str) -> bool {
    match wanted {
        "mine" => query.closed.is_none() && query.addressed_to == seat.role.id,
        "answered" => query_state(query) == QueryState::Answered,
        "closed" => query_state(query) == QueryState::Closed,
        "all" => true,
        _ => query_state(query) == QueryState::Open,
    }
}

/// Returns the queries that the seat sees and the request's filters leave, in the order asked for: how many, and those of a page
/// (counted from 0) or all. Casebooks are opened of the participants on the page.
fn found(
    context: &Context<'_>,
    page: Option<usize>,
) -> Result<(std::sync::Arc<State>, usize, usize, Vec<Found>), Failure> {
    let (_, seat) = context.seated()?;
    let filter = &context.request.query;
    let wanted = wanted(context);
    let (search, site, form) = (filter.get("search").to_uppercase(), filter.get("site"), filter.get("form"));
    let oldest = filter.get("sort") == "oldest";
    let place = seat.study.forms.iter().position(|known| known.id == *form).map(small);
    let of_form = |asked: &Asked| form.is_empty() || place == Some(asked.form);
    let (state, mut with) = context.look(|state, lines| {
        let with: Vec<(SubjectId, Queries)> = lines
            .iter()
            .filter(|(at, _, _)| site.is_empty() || **at == *site)
            .filter(|(_, subject, _)| search.is_empty() || subject.as_str().to_uppercase().contains(&search))
            .map(|(_, subject, line)| (subject, line.queries(|asked| of_form(asked) && fits(asked, wanted))))
            .filter(|(_, queries)| queries.count > 0)
            .map(|(subject, queries)| (subject.clone(), queries))
            .collect();
        (state.clone(), with)
    })?;
    let all: usize = with.iter().map(|(_, queries)| queries.count as usize).sum();
    let number = page.unwrap_or(0).min(all.saturating_sub(1) / ON_A_PAGE);
    let mut before = 0;
    if page.is_some() {
        if oldest {
            // Each has one query at least, so that those of the first pages are at the first so many participants.
            with.sort_by_key(|(_, queries)| queries.oldest);
            with.truncate((number + 1) * ON_A_PAGE);
        } else {
            let counts: Vec<_> =
                with.iter().map(|(subject, queries)| (subject, queries.count as usize)).collect();
            let (skipped, shown) = on_page(&counts, number * ON_A_PAGE, ON_A_PAGE);
            before = number * ON_A_PAGE - skipped;
            let first = shown.first();
            let ahead =
                with.into_iter().skip_while(|(subject, _)| first.is_some_and(|first| first != subject));
            with = ahead.take(shown.len()).collect();
        }
    }
    let mut found: Vec<Found> = Vec::new();
    for (subject, _) in &with {
        let Some(casebook) = state.casebook(subject.as_str()) else { continue };
        let casebook = Walked::of(casebook);
        let left = casebook
            .queries
            .iter()
            .filter(|query| form.is_empty() || query.key.form == *form)
            .filter(|query| is_of_state(seat, query, wanted) && seat.sees_query(&casebook, query));
        found.extend(left.map(|query| Found {
            subject: subject.clone(),
            query: query.id.clone(),
            opened: query.opened,
        }));
    }
    if oldest {
        found.sort_by_key(|one| one.opened);
    }
    if page.is_some() {
        let skip = number * ON_A_PAGE - before;
        found = found.into_iter().skip(skip).take(ON_A_PAGE).collect();
    }
    Ok((state, all, number, found))
}

/// Makes the rows of what was found. A casebook is opened once for queries of a participant that follow each other.
fn rows(
    context: &Context<'_>,
    state: &State,
    found: &[Found],
    language: &str,
    mut take: impl FnMut(Row),
) -> Result<(), Failure> {
    let (running, seat) = context.seated()?;
    for of_one in found.chunk_by(|one, next| one.subject == next.subject) {
        let Some(casebook) = state.casebook(of_one[0].subject.as_str()) else { continue };
        let casebook = Walked::of(casebook);
        let queries: Vec<&Query> = of_one.iter().filter_map(|one| casebook.query(&one.query)).collect();
        let exchanges = exchanges(running, queries.iter().copied());
        queries.iter().for_each(|query| take(row(context, &exchanges, seat, &casebook, query, language)));
    }
    Ok(())
}

fn wanted(context: &Context<'_>) -> &'static str {
    let wanted = context.request.query.get("state");
    STATES.into_iter().find(|state| *state == wanted).unwrap_or("open")
}

/// The list: open ones first asked first, filtered by state, site, form and participant.
pub fn list(context: &Context<'_>) -> Outcome {
    let (running, seat) = context.seated()?;
    let page = Page::new(context, "Queries");
    let study = running.study();
    let query = &context.request.query;
    let asked = query.get("page").parse::<usize>().unwrap_or(1).max(1) - 1;
    let (state, all, number, found) = found(context, Some(asked))?;
    let last = all.saturating_sub(1) / ON_A_PAGE;
    let path = format!("/studies/{}/queries", segment(study.id.as_str()));
    let to_page = |number: usize| format!("{path}?{}", query.with(&[("page", &(number + 1).to_string())]));
    let mut shown: Vec<Row> = Vec::new();
    rows(context, &state, &found, &page.language, |row| shown.push(row))?;
    let manages = seat.may(Power::ManageQueries) && state.locked.is_none();
    drop(state);
    let forms =
        study.forms.iter().filter(|form| seat.sight(form.data_class.as_str()) > protocol::model::Sight::None);
    let list = QueriesPage {
        wanted: wanted(context),
        search: query.get("search").to_owned(),
        site: query.get("site").to_owned(),
        sites: seat.own_sites().map(|site| (site.id.to_string(), site.label.clone())).collect(),
        form: query.get("form").to_owned(),
        forms: forms.map(|form| (form.id.to_string(), form.title.get(&page.language).to_owned())).collect(),
        oldest: query.get("sort") == "oldest",
        closes: manages && shown.iter().any(|row| row.view.may_close),
        manages,
        rows: shown,
        from: if all == 0 { 0 } else { number * ON_A_PAGE + 1 },
        to: ((number + 1) * ON_A_PAGE).min(all),
        before: (number > 0).then(|| to_page(number - 1)),
        after: (number < last).then(|| to_page(number + 1)),
        export: format!("{path}.csv?{}", query.with(&[("page", "")])),
        all,
        path,
        page,
    };
    Ok(Reply::page(list.render()?))
}

fn row(
    context: &Context<'_>,
    exchanges: &BTreeMap<u64, Event>,
    seat: &Seat<'_>,
    casebook: &Casebook,
    query: &Query,
    language: &str,
) -> Row {
    let study = seat.study;
    let form = study.form(query.key.form.as_str());
    let item = form.and_then(|form| form.item(query.item.as_str()));
    let today = context.today(Some(&casebook.site));
    Row {
        subject: casebook.subject.to_string(),
        to: format!("{}#item-{}", form_path(study, casebook, &query.key), query.item),
        place: format!(
            "{}{}: {}",
            query
                .key
                .visit
                .as_ref()
                .map_or_else(String::new, |visit| format!("{} · ", study.visit_name(visit, language))),
            form.map_or("", |form| form.title.get(language)),
            item.map_or("", |item| item.label.get(language)),
        ),
        days: i64::from(terms::days_between(query.opened_on, today)),
        pick: format!("{}/{}", casebook.subject, query.id),
        view: view(exchanges, seat, casebook, query, language),
    }
}

/// The filtered list as a file.
pub fn export(context: &Context<'_>) -> Outcome {
    let mut text = String::from("query,participant,where,question,answer,asked_of,state,days\r\n");
    let (state, _, _, found) = found(context, None)?;
    rows(context, &state, &found, "en", |row| {
        let (view, days) = (&row.view, row.days.to_string());
        let fields =
            [&view.id, &row.subject, &row.place, &view.text, &view.answer, &view.asked, view.state, &days];
        text.push_str(&fields.map(|field| csv_field(field)).join(","));
        text.push_str("\r\n");
    })?;
    Ok(Reply::download("queries.csv", "text/csv; charset=utf-8", text.into_bytes()))
}

/// Closes the answered queries that were ticked in the list.
pub fn close_ticked(context: &Context<'_>) -> Outcome {
    let (running, seat) = context.seated()?;
    let mut wanted = Vec::new();
    {
        let state = running.state();
        for pick in context.request.form.all("pick") {
            let Some((subject, query)) = pick.split_once('/') else { continue };
            let casebook = state.casebook(subject).filter(|casebook| seat.sees_subject(casebook));
            let query = casebook.and_then(|casebook| {
                casebook.query(&QueryId::from(query)).filter(|query| seat.sees_query(casebook, query))
            });
            if let (Some(casebook), Some(query)) = (casebook, query) {
                wanted.push((casebook.subject.clone(), query.id.clone()));
            }
        }
    }
    if wanted.is_empty() {
        return Err(Failure::Bad("Tick one query at least.".to_owned()));
    }
    let (mut closed, mut kept) = (0, Vec::new());
    for (subject, query) in wanted {
        let id = query.to_string();
        let command = context.command(Some(&subject), None, None, Action::CloseQuery { query })?;
        match context.give(vec![command], None) {
            Ok(_) => closed += 1,
            Err(crate::running::CommandError::Refused(refusal)) => kept.push(format!("{id}: {refusal}")),
            Err(error) => return Err(error.into()),
        }
    }
    let mut said = vec![format!("Queries closed: {closed}.")];
    said.extend(kept);
    context.notice(said.join(" "));
    Ok(Reply::see(&format!("/studies/{}/queries?state=answered", segment(running.study().id.as_str()))))
}

/// Opens a query.
pub fn open(context: &Context<'_>) -> Outcome {
    let form = &context.request.form;
    let action = Action::OpenQuery {
        key: context.form_key()?,
        item: ItemId::from(form.get("item")),
        addressed_to: RoleId::from(form.get("of")),
        text: form.get("text").to_owned(),
    };
    give(context, action, "The query is open.", context.request.path.trim_end_matches("/queries"))
}

/// Answers a query.
pub fn answer(context: &Context<'_>) -> Outcome {
    let query = QueryId::from(context.request.param("query"));
    let text = context.request.form.get("text").to_owned();
    let back = back(context, &query)?;
    give(context, Action::AnswerQuery { query, text }, "The query is answered.", &back)
}

/// Closes a query.
pub fn close(context: &Context<'_>) -> Outcome {
    let query = QueryId::from(context.request.param("query"));
    let back = back(context, &query)?;
    give(context, Action::CloseQuery { query }, "The query is closed.", &back)
}

/// Opens a closed query again.
pub fn reopen(context: &Context<'_>) -> Outcome {
    let query = QueryId::from(context.request.param("query"));
    let text = context.request.form.get("text").to_owned();
    let back = back(context, &query)?;
    give(context, Action::ReopenQuery { query, text }, "The query is open again.", &back)
}

/// The page of the form that a query is about.
fn back(context: &Context<'_>, query: &QueryId) -> Result<String, Failure> {
    let (running, _) = context.seated()?;
    let state = context.state()?;
    let casebook = state.casebook(context.request.param("subject")).ok_or(Failure::NotFound)?;
    let query = casebook.query(query).ok_or(Failure::NotFound)?;
    Ok(form_path(running.study(), casebook, &query.key))
}

fn give(context: &Context<'_>, action: Action, said: &str, back: &str) -> Outcome {
    let subject = context.subject();
    let command = context.command(Some(&subject), None, None, action)?;
    context.give(vec![command], None)?;
    context.notice(said);
    Ok(Reply::see(back))
}
