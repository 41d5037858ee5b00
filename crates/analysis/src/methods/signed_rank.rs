//! Wilcoxon's signed rank test, exact, with the pseudomedian.

use protocol::model::Zeros;
use statistics::{
    Confidence, NotEstimable,
    ranks::{self, hodges_lehmann_one_sample, signed_rank_exact},
};

use super::Series;
use crate::{
    Format,
    population::Population,
    sheet::{Sheet, group},
};

/// Tests outcomes against zero, in all and by group. Keys: `n v p pseudomedian lower upper`.
///
/// The null distribution is symmetric, so that both two-sided rules agree. The
/// pseudomedian and its interval take all outcomes, zeros included.
pub(crate) fn signed_rank(
    sheet: &mut Sheet<'_>,
    population: &Population,
    series: &Series<'_>,
    zeros: Zeros,
    level: Result<Confidence, NotEstimable>,
) {
    let zeros = match zeros {
        Zeros::Dropped => ranks::Zeros::Drop,
        Zeros::Pratt => ranks::Zeros::Pratt,
    };
    for (place, id) in population.cuts() {
        let rows = [series.place(sheet.row_sets, place)];
        let values = series.outcomes.values(place, series.worst());
        let ranked = ranks::signed_rank(&values, zeros);
        let exact = signed_rank_exact(&values, zeros);
        let shift = level.and_then(|level| hodges_lehmann_one_sample(&values, level));
        let located = |value: Result<f64, NotEstimable>| {
            value.map_err(|reason| reason.to_string()).and_then(|value| series.within(value))
        };
        let (of, decimals) = (group(id), series.precision.summary());
        sheet.put("n", of, values.len(), Format::Integer, &rows);
        sheet.put("v", of, ranked.map(|ranked| ranked.v_plus), Format::Decimals(1), &rows);
        sheet.put("p", of, exact.map(|exact| exact.p_two_sided), Format::PValue, &rows);
        sheet.put("pseudomedian", of, located(shift.map(|shift| shift.estimate)), decimals, &rows);
        let limits = shift.map(|shift| shift.interval.interval);
        sheet.put("lower", of, located(limits.map(|limits| limits.lower)), decimals, &rows);
        sheet.put("upper", of, located(limits.map(|limits| limits.upper)), decimals, &rows);
    }
}
