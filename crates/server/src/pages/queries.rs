//! Queries: the list, and what is done with one.

use askama::Template;
use conduct::{Action, Casebook, Query};
use protocol::model::Power;
use record::{Fact, FormKey};
use terms::{ItemId, QueryId, RoleId};

use crate::{
    context::{Context, Failure, Outcome},
    course::{form_path, subject_path},
    http::{Reply, segment},
    page::Page,
    running::RunningStudy,
    seat::Seat,
};

/// Queries on a page of the list.
const ON_A_PAGE: usize = 50;

/// A query on a page.
pub struct QueryView {
    /// Its id.
    pub id: String,
    /// The question.
    pub text: String,
    /// The last answer.
    pub answer: String,
    /// `open`, `answered` or `closed`.
    pub state: &'static str,
    /// Who is asked.
    pub asked: String,
    /// The path below which it is answered and closed.
    pub path: String,
    /// Whether the seat may answer.
    pub may_answer: bool,
    /// Whether the seat may close it.
    pub may_close: bool,
}

struct Row {
    view: QueryView,
    subject: String,
    to: String,
    place: String,
    days: i64,
}

#[derive(Template)]
#[template(path = "queries.html")]
struct QueriesPage {
    page: Page,
    path: String,
    wanted: String,
    rows: Vec<Row>,
    all: usize,
    from: usize,
    to: usize,
    before: Option<String>,
    after: Option<String>,
}

fn state_of(query: &Query) -> &'static str {
    match (query.closed, query.answered) {
        (Some(_), _) => "closed",
        (None, Some(_)) => "answered",
        (None, None) => "open",
    }
}

fn text_of(running: &RunningStudy, sequence: u64) -> String {
    match running.event(sequence).map(|event| event.fact) {
        Some(Fact::QueryOpened { text, .. } | Fact::QueryAnswered { text, .. }) => {
            text.get().cloned().unwrap_or_default()
        }
        _ => String::new(),
    }
}

fn view(running: &RunningStudy, seat: &Seat<'_>, casebook: &Casebook, query: &Query) -> QueryView {
    let study = seat.study;
    let open = query.closed.is_none();
    let asked = study.role(query.addressed_to.as_str());
    QueryView {
        id: query.id.to_string(),
        text: text_of(running, query.opened),
        answer: query.answered.map_or_else(String::new, |answered| text_of(running, answered)),
        state: state_of(query),
        asked: asked.map_or_else(String::new, |role| role.label.en().to_owned()),
        path: format!("{}/queries/{}", subject_path(study, casebook), segment(query.id.as_str())),
        may_answer: open && (query.addressed_to == seat.role.id || seat.may(Power::AnswerQueries)),
        may_close: open && query.answered.is_some() && seat.may(Power::ManageQueries),
    }
}

/// Returns the queries on an item that the seat sees, open ones and the last closed one.
pub fn of_item(
    running: &RunningStudy,
    seat: &Seat<'_>,
    casebook: &Casebook,
    key: &FormKey,
    item: &ItemId,
) -> Vec<QueryView> {
    casebook
        .queries
        .iter()
        .filter(|query| query.key == *key && query.item == *item && query.closed.is_none())
        .filter(|query| seat.sees_query(casebook, query))
        .map(|query| view(running, seat, casebook, query))
        .collect()
}

/// The list: open ones first asked first, filtered by state.
pub fn list(context: &Context<'_>) -> Outcome {
    let (running, seat) = context.seated()?;
    let page = Page::new(context, "Queries");
    let study = running.study();
    let query = &context.request.query;
    let wanted = match query.get("state") {
        state @ ("answered" | "closed" | "all" | "mine") => state,
        _ => "open",
    };
    let state = running.state();
    let found: Vec<(&Casebook, &Query)> = seat
        .subjects(&state)
        .flat_map(|casebook| casebook.queries.iter().map(move |query| (casebook, query)))
        .filter(|(_, query)| match wanted {
            "all" => true,
            "mine" => query.closed.is_none() && query.addressed_to == seat.role.id,
            wanted => state_of(query) == wanted,
        })
        .filter(|(casebook, query)| seat.sees_query(casebook, query))
        .collect();
    let all = found.len();
    let last = all.saturating_sub(1) / ON_A_PAGE;
    let number = query.get("page").parse::<usize>().unwrap_or(1).clamp(1, last + 1) - 1;
    let path = format!("/studies/{}/queries", segment(study.id.as_str()));
    let to_page = |number: usize| format!("{path}?{}", query.with(&[("page", &(number + 1).to_string())]));
    let today = context.today(None);
    let rows = found
        .into_iter()
        .skip(number * ON_A_PAGE)
        .take(ON_A_PAGE)
        .map(|(casebook, query)| {
            let form = study.form(query.key.form.as_str());
            let item = form.and_then(|form| form.item(query.item.as_str()));
            let opened = running.event(query.opened).map(|event| event.recorded.local_date);
            Row {
                subject: casebook.subject.to_string(),
                to: format!("{}#item-{}", form_path(study, casebook, &query.key), query.item),
                place: format!(
                    "{}{}: {}",
                    query.key.visit.as_ref().map_or_else(String::new, |visit| format!("{visit} · ")),
                    form.map_or("", |form| form.title.get(&page.language)),
                    item.map_or("", |item| item.label.get(&page.language)),
                ),
                days: opened.map_or(0, |opened| i64::from(terms::days_between(opened, today))),
                view: view(running, seat, casebook, query),
            }
        })
        .collect();
    drop(state);
    let list = QueriesPage {
        wanted: wanted.to_owned(),
        rows,
        from: if all == 0 { 0 } else { number * ON_A_PAGE + 1 },
        to: ((number + 1) * ON_A_PAGE).min(all),
        before: (number > 0).then(|| to_page(number - 1)),
        after: (number < last).then(|| to_page(number + 1)),
        all,
        path,
        page,
    };
    Ok(Reply::page(list.render()?))
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

/// The page of the form that a query is about.
fn back(context: &Context<'_>, query: &QueryId) -> Result<String, Failure> {
    let (running, _) = context.seated()?;
    let state = running.state();
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
