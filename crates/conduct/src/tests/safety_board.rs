//! The safety board: who counts, when it is told, and what its decisions hold up.

use protocol::model::{Study, WatchedCount};
use record::{DoseStep, EndReason, Fact, SafetyDecision, Tally};
use terms::{SubjectId, WatchId};

use super::trial::*;
use crate::{Action, Refusal, WatchState};

const WATCH: &str = "related_severe";

fn saving_event(trial: &Trial, row_number: u32, grade: &str, serious: bool) -> Action {
    let start = trial.today.to_string();
    Action::SaveFormSection {
        key: row("adverse_events", row_number),
        answers: given(&event(&start, grade, serious)),
    }
}

fn relating(relation: &str) -> Action {
    Action::CorrectFormSection {
        key: row("adverse_events", 1),
        answers: given(&[("relation", code(relation))]),
    }
}

fn deciding_on(watch: &str, decision: SafetyDecision) -> Action {
    Action::DecideOnSafety { watch: watch.into(), decision }
}

fn state<'a>(trial: &'a Trial, watch: &str) -> &'a WatchState {
    &trial.state.watches[&WatchId::from(watch)]
}

/// Study A with three participants on treatment, each with a related serious event: the boundary of 3 of 3.
fn reached() -> Trial {
    let mut trial = Trial::open(study_a());
    for _ in 0..3 {
        trial.subject = None;
        trial.starts();
        let saving = saving_event(&trial, 1, "3", true);
        trial.does(saving);
    }
    trial
}

/// Study B, whose board looks at the first participant with a skin score of month 0.
fn looking() -> Study {
    let mut study = study_b().clone();
    let Some(WatchedCount::Data { visit, looks, .. }) =
        study.watches.first_mut().map(|watch| &mut watch.counts)
    else {
        panic!("study B plans looks")
    };
    *visit = "M0".into();
    *looks = vec![1];
    study
}

scripts! {
    a_participant_counts_once_and_as_long_as_the_data_say_so(trial = Trial::open(study_a())) {
        trial.starts();
        let before = trial.state.watches.len();
        let saving = saving_event(&trial, 1, "2", false);
        trial.does(saving);
        assert_eq!(trial.state.watches.len(), before, "an event of grade 2 that is not serious does not count");
        let saving = saving_event(&trial, 2, "3", false);
        let facts = trial.does(saving);
        let tally = Tally { count: 1, treated: 1, limit: Some(2) };
        let (watch, subject) = (WatchId::from(WATCH), SubjectId::from("01-001"));
        let counted = Fact::WatchCounted { watch, subject: subject.clone(), counts: true, tally };
        assert_eq!(facts.last(), Some(&counted));
        let saving = saving_event(&trial, 3, "3", true);
        assert!(!trial.does(saving).iter().any(|fact| matches!(fact, Fact::WatchCounted { .. })), "counts already");
        assert_eq!(state(&trial, WATCH).counted.iter().collect::<Vec<_>>(), [&subject]);
        for row_number in [2, 3] {
            let key = row("adverse_events", row_number);
            trial.does_because("seen again", Action::CorrectFormSection { key, answers: given(&[("relation", code("unrelated"))]) });
        }
        assert!(state(&trial, WATCH).counted.is_empty());
        assert!(!state(&trial, WATCH).was_reached());
        refused!(trial, because "all is well", deciding_on(WATCH, SafetyDecision::Continue), Refusal::NothingReached { .. });
    }

    an_event_from_before_the_first_dose_does_not_count(trial = Trial::open(study_a())) {
        trial.enters();
        let saving = saving_event(&trial, 1, "3", true);
        trial.does(saving);
        assert!(trial.state.watches.is_empty());
        trial.later(1);
        trial.does(dosing(DoseStep::Started, trial.today, 400));
        assert!(trial.state.watches.is_empty());
    }

    the_board_is_told_when_the_boundary_is_reached_and_each_time_the_count_rises_above_it(trial = reached()) {
        let told = state(&trial, WATCH).undecided().count();
        assert_eq!(told, 1);
        let Some(Fact::WatchReached { look: None, tally, subjects, .. }) = trial.events.last().map(|event| &event.fact) else {
            panic!("the last event tells the board")
        };
        assert_eq!(*tally, Tally { count: 3, treated: 3, limit: Some(3) });
        assert_eq!(subjects.len(), 3);
        assert_eq!(trial.events.last().map(|event| event.by.person.as_str()), Some("equipoise"));
        trial.does_because("seen again", relating("unlikely"));
        assert_eq!(state(&trial, WATCH).counted.len(), 2);
        trial.does_because("and again", relating("possible"));
        assert_eq!(state(&trial, WATCH).undecided().count(), 2);
        trial.does_because("gone through case by case", deciding_on(WATCH, SafetyDecision::Continue));
        assert_eq!(state(&trial, WATCH).undecided().count(), 0);
        assert_eq!(state(&trial, WATCH).decision().map(|(decision, _)| decision), Some(SafetyDecision::Continue));
    }

    what_the_board_decides_holds_until_it_decides_otherwise(trial = reached()) {
        refused!(trial, because "?", deciding_on("no_such_watch", SafetyDecision::Stop), Refusal::UnknownWatch { .. });
        refused!(trial, deciding_on(WATCH, SafetyDecision::Pause), Refusal::ReasonMissing { .. });
        let treated = trial.subject.take();
        trial.comes_to_entry();
        trial.does_because("three of three", deciding_on(WATCH, SafetyDecision::Pause));
        refused!(trial, Action::EnrolSubject, Refusal::EntryHalted { .. });
        let waiting = trial.subject.take();
        let consent_version = crate::current_consent(&trial.study, trial.today).unwrap_or_default().to_owned();
        let consent = Action::SignConsent { site: SITE.into(), consent_version };
        refused!(trial, consent.clone(), Refusal::EntryHalted { .. });
        trial.does_because("no more of a kind than expected", deciding_on(WATCH, SafetyDecision::Continue));
        trial.does(consent);
        trial.subject = waiting;
        trial.does(Action::EnrolSubject);
        trial.does_because("four of four", deciding_on(WATCH, SafetyDecision::Stop));
        refused!(trial, dosing(DoseStep::Started, trial.today, 400), Refusal::TrialStopped { .. });
        // Who is treated is taken off the drug as ever.
        trial.subject = treated;
        trial.later(1);
        trial.does_because("the trial was stopped", dosing(DoseStep::Held, trial.today, 0));
        trial.later(1);
        refused!(trial, dosing(DoseStep::Resumed, trial.today, 400), Refusal::TrialStopped { .. });
        let last_dose = crate::casebook::days_after(trial.today, -2);
        trial.does(Action::EndTreatment { reason: EndReason::Other, last_dose, adverse_event: None, rule: None });
    }

    a_planned_look_is_taken_once(trial = Trial::open(&looking())) {
        trial.starts();
        let look = state(&trial, "month_3").undecided().next().map(|step| step.kind.clone());
        let tally = Tally { count: 1, treated: 0, limit: None };
        let subjects = vec![SubjectId::from("01-001")];
        assert_eq!(look, Some(crate::WatchStepKind::Reached { look: Some(1), tally, subjects }));
        let first = trial.subject.take();
        trial.starts();
        assert_eq!(state(&trial, "month_3").counted.len(), 2);
        assert_eq!(state(&trial, "month_3").undecided().count(), 1, "a second participant is no second look");
        trial.does_because("by the data of month 3", deciding_on("month_3", SafetyDecision::Stop));
        trial.subject = first;
        let target = crate::window(trial.casebook(), trial.study.visit("M1").unwrap()).unwrap().target.unwrap();
        trial.today = target;
        trial.holds("M1");
        refused!(trial, Action::DispenseKit { visit: "M1".into(), kit: None }, Refusal::TrialStopped { .. });
    }
}
