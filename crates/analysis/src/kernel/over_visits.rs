//! Mixed models and imputations over several visits of each participant, without a sheet.

use protocol::model::{Mmrm, MultipleImputation, RepeatedModel};
use statistics::{
    Confidence, NotEstimable,
    mixed::{MixedModel, Panel, Workspace, mixed_model},
};

use super::Outcome;
use crate::methods::{Person, Repeated, imputed_estimate, mixed_model_of};

/// Participants with their outcomes at the visits of a model, one after another.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Courses {
    groups: Vec<usize>,
    baselines: Vec<f64>,
    outcomes: Vec<Option<f64>>,
}

impl Courses {
    /// Empties it.
    pub fn clear(&mut self) {
        self.groups.clear();
        self.baselines.clear();
        self.outcomes.clear();
    }

    /// Adds a participant: group, baseline (not read by a model without it) and the outcome at each visit.
    pub fn push(&mut self, group: usize, baseline: f64, outcomes: &[Option<f64>]) {
        self.groups.push(group);
        self.baselines.push(baseline);
        self.outcomes.extend_from_slice(outcomes);
    }

    /// Adds others.
    pub fn extend(&mut self, others: &Self) {
        self.groups.extend_from_slice(&others.groups);
        self.baselines.extend_from_slice(&others.baselines);
        self.outcomes.extend_from_slice(&others.outcomes);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.groups.len()
    }

    /// Whether there is nobody.
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }
}

/// A mixed model with its options read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct OverVisits {
    model: MixedModel,
    visits: usize,
    /// The visit that is analysed.
    at: usize,
    /// Groups, and the two that are compared, the first minus the second; none: a mean against zero.
    groups: usize,
    pair: Option<(usize, usize)>,
    /// Whether the baseline has a slope at each visit, and whether it has one for all of them.
    baseline: [bool; 2],
}

/// Says what else than baselines a model reads of participants.
fn reads_baselines_alone(model: &RepeatedModel) -> Result<(), String> {
    if let Some(factor) = model.factors.first() {
        return Err(format!("its model has the factor {factor}"));
    }
    let covariates = model.covariates_by_visit.iter().chain(&model.covariates);
    match covariates.into_iter().find(|name| *name != "baseline") {
        Some(other) => Err(format!("its model has the covariate {other}")),
        None => Ok(()),
    }
}

/// Memory of one fit after another.
#[derive(Debug, Default)]
pub(super) struct Space {
    fits: Workspace,
    crossed: Vec<bool>,
    panel: Option<Panel>,
    covariates: Vec<f64>,
    weights: Vec<f64>,
}

impl OverVisits {
    pub(super) fn of(
        options: &Mmrm,
        at: &str,
        groups: usize,
        pair: Option<(usize, usize)>,
    ) -> Result<Self, String> {
        let model = &options.model;
        reads_baselines_alone(model)?;
        Ok(Self {
            model: mixed_model_of(options),
            visits: model.visits.len(),
            at: model.visits.iter().position(|visit| visit == at).unwrap_or_default(),
            groups,
            pair,
            baseline: [!model.covariates_by_visit.is_empty(), !model.covariates.is_empty()],
        })
    }

    pub(super) fn reads_baselines(&self) -> bool {
        self.baseline.contains(&true)
    }

    /// A constant, groups but the first, the baseline with a slope at each visit, that with one slope.
    fn covariates(&self, group: Option<usize>, baseline: f64, row: &mut Vec<f64>) {
        row.clear();
        row.push(1.0);
        row.extend((1..self.groups.max(1)).map(|other| f64::from(u8::from(group == Some(other)))));
        row.extend(self.baseline.iter().filter(|has| **has).map(|_| baseline));
    }

    /// Fits the model and returns the difference, or the mean, at the visit that is analysed.
    pub(super) fn run(
        &self,
        courses: &Courses,
        level: Confidence,
        space: &mut Space,
    ) -> Result<Outcome, NotEstimable> {
        let Space { fits, crossed, panel, covariates, weights } = space;
        crossed.clear();
        crossed.resize(self.groups.max(1) + usize::from(self.baseline[0]), true);
        crossed.resize(crossed.len() + usize::from(self.baseline[1]), false);
        let known = panel.take().filter(|panel| {
            let same = |place: usize| panel.is_crossed(place) == crossed[place];
            panel.visits() == self.visits
                && panel.covariates() == crossed.len()
                && (0..crossed.len()).all(same)
        });
        let panel = panel.insert(match known {
            Some(mut known) => {
                known.clear();
                known
            }
            None => Panel::new(self.visits, crossed)?,
        });
        panel.set_intercept(0);
        let (mut sum, mut observations) = (0.0, 0.0);
        let outcomes = courses.outcomes.chunks(self.visits);
        for ((group, baseline), own) in courses.groups.iter().zip(&courses.baselines).zip(outcomes) {
            self.covariates(Some(*group), *baseline, covariates);
            panel.push(covariates, own, *group)?;
            let observed = own.iter().flatten().count() as f64;
            observations += observed;
            sum += observed * baseline;
        }
        let mut fit = mixed_model(fits, panel, self.model)?;
        weights.clear();
        weights.resize(self.visits * crossed.len(), 0.0);
        let mean = sum / observations;
        let own = &mut weights[self.at * crossed.len()..][..crossed.len()];
        self.covariates(self.pair.map(|(first, _)| first).or(Some(0)), mean, covariates);
        own.copy_from_slice(covariates);
        if let Some((_, second)) = self.pair {
            self.covariates(Some(second), mean, covariates);
            own.iter_mut().zip(covariates.iter()).for_each(|(weight, other)| *weight -= other);
        }
        let one = fit.linear_function(weights, level).coefficient;
        Ok(Outcome { estimate: one.estimate, lower: one.interval.lower, upper: one.interval.upper, p: one.p })
    }
}

/// A multiple imputation with its options read.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Imputed {
    options: MultipleImputation,
    at: usize,
    groups: usize,
    pair: Option<(usize, usize)>,
}

impl Imputed {
    pub(super) fn of(
        options: &MultipleImputation,
        at: &str,
        groups: usize,
        pair: Option<(usize, usize)>,
    ) -> Result<Self, String> {
        reads_baselines_alone(&options.model)?;
        if let Some(reason) = &options.reason {
            return Err(format!("what it assumes hangs on {reason}"));
        }
        let at = options.model.visits.iter().position(|visit| visit == at).unwrap_or_default();
        Ok(Self { options: options.clone(), at, groups, pair })
    }

    pub(super) fn reads_baselines(&self) -> bool {
        !(self.options.model.covariates.is_empty() && self.options.model.covariates_by_visit.is_empty())
    }

    pub(super) fn run(&self, courses: &Courses) -> Result<Outcome, NotEstimable> {
        let model = &self.options.model;
        let covariates = model.covariates_by_visit.len() + model.covariates.len();
        let outcomes = courses.outcomes.chunks(model.visits.len());
        let people = courses.groups.iter().zip(&courses.baselines).zip(outcomes);
        let person = |((group, baseline), own): ((&usize, &f64), &[Option<f64>])| Person {
            group: self.pair.map(|_| *group),
            subject_row: 0,
            rows: Vec::new(),
            outcomes: own.to_vec(),
            covariates: vec![*baseline; covariates],
            factors: Vec::new(),
        };
        let frame = Repeated::of_people(model, self.at, people.map(person).collect());
        let one = imputed_estimate(&frame, &self.options, self.groups, self.pair)?;
        Ok(Outcome { estimate: one.estimate, lower: one.interval.lower, upper: one.interval.upper, p: one.p })
    }
}
