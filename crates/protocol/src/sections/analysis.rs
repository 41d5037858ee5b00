//! `analysis.toml`: variables, parameters, sets, estimands, analyses, the report.

use std::collections::BTreeMap;

use instruments::ctcae5_labs::LabTest;

use super::{
    declared_data,
    methods::{self, METHOD_WORDS, OPTIONS, Takes, read_method},
    sources::{MARK, read_mark},
    times,
};
use crate::{
    desk::{Desk, Section},
    expression::{Reads, Type, Unit},
    model::*,
    shape::{Field, Keys, Kind, Shape, Variant, may, must},
    source::Place,
    tree::Node,
};

words! { LEVELS_OF_ESTIMANDS, estimand_level -> &'static str {
    "primary" => "primary",
    "secondary" => "secondary",
    "exploratory" => "exploratory",
    "safety" => "safety",
} }

words! { STRATEGIES, strategy -> Strategy {
    "treatment policy" => Strategy::TreatmentPolicy,
    "worst rank" => Strategy::WorstRank,
    "hypothetical" => Strategy::Hypothetical,
    "composite" => Strategy::Composite,
    "while on treatment" => Strategy::WhileOnTreatment,
    "not estimated" => Strategy::NotEstimated,
} }

words! { MEASURES, measure -> Measure {
    "value" => Measure::Value,
    "change" => Measure::Change,
    "relative change" => Measure::RelativeChange,
    "percent change" => Measure::PercentChange,
} }

words! { BETWEEN, between -> Between {
    "readers" => Between::Readers,
    "repeats" => Between::Repeats,
} }

words! { MISSING_RULES, missing_rule -> MissingRule {
    "observed" => MissingRule::Observed,
    "locf" => MissingRule::LastObservation,
    "worst case" => MissingRule::WorstCase,
} }

const DECIMALS: Shape = Shape::Integer { min: 0, max: 12 };

const VARIABLE: &[Field] = &[
    must("label", Shape::Label, "What people call it."),
    must("value", Shape::Expression, "Its value."),
    may("unit", Shape::Text, "Its unit, if any."),
    may("decimals", DECIMALS, "Decimals to print."),
    may("levels", Shape::Map(Keys::Free, &Shape::Label), "Labels of its codes."),
];

const PARAMETER: &[Field] = &[
    must("label", Shape::Label, "What people call it."),
    must("item", Shape::Name(Kind::Item), "The item that is followed."),
    may("unit", Shape::Text, "The unit to print."),
    must("decimals", DECIMALS, "Decimals to print."),
    must("lower_is_better", Shape::Flag, "Whether a lower value is better for the participant."),
];

const SET: &[Field] = &[
    must("label", Shape::Label, "What people call it."),
    must("who", Shape::Expression, "Who belongs to it, over subject variables."),
    must("mark", MARK, "How sure it is."),
];

const ESTIMAND: &[Field] = &[
    must("question", Shape::Label, "The clinical question."),
    must("level", Shape::Word(LEVELS_OF_ESTIMANDS), "Its place in the hierarchy."),
    must("treatment", Shape::Text, "Attribute 1: the treatment condition."),
    must("population", Shape::Name(Kind::Set), "Attribute 2: the population, as an analysis set."),
    must("variable", Shape::Text, "Attribute 3: the variable, in words."),
    must(
        "events",
        Shape::Map(Keys::Free, &Shape::Word(STRATEGIES)),
        "Attribute 4: intercurrent events and their strategies.",
    ),
    must("summary", Shape::Text, "Attribute 5: the population-level summary."),
    must("mark", MARK, "How sure it is."),
];

const ANALYSIS: Shape = Shape::Choice {
    common: &[
        must("label", Shape::Label, "What people call it."),
        may("estimand", Shape::Name(Kind::Estimand), "The estimand or endpoint it serves."),
        must("role", Shape::Word(&["main", "sensitivity", "descriptive"]), "Its part."),
        must("method", Shape::Word(METHOD_WORDS), "The method."),
        may("options", Shape::Table(OPTIONS), "Every option that changes a number."),
        must("set", Shape::Name(Kind::Set), "Who."),
        may("by", Shape::Text, "Group variable; without this, all together."),
        may("only", Shape::Expression, "Only participants for whom this holds."),
        may(
            "published",
            Shape::Map(Keys::Free, &Shape::Name(Kind::Fact)),
            "Published numbers to put beside: estimate = fact.",
        ),
    ],
    variants: &[
        Variant {
            key: "parameter",
            fields: &[
                must("parameter", Shape::Name(Kind::Parameter), "The parameter."),
                must("visit", Shape::Name(Kind::Visit), "The visit."),
                must("measure", Shape::Word(MEASURES), "The value, or its change from baseline."),
                must("missing", Shape::Word(MISSING_RULES), "What happens to who has no value at the visit."),
            ],
        },
        Variant { key: "variable", fields: &[must("variable", Shape::Text, "The subject variable.")] },
        Variant {
            key: "adverse_events",
            fields: &[must(
                "adverse_events",
                Shape::Expression,
                "\"all\", or the events for which this holds.",
            )],
        },
        Variant {
            key: "readings",
            fields: &[
                must(
                    "readings",
                    Shape::Name(Kind::Item),
                    "An item of the form on which coded slides are read.",
                ),
                must(
                    "between",
                    Shape::Word(BETWEEN),
                    "The two readers of a slide, or two readings of one where it came back.",
                ),
            ],
        },
        Variant {
            key: "time_to",
            fields: &[must("time_to", Shape::Name(Kind::Time), "A time to an event, of `[times]`.")],
        },
        Variant { key: "deviations", fields: &[must("deviations", Shape::Flag, "true: the deviations.")] },
        Variant {
            key: "data",
            fields: &[
                must("data", Shape::Name(Kind::DataSet), "The data set whose rows are looked at."),
                may("where", Shape::Expression, "Only rows for which this holds."),
                may("value", Shape::Text, "The column that is analysed, of one row a participant."),
                may("time", Shape::Text, "The column of times to an event, of one row a participant."),
                may("event", Shape::Expression, "With `time`: whether an event ended it."),
                may(
                    "terms",
                    Shape::List(&Shape::Text),
                    "One or two columns that say what happened, the wider first; any number of rows a participant.",
                ),
            ],
        },
    ],
};

const TEST: &[Field] = &[
    must("item", Shape::Name(Kind::Item), "The item of a laboratory form; its label is the test's."),
    may("low", Shape::Text, "The CTCAE term that grades low values, such as `K_low`."),
    may("high", Shape::Text, "The CTCAE term that grades high values, such as `ALT`."),
];

pub(crate) const FIELDS: &[Field] = &[
    may("id", Shape::Text, "Over data sets from elsewhere: the trial's id."),
    may("title", Shape::Label, "Over data sets from elsewhere: the report's title."),
    may(
        "data",
        Shape::Map(Keys::Define(Kind::DataSet), &Shape::Table(declared_data::DATA)),
        "Data sets from elsewhere. A study has none: its data sets come from its record.",
    ),
    may(
        "variables",
        Shape::Map(Keys::Define(Kind::Variable), &Shape::Table(VARIABLE)),
        "Subject variables beside the built-in ones.",
    ),
    may(
        "parameters",
        Shape::Map(Keys::Define(Kind::Parameter), &Shape::Table(PARAMETER)),
        "Parameters of the longitudinal data set.",
    ),
    may("times", Shape::Map(Keys::Define(Kind::Time), &Shape::Table(times::TIME)), "Times to an event."),
    may(
        "tests",
        Shape::Map(Keys::Define(Kind::Test), &Shape::Table(TEST)),
        "Laboratory tests that the report grades and follows.",
    ),
    must("sets", Shape::Map(Keys::Define(Kind::Set), &Shape::Table(SET)), "Analysis sets."),
    may(
        "estimands",
        Shape::Map(Keys::Define(Kind::Estimand), &Shape::Table(ESTIMAND)),
        "Estimands and endpoints.",
    ),
    must("analyses", Shape::Map(Keys::Define(Kind::Analysis), &ANALYSIS), "Analyses in order."),
    may("report", Shape::List(&Shape::Table(super::report::FIELDS)), "The report's sections in order."),
];

/// The plan, and where each analysis names its visit.
#[derive(Default)]
pub(crate) struct PlanParts {
    pub(crate) plan: AnalysisPlan,
    /// Analysis to the places of its name and of its visit.
    pub(crate) places: BTreeMap<String, (Place, Place)>,
}

/// Makes the names that expressions of the plan may use known to the desk; plan variables follow as they are read.
pub(crate) fn prepare(desk: &mut Desk<'_>, root: &Section<'_>) {
    for entry in root.named("parameters") {
        let facts = entry.text("item").and_then(|item| desk.items.get(item));
        let unit = match facts.map(|facts| &facts.kind) {
            Some(Type::Number(unit)) => unit.clone(),
            _ => Unit::Any,
        };
        desk.parameters.insert(entry.name().to_owned(), unit.clone());
        let stem = entry.name().to_lowercase();
        desk.subject_variables.insert(format!("{stem}_baseline"), Type::Number(unit));
        desk.subject_variables.insert(format!("{stem}_postbaseline"), Type::Number(Unit::Any));
    }
}

/// What belongs to a plan over data sets from elsewhere stands in no study, and the other way round.
pub(crate) fn check_place(desk: &mut Desk<'_>, root: &Section<'_>, of_study: bool) {
    let (keys, help) = match of_study {
        true => (
            &["id", "title", "data"][..],
            "a study says it in study.toml, and its data sets come from its record",
        ),
        false => (
            &["parameters", "times"][..],
            "a plan over data sets from elsewhere names columns: `data`, `where`, `value`",
        ),
    };
    for key in keys {
        if let Some((key, _)) = root.node.entry(key) {
            let place = Place::new(root.file, key.span.clone());
            desk.error("unknown-key", &place, format!("`{}` has no place here", key.text), Some(help.into()));
        }
    }
}

/// Makes the columns of data sets from elsewhere known, and returns these.
pub(crate) fn prepare_declared(desk: &mut Desk<'_>, root: &Section<'_>) -> Vec<DeclaredData> {
    if root.get("data").is_none() {
        let message = "the plan names no data set";
        let help = "declare each under `[data.<name>]` with `subject`, `keys` and `columns`";
        desk.error("missing-key", &root.place(), message, Some(help.into()));
    }
    declared_data::read(desk, root)
}

/// Reads the file.
pub(crate) fn read(desk: &mut Desk<'_>, root: Section<'_>, data: Vec<DeclaredData>) -> PlanParts {
    let parameters = read_parameters(desk, &root);
    let times = times::read(desk, &root);
    let tests = root.named("tests").filter_map(|entry| read_test(desk, &entry)).collect();
    let variables = root.named("variables").filter_map(|entry| read_variable(desk, &entry)).collect();
    let sets = root.named("sets").filter_map(|entry| {
        let who =
            entry.get("who").and_then(|node| desk.condition(node, entry.file, Reads::Subjects, None))?;
        Some(AnalysisSet {
            id: entry.name().into(),
            label: desk.label(entry.get("label")),
            who: who.expression,
            mark: read_mark(&entry),
        })
    });
    let sets = sets.collect();
    let estimands = root.named("estimands").map(|entry| read_estimand(desk, &entry)).collect();
    let mut parts = PlanParts::default();
    let mut analyses = Vec::new();
    for entry in root.named("analyses") {
        parts.places.insert(entry.name().to_owned(), (entry.place(), entry.place_of("visit")));
        analyses.extend(read_analysis(desk, &entry));
    }
    let sections = root.get("report").map_or(&[][..], Node::elements);
    let sections: Vec<_> = sections.iter().map(|node| Section::new(node, root.file)).collect();
    parts.plan = AnalysisPlan {
        variables,
        parameters,
        times,
        tests,
        sets,
        estimands,
        analyses,
        sections: Vec::new(),
        data,
    };
    parts.plan.sections =
        sections.iter().map(|section| super::report::read(desk, section, &parts.plan)).collect();
    parts
}

fn read_variable(desk: &mut Desk<'_>, entry: &Section<'_>) -> Option<SubjectVariable> {
    let declared = !desk.rows.is_empty();
    if desk.subject_variables.contains_key(entry.name()) {
        let what = if declared { "a column of the participants' data set" } else { "a built-in variable" };
        desk.error(
            "duplicate",
            &entry.place(),
            format!("`{}` is {what}", entry.name()),
            Some("choose another name".into()),
        );
    }
    if entry.name().chars().any(|c| !(c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')) {
        desk.error(
            "bad-name",
            &entry.place(),
            format!("`{}` can't be the name of a variable", entry.name()),
            Some("use lower-case letters, digits and `_`".into()),
        );
    }
    let reads = if declared { Reads::Subjects } else { Reads::Plan };
    let placed = entry.get("value").and_then(|node| desk.expression(node, entry.file, reads, None));
    let levels: Vec<(String, Label)> =
        entry.named("levels").map(|level| (level.name().to_owned(), desk.label(Some(level.node)))).collect();
    let Some(placed) = placed else {
        // Known all the same, so that its uses are not reported too.
        let codes = Type::Code(crate::expression::Codes {
            kind: Kind::Code,
            list: entry.name().to_owned(),
            among: None,
        });
        let unknown = if levels.is_empty() { Type::Number(Unit::Any) } else { codes };
        desk.subject_variables.insert(entry.name().to_owned(), unknown);
        return None;
    };
    let codes: Option<Vec<(String, Place)>> = match &placed.kind {
        Type::Words(words) => {
            Some(words.iter().map(|(word, at)| (word.clone(), placed.place.part(at.0, at.1))).collect())
        }
        Type::Code(codes) => codes
            .among
            .as_ref()
            .map(|among| among.iter().map(|code| (code.clone(), placed.place.clone())).collect()),
        _ => None,
    };
    check_levels(desk, entry, codes.as_deref(), &levels);
    let kind = match &placed.kind {
        Type::Words(words) => {
            let among: Vec<String> = words.iter().map(|(word, _)| word.clone()).collect();
            Type::Code(crate::expression::Codes {
                kind: Kind::Code,
                list: entry.name().to_owned(),
                among: Some(among.into()),
            })
        }
        other => other.clone(),
    };
    desk.subject_variables.insert(entry.name().to_owned(), kind);
    Some(SubjectVariable {
        id: entry.name().to_owned(),
        label: desk.label(entry.get("label")),
        expression: placed.expression,
        unit: entry.text("unit").map(str::to_owned),
        decimals: entry.whole("decimals").unwrap_or(0),
        levels,
    })
}

fn check_levels(
    desk: &mut Desk<'_>,
    entry: &Section<'_>,
    codes: Option<&[(String, Place)]>,
    levels: &[(String, Label)],
) {
    let Some(codes) = codes else {
        if let Some(first) = entry.named("levels").next() {
            let message = format!("`{}` holds no codes, so it has no levels", entry.name());
            desk.error("type", &first.place(), message, Some("leave `levels` out".into()));
        }
        return;
    };
    let known: Vec<String> = codes.iter().map(|(code, _)| code.clone()).collect();
    for level in entry.named("levels") {
        desk.refer_among(Kind::Code, level.name(), &level.place(), &known);
    }
    for (code, place) in codes {
        if !levels.is_empty() && !levels.iter().any(|(level, _)| level == code) {
            let help = crate::names::suggest(code, levels.iter().map(|(level, _)| level.as_str()));
            desk.error("unknown-name", place, format!("`{code}` has no label in `levels`"), help);
        }
    }
    if levels.is_empty()
        && entry.get("value").is_some_and(|value| value.text().is_some_and(|text| text.contains('?')))
    {
        let help = format!(
            "add `levels = {{ {} = {{ en = \"…\" }} }}`",
            known.first().map_or("code", String::as_str)
        );
        desk.warn(
            "missing-key",
            &entry.place(),
            format!("the codes of `{}` have no labels", entry.name()),
            Some(help),
        );
    }
}

fn read_parameters(desk: &mut Desk<'_>, root: &Section<'_>) -> Vec<Parameter> {
    let mut parameters: Vec<Parameter> = Vec::new();
    for entry in root.named("parameters") {
        let Some((form, item)) = entry.text("item").and_then(|name| name.split_once('.')) else { continue };
        let kind = desk.items.get(&format!("{form}.{item}")).map(|facts| facts.kind.clone());
        let numeric = match &kind {
            Some(Type::Number(_)) | None => true,
            Some(Type::Code(codes)) => {
                codes.among.as_ref().is_some_and(|codes| codes.iter().all(|code| code.parse::<i64>().is_ok()))
            }
            Some(_) => false,
        };
        if let (false, Some(kind)) = (numeric, &kind) {
            let message = format!("`{form}.{item}` holds {}, and a parameter is a number", kind.noun());
            desk.error(
                "type",
                &entry.place_of("item"),
                message,
                Some("count it as a variable instead".into()),
            );
        }
        if parameters.iter().any(|other| other.id.as_str().eq_ignore_ascii_case(entry.name())) {
            desk.error(
                "duplicate",
                &entry.place(),
                format!("two parameters are called `{}`, letter case aside", entry.name()),
                None,
            );
        }
        let unit = match &kind {
            Some(Type::Number(Unit::Of(unit))) if unit != "1" => Some(unit.clone()),
            _ => None,
        };
        parameters.push(Parameter {
            id: entry.name().into(),
            label: desk.label(entry.get("label")),
            form: form.into(),
            item: item.into(),
            unit: entry.text("unit").map(str::to_owned).or(unit),
            decimals: entry.whole("decimals").unwrap_or(0),
            lower_is_better: entry.flag("lower_is_better").unwrap_or(false),
        });
    }
    parameters
}

/// Reads a laboratory test, and reports a CTCAE term that its unit does not fit.
fn read_test(desk: &mut Desk<'_>, entry: &Section<'_>) -> Option<LaboratoryTest> {
    let name = entry.text("item")?;
    let (form, item) = name.split_once('.')?;
    let unit = match desk.items.get(name).map(|facts| &facts.kind) {
        Some(Type::Number(Unit::Of(unit))) => unit.clone(),
        Some(Type::Number(_)) => "1".to_owned(),
        Some(other) => {
            let message = format!("`{name}` holds {}, and a laboratory test is a number", other.noun());
            desk.error("type", &entry.place_of("item"), message, Some("name a numeric item".into()));
            return None;
        }
        None => return None,
    };
    let codes: Vec<String> = LabTest::all().iter().map(|test| test.code().to_owned()).collect();
    let mut graded = |key: &str| {
        let code = entry.text(key)?;
        desk.refer_among(Kind::Grading, code, &entry.place_of(key), &codes);
        let needed = LabTest::by_code(code)?.unit();
        if let Some(needed) = needed.filter(|needed| crate::units::factor(&unit, needed).is_none()) {
            let message = format!("`{code}` grades values in {needed}, and `{name}` is in {unit}");
            let help = "take the item in a unit that measures the same, or leave the term out";
            desk.error("unit", &entry.place_of(key), message, Some(help.into()));
        }
        Some(code.to_owned())
    };
    let (low, high) = (graded("low"), graded("high"));
    Some(LaboratoryTest {
        id: entry.name().to_owned(),
        form: form.into(),
        item: item.into(),
        unit,
        low,
        high,
    })
}

fn read_estimand(desk: &mut Desk<'_>, entry: &Section<'_>) -> Estimand {
    Estimand {
        id: entry.name().into(),
        question: desk.label(entry.get("question")),
        level: entry.text("level").and_then(estimand_level).unwrap_or_default().to_owned(),
        treatment: entry.owned("treatment"),
        population: entry.owned("population").into(),
        variable: entry.owned("variable"),
        events: entry
            .named("events")
            .filter_map(|event| Some((event.name().to_owned(), strategy(event.node.text()?)?)))
            .collect(),
        summary: entry.owned("summary"),
        mark: read_mark(entry),
    }
}

fn read_analysis(desk: &mut Desk<'_>, entry: &Section<'_>) -> Option<Analysis> {
    let method = read_method(desk, entry);
    let subject = read_subject(desk, entry);
    let by = read_by(desk, entry);
    let only = entry.get("only").and_then(|node| desk.condition(node, entry.file, Reads::Subjects, None));
    read_published(desk, entry, by.as_deref());
    if let (Some(row), Some(subject)) = (entry.text("method").and_then(methods::row), &subject) {
        check_fit(desk, entry, row, subject, by.as_deref());
        check_model(desk, entry, subject);
        if let Some(method) = method.as_ref().filter(|method| method.over_visits().is_some()) {
            check_repeated(desk, entry, method, subject, by.as_deref());
        }
    }
    Some(Analysis {
        id: entry.name().into(),
        label: desk.label(entry.get("label")),
        estimand: entry.text("estimand").map(Into::into),
        role: entry.owned("role"),
        method: method?,
        set: entry.owned("set").into(),
        subject: subject?,
        by,
        only: only.map(|placed| placed.expression),
        published: entry
            .named("published")
            .filter_map(|number| {
                Some(Published { estimate: number.name().to_owned(), fact: number.node.text()?.into() })
            })
            .collect(),
    })
}

fn read_subject(desk: &mut Desk<'_>, entry: &Section<'_>) -> Option<Subject> {
    if let Some(parameter) = entry.text("parameter") {
        return Some(Subject::Parameter {
            parameter: parameter.into(),
            visit: entry.text("visit")?.into(),
            measure: measure(entry.text("measure")?)?,
            missing: missing_rule(entry.text("missing")?)?,
        });
    }
    if let Some(variable) = entry.text("variable") {
        let known: Vec<String> = desk.subject_variables.keys().cloned().collect();
        desk.refer_among(Kind::Variable, variable, &entry.place_of("variable"), &known);
        return Some(Subject::Variable { variable: variable.to_owned() });
    }
    if let Some(node) = entry.get("adverse_events") {
        if node.text()? == "all" {
            return Some(Subject::AdverseEvents { filter: None });
        }
        let placed = desk.expression(node, entry.file, Reads::Events, None)?;
        let placed = desk.must_be_condition(placed)?;
        return Some(Subject::AdverseEvents { filter: Some(placed.expression) });
    }
    if entry.get("data").is_some() {
        return read_records(desk, entry).map(Subject::Records);
    }
    if let Some((form, item)) = entry.text("readings").and_then(|name| name.split_once('.')) {
        let between = between(entry.text("between")?)?;
        return Some(Subject::Readings(Readings { form: form.into(), item: item.into(), between }));
    }
    if let Some(time) = entry.text("time_to") {
        return Some(Subject::TimeToEvent { time: time.into() });
    }
    match entry.flag("deviations") {
        Some(true) => Some(Subject::Deviations),
        Some(false) => {
            desk.error(
                "ambiguous",
                &entry.place_of("deviations"),
                "an analysis of nothing",
                Some("write `deviations = true`".into()),
            );
            None
        }
        None => None,
    }
}

/// Reads which rows of a data set from elsewhere are looked at, and for what.
fn read_records(desk: &mut Desk<'_>, entry: &Section<'_>) -> Option<Records> {
    let data = entry.text("data")?.to_owned();
    let columns = desk.rows.get(&data)?.clone();
    let outer = std::mem::replace(&mut desk.event_variables, columns.clone());
    let condition = |desk: &mut Desk<'_>, key: &str| {
        let placed = entry.get(key).map(|node| desk.condition(node, entry.file, Reads::Events, None))?;
        Some(placed.map(|placed| placed.expression))
    };
    let (filter, event) = (condition(desk, "where"), condition(desk, "event"));
    desk.event_variables = outer;
    let known: Vec<String> = columns.keys().cloned().collect();
    let column = |desk: &mut Desk<'_>, key: &str, number: bool| {
        let name = entry.text(key)?;
        let place = entry.place_of(key);
        if !desk.refer_among(Kind::Variable, name, &place, &known) {
            return None;
        }
        if number && !matches!(columns[name], Type::Number(_)) {
            let message = format!("`{name}` can't be a time: it holds {}", columns[name].noun());
            desk.error("type", &place, message, None);
            return None;
        }
        Some(name.to_owned())
    };
    let given: Vec<&str> =
        ["value", "time", "terms"].into_iter().filter(|key| entry.get(key).is_some()).collect();
    let of = match given.as_slice() {
        ["value"] => RecordsOf::Value { column: column(desk, "value", false)? },
        ["time"] => {
            let time = column(desk, "time", true);
            let Some(event) = event else {
                let help = "add `event = \"CNSR == 0\"`, or whatever says that an event ended it".to_owned();
                let message = format!("{} does not say which times ended with an event", entry.name());
                desk.error("missing-key", &entry.place_of("time"), message, Some(help));
                return None;
            };
            RecordsOf::Times { time: time?, event: event? }
        }
        ["terms"] => {
            let mut names = Vec::new();
            let nodes = entry.get("terms").map_or(&[][..], Node::elements);
            for node in nodes {
                let Some(name) = node.text() else { continue };
                let place = Place::new(entry.file, node.text_span());
                if !desk.refer_among(Kind::Variable, name, &place, &known) {
                    return None;
                }
                if !matches!(columns[name], Type::Code(_)) {
                    let message =
                        format!("`{name}` can't say what happened: it holds {}", columns[name].noun());
                    desk.error("type", &place, message, None);
                    return None;
                }
                names.push(name.to_owned());
            }
            if !(1..=2).contains(&nodes.len()) {
                let help = "name one column, or two with the wider first".to_owned();
                let message = format!("{} terms can't be told", nodes.len());
                desk.error("out-of-range", &entry.place_of("terms"), message, Some(help));
                return None;
            }
            RecordsOf::Terms { columns: names }
        }
        several => {
            let message = match several {
                [] => format!("{} does not say what of {data} it looks at", entry.name()),
                several => format!("{} looks at {} at once", entry.name(), several.join(" and ")),
            };
            let help = "write one of `value = \"…\"`, `time = \"…\"` with `event = \"…\"`, `terms = [\"…\"]`";
            desk.error("ambiguous", &entry.place_of("data"), message, Some(help.into()));
            return None;
        }
    };
    let filter = match filter {
        Some(filter) => Some(filter?),
        None => None,
    };
    Some(Records { data, filter, of })
}

fn read_by(desk: &mut Desk<'_>, entry: &Section<'_>) -> Option<String> {
    let by = entry.text("by")?;
    let known: Vec<String> = desk.subject_variables.keys().cloned().collect();
    if desk.refer_among(Kind::Variable, by, &entry.place_of("by"), &known)
        && !matches!(desk.subject_variables.get(by), Some(Type::Code(_) | Type::Flag))
    {
        let message = format!("`{by}` can't group: it holds {}", desk.subject_variables[by].noun());
        desk.error("type", &entry.place_of("by"), message, Some("group by a code or by yes and no".into()));
    }
    Some(by.to_owned())
}

fn read_published(desk: &mut Desk<'_>, entry: &Section<'_>, by: Option<&str>) {
    let Some(row) = entry.text("method").and_then(methods::row) else { return };
    let known: Vec<String> = row.estimates.iter().map(|estimate| (*estimate).to_owned()).collect();
    for number in entry.named("published") {
        let (estimate, place) = (number.name(), number.place());
        let stem = estimate.split('[').next().unwrap_or_default();
        desk.refer_among(Kind::Estimate, stem, &place.part(0, stem.len()), &known);
        for level in estimate.split('[').skip(1) {
            let level = level.trim_end_matches(']');
            let start = estimate.find(&format!("[{level}]")).map_or(0, |at| at + 1);
            let at = place.part(start, start + level.len());
            check_estimate_level(desk, entry, by, level, &at);
        }
    }
}

fn check_estimate_level(desk: &mut Desk<'_>, entry: &Section<'_>, by: Option<&str>, level: &str, at: &Place) {
    let codes = |name: &str| match desk.subject_variables.get(name) {
        Some(Type::Code(codes)) => codes.among.clone().map(|among| among.to_vec()),
        Some(Type::Flag) => Some(vec!["yes".to_owned(), "no".to_owned()]),
        _ => None,
    };
    let subjects = entry.text("variable").map(&codes);
    let groups = by.map(&codes);
    // Terms and open lists can be anything.
    if entry.get("adverse_events").is_some() || subjects == Some(None) || groups == Some(None) {
        return;
    }
    let known: Vec<String> = subjects.flatten().into_iter().chain(groups.flatten()).flatten().collect();
    desk.refer_among(Kind::Code, level, at, &known);
}

/// Reports a method that can't be applied to what it is given.
fn check_fit(
    desk: &mut Desk<'_>,
    entry: &Section<'_>,
    row: &methods::MethodRow,
    subject: &Subject,
    by: Option<&str>,
) {
    let (place, method) = (entry.place_of("method"), row.word);
    let kind = match subject {
        Subject::Variable { variable } => desk.subject_variables.get(variable).cloned(),
        Subject::Records(Records { data, of: RecordsOf::Value { column }, .. }) => {
            desk.rows.get(data).and_then(|columns| columns.get(column)).cloned()
        }
        _ => None,
    };
    let numeric = matches!(subject, Subject::Parameter { .. }) || matches!(kind, Some(Type::Number(_)));
    let needs_number = matches!(row.takes, Takes::Numbers | Takes::Changes);
    let times = matches!(
        subject,
        Subject::TimeToEvent { .. } | Subject::Records(Records { of: RecordsOf::Times { .. }, .. })
    );
    if times != (row.takes == Takes::Times) {
        let (message, help) = match times {
            true => (
                format!("method \"{method}\" can't be applied to times to an event"),
                "use \"log-rank\", \"kaplan-meier\" or \"cox\"",
            ),
            false if desk.rows.is_empty() => (
                format!("method \"{method}\" needs times to an event"),
                "write `time_to = \"…\"`, a name of `[times]`",
            ),
            false => (
                format!("method \"{method}\" needs times to an event"),
                "write `data = \"…\"`, `time = \"…\"` and `event = \"…\"`",
            ),
        };
        desk.error("type", &place, message, Some(help.into()));
        return;
    }
    if needs_number && !numeric && (kind.is_some() || !matches!(subject, Subject::Variable { .. })) {
        let what = kind.as_ref().map_or("a list of events".to_owned(), Type::noun);
        let message = format!("method \"{method}\" needs a number, and this is {what}");
        desk.error("type", &place, message, Some("use \"count\", \"fisher\" or \"binomial\"".into()));
    }
    let readings = matches!(subject, Subject::Readings(_));
    if readings != (row.takes == Takes::Readings) {
        let (message, help) = match readings {
            true => (
                format!("method \"{method}\" can't compare readings"),
                "use \"agreement\" for numbers, \"weighted kappa\" for codes",
            ),
            false => (
                format!("method \"{method}\" compares two readings of a slide"),
                "write `readings = \"form.item\"` with `between`",
            ),
        };
        desk.error("type", &place, message, Some(help.into()));
        return;
    }
    if let Subject::Readings(of) = subject
        && let Some(facts) = desk.items.get(&format!("{}.{}", of.form, of.item))
    {
        let fits = match facts.kind {
            Type::Number(_) => method == "agreement",
            Type::Code(_) => method == "weighted kappa",
            _ => false,
        };
        if !fits {
            let message = format!("method \"{method}\" can't compare readings of {}", facts.kind.noun());
            let help = "use \"agreement\" for numbers, \"weighted kappa\" for codes";
            desk.error("type", &place, message, Some(help.into()));
        }
    }
    if method == "predictive imputation"
        && let (Some(options), Some(Type::Code(codes))) = (entry.section("options"), &kind)
        && let Some(levels) = codes.among.clone()
    {
        for node in options.get("success").map_or(&[][..], Node::elements) {
            if let Some(level) = node.text() {
                desk.refer_among(Kind::Code, level, &Place::new(entry.file, node.text_span()), &levels);
            }
        }
    }
    if method == "blinding index" {
        check_guesses(desk, entry, kind.as_ref(), by);
    }
    if row.compares && by.is_none() {
        let message = format!("method \"{method}\" compares two groups, and there is no `by`");
        desk.error(
            "missing-key",
            &place,
            message,
            Some("add `by = \"arm\"`, or another variable with two levels".into()),
        );
    }
    if row.takes == Takes::Changes
        && let Subject::Parameter { measure: Measure::Value, .. } = subject
    {
        let message = format!("method \"{method}\" tests a change, and `measure` is \"value\"");
        desk.error("type", &entry.place_of("measure"), message, Some("write `measure = \"change\"`".into()));
    }
    if row.takes == Takes::YesOrNo
        && let Some(kind) = &kind
        && *kind != Type::Flag
    {
        let what = match subject {
            Subject::Variable { variable } => format!("`{variable}`"),
            _ => "this".to_owned(),
        };
        let message = format!("method \"{method}\" counts yes and no, and {what} holds {}", kind.noun());
        desk.error("type", &place, message, Some("define a variable with a condition".into()));
    }
    if row.takes == Takes::Levels && kind.is_none() {
        let message =
            format!("method \"{method}\" needs a level a participant, and this is a list of events");
        desk.error("type", &place, message, Some("use \"count\" or \"fisher\"".into()));
    }
}

/// Resolves the covariates and factors of a model, each at its place.
fn check_model(desk: &mut Desk<'_>, entry: &Section<'_>, subject: &Subject) {
    let Some(options) = entry.section("options") else { return };
    let baseline = matches!(subject, Subject::Parameter { .. });
    let known = match subject {
        Subject::Records(records) => desk.rows.get(&records.data).cloned().unwrap_or_default(),
        _ => desk.subject_variables.clone(),
    };
    let names: Vec<String> = known.keys().cloned().collect();
    for (key, numbers) in
        [("covariates", true), ("covariates_by_visit", true), ("factors", false), ("strata", false)]
    {
        for node in options.get(key).map_or(&[][..], Node::elements) {
            let Some(name) = node.text() else { continue };
            let place = Place::new(entry.file, node.text_span());
            if numbers && baseline && name == "baseline" {
                continue;
            }
            if !desk.refer_among(Kind::Variable, name, &place, &names) {
                continue;
            }
            let kind = known[name].clone();
            let fits = match kind {
                Type::Number(_) => numbers,
                Type::Code(_) | Type::Flag => !numbers,
                _ => false,
            };
            if !fits {
                let (what, help) = match numbers {
                    true => ("a covariate", "name it under `factors`"),
                    false => ("a factor", "name it under `covariates`"),
                };
                let message = format!("`{name}` can't be {what}: it holds {}", kind.noun());
                desk.error("type", &place, message, Some(help.into()));
            }
        }
    }
}

/// Reports guesses that the variable does not hold, groups that there are not, and levels that mean nothing.
fn check_guesses(desk: &mut Desk<'_>, entry: &Section<'_>, kind: Option<&Type>, by: Option<&str>) {
    let Some(options) = entry.section("options") else { return };
    let among = |kind: Option<&Type>| match kind {
        Some(Type::Code(codes)) => codes.among.clone().map(|among| among.to_vec()),
        _ => None,
    };
    let groups = among(by.and_then(|by| desk.subject_variables.get(by)));
    let Some(levels) = among(kind) else { return };
    let mut meant = Vec::new();
    for guess in options.named("guesses") {
        let place = guess.place();
        desk.refer_among(Kind::Code, guess.name(), &place.part(0, guess.name().len()), &levels);
        if let (Some(groups), Some(group)) = (&groups, guess.node.text()) {
            desk.refer_among(Kind::Code, group, &Place::new(entry.file, guess.node.text_span()), groups);
        }
        meant.push(guess.name().to_owned());
    }
    if let Some(unknown) = options.text("unknown") {
        desk.refer_among(Kind::Code, unknown, &options.place_of("unknown"), &levels);
        meant.push(unknown.to_owned());
    }
    if options.get("guesses").is_none() || options.get("unknown").is_none() {
        return;
    }
    if let Some(level) = levels.iter().find(|level| !meant.contains(level)) {
        let message = format!("{} does not say what the guess `{level}` means", entry.name());
        let help = format!("add it to `guesses`, or write `unknown = \"{level}\"`");
        desk.error("ambiguous", &options.place(), message, Some(help));
    }
}

/// Reports visits that do not exist or leave out that of the analysis, and assumptions that lack a control group.
fn check_repeated(
    desk: &mut Desk<'_>,
    entry: &Section<'_>,
    method: &Method,
    subject: &Subject,
    by: Option<&str>,
) {
    let (Some(options), Some(model)) = (entry.section("options"), method.over_visits()) else { return };
    let place = entry.place_of("options");
    let nodes = options.get("visits").map_or(&[][..], Node::elements);
    if let Subject::Parameter { visit, missing, .. } = subject {
        for node in nodes {
            if let Some(name) = node.text() {
                desk.refer(Kind::Visit, name, &Place::new(entry.file, node.text_span()));
            }
        }
        if *missing != MissingRule::Observed {
            let message = format!("method \"{}\" has its own way with missing values", method.word());
            let help = "write `missing = \"observed\"`".to_owned();
            desk.error("ambiguous", &entry.place_of("missing"), message, Some(help));
        }
        if !model.visits.iter().any(|own| *visit == **own) {
            let message = format!("`visits` leaves out {visit}, which is analysed");
            desk.error("ambiguous", &place, message, Some(format!("add \"{visit}\" where it belongs")));
        }
    } else if model.visit_column.is_none() || model.visits.is_empty() {
        let message = format!("{} does not say which visit a row is of", entry.name());
        let help = "add `visit_column = \"AVISIT\"` and its values in order under `visits`; the last one is analysed";
        desk.error("missing-key", &place, message, Some(help.into()));
    }
    let Method::MultipleImputation(imputation) = method else { return };
    let assumed = imputation.strategies.iter().map(|(_, one)| *one).chain([imputation.strategy]);
    let of_control =
        |one: &Imputation| !matches!(one, Imputation::MissingAtRandom | Imputation::LastMeanCarried);
    if by.is_none() && assumed.filter(of_control).count() > 0 {
        let message = format!("{} refers to a control group, and there is no `by`", entry.name());
        let help = "add `by = \"arm\"`, or use \"missing at random\" or \"last mean carried\"".to_owned();
        desk.error("missing-key", &place, message, Some(help));
    }
    check_imputing(desk, entry, imputation, by);
    match &imputation.reason {
        Some(reason) => {
            let known: Vec<String> = desk.subject_variables.keys().cloned().collect();
            desk.refer_among(Kind::Variable, reason, &options.place_of("reason"), &known);
        }
        None if !imputation.strategies.is_empty() => {
            let message = format!("{} does not say what the codes of `strategies` are of", entry.name());
            desk.error("missing-key", &place, message, Some("add `reason = \"end_reason\"`".into()));
        }
        None => {}
    }
}

/// Reports random numbers that nothing is drawn with, and a tipping point that cannot be looked for.
fn check_imputing(
    desk: &mut Desk<'_>,
    entry: &Section<'_>,
    imputation: &MultipleImputation,
    by: Option<&str>,
) {
    let Some(options) = entry.section("options") else { return };
    if imputation.imputing == Imputing::ConditionalMean {
        for key in ["draws", "seed"] {
            if options.get(key).is_some() {
                let message =
                    format!("`{key}` has no meaning where missing values are set to their conditional mean");
                let help = "leave it out, or write `imputation = \"bootstrap\"`".to_owned();
                desk.error("ambiguous", &options.place_of(key), message, Some(help));
            }
        }
    }
    let Some(range) = options.get("tipping_point") else { return };
    if imputation.tipping_point.is_none_or(|[from, to]| from == to) {
        let message = "a tipping point is looked for between two numbers that differ".to_owned();
        let help = format!("write `tipping_point = [0, 10]` (it has {} numbers)", range.elements().len());
        desk.error("ambiguous", &options.place_of("tipping_point"), message, Some(help));
    } else if by.is_none() {
        let message = format!("{} looks for a tipping point, and compares no groups", entry.name());
        desk.error(
            "ambiguous",
            &options.place_of("tipping_point"),
            message,
            Some("add `by = \"arm\"`".into()),
        );
    }
}
