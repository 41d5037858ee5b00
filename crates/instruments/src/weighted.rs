//! Sums of weighted criteria of which some may be unknown.
//!
//! A criterion that is unknown leaves the sum open between two bounds; a cut that both
//! bounds agree on is decided all the same.

use rust_decimal::Decimal;
use terms::Truth;

use crate::instrument::NotScorable;

/// One criterion: the item it rests on, whether it holds, and its weight.
pub(crate) type Criterion = (&'static str, Truth, Decimal);

/// A sum between two bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WeightedSum {
    lowest: Decimal,
    highest: Decimal,
    first_unknown: Option<&'static str>,
}

impl WeightedSum {
    /// Adds up the criteria that hold and those that might.
    pub(crate) fn of(criteria: &[Criterion]) -> Self {
        let sum = |counts: fn(Truth) -> bool| {
            criteria.iter().filter(|(_, holds, _)| counts(*holds)).map(|(_, _, weight)| weight).sum()
        };
        Self {
            lowest: sum(|holds| holds == Truth::True),
            highest: sum(|holds| holds != Truth::False),
            first_unknown: criteria
                .iter()
                .find(|(_, holds, _)| *holds == Truth::Unknown)
                .map(|(item, ..)| *item),
        }
    }

    /// Returns the sum, if every criterion is known.
    pub(crate) fn score(self) -> Result<Decimal, NotScorable> {
        match self.first_unknown {
            None => Ok(self.lowest),
            Some(item) => Err(NotScorable::Missing { item }),
        }
    }

    /// Says whether the sum reaches a cut, as far as the known criteria decide it.
    pub(crate) fn at_least(self, cut: Decimal) -> Truth {
        if self.lowest >= cut {
            Truth::True
        } else if self.highest < cut {
            Truth::False
        } else {
            Truth::Unknown
        }
    }

    /// Says whether the sum reaches a cut, or names the item that leaves it open.
    pub(crate) fn decided(self, cut: Decimal) -> Result<bool, NotScorable> {
        match (self.at_least(cut), self.first_unknown) {
            (Truth::True, _) => Ok(true),
            (Truth::Unknown, Some(item)) => Err(NotScorable::Missing { item }),
            _ => Ok(false),
        }
    }
}

/// Returns the truth of a yes-or-no that may be missing.
pub(crate) fn truth(answer: Option<bool>) -> Truth {
    answer.map_or(Truth::Unknown, Truth::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_is_decided_where_the_unknown_criteria_cannot_change_it() {
        let sum = |unknown_weight: i64| {
            WeightedSum::of(&[
                ("a", Truth::True, Decimal::from(3)),
                ("b", Truth::Unknown, Decimal::from(unknown_weight)),
                ("c", Truth::False, Decimal::from(5)),
            ])
        };
        assert_eq!(sum(1).at_least(Decimal::from(3)), Truth::True);
        assert_eq!(sum(1).at_least(Decimal::from(4)), Truth::Unknown);
        assert_eq!(sum(1).at_least(Decimal::from(5)), Truth::False);
        assert_eq!(sum(1).score(), Err(NotScorable::Missing { item: "b" }));
        assert_eq!(sum(1).decided(Decimal::from(4)), Err(NotScorable::Missing { item: "b" }));
    }
}
