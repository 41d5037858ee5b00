//! Mixed models: what must not change a fit, what must be refused, and how often the null is rejected.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use statistics::means::{Variances, two_sample_t};
use statistics::mixed::{
    Covariance, DegreesOfFreedom, Likelihood, MixedModel, Panel, Sandwich, Workspace, mixed_model,
};
use statistics::qualification::compute;
use statistics::{Confidence, NotEstimable};

use super::stream::Stream;

fn mmrm_cases() -> Vec<(String, Value, Value)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("reference/mmrm.json");
    let file: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let case = |case: &Value| {
        let mut input = case["input"].clone();
        let name = input.as_object_mut().unwrap().remove("dataset").unwrap();
        input["data"] = file["datasets"][name.as_str().unwrap()]["data"].clone();
        (case["id"].as_str().unwrap().to_owned(), input, case["output"].clone())
    };
    file["cases"].as_array().unwrap().iter().map(case).collect()
}

fn series(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

/// Compares the treatment contrasts and F-tests of two outputs.
fn assert_same_tests(name: &str, expected: &Value, obtained: &Value, estimate_scale: f64) {
    for variant in ["satterthwaite", "kenward_roger", "kenward_roger_linear_SAS"] {
        let (Some(e), Some(o)) = (expected.get(variant), obtained.get(variant)) else { continue };
        let (e, o) = (&e["contrast_trt_last_minus_first"], &o["contrast_trt_last_minus_first"]);
        for (key, scale, tolerance) in
            [("est", estimate_scale, 1e-6), ("se", estimate_scale, 1e-6), ("df", 1.0, 1e-5)]
        {
            for (e, o) in series(&e[key]).iter().zip(series(&o[key])) {
                let e = e * scale;
                assert!((o - e).abs() <= tolerance * e.abs(), "{name} {variant} {key}: {e} {o}");
            }
        }
        let test = |v: &Value| v["F_trt_by_visit"][variant]["F"].as_f64().unwrap();
        let (e, o) = (test(expected), test(obtained));
        assert!((o - e).abs() <= 1e-6 * e, "{name} {variant} F: {e} {o}");
    }
}

#[test]
fn the_order_of_participants_and_visits_does_not_matter() {
    for (name, input, output) in mmrm_cases() {
        let data = input["data"].as_object().unwrap();
        let length = data["id"].as_array().unwrap().len();
        let mut order: Vec<usize> = (0..length).collect();
        let mut stream = Stream::new(11);
        for i in (1..length).rev() {
            order.swap(i, (stream.uniform() * (i + 1) as f64) as usize);
        }
        let mut shuffled = input.clone();
        for (key, column) in data {
            let column = column.as_array().unwrap();
            shuffled["data"][key] = order.iter().map(|i| column[*i].clone()).collect();
        }
        // The reference levels stay what they were.
        for factor in ["trt", "visit"] {
            let mut levels: Vec<&Value> = Vec::new();
            for value in data[factor].as_array().unwrap() {
                if !levels.contains(&value) {
                    levels.push(value);
                }
            }
            shuffled[format!("{factor}_levels")] = json!(levels);
        }
        let obtained = compute("mmrm", &shuffled).unwrap();
        assert_same_tests(&name, &output, &obtained, 1.0);
        let (e, o) = (output["neg2loglik"].as_f64().unwrap(), obtained["neg2loglik"].as_f64().unwrap());
        assert!((o - e).abs() < 1e-9 * e, "{name}: {e} {o}");
    }
}

#[test]
fn neither_scale_nor_shift_of_the_responses_costs_digits() {
    for (name, input, output) in mmrm_cases() {
        let response = input["response"].as_str().unwrap().to_owned();
        for (scale, shift) in [(1e6, 0.0), (1.0, 1e9), (1e6, 1e9), (1e-6, 0.0)] {
            let mut moved = input.clone();
            for value in moved["data"][&response].as_array_mut().unwrap() {
                if let Some(y) = value.as_f64() {
                    *value = json!(y * scale + shift);
                }
            }
            let obtained = compute("mmrm", &moved).unwrap();
            assert_same_tests(&format!("{name} × {scale} + {shift}"), &output, &obtained, scale);
        }
    }
}

/// Two arms of `per_arm`, visits with an unstructured covariance, some visits missing.
fn trial(stream: &mut Stream, per_arm: usize, visits: usize, missing: f64, effect: f64) -> Panel {
    let mut panel = Panel::new(visits, &[true, true, true]).unwrap();
    fill(&mut panel, stream, per_arm, missing, effect);
    panel
}

fn fill(panel: &mut Panel, stream: &mut Stream, per_arm: usize, missing: f64, effect: f64) {
    panel.clear();
    panel.set_intercept(0);
    let visits = panel.visits();
    let mut responses = vec![None; visits];
    for i in 0..2 * per_arm {
        let arm = (i % 2) as f64;
        let baseline = stream.normal();
        let level = 0.8 * stream.normal();
        let mut carried = 0.0;
        for (v, response) in responses.iter_mut().enumerate() {
            carried = 0.6 * carried + stream.normal();
            let spread = 1.0 + 0.3 * v as f64;
            let value = level + spread * carried + 0.5 * baseline + effect * arm * v as f64;
            *response = (v == 0 || stream.uniform() >= missing).then_some(value);
        }
        panel.push(&[1.0, baseline, arm], &responses, i % 2).unwrap();
    }
}

/// The weights of the treatment effect at a visit in a panel of [`trial`].
fn effect_at(panel: &Panel, visit: usize) -> Vec<f64> {
    let mut weights = vec![0.0; panel.visits() * panel.covariates()];
    weights[visit * panel.covariates() + 2] = 1.0;
    weights
}

fn refusal(panel: &Panel, covariance: Covariance) -> NotEstimable {
    let model = MixedModel { covariance, ..MixedModel::PRIMARY };
    mixed_model(&mut Workspace::new(), panel, model).unwrap_err()
}

#[test]
fn what_cannot_be_fitted_is_refused_with_its_reason() {
    let mut panel = Panel::new(3, &[true]).unwrap();
    let nobody = mixed_model(&mut Workspace::new(), &panel, MixedModel::PRIMARY).unwrap_err();
    assert_eq!(nobody, NotEstimable::NoObservations);
    let refused = panel.push(&[1.0], &[None, None, None], 0);
    assert_eq!(refused, Err(NotEstimable::NothingObserved { participant: 0 }));
    assert_eq!(refused.unwrap_err().to_string(), "participant number 1 has no observation");
    assert_eq!(panel.push(&[1.0], &[Some(f64::NAN), None, None], 0), Err(NotEstimable::NotFinite));

    // One observation at the last visit.
    let mut stream = Stream::new(5);
    for i in 0..12 {
        let y = |s: &mut Stream| Some(s.normal());
        let responses = [y(&mut stream), y(&mut stream), if i == 3 { Some(1.0) } else { None }];
        panel.push(&[1.0], &responses, 0).unwrap();
    }
    let alone = NotEstimable::TooFewAtVisit { visit: 2, found: 1 };
    assert_eq!(refusal(&panel, Covariance::Unstructured), alone);
    assert_eq!(refusal(&panel, Covariance::HeterogeneousToeplitz), alone);
    let wanted = "visit number 3 has 1 observation, too few for its mean and variance";
    assert_eq!(alone.to_string(), wanted);

    // A visit that nobody has.
    let mut unseen = Panel::new(3, &[true]).unwrap();
    for _ in 0..6 {
        unseen.push(&[1.0], &[Some(stream.normal()), None, Some(stream.normal())], 0).unwrap();
    }
    let nothing = NotEstimable::TooFewAtVisit { visit: 1, found: 0 };
    assert_eq!(refusal(&unseen, Covariance::CompoundSymmetry), nothing);

    // More visits than participants.
    let few = trial(&mut stream, 2, 6, 0.0, 0.0);
    let refused = refusal(&few, Covariance::Unstructured);
    let wanted = NotEstimable::MoreVisitsThanParticipants { visits: 6, participants: 4, coefficients: 3 };
    assert_eq!(refused, wanted);
    let text =
        "4 participants are too few for an unstructured covariance of 6 visits with 3 coefficients at each";
    assert_eq!(refused.to_string(), text);
}

#[test]
fn a_likelihood_without_maximum_is_refused() {
    let mut stream = Stream::new(6);
    // The second visit repeats the first.
    let mut twin = Panel::new(3, &[true]).unwrap();
    for _ in 0..20 {
        let y = stream.normal();
        twin.push(&[1.0], &[Some(y), Some(y), Some(stream.normal())], 0).unwrap();
    }
    assert_eq!(refusal(&twin, Covariance::Unstructured), NotEstimable::SingularCovariance);
    // Nobody has both the second and the third visit.
    let mut apart = Panel::new(3, &[true]).unwrap();
    for i in 0..20 {
        let (a, b) = (stream.normal(), Some(stream.normal()));
        let later = if i % 2 == 0 { [b, None] } else { [None, b] };
        apart.push(&[1.0], &[Some(a), later[0], later[1]], 0).unwrap();
    }
    assert_eq!(refusal(&apart, Covariance::Unstructured), NotEstimable::NotIdentified);
}

#[test]
fn a_perfect_fit_and_a_singular_design_are_refused() {
    let mut panel = Panel::new(3, &[true, false]).unwrap();
    for i in 0..9 {
        let x = f64::from(i);
        let at = |v: f64| Some(v + 0.25 * x + 1e6);
        panel.push(&[1.0, x], &[at(1.0), at(4.0), at(2.0)], 0).unwrap();
    }
    assert_eq!(refusal(&panel, Covariance::CompoundSymmetry), NotEstimable::ZeroVariance);
    let mut stream = Stream::new(7);
    let mut same = Panel::new(2, &[true, true]).unwrap();
    for _ in 0..9 {
        same.push(&[1.0, 4.0], &[Some(stream.normal()), Some(stream.normal())], 0).unwrap();
    }
    assert_eq!(refusal(&same, Covariance::Unstructured), NotEstimable::SingularDesign);
    // Only one arm is seen at the second visit.
    let mut half = Panel::new(2, &[true, true]).unwrap();
    for i in 0..16 {
        let arm = f64::from(i % 2);
        let second = (i % 2 == 0).then(|| stream.normal());
        half.push(&[1.0, arm], &[Some(stream.normal()), second], 0).unwrap();
    }
    assert_eq!(refusal(&half, Covariance::Unstructured), NotEstimable::SingularDesign);
}

#[test]
fn kenward_roger_needs_restricted_likelihood_and_model_based_errors() {
    let panel = trial(&mut Stream::new(8), 10, 3, 0.1, 0.0);
    let full = MixedModel { likelihood: Likelihood::Full, ..MixedModel::PRIMARY };
    let robust = MixedModel { sandwich: Some(Sandwich::Jackknife), ..MixedModel::PRIMARY };
    for model in [full, robust] {
        assert!(mixed_model(&mut Workspace::new(), &panel, model).is_err());
    }
}

/// Every structure by group, with all coefficients apart by group, is the fits of the groups alone.
#[test]
fn groups_with_nothing_in_common_are_fitted_as_if_alone() {
    let mut stream = Stream::new(9);
    let together = trial(&mut stream, 40, 4, 0.15, 0.3);
    let mut space = Workspace::new();
    for covariance in Covariance::ALL {
        let model = MixedModel { covariance, by_group: true, ..MixedModel::PRIMARY };
        let mut whole = Panel::new(4, &[true; 4]).unwrap();
        let mut alone = [Panel::new(4, &[true; 2]).unwrap(), Panel::new(4, &[true; 2]).unwrap()];
        for i in 0..together.participants() {
            let own = together.covariates_of(i, 0);
            let responses: Vec<Option<f64>> = (0..4).map(|v| together.response(i, v)).collect();
            let group = together.group(i);
            let mut covariates = [0.0; 4];
            covariates[2 * group] = 1.0;
            covariates[2 * group + 1] = own[1];
            whole.push(&covariates, &responses, group).unwrap();
            alone[group].push(&own[..2], &responses, 0).unwrap();
        }
        let mut fit = mixed_model(&mut space, &whole, model).unwrap();
        let total = fit.minus_twice_log_likelihood();
        let mut slopes = Vec::new();
        for group in 0..2 {
            let mut weights = vec![0.0; 16];
            weights[3 * 4 + 2 * group + 1] = 1.0;
            slopes.push(fit.linear_function(&weights, Confidence::C95));
        }
        let covariances: Vec<f64> = (0..2).map(|g| fit.covariance(g, 3, 1)).collect();
        let mut sum = 0.0;
        for group in 0..2 {
            let model = MixedModel { by_group: false, ..model };
            let mut fit = mixed_model(&mut space, &alone[group], model).unwrap();
            sum += fit.minus_twice_log_likelihood();
            let mut weights = vec![0.0; 8];
            weights[3 * 2 + 1] = 1.0;
            let slope = fit.linear_function(&weights, Confidence::C95);
            let close = |a: f64, b: f64| (a - b).abs() <= 1e-7 * b.abs();
            assert!(close(slopes[group].coefficient.estimate, slope.coefficient.estimate));
            assert!(close(slopes[group].coefficient.se, slope.coefficient.se), "{covariance:?}");
            assert!(close(slopes[group].df, slope.df), "{covariance:?}");
            assert!(close(covariances[group], fit.covariance(0, 3, 1)), "{covariance:?}");
        }
        assert!((total - sum).abs() < 1e-8 * sum.abs(), "{covariance:?}: {total} {sum}");
    }
}

/// With a variance for each arm and complete data, a visit's contrast is Welch's test of that visit.
#[test]
fn unstructured_by_arm_on_complete_data_is_welchs_test_at_each_visit() {
    let mut stream = Stream::new(10);
    let mut panel = Panel::new(3, &[true, true]).unwrap();
    let mut arms = [[Vec::new(), Vec::new(), Vec::new()], [Vec::new(), Vec::new(), Vec::new()]];
    for i in 0..23 {
        let arm = usize::from(i >= 9);
        let y: Vec<f64> = (0..3).map(|v| stream.normal() * (1.0 + arm as f64) + v as f64).collect();
        for v in 0..3 {
            arms[arm][v].push(y[v]);
        }
        let responses: Vec<Option<f64>> = y.into_iter().map(Some).collect();
        panel.push(&[1.0, arm as f64], &responses, arm).unwrap();
    }
    let model =
        MixedModel { by_group: true, degrees: DegreesOfFreedom::Satterthwaite, ..MixedModel::PRIMARY };
    let mut space = Workspace::new();
    let mut fit = mixed_model(&mut space, &panel, model).unwrap();
    for v in 0..3 {
        let mut weights = [0.0; 6];
        weights[2 * v + 1] = 1.0;
        let ours = fit.linear_function(&weights, Confidence::C95);
        let welch = two_sample_t(&arms[1][v], &arms[0][v], Variances::Unequal, Confidence::C95).unwrap();
        assert!((ours.coefficient.t - welch.t).abs() < 1e-7, "{ours:?} {welch:?}");
        assert!((ours.df - welch.df).abs() < 1e-6 * welch.df, "{ours:?} {welch:?}");
    }
}

/// A covariate that varies within participants takes another way through the sums; where it does not
/// vary both ways must meet.
#[test]
fn covariates_by_visit_and_by_participant_give_the_same_fit() {
    let mut stream = Stream::new(12);
    let plain = trial(&mut stream, 30, 4, 0.2, 0.2);
    let mut repeated = Panel::with_varying_covariates(4, &[true, true, true]).unwrap();
    repeated.set_intercept(0);
    for i in 0..plain.participants() {
        let covariates = plain.covariates_of(i, 0).repeat(4);
        let responses: Vec<Option<f64>> = (0..4).map(|v| plain.response(i, v)).collect();
        repeated.push(&covariates, &responses, 0).unwrap();
    }
    let (mut left, mut right) = (Workspace::new(), Workspace::new());
    for covariance in Covariance::ALL {
        for degrees in [
            DegreesOfFreedom::KenwardRoger,
            DegreesOfFreedom::KenwardRogerSecondOrder,
            DegreesOfFreedom::BetweenWithin,
        ] {
            let model = MixedModel { covariance, degrees, ..MixedModel::PRIMARY };
            let mut a = mixed_model(&mut left, &plain, model).unwrap();
            let mut b = mixed_model(&mut right, &repeated, model).unwrap();
            let weights = effect_at(&plain, 3);
            let (a, b) =
                (a.linear_function(&weights, Confidence::C95), b.linear_function(&weights, Confidence::C95));
            assert!((a.coefficient.se - b.coefficient.se).abs() < 1e-8 * b.coefficient.se, "{covariance:?}");
            assert!((a.coefficient.estimate - b.coefficient.estimate).abs() < 1e-8);
            assert!((a.df - b.df).abs() < 1e-6 * b.df, "{covariance:?} {degrees:?}: {} {}", a.df, b.df);
        }
    }
}

#[test]
fn a_used_workspace_changes_no_bit() {
    let mut stream = Stream::new(13);
    let panels: Vec<Panel> = [(30, 4), (10, 2), (40, 6), (30, 4)]
        .iter()
        .map(|(per_arm, visits)| trial(&mut stream, *per_arm, *visits, 0.1, 0.1))
        .collect();
    let mut used = Workspace::new();
    for panel in &panels {
        for covariance in Covariance::ALL {
            let model = MixedModel { covariance, ..MixedModel::PRIMARY };
            let answer = |space: &mut Workspace| {
                let mut fit = mixed_model(space, panel, model).unwrap();
                let estimate = fit.linear_function(&effect_at(panel, 1), Confidence::C95);
                (estimate.coefficient.p.to_bits(), estimate.df.to_bits(), fit.aic().to_bits())
            };
            assert_eq!(answer(&mut used), answer(&mut Workspace::new()), "{covariance:?}");
        }
    }
}

#[test]
fn every_fit_says_that_it_stands_at_its_maximum() {
    let mut stream = Stream::new(14);
    let mut space = Workspace::new();
    for visits in [2, 3, 5, 8, 12] {
        let panel = trial(&mut stream, 40, visits, 0.1, 0.2);
        for covariance in Covariance::ALL {
            let model = MixedModel { covariance, ..MixedModel::PRIMARY };
            let fit = mixed_model(&mut space, &panel, model).unwrap();
            assert!(fit.decrement() <= 1e-10, "{visits} {covariance:?}: {}", fit.decrement());
            assert!(fit.steps() < 25, "{visits} {covariance:?}: {} steps", fit.steps());
        }
    }
}

/// How often each method rejects a true null at two-sided 0.05: 28 participants, 2 visits, a tenth missing.
#[test]
fn kenward_roger_holds_its_level_at_28_participants() {
    const TRIALS: usize = 10_000;
    let methods = [
        (DegreesOfFreedom::KenwardRoger, None),
        (DegreesOfFreedom::Satterthwaite, None),
        (DegreesOfFreedom::Residual, None),
        (DegreesOfFreedom::Residual, Some(Sandwich::Unadjusted)),
    ];
    let mut rejected = [0usize; 4];
    let mut space = Workspace::new();
    let mut panel = Panel::new(3, &[true, true, true]).unwrap();
    let mut stream = Stream::new(2026);
    for _ in 0..TRIALS {
        fill(&mut panel, &mut stream, 14, 0.15, 0.0);
        let weights = effect_at(&panel, 2);
        for ((degrees, sandwich), count) in methods.iter().zip(&mut rejected) {
            let model = MixedModel { degrees: *degrees, sandwich: *sandwich, ..MixedModel::PRIMARY };
            let mut fit = mixed_model(&mut space, &panel, model).unwrap();
            let p = fit.linear_function(&weights, Confidence::C95).coefficient.p;
            *count += usize::from(p < 0.05);
        }
    }
    let rate = |i: usize| rejected[i] as f64 / TRIALS as f64;
    // Three Monte Carlo standard errors of 0.05 from 10,000 are 0.0065.
    assert!((rate(0) - 0.05).abs() < 0.0065, "Kenward-Roger {}", rate(0));
    assert!((rate(1) - 0.05).abs() < 0.015 && rate(1) > rate(0), "Satterthwaite {}", rate(1));
    assert!(rate(2) > rate(1), "residual degrees {}", rate(2));
    assert!(rate(3) > 0.07, "unadjusted sandwich {}", rate(3));
}
