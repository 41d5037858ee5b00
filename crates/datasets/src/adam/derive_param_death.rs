//! Records of visits that a participant's death came before.
//!
//! They hold no value. They say that it is missing because of a death, so that
//! an estimand can give it the worst rank, or count it.
//!
//! | participant | died | M6 due by | value at M6 | record |
//! |---|---|---|---|---|
//! | 1 | -     | 09-22 | 20 | |
//! | 2 | -     | 09-22 | -  | |
//! | 3 | 05-02 | 09-22 | -  | death |
//! | 4 | 09-22 | 09-22 | -  | death |
//! | 5 | 09-23 | 09-22 | -  | |
//! | 6 | 09-20 | 09-22 | 31 | |
//! | 7 | 05-02 | -     | -  | |
//! | 8 | -     | -     | -  | |
//! | 9 | 03-16 | 09-22 | -  | death |
//! | 10 | 12-01 | 09-22 | 18 | |
//! | 11 | 12-01 | 09-22 | - | |
//! | 12 | 08-31 | 09-22 | - | death |

use std::collections::BTreeMap;

use terms::{Date, ParameterId, SubjectId, VisitId};

use super::{Observation, Rule};

/// A death and the events that tell of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Death {
    /// The day.
    pub date: Date,
    /// The events.
    pub sources: Vec<u64>,
}

/// Returns a record for each participant who died before the visit's window closed and has no value there.
pub fn derive_param_death(
    rows: &[Observation],
    parameter: &ParameterId,
    visit: &VisitId,
    due_by: &BTreeMap<SubjectId, Date>,
    deaths: &BTreeMap<SubjectId, Death>,
) -> Vec<Observation> {
    let lacks_value = |subject: &SubjectId| {
        !rows.iter().any(|row| {
            row.is_of(subject, parameter)
                && row.visit == *visit
                && row.derived.is_none()
                && row.value.is_some()
        })
    };
    deaths
        .iter()
        .filter(|(subject, death)| due_by.get(*subject).is_some_and(|due_by| death.date <= *due_by))
        .filter(|(subject, _)| lacks_value(subject))
        .map(|(subject, death)| Observation {
            derived: Some(Rule::Death),
            baseline: rows.iter().find(|row| row.is_of(subject, parameter)).and_then(|row| row.baseline),
            ..Observation::observed(
                subject.clone(),
                parameter.clone(),
                visit.clone(),
                Some(death.date),
                None,
                death.sources.clone(),
            )
        })
        .collect()
}

#[test]
fn the_twelve_rows_of_the_example() {
    use super::example::{date, row};
    let table = [
        ("01", None, true, Some(20.0)),
        ("02", None, true, None),
        ("03", Some("2008-05-02"), true, None),
        ("04", Some("2008-09-22"), true, None),
        ("05", Some("2008-09-23"), true, None),
        ("06", Some("2008-09-20"), true, Some(31.0)),
        ("07", Some("2008-05-02"), false, None),
        ("08", None, false, None),
        ("09", Some("2008-03-16"), true, None),
        ("10", Some("2008-12-01"), true, Some(18.0)),
        ("11", Some("2008-12-01"), true, None),
        ("12", Some("2008-08-31"), true, None),
    ];
    let (mut rows, mut due_by, mut deaths) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
    for (subject, died, has_window, value) in table {
        rows.extend(value.map(|value| row(subject, "M6", "2008-09-15", Some(value))));
        let id = SubjectId::from(subject);
        if has_window {
            due_by.insert(id.clone(), date("2008-09-22"));
        }
        if let Some(died) = died {
            deaths.insert(id, Death { date: date(died), sources: vec![7] });
        }
    }
    let records = derive_param_death(&rows, &"P".into(), &"M6".into(), &due_by, &deaths);
    let found: Vec<&str> = records.iter().map(|row| row.subject.as_str()).collect();
    assert_eq!(found, ["03", "04", "09", "12"]);
    assert!(records.iter().all(|row| row.value.is_none() && row.sources == [7]));
}
