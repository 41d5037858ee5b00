//! The exposure data set: one row a stretch of days at one dose.

use terms::Value;

use super::{
    columns::{column, dates, plain, push_identity},
    profile::{Profile, Trial},
};
use crate::{
    Column, Data, Dataset,
    adam::{
        derive_param_dose_stretch::{DoseStretch, RecordedStretch, derive_param_dose_stretch},
        derive_var_day::day_of,
        derive_var_dose_intensity::{DoseTaken, derive_var_dose_intensity},
    },
};

/// Returns each participant's stretches, in the order of the profiles.
pub(crate) fn stretches(trial: &Trial<'_>) -> Vec<Vec<DoseStretch>> {
    trial.profiles.iter().map(|profile| of_profile(profile).unwrap_or_default()).collect()
}

fn of_profile(profile: &Profile<'_>) -> Option<Vec<DoseStretch>> {
    let planned_last = profile.planned_last_dose?;
    let recorded: Vec<RecordedStretch> = profile
        .casebook
        .dose_intervals()
        .into_iter()
        .map(|interval| RecordedStretch {
            from: interval.from,
            to: interval.to,
            dose_mg: interval.dose_mg.and_then(|dose| Value::Decimal(dose).as_f64()),
            sequence: interval.sequence,
        })
        .collect();
    let stop = profile.casebook.treatment_end.map(|end| end.ended.sequence);
    let last_known = profile.last_known.unwrap_or(planned_last);
    Some(derive_param_dose_stretch(&recorded, planned_last, last_known, stop))
}

/// Returns what a participant took up to the last planned treatment day.
pub(crate) fn taken(
    trial: &Trial<'_>,
    profile: &Profile<'_>,
    stretches: &[DoseStretch],
) -> Option<DoseTaken> {
    let target_mg = Value::Decimal(*trial.study.dosing.levels_mg.first()?).as_f64()?;
    derive_var_dose_intensity(stretches, profile.first_dose_date()?, profile.planned_last_dose?, target_mg)
}

/// Lays the stretches out.
pub(crate) fn exposure(trial: &Trial<'_>, stretches: &[Vec<DoseStretch>]) -> Dataset {
    let all: Vec<(&Profile<'_>, &DoseStretch)> = trial
        .profiles
        .iter()
        .zip(stretches)
        .flat_map(|(profile, own)| own.iter().map(move |stretch| (profile, stretch)))
        .collect();
    let sources = all.iter().map(|(_, stretch)| stretch.sources.clone()).collect();
    let mut set = Dataset::new("exposure", "Exposure: one row a stretch of days at one dose", sources);
    push_identity(&mut set, trial, &all.iter().map(|(profile, _)| profile.subject).collect::<Vec<_>>());
    set.push(column("from", "First day", dates, all.iter().map(|(_, one)| plain(Some(one.from))).collect()));
    set.push(column("to", "Last day", dates, all.iter().map(|(_, one)| plain(Some(one.to))).collect()));
    let day = |of: &dyn Fn(&DoseStretch) -> terms::Date| {
        let days =
            all.iter().map(|(profile, one)| day_of(Some(of(one)), profile.first_dose_date()).map(i64::from));
        Data::Integer(days.collect())
    };
    set.push(Column::new("from_day", "First study day", day(&|one| one.from)).with_unit(Some("d")));
    set.push(Column::new("to_day", "Last study day", day(&|one| one.to)).with_unit(Some("d")));
    let days = all.iter().map(|(_, one)| Some(i64::from(one.days()))).collect();
    set.push(Column::new("days", "Days", Data::Integer(days)).with_unit(Some("d")));
    let daily = all.iter().map(|(_, one)| one.dose_mg).collect();
    set.push(Column::new("dose_mg", "Dose a day", Data::Number(daily)).with_unit(Some("mg")));
    let total = all.iter().map(|(_, one)| one.dose_mg.map(|dose| dose * f64::from(one.days()))).collect();
    set.push(Column::new("total_mg", "Drug taken", Data::Number(total)).with_unit(Some("mg")));
    let after = all.iter().map(|(_, one)| Some(one.after_stop)).collect();
    set.push(Column::new("after_stop", "After the drug was stopped for good", Data::Flag(after)));
    set
}
