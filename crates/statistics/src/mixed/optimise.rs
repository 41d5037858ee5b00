//! Newton's method on the analytic Hessian, until the fit stops moving.
//!
//! Where the Hessian is not positive definite, a multiple of the expected information is
//! added until it is. A fit counts as converged when the Newton decrement g'H⁻¹g, by how much
//! -2ℓ could still fall, is at rounding level and the Hessian is positive definite. A start
//! that leads nowhere is followed by others; the last reason is the answer.

use super::workspace::Workspace;
use crate::NotEstimable;
use crate::kernel::{cholesky, dot, solve_lower, solve_lower_transposed};

/// A fit is accepted when -2ℓ can fall by no more than this.
const DECREMENT_ACCEPTED: f64 = 1e-10;
/// No further step is taken when -2ℓ can fall by no more than this.
const DECREMENT_DONE: f64 = 1e-20;
/// The largest number of steps from one start.
const STEPS_MAX: u32 = 100;
/// A visit that is explained by earlier ones to within this share of its variance makes Σ singular.
const PIVOT_SINGULAR: f64 = 1e-9;
/// What a search that fails counts as singular.
const PIVOT_SUSPECT: f64 = 1e-4;
/// How far the correlations of the successive starts are shrunk.
const SHRINKS: [f64; 4] = [1.0, 0.6, 0.2, 0.0];

/// Memory of the search.
#[derive(Debug, Clone, Default)]
pub(super) struct Search {
    from: Vec<f64>,
    to: Vec<f64>,
    step: Vec<f64>,
    matrix: Vec<f64>,
    metric: Vec<f64>,
    moments: Vec<f64>,
    sums: Vec<[f64; 3]>,
    variances: Vec<f64>,
    scratch: Vec<f64>,
}

/// How a search ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Converged {
    /// -2ℓ without constant.
    pub(super) value: f64,
    pub(super) decrement: f64,
    pub(super) steps: u32,
}

impl Workspace {
    /// Searches the maximum; afterwards the workspace stands there with its derivatives.
    pub(super) fn maximise(&mut self) -> Result<Converged, NotEstimable> {
        self.maximise_within(STEPS_MAX)
    }

    fn maximise_within(&mut self, steps_max: u32) -> Result<Converged, NotEstimable> {
        let mut search = std::mem::take(&mut self.search);
        self.set_moments(&mut search);
        let mut answer = Err(NotEstimable::NoConvergence { iterations: 0 });
        for shrink in SHRINKS {
            self.set_start(shrink, &mut search);
            answer = self.search_from(&mut search, steps_max);
            if answer.is_ok() {
                break;
            }
        }
        self.search = search;
        answer
    }

    /// Variances of residuals by visit, and correlations by pair, of each group.
    fn set_moments(&self, search: &mut Search) {
        let (t, Search { moments, sums, .. }) = (self.visits, search);
        moments.clear();
        moments.resize(self.groups * t * t, 0.0);
        sums.clear();
        sums.resize(self.groups * t * t, [0.0; 3]);
        for pattern in &self.patterns {
            let (m, seen) = (pattern.m, self.visits_of(pattern));
            let y = &self.squares[pattern.square()];
            for (s, v) in seen.iter().enumerate() {
                for (r, u) in seen.iter().enumerate() {
                    let slot = &mut sums[(pattern.group * t + v) * t + u];
                    slot[0] += y[s * m + r];
                    slot[1] += y[s * m + s];
                    slot[2] += if s == r { pattern.size() } else { y[r * m + r] };
                }
            }
        }
        for (i, (slot, [product, left, right])) in moments.iter_mut().zip(&*sums).enumerate() {
            let (v, u) = (i / t % t, i % t);
            *slot = if u == v {
                (left / right).max(1e-4)
            } else if left * right > 0.0 {
                product / (left * right).sqrt()
            } else {
                0.0
            };
        }
    }

    fn set_start(&self, shrink: f64, search: &mut Search) {
        let (t, count) = (self.visits, self.per_group());
        let Search { from: theta, moments, variances, scratch, .. } = search;
        theta.clear();
        theta.resize(self.groups * count, 0.0);
        for group in 0..self.groups {
            let own = &moments[group * t * t..(group + 1) * t * t];
            variances.clear();
            variances.extend((0..t).map(|v| own[v * t + v]));
            let slots = &mut theta[group * count..(group + 1) * count];
            self.structure().start(variances, |s, r| own[s * t + r], shrink, slots, scratch);
        }
    }

    fn search_from(&mut self, search: &mut Search, steps_max: u32) -> Result<Converged, NotEstimable> {
        let Some(mut value) = self.evaluate(&search.from) else {
            return Err(NotEstimable::SingularCovariance);
        };
        let mut before = f64::INFINITY;
        for steps in 0..steps_max {
            self.derive();
            let damping = self.newton_step(search)?;
            let decrement = -dot(&search.step, &self.derivatives.gradient);
            let stuck = decrement <= DECREMENT_ACCEPTED && decrement > 0.01 * before;
            if damping == 0.0 && (decrement <= DECREMENT_DONE || stuck) {
                if self.least_pivot < PIVOT_SINGULAR {
                    return Err(NotEstimable::SingularCovariance);
                }
                return Ok(Converged { value, decrement: decrement.max(0.0), steps });
            }
            before = if damping == 0.0 { decrement } else { f64::INFINITY };
            match self.line_search(search, value, decrement) {
                Some(next) => value = next,
                None => return Err(self.reason_without_maximum(steps + 1)),
            }
            std::mem::swap(&mut search.from, &mut search.to);
            if self.least_pivot < 0.01 * PIVOT_SINGULAR {
                return Err(NotEstimable::SingularCovariance);
            }
        }
        Err(self.reason_without_maximum(steps_max))
    }

    fn reason_without_maximum(&self, iterations: u32) -> NotEstimable {
        if self.least_pivot < PIVOT_SUSPECT {
            NotEstimable::SingularCovariance
        } else {
            NotEstimable::NoConvergence { iterations }
        }
    }

    /// Sets the step -(H + λF)⁻¹g with the smallest λ of a growing series for which the matrix is positive
    /// definite, and returns λ.
    fn newton_step(&mut self, search: &mut Search) -> Result<f64, NotEstimable> {
        let q = self.derivatives.gradient.len();
        let mut damping = 0.0;
        loop {
            search.matrix.clear();
            search.matrix.extend_from_slice(&self.derivatives.hessian);
            if damping > 0.0 {
                for (h, f) in search.matrix.iter_mut().zip(&search.metric) {
                    *h += damping * f;
                }
            }
            if cholesky(&mut search.matrix, q).is_some() {
                break;
            }
            if damping == 0.0 {
                let mut metric = std::mem::take(&mut search.metric);
                self.expected_information(&mut metric);
                search.metric = metric;
                damping = 0.01;
            } else {
                damping *= 4.0;
            }
            if damping > 1e6 {
                return Err(NotEstimable::NotIdentified);
            }
        }
        search.step.clear();
        search.step.extend(self.derivatives.gradient.iter().map(|g| -g));
        solve_lower(&search.matrix, q, &mut search.step, 1);
        solve_lower_transposed(&search.matrix, q, &mut search.step);
        Ok(damping)
    }

    /// Moves along the step, halved until -2ℓ falls; the workspace then stands at `search.to`.
    fn line_search(&mut self, search: &mut Search, value: f64, decrement: f64) -> Option<f64> {
        let largest = search.step.iter().fold(0.0f64, |most, s| most.max(s.abs()));
        let mut length = if largest > 2.0 { 2.0 / largest } else { 1.0 };
        // Close to the maximum -2ℓ changes by less than its rounding; the step is then taken on trust, and
        // the decrement that follows says whether it deserved it.
        let slack = if decrement < 1e-7 { 1e-9 * value.abs().max(1.0) } else { 0.0 };
        for _ in 0..60 {
            search.to.clear();
            search.to.extend(search.from.iter().zip(&search.step).map(|(f, s)| f + length * s));
            let to = std::mem::take(&mut search.to);
            let next = self.evaluate(&to);
            search.to = to;
            if let Some(next) = next.filter(|next| *next <= value - 1e-4 * length * decrement + slack) {
                return Some(next);
            }
            length *= 0.5;
        }
        None
    }
}

#[test]
fn a_search_that_does_not_arrive_is_an_error_from_every_start() {
    use super::{Covariance, Panel};
    let mut state = 7u64;
    let mut noise = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    let mut panel = Panel::new(2, &[true]).unwrap();
    for i in 0..60 {
        let level = noise();
        let second = (i % 4 != 0).then(|| level + 2.0 * noise());
        panel.push(&[1.0], &[Some(level + noise()), second], 0).unwrap();
    }
    let mut space = Workspace::new();
    space.load(&panel, Covariance::Unstructured, false, true).unwrap();
    let refused = space.maximise_within(0).unwrap_err();
    assert_eq!(refused, NotEstimable::NoConvergence { iterations: 0 });
    let arrived = space.maximise().unwrap();
    assert!(arrived.steps >= 1 && arrived.decrement <= DECREMENT_ACCEPTED);
}
