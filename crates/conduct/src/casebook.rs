//! A participant's casebook: what the record says about one participant, folded.
//!
//! Every value knows the event that set it. The casebook judges nothing and knows no
//! study; questions that need one take it as an argument.

use std::{
    collections::BTreeMap,
    ops::{Deref, DerefMut},
    sync::{Arc, OnceLock},
};

use record::{
    Actor, Closure, DeviationClass, DeviationKind, DoseStep, EndReason, FormKey, Part, Review, Source,
};
use serde::{Deserialize, Serialize};
use terms::*;

use crate::{
    attach_file::FormFile,
    cells::{Cells, Shared},
    packed::{self, Kept, Squeezer},
};

/// Something that happened on a day, and the event that says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dated {
    /// The day; the first it can mean where it is partly known.
    #[serde(with = "packed::day")]
    pub date: Date,
    /// The event's sequence.
    pub sequence: u64,
}

/// A signed consent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// The version of the information.
    pub version: String,
    /// When and by which event.
    pub signed: Dated,
}

/// A withdrawn consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withdrawal {
    /// When and by which event.
    pub withdrawn: Dated,
    /// Whether data from before may be kept and completed.
    pub keep_data: bool,
}

/// A signed eligibility decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EligibilityDecision {
    /// What was decided.
    pub eligible: bool,
    /// Rules not met.
    pub unmet: Vec<RuleId>,
    /// Rules that a missing value leaves open.
    pub unknown: Vec<RuleId>,
    /// What the signature binds.
    pub content_digest: String,
    /// Who signed.
    pub by: Actor,
    /// When and by which event.
    pub decided: Dated,
}

/// The participant's place in the allocation list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allocated {
    /// The stratum.
    pub stratum: String,
    /// The position in the stratum's list, from 1.
    pub list_position: u32,
    /// The sealed envelope, as JSON.
    pub envelope: String,
    /// When and by which event.
    pub randomised: Dated,
}

/// A visit that was held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldVisit {
    /// When and by which event.
    pub held: Dated,
    /// The planned date, where the visit had one at the time.
    pub target: Option<Date>,
}

/// What an item held from some event on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The answer; none if it was redacted.
    pub answer: Option<Answer>,
    /// Entered or derived.
    pub source: Source,
    /// Who.
    pub by: Actor,
    /// When it happened.
    pub happened: PartialDate,
    /// The site's date of recording.
    pub recorded: Date,
    /// The event.
    pub sequence: u64,
}

/// Who has compared a value with the source, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification {
    /// Who.
    pub by: Actor,
    /// When and by which event.
    pub verified: Dated,
}

/// An item's present value and all that it replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    history: Vec<Entry>,
    verification: Option<Verification>,
}

impl Cell {
    pub(crate) fn new(first: Entry) -> Self {
        Self { history: vec![first], verification: None }
    }

    pub(crate) fn replace(&mut self, entry: Entry) {
        self.history.push(entry);
    }

    pub(crate) fn verify(&mut self, verification: Option<Verification>) {
        self.verification = verification;
    }

    /// Undoes the verification without a change of the value: something of its form was changed that the monitor had before the
    /// eyes. A verification by no event counts no more, and is still seen to have been there.
    pub(crate) fn lose_verification(&mut self) {
        if let Some(verification) = &mut self.verification {
            verification.verified.sequence = 0;
        }
    }

    /// Returns the last verification, whether or not the value was changed since.
    pub(crate) fn last_verification(&self) -> Option<&Verification> {
        self.verification.as_ref()
    }

    /// Returns who has compared the present value with the source. A change undoes it.
    pub fn verification(&self) -> Option<&Verification> {
        self.verification.as_ref().filter(|done| done.verified.sequence > self.current().sequence)
    }

    /// Says whether an earlier value was verified, and the present one is not.
    pub fn has_lost_verification(&self) -> bool {
        self.verification.is_some() && self.verification().is_none()
    }

    /// Returns what the item holds now.
    pub fn current(&self) -> &Entry {
        self.history.last().expect("a cell begins with its first entry")
    }

    /// Returns everything it ever held, oldest first.
    pub fn history(&self) -> &[Entry] {
        &self.history
    }

    /// Returns the present answer, unless it was redacted.
    pub fn answer(&self) -> Option<&Answer> {
        self.current().answer.as_ref()
    }
}

/// Who has looked a form through, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reviewed {
    /// Who.
    pub by: Actor,
    /// When and by which event.
    pub reviewed: Dated,
}

/// The filled items of a form, or of a row of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilledForm {
    /// Items that hold or held something.
    pub cells: Cells,
    /// Who entered it first: the assessor.
    pub first_by: Actor,
    /// The last review of each kind.
    pub(crate) reviews: BTreeMap<Review, Reviewed>,
}

impl FilledForm {
    /// Returns the present answer of an item.
    pub fn answer(&self, item: &str) -> Option<&Answer> {
        self.cells.get(item).and_then(Cell::answer)
    }

    /// Returns who has reviewed the form as it is now. A change undoes it.
    pub fn review(&self, review: Review) -> Option<&Reviewed> {
        let changed = self.cells.values().map(|cell| cell.current().sequence).max().unwrap_or(0);
        self.reviews.get(&review).filter(|done| done.reviewed.sequence > changed)
    }
}

/// A query.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Query {
    /// Its id.
    pub id: QueryId,
    /// The form it is about.
    pub key: FormKey,
    /// The item.
    pub item: ItemId,
    /// The check that opened it; none: a person.
    pub check: Option<CheckId>,
    /// Who is asked.
    pub addressed_to: RoleId,
    /// Who opened it.
    pub by: Actor,
    /// The event that opened it.
    pub opened: u64,
    /// The event that last opened it again.
    pub reopened: Option<u64>,
    /// Everything said in it, by event: asked, answered, closed, opened again.
    pub said: Vec<u64>,
    /// The day on which it was opened, on the site's calendar.
    #[serde(with = "packed::day")]
    pub opened_on: Date,
    /// The last answer's event.
    pub answered: Option<u64>,
    /// Who gave it, who may not be the one to close the query.
    pub answered_by: Option<PersonId>,
    /// The event that closed it.
    pub closed: Option<u64>,
    /// Whether its check closed it by itself.
    pub closed_by_check: bool,
}

/// A signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// Who signed.
    pub by: Actor,
    /// What the signature means.
    pub meaning: String,
    /// What it binds.
    pub content_digest: String,
    /// When and by which event.
    pub signed: Dated,
}

/// A step of dosing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoseChange {
    /// Which way.
    pub step: DoseStep,
    /// The first day of the new dose.
    #[serde(with = "packed::day")]
    pub from: Date,
    /// mg a day; none if it was redacted.
    #[serde(with = "packed::dose")]
    pub dose_mg: Option<Decimal>,
    /// The rule that asked for it.
    pub rule: Option<RuleId>,
    /// The row of the adverse event behind it.
    pub adverse_event: Option<u32>,
    /// The event.
    pub sequence: u64,
}

/// A stretch of one dose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DoseInterval {
    /// First day.
    pub from: Date,
    /// Last day; none: still going on.
    pub to: Option<Date>,
    /// mg a day; 0 for a hold, none if it was redacted.
    pub dose_mg: Option<Decimal>,
    /// The event that began it.
    pub sequence: u64,
}

/// A kit in the participant's hands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KitUse {
    /// The visit at which it was handed out.
    pub visit: VisitId,
    /// Tablets handed out.
    pub dispensed_tablets: u32,
    /// When and by which event.
    pub dispensed: Dated,
    /// Tablets that came back, and when.
    pub returned: Option<(u32, Dated)>,
}

/// A coded specimen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Specimen {
    /// Its blind code; none if it was redacted.
    pub code: Option<SpecimenCode>,
    /// When and by which event.
    pub taken: Dated,
}

/// A serious event's report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeriousReport {
    /// The day the site learnt of it.
    #[serde(with = "packed::day")]
    pub aware: Date,
    /// The day it was recorded, and the event.
    pub reported: Dated,
}

/// A break of the blind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlindBreak {
    /// Who did it.
    pub by: Actor,
    /// To whom it was shown.
    pub shown_to: PersonId,
    /// When and by which event.
    pub broken: Dated,
}

/// A deviation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deviation {
    /// Its id.
    pub id: DeviationId,
    /// What kind.
    pub what: DeviationKind,
    /// The visit it is about.
    pub visit: Option<VisitId>,
    /// The rule it is about.
    pub rule: Option<RuleId>,
    /// In words; none if it was redacted.
    pub text: Option<String>,
    /// When and by which event.
    pub recorded: Dated,
    /// How it was classified, and the event.
    pub class: Option<(DeviationClass, u64)>,
}

/// How treatment ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TreatmentEnd {
    /// Why.
    pub reason: EndReason,
    /// The last day with a dose.
    #[serde(with = "packed::day")]
    pub last_dose: Date,
    /// Whether it was before the planned end.
    pub early: bool,
    /// The row of the adverse event behind it.
    pub adverse_event: Option<u32>,
    /// When it was decided, and the event.
    pub ended: Dated,
}

/// How participation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParticipationEnd {
    /// Why.
    pub reason: EndReason,
    /// When and by which event.
    pub ended: Dated,
}

/// What the record says about one participant.
///
/// Number and site lie open. All else stands on its [`Pages`], which a casebook gives as if they were its own; they are packed while
/// nobody looks at them.
#[derive(Clone, Debug)]
pub struct Casebook {
    /// The participant.
    pub subject: SubjectId,
    /// The participant's site.
    pub site: SiteId,
    /// How many events the participant's stream has.
    pub(crate) position: u64,
    /// What is missing from the forms of held visits, once that was reckoned; copies share it. A cache that holds no fact.
    gaps: Arc<OnceLock<BTreeMap<FormKey, usize>>>,
    pages: Kept,
}

/// What a casebook holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pages {
    /// Consents in order.
    pub consents: Vec<Consent>,
    /// Consent withdrawn.
    pub withdrawn: Option<Withdrawal>,
    /// Screening begun.
    pub screened: Option<Dated>,
    /// The last decision at each visit.
    pub eligibility: BTreeMap<VisitId, EligibilityDecision>,
    /// Entered the trial.
    pub enrolled: Option<Dated>,
    /// The place in the list.
    pub allocated: Option<Allocated>,
    /// Visits held.
    pub visits: BTreeMap<VisitId, HeldVisit>,
    /// Planned visits that were not held, with the event.
    pub missed: BTreeMap<VisitId, u64>,
    /// Forms.
    #[serde(skip)]
    pub forms: BTreeMap<FormKey, FilledForm>,
    /// Files attached to forms, in order.
    pub files: BTreeMap<FormKey, Vec<FormFile>>,
    /// Queries in order of opening.
    pub queries: Vec<Query>,
    /// Valid signatures of visits.
    pub signatures: BTreeMap<VisitId, Signature>,
    /// The valid signature of the casebook.
    pub casebook_signature: Option<Signature>,
    /// Steps of dosing in order.
    pub doses: Vec<DoseChange>,
    /// Kits handed out.
    pub kits: BTreeMap<KitNumber, KitUse>,
    /// Specimens by visit.
    pub specimens: BTreeMap<VisitId, Specimen>,
    /// Reports of serious events by row.
    pub serious_reports: BTreeMap<u32, SeriousReport>,
    /// Breaks of the blind.
    pub blind_breaks: Vec<BlindBreak>,
    /// Parts that are closed: forms, visits, the whole.
    pub closed: BTreeMap<Part, (Closure, Dated)>,
    /// Deviations in order.
    pub deviations: Vec<Deviation>,
    /// Treatment ended.
    pub treatment_end: Option<TreatmentEnd>,
    /// Participation ended.
    pub participation_end: Option<ParticipationEnd>,
}

impl Deref for Casebook {
    type Target = Pages;

    fn deref(&self) -> &Pages {
        self.pages.look()
    }
}

impl DerefMut for Casebook {
    fn deref_mut(&mut self) -> &mut Pages {
        self.pages.change()
    }
}

impl PartialEq for Casebook {
    fn eq(&self, other: &Self) -> bool {
        (&self.subject, &self.site, self.position) == (&other.subject, &other.site, other.position)
            && **self == **other
    }
}

impl Eq for Casebook {}

impl Casebook {
    pub(crate) fn new(subject: SubjectId, site: SiteId) -> Self {
        Self { subject, site, position: 0, gaps: Arc::default(), pages: Kept::default() }
    }

    /// Returns how many events the participant's stream has: what was made of a casebook holds for as long as it stays.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Returns how many required items are missing, by form, from the forms of held visits from which some are: as it was
    /// reckoned since the last change, or reckons it. It must follow from the casebook alone, and from the study that the casebook
    /// always meets. It stays when the casebook is packed, so that lists need not open cells.
    pub fn gaps(
        &self,
        reckon: impl FnOnce(&Casebook) -> BTreeMap<FormKey, usize>,
    ) -> &BTreeMap<FormKey, usize> {
        self.gaps.get_or_init(|| reckon(self))
    }

    /// Counts an event, and forgets what was reckoned before it.
    pub(crate) fn count(&mut self, position: u64) {
        self.position = position;
        self.gaps = Arc::default();
    }

    /// Packs the pages.
    pub(crate) fn pack(&mut self, shared: &mut Shared) {
        self.pages.pack(shared);
    }

    /// Makes what was packed as small as it gets.
    pub(crate) fn squeeze(&mut self, squeezer: &mut Squeezer) {
        self.pages.squeeze(squeezer);
    }

    /// Says whether the pages are open.
    pub(crate) fn is_open(&self) -> bool {
        self.pages.is_open()
    }

    /// Returns the cell of an item of a form.
    pub fn cell(&self, key: &FormKey, item: &str) -> Option<&Cell> {
        self.forms.get(key)?.cells.get(item)
    }

    /// Says whether an item of a form holds something, or did before it was redacted. No cell is opened for it.
    pub fn holds(&self, key: &FormKey, item: &str) -> bool {
        self.forms.get(key).is_some_and(|form| form.cells.hold(item))
    }

    /// Returns what an item of a form held at a visit holds now, with its source event.
    pub fn at_visit(&self, visit: &VisitId, form: &FormId, item: &str) -> Option<&Entry> {
        let key = FormKey { visit: Some(visit.clone()), form: form.clone(), row: 0 };
        self.cell(&key, item).map(Cell::current)
    }

    /// Returns what an item of a form that runs through the trial holds now; row 0 if it does not repeat.
    pub fn through_trial(&self, form: &FormId, row: u32, item: &str) -> Option<&Entry> {
        let key = FormKey { visit: None, form: form.clone(), row };
        self.cell(&key, item).map(Cell::current)
    }

    /// Returns the rows of a form that runs through the trial, in order.
    pub fn rows<'a>(&'a self, form: &'a FormId) -> impl Iterator<Item = (u32, &'a FilledForm)> {
        self.forms
            .iter()
            .filter(move |(key, _)| key.visit.is_none() && key.form == *form)
            .map(|(key, filled)| (key.row, filled))
    }

    /// Returns the filled forms of a visit, in order.
    pub fn forms_at<'a>(&'a self, visit: &'a VisitId) -> impl Iterator<Item = (&'a FormKey, &'a FilledForm)> {
        let first = FormKey { visit: Some(visit.clone()), form: FormId::from(""), row: 0 };
        self.forms.range(first..).take_while(move |(key, _)| key.visit.as_ref() == Some(visit))
    }

    /// Returns the held visits by date, in the record's order within a day.
    pub fn visits_by_date(&self) -> Vec<(&VisitId, Date)> {
        let mut visits: Vec<_> = self.visits.iter().map(|(id, visit)| (id, visit.held)).collect();
        visits.sort_by_key(|(_, held)| (held.date, held.sequence));
        visits.into_iter().map(|(id, held)| (id, held.date)).collect()
    }

    /// Returns the date of a held visit.
    pub fn visit_date(&self, visit: &VisitId) -> Option<Date> {
        self.visits.get(visit).map(|visit| visit.held.date)
    }

    /// Returns the day of the first dose.
    pub fn first_dose(&self) -> Option<Date> {
        self.doses.iter().find(|change| change.step == DoseStep::Started).map(|change| change.from)
    }

    /// Returns the last day, up to `day`, with a dose above 0 mg by the dosing record.
    pub fn last_day_on_drug(&self, day: Date) -> Option<Date> {
        self.dose_intervals()
            .into_iter()
            .rev()
            .find(|interval| interval.from <= day && interval.dose_mg != Some(Decimal::ZERO))
            .map(|interval| interval.to.map_or(day, |to| to.min(day)))
    }

    /// Returns the last day with a dose, once treatment has ended.
    pub fn last_dose(&self) -> Option<Date> {
        self.treatment_end.map(|end| end.last_dose)
    }

    /// Returns the stretches of one dose. A hold is a stretch of 0 mg; the last one ends with treatment.
    pub fn dose_intervals(&self) -> Vec<DoseInterval> {
        let ends = self.doses.iter().skip(1).map(|next| Some(day_before(next.from)));
        let last = self.last_dose();
        self.doses
            .iter()
            .zip(ends.chain([last]))
            .filter(|(change, _)| change.step != DoseStep::Stopped)
            .map(|(change, to)| DoseInterval {
                from: change.from,
                to,
                dose_mg: change.dose_mg,
                sequence: change.sequence,
            })
            .collect()
    }

    /// Returns the present dose in mg: 0 before the first dose, during a hold and after the end.
    pub fn present_dose(&self) -> Decimal {
        self.doses.last().and_then(|change| change.dose_mg).unwrap_or_default()
    }

    /// Returns an open query of a check at a form.
    pub fn open_query(&self, key: &FormKey, check: &CheckId) -> Option<&Query> {
        self.queries
            .iter()
            .rev()
            .find(|query| query.closed.is_none() && query.check.as_ref() == Some(check) && query.key == *key)
    }

    /// Returns the query of that id.
    pub fn query(&self, id: &QueryId) -> Option<&Query> {
        self.queries.iter().find(|query| query.id == *id)
    }

    /// Returns the deviation of that id.
    pub fn deviation(&self, id: &DeviationId) -> Option<&Deviation> {
        self.deviations.iter().find(|deviation| deviation.id == *id)
    }
}

pub(crate) fn day_before(date: Date) -> Date {
    date.yesterday().unwrap_or(date)
}

pub(crate) fn days_after(date: Date, days: i32) -> Date {
    date.saturating_add(jiff::Span::new().days(days))
}
