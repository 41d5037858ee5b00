//! Small changes to a rule, each of which one of its cases should notice.
//!
//! A comparison loses or gains its equal sign or is turned round, a number moves by one
//! in its last digit, `&&` and `||` are swapped.

use terms::Decimal;

use super::{Comparison, Extent, Term};

/// A changed rule.
pub(crate) struct Mutant {
    pub(crate) root: Term,
    /// Where the change is.
    pub(crate) at: Extent,
    /// What was written.
    pub(crate) was: String,
    /// What it was changed to.
    pub(crate) becomes: String,
}

/// Returns every rule that differs from `root` by one small change.
pub(crate) fn mutants(root: &Term) -> Vec<Mutant> {
    let mut count = 0;
    root.visit(&mut |_| count += 1);
    let mut found = Vec::new();
    for target in 0..count {
        for variant in 0.. {
            let mut change = Change { target, variant, seen: 0, made: None };
            let mutated = change.apply(root);
            let Some((at, was, becomes)) = change.made else { break };
            found.push(Mutant { root: mutated, at, was, becomes });
        }
    }
    found
}

struct Change {
    target: usize,
    variant: usize,
    seen: usize,
    made: Option<(Extent, String, String)>,
}

impl Change {
    fn apply(&mut self, term: &Term) -> Term {
        let here = self.seen == self.target;
        self.seen += 1;
        if here && let Some((changed, at, was, becomes)) = variant(term, self.variant) {
            self.made = Some((at, was, becomes));
            return changed;
        }
        let mut boxed = |inner: &Term| Box::new(self.apply(inner));
        match term {
            Term::CodeNumber(a) => Term::CodeNumber(boxed(a)),
            Term::Not(a) => Term::Not(boxed(a)),
            Term::Negate(a) => Term::Negate(boxed(a)),
            Term::Absolute(a) => Term::Absolute(boxed(a)),
            Term::Round(a, digits) => Term::Round(boxed(a), *digits),
            Term::Missing(a) => Term::Missing(boxed(a)),
            Term::And(a, b, at) => Term::And(boxed(a), boxed(b), *at),
            Term::Or(a, b, at) => Term::Or(boxed(a), boxed(b), *at),
            Term::Compare(comparison, a, b, at) => Term::Compare(*comparison, boxed(a), boxed(b), *at),
            Term::Arithmetic(operation, a, b) => Term::Arithmetic(*operation, boxed(a), boxed(b)),
            Term::DaysBetween(a, b) => Term::DaysBetween(boxed(a), boxed(b)),
            Term::MonthsBetween(a, b) => Term::MonthsBetween(boxed(a), boxed(b)),
            Term::Choose(a, b, c) => Term::Choose(boxed(a), boxed(b), boxed(c)),
            Term::OneOf(a, rest) => {
                let value = boxed(a);
                Term::OneOf(value, rest.iter().map(|term| self.apply(term)).collect())
            }
            Term::Least(all) => Term::Least(all.iter().map(|term| self.apply(term)).collect()),
            Term::Greatest(all) => Term::Greatest(all.iter().map(|term| self.apply(term)).collect()),
            Term::Number(..) | Term::Flag(_) | Term::Word(_) | Term::Date(_) | Term::Input(_) => term.clone(),
        }
    }
}

/// Returns the `number`-th small change to this one term.
fn variant(term: &Term, number: usize) -> Option<(Term, Extent, String, String)> {
    match term {
        Term::Compare(comparison, left, right, at) if number == 0 => {
            let other = match comparison {
                Comparison::Less => Comparison::AtMost,
                Comparison::AtMost => Comparison::Less,
                Comparison::Greater => Comparison::AtLeast,
                Comparison::AtLeast => Comparison::Greater,
                Comparison::Equal => Comparison::Unequal,
                Comparison::Unequal => Comparison::Equal,
            };
            let changed = Term::Compare(other, left.clone(), right.clone(), *at);
            Some((changed, *at, comparison.sign().to_owned(), other.sign().to_owned()))
        }
        Term::And(left, right, at) if number == 0 => {
            Some((Term::Or(left.clone(), right.clone(), *at), *at, "&&".to_owned(), "||".to_owned()))
        }
        Term::Or(left, right, at) if number == 0 => {
            Some((Term::And(left.clone(), right.clone(), *at), *at, "||".to_owned(), "&&".to_owned()))
        }
        Term::Number(value, at) if number < 2 => {
            let step = Decimal::new(1, value.scale());
            let moved = if number == 0 { value.checked_add(step)? } else { value.checked_sub(step)? };
            Some((Term::Number(moved, *at), *at, value.to_string(), moved.to_string()))
        }
        _ => None,
    }
}
