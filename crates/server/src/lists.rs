//! What lists, counts and the start page need of each participant, kept from one request to the next.
//!
//! A page shows some lines and a few sums of what may be thousands of participants. To open every casebook for that
//! would make each page as dear as the trial is large. So a small [`Line`] a participant is kept for each role that asks (and for
//! each person, where the role sees but what its holder entered). A line is made when it is first asked for, and again once
//! the participant's record has grown or a day has come on which something in it changes; a page adds lines up and opens the
//! casebooks that it shows.
//!
//! A cache: all of it follows from the state, and a restart drops it.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use conduct::{Casebook, Query, State, Walked, window};
use protocol::model::{Power, Sight, Study};
use record::VerificationPlan;
use terms::{Date, PersonId, RoleId, SiteId, SubjectId, days_between};

use crate::{
    course::{Standing, VisitLine, status, visits},
    pages::{
        home::{self, Told},
        verification,
    },
    seat::{Seat, Sites},
};

/// Changes that are remembered; whoever was not asked for so long looks all participants through.
const CHANGES_MAX: usize = 20_000;
/// Ages in days up to which open queries are counted together.
pub const AGES: [i32; 3] = [7, 30, i32::MAX];

/// How a query stands, for lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueryState {
    /// Open, or open again.
    Open,
    /// Answered and not closed.
    Answered,
    /// Closed.
    Closed,
}

/// Returns how a query stands.
pub fn query_state(query: &Query) -> QueryState {
    match (query.closed, query.answered) {
        (Some(_), _) => QueryState::Closed,
        (None, Some(_)) => QueryState::Answered,
        (None, None) => QueryState::Open,
    }
}

/// Some queries: how many, and the event that opened the oldest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Queries {
    /// How many.
    pub count: u32,
    /// The event that opened the oldest; 0 where there is none.
    pub oldest: u64,
}

/// Queries of a participant on one form that stand alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The form's place among the study's.
    pub form: u16,
    /// How they stand.
    pub state: QueryState,
    /// Whether they ask this role.
    pub mine: bool,
    count: u16,
    oldest: u64,
}

impl FromIterator<Asked> for Queries {
    fn from_iter<T: IntoIterator<Item = Asked>>(all: T) -> Self {
        all.into_iter().fold(Self::default(), |sum, asked| Self {
            count: sum.count + u32::from(asked.count),
            oldest: if sum.oldest == 0 { asked.oldest } else { sum.oldest.min(asked.oldest) },
        })
    }
}

/// A visit that is awaited next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Next {
    /// Its place among the study's visits.
    pub visit: u16,
    /// How it stands.
    pub standing: Standing,
    /// Its window, where it has one.
    pub window: Option<(Date, Date)>,
}

/// What waits at a participant, of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waits {
    /// How much.
    pub count: u16,
    /// The first day of the first, where it has one.
    pub first: Option<Date>,
}

/// What lists need of a participant, as a role sees it on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// How long the participant's record was.
    position: u64,
    /// The day on which the line is another one.
    changes_on: Date,
    /// How far the participant has come; empty for who does not follow the course.
    pub status: &'static str,
    /// The day of entering the trial.
    pub entered: Option<Date>,
    /// Whether the participant takes the drug.
    pub treated: bool,
    /// Whether participation has ended.
    pub over: bool,
    /// The visit that is awaited next.
    pub next: Option<Next>,
    /// Visits held and overdue.
    pub held: u16,
    /// Visits that should have been held.
    pub overdue: u16,
    /// Forms of held visits, and how many of them are complete.
    pub forms: u16,
    /// Forms of held visits that are complete.
    pub forms_complete: u16,
    /// Adverse events and serious ones, for who reads of them.
    pub events: u16,
    /// Serious adverse events.
    pub serious: u16,
    /// Queries, by form and by how they stand.
    asked: Box<[Asked]>,
    /// Open and answered queries by age.
    pub ages: [u16; AGES.len()],
    /// What waits on the start page, list by list.
    pub waits: [Waits; home::LISTS],
    /// Of the queries that wait to be closed, how many each person has answered, who closes none of these.
    answers: Vec<(PersonId, u16)>,
    /// How far source verification has come.
    pub verification: verification::Standing,
    told: Kept,
}

/// What the start page says of a participant, once it was asked for there. A cache that holds no fact.
#[derive(Debug, Default)]
struct Kept(OnceLock<Arc<Told>>);

impl Clone for Kept {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl PartialEq for Kept {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Kept {}

impl Line {
    /// Returns where the start page keeps what it says of the participant: for as long as the line holds.
    pub fn told(&self) -> Arc<Told> {
        Arc::clone(self.told.0.get_or_init(Arc::default))
    }

    /// Returns the queries that fit, together.
    pub fn queries(&self, fit: impl Fn(&Asked) -> bool) -> Queries {
        self.asked.iter().copied().filter(fit).collect()
    }

    /// Returns how many of the queries that wait to be closed were answered by a person.
    pub fn answers_of(&self, person: &PersonId) -> u16 {
        self.answers.iter().find(|(by, _)| by == person).map_or(0, |(_, count)| *count)
    }
}

/// The lines of a site, as they are on a day there.
#[derive(Default)]
struct SiteLines {
    day: Option<Date>,
    /// Whether a line is missing.
    stale: bool,
    /// By number. A line that has to be made anew is none.
    lines: Vec<(SubjectId, Option<Line>)>,
}

/// Whose lines they are.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    role: RoleId,
    /// Where what the role sees hangs on what its holder entered.
    person: Option<PersonId>,
}

#[derive(Default)]
struct View {
    /// The state's sequence up to which changes were taken in.
    seen: u64,
    plan: Option<VerificationPlan>,
    sites: BTreeMap<SiteId, SiteLines>,
}

/// Which participants changed by which event, the latest last.
#[derive(Default)]
struct Changes {
    /// The last event whose change was forgotten.
    forgotten: u64,
    latest: VecDeque<(u64, SubjectId)>,
}

/// The lines of a study.
#[derive(Default)]
pub struct Lists {
    changes: Mutex<Changes>,
    views: Mutex<BTreeMap<Key, Arc<Mutex<View>>>>,
}

/// The lines that a seat sees.
pub struct Lines<'v> {
    view: &'v View,
    sites: &'v Sites,
}

impl Lines<'_> {
    /// Returns them by participant.
    pub fn iter(&self) -> impl Iterator<Item = (&SiteId, &SubjectId, &Line)> {
        let own = self.view.sites.iter().filter(|(site, _)| self.sites.hold(site));
        own.flat_map(|(site, all)| {
            all.lines.iter().filter_map(move |(subject, line)| Some((site, subject, line.as_ref()?)))
        })
    }
}

impl Lists {
    /// Notes that participants changed by an event. It is noted before readers see the change.
    pub fn note<'s>(&self, changed: impl Iterator<Item = (u64, &'s SubjectId)>) {
        let mut changes = locked(&self.changes);
        for (sequence, subject) in changed {
            changes.latest.push_back((sequence, subject.clone()));
        }
        while changes.latest.len() > CHANGES_MAX {
            if let Some((sequence, _)) = changes.latest.pop_front() {
                changes.forgotten = sequence;
            }
        }
    }

    /// Looks at the lines of a seat. `state` is asked for once the lines are held, `today` is the day at a site.
    pub fn look<T>(
        &self,
        seat: &Seat<'_>,
        state: impl FnOnce() -> Arc<State>,
        today: impl Fn(&SiteId) -> Date,
        look: impl FnOnce(&Arc<State>, &Lines<'_>) -> T,
    ) -> T {
        let view = Arc::clone(locked(&self.views).entry(Key::of(seat)).or_default());
        let mut view = locked(&view);
        // Not before: an older state than the one the lines were made from would make lines that nobody mends.
        let state = state();
        self.forget_changed(&mut view, &state);
        if seat.sees_participants() {
            for site in seat.own_sites() {
                let lines = view.sites.entry(site.id.clone()).or_default();
                lines.bring_up(seat, &state, &site.id, today(&site.id));
            }
        }
        look(&state, &Lines { view: &view, sites: &seat.sites })
    }

    /// Makes the lines of all participants for seats whose lines hang on no person, one participant after the other, so that
    /// each casebook is opened once; `also` gets each as well. Ends early when told to.
    pub fn make_all(
        &self,
        seats: &[Seat<'_>],
        state: impl Fn() -> Arc<State>,
        today: impl Fn(&SiteId) -> Date,
        go_on: impl Fn() -> bool,
        mut also: impl FnMut(&State, &Casebook),
    ) {
        let seats: Vec<&Seat<'_>> =
            seats.iter().filter(|seat| Key::of(seat).person.is_none() && seat.sees_participants()).collect();
        let subjects: Vec<SubjectId> = state().casebooks.keys().cloned().collect();
        for subject in subjects {
            if !go_on() {
                return;
            }
            let casebook = state().casebook(subject.as_str()).cloned();
            let Some(casebook) = casebook else { continue };
            let day = today(&casebook.site);
            also(&state(), &casebook);
            for seat in &seats {
                let view = Arc::clone(locked(&self.views).entry(Key::of(seat)).or_default());
                let mut view = locked(&view);
                let state = state();
                self.forget_changed(&mut view, &state);
                let lines = view.sites.entry(casebook.site.clone()).or_default();
                lines.cover(state.subjects_at(&casebook.site));
                let fresh =
                    state.casebook(subject.as_str()).is_some_and(|now| now.position() == casebook.position());
                if fresh
                    && *lines.day.get_or_insert(day) == day
                    && let Some(place @ None) = lines.of(&subject)
                {
                    *place = Some(line(seat, &state, &casebook, day));
                }
            }
        }
    }

    /// Drops the lines of who changed since they were made.
    fn forget_changed(&self, view: &mut View, state: &State) {
        if view.plan != state.verification_plan {
            view.plan.clone_from(&state.verification_plan);
            view.sites.clear();
        }
        let changes = locked(&self.changes);
        let position = |subject| state.casebooks.get(subject).map(|casebook| casebook.position());
        if view.seen < changes.forgotten {
            for lines in view.sites.values_mut() {
                for (subject, line) in &mut lines.lines {
                    if line.as_ref().map(|line| line.position) != position(subject) {
                        (*line, lines.stale) = (None, true);
                    }
                }
            }
        } else {
            let later = changes.latest.iter().rev().take_while(|(sequence, _)| *sequence > view.seen);
            for (_, subject) in later {
                if let Some(casebook) = state.casebooks.get(subject)
                    && let Some(lines) = view.sites.get_mut(&casebook.site)
                    && let Some(line) = lines.of(subject)
                    && line.take_if(|line| line.position != casebook.position()).is_some()
                {
                    lines.stale = true;
                }
            }
        }
        view.seen = view.seen.max(state.sequence);
    }
}

impl Key {
    fn of(seat: &Seat<'_>) -> Self {
        let own = seat.study.forms.iter().any(|form| {
            seat.fills(form) && matches!(seat.sight(form.data_class.as_str()), Sight::OwnVisit | Sight::None)
        });
        Self { role: seat.role.id.clone(), person: own.then(|| seat.person.clone()) }
    }
}

impl SiteLines {
    /// Makes the lines that are missing, and those for which a day has come.
    fn bring_up(&mut self, seat: &Seat<'_>, state: &State, site: &SiteId, today: Date) {
        if self.day != Some(today) {
            let later = self.day.is_some_and(|day| day < today);
            for (_, line) in &mut self.lines {
                line.take_if(|line| !later || today >= line.changes_on);
            }
            (self.day, self.stale) = (Some(today), true);
        }
        self.cover(state.subjects_at(site));
        if !std::mem::take(&mut self.stale) {
            return;
        }
        for (subject, line) in self.lines.iter_mut().filter(|(_, line)| line.is_none()) {
            if let Some(casebook) = state.casebook(subject.as_str()) {
                *line = Some(self::line(seat, state, &Walked::of(casebook), today));
            }
        }
    }

    /// Has a place for each participant of the site.
    fn cover(&mut self, all: &[SubjectId]) {
        if self.lines.len() == all.len() {
            return;
        }
        let mut known = std::mem::take(&mut self.lines).into_iter().peekable();
        // Both are in the order of the numbers.
        let lines = all.iter().map(|subject| {
            let line = known.next_if(|(known, _)| known == subject).and_then(|(_, line)| line);
            (subject.clone(), line)
        });
        self.lines = lines.collect();
        self.stale = true;
    }

    /// Returns the place of a participant's line.
    fn of(&mut self, subject: &SubjectId) -> Option<&mut Option<Line>> {
        let place = self.lines.binary_search_by(|(known, _)| known.cmp(subject)).ok()?;
        Some(&mut self.lines[place].1)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes a participant's line.
fn line(seat: &Seat<'_>, state: &State, casebook: &Casebook, today: Date) -> Line {
    let study = seat.study;
    let course = visits(seat, casebook, today, "en");
    let awaited = |line: &&VisitLine| {
        matches!(line.standing, Standing::Overdue | Standing::Due | Standing::Next | Standing::Later)
    };
    let next = course.iter().find(awaited).and_then(|line| {
        let place = study.visits.iter().position(|visit| visit.id == line.id)?;
        Some(Next { visit: small(place), standing: line.standing, window: line.window })
    });
    let standing = |wanted| small(course.iter().filter(|line| line.standing == wanted).count());
    let forms = || course.iter().flat_map(|line| &line.forms);
    let randomised = study.allocation.is_some();
    let entered = if randomised {
        casebook.allocated.as_ref().map(|place| place.randomised.date)
    } else {
        casebook.enrolled.map(|dated| dated.date)
    };
    let status = status(study, casebook);
    let events =
        if seat.reads("adverse_events") { conduct::adverse_events(study, casebook) } else { Vec::new() };
    let mut made = Line {
        position: casebook.position(),
        changes_on: next_change(study, casebook, today),
        status: if seat.follows_course() { status } else { "" },
        entered,
        treated: status == "on treatment",
        over: casebook.participation_end.is_some(),
        next,
        held: standing(Standing::Held),
        overdue: standing(Standing::Overdue),
        forms: small(forms().count()),
        forms_complete: small(forms().filter(|form| form.filled.is_done()).count()),
        events: small(events.len()),
        serious: small(events.iter().filter(|event| event.serious == Some(true)).count()),
        asked: Box::default(),
        ages: Default::default(),
        waits: home::waits(seat, state, casebook, &course, today),
        answers: Vec::new(),
        verification: if seat.may(Power::VerifySource) {
            verification::standing(seat, state, casebook)
        } else {
            verification::Standing::default()
        },
        told: Kept::default(),
    };
    let mut asked: Vec<Asked> = Vec::new();
    for query in casebook.queries.iter().filter(|query| seat.sees_query(casebook, query)) {
        let place = study.forms.iter().position(|form| form.id == query.key.form).unwrap_or(usize::MAX);
        let (state, mine) = (query_state(query), query.addressed_to == seat.role.id);
        let one = Asked { form: small(place), state, mine, count: 1, oldest: query.opened };
        let alike = |known: &&mut Asked| (known.form, known.state, known.mine) == (one.form, state, mine);
        match asked.iter_mut().find(alike) {
            Some(known) => {
                known.count = known.count.saturating_add(1);
                known.oldest = known.oldest.min(one.oldest);
            }
            None => asked.push(one),
        }
        if let Some(by) = query.answered_by.as_ref().filter(|_| home::is_to_close(seat, query)) {
            match made.answers.iter_mut().find(|(known, _)| known == by) {
                Some((_, count)) => *count += 1,
                None => made.answers.push((by.clone(), 1)),
            }
        }
        if query.closed.is_none() {
            let age = days_between(query.opened_on, today);
            made.ages[AGES.iter().position(|most| age <= *most).unwrap_or(AGES.len() - 1)] += 1;
        }
    }
    made.asked = asked.into();
    made
}

/// The first day after today on which a visit or a query stands otherwise by the calendar alone. Visits count whose line is not
/// shown yet.
fn next_change(study: &Study, casebook: &Casebook, today: Date) -> Date {
    let day = |date: Date, days: i32| date.saturating_add(jiff::Span::new().days(days));
    let ahead = i32::try_from(home::AHEAD_DAYS).unwrap_or(0);
    let windows = study.visits.iter().filter_map(|visit| window(casebook, visit));
    let of_visits = windows.flat_map(|window| [day(window.first, -ahead), window.first, day(window.last, 1)]);
    let open = casebook.queries.iter().filter(|query| query.closed.is_none());
    let of_queries =
        open.flat_map(|query| AGES[..AGES.len() - 1].iter().map(|age| day(query.opened_on, age + 1)));
    of_visits.chain(of_queries).filter(|date| *date > today).min().unwrap_or(Date::MAX)
}

/// Counts in few bytes; nothing in a casebook comes near the bound.
pub fn small(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}
