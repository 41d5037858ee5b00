//! Time of the methods that whole-trial simulation calls most.
//!
//! `cargo bench -p statistics`. Data come from a fixed linear congruence, so that every
//! run times the same numbers. After divan's table the methods with a target are timed
//! once more beside R, on the same data.

mod beside_r;
mod mixed;

use divan::{Bencher, black_box};
use statistics::Confidence;
use statistics::means::{Variances, paired_t, two_sample_t};
use statistics::models::{Design, LinearWorkspace, LsWeights, Term, Variable, linear_model, ls_means};
use statistics::proportions::FisherWorkspace;
use statistics::ranks::{RankSumWorkspace, SignedRankWorkspace, TwoSided, Zeros};
use statistics::survival::{CoxFit, LogRankWeights, LogRankWorkspace, Stopping, Ties, Times, cox_regression};

fn main() {
    divan::main();
    if !std::env::args().any(|argument| argument == "--test") {
        beside_r::run();
    }
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

/// Two arms without ties.
fn arms(n: usize) -> [Vec<f64>; 2] {
    [uniform(n, 1), uniform(n, 2)]
}

/// Two arms with ties.
fn tied_arms(n: usize, levels: f64) -> [Vec<f64>; 2] {
    [rounded(n, 1, levels), rounded(n, 2, levels)]
}

#[divan::bench]
fn rank_sum_exact_2x14_without_ties(bencher: Bencher) {
    let ([x, y], mut space) = (arms(14), RankSumWorkspace::default());
    bencher.bench_local(|| space.exact(black_box(&x), black_box(&y), TwoSided::AsFarFromMean));
}

#[divan::bench]
fn rank_sum_exact_2x14_with_ties(bencher: Bencher) {
    let ([x, y], mut space) = (tied_arms(14, 12.0), RankSumWorkspace::default());
    bencher.bench_local(|| space.exact(black_box(&x), black_box(&y), TwoSided::AsFarFromMean));
}

#[divan::bench(sample_count = 20)]
fn rank_sum_exact_2x100_with_ties(bencher: Bencher) {
    let ([x, y], mut space) = (tied_arms(100, 60.0), RankSumWorkspace::default());
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
fn ancova_2x100_one_coefficient(bencher: Bencher) {
    let Trial { arm, base, change } = trial(100);
    let arm: Vec<f64> = arm.into_iter().map(|a| a as f64).collect();
    let mut space = LinearWorkspace::default();
    bencher.bench_local(|| {
        space.fit(black_box(&change), &[&base, &arm])?;
        space.test(2)
    });
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
    let (Cohort { time, event, arm }, mut space) = (cohort(400), LogRankWorkspace::default());
    bencher.bench_local(|| {
        space.compare(Times::new(black_box(&time), &event)?, &arm, 2, None, LogRankWeights::Equal)
    });
}

/// A cohort of 1,000 with two more covariates.
struct Covariates {
    cohort: Cohort,
    age: Vec<f64>,
    dose: Vec<f64>,
}

fn covariates() -> Covariates {
    Covariates { cohort: cohort(1_000), age: uniform(1_000, 9), dose: uniform(1_000, 10) }
}

impl Covariates {
    fn fit(&self) -> Result<CoxFit, statistics::NotEstimable> {
        let Cohort { time, event, arm } = &self.cohort;
        let variables = [
            Variable::Factor { levels: 2, codes: arm },
            Variable::Covariate(&self.age),
            Variable::Covariate(&self.dose),
        ];
        let terms = [Term::main(0), Term::main(1), Term::main(2)];
        let design = Design::without_intercept(&variables, &terms)?;
        let times = Times::new(black_box(time), event)?;
        cox_regression(times, &design, None, Ties::Efron, Stopping::AtRounding, Confidence::C95)
    }
}

#[divan::bench]
fn cox_1000_with_three_covariates(bencher: Bencher) {
    let data = covariates();
    bencher.bench_local(|| data.fit());
}

#[divan::bench]
fn two_sample_t_2x14(bencher: Bencher) {
    let [x, y] = arms(14);
    bencher.bench_local(|| two_sample_t(black_box(&x), &y, Variances::Unequal, Confidence::C95));
}

#[divan::bench]
fn paired_t_30(bencher: Bencher) {
    let [x, y] = arms(30);
    bencher.bench_local(|| paired_t(black_box(&x), &y, Confidence::C95));
}

#[divan::bench]
fn fisher_2x14(bencher: Bencher) {
    let mut space = FisherWorkspace::default();
    bencher.bench_local(|| space.p_values(black_box([9, 5, 4, 10])));
}
