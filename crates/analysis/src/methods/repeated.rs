//! Participants with their outcomes at several visits, as mixed models and imputations take them.

use std::collections::{BTreeMap, BTreeSet};

use datasets::{DataSets, Dataset};
use protocol::model::{Measure, Parameter, RepeatedModel};
use terms::{AnalysisId, SubjectId};

use super::Precision;
use super::ancova::coded;
use crate::{
    PlanError,
    outcome::{column_of, ungrouped},
    population::{Member, Population},
    records::Chosen,
    sheet::RowSets,
};

/// A participant's outcomes and what explains them.
pub(crate) struct Person {
    pub(crate) group: Option<usize>,
    pub(crate) subject_row: usize,
    /// By visit, the row that holds the outcome.
    pub(crate) rows: Vec<Option<usize>>,
    /// By visit, the outcome.
    pub(crate) outcomes: Vec<Option<f64>>,
    /// Covariates with a slope at each visit, then those with one slope.
    pub(crate) covariates: Vec<f64>,
    /// Levels of the factors, as places.
    pub(crate) factors: Vec<usize>,
}

/// Everybody who can be in the model.
pub(crate) struct Repeated<'a> {
    pub(crate) dataset: String,
    pub(crate) columns: Vec<&'a str>,
    pub(crate) precision: Precision,
    pub(crate) visits: Vec<String>,
    /// The visit that is analysed.
    pub(crate) at: usize,
    pub(crate) people: Vec<Person>,
    pub(crate) by_visit: usize,
    /// The number of levels of each factor.
    pub(crate) levels: Vec<usize>,
    /// Who is not in the model, and why.
    pub(crate) excluded: Vec<(SubjectId, String)>,
}

/// Where outcomes come from.
pub(crate) enum Source<'a> {
    /// A parameter's own rows, one a visit.
    Parameter { parameter: &'a Parameter, measure: Measure, visit: &'a str },
    /// Rows from elsewhere.
    Rows { chosen: &'a Chosen<'a>, column: &'a str, decimals: u32 },
}

impl<'a> Repeated<'a> {
    /// Participants that are at hand, with the baseline as the one covariate if there is one, and nothing to be written
    /// down of them.
    pub(crate) fn of_people(model: &RepeatedModel, at: usize, people: Vec<Person>) -> Self {
        Self {
            dataset: String::new(),
            columns: Vec::new(),
            precision: Precision { value: 0, summary: 0, spread: 0 },
            visits: model.visits.clone(),
            at,
            people,
            by_visit: model.covariates_by_visit.len(),
            levels: Vec::new(),
            excluded: Vec::new(),
        }
    }

    /// Reads participants. One without a covariate or factor is left out and listed; so is one without any outcome where
    /// `with_outcome`, and one who died before the visit where values would be imputed.
    pub(crate) fn read(
        data: &'a DataSets,
        population: &Population,
        source: &Source<'a>,
        model: &RepeatedModel,
        with_outcome: bool,
        analysis: &AnalysisId,
    ) -> Result<Self, PlanError> {
        let (set, column, precision, at) = match source {
            Source::Parameter { parameter, measure, visit } => (
                &data.longitudinal,
                column_of(*measure),
                crate::run::precision_of(parameter.decimals, *measure),
                model.visits.iter().position(|own| own == visit).unwrap_or_default(),
            ),
            Source::Rows { chosen, column, decimals } => (
                chosen.set,
                *column,
                Precision { value: *decimals, summary: decimals + 1, spread: decimals + 2 },
                model.visits.len().saturating_sub(1),
            ),
        };
        let mut frame = Self {
            dataset: set.name.clone(),
            columns: vec![column],
            precision,
            visits: model.visits.clone(),
            at,
            people: Vec::new(),
            by_visit: model.covariates_by_visit.len(),
            levels: Vec::new(),
            excluded: ungrouped(population),
        };
        let own_rows = rows_of(data, population, source, model);
        let dead = if with_outcome { BTreeSet::new() } else { died_before(data, source) };
        let mut codes: Vec<Vec<String>> = vec![Vec::new(); model.factors.len()];
        for (place, member) in population.members.iter().enumerate() {
            if dead.contains(member.subject.as_str()) {
                let reason = "died before: there is no value to impute".to_owned();
                frame.excluded.push((member.subject.clone(), reason));
                continue;
            }
            let rows = own_rows.get(&place).map_or(&[][..], Vec::as_slice);
            match read_person(data, set, column, member, rows, source, model, analysis)? {
                Ok((person, own_codes)) => {
                    if with_outcome && person.outcomes.iter().all(Option::is_none) {
                        let reason = "no value at any of the model's visits".to_owned();
                        frame.excluded.push((member.subject.clone(), reason));
                        continue;
                    }
                    for (column, code) in codes.iter_mut().zip(own_codes) {
                        column.push(code);
                    }
                    frame.people.push(person);
                }
                Err(reason) => frame.excluded.push((member.subject.clone(), reason)),
            }
        }
        for own in &codes {
            let (levels, places) = coded(own);
            frame.levels.push(levels);
            for (person, place) in frame.people.iter_mut().zip(places) {
                person.factors.push(place);
            }
        }
        Ok(frame)
    }

    /// The covariates of a participant as if in a group: a constant, groups but the first, covariates with a slope
    /// at each visit, then levels of factors but the first and covariates with one slope.
    pub(crate) fn covariates(&self, groups: usize, person: &Person, group: usize) -> Vec<f64> {
        let level = |own: usize, level: usize| f64::from(u8::from(own == level));
        let mut row = vec![1.0];
        row.extend((1..groups.max(1)).map(|other| level(group, other)));
        row.extend(&person.covariates[..self.by_visit]);
        for (own, levels) in person.factors.iter().zip(&self.levels) {
            row.extend((1..*levels).map(|other| level(*own, other)));
        }
        row.extend(&person.covariates[self.by_visit..]);
        row
    }

    /// Which of these have a coefficient of their own at each visit.
    pub(crate) fn crossed(&self, groups: usize) -> Vec<bool> {
        let own = groups.max(1) + self.by_visit;
        let levels: usize = self.levels.iter().map(|levels| levels.saturating_sub(1)).sum();
        let covariates = self.people.first().map_or(self.by_visit, |person| person.covariates.len());
        let common = levels + covariates - self.by_visit;
        [vec![true; own], vec![false; common]].concat()
    }

    /// The covariates for which a group's least-squares mean is given: at their mean over all observations, factors with
    /// equal weights.
    pub(crate) fn average(&self, groups: usize, group: usize) -> Vec<f64> {
        let mut sums = vec![0.0; self.people.first().map_or(0, |person| person.covariates.len())];
        let mut observations = 0.0;
        for person in &self.people {
            let own = person.outcomes.iter().flatten().count() as f64;
            observations += own;
            for (sum, value) in sums.iter_mut().zip(&person.covariates) {
                *sum += own * value;
            }
        }
        for sum in &mut sums {
            *sum /= observations;
        }
        let level = |other: usize| f64::from(u8::from(group == other));
        let mut row = vec![1.0];
        row.extend((1..groups.max(1)).map(level));
        row.extend(&sums[..self.by_visit]);
        for levels in &self.levels {
            row.extend((1..*levels).map(|_| 1.0 / *levels as f64));
        }
        row.extend(&sums[self.by_visit..]);
        row
    }

    /// The place of the rows of a group, or of all, among the sets of rows.
    pub(crate) fn place(&self, sets: &mut RowSets, group: Option<usize>) -> usize {
        let own = self.people.iter().filter(|person| group.is_none() || person.group == group);
        let mut rows: Vec<usize> = own.flat_map(|person| person.rows.iter().flatten().copied()).collect();
        rows.sort_unstable();
        sets.place(&self.dataset, rows, &self.columns)
    }
}

/// Who had died by the visit that is analysed.
fn died_before<'d>(data: &'d DataSets, source: &Source<'_>) -> BTreeSet<&'d str> {
    let Source::Parameter { parameter, visit, .. } = source else { return BTreeSet::new() };
    let set = &data.longitudinal;
    let of_death = |row: &usize| {
        set.cell("parameter", *row).text() == Some(parameter.id.as_str())
            && set.cell("visit", *row).text() == Some(visit)
            && set.cell("derived", *row).text() == Some("death")
    };
    (0..set.rows()).filter(of_death).filter_map(|row| set.cell("subject", row).text()).collect()
}

/// Each participant's rows: of the parameter, or those chosen.
fn rows_of(
    data: &DataSets,
    population: &Population,
    source: &Source<'_>,
    model: &RepeatedModel,
) -> BTreeMap<usize, Vec<usize>> {
    match source {
        Source::Rows { chosen, .. } => {
            (0..population.members.len()).map(|place| (place, chosen.of(place).to_vec())).collect()
        }
        Source::Parameter { parameter, .. } => {
            let places: BTreeMap<&str, usize> =
                population.members.iter().enumerate().map(|(i, one)| (one.subject.as_str(), i)).collect();
            let set = &data.longitudinal;
            let mut rows: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
            for row in 0..set.rows() {
                let wanted = set.cell("parameter", row).text() == Some(parameter.id.as_str())
                    && set.cell("derived", row).text().is_none()
                    && set.cell("visit", row).text().is_some_and(|own| model.visits.iter().any(|v| v == own));
                let subject = set.cell("subject", row).text();
                if let (true, Some(place)) = (wanted, subject.and_then(|subject| places.get(subject))) {
                    rows.entry(*place).or_default().push(row);
                }
            }
            rows
        }
    }
}

/// A participant, or why there is none; an error where a visit has two outcomes.
#[expect(clippy::too_many_arguments, reason = "one reader of one row of everything")]
fn read_person(
    data: &DataSets,
    set: &Dataset,
    column: &str,
    member: &Member,
    rows: &[usize],
    source: &Source<'_>,
    model: &RepeatedModel,
    analysis: &AnalysisId,
) -> Result<Result<(Person, Vec<String>), String>, PlanError> {
    let visit_column = model.visit_column.as_deref().unwrap_or("visit");
    let count = model.visits.len();
    let (mut own_rows, mut outcomes) = (vec![None; count], vec![None; count]);
    for row in rows {
        let visit = set.cell(visit_column, *row).level();
        let Some(v) = visit.and_then(|visit| model.visits.iter().position(|own| *own == visit)) else {
            continue;
        };
        let Some(value) = set.cell(column, *row).number() else { continue };
        if let Some(first) = own_rows[v] {
            // Of a study's own rows the first one observed counts, as everywhere.
            if matches!(source, Source::Parameter { .. }) {
                continue;
            }
            return Err(PlanError::SeveralRows {
                analysis: analysis.clone(),
                data: set.name.clone(),
                subject: member.subject.to_string(),
                first: first + 1,
                second: row + 1,
            });
        }
        (own_rows[v], outcomes[v]) = (Some(*row), Some(value));
    }
    let own = rows.first().filter(|_| set.name != data.subjects.name);
    // A parameter's baseline is known of those, too, who have no later row.
    let stem = match source {
        Source::Parameter { parameter, .. } => format!("{}_baseline", parameter.id.as_str().to_lowercase()),
        Source::Rows { .. } => String::new(),
    };
    let number = |name: &String| {
        let of_row = own.filter(|_| set.column(name).is_some()).and_then(|row| set.cell(name, *row).number());
        let of_subject = if name == "baseline" && !stem.is_empty() { stem.as_str() } else { name.as_str() };
        of_row
            .or_else(|| data.subjects.cell(of_subject, member.row).number())
            .ok_or_else(|| format!("no value of {name}"))
    };
    let code = |name: &String| {
        let of_row = own.filter(|_| set.column(name).is_some()).and_then(|row| set.cell(name, *row).level());
        of_row
            .or_else(|| data.subjects.cell(name, member.row).level())
            .ok_or_else(|| format!("no value of {name}"))
    };
    let covariates: Result<Vec<f64>, String> =
        model.covariates_by_visit.iter().chain(&model.covariates).map(number).collect();
    let codes: Result<Vec<String>, String> = model.factors.iter().map(code).collect();
    Ok(covariates.and_then(|covariates| {
        let person = Person {
            group: member.group,
            subject_row: member.row,
            rows: own_rows,
            outcomes,
            covariates,
            factors: Vec::new(),
        };
        Ok((person, codes?))
    }))
}

/// The covariance structure of the statistics crate.
pub(crate) fn covariance(of: protocol::model::VisitCovariance) -> statistics::mixed::Covariance {
    use protocol::model::VisitCovariance as Plan;
    use statistics::mixed::Covariance;
    match of {
        Plan::Unstructured => Covariance::Unstructured,
        Plan::Toeplitz => Covariance::Toeplitz,
        Plan::HeterogeneousToeplitz => Covariance::HeterogeneousToeplitz,
        Plan::Autoregressive => Covariance::Autoregressive,
        Plan::HeterogeneousAutoregressive => Covariance::HeterogeneousAutoregressive,
        Plan::CompoundSymmetry => Covariance::CompoundSymmetry,
        Plan::HeterogeneousCompoundSymmetry => Covariance::HeterogeneousCompoundSymmetry,
        Plan::AnteDependence => Covariance::AnteDependence,
        Plan::HeterogeneousAnteDependence => Covariance::HeterogeneousAnteDependence,
    }
}

/// The covariance structure in words.
pub(crate) fn covariance_words(of: protocol::model::VisitCovariance) -> &'static str {
    use protocol::model::VisitCovariance as Plan;
    match of {
        Plan::Unstructured => "unstructured",
        Plan::Toeplitz => "Toeplitz",
        Plan::HeterogeneousToeplitz => "heterogeneous Toeplitz",
        Plan::Autoregressive => "autoregressive",
        Plan::HeterogeneousAutoregressive => "heterogeneous autoregressive",
        Plan::CompoundSymmetry => "compound symmetry",
        Plan::HeterogeneousCompoundSymmetry => "heterogeneous compound symmetry",
        Plan::AnteDependence => "ante-dependence",
        Plan::HeterogeneousAnteDependence => "heterogeneous ante-dependence",
    }
}

/// What explains the outcome, in words: `visit by group, baseline by visit, site`.
pub(crate) fn model_words(model: &RepeatedModel) -> String {
    let mut parts = vec![format!("visits {}", model.visits.join(", "))];
    parts.extend(model.covariates_by_visit.iter().map(|name| format!("{name} by visit")));
    parts.extend(model.factors.iter().chain(&model.covariates).cloned());
    format!("{}; {} covariance", parts.join(", "), covariance_words(model.covariance))
}
