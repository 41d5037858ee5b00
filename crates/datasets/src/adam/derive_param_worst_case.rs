//! Worst case for missing outcomes, as records of their own.
//!
//! A missing outcome takes the worst observed one of the other arm, or of the
//! cohort in a one-arm study: the worst value, the worst change and the worst
//! relative change, each for itself, so that they need not come from one
//! participant. Without a baseline there is no change, and with a baseline of zero
//! no relative change, here as elsewhere.
//!
//! Lower is better; the outcome is at M6:
//!
//! | participant | arm | baseline | M6 | change | relative | worst case: value, change, relative |
//! |---|---|---|---|---|---|---|
//! | 1 | a | 20 | 24 | 4  | 0.2  | |
//! | 2 | a | 40 | 46 | 6  | 0.15 | |
//! | 3 | a | 30 | 27 | -3 | -0.1 | |
//! | 4 | a | 25 | -  | -  | -    | 31, 1, 0.05 |
//! | 5 | a | 0  | -  | -  | -    | 31, 1, - |
//! | 6 | a | -  | -  | -  | -    | 31, -, - |
//! | 7 | b | 20 | 21 | 1  | 0.05 | |
//! | 8 | b | 32 | 31 | -1 | -0.03125 | |
//! | 9 | b | 24 | -  | -  | -    | 46, 6, 0.2 |
//! | 10 | b | 28 | 25 | -3 | -0.1071… | |
//! | 11 | b | 22 | 22 | 0  | 0 | |
//! | 12 | b | 26 | -  | -  | - | 46, 6, 0.2 |

use std::collections::BTreeMap;

use terms::{ArmId, ParameterId, SubjectId, VisitId};

use super::{Observation, Rule};

/// Returns a record for each participant of `arms` without a value of `parameter` at `visit`.
///
/// `arms` names the participants in the trial with their arm; one arm alone is the cohort and takes its
/// own worst. Where nothing was observed to take the worst of, there is no record.
pub fn derive_param_worst_case(
    rows: &[Observation],
    parameter: &ParameterId,
    visit: &VisitId,
    lower_is_better: bool,
    arms: &BTreeMap<SubjectId, ArmId>,
) -> Vec<Observation> {
    let observed: Vec<&Observation> = rows
        .iter()
        .filter(|row| row.parameter == *parameter && row.visit == *visit && row.derived.is_none())
        .filter(|row| row.value.is_some() && arms.contains_key(&row.subject))
        .collect();
    let one_arm = arms.values().all(|arm| Some(arm) == arms.values().next());
    let mut records = Vec::new();
    for (subject, arm) in
        arms.iter().filter(|(subject, _)| observed.iter().all(|row| row.subject != **subject))
    {
        let donors = || observed.iter().copied().filter(|row| one_arm || arms[&row.subject] != *arm);
        let worst = |measure: fn(&Observation) -> Option<f64>| {
            let of = donors().filter_map(|row| measure(row).map(|value| (value, row)));
            let sign = if lower_is_better { 1.0 } else { -1.0 };
            // The first of equals, so that the sources do not depend on anything else.
            of.reduce(|worst, next| if sign * next.0 > sign * worst.0 { next } else { worst })
        };
        let Some((value, donor)) = worst(|row| row.value) else { continue };
        let own = rows.iter().find(|row| row.is_of(subject, parameter) && row.baseline.is_some());
        let baseline = own.and_then(|row| row.baseline);
        let change = baseline.and_then(|_| worst(|row| row.change));
        let relative = baseline.filter(|value| *value != 0.0).and_then(|_| worst(|row| row.relative_change));
        let mut sources: Vec<u64> = donor.sources.clone();
        sources.extend([change, relative].iter().flatten().flat_map(|(_, row)| &row.sources));
        sources.extend(own.iter().flat_map(|row| &row.sources));
        sources.sort_unstable();
        sources.dedup();
        records.push(Observation {
            baseline,
            change: change.map(|(value, _)| value),
            relative_change: relative.map(|(value, _)| value),
            derived: Some(Rule::WorstCase),
            ..Observation::observed(
                subject.clone(),
                parameter.clone(),
                visit.clone(),
                None,
                Some(value),
                sources,
            )
        });
    }
    records
}

#[cfg(test)]
mod tests {
    use super::super::derive_var_chg::relative_change;
    use super::super::example::row;
    use super::*;

    type Twelve = (Vec<Observation>, BTreeMap<SubjectId, ArmId>);

    fn twelve() -> Twelve {
        let table = [
            ("01", "a", Some(20.0), Some(24.0)),
            ("02", "a", Some(40.0), Some(46.0)),
            ("03", "a", Some(30.0), Some(27.0)),
            ("04", "a", Some(25.0), None),
            ("05", "a", Some(0.0), None),
            ("06", "a", None, None),
            ("07", "b", Some(20.0), Some(21.0)),
            ("08", "b", Some(32.0), Some(31.0)),
            ("09", "b", Some(24.0), None),
            ("10", "b", Some(28.0), Some(25.0)),
            ("11", "b", Some(22.0), Some(22.0)),
            ("12", "b", Some(26.0), None),
        ];
        let (mut rows, mut arms) = (Vec::new(), BTreeMap::new());
        for (subject, arm, baseline, value) in table {
            let mut before = row(subject, "M0", "2008-03-15", baseline);
            before.baseline = baseline;
            let mut after = row(subject, "M6", "2008-09-15", value);
            after.baseline = baseline;
            after.change = value.zip(baseline).map(|(value, baseline)| value - baseline);
            after.relative_change =
                value.zip(baseline).and_then(|(value, baseline)| relative_change(value, baseline));
            rows.extend([before, after]);
            arms.insert(subject.into(), arm.into());
        }
        (rows, arms)
    }

    fn derived((rows, arms): &Twelve, lower_is_better: bool) -> Vec<(String, [Option<f64>; 3])> {
        derive_param_worst_case(rows, &"P".into(), &"M6".into(), lower_is_better, arms)
            .iter()
            .map(|row| (row.subject.to_string(), [row.value, row.change, row.relative_change]))
            .collect()
    }

    #[test]
    fn a_missing_outcome_takes_the_worst_of_the_other_arm() {
        let found = derived(&twelve(), true);
        let expected = [
            ("04", [Some(31.0), Some(1.0), Some(0.05)]),
            ("05", [Some(31.0), Some(1.0), None]),
            ("06", [Some(31.0), None, None]),
            ("09", [Some(46.0), Some(6.0), Some(0.2)]),
            ("12", [Some(46.0), Some(6.0), Some(0.2)]),
        ];
        assert_eq!(found, expected.map(|(subject, values)| (subject.to_owned(), values)));
    }

    #[test]
    fn where_higher_is_better_the_worst_is_the_lowest() {
        let found = derived(&twelve(), false);
        assert_eq!(found[0].1, [Some(21.0), Some(-3.0), Some(-3.0 / 28.0)]);
    }

    #[test]
    fn one_arm_takes_the_worst_of_the_cohort() {
        let (rows, mut arms) = twelve();
        arms.values_mut().for_each(|arm| *arm = "a".into());
        assert_eq!(derived(&(rows, arms), true)[0].1, [Some(46.0), Some(6.0), Some(0.2)]);
    }
}
