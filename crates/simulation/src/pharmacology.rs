//! How much of the drug is in the blood, and what hangs on it: one compartment, first-order absorption, linear kinetics.
//!
//! Each person has a clearance and a volume of their own. At steady state on a dose D every τ hours the concentration t hours after a
//! dose is, with k = CL/V,
//!
//! ```text
//! C(t) = D ka / (V (ka - k)) * (exp(-k t) / (1 - exp(-k τ)) - exp(-ka t) / (1 - exp(-ka τ)))
//! ```
//!
//! and its mean over an interval is D / (CL τ) (Gibaldi and Perrier, *Pharmacokinetics*, 1982, chapter 3). Kinetics are linear: on a share of
//! the dose there is that share of the concentration. What a participant took is averaged over treatment, as the effect without kinetics
//! takes it; how concentrations rise over the first days is left out, since effects are of months.

use protocol::model::{Driver, Pharmacology, Study};

use crate::streams::Streams;

/// A person's own kinetics.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Kinetics {
    /// Apparent clearance in L/h.
    pub clearance: f64,
    /// Apparent volume of distribution in L.
    pub volume: f64,
}

/// ng/mL in a mg/L.
const NG_PER_ML: f64 = 1_000.0;

impl Kinetics {
    /// Those of a median person.
    pub fn median(population: &Pharmacology) -> Self {
        Self { clearance: population.clearance, volume: population.volume }
    }

    /// Draws a person's.
    pub fn draw(population: &Pharmacology, streams: &Streams, number: u64) -> Self {
        let mut draws = streams.of(number, "pharmacology", 0);
        // Of a lognormal with that coefficient of variation.
        let sigma = |cv: f64| libm::sqrt(libm::log1p(cv * cv));
        Self {
            clearance: draws.lognormal(population.clearance, sigma(population.clearance_cv)),
            volume: draws.lognormal(population.volume, sigma(population.volume_cv)),
        }
    }

    /// Returns the concentration in ng/mL at steady state, `hours` (less than an interval) after a dose of so many mg.
    pub fn concentration(&self, population: &Pharmacology, dose_mg: f64, hours: f64) -> f64 {
        let elimination = self.clearance / self.volume;
        let mut absorption = population.absorption;
        if (absorption - elimination).abs() < 1e-7 * absorption {
            // The formula's limit where both rates are one; so near it is right to seven digits.
            absorption *= 1.0 + 1e-7;
        }
        let left = |rate: f64| libm::exp(-rate * hours) / -libm::expm1(-rate * population.interval);
        NG_PER_ML * dose_mg * absorption / (self.volume * (absorption - elimination))
            * (left(elimination) - left(absorption))
    }

    /// Returns the concentration that drives, in ng/mL, on a dose of so many mg.
    pub fn driver(&self, population: &Pharmacology, dose_mg: f64) -> f64 {
        match population.driver {
            Driver::Average => NG_PER_ML * dose_mg / (self.clearance * population.interval),
            Driver::Trough => self.concentration(population, dose_mg, population.interval),
        }
    }
}

fn in_force(study: &Study) -> Option<&Pharmacology> {
    study.virtual_cohort.pharmacology.as_ref().filter(|population| population.on)
}

fn full_dose_mg(study: &Study) -> f64 {
    study.dosing.levels_mg.first().map_or(0.0, |dose| terms::Value::Decimal(*dose).as_f64().unwrap_or(0.0))
}

/// Returns what the whole effect is multiplied by for a person who has taken this share of the full dose: the share itself
/// where no kinetics are in force; else the effect at the driving concentration over that of a median person on the full dose.
pub(crate) fn effect_factor(study: &Study, streams: &Streams, number: u64, dose_share: f64) -> f64 {
    let Some(population) = in_force(study) else { return dose_share };
    let full = full_dose_mg(study);
    let reference = Kinetics::median(population).driver(population, full);
    let own = dose_share * Kinetics::draw(population, streams, number).driver(population, full);
    if own <= 0.0 || reference <= 0.0 {
        return 0.0;
    }
    match population.half_effect {
        None => own / reference,
        Some(half) => own * (half + reference) / (reference * (half + own)),
    }
}

/// Returns a person's chance of a reaction that this share of participants has: on the drug its odds rise with the driving
/// concentration on the full dose. `on_drug` says whether the reactions are those of the drug.
pub(crate) fn reaction_share(
    study: &Study,
    streams: &Streams,
    number: u64,
    on_drug: bool,
    share: f64,
) -> f64 {
    let Some(population) = in_force(study).filter(|one| on_drug && one.reactions != 0.0) else {
        return share;
    };
    if share <= 0.0 || share >= 1.0 {
        return share;
    }
    let full = full_dose_mg(study);
    let reference = Kinetics::median(population).driver(population, full);
    let own = Kinetics::draw(population, streams, number).driver(population, full);
    let odds = share / (1.0 - share) * libm::exp(population.reactions * libm::log(own / reference));
    odds / (1.0 + odds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn population() -> Pharmacology {
        Pharmacology {
            on: true,
            clearance: 14.3,
            clearance_cv: 0.36,
            volume: 347.0,
            volume_cv: 0.63,
            absorption: 0.609,
            interval: 24.0,
            driver: Driver::Trough,
            half_effect: None,
            reactions: 1.0,
            source: String::new(),
            mark: None,
        }
    }

    /// `reference/pharmacology/integrate.py` integrates the two differential equations dose by dose.
    #[test]
    fn concentrations_are_those_of_the_differential_equations() {
        let text = include_str!("../reference/pharmacology/result.csv");
        let mut seen = 0;
        for line in text.lines().skip(1) {
            let fields: Vec<f64> = line.split(',').map(|field| field.parse().unwrap()).collect();
            let [clearance, volume, absorption, interval, dose, hours, expected, mean] = fields[..] else {
                panic!("{line}")
            };
            let population = Pharmacology { absorption, interval, ..population() };
            let kinetics = Kinetics { clearance, volume };
            let found = kinetics.concentration(&population, dose, hours);
            assert!((found - expected).abs() < 1e-6 * expected, "{line}: {found}");
            let average = Pharmacology { driver: Driver::Average, ..population.clone() };
            assert!((kinetics.driver(&average, dose) - mean).abs() < 1e-6 * mean, "{line}");
            seen += 1;
        }
        assert!(seen >= 20);
    }

    #[test]
    fn people_differ_as_the_population_does() {
        let (population, streams) = (population(), Streams::new(11));
        let drawn: Vec<Kinetics> =
            (1..=40_000).map(|number| Kinetics::draw(&population, &streams, number)).collect();
        for (of, median, cv) in [
            (drawn.iter().map(|one| one.clearance).collect::<Vec<_>>(), 14.3, 0.36),
            (drawn.iter().map(|one| one.volume).collect(), 347.0, 0.63),
        ] {
            let n = of.len() as f64;
            let mean = of.iter().sum::<f64>() / n;
            let sd = (of.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (n - 1.0)).sqrt();
            let below = of.iter().filter(|x| **x < median).count() as f64 / n;
            assert!((below - 0.5).abs() < 4.0 * 0.5 / n.sqrt(), "{below}");
            assert!((sd / mean - cv).abs() < 0.03 * cv, "{}", sd / mean);
        }
    }
}
