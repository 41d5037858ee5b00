//! Times to an event: the data set's rows through log-rank test and proportional-hazards models, against R.

use analysis::{Results, run};
use datasets::{Column, Data, DataSets, Dataset};
use protocol::model::{
    Analysis, AnalysisPlan, AnalysisSet, Arm, Cox, Label, LogRank, Method, SourceMark, Subject, TiedTimes,
    TimeOrigin, TimeToEvent,
};

use crate::made;

/// A participant of `times/participants.csv`.
struct One {
    arm: String,
    days: i64,
    event: bool,
    sex: String,
    age: f64,
}

fn participants() -> Vec<One> {
    let one = |line: &str| {
        let fields: Vec<&str> = line.split(',').collect();
        One {
            arm: fields[0].to_owned(),
            days: fields[1].parse().unwrap(),
            event: fields[2] == "1",
            sex: fields[3].to_owned(),
            age: fields[4].parse().unwrap(),
        }
    };
    include_str!("times/participants.csv").lines().skip(1).map(one).collect()
}

/// The data sets, with one participant more who has no time.
fn data() -> DataSets {
    let all = participants();
    let n = all.len() + 1;
    let id = |place: usize| Some(format!("01-{place:03}"));
    let with_last = |last: &str, of: &dyn Fn(&One) -> String| {
        all.iter().map(|one| Some(of(one))).chain([Some(last.to_owned())]).collect::<Vec<_>>()
    };
    let mut subjects =
        Dataset::new("subjects", "Participants", (0..n as u64).map(|place| vec![place]).collect());
    subjects.push(Column::new("subject", "Participant", Data::Text((0..n).map(id).collect())));
    let levels = |of: [&str; 2]| of.map(|one| (one.to_owned(), one.to_owned())).to_vec();
    let arm = Data::Code(with_last("active", &|one| one.arm.clone()));
    subjects.push(Column::new("arm", "Arm", arm).with_levels(levels(["active", "placebo"])));
    let sex = Data::Code(with_last("female", &|one| one.sex.clone()));
    subjects.push(Column::new("sex", "Sex", sex).with_levels(levels(["female", "male"])));
    let age = all.iter().map(|one| Some(one.age)).chain([Some(50.0)]).collect();
    subjects.push(Column::new("age", "Age", Data::Number(age)));
    subjects.push(Column::new("set_itt", "Set", Data::Flag(vec![Some(true); n])));
    let sources = (0..all.len() as u64).map(|place| vec![100 + place]).collect();
    let mut times = Dataset::new("times_to_event", "Times", sources);
    times.push(Column::new("subject", "Participant", Data::Text((0..all.len()).map(id).collect())));
    let parameter = vec![Some("RELAPSE".to_owned()); all.len()];
    times.push(Column::new("parameter", "Time", Data::Code(parameter)));
    let days = all.iter().map(|one| Some(one.days)).collect();
    times.push(Column::new("value", "Days", Data::Integer(days)));
    let censored = all.iter().map(|one| Some(i64::from(!one.event))).collect();
    times.push(Column::new("censored", "Censored", Data::Integer(censored)));
    DataSets { subjects, times_to_event: times, ..DataSets::default() }
}

fn results() -> Results {
    let confidence = "0.95".parse().unwrap();
    let strata = vec!["sex".to_owned()];
    let log_rank = |ties, strata| Method::LogRank(LogRank { confidence, ties, strata });
    let cox = Cox {
        confidence,
        ties: TiedTimes::Efron,
        covariates: vec!["age".to_owned()],
        factors: strata.clone(),
        strata: Vec::new(),
    };
    let analysis = |id: &str, method: Method| Analysis {
        id: id.into(),
        label: Label::default(),
        estimand: None,
        role: "main".to_owned(),
        method,
        set: "itt".into(),
        subject: Subject::TimeToEvent { time: "RELAPSE".into() },
        by: Some("arm".to_owned()),
        only: None,
        published: Vec::new(),
    };
    let plan = AnalysisPlan {
        times: vec![TimeToEvent {
            id: "RELAPSE".into(),
            label: Label::default(),
            from: TimeOrigin::Enrolment,
            events: Vec::new(),
            censored_by: Vec::new(),
            cut_off_months: Some(12),
            longer_is_better: true,
        }],
        sets: vec![AnalysisSet {
            id: "itt".into(),
            label: Label::default(),
            who: made::shipped_condition(),
            mark: SourceMark::Assumed,
        }],
        analyses: vec![
            analysis("plain", log_rank(TiedTimes::Efron, Vec::new())),
            analysis("breslow", log_rank(TiedTimes::Breslow, Vec::new())),
            analysis("stratified", log_rank(TiedTimes::Efron, strata)),
            analysis("adjusted", Method::Cox(cox)),
        ],
        ..AnalysisPlan::default()
    };
    let arm =
        |id: &str, control| Arm { id: id.into(), label: Label::default(), treatment: id.to_owned(), control };
    run(&plan, &[arm("active", false), arm("placebo", true)], &[], &data()).unwrap()
}

#[test]
fn hazards_are_those_of_r() {
    let results = results();
    let mut compared = 0;
    for line in include_str!("times/compare.csv").lines().skip(1) {
        let (name, expected) = line.split_once(',').unwrap();
        let expected: f64 = expected.parse().unwrap();
        let (analysis, key) = name.split_once('/').unwrap();
        let result = results.analysis(analysis).unwrap();
        let number = result.numbers.iter().find(|number| number.id == format!("{analysis}/{key}"));
        let found = number.and_then(|number| number.value).unwrap_or_else(|| panic!("{name}"));
        assert!((found - expected).abs() <= 1e-7 * expected.abs(), "{name}: {found} {expected}");
        compared += 1;
    }
    assert_eq!(compared, 27);
}

#[test]
fn who_has_no_time_is_listed_and_the_others_are_counted_by_arm() {
    let results = results();
    let plain = results.analysis("plain").unwrap();
    let count = |key: &str, arm: Option<&str>| plain.number(key, arm, None).unwrap().value.unwrap();
    assert_eq!((count("n", None), count("events", None)), (23.0, 18.0));
    assert_eq!((count("n", Some("active")), count("events", Some("active"))), (11.0, 7.0));
    assert_eq!((count("n", Some("placebo")), count("events", Some("placebo"))), (12.0, 11.0));
    assert_eq!(plain.excluded.len(), 1);
    assert_eq!(plain.excluded[0].0.as_str(), "01-023");
    assert!(plain.method.contains("data up to 12 months after the first entry"), "{}", plain.method);
    // A number leads to the rows that it was made of.
    let p = plain.p_value().unwrap();
    assert_eq!(results.row_sets[p.rows[0]].rows.len(), 23);
}
