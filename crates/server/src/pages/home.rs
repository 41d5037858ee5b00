//! The start of a study: what waits for this person today.

use std::collections::BTreeSet;

use askama::Template;
use conduct::{Casebook, Query, State, Walked, adverse_events, decision_visits};
use protocol::model::{Power, Severity};
use terms::{Date, PersonId, RoleId, StudyId, SubjectId};

use crate::{
    context::{Context, Failure, Outcome},
    course::{Standing, VisitLine, subject_path, visits},
    http::{Reply, segment},
    languages::translate,
    lists::{Line as ListLine, Lines, Waits, small},
    page::Page,
    pages::verification,
    seat::{Seat, seats},
};

/// Visits that open within so many days are announced.
pub const AHEAD_DAYS: i64 = 14;
/// How many lists there are.
pub const LISTS: usize = 10;
/// The place of the list of queries among them.
const QUERIES: usize = 4;
/// Lines of a list that are shown at most; whoever has more waiting begins with these.
const SHOWN_MAX: usize = 30;

/// A line of a list: where it leads, whose it is, what it is, when.
pub struct Line {
    path: String,
    subject: String,
    what: String,
    when: String,
    /// The day by which a list of visits is ordered.
    day: Option<Date>,
    urgent: bool,
}

/// A list of what waits.
pub struct Waiting {
    title: &'static str,
    kind: &'static str,
    lines: Vec<Line>,
    /// How many there are in all.
    all: usize,
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
    let today = context.today(seat.own_sites().next().map(|site| &site.id));
    let (state, counts, totals, shown) = context.look(|state, lines| {
        let mut counts = Counts::default();
        let mut totals = [0; LISTS];
        for (_, _, line) in lines.iter() {
            counts.take(line);
            for (total, waits) in totals.iter_mut().zip(&line.waits) {
                *total += usize::from(waits.count);
            }
            totals[QUERIES] -= usize::from(line.answers_of(&seat.person));
        }
        (state.clone(), counts, totals, first_ones(lines, &seat.person))
    })?;
    let mut gathered = Gathered::default();
    for subject in &shown {
        let Some(casebook) = state.casebook(subject.as_str()) else { continue };
        let casebook = Walked::of(casebook);
        let today = context.today(Some(&casebook.site));
        let course = visits(seat, &casebook, today, &page.language);
        gather(
            &mut gathered,
            seat,
            &state,
            &casebook,
            (&course, today),
            (Some(&seat.person), &page.language),
        );
    }
    let path = format!("/studies/{}", segment(study.id.as_str()));
    if seat.may(Power::OverseeSafety) {
        for watch in &study.watches {
            let reached = state.watches.get(&watch.id).into_iter().flat_map(|known| known.undecided());
            gathered.board.extend(reached.map(|step| Line {
                path: format!("{path}/safety#watch-{}", watch.id),
                subject: String::new(),
                what: watch.label.get(&page.language).to_owned(),
                when: step.dated.date.to_string(),
                urgent: true,
                day: Some(step.dated.date),
            }));
        }
    }
    let lists = gathered.lists(seat, &totals);
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
    fn take(&mut self, line: &ListLine) {
        self.screened += 1;
        self.entered += usize::from(line.entered.is_some());
        self.treated += usize::from(line.treated);
        self.over += usize::from(line.entered.is_some() && line.over);
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

/// What was gathered, list by list; the order is that of [`Line`](crate::lists::Line)'s counts.
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
    board: Vec<Line>,
}

/// Says how much of each list waits at a participant, for anybody in the role.
pub fn waits(
    seat: &Seat<'_>,
    state: &State,
    casebook: &Casebook,
    course: &[VisitLine],
    today: Date,
) -> [Waits; LISTS] {
    let mut gathered = Gathered::default();
    gather(&mut gathered, seat, state, casebook, (course, today), (None, "en"));
    gathered.all().map(|lines| Waits {
        count: small(lines.len()),
        first: lines.iter().filter_map(|line| line.day).min(),
    })
}

/// The participants at whom the first lines of every list are: for lists by day those of the earliest days, else the
/// first by number. Each has one line at least, so that no line of another could come before.
fn first_ones(lines: &Lines<'_>, person: &PersonId) -> BTreeSet<SubjectId> {
    let mut found = BTreeSet::new();
    for list in 0..LISTS {
        let others = |line: &ListLine| if list == QUERIES { line.answers_of(person) } else { 0 };
        let mut waiting: Vec<(Option<Date>, &SubjectId)> = lines
            .iter()
            .filter(|(_, _, line)| line.waits[list].count > others(line))
            .map(|(_, subject, line)| (line.waits[list].first, subject))
            .collect();
        waiting.sort_unstable();
        found.extend(waiting.into_iter().take(SHOWN_MAX).map(|(_, subject)| subject.clone()));
    }
    found
}

/// Says whether a query waits for an answer of the role: it was asked and has not answered, or has, and a hard check still
/// fires, which words do not settle.
fn is_asked(seat: &Seat<'_>, query: &Query) -> bool {
    query.addressed_to == seat.role.id && (query.answered.is_none() || is_hard(seat, query))
}

/// Says whether a query was answered and waits for somebody in the role to close it.
pub fn is_to_close(seat: &Seat<'_>, query: &Query) -> bool {
    seat.may(Power::ManageQueries)
        && query.closed.is_none()
        && query.answered.is_some()
        && !is_hard(seat, query)
}

fn is_hard(seat: &Seat<'_>, query: &Query) -> bool {
    let form = seat.study.form(query.key.form.as_str());
    let check =
        form.and_then(|form| form.checks.iter().find(|check| Some(&check.id) == query.check.as_ref()));
    check.is_some_and(|check| check.severity == Severity::Hard)
}

/// Gathers what waits at a participant: for a person, who closes no query that the person answered, or for anybody in the role.
fn gather(
    gathered: &mut Gathered,
    seat: &Seat<'_>,
    state: &State,
    casebook: &Casebook,
    (lines, today): (&[VisitLine], Date),
    (person, language): (Option<&PersonId>, &str),
) {
    let study = seat.study;
    let path = subject_path(study, casebook);
    let subject = casebook.subject.to_string();
    let line = |path: String, what: String, when: String, urgent: bool| Line {
        path,
        subject: subject.clone(),
        what,
        when,
        day: None,
        urgent,
    };
    if seat.follows_course() {
        let soon = today.saturating_add(jiff::Span::new().days(AHEAD_DAYS));
        for visit in lines {
            let to = format!("{path}#visit-{}", visit.id);
            let (list, urgent) = match visit.standing {
                Standing::Overdue => (&mut gathered.overdue, true),
                Standing::Due | Standing::Next => (&mut gathered.due, false),
                Standing::Later if visit.window.is_some_and(|(first, _)| first <= soon) => {
                    (&mut gathered.ahead, false)
                }
                _ => continue,
            };
            let day = visit.window.map(|(first, _)| first);
            list.push(Line { day, ..line(to, visit.label.clone(), visit.planned.clone(), urgent) });
        }
    }
    for visit in lines {
        for form in visit.forms.iter().filter(|form| form.enters && !form.filled.is_done()) {
            let what = format!("{}: {}", visit.label, form.title);
            let when = visit.held.map(|date| date.to_string()).unwrap_or_default();
            gathered.forms.push(line(form.path.clone(), what, when, false));
        }
    }
    for query in casebook.queries.iter().filter(|query| query.closed.is_none()) {
        let own = person.is_some() && query.answered_by.as_ref() == person;
        let mine = is_asked(seat, query) || (is_to_close(seat, query) && !own);
        if mine && seat.sees_query(casebook, query) {
            let form = study.form(query.key.form.as_str());
            let title = form.map_or("", |form| form.title.get(language));
            let item = form
                .and_then(|form| form.item(query.item.as_str()))
                .map_or("", |item| item.label.get(language));
            let to = format!("{}#item-{}", crate::course::form_path(study, casebook, &query.key), query.item);
            let visit = query.key.visit.as_ref();
            let visit =
                visit.map_or(String::new(), |visit| format!("{} · ", study.visit_name(visit, language)));
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
                let what = format!(
                    "{} {}",
                    translate(language, "Eligibility at"),
                    study.visit_name(visit, language)
                );
                gathered.decide.push(line(to, what, String::new(), false));
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
                let what = format!("{} {}", translate(language, "Kit of"), study.visit_name(visit, language));
                gathered.dispense.push(line(format!("{path}#kits"), what, String::new(), false));
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
            let what = translate(language, "Casebook").to_owned();
            gathered.sign.push(line(format!("{path}/sign/casebook"), what, String::new(), false));
        }
    }
    if seat.may(Power::VerifySource) {
        for (path, visit) in verification::waiting(seat, state, casebook, language) {
            gathered.verify.push(line(path, visit, String::new(), false));
        }
    }
}

fn is_ready_to_sign(visit: &VisitLine) -> bool {
    visit.held.is_some() && !visit.signed && visit.forms.iter().all(|form| form.filled.is_done())
}

impl Gathered {
    fn all(&self) -> [&Vec<Line>; LISTS] {
        [
            &self.overdue,
            &self.due,
            &self.ahead,
            &self.forms,
            &self.queries,
            &self.decide,
            &self.dispense,
            &self.report,
            &self.sign,
            &self.verify,
        ]
    }

    fn lists(mut self, seat: &Seat<'_>, totals: &[usize; LISTS]) -> Vec<Waiting> {
        for list in [&mut self.overdue, &mut self.due, &mut self.ahead] {
            list.sort_by_key(|line| line.day);
        }
        let board = self.board.len();
        let [overdue, due, ahead, forms, queries, decide, dispense, report, sign, verify] = *totals;
        let fills = seat.study.forms.iter().any(|form| seat.fills(form));
        let list = |title, kind, mut lines: Vec<Line>, all, none| {
            lines.truncate(SHOWN_MAX);
            Waiting { title, kind, lines, all, none }
        };
        let all = [
            (
                seat.may(Power::OverseeSafety),
                list("For the safety board to decide", "bad", self.board, board, ""),
            ),
            (seat.may(Power::ReportEvents), list("Serious events to report", "bad", self.report, report, "")),
            (seat.follows_course(), list("Overdue", "bad", self.overdue, overdue, "Nothing is overdue.")),
            (seat.follows_course(), list("Due now", "wait", self.due, due, "No visit is due.")),
            (seat.may(Power::DecideEligibility), list("To decide", "wait", self.decide, decide, "")),
            (seat.may(Power::Dispense), list("To dispense", "wait", self.dispense, dispense, "")),
            (fills, list("Forms to fill", "wait", self.forms, forms, "Every form is complete.")),
            (
                seat.sees_participants(),
                list("Queries for you", "ask", self.queries, queries, "No query waits for you."),
            ),
            (
                seat.may(Power::VerifySource),
                list("To verify", "ask", self.verify, verify, "Nothing of the sample is left to verify."),
            ),
            (seat.may(Power::Sign), list("To sign", "ask", self.sign, sign, "Nothing is ready to sign.")),
            (
                seat.follows_course(),
                list("In the next two weeks", "calm", self.ahead, ahead, "No visit opens."),
            ),
        ];
        all.into_iter()
            .filter(|(shown, list)| *shown && (!list.lines.is_empty() || !list.none.is_empty()))
            .map(|(_, list)| list)
            .collect()
    }
}
