//! Days as numbers, with calendar months looked up.

use jiff::Span;
use terms::{Date, add_months, days_between};

/// Days counted from the opening of the study, and where so many months later leads from each.
#[derive(Clone, Debug)]
pub(crate) struct Calendar {
    opens: Date,
    later: Vec<(i32, Vec<i32>)>,
}

/// Days over which months are tabled; beyond, they are reckoned.
const TABLED_DAYS: i32 = 366 * 12;

impl Calendar {
    pub(crate) fn new(opens: Date, months: impl IntoIterator<Item = i32>) -> Self {
        let mut calendar = Self { opens, later: Vec::new() };
        for months in months {
            if calendar.later.iter().all(|(known, _)| *known != months) {
                let table = (0..TABLED_DAYS).map(|day| calendar.reckon(day, months)).collect();
                calendar.later.push((months, table));
            }
        }
        calendar
    }

    /// Returns a day's date.
    pub(crate) fn date(&self, day: i32) -> Date {
        self.opens.saturating_add(Span::new().days(day))
    }

    /// Returns the day that lies calendar months after another, by the rule of [`add_months`].
    #[inline]
    pub(crate) fn add_months(&self, day: i32, months: i32) -> i32 {
        let table = self.later.iter().find(|(known, _)| *known == months);
        match table.and_then(|(_, table)| table.get(usize::try_from(day).ok()?)) {
            Some(later) => *later,
            None => self.reckon(day, months),
        }
    }

    fn reckon(&self, day: i32, months: i32) -> i32 {
        days_between(self.opens, add_months(self.date(day), months))
    }
}

#[test]
fn tabled_months_are_calendar_months() {
    let opens = Date::constant(2007, 12, 3);
    let calendar = Calendar::new(opens, [1, 6]);
    for day in (0..TABLED_DAYS + 400).step_by(7) {
        for months in [1, 6, 13] {
            let expected = days_between(opens, add_months(opens + Span::new().days(day), months));
            assert_eq!(calendar.add_months(day, months), expected, "{day} + {months}");
        }
    }
}
