//! Laboratory grades, liver injury and stopping.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{Unsupported, input::Fields, output};
use crate::{
    answers::binary,
    binomial_safety::{self as binomial, BetaPrior},
    ctcae5_labs::{LabTest, Sample},
    dili_hys_law as dili,
    stopping_rule::{StoppingRule, crossing_probability},
};

pub(super) fn ctcae5_labs(fields: &Fields<'_>) -> Result<Value, Unsupported> {
    let test = fields.coded("test", LabTest::by_code)?;
    let sample = Sample {
        value: fields.number("value")?,
        lln: fields.number("lln")?,
        uln: fields.number("uln")?,
        baseline: fields.number("baseline")?,
    };
    Ok(json!({"grade": output::plain(test.grade(&sample))}))
}

pub(super) fn dili_hys_law(fields: &Fields<'_>) -> Result<Value, Unsupported> {
    let multiples = dili::Multiples {
        alt: fields.number("alt_x_uln")?,
        ast: fields.number("ast_x_uln")?,
        alp: fields.number("alp_x_uln")?,
        bilirubin: fields.number("bili_x_uln")?,
    };
    Ok(json!({
        "r_value": output::decimal(dili::r_ratio(&multiples)),
        "pattern": output::plain(dili::pattern(&multiples).map(dili::Pattern::code)),
        "temple": output::truth(dili::temple(&multiples)),
        "potential_hys_law": output::truth(dili::potential_hys_law(&multiples)),
    }))
}

fn prior(fields: &Fields<'_>) -> Result<BetaPrior, Unsupported> {
    Ok(BetaPrior { a: binary(fields.needed_number("prior_a")?), b: binary(fields.needed_number("prior_b")?) })
}

pub(super) fn binomial_safety(fields: &Fields<'_>) -> Result<Value, Unsupported> {
    let (events, participants) = (fields.needed_count("events")?, fields.needed_count("n")?);
    let p0 = binary(fields.needed_number("p0")?);
    let exceeds = binomial::probability_exceeds(events, participants, p0, prior(fields)?);
    let interval = binomial::clopper_pearson(events, participants, 0.95).ok();
    Ok(json!({
        "post_prob_exceeds": output::number(exceeds.ok()),
        "cp95_low": output::number(interval.map(|(low, _)| low)),
        "cp95_high": output::number(interval.map(|(_, high)| high)),
    }))
}

pub(super) fn stopping_rule(fields: &Fields<'_>) -> Result<Value, Unsupported> {
    let n = fields.needed_count("n")?;
    let p0 = fields.needed_number("p0")?;
    let kind = fields.needed_text("kind")?;
    let rule = match kind {
        "beta_binomial" => StoppingRule::BetaBinomial {
            p0: binary(p0),
            prior: prior(fields)?,
            threshold: binary(fields.needed_number("threshold")?),
        },
        "pocock_binomial" => {
            StoppingRule::Pocock { p0: binary(p0), alpha: binary(fields.needed_number("alpha")?) }
        }
        other => return Err(fields.no_code("kind", other)),
    };
    let limits = rule.limits(n);
    let crossing = |p: Decimal| {
        let p = Some(binary(p)).filter(|p| *p <= 1.0);
        output::number(p.and_then(|p| limits.as_ref().ok().map(|limits| crossing_probability(limits, p))))
    };
    Ok(json!({
        "prob_stop_at_p0": crossing(p0),
        "prob_stop_at_p0_plus_0_2": crossing(p0 + Decimal::new(2, 1)),
        "stop_if_events_at_least": output::plain(limits),
    }))
}
