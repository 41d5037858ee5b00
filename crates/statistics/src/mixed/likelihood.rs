//! Twice the negative log-likelihood, its gradient and its Hessian, all analytic.
//!
//! Coefficients are profiled out. The derivatives are formed along *tangents* of Σ: the
//! entries of Σ themselves for the unstructured covariance (elementary, so that their
//! products cost a few operations), ∂Σ/∂θ for the others; a change of coordinates
//! leads to θ. Mathematics, in the same notation: `docs/methods/mmrm_likelihood.md`.

use super::covariance::Covariance;
use super::workspace::{Pattern, Workspace};
use crate::kernel::{
    add_scaled, cholesky, dot, invert_lower, lower_transposed_times_itself, multiply, solve_lower,
    solve_lower_transposed, whiten,
};

/// The derivatives at the current point, and what they are made of.
#[derive(Debug, Clone, Default)]
pub(super) struct Derivatives {
    /// ∂Σ/∂θ of each group, one after the other.
    pub(super) first: Vec<f64>,
    /// Gradient of -2ℓ by Σ of each group, `visits` × `visits`.
    pub(super) by_sigma: Vec<f64>,
    /// L = 2K - nW of each pattern.
    pub(super) curvature: Vec<f64>,
    /// Σ u (y - Xγ)' of each pattern, as the sums of covariates with responses are laid out.
    pub(super) residual_cross: Vec<f64>,
    /// L⁻¹ P_a L⁻ᵀ for each tangent, p × p.
    pub(super) whitened: Vec<f64>,
    /// L⁻¹ q_a for each tangent.
    whitened_cross: Vec<f64>,
    pub(super) tangent_hessian: Vec<f64>,
    /// Gradient and Hessian by θ.
    pub(super) gradient: Vec<f64>,
    pub(super) hessian: Vec<f64>,
    /// ∂τ/∂θ of one group where tangents are entries of Σ.
    pub(super) jacobian: Vec<f64>,
    pub(super) scratch: Vec<f64>,
    /// Expected information by tangents, and a pattern's weighted W.
    information: Vec<f64>,
    weighted: Vec<f64>,
    blocks: Vec<f64>,
}

impl Workspace {
    /// Number of parameters of one group.
    pub(super) fn per_group(&self) -> usize {
        self.structure().parameters(self.visits)
    }

    /// Number of tangents of one group.
    pub(super) fn tangents(&self) -> usize {
        if self.structure() == Covariance::Unstructured {
            self.visits * (self.visits + 1) / 2
        } else {
            self.per_group()
        }
    }

    pub(super) fn structure(&self) -> Covariance {
        self.covariance.expect("a problem is loaded before it is evaluated")
    }

    pub(super) fn visits_of(&self, pattern: &Pattern) -> &[usize] {
        &self.visit_list[pattern.visits_at..pattern.visits_at + pattern.m]
    }

    /// Moves to `theta` and returns -2ℓ without its constant; `None` where a covariance is not positive definite.
    pub(super) fn evaluate(&mut self, theta: &[f64]) -> Option<f64> {
        if theta.iter().any(|v| !v.is_finite() || v.abs() > 300.0) {
            return None;
        }
        self.theta.clear();
        self.theta.extend_from_slice(theta);
        let (covariance, visits, k, p) = (self.structure(), self.visits, self.k, self.p);
        let per_group = self.per_group();
        for group in 0..self.groups {
            self.sigma[group].set(covariance, visits, &theta[group * per_group..(group + 1) * per_group]);
        }
        self.blocks.clear();
        self.blocks.resize(visits * visits * k * k, 0.0);
        self.rhs_blocks.clear();
        self.rhs_blocks.resize(visits * k, 0.0);
        let (mut log_det, mut total, mut least) = (0.0, 0.0, 1.0f64);
        for index in 0..self.patterns.len() {
            let (pattern_log_det, pattern_least) = self.invert_pattern(index)?;
            let pattern = &self.patterns[index];
            least = least.min(pattern_least);
            log_det += pattern.size() * pattern_log_det;
            let m = pattern.m;
            let seen = &self.visit_list[pattern.visits_at..pattern.visits_at + m];
            let w = &self.inverse[pattern.square()];
            for s in 0..m {
                for t in 0..=s {
                    let block = (seen[s] * visits + seen[t]) * k * k;
                    let gram = pattern.gram_at + if self.varying { (s * m + t) * k * k } else { 0 };
                    add_scaled(
                        &mut self.blocks[block..block + k * k],
                        w[s * m + t],
                        &self.gram[gram..gram + k * k],
                    );
                }
                for t in 0..m {
                    let cross = pattern.cross_at + k * if self.varying { s * m + t } else { t };
                    let at = seen[s] * k;
                    add_scaled(&mut self.rhs_blocks[at..at + k], w[s * m + t], &self.cross[cross..cross + k]);
                }
            }
            total += dot(w, &self.squares[pattern.square()]);
        }
        self.least_pivot = least;
        let mut factor = std::mem::take(&mut self.factor);
        factor.resize(p * p, 0.0);
        self.scatter(&self.blocks, &mut factor);
        let solved = cholesky(&mut factor, p);
        self.factor = factor;
        let (log_det_coefficients, _) = solved?;
        let mut gamma = std::mem::take(&mut self.gamma);
        gamma.clear();
        gamma.resize(p, 0.0);
        for v in 0..visits {
            for d in 0..k {
                gamma[self.column(v, d)] += self.rhs_blocks[v * k + d];
            }
        }
        solve_lower(&self.factor, p, &mut gamma, 1);
        let explained = dot(&gamma, &gamma);
        solve_lower_transposed(&self.factor, p, &mut gamma);
        self.gamma = gamma;
        let value = log_det + total - explained + if self.restricted { log_det_coefficients } else { 0.0 };
        value.is_finite().then_some(value)
    }

    /// Writes W = V⁻¹ of a pattern and returns ln |V| and the smallest pivot ratio.
    fn invert_pattern(&mut self, index: usize) -> Option<(f64, f64)> {
        let pattern = &self.patterns[index];
        let (m, range) = (pattern.m, pattern.square());
        let seen = &self.visit_list[pattern.visits_at..pattern.visits_at + m];
        let sigma = &self.sigma[pattern.group].matrix;
        self.small.clear();
        for s in seen {
            self.small.extend(seen.iter().map(|t| sigma[s * self.visits + t]));
        }
        let answer = cholesky(&mut self.small, m)?;
        invert_lower(&mut self.small, m);
        lower_transposed_times_itself(&self.small, m, &mut self.inverse[range]);
        Some(answer)
    }

    /// Forms gradient and Hessian at the current point.
    pub(super) fn derive(&mut self) {
        let mut own = std::mem::take(&mut self.derivatives);
        self.first_derivatives(&mut own);
        self.residual_sums(&mut own);
        self.gradient(&mut own);
        self.coefficient_derivatives(&mut own);
        own.tangent_hessian(self);
        self.to_parameters(&mut own);
        self.derivatives = own;
    }

    fn first_derivatives(&self, own: &mut Derivatives) {
        own.first.clear();
        let mut of_group = std::mem::take(&mut own.scratch);
        for sigma in &self.sigma[..self.groups] {
            sigma.first(self.structure(), &mut of_group);
            own.first.extend_from_slice(&of_group);
        }
        own.scratch = of_group;
        own.jacobian.clear();
    }

    /// Sums of covariates with residuals, Γ = nW - K by group, and L = 2K - nW by pattern, where
    /// K = W (R + H) W with the residual products R and (restricted) H = Σ X Φ X'.
    fn residual_sums(&mut self, own: &mut Derivatives) {
        let (visits, k, p) = (self.visits, self.k, self.p);
        let mut phi = std::mem::take(&mut self.phi);
        phi.clear();
        phi.resize(p * p, 0.0);
        self.small.clear();
        self.small.extend_from_slice(&self.factor);
        invert_lower(&mut self.small, p);
        lower_transposed_times_itself(&self.small, p, &mut phi);
        self.phi = phi;
        own.by_sigma.clear();
        own.by_sigma.resize(self.groups * visits * visits, 0.0);
        own.curvature.clear();
        own.curvature.resize(self.squares.len(), 0.0);
        own.residual_cross.clear();
        own.residual_cross.extend_from_slice(&self.cross);
        // γ and Φ by visit, where the columns of one visit stand together.
        self.rhs_blocks.clear();
        for v in 0..visits {
            for d in 0..k {
                self.rhs_blocks.push(self.gamma[self.column(v, d)]);
            }
        }
        if self.restricted {
            let mut blocks = std::mem::take(&mut self.blocks);
            for s in 0..visits {
                for t in 0..=s {
                    let at = (s * visits + t) * k * k;
                    for d in 0..k {
                        let row = self.column(s, d) * p;
                        for e in 0..k {
                            blocks[at + d * k + e] = self.phi[row + self.column(t, e)];
                        }
                    }
                }
            }
            self.blocks = blocks;
        }
        for pattern in &self.patterns {
            let m = pattern.m;
            let seen = self.visits_of(pattern);
            for s in 0..if self.varying { m } else { 1 } {
                for t in 0..m {
                    let (cross, gram) = (self.cross_of(pattern, s, t), self.gram_of(pattern, s, t));
                    let gamma = &self.rhs_blocks[seen[t] * k..seen[t] * k + k];
                    for d in 0..k {
                        own.residual_cross[cross + d] -=
                            dot(&self.gram[gram + d * k..gram + (d + 1) * k], gamma);
                    }
                }
            }
            let scratch = &mut own.scratch;
            scratch.clear();
            scratch.resize(2 * m * m, 0.0);
            let (products, half) = scratch.split_at_mut(m * m);
            for s in 0..m {
                for t in 0..=s {
                    let (st, ts) = (self.cross_of(pattern, s, t), self.cross_of(pattern, t, s));
                    let gamma_s = &self.rhs_blocks[seen[s] * k..seen[s] * k + k];
                    let gamma_t = &self.rhs_blocks[seen[t] * k..seen[t] * k + k];
                    let mut value = self.squares[pattern.square_at + s * m + t]
                        - dot(gamma_s, &self.cross[st..st + k])
                        - dot(gamma_t, &own.residual_cross[ts..ts + k]);
                    if self.restricted {
                        let (block, gram) =
                            ((seen[s] * visits + seen[t]) * k * k, self.gram_of(pattern, s, t));
                        value += dot(&self.blocks[block..block + k * k], &self.gram[gram..gram + k * k]);
                    }
                    products[s * m + t] = value;
                    products[t * m + s] = value;
                }
            }
            let w = &self.inverse[pattern.square()];
            multiply(w, products, m, half);
            multiply(half, w, m, products);
            let n = pattern.size();
            let gamma = &mut own.by_sigma[pattern.group * visits * visits..];
            let curvature = &mut own.curvature[pattern.square()];
            for s in 0..m {
                for t in 0..m {
                    let (w, big_k) = (w[s * m + t], products[s * m + t]);
                    gamma[seen[s] * visits + seen[t]] += n * w - big_k;
                    curvature[s * m + t] = 2.0 * big_k - n * w;
                }
            }
        }
    }

    fn gradient(&self, own: &mut Derivatives) {
        let square = self.visits * self.visits;
        own.gradient.clear();
        for group in 0..self.groups {
            let by_sigma = &own.by_sigma[group * square..(group + 1) * square];
            for a in 0..self.per_group() {
                let at = (group * self.per_group() + a) * square;
                own.gradient.push(dot(by_sigma, &own.first[at..at + square]));
            }
        }
    }

    /// Calls `each(tangent, W D W)` for every tangent that a pattern's participants feel.
    fn each_tangent(
        &self,
        pattern: &Pattern,
        first: &[f64],
        scratch: &mut Vec<f64>,
        mut each: impl FnMut(usize, &[f64]),
    ) {
        let (m, visits) = (pattern.m, self.visits);
        let (seen, w) = (self.visits_of(pattern), &self.inverse[pattern.square()]);
        scratch.clear();
        scratch.resize(3 * m * m, 0.0);
        let (sandwich, rest) = scratch.split_at_mut(m * m);
        let (own, half) = rest.split_at_mut(m * m);
        let offset = pattern.group * self.tangents();
        if self.structure() == Covariance::Unstructured {
            for i in 0..m {
                for j in 0..=i {
                    for x in 0..m {
                        let (xi, xj) = (w[x * m + i], if i == j { 0.0 } else { w[x * m + j] });
                        for y in 0..m {
                            sandwich[x * m + y] = xi * w[y * m + j] + xj * w[y * m + i];
                        }
                    }
                    each(offset + seen[i] * (seen[i] + 1) / 2 + seen[j], sandwich);
                }
            }
            return;
        }
        for a in 0..self.tangents() {
            let matrix = &first[(offset + a) * visits * visits..];
            for (x, s) in seen.iter().enumerate() {
                for (y, t) in seen.iter().enumerate() {
                    own[x * m + y] = matrix[s * visits + t];
                }
            }
            multiply(w, own, m, half);
            multiply(half, w, m, sandwich);
            each(offset + a, sandwich);
        }
    }

    /// P_a = -X'W D_a W X and q_a = X'W D_a W r, whitened by the Cholesky factor of X'WX.
    fn coefficient_derivatives(&mut self, own: &mut Derivatives) {
        let (visits, k, p) = (self.visits, self.k, self.p);
        let count = self.groups * self.tangents();
        let block_size = visits * visits * k * k;
        let mut blocks = std::mem::take(&mut own.blocks);
        blocks.clear();
        blocks.resize(count * block_size, 0.0);
        own.whitened_cross.clear();
        own.whitened_cross.resize(count * p, 0.0);
        let mut scratch = std::mem::take(&mut own.scratch);
        for pattern in &self.patterns {
            let m = pattern.m;
            let seen = self.visits_of(pattern);
            self.each_tangent(pattern, &own.first, &mut scratch, |a, sandwich| {
                for s in 0..m {
                    for t in 0..=s {
                        let at = a * block_size + (seen[s] * visits + seen[t]) * k * k;
                        let gram = self.gram_of(pattern, s, t);
                        add_scaled(
                            &mut blocks[at..at + k * k],
                            -sandwich[s * m + t],
                            &self.gram[gram..gram + k * k],
                        );
                    }
                    for d in 0..k {
                        let mut sum = 0.0;
                        for t in 0..m {
                            sum += sandwich[s * m + t] * own.residual_cross[self.cross_of(pattern, s, t) + d];
                        }
                        own.whitened_cross[a * p + self.column(seen[s], d)] += sum;
                    }
                }
            });
        }
        own.whitened.clear();
        own.whitened.resize(count * p * p, 0.0);
        scratch.clear();
        scratch.resize(p * p, 0.0);
        for a in 0..count {
            let target = &mut own.whitened[a * p * p..(a + 1) * p * p];
            self.scatter(&blocks[a * block_size..(a + 1) * block_size], target);
            whiten(&self.factor, p, target, &mut scratch);
            solve_lower(&self.factor, p, &mut own.whitened_cross[a * p..(a + 1) * p], 1);
        }
        own.scratch = scratch;
        own.blocks = blocks;
    }

    /// Adds tr(D_a W D_b M) over a pattern to each (a, b ≤ a) of `out`, where M is symmetric.
    fn add_pair_traces(
        &self,
        pattern: &Pattern,
        first: &[f64],
        matrix: &[f64],
        out: &mut [f64],
        scratch: &mut Vec<f64>,
    ) {
        let m = pattern.m;
        let (seen, w) = (self.visits_of(pattern), &self.inverse[pattern.square()]);
        let count = self.groups * self.tangents();
        let offset = pattern.group * self.tangents();
        if self.structure() == Covariance::Unstructured {
            let index = |i: usize, j: usize| offset + seen[i] * (seen[i] + 1) / 2 + seen[j];
            for i in 0..m {
                for j in 0..=i {
                    let row = index(i, j) * count;
                    for u in 0..=i {
                        for v in 0..=if u == i { j } else { u } {
                            let mut value = w[j * m + u] * matrix[v * m + i];
                            if u != v {
                                value += w[j * m + v] * matrix[u * m + i];
                            }
                            if i != j {
                                value += w[i * m + u] * matrix[v * m + j];
                                if u != v {
                                    value += w[i * m + v] * matrix[u * m + j];
                                }
                            }
                            out[row + index(u, v)] += value;
                        }
                    }
                }
            }
            return;
        }
        // tr((D_a W)(D_b M)), both products formed once.
        let (tangents, square) = (self.tangents(), m * m);
        scratch.clear();
        scratch.resize((2 * tangents + 1) * square, 0.0);
        let (left, rest) = scratch.split_at_mut(tangents * square);
        let (right, tangent) = rest.split_at_mut(tangents * square);
        for a in 0..tangents {
            let whole = &first[(offset + a) * self.visits * self.visits..];
            for (x, s) in seen.iter().enumerate() {
                for (y, t) in seen.iter().enumerate() {
                    tangent[x * m + y] = whole[s * self.visits + t];
                }
            }
            multiply(tangent, w, m, &mut left[a * square..(a + 1) * square]);
            // M and D_b are symmetric: (D_b M)' = M D_b, whose rows meet those of D_a W.
            multiply(matrix, tangent, m, &mut right[a * square..(a + 1) * square]);
        }
        for a in 0..tangents {
            for b in 0..=a {
                out[(offset + a) * count + offset + b] +=
                    dot(&left[a * square..(a + 1) * square], &right[b * square..(b + 1) * square]);
            }
        }
    }

    /// From tangents to parameters: J'HJ plus the curvature of Σ(θ).
    fn to_parameters(&self, own: &mut Derivatives) {
        let hessian = std::mem::take(&mut own.hessian);
        let tangent = std::mem::take(&mut own.tangent_hessian);
        own.hessian = self.pull_back(own, &tangent, hessian);
        own.tangent_hessian = tangent;
        let (q, per_group, square) = (own.gradient.len(), self.per_group(), self.visits * self.visits);
        for group in 0..self.groups {
            let offset = group * per_group;
            self.sigma[group].add_curvature(
                self.structure(),
                &own.first[offset * square..(offset + per_group) * square],
                &own.by_sigma[group * square..(group + 1) * square],
                &mut own.hessian[offset * q + offset..],
                q,
            );
        }
    }

    /// J' M J for a matrix over tangents, where `out` is memory to be reused.
    fn pull_back(&self, own: &mut Derivatives, matrix: &[f64], mut out: Vec<f64>) -> Vec<f64> {
        let (q, count) = (own.gradient.len(), self.groups * self.tangents());
        out.clear();
        if self.structure() != Covariance::Unstructured {
            out.extend_from_slice(matrix);
            return out;
        }
        out.resize(q * q, 0.0);
        self.set_jacobian(own);
        let mut half = std::mem::take(&mut own.scratch);
        half.clear();
        half.resize(count * q, 0.0);
        for r in 0..count {
            for s in 0..count {
                let factor = matrix[r * count + s];
                add_scaled(&mut half[r * q..(r + 1) * q], factor, &own.jacobian[s * q..(s + 1) * q]);
            }
        }
        for r in 0..count {
            for a in 0..q {
                let factor = own.jacobian[r * q + a];
                if factor != 0.0 {
                    add_scaled(&mut out[a * q..(a + 1) * q], factor, &half[r * q..(r + 1) * q]);
                }
            }
        }
        own.scratch = half;
        out
    }

    /// ∂τ/∂θ where tangents are entries of Σ: `count` × `q`.
    fn set_jacobian(&self, own: &mut Derivatives) {
        let (q, count) = (own.gradient.len(), self.groups * self.tangents());
        if own.jacobian.len() == count * q {
            return;
        }
        let (visits, per_group) = (self.visits, self.per_group());
        own.jacobian.clear();
        own.jacobian.resize(count * q, 0.0);
        for group in 0..self.groups {
            for a in 0..per_group {
                let parameter = group * per_group + a;
                let matrix = &own.first[parameter * visits * visits..];
                for s in 0..visits {
                    for t in 0..=s {
                        let tangent = group * self.tangents() + s * (s + 1) / 2 + t;
                        own.jacobian[tangent * q + parameter] = matrix[s * visits + t];
                    }
                }
            }
        }
    }

    /// Expected information of the unrestricted likelihood by θ, positive definite wherever parameters are
    /// identified; a metric for steps where the Hessian is not.
    pub(super) fn expected_information(&mut self, out: &mut Vec<f64>) {
        let mut own = std::mem::take(&mut self.derivatives);
        let count = self.groups * self.tangents();
        let mut tangent = std::mem::take(&mut own.information);
        tangent.clear();
        tangent.resize(count * count, 0.0);
        for pattern in &self.patterns {
            own.weighted.clear();
            own.weighted.extend(self.inverse[pattern.square()].iter().map(|w| w * pattern.size()));
            let Derivatives { first, weighted, scratch, .. } = &mut own;
            self.add_pair_traces(pattern, first, weighted, &mut tangent, scratch);
        }
        mirror(&mut tangent, count);
        *out = self.pull_back(&mut own, &tangent, std::mem::take(out));
        own.information = tangent;
        self.derivatives = own;
    }

    /// ω = J V J': the covariance of the tangents from that of the parameters.
    pub(super) fn push_forward(&mut self, of_parameters: &[f64], out: &mut Vec<f64>) {
        let mut own = std::mem::take(&mut self.derivatives);
        let (q, count) = (own.gradient.len(), self.groups * self.tangents());
        out.clear();
        if self.structure() == Covariance::Unstructured {
            self.set_jacobian(&mut own);
            out.resize(count * count, 0.0);
            let mut half = std::mem::take(&mut own.scratch);
            half.clear();
            half.resize(count * q, 0.0);
            for r in 0..count {
                for a in 0..q {
                    let factor = own.jacobian[r * q + a];
                    if factor != 0.0 {
                        let row = &of_parameters[a * q..(a + 1) * q];
                        add_scaled(&mut half[r * q..(r + 1) * q], factor, row);
                    }
                }
            }
            for r in 0..count {
                for s in 0..=r {
                    let value = dot(&half[r * q..(r + 1) * q], &own.jacobian[s * q..(s + 1) * q]);
                    out[r * count + s] = value;
                    out[s * count + r] = value;
                }
            }
            own.scratch = half;
        } else {
            out.extend_from_slice(of_parameters);
        }
        self.derivatives = own;
    }
}

impl Derivatives {
    /// H_ab = Σ tr(D_a W D_b L) - 2 q_a'Φq_b - tr(ΦP_aΦP_b), the last for restricted likelihood.
    fn tangent_hessian(&mut self, space: &Workspace) {
        let (count, p) = (space.groups * space.tangents(), space.p);
        let mut out = std::mem::take(&mut self.tangent_hessian);
        out.clear();
        out.resize(count * count, 0.0);
        for pattern in &space.patterns {
            let Self { first, curvature, scratch, .. } = self;
            space.add_pair_traces(pattern, first, &curvature[pattern.square()], &mut out, scratch);
        }
        for a in 0..count {
            for b in 0..=a {
                let cross = |i: usize| &self.whitened_cross[i * p..(i + 1) * p];
                let square = |i: usize| &self.whitened[i * p * p..(i + 1) * p * p];
                let mut value = 2.0 * dot(cross(a), cross(b));
                if space.restricted {
                    value += dot(square(a), square(b));
                }
                out[a * count + b] -= value;
            }
        }
        mirror(&mut out, count);
        self.tangent_hessian = out;
    }
}

fn mirror(matrix: &mut [f64], n: usize) {
    for a in 0..n {
        for b in 0..a {
            matrix[b * n + a] = matrix[a * n + b];
        }
    }
}

#[cfg(test)]
mod tests {
    use nalgebra::{DMatrix, DVector};

    use super::super::{Covariance, Panel, Workspace};

    /// Three covariates, one of them uncrossed; four visits; two groups; most patterns of missing visits.
    fn panel(varying: bool) -> Panel {
        let crossed = [true, false, true];
        let mut panel = if varying {
            Panel::with_varying_covariates(4, &crossed).unwrap()
        } else {
            Panel::new(4, &crossed).unwrap()
        };
        let wave = |i: usize, v: usize| ((i * 7 + v * 3) as f64 * 0.7).sin();
        for i in 0..40 {
            let own = |v: usize| [1.0, 20.0 + 5.0 * wave(i, v), (i % 2) as f64];
            let covariates: Vec<f64> = if varying { (0..4).flat_map(own).collect() } else { own(0).to_vec() };
            let y = |v: usize| wave(i, 9) + 0.4 * wave(i, 11 + v) * (1.0 + v as f64) + 0.1 * wave(v, i);
            let seen = |v: usize| v == i % 4 || (i * 5 + v * v) % 7 != 0;
            let responses: Vec<Option<f64>> = (0..4).map(|v| seen(v).then(|| y(v))).collect();
            panel.push(&covariates, &responses, usize::from(i % 3 == 0)).unwrap();
        }
        panel
    }

    /// -2ℓ from whole matrices, with nothing grouped, profiled or orthonormal.
    fn by_whole_matrices(space: &Workspace, panel: &Panel, by_group: bool, restricted: bool) -> f64 {
        let (t, p) = (panel.visits(), panel.coefficients());
        let (mut information, mut score) = (DMatrix::zeros(p, p), DVector::zeros(p));
        let (mut value, mut square) = (0.0, 0.0);
        for i in 0..panel.participants() {
            let group = if by_group { panel.group(i) } else { 0 };
            let seen: Vec<usize> = (0..t).filter(|v| panel.response(i, *v).is_some()).collect();
            let m = seen.len();
            let variance = DMatrix::from_fn(m, m, |r, s| {
                space.sigma[group].matrix[seen[r] * t + seen[s]] * space.scale * space.scale
            });
            let x = DMatrix::from_fn(m, p, |r, j| {
                let own = panel.covariates_of(i, seen[r]);
                // The uncrossed covariate has the last column.
                match j {
                    8 => own[1],
                    _ if j / 2 == seen[r] => own[if j % 2 == 0 { 0 } else { 2 }],
                    _ => 0.0,
                }
            });
            let y = DVector::from_iterator(m, seen.iter().map(|v| panel.response(i, *v).unwrap()));
            let factor = variance.cholesky().unwrap();
            value += factor.determinant().ln();
            square += y.dot(&factor.solve(&y));
            information += x.transpose() * factor.solve(&x);
            score += x.transpose() * factor.solve(&y);
        }
        let factor = information.clone().cholesky().unwrap();
        value += square - score.dot(&factor.solve(&score));
        let free = panel.observations() - if restricted { p } else { 0 };
        if restricted {
            value += factor.determinant().ln();
        }
        value + free as f64 * (2.0 * std::f64::consts::PI).ln()
    }

    fn shifted(theta: &[f64], changes: &[(usize, f64)]) -> Vec<f64> {
        let mut theta = theta.to_vec();
        for (i, by) in changes {
            theta[*i] += by;
        }
        theta
    }

    #[test]
    fn value_gradient_and_hessian_are_those_of_the_likelihood() {
        for varying in [false, true] {
            let panel = panel(varying);
            for covariance in Covariance::ALL {
                for (by_group, restricted) in [(false, true), (true, true), (true, false)] {
                    let mut space = Workspace::new();
                    space.load(&panel, covariance, by_group, restricted).unwrap();
                    let q = space.groups * space.per_group();
                    let theta: Vec<f64> = (0..q).map(|i| 0.1 + 0.2 * ((i * 5) as f64).sin()).collect();
                    let name = format!("{covariance:?} {varying} {by_group} {restricted}");
                    let value = space.evaluate(&theta).unwrap();
                    let whole = by_whole_matrices(&space, &panel, by_group, restricted);
                    // What the fit adds to its value for scale and orthonormal covariates.
                    let free = space.observations - if restricted { space.p } else { 0 };
                    let mut ours =
                        value + free as f64 * ((2.0 * std::f64::consts::PI).ln() + 2.0 * space.scale.ln());
                    if restricted {
                        for d in 0..3 {
                            let times = if d < 2 { 4.0 } else { 1.0 };
                            ours += 2.0 * times * space.triangle[d * 3 + d].ln();
                        }
                    }
                    assert!((ours - whole).abs() < 1e-9 * whole.abs(), "{name}: {ours} {whole}");
                    space.derive();
                    let (gradient, hessian) =
                        (space.derivatives.gradient.clone(), space.derivatives.hessian.clone());
                    let step = 1e-5;
                    for a in 0..q {
                        let up = space.evaluate(&shifted(&theta, &[(a, step)])).unwrap();
                        space.derive();
                        let above = space.derivatives.gradient.clone();
                        let down = space.evaluate(&shifted(&theta, &[(a, -step)])).unwrap();
                        space.derive();
                        let below = &space.derivatives.gradient;
                        let slope = (up - down) / (2.0 * step);
                        assert!((slope - gradient[a]).abs() < 1e-6 * value.abs(), "{name} {a}");
                        for b in 0..q {
                            let slope = (above[b] - below[b]) / (2.0 * step);
                            let ours = hessian[a * q + b];
                            assert!(
                                (slope - ours).abs() < 1e-6 * value.abs(),
                                "{name} {a} {b}: {slope} {ours}"
                            );
                        }
                    }
                }
            }
        }
    }
}
