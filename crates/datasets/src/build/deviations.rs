//! The deviations data set: one row a deviation.

use conduct::Deviation;

use super::{
    codes::{DEVIATION_KINDS, deviation_class, deviation_kind, levels},
    columns::{column, dates, plain, push_identity},
    profile::{Profile, Trial},
};
use crate::{Column, Data, Dataset, adam::derive_var_day::day_of};

/// Builds the data set.
pub(crate) fn deviations(trial: &Trial<'_>) -> Dataset {
    let rows: Vec<(&Profile<'_>, &Deviation)> = trial
        .profiles
        .iter()
        .flat_map(|profile| profile.casebook.deviations.iter().map(move |deviation| (profile, deviation)))
        .collect();
    let sources = rows.iter().map(|(_, deviation)| vec![deviation.recorded.sequence]).collect();
    let mut set = Dataset::new("deviations", "Deviations: one row a deviation", sources);
    push_identity(&mut set, trial, &rows.iter().map(|(profile, _)| profile.subject).collect::<Vec<_>>());
    let text = |value: &dyn Fn(&Deviation) -> Option<String>| {
        rows.iter().map(|(_, deviation)| value(deviation)).collect::<Vec<_>>()
    };
    set.push(Column::new("deviation", "Deviation", Data::Text(text(&|one| Some(one.id.to_string())))));
    let kind = Data::Code(text(&|one| Some(deviation_kind(one.what).0.to_owned())));
    set.push(Column::new("kind", "Kind", kind).with_levels(levels(DEVIATION_KINDS.map(deviation_kind))));
    let class = |deviation: &Deviation| match deviation.class {
        Some((class, sequence)) => (Some(deviation_class(class).0.to_owned()), vec![sequence]),
        None => plain(None),
    };
    let classes = [record::DeviationClass::Major, record::DeviationClass::Minor].map(deviation_class);
    let cells = rows.iter().map(|(_, deviation)| class(deviation)).collect();
    set.push(column("class", "Class", Data::Code, cells).with_levels(levels(classes)));
    let visits = trial.study.visits.iter().map(|visit| (visit.id.to_string(), visit.label.en().to_owned()));
    let visit = Data::Code(text(&|one| one.visit.as_ref().map(ToString::to_string)));
    set.push(Column::new("visit", "Visit", visit).with_levels(visits.collect()));
    set.push(Column::new(
        "rule",
        "Rule",
        Data::Code(text(&|one| one.rule.as_ref().map(ToString::to_string))),
    ));
    let date = rows.iter().map(|(_, deviation)| plain(Some(deviation.recorded.date))).collect();
    set.push(column("date", "Date", dates, date));
    let day = |(profile, deviation): &(&Profile<'_>, &Deviation)| {
        day_of(Some(deviation.recorded.date), profile.first_dose_date()).map(i64::from)
    };
    set.push(
        Column::new("day", "Study day", Data::Integer(rows.iter().map(day).collect())).with_unit(Some("d")),
    );
    set.push(Column::new("text", "In words", Data::Text(text(&|one| one.text.clone()))));
    set
}
