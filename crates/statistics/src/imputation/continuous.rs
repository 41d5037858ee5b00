//! Imputation of continuous responses at visits from a mixed model.
//!
//! The model is fitted to what is missing at random; for a participant whom an event took off it, a
//! strategy says which mean the visits from the event on have. Missing responses are then drawn
//! from, or set to the mean of, their distribution given the participant's observed ones.
//! Mathematics: `docs/methods/imputation.md`.

use nalgebra::DMatrix;

use super::streams::{Draws, Use, sample_within};
use crate::mixed::{
    Covariance, DegreesOfFreedom, Fit, Likelihood, MixedModel, Panel, Workspace, mixed_model,
};
use crate::models::Coefficient;
use crate::{Confidence, Interval, NotEstimable, distribution};

/// What is assumed about visits from an event on (Carpenter, Roger and Kenward 2013).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Strategy {
    /// They go on as those of the same arm who stay (missing at random).
    MissingAtRandom,
    /// Their mean is the reference arm's from the event on.
    JumpToReference,
    /// Their mean is the reference arm's throughout, also before the event.
    CopyReference,
    /// Their mean changes from the last visit before the event as the reference arm's does.
    CopyIncrements,
    /// Their mean stays what it was at the last visit before the event.
    LastMeanCarried,
}

/// An event that changes what is assumed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// The first visit after the event.
    pub visit: usize,
    /// What is assumed from it on.
    pub strategy: Strategy,
}

/// Who is imputed, and how: a panel with what the strategies need.
#[derive(Debug, Clone, PartialEq)]
pub struct IncompleteData {
    observed: Panel,
    /// The covariates of each participant as if in the reference arm.
    reference: Vec<f64>,
    events: Vec<Option<Event>>,
    strata: Vec<usize>,
}

/// One participant of [`IncompleteData`].
#[derive(Debug, Clone, Copy)]
pub struct Incomplete<'a> {
    /// Covariates, one value each.
    pub covariates: &'a [f64],
    /// The same covariates if the participant were in the reference arm.
    pub as_reference: &'a [f64],
    /// Responses by visit. Those after an event stay as they are, and do not enter the model unless it is missing at random.
    pub responses: &'a [Option<f64>],
    /// The event, if there was one.
    pub event: Option<Event>,
    /// The stratum within which bootstrap samples are drawn, usually the arm.
    pub stratum: usize,
}

/// How the imputation model is fitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImputationModel {
    /// The covariance structure.
    pub covariance: Covariance,
    /// Which likelihood is maximised; restricted is usual.
    pub likelihood: Likelihood,
}

impl ImputationModel {
    fn whole(self) -> MixedModel {
        MixedModel {
            covariance: self.covariance,
            by_group: false,
            likelihood: self.likelihood,
            degrees: DegreesOfFreedom::Residual,
            sandwich: None,
        }
    }
}

/// The responses of everybody at every visit, participant by participant.
#[derive(Debug, Clone, PartialEq)]
pub struct Completed {
    visits: usize,
    responses: Vec<f64>,
}

impl Completed {
    /// A participant's responses by visit.
    pub fn of(&self, participant: usize) -> &[f64] {
        &self.responses[participant * self.visits..(participant + 1) * self.visits]
    }

    /// The responses of all participants at a visit.
    pub fn at(&self, visit: usize) -> impl Iterator<Item = f64> + '_ {
        self.responses.iter().skip(visit).step_by(self.visits).copied()
    }
}

impl IncompleteData {
    /// Nobody yet; `crossed` says for each covariate whether its coefficient differs by visit.
    ///
    /// # Errors
    /// As [`Panel::new`].
    pub fn new(visits: usize, crossed: &[bool]) -> Result<Self, NotEstimable> {
        Ok(Self {
            observed: Panel::new(visits, crossed)?,
            reference: Vec::new(),
            events: Vec::new(),
            strata: Vec::new(),
        })
    }

    /// Adds a participant; one without any response may be added, too.
    ///
    /// # Errors
    /// A wrong number of covariates or responses, a value that is not finite, or an event beyond the visits.
    pub fn push(&mut self, one: Incomplete<'_>) -> Result<(), NotEstimable> {
        if one.as_reference.len() != self.observed.covariates() {
            let (left, right) = (self.observed.covariates(), one.as_reference.len());
            return Err(NotEstimable::UnequalLengths { left, right });
        }
        if one.as_reference.iter().chain(one.covariates).any(|c| !c.is_finite()) {
            return Err(NotEstimable::NotFinite);
        }
        if one.event.is_some_and(|event| event.visit >= self.observed.visits()) {
            return Err(NotEstimable::OutOfRange { name: "visit of an event" });
        }
        self.observed.push_even_without_response(one.covariates, one.responses, 0)?;
        self.reference.extend_from_slice(one.as_reference);
        self.events.push(one.event);
        self.strata.push(one.stratum);
        Ok(())
    }

    /// Number of participants.
    pub fn participants(&self) -> usize {
        self.events.len()
    }

    /// Number of visits.
    pub fn visits(&self) -> usize {
        self.observed.visits()
    }

    /// A participant's response at a visit, where there is one.
    pub fn response(&self, participant: usize, visit: usize) -> Option<f64> {
        self.observed.response(participant, visit)
    }

    /// -2 log-likelihood of the imputation model at the data themselves.
    ///
    /// # Errors
    /// The reason why the model cannot be fitted.
    pub fn minus_twice_log_likelihood(
        &self,
        space: &mut Workspace,
        model: ImputationModel,
    ) -> Result<f64, NotEstimable> {
        let mut panel = self.observed.clone();
        self.fitted(0..self.participants(), &mut panel)?;
        Ok(mixed_model(space, &panel, model.whole())?.minus_twice_log_likelihood())
    }

    /// The data that the model is fitted to, for the participants of a list (with repetitions).
    ///
    /// Responses after an event are those of another process, unless missing at random is assumed.
    fn fitted(&self, who: impl Iterator<Item = usize>, panel: &mut Panel) -> Result<(), NotEstimable> {
        panel.clear();
        let visits = self.visits();
        let mut responses = vec![None; visits];
        for i in who {
            for (v, slot) in responses.iter_mut().enumerate() {
                let after = self.events[i]
                    .is_some_and(|event| event.strategy != Strategy::MissingAtRandom && v >= event.visit);
                *slot = if after { None } else { self.observed.response(i, v) };
            }
            if responses.iter().any(Option::is_some) {
                panel.push(self.observed.covariates_of(i, 0), &responses, 0)?;
            }
        }
        Ok(())
    }
}

/// Means and covariance that responses are imputed from.
#[derive(Debug, Clone)]
struct Parameters {
    /// b_c(v), `visits` × `covariates`.
    coefficients: Vec<f64>,
    sigma: DMatrix<f64>,
}

fn fit(space: &mut Workspace, panel: &Panel, model: ImputationModel) -> Result<Parameters, NotEstimable> {
    Ok(Parameters::of(&mixed_model(space, panel, model.whole())?, panel.visits()))
}

impl Parameters {
    fn of(fit: &Fit<'_>, visits: usize) -> Self {
        let sigma = DMatrix::from_fn(visits, visits, |s, t| fit.covariance(0, s, t));
        Self { coefficients: fit.coefficients_by_visit(), sigma }
    }

    fn mean(&self, covariates: &[f64], visit: usize) -> f64 {
        let k = covariates.len();
        covariates.iter().zip(&self.coefficients[visit * k..(visit + 1) * k]).map(|(u, b)| u * b).sum()
    }
}

/// The mean of each visit under a participant's strategy.
fn means(data: &IncompleteData, i: usize, parameters: &Parameters, out: &mut Vec<f64>) {
    let (visits, k) = (data.visits(), data.observed.covariates());
    let own = data.observed.covariates_of(i, 0);
    let reference = &data.reference[i * k..(i + 1) * k];
    out.clear();
    out.extend((0..visits).map(|v| parameters.mean(own, v)));
    let Some(Event { visit, strategy }) = data.events[i] else { return };
    let of_reference = |v: usize| parameters.mean(reference, v);
    match strategy {
        Strategy::MissingAtRandom => {}
        Strategy::CopyReference => {
            for (v, mean) in out.iter_mut().enumerate() {
                *mean = of_reference(v);
            }
        }
        // With no visit before the event there is nothing to go on from but the reference.
        Strategy::CopyIncrements if visit > 0 => {
            let from = out[visit - 1] - of_reference(visit - 1);
            for (v, mean) in out.iter_mut().enumerate().skip(visit) {
                *mean = from + of_reference(v);
            }
        }
        Strategy::LastMeanCarried if visit > 0 => {
            let last = out[visit - 1];
            out[visit..].fill(last);
        }
        Strategy::JumpToReference | Strategy::CopyIncrements | Strategy::LastMeanCarried => {
            for (v, mean) in out.iter_mut().enumerate().skip(visit) {
                *mean = of_reference(v);
            }
        }
    }
}

/// The regression of missing on observed visits for one pattern of observed ones.
struct Regression {
    mask: u64,
    seen: Vec<usize>,
    missing: Vec<usize>,
    /// Σ_mo Σ_oo⁻¹.
    slope: DMatrix<f64>,
    /// The Cholesky factor of Σ_mm - Σ_mo Σ_oo⁻¹ Σ_om.
    root: DMatrix<f64>,
}

impl Regression {
    fn new(sigma: &DMatrix<f64>, mask: u64) -> Result<Self, NotEstimable> {
        let (seen, missing): (Vec<usize>, Vec<usize>) = (0..sigma.nrows()).partition(|v| mask >> v & 1 == 1);
        let across = sigma.select_rows(&missing).select_columns(&seen);
        let slope = if seen.is_empty() {
            across.clone()
        } else {
            let own = sigma.select_rows(&seen).select_columns(&seen);
            let factor = own.cholesky().ok_or(NotEstimable::SingularCovariance)?;
            factor.solve(&across.transpose()).transpose()
        };
        let rest = sigma.select_rows(&missing).select_columns(&missing) - &slope * across.transpose();
        let root = rest.cholesky().ok_or(NotEstimable::SingularCovariance)?.l();
        Ok(Self { mask, seen, missing, slope, root })
    }
}

/// Fills the missing responses: with their conditional means, or with draws where `draws` gives a stream.
fn complete(
    data: &IncompleteData,
    parameters: &Parameters,
    mut draws: impl FnMut(usize) -> Option<Draws>,
    only: impl Iterator<Item = usize>,
    out: &mut Completed,
) -> Result<(), NotEstimable> {
    let visits = data.visits();
    let mut regressions: Vec<Regression> = Vec::new();
    let (mut mean, mut shift, mut noise) = (Vec::with_capacity(visits), Vec::new(), Vec::new());
    out.visits = visits;
    out.responses.clear();
    for i in only {
        let mask = data.observed.mask(i);
        let start = out.responses.len();
        out.responses.extend((0..visits).map(|v| data.observed.response(i, v).unwrap_or(0.0)));
        if mask.count_ones() as usize == visits {
            continue;
        }
        let at = match regressions.iter().position(|r| r.mask == mask) {
            Some(at) => at,
            None => {
                regressions.push(Regression::new(&parameters.sigma, mask)?);
                regressions.len() - 1
            }
        };
        let regression = &regressions[at];
        means(data, i, parameters, &mut mean);
        shift.clear();
        shift.resize(regression.missing.len(), 0.0);
        for (v, column) in regression.seen.iter().zip(regression.slope.column_iter()) {
            let distance = out.responses[start + v] - mean[*v];
            for (slot, slope) in shift.iter_mut().zip(&column) {
                *slot += distance * slope;
            }
        }
        if let Some(mut stream) = draws(i) {
            noise.clear();
            noise.extend(regression.missing.iter().map(|_| stream.normal()));
            for (row, slot) in shift.iter_mut().enumerate() {
                *slot += (0..=row).map(|j| regression.root[(row, j)] * noise[j]).sum::<f64>();
            }
        }
        for (v, shift) in regression.missing.iter().zip(&shift) {
            out.responses[start + v] = mean[*v] + shift;
        }
    }
    Ok(())
}

/// Where the parameters of one imputation come from; either stands for a draw from their posterior distribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ParameterDraw {
    /// The fit to a bootstrap sample of participants within strata (approximate Bayes).
    Bootstrap,
    /// The asymptotic normal distribution of the fit to the data themselves.
    Normal,
}

/// Attempts at parameters that can be used, per imputation.
const ATTEMPTS_MAX: u32 = 20;

/// Draws one imputation.
///
/// The parameters are drawn first, then the missing responses given these and the participant's own observed ones. A bootstrap
/// sample that cannot be fitted, or a covariance that is not positive definite, is followed by another, up to 20.
///
/// # Errors
/// The reason why the data or the last sample could not be fitted.
pub fn draw_imputation(
    space: &mut Workspace,
    data: &IncompleteData,
    model: ImputationModel,
    from: ParameterDraw,
    seed: u64,
    imputation: usize,
) -> Result<Completed, NotEstimable> {
    let mut panel = data.observed.clone();
    if from == ParameterDraw::Normal {
        data.fitted(0..data.participants(), &mut panel)?;
    }
    let mut last = NotEstimable::NoObservations;
    for attempt in 0..ATTEMPTS_MAX {
        let drawn = match from {
            ParameterDraw::Bootstrap => {
                let mut stream = Draws::of(seed, imputation, Use::Sample(attempt));
                let sample = sample_within(&data.strata, &mut stream);
                data.fitted(sample.into_iter(), &mut panel).and_then(|()| fit(space, &panel, model))
            }
            ParameterDraw::Normal => {
                let mut stream = Draws::of(seed, imputation, Use::Parameters(attempt));
                let mut fit = mixed_model(space, &panel, model.whole())?;
                fit.move_to_draw(|| stream.normal()).map(|()| Parameters::of(&fit, data.visits()))
            }
        };
        match drawn {
            Ok(parameters) => {
                let mut out = Completed { visits: 0, responses: Vec::new() };
                let stream = |i| Some(Draws::of(seed, imputation, Use::Responses(i)));
                complete(data, &parameters, stream, 0..data.participants(), &mut out)?;
                return Ok(out);
            }
            Err(reason) => last = reason,
        }
    }
    Err(last)
}

/// Sets the missing responses to their conditional means at the parameters of the data themselves.
///
/// # Errors
/// The reason why the model cannot be fitted.
pub fn conditional_mean(
    space: &mut Workspace,
    data: &IncompleteData,
    model: ImputationModel,
) -> Result<Completed, NotEstimable> {
    let mut panel = data.observed.clone();
    data.fitted(0..data.participants(), &mut panel)?;
    let parameters = fit(space, &panel, model)?;
    let mut out = Completed { visits: 0, responses: Vec::new() };
    complete(data, &parameters, |_| None, 0..data.participants(), &mut out)?;
    Ok(out)
}

/// An estimate from conditional means, with its jackknife error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Jackknife {
    /// The estimate from all participants.
    pub estimate: f64,
    /// √((n - 1)/n Σ (θ₍ᵢ₎ - mean)²); its distribution is taken as normal.
    pub se: f64,
}

impl Jackknife {
    /// Test against zero and interval by the normal distribution.
    ///
    /// # Errors
    /// [`NotEstimable::ZeroVariance`] without error.
    pub fn coefficient(&self, confidence: Confidence) -> Result<Coefficient, NotEstimable> {
        if self.se <= 0.0 {
            return Err(NotEstimable::ZeroVariance);
        }
        let t = self.estimate / self.se;
        Ok(Coefficient {
            estimate: self.estimate,
            se: self.se,
            t,
            p: distribution::normal_two_sided(t),
            interval: Interval::around(self.estimate, confidence.z() * self.se),
        })
    }
}

/// Imputes by conditional means, analyses, and leaves out each participant in turn for the error.
///
/// `analyse` is given the completed responses and, in the same order, whom they are of.
///
/// # Errors
/// The reason why a model cannot be fitted or `analyse` has no estimate.
pub fn jackknife(
    space: &mut Workspace,
    data: &IncompleteData,
    model: ImputationModel,
    mut analyse: impl FnMut(&Completed, &[usize]) -> Result<f64, NotEstimable>,
) -> Result<Jackknife, NotEstimable> {
    let everybody: Vec<usize> = (0..data.participants()).collect();
    let estimate = analyse(&conditional_mean(space, data, model)?, &everybody)?;
    let mut panel = data.observed.clone();
    let mut out = Completed { visits: 0, responses: Vec::new() };
    let mut left = Vec::with_capacity(everybody.len());
    let mut estimates = Vec::with_capacity(everybody.len());
    for out_one in 0..data.participants() {
        left.clear();
        left.extend(everybody.iter().copied().filter(|i| *i != out_one));
        data.fitted(left.iter().copied(), &mut panel)?;
        let parameters = fit(space, &panel, model)?;
        complete(data, &parameters, |_| None, left.iter().copied(), &mut out)?;
        estimates.push(analyse(&out, &left)?);
    }
    let n = estimates.len() as f64;
    let mean = estimates.iter().sum::<f64>() / n;
    let spread: f64 = estimates.iter().map(|e| (e - mean).powi(2)).sum();
    Ok(Jackknife { estimate, se: (spread * (n - 1.0) / n).sqrt() })
}

/// Adds `delta(participant, visit)` to every imputed response; observed ones stay.
pub fn adjust_by_delta(
    completed: &mut Completed,
    data: &IncompleteData,
    delta: impl Fn(usize, usize) -> f64,
) {
    let visits = completed.visits;
    for (place, response) in completed.responses.iter_mut().enumerate() {
        let (i, v) = (place / visits, place % visits);
        if data.response(i, v).is_none() {
            *response += delta(i, v);
        }
    }
}

/// The δ between `from` and `to` at which a conclusion changes, to within `precision`.
///
/// `holds(δ)` says whether the conclusion still holds; it is assumed to change once. `None` if it does not hold at
/// `from`, or still holds at `to`.
///
/// # Errors
/// What `holds` answers.
pub fn tipping_point(
    from: f64,
    to: f64,
    precision: f64,
    mut holds: impl FnMut(f64) -> Result<bool, NotEstimable>,
) -> Result<Option<f64>, NotEstimable> {
    if !(from.is_finite() && to.is_finite() && precision > 0.0) {
        return Err(NotEstimable::OutOfRange { name: "range of the tipping point" });
    }
    if !holds(from)? || holds(to)? {
        return Ok(None);
    }
    let (mut inside, mut outside) = (from, to);
    while (outside - inside).abs() > precision {
        let middle = 0.5 * (inside + outside);
        if middle == inside || middle == outside {
            break;
        }
        if holds(middle)? {
            inside = middle;
        } else {
            outside = middle;
        }
    }
    Ok(Some(outside))
}
