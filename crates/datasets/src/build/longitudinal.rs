//! The longitudinal data set: one row a participant, parameter and visit, and derived records.

use std::collections::BTreeMap;

use conduct::{Casebook, scheduled_visit, window};
use protocol::model::{BlindReading, MissingRule, Parameter, Subject};
use record::{FormKey, Source};
use terms::{Answer, ArmId, SpecimenCode, SubjectId, Value, VisitId};

use super::{
    columns::{column, dates, plain, push_identity},
    profile::{Profile, Trial, history},
};
use crate::{
    Column, Data, Dataset,
    adam::{
        Observation, derive_param_death::derive_param_death, derive_param_locf::derive_param_locf,
        derive_param_worst_case::derive_param_worst_case, derive_var_base::derive_var_base,
        derive_var_chg::derive_var_chg, derive_var_day::derive_var_day,
    },
};

/// Returns the observations of all parameters with their derived variables, and the derived records, in order of
/// participants, parameters and days.
pub(crate) fn observations(trial: &Trial<'_>) -> Vec<Observation> {
    let mut rows: Vec<Observation> = Vec::new();
    for profile in &trial.profiles {
        for parameter in &trial.study.plan.parameters {
            rows.extend(observed(trial, profile, parameter));
        }
    }
    let reference = trial.days(|profile| profile.reference);
    let first_dose = trial.days(Profile::first_dose_date);
    derive_var_base(&mut rows, &reference);
    derive_var_chg(&mut rows, &reference);
    let records = derived_records(trial, &rows, &reference);
    rows.extend(records);
    derive_var_day(&mut rows, &first_dose);
    let place = |row: &Observation| {
        let parameters = &trial.study.plan.parameters;
        let visits = &trial.study.visits;
        (
            row.subject.clone(),
            parameters.iter().position(|parameter| parameter.id == row.parameter),
            row.derived.is_some().then(|| visits.iter().position(|visit| visit.id == row.visit)),
            row.date,
            row.derived,
        )
    };
    rows.sort_by_cached_key(place);
    rows
}

/// What a participant's casebook holds of a parameter, by day.
fn observed(trial: &Trial<'_>, profile: &Profile<'_>, parameter: &Parameter) -> Vec<Observation> {
    let read = trial.study.blind_reading.as_ref().filter(|reading| reading.read_on == parameter.form);
    if let Some(reading) = read {
        return blind_readings(trial, profile, parameter, reading);
    }
    let casebook = profile.casebook;
    let mut rows = Vec::new();
    for (visit, _) in casebook.visits_by_date() {
        let key = FormKey { visit: Some(visit.clone()), form: parameter.form.clone(), row: 0 };
        let Some(cell) = casebook.cell(&key, parameter.item.as_str()) else { continue };
        let mut sources = history(cell);
        if cell.current().source == Source::Derived {
            // A score leads to the items it was made of.
            sources.extend(casebook.forms[&key].cells.values().flat_map(history));
        }
        let value = cell.answer().and_then(Answer::value).and_then(Value::as_f64);
        rows.push(row_at(trial, profile, parameter, visit, value, sources));
    }
    rows
}

fn row_at(
    trial: &Trial<'_>,
    profile: &Profile<'_>,
    parameter: &Parameter,
    visit: &VisitId,
    value: Option<f64>,
    mut sources: Vec<u64>,
) -> Observation {
    let casebook = profile.casebook;
    let date = casebook.visit_date(visit);
    sources.extend(casebook.visits.get(visit).map(|visit| visit.held.sequence));
    sources.sort_unstable();
    sources.dedup();
    let window = scheduled_visit(trial.study, visit).and_then(|visit| window(casebook, visit));
    Observation {
        planned: trial.is_planned(visit),
        in_window: window.zip(date).map(|(window, date)| window.holds(date)),
        ..Observation::observed(
            casebook.subject.clone(),
            parameter.id.clone(),
            visit.clone(),
            date,
            value,
            sources,
        )
    }
}

/// Readings of coded specimens, once the key was joined: the mean over readers, or the median of three where
/// one more reader decided. Slides that were read
/// again under a second code check the readers; they do not count twice.
fn blind_readings(
    trial: &Trial<'_>,
    profile: &Profile<'_>,
    parameter: &Parameter,
    reading: &BlindReading,
) -> Vec<Observation> {
    let Some((_, joined)) = &trial.state.reading.key else { return Vec::new() };
    let casebook = profile.casebook;
    let mut rows = Vec::new();
    for (visit, _) in casebook.visits_by_date() {
        let Some((code, taken)) = specimen(casebook, visit) else { continue };
        let (mut values, mut sources) = (Vec::new(), vec![taken, *joined]);
        for reader in 1..=reading.people() {
            let Some(read) = trial.state.reading.readings.get(&(code.clone(), reader)) else { continue };
            let answer = read.answers.get(parameter.item.as_str()).and_then(Answer::value);
            sources.push(read.sequence);
            values.extend(answer.and_then(Value::as_f64));
        }
        let value = agreed(values);
        rows.push(row_at(trial, profile, parameter, visit, value, sources));
    }
    rows
}

/// The mean of the readers; where a third one decided, the median.
fn agreed(mut values: Vec<f64>) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    match values.as_slice() {
        [] => None,
        [_, middle, _] => Some(*middle),
        values => Some(values.iter().sum::<f64>() / values.len() as f64),
    }
}

fn specimen(casebook: &Casebook, visit: &VisitId) -> Option<(SpecimenCode, u64)> {
    let specimen = casebook.specimens.get(visit)?;
    Some((specimen.code.clone()?, specimen.taken.sequence))
}

/// The records that the plan's missing-data rules and its estimands' events need.
fn derived_records(
    trial: &Trial<'_>,
    rows: &[Observation],
    reference: &BTreeMap<SubjectId, terms::Date>,
) -> Vec<Observation> {
    let deaths =
        trial.profiles.iter().filter_map(|profile| Some((profile.subject.clone(), profile.death.clone()?)));
    let deaths: BTreeMap<_, _> = deaths.collect();
    let arms: BTreeMap<SubjectId, ArmId> = trial
        .profiles
        .iter()
        .filter_map(|profile| Some((profile.subject.clone(), profile.arm.as_ref()?.0.clone())))
        .collect();
    let mut records = Vec::new();
    let mut done = Vec::new();
    for analysis in &trial.study.plan.analyses {
        let Subject::Parameter { parameter, visit, missing, .. } = &analysis.subject else { continue };
        let Some(described) = trial.study.plan.parameters.iter().find(|known| known.id == *parameter) else {
            continue;
        };
        let due_by = trial.due_by(visit);
        if !done.contains(&(parameter, visit, MissingRule::Observed)) {
            records.extend(derive_param_death(rows, parameter, visit, &due_by, &deaths));
            done.push((parameter, visit, MissingRule::Observed));
        }
        if *missing == MissingRule::Observed || done.contains(&(parameter, visit, *missing)) {
            continue;
        }
        done.push((parameter, visit, *missing));
        records.extend(match missing {
            MissingRule::LastObservation => derive_param_locf(rows, parameter, visit, &due_by, reference),
            _ => derive_param_worst_case(rows, parameter, visit, described.lower_is_better, &arms),
        });
    }
    records
}

/// Lays the observations out.
pub(crate) fn longitudinal(trial: &Trial<'_>, rows: &[Observation]) -> Dataset {
    let sources = rows.iter().map(|row| row.sources.clone()).collect();
    let label = "Longitudinal data: one row a participant, parameter and visit, derived records marked";
    let mut set = Dataset::new("longitudinal", label, sources);
    push_identity(&mut set, trial, &rows.iter().map(|row| &row.subject).collect::<Vec<_>>());
    let study = trial.study;
    let parameters = study.plan.parameters.iter().map(|one| (one.id.to_string(), one.label.en().to_owned()));
    let visits = study.visits.iter().map(|visit| (visit.id.to_string(), visit.label.en().to_owned()));
    let code = |text: &dyn Fn(&Observation) -> Option<String>| Data::Code(rows.iter().map(text).collect());
    let number = |value: &dyn Fn(&Observation) -> Option<f64>| Data::Number(rows.iter().map(value).collect());
    let flag = |holds: &dyn Fn(&Observation) -> Option<bool>| Data::Flag(rows.iter().map(holds).collect());
    set.push(
        Column::new("parameter", "Parameter", code(&|row| Some(row.parameter.to_string())))
            .with_levels(parameters.collect()),
    );
    set.push(
        Column::new("visit", "Visit", code(&|row| Some(row.visit.to_string()))).with_levels(visits.collect()),
    );
    set.push(Column::new("planned", "Visit of the schedule", flag(&|row| Some(row.planned))));
    set.push(column("date", "Date", dates, rows.iter().map(|row| plain(row.date)).collect()));
    let days = rows.iter().map(|row| row.day.map(i64::from)).collect();
    set.push(Column::new("day", "Study day", Data::Integer(days)).with_unit(Some("d")));
    set.push(Column::new("in_window", "Held in the visit's window", flag(&|row| row.in_window)));
    set.push(Column::new("value", "Value", number(&|row| row.value)).with_decimals(2));
    set.push(Column::new("is_baseline", "Baseline", flag(&|row| Some(row.is_baseline))));
    set.push(Column::new("baseline", "Baseline value", number(&|row| row.baseline)).with_decimals(2));
    set.push(Column::new("change", "Change from baseline", number(&|row| row.change)).with_decimals(2));
    let relative = "Relative change from baseline, (value - baseline) / baseline";
    set.push(Column::new("relative_change", relative, number(&|row| row.relative_change)).with_decimals(4));
    let percent = number(&|row| row.relative_change.map(|relative| 100.0 * relative));
    set.push(
        Column::new("percent_change", "Percent change from baseline", percent)
            .with_decimals(2)
            .with_unit(Some("%")),
    );
    let rules = [
        ("locf", "Last observation after baseline carried forward"),
        ("worst_case", "Worst observed outcome in place of a missing one"),
        ("death", "Died before; no value"),
    ];
    let derived = code(&|row| row.derived.map(|rule| rule.code().to_owned()));
    set.push(
        Column::new("derived", "Rule that made the record", derived).with_levels(super::codes::levels(rules)),
    );
    set
}
