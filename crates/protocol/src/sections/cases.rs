//! Cases that a rule passes and fails, and the small changes to the rule that none of them would notice.
//!
//! A case gives the value of everything the rule reads; what it leaves out is missing.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use terms::{Answer, Date, ParameterId, Truth, Value, VisitId};

use crate::{
    desk::{Desk, Placed, Section},
    expression::{Extent, Input, ItemRef, Mutant, Reads, Scope, Term, Type, When, check, mutants},
    names::suggest,
    shape::{Field, Kind, Shape, Variant, may, must},
    source::Place,
    tree::{Key, Node, NodeKind},
};

const UNKNOWN: &[&str] = &["unknown"];
const UNKNOWN_OR_NOT_APPLICABLE: &[&str] = &["unknown", "not applicable"];
const INPUTS: Field = may("*", Shape::Inputs, "The value of something the rule reads; \"missing\" for none.");

/// Cases of an edit check.
pub(crate) const ASKS: Shape =
    Shape::List(&Shape::Table(&[must("asks", Shape::Verdict(UNKNOWN), "Whether it asks."), INPUTS]));
/// Cases of a dose rule.
pub(crate) const TRIGGERS: Shape = Shape::List(&Shape::Table(&[
    must("triggers", Shape::Verdict(UNKNOWN), "Whether it is triggered."),
    INPUTS,
]));
/// Cases of an eligibility rule.
pub(crate) const DECIDES: Shape = Shape::List(&Shape::Choice {
    common: &[INPUTS],
    variants: &[
        Variant {
            key: "meets",
            fields: &[must(
                "meets",
                Shape::Verdict(UNKNOWN_OR_NOT_APPLICABLE),
                "Whether nothing stands against entry.",
            )],
        },
        Variant {
            key: "excludes",
            fields: &[must(
                "excludes",
                Shape::Verdict(UNKNOWN_OR_NOT_APPLICABLE),
                "Whether an exclusion rule excludes.",
            )],
        },
    ],
});

/// What a rule says about a participant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Says(Truth),
    NotApplicable,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Verdict::Says(Truth::True) => "true",
            Verdict::Says(Truth::False) => "false",
            Verdict::Says(Truth::Unknown) => "\"unknown\"",
            Verdict::NotApplicable => "\"not applicable\"",
        })
    }
}

/// A case: what is given and what the rule must say.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    inputs: BTreeMap<Input, Option<Answer>>,
    /// What the rule itself must come to (an exclusion's `meets = true` is a rule that is false).
    expected: Verdict,
    written: Verdict,
    key: &'static str,
    place: Place,
}

/// A rule's cases.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cases {
    list: Vec<Case>,
    /// Whether some could not be read, so that little can be said about what is lacking.
    broken: bool,
}

impl Scope for Case {
    fn item(&self, reference: &ItemRef) -> Option<Answer> {
        self.inputs.get(&Input::Item(reference.clone())).cloned().flatten()
    }

    fn variable(&self, name: &str) -> Option<Answer> {
        self.inputs.get(&Input::Variable(name.to_owned())).cloned().flatten()
    }

    fn limit(&self, reference: &ItemRef, upper: bool) -> Option<Answer> {
        self.inputs.get(&Input::Limit(reference.clone(), upper)).cloned().flatten()
    }

    fn today(&self) -> Option<Date> {
        match self.inputs.get(&Input::Today).cloned().flatten() {
            Some(Answer::Given(Value::Date(date))) => date.complete(),
            _ => None,
        }
    }

    fn parameter(&self, parameter: &ParameterId, visit: &VisitId) -> Option<Answer> {
        self.inputs.get(&Input::Parameter(parameter.clone(), visit.clone())).cloned().flatten()
    }
}

/// What a case's key means: what it gives and of what type; none if it means nothing.
#[derive(Clone)]
struct KeyMeaning {
    gives: Option<(Input, Type)>,
    /// The names in the key and where.
    names: Vec<(Extent, Kind, String)>,
}

/// Reads a rule's cases. `key` is what they answer (`asks`); for eligibility either `meets` or `excludes`.
pub(crate) fn read_cases(
    desk: &mut Desk<'_>,
    section: &Section<'_>,
    key: &'static str,
    rules: &[&Placed],
    own_form: Option<&str>,
) -> Cases {
    let read: BTreeSet<Input> = rules.iter().flat_map(|rule| rule.expression.inputs()).collect();
    let mut cases = Cases::default();
    let mut known: BTreeMap<String, KeyMeaning> = BTreeMap::new();
    for node in section.get("cases").map_or(&[][..], Node::elements) {
        let key = if node.get("excludes").is_some() { "excludes" } else { key };
        let answered = node.entry(key).and_then(|(key, answer)| Some((key, answer, verdict(answer)?)));
        let Some((answer_key, answer, written)) = answered else {
            cases.broken = true;
            continue;
        };
        let before = desk.diagnostics.len();
        let mut inputs = BTreeMap::new();
        for (path, leaf, value) in leaves(node).into_iter().filter(|(path, _, _)| path != key) {
            let place = key_place(desk, section.file, &path, leaf);
            let Some((input, kind)) = meaning(desk, &path, &place, own_form, &mut known) else { continue };
            if !read.contains(&input) {
                let all: Vec<String> = read.iter().map(ToString::to_string).collect();
                let help = suggest(&path, all.iter().map(String::as_str));
                desk.error(
                    "case",
                    &place,
                    format!("the case gives `{path}`, which the rule does not read"),
                    help,
                );
                continue;
            }
            let given = given(desk, value, &kind, section.file, &path);
            inputs.insert(input, given);
        }
        let expected = match (key, written) {
            ("meets", Verdict::Says(truth)) if section.get("exclude").is_some() => {
                Verdict::Says(truth.negate())
            }
            _ => written,
        };
        let place = Place::new(section.file, answer_key.span.start..answer.span.end);
        if desk.diagnostics.len() == before {
            cases.list.push(Case { inputs, expected, written, key, place });
        } else {
            cases.broken = true;
        }
    }
    cases
}

fn verdict(node: &Node) -> Option<Verdict> {
    Some(match (&node.kind, node.text()) {
        (NodeKind::Flag(flag), _) => Verdict::Says((*flag).into()),
        (_, Some("unknown")) => Verdict::Says(Truth::Unknown),
        (_, Some("not applicable")) => Verdict::NotApplicable,
        _ => return None,
    })
}

/// Returns a case's keys in full, dotted ones joined.
fn leaves(node: &Node) -> Vec<(String, &Key, &Node)> {
    let mut found = Vec::new();
    for (key, value) in node.entries() {
        match &value.kind {
            NodeKind::Table(_) => {
                for (path, leaf, value) in leaves(value) {
                    found.push((format!("{}.{path}", key.text), leaf, value));
                }
            }
            _ => found.push((key.text.clone(), key, value)),
        }
    }
    found
}

/// Returns where a dotted key stands as a whole.
fn key_place(desk: &Desk<'_>, file: usize, path: &str, leaf: &Key) -> Place {
    let start = (leaf.span.start + leaf.text.len()).saturating_sub(path.len());
    let whole = Place::new(file, start..leaf.span.start + leaf.text.len());
    if desk.sources[file].slice(whole.start..whole.end) == path {
        whole
    } else {
        Place::new(file, leaf.span.clone())
    }
}

fn meaning(
    desk: &mut Desk<'_>,
    path: &str,
    place: &Place,
    own_form: Option<&str>,
    known: &mut BTreeMap<String, KeyMeaning>,
) -> Option<(Input, Type)> {
    let whole = place.end - place.start == path.len();
    let within = |at: Extent| if whole { place.part(at.0, at.1) } else { place.clone() };
    if let Some(KeyMeaning { gives: Some(gives), names }) = known.get(path) {
        for (at, kind, name) in names.iter().filter(|_| whole) {
            desk.record(*kind, name, &within(*at));
        }
        return Some(gives.clone());
    }
    let checked = check(path, &desk.environment(Reads::Casebook, own_form));
    for problem in checked.problems {
        desk.error(problem.code, &within(problem.at), problem.message, problem.help);
    }
    for (at, kind, name) in checked.references.iter().filter(|_| whole) {
        desk.record(*kind, name, &within(*at));
    }
    let gives = match checked.term {
        Some((Term::Input(input), kind)) => Some((input, kind)),
        Some(_) => {
            let help =
                "write `form.item`, `\"previous(form.item)\"`, `\"uln(form.item)\"` or `\"visit.date\"`"
                    .to_owned();
            desk.error("case", place, format!("a case can't give `{path}`"), Some(help));
            None
        }
        None => None,
    };
    known.insert(path.to_owned(), KeyMeaning { gives: gives.clone(), names: checked.references });
    gives
}

fn given(desk: &mut Desk<'_>, node: &Node, kind: &Type, file: usize, path: &str) -> Option<Answer> {
    if node.text() == Some("missing") {
        return None;
    }
    let place = Place::new(file, node.text_span());
    let value = match (kind, &node.kind) {
        (Type::Number(_), NodeKind::Integer(_) | NodeKind::Float(_)) => node.decimal().map(Value::Decimal),
        (Type::Flag, NodeKind::Flag(flag)) => Some(Value::Boolean(*flag)),
        (Type::Code(codes), NodeKind::Text { text, .. }) => {
            if let Some(among) = codes.among.clone() {
                desk.refer_among(codes.kind, text, &place, &among);
            }
            Some(Value::Code(text.clone()))
        }
        (Type::Date, NodeKind::Date(text) | NodeKind::Text { text, .. }) => {
            text.parse().ok().map(Value::Date)
        }
        (Type::Text, NodeKind::Text { text, .. }) => Some(Value::Text(text.clone())),
        _ => None,
    };
    if value.is_none() {
        let message = format!("`{path}` is {}, and the case gives {}", kind.noun(), node.what());
        desk.error("case", &place, message, Some("give a value of that type, or \"missing\"".into()));
    }
    value.map(Answer::Given)
}

/// A rule whose cases are run.
pub(crate) struct Rule<'a> {
    /// What people call it: `check large_change of skin_score`.
    pub(crate) name: String,
    pub(crate) place: Place,
    pub(crate) rule: &'a Placed,
    pub(crate) applies_to: Option<&'a Placed>,
    pub(crate) cases: &'a Cases,
    /// Whether it must have a case on either side.
    pub(crate) needs_both: bool,
}

impl Rule<'_> {
    /// Says whether a case is also about whom the rule applies to.
    fn asks_to_whom(&self, case: &Case) -> bool {
        self.applies_to.is_some_and(|applies| {
            applies.expression.inputs().iter().any(|input| case.inputs.contains_key(input))
        })
    }
}

/// Returns what a rule says in a case; `applies_to` is given where the case is about that too.
fn verdict_in(case: &Case, rule: &Term, applies_to: Option<&Term>) -> Verdict {
    match applies_to.map(|term| term.truth(case)) {
        Some(Truth::False) => Verdict::NotApplicable,
        Some(Truth::Unknown) => Verdict::Says(Truth::Unknown),
        _ => Verdict::Says(rule.truth(case)),
    }
}

/// Runs a rule's cases; then changes the rule a little and warns of each change that no case notices.
pub(crate) fn run(desk: &mut Desk<'_>, rule: &Rule<'_>) {
    let root = rule.rule.expression.root();
    let applies = rule.applies_to.map(|placed| placed.expression.root());
    let cases: Vec<(&Case, bool)> =
        rule.cases.list.iter().map(|case| (case, rule.asks_to_whom(case))).collect();
    let mut failed = false;
    for (case, to_whom) in &cases {
        let verdict = verdict_in(case, root, applies.filter(|_| *to_whom));
        if verdict != case.expected {
            failed = true;
            let shown = if case.expected == case.written { verdict } else { flipped(verdict) };
            let message =
                format!("{} comes to `{} = {shown}` in this case, not {}", rule.name, case.key, case.written);
            let help = format!("the rule is: {}", rule.rule.expression.text);
            desk.error("case-fails", &case.place, message, Some(help));
        }
    }
    if failed || rule.cases.broken {
        return;
    }
    if rule.needs_both || !cases.is_empty() {
        both_sides(desk, rule);
    }
    if cases.is_empty() {
        return;
    }
    let survives = |changed: &Term, applies: Option<&Term>| {
        cases
            .iter()
            .all(|(case, to_whom)| verdict_in(case, changed, applies.filter(|_| *to_whom)) == case.expected)
    };
    let living = mutants(root).into_iter().filter(|mutant| survives(&mutant.root, applies));
    unnoticed(desk, rule.rule, living.collect());
    if let Some(placed) = rule.applies_to.filter(|_| cases.iter().any(|(_, to_whom)| *to_whom)) {
        let all = mutants(placed.expression.root()).into_iter();
        let living = all.filter(|mutant| survives(root, Some(&mutant.root)));
        unnoticed(desk, placed, living.collect());
    }
}

fn flipped(verdict: Verdict) -> Verdict {
    match verdict {
        Verdict::Says(truth) => Verdict::Says(truth.negate()),
        Verdict::NotApplicable => Verdict::NotApplicable,
    }
}

/// A rule carries a case on either side.
fn both_sides(desk: &mut Desk<'_>, rule: &Rule<'_>) {
    let has = |truth| rule.cases.list.iter().any(|case| case.expected == Verdict::Says(truth));
    let lacking = match (has(Truth::True), has(Truth::False)) {
        (true, true) => return,
        (false, false) => "a case on either side",
        (false, true) => "a case in which it is true",
        (true, false) => "a case in which it is false",
    };
    let message = format!("{} lacks {lacking}", rule.name);
    desk.error(
        "cases",
        &rule.place,
        message,
        Some("add one to `cases`, at the limit where there is one".into()),
    );
}

/// Warns of changes that no case notices; of a number's only where no sign has been reported, for they are one gap.
fn unnoticed(desk: &mut Desk<'_>, placed: &Placed, living: Vec<Mutant>) {
    let is_number = |mutant: &Mutant| mutant.was.parse::<terms::Decimal>().is_ok();
    let signs = living.iter().any(|mutant| !is_number(mutant));
    for Mutant { at, was, becomes, .. } in living.iter().filter(|mutant| !signs || !is_number(mutant)) {
        let place = placed.place.part(at.0, at.1);
        let help = match was.as_str() {
            "&&" | "||" => "add a case in which one side holds and the other does not".to_owned(),
            "<" | "<=" | ">" | ">=" => "add a case in which both sides are equal".to_owned(),
            "==" | "!=" => "add a case on either side".to_owned(),
            _ => format!("add a case between {was} and {becomes}, or at {was}"),
        };
        desk.warn(
            "unnoticed",
            &place,
            format!("no case would notice if `{was}` were `{becomes}`"),
            Some(help),
        );
    }
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Input::Item(reference) => write!(f, "{reference}"),
            Input::Limit(reference, upper) => {
                write!(f, "{}({reference})", if *upper { "uln" } else { "lln" })
            }
            Input::Variable(name) => f.write_str(name),
            Input::Parameter(parameter, visit) => write!(f, "value('{parameter}', '{visit}')"),
            Input::Today => f.write_str("today"),
        }
    }
}

impl fmt::Display for ItemRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = format!("{}.{}", self.form, self.item);
        match &self.when {
            When::Here => f.write_str(&name),
            When::At(visit) => write!(f, "at('{visit}', {name})"),
            When::Previous => write!(f, "previous({name})"),
            When::Baseline => write!(f, "baseline({name})"),
            When::Latest => write!(f, "latest({name})"),
        }
    }
}
