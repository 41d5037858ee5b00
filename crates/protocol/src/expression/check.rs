//! From syntax to typed terms: every name is resolved, every operand typed, every unit compared.
//!
//! All that is wrong in an expression is found in one walk. Nothing is coerced silently; the
//! one conversion is of codes that are numbers, where they are compared with a number.

use std::{collections::BTreeMap, sync::Arc};

use cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue, operators as op};
use terms::Decimal;

use super::{Comparison, Extent, Input, ItemRef, Operation, Term, When, parse, parse::Syntax};
use crate::{names::suggest, shape::Kind};

/// The unit of a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// A bare number in the text, or a product of units: goes with any.
    Any,
    /// A unit, or `1` for none.
    Of(String),
}

/// The codes that a value can be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Codes {
    /// What such a code is (a code of a list, an arm, a site).
    pub(crate) kind: Kind,
    /// The list's name, for messages.
    pub(crate) list: String,
    /// The codes, if the list is closed.
    pub(crate) among: Option<Arc<Vec<String>>>,
}

impl Codes {
    fn numeric(&self) -> bool {
        self.among.as_ref().is_some_and(|codes| codes.iter().all(|code| code.parse::<i64>().is_ok()))
    }
}

/// What a term holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    Number(Unit),
    Flag,
    Code(Codes),
    Date,
    Text,
    /// Words written in the expression itself, each with its place.
    Words(Vec<(String, Extent)>),
}

impl Type {
    /// Returns what such a value is called.
    pub(crate) fn noun(&self) -> String {
        match self {
            Type::Number(Unit::Of(unit)) if unit != "1" => format!("a number in `{unit}`"),
            Type::Number(_) => "a number".into(),
            Type::Flag => "yes or no".into(),
            Type::Code(codes) => format!("a code of `{}`", codes.list),
            Type::Date => "a date".into(),
            Type::Text | Type::Words(_) => "text".into(),
        }
    }
}

/// What is known of an item.
#[derive(Clone, Debug)]
pub(crate) struct ItemFacts {
    pub(crate) kind: Type,
    /// Whether a laboratory's limits of normal belong to it.
    pub(crate) has_limits: bool,
    pub(crate) minimum: Option<Decimal>,
    pub(crate) maximum: Option<Decimal>,
    /// Digits behind the point; 0 for whole numbers.
    pub(crate) decimals: u32,
}

/// Who evaluates an expression, and so what it may read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reads {
    /// A casebook at a visit.
    Casebook,
    /// A participant's whole casebook, beside the built-in variables (plan variables).
    Plan,
    /// A row of the subject-level data set: variables and parameters by visit.
    Subjects,
    /// A row of the data set of adverse events: its columns.
    Events,
}

/// What names mean to an expression.
#[derive(Clone, Copy)]
pub(crate) struct Environment<'a> {
    pub(crate) items: &'a BTreeMap<String, ItemFacts>,
    /// The form whose items need no prefix.
    pub(crate) own_form: Option<&'a str>,
    pub(crate) forms: &'a [String],
    pub(crate) visits: &'a [String],
    pub(crate) parameters: &'a BTreeMap<String, Unit>,
    pub(crate) variables: &'a BTreeMap<String, Type>,
    pub(crate) reads: Reads,
}

impl Environment<'_> {
    /// Whether only variables can be read.
    fn rows_only(&self) -> bool {
        matches!(self.reads, Reads::Subjects | Reads::Events)
    }
}

/// Something wrong in an expression.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) at: Extent,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

/// What checking an expression found.
#[derive(Debug)]
pub(crate) struct Checked {
    /// The typed form, if nothing is wrong.
    pub(crate) term: Option<(Term, Type)>,
    pub(crate) problems: Vec<Problem>,
    /// Names that were resolved.
    pub(crate) references: Vec<(Extent, Kind, String)>,
}

/// The functions of the language: name, and how it is called.
pub(crate) const FUNCTIONS: &[(&str, &str)] = &[
    ("at", "at('M0', form.item)"),
    ("previous", "previous(form.item)"),
    ("baseline", "baseline(form.item)"),
    ("latest", "latest(form.item)"),
    ("change", "change(form.item, 'previous visit')"),
    ("missing", "missing(form.item)"),
    ("present", "present(form.item)"),
    ("has", "has(form.item)"),
    ("uln", "uln(form.item)"),
    ("lln", "lln(form.item)"),
    ("days_between", "days_between(from, to)"),
    ("months_between", "months_between(from, to)"),
    ("abs", "abs(x)"),
    ("min", "min(x, y)"),
    ("max", "max(x, y)"),
    ("round", "round(x, 1)"),
    ("date", "date('2008-03-10')"),
    ("value", "value('MRSS', 'M6')"),
    ("has_value", "has_value('MRSS', 'M6')"),
    ("change_of", "change_of('MRSS', 'M6')"),
    ("has_post_baseline", "has_post_baseline('MRSS')"),
];

/// Nesting deeper than this is refused, so that evaluation stays within any stack.
const DEPTH_MAX: usize = 120;

/// Checks an expression's text.
pub(crate) fn check(text: &str, environment: &Environment<'_>) -> Checked {
    let syntax = match parse(text) {
        Ok(syntax) => syntax,
        Err(error) => {
            let problem = Problem { at: error.at, code: "syntax", message: error.message, help: error.help };
            return Checked { term: None, problems: vec![problem], references: Vec::new() };
        }
    };
    let mut checker = Checker {
        text,
        syntax: &syntax,
        environment,
        problems: Vec::new(),
        references: Vec::new(),
        depth: 0,
    };
    let term = checker.term(&syntax.root);
    let (problems, references) = (checker.problems, checker.references);
    Checked { term: term.filter(|_| problems.is_empty()), problems, references }
}

struct Checker<'a> {
    text: &'a str,
    syntax: &'a Syntax<'a>,
    environment: &'a Environment<'a>,
    problems: Vec<Problem>,
    references: Vec<(Extent, Kind, String)>,
    depth: usize,
}

type Typed = Option<(Term, Type)>;

impl Checker<'_> {
    fn problem<T>(
        &mut self,
        at: Extent,
        code: &'static str,
        message: String,
        help: Option<String>,
    ) -> Option<T> {
        self.problems.push(Problem { at, code, message, help });
        None
    }

    fn term(&mut self, node: &IdedExpr) -> Typed {
        self.depth += 1;
        let typed = if self.depth > DEPTH_MAX {
            self.problem(
                self.syntax.token(node),
                "syntax",
                "the expression is nested too deeply".into(),
                Some("split the rule".into()),
            )
        } else {
            self.term_inner(node)
        };
        self.depth -= 1;
        typed
    }

    fn term_inner(&mut self, node: &IdedExpr) -> Typed {
        match &node.expr {
            Expr::Literal(literal) => self.literal(node, literal),
            Expr::Ident(_) => self.name(node),
            Expr::Select(select) if select.test => {
                let (segments, extent) = self.segments(node)?;
                let (term, _) = self.resolve(&segments, extent)?;
                Some((Term::Not(Box::new(Term::Missing(Box::new(term)))), Type::Flag))
            }
            Expr::Select(_) => self.name(node),
            Expr::Call(call) => self.call(node, call),
            _ => {
                let at = self.extent(node);
                let help =
                    "use comparisons, `&&`, `||`, `!`, `in [..]`, `? :` and the functions of the language";
                self.problem(
                    at,
                    "syntax",
                    "this has no place in the study language".into(),
                    Some(help.into()),
                )
            }
        }
    }

    fn literal(&mut self, node: &IdedExpr, literal: &LiteralValue) -> Typed {
        let at = self.syntax.token(node);
        let number = |text: &str| -> Option<Decimal> {
            text.parse().ok().or_else(|| Decimal::from_scientific(text).ok())
        };
        match literal {
            LiteralValue::Boolean(flag) => Some((Term::Flag(*flag.inner()), Type::Flag)),
            LiteralValue::String(text) => {
                let word = text.inner().to_owned();
                let inside = (at.0 + 1, (at.1.max(at.0 + 2)) - 1);
                Some((Term::Word(word.clone()), Type::Words(vec![(word, inside)])))
            }
            LiteralValue::Int(_) | LiteralValue::Double(_) => {
                let written = self.text.get(at.0..at.1).unwrap_or_default();
                let negative = match literal {
                    LiteralValue::Int(whole) => *whole.inner() < 0,
                    LiteralValue::Double(number) => *number.inner() < 0.0,
                    _ => false,
                };
                let Some(value) = number(written.trim_start_matches('-')) else {
                    return self.problem(at, "type", format!("`{written}` is not a decimal number"), None);
                };
                let value = if negative { -value } else { value };
                Some((Term::Number(value, at), Type::Number(Unit::Any)))
            }
            _ => self.problem(at, "type", "such a literal has no place in the study language".into(), None),
        }
    }

    /// Returns a dotted name's segments and where they stand.
    fn segments(&mut self, node: &IdedExpr) -> Option<(Vec<String>, Extent)> {
        match &node.expr {
            Expr::Ident(name) => {
                let start = self.syntax.token(node).0;
                Some((vec![name.clone()], (start, start + name.len())))
            }
            Expr::Select(select) => {
                let (mut segments, (start, end)) = self.segments(&select.operand)?;
                let rest = self.text.get(end..).unwrap_or_default();
                let field = rest.find(select.field.as_str()).map_or(end, |offset| end + offset);
                segments.push(select.field.clone());
                Some((segments, (start, field + select.field.len())))
            }
            _ => {
                let at = self.extent(node);
                self.problem(
                    at,
                    "type",
                    "an item's name is needed here".into(),
                    Some("write `form.item`".into()),
                )
            }
        }
    }

    fn name(&mut self, node: &IdedExpr) -> Typed {
        let (segments, extent) = self.segments(node)?;
        self.resolve(&segments, extent)
    }

    /// Resolves a variable or an item at the visit in hand.
    fn resolve(&mut self, segments: &[String], at: Extent) -> Typed {
        let name = segments.join(".");
        if name == "today" {
            return Some((Term::Input(Input::Today), Type::Date));
        }
        if let Some(kind) = self.environment.variables.get(&name) {
            self.references.push((at, Kind::Variable, name.clone()));
            return Some((Term::Input(Input::Variable(name)), kind.clone()));
        }
        let (reference, kind) = self.item(segments, at)?;
        if self.environment.reads == Reads::Plan {
            let help = format!("write `latest({name})`, `baseline({name})` or `at('M0', {name})`");
            return self.problem(at, "occurrence", format!("which value of `{name}` is meant?"), Some(help));
        }
        Some((Term::Input(Input::Item(reference)), kind))
    }

    fn item(&mut self, segments: &[String], at: Extent) -> Option<(ItemRef, Type)> {
        let environment = self.environment;
        let name = segments.join(".");
        let qualified = match (segments, environment.own_form) {
            ([item], Some(form)) if environment.items.contains_key(&format!("{form}.{item}")) => {
                format!("{form}.{item}")
            }
            _ => name.clone(),
        };
        if environment.rows_only() || !environment.items.contains_key(&qualified) {
            return self.unknown(&name, segments, at);
        }
        self.references.push((at, Kind::Item, name));
        let facts = &environment.items[&qualified];
        let (form, item) = qualified.split_once('.').unwrap_or_default();
        Some((ItemRef { form: form.into(), item: item.into(), when: When::Here }, facts.kind.clone()))
    }

    fn unknown<T>(&mut self, name: &str, segments: &[String], at: Extent) -> Option<T> {
        let environment = self.environment;
        if environment.rows_only() && environment.items.contains_key(name) {
            let help = format!("define a variable: `[variables.…]` with `value = \"latest({name})\"`");
            return self.problem(
                at,
                "type",
                format!("`{name}` is an item, and a row of the data set has variables only"),
                Some(help),
            );
        }
        if segments.len() == 1 && environment.forms.iter().any(|form| form == name) {
            let prefix = format!("{name}.");
            let items: Vec<&str> =
                environment.items.keys().filter_map(|key| key.strip_prefix(&prefix)).collect();
            let help = items.first().map(|item| format!("name one of its items, such as `{name}.{item}`"));
            return self.problem(at, "unknown-name", format!("`{name}` is a form, not an item"), help);
        }
        let own: Vec<&str> = match environment.own_form {
            Some(form) if segments.len() == 1 => {
                environment.items.keys().filter_map(|key| key.strip_prefix(form)?.strip_prefix('.')).collect()
            }
            _ => Vec::new(),
        };
        let items = environment.items.keys().map(String::as_str).filter(|_| !environment.rows_only());
        let variables = environment.variables.keys().map(String::as_str);
        let help = suggest(name, items.chain(variables).chain(own).chain(["today"]));
        let message = if segments.len() == 1 {
            format!("`{name}` is neither a variable nor an item here")
        } else {
            format!("`{name}` is not collected by any form")
        };
        self.problem(at, "unknown-name", message, help)
    }

    fn call(&mut self, node: &IdedExpr, call: &CallExpr) -> Typed {
        if let Some(target) = &call.target {
            let at = self.extent(target);
            let help = format!("write `{}(x, …)`", call.func_name);
            return self.problem(
                at,
                "syntax",
                format!("`.{}(…)` is not how functions are called here", call.func_name),
                Some(help),
            );
        }
        let sign = self.syntax.token(node);
        match (call.func_name.as_str(), call.args.as_slice()) {
            (op::LOGICAL_AND, [left, right]) => {
                let (left, right) = self.both(left, right, Self::condition);
                Some((Term::And(Box::new(left?), Box::new(right?), sign), Type::Flag))
            }
            (op::LOGICAL_OR, [left, right]) => {
                let (left, right) = self.both(left, right, Self::condition);
                Some((Term::Or(Box::new(left?), Box::new(right?), sign), Type::Flag))
            }
            (op::LOGICAL_NOT, [inner]) => Some((Term::Not(Box::new(self.condition(inner)?)), Type::Flag)),
            (op::NEGATE, [inner]) => {
                let (inner, unit) = self.number(inner)?;
                Some((Term::Negate(Box::new(inner)), Type::Number(unit)))
            }
            (op::CONDITIONAL, [condition, then, otherwise]) => self.choose(condition, then, otherwise),
            (op::IN, [value, list]) => self.one_of(value, list),
            (op::ADD, [a, b]) => self.arithmetic(Operation::Add, a, b, sign),
            (op::SUBSTRACT, [a, b]) => self.arithmetic(Operation::Subtract, a, b, sign),
            (op::MULTIPLY, [a, b]) => self.arithmetic(Operation::Multiply, a, b, sign),
            (op::DIVIDE, [a, b]) => self.arithmetic(Operation::Divide, a, b, sign),
            (op::LESS, [a, b]) => self.comparison(Comparison::Less, a, b, sign),
            (op::LESS_EQUALS, [a, b]) => self.comparison(Comparison::AtMost, a, b, sign),
            (op::GREATER, [a, b]) => self.comparison(Comparison::Greater, a, b, sign),
            (op::GREATER_EQUALS, [a, b]) => self.comparison(Comparison::AtLeast, a, b, sign),
            (op::EQUALS, [a, b]) => self.comparison(Comparison::Equal, a, b, sign),
            (op::NOT_EQUALS, [a, b]) => self.comparison(Comparison::Unequal, a, b, sign),
            (name, _) if name.starts_with(|c: char| c.is_alphabetic()) => self.function(node, call),
            _ => {
                self.problem(sign, "syntax", "this operator has no place in the study language".into(), None)
            }
        }
    }

    /// Checks two operands, so that both sides' faults are found.
    fn both<T>(
        &mut self,
        left: &IdedExpr,
        right: &IdedExpr,
        check: fn(&mut Self, &IdedExpr) -> Option<T>,
    ) -> (Option<T>, Option<T>) {
        let left = check(self, left);
        (left, check(self, right))
    }

    fn condition(&mut self, node: &IdedExpr) -> Option<Term> {
        let (term, kind) = self.term(node)?;
        if kind == Type::Flag {
            return Some(term);
        }
        let at = self.extent(node);
        let help = match &term {
            Term::Input(_) => Some("compare it with something".to_owned()),
            _ => None,
        };
        self.problem(at, "type", format!("a condition is needed here, and this is {}", kind.noun()), help)
    }

    fn number(&mut self, node: &IdedExpr) -> Option<(Term, Unit)> {
        let (term, kind) = self.term(node)?;
        match kind {
            Type::Number(unit) => Some((term, unit)),
            Type::Code(codes) if codes.numeric() => Some((Term::CodeNumber(Box::new(term)), Unit::Any)),
            other => {
                let at = self.extent(node);
                let help = (other == Type::Date)
                    .then(|| "count with `days_between(a, b)` or `months_between(a, b)`".to_owned());
                self.problem(
                    at,
                    "type",
                    format!("a number is needed here, and this is {}", other.noun()),
                    help,
                )
            }
        }
    }

    fn date(&mut self, node: &IdedExpr) -> Option<Term> {
        let (term, kind) = self.term(node)?;
        match kind {
            Type::Date => Some(term),
            Type::Words(words) => self.date_word(&words),
            other => {
                let at = self.extent(node);
                self.problem(at, "type", format!("a date is needed here, and this is {}", other.noun()), None)
            }
        }
    }

    fn date_word(&mut self, words: &[(String, Extent)]) -> Option<Term> {
        let (word, at) = words.first()?;
        match word.parse() {
            Ok(date) if words.len() == 1 => Some(Term::Date(date)),
            _ => self.problem(
                *at,
                "type",
                format!("`{word}` is not a date"),
                Some("write `'2008-03-10'`".into()),
            ),
        }
    }

    fn choose(&mut self, condition: &IdedExpr, then: &IdedExpr, otherwise: &IdedExpr) -> Typed {
        let condition = self.condition(condition);
        let at = self.extent(otherwise);
        let (then, otherwise) = self.both(then, otherwise, Self::term);
        let ((then, then_kind), (otherwise, other_kind)) = (then?, otherwise?);
        let kind = match (then_kind, other_kind) {
            (Type::Number(a), Type::Number(b)) => match join(&a, &b) {
                Some(unit) => Type::Number(unit),
                None => return self.units(at, &a, &b),
            },
            (Type::Words(mut a), Type::Words(b)) => {
                a.extend(b);
                Type::Words(a)
            }
            (a, b) if a == b => a,
            (a, b) => {
                return self.problem(
                    at,
                    "type",
                    format!("one branch is {}, the other {}", a.noun(), b.noun()),
                    None,
                );
            }
        };
        Some((Term::Choose(Box::new(condition?), Box::new(then), Box::new(otherwise)), kind))
    }

    fn one_of(&mut self, value: &IdedExpr, list: &IdedExpr) -> Typed {
        let value = self.term(value);
        let Expr::List(items) = &list.expr else {
            let at = self.extent(list);
            return self.problem(
                at,
                "syntax",
                "`in` needs a list".into(),
                Some("write `x in ['a', 'b']`".into()),
            );
        };
        let elements: Vec<Typed> = items.elements.iter().map(|element| self.term(element)).collect();
        let (value, kind) = value?;
        let mut among = Vec::new();
        let mut as_number = false;
        for (element, node) in elements.into_iter().zip(&items.elements) {
            let at = self.extent(node);
            let (term, element_kind) = element?;
            let (left, term) =
                self.comparable(Comparison::Equal, (value.clone(), kind.clone()), (term, element_kind), at)?;
            as_number |= matches!(left, Term::CodeNumber(_));
            among.push(term);
        }
        let value = if as_number { Term::CodeNumber(Box::new(value)) } else { value };
        Some((Term::OneOf(Box::new(value), among), Type::Flag))
    }

    fn arithmetic(&mut self, operation: Operation, a: &IdedExpr, b: &IdedExpr, sign: Extent) -> Typed {
        let (a, b) = self.both(a, b, Self::number);
        let ((a, unit_a), (b, unit_b)) = (a?, b?);
        let unit = match operation {
            Operation::Add | Operation::Subtract => match join(&unit_a, &unit_b) {
                Some(unit) => unit,
                None => return self.units(sign, &unit_a, &unit_b),
            },
            Operation::Multiply => product(&a, &unit_a, &b, &unit_b),
            Operation::Divide => match (&unit_a, &unit_b) {
                (Unit::Of(x), Unit::Of(y)) if x == y => Unit::Of("1".into()),
                (unit, Unit::Of(y)) if y == "1" => unit.clone(),
                (unit, Unit::Any) if matches!(b, Term::Number(..)) => unit.clone(),
                _ => Unit::Any,
            },
        };
        Some((Term::Arithmetic(operation, Box::new(a), Box::new(b)), Type::Number(unit)))
    }

    fn units<T>(&mut self, at: Extent, a: &Unit, b: &Unit) -> Option<T> {
        let name = |unit: &Unit| match unit {
            Unit::Of(unit) if unit == "1" => "no unit".to_owned(),
            Unit::Of(unit) => unit.clone(),
            Unit::Any => "any unit".to_owned(),
        };
        let message = format!("the two sides have different units: {} and {}", name(a), name(b));
        self.problem(
            at,
            "unit",
            message,
            Some("convert one of them, such as `x / 1000 …`, or name the item that was meant".into()),
        )
    }

    fn comparison(&mut self, comparison: Comparison, a: &IdedExpr, b: &IdedExpr, sign: Extent) -> Typed {
        let (a, b) = self.both(a, b, Self::term);
        let (a, b) = self.comparable(comparison, a?, b?, sign)?;
        Some((Term::Compare(comparison, Box::new(a), Box::new(b), sign), Type::Flag))
    }

    /// Makes two sides comparable, or says why they aren't.
    fn comparable(
        &mut self,
        comparison: Comparison,
        a: (Term, Type),
        b: (Term, Type),
        sign: Extent,
    ) -> Option<(Term, Term)> {
        let equality = matches!(comparison, Comparison::Equal | Comparison::Unequal);
        match (a, b) {
            ((a, Type::Number(x)), (b, Type::Number(y))) => match join(&x, &y) {
                Some(_) => Some((a, b)),
                None => self.units(sign, &x, &y),
            },
            ((a, Type::Date), (b, Type::Date)) => Some((a, b)),
            ((a, Type::Date), (_, Type::Words(words))) => Some((a, self.date_word(&words)?)),
            ((_, Type::Words(words)), (b, Type::Date)) => Some((self.date_word(&words)?, b)),
            ((a, Type::Code(codes)), (b, Type::Number(_))) if codes.numeric() => {
                Some((Term::CodeNumber(Box::new(a)), b))
            }
            ((a, Type::Number(_)), (b, Type::Code(codes))) if codes.numeric() => {
                Some((a, Term::CodeNumber(Box::new(b))))
            }
            ((a, Type::Code(codes)), (b, Type::Code(other)))
                if codes.numeric() && other.numeric() && !equality =>
            {
                Some((Term::CodeNumber(Box::new(a)), Term::CodeNumber(Box::new(b))))
            }
            ((a, Type::Code(codes)), (b, Type::Words(words)))
            | ((b, Type::Words(words)), (a, Type::Code(codes)))
                if equality =>
            {
                self.codes(&codes, &words);
                Some((a, b))
            }
            ((a, Type::Code(codes)), (b, Type::Code(other))) if equality && codes.list == other.list => {
                Some((a, b))
            }
            ((a, Type::Flag), (b, Type::Flag)) if equality => Some((a, b)),
            ((a, Type::Text | Type::Words(_)), (b, Type::Text | Type::Words(_))) if equality => Some((a, b)),
            ((_, x), (_, y)) => {
                let message = if x.noun() == y.noun() && !equality {
                    format!("`{}` can't order two of these: both are {}", comparison.sign(), x.noun())
                } else {
                    format!("{} can't be compared with {} by `{}`", x.noun(), y.noun(), comparison.sign())
                };
                let help = match (&x, &y) {
                    (Type::Code(codes), _) | (_, Type::Code(codes)) => codes
                        .among
                        .as_ref()
                        .and_then(|among| among.first())
                        .map(|code| format!("compare it with a code, such as `== '{code}'`")),
                    (Type::Flag, _) | (_, Type::Flag) => Some("compare it with `true` or `false`".into()),
                    _ => None,
                };
                self.problem(sign, "type", message, help)
            }
        }
    }

    /// Says which of the words are no codes of the list.
    fn codes(&mut self, codes: &Codes, words: &[(String, Extent)]) {
        let Some(among) = &codes.among else { return };
        for (word, at) in words {
            if among.contains(word) {
                self.references.push((*at, codes.kind, word.clone()));
            } else {
                let help = suggest(word, among.iter().map(String::as_str));
                let message = format!("`{word}` is not a code of `{}`", codes.list);
                self.problem::<()>(*at, "unknown-name", message, help);
            }
        }
    }

    /// Returns where a function's name stands.
    fn function_name(&self, node: &IdedExpr, name: &str) -> Extent {
        let (paren, _) = self.syntax.token(node);
        let before = self.text.get(..paren).unwrap_or_default().trim_end();
        let end = before.len();
        (end.saturating_sub(name.len()), end)
    }

    fn function(&mut self, node: &IdedExpr, call: &CallExpr) -> Typed {
        let name = call.func_name.as_str();
        let at = self.function_name(node, name);
        if FUNCTIONS.iter().any(|(known, _)| *known == name) {
            self.references.push((at, Kind::Function, name.to_owned()));
        }
        match (name, call.args.as_slice()) {
            ("previous", [item]) => self.occurrence(item, When::Previous, at),
            ("baseline", [item]) => self.occurrence(item, When::Baseline, at),
            ("latest", [item]) => self.occurrence(item, When::Latest, at),
            ("at", [visit, item]) => {
                let visit = self.named(visit, Kind::Visit);
                self.occurrence(item, When::At(visit?.as_str().into()), at)
            }
            ("change", [item, since]) => self.change(item, since, at),
            ("missing" | "present", [inner]) => {
                let (term, _) = self.term(inner)?;
                let missing = Term::Missing(Box::new(term));
                Some((if name == "missing" { missing } else { Term::Not(Box::new(missing)) }, Type::Flag))
            }
            ("uln" | "lln", [item]) => self.limit(item, name == "uln"),
            ("days_between" | "months_between", [from, to]) => {
                let (from, to) = self.both(from, to, Self::date);
                let (from, to) = (Box::new(from?), Box::new(to?));
                if name == "days_between" {
                    Some((Term::DaysBetween(from, to), Type::Number(Unit::Of("d".into()))))
                } else {
                    Some((Term::MonthsBetween(from, to), Type::Number(Unit::Of("mo".into()))))
                }
            }
            ("abs", [inner]) => {
                let (term, unit) = self.number(inner)?;
                Some((Term::Absolute(Box::new(term)), Type::Number(unit)))
            }
            ("min" | "max", [_, _, ..]) => self.extreme(name == "min", &call.args, at),
            ("round", [inner]) => self.round(inner, None, at),
            ("round", [inner, digits]) => self.round(inner, Some(digits), at),
            ("date", [text]) => Some((self.date(text)?, Type::Date)),
            ("value" | "has_value" | "change_of", [parameter, visit]) => {
                self.parameter(name, parameter, visit, at)
            }
            ("has_post_baseline", [parameter]) => {
                self.needs_plan(at, name)?;
                let stem = self.named(parameter, Kind::Parameter)?.to_lowercase();
                let count = Term::Input(Input::Variable(format!("{stem}_postbaseline")));
                let none = Term::Number(Decimal::ZERO, at);
                Some((Term::Compare(Comparison::Greater, Box::new(count), Box::new(none), at), Type::Flag))
            }
            _ => match FUNCTIONS.iter().find(|(known, _)| *known == name) {
                Some((_, usage)) => {
                    let message = format!("`{name}` can't be called with {} argument(s)", call.args.len());
                    self.problem(at, "type", message, Some(format!("write `{usage}`")))
                }
                None => {
                    let help = suggest(name, FUNCTIONS.iter().map(|(known, _)| *known));
                    self.problem(at, "unknown-name", format!("there is no function `{name}`"), help)
                }
            },
        }
    }

    /// Returns the word of a literal that names a visit or a parameter.
    fn named(&mut self, node: &IdedExpr, kind: Kind) -> Option<String> {
        let Some((_, Type::Words(words))) = self.term(node) else {
            let at = self.extent(node);
            return self.problem(
                at,
                "type",
                format!("the name of a {} is needed here, in quotes", kind.noun()),
                None,
            );
        };
        let (word, at) = words.into_iter().next()?;
        let environment = self.environment;
        let known: Vec<&str> = match kind {
            Kind::Visit => environment.visits.iter().map(String::as_str).collect(),
            _ => environment.parameters.keys().map(String::as_str).collect(),
        };
        if known.contains(&word.as_str()) {
            self.references.push((at, kind, word.clone()));
            return Some(word);
        }
        let help = suggest(&word, known.into_iter());
        self.problem(at, "unknown-name", format!("there is no {} `{word}`", kind.noun()), help)
    }

    fn occurrence(&mut self, node: &IdedExpr, when: When, at: Extent) -> Typed {
        let (segments, extent) = self.segments(node)?;
        if self.environment.reads == Reads::Plan && when == When::Previous {
            let help = "write `latest(…)`, `baseline(…)` or `at('M0', …)`".to_owned();
            return self.problem(
                at,
                "occurrence",
                "a plan variable is not evaluated at a visit, so nothing is previous".into(),
                Some(help),
            );
        }
        let (reference, kind) = self.item(&segments, extent)?;
        Some((Term::Input(Input::Item(ItemRef { when, ..reference })), kind))
    }

    fn change(&mut self, item: &IdedExpr, since: &IdedExpr, at: Extent) -> Typed {
        let (segments, extent) = self.segments(item)?;
        let now = self.resolve(&segments, extent);
        let Some((_, Type::Words(words))) = self.term(since) else {
            let at = self.extent(since);
            return self.problem(
                at,
                "type",
                "since when?".into(),
                Some("write `'previous visit'`, `'baseline'` or a visit's name in quotes".into()),
            );
        };
        let (now, kind) = now?;
        let (word, word_at) = words.first()?;
        let when = match word.as_str() {
            "previous visit" => When::Previous,
            "baseline" => When::Baseline,
            visit if self.environment.visits.iter().any(|known| known == visit) => {
                self.references.push((*word_at, Kind::Visit, word.clone()));
                When::At(visit.into())
            }
            other => {
                let known =
                    self.environment.visits.iter().map(String::as_str).chain(["previous visit", "baseline"]);
                let help = suggest(other, known);
                return self.problem(*word_at, "unknown-name", format!("there is no visit `{other}`"), help);
            }
        };
        let (Type::Number(_), Term::Input(Input::Item(reference))) = (&kind, &now) else {
            return self.problem(
                at,
                "type",
                format!("a change is of a number, and this is {}", kind.noun()),
                None,
            );
        };
        let then = Term::Input(Input::Item(ItemRef { when, ..reference.clone() }));
        Some((Term::Arithmetic(Operation::Subtract, Box::new(now), Box::new(then)), kind))
    }

    fn limit(&mut self, node: &IdedExpr, upper: bool) -> Typed {
        let at = self.extent(node);
        let (term, kind) = match &node.expr {
            Expr::Call(_) => self.term(node)?,
            _ => self.name(node)?,
        };
        let Term::Input(Input::Item(reference)) = term else {
            return self.problem(
                at,
                "type",
                "limits of normal belong to an item of a laboratory form".into(),
                None,
            );
        };
        let name = format!("{}.{}", reference.form, reference.item);
        let Some(facts) = self.environment.items.get(&name).filter(|facts| facts.has_limits) else {
            let help =
                "give its form `purpose = \"laboratory\"` and its item a range in laboratory.toml".to_owned();
            return self.problem(
                at,
                "unknown-name",
                format!("no laboratory gives limits of normal for `{name}`"),
                Some(help),
            );
        };
        debug_assert_eq!(facts.kind, kind);
        Some((Term::Input(Input::Limit(reference, upper)), kind))
    }

    fn extreme(&mut self, least: bool, nodes: &[IdedExpr], at: Extent) -> Typed {
        let numbers: Vec<Option<(Term, Unit)>> = nodes.iter().map(|node| self.number(node)).collect();
        let mut unit = Unit::Any;
        let mut all = Vec::new();
        for number in numbers {
            let (term, own) = number?;
            let Some(joined) = join(&unit, &own) else { return self.units(at, &unit, &own) };
            unit = joined;
            all.push(term);
        }
        Some((if least { Term::Least(all) } else { Term::Greatest(all) }, Type::Number(unit)))
    }

    fn round(&mut self, node: &IdedExpr, digits: Option<&IdedExpr>, at: Extent) -> Typed {
        let (term, unit) = self.number(node)?;
        let digits = match digits.map(|digits| self.term(digits)) {
            None => Some(0),
            Some(Some((Term::Number(number, _), _))) => {
                u32::try_from(number).ok().filter(|digits| *digits <= 12)
            }
            Some(_) => None,
        };
        match digits {
            Some(digits) => Some((Term::Round(Box::new(term), digits), Type::Number(unit))),
            None => self.problem(
                at,
                "type",
                "the digits to round to are a whole number from 0 to 12".into(),
                Some("write `round(x, 1)`".into()),
            ),
        }
    }

    fn needs_plan(&mut self, at: Extent, name: &str) -> Option<()> {
        match self.environment.reads {
            Reads::Plan | Reads::Subjects => Some(()),
            Reads::Casebook => {
                let message = format!("`{name}` reads the data sets, which exist only in the plan");
                self.problem(at, "type", message, Some("write `at('M6', form.item)`".to_owned()))
            }
            Reads::Events => {
                let message = format!("`{name}` is of a participant, and this is about one event");
                self.problem(at, "type", message, Some("use `only` for participants".to_owned()))
            }
        }
    }

    fn parameter(&mut self, name: &str, parameter: &IdedExpr, visit: &IdedExpr, at: Extent) -> Typed {
        self.needs_plan(at, name)?;
        let parameter = self.named(parameter, Kind::Parameter);
        let visit = self.named(visit, Kind::Visit);
        let (parameter, visit) = (parameter?, visit?);
        let unit = self.environment.parameters.get(&parameter).cloned().unwrap_or(Unit::Any);
        let stem = parameter.to_lowercase();
        let value = Term::Input(Input::Parameter(parameter.as_str().into(), visit.as_str().into()));
        Some(match name {
            "has_value" => (Term::Not(Box::new(Term::Missing(Box::new(value)))), Type::Flag),
            "change_of" => {
                let baseline = Term::Input(Input::Variable(format!("{stem}_baseline")));
                (
                    Term::Arithmetic(Operation::Subtract, Box::new(value), Box::new(baseline)),
                    Type::Number(unit),
                )
            }
            _ => (value, Type::Number(unit)),
        })
    }

    /// Returns the bytes that a node spans, as nearly as its tokens tell.
    fn extent(&mut self, node: &IdedExpr) -> Extent {
        let own = self.syntax.token(node);
        let children: Vec<&IdedExpr> = match &node.expr {
            Expr::Call(call) => call.target.iter().map(|target| &**target).chain(&call.args).collect(),
            Expr::Select(select) => vec![&select.operand],
            Expr::List(list) => list.elements.iter().collect(),
            _ => Vec::new(),
        };
        let mut extent = match &node.expr {
            Expr::Call(call) if call.func_name.starts_with(|c: char| c.is_alphabetic()) => {
                self.function_name(node, &call.func_name)
            }
            Expr::Select(select) => (own.0, own.1 + select.field.len()),
            _ => own,
        };
        for child in children {
            let inner = self.extent(child);
            extent = (extent.0.min(inner.0), extent.1.max(inner.1));
        }
        (extent.0, extent.1.min(self.text.len()))
    }
}

/// Returns the common unit of two numbers that are added or compared, if they have one.
pub(crate) fn join(a: &Unit, b: &Unit) -> Option<Unit> {
    match (a, b) {
        (Unit::Any, other) | (other, Unit::Any) => Some(other.clone()),
        (Unit::Of(x), Unit::Of(y)) => (x == y).then(|| a.clone()),
    }
}

fn product(a: &Term, unit_a: &Unit, b: &Term, unit_b: &Unit) -> Unit {
    let plain = |unit: &Unit, term: &Term| *unit == Unit::Of("1".into()) || matches!(term, Term::Number(..));
    if plain(unit_a, a) {
        unit_b.clone()
    } else if plain(unit_b, b) {
        unit_a.clone()
    } else {
        Unit::Any
    }
}
