//! Methods on ranks.

use super::inputs::Inputs;
use super::outputs::Outputs;
use super::{Computed, Unsupported};
use crate::descriptive::median;
use crate::ranks::{
    Continuity, HodgesLehmann, TwoSided, Zeros, hodges_lehmann_one_sample, hodges_lehmann_two_sample,
    kruskal_wallis, median_test, moses_normal_interval, rank_sum, rank_sum_exact, rank_sum_normal, sign_test,
    signed_rank, signed_rank_exact, signed_rank_normal, signed_rank_t,
};
use crate::{Confidence, NotEstimable, distribution};

/// Two-sided, less and greater.
type PValues = Result<[f64; 3], NotEstimable>;

fn put_p(out: &mut Outputs, prefix: &str, p: &PValues) {
    for (i, side) in ["two_sided", "less", "greater"].iter().enumerate() {
        out.put(format!("{prefix}{side}"), p.map(|p| p[i]));
    }
}

pub(super) fn wilcoxon_signed_rank(input: Inputs<'_>) -> Result<Computed, Unsupported> {
    let d = input.present("d")?;
    let dropped = signed_rank(&d, Zeros::Drop);
    let exact =
        |zeros| -> PValues { signed_rank_exact(&d, zeros).map(|p| [p.p_two_sided, p.p_less, p.p_greater]) };
    let normal = |continuity| -> PValues {
        let p = signed_rank_normal(&dropped?, continuity);
        Ok([p.p_two_sided, p.p_less, p.p_greater])
    };
    let mut out = Outputs::default();
    out.put("n", d.len())
        .put("n_zero", dropped.map(|r| r.n_zero))
        .put("ties_in_abs", dropped.map(|r| r.ties))
        .put("V", dropped.map(|r| r.v_plus))
        .put("sum_ranks_negative", dropped.map(|r| r.v_minus));
    let exact_dropped = exact(Zeros::Drop);
    // R's own exact test refuses ties and zeros.
    if dropped.is_ok_and(|r| !r.ties && r.n_zero == 0) {
        put_p(&mut out, "wilcox.test_exact_p_", &exact_dropped);
    }
    put_p(&mut out, "wilcox.test_normal_cc_p_", &normal(Continuity::Half));
    put_p(&mut out, "wilcox.test_normal_nocc_p_", &normal(Continuity::None));
    put_p(&mut out, "wilcox.exact_dropzeros_exact_p_", &exact_dropped);
    for (name, zeros) in [("coin_Pratt", Zeros::Pratt), ("coin_Wilcoxon", Zeros::Drop)] {
        let ranked = signed_rank(&d, zeros);
        let mut part = Outputs::default();
        part.put("z", ranked.map(|r| r.z))
            .put("p_asymptotic_two_sided", ranked.map(|r| distribution::normal_two_sided(r.z)));
        put_p(&mut part, "p_exact_", &exact(zeros));
        out.put(name, part);
    }
    out.put("sign_test_exact_p", sign_test(&d).map(|s| s.p_two_sided));
    let t = dropped.and_then(|r| signed_rank_t(&r));
    let mut part = Outputs::default();
    part.put("S", t.map(|t| t.s))
        .put("V", t.map(|t| t.variance))
        .put("t", t.map(|t| t.t))
        .put("df", t.map(|t| t.df))
        .put("p_t_approx", t.map(|t| t.p_two_sided));
    out.put("sas_univariate", part);
    Ok(out.done())
}

pub(super) fn mann_whitney(input: Inputs<'_>) -> Result<Computed, Unsupported> {
    let (x, y) = (input.present("x")?, input.present("y")?);
    let ranked = rank_sum(&x, &y);
    let exact: PValues =
        rank_sum_exact(&x, &y, TwoSided::AsFarFromMean).map(|p| [p.p_two_sided, p.p_less, p.p_greater]);
    let twice: PValues =
        rank_sum_exact(&x, &y, TwoSided::TwiceSmallerTail).map(|p| [p.p_two_sided, p.p_less, p.p_greater]);
    let normal = |continuity| -> PValues {
        let p = rank_sum_normal(&ranked?, continuity);
        Ok([p.p_two_sided, p.p_less, p.p_greater])
    };
    let mut out = Outputs::default();
    out.put("ties", ranked.map(|r| r.ties))
        .put("W", ranked.map(|r| r.w))
        .put("rank_sum_x", ranked.map(|r| r.rank_sum_x))
        .put("prob_x_gt_y_plus_half_ties", ranked.map(|r| r.prob_x_greater));
    // R's own exact test refuses ties.
    if ranked.is_ok_and(|r| !r.ties) {
        put_p(&mut out, "wilcox.test_exact_p_", &twice);
    }
    put_p(&mut out, "wilcox.test_normal_cc_p_", &normal(Continuity::Half));
    put_p(&mut out, "wilcox.test_normal_nocc_p_", &normal(Continuity::None));
    put_p(&mut out, "wilcox.exact_p_", &exact);
    let mut coin = Outputs::default();
    coin.put("z", ranked.map(|r| r.z))
        .put("p_asymptotic_two_sided", ranked.map(|r| distribution::normal_two_sided(r.z)))
        .put("p_exact_two_sided", exact.map(|p| p[0]));
    out.put("coin", coin);
    let medians = median_test(&x, &y);
    let mut part = Outputs::default();
    part.put("z", medians.map(|m| m.z))
        .put("p_asymptotic", medians.map(|m| m.p_asymptotic))
        .put("p_exact", medians.map(|m| m.p_exact));
    out.put("coin_median_test", part).put("medians", [median(&x), median(&y)]);
    let kruskal = kruskal_wallis(&[&x, &y]);
    let mut part = Outputs::default();
    part.put("chisq", kruskal.map(|k| k.chi_squared))
        .put("df", kruskal.map(|k| k.df))
        .put("p", kruskal.map(|k| k.p));
    out.put("kruskal", part);
    Ok(out.done())
}

pub(super) fn hodges_lehmann(input: Inputs<'_>) -> Result<Computed, Unsupported> {
    let x = input.present("x")?;
    let y = if input.has("y") { Some(input.present("y")?) } else { None };
    let mut out = Outputs::default();
    for (percent, confidence) in [(90, Confidence::C90), (95, Confidence::C95), (99, Confidence::C99)] {
        let result = match &y {
            None => hodges_lehmann_one_sample(&x, confidence),
            Some(y) => hodges_lehmann_two_sample(&x, y, confidence),
        };
        let name =
            if y.is_some() { "estimate_median_of_differences" } else { "estimate_median_of_walsh_averages" };
        out.put(name, result.map(|r| r.estimate));
        out.put(format!("ci_exact_{percent}"), exact_interval(&result));
        if let Some(y) = &y {
            let moses = moses_normal_interval(&x, y, confidence);
            let mut part = Outputs::default();
            part.put("k", moses.map(|m| m.0))
                .put("lower", moses.map(|m| m.1.lower))
                .put("upper", moses.map(|m| m.1.upper));
            out.put(format!("ci_moses_normal_{percent}"), part);
        }
    }
    Ok(out.done())
}

fn exact_interval(result: &Result<HodgesLehmann, NotEstimable>) -> Outputs {
    let interval = result.map(|r| r.interval);
    let mut part = Outputs::default();
    part.put("k", interval.map(|i| i.k))
        .put("lower", interval.map(|i| i.interval.lower))
        .put("upper", interval.map(|i| i.interval.upper))
        .put("achieved_level", interval.map(|i| i.achieved_level));
    part
}
