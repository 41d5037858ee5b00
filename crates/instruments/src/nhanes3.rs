//! NHANES III spirometry: predicted values and lower limits for ages 8 to 80.
//!
//! Volumes and flows: `b0 + b1 age + b2 age² + b3 height²` with another height
//! coefficient for the lower limit. Ratios in percent: `b0 + b1 age` with another
//! constant for the lower limit. Men leave the equation of the young at 20, women at 18,
//! where the two curves meet. No upper limit is published.
//!
//! Source: Hankinson et al., Am J Respir Crit Care Med 1999;159:179, tables 4 to 6.

use std::sync::LazyLock;

use rust_decimal::Decimal;

use crate::{
    instrument::{Ethnicity, InstrumentItem, Label, Need, NotScorable, Sex, joined},
    lung_function::{LungFunction, Measurement, Person, Reference, compared, outputs, ratio},
};

/// What NHANES III predicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Quantity {
    /// Forced vital capacity, L.
    Fvc,
    /// Forced expiratory volume in 1 s, L.
    Fev1,
    /// Forced expiratory volume in 6 s, L.
    Fev6,
    /// Peak expiratory flow, L/s.
    Pef,
    /// Mean flow between 25 and 75 % of FVC, L/s.
    Fef2575,
    /// FEV1/FVC, %.
    Fev1Fvc,
    /// FEV1/FEV6, %.
    Fev1Fev6,
}

impl Quantity {
    fn column(self) -> &'static str {
        match self {
            Quantity::Fvc => "fvc",
            Quantity::Fev1 => "fev1",
            Quantity::Fev6 => "fev6",
            Quantity::Pef => "pef",
            Quantity::Fef2575 => "fef25_75",
            Quantity::Fev1Fvc => "fev1_fvc",
            Quantity::Fev1Fev6 => "fev1_fev6",
        }
    }
}

const FROM_AGE: f64 = 8.0;
const TO_AGE: f64 = 80.0;

struct Equation {
    quantity: String,
    sex: Sex,
    group: Ethnicity,
    from_age: f64,
    below_age: f64,
    /// Constant, per year, per squared year, per squared centimetre.
    predicted: [f64; 4],
    lln_constant: f64,
    lln_per_cm_squared: f64,
}

static EQUATIONS: LazyLock<Vec<Equation>> =
    LazyLock::new(|| include_str!("../reference/nhanes3.csv").lines().skip(1).map(equation).collect());

fn equation(line: &str) -> Equation {
    let cells = line.split(',').collect::<Vec<_>>();
    let number = |column: usize| cells[column].parse::<f64>().expect("the shipped table holds numbers");
    Equation {
        quantity: cells[0].to_owned(),
        sex: Sex::from_code(cells[2]).expect("the shipped table holds sexes"),
        group: Ethnicity::from_code(cells[3]).expect("the shipped table holds groups"),
        from_age: number(4),
        below_age: if cells[5].is_empty() { f64::INFINITY } else { number(5) },
        predicted: [number(6), number(7), number(8), number(9)],
        lln_constant: number(10),
        lln_per_cm_squared: number(11),
    }
}

/// Returns predicted value and lower limit; height in cm (ratios do not depend on it).
///
/// # Errors
/// An age outside 8 to 80, or a group that the set does not have.
pub fn reference(
    quantity: Quantity,
    sex: Sex,
    group: Ethnicity,
    age_years: f64,
    height_cm: f64,
) -> Result<Reference, NotScorable> {
    if !(FROM_AGE..=TO_AGE).contains(&age_years) {
        return Err(NotScorable::AgeNotCovered { from: FROM_AGE as u32, to: TO_AGE as u32 });
    }
    let equation = EQUATIONS
        .iter()
        .find(|row| {
            row.quantity == quantity.column()
                && row.sex == sex
                && row.group == group
                && (row.from_age..row.below_age).contains(&age_years)
        })
        .ok_or(NotScorable::NotInSet { what: "such group" })?;
    let [constant, per_year, per_year_squared, per_cm_squared] = equation.predicted;
    let of_age = per_year * age_years + per_year_squared * age_years * age_years;
    let height_squared = height_cm * height_cm;
    Ok(Reference::Linear {
        predicted: constant + of_age + per_cm_squared * height_squared,
        lln: Some(equation.lln_constant + of_age + equation.lln_per_cm_squared * height_squared),
    })
}

fn for_person(quantity: Quantity, person: &Person) -> Result<Reference, NotScorable> {
    let group = person.ethnicity.ok_or(NotScorable::Unknown { need: Need::Ethnicity })?;
    reference(quantity, person.sex, group, person.age_years, person.height_cm)
}

static ITEMS: [InstrumentItem; 30] = joined(&[
    &[
        InstrumentItem::decimal("fvc", "FVC", "CVF", (0, 12), 2, "L"),
        InstrumentItem::decimal("fev1", "FEV1", "VEMS", (0, 10), 2, "L"),
        InstrumentItem::decimal("fev6", "FEV6", "VEM6", (0, 12), 2, "L").optional(),
        InstrumentItem::decimal("pef", "PEF", "DEP", (0, 20), 2, "L/s").optional(),
        InstrumentItem::decimal("fef25_75", "FEF 25-75 %", "DEM 25-75 %", (0, 15), 2, "L/s").optional(),
        InstrumentItem::decimal("fev1_fvc", "FEV1/FVC", "VEMS/CVF", (0, 100), 2, "%").derived(),
    ],
    &compared!("fvc", "FVC", "CVF", "L", 12),
    &compared!("fev1", "FEV1", "VEMS", "L", 10),
    &compared!("fev6", "FEV6", "VEM6", "L", 12),
    &compared!("pef", "PEF", "DEP", "L/s", 20),
    &compared!("fef25_75", "FEF 25-75 %", "DEM 25-75 %", "L/s", 15),
    &compared!("fev1_fvc", "FEV1/FVC", "VEMS/CVF", "%", 100),
]);

/// The instrument `nhanes3`.
pub static NHANES3: LungFunction = LungFunction {
    id: "nhanes3",
    title: Label { en: "Spirometry, NHANES III", fr: "Spirométrie, NHANES III" },
    items: &ITEMS,
    version: "NHANES III 1999",
    source: "Hankinson et al., Am J Respir Crit Care Med 1999;159:179",
    measurements: &[
        Measurement::entered("fvc", outputs!("fvc"), |person| for_person(Quantity::Fvc, person)),
        Measurement::entered("fev1", outputs!("fev1"), |person| for_person(Quantity::Fev1, person)),
        Measurement::entered("fev6", outputs!("fev6"), |person| for_person(Quantity::Fev6, person)),
        Measurement::entered("pef", outputs!("pef"), |person| for_person(Quantity::Pef, person)),
        Measurement::entered("fef25_75", outputs!("fef25_75"), |person| {
            for_person(Quantity::Fef2575, person)
        }),
        Measurement::computed(
            "fev1_fvc",
            2,
            outputs!("fev1_fvc"),
            |answers, _| Ok(Decimal::ONE_HUNDRED * ratio(answers)?),
            |person| for_person(Quantity::Fev1Fvc, person),
        ),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    const QUANTITIES: [Quantity; 5] =
        [Quantity::Fvc, Quantity::Fev1, Quantity::Fev6, Quantity::Pef, Quantity::Fef2575];
    const GROUPS: [Ethnicity; 3] = [Ethnicity::White, Ethnicity::Black, Ethnicity::MexicanAmerican];

    #[test]
    fn the_young_and_the_adult_equation_meet_at_20_in_men_and_18_in_women() {
        for (sex, joins) in [(Sex::Male, 20.0), (Sex::Female, 18.0)] {
            for quantity in QUANTITIES {
                for group in GROUPS {
                    let at = |age| reference(quantity, sex, group, age, 170.0).unwrap().predicted();
                    let step = (at(joins) - at(joins - 1e-6)).abs() / at(joins);
                    assert!(step < 0.02, "{sex:?} {quantity:?} {group:?}: {step}");
                }
            }
        }
    }

    #[test]
    fn ages_8_and_80_are_covered_and_beyond_are_not() {
        let at = |age| reference(Quantity::Fvc, Sex::Male, Ethnicity::White, age, 170.0);
        assert!(at(8.0).is_ok() && at(80.0).is_ok());
        assert_eq!(at(7.99), Err(NotScorable::AgeNotCovered { from: 8, to: 80 }));
        assert_eq!(at(80.01), Err(NotScorable::AgeNotCovered { from: 8, to: 80 }));
    }

    #[test]
    fn a_group_that_the_set_does_not_have_gives_no_value() {
        let other = reference(Quantity::Fvc, Sex::Male, Ethnicity::Other, 50.0, 170.0);
        assert!(matches!(other, Err(NotScorable::NotInSet { .. })));
    }
}
