//! Source verification: the plan, how far it has come, and the visits of the sample.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use conduct::{Action, Casebook, Cell, State, is_drawn, unverified};
use record::{FormKey, Source};
use terms::{FormId, SiteId, VisitId};

use crate::{
    context::{Context, Failure, Outcome},
    course::subject_path,
    http::{Reply, segment},
    page::Page,
    seat::{Seat, Shown},
};

/// Visits on a page of the list.
const ON_A_PAGE: usize = 50;
/// The place in a path of forms that run through the trial.
pub const THROUGH: &str = "-";

/// How far the plan has come at a site.
#[derive(Default)]
struct SiteLine {
    label: String,
    drawn: usize,
    done: usize,
    lost: usize,
}

/// A visit of the sample.
pub struct Row {
    /// Its sheet.
    pub path: String,
    subject: String,
    site: String,
    /// The visit, or [`THROUGH`].
    pub visit: String,
    forms: usize,
    /// Forms with something left to verify.
    pub open: usize,
    lost: usize,
}

struct Plan {
    percent: u8,
    first: u32,
    seed: u64,
    always: String,
}

#[derive(Template)]
#[template(path = "verification.html")]
struct OverviewPage {
    page: Page,
    path: String,
    plan: Option<Plan>,
    plans: bool,
    forms: Vec<(String, String, bool)>,
    sites: Vec<SiteLine>,
    site_choices: Vec<(String, String)>,
    site: String,
    standing: &'static str,
    rows: Vec<Row>,
    all: usize,
    from: usize,
    to: usize,
    before: Option<String>,
    after: Option<String>,
}

/// Returns the forms of a participant that hold entries which the seat reads, by visit.
pub fn places(seat: &Seat<'_>, casebook: &Casebook) -> BTreeMap<Option<VisitId>, Vec<FormKey>> {
    let mut places: BTreeMap<Option<VisitId>, Vec<FormKey>> = BTreeMap::new();
    for (key, filled) in &casebook.forms {
        let entered = filled.cells.values().any(|cell| cell.current().source == Source::Entered);
        if entered && seat.form(casebook, key) == Shown::Yes {
            places.entry(key.visit.clone()).or_default().push(key.clone());
        }
    }
    places
}

/// Returns the visits of the sample with something left to verify, as the seat sees them; for the start page.
pub fn waiting(seat: &Seat<'_>, state: &State, casebook: &Casebook) -> Vec<(String, String)> {
    rows(seat, state, casebook)
        .into_iter()
        .filter(|row| row.open > 0)
        .map(|row| (row.path, row.visit))
        .collect()
}

/// Returns the visits of a participant that hold forms of the sample.
pub fn rows(seat: &Seat<'_>, state: &State, casebook: &Casebook) -> Vec<Row> {
    let study = seat.study;
    let lost = |key: &FormKey| {
        casebook.forms.get(key).is_some_and(|form| form.cells.values().any(Cell::has_lost_verification))
    };
    places(seat, casebook)
        .into_iter()
        .filter_map(|(visit, keys)| {
            let drawn: Vec<&FormKey> =
                keys.iter().filter(|key| is_drawn(study, state, casebook, key)).collect();
            let of = visit.as_ref().map_or(THROUGH, VisitId::as_str);
            (!drawn.is_empty()).then(|| Row {
                path: sheet_path(seat, casebook, of),
                subject: casebook.subject.to_string(),
                site: casebook.site.to_string(),
                visit: of.to_owned(),
                forms: drawn.len(),
                open: drawn.iter().filter(|key| unverified(casebook, key).next().is_some()).count(),
                lost: drawn.iter().filter(|key| lost(key)).count(),
            })
        })
        .collect()
}

fn sheet_path(seat: &Seat<'_>, casebook: &Casebook, visit: &str) -> String {
    format!("{}/sheet/{}", subject_path(seat.study, casebook), segment(visit))
}

/// The plan, how far it has come at each site, and the visits of the sample.
pub fn show(context: &Context<'_>) -> Outcome {
    let (running, seat) = context.seated()?;
    let study = running.study();
    let page = Page::new(context, "Source verification");
    let query = &context.request.query;
    let site = SiteId::from(query.get("site"));
    let standing = match query.get("standing") {
        "all" => "all",
        "done" => "done",
        "changed" => "changed",
        _ => "open",
    };
    let state = running.state();
    let mut sites: BTreeMap<SiteId, SiteLine> = seat
        .own_sites()
        .map(|site| (site.id.clone(), SiteLine { label: site.label.clone(), ..SiteLine::default() }))
        .collect();
    let mut found = Vec::new();
    for casebook in seat.subjects(&state) {
        for row in rows(seat, &state, casebook) {
            if let Some(line) = sites.get_mut(&casebook.site) {
                line.drawn += row.forms;
                line.done += row.forms - row.open;
                line.lost += row.lost;
            }
            let wanted = match standing {
                "open" => row.open > 0,
                "done" => row.open == 0,
                "changed" => row.lost > 0,
                _ => true,
            };
            if wanted && (site.as_str().is_empty() || casebook.site == site) {
                found.push(row);
            }
        }
    }
    let plan = state.verification_plan.as_ref().map(|plan| Plan {
        percent: plan.percent,
        first: plan.first_subjects,
        seed: plan.seed,
        always: plan
            .always
            .iter()
            .filter_map(|form| Some(study.form(form.as_str())?.title.get(&page.language)))
            .collect::<Vec<_>>()
            .join(", "),
    });
    let always: BTreeSet<&FormId> = state.verification_plan.iter().flat_map(|plan| &plan.always).collect();
    let forms = study
        .forms
        .iter()
        .filter(|form| conduct::verified_by(study, form.id.as_str()).next().is_some())
        .map(|form| {
            (form.id.to_string(), form.title.get(&page.language).to_owned(), always.contains(&form.id))
        })
        .collect();
    let all = found.len();
    let last = all.saturating_sub(1) / ON_A_PAGE;
    let number = query.get("page").parse::<usize>().unwrap_or(1).clamp(1, last + 1) - 1;
    let path = format!("/studies/{}/verification", segment(study.id.as_str()));
    let to_page = |number: usize| format!("{path}?{}", query.with(&[("page", &(number + 1).to_string())]));
    let view = OverviewPage {
        plans: seat.may_take(access::Step::PlanVerification) && state.locked.is_none(),
        plan,
        forms,
        site_choices: seat.own_sites().map(|site| (site.id.to_string(), site.label.clone())).collect(),
        sites: sites.into_values().filter(|line| line.drawn > 0).collect(),
        site: site.to_string(),
        standing,
        from: if all == 0 { 0 } else { number * ON_A_PAGE + 1 },
        to: ((number + 1) * ON_A_PAGE).min(all),
        before: (number > 0).then(|| to_page(number - 1)),
        after: (number < last).then(|| to_page(number + 1)),
        rows: found.into_iter().skip(number * ON_A_PAGE).take(ON_A_PAGE).collect(),
        all,
        path,
        page,
    };
    drop(state);
    Ok(Reply::page(view.render()?))
}

/// Plans which part is verified, and draws the sample's seed.
pub fn plan(context: &Context<'_>) -> Outcome {
    let form = &context.request.form;
    let number = |name: &str, most: u32| {
        let number = form.get(name).parse::<u32>().ok().filter(|number| *number <= most);
        number.ok_or_else(|| Failure::Bad("Type whole numbers: a share from 0 to 100.".to_owned()))
    };
    let action = Action::PlanVerification {
        percent: u8::try_from(number("percent", 100)?).unwrap_or(100),
        first_subjects: number("first", 10_000)?,
        always: form.all("always").map(FormId::from).collect(),
    };
    let command = context.command(None, None, None, action)?;
    context.give(vec![command], None)?;
    context.notice("The plan is in force, and its sample is drawn.");
    Ok(Reply::see(&context.request.path))
}
