//! Event rates.

use super::inputs::{Inputs, wrong};
use super::outputs::Outputs;
use super::{Computed, Unsupported};
use crate::Confidence;
use crate::rates::rate_ratio;

pub(super) fn poisson_rate(input: Inputs<'_>) -> Result<Computed, Unsupported> {
    let (events, time) = (input.present("events")?, input.present("time")?);
    if events.iter().any(|e| *e < 0.0 || e.fract() != 0.0) {
        return Err(wrong("events", "counts"));
    }
    let mut out = Outputs::default();
    match (events.as_slice(), time.as_slice()) {
        ([e], [t]) => {
            let one = crate::rates::poisson_rate(*e as u64, *t, Confidence::C95);
            out.put("rate", one.map(|r| r.rate)).put("exact_ci95", one.map(|r| r.interval));
        }
        ([e1, e2], [t1, t2]) => {
            let two = rate_ratio((*e1 as u64, *t1), (*e2 as u64, *t2), Confidence::C95);
            out.put("rate_ratio", two.map(|r| r.ratio))
                .put("p_exact", two.map(|r| r.p_two_sided))
                .put("exact_ci95", two.map(|r| r.interval));
        }
        _ => return Err(wrong("events, time", "one or two numbers each")),
    }
    Ok(out.done())
}
