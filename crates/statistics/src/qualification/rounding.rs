//! Rounding half away from zero.

use super::inputs::Inputs;
use super::outputs::Outputs;
use super::{Computed, Unsupported};
use crate::NotEstimable;
use crate::rounding::round_half_away;

pub(super) fn rounding(input: Inputs<'_>) -> Result<Computed, Unsupported> {
    let places = input.count("places")? as usize;
    let rounded = |x| round_half_away(x, places).ok_or(NotEstimable::NotFinite);
    let texts: Vec<Result<String, NotEstimable>> = input.present("x")?.into_iter().map(rounded).collect();
    let mut out = Outputs::default();
    out.put("text", texts);
    Ok(out.done())
}
