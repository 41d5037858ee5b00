//! The data set of skin sites: one row a visit at which the skin score of 17 sites was taken, one column a site.

use instruments::mrss;
use record::FormKey;
use terms::{Answer, Date, Value, VisitId};

use super::{
    columns::{column, dates, plain, push_identity},
    profile::{Profile, Trial, history},
};
use crate::{Column, Data, Dataset, adam::derive_var_day::day_of};

/// The instrument of 17 sites.
const INSTRUMENT: &str = "mrss";

/// One skin score.
struct Scored<'a> {
    profile: &'a Profile<'a>,
    visit: VisitId,
    date: Date,
    scores: [Option<f64>; mrss::SITE_COUNT],
    sources: Vec<u64>,
}

/// Builds the data set; empty in a study without that instrument.
pub(crate) fn body_sites(trial: &Trial<'_>) -> Dataset {
    let form = trial.study.forms.iter().find(|form| form.instrument.as_deref() == Some(INSTRUMENT));
    let mut rows: Vec<Scored<'_>> = Vec::new();
    for profile in &trial.profiles {
        for (visit, date) in profile.casebook.visits_by_date() {
            let Some(form) = form else { continue };
            let key = FormKey { visit: Some(visit.clone()), form: form.id.clone(), row: 0 };
            let Some(filled) = profile.casebook.forms.get(&key) else { continue };
            let score = |site: &str| filled.answer(site).and_then(Answer::value).and_then(Value::as_f64);
            let cells = mrss::SITES.iter().filter_map(|site| filled.cells.get(*site));
            let mut sources: Vec<u64> = cells.flat_map(history).collect();
            sources.sort_unstable();
            sources.dedup();
            if !sources.is_empty() {
                rows.push(Scored {
                    profile,
                    visit: visit.clone(),
                    date,
                    scores: mrss::SITES.map(score),
                    sources,
                });
            }
        }
    }
    let sources = rows.iter().map(|row| row.sources.clone()).collect();
    let mut set = Dataset::new("body_sites", "Skin sites: one row a skin score, one column a site", sources);
    push_identity(&mut set, trial, &rows.iter().map(|row| row.profile.subject).collect::<Vec<_>>());
    let visits = trial.study.visits.iter().map(|visit| (visit.id.to_string(), visit.label.en().to_owned()));
    let visit = Data::Code(rows.iter().map(|row| Some(row.visit.to_string())).collect());
    set.push(Column::new("visit", "Visit", visit).with_levels(visits.collect()));
    let planned = Data::Flag(rows.iter().map(|row| Some(trial.is_planned(&row.visit))).collect());
    set.push(Column::new("planned", "Visit of the schedule", planned));
    set.push(column("date", "Date", dates, rows.iter().map(|row| plain(Some(row.date))).collect()));
    let day = |row: &Scored<'_>| day_of(Some(row.date), row.profile.first_dose_date()).map(i64::from);
    let days = Data::Integer(rows.iter().map(day).collect());
    set.push(Column::new("day", "Study day", days).with_unit(Some("d")));
    for (place, site) in mrss::SITES.iter().enumerate() {
        let item = form.and_then(|form| form.item(site));
        let label = item.map_or(*site, |item| item.label.en());
        let scores = Data::Number(rows.iter().map(|row| row.scores[place]).collect());
        set.push(Column::new(site, label, scores));
    }
    set
}
