//! The state of a trial: the fold of its events.
//!
//! [`State::apply`] believes the record: it refuses nothing and needs no study, so that any
//! past state is the fold up to a point. What may happen next is for [`crate::decide`].

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    ops::Deref,
    sync::Arc,
};

use access::{Delegations, Grant};
use record::{
    Actor, Closure, Content, DoseStep, Draft, Environment, Event, Fact, FormKey, ItemChange, PairKey, Part,
    Reader, SafetyDecision, SpecimenKey, StoreError, Stream, Tally, VerificationPlan,
};
use terms::*;

use crate::{
    Command,
    attach_file::FormFile,
    casebook::*,
    cells::{Cells, Shared},
    go_live::{Approval, EthicsApproval, Preparation},
    shared_map::SharedMap,
};

/// How the record began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The study.
    pub study: StudyId,
    /// Real or virtual participants.
    pub environment: Environment,
    /// The seed of a rehearsal.
    pub seed: Option<u64>,
    /// When and by which event.
    pub opened: Dated,
}

/// The sealed allocation list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedList {
    /// Its digest.
    pub digest: String,
    /// The digest of its scheme.
    pub scheme_digest: String,
    /// The event.
    pub sequence: u64,
}

/// The licensed wording of an instrument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadedPack {
    /// The version of the wording.
    pub version: String,
    /// The reference of the licence.
    pub licence: String,
    /// The digest of the pack.
    pub digest: String,
    /// The event.
    pub sequence: u64,
}

/// A kit that reached a site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StockedKit {
    /// The site.
    pub site: SiteId,
    /// The participant who got it; none: still in stock.
    pub holder: Option<SubjectId>,
}

/// A reading of a coded slide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakenReading {
    /// Who read it.
    pub by: Actor,
    /// What was read; redacted answers are left out.
    pub answers: BTreeMap<ItemId, Answer>,
    /// The event.
    pub sequence: u64,
}

/// Blind reading of specimens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlindReadingState {
    /// Codes in the order drawn, repeats included.
    pub order: Vec<SpecimenCode>,
    /// What the codes of repeated slides stand for.
    pub repeats: BTreeMap<SpecimenCode, SpecimenKey>,
    /// Codes of the pairs of slides, in the order drawn.
    pub pairs: Vec<SpecimenCode>,
    /// What those codes stand for.
    pub pair_key: BTreeMap<SpecimenCode, PairKey>,
    /// Those of pairs that are compared a second time.
    pub pair_repeats: BTreeSet<SpecimenCode>,
    /// Readings by code and reader, of slides and of pairs.
    pub readings: BTreeMap<(SpecimenCode, u32), TakenReading>,
    /// The event that locked them.
    pub locked: Option<u64>,
    /// The joined key, and the event that joined it.
    pub key: Option<(BTreeMap<SpecimenCode, SpecimenKey>, u64)>,
}

/// A watch of the safety board, as the record tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WatchState {
    /// Participants who count now.
    pub counted: BTreeSet<SubjectId>,
    /// What happened to it, in order.
    pub steps: Vec<WatchStep>,
}

/// Something that happened to a watch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchStep {
    /// What.
    pub kind: WatchStepKind,
    /// When, and by which event.
    pub dated: Dated,
}

/// What happened to a watch.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields carry their names; the variants are documented")]
pub enum WatchStepKind {
    /// A participant came to count, or counts no more.
    Counted { subject: SubjectId, counts: bool, tally: Tally },
    /// Its boundary was reached, or a planned look.
    Reached { look: Option<u32>, tally: Tally, subjects: Vec<SubjectId> },
    /// The board decided. The reason is none once it was redacted.
    Decided { decision: SafetyDecision, by: Actor, why: Option<String> },
}

impl WatchState {
    /// Returns what was reached and is not yet decided on.
    pub fn undecided(&self) -> impl Iterator<Item = &WatchStep> {
        let after = self.steps.iter().rposition(|step| matches!(step.kind, WatchStepKind::Decided { .. }));
        let open = &self.steps[after.map_or(0, |place| place + 1)..];
        open.iter().filter(|step| matches!(step.kind, WatchStepKind::Reached { .. }))
    }

    /// Says whether a boundary or a look was ever reached.
    pub fn was_reached(&self) -> bool {
        self.steps.iter().any(|step| matches!(step.kind, WatchStepKind::Reached { .. }))
    }

    /// Says whether a planned look was reached.
    pub fn has_looked(&self, at: u32) -> bool {
        self.steps
            .iter()
            .any(|step| matches!(step.kind, WatchStepKind::Reached { look: Some(look), .. } if look == at))
    }

    /// Returns the decision in force, and since when.
    pub fn decision(&self) -> Option<(SafetyDecision, Dated)> {
        self.steps.iter().rev().find_map(|step| match step.kind {
            WatchStepKind::Decided { decision, .. } => Some((decision, step.dated)),
            _ => None,
        })
    }

    fn apply(&mut self, event: &Event, dated: Dated) {
        let kind = match &event.fact {
            Fact::WatchCounted { subject, counts, tally, .. } => {
                if *counts {
                    self.counted.insert(subject.clone());
                } else {
                    self.counted.remove(subject);
                }
                WatchStepKind::Counted { subject: subject.clone(), counts: *counts, tally: *tally }
            }
            Fact::WatchReached { look, tally, subjects, .. } => {
                WatchStepKind::Reached { look: *look, tally: *tally, subjects: subjects.clone() }
            }
            Fact::SafetyDecided { decision, .. } => WatchStepKind::Decided {
                decision: *decision,
                by: event.by.clone(),
                why: event.reason.as_ref().and_then(|reason| reason.get().cloned()),
            },
            _ => return,
        };
        self.steps.push(WatchStep { kind, dated });
    }
}

/// The signed analysis sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedSets {
    /// Who belongs to which.
    pub sets: BTreeMap<AnalysisSetId, Vec<SubjectId>>,
    /// The event.
    pub sequence: u64,
    /// Whether data or deviations changed since; then they must be signed again.
    pub stale: bool,
}

/// The opened allocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arms {
    /// Arm by participant; redacted ones are left out.
    pub by_subject: BTreeMap<SubjectId, ArmId>,
    /// The event.
    pub sequence: u64,
}

/// Folds a whole record, of which it is handed one event after the other, and keeps the casebooks packed meanwhile: in less memory
/// than the state has at last.
#[derive(Default)]
pub struct Folding {
    state: State,
    open: BTreeSet<SubjectId>,
    /// Those that are packed and not yet as small as they get, the earliest first.
    loose: VecDeque<SubjectId>,
}

impl Folding {
    /// Folds the next event.
    pub fn take(&mut self, event: &Event) {
        self.state.apply(event);
        if let Stream::Subject(subject) = &event.stream
            && !self.open.contains(subject)
        {
            self.open.insert(subject.clone());
        }
        if self.open.len() >= OPEN_MAX {
            self.close();
            while self.loose.len() > LOOSE_MAX
                && let Some(subject) = self.loose.pop_front()
            {
                self.state.squeeze(&subject);
            }
        }
    }

    fn close(&mut self) {
        for subject in std::mem::take(&mut self.open) {
            self.state.pack(&subject);
            self.loose.push_back(subject);
        }
    }

    /// Returns what all of them say.
    pub fn done(mut self) -> State {
        self.close();
        self.loose.iter().for_each(|subject| self.state.squeeze(subject));
        self.state
    }
}

/// Participants whose casebooks are packed and not compressed while a whole record is folded.
const LOOSE_MAX: usize = 512;
/// Participants whose casebooks are open at a time while a whole record is folded. What a participant did in a day lies together in
/// a record, so that few are opened again soon; and each open one takes some hundred times the memory of a packed one.
const OPEN_MAX: usize = 64;

/// A casebook on a walk through all of them. One that was packed is opened for as long as one looks at it, so that a walk leaves
/// no casebook open.
pub enum Walked<'a> {
    /// One that was open.
    Open(&'a Casebook),
    /// A copy of one that is packed.
    Copy(Box<Casebook>),
}

impl Deref for Walked<'_> {
    type Target = Casebook;

    fn deref(&self) -> &Casebook {
        match self {
            Walked::Open(casebook) => casebook,
            Walked::Copy(casebook) => casebook,
        }
    }
}

/// What the record says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// The last event's sequence.
    pub sequence: u64,
    positions: BTreeMap<Stream, u64>,
    /// How the record began.
    pub opened: Option<Opened>,
    /// How far the study's files are tested and approved.
    pub preparation: Preparation,
    /// Ethics approvals by site.
    pub ethics: BTreeMap<SiteId, EthicsApproval>,
    /// Sites that may enrol.
    pub sites: BTreeMap<SiteId, Dated>,
    /// Content packs in use, by instrument and language.
    pub content_packs: BTreeMap<(String, String), LoadedPack>,
    /// Who has which role.
    pub delegations: Delegations,
    /// The sealed list.
    pub allocation: Option<SealedList>,
    /// The last position taken in each stratum's list.
    pub list_positions: BTreeMap<String, u32>,
    /// Kits at sites.
    pub kits: SharedMap<KitNumber, StockedKit>,
    /// Blind reading. A copy of the state shares it until one of the two changes it.
    pub reading: Arc<BlindReadingState>,
    /// How far the audit trail was reviewed last: up to which event, by whom, when.
    pub trail_reviewed: Option<(u64, Actor, Dated)>,
    /// Which part of the data is compared with the source.
    pub verification_plan: Option<VerificationPlan>,
    /// Signed analysis sets.
    pub sets: Option<SignedSets>,
    /// What the safety board watches.
    pub watches: Arc<BTreeMap<WatchId, WatchState>>,
    /// Sites, and the study, that are closed.
    pub closed: BTreeMap<Part, (Closure, Dated)>,
    /// The lock.
    pub locked: Option<Dated>,
    /// Who asked for the database to be unlocked, until it is.
    pub unlock_proposed: Option<(Actor, Dated)>,
    /// Arms, after unblinding.
    pub arms: Option<Arms>,
    /// Participants. A copy of the state shares them until one of the two changes one.
    pub casebooks: SharedMap<SubjectId, Arc<Casebook>>,
    /// How many participants took a first dose.
    treated: u32,
    /// What the codes of specimens stand for, repeated slides aside.
    pub(crate) specimens: SharedMap<SpecimenCode, SpecimenKey>,
    /// The participants of each site, by number.
    at_site: BTreeMap<SiteId, Arc<Vec<SubjectId>>>,
    shared: Shared,
}

impl<'a> Walked<'a> {
    /// Looks at a casebook in passing.
    pub fn of(casebook: &'a Casebook) -> Self {
        if casebook.is_open() { Walked::Open(casebook) } else { Walked::Copy(Box::new(casebook.clone())) }
    }
}

impl State {
    /// Folds events from the first on.
    pub fn replay<'a>(events: impl IntoIterator<Item = &'a Event>) -> Self {
        let mut state = Self::default();
        for event in events {
            state.apply(event);
        }
        state
    }

    /// Folds a whole record, and keeps the cells packed.
    ///
    /// # Errors
    /// The record can't be read.
    pub fn of_record(record: &dyn Reader) -> Result<Self, StoreError> {
        let mut folding = Folding::default();
        record.each(1, &mut |event| folding.take(&event))?;
        Ok(folding.done())
    }

    /// Makes a packed casebook as small as it gets: dearer than packing, for a casebook that stays as it is for a while.
    pub fn squeeze(&mut self, subject: &SubjectId) {
        if let Some(casebook) = self.casebooks.get_mut(subject) {
            Arc::make_mut(casebook).squeeze(&mut self.shared.squeezer);
        }
    }

    /// Packs a participant's casebook. Nothing is lost; whoever looks at it opens it again.
    pub fn pack(&mut self, subject: &SubjectId) {
        if self.casebooks.get(subject).is_some_and(|casebook| casebook.is_open())
            && let Some(casebook) = self.casebooks.get_mut(subject)
        {
            Arc::make_mut(casebook).pack(&mut self.shared);
        }
    }

    /// Returns the participants whose casebooks somebody opened.
    pub fn opened(&self) -> Vec<SubjectId> {
        self.casebooks.values().filter(|casebook| casebook.is_open()).map(|one| one.subject.clone()).collect()
    }

    /// Takes over from a state that is ahead of this one by some events; participants are shared, not copied.
    pub fn follow(&mut self, ahead: &State, events: &[Event]) {
        for event in events {
            if let Stream::Subject(subject) = &event.stream {
                self.share(ahead, subject);
            }
            self.apply_beside(event);
            if !matches!(event.stream, Stream::Subject(_)) {
                self.apply_to_study(event, dated(event));
            }
        }
    }

    /// Shares a participant with another state that says the same.
    pub fn share(&mut self, other: &State, subject: &SubjectId) {
        if let Some(casebook) = other.casebooks.get(subject) {
            if !self.casebooks.contains_key(subject) {
                self.note_site(&casebook.site, subject);
            }
            self.casebooks.insert(subject.clone(), Arc::clone(casebook));
        }
    }

    fn note_site(&mut self, site: &SiteId, subject: &SubjectId) {
        let all = Arc::make_mut(self.at_site.entry(site.clone()).or_default());
        let place = all.partition_point(|known| known < subject);
        all.insert(place, subject.clone());
    }

    /// Returns the participants of a site, by number.
    pub fn subjects_at(&self, site: &SiteId) -> &[SubjectId] {
        self.at_site.get(site).map_or(&[], |all| all)
    }

    /// Returns all casebooks by number, each open for as long as one looks at it.
    pub fn walk(&self) -> impl Iterator<Item = Walked<'_>> {
        self.casebooks.values().map(|casebook| Walked::of(casebook))
    }

    /// Returns how many participants took a first dose.
    pub fn treated(&self) -> u32 {
        self.treated
    }

    /// Returns how many specimens were taken.
    pub fn specimens_taken(&self) -> usize {
        self.specimens.len()
    }

    /// Returns a participant's casebook.
    pub fn casebook(&self, subject: &str) -> Option<&Casebook> {
        self.casebooks.get(subject).map(Arc::as_ref)
    }

    /// Returns how many events a stream has.
    pub fn position(&self, stream: &Stream) -> u64 {
        let known = match stream {
            Stream::Subject(subject) => self.casebooks.get(subject).map(|casebook| casebook.position),
            Stream::Study | Stream::Supply => None,
        };
        known.or_else(|| self.positions.get(stream).copied()).unwrap_or(0)
    }

    /// Returns the number that the next participant of a site gets (`05-003`).
    pub fn next_subject(&self, site: &SiteId) -> SubjectId {
        SubjectId::from(format!("{site}-{:03}", self.subjects_at(site).len() + 1))
    }

    /// Returns the kits in a site's stock, by number.
    pub fn stock(&self, site: &SiteId) -> Vec<KitNumber> {
        self.kits
            .iter()
            .filter(|(_, kit)| kit.site == *site && kit.holder.is_none())
            .map(|(number, _)| number.clone())
            .collect()
    }

    /// Returns what every specimen code stands for. Only the custodian and the joined key may show it.
    pub(crate) fn specimen_key(&self) -> BTreeMap<SpecimenCode, SpecimenKey> {
        let taken = self.specimens.iter().map(|(code, key)| (code.clone(), key.clone()));
        taken.chain(self.reading.repeats.clone()).collect()
    }

    /// Folds one event. Events of participants that the record does not know are counted and otherwise ignored.
    pub fn apply(&mut self, event: &Event) {
        match &event.stream {
            Stream::Subject(subject) => self.apply_to_subject(subject, event, dated(event)),
            Stream::Supply | Stream::Study => self.apply_to_study(event, dated(event)),
        }
        self.apply_beside(event);
    }

    /// Folds what an event of any stream says about the study as a whole.
    fn apply_beside(&mut self, event: &Event) {
        self.sequence = event.sequence;
        // A participant's casebook counts its own.
        if !matches!(&event.stream, Stream::Subject(subject) if self.casebooks.contains_key(subject)) {
            self.positions.insert(event.stream.clone(), event.position);
        }
        if changes_what_sets_rest_on(&event.fact)
            && let Some(sets) = &mut self.sets
        {
            sets.stale = true;
        }
        match &event.fact {
            Fact::KitDispensed { kit, .. } => {
                if let (Stream::Subject(subject), Some(kit)) = (&event.stream, self.kits.get_mut(kit)) {
                    kit.holder = Some(subject.clone());
                }
            }
            Fact::SubjectRandomised { stratum, list_position, .. } => {
                self.list_positions.insert(stratum.clone(), *list_position);
            }
            Fact::DoseChanged { step: DoseStep::Started, .. } => {
                // A participant counts once, by the event that says so first.
                let casebook = match &event.stream {
                    Stream::Subject(subject) => self.casebooks.get(subject),
                    Stream::Study | Stream::Supply => None,
                };
                let first = casebook.and_then(|casebook| {
                    let dose = casebook.doses.iter().find(|change| change.step == DoseStep::Started)?;
                    Some(dose.sequence)
                });
                self.treated += u32::from(first == Some(event.sequence));
            }
            Fact::SpecimenTaken { visit, specimen } => {
                if let (Stream::Subject(subject), Some(code)) = (&event.stream, specimen.get())
                    && self.casebooks.contains_key(subject)
                {
                    let key = SpecimenKey { subject: subject.clone(), visit: visit.clone() };
                    self.specimens.insert(SpecimenCode::from(code.as_str()), key);
                }
            }
            _ => {}
        }
    }

    fn apply_to_subject(&mut self, subject: &SubjectId, event: &Event, dated: Dated) {
        if !self.casebooks.contains_key(subject)
            && let (Fact::ConsentSigned { .. }, Some(site)) = (&event.fact, &event.site)
        {
            let casebook = Casebook::new(subject.clone(), site.shared(&mut self.shared.words));
            self.note_site(&casebook.site, subject);
            self.casebooks.insert(subject.clone(), Arc::new(casebook));
        }
        if let Some(casebook) = self.casebooks.get_mut(subject) {
            Arc::make_mut(casebook).apply(event, dated, &mut self.shared.words);
        }
    }

    fn apply_to_study(&mut self, event: &Event, dated: Dated) {
        let sequence = event.sequence;
        match &event.fact {
            Fact::StudyOpened { study, environment, seed } => {
                let (study, environment, seed) = (study.clone(), *environment, *seed);
                if environment == Environment::Live {
                    self.delegations.require_training();
                }
                self.opened = Some(Opened { study, environment, seed, opened: dated });
            }
            Fact::StudyTested { .. } => {
                let (version, tested) = (event.study_version.clone(), Some((event.by.clone(), dated)));
                self.preparation = Preparation { version, tested, approvals: Vec::new() };
            }
            Fact::StudyApproved { parts } if self.preparation.version == event.study_version => {
                let (by, parts) = (event.by.clone(), parts.clone());
                self.preparation.approvals.push(Approval { by, parts, approved: dated });
            }
            Fact::EthicsApprovalRecorded { site, approved, .. } => {
                let approval = EthicsApproval { approved: *approved, recorded: dated };
                self.ethics.insert(site.clone(), approval);
            }
            Fact::AuditTrailReviewed { up_to, .. } => {
                self.trail_reviewed = Some((*up_to, event.by.clone(), dated));
            }
            Fact::SiteActivated { site } => {
                self.sites.insert(site.clone(), dated);
            }
            Fact::ContentPackLoaded { instrument, language, version, licence, digest } => {
                let (version, licence, digest) = (version.clone(), licence.clone(), digest.clone());
                let pack = LoadedPack { version, licence, digest, sequence };
                self.content_packs.insert((instrument.clone(), language.clone()), pack);
            }
            Fact::RoleDelegated { person, role, site } => {
                let (person, role, site) = (person.clone(), role.clone(), site.clone());
                self.delegations.add(Grant { person, role, site, from: dated.date, until: None });
            }
            Fact::DelegationEnded { person, role, site, until } => {
                self.delegations.end(person, role, site.as_ref(), *until);
            }
            Fact::TrainingRecorded { person, role } => {
                self.delegations.record_training(person, role, dated.date);
            }
            Fact::AllocationListSealed { digest, scheme_digest } => {
                let (digest, scheme_digest) = (digest.clone(), scheme_digest.clone());
                self.allocation = Some(SealedList { digest, scheme_digest, sequence });
            }
            Fact::SourceVerificationPlanned { plan } => self.verification_plan = Some(plan.clone()),
            Fact::AnalysisSetsSigned { sets, .. } => {
                self.sets = Some(SignedSets { sets: sets.clone(), sequence, stale: false });
            }
            Fact::DatabaseLocked { .. } => self.locked = Some(dated),
            Fact::UnlockProposed => self.unlock_proposed = Some((event.by.clone(), dated)),
            Fact::DatabaseUnlocked => (self.locked, self.unlock_proposed) = (None, None),
            Fact::DataClosed { part, closure } => {
                self.closed.insert(part.clone(), (*closure, dated));
            }
            Fact::DataReopened { part } => {
                self.closed.remove(part);
            }
            Fact::AllocationUnblinded { arms, .. } => {
                let arms =
                    arms.iter().filter_map(|(subject, arm)| Some((subject.clone(), arm.get()?.clone())));
                self.arms = Some(Arms { by_subject: arms.collect(), sequence });
            }
            Fact::KitsReceived { kits } => {
                for kit in kits {
                    let site = event.site.clone().unwrap_or_else(|| SiteId::from(""));
                    self.kits.insert(kit.clone(), StockedKit { site, holder: None });
                }
            }
            Fact::WatchCounted { watch, .. }
            | Fact::WatchReached { watch, .. }
            | Fact::SafetyDecided { watch, .. } => {
                Arc::make_mut(&mut self.watches).entry(watch.clone()).or_default().apply(event, dated);
            }
            _ => self.apply_to_readings(event),
        }
    }

    fn apply_to_readings(&mut self, event: &Event) {
        if !matches!(
            &event.fact,
            Fact::ReadingOrderDrawn { .. }
                | Fact::SpecimenRead { .. }
                | Fact::ReadingsLocked { .. }
                | Fact::ReadingKeyJoined { .. }
        ) {
            return;
        }
        let reading = Arc::make_mut(&mut self.reading);
        match &event.fact {
            Fact::ReadingOrderDrawn { codes, repeats, pairs, pair_key, pair_repeats, .. } => {
                reading.order.clone_from(codes);
                reading.repeats = opened_key(repeats);
                reading.pairs.clone_from(pairs);
                reading.pair_key = opened_key(pair_key);
                reading.pair_repeats = pair_repeats.iter().cloned().collect();
            }
            Fact::SpecimenRead { code, reader, reading: read } => {
                let answers = read
                    .answers
                    .iter()
                    .filter_map(|(item, answer)| Some((item.clone(), answer.get()?.clone())))
                    .collect();
                let taken = TakenReading { by: event.by.clone(), answers, sequence: event.sequence };
                reading.readings.insert((code.clone(), *reader), taken);
            }
            Fact::ReadingsLocked { .. } => reading.locked = Some(event.sequence),
            Fact::ReadingKeyJoined { key } => reading.key = Some((opened_key(key), event.sequence)),
            _ => {}
        }
    }
}

fn dated(event: &Event) -> Dated {
    Dated { date: event.happened.earliest(), sequence: event.sequence }
}

fn shared_key(key: &FormKey, words: &mut Words) -> FormKey {
    let visit = key.visit.as_ref().map(|visit| visit.shared(words));
    FormKey { visit, form: key.form.shared(words), row: key.row }
}

fn shared_actor(by: &Actor, words: &mut Words) -> Actor {
    Actor { person: by.person.shared(words), role: by.role.shared(words) }
}

fn opened_key<K: Clone>(key: &BTreeMap<SpecimenCode, Content<K>>) -> BTreeMap<SpecimenCode, K> {
    key.iter().filter_map(|(code, key)| Some((code.clone(), key.get()?.clone()))).collect()
}

/// Says whether a fact changes what the signed analysis sets rest on.
fn changes_what_sets_rest_on(fact: &Fact) -> bool {
    !matches!(
        fact,
        Fact::AnalysisSetsSigned { .. }
            | Fact::DatabaseLocked { .. }
            | Fact::AllocationUnblinded { .. }
            | Fact::RoleDelegated { .. }
            | Fact::DelegationEnded { .. }
            | Fact::TrainingRecorded { .. }
            | Fact::StudyTested { .. }
            | Fact::StudyApproved { .. }
            | Fact::EthicsApprovalRecorded { .. }
            | Fact::AuditTrailReviewed { .. }
            | Fact::SiteActivated { .. }
            | Fact::ContentPackLoaded { .. }
            | Fact::KitsReceived { .. }
            | Fact::FileAttached { .. }
            | Fact::FileWithdrawn { .. }
            | Fact::QueryOpened { .. }
            | Fact::QueryAnswered { .. }
            | Fact::QueryClosed { .. }
            | Fact::QueryReopened { .. }
            | Fact::SourceVerificationPlanned { .. }
            | Fact::SourceVerified { .. }
            | Fact::SourceVerificationWithdrawn { .. }
            | Fact::FormsReviewed { .. }
            | Fact::DataClosed { .. }
            | Fact::DataReopened { .. }
            | Fact::UnlockProposed
            | Fact::DatabaseUnlocked
            | Fact::WatchCounted { .. }
            | Fact::WatchReached { .. }
            | Fact::SafetyDecided { .. }
            | Fact::VisitSigned { .. }
            | Fact::CasebookSigned { .. }
    )
}

impl Casebook {
    /// Returns the casebook as it will be once drafts of its own stream are recorded.
    pub(crate) fn after(&self, drafts: &[Draft], command: &Command) -> Self {
        let mut ahead = self.clone();
        let mut words = Words::default();
        let own =
            drafts.iter().filter(|draft| matches!(&draft.stream, Stream::Subject(of) if *of == self.subject));
        for (place, draft) in (1..).zip(own) {
            let event = Event {
                sequence: u64::MAX,
                stream: draft.stream.clone(),
                position: self.position + place,
                by: draft.by.clone(),
                site: draft.site.clone(),
                happened: draft.happened,
                recorded: command.at.clone(),
                origin: command.origin.clone(),
                study_version: String::new(),
                reason: None,
                fact: draft.fact.clone(),
            };
            ahead.apply(&event, dated(&event), &mut words);
        }
        ahead
    }

    fn apply(&mut self, event: &Event, dated: Dated, words: &mut Words) {
        self.count(event.position);
        match &event.fact {
            Fact::FormSectionSaved { key, changes } | Fact::FormSectionCorrected { key, changes } => {
                self.apply_changes(key, changes, event, words);
            }
            Fact::FileAttached { key, number, file } => {
                let (by, file) = (shared_actor(&event.by, words), file.get().cloned());
                let file = FormFile { number: *number, file, by, attached: dated, withdrawn: None };
                self.files.entry(shared_key(key, words)).or_default().push(file);
                self.undo_judgements(key);
            }
            Fact::FileWithdrawn { key, number } => {
                let mut files = self.files.get_mut(key).into_iter().flatten();
                if let Some(file) = files.find(|file| file.number == *number) {
                    file.withdrawn = Some(dated);
                }
                self.undo_judgements(key);
            }
            Fact::QueryOpened { .. }
            | Fact::QueryAnswered { .. }
            | Fact::QueryClosed { .. }
            | Fact::QueryReopened { .. } => self.apply_query(event, words),
            Fact::SourceVerified { key, items } => {
                let verification = Verification { by: event.by.clone(), verified: dated };
                self.verify(key, items, Some(&verification));
            }
            Fact::SourceVerificationWithdrawn { key, items } => self.verify(key, items, None),
            Fact::FormsReviewed { review, keys } => {
                let reviewed = Reviewed { by: event.by.clone(), reviewed: dated };
                for key in keys {
                    if let Some(form) = self.forms.get_mut(key) {
                        form.reviews.insert(*review, reviewed.clone());
                    }
                }
            }
            Fact::DataClosed { part, closure } => {
                self.closed.insert(part.clone(), (*closure, dated));
            }
            Fact::DataReopened { part } => {
                self.closed.remove(part);
            }
            Fact::DoseChanged { .. }
            | Fact::KitDispensed { .. }
            | Fact::KitReturned { .. }
            | Fact::TreatmentEnded { .. }
            | Fact::BlindBroken { .. }
            | Fact::SeriousEventReported { .. }
            | Fact::SpecimenTaken { .. } => self.apply_treatment(event, dated),
            Fact::VisitSigned { .. } | Fact::CasebookSigned { .. } | Fact::SignatureVoided { .. } => {
                self.apply_signature(event, dated, words);
            }
            Fact::DeviationRecorded { deviation, what, visit, rule, text } => {
                self.deviations.push(Deviation {
                    id: deviation.clone(),
                    what: *what,
                    visit: visit.clone(),
                    rule: rule.clone(),
                    text: text.get().cloned(),
                    recorded: dated,
                    class: None,
                });
            }
            Fact::DeviationClassified { deviation, class } => {
                if let Some(known) = self.deviations.iter_mut().find(|known| known.id == *deviation) {
                    known.class = Some((*class, event.sequence));
                }
            }
            _ => self.apply_way(event, dated, words),
        }
    }

    /// A form got another file: whoever had reviewed it or compared it with the source did so without that.
    fn undo_judgements(&mut self, key: &FormKey) {
        let Some(form) = self.forms.get_mut(key) else { return };
        form.reviews.clear();
        if form.cells.values().any(|cell| cell.verification().is_some()) {
            form.cells.change().values_mut().for_each(Cell::lose_verification);
        }
    }

    fn apply_way(&mut self, event: &Event, dated: Dated, words: &mut Words) {
        match &event.fact {
            Fact::ConsentSigned { consent_version } => {
                self.consents.push(Consent { version: consent_version.clone(), signed: dated });
            }
            Fact::ConsentWithdrawn { keep_data } => {
                self.withdrawn = Some(Withdrawal { withdrawn: dated, keep_data: *keep_data });
            }
            Fact::SubjectScreened => self.screened = Some(dated),
            Fact::EligibilityDecided { at_visit, eligible, unmet, unknown, content_digest } => {
                let decision = EligibilityDecision {
                    eligible: *eligible,
                    unmet: unmet.clone(),
                    unknown: unknown.clone(),
                    content_digest: content_digest.clone(),
                    by: event.by.clone(),
                    decided: dated,
                };
                self.eligibility.insert(at_visit.shared(words), decision);
            }
            Fact::SubjectEnrolled => self.enrolled = Some(dated),
            Fact::SubjectRandomised { stratum, list_position, envelope } => {
                self.allocated = Some(Allocated {
                    stratum: stratum.clone(),
                    list_position: *list_position,
                    envelope: envelope.clone(),
                    randomised: dated,
                });
            }
            Fact::VisitHeld { visit, date, target } => {
                let held = Dated { date: *date, sequence: event.sequence };
                self.visits.insert(visit.shared(words), HeldVisit { held, target: *target });
            }
            Fact::VisitMissed { visit } => {
                self.missed.insert(visit.shared(words), event.sequence);
            }
            Fact::ParticipationEnded { reason, date } => {
                let ended = Dated { date: *date, sequence: event.sequence };
                self.participation_end = Some(ParticipationEnd { reason: *reason, ended });
            }
            _ => {}
        }
    }

    fn apply_changes(&mut self, key: &FormKey, changes: &[ItemChange], event: &Event, words: &mut Words) {
        if !self.forms.contains_key(key) {
            let begun = FilledForm {
                cells: Cells::default(),
                first_by: shared_actor(&event.by, words),
                reviews: BTreeMap::new(),
            };
            self.forms.insert(shared_key(key, words), begun);
        }
        let Some(form) = self.forms.get_mut(key) else { return };
        let cells = form.cells.change();
        for change in changes {
            let entry = Entry {
                answer: change.new.get().cloned(),
                source: change.source,
                by: event.by.clone(),
                happened: event.happened,
                recorded: event.recorded.local_date,
                sequence: event.sequence,
            };
            cells
                .entry(change.item.clone())
                .and_modify(|cell| cell.replace(entry.clone()))
                .or_insert_with(|| Cell::new(entry));
        }
    }

    fn verify(&mut self, key: &FormKey, items: &[ItemId], verification: Option<&Verification>) {
        let Some(form) = self.forms.get_mut(key) else { return };
        let cells = form.cells.change();
        for item in items {
            if let Some(cell) = cells.get_mut(item) {
                cell.verify(verification.cloned());
            }
        }
    }

    fn apply_query(&mut self, event: &Event, words: &mut Words) {
        let find = |queries: &mut Vec<Query>, id: &QueryId, change: &dyn Fn(&mut Query)| {
            if let Some(query) = queries.iter_mut().find(|query| query.id == *id) {
                query.said.push(event.sequence);
                change(query);
            }
        };
        match &event.fact {
            Fact::QueryOpened { query, key, item, check, addressed_to, .. } => self.queries.push(Query {
                id: query.clone(),
                key: shared_key(key, words),
                item: item.shared(words),
                check: check.as_ref().map(|check| check.shared(words)),
                addressed_to: addressed_to.shared(words),
                by: shared_actor(&event.by, words),
                opened: event.sequence,
                reopened: None,
                said: vec![event.sequence],
                opened_on: event.recorded.local_date,
                answered: None,
                answered_by: None,
                closed: None,
                closed_by_check: false,
            }),
            Fact::QueryAnswered { query, .. } => {
                let by = event.by.person.shared(words);
                find(&mut self.queries, query, &|query| {
                    (query.answered, query.answered_by) = (Some(event.sequence), Some(by.clone()));
                });
            }
            Fact::QueryClosed { query, by_check } => find(&mut self.queries, query, &|query| {
                query.closed = Some(event.sequence);
                query.closed_by_check = *by_check;
            }),
            Fact::QueryReopened { query, .. } => find(&mut self.queries, query, &|query| {
                (query.closed, query.answered, query.closed_by_check) = (None, None, false);
                query.answered_by = None;
                query.reopened = Some(event.sequence);
            }),
            _ => {}
        }
    }

    fn apply_signature(&mut self, event: &Event, dated: Dated, words: &mut Words) {
        let by = shared_actor(&event.by, words);
        let signature = |meaning: &String, content_digest: &String| Signature {
            by: by.clone(),
            meaning: meaning.clone(),
            content_digest: content_digest.clone(),
            signed: dated,
        };
        match &event.fact {
            Fact::VisitSigned { visit, meaning, content_digest } => {
                self.signatures.insert(visit.shared(words), signature(meaning, content_digest));
            }
            Fact::CasebookSigned { meaning, content_digest } => {
                self.casebook_signature = Some(signature(meaning, content_digest));
            }
            Fact::SignatureVoided { visit: Some(visit) } => {
                self.signatures.remove(visit);
            }
            Fact::SignatureVoided { visit: None } => self.casebook_signature = None,
            _ => {}
        }
    }

    fn apply_treatment(&mut self, event: &Event, dated: Dated) {
        let sequence = event.sequence;
        match &event.fact {
            Fact::DoseChanged { step, from, dose_mg, rule, adverse_event } => self.doses.push(DoseChange {
                step: *step,
                from: *from,
                dose_mg: dose_mg.get().copied(),
                rule: rule.clone(),
                adverse_event: *adverse_event,
                sequence,
            }),
            Fact::KitDispensed { kit, visit, tablets } => {
                let (visit, dispensed_tablets) = (visit.clone(), *tablets);
                let used = KitUse { visit, dispensed_tablets, dispensed: dated, returned: None };
                self.kits.insert(kit.clone(), used);
            }
            Fact::KitReturned { kit, tablets, .. } => {
                if let Some(kit) = self.kits.get_mut(kit) {
                    kit.returned = Some((*tablets, dated));
                }
            }
            Fact::TreatmentEnded { reason, last_dose, early, adverse_event } => {
                self.treatment_end = Some(TreatmentEnd {
                    reason: *reason,
                    last_dose: *last_dose,
                    early: *early,
                    adverse_event: *adverse_event,
                    ended: dated,
                });
            }
            Fact::BlindBroken { shown_to } => {
                let (by, shown_to) = (event.by.clone(), shown_to.clone());
                self.blind_breaks.push(BlindBreak { by, shown_to, broken: dated });
            }
            Fact::SeriousEventReported { row, aware } => {
                let reported = Dated { date: event.recorded.local_date, sequence };
                self.serious_reports.insert(*row, SeriousReport { aware: *aware, reported });
            }
            Fact::SpecimenTaken { visit, specimen } => {
                let code = specimen.get().map(|code| SpecimenCode::from(code.as_str()));
                self.specimens.insert(visit.clone(), Specimen { code, taken: dated });
            }
            _ => {}
        }
    }
}
