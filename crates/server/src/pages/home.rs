//! The start of a study: what waits for this person today.

use std::{
    collections::{BTreeMap, BinaryHeap},
    sync::{Arc, OnceLock},
};

use askama::Template;
use conduct::{Casebook, Query, State, Walked, adverse_events, decision_visits};
use protocol::model::{Power, Severity};
use terms::{Date, PersonId, RoleId, SiteId, StudyId, SubjectId};

use crate::{
    context::{Context, Failure, Outcome},
    course::{Standing, VisitLine, subject_path, visits},
    http::{Reply, segment},
    languages::{LANGUAGES, translate},
    lists::{Line as ListLine, Waits, small},
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
#[derive(Debug)]
pub struct Line {
    path: String,
    subject: String,
    what: String,
    when: String,
    /// The day by which a list of visits is ordered.
    day: Option<Date>,
    /// Who answered a query that waits to be closed, and is not the one to close it.
    answered_by: Option<PersonId>,
    urgent: bool,
}

/// A list of what waits.
pub struct Waiting<'a> {
    title: &'static str,
    kind: &'static str,
    lines: Vec<&'a Line>,
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
struct HomePage<'a> {
    page: Page,
    today: String,
    figures: Vec<Figure>,
    lists: Vec<Waiting<'a>>,
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
        let mut first = FirstOnes::default();
        for (site, subject, line) in lines.iter() {
            counts.take(line);
            let answered = line.answers_of(&seat.person);
            for (list, total) in totals.iter_mut().enumerate() {
                let Waits { count, first: day } = line.waits[list];
                let count = if list == QUERIES { count - answered } else { count };
                *total += usize::from(count);
                first.take(list, usize::from(count), day, (site, subject, line));
            }
        }
        (state.clone(), counts, totals, first.told())
    })?;
    let language = page.language.as_str();
    for (subject, site, told) in &shown {
        told.of(language, || {
            let today = context.today(Some(site));
            let casebook = state.casebook(subject.as_str()).map(Walked::of);
            casebook.map_or_else(Gathered::default, |casebook| {
                let course = visits(seat, &casebook, today, language);
                gather(seat, &state, &casebook, (&course, today), language)
            })
        });
    }
    let gathered: Vec<&Gathered> = shown.iter().filter_map(|(_, _, told)| told.get(language)).collect();
    let path = format!("/studies/{}", segment(study.id.as_str()));
    let mut board: Vec<Line> = Vec::new();
    if seat.may(Power::OverseeSafety) {
        for watch in &study.watches {
            let reached = state.watches.get(&watch.id).into_iter().flat_map(|known| known.undecided());
            board.extend(reached.map(|step| Line {
                path: format!("{path}/safety#watch-{}", watch.id),
                subject: String::new(),
                what: watch.label.get(language).to_owned(),
                when: step.dated.date.to_string(),
                urgent: true,
                day: Some(step.dated.date),
                answered_by: None,
            }));
        }
    }
    let lists = lists(seat, &gathered, &board, &totals);
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

/// What was gathered at a participant, list by list; the order is that of [`Line`](crate::lists::Line)'s counts.
#[derive(Debug, Default)]
pub struct Gathered {
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

/// What was gathered at a participant, in each language in which somebody asked. It stays for as long as the participant's line, so
/// that a start page opens the casebooks of those alone who changed. A cache that holds no fact.
#[derive(Debug, Default)]
pub struct Told([OnceLock<Box<Gathered>>; LANGUAGES.len()]);

impl Told {
    fn place(language: &str) -> usize {
        LANGUAGES.iter().position(|(code, _)| *code == language).unwrap_or(0)
    }

    fn of(&self, language: &str, gather: impl FnOnce() -> Gathered) -> &Gathered {
        self.0[Self::place(language)].get_or_init(|| Box::new(gather()))
    }

    fn get(&self, language: &str) -> Option<&Gathered> {
        self.0[Self::place(language)].get().map(Box::as_ref)
    }
}

/// The participants at whom the first lines of every list are: for lists by day those of the earliest days, else the
/// first by number. Each of the former has one line at least, so that no line of another could come before.
#[derive(Default)]
struct FirstOnes<'v> {
    by_day: [BinaryHeap<(Date, &'v SubjectId)>; LISTS],
    /// Lines of lists without days so far.
    lines: [usize; LISTS],
    found: BTreeMap<&'v SubjectId, (&'v SiteId, &'v ListLine)>,
    dated: BTreeMap<&'v SubjectId, (&'v SiteId, &'v ListLine)>,
}

impl<'v> FirstOnes<'v> {
    /// Takes the next participant by number, who has so many lines on a list.
    fn take(
        &mut self,
        list: usize,
        count: usize,
        day: Option<Date>,
        (site, subject, line): (&'v SiteId, &'v SubjectId, &'v ListLine),
    ) {
        match day {
            _ if count == 0 => {}
            Some(day) => {
                let first = &mut self.by_day[list];
                if first.len() < SHOWN_MAX {
                    first.push((day, subject));
                } else if let Some(mut last) = first.peek_mut()
                    && day < last.0
                {
                    *last = (day, subject);
                } else {
                    return;
                }
                self.dated.insert(subject, (site, line));
            }
            None if self.lines[list] < SHOWN_MAX => {
                self.lines[list] += count;
                self.found.insert(subject, (site, line));
            }
            None => {}
        }
    }

    /// Returns them by number, with what was gathered at them so far.
    fn told(mut self) -> Vec<(SubjectId, SiteId, Arc<Told>)> {
        for (_, subject) in self.by_day.iter().flatten() {
            if let Some(known) = self.dated.get(*subject) {
                self.found.insert(subject, *known);
            }
        }
        let all = self.found.into_iter();
        all.map(|(subject, (site, line))| (subject.clone(), site.clone(), line.told())).collect()
    }
}

/// Says how much of each list waits at a participant, for anybody in the role.
pub fn waits(
    seat: &Seat<'_>,
    state: &State,
    casebook: &Casebook,
    course: &[VisitLine],
    today: Date,
) -> [Waits; LISTS] {
    gather(seat, state, casebook, (course, today), "en").all().map(|lines| Waits {
        count: small(lines.len()),
        first: lines.iter().filter_map(|line| line.day).min(),
    })
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

/// Gathers what waits at a participant for anybody in the role.
fn gather(
    seat: &Seat<'_>,
    state: &State,
    casebook: &Casebook,
    (lines, today): (&[VisitLine], Date),
    language: &str,
) -> Gathered {
    let mut gathered = Gathered::default();
    let study = seat.study;
    let path = subject_path(study, casebook);
    let subject = casebook.subject.to_string();
    let line = |path: String, what: String, when: String, urgent: bool| Line {
        path,
        subject: subject.clone(),
        what,
        when,
        day: None,
        answered_by: None,
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
        let asked = is_asked(seat, query);
        if (asked || is_to_close(seat, query)) && seat.sees_query(casebook, query) {
            let form = study.form(query.key.form.as_str());
            let title = form.map_or("", |form| form.title.get(language));
            let item = form
                .and_then(|form| form.item(query.item.as_str()))
                .map_or("", |item| item.label.get(language));
            let to = format!("{}#item-{}", crate::course::form_path(study, casebook, &query.key), query.item);
            let visit = query.key.visit.as_ref();
            let visit =
                visit.map_or(String::new(), |visit| format!("{} · ", study.visit_name(visit, language)));
            let what = format!("{visit}{title}: {item}");
            let answered_by = query.answered_by.clone().filter(|_| !asked);
            gathered.queries.push(Line { answered_by, ..line(to, what, query.id.to_string(), false) });
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
    gathered
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
}

/// Makes the lists of what was gathered at participants, whom `gathered` has by number, and of what waits for the safety board.
fn lists<'a>(
    seat: &Seat<'_>,
    gathered: &[&'a Gathered],
    board: &'a [Line],
    totals: &[usize; LISTS],
) -> Vec<Waiting<'a>> {
    let of = |lines: fn(&Gathered) -> &Vec<Line>| -> Vec<&'a Line> {
        gathered.iter().flat_map(|gathered| lines(gathered)).collect()
    };
    let by_day = |lines: fn(&Gathered) -> &Vec<Line>| {
        let mut lines = of(lines);
        lines.sort_by_key(|line| line.day);
        lines
    };
    let [overdue, due, ahead, forms, queries, decide, dispense, report, sign, verify] = *totals;
    let fills = seat.study.forms.iter().any(|form| seat.fills(form));
    let list = |title, kind, mut lines: Vec<&'a Line>, all, none| {
        lines.truncate(SHOWN_MAX);
        Waiting { title, kind, lines, all, none }
    };
    let mut asked = of(|gathered| &gathered.queries);
    asked.retain(|line| line.answered_by.as_ref() != Some(&seat.person));
    let all = [
        (
            seat.may(Power::OverseeSafety),
            list("For the safety board to decide", "bad", board.iter().collect(), board.len(), ""),
        ),
        (
            seat.may(Power::ReportEvents),
            list("Serious events to report", "bad", of(|gathered| &gathered.report), report, ""),
        ),
        (
            seat.follows_course(),
            list("Overdue", "bad", by_day(|gathered| &gathered.overdue), overdue, "Nothing is overdue."),
        ),
        (
            seat.follows_course(),
            list("Due now", "wait", by_day(|gathered| &gathered.due), due, "No visit is due."),
        ),
        (
            seat.may(Power::DecideEligibility),
            list("To decide", "wait", of(|gathered| &gathered.decide), decide, ""),
        ),
        (
            seat.may(Power::Dispense),
            list("To dispense", "wait", of(|gathered| &gathered.dispense), dispense, ""),
        ),
        (
            fills,
            list("Forms to fill", "wait", of(|gathered| &gathered.forms), forms, "Every form is complete."),
        ),
        (seat.sees_participants(), list("Queries for you", "ask", asked, queries, "No query waits for you.")),
        (
            seat.may(Power::VerifySource),
            list(
                "To verify",
                "ask",
                of(|gathered| &gathered.verify),
                verify,
                "Nothing of the sample is left to verify.",
            ),
        ),
        (
            seat.may(Power::Sign),
            list("To sign", "ask", of(|gathered| &gathered.sign), sign, "Nothing is ready to sign."),
        ),
        (
            seat.follows_course(),
            list(
                "In the next two weeks",
                "calm",
                by_day(|gathered| &gathered.ahead),
                ahead,
                "No visit opens.",
            ),
        ),
    ];
    all.into_iter()
        .filter(|(shown, list)| *shown && (!list.lines.is_empty() || !list.none.is_empty()))
        .map(|(_, list)| list)
        .collect()
}
