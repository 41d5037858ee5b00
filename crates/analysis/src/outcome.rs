//! One outcome for each participant: the value of a parameter at a visit by the plan's missing-data
//! rule, or a variable. Who has none is listed with the reason.

use std::collections::BTreeMap;

use datasets::{DataSets, Dataset};
use protocol::model::{Estimand, Measure, MissingRule, Parameter, Strategy};
use terms::{SubjectId, VisitId};

use crate::population::{Member, Population};

/// What a participant contributes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Outcome {
    /// A value.
    Value(f64),
    /// No value but the worst rank of all.
    WorstRank,
}

/// A participant's outcome and the row it stands in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) group: Option<usize>,
    /// The row of the data set that holds the outcome.
    pub(crate) row: usize,
    /// The participant's row of the subject-level data set.
    pub(crate) subject_row: usize,
    pub(crate) outcome: Outcome,
}

/// The outcomes of a population.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Outcomes {
    /// In order of participants.
    pub(crate) entries: Vec<Entry>,
    /// Who has none, and why.
    pub(crate) excluded: Vec<(SubjectId, String)>,
}

/// A parameter's outcome at a visit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AtVisit<'a> {
    pub(crate) parameter: &'a Parameter,
    pub(crate) visit: &'a VisitId,
    pub(crate) measure: Measure,
    pub(crate) missing: MissingRule,
    /// What the estimand says about a death before the visit.
    pub(crate) death: Option<Strategy>,
    /// Whether the method works on ranks, so that it can place a worst rank.
    pub(crate) ranks: bool,
}

/// Returns the column of the longitudinal data set that holds a measure.
pub(crate) fn column_of(measure: Measure) -> &'static str {
    match measure {
        Measure::Value => "value",
        Measure::Change => "change",
        Measure::RelativeChange => "relative_change",
        Measure::PercentChange => "percent_change",
    }
}

/// Returns what an estimand says about death; none where it says nothing.
pub(crate) fn death_strategy(estimand: Option<&Estimand>) -> Option<Strategy> {
    estimand?.events.iter().find(|(event, _)| event == "death").map(|(_, strategy)| *strategy)
}

impl Outcomes {
    /// Returns the values of a group (or all), worst ranks as the number `worst`.
    pub(crate) fn values(&self, group: Option<usize>, worst: f64) -> Vec<f64> {
        self.of(group)
            .map(|entry| match entry.outcome {
                Outcome::Value(value) => value,
                Outcome::WorstRank => worst,
            })
            .collect()
    }

    /// Returns the rows of a group, or of all.
    pub(crate) fn rows(&self, group: Option<usize>) -> Vec<usize> {
        self.of(group).map(|entry| entry.row).collect()
    }

    pub(crate) fn of(&self, group: Option<usize>) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| group.is_none() || entry.group == group)
    }
}

/// Returns each participant's value of a numeric column of the subject-level data set.
pub(crate) fn of_variable(data: &DataSets, population: &Population, variable: &str) -> Outcomes {
    let mut outcomes = Outcomes { entries: Vec::new(), excluded: ungrouped(population) };
    for member in &population.members {
        match data.subjects.cell(variable, member.row).number() {
            Some(value) => {
                let outcome = Outcome::Value(value);
                let (group, row) = (member.group, member.row);
                outcomes.entries.push(Entry { group, row, subject_row: row, outcome });
            }
            None => outcomes.excluded.push((member.subject.clone(), format!("no value of {variable}"))),
        }
    }
    outcomes
}

/// Returns each participant's outcome of a parameter at a visit.
pub(crate) fn at_visit(data: &DataSets, population: &Population, wanted: AtVisit<'_>) -> Outcomes {
    let rows = rows_by_subject(&data.longitudinal, wanted.parameter.id.as_str(), wanted.visit.as_str());
    let mut outcomes = Outcomes { entries: Vec::new(), excluded: ungrouped(population) };
    for member in &population.members {
        let own = rows.get(member.subject.as_str()).map_or(&[][..], Vec::as_slice);
        match outcome_of(&data.longitudinal, own, wanted) {
            Ok((row, outcome)) => {
                let (group, subject_row) = (member.group, member.row);
                outcomes.entries.push(Entry { group, row, subject_row, outcome });
            }
            Err(reason) => outcomes.excluded.push((member.subject.clone(), reason)),
        }
    }
    outcomes
}

pub(crate) fn ungrouped(population: &Population) -> Vec<(SubjectId, String)> {
    let reason = |subject: &SubjectId| (subject.clone(), "belongs to no group".to_owned());
    population.ungrouped.iter().map(reason).collect()
}

fn rows_by_subject<'a>(set: &'a Dataset, parameter: &str, visit: &str) -> BTreeMap<&'a str, Vec<usize>> {
    let mut rows: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for row in 0..set.rows() {
        if set.cell("parameter", row).text() == Some(parameter)
            && set.cell("visit", row).text() == Some(visit)
            && let Some(subject) = set.cell("subject", row).text()
        {
            rows.entry(subject).or_default().push(row);
        }
    }
    rows
}

/// Chooses among a participant's rows at the visit: the observed one; after a death what the estimand says; else the rule's.
fn outcome_of(set: &Dataset, own: &[usize], wanted: AtVisit<'_>) -> Result<(usize, Outcome), String> {
    let derived = |rule: &str| own.iter().copied().find(|row| set.cell("derived", *row).text() == Some(rule));
    let observed = own
        .iter()
        .copied()
        .find(|row| set.cell("derived", *row).text().is_none() && set.cell("value", *row).number().is_some());
    if observed.is_none()
        && let Some(row) = derived("death")
    {
        match wanted.death {
            Some(Strategy::WorstRank) if wanted.ranks => return Ok((row, Outcome::WorstRank)),
            Some(Strategy::WorstRank) => return Err("died before: a worst rank is not a value".to_owned()),
            Some(Strategy::NotEstimated) => return Err("died before: not estimated, counted".to_owned()),
            _ => {}
        }
    }
    let carried = match wanted.missing {
        MissingRule::Observed => None,
        MissingRule::LastObservation => derived("locf"),
        MissingRule::WorstCase => derived("worst_case"),
    };
    let visit = wanted.visit;
    let row = observed.or(carried).ok_or_else(|| match wanted.missing {
        MissingRule::Observed => format!("no value at {visit}"),
        MissingRule::LastObservation => format!("no value after baseline up to {visit}"),
        MissingRule::WorstCase => format!("no value at {visit}, and nothing observed to take the worst of"),
    })?;
    if let Some(value) = set.cell(column_of(wanted.measure), row).number() {
        return Ok((row, Outcome::Value(value)));
    }
    Err(match set.cell("baseline", row).number() {
        None => "no baseline value".to_owned(),
        Some(0.0) => "baseline is 0, which gives no ratio".to_owned(),
        Some(_) => format!("no change from baseline at {visit}"),
    })
}

/// Returns a member's level of a variable, if it has one.
pub(crate) fn level_of(data: &DataSets, member: &Member, variable: &str) -> Option<String> {
    data.subjects.cell(variable, member.row).level()
}
