//! The data set of readings: one row an item of a reading of a coded specimen.
//!
//! A specimen has a reading of each reader and, where it was drawn for it, a second one under another
//! code. Nothing is known of whose it is before the key is joined; until then there are no rows.

use protocol::model::ItemType;
use record::SpecimenKey;
use terms::{Answer, SpecimenCode, Value};

use super::{columns::push_identity, profile::Trial};
use crate::{Column, Data, Dataset};

/// One item of one reading.
struct Read<'a> {
    of: SpecimenKey,
    code: &'a SpecimenCode,
    reader: u32,
    repeat: bool,
    item: String,
    value: Option<f64>,
    level: Option<String>,
    sources: Vec<u64>,
}

/// Builds the data set.
pub(crate) fn readings(trial: &Trial<'_>) -> Dataset {
    let mut rows = joined(trial);
    rows.sort_by(|a, b| {
        let place = |row: &Read<'_>| (row.of.subject.clone(), row.of.visit.clone(), row.item.clone());
        (place(a), a.repeat, a.reader).cmp(&(place(b), b.repeat, b.reader))
    });
    let sources = rows.iter().map(|row| row.sources.clone()).collect();
    let label = "Readings of coded specimens: one row an item of a reading";
    let mut set = Dataset::new("readings", label, sources);
    push_identity(&mut set, trial, &rows.iter().map(|row| &row.of.subject).collect::<Vec<_>>());
    let visits = trial.study.visits.iter().map(|visit| (visit.id.to_string(), visit.label.en().to_owned()));
    let visit = Data::Code(rows.iter().map(|row| Some(row.of.visit.to_string())).collect());
    set.push(Column::new("visit", "Visit", visit).with_levels(visits.collect()));
    let code = Data::Text(rows.iter().map(|row| Some(row.code.to_string())).collect());
    set.push(Column::new("specimen", "Code of the slide", code));
    let reader = Data::Integer(rows.iter().map(|row| Some(i64::from(row.reader))).collect());
    set.push(Column::new("reader", "Reader", reader));
    let repeat = Data::Flag(rows.iter().map(|row| Some(row.repeat)).collect());
    set.push(Column::new("repeat", "Read again under a second code", repeat));
    let plan = trial.study.blind_reading.as_ref();
    let forms = plan.into_iter().flat_map(|plan| {
        std::iter::once(&plan.read_on).chain(plan.pairs.as_ref().map(|pairs| &pairs.read_on))
    });
    let forms: Vec<_> = forms.filter_map(|form| trial.study.form(form.as_str())).collect();
    let known = |id: &str| forms.iter().find_map(|form| form.item(id));
    let items = forms.iter().flat_map(|form| &form.items);
    let labels = items.map(|item| (item.id.to_string(), item.label.en().to_owned())).collect();
    let item = Data::Code(rows.iter().map(|row| Some(row.item.clone())).collect());
    set.push(Column::new("item", "Item", item).with_levels(labels));
    let is_graded = |row: &Read<'_>| known(&row.item).map(|item| matches!(item.kind, ItemType::Code { .. }));
    let graded = Data::Flag(rows.iter().map(is_graded).collect());
    set.push(Column::new("graded", "A grade rather than a measurement", graded));
    // A level's place among all of its list, which weighs how far apart two levels are.
    let place = |row: &Read<'_>| {
        let ItemType::Code { codelist } = &known(&row.item)?.kind else { return None };
        let list = trial.study.codelists.iter().find(|list| list.id == *codelist)?;
        let at = list.codes.iter().position(|(code, _)| Some(code) == row.level.as_ref())?;
        Some((i64::try_from(at).ok()? + 1, i64::try_from(list.codes.len()).ok()?))
    };
    let places: Vec<Option<(i64, i64)>> = rows.iter().map(place).collect();
    // A grade in words counts as its place in the list.
    let values = rows
        .iter()
        .zip(&places)
        .map(|(row, place)| row.value.or_else(|| place.and_then(|(at, _)| Value::Integer(at).as_f64())));
    let value = Data::Number(values.collect());
    set.push(
        Column::new("value", "Value; of a grade in words its place in the list", value).with_decimals(2),
    );
    let level = Data::Code(rows.iter().map(|row| row.level.clone()).collect());
    set.push(Column::new("level", "Level of a grade", level));
    let at = places.iter().map(|place| place.map(|(at, _)| at)).collect();
    set.push(Column::new("place", "Place of the level in its list", Data::Integer(at)));
    let of = places.iter().map(|place| place.map(|(_, of)| of)).collect();
    set.push(Column::new("places", "Levels of that list", Data::Integer(of)));
    set
}

fn joined<'a>(trial: &Trial<'a>) -> Vec<Read<'a>> {
    let reading = &trial.state.reading;
    let Some((key, joined)) = &reading.key else { return Vec::new() };
    let mut rows = Vec::new();
    for ((code, reader), taken) in &reading.readings {
        let again = reading.repeats.get(code);
        let pair = reading
            .pair_key
            .get(code)
            .map(|pair| SpecimenKey { subject: pair.subject.clone(), visit: pair.later.clone() });
        let Some(of) = pair.or_else(|| again.or_else(|| key.get(code)).cloned()) else { continue };
        let Some(form) = conduct::reading_form(trial.study, trial.state, code) else { continue };
        let answers = conduct::with_key(trial.state, form, code, &taken.answers);
        for (item, answer) in &answers {
            // What only makes up a score, such as one of five lines, says nothing by itself.
            let known = form.item(item.as_str());
            if known.is_none_or(|item| conduct::rests_a_score_on(form, item, &answers)) {
                continue;
            }
            rows.push(Read {
                of: of.clone(),
                code,
                reader: *reader,
                repeat: again.is_some() || reading.pair_repeats.contains(code),
                item: item.to_string(),
                value: number(answer),
                level: level(answer),
                sources: vec![*joined, taken.sequence],
            });
        }
    }
    for row in &mut rows {
        row.sources.sort_unstable();
    }
    rows
}

fn level(answer: &Answer) -> Option<String> {
    match answer.value()? {
        Value::Code(code) => Some(code.to_string()),
        _ => None,
    }
}

/// A number, or a code that is one; yes and no are none.
fn number(answer: &Answer) -> Option<f64> {
    match answer.value()? {
        Value::Code(code) => code.parse().ok(),
        value => value.as_f64(),
    }
}
