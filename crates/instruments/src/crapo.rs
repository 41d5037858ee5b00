//! Crapo's spirometry (1981), lung volumes (1982) and diffusing capacity (1981).
//!
//! `pred = b0 + b_height h + b_age age`, and `LLN = pred - 1.645 SEE` where the standard
//! error of the estimate (SEE) is known; without it there is no z and no lower limit. Men
//! are covered from 15 to 91 years, women from 17 to 84, the ages of the 1981 cohort. The
//! coefficients of TLC and DLCO are marked in `reference/README.md`: they await a check
//! against the printed papers.
//!
//! Sources: Am Rev Respir Dis 1981;123:659 and 185; Bull Eur Physiopathol Respir 1982;18:419.

use std::sync::LazyLock;

use rust_decimal::Decimal;

use crate::{
    instrument::{InstrumentItem, Label, NotScorable, Sex, joined},
    lung_function::{LIMIT_Z, LungFunction, Measurement, Person, Reference, compared, outputs, ratio},
};

/// What Crapo's sets predict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Quantity {
    /// Forced vital capacity, L.
    Fvc,
    /// Forced expiratory volume in 1 s, L.
    Fev1,
    /// Mean flow between 25 and 75 % of FVC, L/s.
    Fef2575,
    /// FEV1/FVC, %.
    Fev1Fvc,
    /// Total lung capacity, L.
    Tlc,
    /// Residual volume, L.
    Rv,
    /// Diffusing capacity, mL/min/mmHg.
    Dlco,
}

impl Quantity {
    fn name(self) -> &'static str {
        match self {
            Quantity::Fvc => "FVC",
            Quantity::Fev1 => "FEV1",
            Quantity::Fef2575 => "FEF25_75",
            Quantity::Fev1Fvc => "FEV1FVC",
            Quantity::Tlc => "TLC",
            Quantity::Rv => "RV",
            Quantity::Dlco => "DLCO",
        }
    }
}

struct Equation {
    quantity: String,
    sex: Sex,
    constant: f64,
    per_cm: f64,
    per_year: f64,
    standard_error: Option<f64>,
}

static EQUATIONS: LazyLock<Vec<Equation>> =
    LazyLock::new(|| include_str!("../reference/crapo.csv").lines().skip(1).map(equation).collect());

fn equation(line: &str) -> Equation {
    let cells = line.split(',').collect::<Vec<_>>();
    let number = |column: usize| cells[column].parse::<f64>().expect("the shipped table holds numbers");
    Equation {
        quantity: cells[1].to_owned(),
        sex: Sex::from_code(cells[3]).expect("the shipped table holds sexes"),
        constant: number(4),
        per_cm: number(5),
        per_year: number(6),
        standard_error: (!cells[7].is_empty()).then(|| number(7)),
    }
}

/// Returns predicted value and, where the standard error is known, lower limit; height in cm.
///
/// # Errors
/// An age outside 15 to 91 (men) or 17 to 84 (women).
pub fn reference(
    quantity: Quantity,
    sex: Sex,
    age_years: f64,
    height_cm: f64,
) -> Result<Reference, NotScorable> {
    let (from, to) = match sex {
        Sex::Male => (15, 91),
        Sex::Female => (17, 84),
    };
    if !(f64::from(from)..=f64::from(to)).contains(&age_years) {
        return Err(NotScorable::AgeNotCovered { from, to });
    }
    let equation = EQUATIONS
        .iter()
        .find(|row| row.quantity == quantity.name() && row.sex == sex)
        .expect("the set's quantities are those of its table");
    let predicted = equation.constant + equation.per_cm * height_cm + equation.per_year * age_years;
    let lln = equation.standard_error.map(|error| predicted - LIMIT_Z * error);
    Ok(Reference::Linear { predicted, lln })
}

fn for_person(quantity: Quantity, person: &Person) -> Result<Reference, NotScorable> {
    reference(quantity, person.sex, person.age_years, person.height_cm)
}

static ITEMS: [InstrumentItem; 41] = joined(&[
    &[
        InstrumentItem::decimal("fvc", "FVC", "CVF", (0, 12), 2, "L"),
        InstrumentItem::decimal("fev1", "FEV1", "VEMS", (0, 10), 2, "L"),
        InstrumentItem::decimal("fef25_75", "FEF 25-75 %", "DEM 25-75 %", (0, 15), 2, "L/s").optional(),
        InstrumentItem::decimal("tlc", "TLC", "CPT", (0, 15), 2, "L"),
        InstrumentItem::decimal("rv", "RV", "VR", (0, 10), 2, "L").optional(),
        InstrumentItem::decimal("dlco", "DLCO", "DLCO", (0, 80), 2, "mL/min/mm[Hg]"),
        InstrumentItem::decimal("hb", "Haemoglobin", "Hémoglobine", (3, 25), 1, "g/dL").optional(),
        InstrumentItem::decimal("fev1_fvc", "FEV1/FVC", "VEMS/CVF", (0, 100), 2, "%").derived(),
        InstrumentItem::decimal(
            "dlco_hb",
            "DLCO, haemoglobin-corrected",
            "DLCO corrigée pour l'hémoglobine",
            (0, 80),
            3,
            "mL/min/mm[Hg]",
        )
        .derived(),
    ],
    &compared!("fvc", "FVC", "CVF", "L", 12),
    &compared!("fev1", "FEV1", "VEMS", "L", 10),
    &compared!("fef25_75", "FEF 25-75 %", "DEM 25-75 %", "L/s", 15),
    &compared!("fev1_fvc", "FEV1/FVC", "VEMS/CVF", "%", 100),
    &compared!("tlc", "TLC", "CPT", "L", 15),
    &compared!("rv", "RV", "VR", "L", 10),
    &compared!("dlco", "DLCO", "DLCO", "mL/min/mm[Hg]", 80),
    &compared!(
        "dlco_hb",
        "DLCO, haemoglobin-corrected",
        "DLCO corrigée pour l'hémoglobine",
        "mL/min/mm[Hg]",
        80
    ),
]);

/// The instrument `crapo`: spirometry, volumes and diffusing capacity on one form.
pub static CRAPO: LungFunction = LungFunction {
    id: "crapo",
    title: Label { en: "Lung function, Crapo 1981-1982", fr: "Fonction pulmonaire, Crapo 1981-1982" },
    items: &ITEMS,
    version: "Crapo 1981 and 1982; haemoglobin by Cotes",
    source: "Crapo et al., Am Rev Respir Dis 1981;123:659 and 185; Bull Eur Physiopathol Respir 1982;18:419",
    measurements: &[
        Measurement::entered("fvc", outputs!("fvc"), |person| for_person(Quantity::Fvc, person)),
        Measurement::entered("fev1", outputs!("fev1"), |person| for_person(Quantity::Fev1, person)),
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
        Measurement::entered("tlc", outputs!("tlc"), |person| for_person(Quantity::Tlc, person)),
        Measurement::entered("rv", outputs!("rv"), |person| for_person(Quantity::Rv, person)),
        Measurement::entered("dlco", outputs!("dlco"), |person| for_person(Quantity::Dlco, person)),
        Measurement::haemoglobin_corrected("dlco_hb", outputs!("dlco_hb"), |person| {
            for_person(Quantity::Dlco, person)
        }),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantity_without_standard_error_has_no_lower_limit_and_no_z() {
        let fvc = reference(Quantity::Fvc, Sex::Male, 50.0, 175.0).unwrap();
        assert!((fvc.predicted() - 4.78).abs() < 1e-9);
        assert_eq!((fvc.lln(), fvc.z(4.0)), (None, None));
        let tlc = reference(Quantity::Tlc, Sex::Male, 50.0, 175.0).unwrap();
        assert!((tlc.z(tlc.lln().unwrap()).unwrap() + 1.645).abs() < 1e-12);
    }

    #[test]
    fn ages_outside_the_cohort_are_not_covered() {
        assert!(reference(Quantity::Fvc, Sex::Male, 91.0, 175.0).is_ok());
        let refused = reference(Quantity::Fvc, Sex::Female, 84.5, 160.0);
        assert_eq!(refused, Err(NotScorable::AgeNotCovered { from: 17, to: 84 }));
    }
}
