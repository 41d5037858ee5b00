//! Adjusted p-values.

use super::inputs::Inputs;
use super::outputs::Outputs;
use super::{Computed, Unsupported};
use crate::multiplicity::{Adjustment, adjust};

pub(super) fn multiplicity(input: Inputs<'_>) -> Result<Computed, Unsupported> {
    let series = input.series("p")?;
    let p: Vec<f64> = series.iter().flatten().copied().collect();
    let mut out = Outputs::default();
    for (name, adjustment) in [
        ("bonferroni", Adjustment::Bonferroni),
        ("holm", Adjustment::Holm),
        ("hochberg", Adjustment::Hochberg),
        ("hommel", Adjustment::Hommel),
        ("BH", Adjustment::BenjaminiHochberg),
        ("BY", Adjustment::BenjaminiYekutieli),
    ] {
        // A missing p-value stays missing, in its place.
        let in_place = adjust(&p, adjustment).map(|adjusted| {
            let mut adjusted = adjusted.into_iter();
            series.iter().map(|p| p.and_then(|_| adjusted.next())).collect::<Vec<_>>()
        });
        out.put(name, in_place);
    }
    Ok(out.done())
}
