//! The data set of dose changes: one row a step of dosing.

use conduct::DoseChange;
use terms::Value;

use super::{
    codes::{DOSE_STEPS, dose_step, levels},
    columns::{column, dates, plain, push_identity},
    profile::{Profile, Trial},
};
use crate::{Column, Data, Dataset, adam::derive_var_day::day_of};

/// A step with the dose before it and the term of the adverse event behind it.
struct Step<'a> {
    profile: &'a Profile<'a>,
    change: &'a DoseChange,
    before_mg: Option<f64>,
    term: Option<String>,
}

/// Builds the data set.
pub(crate) fn dose_changes(trial: &Trial<'_>) -> Dataset {
    let rows: Vec<Step<'_>> = trial.profiles.iter().flat_map(|profile| steps_of(trial, profile)).collect();
    let sources = rows.iter().map(|row| vec![row.change.sequence]).collect();
    let mut set = Dataset::new("dose_changes", "Dose changes: one row a step of dosing", sources);
    push_identity(&mut set, trial, &rows.iter().map(|row| row.profile.subject).collect::<Vec<_>>());
    let code = |value: &dyn Fn(&Step<'_>) -> Option<String>| Data::Code(rows.iter().map(value).collect());
    let number = |value: &dyn Fn(&Step<'_>) -> Option<f64>| Data::Number(rows.iter().map(value).collect());
    let day = |row: &Step<'_>| day_of(Some(row.change.from), row.profile.first_dose_date()).map(i64::from);
    set.push(column("date", "From", dates, rows.iter().map(|row| plain(Some(row.change.from))).collect()));
    let days = Data::Integer(rows.iter().map(day).collect());
    set.push(Column::new("day", "From study day", days).with_unit(Some("d")));
    set.push(
        Column::new("step", "Step", code(&|row| Some(dose_step(row.change.step).0.to_owned())))
            .with_levels(levels(DOSE_STEPS.map(dose_step))),
    );
    let before = number(&|row| row.before_mg);
    set.push(Column::new("before_mg", "Dose a day before", before).with_unit(Some("mg")));
    let now = number(&|row| row.change.dose_mg.and_then(|dose| Value::Decimal(dose).as_f64()));
    set.push(Column::new("dose_mg", "Dose a day from then", now).with_unit(Some("mg")));
    let rules = trial.study.dosing.rules.iter();
    let rules = rules.map(|rule| (rule.id.to_string(), rule.label.en().to_owned())).collect();
    let rule = code(&|row| row.change.rule.as_ref().map(ToString::to_string));
    set.push(Column::new("rule", "Rule that asked for it", rule).with_levels(rules));
    let terms = rows.iter().map(|row| row.term.clone()).collect();
    set.push(Column::new("term", "Adverse event behind it", Data::Text(terms)));
    set
}

fn steps_of<'a>(trial: &Trial<'a>, profile: &'a Profile<'a>) -> Vec<Step<'a>> {
    let events = conduct::adverse_events(trial.study, profile.casebook);
    let term = |row: u32| events.iter().find(|event| event.row == row).and_then(|event| event.term.clone());
    let mut before_mg = None;
    let mut steps = Vec::new();
    for change in &profile.casebook.doses {
        steps.push(Step { profile, change, before_mg, term: change.adverse_event.and_then(term) });
        before_mg = change.dose_mg.and_then(|dose| Value::Decimal(dose).as_f64());
    }
    steps
}
