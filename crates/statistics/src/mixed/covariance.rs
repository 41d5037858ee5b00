//! Covariance structures over visits, with their first and second derivatives.
//!
//! Every structure is Σ = D C D. D holds standard deviations, one for all visits or
//! one a visit, as logarithms. C is a correlation matrix, or for the unstructured
//! covariance ℓℓ' with a unit lower triangular ℓ. Parameters are unconstrained, in the
//! order and on the scales of the R package mmrm, since the second-derivative form of
//! Kenward and Roger's adjustment depends on them. Mathematics:
//! `docs/methods/mmrm_covariance.md`.

/// A covariance structure over visits.
///
/// Heterogeneous structures have a variance of their own at each visit; the unstructured one always does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Covariance {
    /// Every variance and every covariance is free.
    Unstructured,
    /// One correlation for each distance between visits, one variance.
    Toeplitz,
    /// One correlation for each distance between visits, a variance a visit.
    HeterogeneousToeplitz,
    /// Correlation ρ^distance, one variance.
    Autoregressive,
    /// Correlation ρ^distance, a variance a visit.
    HeterogeneousAutoregressive,
    /// One correlation for all pairs, one variance.
    CompoundSymmetry,
    /// One correlation for all pairs, a variance a visit.
    HeterogeneousCompoundSymmetry,
    /// Products of the correlations of neighbouring visits, one variance.
    AnteDependence,
    /// Products of the correlations of neighbouring visits, a variance a visit.
    HeterogeneousAnteDependence,
}

use Covariance::{
    AnteDependence, Autoregressive, CompoundSymmetry, HeterogeneousAnteDependence,
    HeterogeneousAutoregressive, HeterogeneousCompoundSymmetry, HeterogeneousToeplitz, Toeplitz,
    Unstructured,
};

impl Covariance {
    /// All structures.
    pub const ALL: [Self; 9] = [
        Unstructured,
        Toeplitz,
        HeterogeneousToeplitz,
        Autoregressive,
        HeterogeneousAutoregressive,
        CompoundSymmetry,
        HeterogeneousCompoundSymmetry,
        AnteDependence,
        HeterogeneousAnteDependence,
    ];

    /// The short name that mmrm's formulas use: `us`, `toep`, `toeph`, `ar1`, `ar1h`, `cs`, `csh`, `ad`, `adh`.
    pub fn short_name(self) -> &'static str {
        match self {
            Unstructured => "us",
            Toeplitz => "toep",
            HeterogeneousToeplitz => "toeph",
            Autoregressive => "ar1",
            HeterogeneousAutoregressive => "ar1h",
            CompoundSymmetry => "cs",
            HeterogeneousCompoundSymmetry => "csh",
            AnteDependence => "ad",
            HeterogeneousAnteDependence => "adh",
        }
    }

    /// The structure of a short name.
    pub fn from_short_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.short_name() == name)
    }

    /// Whether each visit has a variance of its own.
    pub fn is_heterogeneous(self) -> bool {
        matches!(
            self,
            Unstructured
                | HeterogeneousToeplitz
                | HeterogeneousAutoregressive
                | HeterogeneousCompoundSymmetry
                | HeterogeneousAnteDependence
        )
    }

    /// The number of parameters for this number of visits.
    pub fn parameters(self, visits: usize) -> usize {
        self.scales(visits) + self.correlations(visits)
    }

    /// How many of the parameters are logarithms of standard deviations; they come first.
    pub(super) fn scales(self, visits: usize) -> usize {
        if self.is_heterogeneous() { visits } else { 1 }
    }

    fn correlations(self, visits: usize) -> usize {
        match self {
            Unstructured => visits * (visits - 1) / 2,
            Toeplitz | HeterogeneousToeplitz | AnteDependence | HeterogeneousAnteDependence => visits - 1,
            Autoregressive
            | HeterogeneousAutoregressive
            | CompoundSymmetry
            | HeterogeneousCompoundSymmetry => usize::from(visits > 1),
        }
    }

    /// Starting values from variances by visit and correlations by pair of visits.
    ///
    /// `correlation(s, t)` need not be consistent over pairs; it is multiplied by `shrink` (from 0 to 1).
    pub(super) fn start(
        self,
        variances: &[f64],
        correlation: impl Fn(usize, usize) -> f64,
        shrink: f64,
        theta: &mut [f64],
        scratch: &mut Vec<f64>,
    ) {
        let visits = variances.len();
        let scales = self.scales(visits);
        if scales == 1 {
            theta[0] = 0.5 * (variances.iter().sum::<f64>() / visits as f64).ln();
        } else {
            for (slot, variance) in theta.iter_mut().zip(variances) {
                *slot = 0.5 * variance.ln();
            }
        }
        let at_distance = |distance: usize| {
            let pairs = visits - distance;
            (0..pairs).map(|s| correlation(s, s + distance)).sum::<f64>() / pairs as f64
        };
        let rest = &mut theta[scales..];
        match self {
            Unstructured => {
                unit_lower_start(visits, &correlation, shrink, variances, &mut theta[..], scratch)
            }
            Toeplitz | HeterogeneousToeplitz => {
                for (i, slot) in rest.iter_mut().enumerate() {
                    *slot = unbounded(shrink * at_distance(i + 1));
                }
            }
            AnteDependence | HeterogeneousAnteDependence => {
                for (i, slot) in rest.iter_mut().enumerate() {
                    *slot = unbounded(shrink * correlation(i, i + 1));
                }
            }
            Autoregressive | HeterogeneousAutoregressive => {
                if let Some(slot) = rest.first_mut() {
                    *slot = unbounded(shrink * at_distance(1));
                }
            }
            CompoundSymmetry | HeterogeneousCompoundSymmetry => {
                if let Some(slot) = rest.first_mut() {
                    let pairs = (visits * (visits - 1) / 2) as f64;
                    let sum: f64 =
                        (1..visits).map(|d| at_distance(d) * (visits - d) as f64).sum::<f64>() / pairs;
                    let least = 1.0 / (visits as f64 - 1.0);
                    // The inverse of the map onto (-1/(visits - 1), 1).
                    let share = ((shrink * sum + least) / (1.0 + least)).clamp(0.02, 0.98);
                    *slot = (share / (1.0 - share)).ln();
                }
            }
        }
    }
}

/// The parameters of the unstructured covariance from a matrix of correlations, shrunk until it has a factor.
fn unit_lower_start(
    visits: usize,
    correlation: &impl Fn(usize, usize) -> f64,
    shrink: f64,
    variances: &[f64],
    theta: &mut [f64],
    l: &mut Vec<f64>,
) {
    let mut kept = shrink;
    l.clear();
    l.resize(visits * visits, 0.0);
    for _ in 0..60 {
        for s in 0..visits {
            for t in 0..=s {
                l[s * visits + t] = if s == t { 1.0 } else { kept * correlation(s, t) };
            }
        }
        if crate::kernel::cholesky(l, visits).is_some_and(|(_, least)| least > 1e-3) {
            let mut next = visits;
            for s in 0..visits {
                let own = l[s * visits + s];
                theta[s] = 0.5 * variances[s].ln() + own.ln();
                for t in 0..s {
                    theta[next] = l[s * visits + t] / own;
                    next += 1;
                }
            }
            return;
        }
        kept *= 0.8;
    }
    theta[visits..].fill(0.0);
}

/// θ ↦ θ/√(1 + θ²) with its first two derivatives.
fn bounded(theta: f64) -> [f64; 3] {
    let square = 1.0 + theta * theta;
    let root = square.sqrt();
    [theta / root, 1.0 / (square * root), -3.0 * theta / (square * square * root)]
}

fn unbounded(correlation: f64) -> f64 {
    let c = correlation.clamp(-0.95, 0.95);
    c / (1.0 - c * c).sqrt()
}

/// θ ↦ -1/(visits - 1) + visits/(visits - 1) · logistic(θ) with its first two derivatives.
fn above_compound_limit(theta: f64, visits: usize) -> [f64; 3] {
    let least = 1.0 / (visits as f64 - 1.0);
    let logistic = 1.0 / (1.0 + (-theta).exp());
    let slope = logistic * (1.0 - logistic);
    [-least + (1.0 + least) * logistic, (1.0 + least) * slope, (1.0 + least) * slope * (1.0 - 2.0 * logistic)]
}

/// Σ(θ) of one group with what its derivatives need; buffers are kept between uses.
#[derive(Debug, Clone, Default)]
pub(super) struct Sigma {
    visits: usize,
    /// Σ itself, `visits` × `visits`.
    pub(super) matrix: Vec<f64>,
    sd: Vec<f64>,
    /// C: correlations, or ℓℓ'.
    inner: Vec<f64>,
    /// ℓ of the unstructured covariance.
    unit_lower: Vec<f64>,
    /// The correlations that are parameters, with first and second derivative.
    mapped: Vec<[f64; 3]>,
}

impl Sigma {
    pub(super) fn set(&mut self, covariance: Covariance, visits: usize, theta: &[f64]) {
        self.visits = visits;
        let scales = covariance.scales(visits);
        self.sd.clear();
        self.sd.extend((0..visits).map(|t| theta[if scales == 1 { 0 } else { t }].exp()));
        let rest = &theta[scales..];
        self.mapped.clear();
        self.inner.clear();
        self.inner.resize(visits * visits, 0.0);
        match covariance {
            Unstructured => self.set_unstructured(rest),
            CompoundSymmetry | HeterogeneousCompoundSymmetry => {
                self.mapped.extend(rest.iter().map(|v| above_compound_limit(*v, visits)));
            }
            _ => self.mapped.extend(rest.iter().map(|v| bounded(*v))),
        }
        if covariance != Unstructured {
            for s in 0..visits {
                for t in 0..=s {
                    let value = self.correlation(covariance, t, s);
                    self.inner[s * visits + t] = value;
                    self.inner[t * visits + s] = value;
                }
            }
        }
        self.matrix.clear();
        for s in 0..visits {
            let row = &self.inner[s * visits..(s + 1) * visits];
            self.matrix.extend(row.iter().zip(&self.sd).map(|(c, sd)| self.sd[s] * c * sd));
        }
    }

    fn set_unstructured(&mut self, rest: &[f64]) {
        let n = self.visits;
        self.unit_lower.clear();
        self.unit_lower.resize(n * n, 0.0);
        let mut next = 0;
        for s in 0..n {
            for t in 0..s {
                self.unit_lower[s * n + t] = rest[next];
                next += 1;
            }
            self.unit_lower[s * n + s] = 1.0;
        }
        for s in 0..n {
            for t in 0..=s {
                let value: f64 =
                    (0..=t).map(|j| self.unit_lower[s * n + j] * self.unit_lower[t * n + j]).sum();
                self.inner[s * n + t] = value;
                self.inner[t * n + s] = value;
            }
        }
    }

    fn correlation(&self, covariance: Covariance, s: usize, t: usize) -> f64 {
        if s == t {
            return 1.0;
        }
        match covariance {
            Toeplitz | HeterogeneousToeplitz => self.mapped[t - s - 1][0],
            Autoregressive | HeterogeneousAutoregressive => self.mapped[0][0].powi((t - s) as i32),
            CompoundSymmetry | HeterogeneousCompoundSymmetry => self.mapped[0][0],
            AnteDependence | HeterogeneousAnteDependence => {
                self.mapped[s..t].iter().map(|rho| rho[0]).product()
            }
            Unstructured => self.inner[s * self.visits + t],
        }
    }

    /// The first derivative of the correlation of visits `s < t` by correlation parameter `a`.
    fn correlation_first(&self, covariance: Covariance, s: usize, t: usize, a: usize) -> f64 {
        let distance = t - s;
        match covariance {
            Toeplitz | HeterogeneousToeplitz => {
                if a + 1 == distance {
                    self.mapped[a][1]
                } else {
                    0.0
                }
            }
            Autoregressive | HeterogeneousAutoregressive => {
                let [rho, first, _] = self.mapped[0];
                distance as f64 * rho.powi(distance as i32 - 1) * first
            }
            CompoundSymmetry | HeterogeneousCompoundSymmetry => self.mapped[0][1],
            AnteDependence | HeterogeneousAnteDependence => {
                if a < s || a >= t {
                    return 0.0;
                }
                self.mapped[a][1] * self.product_without(s, t, &[a])
            }
            Unstructured => 0.0,
        }
    }

    fn product_without(&self, s: usize, t: usize, left_out: &[usize]) -> f64 {
        (s..t).filter(|i| !left_out.contains(i)).map(|i| self.mapped[i][0]).product()
    }

    /// The second derivative of the correlation of visits `s < t` by correlation parameters `a` and `b`.
    fn correlation_second(&self, covariance: Covariance, s: usize, t: usize, a: usize, b: usize) -> f64 {
        let distance = t - s;
        match covariance {
            Toeplitz | HeterogeneousToeplitz => {
                if a == b && a + 1 == distance {
                    self.mapped[a][2]
                } else {
                    0.0
                }
            }
            Autoregressive | HeterogeneousAutoregressive => {
                let ([rho, first, second], d) = (self.mapped[0], distance as f64);
                let power = |less: i32| {
                    let exponent = distance as i32 - less;
                    if exponent < 0 { 0.0 } else { rho.powi(exponent) }
                };
                d * (d - 1.0) * power(2) * first * first + d * power(1) * second
            }
            CompoundSymmetry | HeterogeneousCompoundSymmetry => self.mapped[0][2],
            AnteDependence | HeterogeneousAnteDependence => {
                if a < s || a >= t || b < s || b >= t {
                    0.0
                } else if a == b {
                    self.mapped[a][2] * self.product_without(s, t, &[a])
                } else {
                    self.mapped[a][1] * self.mapped[b][1] * self.product_without(s, t, &[a, b])
                }
            }
            Unstructured => 0.0,
        }
    }

    /// ∂Σ/∂θ_a for every parameter, one matrix after the other.
    pub(super) fn first(&self, covariance: Covariance, out: &mut Vec<f64>) {
        let n = self.visits;
        let scales = covariance.scales(n);
        let count = covariance.parameters(n);
        out.clear();
        out.resize(count * n * n, 0.0);
        for a in 0..scales {
            let target = &mut out[a * n * n..(a + 1) * n * n];
            for s in 0..n {
                for t in 0..n {
                    target[s * n + t] = self.by_scale(scales, a, s, t) * self.matrix[s * n + t];
                }
            }
        }
        if covariance == Unstructured {
            let mut a = scales;
            for r in 0..n {
                for j in 0..r {
                    self.first_unit_lower(r, j, &mut out[a * n * n..(a + 1) * n * n]);
                    a += 1;
                }
            }
            return;
        }
        for a in scales..count {
            let target = &mut out[a * n * n..(a + 1) * n * n];
            for t in 0..n {
                for s in 0..t {
                    let value =
                        self.sd[s] * self.sd[t] * self.correlation_first(covariance, s, t, a - scales);
                    target[s * n + t] = value;
                    target[t * n + s] = value;
                }
            }
        }
    }

    /// ∂ ln Σ_st/∂θ_a for the logarithm of a standard deviation.
    fn by_scale(&self, scales: usize, a: usize, s: usize, t: usize) -> f64 {
        if scales == 1 { 2.0 } else { f64::from(u8::from(s == a)) + f64::from(u8::from(t == a)) }
    }

    fn first_unit_lower(&self, r: usize, j: usize, target: &mut [f64]) {
        let n = self.visits;
        for t in j..n {
            let value = self.sd[r] * self.sd[t] * self.unit_lower[t * n + j];
            target[r * n + t] += value;
            target[t * n + r] += value;
        }
    }

    /// Adds Σ_ab weight(a, b) ∂²Σ/∂θ_a∂θ_b to `out`, where `first` are the first derivatives.
    pub(super) fn add_second(
        &self,
        covariance: Covariance,
        first: &[f64],
        weight: impl Fn(usize, usize) -> f64,
        out: &mut [f64],
    ) {
        self.each_second(covariance, first, |a, b, s, t, value| {
            out[s * self.visits + t] += weight(a, b) * value;
        });
    }

    /// Adds Σ_st gradient(s, t) ∂²Σ_st/∂θ_a∂θ_b to each (a, b) of `out`, `parameters` × `parameters`.
    pub(super) fn add_curvature(
        &self,
        covariance: Covariance,
        first: &[f64],
        gradient: &[f64],
        out: &mut [f64],
        stride: usize,
    ) {
        self.each_second(covariance, first, |a, b, s, t, value| {
            out[a * stride + b] += gradient[s * self.visits + t] * value;
        });
    }

    /// Visits every second derivative that can differ from zero, for all ordered (a, b) and all (s, t).
    fn each_second(
        &self,
        covariance: Covariance,
        first: &[f64],
        mut visit: impl FnMut(usize, usize, usize, usize, f64),
    ) {
        let n = self.visits;
        let scales = covariance.scales(n);
        let count = covariance.parameters(n);
        for a in 0..scales {
            for b in 0..count {
                let by_b = &first[b * n * n..(b + 1) * n * n];
                for s in 0..n {
                    for t in 0..n {
                        let value = self.by_scale(scales, a, s, t) * by_b[s * n + t];
                        if value != 0.0 {
                            visit(a, b, s, t, value);
                            if b >= scales {
                                visit(b, a, s, t, value);
                            }
                        }
                    }
                }
            }
        }
        if covariance == Unstructured {
            // ∂²(ℓℓ')_st/∂ℓ_rj∂ℓ_qj = 1 where {s, t} = {r, q}; both orders of (a, b) are visited.
            let index = |r: usize, j: usize| n + r * (r - 1) / 2 + j;
            for j in 0..n {
                for r in j + 1..n {
                    for q in j + 1..n {
                        let value = self.sd[r] * self.sd[q];
                        visit(index(r, j), index(q, j), r, q, value);
                        visit(index(r, j), index(q, j), q, r, value);
                    }
                }
            }
            return;
        }
        for a in scales..count {
            for b in scales..count {
                for t in 0..n {
                    for s in 0..t {
                        let value = self.sd[s]
                            * self.sd[t]
                            * self.correlation_second(covariance, s, t, a - scales, b - scales);
                        if value != 0.0 {
                            visit(a, b, s, t, value);
                            visit(a, b, t, s, value);
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sigma(covariance: Covariance, theta: &[f64]) -> Sigma {
        let mut sigma = Sigma::default();
        sigma.set(covariance, 4, theta);
        sigma
    }

    /// Differences of Σ agree with the analytic derivatives of every structure.
    #[test]
    fn derivatives_agree_with_differences() {
        for covariance in Covariance::ALL {
            let count = covariance.parameters(4);
            let theta: Vec<f64> = (0..count).map(|i| 0.3 + 0.17 * ((i * 7) as f64).sin()).collect();
            let at = |theta: &[f64]| sigma(covariance, theta);
            let (centre, mut first) = (at(&theta), Vec::new());
            centre.first(covariance, &mut first);
            let mut second = vec![vec![0.0; 16]; count * count];
            for a in 0..count {
                for b in 0..count {
                    let only = |x, y| f64::from(u8::from((x, y) == (a, b)));
                    centre.add_second(covariance, &first, only, &mut second[a * count + b]);
                }
            }
            let step = 1e-5;
            for a in 0..count {
                let moved = |by: f64| {
                    let mut theta = theta.clone();
                    theta[a] += by;
                    at(&theta)
                };
                let (up, down) = (moved(step), moved(-step));
                let (mut first_up, mut first_down) = (Vec::new(), Vec::new());
                up.first(covariance, &mut first_up);
                down.first(covariance, &mut first_down);
                for i in 0..16 {
                    let slope = (up.matrix[i] - down.matrix[i]) / (2.0 * step);
                    assert!((slope - first[a * 16 + i]).abs() < 1e-8, "{covariance:?} {a} {i}");
                    for b in 0..count {
                        let slope = (first_up[b * 16 + i] - first_down[b * 16 + i]) / (2.0 * step);
                        let ours = second[a * count + b][i];
                        assert!((slope - ours).abs() < 1e-8, "{covariance:?} {a} {b} {i}: {slope} {ours}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_short_name_names_one_structure() {
        for covariance in Covariance::ALL {
            assert_eq!(Covariance::from_short_name(covariance.short_name()), Some(covariance));
        }
        assert_eq!(Covariance::from_short_name("sp_exp"), None);
    }

    #[test]
    fn a_single_visit_has_only_its_variance() {
        for covariance in Covariance::ALL {
            assert_eq!(covariance.parameters(1), 1);
            let mut theta = [0.0];
            covariance.start(&[4.0], |_, _| 0.0, 1.0, &mut theta, &mut Vec::new());
            let mut sigma = Sigma::default();
            sigma.set(covariance, 1, &theta);
            assert!((sigma.matrix[0] - 4.0).abs() < 1e-12);
        }
    }
}
