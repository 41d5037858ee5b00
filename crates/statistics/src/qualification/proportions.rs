//! Proportions and tables.

use super::inputs::{Inputs, wrong};
use super::outputs::Outputs;
use super::{Computed, Unsupported};
use crate::proportions::{
    Association, BinomialInterval, DifferenceInterval, RatioInterval, Table, Yates, binomial_interval,
    binomial_test, breslow_day, chi_squared_test, difference_interval, fisher_2x2, generalised_cmh,
    mantel_haenszel, odds_ratio_woolf, risk_ratio_katz, stratified_exact,
};
use crate::{Confidence, NotEstimable};

const LEVELS: [(u32, Confidence); 3] = [(90, Confidence::C90), (95, Confidence::C95), (99, Confidence::C99)];

pub(super) fn binomial_one_sample(input: Inputs<'_>) -> Result<Computed, Unsupported> {
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
            ("wilson_cc", BinomialInterval::WilsonContinuityAsR),
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

pub(super) fn two_proportions(input: Inputs<'_>) -> Result<Computed, Unsupported> {
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
            ("newcombe_hybrid_score_cc", DifferenceInterval::NewcombeContinuityAsR),
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

pub(super) fn fisher_exact(input: Inputs<'_>) -> Result<Computed, Unsupported> {
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

pub(super) fn mcnemar(input: Inputs<'_>) -> Result<Computed, Unsupported> {
    let rows = input.rows("table_rows")?;
    let [Some([_, b]), Some([c, _])] = [0, 1].map(|i| rows.get(i).map(Vec::as_slice)) else {
        return Err(wrong("table_rows", "a 2 by 2 table"));
    };
    let test = crate::proportions::mcnemar(*b, *c, Confidence::C95);
    let mut out = Outputs::default();
    out.put("chisq", test.map(|t| t.chi_squared))
        .put("p", test.map(|t| t.p))
        .put("chisq_cc", test.map(|t| t.chi_squared_corrected))
        .put("p_cc", test.map(|t| t.p_corrected))
        .put("p_exact", test.map(|t| t.p_exact))
        .put("p_midp", test.map(|t| t.p_mid))
        .put("or_b_over_c", test.map(|t| t.odds_ratio))
        .put("or_ci95_exact", test.map(|t| t.odds_ratio_interval))
        .put("exact2x2_p", test.map(|t| t.p_exact))
        .put("exact2x2_ci", test.map(|t| t.odds_ratio_interval));
    Ok(out.done())
}

pub(super) fn cmh(input: Inputs<'_>) -> Result<Computed, Unsupported> {
    let tables = tables_column_major(input)?;
    let mut out = Outputs::default();
    let four_fold: Option<Vec<[u64; 4]>> = tables.iter().map(Table::four_fold).collect();
    let Some(strata) = four_fold else {
        let general = generalised_cmh(&tables, Association::General);
        out.put("general_association_M2", general.map(|g| g.chi_squared))
            .put("df", general.map(|g| g.df))
            .put("p", general.map(|g| g.p));
        put_scored(&mut out, &tables);
        return Ok(out.done());
    };
    let mh = mantel_haenszel(&strata, Confidence::C95);
    let exact = stratified_exact(&strata, Confidence::C95);
    let homogeneity = breslow_day(&strata);
    out.put("chisq", mh.map(|m| m.test.chi_squared))
        .put("p", mh.map(|m| m.test.p))
        .put("chisq_cc", mh.map(|m| m.test_corrected.chi_squared))
        .put("p_cc", mh.map(|m| m.test_corrected.p))
        .put("common_or_mh", mh.map(|m| m.odds_ratio))
        .put("or_ci95_rbg", mh.map(|m| m.odds_ratio_interval))
        .put("exact_S", exact.map(|e| e.s))
        .put("exact_p", exact.map(|e| e.p_two_sided))
        .put("exact_conditional_or", exact.map(|e| e.conditional_odds_ratio))
        .put("exact_ci95", exact.map(|e| e.odds_ratio_interval))
        .put("breslow_day", homogeneity.map(|h| h.test.chi_squared))
        .put("breslow_day_tarone", homogeneity.map(|h| h.tarone.chi_squared))
        .put("breslow_day_df", homogeneity.map(|h| h.test.df))
        .put("breslow_day_p", homogeneity.map(|h| h.test.p))
        .put("tarone_p", homogeneity.map(|h| h.tarone.p));
    Ok(out.done())
}

/// Row mean scores and correlation with the scores 1, 2, 3, ...
fn put_scored(out: &mut Outputs, tables: &[Table]) {
    let (rows, columns) = tables.first().map_or((0, 0), |t| (t.rows().count(), t.column_totals().len()));
    let scores = |n: usize| -> Vec<f64> { (1..=n).map(|i| i as f64).collect() };
    let (rows, columns) = (scores(rows), scores(columns));
    let means = generalised_cmh(tables, Association::RowMeanScores { columns: &columns });
    let correlation = generalised_cmh(tables, Association::Correlation { rows: &rows, columns: &columns });
    out.put("row_mean_scores", means.map(|m| m.chi_squared))
        .put("row_mean_scores_df", means.map(|m| m.df))
        .put("row_mean_scores_p", means.map(|m| m.p))
        .put("correlation", correlation.map(|c| c.chi_squared))
        .put("correlation_p", correlation.map(|c| c.p));
}

/// The strata of an array that is laid out column by column, stratum by stratum.
fn tables_column_major(input: Inputs<'_>) -> Result<Vec<Table>, Unsupported> {
    let dim = input.counts("dim")?;
    let cells = input.counts("array_column_major")?;
    let [rows, columns, strata] = *dim.as_slice() else { return Err(wrong("dim", "three sizes")) };
    let (rows, columns) = (rows as usize, columns as usize);
    if rows < 2 || columns < 2 || cells.len() != rows * columns * strata as usize {
        return Err(wrong("array_column_major", "of the size that dim gives"));
    }
    let table = |part: &[u64]| {
        let by_row: Vec<Vec<u64>> =
            (0..rows).map(|i| (0..columns).map(|j| part[j * rows + i]).collect()).collect();
        Table::from_rows(&by_row).expect("at least two rows and columns of equal length")
    };
    Ok(cells.chunks(rows * columns).map(table).collect())
}
