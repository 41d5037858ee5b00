//! How often tests reject, against programs that count every outcome, integrate, or simulate R's own tests; all of them, with
//! what they printed, in `reference/operating`.

use std::fs;
use std::path::Path;

use statistics::means::{Variances, one_sample_t, two_sample_t};
use statistics::mixed::{MixedModel, Panel, Workspace, mixed_model};
use statistics::models::{Design, LinearWorkspace, Term, Variable, logistic_regression};
use statistics::planning::{
    Alternative, BoundaryShape, Sides, TTestKind, binomial_power, fisher_power, group_sequential_design,
    t_test_power, t_test_power_unequal,
};
use statistics::proportions::{
    Table, Yates, binomial_test, chi_squared_test, fisher_2x2, mantel_haenszel, mcnemar, stratified_exact,
};
use statistics::ranks::{
    Continuity, TwoSided, Zeros, kruskal_wallis, rank_sum, rank_sum_exact, rank_sum_normal, sign_test,
    signed_rank, signed_rank_exact, signed_rank_normal,
};
use statistics::rates::rate_ratio;
use statistics::survival::{LogRankWeights, Stopping, Ties, Times, cox_regression, log_rank};
use statistics::{Confidence, NotEstimable};

use super::stream::Stream;

const C95: Confidence = Confidence::C95;

fn lines(name: &str) -> Vec<Vec<String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("reference/operating").join(name);
    let text = fs::read_to_string(path).unwrap();
    text.lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

/// A test that has nothing to work on does not reject.
fn p_or_one(p: Result<f64, NotEstimable>) -> f64 {
    p.unwrap_or(1.0)
}

fn at_or_below(p: f64, alpha: f64) -> bool {
    p <= alpha * (1.0 + 1e-9)
}

fn binomial(k: u64, n: u64, p: f64) -> f64 {
    let ways: f64 = (0..k).map(|i| (n - i) as f64 / (k - i) as f64).product();
    ways * p.powi(k as i32) * (1.0 - p).powi((n - k) as i32)
}

fn poisson(k: u64, mean: f64) -> f64 {
    (1..=k).map(|i| mean / i as f64).product::<f64>() * (-mean).exp()
}

/// Two-sided p-values of a test with the chance of each.
type Outcomes = Vec<(f64, f64)>;

/// Every way to choose `k` of the first `n` numbers, as bits.
fn choices(n: u32, k: u32) -> impl Iterator<Item = u32> {
    (0_u32..1 << n).filter(move |chosen| chosen.count_ones() == k)
}

fn allocated(values: &[f64], first: u32) -> Outcomes {
    let n = values.len() as u32;
    let ways = choices(n, first).count() as f64;
    choices(n, first)
        .map(|chosen| {
            let of = |wanted: bool| -> Vec<f64> {
                let one = |(i, v): (usize, &f64)| ((chosen >> i & 1 == 1) == wanted).then_some(*v);
                values.iter().enumerate().filter_map(one).collect()
            };
            let test = rank_sum_exact(&of(true), &of(false), TwoSided::AsFarFromMean).unwrap();
            (test.p_two_sided, 1.0 / ways)
        })
        .collect()
}

fn signed(sizes: &[f64], zeros: usize) -> Outcomes {
    let n = sizes.len();
    (0_u32..1 << n)
        .map(|signs| {
            let sign = |i: usize| if signs >> i & 1 == 1 { 1.0 } else { -1.0 };
            let mut differences: Vec<f64> =
                sizes.iter().enumerate().map(|(i, size)| sign(i) * size).collect();
            differences.resize(n + zeros, 0.0);
            let p = signed_rank_exact(&differences, Zeros::Drop).unwrap().p_two_sided;
            (p, 0.5_f64.powi(n as i32))
        })
        .collect()
}

/// The chance of the outcomes that an exact test calls significant.
fn outcomes(test: &str, case: &str) -> Outcomes {
    let numbers: Vec<f64> = case.split(' ').filter_map(|part| part.parse().ok()).collect();
    match test {
        "fisher" => grid(14, 13)
            .map(|(a, c)| {
                let p = p_or_one(fisher_2x2([a, 14 - a, c, 13 - c], C95).map(|test| test.p_two_sided));
                (p, binomial(a, 14, numbers[0]) * binomial(c, 13, numbers[0]))
            })
            .collect(),
        "binomial" => {
            let n = numbers[0] as u64;
            let p = |x| binomial_test(x, n, numbers[1]).unwrap().p_two_sided;
            (0..=n).map(|x| (p(x), binomial(x, n, numbers[1]))).collect()
        }
        "mcnemar" => grid(18, 18)
            .filter(|(b, c)| b + c <= 18)
            .map(|(b, c)| {
                let disagree = 2.0 * numbers[0];
                let chance = binomial(b + c, 18, disagree) * binomial(b, b + c, 0.5);
                (p_or_one(mcnemar(b, c, C95).map(|test| test.p_exact)), chance)
            })
            .collect(),
        "rate_ratio" => grid(40, 60)
            .map(|(x, y)| {
                let p = p_or_one(rate_ratio((x, 10.0), (y, 17.0), C95).map(|test| test.p_two_sided));
                (p, poisson(x, 10.0 * numbers[0]) * poisson(y, 17.0 * numbers[0]))
            })
            .collect(),
        "stratified_exact" => grid(5, 4)
            .flat_map(|(a, c)| grid(4, 5).map(move |(e, g)| [a, c, e, g]))
            .map(|[a, c, e, g]| {
                let strata = [[a, 5 - a, c, 4 - c], [e, 4 - e, g, 5 - g]];
                let (p, half) = (numbers[0], numbers[0] / 2.0);
                let chance =
                    binomial(a, 5, p) * binomial(c, 4, p) * binomial(e, 4, half) * binomial(g, 5, half);
                (p_or_one(stratified_exact(&strata, C95).map(|test| test.p_two_sided)), chance)
            })
            .collect(),
        "rank_sum_exact" if case.starts_with("tied") => {
            allocated(&[-4.0, -2.0, -2.0, -1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 3.0, 3.0, 3.0, 8.0], 6)
        }
        "rank_sum_exact" => allocated(&(1..=11).map(f64::from).collect::<Vec<_>>(), 5),
        "signed_rank_exact" if case.starts_with("tied") => {
            signed(&[1.0, 1.0, 2.0, 2.0, 2.0, 3.0, 5.0, 5.0, 7.0, 8.0, 8.0], 1)
        }
        "signed_rank_exact" => signed(&(1..=9).map(f64::from).collect::<Vec<_>>(), 0),
        "sign_test" => (0..=15_u64)
            .map(|positive| {
                let differences: Vec<f64> = (0..15).map(|i| if i < positive { 1.0 } else { -1.0 }).collect();
                (sign_test(&differences).unwrap().p_two_sided, binomial(positive, 15, 0.5))
            })
            .collect(),
        other => panic!("{other} is not known"),
    }
}

fn grid(most_first: u64, most_second: u64) -> impl Iterator<Item = (u64, u64)> {
    (0..=most_first).flat_map(move |first| (0..=most_second).map(move |second| (first, second)))
}

#[test]
fn exact_tests_keep_their_level_and_reject_as_often_as_counting_in_r_says() {
    let mut known: Option<(String, Outcomes)> = None;
    for line in lines("exact_sizes.csv") {
        let [test, case, alpha, size] = &line[..] else { panic!("{line:?}") };
        let (alpha, size): (f64, f64) = (alpha.parse().unwrap(), size.parse().unwrap());
        let name = format!("{test} {case}");
        if known.as_ref().is_none_or(|known| known.0 != name) {
            known = Some((name.clone(), outcomes(test, case)));
        }
        let (_, all) = known.as_ref().unwrap();
        assert!((all.iter().map(|one| one.1).sum::<f64>() - 1.0).abs() < 1e-9, "{name}: chances add up");
        let found: f64 = all.iter().filter(|(p, _)| at_or_below(*p, alpha)).map(|one| one.1).sum();
        assert!(found <= alpha, "{name} rejects in {found} at {alpha}");
        assert!((found - size).abs() < 1e-10, "{name} at {alpha}: {found}, R {size}");
    }
}

fn normals(stream: &mut Stream, n: usize, sd: f64) -> Vec<f64> {
    (0..n).map(|_| sd * stream.normal()).collect()
}

fn rounded(stream: &mut Stream, n: usize) -> Vec<f64> {
    (0..n).map(|_| (2.0 * stream.normal()).round()).collect()
}

fn exponential(stream: &mut Stream) -> f64 {
    -stream.uniform().ln()
}

fn skewed(stream: &mut Stream, n: usize) -> Vec<f64> {
    (0..n).map(|_| exponential(stream) - 1.0).collect()
}

fn count(stream: &mut Stream, n: u64, p: f64) -> u64 {
    (0..n).filter(|_| stream.uniform() < p).count() as u64
}

fn fourfold(stream: &mut Stream, yates: Yates) -> Result<f64, NotEstimable> {
    let (a, c) = (count(stream, 15, 0.25), count(stream, 15, 0.25));
    chi_squared_test(&Table::from_rows(&[vec![a, 15 - a], vec![c, 15 - c]])?, yates).map(|test| test.p)
}

fn rounded_ranks(stream: &mut Stream, continuity: Continuity) -> Result<f64, NotEstimable> {
    let ranked = rank_sum(&rounded(stream, 9), &rounded(stream, 12))?;
    Ok(rank_sum_normal(&ranked, continuity).p_two_sided)
}

/// Times of `n` participants, seen until a day of their own.
fn survival(stream: &mut Stream, n: usize) -> (Vec<f64>, Vec<bool>) {
    let one = |stream: &mut Stream| {
        let (time, seen) = (exponential(stream), 0.3 + 1.7 * stream.uniform());
        (time.min(seen), time <= seen)
    };
    (0..n).map(|_| one(stream)).unzip()
}

/// A two-sided p-value of a trial in which nothing is to be found, by the name of its set-up.
fn p_of(test: &str, stream: &mut Stream) -> Result<f64, NotEstimable> {
    match test {
        "t_paired_skewed_10" => one_sample_t(&skewed(stream, 10), 0.0, C95).map(|test| test.p_two_sided),
        "t_welch_8_20_sd_3_1" => {
            welch(&normals(stream, 8, 3.0), &normals(stream, 20, 1.0), Variances::Unequal)
        }
        "t_welch_skewed_7_14" => welch(&skewed(stream, 7), &skewed(stream, 14), Variances::Unequal),
        "t_pooled_8_20_sd_3_1" => {
            welch(&normals(stream, 8, 3.0), &normals(stream, 20, 1.0), Variances::Equal)
        }
        "rank_sum_normal_rounded_9_12" => rounded_ranks(stream, Continuity::None),
        "rank_sum_normal_half_rounded_9_12" => rounded_ranks(stream, Continuity::Half),
        "signed_rank_normal_half_rounded_14" => {
            let ranked = signed_rank(&rounded(stream, 14), Zeros::Drop)?;
            Ok(signed_rank_normal(&ranked, Continuity::Half).p_two_sided)
        }
        "kruskal_wallis_5_5_6" => {
            let arms = [rounded(stream, 5), rounded(stream, 5), rounded(stream, 6)];
            kruskal_wallis(&[&arms[0], &arms[1], &arms[2]]).map(|test| test.p)
        }
        "chi_squared_15_15" => fourfold(stream, Yates::None),
        "chi_squared_yates_15_15" => fourfold(stream, Yates::Corrected),
        "mcnemar_corrected_25" => {
            let drawn: Vec<f64> = (0..25).map(|_| stream.uniform()).collect();
            let b = drawn.iter().filter(|u| **u < 0.15).count() as u64;
            let c = drawn.iter().filter(|u| (0.15..0.3).contains(*u)).count() as u64;
            mcnemar(b, c, C95).map(|test| test.p_corrected)
        }
        "mantel_haenszel_3_strata" => {
            let strata = [0.2, 0.4, 0.6].map(|p| {
                let (a, c) = (count(stream, 8, p), count(stream, 6, p));
                [a, 8 - a, c, 6 - c]
            });
            mantel_haenszel(&strata, C95).map(|test| test.test.p)
        }
        "ancova_skewed_9_9" => {
            let arm: Vec<f64> = (0..18).map(|i| f64::from(i < 9)).collect();
            let before = normals(stream, 18, 1.0);
            let noise = skewed(stream, 18);
            let y: Vec<f64> = (0..18).map(|i| 0.6 * before[i] + noise[i] * (1.0 + arm[i])).collect();
            ancova(&y, &arm, &before)
        }
        "log_rank_20_20" => {
            let (time, event) = survival(stream, 40);
            let arm: Vec<usize> = (0..40).map(|i| i / 20).collect();
            log_rank(Times::new(&time, &event)?, &arm, 2, None, LogRankWeights::Equal).map(|test| test.p)
        }
        "cox_wald_12_12" => {
            let (time, event) = survival(stream, 24);
            let arm: Vec<f64> = (0..24).map(|i| f64::from(i / 12)).collect();
            let design = Design::without_intercept(&[Variable::Covariate(&arm)], &[Term::main(0)])?;
            let stopping = Stopping::LikelihoodChange(1e-9);
            let fit = cox_regression(Times::new(&time, &event)?, &design, None, Ties::Efron, stopping, C95)?;
            Ok(fit.coefficients[0].p)
        }
        "logistic_wald_40" => {
            let x = skewed(stream, 40);
            let y: Vec<bool> = (0..40).map(|_| stream.uniform() < 0.3).collect();
            let design = Design::new(&[Variable::Covariate(&x)], &[Term::main(0)])?;
            logistic_regression(&design, &y, C95).map(|fit| fit.coefficients[1].p)
        }
        other => panic!("{other} is not known"),
    }
}

fn welch(x: &[f64], y: &[f64], variances: Variances) -> Result<f64, NotEstimable> {
    two_sample_t(x, y, variances, C95).map(|test| test.p_two_sided)
}

fn ancova(y: &[f64], arm: &[f64], before: &[f64]) -> Result<f64, NotEstimable> {
    let mut space = LinearWorkspace::default();
    space.fit(y, &[arm, before])?;
    space.coefficient(1, C95).map(|arm| arm.p)
}

/// Rejections at 5 % among so many trials.
fn rejections(trials: u32, seed: u64, mut p: impl FnMut(&mut Stream) -> f64) -> f64 {
    let mut stream = Stream::new(seed);
    let rejected = (0..trials).filter(|_| at_or_below(p(&mut stream), 0.05)).count();
    rejected as f64 / f64::from(trials)
}

/// Four standard errors of the difference of two simulated shares.
fn room(share: f64, trials: f64, their_trials: f64) -> f64 {
    4.0 * (share * (1.0 - share) * (1.0 / trials + 1.0 / their_trials)).sqrt()
}

#[test]
fn asymptotic_tests_reject_as_often_as_those_of_r_where_nothing_is_to_be_found() {
    const TRIALS: u32 = 60_000;
    let all = lines("type_one_errors.csv");
    assert_eq!(all.len(), 16);
    for (place, line) in all.iter().enumerate() {
        let (trials, rate): (f64, f64) = (line[1].parse().unwrap(), line[2].parse().unwrap());
        let found = rejections(TRIALS, place as u64 + 1, |stream| p_or_one(p_of(&line[0], stream)));
        let room = room(rate, f64::from(TRIALS), trials);
        assert!((found - rate).abs() < room, "{}: {found}, R {rate} (room {room:.4})", line[0]);
    }
}

#[test]
fn a_mixed_model_rejects_as_often_as_one_written_out_in_r() {
    const TRIALS: u32 = 20_000;
    let line = lines("mmrm_type_one_error.csv").swap_remove(0);
    let (trials, rate): (f64, f64) = (line[1].parse().unwrap(), line[2].parse().unwrap());
    let mut panel = Panel::new(3, &[true, true]).unwrap();
    let mut space = Workspace::new();
    let found = rejections(TRIALS, 77, |stream| {
        panel.clear();
        for participant in 0..20 {
            let own = stream.normal();
            let gone = if stream.uniform() < 1.0 / 3.0 { 1 + usize::from(stream.uniform() < 0.5) } else { 3 };
            let noise = skewed(stream, 3);
            let y: Vec<Option<f64>> = [1.0, 1.5, 2.0]
                .iter()
                .enumerate()
                .map(|(visit, sd)| (visit < gone).then_some(own + sd * noise[visit]))
                .collect();
            panel.push(&[1.0, f64::from(participant / 10)], &y, 0).unwrap();
        }
        let fit = mixed_model(&mut space, &panel, MixedModel::PRIMARY);
        fit.map_or(1.0, |mut fit| fit.linear_function(&[0.0, 0.0, 0.0, 0.0, 0.0, 1.0], C95).coefficient.p)
    });
    let room = room(rate, f64::from(TRIALS), trials);
    assert!((found - rate).abs() < room, "{found}, R {rate} (room {room:.4})");
}

fn powers() -> impl Fn(&str, &str) -> f64 {
    let all = lines("power.csv");
    move |test, case| {
        let found = all.iter().find(|line| line[0] == test && line[1] == case);
        found.unwrap_or_else(|| panic!("no power of {test} {case}"))[2].parse().unwrap()
    }
}

#[test]
fn power_is_that_of_noncentral_distributions_and_of_counting_every_outcome() {
    let power = powers();
    let near = |found: f64, expected: f64| {
        assert!((found - expected).abs() < 1e-9, "{found} {expected}");
    };
    let strict = Alternative::TwoSidedStrict;
    let paired = t_test_power(12.0, 0.9, 1.0, 0.05, TTestKind::OneSample, strict).unwrap();
    near(paired, power("t_paired", "12 0.9"));
    near(t_test_power_unequal(9.0, 15.0, 1.1, 1.0, 0.05).unwrap(), power("t_pooled", "9 15 1.1"));
    near(fisher_power(14, 12, 0.7, 0.2, 0.05).unwrap(), power("fisher", "14 12 0.7 0.2"));
    near(binomial_power(29, 0.1, 0.3, 0.05).unwrap().power, power("binomial_one_sided", "29 0.1 0.3"));
    near(graded([0.5, 0.25, 0.15, 0.1]), power("rank_sum_exact", "graded 6 6"));
    near(graded([0.1, 0.2, 0.3, 0.4]), power("rank_sum_exact", "graded 6 6 none"));
}

/// The power of the exact rank-sum test of six against six on four grades, over every pair of counts.
fn graded(second: [f64; 4]) -> f64 {
    let first = [0.1, 0.2, 0.3, 0.4];
    let mut counts = Vec::new();
    for (a, b) in grid(6, 6).filter(|(a, b)| a + b <= 6) {
        counts.extend((0..=6 - a - b).map(|c| [a, b, c, 6 - a - b - c]));
    }
    let values = |counts: &[u64; 4]| -> Vec<f64> {
        (0..4).flat_map(|grade| vec![grade as f64; counts[grade] as usize]).collect()
    };
    let factorial = |n: u64| (1..=n).product::<u64>() as f64;
    let chance = |counts: &[u64; 4], shares: &[f64; 4]| {
        let one = |(n, share): (&u64, &f64)| share.powi(*n as i32) / factorial(*n);
        720.0 * counts.iter().zip(shares).map(one).product::<f64>()
    };
    let mut power = 0.0;
    for one in &counts {
        for other in &counts {
            let p = p_or_one(
                rank_sum_exact(&values(one), &values(other), TwoSided::AsFarFromMean).map(|t| t.p_two_sided),
            );
            if at_or_below(p, 0.05) {
                power += chance(one, &first) * chance(other, &second);
            }
        }
    }
    power
}

#[test]
fn tests_find_an_effect_as_often_as_closed_forms_say() {
    const TRIALS: u32 = 60_000;
    let power = powers();
    let shifted = |stream: &mut Stream, n: usize, by: f64| -> Vec<f64> {
        (0..n).map(|_| by + stream.normal()).collect()
    };
    let covered = |stream: &mut Stream, n: usize, difference: f64, rho: f64| {
        let arm: Vec<f64> = (0..2 * n).map(|i| f64::from(i < n)).collect();
        let before = normals(stream, 2 * n, 1.0);
        let noise = normals(stream, 2 * n, (1.0 - rho * rho).sqrt());
        let y: Vec<f64> = (0..2 * n).map(|i| difference * arm[i] + rho * before[i] + noise[i]).collect();
        ancova(&y, &arm, &before).unwrap()
    };
    type Trial<'a> = Box<dyn FnMut(&mut Stream) -> f64 + 'a>;
    let trials: [(&str, &str, Trial<'_>); 6] = [
        (
            "t_paired",
            "12 0.9",
            Box::new(|stream| one_sample_t(&shifted(stream, 12, 0.9), 0.0, C95).unwrap().p_two_sided),
        ),
        (
            "t_pooled",
            "9 15 1.1",
            Box::new(|stream| {
                welch(&shifted(stream, 9, 1.1), &shifted(stream, 15, 0.0), Variances::Equal).unwrap()
            }),
        ),
        ("ancova", "10 0.9 0.6", Box::new(|stream| covered(stream, 10, 0.9, 0.6))),
        ("ancova", "25 0.6 0.5", Box::new(|stream| covered(stream, 25, 0.6, 0.5))),
        (
            "rank_sum_exact",
            "normal 4 4 2",
            Box::new(|stream| {
                let (x, y) = (shifted(stream, 4, 2.0), shifted(stream, 4, 0.0));
                rank_sum_exact(&x, &y, TwoSided::AsFarFromMean).unwrap().p_two_sided
            }),
        ),
        (
            "signed_rank_exact",
            "normal 6 1.1",
            Box::new(|stream| signed_rank_exact(&shifted(stream, 6, 1.1), Zeros::Drop).unwrap().p_two_sided),
        ),
    ];
    for (place, (test, case, trial)) in trials.into_iter().enumerate() {
        let expected = power(test, case);
        let found = rejections(TRIALS, 100 + place as u64, trial);
        let room = room(expected, f64::from(TRIALS), f64::INFINITY);
        assert!((found - expected).abs() < room, "{test} {case}: {found} {expected}");
    }
}

#[test]
fn group_sequential_boundaries_and_chances_are_those_of_an_independent_integration() {
    let reference = powers();
    for (shape, name) in [(BoundaryShape::OBrienFleming, "OBrienFleming"), (BoundaryShape::Pocock, "Pocock")]
    {
        for looks in [vec![0.5, 0.75, 1.0], vec![0.2, 0.4, 0.6, 0.8, 1.0]] {
            let design = group_sequential_design(shape, &looks, 0.05, Sides::Two).unwrap();
            for (k, critical) in design.critical_values.iter().enumerate() {
                let expected = reference(&format!("boundary {name}"), &format!("{} {k}", looks.len()));
                assert!((critical - expected).abs() < 1e-7, "{name} {looks:?}: {critical} {expected}");
            }
            for drift in [0.0, 2.8] {
                let found = design.at_drift(drift);
                for (side, cumulated) in [("above", &found.upper), ("below", &found.lower)] {
                    let mut before = 0.0;
                    for (k, so_far) in cumulated.iter().enumerate() {
                        let case = format!("{} {k}", looks.len());
                        let expected = reference(&format!("{side} {name} {drift:.1}"), &case);
                        let one = so_far - before;
                        assert!(
                            (one - expected).abs() < 1e-8,
                            "{side} {name} {drift} {case}: {one} {expected}"
                        );
                        before = *so_far;
                    }
                }
            }
        }
    }
}
