//! Mixed models and imputations: the cases with a target, and others that show how the cost grows.

use divan::{Bencher, black_box};
use statistics::Confidence;
use statistics::imputation::{
    Event, ImputationModel, Incomplete, IncompleteData, ParameterDraw, PooledDegrees, Strategy,
    draw_imputation, pool,
};
use statistics::mixed::{
    Covariance, DegreesOfFreedom, Likelihood, MixedModel, Panel, Workspace, mixed_model,
};
use statistics::models::{Design, Term, Variable, linear_model};

/// Random numbers, always the same.
pub(crate) struct Stream(u64);

impl Stream {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        let (u, v) = (self.uniform(), self.uniform());
        (-2.0 * u.ln()).sqrt() * (2.0 * std::f64::consts::PI * v).cos()
    }
}

/// Fills a panel with two arms at `visits` visits, a tenth of the responses missing.
fn simulate(panel: &mut Panel, stream: &mut Stream, participants: usize) {
    panel.clear();
    let visits = panel.visits();
    let mut responses = vec![None; visits];
    for i in 0..participants {
        let (base, level, arm) = (25.0 + 6.0 * stream.normal(), 3.0 * stream.normal(), (i % 2) as f64);
        for (v, response) in responses.iter_mut().enumerate() {
            let value =
                level - 0.2 * base - v as f64 * (0.8 + 0.5 * arm) + (2.0 + 0.4 * v as f64) * stream.normal();
            *response = (v == 0 || stream.uniform() > 0.1).then_some(value);
        }
        panel.push(&[1.0, arm, base], &responses, 0).expect("valid data");
    }
}

pub(crate) fn panel(participants: usize, visits: usize) -> Panel {
    let mut panel = Panel::new(visits, &[true; 3]).expect("a valid panel");
    simulate(&mut panel, &mut Stream(9), participants);
    panel
}

/// The effect of treatment at the last visit.
pub(crate) fn weights(panel: &Panel) -> Vec<f64> {
    let mut weights = vec![0.0; panel.visits() * 3];
    weights[(panel.visits() - 1) * 3 + 1] = 1.0;
    weights
}

/// One fit and the test of one contrast.
pub(crate) fn fitted(space: &mut Workspace, panel: &Panel, weights: &[f64], model: MixedModel) -> f64 {
    let mut fit = mixed_model(space, panel, model).expect("a fit");
    fit.linear_function(weights, Confidence::C95).coefficient.p
}

fn fit(bencher: Bencher<'_, '_>, participants: usize, visits: usize, model: MixedModel) {
    let (panel, mut space) = (panel(participants, visits), Workspace::new());
    let weights = weights(&panel);
    bencher.bench_local(|| fitted(&mut space, black_box(&panel), &weights, model));
}

pub(crate) const SATTERTHWAITE: MixedModel =
    MixedModel { degrees: DegreesOfFreedom::Satterthwaite, ..MixedModel::PRIMARY };

#[divan::bench]
fn unstructured_200x4_satterthwaite(bencher: Bencher<'_, '_>) {
    fit(bencher, 200, 4, SATTERTHWAITE);
}

#[divan::bench]
fn unstructured_200x4_kenward_roger(bencher: Bencher<'_, '_>) {
    fit(bencher, 200, 4, MixedModel::PRIMARY);
}

#[divan::bench]
fn unstructured_1000x4_satterthwaite(bencher: Bencher<'_, '_>) {
    fit(bencher, 1_000, 4, SATTERTHWAITE);
}

#[divan::bench]
fn unstructured_1000x4_kenward_roger(bencher: Bencher<'_, '_>) {
    fit(bencher, 1_000, 4, MixedModel::PRIMARY);
}

#[divan::bench(sample_count = 20)]
fn unstructured_10000x4_kenward_roger(bencher: Bencher<'_, '_>) {
    fit(bencher, 10_000, 4, MixedModel::PRIMARY);
}

#[divan::bench]
fn autoregressive_200x4_kenward_roger(bencher: Bencher<'_, '_>) {
    fit(
        bencher,
        200,
        4,
        MixedModel { covariance: Covariance::HeterogeneousAutoregressive, ..MixedModel::PRIMARY },
    );
}

#[divan::bench(sample_count = 10)]
fn unstructured_200x10_kenward_roger(bencher: Bencher<'_, '_>) {
    fit(bencher, 200, 10, MixedModel::PRIMARY);
}

/// Whole simulated trials: data, fit, p-value.
pub(crate) struct Trials {
    stream: Stream,
    panel: Panel,
    space: Workspace,
    weights: Vec<f64>,
}

impl Trials {
    pub(crate) fn of_200x4() -> Self {
        let panel = panel(200, 4);
        Self { stream: Stream(3), space: Workspace::new(), weights: weights(&panel), panel }
    }

    pub(crate) fn one(&mut self) -> f64 {
        simulate(&mut self.panel, &mut self.stream, 200);
        fitted(&mut self.space, &self.panel, &self.weights, MixedModel::PRIMARY)
    }
}

#[divan::bench]
fn simulated_trial_200x4(bencher: Bencher<'_, '_>) {
    let mut trials = Trials::of_200x4();
    bencher.bench_local(|| trials.one());
}

/// Jump to reference from the visit after the last value: draws, each with a bootstrap fit, and a pooled analysis of covariance.
pub(crate) struct JumpToReference {
    data: IncompleteData,
    arm: Vec<f64>,
    base: Vec<f64>,
}

impl JumpToReference {
    pub(crate) fn of_100x4() -> Self {
        let panel = panel(100, 4);
        let mut data = IncompleteData::new(4, &[true; 3]).expect("valid");
        let (mut arm, mut base) = (Vec::new(), Vec::new());
        for i in 0..100 {
            let own = panel.covariates_of(i, 0).to_vec();
            let responses: Vec<Option<f64>> = (0..4).map(|v| panel.response(i, v)).collect();
            let last = responses.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
            let event = (last < 4).then_some(Event { visit: last, strategy: Strategy::JumpToReference });
            let reference = [1.0, 0.0, own[2]];
            let one = Incomplete {
                covariates: &own,
                as_reference: &reference,
                responses: &responses,
                event,
                stratum: i % 2,
            };
            data.push(one).expect("valid");
            arm.push(own[1]);
            base.push(own[2]);
        }
        Self { data, arm, base }
    }

    pub(crate) fn pooled(&self, space: &mut Workspace, draws: usize) -> f64 {
        let variables = [Variable::Covariate(&self.arm), Variable::Covariate(&self.base)];
        let design = Design::new(&variables, &[Term::main(0), Term::main(1)]).expect("a design");
        let model =
            ImputationModel { covariance: Covariance::Unstructured, likelihood: Likelihood::Restricted };
        let (mut estimates, mut errors) = (Vec::new(), Vec::new());
        for imputation in 0..draws {
            let completed =
                draw_imputation(space, &self.data, model, ParameterDraw::Bootstrap, 1, imputation)
                    .expect("a draw");
            let last: Vec<f64> = completed.at(3).collect();
            let one = linear_model(&design, &last).expect("a fit").coefficients(Confidence::C95)[1];
            estimates.push(one.estimate);
            errors.push(one.se);
        }
        let degrees = PooledDegrees::BarnardRubin { complete: 97.0 };
        pool(&estimates, &errors, degrees, Confidence::C95).expect("pooled").coefficient.p
    }
}

#[divan::bench(sample_count = 20)]
fn jump_to_reference_100x4_20_draws(bencher: Bencher<'_, '_>) {
    let (data, mut space) = (JumpToReference::of_100x4(), Workspace::new());
    bencher.bench_local(|| data.pooled(&mut space, 20));
}
