//! What an expression can come to at all, given what its items can hold.
//!
//! Two ways, and neither cries wolf: intervals over the items' least and greatest values
//! (which ignore that one item read twice is the same item, so they only ever allow too
//! much), and for small rules without multiplication all combinations of the values at
//! which something can change. Both leave missing inputs aside: they decide nothing.

use std::collections::{BTreeMap, BTreeSet};

use terms::{Answer, Date, Decimal, ParameterId, Value, VisitId};

use super::{Codes, Comparison, Input, ItemFacts, ItemRef, Operation, Scope, Term, Truth, Type};

/// What an input can hold.
#[derive(Clone, Debug)]
pub(crate) enum Domain {
    /// A number between two limits, in steps.
    Number {
        low: Decimal,
        high: Decimal,
        step: Decimal,
    },
    Flag,
    /// One of these codes.
    Codes(Vec<String>),
    Anything,
}

const FAR: Decimal = Decimal::from_parts(1_000_000_000, 0, 0, false, 0);

impl Domain {
    /// Returns the domain of an item.
    pub(crate) fn of(facts: &ItemFacts) -> Self {
        match &facts.kind {
            Type::Number(_) => Domain::Number {
                low: facts.minimum.unwrap_or(-FAR),
                high: facts.maximum.unwrap_or(FAR),
                step: Decimal::new(1, facts.decimals),
            },
            Type::Flag => Domain::Flag,
            Type::Code(Codes { among: Some(among), .. }) => Domain::Codes(among.to_vec()),
            _ => Domain::Anything,
        }
    }
}

/// Whether a condition can be true and whether it can be false.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Possible {
    pub(crate) true_: bool,
    pub(crate) false_: bool,
}

const EITHER: Possible = Possible { true_: true, false_: true };

/// Returns what a condition can come to.
pub(crate) fn possible(root: &Term, domain: &dyn Fn(&Input) -> Domain) -> Possible {
    let rough = Rough { domain }.condition(root);
    if rough != EITHER {
        return rough;
    }
    enumerate(root, domain).unwrap_or(rough)
}

struct Rough<'a> {
    domain: &'a dyn Fn(&Input) -> Domain,
}

type Interval = (Decimal, Decimal);

impl Rough<'_> {
    fn condition(&self, term: &Term) -> Possible {
        match term {
            Term::Flag(flag) => Possible { true_: *flag, false_: !flag },
            Term::Not(inner) => {
                let inner = self.condition(inner);
                Possible { true_: inner.false_, false_: inner.true_ }
            }
            Term::And(a, b, _) => {
                let (a, b) = (self.condition(a), self.condition(b));
                Possible { true_: a.true_ && b.true_, false_: a.false_ || b.false_ }
            }
            Term::Or(a, b, _) => {
                let (a, b) = (self.condition(a), self.condition(b));
                Possible { true_: a.true_ || b.true_, false_: a.false_ && b.false_ }
            }
            Term::Compare(comparison, a, b, _) => self.compare(*comparison, a, b),
            _ => EITHER,
        }
    }

    fn compare(&self, comparison: Comparison, a: &Term, b: &Term) -> Possible {
        match comparison {
            Comparison::Unequal | Comparison::AtLeast => {
                let other =
                    if comparison == Comparison::Unequal { Comparison::Equal } else { Comparison::Less };
                let possible = self.compare(other, a, b);
                return Possible { true_: possible.false_, false_: possible.true_ };
            }
            Comparison::Greater => return self.compare(Comparison::Less, b, a),
            Comparison::AtMost => {
                let possible = self.compare(Comparison::Less, b, a);
                return Possible { true_: possible.false_, false_: possible.true_ };
            }
            Comparison::Less | Comparison::Equal => {}
        }
        let (Some(a), Some(b)) = (self.interval(a), self.interval(b)) else { return EITHER };
        match comparison {
            Comparison::Less => Possible { true_: a.0 < b.1, false_: a.1 >= b.0 },
            _ => Possible { true_: a.0 <= b.1 && b.0 <= a.1, false_: !(a.0 == a.1 && a == b) },
        }
    }

    fn interval(&self, term: &Term) -> Option<Interval> {
        match term {
            Term::Number(number, _) => Some((*number, *number)),
            Term::Input(input) => match (self.domain)(input) {
                Domain::Number { low, high, .. } => Some((low, high)),
                _ => None,
            },
            Term::CodeNumber(code) => match &**code {
                Term::Input(input) => match (self.domain)(input) {
                    Domain::Codes(codes) => {
                        let numbers: Vec<Decimal> =
                            codes.iter().filter_map(|code| code.parse().ok()).collect();
                        Some((numbers.iter().min().copied()?, numbers.iter().max().copied()?))
                    }
                    _ => None,
                },
                _ => None,
            },
            Term::Negate(inner) => self.interval(inner).map(|(low, high)| (-high, -low)),
            Term::Arithmetic(operation, a, b) => {
                let (a, b) = (self.interval(a)?, self.interval(b)?);
                match operation {
                    Operation::Add => Some((a.0.checked_add(b.0)?, a.1.checked_add(b.1)?)),
                    Operation::Subtract => Some((a.0.checked_sub(b.1)?, a.1.checked_sub(b.0)?)),
                    Operation::Multiply => {
                        let products = [
                            a.0.checked_mul(b.0)?,
                            a.0.checked_mul(b.1)?,
                            a.1.checked_mul(b.0)?,
                            a.1.checked_mul(b.1)?,
                        ];
                        Some((*products.iter().min()?, *products.iter().max()?))
                    }
                    Operation::Divide => None,
                }
            }
            _ => None,
        }
    }
}

/// The most combinations that are tried.
const COMBINATIONS_MAX: usize = 3000;

/// Tries all combinations of telling values; none if there are too many or the rule is not of the simple kind.
fn enumerate(root: &Term, domain: &dyn Fn(&Input) -> Domain) -> Option<Possible> {
    let mut inputs = BTreeSet::new();
    let mut numbers = BTreeSet::new();
    let mut simple = true;
    root.visit(&mut |term| match term {
        Term::Input(input) => {
            inputs.insert(input.clone());
        }
        Term::Number(number, _) => {
            numbers.insert(*number);
        }
        Term::Not(_)
        | Term::And(..)
        | Term::Or(..)
        | Term::Compare(..)
        | Term::OneOf(..)
        | Term::Flag(_)
        | Term::Word(_) => {}
        Term::CodeNumber(_) | Term::Missing(_) => {}
        _ => simple = false,
    });
    if !simple {
        return None;
    }
    let mut choices: Vec<(Input, Vec<Option<Value>>)> = Vec::new();
    for input in inputs {
        let values = telling_values(&domain(&input), &numbers)?;
        choices.push((input, values));
    }
    let combinations =
        choices.iter().try_fold(1_usize, |product, (_, values)| product.checked_mul(values.len()))?;
    if combinations > COMBINATIONS_MAX {
        return None;
    }
    let mut found = Possible { true_: false, false_: false };
    for index in 0..combinations {
        let mut rest = index;
        let mut scope = Assignment(BTreeMap::new());
        for (input, values) in &choices {
            scope.0.insert(input.clone(), values[rest % values.len()].clone());
            rest /= values.len();
        }
        match root.truth(&scope) {
            Truth::True => found.true_ = true,
            Truth::False => found.false_ = true,
            Truth::Unknown => {}
        }
        if found == EITHER {
            break;
        }
    }
    Some(found)
}

/// Returns the values at which a simple rule can change, missing among them.
fn telling_values(domain: &Domain, numbers: &BTreeSet<Decimal>) -> Option<Vec<Option<Value>>> {
    let mut values: Vec<Option<Value>> = vec![None];
    match domain {
        Domain::Flag => values.extend([true, false].map(|flag| Some(Value::Boolean(flag)))),
        Domain::Codes(codes) => values.extend(codes.iter().map(|code| Some(Value::Code(code.clone())))),
        Domain::Number { low, high, step } => {
            let mut tried = BTreeSet::from([*low, *high]);
            for number in numbers {
                // On the grid that the item allows: a limit between two steps has a value on either side.
                let below = (number / step).floor() * step;
                tried.extend([below - step, below, below + step]);
            }
            values
                .extend(tried.into_iter().filter(|n| n >= low && n <= high).map(|n| Some(Value::Decimal(n))));
        }
        Domain::Anything => return None,
    }
    Some(values)
}

struct Assignment(BTreeMap<Input, Option<Value>>);

impl Assignment {
    fn get(&self, input: &Input) -> Option<Answer> {
        self.0.get(input).cloned().flatten().map(Answer::Given)
    }
}

impl Scope for Assignment {
    fn item(&self, reference: &ItemRef) -> Option<Answer> {
        self.get(&Input::Item(reference.clone()))
    }

    fn variable(&self, name: &str) -> Option<Answer> {
        self.get(&Input::Variable(name.to_owned()))
    }

    fn limit(&self, reference: &ItemRef, upper: bool) -> Option<Answer> {
        self.get(&Input::Limit(reference.clone(), upper))
    }

    fn today(&self) -> Option<Date> {
        None
    }

    fn parameter(&self, parameter: &ParameterId, visit: &VisitId) -> Option<Answer> {
        self.get(&Input::Parameter(parameter.clone(), visit.clone()))
    }
}
