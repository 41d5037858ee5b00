//! The adverse-event data set: one row an event.

use conduct::AdverseEvent;
use protocol::model::{ItemRole, ItemType, Purpose, Study};
use terms::{Date, PartialDate, days_between};

use super::{
    columns::push_identity,
    profile::{Profile, Trial},
};
use crate::{
    Column, Data, Dataset,
    adam::{
        derive_var_day::day_of,
        derive_var_imputed_date::{Imputed, impute_start, impute_stop},
        derive_var_related::derive_var_related,
        derive_var_treatment_emergent::derive_var_treatment_emergent,
        derive_var_worst_grade::derive_var_worst_grade,
    },
};

/// An event with what is derived of it.
struct Row<'a> {
    profile: &'a Profile<'a>,
    event: AdverseEvent,
    start: Option<Imputed>,
    stop: Option<Imputed>,
    grade: Option<i64>,
    emergent: bool,
}

/// Builds the data set.
pub(crate) fn adverse_events(trial: &Trial<'_>) -> Dataset {
    let rows: Vec<Row<'_>> = trial
        .profiles
        .iter()
        .flat_map(|profile| {
            conduct::adverse_events(trial.study, profile.casebook)
                .into_iter()
                .map(|event| derive(profile, event))
        })
        .collect();
    let sources = rows.iter().map(|row| sources_of(&row.event)).collect();
    let mut set = Dataset::new("adverse_events", "Adverse events: one row an event", sources);
    push_identity(&mut set, trial, &rows.iter().map(|row| row.profile.subject).collect::<Vec<_>>());
    push_course(&mut set, &rows);
    push_judgements(&mut set, &rows, trial.study);
    set
}

fn derive<'a>(profile: &'a Profile<'a>, event: AdverseEvent) -> Row<'a> {
    let first_dose = profile.first_dose_date();
    let start = event.start.map(|start| impute_start(start, first_dose));
    let stop = event.stop.map(|stop| impute_stop(stop, profile.last_known));
    let grades: Vec<(Date, i64)> =
        event.grades.iter().map(|grading| (grading.from.earliest(), i64::from(grading.grade))).collect();
    let fatal = event.outcome.as_deref() == Some("fatal");
    Row {
        profile,
        start,
        stop,
        grade: derive_var_worst_grade(grades.iter().map(|(_, grade)| *grade), fatal),
        emergent: derive_var_treatment_emergent(
            start.map(|one| one.0),
            stop.map(|one| one.0),
            &grades,
            first_dose,
        ),
        event,
    }
}

/// Present values, earlier grades, and the report of a serious event.
fn sources_of(event: &AdverseEvent) -> Vec<u64> {
    let mut sources = event.sources.clone();
    sources.extend(event.grades.iter().map(|grading| grading.sequence));
    sources.extend(event.reported.map(|report| report.reported.sequence));
    sources.sort_unstable();
    sources.dedup();
    sources
}

fn push_course(set: &mut Dataset, rows: &[Row<'_>]) {
    let integer = |value: &dyn Fn(&Row<'_>) -> Option<i64>| Data::Integer(rows.iter().map(value).collect());
    let flag = |holds: &dyn Fn(&Row<'_>) -> Option<bool>| Data::Flag(rows.iter().map(holds).collect());
    let date = |value: &dyn Fn(&Row<'_>) -> Option<PartialDate>| Data::Date(rows.iter().map(value).collect());
    let day = |of: Option<Imputed>, row: &Row<'_>| {
        day_of(of.map(|(day, _)| day), row.profile.first_dose_date()).map(i64::from)
    };
    let number = "Number of the event within the participant";
    set.push(Column::new("row", number, integer(&|row| Some(i64::from(row.event.row)))));
    set.push(Column::new(
        "term",
        "Term",
        Data::Text(rows.iter().map(|row| row.event.term.clone()).collect()),
    ));
    set.push(Column::new("start", "Start as recorded", date(&|row| row.event.start)));
    set.push(Column::new("stop", "Stop as recorded", date(&|row| row.event.stop)));
    let days = Some("d");
    let label = "Study day of start, imputed where partly known";
    set.push(Column::new("start_day", label, integer(&|row| day(row.start, row))).with_unit(days));
    let label = "Study day of stop, imputed where partly known";
    set.push(Column::new("stop_day", label, integer(&|row| day(row.stop, row))).with_unit(days));
    set.push(Column::new("start_imputed", "Start was imputed", flag(&|row| row.start.map(|one| one.1))));
    set.push(Column::new("stop_imputed", "Stop was imputed", flag(&|row| row.stop.map(|one| one.1))));
    set.push(Column::new("ongoing", "Not ended", flag(&|row| Some(row.event.stop.is_none()))));
    let duration = |row: &Row<'_>| Some(i64::from(days_between(row.start?.0, row.stop?.0) + 1));
    let label = "Days from start to stop, both counted";
    set.push(Column::new("duration", label, integer(&duration)).with_unit(days));
    let label = "Began or worsened on or after the first dose";
    set.push(Column::new("treatment_emergent", label, flag(&|row| Some(row.emergent))));
}

fn push_judgements(set: &mut Dataset, rows: &[Row<'_>], study: &Study) {
    let integer = |value: &dyn Fn(&Row<'_>) -> Option<i64>| Data::Integer(rows.iter().map(value).collect());
    let flag = |holds: &dyn Fn(&Row<'_>) -> Option<bool>| Data::Flag(rows.iter().map(holds).collect());
    let code = |value: &dyn Fn(&AdverseEvent) -> Option<String>| {
        Data::Code(rows.iter().map(|row| value(&row.event)).collect())
    };
    let first = |row: &Row<'_>| row.event.grades.first().map(|grading| i64::from(grading.grade));
    set.push(Column::new("first_grade", "Grade at onset", integer(&first)));
    set.push(Column::new("grade", "Worst grade", integer(&|row| row.grade)));
    set.push(Column::new("serious", "Serious", flag(&|row| row.event.serious)));
    let levels = |role| levels_of(study, Purpose::AdverseEvents, role);
    set.push(
        Column::new("relation", "Relation to the drug as recorded", code(&|event| event.relation.clone()))
            .with_levels(levels(ItemRole::AeRelation)),
    );
    let related = flag(&|row| derive_var_related(row.event.relation.as_deref()));
    set.push(Column::new("related", "Possibly, probably or definitely related", related));
    set.push(
        Column::new("action", "Action with the drug", code(&|event| event.action.clone()))
            .with_levels(levels(ItemRole::AeAction)),
    );
    set.push(
        Column::new("outcome", "Outcome", code(&|event| event.outcome.clone()))
            .with_levels(levels(ItemRole::AeOutcome)),
    );
}

/// The codes of the item that has a role on the form of a purpose.
pub(crate) fn levels_of(study: &Study, purpose: Purpose, role: ItemRole) -> Vec<(String, String)> {
    let item = study.form_for(purpose).and_then(|form| form.item_for(role));
    let Some(ItemType::Code { codelist }) = item.map(|item| &item.kind) else { return Vec::new() };
    let list = study.codelists.iter().find(|list| list.id == *codelist);
    let codes = list.map(|list| list.codes.iter().map(|(code, label)| (code.clone(), label.en().to_owned())));
    codes.map(Iterator::collect).unwrap_or_default()
}
