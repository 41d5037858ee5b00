//! What whole-trial simulation calls allocates nothing once its workspace has seen data of the same size.

use allocation_counter::measure;
use statistics::Confidence;
use statistics::means::{Variances, paired_t, two_sample_t};
use statistics::mixed::{Covariance, DegreesOfFreedom, MixedModel, Panel, Workspace, mixed_model};
use statistics::models::LinearWorkspace;
use statistics::proportions::FisherWorkspace;
use statistics::ranks::{RankSumWorkspace, SignedRankWorkspace, TwoSided, Zeros};
use statistics::survival::{LogRankWeights, LogRankWorkspace, Times};

use super::stream::Stream;

/// Runs `work` on fifty data sets, then counts what it allocates on the same ones: rare ways through have then been taken, too.
fn allocations(mut work: impl FnMut(&mut Stream)) -> u64 {
    let mut each = || (0..50).for_each(|seed| work(&mut Stream::new(seed)));
    each();
    measure(each).count_total
}

fn draw(stream: &mut Stream, out: &mut Vec<f64>, shift: f64) {
    out.clear();
    out.extend((0..60).map(|_| shift + stream.normal()));
}

#[test]
fn the_count_sees_an_allocation() {
    assert!(allocations(|_| drop(std::hint::black_box(vec![1.0; 8]))) >= 50);
}

#[test]
fn tests_of_two_samples_allocate_nothing() {
    let (mut x, mut y) = (Vec::with_capacity(60), Vec::with_capacity(60));
    let (mut ranks, mut signed) = (RankSumWorkspace::default(), SignedRankWorkspace::default());
    let count = allocations(|stream| {
        draw(stream, &mut x, 0.0);
        draw(stream, &mut y, 0.3);
        two_sample_t(&x, &y, Variances::Unequal, Confidence::C95).unwrap();
        paired_t(&x, &y, Confidence::C95).unwrap();
        // Rounded, so that there are ties.
        for value in x.iter_mut().chain(&mut y) {
            *value = value.round();
        }
        ranks.exact(&x, &y, TwoSided::AsFarFromMean).unwrap();
        signed.exact(&x, Zeros::Pratt).unwrap();
    });
    assert_eq!(count, 0);
}

#[test]
fn fishers_test_and_the_log_rank_test_allocate_nothing() {
    let (mut fisher, mut log_rank) = (FisherWorkspace::default(), LogRankWorkspace::default());
    let (mut time, mut event) = (Vec::with_capacity(60), Vec::with_capacity(60));
    let arm: Vec<usize> = (0..60).map(|i| i % 2).collect();
    let count = allocations(|stream| {
        draw(stream, &mut time, 0.0);
        event.clear();
        event.extend(time.iter().map(|t| *t < 1.0));
        for t in &mut time {
            *t = t.abs() + 0.01;
        }
        log_rank.compare(Times::new(&time, &event).unwrap(), &arm, 2, None, LogRankWeights::Equal).unwrap();
        let events = event.iter().filter(|e| **e).count() as u64;
        fisher.p_values([events, 60 - events, 30, 40]).unwrap();
    });
    assert_eq!(count, 0);
}

#[test]
fn analysis_of_covariance_allocates_nothing() {
    let (mut base, mut y) = (Vec::with_capacity(60), Vec::with_capacity(60));
    let arm: Vec<f64> = (0..60).map(|i| f64::from(i % 2)).collect();
    let mut space = LinearWorkspace::default();
    let count = allocations(|stream| {
        draw(stream, &mut base, 20.0);
        draw(stream, &mut y, 0.0);
        space.fit(&y, &[&base, &arm]).unwrap();
        space.test(2).unwrap();
        space.coefficient(2, Confidence::C95).unwrap();
    });
    assert_eq!(count, 0);
}

#[test]
fn a_mixed_model_of_any_structure_allocates_nothing() {
    let mut panel = Panel::new(4, &[true, true, true]).unwrap();
    let mut weights = [0.0; 12];
    weights[10] = 1.0;
    for covariance in Covariance::ALL {
        for degrees in [
            DegreesOfFreedom::KenwardRoger,
            DegreesOfFreedom::KenwardRogerSecondOrder,
            DegreesOfFreedom::Satterthwaite,
        ] {
            let model = MixedModel { covariance, degrees, ..MixedModel::PRIMARY };
            let mut space = Workspace::new();
            let count = allocations(|stream| {
                panel.clear();
                for i in 0..60 {
                    let (base, level) = (stream.normal(), stream.normal());
                    let mut responses = [None; 4];
                    for (v, response) in responses.iter_mut().enumerate() {
                        let value = 0.4 * base + level + stream.normal() * (1.0 + 0.2 * v as f64);
                        // Every pattern of missing visits stands in every data set.
                        *response = (v == 0 || (i / 2) >> (v - 1) & 1 == 0).then_some(value);
                    }
                    panel.push(&[1.0, base, f64::from(i % 2)], &responses, 0).unwrap();
                }
                let mut fit = mixed_model(&mut space, &panel, model).unwrap();
                let one = fit.linear_function(&weights, Confidence::C95);
                assert!(one.df > 5.0 && one.coefficient.se > 0.0);
            });
            assert_eq!(count, 0, "{covariance:?} {degrees:?}");
        }
    }
}
