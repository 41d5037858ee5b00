//! The list of participants: filter, sort, page, export.

use askama::Template;
use protocol::model::Study;
use terms::{Date, SiteId, SubjectId};

use crate::{
    context::{Context, Outcome},
    http::{Reply, segment},
    lists::{Line, QueryState},
    page::Page,
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

fn row(study: &Study, site: &SiteId, subject: &SubjectId, line: &Line, language: &str) -> Row {
    let next = line.next.map_or_else(String::new, |next| {
        let label = study.visits[usize::from(next.visit)].label.get(language);
        let planned = match next.window {
            Some((first, last)) if first == last => first.to_string(),
            Some((first, last)) => format!("{first} – {last}"),
            None => String::new(),
        };
        format!("{label} {planned}")
    });
    let id = segment(study.id.as_str());
    Row {
        path: format!("/studies/{id}/participants/{}", segment(subject.as_str())),
        subject: subject.to_string(),
        site: label(study, site).to_owned(),
        status: line.status,
        next,
        standing: line.next.map_or("", |next| next.standing.label()),
        forms: usize::from(line.forms - line.forms_complete),
        queries: queries(line) as usize,
    }
}

fn label<'a>(study: &'a Study, site: &SiteId) -> &'a str {
    study.site(site.as_str()).map_or("", |site| site.label.as_str())
}

/// Open queries, answered ones included.
fn queries(line: &Line) -> u32 {
    line.queries(|asked| asked.state != QueryState::Closed).count
}

/// Lists the participants after filters, in the order asked for: all their number, and the rows of one page or of all.
fn listed(
    context: &Context<'_>,
    language: &str,
    (skip, most): (usize, usize),
) -> Result<(usize, Vec<Row>), crate::context::Failure> {
    let (running, _) = context.seated()?;
    let study = running.study();
    let query = &context.request.query;
    let (search, wanted, site) = (query.get("search").to_lowercase(), query.get("status"), query.get("site"));
    context.look(|_, lines| {
        let mut found: Vec<(&SiteId, &SubjectId, &Line)> = lines
            .iter()
            .filter(|(at, _, _)| site.is_empty() || **at == *site)
            .filter(|(_, subject, _)| search.is_empty() || subject.as_str().to_lowercase().contains(&search))
            .filter(|(_, _, line)| wanted.is_empty() || line.status == wanted)
            .collect();
        let first_day =
            |line: &Line| line.next.and_then(|next| next.window).map_or(Date::MAX, |(first, _)| first);
        match query.get("sort") {
            "next" => found.sort_by_key(|(_, _, line)| first_day(line)),
            "forms" => found.sort_by_key(|(_, _, line)| std::cmp::Reverse(line.forms - line.forms_complete)),
            "queries" => found.sort_by_key(|(_, _, line)| std::cmp::Reverse(queries(line))),
            "site" => found.sort_by_key(|(site, _, _)| label(study, site)),
            "status" => found.sort_by_key(|(_, _, line)| line.status),
            // Whatever else was sent is no column: the list stays by number.
            _ => {}
        }
        if query.get("order") == "down" {
            found.reverse();
        }
        let rows = found.iter().skip(skip).take(most);
        (found.len(), rows.map(|(site, subject, line)| row(study, site, subject, line, language)).collect())
    })
}

/// The list.
pub fn list(context: &Context<'_>) -> Outcome {
    let (running, seat) = context.seated()?;
    let page = Page::new(context, "Participants");
    let query = &context.request.query;
    let asked = query.get("page").parse::<usize>().unwrap_or(1).max(1) - 1;
    let of_page =
        |number: usize| listed(context, &page.language, (number.saturating_mul(ON_A_PAGE), ON_A_PAGE));
    let (mut all, mut rows) = of_page(asked)?;
    let last = all.saturating_sub(1) / ON_A_PAGE;
    let number = asked.min(last);
    if number < asked {
        (all, rows) = of_page(number)?;
    }
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
        rows,
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
    for row in listed(context, "en", (0, usize::MAX))?.1 {
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
