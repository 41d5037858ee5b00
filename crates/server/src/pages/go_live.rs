//! Going live: what is missing as a list to work off, and the steps by which it comes.
//!
//! What is missing is decided by `conduct`; a step that comes too early is refused there, whatever a page offers.

use std::{collections::BTreeMap, fs};

use askama::Template;
use conduct::{APPROVERS_MIN, Action, State, forms_without_wording, study_parts};
use protocol::{content_pack, model::Study};
use record::{Fact, StudyPart};
use terms::{Date, SiteId};

use crate::{
    context::{Context, Failure, Outcome},
    http::{Reply, segment},
    page::Page,
    pages::{
        account::prove,
        form::{names, site_moment},
        signature::barred,
    },
    running::RunningStudy,
};

/// A line of the list.
struct Point {
    label: &'static str,
    done: bool,
    /// Who did it and when, or what is missing.
    says: Vec<String>,
}

struct SiteLine {
    id: String,
    label: String,
    ethics: Option<(String, String)>,
    live: Option<String>,
}

#[derive(Template)]
#[template(path = "go_live.html")]
struct GoLivePage {
    page: Page,
    path: String,
    version: String,
    standing: &'static str,
    points: Vec<Point>,
    sites: Vec<SiteLine>,
    complete: bool,
    tests: bool,
    /// Parts that the person may approve now.
    approves: Vec<&'static str>,
    administers: bool,
    wordings: Vec<String>,
    today: String,
}

/// How far the study has come, in a word.
fn standing(study: &Study, state: &State) -> &'static str {
    let approved = state.preparation.is_complete(study);
    match (state.preparation.test_of(study).is_some(), approved, state.sites.is_empty()) {
        (_, true, false) => "live",
        (_, true, true) => "approved",
        (true, false, _) => "tested",
        (false, ..) => "draft",
    }
}

/// What a part is called in a form.
fn part_name(part: StudyPart) -> &'static str {
    match part {
        StudyPart::Eligibility => "eligibility",
        StudyPart::Schedule => "schedule",
        StudyPart::Allocation => "allocation",
    }
}

/// What a part is called in the list.
fn part_label(part: StudyPart) -> &'static str {
    match part {
        StudyPart::Eligibility => "The eligibility rules are approved by two people",
        StudyPart::Schedule => "The schedule and its forms are approved by two people",
        StudyPart::Allocation => "The allocation is approved by two people",
    }
}

fn points(running: &RunningStudy, state: &State, names: &BTreeMap<String, String>) -> Vec<Point> {
    let study = running.study();
    let said = |sequence: u64| {
        let event = running.event(sequence)?;
        let person = event.by.person.as_str();
        let name = names.get(person).map_or(person, String::as_str);
        let words = match &event.fact {
            Fact::StudyTested { evidence } => evidence.get().cloned(),
            _ => None,
        };
        let words = words.map_or_else(String::new, |words| format!(": {words}"));
        Some(format!("{name}, {}{words}", site_moment(&event.recorded)))
    };
    let tested = state.preparation.test_of(study);
    let mut all = vec![Point {
        label: "The study was tested",
        done: tested.is_some(),
        says: tested.and_then(|(_, tested)| said(tested.sequence)).into_iter().collect(),
    }];
    if study.allocation.is_some() {
        let sealed = state.allocation.as_ref();
        all.push(Point {
            label: "The allocation list is sealed",
            done: sealed.is_some(),
            says: sealed.and_then(|sealed| said(sealed.sequence)).into_iter().collect(),
        });
    }
    for part in study_parts(study) {
        let approvals = state.preparation.approvals_of(study, part);
        all.push(Point {
            label: part_label(part),
            done: approvals.len() >= APPROVERS_MIN,
            says: approvals.iter().filter_map(|approval| said(approval.approved.sequence)).collect(),
        });
    }
    let lacking = forms_without_wording(study, state);
    all.push(Point {
        label: "Licensed wordings are loaded",
        done: lacking.is_empty(),
        says: lacking
            .iter()
            .map(|one| format!("{}: {}, {}", one.form, one.instrument, one.language))
            .collect(),
    });
    all
}

fn site_lines(running: &RunningStudy, state: &State) -> Vec<SiteLine> {
    let reference = |sequence: u64| match running.event(sequence).map(|event| event.fact) {
        Some(Fact::EthicsApprovalRecorded { reference, .. }) => reference.get().cloned(),
        _ => None,
    };
    running
        .study()
        .sites
        .iter()
        .map(|site| SiteLine {
            id: site.id.to_string(),
            label: site.label.clone(),
            ethics: state.ethics.get(&site.id).map(|approval| {
                let reference = reference(approval.recorded.sequence).unwrap_or_default();
                (approval.approved.to_string(), reference)
            }),
            live: state.sites.get(&site.id).map(|since| since.date.to_string()),
        })
        .collect()
}

/// The list.
pub fn show(context: &Context<'_>) -> Outcome {
    let (running, seat) = context.seated()?;
    let study = running.study();
    let state = running.state();
    let names = names(context)?;
    let offers = |step| seat.may_take(step) && state.locked.is_none();
    let mine = |part: &StudyPart| {
        let approvals = state.preparation.approvals_of(study, *part);
        approvals.iter().any(|approval| approval.by.person == seat.person)
    };
    let tested = state.preparation.test_of(study).is_some();
    let sealed = |part: &StudyPart| *part != StudyPart::Allocation || state.allocation.is_some();
    let may_approve = tested && offers(access::Step::ApproveStudy);
    let approves = study_parts(study).into_iter().filter(|part| may_approve && !mine(part) && sealed(part));
    let mut wordings: Vec<String> =
        forms_without_wording(study, &state).into_iter().map(|lacking| lacking.instrument).collect();
    wordings.sort();
    wordings.dedup();
    let view = GoLivePage {
        path: format!("/studies/{}/go-live", segment(study.id.as_str())),
        version: study.version.chars().take(16).collect(),
        standing: standing(study, &state),
        points: points(running, &state, &names),
        sites: site_lines(running, &state),
        complete: state.preparation.is_complete(study) && wordings.is_empty(),
        tests: !tested && offers(access::Step::RecordTest),
        approves: approves.map(part_name).collect(),
        administers: offers(access::Step::ActivateSite),
        wordings,
        today: context.today(None).to_string(),
        page: Page::new(context, "Going live"),
    };
    drop(state);
    Ok(Reply::page(view.render()?))
}

/// Takes a step. Tests and approvals are signed with the password.
pub fn take(context: &Context<'_>) -> Outcome {
    let (running, seat) = context.seated()?;
    let form = &context.request.form;
    let site = || SiteId::from(form.get("site"));
    let action = match context.request.param("step") {
        "test" if seat.may_take(access::Step::RecordTest) => {
            prove(context)?;
            Action::RecordTest { evidence: form.get("evidence").to_owned() }
        }
        "approve" if seat.may_take(access::Step::ApproveStudy) => {
            if let Some(why) = barred(context)? {
                return Err(Failure::Refused(why.to_owned()));
            }
            prove(context)?;
            let chosen: Vec<&str> = form.all("part").collect();
            let all = [StudyPart::Eligibility, StudyPart::Schedule, StudyPart::Allocation];
            let parts = all.into_iter().filter(|part| chosen.contains(&part_name(*part)));
            Action::ApproveStudy { parts: parts.collect() }
        }
        "ethics" if seat.may_take(access::Step::RecordEthicsApproval) => {
            let approved: Result<Date, _> = form.get("approved").parse();
            let approved = approved.map_err(|_| {
                Failure::Bad("Give the day as year-month-day, such as 2009-03-14.".to_owned())
            })?;
            Action::RecordEthicsApproval {
                site: site(),
                approved,
                reference: form.get("reference").to_owned(),
            }
        }
        "wording" if seat.may_take(access::Step::LoadContentPack) => {
            let text = form.get("pack");
            let pack = content_pack::read(text).map_err(|faults| {
                let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
                Failure::Bad(faults.join("; "))
            })?;
            // The wording lies beside the record before the record names it.
            let broken = |error: std::io::Error| Failure::Broken(error.to_string());
            let folder = context.house.wordings(&running.study().id);
            fs::create_dir_all(&folder).map_err(broken)?;
            fs::write(folder.join(format!("{}.toml", pack.digest)), text).map_err(broken)?;
            Action::LoadContentPack { pack }
        }
        "activate" if seat.may_take(access::Step::ActivateSite) => Action::ActivateSite { site: site() },
        _ => return Err(Failure::NotFound),
    };
    let command = context.command(None, None, None, action)?;
    context.give(vec![command], None)?;
    context.notice("Done.");
    Ok(Reply::see(&format!("/studies/{}/go-live", segment(running.study().id.as_str()))))
}
