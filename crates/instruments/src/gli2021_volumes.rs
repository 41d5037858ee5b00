//! GLI-2021 static lung volumes, ages 5 to 80.
//!
//! TLC, FRC: `M = exp(a0 + a1 ln age + a2 ln h + M_spline)`; RV, RV/TLC:
//! `exp(a0 + a1 age + a2 h + M_spline)`; VC: `exp(a0 + a1 age + a2 ln h + M_spline)`.
//! `S = exp(p0 + p1 age + S_spline)`, FRC with ln age, VC without spline. `L = q0`.
//! Volumes in litres, RV/TLC in percent.
//!
//! Source: Hall et al., Eur Respir J 2021;57:2000289.

use std::sync::LazyLock;

use rust_decimal::Decimal;

use crate::{
    answers::Answers,
    instrument::{InstrumentItem, Label, NotScorable, Sex, joined},
    lung_function::{LungFunction, Measurement, Person, Reference, compared, outputs},
    spline_table::SplineTable,
};

/// What GLI-2021 predicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Quantity {
    /// Total lung capacity, L.
    Tlc,
    /// Functional residual capacity, L.
    Frc,
    /// Residual volume, L.
    Rv,
    /// RV/TLC, %.
    RvTlc,
    /// Vital capacity, L.
    Vc,
}

impl Quantity {
    fn name(self) -> &'static str {
        match self {
            Quantity::Tlc => "TLC",
            Quantity::Frc => "FRC",
            Quantity::Rv => "RV",
            Quantity::RvTlc => "RV_TLC",
            Quantity::Vc => "VC",
        }
    }
}

static TABLE: LazyLock<SplineTable> = LazyLock::new(|| {
    SplineTable::read(
        include_str!("../reference/gli2021_volumes_coefficients.csv"),
        include_str!("../reference/gli2021_volumes_splines.csv"),
    )
});

/// Returns L, M and S; height in cm.
///
/// # Errors
/// An age outside 5 to 80.
pub fn reference(
    quantity: Quantity,
    sex: Sex,
    age_years: f64,
    height_cm: f64,
) -> Result<Reference, NotScorable> {
    let at = TABLE.at(quantity.name(), sex, age_years)?;
    let c = |name| at.coefficient(name);
    let (ln_age, ln_height) = (libm::log(age_years), libm::log(height_cm));
    let (age_term, height_term) = match quantity {
        Quantity::Tlc | Quantity::Frc => (ln_age, ln_height),
        Quantity::Rv | Quantity::RvTlc => (age_years, height_cm),
        Quantity::Vc => (age_years, ln_height),
    };
    let spread_age = if quantity == Quantity::Frc { ln_age } else { age_years };
    let spread_spline = if quantity == Quantity::Vc { 0.0 } else { at.s };
    Ok(Reference::Lms {
        l: c("q0"),
        m: libm::exp(c("a0") + c("a1") * age_term + c("a2") * height_term + at.m),
        s: libm::exp(c("p0") + c("p1") * spread_age + spread_spline),
    })
}

fn for_person(quantity: Quantity, person: &Person) -> Result<Reference, NotScorable> {
    reference(quantity, person.sex, person.age_years, person.height_cm)
}

fn rv_tlc_percent(answers: &Answers<'_>) -> Result<Decimal, NotScorable> {
    let tlc = answers.needed_number("tlc")?;
    if tlc <= Decimal::ZERO {
        return Err(NotScorable::NotAllowed { item: "tlc" });
    }
    Ok(Decimal::ONE_HUNDRED * answers.needed_number("rv")? / tlc)
}

static ITEMS: [InstrumentItem; 25] = joined(&[
    &[
        InstrumentItem::decimal("tlc", "TLC", "CPT", (0, 15), 2, "L"),
        InstrumentItem::decimal("frc", "FRC", "CRF", (0, 12), 2, "L").optional(),
        InstrumentItem::decimal("rv", "RV", "VR", (0, 10), 2, "L").optional(),
        InstrumentItem::decimal("vc", "VC", "CV", (0, 12), 2, "L").optional(),
        InstrumentItem::decimal("rv_tlc", "RV/TLC", "VR/CPT", (0, 100), 2, "%").derived(),
    ],
    &compared!("tlc", "TLC", "CPT", "L", 15),
    &compared!("frc", "FRC", "CRF", "L", 12),
    &compared!("rv", "RV", "VR", "L", 10),
    &compared!("vc", "VC", "CV", "L", 12),
    &compared!("rv_tlc", "RV/TLC", "VR/CPT", "%", 100),
]);

/// The instrument `gli2021_volumes`.
pub static GLI2021_VOLUMES: LungFunction = LungFunction {
    id: "gli2021_volumes",
    title: Label { en: "Lung volumes, GLI-2021", fr: "Volumes pulmonaires, GLI-2021" },
    items: &ITEMS,
    version: "GLI-2021",
    source: "Hall et al., Eur Respir J 2021;57:2000289",
    measurements: &[
        Measurement::entered("tlc", outputs!("tlc"), |person| for_person(Quantity::Tlc, person)),
        Measurement::entered("frc", outputs!("frc"), |person| for_person(Quantity::Frc, person)),
        Measurement::entered("rv", outputs!("rv"), |person| for_person(Quantity::Rv, person)),
        Measurement::entered("vc", outputs!("vc"), |person| for_person(Quantity::Vc, person)),
        Measurement::computed(
            "rv_tlc",
            2,
            outputs!("rv_tlc"),
            |answers, _| rv_tlc_percent(answers),
            |person| for_person(Quantity::RvTlc, person),
        ),
    ],
};
