//! Baseline: the last value before the first dose.
//!
//! A planned visit on the day of the first dose comes before it, since the
//! protocol has its procedures done first; of an unscheduled value on that day
//! nobody knows, so it is no baseline. Who took no dose has the day of
//! enrolment in its place.
//!
//! | participant | visit | planned | date | value | reference | baseline? | baseline |
//! |---|---|---|---|---|---|---|---|
//! | 1 | Scr | yes | 03-01 | 30 | 03-15 | | 28 |
//! | 1 | M0  | yes | 03-15 | 28 | 03-15 | yes | 28 |
//! | 1 | M1  | yes | 04-15 | 25 | 03-15 | | 28 |
//! | 2 | Scr | yes | 03-01 | 22 | 03-15 | yes | 22 |
//! | 2 | M0  | yes | 03-15 | -  | 03-15 | | 22 |
//! | 2 | M1  | yes | 04-15 | 20 | 03-15 | | 22 |
//! | 3 | Scr | yes | 03-01 | 24 | 03-15 | yes | 24 |
//! | 3 | U1  | no  | 03-15 | 26 | 03-15 | | 24 |
//! | 3 | M1  | yes | 04-15 | 23 | 03-15 | | 24 |
//! | 4 | M0  | yes | 03-15 | -  | 03-15 | | - |
//! | 4 | M1  | yes | 04-15 | 19 | 03-15 | | - |
//! | 5 | M0  | yes | 03-15 | 21 | -     | | - |

use std::collections::BTreeMap;

use terms::{Date, ParameterId, SubjectId};

use super::Observation;

/// Marks each participant's baseline of each parameter and gives its value to all of their rows.
///
/// `reference` is the day of the first dose, or of enrolment where none was taken. A row's sources
/// are joined by those of its baseline, unless it lies before it.
pub fn derive_var_base(rows: &mut [Observation], reference: &BTreeMap<SubjectId, Date>) {
    let mut chosen: BTreeMap<(SubjectId, ParameterId), (Date, usize)> = BTreeMap::new();
    for (place, row) in rows.iter().enumerate() {
        let (Some(date), Some(_), Some(first_dose)) = (row.date, row.value, reference.get(&row.subject))
        else {
            continue;
        };
        let before = if row.planned { date <= *first_dose } else { date < *first_dose };
        let key = (row.subject.clone(), row.parameter.clone());
        // Of two values on one day the later row stands, which is the later visit.
        if before && chosen.get(&key).is_none_or(|(earlier, _)| *earlier <= date) {
            chosen.insert(key, (date, place));
        }
    }
    for (key, (date, place)) in chosen {
        rows[place].is_baseline = true;
        let (value, sources) = (rows[place].value, rows[place].sources.clone());
        for row in rows.iter_mut().filter(|row| row.is_of(&key.0, &key.1)) {
            row.baseline = value;
            if row.date.is_some_and(|on| on > date) {
                row.sources.extend(&sources);
                row.sources.sort_unstable();
                row.sources.dedup();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::example::{date, row};
    use super::*;

    /// The table of this file's head.
    fn twelve() -> Vec<Observation> {
        let mut rows = vec![
            row("1", "Scr", "2008-03-01", Some(30.0)),
            row("1", "M0", "2008-03-15", Some(28.0)),
            row("1", "M1", "2008-04-15", Some(25.0)),
            row("2", "Scr", "2008-03-01", Some(22.0)),
            row("2", "M0", "2008-03-15", None),
            row("2", "M1", "2008-04-15", Some(20.0)),
            row("3", "Scr", "2008-03-01", Some(24.0)),
            row("3", "U1", "2008-03-15", Some(26.0)),
            row("3", "M1", "2008-04-15", Some(23.0)),
            row("4", "M0", "2008-03-15", None),
            row("4", "M1", "2008-04-15", Some(19.0)),
            row("5", "M0", "2008-03-15", Some(21.0)),
        ];
        rows[7].planned = false;
        rows
    }

    #[test]
    fn baseline_is_the_last_value_before_the_first_dose() {
        let mut rows = twelve();
        let reference = ["1", "2", "3", "4"].map(|id| (SubjectId::from(id), date("2008-03-15")));
        derive_var_base(&mut rows, &BTreeMap::from(reference));
        let flagged: Vec<usize> = (0..12).filter(|place| rows[*place].is_baseline).collect();
        assert_eq!(flagged, [1, 3, 6]);
        let values: Vec<Option<f64>> = rows.iter().map(|row| row.baseline).collect();
        let (a, b, c) = (Some(28.0), Some(22.0), Some(24.0));
        assert_eq!(values, [a, a, a, b, b, b, c, c, c, None, None, None]);
    }

    #[test]
    fn a_change_leads_to_the_events_of_its_baseline_too() {
        let mut rows = twelve();
        for (place, row) in rows.iter_mut().enumerate() {
            row.sources = vec![place as u64 + 100];
        }
        derive_var_base(&mut rows, &BTreeMap::from([(SubjectId::from("1"), date("2008-03-15"))]));
        assert_eq!(rows[2].sources, [101, 102]);
        assert_eq!(rows[0].sources, [100]);
    }
}
