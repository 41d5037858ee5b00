//! Last observation carried forward, as records of their own.
//!
//! Only values after baseline are carried; those of unscheduled visits and of an
//! early end serve here and nowhere else. Nothing is carried past the end of the
//! visit's window, so that a later value is never brought back. Who has no value
//! after baseline gets no record, and the analysis lists them.
//!
//! | participant | visit | planned | value | M6 due by | carried to M6 |
//! |---|---|---|---|---|---|
//! | 1 | M0  | yes | 30 | 09-22 | |
//! | 1 | M3  | yes | 27 | 09-22 | |
//! | 1 | M6  | yes | 26 | 09-22 | none: observed |
//! | 2 | M0  | yes | 25 | 09-22 | |
//! | 2 | M1  | yes | 24 | 09-22 | |
//! | 2 | End | no  | 28 | 09-22 | 28 |
//! | 2 | M9  | yes | 20 | 09-22 | |
//! | 3 | M0  | yes | 33 | 09-22 | none: nothing after baseline |
//! | 4 | M0  | yes | 22 | 09-22 | |
//! | 4 | M3  | yes | 21 | 09-22 | 21 |
//! | 4 | M6  | yes | -  | 09-22 | |
//! | 5 | M3  | yes | 19 | -     | none: M6 has no date |

use std::collections::BTreeMap;

use terms::{Date, ParameterId, SubjectId, VisitId};

use super::derive_var_chg::{is_after_baseline, relative_change};
use super::{Observation, Rule};

/// Returns a record for each participant without a value of `parameter` at `visit`, from the last value after baseline.
///
/// `due_by` is the last day of the visit's window for each participant for whom it has one. `rows`
/// have their baseline already.
pub fn derive_param_locf(
    rows: &[Observation],
    parameter: &ParameterId,
    visit: &VisitId,
    due_by: &BTreeMap<SubjectId, Date>,
    reference: &BTreeMap<SubjectId, Date>,
) -> Vec<Observation> {
    let mut carried = Vec::new();
    for (subject, due_by) in due_by {
        let own = || rows.iter().filter(|row| row.is_of(subject, parameter) && row.derived.is_none());
        if own().any(|row| row.visit == *visit && row.value.is_some()) {
            continue;
        }
        let last = own()
            .filter(|row| row.value.is_some() && is_after_baseline(row, reference))
            .filter(|row| row.date.is_some_and(|date| date <= *due_by))
            .max_by_key(|row| row.date);
        if let Some(last) = last {
            let (value, baseline) = (last.value, last.baseline);
            carried.push(Observation {
                visit: visit.clone(),
                planned: true,
                in_window: None,
                change: value.zip(baseline).map(|(value, baseline)| value - baseline),
                relative_change: value
                    .zip(baseline)
                    .and_then(|(value, baseline)| relative_change(value, baseline)),
                derived: Some(Rule::LastObservation),
                ..last.clone()
            });
        }
    }
    carried
}

#[cfg(test)]
mod tests {
    use super::super::derive_var_base::derive_var_base;
    use super::super::example::{date, row};
    use super::*;

    fn twelve() -> Vec<Observation> {
        let mut rows = vec![
            row("1", "M0", "2008-03-15", Some(30.0)),
            row("1", "M3", "2008-06-15", Some(27.0)),
            row("1", "M6", "2008-09-15", Some(26.0)),
            row("2", "M0", "2008-03-15", Some(25.0)),
            row("2", "M1", "2008-04-15", Some(24.0)),
            row("2", "End", "2008-05-15", Some(28.0)),
            row("2", "M9", "2008-12-15", Some(20.0)),
            row("3", "M0", "2008-03-15", Some(33.0)),
            row("4", "M0", "2008-03-15", Some(22.0)),
            row("4", "M3", "2008-06-15", Some(21.0)),
            row("4", "M6", "2008-09-15", None),
            row("5", "M3", "2008-06-15", Some(19.0)),
        ];
        rows[5].planned = false;
        rows
    }

    #[test]
    fn only_values_after_baseline_and_before_the_visit_are_carried() {
        let mut rows = twelve();
        let subjects = ["1", "2", "3", "4"].map(SubjectId::from);
        let reference: BTreeMap<_, _> = subjects.clone().map(|id| (id, date("2008-03-15"))).into();
        let due_by: BTreeMap<_, _> = subjects.map(|id| (id, date("2008-09-22"))).into();
        derive_var_base(&mut rows, &reference);
        let carried = derive_param_locf(&rows, &"P".into(), &"M6".into(), &due_by, &reference);
        let found: Vec<_> = carried.iter().map(|row| (row.subject.as_str(), row.value, row.change)).collect();
        assert_eq!(found, [("2", Some(28.0), Some(3.0)), ("4", Some(21.0), Some(-1.0))]);
        assert!(carried.iter().all(|row| row.visit == "M6" && row.derived == Some(Rule::LastObservation)));
        assert_eq!(carried[0].date, Some(date("2008-05-15")));
    }

    #[test]
    fn a_baseline_is_never_carried_forward() {
        let mut rows = vec![row("3", "M0", "2008-03-15", Some(33.0))];
        let reference = BTreeMap::from([(SubjectId::from("3"), date("2008-03-15"))]);
        let due_by = BTreeMap::from([(SubjectId::from("3"), date("2008-09-22"))]);
        derive_var_base(&mut rows, &reference);
        assert_eq!(derive_param_locf(&rows, &"P".into(), &"M6".into(), &due_by, &reference), []);
    }
}
