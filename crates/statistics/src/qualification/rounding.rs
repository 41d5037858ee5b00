//! Rounding half away from zero.

use serde_json::Value;

use super::Unsupported;
use super::inputs::Inputs;
use super::outputs::Outputs;
use crate::rounding::round_half_away;

pub(super) fn rounding(input: Inputs<'_>) -> Result<Value, Unsupported> {
    let places = input.count("places")? as usize;
    let texts: Vec<Option<String>> =
        input.present("x")?.into_iter().map(|x| round_half_away(x, places)).collect();
    let mut out = Outputs::default();
    out.put("text", texts);
    Ok(out.done())
}
