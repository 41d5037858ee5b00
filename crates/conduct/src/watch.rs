//! What the record watches for the safety board: who counts is judged with every entry that can change it, and the board
//! is told when a count reaches its boundary or a planned look.
//!
//! A count is made of single participants by what is known of them while the trial runs: no arm is among it, and a watch
//! says nothing that the data behind it would not say to the same reader. Nobody is stopped by a boundary; the board
//! decides, and what it decides holds until it decides otherwise.

use protocol::{
    expression::{ItemRef, Scope},
    model::{Purpose, Study, Watch, WatchedCount},
};
use record::{DoseStep, Draft, Fact, FormKey, SafetyDecision, Stream, Tally};
use terms::*;

use crate::{
    AdverseEvent, Command, Refusal, State,
    adverse_events::{adverse_events, impute_start, is_related, is_treatment_emergent, worst_grade},
    casebook::{Casebook, Dated},
    decide::{found, need, need_reason, program, study_draft},
    digest::Digest,
};

/// Judges whether drafts about a participant change who counts, and adds what follows.
pub(crate) fn watch(
    study: &Study,
    state: &State,
    command: &Command,
    casebook: &Casebook,
    drafts: &mut Vec<Draft>,
) {
    let mut ahead = None;
    for watch in &study.watches {
        if !drafts.iter().any(|draft| bears_on(study, watch, &draft.fact)) {
            continue;
        }
        let ahead = ahead.get_or_insert_with(|| casebook.after(drafts, command));
        let known = state.watches.get(&watch.id);
        let counted = known.is_some_and(|known| known.counted.contains(&casebook.subject));
        if counts(study, watch, ahead) == counted {
            continue;
        }
        let mut subjects = known.map(|known| known.counted.clone()).unwrap_or_default();
        if counted {
            subjects.remove(&casebook.subject);
        } else {
            subjects.insert(casebook.subject.clone());
        }
        let is_treated = |casebook: &Casebook| u32::from(casebook.first_dose().is_some());
        let treated = state.treated() - is_treated(casebook) + is_treated(ahead);
        let count = u32::try_from(subjects.len()).unwrap_or(u32::MAX);
        let tally = Tally { count, treated, limit: watch.counts.limit(treated) };
        let reaches = |look| Fact::WatchReached {
            watch: watch.id.clone(),
            look,
            tally,
            subjects: subjects.iter().cloned().collect(),
        };
        let (id, subject) = (watch.id.clone(), casebook.subject.clone());
        follow(drafts, command, Fact::WatchCounted { watch: id, subject, counts: !counted, tally });
        if counted {
            continue;
        }
        match &watch.counts {
            WatchedCount::Events { .. } => {
                if tally.limit.is_some_and(|limit| count >= limit) {
                    follow(drafts, command, reaches(None));
                }
            }
            WatchedCount::Data { looks, .. } => {
                let due =
                    |look: &&u32| count >= **look && !known.is_some_and(|known| known.has_looked(**look));
                for look in looks.iter().filter(due) {
                    follow(drafts, command, reaches(Some(*look)));
                }
            }
        }
    }
}

/// Adds what follows by rule to the study's stream, by the program.
#[cfg_attr(test, track_caller)]
fn follow(drafts: &mut Vec<Draft>, command: &Command, fact: Fact) {
    #[cfg(test)]
    if crate::rules::is_switched_off() {
        return;
    }
    let draft = study_draft(command, Stream::Study, None, fact);
    drafts.push(Draft { by: program(), reason: None, happened: command.at.local_date.into(), ..draft });
}

/// Says whether a fact about a participant can change whether they count.
fn bears_on(study: &Study, watch: &Watch, fact: &Fact) -> bool {
    let saved = match fact {
        Fact::FormSectionSaved { key, .. } | Fact::FormSectionCorrected { key, .. } => Some(key),
        _ => None,
    };
    match &watch.counts {
        WatchedCount::Events { .. } => {
            let form = study.form_for(Purpose::AdverseEvents);
            saved.is_some_and(|key| form.is_some_and(|form| form.id == key.form))
                || matches!(fact, Fact::DoseChanged { step: DoseStep::Started, .. })
        }
        WatchedCount::Data { form, visit, .. } => {
            saved.is_some_and(|key| key.form == *form && key.visit.as_ref() == Some(visit))
        }
    }
}

/// Says whether a participant counts.
fn counts(study: &Study, watch: &Watch, casebook: &Casebook) -> bool {
    match &watch.counts {
        WatchedCount::Events { filter, .. } => {
            let Some(first_dose) = casebook.first_dose() else { return false };
            adverse_events(study, casebook).into_iter().any(|event| {
                let event = WatchedEvent { casebook, event, first_dose };
                filter.as_ref().is_none_or(|filter| filter.truth(&event) == Truth::True)
            })
        }
        WatchedCount::Data { form, item, visit, .. } => {
            let key = FormKey { visit: Some(visit.clone()), form: form.clone(), row: 0 };
            let answer = casebook.cell(&key, item.as_str()).and_then(crate::Cell::answer);
            answer.is_some_and(|answer| answer.value().is_some())
        }
    }
}

/// An adverse event as the plan's conditions read it.
struct WatchedEvent<'a> {
    casebook: &'a Casebook,
    event: AdverseEvent,
    first_dose: Date,
}

impl Scope for WatchedEvent<'_> {
    fn item(&self, _: &ItemRef) -> Option<Answer> {
        None
    }

    fn variable(&self, name: &str) -> Option<Answer> {
        let event = &self.event;
        let text = |text: &Option<String>| text.clone().map(Value::Text);
        let code = |code: &Option<String>| code.clone().map(Value::Code);
        let grades = || event.grades.iter().map(|grading| i64::from(grading.grade));
        let value = match name {
            "subject" => Some(Value::Text(self.casebook.subject.to_string())),
            "site" => Some(Value::Code(self.casebook.site.to_string())),
            "row" => Some(Value::Integer(i64::from(event.row))),
            "term" => text(&event.term),
            "treatment_emergent" => Some(Value::Boolean(is_treatment_emergent(
                event.start.map(|start| impute_start(start, Some(self.first_dose)).0),
                event.stop.map(PartialDate::latest),
                &event
                    .grades
                    .iter()
                    .map(|grading| (grading.from.earliest(), i64::from(grading.grade)))
                    .collect::<Vec<_>>(),
                Some(self.first_dose),
            ))),
            "first_grade" => grades().next().map(Value::Integer),
            "grade" => worst_grade(grades(), event.outcome.as_deref() == Some("fatal")).map(Value::Integer),
            "serious" => event.serious.map(Value::Boolean),
            "relation" => code(&event.relation),
            "related" => is_related(event.relation.as_deref()).map(Value::Boolean),
            "action" => code(&event.action),
            "outcome" => code(&event.outcome),
            _ => None,
        };
        value.map(Answer::Given)
    }

    fn limit(&self, _: &ItemRef, _: bool) -> Option<Answer> {
        None
    }

    fn today(&self) -> Option<Date> {
        None
    }
}

/// The board decides on what a watch has reached. It can decide again.
pub(crate) fn decide_on_safety(
    study: &Study,
    state: &State,
    command: &Command,
    id: &WatchId,
    decision: SafetyDecision,
) -> Result<Vec<Draft>, Refusal> {
    need(study.watches.iter().any(|watch| watch.id == *id), || Refusal::UnknownWatch { watch: id.clone() })?;
    need_reason(command, "a decision of the safety board")?;
    let reached = state.watches.get(id).filter(|watch| watch.was_reached());
    let watch = found(reached, || Refusal::NothingReached { watch: id.clone() })?;
    let digest = watch
        .steps
        .iter()
        .fold(Digest::of("safety").text(id.as_str()), |digest, step| digest.number(step.dated.sequence));
    let content_digest = digest.text(&decision.to_string()).hex();
    let fact = Fact::SafetyDecided { watch: id.clone(), decision, content_digest };
    Ok(vec![study_draft(command, Stream::Study, None, fact)])
}

/// The gravest decision in force, if it is not to go on.
fn halt(state: &State) -> Option<(SafetyDecision, Dated)> {
    let decisions = state.watches.values().filter_map(crate::WatchState::decision);
    decisions
        .filter(|(decision, _)| *decision != SafetyDecision::Continue)
        .max_by_key(|(decision, _)| *decision)
}

/// Nobody new enters while the board has paused or stopped the trial.
#[cfg_attr(test, track_caller)]
pub(crate) fn need_entry_open(state: &State) -> Result<(), Refusal> {
    match halt(state) {
        Some((decision, since)) => need(false, || Refusal::EntryHalted { decision, since: since.date }),
        None => Ok(()),
    }
}

/// Nobody is given the drug once the board has stopped the trial.
#[cfg_attr(test, track_caller)]
pub(crate) fn need_not_stopped(state: &State) -> Result<(), Refusal> {
    match halt(state) {
        Some((SafetyDecision::Stop, since)) => need(false, || Refusal::TrialStopped { since: since.date }),
        _ => Ok(()),
    }
}
