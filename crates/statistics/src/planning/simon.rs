//! Simon's two-stage designs.
//!
//! Mathematics: `docs/methods/simon_two_stage.md`.

use crate::NotEstimable;
use crate::distribution::binomial_pmf;

/// A two-stage design: stop after `n1` with at most `r1` responses; reject the null with more than `r` of `n`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SimonDesign {
    /// Largest number of responses at which the first stage stops.
    pub r1: u64,
    /// Size of the first stage.
    pub n1: u64,
    /// Largest total number of responses that does not reject the null.
    pub r: u64,
    /// Total size.
    pub n: u64,
    /// Expected size under the null.
    pub expected_n: f64,
    /// Probability of stopping early under the null.
    pub early_stop: f64,
    /// Probability of rejecting the null when it is true.
    pub alpha: f64,
    /// Probability of rejecting the null at the alternative.
    pub power: f64,
}

/// The two designs that are usually looked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SimonDesigns {
    /// The smallest expected size under the null.
    pub optimal: SimonDesign,
    /// The smallest total size, and among those the smallest expected size.
    pub minimax: SimonDesign,
}

/// Searches all designs of at most `n_max` participants.
///
/// For each `n`, `n1` and `r1`, `r` is the smallest that keeps the type I error at `alpha`.
///
/// # Errors
/// Proportions that are not `0 < p0 < p1 < 1`, error rates outside (0, 1), more than 1,000
/// participants, or no design that keeps both error rates.
pub fn simon_two_stage(
    p0: f64,
    p1: f64,
    alpha: f64,
    beta: f64,
    n_max: u64,
) -> Result<SimonDesigns, NotEstimable> {
    if !(p0 > 0.0 && p0 < p1 && p1 < 1.0) {
        return Err(NotEstimable::OutOfRange { name: "response proportion" });
    }
    if !(alpha > 0.0 && alpha < 1.0 && beta > 0.0 && beta < 1.0) {
        return Err(NotEstimable::OutOfRange { name: "error rate" });
    }
    if n_max > 1_000 {
        return Err(NotEstimable::OutOfRange { name: "largest size" });
    }
    let stages: Vec<Stage> = (0..=n_max).map(|n| Stage::new(n, p0, p1)).collect();
    let (mut optimal, mut minimax): (Option<SimonDesign>, Option<SimonDesign>) = (None, None);
    for n in 2..=n_max {
        for n1 in 1..n {
            let (first, second) = (&stages[n1 as usize], &stages[(n - n1) as usize]);
            // With r1 = r + 1 or more responses needed, r only falls as r1 rises.
            let mut r = n;
            for r1 in 0..n1 {
                if first.alternative.at_most(r1) > beta {
                    break;
                }
                r = smallest_r(&first.null, &second.null, r1, r, alpha);
                let power = rejection(&first.alternative, &second.alternative, r1, r);
                if power < 1.0 - beta {
                    continue;
                }
                let early_stop = first.null.at_most(r1);
                let expected_n = n1 as f64 + (1.0 - early_stop) * (n - n1) as f64;
                let alpha = rejection(&first.null, &second.null, r1, r);
                let design = SimonDesign { r1, n1, r, n, expected_n, early_stop, alpha, power };
                if optimal.is_none_or(|o| expected_n < o.expected_n) {
                    optimal = Some(design);
                }
                if minimax.is_none_or(|m| n < m.n || (n == m.n && expected_n < m.expected_n)) {
                    minimax = Some(design);
                }
            }
        }
    }
    Ok(SimonDesigns {
        optimal: optimal.ok_or(NotEstimable::NoDesign)?,
        minimax: minimax.ok_or(NotEstimable::NoDesign)?,
    })
}

/// The binomial distribution of one stage under one proportion.
struct Binomial {
    pmf: Vec<f64>,
    /// P(X > k) at index k.
    above: Vec<f64>,
}

impl Binomial {
    fn new(n: u64, p: f64) -> Self {
        let pmf: Vec<f64> = (0..=n).map(|k| binomial_pmf(k, n, p)).collect();
        let mut above = vec![0.0; pmf.len()];
        for k in (0..pmf.len() - 1).rev() {
            above[k] = above[k + 1] + pmf[k + 1];
        }
        Self { pmf, above }
    }

    fn at_most(&self, k: u64) -> f64 {
        1.0 - self.above[k as usize]
    }
}

/// One stage under both proportions.
struct Stage {
    null: Binomial,
    alternative: Binomial,
}

impl Stage {
    fn new(n: u64, p0: f64, p1: f64) -> Self {
        Self { null: Binomial::new(n, p0), alternative: Binomial::new(n, p1) }
    }
}

/// P(X1 > r1 and X1 + X2 > r).
fn rejection(first: &Binomial, second: &Binomial, r1: u64, r: u64) -> f64 {
    let beyond = |x: usize| {
        let needed = r as i64 - x as i64;
        if needed < 0 { 1.0 } else { second.above.get(needed as usize).copied().unwrap_or(0.0) }
    };
    (r1 as usize + 1..first.pmf.len()).map(|x| first.pmf[x] * beyond(x)).sum()
}

fn smallest_r(first: &Binomial, second: &Binomial, r1: u64, mut r: u64, alpha: f64) -> u64 {
    while r > r1 && rejection(first, second, r1, r - 1) <= alpha {
        r -= 1;
    }
    r
}

#[test]
fn no_design_fits_into_too_few() {
    assert_eq!(simon_two_stage(0.2, 0.25, 0.05, 0.1, 20), Err(NotEstimable::NoDesign));
}

#[test]
fn proportions_out_of_order_are_refused() {
    let refused = simon_two_stage(0.4, 0.2, 0.05, 0.1, 20);
    assert_eq!(refused, Err(NotEstimable::OutOfRange { name: "response proportion" }));
    assert!(simon_two_stage(0.2, 0.4, 0.0, 0.1, 20).is_err());
}
