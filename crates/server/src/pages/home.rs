//! The start of a study: what waits for this person today.

use askama::Template;
use conduct::{Casebook, adverse_events, decision_visits};
use protocol::model::{Power, Study};
use terms::{Date, RoleId, StudyId};

use crate::{
    context::{Context, Failure, Outcome},
    course::{Standing, VisitLine, status, subject_path, visits},
    http::{Reply, segment},
    page::Page,
    pages::verification,
    seat::{Seat, seats},
};

/// Visits that open within so many days are announced.
const AHEAD_DAYS: i64 = 14;

/// A line of a list: where it leads, whose it is, what it is, when.
pub struct Line {
    path: String,
    subject: String,
    what: String,
    when: String,
    urgent: bool,
}

/// A list of what waits.
pub struct Waiting {
    title: &'static str,
    kind: &'static str,
    lines: Vec<Line>,
    none: &'static str,
}

struct Figure {
    number: usize,
    label: &'static str,
}

#[derive(Template)]
#[template(path = "home.html")]
struct HomePage {
    page: Page,
    today: String,
    figures: Vec<Figure>,
    lists: Vec<Waiting>,
    may_consent: bool,
    path: String,
    apart: bool,
}

#[derive(Template)]
#[template(path = "studies.html")]
struct StudiesPage {
    page: Page,
    studies: Vec<(String, String, Vec<String>)>,
}

/// The studies in which one has a role.
pub fn studies(context: &Context<'_>) -> Outcome {
    let account = context.account()?;
    let page = Page::new(context, "My studies");
    let mut found = Vec::new();
    for running in context.house.studies.values() {
        let study = running.study();
        let mine = seats(study, &running.state(), &account.person, context.today(None));
        if !mine.is_empty() {
            let path = format!("/studies/{}", segment(study.id.as_str()));
            let roles = mine.iter().map(|seat| seat.role.label.get(&page.language).to_owned()).collect();
            found.push((path, study.title.get(&page.language).to_owned(), roles));
        }
    }
    if let [(path, _, _)] = &found[..]
        && page.notice.is_none()
    {
        return Ok(Reply::see(path));
    }
    if found.is_empty() && account.administrator {
        return Ok(Reply::see("/administration"));
    }
    Ok(Reply::page(StudiesPage { page, studies: found }.render()?))
}

/// Changes the role that one acts in.
pub fn change_role(context: &Context<'_>) -> Outcome {
    let (running, _) = context.seated()?;
    let role = RoleId::from(context.request.form.get("role"));
    if !context.seats().iter().any(|seat| seat.role.id == role) {
        return Err(Failure::NotFound);
    }
    let id: StudyId = running.study().id.clone();
    let origin = context.address();
    let person = context.account()?.person.clone();
    let note = context.note(person.as_str(), "changed role", role.as_str(), &origin);
    context.house.accounts().note(&note)?;
    if let Some((token, _)) = &context.session {
        context.house.sessions.change(token, |session| {
            session.roles.insert(id.clone(), role);
        });
    }
    Ok(Reply::see(&format!("/studies/{}", segment(id.as_str()))))
}

/// What is due, overdue, in query, to sign.
pub fn show(context: &Context<'_>) -> Outcome {
    let (running, seat) = context.seated()?;
    let page = Page::new(context, "Today");
    let study = running.study();
    let state = running.state();
    let today = context.today(seat.own_sites().next().map(|site| &site.id));
    let mut gathered = Gathered::default();
    let mut counts = Counts::default();
    for casebook in seat.subjects(&state) {
        counts.take(study, casebook);
        gather(&mut gathered, seat, casebook, today, &page.language);
        if seat.may(Power::VerifySource) {
            let subject = casebook.subject.to_string();
            let lines = verification::waiting(seat, &state, casebook).into_iter().map(|(path, visit)| {
                let what = if visit == "-" { page.t("Through the trial").to_owned() } else { visit };
                Line { path, subject: subject.clone(), what, when: String::new(), urgent: false }
            });
            gathered.verify.extend(lines);
        }
    }
    let lists = gathered.lists(seat);
    let path = format!("/studies/{}", segment(study.id.as_str()));
    let figures = if seat.follows_course() { counts.figures() } else { Vec::new() };
    let home = HomePage {
        today: today.strftime("%A %d %B %Y").to_string(),
        figures,
        lists,
        may_consent: seat.may(Power::TakeConsent) && state.locked.is_none(),
        apart: !seat.sees_participants(),
        path,
        page,
    };
    drop(state);
    Ok(Reply::page(home.render()?))
}

#[derive(Default)]
struct Counts {
    screened: usize,
    entered: usize,
    treated: usize,
    over: usize,
}

impl Counts {
    fn take(&mut self, study: &Study, casebook: &Casebook) {
        self.screened += 1;
        let entered = if study.allocation.is_some() {
            casebook.allocated.is_some()
        } else {
            casebook.enrolled.is_some()
        };
        self.entered += usize::from(entered);
        self.treated += usize::from(status(study, casebook) == "on treatment");
        self.over += usize::from(entered && casebook.participation_end.is_some());
    }

    fn figures(&self) -> Vec<Figure> {
        vec![
            Figure { number: self.screened, label: "gave consent" },
            Figure { number: self.entered, label: "entered the trial" },
            Figure { number: self.treated, label: "on treatment" },
            Figure { number: self.over, label: "through" },
        ]
    }
}

#[derive(Default)]
struct Gathered {
    overdue: Vec<Line>,
    due: Vec<Line>,
    ahead: Vec<Line>,
    forms: Vec<Line>,
    queries: Vec<Line>,
    decide: Vec<Line>,
    dispense: Vec<Line>,
    report: Vec<Line>,
    sign: Vec<Line>,
    verify: Vec<Line>,
}

fn gather(gathered: &mut Gathered, seat: &Seat<'_>, casebook: &Casebook, today: Date, language: &str) {
    let study = seat.study;
    let path = subject_path(study, casebook);
    let subject = casebook.subject.to_string();
    let lines = visits(seat, casebook, today, language);
    let line = |path: String, what: String, when: String, urgent: bool| Line {
        path,
        subject: subject.clone(),
        what,
        when,
        urgent,
    };
    if seat.follows_course() {
        let soon = today.saturating_add(jiff::Span::new().days(AHEAD_DAYS));
        for visit in &lines {
            let to = format!("{path}#visit-{}", visit.id);
            let (list, urgent) = match visit.standing {
                Standing::Overdue => (&mut gathered.overdue, true),
                Standing::Due | Standing::Next => (&mut gathered.due, false),
                Standing::Later if visit.window.is_some_and(|(first, _)| first <= soon) => {
                    (&mut gathered.ahead, false)
                }
                _ => continue,
            };
            list.push(line(to, visit.label.clone(), visit.planned.clone(), urgent));
        }
    }
    for visit in &lines {
        for form in visit.forms.iter().filter(|form| form.enters && !form.filled.is_done()) {
            let what = format!("{}: {}", visit.label, form.title);
            let when = visit.held.map(|date| date.to_string()).unwrap_or_default();
            gathered.forms.push(line(form.path.clone(), what, when, false));
        }
    }
    for query in casebook.queries.iter().filter(|query| query.closed.is_none()) {
        let mine = query.addressed_to == seat.role.id
            || (seat.may(Power::ManageQueries) && query.answered.is_some());
        if mine && seat.sees_query(casebook, query) {
            let form = study.form(query.key.form.as_str());
            let title = form.map_or("", |form| form.title.get(language));
            let item = form
                .and_then(|form| form.item(query.item.as_str()))
                .map_or("", |item| item.label.get(language));
            let to = format!("{}#item-{}", crate::course::form_path(study, casebook, &query.key), query.item);
            let visit = query.key.visit.as_ref().map_or(String::new(), |visit| format!("{visit} · "));
            gathered.queries.push(line(to, format!("{visit}{title}: {item}"), query.id.to_string(), false));
        }
    }
    if seat.may(Power::DecideEligibility)
        && casebook.enrolled.is_none()
        && casebook.participation_end.is_none()
    {
        for visit in decision_visits(study) {
            if casebook.visits.contains_key(visit) && !casebook.eligibility.contains_key(visit) {
                let to = format!("{path}#eligibility-{visit}");
                gathered.decide.push(line(to, format!("Eligibility at {visit}"), String::new(), false));
            }
        }
    }
    if seat.may(Power::Dispense)
        && casebook.treatment_end.is_none()
        && let Some(plan) = &study.allocation
        && casebook.allocated.is_some()
    {
        for visit in &plan.kit_visits {
            let given = casebook.kits.values().any(|kit| kit.visit == *visit);
            if casebook.visits.contains_key(visit) && !given {
                gathered.dispense.push(line(
                    format!("{path}#kits"),
                    format!("Kit of {visit}"),
                    String::new(),
                    false,
                ));
            }
        }
    }
    if seat.may(Power::ReportEvents) && seat.reads("adverse_events") {
        for event in adverse_events(study, casebook) {
            if event.serious == Some(true) && event.reported.is_none() {
                let what = event.term.clone().unwrap_or_else(|| format!("row {}", event.row));
                gathered.report.push(line(format!("{path}#serious"), what, String::new(), true));
            }
        }
    }
    if seat.may(Power::Sign) {
        for visit in lines.iter().filter(|visit| is_ready_to_sign(visit)) {
            let to = format!("{path}/sign/{}", segment(visit.id.as_str()));
            let when = visit.held.map(|date| date.to_string()).unwrap_or_default();
            gathered.sign.push(line(to, visit.label.clone(), when, false));
        }
        if casebook.enrolled.is_some()
            && casebook.participation_end.is_some()
            && casebook.casebook_signature.is_none()
            && casebook.visits.keys().all(|visit| casebook.signatures.contains_key(visit))
        {
            gathered.sign.push(line(
                format!("{path}/sign/casebook"),
                "Casebook".to_owned(),
                String::new(),
                false,
            ));
        }
    }
}

fn is_ready_to_sign(visit: &VisitLine) -> bool {
    visit.held.is_some() && !visit.signed && visit.forms.iter().all(|form| form.filled.is_done())
}

impl Gathered {
    fn lists(mut self, seat: &Seat<'_>) -> Vec<Waiting> {
        self.overdue.sort_by(|one, other| one.when.cmp(&other.when));
        self.due.sort_by(|one, other| one.when.cmp(&other.when));
        self.ahead.sort_by(|one, other| one.when.cmp(&other.when));
        let fills = seat.study.forms.iter().any(|form| seat.fills(form));
        let all = [
            (seat.may(Power::ReportEvents), "Serious events to report", "bad", self.report, ""),
            (seat.follows_course(), "Overdue", "bad", self.overdue, "Nothing is overdue."),
            (seat.follows_course(), "Due now", "wait", self.due, "No visit is due."),
            (seat.may(Power::DecideEligibility), "To decide", "wait", self.decide, ""),
            (seat.may(Power::Dispense), "To dispense", "wait", self.dispense, ""),
            (fills, "Forms to fill", "wait", self.forms, "Every form is complete."),
            (seat.sees_participants(), "Queries for you", "ask", self.queries, "No query waits for you."),
            (
                seat.may(Power::VerifySource),
                "To verify",
                "ask",
                self.verify,
                "Nothing of the sample is left to verify.",
            ),
            (seat.may(Power::Sign), "To sign", "ask", self.sign, "Nothing is ready to sign."),
            (seat.follows_course(), "In the next two weeks", "calm", self.ahead, "No visit opens."),
        ];
        all.into_iter()
            .filter(|(shown, _, _, lines, none)| *shown && (!lines.is_empty() || !none.is_empty()))
            .map(|(_, title, kind, lines, none)| Waiting { title, kind, lines, none })
            .collect()
    }
}
