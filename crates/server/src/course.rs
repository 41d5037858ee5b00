//! A participant's course as a seat sees it: visits against their windows, forms and how complete they are.

use std::collections::BTreeMap;

use conduct::{Casebook, Query, View, scheduled_visit, unfilled, window};
use protocol::model::{Form, Mark, Study, Timing, Visit};
use record::FormKey;
use terms::{Date, FormId, VisitId, days_between};

use crate::{
    http::Segment,
    seat::{Seat, Shown},
};

/// How a visit stands on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// It should have been held by now.
    Overdue,
    /// Its window is open.
    Due,
    /// It is the next on the way in, which has no window yet.
    Next,
    /// Its window opens later.
    Later,
    /// What it is reckoned from has not happened.
    Waiting,
    /// It was held.
    Held,
    /// It was not held.
    Missed,
}

impl Standing {
    /// What people call it.
    pub fn label(self) -> &'static str {
        match self {
            Standing::Overdue => "overdue",
            Standing::Due => "due",
            Standing::Next => "next",
            Standing::Later => "later",
            Standing::Waiting => "waiting",
            Standing::Held => "held",
            Standing::Missed => "missed",
        }
    }
}

/// How a form stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filled {
    /// Nothing is entered, and something is required.
    Not,
    /// Nothing is entered, and nothing is required.
    Optional,
    /// So many required items are missing.
    Partly(usize),
    /// Nothing required is missing.
    Wholly,
}

impl Filled {
    /// Says whether nothing required is missing.
    pub fn is_done(self) -> bool {
        matches!(self, Filled::Optional | Filled::Wholly)
    }

    /// What people call it.
    pub fn label(self) -> &'static str {
        match self {
            Filled::Not => "empty",
            Filled::Optional => "optional",
            Filled::Partly(_) => "begun",
            Filled::Wholly => "complete",
        }
    }

    /// Returns how many required items are missing from a form that was begun.
    pub fn missing(self) -> usize {
        match self {
            Filled::Partly(missing) => missing,
            Filled::Not | Filled::Optional | Filled::Wholly => 0,
        }
    }
}

/// A form in a participant's course.
#[derive(Clone, Debug)]
pub struct FormLine {
    /// Its place.
    pub key: FormKey,
    /// Its title.
    pub title: String,
    /// Its page.
    pub path: String,
    /// How it stands.
    pub filled: Filled,
    /// Open queries on it that the seat sees.
    pub queries: usize,
    /// Whether the seat fills it.
    pub enters: bool,
    /// Whether its values stay hidden.
    pub masked: bool,
}

/// A visit in a participant's course.
#[derive(Clone, Debug)]
pub struct VisitLine {
    /// The visit.
    pub id: VisitId,
    /// Its label.
    pub label: String,
    /// How it stands.
    pub standing: Standing,
    /// The planned day or days, in words.
    pub planned: String,
    /// The window's first and last day, where they can be reckoned.
    pub window: Option<(Date, Date)>,
    /// When it was held.
    pub held: Option<Date>,
    /// How many days outside its window it was held, if it was.
    pub days_outside: i32,
    /// Whether it is signed.
    pub signed: bool,
    /// Whether it may be the next to be held: it is due or overdue, or the first that is still to come.
    pub is_next: bool,
    /// Its forms, once it was held.
    pub forms: Vec<FormLine>,
}

/// Which forms the schedule asks for at each visit. Forms stand by their place among the study's.
#[derive(Clone, Debug)]
pub struct Schedule<'a> {
    places: BTreeMap<&'a FormId, usize>,
    /// By visit: forms to do or to confirm.
    marked: BTreeMap<&'a VisitId, Vec<usize>>,
    /// By visit: forms to do, in the order of the schedule.
    due: BTreeMap<&'a VisitId, Vec<usize>>,
}

impl<'a> Schedule<'a> {
    /// Reads a study's schedule.
    pub fn of(study: &'a Study) -> Self {
        let places: BTreeMap<&FormId, usize> =
            study.forms.iter().enumerate().map(|(place, form)| (&form.id, place)).collect();
        let (mut marked, mut due) = (BTreeMap::<_, Vec<usize>>::new(), BTreeMap::<_, Vec<usize>>::new());
        for activity in &study.activities {
            let forms: Vec<usize> =
                activity.forms.iter().filter_map(|form| places.get(form).copied()).collect();
            for (visit, mark) in activity.marks.iter().filter(|(_, mark)| *mark != Mark::Nothing) {
                marked.entry(visit).or_default().extend(&forms);
                if *mark == Mark::Do {
                    due.entry(visit).or_default().extend(&forms);
                }
            }
        }
        Self { places, marked, due }
    }

    /// Returns the place of a form among the study's.
    pub fn place(&self, form: &FormId) -> Option<usize> {
        self.places.get(form).copied()
    }

    /// Returns the forms that the schedule asks for at a visit, to do or to confirm.
    pub fn marked_at(&self, visit: &VisitId) -> &[usize] {
        self.marked.get(visit).map_or(&[], Vec::as_slice)
    }

    /// Returns the forms to do at a visit, in the order of the schedule.
    pub fn due_at(&self, visit: &VisitId) -> &[usize] {
        self.due.get(visit).map_or(&[], Vec::as_slice)
    }
}

/// Returns the visits of a participant that a seat sees, in the order of the schedule.
pub fn visits(seat: &Seat<'_>, casebook: &Casebook, today: Date, language: &str) -> Vec<VisitLine> {
    let study = seat.study;
    let mut lines = Vec::new();
    let mut way_in_open = casebook.screened.is_some() && casebook.participation_end.is_none();
    for visit in &study.visits {
        if visit.timing == Timing::Unscheduled {
            continue;
        }
        let line = visit_line(seat, casebook, visit, &visit.id, today, language, &mut way_in_open);
        lines.extend(line);
    }
    for id in casebook.visits.keys().filter(|id| study.visit(id.as_str()).is_none()) {
        if let Some(visit) = scheduled_visit(study, id) {
            lines.extend(visit_line(seat, casebook, visit, id, today, language, &mut way_in_open));
        }
    }
    // Held visits come in the order in which they were held; what is to come, in the order of the schedule.
    lines.sort_by_key(|line| line.held.or(line.window.map(|(first, _)| first)).unwrap_or(Date::MAX));
    if let Some(line) =
        lines.iter_mut().find(|line| matches!(line.standing, Standing::Later | Standing::Waiting))
    {
        line.is_next = true;
    }
    lines
}

fn visit_line(
    seat: &Seat<'_>,
    casebook: &Casebook,
    visit: &Visit,
    id: &VisitId,
    today: Date,
    language: &str,
    way_in_open: &mut bool,
) -> Option<VisitLine> {
    if !seat.sees_visit(casebook, id) {
        return None;
    }
    let held = casebook.visit_date(id);
    let window = window(casebook, visit);
    let over = casebook.participation_end.is_some();
    let standing = if held.is_some() {
        Standing::Held
    } else if casebook.missed.contains_key(id) {
        Standing::Missed
    } else if matches!(visit.timing, Timing::EarlyEnd { .. })
        && !casebook.treatment_end.is_some_and(|end| end.early)
    {
        return None;
    } else if over {
        return None;
    } else {
        match window {
            Some(window) if today > window.last => Standing::Overdue,
            Some(window) if today >= window.first => Standing::Due,
            Some(_) => Standing::Later,
            None if *way_in_open && matches!(visit.timing, Timing::Before { .. } | Timing::On { .. }) => {
                *way_in_open = false;
                Standing::Next
            }
            None => Standing::Waiting,
        }
    };
    // Of an extra series only what was held or may be held now is worth a line.
    if visit.extra && matches!(standing, Standing::Later | Standing::Waiting) {
        return None;
    }
    let planned = match window {
        Some(window) if window.first == window.last => window.first.to_string(),
        Some(window) => format!("{} – {}", window.first, window.last),
        None => String::new(),
    };
    let days_outside = match (held, window) {
        (Some(date), Some(window)) if date < window.first => days_between(window.first, date),
        (Some(date), Some(window)) if date > window.last => days_between(window.last, date),
        _ => 0,
    };
    let forms = forms_of_visit(seat, casebook, id, today, language);
    let number = id.as_str().trim_start_matches(visit.id.as_str().trim_end_matches(char::is_numeric));
    let label = visit.label.get(language);
    let label = if id != &visit.id { format!("{label} {number}") } else { label.to_owned() };
    Some(VisitLine {
        id: id.clone(),
        label: label.trim().to_owned(),
        standing,
        planned,
        window: window.map(|window| (window.first, window.last)),
        held,
        days_outside,
        signed: casebook.signatures.contains_key(id),
        is_next: matches!(standing, Standing::Overdue | Standing::Due | Standing::Next),
        forms,
    })
}

/// Returns the forms of a visit that a seat sees, once the visit was held.
pub fn forms_of_visit(
    seat: &Seat<'_>,
    casebook: &Casebook,
    visit: &VisitId,
    today: Date,
    language: &str,
) -> Vec<FormLine> {
    if !casebook.visits.contains_key(visit) {
        return Vec::new();
    }
    seat.forms_at(casebook, visit)
        .map(|(form, key, shown)| form_line(seat, casebook, form, key, shown, today, language))
        .collect()
}

/// Returns the forms that run through the trial, a line for each row and one for the next.
pub fn log_forms(
    seat: &Seat<'_>,
    casebook: &Casebook,
    today: Date,
    language: &str,
) -> Vec<(String, Vec<FormLine>)> {
    let mut all = Vec::new();
    for (form, shown) in seat.log_forms(casebook) {
        let mut rows: Vec<u32> = casebook.rows(&form.id).map(|(row, _)| row).collect();
        let next = if form.repeating { rows.last().copied().unwrap_or(0) + 1 } else { 0 };
        if (seat.fills(form) && shown == Shown::Yes && casebook.participation_end.is_none())
            || !form.repeating
        {
            rows.push(next);
            rows.dedup();
        }
        let lines = rows
            .into_iter()
            .map(|row| {
                let key = FormKey { visit: None, form: form.id.clone(), row };
                let mut line = form_line(seat, casebook, form, key, shown, today, language);
                if form.repeating {
                    line.title =
                        if shown == Shown::Yes { row_title(form, casebook, row) } else { row.to_string() };
                }
                line
            })
            .collect();
        all.push((form.title.get(language).to_owned(), lines));
    }
    all
}

/// The row's number and its first text or code, so that rows can be told apart.
fn row_title(form: &Form, casebook: &Casebook, row: u32) -> String {
    let key = FormKey { visit: None, form: form.id.clone(), row };
    let first = form.items.first().and_then(|item| casebook.cell(&key, item.id.as_str()));
    match first.and_then(conduct::Cell::answer) {
        Some(answer) => format!("{row}. {answer}"),
        None => format!("{row}."),
    }
}

/// Describes a form at its place.
pub fn form_line(
    seat: &Seat<'_>,
    casebook: &Casebook,
    form: &Form,
    key: FormKey,
    shown: Shown,
    today: Date,
    language: &str,
) -> FormLine {
    let open =
        |query: &&Query| query.closed.is_none() && query.key == key && seat.sees_query(casebook, query);
    FormLine {
        title: form.title.get(language).to_owned(),
        path: form_path(seat.study, casebook, &key),
        filled: filled(seat, casebook, form, &key, today),
        queries: casebook.queries.iter().filter(open).count(),
        // Of a visit's form it is known how it is shown; of the rows of another, only how the first is.
        enters: seat.fills(form)
            && Shown::Yes == if key.visit.is_some() { shown } else { seat.form(casebook, &key) },
        masked: shown == Shown::Masked,
        key,
    }
}

/// Says how complete a form is.
pub fn filled(seat: &Seat<'_>, casebook: &Casebook, form: &Form, key: &FormKey, today: Date) -> Filled {
    let (study, schedule) = (seat.study, seat.schedule());
    let begun = casebook.forms.contains_key(key);
    // What the schedule asks to confirm, or leaves to an unscheduled visit, is due once it was begun.
    let place = || schedule.place(&form.id).unwrap_or(usize::MAX);
    let asked = || key.visit.as_ref().is_none_or(|visit| schedule.due_at(visit).contains(&place()));
    if !begun && !asked() {
        return Filled::Optional;
    }
    let first_row = key.row == u32::from(form.repeating);
    let held = key.visit.as_ref().is_some_and(|visit| casebook.visits.contains_key(visit));
    let missing = if held && (begun || first_row) {
        casebook.gaps(|casebook| gaps(study, schedule, casebook)).get(key).copied().unwrap_or(0)
    } else {
        unfilled(&View::at_form(study, casebook, key, today), form, key).len()
    };
    match missing {
        0 if begun => Filled::Wholly,
        0 => Filled::Optional,
        missing if begun => Filled::Partly(missing),
        _ => Filled::Not,
    }
}

/// Reckons how many required items are missing from the forms of held visits, begun ones and those that are asked for. At a held
/// visit nothing depends on the day of asking.
fn gaps(study: &Study, schedule: &Schedule<'_>, casebook: &Casebook) -> BTreeMap<FormKey, usize> {
    let mut gaps = BTreeMap::new();
    for (visit, held) in &casebook.visits {
        let mut reckon = |form: &Form, key: FormKey| {
            let missing = unfilled(&View::at_form(study, casebook, &key, held.held.date), form, &key).len();
            if missing > 0 {
                gaps.insert(key, missing);
            }
        };
        for place in schedule.due_at(visit) {
            let form = &study.forms[*place];
            let row = u32::from(form.repeating);
            reckon(form, FormKey { visit: Some(visit.clone()), form: form.id.clone(), row });
        }
        for (key, _) in casebook.forms_at(visit) {
            let Some(place) = schedule.place(&key.form) else { continue };
            let form = &study.forms[place];
            if key.row != u32::from(form.repeating) || !schedule.due_at(visit).contains(&place) {
                reckon(form, key.clone());
            }
        }
    }
    gaps
}

/// Returns the path of a participant's page.
pub fn subject_path(study: &Study, casebook: &Casebook) -> String {
    format!("/studies/{}/participants/{}", Segment(study.id.as_str()), Segment(casebook.subject.as_str()))
}

/// Returns the path of a form's page.
pub fn form_path(study: &Study, casebook: &Casebook, key: &FormKey) -> String {
    format!(
        "/studies/{}/participants/{}/forms/{}/{}/{}",
        Segment(study.id.as_str()),
        Segment(casebook.subject.as_str()),
        Segment(key.form.as_str()),
        Segment(key.visit.as_ref().map_or("-", VisitId::as_str)),
        key.row
    )
}

/// How far a participant has come, in a word or two.
pub fn status(study: &Study, casebook: &Casebook) -> &'static str {
    let randomised = study.allocation.is_some();
    if let Some(end) = &casebook.participation_end {
        return match end.reason {
            record::EndReason::Completed => "completed",
            record::EndReason::NotEligible => "not eligible",
            _ => "ended early",
        };
    }
    if casebook.treatment_end.is_some() {
        "off treatment"
    } else if casebook.first_dose().is_some() {
        "on treatment"
    } else if casebook.allocated.is_some() {
        "randomised"
    } else if casebook.enrolled.is_some() {
        if randomised { "ready to randomise" } else { "enrolled" }
    } else if casebook.screened.is_some() {
        "in screening"
    } else {
        "consented"
    }
}
