//! The list of participants: filter, sort, page, export.

use askama::Template;
use conduct::{Casebook, State};
use terms::Date;

use crate::{
    context::{Context, Outcome},
    course::{Standing, status, subject_path, visits},
    http::{Reply, segment},
    page::Page,
    seat::Seat,
};

/// Participants on a page.
const ON_A_PAGE: usize = 50;
/// What the list can be sorted by.
const COLUMNS: &[(&str, &str)] = &[
    ("number", "Participant"),
    ("site", "Site"),
    ("status", "Status"),
    ("next", "Next visit"),
    ("forms", "Forms open"),
    ("queries", "Queries"),
];

struct Row {
    path: String,
    subject: String,
    site: String,
    status: &'static str,
    next: String,
    next_day: Date,
    standing: &'static str,
    forms: usize,
    queries: usize,
}

struct Head {
    label: &'static str,
    href: String,
    sorted: &'static str,
}

#[derive(Template)]
#[template(path = "participants.html")]
struct ParticipantsPage {
    page: Page,
    path: String,
    search: String,
    status: String,
    site: String,
    statuses: Vec<&'static str>,
    sites: Vec<(String, String)>,
    heads: Vec<Head>,
    rows: Vec<Row>,
    all: usize,
    from: usize,
    to: usize,
    before: Option<String>,
    after: Option<String>,
    export: String,
    course: bool,
}

fn row(seat: &Seat<'_>, casebook: &Casebook, today: Date, language: &str) -> Row {
    let lines = visits(seat, casebook, today, language);
    let awaited =
        |standing| matches!(standing, Standing::Overdue | Standing::Due | Standing::Next | Standing::Later);
    let next = lines.iter().find(|line| awaited(line.standing));
    let open = lines.iter().flat_map(|line| &line.forms).filter(|form| !form.filled.is_done());
    let queries =
        casebook.queries.iter().filter(|query| query.closed.is_none() && seat.sees_query(casebook, query));
    let site = seat.study.site(casebook.site.as_str()).map_or("", |site| site.label.as_str());
    Row {
        path: subject_path(seat.study, casebook),
        subject: casebook.subject.to_string(),
        site: site.to_owned(),
        status: status_for(seat, casebook),
        next: next.map_or_else(String::new, |line| format!("{} {}", line.label, line.planned)),
        next_day: next.and_then(|line| line.window).map_or(Date::MAX, |(first, _)| first),
        standing: next.map_or("", |line| line.standing.label()),
        forms: open.count(),
        queries: queries.count(),
    }
}

/// How far a participant has come, for who follows the course.
fn status_for(seat: &Seat<'_>, casebook: &Casebook) -> &'static str {
    if seat.follows_course() { status(seat.study, casebook) } else { "" }
}

/// A list in order, of which rows are made only as far as they are shown.
enum Listed<'s> {
    /// In an order that the casebooks give by themselves.
    Casebooks(Vec<&'s Casebook>),
    /// In an order that only the rows give.
    Rows(Vec<Row>),
}

impl<'s> Listed<'s> {
    /// Lists the participants after filters.
    fn of(context: &Context<'_>, state: &'s State, seat: &'s Seat<'_>, language: &str) -> Self {
        let query = &context.request.query;
        let (search, wanted, site) =
            (query.get("search").to_lowercase(), query.get("status"), query.get("site"));
        let mut found: Vec<&Casebook> = seat
            .subjects(state)
            .filter(|casebook| site.is_empty() || casebook.site == *site)
            .filter(|casebook| casebook.subject.as_str().to_lowercase().contains(&search))
            .filter(|casebook| wanted.is_empty() || status_for(seat, casebook) == wanted)
            .collect();
        let sort = query.get("sort");
        let label = |casebook: &Casebook| {
            seat.study.site(casebook.site.as_str()).map_or("", |site| site.label.as_str())
        };
        let mut listed = match sort {
            "next" | "forms" | "queries" => {
                let today = today(context, seat);
                let mut rows: Vec<Row> =
                    found.into_iter().map(|casebook| row(seat, casebook, today, language)).collect();
                match sort {
                    "next" => rows.sort_by_key(|row| row.next_day),
                    "forms" => rows.sort_by_key(|row| std::cmp::Reverse(row.forms)),
                    _ => rows.sort_by_key(|row| std::cmp::Reverse(row.queries)),
                }
                Listed::Rows(rows)
            }
            "site" => {
                found.sort_by(|one, other| label(one).cmp(label(other)));
                Listed::Casebooks(found)
            }
            "status" => {
                found.sort_by_key(|casebook| status_for(seat, casebook));
                Listed::Casebooks(found)
            }
            // Whatever else was sent is no column: the list stays by number.
            _ => Listed::Casebooks(found),
        };
        if query.get("order") == "down" {
            match &mut listed {
                Listed::Casebooks(all) => all.reverse(),
                Listed::Rows(all) => all.reverse(),
            }
        }
        listed
    }

    fn len(&self) -> usize {
        match self {
            Listed::Casebooks(all) => all.len(),
            Listed::Rows(all) => all.len(),
        }
    }

    /// Makes some of the rows.
    fn rows(self, seat: &Seat<'_>, today: Date, language: &str, skip: usize, most: usize) -> Vec<Row> {
        match self {
            Listed::Casebooks(all) => all
                .into_iter()
                .skip(skip)
                .take(most)
                .map(|casebook| row(seat, casebook, today, language))
                .collect(),
            Listed::Rows(all) => all.into_iter().skip(skip).take(most).collect(),
        }
    }
}

fn today(context: &Context<'_>, seat: &Seat<'_>) -> Date {
    context.today(seat.own_sites().next().map(|site| &site.id))
}

/// The list.
pub fn list(context: &Context<'_>) -> Outcome {
    let (running, seat) = context.seated()?;
    let page = Page::new(context, "Participants");
    let query = &context.request.query;
    let state = running.state();
    let listed = Listed::of(context, &state, seat, &page.language);
    let all = listed.len();
    let last = all.saturating_sub(1) / ON_A_PAGE;
    let number = query.get("page").parse::<usize>().unwrap_or(1).clamp(1, last + 1) - 1;
    let path = format!("/studies/{}/participants", segment(running.study().id.as_str()));
    let to_page = |number: usize| format!("{path}?{}", query.with(&[("page", &(number + 1).to_string())]));
    let sort = query.get("sort");
    let sort = if COLUMNS.iter().any(|(column, _)| *column == sort) { sort } else { "number" };
    let heads = COLUMNS
        .iter()
        .map(|(column, label)| {
            let (here, down) = (*column == sort, query.get("order") == "down");
            let order = if here && !down { "down" } else { "" };
            let href = format!("{path}?{}", query.with(&[("sort", column), ("order", order), ("page", "")]));
            let sorted = match (here, down) {
                (true, false) => "ascending",
                (true, true) => "descending",
                (false, _) => "none",
            };
            Head { label, href, sorted }
        })
        .collect();
    let export = format!("{path}.csv?{}", query.with(&[("page", "")]));
    let list = ParticipantsPage {
        search: query.get("search").to_owned(),
        status: query.get("status").to_owned(),
        site: query.get("site").to_owned(),
        statuses: vec![
            "consented",
            "in screening",
            "not eligible",
            "enrolled",
            "ready to randomise",
            "randomised",
            "on treatment",
            "off treatment",
            "completed",
            "ended early",
        ],
        sites: seat.own_sites().map(|site| (site.id.to_string(), site.label.clone())).collect(),
        heads,
        from: if all == 0 { 0 } else { number * ON_A_PAGE + 1 },
        to: ((number + 1) * ON_A_PAGE).min(all),
        before: (number > 0).then(|| to_page(number - 1)),
        after: (number < last).then(|| to_page(number + 1)),
        rows: listed.rows(seat, today(context, seat), &page.language, number * ON_A_PAGE, ON_A_PAGE),
        all,
        export,
        course: seat.follows_course(),
        path,
        page,
    };
    Ok(Reply::page(list.render()?))
}

/// The list as a file, all of it.
pub fn export(context: &Context<'_>) -> Outcome {
    let mut text = String::from("participant,site,status,next_visit,forms_open,queries_open\r\n");
    let (running, seat) = context.seated()?;
    let state = running.state();
    let listed = Listed::of(context, &state, seat, "en");
    for row in listed.rows(seat, today(context, seat), "en", 0, usize::MAX) {
        let numbers = [row.forms.to_string(), row.queries.to_string()];
        let fields = [&row.subject, &row.site, row.status, &row.next, &numbers[0], &numbers[1]];
        text.push_str(&fields.map(csv_field).join(","));
        text.push_str("\r\n");
    }
    Ok(Reply::download("participants.csv", "text/csv; charset=utf-8", text.into_bytes()))
}

/// Writes a field of a CSV file (RFC 4180). What a spreadsheet would take for a formula is marked as text.
pub fn csv_field(text: &str) -> String {
    let guarded =
        if text.starts_with(['=', '+', '-', '@', '\t']) { format!("'{text}") } else { text.to_owned() };
    if guarded.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", guarded.replace('"', "\"\""))
    } else {
        guarded
    }
}

#[cfg(test)]
mod tests {
    use super::csv_field;

    #[test]
    fn a_spreadsheet_takes_no_field_for_a_formula() {
        assert_eq!(csv_field("=1+1"), "'=1+1");
        assert_eq!(csv_field("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(csv_field("05-003"), "05-003");
    }
}
