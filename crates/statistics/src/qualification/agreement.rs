//! Agreement and blinding.

use super::inputs::{Inputs, wrong};
use super::outputs::Outputs;
use super::{Computed, Unsupported};
use crate::agreement::{IccModel, KappaWeights};
use crate::blinding::{BlindingIndex, Guesses, bang_index, james_index};
use crate::proportions::Table;
use crate::{Confidence, NotEstimable};

pub(super) fn icc(input: Inputs<'_>) -> Result<Computed, Unsupported> {
    let ratings = input.numbers_by_row("ratings")?;
    let mut out = Outputs::default();
    for (name, model) in [
        ("ICC1", IccModel::OneWay),
        ("ICC2", IccModel::TwoWayAgreement),
        ("ICC3", IccModel::TwoWayConsistency),
    ] {
        let icc = crate::agreement::icc(&ratings, model, Confidence::C95);
        let mut part = Outputs::default();
        part.put("estimate", icc.map(|i| i.estimate))
            .put("ci95", icc.map(|i| i.interval))
            .put("F", icc.map(|i| i.f))
            .put("df", icc.map(|i| i.df))
            .put("p", icc.map(|i| i.p));
        out.put(name, part);
    }
    Ok(out.done())
}

pub(super) fn bland_altman(input: Inputs<'_>) -> Result<Computed, Unsupported> {
    let (first, second): (Vec<f64>, Vec<f64>) =
        input.series("x")?.into_iter().zip(input.series("y")?).filter_map(|(a, b)| a.zip(b)).unzip();
    let limits = crate::agreement::bland_altman(&first, &second, Confidence::C95);
    let mut out = Outputs::default();
    out.put("n", limits.map(|l| l.n))
        .put("bias", limits.map(|l| l.bias))
        .put("bias_ci95", limits.map(|l| l.bias_interval))
        .put("sd", limits.map(|l| l.sd))
        .put("limits", limits.map(|l| l.limits))
        .put("lower_limit_ci95", limits.map(|l| l.lower_limit_interval))
        .put("upper_limit_ci95", limits.map(|l| l.upper_limit_interval));
    Ok(out.done())
}

pub(super) fn kappa(input: Inputs<'_>) -> Result<Computed, Unsupported> {
    let table =
        Table::from_rows(&input.rows("table_rows")?).map_err(|_| wrong("table_rows", "a square table"))?;
    let mut out = Outputs::default();
    for (name, weights) in [
        ("unweighted", KappaWeights::Unweighted),
        ("linear", KappaWeights::Linear),
        ("quadratic", KappaWeights::Quadratic),
    ] {
        let kappa = crate::agreement::kappa(&table, weights, Confidence::C95);
        let mut part = Outputs::default();
        part.put("estimate", kappa.map(|k| k.estimate))
            .put("se", kappa.map(|k| k.se))
            .put("ci95", kappa.map(|k| k.interval))
            .put("se_null", kappa.map(|k| k.se_null))
            .put("p", kappa.map(|k| k.p));
        out.put(name, part);
    }
    Ok(out.done())
}

/// Each arm is given as right guesses, wrong guesses, "don't know".
pub(super) fn blinding_index(input: Inputs<'_>) -> Result<Computed, Unsupported> {
    let arm = |name: &str| match input.counts(name)?.as_slice() {
        &[right, wrong, unknown] => Ok(Guesses { right, wrong, unknown }),
        _ => Err(wrong(name, "three counts")),
    };
    let arms = [arm("arm1")?, arm("arm2")?];
    let put = |index: Result<BlindingIndex, NotEstimable>| {
        let mut part = Outputs::default();
        part.put("estimate", index.map(|i| i.estimate))
            .put("se", index.map(|i| i.se))
            .put("ci95", index.map(|i| i.interval))
            .put("p", index.map(|i| i.p_two_sided));
        part
    };
    let mut out = Outputs::default();
    out.put("bang_arm1", put(bang_index(arms[0], Confidence::C95)))
        .put("bang_arm2", put(bang_index(arms[1], Confidence::C95)))
        .put("james", put(james_index(arms, Confidence::C95)));
    Ok(out.done())
}
