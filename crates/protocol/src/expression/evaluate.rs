//! Evaluation with Kleene's three-valued logic.
//!
//! A number that rests on a partly known date is a range; a comparison is decided where
//! the whole range decides it. Decimal arithmetic that overflows or divides by zero has no value.

use terms::{Answer, Date, Decimal, PartialDate, Truth, Value, days_between, months_between};

use super::{Comparison, Input, Operation, Scope, Term};

/// The least and the greatest number that a term can mean.
type Span = (Decimal, Decimal);

impl Term {
    /// Evaluates to a truth value; a missing input that matters gives [`Truth::Unknown`].
    pub fn truth(&self, scope: &dyn Scope) -> Truth {
        match self {
            Term::Flag(flag) => (*flag).into(),
            Term::Not(inner) => inner.truth(scope).negate(),
            Term::And(left, right, _) => left.truth(scope).and(right.truth(scope)),
            Term::Or(left, right, _) => left.truth(scope).or(right.truth(scope)),
            Term::Compare(comparison, left, right, _) => compare(*comparison, left, right, scope),
            Term::OneOf(value, among) => among.iter().fold(Truth::False, |found, candidate| {
                found.or(compare(Comparison::Equal, value, candidate, scope))
            }),
            Term::Choose(condition, then, otherwise) => match condition.truth(scope) {
                Truth::True => then.truth(scope),
                Truth::False => otherwise.truth(scope),
                Truth::Unknown => {
                    let (then, otherwise) = (then.truth(scope), otherwise.truth(scope));
                    if then == otherwise { then } else { Truth::Unknown }
                }
            },
            Term::Missing(inner) => inner.value(scope).is_none().into(),
            _ => match self.value(scope) {
                Some(Value::Boolean(flag)) => flag.into(),
                _ => Truth::Unknown,
            },
        }
    }

    /// Evaluates to a value; a missing input that matters gives none.
    pub fn value(&self, scope: &dyn Scope) -> Option<Value> {
        match self {
            Term::Number(number, _) => Some(Value::Decimal(*number)),
            Term::Word(word) => Some(Value::Text(word.clone())),
            Term::Date(date) => Some(Value::Date(*date)),
            Term::Input(input) => read(input, scope),
            Term::Choose(condition, then, otherwise) => match condition.truth(scope) {
                Truth::True => then.value(scope),
                Truth::False => otherwise.value(scope),
                Truth::Unknown => None,
            },
            Term::Flag(_)
            | Term::Not(_)
            | Term::And(..)
            | Term::Or(..)
            | Term::Compare(..)
            | Term::OneOf(..)
            | Term::Missing(_) => match self.truth(scope) {
                Truth::True => Some(Value::Boolean(true)),
                Truth::False => Some(Value::Boolean(false)),
                Truth::Unknown => None,
            },
            Term::CodeNumber(_)
            | Term::Arithmetic(..)
            | Term::Negate(_)
            | Term::DaysBetween(..)
            | Term::MonthsBetween(..)
            | Term::Absolute(_)
            | Term::Least(_)
            | Term::Greatest(_)
            | Term::Round(..) => self.exact(scope).map(Value::Decimal),
        }
    }

    /// Returns the number, if the inputs leave only one.
    fn exact(&self, scope: &dyn Scope) -> Option<Decimal> {
        self.range(scope).and_then(|(low, high)| (low == high).then_some(low))
    }

    fn range(&self, scope: &dyn Scope) -> Option<Span> {
        match self {
            Term::CodeNumber(code) => match code.value(scope)? {
                Value::Code(text) | Value::Text(text) => text.parse().ok().map(|number| (number, number)),
                other => other.number().map(|number| (number, number)),
            },
            Term::Negate(inner) => inner.range(scope).map(|(low, high)| (-high, -low)),
            Term::Arithmetic(operation, left, right) => {
                arithmetic(*operation, left.range(scope)?, right.range(scope)?)
            }
            Term::DaysBetween(from, to) => between(from, to, scope, days_between),
            Term::MonthsBetween(from, to) => between(from, to, scope, months_between),
            Term::Absolute(inner) => inner.exact(scope).map(|number| (number.abs(), number.abs())),
            Term::Least(all) => extreme(all, scope, Decimal::min),
            Term::Greatest(all) => extreme(all, scope, Decimal::max),
            Term::Round(inner, digits) => {
                let away = rust_decimal::RoundingStrategy::MidpointAwayFromZero;
                let round = |number: Decimal| number.round_dp_with_strategy(*digits, away);
                inner.range(scope).map(|(low, high)| (round(low), round(high)))
            }
            Term::Choose(condition, then, otherwise) => match condition.truth(scope) {
                Truth::True => then.range(scope),
                Truth::False => otherwise.range(scope),
                Truth::Unknown => None,
            },
            _ => self.value(scope)?.number().map(|number| (number, number)),
        }
    }
}

fn read(input: &Input, scope: &dyn Scope) -> Option<Value> {
    let answer = match input {
        Input::Item(reference) => scope.item(reference),
        Input::Limit(reference, upper) => scope.limit(reference, *upper),
        Input::Variable(name) => scope.variable(name),
        Input::Parameter(parameter, visit) => scope.parameter(parameter, visit),
        Input::Today => scope.today().map(|today| Answer::Given(Value::Date(today.into()))),
    };
    answer.and_then(|answer| answer.value().cloned())
}

fn arithmetic(operation: Operation, left: Span, right: Span) -> Option<Span> {
    match operation {
        Operation::Add => Some((left.0.checked_add(right.0)?, left.1.checked_add(right.1)?)),
        Operation::Subtract => Some((left.0.checked_sub(right.1)?, left.1.checked_sub(right.0)?)),
        Operation::Multiply | Operation::Divide => {
            let apply = |a: Decimal, b: Decimal| match operation {
                Operation::Multiply => a.checked_mul(b),
                _ => a.checked_div(b),
            };
            if operation == Operation::Divide && right.0 <= Decimal::ZERO && right.1 >= Decimal::ZERO {
                return None;
            }
            let corners = [
                apply(left.0, right.0)?,
                apply(left.0, right.1)?,
                apply(left.1, right.0)?,
                apply(left.1, right.1)?,
            ];
            Some((corners.into_iter().min()?, corners.into_iter().max()?))
        }
    }
}

fn date(term: &Term, scope: &dyn Scope) -> Option<PartialDate> {
    match term.value(scope)? {
        Value::Date(date) => Some(date),
        _ => None,
    }
}

/// Counts from the latest first day to the earliest last day, and the other way round.
fn between(from: &Term, to: &Term, scope: &dyn Scope, count: fn(Date, Date) -> i32) -> Option<Span> {
    let (from, to) = (date(from, scope)?, date(to, scope)?);
    let least = count(from.latest(), to.earliest());
    let greatest = count(from.earliest(), to.latest());
    Some((Decimal::from(least), Decimal::from(greatest)))
}

fn extreme(all: &[Term], scope: &dyn Scope, choose: fn(Decimal, Decimal) -> Decimal) -> Option<Span> {
    let ranges: Option<Vec<Span>> = all.iter().map(|term| term.range(scope)).collect();
    ranges?.into_iter().reduce(|a, b| (choose(a.0, b.0), choose(a.1, b.1)))
}

fn compare(comparison: Comparison, left: &Term, right: &Term, scope: &dyn Scope) -> Truth {
    match comparison {
        Comparison::Unequal => return compare(Comparison::Equal, left, right, scope).negate(),
        Comparison::AtMost => return compare(Comparison::Less, right, left, scope).negate(),
        Comparison::AtLeast => return compare(Comparison::Less, left, right, scope).negate(),
        Comparison::Greater => return compare(Comparison::Less, right, left, scope),
        Comparison::Less | Comparison::Equal => {}
    }
    if let (Some(left), Some(right)) = (left.range(scope), right.range(scope)) {
        return compare_ranges(comparison, left, right);
    }
    let (Some(left), Some(right)) = (left.value(scope), right.value(scope)) else {
        return Truth::Unknown;
    };
    match (comparison, left, right) {
        (Comparison::Less, Value::Date(left), Value::Date(right)) => left.before(right),
        (Comparison::Equal, Value::Date(left), Value::Date(right)) => same_day(left, right),
        (
            Comparison::Equal,
            Value::Code(left) | Value::Text(left),
            Value::Code(right) | Value::Text(right),
        ) => (left == right).into(),
        (Comparison::Equal, Value::Boolean(left), Value::Boolean(right)) => (left == right).into(),
        _ => Truth::Unknown,
    }
}

fn compare_ranges(comparison: Comparison, left: Span, right: Span) -> Truth {
    match comparison {
        Comparison::Less if left.1 < right.0 => Truth::True,
        Comparison::Less if left.0 >= right.1 => Truth::False,
        Comparison::Equal if left.0 == left.1 && right.0 == right.1 => (left.0 == right.0).into(),
        Comparison::Equal if left.1 < right.0 || right.1 < left.0 => Truth::False,
        _ => Truth::Unknown,
    }
}

fn same_day(left: PartialDate, right: PartialDate) -> Truth {
    match (left.complete(), right.complete()) {
        (Some(left), Some(right)) => (left == right).into(),
        _ if left.latest() < right.earliest() || right.latest() < left.earliest() => Truth::False,
        _ => Truth::Unknown,
    }
}
