//! Events of the record as lines for a reader.

use record::{Content, Event, Fact, FormKey, ItemChange, Stream, Tally};
use report::{ChangeLine, EventLine};
use serde_json::{Value, json};
use terms::Answer;

/// Writes an event as a line. What was redacted stays redacted.
pub fn line(event: &Event) -> EventLine {
    let mut changes = Vec::new();
    let what = describe(&event.fact, &mut changes);
    let hours = event.recorded.offset_seconds / 3600;
    let minutes = event.recorded.offset_seconds % 3600 / 60;
    let local = event.recorded.utc.as_second() + i64::from(event.recorded.offset_seconds);
    let clock = terms::Timestamp::from_second(local).map_or_else(
        |_| event.recorded.utc.to_string(),
        |local| local.to_string().trim_end_matches('Z').replace('T', " "),
    );
    EventLine {
        sequence: event.sequence,
        stream: match &event.stream {
            Stream::Study => "study".to_owned(),
            Stream::Supply => "supply".to_owned(),
            Stream::Subject(subject) => subject.to_string(),
        },
        recorded: format!("{clock} {hours:+03}:{:02}", minutes.abs()),
        person: event.by.person.to_string(),
        role: event.by.role.to_string(),
        kind: kind(&event.fact),
        what,
        changes,
        reason: event.reason.as_ref().map(|reason| shown(reason.get())),
    }
}

/// Writes a line for a program.
pub fn as_value(line: &EventLine) -> Value {
    let changes: Vec<Value> = line
        .changes
        .iter()
        .map(|change| json!({ "item": change.item, "old": change.old, "new": change.new }))
        .collect();
    json!({
        "sequence": line.sequence, "stream": line.stream, "recorded": line.recorded,
        "person": line.person, "role": line.role, "kind": line.kind, "what": line.what,
        "changes": changes, "reason": line.reason,
    })
}

/// The kind of a fact in words.
fn kind(fact: &Fact) -> String {
    let value = serde_json::to_value(fact).unwrap_or_default();
    value.get("kind").and_then(|kind| kind.as_str()).unwrap_or("event").replace('_', " ")
}

fn place(key: &FormKey) -> String {
    let mut place = key.form.to_string();
    if key.row > 0 {
        place.push_str(&format!(" row {}", key.row));
    }
    if let Some(visit) = &key.visit {
        place.push_str(&format!(" at {visit}"));
    }
    place
}

fn shown<T: std::fmt::Display>(content: Option<&T>) -> String {
    content.map_or_else(|| "[redacted]".to_owned(), ToString::to_string)
}

fn change(change: &ItemChange) -> ChangeLine {
    ChangeLine {
        item: change.item.to_string(),
        old: change.old.as_ref().map(|old: &Content<Answer>| shown(old.get())),
        new: shown(change.new.get()),
    }
}

fn tallied(tally: &Tally) -> String {
    let limit = tally.limit.map_or_else(String::new, |limit| format!(", boundary {limit}"));
    format!("{} of {} treated{limit}", tally.count, tally.treated)
}

fn describe(fact: &Fact, changes: &mut Vec<ChangeLine>) -> String {
    match fact {
        Fact::FormSectionSaved { key, changes: saved }
        | Fact::FormSectionCorrected { key, changes: saved } => {
            changes.extend(saved.iter().map(change));
            place(key)
        }
        Fact::ConsentSigned { consent_version } => format!("version {consent_version}"),
        Fact::EligibilityDecided { at_visit, eligible, .. } => {
            format!("{} at {at_visit}", if *eligible { "eligible" } else { "not eligible" })
        }
        Fact::SubjectRandomised { stratum, list_position, .. } => {
            format!("stratum {stratum}, position {list_position}")
        }
        Fact::VisitHeld { visit, date, target } => match target {
            Some(target) => format!("{visit} on {date}, planned {target}"),
            None => format!("{visit} on {date}"),
        },
        Fact::VisitMissed { visit } | Fact::VisitSigned { visit, .. } | Fact::SpecimenTaken { visit, .. } => {
            visit.to_string()
        }
        Fact::QueryOpened { query, key, item, text, .. } => {
            format!("{query} on {item} of {}: {}", place(key), shown(text.get()))
        }
        Fact::QueryAnswered { query, text } => format!("{query}: {}", shown(text.get())),
        Fact::QueryReopened { query, text } => format!("{query}: {}", shown(text.get())),
        Fact::SourceVerified { key, items } | Fact::SourceVerificationWithdrawn { key, items } => {
            let items: Vec<_> = items.iter().map(ToString::to_string).collect();
            format!("{} of {}", items.join(", "), place(key))
        }
        Fact::QueryClosed { query, .. } => query.to_string(),
        Fact::KitDispensed { kit, visit, tablets } | Fact::KitReturned { kit, visit, tablets } => {
            format!("kit {kit} at {visit}, {tablets} tablets")
        }
        Fact::DoseChanged { step, from, dose_mg, rule, adverse_event } => {
            let step = format!("{step:?}").to_lowercase();
            let rule = rule.as_ref().map_or_else(String::new, |rule| format!(", rule {rule}"));
            let event = adverse_event.map_or_else(String::new, |row| format!(", adverse event {row}"));
            format!("{step} from {from}: {} mg{rule}{event}", shown(dose_mg.get()))
        }
        Fact::SeriousEventReported { row, aware } => format!("row {row}, site aware on {aware}"),
        Fact::TreatmentEnded { reason, last_dose, .. } => format!("{reason:?}, last dose {last_dose}"),
        Fact::ParticipationEnded { reason, date } => format!("{reason:?} on {date}"),
        Fact::DeviationRecorded { deviation, text, .. } => format!("{deviation}: {}", shown(text.get())),
        Fact::WatchCounted { watch, subject, counts, tally } => {
            let how = if *counts { "counts" } else { "counts no more" };
            format!("{watch}: {subject} {how}, {}", tallied(tally))
        }
        Fact::WatchReached { watch, look, tally, subjects } => {
            let what = look.map_or_else(|| "boundary".to_owned(), |look| format!("look at {look}"));
            let subjects: Vec<_> = subjects.iter().map(ToString::to_string).collect();
            format!("{watch}: {what} reached, {}: {}", tallied(tally), subjects.join(", "))
        }
        Fact::SafetyDecided { watch, decision, .. } => format!("{watch}: {decision}"),
        Fact::DeviationClassified { deviation, class } => format!("{deviation}: {class:?}"),
        Fact::SpecimenRead { code, reader, reading } => {
            changes.extend(reading.answers.iter().map(|(item, answer)| ChangeLine {
                item: item.to_string(),
                old: None,
                new: shown(answer.get()),
            }));
            format!("slide {code}, reader {reader}")
        }
        Fact::FileAttached { key, number, file } => {
            format!("file {number} of {}: {}", place(key), shown(file.get().map(|file| &file.name)))
        }
        Fact::FileWithdrawn { key, number } => format!("file {number} of {}", place(key)),
        Fact::ContentRedacted { sequence, cell, approver } => {
            format!("content {cell} of event {sequence}, approved by {approver}")
        }
        _ => String::new(),
    }
}
