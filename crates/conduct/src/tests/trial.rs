//! A trial in hand for tests: the two shipped studies, staff by role, and a participant who can be moved on.

use std::{collections::BTreeMap, fs, path::Path, sync::OnceLock};

use access::Needs;
use allocation::{
    Holder, HolderRights, KitPlan, KitRange, ListSeed, OpenVault, OpenedList, PermutedBlocks, PrivateKey,
    SealedVault, StratumLength, VaultPlan,
};
use protocol::model::{Form, Item, ItemType, Power, Purpose, Study};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use record::{Actor, DeviationKind, DoseStep, Draft, Environment, Event, Fact, FormKey, Stream};
use terms::*;

use crate::{
    Action, Casebook, Command, Means, Refusal, State, View, decide, is_shown,
    rules::{self, Place},
    view::Pending,
};

fn folder(path: &Path, prefix: &str, files: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(path).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type().unwrap().is_dir() {
            folder(&entry.path(), &format!("{name}/"), files);
        } else if name.ends_with(".toml") {
            files.insert(name, fs::read_to_string(entry.path()).unwrap());
        }
    }
}

fn compile(id: &str) -> Study {
    let mut files = BTreeMap::new();
    folder(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../studies").join(id), "", &mut files);
    match protocol::compile(&files) {
        Ok(compiled) => compiled.study,
        Err(errors) => panic!("{id} does not compile: {}", errors[0]),
    }
}

/// Study A: one arm, open, no kits.
pub fn study_a() -> &'static Study {
    static STUDY: OnceLock<Study> = OnceLock::new();
    STUDY.get_or_init(|| compile("imatinib-open"))
}

/// Study B: two arms, blind, kits.
pub fn study_b() -> &'static Study {
    static STUDY: OnceLock<Study> = OnceLock::new();
    STUDY.get_or_init(|| compile("imatinib-controlled"))
}

/// The sealed list of study B, with the keys that open it.
struct Sealing {
    vault: SealedVault,
    people: Vec<PersonId>,
    keys: Vec<PrivateKey>,
}

fn sealing() -> &'static Sealing {
    static SEALING: OnceLock<Sealing> = OnceLock::new();
    SEALING.get_or_init(|| {
        let study = study_b();
        let mut random = ChaCha20Rng::seed_from_u64(7);
        let keys: Vec<PrivateKey> = (0..2).map(|_| PrivateKey::draw(&mut random)).collect();
        let people: Vec<PersonId> = ["first", "second"].map(PersonId::from).to_vec();
        let rights = HolderRights { unlock: true, break_blind: true, open_list: true };
        let holders = people.iter().zip(&keys).map(|(person, key)| Holder {
            person: person.clone(),
            role: RoleId::from("unblinded_statistician"),
            key: key.public(),
            rights,
        });
        let plan = study.allocation.as_ref().unwrap();
        let strata = plan.strata.iter().map(|stratum| StratumLength { stratum: stratum.clone(), length: 8 });
        let sites = ["01", "05"].map(|site| (SiteId::from(site), 12)).to_vec();
        let vault = VaultPlan {
            study: study.id.clone(),
            blocks: PermutedBlocks::new(&plan.ratio, &[4]).unwrap(),
            strata: strata.collect(),
            kits: KitPlan { range: KitRange { first: 1000, last: 9999 }, kits_per_arm: sites },
            holders: holders.collect(),
            list_threshold: 2,
        };
        let vault = vault.seal(&ListSeed::from_bytes([3; 32]), &mut random).unwrap();
        Sealing { vault, people, keys }
    })
}

/// What a script saw of the rules.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    pub refusing: std::collections::BTreeSet<Place>,
    pub following: std::collections::BTreeSet<Place>,
}

/// A trial in hand.
pub struct Trial {
    pub study: Study,
    pub state: State,
    pub events: Vec<Event>,
    pub seen: Seen,
    /// The day on which steps happen and are recorded.
    pub today: Date,
    /// The participant in hand.
    pub subject: Option<SubjectId>,
    /// Steps that were refused.
    pub refusals: usize,
    pub vault: Option<OpenVault>,
    pub list: Option<OpenedList>,
    random: ChaCha20Rng,
}

/// The site of all tests that need one.
pub const SITE: &str = "01";

impl Trial {
    /// A trial of which nothing is recorded.
    pub fn of(study: &Study) -> Self {
        rules::take_refusing();
        rules::take_following();
        Self {
            study: study.clone(),
            state: State::default(),
            events: Vec::new(),
            seen: Seen::default(),
            today: day("2009-03-02"),
            subject: None,
            refusals: 0,
            vault: None,
            list: None,
            random: ChaCha20Rng::seed_from_u64(1),
        }
    }

    /// An open trial with staff, an active site and, in study B, a sealed list, an unlocked vault and kits.
    pub fn open(study: &Study) -> Self {
        let mut trial = Self::of(study);
        trial.does(Action::OpenStudy { environment: Environment::Rehearsal, seed: Some(1) });
        trial.delegate_all();
        trial.goes_live(SITE);
        if study.allocation.is_some() {
            trial.unlock();
            trial.receive_kits(SITE);
        }
        trial
    }

    /// Has the study's files tested and approved by two people, the list sealed where there is one.
    pub fn prepares(&mut self) {
        if self.study.allocation.is_some() && self.state.allocation.is_none() {
            self.seal();
        }
        if self.state.preparation.test_of(&self.study).is_none() {
            self.does(Action::RecordTest { evidence: "every form filled on the training copy".into() });
        }
        let parts = crate::study_parts(&self.study);
        for person in ["data_manager", "trial_statistician"] {
            let action = Action::ApproveStudy { parts: parts.clone() };
            let by = Actor { person: person.into(), role: person.into() };
            let command = Command { by, ..self.command(action) };
            self.accepts(&command);
        }
    }

    /// Lets a site begin by the same steps as a trial does.
    pub fn goes_live(&mut self, site: &str) {
        if !self.state.preparation.is_complete(&self.study) {
            self.prepares();
        }
        let approved = self.today;
        self.does(Action::RecordEthicsApproval {
            site: site.into(),
            approved,
            reference: "2009-A-017".into(),
        });
        self.does(Action::ActivateSite { site: site.into() });
    }

    pub fn delegate_all(&mut self) {
        for role in self.study.roles.clone() {
            let person = PersonId::from(role.id.as_str());
            if !self.state.delegations.holds(&person, &role.id, None, self.today) {
                self.does(Action::DelegateRole { person: person.clone(), role: role.id.clone(), site: None });
            }
            let live =
                self.state.opened.as_ref().is_some_and(|opened| opened.environment == Environment::Live);
            if live && self.state.delegations.trained_on(&person, &role.id).is_none() {
                self.does(Action::RecordTraining { person, role: role.id.clone() });
            }
        }
    }

    pub fn seal(&mut self) {
        let vault = &sealing().vault;
        let (digest, scheme_digest) = (vault.list_digest().to_string(), vault.scheme_digest().to_string());
        self.does(Action::SealAllocation { digest, scheme_digest });
    }

    pub fn unlock(&mut self) {
        let sealing = sealing();
        self.vault = Some(sealing.vault.unlock(&sealing.people[0], &sealing.keys[0]).unwrap());
    }

    pub fn open_list(&mut self) {
        let sealing = sealing();
        let share = |n: usize| sealing.vault.open_share(&sealing.people[n], &sealing.keys[n]).unwrap();
        self.list = Some(sealing.vault.open_list(&[share(0), share(1)]).unwrap());
    }

    pub fn kits_for(site: &str) -> Vec<KitNumber> {
        let consignments = sealing().vault.consignments();
        consignments.iter().find(|consignment| consignment.site == *site).unwrap().kits.clone()
    }

    pub fn receive_kits(&mut self, site: &str) {
        self.does(Action::ReceiveKits { site: site.into(), kits: Self::kits_for(site) });
    }

    // ---- giving commands ----

    /// The first role that may do something, in the person of that role.
    pub fn actor(&self, action: &Action) -> Actor {
        let with = |power: Power| {
            let able = |role: &&protocol::model::Role| role.may.contains(&power);
            self.study.roles.iter().find(able).map(|role| role.id.clone()).unwrap_or_else(|| "nobody".into())
        };
        let role = match (access::needs(action.step()), action) {
            (Needs::Power(power), _) => with(power),
            (Needs::AnyOf(powers), _) => with(powers[0]),
            (
                Needs::Entry,
                Action::SaveFormSection { key, .. }
                | Action::CorrectFormSection { key, .. }
                | Action::AttachFile { key, .. }
                | Action::WithdrawFile { key, .. }
                | Action::RecordFormNotDone { key },
            ) => {
                let form = self.study.form(key.form.as_str());
                form.map_or_else(|| with(Power::RunVisits), |form| form.filled_by[0].clone())
            }
            (_, Action::AnswerQuery { query, .. }) => {
                let query = self.casebook_in_hand().and_then(|casebook| casebook.query(query));
                query.map_or_else(|| with(Power::AnswerQueries), |query| query.addressed_to.clone())
            }
            _ => with(Power::Administer),
        };
        Actor { person: PersonId::from(role.as_str()), role }
    }

    pub fn command(&self, action: Action) -> Command {
        let known =
            |action: &Action| action.is_about_subject() || matches!(action, Action::SignConsent { .. });
        let noon: Timestamp = format!("{}T12:00:00Z", self.today).parse().unwrap();
        Command {
            by: self.actor(&action),
            at: SiteTime::at(noon, "Europe/Paris").unwrap(),
            origin: "test".to_owned(),
            happened: self.today.into(),
            reason: None,
            subject: self.subject.clone().filter(|_| known(&action)),
            expected_position: None,
            action,
        }
    }

    fn decide(&self, command: &Command) -> Result<Vec<Draft>, Refusal> {
        let mut random = self.random.clone();
        let mut means =
            Means { random: &mut random, vault: self.vault.as_ref(), opened_list: self.list.as_ref() };
        decide(&self.study, &self.state, command, &mut means)
    }

    /// Gives a command; what it leads to is folded.
    pub fn give(&mut self, command: &Command) -> Result<Vec<Fact>, Refusal> {
        let drafts = self.decide(command);
        self.seen.following.extend(rules::take_following());
        let drafts = drafts.inspect_err(|_| {
            self.seen.refusing.extend(rules::take_refusing());
        })?;
        // The next decision draws other codes.
        self.random = ChaCha20Rng::seed_from_u64(self.state.sequence + 2);
        Ok(drafts.into_iter().map(|draft| self.record(draft, command)).collect())
    }

    fn record(&mut self, draft: Draft, command: &Command) -> Fact {
        let event = Event {
            sequence: self.state.sequence + 1,
            position: self.state.position(&draft.stream) + 1,
            stream: draft.stream,
            by: draft.by,
            site: draft.site,
            happened: draft.happened,
            recorded: command.at.clone(),
            origin: command.origin.clone(),
            study_version: self.study.version.clone(),
            reason: draft.reason,
            fact: draft.fact,
        };
        self.state.apply(&event);
        if let (Stream::Subject(subject), Fact::ConsentSigned { .. }) = (&event.stream, &event.fact) {
            self.subject = Some(subject.clone());
        }
        let fact = event.fact.clone();
        self.events.push(event);
        fact
    }

    /// Does a step that must be accepted.
    #[track_caller]
    pub fn does(&mut self, action: Action) -> Vec<Fact> {
        let command = self.command(action);
        self.accepts(&command)
    }

    /// Does a step with a reason that must be accepted.
    #[track_caller]
    pub fn does_because(&mut self, reason: &str, action: Action) -> Vec<Fact> {
        let command = Command { reason: Some(reason.to_owned()), ..self.command(action) };
        self.accepts(&command)
    }

    #[track_caller]
    pub fn accepts(&mut self, command: &Command) -> Vec<Fact> {
        match self.give(command) {
            Ok(facts) => facts,
            Err(refusal) => panic!("{:?} on {} was refused: {refusal}", command.action, self.today),
        }
    }

    /// Asks for a step that must be refused.
    #[track_caller]
    pub fn refuses(&mut self, action: Action) -> Refusal {
        let command = self.command(action);
        self.refuses_command(&command)
    }

    #[track_caller]
    pub fn refuses_because(&mut self, reason: &str, action: Action) -> Refusal {
        let command = Command { reason: Some(reason.to_owned()), ..self.command(action) };
        self.refuses_command(&command)
    }

    /// Asks for something that must be refused, and looks what would happen without the rule that refused it.
    #[track_caller]
    pub fn refuses_command(&mut self, command: &Command) -> Refusal {
        rules::take_refusing();
        let refusal = match self.decide(command) {
            Err(refusal) => refusal,
            Ok(drafts) => panic!(
                "{:?} on {} was accepted: {:?}",
                command.action,
                self.today,
                drafts.into_iter().map(|draft| draft.fact).collect::<Vec<_>>()
            ),
        };
        for place in rules::take_refusing() {
            let without = rules::without(&place, || self.decide(command));
            let is_lookup = rules::take_refusing().contains(&place);
            assert!(
                is_lookup || without != Err(refusal.clone()),
                "without the rule of {place:?} the refusal is the same: {refusal}"
            );
            self.seen.refusing.insert(place);
        }
        rules::take_following();
        self.refusals += 1;
        refusal
    }

    /// Ends a script: the record, folded anew, is the state.
    pub fn finish(mut self) -> Seen {
        assert_eq!(State::replay(&self.events), self.state, "replay of the record equals the state");
        let treated = self.state.walk().filter(|casebook| casebook.first_dose().is_some()).count();
        assert_eq!(self.state.treated() as usize, treated);
        self.seen.refusing.extend(rules::take_refusing());
        self.seen.following.extend(rules::take_following());
        self.seen
    }

    /// Takes over what another trial of the same script saw.
    pub fn absorb(&mut self, other: Trial) {
        let seen = other.finish();
        self.seen.refusing.extend(seen.refusing);
        self.seen.following.extend(seen.following);
    }

    // ---- the participant in hand ----

    fn casebook_in_hand(&self) -> Option<&Casebook> {
        self.state.casebook(self.subject.as_ref()?.as_str())
    }

    pub fn casebook(&self) -> &Casebook {
        self.casebook_in_hand().expect("a participant is in hand")
    }

    pub fn on(&mut self, text: &str) -> &mut Self {
        self.today = day(text);
        self
    }

    pub fn later(&mut self, days: i32) -> &mut Self {
        self.today = crate::casebook::days_after(self.today, days);
        self
    }

    pub fn consents(&mut self) {
        let consent_version = crate::current_consent(&self.study, self.today).unwrap_or_default().to_owned();
        self.does(Action::SignConsent { site: SITE.into(), consent_version });
    }

    pub fn holds(&mut self, visit: &str) -> Vec<Fact> {
        self.does(Action::HoldVisit { visit: visit.into() })
    }

    pub fn saves(&mut self, visit: &str, form: &str, answers: &[(&str, Answer)]) -> Vec<Fact> {
        self.does(saving(visit, form, answers))
    }

    pub fn corrects(&mut self, visit: &str, form: &str, answers: &[(&str, Answer)]) -> Vec<Fact> {
        self.does_because("transcription error", correcting(visit, form, answers))
    }

    /// Fills every form of a visit that is not begun, with answers of somebody eligible and well.
    pub fn fills(&mut self, visit: &str) {
        let visit = VisitId::from(visit);
        let forms: Vec<Form> = self.study.forms_at(&visit).filter(|form| form.by_visit).cloned().collect();
        for form in forms {
            let key = FormKey { visit: Some(visit.clone()), form: form.id.clone(), row: 0 };
            if !self.casebook().forms.contains_key(&key) && form.purpose != Some(Purpose::SpecimenReading) {
                self.fills_form(&form, key);
            }
        }
    }

    pub fn fills_form(&mut self, form: &Form, key: FormKey) {
        let answers = sound_answers(&self.study, self.casebook(), form, &key);
        if !answers.is_empty() {
            self.does(Action::SaveFormSection { key, answers });
        }
    }

    pub fn signs(&mut self, visit: &str) -> Vec<Fact> {
        self.does(signing(visit))
    }

    pub fn decides(&mut self, visit: &str) {
        self.does(deciding(visit, true));
    }

    /// Consent, screening, the screening visit filled, signed and decided.
    pub fn screens(&mut self) {
        self.consents();
        self.does(Action::ScreenSubject);
        self.holds("Scr");
        self.fills("Scr");
        self.signs("Scr");
        self.decides("Scr");
    }

    /// From consent to the day of entry, with everything done but the last step.
    pub fn comes_to_entry(&mut self) {
        self.screens();
        self.later(14);
        self.holds("M0");
        self.fills("M0");
        if crate::decision_visits(&self.study).iter().any(|visit| **visit == "M0") {
            self.decides("M0");
        }
    }

    /// From consent into the trial.
    pub fn enters(&mut self) {
        self.comes_to_entry();
        let randomises = self.study.allocation.is_some();
        self.does(if randomises { Action::RandomiseSubject } else { Action::EnrolSubject });
    }

    /// From consent to the first dose and the signed visit of entry.
    pub fn starts(&mut self) {
        self.enters();
        if self.study.allocation.is_some() {
            self.does(Action::DispenseKit { visit: "M0".into(), kit: None });
        }
        self.does(dosing(DoseStep::Started, self.today, 400));
        self.signs("M0");
    }

    /// Holds a visit on its planned day, fills and signs it, and counts kits where there are any.
    pub fn visits(&mut self, visit: &str) {
        let planned = self.study.visit(visit).unwrap().clone();
        let window = crate::window(self.casebook(), &planned).unwrap();
        self.today = window.target.unwrap_or(window.first).max(self.today);
        self.holds(visit);
        self.fills(visit);
        self.signs(visit);
    }

    /// From the first dose to the day of the closing visit of treatment, all visits of months held.
    pub fn goes_through_treatment(&mut self) {
        let months: Vec<String> = self
            .study
            .visits
            .iter()
            .filter(|visit| crate::schedule::window(self.casebook(), visit).is_some())
            .filter(|visit| matches!(visit.timing, protocol::model::Timing::Months { .. }))
            .map(|visit| visit.id.as_str().to_owned())
            .collect();
        for visit in months {
            self.visits(&visit);
        }
    }

    /// Classifies what deviations there are as the study's rules propose.
    pub fn classifies(&mut self) {
        let before = self.subject.clone();
        let open: Vec<_> = (self.state.casebooks.values())
            .flat_map(|casebook| casebook.deviations.iter().map(move |deviation| (casebook, deviation)))
            .filter(|(_, deviation)| deviation.class.is_none())
            .map(|(casebook, deviation)| {
                let class = crate::proposed_class(&self.study, casebook, deviation);
                (
                    casebook.subject.clone(),
                    Action::ClassifyDeviation { deviation: deviation.id.clone(), class },
                )
            })
            .collect();
        for (subject, action) in open {
            self.subject = Some(subject);
            self.does(action);
        }
        self.subject = before;
    }

    /// Signs every set of the plan with everyone in it.
    pub fn signs_sets(&mut self) {
        let everyone = self.everyone();
        self.does(Action::SignAnalysisSets { sets: everyone });
    }

    /// Every set of the plan with everyone who entered the trial.
    pub fn everyone(&self) -> BTreeMap<AnalysisSetId, Vec<SubjectId>> {
        let entered = self.state.casebooks.values().filter(|casebook| casebook.enrolled.is_some());
        let entered: Vec<SubjectId> = entered.map(|casebook| casebook.subject.clone()).collect();
        self.study.plan.sets.iter().map(|set| (set.id.clone(), entered.clone())).collect()
    }

    /// The kinds of deviations so far.
    pub fn deviations(&self) -> Vec<DeviationKind> {
        self.casebook().deviations.iter().map(|deviation| deviation.what).collect()
    }

    pub fn open_queries(&self) -> Vec<String> {
        let open = self.casebook().queries.iter().filter(|query| query.closed.is_none());
        open.map(|query| query.check.as_ref().map_or("by hand", CheckId::as_str).to_owned()).collect()
    }
}

/// Scripts that are tests, and that the test of every rule runs again.
macro_rules! scripts {
    ($($name:ident($trial:ident = $make:expr) $body:block)*) => {
        $(fn $name() -> super::trial::Seen {
            #[allow(unused_mut)]
            let mut $trial = $make;
            $body
            $trial.finish()
        })*

        pub(super) const SCRIPTS: &[(&str, fn() -> super::trial::Seen)] = &[$((stringify!($name), $name)),*];

        mod as_tests {
            $(#[test]
            fn $name() {
                super::$name();
            })*
        }
    };
}
pub(super) use scripts;

/// Asks for a step that must be refused for the reason given.
macro_rules! refused {
    ($trial:expr, $action:expr, $refusal:pat) => {{
        let refusal = $trial.refuses($action);
        assert!(matches!(refusal, $refusal), "refused, but because {refusal}");
    }};
    ($trial:expr, because $reason:expr, $action:expr, $refusal:pat) => {{
        let refusal = $trial.refuses_because($reason, $action);
        assert!(matches!(refusal, $refusal), "refused, but because {refusal}");
    }};
}
pub(super) use refused;

// ---- words ----

pub fn day(text: &str) -> Date {
    text.parse().unwrap()
}

pub fn whole(number: i64) -> Answer {
    Answer::Given(Value::Integer(number))
}

pub fn number(text: &str) -> Answer {
    Answer::Given(Value::Decimal(text.parse().unwrap()))
}

pub fn code(code: &str) -> Answer {
    Answer::Given(Value::Code(code.to_owned()))
}

pub fn flag(holds: bool) -> Answer {
    Answer::Given(Value::Boolean(holds))
}

pub fn date(text: &str) -> Answer {
    Answer::Given(Value::Date(text.parse().unwrap()))
}

pub fn text(text: &str) -> Answer {
    Answer::Given(Value::Text(text.to_owned()))
}

pub fn at(visit: &str, form: &str) -> FormKey {
    FormKey { visit: Some(visit.into()), form: form.into(), row: 0 }
}

pub fn row(form: &str, row: u32) -> FormKey {
    FormKey { visit: None, form: form.into(), row }
}

pub fn given(answers: &[(&str, Answer)]) -> Vec<(ItemId, Answer)> {
    answers.iter().map(|(item, answer)| (ItemId::from(*item), answer.clone())).collect()
}

pub fn saving(visit: &str, form: &str, answers: &[(&str, Answer)]) -> Action {
    Action::SaveFormSection { key: at(visit, form), answers: given(answers) }
}

pub fn correcting(visit: &str, form: &str, answers: &[(&str, Answer)]) -> Action {
    Action::CorrectFormSection { key: at(visit, form), answers: given(answers) }
}

pub fn signing(visit: &str) -> Action {
    Action::SignVisit { visit: visit.into(), meaning: "reviewed".to_owned() }
}

pub fn deciding(visit: &str, eligible: bool) -> Action {
    Action::DecideEligibility { at_visit: visit.into(), eligible, waived: Vec::new() }
}

pub fn dosing(step: DoseStep, from: Date, dose_mg: i64) -> Action {
    Action::ChangeDose { step, from, dose_mg: Decimal::from(dose_mg), rule: None, adverse_event: None }
}

/// An adverse event's items, in both studies the same.
pub fn event(start: &str, grade: &str, serious: bool) -> Vec<(&'static str, Answer)> {
    let mut answers = vec![
        // A term that has all five grades.
        ("term", text("Diarrhea")),
        ("start", date(start)),
        ("grade", code(grade)),
        ("serious", flag(serious)),
        ("relation", code("possible")),
        ("action", code("none")),
        ("outcome", code("ongoing")),
    ];
    if serious {
        answers.push(("criterion", code("admission")));
    }
    answers
}

/// Answers of somebody eligible and well.
fn sound(form: &FormId, item: &Item) -> Option<Answer> {
    let named = match (form.as_str(), item.id.as_str()) {
        ("demography", "age_years") => whole(45),
        ("demography", "height") => number("165.0"),
        ("demography", "child_bearing") => flag(true),
        ("disease_history", "diagnosis") => return None,
        ("disease_history", "acr_criteria") => flag(true),
        ("disease_history", "onset_date") => date("2007-05"),
        ("entry_questions", "prednisone_dose") => number("0"),
        ("echocardiography", "lvef_pct") => whole(60),
        ("skin_score", _) => whole(2),
        ("vital_signs", "weight") => number("66.0"),
        ("vital_signs", "systolic") => whole(120),
        ("vital_signs", "diastolic") => whole(75),
        ("vital_signs", "gained_in_week") => number("0.0"),
        ("vital_signs", "height_again") => number("165.0"),
        ("examination", "oedema_grade") => whole(0),
        ("spirometry", "fvc") => number("3.00"),
        ("spirometry", "fev1") => number("2.40"),
        ("lung_volumes", "tlc") => number("4.80"),
        ("diffusing_capacity", "dlco") => number("18.00"),
        ("diffusing_capacity", "hb") => number("13.4"),
        ("blood_count", "neutrophils") => number("4.00"),
        ("blood_count", "leucocytes") => number("7.00"),
        ("blood_count", "platelets") => whole(250),
        ("chemistry", "alt" | "ast") => whole(20),
        ("chemistry", "alp" | "cpk") => whole(80),
        ("pregnancy_test", "result") => code("negative"),
        ("biopsy", "taken") => flag(true),
        _ => return None,
    };
    Some(named)
}

/// Returns answers to all items that are asked, each after those it depends on.
pub fn sound_answers(
    study: &Study,
    casebook: &Casebook,
    form: &Form,
    key: &FormKey,
) -> Vec<(ItemId, Answer)> {
    let mut pending = Pending::new();
    for item in form.items.iter().filter(|item| item.derived.is_none()) {
        let view = View::at_form(study, casebook, key, Date::default()).with(&pending);
        if !is_shown(&view, item) {
            continue;
        }
        let answer = sound(&form.id, item)
            .or_else(|| wanted(study, &form.id, item))
            .unwrap_or_else(|| ordinary(study, view.today, &form.id, item));
        pending.entry(key.clone()).or_default().insert(item.id.clone(), answer);
    }
    pending.remove(key).into_iter().flatten().collect()
}

/// The answer that an eligibility rule asks of a yes-or-no item, by the rule's text.
fn wanted(study: &Study, form: &FormId, item: &Item) -> Option<Answer> {
    (item.kind == ItemType::Boolean).then_some(())?;
    let asks = |holds: bool, inclusion: bool| {
        let texts = ["", ")"].map(|end| format!("{form}.{}{end} == {holds}", item.id));
        study
            .eligibility
            .iter()
            .any(|rule| rule.inclusion == inclusion && texts.iter().any(|text| rule.rule.text.contains(text)))
    };
    (asks(true, true) || asks(false, false)).then(|| flag(true))
}

fn ordinary(study: &Study, today: Option<Date>, form: &FormId, item: &Item) -> Answer {
    let limits = || (item.minimum.unwrap_or_default(), item.maximum.unwrap_or(Decimal::ONE_HUNDRED));
    match &item.kind {
        ItemType::Integer if *form == "chemistry" || *form == "blood_count" => lab(study, item),
        ItemType::Decimal { .. } if *form == "chemistry" || *form == "blood_count" => lab(study, item),
        ItemType::Integer => {
            let (least, most) = limits();
            Answer::Given(Value::Integer(((least + most) / Decimal::TWO).trunc().try_into().unwrap()))
        }
        ItemType::Decimal { decimals } => {
            let (least, most) = limits();
            Answer::Given(Value::Decimal(((least + most) / Decimal::TWO).round_dp(*decimals)))
        }
        ItemType::Boolean => flag(false),
        ItemType::Code { codelist } => {
            let list = study.codelists.iter().find(|list| list.id == *codelist).unwrap();
            code(&list.codes[0].0)
        }
        ItemType::Date { .. } => Answer::Given(Value::Date(today.unwrap_or_default().into())),
        ItemType::Text => text("as usual"),
        ItemType::Term { .. } => text("Nausea"),
    }
}

/// The middle of the first reference range.
fn lab(study: &Study, item: &Item) -> Answer {
    let range = study.laboratories[0].ranges.iter().find(|range| range.item == item.id);
    let (lower, upper) = range.map_or((None, None), |range| (range.lower, range.upper));
    let upper = upper.or(item.maximum).unwrap_or(Decimal::ONE_HUNDRED);
    let middle = (lower.unwrap_or_default() + upper) / Decimal::TWO;
    match item.kind {
        ItemType::Decimal { decimals } => Answer::Given(Value::Decimal(middle.round_dp(decimals))),
        _ => Answer::Given(Value::Integer(middle.trunc().try_into().unwrap())),
    }
}
