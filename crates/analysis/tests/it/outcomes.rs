//! Who is analysed with which value, and who is left out and why.

use analysis::{AnalysisResult, PlanError, run};
use protocol::model::{
    Analysis, Measure, Method, MissingRule, Published, Quartiles, Strategy, Subject, TwoSided,
};

use crate::made::{self, analysis, id, plan, rank_sum, score, variable};

fn result(one: Analysis) -> AnalysisResult {
    let name = one.id.clone();
    let results = run(&plan(vec![one]), &made::arms(), &[], &made::data()).unwrap();
    results.analysis(name.as_str()).unwrap().clone()
}

fn with_estimand(missing: MissingRule, estimand: &str) -> AnalysisResult {
    let mut one = analysis("x", rank_sum(), score(Measure::RelativeChange, missing));
    one.estimand = Some(estimand.into());
    result(one)
}

fn value(result: &AnalysisResult, key: &str, group: Option<&str>) -> f64 {
    result.number(key, group, None).unwrap().value.unwrap()
}

fn reasons(result: &AnalysisResult) -> Vec<(String, &str)> {
    result.excluded.iter().map(|(subject, reason)| (subject.to_string(), reason.as_str())).collect()
}

#[test]
fn observed_values_leave_out_and_list_who_has_none() {
    let found = with_estimand(MissingRule::Observed, "E-policy");
    let mut expected = vec![
        (id(5).to_string(), "baseline is 0, which gives no ratio"),
        (id(11).to_string(), "no baseline value"),
    ];
    expected.extend([6, 7, 8, 9, 10, 12].map(|number| (id(number).to_string(), "no value at M6")));
    expected.sort();
    assert_eq!(reasons(&found), expected);
    assert_eq!(value(&found, "n", Some("active")) + value(&found, "n", Some("control")), 16.0);
}

#[test]
fn carried_forward_leaves_out_only_who_has_nothing_after_baseline() {
    let found = with_estimand(MissingRule::LastObservation, "E-policy");
    let mut expected = vec![
        (id(5).to_string(), "baseline is 0, which gives no ratio"),
        (id(11).to_string(), "no baseline value"),
    ];
    expected.extend([8, 9].map(|number| (id(number).to_string(), "no value after baseline up to M6")));
    expected.sort();
    assert_eq!(reasons(&found), expected);
}

#[test]
fn a_worst_case_leaves_out_nobody_with_a_baseline_above_zero() {
    let found = with_estimand(MissingRule::WorstCase, "E-policy");
    let mut expected = vec![
        (id(5).to_string(), "baseline is 0, which gives no ratio"),
        (id(11).to_string(), "no baseline value"),
    ];
    expected.sort();
    assert_eq!(reasons(&found), expected);
}

#[test]
fn a_death_takes_the_worst_rank_even_of_the_last_observation() {
    let (policy, worst) = (
        with_estimand(MissingRule::LastObservation, "E-policy"),
        with_estimand(MissingRule::LastObservation, "E-worst"),
    );
    // 9 (active) died with nothing after baseline, 10 (control) with a value that would be carried.
    assert_eq!(value(&worst, "n", Some("active")), value(&policy, "n", Some("active")) + 1.0);
    assert_eq!(value(&worst, "n", Some("control")), value(&policy, "n", Some("control")));
    assert_ne!(value(&worst, "w", None), value(&policy, "w", None));
    let most = worst.number("max", Some("active"), None).unwrap();
    assert_eq!(most.value, None);
    assert_eq!(
        most.not_estimable.as_deref(),
        Some("lies among the worst ranks, beyond every observed value")
    );
    assert!(worst.number("median", Some("active"), None).unwrap().value.is_some());
}

#[test]
fn a_death_that_is_not_estimated_is_listed() {
    let found = with_estimand(MissingRule::LastObservation, "E-none");
    let died =
        reasons(&found).into_iter().filter(|(_, reason)| *reason == "died before: not estimated, counted");
    let mut expected = [id(9).to_string(), id(10).to_string()];
    expected.sort();
    assert_eq!(died.map(|(subject, _)| subject).collect::<Vec<_>>(), expected);
}

#[test]
fn a_mean_has_no_place_for_a_worst_rank() {
    let method = Method::TwoSampleT { confidence: made::ninety_five(), equal_variances: false };
    let mut one = analysis("x", method, score(Measure::Change, MissingRule::LastObservation));
    one.estimand = Some("E-worst".into());
    let found = result(one);
    let died =
        reasons(&found).into_iter().filter(|(_, reason)| reason.starts_with("died before: a worst rank"));
    assert_eq!(died.count(), 2);
}

#[test]
fn a_subgroup_is_chosen_by_its_condition() {
    let mut one = analysis("x", Method::Count, variable("diagnosis"));
    one.only = Some(made::only_systemic());
    let found = result(one);
    let count = |level| found.number("count", None, Some(level)).unwrap().value;
    assert_eq!((count("systemic"), count("cutaneous")), (Some(20.0), Some(0.0)));
    assert!(found.set.ends_with("only diagnosis == 'systemic'"), "{}", found.set);
}

#[test]
fn counts_tell_missing_levels_from_none() {
    let found = result(analysis("x", Method::Count, variable("sex")));
    let number = |key: &str, level| found.number(key, None, level).unwrap().value;
    assert_eq!((number("denominator", None), number("missing", None)), (Some(24.0), Some(1.0)));
    assert_eq!((number("count", Some("male")), number("count", Some("female"))), (Some(7.0), Some(16.0)));
    assert_eq!(number("percent", Some("male")), Some(100.0 * 7.0 / 24.0));
}

#[test]
fn events_and_participants_are_counted_apart() {
    let found = result(analysis("x", Method::Count, Subject::AdverseEvents { filter: None }));
    let number = |key: &str| found.number(key, None, None).unwrap().value;
    assert_eq!((number("events"), number("participants")), (Some(54.0), Some(18.0)));
    assert_eq!(number("percent"), Some(75.0));
    let by_term: f64 = found
        .levels
        .iter()
        .map(|term| found.number("events", None, Some(&term.id)).unwrap().value.unwrap())
        .sum();
    assert_eq!(by_term, 54.0);
}

#[test]
fn before_the_list_is_opened_nothing_is_compared() {
    let mut data = made::data();
    data.subjects.columns.retain(|column| column.name != "arm");
    let mut one = analysis("x", rank_sum(), score(Measure::RelativeChange, MissingRule::Observed));
    one.published = vec![Published { estimate: "median[active]".to_owned(), fact: "m".into() }];
    let results = run(&plan(vec![one]), &made::arms(), &[], &data).unwrap();
    let found = results.analysis("x").unwrap();
    assert_eq!(found.p_value().unwrap().not_estimable.as_deref(), Some("there are no groups to compare"));
    assert_eq!((found.groups.len(), found.published.len()), (0, 0));
    assert!(results.numbers().keys().all(|id| !id.contains("[active]") && !id.contains("[control]")));
}

#[test]
fn three_against_three_as_by_hand() {
    // Ages of 1, 3, 5 (47, 61, 52) and 2, 6, 8 (54, 59, 50): see the ranks 1 6 3 and 4 5 2.
    let mut data = made::data();
    let chosen = [1, 2, 3, 5, 6, 8].map(|number| id(number).to_string());
    let rows: Vec<bool> = (0..data.subjects.rows())
        .map(|row| chosen.iter().any(|one| data.subjects.cell("subject", row).text() == Some(one)))
        .collect();
    let itt = data.subjects.columns.iter_mut().find(|column| column.name == "set_itt").unwrap();
    itt.data = datasets::Data::Flag(rows.into_iter().map(Some).collect());
    let method = Method::RankSum {
        two_sided: TwoSided::AsFarFromMean,
        confidence: made::ninety_five(),
        quartiles: Quartiles::Type7,
    };
    let results =
        run(&plan(vec![analysis("x", method, variable("age"))]), &made::arms(), &[], &data).unwrap();
    let found = results.analysis("x").unwrap();
    // U = 1 + 6 + 3 - 6 = 4 of 9, half a step from its mean: every arrangement is at least as far.
    assert_eq!((value(found, "w", None), value(found, "p", None)), (4.0, 1.0));
    // Differences: -7 -12 -3, 7 2 11, -2 -7 2; their median is -2.
    assert_eq!(value(found, "shift", None), -2.0);
    assert_eq!((value(found, "lower", None), value(found, "upper", None)), (-12.0, 11.0));
    assert_eq!((value(found, "q1", Some("active")), value(found, "median", Some("control"))), (49.5, 54.0));
}

#[test]
fn published_numbers_stand_beside_their_own() {
    let mut one = analysis("x", rank_sum(), score(Measure::RelativeChange, MissingRule::Observed));
    one.published = vec![Published { estimate: "median[active]".to_owned(), fact: "m".into() }];
    let results =
        run(&plan(vec![one.clone()]), &made::arms(), &[made::fact("m", "+0.10")], &made::data()).unwrap();
    let found = results.analysis("x").unwrap();
    let number = found.number("median", Some("active"), None).unwrap();
    assert_eq!(found.published_beside(number).unwrap().text, "+0.10");

    one.published[0].estimate = "median[aktive]".to_owned();
    let refused = run(&plan(vec![one.clone()]), &made::arms(), &[], &made::data()).unwrap_err();
    let message = refused.to_string();
    assert!(
        message.starts_with("analysis `x` gives no estimate `median[aktive]`; it gives n[active]"),
        "{message}"
    );

    one.published[0] = Published { estimate: "p".to_owned(), fact: "nowhere".into() };
    let refused = run(&plan(vec![one]), &made::arms(), &[], &made::data()).unwrap_err();
    assert_eq!(refused, PlanError::NoFact { analysis: "x".into(), fact: "nowhere".to_owned() });
}

#[test]
fn what_a_plan_can_not_mean_is_refused() {
    let refused =
        |one: Analysis| run(&plan(vec![one]), &made::arms(), &[], &made::data()).unwrap_err().to_string();
    let mut one = analysis("x", rank_sum(), score(Measure::Change, MissingRule::Observed));
    one.set = "pp".into();
    assert_eq!(refused(one.clone()), "analysis `x`: the data sets do not say who belongs to `pp`");
    one.set = "itt".into();
    one.by = Some("colour".to_owned());
    assert_eq!(refused(one), "analysis `x`: there is no variable `colour`");
    assert_eq!(
        refused(analysis("x", Method::Count, variable("weight"))),
        "analysis `x`: there is no variable `weight`"
    );
    let unfit = analysis("x", Method::Count, score(Measure::Change, MissingRule::Observed));
    assert_eq!(refused(unfit), "analysis `x`: count can't be applied to a series of numbers");
    let unfit = analysis("x", rank_sum(), Subject::Deviations);
    assert_eq!(refused(unfit), "analysis `x`: rank sum can't be applied to deviations");
}

#[test]
fn a_strategy_that_no_method_follows_is_refused() {
    let mut one = analysis("x", rank_sum(), score(Measure::Change, MissingRule::Observed));
    one.estimand = Some("E".into());
    let mut plan = plan(vec![one]);
    let mut estimand = made::estimand("E", Strategy::WorstRank);
    estimand.events[0].1 = Strategy::Hypothetical;
    plan.estimands.push(estimand);
    let refused = run(&plan, &made::arms(), &[], &made::data()).unwrap_err().to_string();
    assert_eq!(
        refused,
        "estimand `E`: the strategy for `stopped drug` can't be followed; use treatment policy"
    );
}

#[test]
fn a_term_with_a_published_number_that_nobody_had_is_zero() {
    let mut one = analysis("x", Method::Count, Subject::AdverseEvents { filter: None });
    one.published = vec![
        Published { estimate: "percent[Hiccups]".to_owned(), fact: "m".into() },
        Published { estimate: "events[active][Yawning]".to_owned(), fact: "m".into() },
    ];
    let results = run(&plan(vec![one]), &made::arms(), &[made::fact("m", "3")], &made::data()).unwrap();
    let found = results.analysis("x").unwrap();
    assert_eq!(found.number("percent", None, Some("Hiccups")).unwrap().value, Some(0.0));
    assert_eq!(found.number("events", Some("active"), Some("Yawning")).unwrap().value, Some(0.0));
}

#[test]
fn a_trial_without_participants_has_results_all_the_same() {
    let mut data = made::data();
    for set in [
        &mut data.subjects,
        &mut data.longitudinal,
        &mut data.adverse_events,
        &mut data.deviations,
        &mut data.disposition,
    ] {
        *set = emptied(set);
    }
    let results = run(&made::full_plan(), &made::arms(), &[], &data).unwrap();
    assert!(results.numbers().values().all(|number| number.value.is_none_or(|value| value == 0.0)));
}

fn emptied(set: &datasets::Dataset) -> datasets::Dataset {
    use datasets::Data;
    let mut empty = datasets::Dataset::new(&set.name, &set.label, Vec::new());
    for column in &set.columns {
        let data = match &column.data {
            Data::Text(_) => Data::Text(Vec::new()),
            Data::Code(_) => Data::Code(Vec::new()),
            Data::Integer(_) => Data::Integer(Vec::new()),
            Data::Number(_) => Data::Number(Vec::new()),
            Data::Flag(_) => Data::Flag(Vec::new()),
            Data::Date(_) => Data::Date(Vec::new()),
        };
        empty.push(
            datasets::Column::new(&column.name, &column.label, data).with_levels(column.levels.clone()),
        );
    }
    empty
}
