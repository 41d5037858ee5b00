//! The log partial likelihood of Cox's model with its first two derivatives.
//!
//! Participants are visited from the last time to the first, so that the risk set
//! grows; its sums are updated in place and nothing is allocated per participant.
//! Terms of each distinct time of an event are handed to a visitor, from which the
//! fit takes their sums and the test of proportional hazards their sums weighted by
//! a function of time.

use nalgebra::{DMatrix, DVector};

use super::cox::Ties;

/// What one distinct time of an event contributes.
pub(super) struct TimeTerms<'a> {
    pub(super) time: f64,
    pub(super) log_likelihood: f64,
    pub(super) score: &'a DVector<f64>,
    pub(super) information: &'a DMatrix<f64>,
}

/// The data of a fit, sorted by stratum and by falling time.
pub(super) struct SortedData {
    pub(super) time: Vec<f64>,
    pub(super) event: Vec<bool>,
    pub(super) stratum: Vec<usize>,
    /// One column a participant, so that a participant's covariates lie together.
    pub(super) covariates: DMatrix<f64>,
}

/// Sums over a set of participants: Σw, Σwx, Σwxx'.
struct WeightedSums {
    weight: f64,
    first: DVector<f64>,
    second: DMatrix<f64>,
}

impl WeightedSums {
    fn new(p: usize) -> Self {
        Self { weight: 0.0, first: DVector::zeros(p), second: DMatrix::zeros(p, p) }
    }

    fn clear(&mut self) {
        self.weight = 0.0;
        self.first.fill(0.0);
        self.second.fill(0.0);
    }

    fn add(&mut self, weight: f64, x: &[f64]) {
        self.weight += weight;
        for (a, xa) in x.iter().enumerate() {
            self.first[a] += weight * xa;
            for (b, xb) in x[..=a].iter().enumerate() {
                self.second[(a, b)] += weight * xa * xb;
            }
        }
    }
}

/// Calls `visit` for every distinct time of an event, at coefficients `beta`.
pub(super) fn visit_times(
    data: &SortedData,
    beta: &DVector<f64>,
    ties: Ties,
    mut visit: impl FnMut(TimeTerms<'_>),
) {
    let p = beta.len();
    let (mut risk, mut dead) = (WeightedSums::new(p), WeightedSums::new(p));
    let mut exact = ExactSums::default();
    let (mut score, mut information) = (DVector::zeros(p), DMatrix::zeros(p, p));
    let eta: Vec<f64> = data.covariates.column_iter().map(|x| x.dot(beta)).collect();
    // Only differences of log hazards matter; the largest is taken as zero.
    let top = eta.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let weights: Vec<f64> = eta.iter().map(|e| (e - top).exp()).collect();
    let (mut i, mut stratum_start) = (0, 0);
    while i < data.time.len() {
        if i > 0 && data.stratum[i] != data.stratum[i - 1] {
            risk.clear();
            stratum_start = i;
        }
        let (time, start) = (data.time[i], i);
        dead.clear();
        let (mut deaths, mut log_likelihood) = (0, 0.0);
        score.fill(0.0);
        information.fill(0.0);
        while i < data.time.len() && data.time[i] == time && data.stratum[i] == data.stratum[start] {
            let x = data.covariates.column(i);
            risk.add(weights[i], x.as_slice());
            if data.event[i] {
                deaths += 1;
                dead.add(weights[i], x.as_slice());
                log_likelihood += eta[i] - top;
                score += x;
            }
            i += 1;
        }
        if deaths == 0 {
            continue;
        }
        if ties == Ties::Exact && deaths > 1 {
            let at_risk = stratum_start..i;
            exact.run(data, &weights, at_risk, deaths, p);
            log_likelihood -= exact.subtract(deaths, &mut score, &mut information);
        } else {
            for k in 0..deaths {
                // Efron takes away the share k / d of those who die at this time.
                let share = if ties == Ties::Efron { f64::from(k) / f64::from(deaths) } else { 0.0 };
                log_likelihood -= subtract_means(&risk, &dead, share, &mut score, &mut information);
            }
        }
        information.fill_upper_triangle_with_lower_triangle();
        visit(TimeTerms { time, log_likelihood, score: &score, information: &information });
    }
}

/// Subtracts the mean of the risk set from the score, adds its variance to the information, and returns ln Σw.
fn subtract_means(
    risk: &WeightedSums,
    dead: &WeightedSums,
    share: f64,
    score: &mut DVector<f64>,
    information: &mut DMatrix<f64>,
) -> f64 {
    let weight = risk.weight - share * dead.weight;
    let mean = |a: usize| (risk.first[a] - share * dead.first[a]) / weight;
    for a in 0..score.len() {
        let mean_a = mean(a);
        score[a] -= mean_a;
        for b in 0..=a {
            let second = (risk.second[(a, b)] - share * dead.second[(a, b)]) / weight;
            information[(a, b)] += second - mean_a * mean(b);
        }
    }
    weight.ln()
}

/// Elementary symmetric functions of the weights in a risk set, with two derivatives.
///
/// The exact partial likelihood divides by the sum, over all sets of d participants at
/// risk, of the product of their weights. With one more participant of weight w,
/// B_k ← B_k + w B_{k-1}; differentiating gives the recursions for the derivatives.
#[derive(Default)]
struct ExactSums {
    /// For k = 0 ..= d: B_k, then its p first and p(p+1)/2 second derivatives.
    state: Vec<f64>,
    width: usize,
}

impl ExactSums {
    fn run(
        &mut self,
        data: &SortedData,
        weights: &[f64],
        at_risk: std::ops::Range<usize>,
        deaths: u32,
        p: usize,
    ) {
        self.width = 1 + p + p * (p + 1) / 2;
        self.state.clear();
        self.state.resize((deaths as usize + 1) * self.width, 0.0);
        self.state[0] = 1.0;
        let width = self.width;
        for i in at_risk {
            let x = data.covariates.column(i);
            let (x, w) = (x.as_slice(), weights[i]);
            for k in (1..=deaths as usize).rev() {
                let (before, here) = self.state.split_at_mut(k * width);
                let (less, here) = (&before[(k - 1) * width..], &mut here[..width]);
                here[0] += w * less[0];
                let mut second = 1 + p;
                for a in 0..p {
                    here[1 + a] += w * (less[1 + a] + x[a] * less[0]);
                    for b in 0..=a {
                        here[second] += w
                            * (less[second]
                                + x[a] * less[1 + b]
                                + x[b] * less[1 + a]
                                + x[a] * x[b] * less[0]);
                        second += 1;
                    }
                }
            }
        }
    }

    /// Subtracts ∂ ln B_d from the score, adds ∂² ln B_d to the information, and returns ln B_d.
    fn subtract(&self, deaths: u32, score: &mut DVector<f64>, information: &mut DMatrix<f64>) -> f64 {
        let here = &self.state[deaths as usize * self.width..];
        let p = score.len();
        let mut second = 1 + p;
        for a in 0..p {
            let mean_a = here[1 + a] / here[0];
            score[a] -= mean_a;
            for b in 0..=a {
                information[(a, b)] += here[second] / here[0] - mean_a * here[1 + b] / here[0];
                second += 1;
            }
        }
        here[0].ln()
    }
}
