//! Group sequential designs: boundaries, their error spending and their operating characteristics.
//!
//! The standardised statistics at the looks are those of a Brownian motion with drift
//! seen at the information fractions. The density of a trial that has not stopped is
//! carried from look to look by quadrature. Mathematics: `docs/methods/group_sequential.md`.

use crate::distribution::{normal_cdf, normal_pdf, normal_quantile_upper, normal_upper};
use crate::quadrature::GaussLegendre;
use crate::{NotEstimable, root};

/// The shape of the boundary, or the function by which error is spent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum BoundaryShape {
    /// O'Brien and Fleming: critical values proportional to 1/√t.
    OBrienFleming,
    /// Pocock: the same critical value at each look.
    Pocock,
    /// Wang and Tsiatis: critical values proportional to t^(delta - 1/2).
    WangTsiatis {
        /// 0 is O'Brien and Fleming, 1/2 is Pocock.
        delta: f64,
    },
    /// Lan and DeMets' spending like O'Brien and Fleming: 2 - 2 Φ(z_{α/2} / √t).
    SpendingOBrienFleming,
    /// Lan and DeMets' spending like Pocock: α ln(1 + (e - 1) t).
    SpendingPocock,
    /// Kim and DeMets' power spending: α t^gamma.
    SpendingPower {
        /// The exponent, above zero.
        gamma: f64,
    },
    /// Hwang, Shih and DeCani's spending: α (1 - e^(-gamma t)) / (1 - e^(-gamma)), or α t at zero.
    SpendingGamma {
        /// The parameter; negative values spend late.
        gamma: f64,
    },
}

/// On how many sides the null is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sides {
    /// Upper boundary only.
    One,
    /// Symmetric boundaries; each tail has half of alpha, and spending functions spend that half.
    Two,
}

/// The boundaries of a group sequential design.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupSequentialDesign {
    /// Information fractions of the looks, the last one 1.
    pub information: Vec<f64>,
    /// Upper critical values of the standardised statistics.
    pub critical_values: Vec<f64>,
    /// Type I error of the upper boundary, cumulated over looks.
    pub alpha_spent_upper: Vec<f64>,
    sides: Sides,
    alpha_upper: f64,
}

/// What a design does at a given drift.
#[derive(Debug, Clone, PartialEq)]
pub struct OperatingCharacteristics {
    /// Probability of having crossed the upper boundary, cumulated over looks.
    pub upper: Vec<f64>,
    /// Probability of having crossed the lower boundary, cumulated over looks; zero in one-sided designs.
    pub lower: Vec<f64>,
    /// Expected information at the end of the trial, as a fraction of the maximum.
    pub expected_information: f64,
}

/// Computes the boundaries for looks at the information given (any unit, increasing).
///
/// # Errors
/// No looks, information that does not increase from above zero, alpha outside (0, 1) (for two sides,
/// the sum of both), or a shape parameter that is not finite.
pub fn group_sequential_design(
    shape: BoundaryShape,
    information: &[f64],
    alpha: f64,
    sides: Sides,
) -> Result<GroupSequentialDesign, NotEstimable> {
    let last = *information.last().ok_or(NotEstimable::NoObservations)?;
    let increasing = information.windows(2).all(|w| w[0] < w[1]) && information[0] > 0.0 && last.is_finite();
    if !increasing {
        return Err(NotEstimable::OutOfRange { name: "information" });
    }
    if !(alpha > 0.0 && alpha < 1.0) {
        return Err(NotEstimable::OutOfRange { name: "error rate" });
    }
    let information: Vec<f64> = information.iter().map(|i| i / last).collect();
    let alpha_upper = if sides == Sides::Two { alpha / 2.0 } else { alpha };
    let critical_values = match exponent(shape)? {
        Some(exponent) => by_shape(&information, exponent, alpha_upper, sides),
        None => by_spending(shape, &information, alpha_upper, sides)?,
    };
    let mut design = GroupSequentialDesign {
        information,
        critical_values,
        alpha_spent_upper: Vec::new(),
        sides,
        alpha_upper,
    };
    design.alpha_spent_upper = design.at_drift(0.0).upper;
    Ok(design)
}

/// The power of t to which the critical values are proportional; `None` for a spending function.
fn exponent(shape: BoundaryShape) -> Result<Option<f64>, NotEstimable> {
    match shape {
        BoundaryShape::OBrienFleming => Ok(Some(-0.5)),
        BoundaryShape::Pocock => Ok(Some(0.0)),
        BoundaryShape::WangTsiatis { delta } if delta.is_finite() => Ok(Some(delta - 0.5)),
        BoundaryShape::SpendingPower { gamma } if gamma > 0.0 && gamma.is_finite() => Ok(None),
        BoundaryShape::SpendingGamma { gamma } if gamma.is_finite() => Ok(None),
        BoundaryShape::SpendingOBrienFleming | BoundaryShape::SpendingPocock => Ok(None),
        _ => Err(NotEstimable::OutOfRange { name: "shape parameter" }),
    }
}

fn spent(shape: BoundaryShape, t: f64, alpha: f64) -> f64 {
    match shape {
        BoundaryShape::SpendingPocock => alpha * (1.0 + (std::f64::consts::E - 1.0) * t).ln(),
        BoundaryShape::SpendingPower { gamma } => alpha * t.powf(gamma),
        BoundaryShape::SpendingGamma { gamma: 0.0 } => alpha * t,
        BoundaryShape::SpendingGamma { gamma } => alpha * (-gamma * t).exp_m1() / (-gamma).exp_m1(),
        _ => 2.0 * normal_upper(normal_quantile_upper(alpha / 2.0) / t.sqrt()),
    }
}

fn by_shape(information: &[f64], exponent: f64, alpha_upper: f64, sides: Sides) -> Vec<f64> {
    let at = |c: f64| -> Vec<f64> { information.iter().map(|t| c * t.powf(exponent)).collect() };
    let crossing = |c: f64| -> f64 {
        let mut walk = Walk::new(sides);
        information.iter().zip(at(c)).map(|(t, critical)| walk.look(*t, critical).0).sum()
    };
    // With one look the constant is the fixed critical value; more looks only raise it.
    let fixed = normal_quantile_upper(alpha_upper);
    at(root::of_smooth_increasing(fixed.min(0.0) - 1.0, fixed.abs() + 6.0, |c| {
        alpha_upper.ln() - crossing(c).ln()
    }))
}

fn by_spending(
    shape: BoundaryShape,
    information: &[f64],
    alpha_upper: f64,
    sides: Sides,
) -> Result<Vec<f64>, NotEstimable> {
    let mut walk = Walk::new(sides);
    let mut before = 0.0;
    let mut critical_values = Vec::new();
    for t in information {
        let total = spent(shape, *t, alpha_upper);
        let step = total - before;
        if step.is_nan() || step <= 0.0 {
            return Err(NotEstimable::OutOfRange { name: "shape parameter" });
        }
        let critical = root::of_decreasing(-8.0, 38.0, |c| walk.upper_crossing(*t, c) - step);
        walk.look(*t, critical);
        critical_values.push(critical);
        before = total;
    }
    Ok(critical_values)
}

/// A trial without drift that has not stopped: its density at the last look, by quadrature nodes.
///
/// With drift θ the density is the same times exp(θ s - θ² t / 2), so that one walk serves all drifts.
#[derive(Clone)]
struct Walk {
    sides: Sides,
    rule: GaussLegendre,
    t: f64,
    /// Position s = z √t, and density times quadrature weight.
    nodes: Vec<(f64, f64)>,
}

impl Walk {
    fn new(sides: Sides) -> Self {
        Self { sides, rule: GaussLegendre::new(), t: 0.0, nodes: vec![(0.0, 1.0)] }
    }

    /// Probability of first crossing the upper boundary at this look.
    fn upper_crossing(&self, t: f64, critical: f64) -> f64 {
        self.crossing(t, critical, 0.0).0
    }

    /// Probabilities of first crossing the upper and the lower boundary at this look, with drift.
    fn crossing(&self, t: f64, critical: f64, drift: f64) -> (f64, f64) {
        let (step, bound) = (t - self.t, critical * t.sqrt());
        let sd = step.sqrt();
        let (mut upper, mut lower) = (0.0, 0.0);
        for (s, mass) in &self.nodes {
            let mass = mass * (drift * s - 0.5 * drift * drift * self.t).exp();
            let mean = s + drift * step;
            upper += mass * normal_upper((bound - mean) / sd);
            if self.sides == Sides::Two {
                lower += mass * normal_cdf((-bound - mean) / sd);
            }
        }
        (upper, lower)
    }

    /// Moves on to the next look, and returns the crossing probabilities without drift.
    fn look(&mut self, t: f64, critical: f64) -> (f64, f64) {
        let crossed = self.crossing(t, critical, 0.0);
        let sd = (t - self.t).sqrt();
        let bound = critical * t.sqrt();
        let low = if self.sides == Sides::Two { -bound } else { -9.0 * t.sqrt() };
        let next = if low < bound {
            let density = |s: f64| -> f64 {
                self.nodes.iter().map(|(from, mass)| mass * normal_pdf((s - from) / sd)).sum::<f64>() / sd
            };
            // The integrand has features as narrow as the step that led here.
            self.rule.panels(low, bound, 2.5 * sd).map(|(s, weight)| (s, weight * density(s))).collect()
        } else {
            Vec::new()
        };
        self.nodes = next;
        self.t = t;
        crossed
    }
}

impl GroupSequentialDesign {
    /// One-sided nominal level of each look, 1 - Φ(critical value).
    pub fn stage_levels(&self) -> Vec<f64> {
        self.critical_values.iter().map(|c| normal_upper(*c)).collect()
    }

    /// The walk before each look.
    fn walks(&self) -> Vec<Walk> {
        let mut walk = Walk::new(self.sides);
        let looks = self.information.iter().zip(&self.critical_values);
        looks
            .map(|(t, critical)| {
                let before = walk.clone();
                walk.look(*t, *critical);
                before
            })
            .collect()
    }

    /// What the design does when the standardised statistic at full information has mean `drift`.
    pub fn at_drift(&self, drift: f64) -> OperatingCharacteristics {
        let mut walk = Walk::new(self.sides);
        let (mut upper, mut lower): (Vec<f64>, Vec<f64>) = (Vec::new(), Vec::new());
        let (mut expected, mut before, mut stopped) = (0.0, 0.0, 0.0);
        for (t, critical) in self.information.iter().zip(&self.critical_values) {
            expected += (t - before) * (1.0 - stopped);
            before = *t;
            let (up, down) = walk.crossing(*t, *critical, drift);
            walk.look(*t, *critical);
            upper.push(upper.last().unwrap_or(&0.0) + up);
            lower.push(lower.last().unwrap_or(&0.0) + down);
            stopped += up + down;
        }
        OperatingCharacteristics { upper, lower, expected_information: expected }
    }

    /// The drift at which the upper boundary is crossed with probability `power`.
    ///
    /// # Errors
    /// A power that is not between the upper error and one.
    pub fn drift_for_power(&self, power: f64) -> Result<f64, NotEstimable> {
        if !(power > self.alpha_upper && power < 1.0) {
            return Err(NotEstimable::OutOfRange { name: "power" });
        }
        // One walk without drift serves every drift.
        let walks = self.walks();
        let total = |drift: f64| -> f64 {
            let looks = walks.iter().zip(self.information.iter().zip(&self.critical_values));
            looks.map(|(walk, (t, critical))| walk.crossing(*t, *critical, drift).0).sum()
        };
        Ok(root::of_smooth_increasing(0.0, 20.0, |drift| total(drift) - power))
    }

    /// Maximum information over that of the fixed design with the same error and power.
    ///
    /// # Errors
    /// As [`Self::drift_for_power`].
    pub fn inflation_factor(&self, power: f64) -> Result<f64, NotEstimable> {
        let drift = self.drift_for_power(power)?;
        Ok((drift / (normal_quantile_upper(self.alpha_upper) + normal_quantile_upper(1.0 - power))).powi(2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_look_is_a_fixed_design() {
        for shape in [BoundaryShape::Pocock, BoundaryShape::OBrienFleming, BoundaryShape::SpendingPocock] {
            let design = group_sequential_design(shape, &[3.0], 0.025, Sides::One).unwrap();
            assert!((design.critical_values[0] - 1.959_963_984_540_054).abs() < 1e-12);
            assert!((design.inflation_factor(0.9).unwrap() - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn looks_out_of_order_are_refused() {
        let refused = group_sequential_design(BoundaryShape::Pocock, &[0.5, 0.5], 0.025, Sides::One);
        assert_eq!(refused, Err(NotEstimable::OutOfRange { name: "information" }));
        let refused = group_sequential_design(BoundaryShape::Pocock, &[], 0.025, Sides::One);
        assert_eq!(refused, Err(NotEstimable::NoObservations));
        let nothing = BoundaryShape::SpendingPower { gamma: 0.0 };
        assert!(group_sequential_design(nothing, &[1.0], 0.025, Sides::One).is_err());
        assert!(group_sequential_design(BoundaryShape::Pocock, &[1.0], 0.0, Sides::One).is_err());
    }

    #[test]
    fn power_below_the_error_is_refused() {
        let design = group_sequential_design(BoundaryShape::Pocock, &[0.5, 1.0], 0.025, Sides::One).unwrap();
        assert!(design.drift_for_power(0.01).is_err());
    }
}
