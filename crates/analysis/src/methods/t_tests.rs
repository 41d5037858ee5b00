//! Student's t-tests: of changes from baseline, and between two groups.

use datasets::DataSets;
use statistics::{
    Confidence, NotEstimable,
    descriptive::{mean, summarise},
    means::{Variances, one_sample_t, two_sample_t as compare},
};

use super::Series;
use crate::{
    Format,
    population::Population,
    sheet::{ALL, Of, Sheet, group},
};

/// Where the baseline behind a change is found; none where the outcome is no change.
pub(crate) struct Paired<'a>(pub(crate) Option<&'a DataSets>);

/// Tests whether the mean outcome is zero, in all and by group.
///
/// Keys: `n mean sd se lower upper t df p`; of changes from baseline also `baseline_mean`,
/// `percent_of_baseline` (the mean change over the mean baseline) and `mean_percent` (the mean of each
/// participant's percentage), which differ.
pub(crate) fn paired_t(
    sheet: &mut Sheet<'_>,
    population: &Population,
    series: &Series<'_>,
    paired: &Paired<'_>,
    level: Result<Confidence, NotEstimable>,
) {
    for (place, id) in population.cuts() {
        let rows = [series.place(sheet.row_sets, place)];
        let values = series.outcomes.values(place, series.worst());
        let of = group(id);
        let test = level.and_then(|level| one_sample_t(&values, 0.0, level));
        let (summary, decimals) = (summarise(&values), series.precision.summary());
        sheet.put("n", of, values.len(), Format::Integer, &rows);
        sheet.put("mean", of, summary.map(|summary| summary.mean), decimals, &rows);
        sheet.put("sd", of, test.map(|test| test.sd), decimals, &rows);
        sheet.put("se", of, test.map(|test| test.se), decimals, &rows);
        sheet.put("lower", of, test.map(|test| test.interval.lower), decimals, &rows);
        sheet.put("upper", of, test.map(|test| test.interval.upper), decimals, &rows);
        sheet.put("t", of, test.map(|test| test.t), Format::Decimals(2), &rows);
        sheet.put("df", of, test.map(|test| test.df), Format::Decimals(0), &rows);
        sheet.put("p", of, test.map(|test| test.p_two_sided), Format::PValue, &rows);
        if let Some(data) = paired.0 {
            percentages(sheet, of, series, data, place, &rows);
        }
    }
}

fn percentages(
    sheet: &mut Sheet<'_>,
    of: Of<'_>,
    series: &Series<'_>,
    data: &DataSets,
    place: Option<usize>,
    rows: &[usize],
) {
    let column = |name: &str| -> Vec<f64> {
        let entries = series.outcomes.of(place);
        entries.filter_map(|entry| data.longitudinal.cell(name, entry.row).number()).collect()
    };
    let changes = mean(&series.outcomes.values(place, series.worst()));
    let baseline = mean(&column("baseline"));
    let of_baseline = baseline.and_then(|baseline| match baseline {
        0.0 => Err(NotEstimable::ZeroDenominator),
        baseline => changes.map(|change| 100.0 * change / baseline),
    });
    sheet.put("baseline_mean", of, baseline, series.precision.summary(), rows);
    sheet.put("percent_of_baseline", of, of_baseline, Format::Percent(1), rows);
    sheet.put("mean_percent", of, mean(&column("percent_change")), Format::Percent(1), rows);
}

/// Compares the means of two groups. Keys: `difference lower upper t df p`, and `n mean sd` by group.
pub(crate) fn two_sample_t(
    sheet: &mut Sheet<'_>,
    population: &Population,
    series: &Series<'_>,
    variances: Variances,
    level: Result<Confidence, NotEstimable>,
) {
    for (place, id) in population.cuts().into_iter().filter(|(place, _)| place.is_some()) {
        let rows = [series.place(sheet.row_sets, place)];
        let values = series.outcomes.values(place, series.worst());
        let summary = summarise(&values);
        let too_few = NotEstimable::TooFewObservations { needed: 2, found: values.len() };
        let sd = summary.and_then(|summary| summary.sd.ok_or(too_few));
        sheet.put("n", group(id), values.len(), Format::Integer, &rows);
        sheet.put("mean", group(id), summary.map(|summary| summary.mean), series.precision.summary(), &rows);
        sheet.put("sd", group(id), sd, series.precision.summary(), &rows);
    }
    let rows = [series.place(sheet.row_sets, None)];
    let test = population.pair().and_then(|(x, y)| {
        let values = |place| series.outcomes.values(Some(place), series.worst());
        let test = level.and_then(|level| compare(&values(x), &values(y), variances, level));
        test.map_err(|reason| reason.to_string())
    });
    let mut put = |key, value: Result<f64, String>, format| sheet.put(key, ALL, value, format, &rows);
    let decimals = series.precision.summary();
    put("difference", test.clone().map(|test| test.difference), decimals);
    put("lower", test.clone().map(|test| test.interval.lower), decimals);
    put("upper", test.clone().map(|test| test.interval.upper), decimals);
    put("t", test.clone().map(|test| test.t), Format::Decimals(2));
    put("df", test.clone().map(|test| test.df), Format::Decimals(1));
    put("p", test.map(|test| test.p_two_sided), Format::PValue);
}
