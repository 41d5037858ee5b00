//! Time of the methods that whole-trial simulation calls most.
//!
//! Run with `cargo bench -p statistics`. Data come from a fixed linear congruence, so
//! that every run times the same numbers.

use divan::{Bencher, black_box};
use statistics::Confidence;
use statistics::models::{Design, LsWeights, Term, Variable, linear_model, ls_means};
use statistics::ranks::{RankSumWorkspace, SignedRankWorkspace, TwoSided, Zeros};
use statistics::survival::{LogRankWeights, Stopping, Ties, Times, cox_regression, log_rank};

fn main() {
    divan::main();
}

/// Numbers in [0, 1), always the same.
fn uniform(n: usize, seed: u64) -> Vec<f64> {
    let mut state = seed;
    let step = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    (0..n).map(step).collect()
}

fn rounded(n: usize, seed: u64, levels: f64) -> Vec<f64> {
    uniform(n, seed).into_iter().map(|u| (u * levels).floor()).collect()
}

#[divan::bench]
fn rank_sum_exact_2x14_without_ties(bencher: Bencher) {
    let (x, y, mut space) = (uniform(14, 1), uniform(14, 2), RankSumWorkspace::default());
    bencher.bench_local(|| space.exact(black_box(&x), black_box(&y), TwoSided::AsFarFromMean));
}

#[divan::bench]
fn rank_sum_exact_2x14_with_ties(bencher: Bencher) {
    let (x, y, mut space) = (rounded(14, 1, 12.0), rounded(14, 2, 12.0), RankSumWorkspace::default());
    bencher.bench_local(|| space.exact(black_box(&x), black_box(&y), TwoSided::AsFarFromMean));
}

#[divan::bench(sample_count = 20)]
fn rank_sum_exact_2x100_with_ties(bencher: Bencher) {
    let (x, y, mut space) = (rounded(100, 1, 60.0), rounded(100, 2, 60.0), RankSumWorkspace::default());
    bencher.bench_local(|| space.exact(black_box(&x), black_box(&y), TwoSided::AsFarFromMean));
}

#[divan::bench]
fn signed_rank_exact_30_with_ties(bencher: Bencher) {
    let mut space = SignedRankWorkspace::default();
    let d: Vec<f64> = rounded(30, 3, 12.0).into_iter().map(|v| v - 8.0).collect();
    bencher.bench_local(|| space.exact(black_box(&d), Zeros::Pratt));
}

struct Trial {
    arm: Vec<usize>,
    base: Vec<f64>,
    change: Vec<f64>,
}

fn trial(per_arm: usize) -> Trial {
    let n = 2 * per_arm;
    let (base, noise) = (uniform(n, 5), uniform(n, 6));
    let arm: Vec<usize> = (0..n).map(|i| i % 2).collect();
    let change = (0..n).map(|i| noise[i] - 0.5 * base[i] - 0.2 * arm[i] as f64).collect();
    Trial { arm, base, change }
}

#[divan::bench]
fn ancova_2x100(bencher: Bencher) {
    let Trial { arm, base, change } = trial(100);
    bencher.bench_local(|| {
        let variables = [Variable::Covariate(&base), Variable::Factor { levels: 2, codes: &arm }];
        let design = Design::new(&variables, &[Term::main(0), Term::main(1)])?;
        linear_model(&design, black_box(&change)).map(|fit| fit.coefficients(Confidence::C95))
    });
}

#[divan::bench]
fn ancova_2x100_with_least_squares_means(bencher: Bencher) {
    let Trial { arm, base, change } = trial(100);
    bencher.bench_local(|| {
        let variables = [Variable::Covariate(&base), Variable::Factor { levels: 2, codes: &arm }];
        let design = Design::new(&variables, &[Term::main(0), Term::main(1)])?;
        let fit = linear_model(&design, black_box(&change))?;
        ls_means(&fit, 1, LsWeights::Equal, Confidence::C95)
    });
}

struct Cohort {
    time: Vec<f64>,
    event: Vec<bool>,
    arm: Vec<usize>,
}

fn cohort(n: usize) -> Cohort {
    Cohort {
        time: uniform(n, 7).into_iter().map(|u| -(1.0 - u).ln()).collect(),
        event: uniform(n, 8).into_iter().map(|u| u < 0.7).collect(),
        arm: (0..n).map(|i| i % 2).collect(),
    }
}

#[divan::bench]
fn log_rank_400(bencher: Bencher) {
    let Cohort { time, event, arm } = cohort(400);
    bencher.bench_local(|| {
        let times = Times::new(black_box(&time), &event)?;
        log_rank(times, &arm, 2, None, LogRankWeights::Equal)
    });
}

#[divan::bench]
fn cox_1000_with_three_covariates(bencher: Bencher) {
    let Cohort { time, event, arm } = cohort(1_000);
    let (age, dose) = (uniform(1_000, 9), uniform(1_000, 10));
    bencher.bench_local(|| {
        let variables = [
            Variable::Factor { levels: 2, codes: &arm },
            Variable::Covariate(&age),
            Variable::Covariate(&dose),
        ];
        let terms = [Term::main(0), Term::main(1), Term::main(2)];
        let design = Design::without_intercept(&variables, &terms)?;
        let times = Times::new(black_box(&time), &event)?;
        cox_regression(times, &design, None, Ties::Efron, Stopping::AtRounding, Confidence::C95)
    });
}
