//! The exact rank sum test with the Hodges-Lehmann shift, and medians and quartiles by group.

use protocol::model::{Quartiles, TwoSided};
use statistics::{
    Confidence, NotEstimable,
    descriptive::{median, quantile},
    ranks::{self, hodges_lehmann_two_sample, rank_sum_exact},
};

use super::{Series, quantile_type};
use crate::{
    Format,
    population::Population,
    sheet::{ALL, Sheet, group},
};

/// Compares two groups. Keys: `w p shift lower upper`, and `n median q1 q3 min max` by group.
///
/// Worst ranks lie beyond every outcome and are tied with each other; an estimate
/// that would be one of them is not estimable.
pub(crate) fn rank_sum(
    sheet: &mut Sheet<'_>,
    population: &Population,
    series: &Series<'_>,
    two_sided: TwoSided,
    level: Result<Confidence, NotEstimable>,
    quartiles: Quartiles,
) {
    by_group(sheet, population, series, quartiles);
    let two_sided = match two_sided {
        TwoSided::AsFarFromMean => ranks::TwoSided::AsFarFromMean,
        TwoSided::TwiceSmallerTail => ranks::TwoSided::TwiceSmallerTail,
    };
    let rows = [series.place(sheet.row_sets, None)];
    let pair = population.pair().map(|(x, y)| {
        let values = |place| series.outcomes.values(Some(place), series.worst());
        (values(x), values(y))
    });
    let of_pair = |compute: &Compute<'_>| {
        let (x, y) = pair.as_ref().map_err(Clone::clone)?;
        compute(x, y).map_err(|reason| reason.to_string())
    };
    let shift = |part: &dyn Fn(ranks::HodgesLehmann) -> f64| {
        let estimate = of_pair(&|x, y| Ok(part(hodges_lehmann_two_sample(x, y, level?)?)));
        estimate.and_then(|estimate| series.within(estimate))
    };
    let w = of_pair(&|x, y| Ok(ranks::rank_sum(x, y)?.w));
    let p = of_pair(&|x, y| Ok(rank_sum_exact(x, y, two_sided)?.p_two_sided));
    let decimals = series.precision.summary();
    sheet.put("w", ALL, w, Format::Decimals(1), &rows);
    sheet.put("p", ALL, p, Format::PValue, &rows);
    sheet.put("shift", ALL, shift(&|found| found.estimate), decimals, &rows);
    sheet.put("lower", ALL, shift(&|found| found.interval.interval.lower), decimals, &rows);
    sheet.put("upper", ALL, shift(&|found| found.interval.interval.upper), decimals, &rows);
}

/// Something computed from two groups' values.
type Compute<'a> = dyn Fn(&[f64], &[f64]) -> Result<f64, NotEstimable> + 'a;

fn by_group(sheet: &mut Sheet<'_>, population: &Population, series: &Series<'_>, quartiles: Quartiles) {
    for (place, id) in population.cuts().into_iter().filter(|(place, _)| place.is_some()) {
        let rows = [series.place(sheet.row_sets, place)];
        let values = series.outcomes.values(place, series.worst());
        let kind = quantile_type(quartiles);
        let located = |value: Result<f64, NotEstimable>| {
            value.map_err(|reason| reason.to_string()).and_then(|value| series.within(value))
        };
        let (of, precision) = (group(id), series.precision);
        sheet.put("n", of, values.len(), Format::Integer, &rows);
        sheet.put("median", of, located(median(&values)), precision.summary(), &rows);
        sheet.put("q1", of, located(quantile(&values, 0.25, kind)), precision.summary(), &rows);
        sheet.put("q3", of, located(quantile(&values, 0.75, kind)), precision.summary(), &rows);
        sheet.put("min", of, located(quantile(&values, 0.0, kind)), precision.value(), &rows);
        sheet.put("max", of, located(quantile(&values, 1.0, kind)), precision.value(), &rows);
    }
}
