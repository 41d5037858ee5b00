//! Survival analysis.

use super::formula::{Frame, LevelOrder};
use super::inputs::{Inputs, wrong};
use super::outputs::{Outputs, one_or_many};
use super::{Computed, Unsupported};
use crate::survival::{
    BeyondLast, CoxFit, LogRank, LogRankWeights, Stopping, SurvivalInterval, Ties, Times, concordance,
    cox_regression, kaplan_meier, log_rank, proportional_hazards_test,
};
use crate::{Confidence, NotEstimable};

/// The series of one case.
struct Data {
    time: Vec<f64>,
    event: Vec<bool>,
    groups: Vec<String>,
    group: Vec<usize>,
    stratum: Option<Vec<usize>>,
}

pub(super) fn survival(input: Inputs<'_>) -> Result<Computed, Unsupported> {
    let data = read(input)?;
    let times = Times::new(&data.time, &data.event);
    let mut out = Outputs::default();
    put_curves(&mut out, input, &data)?;
    put_log_rank(&mut out, times, &data);
    if input.has("cox") {
        put_cox(&mut out, input, &data)?;
    }
    Ok(out.done())
}

fn read(input: Inputs<'_>) -> Result<Data, Unsupported> {
    let series = input.object("data")?;
    let time = series.present("time")?;
    let event: Vec<bool> = series.present("status")?.into_iter().map(|s| s == 1.0).collect();
    let names = names_of(series, "group")?;
    let (groups, group) = match input.has("group_levels") {
        true => given_levels(names, names_of(input, "group_levels")?)?,
        false => levels(names),
    };
    let stratum = if series.has("stratum") { Some(levels(names_of(series, "stratum")?).1) } else { None };
    if [event.len(), group.len(), stratum.as_ref().map_or(time.len(), Vec::len)]
        .iter()
        .any(|n| *n != time.len())
    {
        return Err(wrong("data", "series of one length without missing values"));
    }
    Ok(Data { time, event, groups, group, stratum })
}

/// The levels as they are given, and codes.
fn given_levels(names: Vec<String>, given: Vec<String>) -> Result<(Vec<String>, Vec<usize>), Unsupported> {
    let code = |name: String| given.iter().position(|level| *level == name);
    let codes: Option<Vec<usize>> = names.into_iter().map(code).collect();
    Ok((given.clone(), codes.ok_or_else(|| wrong("group", "a list of known levels"))?))
}

fn names_of(series: Inputs<'_>, name: &str) -> Result<Vec<String>, Unsupported> {
    let list = series.value(name)?.as_array().ok_or_else(|| wrong(name, "a list"))?;
    Ok(list.iter().map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned)).collect())
}

/// Levels in order of appearance, and codes.
fn levels(names: Vec<String>) -> (Vec<String>, Vec<usize>) {
    let mut seen: Vec<String> = Vec::new();
    let mut codes = Vec::with_capacity(names.len());
    for name in names {
        let code = seen.iter().position(|s| *s == name).unwrap_or_else(|| {
            seen.push(name);
            seen.len() - 1
        });
        codes.push(code);
    }
    (seen, codes)
}

fn put_curves(out: &mut Outputs, input: Inputs<'_>, data: &Data) -> Result<(), Unsupported> {
    let horizon = if input.has("tau") { Some(input.number("tau")?) } else { None };
    let mut curves = Outputs::default();
    for (code, name) in data.groups.iter().enumerate() {
        let of_group = |i: &usize| data.group[*i] == code;
        let time: Vec<f64> = (0..data.time.len()).filter(of_group).map(|i| data.time[i]).collect();
        let event: Vec<bool> = (0..data.time.len()).filter(of_group).map(|i| data.event[i]).collect();
        let Ok(times) = Times::new(&time, &event) else { continue };
        let curve = kaplan_meier(times);
        let mut part = Outputs::default();
        part.put("time", curve.steps.iter().map(|s| s.time).collect::<Vec<_>>())
            .put("n_risk", curve.steps.iter().map(|s| s.at_risk).collect::<Vec<_>>())
            .put("n_event", curve.steps.iter().map(|s| s.events).collect::<Vec<_>>())
            .put("surv", curve.steps.iter().map(|s| s.survival).collect::<Vec<_>>())
            .put("se_greenwood", curve.steps.iter().map(|s| s.se()).collect::<Vec<_>>())
            .put("median", curve.quantile(0.5));
        for (suffix, kind) in [("log", SurvivalInterval::Log), ("loglog", SurvivalInterval::LogLog)] {
            let limits: Vec<_> = curve.steps.iter().map(|s| s.interval(kind, Confidence::C95)).collect();
            part.put(
                format!("lower_{suffix}"),
                limits.iter().map(|i| i.map(|i| i.lower)).collect::<Vec<_>>(),
            )
            .put(format!("upper_{suffix}"), limits.iter().map(|i| i.map(|i| i.upper)).collect::<Vec<_>>());
            let (lower, upper) = curve.quantile_limits(0.5, kind, Confidence::C95);
            part.put(format!("median_ci_{suffix}"), [lower, upper]);
        }
        if let Some(horizon) = horizon {
            let mean = curve.restricted_mean(horizon, BeyondLast::Extend);
            part.put("rmst_tau", horizon)
                .put("rmst", mean.map(|m| m.mean))
                .put("rmst_se", mean.map(|m| m.se));
        }
        curves.put(name.as_str(), part);
    }
    out.put("km", curves);
    Ok(())
}

fn put_log_rank(out: &mut Outputs, times: Result<Times<'_>, NotEstimable>, data: &Data) {
    let run = |strata: Option<&[usize]>, weights| {
        times.and_then(|t| log_rank(t, &data.group, data.groups.len(), strata, weights))
    };
    let short = |test: &Result<LogRank, NotEstimable>| {
        let test = test.as_ref().map_err(|e| *e);
        let mut part = Outputs::default();
        part.put("chisq", test.map(|t| t.chi_squared)).put("p", test.map(|t| t.p));
        part
    };
    let plain = run(None, LogRankWeights::Equal);
    let test = plain.as_ref().map_err(|e| *e);
    let mut part = short(&plain);
    part.put("obs", test.map(|t| t.observed.clone()))
        .put("exp", test.map(|t| t.expected.clone()))
        .put("df", test.map(|t| t.df));
    out.put("logrank", part);
    out.put("peto_peto_rho1", short(&run(None, LogRankWeights::Survival)));
    if let Some(strata) = &data.stratum {
        out.put("logrank_stratified", short(&run(Some(strata), LogRankWeights::Equal)));
    }
}

fn put_cox(out: &mut Outputs, input: Inputs<'_>, data: &Data) -> Result<(), Unsupported> {
    let frame = Frame::read(input, input.text("cox")?, &["time", "status"], LevelOrder::Appearance)?;
    if frame.rows.len() != data.time.len() {
        return Err(wrong("data", "without missing values"));
    }
    let design = frame.design_without_intercept();
    let times = Times::new(&data.time, &data.event);
    let (Ok(design), Ok(times)) = (design, times) else { return Ok(()) };
    for (name, ties) in
        [("cox_efron", Ties::Efron), ("cox_breslow", Ties::Breslow), ("cox_exact", Ties::Exact)]
    {
        let fit = cox_regression(times, &design, None, ties, Stopping::AtRounding, Confidence::C95);
        let agreement =
            fit.as_ref().map_err(|e| *e).and_then(|f| concordance(times, &design, None, &f.estimates()));
        let mut part = Outputs::default();
        part.put("terms", one_or_many(frame.column_names(&design)));
        put_cox_fit(&mut part, &fit);
        part.put("concordance", agreement);
        out.put(name, part);
        if ties == Ties::Efron {
            // R tests a fit that stopped at its default, and U = 0 is then only nearly so.
            let stopped =
                cox_regression(times, &design, None, ties, Stopping::LikelihoodChange(1e-9), Confidence::C95);
            let tests = stopped.and_then(|f| proportional_hazards_test(times, &design, None, ties, &f));
            let tests = tests.as_ref().map_err(|e| *e);
            let term = |t: Option<usize>| t.map_or("GLOBAL".to_owned(), |t| frame.term_name(t));
            let mut part = Outputs::default();
            part.put("terms", tests.map(|t| t.iter().map(|t| term(t.term)).collect::<Vec<_>>()))
                .put("chisq", tests.map(|t| t.iter().map(|t| t.chi_squared).collect::<Vec<_>>()))
                .put("p", tests.map(|t| t.iter().map(|t| t.p).collect::<Vec<_>>()));
            out.put("cox_zph", part);
        }
    }
    Ok(())
}

fn put_cox_fit(part: &mut Outputs, fit: &Result<CoxFit, NotEstimable>) {
    let fit = fit.as_ref().map_err(|e| *e);
    let each = |get: fn(&crate::survival::CoxCoefficient) -> f64| {
        fit.map(|f| f.coefficients.iter().map(get).collect::<Vec<_>>())
    };
    part.put("coef", each(|c| c.estimate))
        .put("hr", each(|c| c.hazard_ratio))
        .put("se", each(|c| c.se))
        .put("p", each(|c| c.p))
        .put(
            "hr_ci95",
            fit.map(|f| f.coefficients.iter().map(|c| c.hazard_ratio_interval).collect::<Vec<_>>()),
        )
        .put("loglik", fit.map(|f| [f.null_log_likelihood, f.log_likelihood]))
        .put("lr", fit.map(|f| f.likelihood_ratio))
        // R's summary prints the Wald statistic with two decimals, and the reference took it from there.
        .put("wald", fit.map(|f| (f.wald * 100.0).round() / 100.0))
        .put("score", fit.map(|f| f.score));
}
