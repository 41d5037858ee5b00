//! Fisher's noncentral hypergeometric distribution, and sums of independent ones.
//!
//! The distribution of a cell of a 2 × 2 table given its margins, at any odds ratio:
//! `P(X = x) ∝ w(x) ψ^x`. The weights of several strata are convolved for the exact
//! stratified analysis.

use super::binomial::EQUAL_PROBABILITY;
use crate::distribution::ln_choose;
use crate::{Confidence, Interval, NotEstimable, root};

/// Weights at odds ratio one, on the support `low ..= low + weights.len() - 1`.
#[derive(Debug, Clone)]
pub(super) struct Conditional {
    low: u64,
    /// Probabilities at odds ratio one.
    weights: Vec<f64>,
}

impl Conditional {
    /// The first cell of the table `[a, b; c, d]` given its margins.
    pub(super) fn of_table([a, b, c, d]: [u64; 4]) -> Self {
        let (m, n, k) = (a + b, c + d, a + c);
        let low = k.saturating_sub(n);
        let (mf, nf, kf) = (m as f64, n as f64, k as f64);
        let all = ln_choose(mf + nf, kf);
        let weights = (low..=k.min(m)).map(|x| {
            let x = x as f64;
            (ln_choose(mf, x) + ln_choose(nf, kf - x) - all).exp()
        });
        Self { low, weights: weights.collect() }
    }

    /// The sum of this and an independent variable.
    pub(super) fn plus(&self, other: &Self) -> Self {
        let mut weights = vec![0.0; self.weights.len() + other.weights.len() - 1];
        for (i, a) in self.weights.iter().enumerate() {
            for (j, b) in other.weights.iter().enumerate() {
                weights[i + j] += a * b;
            }
        }
        Self { low: self.low + other.low, weights }
    }

    fn high(&self) -> u64 {
        self.low + self.weights.len() as u64 - 1
    }

    /// Whether the margins leave only one possible value.
    pub(super) fn is_degenerate(&self) -> bool {
        self.weights.len() == 1
    }

    /// P(X ≤ x), P(X ≥ x) and P(X = x) at odds ratio one.
    pub(super) fn tails(&self, x: u64) -> (f64, f64, f64) {
        let i = (x - self.low) as usize;
        (self.weights[..=i].iter().sum(), self.weights[i..].iter().sum(), self.weights[i])
    }

    /// Sum of the probabilities at odds ratio one that do not exceed that of `x`.
    pub(super) fn two_sided_by_probability(&self, x: u64) -> f64 {
        let limit = self.weights[(x - self.low) as usize] * EQUAL_PROBABILITY;
        self.weights.iter().filter(|w| **w <= limit).sum::<f64>().min(1.0)
    }

    /// Calls `f(x, P(X = x))` at log odds ratio `theta`; probabilities are not normalised, their sum is returned.
    fn visit(&self, theta: f64, mut f: impl FnMut(f64, f64)) -> f64 {
        // Weights span hundreds of powers of ten: scale by the largest term.
        let term = |i: usize, w: f64| w.ln() + theta * (self.low as f64 + i as f64);
        let top = self.weights.iter().enumerate().map(|(i, w)| term(i, *w)).fold(f64::NEG_INFINITY, f64::max);
        let mut sum = 0.0;
        for (i, w) in self.weights.iter().enumerate() {
            let p = (term(i, *w) - top).exp();
            sum += p;
            f(self.low as f64 + i as f64, p);
        }
        sum
    }

    fn mean(&self, theta: f64) -> f64 {
        let mut moment = 0.0;
        let sum = self.visit(theta, |x, p| moment += x * p);
        moment / sum
    }

    fn at_most(&self, x: u64, theta: f64) -> f64 {
        let mut tail = 0.0;
        let sum = self.visit(theta, |v, p| tail += if v <= x as f64 { p } else { 0.0 });
        tail / sum
    }

    fn at_least(&self, x: u64, theta: f64) -> f64 {
        let mut tail = 0.0;
        let sum = self.visit(theta, |v, p| tail += if v >= x as f64 { p } else { 0.0 });
        tail / sum
    }

    /// The odds ratio that maximises the conditional likelihood: it solves E(X) = x.
    pub(super) fn odds_ratio(&self, x: u64) -> Result<f64, NotEstimable> {
        if self.is_degenerate() {
            Err(NotEstimable::EmptyMargin)
        } else if x == self.low {
            Ok(0.0)
        } else if x == self.high() {
            Ok(f64::INFINITY)
        } else {
            Ok(root::of_increasing(-LIMIT, LIMIT, |theta| self.mean(theta) - x as f64).exp())
        }
    }

    /// The exact interval of the odds ratio: each limit leaves `tail` beyond `x`.
    pub(super) fn odds_ratio_interval(&self, x: u64, confidence: Confidence) -> Interval {
        let tail = confidence.tail();
        Interval {
            lower: if x == self.low {
                0.0
            } else {
                root::of_increasing(-LIMIT, LIMIT, |theta| self.at_least(x, theta) - tail).exp()
            },
            upper: if x == self.high() {
                f64::INFINITY
            } else {
                root::of_decreasing(-LIMIT, LIMIT, |theta| self.at_most(x, theta) - tail).exp()
            },
        }
    }
}

/// Log odds ratios are sought between -LIMIT and LIMIT; exp(300) is beyond any table of counts.
const LIMIT: f64 = 300.0;
