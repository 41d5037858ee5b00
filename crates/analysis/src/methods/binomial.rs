//! The share of participants with something, with its exact (Clopper-Pearson) interval.

use statistics::{Confidence, NotEstimable, proportions::clopper_pearson};

use crate::{
    Format,
    sheet::{Of, Sheet, percent},
};

/// Writes down `events n percent lower upper`, the last three in percent. `rows` are those with it and all.
pub(crate) fn binomial(
    sheet: &mut Sheet<'_>,
    of: Of<'_>,
    (events, n): (usize, usize),
    (event_rows, n_rows): (usize, usize),
    level: Result<Confidence, NotEstimable>,
) {
    let interval = level.and_then(|level| clopper_pearson(events as u64, n as u64, level));
    sheet.put("events", of, events, Format::Integer, &[event_rows]);
    sheet.put("n", of, n, Format::Integer, &[n_rows]);
    let rows = [event_rows, n_rows];
    sheet.put("percent", of, percent(events, n), Format::Percent(1), &rows);
    sheet.put("lower", of, interval.map(|interval| 100.0 * interval.lower), Format::Percent(1), &rows);
    sheet.put("upper", of, interval.map(|interval| 100.0 * interval.upper), Format::Percent(1), &rows);
}
