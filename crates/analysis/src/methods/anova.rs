//! One-way analysis of variance.

use statistics::{
    NotEstimable,
    descriptive::summarise,
    models::{Design, Term, Variable, linear_model},
};

use super::Series;
use crate::{
    Format,
    outcome::Outcome,
    population::Population,
    sheet::{ALL, Sheet, group},
};

/// Tests whether the groups' means are equal, variances taken as equal.
///
/// Keys: `f df df_residual p`, and `n mean sd median min max` by group and in all.
pub(crate) fn anova(sheet: &mut Sheet<'_>, population: &Population, series: &Series<'_>) {
    for (place, id) in population.cuts() {
        let rows = [series.place(sheet.row_sets, place)];
        let values = series.outcomes.values(place, series.worst());
        let summary = summarise(&values);
        let too_few = NotEstimable::TooFewObservations { needed: 2, found: values.len() };
        let (of, precision) = (group(id), series.precision);
        sheet.put("n", of, values.len(), Format::Integer, &rows);
        sheet.put("mean", of, summary.map(|one| one.mean), precision.summary(), &rows);
        let sd = summary.and_then(|one| one.sd.ok_or(too_few));
        sheet.put("sd", of, sd, precision.spread(), &rows);
        sheet.put("median", of, summary.map(|one| one.median), precision.summary(), &rows);
        sheet.put("min", of, summary.map(|one| one.min), precision.value(), &rows);
        sheet.put("max", of, summary.map(|one| one.max), precision.value(), &rows);
    }
    let rows = [series.place(sheet.row_sets, None)];
    let (mut y, mut codes) = (Vec::new(), Vec::new());
    for entry in series.outcomes.of(None) {
        if let (Outcome::Value(value), Some(group)) = (entry.outcome, entry.group) {
            y.push(value);
            codes.push(group);
        }
    }
    let factor = [Variable::Factor { levels: population.groups.len(), codes: &codes }];
    let design = Design::new(&factor, &[Term::main(0)]);
    let fit = design.as_ref().map_err(|reason| *reason).and_then(|design| linear_model(design, &y));
    let fit = fit.as_ref().map_err(|reason| *reason);
    let test = fit.and_then(|fit| fit.term_tests()?.first().copied().ok_or(NotEstimable::SingularDesign));
    sheet.put("f", ALL, test.map(|test| test.f), Format::Decimals(2), &rows);
    sheet.put("df", ALL, test.map(|test| test.df), Format::Decimals(0), &rows);
    sheet.put("df_residual", ALL, fit.map(|fit| fit.df_residual), Format::Decimals(0), &rows);
    sheet.put("p", ALL, test.map(|test| test.p), Format::PValue, &rows);
}
