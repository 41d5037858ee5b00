//! n, mean, SD, median, quartiles, range: in all and by group.

use protocol::model::Quartiles;
use statistics::{
    NotEstimable,
    descriptive::{QuantileType, quantile, summarise},
};

use super::{Precision, Series, quantile_type};
use crate::{
    Format,
    population::Population,
    sheet::{Of, Sheet, group},
};

/// Describes a series in all and by group. Keys: `n mean sd median q1 q3 min max`.
pub(crate) fn describe(
    sheet: &mut Sheet<'_>,
    population: &Population,
    series: &Series<'_>,
    quartiles: Quartiles,
) {
    for (place, id) in population.cuts() {
        let rows = series.place(sheet.row_sets, place);
        let values = series.outcomes.values(place, series.worst());
        describe_into(sheet, group(id), &values, quantile_type(quartiles), series.precision, rows);
    }
}

/// Describes some values.
fn describe_into(
    sheet: &mut Sheet<'_>,
    of: Of<'_>,
    values: &[f64],
    quartiles: QuantileType,
    precision: Precision,
    rows: usize,
) {
    let summary = summarise(values);
    let spread = summary.and_then(|summary| {
        summary.sd.ok_or(NotEstimable::TooFewObservations { needed: 2, found: values.len() })
    });
    sheet.put("n", of, values.len(), Format::Integer, &[rows]);
    sheet.put("mean", of, summary.map(|summary| summary.mean), precision.summary(), &[rows]);
    sheet.put("sd", of, spread, precision.spread(), &[rows]);
    sheet.put("median", of, summary.map(|summary| summary.median), precision.summary(), &[rows]);
    sheet.put("q1", of, quantile(values, 0.25, quartiles), precision.summary(), &[rows]);
    sheet.put("q3", of, quantile(values, 0.75, quartiles), precision.summary(), &[rows]);
    sheet.put("min", of, summary.map(|summary| summary.min), precision.value(), &[rows]);
    sheet.put("max", of, summary.map(|summary| summary.max), precision.value(), &[rows]);
}
