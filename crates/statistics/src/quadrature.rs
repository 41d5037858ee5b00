//! Gauss-Legendre quadrature in panels.
//!
//! For the few integrals that have no closed form and no library: noncentral t and
//! the recursion of group sequential designs. Sixteen points a panel integrate a
//! normal density over three standard deviations to rounding.

/// Points of one panel.
const POINTS: usize = 16;

/// Nodes and weights on [-1, 1].
#[derive(Debug, Clone)]
pub(crate) struct GaussLegendre {
    nodes: [f64; POINTS],
    weights: [f64; POINTS],
}

impl GaussLegendre {
    /// Finds the roots of the Legendre polynomial by Newton's method from Tricomi's starting values.
    pub(crate) fn new() -> Self {
        let (mut nodes, mut weights) = ([0.0; POINTS], [0.0; POINTS]);
        for i in 0..POINTS {
            let mut x = (std::f64::consts::PI * (i as f64 + 0.75) / (POINTS as f64 + 0.5)).cos();
            let mut slope = 1.0;
            for _ in 0..10 {
                let (value, derivative) = legendre(x);
                slope = derivative;
                x -= value / derivative;
            }
            nodes[i] = x;
            weights[i] = 2.0 / ((1.0 - x * x) * slope * slope);
        }
        Self { nodes, weights }
    }

    /// The nodes and weights of panels no wider than `width` that cover `[low, high]`.
    pub(crate) fn panels(&self, low: f64, high: f64, width: f64) -> impl Iterator<Item = (f64, f64)> + '_ {
        let count = ((high - low) / width).ceil().max(1.0);
        let half = 0.5 * (high - low) / count;
        (0..count as usize).flat_map(move |panel| {
            let centre = low + half * (2.0 * panel as f64 + 1.0);
            self.nodes.iter().zip(&self.weights).map(move |(x, w)| (centre + half * x, half * w))
        })
    }

    /// ∫ f over `[low, high]` in panels no wider than `width`.
    pub(crate) fn integrate(&self, low: f64, high: f64, width: f64, f: impl Fn(f64) -> f64) -> f64 {
        self.panels(low, high, width).map(|(x, w)| w * f(x)).sum()
    }
}

/// P_16(x) and its derivative.
fn legendre(x: f64) -> (f64, f64) {
    let (mut before, mut value) = (1.0, x);
    for n in 2..=POINTS {
        let n = n as f64;
        (before, value) = (value, ((2.0 * n - 1.0) * x * value - (n - 1.0) * before) / n);
    }
    (value, POINTS as f64 * (x * value - before) / (x * x - 1.0))
}

#[test]
fn a_normal_density_integrates_to_one() {
    let rule = GaussLegendre::new();
    let total = rule.integrate(-9.0, 9.0, 3.0, crate::distribution::normal_pdf);
    assert!((total - 1.0).abs() < 1e-14);
    let power: f64 = rule.integrate(0.0, 2.0, 2.0, |x| x.powi(31));
    assert!((power / (2f64.powi(32) / 32.0) - 1.0).abs() < 1e-13);
}
