//! `analysis.toml`: variables, parameters, sets, estimands, analyses, the report.

use std::collections::BTreeMap;

use super::sources::{MARK, read_mark};
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

words! { MISSING_RULES, missing_rule -> MissingRule {
    "observed" => MissingRule::Observed,
    "locf" => MissingRule::LastObservation,
    "worst case" => MissingRule::WorstCase,
} }

words! { TWO_SIDED, two_sided -> TwoSided {
    "as far from its mean" => TwoSided::AsFarFromMean,
    "twice the smaller tail" => TwoSided::TwiceSmallerTail,
} }

words! { ZEROS, zeros -> Zeros {
    "dropped" => Zeros::Dropped,
    "pratt" => Zeros::Pratt,
} }

words! { QUARTILES, quartiles -> Quartiles {
    "type 2" => Quartiles::Type2,
    "type 7" => Quartiles::Type7,
} }

/// Each method, the options it needs and the estimates it gives.
const METHODS: &[(&str, &[&str], &[&str])] = &[
    ("describe", &["quartiles"], &["n", "mean", "sd", "median", "q1", "q3", "min", "max"]),
    (
        "count",
        &[],
        &[
            "count",
            "percent",
            "denominator",
            "missing",
            "events",
            "participants",
            "low_grade_events",
            "low_grade_percent",
            "deviations",
        ],
    ),
    (
        "paired t",
        &["confidence"],
        &[
            "n",
            "mean",
            "sd",
            "se",
            "lower",
            "upper",
            "t",
            "df",
            "p",
            "baseline_mean",
            "percent_of_baseline",
            "mean_percent",
        ],
    ),
    (
        "two-sample t",
        &["confidence", "equal_variances"],
        &["n", "mean", "sd", "difference", "lower", "upper", "t", "df", "p"],
    ),
    (
        "signed rank",
        &["zeros", "two_sided", "confidence"],
        &["n", "v", "p", "pseudomedian", "lower", "upper"],
    ),
    (
        "rank sum",
        &["two_sided", "confidence", "quartiles"],
        &["w", "p", "shift", "lower", "upper", "n", "median", "q1", "q3", "min", "max"],
    ),
    ("fisher", &["confidence"], &["events", "n", "percent", "p", "odds_ratio", "lower", "upper"]),
    ("binomial", &["confidence"], &["events", "n", "percent", "lower", "upper"]),
];
const METHOD_WORDS: &[&str] =
    &["describe", "count", "paired t", "two-sample t", "signed rank", "rank sum", "fisher", "binomial"];

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

const CONFIDENCE: Shape = Shape::Number { min: Some(0), max: Some(1) };

const OPTIONS: &[Field] = &[
    may("quartiles", Shape::Word(QUARTILES), "Quartile definition: type 2 (SAS) or type 7 (R)."),
    may("confidence", CONFIDENCE, "Confidence of the interval, such as 0.95."),
    may("equal_variances", Shape::Flag, "Whether variances are taken as equal."),
    may("zeros", Shape::Word(ZEROS), "What becomes of zero differences."),
    may("two_sided", Shape::Word(TWO_SIDED), "Which two-sided p-value: they differ where arms are unequal."),
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
        Variant { key: "deviations", fields: &[must("deviations", Shape::Flag, "true: the deviations.")] },
    ],
};

const SECTION: &[Field] = &[
    must("title", Shape::Label, "Its title."),
    must("show", Shape::List(&Shape::Text), "What it shows, in order."),
];

pub(crate) const FIELDS: &[Field] = &[
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
    must("sets", Shape::Map(Keys::Define(Kind::Set), &Shape::Table(SET)), "Analysis sets."),
    may(
        "estimands",
        Shape::Map(Keys::Define(Kind::Estimand), &Shape::Table(ESTIMAND)),
        "Estimands and endpoints.",
    ),
    must("analyses", Shape::Map(Keys::Define(Kind::Analysis), &ANALYSIS), "Analyses in order."),
    may("report", Shape::List(&Shape::Table(SECTION)), "The report's sections in order."),
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

/// Reads the file.
pub(crate) fn read(desk: &mut Desk<'_>, root: Section<'_>) -> PlanParts {
    let parameters = read_parameters(desk, &root);
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
    let sections = sections.iter().map(|node| read_section(desk, &Section::new(node, root.file))).collect();
    parts.plan = AnalysisPlan { variables, parameters, sets, estimands, analyses, sections };
    parts
}

fn read_variable(desk: &mut Desk<'_>, entry: &Section<'_>) -> Option<SubjectVariable> {
    if SUBJECT_VARIABLES.iter().any(|variable| variable.name == entry.name()) {
        desk.error(
            "duplicate",
            &entry.place(),
            format!("`{}` is a built-in variable", entry.name()),
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
    let placed = entry.get("value").and_then(|node| desk.expression(node, entry.file, Reads::Plan, None));
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
    if let (Some(name), Some(subject)) = (entry.text("method"), &subject) {
        check_fit(desk, entry, name, subject, by.as_deref());
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

/// What is ambiguous without an option, and what to write.
fn ambiguity(option: &str) -> (&'static str, &'static str) {
    match option {
        "two_sided" => (
            "which two-sided p-value (they differ in unequal arms)",
            "add `two_sided = \"as far from its mean\"` (the permutation rule) or `two_sided = \"twice the smaller tail\"`",
        ),
        "quartiles" => (
            "which quartiles (programs differ)",
            "add `quartiles = \"type 2\"` (SAS) or `quartiles = \"type 7\"` (R)",
        ),
        "zeros" => (
            "what becomes of zero differences",
            "add `zeros = \"dropped\"` (before ranking) or `zeros = \"pratt\"` (after)",
        ),
        "equal_variances" => (
            "whether variances are equal",
            "add `equal_variances = false` (Welch) or `equal_variances = true` (Student)",
        ),
        _ => ("how sure its interval is", "add `confidence = 0.95`"),
    }
}

fn read_method(desk: &mut Desk<'_>, entry: &Section<'_>) -> Option<Method> {
    let name = entry.text("method")?;
    let (_, needed, _) = METHODS.iter().find(|(method, _, _)| *method == name)?;
    let options = entry.section("options");
    let place = options.map_or_else(|| entry.place_of("method"), |options| options.place());
    for option in *needed {
        if options.and_then(|options| options.get(option)).is_none() && !desk.was_left_out(option) {
            let (what, help) = ambiguity(option);
            desk.error(
                "ambiguous",
                &place,
                format!("{} does not say {what}", entry.name()),
                Some(help.to_owned()),
            );
        }
    }
    for option in options.iter().flat_map(Section::all) {
        let known = OPTIONS.iter().any(|field| field.key == option.name());
        if known && !needed.contains(&option.name()) {
            let help = if needed.is_empty() {
                "it takes no options".to_owned()
            } else {
                format!("it takes {}", needed.join(", "))
            };
            desk.error(
                "unknown-key",
                &option.place(),
                format!("method \"{name}\" has no option `{}`", option.name()),
                Some(help),
            );
        }
    }
    if name == "count" {
        return Some(Method::Count);
    }
    let options = options?;
    let word = |key: &str| options.text(key);
    let confidence =
        || options.decimal("confidence").filter(|c| *c > terms::Decimal::ZERO && *c < terms::Decimal::ONE);
    if options.get("confidence").is_some_and(|node| node.decimal().is_some()) && confidence().is_none() {
        desk.error(
            "out-of-range",
            &options.place_of("confidence"),
            "a confidence lies between 0 and 1, both excluded",
            Some("write 0.95".into()),
        );
    }
    Some(match name {
        "describe" => Method::Describe { quartiles: quartiles(word("quartiles")?)? },
        "paired t" => Method::PairedT { confidence: confidence()? },
        "two-sample t" => Method::TwoSampleT {
            confidence: confidence()?,
            equal_variances: options.flag("equal_variances")?,
        },
        "signed rank" => Method::SignedRank {
            zeros: zeros(word("zeros")?)?,
            two_sided: two_sided(word("two_sided")?)?,
            confidence: confidence()?,
        },
        "rank sum" => Method::RankSum {
            two_sided: two_sided(word("two_sided")?)?,
            confidence: confidence()?,
            quartiles: quartiles(word("quartiles")?)?,
        },
        "fisher" => Method::Fisher { confidence: confidence()? },
        "binomial" => Method::Binomial { confidence: confidence()? },
        _ => return None,
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
    let Some((_, _, estimates)) =
        entry.text("method").and_then(|name| METHODS.iter().find(|(method, _, _)| *method == name))
    else {
        return;
    };
    let known: Vec<String> = estimates.iter().map(|estimate| (*estimate).to_owned()).collect();
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
fn check_fit(desk: &mut Desk<'_>, entry: &Section<'_>, method: &str, subject: &Subject, by: Option<&str>) {
    let place = entry.place_of("method");
    let kind = match subject {
        Subject::Variable { variable } => desk.subject_variables.get(variable).cloned(),
        _ => None,
    };
    let numeric = matches!(subject, Subject::Parameter { .. }) || matches!(kind, Some(Type::Number(_)));
    let needs_number =
        matches!(method, "describe" | "paired t" | "two-sample t" | "signed rank" | "rank sum");
    if needs_number && !numeric && (kind.is_some() || !matches!(subject, Subject::Variable { .. })) {
        let what = kind.as_ref().map_or("a list of events".to_owned(), Type::noun);
        let message = format!("method \"{method}\" needs a number, and this is {what}");
        desk.error("type", &place, message, Some("use \"count\", \"fisher\" or \"binomial\"".into()));
    }
    if matches!(method, "two-sample t" | "rank sum" | "fisher") && by.is_none() {
        let message = format!("method \"{method}\" compares two groups, and there is no `by`");
        desk.error(
            "missing-key",
            &place,
            message,
            Some("add `by = \"arm\"`, or another variable with two levels".into()),
        );
    }
    if matches!(method, "paired t" | "signed rank")
        && let Subject::Parameter { measure: Measure::Value, .. } = subject
    {
        let message = format!("method \"{method}\" tests a change, and `measure` is \"value\"");
        desk.error("type", &entry.place_of("measure"), message, Some("write `measure = \"change\"`".into()));
    }
    if matches!(method, "fisher" | "binomial")
        && let (Subject::Variable { variable }, Some(kind)) = (subject, &kind)
        && *kind != Type::Flag
    {
        let message =
            format!("method \"{method}\" counts yes and no, and `{variable}` holds {}", kind.noun());
        desk.error("type", &place, message, Some("define a variable with a condition".into()));
    }
}

fn read_section(desk: &mut Desk<'_>, section: &Section<'_>) -> crate::model::Section {
    let shown = section.get("show").map_or(&[][..], Node::elements);
    let show = shown.iter().filter_map(|node| read_shown(desk, node, section.file)).collect();
    crate::model::Section { title: desk.label(section.get("title")), show }
}

/// What a section may show besides analyses, and how it is written.
const SHOWN: &[&str] = &[
    "flow",
    "sources",
    "listing:deviations",
    "listing:exclusions",
    "figure:adverse events",
    "figure:trajectory:",
    "figure:waterfall:",
    "table:",
];

fn read_shown(desk: &mut Desk<'_>, node: &Node, file: usize) -> Option<Shown> {
    let text = node.text()?;
    let whole = Place::new(file, node.text_span());
    let after = |prefix: &str| text.strip_prefix(prefix).map(|rest| (rest, prefix.len()));
    if let Some((rest, start)) = after("table:") {
        let mut ids = Vec::new();
        let mut at = start;
        for id in rest.split(',') {
            let lead = id.len() - id.trim_start().len();
            let name = id.trim();
            desk.refer(Kind::Analysis, name, &whole.part(at + lead, at + lead + name.len()));
            ids.push(name.into());
            at += id.len() + 1;
        }
        return Some(Shown::Table(ids));
    }
    if let Some((name, start)) = after("figure:trajectory:") {
        desk.refer(Kind::Parameter, name, &whole.part(start, text.len()));
        return Some(Shown::Trajectories(name.into()));
    }
    if let Some((rest, start)) = after("figure:waterfall:") {
        let Some((parameter, visit)) = rest.split_once(':') else {
            desk.error(
                "syntax",
                &whole,
                "a waterfall needs a parameter and a visit",
                Some("write `figure:waterfall:MRSS:M6`".into()),
            );
            return None;
        };
        desk.refer(Kind::Parameter, parameter, &whole.part(start, start + parameter.len()));
        desk.refer(Kind::Visit, visit, &whole.part(start + parameter.len() + 1, text.len()));
        return Some(Shown::Waterfall(parameter.into(), visit.into()));
    }
    match text {
        "flow" => return Some(Shown::Flow),
        "sources" => return Some(Shown::Sources),
        "listing:deviations" => return Some(Shown::DeviationListing),
        "listing:exclusions" => return Some(Shown::ExclusionListing),
        "figure:adverse events" => return Some(Shown::AdverseEventsOverTime),
        _ => {}
    }
    if desk.names.has(Kind::Analysis, text) {
        desk.record(Kind::Analysis, text, &whole);
        return Some(Shown::Table(vec![text.into()]));
    }
    if desk.was_left_out(text) {
        return None;
    }
    let known: Vec<String> = desk.names.of(Kind::Analysis).to_vec();
    let stem_slip = text
        .split(':')
        .next()
        .filter(|stem| text.contains(':') && !["table", "figure", "listing"].contains(stem));
    let help = match stem_slip {
        Some(stem) => crate::names::suggest(stem, ["table", "figure", "listing"].into_iter()),
        None => crate::names::suggest(text, known.iter().map(String::as_str).chain(SHOWN.iter().copied())),
    };
    desk.error("unknown-name", &whole, format!("the report can't show `{text}`"), help);
    None
}
