//! Designs.

use serde_json::Value;

use super::Unsupported;
use super::inputs::Inputs;
use super::outputs::Outputs;
use crate::NotEstimable;
use crate::planning::SimonDesign;

pub(super) fn simon_two_stage(input: Inputs<'_>) -> Result<Value, Unsupported> {
    let designs = crate::planning::simon_two_stage(
        input.number("p0")?,
        input.number("p1")?,
        input.number("alpha")?,
        input.number("beta")?,
        input.count("nmax")?,
    );
    let mut out = Outputs::default();
    let put = |design: Result<SimonDesign, NotEstimable>| {
        let mut part = Outputs::default();
        part.put("r1", design.map(|d| d.r1))
            .put("n1", design.map(|d| d.n1))
            .put("r", design.map(|d| d.r))
            .put("n", design.map(|d| d.n))
            .put("EN_p0", design.map(|d| d.expected_n))
            .put("PET_p0", design.map(|d| d.early_stop))
            .put("alpha_actual", design.map(|d| d.alpha))
            .put("power_actual", design.map(|d| d.power));
        part
    };
    out.put("optimal", put(designs.map(|d| d.optimal))).put("minimax", put(designs.map(|d| d.minimax)));
    Ok(out.done())
}
