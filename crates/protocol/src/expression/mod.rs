//! Expressions of the study language: the grammar of Common Expression Language,
//! resolved and type-checked by the compiler, evaluated with Kleene's logic.
//!
//! A missing input that matters makes the answer unknown; it is never taken as zero or
//! false. Numbers are decimal. An expression reads only what its [`Scope`] gives; it has
//! no clock and no effect.

mod check;
mod evaluate;
mod mutate;
mod parse;
mod possible;
#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, sync::Arc};

use serde::Serialize;
use terms::{Answer, Date, Decimal, FormId, ItemId, ParameterId, PartialDate, Truth, Value, VisitId};

pub(crate) use check::{Codes, Environment, ItemFacts, Reads, Type, Unit, check, join};
pub(crate) use mutate::{Mutant, mutants};
pub(crate) use parse::parse;
pub(crate) use possible::{Domain, possible};

/// An item somewhere in a participant's casebook.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ItemRef {
    /// The form.
    pub form: FormId,
    /// The item.
    pub item: ItemId,
    /// Which occurrence.
    pub when: When,
}

/// Which occurrence of an item is meant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum When {
    /// At the visit under evaluation (`skin_score.total`).
    Here,
    /// At a named visit (`at('M0', skin_score.total)`).
    At(VisitId),
    /// At the last visit before the one under evaluation that has a value (`previous(skin_score.total)`).
    Previous,
    /// The last value before the first dose (`baseline(skin_score.total)`).
    Baseline,
    /// The last value so far (`latest(skin_score.total)`).
    Latest,
}

/// What an expression may ask for. Casebooks and data-set rows implement it.
pub trait Scope {
    /// Returns what the item holds, or none if nothing was entered.
    fn item(&self, reference: &ItemRef) -> Option<Answer>;
    /// Returns a named variable: one of [`CASEBOOK_VARIABLES`](crate::model::CASEBOOK_VARIABLES) in conduct;
    /// in the plan a built-in or own variable of the row.
    fn variable(&self, name: &str) -> Option<Answer>;
    /// Returns the laboratory's upper (or lower) limit of normal for an item of a laboratory form.
    fn limit(&self, reference: &ItemRef, upper: bool) -> Option<Answer>;
    /// Returns the date at which the expression is evaluated.
    fn today(&self) -> Option<Date>;
    /// Returns a parameter's value at a planned visit (`value('MRSS', 'M6')`); only the plan asks for one.
    fn parameter(&self, _parameter: &ParameterId, _visit: &VisitId) -> Option<Answer> {
        None
    }
}

/// One thing that an expression reads.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// An item.
    Item(ItemRef),
    /// A limit of normal of an item; upper or lower.
    Limit(ItemRef, bool),
    /// A named variable.
    Variable(String),
    /// A parameter at a visit.
    Parameter(ParameterId, VisitId),
    /// The date of evaluation.
    Today,
}

/// A compiled expression.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Expression {
    /// The text as written, for messages and reports.
    pub text: String,
    #[serde(skip)]
    root: Arc<Term>,
}

impl Expression {
    pub(crate) fn new(text: String, root: Term) -> Self {
        Self { text, root: Arc::new(root) }
    }

    /// Returns the condition that both hold.
    pub(crate) fn and(&self, other: &Expression) -> Self {
        let both = Term::And(Box::new((*self.root).clone()), Box::new((*other.root).clone()), (0, 0));
        Self::new(format!("({}) && ({})", self.text, other.text), both)
    }

    /// Evaluates to a truth value; a missing input that matters gives [`Truth::Unknown`].
    pub fn truth(&self, scope: &dyn Scope) -> Truth {
        self.root.truth(scope)
    }

    /// Evaluates to a value; a missing input that matters gives none.
    pub fn value(&self, scope: &dyn Scope) -> Option<Value> {
        self.root.value(scope)
    }

    /// Returns all that the expression reads.
    pub fn inputs(&self) -> BTreeSet<Input> {
        let mut inputs = BTreeSet::new();
        self.root.visit(&mut |term| {
            if let Term::Input(input) = term {
                inputs.insert(input.clone());
            }
        });
        inputs
    }

    /// Returns the typed form, for those who evaluate it in their own way.
    pub fn root(&self) -> &Term {
        &self.root
    }
}

/// Where a part of an expression stands, in bytes of its text.
pub type Extent = (usize, usize);

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each variant is the sign of its name")]
pub enum Comparison {
    Less,
    AtMost,
    Greater,
    AtLeast,
    Equal,
    Unequal,
}

/// An arithmetic operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each variant is the sign of its name")]
pub enum Operation {
    Add,
    Subtract,
    Multiply,
    Divide,
}

/// The typed form that is evaluated. Types have been checked when one is made.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "each variant is the function or sign of its name in the study language")]
pub enum Term {
    Number(Decimal, Extent),
    Flag(bool),
    Word(String),
    Date(PartialDate),
    Input(Input),
    /// A code that is a number, as a number.
    CodeNumber(Box<Term>),
    Not(Box<Term>),
    And(Box<Term>, Box<Term>, Extent),
    Or(Box<Term>, Box<Term>, Extent),
    Compare(Comparison, Box<Term>, Box<Term>, Extent),
    OneOf(Box<Term>, Vec<Term>),
    Arithmetic(Operation, Box<Term>, Box<Term>),
    Negate(Box<Term>),
    Choose(Box<Term>, Box<Term>, Box<Term>),
    DaysBetween(Box<Term>, Box<Term>),
    MonthsBetween(Box<Term>, Box<Term>),
    Absolute(Box<Term>),
    Least(Vec<Term>),
    Greatest(Vec<Term>),
    Round(Box<Term>, u32),
    Missing(Box<Term>),
}

impl Term {
    /// Calls `see` for this term and all within it, outermost first.
    pub fn visit(&self, see: &mut dyn FnMut(&Term)) {
        see(self);
        for child in self.children() {
            child.visit(see);
        }
    }

    fn children(&self) -> Vec<&Term> {
        match self {
            Term::Number(..) | Term::Flag(_) | Term::Word(_) | Term::Date(_) | Term::Input(_) => Vec::new(),
            Term::CodeNumber(a)
            | Term::Not(a)
            | Term::Negate(a)
            | Term::Absolute(a)
            | Term::Round(a, _)
            | Term::Missing(a) => {
                vec![a]
            }
            Term::And(a, b, _)
            | Term::Or(a, b, _)
            | Term::Compare(_, a, b, _)
            | Term::Arithmetic(_, a, b)
            | Term::DaysBetween(a, b)
            | Term::MonthsBetween(a, b) => vec![a, b],
            Term::Choose(a, b, c) => vec![a, b, c],
            Term::OneOf(a, rest) => std::iter::once(&**a).chain(rest).collect(),
            Term::Least(all) | Term::Greatest(all) => all.iter().collect(),
        }
    }
}

impl Comparison {
    /// Returns the sign as it is written.
    pub(crate) fn sign(self) -> &'static str {
        match self {
            Comparison::Less => "<",
            Comparison::AtMost => "<=",
            Comparison::Greater => ">",
            Comparison::AtLeast => ">=",
            Comparison::Equal => "==",
            Comparison::Unequal => "!=",
        }
    }
}
