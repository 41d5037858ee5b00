//! The data set of times to an event: one row a participant who entered and a time of the plan.

use protocol::{
    expression::{Expression, ItemRef, Scope},
    model::{Happening, TimeOrigin, TimeToEvent, TimedHappening},
};
use terms::{Answer, Date, ParameterId, Truth, Value, add_months};

use super::{
    codes::end_reason,
    columns::{column, dates, plain, push_identity},
    profile::{Profile, Trial},
};
use crate::{
    Cell, Column, Data, Dataset,
    adam::{
        Observation,
        derive_param_tte::{Censoring, Dated, TimeRecord, derive_param_tte},
        derive_var_imputed_date::impute_start,
    },
    elsewhere::DatasetRow,
};

/// A row: whose, of which time, from when, and how it ended.
struct Row<'a> {
    profile: &'a Profile<'a>,
    time: &'a TimeToEvent,
    start: Date,
    record: TimeRecord,
}

/// Builds the data set. `adverse_events` is the one built from the same trial, whose columns conditions read.
pub(crate) fn times_to_event(
    trial: &Trial<'_>,
    observations: &[Observation],
    adverse_events: &Dataset,
) -> Dataset {
    let mut rows: Vec<Row<'_>> = Vec::new();
    if trial.study.plan.times.is_empty() {
        return Dataset::new("times_to_event", "Times to an event", Vec::new());
    }
    let first_entry = trial.profiles.iter().filter_map(|profile| profile.entered).map(|(date, _)| date).min();
    let scene = Scene { observations, adverse_events };
    for profile in &trial.profiles {
        for time in &trial.study.plan.times {
            let origin = match time.from {
                TimeOrigin::Enrolment => profile.entered,
                TimeOrigin::FirstDose => profile.first_dose,
            };
            let (Some(origin), Some(last_known)) = (origin, profile.last_known) else { continue };
            let cut_off = first_entry.zip(time.cut_off_months);
            let cut_off = cut_off.map(|(first, months)| add_months(first, months as i32));
            let [events, censored_by] =
                [&time.events, &time.censored_by].map(|of| scene.happened(profile, origin.0, of));
            let record = derive_param_tte(origin, &events, &censored_by, last_known, cut_off);
            rows.extend(record.map(|record| Row { profile, time, start: origin.0, record }));
        }
    }
    lay_out(trial, &rows)
}

fn lay_out(trial: &Trial<'_>, rows: &[Row<'_>]) -> Dataset {
    let sources = rows.iter().map(|row| row.record.sources.clone()).collect();
    let label = "Times to an event: one row a participant who entered and a time";
    let mut set = Dataset::new("times_to_event", label, sources);
    push_identity(&mut set, trial, &rows.iter().map(|row| row.profile.subject).collect::<Vec<_>>());
    let times = trial.study.plan.times.iter().map(|time| (time.id.to_string(), time.label.en().to_owned()));
    let parameter = Data::Code(rows.iter().map(|row| Some(row.time.id.to_string())).collect());
    set.push(Column::new("parameter", "Time", parameter).with_levels(times.collect()));
    let start = rows.iter().map(|row| plain(Some(row.start))).collect();
    set.push(column("start_date", "Day from which the time counts", dates, start));
    let date = rows.iter().map(|row| plain(Some(row.record.date))).collect();
    set.push(column("date", "Day of the event or of censoring", dates, date));
    let days = rows.iter().map(|row| Some(i64::from(row.record.days))).collect();
    let label = "Days to the event or to censoring, the first day counted as 1";
    set.push(Column::new("value", label, Data::Integer(days)).with_unit(Some("d")));
    let censored = rows.iter().map(|row| Some(row.record.end.err().map_or(0, Censoring::code))).collect();
    let label = "Censored: 0 an event, 1 last known day, 2 last day of the data, 3 by what censors";
    set.push(Column::new("censored", label, Data::Integer(censored)));
    let text = |what: &dyn Fn(&Row<'_>) -> Option<String>| Data::Text(rows.iter().map(what).collect());
    let event = text(&|row| {
        let place = row.record.end.ok()?;
        row.time.events.get(place).map(|event| event.label.en().to_owned())
    });
    set.push(Column::new("event_description", "The event", event));
    let censoring = text(&|row| match row.record.end.err()? {
        Censoring::LastKnown => Some("Last known day".to_owned()),
        Censoring::CutOff => Some("Last day of the data".to_owned()),
        Censoring::By(place) => row.time.censored_by.get(place).map(|one| one.label.en().to_owned()),
    });
    set.push(Column::new("censoring_description", "Why the time is censored", censoring));
    set
}

/// What a participant's happenings are found in.
struct Scene<'a> {
    observations: &'a [Observation],
    adverse_events: &'a Dataset,
}

impl Scene<'_> {
    /// Every day on which one of the happenings occurred, with its place among them.
    fn happened(&self, profile: &Profile<'_>, start: Date, of: &[TimedHappening]) -> Vec<Dated> {
        let mut found = Vec::new();
        for (place, one) in of.iter().enumerate() {
            let dated = |(date, sources)| Dated { place, date, sources };
            match &one.what {
                Happening::AdverseEvent { filter } => {
                    found.extend(self.adverse_events(profile, filter.as_ref()).into_iter().map(dated));
                }
                Happening::Finding { parameter, holds } => {
                    found.extend(self.findings(profile, start, parameter, holds).into_iter().map(dated));
                }
                Happening::TreatmentEnd { reasons } => {
                    let end = profile.casebook.treatment_end;
                    let end = end.filter(|end| reasons.iter().any(|own| own == end_reason(end.reason).0));
                    found.extend(end.map(|end| dated((end.last_dose, vec![end.ended.sequence]))));
                }
                Happening::ParticipationEnd { reasons } => {
                    let end = profile.casebook.participation_end;
                    let end = end.filter(|end| reasons.iter().any(|own| own == end_reason(end.reason).0));
                    found.extend(end.map(|end| dated((end.ended.date, vec![end.ended.sequence]))));
                }
            }
        }
        found
    }

    fn adverse_events(&self, profile: &Profile<'_>, filter: Option<&Expression>) -> Vec<(Date, Vec<u64>)> {
        let set = self.adverse_events;
        let own =
            (0..set.rows()).filter(|row| set.cell("subject", *row).text() == Some(profile.subject.as_str()));
        let meant = own.filter(|row| {
            filter.is_none_or(|filter| filter.truth(&DatasetRow { set, row: *row }) == Truth::True)
        });
        meant
            .filter_map(|row| match set.cell("start", row) {
                Cell::Date(start) => {
                    let (start, _) = impute_start(start, profile.first_dose_date());
                    Some((start, set.sources[row].clone()))
                }
                _ => None,
            })
            .collect()
    }

    fn findings(
        &self,
        profile: &Profile<'_>,
        start: Date,
        parameter: &ParameterId,
        holds: &Expression,
    ) -> Vec<(Date, Vec<u64>)> {
        let own = self.observations.iter().filter(|row| row.is_of(profile.subject, parameter));
        own.filter(|row| row.derived.is_none() && row.value.is_some())
            .filter_map(|row| Some((row.date.filter(|date| *date > start)?, row)))
            .filter(|(_, row)| holds.truth(&Finding(row)) == Truth::True)
            .map(|(date, row)| (date, row.sources.clone()))
            .collect()
    }
}

/// A row of the longitudinal data set as a condition sees it.
struct Finding<'a>(&'a Observation);

impl Scope for Finding<'_> {
    fn item(&self, _reference: &ItemRef) -> Option<Answer> {
        None
    }

    fn variable(&self, name: &str) -> Option<Answer> {
        finding(name, self.0.value, self.0.baseline, self.0.visit.as_str())
    }

    fn limit(&self, _reference: &ItemRef, _upper: bool) -> Option<Answer> {
        None
    }

    fn today(&self) -> Option<Date> {
        None
    }
}

/// Returns what a condition on a finding reads under a name: the value of a parameter, its baseline, the change from it and the
/// change over it, and the visit.
pub fn finding(name: &str, value: Option<f64>, baseline: Option<f64>, visit: &str) -> Option<Answer> {
    let relative = || crate::adam::derive_var_chg::relative_change(value?, baseline?);
    let number = match name {
        "value" => value?,
        "baseline" => baseline?,
        "change" => value? - baseline?,
        "relative_change" => relative()?,
        "percent_change" => 100.0 * relative()?,
        "visit" => return Some(Answer::Given(Value::Code(visit.to_owned()))),
        _ => return None,
    };
    Cell::Number(number).answer()
}
