//! Evaluation: what an expression comes to, also where inputs are missing or partly known.

use std::collections::BTreeMap;

use terms::{Answer, Date, MissingReason, Truth, Value};

use super::*;

/// Inputs by the text that names them.
struct Given(BTreeMap<&'static str, Answer>);

impl Scope for Given {
    fn item(&self, reference: &ItemRef) -> Option<Answer> {
        self.0.get(reference.to_string().as_str()).cloned()
    }
    fn variable(&self, name: &str) -> Option<Answer> {
        self.0.get(name).cloned()
    }
    fn limit(&self, reference: &ItemRef, upper: bool) -> Option<Answer> {
        self.0.get(Input::Limit(reference.clone(), upper).to_string().as_str()).cloned()
    }
    fn today(&self) -> Option<Date> {
        None
    }
    fn parameter(&self, parameter: &ParameterId, visit: &VisitId) -> Option<Answer> {
        self.0.get(Input::Parameter(parameter.clone(), visit.clone()).to_string().as_str()).cloned()
    }
}

fn number(text: &str) -> Answer {
    Value::Decimal(text.parse().unwrap()).into()
}

fn date(text: &str) -> Answer {
    Value::Date(text.parse().unwrap()).into()
}

fn code(text: &str) -> Answer {
    Value::Code(text.to_owned()).into()
}

fn compiled(text: &str, reads: Reads) -> Result<Expression, Vec<String>> {
    let number = |unit: &str, has_limits| ItemFacts {
        kind: Type::Number(Unit::Of(unit.to_owned())),
        has_limits,
        minimum: None,
        maximum: None,
        decimals: 1,
    };
    let plain = |kind| ItemFacts { kind, has_limits: false, minimum: None, maximum: None, decimals: 0 };
    let codes = |list: &str, among: &[&str]| {
        let among: Vec<String> = among.iter().map(|code| (*code).to_owned()).collect();
        Type::Code(Codes { kind: crate::Kind::Code, list: list.to_owned(), among: Some(among.into()) })
    };
    let items = BTreeMap::from([
        ("f.weight".to_owned(), number("kg", false)),
        ("f.height".to_owned(), number("cm", false)),
        ("f.score".to_owned(), number("1", false)),
        ("f.alt".to_owned(), number("U/L", true)),
        ("f.ill".to_owned(), plain(Type::Flag)),
        ("f.since".to_owned(), plain(Type::Date)),
        ("f.until".to_owned(), plain(Type::Date)),
        ("f.sex".to_owned(), plain(codes("sex", &["female", "male"]))),
        ("f.grade".to_owned(), plain(codes("grade", &["1", "2", "3"]))),
    ]);
    let variables = BTreeMap::from([
        ("visit.date".to_owned(), Type::Date),
        ("s_baseline".to_owned(), Type::Number(Unit::Any)),
        ("s_postbaseline".to_owned(), Type::Number(Unit::Any)),
    ]);
    let environment = Environment {
        items: &items,
        own_form: Some("f"),
        forms: &["f".to_owned()],
        visits: &["M0".to_owned(), "M6".to_owned()],
        parameters: &BTreeMap::from([("S".to_owned(), Unit::Any)]),
        variables: &variables,
        reads,
    };
    let checked = check(text, &environment);
    match checked.term {
        Some((term, _)) => Ok(Expression::new(text.to_owned(), term)),
        None => Err(checked.problems.into_iter().map(|problem| problem.message).collect()),
    }
}

fn truth(text: &str, given: &[(&'static str, Answer)]) -> Truth {
    compiled(text, Reads::Casebook).unwrap().truth(&Given(given.iter().cloned().collect()))
}

fn value(text: &str, given: &[(&'static str, Answer)]) -> Option<String> {
    let expression = compiled(text, Reads::Casebook).unwrap();
    expression.value(&Given(given.iter().cloned().collect())).map(|value| value.to_string())
}

#[test]
fn a_missing_input_decides_only_where_the_other_side_does() {
    let ill = |holds| ("f.ill", Value::Boolean(holds).into());
    assert_eq!(truth("f.ill && f.score > 3", &[ill(false)]), Truth::False);
    assert_eq!(truth("f.ill && f.score > 3", &[ill(true)]), Truth::Unknown);
    assert_eq!(truth("f.ill || f.score > 3", &[ill(true)]), Truth::True);
    assert_eq!(truth("!(f.score > 3)", &[]), Truth::Unknown);
    assert_eq!(truth("f.score > 3", &[("f.score", Answer::Missing(MissingReason::NotDone))]), Truth::Unknown);
    assert_eq!(truth("missing(f.score) && !present(f.score) && !has(f.score)", &[]), Truth::True);
}

#[test]
fn decimals_are_compared_as_decimals() {
    assert_eq!(
        truth(
            "f.weight >= 1.05 * baseline(f.weight)",
            &[("f.weight", number("63.0")), ("baseline(f.weight)", number("60.0")),]
        ),
        Truth::True
    );
    assert_eq!(truth("0.1 + 0.2 == 0.3", &[]), Truth::True);
    assert_eq!(truth("f.score == 3.0", &[("f.score", Value::Integer(3).into())]), Truth::True);
    assert_eq!(value("f.weight / 0", &[("f.weight", number("60"))]), None, "no division by zero");
    assert_eq!(value("round(f.weight / 7, 2)", &[("f.weight", number("60"))]).unwrap(), "8.57");
    assert_eq!(
        value("max(f.score, 3) - min(f.score, 3) + abs(-2)", &[("f.score", number("5"))]).unwrap(),
        "4"
    );
}

#[test]
fn every_occurrence_is_asked_for_by_itself() {
    let given = [
        ("f.score", number("4")),
        ("previous(f.score)", number("3")),
        ("at('M0', f.score)", number("2")),
        ("latest(f.score)", number("5")),
    ];
    assert_eq!(value("change(score, 'previous visit')", &given).unwrap(), "1");
    assert_eq!(value("change(f.score, 'M0')", &given).unwrap(), "2");
    assert_eq!(value("latest(f.score) * 10 + at('M0', f.score)", &given).unwrap(), "52");
    assert_eq!(value("change(f.score, 'baseline')", &given), None);
}

#[test]
fn partly_known_dates_decide_what_their_known_parts_decide() {
    let given = |text| [("f.since", date(text)), ("visit.date", date("2008-03-10"))];
    assert_eq!(truth("f.since > visit.date", &given("2008-03-11")), Truth::True);
    assert_eq!(truth("f.since > visit.date", &given("2008-03")), Truth::Unknown);
    assert_eq!(truth("f.since > visit.date", &given("2008-02")), Truth::False);
    assert_eq!(truth("f.since == visit.date", &given("2009")), Truth::False);
    assert_eq!(truth("months_between(f.since, visit.date) <= 18", &given("2007")), Truth::True);
    assert_eq!(truth("months_between(f.since, visit.date) <= 18", &given("2006-08")), Truth::Unknown);
    assert_eq!(truth("months_between(f.since, visit.date) <= 18", &given("2005")), Truth::False);
    assert_eq!(truth("days_between(f.since, visit.date) <= 7", &given("2008-03-03")), Truth::True);
    assert_eq!(truth("f.since < '2008-03-10'", &given("2008-03-09")), Truth::True);
    assert_eq!(value("months_between(f.since, visit.date)", &given("2006-01")), None, "26 or 25 months");
    assert_eq!(value("months_between(f.since, visit.date)", &given("2006-01-10")).unwrap(), "26");
}

#[test]
fn codes_are_words_and_numbers_where_all_of_a_list_are() {
    assert_eq!(truth("f.sex in ['female', 'male']", &[("f.sex", code("male"))]), Truth::True);
    assert_eq!(truth("f.sex != 'male'", &[("f.sex", code("male"))]), Truth::False);
    assert_eq!(truth("f.grade >= 2 && f.grade == '3'", &[("f.grade", code("3"))]), Truth::True);
    assert_eq!(value("f.sex == 'female' ? 0.85 : 1.0", &[("f.sex", code("female"))]).unwrap(), "0.85");
    assert_eq!(value("f.sex == 'female' ? 0.85 : 1.0", &[]), None);
}

#[test]
fn limits_belong_to_laboratory_items() {
    let given = [("f.alt", number("121")), ("uln(f.alt)", number("40"))];
    assert_eq!(truth("f.alt > 3 * uln(f.alt)", &given), Truth::True);
    assert!(compiled("f.weight > uln(f.weight)", Reads::Casebook).unwrap_err()[0].contains("no laboratory"));
}

#[test]
fn parameters_are_read_in_the_plan_alone() {
    let plan = |text| compiled(text, Reads::Subjects).unwrap();
    let given = Given(BTreeMap::from([
        ("value('S', 'M6')", number("20")),
        ("s_baseline", number("25")),
        ("s_postbaseline", number("2")),
    ]));
    assert_eq!(plan("has_value('S', 'M6') && !has_value('S', 'M0')").truth(&given), Truth::True);
    assert_eq!(plan("change_of('S', 'M6') <= -0.2 * s_baseline").truth(&given), Truth::True);
    assert_eq!(plan("has_post_baseline('S')").truth(&given), Truth::True);
    assert!(compiled("value('S', 'M6') > 3", Reads::Casebook).is_err());
    assert!(compiled("value('S', 'M6') > 3", Reads::Events).is_err());
    assert!(compiled("f.score > 3", Reads::Subjects).is_err());
}

#[test]
fn units_must_agree_where_numbers_are_added_or_compared() {
    let refused = |text: &str| compiled(text, Reads::Casebook).unwrap_err().join("; ");
    assert!(refused("f.weight > f.height").contains("different units: kg and cm"));
    assert!(refused("f.weight + f.score > 3").contains("kg and no unit"));
    assert!(compiled("f.weight / f.height > 3", Reads::Casebook).is_ok(), "a quotient has a unit of its own");
    assert!(compiled("2 * f.weight > previous(f.weight) + 1", Reads::Casebook).is_ok());
}

#[test]
fn all_that_is_wrong_in_an_expression_is_said_at_once() {
    let said = compiled("f.wieght > 3 && f.sex == 'femal' && unl(f.alt) > 2", Reads::Casebook).unwrap_err();
    assert_eq!(said.len(), 3, "{said:?}");
}

#[test]
fn an_expression_names_its_inputs() {
    let expression =
        compiled("f.score - previous(f.score) > 12 || f.alt > uln(f.alt)", Reads::Casebook).unwrap();
    let inputs: Vec<String> = expression.inputs().iter().map(ToString::to_string).collect();
    assert_eq!(inputs, ["f.alt", "f.score", "previous(f.score)", "uln(f.alt)"]);
}

#[test]
fn every_small_change_of_a_rule_is_tried() {
    let expression = compiled("f.score > 3 && f.ill", Reads::Casebook).unwrap();
    let changes: Vec<String> = mutants(expression.root())
        .iter()
        .map(|mutant| format!("{} to {}", mutant.was, mutant.becomes))
        .collect();
    assert_eq!(changes, ["&& to ||", "> to >=", "3 to 4", "3 to 2"]);
}
