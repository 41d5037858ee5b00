//! Regression models.

use super::formula::{Frame, LevelOrder};
use super::inputs::{Inputs, wrong};
use super::outputs::{Outputs, one_or_many};
use super::{Computed, Unsupported};
use crate::models::{LinearFit, LsWeights, RobustError, linear_model, logistic_regression, ls_means};
use crate::{Confidence, NotEstimable};

fn sides<'a>(input: Inputs<'a>) -> Result<(&'a str, &'a str), Unsupported> {
    let (left, right) =
        input.text("formula")?.split_once('~').ok_or_else(|| wrong("formula", "a formula"))?;
    Ok((left.trim(), right.trim()))
}

fn response(input: Inputs<'_>, name: &str, frame: &Frame) -> Result<Vec<f64>, Unsupported> {
    let all = input.object("data")?.series(name)?;
    frame.rows.iter().map(|i| all[*i].ok_or_else(|| wrong(name, "a list of numbers"))).collect()
}

pub(super) fn ancova(input: Inputs<'_>) -> Result<Computed, Unsupported> {
    let (left, right) = sides(input)?;
    let frame = Frame::read(input, right, &[left], LevelOrder::Alphabetical)?;
    let y = response(input, left, &frame)?;
    let mut out = Outputs::default();
    let design = frame.design();
    let fit = match &design {
        Ok(design) => linear_model(design, &y),
        Err(e) => Err(*e),
    };
    if let Ok(design) = &design {
        out.put("terms", one_or_many(frame.column_names(design)));
    }
    put_fit(&mut out, &frame, &fit);
    put_means(&mut out, &frame, &fit);
    for (name, kind) in [
        ("se_HC0", RobustError::Hc0),
        ("se_HC1", RobustError::Hc1),
        ("se_HC2", RobustError::Hc2),
        ("se_HC3", RobustError::Hc3),
    ] {
        out.put(name, fit.as_ref().map_err(|e| *e).and_then(|f| f.robust_errors(kind)));
    }
    Ok(out.done())
}

type Fit<'d, 'a> = Result<LinearFit<'d, 'a>, NotEstimable>;

fn put_fit(out: &mut Outputs, frame: &Frame, fit: &Fit<'_, '_>) {
    let fit = fit.as_ref().map_err(|e| *e);
    let coefficients = fit.map(|f| f.coefficients(Confidence::C95));
    let coefficients = coefficients.as_ref().map_err(|e| *e);
    let each = |get: fn(&crate::models::Coefficient) -> f64| {
        coefficients.map(|c| c.iter().map(get).collect::<Vec<_>>())
    };
    out.put("coef", each(|c| c.estimate))
        .put("se", each(|c| c.se))
        .put("t", each(|c| c.t))
        .put("p", each(|c| c.p))
        .put("ci95", coefficients.map(|c| c.iter().map(|c| c.interval).collect::<Vec<_>>()))
        .put("sigma", fit.map(|f| f.sigma))
        .put("df_resid", fit.map(|f| f.df_residual))
        .put("r2", fit.map(|f| f.r_squared))
        .put("adj_r2", fit.map(|f| f.adjusted_r_squared))
        .put("F", fit.map(|f| f.f))
        .put("aic", fit.map(LinearFit::aic))
        .put("bic", fit.map(LinearFit::bic))
        .put("loglik", fit.map(|f| f.log_likelihood));
    if let Ok(tests) = fit.and_then(LinearFit::term_tests) {
        out.put("drop1_terms", one_or_many(tests.iter().map(|t| frame.term_name(t.term)).collect()))
            .put("drop1_F", tests.iter().map(|t| t.f).collect::<Vec<_>>())
            .put("drop1_p", tests.iter().map(|t| t.p).collect::<Vec<_>>());
    }
}

fn put_means(out: &mut Outputs, frame: &Frame, fit: &Fit<'_, '_>) {
    let (Ok(fit), Some(factor)) = (fit, frame.factor_with_levels()) else { return };
    for (name, weights) in
        [("lsmeans_equal", LsWeights::Equal), ("lsmeans_proportional", LsWeights::Proportional)]
    {
        let Ok(answer) = ls_means(fit, factor, weights, Confidence::C95) else { return };
        let means: Vec<_> = answer.means.iter().map(|m| m.mean).collect();
        out.put(name, coefficient_lists(&means, fit.df_residual));
        if weights == LsWeights::Equal {
            let contrasts: Vec<_> = answer.contrasts.iter().map(|c| c.difference).collect();
            out.put("contrast_vs_first", coefficient_lists(&contrasts, fit.df_residual));
        }
    }
}

fn coefficient_lists(list: &[crate::models::Coefficient], df: f64) -> Outputs {
    let each = |get: fn(&crate::models::Coefficient) -> f64| list.iter().map(get).collect::<Vec<_>>();
    let mut part = Outputs::default();
    part.put("est", each(|c| c.estimate))
        .put("se", each(|c| c.se))
        .put("df", vec![df; list.len()])
        .put("lower", each(|c| c.interval.lower))
        .put("upper", each(|c| c.interval.upper))
        .put("t", each(|c| c.t))
        .put("p", each(|c| c.p));
    part
}

pub(super) fn logistic(input: Inputs<'_>) -> Result<Computed, Unsupported> {
    let (left, right) = sides(input)?;
    let frame = Frame::read(input, right, &[left], LevelOrder::Alphabetical)?;
    let y: Vec<f64> = response(input, left, &frame)?;
    if y.iter().any(|v| *v != 0.0 && *v != 1.0) {
        return Err(wrong(left, "a list of zeros and ones"));
    }
    let y: Vec<bool> = y.iter().map(|v| *v == 1.0).collect();
    let design = frame.design();
    let fit = match &design {
        Ok(design) => logistic_regression(design, &y, Confidence::C95),
        Err(e) => Err(*e),
    };
    let fit = fit.as_ref().map_err(|e| *e);
    let each = |get: fn(&crate::models::LogisticCoefficient) -> f64| {
        fit.map(|f| f.coefficients.iter().map(get).collect::<Vec<_>>())
    };
    let mut out = Outputs::default();
    if let Ok(design) = &design {
        out.put("terms", one_or_many(frame.column_names(design)));
    }
    out.put("coef", each(|c| c.estimate))
        .put("se", each(|c| c.se))
        .put("z", each(|c| c.z))
        .put("p", each(|c| c.p))
        .put("ci95_wald", fit.map(|f| f.coefficients.iter().map(|c| c.interval).collect::<Vec<_>>()))
        .put("deviance", fit.map(crate::models::LogisticFit::deviance))
        .put("null_deviance", fit.map(crate::models::LogisticFit::null_deviance))
        .put("aic", fit.map(crate::models::LogisticFit::aic))
        .put("loglik", fit.map(|f| f.log_likelihood))
        .put("lr_p_vs_null", fit.map(|f| f.p_likelihood_ratio));
    Ok(out.done())
}
