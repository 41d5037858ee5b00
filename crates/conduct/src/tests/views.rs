//! What expressions see: here, at a visit, before it, at baseline, lately; limits of normal; variables.

use proptest::prelude::*;
use protocol::{
    expression::{ItemRef, Scope, When},
    model::{CASEBOOK_VARIABLES, Timing},
};
use record::{DoseStep, EndReason};
use terms::{Answer, Value, VisitId};

use super::trial::*;
use crate::{Action, View};

fn weight(when: When) -> ItemRef {
    ItemRef { form: "vital_signs".into(), item: "weight".into(), when }
}

/// Weights of 60 at screening, 61 at month 0, 62 at an unscheduled visit, 63 at month 1.
fn weighed() -> Trial {
    let mut trial = Trial::open(study_b());
    trial.consents();
    trial.does(Action::ScreenSubject);
    let weigh = |trial: &mut Trial, visit: &str, kilograms: &str| {
        trial.holds(visit);
        trial.saves(
            visit,
            "vital_signs",
            &[("weight", number(kilograms)), ("systolic", whole(120)), ("diastolic", whole(80))],
        );
        trial.fills(visit);
    };
    weigh(&mut trial, "Scr", "60.0");
    trial.decides("Scr");
    trial.later(7);
    weigh(&mut trial, "M0", "61.0");
    trial.decides("M0");
    trial.does(Action::RandomiseSubject);
    trial.does(Action::DispenseKit { visit: "M0".into(), kit: None });
    trial.does(dosing(DoseStep::Started, trial.today, 400));
    trial.later(10);
    weigh(&mut trial, "U1", "62.0");
    trial.later(20);
    weigh(&mut trial, "M1", "63.0");
    trial
}

#[test]
fn each_occurrence_of_an_item_is_found() {
    let trial = weighed();
    let seen = |visit: &str, when: When| {
        View::at_visit(&trial.study, trial.casebook(), &visit.into()).item(&weight(when))
    };
    assert_eq!(seen("M1", When::Here), Some(number("63.0")));
    assert_eq!(seen("M1", When::At("Scr".into())), Some(number("60.0")));
    assert_eq!(seen("M1", When::At("M2".into())), None);
    assert_eq!(seen("M1", When::Previous), Some(number("62.0")), "an unscheduled value is a previous one");
    assert_eq!(seen("M1", When::Baseline), Some(number("61.0")), "month 0 comes before the dose of its day");
    assert_eq!(seen("U1", When::Latest), Some(number("62.0")));
    assert_eq!(seen("Scr", When::Previous), None);
    assert_eq!(seen("M1", When::Latest), Some(number("63.0")));
}

#[test]
fn baseline_is_screening_where_month_0_has_no_value() {
    let mut trial = weighed();
    let missing = Answer::Missing(terms::MissingReason::NotDone);
    trial.corrects("M0", "vital_signs", &[("weight", missing)]);
    let visit = VisitId::from("M1");
    let view = View::at_visit(&trial.study, trial.casebook(), &visit);
    assert_eq!(view.item(&weight(When::Baseline)), Some(number("60.0")));
}

#[test]
fn an_unscheduled_value_before_the_first_dose_is_no_baseline() {
    let mut trial = Trial::open(study_b());
    trial.consents();
    trial.does(Action::ScreenSubject);
    trial.holds("Scr");
    trial.saves("Scr", "vital_signs", &[("weight", number("60.0"))]);
    trial.later(1);
    trial.holds("U1");
    trial.saves("U1", "vital_signs", &[("weight", number("70.0"))]);
    let view = View::on(&trial.study, trial.casebook(), trial.today);
    assert_eq!(view.item(&weight(When::Baseline)), Some(number("60.0")));
    assert_eq!(view.item(&weight(When::Latest)), Some(number("70.0")));
}

#[test]
fn every_variable_of_a_casebook_is_answered_once_it_is_known() {
    let mut trial = weighed();
    let last_dose = trial.today;
    trial.does(Action::EndTreatment {
        reason: EndReason::Progression,
        last_dose,
        adverse_event: None,
        rule: None,
    });
    let view = View::on(&trial.study, trial.casebook(), trial.today);
    for variable in CASEBOOK_VARIABLES {
        assert!(view.variable(variable.name).is_some(), "{}", variable.name);
    }
    assert_eq!(view.variable("subject.arm"), None, "no expression of conduct sees an arm");
    assert_eq!(view.variable("subject.site"), Some(code("01")));
    assert_eq!(view.today(), Some(trial.today));
}

#[test]
fn limits_of_normal_are_those_of_the_sites_laboratory_for_sex_age_and_day() {
    let trial = weighed();
    let mut study = trial.study.clone();
    let laboratory = study.sites[0].laboratory.clone();
    let ranges = &mut study.laboratories.iter_mut().find(|known| known.id == laboratory).unwrap().ranges;
    let template = ranges.iter().find(|range| range.item == "alt").unwrap().clone();
    ranges.retain(|range| range.item != "alt");
    let range = |sex: Option<&str>, age_from, age_below, from: Option<&str>, upper: i64| {
        protocol::model::ReferenceRange {
            sex: sex.map(str::to_owned),
            age_from,
            age_below,
            from: from.map(day),
            upper: Some(upper.into()),
            ..template.clone()
        }
    };
    ranges.extend([
        range(Some("male"), None, None, None, 50),
        range(Some("female"), Some(60), None, None, 45),
        range(Some("female"), None, Some(60), None, 40),
        range(Some("female"), None, Some(60), Some("2009-04-01"), 35),
    ]);
    let alt = ItemRef { form: "chemistry".into(), item: "alt".into(), when: When::Here };
    let upper = |visit: &str| View::at_visit(&study, trial.casebook(), &visit.into()).limit(&alt, true);
    // The participant is a woman of 45; month 1 lies after the laboratory's change of 1 April.
    assert_eq!(upper("Scr"), Some(Answer::Given(Value::Decimal(40.into()))));
    assert_eq!(upper("M1"), Some(Answer::Given(Value::Decimal(35.into()))));
    let other = ItemRef { form: "vital_signs".into(), item: "weight".into(), when: When::Here };
    assert_eq!(View::at_visit(&study, trial.casebook(), &"M1".into()).limit(&other, true), None);
}

#[test]
fn planned_days_are_reckoned_by_calendar_months() {
    let mut trial = Trial::open(study_b());
    trial.on("2009-08-17").enters();
    trial.does(Action::DispenseKit { visit: "M0".into(), kit: None });
    assert_eq!(trial.today, day("2009-08-31"));
    trial.does(dosing(DoseStep::Started, trial.today, 400));
    for (visit, expected) in [("M1", "2009-09-30"), ("M6", "2010-02-28")] {
        let planned = crate::window(trial.casebook(), trial.study.visit(visit).unwrap()).unwrap();
        assert_eq!(planned.target, Some(day(expected)));
        assert_eq!(terms::days_between(planned.first, planned.last), 14);
    }
    assert_eq!(crate::planned_last_dose(&trial.study, trial.today), day("2010-02-27"));
    let weekly = trial.study.visits.iter().find(|visit| visit.extra).unwrap();
    assert!(matches!(weekly.timing, Timing::Days { .. }));
    let planned = crate::window(trial.casebook(), weekly).unwrap();
    // Weekly means every 7 days from day 8: a week after the first dose.
    assert_eq!(planned.target, Some(day("2009-09-07")));
    assert_eq!(terms::days_between(planned.first, planned.last), 4);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_visit_deviates_exactly_when_it_lies_more_than_its_days_from_its_month(
        start in 0i32..800, month in 1i32..=6, offset in -20i32..=20
    ) {
        let mut trial = Trial::open(study_b());
        let first = crate::casebook::days_after(trial.today, start);
        let mut casebook = {
            trial.consents();
            trial.casebook().clone()
        };
        casebook.doses.push(crate::DoseChange {
            step: DoseStep::Started, from: first, dose_mg: None, rule: None, adverse_event: None, sequence: 1,
        });
        let visit = trial.study.visit(&format!("M{month}")).unwrap();
        let Timing::Months { within_days, .. } = visit.timing else { panic!("M{month} is a visit of a month") };
        let planned = crate::window(&casebook, visit).unwrap();
        let target = terms::add_months(first, month);
        prop_assert_eq!(planned.target, Some(target));
        let held = crate::casebook::days_after(target, offset);
        prop_assert_eq!(planned.holds(held), offset.abs() <= within_days);
        prop_assert_eq!(planned.holds(held), terms::in_window(target, within_days, held));
    }
}
