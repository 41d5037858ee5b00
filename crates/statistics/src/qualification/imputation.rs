//! Imputation by conditional means, and pooling over imputed data sets.

use super::inputs::{Inputs, number, wrong};
use super::outputs::Outputs;
use super::{Computed, Unsupported};
use crate::imputation::{
    Completed, Event, ImputationModel, Incomplete, IncompleteData, Pooled, PooledDegrees, Strategy,
    jackknife, pool,
};
use crate::mixed::{Covariance, Likelihood, Workspace};
use crate::models::{Design, Term, Variable, linear_model};
use crate::{Confidence, NotEstimable};

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

const STRATEGIES: [(&str, Strategy); 5] = [
    ("missing_at_random", Strategy::MissingAtRandom),
    ("jump_to_reference", Strategy::JumpToReference),
    ("copy_reference", Strategy::CopyReference),
    ("copy_increments", Strategy::CopyIncrements),
    ("last_mean_carried", Strategy::LastMeanCarried),
];

/// Conditional means at the restricted fit of visit by arm and visit by baseline, and the difference of arms at the last visit by
/// analysis of covariance, with its jackknife error.
pub(super) fn conditional_mean_imputation(input: Inputs<'_>) -> Result<Computed, Unsupported> {
    let (arm, base) = (input.present("arm")?, input.present("base")?);
    let visits = input.count("visits")? as usize;
    let events = input.series("event")?;
    let rows = input.value("y")?.as_array().ok_or_else(|| wrong("y", "a list of rows"))?;
    if [base.len(), events.len(), rows.len()].iter().any(|length| *length != arm.len()) {
        return Err(wrong("y", "as long as the arms, baselines and events"));
    }
    let responses = rows
        .iter()
        .map(|row| {
            let row = row.as_array().filter(|row| row.len() == visits);
            row.and_then(|row| row.iter().map(number).collect()).ok_or_else(|| wrong("y", "rows of numbers"))
        })
        .collect::<Result<Vec<Vec<Option<f64>>>, _>>()?;
    let mut out = Outputs::default();
    for (key, strategy) in STRATEGIES {
        let data = incomplete(&arm, &base, visits, &events, &responses, strategy);
        let mut space = Workspace::new();
        let model =
            ImputationModel { covariance: Covariance::Unstructured, likelihood: Likelihood::Restricted };
        let last = |completed: &Completed, who: &[usize]| {
            let y: Vec<f64> = completed.at(visits - 1).collect();
            let (arm, base): (Vec<f64>, Vec<f64>) = who.iter().map(|i| (arm[*i], base[*i])).unzip();
            let variables = [Variable::Covariate(&arm), Variable::Covariate(&base)];
            let design = Design::new(&variables, &[Term::main(0), Term::main(1)])?;
            Ok(linear_model(&design, &y)?.coefficients(Confidence::C95)[1].estimate)
        };
        let answer = data.as_ref().map_err(|e| *e).and_then(|data| jackknife(&mut space, data, model, last));
        let mut part = Outputs::default();
        part.put("est", answer.map(|a| a.estimate)).put("jackknife_se", answer.map(|a| a.se));
        out.put(key, part);
        if strategy == Strategy::MissingAtRandom {
            let value = data.and_then(|data| data.minus_twice_log_likelihood(&mut space, model));
            out.put("neg2loglik", value);
        }
    }
    Ok(out.done())
}

fn incomplete(
    arm: &[f64],
    base: &[f64],
    visits: usize,
    events: &[Option<f64>],
    responses: &[Vec<Option<f64>>],
    strategy: Strategy,
) -> Result<IncompleteData, NotEstimable> {
    let mut data = IncompleteData::new(visits, &[true, true, true])?;
    for i in 0..arm.len() {
        // Visits are counted from 1 in a case.
        let event = events[i].map(|visit| Event { visit: (visit as usize).saturating_sub(1), strategy });
        data.push(Incomplete {
            covariates: &[1.0, arm[i], base[i]],
            as_reference: &[1.0, 0.0, base[i]],
            responses: &responses[i],
            event,
            stratum: usize::from(arm[i] != 0.0),
        })?;
    }
    Ok(data)
}
