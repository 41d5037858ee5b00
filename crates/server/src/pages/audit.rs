//! The audit trail: every event that the seat may know of, newest first, with filters.

use askama::Template;
use conduct::Action;
use protocol::model::{Power, Sight};
use record::{Event, Fact, StoreError, Stream};

use crate::{
    context::{Context, Failure, Outcome},
    http::{Reply, segment},
    page::Page,
    pages::form::{names, site_moment},
    running::RunningStudy,
    seat::{Seat, Shown},
};

/// Events on a page.
const ON_A_PAGE: usize = 100;
/// Events that are read at a time, and looked at for one page at most: a filter that fits few goes on with a click.
const READ_AT_ONCE: u64 = 500;
const LOOKED_AT_MAX: u64 = 20_000;

struct Line {
    sequence: u64,
    at: String,
    by: String,
    role: String,
    about: String,
    what: String,
    why: String,
    late: bool,
    /// From where it was recorded.
    origin: String,
}

#[derive(Template)]
#[template(path = "audit.html")]
struct AuditPage {
    page: Page,
    path: String,
    lines: Vec<Line>,
    subject: String,
    person: String,
    kind: String,
    kinds: &'static [(&'static str, &'static str)],
    after: Option<String>,
    shown: usize,
    /// The last review: up to which event, by whom, when.
    reviewed: Option<(u64, String, String)>,
    /// The last event, where the page shows the trail from its end and the person may say that it was reviewed.
    review_to: Option<u64>,
}

/// Kinds of events to filter by.
const KINDS: &[(&str, &str)] = &[
    ("correction", "corrections"),
    ("entry", "entries"),
    ("query", "queries"),
    ("verification", "source verification"),
    ("signature", "signatures"),
    ("course", "steps of the course"),
    ("deviation", "deviations"),
    ("closing", "freezing and locking"),
    ("safety", "safety board"),
    ("study", "study and people"),
];

/// Records that the trail was reviewed up to its last event that the page showed, and what was found.
pub fn review(context: &Context<'_>) -> Outcome {
    let (running, _) = context.seated()?;
    let form = &context.request.form;
    let up_to = form.get("up-to").parse();
    let up_to = up_to.map_err(|_| Failure::Bad("Name the last event that was looked at.".to_owned()))?;
    let action = Action::ReviewAuditTrail { up_to, finding: form.get("finding").to_owned() };
    let command = context.command(None, None, None, action)?;
    context.give(vec![command], None)?;
    context.notice("The review is in the record.");
    Ok(Reply::see(&format!("/studies/{}/audit", segment(running.study().id.as_str()))))
}

/// The audit trail.
pub fn show(context: &Context<'_>) -> Outcome {
    let (running, seat) = context.seated()?;
    let page = Page::new(context, "Audit trail");
    let query = &context.request.query;
    let names = names(context)?;
    let before: u64 = query.get("before").parse().unwrap_or(u64::MAX);
    let (subject, person, kind) = (query.get("subject"), query.get("person"), query.get("kind"));
    let state = running.state();
    let mut lines = Vec::new();
    let mut more = None;
    for event in (Backwards { running, subject, before, left: LOOKED_AT_MAX, events: Vec::new() }) {
        let event = match event {
            Ok(event) => event,
            Err(Looked::Enough(at)) => {
                more = Some(at);
                break;
            }
            Err(Looked::Failed(error)) => return Err(error.into()),
        };
        if !person.is_empty() && event.by.person != *person {
            continue;
        }
        let (of_kind, what) = describe(&event);
        if (!kind.is_empty() && of_kind != kind) || !may_know(seat, &state, &event) {
            continue;
        }
        if lines.len() == ON_A_PAGE {
            more = lines.last().map(|line: &Line| line.sequence);
            break;
        }
        let why = event.reason.as_ref().and_then(|reason| reason.get().cloned());
        lines.push(Line {
            sequence: event.sequence,
            at: site_moment(&event.recorded),
            by: names.get(event.by.person.as_str()).cloned().unwrap_or_else(|| event.by.person.to_string()),
            role: seat
                .study
                .role(event.by.role.as_str())
                .map_or_else(|| event.by.role.to_string(), |role| role.label.get(&page.language).to_owned()),
            about: match &event.stream {
                Stream::Subject(subject) => subject.to_string(),
                other => other.to_string(),
            },
            what,
            why: why.unwrap_or_default(),
            late: event.happened.latest() < event.recorded.local_date,
            origin: event.origin.clone(),
        });
    }
    let whole = subject.is_empty() && person.is_empty() && kind.is_empty() && before == u64::MAX;
    let reviews = whole && seat.may_take(access::Step::ReviewAuditTrail) && state.locked.is_none();
    let reviewed = state.trail_reviewed.as_ref().map(|(up_to, by, when)| {
        let by = names.get(by.person.as_str()).cloned().unwrap_or_else(|| by.person.to_string());
        (*up_to, by, when.date.to_string())
    });
    let last = state.sequence;
    drop(state);
    let path = format!("/studies/{}/audit", segment(seat.study.id.as_str()));
    let view = AuditPage {
        after: more.map(|before| format!("{path}?{}", query.with(&[("before", &before.to_string())]))),
        subject: subject.to_owned(),
        person: person.to_owned(),
        kind: kind.to_owned(),
        kinds: KINDS,
        shown: lines.len(),
        review_to: reviews.then_some(last),
        reviewed,
        lines,
        path,
        page,
    };
    Ok(Reply::page(view.render()?))
}

/// Events from before a sequence, newest first, a few at a time: a record of any length is never held as a whole. Of one
/// participant where one is named.
struct Backwards<'a> {
    running: &'a RunningStudy,
    subject: &'a str,
    before: u64,
    left: u64,
    events: Vec<Event>,
}

/// Why no further event comes.
enum Looked {
    /// Enough were looked at for one page; the rest begins before this sequence.
    Enough(u64),
    /// The record can't be read.
    Failed(StoreError),
}

impl Backwards<'_> {
    fn more(&mut self) -> Result<(), StoreError> {
        if self.subject.is_empty() {
            let last = self.running.state().sequence.min(self.before.saturating_sub(1));
            let first = last.saturating_sub(READ_AT_ONCE - 1).max(1);
            self.events = self.running.record(|reader| reader.between(first, last))?;
            self.before = first;
        } else {
            let stream = Stream::Subject(self.subject.into());
            self.events = self.running.record(|reader| reader.read_stream(&stream))?;
            self.events.retain(|event| event.sequence < self.before);
            self.before = 1;
        }
        Ok(())
    }
}

impl Iterator for Backwards<'_> {
    type Item = Result<Event, Looked>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.events.is_empty() {
            if self.before <= 1 {
                return None;
            }
            if self.left == 0 {
                return Some(Err(Looked::Enough(self.before)));
            }
            if let Err(error) = self.more() {
                return Some(Err(Looked::Failed(error)));
            }
        }
        self.left = self.left.saturating_sub(1);
        self.events.pop().map(Ok)
    }
}

/// Says whether a seat may know of an event: of its participant, and of the data class that it is about.
pub fn may_know(seat: &Seat<'_>, state: &conduct::State, event: &Event) -> bool {
    let casebook = match &event.stream {
        Stream::Study => None,
        Stream::Supply => return seat.reads("kits"),
        Stream::Subject(subject) => match state.casebook(subject.as_str()) {
            Some(casebook) if seat.sees_subject(casebook) => Some(casebook),
            _ => return false,
        },
    };
    let form =
        |key: &record::FormKey| casebook.is_some_and(|casebook| seat.form(casebook, key) == Shown::Yes);
    match &event.fact {
        Fact::FormSectionSaved { key, .. }
        | Fact::FormSectionCorrected { key, .. }
        | Fact::SourceVerified { key, .. }
        | Fact::SourceVerificationWithdrawn { key, .. }
        | Fact::FileAttached { key, .. }
        | Fact::FileWithdrawn { key, .. }
        | Fact::QueryOpened { key, .. } => form(key),
        Fact::QueryAnswered { query, .. }
        | Fact::QueryClosed { query, .. }
        | Fact::QueryReopened { query, .. } => casebook
            .and_then(|casebook| Some((casebook, casebook.query(query)?)))
            .is_some_and(|(casebook, query)| seat.sees_query(casebook, query)),
        Fact::DoseChanged { .. } | Fact::TreatmentEnded { .. } => seat.reads("dose"),
        Fact::KitDispensed { .. } | Fact::KitReturned { .. } | Fact::KitsReceived { .. } => {
            seat.reads("kits")
        }
        Fact::SeriousEventReported { .. } => seat.reads("adverse_events"),
        Fact::SpecimenTaken { .. } => seat.reads("biopsies"),
        Fact::ReadingOrderDrawn { .. }
        | Fact::SpecimenRead { .. }
        | Fact::ReadingsLocked { .. }
        | Fact::ReadingKeyJoined { .. } => seat.reads("biopsy_readings"),
        Fact::AllocationUnblinded { .. } => seat.reads("results_by_arm") || seat.reads("allocation"),
        // Whom a count holds shows what befell them; why the board decided may rest on results by arm.
        Fact::WatchCounted { .. } | Fact::WatchReached { .. } => {
            seat.may(Power::OverseeSafety) || seat.sight("adverse_events") == Sight::All
        }
        Fact::SafetyDecided { .. } => {
            seat.may(Power::OverseeSafety)
                || !seat.role.blinded
                || !seat.study.blinded
                || state.arms.is_some()
        }
        Fact::ConsentSigned { .. } | Fact::ConsentWithdrawn { .. } => seat.reads("consent"),
        Fact::EligibilityDecided { .. } => seat.reads("eligibility"),
        _ => true,
    }
}

/// Returns an event's kind and what it says, without values.
fn describe(event: &Event) -> (&'static str, String) {
    let place = |key: &record::FormKey| {
        let visit = key.visit.as_ref().map_or_else(String::new, |visit| format!(" at {visit}"));
        let row = if key.row > 0 { format!(", row {}", key.row) } else { String::new() };
        format!("{}{visit}{row}", key.form)
    };
    let items = |changes: &[record::ItemChange]| {
        changes.iter().map(|change| change.item.to_string()).collect::<Vec<_>>().join(", ")
    };
    let names =
        |items: &[terms::ItemId]| items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    match &event.fact {
        Fact::StudyOpened { environment, .. } => ("study", format!("record opened ({environment})")),
        Fact::StudyTested { .. } => ("study", "the study was tested".to_owned()),
        Fact::StudyApproved { parts } => {
            let parts: Vec<String> = parts.iter().map(ToString::to_string).collect();
            ("signature", format!("approved: {}", parts.join(", ")))
        }
        Fact::EthicsApprovalRecorded { site, approved, .. } => {
            ("study", format!("ethics approval of site {site} of {approved}"))
        }
        Fact::AuditTrailReviewed { up_to, .. } => {
            ("verification", format!("audit trail reviewed up to event {up_to}"))
        }
        Fact::SiteActivated { site } => ("study", format!("site {site} activated")),
        Fact::RoleDelegated { person, role, site } => {
            let at = site.as_ref().map_or_else(|| "all sites".to_owned(), |site| format!("site {site}"));
            ("study", format!("role {role} delegated to {person}, {at}"))
        }
        Fact::DelegationEnded { person, role, until, .. } => {
            ("study", format!("role {role} of {person} ends after {until}"))
        }
        Fact::TrainingRecorded { person, role } => ("study", format!("{person} trained for the role {role}")),
        Fact::ContentPackLoaded { instrument, language, version, .. } => {
            ("study", format!("wording of {instrument} loaded, {language}, version {version}"))
        }
        Fact::AllocationListSealed { .. } => ("study", "allocation list sealed".to_owned()),
        Fact::AnalysisSetsSigned { .. } => ("signature", "analysis sets signed".to_owned()),
        Fact::DatabaseLocked { .. } => ("closing", "database locked".to_owned()),
        Fact::AllocationUnblinded { .. } => ("study", "allocation list opened".to_owned()),
        Fact::KitsReceived { kits } => ("study", format!("{} kits received", kits.len())),
        Fact::ConsentSigned { consent_version } => {
            ("course", format!("consent to version {consent_version}"))
        }
        Fact::ConsentWithdrawn { .. } => ("course", "consent withdrawn".to_owned()),
        Fact::SubjectScreened => ("course", "screening begun".to_owned()),
        Fact::EligibilityDecided { at_visit, eligible, .. } => {
            let verdict = if *eligible { "eligible" } else { "not eligible" };
            ("signature", format!("eligibility at {at_visit}: {verdict}"))
        }
        Fact::SubjectEnrolled => ("course", "entered".to_owned()),
        Fact::SubjectRandomised { .. } => ("course", "randomised".to_owned()),
        Fact::VisitHeld { visit, date, .. } => ("course", format!("visit {visit} held on {date}")),
        Fact::VisitMissed { visit } => ("course", format!("visit {visit} missed")),
        Fact::FormSectionSaved { key, changes } => ("entry", format!("{}: {}", place(key), items(changes))),
        Fact::FormSectionCorrected { key, changes } => {
            ("correction", format!("{} corrected: {}", place(key), items(changes)))
        }
        Fact::FileAttached { key, number, .. } => {
            ("entry", format!("file {number} attached to {}", place(key)))
        }
        Fact::FileWithdrawn { key, number } => {
            ("correction", format!("file {number} of {} withdrawn", place(key)))
        }
        Fact::QueryOpened { query, key, item, .. } => {
            ("query", format!("{query} opened on {item} of {}", place(key)))
        }
        Fact::QueryAnswered { query, .. } => ("query", format!("{query} answered")),
        Fact::QueryClosed { query, by_check } => {
            let how = if *by_check { " by its check" } else { "" };
            ("query", format!("{query} closed{how}"))
        }
        Fact::QueryReopened { query, .. } => ("query", format!("{query} opened again")),
        Fact::SourceVerificationPlanned { plan } => (
            "study",
            format!(
                "source verification planned: {} % of visits, all of the first {} participants of each site",
                plan.percent, plan.first_subjects
            ),
        ),
        Fact::SourceVerified { key, items } => {
            ("verification", format!("{} verified: {}", place(key), names(items)))
        }
        Fact::SourceVerificationWithdrawn { key, items } => {
            ("verification", format!("verification of {} taken back: {}", place(key), names(items)))
        }
        Fact::FormsReviewed { review, keys } => {
            let what = match review {
                record::Review::Data => "data review",
                record::Review::Medical => "medical review",
            };
            ("verification", format!("{what} of {}", keys.iter().map(place).collect::<Vec<_>>().join("; ")))
        }
        Fact::DataClosed { part, closure } => {
            ("closing", format!("{} {}", conduct::PartName(part.clone()), conduct::ClosureName(*closure)))
        }
        Fact::DataReopened { part } => {
            ("closing", format!("{} opened again", conduct::PartName(part.clone())))
        }
        Fact::UnlockProposed => ("closing", "asked for the database to be unlocked".to_owned()),
        Fact::DatabaseUnlocked => ("closing", "database unlocked".to_owned()),
        Fact::VisitSigned { visit, .. } => ("signature", format!("visit {visit} signed")),
        Fact::CasebookSigned { .. } => ("signature", "casebook signed".to_owned()),
        Fact::SignatureVoided { visit } => {
            let what =
                visit.as_ref().map_or_else(|| "the casebook".to_owned(), |visit| format!("visit {visit}"));
            ("signature", format!("signature of {what} void"))
        }
        Fact::KitDispensed { kit, visit, .. } => ("course", format!("kit {kit} handed out at {visit}")),
        Fact::KitReturned { kit, visit, .. } => ("course", format!("kit {kit} counted back at {visit}")),
        Fact::DoseChanged { from, .. } => ("course", format!("dose changed from {from}")),
        Fact::SeriousEventReported { row, .. } => ("course", format!("serious event {row} reported")),
        Fact::SpecimenTaken { visit, .. } => ("course", format!("specimen of {visit} coded")),
        Fact::ReadingOrderDrawn { codes, pairs, .. } => {
            ("study", format!("{} slides and {} pairs laid out", codes.len(), pairs.len()))
        }
        Fact::SpecimenRead { code, reader, .. } => ("entry", format!("slide {code} read by reader {reader}")),
        Fact::ReadingsLocked { .. } => ("study", "readings locked".to_owned()),
        Fact::ReadingKeyJoined { .. } => ("study", "key of the slides joined".to_owned()),
        Fact::BlindBroken { .. } => ("deviation", "blind broken".to_owned()),
        Fact::TreatmentEnded { last_dose, .. } => {
            ("course", format!("treatment ended, last dose {last_dose}"))
        }
        Fact::ParticipationEnded { date, .. } => ("course", format!("participation ended on {date}")),
        Fact::DeviationRecorded { deviation, text, .. } => {
            ("deviation", format!("{deviation}: {}", text.get().cloned().unwrap_or_default()))
        }
        Fact::WatchCounted { watch, subject, counts, .. } => {
            let how = if *counts { "counts" } else { "counts no more" };
            ("safety", format!("{subject} {how} for {watch}"))
        }
        Fact::WatchReached { watch, look, .. } => {
            let what = look.map_or_else(|| "its boundary".to_owned(), |look| format!("the look at {look}"));
            ("safety", format!("{watch} reached {what}"))
        }
        Fact::SafetyDecided { watch, decision, .. } => {
            ("safety", format!("{watch}: the board decided ({decision})"))
        }
        Fact::DeviationClassified { deviation, .. } => ("deviation", format!("{deviation} classified")),
        Fact::ContentRedacted { sequence, .. } => {
            ("correction", format!("a content of event {sequence} redacted"))
        }
    }
}
