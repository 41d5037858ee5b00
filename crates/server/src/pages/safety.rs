//! The safety board's page: what is watched, how it stands, and the board's decisions.
//!
//! Counts are of all arms together: the page knows no arm. Only the board has it.

use askama::Template;
use conduct::{Action, State, WatchStep, WatchStepKind};
use protocol::model::{Study, Watch, WatchedCount};
use record::SafetyDecision;
use terms::WatchId;

use crate::{
    context::{Context, Failure, Outcome},
    course::subject_path,
    http::{Reply, segment},
    page::Page,
    pages::{account::prove, form::names},
};

struct Step {
    date: String,
    what: &'static str,
    count: String,
    about: String,
    why: String,
}

struct Watched {
    id: String,
    label: String,
    count: usize,
    treated: u32,
    held_to: String,
    counted: Vec<(String, String)>,
    open: bool,
    decides: bool,
    decision: Option<(String, String)>,
    steps: Vec<Step>,
}

#[derive(Template)]
#[template(path = "safety.html")]
struct SafetyPage {
    page: Page,
    path: String,
    watches: Vec<Watched>,
}

/// What is watched, and how it stands.
pub fn show(context: &Context<'_>) -> Outcome {
    let (running, seat) = context.seated()?;
    let study = running.study();
    let page = Page::new(context, "Safety board");
    let names = names(context)?;
    let state = running.state();
    let name = |person: &str| names.get(person).cloned().unwrap_or_else(|| person.to_owned());
    let decides = seat.may_take(access::Step::DecideOnSafety) && state.locked.is_none();
    let watches =
        study.watches.iter().map(|watch| watched(study, &state, watch, &page, decides, &name)).collect();
    drop(state);
    let path = format!("/studies/{}/safety", segment(study.id.as_str()));
    Ok(Reply::page(SafetyPage { page, path, watches }.render()?))
}

fn watched(
    study: &Study,
    state: &State,
    watch: &Watch,
    page: &Page,
    decides: bool,
    name: &dyn Fn(&str) -> String,
) -> Watched {
    let known = state.watches.get(&watch.id);
    let treated = state.treated();
    let limit = watch.counts.limit(treated);
    let held_to = match (&watch.counts, limit) {
        (WatchedCount::Events { .. }, Some(limit)) => limit.to_string(),
        (WatchedCount::Events { .. }, None) => "–".to_owned(),
        (WatchedCount::Data { looks, .. }, _) => {
            looks.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        }
    };
    let counted = known.into_iter().flat_map(|known| &known.counted).map(|subject| {
        let path = state.casebook(subject.as_str()).map(|casebook| subject_path(study, casebook));
        (path.unwrap_or_default(), subject.to_string())
    });
    let open = known.is_some_and(|known| known.undecided().next().is_some());
    let decision = known.and_then(|known| known.decision());
    Watched {
        id: watch.id.to_string(),
        label: watch.label.get(&page.language).to_owned(),
        count: known.map_or(0, |known| known.counted.len()),
        treated,
        held_to,
        counted: counted.collect(),
        open,
        decides: decides && known.is_some_and(|known| known.was_reached()),
        decision: decision
            .map(|(decision, since)| (page.t(word(decision)).to_owned(), since.date.to_string())),
        steps: known
            .into_iter()
            .flat_map(|known| known.steps.iter().rev())
            .map(|one| step(one, page, name))
            .collect(),
    }
}

fn step(step: &WatchStep, page: &Page, name: &dyn Fn(&str) -> String) -> Step {
    let (what, tally, about, why) = match &step.kind {
        WatchStepKind::Counted { subject, counts, tally } => {
            let what = if *counts { "came to count" } else { "counts no more" };
            (what, Some(tally), subject.to_string(), String::new())
        }
        WatchStepKind::Reached { look, tally, subjects } => {
            let subjects = subjects.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            let what = if look.is_some() { "planned look reached" } else { "boundary reached" };
            (what, Some(tally), subjects, String::new())
        }
        WatchStepKind::Decided { decision, by, why } => {
            let about = format!("{}, {}", page.t(word(*decision)), name(by.person.as_str()));
            ("the board decided", None, about, why.clone().unwrap_or_default())
        }
    };
    let limit = |limit: Option<u32>| limit.map_or_else(String::new, |limit| format!(" ({limit})"));
    Step {
        date: step.dated.date.to_string(),
        what,
        count: tally.map_or_else(String::new, |tally| {
            format!("{} / {}{}", tally.count, tally.treated, limit(tally.limit))
        }),
        about,
        why,
    }
}

fn word(decision: SafetyDecision) -> &'static str {
    match decision {
        SafetyDecision::Continue => "go on",
        SafetyDecision::Pause => "pause: nobody new enters",
        SafetyDecision::Stop => "stop: nobody new enters, nobody is given the drug",
    }
}

/// Signs a decision of the board, with its reason and the password.
pub fn decide(context: &Context<'_>) -> Outcome {
    let (running, _) = context.seated()?;
    let form = &context.request.form;
    let decision = match form.get("decision") {
        "continue" => SafetyDecision::Continue,
        "pause" => SafetyDecision::Pause,
        "stop" => SafetyDecision::Stop,
        _ => return Err(Failure::Bad("Choose how the trial goes on.".to_owned())),
    };
    prove(context)?;
    let watch = WatchId::from(context.request.param("watch"));
    let command = context.command(None, None, None, Action::DecideOnSafety { watch, decision })?;
    context.give(vec![command], None)?;
    context.notice("The decision is signed.");
    Ok(Reply::see(&format!("/studies/{}/safety", segment(running.study().id.as_str()))))
}
