//! Pooling over imputed data sets.

use super::inputs::Inputs;
use super::outputs::Outputs;
use super::{Computed, Unsupported};
use crate::Confidence;
use crate::imputation::{Pooled, PooledDegrees, pool};

pub(super) fn rubin_pooling(input: Inputs<'_>) -> Result<Computed, Unsupported> {
    let (estimates, errors) = (input.present("est")?, input.present("se")?);
    let complete = input.number_or("df_complete", f64::INFINITY)?;
    let pooled = |degrees| pool(&estimates, &errors, degrees, Confidence::C95);
    let rubin = pooled(PooledDegrees::Rubin);
    let each = |get: fn(&Pooled) -> f64| rubin.as_ref().map(get).map_err(|e| *e);
    let mut out = Outputs::default();
    out.put("m", estimates.len())
        .put("qbar", each(|p| p.coefficient.estimate))
        .put("ubar", each(|p| p.within))
        .put("b", each(|p| p.between))
        .put("t", each(|p| p.total))
        .put("se", each(|p| p.coefficient.se))
        .put("riv", each(|p| p.relative_increase))
        .put("lambda", each(|p| p.share));
    for (key, degrees) in
        [("rubin1987", PooledDegrees::Rubin), ("barnard_rubin1999", PooledDegrees::BarnardRubin { complete })]
    {
        let own = pooled(degrees);
        let each = |get: fn(&Pooled) -> f64| own.as_ref().map(get).map_err(|e| *e);
        let mut part = Outputs::default();
        part.put("df", each(|p| p.df))
            .put("t", each(|p| p.coefficient.t))
            .put("p", each(|p| p.coefficient.p))
            .put("ci95", own.as_ref().map(|p| p.coefficient.interval).map_err(|e| *e))
            .put("fmi", each(|p| p.missing_information));
        out.put(key, part);
    }
    Ok(out.done())
}
