//! Stretches of days at one dose, to the last planned treatment day at least.
//!
//! A hold is a stretch of 0 mg. After stopping for good the dose is 0: a stretch of
//! its own runs to the last planned treatment day. A stretch that still goes on
//! ends with the last day on which something is known.
//!
//! Planned from 03-01 to 05-31:
//!
//! | participant | recorded stretch | mg | derived stretch | mg | days |
//! |---|---|---|---|---|---|
//! | 1 | 03-01..05-31 | 400 | 03-01..05-31 | 400 | 92 |
//! | 2 | 03-01..03-31 | 400 | 03-01..03-31 | 400 | 31 |
//! | 2 | 04-01..04-07 | 0   | 04-01..04-07 | 0   | 7 |
//! | 2 | 04-08..05-31 | 300 | 04-08..05-31 | 300 | 54 |
//! | 3 | 03-01..03-20 | 400 | 03-01..03-20 | 400 | 20 |
//! | 3 |              |     | 03-21..05-31 | 0   | 72 |
//! | 4 | 03-01..06-05 | 400 | 03-01..06-05 | 400 | 97 |
//! | 5 | 03-01..-     | 400 | 03-01..04-10 | 400 | 41 |
//! | 6 | 03-01..03-31 | 400 | 03-01..03-31 | 400 | 31 |
//! | 6 | 04-01..04-07 | 0   | 04-01..04-07 | 0   | 7 |
//! | 6 | (ended 03-31) |    | 04-08..05-31 | 0   | 54 |
//! | 7 | 03-01..02-28 (no day) | 400 | 03-01..05-31 | 0 | 92 |

use terms::{Date, days_between};

/// Days at one dose, both ends included.
#[derive(Clone, Debug, PartialEq)]
pub struct DoseStretch {
    /// First day.
    pub from: Date,
    /// Last day.
    pub to: Date,
    /// mg a day; none if the record no longer holds it.
    pub dose_mg: Option<f64>,
    /// Whether it lies after the drug was stopped for good.
    pub after_stop: bool,
    /// The events behind it.
    pub sources: Vec<u64>,
}

/// A stretch as recorded: it may still go on.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordedStretch {
    /// First day.
    pub from: Date,
    /// Last day; none while it goes on.
    pub to: Option<Date>,
    /// mg a day.
    pub dose_mg: Option<f64>,
    /// The event that began it.
    pub sequence: u64,
}

impl DoseStretch {
    /// Returns the number of days, both ends counted.
    pub fn days(&self) -> i32 {
        days_between(self.from, self.to) + 1
    }
}

/// Returns the stretches in order. `stop` is the event that ended treatment; without it nothing follows the last one.
pub fn derive_param_dose_stretch(
    recorded: &[RecordedStretch],
    planned_last: Date,
    last_known: Date,
    stop: Option<u64>,
) -> Vec<DoseStretch> {
    let mut stretches: Vec<DoseStretch> = Vec::new();
    for one in recorded {
        let to = one.to.unwrap_or_else(|| last_known.min(planned_last).max(one.from));
        // A dose that was changed again on the same day lasted no day.
        if to >= one.from {
            let sources = vec![one.sequence];
            stretches.push(DoseStretch {
                from: one.from,
                to,
                dose_mg: one.dose_mg,
                after_stop: false,
                sources,
            });
        }
    }
    let (Some(first), Some(stop)) = (recorded.first(), stop) else { return stretches };
    let from = stretches.last().map_or(first.from, |last| last.to.tomorrow().unwrap_or(last.to));
    if from <= planned_last {
        let sources = vec![stop];
        stretches.push(DoseStretch { from, to: planned_last, dose_mg: Some(0.0), after_stop: true, sources });
    }
    stretches
}

#[test]
fn the_twelve_rows_of_the_example() {
    use super::example::date;
    type Given<'a> = &'a [(&'a str, Option<&'a str>, f64)];
    type Wanted<'a> = &'a [(&'a str, &'a str, f64, i32)];
    let table: [(Given<'_>, bool, Wanted<'_>); 7] = [
        (&[("2008-03-01", Some("2008-05-31"), 400.0)], true, &[("2008-03-01", "2008-05-31", 400.0, 92)]),
        (
            &[
                ("2008-03-01", Some("2008-03-31"), 400.0),
                ("2008-04-01", Some("2008-04-07"), 0.0),
                ("2008-04-08", Some("2008-05-31"), 300.0),
            ],
            true,
            &[
                ("2008-03-01", "2008-03-31", 400.0, 31),
                ("2008-04-01", "2008-04-07", 0.0, 7),
                ("2008-04-08", "2008-05-31", 300.0, 54),
            ],
        ),
        (
            &[("2008-03-01", Some("2008-03-20"), 400.0)],
            true,
            &[("2008-03-01", "2008-03-20", 400.0, 20), ("2008-03-21", "2008-05-31", 0.0, 72)],
        ),
        (&[("2008-03-01", Some("2008-06-05"), 400.0)], true, &[("2008-03-01", "2008-06-05", 400.0, 97)]),
        (&[("2008-03-01", None, 400.0)], false, &[("2008-03-01", "2008-04-10", 400.0, 41)]),
        (
            &[("2008-03-01", Some("2008-03-31"), 400.0), ("2008-04-01", Some("2008-04-07"), 0.0)],
            true,
            &[
                ("2008-03-01", "2008-03-31", 400.0, 31),
                ("2008-04-01", "2008-04-07", 0.0, 7),
                ("2008-04-08", "2008-05-31", 0.0, 54),
            ],
        ),
        (&[("2008-03-01", Some("2008-02-28"), 400.0)], true, &[("2008-03-01", "2008-05-31", 0.0, 92)]),
    ];
    for (place, (given, stopped, wanted)) in table.into_iter().enumerate() {
        let recorded: Vec<RecordedStretch> = given
            .iter()
            .map(|(from, to, mg)| RecordedStretch {
                from: date(from),
                to: to.map(date),
                dose_mg: Some(*mg),
                sequence: 1,
            })
            .collect();
        let stop = stopped.then_some(9);
        let found = derive_param_dose_stretch(&recorded, date("2008-05-31"), date("2008-04-10"), stop);
        let found: Vec<_> =
            found.iter().map(|one| (one.from, one.to, one.dose_mg.unwrap(), one.days())).collect();
        let wanted: Vec<_> =
            wanted.iter().map(|(from, to, mg, days)| (date(from), date(to), *mg, *days)).collect();
        assert_eq!(found, wanted, "participant {}", place + 1);
    }
}
