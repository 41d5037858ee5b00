//! A fitted model: estimates with their errors and degrees of freedom.
//!
//! All quadratic forms are taken in the coordinates in which X'V⁻¹X is the identity (*whitened*),
//! where the model-based variance of a contrast is its squared length. Mathematics:
//! `docs/methods/mmrm_satterthwaite.md`, `docs/methods/mmrm_kenward_roger.md`.

use nalgebra::{DMatrix, SymmetricEigen};

use super::Covariance;
use super::optimise::Converged;
use super::panel::{DesignPanel, Panel};
use super::workspace::Workspace;
use crate::kernel::{
    add_scaled, dot, invert_lower, lower_transposed_times_itself, multiply, solve_lower,
    solve_lower_transposed, whiten,
};
use crate::models::Coefficient;
use crate::{Confidence, Interval, NotEstimable, distribution};

/// Which likelihood is maximised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Likelihood {
    /// Of the residual contrasts (REML).
    Restricted,
    /// Of all responses (ML).
    Full,
}

/// How degrees of freedom, and with Kenward and Roger's methods the errors, come about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DegreesOfFreedom {
    /// Satterthwaite's, from the observed information.
    Satterthwaite,
    /// Kenward and Roger's without the second derivatives of Σ, which does not depend on how Σ is parametrised.
    KenwardRoger,
    /// Kenward and Roger's with the second derivatives of Σ in mmrm's parametrisation.
    KenwardRogerSecondOrder,
    /// Participants or observations less coefficients, by whether an effect varies within participants.
    BetweenWithin,
    /// Observations less coefficients.
    Residual,
}

/// The covariance of the coefficients where that of the responses is not trusted (sandwich, by participant).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sandwich {
    /// Residual products as they are (CR0).
    Unadjusted,
    /// Residuals over the root of one minus their leverage (CR2).
    BiasReduced,
    /// Residuals over one minus their leverage, close to the jackknife (CR3).
    Jackknife,
}

/// What is fitted to a panel, and how its errors are formed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MixedModel {
    /// The covariance structure over visits.
    pub covariance: Covariance,
    /// Whether each of the panel's groups has parameters of its own.
    pub by_group: bool,
    /// Which likelihood is maximised.
    pub likelihood: Likelihood,
    /// How degrees of freedom come about.
    pub degrees: DegreesOfFreedom,
    /// `None` for errors from the model; Kenward and Roger's degrees need that.
    pub sandwich: Option<Sandwich>,
}

impl MixedModel {
    /// The usual primary analysis: unstructured, restricted likelihood, Kenward and Roger's degrees of freedom.
    pub const PRIMARY: Self = Self {
        covariance: Covariance::Unstructured,
        by_group: false,
        likelihood: Likelihood::Restricted,
        degrees: DegreesOfFreedom::KenwardRoger,
        sandwich: None,
    };
}

/// A linear function of the coefficients.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MixedEstimate {
    /// Estimate, error, test against zero and interval.
    pub coefficient: Coefficient,
    /// Degrees of freedom.
    pub df: f64,
}

/// A test that several linear functions are zero.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct JointTest {
    /// The statistic, scaled with Kenward and Roger's methods.
    pub f: f64,
    /// Numerator degrees of freedom.
    pub df_numerator: f64,
    /// Denominator degrees of freedom.
    pub df_denominator: f64,
    /// P-value.
    pub p: f64,
}

/// What a fit leaves in the workspace for its estimates.
#[derive(Debug, Clone, Default)]
pub(super) struct Stored {
    /// Covariance of the whitened coefficients; empty for the identity.
    omega: Vec<f64>,
    /// Covariance of the tangents.
    tangents: Vec<f64>,
    /// By participant, s_i's_i and z_i of the sandwich's degrees of freedom.
    clusters: Vec<f64>,
    contrast: Vec<f64>,
    slopes: Vec<f64>,
    parameters: Vec<f64>,
    scratch: Vec<f64>,
}

/// A fitted model, in the workspace it was fitted in.
#[derive(Debug)]
pub struct Fit<'w> {
    space: &'w mut Workspace,
    model: MixedModel,
    converged: Converged,
}

/// Fits a model.
///
/// # Errors
/// Data that cannot be fitted, each with its reason: dependent columns, a participant, visit or pair of visits with too little in
/// it, a perfect fit, a covariance that tends to a singular one or that the data do not determine, no convergence.
pub fn mixed_model<'w>(
    space: &'w mut Workspace,
    panel: &Panel,
    model: MixedModel,
) -> Result<Fit<'w>, NotEstimable> {
    let kenward_roger =
        matches!(model.degrees, DegreesOfFreedom::KenwardRoger | DegreesOfFreedom::KenwardRogerSecondOrder);
    if kenward_roger && (model.sandwich.is_some() || model.likelihood == Likelihood::Full) {
        return Err(NotEstimable::OutOfRange {
            name: "Kenward-Roger without restricted likelihood or with a sandwich",
        });
    }
    let restricted = model.likelihood == Likelihood::Restricted;
    space.load(panel, model.covariance, model.by_group, restricted)?;
    let converged = space.maximise()?;
    let mut fit = Fit { space, model, converged };
    fit.set_tangent_covariance()?;
    fit.space.result.omega.clear();
    if kenward_roger {
        fit.set_kenward_roger(model.degrees == DegreesOfFreedom::KenwardRogerSecondOrder);
    } else if let Some(kind) = model.sandwich {
        fit.set_sandwich(kind)?;
    }
    Ok(fit)
}

impl Fit<'_> {
    /// -2 log-likelihood at the maximum, restricted or full.
    pub fn minus_twice_log_likelihood(&self) -> f64 {
        let space = &self.space;
        let (n, p) = (space.observations as f64, space.p as f64);
        let free = if space.restricted { n - p } else { n };
        let mut value =
            self.converged.value + free * ((2.0 * std::f64::consts::PI).ln() + 2.0 * space.scale.ln());
        if space.restricted {
            for d in 0..space.k {
                let times = if d < space.crossed { space.visits } else { 1 };
                value += 2.0 * times as f64 * space.triangle[d * space.k + d].ln();
            }
        }
        value
    }

    /// Number of covariance parameters.
    pub fn covariance_parameters(&self) -> usize {
        self.space.theta.len()
    }

    /// Akaike's criterion; only covariance parameters count.
    pub fn aic(&self) -> f64 {
        self.minus_twice_log_likelihood() + 2.0 * self.covariance_parameters() as f64
    }

    /// Schwarz's criterion with the number of participants; only covariance parameters count.
    pub fn bic(&self) -> f64 {
        let count = self.covariance_parameters() as f64;
        self.minus_twice_log_likelihood() + (self.space.participants as f64).ln() * count
    }

    /// Number of participants.
    pub fn participants(&self) -> usize {
        self.space.participants
    }

    /// Number of observations.
    pub fn observations(&self) -> usize {
        self.space.observations
    }

    /// How much -2ℓ could still fall by the last Newton step, at most 1e-10.
    pub fn decrement(&self) -> f64 {
        self.converged.decrement
    }

    /// Newton steps taken.
    pub fn steps(&self) -> u32 {
        self.converged.steps
    }

    /// The coefficients b_c(v), visit by visit, in the panel's order of covariates.
    pub fn coefficients_by_visit(&self) -> Vec<f64> {
        let (space, k) = (&self.space, self.space.k);
        let mut out = vec![0.0; space.visits * k];
        let mut own = vec![0.0; k];
        for v in 0..space.visits {
            // R b = γ, from the last covariate up.
            for d in (0..k).rev() {
                let column = space.column(v, d);
                let mut value = space.least_squares[column] + space.scale * space.gamma[column];
                for e in d + 1..k {
                    value -= space.triangle[d * k + e] * own[e];
                }
                own[d] = value / space.triangle[d * k + d];
                out[v * k + space.order[d]] = own[d];
            }
        }
        out
    }

    /// The covariance of two visits in a group.
    pub fn covariance(&self, group: usize, s: usize, t: usize) -> f64 {
        let space = &self.space;
        space.sigma[group].matrix[s * space.visits + t] * space.scale * space.scale
    }

    /// The covariance parameters on mmrm's scales, group by group.
    pub fn theta(&self) -> Vec<f64> {
        let (space, count) = (&self.space, self.space.per_group());
        let scales = self.model.covariance.scales(space.visits);
        let shift = |(i, v): (usize, &f64)| if i % count < scales { v + space.scale.ln() } else { *v };
        space.theta.iter().enumerate().map(shift).collect()
    }

    /// Covariance of θ from the observed information, whose factor the search left; then of the tangents.
    fn set_tangent_covariance(&mut self) -> Result<(), NotEstimable> {
        let q = self.space.derivatives.gradient.len();
        let mut result = std::mem::take(&mut self.space.result);
        result.parameters.clear();
        result.parameters.resize(q * q, 0.0);
        let mut factor = std::mem::take(&mut self.space.small);
        factor.clear();
        factor.extend_from_slice(&self.space.derivatives.hessian);
        let solved = crate::kernel::cholesky(&mut factor, q);
        if solved.is_some() {
            invert_lower(&mut factor, q);
            lower_transposed_times_itself(&factor, q, &mut result.parameters);
            // The Hessian is that of -2ℓ.
            for v in &mut result.parameters {
                *v *= 2.0;
            }
            self.space.push_forward(&result.parameters, &mut result.tangents);
        }
        self.space.small = factor;
        self.space.result = result;
        solved.map(|_| ()).ok_or(NotEstimable::NotIdentified)
    }

    /// Ω = I + 2 L⁻¹[Σ ω_ab (Q_ab - P_aΦP_b - R_ab/4)]L⁻ᵀ, R with second derivatives only.
    fn set_kenward_roger(&mut self, second_order: bool) {
        let mut result = std::mem::take(&mut self.space.result);
        let space = &mut *self.space;
        let (p, count) = (space.p, space.groups * space.tangents());
        let omega = &mut result.omega;
        omega.clear();
        omega.resize(p * p, 0.0);
        let buffer = &mut result.scratch;
        space.sum_outer_products(&result.tangents, &result.parameters, second_order, omega, buffer);
        buffer.clear();
        buffer.resize(2 * p * p, 0.0);
        let (scratch, mixed) = buffer.split_at_mut(p * p);
        whiten(&space.factor, p, omega, scratch);
        for a in 0..count {
            mixed.fill(0.0);
            for b in 0..count {
                let own = &space.derivatives.whitened[b * p * p..(b + 1) * p * p];
                add_scaled(mixed, result.tangents[a * count + b], own);
            }
            let own = &space.derivatives.whitened[a * p * p..(a + 1) * p * p];
            multiply(own, mixed, p, scratch);
            add_scaled(omega, -1.0, scratch);
        }
        for i in 0..p {
            for j in 0..=i {
                // Symmetric up to rounding.
                let value = omega[i * p + j] + omega[j * p + i] + f64::from(u8::from(i == j));
                omega[i * p + j] = value;
                omega[j * p + i] = value;
            }
        }
        self.space.result = result;
    }

    /// Moves to parameters drawn from their asymptotic normal distribution: θ from that of the observed information, then
    /// the coefficients given θ. Coefficients and covariance are those drawn afterwards; estimates and tests have no meaning.
    ///
    /// # Errors
    /// [`NotEstimable::SingularCovariance`] where the covariance at the θ drawn is not positive definite.
    pub(crate) fn move_to_draw(&mut self, mut normal: impl FnMut() -> f64) -> Result<(), NotEstimable> {
        let q = self.space.theta.len();
        let mut factor = self.space.result.parameters.clone();
        crate::kernel::cholesky(&mut factor, q).ok_or(NotEstimable::NotIdentified)?;
        let mut theta = self.space.theta.clone();
        let mut drawn: Vec<f64> = (0..q).map(|_| normal()).collect();
        for (a, slot) in theta.iter_mut().enumerate() {
            *slot += dot(&factor[a * q..a * q + a + 1], &drawn[..=a]);
        }
        self.space.evaluate(&theta).ok_or(NotEstimable::SingularCovariance)?;
        let p = self.space.p;
        drawn.clear();
        drawn.extend((0..p).map(|_| normal()));
        solve_lower_transposed(&self.space.factor, p, &mut drawn);
        add_scaled(&mut self.space.gamma, 1.0, &drawn);
        Ok(())
    }

    /// The whitened contrast of weights `visits` × `covariates`, and the value it estimates.
    fn contrast(&mut self, weights: &[f64], out: &mut Vec<f64>) -> f64 {
        let space = &mut *self.space;
        assert_eq!(weights.len(), space.visits * space.k, "one weight a visit and covariate");
        out.clear();
        out.resize(space.p, 0.0);
        let mut own = std::mem::take(&mut space.small);
        for v in 0..space.visits {
            own.clear();
            let at = &weights[v * space.k..(v + 1) * space.k];
            for d in 0..space.k {
                let mut value = at[space.order[d]];
                for (e, x) in own.iter().enumerate() {
                    value -= space.triangle[e * space.k + d] * x;
                }
                own.push(value / space.triangle[d * space.k + d]);
            }
            for (d, x) in own.iter().enumerate() {
                out[space.column(v, d)] += x;
            }
        }
        space.small = own;
        let estimate = dot(out, &space.least_squares) + space.scale * dot(out, &space.gamma);
        solve_lower(&space.factor, space.p, out, 1);
        estimate
    }

    /// l'Ωm of two whitened contrasts.
    fn product(&self, left: &[f64], right: &[f64]) -> f64 {
        let (omega, p) = (&self.space.result.omega, self.space.p);
        if omega.is_empty() {
            return dot(left, right);
        }
        left.iter().enumerate().map(|(i, x)| x * dot(&omega[i * p..(i + 1) * p], right)).sum()
    }

    /// The linear function Σ weight(v, c) b_c(v) of the panel's coefficients, weights visit by visit.
    ///
    /// For a covariate with a common coefficient it does not matter at which visit its weight stands.
    ///
    /// # Panics
    /// A number of weights other than visits × covariates.
    pub fn linear_function(&mut self, weights: &[f64], confidence: Confidence) -> MixedEstimate {
        let mut contrast = std::mem::take(&mut self.space.result.contrast);
        let estimate = self.contrast(weights, &mut contrast);
        let se = self.space.scale * self.product(&contrast, &contrast).sqrt();
        let df = match self.model.degrees {
            DegreesOfFreedom::BetweenWithin => self.between_within(&[weights]),
            DegreesOfFreedom::Residual => (self.space.observations - self.space.p) as f64,
            _ => {
                let mut slopes = std::mem::take(&mut self.space.result.slopes);
                let df = self.satterthwaite(&contrast, &mut slopes);
                self.space.result.slopes = slopes;
                df
            }
        };
        self.space.result.contrast = contrast;
        let t = estimate / se;
        let half_width = distribution::t_quantile_upper(confidence.tail(), df) * se;
        let coefficient = Coefficient {
            estimate,
            se,
            t,
            p: distribution::t_two_sided(t, df),
            interval: Interval::around(estimate, half_width),
        };
        MixedEstimate { coefficient, df }
    }

    /// ν = 2 (l'Φl)² / (d'ωd) with d_a = -l'ΦP_aΦl; with a sandwich from its own variance.
    fn satterthwaite(&self, contrast: &[f64], slopes: &mut Vec<f64>) -> f64 {
        let space = &self.space;
        if self.model.sandwich.is_some() {
            return self.sandwich_degrees(contrast);
        }
        let (p, count) = (space.p, space.groups * space.tangents());
        let variance = dot(contrast, contrast);
        slopes.clear();
        slopes.extend((0..count).map(|a| {
            let own = &space.derivatives.whitened[a * p * p..(a + 1) * p * p];
            contrast.iter().enumerate().map(|(i, x)| x * dot(&own[i * p..(i + 1) * p], contrast)).sum::<f64>()
        }));
        let spread: f64 = slopes
            .iter()
            .enumerate()
            .map(|(a, x)| x * dot(&space.result.tangents[a * count..(a + 1) * count], slopes))
            .sum();
        2.0 * variance * variance / spread
    }

    fn between_within(&self, weights: &[&[f64]]) -> f64 {
        let space = &self.space;
        let (visits, k) = (space.visits, space.k);
        // A covariate counts within participants where it varies there; its differences between visits always do.
        let varies = |d: usize| space.varying && space.varies_within(d);
        let plain = (0..k).filter(|d| Some(*d) != space.intercept);
        let between = plain.clone().filter(|d| !varies(*d)).count();
        let within = plain.filter(|d| varies(*d)).count() + space.crossed * (visits - 1);
        let intercept = usize::from(space.intercept.is_some());
        let df_between = space.participants as f64 - (between + intercept) as f64;
        let df_within = (space.observations - space.participants) as f64 - within as f64;
        let mut least = f64::INFINITY;
        for weights in weights {
            for d in 0..k {
                let own = |v: usize| weights[v * k + space.order[d]];
                let size: f64 = (0..visits).map(|v| own(v).abs()).sum();
                let main: f64 = (0..visits).map(own).sum();
                if main.abs() > 1e-12 * size {
                    let is_between = Some(d) != space.intercept && !varies(d);
                    least = least.min(if is_between { df_between } else { df_within });
                }
                if d < space.crossed && (1..visits).any(|v| own(v) != 0.0) {
                    least = least.min(df_within);
                }
            }
        }
        least
    }

    /// Tests that all of several linear functions are zero.
    ///
    /// # Errors
    /// [`NotEstimable::SingularDesign`] if they depend on one another, or there is none.
    pub fn joint_test(&mut self, weights: &[Vec<f64>]) -> Result<JointTest, NotEstimable> {
        let rank = weights.len();
        let mut contrasts = Vec::with_capacity(rank);
        let mut values = Vec::with_capacity(rank);
        for one in weights {
            let mut contrast = Vec::new();
            values.push(self.contrast(one, &mut contrast) / self.space.scale);
            contrasts.push(contrast);
        }
        let variance = DMatrix::from_fn(rank, rank, |i, j| self.product(&contrasts[i], &contrasts[j]));
        let factor = variance.clone().cholesky().ok_or(NotEstimable::SingularDesign)?;
        let values = nalgebra::DVector::from_vec(values);
        let wald = values.dot(&factor.solve(&values));
        let q = rank as f64;
        let (scale, df) = match self.model.degrees {
            DegreesOfFreedom::Satterthwaite => (1.0, self.satterthwaite_joint(&contrasts, &variance)),
            DegreesOfFreedom::KenwardRoger | DegreesOfFreedom::KenwardRogerSecondOrder => {
                self.kenward_roger_joint(&contrasts)?
            }
            DegreesOfFreedom::BetweenWithin => {
                let views: Vec<&[f64]> = weights.iter().map(Vec::as_slice).collect();
                (1.0, self.between_within(&views))
            }
            DegreesOfFreedom::Residual => (1.0, (self.space.observations - self.space.p) as f64),
        };
        let f = scale * wald / q;
        Ok(JointTest { f, df_numerator: q, df_denominator: df, p: distribution::f_upper(f, q, df) })
    }

    /// Fai and Cornelius: the degrees of freedom whose F has the mean of the averaged squared t of the
    /// variance's principal directions.
    fn satterthwaite_joint(&self, contrasts: &[Vec<f64>], variance: &DMatrix<f64>) -> f64 {
        let directions = SymmetricEigen::new(variance.clone()).eigenvectors;
        let of_direction = |j: usize| {
            let mut mixed = vec![0.0; self.space.p];
            for (i, contrast) in contrasts.iter().enumerate() {
                add_scaled(&mut mixed, directions[(i, j)], contrast);
            }
            self.satterthwaite(&mixed, &mut Vec::new())
        };
        let each: Vec<f64> = (0..contrasts.len()).map(of_direction).collect();
        let q = each.len() as f64;
        let mean = each.iter().sum::<f64>() / q;
        if each.iter().all(|df| (df - mean).abs() <= 1e-8 * mean) {
            return mean;
        }
        let expected: f64 = each.iter().filter(|df| **df > 2.0).map(|df| df / (df - 2.0)).sum();
        // With hardly any degrees of freedom in a direction, F has no mean; 2 is then the limit.
        if expected > q { 2.0 * expected / (expected - q) } else { 2.0 }
    }

    /// Kenward and Roger 1997, section 3: the scale λ and the denominator m.
    fn kenward_roger_joint(&self, contrasts: &[Vec<f64>]) -> Result<(f64, f64), NotEstimable> {
        let space = &self.space;
        let (p, count, rank) = (space.p, space.groups * space.tangents(), contrasts.len());
        let model_based = DMatrix::from_fn(rank, rank, |i, j| dot(&contrasts[i], &contrasts[j]));
        let factor = model_based.cholesky().ok_or(NotEstimable::SingularDesign)?;
        let shares: Vec<DMatrix<f64>> = (0..count)
            .map(|a| {
                let own = &space.derivatives.whitened[a * p * p..(a + 1) * p * p];
                let between = DMatrix::from_fn(rank, rank, |i, j| {
                    let row = |r: usize| dot(&own[r * p..(r + 1) * p], &contrasts[j]);
                    contrasts[i].iter().enumerate().map(|(r, x)| x * row(r)).sum::<f64>()
                });
                factor.solve(&between)
            })
            .collect();
        let (mut a1, mut a2) = (0.0, 0.0);
        for (a, left) in shares.iter().enumerate() {
            for (b, right) in shares.iter().enumerate() {
                let weight = space.result.tangents[a * count + b];
                a1 += weight * left.trace() * right.trace();
                a2 += weight * left.dot(&right.transpose());
            }
        }
        let q = rank as f64;
        let b = (a1 + 6.0 * a2) / (2.0 * q);
        let g = ((q + 1.0) * a1 - (q + 4.0) * a2) / ((q + 2.0) * a2);
        let under = 3.0 * q + 2.0 * (1.0 - g);
        let (c1, c2, c3) = (g / under, (q - g) / under, (q + 2.0 - g) / under);
        let expected = 1.0 / (1.0 - a2 / q);
        let variance = 2.0 / q * (1.0 + c1 * b) / ((1.0 - c2 * b).powi(2) * (1.0 - c3 * b));
        let rho = variance / (2.0 * expected * expected);
        let df = 4.0 + (q + 2.0) / (q * rho - 1.0);
        Ok((df / (expected * (df - 2.0)), df))
    }
}

impl Workspace {
    /// Whether covariate place `d` varies within any participant's observed visits.
    fn varies_within(&self, d: usize) -> bool {
        // A covariate is a combination of the orthonormal ones up to its own place.
        self.patterns.iter().any(|pattern| {
            let seen = self.visits_of(pattern);
            self.members[pattern.members.0..pattern.members.1].iter().any(|i| {
                let value = |v: usize| -> f64 {
                    let at = self.covariates_at(*i, v);
                    (0..=d).map(|e| self.covariates[at + e] * self.triangle[e * self.k + d]).sum()
                };
                let first = value(seen[0]);
                seen[1..].iter().any(|v| (value(*v) - first).abs() > 1e-9 * first.abs().max(1e-300))
            })
        })
    }

    /// Adds Σ ω_ab Q_ab, less a quarter of Σ v_ab R_ab where wanted, to `out`, p × p.
    fn sum_outer_products(
        &self,
        tangents: &[f64],
        parameters: &[f64],
        second_order: bool,
        out: &mut [f64],
        buffer: &mut Vec<f64>,
    ) {
        let (visits, k, square) = (self.visits, self.k, self.visits * self.visits);
        let per_group = self.per_group();
        let q = self.groups * per_group;
        buffer.clear();
        buffer.resize((k * k + self.groups + 4 + self.tangents()) * square, 0.0);
        let (blocks, rest) = buffer.split_at_mut(k * k * square);
        let (curved, scratch) = rest.split_at_mut(self.groups * square);
        if second_order {
            for group in 0..self.groups {
                let offset = group * per_group;
                self.sigma[group].add_second(
                    self.structure(),
                    &self.derivatives.first[offset * square..(offset + per_group) * square],
                    |a, b| parameters[(offset + a) * q + offset + b],
                    &mut curved[group * square..(group + 1) * square],
                );
            }
        }
        for pattern in &self.patterns {
            let (m, seen, w) = (pattern.m, self.visits_of(pattern), &self.inverse[pattern.square()]);
            let (inner, rest) = scratch.split_at_mut(m * m);
            self.sum_of_tangent_products(pattern, tangents, inner, rest);
            if second_order {
                for (x, s) in seen.iter().enumerate() {
                    for (y, t) in seen.iter().enumerate() {
                        inner[x * m + y] -= 0.25 * curved[(pattern.group * visits + s) * visits + t];
                    }
                }
            }
            let (half, rest) = rest.split_at_mut(m * m);
            let full = &mut rest[..m * m];
            multiply(w, inner, m, half);
            multiply(half, w, m, full);
            for s in 0..m {
                for t in 0..=s {
                    let at = (seen[s] * visits + seen[t]) * k * k;
                    let gram = self.gram_of(pattern, s, t);
                    let size = k * k;
                    // The sum over both orders of (a, b) is symmetric.
                    let value = 0.5 * (full[s * m + t] + full[t * m + s]);
                    add_scaled(&mut blocks[at..at + size], value, &self.gram[gram..gram + size]);
                }
            }
        }
        self.scatter(blocks, out);
    }

    /// Σ_ab ω_ab D_a W D_b of a pattern, m × m; `scratch` holds as many such matrices as there are tangents, and three.
    fn sum_of_tangent_products(
        &self,
        pattern: &super::workspace::Pattern,
        tangents: &[f64],
        inner: &mut [f64],
        scratch: &mut [f64],
    ) {
        let (m, seen, w) = (pattern.m, self.visits_of(pattern), &self.inverse[pattern.square()]);
        let (visits, count) = (self.visits, self.groups * self.tangents());
        let offset = pattern.group * self.tangents();
        if self.structure() == Covariance::Unstructured {
            let index = |i: usize, j: usize| {
                let (high, low) = (seen[i.max(j)], seen[i.min(j)]);
                offset + high * (high + 1) / 2 + low
            };
            // Every pair of entries of Σ in both orders: e_i e_j' W e_u e_v'.
            for i in 0..m {
                for v in 0..m {
                    let mut sum = 0.0;
                    for j in 0..m {
                        let row = &tangents[index(i, j) * count..];
                        for u in 0..m {
                            sum += row[index(u, v)] * w[j * m + u];
                        }
                    }
                    inner[i * m + v] = sum;
                }
            }
            return;
        }
        let size = m * m;
        let (mixed, rest) = scratch.split_at_mut(size);
        let (half, rest) = rest.split_at_mut(size);
        let (full, rest) = rest.split_at_mut(size);
        let each = &mut rest[..self.tangents() * size];
        for (a, own) in each.chunks_exact_mut(size).enumerate() {
            let whole = &self.derivatives.first[(offset + a) * visits * visits..];
            for (x, s) in seen.iter().enumerate() {
                for (y, t) in seen.iter().enumerate() {
                    own[x * m + y] = whole[s * visits + t];
                }
            }
        }
        inner.fill(0.0);
        for (a, own) in each.chunks_exact(size).enumerate() {
            mixed.fill(0.0);
            for (b, other) in each.chunks_exact(size).enumerate() {
                add_scaled(mixed, tangents[(offset + a) * count + offset + b], other);
            }
            multiply(own, w, m, half);
            multiply(half, mixed, m, full);
            add_scaled(inner, 1.0, full);
        }
    }
}

/// The sandwich: sums over participants, formed from their own residuals.
impl Fit<'_> {
    /// Ω = Σ g_i g_i' with g_i = A_i'B_i e_i, where A_i = C_i X_i L⁻ᵀ and e_i = C_i r_i for V_i⁻¹ = C_i'C_i.
    ///
    /// B_i is I, (I - A_iA_i')^(-1/2) or (I - A_iA_i')⁻¹. C_i' is the Cholesky factor of V_i⁻¹, as in mmrm.
    fn set_sandwich(&mut self, kind: Sandwich) -> Result<(), NotEstimable> {
        let mut result = std::mem::take(&mut self.space.result);
        let space = &*self.space;
        let p = space.p;
        result.omega.clear();
        result.omega.resize(p * p, 0.0);
        result.clusters.clear();
        let mut score = vec![0.0; p];
        for pattern in &space.patterns {
            let m = pattern.m;
            let root = space.root_of_inverse(pattern)?;
            for i in &space.members[pattern.members.0..pattern.members.1] {
                let (design, errors) = space.whitened_rows(pattern, *i, &root);
                let adjusted = adjusted(&design, kind)?;
                // B_i is symmetric, so A_i'B_i e_i = (B_iA_i)'e_i.
                score.fill(0.0);
                for (row, error) in (0..m).zip(&errors) {
                    for (slot, j) in score.iter_mut().zip(0..p) {
                        *slot += adjusted[(row, j)] * error;
                    }
                }
                for (j, x) in score.iter().enumerate() {
                    add_scaled(&mut result.omega[j * p..(j + 1) * p], *x, &score);
                }
                result.clusters.extend(adjusted.transpose().iter());
                result.clusters.extend(design.transpose().iter());
            }
        }
        self.space.result = result;
        Ok(())
    }

    /// (tr P)² / tr P², P_ij = δ_ij s_i's_i - z_i'z_j with s_i = B_iA_i l and z_i = A_i's_i (Pustejovsky and Tipton 2018).
    fn sandwich_degrees(&self, contrast: &[f64]) -> f64 {
        let (space, p) = (&self.space, self.space.p);
        let (mut trace, mut squares, mut outer) = (0.0, 0.0, vec![0.0; p * p]);
        let mut rest = space.result.clusters.as_slice();
        let mut z = vec![0.0; p];
        for pattern in &space.patterns {
            for _ in pattern.members.0..pattern.members.1 {
                let (adjusted, after) = rest.split_at(pattern.m * p);
                let (design, after) = after.split_at(pattern.m * p);
                rest = after;
                z.fill(0.0);
                let mut own = 0.0;
                for (row, plain) in adjusted.chunks(p).zip(design.chunks(p)) {
                    let s = dot(row, contrast);
                    own += s * s;
                    add_scaled(&mut z, s, plain);
                }
                let length = dot(&z, &z);
                trace += own - length;
                squares += own * own - 2.0 * own * length;
                for (j, x) in z.iter().enumerate() {
                    add_scaled(&mut outer[j * p..(j + 1) * p], *x, &z);
                }
            }
        }
        trace * trace / (squares + dot(&outer, &outer))
    }
}

/// B_i A_i.
fn adjusted(design: &DMatrix<f64>, kind: Sandwich) -> Result<DMatrix<f64>, NotEstimable> {
    if kind == Sandwich::Unadjusted {
        return Ok(design.clone());
    }
    let kept = DMatrix::identity(design.nrows(), design.nrows()) - design * design.transpose();
    let eigen = SymmetricEigen::new(kept);
    if eigen.eigenvalues.iter().any(|v| *v < 1e-10) {
        return Err(NotEstimable::ZeroDenominator);
    }
    let power = if kind == Sandwich::Jackknife { -1.0 } else { -0.5 };
    let scaled = DMatrix::from_diagonal(&eigen.eigenvalues.map(|v| v.powf(power)));
    Ok(&eigen.eigenvectors * scaled * eigen.eigenvectors.transpose() * design)
}

impl Workspace {
    /// C of a pattern, upper triangular, with V⁻¹ = C'C.
    fn root_of_inverse(&self, pattern: &super::workspace::Pattern) -> Result<DMatrix<f64>, NotEstimable> {
        let inverse = DMatrix::from_row_slice(pattern.m, pattern.m, &self.inverse[pattern.square()]);
        Ok(inverse.cholesky().ok_or(NotEstimable::SingularCovariance)?.l().transpose())
    }

    /// A_i and e_i of a participant.
    fn whitened_rows(
        &self,
        pattern: &super::workspace::Pattern,
        participant: usize,
        root: &DMatrix<f64>,
    ) -> (DMatrix<f64>, Vec<f64>) {
        let (m, p, seen) = (pattern.m, self.p, self.visits_of(pattern));
        let mut columns = vec![0.0; p * m];
        let mut errors = Vec::with_capacity(m);
        for (s, v) in seen.iter().enumerate() {
            let at = self.covariates_at(participant, *v);
            let mut error = self.residuals[participant * self.visits + v];
            for d in 0..self.k {
                let column = self.column(*v, d);
                columns[column * m + s] = self.covariates[at + d];
                error -= self.covariates[at + d] * self.gamma[column];
            }
            errors.push(error);
        }
        // `columns` is X' row by row; L⁻¹X' then is (XL⁻ᵀ)'.
        solve_lower(&self.factor, p, &mut columns, m);
        let rows = DMatrix::from_row_slice(p, m, &columns).transpose();
        let errors = root * nalgebra::DVector::from_vec(errors);
        (root * rows, errors.as_slice().to_vec())
    }
}

impl DesignPanel {
    /// The coefficient of one column of the design.
    pub fn coefficient(&self, fit: &mut Fit<'_>, column: usize, confidence: Confidence) -> MixedEstimate {
        let mut weights = vec![0.0; self.columns()];
        weights[column] = 1.0;
        fit.linear_function(&self.weights(&weights), confidence)
    }
}
