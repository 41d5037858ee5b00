//! How the trial goes: enrolment against the plan, completeness, ageing of queries, safety. Counts alone, of what the
//! seat may see.

use std::collections::BTreeMap;

use askama::Template;
use conduct::adverse_events;
use terms::{Date, days_between, months_between};

use crate::{
    context::{Context, Failure, Outcome},
    course::{Standing, visits},
    http::{Reply, segment},
    page::Page,
};

/// Ages of open queries in days, by which they are counted.
const AGES: [(i32, &str); 3] = [(7, "up to 7 days"), (30, "8 to 30 days"), (i32::MAX, "over 30 days")];

#[derive(Default)]
struct SiteLine {
    label: String,
    consented: usize,
    entered: usize,
    visits_held: usize,
    visits_overdue: usize,
    forms: usize,
    forms_complete: usize,
    queries: [usize; 3],
    serious: usize,
    events: usize,
}

impl SiteLine {
    fn share(&self) -> String {
        if self.forms == 0 {
            return String::new();
        }
        // Rounded down, so that 100 % means all.
        format!("{} %", self.forms_complete * 100 / self.forms)
    }
}

struct Month {
    label: String,
    entered: usize,
    width: usize,
}

#[derive(Template)]
#[template(path = "dashboard.html")]
struct DashboardPage {
    page: Page,
    path: String,
    sites: Vec<SiteLine>,
    months: Vec<Month>,
    entered: usize,
    target: u32,
    ages: [&'static str; 3],
    safety: bool,
    queries: bool,
}

/// The dashboard.
pub fn show(context: &Context<'_>) -> Outcome {
    let (running, seat) = context.seated()?;
    if !seat.follows_course() {
        return Err(Failure::NotFound);
    }
    let study = running.study();
    let page = Page::new(context, "How it goes");
    let state = running.state();
    let mut sites: BTreeMap<String, SiteLine> = seat
        .own_sites()
        .map(|site| (site.id.to_string(), SiteLine { label: site.label.clone(), ..SiteLine::default() }))
        .collect();
    let safety = seat.reads("adverse_events");
    let mut entries: Vec<Date> = Vec::new();
    for casebook in seat.subjects(&state) {
        let Some(line) = sites.get_mut(casebook.site.as_str()) else { continue };
        let today = context.today(Some(&casebook.site));
        line.consented += 1;
        let entered = match &study.allocation {
            Some(_) => casebook.allocated.as_ref().map(|place| place.randomised.date),
            None => casebook.enrolled.map(|dated| dated.date),
        };
        line.entered += usize::from(entered.is_some());
        entries.extend(entered);
        for visit in visits(seat, casebook, today, &page.language) {
            line.visits_held += usize::from(visit.standing == Standing::Held);
            line.visits_overdue += usize::from(visit.standing == Standing::Overdue);
            line.forms += visit.forms.len();
            line.forms_complete += visit.forms.iter().filter(|form| form.filled.is_done()).count();
        }
        for query in casebook.queries.iter().filter(|query| query.closed.is_none()) {
            if !seat.sees_query(casebook, query) {
                continue;
            }
            let age = days_between(query.opened_on, today);
            let class = AGES.iter().position(|(most, _)| age <= *most).unwrap_or(AGES.len() - 1);
            line.queries[class] += 1;
        }
        if safety {
            let events = adverse_events(study, casebook);
            line.events += events.len();
            line.serious += events.iter().filter(|event| event.serious == Some(true)).count();
        }
    }
    drop(state);
    entries.sort_unstable();
    let view = DashboardPage {
        path: format!("/studies/{}", segment(study.id.as_str())),
        months: months(&entries),
        entered: entries.len(),
        target: study.target,
        sites: sites.into_values().collect(),
        ages: AGES.map(|(_, label)| label),
        safety,
        queries: seat.reads("queries"),
        page,
    };
    Ok(Reply::page(view.render()?))
}

/// Entries by month from the first to the last, with the running total's share of the greatest month as a width.
fn months(entries: &[Date]) -> Vec<Month> {
    let (Some(first), Some(last)) = (entries.first(), entries.last()) else { return Vec::new() };
    let count = months_between(first.first_of_month(), last.first_of_month()).max(0) + 1;
    let of = |month: i32| {
        let start = terms::add_months(first.first_of_month(), month);
        let number = entries.iter().filter(|date| date.first_of_month() == start).count();
        (start, number)
    };
    let all: Vec<(Date, usize)> = (0..count).map(of).collect();
    let most = all.iter().map(|(_, number)| *number).max().unwrap_or(1).max(1);
    all.into_iter()
        .map(|(start, entered)| Month {
            label: start.strftime("%Y-%m").to_string(),
            entered,
            width: entered * 100 / most,
        })
        .collect()
}
