//! A stopping boundary over participants in the order in which they began treatment.

use protocol::model::{StoppingBoundary, StoppingRule};
use statistics::{
    NotEstimable,
    monitoring::{
        self, BetaPrior, beta_binomial_boundary, crossing_probability, pocock_boundary, posterior_exceeds,
    },
};
use terms::{Decimal, Value};

use super::confidence;
use crate::{
    Format,
    sheet::{Of, Sheet},
};

/// Says what the method does, with every option that changes a number.
pub(crate) fn words(options: &StoppingBoundary) -> String {
    let rule = match options.rule {
        StoppingRule::BetaBinomial { prior: [a, b], threshold } => format!(
            "stop once the probability of a rate above {} reaches {threshold} under the prior Beta({a}, {b})",
            options.p0
        ),
        StoppingRule::Pocock { alpha } => format!(
            "the same binomial tail at each number of participants, crossed with probability {alpha} at most if the rate is {}",
            options.p0
        ),
    };
    format!(
        "Stopping boundary for {} participants in order of their first dose: {rule}",
        options.participants
    )
}

fn number(decimal: Decimal) -> f64 {
    Value::Decimal(decimal).as_f64().unwrap_or(f64::NAN)
}

fn prior(options: &StoppingBoundary) -> Option<Result<BetaPrior, NotEstimable>> {
    match options.rule {
        StoppingRule::BetaBinomial { prior: [a, b], .. } => Some(BetaPrior::new(number(a), number(b))),
        StoppingRule::Pocock { .. } => None,
    }
}

/// Returns the boundary of a rule.
pub(crate) fn boundary(options: &StoppingBoundary) -> Result<monitoring::StoppingBoundary, NotEstimable> {
    let (planned, p0) = (u64::from(options.participants), number(options.p0));
    match options.rule {
        StoppingRule::BetaBinomial { prior: [a, b], threshold } => {
            let prior = BetaPrior::new(number(a), number(b))?;
            beta_binomial_boundary(planned, p0, prior, confidence(threshold)?)
        }
        StoppingRule::Pocock { alpha } => pocock_boundary(planned, p0, number(alpha)),
    }
}

/// Compares the events so far with the boundary after each participant; `events` in the order of treatment.
///
/// Keys: `n events`, `limit` (events that stop at this n), `reached_at` (participants when the boundary was
/// first reached), `crossing` (the exact probability of ever reaching it at p0), and of a beta-binomial rule
/// `posterior` (the probability of a rate above p0).
pub(crate) fn stopping_boundary(
    sheet: &mut Sheet<'_>,
    of: Of<'_>,
    events: &[bool],
    (event_rows, n_rows): (usize, usize),
    options: &StoppingBoundary,
) {
    let p0 = number(options.p0);
    let prior = prior(options);
    let boundary = boundary(options);
    let boundary = boundary.as_ref().map_err(|reason| *reason);
    let (n, count) = (events.len(), events.iter().filter(|event| **event).count());
    let limit = boundary.and_then(|boundary| {
        let limits = &boundary.stop_if_events_at_least;
        let place = n.checked_sub(1).ok_or(NotEstimable::NoObservations)?;
        limits
            .get(place)
            .map(|limit| *limit as f64)
            .ok_or(NotEstimable::OutOfRange { name: "number evaluable" })
    });
    let reached = boundary.map_err(|reason| reason.to_string()).and_then(|boundary| {
        let mut so_far = 0;
        for (place, event) in events.iter().enumerate().take(options.participants as usize) {
            so_far += u64::from(*event);
            let judged = boundary.judge(so_far, place as u64 + 1).map_err(|reason| reason.to_string())?;
            if judged == monitoring::StoppingReached::Stop {
                return Ok(place as f64 + 1.0);
            }
        }
        Err("the boundary was not reached".to_owned())
    });
    let rows = [event_rows, n_rows];
    sheet.put("events", of, count, Format::Integer, &[event_rows]);
    sheet.put("n", of, n, Format::Integer, &[n_rows]);
    sheet.put("limit", of, limit, Format::Integer, &[n_rows]);
    sheet.put("reached_at", of, reached, Format::Integer, &rows);
    // Without participants there is nothing to judge, not even by the prior.
    let somebody = if n == 0 { Err(NotEstimable::NoObservations) } else { Ok(()) };
    let crossing = somebody.and(boundary).and_then(|boundary| crossing_probability(boundary, p0));
    sheet.put("crossing", of, crossing, Format::Decimals(3), &[n_rows]);
    if let Some(prior) = prior {
        let posterior =
            somebody.and(prior).and_then(|prior| posterior_exceeds(count as u64, n as u64, p0, prior));
        sheet.put("posterior", of, posterior, Format::Decimals(3), &rows);
    }
}
