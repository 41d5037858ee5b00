//! The laboratory data set: one row a value of one of the plan's tests, with the limits of the
//! participant's laboratory on that day and the CTCAE grade.

use std::collections::BTreeMap;

use conduct::View;
use instruments::ctcae5_labs::{LabTest, Sample};
use protocol::{
    expression::{ItemRef, Scope, When},
    model::LaboratoryTest,
};
use record::FormKey;
use terms::{Answer, Date, Decimal, ParameterId, SubjectId, Value, VisitId};

use super::{
    codes::levels,
    columns::{column, dates, plain, push_identity},
    profile::{Profile, Trial, history},
};
use crate::{
    Column, Data, Dataset,
    adam::{
        Observation,
        derive_var_base::derive_var_base,
        derive_var_chg::is_after_baseline,
        derive_var_day::derive_var_day,
        derive_var_extreme::{Compared, derive_var_highest, derive_var_lowest},
        derive_var_range::{Indicator, derive_var_range},
    },
};

/// One value with what is derived of it.
struct Measured<'a> {
    test: &'a LaboratoryTest,
    observation: Observation,
    value: Decimal,
    lower: Option<Decimal>,
    upper: Option<Decimal>,
    after_baseline: bool,
    grade_low: Option<u8>,
    grade_high: Option<u8>,
    lowest: bool,
    highest: bool,
}

/// Builds the data set; empty where the plan names no tests.
pub(crate) fn laboratory(trial: &Trial<'_>) -> Dataset {
    let rows: Vec<Measured<'_>> =
        trial.profiles.iter().flat_map(|profile| of_profile(trial, profile)).collect();
    let sources = rows.iter().map(|row| row.observation.sources.clone()).collect();
    let mut set = Dataset::new("laboratory", "Laboratory: one row a value of a test", sources);
    push_identity(&mut set, trial, &rows.iter().map(|row| &row.observation.subject).collect::<Vec<_>>());
    push_values(&mut set, trial, &rows);
    push_judgements(&mut set, &rows);
    set
}

fn of_profile<'a>(trial: &Trial<'a>, profile: &Profile<'a>) -> Vec<Measured<'a>> {
    let reference: BTreeMap<SubjectId, Date> =
        profile.reference.map(|date| (profile.subject.clone(), date)).into_iter().collect();
    let first_dose: BTreeMap<SubjectId, Date> =
        profile.first_dose_date().map(|date| (profile.subject.clone(), date)).into_iter().collect();
    let mut all = Vec::new();
    for test in &trial.study.plan.tests {
        let taken = values_of(trial, profile, test);
        let mut observations: Vec<Observation> =
            taken.iter().map(|(observation, _)| observation.clone()).collect();
        derive_var_base(&mut observations, &reference);
        derive_var_day(&mut observations, &first_dose);
        let baseline = observations.iter().position(|one| one.is_baseline).map(|place| taken[place].1);
        let mut rows: Vec<Measured<'a>> = observations
            .into_iter()
            .zip(&taken)
            .map(|(observation, (_, value))| {
                measured(trial, profile, test, observation, *value, baseline, &reference)
            })
            .collect();
        mark_extremes(&mut rows);
        all.append(&mut rows);
    }
    all
}

/// The values of a test by day; what is missing with a reason makes no row.
fn values_of(trial: &Trial<'_>, profile: &Profile<'_>, test: &LaboratoryTest) -> Vec<(Observation, Decimal)> {
    let casebook = profile.casebook;
    let mut values = Vec::new();
    for (visit, date) in casebook.visits_by_date() {
        let key = FormKey { visit: Some(visit.clone()), form: test.form.clone(), row: 0 };
        let Some(cell) = casebook.cell(&key, test.item.as_str()) else { continue };
        let Some(value) = cell.answer().and_then(Answer::value).and_then(Value::number) else { continue };
        let mut sources = history(cell);
        sources.extend(casebook.visits.get(visit).map(|visit| visit.held.sequence));
        sources.sort_unstable();
        sources.dedup();
        let parameter = ParameterId::from(test.id.as_str());
        let number = Value::Decimal(value).as_f64();
        let subject = casebook.subject.clone();
        let observed = Observation::observed(subject, parameter, visit.clone(), Some(date), number, sources);
        values.push((Observation { planned: trial.is_planned(visit), ..observed }, value));
    }
    values
}

fn measured<'a>(
    trial: &Trial<'a>,
    profile: &Profile<'a>,
    test: &'a LaboratoryTest,
    observation: Observation,
    value: Decimal,
    baseline: Option<Decimal>,
    reference: &BTreeMap<SubjectId, Date>,
) -> Measured<'a> {
    let (lower, upper) = limits(trial, profile, test, &observation.visit);
    let sample = Sample { value: Some(value), lln: lower, uln: upper, baseline };
    let grade = |code: &Option<String>| grade(test, code.as_deref()?, &sample);
    Measured {
        test,
        value,
        lower,
        upper,
        after_baseline: is_after_baseline(&observation, reference),
        grade_low: grade(&test.low),
        grade_high: grade(&test.high),
        lowest: false,
        highest: false,
        observation,
    }
}

/// The limits of the site's laboratory for the participant at a visit.
fn limits(
    trial: &Trial<'_>,
    profile: &Profile<'_>,
    test: &LaboratoryTest,
    visit: &VisitId,
) -> (Option<Decimal>, Option<Decimal>) {
    let view = View::at_visit(trial.study, profile.casebook, visit);
    let item = ItemRef { form: test.form.clone(), item: test.item.clone(), when: When::Here };
    let limit = |upper: bool| view.limit(&item, upper)?.value()?.number();
    (limit(false), limit(true))
}

/// The CTCAE grade, in the unit of its term; none where its limit of normal is not known.
fn grade(test: &LaboratoryTest, code: &str, sample: &Sample) -> Option<u8> {
    let term = LabTest::by_code(code)?;
    let unit = term.unit().unwrap_or(&test.unit);
    let convert = |value: Option<Decimal>| match value {
        Some(value) => protocol::convert(value, &test.unit, unit).or((unit == test.unit).then_some(value)),
        None => None,
    };
    let sample = Sample {
        value: convert(sample.value),
        lln: convert(sample.lln),
        uln: convert(sample.uln),
        baseline: convert(sample.baseline),
    };
    term.grade(&sample).ok()
}

fn mark_extremes(rows: &mut [Measured<'_>]) {
    let compared = |rows: &[Measured<'_>], upper: bool| -> Vec<Compared> {
        let one = |row: &Measured<'_>| Compared {
            after_baseline: row.after_baseline,
            measure: if upper { row.times(row.upper) } else { row.times(row.lower) }
                .or(row.observation.value),
            grade: if upper { row.grade_high } else { row.grade_low },
        };
        rows.iter().map(one).collect()
    };
    if let Some(place) = derive_var_lowest(&compared(rows, false)) {
        rows[place].lowest = true;
    }
    if let Some(place) = derive_var_highest(&compared(rows, true)) {
        rows[place].highest = true;
    }
}

impl Measured<'_> {
    /// The value as a multiple of a limit, one division.
    fn times(&self, limit: Option<Decimal>) -> Option<f64> {
        let limit = limit.filter(|limit| *limit > Decimal::ZERO)?;
        let float = |number: Decimal| Value::Decimal(number).as_f64();
        Some(float(self.value)? / float(limit)?)
    }

    fn indicator(&self) -> Option<Indicator> {
        derive_var_range(self.value, self.lower, self.upper)
    }
}

fn push_values(set: &mut Dataset, trial: &Trial<'_>, rows: &[Measured<'_>]) {
    let study = trial.study;
    let code = |value: &dyn Fn(&Measured<'_>) -> Option<String>| Data::Code(rows.iter().map(value).collect());
    let text = |value: &dyn Fn(&Measured<'_>) -> Option<String>| Data::Text(rows.iter().map(value).collect());
    let number =
        |value: &dyn Fn(&Measured<'_>) -> Option<f64>| Data::Number(rows.iter().map(value).collect());
    let flag =
        |holds: &dyn Fn(&Measured<'_>) -> bool| Data::Flag(rows.iter().map(|row| Some(holds(row))).collect());
    let label = |test: &LaboratoryTest| {
        let item = study.form(test.form.as_str()).and_then(|form| form.item(test.item.as_str()));
        item.map_or_else(|| test.id.clone(), |item| item.label.en().to_owned())
    };
    let tests = study.plan.tests.iter().map(|test| (test.id.clone(), label(test))).collect();
    set.push(Column::new("test", "Test", code(&|row| Some(row.test.id.clone()))).with_levels(tests));
    let visits = study.visits.iter().map(|visit| (visit.id.to_string(), visit.label.en().to_owned()));
    let visit = code(&|row| Some(row.observation.visit.to_string()));
    set.push(Column::new("visit", "Visit", visit).with_levels(visits.collect()));
    set.push(Column::new("planned", "Visit of the schedule", flag(&|row| row.observation.planned)));
    let date = rows.iter().map(|row| plain(row.observation.date)).collect();
    set.push(column("date", "Date", dates, date));
    let days = rows.iter().map(|row| row.observation.day.map(i64::from)).collect();
    set.push(Column::new("day", "Study day", Data::Integer(days)).with_unit(Some("d")));
    set.push(Column::new("value", "Value", number(&|row| row.observation.value)).with_decimals(2));
    set.push(Column::new("unit", "Unit (UCUM)", text(&|row| Some(row.test.unit.clone()))));
    let limit = |of: fn(&Measured<'_>) -> Option<Decimal>| {
        number(&|row| of(row).and_then(|limit| Value::Decimal(limit).as_f64()))
    };
    set.push(Column::new("lower", "Lower limit of normal", limit(|row| row.lower)).with_decimals(2));
    set.push(Column::new("upper", "Upper limit of normal", limit(|row| row.upper)).with_decimals(2));
    let times = number(&|row| row.times(row.lower));
    set.push(Column::new("times_lower", "Multiple of the lower limit", times).with_decimals(2));
    let times = number(&|row| row.times(row.upper));
    set.push(Column::new("times_upper", "Multiple of the upper limit", times).with_decimals(2));
}

fn push_judgements(set: &mut Dataset, rows: &[Measured<'_>]) {
    let flag =
        |holds: &dyn Fn(&Measured<'_>) -> bool| Data::Flag(rows.iter().map(|row| Some(holds(row))).collect());
    let grades = |of: fn(&Measured<'_>) -> Option<u8>| {
        Data::Integer(rows.iter().map(|row| of(row).map(i64::from)).collect())
    };
    let indicators = [("low", "Low"), ("normal", "Normal"), ("high", "High")];
    let indicator = rows.iter().map(|row| row.indicator().map(|one| one.code().to_owned())).collect();
    set.push(
        Column::new("indicator", "Against the limits", Data::Code(indicator)).with_levels(levels(indicators)),
    );
    set.push(Column::new("grade_low", "CTCAE grade of a low value", grades(|row| row.grade_low)));
    set.push(Column::new("grade_high", "CTCAE grade of a high value", grades(|row| row.grade_high)));
    set.push(Column::new("is_baseline", "Baseline", flag(&|row| row.observation.is_baseline)));
    set.push(Column::new("after_baseline", "After baseline", flag(&|row| row.after_baseline)));
    set.push(Column::new("lowest", "Lowest after baseline", flag(&|row| row.lowest)));
    set.push(Column::new("highest", "Highest after baseline", flag(&|row| row.highest)));
}
