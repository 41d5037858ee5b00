//! Methods over several visits: who is in them, and that they are the statistics crate's on those.

use analysis::{AnalysisResult, PlanError, run};
use protocol::model::{
    DegreesOfFreedom, Imputation, Measure, Method, MissingRule, MixedErrors, Mmrm, MultipleImputation,
    RepeatedModel, Strategy, VisitCovariance,
};
use statistics::Confidence;
use statistics::mixed::{MixedModel, Panel, Workspace, mixed_model};
use terms::Decimal;

use crate::made::{self, analysis, id, ninety_five, plan, score};

fn model() -> RepeatedModel {
    RepeatedModel {
        visits: vec!["M3".to_owned(), "M6".to_owned()],
        visit_column: None,
        covariance: VisitCovariance::Unstructured,
        covariates: Vec::new(),
        covariates_by_visit: vec!["baseline".to_owned()],
        factors: Vec::new(),
    }
}

fn mmrm() -> Method {
    Method::Mmrm(Mmrm {
        confidence: ninety_five(),
        model: model(),
        covariance_by_group: false,
        restricted: true,
        degrees_of_freedom: DegreesOfFreedom::KenwardRoger,
        errors: MixedErrors::Model,
    })
}

fn imputation(strategy: Imputation, delta: &str) -> Method {
    Method::MultipleImputation(MultipleImputation {
        confidence: ninety_five(),
        model: model(),
        strategy,
        reason: None,
        strategies: Vec::new(),
        draws: 40,
        seed: 4,
        delta: delta.parse::<Decimal>().unwrap(),
    })
}

fn result(method: Method) -> AnalysisResult {
    let one = analysis("x", method, score(Measure::Change, MissingRule::Observed));
    let results = run(&plan(vec![one]), &made::arms(), &[], &made::data()).unwrap();
    results.analysis("x").unwrap().clone()
}

fn pair(result: &AnalysisResult, key: &str) -> f64 {
    result.number(key, Some("active"), Some("control")).unwrap().value.unwrap()
}

#[test]
fn a_mixed_model_is_fitted_to_everybody_with_a_baseline_and_a_visit() {
    let found = result(mmrm());
    let mut panel = Panel::new(2, &[true; 3]).unwrap();
    for number in 1..=24 {
        let [baseline, m3, m6, _] = made::scores(number);
        let Some(baseline) = baseline.filter(|_| m3.is_some() || m6.is_some()) else { continue };
        let active = f64::from(u8::from(number % 2 == 1 || number == 24));
        let change = |value: Option<f64>| value.map(|value| value - baseline);
        panel.push(&[1.0, active, baseline], &[change(m3), change(m6)], 0).unwrap();
    }
    let all = found.number("n", None, None).unwrap().value.unwrap();
    assert_eq!(all, panel.participants() as f64);
    let observations = found.number("observations", None, None).unwrap().value.unwrap();
    assert_eq!(observations, panel.observations() as f64);
    let mut space = Workspace::new();
    let mut fit = mixed_model(&mut space, &panel, MixedModel::PRIMARY).unwrap();
    let at_m6 = fit.linear_function(&[0.0, 0.0, 0.0, 0.0, 1.0, 0.0], Confidence::C95);
    let average = fit.linear_function(&[0.0, 0.5, 0.0, 0.0, 0.5, 0.0], Confidence::C95);
    for (key, expected) in [
        ("difference", at_m6.coefficient.estimate),
        ("se", at_m6.coefficient.se),
        ("lower", at_m6.coefficient.interval.lower),
        ("upper", at_m6.coefficient.interval.upper),
        ("df", at_m6.df),
        ("p", at_m6.coefficient.p),
        ("average_difference", average.coefficient.estimate),
        ("average_p", average.coefficient.p),
    ] {
        let ours = pair(&found, key);
        assert!((ours - expected).abs() <= 1e-9 * expected.abs(), "{key}: {ours} {expected}");
    }
    let mean = |group: &str| found.number("ls_mean", Some(group), None).unwrap().value.unwrap();
    assert!((mean("active") - mean("control") - pair(&found, "difference")).abs() < 1e-9);
    let at_visit = found.number("visit_difference", None, Some("M6")).unwrap().value.unwrap();
    assert!((at_visit - pair(&found, "difference")).abs() < 1e-12);
    // No baseline; no value at either visit.
    let excluded: Vec<String> = found.excluded.iter().map(|(subject, _)| subject.to_string()).collect();
    for number in [7, 8, 9, 11] {
        assert!(excluded.contains(&id(number).to_string()), "{number}: {excluded:?}");
    }
    assert_eq!(excluded.len(), 4);
}

#[test]
fn imputation_takes_everybody_but_the_dead_and_those_without_baseline() {
    let found = result(imputation(Imputation::MissingAtRandom, "0"));
    assert_eq!(found.number("n", None, None).unwrap().value.unwrap(), 21.0);
    // Without a value at M6: 6, 7, 8 and 12.
    assert_eq!(found.number("imputed", None, None).unwrap().value.unwrap(), 4.0);
    let mut reasons: Vec<(String, &str)> =
        found.excluded.iter().map(|(subject, reason)| (subject.to_string(), reason.as_str())).collect();
    reasons.sort();
    let dead = "died before: there is no value to impute";
    let mut expected = vec![
        (id(9).to_string(), dead),
        (id(10).to_string(), dead),
        (id(11).to_string(), "no value of baseline"),
    ];
    expected.sort();
    assert_eq!(reasons, expected);
    let again = result(imputation(Imputation::MissingAtRandom, "0"));
    assert_eq!(pair(&found, "p").to_bits(), pair(&again, "p").to_bits());
    let missing = pair(&found, "missing_information");
    assert!(missing > 0.0 && missing < 0.8, "{missing}");
}

#[test]
fn assumptions_and_deltas_move_the_difference() {
    let difference = |strategy, delta| pair(&result(imputation(strategy, delta)), "difference");
    let at_random = difference(Imputation::MissingAtRandom, "0");
    let moved = difference(Imputation::MissingAtRandom, "3");
    assert!(moved > at_random + 0.05, "{at_random} {moved}");
    assert!((difference(Imputation::JumpToReference, "0") - at_random).abs() > 1e-6);
}

#[test]
fn a_hypothetical_strategy_is_followed_by_models_and_by_nothing_else() {
    let with = |method: Method, event: &str| {
        let mut one = analysis("x", method, score(Measure::Change, MissingRule::Observed));
        one.estimand = Some("E-policy".into());
        let mut plan = plan(vec![one]);
        let estimand = plan.estimands.iter_mut().find(|estimand| estimand.id == "E-policy").unwrap();
        estimand.events = vec![(event.to_owned(), Strategy::Hypothetical)];
        run(&plan, &made::arms(), &[], &made::data())
    };
    assert!(with(mmrm(), "stopped drug").is_ok());
    assert!(matches!(with(mmrm(), "death"), Err(PlanError::Strategy { .. })));
    assert!(matches!(with(made::ancova(&[], &[]), "stopped drug"), Err(PlanError::Strategy { .. })));
}
