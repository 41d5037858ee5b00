//! Tests of means.

use super::inputs::Inputs;
use super::outputs::Outputs;
use super::{Computed, Unsupported};
use crate::means::{TTest, Variances, one_sample_t, paired_t, two_sample_t, variance_ratio};
use crate::{Confidence, NotEstimable};

fn put_t(out: &mut Outputs, test: &Result<TTest, NotEstimable>) {
    out.put("estimate", [test.map(|t| t.estimate)])
        .put("stderr", test.map(|t| t.se))
        .put("t", test.map(|t| t.t))
        .put("df", test.map(|t| t.df))
        .put("p_two_sided", test.map(|t| t.p_two_sided))
        .put("p_less", test.map(|t| t.p_less))
        .put("p_greater", test.map(|t| t.p_greater))
        .put("ci95", test.map(|t| t.interval));
}

pub(super) fn t_one_sample(input: Inputs<'_>) -> Result<Computed, Unsupported> {
    let test = one_sample_t(&input.present("x")?, input.number_or("mu", 0.0)?, Confidence::C95);
    let mut out = Outputs::default();
    put_t(&mut out, &test);
    Ok(out.done())
}

pub(super) fn t_paired(input: Inputs<'_>) -> Result<Computed, Unsupported> {
    let (before, after): (Vec<f64>, Vec<f64>) =
        input.series("pre")?.into_iter().zip(input.series("post")?).filter_map(|(b, a)| b.zip(a)).unzip();
    let paired = paired_t(&before, &after, Confidence::C95);
    let mut out = Outputs::default();
    put_t(&mut out, &paired.map(|p| p.test));
    out.put("sd_diff", paired.map(|p| p.test.sd))
        .put("cohen_dz", paired.map(|p| p.cohen_dz))
        .put("pearson_r", paired.map(|p| p.pearson_r));
    Ok(out.done())
}

pub(super) fn t_two_sample(input: Inputs<'_>) -> Result<Computed, Unsupported> {
    let (x, y) = (input.present("x")?, input.present("y")?);
    let mut out = Outputs::default();
    for (name, variances) in [("welch", Variances::Unequal), ("pooled", Variances::Equal)] {
        let test = two_sample_t(&x, &y, variances, Confidence::C95);
        let mut part = Outputs::default();
        part.put("estimate", test.map(|t| t.means))
            .put("stderr", test.map(|t| t.se))
            .put("t", test.map(|t| t.t))
            .put("df", test.map(|t| t.df))
            .put("p_two_sided", test.map(|t| t.p_two_sided))
            .put("p_less", test.map(|t| t.p_less))
            .put("p_greater", test.map(|t| t.p_greater))
            .put("ci95", test.map(|t| t.interval));
        out.put(name, part);
    }
    let ratio = variance_ratio(&x, &y, Confidence::C95);
    let mut part = Outputs::default();
    part.put("F", ratio.map(|r| r.f))
        .put("df", ratio.map(|r| r.df))
        .put("p", ratio.map(|r| r.p_two_sided))
        .put("ci95", ratio.map(|r| r.interval));
    out.put("var_test", part);
    Ok(out.done())
}
