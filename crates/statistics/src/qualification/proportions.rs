//! Proportions and tables.

use serde_json::Value;

use super::Unsupported;
use super::inputs::{Inputs, wrong};
use super::outputs::Outputs;
use crate::proportions::{
    BinomialInterval, DifferenceInterval, RatioInterval, Table, Yates, binomial_interval, binomial_test,
    chi_squared_test, difference_interval, fisher_2x2, odds_ratio_woolf, risk_ratio_katz,
};
use crate::{Confidence, NotEstimable};

const LEVELS: [(u32, Confidence); 3] = [(90, Confidence::C90), (95, Confidence::C95), (99, Confidence::C99)];

pub(super) fn binomial_one_sample(input: Inputs<'_>) -> Result<Value, Unsupported> {
    let (x, n) = (input.count("x")?, input.count("n")?);
    let test = binomial_test(x, n, input.number_or("p0", 0.5)?);
    let mut out = Outputs::default();
    out.put("estimate", test.map(|t| t.estimate))
        .put("exact_test_p_two_sided", test.map(|t| t.p_two_sided))
        .put("exact_test_p_less", test.map(|t| t.p_less))
        .put("exact_test_p_greater", test.map(|t| t.p_greater));
    for (percent, confidence) in LEVELS {
        for (name, kind) in [
            ("clopper_pearson", BinomialInterval::ClopperPearson),
            ("wilson", BinomialInterval::Wilson),
            ("wilson_cc", BinomialInterval::WilsonContinuity),
            ("agresti_coull", BinomialInterval::AgrestiCoull),
            ("jeffreys", BinomialInterval::Jeffreys),
            ("wald", BinomialInterval::Wald),
            ("mid_p", BinomialInterval::MidP),
        ] {
            out.put(format!("{name}_{percent}"), binomial_interval(x, n, kind, confidence));
        }
    }
    Ok(out.done())
}

pub(super) fn two_proportions(input: Inputs<'_>) -> Result<Value, Unsupported> {
    let arm1 = (input.count("x1")?, input.count("n1")?);
    let arm2 = (input.count("x2")?, input.count("n2")?);
    if arm1.0 > arm1.1 || arm2.0 > arm2.1 {
        return Err(wrong("x1, x2", "at most n1, n2"));
    }
    let proportion = |(x, n): (u64, u64)| if n == 0 { None } else { Some(x as f64 / n as f64) };
    let (p1, p2) = (proportion(arm1), proportion(arm2));
    let mut out = Outputs::default();
    out.put("p1", p1).put("p2", p2).put("diff", p1.zip(p2).map(|(a, b)| a - b));
    for (percent, confidence) in LEVELS {
        for (name, kind) in [
            ("newcombe_hybrid_score", DifferenceInterval::Newcombe),
            ("newcombe_hybrid_score_cc", DifferenceInterval::NewcombeContinuity),
            ("wald", DifferenceInterval::Wald),
            ("agresti_caffo", DifferenceInterval::AgrestiCaffo),
            ("miettinen_nurminen_tol1e9", DifferenceInterval::MiettinenNurminen),
        ] {
            out.put(format!("{name}_{percent}"), difference_interval(arm1, arm2, kind, confidence));
        }
        let ratio = |r: Result<RatioInterval, NotEstimable>| {
            r.map(|r| [r.estimate, r.interval.lower, r.interval.upper])
        };
        out.put(format!("risk_ratio_katz_{percent}"), ratio(risk_ratio_katz(arm1, arm2, confidence)));
        out.put(format!("odds_ratio_woolf_{percent}"), ratio(odds_ratio_woolf(arm1, arm2, confidence)));
    }
    let cells = [arm1.0, arm1.1 - arm1.0, arm2.0, arm2.1 - arm2.0];
    put_chi_squared(&mut out, &four_fold(cells));
    out.put("fisher_p", fisher_2x2(cells, Confidence::C95).map(|f| f.p_two_sided));
    Ok(out.done())
}

fn four_fold(cells: [u64; 4]) -> Table {
    Table::from_rows(&[cells[..2].to_vec(), cells[2..].to_vec()]).expect("two rows of two")
}

fn put_chi_squared(out: &mut Outputs, table: &Table) {
    let plain = chi_squared_test(table, Yates::None);
    out.put("chisq", plain.map(|c| c.chi_squared)).put("chisq_p", plain.map(|c| c.p));
    if table.four_fold().is_some() {
        out.put("chisq_yates_p", chi_squared_test(table, Yates::Corrected).map(|c| c.p));
    } else {
        out.put("chisq_df", plain.map(|c| c.df));
    }
}

pub(super) fn fisher_exact(input: Inputs<'_>) -> Result<Value, Unsupported> {
    let rows = input.rows("table_rows")?;
    let table = Table::from_rows(&rows).map_err(|_| wrong("table_rows", "a table of at least 2 by 2"))?;
    let mut out = Outputs::default();
    if let Some(cells) = table.four_fold() {
        let fisher = fisher_2x2(cells, Confidence::C95);
        out.put("p_two_sided", fisher.map(|f| f.p_two_sided))
            .put("p_less", fisher.map(|f| f.p_less))
            .put("p_greater", fisher.map(|f| f.p_greater))
            .put("sample_or", fisher.map(|f| f.sample_odds_ratio))
            .put("mid_p_two_sided_minlike", fisher.map(|f| f.mid_p_two_sided))
            .put("conditional_mle_or", fisher.map(|f| f.conditional_odds_ratio))
            .put("or_ci95", fisher.map(|f| f.odds_ratio_interval));
    } else {
        out.put("p_two_sided", crate::proportions::fisher_exact(&table));
    }
    put_chi_squared(&mut out, &table);
    Ok(out.done())
}
