//! Closing: what is still open before the lock, deviations to classify, analysis sets to sign, the lock itself.

use std::collections::BTreeMap;

use askama::Template;
use conduct::{Action, State, Walked, proposed_class};
use protocol::model::{Power, Study};
use record::{Closure, DeviationClass, Fact, Part};
use terms::{DeviationId, SiteId, SubjectId};

use crate::{
    context::{Context, Failure, Outcome},
    course::subject_path,
    http::{Reply, segment},
    manifest,
    page::Page,
    pages::{
        account::prove,
        form::{names, site_moment},
        sheet::closing_action,
    },
    readiness::{CHECKS, Readiness},
};

/// Deviations that are classified at a time.
const ON_A_PAGE: usize = 100;

/// Participants that the list before the lock names at most, line by line.
const OPEN_SHOWN_MAX: usize = 100;

/// A line of the list that must be empty before the lock.
struct Check {
    label: &'static str,
    /// How many are open.
    count: usize,
    /// The first of them.
    open: Vec<(String, String)>,
}

struct Deviation {
    id: String,
    subject: String,
    path: String,
    text: String,
    recorded: String,
    major: bool,
}

/// A site, or the study, and how it is closed.
struct Place {
    id: String,
    label: String,
    participants: usize,
    signed: usize,
    data_reviews: usize,
    medical_reviews: usize,
    forms: usize,
    closed: Option<(&'static str, String)>,
    is_study: bool,
}

/// Somebody asked for the database to be unlocked.
struct Proposal {
    name: String,
    at: String,
    why: String,
    own: bool,
}

struct Lock {
    at: String,
    manifest: String,
    sequence: u64,
    head: String,
}

#[derive(Template)]
#[template(path = "closing.html")]
struct ClosingPage {
    page: Page,
    path: String,
    checks: Vec<Check>,
    ready: bool,
    deviations: Vec<Deviation>,
    deviations_all: usize,
    sets: Vec<(String, usize)>,
    sets_signed: Option<bool>,
    signs_sets: bool,
    locks: bool,
    lock: Option<Lock>,
    places: Vec<Place>,
    closes: bool,
    proposal: Option<Proposal>,
    proposes: bool,
    approves: bool,
    manifests: Vec<String>,
}

/// What is still open, in the order in which it is closed.
fn checks(study: &Study, state: &State, all: &BTreeMap<SubjectId, Readiness>) -> Vec<Check> {
    let mut checks: Vec<Check> =
        CHECKS.iter().map(|label| Check { label, count: 0, open: Vec::new() }).collect();
    for (subject, readiness) in all {
        for (check, _) in checks.iter_mut().zip(readiness.open).filter(|(_, open)| *open) {
            check.count += 1;
            if check.open.len() < OPEN_SHOWN_MAX
                && let Some(casebook) = state.casebook(subject.as_str())
            {
                check.open.push((subject_path(study, casebook), subject.to_string()));
            }
        }
    }
    let specimens = state.specimens_taken() > 0;
    let path = format!("/studies/{}", segment(study.id.as_str()));
    let once = |label, open: bool, to: &str| Check {
        label,
        count: usize::from(open),
        open: if open { vec![(format!("{path}/{to}"), "→".to_owned())] } else { Vec::new() },
    };
    checks.push(once(
        "Readings of coded slides are joined",
        specimens && state.reading.key.is_none(),
        "slides",
    ));
    let signed = state.sets.as_ref().is_some_and(|sets| !sets.stale);
    checks.push(once("Analysis sets are signed on these data", !signed, "closing#sets"));
    checks
}

/// How far each site, and the study, is closed.
fn places(study: &Study, state: &State, all: &BTreeMap<SubjectId, Readiness>, language: &str) -> Vec<Place> {
    let word = |closure| match closure {
        Closure::Frozen => "frozen",
        Closure::Locked => "locked",
    };
    let place = |part: Part, id: &str, label: &str| Place {
        id: id.to_owned(),
        label: label.to_owned(),
        participants: 0,
        signed: 0,
        data_reviews: 0,
        medical_reviews: 0,
        forms: 0,
        closed: state.closed.get(&part).map(|(closure, since)| (word(*closure), since.date.to_string())),
        is_study: part == Part::Study,
    };
    let mut whole = place(Part::Study, "-", crate::languages::translate(language, "The whole study"));
    let mut places: BTreeMap<SiteId, Place> = study
        .sites
        .iter()
        .map(|site| (site.id.clone(), place(Part::Site(site.id.clone()), site.id.as_str(), &site.label)))
        .collect();
    for (subject, readiness) in all {
        let Some(casebook) = state.casebook(subject.as_str()) else { continue };
        for place in places.get_mut(&casebook.site).into_iter().chain([&mut whole]) {
            place.participants += 1;
            place.signed += usize::from(readiness.signed);
            place.data_reviews += usize::from(readiness.data_reviews);
            place.medical_reviews += usize::from(readiness.medical_reviews);
            place.forms += usize::from(readiness.forms);
        }
    }
    let mut places: Vec<Place> = study
        .sites
        .iter()
        .filter_map(|site| places.remove(&site.id))
        .filter(|place| place.participants > 0)
        .collect();
    places.push(whole);
    places
}

/// The first deviations without a class. Casebooks are opened of the participants who have one.
fn unclassified(study: &Study, state: &State, all: &BTreeMap<SubjectId, Readiness>) -> Vec<Deviation> {
    let mut found = Vec::new();
    for (subject, _) in all.iter().filter(|(_, readiness)| readiness.unclassified > 0) {
        let Some(casebook) = state.casebook(subject.as_str()) else { continue };
        let casebook = Walked::of(casebook);
        for deviation in casebook.deviations.iter().filter(|deviation| deviation.class.is_none()) {
            if found.len() == ON_A_PAGE {
                return found;
            }
            found.push(Deviation {
                id: deviation.id.to_string(),
                subject: casebook.subject.to_string(),
                path: subject_path(study, &casebook),
                text: deviation.text.clone().unwrap_or_default(),
                recorded: deviation.recorded.date.to_string(),
                major: proposed_class(study, &casebook, deviation) == DeviationClass::Major,
            });
        }
    }
    found
}

/// The state of closing.
pub fn show(context: &Context<'_>) -> Outcome {
    let (running, seat) = context.seated()?;
    let study = running.study();
    let page = Page::new(context, "Closing");
    let names = names(context)?;
    let state = running.state();
    let classifies = seat.may(Power::ClassifyDeviations);
    let (checks, places, deviations, deviations_all) = running.readiness().look(study, &state, |all| {
        (
            checks(study, &state, all),
            places(study, &state, all, &page.language),
            if classifies { unclassified(study, &state, all) } else { Vec::new() },
            all.values().map(|one| usize::from(one.unclassified)).sum::<usize>(),
        )
    });
    // The first of them: participation has ended for all.
    let all_over = checks[0].count == 0;
    let sets = match &state.sets {
        Some(signed) => signed.sets.iter().map(|(set, who)| (set.to_string(), who.len())).collect(),
        None if all_over && seat.may(Power::SignAnalysisSets) => {
            let sets = running.readiness().sets(study, &state);
            sets.into_iter().map(|(set, count)| (set.to_string(), count)).collect()
        }
        None => Vec::new(),
    };
    let lock = state.locked.and_then(|locked| {
        let event = running.event(locked.sequence)?;
        let head = running.record(|reader| reader.head_at(locked.sequence)).ok().flatten()?;
        let Fact::DatabaseLocked { manifest_digest } = &event.fact else { return None };
        Some(Lock {
            at: site_moment(&event.recorded),
            manifest: manifest_digest.clone(),
            sequence: locked.sequence,
            head: String::from(head.hash),
        })
    });
    let proposal = state.unlock_proposed.as_ref().and_then(|(by, asked)| {
        let event = running.event(asked.sequence)?;
        let person = by.person.as_str();
        Some(Proposal {
            name: names.get(person).cloned().unwrap_or_else(|| person.to_owned()),
            at: site_moment(&event.recorded),
            why: event.reason.and_then(|why| why.get().cloned()).unwrap_or_default(),
            own: by.person == seat.person,
        })
    });
    let locked = state.locked.is_some() && state.arms.is_none();
    let view = ClosingPage {
        places,
        closes: seat.may(Power::Lock) && state.locked.is_none(),
        proposes: locked && proposal.is_none() && seat.may(Power::Lock),
        approves: locked && seat.may(Power::SignAnalysisSets),
        proposal,
        manifests: manifest::files(&context.house.manifests(&study.id)),
        path: format!("/studies/{}/closing", segment(study.id.as_str())),
        ready: checks.iter().all(|check| check.count == 0),
        checks,
        deviations,
        deviations_all,
        sets,
        sets_signed: state.sets.as_ref().map(|sets| !sets.stale),
        signs_sets: seat.may(Power::SignAnalysisSets) && state.locked.is_none(),
        locks: seat.may(Power::Lock) && state.locked.is_none(),
        lock,
        page,
    };
    drop(state);
    Ok(Reply::page(view.render()?))
}

/// A signed manifest, its signature, or the public key.
pub fn file(context: &Context<'_>) -> Outcome {
    let (running, _) = context.seated()?;
    let name = context.request.param("file");
    let bytes = manifest::read(&context.house.manifests(&running.study().id), name);
    let bytes = bytes.ok_or(Failure::NotFound)?;
    Ok(Reply::download(name, "application/octet-stream", bytes))
}

/// Classifies deviations, signs the sets, closes and opens, locks, or unlocks in two steps. Signing and locking ask for the password.
pub fn take(context: &Context<'_>) -> Outcome {
    let (running, seat) = context.seated()?;
    let study = running.study();
    let commands = match context.request.param("step") {
        "classify" => classifications(context)?,
        "sets" => {
            if !seat.may_take(access::Step::SignAnalysisSets) {
                return Err(Failure::NotFound);
            }
            prove(context)?;
            let sets = datasets::analysis_sets(study, &running.state());
            vec![context.command(None, None, None, Action::SignAnalysisSets { sets })?]
        }
        "lock" => {
            if !seat.may_take(access::Step::LockDatabase) {
                return Err(Failure::NotFound);
            }
            prove(context)?;
            let command = context.command(None, None, None, Action::LockDatabase)?;
            context.give(vec![command], None)?;
            // The lock stands whether or not its manifest could be written; it can be asked for again.
            manifest::write(context, running)?;
            context.notice("The database is locked, and the manifest is signed.");
            return Ok(Reply::see(&format!("/studies/{}/closing", segment(study.id.as_str()))));
        }
        "manifest" => {
            if !seat.may_take(access::Step::LockDatabase) {
                return Err(Failure::NotFound);
            }
            manifest::write(context, running)?;
            context.notice("The manifest is signed.");
            return Ok(Reply::see(&format!("/studies/{}/closing", segment(study.id.as_str()))));
        }
        "close" => {
            if !seat.may_take(access::Step::CloseData) {
                return Err(Failure::NotFound);
            }
            let chosen = || Failure::Bad("Choose what to close or to open.".to_owned());
            let (how, what) = context.request.form.get("close").split_once(' ').ok_or_else(chosen)?;
            let part = if what == "-" { Part::Study } else { Part::Site(SiteId::from(what)) };
            vec![context.command(None, None, None, closing_action(part, how).ok_or_else(chosen)?)?]
        }
        "propose-unlock" => {
            if !seat.may_take(access::Step::ProposeUnlock) {
                return Err(Failure::NotFound);
            }
            prove(context)?;
            vec![context.command(None, None, None, Action::ProposeUnlock)?]
        }
        "approve-unlock" => {
            if !seat.may_take(access::Step::ApproveUnlock) {
                return Err(Failure::NotFound);
            }
            prove(context)?;
            vec![context.command(None, None, None, Action::ApproveUnlock)?]
        }
        _ => return Err(Failure::NotFound),
    };
    if commands.is_empty() {
        return Err(Failure::Bad("Choose a class for one deviation at least.".to_owned()));
    }
    context.give(commands, None)?;
    context.notice("Done.");
    Ok(Reply::see(&format!("/studies/{}/closing", segment(study.id.as_str()))))
}

/// One command for each deviation that has a class chosen, of participants that the seat sees.
fn classifications(context: &Context<'_>) -> Result<Vec<conduct::Command>, Failure> {
    let (running, seat) = context.seated()?;
    if !seat.may_take(access::Step::ClassifyDeviation) {
        return Err(Failure::NotFound);
    }
    let mut chosen: Vec<(SubjectId, DeviationId, DeviationClass)> = Vec::new();
    {
        let state = running.state();
        for (name, class) in context.request.form.iter() {
            let class = match class.trim() {
                "major" => DeviationClass::Major,
                "minor" => DeviationClass::Minor,
                _ => continue,
            };
            // A deviation's id begins with its participant's number.
            let Some(id) = name.strip_prefix("c.") else { continue };
            let subject = id.rsplit_once("-D").map_or("", |(subject, _)| subject);
            let Some(casebook) = state.casebook(subject).map(Walked::of) else { continue };
            let id = DeviationId::from(id);
            if casebook.deviation(&id).is_some_and(|deviation| deviation.class.is_none()) {
                chosen.push((casebook.subject.clone(), id, class));
            }
        }
    }
    chosen
        .into_iter()
        .map(|(subject, deviation, class)| {
            context.command(Some(&subject), None, None, Action::ClassifyDeviation { deviation, class })
        })
        .collect()
}
