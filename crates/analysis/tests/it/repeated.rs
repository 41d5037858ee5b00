//! Methods over several visits: who is in them, and that they are the statistics crate's on those.

use analysis::{AnalysisResult, PlanError, run};
use protocol::model::{
    DegreesOfFreedom, Imputation, Imputing, Measure, Method, MissingRule, MixedErrors, Mmrm,
    MultipleImputation, ParameterSource, PredictiveImputation, RepeatedModel, Strategy, Subject,
    VisitCovariance,
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

const DRAWS: Imputing = Imputing::Drawn { parameters: ParameterSource::Bootstrap, draws: 40, seed: 4 };

fn imputation(strategy: Imputation, delta: &str) -> Method {
    Method::MultipleImputation(imputed(strategy, delta, DRAWS))
}

fn imputed(strategy: Imputation, delta: &str, imputing: Imputing) -> MultipleImputation {
    MultipleImputation {
        confidence: ninety_five(),
        model: model(),
        strategy,
        reason: None,
        strategies: Vec::new(),
        imputing,
        delta: delta.parse::<Decimal>().unwrap(),
        tipping_point: None,
    }
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
fn conditional_means_and_draws_agree_and_the_jackknife_says_how_sure_they_are() {
    let drawn = |parameters| {
        let many = Imputing::Drawn { parameters, draws: 400, seed: 4 };
        result(Method::MultipleImputation(imputed(Imputation::MissingAtRandom, "0", many)))
    };
    let (bootstrap, normal) = (drawn(ParameterSource::Bootstrap), drawn(ParameterSource::Normal));
    let means = imputed(Imputation::MissingAtRandom, "0", Imputing::ConditionalMean);
    let mean = result(Method::MultipleImputation(means));
    let se = pair(&mean, "se");
    for other in [&bootstrap, &normal] {
        let (ours, theirs) = (pair(&mean, "difference"), pair(other, "difference"));
        assert!((ours - theirs).abs() < 0.25 * se, "{ours} {theirs} {se}");
        assert!((pair(other, "se") / se - 1.0).abs() < 0.35, "{} {se}", pair(other, "se"));
    }
    assert!((pair(&bootstrap, "difference") - pair(&normal, "difference")).abs() > 1e-9);
    assert!((pair(&mean, "t") - pair(&mean, "difference") / se).abs() < 1e-12);
    // The normal distribution has no degrees of freedom to speak of.
    assert!(mean.number("df", Some("active"), Some("control")).is_none());
}

#[test]
fn at_the_tipping_point_the_conclusion_changes() {
    for imputing in [DRAWS, Imputing::ConditionalMean] {
        let with = |delta: &str| {
            let level = "0.5".parse().unwrap();
            MultipleImputation { confidence: level, ..imputed(Imputation::MissingAtRandom, delta, imputing) }
        };
        let conclusion = |delta: &str| {
            let result = result(Method::MultipleImputation(with(delta)));
            (pair(&result, "p") < 0.5).then_some(pair(&result, "difference") > 0.0)
        };
        let first = conclusion("-60");
        assert_ne!(first, conclusion("60"), "the range has a tipping point");
        let mut range = with("0");
        range.tipping_point = Some(["-60", "60"].map(|end| end.parse().unwrap()));
        let found = result(Method::MultipleImputation(range.clone()));
        let tips = pair(&found, "tipping_point");
        let text = |delta: f64| format!("{delta:.5}");
        assert_eq!(conclusion(&text(tips - 0.01)), first, "{tips}");
        assert_ne!(conclusion(&text(tips + 0.01)), first, "{tips}");
        range.tipping_point = Some([tips + 0.001, tips + 0.002].map(|end| text(end).parse().unwrap()));
        let nowhere = result(Method::MultipleImputation(range));
        let number = nowhere.number("tipping_point", Some("active"), Some("control")).unwrap();
        assert_eq!(number.not_estimable.as_deref(), Some("the conclusion does not change within the range"));
    }
}

#[test]
fn a_hypothetical_strategy_is_followed_by_models_and_by_nothing_else() {
    let with_role = |method: Method, event: &str, role: &str| {
        let mut one = analysis("x", method, score(Measure::Change, MissingRule::Observed));
        one.role = role.to_owned();
        one.estimand = Some("E-policy".into());
        let mut plan = plan(vec![one]);
        let estimand = plan.estimands.iter_mut().find(|estimand| estimand.id == "E-policy").unwrap();
        estimand.events = vec![(event.to_owned(), Strategy::Hypothetical)];
        run(&plan, &made::arms(), &[], &made::data())
    };
    let with = |method: Method, event: &str| with_role(method, event, "main");
    assert!(with(mmrm(), "stopped drug").is_ok());
    assert!(with(imputation(Imputation::MissingAtRandom, "0"), "stopped drug").is_ok());
    let jump = || imputation(Imputation::JumpToReference, "0");
    assert!(matches!(with(jump(), "stopped drug"), Err(PlanError::Strategy { .. })));
    let mut others = imputed(Imputation::MissingAtRandom, "0", DRAWS);
    others.strategies = vec![("toxicity".to_owned(), Imputation::CopyIncrements)];
    assert!(matches!(
        with(Method::MultipleImputation(others), "stopped drug"),
        Err(PlanError::Strategy { .. })
    ));
    assert!(with_role(jump(), "stopped drug", "sensitivity").is_ok());
    assert!(matches!(with(mmrm(), "death"), Err(PlanError::Strategy { .. })));
    assert!(matches!(with(made::ancova(&[], &[]), "stopped drug"), Err(PlanError::Strategy { .. })));
}

#[test]
fn missing_levels_are_drawn_and_their_share_lies_between_none_and_all_of_them() {
    let with = |covariates: &[&str]| {
        let method = Method::PredictiveImputation(PredictiveImputation {
            confidence: ninety_five(),
            success: vec!["female".to_owned()],
            covariates: covariates.iter().map(|name| (*name).to_owned()).collect(),
            factors: Vec::new(),
            draws: 30,
            seed: 8,
        });
        let one = analysis("x", method, Subject::Variable { variable: "sex".to_owned() });
        let results = run(&plan(vec![one]), &made::arms(), &[], &made::data()).unwrap();
        results.analysis("x").unwrap().clone()
    };
    let found = with(&[]);
    let number = |key, group| found.number(key, group, None).unwrap().value.unwrap();
    assert_eq!([number("n", None), number("imputed", None)], [24.0, 1.0]);
    // Participant 3 is of the active arm, and every third one of those who are known is male.
    let known = |n: &u32| (n % 2 == 1 || *n == 24) && *n != 3;
    let females = (1..=24).filter(known).filter(|n| n % 3 != 0).count() as f64;
    let (least, most) = (100.0 * females / 13.0, 100.0 * (females + 1.0) / 13.0);
    let share = number("percent", Some("active"));
    assert!(least < share && share < most, "{least} {share} {most}");
    let missing = pair(&found, "missing_information");
    assert!(missing > 0.0 && missing < 0.5, "{missing}");
    assert!((pair(&found, "difference") - (share - number("percent", Some("control")))).abs() < 1e-9);
    assert_eq!(pair(&with(&[]), "p").to_bits(), pair(&found, "p").to_bits());
}
