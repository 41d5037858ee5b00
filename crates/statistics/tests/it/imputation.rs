//! Imputation: what stays, what varies, and what the strategies mean.

use statistics::imputation::{
    Event, ImputationModel, Incomplete, IncompleteData, ParameterDraw, PooledDegrees, Strategy,
    adjust_by_delta, conditional_mean, draw_imputation, pool, tipping_point,
};
use statistics::mixed::{Covariance, Likelihood, MixedModel, Panel, Workspace, mixed_model};
use statistics::models::{Design, Term, Variable, linear_model};
use statistics::{Confidence, NotEstimable};

use super::stream::Stream;

const MODEL: ImputationModel =
    ImputationModel { covariance: Covariance::Unstructured, likelihood: Likelihood::Restricted };

struct Trial {
    data: IncompleteData,
    panel: Panel,
    arm: Vec<f64>,
    base: Vec<f64>,
}

/// Two arms of `per_arm` at four visits, an active arm that falls by 1 a visit more, and dropout.
fn trial(seed: u64, per_arm: usize, strategy: Option<Strategy>) -> Trial {
    let mut stream = Stream::new(seed);
    let mut data = IncompleteData::new(4, &[true, true, true]).unwrap();
    let mut panel = Panel::new(4, &[true, true, true]).unwrap();
    let (mut arms, mut bases) = (Vec::new(), Vec::new());
    for i in 0..2 * per_arm {
        let arm = (i % 2) as f64;
        let base = 25.0 + 6.0 * stream.normal();
        let level = 2.0 * stream.normal();
        let drop = (0..4).find(|_| stream.uniform() < 0.12);
        let mut responses = [None; 4];
        for (v, response) in responses.iter_mut().enumerate() {
            let mean = -0.2 * (base - 25.0) - v as f64 * (0.5 + arm);
            let value = mean + level + 1.5 * stream.normal();
            *response = drop.is_none_or(|d| v < d).then_some(value);
        }
        let event = drop.zip(strategy).map(|(visit, strategy)| Event { visit, strategy });
        data.push(Incomplete {
            covariates: &[1.0, arm, base],
            as_reference: &[1.0, 0.0, base],
            responses: &responses,
            event,
            stratum: i % 2,
        })
        .unwrap();
        if responses[0].is_some() {
            panel.push(&[1.0, arm, base], &responses, 0).unwrap();
        }
        arms.push(arm);
        bases.push(base);
    }
    Trial { data, panel, arm: arms, base: bases }
}

impl Trial {
    /// The difference of arms at the last visit by analysis of covariance, with its error.
    fn effect(&self, last: &[f64]) -> (f64, f64) {
        let variables = [Variable::Covariate(&self.arm), Variable::Covariate(&self.base)];
        let design = Design::new(&variables, &[Term::main(0), Term::main(1)]).unwrap();
        let one = linear_model(&design, last).unwrap().coefficients(Confidence::C95)[1];
        (one.estimate, one.se)
    }

    fn pooled(&self, count: usize, delta: f64, from: ParameterDraw) -> statistics::imputation::Pooled {
        let mut space = Workspace::new();
        let (mut estimates, mut errors) = (Vec::new(), Vec::new());
        for imputation in 0..count {
            let mut completed = draw_imputation(&mut space, &self.data, MODEL, from, 77, imputation).unwrap();
            let active = |i: usize, _: usize| delta * self.arm[i];
            adjust_by_delta(&mut completed, &self.data, active);
            let (estimate, error) = self.effect(&completed.at(3).collect::<Vec<_>>());
            estimates.push(estimate);
            errors.push(error);
        }
        let complete = (self.arm.len() - 3) as f64;
        pool(&estimates, &errors, PooledDegrees::BarnardRubin { complete }, Confidence::C95).unwrap()
    }
}

#[test]
fn observed_responses_stay_and_draws_depend_on_seed_and_number_alone() {
    let trial = trial(1, 30, Some(Strategy::JumpToReference));
    let mut space = Workspace::new();
    let later = draw_imputation(&mut space, &trial.data, MODEL, ParameterDraw::Bootstrap, 5, 3).unwrap();
    let first = draw_imputation(&mut space, &trial.data, MODEL, ParameterDraw::Bootstrap, 5, 0).unwrap();
    let again =
        draw_imputation(&mut Workspace::new(), &trial.data, MODEL, ParameterDraw::Bootstrap, 5, 3).unwrap();
    assert_eq!(later, again);
    assert_ne!(later, first);
    assert_ne!(
        later,
        draw_imputation(&mut space, &trial.data, MODEL, ParameterDraw::Bootstrap, 6, 3).unwrap()
    );
    let mut imputed = 0;
    for i in 0..trial.data.participants() {
        for v in 0..4 {
            match trial.data.response(i, v) {
                Some(observed) => assert_eq!(later.of(i)[v], observed),
                None => imputed += 1,
            }
        }
    }
    assert!(imputed > 20);
}

/// Missing at random, many draws: the pooled difference is that of the mixed model, whose likelihood it approximates.
#[test]
fn missing_at_random_pools_to_the_mixed_model() {
    let trial = trial(2, 60, None);
    let mut space = Workspace::new();
    let mut fit = mixed_model(&mut space, &trial.panel, MixedModel::PRIMARY).unwrap();
    let mut weights = [0.0; 12];
    weights[10] = 1.0;
    let direct = fit.linear_function(&weights, Confidence::C95).coefficient;
    for from in [ParameterDraw::Bootstrap, ParameterDraw::Normal] {
        let pooled = trial.pooled(200, 0.0, from).coefficient;
        assert!((direct.estimate - pooled.estimate).abs() < 0.15 * direct.se, "{direct:?} {pooled:?}");
        assert!((direct.se / pooled.se - 1.0).abs() < 0.1, "{direct:?} {pooled:?}");
    }
}

#[test]
fn draws_vary_about_the_conditional_mean() {
    let trial = trial(3, 60, Some(Strategy::CopyIncrements));
    let mut space = Workspace::new();
    let mean = conditional_mean(&mut space, &trial.data, MODEL).unwrap();
    let draws: Vec<_> = (0..300)
        .map(|i| draw_imputation(&mut space, &trial.data, MODEL, ParameterDraw::Bootstrap, 9, i).unwrap())
        .collect();
    for i in 0..trial.data.participants() {
        if trial.data.response(i, 3).is_some() {
            continue;
        }
        let values: Vec<f64> = draws.iter().map(|d| d.of(i)[3]).collect();
        let average = values.iter().sum::<f64>() / 300.0;
        let sd = (values.iter().map(|v| (v - average).powi(2)).sum::<f64>() / 299.0).sqrt();
        assert!(sd > 1.0, "{i}: {sd}");
        assert!((average - mean.of(i)[3]).abs() < 0.35 * sd, "{i}: {average} {} {sd}", mean.of(i)[3]);
    }
}

/// The stronger the strategy takes the effect away, the smaller the difference of arms.
#[test]
fn strategies_shrink_the_effect_in_their_order() {
    let effect = |strategy| {
        let trial = trial(4, 150, Some(strategy));
        let completed = conditional_mean(&mut Workspace::new(), &trial.data, MODEL).unwrap();
        trial.effect(&completed.at(3).collect::<Vec<_>>()).0
    };
    let at_random = effect(Strategy::MissingAtRandom);
    let increments = effect(Strategy::CopyIncrements);
    let jump = effect(Strategy::JumpToReference);
    assert!(at_random < increments && increments < jump && jump < 0.0, "{at_random} {increments} {jump}");
    assert!(effect(Strategy::LastMeanCarried) > at_random);
    assert!(effect(Strategy::CopyReference) > at_random);
}

#[test]
fn delta_moves_imputed_values_alone_until_the_conclusion_tips() {
    let trial = trial(5, 60, None);
    let significant = |delta: f64| {
        let one = trial.pooled(10, delta, ParameterDraw::Bootstrap).coefficient;
        Ok(one.estimate < 0.0 && one.p < 0.05)
    };
    let tips = tipping_point(0.0, 100.0, 0.01, significant).unwrap().unwrap();
    assert!(significant(tips - 0.02).unwrap() && !significant(tips).unwrap(), "{tips}");
    assert_eq!(tipping_point(0.0, 0.1, 0.01, significant), Ok(None));
    let refused = tipping_point(0.0, f64::INFINITY, 0.01, significant);
    assert_eq!(refused, Err(NotEstimable::OutOfRange { name: "range of the tipping point" }));
    // The adjustment itself.
    let mut completed = conditional_mean(&mut Workspace::new(), &trial.data, MODEL).unwrap();
    let before = completed.clone();
    adjust_by_delta(&mut completed, &trial.data, |_, v| v as f64);
    for i in 0..trial.data.participants() {
        for v in 0..4 {
            let moved = if trial.data.response(i, v).is_none() { v as f64 } else { 0.0 };
            assert_eq!(completed.of(i)[v], before.of(i)[v] + moved);
        }
    }
}

#[test]
fn what_cannot_be_imputed_is_refused() {
    let mut data = IncompleteData::new(2, &[true]).unwrap();
    let one = |responses, event| Incomplete {
        covariates: &[1.0],
        as_reference: &[1.0],
        responses,
        event,
        stratum: 0,
    };
    let late = Some(Event { visit: 2, strategy: Strategy::CopyReference });
    assert!(data.push(one(&[Some(1.0), None], late)).is_err());
    assert!(data.push(Incomplete { as_reference: &[], ..one(&[Some(1.0), None], None) }).is_err());
    assert!(data.push(Incomplete { covariates: &[f64::NAN], ..one(&[None, None], None) }).is_err());
    data.push(one(&[Some(1.0), None], None)).unwrap();
    data.push(one(&[Some(2.0), None], None)).unwrap();
    // Nobody has the second visit.
    let nobody = NotEstimable::TooFewAtVisit { visit: 1, found: 0 };
    assert_eq!(conditional_mean(&mut Workspace::new(), &data, MODEL), Err(nobody));
    assert_eq!(
        draw_imputation(&mut Workspace::new(), &data, MODEL, ParameterDraw::Normal, 1, 0),
        Err(nobody)
    );
}
