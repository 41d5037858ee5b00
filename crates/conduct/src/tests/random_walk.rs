//! Random walks: whatever is asked in whatever order, the record stays one that the protocol allows.
//!
//! What must hold is said here once more, over the events alone and without the rules' own code.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use record::{DoseStep, EndReason, Event, Fact, FormKey, Source, Stream};
use terms::*;

use super::trial::*;
use crate::{Action, Command, decision_visits};

/// One step of a walk: what kind, which of several, how many days later.
type Pace = (u8, u8, u8);

fn any_visit(trial: &Trial, pick: u8) -> VisitId {
    let visits: Vec<_> = trial.study.visits.iter().map(|visit| visit.id.clone()).collect();
    visits[usize::from(pick) % visits.len()].clone()
}

/// What a careful site would do next for the participant in hand.
fn sensible(trial: &Trial) -> Action {
    let consent_version = crate::current_consent(&trial.study, trial.today).unwrap_or_default().to_owned();
    let consent = Action::SignConsent { site: SITE.into(), consent_version };
    let Some(casebook) = trial.subject.as_ref().and_then(|subject| trial.state.casebook(subject.as_str()))
    else {
        return consent;
    };
    if casebook.screened.is_none() {
        return Action::ScreenSubject;
    }
    if let Some(visit) = casebook.visits.keys().find(|visit| !casebook.signatures.contains_key(*visit)) {
        for form in trial.study.forms_at(visit).filter(|form| form.by_visit) {
            let key = FormKey { visit: Some(visit.clone()), form: form.id.clone(), row: 0 };
            let answers = sound_answers(&trial.study, casebook, form, &key);
            if !casebook.forms.contains_key(&key) && !answers.is_empty() {
                return Action::SaveFormSection { key, answers };
            }
        }
        let undecided =
            decision_visits(&trial.study).contains(&visit) && !casebook.eligibility.contains_key(visit);
        return if undecided { deciding(visit.as_str(), true) } else { signing(visit.as_str()) };
    }
    let randomises = trial.study.allocation.is_some();
    if casebook.visits.contains_key("M0") && casebook.enrolled.is_none() {
        return if randomises { Action::RandomiseSubject } else { Action::EnrolSubject };
    }
    if casebook.enrolled.is_some() && casebook.doses.is_empty() {
        return if randomises && casebook.kits.is_empty() {
            Action::DispenseKit { visit: "M0".into(), kit: None }
        } else {
            dosing(DoseStep::Started, trial.today, 400)
        };
    }
    let next = trial.study.visits.iter().find(|visit| {
        !visit.extra
            && !casebook.visits.contains_key(&visit.id)
            && !casebook.missed.contains_key(&visit.id)
            && !matches!(visit.timing, protocol::model::Timing::EarlyEnd { .. })
    });
    Action::HoldVisit { visit: next.map_or_else(|| "U".into(), |visit| visit.id.clone()) }
}

/// Anything else, in or out of place.
fn wild(trial: &Trial, pick: u8) -> Action {
    let visit = any_visit(trial, pick);
    let today = trial.today;
    let of_day = |step| dosing(step, today, [400, 300, 200, 0][usize::from(pick) % 4]);
    match pick % 24 {
        0 => Action::SignConsent { site: SITE.into(), consent_version: "1.1".into() },
        1 => Action::ScreenSubject,
        2 => Action::HoldVisit { visit },
        3 => Action::MissVisit { visit },
        4 => Action::DecideEligibility { at_visit: visit, eligible: true, waived: Vec::new() },
        5 => Action::EnrolSubject,
        6 => Action::RandomiseSubject,
        7 => Action::DispenseKit { visit, kit: None },
        8 => of_day(DoseStep::Started),
        9 => of_day(DoseStep::Held),
        10 => of_day(DoseStep::Resumed),
        11 => of_day(DoseStep::Reduced),
        12 => of_day(DoseStep::Escalated),
        13 => of_day(DoseStep::Stopped),
        14 => Action::EndTreatment {
            reason: EndReason::Progression,
            last_dose: today,
            adverse_event: None,
            rule: None,
        },
        15 => Action::EndParticipation { reason: EndReason::LostToFollowUp },
        16 => Action::TakeSpecimen { visit },
        17 => saving(visit.as_str(), "vital_signs", &[("heart_rate", whole(i64::from(pick)))]),
        18 => correcting(visit.as_str(), "vital_signs", &[("systolic", whole(100 + i64::from(pick)))]),
        19 => Action::SignVisit { visit, meaning: "reviewed".into() },
        20 => Action::RecordFormNotDone { key: at(visit.as_str(), "blood_count") },
        21 => Action::SaveFormSection {
            key: row("adverse_events", 1 + u32::from(pick) / 64),
            answers: given(&event(&today.to_string(), "3", pick.is_multiple_of(2))),
        },
        22 => Action::WithdrawConsent { keep_data: true },
        _ => Action::LockDatabase,
    }
}

fn walk(mut trial: Trial, paces: &[Pace]) -> (Trial, usize) {
    let mut accepted = 0;
    for (kind, pick, days) in paces {
        trial.later(i32::from(*days));
        if *pick == 255 {
            trial.subject = None;
        } else if *pick > 250 {
            trial.subject = trial.state.casebooks.keys().next().cloned();
        }
        // Most steps are sensible, or no walk would come far.
        let action = if kind % 8 < 6 { sensible(&trial) } else { wild(&trial, *pick) };
        let reason = (kind % 2 == 0).then(|| "as noted in the source".to_owned());
        let command = Command { reason, ..trial.command(action) };
        accepted += usize::from(trial.give(&command).is_ok());
    }
    (trial, accepted)
}

// ---- what must hold of any record ----

#[derive(Default)]
struct Told {
    consents: usize,
    screened: bool,
    held: BTreeMap<VisitId, Date>,
    settled: BTreeSet<VisitId>,
    eligible: BTreeSet<VisitId>,
    enrolled: bool,
    place: Option<u32>,
    doses: Vec<(DoseStep, Date, Decimal)>,
    treatment_over: bool,
    over: bool,
    signed: BTreeSet<VisitId>,
    values: BTreeSet<(FormKey, ItemId)>,
}

fn holds_the_protocol(trial: &Trial) {
    let decided: Vec<VisitId> = decision_visits(&trial.study).into_iter().cloned().collect();
    let mut told: BTreeMap<SubjectId, Told> = BTreeMap::new();
    let mut kits: BTreeSet<KitNumber> = BTreeSet::new();
    let mut places: BTreeMap<String, u32> = BTreeMap::new();
    let mut locked = false;
    for event in &trial.events {
        assert!(
            !locked || matches!(event.fact, Fact::AllocationUnblinded { .. }),
            "after the lock {event:?}"
        );
        locked |= matches!(event.fact, Fact::DatabaseLocked { .. });
        let text = serde_json::to_string(event).unwrap();
        assert!(
            !text.contains("\"placebo\"") && !text.contains("\"imatinib\""),
            "an arm before unblinding: {text}"
        );
        if let Fact::KitDispensed { kit, .. } = &event.fact {
            assert!(kits.insert(kit.clone()), "kit {kit} twice");
        }
        if let Fact::SubjectRandomised { stratum, list_position, .. } = &event.fact {
            let last = places.insert(stratum.clone(), *list_position).unwrap_or(0);
            assert_eq!(*list_position, last + 1, "no place of the list is skipped or given twice");
        }
        if let Stream::Subject(subject) = &event.stream {
            let told = told.entry(subject.clone()).or_default();
            told.way_in(event, &decided, trial.study.allocation.is_some());
            told.treatment(event);
            told.data(event);
        }
    }
}

impl Told {
    fn way_in(&mut self, event: &Event, decided: &[VisitId], randomises: bool) {
        match &event.fact {
            Fact::ConsentSigned { .. } => self.consents += 1,
            _ => assert!(self.consents > 0, "before consent: {event:?}"),
        }
        match &event.fact {
            Fact::SubjectScreened => {
                assert!(!self.screened);
                self.screened = true;
            }
            Fact::VisitHeld { visit, date, .. } => {
                assert!(self.screened && !self.over && !self.settled.contains(visit), "{event:?}");
                self.settled.insert(visit.clone());
                self.held.insert(visit.clone(), *date);
                if visit.as_str().starts_with('M') && *visit != "M0" {
                    assert!(self.enrolled && (!randomises || self.place.is_some()), "{event:?}");
                }
            }
            Fact::VisitMissed { visit } => assert!(self.settled.insert(visit.clone()), "{event:?}"),
            Fact::EligibilityDecided { at_visit, eligible, unmet, unknown, .. } => {
                assert!(
                    !eligible || (unmet.is_empty() && unknown.is_empty()),
                    "nothing was waived: {event:?}"
                );
                assert!(self.held.contains_key(at_visit) && !self.enrolled);
                if *eligible {
                    self.eligible.insert(at_visit.clone())
                } else {
                    self.eligible.remove(at_visit)
                };
            }
            Fact::SubjectEnrolled => {
                assert!(
                    !self.enrolled && decided.iter().all(|visit| self.eligible.contains(visit)),
                    "{event:?}"
                );
                self.enrolled = true;
            }
            Fact::SubjectRandomised { list_position, .. } => {
                assert!(self.enrolled && self.place.replace(*list_position).is_none(), "allocated twice");
            }
            Fact::ParticipationEnded { .. } => {
                assert!(!self.over && (self.doses.is_empty() || self.treatment_over), "{event:?}");
                self.over = true;
            }
            _ => {}
        }
    }

    fn treatment(&mut self, event: &Event) {
        match &event.fact {
            Fact::DoseChanged { step, from, dose_mg, .. } => {
                let dose = *dose_mg.get().unwrap();
                assert!(self.enrolled && !self.treatment_over && !self.over, "{event:?}");
                assert_eq!(self.doses.is_empty(), *step == DoseStep::Started, "{event:?}");
                assert_eq!(dose.is_zero(), matches!(step, DoseStep::Held | DoseStep::Stopped), "{event:?}");
                if let Some((last, since, before)) = self.doses.last() {
                    assert!(since < from && *last != DoseStep::Stopped, "{event:?}");
                    assert!(*step != DoseStep::Resumed || *last == DoseStep::Held, "{event:?}");
                    assert!(*step != DoseStep::Reduced || dose < *before, "{event:?}");
                    assert!(*step != DoseStep::Escalated || dose > *before, "{event:?}");
                }
                self.doses.push((*step, *from, dose));
            }
            Fact::TreatmentEnded { last_dose, .. } => {
                let (step, from, _) = self.doses.last().unwrap();
                assert!(*step == DoseStep::Stopped && last_dose < from && !self.treatment_over, "{event:?}");
                self.treatment_over = true;
            }
            Fact::KitDispensed { visit, .. } => {
                assert!(
                    self.place.is_some()
                        && self.held.contains_key(visit)
                        && !self.treatment_over
                        && !self.over
                );
            }
            Fact::SpecimenTaken { visit, .. } => assert!(self.held.contains_key(visit) && !self.over),
            _ => {}
        }
    }

    fn data(&mut self, event: &Event) {
        match &event.fact {
            Fact::FormSectionSaved { key, changes } | Fact::FormSectionCorrected { key, changes } => {
                let corrects = matches!(event.fact, Fact::FormSectionCorrected { .. });
                assert!(!corrects || event.reason.is_some(), "a correction without a reason");
                if let Some(visit) = &key.visit {
                    assert!(self.held.contains_key(visit), "a form of a visit that was not held");
                    self.signed.remove(visit);
                }
                for change in changes {
                    let new = self.values.insert((key.clone(), change.item.clone()));
                    assert_eq!(new, change.old.is_none(), "{event:?}");
                    assert!(change.source == Source::Derived || corrects != new, "{event:?}");
                }
            }
            Fact::VisitSigned { visit, .. } => {
                assert!(self.held.contains_key(visit) && self.signed.insert(visit.clone()), "{event:?}");
            }
            _ => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    // Shows: P11-10f
    fn no_walk_through_study_b_leaves_the_protocol(
        paces in prop::collection::vec((any::<u8>(), any::<u8>(), 0u8..16), 20..160)
    ) {
        let (trial, accepted) = walk(Trial::open(study_b()), &paces);
        prop_assert!(accepted > 0);
        holds_the_protocol(&trial);
        trial.finish();
    }

    #[test]
    // Shows: P11-10f
    fn no_walk_through_study_a_leaves_the_protocol(
        paces in prop::collection::vec((any::<u8>(), any::<u8>(), 0u8..16), 20..160)
    ) {
        let (trial, accepted) = walk(Trial::open(study_a()), &paces);
        prop_assert!(accepted > 0);
        holds_the_protocol(&trial);
        trial.finish();
    }
}

#[test]
fn a_walk_of_sensible_steps_comes_through_treatment() {
    let paces: Vec<Pace> = (0..400).map(|step| (0, 0, if step % 12 == 11 { 15 } else { 0 })).collect();
    let (trial, _) = walk(Trial::open(study_b()), &paces);
    assert!(trial.casebook().visits.contains_key("M6"), "{:?}", trial.casebook().visits.keys());
    holds_the_protocol(&trial);
}
