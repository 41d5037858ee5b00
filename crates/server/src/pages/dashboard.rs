//! How the trial goes: enrolment against the plan, completeness, ageing of queries, safety. Counts alone, of what the
//! seat may see.

use std::collections::BTreeMap;

use askama::Template;
use terms::{Date, months_between};

use crate::{
    context::{Context, Failure, Outcome},
    http::{Reply, segment},
    lists::AGES,
    page::Page,
};

/// Ages of open queries in words, as they are counted.
const AGES_IN_WORDS: [&str; AGES.len()] = ["up to 7 days", "8 to 30 days", "over 30 days"];

#[derive(Default)]
struct SiteLine {
    label: String,
    consented: usize,
    entered: usize,
    visits_held: usize,
    visits_overdue: usize,
    forms: usize,
    forms_complete: usize,
    queries: [usize; AGES.len()],
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
    ages: [&'static str; AGES.len()],
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
    let mut sites: BTreeMap<String, SiteLine> = seat
        .own_sites()
        .map(|site| (site.id.to_string(), SiteLine { label: site.label.clone(), ..SiteLine::default() }))
        .collect();
    let safety = seat.reads("adverse_events");
    let mut entries: Vec<Date> = Vec::new();
    context.look(|_, lines| {
        for (site, _, one) in lines.iter() {
            let Some(line) = sites.get_mut(site.as_str()) else { continue };
            line.consented += 1;
            line.entered += usize::from(one.entered.is_some());
            entries.extend(one.entered);
            line.visits_held += usize::from(one.held);
            line.visits_overdue += usize::from(one.overdue);
            line.forms += usize::from(one.forms);
            line.forms_complete += usize::from(one.forms_complete);
            for (sum, count) in line.queries.iter_mut().zip(one.ages) {
                *sum += usize::from(count);
            }
            line.events += usize::from(one.events);
            line.serious += usize::from(one.serious);
        }
    })?;
    entries.sort_unstable();
    let view = DashboardPage {
        path: format!("/studies/{}", segment(study.id.as_str())),
        months: months(&entries),
        entered: entries.len(),
        target: study.target,
        sites: sites.into_values().collect(),
        ages: AGES_IN_WORDS,
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
    let mut by_month: BTreeMap<Date, usize> = BTreeMap::new();
    for date in entries {
        *by_month.entry(date.first_of_month()).or_default() += 1;
    }
    let of = |month: i32| {
        let start = terms::add_months(first.first_of_month(), month);
        (start, by_month.get(&start).copied().unwrap_or(0))
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
