//! How far readers of coded specimens agree with one another, and each with a second reading of the same slide.

use std::collections::BTreeMap;

use datasets::Dataset;
use statistics::{
    Confidence, NotEstimable,
    agreement::{IccModel, KappaWeights, bland_altman, icc, kappa},
    proportions::Table,
};

use super::{Head, Standing};
use crate::{
    AnalysisResult, Format, Level,
    population::levels_of,
    sheet::{RowSets, Sheet, cell},
};

/// A reader and whether the reading was the second one of a slide.
type Reading = (i64, bool);

/// Two readings that are compared.
struct Comparison {
    level: String,
    label: String,
    first: Reading,
    second: Reading,
}

pub(super) fn agreement(standing: &Standing<'_>, row_sets: &mut RowSets) -> AnalysisResult {
    let id = "reader-agreement".into();
    let mut sheet = Sheet::new(&id, row_sets);
    let set = &standing.data.readings;
    let mut levels = Vec::new();
    for item in set.column("item").map(levels_of).unwrap_or_default() {
        let taken = readings(set, &item.id);
        if taken.is_empty() {
            continue;
        }
        for comparison in comparisons(&taken) {
            let pairs = pairs(&taken, &comparison);
            // A reader who was asked about single slides only read none again, or one, which shows no agreement.
            if pairs.len() < 2 {
                continue;
            }
            let level = format!("{}:{}", item.id, comparison.level);
            let graded = (0..set.rows()).any(|row| {
                set.cell("item", row).text() == Some(item.id.as_str())
                    && set.cell("graded", row).flag() == Some(true)
            });
            put(&mut sheet, &level, &pairs, graded);
            levels.push(Level { id: level, label: format!("{}: {}", item.label, comparison.label) });
        }
    }
    let head = Head {
        id: "reader-agreement",
        label: "Agreement of readings",
        method: "Of measurements the intraclass correlation for absolute agreement, ICC(2,1), and Bland and Altman's limits; of \
                 grades weighted kappa, quadratic weights; 95 % intervals",
        set: "Coded specimens with both readings",
        groups: &[],
        levels,
    };
    standing.result(head, sheet)
}

/// The readings of an item by specimen: participant and visit, then reader, to row and value.
fn readings<'a>(
    set: &'a Dataset,
    item: &str,
) -> BTreeMap<(&'a str, &'a str), BTreeMap<Reading, (usize, f64)>> {
    let mut taken: BTreeMap<(&str, &str), BTreeMap<Reading, (usize, f64)>> = BTreeMap::new();
    for row in (0..set.rows()).filter(|row| set.cell("item", *row).text() == Some(item)) {
        let (Some(subject), Some(visit)) = (set.cell("subject", row).text(), set.cell("visit", row).text())
        else {
            continue;
        };
        let (Some(reader), Some(value)) = (set.cell("reader", row).number(), set.cell("value", row).number())
        else {
            continue;
        };
        let repeat = set.cell("repeat", row).flag() == Some(true);
        taken.entry((subject, visit)).or_default().insert((reader as i64, repeat), (row, value));
    }
    taken
}

/// The first two readers, then each reader with the second reading.
fn comparisons(taken: &BTreeMap<(&str, &str), BTreeMap<Reading, (usize, f64)>>) -> Vec<Comparison> {
    let mut readers: Vec<i64> =
        taken.values().flat_map(|one| one.keys().map(|(reader, _)| *reader)).collect();
    readers.sort_unstable();
    readers.dedup();
    let mut all = Vec::new();
    if let [first, second, ..] = readers.as_slice() {
        all.push(Comparison {
            level: "readers".to_owned(),
            label: format!("readers {first} and {second}"),
            first: (*first, false),
            second: (*second, false),
        });
    }
    all.extend(readers.iter().map(|reader| Comparison {
        level: format!("again-{reader}"),
        label: format!("reader {reader}, first and second reading"),
        first: (*reader, false),
        second: (*reader, true),
    }));
    all
}

/// Both values of each specimen that has them, with their rows.
fn pairs(
    taken: &BTreeMap<(&str, &str), BTreeMap<Reading, (usize, f64)>>,
    comparison: &Comparison,
) -> Vec<[(usize, f64); 2]> {
    let pair = |readings: &BTreeMap<Reading, (usize, f64)>| {
        Some([*readings.get(&comparison.first)?, *readings.get(&comparison.second)?])
    };
    taken.values().filter_map(pair).collect()
}

fn put(sheet: &mut Sheet<'_>, level: &str, pairs: &[[(usize, f64); 2]], graded: bool) {
    let of = cell(None, level);
    let rows = pairs.iter().flatten().map(|(row, _)| *row).collect();
    let rows = [sheet.row_sets.place("readings", rows, &["value", "reader", "repeat"])];
    sheet.put("n", of, pairs.len(), Format::Integer, &rows);
    let confidence = Confidence::C95;
    if graded {
        let found = grades_table(pairs).and_then(|table| kappa(&table, KappaWeights::Quadratic, confidence));
        sheet.put("kappa", of, found.map(|one| one.estimate), Format::Decimals(2), &rows);
        sheet.put("lower", of, found.map(|one| one.interval.lower), Format::Decimals(2), &rows);
        sheet.put("upper", of, found.map(|one| one.interval.upper), Format::Decimals(2), &rows);
        return;
    }
    let ratings: Vec<Vec<f64>> = pairs.iter().map(|[(_, one), (_, other)]| vec![*one, *other]).collect();
    let found = icc(&ratings, IccModel::TwoWayAgreement, confidence);
    sheet.put("icc", of, found.map(|one| one.estimate), Format::Decimals(2), &rows);
    sheet.put("lower", of, found.map(|one| one.interval.lower), Format::Decimals(2), &rows);
    sheet.put("upper", of, found.map(|one| one.interval.upper), Format::Decimals(2), &rows);
    let (one, other): (Vec<f64>, Vec<f64>) =
        pairs.iter().map(|[(_, one), (_, other)]| (*one, *other)).unzip();
    let limits = bland_altman(&one, &other, confidence);
    sheet.put("bias", of, limits.map(|one| one.bias), Format::Decimals(2), &rows);
    sheet.put("limit_lower", of, limits.map(|one| one.limits.lower), Format::Decimals(2), &rows);
    sheet.put("limit_upper", of, limits.map(|one| one.limits.upper), Format::Decimals(2), &rows);
}

/// Grades from the lowest to the highest that either reading has.
fn grades_table(pairs: &[[(usize, f64); 2]]) -> Result<Table, NotEstimable> {
    let values = || pairs.iter().flatten().map(|(_, value)| *value);
    if pairs.is_empty() {
        return Err(NotEstimable::NoObservations);
    }
    let (low, high) = values()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    let size = (high - low) as usize + 1;
    let mut counts = vec![vec![0_u64; size]; size];
    for [(_, one), (_, other)] in pairs {
        counts[(one - low) as usize][(other - low) as usize] += 1;
    }
    if size == 1 { Err(NotEstimable::ZeroVariance) } else { Table::from_rows(&counts) }
}
