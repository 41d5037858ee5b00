//! Adverse events of those who took at least one dose: in summary, and over time.

use datasets::{Cell, Dataset};
use terms::study_day;

use super::{Head, Standing};
use crate::{
    AnalysisResult, Format, Level,
    events::{Occurrences, participants, rows},
    methods::{population_place, put_events},
    population::{Member, Population},
    sheet::{RowSets, Sheet, cell, group, percent},
};

/// Days that count as a month here.
const MONTH_DAYS: i32 = 30;

/// A line of the summary: its level, its label, and which events it takes.
type Line = (&'static str, &'static str, fn(&Dataset, usize) -> bool);

const LINES: [Line; 7] = [
    ("any", "Any adverse event", |_, _| true),
    ("emergent", "Treatment-emergent", |set, row| flag(set, "treatment_emergent", row)),
    ("related", "Related to the drug", |set, row| flag(set, "related", row)),
    ("serious", "Serious", |set, row| flag(set, "serious", row)),
    ("serious_related", "Serious and related", |set, row| {
        flag(set, "serious", row) && flag(set, "related", row)
    }),
    ("severe", "Grade 3 or more", |set, row| grade(set, row).is_some_and(|grade| grade >= 3.0)),
    ("fatal", "Fatal", |set, row| grade(set, row) == Some(5.0)),
];

fn flag(set: &Dataset, column: &str, row: usize) -> bool {
    set.cell(column, row).flag() == Some(true)
}

fn grade(set: &Dataset, row: usize) -> Option<f64> {
    set.cell("grade", row).number()
}

fn events_of(standing: &Standing<'_>, population: &Population) -> Occurrences {
    Occurrences::choose(standing.data, &standing.data.adverse_events, "term", population, None)
}

pub(super) fn summary(standing: &Standing<'_>, row_sets: &mut RowSets) -> AnalysisResult {
    let id = "adverse-events".into();
    let mut sheet = Sheet::new(&id, row_sets);
    let treated = standing.with_flag("treated");
    let (events, set) = (events_of(standing, &treated), &standing.data.adverse_events);
    for (place, arm) in treated.cuts() {
        let whole = treated.of(place).count();
        let denominator = population_place(&mut sheet, &treated, place);
        sheet.put("denominator", group(arm), whole, Format::Integer, &[denominator]);
        for (level, _, takes) in LINES {
            let own = events.of(place, |one| takes(set, one.row));
            put_events(&mut sheet, cell(arm, level), &set.name, &own, (whole, denominator));
        }
    }
    let level = |(id, label, _): Line| Level { id: id.to_owned(), label: label.to_owned() };
    let head = Head {
        id: "adverse-events",
        label: "Adverse events",
        method: "Counts of events and of participants with at least one",
        set: "Took at least one dose",
        groups: &treated.groups,
        levels: LINES.map(level).to_vec(),
    };
    standing.result(head, sheet)
}

pub(super) fn over_time(standing: &Standing<'_>, row_sets: &mut RowSets) -> AnalysisResult {
    let id = "adverse-events-over-time".into();
    let mut sheet = Sheet::new(&id, row_sets);
    let treated = standing.with_flag("treated");
    let set = &standing.data.adverse_events;
    let mut events = events_of(standing, &treated);
    events.0.retain(|one| flag(set, "treatment_emergent", one.row));
    let last_days: Vec<i32> = treated.members.iter().map(|member| last_day(standing, member)).collect();
    let months = (last_days.iter().copied().max().unwrap_or(0) + MONTH_DAYS - 1) / MONTH_DAYS;
    let levels: Vec<String> = (1..=months).map(|month| month.to_string()).collect();
    for (place, arm) in treated.cuts() {
        for (month, level) in (1..=months).zip(&levels) {
            let (first, last) = ((month - 1) * MONTH_DAYS + 1, month * MONTH_DAYS);
            let followed = treated.members.iter().zip(&last_days);
            let at_risk: Vec<usize> = followed
                .filter(|(member, day)| (place.is_none() || member.group == place) && **day >= first)
                .map(|(member, _)| member.row)
                .collect();
            let begun = events
                .of(place, |one| start_day(set, one.row).is_some_and(|day| (first..=last).contains(&day)));
            // An open event of someone who has left is no longer seen.
            let present = events.of(place, |one| {
                last_days[one.member] >= first
                    && start_day(set, one.row).is_some_and(|day| day <= last)
                    && set.cell("stop_day", one.row).number().is_none_or(|day| day >= f64::from(first))
            });
            let of = cell(arm, level);
            let count = at_risk.len();
            let risk_rows = sheet.row_sets.place("subjects", at_risk, &["first_dose_date", "end_date"]);
            let begun_rows = sheet.row_sets.place("adverse_events", rows(&begun), &["start_day"]);
            let present_rows =
                sheet.row_sets.place("adverse_events", rows(&present), &["start_day", "stop_day"]);
            sheet.put("at_risk", of, count, Format::Integer, &[risk_rows]);
            sheet.put("onsets", of, begun.len(), Format::Integer, &[begun_rows]);
            let affected = participants(&present);
            sheet.put("ongoing", of, affected, Format::Integer, &[present_rows]);
            let both = [present_rows, risk_rows];
            sheet.put("percent", of, percent(affected, count), Format::Percent(1), &both);
        }
    }
    let head = Head {
        id: "adverse-events-over-time",
        label: "Adverse events over time",
        method: "Treatment-emergent events that began, and participants with one present, by months of 30 days from the first dose",
        set: "Took at least one dose",
        groups: &treated.groups,
        levels: levels.into_iter().map(|id| Level { label: format!("Month {id}"), id }).collect(),
    };
    standing.result(head, sheet)
}

fn start_day(set: &Dataset, row: usize) -> Option<i32> {
    set.cell("start_day", row).number().map(|day| day as i32)
}

/// The study day on which a participant's follow-up ended; 0 where it is unknown.
fn last_day(standing: &Standing<'_>, member: &Member) -> i32 {
    let date = |column: &str| match standing.data.subjects.cell(column, member.row) {
        Cell::Date(date) => date.complete(),
        _ => None,
    };
    let last = date("end_date").or_else(|| date("last_dose_date"));
    date("first_dose_date").zip(last).map_or(0, |(first, last)| study_day(first, last).max(0))
}
