//! Source verification: the plan, how far it has come, and the visits of the sample.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use conduct::{Action, Casebook, Cell, State, Walked, is_drawn, unverified};
use protocol::Study;
use record::{FormKey, Source};
use terms::{FormId, SiteId, SubjectId, VisitId};

use crate::{
    context::{Context, Failure, Outcome},
    course::subject_path,
    http::{Reply, segment},
    languages::translate,
    lists::small,
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
    /// Visits of the sample, and what people call them.
    rows: Vec<(Row, String)>,
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

/// Returns the visits of the sample with something left to verify, as the seat sees them, by path and name; for the start page.
pub fn waiting(seat: &Seat<'_>, state: &State, casebook: &Casebook, language: &str) -> Vec<(String, String)> {
    rows(seat, state, casebook)
        .into_iter()
        .filter(|row| row.open > 0)
        .map(|row| {
            let name = visit_name(seat.study, &row.visit, language);
            (row.path, name)
        })
        .collect()
}

/// What people call the visit of a row.
fn visit_name(study: &Study, visit: &str, language: &str) -> String {
    if visit == THROUGH {
        return translate(language, "Through the trial").to_owned();
    }
    study.visit_name(&VisitId::from(visit), language).to_owned()
}

/// Returns the visits of a participant that hold forms of the sample.
pub fn rows(seat: &Seat<'_>, state: &State, casebook: &Casebook) -> Vec<Row> {
    // Nothing is drawn without a plan, and to find that out no cell need be opened.
    if state.verification_plan.is_none() {
        return Vec::new();
    }
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

/// How far verification has come at a participant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Forms of the sample.
    pub drawn: u16,
    /// Those with something left to verify.
    pub left: u16,
    /// Those that lost a verification by a change.
    pub lost: u16,
    /// Visits of the sample: with something left, with nothing left, with a verification lost, all of them.
    pub visits: [u16; STANDINGS.len()],
}

/// What the list can be narrowed to; [`fits`] says which visits each leaves.
const STANDINGS: [&str; 4] = ["open", "done", "changed", "all"];

fn fits(standing: usize, row: &Row) -> bool {
    match STANDINGS[standing] {
        "open" => row.open > 0,
        "done" => row.open == 0,
        "changed" => row.lost > 0,
        _ => true,
    }
}

/// Says how far verification has come at a participant.
pub fn standing(seat: &Seat<'_>, state: &State, casebook: &Casebook) -> Standing {
    let rows = rows(seat, state, casebook);
    let sum = |of: &dyn Fn(&Row) -> usize| small(rows.iter().map(of).sum());
    Standing {
        drawn: sum(&|row| row.forms),
        left: sum(&|row| row.open),
        lost: sum(&|row| row.lost),
        visits: std::array::from_fn(|standing| small(rows.iter().filter(|row| fits(standing, row)).count())),
    }
}

fn sheet_path(seat: &Seat<'_>, casebook: &Casebook, visit: &str) -> String {
    format!("{}/sheet/{}", subject_path(seat.study, casebook), segment(visit))
}

/// Of participants with so many rows each, returns those with rows on a page, and how many rows of the first lie before it.
pub fn on_page(found: &[(&SubjectId, usize)], skip: usize, most: usize) -> (usize, Vec<SubjectId>) {
    let (mut before, mut ahead, mut shown) = (0, 0, Vec::new());
    for (subject, rows) in found {
        if shown.is_empty() && before + rows <= skip {
            before += rows;
        } else if ahead < skip + most {
            shown.push((*subject).clone());
        }
        ahead += rows;
    }
    (skip - before.min(skip), shown)
}

/// The plan, how far it has come at each site, and the visits of the sample.
pub fn show(context: &Context<'_>) -> Outcome {
    let (running, seat) = context.seated()?;
    let study = running.study();
    let page = Page::new(context, "Source verification");
    let query = &context.request.query;
    let site = SiteId::from(query.get("site"));
    let asked = query.get("standing");
    let standing = STANDINGS.iter().position(|standing| *standing == asked).unwrap_or(0);
    let asked = query.get("page").parse::<usize>().unwrap_or(1).max(1) - 1;
    let mut sites: BTreeMap<SiteId, SiteLine> = seat
        .own_sites()
        .map(|site| (site.id.clone(), SiteLine { label: site.label.clone(), ..SiteLine::default() }))
        .collect();
    let (state, all, number, shown) = context.look(|state, lines| {
        let mut found: Vec<(&SubjectId, usize)> = Vec::new();
        for (at, subject, line) in lines.iter() {
            let done = &line.verification;
            if let Some(line) = sites.get_mut(at) {
                line.drawn += usize::from(done.drawn);
                line.done += usize::from(done.drawn - done.left);
                line.lost += usize::from(done.lost);
            }
            let visits = usize::from(done.visits[standing]);
            if visits > 0 && (site.as_str().is_empty() || *at == site) {
                found.push((subject, visits));
            }
        }
        let all: usize = found.iter().map(|(_, visits)| visits).sum();
        let number = asked.min(all.saturating_sub(1) / ON_A_PAGE);
        (state.clone(), all, number, on_page(&found, number * ON_A_PAGE, ON_A_PAGE))
    })?;
    let (before_page, subjects) = shown;
    let rows = subjects
        .iter()
        .filter_map(|subject| state.casebook(subject.as_str()))
        .flat_map(|casebook| rows(seat, &state, &Walked::of(casebook)))
        .filter(|row| fits(standing, row))
        .skip(before_page)
        .take(ON_A_PAGE)
        .map(|row| {
            let name = visit_name(study, &row.visit, &page.language);
            (row, name)
        })
        .collect();
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
    let last = all.saturating_sub(1) / ON_A_PAGE;
    let path = format!("/studies/{}/verification", segment(study.id.as_str()));
    let to_page = |number: usize| format!("{path}?{}", query.with(&[("page", &(number + 1).to_string())]));
    let view = OverviewPage {
        plans: seat.may_take(access::Step::PlanVerification) && state.locked.is_none(),
        plan,
        forms,
        site_choices: seat.own_sites().map(|site| (site.id.to_string(), site.label.clone())).collect(),
        sites: sites.into_values().filter(|line| line.drawn > 0).collect(),
        site: site.to_string(),
        standing: STANDINGS[standing],
        from: if all == 0 { 0 } else { number * ON_A_PAGE + 1 },
        to: ((number + 1) * ON_A_PAGE).min(all),
        before: (number > 0).then(|| to_page(number - 1)),
        after: (number < last).then(|| to_page(number + 1)),
        rows,
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
