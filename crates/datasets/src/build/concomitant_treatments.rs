//! The data set of treatments other than the trial's: one row a treatment that is written down.
//!
//! A treatment is of the trial's time unless it stopped before the first dose. Partly known dates are
//! imputed as those of adverse events are.

use conduct::FilledForm;
use protocol::model::{Form, ItemRole, Purpose};
use terms::{Answer, PartialDate, Value, days_between};

use super::{
    adverse_events::levels_of,
    columns::push_identity,
    profile::{Profile, Trial, history},
};
use crate::{
    Column, Data, Dataset,
    adam::{
        derive_var_day::day_of,
        derive_var_imputed_date::{Imputed, impute_start, impute_stop},
    },
};

/// A treatment with what is derived of it.
struct Row<'a> {
    profile: &'a Profile<'a>,
    form: &'a Form,
    number: u32,
    filled: &'a FilledForm,
    start: Option<Imputed>,
    stop: Option<Imputed>,
}

impl Row<'_> {
    fn value(&self, role: ItemRole) -> Option<&Value> {
        self.filled.answer(self.form.item_for(role)?.id.as_str()).and_then(Answer::value)
    }

    fn text(&self, role: ItemRole) -> Option<String> {
        self.value(role).map(Value::to_string)
    }

    fn date(&self, role: ItemRole) -> Option<PartialDate> {
        match self.value(role) {
            Some(Value::Date(date)) => Some(*date),
            _ => None,
        }
    }

    /// Days from the first dose to a day.
    fn since_first_dose(&self, day: Option<Imputed>) -> Option<i32> {
        Some(days_between(self.profile.first_dose_date()?, day?.0))
    }

    /// Begun before the first dose; nobody without one has begun anything else.
    fn begun_before(&self) -> Option<bool> {
        self.since_first_dose(self.start).map(|days| days < 0)
    }

    /// Taken on or after the first dose: it did not stop before.
    fn taken_in_trial(&self) -> Option<bool> {
        self.profile.first_dose_date()?;
        Some(self.stop.is_none() || self.since_first_dose(self.stop).is_some_and(|days| days >= 0))
    }
}

/// Builds the data set; empty in a study without such a form.
pub(crate) fn concomitant_treatments(trial: &Trial<'_>) -> Dataset {
    let form = trial.study.form_for(Purpose::ConcomitantTreatments);
    let mut rows: Vec<Row<'_>> = Vec::new();
    for (profile, form) in trial.profiles.iter().flat_map(|profile| form.map(|form| (profile, form))) {
        for (number, filled) in profile.casebook.rows(&form.id) {
            let mut row = Row { profile, form, number, filled, start: None, stop: None };
            row.start = row
                .date(ItemRole::TreatmentStart)
                .map(|start| impute_start(start, profile.first_dose_date()));
            row.stop = row.date(ItemRole::TreatmentStop).map(|stop| impute_stop(stop, profile.last_known));
            rows.push(row);
        }
    }
    let sources = rows.iter().map(|row| sources_of(row.filled)).collect();
    let label = "Other treatments: one row a treatment";
    let mut set = Dataset::new("concomitant_treatments", label, sources);
    push_identity(&mut set, trial, &rows.iter().map(|row| row.profile.subject).collect::<Vec<_>>());
    push_treatment(&mut set, &rows, trial);
    push_course(&mut set, &rows);
    set
}

fn sources_of(filled: &FilledForm) -> Vec<u64> {
    let mut sources: Vec<u64> = filled.cells.values().flat_map(history).collect();
    sources.sort_unstable();
    sources.dedup();
    sources
}

fn push_treatment(set: &mut Dataset, rows: &[Row<'_>], trial: &Trial<'_>) {
    let text = |role| rows.iter().map(|row| row.text(role)).collect::<Vec<_>>();
    let number = Data::Integer(rows.iter().map(|row| Some(i64::from(row.number))).collect());
    set.push(Column::new("row", "Number of the treatment within the participant", number));
    set.push(Column::new("treatment", "Treatment", Data::Text(text(ItemRole::TreatmentName))));
    let class = Data::Code(text(ItemRole::TreatmentClass));
    let levels = levels_of(trial.study, Purpose::ConcomitantTreatments, ItemRole::TreatmentClass);
    set.push(Column::new("class", "Class of the treatment", class).with_levels(levels));
    set.push(Column::new("reason", "Given for", Data::Text(text(ItemRole::TreatmentReason))));
    let prohibited = |row: &Row<'_>| match row.value(ItemRole::TreatmentProhibited) {
        Some(Value::Boolean(prohibited)) => Some(*prohibited),
        _ => None,
    };
    let flags = Data::Flag(rows.iter().map(prohibited).collect());
    set.push(Column::new("prohibited", "Prohibited by the protocol", flags));
}

fn push_course(set: &mut Dataset, rows: &[Row<'_>]) {
    let flag = |holds: &dyn Fn(&Row<'_>) -> Option<bool>| Data::Flag(rows.iter().map(holds).collect());
    let date = |role| Data::Date(rows.iter().map(|row| row.date(role)).collect());
    let day = |of: &dyn Fn(&Row<'_>) -> Option<Imputed>| {
        let days = rows
            .iter()
            .map(|row| day_of(of(row).map(|(day, _)| day), row.profile.first_dose_date()).map(i64::from));
        Data::Integer(days.collect())
    };
    let days = Some("d");
    set.push(Column::new("start", "Start as recorded", date(ItemRole::TreatmentStart)));
    set.push(Column::new("stop", "Stop as recorded", date(ItemRole::TreatmentStop)));
    let label = "Study day of start, imputed where partly known";
    set.push(Column::new("start_day", label, day(&|row| row.start)).with_unit(days));
    let label = "Study day of stop, imputed where partly known";
    set.push(Column::new("stop_day", label, day(&|row| row.stop)).with_unit(days));
    set.push(Column::new("start_imputed", "Start was imputed", flag(&|row| row.start.map(|one| one.1))));
    set.push(Column::new("stop_imputed", "Stop was imputed", flag(&|row| row.stop.map(|one| one.1))));
    set.push(Column::new("ongoing", "Not ended", flag(&|row| Some(row.stop.is_none()))));
    set.push(Column::new("begun_before", "Begun before the first dose", flag(&|row| row.begun_before())));
    let label = "Taken on or after the first dose";
    set.push(Column::new("taken_in_trial", label, flag(&|row| row.taken_in_trial())));
}
