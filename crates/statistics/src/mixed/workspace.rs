//! What a fit needs in memory, kept between fits, and the sums that stand for the data.
//!
//! Participants with the same observed visits share their covariance matrix. All that the
//! likelihood needs of them are sums of products of covariates and responses, formed once a
//! fit; each evaluation afterwards costs the same for 20 participants and for 20,000.
//! Covariates are made orthonormal and responses replaced by their least-squares residuals of
//! unit variance before, so that no shift or scale of the data costs digits.
//! Mathematics: `docs/methods/mmrm_likelihood.md`.

use super::covariance::{Covariance, Sigma};
use super::panel::Panel;
use crate::NotEstimable;
use crate::kernel::{add_scaled, cholesky, dot, solve_lower, solve_lower_transposed};

/// Participants with the same group and the same observed visits.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    pub(super) group: usize,
    pub(super) mask: u64,
    /// Where its members start and end in the order of participants.
    pub(super) members: (usize, usize),
    /// Where its observed visits start in the list of visits, and how many there are.
    pub(super) visits_at: usize,
    pub(super) m: usize,
    /// Where its m × m matrices start.
    pub(super) square_at: usize,
    /// Where its sums of covariate products start, and of covariates with responses.
    pub(super) gram_at: usize,
    pub(super) cross_at: usize,
}

impl Pattern {
    pub(super) fn size(&self) -> f64 {
        (self.members.1 - self.members.0) as f64
    }

    pub(super) fn square(&self) -> std::ops::Range<usize> {
        self.square_at..self.square_at + self.m * self.m
    }
}

/// The memory of fits: reused by each fit, so that after the first one of a size nothing is allocated.
///
/// A workspace belongs to one thread; its history never shows in a result.
#[derive(Debug, Clone, Default)]
pub struct Workspace {
    // The problem.
    pub(super) covariance: Option<Covariance>,
    pub(super) restricted: bool,
    pub(super) visits: usize,
    pub(super) k: usize,
    pub(super) crossed: usize,
    pub(super) varying: bool,
    pub(super) p: usize,
    pub(super) participants: usize,
    pub(super) observations: usize,
    pub(super) groups: usize,
    /// The panel's covariate in each place: the crossed ones first.
    pub(super) order: Vec<usize>,
    pub(super) intercept: Option<usize>,
    // The data, orthonormal and of unit variance.
    pub(super) triangle: Vec<f64>,
    pub(super) covariates: Vec<f64>,
    pub(super) residuals: Vec<f64>,
    pub(super) least_squares: Vec<f64>,
    pub(super) scale: f64,
    // The patterns and their sums.
    pub(super) members: Vec<usize>,
    pub(super) patterns: Vec<Pattern>,
    pub(super) visit_list: Vec<usize>,
    pub(super) gram: Vec<f64>,
    pub(super) cross: Vec<f64>,
    pub(super) squares: Vec<f64>,
    // The current point.
    pub(super) theta: Vec<f64>,
    pub(super) sigma: Vec<Sigma>,
    /// V⁻¹ of each pattern.
    pub(super) inverse: Vec<f64>,
    /// Cholesky factor of X'V⁻¹X, its inverse's transposed square, and the coefficients.
    pub(super) factor: Vec<f64>,
    pub(super) phi: Vec<f64>,
    pub(super) gamma: Vec<f64>,
    pub(super) least_pivot: f64,
    pub(super) blocks: Vec<f64>,
    pub(super) rhs_blocks: Vec<f64>,
    pub(super) small: Vec<f64>,
    pub(super) derivatives: super::likelihood::Derivatives,
    pub(super) result: super::fit::Stored,
    pub(super) search: super::optimise::Search,
}

impl Workspace {
    /// An empty workspace.
    pub fn new() -> Self {
        Self::default()
    }

    /// The column of covariate place `d` at visit `v`.
    #[inline]
    pub(super) fn column(&self, v: usize, d: usize) -> usize {
        if d < self.crossed { v * self.crossed + d } else { self.visits * self.crossed + d - self.crossed }
    }

    /// Where a pattern's sum of covariate products at its visits `s`, `t` starts.
    #[inline]
    pub(super) fn gram_of(&self, pattern: &Pattern, s: usize, t: usize) -> usize {
        let step = if self.varying { s * pattern.m + t } else { 0 };
        pattern.gram_at + step * self.k * self.k
    }

    /// Where a pattern's sum of covariates at visit `s` with responses at `t` starts.
    #[inline]
    pub(super) fn cross_of(&self, pattern: &Pattern, s: usize, t: usize) -> usize {
        let step = if self.varying { s * pattern.m + t } else { t };
        pattern.cross_at + step * self.k
    }

    /// Takes in the data of a panel.
    pub(super) fn load(
        &mut self,
        panel: &Panel,
        covariance: Covariance,
        by_group: bool,
        restricted: bool,
    ) -> Result<(), NotEstimable> {
        self.covariance = Some(covariance);
        self.restricted = restricted;
        self.visits = panel.visits;
        self.varying = panel.varying;
        self.k = panel.covariates();
        self.p = panel.coefficients();
        self.participants = panel.participants();
        self.observations = panel.observations();
        self.groups = if by_group { panel.groups.iter().max().map_or(0, |g| g + 1) } else { 1 };
        if self.participants == 0 {
            return Err(NotEstimable::NoObservations);
        }
        self.order.clear();
        self.order.extend((0..self.k).filter(|c| panel.crossed[*c]));
        self.crossed = self.order.len();
        self.order.extend((0..self.k).filter(|c| !panel.crossed[*c]));
        self.intercept = panel.intercept.and_then(|c| self.order.iter().position(|o| *o == c));
        self.check_counts(panel, covariance, by_group)?;
        self.orthonormalise(panel)?;
        self.group_patterns(panel, by_group);
        self.sum_covariates();
        self.take_residuals(panel)?;
        self.sum_responses();
        Ok(())
    }

    fn check_counts(
        &mut self,
        panel: &Panel,
        covariance: Covariance,
        by_group: bool,
    ) -> Result<(), NotEstimable> {
        for group in 0..self.groups {
            let in_group = |i: &usize| !by_group || panel.groups[*i] == group;
            let size = (0..self.participants).filter(in_group).count();
            for visit in 0..self.visits {
                let seen = |i: &usize| panel.observed[*i] >> visit & 1 == 1;
                let found = (0..self.participants).filter(in_group).filter(seen).count();
                if found == 0 || found == 1 && covariance.is_heterogeneous() && self.visits > 1 {
                    return Err(NotEstimable::TooFewAtVisit { visit, found });
                }
            }
            // Residuals of a visit lie in as many dimensions as there are participants less coefficients
            // there. In a group of several a coefficient may belong to the others.
            let coefficients = if by_group { 0 } else { self.crossed };
            if covariance == Covariance::Unstructured && size < self.visits + coefficients {
                return Err(NotEstimable::MoreVisitsThanParticipants {
                    visits: self.visits,
                    participants: size,
                    coefficients,
                });
            }
        }
        if self.observations <= self.p {
            return Err(NotEstimable::TooFewObservations { needed: self.p + 1, found: self.observations });
        }
        Ok(())
    }

    /// Gram-Schmidt, twice, on the covariates in their order; `triangle` holds R of U = QR.
    ///
    /// A crossed covariate is made orthogonal to crossed ones alone, one with a common coefficient to
    /// all before it, so that the model stays the same.
    fn orthonormalise(&mut self, panel: &Panel) -> Result<(), NotEstimable> {
        let k = self.k;
        // Column by column, over participants (or over their observed visits).
        self.covariates.clear();
        let places = if self.varying { self.participants * self.visits } else { self.participants };
        self.covariates.resize(places * k, 0.0);
        for place in 0..places {
            if self.varying && panel.observed[place / self.visits] >> (place % self.visits) & 1 == 0 {
                continue;
            }
            let own = &panel.covariates[place * k..(place + 1) * k];
            for (d, c) in self.order.iter().enumerate() {
                self.covariates[d * places + place] = own[*c];
            }
        }
        self.triangle.clear();
        self.triangle.resize(k * k, 0.0);
        for d in 0..k {
            let (before, rest) = self.covariates.split_at_mut(d * places);
            let column = &mut rest[..places];
            let length = dot(column, column).sqrt();
            for _ in 0..2 {
                for e in 0..d {
                    let other = &before[e * places..(e + 1) * places];
                    let share = dot(other, column);
                    add_scaled(column, -share, other);
                    self.triangle[e * k + d] += share;
                }
            }
            let left = dot(column, column).sqrt();
            // R's rule for linear dependence.
            if !(left > 1e-7 * length) {
                return Err(NotEstimable::SingularDesign);
            }
            self.triangle[d * k + d] = left;
            for x in column.iter_mut() {
                *x /= left;
            }
        }
        self.covariates_by_place(places);
        Ok(())
    }

    /// Turns the columns into rows: the covariates of one place stand together.
    fn covariates_by_place(&mut self, places: usize) {
        let k = self.k;
        self.small.clear();
        self.small.resize(places * k, 0.0);
        for d in 0..k {
            for place in 0..places {
                self.small[place * k + d] = self.covariates[d * places + place];
            }
        }
        std::mem::swap(&mut self.small, &mut self.covariates);
    }

    fn group_patterns(&mut self, panel: &Panel, by_group: bool) {
        self.members.clear();
        self.members.extend(0..self.participants);
        let key = |i: &usize| (if by_group { panel.groups[*i] } else { 0 }, panel.observed[*i], *i);
        self.members.sort_unstable_by_key(key);
        self.patterns.clear();
        self.visit_list.clear();
        let (mut square_at, mut gram_at, mut cross_at) = (0, 0, 0);
        for (at, i) in self.members.iter().enumerate() {
            let (group, mask, _) = key(i);
            match self.patterns.last_mut() {
                Some(last) if last.group == group && last.mask == mask => last.members.1 = at + 1,
                _ => {
                    let m = mask.count_ones() as usize;
                    let visits_at = self.visit_list.len();
                    self.visit_list.extend((0..self.visits).filter(|v| mask >> v & 1 == 1));
                    self.patterns.push(Pattern {
                        group,
                        mask,
                        members: (at, at + 1),
                        visits_at,
                        m,
                        square_at,
                        gram_at,
                        cross_at,
                    });
                    square_at += m * m;
                    gram_at += self.k * self.k * if self.varying { m * m } else { 1 };
                    cross_at += self.k * m * if self.varying { m } else { 1 };
                }
            }
        }
        for (buffer, length) in
            [(&mut self.squares, square_at), (&mut self.inverse, square_at), (&mut self.gram, gram_at)]
        {
            buffer.clear();
            buffer.resize(length, 0.0);
        }
        self.cross.clear();
        self.cross.resize(cross_at, 0.0);
        self.sigma.resize_with(self.groups.max(self.sigma.len()), Sigma::default);
    }

    /// Where the covariates of a participant at a visit start.
    #[inline]
    pub(super) fn covariates_at(&self, participant: usize, visit: usize) -> usize {
        let place = if self.varying { participant * self.visits + visit } else { participant };
        place * self.k
    }

    fn sum_covariates(&mut self) {
        let k = self.k;
        for pattern in &self.patterns {
            let visits = &self.visit_list[pattern.visits_at..pattern.visits_at + pattern.m];
            for i in &self.members[pattern.members.0..pattern.members.1] {
                let pairs = if self.varying { pattern.m * pattern.m } else { 1 };
                for pair in 0..pairs {
                    let (s, t) = (pair / pattern.m, pair % pattern.m);
                    let (left, right) =
                        (self.covariates_at(*i, visits[s]), self.covariates_at(*i, visits[t]));
                    let at = self.gram_of(pattern, s, t);
                    for d in 0..k {
                        let factor = self.covariates[left + d];
                        let row = &mut self.gram[at + d * k..at + (d + 1) * k];
                        add_scaled(row, factor, &self.covariates[right..right + k]);
                    }
                }
            }
        }
    }

    /// Replaces the responses by their least-squares residuals, in two passes, of unit variance.
    fn take_residuals(&mut self, panel: &Panel) -> Result<(), NotEstimable> {
        self.residuals.clear();
        self.residuals.extend_from_slice(&panel.responses);
        let total = dot(&self.residuals, &self.residuals);
        self.least_squares.clear();
        self.least_squares.resize(self.p, 0.0);
        self.blocks.clear();
        self.blocks.resize(self.visits * self.visits * self.k * self.k, 0.0);
        for pattern in &self.patterns {
            for s in 0..pattern.m {
                let v = self.visit_list[pattern.visits_at + s];
                let at = self.gram_of(pattern, s, s);
                let block = (v * self.visits + v) * self.k * self.k;
                let size = self.k * self.k;
                add_scaled(&mut self.blocks[block..block + size], 1.0, &self.gram[at..at + size]);
            }
        }
        self.factor.clear();
        self.factor.resize(self.p * self.p, 0.0);
        let mut factor = std::mem::take(&mut self.factor);
        self.scatter(&self.blocks, &mut factor);
        let solved = self.subtract_fit(&mut factor);
        self.factor = factor;
        solved?;
        let rss = dot(&self.residuals, &self.residuals);
        if rss <= (10.0 * f64::EPSILON).powi(2) * total {
            return Err(NotEstimable::ZeroVariance);
        }
        self.scale = (rss / self.observations as f64).sqrt();
        for r in &mut self.residuals {
            *r /= self.scale;
        }
        Ok(())
    }

    fn subtract_fit(&mut self, factor: &mut [f64]) -> Result<(), NotEstimable> {
        let (p, k) = (self.p, self.k);
        match cholesky(factor, p) {
            // The pivot is one minus a squared correlation; R's rule for a column is 1e-7 on its root.
            Some((_, least)) if least > 1e-13 => {}
            _ => return Err(NotEstimable::SingularDesign),
        }
        let mut rhs = std::mem::take(&mut self.gamma);
        for _ in 0..2 {
            rhs.clear();
            rhs.resize(p, 0.0);
            for pattern in &self.patterns {
                for i in &self.members[pattern.members.0..pattern.members.1] {
                    for v in &self.visit_list[pattern.visits_at..pattern.visits_at + pattern.m] {
                        let (y, at) = (self.residuals[i * self.visits + v], self.covariates_at(*i, *v));
                        for d in 0..k {
                            rhs[self.column(*v, d)] += y * self.covariates[at + d];
                        }
                    }
                }
            }
            solve_lower(factor, p, &mut rhs, 1);
            solve_lower_transposed(factor, p, &mut rhs);
            add_scaled(&mut self.least_squares, 1.0, &rhs);
            for pattern in &self.patterns {
                for i in &self.members[pattern.members.0..pattern.members.1] {
                    for v in &self.visit_list[pattern.visits_at..pattern.visits_at + pattern.m] {
                        let at = self.covariates_at(*i, *v);
                        let fitted: f64 =
                            (0..k).map(|d| self.covariates[at + d] * rhs[self.column(*v, d)]).sum();
                        self.residuals[i * self.visits + v] -= fitted;
                    }
                }
            }
        }
        self.gamma = rhs;
        Ok(())
    }

    fn sum_responses(&mut self) {
        let k = self.k;
        for pattern in &self.patterns {
            let visits = &self.visit_list[pattern.visits_at..pattern.visits_at + pattern.m];
            let m = pattern.m;
            for i in &self.members[pattern.members.0..pattern.members.1] {
                let y = &self.residuals[i * self.visits..(i + 1) * self.visits];
                for (s, v) in visits.iter().enumerate() {
                    for (t, u) in visits.iter().enumerate() {
                        self.squares[pattern.square_at + s * m + t] += y[*v] * y[*u];
                        if self.varying || s == 0 {
                            let at = self.cross_of(pattern, s, t);
                            let own = self.covariates_at(*i, *v);
                            let row = &self.covariates[own..own + k];
                            add_scaled(&mut self.cross[at..at + k], y[*u], row);
                        }
                    }
                }
            }
        }
    }

    /// Turns sums by pair of visits (those with s ≥ t) into the symmetric matrix over all columns.
    pub(super) fn scatter(&self, blocks: &[f64], out: &mut [f64]) {
        let (k, p) = (self.k, self.p);
        out[..p * p].fill(0.0);
        for s in 0..self.visits {
            for t in 0..=s {
                let at = (s * self.visits + t) * k * k;
                for d in 0..k {
                    let row = self.column(s, d);
                    for e in 0..k {
                        let (value, column) = (blocks[at + d * k + e], self.column(t, e));
                        out[row * p + column] += value;
                        if s != t {
                            out[column * p + row] += value;
                        }
                    }
                }
            }
        }
    }
}
