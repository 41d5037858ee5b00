//! The rehearsal's diary: what is due on which day, in a fixed order.

use std::collections::BTreeMap;

use terms::Date;

/// Tasks by day; those of one day in the order in which they were entered.
#[derive(Debug)]
pub struct Diary<T> {
    tasks: BTreeMap<(Date, u64), T>,
    entered: u64,
}

impl<T> Default for Diary<T> {
    fn default() -> Self {
        Self { tasks: BTreeMap::new(), entered: 0 }
    }
}

impl<T> Diary<T> {
    /// Enters a task.
    pub fn enter(&mut self, day: Date, task: T) {
        self.entered += 1;
        self.tasks.insert((day, self.entered), task);
    }

    /// Takes the earliest task.
    pub fn next(&mut self) -> Option<(Date, T)> {
        self.tasks.pop_first().map(|((day, _), task)| (day, task))
    }

    /// Says whether a task stands in the diary.
    pub fn holds(&self, task: &T) -> bool
    where
        T: PartialEq,
    {
        self.tasks.values().any(|known| known == task)
    }

    /// Strikes out the tasks for which `unwanted` holds.
    pub fn strike(&mut self, unwanted: impl Fn(&T) -> bool) {
        self.tasks.retain(|_, task| !unwanted(task));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_come_by_day_and_then_as_entered() {
        let day = |d| Date::constant(2008, 1, d);
        let mut diary = Diary::default();
        for (d, task) in [(3, "c"), (1, "a"), (3, "d"), (2, "b")] {
            diary.enter(day(d), task);
        }
        diary.strike(|task| *task == "b");
        let order: Vec<_> = std::iter::from_fn(|| diary.next()).collect();
        assert_eq!(order, [(day(1), "a"), (day(3), "c"), (day(3), "d")]);
    }
}
