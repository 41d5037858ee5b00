//! Descriptive statistics.

use super::inputs::Inputs;
use super::outputs::Outputs;
use super::{Computed, Unsupported};
use crate::descriptive::{
    QuantileType, coefficient_of_variation_percent, geometric, mad, mean_interval_t, quantile, skewness_g1,
    standardised_difference_of_means, standardised_difference_of_shares, summarise, variance,
};
use crate::{Confidence, NotEstimable};

pub(super) fn descriptive(input: Inputs<'_>) -> Result<Computed, Unsupported> {
    let x = input.present("x")?;
    let summary = summarise(&x);
    let too_few = NotEstimable::TooFewObservations { needed: 2, found: x.len() };
    let quantiles = |probabilities: &[f64], kind| -> Vec<_> {
        probabilities.iter().map(|p| quantile(&x, *p, kind)).collect()
    };
    let quarters = [0.25, 0.5, 0.75];
    let ends = [0.05, 0.95];
    let geometric = geometric(&x);
    let mut out = Outputs::default();
    out.put("n", x.len())
        .put("mean", summary.map(|s| s.mean))
        .put("sd", summary.and_then(|s| s.sd.ok_or(too_few)))
        .put("se", summary.and_then(|s| s.se.ok_or(too_few)))
        .put("var", variance(&x))
        .put("median", summary.map(|s| s.median))
        .put("min", summary.map(|s| s.min))
        .put("max", summary.map(|s| s.max))
        .put("quartiles_type2_SAS_PCTLDEF5", quantiles(&quarters, QuantileType::Type2))
        .put("quartiles_type6_SPSS_PCTLDEF4", quantiles(&quarters, QuantileType::Type6))
        .put("quartiles_type7_R_default", quantiles(&quarters, QuantileType::Type7))
        .put("p05_p95_type2", quantiles(&ends, QuantileType::Type2))
        .put("p05_p95_type6", quantiles(&ends, QuantileType::Type6))
        .put("p05_p95_type7", quantiles(&ends, QuantileType::Type7))
        .put("mean_ci95_t", mean_interval_t(&x, Confidence::C95))
        .put("cv_percent", coefficient_of_variation_percent(&x))
        .put("geo_mean", geometric.map(|g| g.mean))
        .put("geo_cv_percent", geometric.and_then(|g| g.cv_percent.ok_or(too_few)))
        .put("mad_1.4826", mad(&x))
        .put("skewness_g1", skewness_g1(&x));
    Ok(out.done())
}

/// Of means where the inputs are series, of shares where they are counts.
pub(super) fn standardised_difference(input: Inputs<'_>) -> Result<Computed, Unsupported> {
    let difference = if input.has("first") {
        standardised_difference_of_shares(&input.counts("first")?, &input.counts("second")?)
    } else {
        standardised_difference_of_means(&input.present("x")?, &input.present("y")?)
    };
    let mut out = Outputs::default();
    out.put("difference", difference);
    Ok(out.done())
}
