//! Columns from values that know their events.

use terms::{Date, PartialDate, SubjectId};

use crate::{
    Column, Data, Dataset,
    build::profile::{Profile, Trial},
};

/// A value, if there is one, and the events behind it.
pub(crate) type Sourced<T> = (Option<T>, Vec<u64>);

/// A value without events of its own: its row's say it all.
pub(crate) fn plain<T>(value: Option<T>) -> Sourced<T> {
    (value, Vec::new())
}

/// A value that one event gave.
pub(crate) fn from_event<T>(value: Option<(T, u64)>) -> Sourced<T> {
    match value {
        Some((value, sequence)) => (Some(value), vec![sequence]),
        None => (None, Vec::new()),
    }
}

/// Makes a column of cells with their events.
pub(crate) fn column<T>(
    name: &str,
    label: &str,
    kind: impl Fn(Vec<Option<T>>) -> Data,
    cells: Vec<Sourced<T>>,
) -> Column {
    let (values, sources): (Vec<_>, Vec<_>) = cells.into_iter().unzip();
    let column = Column::new(name, label, kind(values));
    if sources.iter().all(Vec::is_empty) { column } else { column.with_sources(sources) }
}

/// Makes dates of days.
pub(crate) fn dates(days: Vec<Option<Date>>) -> Data {
    Data::Date(days.into_iter().map(|day| day.map(PartialDate::from)).collect())
}

/// Adds who a row is about: participant, site and (once known) arm.
pub(crate) fn push_identity(set: &mut Dataset, trial: &Trial<'_>, subjects: &[&SubjectId]) {
    let profiles: Vec<Option<&Profile<'_>>> = subjects
        .iter()
        .map(|subject| trial.profiles.iter().find(|profile| profile.subject == *subject))
        .collect();
    let text = |subject: &&SubjectId| plain(Some(subject.to_string()));
    set.push(column("subject", "Participant", Data::Text, subjects.iter().map(text).collect()));
    let site =
        |profile: &Option<&Profile<'_>>| plain(profile.map(|profile| profile.casebook.site.to_string()));
    let sites = trial.study.sites.iter().map(|site| (site.id.to_string(), site.label.clone())).collect();
    set.push(column("site", "Site", Data::Code, profiles.iter().map(site).collect()).with_levels(sites));
    if trial.knows_arms {
        let arm = |profile: &Option<&Profile<'_>>| {
            from_event(
                profile
                    .and_then(|profile| profile.arm.as_ref())
                    .map(|(arm, event)| (arm.to_string(), *event)),
            )
        };
        let arms =
            trial.study.arms.iter().map(|arm| (arm.id.to_string(), arm.label.en().to_owned())).collect();
        set.push(column("arm", "Arm", Data::Code, profiles.iter().map(arm).collect()).with_levels(arms));
    }
}
