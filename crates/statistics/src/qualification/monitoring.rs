//! Stopping boundaries, posterior and predictive probabilities.

use super::inputs::{Inputs, wrong};
use super::outputs::Outputs;
use super::{Computed, Unsupported};
use crate::Confidence;
use crate::monitoring::{
    BetaPrior, StoppingBoundary, beta_binomial_boundary, crossing_probability, pocock_boundary,
    posterior_exceeds,
};
use crate::proportions::clopper_pearson;

fn prior(input: Inputs<'_>) -> Result<BetaPrior, Unsupported> {
    BetaPrior::new(input.number("prior_a")?, input.number("prior_b")?)
        .map_err(|_| wrong("prior_a, prior_b", "two positive numbers"))
}

fn threshold(input: Inputs<'_>) -> Result<Confidence, Unsupported> {
    Confidence::new(input.number("threshold")?).map_err(|_| wrong("threshold", "between 0 and 1"))
}

pub(super) fn stopping_rule(input: Inputs<'_>) -> Result<Computed, Unsupported> {
    let (n, p0) = (input.count("n")?, input.number("p0")?);
    let boundary = match input.text("kind")? {
        "beta_binomial" => beta_binomial_boundary(n, p0, prior(input)?, threshold(input)?),
        "pocock_binomial" => pocock_boundary(n, p0, input.number("alpha")?),
        _ => return Err(wrong("kind", "a known boundary")),
    };
    let boundary: Result<&StoppingBoundary, _> = boundary.as_ref().map_err(|e| *e);
    let crossing = |p: f64| boundary.and_then(|b| crossing_probability(b, p));
    let mut out = Outputs::default();
    out.put("stop_if_events_at_least", boundary.map(|b| b.stop_if_events_at_least.clone()))
        .put("prob_stop_at_p0", crossing(p0))
        .put("prob_stop_at_p0_plus_0_2", crossing(p0 + 0.2));
    Ok(out.done())
}

pub(super) fn binomial_safety(input: Inputs<'_>) -> Result<Computed, Unsupported> {
    let (x, n) = (input.count("events")?, input.count("n")?);
    let interval = clopper_pearson(x, n, Confidence::C95);
    let mut out = Outputs::default();
    out.put("post_prob_exceeds", posterior_exceeds(x, n, input.number("p0")?, prior(input)?))
        .put("cp95_low", interval.map(|i| i.lower))
        .put("cp95_high", interval.map(|i| i.upper));
    Ok(out.done())
}

pub(super) fn predictive_probability(input: Inputs<'_>) -> Result<Computed, Unsupported> {
    let (x, n, n_final) = (input.count("events")?, input.count("n")?, input.count("n_final")?);
    let (p0, prior) = (input.number("p0")?, prior(input)?);
    let mut out = Outputs::default();
    out.put("posterior", posterior_exceeds(x, n, p0, prior)).put(
        "predictive",
        crate::monitoring::predictive_probability(x, n, n_final, p0, threshold(input)?, prior),
    );
    Ok(out.done())
}
