//! Adjusted p-values.

use serde_json::Value;

use super::Unsupported;
use super::inputs::Inputs;
use super::outputs::Outputs;
use crate::multiplicity::{Adjustment, adjust};

pub(super) fn multiplicity(input: Inputs<'_>) -> Result<Value, Unsupported> {
    let p = input.present("p")?;
    let mut out = Outputs::default();
    for (name, adjustment) in [
        ("bonferroni", Adjustment::Bonferroni),
        ("holm", Adjustment::Holm),
        ("hochberg", Adjustment::Hochberg),
        ("hommel", Adjustment::Hommel),
        ("BH", Adjustment::BenjaminiHochberg),
        ("BY", Adjustment::BenjaminiYekutieli),
    ] {
        out.put(name, adjust(&p, adjustment));
    }
    Ok(out.done())
}
