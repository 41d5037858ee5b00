//! The data set of the safety board's watches: one row a step, from the first participant who counts to the decisions.

use conduct::{WatchStep, WatchStepKind};
use protocol::model::Watch;

use super::{
    codes::levels,
    columns::{dates, plain},
    profile::Trial,
};
use crate::{Column, Data, Dataset, build::columns::column};

/// What a step of a watch is, and what it is called.
const STEPS: [(&str, &str); 5] = [
    ("counted", "A participant came to count"),
    ("uncounted", "A participant counts no more"),
    ("boundary", "Boundary reached"),
    ("look", "Planned look reached"),
    ("decided", "The board decided"),
];

const DECISIONS: [(&str, &str); 3] =
    [("continue", "Go on"), ("pause", "Nobody new enters"), ("stop", "Stop the trial")];

fn step_code(step: &WatchStep) -> &'static str {
    match &step.kind {
        WatchStepKind::Counted { counts: true, .. } => STEPS[0].0,
        WatchStepKind::Counted { .. } => STEPS[1].0,
        WatchStepKind::Reached { look: None, .. } => STEPS[2].0,
        WatchStepKind::Reached { .. } => STEPS[3].0,
        WatchStepKind::Decided { .. } => STEPS[4].0,
    }
}

/// Builds the data set: watches in the study's order, the steps of each in theirs.
pub(crate) fn watches(trial: &Trial<'_>) -> Dataset {
    let rows: Vec<(&Watch, &WatchStep)> = trial
        .study
        .watches
        .iter()
        .filter_map(|watch| Some((watch, trial.state.watches.get(&watch.id)?)))
        .flat_map(|(watch, state)| state.steps.iter().map(move |step| (watch, step)))
        .collect();
    let sources = rows.iter().map(|(_, step)| vec![step.dated.sequence]).collect();
    let mut set = Dataset::new("watches", "The safety board's watches: one row a step", sources);
    let text = |value: &dyn Fn(&WatchStep) -> Option<String>| {
        rows.iter().map(|(_, step)| value(step)).collect::<Vec<_>>()
    };
    let number = |value: &dyn Fn(&WatchStep) -> Option<u32>| {
        Data::Integer(rows.iter().map(|(_, step)| value(step).map(i64::from)).collect())
    };
    let labels = trial.study.watches.iter().map(|watch| (watch.id.to_string(), watch.label.en().to_owned()));
    let ids = Data::Code(rows.iter().map(|(watch, _)| Some(watch.id.to_string())).collect());
    set.push(Column::new("watch", "Watch", ids).with_levels(labels.collect()));
    let date = rows.iter().map(|(_, step)| plain(Some(step.dated.date))).collect();
    set.push(column("date", "Date", dates, date));
    let step = Data::Code(text(&|step| Some(step_code(step).to_owned())));
    set.push(Column::new("step", "Step", step).with_levels(levels(STEPS)));
    let subject = |step: &WatchStep| match &step.kind {
        WatchStepKind::Counted { subject, .. } => Some(subject.to_string()),
        _ => None,
    };
    set.push(Column::new("subject", "Participant", Data::Text(text(&subject))));
    let look = |step: &WatchStep| match step.kind {
        WatchStepKind::Reached { look, .. } => look,
        _ => None,
    };
    set.push(Column::new("look", "Look", number(&look)));
    let tally = |step: &WatchStep| match step.kind {
        WatchStepKind::Counted { tally, .. } | WatchStepKind::Reached { tally, .. } => Some(tally),
        WatchStepKind::Decided { .. } => None,
    };
    set.push(Column::new("count", "Count", number(&|step| Some(tally(step)?.count))));
    set.push(Column::new("treated", "Treated", number(&|step| Some(tally(step)?.treated))));
    set.push(Column::new("limit", "Boundary", number(&|step| tally(step)?.limit)));
    let who = |step: &WatchStep| match &step.kind {
        WatchStepKind::Reached { subjects, .. } => {
            Some(subjects.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
        }
        _ => None,
    };
    set.push(Column::new("subjects", "Participants", Data::Text(text(&who))));
    let decision = |step: &WatchStep| match &step.kind {
        WatchStepKind::Decided { decision, .. } => Some(decision.to_string()),
        _ => None,
    };
    set.push(Column::new("decision", "Decision", Data::Code(text(&decision))).with_levels(levels(DECISIONS)));
    let why = |step: &WatchStep| match &step.kind {
        WatchStepKind::Decided { why, .. } => why.clone(),
        _ => None,
    };
    set.push(Column::new("why", "Reason", Data::Text(text(&why))));
    set
}
